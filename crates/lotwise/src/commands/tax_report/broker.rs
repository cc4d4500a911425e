//! The broker's own form: read from its export, compared, and shown.

use std::collections::BTreeMap;

use lotwise_core::{Money, Symbol};
use lotwise_statements::{Action, Transaction};
use lotwise_tax::report::{BrokerRow, Cause, Difference, Figure, OwnSide, Reconciliation, SecurityKind, reconcile};
use lotwise_tax::{AccountId, Term};
use serde_json::{Value, json};

use crate::advice::{Session, histories};
use crate::args::{TaxReportArgs, method_name};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::input::{History, HistoryOptions, require_histories, row_errors};
use crate::output::{Cell, Column, Figures, Page, Table, Tone, Warning};

/// Reads the broker's forms and compares, where any are named.
pub fn reconciled(
    arguments: &TaxReportArgs,
    session: &Session,
    context: &Context,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Reconciliation>, Failure> {
    if arguments.reconcile.is_empty() {
        return Ok(None);
    }
    let files = require_histories(&arguments.reconcile, &HistoryOptions::default(), context)?;
    let unread: Vec<CliError> =
        files.iter().flat_map(|file| row_errors(&file.file, &file.text, &file.statement.quarantined)).collect();
    if !unread.is_empty() {
        return Err(Failure(unread));
    }
    let names = Names::of(&histories(&arguments.input, context)?);
    let mut rows = Vec::new();
    for file in &files {
        rows.extend(rows_of(file, arguments, session, &names, context.figures(), warnings)?);
    }
    let kind = |symbol: &Symbol| SecurityKind::of(symbol, &session.rules);
    let own =
        OwnSide { sales: &session.booking.sales, ledger: &session.books.ledger, rules: &session.rules, kind: &kind };
    let found = reconcile(&own, &rows);
    let unexplained = found.unexplained().count();
    if unexplained > 0 {
        let message = format!("{unexplained} differences from the broker's form are unexplained");
        warnings.push(Warning::new("unexplained-differences", message));
    }
    Ok(Some(found))
}

/// Tickers by what a form says in their place: the number of the security, or its name.
struct Names(BTreeMap<String, Symbol>);

impl Names {
    fn of(histories: &[History]) -> Self {
        let mut names = BTreeMap::new();
        for transaction in histories.iter().flat_map(|history| &history.statement.transactions) {
            let Some(symbol) = &transaction.symbol else { continue };
            for text in transaction.cusip.iter().chain([&transaction.description]) {
                names.entry(plain(text)).or_insert_with(|| symbol.clone());
            }
        }
        names.remove("");
        Self(names)
    }

    fn symbol(&self, transaction: &Transaction) -> Option<Symbol> {
        let known = |text: &String| self.0.get(&plain(text)).cloned();
        let by_number = || transaction.cusip.as_ref().and_then(known);
        transaction.symbol.clone().or_else(by_number).or_else(|| known(&transaction.description))
    }
}

/// Letters and digits alone: forms write names in capitals and with other points.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_uppercase()).collect()
}

