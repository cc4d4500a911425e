//! What a file is that no format reads: an export known by name, a table with a column missing, or something else.

use crate::Error;
use crate::dialect::{self, Dialect, first_missing_column};
use crate::formats::{FORMATS, Sniff};

/// An export that is known and not read yet.
struct Unread {
    /// Name in the plural.
    title: &'static str,
    /// Texts that must all be in the head, in lower case, without quotes and without blanks around separators.
    markers: &'static [&'static str],
    /// What to do instead.
    remedy: &'static str,
}

const OWN_INSTEAD: &str = "convert to the lotwise-csv format";
const HISTORY_INSTEAD: &str = "download the transaction history instead";

const UNREAD: &[Unread] = &[
    Unread { title: "Schwab positions", markers: &["positions for ", "mkt val"], remedy: HISTORY_INSTEAD },
    Unread {
        title: "Fidelity NetBenefits histories",
        markers: &["date,investment,transaction type,amount,shares"],
        remedy: OWN_INSTEAD,
    },
    Unread {
        title: "Fidelity positions",
        markers: &["account number,account name,symbol,description,quantity,last price"],
        remedy: HISTORY_INSTEAD,
    },
    Unread { title: "Coinbase reports", markers: &["transaction type,asset,quantity transacted"], remedy: OWN_INSTEAD },
];

/// The error for a text that no format takes as its own.
pub(crate) fn explain(sniff: &Sniff<'_>) -> Error {
    let plain = plain(sniff.head);
    let known = UNREAD.iter().find(|known| known.markers.iter().all(|marker| plain.contains(marker)));
    if let Some(Unread { title, remedy, .. }) = known {
        return Error::NotYet { title, remedy };
    }
    nearest_table(sniff).unwrap_or_else(|| Error::Unrecognised { hint: hint(sniff.head) })
}

/// The table that lacks one or two columns of a dialect, if it has most of them.
fn nearest_table(sniff: &Sniff<'_>) -> Option<Error> {
    const TABLES: [&Dialect; 16] = [
        &dialect::lotwise::DIALECT,
        &dialect::schwab::DIALECT,
        &dialect::fidelity::DIALECT,
        &dialect::robinhood::DIALECT,
        &dialect::etrade::NEW,
        &dialect::etrade::OLD,
        &dialect::merrill::DIALECT,
        &dialect::vanguard::TRANSACTIONS,
        &dialect::webull::DIALECT,
        &dialect::schwab_awards::DIALECT,
        &dialect::schwab_realized::DIALECT,
        &dialect::revolut::DIALECT,
        &dialect::trading212::DIALECT,
        &dialect::xtb::DIALECT,
        &dialect::form_1099b::DIALECT,
        &dialect::td_ameritrade::DIALECT,
    ];
    TABLES
        .iter()
        .filter_map(|dialect| {
            let (line, column, found) = first_missing_column(dialect, sniff.head)?;
            let required = dialect.columns.iter().filter(|column| column.required).count();
            let missing = required - found;
            (missing <= 2 && found >= 3).then_some((missing, line, column))
        })
        .min_by_key(|&(missing, ..)| missing)
        .map(|(_, line, column)| Error::MissingColumn { line, column: column.to_owned() })
}

/// What the content looks like, and what is accepted. Nothing of the content itself is repeated.
fn hint(head: &str) -> String {
    let start = head.trim_start();
    let looks = if start.starts_with('<') {
        "it looks like XML"
    } else if start.starts_with(['{', '[']) {
        "it looks like JSON"
    } else if start.lines().take(20).filter(|line| line.contains([',', ';', '\t'])).count() >= 2 {
        "it looks like a table, but its header belongs to no broker that we know"
    } else {
        "it looks like plain text"
    };
    let accepted: Vec<&str> = FORMATS.iter().map(|format| format.info.title).collect();
    format!("{looks}; accepted are {}", accepted.join("; "))
}

/// Lower case, without quotes, without blanks around commas and colons, blanks single.
fn plain(head: &str) -> String {
    let mut plain = String::with_capacity(head.len());
    for character in head.chars().filter(|&character| character != '"') {
        let separator = matches!(character, ',' | ':');
        if separator {
            while plain.ends_with(' ') {
                plain.pop();
            }
        }
        match character {
            '\n' | '\r' => plain.push('\n'),
            blank if blank.is_whitespace() => {
                if !plain.ends_with([' ', ',', ':', '\n']) {
                    plain.push(' ');
                }
            }
            other => plain.extend(other.to_lowercase()),
        }
    }
    plain
}
