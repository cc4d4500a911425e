//! Kernels over the rows of a matrix, and a few over plain slices.

use super::AdamRule;
use super::lanes::Lanes;
use super::math::exp;

/// Runs `$body` for each vector of `0..$n`, the last one perhaps shorter. The body stands there twice, so that whole
/// vectors need no mask.
macro_rules! sweep {
    ($n:expr, |$range:ident| $body:block) => {
        let n = $n;
        let mut at = 0;
        while at + L::N <= n {
            let $range = at..at + L::N;
            $body
            at += L::N;
        }
        if at < n {
            let $range = at..n;
            $body
        }
    };
}

/// One over the deviation of a row, and its mean (0 where not centred).
#[inline(always)]
fn moments<L: Lanes>(l: L, centred: bool, epsilon: f32, x: &[f32]) -> (f32, f32) {
    let size = x.len() as f32;
    let mut mean = 0.0;
    if centred {
        let mut sum = l.splat(0.0);
        sweep!(x.len(), |at| {
            sum = l.add(sum, l.get(&x[at], 0.0));
        });
        mean = l.sum(sum) / size;
    }
    let centre = l.splat(mean);
    let mut squares = l.splat(0.0);
    sweep!(x.len(), |at| {
        let v = l.sub(l.get(&x[at], mean), centre);
        squares = l.mul_add(v, v, squares);
    });
    (1.0 / (l.sum(squares) / size + epsilon).sqrt(), mean)
}

#[inline(always)]
pub(super) fn norm<L: Lanes>(
    l: L,
    centred: bool,
    epsilon: f32,
    x: &[f32],
    gain: &[f32],
    shift: Option<&[f32]>,
    out: &mut [f32],
) {
    let width = gain.len();
    assert!(x.len() == out.len() && shift.is_none_or(|shift| shift.len() == width));
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let (inverse, mean) = moments(l, centred, epsilon, x);
        let (inverse, mean) = (l.splat(inverse), l.splat(mean));
        sweep!(width, |at| {
            let v = l.mul(l.sub(l.get(&x[at.clone()], 0.0), mean), inverse);
            let s = match shift {
                Some(shift) => l.get(&shift[at.clone()], 0.0),
                None => l.splat(0.0),
            };
            l.put(&mut out[at.clone()], l.mul_add(v, l.get(&gain[at], 0.0), s));
        });
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "kernels take slices and sizes")]
pub(super) fn norm_backward<L: Lanes>(
    l: L,
    centred: bool,
    epsilon: f32,
    x: &[f32],
    gain: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    d_gain: &mut [f32],
    mut d_shift: Option<&mut [f32]>,
) {
    let width = gain.len();
    assert!(x.len() == dy.len() && x.len() == dx.len() && d_gain.len() == width);
    for ((x, dy), dx) in x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width)) {
        let (inverse, mean) = moments(l, centred, epsilon, x);
        let (scale, centre) = (l.splat(inverse), l.splat(mean));
        // With n = normalised x and g = gain * dy: dx = (g - mean(g) - n mean(g n)) / deviation; the
        // first mean falls away where the row is not centred.
        let (mut sum, mut product) = (l.splat(0.0), l.splat(0.0));
        sweep!(width, |at| {
            let y = l.get(&dy[at.clone()], 0.0);
            let n = l.mul(l.sub(l.get(&x[at.clone()], mean), centre), scale);
            let g = l.mul(y, l.get(&gain[at.clone()], 0.0));
            sum = l.add(sum, g);
            product = l.mul_add(g, n, product);
            let d_gain = &mut d_gain[at.clone()];
            l.put(d_gain, l.mul_add(y, n, l.get(d_gain, 0.0)));
            if let Some(d_shift) = &mut d_shift {
                let d_shift = &mut d_shift[at];
                l.put(d_shift, l.add(y, l.get(d_shift, 0.0)));
            }
        });
        let sum = l.splat(if centred { l.sum(sum) / width as f32 } else { 0.0 });
        let product = l.splat(l.sum(product) / width as f32);
        sweep!(width, |at| {
            let n = l.mul(l.sub(l.get(&x[at.clone()], 0.0), centre), scale);
            let g = l.mul(l.get(&dy[at.clone()], 0.0), l.get(&gain[at.clone()], 0.0));
            let d = l.mul(l.sub(l.sub(g, sum), l.mul(n, product)), scale);
            let dx = &mut dx[at];
            l.put(dx, l.add(l.get(dx, 0.0), d));
        });
    }
}

