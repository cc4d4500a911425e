//! What a trained encoder is worth, on days and tickers that it never saw (SPEC P1-16, P1-20).
//!
//! Everything is measured on validation, never later. Lines are fitted to days of training and judged on
//! days of validation, beside the plain baselines that anybody would try first. Intervals are over days.
//!
//! Days of validation whose outcomes reach beyond the data that were read have none.

mod forecasts;
mod intervals;

use lotwise_market::metadata::METADATA_BLOCKS;
use lotwise_nn::{Checkpoint, FrozenTemporal};
use lotwise_tensor::{Array, Params};
use serde::Serialize;

use super::batch::Day;
use super::data::Tickers;
use super::diagnostics::{Diagnosis, Measured, cosine, kept, mean};
use super::objective::{Asked, Network};
use super::{Batch, EncoderData, Part, Path, RunConfig};

pub use forecasts::{Forecast, HORIZONS, Target, branches};
pub use intervals::Interval;
use intervals::interval;

/// Share classes of one company, which should lie close together.
const TWINS: [[&str; 2]; 5] = [["GOOG", "GOOGL"], ["FOX", "FOXA"], ["NWS", "NWSA"], ["UA", "UAA"], ["DISCA", "DISCK"]];

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

impl Evidence {
    /// Everything that is one number, by name, for tables over several runs: what was measured, `evidence/…`, and
    /// for each forecast `forecast/TARGET_HORIZON/INPUTS/TICKERS/r_squared|rank_correlation|hit_rate`.
    #[must_use]
    pub fn numbers(&self) -> Measured {
        let mut numbers = self.measured.clone();
        let mut add = |name: String, value: Option<f64>| numbers.extend(value.map(|value| (name, value)));
        let of = |interval: Option<Interval>| interval.map(|interval| interval.mean);
        add("evidence/unseen_increase".to_owned(), self.unseen_increase);
        add("evidence/same_sector".to_owned(), of(self.same_sector));
        add("evidence/cross_sector".to_owned(), of(self.cross_sector));
        add("evidence/sector_difference".to_owned(), of(self.sector_difference));
        for (block, increase) in &self.missing_block_increase {
            add(format!("evidence/missing/{block}"), Some(*increase));
        }
        for one in &self.forecasts {
            let target = if one.target == Target::Ret { "ret" } else { "log_vol" };
            let name = format!("forecast/{target}_{}/{}/{}", one.horizon, one.inputs, one.tickers);
            add(format!("{name}/r_squared"), one.r_squared);
            add(format!("{name}/rank_correlation"), of(one.rank_correlation));
            add(format!("{name}/hit_rate"), of(one.hit_rate));
        }
        numbers
    }
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
        forecasts: forecasts::forecasts(data, config, branch, &network, params),
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
