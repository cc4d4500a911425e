//! What a policy sees of its own account (SPEC E-02, E-03): twelve numbers for each asset and sixteen
//! for the whole, all finite and within stated ranges whatever the account went through.
//!
//! Plain arithmetic from facts to numbers; the order is part of the checkpoint format.

mod global;
mod ticker;

pub use global::{GLOBAL_FIELDS, GlobalFacts, Season};
pub use ticker::{TICKER_FIELDS, TickerFacts};

/// Name and range of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StateField {
    /// What it is, as in metrics and manifests.
    pub name: &'static str,
    /// Least value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
}

const fn field(name: &'static str, min: f32, max: f32) -> StateField {
    StateField { name, min, max }
}

/// `part / whole`, or 0 where there is no whole; never NaN.
fn ratio(part: f64, whole: f64) -> f64 {
    let ratio = part / whole;
    if whole > 0.0 && !ratio.is_nan() { ratio } else { 0.0 }
}

/// Least and largest values of numbers, apart, so that all numbers are cut side by side.
struct Limits<const N: usize> {
    min: [f32; N],
    max: [f32; N],
}

impl<const N: usize> Limits<N> {
    const fn of(fields: &[StateField; N]) -> Self {
        let (mut min, mut max, mut at) = ([0.0; N], [0.0; N], 0);
        while at < N {
            (min[at], max[at]) = (fields[at].min, fields[at].max);
            at += 1;
        }
        Self { min, max }
    }

    /// Numbers cut to their ranges; what is no number becomes 0.
    #[inline]
    fn cut(&self, numbers: [f64; N]) -> [f32; N] {
        let mut cut = [0.0_f32; N];
        for at in 0..N {
            let number = numbers[at] as f32;
            let number = if number.is_nan() { 0.0 } else { number };
            let number = if number < self.min[at] { self.min[at] } else { number };
            cut[at] = if number > self.max[at] { self.max[at] } else { number };
        }
        cut
    }
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
