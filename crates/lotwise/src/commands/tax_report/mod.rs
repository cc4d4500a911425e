//! `tax report`: Form 8949, Schedule D and TXF of a year, and the comparison with a broker's 1099-B.

mod broker;
mod forms;
mod html;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use lotwise_core::{Date, Money, Symbol};
use lotwise_tax::report::{
    Amounts, BroughtIn, Grouping, Listing, Reconciliation, ReportInput, ReportOptions, Reporting, RowFacts,
    SecurityKind, YearReport, txf, year_report,
};
use lotwise_tax::{FilingStatus, SaleRow};

use super::Outcome;
use crate::advice::{PriceNeed, Session};
use crate::args::{HistoryArgs, ReportFormat, ReportedAs, ReportedChoice, TaxReportArgs};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::output::{Form, Page, Report, Style, Warning, write_report};

/// A loss is washed by purchases up to this many days after it.
const WINDOW_DAYS: i32 = 30;

/// Everything that is shown, in whatever form.
struct Shown<'a> {
    session: &'a Session,
    arguments: &'a TaxReportArgs,
    report: YearReport,
    reconciliation: Option<Reconciliation>,
    assumptions: Vec<String>,
    today: Date,
}

/// Makes the report of a year.
///
/// # Errors
/// When a file cannot be read, the books do not add up, the format cannot hold what was sold, or a
/// file would be overwritten.
pub fn run(arguments: &TaxReportArgs, context: &Context) -> Result<Outcome, Failure> {
    let form = form_of(arguments, context)?;
    let year_end = Date::from_ymd(arguments.year, 12, 31).unwrap_or(Date::MAX);
    let as_of = arguments.input.as_of.unwrap_or(year_end.plus_days(WINDOW_DAYS)).min(context.today());
    let input = HistoryArgs { as_of: Some(as_of), ..arguments.input.clone() };
    let session = Session::of_arguments(&input, arguments.method, PriceNeed::Optional, context)?;
    let mut warnings = session.warnings(&session.books.issues, context);
    let status = arguments.status.or(session.settings.status).unwrap_or_else(|| {
        let message = "no filing status was stated, so single is assumed; --status or the setting status states it";
        warnings.push(Warning::new("assumed-status", message));
        FilingStatus::Single
    });
    let reconciliation = broker::reconciled(arguments, &session, context, &mut warnings)?;
    let report = year_report(&report_input(arguments, &session, status, as_of), |row| {
        facts(row, arguments, &session, reconciliation.as_ref())
    });
    let report = report.map_err(|error| {
        CliError::new("tax-input", Exit::Usage, error.to_string()).help("see lotwise tax report --help")
    })?;
    warn(&report, as_of, year_end, &mut warnings);
    let assumptions = words::assumptions(arguments, &session, &report, context.figures());
    let shown = Shown { session: &session, arguments, report, reconciliation, assumptions, today: context.today() };
    present(&shown, form, &warnings, context)
}

/// The form asked for, by `--format` or by `--json` and `--csv`.
fn form_of(arguments: &TaxReportArgs, context: &Context) -> Result<Option<ReportFormat>, Failure> {
    let asked = match context.style.form {
        Form::Json => Some(ReportFormat::Json),
        Form::Csv => Some(ReportFormat::Csv),
        Form::Text => None,
    };
    if let (Some(one), Some(other)) = (asked, arguments.form)
        && one != other
    {
        let message = "--format names another form than --json or --csv";
        return Err(CliError::new("two-forms", Exit::Usage, message).help("leave one of them out").into());
    }
    let form = asked.or(arguments.form);
    if form == Some(ReportFormat::Txf) && context.figures().masked() {
        let message = "a TXF file with masked amounts would be of no use";
        return Err(CliError::new("masked-file", Exit::Usage, message).help("leave out --privacy").into());
    }
    Ok(form)
}

fn report_input<'a>(
    arguments: &TaxReportArgs,
    session: &'a Session,
    status: FilingStatus,
    as_of: Date,
) -> ReportInput<'a> {
    let distributions =
        session.books.income.get(&arguments.year).map_or(Money::ZERO, |income| income.capital_gain_distributions);
    ReportInput {
        year: arguments.year,
        status,
        sales: &session.booking.sales,
        accounts: &session.books.ledger.accounts,
        as_of,
        brought_in: BroughtIn {
            short_carryover: arguments.short_carryover,
            long_carryover: arguments.long_carryover,
            distributions,
        },
        options: ReportOptions {
            amounts: if arguments.whole_dollars { Amounts::WholeDollars } else { Amounts::Cents },
            listing: if arguments.totals { Listing::AdjustedOnly } else { Listing::All },
            grouping: if arguments.combine { Grouping::Orders } else { Grouping::Segments },
        },
    }
}

