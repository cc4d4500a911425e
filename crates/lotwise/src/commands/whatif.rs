//! `whatif sell`: what a sale would come to, beside waiting, other lots and doing nothing.

use lotwise_advisor::portfolio::{Holding, Portfolio};
use lotwise_advisor::tax_profile::by_term;
use lotwise_advisor::what_if::{Desk, Order, Outcome};
use lotwise_advisor::{Issue, Severity};
use lotwise_core::{Calendar, Date, Money, Objective, Shares};
use lotwise_tax::{AccountId, LotId, LotSelection, Method, first_long_term_date};
use serde_json::{Value, json};

use crate::advice::{Json, PriceNeed, Session, refused};
use crate::args::{Comparison, MethodArg, WhatifSellArgs, method_name};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, did_you_mean};
use crate::output::{Cell, Column, Figures, Page, Report, Table};

/// One column of the comparison.
struct Scenario {
    name: String,
    on: Date,
    outcome: Option<Outcome>,
    proceeds: Money,
    short: Money,
    long: Money,
    tax: Money,
    note: String,
}

impl Scenario {
    fn cash(&self) -> Money {
        self.proceeds - self.tax
    }
}

/// Computes the sale and what stands beside it.
///
/// # Errors
/// When a file or the prices cannot be read, the symbol is not held, or it is more than is held.
pub fn run(arguments: &WhatifSellArgs, context: &Context) -> Result<Report, Failure> {
    let session = Session::of_arguments(&arguments.input, MethodArg::Fifo, PriceNeed::Required, context)?;
    let input = session.advice_input()?;
    let (portfolio, mut issues) = Portfolio::build(&session.books, &session.booking, &input.market, input.table_end);
    issues.splice(0..0, session.books.issues.iter().cloned());
    let holding = held(&portfolio, arguments)?;
    let on = arguments.on.unwrap_or(session.as_of);
    if on < session.as_of {
        let message = format!("{on} is before {}, the day of the account", session.as_of);
        return Err(CliError::new("past-sale", Exit::Usage, message).help("name an earlier --as-of as well").into());
    }
    let options = session.advice_options(Objective::MaxGain1y);
    let desk = Desk { book: &session.book, ledger: &session.books.ledger, cost: options.cost };
    let lots = if arguments.lot.is_empty() {
        LotSelection::By(arguments.method.map_or(Method::MinTax, MethodArg::to_method))
    } else {
        LotSelection::Lots(arguments.lot.iter().map(|choice| (LotId::new(&choice.lot), choice.shares)).collect())
    };
    let account = selling_account(holding, arguments.shares, &arguments.lot)?;
    let compute = |name: &str, on: Date, shares: Shares, lots: LotSelection| -> Result<Scenario, Failure> {
        let order = Order {
            account: account.clone(),
            symbol: holding.symbol.clone(),
            shares,
            price: holding.quote.price,
            lots,
        };
        let outcome = desk.sell(on, std::slice::from_ref(&order)).map_err(|error| refused(&error))?;
        let taxed = outcome.rows.iter().filter(|row| portfolio.is_taxable(&row.account));
        let (short, long) = by_term(taxed);
        let same_year = on.year() == session.as_of.year();
        let realised = if same_year { portfolio.realised } else { lotwise_advisor::portfolio::Realised::default() };
        let tax = options.tax.marginal(realised, short, long).map_err(|error| refused(&error))?;
        let note = scenario_note(&outcome, same_year, context.figures());
        let proceeds = outcome.rows.iter().map(|row| row.proceeds).sum();
        Ok(Scenario { name: name.to_owned(), on, outcome: Some(outcome), proceeds, short, long, tax, note })
    };
    let chosen = if arguments.lot.is_empty() {
        arguments.method.map_or("min-tax lots".to_owned(), |method| format!("{} lots", method.name()))
    } else {
        "the lots you named".to_owned()
    };
    let calendar = Calendar::new_york();
    if !calendar.is_session(on) {
        let next = calendar.on_or_after(on).map_or_else(String::new, |next| format!("; the next session is {next}"));
        let text = format!("the exchange is closed on {on}{next}");
        issues.push(Issue::new("closed-day", Severity::Warning, None, text));
    }
    let mut scenarios = vec![compute(&format!("sell on {on}: {chosen}"), on, arguments.shares, lots.clone())?];
    if arguments.compare.contains(&Comparison::Wait)
        && let Some(date) = last_long_term_date(&scenarios[0], on).and_then(|date| calendar.on_or_after(date))
    {
        scenarios.push(compute(&format!("wait until {}", date.long()), date, arguments.shares, lots)?);
    }
    if arguments.compare.contains(&Comparison::All) {
        for method in [Method::Fifo, Method::Lifo, Method::Hifo, Method::MinTax] {
            let name = format!("{} lots", method_name(method));
            if !scenarios[0].name.ends_with(&name) {
                scenarios.push(compute(&name, on, arguments.shares, LotSelection::By(method))?);
            }
        }
        let all: Shares =
            holding.lots.iter().filter(|lot| lot.open.account == account).map(|lot| lot.open.shares).sum();
        if all > arguments.shares {
            scenarios.push(compute("the whole position", on, all, LotSelection::By(Method::MinTax))?);
        }
    }
    scenarios.push(Scenario {
        name: "do nothing".to_owned(),
        on,
        outcome: None,
        proceeds: Money::ZERO,
        short: Money::ZERO,
        long: Money::ZERO,
        tax: Money::ZERO,
        note: "keep the shares".to_owned(),
    });
    let figures = context.figures();
    let label = session.tax_label();
    let table = scenario_table(&scenarios, figures);
    let mut page = Page::new();
    let tax = scenarios[0].tax;
    let after = match tax.is_negative() {
        true => format!("with the {} that this year's tax falls by", figures.dollars(tax.abs())),
        false => format!("after {} of tax", figures.dollars(tax)),
    };
    page.heading(format!(
        "Selling {} shares of {} at {}: {} in hand {after}",
        figures.share_count(arguments.shares),
        holding.symbol,
        figures.price_text(holding.quote.price),
        figures.dollars(scenarios[0].cash()),
    ));
    page.table(table.clone());
    page.gap();
    for scenario in scenarios.iter().filter(|scenario| !scenario.note.is_empty()) {
        page.item(format!("{}: {}", scenario.name, scenario.note));
    }
    page.sentence(format!("The price of {} is used on every date. Tax: {label}.", holding.quote.date.long()));
    page.sentence(session.accounts_text(figures));
    let json = Json { figures };
    let data = json!({
        "symbol": holding.symbol.as_str(),
        "price": figures.price(holding.quote.price),
        "prices_as_of": holding.quote.date.to_string(),
        "account": figures.account(account.as_str()),
        "tax_mode": label,
        "scenarios": scenarios.iter().map(|scenario| scenario_json(scenario, json, figures)).collect::<Vec<_>>(),
    });
    let report = Report::new("whatif-sell", session.as_of, data, page).table(table);
    Ok(session.report(report, &issues, context))
}

