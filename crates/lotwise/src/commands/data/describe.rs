//! `data describe`: what is there.

use std::collections::BTreeMap;

use lotwise_advisor::suggestion::count;
use lotwise_core::Date;
use lotwise_market::{Dataset, Description};
use serde_json::{Value, json};

use crate::args::DataPath;
use crate::context::Context;
use crate::errors::{Failure, Place, market_error};
use crate::output::{Cell, Column, Page, Report, Table, Tone, Warning};

/// Describes the prices at a path and the tables beside them.
///
/// # Errors
/// When the prices cannot be read at all.
pub fn describe(arguments: &DataPath, context: &Context) -> Result<Report, Failure> {
    let description =
        Dataset::open(&arguments.path).and_then(|dataset| dataset.describe()).map_err(|error| market_error(&error))?;
    let mut warnings: Vec<Warning> = description
        .tables
        .iter()
        .filter_map(|table| {
            let place = Place::file(table.path.as_ref()?.display().to_string());
            Some(Warning::new("unreadable-table", table.problem.clone()?).at(place))
        })
        .collect();
    if description.issues.dropped_rows() > 0 {
        let message = format!(
            "{} rows are no bars and were left out; lotwise data check names them",
            description.issues.dropped_rows()
        );
        warnings.push(Warning::new("dropped-rows", message).at(Place::file(arguments.path.display().to_string())));
    }
    let report = Report::new("data-describe", context.today(), data(&description), page(&description));
    Ok(report.table(symbols(&description)).warnings(warnings))
}

fn day(date: Option<Date>) -> Option<String> {
    date.map(|date| date.to_string())
}

fn data(description: &Description) -> Value {
    json!({
        "files": description.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "rows": description.rows,
        "bars": description.bars,
        "sessions": description.sessions,
        "first": day(description.first),
        "last": day(description.last),
        "coverage": description.coverage,
        "dropped_rows": description.issues.dropped_rows(),
        "symbols": description.symbols.iter().map(|symbol| json!({
            "symbol": symbol.symbol.as_str(),
            "sector": symbol.sector.name(),
            "first": symbol.first.to_string(),
            "last": symbol.last.to_string(),
            "bars": symbol.bars,
            "missing": symbol.missing,
        })).collect::<Vec<_>>(),
        "tables": description.tables.iter().map(|table| json!({
            "table": table.side.file_stem(),
            "file": table.path.as_ref().map(|path| path.display().to_string()),
            "rows": table.rows,
            "columns": table.columns,
            "symbols": table.symbols,
            "first": day(table.first),
            "last": day(table.last),
            "problem": table.problem,
        })).collect::<Vec<_>>(),
    })
}

fn page(description: &Description) -> Page {
    let mut page = Page::new();
    page.heading(match (description.first, description.last) {
        (Some(first), Some(last)) => {
            format!("{} from {} to {}", count(description.symbols.len(), "symbol"), first.long(), last.long())
        }
        _ => "No bars".to_owned(),
    });
    let files: Vec<String> = description.files.iter().map(|file| file.display().to_string()).collect();
    page.facts([
        ("Price tables".to_owned(), files.join(", ")),
        ("Rows".to_owned(), description.rows.to_string()),
        ("Bars".to_owned(), description.bars.to_string()),
        ("Sessions".to_owned(), description.sessions.to_string()),
        (
            "Coverage".to_owned(),
            description.coverage.map_or_else(
                || "not available, because there are no bars".to_owned(),
                |coverage| format!("{:.2} % of the sessions between first and last bar", coverage * 100.0),
            ),
        ),
    ]);
    let mut sectors: BTreeMap<&str, usize> = BTreeMap::new();
    for symbol in &description.symbols {
        *sectors.entry(symbol.sector.name()).or_default() += 1;
    }
    let mut by_sector = Table::new([Column::words("sector", "Sector"), Column::number("symbols", "Symbols")]);
    for (sector, count) in sectors {
        by_sector.row([Cell::words(sector), Cell::count(count)]);
    }
    page.heading("Sectors");
    page.table(by_sector);
    let mut tables = Table::new([
        Column::words("table", "Table"),
        Column::number("rows", "Rows"),
        Column::number("symbols", "Symbols"),
        Column::words("first", "First"),
        Column::words("last", "Last"),
    ]);
    let absent = |table: &&lotwise_market::TableDescription| table.path.is_none();
    for table in description.tables.iter().filter(|table| !absent(table)) {
        tables.row([
            Cell::words(table.side.file_stem()),
            Cell::count(table.rows),
            Cell::maybe(table.symbols, Cell::count),
            Cell::words(day(table.first).unwrap_or_default()),
            Cell::words(day(table.last).unwrap_or_default()),
        ]);
    }
    page.heading("Tables beside the prices");
    page.table(tables);
    let missing: Vec<&str> = description.tables.iter().filter(absent).map(|table| table.side.file_stem()).collect();
    if !missing.is_empty() {
        page.sentence(format!("Not there, so what they would tell is not available: {}.", missing.join(", ")));
    }
    page.gap();
    page.toned("--csv lists every symbol, --json everything.", Tone::Quiet);
    page
}

fn symbols(description: &Description) -> Table {
    let mut table = Table::new([
        Column::words("symbol", "Symbol"),
        Column::words("sector", "Sector"),
        Column::words("first", "First"),
        Column::words("last", "Last"),
        Column::number("bars", "Bars"),
        Column::number("missing", "Missing"),
    ]);
    for symbol in &description.symbols {
        table.row([
            Cell::words(symbol.symbol.as_str()),
            Cell::words(symbol.sector.name()),
            Cell::words(symbol.first.to_string()),
            Cell::words(symbol.last.to_string()),
            Cell::count(symbol.bars),
            Cell::count(symbol.missing),
        ]);
    }
    table
}
