//! Revolut's statement of the investment account: ISO times, amounts with the sign of their currency, trades without a
//! sign, decimals with a point or a comma. A move of shares between Revolut's own companies changes no holding.

use super::{AmountMeaning, Classify, Dialect, Kind, Role, Rule, Words, needed};
use crate::Action as A;
use crate::cell::{Comma, DateStyle};
use crate::formats::{Format, FormatInfo};

use Kind::{BySign, Do, In, Out};
use Words::{Is, Starts};

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "revolut-invest-csv",
        title: "Revolut, investment account (CSV)",
        extensions: &["csv"],
        example: "Date,Ticker,Type,Quantity,Price per share,Total Amount,Currency,FX Rate",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "revolut-invest-csv",
    columns: &[
        needed(Role::Date, &["date"]),
        needed(Role::Symbol, &["ticker"]),
        needed(Role::Action, &["type"]),
        needed(Role::Description, &["type"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Price, &["price per share"]),
        needed(Role::Amount, &["total amount"]),
        needed(Role::Currency, &["currency"]),
    ],
    dates: &[DateStyle::Iso],
    classify: Classify::Words(RULES),
    words_per_action: 4,
    amount: AmountMeaning::UnsignedTrades,
    comma: Comma::ByShape,
    ..Dialect::PLAIN
};

const RULES: &[Rule] = &[
    (Is("buy"), In(A::Buy), ""),
    (Starts("buy -"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Starts("sell -"), Out(A::Sell), ""),
    (Is("position closure"), Out(A::Sell), "position_closure"),
    (Is("dividend"), Do(A::Dividend), ""),
    (Starts("dividend tax"), Do(A::TaxWithheld), ""),
    (Is("interest"), Do(A::Interest), ""),
    (Starts("custody fee"), Do(A::Fee), "custody"),
    (Starts("custody_fee"), Do(A::Fee), "custody"),
    (Starts("robo management fee"), Do(A::Fee), "advisor_fee"),
    (Starts("commission refund"), Do(A::Fee), "refund"),
    (Is("cash top-up"), BySign(A::Deposit, A::Withdrawal), ""),
    (Is("cash withdrawal"), BySign(A::Deposit, A::Withdrawal), ""),
    // Between Revolut's own companies: the holding stays what it is.
    (Starts("transfer from revolut"), Kind::Sweep, "custodian_change"),
    (Is("transfer in"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("transfer out"), BySign(A::TransferIn, A::TransferOut), ""),
    (Is("stock split"), Do(A::Split), ""),
    (Starts("merger"), Do(A::Merger), ""),
    (Starts("spinoff"), Do(A::Spinoff), ""),
    (Starts("spin-off"), Do(A::Spinoff), ""),
    (Is("stock dividend"), Do(A::Split), "stock_dividend"),
    (Is("reward"), Do(A::Other), "promotion"),
    (Is("promotion"), Do(A::Other), "promotion"),
];
