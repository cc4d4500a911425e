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
/// Strengths that [`Probe::fit_chosen`] chooses from, from the weakest.
const RIDGES: [f64; 6] = [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0];

impl Probe {
    /// Fits to rows and what they should say; `None` with fewer than two rows more than a row has numbers.
    #[must_use]
    pub fn fit(rows: &[&[f32]], targets: &[f64]) -> Option<Self> {
        let dim = rows.first()?.len();
        if rows.len() < dim + 2 || rows.len() != targets.len() {
            return None;
        }
        let mut probe = Self::standard(rows, targets);
        let moments = probe.moments(rows, targets);
        probe.weights = moments.solve(RIDGE);
        Some(probe)
    }

    /// As [`Self::fit`], with the strength of the ridge that foretells each fold from the others best. Folds
    /// should be stretches of time: rows of neighbouring days are no independent witnesses. `None` also with
    /// fewer than two folds.
    #[must_use]
    pub fn fit_chosen(folds: &[(Vec<&[f32]>, Vec<f64>)]) -> Option<Self> {
        let rows: Vec<&[f32]> = folds.iter().flat_map(|(rows, _)| rows.iter().copied()).collect();
        let targets: Vec<f64> = folds.iter().flat_map(|(_, targets)| targets.iter().copied()).collect();
        let dim = rows.first()?.len();
        if rows.len() < dim + 2 || rows.len() != targets.len() || folds.len() < 2 {
            return None;
        }
        let mut probe = Self::standard(&rows, &targets);
        let parts: Vec<Moments> = folds.iter().map(|(rows, targets)| probe.moments(rows, targets)).collect();
        let whole = parts.iter().fold(Moments::new(dim), |whole, part| whole.joined(part, 1.0));
        let error =
            |ridge: f64| parts.iter().map(|part| part.error(&whole.joined(part, -1.0).solve(ridge))).sum::<f64>();
        let first = (RIDGES[0], error(RIDGES[0]));
        let (ridge, _) = RIDGES[1..].iter().fold(first, |best, &ridge| {
            let found = error(ridge);
            if found < best.1 { (ridge, found) } else { best }
        });
        probe.weights = whole.solve(ridge);
        Some(probe)
    }

    /// Means and scales, and no weights yet.
    fn standard(rows: &[&[f32]], targets: &[f64]) -> Self {
        let (dim, count) = (rows[0].len(), rows.len() as f64);
        let mean: Vec<f64> = (0..dim).map(|i| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / count).collect();
        let square = |i: usize| rows.iter().map(|row| (f64::from(row[i]) - mean[i]).powi(2)).sum::<f64>() / count;
        let scale: Vec<f64> = (0..dim)
            .map(|i| square(i).sqrt())
            .map(|deviation| if deviation > 1e-12 { 1.0 / deviation } else { 0.0 })
            .collect();
        Self { mean, scale, weights: vec![0.0; dim], intercept: targets.iter().sum::<f64>() / count }
    }

    fn moments(&self, rows: &[&[f32]], targets: &[f64]) -> Moments {
        let dim = self.mean.len();
        let mut moments = Moments::new(dim);
        moments.count = rows.len() as f64;
        let mut x = vec![0.0; dim];
        for (row, target) in rows.iter().zip(targets) {
            standardise(row, &self.mean, &self.scale, &mut x);
            let y = target - self.intercept;
            moments.square += y * y;
            for i in 0..dim {
                moments.right[i] += x[i] * y;
                for (to, x_j) in moments.products[i * dim..=i * dim + i].iter_mut().zip(&x) {
                    *to += x[i] * x_j;
                }
            }
        }
        moments
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

/// Sums over standardised rows `x` and what they should say, `y`, less its mean.
struct Moments {
    /// Of `x xᵀ`, its lower half, `dim * dim`.
    products: Vec<f64>,
    /// Of `x y`.
    right: Vec<f64>,
    /// Of `y²`.
    square: f64,
    count: f64,
}

impl Moments {
    fn new(dim: usize) -> Self {
        Self { products: vec![0.0; dim * dim], right: vec![0.0; dim], square: 0.0, count: 0.0 }
    }

    fn joined(&self, other: &Self, sign: f64) -> Self {
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + sign * b).collect();
        Self {
            products: sum(&self.products, &other.products),
            right: sum(&self.right, &other.right),
            square: self.square + sign * other.square,
            count: self.count + sign * other.count,
        }
    }

    fn solve(&self, ridge: f64) -> Vec<f64> {
        let dim = self.right.len();
        let mut products = self.products.clone();
        for i in 0..dim {
            products[i * dim + i] += ridge * self.count;
        }
        solve(products, self.right.clone(), dim)
    }

    /// The sum of `(y - wᵀ x)²` over these rows.
    fn error(&self, weights: &[f64]) -> f64 {
        let dim = weights.len();
        let mut square = 0.0;
        for i in 0..dim {
            let row = &self.products[i * dim..i * dim + i];
            let below: f64 = row.iter().zip(weights).map(|(a, w)| a * w).sum();
            square += weights[i] * (2.0 * below + self.products[i * dim + i] * weights[i]);
        }
        let cross: f64 = self.right.iter().zip(weights).map(|(a, w)| a * w).sum();
        self.square - 2.0 * cross + square
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
    #[test]
    fn the_strength_of_the_ridge_is_chosen_by_what_it_foretells() {
        let mut random = lotwise_tensor::Random::new(9);
        let draw = |random: &mut lotwise_tensor::Random, count: usize, signal: f64| -> (Vec<Vec<f32>>, Vec<f64>) {
            let rows: Vec<Vec<f32>> = (0..count).map(|_| (0..40).map(|_| random.normal()).collect()).collect();
            let targets = rows.iter().map(|row| signal * f64::from(row[0]) + f64::from(random.normal())).collect();
            (rows, targets)
        };
        for signal in [0.0, 10.0] {
            let folds: Vec<_> = (0..5).map(|_| draw(&mut random, 20, signal)).collect();
            let views: Vec<(Vec<&[f32]>, Vec<f64>)> = folds
                .iter()
                .map(|(rows, targets)| (rows.iter().map(Vec::as_slice).collect(), targets.clone()))
                .collect();
            let chosen = Probe::fit_chosen(&views).unwrap();
            let all: Vec<&[f32]> = views.iter().flat_map(|(rows, _)| rows.iter().copied()).collect();
            let targets: Vec<f64> = views.iter().flat_map(|(_, targets)| targets.iter().copied()).collect();
            let fixed = Probe::fit(&all, &targets).unwrap();
            let (rows, fresh) = draw(&mut random, 400, signal);
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let [chosen, fixed] = [chosen, fixed].map(|probe| probe.r_squared(&rows, &fresh).unwrap());
            if signal > 0.0 {
                assert!(chosen > 0.95, "{chosen}");
            } else {
                assert!(chosen > -0.1 && chosen > fixed + 0.1, "{chosen} {fixed}");
            }
        }
        assert!(Probe::fit_chosen(&[]).is_none());
    }
}
