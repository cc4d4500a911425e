//! The record of a computation, and the walk back over it.

use crate::fused::{AttentionNode, BlockNode, MlpNode};
use crate::ops::{self, Binary, Unary};
use crate::params::Gradients;
use crate::pool::Pool;
use crate::{Array, ParamId, Params, Shape};

/// A value on a [`Tape`]. It belongs to the tape that made it, until that tape restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Var(pub(crate) usize);

/// Declares an enum of operations together with the list of their names, so that none can be left out
/// of the list that the checks of gradients go through.
macro_rules! operations {
    ($(#[$doc:meta])* $visible:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident $({ $($field:ident: $ty:ty),* $(,)? })?,)* }) => {
        $(#[$doc])*
        $visible enum $name { $($(#[$variant_doc])* $variant $({ $($field: $ty),* })?,)* }

        impl $name {
            /// The names of all variants.
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($variant)),*];

            /// The name of this one.
            pub(crate) fn name(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),* })? => stringify!($variant),)* }
            }
        }
    };
}
pub(crate) use operations;

operations! {
    /// How a value came about, with what the way back needs.
    pub(crate) enum Op {
        /// Not computed, or not to be followed.
        Constant,
        /// A parameter.
        Parameter { id: ParamId },
        /// See [`Unary`].
        Elementwise { x: Var, f: Unary },
        /// See [`Binary`].
        Pairwise { a: Var, b: Var, f: Binary },
        MatMul { a: Var, b: Var, transposed: [bool; 2] },
        Softmax { x: Var },
        LogSoftmax { x: Var },
        Norm { x: Var, gain: Var, shift: Option<Var>, epsilon: f32 },
        Sum { x: Var, axis: usize },
        Reshape { x: Var },
        Permute { x: Var, order: Vec<usize> },
        Concat { parts: Vec<Var>, axis: usize },
        Slice { x: Var, axis: usize, start: usize },
        Gather { table: Var, rows: Vec<usize> },
        Dropout { x: Var, key: u64, rate: f32 },
        Attention { node: Box<AttentionNode> },
        Block { node: Box<BlockNode> },
        Mlp { node: Box<MlpNode> },
    }
}

/// The names of all operations that have a gradient: those of the tape, of `Unary` functions and of
/// `Binary` functions. A check of gradients that covers these covers everything.
pub const OPERATIONS: [&[&str]; 3] = [Op::NAMES.split_at(4).1, Unary::NAMES, Binary::NAMES];

pub(crate) struct Node {
    pub value: Array,
    pub op: Op,
    /// Whether a parameter that is trained lies upstream.
    pub tracked: bool,
}

/// Values computed from parameters and constants, in order, and how each came about.
///
/// One tape serves many steps: [`Self::restart`] keeps its memory.
#[derive(Default)]
pub struct Tape {
    pub(crate) nodes: Vec<Node>,
    params: Vec<(Array, bool)>,
    on_tape: Vec<Option<Var>>,
    pub(crate) pool: Pool,
    inference: bool,
}

impl Tape {
    /// An empty tape over the present values of the parameters.
    #[must_use]
    pub fn new(params: &Params) -> Self {
        let mut tape = Self::default();
        tape.restart(params);
        tape
    }

    /// An empty tape that keeps nothing for a way back.
    #[must_use]
    pub fn inference(params: &Params) -> Self {
        let mut tape = Self { inference: true, ..Self::default() };
        tape.restart(params);
        tape
    }

    /// Forgets all values, takes the parameters as they are now and keeps the memory. Every [`Var`] made
    /// before is void.
    pub fn restart(&mut self, params: &Params) {
        self.clear();
        self.params.extend(params.all.iter().map(|param| (param.value.clone(), param.rule.trainable)));
        self.on_tape.resize(params.all.len(), None);
    }

    /// Forgets all values and the parameters, so that an optimiser changes them without a copy.
    pub fn clear(&mut self) {
        for node in std::mem::take(&mut self.nodes) {
            if let Op::Mlp { node } = node.op {
                node.recycle(&mut self.pool);
            }
            if let Some(vector) = node.value.into_unshared() {
                self.pool.give(vector);
            }
        }
        self.params.clear();
        self.on_tape.clear();
    }

    /// A value that is not trained: inputs, targets, masks.
    pub fn constant(&mut self, value: Array) -> Var {
        self.push(value, Op::Constant, false)
    }

    /// The value of a parameter. Asking again gives the same [`Var`].
    ///
    /// # Panics
    /// For a parameter of other [`Params`] than the tape was started with.
    pub fn param(&mut self, id: ParamId) -> Var {
        if let Some(var) = self.on_tape[id.0] {
            return var;
        }
        let (value, trainable) = self.params[id.0].clone();
        let var = self.push(value, Op::Parameter { id }, trainable);
        self.on_tape[id.0] = Some(var);
        var
    }

