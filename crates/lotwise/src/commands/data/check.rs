//! `data check`: what is wrong with prices, each finding with symbol and date.

use lotwise_advisor::suggestion::count;
use lotwise_core::Calendar;
use lotwise_market::check::{CheckReport, Finding, FindingKind, Severity};
use serde_json::{Value, json};

use crate::args::DataPath;
use crate::context::Context;
use crate::errors::{Exit, Failure, market_error};
use crate::output::{Cell, Column, Page, Report, Table, Tone};

/// How many findings of one kind are shown to people.
const SHOWN: usize = 12;

/// Checks the prices at a path. Ends with 7 when a row is wrong on its face or a split is missing.
///
/// # Errors
/// When the prices cannot be read at all.
pub fn check(arguments: &DataPath, context: &Context) -> Result<Report, Failure> {
    let found =
        lotwise_market::check::check(&arguments.path, &Calendar::new_york()).map_err(|error| market_error(&error))?;
    let errors = found.count_from(Severity::Error);
    let data = json!({
        "files": found.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "rows": found.rows,
        "symbols": found.symbols,
        "counts": found.counts.iter().map(|(kind, &count)| (kind.as_str().to_owned(), json!({
            "count": count,
            "severity": severity(kind.severity()),
        }))).collect::<serde_json::Map<String, Value>>(),
        "findings": found.findings.iter().map(finding_json).collect::<Vec<_>>(),
    });
    let mut report = Report::new("data-check", context.today(), data, page(&found, errors));
    report.table = Some(table(found.findings.iter()));
    report.exit = if errors > 0 { Exit::CheckFailed } else { Exit::Done };
    Ok(report)
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Remark => "remark",
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "symbol": finding.symbol.as_ref().map(ToString::to_string),
        "date": finding.date.map(|date| date.to_string()),
        "kind": finding.kind.as_str(),
        "severity": severity(finding.kind.severity()),
        "message": finding.message,
        "file": finding.place.as_ref().map(|(file, _)| file.display().to_string()),
        "row": finding.place.as_ref().map(|&(_, row)| row),
    })
}

fn page(found: &CheckReport, errors: u64) -> Page {
    let mut page = Page::new();
    let looked = format!(
        "{} of {}",
        count(usize::try_from(found.rows).unwrap_or(usize::MAX), "row"),
        count(found.symbols, "symbol")
    );
    page.heading(match (errors, found.counts.is_empty()) {
        (0, true) => format!("Nothing found in {looked}"),
        (0, false) => format!("No errors in {looked}; what is below deserves a look"),
        (1, _) => format!("1 error in {looked}"),
        _ => format!("{errors} errors in {looked}"),
    });
    let mut counts: Vec<(&FindingKind, &u64)> = found.counts.iter().collect();
    counts.sort_by_key(|(kind, _)| std::cmp::Reverse(kind.severity()));
    let mut summary = Table::new([
        Column::words("kind", "Finding"),
        Column::words("severity", "Weight"),
        Column::number("count", "Count"),
    ]);
    let kinds: Vec<FindingKind> = counts.iter().map(|&(&kind, _)| kind).collect();
    for (kind, count) in counts {
        let weight = kind.severity();
        let tone = if weight == Severity::Error { Tone::Loss } else { Tone::Plain };
        summary.row([
            Cell::words(kind.as_str().replace('_', " ")),
            Cell::toned(severity(weight), tone),
            Cell::words(count.to_string()),
        ]);
    }
    page.table(summary);
    for kind in kinds {
        let all: Vec<&Finding> = found.findings.iter().filter(|finding| finding.kind == kind).collect();
        page.heading(kind.as_str().replace('_', " "));
        page.table(table(all.iter().copied().take(SHOWN)));
        if all.len() > SHOWN {
            page.toned(format!("and {} more; --json or --csv lists them", all.len() - SHOWN), Tone::Quiet);
        }
    }
    page
}

fn table<'a>(findings: impl Iterator<Item = &'a Finding>) -> Table {
    let mut table = Table::new([
        Column::words("symbol", "Symbol"),
        Column::words("date", "Date"),
        Column::words("kind", "Finding"),
        Column::words("message", "What was met"),
        Column::words("place", "Where"),
    ]);
    for finding in findings {
        let place = finding.place.as_ref().map(|(file, row)| {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            format!("{name}:{row}")
        });
        table.row([
            Cell::words(finding.symbol.as_ref().map(ToString::to_string).unwrap_or_default()),
            Cell::words(finding.date.map(|date| date.to_string()).unwrap_or_default()),
            Cell::words(finding.kind.as_str()),
            Cell::words(&finding.message),
            Cell::words(place.unwrap_or_default()),
        ]);
    }
    table
}
