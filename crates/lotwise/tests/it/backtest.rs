//! Backtests and evaluations as a person runs them.

use crate::program::Folder;

/// Prices of three symbols over about 100 sessions, waves of different length.
fn prices() -> String {
    let mut text = String::from("date,ticker,open,high,low,close,adj_close,volume\n");
    for (ticker, length, step) in [("AAA", 7.0, 0.02), ("BBB", 11.0, 0.015), ("CCC", 5.0, 0.01)] {
        let mut before = 100.0;
        let calendar = lotwise_core::Calendar::new_york();
        let day = |text| lotwise_core::Date::parse(text).unwrap();
        for (at, date) in calendar.between(day("2020-01-02"), day("2021-06-30")).iter().enumerate() {
            let close = 100.0 * (1.0 + 0.0005 * at as f64) * (1.0 + step * (at as f64 / length).sin());
            let (high, low) = (close.max(before), close.min(before));
            text.push_str(&format!("{date},{ticker},{before:.4},{high:.4},{low:.4},{close:.4},{close:.4},100000\n"));
            before = close;
        }
    }
    text
}

const CONFIG: &str = r#"
prices = "prices.csv"
from = "2021-01-04"
to = "2021-06-30"
universe = "listed"
symbols = ["AAA", "BBB", "CCC"]
[[run]]
strategy = "equal-weight"
[[run]]
strategy = "harvester"
[costs]
basis_points = [0, 10]
[statistics]
resamples = 100
windows = [14]
"#;

fn folder() -> Folder {
    Folder::new().with("prices.csv", prices()).with("run.toml", CONFIG)
}

#[test]
fn a_backtest_prints_its_figures_and_writes_down_that_it_was_run() {
    let folder = folder();
    let arguments = ["backtest", "-c", "run.toml", "--trials", "t.ndjson", "--json", "--report", "out.html"];
    let ran = folder.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let data = ran.json()["data"].clone();
    assert_eq!((data["trials"]["configurations"].as_u64(), data["runs"].as_array().unwrap().len()), (Some(4), 4));
    let run = &data["runs"][1];
    for key in ["final", "after_tax", "liquidation", "step_up"] {
        assert!(run["values"][key].as_str().unwrap().parse::<f64>().unwrap() > 90_000.0, "{run}");
    }
    let alpha = &run["alpha"];
    let parts: f64 =
        ["cash_timing", "beta", "selection", "cost", "tax"].iter().map(|key| alpha[key].as_f64().unwrap()).sum();
    assert!((parts - alpha["total"].as_f64().unwrap()).abs() < 1e-12);
    assert!(alpha["cost"].as_f64().unwrap() < 0.0 && run["before_tax"]["sharpe"].is_f64());
    let page = std::fs::read_to_string(folder.path("out.html")).unwrap();
    let (pictures, marks) = (page.matches("<svg").count(), page.matches(">SIMULATED<").count());
    assert!(pictures >= 16 && pictures == marks, "{marks} of {pictures} pictures say that they are simulated");
    assert!(!page.contains("<script") && !page.contains("http://") || page.contains("www.w3.org"));
    // The report is there now; the same configurations are no new trials.
    assert_eq!(folder.run(&arguments).code, 5);
    let again = folder.run(&["backtest", "-c", "run.toml", "--trials", "t.ndjson", "--json", "--threads", "1"]);
    let trials = again.json()["data"]["trials"].clone();
    assert_eq!((trials["configurations"].as_u64(), trials["runs"].as_u64()), (Some(4), Some(8)));
    assert_eq!(again.json()["data"]["runs"], data["runs"], "threads change nothing");
    let text = std::fs::read_to_string(folder.path("t.ndjson")).unwrap();
    let without_first: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    std::fs::write(folder.path("t.ndjson"), without_first).unwrap();
    assert_eq!(folder.run(&["backtest", "-c", "run.toml", "--trials", "t.ndjson"]).code, 7);
}

