//! Investment transactions of OFX (section 13.9.2.4) as ours.

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Shares};

use super::record::Record;
use super::securities::{Securities, Security};
use crate::gather::{Fault, Gathering};
use crate::{Action, Error, StatedLot, Transaction};

/// What a child of `INVTRANLIST` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Buy,
    Sell,
    Reinvest,
    Income,
    Bank,
    Transfer,
    Split,
    ReturnOfCapital,
    MarginInterest,
    Expense,
    OptionClosure,
    /// Moves between the sub-accounts of one account.
    Journal,
}

/// Every transaction that the standard defines.
const KINDS: [(&str, Kind); 21] = [
    ("BUYDEBT", Kind::Buy),
    ("BUYMF", Kind::Buy),
    ("BUYOPT", Kind::Buy),
    ("BUYOTHER", Kind::Buy),
    ("BUYSTOCK", Kind::Buy),
    ("CLOSUREOPT", Kind::OptionClosure),
    ("INCOME", Kind::Income),
    ("INVBANKTRAN", Kind::Bank),
    ("INVEXPENSE", Kind::Expense),
    ("JRNLFUND", Kind::Journal),
    ("JRNLSEC", Kind::Journal),
    ("MARGININTEREST", Kind::MarginInterest),
    ("REINVEST", Kind::Reinvest),
    ("RETOFCAP", Kind::ReturnOfCapital),
    ("SELLDEBT", Kind::Sell),
    ("SELLMF", Kind::Sell),
    ("SELLOPT", Kind::Sell),
    ("SELLOTHER", Kind::Sell),
    ("SELLSTOCK", Kind::Sell),
    ("SPLIT", Kind::Split),
    ("TRANSFER", Kind::Transfer),
];

/// Key of an income record: security, date and amount in billionths.
type IncomeKey = (String, Date, i128);

/// One account's list of transactions.
pub(super) struct Account<'s> {
    pub(super) id: &'s str,
    pub(super) currency: Option<&'s str>,
    pub(super) securities: &'s Securities,
    /// Income records not yet claimed by a reinvestment of the same amount.
    incomes: BTreeMap<IncomeKey, u32>,
}

impl<'s> Account<'s> {
    /// Prepares for the records of this account, looking for income that reinvestments repeat.
    pub(super) fn new(
        id: &'s str,
        currency: Option<&'s str>,
        securities: &'s Securities,
        records: &[Record<'_, '_>],
    ) -> Self {
        let mut incomes = BTreeMap::new();
        for record in records.iter().filter(|record| record.whole.is("INCOME")) {
            if let Some(key) = income_key(record) {
                *incomes.entry(key).or_default() += 1;
            }
        }
        Self { id, currency, securities, incomes }
    }

    /// Accounts for one record.
    pub(super) fn read(&mut self, record: Record<'_, '_>, row: u32, gathering: &mut Gathering) -> Result<(), Error> {
        let name = record.whole.name.to_ascii_uppercase();
        let Some(&(_, kind)) = KINDS.iter().find(|(known, _)| *known == name) else {
            let text = format!("The file has records called {name}, which OFX does not define. What are they?");
            gathering.ask(&format!("unknown-action:{name}"), &text, "leave them out", row);
            let mut fault = Fault::new("INVTRANLIST", &name, "holds a transaction that OFX does not define");
            fault.reason = format!("{} ({name})", fault.reason);
            return gathering.quarantine(fault.into_note(row));
        };
        if kind == Kind::Journal {
            return gathering.ignore(row, &name, "moves between sub-accounts, no effect on the account");
        }
        if kind == Kind::Bank && record.word("TRNTYPE") == "HOLD" {
            return gathering.ignore(row, &name, "an authorisation that was not booked");
        }
        match self.transaction(kind, record, row, gathering) {
            Ok(transaction) => gathering.accept(transaction),
            Err(fault) => {
                let mut note = fault.into_note(row);
                // Many files are one single line, so the broker's id is the better place.
                if !record.broker_id().is_empty() {
                    note.reason = format!("{} (FITID {})", note.reason, crate::gather::clip(record.broker_id(), 60));
                }
                gathering.quarantine(note)
            }
        }
    }

