//! What the readers that are no tables of a dialect share: exact numbers with the field to blame, and what an action
//! cannot do without.

use lotwise_core::{Date, DecimalError, Money, Price, Shares, Symbol};

use crate::cell::{self, Security};
use crate::dialect::gross;
use crate::gather::Fault;
use crate::{Action, Transaction};

/// More shares than any company has issued.
pub(crate) const MOST_SHARES: Shares = Shares::from_whole(1_000_000_000_000);
/// More money than any portfolio holds.
const MOST_MONEY: Money = Money::from_whole(1_000_000_000_000_000);
/// A cent or two of rounding, or a fee larger than the proceeds of a fraction of a share.
const SMALL_CHANGE: Money = Money::from_whole(1);

/// A number as it is written in English, with a currency sign, thousands or parentheses if any.
fn number<T>(column: &str, text: &str, parse: fn(&str) -> Result<T, DecimalError>) -> Result<T, Fault> {
    let plain = cell::number(text, cell::Comma::Thousands).map_err(|reason| Fault::new(column, text, reason))?;
    parse(&plain).map_err(|error| match error {
        DecimalError::TooLarge(_) => Fault::new(column, text, "is too large"),
        DecimalError::Empty | DecimalError::NotANumber(_) | DecimalError::TooPrecise(_) => {
            Fault::new(column, text, "is not a number")
        }
    })
}

/// An amount of money, rounded half to even at the billionth.
pub(crate) fn money(column: &str, text: &str) -> Result<Money, Fault> {
    let money = number(column, text, Money::parse_rounded)?;
    if money.abs() > MOST_MONEY { Err(Fault::new(column, text, "is too large")) } else { Ok(money) }
}

/// A number of shares, rounded half to even at the billionth.
pub(crate) fn shares(column: &str, text: &str) -> Result<Shares, Fault> {
    let shares = number(column, text, Shares::parse_rounded)?;
    if shares.abs() > MOST_SHARES {
        return Err(Fault::new(column, text, "is more shares than any company has issued"));
    }
    Ok(shares)
}

/// A price per share, zero or more.
pub(crate) fn price(column: &str, text: &str) -> Result<Price, Fault> {
    let price = number(column, text, Price::parse_rounded)?;
    if price.is_negative() { Err(Fault::new(column, text, "is a negative price")) } else { Ok(price) }
}

/// A currency code of three letters.
pub(crate) fn currency(column: &str, text: &str) -> Result<String, Fault> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(text.to_ascii_uppercase());
    }
    Err(Fault::new(column, text, "is not a currency code of three letters"))
}

/// Ticker and CUSIP or ISIN of a cell that may hold either.
pub(crate) fn security(column: &str, text: &str) -> Result<(Option<Symbol>, Option<String>), Fault> {
    match cell::security(text).map_err(|reason| Fault::new(column, text, reason))? {
        Security::None => Ok((None, None)),
        Security::Symbol(symbol) => Ok((Some(symbol), None)),
        Security::Cusip(cusip) => Ok((None, Some(cusip))),
    }
}

/// A symbol made of a security's name, for files that know no tickers: what a symbol may not hold is left out.
pub(crate) fn symbol_of_name(name: &str) -> Option<Symbol> {
    let kept: String = name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || ".-_".contains(character) { character } else { ' ' })
        .collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(32).collect();
    Symbol::parse(short.trim()).ok()
}

/// The civil date at the beginning of an ISO date or time.
pub(crate) fn iso_date(column: &str, text: &str) -> Result<Date, Fault> {
    let wrong = || Fault::new(column, text, "is not a date (expected YYYY-MM-DD, then a time if any)");
    let (day, rest) = text.split_at_checked(10).ok_or_else(wrong)?;
    if !rest.is_empty() && !rest.starts_with(['T', ' ']) {
        return Err(wrong());
    }
    Date::parse(day).map_err(|_| wrong())
}

/// The day in New York of an instant in UTC (`2026-02-20T20:30:05.123Z`), since exchanges trade by that day. A time of
/// midnight stands for a date without a time, and other zones than UTC keep the day as it is written.
pub(crate) fn new_york_date(column: &str, text: &str) -> Result<Date, Fault> {
    let day = iso_date(column, text)?;
    let Some(clock) = text.get(11..).and_then(|rest| rest.strip_suffix('Z').or_else(|| rest.strip_suffix("+00:00")))
    else {
        return Ok(day);
    };
    let mut parts = clock.split([':', '.']).map(|part| part.parse::<u64>().ok());
    let (Some(Some(hour)), Some(Some(minute))) = (parts.next(), parts.next()) else { return Ok(day) };
    if clock.bytes().all(|byte| !matches!(byte, b'1'..=b'9')) {
        return Ok(day);
    }
    let behind = if daylight_saving(day, hour) { 4 } else { 5 };
    Ok(if hour * 60 + minute < behind * 60 { day.plus_days(-1) } else { day })
}

/// Whether New York's clocks are forward at this hour in UTC: from the second Sunday of March to the first of November
/// (Energy Policy Act of 2005, section 110), at 7 and 6 o'clock UTC.
fn daylight_saving(day: Date, hour: u64) -> bool {
    let sunday = |month: u32, nth: i32| {
        let first = Date::from_ymd(day.year(), month, 1).unwrap_or(day);
        // Days since a known Sunday tell the weekday: 1970-01-04 was one.
        let ahead = (Date::from_ymd(1970, 1, 4).unwrap_or(day).days() - first.days()).rem_euclid(7);
        first.plus_days(ahead + 7 * (nth - 1))
    };
    let (start, end) = (sunday(3, 2), sunday(11, 1));
    (day > start || (day == start && hour >= 7)) && (day < end || (day == end && hour < 6))
}

