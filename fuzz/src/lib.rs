//! What the fuzz targets share: a file read in one way, and what must hold of the result.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lotwise::{Exit, Surroundings, answer};
use lotwise_statements::{ColumnMap, Limits, ReadOptions, Statement, formats, read};

/// Reads these bytes as one format, or by recognition, under limits that keep a run quick.
///
/// # Panics
/// When a row is not accounted for, or two transactions of an account share an id.
pub fn read_as(bytes: &[u8], format: Option<&str>) {
    let limits = Limits { bytes: 1024 * 1024, rows: 20_000, ..Limits::default() };
    let options = ReadOptions { format: format.map(str::to_owned), limits, ..ReadOptions::default() };
    if let Ok(statement) = read(bytes, &options) {
        check(&statement);
        assert_eq!(read(bytes, &options).as_ref(), Ok(&statement), "the same bytes read alike");
    }
}

/// Reads these bytes as a table by this map.
///
/// # Panics
/// As [`read_as`].
pub fn read_by(bytes: &[u8], map: ColumnMap) {
    let limits = Limits { bytes: 1024 * 1024, rows: 20_000, ..Limits::default() };
    let options = ReadOptions { map: Some(map), limits, ..ReadOptions::default() };
    if let Ok(statement) = read(bytes, &options) {
        check(&statement);
    }
}

/// Reads these bytes as every format whose id is wanted.
pub fn read_as_all(bytes: &[u8], wanted: impl Fn(&str) -> bool) {
    let mut known = 0;
    for format in formats().into_iter().filter(|format| wanted(format.id)) {
        known += 1;
        read_as(bytes, Some(format.id));
    }
    assert!(known > 0, "no format has such an id");
}

/// A folder of this process, in memory where there is such a place.
///
/// # Panics
/// When it cannot be made.
pub fn scratch(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = base.join(format!("lotwise-fuzz-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    folder
}

/// Gives a command to the program, in a folder and with no settings but that folder's.
///
/// # Panics
/// When it fails in a way that is nobody's fault but its own, or does not answer in JSON.
pub fn command(words: &[&str], folder: &Path) {
    let words: Vec<OsString> = ["lotwise"].iter().chain(words).chain(&["--json"]).map(OsString::from).collect();
    let home = ("HOME".to_owned(), folder.display().to_string());
    let surroundings = Surroundings { variables: BTreeMap::from([home]), folder: folder.to_path_buf() };
    let mut out = Vec::new();
    let exit = answer(&words, &surroundings, &mut out).expect("memory can be written");
    assert!(exit != Exit::Failed, "{}", String::from_utf8_lossy(&out));
    let answered = serde_json::from_slice::<serde_json::Value>(&out);
    assert!(answered.is_ok_and(|answered| answered.is_object()), "{}", String::from_utf8_lossy(&out));
}

fn check(statement: &Statement) {
    let Statement { transactions, ignored, quarantined, duplicates, rows, .. } = statement;
    assert_eq!(transactions.len() + ignored.len() + quarantined.len() + duplicates.len(), *rows);
    let mut ids: Vec<_> = transactions.iter().map(|one| (&one.account, &one.id)).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an account has an id twice");
    assert!(transactions.iter().all(|one| !one.id.is_empty() && one.row > 0));
}
