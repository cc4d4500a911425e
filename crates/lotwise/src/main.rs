//! `lotwise`: the command line.

mod args;
mod clock;
mod commands;
mod context;
mod errors;
mod input;
mod output;
mod settings;
mod start;
mod verify;

fn main() -> std::process::ExitCode {
    start::run()
}
