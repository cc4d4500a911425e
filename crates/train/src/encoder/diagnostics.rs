//! What is measured on validation after each epoch (SPEC P1-20).

use std::collections::BTreeMap;

use lotwise_nn::{FrozenTemporal, Pass};
use lotwise_tensor::{Array, Params, Tape, Var};

use super::batch::Day;
use super::data::Tickers;
use super::objective::{Asked, Network, objective};
use super::probe::Probe;
use super::spectrum::effective_rank;
use super::views::{View, view};
use super::{Batch, EncoderData, Part, Path, RunConfig};

/// Measured numbers by name; what is not defined is absent.
pub type Measured = BTreeMap<String, f64>;

/// Mean cosine above which a representation has collapsed, and the share of dimensions below which it has.
const COLLAPSED_COSINE: f64 = 0.8;
const COLLAPSED_RANK: f64 = 0.1;
/// Days that go through the network together.
const DAYS: usize = 8;

/// The days on which a run is measured; always the same, with the same things hidden.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    seen: Vec<Batch>,
    held_out: Vec<Batch>,
    probe: Vec<Batch>,
}

impl Diagnosis {
    /// Prepares the days.
    #[must_use]
    pub fn new(data: &EncoderData, config: &RunConfig, branch: &dyn FrozenTemporal) -> Self {
        let sampling = &config.sampling;
        let batches = |part, tickers, dates: usize| -> Vec<Batch> {
            let days = data.spaced(part, tickers, dates, sampling.validation_assets);
            let metadata = config.network.metadata_fields > 0;
            days.chunks(DAYS).map(|days: &[Day]| data.batch(days.to_vec(), metadata, branch)).collect()
        };
        Self {
            seen: batches(Part::Validation, Tickers::Seen, sampling.validation_dates),
            held_out: batches(Part::Validation, Tickers::HeldOut, sampling.validation_dates),
            probe: if sampling.probe_dates > 0 {
                batches(Part::Train, Tickers::Seen, sampling.probe_dates)
            } else {
                Vec::new()
            },
        }
    }

    /// Whether there is a day to measure on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Measures a network. `losses/total` decides about the best weights.
    #[must_use]
    pub fn measure(&self, network: &Network, params: &Params, asked: &Asked, config: &RunConfig) -> Measured {
        let mut measured = Measured::new();
        mean_losses("losses", &self.seen, network, params, asked, config, &mut measured);
        mean_losses("unseen", &self.held_out, network, params, asked, config, &mut measured);
        let found: Vec<Found> = self.seen.iter().map(|batch| Found::of(batch, network, params, asked)).collect();
        for (point, name) in ["tokens", "market", "gated", "fused"].into_iter().enumerate() {
            let cosines = found.iter().flat_map(|found| found.cosines[point].iter().copied());
            insert(&mut measured, format!("cosine/{name}"), mean(cosines));
        }
        let rows: Vec<&[f32]> = found.iter().flat_map(|found| found.rows.iter().map(Vec::as_slice)).collect();
        let rank = effective_rank(&rows);
        insert(&mut measured, "embedding/effective_rank", rank);
        let uniformity = mean(found.iter().flat_map(|found| found.closeness.iter().copied()));
        insert(&mut measured, "embedding/uniformity", uniformity.map(f64::ln));
        regimes(&self.seen, &found, &mut measured);
        self.probes(&rows, network, params, asked, &mut measured);
        let state = if asked.path == Path::Market { "market" } else { "fused" };
        let cosine = measured.get(&format!("cosine/{state}")).copied();
        let dim = network.encoder.config().dim as f64;
        let collapsed = cosine.is_some_and(|cosine| cosine > COLLAPSED_COSINE)
            || rank.is_none_or(|rank| rank < COLLAPSED_RANK * dim);
        measured.insert("embedding/collapsed".to_owned(), f64::from(u8::from(collapsed)));
        measured
    }

    /// Days of validation with tickers that training saw.
    pub(super) fn seen(&self) -> &[Batch] {
        &self.seen
    }

    /// The same days of seen tickers with some fields of metadata missing.
    pub(super) fn without(&self, fields: std::ops::Range<usize>) -> Self {
        let mut seen = self.seen.clone();
        for batch in &mut seen {
            let width = batch.inputs.available.shape().width();
            for row in batch.inputs.available.data_mut().chunks_exact_mut(width.max(1)) {
                row[fields.start.min(width)..fields.end.min(width)].fill(0.0);
            }
        }
        Self { seen, held_out: Vec::new(), probe: Vec::new() }
    }

