//! What a trained encoder is worth, on days and tickers that it never saw (SPEC P1-16, P1-20).
//!
//! Everything is measured on validation, never later. Lines are fitted to days of training and judged on
//! days of validation, beside the plain baselines that anybody would try first. Intervals are over days.
//!
//! Days of validation whose outcomes reach beyond the data that were read have none.

use lotwise_market::AssetIdx;
use lotwise_market::metadata::METADATA_BLOCKS;
use lotwise_nn::{Checkpoint, FrozenTemporal};
use lotwise_tensor::{Array, Params};
use serde::Serialize;

use super::batch::Day;
use super::data::Tickers;
use super::diagnostics::{Diagnosis, Measured, cosine, kept, mean};
use super::objective::{Asked, Network};
use super::probe::Probe;
use super::{Batch, EncoderData, Part, Path, RunConfig};

/// Horizons of forecasts, in sessions.
pub const HORIZONS: [usize; 3] = [1, 5, 21];
/// Sessions over which the plain baselines look back.
const LOOK_BACK: [usize; 3] = [1, 5, 22];
/// Share classes of one company, which should lie close together.
const TWINS: [[&str; 2]; 5] = [["GOOG", "GOOGL"], ["FOX", "FOXA"], ["NWS", "NWSA"], ["UA", "UAA"], ["DISCA", "DISCK"]];
/// Half the width of a 95 % interval in standard errors.
const WIDTH: f64 = 1.96;

/// A mean over days and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Days.
    pub days: usize,
}

/// How well one thing is foretold by one set of inputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// `ret` or `log_vol`.
    pub target: &'static str,
    /// Sessions ahead.
    pub horizon: usize,
    /// `encoder`, `har` (volatilities of the last 1, 5 and 22 sessions), `momentum` (returns over them) or
    /// `last_value` (the volatility or return of as many sessions before, at least five, as it is).
    pub inputs: &'static str,
    /// Against guessing the mean of training; `None` where nothing varies.
    pub r_squared: Option<f64>,
    /// Rank correlation within each day.
    pub rank_correlation: Option<Interval>,
}

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// As after each epoch.
    pub measured: Measured,
    /// Relative increase of the loss without the differentiation term on tickers kept away.
    pub unseen_increase: Option<f64>,
    /// The same on seen tickers when a block of metadata is missing altogether.
    pub missing_block_increase: Vec<(&'static str, f64)>,
    /// Cosine between companies of one sector, of two sectors, and the difference.
    pub same_sector: Option<Interval>,
    /// Of two sectors.
    pub cross_sector: Option<Interval>,
    /// Same less cross, day by day.
    pub sector_difference: Option<Interval>,
    /// Cosine between share classes of one company.
    pub twins: Vec<(String, Interval)>,
    /// Forecasts beside their baselines.
    pub forecasts: Vec<Forecast>,
}

