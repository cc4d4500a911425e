//! Price tables become panels: alignment, selection, bad rows, folders, threads.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

use std::path::{Path, PathBuf};

use lotwise_core::{Date, Symbol};
use lotwise_market::table::{ColumnData, write_parquet};
use lotwise_market::{AssetIdx, Error, Field, IssueKind, LoadOptions, Loaded, Panel};

pub fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

pub fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

/// `date ticker open high low close adj_close volume`, one row a line, as CSV.
pub const HEADER: &str = "date,ticker,open,high,low,close,adj_close,volume\n";

pub fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The same rows as a Parquet table; a cell `-` is missing.
pub fn parquet_of(folder: &Path, name: &str, csv: &str) -> PathBuf {
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let number = |at: usize| rows.iter().map(|row| row[at].parse().unwrap_or(f64::NAN)).collect::<Vec<f64>>();
    let dates: Vec<_> = rows.iter().map(|row| Date::parse(row[0]).ok()).collect();
    let tickers: Vec<_> = rows.iter().map(|row| (row[1] != "-").then_some(row[1])).collect();
    let numbers: Vec<Vec<f64>> = (2..7).map(number).collect();
    let volumes: Vec<Option<i64>> = rows.iter().map(|row| row[7].parse().ok()).collect();
    let path = folder.join(name);
    write_parquet(
        &path,
        &[
            ("date", ColumnData::Date(&dates)),
            ("ticker", ColumnData::Text(&tickers)),
            ("open", ColumnData::Float(&numbers[0])),
            ("high", ColumnData::Float(&numbers[1])),
            ("low", ColumnData::Float(&numbers[2])),
            ("close", ColumnData::Float(&numbers[3])),
            ("adj_close", ColumnData::Float(&numbers[4])),
            ("volume", ColumnData::Integer(&volumes)),
        ],
    )
    .unwrap();
    path
}

fn load(path: impl AsRef<Path>) -> Loaded {
    Panel::load(path, &LoadOptions::default()).unwrap()
}

/// Every bar of a panel as text.
fn bars(panel: &Panel) -> Vec<String> {
    let mut lines = Vec::new();
    for asset in panel.assets() {
        for (at, _) in panel.full_mask(asset).iter().enumerate().filter(|(_, present)| **present) {
            let values = Field::ALL.map(|field| panel.full_history(asset, field)[at].to_string());
            lines.push(format!("{},{},{}", panel.sessions()[at], panel.symbols()[asset.0], values.join(",")));
        }
    }
    lines
}

/// Rows in disorder: dates fall, symbols alternate, one symbol is spelled in two ways.
const MIXED: &str = "date,ticker,open,high,low,close,adj_close,volume
2024-01-03,brk.b,10,11,9,10.5,10.25,100
2024-01-02,AAA,1,1,1,1,1,5
2024-01-02,BRK-B,9,10,8,9.5,9.25,90
2024-01-04,AAA,2,3,1,2,2,0
";

#[test]
fn rows_in_any_order_align_on_the_union_of_sessions() {
    let folder = tempfile::tempdir().unwrap();
    for path in [write(folder.path(), "p.csv", MIXED), parquet_of(folder.path(), "p.parquet", MIXED)] {
        let loaded = load(&path);
        let panel = &loaded.panel;
        assert_eq!(panel.symbols(), [symbol("AAA"), symbol("BRK-B")]);
        assert_eq!(panel.sessions(), ["2024-01-02", "2024-01-03", "2024-01-04"].map(date));
        assert_eq!(
            bars(panel),
            [
                "2024-01-02,AAA,1,1,1,1,1,5",
                "2024-01-04,AAA,2,3,1,2,2,0",
                "2024-01-02,BRK-B,9,10,8,9.5,9.25,90",
                "2024-01-03,BRK-B,10,11,9,10.5,10.25,100",
            ]
        );
        assert!(panel.full_history(AssetIdx(0), Field::Volume)[1].is_nan(), "a gap is not a zero");
        assert_eq!(loaded.rows, 4);
        let kinds: Vec<_> = loaded.issues.kept().iter().map(|issue| issue.kind).collect();
        assert_eq!(kinds, [IssueKind::Unsorted], "{}", path.display());
    }
}

