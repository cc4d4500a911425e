//! `model export`: a network for other programs.

use std::io::Write as _;
use std::path::Path;

use lotwise_nn::FrozenTemporal;
use lotwise_nn::onnx::Model;
use serde_json::json;
use tempfile::NamedTempFile;

use super::model::model_error;
use crate::args::ExportArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::output::{Page, Report};

/// Writes the network as an ONNX model, whole or not at all.
///
/// # Errors
/// When it cannot be read or has no counterpart, or the place is taken or cannot be written.
pub fn run(arguments: &ExportArgs, context: &Context) -> Result<Report, Failure> {
    let (file, out) = (&arguments.file, &arguments.onnx);
    let place = || Place::file(out.display().to_string());
    if out.exists() && !arguments.yes && !arguments.dry_run {
        return Err(CliError::new("file-exists", Exit::Confirm, "there is a file already")
            .at(place())
            .help("choose another name, or replace it with --yes")
            .into());
    }
    let model = Model::read(file).map_err(|error| model_error(&error, file))?;
    let content = model.to_onnx().map_err(|error| model_error(&error, file))?;
    let (kind, output) = match &model {
        Model::Encoder(_) => ("encoder", "h_fused"),
        Model::Temporal(network) => (network.kind(), "temporal"),
    };
    if !arguments.dry_run {
        write(out, &content).map_err(|error| {
            CliError::new("unwritable", Exit::Failed, format!("the model cannot be written: {error}")).at(place())
        })?;
    }
    let mut page = Page::new();
    let (done, size) = (if arguments.dry_run { "Would write" } else { "Wrote" }, content.len());
    page.sentence(format!("{done} {} ({kind}, {size} bytes); its output is {output}.", out.display()));
    let body = json!({
        "file": file.display().to_string(), "onnx": out.display().to_string(), "kind": kind, "output": output,
        "bytes": size, "written": !arguments.dry_run,
    });
    Ok(Report::new("model.export", context.today(), body, page))
}

/// Beside the place first, then renamed.
fn write(out: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut partial = NamedTempFile::new_in(folder)?;
    partial.write_all(content)?;
    partial.as_file().sync_all()?;
    // A file made for one moment is for its owner alone; this one stays.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        partial.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    partial.persist(out)?;
    Ok(())
}
