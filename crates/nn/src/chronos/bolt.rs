//! The encoder of Chronos-Bolt over patches: what inference and pretraining share.

use lotwise_tensor::fused::Activation;
use lotwise_tensor::{Array, ParamId, Params, Random, Tape, Var};

use super::{BoltConfig, Patches, Stack, StackConfig};

/// Two layers beside one: `output(f(hidden(x))) + residual(x)`.
#[derive(Debug, Clone)]
pub struct ResidualBlock {
    /// Weight and bias of the hidden layer, the output layer and the one beside them.
    layers: [[ParamId; 2]; 3],
    activation: Activation,
}

impl ResidualBlock {
    /// Adds the parameters under `name`: normal weights, biases 0.
    pub fn init(
        params: &mut Params,
        name: &str,
        [inputs, hidden, outputs]: [usize; 3],
        activation: Activation,
        random: &mut Random,
    ) -> Self {
        let sizes =
            [("hidden_layer", inputs, hidden), ("output_layer", hidden, outputs), ("residual_layer", inputs, outputs)];
        let layers = sizes.map(|(layer, inputs, outputs)| {
            let deviation = 1.0 / (inputs as f32).sqrt();
            let weight = params.add_normal(format!("{name}.{layer}.weight"), [inputs, outputs], deviation, random);
            [weight, params.add(format!("{name}.{layer}.bias"), Array::zeros([outputs]))]
        });
        Self { layers, activation }
    }

    /// # Shapes
    /// - `x`: `[.., inputs]`
    /// - output: `[.., outputs]`
    pub fn forward(&self, tape: &mut Tape, x: Var) -> Var {
        let [hidden, output, residual] = self.layers.map(|layer| layer.map(|id| tape.param(id)));
        let inner = tape.linear(x, hidden[0], Some(hidden[1]));
        let inner = match self.activation {
            Activation::Relu => tape.relu(inner),
            Activation::Gelu => tape.gelu(inner),
        };
        let inner = tape.linear(inner, output[0], Some(output[1]));
        let beside = tape.linear(x, residual[0], Some(residual[1]));
        tape.add(inner, beside)
    }
}

/// Patches in, states out.
#[derive(Debug, Clone)]
pub struct Bolt {
    config: BoltConfig,
    patches: ResidualBlock,
    /// `[2, d]`, the second row of which stands behind the patches.
    table: Option<ParamId>,
    stack: Stack,
}

impl Bolt {
    /// Adds the parameters: `patches`, `table` where there is a register, `encoder`.
    pub fn init(config: &BoltConfig, stack: StackConfig, params: &mut Params, random: &mut Random) -> Self {
        let sizes = [2 * config.patch, stack.hidden, stack.dim];
        let patches = ResidualBlock::init(params, "patches", sizes, stack.activation, random);
        let table = config.register.then(|| params.add_normal("table", [2, stack.dim], 1.0, random));
        let stack = stack.init(params, "encoder", random);
        Self { config: config.clone(), patches, table, stack }
    }

    /// The encoder behind the patches.
    pub(super) fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Cuts windows as this network wants them.
    ///
    /// # Shapes
    /// - `windows`: `[B, T]`, NaN where there is no number
    #[must_use]
    pub fn cut(&self, windows: &Array) -> Patches {
        Patches::cut(windows, self.config.patch, self.config.stride)
    }

    /// The states, and which positions count.
    ///
    /// # Shapes
    /// - output: `[B, positions, d]` and `[B, positions]`
    pub fn forward(&self, tape: &mut Tape, patches: &Patches) -> (Var, Array) {
        self.run(tape, patches, Stack::forward)
    }

    /// The same, without a way back.
    pub(super) fn infer(&self, tape: &mut Tape, patches: &Patches) -> (Var, Array) {
        self.run(tape, patches, Stack::infer)
    }

    fn run(
        &self,
        tape: &mut Tape,
        patches: &Patches,
        stack: fn(&Stack, &mut Tape, Var, &Array) -> Var,
    ) -> (Var, Array) {
        let [batch, count] = [patches.keep.shape()[0], patches.keep.shape()[1]];
        let x = tape.constant(patches.values.clone());
        let mut x = self.patches.forward(tape, x);
        let mut keep = patches.keep.clone();
        if let Some(table) = self.table {
            let table = tape.param(table);
            let register = tape.gather(table, &vec![1; batch]);
            let register = tape.reshape(register, [batch, 1, self.stack.config().dim]);
            x = tape.concat(&[x, register], 1);
            keep = Array::from_fn([batch, count + 1], |i| {
                let (window, at) = (i / (count + 1), i % (count + 1));
                if at == count { 1.0 } else { patches.keep.data()[window * count + at] }
            });
        }
        (stack(&self.stack, tape, x, &keep), keep)
    }
}

/// The mean of the states of positions that count; 0 where none does.
///
/// # Shapes
/// - `states`: `[B, positions, d]`, `keep`: `[B, positions]`
/// - output: `[B, d]`
pub fn pool(tape: &mut Tape, states: Var, keep: &Array) -> Var {
    let [batch, positions, dim] = tape.dims(states);
    let mut weights = keep.clone();
    for row in weights.data_mut().chunks_exact_mut(positions.max(1)) {
        let there = row.iter().sum::<f32>().max(1.0);
        row.iter_mut().for_each(|weight| *weight /= there);
    }
    let weights = tape.constant(weights.reshaped([batch, 1, positions]));
    let pooled = tape.matmul(weights, states);
    tape.reshape(pooled, [batch, dim])
}
