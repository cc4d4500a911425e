//! `tax estimate`.

use crate::program::Folder;

#[test]
fn a_year_is_shown_with_its_parts_and_assumptions() {
    // Public figures: wages 400,000 and a long-term gain of 200,000, single, 2025.
    let arguments =
        ["tax", "estimate", "--year", "2025", "--status", "single", "--wages", "400000", "--long-term-gain", "200000"];
    insta::assert_snapshot!(Folder::new().run(&arguments).all());
    let mut with_json = arguments.to_vec();
    with_json.push("--json");
    let ran = Folder::new().run(&with_json);
    insta::assert_snapshot!("tax_estimate_json", serde_json::to_string_pretty(&ran.json()).unwrap());
}

#[test]
fn a_loss_year_leaves_carryovers_by_character() {
    let ran = Folder::new().run(&[
        "tax",
        "estimate",
        "--year",
        "2026",
        "--status",
        "single",
        "--wages",
        "90000",
        "--ordinary-dividends",
        "500",
        "--qualified-dividends",
        "4000",
        "--short-term-gain",
        "-7000",
        "--long-term-gain",
        "-6000",
        "--json",
    ]);
    let json = ran.json();
    assert_eq!(json["data"]["regular_tax"], "11020.00");
    assert_eq!(json["data"]["carryover"]["short_term"], "4000.00");
    assert_eq!(json["data"]["carryover"]["long_term"], "6000.00");
    assert_eq!(json["warnings"][0]["code"], "tax-tables");
}

#[test]
fn flat_rates_are_labelled_as_the_simplification_they_are() {
    let ran = Folder::new().run(&["tax", "estimate", "--year", "2025", "--mode", "flat", "--long-term-gain", "1000"]);
    insta::assert_snapshot!(ran.all());
}

#[test]
fn privacy_masks_the_amounts_and_leaves_the_rates() {
    let ran = Folder::new().run(&["tax", "estimate", "--year", "2025", "--wages", "123456", "--privacy", "--json"]);
    assert!(!ran.stdout.contains("123456"), "{}", ran.stdout);
    assert_eq!(ran.json()["data"]["total_tax"], "•••");
}
