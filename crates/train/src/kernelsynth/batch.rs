//! Windows with what comes after them, drawn from a pool of samples.

use lotwise_core::Seed;
use lotwise_tensor::{Array, Random};
use rand_chacha::rand_core::Rng as _;
use rayon::prelude::*;

use super::{Kernel, KernelSynthConfig};

/// Forecasts are compared within so many deviations of the context.
const FARTHEST: f32 = 30.0;

/// Samples of Gaussian processes.
pub struct Pool {
    series: Vec<Vec<f32>>,
}

/// Windows, and what was to come.
pub struct Batch {
    /// `[B, context]`, NaN where a number is missing.
    pub contexts: Array,
    /// `[B, horizon]`, in the unit of the windows.
    pub targets: Array,
}

/// A generator from a named stream.
pub(super) fn random(seed: Seed, name: &str, index: u64) -> Random {
    Random::new(seed.stream(name, index).next_u64())
}

/// Uniform among `0..n`.
pub(super) fn below(random: &mut Random, n: usize) -> usize {
    ((u128::from(random.bits()) * n as u128) >> 64) as usize
}

fn chance(random: &mut Random, share: f32) -> bool {
    random.uniform() < share
}

impl Pool {
    /// Draws compositions of kernels and samples of each.
    #[must_use]
    pub fn draw(seed: Seed, kernels: usize, samples: usize, length: usize) -> Self {
        let samples: Vec<Vec<Vec<f32>>> = (0..kernels)
            .into_par_iter()
            .map(|i| {
                let mut random = random(seed, "kernel", i as u64);
                Kernel::draw(&mut random, length).sample(&mut random, length, samples)
            })
            .collect();
        Self { series: samples.into_iter().flatten().collect() }
    }

    /// The windows of one step.
    #[must_use]
    pub fn batch(&self, config: &KernelSynthConfig, seed: Seed, step: u64) -> Batch {
        let mut draw = random(seed, "length", step);
        let context = config.contexts[below(&mut draw, config.contexts.len())];
        let time = context + config.horizon;
        let mut random = random(seed, "window", step);
        let (mut contexts, mut targets) = (Vec::new(), Vec::new());
        for _ in 0..config.batch {
            let mut window = self.window(&mut random, time);
            hide(&mut random, &mut window[..context]);
            contexts.extend_from_slice(&window[..context]);
            targets.extend_from_slice(&window[context..]);
        }
        Batch {
            contexts: Array::new([config.batch, context], contexts),
            targets: Array::new([config.batch, config.horizon], targets),
        }
    }

    /// A stretch of a mixture, as it is, as the volatility of a walk, or as differences.
    fn window(&self, random: &mut Random, time: usize) -> Vec<f32> {
        let mixture = self.mixture(random, time + 1);
        match below(random, 4) {
            0 | 1 => walk(random, &mixture),
            2 if chance(random, 0.5) => mixture.windows(2).map(|pair| pair[1] - pair[0]).collect(),
            _ => mixture[1..].to_vec(),
        }
    }

    /// A convex combination of up to three samples, each from a place of its own, some of them turned
    /// round in time or sign.
    fn mixture(&self, random: &mut Random, time: usize) -> Vec<f32> {
        let count = 1 + below(random, 3);
        let mut weights: Vec<f32> = (0..count).map(|_| -(1.0 - random.uniform()).ln()).collect();
        let sum: f32 = weights.iter().sum::<f32>().max(1e-6);
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let mut mixed = vec![0.0; time];
        for mut weight in weights {
            let series = &self.series[below(random, self.series.len())];
            let start = below(random, series.len() + 1 - time);
            let part = &series[start..start + time];
            if chance(random, 0.5) {
                weight = -weight;
            }
            if chance(random, 0.5) {
                mixed.iter_mut().zip(part.iter().rev()).for_each(|(x, y)| *x += weight * y);
            } else {
                mixed.iter_mut().zip(part).for_each(|(x, y)| *x += weight * y);
            }
        }
        mixed
    }
}

/// A walk whose steps are as large as the exponential of a mixture, with some drift and now and then a jump.
fn walk(random: &mut Random, mixture: &[f32]) -> Vec<f32> {
    let spread = 1.5 * random.uniform();
    let drift = 0.15 * random.normal();
    let jumps = if chance(random, 0.3) { 0.03 * random.uniform() } else { 0.0 };
    let pull = if chance(random, 0.3) { 0.3 * random.uniform() } else { 0.0 };
    let mut level = 0.0;
    mixture[1..]
        .iter()
        .map(|x| {
            let mut noise = random.normal();
            if chance(random, jumps) {
                noise *= 6.0;
            }
            level += (spread * x).exp() * (noise + drift) - pull * level;
            level
        })
        .collect()
}

/// Takes numbers away: in front, as of a young series, and here and there. The last one stays.
fn hide(random: &mut Random, context: &mut [f32]) {
    let last = context.len() - 1;
    if chance(random, 0.25) {
        let start = below(random, context.len());
        context[..start.min(last)].fill(f32::NAN);
    }
    if chance(random, 0.15) {
        let share = 0.3 * random.uniform();
        context[..last].iter_mut().for_each(|x| {
            if chance(random, share) {
                *x = f32::NAN;
            }
        });
    }
}

impl Batch {
    /// The targets in deviations of their context from its mean, which `scales` gives.
    #[must_use]
    pub fn standardised(&self, scales: &[[f32; 2]]) -> Array {
        let horizon = self.targets.shape()[1];
        Array::from_fn(self.targets.shape(), |i| {
            let [mean, deviation] = scales[i / horizon];
            ((self.targets.data()[i] - mean) / deviation).clamp(-FARTHEST, FARTHEST)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_draws_the_same_windows_whenever_it_is_asked() {
        let config = KernelSynthConfig { batch: 40, length: 90, contexts: vec![20, 50], ..Default::default() };
        let seed = Seed::new(1);
        let pool = Pool::draw(seed, 5, 2, 90);
        let one = pool.batch(&config, seed, 7);
        let other = pool.batch(&config, seed, 7);
        let bits = |batch: &Batch| -> Vec<u32> {
            batch.contexts.data().iter().chain(batch.targets.data()).map(|x| x.to_bits()).collect()
        };
        assert_eq!(bits(&one), bits(&other));
        assert_ne!(bits(&one), bits(&pool.batch(&config, seed, 8)));
        let [_, context] = [0, one.contexts.shape()[1]];
        assert!(one.contexts.data().chunks(context).all(|window| !window[context - 1].is_nan()));
        assert!(one.contexts.data().iter().any(|x| x.is_nan()) && one.targets.data().iter().all(|x| x.is_finite()));
    }
}
