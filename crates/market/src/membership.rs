//! Which companies were in an index on which day.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lotwise_core::{Date, Symbol};

use crate::Error;
use crate::table::Table;

/// A time in the index: from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spell {
    /// First day as a member.
    pub start: Date,
    /// First day as no longer a member; `None` for members to this day.
    pub end: Option<Date>,
}

impl Spell {
    /// Whether the day lies in it.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.start <= date && self.end.is_none_or(|end| date < end)
    }
}

/// The members of an index through time, so that a universe can be drawn from the members of the
/// day and not from the survivors (SPEC D-08).
#[derive(Debug, Clone, Default)]
pub struct Membership {
    spells: BTreeMap<Symbol, Vec<Spell>>,
    skipped_rows: usize,
}

impl Membership {
    /// Reads a table with the columns `ticker`, `start_date` and `end_date` (empty: still a member).
    ///
    /// # Errors
    /// When the file cannot be read, lacks a column or has a cell that is no date.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let table = Table::open(path)?;
        let (tickers, starts, ends) =
            (table.column_str("ticker")?, table.column_date("start_date")?, table.column_date("end_date")?);
        let mut membership = Self::default();
        for (ticker, (start, end)) in tickers.iter().zip(starts.into_iter().zip(ends)) {
            match (ticker.and_then(|text| Symbol::parse(text).ok()), start) {
                (Some(symbol), Some(start)) if end.is_none_or(|end| end > start) => {
                    membership.spells.entry(symbol).or_default().push(Spell { start, end });
                }
                _ => membership.skipped_rows += 1,
            }
        }
        for spells in membership.spells.values_mut() {
            spells.sort_unstable();
        }
        Ok(membership)
    }

    /// Members on a day, rising.
    #[must_use]
    pub fn members(&self, date: Date) -> BTreeSet<Symbol> {
        let on_that_day = |spells: &[Spell]| spells.iter().any(|spell| spell.contains(date));
        self.spells.iter().filter(|(_, spells)| on_that_day(spells)).map(|(symbol, _)| symbol.clone()).collect()
    }

    /// Whether a symbol was a member on a day.
    #[must_use]
    pub fn is_member(&self, symbol: &Symbol, date: Date) -> bool {
        self.spells(symbol).iter().any(|spell| spell.contains(date))
    }

    /// Times of a symbol in the index, rising.
    #[must_use]
    pub fn spells(&self, symbol: &Symbol) -> &[Spell] {
        self.spells.get(symbol).map_or(&[], Vec::as_slice)
    }

    /// Every symbol that was ever a member, rising.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.spells.keys()
    }

    /// Rows left out: no symbol, no start, or an end before the start.
    #[must_use]
    pub fn skipped_rows(&self) -> usize {
        self.skipped_rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_of_the_day() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index_membership.csv");
        let text = "ticker,start_date,end_date\nAAA,2000-06-05,\nBBB,1999-12-08,2017-06-19\nBBB,2019-01-02,\nCCC,2020-01-02,2019-01-02\n";
        std::fs::write(&path, text).unwrap();
        let membership = Membership::open(&path).unwrap();
        let members = |day: &str| {
            let names = membership.members(Date::parse(day).unwrap());
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(members("1999-12-07"), "");
        assert_eq!(members("2017-06-18"), "AAA BBB");
        assert_eq!(members("2017-06-19"), "AAA");
        assert_eq!(members("2024-01-02"), "AAA BBB");
        assert_eq!(membership.skipped_rows(), 1);
        assert!(membership.is_member(&Symbol::parse("BBB").unwrap(), Date::parse("2019-01-02").unwrap()));
    }
}
