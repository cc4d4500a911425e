//! Sizes of an array.

use std::fmt;
use std::ops::Deref;

/// Up to five sizes, the last varying fastest. A number alone has no sizes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    sizes: [usize; Self::MOST],
    rank: u8,
}

impl Shape {
    /// The most dimensions an array may have.
    pub const MOST: usize = 5;

    /// # Panics
    /// With more than five sizes.
    #[must_use]
    pub fn new(sizes: &[usize]) -> Self {
        assert!(sizes.len() <= Self::MOST, "{} dimensions, at most {} are supported", sizes.len(), Self::MOST);
        let mut all = [0; Self::MOST];
        all[..sizes.len()].copy_from_slice(sizes);
        Self { sizes: all, rank: sizes.len() as u8 }
    }

    /// How many numbers an array of this shape holds.
    #[must_use]
    pub fn count(&self) -> usize {
        self.iter().product()
    }

    /// The last size, 1 for a number alone.
    #[must_use]
    pub fn width(&self) -> usize {
        self.last().copied().unwrap_or(1)
    }

    /// The shape with one size replaced.
    pub(crate) fn with(mut self, axis: usize, size: usize) -> Self {
        assert!(axis < self.len(), "axis {axis} of {self:?}");
        self.sizes[axis] = size;
        self
    }

    /// The shape without one axis.
    pub(crate) fn without(self, axis: usize) -> Self {
        assert!(axis < self.len(), "axis {axis} of {self:?}");
        let kept: Vec<usize> = self.iter().enumerate().filter(|&(i, _)| i != axis).map(|(_, &size)| size).collect();
        Self::new(&kept)
    }

    /// Sizes before, at and after an axis, each multiplied together.
    pub(crate) fn around(&self, axis: usize) -> [usize; 3] {
        assert!(axis < self.len(), "axis {axis} of {self:?}");
        [self[..axis].iter().product(), self[axis], self[axis + 1..].iter().product()]
    }

    /// The shape that both stretch to: sizes are aligned at the end, and 1 stretches to anything.
    pub(crate) fn broadcast(self, other: Self) -> Self {
        let rank = self.len().max(other.len());
        let mut sizes = [1; Self::MOST];
        for (i, size) in sizes[..rank].iter_mut().enumerate() {
            *size = match (self.aligned(rank, i), other.aligned(rank, i)) {
                (a, b) if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => panic_broadcast(self, other),
            };
        }
        Self::new(&sizes[..rank])
    }

    /// Size `i` when seen with `rank` dimensions.
    fn aligned(&self, rank: usize, i: usize) -> usize {
        (i + self.len()).checked_sub(rank).map_or(1, |at| self[at])
    }

    /// How far to step in an array of this shape for each dimension of `whole`: 0 where it stretches.
    pub(crate) fn steps_within(&self, whole: Self) -> [usize; Self::MOST] {
        let mut steps = [0; Self::MOST];
        let mut step = 1;
        for i in (0..whole.len()).rev() {
            let size = self.aligned(whole.len(), i);
            if size > 1 {
                steps[i] = step;
            }
            step *= size;
        }
        steps
    }
}

#[allow(clippy::panic, reason = "the caller's sizes do not fit")]
fn panic_broadcast(a: Shape, b: Shape) -> ! {
    panic!("shapes {a:?} and {b:?} do not stretch to one")
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.sizes[..usize::from(self.rank)]
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<const K: usize> From<[usize; K]> for Shape {
    fn from(sizes: [usize; K]) -> Self {
        Self::new(&sizes)
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Self::new(sizes)
    }
}
