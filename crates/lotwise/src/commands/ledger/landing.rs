//! What becomes of the files of an import: kept in the ledger, only looked at, or forgotten.

use lotwise_core::Clock;
use serde_json::{Value, json};

use super::choose_mode;
use crate::args::ImportArgs;
use crate::context::Context;
use crate::errors::{Failure, Place};
use crate::input::{History, short_name};
use crate::output::{Cell, Column, Figures, Page, Table, Tone, Warning};
use crate::store::{DataFolder, Earlier, Incoming, Landed, Ledger, Mode, Plan};

/// What became of the files.
pub struct Fate {
    /// The mode; `None` where none was chosen yet and nothing is stored.
    pub mode: Option<Mode>,
    /// Whether the ledger has them now.
    pub stored: bool,
    /// What each file brings.
    pub plan: Plan,
    names: Vec<String>,
}

/// Stores the files, or says what storing them would do.
///
/// # Errors
/// When the mode is not chosen, or the ledger cannot be used. Nothing is stored then.
pub fn land(arguments: &ImportArgs, histories: &[History], context: &Context) -> Result<Fate, Failure> {
    let files: Vec<Incoming<'_>> = histories
        .iter()
        .map(|history| Incoming {
            file: short_name(&history.file),
            sha256: &history.sha256,
            account_given: arguments.account.as_deref(),
            statement: &history.statement,
        })
        .collect();
    let names = files.iter().map(|file| file.file.to_owned()).collect();
    let fate = |mode, stored, plan| Fate { mode, stored, plan, names };
    let folder = match DataFolder::of(&context.settings) {
        Ok(folder) => folder,
        // Looking needs no folder.
        Err(_) if arguments.dry_run => return Ok(fate(arguments.mode, false, Plan::without_ledger(&files)?)),
        Err(error) => return Err(error.into()),
    };
    let ledger = Ledger::open(&folder)?;
    if arguments.dry_run {
        let stored = ledger.as_ref().map(Ledger::mode).transpose()?.flatten();
        let mode = arguments.mode.or(context.settings.mode).or(stored);
        let plan = match (&ledger, mode) {
            (Some(ledger), None | Some(Mode::Ledger)) => ledger.plan(&files)?,
            _ => Plan::without_ledger(&files)?,
        };
        return Ok(fate(mode, false, plan));
    }
    let mode = choose_mode(arguments.mode, &folder, ledger.as_ref(), context)?;
    let mut ledger = match ledger {
        Some(ledger) => ledger,
        None => Ledger::open_or_create(&folder)?,
    };
    ledger.choose_mode(mode)?;
    let plan = match mode {
        Mode::ProfileOnly => Plan::without_ledger(&files)?,
        Mode::Ledger => ledger.import(&files, context.clock.now())?,
    };
    Ok(fate(Some(mode), mode == Mode::Ledger, plan))
}

impl Fate {
    /// What a person should know about the files beside the ledger.
    pub fn warnings(&self, figures: Figures) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for (name, landed) in self.names.iter().zip(&self.plan.files) {
            let place = |row: Option<&u32>| Place { line: row.copied(), ..Place::file(name) };
            let Landed { changed, lookalikes, .. } = landed;
            if !changed.is_empty() {
                let message = format!(
                    "{} of this file {} in the ledger with another content; the earlier content stays",
                    rows_text(changed.len()),
                    if changed.len() == 1 { "is" } else { "are" }
                );
                warnings.push(Warning::new("changed-rows", message).at(place(changed.first())));
            }
            if let Some(other) = &landed.looks_like {
                let message = format!(
                    "{} of this file look like rows of {other} (date, symbol, shares and amount agree) and would count \
                     twice; if both files show the same account, take one import back",
                    rows_text(lookalikes.len()),
                );
                warnings.push(Warning::new("possible-duplicates", message).at(place(lookalikes.first())));
            }
        }
        for position in self.plan.reconciled.iter().filter(|position| !position.agrees()) {
            let rows = position
                .from_rows
                .map_or_else(|| "more than can be counted".to_owned(), |shares| figures.share_count(shares));
            let message = format!(
                "the broker states {} shares of {}, the rows add up to {rows}",
                figures.share_count(position.stated),
                position.symbol,
            );
            let file = self.names.get(position.file).cloned().unwrap_or_default();
            let place = Place { line: Some(position.row), ..Place::file(file) };
            warnings.push(Warning::new("position-differs", message).at(place));
        }
        warnings
    }

    /// The positions of the files against the rows, for JSON.
    pub fn reconciliation(&self, figures: Figures) -> Value {
        let positions = self.plan.reconciled.iter().map(|position| {
            json!({
                "file": self.names.get(position.file),
                "row": position.row,
                "account": figures.account(&position.account),
                "symbol": position.symbol.as_str(),
                "as_of": position.as_of.map(|date| date.to_string()),
                "stated": figures.shares(position.stated),
                "from_rows": position.from_rows.map(|shares| figures.shares(shares)),
                "agrees": position.agrees(),
            })
        });
        positions.collect()
    }

    /// The positions of the files against the rows, and where the files are now.
    pub fn tell(&self, page: &mut Page, dry_run: bool, figures: Figures) {
        let positions = &self.plan.reconciled;
        let apart: Vec<_> = positions.iter().filter(|position| !position.agrees()).collect();
        if !positions.is_empty() {
            page.heading("Against the broker's positions");
            page.sentence(format!("{} of {} agree with the rows.", positions.len() - apart.len(), positions.len()));
        }
        let mut table = Table::new([
            Column::words("account", "Account"),
            Column::words("symbol", "Symbol"),
            Column::number("stated", "Broker states"),
            Column::number("from_rows", "Rows add up to"),
        ]);
        for position in &apart {
            table.row([
                Cell::words(figures.account(&position.account)),
                Cell::words(position.symbol.as_str()),
                Cell::shares(figures, position.stated),
                Cell::maybe(position.from_rows, |shares| Cell::shares(figures, shares)),
            ]);
        }
        page.table(table);
        if !apart.is_empty() {
            page.sentence(
                "Where they differ, shares came or went before the file begins, or by an event that it does not show.",
            );
        }
        page.gap();
        match (dry_run, self.stored) {
            (true, _) => page.toned("Nothing was stored. Add --json or --csv to see every transaction.", Tone::Quiet),
            (false, false) => page.sentence("Nothing of these files was kept."),
            (false, true) => {
                for (name, landed) in self.names.iter().zip(&self.plan.files) {
                    page.item(stored_sentence(name, landed));
                }
            }
        }
    }
}

fn stored_sentence(name: &str, landed: &Landed) -> String {
    match (landed.batch, landed.same_as) {
        (Some(id), _) => {
            let known = match landed.already_known {
                0 => String::new(),
                count => format!(", {} already known", rows_text(count)),
            };
            let new = super::counted(landed.imported as u64, "new row");
            format!("{name} is import {id}: {new}{known}. lotwise import undo {id} takes it back.")
        }
        (None, Some(Earlier::Import(id))) => {
            format!("{name} is in the ledger already as import {id}; nothing was added.")
        }
        (None, _) => format!("{name} was named twice; it counts once."),
    }
}

fn rows_text(count: usize) -> String {
    super::counted(count as u64, "row")
}
