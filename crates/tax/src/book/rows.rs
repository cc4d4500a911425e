//! What events come to, in indices: rows, the matches of washed losses, and notes.

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Shares};

use super::index::{AccountIdx, LotIdx, SaleIdx, SymbolIdx};
use super::lot::{NONE, Piece, date_of};
use crate::model::{BasisSource, RowKind, Term};

/// One sold segment: the compact form of [`crate::SaleRow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The order.
    pub sale: SaleIdx,
    /// Lot that the shares came from.
    pub lot: LotIdx,
    /// Account of the sale.
    pub account: AccountIdx,
    /// Security sold.
    pub symbol: SymbolIdx,
    /// How the row came about.
    pub kind: RowKind,
    /// Where the basis comes from.
    pub source: BasisSource,
    /// Term; `None` when the acquisition date is unknown.
    pub term: Option<Term>,
    pub(super) known: bool,
    pub(super) acquired: i32,
    pub(super) holding_from: i32,
    pub(super) sold: i32,
    pub(super) identified: i32,
    /// Shares sold.
    pub shares: Shares,
    /// Proceeds net of fees.
    pub proceeds: Money,
    pub(super) basis: Money,
    /// Loss disallowed so far, zero or positive.
    pub disallowed: Money,
    pub(super) first_match: u32,
    pub(super) last_match: u32,
}

impl Row {
    /// Adjusted basis; `None` is unknown.
    #[must_use]
    pub fn basis(&self) -> Option<Money> {
        self.known.then_some(self.basis)
    }

    /// Proceeds less basis, before the wash rule.
    #[must_use]
    pub fn gain(&self) -> Option<Money> {
        self.known.then(|| self.proceeds - self.basis)
    }

    /// Gain with the disallowed loss added back.
    #[must_use]
    pub fn reportable(&self) -> Option<Money> {
        self.known.then(|| self.proceeds - self.basis + self.disallowed)
    }

    /// Date that the row counts on.
    #[must_use]
    pub fn sold(&self) -> Date {
        date_of(self.sold).expect("Invariant: rows are made on real dates")
    }
}

/// A part of a loss that moved to a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The replacement.
    pub lot: LotIdx,
    /// Shares matched.
    pub shares: Shares,
    /// Loss that moved.
    pub disallowed: Money,
    /// Whether it is gone for good.
    pub permanent: bool,
    pub(super) next: u32,
}

/// Reportable results of a calendar year in taxable accounts, by term; rows whose basis or term is
/// not known are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Realised {
    /// Short-term.
    pub short: Money,
    /// Long-term.
    pub long: Money,
}

/// The sums of one year, and which days it has.
#[derive(Debug, Clone, Copy)]
struct YearSum {
    first: i32,
    last: i32,
    sum: Realised,
}

impl YearSum {
    fn holds(&self, day: i32) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// A [`crate::Note`] in indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawNote {
    pub day: i32,
    pub account: u32,
    pub symbol: u32,
    pub row: u32,
    pub kind: RawNoteKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawNoteKind {
    CallNearLoss { call: u32 },
    ShortWhileHolding,
    SaleNearShortLoss,
    PossibleStraddle,
    BasisNotExact,
}

/// Shares that left without a sale, as they were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone {
    pub account: u32,
    pub symbol: u32,
    pub name: u32,
    pub acquired: i32,
    pub source: BasisSource,
    pub piece: Piece,
}

/// Everything that events have come to. A what-if writes into an empty one that starts at the
/// book's number of rows, so that what happens to earlier rows is kept apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    pub base: u32,
    pub rows: Vec<Row>,
    /// Rows of a batch, which follow those once they are in order.
    pub pending: Vec<Row>,
    /// Whether new rows are those of a batch.
    pub batching: bool,
    pub matches: Vec<Match>,
    /// Matches of rows before `base`.
    pub late: Vec<(u32, Match)>,
    /// Rows of earlier events that the current event washed, in order, each match once.
    pub washed: Vec<u32>,
    pub permanent: Money,
    pub notes: Vec<RawNote>,
    /// Greatest possible basis of rows whose basis is not exact, where one is known.
    pub highest_basis: BTreeMap<u32, Money>,
    pub gone: Vec<Gone>,
    /// By date.
    years: Vec<YearSum>,
    /// Place of the year that was last counted.
    recent: usize,
}

