//! Settings from files, variables and flags.

use crate::program::Folder;

const FLAT: [&str; 7] = ["tax", "estimate", "--year", "2025", "--mode", "flat", "--short-term-gain=1000"];

#[test]
fn the_flag_wins_over_the_variable_and_the_variable_over_the_file() {
    let total = |folder: &Folder, more: &[&str]| {
        let mut arguments = FLAT.to_vec();
        arguments.extend(more);
        arguments.push("--json");
        folder.run(&arguments).json()["data"]["total_tax"].clone()
    };
    let folder = Folder::new();
    assert_eq!(total(&folder, &[]), "240.00");
    let folder = folder.with("lotwise.toml", "short_rate = 0.30\n");
    assert_eq!(total(&folder, &[]), "300.00");
    let folder = folder.set("LOTWISE_SHORT_RATE", "0.32");
    assert_eq!(total(&folder, &[]), "320.00");
    assert_eq!(total(&folder, &["--short-rate", "0.10"]), "100.00");
}

#[test]
fn an_unknown_key_is_an_error_that_offers_the_nearest_one() {
    let folder = Folder::new().with("lotwise.toml", "# rates\nshortrate = 0.30\nstatus = \"single\"\n");
    insta::assert_snapshot!(folder.run(&FLAT).all());
    let folder = Folder::new().set("LOTWISE_LONG_RATE", "15");
    let ran = folder.run(&FLAT);
    assert!(ran.code == 2 && ran.stderr.contains("LOTWISE_LONG_RATE") && ran.stderr.contains("0.24"), "{}", ran.all());
}
