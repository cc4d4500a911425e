//! The only place with `unsafe`: vector instructions and the loops that need them.
//!
//! Everything that leaves this module is a safe function over slices which checks its lengths. A kernel
//! is written once over [`lanes::Lanes`]; [`entry`] makes one copy of it for each instruction set and
//! picks the best that the processor has.
#![allow(unsafe_code, reason = "vector instructions are reached through pointers and enabled features only")]

mod gemm;
mod lanes;
mod math;
mod rows;
pub(crate) mod scratch;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

pub(crate) use gemm::Mat;
pub(crate) use math::{Exp, Gelu, Map, Relu, Sigmoid, Tanh};

/// The instruction sets that kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// Plain Rust, on any processor.
    Portable,
    /// NEON, on every 64-bit ARM.
    Neon,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 (F).
    Avx512,
}

static CHOSEN: OnceLock<Instructions> = OnceLock::new();

impl Instructions {
    /// What the kernels of this process use. Different sets round differently in the last bits.
    #[must_use]
    pub fn in_use() -> Self {
        #[cfg(test)]
        if let Some(forced) = tests::FORCED.get() {
            return forced;
        }
        *CHOSEN.get_or_init(Self::best)
    }

    /// Uses no more than these, for measuring and for comparing machines. False where the choice is
    /// already made (kernels have run) or the processor cannot do it.
    pub fn limit(to: Self) -> bool {
        Self::available().contains(&to) && CHOSEN.set(to).is_ok()
    }

    /// What this processor can do, the slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        all.push(Self::Neon);
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    all.push(Self::Avx512);
                }
            }
        }
        all
    }

    fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }
}

/// Makes a safe function that runs a kernel with the instructions in use.
macro_rules! entry {
    ($(#[$doc:meta])* $module:ident::$name:ident $(<$g:ident: $bound:ident>)? ($($arg:ident: $ty:ty),* $(,)?)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "kernels take slices and sizes")]
        pub(crate) fn $name $(<$g: $bound>)? ($($arg: $ty),*) {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "kernels take slices and sizes")]
            fn avx512 $(<$g: $bound>)? ($($arg: $ty),*) {
                // SAFETY: the caller has seen that the processor has these instructions.
                let lanes = unsafe { lanes::Avx512::detected() };
                $module::$name::<_ $(, $g)?>(lanes, $($arg),*);
            }
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "kernels take slices and sizes")]
            fn avx2 $(<$g: $bound>)? ($($arg: $ty),*) {
                // SAFETY: the caller has seen that the processor has these instructions.
                let lanes = unsafe { lanes::Avx2::detected() };
                $module::$name::<_ $(, $g)?>(lanes, $($arg),*);
            }
            #[cfg(all(target_arch = "aarch64", not(miri)))]
            #[target_feature(enable = "neon")]
            #[allow(clippy::too_many_arguments, reason = "kernels take slices and sizes")]
            fn neon $(<$g: $bound>)? ($($arg: $ty),*) {
                // SAFETY: NEON is part of every 64-bit ARM.
                let lanes = unsafe { lanes::Neon::detected() };
                $module::$name::<_ $(, $g)?>(lanes, $($arg),*);
            }
            match Instructions::in_use() {
                // SAFETY: `in_use` names only what `available` has detected.
                #[cfg(all(target_arch = "x86_64", not(miri)))]
                Instructions::Avx512 => unsafe { avx512 $(::<$g>)? ($($arg),*) },
                // SAFETY: as above.
                #[cfg(all(target_arch = "x86_64", not(miri)))]
                Instructions::Avx2 => unsafe { avx2 $(::<$g>)? ($($arg),*) },
                // SAFETY: as above.
                #[cfg(all(target_arch = "aarch64", not(miri)))]
                Instructions::Neon => unsafe { neon $(::<$g>)? ($($arg),*) },
                _ => $module::$name::<_ $(, $g)?>(lanes::Portable, $($arg),*),
            }
        }
    };
}

entry!(
    /// `c = a b + bias`, the row `bias` being added to every row, or `c += a b + bias` where `accumulate`; `c` has
    /// rows of `c_step` numbers. One thread; each element is summed in the order of `k` whatever the other sizes,
    /// so splitting `a` by rows or `b` by columns changes no bit.
    gemm::gemm(a: Mat<'_>, b: Mat<'_>, bias: Option<&[f32]>, c: &mut [f32], c_step: usize, accumulate: bool)
);
entry!(
    /// `f(x)` in place, element by element.
    math::map<F: Map>(x: &mut [f32])
);
entry!(
    /// For activations `f`: overwrites `x` with `f(x)` and multiplies `gradient` by `f'(x)`.
    math::map_with_slope<F: Map>(x: &mut [f32], gradient: &mut [f32])
);
entry!(
    /// Layer norm of each row (`centred`) or RMS norm: gain and shift have the length of a row.
    rows::norm(centred: bool, epsilon: f32, x: &[f32], gain: &[f32], shift: Option<&[f32]>, out: &mut [f32])
);
entry!(
    /// Adds the gradients of [`norm`] to `dx`, `d_gain` and `d_shift`.
    rows::norm_backward(centred: bool, epsilon: f32, x: &[f32], gain: &[f32], dy: &[f32], dx: &mut [f32], d_gain: &mut [f32], d_shift: Option<&mut [f32]>)
);
entry!(
    /// Softmax of `scale * x + bias` over each row of `width` numbers, in place; rows of `x` start `step` numbers after
    /// each other. Entries whose `keep` (one row for all, or as many rows as `x`) is zero become exactly 0; a row
    /// without any kept entry becomes 0 altogether.
    rows::softmax(x: &mut [f32], width_and_step: [usize; 2], scale: f32, bias: Option<&[f32]>, keep: Option<&[f32]>)
);
entry!(
    /// In place: the gradient of the probabilities becomes that of the scores that `scale` multiplied. That of the
    /// bias is added to `d_bias`.
    rows::softmax_backward(probabilities: &[f32], gradient: &mut [f32], width_and_step: [usize; 2], scale: f32, d_bias: Option<&mut [f32]>)
);
entry!(
    /// Adds the rows to `sums`, from first to last.
    rows::add_column_sums(x: &[f32], sums: &mut [f32])
);
entry!(
    /// `to += from`.
    rows::add(to: &mut [f32], from: &[f32])
);
entry!(
    /// Inverted dropout in place over rows of `width` numbers, `step` apart: whether an element is kept is a hash of
    /// `key` and its number (counted without what lies between the rows) alone.
    rows::dropout(x: &mut [f32], width_and_step: [usize; 2], key: u64, rate: f32)
);
entry!(
    /// One AdamW update of a parameter.
    rows::adamw(weight: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], rule: &AdamRule)
);

/// The numbers of one AdamW update, the same for all elements of a parameter.
pub(crate) struct AdamRule {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// What remains of the weight: `1 - rate * decay`.
    pub keep: f32,
    /// Learning rate over the first bias correction.
    pub step: f32,
    /// One over the root of the second bias correction.
    pub second_scale: f32,
}