    /// The loss without the differentiation term on seen tickers.
    pub(super) fn loss(&self, network: &Network, params: &Params, asked: &Asked, config: &RunConfig) -> Option<f64> {
        let mut measured = Measured::new();
        mean_losses("losses", &self.seen, network, params, asked, config, &mut measured);
        measured.get("losses/without_contrast").copied()
    }

    /// Lines through the representation of training days, judged on validation.
    fn probes(&self, rows: &[&[f32]], network: &Network, params: &Params, asked: &Asked, measured: &mut Measured) {
        let found: Vec<Found> = self.probe.iter().map(|batch| Found::of(batch, network, params, asked)).collect();
        let train: Vec<&[f32]> = found.iter().flat_map(|found| found.rows.iter().map(Vec::as_slice)).collect();
        for (name, of) in [
            ("ret", (|batch: &Batch| &batch.targets.ret) as fn(&Batch) -> &Vec<Option<f32>>),
            ("log_vol_5", |batch| &batch.targets.log_vol),
        ] {
            let labels = |batches: &[Batch]| -> Vec<Option<f32>> {
                batches.iter().flat_map(|batch| kept(batch).map(|row| of(batch)[row]).collect::<Vec<_>>()).collect()
            };
            let (train_rows, train_labels) = known(&train, &labels(&self.probe));
            let (rows, labels) = known(rows, &labels(&self.seen));
            let fitted = Probe::fit(&train_rows, &train_labels);
            let found = fitted.and_then(|probe| probe.r_squared(&rows, &labels));
            insert(measured, format!("probe/{name}_r2"), found);
        }
    }
}

/// What one batch shows.
struct Found {
    /// Representations of the assets that are there.
    rows: Vec<Vec<f32>>,
    /// Mean cosine between the assets of each day, at each point.
    cosines: [Vec<f64>; 4],
    /// Mean of `exp(-2 distance²)` between unit vectors of a day (Wang and Isola 2020).
    closeness: Vec<f64>,
    /// Whichever regime has the largest logit, for assets that are there.
    regimes: Vec<usize>,
    market_regimes: Vec<usize>,
}

impl Found {
    fn of(batch: &Batch, network: &Network, params: &Params, asked: &Asked) -> Self {
        let mut tape = Tape::inference(params);
        let (heads, inputs) = (&network.heads, &batch.inputs);
        let (tokens, points): (Var, Vec<Var>) = match asked.path {
            Path::Market => {
                let (tokens, market) = network.encoder.forward_market(&mut tape, inputs, Pass::Inference);
                (tokens, vec![market])
            }
            Path::Whole => {
                let out = network.encoder.forward(&mut tape, inputs, Pass::Inference);
                (out.tokens, vec![out.market, out.gated, out.fused])
            }
        };
        let state = *points.last().expect("Invariant: a pass ends in a state");
        let [b, n, d] = tape.dims(state);
        let [_, time, _] = tape.dims(tokens);
        let last = tape.slice(tokens, 1, time - 1..time);
        let last = tape.reshape(last, [b, n, d]);
        let mut cosines: [Vec<f64>; 4] = Default::default();
        for (to, point) in cosines.iter_mut().zip([last].into_iter().chain(points)) {
            *to = day_pairs(tape.value(point), &inputs.keep, |cosine| cosine);
        }
        // On unit vectors the squared distance is 2 - 2 cosine.
        let closeness = day_pairs(tape.value(state), &inputs.keep, |cosine| (-2.0 * (2.0 - 2.0 * cosine)).exp());
        let rows = kept(batch).map(|row| tape.value(state).data()[row * d..(row + 1) * d].to_vec()).collect();
        let logits = heads.regime(&mut tape, state);
        let all = largest(tape.value(logits));
        let logits = heads.market_regime(&mut tape, state, &inputs.keep);
        let market_regimes = largest(tape.value(logits));
        Self { rows, cosines, closeness, regimes: kept(batch).map(|row| all[row]).collect(), market_regimes }
    }
}

