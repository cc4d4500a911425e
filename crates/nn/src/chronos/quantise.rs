//! Mean scaling and uniform bins: how Chronos-T5 turns numbers into tokens.

use super::sum::sum_present;

/// Uniform bins between two limits, and the tokens that stand for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// The lower end of each bin but the first.
    boundaries: Vec<f32>,
    tokens: usize,
    special: usize,
    missing: usize,
}

/// A window as tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens {
    /// One for each number.
    pub tokens: Vec<usize>,
    /// The mean size of what is there, by which everything was divided; 1 where nothing is, or only
    /// zeros are.
    pub scale: f32,
}

impl Bins {
    /// Bins around `tokens - special - 1` centres from `low` to `high`; `missing` is the token of what is
    /// not there.
    ///
    /// # Panics
    /// Unless there are two centres at least.
    #[must_use]
    pub fn new([low, high]: [f32; 2], tokens: usize, special: usize, missing: usize) -> Self {
        assert!(tokens > special + 2, "{tokens} tokens, {special} of them special, leave no bins");
        let centres = tokens - special - 1;
        let step = (high - low) / (centres - 1) as f32;
        // From both ends to the middle, each with one rounding: the reference's spacing, bit by bit.
        let centre = |i: usize| {
            if i < centres / 2 { step.mul_add(i as f32, low) } else { (-step).mul_add((centres - 1 - i) as f32, high) }
        };
        let middles = (1..centres).map(|i| (centre(i) + centre(i - 1)) / 2.0);
        let boundaries = std::iter::once(-1e20).chain(middles).chain([1e20]).collect();
        Self { boundaries, tokens, special, missing }
    }

    /// The tokens of a window; NaN is what is not there.
    #[must_use]
    pub fn tokens(&self, window: &[f32]) -> Tokens {
        let sizes: Vec<f32> = window.iter().map(|x| x.abs()).collect();
        let there = window.iter().filter(|x| !x.is_nan()).count();
        let mean = sum_present(&sizes) / there as f32;
        let scale = if mean > 0.0 { mean } else { 1.0 };
        let token = |&x: &f32| match x.is_nan() {
            true => self.missing,
            false => (self.boundaries.partition_point(|&end| end <= x / scale) + self.special).min(self.tokens - 1),
        };
        Tokens { tokens: window.iter().map(token).collect(), scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fall_into_the_bin_of_the_nearest_centre() {
        let bins = Bins::new([-15.0, 15.0], 4096, 2, 0);
        let Tokens { tokens, scale } = bins.tokens(&[1.0, f32::NAN, 3.0, -2.0, 2.0, 4000.0]);
        assert_eq!(scale, 801.6);
        assert_eq!(tokens[1], 0);
        // 0 is the centre of the middle bin: 2 + 1 + 2046.
        assert_eq!(tokens[0], 2049);
        assert_eq!(bins.tokens(&[1.0]).tokens, [2049 + 136]);
        assert_eq!(bins.tokens(&[0.0, f32::NAN]), Tokens { tokens: vec![2049, 0], scale: 1.0 });
        assert_eq!(bins.tokens(&[f32::NAN]), Tokens { tokens: vec![0], scale: 1.0 });
    }

    #[test]
    fn what_lies_beyond_the_limits_falls_into_the_outermost_bins() {
        let bins = Bins::new([-2.0, 2.0], 10, 2, 0);
        let mut window = vec![0.0; 200];
        (window[0], window[1]) = (5.0, -5.0);
        let tokens = bins.tokens(&window).tokens;
        assert_eq!((tokens[0], tokens[1], tokens[2]), (9, 3, 6));
    }
}