/// Measures a checkpoint. `config` is that of its run.
#[must_use]
pub fn evidence(
    checkpoint: &Checkpoint,
    data: &EncoderData,
    config: &RunConfig,
    branch: &dyn FrozenTemporal,
) -> Evidence {
    let network = Network { encoder: checkpoint.encoder.clone(), heads: checkpoint.heads };
    let params = &checkpoint.params;
    let asked = Asked { path: Path::Whole, contrast: 0.0, regime_weights: *data.regime_weights() };
    let diagnosis = Diagnosis::new(data, config, branch);
    let measured = diagnosis.measure(&network, params, &asked, config);
    let loss = measured.get("losses/without_contrast").copied();
    let relative = |other: f64| loss.filter(|loss| *loss > 0.0).map(|loss| other / loss - 1.0);
    let unseen_increase = measured.get("unseen/without_contrast").copied().and_then(relative);
    let mut missing_block_increase = Vec::new();
    if config.network.metadata_fields > 0 {
        for (name, fields) in &METADATA_BLOCKS {
            let without = diagnosis.without(fields.clone()).loss(&network, params, &asked, config);
            missing_block_increase.extend(without.and_then(relative).map(|increase| (*name, increase)));
        }
    }
    let seen = Embedded::all(diagnosis.seen(), &network, params);
    let pairs = |of: fn(bool) -> bool| seen.iter().map(|one| one.pairs(data, of)).collect::<Vec<_>>();
    let (same, cross) = (pairs(|same| same), pairs(|same| !same));
    let both = same.iter().zip(&cross);
    let difference = both.filter_map(|(same, cross)| Some((*same)? - (*cross)?)).collect::<Vec<_>>();
    Evidence {
        unseen_increase,
        missing_block_increase,
        same_sector: interval(&same.into_iter().flatten().collect::<Vec<_>>(), 0),
        cross_sector: interval(&cross.into_iter().flatten().collect::<Vec<_>>(), 0),
        sector_difference: interval(&difference, 0),
        twins: twins(data, config, branch, &network, params),
        forecasts: forecasts(data, &Embedded::all(diagnosis.probe(), &network, params), &seen),
        measured,
    }
}

/// A day's assets and their representations.
struct Embedded {
    day: Day,
    rows: Vec<Vec<f32>>,
}

impl Embedded {
    fn all(batches: &[Batch], network: &Network, params: &Params) -> Vec<Self> {
        let mut all = Vec::new();
        for batch in batches {
            let states: Array = network.encoder.embed(params, &batch.inputs);
            let dim = states.shape().width();
            let mut rows = kept(batch).map(|row| states.data()[row * dim..(row + 1) * dim].to_vec());
            for day in &batch.days {
                let rows = rows.by_ref().take(day.assets.len()).collect();
                all.push(Self { day: day.clone(), rows });
            }
        }
        all
    }

    /// Mean cosine of the pairs of which `of` holds, told whether both are of one sector.
    fn pairs(&self, data: &EncoderData, of: fn(bool) -> bool) -> Option<f64> {
        let sector = |i: usize| data.sector(self.day.assets[i]);
        let all = (0..self.rows.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        mean(all.filter(|&(i, j)| of(sector(i) == sector(j))).map(|(i, j)| cosine(&self.rows[i], &self.rows[j])))
    }
}

/// Cosines of share classes on days of validation on which both can be used, whether held out or not: the
/// twin is embedded among the day's usual assets.
fn twins(
    data: &EncoderData,
    config: &RunConfig,
    branch: &dyn FrozenTemporal,
    network: &Network,
    params: &Params,
) -> Vec<(String, Interval)> {
    let mut found = Vec::new();
    let sampling = &config.sampling;
    for names in TWINS {
        let both =
            names.map(|name| lotwise_core::Symbol::parse(name).ok().and_then(|symbol| data.panel.asset(&symbol)));
        let [Some(one), Some(other)] = both else { continue };
        let mut days =
            data.spaced(Part::Validation, Tickers::Seen, sampling.validation_dates, sampling.validation_assets);
        days.retain_mut(|day| {
            let usable = |asset| Tickers::ALL.iter().any(|&who| data.universe(day.session, who).contains(&asset));
            let there = usable(one) && usable(other);
            day.assets.retain(|asset| ![one, other].contains(asset));
            day.assets.extend([one, other]);
            there
        });
        let batches: Vec<Batch> =
            days.chunks(8).map(|days| data.batch(days.to_vec(), config.network.metadata_fields > 0, branch)).collect();
        let cosines = Embedded::all(&batches, network, params).into_iter().map(|day| {
            let n = day.rows.len();
            cosine(&day.rows[n - 2], &day.rows[n - 1])
        });
        found.extend(interval(&cosines.collect::<Vec<_>>(), 0).map(|interval| (names.join("/"), interval)));
    }
    found
}

/// Lines from the representation and from the baselines, for each target and horizon.
fn forecasts(data: &EncoderData, train: &[Embedded], test: &[Embedded]) -> Vec<Forecast> {
    let mut all = Vec::new();
    for horizon in HORIZONS {
        for (target, place) in [("ret", 0), ("log_vol", 1)] {
            let truth =
                |asset, session| data.next_sessions(asset, session, horizon).map(|found| f64::from(found[place]));
            let plain = if place == 0 { "momentum" } else { "har" };
            let past = |asset: AssetIdx, session: usize| -> Option<Vec<f32>> {
                LOOK_BACK.iter().map(|&length| Some(data.past_sessions(asset, session, length)?[place])).collect()
            };
            let last = |asset: AssetIdx, session: usize| {
                // One session has no deviation to speak of; five have.
                data.past_sessions(asset, session, horizon.max(5)).map(|found| vec![found[place]])
            };
            let own =
                Inputs { name: "encoder", of: &|day: &Embedded, i: usize| Some(day.rows[i].clone()), fitted: true };
            let plain = Inputs { name: plain, of: &|day, i| past(day.day.assets[i], day.day.session), fitted: true };
            let last =
                Inputs { name: "last_value", of: &|day, i| last(day.day.assets[i], day.day.session), fitted: false };
            for inputs in [own, plain, last] {
                let (r_squared, rank_correlation) = judge(&inputs, train, test, &truth, overlapping(test, horizon));
                all.push(Forecast { target, horizon, inputs: inputs.name, r_squared, rank_correlation });
            }
        }
    }
    all
}

type InputsOf<'a> = &'a dyn Fn(&Embedded, usize) -> Option<Vec<f32>>;

struct Inputs<'a> {
    name: &'static str,
    of: InputsOf<'a>,
    /// Whether a line is fitted, or the only input is the forecast itself.
    fitted: bool,
}

