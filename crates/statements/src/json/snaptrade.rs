//! SnapTrade's activities: the transactions of many brokers in one shape
//! (`GET /accounts/{accountId}/activities` and `GET /activities`).

use lotwise_core::{Date, OptionContract, OptionRight, Symbol};

use super::value::{Fields, object, words};
use super::{Outcome, has_fields, read_records};
use crate::facts::{self, Names};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, LEFT_OUT, Meaning, describe};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, Statement, Transaction};

/// SnapTrade's activities.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "snaptrade-activities-json",
        title: "SnapTrade, activities (JSON)",
        extensions: &["json"],
        example: "{\"data\": [{\"id\": \"…\", \"symbol\": {\"symbol\": \"VTI\"}, \"units\": 5, \"trade_date\": …",
    },
    recognise: |sniff: &Sniff<'_>| match has_fields(sniff.head, &["trade_date", "units", "type"]) {
        true => Confidence::Sure,
        false => Confidence::No,
    },
    read: |text: &Text<'_>, options: &ReadOptions<'_>| -> Result<Statement, Error> {
        read_records(FORMAT.info.id, text.as_str(), options, &["data", "activities"], activity)
    },
};

const NAMES: Names<'static> = Names { symbol: "symbol", shares: "units", price: "price", amount: "amount" };

/// What moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Shares and cash; of an option by its own word.
    Trade(Action),
    /// Cash alone: `units`, where stated, is what the payment was for.
    Cash(Action),
    /// Shares as signed, with cash if any.
    Holding(Action),
    /// Shares by their sign, or cash by its sign.
    MoveBySign,
}

use Action as A;
use Kind::{Cash, Holding, MoveBySign, Trade};

/// The types of the interface, and the further ones that brokers' own words are passed on as.
const TYPES: [(&str, Kind, &str); 34] = [
    ("BUY", Trade(A::Buy), ""),
    ("SELL", Trade(A::Sell), ""),
    ("REI", Trade(A::Reinvest), ""),
    ("DIVIDEND_REINVESTMENT", Trade(A::Reinvest), ""),
    ("DIVIDEND", Cash(A::Dividend), ""),
    ("SUBSTITUTE_DIVIDEND", Cash(A::Dividend), "payment_in_lieu"),
    ("DISTRIBUTION", Cash(A::Dividend), "distribution"),
    ("CAPITAL_GAINS_DISTRIBUTION", Cash(A::CapitalGainDistribution), ""),
    ("RETURN_OF_CAPITAL", Cash(A::ReturnOfCapital), ""),
    ("CASH_IN_LIEU", Cash(A::Dividend), "cash_in_lieu"),
    ("STOCK_DIVIDEND", Holding(A::Split), "stock_dividend"),
    ("CONTRIBUTION", Cash(A::Deposit), ""),
    ("DEPOSIT", Cash(A::Deposit), ""),
    ("WITHDRAWAL", Cash(A::Withdrawal), ""),
    ("INTEREST", Cash(A::Interest), ""),
    ("FEE", Cash(A::Fee), ""),
    ("FEE_REBATE", Cash(A::Fee), "rebate"),
    ("TAX", Cash(A::TaxWithheld), ""),
    ("TAX_WITHHELD", Cash(A::TaxWithheld), ""),
    ("WITHHOLDING_TAX", Cash(A::TaxWithheld), ""),
    ("OPTIONEXPIRATION", Holding(A::OptionExpire), ""),
    ("OPTIONASSIGNMENT", Holding(A::OptionAssign), ""),
    ("OPTIONEXERCISE", Holding(A::OptionExercise), ""),
    ("TRANSFER", MoveBySign, ""),
    ("TRANSFER_IN", MoveBySign, ""),
    ("TRANSFER_OUT", MoveBySign, ""),
    ("JOURNAL", MoveBySign, "journal"),
    ("EXTERNAL_ASSET_TRANSFER_IN", Holding(A::TransferIn), "external"),
    ("EXTERNAL_ASSET_TRANSFER_OUT", Holding(A::TransferOut), "external"),
    ("SPLIT", Holding(A::Split), ""),
    ("SPINOFF", Holding(A::Spinoff), ""),
    ("MERGER", Holding(A::Merger), ""),
    ("NAME_CHANGE", Holding(A::Merger), "name_change"),
    ("ADJUSTMENT", Holding(A::Other), "adjustment"),
];

