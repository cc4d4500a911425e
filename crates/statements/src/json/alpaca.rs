//! Alpaca's account activities: fills and everything else that moves cash or shares
//! (Trading API, `GET /v2/account/activities`).

use lotwise_core::{Money, OptionContract, Shares};

use super::value::{Fields, first_words, words};
use super::{Outcome, has_fields, read_records};
use crate::facts::{self, Names};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, LEFT_OUT, Meaning, describe};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, Statement, Transaction};

/// Alpaca's activities.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "alpaca-activities-json",
        title: "Alpaca, account activities (JSON)",
        extensions: &["json"],
        example: "[{\"id\": \"…\", \"activity_type\": \"FILL\", \"side\": \"buy\", …",
    },
    recognise: |sniff: &Sniff<'_>| match has_fields(sniff.head, &["activity_type"]) {
        true => Confidence::Sure,
        false => Confidence::No,
    },
    read,
};

const NAMES: Names<'static> = Names { symbol: "symbol", shares: "qty", price: "price", amount: "net_amount" };

/// What an activity of one type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Cash alone: `qty`, where stated, is what the payment was for.
    Cash(Action),
    /// Cash by its sign.
    CashBySign(Action, Action),
    /// Shares by their sign, or cash where there are none.
    MoveBySign,
    /// Shares as signed, with cash if any.
    Holding(Action),
    /// A trade told by the sign of its shares.
    TradeBySign,
    /// A fee in dollars, or in the crypto itself.
    CryptoFee,
}

use Action as A;
use Kind::{Cash, CashBySign, CryptoFee, Holding, MoveBySign, TradeBySign};

/// Every type of the interface, with the detail that refines it (`""` for none).
const TYPES: [(&str, Kind, &str); 37] = [
    ("TRANS", CashBySign(A::Deposit, A::Withdrawal), ""),
    ("MISC", Holding(A::Other), "miscellaneous"),
    ("ACATC", CashBySign(A::TransferIn, A::TransferOut), "acats"),
    ("ACATS", MoveBySign, "acats"),
    ("CFEE", CryptoFee, "crypto_fee"),
    ("CGD", Cash(A::CapitalGainDistribution), ""),
    ("CSD", Cash(A::Deposit), ""),
    ("CSW", Cash(A::Withdrawal), ""),
    ("DIV", Cash(A::Dividend), ""),
    ("DIVCGL", Cash(A::CapitalGainDistribution), "long_term"),
    ("DIVCGS", Cash(A::CapitalGainDistribution), "short_term"),
    ("DIVFEE", Cash(A::Fee), "dividend_fee"),
    ("DIVFT", Cash(A::TaxWithheld), "foreign_tax"),
    ("DIVNRA", Cash(A::TaxWithheld), "nonresident"),
    ("DIVROC", Cash(A::ReturnOfCapital), ""),
    ("DIVTW", Cash(A::TaxWithheld), "backup_withholding"),
    ("DIVTXEX", Cash(A::Dividend), "tax_exempt"),
    ("FEE", Cash(A::Fee), ""),
    ("INT", Cash(A::Interest), ""),
    ("INTNRA", Cash(A::TaxWithheld), "nonresident"),
    ("INTTW", Cash(A::TaxWithheld), "backup_withholding"),
    ("WH", Cash(A::TaxWithheld), ""),
    ("JNL", MoveBySign, "journal"),
    ("JNLC", CashBySign(A::TransferIn, A::TransferOut), "journal"),
    ("JNLS", MoveBySign, "journal"),
    ("FOPT", MoveBySign, "free_of_payment"),
    ("MA", Holding(A::Merger), ""),
    ("NC", Holding(A::Merger), "name_change"),
    ("OPASN", Holding(A::OptionAssign), ""),
    ("OPCA", Holding(A::Merger), "option_corporate_action"),
    ("OPCSH", Cash(A::Other), "option_cash_deliverable"),
    ("OPEXC", Holding(A::OptionExercise), ""),
    ("OPEXP", Holding(A::OptionExpire), ""),
    ("OPTRD", TradeBySign, "by_exercise"),
    ("PTC", Cash(A::Fee), "pass_through_charge"),
    ("PTR", Cash(A::Fee), "pass_through_rebate"),
    ("SPIN", Holding(A::Spinoff), ""),
];

