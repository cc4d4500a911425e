//! A run from first to last step (SPEC P1-11, P1-19): draw days, hide something, walk back, move; after each
//! epoch measure on validation, keep the best, stop when it no longer improves.
//!
//! What a step draws depends on the seed, the stage and the number of the step alone, so a run that was
//! interrupted goes on with the bits of one that never stopped.

use std::path::Path as FilePath;

use lotwise_core::{Regime, Seed};
use lotwise_market::features::FEATURE_NAMES;
use lotwise_market::metadata::METADATA_NAMES;
use lotwise_nn::checkpoint::{Names, TrainingRecord, digest};
use lotwise_nn::{Checkpoint, FrozenTemporal, Pass};
use lotwise_tensor::{AdamW, AdamWConfig, Gradients, Params, Schedule, Tape, Weights};
use sha2::{Digest, Sha256};

use super::curves::write_curves;
use super::diagnostics::{Diagnosis, Measured};
use super::objective::{Asked, Network, objective, views_needed};
use super::state::{Progress, RunFolder};
use super::views::view;
use super::{EncoderData, Part, RunConfig, Stage, branch};
use crate::{Error, seeds};

/// Steps after which the state is kept although the epoch goes on.
const SAVE_EVERY: usize = 50;
/// How features are brought to one scale (SPEC D-05).
const NORMALIZER: &str = "trailing robust z-score over 252 bars, clipped at 5; features 6 and 15 as they are";

/// What happens while a run goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step was taken.
    Step {
        /// Name of the stage.
        stage: String,
        /// Epoch within the stage, from 1, and how many there are at most.
        epoch: [usize; 2],
        /// Step within the epoch, from 1, and how many there are.
        step: [usize; 2],
        /// Steps that the run will take at most from here on.
        left: u64,
        /// Loss of the step.
        loss: f64,
    },
    /// An epoch ended and was measured.
    Epoch {
        /// Name of the stage.
        stage: String,
        /// Epoch within the stage, from 1.
        epoch: usize,
        /// What was measured.
        measured: Measured,
        /// Whether it is the best of its stage so far.
        best: bool,
    },
    /// A stage ended.
    Stage {
        /// Its name.
        stage: String,
        /// Its epochs.
        epochs: usize,
        /// Its smallest validation loss.
        best: f64,
    },
}

/// What a caller is told and may ask.
pub struct Hooks<'a> {
    /// Told of every event.
    pub event: &'a mut (dyn FnMut(&Event) + Send),
    /// Asked after every step; true ends the run with its state kept.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All stages are done.
    Finished(Finished),
    /// Somebody asked to stop; [`resume`] goes on.
    Interrupted {
        /// Steps done in all stages.
        steps: u64,
    },
}

/// A run that is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Epochs of all stages.
    pub epochs: usize,
    /// Steps of all stages.
    pub steps: u64,
    /// What the last stage's best weights were measured with.
    pub measured: Measured,
}

/// Starts a run in a folder of its own.
///
/// # Errors
/// Where a setting is wrong, the folder holds a run already, or a file cannot be written.
pub fn train(
    folder: &FilePath,
    data: &EncoderData,
    config: &RunConfig,
    hooks: &mut Hooks<'_>,
) -> Result<Outcome, Error> {
    let folder = RunFolder::new(folder);
    if folder.is_taken() {
        let problem = "it holds a run already; resume that, or name another folder".to_owned();
        return Err(Error::Config {
            setting: "out".to_owned(),
            problem: format!("{}: {problem}", folder.path().display()),
        });
    }
    let mut run = Run::new(folder, data, config)?;
    run.folder.begin(&run.config, data)?;
    let _held = run.folder.hold()?;
    run.save()?;
    run.go(hooks)
}

