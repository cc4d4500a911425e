//! What `data check` and `data describe` find in a price table.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

use std::path::Path;

use lotwise_core::{Calendar, Date};
use lotwise_market::check::{CheckReport, FindingKind, Severity, check, days_of, sessions_against};
use lotwise_market::{Dataset, Sector, SideTable};

use crate::loading::{HEADER, date, parquet_of, symbol, write};

/// Sixty sessions of a symbol that climbs a little, changed by `edit` (session, [price, volume, adjustment]).
fn quiet(name: &str, mut edit: impl FnMut(usize, &mut [f64; 3])) -> String {
    let mut text = String::new();
    let calendar = Calendar::new_york();
    for (at, session) in calendar.between(date("2024-01-02"), date("2024-03-27")).iter().enumerate() {
        let mut bar = [100.0 + 0.1 * at as f64 + (at % 3) as f64 * 0.2, 1000.0 + (at % 5) as f64 * 50.0, 1.0];
        edit(at, &mut bar);
        let [price, volume, adjustment] = bar;
        if price > 0.0 {
            let (low, high) = (price * 0.99, price * 1.01);
            text += &format!("{session},{name},{price},{high},{low},{price},{},{volume:.0}\n", price * adjustment);
        }
    }
    text
}

fn report(folder: &Path, rows: &str) -> CheckReport {
    let path = parquet_of(folder, "prices.parquet", &format!("{HEADER}{rows}"));
    check(path, &Calendar::new_york()).unwrap()
}

fn found(report: &CheckReport) -> Vec<String> {
    let text = |date: Option<Date>| date.map_or_else(|| "-".into(), |date| date.to_string());
    report.findings.iter().map(|finding| format!("{} {}", text(finding.date), finding.kind.as_str())).collect()
}

#[test]
fn a_quiet_table_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(folder.path(), &quiet("AAA", |_, _| {}));
    assert_eq!((found(&report), report.rows, report.symbols), (vec![], 60, 1));
}

#[test]
fn gaps_are_runs_of_sessions_between_first_and_last_bar() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(
        folder.path(),
        &quiet("AAA", |at, bar| {
            if matches!(at, 0 | 10 | 20..=22) {
                bar[0] = -0.0;
            }
        }),
    );
    assert_eq!(found(&report), ["2024-01-17 gap", "2024-01-31 gap"]);
    assert_eq!(report.findings[1].message, "3 sessions without a bar, to 2024-02-02");
}

#[test]
fn a_forgotten_split_is_told_from_a_crash_a_spike_and_bad_news() {
    let folder = tempfile::tempdir().unwrap();
    let split = |at: usize, bar: &mut [f64; 3]| {
        if at < 30 {
            *bar = [bar[0] * 4.0, bar[1] / 4.0, 1.0];
        }
    };
    let report_of = |edit: &dyn Fn(usize, &mut [f64; 3])| report(folder.path(), &quiet("AAA", edit));
    assert_eq!(found(&report_of(&split)), ["2024-02-14 unadjusted_split"]);
    assert_eq!(report_of(&split).count_from(Severity::Error), 1);
    let crash = |at: usize, bar: &mut [f64; 3]| {
        if at >= 30 {
            *bar = [bar[0] / 2.0, bar[1] * 9.0, 1.0];
        }
    };
    assert_eq!(found(&report_of(&crash)), ["2024-02-14 jump"]);
    let spike = |at: usize, bar: &mut [f64; 3]| {
        if at == 30 {
            bar[0] *= 2.0;
        }
    };
    assert_eq!(found(&report_of(&spike)), ["2024-02-14 jump", "2024-02-15 jump"]);
    let fresh = |at: usize, bar: &mut [f64; 3]| {
        if at < 57 {
            *bar = [bar[0] * 10.0, bar[1] / 10.0, 1.0];
        }
    };
    assert_eq!(found(&report_of(&fresh)), ["2024-03-25 unadjusted_split"], "three bars after it are enough");
}

#[test]
fn a_listed_split_proves_what_prices_alone_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let three_for_two = |at: usize, bar: &mut [f64; 3]| {
        if at < 30 {
            bar[0] *= 1.5;
        }
    };
    let rows = quiet("AAA", three_for_two);
    assert_eq!(found(&report(folder.path(), &rows)), Vec::<String>::new(), "a fall by a third may be news");
    write(folder.path(), "corporate_actions.csv", "date,ticker,dividend,split\n2024-02-14,AAA,0,1.5\n");
    assert_eq!(found(&report(folder.path(), &rows)), ["2024-02-14 unadjusted_split"]);
    write(folder.path(), "corporate_actions.csv", "date,ticker,dividend,split\n2024-02-14,AAA,7,2\n");
    let halved = |at: usize, bar: &mut [f64; 3]| {
        if at < 30 {
            *bar = [bar[0] * 2.0, bar[1] / 2.0, 1.0];
        }
    };
    let report = report(folder.path(), &quiet("AAA", halved));
    assert_eq!(found(&report), ["2024-02-14 jump"], "a distribution on the day explains it");
    assert!(report.findings[0].message.ends_with("the corporate actions list a ratio of 2 on 2024-02-14"));
}