/// The fields to blame for what is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) symbol: &'a str,
    pub(crate) shares: &'a str,
    pub(crate) price: &'a str,
    pub(crate) amount: &'a str,
}

/// Puts in the amount, stated or computed from shares, price and fees, and demands what the action cannot do without.
///
/// # Errors
/// The field to blame and the reason.
pub(crate) fn complete(transaction: &mut Transaction, amount: Option<Money>, names: &Names<'_>) -> Result<(), Fault> {
    let unnamed = transaction.symbol.is_none() && transaction.cusip.is_none();
    let named = |needed: bool| if needed && unnamed { Err(Fault::missing(names.symbol)) } else { Ok(()) };
    let too_large =
        |shares: Shares| Fault::new(names.shares, &shares.to_string(), "times price is larger than any portfolio");
    transaction.shares = transaction.shares.filter(|shares| !shares.is_zero());
    let moved = transaction.shares;
    if let Some(amount) = amount {
        transaction.amount = amount;
    }
    let product = || -> Result<Money, Fault> {
        let shares = moved.ok_or_else(|| Fault::missing(names.shares))?;
        let price = transaction.price.ok_or_else(|| Fault::missing(names.amount))?;
        let size = transaction.option.as_ref().map_or(1, |option| i128::from(option.multiplier));
        let units =
            shares.billionths().checked_mul(size).map(Shares::from_billionths).ok_or_else(|| too_large(shares))?;
        Ok(-gross(price, units).ok_or_else(|| too_large(shares))? - transaction.fees)
    };
    match transaction.action {
        Action::Buy | Action::Sell | Action::Reinvest => {
            let shares = moved.ok_or_else(|| Fault::missing(names.shares))?;
            named(true)?;
            if amount.is_none() {
                transaction.amount = product()?;
            }
            let wrong = if shares.is_negative() { -transaction.amount } else { transaction.amount };
            if wrong > SMALL_CHANGE + transaction.fees.abs() {
                let reason =
                    if shares.is_negative() { "is a sale that costs cash" } else { "is a purchase that pays cash" };
                return Err(Fault::new(names.amount, &transaction.amount.to_string(), reason));
            }
        }
        Action::OptionOpen | Action::OptionClose => {
            moved.ok_or_else(|| Fault::missing(names.shares))?;
            named(true)?;
            if amount.is_none() {
                transaction.amount = product()?;
            }
        }
        Action::Dividend
        | Action::CapitalGainDistribution
        | Action::Interest
        | Action::TaxWithheld
        | Action::Fee
        | Action::Deposit
        | Action::Withdrawal
        | Action::ReturnOfCapital => {
            if amount.is_none() {
                return Err(Fault::missing(names.amount));
            }
        }
        Action::TransferIn | Action::TransferOut => {
            named(moved.is_some())?;
            if moved.is_none() && amount.is_none() {
                return Err(Fault::missing(names.amount));
            }
        }
        Action::Split | Action::Spinoff | Action::Merger => {
            named(true)?;
            if moved.is_none() && transaction.split_ratio.is_none() && amount.is_none() {
                return Err(Fault::missing(names.shares));
            }
        }
        Action::Grant | Action::OptionExercise | Action::OptionAssign | Action::OptionExpire => {
            named(true)?;
            moved.ok_or_else(|| Fault::missing(names.shares))?;
        }
        Action::Other => {}
    }
    if let (Some(price), Some(shares)) = (transaction.price, moved)
        && gross(price, shares).is_none()
    {
        return Err(Fault::new(names.price, &price.to_string(), "times shares is larger than any portfolio"));
    }
    Ok(())
}

/// Shares that the action brings in or takes out, whatever sign they were written with; others keep theirs.
pub(crate) fn directed(action: Action, shares: Shares) -> Shares {
    match action {
        Action::Buy | Action::Reinvest | Action::Grant | Action::TransferIn => shares.abs(),
        Action::Sell | Action::TransferOut => -shares.abs(),
        _ => shares,
    }
}

/// Cash that the action brings in or takes out, for amounts that are written without a sign.
pub(crate) fn signed(action: Action, amount: Money) -> Money {
    match action {
        Action::Buy
        | Action::Reinvest
        | Action::Fee
        | Action::TaxWithheld
        | Action::Withdrawal
        | Action::TransferOut => -amount.abs(),
        Action::Sell | Action::Deposit | Action::TransferIn => amount.abs(),
        _ => amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_belongs_to_new_yorks_day() {
        for (text, expected) in [
            ("2026-02-20T20:30:05.123Z", "2026-02-20"),
            ("2026-02-21T00:30:00Z", "2026-02-20"),
            ("2026-02-21T04:59:59Z", "2026-02-20"),
            ("2026-02-21T05:00:00Z", "2026-02-21"),
            ("2026-07-01T04:00:00Z", "2026-07-01"),
            ("2026-07-01T03:59:00+00:00", "2026-06-30"),
            ("2026-03-08T04:30:00Z", "2026-03-07"),
            ("2026-11-01T04:30:00Z", "2026-11-01"),
            ("2026-11-02T04:30:00Z", "2026-11-01"),
            ("2026-02-21T00:00:00Z", "2026-02-21"),
            ("2026-02-21T00:00:00.000000Z", "2026-02-21"),
            ("2026-02-21", "2026-02-21"),
            ("2026-02-21T01:00:00-05:00", "2026-02-21"),
        ] {
            assert_eq!(new_york_date("t", text).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "2026-02-30", "2026-02-21x", "20260221"] {
            assert!(new_york_date("t", text).is_err(), "{text}");
        }
    }
}
