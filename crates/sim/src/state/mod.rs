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

/// Numbers cut to their ranges; what is no number becomes 0.
fn bounded<const N: usize>(fields: &[StateField; N], numbers: [f64; N]) -> [f32; N] {
    std::array::from_fn(|at| {
        let number = if numbers[at].is_nan() { 0.0 } else { numbers[at] };
        (number as f32).clamp(fields[at].min, fields[at].max)
    })
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
