//! Stage 1.5: the frozen branch is let in through a gate (SPEC P1-13, P1-14).

use lotwise_tensor::fused::{Activation, Mlp, MlpConfig};
use lotwise_tensor::{Array, Params, Random, Tape, Var};
use serde::{Deserialize, Serialize};

use super::statistics::STATISTICS;
use crate::layers::{Linear, Norm};

/// Width of the projection's hidden layer.
const HIDDEN: usize = 128;
/// Bias of the gate at the start: a sigmoid of 0.12, nearly closed.
const GATE_BIAS: f32 = -2.0;

/// How the frozen branch enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Through a learned gate, number by number (eq. 6).
    Learned,
    /// Whole: an ablation.
    Fixed1,
    /// Not at all: an ablation.
    Off,
}

/// Sizes of a [`TemporalProjection`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemporalProjectionConfig {
    /// `k`, numbers of the frozen branch.
    pub width: usize,
    /// `d`.
    pub dim: usize,
}

/// The branch's numbers and four statistics of scale, brought to `d` (P1-13).
#[derive(Debug, Clone)]
pub struct TemporalProjection {
    mlp: Mlp,
    norm: Norm,
}

impl TemporalProjectionConfig {
    /// Adds the parameters under `name`.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> TemporalProjection {
        let sizes = vec![self.width + STATISTICS, HIDDEN, self.dim];
        TemporalProjection {
            mlp: MlpConfig { sizes, activation: Activation::Gelu }.init(params, name, random),
            norm: Norm::init(params, &format!("{name}.norm"), self.dim),
        }
    }
}

impl TemporalProjection {
    /// # Shapes
    /// - `branch`: `[B, N, k]`, `statistics`: `[B, N, 4]`
    /// - `known`: `[B, N, 1]`, 0 where a window has too few closes to say anything: the branch is then 0
    /// - output: `[B, N, d]`
    pub fn forward(&self, tape: &mut Tape, branch: &Array, statistics: &Array, known: &Array) -> Var {
        let branch = tape.constant(branch.clone());
        let statistics = tape.constant(statistics.clone());
        let joined = tape.concat(&[branch, statistics], 2);
        let x = self.mlp.forward(tape, joined);
        let x = self.norm.forward(tape, x);
        let known = tape.constant(known.clone());
        tape.mul(x, known)
    }
}

/// Sizes of a [`GatedFusion`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GatedFusionConfig {
    /// `d`.
    pub dim: usize,
    /// How the branch enters.
    pub gate: Gate,
}

/// Adds the frozen branch to the market embedding.
#[derive(Debug, Clone)]
pub struct GatedFusion {
    gate: Gate,
    linear: Option<Linear>,
}

impl GatedFusionConfig {
    /// Adds the gate's `W_g` `[2 d, d]` and its bias, −2, where there is a learned one.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> GatedFusion {
        let linear = (self.gate == Gate::Learned).then(|| {
            let linear = Linear::init(params, name, [2 * self.dim, self.dim], random);
            *params.value_mut(linear.bias) = Array::full([self.dim], GATE_BIAS);
            linear
        });
        GatedFusion { gate: self.gate, linear }
    }
}

impl GatedFusion {
    /// `h_ssl + σ(W_g [h_ssl; h_chr] + b_g) ⊙ h_chr` (eq. 6 without its last term, the metadata).
    ///
    /// # Shapes
    /// - `market`, `temporal`: `[B, N, d]`
    /// - output: `[B, N, d]`
    pub fn forward(&self, tape: &mut Tape, market: Var, temporal: Var) -> Var {
        let let_in = match (self.gate, &self.linear) {
            (Gate::Off, _) => return market,
            (Gate::Learned, Some(linear)) => {
                let both = tape.concat(&[market, temporal], 2);
                let gate = linear.forward(tape, both);
                let gate = tape.sigmoid(gate);
                tape.mul(gate, temporal)
            }
            (Gate::Learned | Gate::Fixed1, _) => temporal,
        };
        tape.add(market, let_in)
    }
}
