//! `tax estimate`: a year's tax with its parts, from amounts on the command line and from exports.

mod history;

use lotwise_core::Money;
use lotwise_tax::{
    Carryover, Deduction, Error, FilingStatus, FlatYearTax, Household, Netting, Parameters, YearNote, YearTax,
    flat_year_tax, year_tax,
};
use serde_json::{Value, json};

use crate::args::{TaxEstimateArgs, TaxMode};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::{Cell, Column, Figures, Page, Report, Table, Tone, Warning, percent_text};
use crate::settings::Settings;

/// Estimates the tax.
///
/// # Errors
/// When an amount or a rate cannot be.
pub fn run(arguments: &TaxEstimateArgs, context: &Context) -> Result<Report, Failure> {
    let settings = context.settings_with(&arguments.rates)?;
    let mut warnings = Vec::new();
    let mut household = household(arguments, &settings, &mut warnings);
    let mut assumptions = assumptions(arguments, &settings);
    let mut unread = Failure::default();
    if let Some(histories) = history::histories(arguments, context)? {
        if arguments.history.is_empty() {
            assumptions.push(format!(
                "the amounts of {} imported files are added; --by-hand leaves them out",
                histories.len()
            ));
        }
        let found = history::of_year(histories, arguments, settings.clone(), context)?;
        found.add_to(&mut household)?;
        assumptions.extend(found.assumptions(context.figures()));
        warnings.extend(found.warnings);
        unread = found.unread;
    }
    let mut report = match arguments.mode {
        TaxMode::Brackets => brackets(&household, &assumptions, context, warnings),
        TaxMode::Flat => flat(&household, &settings, &assumptions, context, warnings),
    }?;
    report.errors = unread;
    Ok(report)
}

/// An error of the tax engine about what the person entered.
fn refused(error: &Error) -> Failure {
    CliError::new("tax-input", Exit::Usage, error.to_string()).help("see lotwise tax estimate --help").into()
}

fn household(arguments: &TaxEstimateArgs, settings: &Settings, warnings: &mut Vec<Warning>) -> Household {
    let status = arguments.status.or(settings.status).unwrap_or_else(|| {
        let message = "no filing status was stated, so single is assumed; --status or the setting status states it";
        warnings.push(Warning::new("assumed-status", message));
        FilingStatus::Single
    });
    Household {
        wages: arguments.wages,
        other_ordinary_income: arguments.other_income,
        interest: arguments.interest,
        ordinary_dividends_nonqualified: arguments.ordinary_dividends,
        qualified_dividends: arguments.qualified_dividends,
        short_term_gain: arguments.short_term_gain,
        long_term_gain: arguments.long_term_gain,
        short_carryover: arguments.short_carryover,
        long_carryover: arguments.long_carryover,
        deduction: arguments.deduction.map_or(Deduction::Standard, Deduction::Amount),
        state: settings.state,
        ..Household::new(arguments.year, status)
    }
}

/// What the person should know about how it was computed.
fn assumptions(arguments: &TaxEstimateArgs, settings: &Settings) -> Vec<String> {
    let mut list = Vec::new();
    match arguments.mode {
        TaxMode::Brackets => {
            if arguments.deduction.is_none() {
                list.push("standard deduction, under 65 and not blind".to_owned());
            }
            list.push("no credits and no alternative minimum tax".to_owned());
            list.push("adjusted gross income is taken as the modified one of the net investment income tax".to_owned());
        }
        TaxMode::Flat => {
            list.push(FlatYearTax::LABEL.to_owned());
            for (key, name, rate) in
                [("short_rate", "short-term", settings.rates.short), ("long_rate", "long-term", settings.rates.long)]
            {
                let source = if settings.stated(key) { "as you stated" } else { "assumed, since none was stated" };
                list.push(format!("{} on {name} gains, {source}", percent_text(rate, 1)));
            }
            list.push("there is income enough to use a deducted loss".to_owned());
        }
    }
    if settings.state.short.is_zero() && settings.state.long.is_zero() {
        list.push("no state tax, since no state rate was stated".to_owned());
    } else {
        list.push("state rates without brackets, on the federal netting result".to_owned());
    }
    list
}

