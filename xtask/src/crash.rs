//! Kills the program at random moments while it writes to its ledger, and looks at what is left.
//!
//! Each run starts from a copy of a known data folder, starts one command on it, and ends the process
//! without warning after a random part of the time that the command takes. The database has to be whole, and
//! the content has to be what it was before the command or what it is after it; then the command is run again,
//! and has to come to its end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lotwise_core::Seed;
use rusqlite::Connection;

use crate::{shell, workspace};

/// Rows of the first file; the second has as many, half of them of the first.
const ROWS: u32 = 1_500;

/// One command and the folder that it starts from.
struct Scenario {
    name: &'static str,
    base: &'static str,
    arguments: &'static [&'static str],
}

const SCENARIOS: [Scenario; 6] = [
    Scenario { name: "first import", base: "empty", arguments: &["import", "first.csv"] },
    Scenario { name: "overlapping import", base: "one", arguments: &["import", "second.csv"] },
    Scenario { name: "import of two files", base: "mode", arguments: &["import", "first.csv", "second.csv"] },
    Scenario { name: "undo", base: "two", arguments: &["import", "undo", "1"] },
    Scenario { name: "migration", base: "old", arguments: &["import", "list"] },
    Scenario { name: "restore", base: "two", arguments: &["restore", "one.db"] },
];

/// What came of the runs of one scenario.
#[derive(Default)]
struct Tally {
    runs: u32,
    ended_first: u32,
    log_left: u32,
    as_before: u32,
    as_after: u32,
}

/// When the runs end.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many runs, whether the program had ended by itself before the kill or not.
    Runs(u32),
    /// After so many kills that met a running program.
    Kills(u32),
}

/// More runs for one kill than this mean that the moments are wrong.
const MOST_RUNS_FOR_A_KILL: u32 = 20;

/// The program, built.
pub fn built() -> Result<PathBuf> {
    shell::cargo_run(&["build", "--quiet", "--package", "lotwise"], &[])?;
    let binary = workspace::metadata()?.target_directory.as_std_path().join("debug").join("lotwise");
    ensure!(binary.is_file(), "there is no program at {}", binary.display());
    Ok(binary)
}

/// Kills until there were enough and fails on the first ledger that is not whole.
pub fn run(until: Until, seed: u64) -> Result<()> {
    let binary = built()?;
    let home = std::env::temp_dir().join(format!("lotwise-crash-{}", std::process::id()));
    fs::create_dir_all(&home)?;
    // A copy, so that a build that goes on meanwhile changes nothing.
    let harness = Harness { binary: home.join("lotwise"), home };
    fs::copy(binary, &harness.binary)?;
    let done = harness.run(until, seed);
    match &done {
        Ok(()) => fs::remove_dir_all(&harness.home)?,
        Err(_) => eprintln!("what was left is in {}", harness.home.display()),
    }
    done
}

struct Harness {
    binary: PathBuf,
    home: PathBuf,
}

impl Harness {
    fn run(&self, until: Until, seed: u64) -> Result<()> {
        self.make_bases()?;
        let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
        let mut expected = Vec::new();
        for scenario in &SCENARIOS {
            expected.push(self.expect(scenario)?);
        }
        let (mut runs, mut kills) = (0, 0);
        while match until {
            Until::Runs(wanted) => runs < wanted,
            Until::Kills(wanted) => kills < wanted,
        } {
            let number = runs;
            if let Until::Kills(wanted) = until {
                ensure!(
                    number < wanted.saturating_mul(MOST_RUNS_FOR_A_KILL),
                    "{number} runs met {kills} programs only"
                );
            }
            let which = number as usize % SCENARIOS.len();
            let moment = fraction(seed, u64::from(number));
            let tally = tallies.entry(which).or_default();
            self.kill_once(&SCENARIOS[which], &expected[which], moment, tally)
                .with_context(|| format!("run {number} ({}), seed {seed}", SCENARIOS[which].name))?;
            runs += 1;
            kills = tallies.values().map(|tally| tally.runs - tally.ended_first).sum();
        }
        println!(
            "{:<22}{:>6}{:>14}{:>10}{:>12}{:>11}",
            "scenario", "runs", "ended before", "log left", "as before", "as after"
        );
        for (which, tally) in &tallies {
            println!(
                "{:<22}{:>6}{:>14}{:>10}{:>12}{:>11}",
                SCENARIOS[*which].name, tally.runs, tally.ended_first, tally.log_left, tally.as_before, tally.as_after
            );
        }
        println!("crash: {runs} runs with seed {seed}, {kills} of them killed, every ledger whole, none half imported");
        Ok(())
    }

    /// The folders that scenarios start from.
    fn make_bases(&self) -> Result<()> {
        let work = self.home.join("work");
        fs::create_dir_all(&work)?;
        fs::write(work.join("first.csv"), history(0..ROWS))?;
        fs::write(work.join("second.csv"), history(ROWS / 2..ROWS + ROWS / 2))?;
        fs::create_dir_all(self.base("empty"))?;
        self.copy_base("empty", "mode")?;
        self.good("mode", &["import", "first.csv"])?;
        self.good("mode", &["import", "undo", "1"])?;
        self.copy_base("empty", "one")?;
        self.good("one", &["import", "first.csv"])?;
        self.good("one", &["backup", "one.db", "--yes"])?;
        self.copy_base("one", "two")?;
        self.good("two", &["import", "second.csv"])?;
        self.copy_base("two", "old")?;
        // As the program before the last step would have left it.
        let old = Connection::open(self.base("old").join("ledger.db"))?;
        old.execute_batch(
            "DROP TABLE derived; DROP TABLE derived_lot; DROP INDEX entry_by_symbol;
             DELETE FROM migration WHERE number = 2; PRAGMA user_version = 1;",
        )?;
        Ok(())
    }

