//! The whole loss of a batch, term by term (eq. 4).

use lotwise_nn::encoder::{TrainingHeads, market_state};
use lotwise_nn::{CrossAssetEncoder, Pass};
use lotwise_tensor::{Array, Tape, Var};

use super::views::View;
use super::{Batch, Contrast, LossConfig, Path, losses};

/// A network and what training asks of it.
#[derive(Debug, Clone)]
pub struct Network {
    /// The encoder.
    pub encoder: CrossAssetEncoder,
    /// The heads.
    pub heads: TrainingHeads,
}

/// What a stage asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// How much of the network.
    pub path: Path,
    /// Weight of the differentiation term.
    pub contrast: f32,
    /// Weights of the regimes of assets and of the market.
    pub regime_weights: [[f32; 4]; 2],
}

/// The terms of a loss, each unweighted, and their weighted sum.
pub struct Terms {
    /// By the names that logs use.
    pub parts: Vec<(&'static str, Var)>,
    /// Eq. (4).
    pub total: Var,
    /// The representation of each view, `[B, N, d]`.
    pub states: Vec<Var>,
}

/// How many views the objective needs.
#[must_use]
pub fn views_needed(asked: &Asked, config: &LossConfig) -> usize {
    if asked.contrast > 0.0 && config.contrast != Contrast::MeanCosine { 2 } else { 1 }
}

/// Computes the loss over one or two views; the terms of P1-05 to P1-07 are averaged over them.
pub fn objective(
    tape: &mut Tape,
    network: &Network,
    batch: &Batch,
    views: &[View],
    passes: &[Pass],
    asked: &Asked,
    config: &LossConfig,
) -> Terms {
    let mut states = Vec::new();
    let mut sums: [Option<Var>; 4] = [None; 4];
    for (view, &pass) in views.iter().zip(passes) {
        let (state, terms) = one_view(tape, network, batch, view, pass, asked, config);
        states.push(state);
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum = Some(sum.map_or(term, |sum| tape.add(sum, term)));
        }
    }
    let share = 1.0 / views.len().max(1) as f32;
    let [ret, mask, regime, market_regime] =
        sums.map(|sum| tape.scale(sum.expect("Invariant: an objective has a view"), share));
    let mut parts = vec![("ret", ret), ("mask", mask), ("regime", regime), ("market_regime", market_regime)];
    let mut total = tape.scale(ret, config.ret);
    // The regime term of eq. (4) is the mean of the two heads.
    for (part, weight) in [(mask, config.mask), (regime, 0.5 * config.regime), (market_regime, 0.5 * config.regime)] {
        let part = tape.scale(part, weight);
        total = tape.add(total, part);
    }
    // What stages with and without the differentiation term are compared by.
    parts.push(("without_contrast", total));
    if asked.contrast > 0.0 {
        let contrast = contrast(tape, batch, &states, config.contrast, &mut parts);
        parts.push(("contrast", contrast));
        let contrast = tape.scale(contrast, asked.contrast);
        total = tape.add(total, contrast);
    }
    parts.push(("total", total));
    Terms { parts, total, states }
}

/// The state of a view, and return, recovery, regime and market regime.
fn one_view(
    tape: &mut Tape,
    network: &Network,
    batch: &Batch,
    view: &View,
    pass: Pass,
    asked: &Asked,
    config: &LossConfig,
) -> (Var, [Var; 4]) {
    let Network { encoder, heads } = network;
    let (tokens, state) = match asked.path {
        Path::Market => encoder.forward_market(tape, &view.inputs, pass),
        Path::Whole => {
            let out = encoder.forward(tape, &view.inputs, pass);
            (out.tokens, out.fused)
        }
    };
    let targets = &batch.targets;
    let predicted = heads.ret(tape, state);
    let ret = losses::next_return(tape, predicted, &targets.ret, config.return_clip, config.huber_delta);
    let recovered = heads.recovery(tape, tokens);
    let [windows, time, features] = tape.dims(recovered);
    let truth = batch.inputs.values.reshaped([windows, time, features]);
    let undefined = batch.inputs.undefined.reshaped([windows, time, features]);
    let present = view.inputs.present.reshaped([windows, time]);
    let hidden = view.asked.reshaped([windows, features]);
    let mask = losses::recovery(tape, recovered, [&truth, &undefined, &present, &hidden]);
    let logits = heads.regime(tape, state);
    let regime = losses::regime(tape, logits, &targets.regime, &asked.regime_weights[0]);
    let logits = heads.market_regime(tape, state, &batch.inputs.keep);
    let market_regime = losses::regime(tape, logits, &targets.market_regime, &asked.regime_weights[1]);
    (state, [ret, mask, regime, market_regime])
}

