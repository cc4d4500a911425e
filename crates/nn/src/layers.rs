//! The two layers that everything here is made of beside the fused blocks.

use lotwise_tensor::{Array, ParamId, Params, Random, Tape, Var};

/// Of every norm.
pub const EPSILON: f32 = 1e-5;

/// `x w + b`.
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: ParamId,
    /// `[outputs]`
    pub bias: ParamId,
}

impl Linear {
    /// Adds `NAME.weight`, uniform within `1 / sqrt(inputs)`, and `NAME.bias`, 0.
    pub fn init(params: &mut Params, name: &str, [inputs, outputs]: [usize; 2], random: &mut Random) -> Self {
        let limit = 1.0 / (inputs as f32).sqrt();
        let weight = params.add_uniform(format!("{name}.weight"), [inputs, outputs], limit, random);
        Self { weight, bias: params.add(format!("{name}.bias"), Array::zeros([outputs])) }
    }

    /// `[.., inputs]` to `[.., outputs]`.
    pub fn forward(&self, tape: &mut Tape, x: Var) -> Var {
        let (weight, bias) = (tape.param(self.weight), tape.param(self.bias));
        tape.linear(x, weight, Some(bias))
    }
}

/// Layer norm over the last dimension.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    gain: ParamId,
    shift: ParamId,
}

impl Norm {
    /// Adds `NAME.gain`, 1, and `NAME.shift`, 0.
    pub fn init(params: &mut Params, name: &str, dim: usize) -> Self {
        let gain = params.add(format!("{name}.gain"), Array::full([dim], 1.0));
        Self { gain, shift: params.add(format!("{name}.shift"), Array::zeros([dim])) }
    }

    /// `[.., dim]` in and out.
    pub fn forward(&self, tape: &mut Tape, x: Var) -> Var {
        let (gain, shift) = (tape.param(self.gain), tape.param(self.shift));
        tape.layer_norm(x, gain, shift, EPSILON)
    }
}
