//! Schwab's realized gains and losses, lot by lot: every row is a sale of one lot, with its basis, its term and what was
//! disallowed as a wash sale. A file of all accounts names each on a line of its own.

use super::row::{Row, contract};
use super::{Class, Classify, Dialect, Footer, Kind, Role, needed, optional};
use crate::Action as A;
use crate::formats::{Format, FormatInfo};
use crate::gather::clip;

/// The format.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "schwab-realized-lots-csv",
        title: "Charles Schwab, realized gain/loss by lot (CSV)",
        extensions: &["csv"],
        example: "\"Symbol\",\"Name\",\"Closed Date\",\"Opened Date\",\"Quantity\",\"Proceeds Per Share\",…",
    },
    recognise: |sniff| super::recognise(&DIALECT, sniff),
    read: |text, options| super::read(&DIALECT, text, options),
};

pub(crate) static DIALECT: Dialect = Dialect {
    id: "schwab-realized-lots-csv",
    columns: &[
        needed(Role::Date, &["closed date"]),
        needed(Role::Acquired, &["opened date"]),
        needed(Role::Symbol, &["symbol"]),
        needed(Role::Shares, &["quantity"]),
        needed(Role::Amount, &["proceeds"]),
        needed(Role::Basis, &["cost basis (cb)", "cost basis"]),
        optional(Role::Description, &["name", "description"]),
        optional(Role::Price, &["proceeds per share"]),
        optional(Role::Term, &["term"]),
        optional(Role::Disallowed, &["disallowed loss"]),
        optional(Role::Account, &["account", "account number"]),
    ],
    classify: Classify::With(classify),
    footers: &[Footer::Undated("total"), Footer::LongText(120)],
    account_between: Some(("lot details for ", " as of ")),
    row_is_lot: true,
    heading: Some(|text, context| {
        // Between tables an account stands alone; the title is longer and says more, a ticker is one word.
        let title = text.to_ascii_lowercase().starts_with("realized gain/loss");
        let account = !title && text.contains(char::is_whitespace);
        if account {
            context.account = Some(clip(text, 60));
        }
        account
    }),
    ..Dialect::PLAIN
};

fn classify(row: &Row<'_>) -> Option<Class> {
    let action = if contract(row).is_some() { A::OptionClose } else { A::Sell };
    Some(Class { kind: Kind::Out(action), detail: Some("realized_lot") })
}
