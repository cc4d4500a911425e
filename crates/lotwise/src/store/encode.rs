//! A transaction as one line of text that says all of it and nothing else: the same transaction is
//! always the same line. The digest of the line is the identity of its content.

use lotwise_statements::{StatedLot, Transaction};
use rusqlite::Statement;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Everything that a transaction says, but not where in a file it stands.
#[derive(Serialize)]
struct Line<'a> {
    account: &'a str,
    trade_date: String,
    id: &'a str,
    settle_date: Option<String>,
    action: &'static str,
    detail: Option<&'a str>,
    symbol: Option<&'a str>,
    cusip: Option<&'a str>,
    description: &'a str,
    shares: Option<String>,
    price: Option<String>,
    amount: String,
    fees: String,
    currency: &'a str,
    split: Option<[String; 2]>,
    lots: Vec<LotLine<'a>>,
    option: Option<OptionLine<'a>>,
}

#[derive(Serialize)]
struct LotLine<'a> {
    lot: Option<&'a str>,
    acquired: Option<String>,
    shares: String,
    basis: Option<String>,
    proceeds: Option<String>,
    disallowed: Option<String>,
    long_term: Option<bool>,
    covered: Option<bool>,
}

#[derive(Serialize)]
struct OptionLine<'a> {
    underlying: &'a str,
    expiry: String,
    right: &'static str,
    strike: String,
    multiplier: u32,
}

/// The line of a transaction: JSON with its keys in a fixed order.
pub fn line(transaction: &Transaction) -> String {
    // Taken apart, so that a field that is new one day cannot be forgotten here.
    let Transaction {
        id,
        account,
        trade_date,
        settle_date,
        action,
        symbol,
        cusip,
        description,
        shares,
        price,
        amount,
        fees,
        currency,
        detail,
        split_ratio,
        lots,
        option,
        row: _,
    } = transaction;
    let line = Line {
        account,
        trade_date: trade_date.to_string(),
        id,
        settle_date: settle_date.map(|date| date.to_string()),
        action: action.name(),
        detail: detail.as_deref(),
        symbol: symbol.as_ref().map(lotwise_core::Symbol::as_str),
        cusip: cusip.as_deref(),
        description,
        shares: shares.map(|shares| shares.to_string()),
        price: price.map(|price| price.to_string()),
        amount: amount.to_string(),
        fees: fees.to_string(),
        currency,
        split: split_ratio.map(|(new, old)| [new.to_string(), old.to_string()]),
        lots: lots.iter().map(lot_line).collect(),
        option: option.as_ref().map(|terms| OptionLine {
            underlying: terms.underlying.as_str(),
            expiry: terms.expiry.to_string(),
            right: terms.right.name(),
            strike: terms.strike.to_string(),
            multiplier: terms.multiplier,
        }),
    };
    serde_json::to_string(&line).expect("Invariant: the line holds only texts and lists")
}

fn lot_line(lot: &StatedLot) -> LotLine<'_> {
    let StatedLot { id, acquired, shares, basis, proceeds, disallowed, long_term, covered } = lot;
    LotLine {
        lot: id.as_deref(),
        acquired: acquired.map(|date| date.to_string()),
        shares: shares.to_string(),
        basis: basis.map(|amount| amount.to_string()),
        proceeds: proceeds.map(|amount| amount.to_string()),
        disallowed: disallowed.map(|amount| amount.to_string()),
        long_term: *long_term,
        covered: *covered,
    }
}

/// Digest of a transaction's line.
pub fn content(transaction: &Transaction) -> String {
    digest(line(transaction).as_bytes())
}

/// SHA-256 as 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The columns of `entry` that [`bind_entry`] fills, in its order.
pub const INSERT_ENTRY: &str = "INSERT INTO entry (account, transaction_id, content, trade_date, settle_date, action, \
     symbol, cusip, description, shares, price, amount, fees, currency, detail, split_new, split_old) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";

/// Writes a transaction as a row of `entry`.
pub fn bind_entry(
    insert: &mut Statement<'_>,
    account: i64,
    content: &str,
    each: &Transaction,
) -> rusqlite::Result<usize> {
    insert.execute(rusqlite::params![
        account,
        each.id,
        content,
        each.trade_date.to_string(),
        each.settle_date.map(|date| date.to_string()),
        each.action.name(),
        each.symbol.as_ref().map(lotwise_core::Symbol::as_str),
        each.cusip,
        each.description,
        each.shares.map(|shares| shares.to_string()),
        each.price.map(|price| price.to_string()),
        each.amount.to_string(),
        each.fees.to_string(),
        each.currency,
        each.detail.as_deref(),
        each.split_ratio.map(|(new, _)| new.to_string()),
        each.split_ratio.map(|(_, old)| old.to_string()),
    ])
}
