//! Webull's orders: what was asked for and what was filled. Amounts are not stated; they are what was filled times the
//! average price. Orders of which nothing was filled are no trades, whatever their status.

use super::row::{Row, contract, normal, side_unsaid};
use super::{AmountMeaning, Class, Classify, Dialect, Kind, Role, Rule, Words, look_up, needed, optional};
use crate::Action as A;
use crate::formats::{Format, FormatInfo};

use Kind::{Ignore, In, Out};
use Words::Is;

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "webull-orders-csv",
        title: "Webull, orders (CSV)",
        extensions: &["csv"],
        example: "Name,Symbol,Side,Status,Filled,Total Qty,Price,Avg Price,Time-in-Force,Placed Time,Filled Time",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read_sides(super::read(&DIALECT, text, options)),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "webull-orders-csv",
    columns: &[
        needed(Role::Date, &["filled time"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Action, &["side", "b/s"]),
        needed(Role::Kind, &["status"]),
        needed(Role::Shares, &["filled", "filled qty"]),
        needed(Role::Price, &["avg price", "filled avg price"]),
        optional(Role::Description, &["name"]),
        optional(Role::Fee, &["fee", "fees", "commission"]),
        optional(Role::Currency, &["currency"]),
        optional(Role::Account, &["account"]),
    ],
    classify: Classify::With(classify),
    amount: AmountMeaning::NetOrComputed,
    ..Dialect::PLAIN
};

fn classify(row: &Row<'_>) -> Option<Class> {
    let ignore = |reason: &'static str| Some(Class { kind: Ignore(reason), detail: None });
    // A number that is none is told by the reading of it.
    if matches!(row.shares(), Ok(None)) {
        return ignore("nothing of the order was filled");
    }
    if row.text(Role::Symbol).is_empty() {
        return ignore("an order of several legs, which stand in rows of their own");
    }
    let class = look_up(RULES, &normal(row.text(Role::Action)))?;
    if contract(row).is_some() {
        // A short sale of an option opens, and a cover closes.
        match class.detail {
            Some("short_sale") => return Some(Class { kind: Out(A::OptionOpen), detail: Some("short") }),
            Some("short_cover") => return Some(Class { kind: In(A::OptionClose), detail: Some("short") }),
            _ => {}
        }
    }
    Some(side_unsaid(row, class))
}

const RULES: &[Rule] = &[
    (Is("buy"), In(A::Buy), ""),
    (Is("sell"), Out(A::Sell), ""),
    (Is("short"), Out(A::Sell), "short_sale"),
    (Is("sell short"), Out(A::Sell), "short_sale"),
    (Is("cover"), In(A::Buy), "short_cover"),
    (Is("buy to cover"), In(A::Buy), "short_cover"),
];