/// Types whose subtype decides.
const MORE_TYPES: [(&str, Kind, &str); 3] = [
    ("SPLIT", Holding(A::Split), ""),
    ("REORG", Holding(A::Merger), "reorganisation"),
    ("VOF", Holding(A::Merger), "voluntary_offer"),
];

/// Subtypes that change the action or refine it.
const SUBTYPES: [(&str, &str, Option<Action>, &str); 8] = [
    ("DIV", "SDIV", Some(A::Split), "stock_dividend"),
    ("DIV", "SPD", None, "payment_in_lieu"),
    ("INT", "MGN", None, "margin_interest"),
    ("MA", "CMA", None, "cash_merger"),
    ("MA", "SMA", None, "stock_merger"),
    ("MA", "SCMA", None, "stock_and_cash_merger"),
    ("SPLIT", "RSPLIT", None, "reverse_split"),
    ("REORG", "WRM", None, "worthless"),
];

fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let mut statement = read_records(FORMAT.info.id, text.as_str(), options, &["activities", "data"], activity)?;
    // Fills of options do not say whether they open or close.
    let fills = statement.transactions.iter_mut().filter(|each| each.option.is_some());
    for fill in fills.filter(|each| matches!(each.action, A::Buy | A::Sell)) {
        fill.detail = Some(crate::sides::UNSAID.into());
    }
    crate::sides::open_or_close(&mut statement);
    Ok(statement)
}

fn activity(fields: &Fields<'_>, row: u32, gathering: &mut Gathering) -> Result<Outcome, Fault> {
    let kind = words(fields, "activity_type").ok_or_else(|| Fault::missing("activity_type"))?;
    let upper = kind.to_ascii_uppercase();
    if words(fields, "status").is_some_and(|status| status.eq_ignore_ascii_case("canceled")) {
        return Ok(Outcome::ignore(&kind, "canceled by the broker"));
    }
    if upper == "FILL" || words(fields, "type").is_some_and(|kind| kind.ends_with("fill")) {
        return fill(fields, row).map(|transaction| Outcome::Take(Box::new(transaction)));
    }
    let known = TYPES.iter().chain(&MORE_TYPES).find(|(name, ..)| *name == upper);
    let (meant, mut detail) = match known {
        Some((_, kind, detail)) => (*kind, *detail),
        None => match gathering.meaning("activity_type", &kind, row)? {
            Meaning::Do(action) => (Holding(action), ""),
            Meaning::LeaveOut => return Ok(Outcome::ignore(&kind, LEFT_OUT)),
        },
    };
    let subtype =
        first_words(fields, &["activity_sub_type", "activity_subtype"]).map_or(String::new(), |(_, text)| text);
    let date = first_words(fields, &["date", "settle_date", "transaction_time", "created_at", "executed_at"]);
    let (column, text) = date.ok_or_else(|| Fault::missing("date"))?;
    let mut draft = Transaction::new(A::Other, facts::new_york_date(column, &text)?, row);
    common(fields, &mut draft)?;
    draft.description =
        describe(&[words(fields, "description").as_deref(), Some(&kind), (!subtype.is_empty()).then_some(&subtype)]);
    let amount = words(fields, "net_amount").map(|text| facts::money("net_amount", &text)).transpose()?;
    let shares = words(fields, "qty").map(|text| facts::shares("qty", &text)).transpose()?;
    let shares = shares.filter(|shares| !shares.is_zero());
    let out = amount.is_some_and(|amount| amount.is_negative());
    match meant {
        Cash(action) => draft.action = action,
        CashBySign(inward, outward) => draft.action = if out { outward } else { inward },
        MoveBySign => {
            let outward = shares.map_or(out, Shares::is_negative);
            draft.action = if outward { A::TransferOut } else { A::TransferIn };
            draft.shares = shares;
        }
        Holding(action) => (draft.action, draft.shares) = (action, shares),
        TradeBySign => {
            let shares = shares.ok_or_else(|| Fault::missing("qty"))?;
            // The sign of the shares counts; where they are unsigned, that of the cash.
            let sells = shares.is_negative() || amount.is_some_and(|amount| amount.is_positive());
            draft.action = if sells { A::Sell } else { A::Buy };
            draft.shares = Some(if sells { -shares.abs() } else { shares.abs() });
        }
        CryptoFee => {
            (draft.action, draft.shares) = (A::Fee, shares);
            if shares.is_some() {
                let text = "Fees were paid in crypto, which lowers the holding. They are kept as fees.";
                gathering.ask("fee-in-kind", text, "keep them as fees, and check the holding", row);
            }
        }
    }
    for (of, name, action, refined) in SUBTYPES {
        if of == upper && name.eq_ignore_ascii_case(&subtype) {
            detail = refined;
            if let Some(action) = action {
                (draft.action, draft.shares) = (action, shares);
            }
        }
    }
    draft.detail = (!detail.is_empty()).then_some(detail.into());
    let in_kind = draft.action == A::Fee && draft.shares.is_some();
    facts::complete(&mut draft, amount.or(in_kind.then_some(Money::ZERO)), &NAMES)?;
    Ok(Outcome::Take(Box::new(draft)))
}

