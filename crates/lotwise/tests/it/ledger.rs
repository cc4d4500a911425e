//! The ledger as people meet it: import, list, undo, and the commands that use what was imported.

use crate::program::{Folder, Ran};

/// Four rows of an account.
pub const FIRST: &str = "\
date,action,symbol,shares,price,amount,fees,account,description
2024-01-02,deposit,,,,10000,0,T,
2024-01-03,buy,ALFA,10,50,-500.99,0.99,T,bought 10 at 50
2024-02-01,dividend,ALFA,,,3.50,0,T,
2024-03-01,sell,ALFA,4,60,239.50,0.50,T,
";

/// The last of them again, and two more.
pub const SECOND: &str = "\
date,action,symbol,shares,price,amount,fees,account,description
2024-03-01,sell,ALFA,4,60,239.50,0.50,T,
2024-04-01,buy,BETA,4,60,-240.50,0.50,T,
2024-05-01,dividend,BETA,,,2.25,0,T,
";

/// One of each file, and one more row.
pub const THIRD: &str = "\
date,action,symbol,shares,price,amount,fees,account,description
2024-04-01,buy,BETA,4,60,-240.50,0.50,T,
2024-02-01,dividend,ALFA,,,3.50,0,T,
2024-06-03,sell,BETA,1,70,69.90,0.10,T,
";

/// A folder with the three files, in the mode that keeps them.
pub fn folder() -> Folder {
    let folder = Folder::new().with("first.csv", FIRST).with("second.csv", SECOND).with("third.csv", THIRD);
    folder.set("LOTWISE_MODE", "ledger")
}

/// The content of the ledger.
pub fn dump(folder: &Folder) -> String {
    let ran = folder.run(&["doctor", "--dump"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    ran.stdout
}

fn good(folder: &Folder, arguments: &[&str]) -> Ran {
    let ran = folder.run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.all());
    ran
}

#[test]
fn the_same_file_again_adds_nothing() {
    let folder = folder();
    let first = good(&folder, &["import", "first.csv", "--json"]).json();
    assert_eq!((&first["mode"], &first["data"]["stored"]), (&"ledger".into(), &true.into()));
    assert_eq!(first["data"]["files"][0]["imported"], 4);
    let before = dump(&folder);
    let again = good(&folder, &["import", "first.csv", "first.csv", "--json"]).json();
    for file in again["data"]["files"].as_array().unwrap() {
        assert_eq!((&file["imported"], &file["already_known"], &file["duplicates"]), (&0.into(), &4.into(), &4.into()));
        assert_eq!(file["import"], serde_json::Value::Null);
    }
    assert_eq!(dump(&folder), before);
}

#[test]
fn rows_of_an_overlapping_file_are_told_apart_and_add_up() {
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    let foreseen = good(&folder, &["import", "--dry-run", "second.csv", "--json"]).json();
    let before = dump(&folder);
    let second = good(&folder, &["import", "second.csv", "--json"]).json();
    for file in [&foreseen["data"]["files"][0], &second["data"]["files"][0]] {
        assert_eq!((&file["rows"], &file["imported"], &file["already_known"]), (&3.into(), &2.into(), &1.into()));
    }
    assert_ne!(dump(&folder), before);
    insta::assert_snapshot!(good(&folder, &["import", "third.csv"]).all());
    let list = good(&folder, &["import", "list", "--json"]).json();
    for batch in list["data"]["imports"].as_array().unwrap() {
        let count = |key: &str| batch[key].as_i64().unwrap();
        let parts = ["imported", "already_known", "ignored", "quarantined", "duplicates"].map(count);
        assert_eq!(parts.iter().sum::<i64>(), count("rows"));
    }
}

#[test]
fn taking_an_import_back_leaves_what_the_others_say_byte_for_byte() {
    // What a ledger holds is the same whatever was imported and taken back in between.
    let others = folder();
    good(&others, &["import", "first.csv", "third.csv"]);
    let folder = folder();
    good(&folder, &["import", "first.csv"]);
    let first = dump(&folder);
    good(&folder, &["import", "second.csv"]);
    let second = dump(&folder);
    good(&folder, &["import", "third.csv"]);
    let foreseen = good(&folder, &["import", "undo", "2", "--dry-run", "--json"]).json();
    let undone = good(&folder, &["import", "undo", "2", "--json"]).json();
    assert_eq!((&undone["data"]["removed"], &undone["data"]["kept"]), (&1.into(), &2.into()));
    assert_eq!(foreseen["data"]["removed"], undone["data"]["removed"]);
    assert_eq!(dump(&folder), dump(&others));
    good(&folder, &["import", "undo", "3"]);
    assert_eq!(dump(&folder), first);
    // A number is not used twice.
    good(&folder, &["import", "second.csv"]);
    assert_eq!(dump(&folder), second);
    assert_eq!(good(&folder, &["import", "list", "--json"]).json()["data"]["imports"][1]["id"], 4);
    let ran = folder.run(&["import", "undo", "2"]);
    assert!(ran.code == 2 && ran.stderr.contains("the ledger holds: 1, 4"), "{}", ran.all());
}

#[test]
fn the_commands_say_the_same_with_the_ledger_as_with_the_files() {
    let folder = folder();
    good(&folder, &["import", "first.csv", "second.csv", "third.csv"]);
    let files = ["--history", "first.csv", "second.csv", "third.csv"];
    for command in [&["lots"][..], &["tax", "estimate", "--year", "2024", "--status", "single", "--wages", "90000"]] {
        let with_ledger = good(&folder, &[command, &["--json"]].concat()).json();
        let with_files = good(&folder, &[command, &["--json"], &files].concat()).json();
        let mut data = with_ledger["data"].clone();
        if let Some(list) = data.get_mut("assumptions").and_then(|list| list.as_array_mut()) {
            list.retain(|text| !text.as_str().unwrap_or_default().contains("imported files"));
        }
        assert_eq!(data, with_files["data"], "{command:?}");
        assert_eq!(with_ledger["mode"], "ledger");
    }
    let by_hand = ["tax", "estimate", "--year", "2024", "--status", "single", "--json", "--by-hand"];
    assert_eq!(good(&folder, &by_hand).json()["data"]["total_tax"], "0.00");
}

#[test]
fn without_a_history_and_a_ledger_it_is_said_what_to_do() {
    for command in [&["lots"][..], &["harvest"], &["recommend"], &["whatif", "sell", "ALFA", "1"]] {
        let ran = Folder::new().run(command);
        assert_eq!(ran.code, 6, "{}", ran.all());
        assert!(ran.stderr.contains("--history") && ran.stderr.contains("lotwise import"), "{}", ran.stderr);
    }
    let ran = Folder::new().run(&["import", "undo", "1"]);
    assert!(ran.code == 6 && ran.stderr.contains("there is no ledger yet"), "{}", ran.all());
}
