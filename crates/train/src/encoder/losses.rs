//! What the encoder is asked to be good at (SPEC P1-05 to P1-10).

use lotwise_tensor::{Array, Tape, Var};

/// Added to a variance before its root, whose slope at 0 is infinite.
const VARIANCE_EPSILON: f32 = 1e-4;
/// Weights of the three parts of VICReg, and what their sum is divided by (P1-10).
const INVARIANCE: f32 = 25.0;
const VARIANCE: f32 = 25.0;
const COVARIANCE: f32 = 1.0;
const VICREG_SCALE: f32 = 50.0;
/// Temperature of InfoNCE.
const TEMPERATURE: f32 = 0.1;
/// The smallest weight of a negative: its logarithm stands in for minus infinity.
const LEAST_WEIGHT: f32 = 1e-6;

/// Eq. (1): Huber's function of the distance from the clipped return, averaged over those that are known;
/// 0 where none is.
///
/// # Shapes
/// - `predicted`: `[B, N]`, `targets`: `B * N` simple returns
pub fn next_return(tape: &mut Tape, predicted: Var, targets: &[Option<f32>], clip: f32, delta: f32) -> Var {
    let shape = tape.shape(predicted);
    let values = targets.iter().map(|target| target.unwrap_or(0.0).clamp(-clip, clip)).collect();
    let wanted = tape.constant(Array::new(shape, values));
    let error = tape.sub(predicted, wanted);
    let losses = tape.huber(error, delta);
    mean_where(tape, losses, targets.iter().map(Option::is_some))
}

/// Eq. (2): mean square of the distance between recovered and true features over the entries that were
/// hidden, are bars and are defined.
///
/// # Shapes
/// - `recovered`: `[W, T, D]`, `values`, `undefined`: `[W, T, D]`, `present`: `[W, T]`, `masked`: `[W, D]`
pub fn recovery(tape: &mut Tape, recovered: Var, [values, undefined, present, masked]: [&Array; 4]) -> Var {
    let [windows, time, features] = tape.dims(recovered);
    let mut wanted = Vec::with_capacity(windows * time * features);
    for window in 0..windows {
        for bar in 0..time {
            let there = present.data()[window * time + bar] != 0.0;
            for feature in 0..features {
                let defined = undefined.data()[(window * time + bar) * features + feature] == 0.0;
                wanted.push(there && defined && masked.data()[window * features + feature] != 0.0);
            }
        }
    }
    let truth = tape.constant(Array::new([windows, time, features], values.data().to_vec()));
    let error = tape.sub(recovered, truth);
    let squares = tape.square(error);
    mean_where(tape, squares, wanted)
}

/// Eq. (3): cross-entropy with a weight for each class, averaged with those weights over the rows that
/// have a label; 0 where none has.
///
/// # Shapes
/// - `logits`: `[rows, classes]`
pub fn regime(tape: &mut Tape, logits: Var, labels: &[Option<usize>], weights: &[f32]) -> Var {
    let [rows, classes] = tape.dims(logits);
    assert!(labels.len() == rows && weights.len() == classes, "labels and weights of {rows} rows");
    let total: f32 = labels.iter().flatten().map(|&label| weights[label]).sum();
    let mut picked = vec![0.0; rows * classes];
    for (row, label) in labels.iter().enumerate() {
        if let Some(label) = label {
            picked[row * classes + label] = -weights[*label] / total;
        }
    }
    let logs = tape.log_softmax(logits, None);
    let picked = tape.constant(Array::new([rows, classes], picked));
    let product = tape.mul(logs, picked);
    tape.sum_all(product)
}

