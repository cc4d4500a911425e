//! `backup` and `restore`.

use lotwise_core::Clock;
use serde_json::{Value, json};

use super::choice::confirm;
use super::{counted, require};
use crate::args::{BackupArgs, RestoreArgs};
use crate::clock::timestamp;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::output::{Page, Report, Tone};
use crate::store::{self, Backup, DataFolder};

/// Writes the ledger into one file.
///
/// # Errors
/// When there is no ledger, the file is there and may not be replaced, or it cannot be written.
pub fn backup(arguments: &BackupArgs, context: &Context) -> Result<Report, Failure> {
    let (folder, ledger) = require(context)?;
    let target = &arguments.file;
    let shown = target.display();
    if target.is_dir() {
        return Err(CliError::new("is-a-folder", Exit::Usage, "this is a folder, not a file")
            .at(Place::file(shown.to_string()))
            .help("name a file in it, for instance lotwise-backup.db")
            .into());
    }
    // Whatever way the path is written, the ledger's own files are no place for a backup.
    let same =
        |path: &std::path::Path| path.canonicalize().is_ok_and(|own| target.canonicalize().is_ok_and(|it| it == own));
    if ["", "-wal", "-shm"].iter().any(|suffix| same(&folder.companion(suffix))) {
        return Err(CliError::new("is-the-ledger", Exit::Usage, "this is the ledger itself")
            .help("name another file")
            .into());
    }
    let replaces = target.exists();
    if replaces && !arguments.caution.dry_run {
        confirm(&format!("Replace {shown}"), arguments.caution.yes, true, context)?;
    }
    let mut page = Page::new();
    let data = if arguments.caution.dry_run {
        let rows = ledger.batches()?.iter().map(|batch| super::number(batch.imported)).sum();
        let imports = ledger.batches()?.len() as u64;
        page.sentence(format!(
            "{} with {} would be written to {shown}.",
            counted(imports, "import"),
            counted(rows, "row")
        ));
        if replaces {
            page.sentence("It would replace the file that is there.");
        }
        page.toned("Nothing was written.", Tone::Quiet);
        json!({"file": shown.to_string(), "imports": imports, "rows": rows, "replaces": replaces, "dry_run": true})
    } else {
        let found = store::backup(&ledger, target)?;
        page.sentence(format!(
            "{} with {} are in {shown}, checked from end to end.",
            counted(found.imports, "import"),
            counted(found.rows, "row")
        ));
        page.toned(
            format!("Keep it private: it holds your trades. lotwise restore {shown} brings it back."),
            Tone::Quiet,
        );
        let mut data = copy_json(&found);
        data["file"] = json!(shown.to_string());
        data["replaces"] = json!(replaces);
        data["dry_run"] = json!(false);
        data
    };
    Ok(Report::new("backup", context.today(), data, page))
}

/// Puts a backup in the place of the ledger.
///
/// # Errors
/// When the backup is not right, the person says no, or nothing can be written.
pub fn restore(arguments: &RestoreArgs, context: &Context) -> Result<Report, Failure> {
    let folder = DataFolder::of(&context.settings)?;
    let moment = timestamp(context.clock.now()).replace([':', '-'], "");
    let shown = arguments.file.display();
    let replaces = folder.ledger().exists();
    let found = store::restore(&folder, &arguments.file, &moment, true)?;
    let holds = format!("{} with {}", counted(found.now.imports, "import"), counted(found.now.rows, "row"));
    let mut page = Page::new();
    let restored = if arguments.caution.dry_run {
        page.sentence(format!("{shown} is right and holds {holds}."));
        page.toned("Nothing was changed.", Tone::Quiet);
        found
    } else {
        if replaces {
            // The old ledger stays, so a script need not say yes.
            let question = format!("Put {shown} ({holds}) in the place of the ledger (it stays beside it)");
            confirm(&question, arguments.caution.yes, false, context)?;
        }
        let restored = store::restore(&folder, &arguments.file, &moment, false)?;
        page.sentence(format!("The ledger is what {shown} holds: {holds}."));
        if let Some(old) = &restored.old {
            page.sentence(format!("The ledger that was there is {}.", old.display()));
        }
        restored
    };
    let mut data = copy_json(&restored.now);
    data["file"] = json!(shown.to_string());
    data["old"] = json!(restored.old.map(|path| path.display().to_string()));
    data["dry_run"] = json!(arguments.caution.dry_run);
    Ok(Report::new("restore", context.today(), data, page))
}

fn copy_json(found: &Backup) -> Value {
    json!({"imports": found.imports, "rows": found.rows, "bytes": found.bytes, "dump_sha256": found.digest})
}