fn contrast(
    tape: &mut Tape,
    batch: &Batch,
    states: &[Var],
    kind: Contrast,
    parts: &mut Vec<(&'static str, Var)>,
) -> Var {
    let keep = &batch.inputs.keep;
    match kind {
        Contrast::MeanCosine => losses::mean_cosine(tape, states[0], keep),
        Contrast::Infonce => {
            let correlation = return_correlation(&batch.closes);
            losses::infonce(tape, [states[0], states[1]], keep, &correlation)
        }
        Contrast::Vicreg | Contrast::VicregDay => {
            let views = [states[0], states[1]].map(|state| {
                let state = if kind == Contrast::VicregDay { centred(tape, state, keep) } else { state };
                kept_rows(tape, state, keep)
            });
            let found = losses::vicreg(tape, views);
            parts.push(("invariance", found.invariance));
            parts.push(("variance", found.variance));
            parts.push(("covariance", found.covariance));
            found.total
        }
    }
}

/// States less their day's mean.
fn centred(tape: &mut Tape, state: Var, keep: &Array) -> Var {
    let [batch, _, dim] = tape.dims(state);
    let mean = market_state(tape, state, keep);
    let mean = tape.reshape(mean, [batch, 1, dim]);
    tape.sub(state, mean)
}

/// `[B, N, d]` to `[n, d]`: the assets that are there.
fn kept_rows(tape: &mut Tape, state: Var, keep: &Array) -> Var {
    let [batch, assets, dim] = tape.dims(state);
    let rows: Vec<usize> = (0..batch * assets).filter(|&row| keep.data()[row] != 0.0).collect();
    let all = tape.reshape(state, [batch * assets, dim]);
    tape.gather(all, &rows)
}

/// Correlation of the log returns of each pair of a day's assets over the window, 0 where fewer than ten
/// returns are common.
///
/// # Shapes
/// `[B, N, T]` to `[B, N, N]`
#[must_use]
pub fn return_correlation(closes: &Array) -> Array {
    const FEWEST: usize = 10;
    let shape = closes.shape();
    let (batch, assets, time) = (shape[0], shape[1], shape[2]);
    let mut all = Vec::with_capacity(batch * assets * assets);
    for day in closes.data().chunks_exact(assets * time) {
        let returns: Vec<Vec<f64>> = day
            .chunks_exact(time)
            .map(|closes| closes.windows(2).map(|pair| f64::from(pair[1] / pair[0]).ln()).collect())
            .collect();
        for one in &returns {
            for other in &returns {
                let pairs: Vec<(f64, f64)> = one
                    .iter()
                    .zip(other)
                    .filter(|(a, b)| a.is_finite() && b.is_finite())
                    .map(|(a, b)| (*a, *b))
                    .collect();
                all.push(if pairs.len() < FEWEST { 0.0 } else { correlation(&pairs) as f32 });
            }
        }
    }
    Array::new([batch, assets, assets], all)
}

/// 0 where one side does not move.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (a, b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        ab += (x - a) * (y - b);
        aa += (x - a) * (x - a);
        bb += (y - b) * (y - b);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_of_a_day() {
        let level = |moves: &[f64]| -> Vec<f32> {
            let mut log = 3.0_f64;
            let mut closes = vec![log.exp() as f32];
            closes.extend(moves.iter().map(|step| {
                log += step;
                log.exp() as f32
            }));
            closes
        };
        let up: Vec<f64> = (0..12).map(|i| 0.01 * f64::from((i * 7 % 5) - 2)).collect();
        let down: Vec<f64> = up.iter().map(|step| -2.0 * step).collect();
        let mut closes = level(&up);
        closes.extend(level(&down));
        closes.extend(vec![f32::NAN; 13]);
        let found = return_correlation(&Array::new([1, 3, 13], closes));
        let wanted = [1.0, -1.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        for (found, wanted) in found.data().iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-3, "{found} and {wanted}");
        }
    }
}
