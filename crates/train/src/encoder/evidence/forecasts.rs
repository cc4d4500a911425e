//! Lines for returns and volatilities, from the representation, from frozen branches, and from what anybody
//! would try first.

use lotwise_market::AssetIdx;
use lotwise_nn::FrozenTemporal;
use lotwise_nn::chronos::Chronos;
use lotwise_nn::temporal::{MiniRocketConfig, NoTemporal};
use serde::Serialize;

use super::super::batch::Day;
use super::super::data::Tickers;
use super::super::diagnostics::{kept, mean};
use super::super::objective::Network;
use super::super::probe::Probe;
use super::super::{EncoderData, Part, RunConfig};
use super::Embedded;
use super::intervals::{Interval, interval, rank_correlation};
use crate::Error;

/// Horizons of forecasts, in sessions.
pub const HORIZONS: [usize; 3] = [1, 5, 21];
/// Sessions over which the plain baselines look back.
const LOOK_BACK: [usize; 3] = [1, 5, 22];
/// Days of training that lines are fitted to, and of validation that they are judged on.
const DAYS: [usize; 2] = [256, 120];
/// Assets of each of them.
const ASSETS: usize = 40;
/// Stretches of training between which the strength of a line's ridge is chosen.
const FOLDS: usize = 5;
/// Days that go through the network together.
const TOGETHER: usize = 8;
/// What the frozen branches are asked for.
const ASKED_OF_BRANCHES: [(Target, usize); 3] = [(Target::LogVol, 5), (Target::Ret, 1), (Target::Ret, 5)];

/// What is foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The sum of log returns.
    Ret,
    /// The logarithm of the root mean square of log returns.
    LogVol,
}

/// How well one thing is foretold by one set of inputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// What.
    pub target: Target,
    /// Sessions ahead.
    pub horizon: usize,
    /// `seen` or `held_out`: of which tickers. Lines are fitted to seen ones alone.
    pub tickers: &'static str,
    /// `encoder`, `har` (volatilities of the last 1, 5 and 22 sessions), `momentum` (returns over them), either
    /// of them `_and_encoder`, `last_value` (the volatility or return of as many sessions before, at least five,
    /// as it is), `always_up`, or a frozen branch beside its statistics of scale.
    pub inputs: &'static str,
    /// Against guessing the mean of training; `None` where nothing varies.
    pub r_squared: Option<f64>,
    /// Rank correlation within each day.
    pub rank_correlation: Option<Interval>,
    /// Rank correlation less that of the plain baseline (`har`, `momentum`, or `none` among branches), day by day.
    pub gain: Option<Interval>,
    /// Share of returns whose sign was right.
    pub hit_rate: Option<Interval>,
}

/// A forecast, and its rank correlation on each of the days.
type Judged = (Forecast, Vec<Option<f64>>);

/// Numbers of each asset of a day, `None` where there are none.
type Rows = Vec<Option<Vec<f32>>>;

struct Inputs {
    name: &'static str,
    /// For each day of training, of seen and of held-out tickers of validation.
    rows: [Vec<Rows>; 3],
    /// Whether a line is fitted, or the only input is the forecast itself.
    fitted: bool,
}

/// The days of lines: training, validation, validation with tickers kept away.
fn days(data: &EncoderData) -> [Vec<Day>; 3] {
    [
        data.spaced(Part::Train, Tickers::Seen, DAYS[0], ASSETS),
        data.spaced(Part::Validation, Tickers::Seen, DAYS[1], ASSETS),
        data.spaced(Part::Validation, Tickers::HeldOut, DAYS[1], ASSETS),
    ]
}

