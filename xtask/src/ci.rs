//! What has to hold before a change lands.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::{layers, sample, shared, shell, workspace};

/// A named check.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 9] = [
    ("format", || shell::cargo_run(&["fmt", "--all", "--check"], &[])),
    ("layers", layers::run),
    ("lints", || shell::cargo_run(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])),
    ("documentation", || {
        shell::cargo_run(&["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")])
    }),
    ("licences, bans and sources", || {
        shell::cargo_run(&["deny", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"], &[])
    }),
    ("advisories", advisories),
    ("unused dependencies", unused),
    ("bundled sample", || sample::run(true)),
    ("shared data", shared::run),
];

/// Runs every step, also after one has failed, and says at the end which failed.
pub fn run(with_tests: bool) -> Result<()> {
    let mut failed = Vec::new();
    if with_tests {
        step("tests", || shell::cargo_run(&["test", "--workspace"], &[]), &mut failed);
    }
    for (name, check) in STEPS {
        step(name, check, &mut failed);
    }
    if !failed.is_empty() {
        bail!("these steps failed: {}", failed.join(", "));
    }
    println!("== all steps passed");
    Ok(())
}

fn step(name: &'static str, check: impl FnOnce() -> Result<()>, failed: &mut Vec<&'static str>) {
    println!("== {name}");
    let start = now();
    let outcome = check();
    let seconds = start.elapsed().as_secs();
    match outcome {
        Ok(()) => println!("== {name}: passed in {seconds} s"),
        Err(error) => {
            println!("== {name}: FAILED in {seconds} s: {error:#}");
            failed.push(name);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tells a person how long a step took; nothing depends on it")]
fn now() -> Instant {
    Instant::now()
}

/// Known vulnerabilities, as far as their database can be reached.
fn advisories() -> Result<()> {
    let fetched = shell::cargo_capture(&["deny", "fetch", "db"])?;
    if !fetched.status.success() {
        println!("advisories: the database cannot be reached from here, so known vulnerabilities were not checked");
        return Ok(());
    }
    shell::cargo_run(&["deny", "check", "advisories"], &[])
}

/// Dependencies that a manifest names and no source uses; and workspace entries that no member uses.
fn unused() -> Result<()> {
    shell::cargo_run(&["machete"], &[])?;
    let text = std::fs::read_to_string(workspace::root().join("Cargo.toml"))?;
    let manifest: toml::Table = text.parse()?;
    let declared = manifest["workspace"]["dependencies"].as_table().cloned().unwrap_or_default();
    let metadata = workspace::metadata()?;
    let used: Vec<&str> = metadata
        .workspace_packages()
        .into_iter()
        .flat_map(|package| package.dependencies.iter().map(|dependency| dependency.name.as_str()))
        .collect();
    let idle: Vec<&str> = declared.keys().map(String::as_str).filter(|name| !used.contains(name)).collect();
    if !idle.is_empty() {
        bail!("no member uses these entries of [workspace.dependencies]: {}", idle.join(", "));
    }
    Ok(())
}
