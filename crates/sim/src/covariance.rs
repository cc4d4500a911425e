//! Covariance of daily returns, and its shrinkage.
//!
//! A sample covariance of many assets over one year is mostly noise, and a minimum-variance rule
//! seeks out exactly the errors. Shrinkage pulls it towards a target with few parameters by an
//! intensity that the data themselves give.

use crate::ReturnMatrix;
use crate::execution::lane_sum;
use crate::returns::SESSIONS_PER_YEAR;

/// Covariance of daily returns, `[assets, assets]`, symmetric, per day.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    n_assets: usize,
    values: Vec<f64>,
}

/// What a sample covariance is pulled towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrinkage {
    /// Nothing: the sample covariance as it is.
    None,
    /// The sample variances with the mean sample correlation between all pairs: O. Ledoit and
    /// M. Wolf, "Honey, I Shrunk the Sample Covariance Matrix", Journal of Portfolio Management
    /// 30(4), 2004, appendix B.
    ConstantCorrelation,
    /// The mean variance on the diagonal and nothing off it: O. Ledoit and M. Wolf, "A
    /// well-conditioned estimator for large-dimensional covariance matrices", Journal of
    /// Multivariate Analysis 88(2), 2004.
    ScaledIdentity,
}

/// A shrunk covariance and how far it was pulled.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// `intensity * target + (1 - intensity) * sample`.
    pub covariance: Covariance,
    /// From 0 (the sample) to 1 (the target).
    pub intensity: f64,
}

impl Covariance {
    /// The sample covariance of the sessions in which every asset has a return, around the mean,
    /// with one degree of freedom lost. `None` with fewer than two such sessions.
    #[must_use]
    pub fn sample(returns: &ReturnMatrix) -> Option<Self> {
        Deviations::of(returns).map(|deviations| deviations.covariance())
    }

    /// The sample covariance of the complete sessions, shrunk.
    ///
    /// Both estimators follow the papers with one degree of freedom lost to the mean. `None` with
    /// fewer than two complete sessions.
    #[must_use]
    pub fn shrunk(returns: &ReturnMatrix, shrinkage: Shrinkage) -> Option<Shrunk> {
        let deviations = Deviations::of(returns)?;
        let sample = deviations.covariance();
        let (target, common) = match shrinkage {
            Shrinkage::None => return Some(Shrunk { covariance: sample, intensity: 0.0 }),
            Shrinkage::ConstantCorrelation => {
                let volatilities = sample.volatilities();
                let correlation = mean_correlation(&sample, &volatilities);
                let shared = deviations.error_shared_with_constant_correlation(&sample, &volatilities, correlation);
                (constant_correlation(&sample, &volatilities, correlation), shared)
            }
            Shrinkage::ScaledIdentity => (scaled_identity(&sample), 0.0),
        };
        let distance = lane_sum_of(&sample.values, &target.values, |a, b| (a - b) * (a - b));
        let intensity = if distance > 0.0 {
            ((deviations.sampling_error(&sample) - common) / distance / deviations.freedom).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let values = sample
            .values
            .iter()
            .zip(&target.values)
            .map(|(sample, target)| intensity * target + (1.0 - intensity) * sample)
            .collect();
        Some(Shrunk { covariance: Self { n_assets: sample.n_assets, values }, intensity })
    }

    /// Takes a matrix by rows.
    ///
    /// `None` unless it is square, finite, symmetric, and its diagonal is not negative.
    #[must_use]
    pub fn from_rows(rows: &[Vec<f64>]) -> Option<Self> {
        let n_assets = rows.len();
        let square = rows.iter().all(|row| row.len() == n_assets && row.iter().all(|value| value.is_finite()));
        let matrix = Self { n_assets, values: rows.concat() };
        let sound = square
            && (0..n_assets)
                .all(|i| matrix.at(i, i) >= 0.0 && (0..i).all(|j| matrix.at(i, j).total_cmp(&matrix.at(j, i)).is_eq()));
        sound.then_some(matrix)
    }

    /// Number of assets.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.n_assets
    }

    /// Covariance of two assets per day.
    #[must_use]
    pub fn at(&self, first: usize, second: usize) -> f64 {
        self.values[first * self.n_assets + second]
    }

