//! Linear layers with an activation between them, as one operation: scorers, projections, heads.

use rayon::prelude::*;

use super::{Activation, Cut, sum_over_groups, transposed};
use crate::kernel::{self, Mat, scratch};
use crate::pool::Pool;
use crate::tape::{Node, Op, Tape, Var, Walk};
use crate::{Array, ParamId, Params, Random};

/// The sizes of an [`Mlp`].
#[derive(Debug, Clone, PartialEq)]
pub struct MlpConfig {
    /// Inputs, hidden layers, outputs: at least two numbers.
    pub sizes: Vec<usize>,
    /// Between the layers, not after the last.
    pub activation: Activation,
}

/// A chain of linear layers over rows; each row goes through alone, so assets may come in any number.
#[derive(Debug, Clone)]
pub struct Mlp {
    config: MlpConfig,
    /// Weight `[inputs, outputs]` and bias of each layer.
    layers: Vec<[ParamId; 2]>,
}

impl MlpConfig {
    /// Adds the parameters `NAME.0.weight`, `NAME.0.bias` and so on: weights uniform within
    /// `1 / sqrt(inputs)`, biases 0.
    ///
    /// # Panics
    /// With fewer than two sizes, a size of 0, or where a name is taken.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> Mlp {
        assert!(self.sizes.len() >= 2 && !self.sizes.contains(&0), "sizes of an MLP: {:?}", self.sizes);
        let mut layer = |(i, sizes): (usize, &[usize])| {
            let [inputs, outputs] = [sizes[0], sizes[1]];
            let limit = 1.0 / (inputs as f32).sqrt();
            let weight = params.add_uniform(format!("{name}.{i}.weight"), [inputs, outputs], limit, random);
            [weight, params.add(format!("{name}.{i}.bias"), Array::zeros([outputs]))]
        };
        let layers = self.sizes.windows(2).enumerate().map(&mut layer).collect();
        Mlp { config: self, layers }
    }
}

pub(crate) struct MlpNode {
    sizes: Vec<usize>,
    activation: Activation,
    x: Var,
    layers: Vec<[Var; 2]>,
    /// Each hidden layer before its activation.
    kept: Vec<Vec<f32>>,
}

impl Mlp {
    /// The weight `[inputs, outputs]` and the bias of each layer.
    #[must_use]
    pub fn layers(&self) -> &[[ParamId; 2]] {
        &self.layers
    }

    /// # Shapes
    /// - `x`: `[.., inputs]`
    /// - output: `[.., outputs]`
    pub fn forward(&self, tape: &mut Tape, x: Var) -> Var {
        let (shape, sizes) = (tape.shape(x), &self.config.sizes);
        assert_eq!(shape.width(), sizes[0], "the width of an MLP's input {shape:?}");
        let layers: Vec<[Var; 2]> = self.layers.iter().map(|layer| layer.map(|id| tape.param(id))).collect();
        let tracked = tape.tracks(layers.iter().flatten().copied().chain([x]));
        let rows = shape.count() / sizes[0];
        let outputs = sizes[sizes.len() - 1];
        let mut out = tape.pool.take(rows * outputs);
        let hidden = &sizes[1..sizes.len() - 1];
        let mut kept: Vec<Vec<f32>> =
            if tracked { hidden.iter().map(|width| tape.pool.take(rows * width)).collect() } else { Vec::new() };
        let mut node =
            MlpNode { sizes: sizes.clone(), activation: self.config.activation, x, layers, kept: Vec::new() };
        let chunk = Cut::forward(rows, 1);
        // Each chunk of rows with its part of what is kept.
        let mut parts: Vec<(&mut [f32], Vec<&mut [f32]>)> =
            out.chunks_mut(chunk * outputs).map(|out| (out, Vec::new())).collect();
        for (kept, width) in kept.iter_mut().zip(hidden) {
            parts.iter_mut().zip(kept.chunks_mut(chunk * width)).for_each(|(part, kept)| part.1.push(kept));
        }
        let nodes = &tape.nodes;
        parts.into_par_iter().enumerate().for_each(|(i, (out, kept))| node.forward_chunk(nodes, i * chunk, out, kept));
        node.kept = kept;
        let shape = shape.with(shape.len() - 1, outputs);
        tape.push(Array::new(shape, out), Op::Mlp { node: Box::new(node) }, tracked)
    }
}

