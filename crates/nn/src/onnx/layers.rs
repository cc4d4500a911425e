//! The layers that both networks are made of, as operations of ONNX.

use std::f32::consts::FRAC_1_SQRT_2;

use lotwise_tensor::fused::{Activation, BlockConfig, BlockStyle};
use lotwise_tensor::{Array, Params};

use super::graph::{Attribute, Edge, Graph, TO_FLOAT};

/// Stands for minus infinity where nobody may attend: its exponential is 0 beside anything else, and a row of
/// nothing else stays a number.
const NOTHING: f32 = -1e30;

/// A graph and the parameters that go into it.
pub struct Builder<'a> {
    pub graph: Graph,
    params: &'a Params,
}

impl<'a> Builder<'a> {
    pub fn new(params: &'a Params) -> Self {
        Self { graph: Graph::default(), params }
    }

    /// A parameter's value.
    pub fn value(&self, name: &str) -> &'a Array {
        let id = self.params.find(name).expect("Invariant: a network has the parameters of its configuration");
        self.params.value(id)
    }

    /// A parameter as a tensor of the model, under its own name.
    pub fn param(&mut self, name: &str) -> Edge {
        let value = self.value(name);
        self.graph.weight(name, value)
    }

    pub fn op(&mut self, kind: &str, inputs: &[&Edge]) -> Edge {
        self.graph.op(kind, inputs, &[])
    }

    /// `a` on the last axis.
    pub fn over(&mut self, kind: &str, x: &Edge, axis: i64) -> Edge {
        self.graph.op(kind, &[x], &[("axis", Attribute::Int(axis))])
    }

    pub fn cast(&mut self, x: &Edge, to: i64) -> Edge {
        self.graph.op("Cast", &[x], &[("to", Attribute::Int(to))])
    }

    pub fn transpose(&mut self, x: &Edge, order: &[i64]) -> Edge {
        self.graph.op("Transpose", &[x], &[("perm", Attribute::Ints(order.to_vec()))])
    }

    pub fn unsqueeze(&mut self, x: &Edge, axes: &[i64]) -> Edge {
        let axes = self.graph.ints(axes);
        self.op("Unsqueeze", &[x, &axes])
    }

    /// A new shape; 0 keeps the size in its place.
    pub fn reshape(&mut self, x: &Edge, shape: &[i64]) -> Edge {
        let shape = self.graph.ints(shape);
        self.op("Reshape", &[x, &shape])
    }

    /// Where a flag is set.
    pub fn set(&mut self, flag: &Edge) -> Edge {
        let zero = self.graph.float(0.0);
        self.op("Greater", &[flag, &zero])
    }

    /// `NAME.weight` and, where there is one, `NAME.bias`.
    pub fn linear(&mut self, x: &Edge, name: &str) -> Edge {
        let weight = self.param(&format!("{name}.weight"));
        let product = self.op("MatMul", &[x, &weight]);
        let bias = format!("{name}.bias");
        if self.params.find(&bias).is_none() {
            return product;
        }
        let bias = self.param(&bias);
        self.op("Add", &[&product, &bias])
    }

    /// Linear layers `NAME.0`, `NAME.1` and so on, with an activation between them.
    pub fn mlp(&mut self, x: &Edge, name: &str, layers: usize, activation: Activation) -> Edge {
        (0..layers).fold(x.clone(), |x, i| {
            let x = if i == 0 { x } else { self.activation(&x, activation) };
            self.linear(&x, &format!("{name}.{i}"))
        })
    }

    pub fn activation(&mut self, x: &Edge, activation: Activation) -> Edge {
        match activation {
            Activation::Relu => self.op("Relu", &[x]),
            // x/2 (1 + erf(x / sqrt 2)): this opset has no operation of its own.
            Activation::Gelu => {
                let [scale, one, half] = [FRAC_1_SQRT_2, 1.0, 0.5].map(|x| self.graph.float(x));
                let scaled = self.op("Mul", &[x, &scale]);
                let erf = self.op("Erf", &[&scaled]);
                let twice = self.op("Add", &[&erf, &one]);
                let share = self.op("Mul", &[&twice, &half]);
                self.op("Mul", &[x, &share])
            }
        }
    }

    /// `NAME.gain` and `NAME.shift`.
    pub fn layer_norm(&mut self, x: &Edge, name: &str, epsilon: f32) -> Edge {
        let [gain, shift] = ["gain", "shift"].map(|part| self.param(&format!("{name}.{part}")));
        let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(epsilon))];
        self.graph.op("LayerNormalization", &[x, &gain, &shift], &attributes)
    }

    /// `NAME.gain` alone.
    pub fn rms_norm(&mut self, x: &Edge, name: &str, epsilon: f32) -> Edge {
        let gain = self.param(&format!("{name}.gain"));
        let squares = self.op("Mul", &[x, x]);
        let mean = self.graph.op("ReduceMean", &[&squares], &[("axes", Attribute::Ints(vec![-1]))]);
        let epsilon = self.graph.float(epsilon);
        let mean = self.op("Add", &[&mean, &epsilon]);
        let size = self.op("Sqrt", &[&mean]);
        let scaled = self.op("Div", &[x, &size]);
        self.op("Mul", &[&scaled, &gain])
    }

    /// Softmax over the last axis among what is kept; all 0 where nothing is.
    ///
    /// # Shapes
    /// - `keep`: flags, such that they go with `scores`
    pub fn softmax(&mut self, scores: &Edge, keep: &Edge) -> Edge {
        let there = self.set(keep);
        let nothing = self.graph.float(NOTHING);
        let scores = self.op("Where", &[&there, scores, &nothing]);
        let shares = self.over("Softmax", &scores, -1);
        let kept = self.cast(&there, TO_FLOAT);
        self.op("Mul", &[&shares, &kept])
    }

    /// A pre-norm transformer block with its parameters under `name`.
    ///
    /// # Shapes
    /// - `x`: `[W, T, d]`, `keep`: `[W, T]`, `bias`: `[heads, T, T]`
    /// - output: `[W, T, d]`
    pub fn block(&mut self, x: &Edge, keep: &Edge, bias: Option<&Edge>, name: &str, config: &BlockConfig) -> Edge {
        let [heads, head_dim] = [config.heads as i64, config.head_dim as i64];
        let normed = self.block_norm(x, &format!("{name}.norm1"), config);
        let qkv = self.linear(&normed, &format!("{name}.qkv"));
        let qkv = self.reshape(&qkv, &[0, 0, 3 * heads, head_dim]);
        let qkv = self.transpose(&qkv, &[0, 2, 1, 3]);
        let [queries, keys, values] = [0, 1, 2].map(|part| {
            let [from, to, axis] = [part * heads, (part + 1) * heads, 1].map(|x| self.graph.ints(&[x]));
            self.op("Slice", &[&qkv, &from, &to, &axis])
        });
        let keys = self.transpose(&keys, &[0, 1, 3, 2]);
        let mut scores = self.op("MatMul", &[&queries, &keys]);
        if config.style == BlockStyle::Standard {
            let scale = self.graph.float(1.0 / (config.head_dim as f32).sqrt());
            scores = self.op("Mul", &[&scores, &scale]);
        }
        if let Some(bias) = bias {
            scores = self.op("Add", &[&scores, bias]);
        }
        let keep = self.unsqueeze(keep, &[1, 2]);
        let shares = self.softmax(&scores, &keep);
        let answers = self.op("MatMul", &[&shares, &values]);
        let answers = self.transpose(&answers, &[0, 2, 1, 3]);
        let answers = self.reshape(&answers, &[0, 0, heads * head_dim]);
        let answers = self.linear(&answers, &format!("{name}.out"));
        let middle = self.op("Add", &[x, &answers]);

        let normed = self.block_norm(&middle, &format!("{name}.norm2"), config);
        let hidden = self.linear(&normed, &format!("{name}.up"));
        let hidden = self.activation(&hidden, config.activation);
        let out = self.linear(&hidden, &format!("{name}.down"));
        self.op("Add", &[&middle, &out])
    }

    fn block_norm(&mut self, x: &Edge, name: &str, config: &BlockConfig) -> Edge {
        match config.style {
            BlockStyle::Standard => self.layer_norm(x, name, config.epsilon),
            BlockStyle::T5 => self.rms_norm(x, name, config.epsilon),
        }
    }
}