    /// Standard deviation of an asset per day.
    #[must_use]
    pub fn volatility_daily(&self, asset: usize) -> f64 {
        self.at(asset, asset).sqrt()
    }

    fn volatilities(&self) -> Vec<f64> {
        (0..self.n_assets).map(|asset| self.volatility_daily(asset)).collect()
    }

    /// Covariances of one asset with all, `[assets]`, per day.
    #[must_use]
    pub fn row(&self, asset: usize) -> &[f64] {
        &self.values[asset * self.n_assets..(asset + 1) * self.n_assets]
    }

    /// Annualised standard deviation of an asset.
    #[must_use]
    pub fn volatility_annual(&self, asset: usize) -> f64 {
        (self.at(asset, asset) * SESSIONS_PER_YEAR).sqrt()
    }

    /// Correlation of two assets; `None` when one does not move.
    #[must_use]
    pub fn correlation(&self, first: usize, second: usize) -> Option<f64> {
        let scale = self.volatility_daily(first) * self.volatility_daily(second);
        (scale > 0.0).then(|| (self.at(first, second) / scale).clamp(-1.0, 1.0))
    }

    /// What each asset adds to the portfolio's variance, `[assets]`: `w_i (Σw)_i`. The parts sum
    /// to the variance per day.
    #[must_use]
    pub fn risk_contributions(&self, weights: &[f64]) -> Vec<f64> {
        (0..self.n_assets)
            .map(|i| weights[i] * (0..self.n_assets).map(|j| self.at(i, j) * weights[j]).sum::<f64>())
            .collect()
    }

    /// Annualised standard deviation of a portfolio with the given weights, `[assets]`.
    #[must_use]
    pub fn portfolio_volatility_annual(&self, weights: &[f64]) -> f64 {
        (self.risk_contributions(weights).iter().sum::<f64>().max(0.0) * SESSIONS_PER_YEAR).sqrt()
    }
}

/// Assets side by side in the kernel of products.
const TILE: usize = 4;

/// Returns less their mean over the complete sessions, `[sessions, width]`: assets padded with zeros to whole tiles.
struct Deviations {
    values: Vec<f64>,
    n_assets: usize,
    width: usize,
    /// Sessions less one.
    freedom: f64,
}

