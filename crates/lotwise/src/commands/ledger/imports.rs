//! `import list` and `import undo`.

use serde_json::{Value, json};

use super::choice::confirm;
use super::{counted, number, require};
use crate::args::UndoArgs;
use crate::clock::timestamp;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::{Cell, Column, Figures, Page, Report, Table, Tone};
use crate::store::{BatchRow, DataFolder, Ledger, Undone};

/// Lists what was imported.
///
/// # Errors
/// When the ledger cannot be read.
pub fn list(context: &Context) -> Result<Report, Failure> {
    let folder = DataFolder::of(&context.settings)?;
    let ledger = Ledger::open(&folder)?;
    let batches = ledger.as_ref().map(Ledger::batches).transpose()?.unwrap_or_default();
    let derived = ledger.as_ref().map(Ledger::derived_now).transpose()?.flatten();
    let figures = context.figures();
    let mut table = Table::new([
        Column::number("id", "Import"),
        Column::words("file", "File"),
        Column::words("format", "Format"),
        Column::words("first", "From"),
        Column::words("last", "To"),
        Column::number("rows", "Rows"),
        Column::number("imported", "Imported"),
        Column::number("already_known", "Already known"),
        Column::number("ignored", "Ignored"),
        Column::number("quarantined", "Unreadable"),
        Column::number("duplicates", "Duplicates"),
        Column::words("imported_at", "When"),
    ]);
    // A terminal has no room for all of it.
    let mut shown = Table::new([
        Column::number("id", "Import"),
        Column::words("file", "File"),
        Column::words("first", "From"),
        Column::words("last", "To"),
        Column::number("rows", "Rows"),
        Column::number("imported", "Imported"),
        Column::number("already_known", "Known"),
        Column::number("left_out", "Left out"),
        Column::words("imported_at", "When"),
    ]);
    for batch in &batches {
        let (first, last) = batch.span.clone().unwrap_or_default();
        let moment = timestamp(batch.imported_at);
        let left_out = batch.ignored + batch.quarantined + batch.duplicates;
        shown.row([
            Cell::words(batch.id.to_string()),
            Cell::words(figures.free_text(&batch.file)),
            Cell::words(&first),
            Cell::words(&last),
            Cell::words(batch.rows.to_string()),
            Cell::words(batch.imported.to_string()),
            Cell::words(batch.already_known.to_string()),
            Cell::words(left_out.to_string()),
            Cell::words(moment.split('T').next().unwrap_or_default()),
        ]);
        table.row([
            Cell::words(batch.id.to_string()),
            Cell::words(figures.free_text(&batch.file)),
            Cell::words(&batch.format),
            Cell::words(first),
            Cell::words(last),
            Cell::words(batch.rows.to_string()),
            Cell::words(batch.imported.to_string()),
            Cell::words(batch.already_known.to_string()),
            Cell::words(batch.ignored.to_string()),
            Cell::words(batch.quarantined.to_string()),
            Cell::words(batch.duplicates.to_string()),
            Cell::words(moment),
        ]);
    }
    let mut page = Page::new();
    if batches.is_empty() {
        page.sentence("Nothing was imported yet. lotwise import FILE reads a broker's export.");
    } else {
        let rows: i64 = batches.iter().map(|batch| batch.imported).sum();
        page.heading(format!("{} with {}", counted(batches.len() as u64, "import"), counted(number(rows), "row")));
    }
    page.table(shown);
    if let Some(derived) = &derived {
        page.gap();
        page.sentence(format!(
            "They left {} of {} open on {}.",
            counted(derived.lots, "lot"),
            counted(derived.symbols, "symbol"),
            derived.as_of.long()
        ));
    }
    page.gap();
    page.toned(format!("The ledger is {}.", folder.ledger().display()), Tone::Quiet);
    let data = json!({
        "ledger": folder.ledger().display().to_string(),
        "imports": batches.iter().map(|batch| batch_json(batch, figures)).collect::<Vec<_>>(),
        "open_lots": derived.map(|derived| {
            json!({"as_of": derived.as_of.to_string(), "lots": derived.lots, "symbols": derived.symbols})
        }),
    });
    Ok(Report::new("import-list", context.today(), data, page).table(table))
}

fn batch_json(batch: &BatchRow, figures: Figures) -> Value {
    let (first, last) = batch.span.clone().unzip();
    json!({
        "id": batch.id,
        "file": figures.free_text(&batch.file),
        "format": batch.format,
        "sha256": batch.sha256,
        "imported_at": timestamp(batch.imported_at),
        "accounts": batch.accounts.iter().map(|name| figures.account(name)).collect::<Vec<_>>(),
        "first": first,
        "last": last,
        "rows": batch.rows,
        "imported": batch.imported,
        "already_known": batch.already_known,
        "ignored": batch.ignored,
        "quarantined": batch.quarantined,
        "duplicates": batch.duplicates,
    })
}

/// Takes an import back.
///
/// # Errors
/// When there is no such import, the person says no, or the ledger cannot be written.
pub fn undo(arguments: &UndoArgs, context: &Context) -> Result<Report, Failure> {
    let (_, mut ledger) = require(context)?;
    let unknown = |ledger: &Ledger| -> Failure {
        let known: Vec<String> =
            ledger.batches().unwrap_or_default().iter().map(|batch| batch.id.to_string()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        CliError::new("no-such-import", Exit::Usage, format!("there is no import {}", arguments.id))
            .help(format!("the ledger holds: {known}"))
            .into()
    };
    let mut undone = ledger.foresee_undo(arguments.id)?.ok_or_else(|| unknown(&ledger))?;
    if !arguments.caution.dry_run {
        let question = format!(
            "Take back import {} ({}) with {}",
            arguments.id,
            context.figures().free_text(&undone.batch.file),
            counted(number(undone.removed), "row")
        );
        // It can be imported again, so a script need not say yes.
        confirm(&question, arguments.caution.yes, false, context)?;
        undone = ledger.undo(arguments.id)?.ok_or_else(|| unknown(&ledger))?;
    }
    Ok(undo_report(&undone, arguments.caution.dry_run, context))
}

fn undo_report(undone: &Undone, dry_run: bool, context: &Context) -> Report {
    let Undone { batch, removed, kept } = undone;
    let file = context.figures().free_text(&batch.file);
    let mut page = Page::new();
    let rows = counted(number(*removed), "row");
    let stay = counted(number(*kept), "row");
    page.sentence(if dry_run {
        format!("Taking back import {} ({file}) would remove {rows}.", batch.id)
    } else {
        format!("Import {} ({file}) was taken back; {rows} left the ledger.", batch.id)
    });
    if *kept > 0 {
        let (verb, them) = if *kept == 1 { ("stays", "it") } else { ("stay", "them") };
        page.sentence(format!("{stay} {verb}, because another import has {them}."));
    }
    if dry_run {
        page.toned("Nothing was changed.", Tone::Quiet);
    } else {
        page.toned("Importing the file again brings it back.", Tone::Quiet);
    }
    let data = json!({
        "id": batch.id,
        "file": file,
        "removed": removed,
        "kept": kept,
        "dry_run": dry_run,
    });
    Report::new("import-undo", context.today(), data, page)
}
