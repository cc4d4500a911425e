//! Return against risk, with both estimates pulled towards what they have in common.

use super::frame::Frame;
use super::quadratic::best_trade_off;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::cholesky::{Cholesky, dot};
use crate::{Covariance, Error, ReturnMatrix};

/// Maximises mean return less half `AVERSION` times variance, long only, with the shrunk
/// covariance and means shrunk towards that of the least-variance portfolio: P. Jorion,
/// "Bayes-Stein Estimation for Portfolio Analysis", Journal of Financial and Quantitative Analysis
/// 21(3), 1986.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanVariance {
    /// Window, shrinkage, cash and limits.
    pub config: PolicyConfig,
}

const NAME: &str = "mean-variance";

/// Aversion to variance: five is between the market's (about three) and a cautious person's.
const AVERSION: f64 = 5.0;

impl Policy for MeanVariance {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "Weighs mean return against variance over the past year, both shrunk because a year says little about \
         means. A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        let returns = frame.joint_returns();
        let fractions = match Covariance::shrunk(&returns, self.config.shrinkage) {
            Some(shrunk) if returns.n_assets() > 0 => {
                let means = shrunk_means(&returns, &shrunk.covariance);
                best_trade_off(NAME, &shrunk.covariance, &means, AVERSION, frame.cap())?
            }
            _ => Vec::new(),
        };
        frame.finish(&fractions)
    }
}

/// Daily means of complete sessions, shrunk towards the mean of the least-variance portfolio that
/// may also be short.
fn shrunk_means(returns: &ReturnMatrix, covariance: &Covariance) -> Vec<f64> {
    let (n_assets, n_sessions) = (returns.n_assets(), returns.n_sessions());
    let means: Vec<f64> =
        (0..n_assets).map(|asset| returns.observed(asset).iter().sum::<f64>() / n_sessions as f64).collect();
    let factor = Cholesky::new(n_assets, 1e-12, |i, j| covariance.at(i, j));
    let along_ones = factor.solve(&vec![1.0; n_assets]);
    let common = dot(&along_ones, &means) / along_ones.iter().sum::<f64>();
    let away: Vec<f64> = means.iter().map(|mean| mean - common).collect();
    let distance = dot(&away, &factor.solve(&away));
    let strength = (n_assets as f64 + 2.0) / distance.max(f64::MIN_POSITIVE);
    let share = strength / (strength + n_sessions as f64);
    means.iter().map(|mean| (1.0 - share) * mean + share * common).collect()
}
