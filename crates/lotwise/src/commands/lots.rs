//! `lots`: open lots with their long-term dates, sold segments with their wash sales.

use lotwise_advisor::suggestion::count;
use lotwise_core::{Money, Rounding, Symbol};
use lotwise_tax::{OpenLot, SaleRow, first_long_term_date};
use serde_json::json;

use crate::advice::{Json, PriceNeed, Session, find_priced};
use crate::args::LotsArgs;
use crate::context::Context;
use crate::errors::Failure;
use crate::output::{Cell, Column, Figures, Page, Report, Table};

/// Shows lots and sales.
///
/// # Errors
/// When a file or the prices cannot be read, or the books do not add up.
pub fn run(arguments: &LotsArgs, context: &Context) -> Result<Report, Failure> {
    let session = Session::of_arguments(&arguments.input, arguments.method, PriceNeed::Optional, context)?;
    let priced = session.portfolio()?;
    let portfolio = priced.as_ref().map(|(portfolio, _)| portfolio);
    let mut issues = session.books.issues.clone();
    issues.extend(priced.iter().flat_map(|(_, issues)| issues.iter().cloned()));
    let figures = context.figures();
    let today = session.as_of;
    let shown = |symbol: &Symbol| arguments.symbol.as_ref().is_none_or(|wanted| wanted == symbol);
    let soon = |lot: &OpenLot| {
        arguments.countdown.is_none_or(|days| {
            lot.holding_from.map(first_long_term_date).is_some_and(|date| {
                let left = date.days_since(today);
                left > 0 && left <= i32::from(days)
            })
        })
    };
    let open: Vec<&OpenLot> = session.booking.open_lots.iter().filter(|lot| shown(&lot.symbol) && soon(lot)).collect();
    let sales: Vec<&SaleRow> = match arguments.countdown {
        Some(_) => Vec::new(),
        None => session.booking.sales.iter().filter(|row| shown(&row.symbol)).collect(),
    };
    let rates = session.tax_profile().rates();
    let json = Json { figures };
    let data = json!({
        "open_lots": json.open_lots(&open, portfolio, rates, today),
        "sales": sales.iter().map(|row| json.sale(row)).collect::<Vec<_>>(),
        "permanently_disallowed": figures.cents(session.booking.permanently_disallowed),
        "rules": rules_text(&session),
        "accounts_seen": session.accounts_text(figures),
        "method": arguments.method.name(),
    });
    let mut page = Page::new();
    let table = lots_table(&open, &session, portfolio, figures);
    page.heading(match (open.len(), arguments.countdown) {
        (0, Some(days)) => format!("No lot turns long-term within {days} days of {}", today.long()),
        (0, None) => format!("No open lots on {}", today.long()),
        (1, Some(days)) => format!("1 lot turns long-term within {days} days of {}", today.long()),
        (many, Some(days)) => format!("{many} lots turn long-term within {days} days of {}", today.long()),
        (many, None) => format!("{} on {}", count(many, "open lot"), today.long()),
    });
    page.table(table.clone());
    if !sales.is_empty() {
        page.heading(count(sales.len(), "sold segment"));
        page.table(sales_table(&sales, figures));
    }
    if session.booking.permanently_disallowed.is_positive() {
        let lost = figures.dollars(session.booking.permanently_disallowed);
        page.sentence(format!("{lost} of loss is gone for good: a retirement account bought the replacement."));
    }
    page.gap();
    page.sentence(rules_text(&session));
    page.sentence(session.accounts_text(figures));
    let report = Report::new("lots", today, data, page).table(table);
    Ok(session.report(report, &issues, context))
}

/// The switches that were used, for every place that shows booked figures.
fn rules_text(session: &Session) -> String {
    let rules = &session.rules;
    let groups = match rules.identity_groups.len() {
        0 => "a security is identical only to itself".to_owned(),
        groups => format!("{} of yours", count(groups, "identity group")),
    };
    let older = if rules.older_lots_can_replace { "older lots can replace" } else { "older lots cannot replace" };
    format!(
        "Wash sales: lots leave {}, {older}, tacking {}; {groups}.",
        format!("{:?}", rules.lots_leave).to_lowercase(),
        format!("{:?}", rules.tacking).to_lowercase()
    )
}

