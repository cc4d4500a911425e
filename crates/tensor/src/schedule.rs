//! Learning rates over the steps of a run.

/// A learning rate for each step, the first being step 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The same rate always.
    Constant {
        /// The rate.
        rate: f32,
    },
    /// From `first` in a straight line to `last` at `steps`, and `last` from there on.
    Linear {
        /// The rate of step 0.
        first: f32,
        /// The rate from step `steps` on.
        last: f32,
        /// How long the way is.
        steps: u64,
    },
    /// A straight line up to `peak` over `warm_up` steps (step 0 takes one part of it already), then half
    /// a cosine down to `floor` at `steps`, and `floor` from there on.
    WarmUpCosine {
        /// The largest rate.
        peak: f32,
        /// The last rate.
        floor: f32,
        /// How many steps lead up.
        warm_up: u64,
        /// The whole length, warm-up included.
        steps: u64,
    },
}

impl Schedule {
    /// The rate of a step.
    #[must_use]
    pub fn rate(&self, step: u64) -> f32 {
        match *self {
            Self::Constant { rate } => rate,
            Self::Linear { first, last, steps } => first + (last - first) * fraction(step, steps),
            Self::WarmUpCosine { peak, warm_up, .. } if step < warm_up => {
                (f64::from(peak) * (step + 1) as f64 / warm_up as f64) as f32
            }
            Self::WarmUpCosine { peak, floor, warm_up, steps } => {
                let done = fraction(step - warm_up, steps.saturating_sub(warm_up));
                floor + (peak - floor) * 0.5 * (1.0 + (std::f32::consts::PI * done).cos())
            }
        }
    }
}

/// How much of the way is done, at most all of it.
fn fraction(step: u64, steps: u64) -> f32 {
    if step >= steps { 1.0 } else { (step as f64 / steps as f64) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_along_the_way() {
        let cosine = Schedule::WarmUpCosine { peak: 1.0, floor: 0.1, warm_up: 4, steps: 24 };
        let rates: Vec<f32> = [0, 3, 4, 14, 24, 1000].map(|step| cosine.rate(step)).to_vec();
        for (rate, wanted) in rates.iter().zip([0.25, 1.0, 1.0, 0.55, 0.1, 0.1]) {
            assert!((rate - wanted).abs() < 1e-6, "{rates:?}");
        }
        let line = Schedule::Linear { first: 1.0, last: 0.0, steps: 10 };
        assert_eq!([0, 5, 10, 11].map(|step| line.rate(step)), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(Schedule::Constant { rate: 0.3 }.rate(7), 0.3);
        assert_eq!(Schedule::WarmUpCosine { peak: 1.0, floor: 0.1, warm_up: 0, steps: 0 }.rate(0), 0.1);
    }
}
