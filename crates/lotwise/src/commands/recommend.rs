//! `recommend`: what to do with the account, in dollars after tax.

use lotwise_advisor::advise::{Advice, AdviceOptions, advise};
use lotwise_core::Money;

use super::replacements::representations;
use crate::advice::{Json, PriceNeed, Session, refused, suggestions_page};
use crate::args::{MethodArg, RecommendArgs};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, did_you_mean};
use crate::output::{Cell, Column, Figures, Report, Table};

/// Suggestions shown in full; the rest is in JSON.
const SHOWN: usize = 8;

/// Recommends.
///
/// # Errors
/// When a file or the prices cannot be read, the policy is unknown, or nothing held has a price.
pub fn run(arguments: &RecommendArgs, context: &Context) -> Result<Report, Failure> {
    if let Some(policy) = &arguments.policy {
        known_policy(policy)?;
    }
    let session = Session::of_arguments(&arguments.input, MethodArg::Fifo, PriceNeed::Required, context)?;
    let market = session.market_as_of()?.1;
    let representations = representations(&arguments.likeness, arguments.input.prices.as_deref(), market, context)?;
    let mut options = session.advice_options(arguments.objective);
    options.policy.clone_from(&arguments.policy);
    options.plan.cash_needed = arguments.cash_needed;
    options.harvest.representations = representations;
    let advice = advice(&session, &options)?;
    let figures = context.figures();
    let label = session.tax_label();
    let page = suggestions_page(&advice, SHOWN, &label, figures);
    let data = Json { figures }.advice(&advice, &label);
    let table = suggestions_table(&advice, figures);
    let report = Report::new("recommend", session.as_of, data, page).table(table);
    Ok(session.report(report, &advice.issues, context))
}

/// The advice for a session.
///
/// # Errors
/// When the policy fails, or nothing held has a price.
pub fn advice(session: &Session, options: &AdviceOptions) -> Result<Advice, Failure> {
    advise(&session.advice_input()?, options).map_err(|error| refused(&error))
}

fn known_policy(policy: &str) -> Result<(), Failure> {
    let wanted = policy.trim().to_ascii_lowercase().replace('_', "-");
    let names = lotwise_sim::policy::names();
    if names.contains(&wanted.as_str()) {
        return Ok(());
    }
    let help = did_you_mean(&wanted, names.iter().copied(), names.len());
    Err(CliError::new("unknown-policy", Exit::Usage, format!("{policy:?} is not a policy")).help(help).into())
}

fn suggestions_table(advice: &Advice, figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("id", "Record"),
        Column::words("action", "Action"),
        Column::words("symbol", "Symbol"),
        Column::number("shares", "Shares"),
        Column::number("amount", "Amount"),
        Column::number("after_tax_now", "After tax now"),
        Column::number("after_tax_wait", "After tax later"),
        Column::number("saving", "Worth"),
        Column::words("wait_until", "Wait until"),
        Column::words("sentence", "Suggestion"),
    ]);
    let money = |amount: Option<Money>| Cell::maybe(amount.map(Money::to_cents), |amount| Cell::money(figures, amount));
    for suggestion in &advice.suggestions {
        table.row([
            Cell::words(suggestion.id.as_str()),
            Cell::words(suggestion.side.name()),
            Cell::words(suggestion.symbol.as_str()),
            Cell::shares(figures, suggestion.shares),
            Cell::money(figures, suggestion.amount.to_cents()),
            money(suggestion.after_tax_now),
            money(suggestion.after_tax_wait),
            money(suggestion.saving),
            Cell::maybe(suggestion.wait_until, |date| Cell::with_raw(date.long(), date.to_string())),
            Cell::words(figures.sentence(&suggestion.sentence)),
        ]);
    }
    table
}
