//! A run from the first step to the finished network: what is lost, measured and left behind.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use lotwise_core::Seed;
use lotwise_nn::chronos::{Architecture, Bolt, Chronos, ChronosConfig, Patches, ResidualBlock, pool};
use lotwise_tensor::{AdamW, AdamWConfig, Array, Gradients, Params, Schedule, Tape, Var, Weights};
use serde::Serialize;
use serde_json::json;

use super::batch::random;
use super::measures::{spread, walk};
use super::{Batch, KernelSynthConfig, Pool};
use crate::Error;

/// Series that are measured on and not trained on come from so many compositions of kernels, in so many
/// batches.
const VALIDATION_KERNELS: usize = 256;
const VALIDATION_BATCHES: u64 = 8;
const STATE: &str = "state.safetensors";
const LOG: &str = "log.ndjson";
const SETTINGS: &str = "run.json";
const STEP: &str = "kernelsynth.step";
const RUN: &str = "kernelsynth.run";

/// What a run tells while it goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Series are being drawn.
    Drawing {
        /// How many.
        series: usize,
    },
    /// A step is done.
    Step {
        /// Its number, from 1.
        step: u64,
        /// Of so many.
        steps: u64,
        /// Its quantile loss.
        loss: f32,
        /// The norm of its gradients before they were shortened.
        gradient_norm: f64,
        /// Its learning rate.
        rate: f32,
    },
    /// The network was measured on series that it is not trained on.
    Validation {
        /// After so many steps.
        step: u64,
        /// What was found.
        measures: Measures,
    },
}

/// How good the network is on series that it is not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measures {
    /// Twice the pinball loss, averaged over quantiles and days, in deviations of the context.
    pub loss: f32,
    /// The same of a walk from the last number with the context's own steps, the plain rival.
    pub walk_loss: f32,
    /// The mean cosine between the pooled outputs of different windows.
    pub mean_cosine: f32,
    /// The effective rank of the pooled outputs: the exponential of the entropy of the shares of variance.
    pub effective_rank: f32,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The network lies in the folder.
    Finished(Measures),
    /// Stopped after this many steps; `--resume` goes on.
    Stopped(u64),
}

/// A run in its folder.
pub struct Run {
    config: KernelSynthConfig,
    network: ChronosConfig,
    folder: PathBuf,
    params: Params,
    bolt: Bolt,
    head: ResidualBlock,
    adam: AdamW,
    done: u64,
}

impl Run {
    /// Starts in a folder.
    ///
    /// # Errors
    /// Where a setting cannot be, or the folder cannot be written or holds a run already.
    pub fn start(config: KernelSynthConfig, folder: &Path) -> Result<Self, Error> {
        let run = Self::new(config, folder)?;
        if run.folder.join(SETTINGS).exists() {
            return Err(run.cannot("it holds a run already; resume it, or choose another folder"));
        }
        fs::create_dir_all(&run.folder).map_err(Error::file("make", &run.folder))?;
        let text = serde_json::to_string_pretty(&run.config).expect("Invariant: settings are JSON");
        run.write(SETTINGS, &(text + "\n"))?;
        run.write(LOG, "")?;
        Ok(run)
    }

    /// Goes on with the run in a folder, by the settings that lie there; from the start where it was stopped
    /// before its first checkpoint.
    ///
    /// # Errors
    /// Where the folder holds no run, or one whose settings or state do not read.
    pub fn resume(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(SETTINGS);
        let cannot = |problem: String| Error::Resume { path: folder.to_owned(), problem };
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let config = serde_json::from_str(&text).map_err(|error| cannot(format!("run.json does not read: {error}")))?;
        let mut run = Self::new(config, folder)?;
        let state = run.folder.join(STATE);
        if state.exists() {
            run.restore(&Weights::read(&state)?)?;
        } else {
            run.write(LOG, "")?;
        }
        Ok(run)
    }

