//! Everything that decides a run of the encoder, in one place; the resolved one is written beside the run.

use lotwise_core::Date;
use lotwise_nn::EncoderConfig;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A run of the encoder (SPEC P1). What a file leaves out is as in [`RunConfig::default`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// The seed of everything: weights, samples, dropout, views.
    pub seed: u64,
    /// Free text for the manifest.
    pub note: String,
    /// The frozen branch.
    pub temporal: TemporalChoice,
    /// Dates, universe, tickers kept away.
    pub data: DataConfig,
    /// What a step draws.
    pub sampling: SamplingConfig,
    /// What the two views of a window differ in.
    pub views: ViewConfig,
    /// The terms and their weights.
    pub loss: LossConfig,
    /// AdamW and its schedule.
    pub optimiser: OptimiserConfig,
    /// The sizes of the network.
    pub network: EncoderConfig,
    /// One after the other, each from the best weights of the one before.
    pub stages: Vec<Stage>,
}

/// Which frozen branch (P1-12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalChoice {
    /// `kernelsynth`, `minirocket`, `none`, or a kind that needs weights.
    pub kind: String,
    /// Folder of weights, for kinds that need them, or a name that stands for one.
    pub weights: Option<String>,
    /// Folder on this machine, where [`TemporalChoice::weights`] is a name. It is nothing that decides about a run,
    /// and is written nowhere.
    #[serde(skip)]
    pub folder: Option<String>,
    /// Folder in which its outputs are kept, worth it for kinds that take long; without it they are computed
    /// each time.
    pub cache: Option<String>,
}

/// Dates and universe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// First session of training.
    pub train_from: String,
    /// Last session that training may see, targets included; samples end a window, a horizon and an
    /// embargo before it (SPEC D-09).
    pub train_to: String,
    /// First session of validation.
    pub validation_from: String,
    /// Last session of validation. Later ones are not even read.
    pub validation_to: String,
    /// Sessions left out between training and validation beyond window and horizon.
    pub embargo_sessions: usize,
    /// Whether a day's universe is that of the index members of the day.
    pub universe: Universe,
    /// Share of the tickers of each sector that training never sees.
    pub held_out_share: f64,
    /// Decides which; apart from the run's seed, so that runs can be compared.
    pub held_out_seed: u64,
}

/// What a day's assets are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Universe {
    /// Members of the index on that day, former ones included (SPEC D-08).
    Members,
    /// Every company of the price table.
    All,
}

/// What a step and an epoch are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingConfig {
    /// Days of a batch.
    pub dates_per_batch: usize,
    /// Assets of each day, drawn from the universe of the day.
    pub assets_per_date: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: usize,
    /// Sessions of training that days are drawn from, evenly spaced; 0 for all of them. With a frozen branch
    /// that takes long, fewer sessions are met again sooner, and what was kept is used.
    pub train_dates: usize,
    /// Days of validation, evenly spaced over its period.
    pub validation_dates: usize,
    /// Assets of each of them.
    pub validation_assets: usize,
    /// Days of training on which linear probes are fitted, evenly spaced.
    pub probe_dates: usize,
    /// Fewest bars that a window must hold.
    pub least_bars: usize,
}

/// Augmentation (P1-06, P1-10, P1-16).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewConfig {
    /// Chance that a feature is hidden and to be recovered; at least one and at most half are.
    pub mask_rate: f32,
    /// Largest share of the oldest bars that is cut off.
    pub crop: f32,
    /// Deviation of what is added to features.
    pub jitter: f32,
    /// Chance that a feature is hidden without being asked for.
    pub channel_drop: f32,
    /// Chance that a field of metadata is taken away.
    pub field_dropout: f32,
    /// Chance that a whole block of metadata is taken away.
    pub block_dropout: f32,
}

/// How assets are told apart (P1-09, P1-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// The paper's: mean cosine between the assets of a day.
    MeanCosine,
    /// Two views, over all assets and days of a batch.
    Vicreg,
    /// As `vicreg`, but after taking away each day's mean: what is the same for all assets of a day then
    /// counts for nothing.
    VicregDay,
    /// Two views, against the other assets of the day.
    Infonce,
}

/// The terms of eq. (4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// Weight of the next return.
    pub ret: f32,
    /// Weight of the recovery of hidden features.
    pub mask: f32,
    /// Weight of the regimes: the mean of the assets' and the market's.
    pub regime: f32,
    /// Which differentiation term; its weight is a stage's.
    pub contrast: Contrast,
    /// Where Huber's function turns from square to line.
    pub huber_delta: f32,
    /// Largest return.
    pub return_clip: f32,
}

