//! Rounded corners and their slopes.

use super::TwinTax;

/// How round the corners are; the exact step is the limit of all three.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// ε of `√(x² + ε)` for the size of a trade over value.
    pub abs_epsilon: f64,
    /// Slope of the threshold's sigmoid, per unit of weight.
    pub threshold_sharpness: f64,
    /// Slope of the softplus of cash, cap and netting, per unit of value.
    pub limit_sharpness: f64,
}

impl Smoothing {
    /// ε 1e-8 and β 200. Limits are sharper, since purchases and sales of a full portfolio lie on
    /// the limit of cash at every step.
    #[must_use]
    pub fn stated() -> Self {
        Self { abs_epsilon: 1e-8, threshold_sharpness: 200.0, limit_sharpness: 5_000.0 }
    }

    /// The same, this many times as sharp.
    #[must_use]
    pub fn sharpened(self, times: f64) -> Self {
        Self {
            abs_epsilon: self.abs_epsilon / (times * times),
            threshold_sharpness: self.threshold_sharpness * times,
            limit_sharpness: self.limit_sharpness * times,
        }
    }
}

/// `1 / (1 + e^-x)`.
pub(super) fn sigmoid(x: f64) -> f64 {
    let tail = libm::exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + tail) } else { tail / (1.0 + tail) }
}

/// `max(0, x)` with a corner of width `1 / sharpness`. Its slope is `sigmoid(sharpness · x)`.
pub(super) fn softplus(x: f64, sharpness: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-sharpness * x.abs())) / sharpness
}

/// A value and its slopes in two arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sloped {
    pub value: f64,
    pub slopes: [f64; 2],
}

/// The part of `asked` that `fits` pays for: `min(1, max(0, fits) / asked)`, rounded. Slopes in `fits`
/// and `asked`.
pub(super) fn fit(fits: f64, asked: f64, sharpness: f64) -> Sloped {
    let room = softplus(fits, sharpness);
    let room_slope = sigmoid(sharpness * fits);
    let excess_slope = sigmoid(sharpness * (asked - room));
    let whole = room + softplus(asked - room, sharpness);
    let squared = whole * whole;
    Sloped {
        value: room / whole,
        slopes: [(whole - room * (1.0 - excess_slope)) / squared * room_slope, -room * excess_slope / squared],
    }
}

/// `min(1, cap / turnover)`, rounded; 1 without a cap. The first slope is in `turnover`.
pub(super) fn shrink(turnover: f64, cap: f64, sharpness: f64) -> Sloped {
    if cap.is_infinite() {
        return Sloped { value: 1.0, slopes: [0.0; 2] };
    }
    let whole = cap + softplus(turnover - cap, sharpness);
    let slope = -cap * sigmoid(sharpness * (turnover - cap)) / (whole * whole);
    Sloped { value: cap / whole, slopes: [slope, 0.0] }
}

/// The year's tax on realised short- and long-term gains, less what a net loss is worth; US dollars.
/// Slopes in both.
///
/// Netting (T-04): a loss of one term takes from a gain of the other, what is left of a gain is taxed at
/// its own rate; of a net loss the limit saves tax at the short rate and the rest is worth the carried
/// rate.
pub(super) fn year_tax(tax: &TwinTax, short: f64, long: f64, sharpness: f64) -> Sloped {
    let per_dollar = sharpness / tax.account_scale;
    let positive = |x: f64| softplus(x, per_dollar);
    let slope = |x: f64| sigmoid(per_dollar * x);
    let (short_left, long_left) = (short - positive(-long), long - positive(-short));
    let loss = positive(-short - long);
    let carried = positive(loss - tax.loss_limit);
    let value = tax.short_rate * positive(short_left) + tax.long_rate * positive(long_left)
        - tax.short_rate * (loss - carried)
        - tax.carried_loss_rate * carried;
    let (short_slope, long_slope) = (tax.short_rate * slope(short_left), tax.long_rate * slope(long_left));
    let past_limit = slope(loss - tax.loss_limit);
    let worth = tax.short_rate * (1.0 - past_limit) + tax.carried_loss_rate * past_limit;
    let of_loss = worth * slope(-short - long);
    Sloped {
        value,
        slopes: [short_slope + long_slope * slope(-short) + of_loss, long_slope + short_slope * slope(-long) + of_loss],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAX: TwinTax = TwinTax {
        short_rate: 0.32,
        long_rate: 0.15,
        loss_limit: 3_000.0,
        carried_loss_rate: 0.075,
        account_scale: 100_000.0,
    };

    #[test]
    fn limits_are_the_corners() {
        let sharp = 1e9;
        for (fits, asked, wanted) in [(0.5, 0.2, 1.0), (0.1, 0.2, 0.5), (-0.1, 0.2, 0.0)] {
            assert!((fit(fits, asked, sharp).value - wanted).abs() < 1e-6);
        }
        assert!((shrink(0.5, 0.25, sharp).value - 0.5).abs() < 1e-6);
        assert!((shrink(0.2, 0.25, sharp).value - 1.0).abs() < 1e-6);
        assert_eq!(shrink(9.0, f64::INFINITY, sharp).value, 1.0);
        for (short, long, wanted) in [
            (1_000.0, 2_000.0, 320.0 + 300.0),
            (1_000.0, -400.0, 192.0),
            (-400.0, 2_000.0, 240.0),
            (-500.0, 300.0, -64.0),
            (-6_000.0, 1_000.0, -960.0 - 150.0),
            (0.0, -1_000.0, -320.0),
        ] {
            let tax = year_tax(&TAX, short, long, 1e9).value;
            assert!((tax - wanted).abs() < 1e-3, "{short}, {long}: {tax} is not {wanted}");
        }
    }

    #[test]
    fn slopes_are_those_of_finite_differences() {
        let near = |slope: f64, difference: f64| (slope - difference).abs() < 1e-6 * (1.0 + difference.abs());
        for fits in [-0.1, -1e-3, 0.0, 0.01, 0.2] {
            for asked in [1e-4, 0.01, 0.2, 0.3] {
                let at = |fits, asked| fit(fits, asked, 50.0);
                let h = 1e-6;
                let slopes = at(fits, asked).slopes;
                assert!(near(slopes[0], (at(fits + h, asked).value - at(fits - h, asked).value) / (2.0 * h)));
                assert!(near(slopes[1], (at(fits, asked + h).value - at(fits, asked - h).value) / (2.0 * h)));
                let at = |turnover| shrink(turnover, 0.2, 50.0);
                assert!(near(at(asked).slopes[0], (at(asked + h).value - at(asked - h).value) / (2.0 * h)));
            }
        }
        for short in [-5_000.0, -100.0, 0.0, 2_000.0] {
            for long in [-4_000.0, 0.0, 50.0, 3_000.0] {
                let (at, h) = (|short, long| year_tax(&TAX, short, long, 100.0), 0.1);
                let slopes = at(short, long).slopes;
                assert!(near(slopes[0], (at(short + h, long).value - at(short - h, long).value) / (2.0 * h)));
                assert!(near(slopes[1], (at(short, long + h).value - at(short, long - h).value) / (2.0 * h)));
            }
        }
    }
}
