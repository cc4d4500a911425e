//! `data check`, `data describe` and `data features`.

use std::fmt::Write;

use lotwise_core::{Calendar, Date};

use crate::program::Folder;

const HEADER: &str = "date,ticker,open,high,low,close,adj_close,volume\n";

/// Two symbols over 300 sessions, wandering by a fixed rule.
fn prices() -> String {
    let first = Date::parse("2023-01-03").unwrap();
    let calendar = Calendar::new_york();
    let sessions = calendar.between(first, Date::MAX);
    let mut text = HEADER.to_owned();
    for (symbol, start) in [("ALFA", 50.0_f64), ("BETA", 20.0)] {
        let mut close = start;
        for (at, session) in sessions.iter().take(300).enumerate() {
            let open = close;
            close *= 1.0 + 0.02 * f64::sin(at as f64 * start) + 0.001;
            let (low, high) = (open.min(close) * 0.99, open.max(close) * 1.01);
            let volume = 10_000 + 37 * at;
            writeln!(text, "{session},{symbol},{open:.4},{high:.4},{low:.4},{close:.4},{close:.4},{volume}").unwrap();
        }
    }
    text
}

#[test]
fn a_clean_table_has_no_errors_and_a_broken_one_names_symbol_and_date() {
    let folder = Folder::new().with("prices.csv", prices());
    let clean = folder.run(&["data", "check", "prices.csv"]);
    assert_eq!(clean.code, 0, "{}", clean.all());
    let mut lines: Vec<String> = prices().lines().map(str::to_owned).collect();
    lines[10] = lines[10].replace(",ALFA,", ",ALFA,NaN,").splitn(9, ',').take(8).collect::<Vec<_>>().join(",");
    lines[20] = format!("{},ALFA,-1,1,-1,1,1,5", &lines[20][..10]);
    lines.push(format!("{},BETA,1,1,1,1,1,5", &lines[30][..10]));
    lines.push("2023-01-01,BETA,1,1,1,1,1,5".to_owned());
    let folder = Folder::new().with("prices.csv", lines.join("\n"));
    let broken = folder.run(&["data", "check", "prices.csv", "--json"]);
    assert_eq!(broken.code, 7, "{}", broken.all());
    let json = broken.json();
    let findings = json["data"]["findings"].as_array().unwrap();
    for (kind, symbol) in
        [("not_finite", "ALFA"), ("not_positive", "ALFA"), ("conflict", "BETA"), ("not_a_session", "BETA")]
    {
        assert!(
            findings
                .iter()
                .any(|found| found["kind"] == kind && found["symbol"] == symbol && found["date"].is_string()),
            "{kind} of {symbol} in {findings:?}"
        );
    }
}

#[test]
fn a_folder_is_described() {
    let folder =
        Folder::new().with("prices.csv", prices()).with("tickers.csv", "ticker,name,gics_sector\nALFA,Alfa,Energy\n");
    insta::assert_snapshot!(folder.run(&["data", "describe", "."]).all());
    let json = folder.run(&["data", "describe", ".", "--json"]).json();
    assert_eq!(json["data"]["bars"], 600);
    assert_eq!(json["data"]["symbols"][0]["sector"], "Energy");
}

#[test]
fn features_are_one_row_per_symbol_and_session() {
    let folder = Folder::new().with("prices.csv", prices());
    let arguments = ["data", "features", "prices.csv", "--symbols", "BETA,ALFA", "--from", "2024-03-12", "--json"];
    let ran = folder.run(&arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json = ran.json();
    assert_eq!(json["schema"], "lotwise.data-features/1");
    let rows = json["data"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[0]["symbol"], &rows[0]["date"]), (&"ALFA".into(), &"2024-03-12".into()));
    assert_eq!(rows[0]["features"].as_object().map(serde_json::Map::len), Some(16));
    assert_eq!(rows[0]["metadata"].as_object().map(serde_json::Map::len), Some(50));
    assert!(rows[0]["metadata"]["earnings_yield"].is_null());
    let values = rows.iter().filter_map(|row| row["features"]["log_return_1"].as_f64());
    assert_eq!(values.filter(|value| value.abs() < 0.05).count(), 4);
    // The same rows whatever is asked beside them: nothing looks ahead or aside.
    let later = folder.run(&["data", "features", "prices.csv", "--symbols", "ALFA", "--to", "2024-03-12", "--json"]);
    assert_eq!(later.json()["data"]["rows"].as_array().unwrap().last(), rows.first());
}

#[test]
fn features_go_into_a_file_that_is_whole_or_not_there() {
    let folder = Folder::new().with("prices.csv", prices());
    let ran = folder.run(&["data", "features", "prices.csv", "--out", "features.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let table = lotwise_market::table::Table::open(folder.path("features.parquet")).unwrap();
    assert_eq!((table.n_rows(), table.columns().len()), (600, 3 + 16 + 50));
    let ran = folder.run(&["data", "features", "prices.csv", "--out", "no/such/folder.parquet"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
}

#[test]
fn unknown_symbols_and_empty_spans_are_told_with_what_there_is() {
    let folder = Folder::new().with("prices.csv", prices());
    let ran = folder.run(&["data", "features", "prices.csv", "--symbols", "ALFFA"]);
    assert!(ran.code == 6 && ran.stderr.contains("did you mean ALFA?"), "{}", ran.all());
    let ran = folder.run(&["data", "features", "prices.csv", "--from", "2030-01-01"]);
    assert!(ran.code == 6 && ran.stderr.contains("2024-03-13"), "{}", ran.all());
    let ran = folder.run(&["data", "describe", "nowhere.parquet", "--json"]);
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (6, &"no-such-file".into()));
    let folder =
        Folder::new().with("prices.csv", "date,ticker,open,high,low,close,volume\n2024-01-02,ALFA,1,1,1,1,5\n");
    assert_eq!(folder.run(&["data", "check", "prices.csv"]).code, 0);
    let folder = Folder::new().with("prices.csv", "date,ticker,open,high,low,volume\n2024-01-02,ALFA,1,1,1,5\n");
    let ran = folder.run(&["data", "check", "prices.csv"]);
    assert!(ran.code == 3 && ran.stderr.contains("close"), "{}", ran.all());
    for (name, content) in [("prices.parquet", &b"PAR1 and then nothing"[..]), ("prices.csv", b"")] {
        assert_eq!(Folder::new().with(name, content).run(&["data", "check", name]).code, 3, "{name}");
    }
}
