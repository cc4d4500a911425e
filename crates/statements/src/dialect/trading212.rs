//! Trading 212's history: times with milliseconds; price, total, result and each fee in a currency of its own, named in a
//! column or in the header (`Total (EUR)`); trades, deposits and withdrawals without a sign, or with one.

use super::row::{Fault, Row};
use super::{AmountMeaning, Classify, Dialect, Kind, Role, Rule, Words, needed, optional};
use crate::cell::DateStyle;
use crate::formats::{Format, FormatInfo};
use crate::{Action as A, Transaction};

use Kind::{BySign, Costs, Do, In, Out, Pays};
use Words::{Has, Is, Starts};

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "trading212-history-csv",
        title: "Trading 212, history (CSV)",
        extensions: &["csv"],
        example: "Action,Time,ISIN,Ticker,Name,No. of shares,Price / share,Currency (Price / share),Exchange rate,…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "trading212-history-csv",
    columns: &[
        needed(Role::Action, &["action"]),
        needed(Role::Date, &["time", "time (utc)"]),
        needed(Role::Cusip, &["isin"]),
        needed(Role::Symbol, &["ticker"]),
        needed(Role::Shares, &["no. of shares"]),
        needed(Role::Price, &["price / share"]),
        needed(Role::Amount, &["total", "gross total", "total (*)"]),
        optional(Role::PriceCurrency, &["currency (price / share)"]),
        optional(Role::Currency, &["currency (total)", "currency (gross total)"]),
        optional(Role::Description, &["name"]),
        optional(Role::Code, &["notes"]),
        optional(Role::Id, &["id"]),
        optional(Role::Account, &["account"]),
    ],
    dates: &[DateStyle::Iso],
    classify: Classify::Words(RULES),
    amount: AmountMeaning::UnsignedTrades,
    finish: Some(notes),
    ..Dialect::PLAIN
};

/// What stands in no column of ours: the note, and the tax and fees in their own currencies, which are inside the total.
fn notes(row: &Row<'_>, transaction: &mut Transaction) -> Result<(), Fault> {
    let mut words: Vec<String> = [transaction.description.as_str(), row.text(Role::Code)]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for (place, name) in row.header.names.iter().enumerate() {
        let lower = name.to_ascii_lowercase();
        let charge = ["tax", "fee", "duty", "charge", "levy"].iter().any(|word| lower.contains(word));
        let value = row.cells.get(place).map_or("", |cell| cell.as_ref());
        if !charge || lower.starts_with("currency (") || crate::cell::is_nothing(value) || value.starts_with("0.00") {
            continue;
        }
        let code = row
            .header
            .names
            .iter()
            .position(|other| other.to_ascii_lowercase() == format!("currency ({lower})"))
            .and_then(|place| row.cells.get(place))
            .map_or("", |cell| cell.as_ref());
        words.push(crate::gather::clip(&format!("{lower} {value} {code}"), 80));
    }
    transaction.description = words.join("; ");
    if matches!(transaction.action, A::TransferIn | A::TransferOut | A::Split | A::Spinoff)
        && transaction.shares.is_some()
    {
        // The total is what the shares are worth; no cash moves.
        transaction.amount = lotwise_core::Money::ZERO;
    }
    Ok(())
}

const RULES: &[Rule] = &[
    (Is("buy"), In(A::Buy), ""),
    (Is("market buy"), In(A::Buy), ""),
    (Is("limit buy"), In(A::Buy), ""),
    (Is("stop buy"), In(A::Buy), ""),
    (Is("stop limit buy"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("market sell"), Out(A::Sell), ""),
    (Is("limit sell"), Out(A::Sell), ""),
    (Is("stop sell"), Out(A::Sell), ""),
    (Is("stop limit sell"), Out(A::Sell), ""),
    (Has("return of capital"), Do(A::ReturnOfCapital), ""),
    (Has("dividend manufactured"), Do(A::Dividend), "payment_in_lieu"),
    (Has("(property income"), Do(A::Dividend), "property_income"),
    (Has("(tax exempted"), Do(A::Dividend), "tax_exempt"),
    (Has("(interest"), Do(A::Interest), "interest_distribution"),
    (Starts("dividend"), Do(A::Dividend), ""),
    (Is("interest on cash"), Do(A::Interest), ""),
    (Is("lending interest"), Do(A::Interest), "stock_lending"),
    (Is("share lending interest"), Do(A::Interest), "stock_lending"),
    (Is("deposit"), Pays(A::Deposit), ""),
    (Is("withdrawal"), Costs(A::Withdrawal), ""),
    (Is("card debit"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Is("card credit"), BySign(A::Deposit, A::Withdrawal), "card"),
    (Is("new card cost"), Do(A::Fee), "card"),
    (Is("lending fee"), Do(A::Fee), ""),
    (Is("transfer in"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("transfer out"), Out(A::TransferOut), ""),
    (Is("result adjustment"), Do(A::Other), "adjustment"),
    (Is("currency conversion"), Do(A::Other), "forex"),
    (Is("spending cashback"), Do(A::Other), "promotion"),
    (Is("free share"), Do(A::Other), "promotion"),
    (Is("stock split open"), In(A::Split), ""),
    (Is("stock split close"), Out(A::Split), ""),
    (Is("stock distribution"), Do(A::Split), "distribution"),
    (Is("spin off"), Do(A::Spinoff), ""),
];
