//! Segments of a position by basis per share, kept up to date as they change.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use lotwise_core::Price;

use super::lot::{Lot, NONE, Piece, Segment, UNRANKED};

/// Which end leaves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Highest,
    Lowest,
}

/// The place of a segment as it was at one version. Greater ones leave first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ranked<R> {
    rank: R,
    acquired: i32,
    sequence: u32,
    ordinal: u32,
    segment: u32,
    version: u32,
}

impl<R: Copy> Ranked<R> {
    fn new(rank: R, id: u32, segment: &Segment, lot: &Lot) -> Self {
        let Lot { acquired, sequence, .. } = *lot;
        Self { rank, acquired, sequence, ordinal: segment.ordinal, segment: id, version: segment.version }
    }

    fn is_current(&self, segments: &[Segment]) -> bool {
        let segment = &segments[self.segment as usize];
        segment.lot != NONE && segment.version == self.version
    }

    fn key(&self) -> (i32, u32, u32, u32) {
        (self.acquired, self.sequence, self.ordinal, self.segment)
    }
}

impl<R: Copy + Ord> Ord for Ranked<R> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| other.key().cmp(&self.key()))
    }
}

impl<R: Copy + Ord> PartialOrd for Ranked<R> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// So many are kept in order at most.
const MOST_NEAR: usize = 128;
/// So many are put in order at once.
const TAKEN_OVER: usize = 32;

/// A queue whose outdated entries are passed over.
///
/// What leaves next is short and in order, everything else a heap: a washed loss makes its
/// replacement about as dear as what was sold, so that most changes happen among the next to leave.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    end: End,
    /// The next to leave, the first of them at the end; none is below one of `far`.
    near: Vec<Ranked<i64>>,
    far: BinaryHeap<Ranked<i64>>,
    /// Those whose basis per share is unknown or too large for 64 bits.
    wide: BinaryHeap<Ranked<i128>>,
    /// Whether the one that [`Ranks::next`] returned is among those.
    wide_is_next: bool,
}

impl Default for Ranks {
    fn default() -> Self {
        Self::new(End::Highest)
    }
}

impl Ranks {
    pub fn new(end: End) -> Self {
        Self { end, near: Vec::new(), far: BinaryHeap::new(), wide: BinaryHeap::new(), wide_is_next: false }
    }

    /// Begins anew with one end, in the room that there is.
    pub fn start(&mut self, end: End, n_segments: usize) {
        self.clear();
        self.end = end;
        self.far.reserve(n_segments);
    }

    /// Forgets everything and keeps the room.
    pub fn clear(&mut self) {
        self.near.clear();
        self.far.clear();
        self.wide.clear();
    }

    pub fn push(&mut self, id: u32, segment: &Segment, lot: &Lot) {
        let price = match (segment.ranked, self.end) {
            (UNRANKED, end) => {
                self.wide.push(Ranked::new(rank(&segment.piece, end), id, segment, lot));
                return;
            }
            (price, End::Highest) => price,
            (price, End::Lowest) => -price,
        };
        let entry = Ranked::new(price, id, segment, lot);
        if self.near.first().is_none_or(|least| entry < *least) {
            self.far.push(entry);
            return;
        }
        // Most of them leave next or soon.
        let place = self.near.iter().rposition(|one| *one < entry).map_or(0, |below| below + 1);
        self.near.insert(place, entry);
        if self.near.len() > MOST_NEAR {
            self.far.extend(self.near.drain(..MOST_NEAR / 2));
        }
    }

    /// The segment that leaves next.
    pub fn next(&mut self, segments: &[Segment]) -> Option<u32> {
        let near = loop {
            match self.near.last() {
                Some(top) if top.is_current(segments) => break Some(top),
                Some(_) => {
                    self.near.pop();
                }
                None if self.far.is_empty() => break None,
                None => self.take_over(segments),
            }
        };
        while self.wide.peek().is_some_and(|top| !top.is_current(segments)) {
            self.wide.pop();
        }
        self.wide_is_next = match (near, self.wide.peek()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(near), Some(wide)) => {
                (i128::from(near.rank).cmp(&wide.rank)).then_with(|| wide.key().cmp(&near.key())).is_lt()
            }
        };
        if self.wide_is_next { self.wide.peek().map(|top| top.segment) } else { near.map(|top| top.segment) }
    }

    /// Puts the first of the heap in order.
    fn take_over(&mut self, segments: &[Segment]) {
        while self.near.len() < TAKEN_OVER
            && let Some(top) = self.far.pop()
        {
            if top.is_current(segments) {
                self.near.push(top);
            }
        }
        self.near.reverse();
    }

    /// Drops the one that [`Ranks::next`] has returned.
    pub fn pop(&mut self) {
        if self.wide_is_next {
            self.wide.pop();
        } else {
            self.near.pop();
        }
    }

    /// Drops what is outdated once it is more than half.
    pub fn refresh(&mut self, n_segments: usize, segments: &[Segment]) {
        if self.far.len() > 2 * n_segments + 64 {
            self.far.retain(|entry| entry.is_current(segments));
        }
        if self.wide.len() > 2 * n_segments + 64 {
            self.wide.retain(|entry| entry.is_current(segments));
        }
    }
}