    fn transaction(
        &mut self,
        kind: Kind,
        record: Record<'_, '_>,
        row: u32,
        gathering: &mut Gathering,
    ) -> Result<Transaction, Fault> {
        let security = match record.security_id() {
            Some(id) => self.securities.resolve(id, row, gathering),
            None => Security::default(),
        };
        let mut draft = record.draft(Action::Other, self.id, self.currency, security, row)?;
        match kind {
            Kind::Buy | Kind::Sell => trade(kind, record, &mut draft)?,
            Kind::Reinvest => {
                trade(Kind::Buy, record, &mut draft)?;
                draft.action = Action::Reinvest;
                draft.detail = self.reinvested(&record).map(Into::into);
            }
            Kind::Income => income(record, &mut draft)?,
            Kind::Bank => bank(record, &mut draft, gathering)?,
            Kind::Transfer => transfer(record, &mut draft, gathering)?,
            Kind::Split => split(record, &mut draft)?,
            Kind::ReturnOfCapital => {
                (draft.action, draft.amount) = (Action::ReturnOfCapital, record.required_money("TOTAL")?);
            }
            Kind::MarginInterest => {
                // The standard calls it the amount; it always costs.
                (draft.action, draft.amount) = (Action::Interest, -record.required_money("TOTAL")?.abs());
                draft.detail = Some("margin_interest".into());
            }
            Kind::Expense => {
                (draft.action, draft.amount) = (Action::Fee, -record.required_money("TOTAL")?.abs());
            }
            Kind::OptionClosure => option_closure(record, &mut draft)?,
            Kind::Journal => {}
        }
        let withheld = record.money("WITHHOLDING")?.unwrap_or(Money::ZERO);
        let withheld_by_state = record.money("STATEWITHHOLDING")?.unwrap_or(Money::ZERO);
        if !withheld.is_zero() || !withheld_by_state.is_zero() {
            let text = "Records carry tax withheld inside their total, and no record of its own for it. \
                        Enter the tax by hand if it counts for you.";
            gathering.ask("ofx-withholding", text, "keep the total as the cash that moved", row);
        }
        if record.reverses() {
            draft.detail = Some(
                match draft.action {
                    Action::Buy => "cancelled_buy",
                    Action::Sell => "cancelled_sell",
                    _ => "cancelled_other",
                }
                .into(),
            );
            draft.action = Action::Other;
        }
        Ok(draft)
    }

    /// Whether a reinvestment stands beside its income record, or is both at once.
    fn reinvested(&mut self, record: &Record<'_, '_>) -> Option<&'static str> {
        if let Some(left) = income_key(record).and_then(|key| self.incomes.get_mut(&key)).filter(|left| **left > 0) {
            *left -= 1;
            return None;
        }
        Some(match record.word("INCOMETYPE").as_str() {
            "CGLONG" => "includes_long_term_gain",
            "CGSHORT" => "includes_short_term_gain",
            "INTEREST" => "includes_interest",
            "MISC" => "includes_miscellaneous_income",
            _ => "includes_dividend",
        })
    }
}

fn income_key(record: &Record<'_, '_>) -> Option<IncomeKey> {
    let unique = record.security_id()?.value("UNIQUEID")?.to_ascii_uppercase();
    Some((unique, record.date().ok()?, record.money("TOTAL").ok()??.abs().billionths()))
}

/// Purchase or sale. Signs are made ours: shares in and cash out for a purchase, the reverse for a sale.
fn trade(kind: Kind, record: Record<'_, '_>, draft: &mut Transaction) -> Result<(), Fault> {
    let units = record.required_shares("UNITS")?;
    let fees = record.fees()?;
    let buys = kind == Kind::Buy;
    let total = record.total_or_product(units, fees, if buys { -1 } else { 1 }, draft.option.as_ref())?;
    let name = record.whole.name.to_ascii_uppercase();
    draft.fees = fees;
    // Both signs against the direction of the trade mean that it is taken back.
    let taken_back = match buys {
        true => units.is_negative() && total.is_positive(),
        false => units.is_positive() && total.is_negative() && total.abs() > fees,
    };
    if taken_back {
        (draft.shares, draft.amount) = (Some(units), total);
        draft.detail = Some(if buys { "cancelled_buy" } else { "cancelled_sell" }.into());
        return Ok(());
    }
    draft.action = if buys { Action::Buy } else { Action::Sell };
    draft.shares = Some(if buys { units.abs() } else { -units.abs() });
    // Proceeds below the fees are a negative total that is true; a purchase always costs.
    draft.amount = if buys { -total.abs() } else { total };
    draft.detail = match (record.word("BUYTYPE").as_str(), record.word("SELLTYPE").as_str()) {
        ("BUYTOCOVER", _) => Some("short_cover"),
        (_, "SELLSHORT") => Some("short_sale"),
        _ if name.ends_with("DEBT") => Some("debt"),
        _ if says(&draft.description, "IN LIEU OF") => Some("cash_in_lieu"),
        // Some brokers send a reinvestment as a purchase and only call it so.
        _ if buys && says(&draft.description, "REINVEST") => Some("reinvestment"),
        _ => None,
    }
    .map(Into::into);
    if name.ends_with("OPT") {
        let word = if buys { record.word("OPTBUYTYPE") } else { record.word("OPTSELLTYPE") };
        (draft.action, draft.detail) = match word.as_str() {
            "BUYTOOPEN" => (Action::OptionOpen, Some("long".into())),
            "SELLTOOPEN" => (Action::OptionOpen, Some("short".into())),
            "BUYTOCLOSE" => (Action::OptionClose, Some("short".into())),
            "SELLTOCLOSE" => (Action::OptionClose, Some("long".into())),
            _ => {
                let column = if buys { "OPTBUYTYPE" } else { "OPTSELLTYPE" };
                return Err(Fault::new(column, &word, "does not say whether the option opens or closes"));
            }
        };
    }
    Ok(())
}

