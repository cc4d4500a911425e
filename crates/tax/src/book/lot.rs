//! Lots inside the book, and the segments that a partial wash sale cuts them into.

use lotwise_core::{Date, Money, Shares};

use crate::model::{BasisSource, LotId};

/// Place of a lot in its account: actual acquisition date, unknown ones first, then the order in
/// which the events came.
pub(super) type LotKey = (Option<Date>, u64);

/// Shares of one lot that have one basis and one holding period (tax rule 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub shares: Shares,
    pub basis: Option<Money>,
    pub holding_from: Option<Date>,
    /// Part of the basis that came from washed losses.
    pub deferred: Money,
    /// Whether the shares have absorbed a loss.
    pub washed: bool,
}

impl Segment {
    /// Cuts `shares` off, with their part of the basis; the rest keeps what remains, so that the
    /// parts sum to the whole. `shares` lie between one billionth and the whole.
    pub fn cut(&mut self, shares: Shares) -> Self {
        let part = |amount: Money| {
            amount.portion(shares, self.shares).expect("Invariant: a part of a segment is no larger than the segment")
        };
        let cut = Self {
            shares,
            basis: self.basis.map(part),
            holding_from: self.holding_from,
            deferred: part(self.deferred),
            washed: self.washed,
        };
        self.shares -= shares;
        self.basis = self.basis.zip(cut.basis).map(|(whole, part)| whole - part);
        self.deferred -= cut.deferred;
        cut
    }
}

/// One acquisition in one account: matched segments, then the rest (tax rule 4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lot {
    pub id: LotId,
    pub source: BasisSource,
    /// Whether a purchase made it; only purchases replace.
    pub purchase: bool,
    /// Segments that have absorbed a loss, in the order they were matched.
    pub matched: Vec<Segment>,
    /// Shares that have absorbed none.
    pub rest: Option<Segment>,
}

impl Lot {
    /// Segments in the order they leave.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> + Clone {
        self.matched.iter().chain(&self.rest)
    }

    /// Segments in the order they leave, to change.
    pub fn segments_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Segment> {
        self.matched.iter_mut().chain(&mut self.rest)
    }

    /// Shares held.
    pub fn shares(&self) -> Shares {
        self.segments().map(|segment| segment.shares).sum()
    }

    /// Shares that could absorb a loss.
    pub fn free(&self) -> Shares {
        match (&self.rest, self.purchase) {
            (Some(rest), true) => rest.shares,
            _ => Shares::ZERO,
        }
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.matched.is_empty() && self.rest.is_none()
    }

    /// Takes `shares` off the segment at `position` in leaving order.
    pub fn take_at(&mut self, position: usize, shares: Shares) -> Segment {
        if position < self.matched.len() {
            if self.matched[position].shares == shares {
                return self.matched.remove(position);
            }
            return self.matched[position].cut(shares);
        }
        let mut rest = self.rest.take().expect("Invariant: a segment that was selected is held");
        if rest.shares == shares {
            return rest;
        }
        let cut = rest.cut(shares);
        self.rest = Some(rest);
        cut
    }

    /// Marks `shares` of the rest as used by a loss and returns the new segment.
    pub fn match_free(&mut self, shares: Shares) -> &mut Segment {
        let mut cut = self.take_at(self.matched.len(), shares);
        cut.washed = true;
        self.matched.push(cut);
        self.matched.last_mut().expect("Invariant: it was just pushed")
    }
}
