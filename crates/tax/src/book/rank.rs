//! Segments of a position by basis per share, kept up to date as they change.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::lot::{Lot, NONE, Piece, Segment, UNRANKED};

/// Which end leaves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Highest,
    Lowest,
}

/// The place of a segment as it was at one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ranked {
    /// Greater leaves first.
    rank: i128,
    acquired: i32,
    sequence: u32,
    ordinal: u32,
    pub segment: u32,
    pub version: u32,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| {
            let key = |one: &Self| (one.acquired, one.sequence, one.ordinal, one.segment);
            key(other).cmp(&key(self))
        })
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A heap whose outdated entries are passed over.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    end: End,
    heap: BinaryHeap<Ranked>,
}

impl Ranks {
    pub fn new(end: End, capacity: usize) -> Self {
        Self { end, heap: BinaryHeap::with_capacity(capacity) }
    }

    pub fn push(&mut self, id: u32, segment: &Segment, lot: &Lot) {
        self.heap.push(Ranked {
            rank: match (segment.ranked, self.end) {
                (UNRANKED, end) => rank(&segment.piece, end),
                (price, End::Highest) => i128::from(price),
                (price, End::Lowest) => -i128::from(price),
            },
            acquired: lot.acquired,
            sequence: lot.sequence,
            ordinal: segment.ordinal,
            segment: id,
            version: segment.version,
        });
    }

    /// The segment that leaves next.
    pub fn next(&mut self, segments: &[Segment]) -> Option<u32> {
        while let Some(top) = self.heap.peek() {
            let segment = &segments[top.segment as usize];
            if segment.lot != NONE && segment.version == top.version {
                return Some(top.segment);
            }
            self.heap.pop();
        }
        None
    }

    pub fn pop(&mut self) {
        self.heap.pop();
    }

    /// Whether so many entries are outdated that a fresh heap is cheaper.
    pub fn is_stale(&self, n_segments: usize) -> bool {
        self.heap.len() > 2 * n_segments + 64
    }
}

/// Basis per share in billionths where 64 bits hold it.
pub(super) fn ranked(piece: &Piece) -> i64 {
    let per_share = piece.known_basis().and_then(|basis| basis.per_share(piece.shares));
    per_share.and_then(|price| i64::try_from(price.billionths()).ok()).unwrap_or(UNRANKED)
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
