//! The runs of a study, each in a folder of its own: `VARIANT/seed-N` with a run's files, and with
//! `evidence.json` once it is done and measured.

use std::path::{Path, PathBuf};

use lotwise_nn::Checkpoint;

use super::super::run::{Hooks, Outcome, resume, train};
use super::super::state::{RunFolder, write_whole};
use super::super::{EncoderData, Measured, RunConfig, TemporalChoice, branch, evidence};
use super::{StudyRun, Variant};
use crate::Error;

/// Where a run of a study lies.
#[must_use]
pub fn folder(study: &Path, variant: &str, seed: u64) -> PathBuf {
    study.join(variant).join(format!("seed-{seed}"))
}

/// The settings of a variant's run with a seed.
///
/// # Errors
/// Where the frozen branch cannot be had.
pub fn with_seed(variant: &Variant, seed: u64) -> Result<RunConfig, Error> {
    let mut config = RunConfig { seed, ..variant.config.clone() };
    // Its width needs no cache, which another program may be using.
    let choice = TemporalChoice { cache: None, ..config.temporal.clone() };
    config.network.temporal_width = branch(&choice)?.width();
    Ok(config)
}

/// What a finished run was measured with; `None` where it is not done.
///
/// # Errors
/// Where the run in the folder has other settings than these, or a file does not read.
pub fn measured(folder: &Path, config: &RunConfig) -> Result<Option<Measured>, Error> {
    let run = RunFolder::new(folder);
    if !run.is_taken() {
        return Ok(None);
    }
    if run.config()?.without_places() != config.without_places() {
        let problem = "the run here has other settings than the study; name another folder".to_owned();
        return Err(Error::Resume { path: folder.to_path_buf(), problem });
    }
    let path = folder.join("evidence.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Error::Resume { path, problem: format!("it does not read: {error}") }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", &path)(error)),
    }
}

/// Trains a run, or goes on with it, and measures it when it is done; `None` where somebody asked to stop.
///
/// # Errors
/// As [`train`], [`resume`] and [`measured`].
pub fn run_one(
    folder: &Path,
    data: &EncoderData,
    config: &RunConfig,
    hooks: &mut Hooks<'_>,
) -> Result<Option<Measured>, Error> {
    if let Some(done) = measured(folder, config)? {
        return Ok(Some(done));
    }
    let run = RunFolder::new(folder);
    let weights = config.temporal.folder.as_deref();
    let outcome =
        if run.is_taken() { resume(folder, data, weights, hooks) } else { train(folder, data, config, hooks) }?;
    if matches!(outcome, Outcome::Interrupted { .. }) {
        return Ok(None);
    }
    let branch = branch(&config.temporal)?;
    let checkpoint = Checkpoint::read(&run.model())?;
    let numbers = evidence(&checkpoint, data, config, branch.as_ref()).numbers();
    let text = serde_json::to_string_pretty(&numbers).expect("Invariant: numbers are plain data");
    write_whole(&folder.join("evidence.json"), text.as_bytes())?;
    Ok(Some(numbers))
}

/// The runs of a study that are done, and what they were trained and measured on.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// In the order of variants and seeds.
    pub runs: Vec<StudyRun>,
    /// Digest of the data; empty without a run.
    pub data: String,
    /// First and last session of validation of the first run; empty without one.
    pub validation: [String; 2],
}

/// All runs of a study that are done.
///
/// # Errors
/// As [`measured`], and where two runs had different data: their difference would not be that of the variants.
pub fn done(study: &Path, variants: &[Variant], seeds: &[u64]) -> Result<Done, Error> {
    let mut done = Done { runs: Vec::new(), data: String::new(), validation: Default::default() };
    for variant in variants {
        for &seed in seeds {
            let place = folder(study, &variant.name, seed);
            let Some(measured) = measured(&place, &with_seed(variant, seed)?)? else { continue };
            let (data, validation) = RunFolder::new(&place).data()?;
            if done.runs.is_empty() {
                (done.data, done.validation) = (data, validation);
            } else if done.data != data {
                let problem = "its data are not those of the study's other runs; name another folder".to_owned();
                return Err(Error::Resume { path: place, problem });
            }
            done.runs.push(StudyRun { variant: variant.name.clone(), seed, measured });
        }
    }
    Ok(done)
}

/// Writes a file of a study whole or not at all.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::file("write", folder))?;
    }
    write_whole(path, text.as_bytes())
}
