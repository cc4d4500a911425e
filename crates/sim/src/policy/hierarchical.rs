//! Risk parity along a tree of likeness.

use super::frame::Frame;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::{Covariance, Error};

/// Hierarchical risk parity: assets are ordered by single-linkage clustering of their correlation
/// distances, and money is halved down the order by inverse variance. M. López de Prado, "Building
/// Diversified Portfolios that Outperform Out of Sample", Journal of Portfolio Management 42(4),
/// 2016. No matrix is inverted. The weights jump where two distances are nearly the same, so that it is
/// a baseline for backtests and no policy that advice is given by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HierarchicalRiskParity {
    /// Window, shrinkage, cash and limits.
    pub config: PolicyConfig,
}

impl Policy for HierarchicalRiskParity {
    fn name(&self) -> &'static str {
        "hrp"
    }

    fn describe(&self) -> &'static str {
        "Orders assets by how alike they move and divides money down that order by inverse risk (hierarchical \
         risk parity). A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        let returns = frame.joint_returns();
        let fractions = match Covariance::shrunk(&returns, self.config.shrinkage) {
            Some(shrunk) if returns.n_assets() > 0 => hierarchical_weights(&shrunk.covariance),
            _ => Vec::new(),
        };
        frame.finish(&fractions)
    }
}

/// Weights, `[assets]`, summing to one.
#[must_use]
pub fn hierarchical_weights(covariance: &Covariance) -> Vec<f64> {
    let n_assets = covariance.n_assets();
    let order = order(covariance);
    let mut weights = vec![1.0; n_assets];
    let mut spans = vec![(0, n_assets)];
    while let Some((from, to)) = spans.pop() {
        if to - from < 2 {
            continue;
        }
        let middle = from + (to - from) / 2;
        let (left, right) =
            (cluster_variance(covariance, &order[from..middle]), cluster_variance(covariance, &order[middle..to]));
        let share = if left + right > 0.0 { 1.0 - left / (left + right) } else { 0.5 };
        order[from..middle].iter().for_each(|&asset| weights[asset] *= share);
        order[middle..to].iter().for_each(|&asset| weights[asset] *= 1.0 - share);
        spans.push((from, middle));
        spans.push((middle, to));
    }
    weights
}

/// Variance of a cluster whose assets weigh by inverse variance.
fn cluster_variance(covariance: &Covariance, assets: &[usize]) -> f64 {
    let inverse: Vec<f64> =
        assets.iter().map(|&asset| 1.0 / covariance.at(asset, asset).max(f64::MIN_POSITIVE)).collect();
    let sum: f64 = inverse.iter().sum();
    let mut variance = 0.0;
    for (i, &left) in assets.iter().enumerate() {
        for (j, &right) in assets.iter().enumerate() {
            variance += inverse[i] / sum * covariance.at(left, right) * (inverse[j] / sum);
        }
    }
    variance
}

/// The leaves of the single-linkage tree from left to right. Distances are Euclidean between the
/// rows of the correlation-distance matrix, as in the source. The tree is that of Prim's spanning
/// tree, whose edges by length are the merges.
fn order(covariance: &Covariance) -> Vec<usize> {
    let n_assets = covariance.n_assets();
    let near = |i: usize, j: usize| {
        let correlation = if i == j { 1.0 } else { covariance.correlation(i, j).unwrap_or(0.0) };
        (0.5 * (1.0 - correlation)).max(0.0).sqrt()
    };
    let rows: Vec<Vec<f64>> = (0..n_assets).map(|i| (0..n_assets).map(|j| near(i, j)).collect()).collect();
    let distance = |i: usize, j: usize| -> f64 { rows[i].iter().zip(&rows[j]).map(|(a, b)| (a - b) * (a - b)).sum() };
    let mut edges: Vec<(f64, usize, usize)> = Vec::new();
    let mut reach: Vec<(f64, usize)> =
        (0..n_assets).map(|asset| (if asset == 0 { 0.0 } else { distance(0, asset) }, 0)).collect();
    let mut inside = vec![false; n_assets];
    if n_assets > 0 {
        inside[0] = true;
    }
    for _ in 1..n_assets {
        let next = (0..n_assets)
            .filter(|&asset| !inside[asset])
            .min_by(|&a, &b| reach[a].0.total_cmp(&reach[b].0))
            .expect("Invariant: an asset is left");
        edges.push((reach[next].0, reach[next].1, next));
        inside[next] = true;
        for asset in (0..n_assets).filter(|&asset| !inside[asset]) {
            let length = distance(next, asset);
            if length < reach[asset].0 {
                reach[asset] = (length, next);
            }
        }
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut cluster: Vec<usize> = (0..n_assets).collect();
    let mut leaves: Vec<Vec<usize>> = (0..n_assets).map(|asset| vec![asset]).collect();
    for (_, left, right) in edges {
        let (left, right) = (cluster[left], cluster[right]);
        // The calmer cluster stands first, so that the names of assets do not decide.
        let calmer = cluster_variance(covariance, &leaves[left]) <= cluster_variance(covariance, &leaves[right]);
        let (left, right) = if calmer { (left, right) } else { (right, left) };
        let moved = std::mem::take(&mut leaves[right]);
        moved.iter().for_each(|&asset| cluster[asset] = left);
        leaves[left].extend(moved);
    }
    leaves.into_iter().find(|leaves| !leaves.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_alike_share_what_one_apart_gets() {
        // Equal variances; the first two move together, the third on its own.
        let covariance = Covariance::from_rows(&[
            vec![1.0, 0.9, 0.0, 0.0],
            vec![0.9, 1.0, 0.0, 0.0],
            vec![0.0, 0.0, 1.0, 0.9],
            vec![0.0, 0.0, 0.9, 1.0],
        ])
        .unwrap();
        let weights = hierarchical_weights(&covariance);
        assert!(weights.iter().all(|weight| (weight - 0.25).abs() < 1e-12), "{weights:?}");
        let uneven = Covariance::from_rows(&[vec![1.0, 0.0], vec![0.0, 3.0]]).unwrap();
        let weights = hierarchical_weights(&uneven);
        assert!((weights[0] - 0.75).abs() < 1e-12 && (weights[1] - 0.25).abs() < 1e-12);
        assert_eq!(hierarchical_weights(&Covariance::from_rows(&[vec![2.0]]).unwrap()), [1.0]);
    }

    #[test]
    fn likeness_decides_who_stands_together() {
        let covariance = Covariance::from_rows(&[
            vec![1.0, 0.0, 0.95, 0.1],
            vec![0.0, 1.0, 0.05, 0.9],
            vec![0.95, 0.05, 1.0, 0.0],
            vec![0.1, 0.9, 0.0, 1.0],
        ])
        .unwrap();
        let order = order(&covariance);
        assert!(matches!((order[0] + order[1], order[2] + order[3]), (2, 4) | (4, 2)), "{order:?}");
    }
}