    /// The same value, with no way back through it.
    pub fn stop_gradient(&mut self, x: Var) -> Var {
        let value = self.value(x).clone();
        self.constant(value)
    }

    /// What was computed.
    #[must_use]
    pub fn value(&self, var: Var) -> &Array {
        &self.nodes[var.0].value
    }

    /// The only number of a value.
    ///
    /// # Panics
    /// Where it holds more than one.
    #[must_use]
    pub fn scalar(&self, var: Var) -> f32 {
        assert_eq!(self.shape(var).count(), 1, "a value of shape {:?} is not one number", self.shape(var));
        self.value(var).data()[0]
    }

    /// The sizes of a value.
    #[must_use]
    pub fn shape(&self, var: Var) -> Shape {
        self.nodes[var.0].value.shape()
    }

    /// The sizes as an array, for taking apart: `let [batch, assets, dim] = tape.dims(x);`
    ///
    /// # Panics
    /// With another number of dimensions.
    #[must_use]
    pub fn dims<const K: usize>(&self, var: Var) -> [usize; K] {
        let shape = self.shape(var);
        assert_eq!(shape.len(), K, "a value of shape {shape:?} where {K} dimensions are wanted");
        std::array::from_fn(|i| shape[i])
    }

    /// The names of the operations recorded so far, see [`OPERATIONS`].
    pub fn recorded(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.nodes.iter().map(|node| match &node.op {
            Op::Elementwise { f, .. } => f.name(),
            Op::Pairwise { f, .. } => f.name(),
            op => op.name(),
        })
    }

    /// Walks back from a single number and adds the gradient of each trained parameter to `gradients`.
    /// The values stay; what fused operations had saved is used up, so one walk per record.
    ///
    /// # Panics
    /// Unless `loss` is one number, or on a tape for inference.
    pub fn backward(&mut self, loss: Var, gradients: &mut Gradients) {
        assert_eq!(self.shape(loss).count(), 1, "a walk back starts from one number, not {:?}", self.shape(loss));
        assert!(!self.inference, "a tape for inference keeps nothing for the way back");
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut walk = Walk { slots: Vec::new(), pool: &mut self.pool, tracked: Vec::new() };
        walk.tracked.extend(nodes.iter().map(|node| node.tracked));
        walk.slots.resize_with(nodes.len(), || None);
        walk.give(loss, vec![1.0]);
        for i in (0..=loss.0).rev() {
            let Some(dy) = walk.slots[i].take() else { continue };
            let (before, rest) = nodes.split_at_mut(i);
            ops::backward(&mut walk, before, &mut rest[0], dy, gradients);
        }
        self.nodes = nodes;
    }

    /// Records a value; `tracked` where something upstream is trained.
    pub(crate) fn push(&mut self, value: Array, op: Op, tracked: bool) -> Var {
        let tracked = tracked && !self.inference;
        self.nodes.push(Node { value, op: if tracked { op } else { Op::Constant }, tracked });
        Var(self.nodes.len() - 1)
    }

    /// Whether a trained parameter lies upstream and the way back is wanted.
    pub(crate) fn tracks(&self, inputs: impl IntoIterator<Item = Var>) -> bool {
        !self.inference && inputs.into_iter().any(|var| self.nodes[var.0].tracked)
    }
}

/// The state of a walk back: gradients that have arrived but not been passed on.
pub(crate) struct Walk<'a> {
    slots: Vec<Option<Vec<f32>>>,
    tracked: Vec<bool>,
    pub pool: &'a mut Pool,
}

impl Walk<'_> {
    /// Whether anybody wants the gradient of this value.
    pub(crate) fn wants(&self, var: Var) -> bool {
        self.tracked[var.0]
    }

    /// Adds a whole gradient, taking it over where it is the first.
    pub(crate) fn give(&mut self, var: Var, gradient: Vec<f32>) {
        if !self.wants(var) {
            return self.pool.give(gradient);
        }
        match &mut self.slots[var.0] {
            Some(sum) => {
                crate::kernel::add(sum, &gradient);
                self.pool.give(gradient);
            }
            empty => *empty = Some(gradient),
        }
    }

    /// The gradient so far, for adding to it; `None` where nobody wants it.
    pub(crate) fn slot(&mut self, var: Var, length: usize) -> Option<&mut [f32]> {
        if !self.wants(var) {
            return None;
        }
        let pool = &mut *self.pool;
        Some(self.slots[var.0].get_or_insert_with(|| pool.zeros(length)))
    }
}
