//! XTB's cash operations. Shares and price of a trade stand in the comment (`OPEN BUY 2/5 @ 163.40`), the price in the
//! currency of the instrument, the amount in that of the account, which only the lines above the table may name.

use lotwise_core::{Price, Shares};

use super::row::{Fault, Row, gross};
use super::{Ask, Classify, Dialect, Footer, Kind, Role, Rule, Words, needed, optional};
use crate::cell::{self, Comma, DateStyle};
use crate::formats::{Format, FormatInfo};
use crate::{Action as A, Transaction};

use Kind::{BySign, Do, In, Out};
use Words::{Is, Starts};

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "xtb-cash-operations-csv",
        title: "XTB, cash operations (CSV)",
        extensions: &["csv"],
        example: "ID;Type;Time;Comment;Symbol;Amount",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "xtb-cash-operations-csv",
    columns: &[
        needed(Role::Id, &["id"]),
        needed(Role::Action, &["type"]),
        needed(Role::Date, &["time"]),
        needed(Role::Description, &["comment"]),
        needed(Role::Symbol, &["symbol", "ticker"]),
        needed(Role::Amount, &["amount"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Account, &["account"]),
    ],
    dates: &[DateStyle::Iso, DateStyle::DayMonthYear],
    classify: Classify::Words(RULES),
    footers: &[Footer::Undated("total")],
    comma: Comma::ByShape,
    // The code for a currency that nobody named.
    currency: "XXX",
    finish: Some(from_comment),
    ask: Some(currency_unknown),
    ..Dialect::PLAIN
};

fn currency_unknown(_: &Row<'_>, transaction: &Transaction) -> Option<Ask> {
    (transaction.currency == "XXX").then_some(Ask {
        key: "currency-unknown",
        text: "The file does not say in which currency the account is kept. Which is it?",
        proposed: "keep the rows without a currency, and leave them out of the tax",
    })
}

/// Shares and price out of the comment; the market behind the ticker (`.US`) taken off.
fn from_comment(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    if let Some(symbol) = &transaction.symbol
        && let Some(ticker) = symbol.as_str().strip_suffix(".US")
    {
        transaction.symbol = lotwise_core::Symbol::parse(ticker).ok();
    }
    let trade = matches!(transaction.action, A::Buy | A::Sell);
    if !trade {
        return Ok(());
    }
    let unreadable =
        || row.fault(Role::Description, "the comment does not tell shares and price (\"OPEN BUY 2 @ 163.40\")");
    let words: Vec<&str> = row.text(Role::Description).split_whitespace().collect();
    let at = words.iter().position(|word| *word == "@").ok_or_else(unreadable)?;
    let volume = at.checked_sub(1).and_then(|before| words.get(before)).ok_or_else(unreadable)?;
    // `0.228/1.228` is the part of this operation and the whole position.
    let volume = volume.split('/').next().unwrap_or_default();
    let plain = |text: &str| cell::number(text, Comma::ByShape).map(std::borrow::Cow::into_owned).ok();
    let shares = plain(volume).and_then(|text| Shares::parse_rounded(&text).ok()).filter(|shares| shares.is_positive());
    let price = words.get(at + 1).and_then(|text| plain(text)).and_then(|text| Price::parse_rounded(&text).ok());
    let (shares, price) = shares.zip(price.filter(|price| !price.is_negative())).ok_or_else(unreadable)?;
    let value = gross(price, shares).ok_or_else(unreadable)?;
    transaction.shares = Some(if transaction.action == A::Sell { -shares } else { shares });
    // In another currency the product is another number than the amount.
    let near =
        (value - transaction.amount.abs()).abs() <= lotwise_core::Money::from_billionths(value.billionths() / 50);
    transaction.price = near.then_some(price);
    Ok(())
}

const RULES: &[Rule] = &[
    (Is("stock purchase"), In(A::Buy), ""),
    (Is("stocks/etf purchase"), In(A::Buy), ""),
    (Is("stock sale"), Out(A::Sell), ""),
    (Is("stock sell"), Out(A::Sell), ""),
    (Is("stocks/etf sale"), Out(A::Sell), ""),
    (Is("dividend"), Do(A::Dividend), ""),
    (Is("divident"), Do(A::Dividend), ""),
    (Is("withholding tax"), Do(A::TaxWithheld), ""),
    (Is("free-funds interest tax"), Do(A::TaxWithheld), "interest"),
    (Is("free funds interest tax"), Do(A::TaxWithheld), "interest"),
    (Is("free-funds interest"), Do(A::Interest), ""),
    (Is("free funds interest"), Do(A::Interest), ""),
    (Is("deposit"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("ike deposit"), BySign(A::Deposit, A::Withdrawal), "contribution"),
    (Is("withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("transfer"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("subaccount transfer"), BySign(A::TransferIn, A::TransferOut), "internal"),
    (Is("currency conversion"), Do(A::Other), "forex"),
    (Is("sec fee"), Do(A::Fee), ""),
    (Is("stamp duty"), Do(A::Fee), "stamp_duty"),
    (Starts("commission"), Do(A::Fee), ""),
    (Starts("swap"), Do(A::Fee), "swap"),
    (Is("adr fee"), Do(A::Fee), "adr_fee"),
    (Is("rights issue"), Do(A::Other), "rights"),
    (Is("close trade"), Do(A::Other), "contract_for_difference"),
    (Is("profit/loss"), Do(A::Other), "contract_for_difference"),
    (Is("correction"), Do(A::Other), "adjustment"),
    (Is("spin off"), Do(A::Other), "spinoff"),
];
