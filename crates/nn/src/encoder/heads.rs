//! What training asks of a representation; a trained network leaves them at home (SPEC P1-18).

use lotwise_tensor::{Array, Params, Random, Tape, Var};

use crate::layers::Linear;

/// Sizes of [`TrainingHeads`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingHeadsConfig {
    /// `d`.
    pub dim: usize,
    /// `D`.
    pub features: usize,
    /// How many regimes.
    pub regimes: usize,
}

/// Return, recovery of hidden features, regime of the asset and of the market.
#[derive(Debug, Clone, Copy)]
pub struct TrainingHeads {
    ret: Linear,
    recovery: Linear,
    regime: Linear,
    market_regime: Linear,
}

impl TrainingHeadsConfig {
    /// Adds the parameters under `heads`.
    pub fn init(self, params: &mut Params, random: &mut Random) -> TrainingHeads {
        let mut linear = |name: &str, outputs| Linear::init(params, name, [self.dim, outputs], random);
        TrainingHeads {
            ret: linear("heads.ret", 1),
            recovery: linear("heads.recovery", self.features),
            regime: linear("heads.regime", self.regimes),
            market_regime: linear("heads.market_regime", self.regimes),
        }
    }
}

impl TrainingHeads {
    /// The next bar's return: `[B, N, d]` to `[B, N]`.
    pub fn ret(&self, tape: &mut Tape, state: Var) -> Var {
        let [batch, assets, _] = tape.dims(state);
        let out = self.ret.forward(tape, state);
        tape.reshape(out, [batch, assets])
    }

    /// The features of each bar: `[W, T, d]` to `[W, T, D]`.
    pub fn recovery(&self, tape: &mut Tape, tokens: Var) -> Var {
        self.recovery.forward(tape, tokens)
    }

    /// Logits of each asset's regime: `[B, N, d]` to `[B * N, regimes]`.
    pub fn regime(&self, tape: &mut Tape, state: Var) -> Var {
        let [batch, assets, dim] = tape.dims(state);
        let rows = tape.reshape(state, [batch * assets, dim]);
        self.regime.forward(tape, rows)
    }

    /// Logits of the market's regime from the mean of the assets that are there: `[B, N, d]` to
    /// `[B, regimes]`. The router reads these.
    pub fn market_regime(&self, tape: &mut Tape, state: Var, keep: &Array) -> Var {
        let pooled = market_state(tape, state, keep);
        self.market_regime.forward(tape, pooled)
    }
}

/// `h̄`: the mean over the assets that are there; zeros where none is.
///
/// # Shapes
/// - `state`: `[B, N, d]`, `keep`: `[B, N]`
/// - output: `[B, d]`
pub fn market_state(tape: &mut Tape, state: Var, keep: &Array) -> Var {
    let [batch, assets, dim] = tape.dims(state);
    assert_eq!(*keep.shape(), [batch, assets], "which assets are there");
    let mut shares = Vec::with_capacity(batch * assets);
    for row in keep.data().chunks_exact(assets.max(1)) {
        let count = row.iter().filter(|&&keep| keep != 0.0).count().max(1) as f32;
        shares.extend(row.iter().map(|&keep| if keep != 0.0 { 1.0 / count } else { 0.0 }));
    }
    let shares = tape.constant(Array::new([batch, 1, assets], shares));
    let pooled = tape.matmul(shares, state);
    tape.reshape(pooled, [batch, dim])
}
