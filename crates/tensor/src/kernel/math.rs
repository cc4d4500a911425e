//! Functions of one variable on vectors. Relative errors are a few units in the last place.

use super::lanes::Lanes;

/// A function and its derivative, lane by lane.
pub(crate) trait Map {
    /// `(f(x), f'(x))`; what is not used costs nothing.
    fn value_and_slope<L: Lanes>(l: L, x: L::V) -> (L::V, L::V);
}

/// `exp`.
pub(crate) struct Exp;
/// `x Φ(x)` with the exact normal distribution.
pub(crate) struct Gelu;
/// `max(x, 0)`; the slope at 0 is 0.
pub(crate) struct Relu;
/// `1 / (1 + exp(-x))`.
pub(crate) struct Sigmoid;
/// The hyperbolic tangent.
pub(crate) struct Tanh;

impl Map for Exp {
    #[inline(always)]
    fn value_and_slope<L: Lanes>(l: L, x: L::V) -> (L::V, L::V) {
        let y = exp(l, x);
        (y, y)
    }
}

impl Map for Gelu {
    #[inline(always)]
    fn value_and_slope<L: Lanes>(l: L, x: L::V) -> (L::V, L::V) {
        let magnitude = l.max(l.sub(l.splat(0.0), x), x);
        let z = l.mul(magnitude, l.splat(std::f32::consts::FRAC_1_SQRT_2));
        let density = exp(l, l.sub(l.splat(0.0), l.mul(z, z)));
        // erfc(z) / exp(-z²) as a polynomial in t = 1 / (1 + 0.33 z), fitted to a relative error of 1e-7.
        let t = l.reciprocal(l.mul_add(z, l.splat(0.33), l.splat(1.0)));
        let tail = polynomial(
            l,
            t,
            [
                -0.135_344_63,
                0.460_232_88,
                -0.351_142_63,
                0.408_493_68,
                0.047_223_903,
                0.201_222_92,
                0.182_956_1,
                0.186_357_8,
            ],
        );
        // The half keeps its relative precision on the negative side, where Φ is small.
        let tail = l.mul(l.mul(l.mul(tail, t), density), l.splat(0.5));
        let cumulative = l.if_less(x, l.splat(0.0), tail, l.sub(l.splat(1.0), tail));
        let slope = l.mul_add(l.mul(x, l.splat(0.398_942_3)), density, cumulative);
        (l.mul(x, cumulative), slope)
    }
}

impl Map for Relu {
    #[inline(always)]
    fn value_and_slope<L: Lanes>(l: L, x: L::V) -> (L::V, L::V) {
        let zero = l.splat(0.0);
        (l.max(zero, x), l.if_less(zero, x, l.splat(1.0), zero))
    }
}

impl Map for Sigmoid {
    #[inline(always)]
    fn value_and_slope<L: Lanes>(l: L, x: L::V) -> (L::V, L::V) {
        let one = l.splat(1.0);
        let y = l.div(one, l.add(one, exp(l, l.sub(l.splat(0.0), x))));
        (y, l.mul(y, l.sub(one, y)))
    }
}

impl Map for Tanh {
    #[inline(always)]
    fn value_and_slope<L: Lanes>(l: L, x: L::V) -> (L::V, L::V) {
        let magnitude = l.max(l.sub(l.splat(0.0), x), x);
        let e = exp(l, l.mul(magnitude, l.splat(-2.0)));
        let far = l.div(l.sub(l.splat(1.0), e), l.add(l.splat(1.0), e));
        let far = l.if_less(x, l.splat(0.0), l.sub(l.splat(0.0), far), far);
        // Near zero the quotient cancels: an odd polynomial instead (Cephes, tanhf).
        let square = l.mul(x, x);
        let near = polynomial(l, square, [-5.704_988_7e-3, 2.063_909e-2, -5.373_972e-2, 1.333_144_3e-1, -3.333_328e-1]);
        let near = l.mul_add(l.mul(near, square), x, x);
        let y = l.if_less(magnitude, l.splat(0.625), near, far);
        (y, l.sub(l.splat(1.0), l.mul(y, y)))
    }
}

/// Highest power first.
#[inline(always)]
fn polynomial<L: Lanes, const K: usize>(l: L, x: L::V, coefficients: [f32; K]) -> L::V {
    let mut sum = l.splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = l.mul_add(sum, x, l.splat(coefficient));
    }
    sum
}

/// `exp(x)`: infinite above 88.72, exactly 0 below -87 (what lies below normal numbers takes processors a hundred times
/// as long), not a number where `x` is not.
#[inline(always)]
pub(super) fn exp<L: Lanes>(l: L, input: L::V) -> L::V {
    let low = l.splat(-87.0);
    let x = l.max(low, l.min(l.splat(89.0), input));
    let n = l.round(l.mul(x, l.splat(std::f32::consts::LOG2_E)));
    // ln 2 in two parts, so that the remainder is exact (Cody and Waite).
    let r = l.mul_add(n, l.splat(-0.693_359_4), x);
    let r = l.mul_add(n, l.splat(2.121_944_4e-4), r);
    // exp(r) = 1 + r + r² p(r) to 4e-9 (a minimax fit over half a power of two on either side).
    let series = polynomial(l, r, [1.381_446_7e-3, 8.368_781e-3, 4.166_839_3e-2, 0.166_665_2, 0.499_999_94]);
    let series = l.add(l.mul_add(series, l.mul(r, r), r), l.splat(1.0));
    l.if_less(input, low, l.splat(0.0), l.scale_by_power(series, n))
}

#[inline(always)]
pub(super) fn map<L: Lanes, F: Map>(l: L, x: &mut [f32]) {
    let mut whole = x.chunks_exact_mut(L::N);
    for x in &mut whole {
        l.write(x, F::value_and_slope(l, l.read(x)).0);
    }
    let x = whole.into_remainder();
    l.put(x, F::value_and_slope(l, l.get(x, 0.0)).0);
}

#[inline(always)]
pub(super) fn map_with_slope<L: Lanes, F: Map>(l: L, x: &mut [f32], gradient: &mut [f32]) {
    assert_eq!(x.len(), gradient.len());
    let (mut whole, mut gradients) = (x.chunks_exact_mut(L::N), gradient.chunks_exact_mut(L::N));
    for (x, gradient) in (&mut whole).zip(&mut gradients) {
        let (y, slope) = F::value_and_slope(l, l.read(x));
        l.write(x, y);
        l.write(gradient, l.mul(l.read(gradient), slope));
    }
    let (x, gradient) = (whole.into_remainder(), gradients.into_remainder());
    let (y, slope) = F::value_and_slope(l, l.get(x, 0.0));
    l.put(x, y);
    l.put(gradient, l.mul(l.get(gradient, 0.0), slope));
}