fn held<'a>(portfolio: &'a Portfolio, arguments: &WhatifSellArgs) -> Result<&'a Holding, Failure> {
    if let Some(holding) = portfolio.holding(&arguments.symbol) {
        return Ok(holding);
    }
    if let Some((symbol, shares)) = portfolio.unpriced.iter().find(|(symbol, _)| *symbol == arguments.symbol) {
        let message = format!("you hold {shares} shares of {symbol}, but the price table does not have it");
        let help = format!("fetch its prices: lotwise prices fetch {symbol}");
        return Err(CliError::new("no-price", Exit::DataMissing, message).help(help).into());
    }
    let names = portfolio.holdings.iter().map(|holding| holding.symbol.as_str());
    let help = did_you_mean(arguments.symbol.as_str(), names, 8);
    Err(CliError::new("not-held", Exit::Usage, format!("no shares of {} are held", arguments.symbol)).help(help).into())
}

/// The account that sells: the one that holds enough, taxable ones first.
fn selling_account(holding: &Holding, wanted: Shares, named: &[crate::args::LotChoice]) -> Result<AccountId, Failure> {
    if !wanted.is_positive() {
        return Err(CliError::new("no-shares", Exit::Usage, "the number of shares must be above zero").into());
    }
    let mut accounts: Vec<(&AccountId, Shares, bool)> = Vec::new();
    for lot in &holding.lots {
        match accounts.iter_mut().find(|(account, ..)| **account == lot.open.account) {
            Some(entry) => entry.1 += lot.open.shares,
            None => accounts.push((&lot.open.account, lot.open.shares, lot.taxable)),
        }
    }
    if let Some(choice) = named.first() {
        let lot = holding.lots.iter().find(|lot| lot.open.lot.as_str() == choice.lot);
        let lots = holding.lots.iter().map(|lot| lot.open.lot.as_str());
        return lot.map(|lot| lot.open.account.clone()).ok_or_else(|| {
            CliError::new(
                "unknown-lot",
                Exit::Usage,
                format!("no lot of {} is called {:?}", holding.symbol, choice.lot),
            )
            .help(did_you_mean(&choice.lot, lots, 8))
            .into()
        });
    }
    accounts.sort_by_key(|&(_, shares, taxable)| (!taxable, std::cmp::Reverse(shares)));
    if let Some((account, ..)) = accounts.iter().find(|(_, shares, _)| *shares >= wanted) {
        return Ok((*account).clone());
    }
    let most = accounts.iter().map(|(_, shares, _)| *shares).max().unwrap_or_default();
    let message = format!("no account holds {wanted} shares of {}; the most is {most}", holding.symbol);
    Err(CliError::new("too-many-shares", Exit::Usage, message).help("sell account by account").into())
}

