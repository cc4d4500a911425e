//! Functions of two values, element by element, where sizes of 1 stretch.

use crate::parallel;
use crate::tape::{Node, Op, Tape, Var, Walk, operations};
use crate::{Array, Shape};

operations! {
    /// A function of two numbers.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Binary {
        Add,
        Sub,
        Mul,
        Div,
        Min,
        Max,
    }
}

/// Runs `$body` with `$f` standing for the function and `$slopes` for its two derivatives.
macro_rules! with_function {
    ($op:expr, |$f:ident, $slopes:ident| $body:expr) => {
        match $op {
            Binary::Add => {
                let ($f, $slopes) = (|a: f32, b: f32| a + b, |_: f32, _: f32| (1.0, 1.0));
                $body
            }
            Binary::Sub => {
                let ($f, $slopes) = (|a: f32, b: f32| a - b, |_: f32, _: f32| (1.0, -1.0));
                $body
            }
            Binary::Mul => {
                let ($f, $slopes) = (|a: f32, b: f32| a * b, |a: f32, b: f32| (b, a));
                $body
            }
            Binary::Div => {
                let ($f, $slopes) = (|a: f32, b: f32| a / b, |a: f32, b: f32| (1.0 / b, -a / (b * b)));
                $body
            }
            Binary::Min => {
                let ($f, $slopes) = (smaller, |a: f32, b: f32| share(b - a));
                $body
            }
            Binary::Max => {
                let ($f, $slopes) = (larger, |a: f32, b: f32| share(a - b));
                $body
            }
        }
    };
}

/// Not a number where one of them is not: `f32::min` would hide it.
fn smaller(a: f32, b: f32) -> f32 {
    if a < b || a.is_nan() { a } else { b }
}

fn larger(a: f32, b: f32) -> f32 {
    if a > b || a.is_nan() { a } else { b }
}

/// Everything to the winner; halves where both are equal.
fn share(lead: f32) -> (f32, f32) {
    if lead > 0.0 {
        (1.0, 0.0)
    } else if lead < 0.0 {
        (0.0, 1.0)
    } else {
        (0.5, 0.5)
    }
}

/// Shapes are aligned at the end; a missing size or a size of 1 stretches to the other's.
impl Tape {
    /// `a + b`.
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        self.pairwise(a, b, Binary::Add)
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Var, b: Var) -> Var {
        self.pairwise(a, b, Binary::Sub)
    }

    /// `a b`, element by element.
    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        self.pairwise(a, b, Binary::Mul)
    }

    /// `a / b`.
    pub fn div(&mut self, a: Var, b: Var) -> Var {
        self.pairwise(a, b, Binary::Div)
    }

    /// The smaller of both; equals share the gradient.
    pub fn min(&mut self, a: Var, b: Var) -> Var {
        self.pairwise(a, b, Binary::Min)
    }

    /// The larger of both; equals share the gradient.
    pub fn max(&mut self, a: Var, b: Var) -> Var {
        self.pairwise(a, b, Binary::Max)
    }

    fn pairwise(&mut self, a: Var, b: Var, f: Binary) -> Var {
        let shape = self.shape(a).broadcast(self.shape(b));
        let mut out = self.pool.take(shape.count());
        if !out.is_empty() {
            let walk = Rows::new(shape, [self.shape(a), self.shape(b)]);
            let (a, b) = (self.value(a).data(), self.value(b).data());
            with_function!(f, |f, _slopes| parallel::rows(&mut out, walk.width, walk.width, |first, out| {
                for (i, out) in out.chunks_exact_mut(walk.width).enumerate() {
                    let [at_a, at_b] = walk.starts(first + i);
                    match walk.steps {
                        [1, 1] => {
                            let pairs = a[at_a..].iter().zip(&b[at_b..]);
                            out.iter_mut().zip(pairs).for_each(|(out, (&a, &b))| *out = f(a, b));
                        }
                        [1, _] => out.iter_mut().zip(&a[at_a..]).for_each(|(out, &a)| *out = f(a, b[at_b])),
                        [_, 1] => out.iter_mut().zip(&b[at_b..]).for_each(|(out, &b)| *out = f(a[at_a], b)),
                        _ => out.fill(f(a[at_a], b[at_b])),
                    }
                }
            }));
        }
        let tracked = self.tracks([a, b]);
        self.push(Array::new(shape, out), Op::Pairwise { a, b, f }, tracked)
    }
}

pub(super) fn backward(walk: &mut Walk<'_>, before: &[Node], vars: [Var; 2], f: Binary, shape: Shape, dy: &[f32]) {
    if dy.is_empty() {
        return;
    }
    let values = vars.map(|var| &before[var.0].value);
    let rows = Rows::new(shape, values.map(Array::shape));
    let [a, b] = values.map(Array::data);
    for (side, &var) in vars.iter().enumerate() {
        let Some(slot) = walk.slot(var, values[side].data().len()) else { continue };
        with_function!(f, |_f, slopes| {
            let slope = |a, b| {
                let both = slopes(a, b);
                if side == 0 { both.0 } else { both.1 }
            };
            if slot.len() == dy.len() {
                parallel::rows(slot, rows.width, rows.width, |first, slot| {
                    for (i, slot) in slot.chunks_exact_mut(rows.width).enumerate() {
                        let [at_a, at_b] = rows.starts(first + i);
                        let dy = &dy[(first + i) * rows.width..];
                        for (j, slot) in slot.iter_mut().enumerate() {
                            *slot += dy[j] * slope(a[at_a + j * rows.steps[0]], b[at_b + j * rows.steps[1]]);
                        }
                    }
                });
            } else {
                // Stretched elements collect from many places, in order.
                for (row, dy) in dy.chunks_exact(rows.width).enumerate() {
                    let starts = rows.starts(row);
                    let [at_a, at_b] = starts;
                    for (j, &dy) in dy.iter().enumerate() {
                        let g = dy * slope(a[at_a + j * rows.steps[0]], b[at_b + j * rows.steps[1]]);
                        slot[starts[side] + j * rows.steps[side]] += g;
                    }
                }
            }
        });
    }
}

/// Where the rows of two stretched operands start.
struct Rows {
    shape: Shape,
    width: usize,
    /// Steps within a row, 0 or 1.
    steps: [usize; 2],
    outer: [[usize; Shape::MOST]; 2],
}

impl Rows {
    fn new(shape: Shape, operands: [Shape; 2]) -> Self {
        // One number alone is a row of one.
        let shape = if shape.is_empty() { Shape::new(&[1]) } else { shape };
        let outer = operands.map(|operand| operand.steps_within(shape));
        let last = shape.len() - 1;
        Self { width: shape.width(), steps: outer.map(|steps| steps[last]), shape, outer }
    }

    fn starts(&self, mut row: usize) -> [usize; 2] {
        let mut starts = [0; 2];
        for i in (0..self.shape.len() - 1).rev() {
            let at = row % self.shape[i];
            row /= self.shape[i];
            starts[0] += at * self.outer[0][i];
            starts[1] += at * self.outer[1][i];
        }
        starts
    }
}