/// Basis per share in billionths where 64 bits hold it.
pub(super) fn ranked(piece: &Piece) -> i64 {
    let per_share = piece.known_basis().and_then(|basis| basis.per_share(piece.shares));
    per_share.and_then(|price| i64::try_from(price.billionths()).ok()).unwrap_or(UNRANKED)
}

/// Whether `ranked` is still the basis per share, without dividing; false when only dividing tells.
pub(super) fn keeps_rank(piece: &Piece, ranked: i64) -> bool {
    if ranked == UNRANKED || !piece.known {
        return false;
    }
    let (basis, shares) = (piece.basis.billionths(), piece.shares.billionths());
    let Some((basis, shares)) = i64::try_from(basis).ok().zip(i64::try_from(shares).ok()) else { return false };
    let exact = i128::from(basis) * Price::from_whole(1).billionths();
    let off = exact - i128::from(ranked) * i128::from(shares);
    2 * off.unsigned_abs() < shares.unsigned_abs().into()
}

/// Basis per share in billionths, exact enough to rank by; unknown bases last.
pub(super) fn rank(piece: &Piece, end: End) -> i128 {
    let per_share = piece.known_basis().and_then(|basis| basis.per_share(piece.shares));
    match (per_share, end) {
        (None, _) => i128::MIN,
        (Some(price), End::Highest) => price.billionths(),
        (Some(price), End::Lowest) => -price.billionths(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BasisSource;
    use lotwise_core::{Money, Shares};
    use proptest::prelude::*;

    fn piece(shares: i64, basis: Option<i128>) -> Piece {
        Piece {
            shares: Shares::from_billionths(shares.into()),
            basis: Money::from_billionths(basis.unwrap_or(0)),
            deferred: Money::ZERO,
            holding_from: 0,
            known: basis.is_some(),
            washed: false,
            gift: false,
        }
    }

    fn segment(piece: Piece, version: u32) -> Segment {
        let (lot, ranked) = (0, ranked(&piece));
        Segment { piece, lot, next: NONE, previous: NONE, ordinal: NONE, version, ranked }
    }

    fn lot(sequence: u32) -> Lot {
        Lot {
            name: 0,
            position: 0,
            acquired: 0,
            sequence,
            first: NONE,
            last: NONE,
            rest: NONE,
            source: BasisSource::Purchase,
            purchase: true,
        }
    }

    /// What is done to the segments of a position.
    #[derive(Debug, Clone)]
    enum Step {
        /// Shares and basis of a new segment.
        Add(i64, Option<i128>),
        /// Another basis for one of them.
        Change(usize, i128),
        /// So many leave.
        Leave(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        // Few bases, so that many are equal; some beyond 64 bits per share, some unknown.
        let basis = prop_oneof![
            6 => (0_i128..40).prop_map(|basis| Some(basis * 1_000_000_000)),
            1 => Just(Some(1_i128 << 70)),
            1 => Just(None),
        ];
        let shares = prop_oneof![Just(1_i64), Just(1_000_000_000), Just(3_000_000_000)];
        let step = prop_oneof![
            6 => (shares, basis).prop_map(|(shares, basis)| Step::Add(shares, basis)),
            3 => (any::<usize>(), 0_i128..40_000_000_000).prop_map(|(which, basis)| Step::Change(which, basis)),
            1 => (1_usize..20).prop_map(Step::Leave),
        ];
        prop::collection::vec(step, 0..1500)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn segments_leave_in_the_order_of_a_full_sort(steps in steps(), highest in any::<bool>()) {
            let end = if highest { End::Highest } else { End::Lowest };
            let (mut ranks, mut segments) = (Ranks::new(end), Vec::<Segment>::new());
            let mut held: Vec<u32> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Add(shares, basis) => {
                        held.push(segments.len() as u32);
                        segments.push(segment(piece(shares, basis), number as u32));
                    }
                    Step::Change(_, _) if held.is_empty() => continue,
                    Step::Change(which, basis) => {
                        let id = held[which % held.len()];
                        let changed = Piece { basis: Money::from_billionths(basis), known: true, ..segments[id as usize].piece };
                        if keeps_rank(&changed, segments[id as usize].ranked) {
                            prop_assert_eq!(ranked(&changed), segments[id as usize].ranked);
                        }
                        segments[id as usize] = segment(changed, number as u32);
                        ranks.push(id, &segments[id as usize], &lot(id));
                        continue;
                    }
                    Step::Leave(many) => {
                        ranks.refresh(held.len(), &segments);
                        for _ in 0..many {
                            // Later lots are worth less where the rank is equal.
                            let key = |id: &u32| (rank(&segments[*id as usize].piece, end), std::cmp::Reverse(*id));
                            let expected = held.iter().copied().max_by_key(key);
                            prop_assert_eq!(ranks.next(&segments), expected);
                            let Some(id) = expected else { break };
                            ranks.pop();
                            held.retain(|one| *one != id);
                            segments[id as usize].lot = NONE;
                        }
                        continue;
                    }
                }
                let id = segments.len() as u32 - 1;
                ranks.push(id, &segments[id as usize], &lot(id));
            }
        }
    }
}