fn says(description: &str, words: &str) -> bool {
    description.to_ascii_uppercase().contains(words)
}

fn income(record: Record<'_, '_>, draft: &mut Transaction) -> Result<(), Fault> {
    draft.amount = record.required_money("TOTAL")?;
    let word = record.word("INCOMETYPE");
    let (action, detail) = match word.as_str() {
        "DIV" => (Action::Dividend, None),
        "INTEREST" => (Action::Interest, None),
        "CGLONG" => (Action::CapitalGainDistribution, Some("long_term")),
        "CGSHORT" => (Action::CapitalGainDistribution, Some("short_term")),
        "MISC" => (Action::Other, Some("miscellaneous_income")),
        "" => return Err(Fault::missing("INCOMETYPE")),
        _ => return Err(Fault::new("INCOMETYPE", &word, "is none of DIV, INTEREST, CGLONG, CGSHORT and MISC")),
    };
    (draft.action, draft.detail) = (action, detail.map(Into::into));
    if record.word("TAXEXEMPT") == "Y" {
        draft.detail = Some("tax_exempt".into());
    }
    Ok(())
}

/// A cash movement of the investment account, by its type; the words beside it are only noted.
fn bank(record: Record<'_, '_>, draft: &mut Transaction, gathering: &mut Gathering) -> Result<(), Fault> {
    draft.amount = record.required_money("TRNAMT")?;
    let outgoing = draft.amount.is_negative();
    let by_sign = |out, into| if outgoing { out } else { into };
    draft.action = match record.word("TRNTYPE").as_str() {
        "INT" => Action::Interest,
        "DIV" => Action::Dividend,
        "FEE" | "SRVCHG" => Action::Fee,
        "XFER" => by_sign(Action::TransferOut, Action::TransferIn),
        _ => by_sign(Action::Withdrawal, Action::Deposit),
    };
    if matches!(draft.action, Action::Deposit | Action::Withdrawal) {
        let words = draft.description.to_ascii_uppercase();
        let has = |word: &str| words.split(|character: char| !character.is_alphanumeric()).any(|each| each == word);
        draft.detail = if has("INTEREST") {
            Some("named_interest")
        } else if has("DIVIDEND") {
            Some("named_dividend")
        } else if has("FEE") || has("FEES") {
            Some("named_fee")
        } else {
            None
        }
        .map(Into::into);
        if draft.detail.is_some() {
            let text = "Cash movements are called interest, dividend or fee by their words, and deposit or \
                        withdrawal by their type. Which of the two is right?";
            gathering.ask("ofx-named-cash", text, "trust the type", draft.row);
        }
    }
    Ok(())
}

