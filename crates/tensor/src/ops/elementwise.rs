//! Functions of one value, element by element.

use crate::Array;
use crate::kernel::{self, Exp, Gelu, Relu, Sigmoid, Tanh};
use crate::parallel;
use crate::tape::{Op, Tape, Var, Walk, operations};

operations! {
    /// A function of one number.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Unary {
        Relu,
        Gelu,
        Sigmoid,
        Tanh,
        Softplus,
        Exp,
        Log,
        Sqrt,
        Square,
        Abs,
        Affine { scale: f32, shift: f32 },
        Clamp { low: f32, high: f32 },
        Huber { delta: f32 },
    }
}

impl Tape {
    /// `max(x, 0)`, any shape.
    pub fn relu(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Relu)
    }

    /// `x Φ(x)` with the exact normal distribution (erf), any shape.
    pub fn gelu(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Gelu)
    }

    /// `1 / (1 + exp(-x))`, any shape.
    pub fn sigmoid(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Sigmoid)
    }

    /// The hyperbolic tangent, any shape.
    pub fn tanh(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Tanh)
    }

    /// `ln(1 + exp(x))`, any shape.
    pub fn softplus(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Softplus)
    }

    /// `exp(x)`, any shape.
    pub fn exp(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Exp)
    }

    /// The natural logarithm, any shape.
    pub fn log(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Log)
    }

    /// The square root, any shape. Its slope at 0 is infinite: add something small first.
    pub fn sqrt(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Sqrt)
    }

    /// `x²`, any shape.
    pub fn square(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Square)
    }

    /// `|x|`, any shape; the slope at 0 is 0.
    pub fn abs(&mut self, x: Var) -> Var {
        self.elementwise(x, Unary::Abs)
    }

    /// `factor x`, any shape.
    pub fn scale(&mut self, x: Var, factor: f32) -> Var {
        self.affine(x, factor, 0.0)
    }

    /// `scale x + shift`, any shape.
    pub fn affine(&mut self, x: Var, scale: f32, shift: f32) -> Var {
        self.elementwise(x, Unary::Affine { scale, shift })
    }

    /// `x` held within `low..=high`, any shape; the slope outside is 0.
    pub fn clamp(&mut self, x: Var, low: f32, high: f32) -> Var {
        self.elementwise(x, Unary::Clamp { low, high })
    }

    /// Huber's function of a difference: `x²/2` within `delta`, `delta (|x| - delta/2)` outside; any shape.
    pub fn huber(&mut self, x: Var, delta: f32) -> Var {
        self.elementwise(x, Unary::Huber { delta })
    }

    fn elementwise(&mut self, x: Var, f: Unary) -> Var {
        let shape = self.shape(x);
        let mut out = self.pool.take(shape.count());
        let from = self.value(x).data();
        parallel::pieces(&mut out, |at, out| f.apply(&from[at..at + out.len()], out));
        let tracked = self.tracks([x]);
        self.push(Array::new(shape, out), Op::Elementwise { x, f }, tracked)
    }
}

pub(super) fn backward(walk: &mut Walk<'_>, x: Var, f: Unary, input: &Array, output: &Array, dy: &[f32]) {
    if !walk.wants(x) {
        return;
    }
    let mut dx = walk.pool.take(dy.len());
    let (input, output) = (input.data(), output.data());
    parallel::pieces(&mut dx, |at, dx| {
        let range = at..at + dx.len();
        f.slope(&input[range.clone()], &output[range.clone()], dx);
        dx.iter_mut().zip(&dy[range]).for_each(|(dx, &dy)| *dx *= dy);
    });
    walk.give(x, dx);
}

impl Unary {
    fn apply(self, x: &[f32], y: &mut [f32]) {
        let each = |y: &mut [f32], f: &dyn Fn(f32) -> f32| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x));
        // Kernels work in place.
        macro_rules! kernel {
            ($f:ty) => {{
                y.copy_from_slice(x);
                kernel::map::<$f>(y);
            }};
        }
        match self {
            Self::Relu => kernel!(Relu),
            Self::Gelu => kernel!(Gelu),
            Self::Sigmoid => kernel!(Sigmoid),
            Self::Tanh => kernel!(Tanh),
            Self::Exp => kernel!(Exp),
            Self::Softplus => each(y, &|x| (-x.abs()).exp().ln_1p() + x.max(0.0)),
            Self::Log => each(y, &f32::ln),
            Self::Sqrt => each(y, &f32::sqrt),
            Self::Square => each(y, &|x| x * x),
            Self::Abs => each(y, &f32::abs),
            Self::Affine { scale, shift } => each(y, &|x| scale * x + shift),
            Self::Clamp { low, high } => each(y, &|x| x.clamp(low, high)),
            Self::Huber { delta } => each(y, &|x| {
                let size = x.abs();
                if size > delta { delta * (size - 0.5 * delta) } else { 0.5 * x * x }
            }),
        }
    }

    /// Writes the derivative at `x`, where the function has the value `y`.
    fn slope(self, x: &[f32], y: &[f32], slope: &mut [f32]) {
        let of_x = |s: &mut [f32], f: &dyn Fn(f32) -> f32| s.iter_mut().zip(x).for_each(|(s, &x)| *s = f(x));
        let of_y = |s: &mut [f32], f: &dyn Fn(f32) -> f32| s.iter_mut().zip(y).for_each(|(s, &y)| *s = f(y));
        match self {
            Self::Relu => of_x(slope, &|x| if x > 0.0 { 1.0 } else { 0.0 }),
            Self::Gelu => {
                let mut again = kernel::scratch::take(x.len());
                again.copy_from_slice(x);
                slope.fill(1.0);
                kernel::map_with_slope::<Gelu>(&mut again, slope);
            }
            Self::Sigmoid => of_y(slope, &|y| y * (1.0 - y)),
            Self::Tanh => of_y(slope, &|y| 1.0 - y * y),
            Self::Exp => slope.copy_from_slice(y),
            Self::Softplus => {
                slope.copy_from_slice(x);
                kernel::map::<Sigmoid>(slope);
            }
            Self::Log => of_x(slope, &f32::recip),
            Self::Sqrt => of_y(slope, &|y| 0.5 / y),
            Self::Square => of_x(slope, &|x| 2.0 * x),
            Self::Abs => of_x(slope, &|x| if x == 0.0 { 0.0 } else { x.signum() }),
            Self::Affine { scale, .. } => slope.fill(scale),
            Self::Clamp { low, high } => of_x(slope, &|x| if (low..=high).contains(&x) { 1.0 } else { 0.0 }),
            Self::Huber { delta } => of_x(slope, &|x| x.clamp(-delta, delta)),
        }
    }
}