/// Goes on with an interrupted run; a finished one is only told again. `weights` is the frozen branch's folder where
/// the run's configuration has a name that stands for it ([`super::TemporalChoice::folder`]).
///
/// # Errors
/// Where there is none, its data or configuration have changed, or a file cannot be read or written.
pub fn resume(
    folder: &FilePath,
    data: &EncoderData,
    weights: Option<&str>,
    hooks: &mut Hooks<'_>,
) -> Result<Outcome, Error> {
    let folder = RunFolder::new(folder);
    let mut config = folder.config()?;
    config.temporal.folder = weights.map(str::to_owned);
    let _held = folder.hold()?;
    let mut run = Run::new(folder, data, &config)?;
    let hashes = run.hashes();
    run.progress =
        run.folder.load([&mut run.params, &mut run.best], &mut run.adam, [hashes[0].as_str(), hashes[1].as_str()])?;
    run.go(hooks)
}

struct Run<'a> {
    folder: RunFolder,
    data: &'a EncoderData,
    config: RunConfig,
    config_hash: String,
    branch: Box<dyn FrozenTemporal>,
    network: Network,
    params: Params,
    best: Params,
    adam: AdamW,
    diagnosis: Diagnosis,
    progress: Progress,
}

impl<'a> Run<'a> {
    fn new(folder: RunFolder, data: &'a EncoderData, config: &RunConfig) -> Result<Self, Error> {
        let branch = branch(&config.temporal)?;
        let mut config = config.clone();
        config.network.temporal_width = branch.width();
        config.validate()?;
        for (setting, found, wanted) in [
            ("network.features", config.network.features, FEATURE_NAMES.len()),
            ("network.regimes", config.network.regimes, Regime::ALL.len()),
            ("network.window", config.network.window, data.window),
        ] {
            if found != wanted {
                let problem = format!("{found}; the data have {wanted}");
                return Err(Error::Config { setting: setting.to_owned(), problem });
            }
        }
        if ![0, METADATA_NAMES.len()].contains(&config.network.metadata_fields) {
            let problem = format!("{}; expected {} or 0", config.network.metadata_fields, METADATA_NAMES.len());
            return Err(Error::Config { setting: "network.metadata_fields".to_owned(), problem });
        }
        let mut params = Params::new();
        let seed = seeds::number(Seed::new(config.seed), "init", 0);
        let encoder = config.network.init(&mut params, seed)?;
        let heads = config.network.init_heads(&mut params, seed);
        let diagnosis = Diagnosis::new(data, &config, branch.as_ref());
        if diagnosis.is_empty() {
            return Err(Error::Data("no day of validation has a company".to_owned()));
        }
        // Other weights of the frozen branch under the same name are another run; another cache is not.
        let text = serde_json::to_string(&config.without_places()).expect("Invariant: a configuration is plain data");
        let text = format!("{text}\n{}", branch.fingerprint());
        let adam = new_adam(&config);
        Ok(Self {
            folder,
            data,
            config_hash: super::data::hex(&Sha256::digest(text.as_bytes())),
            config,
            branch,
            network: Network { encoder, heads },
            best: params.clone(),
            params,
            adam,
            diagnosis,
            progress: Progress::default(),
        })
    }

    fn hashes(&self) -> [String; 2] {
        [self.config_hash.clone(), self.data.hash().to_owned()]
    }

    fn save(&self) -> Result<(), Error> {
        let hashes = self.hashes();
        let hashes = [hashes[0].as_str(), hashes[1].as_str()];
        self.folder.save(&self.progress, [&self.params, &self.best], &self.adam, hashes)
    }

    fn go(&mut self, hooks: &mut Hooks<'_>) -> Result<Outcome, Error> {
        while let Some(stage) = self.config.stages.get(self.progress.stage).cloned() {
            let ended = self.progress.epoch >= stage.epochs || self.progress.since_best >= stage.patience;
            if ended {
                self.end_stage(&stage, hooks)?;
            } else if !self.epoch(&stage, hooks)? {
                self.save()?;
                write_curves(&self.folder.log())?;
                return Ok(Outcome::Interrupted { steps: self.progress.steps });
            }
            self.save()?;
            write_curves(&self.folder.log())?;
        }
        let Progress { epochs, steps, .. } = self.progress;
        Ok(Outcome::Finished(Finished { epochs, steps, measured: self.progress.best_measured.clone() }))
    }

