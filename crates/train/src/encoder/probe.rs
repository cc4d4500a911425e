//! What can be read off a representation by a straight line.

/// A ridge regression on standardised inputs.
#[derive(Debug, Clone)]
pub struct Probe {
    mean: Vec<f64>,
    scale: Vec<f64>,
    weights: Vec<f64>,
    intercept: f64,
}

/// Strength of the ridge for each row.
const RIDGE: f64 = 1e-2;

impl Probe {
    /// Fits to rows and what they should say; `None` with fewer than two rows more than a row has numbers.
    #[must_use]
    pub fn fit(rows: &[&[f32]], targets: &[f64]) -> Option<Self> {
        let dim = rows.first()?.len();
        if rows.len() < dim + 2 || rows.len() != targets.len() {
            return None;
        }
        let count = rows.len() as f64;
        let mean: Vec<f64> = (0..dim).map(|i| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / count).collect();
        let square = |i: usize| rows.iter().map(|row| (f64::from(row[i]) - mean[i]).powi(2)).sum::<f64>() / count;
        let scale: Vec<f64> = (0..dim)
            .map(|i| square(i).sqrt())
            .map(|deviation| if deviation > 1e-12 { 1.0 / deviation } else { 0.0 })
            .collect();
        let intercept = targets.iter().sum::<f64>() / count;
        let (mut products, mut right) = (vec![0.0; dim * dim], vec![0.0; dim]);
        let mut x = vec![0.0; dim];
        for (row, target) in rows.iter().zip(targets) {
            standardise(row, &mean, &scale, &mut x);
            for i in 0..dim {
                right[i] += x[i] * (target - intercept);
                for (to, x_j) in products[i * dim..=i * dim + i].iter_mut().zip(&x) {
                    *to += x[i] * x_j;
                }
            }
        }
        for i in 0..dim {
            products[i * dim + i] += RIDGE * count;
        }
        let weights = solve(products, right, dim);
        Some(Self { mean, scale, weights, intercept })
    }

    /// What a row says.
    #[must_use]
    pub fn predict(&self, row: &[f32]) -> f64 {
        let parts = row.iter().zip(&self.mean).zip(self.scale.iter().zip(&self.weights));
        self.intercept + parts.map(|((&x, mean), (scale, weight))| (f64::from(x) - mean) * scale * weight).sum::<f64>()
    }

    /// What is told on other rows, against guessing the mean of the fitted ones: at most 1, 0 for nothing,
    /// below for worse than nothing; `None` where nothing varies.
    #[must_use]
    pub fn r_squared(&self, rows: &[&[f32]], targets: &[f64]) -> Option<f64> {
        let pairs = || rows.iter().zip(targets);
        let error: f64 = pairs().map(|(row, target)| (target - self.predict(row)).powi(2)).sum();
        let total: f64 = pairs().map(|(_, target)| (target - self.intercept).powi(2)).sum();
        (total > 0.0).then(|| 1.0 - error / total)
    }
}

fn standardise(row: &[f32], mean: &[f64], scale: &[f64], to: &mut [f64]) {
    for (i, to) in to.iter_mut().enumerate() {
        *to = (f64::from(row[i]) - mean[i]) * scale[i];
    }
}

/// Solves a positive definite system, of which the lower half is given, by Cholesky's factors.
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>, dim: usize) -> Vec<f64> {
    for i in 0..dim {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| matrix[i * dim + k] * matrix[j * dim + k]).sum();
            let rest = matrix[i * dim + j] - sum;
            matrix[i * dim + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / matrix[j * dim + j] };
        }
    }
    for i in 0..dim {
        let sum: f64 = (0..i).map(|k| matrix[i * dim + k] * right[k]).sum();
        right[i] = (right[i] - sum) / matrix[i * dim + i];
    }
    for i in (0..dim).rev() {
        let sum: f64 = (i + 1..dim).map(|k| matrix[k * dim + i] * right[k]).sum();
        right[i] = (right[i] - sum) / matrix[i * dim + i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_noise_is_not() {
        let mut random = lotwise_tensor::Random::new(4);
        let rows: Vec<[f32; 3]> = (0..400).map(|_| [random.normal(), 5.0 + 0.1 * random.normal(), 2.0]).collect();
        let (train, test) = rows.split_at(200);
        let line = |row: &[f32; 3]| 3.0 * f64::from(row[0]) - 20.0 * f64::from(row[1]) + 7.0;
        fn views(rows: &[[f32; 3]]) -> Vec<&[f32]> {
            rows.iter().map(|row| row.as_slice()).collect()
        }
        let targets = |rows: &[[f32; 3]]| rows.iter().map(line).collect::<Vec<_>>();
        let probe = Probe::fit(&views(train), &targets(train)).unwrap();
        assert!(probe.r_squared(&views(test), &targets(test)).unwrap() > 0.99);
        let noise: Vec<f64> = (0..200).map(|_| f64::from(random.normal())).collect();
        let none = Probe::fit(&views(train), &noise).unwrap();
        let fresh: Vec<f64> = (0..200).map(|_| f64::from(random.normal())).collect();
        assert!(none.r_squared(&views(test), &fresh).unwrap() < 0.05);
        assert!(Probe::fit(&views(&train[..4]), &noise[..4]).is_none());
    }
}
