//! `demo`, `lots`, `harvest`, `whatif sell` and `recommend` on the bundled sample.

use serde_json::Value;

use crate::program::{Folder, Ran};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample");

/// Runs a command over a person's export and the sample's prices on its day.
fn over(person: &str, arguments: &[&str]) -> Ran {
    let file = format!("{SAMPLE}/{person}");
    let mut all: Vec<&str> = arguments.to_vec();
    all.extend(["--history", &file, "--prices", SAMPLE, "--as-of", "2026-06-30"]);
    Folder::new().run(&all)
}

fn has_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "{key} is missing in {value}");
    }
}

fn dollars(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn the_demo_shows_the_main_job_for_every_person() {
    for persona in ["trader", "longterm", "loss", "retiree"] {
        let ran = Folder::new().run(&["demo", "--persona", persona]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for part in [
            "Sample data",
            "Value after tax",
            "Worth most after tax",
            "Turning long-term next",
            "Harvesting losses",
            "--history",
        ] {
            assert!(ran.stdout.contains(part), "{persona} lacks {part}");
        }
        assert_eq!(ran.stdout, Folder::new().run(&["demo", "--persona", persona]).stdout);
    }
}

#[test]
fn the_demo_of_a_long_term_investor_reads_well() {
    insta::assert_snapshot!(Folder::new().run(&["demo"]).stdout);
}

#[test]
fn a_recommendation_has_every_key_that_programs_rely_on() {
    let json = over("trader.csv", &["recommend", "--json"]).json();
    assert_eq!(json["schema"], "lotwise.recommend/1");
    assert_eq!(json["as_of"], "2026-06-30");
    has_keys(
        &json["data"]["plan"],
        &["id", "objective", "policy", "model", "prices_as_of", "cash_weight", "expected_turnover"],
    );
    let suggestions = json["data"]["suggestions"].as_array().unwrap();
    assert!(!suggestions.is_empty());
    for suggestion in suggestions {
        has_keys(
            suggestion,
            &[
                "id",
                "symbol",
                "action",
                "current_weight",
                "target_weight",
                "shares",
                "amount",
                "lots",
                "after_tax_now",
                "after_tax_wait",
                "saving",
                "wait_until",
                "break_even_price",
                "reasons",
                "alternatives",
                "limits",
                "confidence",
                "evidence",
                "sentence",
            ],
        );
        assert_eq!(suggestion["limits"].as_array().unwrap().len(), 3);
        assert!(suggestion["alternatives"].as_array().unwrap().len() >= 2);
        for lot in suggestion["lots"].as_array().unwrap() {
            has_keys(lot, &["lot", "shares", "term", "gain", "disallowed"]);
        }
    }
}

#[test]
fn what_is_harvested_is_never_bought() {
    for person in ["trader.csv", "longterm.csv", "loss.csv", "retiree.ofx"] {
        for objective in
            ["ALPHA_VS_EW", "MAX_GAIN_1Y", "CAPITAL_PRESERVE", "INCOME_HARVEST", "LT_GAIN_ONLY", "MAX_GAIN_30D"]
        {
            let json = over(person, &["recommend", "--json", "--objective", objective]).json();
            let harvested: Vec<&Value> = json["data"]["harvest"]["candidates"]
                .as_array()
                .unwrap()
                .iter()
                .map(|found| &found["symbol"])
                .collect();
            for suggestion in json["data"]["suggestions"].as_array().unwrap() {
                assert!(
                    !(suggestion["action"] == "BUY" && harvested.contains(&&suggestion["symbol"])),
                    "{person} {objective}"
                );
            }
        }
    }
}

#[test]
fn lots_are_shown_with_dates_and_sales_with_washed_losses() {
    let json = over("loss.csv", &["lots", "--json"]).json();
    for lot in json["data"]["open_lots"].as_array().unwrap() {
        has_keys(
            lot,
            &[
                "lot",
                "account",
                "symbol",
                "shares",
                "basis",
                "acquired",
                "holding_from",
                "term",
                "first_long_term_date",
                "washed",
                "deferred_loss",
                "basis_source",
                "price",
                "value",
                "gain",
                "tax_now",
                "tax_if_long_term",
            ],
        );
    }
    let sales = json["data"]["sales"].as_array().unwrap();
    let washed: Vec<&Value> = sales.iter().filter(|sale| sale["code"] == "W").collect();
    assert!(!washed.is_empty());
    for sale in &washed {
        let matched: f64 = sale["matches"].as_array().unwrap().iter().map(|found| dollars(&found["disallowed"])).sum();
        assert!((matched - dollars(&sale["disallowed"])).abs() < 0.011, "{sale}");
        assert!((dollars(&sale["gain"]) + dollars(&sale["disallowed"]) - dollars(&sale["reportable"])).abs() < 0.011);
    }
    let soon = over("longterm.csv", &["lots", "--countdown", "30", "--json"]).json();
    assert!(soon["data"]["open_lots"].as_array().unwrap().iter().all(|lot| lot["term"] == "short"));
}

#[test]
fn a_what_if_puts_waiting_other_lots_and_nothing_beside_the_sale() {
    let json = over("longterm.csv", &["whatif", "sell", "NIMBO", "50", "--compare", "wait,all", "--json"]).json();
    let scenarios = json["data"]["scenarios"].as_array().unwrap();
    let names: Vec<&str> = scenarios.iter().map(|scenario| scenario["name"].as_str().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("wait until")), "{names:?}");
    assert_eq!(names.last(), Some(&"do nothing"));
    for scenario in scenarios {
        let cash = dollars(&scenario["proceeds"]) - dollars(&scenario["tax"]);
        assert!((cash - dollars(&scenario["cash_after_tax"])).abs() < 0.011, "{scenario}");
    }
    let least = scenarios.iter().take(1).map(|scenario| dollars(&scenario["tax"])).next().unwrap();
    let fifo = scenarios.iter().find(|scenario| scenario["name"] == "fifo lots").unwrap();
    assert!(least <= dollars(&fifo["tax"]) + 0.011);
}

#[test]
fn what_cannot_be_done_is_refused_with_a_way_out() {
    let cases: [(&str, &[&str], i32, &str); 4] = [
        ("longterm.csv", &["whatif", "sell", "NIMBU", "5"], 2, "NIMBO"),
        ("longterm.csv", &["whatif", "sell", "NIMBO", "500000"], 2, "no account holds"),
        ("longterm.csv", &["recommend", "--policy", "risk-partiy"], 2, "risk-parity"),
        ("longterm.csv", &["harvest", "--year", "2024"], 2, "2024"),
    ];
    for (person, arguments, code, told) in cases {
        let ran = over(person, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.all());
        assert!(ran.stderr.contains(told), "{arguments:?}: {}", ran.stderr);
    }
    let file = format!("{SAMPLE}/trader.csv");
    let old = Folder::new().run(&["recommend", "--history", &file, "--prices", SAMPLE, "--as-of", "2026-11-21"]);
    assert_eq!(old.code, 6, "{}", old.all());
    assert!(old.stderr.contains("--as-of 2026-06-30"));
}

#[test]
fn privacy_hides_every_amount_of_a_recommendation() {
    let open = over("trader.csv", &["recommend", "--json"]).json();
    let hidden = over("trader.csv", &["recommend", "--json", "--privacy"]);
    assert_eq!(hidden.code, 0);
    for suggestion in open["data"]["suggestions"].as_array().unwrap() {
        for key in ["amount", "after_tax_now", "saving"] {
            if let Some(amount) = suggestion[key].as_str().filter(|amount| amount.len() > 5) {
                assert!(!hidden.stdout.contains(amount.trim_start_matches('-')), "{key} {amount}");
            }
        }
        assert!(hidden.stdout.contains(suggestion["target_weight"].as_str().unwrap()));
    }
    let text = over("trader.csv", &["recommend", "--privacy"]);
    let value = open["data"]["worth"]["value"].as_str().unwrap().split('.').next().unwrap().to_owned();
    let grouped = format!("{},{}", &value[..value.len() - 3], &value[value.len() - 3..]);
    assert!(!text.stdout.contains(&grouped));
}

#[test]
fn rows_that_cannot_be_read_are_told_by_every_command_over_a_history() {
    let export = "Date,Action,Symbol,Description,Quantity,Price,Fees & Comm,Amount\n\
                  01/05/2024,Sell,AAA,X,8,-$181.00,,$1448.00\n\
                  01/02/2024,Buy,AAA,X,10,$185.00,,-$1850.00\n";
    let folder = Folder::new().with("h.csv", export);
    for arguments in
        [vec!["lots", "--history", "h.csv"], vec!["tax", "estimate", "--year", "2024", "--history", "h.csv"]]
    {
        let ran = folder.run(&arguments);
        assert_eq!(ran.code, 3, "{}", ran.all());
        assert!(ran.stderr.contains("h.csv:2"), "{}", ran.stderr);
    }
}

#[test]
fn an_account_named_as_an_ira_destroys_a_loss_that_it_replaces() {
    let head = "Run Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),\
                Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n";
    let rows = "06/07/2024,\"Rollover IRA\",\"X2\",\"YOU BOUGHT CO (AAA) (Cash)\",AAA,\"CO\",Cash,30,5,,,,-150.00,06/10/2024\n\
                06/05/2024,\"Individual\",\"X1\",\"YOU SOLD CO (AAA) (Cash)\",AAA,\"CO\",Cash,30,-10,,,,300.00,06/07/2024\n\
                01/05/2024,\"Individual\",\"X1\",\"YOU BOUGHT CO (AAA) (Cash)\",AAA,\"CO\",Cash,47,10,,,,-470.00,01/08/2024\n";
    let json =
        Folder::new().with("h.csv", format!("{head}{rows}")).run(&["lots", "--history", "h.csv", "--json"]).json();
    assert_eq!(json["data"]["permanently_disallowed"], "85.00");
    assert_eq!(json["data"]["open_lots"][0]["basis"], "150.00");
    assert!(json["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "account-kind"));
}