/// Eq. (5), the paper's differentiation term: mean cosine between the assets of a day, over all pairs of
/// all days that have two or more; 0 where none has.
///
/// # Shapes
/// - `state`: `[B, N, d]`, `keep`: `[B, N]`
pub fn mean_cosine(tape: &mut Tape, state: Var, keep: &Array) -> Var {
    let [batch, assets, _] = tape.dims(state);
    let mut shares = vec![0.0; batch * assets * assets];
    let keeps = keep.data().chunks_exact(assets);
    let pairs = |keep: &[f32]| {
        let n = keep.iter().filter(|&&keep| keep != 0.0).count();
        n * n.saturating_sub(1)
    };
    let days = keeps.clone().filter(|keep| pairs(keep) > 0).count();
    for (keep, shares) in keeps.zip(shares.chunks_exact_mut(assets * assets)) {
        let share = 1.0 / (pairs(keep) * days).max(1) as f32;
        for i in (0..assets).filter(|&i| keep[i] != 0.0) {
            for j in (0..assets).filter(|&j| j != i && keep[j] != 0.0) {
                shares[i * assets + j] = share;
            }
        }
    }
    let unit = tape.unit(state);
    let cosines = tape.matmul_nt(unit, unit);
    let shares = tape.constant(Array::new([batch, assets, assets], shares));
    let product = tape.mul(cosines, shares);
    tape.sum_all(product)
}

/// The three parts of VICReg (Bardes, Ponce and LeCun 2022), each averaged over both views.
#[derive(Debug, Clone, Copy)]
pub struct Vicreg {
    /// Mean square of the distance between two views of one asset.
    pub invariance: Var,
    /// Mean over dimensions of `max(0, 1 - deviation)`.
    pub variance: Var,
    /// Squares of the covariances between dimensions, over the number of dimensions.
    pub covariance: Var,
    /// `(25 invariance + 25 variance + covariance) / 50`.
    pub total: Var,
}

/// VICReg between two views of the same assets.
///
/// # Shapes
/// - `views`: twice `[n, d]`
pub fn vicreg(tape: &mut Tape, views: [Var; 2]) -> Vicreg {
    let difference = tape.sub(views[0], views[1]);
    let square = tape.square(difference);
    let invariance = tape.mean_all(square);
    let parts = views.map(|view| spread(tape, view));
    let mut mean_of = |a: Var, b: Var| {
        let sum = tape.add(a, b);
        tape.scale(sum, 0.5)
    };
    let variance = mean_of(parts[0].0, parts[1].0);
    let covariance = mean_of(parts[0].1, parts[1].1);
    let mut total = tape.scale(invariance, INVARIANCE / VICREG_SCALE);
    for (part, weight) in [(variance, VARIANCE), (covariance, COVARIANCE)] {
        let part = tape.scale(part, weight / VICREG_SCALE);
        total = tape.add(total, part);
    }
    Vicreg { invariance, variance, covariance, total }
}

/// Variance and covariance part of one view, `[n, d]`.
fn spread(tape: &mut Tape, view: Var) -> (Var, Var) {
    let [n, dim] = tape.dims(view);
    let mean = tape.mean(view, 0);
    let centred = tape.sub(view, mean);
    let degrees = n.saturating_sub(1).max(1) as f32;
    let squares = tape.square(centred);
    let squares = tape.sum(squares, 0);
    let variances = tape.affine(squares, 1.0 / degrees, VARIANCE_EPSILON);
    let deviations = tape.sqrt(variances);
    let lacking = tape.affine(deviations, -1.0, 1.0);
    let lacking = tape.relu(lacking);
    let variance = tape.mean_all(lacking);

    let products = tape.matmul_tn(centred, centred);
    let covariances = tape.scale(products, 1.0 / degrees);
    let squares = tape.square(covariances);
    let off_diagonal = Array::from_fn([dim, dim], |i| f32::from(u8::from(i / dim != i % dim)));
    let off_diagonal = tape.constant(off_diagonal);
    let squares = tape.mul(squares, off_diagonal);
    let covariance = tape.sum_all(squares);
    (variance, tape.scale(covariance, 1.0 / dim as f32))
}

