//! What of the closes is fed to the network.

use lotwise_tensor::Array;

/// How closes are prepared before the network scales them.
///
/// Mean-scaled closes of a quarter lie within a few percent of 1 and so share some thirty of 4,000
/// tokens. Differences from the first close, or from day to day, use the whole range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Input {
    /// The closes as they are.
    #[default]
    Prices,
    /// The logarithm of each close over the window's first one.
    LogPrices,
    /// The logarithm of each close over the one of the day before; the first day has none.
    Returns,
}

impl Input {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prices, Self::LogPrices, Self::Returns];

    /// The name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::LogPrices => "log_prices",
            Self::Returns => "returns",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|input| input.name() == name)
    }

    /// Prepares windows; missing closes (and what needs them) stay missing, and so does whatever has no
    /// logarithm.
    ///
    /// # Shapes
    /// `[windows, T]` in and out.
    #[must_use]
    pub fn prepare(self, closes: &Array) -> Array {
        let [_, time] = [closes.shape()[0], closes.shape()[1]];
        let mut out = closes.clone();
        if time == 0 {
            return out;
        }
        for window in out.data_mut().chunks_exact_mut(time) {
            window.iter_mut().filter(|x| !x.is_finite()).for_each(|x| *x = f32::NAN);
            if self == Self::Prices {
                continue;
            }
            window.iter_mut().filter(|x| **x <= 0.0).for_each(|x| *x = f32::NAN);
            let first = window.iter().copied().find(|x| !x.is_nan()).unwrap_or(f32::NAN);
            let mut before = f32::NAN;
            for x in window {
                let base = if self == Self::Returns { std::mem::replace(&mut before, *x) } else { first };
                // In f64, since the difference of two logarithms loses what the quotient keeps.
                *x = (f64::from(*x) / f64::from(base)).ln() as f32;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stay_gaps_and_returns_lose_the_day_after() {
        let nan = f32::NAN;
        let closes = Array::new([1, 6], vec![nan, 10.0, 20.0, nan, 5.0, -1.0]);
        let shown = |input: Input| {
            let out = input.prepare(&closes);
            out.data().iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(Input::Prices), "NaN 10.000 20.000 NaN 5.000 -1.000");
        assert_eq!(shown(Input::LogPrices), "NaN 0.000 0.693 NaN -0.693 NaN");
        assert_eq!(shown(Input::Returns), "NaN NaN 0.693 NaN NaN NaN");
        for input in Input::ALL {
            assert_eq!(Input::named(input.name()), Some(input));
        }
    }
}
