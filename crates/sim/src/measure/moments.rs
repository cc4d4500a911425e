//! Moments of a sample, and the normal distribution.

/// Sample moments of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with `n - 1` below.
    pub std_dev: f64,
    /// Third standardised moment with `n` below; zero for a symmetric sample.
    pub skewness: f64,
    /// Fourth standardised moment with `n` below; three for a normal distribution.
    pub kurtosis: f64,
}

impl Moments {
    /// The moments of at least two finite values that are not all the same, else `None`.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < 2 || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let count = n as f64;
        let mean = values.iter().sum::<f64>() / count;
        let power = |order: i32| values.iter().map(|value| (value - mean).powi(order)).sum::<f64>() / count;
        let variance = power(2);
        // A constant series has no spread but that of rounding.
        let scale = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        if variance.sqrt() <= scale * 1e-14 {
            return None;
        }
        Some(Self {
            n,
            mean,
            std_dev: (variance * count / (count - 1.0)).sqrt(),
            skewness: power(3) / variance.powf(1.5),
            kurtosis: power(4) / (variance * variance),
        })
    }

    /// Mean over standard deviation: the Sharpe ratio per session of excess returns.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.mean / self.std_dev
    }
}

/// The normal distribution function.
#[must_use]
pub fn normal_cdf(value: f64) -> f64 {
    0.5 * libm::erfc(-value / std::f64::consts::SQRT_2)
}

/// Its inverse for a probability strictly between zero and one, else `None`.
///
/// Found by bisection and sharpened by Newton's method, so that the error is of the order of rounding.
#[must_use]
pub fn normal_quantile(probability: f64) -> Option<f64> {
    if !(probability > 0.0 && probability < 1.0) {
        return None;
    }
    let (mut low, mut high) = (-40.0_f64, 40.0_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut value = 0.5 * (low + high);
    for _ in 0..3 {
        let density = (-0.5 * value * value).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if density < f64::MIN_POSITIVE {
            break;
        }
        let step = (normal_cdf(value) - probability) / density;
        if step.abs() > 1e-6 {
            break;
        }
        value -= step;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_small_sample_are_those_computed_by_hand() {
        let moments = Moments::of(&[1.0, 2.0, 3.0, 6.0]).unwrap();
        assert_eq!((moments.n, moments.mean), (4, 3.0));
        assert!((moments.std_dev - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        // Central moments 3.5, 4.5 and 24.5.
        assert!((moments.skewness - 4.5 / 3.5_f64.powf(1.5)).abs() < 1e-14);
        assert!((moments.kurtosis - 24.5 / 12.25).abs() < 1e-14);
    }

    #[test]
    fn too_little_or_constant_data_has_no_moments() {
        for values in [&[][..], &[1.0], &[0.1, 0.1, 0.1], &[1.0, f64::NAN], &[1.0, f64::INFINITY]] {
            assert_eq!(Moments::of(values), None, "{values:?}");
        }
    }

    #[test]
    fn the_quantile_inverts_the_distribution() {
        assert!((normal_cdf(1.959_963_984_540_054) - 0.975).abs() < 1e-15);
        for probability in [1e-12, 1e-4, 0.025, 0.3, 0.5, 0.9, 0.999_999] {
            let value = normal_quantile(probability).unwrap();
            assert!((normal_cdf(value) / probability - 1.0).abs() < 1e-12, "{probability}");
        }
        for probability in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(normal_quantile(probability), None);
        }
    }
}
