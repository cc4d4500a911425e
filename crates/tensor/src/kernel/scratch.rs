//! Work space that a thread keeps, so that hot loops neither allocate nor touch fresh pages.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Numbers in a cache line; work space starts on one.
pub(crate) const LINE: usize = 16;

thread_local! {
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Numbers with unspecified content, given back to the thread when dropped.
pub(crate) struct Scratch {
    buffer: Vec<f32>,
    start: usize,
    length: usize,
}

/// Lends work space of this length.
pub(crate) fn take(length: usize) -> Scratch {
    let mut buffer = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < length + LINE {
        buffer.resize(length + LINE, 0.0);
    }
    let start = buffer.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let mut scratch = Scratch { buffer, start, length };
    if cfg!(debug_assertions) {
        // Whoever reads before writing shall notice.
        scratch.fill(f32::NAN);
    }
    scratch
}

/// Cuts a buffer into pieces of the given lengths.
pub(crate) fn split<const K: usize>(mut buffer: &mut [f32], lengths: [usize; K]) -> [&mut [f32]; K] {
    lengths.map(|length| {
        let (piece, rest) = std::mem::take(&mut buffer).split_at_mut(length);
        buffer = rest;
        piece
    })
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.buffer[self.start..self.start + self.length]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[self.start..self.start + self.length]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        // A thread that ends has no use for it any more.
        let _ = SPARE.try_with(|spare| spare.borrow_mut().push(buffer));
    }
}
