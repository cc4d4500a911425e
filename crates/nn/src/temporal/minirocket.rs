//! Fixed random convolutions, pooled: what needs no training at all (SPEC P1-12 c).

use lotwise_tensor::{Array, Random};
use rayon::prelude::*;

use super::FrozenTemporal;

/// Taps of a kernel: six of weight −1 and three of weight 2, so that a kernel does not see the level of
/// a series (Dempster, Schmidt and Webb 2021, «MiniRocket»).
const TAPS: usize = 9;
const HIGH_TAPS: usize = 3;
/// Length of a kernel's weight vector, by which its answers are divided.
const NORM: f64 = 4.242_640_687_119_285;
/// Numbers that one kernel gives: share of answers above its threshold, and its largest answer.
const POOLED: usize = 2;
/// Largest size of a pooled answer.
const CLIP: f64 = 8.0;

/// How many kernels, how far apart their taps stand, and the seed that draws them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MiniRocketConfig {
    /// Half as many as numbers come out.
    pub kernels: usize,
    /// The largest distance between two taps is this power of two.
    pub largest_dilation_log2: u32,
    /// Draws the kernels.
    pub seed: u64,
}

impl Default for MiniRocketConfig {
    /// 256 kernels and so 512 numbers, as wide as the small published model, and taps up to 8 bars apart,
    /// which span a window of 64.
    fn default() -> Self {
        Self { kernels: 256, largest_dilation_log2: 3, seed: 0x4c6f_7477_6973_6531 }
    }
}

/// Which view of the closes a kernel looks at; both have mean zero and deviation one in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    LogClose = 0,
    LogReturn = 1,
}

#[derive(Debug, Clone, PartialEq)]
struct Kernel {
    channel: Channel,
    high: [usize; HIGH_TAPS],
    dilation: usize,
    threshold: f64,
}

/// 512 numbers of fixed random convolutions.
///
/// Like MiniRocket it uses kernels of two weights, dilations and the share of answers above a threshold;
/// unlike it, thresholds are drawn instead of fitted, since nothing here may depend on data, and each
/// kernel also gives its largest answer (Dempster, Petitjean and Webb 2020, «ROCKET»). Missing closes are
/// neither read nor pooled over: they stand in for the mean of the window where a kernel reaches for them.
#[derive(Debug, Clone, PartialEq)]
pub struct MiniRocket {
    config: MiniRocketConfig,
    kernels: Vec<Kernel>,
}

impl MiniRocketConfig {
    /// Draws the kernels.
    #[must_use]
    pub fn init(self) -> MiniRocket {
        let mut random = Random::new(self.seed);
        let mut below = |n: usize| ((f64::from(random.uniform()) * n as f64) as usize).min(n - 1);
        let mut kernels = Vec::with_capacity(self.kernels);
        for i in 0..self.kernels {
            let channel = if i % 2 == 0 { Channel::LogClose } else { Channel::LogReturn };
            // A random choice of three out of nine, by exchanging the first three places.
            let mut places: [usize; TAPS] = std::array::from_fn(|place| place);
            for place in 0..HIGH_TAPS {
                let other = place + below(TAPS - place);
                places.swap(place, other);
            }
            let mut high = [places[0], places[1], places[2]];
            high.sort_unstable();
            let dilation = 1 << below(self.largest_dilation_log2 as usize + 1);
            kernels.push(Kernel { channel, high, dilation, threshold: 0.0 });
        }
        for kernel in &mut kernels {
            kernel.threshold = 0.5 * f64::from(random.normal());
        }
        MiniRocket { config: self, kernels }
    }
}

impl FrozenTemporal for MiniRocket {
    fn width(&self) -> usize {
        POOLED * self.kernels.len()
    }

    fn kind(&self) -> &'static str {
        "minirocket"
    }

    fn fingerprint(&self) -> String {
        let MiniRocketConfig { kernels, largest_dilation_log2, seed } = self.config;
        format!("minirocket/1 kernels={kernels} dilation={largest_dilation_log2} seed={seed:016x}")
    }

    fn embed(&self, closes: &Array) -> Array {
        let (shape, width) = (closes.shape(), self.width());
        assert_eq!(shape.len(), 2, "closes of shape {shape:?} where [windows, T] is wanted");
        let (windows, time) = (shape[0], shape[1]);
        let mut out = vec![0.0; windows * width];
        if width > 0 && time > 0 {
            out.par_chunks_mut(width).zip(closes.data().par_chunks(time)).for_each(|(out, closes)| {
                self.embed_one(closes, out);
            });
        }
        Array::new([windows, width], out)
    }
}

impl MiniRocket {
    fn embed_one(&self, closes: &[f32], out: &mut [f32]) {
        let channels = Channels::of(closes);
        for (kernel, out) in self.kernels.iter().zip(out.chunks_exact_mut(POOLED)) {
            let (values, there) = &channels.0[kernel.channel as usize];
            out.copy_from_slice(&kernel.pool(values, there));
        }
    }
}

impl Kernel {
    /// Share of positions whose answer exceeds the threshold, and the largest answer.
    fn pool(&self, values: &[f64], there: &[bool]) -> [f32; POOLED] {
        let reach = TAPS / 2 * self.dilation;
        let (mut above, mut count, mut largest) = (0_u32, 0_u32, f64::NEG_INFINITY);
        for (at, _) in there.iter().enumerate().filter(|(_, there)| **there) {
            let tap = |place: usize| {
                let at = (at + place * self.dilation).checked_sub(reach);
                at.and_then(|at| values.get(at)).copied().unwrap_or(0.0)
            };
            let all: f64 = (0..TAPS).map(tap).sum();
            let high: f64 = self.high.iter().map(|&place| tap(place)).sum();
            let answer = (3.0 * high - all) / NORM;
            above += u32::from(answer > self.threshold);
            count += 1;
            largest = largest.max(answer);
        }
        if count == 0 {
            return [0.0; POOLED];
        }
        [(f64::from(above) / f64::from(count)) as f32, largest.clamp(-CLIP, CLIP) as f32]
    }
}

/// Values of each channel, 0 where there is none, and where there is one.
struct Channels([(Vec<f64>, Vec<bool>); 2]);

impl Channels {
    fn of(closes: &[f32]) -> Self {
        let usable = |close: f32| (close > 0.0 && close.is_finite()).then(|| f64::from(close).ln());
        let logs: Vec<Option<f64>> = closes.iter().map(|&close| usable(close)).collect();
        // A return over a gap is the return since the last close there was.
        let mut last = None;
        let returns = logs.iter().map(|&log| {
            let ret = log.zip(last).map(|(log, last)| log - last);
            last = log.or(last);
            ret
        });
        let returns: Vec<Option<f64>> = returns.collect();
        Self([standardised(&logs), standardised(&returns)])
    }
}

/// Mean zero and deviation one over the values that are there; zeros where nothing moves.
fn standardised(values: &[Option<f64>]) -> (Vec<f64>, Vec<bool>) {
    let there: Vec<bool> = values.iter().map(Option::is_some).collect();
    let count = there.iter().filter(|there| **there).count().max(1) as f64;
    let mean = values.iter().flatten().sum::<f64>() / count;
    let square = values.iter().flatten().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    let deviation = (square / count).sqrt();
    let scale = if deviation > 1e-9 { 1.0 / deviation } else { 0.0 };
    (values.iter().map(|value| value.map_or(0.0, |value| (value - mean) * scale)).collect(), there)
}
