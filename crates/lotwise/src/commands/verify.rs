//! `verify`: worked cases, recomputed.

use serde_json::{Value, json};

use crate::args::VerifyArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::output::{Cell, Column, Figures, Page, Report, Table, Tone, Warning};
use crate::verify::{self, CaseReport, Fault};

/// How many differences of one case are shown to people.
const SHOWN_DIFFERENCES: usize = 8;

/// Recomputes the cases and compares. Ends with 7 when one does not come out.
///
/// # Errors
/// When no case can be read.
pub fn run(arguments: &VerifyArgs, context: &Context) -> Result<Report, Failure> {
    let figures = context.figures();
    let found = verify::run(&arguments.files);
    let errors = Failure(found.faults.iter().map(fault).collect());
    if found.cases.is_empty() {
        return Err(if errors.0.is_empty() {
            CliError::new("no-cases", Exit::Input, "there are no cases in these files").into()
        } else {
            errors
        });
    }
    let skipped: Vec<&CaseReport> = found.cases.iter().filter(|case| case.unsupported.is_some()).collect();
    let warnings = skipped
        .iter()
        .filter_map(|case| {
            let reason = case.unsupported.as_ref()?;
            let message = format!("the case {} is not computed: {reason}", case.id);
            Some(Warning::new("not-computed", message).at(Place::file(&case.file)))
        })
        .collect();
    let failed = found.failed();
    let mut data = json!({
        "passed": found.passed(),
        "failed": failed,
        "not_computed": skipped.len(),
        "kinds": kinds(&found),
        "cases": found.cases,
    });
    if figures.masked() {
        for case in data["cases"].as_array_mut().into_iter().flatten() {
            for key in ["computed", "differences"] {
                figures.mask_numbers(&mut case[key]);
            }
        }
    }
    let mut report = Report::new("verify", context.today(), data, page(&found, figures)).warnings(warnings);
    report.table = Some(table(&found.cases));
    report.errors = errors;
    report.exit = if failed > 0 { Exit::CheckFailed } else { Exit::Done };
    Ok(report)
}

fn fault(fault: &Fault) -> CliError {
    let place = Place { field: fault.place.clone(), ..Place::file(&fault.file) };
    CliError::new("unreadable-case", Exit::Input, fault.message.clone()).at(place).help(fault.help.clone())
}

fn kinds(found: &verify::Report) -> Vec<Value> {
    found
        .by_kind()
        .into_iter()
        .map(|(kind, cases, passed, failed)| {
            json!({"kind": kind.name(), "cases": cases, "passed": passed, "failed": failed})
        })
        .collect()
}

fn page(found: &verify::Report, figures: Figures) -> Page {
    let mut page = Page::new();
    let failed = found.failed();
    page.heading(match failed {
        0 => format!("All {} cases with an expected result come out as expected", found.passed()),
        1 => format!("1 of {} cases does not come out as expected", found.passed() + failed),
        _ => format!("{failed} of {} cases do not come out as expected", found.passed() + failed),
    });
    let mut kinds = Table::new([
        Column::words("kind", "Kind"),
        Column::number("cases", "Cases"),
        Column::number("passed", "Right"),
        Column::number("failed", "Wrong"),
        Column::number("other", "Only computed, or not yet"),
    ]);
    for (kind, cases, passed, wrong) in found.by_kind() {
        kinds.row([
            Cell::words(kind.name().replace('_', " ")),
            Cell::count(cases),
            Cell::count(passed),
            if wrong > 0 { Cell::toned(wrong.to_string(), Tone::Loss) } else { Cell::count(0) },
            Cell::count(cases - passed - wrong),
        ]);
    }
    page.table(kinds);
    for case in found.cases.iter().filter(|case| case.pass == Some(false)) {
        page.heading(format!("{} ({})", case.id, case.file));
        for difference in case.differences.iter().take(SHOWN_DIFFERENCES) {
            let [expected, computed] = [&difference.expected, &difference.computed].map(|value| {
                let mut value = value.clone();
                figures.mask_numbers(&mut value);
                value
            });
            page.item(format!("{}: expected {expected}, computed {computed}", difference.path));
        }
        if case.differences.len() > SHOWN_DIFFERENCES {
            page.item(format!("and {} more; --json shows all", case.differences.len() - SHOWN_DIFFERENCES));
        }
    }
    page
}

fn table(cases: &[CaseReport]) -> Table {
    let mut table = Table::new([
        Column::words("file", "File"),
        Column::words("id", "Case"),
        Column::words("kind", "Kind"),
        Column::words("pass", "Right"),
        Column::number("differences", "Differences"),
    ]);
    for case in cases {
        let pass = case.pass.map_or_else(String::new, |pass| pass.to_string());
        table.row([
            Cell::words(&case.file),
            Cell::words(&case.id),
            Cell::words(case.kind.name()),
            Cell::words(pass),
            Cell::count(case.differences.len()),
        ]);
    }
    table
}
