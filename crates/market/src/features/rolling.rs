//! Sliding statistics that cost the same per value whatever the width of the window.

/// Mean and sum of squared deviations of a window of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sum of squared deviations from the mean.
    pub squares: f64,
}

/// Running sums of a stretch of values, taken about one of them.
///
/// The reference is a member of the stretch, so it lies within √count deviations of the mean and the
/// subtraction in [`Sums::moments`] costs a few digits at most, at any level of the values.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    reference: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn about(reference: f64) -> Self {
        Self { reference, sum: 0.0, squares: 0.0 }
    }

    fn add(&mut self, value: f64) {
        let offset = value - self.reference;
        self.sum += offset;
        self.squares += offset * offset;
    }

    /// Mean and deviations of the `1 / inverse` values added.
    fn moments(self, inverse: f64) -> Moments {
        let mean = self.sum * inverse;
        Moments { mean: self.reference + mean, squares: (self.squares - self.sum * mean).max(0.0) }
    }
}

/// Calls `visit(at, moments)` for every position whose last `width` values are all there.
///
/// The values are cut into blocks of `width`; a window is the tail of one block and the head of the
/// next, so it is joined from two running statistics and nothing is ever taken out again. That
/// makes it linear in the values, free of drift, and equal on every prefix of the values. Joining
/// follows Chan, Golub and LeVeque (1983); equal values have an exact zero deviation.
pub fn sliding_moments(values: &[f64], width: usize, mut visit: impl FnMut(usize, Moments)) {
    assert!(width > 0, "Invariant: a window holds a value");
    let whole = width as f64;
    let inverse: Vec<f64> = (1..=width).map(|count| 1.0 / count as f64).collect();
    let mut tails = vec![Moments { mean: 0.0, squares: 0.0 }; width];
    for (block, chunk) in values.chunks(width).enumerate() {
        let mut head = Sums::about(chunk[0]);
        for (offset, &value) in chunk.iter().enumerate() {
            head.add(value);
            let at = block * width + offset;
            let found = head.moments(inverse[offset]);
            if offset + 1 == width {
                visit(at, found);
            } else if block > 0 {
                let tail = tails[offset + 1];
                let (delta, part) = (found.mean - tail.mean, (offset + 1) as f64 * inverse[width - 1]);
                let mean = tail.mean + delta * part;
                let squares = tail.squares + found.squares + delta * delta * (part * (whole - (offset + 1) as f64));
                visit(at, Moments { mean, squares });
            }
        }
        if chunk.len() == width {
            let mut tail = Sums::about(chunk[width - 1]);
            for (offset, &value) in chunk.iter().enumerate().rev() {
                tail.add(value);
                tails[offset] = tail.moments(inverse[width - 1 - offset]);
            }
        }
    }
}

/// Calls `visit(at, mean)` for every position whose last `width` values are all there; built like
/// [`sliding_moments`].
pub fn sliding_means(values: &[f64], width: usize, mut visit: impl FnMut(usize, f64)) {
    assert!(width > 0, "Invariant: a window holds a value");
    let inverse = 1.0 / width as f64;
    let mut tails = vec![0.0; width + 1];
    for (block, chunk) in values.chunks(width).enumerate() {
        let mut head = 0.0;
        for (offset, &value) in chunk.iter().enumerate() {
            head += value;
            if block > 0 || offset + 1 == width {
                let tail = if offset + 1 == width { 0.0 } else { tails[offset + 1] };
                visit(block * width + offset, (tail + head) * inverse);
            }
        }
        if chunk.len() == width {
            tails[width] = 0.0;
            for (offset, &value) in chunk.iter().enumerate().rev() {
                tails[offset] = tails[offset + 1] + value;
            }
        }
    }
}

/// Number, mean and deviations of some values; `None` of none.
#[must_use]
pub fn moments(values: impl IntoIterator<Item = f64>) -> Option<(f64, Moments)> {
    let mut values = values.into_iter();
    let mut sums = Sums::about(values.next()?);
    let mut count = 1.0;
    for value in values {
        sums.add(value);
        count += 1.0;
    }
    Some((count, sums.moments(1.0 / count)))
}

/// A sorted window: inserts, removals and quantiles of a few hundred values, none of them NaN.
///
/// A flat array beats a tree at this size: finding is a binary search and moving is one `memmove`.
/// It holds integer keys in the order of the values, since those compare faster.
#[derive(Debug, Clone, Default)]
pub struct SortedWindow<T: Ranked> {
    sorted: Vec<T::Key>,
}

/// A float that can stand in a [`SortedWindow`].
pub trait Ranked: Copy {
    /// An integer that rises with the float.
    type Key: Ord + Copy;

    /// The integer of a float.
    fn key(self) -> Self::Key;

    /// The float of an integer.
    fn value(key: Self::Key) -> f64;
}

impl Ranked for f32 {
    type Key = i32;

    fn key(self) -> i32 {
        let bits = self.to_bits().cast_signed();
        bits ^ ((bits >> 31) & i32::MAX)
    }

    fn value(key: i32) -> f64 {
        f64::from(Self::from_bits((key ^ ((key >> 31) & i32::MAX)).cast_unsigned()))
    }
}

impl Ranked for f64 {
    type Key = i64;

    fn key(self) -> i64 {
        let bits = self.to_bits().cast_signed();
        bits ^ ((bits >> 63) & i64::MAX)
    }

