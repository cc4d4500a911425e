//! Linear equations with a symmetric, positive definite matrix.

/// The lower triangular factor of a matrix.
pub(crate) struct Cholesky {
    rows: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Factors the matrix with the given entries, of which the lower triangle is read. A pivot
    /// that rounding takes below `least_pivot` is raised to it.
    pub fn new(size: usize, least_pivot: f64, entry: impl Fn(usize, usize) -> f64) -> Self {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
        for i in 0..size {
            let mut row: Vec<f64> = Vec::with_capacity(i + 1);
            for (j, above) in rows.iter().enumerate() {
                row.push((entry(i, j) - dot(&row, above)) / above[j]);
            }
            row.push((entry(i, i) - dot(&row, &row)).max(least_pivot).sqrt());
            rows.push(row);
        }
        Self { rows }
    }

    /// The solution for one right-hand side.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.rows.iter().enumerate() {
            solution[i] = (solution[i] - dot(row, &solution[..i])) / row[i];
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            solution[i] /= row[i];
            for j in 0..i {
                solution[j] -= row[j] * solution[i];
            }
        }
        solution
    }
}

/// The sum of products over the shorter length, in eight lanes: one alone would wait for each addition to finish.
/// The order is fixed.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let length = left.len().min(right.len());
    let (left, left_rest) = left[..length].as_chunks::<8>();
    let (right, right_rest) = right[..length].as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (left, right) in left.iter().zip(right) {
        for (lane, (left, right)) in lanes.iter_mut().zip(left.iter().zip(right)) {
            *lane += left * right;
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solution_fulfils_the_equations() {
        let matrix = [[4.0, 2.0, -1.0], [2.0, 5.0, 0.5], [-1.0, 0.5, 3.0]];
        let solution = Cholesky::new(3, 0.0, |i, j| matrix[i][j]).solve(&[1.0, -2.0, 3.0]);
        for (row, wanted) in matrix.iter().zip([1.0, -2.0, 3.0]) {
            assert!((dot(row, &solution) - wanted).abs() < 1e-14);
        }
        assert_eq!(Cholesky::new(0, 0.0, |_, _| 0.0).solve(&[]), [0.0; 0]);
    }
}
