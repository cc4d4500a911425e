//! The frozen branch: what a window of closes says to a network that is never trained with ours
//! (SPEC P1-12).
//!
//! Implementations are pure functions of the window. They see prices and nothing else, so that their
//! outputs can be kept for good under (ticker, last bar, window length, fingerprint).

mod minirocket;

use lotwise_tensor::Array;

pub use minirocket::{MiniRocket, MiniRocketConfig};

/// A frozen encoder of closing prices: `closes → R^k`.
///
/// What holds for every implementation, and is checked by a contract in the tests:
/// - the same window gives the same bits, alone or in any batch, at any number of threads;
/// - missing values in front of the first close change nothing;
/// - a window without a single close gives zeros, and no window gives anything but finite numbers.
pub trait FrozenTemporal: Send + Sync {
    /// `k`, how many numbers a window gives; 0 for no branch at all.
    fn width(&self) -> usize;

    /// The kind, as configurations and manifests call it.
    fn kind(&self) -> &'static str;

    /// A text that differs wherever outputs differ: kind, sizes, and a digest of the weights. Caches and
    /// manifests keep it.
    fn fingerprint(&self) -> String;

    /// The pooled outputs of many windows.
    ///
    /// # Shapes
    /// - `closes`: `[windows, T]`, adjusted closes above zero in any unit, oldest first, NaN where there
    ///   is none
    /// - output: `[windows, k]`
    fn embed(&self, closes: &Array) -> Array;
}

/// No branch: a network without one, or an ablation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoTemporal;

impl FrozenTemporal for NoTemporal {
    fn width(&self) -> usize {
        0
    }

    fn kind(&self) -> &'static str {
        "none"
    }

    fn fingerprint(&self) -> String {
        "none".to_owned()
    }

    fn embed(&self, closes: &Array) -> Array {
        Array::zeros([closes.shape()[0], 0])
    }
}