    fn base(&self, name: &str) -> PathBuf {
        self.home.join("bases").join(name)
    }

    fn copy_base(&self, from: &str, to: &str) -> Result<()> {
        copy_folder(&self.base(from), &self.base(to))
    }

    fn good(&self, base: &str, arguments: &[&str]) -> Result<Output> {
        let ran = self.command(&self.base(base), arguments).output()?;
        ensure!(ran.status.success(), "{arguments:?} failed: {}", String::from_utf8_lossy(&ran.stderr));
        Ok(ran)
    }

    fn command(&self, data: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("LOTWISE_DATA_DIR", data)
            .env("LOTWISE_MODE", "ledger")
            .current_dir(self.home.join("work"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// The content of a ledger; nothing where there is none yet, or it has no more than its mode.
    fn content(&self, data: &Path) -> Result<String> {
        if !data.join("ledger.db").exists() {
            return Ok(String::new());
        }
        let ran = self.command(data, &["doctor", "--dump"]).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
        ensure!(ran.status.success(), "the content cannot be read: {}", String::from_utf8_lossy(&ran.stderr));
        let text = String::from_utf8(ran.stdout)?;
        Ok(text.lines().filter(|line| !line.starts_with("{\"setting\"")).collect::<Vec<_>>().join("\n"))
    }

    /// What a scenario starts from, what it comes to, and how long that takes.
    fn expect(&self, scenario: &Scenario) -> Result<Expected> {
        let data = self.home.join("expected");
        copy_folder(&self.base(scenario.base), &data)?;
        let before = match scenario.base {
            // Reading the content would bring it up to date.
            "old" => self.content(&self.base("two"))?,
            _ => self.content(&data)?,
        };
        let start = now();
        let status = self.command(&data, scenario.arguments).status()?;
        let takes = start.elapsed();
        ensure!(status.success(), "{} does not work at all", scenario.name);
        let after = self.content(&data)?;
        ensure!(scenario.name == "migration" || before != after, "{} changes nothing", scenario.name);
        Ok(Expected { before, after, takes })
    }

    fn kill_once(&self, scenario: &Scenario, expected: &Expected, moment: f64, tally: &mut Tally) -> Result<()> {
        let data = self.home.join("run");
        copy_folder(&self.base(scenario.base), &data)?;
        let mut child = self.command(&data, scenario.arguments).spawn()?;
        std::thread::sleep(expected.takes.mul_f64(moment * 1.1));
        child.kill()?;
        // A program that ended by itself has an exit code, also where it did so in the last moment.
        tally.ended_first += u32::from(child.wait()?.code().is_some());
        tally.runs += 1;
        tally.log_left += u32::from(fs::metadata(data.join("ledger.db-wal")).is_ok_and(|found| found.len() > 0));
        // Looked at in a copy, since looking recovers.
        let copy = self.home.join("looked-at");
        copy_folder(&data, &copy)?;
        whole(&copy.join("ledger.db"))?;
        let content = self.content(&data)?;
        if content == expected.after {
            tally.as_after += 1;
        } else if content == expected.before {
            tally.as_before += 1;
        } else {
            bail!("the content is neither what it was nor what it should become");
        }
        if content != expected.after || scenario.name == "migration" {
            let again = self.command(&data, scenario.arguments).stderr(Stdio::piped()).output()?;
            ensure!(
                again.status.success(),
                "the command cannot be run again: {}",
                String::from_utf8_lossy(&again.stderr)
            );
            ensure!(self.content(&data)? == expected.after, "run again, the command comes to something else");
        }
        let checked = self.command(&data, &["doctor", "--json"]).stdout(Stdio::piped()).output()?;
        ensure!(checked.status.success(), "doctor finds: {}", String::from_utf8_lossy(&checked.stdout));
        Ok(())
    }
}

struct Expected {
    before: String,
    after: String,
    takes: Duration,
}

/// A deterministic fraction of one for a run.
fn fraction(seed: u64, number: u64) -> f64 {
    use rand_chacha::rand_core::Rng;
    let mut stream = Seed::new(seed).stream("crash", number);
    f64::from(stream.next_u32()) / f64::from(u32::MAX)
}

/// Purchases and sales of three symbols, one row a day; the same rows for the same numbers.
pub fn history(rows: std::ops::Range<u32>) -> String {
    let mut text = "date,action,symbol,shares,price,amount,fees,account,description\n".to_owned();
    for row in rows {
        let (year, month, day) = (2015 + row / 336, row / 28 % 12 + 1, row % 28 + 1);
        let symbol = ["ALFA", "BETA", "GAMA"][row as usize % 3];
        let date = format!("{year}-{month:02}-{day:02}");
        text += &match row % 5 {
            4 => format!("{date},sell,{symbol},1,{},{}.00,0,T,row {row}\n", 50 + row % 9, 50 + row % 9),
            _ => format!("{date},buy,{symbol},2,{},-{}.00,0,T,row {row}\n", 40 + row % 7, 2 * (40 + row % 7)),
        };
    }
    text
}

/// Checks pages, indexes and references of a database, if there is one.
pub fn whole(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let database = Connection::open(path)?;
    let found: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(found == "ok", "the check of pages and indexes finds: {found}");
    let mut look = database.prepare("PRAGMA foreign_key_check")?;
    ensure!(look.query([])?.next()?.is_none(), "a row refers to nothing");
    Ok(())
}

/// Replaces a folder by a copy of the files of another.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    #[cfg(unix)]
    fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "measures how long a command takes, to choose moments within it")]
fn now() -> Instant {
    Instant::now()
}