#[test]
fn stale_and_unfaithfully_adjusted_prices_stand_out() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = |at: usize, bar: &mut [f64; 3]| {
        if (5..12).contains(&at) || (20..24).contains(&at) {
            *bar = [90.0, 0.0, 1.0];
        }
    };
    let mut rows = quiet("AAA", frozen);
    rows += &quiet("BBB", |at, bar| {
        if at == 30 {
            bar[2] = 0.8;
        }
    });
    let report = report(folder.path(), &rows);
    assert_eq!(found(&report), ["2024-01-09 stale", "2024-02-14 adjustment_jump", "2024-02-15 adjustment_jump"]);
    assert_eq!(report.findings[0].message, "7 bars at 90, to 2024-01-18");
    let grouped = report.grouped();
    assert_eq!(grouped[0].by_symbol[&Some(&symbol("BBB"))].len(), 2);
}

#[test]
fn rows_at_fault_are_findings_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let rows = quiet("AAA", |_, _| {})
        + "2024-02-17,AAA,1,1,1,1,1,1\n2024-03-27,AAA,1,1,1,1,1,1\n2024-03-28,AAA,-1,1,1,1,1,1\n";
    let path = write(folder.path(), "prices.csv", format!("{HEADER}{rows}"));
    let report = check(&path, &Calendar::new_york()).unwrap();
    assert_eq!(found(&report), ["2024-02-17 not_a_session", "2024-03-27 conflict", "2024-03-28 not_positive"]);
    let rows: Vec<_> = report.findings.iter().map(|finding| finding.place.clone().unwrap()).collect();
    assert_eq!(rows, [(path.clone(), 62), (path.clone(), 63), (path, 64)]);
    assert_eq!(report.counts.values().sum::<u64>(), 3);
    assert!(report.findings.iter().all(|finding| matches!(finding.kind, FindingKind::Row(_))));
}

#[test]
fn days_compare_with_the_sessions_of_the_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let rows = quiet("AAA", |at, bar| {
        if at == 3 {
            bar[0] = 0.0;
        }
    }) + "2024-01-15,AAA,1,1,1,1,1,1\n";
    let path = parquet_of(folder.path(), "prices.parquet", &format!("{HEADER}{rows}"));
    let days = days_of(&path, &symbol("AAA")).unwrap();
    let difference = sessions_against(&Calendar::new_york(), &days, date("2024-01-02"), date("2024-03-27"));
    assert_eq!(difference.missing, [date("2024-01-05")]);
    assert_eq!(difference.extra, [date("2024-01-15")]);
}

#[test]
fn a_dataset_knows_what_lies_beside_its_prices() {
    let folder = tempfile::tempdir().unwrap();
    let rows = quiet("AAA", |at, bar| {
        if at == 3 {
            bar[0] = 0.0;
        }
    }) + &quiet("FND", |_, _| {});
    let path = parquet_of(folder.path(), "prices.parquet", &format!("{HEADER}{rows}"));
    write(folder.path(), "tickers.csv", "ticker,gics_sector\nAAA,Energy\nFND,ETF\n");
    write(folder.path(), "fundamentals_annual_2012_2016.csv", "ticker,fiscal_year\nAAA,2012\n");
    write(folder.path(), "vix_daily.csv", "");
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.table_path(SideTable::CorporateActions), None);
    assert!(dataset.corporate_actions().unwrap().symbols().next().is_none());
    assert!(dataset.membership().unwrap().is_none());
    let description = Dataset::open(folder.path()).unwrap().describe().unwrap();
    assert_eq!((description.rows, description.bars, description.sessions), (119, 119, 60));
    assert_eq!(description.coverage, Some(119.0 / 120.0));
    let first = &description.symbols[0];
    assert_eq!((first.sector, first.bars, first.missing), (Sector::Energy, 59, 1));
    let there: Vec<_> = description.tables.iter().filter(|table| table.path.is_some()).collect();
    assert_eq!(
        there.iter().map(|table| table.side.file_stem()).collect::<Vec<_>>(),
        ["tickers", "fundamentals_annual", "vix_daily"]
    );
    assert_eq!((there[0].rows, there[0].symbols), (2, Some(2)));
    assert!(there[2].problem.as_deref().unwrap().ends_with("vix_daily.csv is empty"));
}
