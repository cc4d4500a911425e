//! What a run leaves in its folder, and how it is taken up again.
//!
//! | file | what |
//! |---|---|
//! | `config.json` | the resolved configuration |
//! | `data.json` | digest, dates and symbols of the data |
//! | `log.ndjson` | one line for each epoch and each stage |
//! | `log.parquet`, `events.out.tfevents.lotwise` | the same numbers for other programs |
//! | `state.safetensors` | everything that going on needs: weights, the best ones, the optimiser's moments, counters |
//! | `encoder.safetensors` | the best weights of the present stage, ready for use, with their manifest |

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use lotwise_tensor::{AdamW, Params, Weights};
use serde::{Deserialize, Serialize};

use super::diagnostics::Measured;
use super::{EncoderData, Part, RunConfig};
use crate::Error;

/// A folder in which a run lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// Place of the stage in the configuration.
    pub stage: usize,
    /// Epochs finished in this stage.
    pub epoch: usize,
    /// Steps done in the epoch that is under way.
    pub step: usize,
    /// Epochs finished in all stages.
    pub epochs: usize,
    /// Steps done in all stages.
    pub steps: u64,
    /// Smallest validation loss of this stage.
    pub best: Option<f64>,
    /// What else was measured then.
    pub best_measured: Measured,
    /// Epochs since then.
    pub since_best: usize,
    /// Sums of training losses over the epoch that is under way.
    pub sums: BTreeMap<String, f64>,
    /// Length of the log that belongs to this state.
    pub log_bytes: u64,
    /// Digests of the weights that the stages before ended with.
    pub parents: Vec<String>,
}

const NOW: &str = "now.";
const BEST: &str = "best.";
const PROGRESS: &str = "progress";
const CONFIG: &str = "config_hash";
const DATA: &str = "data_hash";

impl RunFolder {
    /// A folder that may not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model lies.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.path.join("encoder.safetensors")
    }

    /// Where the log lies.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log.ndjson")
    }

    fn state(&self) -> PathBuf {
        self.path.join("state.safetensors")
    }

    /// Whether a run lives here.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.state().exists() || self.path.join("config.json").exists()
    }

    /// The configuration of the run that lives here.
    ///
    /// # Errors
    /// Where there is none, or it does not read.
    pub fn config(&self) -> Result<RunConfig, Error> {
        let path = self.path.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        serde_json::from_str(&text).map_err(|error| self.refuse(format!("config.json does not read: {error}")))
    }

    /// What the run's data were: their digest, and first and last session of validation.
    ///
    /// # Errors
    /// Where there is no run, or its file does not read.
    pub fn data(&self) -> Result<(String, [String; 2]), Error> {
        #[derive(Deserialize)]
        struct Facts {
            hash: String,
            validation: [String; 2],
        }
        let path = self.path.join("data.json");
        let text = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let facts: Facts =
            serde_json::from_str(&text).map_err(|error| self.refuse(format!("data.json does not read: {error}")))?;
        Ok((facts.hash, facts.validation))
    }

    /// Keeps other programs from training the same run for as long as what is returned lives.
    pub(super) fn hold(&self) -> Result<std::fs::File, Error> {
        let path = self.path.join("config.json");
        let file = std::fs::File::open(&path).map_err(Error::file("read", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(self.refuse("another program is training this run")),
            Err(std::fs::TryLockError::Error(error)) => Err(Error::file("read", &path)(error)),
        }
    }

    fn refuse(&self, problem: impl Into<String>) -> Error {
        Error::Resume { path: self.path.clone(), problem: problem.into() }
    }

    /// Writes what a run begins with.
    pub(super) fn begin(&self, config: &RunConfig, data: &EncoderData) -> Result<(), Error> {
        std::fs::create_dir_all(&self.path).map_err(Error::file("write", &self.path))?;
        let pretty = |value: &serde_json::Value| format!("{value:#}\n").into_bytes();
        let resolved = serde_json::to_value(config).expect("Invariant: a configuration is plain data");
        let range = |part| data.range(part).map(|date| date.to_string());
        let facts = serde_json::json!({
            "hash": data.hash(),
            "train": range(Part::Train),
            "validation": range(Part::Validation),
            "symbols": data.n_seen(),
            "held_out": data.held_out().iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        write_whole(&self.path.join("data.json"), &pretty(&facts))?;
        write_whole(&self.log(), b"")?;
        write_whole(&self.path.join("config.json"), &pretty(&resolved))
    }

    /// Adds a line to the log and counts it.
    pub(super) fn write_line(&self, progress: &mut Progress, line: &serde_json::Value) -> Result<(), Error> {
        let path = self.log();
        let text = format!("{line}\n");
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).map_err(Error::file("write", &path))?;
        file.write_all(text.as_bytes()).map_err(Error::file("write", &path))?;
        progress.log_bytes += text.len() as u64;
        Ok(())
    }

    /// Keeps everything that going on needs, whole or not at all.
    pub(super) fn save(
        &self,
        progress: &Progress,
        [now, best]: [&Params; 2],
        adam: &AdamW,
        [config, data]: [&str; 2],
    ) -> Result<(), Error> {
        let mut all = adam.state(now);
        for (prefix, params) in [(NOW, now), (BEST, best)] {
            for (name, tensor) in Weights::of(params).tensors {
                all.tensors.insert(format!("{prefix}{name}"), tensor);
            }
        }
        let text = serde_json::to_string(progress).expect("Invariant: progress is plain data");
        for (key, value) in [(PROGRESS, text.as_str()), (CONFIG, config), (DATA, data)] {
            all.header.insert(key.to_owned(), value.to_owned());
        }
        Ok(all.write(&self.state())?)
    }

    /// Takes up what [`Self::save`] kept, and cuts the log back to it.
    pub(super) fn load(
        &self,
        [now, best]: [&mut Params; 2],
        adam: &mut AdamW,
        [config, data]: [&str; 2],
    ) -> Result<Progress, Error> {
        let all = Weights::read(&self.state())?;
        let entry = |key: &str| all.header.get(key).ok_or_else(|| self.refuse(format!("the state lacks {key}")));
        if entry(CONFIG)? != config {
            return Err(self.refuse("config.json is not the configuration that the state was written with"));
        }
        if entry(DATA)? != data {
            return Err(self.refuse("the data are not those that the run began with"));
        }
        let progress: Progress = serde_json::from_str(entry(PROGRESS)?)
            .map_err(|error| self.refuse(format!("the state does not read: {error}")))?;
        for (prefix, params) in [(NOW, &mut *now), (BEST, best)] {
            let mut part = Weights::default();
            for (name, tensor) in &all.tensors {
                if let Some(name) = name.strip_prefix(prefix) {
                    part.tensors.insert(name.to_owned(), tensor.clone());
                }
            }
            part.load_into(params).complete()?;
        }
        adam.restore(now, &all)?;
        let path = self.log();
        let log = std::fs::OpenOptions::new().write(true).open(&path).map_err(Error::file("read", &path))?;
        if log.metadata().map_err(Error::file("read", &path))?.len() < progress.log_bytes {
            return Err(self.refuse("log.ndjson is shorter than it was"));
        }
        log.set_len(progress.log_bytes).map_err(Error::file("write", &path))?;
        Ok(progress)
    }
}

/// Writes a file beside its place first, then renames it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
    written.map_err(|source| {
        // The first fault is the one to tell.
        let _ = std::fs::remove_file(&partial);
        Error::file("write", path)(source)
    })
}
