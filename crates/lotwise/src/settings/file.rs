//! One settings file.

use std::path::Path;

use super::{KEYS, Origin};
use crate::errors::{CliError, Excerpt, Exit, Place, did_you_mean};

/// A larger file is no settings file.
const LARGEST: u64 = 1024 * 1024;

/// A known key with its value.
pub struct Entry {
    /// The key.
    pub key: &'static str,
    /// The value as written.
    pub value: toml::Value,
    /// Where it stands.
    pub origin: Origin,
}

/// The known keys of a file in the order of its lines, and what is wrong with the others; nothing
/// where there is no file.
///
/// # Errors
/// When the file cannot be read or is no TOML.
pub fn read(path: &Path) -> Result<(Vec<Entry>, Vec<CliError>), CliError> {
    let name = path.display().to_string();
    let fail = |reason: String| CliError::new("bad-settings-file", Exit::Usage, reason).at(Place::file(&name));
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(fail(format!("cannot read the settings: {error}"))),
        Ok(found) if found.len() > LARGEST => return Err(fail("the settings file is larger than 1 MB".to_owned())),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(path).map_err(|error| fail(format!("cannot read the settings: {error}")))?;
    let table: toml::Table = text.parse().map_err(|error| syntax(&name, &text, &error))?;
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    let mut lines: Vec<(u32, String, toml::Value)> =
        table.into_iter().map(|(key, value)| (line_of(&text, &key), key, value)).collect();
    lines.sort_by_key(|&(line, ..)| line);
    for (line, key, value) in lines {
        match KEYS.iter().find(|known| known.0 == key) {
            Some(&(key, _)) => entries.push(Entry { key, value, origin: Origin::File(path.to_path_buf(), line) }),
            None => errors.push(
                CliError::new("unknown-setting", Exit::Usage, format!("there is no setting {key:?}"))
                    .at(Place { line: Some(line), ..Place::file(&name) })
                    .help(did_you_mean(&key, KEYS.map(|known| known.0), KEYS.len()))
                    .excerpt(Excerpt::find(&text, line, Some(&key))),
            ),
        }
    }
    Ok((entries, errors))
}

fn syntax(name: &str, text: &str, error: &toml::de::Error) -> CliError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..start).unwrap_or("");
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
    let excerpt = Excerpt::find(text, line, None).map(|excerpt| Excerpt {
        start: column.saturating_sub(1) as usize,
        length: 1,
        ..excerpt
    });
    CliError::new("bad-settings-file", Exit::Usage, format!("the settings are no valid TOML: {}", error.message()))
        .at(Place { line: Some(line), column: Some(column), ..Place::file(name) })
        .excerpt(excerpt)
}

/// The line where a key of the top level stands, counted from 1.
fn line_of(text: &str, key: &str) -> u32 {
    let starts = |line: &str| {
        let line = line.trim_start().trim_start_matches(['[', '"', '\'']);
        line.strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(['=', '.', ']']))
    };
    text.lines().position(starts).map_or(1, |at| at as u32 + 1)
}