#[test]
fn every_bad_row_is_named_and_the_good_rows_stay() {
    let bad = "date,ticker,open,high,low,close,adj_close,volume
2024-01-02,AAA,1,1,1,1,1,5
2024-01-03,AAA,NaN,1,1,1,1,5
2024-01-04,AAA,1,1,1,-1,1,5
2024-01-05,AAA,1,1,1,0,1,5
2024-01-08,AAA,3,2,1,2,2,5
2024-01-09,AAA,1,1,1,1,1,-5
2024-01-10,AAA,1e13,1e13,1e13,1e13,1,5
2024-01-06,AAA,1,1,1,1,1,5
2024-01-02,AAA,1,1,1,1,1,5
2024-01-02,AAA,1,1,1,1,1.1,5
2024-01-11,A*A,1,1,1,1,1,5
2024-01-12,AAA,1,1,1,1,1,5
2040-01-12,AAA,1,1,1,1,1,5
";
    let expected = [
        (IssueKind::NotASession, 9, "2024-01-06"),
        (IssueKind::BadSymbol, 12, "2024-01-11"),
        (IssueKind::NotASession, 14, "2040-01-12"),
        (IssueKind::Duplicate, 10, "2024-01-02"),
        (IssueKind::Conflict, 11, "2024-01-02"),
        (IssueKind::NotFinite, 3, "2024-01-03"),
        (IssueKind::NotPositive, 4, "2024-01-04"),
        (IssueKind::NotPositive, 5, "2024-01-05"),
        (IssueKind::RangeDisorder, 6, "2024-01-08"),
        (IssueKind::NegativeVolume, 7, "2024-01-09"),
        (IssueKind::TooLarge, 8, "2024-01-10"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (path, first_row) in [(write(folder.path(), "p.csv", bad), 0), (parquet_of(folder.path(), "p.parquet", bad), 1)]
    {
        let loaded = load(&path);
        assert_eq!(bars(&loaded.panel), ["2024-01-02,AAA,1,1,1,1,1,5", "2024-01-12,AAA,1,1,1,1,1,5"]);
        let mut found: Vec<_> = loaded
            .issues
            .kept()
            .iter()
            .filter(|issue| issue.kind != IssueKind::Unsorted)
            .map(|issue| (issue.kind, issue.row.unwrap() + first_row, issue.date.unwrap().to_string()))
            .collect();
        let mut wanted = expected.map(|(kind, row, day)| (kind, row, day.to_owned()));
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{}", path.display());
        assert_eq!(loaded.issues.dropped_rows(), 11);
    }
}

#[test]
fn text_that_is_no_number_or_date_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{HEADER}2024-01-02,AAA,1,1,1,1,1,5\n01/03/2024,AAA,1,1,1,1,1,5\n2024-01-04,AAA,1,1,1,\"1,5\",1,5\n2024-01-05,AAA,1\n2024-01-08,AAA,1,1,1,,1,5\n2024-01-09,,1,1,1,1,1,5\n"
    );
    let loaded = load(write(folder.path(), "p.csv", text));
    let found: Vec<_> = loaded.issues.kept().iter().map(|issue| (issue.kind.as_str(), issue.row.unwrap())).collect();
    assert_eq!(found, [("bad_date", 3), ("bad_number", 4), ("bad_row", 5), ("bad_symbol", 7), ("not_finite", 6)]);
    assert!(loaded.issues.kept()[1].message.contains("\"1,5\" is not a number"));
    assert_eq!(loaded.panel.n_sessions() - 1, 1, "the blank close leaves its session without a bar");
}

#[test]
fn symbols_and_dates_select_and_an_absent_symbol_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = parquet_of(folder.path(), "p.parquet", MIXED);
    let options = LoadOptions {
        symbols: Some([symbol("BRK-B"), symbol("ZZZ")].into()),
        from: Some(date("2024-01-03")),
        to: Some(date("2024-01-03")),
    };
    let loaded = Panel::load(&path, &options).unwrap();
    assert_eq!(bars(&loaded.panel), ["2024-01-03,BRK-B,10,11,9,10.5,10.25,100"]);
    let issue = &loaded.issues.kept()[0];
    assert_eq!((issue.kind, issue.symbol.clone()), (IssueKind::SymbolNotFound, Some(symbol("ZZZ"))));
}