impl Outcome {
    pub fn starting_at(base: u32) -> Self {
        Self { base, ..Self::default() }
    }

    /// Index that the next row will have.
    pub fn next_row(&self) -> u32 {
        self.base + (self.rows.len() + self.pending.len()) as u32
    }

    /// Adds a row.
    pub fn push(&mut self, row: Row) {
        if let Some(gain) = row.gain() {
            self.count(row.sold, row.term, gain);
        }
        if self.batching {
            self.pending.push(row);
        } else {
            self.rows.push(row);
        }
    }

    /// A row by its number, which is not below `base`.
    pub fn row(&self, number: u32) -> &Row {
        let place = (number - self.base) as usize;
        self.rows.get(place).unwrap_or_else(|| &self.pending[place - self.rows.len()])
    }

    /// The sums of the year of a date.
    pub fn realised(&self, date: Date) -> Realised {
        let day = date.days();
        let year = self.years.get(self.place_of_year(day)).filter(|year| year.holds(day));
        year.map_or(Realised::default(), |year| year.sum)
    }

    /// Place of the year of a day among the years, or where it would be.
    fn place_of_year(&self, day: i32) -> usize {
        self.years.partition_point(|year| year.last < day)
    }

    /// Place of the year of a day, which is made if it is new.
    fn year(&mut self, day: i32) -> usize {
        let place = self.place_of_year(day);
        if !self.years.get(place).is_some_and(|year| year.holds(day)) {
            let year = date_of(day).map_or(0, Date::year);
            let edge = |year: i32, month, date| Date::from_ymd(year, month, date).map_or(day, Date::days);
            let (first, last) = (edge(year, 1, 1), edge(year, 12, 31));
            self.years.insert(place, YearSum { first, last, sum: Realised::default() });
        }
        place
    }

    #[inline]
    fn count(&mut self, day: i32, term: Option<Term>, amount: Money) {
        let Some(term) = term else { return };
        if !self.years.get(self.recent).is_some_and(|year| year.holds(day)) {
            self.recent = self.year(day);
        }
        let place = self.recent;
        let sum = &mut self.years[place].sum;
        match term {
            Term::Short => sum.short += amount,
            Term::Long => sum.long += amount,
        }
    }

    pub fn add_match(&mut self, row: u32, lot: u32, shares: Shares, disallowed: Money, permanent: bool) {
        if permanent {
            self.permanent += disallowed;
        }
        let found = Match { lot: LotIdx(lot), shares, disallowed, permanent, next: NONE };
        let Some(row) = row.checked_sub(self.base) else {
            self.late.push((row, found));
            return;
        };
        let place = self.matches.len() as u32;
        self.matches.push(found);
        let n_rows = self.rows.len();
        let row = match self.rows.get_mut(row as usize) {
            Some(row) => row,
            None => &mut self.pending[row as usize - n_rows],
        };
        row.disallowed += disallowed;
        if row.last_match == NONE {
            row.first_match = place;
        } else {
            self.matches[row.last_match as usize].next = place;
        }
        row.last_match = place;
        let (sold, term, known) = (row.sold, row.term, row.known);
        if known {
            self.count(sold, term, disallowed);
        }
    }

    /// The matches of a row, in the order they were made.
    pub fn matches_of<'a>(&'a self, row: &Row) -> impl Iterator<Item = &'a Match> + 'a {
        let first = self.matches.get(row.first_match as usize);
        std::iter::successors(first, |found| self.matches.get(found.next as usize))
    }

    /// Forgets everything but which days the years have, for the next of many trials of one sale.
    pub fn clear_trial(&mut self) {
        // A few years, of which the last is that of the sale.
        let mut years = std::mem::take(&mut self.years);
        if years.len() > 4 {
            years.clear();
        }
        years.iter_mut().for_each(|year| year.sum = Realised::default());
        self.clear();
        self.years = years;
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.pending.clear();
        self.matches.clear();
        self.late.clear();
        self.washed.clear();
        self.permanent = Money::ZERO;
        self.notes.clear();
        self.highest_basis.clear();
        self.gone.clear();
        self.years.clear();
    }
}