/// Lines from the representation and from the baselines, for each target and horizon.
pub(super) fn forecasts(
    data: &EncoderData,
    config: &RunConfig,
    branch: &dyn FrozenTemporal,
    network: &Network,
    params: &lotwise_tensor::Params,
) -> Vec<Forecast> {
    let days = days(data);
    let metadata = config.network.metadata_fields > 0;
    let embedded: [Vec<Rows>; 3] = days.each_ref().map(|days| {
        let chunks = days.chunks(TOGETHER);
        let of = |days: &[Day]| Embedded::all(&[data.batch(days.to_vec(), metadata, branch)], network, params);
        let days = chunks.flat_map(of);
        days.map(|day| day.rows.into_iter().map(Some).collect()).collect()
    });
    let mut all = Vec::new();
    for horizon in HORIZONS {
        for target in [Target::Ret, Target::LogVol] {
            let place = target as usize;
            let past = |length: &[usize], day: &Day, asset: AssetIdx| -> Option<Vec<f32>> {
                length.iter().map(|&length| Some(data.past_sessions(asset, day.session, length)?[place])).collect()
            };
            let gather = |length: &[usize]| -> [Vec<Rows>; 3] {
                let of = |day: &Day| day.assets.iter().map(|&asset| past(length, day, asset)).collect();
                days.each_ref().map(|days| days.iter().map(of).collect())
            };
            let plain = gather(&LOOK_BACK);
            // All are asked about the same assets, also where only one of them lacks a number.
            let both = joined(&plain, &embedded);
            let (name, with) =
                if target == Target::Ret { ("momentum", "momentum_and_encoder") } else { ("har", "har_and_encoder") };
            // One session has no deviation to speak of; five have.
            let last = gather(&[horizon.max(5)]);
            let known = joined(&both, &last);
            let up =
                days.each_ref().map(|days| days.iter().map(|day| vec![Some(vec![1.0]); day.assets.len()]).collect());
            let mut inputs = vec![
                Inputs { name: "encoder", rows: embedded.clone(), fitted: true },
                Inputs { name, rows: plain, fitted: true },
                Inputs { name: with, rows: both, fitted: true },
                Inputs { name: "last_value", rows: last, fitted: false },
            ];
            if target == Target::Ret {
                inputs.push(Inputs { name: "always_up", rows: up, fitted: false });
            }
            for one in &mut inputs {
                restrict(&mut one.rows, &known);
            }
            let judged = inputs.iter().map(|inputs| judge(data, &days, inputs, (target, horizon))).collect();
            all.extend(with_gains(judged, name, &days));
        }
    }
    all
}