    fn new(config: KernelSynthConfig, folder: &Path) -> Result<Self, Error> {
        let input = config.check()?;
        let network = config.network(input);
        let mut params = Params::new();
        let mut draw = random(Seed::new(config.seed), "weights", 0);
        let Architecture::Bolt(patches) = &network.architecture else {
            return Err(Error::Config { setting: "input".to_owned(), problem: "not one of patches".to_owned() });
        };
        let bolt = Bolt::init(patches, network.stack, &mut params, &mut draw);
        let outputs = config.quantiles.len() * config.horizon;
        let sizes = [config.dim, config.hidden, outputs];
        let head = ResidualBlock::init(&mut params, "head", sizes, network.stack.activation, &mut draw);
        let rules = AdamWConfig { weight_decay: config.weight_decay, ..AdamWConfig::default() };
        let adam = AdamW::new(rules);
        Ok(Self { config, network, folder: folder.to_owned(), params, bolt, head, adam, done: 0 })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &KernelSynthConfig {
        &self.config
    }

    /// Steps done so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// How many numbers the shipped part of the network holds.
    #[must_use]
    pub fn size(&self) -> usize {
        Chronos::publish(&self.network, &self.params).tensors.values().map(|tensor| tensor.data().len()).sum()
    }

    /// Trains to the end, or until `stop` says so: then the state is saved and the run can go on later.
    ///
    /// # Errors
    /// Where the loss is no number any more, or the folder cannot be written.
    pub fn train(&mut self, stop: &dyn Fn() -> bool, tell: &mut dyn FnMut(&Event)) -> Result<Outcome, Error> {
        let seed = Seed::new(self.config.seed);
        let KernelSynthConfig { kernels, samples, length, steps, .. } = self.config;
        tell(&Event::Drawing { series: kernels * samples });
        let series = Pool::draw(seed.child("train", 0), kernels, samples, length);
        let validation = self.validation(seed.child("validation", 0));
        let schedule = Schedule::WarmUpCosine {
            peak: self.config.rate,
            floor: 0.01 * self.config.rate,
            warm_up: self.config.warm_up,
            steps,
        };
        let mut tape = Tape::new(&self.params);
        let mut gradients = Gradients::new();
        let mut last = None;
        while self.done < steps {
            if stop() {
                self.save()?;
                return Ok(Outcome::Stopped(self.done));
            }
            let batch = series.batch(&self.config, seed.child("train", 0), self.done);
            tape.restart(&self.params);
            let loss = self.loss(&mut tape, &batch).0;
            let value = tape.scalar(loss);
            if !value.is_finite() {
                return Err(Error::Diverged { loss: value, step: self.done, stage: "kernelsynth".to_owned() });
            }
            gradients.clear();
            tape.backward(loss, &mut gradients);
            tape.clear();
            let gradient_norm = gradients.clip(self.config.clip);
            let rate = schedule.rate(self.done);
            self.adam.step(&mut self.params, &gradients, rate);
            self.done += 1;
            self.log(&Event::Step { step: self.done, steps, loss: value, gradient_norm, rate }, tell)?;
            if self.done.is_multiple_of(self.config.validate_every) || self.done == steps {
                let measures = self.measure(&validation);
                self.log(&Event::Validation { step: self.done, measures }, tell)?;
                last = Some(measures);
            }
            if self.done.is_multiple_of(self.config.checkpoint_every) || self.done == steps {
                self.save()?;
            }
        }
        let measures = last.unwrap_or_else(|| self.measure(&validation));
        self.write("config.json", &self.network.to_json())?;
        let mut weights = Chronos::publish(&self.network, &self.params);
        weights.header.insert("format".to_owned(), "pt".to_owned());
        weights.write(&self.folder.join("model.safetensors"))?;
        Ok(Outcome::Finished(measures))
    }

    /// Twice the pinball loss over quantiles and days; also the pooled outputs.
    fn loss(&self, tape: &mut Tape, batch: &Batch) -> (Var, Var) {
        let patches = self.bolt.cut(&batch.contexts);
        let (states, keep) = self.bolt.forward(tape, &patches);
        let pooled = pool(tape, states, &keep);
        let forecast = self.head.forward(tape, pooled);
        let loss = self.pinball(tape, forecast, batch, &patches);
        (loss, pooled)
    }

    /// `forecast`: `[B, quantiles * horizon]`, in deviations of the context.
    fn pinball(&self, tape: &mut Tape, forecast: Var, batch: &Batch, patches: &Patches) -> Var {
        let (count, levels) = (batch.contexts.shape()[0], self.config.quantiles.len());
        let forecast = tape.reshape(forecast, [count, levels, self.config.horizon]);
        let targets = batch.standardised(&patches.scales).reshaped([count, 1, self.config.horizon]);
        let targets = tape.constant(targets);
        let error = tape.sub(targets, forecast);
        let level = |shift: f64| Array::from_fn([levels, 1], |i| (self.config.quantiles[i] - shift) as f32);
        let (above, below) = (tape.constant(level(0.0)), tape.constant(level(1.0)));
        let (above, below) = (tape.mul(error, above), tape.mul(error, below));
        let pinball = tape.max(above, below);
        let mean = tape.mean_all(pinball);
        tape.scale(mean, 2.0)
    }

    fn validation(&self, seed: Seed) -> Vec<Batch> {
        let series = Pool::draw(seed, VALIDATION_KERNELS.min(self.config.kernels), 1, self.config.length);
        (0..VALIDATION_BATCHES).map(|i| series.batch(&self.config, seed, i)).collect()
    }

    fn measure(&self, validation: &[Batch]) -> Measures {
        let (mut loss, mut walk_loss, mut outputs) = (0.0, 0.0, Vec::new());
        for batch in validation {
            let mut tape = Tape::inference(&self.params);
            let (of_network, pooled) = self.loss(&mut tape, batch);
            loss += tape.scalar(of_network) / validation.len() as f32;
            outputs.extend_from_slice(tape.value(pooled).data());
            let patches = self.bolt.cut(&batch.contexts);
            let forecast = tape.constant(walk(batch, &patches, &self.config.quantiles));
            let of_walk = self.pinball(&mut tape, forecast, batch, &patches);
            walk_loss += tape.scalar(of_walk) / validation.len() as f32;
        }
        let [mean_cosine, effective_rank] = spread(&outputs, self.config.dim);
        Measures { loss, walk_loss, mean_cosine, effective_rank }
    }

    fn log(&self, event: &Event, tell: &mut dyn FnMut(&Event)) -> Result<(), Error> {
        tell(event);
        let path = self.folder.join(LOG);
        let line = serde_json::to_string(event).expect("Invariant: events are JSON") + "\n";
        let file = fs::OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(Error::file("write", &path))
    }

    /// The state after the present step, whole or not at all.
    fn save(&self) -> Result<(), Error> {
        let mut state = self.adam.state(&self.params);
        state.tensors.extend(Weights::of(&self.params).tensors);
        state.header.insert(STEP.to_owned(), self.done.to_string());
        state.header.insert(RUN.to_owned(), self.identity());
        Ok(state.write(&self.folder.join(STATE))?)
    }

    /// The settings that a resumed run must share: how often it measures and saves changes no weight.
    fn identity(&self) -> String {
        let mut settings = serde_json::to_value(&self.config).expect("Invariant: settings are JSON");
        for free in ["validate_every", "checkpoint_every"] {
            settings[free] = json!(null);
        }
        settings.to_string()
    }

    fn restore(&mut self, state: &Weights) -> Result<(), Error> {
        if state.header.get(RUN) != Some(&self.identity()) {
            return Err(self.cannot("its state was made with other settings than its run.json says"));
        }
        let step = state.header.get(STEP).and_then(|step| step.parse().ok());
        let step: u64 = step.ok_or_else(|| self.cannot("its state does not say how many steps are done"))?;
        let report = state.load_into(&mut self.params);
        if !report.missing.is_empty() || !report.reshaped.is_empty() {
            return Err(self.cannot("its state lacks parameters of this network"));
        }
        self.adam.restore(&self.params, state)?;
        self.done = step;
        // What was told after the state was saved will be told again.
        let path = self.folder.join(LOG);
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let before = |line: &&str| {
            let line: Option<serde_json::Value> = serde_json::from_str(line).ok();
            line.and_then(|line| line["step"].as_u64()).is_some_and(|at| at <= step)
        };
        let kept: String = text.lines().filter(before).flat_map(|line| [line, "\n"]).collect();
        self.write(LOG, &kept)
    }

    fn cannot(&self, problem: &str) -> Error {
        Error::Resume { path: self.folder.clone(), problem: problem.to_owned() }
    }

    /// Writes a text whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let (partial, path) = (self.folder.join(format!("{name}.partial")), self.folder.join(name));
        fs::write(&partial, text).and_then(|()| fs::rename(&partial, &path)).map_err(Error::file("write", &path))
    }
}
