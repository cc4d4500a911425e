//! Quadratic programs on the simplex.

use crate::cholesky::Cholesky;

/// The ridge that keeps the matrix of equal assets definite, as a fraction of its diagonal.
const RIDGE: f64 = 1e-13;

/// By how much of the largest entry of the matrix a condition may be missed: rounding lets less turn
/// in circles.
const TOLERANCE: f64 = 1e-10;

/// `min ½ pᵀHp − cᵀp` with `p ≥ 0` and `Σ p = 1`, by the primal active-set method (Nocedal and
/// Wright, "Numerical Optimization", section 16.5) from weights on the simplex. `matrix` is `H` by
/// rows, symmetric and positive semidefinite. `None` when the rounds do not come to an end.
pub(super) fn minimise_on_simplex(matrix: &[f64], linear: &[f64], start: &[f64]) -> Option<Vec<f64>> {
    let n_assets = linear.len();
    let at = |i: usize, j: usize| matrix[i * n_assets + j];
    let scale = (0..n_assets).map(|i| at(i, i)).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut weights = start.to_vec();
    let mut free: Vec<bool> = weights.iter().map(|weight| *weight > 0.0).collect();
    for _ in 0..20 * n_assets + 100 {
        let inside: Vec<usize> = (0..n_assets).filter(|&i| free[i]).collect();
        let factor = Cholesky::new(inside.len(), RIDGE, |i, j| at(inside[i], inside[j]) / scale);
        let right: Vec<f64> = inside.iter().map(|&i| linear[i] / scale).collect();
        let (along, ones) = (factor.solve(&right), factor.solve(&vec![1.0; inside.len()]));
        let dual = (along.iter().sum::<f64>() - 1.0) / ones.iter().sum::<f64>();
        let target: Vec<f64> = along.iter().zip(&ones).map(|(a, one)| a - dual * one).collect();
        let mut length = 1.0;
        let mut first = None;
        for (&asset, &target) in inside.iter().zip(&target) {
            if target < 0.0 {
                let share = weights[asset] / (weights[asset] - target);
                if share < length {
                    (length, first) = (share, Some(asset));
                }
            }
        }
        for (&asset, &target) in inside.iter().zip(&target) {
            weights[asset] += length * (target - weights[asset]);
        }
        if let Some(asset) = first {
            (free[asset], weights[asset]) = (false, 0.0);
            continue;
        }
        // An asset outside comes in if the value falls by more than the common price of weight.
        let slope = |i: usize| (linear[i] - inside.iter().map(|&j| at(i, j) * weights[j]).sum::<f64>()) / scale - dual;
        let candidate = (0..n_assets).filter(|&i| !free[i]).max_by(|&i, &j| slope(i).total_cmp(&slope(j)));
        match candidate.filter(|&i| slope(i) > TOLERANCE * (1.0 + dual.abs())) {
            Some(asset) => free[asset] = true,
            None => {
                let sum: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|weight| *weight = weight.max(0.0) / sum);
                return Some(weights);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_of_the_simplex_is_the_projection() {
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        for point in [[0.7, 0.2, 0.9], [2.0, -1.0, 0.0], [0.2, 0.3, 0.5]] {
            let found = minimise_on_simplex(&identity, &point, &[1.0 / 3.0; 3]).unwrap();
            let wanted = crate::capped_simplex(&point, 1.0, 1.0 + 1e-9);
            assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {wanted:?}");
        }
    }
}