/// Mean losses over batches under a prefix, with what is hidden decided by the batch's place alone.
fn mean_losses(
    prefix: &str,
    batches: &[Batch],
    network: &Network,
    params: &Params,
    asked: &Asked,
    config: &RunConfig,
    measured: &mut Measured,
) {
    let mut sums: BTreeMap<&'static str, f64> = BTreeMap::new();
    let (mut days, mut alignment) = (0.0, Vec::new());
    for (i, batch) in batches.iter().enumerate() {
        // Two views always: alignment is told also where no term asks for it.
        let views: Vec<View> = (0..2).map(|k| view(batch, &config.views, (2 * i + k) as u64)).collect();
        let mut tape = Tape::inference(params);
        let terms = objective(&mut tape, network, batch, &views, &[Pass::Inference; 2], asked, &config.loss);
        let weight = batch.days.len() as f64;
        days += weight;
        for (name, var) in terms.parts {
            *sums.entry(name).or_default() += weight * f64::from(tape.scalar(var));
        }
        let [one, other] = [terms.states[0], terms.states[1]].map(|state| tape.value(state).clone());
        let d = one.shape().width();
        for row in kept(batch) {
            let cut = |array: &Array| array.data()[row * d..(row + 1) * d].to_vec();
            alignment.push(2.0 - 2.0 * cosine(&cut(&one), &cut(&other)));
        }
    }
    for (name, sum) in sums {
        measured.insert(format!("{prefix}/{name}"), sum / days);
    }
    if prefix == "losses" {
        insert(measured, "embedding/alignment", mean(alignment.into_iter()));
    }
}

/// Accuracy of the heads, of always guessing the most frequent regime, and of guessing yesterday's.
fn regimes(batches: &[Batch], found: &[Found], measured: &mut Measured) {
    let (mut right, mut as_before, mut counts, mut total) = (0.0, 0.0, [0.0_f64; 4], 0.0);
    let (mut market_right, mut market_total) = (0.0, 0.0);
    for (batch, found) in batches.iter().zip(found) {
        for (row, &guess) in kept(batch).zip(&found.regimes) {
            let Some(label) = batch.targets.regime[row] else { continue };
            right += f64::from(u8::from(guess == label));
            as_before += f64::from(u8::from(batch.targets.previous_regime[row] == Some(label)));
            counts[label] += 1.0;
            total += 1.0;
        }
        for (&guess, label) in found.market_regimes.iter().zip(&batch.targets.market_regime) {
            market_right += f64::from(u8::from(Some(guess) == *label));
            market_total += f64::from(u8::from(label.is_some()));
        }
    }
    if total > 0.0 {
        measured.insert("regime/accuracy".to_owned(), right / total);
        measured.insert("regime/accuracy_as_before".to_owned(), as_before / total);
        measured.insert("regime/accuracy_majority".to_owned(), counts.iter().copied().fold(0.0, f64::max) / total);
    }
    if market_total > 0.0 {
        measured.insert("regime/market_accuracy".to_owned(), market_right / market_total);
    }
}

/// Rows of a batch that are assets, not padding.
pub(super) fn kept(batch: &Batch) -> impl Iterator<Item = usize> + '_ {
    let keep = batch.inputs.keep.data();
    (0..keep.len()).filter(|&row| keep[row] != 0.0)
}

/// Rows with a label, and the labels.
fn known<'a>(rows: &[&'a [f32]], labels: &[Option<f32>]) -> (Vec<&'a [f32]>, Vec<f64>) {
    rows.iter().zip(labels).filter_map(|(row, label)| Some((*row, f64::from((*label)?)))).unzip()
}

/// The mean over the pairs of a day of a function of their cosine, for each day with two assets or more.
fn day_pairs(states: &Array, keep: &Array, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let shape = states.shape();
    let (assets, dim) = (shape[1], shape[2]);
    let mut means = Vec::new();
    for (day, keep) in states.data().chunks_exact(assets * dim).zip(keep.data().chunks_exact(assets)) {
        let rows: Vec<&[f32]> =
            day.chunks_exact(dim).zip(keep).filter(|(_, keep)| **keep != 0.0).map(|(row, _)| row).collect();
        let pairs = (0..rows.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        means.extend(mean(pairs.map(|(i, j)| of(cosine(rows[i], rows[j])))));
    }
    means
}

/// 0 where one of them has no length.
pub(super) fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let size = (dot(one, one) * dot(other, other)).sqrt();
    if size > 0.0 { dot(one, other) / size } else { 0.0 }
}

/// The place of the largest number of each row.
fn largest(logits: &Array) -> Vec<usize> {
    let place = |row: &[f32]| (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
    logits.data().chunks_exact(logits.shape().width()).map(place).collect()
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

fn insert(measured: &mut Measured, name: impl Into<String>, value: Option<f64>) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        measured.insert(name.into(), value);
    }
}
