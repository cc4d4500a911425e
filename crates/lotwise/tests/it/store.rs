//! Modes, backup, restore, doctor, and what happens when the disk or another process is in the way.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::ledger::{FIRST, SECOND, dump, folder};
use crate::program::{Folder, Ran};

fn database(folder: &Folder) -> PathBuf {
    folder.path(".local/share/lotwise/ledger.db")
}

fn good(folder: &Folder, arguments: &[&str]) -> Ran {
    let ran = folder.run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.all());
    ran
}

#[test]
fn without_a_terminal_the_mode_has_to_be_given() {
    let folder = Folder::new().with("first.csv", FIRST);
    let ran = folder.run(&["import", "first.csv"]);
    insta::assert_snapshot!(ran.all());
    let json = folder.run(&["import", "first.csv", "--json"]);
    assert_eq!((json.code, &json.json()["error"]["code"]), (5, &"mode-not-chosen".into()));
    assert!(!folder.path(".local").exists(), "nothing is made before the mode is chosen");
    // A choice is remembered and shown.
    good(&folder, &["import", "first.csv", "--mode", "ledger"]);
    assert_eq!(good(&folder, &["import", "first.csv", "--json"]).json()["mode"], "ledger");
    assert!(good(&folder, &["lots"]).stdout.ends_with("Mode: ledger.\n"));
    let wrong = Folder::new().set("LOTWISE_MODE", "leger").run(&["import", "list"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("did you mean ledger?"), "{}", wrong.all());
}

#[test]
fn profile_only_keeps_nothing_of_a_file() {
    let marked = FIRST.replace("bought 10 at 50", "XYZZYMARK").replace("ALFA", "QQZZ");
    let folder = Folder::new().with("first.csv", marked);
    let json = good(&folder, &["import", "first.csv", "--mode", "profile-only", "--json"]).json();
    assert_eq!((&json["mode"], &json["data"]["stored"]), (&"profile-only".into(), &false.into()));
    let text = good(&folder, &["import", "first.csv"]).stdout;
    assert!(text.contains("Nothing of these files was kept.") && text.ends_with("Mode: profile only.\n"), "{text}");
    for entry in std::fs::read_dir(folder.path(".local/share/lotwise")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for mark in ["XYZZYMARK", "QQZZ", "first.csv"] {
            assert!(!bytes.windows(mark.len()).any(|window| window == mark.as_bytes()), "{mark}");
        }
    }
    assert_eq!(dump(&folder), "{\"setting\":\"mode\",\"value\":\"profile-only\"}\n");
    assert_eq!(folder.run(&["lots"]).code, 6);
    // The other way, what is kept has to be taken back first.
    good(&folder, &["import", "first.csv", "--mode", "ledger"]);
    let ran = folder.run(&["import", "first.csv", "--mode", "profile-only"]);
    assert!(ran.code == 2 && ran.stderr.contains("the ledger holds 1 import"), "{}", ran.all());
}

#[test]
fn all_files_are_imported_or_none() {
    let folder = folder().with("broken.csv", "this is no statement\n");
    good(&folder, &["import", "second.csv"]);
    let before = dump(&folder);
    let ran = folder.run(&["import", "first.csv", "broken.csv"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("all files are, or none") && ran.stderr.contains("broken.csv"), "{}", ran.stderr);
    assert_eq!(dump(&folder), before);
}

#[test]
fn rows_that_cannot_be_read_are_kept_as_such_and_told_again() {
    let folder = folder().with("bad.csv", FIRST.replace("2024-02-01", "2024-02-31"));
    let ran = folder.run(&["import", "bad.csv", "--json"]);
    assert_eq!(ran.code, 3);
    let file = &ran.json()["data"]["files"][0];
    assert_eq!((&file["imported"], file["quarantined"].as_array().map(Vec::len)), (&3.into(), Some(1)));
    let lots = folder.run(&["lots"]);
    assert!(lots.code == 3 && lots.stderr.contains("bad.csv:4"), "{}", lots.all());
    let checked = good(&folder, &["doctor"]).stdout;
    assert!(checked.contains("1 row of 1 file could not be read"), "{checked}");
}

#[test]
fn the_same_rows_under_another_account_or_in_another_file_are_noticed() {
    let folder = folder().with("plain.csv", FIRST.replace(",T,", ",,"));
    good(&folder, &["import", "plain.csv", "--account", "Joint"]);
    let ran = folder.run(&["import", "plain.csv", "--account", "Own"]);
    assert!(ran.code == 3 && ran.stderr.contains("import undo 1"), "{}", ran.all());
    // A trade with other words is another row; that it may be the same one is said.
    let folder = folder.with("words.csv", FIRST.replace(",T,", ",Joint,").replace("bought 10", "purchase of 10"));
    let ran = good(&folder, &["import", "words.csv", "--json"]).json();
    let codes: Vec<&str> = ran["warnings"].as_array().unwrap().iter().filter_map(|w| w["code"].as_str()).collect();
    assert!(codes.contains(&"possible-duplicates"), "{codes:?}");
}

#[test]
fn the_broker_s_positions_are_compared_with_the_rows() {
    let ofx = include_str!("../../sample/retiree.ofx");
    let folder = Folder::new().with("retiree.ofx", ofx).set("LOTWISE_MODE", "ledger");
    let json = good(&folder, &["import", "retiree.ofx", "--json"]).json();
    let positions = json["data"]["reconciliation"].as_array().unwrap().clone();
    assert!(!positions.is_empty());
    let stated: std::collections::BTreeSet<&str> =
        positions.iter().filter_map(|position| position["symbol"].as_str()).collect();
    assert_eq!(stated.len(), positions.len());
    for position in &positions {
        let agrees = position["stated"] == position["from_rows"];
        assert_eq!(position["agrees"], agrees, "{position}");
    }
}

#[test]
fn a_backup_brings_the_ledger_back_and_the_old_one_stays() {
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    let first = dump(&folder);
    let made = good(&folder, &["backup", "copy.db", "--json"]).json();
    assert_eq!((&made["data"]["imports"], &made["data"]["rows"]), (&1.into(), &4.into()));
    good(&folder, &["import", "second.csv"]);
    let second = dump(&folder);
    let again = folder.run(&["backup", "copy.db"]);
    assert!(again.code == 5 && again.stderr.contains("--yes"), "{}", again.all());
    let dry = good(&folder, &["restore", "copy.db", "--dry-run"]);
    assert!(dry.stdout.contains("1 import with 4 rows") && dump(&folder) == second, "{}", dry.all());
    let restored = good(&folder, &["restore", "copy.db", "--json"]).json();
    assert_eq!(dump(&folder), first);
    let old = restored["data"]["old"].as_str().unwrap().replace("[folder]", &folder.path("").display().to_string());
    good(&folder, &["restore", &old]);
    assert_eq!(dump(&folder), second);
    good(&folder, &["doctor"]);
}

#[test]
fn what_is_no_backup_is_refused_and_changes_nothing() {
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    good(&folder, &["backup", "copy.db"]);
    let before = dump(&folder);
    let copy = std::fs::read(folder.path("copy.db")).unwrap();
    // A page in the middle is overwritten, and a row says something else than its digest.
    let mut torn = copy.clone();
    let middle = torn.len() / 2 / 4096 * 4096;
    torn[middle..middle + 4096].fill(0x5a);
    let folder = folder.with("torn.db", torn).with("half.db", &copy[..copy.len() / 2]).with("other.db", &copy);
    let other = Connection::open(folder.path("other.db")).unwrap();
    other.execute_batch("UPDATE entry SET amount = '9999.00' WHERE symbol IS NULL").unwrap();
    drop(other);
    for file in ["torn.db", "half.db", "other.db", "first.csv", "missing.db", "."] {
        let ran = folder.run(&["restore", file]);
        assert_eq!(ran.code, 3, "{file}: {}", ran.all());
        assert!(!ran.stderr.contains("9999"), "{}", ran.stderr);
        assert_eq!(dump(&folder), before, "{file}");
    }
    let ran = folder.run(&["backup", ".local/share/lotwise/ledger.db", "--yes"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert_eq!(dump(&folder), before);
}

#[test]
fn doctor_names_what_does_not_hold() {
    let none = Folder::new();
    assert!(good(&none, &["doctor"]).stdout.contains("there is no ledger yet"));
    assert!(!none.path(".local").exists());
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    let json = good(&folder, &["doctor", "--json"]).json();
    assert_eq!(json["data"]["failed"], 0);
    let file = Connection::open(database(&folder)).unwrap();
    file.execute_batch("UPDATE entry SET amount = '9999.00' WHERE symbol IS NULL").unwrap();
    let ran = folder.run(&["doctor", "--json"]);
    let failed: Vec<_> = ran.json()["data"]["checks"].as_array().unwrap().clone();
    let failed: Vec<&str> =
        failed.iter().filter(|check| check["state"] == "failed").filter_map(|check| check["name"].as_str()).collect();
    assert_eq!((ran.code, failed), (7, vec!["content"]));
    assert!(!ran.stdout.contains("9999"));
    file.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM account").unwrap();
    let ran = folder.run(&["doctor"]);
    assert!(ran.code == 7 && ran.stdout.contains("refers to nothing"), "{}", ran.all());
}

#[test]
fn another_process_is_waited_for_and_then_named() {
    let folder = folder().set("LOTWISE_WAIT_SECONDS", "1");
    good(&folder, &["import", "first.csv"]);
    let before = dump(&folder);
    let other = Connection::open(database(&folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = folder.run(&["import", "second.csv"]);
    assert!(ran.code == 1 && ran.stderr.contains("another lotwise uses the ledger"), "{}", ran.all());
    // Reading goes on meanwhile.
    assert_eq!(dump(&folder), before);
    other.execute_batch("ROLLBACK").unwrap();
    // Two at once: both come to their end, one after the other.
    let folder = folder.set("LOTWISE_WAIT_SECONDS", "60");
    let start = |file: &str| folder.command().args(["import", file, "-q"]).stdout(Stdio::null()).spawn().unwrap();
    let mut both = [start("second.csv"), start("third.csv")];
    assert!(both.iter_mut().all(|child| child.wait().unwrap().success()));
    assert_eq!(
        good(&folder, &["import", "list", "--json"]).json()["data"]["imports"].as_array().map(Vec::len),
        Some(3)
    );
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    good(&folder, &["backup", "copy.db"]);
    let bits = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = folder.path(".local/share/lotwise");
    assert_eq!(bits(data.clone()), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        assert_eq!(bits(entry.unwrap().path()), 0o600);
    }
    assert_eq!(bits(folder.path("copy.db")), 0o600);
    std::fs::set_permissions(database(&folder), PermissionsExt::from_mode(0o644)).unwrap();
    let ran = folder.run(&["doctor"]);
    assert!(ran.code == 7 && ran.stdout.contains("others can read or write ledger.db"), "{}", ran.all());
}

/// Runs the program without the powers of the superuser, who may write everywhere.
#[cfg(unix)]
fn as_somebody(folder: &Folder, arguments: &[&str]) -> Ran {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let mut command = folder.command();
    if std::fs::metadata(folder.path("")).unwrap().uid() == 0 {
        // The build may lie where nobody else can go.
        let program = folder.path("program");
        if !program.exists() {
            std::fs::copy(env!("CARGO_BIN_EXE_lotwise"), &program).unwrap();
        }
        let mut own = Command::new(program);
        own.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        own.current_dir(folder.path("")).stdin(Stdio::null()).uid(65_534).gid(65_534);
        command = own;
    }
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[cfg(unix)]
#[test]
fn where_nothing_can_be_written_reading_works_and_writing_explains_itself() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    let before = dump(&folder);
    let data = folder.path(".local/share/lotwise");
    let root = std::fs::metadata(folder.path("")).unwrap().uid() == 0;
    let mode = |path: PathBuf, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    if root {
        for path in [folder.path(""), folder.path(".local"), folder.path(".local/share")] {
            mode(path, 0o755);
        }
        for entry in std::fs::read_dir(&data).unwrap() {
            chown(entry.unwrap().path(), Some(65_534), Some(65_534)).unwrap();
        }
        chown(&data, Some(65_534), Some(65_534)).unwrap();
    }
    mode(data.clone(), 0o500);
    let lots = as_somebody(&folder, &["lots"]);
    assert!(lots.code == 0 && lots.stdout.contains("ALFA"), "{}", lots.all());
    for command in [&["import", "second.csv"][..], &["import", "undo", "1"], &["restore", "first.csv"]] {
        let ran = as_somebody(&folder, command);
        assert_ne!(ran.code, 0, "{}", ran.all());
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    }
    mode(data, 0o700);
    assert_eq!(dump(&folder), before);
    // And where there is no ledger yet.
    let nowhere = folder.set("LOTWISE_DATA_DIR", "first.csv/below");
    let ran = as_somebody(&nowhere, &["import", "second.csv"]);
    assert!(ran.code == 1 && ran.stderr.contains("first.csv/below"), "{}", ran.all());
}

/// The limit on the size of files stands for a disk that ends.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_the_ledger_as_it_was() {
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    let before = dump(&folder);
    let mut long = SECOND.to_owned();
    for day in 1..=28 {
        for row in 0..100 {
            long += &format!("2023-01-{day:02},buy,GAMA,1,{row},-{row}.00,0,T,row {row} of the day\n");
        }
    }
    let folder = folder.with("long.csv", long);
    for command in ["import long.csv", "backup copy.db"] {
        let script = format!("trap '' XFSZ; ulimit -f 96; exec \"$0\" {command}");
        let own = folder.command();
        let mut shell = Command::new("sh");
        shell.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let shell = shell.current_dir(folder.path("")).stdin(Stdio::null());
        let ran = shell.args(["-c", &script, env!("CARGO_BIN_EXE_lotwise")]).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{command}: {stderr}");
        assert!(stderr.contains("nothing was changed"), "{command}: {stderr}");
        assert_eq!(dump(&folder), before, "{command}");
    }
    assert!(!folder.path("copy.db").exists());
    good(&folder, &["import", "long.csv"]);
    good(&folder, &["doctor"]);
}

/// A short form of `cargo xtask crash`.
#[test]
fn a_process_that_is_killed_leaves_what_was_or_what_becomes() {
    let mut long = SECOND.to_owned();
    for row in 0..600 {
        long += &format!("2023-{:02}-{:02},buy,GAMA,1,9,-9.00,0,T,row {row}\n", row % 12 + 1, row % 28 + 1);
    }
    let base = || {
        let folder = folder().with("long.csv", &long);
        good(&folder, &["import", "first.csv"]);
        folder
    };
    let done = base();
    let before = dump(&done);
    good(&done, &["import", "long.csv"]);
    let after = dump(&done);
    for milliseconds in [2, 4, 8, 12, 16, 24, 32, 48, 64, 96] {
        let folder = base();
        let mut child = folder.command().args(["import", "long.csv", "-q"]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = dump(&folder);
        assert!(left == before || left == after, "killed after {milliseconds} ms: {left}");
        good(&folder, &["doctor"]);
        good(&folder, &["import", "long.csv"]);
        assert_eq!(dump(&folder), after);
    }
}