impl MlpNode {
    fn forward_chunk(&self, nodes: &[Node], first: usize, out: &mut [f32], mut kept: Vec<&mut [f32]>) {
        let data = |var: Var| nodes[var.0].value.data();
        let rows = out.len() / self.sizes[self.sizes.len() - 1];
        let widest = self.sizes.iter().max().expect("Invariant: at least two sizes");
        let mut space = scratch::take(2 * rows * widest);
        let [before, active] = scratch::split(&mut space, [rows * widest; 2]);
        for (i, &[weight, bias]) in self.layers.iter().enumerate() {
            let [inputs, outputs] = [self.sizes[i], self.sizes[i + 1]];
            let x = if i == 0 { &data(self.x)[first * inputs..][..rows * inputs] } else { &active[..rows * inputs] };
            let last = i + 1 == self.layers.len();
            let to = if last {
                &mut *out
            } else if kept.is_empty() {
                &mut before[..rows * outputs]
            } else {
                &mut *kept[i]
            };
            let weight = Mat::new(data(weight), inputs, outputs);
            kernel::gemm(Mat::new(x, rows, inputs), weight, Some(data(bias)), to, outputs, false);
            if !last {
                active[..rows * outputs].copy_from_slice(to);
                self.activation.apply(&mut active[..rows * outputs]);
            }
        }
    }

    pub(crate) fn backward(&mut self, walk: &mut Walk<'_>, before: &[Node], dy: &[f32]) {
        let kept = std::mem::take(&mut self.kept);
        let data = |var: Var| before[var.0].value.data();
        let shapes: Vec<[usize; 2]> = self.sizes.windows(2).map(|sizes| [sizes[0], sizes[1]]).collect();
        let turned: Vec<Vec<f32>> = self
            .layers
            .iter()
            .zip(&shapes)
            .map(|(layer, &[rows, columns])| transposed(data(layer[0]), rows, columns, walk.pool.take(rows * columns)))
            .collect();
        let weights = self.layers.iter().flatten().any(|&var| walk.wants(var));
        let targets: Vec<(Option<Var>, usize)> = (self.layers.iter().zip(&shapes))
            .flat_map(|(&[weight, bias], &[rows, columns])| [(Some(weight), rows * columns), (Some(bias), columns)])
            .map(|(var, length)| (var, if weights { length } else { 0 }))
            .collect();
        let (inputs, outputs) = (self.sizes[0], self.sizes[self.sizes.len() - 1]);
        let widest = *self.sizes.iter().max().expect("Invariant: at least two sizes");
        let rows = dy.len() / outputs;
        let cut = Cut::new(rows, 1);
        let mut dx = walk.pool.take(rows * inputs);
        sum_over_groups(walk, &targets, &mut dx, cut.group * inputs, |group, dx, sums| {
            for (i, dx) in dx.chunks_mut(cut.chunk * inputs).enumerate() {
                let (first, rows) = (group * cut.group + i * cut.chunk, dx.len() / inputs);
                let mut space = scratch::take(3 * rows * widest);
                let [mut d, mut next, active] = scratch::split(&mut space, [rows * widest; 3]);
                d[..rows * outputs].copy_from_slice(&dy[first * outputs..][..rows * outputs]);
                for (layer, &[inputs, outputs]) in shapes.iter().enumerate().rev() {
                    let gradient = Mat::new(&d[..rows * outputs], rows, outputs);
                    let back = if layer == 0 { &mut *dx } else { &mut next[..rows * inputs] };
                    kernel::gemm(gradient, Mat::new(&turned[layer], outputs, inputs), None, back, inputs, false);
                    let x = if layer == 0 {
                        &data(self.x)[first * inputs..][..rows * inputs]
                    } else {
                        let hidden = &kept[layer - 1][first * inputs..][..rows * inputs];
                        active[..rows * inputs].copy_from_slice(hidden);
                        self.activation.apply_with_slope(&mut active[..rows * inputs], back);
                        &active[..rows * inputs]
                    };
                    if weights {
                        let x = Mat::new(x, rows, inputs).transposed();
                        kernel::gemm(x, gradient, None, sums[2 * layer], outputs, true);
                        kernel::add_column_sums(&d[..rows * outputs], sums[2 * layer + 1]);
                    }
                    std::mem::swap(&mut d, &mut next);
                }
            }
        });
        turned.into_iter().chain(kept).for_each(|vector| walk.pool.give(vector));
        walk.give(self.x, dx);
    }

    pub(crate) fn recycle(self, pool: &mut Pool) {
        self.kept.into_iter().for_each(|vector| pool.give(vector));
    }
}
