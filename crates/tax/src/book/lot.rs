//! Lots inside the book, and the segments that a partial wash sale cuts them into.
//!
//! Both live in the arenas of a [`super::group::Group`] and name each other by position there.

use lotwise_core::{Date, Money, Shares};

use crate::model::BasisSource;

/// No lot, segment, position or row.
pub(super) const NONE: u32 = u32::MAX;
/// A segment that is in no rank, or that cannot be told by 64 bits and is ranked anew at each change.
pub(super) const UNRANKED: i64 = i64::MIN;
/// A date that is not known; it sorts before every other.
pub(super) const UNKNOWN_DAY: i32 = i32::MIN;

/// A stored day as a date.
pub(super) fn date_of(day: i32) -> Option<Date> {
    Date::from_days(day)
}

/// A date as a stored day.
pub(super) fn day_of(date: Option<Date>) -> i32 {
    date.map_or(UNKNOWN_DAY, Date::days)
}

/// The basis and holding period for a loss on a gift, where they differ (tax rule 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ForLoss {
    pub basis: Money,
    pub holding_from: i32,
}

/// What a segment is worth to the tax rules, apart from its place (tax rule 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub shares: Shares,
    /// Meaningless while `known` is false.
    pub basis: Money,
    /// Part of the basis that came from washed losses.
    pub deferred: Money,
    pub holding_from: i32,
    /// Whether the basis is known.
    pub known: bool,
    /// Whether the shares have absorbed a loss.
    pub washed: bool,
    /// Whether another basis counts for a loss; it is in the group's side table.
    pub gift: bool,
}

impl Piece {
    /// Cuts `shares` off, with their part of the basis; the rest keeps what remains, so that the
    /// parts sum to the whole. `shares` lie between one billionth and the whole.
    pub fn cut(&mut self, shares: Shares) -> Self {
        let cut = Self {
            shares,
            basis: part(self.basis, shares, self.shares),
            deferred: part(self.deferred, shares, self.shares),
            ..*self
        };
        self.shares -= shares;
        self.basis -= cut.basis;
        self.deferred -= cut.deferred;
        cut
    }

    pub fn known_basis(&self) -> Option<Money> {
        self.known.then_some(self.basis)
    }
}

/// The part of an amount that belongs to `shares` of `whole`, which is no fewer.
pub(super) fn part(amount: Money, shares: Shares, whole: Shares) -> Money {
    if amount.is_zero() || shares == whole {
        return amount;
    }
    amount.portion(shares, whole).expect("Invariant: a part of a whole is no larger than the whole")
}

/// A [`Piece`] on the book.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub piece: Piece,
    /// The lot that it belongs to.
    pub lot: u32,
    /// Neighbours among the matched segments of the lot.
    pub next: u32,
    pub previous: u32,
    /// Place in the order in which the lot's segments leave; the unmatched rest comes last.
    pub ordinal: u32,
    /// Changes whenever the segment's place in the ranks does, so that outdated ones are recognised.
    pub version: u32,
    /// Basis per share in billionths as it was ranked last; [`UNRANKED`] when it was not.
    pub ranked: i64,
}

/// One acquisition as far as one account holds it: matched segments, then the rest (tax rule 4.5).
#[derive(Debug, Clone, Copy)]
pub(super) struct Lot {
    /// The acquisition; parts in several accounts share it.
    pub name: u32,
    /// Where it is held.
    pub position: u32,
    /// Actual acquisition day.
    pub acquired: i32,
    /// Place of the acquisition in the order of events.
    pub sequence: u32,
    /// First and last of the segments that have absorbed a loss, in the order they were matched.
    pub first: u32,
    pub last: u32,
    /// The segment of shares that have absorbed none.
    pub rest: u32,
    pub source: BasisSource,
    /// Whether a purchase made it; only purchases replace.
    pub purchase: bool,
}

impl Lot {
    /// Place among the lots of its position: by acquisition, unknown days first.
    pub fn key(&self) -> (i32, u32) {
        (self.acquired, self.sequence)
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.first == NONE && self.rest == NONE
    }
}
