//! The trial ledger: every backtest, evaluation and training run writes down that it happened, so that the
//! deflated Sharpe ratio knows how often one has looked (SPEC V-06).
//!
//! One JSON object a line. Each carries the digest of the line before and of itself, and a file
//! beside the ledger holds the number of lines and the last digest, so that a line that was
//! changed, removed or cut off at the end is noticed.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::errors::{CliError, Exit, Place};
use crate::settings::Settings;
use crate::store::{DataFolder, digest};

/// Name of the file in the data folder.
const NAME: &str = "trials.ndjson";
/// What stands in the place of a digest before the first line.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One look at data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// UTC, from the clock.
    pub time: String,
    /// `backtest`, `evaluate` or `train encoder`.
    pub command: String,
    /// The strategy.
    pub strategy: String,
    /// Digest of everything that was chosen.
    pub config: String,
    /// Digest of the data: the price files, and for `cap-weight` the tables of market values.
    pub data: String,
    /// First decision.
    pub from: String,
    /// Last session.
    pub to: String,
    /// Sharpe ratio per session before taxes; none for fewer than 60 sessions.
    pub sharpe: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    number: usize,
    trial: Trial,
    previous: String,
    digest: String,
}

/// The ledger as it stands.
pub struct Trials {
    path: PathBuf,
    lines: Vec<Line>,
}

/// What the deflated Sharpe ratio needs.
pub struct Tried {
    /// Sharpe ratio per session of every configuration that has one.
    pub sharpes: Vec<f64>,
    /// Configurations tried.
    pub configurations: usize,
    /// Runs, repetitions included.
    pub runs: usize,
}

impl Trials {
    /// The ledger named, or that of the data folder, checked.
    ///
    /// # Errors
    /// As [`Trials::open`], and when there is no data folder.
    pub fn of(named: Option<&Path>, settings: &Settings) -> Result<Self, CliError> {
        match named {
            Some(path) => Self::open(path.to_path_buf()),
            None => {
                let folder = DataFolder::of(settings)?;
                folder.create()?;
                Self::open(folder.path().join(NAME))
            }
        }
    }

