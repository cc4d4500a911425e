//! Every kernel on every instruction set of this machine, against the same thing in `f64`.

use std::cell::Cell;

use super::*;
use crate::Random;

thread_local! {
    /// What this thread's kernels use instead of the best.
    pub(super) static FORCED: Cell<Option<Instructions>> = const { Cell::new(None) };
}

fn on_all(mut test: impl FnMut(Instructions)) {
    for instructions in Instructions::available() {
        FORCED.set(Some(instructions));
        test(instructions);
    }
    FORCED.set(None);
}

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..n).map(|_| random.normal()).collect()
}

#[track_caller]
fn assert_close(got: &[f32], wanted: impl Iterator<Item = f64>, tolerance: f64, what: &str) {
    for (i, (&got, wanted)) in got.iter().zip(wanted).enumerate() {
        let difference = (f64::from(got) - wanted).abs();
        assert!(difference <= tolerance * (1.0 + wanted.abs()), "{what} at {i}: {got} instead of {wanted}");
    }
}

#[test]
fn products_of_any_size_and_layout() {
    let sizes: &[[usize; 3]] = if cfg!(miri) {
        &[[7, 3, 13], [1, 2, 5]]
    } else {
        &[[7, 3, 13], [1, 1, 1], [60, 16, 60], [13, 60, 64], [5, 700, 97], [25, 5, 33], [12, 9, 48], [2, 0, 3]]
    };
    on_all(|set| {
        for &[m, k, n] in sizes {
            for layout in 0..8_u8 {
                let (turn_a, turn_b, accumulate) = (layout & 1 > 0, layout & 2 > 0, layout & 4 > 0);
                let (a, b, before) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * (n + 3), 3));
                let bias = numbers(n, 4);
                let left = if turn_a { Mat::new(&a, k, m).transposed() } else { Mat::new(&a, m, k) };
                let right = if turn_b { Mat::new(&b, n, k).transposed() } else { Mat::new(&b, k, n) };
                let mut c = before.clone();
                gemm(left, right, turn_b.then_some(&bias), &mut c, n + 3, accumulate);
                let wanted = (0..m * (n + 3)).map(|at| {
                    let (i, j) = (at / (n + 3), at % (n + 3));
                    let old = f64::from(before[at]);
                    if j >= n {
                        return old;
                    }
                    let a = |p: usize| f64::from(if turn_a { a[p * m + i] } else { a[i * k + p] });
                    let b = |p: usize| f64::from(if turn_b { b[j * k + p] } else { b[p * n + j] });
                    let bias = if turn_b { f64::from(bias[j]) } else { 0.0 };
                    (0..k).map(|p| a(p) * b(p)).sum::<f64>() + bias + if accumulate { old } else { 0.0 }
                });
                assert_close(
                    &c,
                    wanted,
                    4e-6 * (k as f64 + 1.0).sqrt(),
                    &format!("{set:?} {m}x{k}x{n} layout {layout}"),
                );
            }
        }
    });
}

#[test]
fn columns_that_are_not_there_are_zeros() {
    on_all(|_| {
        let (a, b) = (numbers(7 * 5, 1), numbers(13 * 5, 2));
        let product = |columns: usize| {
            let mut c = vec![1.0; 7 * columns];
            let right = Mat::new(&b, 13, 5).transposed().widened(columns);
            gemm(Mat::new(&a, 7, 5), right, None, &mut c, columns, false);
            c
        };
        let (narrow, wide) = (product(13), product(80));
        for (narrow, wide) in narrow.chunks(13).zip(wide.chunks(80)) {
            assert_eq!((narrow, [0.0; 67].as_slice()), wide.split_at(13));
        }
    });
}

