//! Gaussian processes with random compositions of kernels.

use lotwise_tensor::Random;

use super::batch::below;

/// How alike the values of a process are at two times, in steps of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Kernel {
    /// The same offset everywhere.
    Constant,
    /// Noise of this variance.
    White(f64),
    /// A straight line through this time.
    Linear(f64),
    /// Smooth, with this length.
    Smooth(f64),
    /// Smooth at many lengths around this one; the second number says how many.
    Rational(f64, f64),
    /// Rough, with this length (Ornstein and Uhlenbeck).
    Rough(f64),
    /// A walk.
    Walk,
    /// Repeating after so many steps.
    Periodic(f64),
    /// Both together.
    Sum(Box<Self>, Box<Self>),
    /// One at the size of the other.
    Product(Box<Self>, Box<Self>),
}

impl Kernel {
    /// One to five kernels put together by sums and products.
    pub fn draw(random: &mut Random, length: usize) -> Self {
        let count = 1 + below(random, 5);
        let mut kernel = Self::simple(random, length);
        for _ in 1..count {
            let other = Box::new(Self::simple(random, length));
            kernel = match below(random, 2) {
                0 => Self::Sum(Box::new(kernel), other),
                _ => Self::Product(Box::new(kernel), other),
            };
        }
        kernel
    }

    fn simple(random: &mut Random, length: usize) -> Self {
        let length = length as f64;
        // Lengths are spread evenly over orders of size.
        let (kind, place) = (below(random, 9), f64::from(random.uniform()));
        let between = |low: f64, high: f64| low * (high / low).powf(place);
        match kind {
            0 => Self::Constant,
            1 => Self::White(between(0.05, 1.0)),
            2 => Self::Linear(between(1.0, length)),
            3 => Self::Smooth(between(3.0, length)),
            4 => Self::Rational(between(3.0, length), between(0.1, 10.0)),
            5 => Self::Rough(between(2.0, length)),
            6 => Self::Walk,
            7 => Self::Periodic(between(4.0, length / 2.0)),
            _ => Self::Periodic([5.0, 10.0, 21.0, 42.0, 63.0, 126.0, 252.0][below(random, 7)]),
        }
    }

    /// The covariance of times `s` and `t` in a series of this length.
    #[must_use]
    pub fn covariance(&self, s: f64, t: f64, length: f64) -> f64 {
        let distance = (s - t).abs();
        match self {
            Self::Constant => 1.0,
            Self::White(variance) => {
                if distance == 0.0 {
                    *variance
                } else {
                    0.0
                }
            }
            // Three for a variance of about 1 over the whole series.
            Self::Linear(at) => 3.0 * (s - at) * (t - at) / (length * length),
            Self::Smooth(scale) => (-0.5 * (distance / scale).powi(2)).exp(),
            Self::Rational(scale, alpha) => (1.0 + (distance / scale).powi(2) / (2.0 * alpha)).powf(-alpha),
            Self::Rough(scale) => (-distance / scale).exp(),
            Self::Walk => 2.0 * (s.min(t) + 1.0) / length,
            Self::Periodic(period) => (-2.0 * (std::f64::consts::PI * distance / period).sin().powi(2)).exp(),
            Self::Sum(a, b) => a.covariance(s, t, length) + b.covariance(s, t, length),
            Self::Product(a, b) => a.covariance(s, t, length) * b.covariance(s, t, length),
        }
    }

    /// So many samples of the process, each of this length with mean 0 and deviation 1 (0 where it does not
    /// move at all).
    pub fn sample(&self, random: &mut Random, length: usize, samples: usize) -> Vec<Vec<f32>> {
        let root = self.root(length);
        let draw = |_| {
            let noise: Vec<f64> = (0..length).map(|_| f64::from(random.normal())).collect();
            let series: Vec<f64> = (0..length).map(|i| dot(&root[i * length..][..=i], &noise[..=i])).collect();
            standardised(&series)
        };
        (0..samples).map(draw).collect()
    }

    /// The lower triangle `L` with `L Lᵀ` the covariance (Cholesky), by rows.
    fn root(&self, length: usize) -> Vec<f64> {
        let mut root = vec![0.0; length * length];
        for i in 0..length {
            let (above, row) = root.split_at_mut(i * length);
            for j in 0..=i {
                let wanted = self.covariance(i as f64, j as f64, length as f64);
                let other = if j < i { &above[j * length..][..length] } else { &[][..] };
                if j < i {
                    row[j] = (wanted - dot(&row[..j], &other[..j])) / other[j];
                } else {
                    // A little noise of their own keeps values apart that the kernel makes one.
                    let rest = wanted * (1.0 + 1e-6) + 1e-6 - dot(&row[..j], &row[..j]);
                    row[j] = rest.max(1e-9).sqrt();
                }
            }
        }
        root
    }
}

/// A product in an order that vector instructions can follow.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_parts, b_parts) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a_parts.0.iter().zip(b_parts.0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = a_parts.1.iter().zip(b_parts.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

fn standardised(series: &[f64]) -> Vec<f32> {
    let count = series.len() as f64;
    let mean = series.iter().sum::<f64>() / count;
    let deviation = (series.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    series.iter().map(|x| ((x - mean) / deviation.max(1e-6)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_gives_back_the_covariance() {
        let length = 40;
        for seed in 0..20 {
            let kernel = Kernel::draw(&mut Random::new(seed), length);
            let root = kernel.root(length);
            for i in 0..length {
                for j in 0..=i {
                    let product = dot(&root[i * length..][..=j], &root[j * length..][..=j]);
                    let wanted = kernel.covariance(i as f64, j as f64, length as f64);
                    let noise = if i == j { 1e-6 + 1e-6 * wanted.abs() } else { 0.0 };
                    let close = 1e-6 * (1.0 + wanted.abs());
                    assert!((product - wanted - noise).abs() <= close, "{kernel:?} at {i}, {j}: {product}, {wanted}");
                }
            }
        }
    }

    #[test]
    fn samples_have_the_dependence_of_their_kernel() {
        let mut random = Random::new(3);
        let mean_product = |kernel: &Kernel, lag: usize, random: &mut Random| {
            let samples = kernel.sample(random, 200, 60);
            let sum: f32 = samples.iter().flat_map(|x| x.iter().zip(&x[lag..]).map(|(a, b)| a * b)).sum();
            sum / (60 * (200 - lag)) as f32
        };
        assert!(mean_product(&Kernel::White(1.0), 1, &mut random).abs() < 0.05);
        assert!(mean_product(&Kernel::Smooth(8.0), 1, &mut random) > 0.95);
        assert!(mean_product(&Kernel::Periodic(20.0), 20, &mut random) > 0.95);
        assert!(mean_product(&Kernel::Periodic(20.0), 10, &mut random) < 0.2);
    }
}
