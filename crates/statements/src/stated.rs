//! What the detail of a row says beyond its columns: the facts that a person would else be asked for.
//!
//! Lotwise's own formats state them; brokers' exports do not have them.

use std::fmt;

use lotwise_core::{Date, Money, Rate, Symbol};

/// The word for what is not known.
const UNKNOWN: &str = "unknown";

/// What the detail of a row states. It reads and writes as text:
///
/// - `gift BASIS DATE VALUE` and `inherited VALUE DATE`, where `unknown` stands for what is not known;
/// - `from OLD PART`, the parent of a company spun off and the part of its basis that moves;
/// - `rename OLD>NEW`, `exchange OLD>NEW` and `exchange OLD>NEW worth VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated {
    /// A gift received (tax rule 2.5).
    Gift {
        /// The donor's total basis.
        basis: Option<Money>,
        /// When the donor acquired the shares.
        acquired: Option<Date>,
        /// Market value in total on the day of the gift.
        value: Option<Money>,
    },
    /// An inheritance (tax rule 2.6).
    Inherited {
        /// Market value in total on the day that counts.
        value: Option<Money>,
        /// Day of death.
        died: Option<Date>,
    },
    /// Shares of a company spun off (tax rule 2.4).
    SpinOff {
        /// The parent.
        from: Symbol,
        /// Part of the parent's basis that moves, 0 to 1.
        to_new: Option<Rate>,
    },
    /// Shares that became those of another security (tax rule 2.4).
    Exchange {
        /// What was given up.
        from: Symbol,
        /// What came instead.
        to: Symbol,
        /// Whether it is one security under another name.
        rename: bool,
        /// Market value of the new shares in total, which counts where cash came beside them.
        value: Option<Money>,
    },
}

impl Stated {
    /// Reads a detail; `None` where it states no such thing, or what it states cannot be read.
    #[must_use]
    pub fn of(detail: &str) -> Option<Self> {
        let (word, rest) = detail.trim().split_once(' ')?;
        let parts: Vec<&str> = rest.split_whitespace().collect();
        match (word, parts.as_slice()) {
            ("gift", [basis, acquired, value]) => Some(Self::Gift {
                basis: known(basis, money)?,
                acquired: known(acquired, date)?,
                value: known(value, money)?,
            }),
            ("inherited", [value]) => Some(Self::Inherited { value: known(value, money)?, died: None }),
            ("inherited", [value, died]) => {
                Some(Self::Inherited { value: known(value, money)?, died: known(died, date)? })
            }
            ("from", [.., part]) => {
                let from = rest.trim_end().strip_suffix(part)?;
                Some(Self::SpinOff { from: Symbol::parse(from).ok()?, to_new: known(part, part_of_basis)? })
            }
            ("rename" | "exchange", _) => {
                let (names, value) = match rest.rsplit_once(" worth ") {
                    Some((names, value)) => (names, known(value.trim(), money)?),
                    None => (rest, None),
                };
                let (from, to) = names.split_once('>')?;
                let (from, to) = (Symbol::parse(from).ok()?, Symbol::parse(to).ok()?);
                (from != to).then_some(Self::Exchange { from, to, rename: word == "rename", value })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Stated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gift { basis, acquired, value } => {
                write!(formatter, "gift {} {} {}", written(basis), written(acquired), written(value))
            }
            Self::Inherited { value, died } => write!(formatter, "inherited {} {}", written(value), written(died)),
            Self::SpinOff { from, to_new } => write!(formatter, "from {from} {}", written(to_new)),
            Self::Exchange { from, to, rename, value } => {
                write!(formatter, "{} {from}>{to}", if *rename { "rename" } else { "exchange" })?;
                value.map_or(Ok(()), |value| write!(formatter, " worth {value}"))
            }
        }
    }
}

/// `12.5%` or `0.125` as a part of the whole.
#[must_use]
pub fn part_of_basis(word: &str) -> Option<Rate> {
    let rate = match word.strip_suffix('%') {
        Some(percent) => Rate::from_billionths(Rate::parse(percent).ok()?.billionths() / 100),
        None => Rate::parse(word).ok()?,
    };
    (!rate.is_negative() && rate <= Rate::from_billionths(1_000_000_000)).then_some(rate)
}

fn written<T: fmt::Display>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| UNKNOWN.to_owned(), ToString::to_string)
}

/// What a word says, `Some(None)` for what is not known, `None` for what cannot be read.
fn known<T>(word: &str, parse: fn(&str) -> Option<T>) -> Option<Option<T>> {
    if word == UNKNOWN { Some(None) } else { parse(word).map(Some) }
}

fn money(word: &str) -> Option<Money> {
    Money::parse(word.trim_start_matches('$')).ok().filter(|amount| !amount.is_negative())
}

fn date(word: &str) -> Option<Date> {
    Date::parse(word).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_reads_back_and_other_words_state_nothing() {
        for text in [
            "gift 1000.50 2019-03-04 1200.00",
            "gift unknown unknown 1200.00",
            "inherited 900.00 2024-01-02",
            "inherited unknown unknown",
            "from ACRN 0.125",
            "from MY OLD COMPANY unknown",
            "rename ACRN>OAKS",
            "exchange ACRN>OAKS",
            "exchange MY CO>OAKS worth 4200.00",
        ] {
            assert_eq!(Stated::of(text).map(|stated| stated.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Stated::of("from ACRN 12.5%"), Stated::of("from ACRN 0.125"));
        for text in [
            "gift",
            "gift 1 2",
            "gift -1 2019-03-04 5",
            "gift 1 yesterday 5",
            "inherited",
            "inherited lots",
            "from ACRN 1.5",
            "from ACRN 120%",
            "from 0.5",
            "rename ACRN",
            "rename ACRN>ACRN",
            "exchange A>B worth much",
            "qualified",
            "name_change",
        ] {
            assert_eq!(Stated::of(text), None, "{text}");
        }
    }
}