fn judge(
    inputs: &Inputs<'_>,
    train: &[Embedded],
    test: &[Embedded],
    truth: &dyn Fn(AssetIdx, usize) -> Option<f64>,
    lags: usize,
) -> (Option<f64>, Option<Interval>) {
    let gather = |days: &[Embedded]| -> Vec<Vec<(Vec<f32>, f64)>> {
        let pair = |day: &Embedded, i: usize| Some(((inputs.of)(day, i)?, truth(day.day.assets[i], day.day.session)?));
        days.iter().map(|day| (0..day.rows.len()).filter_map(|i| pair(day, i)).collect()).collect()
    };
    let (train, test) = (gather(train), gather(test));
    let split = |days: &[Vec<(Vec<f32>, f64)>]| -> (Vec<Vec<f32>>, Vec<f64>) { days.iter().flatten().cloned().unzip() };
    let ((rows, targets), (test_rows, test_targets)) = (split(&train), split(&test));
    let slices: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let test_slices: Vec<&[f32]> = test_rows.iter().map(Vec::as_slice).collect();
    let probe = if inputs.fitted { Probe::fit(&slices, &targets) } else { None };
    if inputs.fitted && probe.is_none() {
        return (None, None);
    }
    let predict = |row: &[f32]| probe.as_ref().map_or_else(|| f64::from(row[0]), |probe| probe.predict(row));
    let r_squared = match &probe {
        Some(probe) => probe.r_squared(&test_slices, &test_targets),
        None => plain_r_squared(&test_slices, &test_targets, &targets),
    };
    let correlations: Vec<f64> = test
        .iter()
        .filter_map(|day| {
            let (guesses, truths): (Vec<f64>, Vec<f64>) = day.iter().map(|(row, truth)| (predict(row), *truth)).unzip();
            rank_correlation(&guesses, &truths)
        })
        .collect();
    (r_squared, interval(&correlations, lags))
}

