//! Covariance of daily returns, and its shrinkage.
//!
//! A sample covariance of many assets over one year is mostly noise, and a minimum-variance rule
//! seeks out exactly the errors. Shrinkage pulls it towards a target with few parameters by an
//! intensity that the data themselves give.

use crate::ReturnMatrix;
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
        let target = match shrinkage {
            Shrinkage::None => return Some(Shrunk { covariance: sample, intensity: 0.0 }),
            Shrinkage::ConstantCorrelation => constant_correlation(&sample),
            Shrinkage::ScaledIdentity => scaled_identity(&sample),
        };
        let common = match shrinkage {
            Shrinkage::ConstantCorrelation => deviations.error_shared_with_constant_correlation(&sample),
            Shrinkage::None | Shrinkage::ScaledIdentity => 0.0,
        };
        let distance: f64 = sample.values.iter().zip(&target.values).map(|(a, b)| (a - b) * (a - b)).sum();
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

/// Returns less their mean, by asset, over the complete sessions.
struct Deviations {
    columns: Vec<Vec<f64>>,
    /// Sessions less one.
    freedom: f64,
}

impl Deviations {
    fn of(returns: &ReturnMatrix) -> Option<Self> {
        let complete = returns.complete_cases();
        let n_sessions = complete.n_sessions();
        if n_sessions < 2 {
            return None;
        }
        let columns = (0..complete.n_assets())
            .map(|asset| {
                let column = complete.observed(asset);
                let mean = column.iter().sum::<f64>() / n_sessions as f64;
                column.into_iter().map(|ret| ret - mean).collect()
            })
            .collect();
        Some(Self { columns, freedom: (n_sessions - 1) as f64 })
    }

    fn covariance(&self) -> Covariance {
        let n_assets = self.columns.len();
        let mut values = vec![0.0; n_assets * n_assets];
        for i in 0..n_assets {
            for j in 0..=i {
                let product: f64 = self.columns[i].iter().zip(&self.columns[j]).map(|(a, b)| a * b).sum();
                values[i * n_assets + j] = product / self.freedom;
                values[j * n_assets + i] = product / self.freedom;
            }
        }
        Covariance { n_assets, values }
    }

    /// π: the summed variance of the entries of the sample covariance, times sessions.
    fn sampling_error(&self, sample: &Covariance) -> f64 {
        let n_assets = self.columns.len();
        (0..n_assets)
            .flat_map(|i| (0..n_assets).map(move |j| (i, j)))
            .map(|(i, j)| self.entry_error(sample, i, j))
            .sum()
    }

    fn entry_error(&self, sample: &Covariance, i: usize, j: usize) -> f64 {
        let squares: f64 = self.columns[i].iter().zip(&self.columns[j]).map(|(a, b)| a * a * b * b).sum();
        squares / self.freedom - sample.at(i, j) * sample.at(i, j)
    }

    /// ρ: how much of the sampling error the constant-correlation target shares with the sample.
    fn error_shared_with_constant_correlation(&self, sample: &Covariance) -> f64 {
        let n_assets = self.columns.len();
        let mean_correlation = mean_correlation(sample);
        let mut shared = 0.0;
        for i in 0..n_assets {
            shared += self.entry_error(sample, i, i);
            for j in (0..n_assets).filter(|&j| j != i) {
                let cubes: f64 = self.columns[i].iter().zip(&self.columns[j]).map(|(a, b)| a * a * a * b).sum();
                let theta = cubes / self.freedom - sample.at(i, i) * sample.at(i, j);
                let scale = sample.volatility_daily(i);
                if scale > 0.0 {
                    shared += mean_correlation * sample.volatility_daily(j) / scale * theta;
                }
            }
        }
        shared
    }
}

fn mean_correlation(sample: &Covariance) -> f64 {
    let n_assets = sample.n_assets;
    if n_assets < 2 {
        return 0.0;
    }
    let pairs = (0..n_assets).flat_map(|i| (0..i).map(move |j| (i, j)));
    let sum: f64 = pairs.map(|(i, j)| sample.correlation(i, j).unwrap_or(0.0)).sum();
    sum / (n_assets * (n_assets - 1) / 2) as f64
}

fn constant_correlation(sample: &Covariance) -> Covariance {
    let correlation = mean_correlation(sample);
    with_entries(sample.n_assets, |i, j| {
        let scale = sample.volatility_daily(i) * sample.volatility_daily(j);
        if i == j { sample.at(i, i) } else { correlation * scale }
    })
}

fn scaled_identity(sample: &Covariance) -> Covariance {
    let n_assets = sample.n_assets;
    let mean = (0..n_assets).map(|i| sample.at(i, i)).sum::<f64>() / n_assets.max(1) as f64;
    with_entries(n_assets, |i, j| if i == j { mean } else { 0.0 })
}

fn with_entries(n_assets: usize, entry: impl Fn(usize, usize) -> f64) -> Covariance {
    let values = (0..n_assets * n_assets).map(|at| entry(at / n_assets, at % n_assets)).collect();
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