impl Deviations {
    fn of(returns: &ReturnMatrix) -> Option<Self> {
        let complete = returns.complete_cases();
        let (n_sessions, n_assets) = (complete.n_sessions(), complete.n_assets());
        if n_sessions < 2 {
            return None;
        }
        let mut means = vec![0.0; n_assets];
        for row in 0..n_sessions {
            means.iter_mut().zip(complete.session(row)).for_each(|(mean, ret)| *mean += ret);
        }
        means.iter_mut().for_each(|mean| *mean /= n_sessions as f64);
        let width = n_assets.next_multiple_of(TILE);
        let mut values = vec![0.0; n_sessions * width];
        for (row, out) in values.chunks_exact_mut(width.max(1)).enumerate() {
            let rets = complete.session(row).iter().zip(&means);
            out.iter_mut().zip(rets).for_each(|(out, (ret, mean))| *out = ret - mean);
        }
        Some(Self { values, n_assets, width, freedom: (n_sessions - 1) as f64 })
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// Every product is a sum over sessions in their order, sixteen of them side by side.
    fn covariance(&self) -> Covariance {
        let n_assets = self.n_assets;
        let mut values = vec![0.0; n_assets * n_assets];
        // A strip of columns is copied out, so that the kernel reads one after the other.
        let mut strip: Vec<[f64; TILE]> = Vec::with_capacity(self.values.len() / self.width.max(1));
        let mut strips: Vec<Vec<[f64; TILE]>> = Vec::with_capacity(self.width / TILE);
        for first in (0..self.width).step_by(TILE) {
            strip.clear();
            strip.extend(self.rows().map(|row| std::array::from_fn(|at| row[first + at])));
            strips.push(strip.clone());
        }
        for (left_at, left) in strips.iter().enumerate() {
            for (right_at, right) in strips.iter().enumerate().take(left_at + 1) {
                let products = tile_products(left, right);
                for (i, row) in products.iter().enumerate() {
                    for (j, product) in row.iter().enumerate() {
                        let (i, j) = (left_at * TILE + i, right_at * TILE + j);
                        if i < n_assets && j <= i {
                            values[i * n_assets + j] = product / self.freedom;
                            values[j * n_assets + i] = product / self.freedom;
                        }
                    }
                }
            }
        }
        Covariance { n_assets, values }
    }

    /// π: the summed variance of the entries of the sample covariance, times sessions. Over all pairs the sum of
    /// `a²b²` of a session is the square of its summed `a²`.
    fn sampling_error(&self, sample: &Covariance) -> f64 {
        let squares: f64 = self.rows().map(|row| lane_sum(row, |ret| ret * ret)).map(|sum| sum * sum).sum();
        squares / self.freedom - lane_sum(&sample.values, |entry| entry * entry)
    }

    /// ρ: how much of the sampling error the constant-correlation target shares with the sample. As for π, the sums
    /// over pairs are products of two sums over assets.
    fn error_shared_with_constant_correlation(
        &self,
        sample: &Covariance,
        volatilities: &[f64],
        mean_correlation: f64,
    ) -> f64 {
        let per_volatility: Vec<f64> =
            volatilities.iter().map(|&volatility| if volatility > 0.0 { 1.0 / volatility } else { 0.0 }).collect();
        // Σ a³b σ_b / σ_a over all pairs, the pairs of an asset with itself among them, and those alone.
        let (mut cubes, mut fourths) = (0.0, 0.0);
        for row in self.rows() {
            let rets = &row[..self.n_assets];
            let cubed = lane_sum_of(rets, &per_volatility, |ret, per| ret * ret * ret * per);
            cubes += cubed * lane_sum_of(rets, volatilities, |ret, volatility| ret * volatility);
            fourths += lane_sum(rets, |ret| (ret * ret) * (ret * ret));
        }
        // The same sums of the sample's entries: Σ σ_a σ_b s_ab, and Σ s_aa².
        let (mut crossed, mut own) = (0.0, 0.0);
        for asset in 0..self.n_assets {
            let row = lane_sum_of(sample.row(asset), volatilities, |entry, volatility| entry * volatility);
            crossed += volatilities[asset] * row;
            own += sample.at(asset, asset) * sample.at(asset, asset);
        }
        let of_pairs = (cubes - fourths) / self.freedom - (crossed - own);
        fourths / self.freedom - own + mean_correlation * of_pairs
    }
}

/// Products of two strips over sessions.
fn tile_products(left: &[[f64; TILE]], right: &[[f64; TILE]]) -> [[f64; TILE]; TILE] {
    let mut sums = [[0.0; TILE]; TILE];
    for (left, right) in left.iter().zip(right) {
        for (sums, left) in sums.iter_mut().zip(left) {
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum += left * right;
            }
        }
    }
    sums
}

/// As [`lane_sum`], of two columns.
fn lane_sum_of(left: &[f64], right: &[f64], part: impl Fn(f64, f64) -> f64) -> f64 {
    let mut right = right.iter();
    lane_sum(left, |left| right.next().map_or(0.0, |&right| part(left, right)))
}

fn mean_correlation(sample: &Covariance, volatilities: &[f64]) -> f64 {
    let n_assets = sample.n_assets;
    if n_assets < 2 {
        return 0.0;
    }
    let per: Vec<f64> = volatilities.iter().map(|&one| if one > 0.0 { 1.0 / one } else { 0.0 }).collect();
    let row = |i: usize| per[i] * lane_sum_of(&sample.row(i)[..i], &per, |entry, per| entry * per);
    let sum: f64 = (0..n_assets).map(row).sum();
    sum / (n_assets * (n_assets - 1) / 2) as f64
}

fn constant_correlation(sample: &Covariance, volatilities: &[f64], correlation: f64) -> Covariance {
    with_entries(sample.n_assets, |i, j| {
        if i == j { sample.at(i, i) } else { correlation * (volatilities[i] * volatilities[j]) }
    })
}

fn scaled_identity(sample: &Covariance) -> Covariance {
    let n_assets = sample.n_assets;
    let mean = (0..n_assets).map(|i| sample.at(i, i)).sum::<f64>() / n_assets.max(1) as f64;
    with_entries(n_assets, |i, j| if i == j { mean } else { 0.0 })
}