/// The rows of a form: every sale of the year with the lots that the file states.
fn rows_of(
    file: &History,
    arguments: &TaxReportArgs,
    session: &Session,
    names: &Names,
    figures: Figures,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<BrokerRow>, Failure> {
    let mut rows = Vec::new();
    let mut without_lots = 0;
    for transaction in &file.statement.transactions {
        let sells = matches!(
            transaction.action,
            Action::Sell | Action::OptionClose | Action::OptionExpire | Action::Merger | Action::Other
        );
        if !sells || transaction.trade_date.year() != arguments.year {
            continue;
        }
        let Some(symbol) = names.symbol(transaction) else {
            let message = format!(
                "a sale of the form names no ticker that the history knows ({}), so it is not compared",
                figures.free_text(transaction.cusip.as_deref().unwrap_or(&transaction.description))
            );
            let place = Place { line: Some(transaction.row), ..Place::file(&file.file) };
            warnings.push(Warning::new("no-symbol", message).at(place));
            continue;
        };
        let account = account_of(&transaction.account, session, &file.file, figures)?;
        without_lots += usize::from(transaction.lots.is_empty());
        rows.extend(transaction.lots.iter().map(|lot| BrokerRow {
            account: account.clone(),
            symbol: symbol.clone(),
            shares: lot.shares,
            acquired: lot.acquired,
            sold: transaction.trade_date,
            // A form with one lot per row may state the proceeds on the row alone.
            proceeds: lot.proceeds.unwrap_or(if transaction.lots.len() == 1 {
                transaction.amount
            } else {
                Money::ZERO
            }),
            basis: lot.basis,
            disallowed: lot.disallowed.unwrap_or(Money::ZERO),
            term: lot.long_term.map(|long| if long { Term::Long } else { Term::Short }),
            covered: lot.covered,
            row: transaction.row,
        }));
    }
    if rows.is_empty() {
        let message = format!("the file states no lots that were sold in {}", arguments.year);
        return Err(CliError::new("no-lots", Exit::Input, message)
            .at(Place::file(&file.file))
            .help("--reconcile takes a Form 1099-B or a list of realised lots as CSV; a history of trades goes to --history")
            .into());
    }
    if without_lots > 0 {
        let message = format!("{without_lots} sales of the form state no lots and are not compared");
        warnings.push(Warning::new("no-lots", message).at(Place::file(&file.file)));
    }
    Ok(rows)
}

/// The account of the books that a form speaks of: of that name, the one that ends like it, or the
/// only one.
fn account_of(name: &str, session: &Session, file: &str, figures: Figures) -> Result<AccountId, Failure> {
    let accounts = &session.books.ledger.accounts;
    if let Some(same) = accounts.iter().find(|account| account.id.as_str() == name) {
        return Ok(same.id.clone());
    }
    let end = |text: &str| {
        let letters: Vec<char> = text.chars().filter(|one| one.is_ascii_alphanumeric()).collect();
        letters[letters.len().saturating_sub(3)..].iter().collect::<String>()
    };
    let taxable: Vec<_> = accounts.iter().filter(|account| account.kind.is_taxable()).collect();
    let alike: Vec<_> = taxable.iter().filter(|account| end(account.id.as_str()) == end(name)).collect();
    match (&alike[..], &taxable[..]) {
        ([one], _) => Ok(one.id.clone()),
        (_, [one]) => Ok(one.id.clone()),
        _ => {
            let known: Vec<String> = taxable.iter().map(|account| figures.account(account.id.as_str())).collect();
            let message = format!("the account {} of the form is none of the books", figures.account(name));
            Err(CliError::new("unknown-account", Exit::Usage, message)
                .at(Place::file(file))
                .help(format!("the taxable accounts are {}", known.join(", ")))
                .into())
        }
    }
}

fn figure(value: Option<Figure>, figures: Figures) -> String {
    match value {
        None => String::new(),
        Some(Figure::Amount(amount)) => figures.table_money(amount),
        Some(Figure::Term(term)) => term.name().to_owned(),
        Some(Figure::Date(date)) => date.to_string(),
        Some(Figure::Shares(shares)) => figures.share_count(shares),
    }
}

fn cause(difference: &Difference) -> String {
    match difference.cause {
        Cause::LotMethod(method) => format!("{} ({})", Cause::LotMethod(method).words(), method_name(method)),
        cause => cause.words().to_owned(),
    }
}

/// One line per difference.
pub fn sentences(found: &Reconciliation, figures: Figures) -> Vec<String> {
    found
        .differences
        .iter()
        .map(|one| {
            let fix = match one.code {
                Some(code) => format!("; code {code}, column (g) {}", figures.table_money(one.adjustment)),
                None => String::new(),
            };
            format!(
                "{} sold {}, {}: ours {}, the broker's {}: {}{fix}",
                one.symbol,
                one.sold,
                one.field.name().replace('_', " "),
                some(figure(one.ours, figures)),
                some(figure(one.brokers, figures)),
                cause(one)
            )
        })
        .collect()
}

fn some(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Sums by box: ours, the broker's.
pub fn totals_table(found: &Reconciliation, figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("box", "Box"),
        Column::words("whose", "Whose"),
        Column::number("rows", "Rows"),
        Column::number("proceeds", "1d Proceeds"),
        Column::number("basis", "1e Basis"),
        Column::number("disallowed", "1g Wash loss"),
    ]);
    for (at, (ours, brokers)) in &found.totals {
        let letter = at.map_or_else(|| "?".to_owned(), |at| at.letter().to_string());
        for (whose, sums) in [("ours", ours), ("broker's", brokers)] {
            table.row([
                Cell::words(&*letter),
                Cell::words(whose),
                Cell::count(sums.rows),
                Cell::money(figures, sums.proceeds.to_cents()),
                Cell::money(figures, sums.basis.to_cents()),
                Cell::money(figures, sums.disallowed.to_cents()),
            ]);
        }
    }
    table
}

/// The comparison for people.
pub fn page(found: &Reconciliation, page: &mut Page, figures: Figures) {
    let unexplained = found.unexplained().count();
    page.heading(format!(
        "Against the broker's form: {} of {} rows agree, {} differences, {unexplained} unexplained",
        found.agreed,
        found.rows,
        found.differences.len()
    ));
    for (sentence, difference) in sentences(found, figures).into_iter().zip(&found.differences) {
        match difference.cause {
            Cause::Unexplained => page.toned(format!("! {sentence}"), Tone::Caution),
            _ => page.item(sentence),
        }
    }
    page.table(totals_table(found, figures));
}

/// The comparison for programs.
pub fn json(found: &Reconciliation, figures: Figures) -> Value {
    let value = |value: Option<Figure>| match value {
        None => Value::Null,
        Some(Figure::Amount(amount)) => json!(figures.money(amount)),
        Some(Figure::Term(term)) => json!(term.name()),
        Some(Figure::Date(date)) => json!(date.to_string()),
        Some(Figure::Shares(shares)) => json!(figures.shares(shares)),
    };
    let sums = |sums: &lotwise_tax::report::BoxSums| {
        json!({
            "rows": sums.rows,
            "proceeds": figures.cents(sums.proceeds),
            "basis": figures.cents(sums.basis),
            "wash_loss": figures.cents(sums.disallowed),
        })
    };
    json!({
        "rows": found.rows,
        "agreed": found.agreed,
        "unexplained": found.unexplained().count(),
        "differences": found.differences.iter().map(|one| json!({
            "account": figures.account(one.account.as_str()),
            "symbol": one.symbol.as_str(),
            "sold": one.sold.to_string(),
            "shares": figures.shares(one.shares),
            "field": one.field.name(),
            "ours": value(one.ours),
            "brokers": value(one.brokers),
            "cause": one.cause.name(),
            "explanation": cause(one),
            "code": one.code.map(String::from),
            "adjustment": figures.cents(one.adjustment),
            "rows": one.broker_rows,
        })).collect::<Vec<_>>(),
        "totals": found.totals.iter().map(|(at, (ours, brokers))| json!({
            "box": at.map(|at| at.letter().to_string()),
            "ours": sums(ours),
            "brokers": sums(brokers),
        })).collect::<Vec<_>>(),
    })
}