#[test]
fn rows_of_a_product_do_not_depend_on_how_it_is_split() {
    let (m, k, n) = if cfg!(miri) { (9, 4, 7) } else { (61, 530, 150) };
    on_all(|_| {
        let (a, b) = (numbers(m * k, 4), numbers(k * n, 5));
        let mut whole = vec![0.0; m * n];
        gemm(Mat::new(&a, m, k), Mat::new(&b, k, n), None, &mut whole, n, false);
        for size in [1, 2, 5] {
            for first in (0..m).step_by(size) {
                let rows = size.min(m - first);
                let mut part = vec![0.0; rows * n];
                gemm(Mat::new(&a, m, k).row_range(first, rows), Mat::new(&b, k, n), None, &mut part, n, false);
                assert_eq!(part, whole[first * n..][..rows * n]);
            }
        }
    });
}

/// `Φ` by its series or continued fraction in `f64`.
fn cumulative(x: f64) -> f64 {
    if x < -3.0 {
        // The continued fraction of Mills' ratio, from far below.
        let fraction = (1..200).rev().fold(-x, |below, i| -x + f64::from(i) / below);
        return (-0.5 * x * x).exp() / (std::f64::consts::TAU.sqrt() * fraction);
    }
    if x > 3.0 {
        return 1.0 - cumulative(-x);
    }
    let (mut term, mut sum) = (x, x);
    for i in 1..100 {
        term *= -x * x / (2.0 * f64::from(i));
        sum += term / f64::from(2 * i + 1);
    }
    0.5 + sum / std::f64::consts::TAU.sqrt()
}

#[test]
fn functions_are_exact_to_a_few_units_in_the_last_place() {
    let n = if cfg!(miri) { 40 } else { 4001 };
    let x: Vec<f32> = (0..n).map(|i| (i as f32 / (n - 1) as f32 - 0.5) * 24.0).collect();
    let mut y = vec![0.0; n];
    on_all(|set| {
        let wide = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(f64::from(x))).collect::<Vec<_>>();
        let check = |name: &str, y: &[f32], wanted: Vec<f64>, tolerance: f64| {
            for ((&x, &y), wanted) in x.iter().zip(y).zip(wanted) {
                let error = (f64::from(y) - wanted).abs();
                assert!(error <= tolerance * wanted.abs() + 1e-30, "{set:?} {name}({x}) = {y}, not {wanted}");
            }
        };
        y.copy_from_slice(&x);
        map::<Exp>(&mut y);
        check("exp", &y, wide(&f64::exp), 2e-7);
        y.copy_from_slice(&x);
        map::<Sigmoid>(&mut y);
        check("sigmoid", &y, wide(&|x| 1.0 / (1.0 + (-x).exp())), 4e-7);
        y.copy_from_slice(&x);
        map::<Tanh>(&mut y);
        check("tanh", &y, wide(&f64::tanh), 4e-7);
        y.copy_from_slice(&x);
        map::<Gelu>(&mut y);
        // Far out the rounding of x² is magnified by x² itself.
        check("gelu", &y, wide(&|x| x * cumulative(x)), 1.5e-5);
        let mut slope = vec![1.0; n];
        y.copy_from_slice(&x);
        map_with_slope::<Gelu>(&mut y, &mut slope);
        let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        assert_close(&slope, x.iter().map(|&x| f64::from(x)).map(|x| cumulative(x) + x * density(x)), 4e-7, "gelu'");
    });
}

#[test]
fn ends_of_the_range() {
    let x = [f32::NEG_INFINITY, -200.0, -104.5, 0.0, 88.7, 89.5, f32::INFINITY, f32::NAN];
    on_all(|_| {
        let mut y = [1.0; 8];
        y.copy_from_slice(&x);
        map::<Exp>(&mut y);
        assert_eq!(y[..4], [0.0, 0.0, 0.0, 1.0]);
        assert!((y[4] / 88.7_f32.exp() - 1.0).abs() < 1e-6);
        assert_eq!(y[5..7], [f32::INFINITY, f32::INFINITY]);
        assert!(y[7].is_nan());
        y.copy_from_slice(&x);
        map::<Tanh>(&mut y);
        assert_eq!([y[0], y[3], y[6]], [-1.0, 0.0, 1.0]);
        y.copy_from_slice(&x);
        map::<Relu>(&mut y);
        assert!(y[7].is_nan() && y[0] == 0.0);
    });
}

