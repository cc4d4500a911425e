//! What is known of a company beside its bars (SPEC P1-16).

use lotwise_tensor::fused::{Activation, Mlp, MlpConfig};
use lotwise_tensor::{Array, ParamId, Params, Random, Tape, Var};

use crate::layers::Norm;

/// Width of the hidden layer.
const HIDDEN: usize = 128;

/// Sizes of a [`MetadataEncoder`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetadataEncoderConfig {
    /// How many fields.
    pub fields: usize,
    /// `d`.
    pub dim: usize,
}

/// Fields to `d` numbers; a field that is not available is replaced by a learned one.
#[derive(Debug, Clone)]
pub struct MetadataEncoder {
    typical: ParamId,
    mlp: Mlp,
    norm: Norm,
}

impl MetadataEncoderConfig {
    /// Adds the parameters under `name`; the learned replacements start at 0.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> MetadataEncoder {
        let sizes = vec![self.fields, HIDDEN, self.dim];
        MetadataEncoder {
            typical: params.add(format!("{name}.typical"), Array::zeros([self.fields])),
            mlp: MlpConfig { sizes, activation: Activation::Gelu }.init(params, name, random),
            norm: Norm::init(params, &format!("{name}.norm"), self.dim),
        }
    }
}

impl MetadataEncoder {
    /// `m' = m ⊙ a + μ ⊙ (1 − a)`, then two layers and a norm.
    ///
    /// # Shapes
    /// - `values`, `available`: `[B, N, fields]`, availability 0 or 1; what stands in `values` where it is
    ///   0 is not read
    /// - output: `[B, N, d]`
    pub fn forward(&self, tape: &mut Tape, values: &Array, available: &Array) -> Var {
        assert_eq!(values.shape(), available.shape(), "fields and which are available");
        let pairs = || values.data().iter().zip(available.data());
        let known = pairs().map(|(&value, &there)| if there != 0.0 { value } else { 0.0 }).collect();
        let unknown = pairs().map(|(_, &there)| if there != 0.0 { 0.0 } else { 1.0 }).collect();
        let known = tape.constant(Array::new(values.shape(), known));
        let unknown = tape.constant(Array::new(values.shape(), unknown));
        let typical = tape.param(self.typical);
        let typical = tape.mul(unknown, typical);
        let fields = tape.add(known, typical);
        let x = self.mlp.forward(tape, fields);
        self.norm.forward(tape, x)
    }
}