/// What the frozen branches are worth by themselves: lines from their numbers beside the statistics of scale,
/// for the same days, without any training (P1-12).
///
/// # Errors
/// Where the branch that comes with the program cannot be read.
pub fn branches(data: &EncoderData) -> Result<Vec<Forecast>, Error> {
    let days = days(data);
    let kernelsynth = Chronos::kernelsynth()?;
    let minirocket = MiniRocketConfig::default().init();
    let all: [(&'static str, &dyn FrozenTemporal); 3] =
        [("none", &NoTemporal), ("minirocket", &minirocket), ("kernelsynth", &kernelsynth)];
    let mut found = [const { Vec::new() }; ASKED_OF_BRANCHES.len()];
    for (name, branch) in all {
        let of = |days: &[Day]| -> Vec<Rows> {
            let batch = data.batch(days.to_vec(), false, branch);
            let (temporal, statistics) = (&batch.inputs.temporal, &batch.inputs.statistics);
            let (k, s) = (branch.width(), statistics.shape().width());
            let mut rows = kept(&batch).map(|row| {
                let known = batch.inputs.statistics_known.data()[row] != 0.0;
                let numbers = [&temporal.data()[row * k..(row + 1) * k], &statistics.data()[row * s..(row + 1) * s]];
                known.then(|| numbers.concat())
            });
            batch.days.iter().map(|day| rows.by_ref().take(day.assets.len()).collect()).collect()
        };
        let rows = days.each_ref().map(|days| days.chunks(TOGETHER).flat_map(of).collect());
        let inputs = Inputs { name, rows, fitted: true };
        for (found, asked) in found.iter_mut().zip(ASKED_OF_BRANCHES) {
            found.push(judge(data, &days, &inputs, asked));
        }
    }
    Ok(found.into_iter().flat_map(|judged| with_gains(judged, "none", &days)).collect())
}

/// Sets each forecast beside that of the plain inputs, tickers by tickers and day by day.
fn with_gains(judged: Vec<Vec<Judged>>, plain: &str, days: &[Vec<Day>; 3]) -> Vec<Forecast> {
    let baseline = judged.iter().find(|one| one.iter().any(|(forecast, _)| forecast.inputs == plain)).cloned();
    let mut all = Vec::new();
    for mut one in judged {
        for (forecast, correlations) in &mut one {
            let same = |other: &&Judged| other.0.tickers == forecast.tickers;
            if let Some((_, plain)) =
                baseline.iter().flatten().find(same).filter(|(other, _)| other.inputs != forecast.inputs)
            {
                let part = if forecast.tickers == "seen" { 1 } else { 2 };
                let pairs = correlations.iter().zip(plain);
                let gains: Vec<f64> = pairs.filter_map(|(own, plain)| Some((*own)? - (*plain)?)).collect();
                forecast.gain = interval(&gains, overlapping(&days[part], forecast.horizon));
            }
        }
        all.extend(one.into_iter().map(|(forecast, _)| forecast));
    }
    all
}

/// Takes away what another set lacks.
fn restrict(rows: &mut [Vec<Rows>; 3], to: &[Vec<Rows>; 3]) {
    let all = rows.iter_mut().flatten().flatten().zip(to.iter().flatten().flatten());
    all.filter(|(_, other)| other.is_none()).for_each(|(row, _)| *row = None);
}

/// Numbers of two sets side by side.
fn joined(one: &[Vec<Rows>; 3], other: &[Vec<Rows>; 3]) -> [Vec<Rows>; 3] {
    let pair = |(one, other): (&Option<Vec<f32>>, &Option<Vec<f32>>)| {
        Some([one.as_ref()?.as_slice(), other.as_ref()?].concat())
    };
    let day = |(one, other): (&Rows, &Rows)| one.iter().zip(other).map(pair).collect::<Rows>();
    std::array::from_fn(|part| one[part].iter().zip(&other[part]).map(day).collect())
}

/// One day's inputs and what came true.
type Pairs<'a> = Vec<(&'a [f32], f64)>;

/// Fits to training, and judges on seen tickers and on those kept away.
fn judge(data: &EncoderData, days: &[Vec<Day>; 3], inputs: &Inputs, (target, horizon): (Target, usize)) -> Vec<Judged> {
    let first = data.sessions(Part::Validation).start;
    // A line that is fitted to what came true in validation would have seen it.
    let reaches = |part: usize, session: usize| part == 0 && session + horizon >= first;
    let truth = |part, asset, session| {
        let found = data.next_sessions(asset, session, horizon).filter(|_| !reaches(part, session));
        Some(f64::from(found?[target as usize]))
    };
    let gather = |part: usize| -> Vec<Pairs<'_>> {
        days[part]
            .iter()
            .zip(&inputs.rows[part])
            .map(|(day, rows)| {
                let pairs = day.assets.iter().zip(rows);
                pairs.filter_map(|(&asset, row)| Some((row.as_deref()?, truth(part, asset, day.session)?))).collect()
            })
            .collect()
    };
    let train = gather(0);
    let targets: Vec<f64> = train.iter().flatten().map(|(_, truth)| *truth).collect();
    let probe = if inputs.fitted {
        let stretch = train.len().div_ceil(FOLDS).max(1);
        let folds: Vec<_> = train.chunks(stretch).map(|days| days.iter().flatten().copied().unzip()).collect();
        let Some(probe) = Probe::fit_chosen(&folds) else { return Vec::new() };
        Some(probe)
    } else {
        None
    };
    let predict = |row: &[f32]| probe.as_ref().map_or_else(|| f64::from(row[0]), |probe| probe.predict(row));
    [(1, "seen"), (2, "held_out")]
        .into_iter()
        .map(|(part, tickers)| {
            let test = gather(part);
            let (rows, truths): (Vec<&[f32]>, Vec<f64>) = test.iter().flatten().copied().unzip();
            let r_squared = match &probe {
                Some(probe) => probe.r_squared(&rows, &truths),
                None if inputs.name == "always_up" => None,
                None => plain_r_squared(&rows, &truths, &targets),
            };
            let lags = overlapping(&days[part], horizon);
            let guessed: Vec<Vec<(f64, f64)>> =
                test.iter().map(|day| day.iter().map(|(row, truth)| (predict(row), *truth)).collect()).collect();
            let correlations: Vec<Option<f64>> = guessed
                .iter()
                .map(|day| {
                    let (guesses, truths): (Vec<f64>, Vec<f64>) = day.iter().copied().unzip();
                    rank_correlation(&guesses, &truths)
                })
                .collect();
            let hit = |&(guess, truth): &(f64, f64)| f64::from(u8::from((guess > 0.0) == (truth > 0.0)));
            let hits: Vec<f64> = guessed.iter().filter_map(|day| mean(day.iter().map(hit))).collect();
            let known: Vec<f64> = correlations.iter().copied().flatten().collect();
            let forecast = Forecast {
                target,
                horizon,
                tickers,
                inputs: inputs.name,
                r_squared,
                rank_correlation: interval(&known, lags),
                gain: None,
                hit_rate: interval(&hits, lags).filter(|_| target == Target::Ret),
            };
            (forecast, correlations)
        })
        .collect()
}

/// Of the inputs as they are, against guessing the mean of training.
fn plain_r_squared(rows: &[&[f32]], truths: &[f64], train: &[f64]) -> Option<f64> {
    let level = mean(train.iter().copied())?;
    let error: f64 = rows.iter().zip(truths).map(|(row, truth)| (truth - f64::from(row[0])).powi(2)).sum();
    let total: f64 = truths.iter().map(|truth| (truth - level).powi(2)).sum();
    (total > 0.0).then(|| 1.0 - error / total)
}

/// How many days after a day have outcomes that overlap with its own.
fn overlapping(days: &[Day], horizon: usize) -> usize {
    let gaps = days.windows(2).map(|pair| pair[1].session.saturating_sub(pair[0].session));
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
