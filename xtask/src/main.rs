//! Tasks of this house: `cargo xtask layers`, `cargo xtask ci`, and makers of generated files.

mod ci;
mod crash;
mod fixtures;
mod full_disk;
mod layers;
mod sample;
mod shared;
mod shell;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of this house")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fail on an arrow between rooms that the house does not allow
    Layers,
    /// Everything that has to hold before a change lands
    Ci {
        /// Run `cargo test --workspace` too (.ci/run has done so already)
        #[arg(long)]
        with_tests: bool,
    },
    /// Write the bundled sample
    Sample {
        /// Write nothing; fail when the committed files differ from what would be written
        #[arg(long)]
        check: bool,
    },
    /// Kill the program at random moments of import, undo, restore and migration, and look at what is left
    Crash {
        /// How often, whether the program still ran then or not
        #[arg(long, default_value_t = 200)]
        runs: u32,
        /// Go on until so many kills met a running program
        #[arg(long, conflicts_with = "runs")]
        kills: Option<u32>,
        /// Which moments
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Import into a small file system until it is full, and look at what is left
    FullDisk {
        /// An empty folder on that file system, which is filled
        folder: std::path::PathBuf,
    },
    /// The checks over the folder `../shared`, where it is there
    Shared,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Layers => layers::run(),
        Task::Ci { with_tests } => ci::run(with_tests),
        Task::Sample { check } => sample::run(check),
        Task::Crash { runs, kills, seed } => {
            crash::run(kills.map_or(crash::Until::Runs(runs), crash::Until::Kills), seed)
        }
        Task::FullDisk { folder } => full_disk::run(&folder),
        Task::Shared => shared::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
