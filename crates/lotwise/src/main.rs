//! `lotwise`: the command line.

mod advice;
mod answers;
mod args;
mod clock;
mod commands;
mod context;
mod errors;
mod input;
mod market;
mod output;
mod settings;
mod start;
mod store;
mod trials;
mod verify;

fn main() -> std::process::ExitCode {
    start::run()
}