#[inline(always)]
pub(super) fn softmax<L: Lanes>(
    l: L,
    x: &mut [f32],
    [width, step]: [usize; 2],
    scale: f32,
    bias: Option<&[f32]>,
    keep: Option<&[f32]>,
) {
    let rows = x.len() / step.max(1);
    assert!(0 < width && width <= step && bias.is_none_or(|bias| bias.len() == rows * width));
    assert!(keep.is_none_or(|keep| keep.len() == width || keep.len() == rows * width));
    for (i, row) in x.chunks_exact_mut(step).enumerate() {
        let logits = Logits {
            scale: l.splat(scale),
            bias: bias.map(|bias| &bias[i * width..][..width]),
            keep: keep.map(|keep| if keep.len() == width { keep } else { &keep[i * width..][..width] }),
        };
        let row = &mut row[..width];
        match width.div_ceil(L::N) {
            1 => short_softmax::<L, 1>(l, row, logits),
            2 => short_softmax::<L, 2>(l, row, logits),
            3 | 4 => short_softmax::<L, 4>(l, row, logits),
            _ => long_softmax(l, row, logits),
        }
    }
}

/// What a row of scores goes through before its softmax.
#[derive(Clone, Copy)]
struct Logits<'a, V> {
    scale: V,
    bias: Option<&'a [f32]>,
    keep: Option<&'a [f32]>,
}

impl<V: Copy> Logits<'_, V> {
    #[inline(always)]
    fn get<L: Lanes<V = V>>(self, l: L, row: &[f32], at: std::ops::Range<usize>) -> V {
        let nothing = f32::NEG_INFINITY;
        let mut v = l.mul(l.get(&row[at.clone()], nothing), self.scale);
        if let Some(bias) = self.bias {
            v = l.add(v, l.get(&bias[at.clone()], 0.0));
        }
        if let Some(keep) = self.keep {
            v = l.if_less(l.splat(0.0), l.get(&keep[at], 0.0), v, l.splat(nothing));
        }
        v
    }
}

/// A row that fits registers: it is read once and written once.
#[inline(always)]
fn short_softmax<L: Lanes, const VECTORS: usize>(l: L, row: &mut [f32], logits: Logits<'_, L::V>) {
    let at = |j: usize| (j * L::N).min(row.len())..((j + 1) * L::N).min(row.len());
    let ranges: [_; VECTORS] = std::array::from_fn(at);
    let mut v = [l.splat(f32::NEG_INFINITY); VECTORS];
    let mut largest = v[0];
    for (v, at) in v.iter_mut().zip(&ranges) {
        *v = logits.get(l, row, at.clone());
        largest = l.max(largest, *v);
    }
    let top = l.largest(largest);
    if top == f32::NEG_INFINITY {
        return row.fill(0.0);
    }
    let (top, mut sum) = (l.splat(top), l.splat(0.0));
    for v in &mut v {
        *v = exp(l, l.sub(*v, top));
        sum = l.add(sum, *v);
    }
    let inverse = l.splat(1.0 / l.sum(sum));
    for (v, at) in v.into_iter().zip(ranges) {
        l.put(&mut row[at], l.mul(v, inverse));
    }
}