/// InfoNCE between two views: each asset of one view is to find itself among the assets of its day in the
/// other. A negative whose returns move with the asset's counts less, by `1 - max(0, correlation)`, so
/// that firms which are alike may stay alike (P1-10).
///
/// # Shapes
/// - `views`: twice `[B, N, d]`, `keep`: `[B, N]`, `correlation`: `[B, N, N]`
pub fn infonce(tape: &mut Tape, views: [Var; 2], keep: &Array, correlation: &Array) -> Var {
    let [batch, assets, _] = tape.dims(views[0]);
    let mut weights = vec![0.0; batch * assets * assets];
    let mut targets = Vec::with_capacity(batch * assets);
    for day in 0..batch {
        let keep = &keep.data()[day * assets..][..assets];
        let alone = keep.iter().filter(|&&keep| keep != 0.0).count() < 2;
        for i in 0..assets {
            targets.push((keep[i] != 0.0 && !alone).then_some(i));
            for (j, keep) in keep.iter().enumerate() {
                let at = (day * assets + i) * assets + j;
                let weight = match (i == j, *keep != 0.0) {
                    (true, _) => 1.0,
                    (false, true) => 1.0 - correlation.data()[at].max(0.0),
                    (false, false) => 0.0,
                };
                weights[at] = weight.max(LEAST_WEIGHT).ln();
            }
        }
    }
    let [one, other] = views.map(|view| tape.unit(view));
    let cosines = tape.matmul_nt(one, other);
    let logits = tape.scale(cosines, 1.0 / TEMPERATURE);
    let weights = tape.constant(Array::new([batch, assets, assets], weights));
    let logits = tape.add(logits, weights);
    let logits = tape.reshape(logits, [batch * assets, assets]);
    tape.cross_entropy(logits, &targets)
}

/// The mean over the entries that are wanted; 0 where none is.
fn mean_where(tape: &mut Tape, losses: Var, wanted: impl IntoIterator<Item = bool>) -> Var {
    let shape = tape.shape(losses);
    let wanted: Vec<bool> = wanted.into_iter().collect();
    let count = wanted.iter().filter(|wanted| **wanted).count().max(1) as f32;
    let shares = wanted.iter().map(|&wanted| if wanted { 1.0 / count } else { 0.0 }).collect();
    let shares = tape.constant(Array::new(shape, shares));
    let product = tape.mul(losses, shares);
    tape.sum_all(product)
}

#[cfg(test)]
mod tests {
    use lotwise_tensor::Params;

    use super::*;

    fn close(found: f32, wanted: f64) {
        assert!((f64::from(found) - wanted).abs() < 1e-5, "{found}, not {wanted}");
    }

    fn value(work: impl FnOnce(&mut Tape) -> Var) -> f32 {
        let mut tape = Tape::inference(&Params::new());
        let out = work(&mut tape);
        tape.scalar(out)
    }

    fn constant(tape: &mut Tape, shape: &[usize], data: &[f32]) -> Var {
        tape.constant(Array::new(shape, data.to_vec()))
    }

    #[test]
    fn returns_are_clipped_and_unknown_ones_left_out() {
        // Errors 0.03, 0.2 (of 0.3 against 0.5 clipped to 0.1) and -0.1: SPEC Appendix G.
        let found = value(|tape| {
            let predicted = constant(tape, &[2, 2], &[0.03, 0.3, -0.2, 9.0]);
            next_return(tape, predicted, &[Some(0.0), Some(0.5), Some(-0.4), None], 0.1, 0.05)
        });
        close(found, (0.000_45 + 0.008_75 + 0.003_75) / 3.0);
        let none = value(|tape| {
            let predicted = constant(tape, &[1, 1], &[9.0]);
            next_return(tape, predicted, &[None], 0.1, 0.05)
        });
        close(none, 0.0);
    }

