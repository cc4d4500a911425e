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
