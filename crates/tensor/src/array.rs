//! Numbers with a shape.

use std::fmt;
use std::sync::Arc;

use crate::Shape;

/// A contiguous row-major array of `f32`. Clones share the numbers until one of them is changed.
#[derive(Clone, PartialEq)]
pub struct Array {
    shape: Shape,
    data: Arc<Vec<f32>>,
}

impl Array {
    /// # Panics
    /// Unless there are as many numbers as the shape holds.
    #[must_use]
    pub fn new(shape: impl Into<Shape>, data: Vec<f32>) -> Self {
        let shape = shape.into();
        assert_eq!(shape.count(), data.len(), "shape {shape:?} does not hold {} numbers", data.len());
        Self { shape, data: Arc::new(data) }
    }

    /// Zeros.
    #[must_use]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, 0.0)
    }

    /// The same number everywhere.
    #[must_use]
    pub fn full(shape: impl Into<Shape>, value: f32) -> Self {
        let shape = shape.into();
        Self::new(shape, vec![value; shape.count()])
    }

    /// One number without dimensions.
    #[must_use]
    pub fn scalar(value: f32) -> Self {
        Self::new([], vec![value])
    }

    /// Made from a function of the position in memory.
    #[must_use]
    pub fn from_fn(shape: impl Into<Shape>, value: impl FnMut(usize) -> f32) -> Self {
        let shape = shape.into();
        Self::new(shape, (0..shape.count()).map(value).collect())
    }

    /// The sizes.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The numbers, the last dimension varying fastest.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The numbers for changing; copies them first where a clone shares them.
    pub fn data_mut(&mut self) -> &mut [f32] {
        let data: &mut Vec<f32> = Arc::make_mut(&mut self.data);
        data
    }

    /// The same numbers under another shape.
    ///
    /// # Panics
    /// Unless both shapes hold as many.
    #[must_use]
    pub fn reshaped(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        assert_eq!(shape.count(), self.data.len(), "{:?} cannot become {shape:?}", self.shape);
        Self { shape, data: Arc::clone(&self.data) }
    }

    /// The numbers themselves where nobody else shares them.
    pub(crate) fn into_unshared(self) -> Option<Vec<f32>> {
        Arc::try_unwrap(self.data).ok()
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        write!(formatter, "Array {:?} {:?}", self.shape, &self.data[..self.data.len().min(SHOWN)])?;
        if self.data.len() > SHOWN { formatter.write_str(" …") } else { Ok(()) }
    }
}