    /// Opens a ledger and checks it.
    ///
    /// # Errors
    /// When it cannot be read, or lines were changed or are missing.
    pub fn open(path: PathBuf) -> Result<Self, CliError> {
        // While another program adds a line, ledger and head do not agree. Without a lock file nobody ever has.
        let lock = beside(&path, ".lock");
        let held = match File::open(&lock) {
            Ok(file) => file.lock_shared().map(|()| Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let _held = held.map_err(|error| system(&lock, &error))?;
        Self::read(path)
    }

    fn read(path: PathBuf) -> Result<Self, CliError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(system(&path, &error)),
        };
        let mut lines: Vec<Line> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let previous = lines.last().map_or(BEGINNING, |line| line.digest.as_str());
            let parsed = serde_json::from_str::<Line>(line).ok();
            let sound =
                parsed.filter(|line| line.number == at + 1 && line.previous == previous && line.digest == seal(line));
            lines.push(sound.ok_or_else(|| broken(&path, Some(at + 1)))?);
        }
        let trials = Self { path, lines };
        let expected = match fs::read_to_string(trials.head()) {
            Ok(head) => head,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && trials.lines.is_empty() => return Ok(trials),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(system(&trials.head(), &error)),
        };
        if expected.trim() == trials.head_text() { Ok(trials) } else { Err(broken(&trials.path, None)) }
    }

    /// Adds a trial and writes it to the disk before anything is shown of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, trial: Trial) -> Result<(), CliError> {
        // Runs that go on side by side write one ledger: what another added meanwhile comes first.
        let lock = beside(&self.path, ".lock");
        let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _held = held.map_err(|error| system(&lock, &error))?;
        self.lines = Self::read(self.path.clone())?.lines;
        let previous = self.lines.last().map_or(BEGINNING, |line| line.digest.as_str()).to_owned();
        let mut line = Line { number: self.lines.len() + 1, trial, previous, digest: String::new() };
        line.digest = seal(&line);
        let text = serde_json::to_string(&line).expect("Invariant: a trial is JSON");
        let append = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()
        };
        append().map_err(|error| system(&self.path, &error))?;
        self.lines.push(line);
        let write = |path: &Path| -> std::io::Result<()> {
            let mut file = File::create(path)?;
            file.write_all(format!("{}\n", self.head_text()).as_bytes())?;
            file.sync_all()
        };
        write(&self.head()).map_err(|error| system(&self.path, &error))
    }

    /// Everything tried so far on any data: who looks at other data still chooses.
    #[must_use]
    pub fn tried(&self) -> Tried {
        let latest: std::collections::BTreeMap<&str, Option<f64>> =
            self.lines.iter().map(|line| (line.trial.config.as_str(), line.trial.sharpe)).collect();
        Tried {
            sharpes: latest.values().copied().flatten().collect(),
            configurations: latest.len(),
            runs: self.lines.len(),
        }
    }

    fn head(&self) -> PathBuf {
        beside(&self.path, ".head")
    }

    fn head_text(&self) -> String {
        let last = self.lines.last().map_or(BEGINNING, |line| line.digest.as_str());
        format!("{} {last}", self.lines.len())
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn seal(line: &Line) -> String {
    let trial = serde_json::to_string(&line.trial).expect("Invariant: a trial is JSON");
    digest(format!("{}\n{}\n{trial}", line.number, line.previous).as_bytes())
}

fn broken(path: &Path, line: Option<usize>) -> CliError {
    let place =
        Place { line: line.and_then(|line| u32::try_from(line).ok()), ..Place::file(path.display().to_string()) };
    let message = match line {
        Some(_) => "the trial ledger was changed here, or a line before this one is missing",
        None => "lines at the end of the trial ledger are missing",
    };
    CliError::new("broken-ledger", Exit::CheckFailed, message).at(place).help(
        "a count of trials that can be changed is worth nothing; begin a new ledger with --trials FILE and say so",
    )
}

fn system(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new("trial-ledger", Exit::Failed, format!("the trial ledger cannot be used: {error}"))
        .at(Place::file(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(config: &str, sharpe: Option<f64>) -> Trial {
        let text = |text: &str| text.to_owned();
        Trial {
            time: text("2024-07-01T00:00:00Z"),
            command: text("backtest"),
            strategy: text("hrp"),
            config: text(config),
            data: text("d"),
            from: text("2020-01-02"),
            to: text("2021-12-31"),
            sharpe,
        }
    }

    #[test]
    fn ledgers_that_are_written_side_by_side_stay_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.ndjson");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for at in 0..8 {
                        let config = format!("{writer}-{at}");
                        Trials::open(path.clone()).unwrap().add(trial(&config, None)).unwrap();
                    }
                });
            }
        });
        assert_eq!(Trials::open(path).unwrap().tried().configurations, 32);
    }

    #[test]
    fn a_line_that_is_changed_removed_or_cut_off_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.ndjson");
        let open = || Trials::open(path.clone());
        for (config, sharpe) in [("a", Some(0.1)), ("b", None), ("a", Some(0.2)), ("c", Some(-0.05))] {
            open().unwrap().add(trial(config, sharpe)).unwrap();
        }
        let tried = open().unwrap().tried();
        assert_eq!((tried.configurations, tried.runs, tried.sharpes), (3, 4, vec![0.2, -0.05]));
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let without = |skipped: usize| -> String {
            lines.iter().enumerate().filter(|(at, _)| *at != skipped).map(|(_, line)| format!("{line}\n")).collect()
        };
        for changed in [without(0), without(1), without(3), text.replacen("0.1", "0.9", 1), String::new()] {
            fs::write(&path, &changed).unwrap();
            assert!(open().is_err(), "{changed}");
        }
        fs::write(&path, &text).unwrap();
        assert!(open().is_ok());
    }
}
