//! `harvest`: losses worth taking, what each is worth after what it costs later, and what to hold
//! instead.

use lotwise_advisor::harvest::{HarvestOptions, HarvestView, harvest};
use lotwise_advisor::what_if::Desk;
use lotwise_core::Objective;
use serde_json::json;

use super::replacements::representations;
use crate::advice::{Json, PriceNeed, Session, harvest_page, harvest_table, refused};
use crate::args::{HarvestArgs, MethodArg};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::Report;

/// Shows what a harvest is worth.
///
/// # Errors
/// When a file or the prices cannot be read, or the year is not the one of the day.
pub fn run(arguments: &HarvestArgs, context: &Context) -> Result<Report, Failure> {
    let session = Session::of_arguments(&arguments.input, MethodArg::Fifo, PriceNeed::Required, context)?;
    if let Some(year) = arguments.year.filter(|&year| year != session.as_of.year()) {
        let message = format!("{} is not in {year}: a loss counts in the year of its sale", session.as_of);
        let help = format!("name a day of {year} with --as-of");
        return Err(CliError::new("other-year", Exit::Usage, message).help(help).into());
    }
    let options = session.advice_options(Objective::IncomeHarvest);
    let input = session.advice_input()?;
    let (portfolio, issues) =
        lotwise_advisor::portfolio::Portfolio::build(&session.books, &session.booking, &input.market, input.table_end);
    let view = HarvestView {
        portfolio: &portfolio,
        desk: Desk { book: &session.book, ledger: &session.books.ledger, cost: options.cost },
        market: input.market,
        tickers: input.tickers,
        tax: &options.tax,
    };
    let prices = arguments.input.prices.as_deref();
    let representations = representations(&arguments.likeness, prices, input.market, context)?;
    let wanted = HarvestOptions { min_loss: arguments.min, representations, ..HarvestOptions::default() };
    let report = harvest(&view, &wanted).map_err(|error| refused(&error))?;
    let figures = context.figures();
    let accounts: Vec<String> = portfolio.accounts.keys().map(|account| figures.account(account.as_str())).collect();
    let label = session.tax_label();
    let mut data = Json { figures }.harvest(&report);
    if let Some(object) = data.as_object_mut() {
        let realised = portfolio.realised;
        object.insert("year".into(), json!(session.as_of.year()));
        object.insert("realised_short".into(), json!(figures.cents(realised.short)));
        object.insert("realised_long".into(), json!(figures.cents(realised.long)));
        object.insert("accounts_seen".into(), json!(accounts));
        object.insert("tax_mode".into(), json!(label));
        object.insert("prices_as_of".into(), json!(portfolio.prices_as_of.map(|date| date.to_string())));
    }
    let page = harvest_page(&report, &accounts, &label, figures);
    let mut all = session.books.issues.clone();
    all.extend(issues);
    let table = harvest_table(&report.candidates, figures);
    let report = Report::new("harvest", session.as_of, data, page).table(table);
    Ok(session.report(report, &all, context))
}