#[test]
fn a_missing_adjusted_close_is_stood_in_for_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = "Date,Symbol,Open,High,Low,Close,Volume,extra\n2024-01-02,AAA,1,2,1,1.5,7,x\n";
    let loaded = load(write(folder.path(), "p.csv", text));
    assert_eq!(bars(&loaded.panel), ["2024-01-02,AAA,1,2,1,1.5,1.5,7"]);
    assert_eq!(loaded.issues.counts().keys().copied().collect::<Vec<_>>(), [IssueKind::AdjustedCloseMissing]);
}

#[test]
fn a_folder_merges_its_price_tables_and_keeps_the_first_bar_of_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let main = format!("{HEADER}2024-01-02,AAA,1,1,1,1,1,5\n2024-01-03,AAA,1,1,1,1,1,5\n");
    let former =
        format!("{HEADER}2024-01-03,AAA,2,2,2,2,2,5\n2024-01-02,OLD,3,3,3,3,3,5\n2024-01-02,AAA,1,1,1,1,1,5\n");
    parquet_of(folder.path(), "prices_daily.parquet", &main);
    write(folder.path(), "prices_daily_former.csv", former);
    write(folder.path(), "tickers.csv", "ticker\nAAA\n");
    let loaded = load(folder.path());
    assert_eq!(
        bars(&loaded.panel),
        ["2024-01-02,AAA,1,1,1,1,1,5", "2024-01-03,AAA,1,1,1,1,1,5", "2024-01-02,OLD,3,3,3,3,3,5"]
    );
    assert_eq!(loaded.files.len(), 2);
    let counts: Vec<_> = loaded.issues.counts().iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, [("duplicate", 1), ("conflict", 1), ("unsorted", 1)]);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Panel::load(empty.path(), &LoadOptions::default()), Err(Error::NoPriceTable { .. })));
}

#[test]
fn a_panel_survives_being_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let panel = load(write(folder.path(), "p.csv", MIXED)).panel;
    let path = folder.path().join("copy.parquet");
    panel.write_parquet(&path).unwrap();
    let again = load(&path);
    assert_eq!(bars(&again.panel), bars(&panel));
    assert!(again.issues.is_empty(), "{:?}", again.issues);
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEADER.to_owned();
    let calendar = lotwise_core::Calendar::new_york();
    for (position, session) in calendar.between(date("2020-01-01"), date("2021-12-31")).iter().enumerate() {
        for name in ["CCC", "AAA", "BBB"] {
            let close = 10.0 + (position * name.len() % 7) as f64;
            text += &format!("{session},{name},{close},{close},{close},{close},{close},{position}\n");
            if position % 50 == 0 {
                text += &format!("{session},{name},{close},{close},{close},{},{close},{position}\n", close + 1.0);
            }
        }
    }
    let path = parquet_of(folder.path(), "prices.parquet", &text);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let loaded = pool.install(|| load(&path));
        (bars(&loaded.panel), loaded.issues)
    };
    let (one, many) = (with(1), with(7));
    assert_eq!(one, many);
    assert_eq!(one.1.dropped_rows(), 33);
}

#[test]
fn the_view_of_a_day_holds_nothing_later() {
    let folder = tempfile::tempdir().unwrap();
    let early = format!("{HEADER}2024-01-02,AAA,1,1,1,1,1,5\n2024-01-03,AAA,2,2,2,2,2,5\n");
    let (one, other) = (format!("{early}2024-01-04,AAA,3,3,3,3,3,5\n"), format!("{early}2024-01-04,AAA,9,9,9,9,9,9\n"));
    let panels = [load(write(folder.path(), "a.csv", one)).panel, load(write(folder.path(), "b.csv", other)).panel];
    let seen = panels.each_ref().map(|panel| {
        let view = panel.as_of(date("2024-01-03")).unwrap();
        let asset = view.asset(&symbol("AAA")).unwrap();
        let columns = Field::ALL.map(|field| view.column(asset, field).to_vec());
        (
            view.sessions().to_vec(),
            columns,
            view.last_adj_closes(asset, 9),
            view.earlier(lotwise_market::SessionIdx(2)).end(),
        )
    });
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].2, [1.0, 2.0]);
    assert_eq!(panels[0].as_of(date("2024-01-01")).map(|view| view.date()), None);
}