fn activity(fields: &Fields<'_>, row: u32, gathering: &mut Gathering) -> Result<Outcome, Fault> {
    let kind = words(fields, "type").ok_or_else(|| Fault::missing("type"))?;
    let upper = kind.to_ascii_uppercase();
    let (meant, detail) = match TYPES.iter().find(|(name, ..)| *name == upper) {
        Some((_, kind, detail)) => (*kind, *detail),
        None => match gathering.meaning("type", &kind, row)? {
            Meaning::Do(action @ (A::Buy | A::Sell | A::Reinvest)) => (Trade(action), ""),
            Meaning::Do(action) => (Holding(action), ""),
            Meaning::LeaveOut => return Ok(Outcome::ignore(&kind, LEFT_OUT)),
        },
    };
    let day = words(fields, "trade_date").ok_or_else(|| Fault::missing("trade_date"))?;
    let mut draft = Transaction::new(A::Other, facts::new_york_date("trade_date", &day)?, row);
    draft.id = words(fields, "id").unwrap_or_default();
    draft.settle_date = match words(fields, "settlement_date") {
        Some(text) => Some(facts::new_york_date("settlement_date", &text)?),
        None => None,
    };
    if let Some(account) = object(fields, "account") {
        let name = ["number", "id", "name"].iter().find_map(|field| words(&account, field));
        draft.account = name.unwrap_or(draft.account);
        if let Some(label) = words(&account, "name").filter(|label| *label != draft.account) {
            gathering.label(draft.account.clone(), &label);
        }
    }
    draft.description = describe(&[words(fields, "description").as_deref()]);
    draft.currency = currency(fields)?;
    security(fields, &mut draft)?;
    draft.price = match words(fields, "price") {
        Some(text) => Some(facts::price("price", &text)?).filter(|price| !price.is_zero()),
        None => None,
    };
    draft.fees = words(fields, "fee").map(|text| facts::money("fee", &text)).transpose()?.unwrap_or_default().abs();
    let amount = words(fields, "amount").map(|text| facts::money("amount", &text)).transpose()?;
    let units = words(fields, "units").map(|text| facts::shares("units", &text)).transpose()?;
    let units = units.filter(|units| !units.is_zero());
    draft.detail = (!detail.is_empty()).then_some(detail.into());
    match meant {
        Trade(action) => {
            draft.action = action;
            draft.shares = units.map(|units| facts::directed(action, units));
            if draft.option.is_some() {
                let opens = option_opens(fields)?;
                let buys = action != A::Sell;
                draft.action = if opens { A::OptionOpen } else { A::OptionClose };
                draft.detail = Some(if buys == opens { "long" } else { "short" }.into());
            }
        }
        Cash(action) => draft.action = action,
        Holding(action) => {
            draft.action = action;
            draft.shares = units.map(|units| facts::directed(action, units));
        }
        MoveBySign => {
            let out = units
                .map_or_else(|| amount.is_some_and(|amount| amount.is_negative()), |units| units.is_negative())
                || upper == "TRANSFER_OUT";
            draft.action = if out { A::TransferOut } else { A::TransferIn };
            draft.shares = units.map(|units| facts::directed(draft.action, units));
        }
    }
    facts::complete(&mut draft, amount, &NAMES)?;
    Ok(Outcome::Take(Box::new(draft)))
}

/// The code of the currency, or the security that the amounts are in where they are in none.
fn currency(fields: &Fields<'_>) -> Result<String, Fault> {
    let code = match object(fields, "currency") {
        Some(currency) => words(&currency, "code"),
        None => words(fields, "currency"),
    };
    match code {
        Some(code) => facts::currency("currency", &code),
        None => {
            let quote = object(fields, "currency_universal_symbol").and_then(|symbol| words(&symbol, "symbol"));
            facts::currency("currency_universal_symbol", &quote.ok_or_else(|| Fault::missing("currency"))?)
        }
    }
}

/// The security, or the option with its terms.
fn security(fields: &Fields<'_>, draft: &mut Transaction) -> Result<(), Fault> {
    if let Some(option) = object(fields, "option_symbol") {
        draft.option = Some(contract(&option)?);
        draft.symbol = draft.option.as_ref().and_then(OptionContract::symbol);
        return Ok(());
    }
    let ticker = match object(fields, "symbol") {
        Some(symbol) => words(&symbol, "symbol").or_else(|| words(&symbol, "raw_symbol")),
        None => words(fields, "symbol"),
    };
    if let Some(ticker) = ticker {
        (draft.symbol, draft.cusip) = facts::security("symbol", &ticker)?;
    }
    Ok(())
}

fn contract(option: &Fields<'_>) -> Result<OptionContract, Fault> {
    let required = |name: &'static str| words(option, name).ok_or_else(|| Fault::missing(name));
    let mini = words(option, "is_mini_option");
    let mini =
        mini.is_some() || super::value::field(option, "is_mini_option").is_some_and(|value| value.json() == "true");
    let multiplier = if mini { 10 } else { 100 };
    if let Some(found) = words(option, "ticker").and_then(|ticker| OptionContract::parse_occ(&ticker).ok()) {
        return Ok(OptionContract { multiplier, ..found });
    }
    let underlying = match object(option, "underlying_symbol") {
        Some(symbol) => words(&symbol, "symbol"),
        None => words(option, "underlying_symbol"),
    };
    let underlying = underlying.ok_or_else(|| Fault::missing("underlying_symbol"))?;
    let expiry = required("expiration_date")?;
    let right = required("option_type")?;
    let strike = required("strike_price")?;
    Ok(OptionContract {
        underlying: Symbol::parse(&underlying)
            .map_err(|_| Fault::new("underlying_symbol", &underlying, "is not a ticker symbol"))?,
        expiry: Date::parse(expiry.get(..10).unwrap_or(&expiry))
            .map_err(|_| Fault::new("expiration_date", &expiry, "is not a date (expected YYYY-MM-DD)"))?,
        right: match right.to_ascii_uppercase().as_str() {
            "CALL" => OptionRight::Call,
            "PUT" => OptionRight::Put,
            _ => return Err(Fault::new("option_type", &right, "is neither CALL nor PUT")),
        },
        strike: facts::price("strike_price", &strike)?,
        multiplier,
    })
}

/// Whether a trade of an option opens.
fn option_opens(fields: &Fields<'_>) -> Result<bool, Fault> {
    let word = words(fields, "option_type").ok_or_else(|| Fault::missing("option_type"))?;
    match word.to_ascii_uppercase().as_str() {
        "BUY_TO_OPEN" | "SELL_TO_OPEN" => Ok(true),
        "BUY_TO_CLOSE" | "SELL_TO_CLOSE" => Ok(false),
        _ => Err(Fault::new("option_type", &word, "does not say whether the option opens or closes")),
    }
}
