//! What a network is measured by: a plain rival's forecasts, and how different windows look.

use lotwise_nn::chronos::Patches;
use lotwise_tensor::Array;

use super::Batch;

/// Quantiles of a normal walk from the last number on, with the size of the context's own steps.
pub(super) fn walk(batch: &Batch, patches: &Patches, quantiles: &[f64]) -> Array {
    let (context, horizon) = (batch.contexts.shape()[1], batch.targets.shape()[1]);
    let scores: Vec<f64> = quantiles.iter().map(|&level| normal_quantile(level)).collect();
    let mut out = Vec::with_capacity(patches.scales.len() * scores.len() * horizon);
    for (window, [mean, deviation]) in batch.contexts.data().chunks_exact(context).zip(&patches.scales) {
        let there: Vec<f64> = window.iter().filter(|x| !x.is_nan()).map(|&x| f64::from(x)).collect();
        let last = there.last().copied().unwrap_or(0.0);
        let squares: f64 = there.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
        let step = (squares / (there.len().max(2) - 1) as f64).sqrt();
        for score in &scores {
            for day in 1..=horizon {
                let forecast = last + score * step * (day as f64).sqrt();
                out.push(((forecast - f64::from(*mean)) / f64::from(*deviation)).clamp(-1e3, 1e3) as f32);
            }
        }
    }
    Array::new([patches.scales.len(), scores.len() * horizon], out)
}

/// The inverse of the normal distribution, by halving: levels are few.
fn normal_quantile(level: f64) -> f64 {
    let below = |x: f64| {
        // Simpson's rule over the density from 0.
        let steps = 200;
        let width = x / f64::from(steps);
        let density = |i: i32| (-0.5 * (f64::from(i) * width).powi(2)).exp();
        let inner: f64 = (1..steps).map(|i| if i % 2 == 1 { 4.0 * density(i) } else { 2.0 * density(i) }).sum();
        0.5 + (density(0) + inner + density(steps)) * width / 3.0 / std::f64::consts::TAU.sqrt()
    };
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < level { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The mean cosine between different rows, and the effective rank of rows around their mean.
pub(super) fn spread(rows: &[f32], dim: usize) -> [f32; 2] {
    let count = rows.len() / dim;
    let mut sum = vec![0.0_f64; dim];
    let mut centre = vec![0.0_f64; dim];
    for row in rows.chunks_exact(dim) {
        let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt().max(1e-12);
        for ((sum, centre), &x) in sum.iter_mut().zip(&mut centre).zip(row) {
            *sum += f64::from(x) / norm;
            *centre += f64::from(x) / count as f64;
        }
    }
    // The square of a sum of unit vectors holds each pair twice and each vector once.
    let square: f64 = sum.iter().map(|x| x * x).sum();
    let cosine = (square - count as f64) / (count * (count - 1)).max(1) as f64;
    let mut covariance = vec![0.0_f64; dim * dim];
    for row in rows.chunks_exact(dim) {
        let away: Vec<f64> = row.iter().zip(&centre).map(|(&x, c)| f64::from(x) - c).collect();
        for (to, &a) in covariance.chunks_exact_mut(dim).zip(&away) {
            to.iter_mut().zip(&away).for_each(|(to, b)| *to += a * b);
        }
    }
    let shares = eigenvalues(covariance, dim);
    let total: f64 = shares.iter().map(|x| x.max(0.0)).sum::<f64>().max(1e-300);
    let entropy: f64 = shares.iter().map(|x| x.max(0.0) / total).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
    [cosine as f32, entropy.exp() as f32]
}

/// The eigenvalues of a symmetric matrix, by rotations (Jacobi).
fn eigenvalues(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    for _ in 0..12 {
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off.abs() < 1e-14 * (a[p * n + p].abs() + a[q * n + q].abs()) {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    (0..n).map(|i| a[i * n + i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (level, wanted) in [(0.5, 0.0), (0.9, 1.281_551_6), (0.1, -1.281_551_6), (0.975, 1.959_964)] {
            assert!((normal_quantile(level) - wanted).abs() < 1e-6, "{level}");
        }
    }

    #[test]
    fn the_spread_of_known_rows() {
        let even: Vec<f32> = (0..16).map(|i| if i % 5 == 0 { 1.0 } else { 0.0 }).collect();
        let [cosine, rank] = spread(&even, 4);
        assert!(cosine.abs() < 1e-6 && (rank - 3.0).abs() < 1e-4, "{cosine}, {rank}");
        let [cosine, rank] = spread(&[1.0, 2.0, 2.0, 4.0, 3.0, 6.0], 2);
        assert!((cosine - 1.0).abs() < 1e-6 && (rank - 1.0).abs() < 1e-4, "{cosine}, {rank}");
    }
}