/// P1-19.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimiserConfig {
    /// The largest learning rate.
    pub rate: f32,
    /// The last one.
    pub floor: f32,
    /// Part of a stage's steps that lead up to the largest.
    pub warm_up: f32,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Largest norm of all gradients together.
    pub clip: f64,
}

/// How much of the network a stage trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// Path A: the market encoder alone; the heads read stage 1 (P1-01).
    Market,
    /// Path B: everything; the heads read the representation.
    Whole,
}

/// One stage of the protocol (P1-11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// For logs and manifests.
    pub name: String,
    /// What is trained.
    pub path: Path,
    /// At most so many epochs.
    pub epochs: usize,
    /// Epochs without an improvement after which the stage ends.
    pub patience: usize,
    /// Weight of the differentiation term; 0 leaves it out.
    pub contrast: f32,
}

impl Default for RunConfig {
    /// The protocol of P1-11: the market encoder alone, then the whole without and with the
    /// differentiation term.
    fn default() -> Self {
        let stage =
            |name: &str, path, epochs, contrast| Stage { name: name.to_owned(), path, epochs, patience: 10, contrast };
        Self {
            seed: 1,
            note: String::new(),
            temporal: TemporalChoice::default(),
            data: DataConfig::default(),
            sampling: SamplingConfig::default(),
            views: ViewConfig::default(),
            loss: LossConfig::default(),
            optimiser: OptimiserConfig::default(),
            network: EncoderConfig::base64(512),
            stages: vec![
                stage("market", Path::Market, 20, 0.0),
                stage("joint", Path::Whole, 60, 0.0),
                stage("differentiation", Path::Whole, 60, 0.5),
            ],
        }
    }
}

impl Default for TemporalChoice {
    /// The one that comes with the program.
    fn default() -> Self {
        Self { kind: "kernelsynth".to_owned(), weights: None, folder: None, cache: None }
    }
}

impl Default for DataConfig {
    /// Training to the end of 2019, validation in 2020 and 2021 (SPEC D-09).
    fn default() -> Self {
        Self {
            train_from: "2000-01-01".to_owned(),
            train_to: "2019-12-31".to_owned(),
            validation_from: "2020-01-01".to_owned(),
            validation_to: "2021-12-31".to_owned(),
            embargo_sessions: 10,
            universe: Universe::Members,
            held_out_share: 0.2,
            held_out_seed: 0,
        }
    }
}

impl Default for SamplingConfig {
    /// 64 days of 30 assets a batch, as the paper's thirty tickers.
    fn default() -> Self {
        Self {
            dates_per_batch: 64,
            assets_per_date: 30,
            steps_per_epoch: 75,
            train_dates: 0,
            validation_dates: 48,
            validation_assets: 40,
            probe_dates: 64,
            least_bars: 16,
        }
    }
}

impl Default for ViewConfig {
    /// The rates of P1-06, P1-10 and P1-16.
    fn default() -> Self {
        Self { mask_rate: 0.3, crop: 0.2, jitter: 0.05, channel_drop: 0.1, field_dropout: 0.1, block_dropout: 0.1 }
    }
}

impl Default for LossConfig {
    /// Eq. (4), with InfoNCE to tell assets apart: VICReg lets the cosine between the assets of a day rise, since
    /// its variance may lie between days.
    fn default() -> Self {
        Self { ret: 0.3, mask: 1.0, regime: 0.5, contrast: Contrast::Infonce, huber_delta: 0.05, return_clip: 0.1 }
    }
}

impl Default for OptimiserConfig {
    /// P1-19.
    fn default() -> Self {
        Self { rate: 3e-4, floor: 1e-5, warm_up: 0.05, weight_decay: 1e-4, clip: 1.0 }
    }
}

/// The dates of a [`DataConfig`], read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// First and last session of training.
    pub train: [Date; 2],
    /// First and last session of validation.
    pub validation: [Date; 2],
}

/// The largest number of anything that is counted.
const LARGEST: usize = 1_000_000;

impl RunConfig {
    /// The settings that decide about the weights: without the folders of this machine in which a branch lies and
    /// its outputs are kept.
    #[must_use]
    pub fn without_places(&self) -> Self {
        let mut config = self.clone();
        config.temporal.cache = None;
        config.temporal.folder = None;
        config
    }

