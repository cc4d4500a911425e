//! Sums and means in the order in which PyTorch adds: tokens are cut at boundaries, so a scale that
//! differs in its last bit can change one.

/// How many sums run side by side in the reference's kernel, as of 256-bit vectors.
const LANES: usize = 8;
/// How many of those vectors it adds in turn.
const TURNS: usize = 4;
/// Levels of partial sums: the lowest is emptied into the next every so many steps.
const LEVELS: usize = 4;

/// The sum over what is there, in `f32`.
pub(super) fn sum_present(x: &[f32]) -> f32 {
    // The reference leaves its vectors where a row does not fill one.
    if x.len() < LANES { cascade::<1>(x)[0] } else { vectors(x) }
}

/// The mean over what is there; not a number where nothing is.
pub(super) fn mean_present(x: &[f32]) -> f32 {
    sum_present(x) / x.iter().filter(|x| !x.is_nan()).count() as f32
}

fn vectors(x: &[f32]) -> f32 {
    let whole = x.len() / LANES * LANES;
    let lanes = cascade::<LANES>(&x[..whole]);
    let rest = x[whole..].iter().fold(0.0, |sum, &x| sum + present(x));
    lanes.iter().fold(rest, |sum, &lane| sum + lane)
}

fn present(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x }
}

/// Rows of `N` numbers added up, four rows in turn, level by level.
fn cascade<const N: usize>(x: &[f32]) -> [f32; N] {
    let add = |to: &mut [f32; N], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, &x)| *to += present(x));
    let rows = x.len() / N;
    let size = rows / TURNS;
    let power = (size.next_power_of_two().ilog2() as usize / LEVELS).max(4);
    let mut levels = [[[0.0_f32; N]; TURNS]; LEVELS];
    let row = |to: &mut [[f32; N]; TURNS], i: usize| {
        for (turn, to) in to.iter_mut().enumerate() {
            add(to, &x[(i * TURNS + turn) * N..][..N]);
        }
    };
    let step = 1 << power;
    let mut i = 0;
    while i + step <= size {
        for _ in 0..step {
            row(&mut levels[0], i);
            i += 1;
        }
        for level in 1..LEVELS {
            let below = std::mem::replace(&mut levels[level - 1], [[0.0; N]; TURNS]);
            for (to, from) in levels[level].iter_mut().zip(&below) {
                add(to, from);
            }
            if i & ((step - 1) << (level * power)) != 0 {
                break;
            }
        }
    }
    while i < size {
        row(&mut levels[0], i);
        i += 1;
    }
    let [mut sums, higher @ ..] = levels;
    for level in higher {
        for (to, from) in sums.iter_mut().zip(&level) {
            add(to, from);
        }
    }
    let [mut total, others @ ..] = sums;
    for row in size * TURNS..rows {
        add(&mut total, &x[row * N..][..N]);
    }
    for other in others {
        add(&mut total, &other);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_right_at_any_length() {
        for n in [0, 1, 3, 5, 7, 8, 9, 31, 32, 60, 61, 64, 511, 512, 513, 4096, 70_001] {
            let x: Vec<f32> = (0..n).map(|i| if i % 7 == 3 { f32::NAN } else { 1.0 + (i % 13) as f32 }).collect();
            let exact: f64 = x.iter().filter(|x| !x.is_nan()).map(|&x| f64::from(x)).sum();
            assert!((f64::from(sum_present(&x)) - exact).abs() <= 1e-6 * exact, "{n} numbers");
        }
        assert!(mean_present(&[f32::NAN]).is_nan());
        assert_eq!(mean_present(&[f32::NAN, 3.0, 5.0]), 4.0);
    }
}
