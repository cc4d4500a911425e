//! `import --dry-run`: what is understood, row by row.

use crate::program::Folder;

const TRADES: &str = "\
date,action,symbol,shares,price,amount,fees,account,description
2024-01-02,deposit,,,,10000,0,T,
2024-01-03,buy,ALFA,10,50,-500.99,0.99,T,bought 10 at 50
2024-02-01,dividend,ALFA,,,3.50,0,T,
2024-03-01,sell,ALFA,4,60,239.50,0.50,T,
";

#[test]
fn a_history_is_shown_and_nothing_is_stored() {
    let folder = Folder::new().with("trades.csv", TRADES);
    insta::assert_snapshot!(folder.run(&["import", "--dry-run", "trades.csv"]).all());
    let json = folder.run(&["import", "--dry-run", "trades.csv", "--json"]);
    assert_eq!(json.stderr, "");
    insta::assert_snapshot!("import_json", serde_json::to_string_pretty(&json.json()).unwrap());
    insta::assert_snapshot!("import_csv", folder.run(&["import", "--dry-run", "trades.csv", "--csv", "-q"]).stdout);
    let mut names: Vec<String> = std::fs::read_dir(folder.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["trades.csv"]);
}

#[test]
fn rows_are_accounted_for_and_bad_ones_named_with_line_and_value() {
    let bad = TRADES.replace("2024-02-01,dividend", "2024-02-31,dividend").replace("sell,ALFA,4", "sell,ALFA,four");
    let folder = Folder::new().with("trades.csv", bad);
    insta::assert_snapshot!(folder.run(&["import", "--dry-run", "trades.csv"]).all());
    let ran = folder.run(&["import", "--dry-run", "trades.csv", "--json"]);
    assert_eq!(ran.code, 3);
    let json = ran.json();
    let file = &json["data"]["files"][0];
    assert_eq!((&file["rows"], &file["imported"]), (&4.into(), &2.into()));
    assert_eq!(file["quarantined"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["error"]["where"]["line"], 4);
}

#[test]
fn many_rows_wrong_alike_are_one_message() {
    let mut text = "date,action,symbol,shares,price,amount,fees\n".to_owned();
    for day in 0..214 {
        text += &format!("2024-01-02,buy,ALFA,1,{day}.5x,-10,0\n");
    }
    let ran = Folder::new().with("a.csv", text).run(&["import", "--dry-run", "a.csv"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("214 rows like this"), "{}", ran.stderr);
    assert!(ran.stderr.lines().count() < 20, "{}", ran.stderr);
}

#[test]
fn privacy_leaves_no_amount_in_any_form() {
    let folder = Folder::new().with("trades.csv", TRADES);
    for form in [&["--json"][..], &["--csv"], &[]] {
        let mut arguments = vec!["import", "--dry-run", "trades.csv", "--privacy"];
        arguments.extend(form);
        let ran = folder.run(&arguments);
        assert_eq!(ran.code, 0);
        for amount in ["10000", "10,000", "500.99", "0.99", "3.5", "239.5", "239", "bought 10"] {
            assert!(!ran.stdout.contains(amount) && !ran.stderr.contains(amount), "{amount} in {}", ran.stdout);
        }
        assert!(ran.stdout.contains("•••"));
    }
}

#[test]
fn an_account_is_chosen_or_named() {
    let two = TRADES.replace("2024-03-01,sell,ALFA,4,60,239.50,0.50,T", "2024-03-01,deposit,,,,5,0,U");
    let folder = Folder::new().with("two.csv", two).with("one.csv", TRADES.replace(",T,", ",,"));
    let ran = folder.run(&["import", "--dry-run", "two.csv"]);
    assert!(ran.code == 0 && ran.stderr.contains("2 accounts"), "{}", ran.stderr);
    let one = folder.run(&["import", "--dry-run", "two.csv", "--account", "U", "--json"]).json();
    let file = &one["data"]["files"][0];
    assert_eq!((&file["rows"], &file["imported"]), (&4.into(), &1.into()));
    assert_eq!(file["ignored"].as_array().map(Vec::len), Some(3));
    let ran = folder.run(&["import", "--dry-run", "two.csv", "--account", "V"]);
    assert!(ran.code == 2 && ran.stderr.contains("there are T, U"), "{}", ran.stderr);
    let named = folder.run(&["import", "--dry-run", "one.csv", "--account", "Joint", "--json"]).json();
    assert_eq!(named["data"]["transactions"][0]["account"], "Joint");
}

#[test]
fn formats_are_listed() {
    let ran = Folder::new().run(&["import", "formats", "--json"]);
    assert_eq!(ran.code, 0);
    let json = ran.json();
    let ids: Vec<&str> = json["data"]["formats"].as_array().unwrap().iter().filter_map(|f| f["id"].as_str()).collect();
    for id in ["lotwise-csv", "lotwise-ledger-json", "schwab-transactions-csv", "ibkr-flex-xml", "ofx-investment"] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    let wrong = Folder::new().with("a.csv", TRADES).run(&["import", "--dry-run", "a.csv", "--as", "ibkr-flex-xm"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("did you mean ibkr-flex-xml?"), "{}", wrong.stderr);
}

#[test]
fn colours_only_on_a_terminal() {
    let folder = Folder::new().with("trades.csv", TRADES).set("CLICOLOR_FORCE", "1");
    for arguments in [&["import", "--dry-run", "trades.csv"][..], &["imprt", "--no-color"]] {
        let ran = folder.run(arguments);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'));
    }
}

#[test]
fn open_questions_are_written_down_and_answered() {
    let table = "date,action,symbol,shares,price,amount\n2024-01-02,Snap up,ACRN,10,5,-50\n2024-01-03,Gossip,,,,1\n";
    let folder = Folder::new().with("a.csv", table);
    let answers = folder.path("answers.toml");
    let first = folder.run(&["import", "a.csv", "--dry-run", "--write-answers", "answers.toml"]);
    assert_eq!(first.code, 3, "{}", first.stderr);
    let text = std::fs::read_to_string(&answers).unwrap();
    assert!(text.contains("\"unknown-action:Snap up\" = \"leave out\""), "{text}");
    std::fs::write(&answers, text.replace("Snap up\" = \"leave out\"", "Snap up\" = \"buy\"")).unwrap();
    let second = folder.run(&["import", "a.csv", "--dry-run", "--answers", "answers.toml", "--json"]);
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    let json = second.json();
    assert_eq!(json["data"]["totals"]["buy"]["count"], 1);
    assert_eq!(json["data"]["files"][0]["ignored"][0]["reason"], "Gossip: left out, as answered");
    std::fs::write(&answers, "[answers]\n\"unknown-acton:x\" = \"buy\"\n\"amount-mismatch\" = \"buy\"\n").unwrap();
    let wrong = folder.run(&["import", "a.csv", "--dry-run", "--answers", "answers.toml"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("is the key of no question") && wrong.stderr.contains("use \"accept\" or"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_proposed_map_reads_its_table() {
    let table = "Trade Date,Type,Ticker,Quantity,Price,Net Amount\n01/31/2024,Bought,ACRN,10,5.00,-50.00\n";
    let folder = Folder::new().with("a.csv", table);
    let refused = folder.run(&["import", "a.csv", "--dry-run"]);
    assert!(refused.stderr.contains("--propose-map"), "{}", refused.stderr);
    let proposed = folder.run(&["import", "a.csv", "--propose-map"]);
    assert_eq!(proposed.code, 0, "{}", proposed.stderr);
    let folder = folder.with("map.toml", &proposed.stdout);
    let read = folder.run(&["import", "a.csv", "--dry-run", "--map", "map.toml", "--json"]);
    assert_eq!(read.json()["data"]["totals"]["buy"]["count"], 1, "{}{}", read.stdout, read.stderr);
    let lots = folder.run(&["lots", "--history", "a.csv", "--map", "map.toml", "--as-of", "2024-06-28"]);
    assert_eq!(lots.code, 0, "{}", lots.stderr);
    let folder = folder.with("bad.toml", "[columns]\ndate = \"Trade Date\"\nmood = \"x\"\n");
    let refused = folder.run(&["import", "a.csv", "--dry-run", "--map", "bad.toml"]);
    assert!(refused.code == 2 && refused.stderr.contains("unknown field `mood`"), "{}", refused.stderr);
}
