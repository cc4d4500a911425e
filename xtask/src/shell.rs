//! Running other programs, and saying what ran.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// `cargo` of the running toolchain.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs `cargo arguments…` at the root with its output on ours.
pub fn cargo_run(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let mut command = Command::new(cargo());
    command.args(arguments).envs(environment.iter().copied()).current_dir(workspace::root());
    // Set for the program that `cargo run` starts, which is this one: cargo-machete takes the name for a sign
    // that it is run from its own sources, and some build scripts run again when they change.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let status = command.status().with_context(|| format!("cannot start cargo {}", arguments.join(" ")))?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}

/// Runs a program at the root and returns what it wrote.
pub fn capture(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<Output> {
    let program = program.as_ref();
    Command::new(program)
        .args(arguments)
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program.to_string_lossy()))
}

/// Runs `cargo arguments…` at the root and returns what it wrote.
pub fn cargo_capture(arguments: &[&str]) -> Result<Output> {
    capture(cargo(), arguments)
}