fn with_entries(n_assets: usize, entry: impl Fn(usize, usize) -> f64) -> Covariance {
    let mut values = Vec::with_capacity(n_assets * n_assets);
    for i in 0..n_assets {
        values.extend((0..n_assets).map(|j| entry(i, j)));
    }
    Covariance { n_assets, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns() -> ReturnMatrix {
        ReturnMatrix::from_rows(&[
            vec![0.010, 0.012, -0.003],
            vec![-0.020, -0.010, 0.004],
            vec![0.030, 0.011, 0.001],
            vec![0.000, -0.004, -0.006],
            vec![0.010, 0.020, 0.005],
            vec![-0.015, 0.002, 0.007],
            vec![0.004, -0.009, -0.002],
            vec![-0.006, 0.003, 0.008],
            vec![f64::NAN, 0.5, 0.5],
        ])
    }

    #[test]
    fn shrinkage_agrees_with_the_published_formulas_in_numpy() {
        let cases = [
            (
                Shrinkage::ConstantCorrelation,
                0.228_473_549_298_059_2,
                [2.508_392_86e-4, 8.536_586_94e-5, -2.098_841_28e-5, 1.138_392_86e-4, 9.584_843_88e-6, 2.564_285_71e-5],
            ),
            (
                Shrinkage::ScaledIdentity,
                0.320_626_910_114_379_8,
                [2.121_293_12e-4, 7.040_003_64e-5, -2.074_514_26e-5, 1.190_551_98e-4, 6.915_047_52e-6, 5.913_691_83e-5],
            ),
        ];
        for (shrinkage, intensity, upper) in cases {
            let shrunk = Covariance::shrunk(&returns(), shrinkage).unwrap();
            assert!((shrunk.intensity - intensity).abs() < 1e-12, "{}", shrunk.intensity);
            let pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
            for ((i, j), wanted) in pairs.into_iter().zip(upper) {
                assert!((shrunk.covariance.at(i, j) / wanted - 1.0).abs() < 1e-8, "({i}, {j})");
                assert_eq!(shrunk.covariance.at(i, j), shrunk.covariance.at(j, i));
            }
        }
        assert_eq!(
            Covariance::shrunk(&returns(), Shrinkage::None).unwrap().covariance,
            Covariance::sample(&returns()).unwrap()
        );
    }

    #[test]
    fn a_single_asset_and_assets_that_stand_still_stay_finite() {
        for shrinkage in [Shrinkage::None, Shrinkage::ConstantCorrelation, Shrinkage::ScaledIdentity] {
            let one = Covariance::shrunk(&returns().columns(&[1]), shrinkage).unwrap();
            assert!(
                (one.covariance.volatility_annual(0)
                    - returns().columns(&[1]).complete_cases().volatility_annual(0).unwrap())
                .abs()
                    < 0.2
            );
            let still = ReturnMatrix::from_rows(&[vec![0.0, 0.01], vec![0.0, -0.01], vec![0.0, 0.02]]);
            let shrunk = Covariance::shrunk(&still, shrinkage).unwrap();
            assert!(shrunk.covariance.values.iter().all(|value| value.is_finite()) && shrunk.intensity.is_finite());
            assert_eq!(Covariance::shrunk(&ReturnMatrix::from_rows(&[vec![0.1, 0.2]]), shrinkage), None);
        }
    }

    #[test]
    fn risk_contributions_sum_to_the_variance() {
        let covariance = Covariance::sample(&returns()).unwrap();
        let volatility = covariance.portfolio_volatility_annual(&[1.0, 0.0, 0.0]);
        assert!((volatility - covariance.volatility_annual(0)).abs() < 1e-15);
        let parts = covariance.risk_contributions(&[0.5, 0.3, 0.2]);
        let variance = covariance.portfolio_volatility_annual(&[0.5, 0.3, 0.2]).powi(2) / SESSIONS_PER_YEAR;
        assert!((parts.iter().sum::<f64>() - variance).abs() < 1e-15);
    }

    #[test]
    fn a_matrix_that_is_no_covariance_is_refused() {
        assert_eq!(Covariance::from_rows(&[vec![1.0, 0.5], vec![0.4, 1.0]]), None);
        assert_eq!(Covariance::from_rows(&[vec![-1.0]]), None);
        assert_eq!(Covariance::from_rows(&[vec![1.0, 0.0]]), None);
        assert_eq!(Covariance::from_rows(&[vec![f64::NAN]]), None);
    }
}
