//! Kernels over the rows of a matrix, and a few over plain slices.

use super::AdamRule;
use super::lanes::Lanes;
use super::math::exp;

/// Calls `$body` for each vector of slices of one length, the last one perhaps shorter.
macro_rules! sweep {
    ($l:ident, $n:expr, |$range:ident| $full:block, |$rest:ident| $part:block) => {
        let n = $n;
        let mut at = 0;
        while at + L::N <= n {
            let $range = at..at + L::N;
            $full
            at += L::N;
        }
        if at < n {
            let $rest = at..n;
            $part
        }
    };
}

/// One over the deviation of a row, and its mean (0 where not centred).
#[inline(always)]
fn moments<L: Lanes>(l: L, centred: bool, epsilon: f32, x: &[f32]) -> (f32, f32) {
    let size = x.len() as f32;
    let mean = if centred {
        let mut sum = l.splat(0.0);
        sweep!(
            l,
            x.len(),
            |at| {
                sum = l.add(sum, l.read(&x[at]));
            },
            |at| {
                sum = l.add(sum, l.read_part(&x[at], 0.0));
            }
        );
        l.sum(sum) / size
    } else {
        0.0
    };
    let centre = l.splat(mean);
    let mut squares = l.splat(0.0);
    sweep!(
        l,
        x.len(),
        |at| {
            let v = l.sub(l.read(&x[at]), centre);
            squares = l.mul_add(v, v, squares);
        },
        |at| {
            let v = l.sub(l.read_part(&x[at], mean), centre);
            squares = l.mul_add(v, v, squares);
        }
    );
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
        let (inverse, mean_lanes) = (l.splat(inverse), l.splat(mean));
        sweep!(
            l,
            width,
            |at| {
                let v = l.mul(l.sub(l.read(&x[at.clone()]), mean_lanes), inverse);
                let s = match shift {
                    Some(shift) => l.read(&shift[at.clone()]),
                    None => l.splat(0.0),
                };
                l.write(&mut out[at.clone()], l.mul_add(v, l.read(&gain[at]), s));
            },
            |at| {
                let v = l.mul(l.sub(l.read_part(&x[at.clone()], 0.0), mean_lanes), inverse);
                let s = match shift {
                    Some(shift) => l.read_part(&shift[at.clone()], 0.0),
                    None => l.splat(0.0),
                };
                l.write_part(&mut out[at.clone()], l.mul_add(v, l.read_part(&gain[at], 0.0), s));
            }
        );
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
        sweep!(
            l,
            width,
            |at| {
                let y = l.read(&dy[at.clone()]);
                let n = l.mul(l.sub(l.read(&x[at.clone()]), centre), scale);
                let g = l.mul(y, l.read(&gain[at.clone()]));
                sum = l.add(sum, g);
                product = l.mul_add(g, n, product);
                let d_gain = &mut d_gain[at.clone()];
                l.write(d_gain, l.mul_add(y, n, l.read(d_gain)));
                if let Some(d_shift) = &mut d_shift {
                    let d_shift = &mut d_shift[at];
                    l.write(d_shift, l.add(y, l.read(d_shift)));
                }
            },
            |at| {
                let y = l.read_part(&dy[at.clone()], 0.0);
                let n = l.mul(l.sub(l.read_part(&x[at.clone()], mean), centre), scale);
                let g = l.mul(y, l.read_part(&gain[at.clone()], 0.0));
                sum = l.add(sum, g);
                product = l.mul_add(g, n, product);
                let d_gain = &mut d_gain[at.clone()];
                l.write_part(d_gain, l.mul_add(y, n, l.read_part(d_gain, 0.0)));
                if let Some(d_shift) = &mut d_shift {
                    let d_shift = &mut d_shift[at];
                    l.write_part(d_shift, l.add(y, l.read_part(d_shift, 0.0)));
                }
            }
        );
        let sum = l.splat(if centred { l.sum(sum) / width as f32 } else { 0.0 });
        let product = l.splat(l.sum(product) / width as f32);
        sweep!(
            l,
            width,
            |at| {
                let n = l.mul(l.sub(l.read(&x[at.clone()]), centre), scale);
                let g = l.mul(l.read(&dy[at.clone()]), l.read(&gain[at.clone()]));
                let d = l.mul(l.sub(l.sub(g, sum), l.mul(n, product)), scale);
                let dx = &mut dx[at];
                l.write(dx, l.add(l.read(dx), d));
            },
            |at| {
                let n = l.mul(l.sub(l.read_part(&x[at.clone()], 0.0), centre), scale);
                let g = l.mul(l.read_part(&dy[at.clone()], 0.0), l.read_part(&gain[at.clone()], 0.0));
                let d = l.mul(l.sub(l.sub(g, sum), l.mul(n, product)), scale);
                let dx = &mut dx[at];
                l.write_part(dx, l.add(l.read_part(dx, 0.0), d));
            }
        );
    }
}