#[test]
fn a_configuration_that_is_wrong_is_named() {
    for (from, to, code, told) in [
        ("universe", "univers", 2, "univers"),
        ("harvester", "haruspex", 2, "haruspex"),
        ("\"CCC\"]", "\"CCC\", \"XYZ\"]", 6, "XYZ"),
        ("2021-06-30", "2020-06-30", 2, "later than from"),
        ("prices.csv", "nothing.csv", 6, "nothing.csv"),
        ("[0, 10]", "[-1]", 2, "cost_bps"),
    ] {
        let folder = Folder::new().with("prices.csv", prices()).with("run.toml", CONFIG.replace(from, to));
        let ran = folder.run(&["backtest", "-c", "run.toml"]);
        assert_eq!(ran.code, code, "{told}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

const SNAPSHOTS: &str =
    "snapshot_date,ticker,price,pe,dividend_yield_pct,eps,book_value_ps,market_cap,price_sales,price_book\n";

#[test]
fn a_backtest_by_market_value_says_whose_it_does_not_know() {
    let config = CONFIG.replace("\"harvester\"", "\"cap-weight\"").replace("[0, 10]", "[0]");
    let table = |values: &str| format!("{SNAPSHOTS}2020-12-01,AAA,100,,,,,{values},,\n");
    let folder = Folder::new().with("prices.csv", prices()).with("run.toml", config);
    let write = |text: &str| std::fs::write(folder.path("fundamentals_snapshots.csv"), text).unwrap();
    let run = || folder.run(&["backtest", "-c", "run.toml", "--trials", "t.ndjson", "--json"]);
    // A table without a single market value is none.
    write(&table(""));
    let ran = run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stdout.contains("fundamentals_snapshots"), "{}", ran.stdout);
    write(&table("5"));
    let ran = run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("1 of 3 assets ever have a market value"), "{}", ran.stdout);
    let configurations = |ran: &crate::program::Ran| ran.json()["data"]["trials"]["configurations"].as_u64();
    assert_eq!(configurations(&ran), Some(2));
    // Other market values are other data for the strategy that weighs by them, and for it alone.
    write(&format!("{}2020-12-01,BBB,100,,,,,7,,\n2020-12-01,CCC,100,,,,,7,,\n", table("5")));
    let ran = run();
    assert_eq!((ran.code, configurations(&ran)), (0, Some(3)), "{}", ran.stderr);
    assert!(!ran.stdout.contains("market value;"), "{}", ran.stdout);
    // Values of companies that are not in the universe do not help those that are.
    write(&table("5").replace("AAA", "ZZZ"));
    let ran = run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("none of the 3 assets ever has a market value"), "{}", ran.stdout);
}

#[test]
fn an_evaluation_has_the_keys_that_programs_read() {
    let folder = folder();
    let ran = folder.run(&[
        "evaluate",
        "--policy",
        "risk-parity",
        "--prices",
        "prices.csv",
        "--from",
        "2021-01-04",
        "--windows",
        "14,30",
        "--json",
        "--trials",
        "t.ndjson",
        "--benchmark",
        "AAA",
        "--objective",
        "capital-preserve",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let data = ran.json()["data"].clone();
    let window = &data["windows"][0];
    for key in ["ret", "ret_after_tax", "ret_ew", "ret_ew_cash_matched", "ret_benchmark", "turnover", "cash"] {
        assert!(window[key].is_f64(), "{key}: {window}");
    }
    assert_eq!((window["length"].as_u64(), window["objective"].as_str()), (Some(14), Some("CAPITAL_PRESERVE")));
    assert!(window["costs"].is_string() && window["tax"].is_string() && window["seed"] == 0);
    assert_eq!(data["summary"].as_array().unwrap().len(), 2);
    let keys = "mean_alpha ci_low ci_high mean_alpha_cash_matched cm_ci_low cm_ci_high mean_after_tax_alpha at_ci_low at_ci_high hit_rate";
    assert!(keys.split(' ').all(|key| data["summary"][0][key].is_f64()), "{data}");
    for (policy, code) in [("cap-weight", 2), ("risk-paritty", 2)] {
        let ran = folder.run(&["evaluate", "--policy", policy, "--prices", "prices.csv"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
    }
}
