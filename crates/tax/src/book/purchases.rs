//! Purchases of the last 30 days that a loss can still take, in order of acquisition.

use std::collections::VecDeque;

use super::lot::{Lot, NONE};

#[derive(Debug, Clone, Copy)]
struct Entry {
    lot: u32,
    /// Its day, so that forgetting it looks no lot up.
    acquired: i32,
    /// No entry before this one, counted from the start of the book, has anything left.
    next: u64,
}

/// A queue by acquisition. Entries that are used up are passed over, and the way past them is
/// shortened each time, so that looking for replacements costs next to nothing per match.
#[derive(Debug, Clone, Default)]
pub(super) struct Purchases {
    entries: VecDeque<Entry>,
    /// Number of entries that have left at the front.
    gone: u64,
}

fn is_used_up(lot: u32, lots: &[Lot]) -> bool {
    lots[lot as usize].rest == NONE
}

impl Purchases {
    /// Adds the latest purchase.
    pub fn push(&mut self, lot: u32, acquired: i32) {
        let next = self.gone + self.entries.len() as u64 + 1;
        self.entries.push_back(Entry { lot, acquired, next });
    }

    /// Adds a lot at its place by acquisition.
    pub fn insert(&mut self, lot: u32, lots: &[Lot]) {
        let key = lots[lot as usize].key();
        let place = self.entries.partition_point(|entry| lots[entry.lot as usize].key() <= key);
        self.entries.insert(place, Entry { lot, acquired: lots[lot as usize].acquired, next: 0 });
        self.reset_next();
    }

    /// Adds another queue, whose lots have got `offset` as their new start.
    pub fn merge(&mut self, other: &Self, offset: u32, lots: &[Lot]) {
        self.entries.extend(other.entries.iter().map(|entry| Entry { lot: entry.lot + offset, next: 0, ..*entry }));
        self.entries.make_contiguous().sort_by_key(|entry| lots[entry.lot as usize].key());
        self.reset_next();
    }

    fn reset_next(&mut self) {
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.next = self.gone + place as u64 + 1;
        }
    }

    /// Drops what was acquired before `day`.
    pub fn forget_before(&mut self, day: i32) {
        while self.entries.front().is_some_and(|front| front.acquired < day) {
            self.entries.pop_front();
            self.gone += 1;
        }
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.gone = 0;
    }

    /// Place of the first entry.
    pub fn start(&self) -> u64 {
        self.gone
    }

    /// Place of the first entry acquired no earlier than `key`.
    pub fn start_at(&self, key: (i32, u32), lots: &[Lot]) -> u64 {
        self.gone + self.entries.partition_point(|entry| lots[entry.lot as usize].key() < key) as u64
    }

    /// The first lot with something left from `place` on, and the place after it.
    pub fn next_from(&mut self, place: u64, lots: &[Lot]) -> Option<(u32, u64)> {
        let mut at = place;
        loop {
            let entry = self.entries.get((at - self.gone) as usize)?;
            if !is_used_up(entry.lot, lots) {
                break;
            }
            at = entry.next;
        }
        // Everything passed over leads here directly from now on.
        let mut passed = place;
        while passed < at {
            let entry = &mut self.entries[(passed - self.gone) as usize];
            passed = std::mem::replace(&mut entry.next, at);
        }
        Some((self.entries[(at - self.gone) as usize].lot, at + 1))
    }

    /// Lots with something left, in order, without shortening any way.
    pub fn lots<'a>(&'a self, lots: &'a [Lot]) -> impl Iterator<Item = u32> + 'a {
        self.entries.iter().map(|entry| entry.lot).filter(|lot| !is_used_up(*lot, lots))
    }
}
