//! Standard scores and patches: how Chronos-Bolt turns numbers into inputs.

use lotwise_tensor::Array;

use super::sum::mean_present;

/// The deviation that a window without any movement is given.
const FLAT: f32 = 1e-5;

/// Windows cut into patches.
#[derive(Debug, Clone, PartialEq)]
pub struct Patches {
    /// `[windows, patches, 2 size]`: standard scores, 0 where there is none, then 1 where there is one.
    pub values: Array,
    /// `[windows, patches]`: 1 where a patch holds any number.
    pub keep: Array,
    /// Mean and deviation of each window, in its own unit.
    pub scales: Vec<[f32; 2]>,
}

/// Mean and deviation over what is there: 0 and 1 where nothing is.
#[must_use]
pub(super) fn scale(window: &[f32]) -> [f32; 2] {
    let mean = mean_present(window);
    let mean = if mean.is_nan() { 0.0 } else { mean };
    let squares: Vec<f32> = window.iter().map(|x| (x - mean) * (x - mean)).collect();
    let deviation = mean_present(&squares).sqrt();
    [
        mean,
        if deviation.is_nan() {
            1.0
        } else if deviation == 0.0 {
            FLAT
        } else {
            deviation
        },
    ]
}

impl Patches {
    /// Cuts windows into patches of `size` numbers, `stride` apart, aligned at the newest; what the first
    /// one lacks is missing.
    ///
    /// # Shapes
    /// - `windows`: `[windows, T]`, NaN where there is no number
    #[must_use]
    pub fn cut(windows: &Array, size: usize, stride: usize) -> Self {
        let [count, time] = [windows.shape()[0], windows.shape()[1]];
        let padding = time.next_multiple_of(size) - time;
        let patches = if time == 0 { 0 } else { (padding + time - size) / stride + 1 };
        let mut values = Array::zeros([count, patches, 2 * size]);
        let mut keep = Array::zeros([count, patches]);
        let mut scales = Vec::with_capacity(count);
        let (to, kept) = (values.data_mut(), keep.data_mut());
        for (i, window) in windows.data().chunks_exact(time.max(1)).enumerate() {
            let [mean, deviation] = scale(window);
            scales.push([mean, deviation]);
            for patch in 0..patches {
                let to = &mut to[(i * patches + patch) * 2 * size..][..2 * size];
                let (scores, there) = to.split_at_mut(size);
                for at in 0..size {
                    let x = (patch * stride + at).checked_sub(padding).map_or(f32::NAN, |at| window[at]);
                    if !x.is_nan() {
                        scores[at] = (x - mean) / deviation;
                        there[at] = 1.0;
                        kept[i * patches + patch] = 1.0;
                    }
                }
            }
        }
        scales.resize(count, [0.0, 1.0]);
        Self { values, keep, scales }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_end_with_the_newest_number() {
        let nan = f32::NAN;
        let windows = Array::new([2, 5], vec![1.0, 2.0, 3.0, 4.0, 5.0, nan, nan, nan, nan, 7.0]);
        let patches = Patches::cut(&windows, 4, 4);
        assert_eq!(*patches.values.shape(), [2, 2, 8]);
        assert_eq!(patches.keep.data(), [1.0, 1.0, 0.0, 1.0]);
        assert_eq!(patches.scales, [[3.0, 2.0_f32.sqrt()], [7.0, FLAT]]);
        let low = -2.0 / 2.0_f32.sqrt();
        assert_eq!(patches.values.data()[..8], [0.0, 0.0, 0.0, low, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(patches.values.data()[24..], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn patches_may_overlap() {
        let windows = Array::from_fn([1, 8], |i| i as f32);
        let patches = Patches::cut(&windows, 4, 2);
        assert_eq!(*patches.values.shape(), [1, 3, 8]);
        assert_eq!(
            patches.values.data()[8..12],
            patches.values.data()[2..4].iter().chain(&patches.values.data()[16..18]).copied().collect::<Vec<_>>()[..]
        );
    }
}