fn brackets(
    household: &Household,
    assumptions: &[String],
    context: &Context,
    mut warnings: Vec<Warning>,
) -> Result<Report, Failure> {
    let figures = context.figures();
    let tax = year_tax(household).map_err(|error| refused(&error))?;
    let parameters = Parameters::of(household.year, household.status).map_err(|error| refused(&error))?;
    for note in &tax.notes {
        warnings.push(match note {
            YearNote::TaxTables => Warning::new(
                "tax-tables",
                "below 100,000 of taxable income the forms use tables in steps of 50 dollars; a filed return may differ by a few dollars",
            ),
            YearNote::AlternativeMinimumTax => Warning::new(
                "alternative-minimum-tax",
                "the alternative minimum tax is not computed, and gains are large enough that it may apply",
            ),
        });
    }
    let cents = |amount: Money| figures.cents(amount);
    let data = json!({
        "mode": "brackets",
        "year": tax.year,
        "filing_status": tax.status.name(),
        "input": input_json(household, figures),
        "netting": netting_json(tax.netting, figures),
        "adjusted_gross_income": cents(tax.adjusted_gross_income),
        "deduction": cents(tax.deduction),
        "taxable_income": cents(tax.taxable_income),
        "taxed_at_ordinary_rates": cents(tax.at_ordinary),
        "taxed_at_0": cents(tax.at_0),
        "taxed_at_15": cents(tax.at_15),
        "taxed_at_20": cents(tax.at_20),
        "regular_tax": cents(tax.regular_tax),
        "net_investment_income": cents(tax.net_investment_income),
        "net_investment_income_tax": cents(tax.net_investment_income_tax),
        "state_tax": cents(tax.state_tax),
        "total_tax": cents(tax.total()),
        "carryover": carryover_json(tax.carryover, figures),
        "source": parameters.authority,
        "assumptions": assumptions,
    });
    let parts = parts(&tax, figures);
    let mut page = Page::new();
    page.heading(format!(
        "Tax for {}, {}: about {}",
        tax.year,
        tax.status.name().replace('_', " "),
        figures.dollars(tax.total())
    ));
    page.table(parts.clone());
    page.gap();
    carried(&mut page, tax.carryover, household.year, figures);
    closing(&mut page, assumptions, Some(&parameters.authority));
    Ok(Report::new("tax-estimate", context.today(), data, page).table(parts).warnings(warnings))
}

fn parts(tax: &YearTax, figures: Figures) -> Table {
    let mut table =
        Table::new([Column::words("part", "Part"), Column::number("amount", "Amount"), Column::number("tax", "Tax")]);
    let mut row = |name: &str, amount: Option<Money>, tax: Option<Money>| {
        let cell = |value: Option<Money>| Cell::maybe(value, |value| Cell::money(figures, value.to_cents()));
        table.row([Cell::words(name), cell(amount), cell(tax)]);
    };
    row("Net short-term result, carryover included", Some(tax.netting.net_short), None);
    row("Net long-term result, carryover included", Some(tax.netting.net_long), None);
    row("Capital result on the return", Some(tax.netting.on_return), None);
    row("Adjusted gross income", Some(tax.adjusted_gross_income), None);
    row("Deduction", Some(-tax.deduction), None);
    row("Taxable income", Some(tax.taxable_income), None);
    row("  at ordinary rates", Some(tax.at_ordinary), None);
    row("  at 0 %", Some(tax.at_0), None);
    row("  at 15 %", Some(tax.at_15), None);
    row("  at 20 %", Some(tax.at_20), None);
    row("Regular tax", None, Some(tax.regular_tax));
    row("Net investment income tax", Some(tax.net_investment_income), Some(tax.net_investment_income_tax));
    row("State tax on gains", None, Some(tax.state_tax));
    row("Total", None, Some(tax.total()));
    table
}