    #[test]
    fn recovery_counts_what_was_hidden_and_was_there() {
        let found = value(|tape| {
            let recovered = constant(tape, &[1, 3, 2], &[5.0, 1.0, 5.0, 2.0, 5.0, 3.0]);
            let values = Array::new([1, 3, 2], vec![0.0, 0.0, 0.0, 0.5, 0.0, 1.0]);
            let undefined = Array::new([1, 3, 2], vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            let present = Array::new([1, 3], vec![0.0, 1.0, 1.0]);
            let masked = Array::new([1, 2], vec![0.0, 1.0]);
            recovery(tape, recovered, [&values, &undefined, &present, &masked])
        });
        close(found, (1.5_f64.powi(2) + 2.0_f64.powi(2)) / 2.0);
        let undefined = value(|tape| {
            let recovered = constant(tape, &[1, 1, 2], &[5.0, 1.0]);
            let zeros = Array::zeros([1, 1, 2]);
            let flags = Array::new([1, 1, 2], vec![0.0, 1.0]);
            recovery(tape, recovered, [&zeros, &flags, &Array::full([1, 1], 1.0), &Array::full([1, 2], 1.0)])
        });
        close(undefined, 25.0);
    }

    #[test]
    fn rare_regimes_weigh_more() {
        // Equal logits cost ln 2 whatever the weights; here the rows cost ln(1 + e) and ln(1 + 1/e).
        let found = value(|tape| {
            let logits = constant(tape, &[3, 2], &[0.0, 1.0, 1.0, 0.0, 7.0, 7.0]);
            regime(tape, logits, &[Some(0), Some(0), None], &[3.0, 1.0])
        });
        let e = std::f64::consts::E;
        close(found, f64::midpoint((1.0 + e).ln(), (1.0 + 1.0 / e).ln()));
        let weighted = value(|tape| {
            let logits = constant(tape, &[2, 2], &[0.0, 1.0, 0.0, 1.0]);
            regime(tape, logits, &[Some(0), Some(1)], &[3.0, 1.0])
        });
        close(weighted, 0.75 * (1.0 + e).ln() + 0.25 * (1.0 + 1.0 / e).ln());
        close(
            value(|tape| {
                let logits = constant(tape, &[1, 2], &[0.0, 1.0]);
                regime(tape, logits, &[None], &[1.0, 1.0])
            }),
            0.0,
        );
    }

    #[test]
    fn the_mean_cosine_of_the_paper() {
        // SPEC Appendix G: (1,0), (0,1), (1,1); a padded row and a day of one asset say nothing.
        let found = value(|tape| {
            let state = constant(
                tape,
                &[2, 4, 2],
                &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 9.0, -9.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            );
            let keep = Array::new([2, 4], vec![1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
            mean_cosine(tape, state, &keep)
        });
        close(found, 0.471_405);
    }

    #[test]
    fn vicreg_by_hand() {
        let mut tape = Tape::inference(&Params::new());
        // One view: columns with deviations sqrt(2) and sqrt(0.5), covariance 1; the other adds 1 to a row.
        let one = constant(&mut tape, &[2, 2], &[0.0, 0.0, 2.0, 1.0]);
        let other = constant(&mut tape, &[2, 2], &[0.0, 0.0, 2.0, 2.0]);
        let parts = vicreg(&mut tape, [one, other]);
        close(tape.scalar(parts.invariance), 0.25);
        // Variances 2, 0.5 and 2, 2: only the 0.5 falls short of a deviation of one.
        let short = 1.0 - (0.5_f64 + 1e-4).sqrt();
        close(tape.scalar(parts.variance), short / 4.0);
        // Covariances 1 and 2, each twice in its matrix, over two dimensions.
        close(tape.scalar(parts.covariance), f64::midpoint(1.0, 4.0));
        let wanted = (25.0 * 0.25 + 25.0 * short / 4.0 + 2.5) / 50.0;
        close(tape.scalar(parts.total), wanted);
    }

    #[test]
    fn infonce_forgives_those_that_move_together() {
        let with = |correlation: f32| {
            value(|tape| {
                let one = constant(tape, &[1, 3, 2], &[1.0, 0.0, 0.6, 0.8, 5.0, 5.0]);
                let other = constant(tape, &[1, 3, 2], &[2.0, 0.0, 1.8, 2.4, 1.0, 0.0]);
                let keep = Array::new([1, 3], vec![1.0, 1.0, 0.0]);
                let mut all = vec![0.0; 9];
                (all[1], all[3]) = (correlation, correlation);
                infonce(tape, [one, other], &keep, &Array::new([1, 3, 3], all))
            })
        };
        // Cosine 1 with itself and 0.6 with the other, at temperature 0.1; padding counts 1e-6 of its own.
        let wanted = |weight: f64| {
            let other = weight * (-4.0_f64).exp();
            let first = (1.0 + other + 1e-6).ln();
            let second = (1.0 + other + 1e-6 * (-4.0_f64).exp()).ln();
            f64::midpoint(first, second)
        };
        for (correlation, weight) in [(0.0, 1.0), (-0.7, 1.0), (0.5, 0.5)] {
            close(with(correlation), wanted(weight));
        }
        assert!(with(0.5) < with(0.0));
    }
}
