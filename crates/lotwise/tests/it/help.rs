//! Help, completions, manual pages and a wrong command line.

use crate::program::Folder;

#[test]
fn every_command_explains_itself() {
    for command in [
        "import",
        "import undo",
        "backup",
        "restore",
        "doctor",
        "verify",
        "tax estimate",
        "data check",
        "data features",
        "prices fetch",
        "prices status",
    ] {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        let ran = Folder::new().run(&arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{command}");
        insta::assert_snapshot!(format!("help_{}", command.replace(' ', "_")), ran.stdout);
    }
    let ran = Folder::new().run(&["--version"]);
    assert_eq!(ran.stdout, format!("lotwise {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_offers_the_nearest_word_and_ends_with_2() {
    for (arguments, offered) in [
        (vec!["imprt"], "import"),
        (vec!["tax", "estimate", "--year", "2025", "--stats", "single"], "--status"),
        (vec!["tax", "estimate", "--year", "2025", "--status", "singel"], "single"),
        (vec!["lots", "--history", "a.csv", "--method", "hifi"], "hifo"),
    ] {
        let ran = Folder::new().run(&arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains(offered), "{}", ran.stderr);
        let mut with_json = arguments.clone();
        with_json.push("--json");
        let error = Folder::new().run(&with_json);
        assert_eq!(error.code, 2);
        assert_eq!(error.json()["error"]["help"], format!("did you mean {offered}?"));
    }
    for arguments in [
        &["tax", "estimate", "--year", "2017"][..],
        &["tax", "estimate", "--year", "2025", "--wages", "NaN"],
        &["tax", "estimate", "--year", "2025", "--wages", "1e99"],
        &["data", "features", ".", "--from", "2024-02-30"],
        &["import", "--dry-run", "--json", "--csv", "x"],
        &["import", "--dry-run"],
        &[],
    ] {
        assert_eq!(Folder::new().run(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn completions_and_manual_pages_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = Folder::new().run(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("estimate") && ran.stdout.contains("dry-run"), "{shell}");
    }
    let page = Folder::new().run(&["man"]);
    assert!(page.code == 0 && page.stdout.contains(".TH lotwise"));
    let folder = Folder::new();
    assert_eq!(folder.run(&["man", "--out", "pages"]).code, 0);
    assert!(folder.path("pages/lotwise-tax-estimate.1").is_file());
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    use std::io::Read;
    let folder = Folder::new();
    let mut child = folder.command().args(["completions", "zsh"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = [0; 16];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