/// Of the inputs as they are, against guessing the mean of training.
fn plain_r_squared(rows: &[&[f32]], truths: &[f64], train: &[f64]) -> Option<f64> {
    let level = mean(train.iter().copied())?;
    let error: f64 = rows.iter().zip(truths).map(|(row, truth)| (truth - f64::from(row[0])).powi(2)).sum();
    let total: f64 = truths.iter().map(|truth| (truth - level).powi(2)).sum();
    (total > 0.0).then(|| 1.0 - error / total)
}

/// Spearman's correlation with equal values sharing their ranks; `None` of fewer than five, or where one
/// side does not vary.
fn rank_correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    const FEWEST: usize = 5;
    if one.len() < FEWEST {
        return None;
    }
    let (a, b) = (ranks(one), ranks(other));
    let middle = (one.len() as f64 - 1.0) / 2.0;
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let size = (dot(&a, &a) * dot(&b, &b)).sqrt();
    (size > 0.0).then(|| dot(&a, &b) / size)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |value: f64| values.iter().filter(|other| **other < value).count() as f64;
    let equal = |value: f64| values.iter().filter(|other| **other == value).count() as f64;
    values.iter().map(|&value| below(value) + (equal(value) - 1.0) / 2.0).collect()
}

/// The mean over days with a normal interval; `None` of fewer than two days. Days whose outcomes overlap are
/// no independent witnesses: covariances up to `lags` days apart enter the variance (Newey and West 1987).
fn interval(days: &[f64], lags: usize) -> Option<Interval> {
    let count = days.len() as f64;
    let middle = mean(days.iter().copied()).filter(|_| days.len() > 1)?;
    let covariance = |lag: usize| {
        let pairs = days.iter().zip(days.iter().skip(lag));
        pairs.map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>() / (count - 1.0)
    };
    let weight = |lag: usize| 1.0 - lag as f64 / (lags as f64 + 1.0);
    let variance = covariance(0) + 2.0 * (1..=lags).map(|lag| weight(lag) * covariance(lag)).sum::<f64>();
    let half = WIDTH * (variance.max(0.0) / count).sqrt();
    Some(Interval { mean: middle, low: middle - half, high: middle + half, days: days.len() })
}

/// How many days after a day have outcomes that overlap with its own.
fn overlapping(days: &[Embedded], horizon: usize) -> usize {
    let gaps = days.windows(2).map(|pair| pair[1].day.session.saturating_sub(pair[0].day.session));
    let nearest = gaps.min().unwrap_or(horizon).max(1);
    horizon.div_ceil(nearest).saturating_sub(1)
}

impl EncoderData {
    /// As [`EncoderData::next_sessions`], over the `length` sessions up to and including this one.
    #[must_use]
    pub fn past_sessions(&self, asset: AssetIdx, session: usize, length: usize) -> Option<[f32; 2]> {
        self.next_sessions(asset, session.checked_sub(length)?, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_intervals_by_hand() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        let up = [1.0, 2.0, 3.0, 4.0, 9.0];
        assert!((rank_correlation(&up, &[-5.0, 0.0, 0.1, 7.0, 8.0]).unwrap() - 1.0).abs() < 1e-12);
        // Places differ by 1, 1, 0, 1, 1: 1 - 6 · 4 / (5 · 24).
        assert!((rank_correlation(&up, &[2.0, 1.0, 3.0, 5.0, 4.0]).unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(rank_correlation(&up, &[1.0; 5]), None);
        let found = interval(&[1.0, 2.0, 3.0], 0).unwrap();
        assert!((found.mean - 2.0).abs() < 1e-12 && (found.high - 2.0 - 1.96 / 3.0_f64.sqrt()).abs() < 1e-12);
        // Covariances of neighbours cancel here: deviations -1, 0, 1.
        assert_eq!(interval(&[1.0, 2.0, 3.0], 1), Some(found));
        let together = interval(&[1.0, 1.0, 3.0, 3.0], 1).unwrap();
        assert!(together.high > interval(&[1.0, 1.0, 3.0, 3.0], 0).unwrap().high);
        assert_eq!(interval(&[1.0], 0), None);
    }
}