fn lots_table(
    open: &[&OpenLot],
    session: &Session,
    portfolio: Option<&lotwise_advisor::portfolio::Portfolio>,
    figures: Figures,
) -> Table {
    let accounts: std::collections::BTreeSet<&str> = open.iter().map(|lot| lot.account.as_str()).collect();
    let with_prices = portfolio.is_some();
    let mut columns = vec![
        Column::words("lot", "Lot"),
        Column::words("symbol", "Symbol"),
        Column::number("shares", "Shares"),
        Column::words("acquired", "Acquired"),
        Column::number("basis", "Basis"),
        Column::words("term", "Term"),
        Column::words("first_long_term_date", "Long-term from"),
        Column::words("washed", "Washed"),
    ];
    if with_prices {
        columns.extend([Column::number("value", "Value"), Column::number("gain", "Gain")]);
    }
    if accounts.len() > 1 {
        columns.insert(0, Column::words("account", "Account"));
    }
    let mut table = Table::new(columns);
    for lot in open {
        let long_from = lot.holding_from.map(first_long_term_date);
        let term = long_from.map_or("unknown", |date| if session.as_of >= date { "long" } else { "short" });
        let date = |date: lotwise_core::Date| Cell::with_raw(date.long(), date.to_string());
        let mut cells = vec![
            Cell::words(lot.lot.as_str()),
            Cell::words(lot.symbol.as_str()),
            Cell::with_raw(
                figures.share_count(lot.shares.round(6, Rounding::HalfEven)),
                figures.shares(lot.shares).as_str().to_owned(),
            ),
            lot.acquired.map_or_else(|| Cell::words("unknown"), date),
            lot.basis.map_or_else(|| Cell::words("unknown"), |basis| Cell::money(figures, basis.to_cents())),
            Cell::words(term),
            long_from.map_or_else(|| Cell::words("unknown"), date),
            Cell::words(if lot.washed { "yes" } else { "" }),
        ];
        if with_prices {
            match find_priced(portfolio, lot) {
                Some((priced, _)) => {
                    cells.push(Cell::money(figures, priced.value.to_cents()));
                    cells.push(Cell::maybe(priced.gain.map(Money::to_cents), |gain| Cell::change(figures, gain)));
                }
                None => cells.extend([Cell::words("no price"), Cell::words("")]),
            }
        }
        if accounts.len() > 1 {
            cells.insert(0, Cell::words(figures.account(lot.account.as_str())));
        }
        table.row(cells);
    }
    table
}

fn sales_table(sales: &[&SaleRow], figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("sold", "Sold"),
        Column::words("symbol", "Symbol"),
        Column::number("shares", "Shares"),
        Column::words("acquired", "Acquired"),
        Column::number("proceeds", "Proceeds"),
        Column::number("basis", "Basis"),
        Column::number("gain", "Gain"),
        Column::number("disallowed", "Washed"),
        Column::number("reportable", "Reportable"),
        Column::words("term", "Term"),
    ]);
    for row in sales {
        table.row([
            Cell::with_raw(row.sold.long(), row.sold.to_string()),
            Cell::words(row.symbol.as_str()),
            Cell::with_raw(
                figures.share_count(row.shares.round(6, Rounding::HalfEven)),
                figures.shares(row.shares).as_str().to_owned(),
            ),
            row.acquired.map_or_else(|| Cell::words("unknown"), |date| Cell::with_raw(date.long(), date.to_string())),
            Cell::money(figures, row.proceeds.to_cents()),
            row.basis.map_or_else(|| Cell::words("unknown"), |basis| Cell::money(figures, basis.to_cents())),
            row.gain.map_or_else(|| Cell::words("unknown"), |gain| Cell::change(figures, gain.to_cents())),
            Cell::money(figures, row.disallowed.to_cents()),
            row.reportable.map_or_else(|| Cell::words("unknown"), |gain| Cell::change(figures, gain.to_cents())),
            Cell::words(row.term.map_or("unknown", lotwise_tax::Term::name)),
        ]);
    }
    table
}
