//! The operations of a tape and their gradients, each pair in one file.

mod elementwise;
mod layout;
mod loss;
mod matmul;
mod normalise;
mod pairwise;

pub(crate) use elementwise::Unary;
pub use layout::dropout_mask;
pub(crate) use pairwise::Binary;

use crate::params::Gradients;
use crate::tape::{Node, Op, Walk};

/// Passes the gradient `dy` of a node on to what the node was computed from.
pub(crate) fn backward(walk: &mut Walk<'_>, before: &[Node], node: &mut Node, dy: Vec<f32>, gradients: &mut Gradients) {
    let value = &node.value;
    match &mut node.op {
        Op::Constant => {}
        Op::Parameter { id } => gradients.add(*id, &dy),
        Op::Elementwise { x, f } => elementwise::backward(walk, *x, *f, &before[x.0].value, value, &dy),
        Op::Pairwise { a, b, f } => pairwise::backward(walk, before, [*a, *b], *f, value.shape(), &dy),
        Op::MatMul { a, b, transposed } => matmul::backward(walk, before, [*a, *b], *transposed, value.shape(), &dy),
        Op::Softmax { x } => normalise::softmax_backward(walk, *x, value, &dy),
        Op::LogSoftmax { x } => normalise::log_softmax_backward(walk, *x, value, &dy),
        Op::Norm { x, gain, shift, epsilon } => {
            normalise::norm_backward(walk, before, [*x, *gain], *shift, *epsilon, &dy);
        }
        Op::Sum { x, axis } => layout::sum_backward(walk, *x, before[x.0].value.shape(), *axis, &dy),
        Op::Reshape { x } => return walk.give(*x, dy),
        Op::Permute { x, order } => layout::permute_backward(walk, *x, value.shape(), order, &dy),
        Op::Concat { parts, axis } => layout::concat_backward(walk, before, parts, *axis, value.shape(), &dy),
        Op::Slice { x, axis, start } => {
            layout::slice_backward(walk, *x, before[x.0].value.shape(), *axis, *start, value.shape(), &dy);
        }
        Op::Gather { table, rows } => layout::gather_backward(walk, *table, &before[table.0].value, rows, &dy),
        Op::Dropout { x, key, rate } => return layout::dropout_backward(walk, *x, *key, *rate, dy),
        Op::Attention { node } => node.backward(walk, before, &dy),
        Op::Block { node } => return node.backward(walk, before, dy),
        Op::Mlp { node } => node.backward(walk, before, &dy),
    }
    walk.pool.give(dy);
}