/// What is said of a segment: by the person, by the broker's form, else what is assumed.
fn facts(
    row: &SaleRow,
    arguments: &TaxReportArgs,
    session: &Session,
    reconciliation: Option<&Reconciliation>,
) -> RowFacts {
    let kind = match SecurityKind::of(&row.symbol, &session.rules) {
        SecurityKind::Stock if arguments.fund.contains(&row.symbol) => SecurityKind::Fund,
        kind => kind,
    };
    let mut facts = RowFacts::assumed(kind, row);
    let place = session.booking.sales.iter().position(|other| std::ptr::eq(other, row));
    if let Some((reporting, reported)) = reconciliation.and_then(|found| place.and_then(|place| found.reported(place)))
    {
        facts.reporting = reporting;
        facts.reported = reported;
    }
    let of_lot = |choice: &&ReportedChoice| choice.name == row.lot.as_str();
    let of_symbol = |choice: &&ReportedChoice| Symbol::parse(&choice.name).is_ok_and(|symbol| symbol == row.symbol);
    let said = || arguments.reported_as.iter().rev();
    if let Some(choice) = said().find(of_lot).or_else(|| said().find(of_symbol)) {
        facts.reporting = match choice.reported {
            ReportedAs::Basis => Reporting::BasisReported,
            ReportedAs::Proceeds => Reporting::BasisNotReported,
            ReportedAs::Nothing => Reporting::NotReported,
        };
    }
    facts
}

fn warn(report: &YearReport, as_of: Date, year_end: Date, warnings: &mut Vec<Warning>) {
    if as_of <= year_end.plus_days(WINDOW_DAYS - 1) {
        let until = year_end.plus_days(WINDOW_DAYS).long();
        let message =
            format!("the books end on {}; losses of {} stay tentative until {until}", as_of.long(), report.year);
        warnings.push(Warning::new("window-open", message));
    }
    let open = report.open_rows().count();
    if open > 0 {
        let rows = words::counted(open, "row");
        let message = format!(
            "{rows} without a known basis or date of purchase: they cannot be filed, and the totals are a range"
        );
        warnings.push(Warning::new("unknown-basis", message));
    }
}

fn present(
    shown: &Shown<'_>,
    form: Option<ReportFormat>,
    warnings: &[Warning],
    context: &Context,
) -> Result<Outcome, Failure> {
    let figures = context.figures();
    let make = |page: Page| {
        let data = forms::json(shown, figures);
        let mut report = Report::new("tax_report", context.today(), data, page)
            .table(forms::rows_table(shown, figures, forms::Width::Full))
            .warnings(warnings.to_vec());
        report.errors = shown.session.unread.clone();
        report
    };
    let document = match form {
        Some(ReportFormat::Txf) => Some(txf_file(shown)?),
        Some(ReportFormat::Html) => Some(html::page(shown, warnings, figures).into_bytes()),
        _ => None,
    };
    let printed = match form {
        Some(ReportFormat::Json) => Form::Json,
        Some(ReportFormat::Csv) => Form::Csv,
        _ => Form::Text,
    };
    let Some(out) = &shown.arguments.out else {
        let mut report = make(forms::page(shown, figures));
        report.document = document;
        return Ok(Outcome::As(Box::new(report), printed));
    };
    let bytes = match (document, printed) {
        (Some(bytes), _) => bytes,
        (None, Form::Csv) => forms::rows_table(shown, figures, forms::Width::Full).to_csv().into_bytes(),
        (None, Form::Json) => {
            let mut bytes = Vec::new();
            let style = Style { form: Form::Json, ..context.style };
            write_report(make(Page::new()), &style, &mut bytes).map_err(|error| unwritable(out, &error))?;
            bytes
        }
        (None, Form::Text) => forms::page(shown, figures).to_text(None, false).into_bytes(),
    };
    write_new(out, &bytes, shown.arguments.yes)?;
    let mut page = Page::new();
    page.sentence(format!(
        "Written to {}: {} of {}.",
        out.display(),
        words::counted(shown.report.rows.len(), "row"),
        shown.report.year
    ));
    // The file holds the result; what is printed is only where it went.
    Ok(Outcome::As(Box::new(make(page)), Form::Text))
}

fn txf_file(shown: &Shown<'_>) -> Result<Vec<u8>, Failure> {
    let program = format!("Lotwise {}", env!("CARGO_PKG_VERSION"));
    let file = txf(&shown.report.rows, &program, shown.today).map_err(|refusals| {
        let errors = refusals.iter().map(|refusal| {
            CliError::new("not-in-txf", Exit::Input, refusal.to_string())
                .help("--format csv or --format html hold every row")
        });
        Failure(errors.collect())
    })?;
    Ok(file.into_bytes())
}

/// Writes a file that is not there yet, or that may be replaced.
fn write_new(path: &Path, bytes: &[u8], replace: bool) -> Result<(), Failure> {
    if path.exists() && !replace {
        let error = CliError::new("file-exists", Exit::Confirm, "the file exists and would be overwritten");
        return Err(error.at(Place::file(path.display().to_string())).help("choose another name, or add --yes").into());
    }
    std::fs::write(path, bytes).map_err(|error| unwritable(path, &error).into())
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new("cannot-write", Exit::Failed, format!("the file cannot be written: {error}"))
        .at(Place::file(path.display().to_string()))
        .help("check the folder and its permissions")
}

/// Rows per account, for the statement of what was looked at.
fn rows_by_account(report: &YearReport) -> BTreeMap<&str, usize> {
    let mut rows = BTreeMap::new();
    for row in &report.rows {
        *rows.entry(row.account.as_str()).or_default() += 1;
    }
    rows
}
