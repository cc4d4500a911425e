//! `import` and `import formats`.

use std::collections::BTreeMap;

use lotwise_core::Money;
use lotwise_statements::{Action, RowNote, Stated, Transaction};
use serde::Serialize;
use serde_json::{Value, json};

use super::ledger::{self, Fate};
use crate::answers::{as_proposed, ask_at_terminal, template_into, unused};
use crate::args::ImportArgs;
use crate::context::Context;
use crate::errors::{Failure, Place};
use crate::input::{History, HistoryOptions, account_names, read_histories, row_errors};
use crate::output::{Cell, Column, Figure, Figures, Page, Report, Table, Tone, Warning};

#[derive(Serialize)]
struct FileDto {
    file: String,
    format: &'static str,
    /// Number of the import, where the file is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<i64>,
    rows: usize,
    imported: usize,
    ignored: Vec<NoteDto>,
    quarantined: Vec<NoteDto>,
    /// Rows that repeat another of the file, and rows that the ledger has already.
    duplicates: usize,
    already_known: usize,
    duplicate_rows: Vec<NoteDto>,
}

#[derive(Serialize)]
struct NoteDto {
    row: u32,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

#[derive(Serialize)]
struct TransactionDto {
    id: String,
    account: String,
    trade_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_date: Option<String>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cusip: Option<String>,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Figure>,
    amount: Figure,
    fees: Figure,
    currency: String,
    source: SourceDto,
}

#[derive(Serialize)]
struct SourceDto {
    file: String,
    row: u32,
}

/// Reads the files, shows what was understood, and keeps them unless that is not wanted.
///
/// # Errors
/// When a file cannot be read (all are imported, or none), and when they cannot be kept.
pub fn run(arguments: &ImportArgs, context: &Context) -> Result<Report, Failure> {
    let mut options = HistoryOptions {
        format: arguments.format.clone(),
        account: arguments.account.clone(),
        ..HistoryOptions::default()
    }
    .with(&arguments.reading)?;
    let (mut histories, mut errors) = read_histories(&arguments.files, &options, context);
    let open = histories.iter().any(|history| !history.statement.questions.is_empty());
    let asks = arguments.ask || (asks_by_itself(arguments) && ledger::can_ask(context));
    if open && (asks || arguments.no_ask) {
        options.answers = match asks {
            true => ask_at_terminal(&histories, &options.answers)?,
            false => as_proposed(&histories, &options.answers),
        };
        (histories, errors) = read_histories(&arguments.files, &options, context);
    }
    if histories.is_empty() || (!arguments.dry_run && !errors.0.is_empty()) {
        if !histories.is_empty() {
            context.style.say("Nothing was imported: all files are, or none.");
        }
        return Err(errors);
    }
    let (unknown, unused) = unused(&options.answers, &histories);
    if !unknown.is_empty() {
        return Err(Failure(unknown));
    }
    if let Some(path) = &arguments.write_answers {
        template_into(path, &histories)?;
    }
    let fate = ledger::land(arguments, &histories, context)?;
    for History { file, text, statement, .. } in &histories {
        errors.0.extend(row_errors(file, text, &statement.quarantined));
    }
    let totals = totals(&histories);
    let figures = context.figures();
    let mut data = data(&histories, &fate, &totals, figures);
    data["stored"] = json!(fate.stored);
    data["reconciliation"] = fate.reconciliation(figures);
    let mut page = page(&histories, &fate, figures);
    fate.tell(&mut page, arguments.dry_run, figures);
    let mut warnings = warnings(&histories);
    warnings.extend(unused);
    warnings.extend(fate.warnings(figures));
    let mut report = Report::new("import", context.today(), data, page).warnings(warnings);
    report.mode = fate.mode;
    report.table = Some(transactions_table(&histories, context.figures()));
    report.errors = errors;
    Ok(report)
}

/// Whether a person at a terminal is asked what the files leave open: where something is kept, unless the proposals
/// are to be taken or the questions written down.
fn asks_by_itself(arguments: &ImportArgs) -> bool {
    !arguments.no_ask && !arguments.dry_run && arguments.write_answers.is_none()
}

/// Count and sum per action, in the order of the actions.
fn totals(histories: &[History]) -> BTreeMap<Action, (usize, Money)> {
    let mut totals: BTreeMap<Action, (usize, Money)> = BTreeMap::new();
    for transaction in histories.iter().flat_map(|history| &history.statement.transactions) {
        let total = totals.entry(transaction.action).or_default();
        total.0 += 1;
        total.1 += transaction.amount;
    }
    totals
}

fn data(histories: &[History], fate: &Fate, totals: &BTreeMap<Action, (usize, Money)>, figures: Figures) -> Value {
    let notes = |notes: &[RowNote]| -> Vec<NoteDto> {
        notes
            .iter()
            .map(|note| NoteDto {
                row: note.row,
                reason: figures.free_text(&note.reason),
                column: note.column.clone(),
                value: note.value.as_deref().map(|value| figures.free_text(value)),
            })
            .collect()
    };
    let files: Vec<FileDto> = histories
        .iter()
        .zip(&fate.plan.files)
        .map(|(History { file, statement, .. }, landed)| FileDto {
            file: file.clone(),
            format: statement.format,
            import: landed.batch,
            rows: statement.rows,
            imported: landed.imported,
            ignored: notes(&statement.ignored),
            quarantined: notes(&statement.quarantined),
            duplicates: statement.duplicates.len() + landed.already_known,
            already_known: landed.already_known,
            duplicate_rows: notes(&statement.duplicates),
        })
        .collect();
    let transactions: Vec<TransactionDto> = histories
        .iter()
        .flat_map(|history| history.statement.transactions.iter().map(|each| transaction(&history.file, each, figures)))
        .collect();
    let questions: Vec<Value> = histories
        .iter()
        .flat_map(|history| {
            history.statement.questions.iter().map(|question| {
                json!({
                    "file": history.file,
                    "key": question.key,
                    "text": figures.free_text(&question.text),
                    "rows": question.rows,
                    "proposed": question.proposed,
                })
            })
        })
        .collect();
    let positions: Vec<Value> = histories
        .iter()
        .flat_map(|history| {
            history.statement.positions.iter().map(|position| {
                json!({
                    "file": history.file,
                    "account": figures.account(&position.account),
                    "symbol": position.symbol.as_ref().map(ToString::to_string),
                    "cusip": position.cusip,
                    "shares": figures.shares(position.shares),
                    "price": position.price.map(|price| figures.price(price)),
                    "as_of": position.as_of.map(|date| date.to_string()),
                    "row": position.row,
                })
            })
        })
        .collect();
    let totals: BTreeMap<&str, Value> = totals
        .iter()
        .map(|(action, &(count, amount))| (action.name(), json!({"count": count, "amount": figures.money(amount)})))
        .collect();
    json!({
        "files": files,
        "totals": totals,
        "questions": questions,
        "positions": positions,
        "transactions": transactions,
    })
}

fn transaction(file: &str, each: &Transaction, figures: Figures) -> TransactionDto {
    TransactionDto {
        id: each.id.clone(),
        account: figures.account(&each.account),
        trade_date: each.trade_date.to_string(),
        settle_date: each.settle_date.map(|date| date.to_string()),
        action: each.action.name(),
        symbol: each.symbol.as_ref().map(ToString::to_string),
        cusip: each.cusip.clone(),
        description: figures.free_text(&each.description),
        detail: each.detail.as_deref().map(|detail| match Stated::of(detail) {
            // What a detail states may be amounts.
            Some(_) => figures.free_text(detail),
            None => detail.to_owned(),
        }),
        shares: each.shares.map(|shares| figures.shares(shares)),
        price: each.price.map(|price| figures.price(price)),
        amount: figures.money(each.amount),
        fees: figures.money(each.fees),
        currency: each.currency.clone(),
        source: SourceDto { file: file.to_owned(), row: each.row },
    }
}

fn warnings(histories: &[History]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for History { file, statement, .. } in histories {
        for question in &statement.questions {
            let place = Place { line: question.rows.first().copied(), ..Place::file(file) };
            let rows = if question.rows.len() > 1 { format!(" ({} rows)", question.rows.len()) } else { String::new() };
            let message = format!("{}{rows}; unless you say otherwise: {}", question.text, question.proposed);
            warnings.push(Warning::new("question", message).at(place));
        }
        let accounts = account_names(statement).len();
        if accounts > 1 {
            let message = format!("the file holds {accounts} accounts; --account reads one of them");
            warnings.push(Warning::new("several-accounts", message).at(Place::file(file)));
        }
    }
    warnings
}

fn page(histories: &[History], fate: &Fate, figures: Figures) -> Page {
    let mut page = Page::new();
    page.heading("What was understood");
    let mut files = Table::new([
        Column::words("file", "File"),
        Column::words("format", "Format"),
        Column::number("rows", "Rows"),
        Column::number("imported", "Imported"),
        Column::number("already_known", "Already known"),
        Column::number("ignored", "Ignored"),
        Column::number("quarantined", "Unreadable"),
        Column::number("duplicates", "Duplicates"),
    ]);
    for (History { file, statement, .. }, landed) in histories.iter().zip(&fate.plan.files) {
        files.row([
            Cell::words(file),
            Cell::words(statement.format),
            Cell::count(statement.rows),
            Cell::count(landed.imported),
            Cell::count(landed.already_known),
            Cell::count(statement.ignored.len()),
            Cell::count(statement.quarantined.len()),
            Cell::count(statement.duplicates.len()),
        ]);
    }
    page.table(files);
    let mut actions = Table::new([
        Column::words("action", "Action"),
        Column::number("count", "Count"),
        Column::number("amount", "Effect on cash"),
    ]);
    // Amounts of different currencies have no sum; those of other currencies stand in rows of their own.
    let mut by_currency: BTreeMap<(Action, bool, &str), (usize, Money)> = BTreeMap::new();
    for each in histories.iter().flat_map(|history| &history.statement.transactions) {
        let total = by_currency.entry((each.action, each.currency != "USD", &each.currency)).or_default();
        total.0 += 1;
        total.1 += each.amount;
    }
    for (&(action, foreign, currency), &(count, amount)) in &by_currency {
        let name = action.name().replace('_', " ");
        let name = if foreign { format!("{name}, {currency}") } else { name };
        actions.row([Cell::words(name), Cell::count(count), Cell::change(figures, amount)]);
    }
    if !by_currency.is_empty() {
        page.heading("By action");
    }
    page.table(actions);
    for History { file, statement, .. } in histories {
        for (title, notes) in [
            ("Ignored", &statement.ignored),
            ("Unreadable", &statement.quarantined),
            ("Duplicates", &statement.duplicates),
        ] {
            if !notes.is_empty() {
                page.heading(format!("{title} in {file}"));
                for (reason, rows) in by_reason(notes) {
                    page.item(format!("{}: {}", rows_text(&rows), figures.free_text(&reason)));
                }
            }
        }
    }
    page
}

/// Notes of one reason together, in the order of their first row.
fn by_reason(notes: &[RowNote]) -> Vec<(String, Vec<u32>)> {
    let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
    for note in notes {
        match groups.iter_mut().find(|(reason, _)| *reason == note.reason) {
            Some((_, rows)) => rows.push(note.row),
            None => groups.push((note.reason.clone(), vec![note.row])),
        }
    }
    groups
}

/// `row 7`, `rows 7, 8, 9`, or `214 rows from 7`.
fn rows_text(rows: &[u32]) -> String {
    match rows {
        [row] => format!("row {row}"),
        [_, ..] if rows.len() <= 6 => {
            format!("rows {}", rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        [first, ..] => format!("{} rows from {first}", rows.len()),
        [] => "no rows".to_owned(),
    }
}

fn transactions_table(histories: &[History], figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("id", "Id"),
        Column::words("account", "Account"),
        Column::words("trade_date", "Date"),
        Column::words("action", "Action"),
        Column::words("symbol", "Symbol"),
        Column::number("shares", "Shares"),
        Column::number("price", "Price"),
        Column::number("amount", "Amount"),
        Column::number("fees", "Fees"),
        Column::words("currency", "Currency"),
        Column::words("description", "Description"),
        Column::words("file", "File"),
        Column::number("row", "Row"),
    ]);
    for history in histories {
        for each in &history.statement.transactions {
            table.row([
                Cell::words(&each.id),
                Cell::words(figures.account(&each.account)),
                Cell::words(each.trade_date.to_string()),
                Cell::words(each.action.name()),
                Cell::words(each.symbol.as_ref().map(ToString::to_string).unwrap_or_default()),
                Cell::maybe(each.shares, |shares| Cell::shares(figures, shares)),
                Cell::maybe(each.price, |price| Cell::price(figures, price)),
                Cell::money(figures, each.amount),
                Cell::money(figures, each.fees),
                Cell::words(&each.currency),
                Cell::words(figures.free_text(&each.description)),
                Cell::words(&history.file),
                Cell::words(each.row.to_string()),
            ]);
        }
    }
    table
}

/// The formats that are read.
pub fn formats(context: &Context) -> Report {
    let formats = lotwise_statements::formats();
    let mut table = Table::new([
        Column::words("id", "Format"),
        Column::words("title", "What it is"),
        Column::words("extensions", "Files"),
        Column::words("example", "Begins like"),
    ]);
    for format in &formats {
        table.row([
            Cell::words(format.id),
            Cell::words(format.title),
            Cell::words(format.extensions.join(", ")),
            Cell::words(format.example),
        ]);
    }
    let data: Vec<Value> = formats
        .iter()
        .map(|format| {
            json!({
                "id": format.id,
                "title": format.title,
                "extensions": format.extensions,
                "example": format.example,
            })
        })
        .collect();
    let mut page = Page::new();
    page.table(table.clone());
    page.gap();
    page.toned("A file is recognised by its content; --as FORMAT overrides that.", Tone::Quiet);
    Report::new("import-formats", context.today(), json!({ "formats": data }), page).table(table)
}