    /// Refuses what cannot be run.
    ///
    /// # Errors
    /// Names the first setting that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        self.network.validate()?;
        self.data.dates()?;
        let sampling = &self.sampling;
        for (setting, count) in [
            ("sampling.dates_per_batch", sampling.dates_per_batch),
            ("sampling.assets_per_date", sampling.assets_per_date),
            ("sampling.steps_per_epoch", sampling.steps_per_epoch),
            ("sampling.validation_dates", sampling.validation_dates),
            ("sampling.validation_assets", sampling.validation_assets),
            ("sampling.least_bars", sampling.least_bars),
        ] {
            within(setting, count as f64, 1.0, LARGEST as f64)?;
        }
        within("sampling.train_dates", sampling.train_dates as f64, 0.0, LARGEST as f64)?;
        within("sampling.probe_dates", sampling.probe_dates as f64, 0.0, LARGEST as f64)?;
        within("data.embargo_sessions", self.data.embargo_sessions as f64, 0.0, LARGEST as f64)?;
        within("data.held_out_share", self.data.held_out_share, 0.0, 0.9)?;
        let views = &self.views;
        for (setting, rate) in [
            ("views.mask_rate", views.mask_rate),
            ("views.channel_drop", views.channel_drop),
            ("views.field_dropout", views.field_dropout),
            ("views.block_dropout", views.block_dropout),
            ("views.crop", views.crop),
        ] {
            within(setting, f64::from(rate), 0.0, 0.95)?;
        }
        within("views.jitter", f64::from(views.jitter), 0.0, 10.0)?;
        let loss = &self.loss;
        for (setting, weight) in [("loss.ret", loss.ret), ("loss.mask", loss.mask), ("loss.regime", loss.regime)] {
            within(setting, f64::from(weight), 0.0, 1000.0)?;
        }
        within("loss.huber_delta", f64::from(loss.huber_delta), 1e-6, 1e3)?;
        within("loss.return_clip", f64::from(loss.return_clip), 1e-6, 1e3)?;
        let optimiser = &self.optimiser;
        within("optimiser.rate", f64::from(optimiser.rate), 1e-8, 1.0)?;
        within("optimiser.floor", f64::from(optimiser.floor), 0.0, f64::from(optimiser.rate))?;
        within("optimiser.warm_up", f64::from(optimiser.warm_up), 0.0, 1.0)?;
        within("optimiser.weight_decay", f64::from(optimiser.weight_decay), 0.0, 1.0)?;
        within("optimiser.clip", optimiser.clip, 1e-6, 1e6)?;
        if self.stages.is_empty() {
            return Err(refuse("stages", "empty; expected at least one"));
        }
        for (at, stage) in self.stages.iter().enumerate() {
            within(&format!("stages[{at}].epochs"), stage.epochs as f64, 1.0, LARGEST as f64)?;
            within(&format!("stages[{at}].patience"), stage.patience as f64, 1.0, LARGEST as f64)?;
            within(&format!("stages[{at}].contrast"), f64::from(stage.contrast), 0.0, 1000.0)?;
            if stage.path == Path::Market && stage.contrast > 0.0 {
                let problem = format!("{}; expected 0 where path is \"market\"", stage.contrast);
                return Err(refuse(format!("stages[{at}].contrast"), problem));
            }
        }
        Ok(())
    }
}

impl DataConfig {
    /// The dates.
    ///
    /// # Errors
    /// Where one does not read, or they are not in order.
    pub fn dates(&self) -> Result<Dates, Error> {
        let read = |setting: &str, text: &str| {
            Date::parse(text).map_err(|_| refuse(setting, format!("{text:?}; expected a date as 2019-12-31")))
        };
        let dates = Dates {
            train: [read("data.train_from", &self.train_from)?, read("data.train_to", &self.train_to)?],
            validation: [
                read("data.validation_from", &self.validation_from)?,
                read("data.validation_to", &self.validation_to)?,
            ],
        };
        for (setting, earlier, later) in [
            ("data.train_to", dates.train[0], dates.train[1]),
            ("data.validation_from", dates.train[1], dates.validation[0]),
            ("data.validation_to", dates.validation[0], dates.validation[1]),
        ] {
            if earlier >= later {
                return Err(refuse(setting, format!("{later}; expected a date after {earlier}")));
            }
        }
        Ok(dates)
    }
}

fn refuse(setting: impl Into<String>, problem: impl Into<String>) -> Error {
    Error::Config { setting: setting.into(), problem: problem.into() }
}

fn within(setting: &str, found: f64, least: f64, most: f64) -> Result<(), Error> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(refuse(setting, format!("{found}; expected {least} to {most}")))
}