    fn value(key: i64) -> f64 {
        Self::from_bits((key ^ ((key >> 63) & i64::MAX)).cast_unsigned())
    }
}

impl<T: Ranked> SortedWindow<T> {
    /// An empty window with room for `width` values.
    #[must_use]
    pub fn with_capacity(width: usize) -> Self {
        Self { sorted: Vec::with_capacity(width + 1) }
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Adds a value.
    pub fn insert(&mut self, value: T) {
        let key = value.key();
        self.sorted.insert(self.rank(key), key);
    }

    /// Removes a value that is there.
    pub fn remove(&mut self, value: T) {
        let at = self.rank(value.key());
        if at < self.sorted.len() {
            self.sorted.remove(at);
        }
    }

    /// Removes `old`, which is there, and adds `new`.
    pub fn replace(&mut self, old: T, new: T) {
        let key = new.key();
        let from = self.rank(old.key());
        let to = self.rank(key);
        if from == self.sorted.len() {
            self.sorted.insert(to, key);
        } else if to > from {
            self.sorted.copy_within(from + 1..to, from);
            self.sorted[to - 1] = key;
        } else {
            self.sorted.copy_within(to..from, to + 1);
            self.sorted[to] = key;
        }
    }

    /// The `fraction` quantile, interpolated between neighbours (type 7 of Hyndman and Fan 1996);
    /// `None` of an empty window.
    #[must_use]
    pub fn quantile(&self, fraction: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let place = fraction * last as f64;
        // A conversion to an integer cuts off towards zero, which is down.
        let below = (place as usize).min(last);
        let low = T::value(self.sorted[below]);
        let high = T::value(self.sorted[(below + 1).min(last)]);
        Some(low + (high - low) * (place - below as f64))
    }

    /// How many values stand before `key`.
    fn rank(&self, key: T::Key) -> usize {
        self.sorted.partition_point(|&other| other < key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn two_pass(window: &[f64]) -> Moments {
        let mean = window.iter().sum::<f64>() / window.len() as f64;
        Moments { mean, squares: window.iter().map(|value| (value - mean) * (value - mean)).sum() }
    }

    proptest! {
        #[test]
        fn sliding_statistics_equal_those_of_each_window(
            values in prop::collection::vec(-1e3_f64..1e3, 0..120),
            level in prop::sample::select(vec![0.0, 1e6, 1e9]),
            width in 1_usize..30,
        ) {
            let values: Vec<f64> = values.iter().map(|value| value + level).collect();
            let mut seen = 0;
            sliding_moments(&values, width, |at, got| {
                let expected = two_pass(&values[at + 1 - width..=at]);
                assert!((got.mean - expected.mean).abs() <= 1e-12 * (1.0 + level + 1e3));
                assert!((got.squares - expected.squares).abs() <= 1e-9 * (1.0 + expected.squares) + level * 1e-9);
                seen += 1;
            });
            prop_assert_eq!(seen, (values.len() + 1).saturating_sub(width));
            sliding_means(&values, width, |at, got| {
                let expected = two_pass(&values[at + 1 - width..=at]).mean;
                assert!((got - expected).abs() <= 1e-11 * (1.0 + level + 1e3));
                seen -= 1;
            });
            prop_assert_eq!(seen, 0);
        }

        #[test]
        fn a_sorted_window_holds_the_last_values(values in prop::collection::vec(-9_i8..9, 1..80), width in 1_usize..20) {
            let values: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
            let mut window = SortedWindow::with_capacity(width);
            for (at, &value) in values.iter().enumerate() {
                if at >= width { window.replace(values[at - width], value) } else { window.insert(value) }
                let mut expected = values[(at + 1).saturating_sub(width)..=at].to_vec();
                expected.sort_by(f64::total_cmp);
                let held: Vec<f64> = window.sorted.iter().map(|&key| f64::value(key)).collect();
                prop_assert_eq!(held, expected);
            }
        }
    }

    #[test]
    fn equal_values_have_an_exact_zero_spread_at_any_level() {
        for level in [0.1, 1e-9, 123_456_789.123] {
            sliding_moments(&[level; 50], 7, |_, got| assert_eq!(got, Moments { mean: level, squares: 0.0 }));
        }
    }

    #[test]
    fn keys_rise_with_their_values() {
        let values = [f64::NEG_INFINITY, -1e30, -2.0, -1e-300, -0.0, 0.0, 1e-300, 2.0, 1e30, f64::INFINITY];
        assert!(values.map(f64::key).is_sorted());
        assert!(values.map(|value| (value as f32).key()).is_sorted());
        assert!(values.iter().all(|&value| f64::value(value.key()) == value));
        assert!(values.iter().all(|&value| f32::value((value as f32).key()) == f64::from(value as f32)));
    }

    #[test]
    fn quantiles_interpolate() {
        let mut window = SortedWindow::with_capacity(4);
        assert_eq!(window.quantile(0.5), None);
        for value in [4.0, 1.0, 3.0, 2.0_f64] {
            window.insert(value);
        }
        assert_eq!(window.quantile(0.5), Some(2.5));
        assert_eq!(window.quantile(0.25), Some(1.75));
        assert_eq!(window.quantile(1.0), Some(4.0));
        window.remove(4.0);
        assert_eq!((window.len(), window.quantile(1.0)), (3, Some(3.0)));
    }
}