    fn asked(&self, stage: &Stage) -> Asked {
        Asked { path: stage.path, contrast: stage.contrast, regime_weights: *self.data.regime_weights() }
    }

    /// The rest of an epoch; false where somebody asked to stop.
    fn epoch(&mut self, stage: &Stage, hooks: &mut Hooks<'_>) -> Result<bool, Error> {
        let steps = self.config.sampling.steps_per_epoch;
        let (mut tape, mut gradients) = (Tape::default(), Gradients::new());
        while self.progress.step < steps {
            let loss = self.step(stage, &mut tape, &mut gradients)?;
            self.progress.step += 1;
            self.progress.steps += 1;
            (hooks.event)(&Event::Step {
                stage: stage.name.clone(),
                epoch: [self.progress.epoch + 1, stage.epochs],
                step: [self.progress.step, steps],
                left: self.left(),
                loss,
            });
            if (hooks.stop)() {
                return Ok(false);
            }
            if self.progress.step.is_multiple_of(SAVE_EVERY) && self.progress.step < steps {
                self.save()?;
            }
        }
        let measured = self.diagnosis.measure(&self.network, &self.params, &self.asked(stage), &self.config);
        let loss = measured.get("losses/total").copied().unwrap_or(f64::NAN);
        if !loss.is_finite() {
            return Err(self.diverged(stage, loss as f32));
        }
        let progress = &mut self.progress;
        progress.epoch += 1;
        progress.epochs += 1;
        progress.step = 0;
        let best = progress.best.is_none_or(|best| loss < best);
        let training: Measured =
            std::mem::take(&mut progress.sums).into_iter().map(|(name, sum)| (name, sum / steps as f64)).collect();
        let line = serde_json::json!({
            "event": "epoch",
            "stage": stage.name,
            "epoch": progress.epoch,
            "step": progress.steps,
            "best": best,
            "train": training,
            "validation": measured,
        });
        self.folder.write_line(progress, &line)?;
        if best {
            progress.best = Some(loss);
            progress.best_measured = measured.clone();
            progress.since_best = 0;
            self.best = self.params.clone();
            self.write_model(stage)?;
        } else {
            progress.since_best += 1;
        }
        let epoch = self.progress.epoch;
        (hooks.event)(&Event::Epoch { stage: stage.name.clone(), epoch, measured, best });
        Ok(true)
    }

    /// One step of the optimiser; returns the loss.
    fn step(&mut self, stage: &Stage, tape: &mut Tape, gradients: &mut Gradients) -> Result<f64, Error> {
        let config = &self.config;
        let within = (self.progress.epoch * config.sampling.steps_per_epoch + self.progress.step) as u64;
        let seed = Seed::new(config.seed).child("stage", self.progress.stage as u64);
        let mut random = seeds::random(seed, "data", within);
        let days = self.data.draw(&mut random, config.sampling.dates_per_batch, config.sampling.assets_per_date);
        if days.is_empty() {
            return Err(Error::Data("no day of training has a company".to_owned()));
        }
        let batch = self.data.batch(days, config.network.metadata_fields > 0, self.branch.as_ref());
        let asked = self.asked(stage);
        let count = views_needed(&asked, &config.loss) as u64;
        let of = |name: &str, i: u64| seeds::number(seed, name, within * 2 + i);
        let views: Vec<_> = (0..count).map(|i| view(&batch, &config.views, of("view", i))).collect();
        let passes: Vec<Pass> =
            (0..count).map(|i| Pass::Training { dropout: config.network.dropout, seed: of("dropout", i) }).collect();

        tape.restart(&self.params);
        let terms = objective(tape, &self.network, &batch, &views, &passes, &asked, &config.loss);
        let loss = tape.scalar(terms.total);
        if !loss.is_finite() {
            return Err(self.diverged(stage, loss));
        }
        for (name, var) in &terms.parts {
            *self.progress.sums.entry(format!("losses/{name}")).or_default() += f64::from(tape.scalar(*var));
        }
        gradients.clear();
        tape.backward(terms.total, gradients);
        tape.clear();
        let norm = gradients.clip(config.optimiser.clip);
        let rate = schedule(config, stage).rate(within);
        *self.progress.sums.entry("charts/gradient_norm".to_owned()).or_default() += norm;
        *self.progress.sums.entry("charts/learning_rate".to_owned()).or_default() += f64::from(rate);
        self.adam.step(&mut self.params, gradients, rate);
        Ok(f64::from(loss))
    }

