//! `verify`.

use crate::program::Folder;

const CASES: &str = r#"{"cases": [
  {"id": "rebought", "title": "a loss is washed", "options": {}, "accounts": [{"id": "T", "type": "taxable"}],
   "events": [
     {"date": "2024-01-02", "type": "buy", "id": "b1", "qty": "100", "amount": "1000"},
     {"date": "2024-03-01", "type": "sell", "id": "s1", "qty": "100", "amount": "750"},
     {"date": "2024-03-15", "type": "buy", "id": "b2", "qty": "100", "amount": "800"}],
   "expected": {"sales": [{"sale": "s1", "disallowed": "250"}]}}
]}"#;

#[test]
fn a_case_that_comes_out_passes_and_one_that_does_not_ends_with_7() {
    let folder = Folder::new().with("right.json", CASES).with("wrong.json", CASES.replace("\"250\"", "\"251\""));
    let right = folder.run(&["verify", "right.json", "--json"]);
    assert_eq!(right.code, 0, "{}", right.all());
    assert_eq!(right.json()["data"]["cases"][0]["pass"], true);
    let wrong = folder.run(&["verify", "right.json", "wrong.json"]);
    assert_eq!(wrong.code, 7);
    insta::assert_snapshot!(wrong.all());
}

#[test]
fn a_case_without_expectation_is_only_computed() {
    let cases = CASES.split(",\n   \"expected\"").next().unwrap().to_owned() + "}]}";
    let ran = Folder::new().with("cases.json", cases).run(&["verify", "cases.json", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let case = &ran.json()["data"]["cases"][0];
    assert!(case["pass"].is_null() && case["computed"]["sales"][0]["disallowed"].is_string(), "{case}");
    let masked = Folder::new().with("cases.json", CASES).run(&["verify", "cases.json", "--json", "--privacy"]).json();
    assert_eq!(masked["data"]["cases"][0]["computed"]["sales"][0]["disallowed"], "•••");
}

#[test]
fn files_without_cases_are_named() {
    let folder = Folder::new().with("broken.json", "{\"cases\": [").with("other.json", "{\"hello\": 1}");
    let ran = folder.run(&["verify", "broken.json", "other.json", "nowhere.json"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    for name in ["broken.json", "nowhere.json"] {
        assert!(ran.stderr.contains(name), "{}", ran.stderr);
    }
}

/// Gifts, inheritances, a spin-off, a merger with cash and a change of name.
const RECEIVED: &str = r#"{"accounts": [{"id": "T", "type": "taxable"}, {"id": "S", "type": "spouse_taxable"}], "events": [
  {"date": "2022-01-03", "type": "buy", "id": "B1", "symbol": "ACRN", "qty": "100", "amount": "5000"},
  {"date": "2022-01-04", "type": "buy", "id": "B2", "symbol": "ACRN", "account": "S", "qty": "7", "amount": "371"},
  {"date": "2023-02-01", "type": "gift", "id": "G1", "symbol": "ACRN", "qty": "10", "basis": "800", "acquired": "2019-05-06", "value": "600"},
  {"date": "2023-04-03", "type": "inherit", "id": "I1", "symbol": "OAK", "qty": "20", "value": "1000", "acquired": "2023-03-01"},
  {"date": "2023-06-01", "type": "spinoff", "symbol": "ACRN", "to": "LEAF", "ratio": "1:4", "to_new": "0.2"},
  {"date": "2023-07-03", "type": "exchange", "id": "X1", "symbol": "OAK", "to": "ELM", "ratio": "3:2", "cash": "50", "value": "1450"},
  {"date": "2023-08-01", "type": "exchange", "symbol": "LEAF", "to": "TREE", "kind": "rename", "ratio": "1"},
  {"date": "2024-01-08", "type": "sell", "id": "S1", "symbol": "ACRN", "qty": "5", "amount": "250", "lots": [{"lot": "G1", "qty": "5"}]},
  {"date": "2024-01-09", "type": "sell", "id": "S2", "symbol": "TREE", "qty": "10", "amount": "900", "lots": [{"lot": "B1/LEAF", "qty": "10"}]}]}"#;

/// These fields of all rows, without the names that each side gives to lots.
fn rows(list: &serde_json::Value, fields: &[(&str, &str)], side: fn(&(&str, &str)) -> String) -> Vec<String> {
    let text = |value: &serde_json::Value| {
        let text = value.as_str().unwrap_or("-").to_owned();
        // One side writes cents, the other as many places as there are.
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    let row =
        |row: &serde_json::Value| fields.iter().map(|names| text(&row[side(names)])).collect::<Vec<String>>().join(" ");
    let mut rows: Vec<String> = list.as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn a_ledger_read_as_a_statement_comes_to_what_the_tax_engine_makes_of_it() {
    let folder = Folder::new().with("ledger.json", RECEIVED);
    let verified = folder.run(&["verify", "ledger.json", "--json"]).json();
    let computed = &verified["data"]["cases"][0]["computed"];
    let ran = folder.run(&["lots", "--history", "ledger.json", "--as-of", "2024-02-01", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let own = &ran.json()["data"];
    let left = |names: &(&str, &str)| names.0.to_owned();
    let right = |names: &(&str, &str)| names.1.to_owned();
    let lots = [
        ("account", "account"),
        ("shares", "qty"),
        ("basis", "basis"),
        ("acquired", "acquired"),
        ("holding_from", "holding_from"),
    ];
    assert_eq!(rows(&own["open_lots"], &lots, left), rows(&computed["open_lots"], &lots, right));
    let sales = [
        ("shares", "qty"),
        ("sold", "sold"),
        ("proceeds", "proceeds"),
        ("basis", "basis"),
        ("gain", "gain"),
        ("reportable", "reportable"),
        ("term", "term"),
        ("code", "code"),
    ];
    let of_own = rows(&own["sales"], &sales, left);
    assert_eq!(of_own, rows(&computed["sales"], &sales, right));
    assert_eq!(of_own.len(), 3, "{of_own:?}");
}

#[test]
fn what_a_ledger_leaves_out_of_an_event_is_asked() {
    let without = |part: &str| RECEIVED.replace(part, "");
    for (part, key) in [
        (", \"to_new\": \"0.2\"", "allocation:ACRN>LEAF:2023-06-01"),
        (", \"value\": \"1450\"", "value:ELM@T:2023-07-03"),
        (", \"value\": \"600\"", "basis:ACRN@T:2023-02-01"),
        (", \"value\": \"1000\"", "basis:OAK@T:2023-04-03"),
    ] {
        let folder = Folder::new().with("ledger.json", without(part));
        let ran = folder.run(&["lots", "--history", "ledger.json", "--as-of", "2024-02-01"]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(ran.all().contains(key), "{part}: {}", ran.all());
    }
}
