//! `doctor`: is the ledger whole, private and up to date?

use serde_json::{Value, json};

use super::require;
use crate::args::DoctorArgs;
use crate::commands::Outcome;
use crate::context::Context;
use crate::errors::{Exit, Failure};
use crate::output::{Cell, Column, Page, Report, Table, Tone};
use crate::store::{Check, DataFolder, Health, health};

/// Checks the ledger and the folder it lies in, or prints its content.
///
/// # Errors
/// When there is no folder to look at, or nothing to print.
pub fn doctor(arguments: &DoctorArgs, context: &Context) -> Result<Outcome, Failure> {
    if arguments.dump {
        let (_, ledger) = require(context)?;
        return Ok(Outcome::Text(ledger.dump()?.into_bytes()));
    }
    let folder = DataFolder::of(&context.settings)?;
    let mut checks = vec![settings_check(context)];
    checks.extend(health(&folder));
    let failed = checks.iter().filter(|check| check.health == Health::Failed).count();
    let noticed = checks.iter().filter(|check| check.health == Health::Notice).count();
    let mut table =
        Table::new([Column::words("check", "Check"), Column::words("state", "State"), Column::words("found", "Found")]);
    let mut page = Page::new();
    page.heading(match (failed, noticed) {
        (0, 0) => "Everything holds".to_owned(),
        (0, 1) => "Everything holds; one thing is worth knowing".to_owned(),
        (0, count) => format!("Everything holds; {count} things are worth knowing"),
        (1, _) => "One check does not hold".to_owned(),
        (count, _) => format!("{count} checks do not hold"),
    });
    for check in &checks {
        table.row([
            Cell::words(check.name.replace('-', " ")),
            Cell::toned(state(check.health), tone(check.health)),
            Cell::words(&check.message),
        ]);
    }
    page.table(table.clone());
    let remedies: Vec<&Check> = checks.iter().filter(|check| check.help.is_some()).collect();
    if !remedies.is_empty() {
        page.heading("What to do");
        for check in remedies {
            page.item(format!("{}: {}", check.name.replace('-', " "), check.help.as_deref().unwrap_or_default()));
        }
    }
    let data = json!({
        "ledger": folder.ledger().display().to_string(),
        "failed": failed,
        "checks": checks.iter().map(check_json).collect::<Vec<_>>(),
    });
    let mut report = Report::new("doctor", context.today(), data, page).table(table);
    if failed > 0 {
        report.exit = Exit::CheckFailed;
    }
    Ok(report.into())
}

/// Settings that cannot be used end every command before it begins, so here they are right.
fn settings_check(context: &Context) -> Check {
    let origins = &context.settings.origins;
    let list: Vec<String> = origins.iter().map(|(key, origin)| format!("{key} ({origin})")).collect();
    let message = match list.len() {
        0 => "all are defaults".to_owned(),
        count => format!("{count} set: {}", list.join(", ")),
    };
    Check { name: "settings", health: Health::Good, message, help: None }
}

fn check_json(check: &Check) -> Value {
    json!({"name": check.name, "state": state(check.health), "message": check.message, "help": check.help})
}

fn state(health: Health) -> &'static str {
    match health {
        Health::Good => "good",
        Health::Skipped => "nothing to check",
        Health::Notice => "notice",
        Health::Failed => "failed",
    }
}

fn tone(health: Health) -> Tone {
    match health {
        Health::Good | Health::Skipped => Tone::Plain,
        Health::Notice => Tone::Caution,
        Health::Failed => Tone::Error,
    }
}