    /// Steps that are left if no stage ends early.
    fn left(&self) -> u64 {
        let steps = self.config.sampling.steps_per_epoch;
        let stages = self.config.stages.iter().enumerate().skip(self.progress.stage);
        let epochs: usize = stages.map(|(_, stage)| stage.epochs).sum();
        (epochs * steps).saturating_sub(self.progress.epoch * steps + self.progress.step) as u64
    }

    /// The next stage starts from this one's best weights, with a fresh optimiser and gate (SPEC C-14).
    fn end_stage(&mut self, stage: &Stage, hooks: &mut Hooks<'_>) -> Result<(), Error> {
        let best = self.progress.best.unwrap_or(f64::NAN);
        let parent = digest(&Weights::of(&self.best));
        let line = serde_json::json!({
            "event": "stage",
            "stage": stage.name,
            "epochs": self.progress.epoch,
            "best": best,
            "weights": parent,
        });
        self.folder.write_line(&mut self.progress, &line)?;
        (hooks.event)(&Event::Stage { stage: stage.name.clone(), epochs: self.progress.epoch, best });
        self.params = self.best.clone();
        self.adam = new_adam(&self.config);
        let progress = &mut self.progress;
        progress.parents.push(parent);
        progress.stage += 1;
        progress.epoch = 0;
        progress.since_best = 0;
        if progress.stage < self.config.stages.len() {
            progress.best = None;
            progress.best_measured.clear();
        }
        Ok(())
    }

    /// Writes the best weights with their manifest.
    fn write_model(&self, stage: &Stage) -> Result<(), Error> {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = Names {
            features: text(&FEATURE_NAMES),
            metadata: text(if self.config.network.metadata_fields > 0 { &METADATA_NAMES } else { &[] }),
            regimes: Regime::ALL.iter().map(|regime| format!("{regime:?}").to_lowercase()).collect(),
            normalizer: NORMALIZER.to_owned(),
        };
        let range = |part| self.data.range(part).map(|date| date.to_string());
        let record = TrainingRecord {
            phase: 1,
            stage: stage.name.clone(),
            epoch: self.progress.epochs,
            step: self.progress.steps,
            seed: self.config.seed,
            note: self.config.note.clone(),
            best_score: self.progress.best,
            train_range: range(Part::Train),
            validation_range: range(Part::Validation),
            data_hash: self.data.hash().to_owned(),
            config_hash: self.config_hash.clone(),
            config: serde_json::to_value(self.config.without_places())
                .expect("Invariant: a configuration is plain data"),
            symbols: self.data.n_seen(),
            held_out: self.data.held_out().iter().map(ToString::to_string).collect(),
            metrics: self.progress.best_measured.clone(),
            parents: self.progress.parents.clone(),
        };
        let Network { encoder, heads } = self.network.clone();
        let checkpoint = Checkpoint::new(self.best.clone(), encoder, heads, names, self.branch.as_ref(), Some(record));
        Ok(checkpoint.write(&self.folder.model())?)
    }

    fn diverged(&self, stage: &Stage, loss: f32) -> Error {
        Error::Diverged { loss, step: self.progress.steps, stage: stage.name.clone() }
    }
}

fn new_adam(config: &RunConfig) -> AdamW {
    AdamW::new(AdamWConfig { weight_decay: config.optimiser.weight_decay, ..AdamWConfig::default() })
}

/// The learning rate of each step of a stage.
fn schedule(config: &RunConfig, stage: &Stage) -> Schedule {
    let steps = (stage.epochs * config.sampling.steps_per_epoch) as u64;
    let warm_up = (steps as f64 * f64::from(config.optimiser.warm_up)).ceil() as u64;
    Schedule::WarmUpCosine { peak: config.optimiser.rate, floor: config.optimiser.floor, warm_up, steps }
}
