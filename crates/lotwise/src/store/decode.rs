//! Rows of the ledger as transactions again. A value that is not exactly what the program writes is
//! an error: the ledger is then damaged, and nothing is guessed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lotwise_core::{Date, Money, OptionContract, OptionRight, Price, Shares, Symbol};
use lotwise_statements::{Action, StatedLot, Transaction};
use rusqlite::{Connection, Error, Result, Row};

/// The columns of `entry` that [`transaction`] reads; the account is the joined name.
pub const ENTRY_COLUMNS: &str = "entry.id, account.name, transaction_id, trade_date, settle_date, action, symbol, \
     cusip, description, shares, price, amount, fees, currency, detail, split_new, split_old";

/// Everything that belongs to entries and stands in tables of its own, by entry.
#[derive(Default)]
pub struct Attachments {
    lots: BTreeMap<i64, Vec<StatedLot>>,
    options: BTreeMap<i64, OptionContract>,
}

impl Attachments {
    /// Reads those of all entries.
    pub fn read(connection: &Connection) -> Result<Self> {
        let mut all = Self::default();
        let mut lots = connection.prepare(
            "SELECT entry, lot, acquired, shares, basis, proceeds, disallowed, long_term, covered \
             FROM stated_lot ORDER BY entry, ordinal",
        )?;
        let mut rows = lots.query([])?;
        while let Some(row) = rows.next()? {
            all.lots.entry(row.get(0)?).or_default().push(StatedLot {
                id: row.get(1)?,
                acquired: maybe(row, 2, date)?,
                shares: required(row, 3, shares)?,
                basis: maybe(row, 4, money)?,
                proceeds: maybe(row, 5, money)?,
                disallowed: maybe(row, 6, money)?,
                long_term: row.get(7)?,
                covered: row.get(8)?,
            });
        }
        let mut options =
            connection.prepare("SELECT entry, underlying, expiry, right, strike, multiplier FROM option_terms")?;
        let mut rows = options.query([])?;
        while let Some(row) = rows.next()? {
            let terms = OptionContract {
                underlying: required(row, 1, symbol)?,
                expiry: required(row, 2, date)?,
                right: required(row, 3, right)?,
                strike: required(row, 4, price)?,
                multiplier: row.get(5)?,
            };
            all.options.insert(row.get(0)?, terms);
        }
        Ok(all)
    }
}

/// The transaction in a row of [`ENTRY_COLUMNS`], seen in row `file_row` of a file.
pub fn transaction(row: &Row<'_>, attachments: &Attachments, file_row: u32) -> Result<Transaction> {
    let entry: i64 = row.get(0)?;
    let split_ratio = match (maybe(row, 15, shares)?, maybe(row, 16, shares)?) {
        (Some(new), Some(old)) => Some((new, old)),
        (None, None) => None,
        _ => return Err(wrong("split_old")),
    };
    Ok(Transaction {
        id: row.get(2)?,
        account: row.get(1)?,
        trade_date: required(row, 3, date)?,
        settle_date: maybe(row, 4, date)?,
        action: required(row, 5, Action::from_name)?,
        symbol: maybe(row, 6, symbol)?,
        cusip: row.get(7)?,
        description: row.get(8)?,
        shares: maybe(row, 9, shares)?,
        price: maybe(row, 10, price)?,
        amount: required(row, 11, money)?,
        fees: required(row, 12, money)?,
        currency: row.get(13)?,
        detail: row.get::<_, Option<String>>(14)?.map(Cow::Owned),
        split_ratio,
        lots: attachments.lots.get(&entry).cloned().unwrap_or_default(),
        option: attachments.options.get(&entry).cloned(),
        row: file_row,
    })
}

/// A text column that has to be there.
pub fn required<T>(row: &Row<'_>, at: usize, parse: fn(&str) -> Option<T>) -> Result<T> {
    maybe(row, at, parse)?.ok_or_else(|| wrong("required"))
}

/// A text column that may be empty.
pub fn maybe<T>(row: &Row<'_>, at: usize, parse: fn(&str) -> Option<T>) -> Result<Option<T>> {
    let text: Option<String> = row.get(at)?;
    text.map(|text| parse(&text).ok_or_else(|| wrong("value"))).transpose()
}

/// A value that the program did not write. What it is stays out of every message.
pub fn wrong(what: &str) -> Error {
    Error::InvalidColumnName(what.to_owned())
}

/// A plain decimal as billionths. What is typed has a limit that products may exceed, so that the parser of
/// what is typed is not used here.
fn billionths(text: &str) -> Option<i128> {
    const PLACES: usize = 9;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty()
        || fraction.len() > PLACES
        || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let padding = std::iter::repeat_n(b'0', PLACES - fraction.len());
    let magnitude = whole
        .bytes()
        .chain(fraction.bytes())
        .chain(padding)
        .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')))?;
    Some(if negative { -magnitude } else { magnitude })
}

/// An amount, written as the program writes it.
pub fn money(text: &str) -> Option<Money> {
    billionths(text).map(Money::from_billionths).filter(|amount| amount.to_string() == text)
}

/// A number of shares.
pub fn shares(text: &str) -> Option<Shares> {
    billionths(text).map(Shares::from_billionths).filter(|shares| shares.to_string() == text)
}

/// A price.
pub fn price(text: &str) -> Option<Price> {
    billionths(text).map(Price::from_billionths).filter(|price| price.to_string() == text)
}

/// A date.
pub fn date(text: &str) -> Option<Date> {
    Date::parse(text).ok().filter(|date| date.to_string() == text)
}

/// A symbol.
pub fn symbol(text: &str) -> Option<Symbol> {
    Symbol::parse(text).ok().filter(|symbol| symbol.as_str() == text)
}

fn right(text: &str) -> Option<OptionRight> {
    [OptionRight::Call, OptionRight::Put].into_iter().find(|right| right.name() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_any_size_read_back_exactly_and_other_writings_do_not() {
        let mut step: i128 = 1;
        while let Some(next) = step.checked_mul(7) {
            for billionths in [step, -step, step - 1] {
                let amount = Money::from_billionths(billionths);
                assert_eq!(money(&amount.to_string()), Some(amount));
                assert_eq!(
                    shares(&Shares::from_billionths(billionths).to_string()).map(Shares::billionths),
                    Some(billionths)
                );
                assert_eq!(
                    price(&Price::from_billionths(billionths).to_string()).map(Price::billionths),
                    Some(billionths)
                );
            }
            step = next;
        }
        for text in
            ["", "-", "1", "1.0", "01.00", "1.000", "+1.00", "1e3", "1.0000000001", " 1.00", "1,00", "NaN", "-0.00"]
        {
            assert_eq!(money(text), None, "{text}");
        }
    }
}
