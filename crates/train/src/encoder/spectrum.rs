//! How many directions a cloud of vectors really uses.

/// The effective rank of the rows of a matrix, after taking away their mean: the exponential of the
/// entropy of its normalised singular values (Roy and Vetterli 2007). `None` where nothing varies.
#[must_use]
pub fn effective_rank(rows: &[&[f32]]) -> Option<f64> {
    let dim = rows.first()?.len();
    let count = rows.len() as f64;
    let mut mean = vec![0.0; dim];
    for row in rows {
        mean.iter_mut().zip(*row).for_each(|(mean, &x)| *mean += f64::from(x) / count);
    }
    let mut products = vec![0.0; dim * dim];
    let mut centred = vec![0.0; dim];
    for row in rows {
        centred.iter_mut().zip(row.iter().zip(&mean)).for_each(|(to, (&x, mean))| *to = f64::from(x) - mean);
        for (i, x) in centred.iter().enumerate() {
            for (to, y) in products[i * dim..(i + 1) * dim].iter_mut().zip(&centred) {
                *to += x * y;
            }
        }
    }
    let singular: Vec<f64> = eigenvalues(&mut products, dim).into_iter().map(|value| value.max(0.0).sqrt()).collect();
    let total: f64 = singular.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let shares = singular.iter().map(|value| value / total).filter(|share| *share > 0.0);
    Some((-shares.map(|share| share * share.ln()).sum::<f64>()).exp())
}

/// Eigenvalues of a symmetric matrix, by Jacobi's rotations; the matrix is used up.
fn eigenvalues(matrix: &mut [f64], dim: usize) -> Vec<f64> {
    const SWEEPS: usize = 60;
    let size: f64 = matrix.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let off: f64 =
            (0..dim).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| matrix[i * dim + j].powi(2)).sum();
        if off <= size * 1e-24 {
            break;
        }
        for p in 0..dim {
            for q in p + 1..dim {
                rotate(matrix, dim, p, q);
            }
        }
    }
    (0..dim).map(|i| matrix[i * dim + i]).collect()
}

/// Makes the entry `(p, q)` zero (Golub and Van Loan 2013, section 8.5.2).
fn rotate(matrix: &mut [f64], dim: usize, p: usize, q: usize) {
    let entry = matrix[p * dim + q];
    if entry == 0.0 {
        return;
    }
    let theta = (matrix[q * dim + q] - matrix[p * dim + p]) / (2.0 * entry);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for k in 0..dim {
        let (a, b) = (matrix[k * dim + p], matrix[k * dim + q]);
        matrix[k * dim + p] = cosine * a - sine * b;
        matrix[k * dim + q] = sine * a + cosine * b;
    }
    for k in 0..dim {
        let (a, b) = (matrix[p * dim + k], matrix[q * dim + k]);
        matrix[p * dim + k] = cosine * a - sine * b;
        matrix[q * dim + k] = sine * a + cosine * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_clouds_that_are_known() {
        let rank = |rows: &[[f32; 3]]| effective_rank(&rows.iter().map(|row| row.as_slice()).collect::<Vec<_>>());
        // Two directions of the same size, one of them turned away from the axes.
        let square = [[1.0, 1.0, 5.0], [1.0, -1.0, 5.0], [-1.0, 1.0, 5.0], [-1.0, -1.0, 5.0]];
        assert!((rank(&square).unwrap() - 2.0).abs() < 1e-9);
        let line = [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]];
        assert!((rank(&line).unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(rank(&[[1.0, 2.0, 3.0]; 4]), None);
        // Deviations 3 and 1: entropy of three quarters and one quarter.
        let ellipse = [[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]];
        let entropy = -(0.75_f64 * 0.75_f64.ln() + 0.25 * 0.25_f64.ln());
        assert!((rank(&ellipse).unwrap() - entropy.exp()).abs() < 1e-9);
    }
}