/// The day on which every short-term gain of the sale has turned long-term.
fn last_long_term_date(scenario: &Scenario, on: Date) -> Option<Date> {
    let rows = scenario.outcome.as_ref()?.rows.iter();
    rows.filter(|row| row.gain.is_some_and(Money::is_positive))
        .filter_map(|row| row.holding_from.map(first_long_term_date))
        .filter(|&date| date > on)
        .max()
}

fn scenario_note(outcome: &Outcome, same_year: bool, figures: Figures) -> String {
    let mut notes = Vec::new();
    if outcome.disallowed().is_positive() {
        notes.push(format!("{} of loss is disallowed as a wash sale", figures.dollars(outcome.disallowed())));
    }
    if outcome.has_unknown() {
        notes.push("the basis of some shares is unknown, so their gain and tax are not in the figures".to_owned());
    }
    if !same_year {
        notes.push("another tax year: this year's gains do not count there".to_owned());
    }
    notes.join("; ")
}

fn scenario_table(scenarios: &[Scenario], figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("scenario", "Scenario"),
        Column::number("proceeds", "Proceeds"),
        Column::number("short_gain", "Short gain"),
        Column::number("long_gain", "Long gain"),
        Column::number("tax", "Tax"),
        Column::number("cash", "In hand"),
    ]);
    for scenario in scenarios {
        table.row([
            Cell::words(scenario.name.as_str()),
            Cell::money(figures, scenario.proceeds.to_cents()),
            Cell::change(figures, scenario.short.to_cents()),
            Cell::change(figures, scenario.long.to_cents()),
            Cell::change(figures, scenario.tax.to_cents()),
            Cell::money(figures, scenario.cash().to_cents()),
        ]);
    }
    table
}

fn scenario_json(scenario: &Scenario, json: Json, figures: Figures) -> Value {
    let rows = scenario
        .outcome
        .as_ref()
        .map_or_else(Vec::new, |outcome| outcome.rows.iter().map(|row| json.sale(row)).collect());
    json!({
        "name": scenario.name,
        "on": scenario.on.to_string(),
        "proceeds": figures.cents(scenario.proceeds),
        "short_gain": figures.cents(scenario.short),
        "long_gain": figures.cents(scenario.long),
        "tax": figures.cents(scenario.tax),
        "cash_after_tax": figures.cents(scenario.cash()),
        "sales": rows,
        "note": scenario.note,
    })
}