#[test]
fn softmax_with_scale_bias_and_mask() {
    on_all(|_| {
        for (width, step) in [(1, 1), (5, 16), (16, 17), (37, 48), (60, 64), (77, 77)] {
            let (x, bias) = (numbers(3 * step, 6), numbers(3 * width, 7));
            let keep: Vec<f32> = (0..width).map(|i| if i % 3 == 1 { 0.0 } else { 1.0 }).collect();
            let mut y = x.clone();
            softmax(&mut y, [width, step], 0.5, Some(&bias), Some(&keep));
            let wanted = (0..3 * step).map(|at| {
                let (row, j) = (at / step, at % step);
                let bias = |j: usize| f64::from(bias[row * width + j]);
                let e = |j: usize| f64::from(keep[j]) * (0.5 * f64::from(x[row * step + j]) + bias(j)).exp();
                // What lies between the rows stays as it was.
                if j < width { e(j) / (0..width).map(e).sum::<f64>() } else { f64::from(x[at]) }
            });
            assert_close(&y, wanted, 1e-6, "softmax");
            let mut nothing = x.clone();
            softmax(&mut nothing, [width, step], 0.5, None, Some(&vec![0.0; width]));
            assert!(nothing.chunks(step).all(|row| row[..width].iter().all(|&p| p == 0.0)));
        }
    });
}

#[test]
fn norms_and_their_gradients() {
    on_all(|_| {
        for width in [1, 5, 16, 37] {
            let rows = 3;
            let (x, gain, shift) = (numbers(rows * width, 8), numbers(width, 9), numbers(width, 10));
            let dy = numbers(rows * width, 11);
            for centred in [true, false] {
                let value = |x: &[f32], gain: &[f32]| {
                    let mut y = vec![0.0; rows * width];
                    norm(centred, 1e-2, x, gain, centred.then_some(&shift), &mut y);
                    y.iter().zip(&dy).map(|(&y, &dy)| f64::from(y) * f64::from(dy)).sum::<f64>()
                };
                let (mut dx, mut d_gain, mut d_shift) = (vec![0.0; rows * width], vec![0.0; width], vec![0.0; width]);
                norm_backward(centred, 1e-2, &x, &gain, &dy, &mut dx, &mut d_gain, centred.then_some(&mut d_shift));
                let step = 1e-2;
                let slope = |which: usize, at: usize| {
                    let mut moved = [x.clone(), gain.clone()];
                    moved[which][at] += step;
                    let up = value(&moved[0], &moved[1]);
                    moved[which][at] -= 2.0 * step;
                    (up - value(&moved[0], &moved[1])) / (2.0 * f64::from(step))
                };
                if width > 1 || !centred {
                    assert_close(&dx, (0..rows * width).map(|at| slope(0, at)), 5e-3, "dx");
                }
                assert_close(&d_gain, (0..width).map(|at| slope(1, at)), 5e-3, "d_gain");
                if centred {
                    let sums = (0..width).map(|j| (0..rows).map(|i| f64::from(dy[i * width + j])).sum());
                    assert_close(&d_shift, sums, 1e-6, "d_shift");
                }
            }
        }
    });
}

#[test]
fn dropout_keeps_the_mean_and_repeats_itself() {
    on_all(|_| {
        let n = if cfg!(miri) { 500 } else { 100_000 };
        let mut x = vec![1.0; n];
        dropout(&mut x, [n; 2], 42, 0.1);
        let dropped = x.iter().filter(|&&x| x == 0.0).count() as f64 / n as f64;
        assert!((dropped - 0.1).abs() < 0.05 / (n as f64 / 500.0).sqrt() * 2.0, "{dropped}");
        let mut again = vec![1.0; n];
        dropout(&mut again, [n; 2], 42, 0.1);
        assert_eq!(x, again);
        dropout(&mut again, [n; 2], 43, 0.1);
        assert_ne!(x, again);
    });
}

#[test]
fn scratch_is_aligned_and_nests() {
    let outer = scratch::take(100);
    let inner = scratch::take(1000);
    assert_eq!((outer.len(), inner.len()), (100, 1000));
    assert_eq!(outer.as_ptr().align_offset(16), 0);
}