/// What fills and other activities share.
fn common(fields: &Fields<'_>, draft: &mut Transaction) -> Result<(), Fault> {
    draft.id = words(fields, "id").unwrap_or_default();
    if let Some(account) = words(fields, "account_id") {
        draft.account = account;
    }
    if let Some(text) = words(fields, "symbol") {
        (draft.symbol, draft.cusip) = facts::security("symbol", &text)?;
        if let Ok(option) = OptionContract::parse_occ(&text) {
            draft.symbol = option.symbol().or(draft.symbol.take());
            draft.option = Some(option);
        }
    }
    draft.cusip = draft.cusip.take().or_else(|| words(fields, "cusip"));
    draft.price = words(fields, "price").map(|text| facts::price("price", &text)).transpose()?;
    if let Some(text) = words(fields, "currency") {
        draft.currency = facts::currency("currency", &text)?;
    }
    if let Some(text) = words(fields, "settle_date") {
        draft.settle_date = Some(facts::iso_date("settle_date", &text)?);
    }
    Ok(())
}

/// One execution: the whole order or a part of it. The id begins with a time in no stated zone, so it tells no date.
fn fill(fields: &Fields<'_>, row: u32) -> Result<Transaction, Fault> {
    let time = first_words(fields, &["transaction_time", "executed_at"]);
    let (column, text) = time.ok_or_else(|| Fault::missing("transaction_time"))?;
    let side = words(fields, "side").ok_or_else(|| Fault::missing("side"))?;
    let mut draft = Transaction::new(A::Other, facts::new_york_date(column, &text)?, row);
    common(fields, &mut draft)?;
    let shares = words(fields, "qty").ok_or_else(|| Fault::missing("qty"))?;
    let shares = facts::shares("qty", &shares)?;
    if !shares.is_positive() {
        return Err(Fault::new("qty", &shares.to_string(), "of a fill is not above zero"));
    }
    (draft.action, draft.shares) = match side.to_ascii_lowercase().as_str() {
        "buy" => (A::Buy, Some(shares)),
        "sell" | "sell_short" => (A::Sell, Some(-shares)),
        _ => return Err(Fault::new("side", &side, "is none of buy, sell and sell_short")),
    };
    if side.eq_ignore_ascii_case("sell_short") {
        draft.detail = Some("short_sale".into());
    }
    if draft.price.is_none() {
        return Err(Fault::missing("price"));
    }
    if let Some(text) = words(fields, "commission") {
        draft.fees = facts::money("commission", &text)?;
    }
    let part = words(fields, "type").filter(|kind| kind == "partial_fill").map(|_| "partial fill");
    draft.description = describe(&[Some(&side), part]);
    // The amount of a fill is its shares times its price; regulatory fees are activities of their own.
    facts::complete(&mut draft, None, &NAMES)?;
    Ok(draft)
}