#[inline(always)]
fn long_softmax<L: Lanes>(l: L, row: &mut [f32], logits: Logits<'_, L::V>) {
    let nothing = f32::NEG_INFINITY;
    let mut largest = l.splat(nothing);
    sweep!(row.len(), |at| {
        let v = logits.get(l, row, at.clone());
        l.put(&mut row[at], v);
        largest = l.max(largest, v);
    });
    let top = l.largest(largest);
    if top == nothing {
        return row.fill(0.0);
    }
    let (top, mut sum) = (l.splat(top), l.splat(0.0));
    sweep!(row.len(), |at| {
        let v = exp(l, l.sub(l.get(&row[at.clone()], nothing), top));
        l.put(&mut row[at], v);
        sum = l.add(sum, v);
    });
    let inverse = l.splat(1.0 / l.sum(sum));
    sweep!(row.len(), |at| {
        let v = l.mul(l.get(&row[at.clone()], 0.0), inverse);
        l.put(&mut row[at], v);
    });
}

#[inline(always)]
pub(super) fn softmax_backward<L: Lanes>(
    l: L,
    probabilities: &[f32],
    gradient: &mut [f32],
    [width, step]: [usize; 2],
    scale: f32,
    mut d_bias: Option<&mut [f32]>,
) {
    assert!(probabilities.len() == gradient.len() && 0 < width && width <= step);
    let scale = l.splat(scale);
    for (i, (p, d)) in probabilities.chunks_exact(step).zip(gradient.chunks_exact_mut(step)).enumerate() {
        let mut dot = l.splat(0.0);
        sweep!(width, |at| {
            dot = l.mul_add(l.get(&p[at.clone()], 0.0), l.get(&d[at], 0.0), dot);
        });
        let dot = l.splat(l.sum(dot));
        sweep!(width, |at| {
            let v = l.mul(l.get(&p[at.clone()], 0.0), l.sub(l.get(&d[at.clone()], 0.0), dot));
            if let Some(d_bias) = &mut d_bias {
                let sums = &mut d_bias[i * width..][at.clone()];
                l.put(sums, l.add(l.get(sums, 0.0), v));
            }
            l.put(&mut d[at], l.mul(v, scale));
        });
    }
}

// The loops below are plain: compiled with an entry point's instructions, they become vectors by themselves.

#[inline(always)]
pub(super) fn add_column_sums<L: Lanes>(_: L, x: &[f32], sums: &mut [f32]) {
    for x in x.chunks_exact(sums.len()) {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x;
        }
    }
}

#[inline(always)]
pub(super) fn add<L: Lanes>(_: L, to: &mut [f32], from: &[f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

#[inline(always)]
pub(super) fn dropout<L: Lanes>(_: L, x: &mut [f32], [width, step]: [usize; 2], key: u64, rate: f32) {
    // A 32-bit integer mixer with full avalanche (the constants are those of «lowbias32»).
    let (low, high) = (key as u32, (key >> 32) as u32);
    let limit = (f64::from(rate) * 4_294_967_296.0) as u32;
    let factor = 1.0 / (1.0 - rate);
    for (row, x) in x.chunks_exact_mut(step.max(1)).enumerate() {
        for (i, x) in x[..width].iter_mut().enumerate() {
            let mut hash = ((row * width + i) as u32) ^ low;
            hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d);
            hash = (hash ^ (hash >> 15)).wrapping_mul(0x846c_a68b) ^ high;
            hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d);
            hash ^= hash >> 15;
            *x *= if hash < limit { 0.0 } else { factor };
        }
    }
}

#[inline(always)]
pub(super) fn adamw<L: Lanes>(
    _: L,
    weight: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    rule: &AdamRule,
) {
    for (((w, &g), m), v) in weight.iter_mut().zip(gradient).zip(first).zip(second) {
        *m = rule.beta1 * *m + (1.0 - rule.beta1) * g;
        *v = rule.beta2 * *v + (1.0 - rule.beta2) * g * g;
        *w = *w * rule.keep - rule.step * *m / (v.sqrt() * rule.second_scale + rule.epsilon);
    }
}