fn transfer(record: Record<'_, '_>, draft: &mut Transaction, gathering: &mut Gathering) -> Result<(), Fault> {
    let units = record.required_shares("UNITS")?;
    let word = record.word("TFERACTION");
    let short = record.word("POSTYPE") == "SHORT";
    draft.action = match word.as_str() {
        "IN" => Action::TransferIn,
        "OUT" => Action::TransferOut,
        "" if units.is_negative() => Action::TransferOut,
        "" => Action::TransferIn,
        _ => return Err(Fault::new("TFERACTION", &word, "is neither IN nor OUT")),
    };
    // A short position that comes in brings shares owed.
    let gains = (draft.action == Action::TransferIn) != short;
    if gains && units.is_negative() {
        let reason = "is negative although the position gains; the direction is not certain";
        return Err(Fault::new("UNITS", &units.to_string(), reason));
    }
    draft.shares = Some(if gains { units.abs() } else { -units.abs() });
    draft.detail = short.then_some("short".into());
    draft.amount = record.money("TOTAL")?.unwrap_or(Money::ZERO);
    let (shares, price) = (units.abs(), record.price()?);
    let acquired = match record.text("DTPURCHASE") {
        Some(text) => Some(super::values::date(text).map_err(|reason| Fault::new("DTPURCHASE", text, reason))?),
        None => None,
    };
    let average = record.money("AVGCOSTBASIS")?.filter(|cost| !cost.is_negative());
    if gains && !short && (average.is_some() || acquired.is_some()) {
        let value = price.and_then(|price| crate::dialect::gross(price, shares));
        let basis = match average {
            Some(average) => basis_of(average, shares, value).or_else(|| {
                let text = "Transfers state an average cost, and not whether it is that of one share or of all. \
                            Enter their basis by hand.";
                gathering.ask("transfer-basis", text, "take the shares in without a basis", draft.row);
                None
            }),
            // The unit price beside the date of the purchase is what was paid.
            None => value,
        };
        draft.lots = vec![StatedLot { acquired, shares, basis, ..StatedLot::default() }];
    }
    Ok(())
}

/// The basis in total of an average cost that brokers write for one share or for all: whichever lies within a factor of
/// five of the value of the shares, where only one does.
fn basis_of(average: Money, shares: Shares, value: Option<Money>) -> Option<Money> {
    let each = crate::dialect::gross(lotwise_core::Price::from_billionths(average.billionths()), shares)?;
    let value = value.filter(|value| value.is_positive())?;
    let near = |basis: Money| {
        let (basis, value) = (basis.billionths(), value.billionths());
        basis <= value.saturating_mul(5) && value <= basis.saturating_mul(5)
    };
    match (near(each), near(average)) {
        (true, true) => (each == average).then_some(each),
        (true, false) => Some(each),
        (false, true) => Some(average),
        (false, false) => None,
    }
}

fn split(record: Record<'_, '_>, draft: &mut Transaction) -> Result<(), Fault> {
    draft.action = Action::Split;
    let (old, new) = (record.shares("OLDUNITS")?, record.shares("NEWUNITS")?);
    if let (Some(old), Some(new)) = (old, new) {
        draft.shares = new.checked_add(-old);
    }
    match (record.shares("NUMERATOR")?, record.shares("DENOMINATOR")?) {
        (Some(numerator), Some(denominator)) if numerator.is_positive() && denominator.is_positive() => {
            draft.split_ratio = Some((numerator, denominator));
        }
        (None, None) if draft.shares.is_some() => {}
        (None, _) => return Err(Fault::missing("NUMERATOR")),
        (_, None) => return Err(Fault::missing("DENOMINATOR")),
        (Some(numerator), Some(denominator)) => {
            let ratio = format!("{numerator}/{denominator}");
            return Err(Fault::new("NUMERATOR", &ratio, "and DENOMINATOR are not a ratio of a split"));
        }
    }
    draft.amount = record.money("FRACCASH")?.unwrap_or(Money::ZERO);
    if !draft.amount.is_zero() {
        draft.detail = Some("cash_in_lieu".into());
    }
    Ok(())
}

fn option_closure(record: Record<'_, '_>, draft: &mut Transaction) -> Result<(), Fault> {
    let word = record.word("OPTACTION");
    draft.action = match word.as_str() {
        "EXERCISE" => Action::OptionExercise,
        "ASSIGN" => Action::OptionAssign,
        "EXPIRE" => Action::OptionExpire,
        _ => return Err(Fault::new("OPTACTION", &word, "is none of EXERCISE, ASSIGN and EXPIRE")),
    };
    let units = record.required_shares("UNITS")?;
    // Closing takes the position away, whichever sign the broker writes: a long one leaves, a short one comes back.
    draft.shares = Some(match record.word("SUBACCTSEC").as_str() {
        "SHORT" => units.abs(),
        _ => units,
    });
    if let (Some(option), Some(size)) = (draft.option.as_mut(), record.shares("SHPERCTRCT")?)
        && let Ok(size) = u32::try_from(size.billionths() / Shares::from_whole(1).billionths())
        && size > 0
    {
        option.multiplier = size;
    }
    draft.amount = record.money("TOTAL")?.unwrap_or(Money::ZERO);
    Ok(())
}

/// A holding that the statement states, negative for a short one.
pub(super) fn holding(record: Record<'_, '_>) -> Result<(Shares, Option<lotwise_core::Price>), Fault> {
    let units = record.required_shares("UNITS")?;
    let units = if record.word("POSTYPE") == "SHORT" { -units.abs() } else { units };
    Ok((units, record.price()?))
}
