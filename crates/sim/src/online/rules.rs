//! The rules. Parameters are those of the sources; defaults of the published table stand in
//! `docs/results`.

use std::collections::VecDeque;

use super::{OnlineRule, quadratic};
use crate::capped_simplex;
use crate::cholesky::dot;

/// Equal amounts bought once and held: the market of the set.
#[derive(Debug, Clone)]
pub struct BuyAndHold {
    weights: Vec<f64>,
}

impl BuyAndHold {
    /// Equal amounts.
    #[must_use]
    pub fn uniform(n_assets: usize) -> Self {
        Self { weights: uniform(n_assets) }
    }
}

impl OnlineRule for BuyAndHold {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn learn(&mut self, relatives: &[f64]) {
        let growth = dot(&self.weights, relatives);
        self.weights.iter_mut().zip(relatives).for_each(|(weight, relative)| *weight *= relative / growth);
    }
}

/// The same weights restored every session (Cover 1991).
#[derive(Debug, Clone)]
pub struct ConstantRebalanced {
    weights: Vec<f64>,
}

impl ConstantRebalanced {
    /// Equal weights.
    #[must_use]
    pub fn uniform(n_assets: usize) -> Self {
        Self { weights: uniform(n_assets) }
    }

    /// These weights, which lie on the simplex.
    #[must_use]
    pub fn new(weights: Vec<f64>) -> Self {
        Self { weights }
    }
}

impl OnlineRule for ConstantRebalanced {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn learn(&mut self, _: &[f64]) {}
}

/// EG: weights grow by the exponential of what each asset added (Helmbold, Schapire, Singer and
/// Warmuth 1998).
#[derive(Debug, Clone)]
pub struct ExponentiatedGradient {
    weights: Vec<f64>,
    learning_rate: f64,
}

impl ExponentiatedGradient {
    /// The source uses a learning rate of 0.05.
    #[must_use]
    pub fn new(n_assets: usize, learning_rate: f64) -> Self {
        Self { weights: uniform(n_assets), learning_rate }
    }
}

impl OnlineRule for ExponentiatedGradient {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn learn(&mut self, relatives: &[f64]) {
        let growth = dot(&self.weights, relatives);
        for (weight, relative) in self.weights.iter_mut().zip(relatives) {
            *weight *= (self.learning_rate * relative / growth).exp();
        }
        let sum: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|weight| *weight /= sum);
    }
}

/// ONS: a second-order step towards the best constant weights so far (Agarwal, Hazan, Kale and
/// Schapire 2006).
#[derive(Debug, Clone)]
pub struct OnlineNewtonStep {
    weights: Vec<f64>,
    /// Sum of outer products of gradients and the identity, by rows.
    matrix: Vec<f64>,
    /// Weighted sum of gradients.
    sum: Vec<f64>,
    beta: f64,
    shrink: f64,
}

impl OnlineNewtonStep {
    /// The source uses `beta` 1 and `shrink` (its δ) 1/8, without mixing in equal weights.
    #[must_use]
    pub fn new(n_assets: usize, beta: f64, shrink: f64) -> Self {
        let mut matrix = vec![0.0; n_assets * n_assets];
        matrix.iter_mut().step_by(n_assets + 1).for_each(|entry| *entry = 1.0);
        Self { weights: uniform(n_assets), matrix, sum: vec![0.0; n_assets], beta, shrink }
    }
}

impl OnlineRule for OnlineNewtonStep {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn learn(&mut self, relatives: &[f64]) {
        let growth = dot(&self.weights, relatives);
        let gradient: Vec<f64> = relatives.iter().map(|relative| relative / growth).collect();
        let n_assets = gradient.len();
        for (i, left) in gradient.iter().enumerate() {
            for (j, right) in gradient.iter().enumerate() {
                self.matrix[i * n_assets + j] += left * right;
            }
            self.sum[i] += (1.0 + 1.0 / self.beta) * left;
        }
        // The projection of `shrink · A⁻¹ b` in the norm of `A` needs `b` only.
        let linear: Vec<f64> = self.sum.iter().map(|part| self.shrink * part).collect();
        if let Some(weights) = quadratic::minimise_on_simplex(&self.matrix, &linear, &self.weights) {
            self.weights = weights;
        }
    }
}

/// PAMR: as soon as a session earns more than a threshold, weight moves from what rose to what fell
/// (Li, Zhao, Hoi and Gopalkrishnan 2012).
#[derive(Debug, Clone)]
pub struct PassiveAggressiveMeanReversion {
    weights: Vec<f64>,
    threshold: f64,
}

impl PassiveAggressiveMeanReversion {
    /// The source uses a threshold of 0.5.
    #[must_use]
    pub fn new(n_assets: usize, threshold: f64) -> Self {
        Self { weights: uniform(n_assets), threshold }
    }
}

impl OnlineRule for PassiveAggressiveMeanReversion {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn learn(&mut self, relatives: &[f64]) {
        let excess = (dot(&self.weights, relatives) - self.threshold).max(0.0);
        step_against(&mut self.weights, relatives, excess, -1.0);
    }
}

/// OLMAR: weight moves towards assets whose moving average stands above their price (Li and Hoi 2012).
#[derive(Debug, Clone)]
pub struct MovingAverageReversion {
    weights: Vec<f64>,
    window: usize,
    threshold: f64,
    recent: VecDeque<Vec<f64>>,
}

impl MovingAverageReversion {
    /// The source uses a window of 5 sessions and a threshold of 10.
    #[must_use]
    pub fn new(n_assets: usize, window: usize, threshold: f64) -> Self {
        Self { weights: uniform(n_assets), window: window.max(1), threshold, recent: VecDeque::new() }
    }
}

impl OnlineRule for MovingAverageReversion {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn learn(&mut self, relatives: &[f64]) {
        self.recent.push_back(relatives.to_vec());
        if self.recent.len() >= self.window {
            self.recent.drain(..self.recent.len() + 1 - self.window);
        }
        // Moving average over price: the mean of one and the inverse products of the last relatives.
        let mut expected = vec![1.0; relatives.len()];
        let mut back = vec![1.0; relatives.len()];
        for session in self.recent.iter().rev() {
            for ((expected, back), relative) in expected.iter_mut().zip(&mut back).zip(session) {
                *back /= relative;
                *expected += *back;
            }
        }
        let count = (self.recent.len() + 1) as f64;
        expected.iter_mut().for_each(|value| *value /= count);
        let missing = (self.threshold - dot(&self.weights, &expected)).max(0.0);
        step_against(&mut self.weights, &expected, missing, 1.0);
    }
}

/// Moves weights along or against the deviations from their mean by as much as closes `gap`, then
/// back onto the simplex.
fn step_against(weights: &mut Vec<f64>, values: &[f64], gap: f64, direction: f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if gap <= 0.0 || spread <= 0.0 {
        return;
    }
    let length = direction * gap / spread;
    let moved: Vec<f64> = weights.iter().zip(values).map(|(weight, value)| weight + length * (value - mean)).collect();
    // A cap above one never binds on the simplex.
    *weights = capped_simplex(&moved, 1.0, 2.0);
}

fn uniform(n_assets: usize) -> Vec<f64> {
    vec![1.0 / n_assets as f64; n_assets]
}