#[inline(always)]
pub(super) fn softmax<L: Lanes>(
    l: L,
    x: &mut [f32],
    width: usize,
    scale: f32,
    bias: Option<&[f32]>,
    keep: Option<&[f32]>,
) {
    assert!(width > 0 && bias.is_none_or(|bias| bias.len() == x.len()));
    assert!(keep.is_none_or(|keep| keep.len() == width || keep.len() == x.len()));
    let (scale, nothing, zero) = (l.splat(scale), f32::NEG_INFINITY, l.splat(0.0));
    for (i, row) in x.chunks_exact_mut(width).enumerate() {
        let bias = bias.map(|bias| &bias[i * width..][..width]);
        let keep = keep.map(|keep| if keep.len() == width { keep } else { &keep[i * width..][..width] });
        let mut largest = l.splat(nothing);
        sweep!(
            l,
            width,
            |at| {
                let mut v = l.mul(l.read(&row[at.clone()]), scale);
                if let Some(bias) = bias {
                    v = l.add(v, l.read(&bias[at.clone()]));
                }
                if let Some(keep) = keep {
                    v = l.if_less(zero, l.read(&keep[at.clone()]), v, l.splat(nothing));
                }
                l.write(&mut row[at], v);
                largest = l.max(largest, v);
            },
            |at| {
                let mut v = l.mul(l.read_part(&row[at.clone()], nothing), scale);
                if let Some(bias) = bias {
                    v = l.add(v, l.read_part(&bias[at.clone()], 0.0));
                }
                if let Some(keep) = keep {
                    v = l.if_less(zero, l.read_part(&keep[at.clone()], 0.0), v, l.splat(nothing));
                }
                l.write_part(&mut row[at.clone()], v);
                largest = l.max(largest, l.read_part(&row[at], nothing));
            }
        );
        let top = l.largest(largest);
        if top == nothing {
            row.fill(0.0);
            continue;
        }
        let top = l.splat(top);
        let mut sum = l.splat(0.0);
        sweep!(
            l,
            width,
            |at| {
                let v = exp(l, l.sub(l.read(&row[at.clone()]), top));
                l.write(&mut row[at], v);
                sum = l.add(sum, v);
            },
            |at| {
                let v = exp(l, l.sub(l.read_part(&row[at.clone()], nothing), top));
                l.write_part(&mut row[at], v);
                sum = l.add(sum, v);
            }
        );
        scale_row(l, row, 1.0 / l.sum(sum));
    }
}

#[inline(always)]
fn scale_row<L: Lanes>(l: L, row: &mut [f32], factor: f32) {
    let factor = l.splat(factor);
    sweep!(
        l,
        row.len(),
        |at| {
            let v = l.mul(l.read(&row[at.clone()]), factor);
            l.write(&mut row[at], v);
        },
        |at| {
            let v = l.mul(l.read_part(&row[at.clone()], 0.0), factor);
            l.write_part(&mut row[at], v);
        }
    );
}

#[inline(always)]
pub(super) fn softmax_backward<L: Lanes>(l: L, probabilities: &[f32], gradient: &mut [f32], width: usize) {
    assert_eq!(probabilities.len(), gradient.len());
    for (p, d) in probabilities.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
        let mut dot = l.splat(0.0);
        sweep!(
            l,
            width,
            |at| {
                dot = l.mul_add(l.read(&p[at.clone()]), l.read(&d[at]), dot);
            },
            |at| {
                dot = l.mul_add(l.read_part(&p[at.clone()], 0.0), l.read_part(&d[at], 0.0), dot);
            }
        );
        let dot = l.splat(l.sum(dot));
        sweep!(
            l,
            width,
            |at| {
                let v = l.mul(l.read(&p[at.clone()]), l.sub(l.read(&d[at.clone()]), dot));
                l.write(&mut d[at], v);
            },
            |at| {
                let v = l.mul(l.read_part(&p[at.clone()], 0.0), l.sub(l.read_part(&d[at.clone()], 0.0), dot));
                l.write_part(&mut d[at], v);
            }
        );
    }
}

// The loops below are plain: compiled with an entry point's instructions, they become vectors by themselves.

#[inline(always)]
pub(super) fn add_row<L: Lanes>(_: L, x: &mut [f32], row: &[f32]) {
    for x in x.chunks_exact_mut(row.len()) {
        for (x, &r) in x.iter_mut().zip(row) {
            *x += r;
        }
    }
}

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
pub(super) fn scale<L: Lanes>(_: L, x: &mut [f32], factor: f32) {
    for x in x {
        *x *= factor;
    }
}

#[inline(always)]
pub(super) fn dropout<L: Lanes>(_: L, x: &mut [f32], key: u64, rate: f32) {
    // A 32-bit integer mixer with full avalanche (the constants are those of «lowbias32»).
    let (low, high) = (key as u32, (key >> 32) as u32);
    let limit = (f64::from(rate) * 4_294_967_296.0) as u32;
    let factor = 1.0 / (1.0 - rate);
    for (i, x) in x.iter_mut().enumerate() {
        let mut hash = (i as u32) ^ low;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d);
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x846c_a68b) ^ high;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d);
        hash ^= hash >> 15;
        *x *= if hash < limit { 0.0 } else { factor };
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