fn flat(
    household: &Household,
    settings: &Settings,
    assumptions: &[String],
    context: &Context,
    warnings: Vec<Warning>,
) -> Result<Report, Failure> {
    let figures = context.figures();
    let parameters = Parameters::of(household.year, household.status).map_err(|error| refused(&error))?;
    let short = household.short_term_gain - household.short_carryover;
    let long = household.long_term_gain - household.long_carryover;
    let rates = lotwise_tax::FlatRates {
        short: settings.rates.short + settings.state.short,
        long: settings.rates.long + settings.state.long,
    };
    let tax = flat_year_tax(short, long, parameters.loss_limit, rates).map_err(|error| refused(&error))?;
    let data = json!({
        "mode": "flat",
        "label": FlatYearTax::LABEL,
        "year": household.year,
        "filing_status": household.status.name(),
        "input": input_json(household, figures),
        "short_rate": figures.rate(rates.short),
        "long_rate": figures.rate(rates.long),
        "netting": netting_json(tax.netting, figures),
        "total_tax": figures.cents(tax.tax),
        "carryover": carryover_json(tax.carryover, figures),
        "assumptions": assumptions,
    });
    let mut table =
        Table::new([Column::words("part", "Part"), Column::number("amount", "Amount"), Column::number("rate", "Rate")]);
    for (name, amount, rate) in [
        ("Net short-term result, carryover included", tax.netting.net_short, Some(rates.short)),
        ("Net long-term result, carryover included", tax.netting.net_long, Some(rates.long)),
        ("Capital result on the return", tax.netting.on_return, None),
        ("Tax on gains", tax.tax, None),
    ] {
        let rate = Cell::maybe(rate, |rate| Cell::with_raw(percent_text(rate, 1), rate.to_string()));
        table.row([Cell::words(name), Cell::money(figures, amount.to_cents()), rate]);
    }
    let mut page = Page::new();
    page.heading(format!("Tax on gains for {} at flat rates: about {}", household.year, figures.dollars(tax.tax)));
    page.table(table.clone());
    page.gap();
    carried(&mut page, tax.carryover, household.year, figures);
    closing(&mut page, assumptions, None);
    Ok(Report::new("tax-estimate", context.today(), data, page).table(table).warnings(warnings))
}

fn carried(page: &mut Page, carryover: Carryover, year: i32, figures: Figures) {
    if carryover.short.is_zero() && carryover.long.is_zero() {
        return;
    }
    page.sentence(format!(
        "Losses of {} short-term and {} long-term are left to {}.",
        figures.dollars(carryover.short),
        figures.dollars(carryover.long),
        year + 1
    ));
}

fn closing(page: &mut Page, assumptions: &[String], authority: Option<&str>) {
    page.heading("Assumed");
    for assumption in assumptions {
        page.item(assumption);
    }
    if let Some(authority) = authority {
        page.gap();
        page.toned(format!("Brackets and thresholds: {authority}."), Tone::Quiet);
    }
}

fn input_json(household: &Household, figures: Figures) -> Value {
    json!({
        "wages": figures.money(household.wages),
        "other_income": figures.money(household.other_ordinary_income),
        "interest": figures.money(household.interest),
        "ordinary_dividends_nonqualified": figures.money(household.ordinary_dividends_nonqualified),
        "qualified_dividends": figures.money(household.qualified_dividends),
        "short_term_gain": figures.money(household.short_term_gain),
        "long_term_gain": figures.money(household.long_term_gain),
        "short_term_carryover_in": figures.money(household.short_carryover),
        "long_term_carryover_in": figures.money(household.long_carryover),
    })
}

fn netting_json(netting: Netting, figures: Figures) -> Value {
    json!({
        "net_short": figures.cents(netting.net_short),
        "net_long": figures.cents(netting.net_long),
        "net": figures.cents(netting.net),
        "net_capital_gain": figures.cents(netting.net_capital_gain),
        "deducted": figures.cents(netting.deducted),
        "on_return": figures.cents(netting.on_return),
    })
}

fn carryover_json(carryover: Carryover, figures: Figures) -> Value {
    json!({"short_term": figures.cents(carryover.short), "long_term": figures.cents(carryover.long)})
}
