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

#[test]
fn a_year_of_exports_is_added_with_its_wash_sales() {
    let history = "\
date,action,symbol,shares,price,amount,fees,account
2022-01-03,buy,ALFA,100,10,-1000,0,T
2023-03-01,sell,ALFA,40,15,600,0,T
2023-04-03,buy,BETA,10,20,-200,0,T
2023-12-20,sell,BETA,10,15,150,0,T
2024-01-05,buy,BETA,4,15,-60,0,T
2023-06-01,dividend,ALFA,,,30,0,T
2023-07-01,interest,,,,5,0,T
";
    let folder = Folder::new().with("a.csv", history);
    let arguments =
        ["tax", "estimate", "--year", "2023", "--status", "single", "--wages", "60000", "--history", "a.csv"];
    let ran = folder.run(&[&arguments[..], &["--qualified-dividends", "20", "--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.all());
    let input = &ran.json()["data"]["input"];
    // Four of the ten shares sold at a loss of 5 each were bought back in January.
    assert_eq!((&input["short_term_gain"], &input["long_term_gain"]), (&"-30.00".into(), &"200.00".into()));
    assert_eq!(
        (&input["qualified_dividends"], &input["ordinary_dividends_nonqualified"], &input["interest"]),
        (&"20.00".into(), &"10.00".into(), &"5.00".into())
    );
    let ran = folder.run(&[&arguments[..], &["--qualified-dividends", "31"]].concat());
    assert!(ran.code == 2 && ran.stderr.contains("dividends"), "{}", ran.all());
    let sold_only =
        Folder::new().with("a.csv", "date,action,symbol,shares,price,amount,fees\n2023-03-01,sell,ALFA,4,15,60,0\n");
    let ran = sold_only.run(&arguments);
    assert!(matches!(ran.code, 3 | 6), "{}", ran.all());
}
