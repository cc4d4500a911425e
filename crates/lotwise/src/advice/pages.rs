//! Advice for people: dollars first, one sentence, the money line, reasons, alternatives, limits.

use lotwise_advisor::advise::{Advice, Upcoming, Worth};
use lotwise_advisor::harvest::{HarvestCandidate, HarvestReport};
use lotwise_advisor::suggestion::{Motive, Suggestion};
use lotwise_core::{Money, Rounding};

use super::session::accounts_seen;
use crate::output::{Cell, Column, Figures, Page, Table, Tone};

/// Value, tax if sold, value after tax.
pub fn worth_facts(worth: &Worth, figures: Figures) -> Vec<(String, String)> {
    let mut facts = vec![
        ("Value".to_owned(), figures.dollars(worth.value)),
        ("Tax if all were sold today".to_owned(), figures.dollars(worth.tax_if_sold)),
        ("Value after tax".to_owned(), figures.dollars(worth.after_tax)),
        ("Unrealised gain".to_owned(), figures.dollar_change(worth.unrealised)),
    ];
    if worth.unknown_basis_value.is_positive() {
        let text = format!("{} (its tax is not in the figure)", figures.dollars(worth.unknown_basis_value));
        facts.push(("Of unknown basis".to_owned(), text));
    }
    facts
}

/// Lots that turn long-term, soonest first.
pub fn upcoming_table(upcoming: &[Upcoming], most: usize, figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("date", "Long-term from"),
        Column::number("days", "Days"),
        Column::words("symbol", "Symbol"),
        Column::number("shares", "Shares"),
        Column::number("gain", "Gain"),
        Column::number("saving", "Tax saved by waiting"),
    ]);
    for lot in upcoming.iter().take(most) {
        table.row([
            Cell::with_raw(lot.date.long(), lot.date.to_string()),
            Cell::with_raw(lot.days.to_string(), lot.days.to_string()),
            Cell::words(lot.symbol.as_str()),
            Cell::shares(figures, lot.lot.open.shares.round(4, Rounding::HalfEven)),
            Cell::maybe(lot.lot.gain, |gain| Cell::change(figures, gain.to_cents())),
            Cell::money(figures, lot.saving.to_cents()),
        ]);
    }
    table
}

/// Losses as a table.
pub fn harvest_table(candidates: &[HarvestCandidate], figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("symbol", "Symbol"),
        Column::number("shares", "Shares"),
        Column::number("loss", "Loss"),
        Column::number("disallowed", "Washed"),
        Column::number("saved", "Tax saved now"),
        Column::number("later", "Later tax"),
        Column::number("worth", "Worth"),
        Column::words("replacement", "Hold instead"),
        Column::words("rebuy_from", "Buy back from"),
    ]);
    for candidate in candidates {
        let worth = &candidate.worth;
        table.row([
            Cell::words(candidate.symbol.as_str()),
            Cell::shares(figures, candidate.shares.round(4, Rounding::HalfEven)),
            Cell::money(figures, candidate.loss.to_cents()),
            Cell::money(figures, candidate.disallowed.to_cents()),
            Cell::money(figures, worth.saved_now().to_cents()),
            Cell::money(figures, worth.lower_basis.to_cents()),
            Cell::change(figures, worth.net.to_cents()),
            Cell::words(candidate.replacement.as_ref().map_or("none found", |found| found.symbol.as_str())),
            Cell::with_raw(candidate.rebuy_from.long(), candidate.rebuy_from.to_string()),
        ]);
    }
    table
}

/// The page of `harvest`.
pub fn harvest_page(report: &HarvestReport, accounts: &[String], tax_label: &str, figures: Figures) -> Page {
    let mut page = Page::new();
    if report.candidates.is_empty() {
        page.heading("No loss worth harvesting today");
        page.sentence(
            "No lot in a taxable account stands at least 2 % below its basis with a loss that could be used.",
        );
    } else {
        page.heading(format!(
            "Harvesting could be worth {} after tax: {} of loss can be used",
            figures.dollars(report.total_worth),
            figures.dollars(report.usable_loss)
        ));
        page.table(harvest_table(&report.candidates, figures));
        page.gap();
        page.sentence(
            "Worth = tax saved this year and later, less two trades, less the present value of the tax that the \
             replacement's lower basis brings. Harvesting is mostly deferral.",
        );
    }
    for candidate in report.candidates.iter().filter(|candidate| candidate.disallowed.is_positive()) {
        page.item(format!(
            "{}: {} of the loss would be disallowed today because of purchases in the last 30 days{}",
            candidate.symbol,
            figures.dollars(candidate.disallowed),
            candidate.clear_from.map_or_else(String::new, |date| format!("; from {} none of it", date.long()))
        ));
    }
    for candidate in &report.candidates {
        if let Some(reason) = &candidate.no_replacement {
            page.item(format!("{}: no replacement, because {reason}", candidate.symbol));
        }
    }
    if !report.set_aside.is_empty() {
        page.heading("Set aside");
        for candidate in &report.set_aside {
            let why = if candidate.disallowed >= candidate.loss {
                candidate.clear_from.map_or_else(
                    || "all of it would be a wash sale".to_owned(),
                    |date| format!("all of it would be a wash sale until {}", date.long()),
                )
            } else {
                format!("it is worth {} after what it costs", figures.dollars(candidate.worth.net))
            };
            page.item(format!("{}: a loss of {}, but {why}", candidate.symbol, figures.dollars(candidate.loss)));
        }
    }
    page.gap();
    page.sentence(format!("Tax: {tax_label}."));
    page.sentence(accounts_seen(accounts));
    page
}

/// One suggestion in full (UX section 5).
pub fn suggestion_block(page: &mut Page, position: usize, suggestion: &Suggestion, figures: Figures) {
    let words = |text: &str| figures.sentence(text);
    page.heading(format!("{position}. {}.", words(&suggestion.sentence)));
    let mut facts = Vec::new();
    if let Some(line) = money_line(suggestion, figures) {
        facts.push(("Money".to_owned(), line));
    }
    // A break-even price tells what was paid, so it is as private as an amount.
    if let Some(price) = suggestion.break_even_price.filter(|_| !figures.masked()) {
        let chance = suggestion
            .break_even_probability
            .map_or_else(String::new, |chance| format!(", about {:.0} % likely to end lower", chance * 100.0));
        let price = figures.price_text(price.round(2, Rounding::HalfEven));
        facts.push(("Break-even".to_owned(), format!("${price}{chance}")));
    }
    if !suggestion.lots.is_empty() && suggestion.motive != Motive::Keep {
        facts.push(("Lots".to_owned(), lots_line(suggestion, figures)));
    }
    for (at, reason) in suggestion.reasons.iter().enumerate() {
        let name = if at == 0 { "Why" } else { "" };
        let weight = figures.dollar_change(reason.weight);
        facts.push((name.to_owned(), format!("[{}] {} ({weight})", reason.source.name(), words(&reason.text))));
    }
    for (at, other) in suggestion.alternatives.iter().enumerate() {
        let name = if at == 0 { "Instead" } else { "" };
        let difference =
            other.difference.map_or_else(String::new, |amount| format!(" ({})", figures.dollar_change(amount)));
        facts.push((name.to_owned(), format!("{}{difference}", words(&other.text))));
    }
    for (at, limit) in suggestion.limits.iter().enumerate() {
        let name = if at == 0 { "Limits" } else { "" };
        let mark = if limit.pass { "ok" } else { "stopped" };
        facts.push((name.to_owned(), format!("{mark}: {}, {}", limit.name.replace('_', " "), words(&limit.note))));
    }
    facts.push(("Would change".to_owned(), words(&suggestion.would_change)));
    facts.push(("Not known".to_owned(), suggestion.unknowns.clone()));
    facts.push(("Evidence".to_owned(), suggestion.evidence.clone()));
    facts.push(("Record".to_owned(), suggestion.id.clone()));
    page.facts(facts);
}

/// Now, waiting, and what following the suggestion is worth.
fn money_line(suggestion: &Suggestion, figures: Figures) -> Option<String> {
    let now = suggestion.after_tax_now?;
    let mut line = format!("{} after tax if sold now", figures.dollar_change(now));
    if let (Some(wait), Some(until)) = (suggestion.after_tax_wait, suggestion.wait_until) {
        line.push_str(&format!(", {} from {}", figures.dollar_change(wait), until.long()));
    }
    if let Some(saving) = suggestion.saving.filter(|saving| !saving.is_zero()) {
        line.push_str(&format!("; worth {}", figures.dollars(saving)));
    }
    Some(line)
}

fn lots_line(suggestion: &Suggestion, figures: Figures) -> String {
    const SHOWN: usize = 4;
    let mut parts: Vec<String> = suggestion
        .lots
        .iter()
        .take(SHOWN)
        .map(|lot| {
            let acquired = lot.acquired.map_or_else(|| "date unknown".to_owned(), |date| format!("of {}", date.long()));
            let term = lot.term.map_or("term unknown", |term| term.name());
            let gain = lot
                .gain
                .map_or_else(|| "gain unknown".to_owned(), |gain| format!("gain {}", figures.dollar_change(gain)));
            let shares = figures.share_count(lot.shares.round(4, Rounding::HalfEven));
            format!("{shares} {acquired} ({term}, {gain})")
        })
        .collect();
    if suggestion.lots.len() > SHOWN {
        parts.push(format!("and {} more", suggestion.lots.len() - SHOWN));
    }
    parts.join("; ")
}

/// The page of `recommend`.
pub fn suggestions_page(advice: &Advice, most: usize, tax_label: &str, figures: Figures) -> Page {
    let mut page = Page::new();
    let plan = &advice.plan;
    page.heading(format!(
        "Your account on {}: {}, {} after tax if sold today",
        advice.as_of.long(),
        figures.dollars(advice.worth.value),
        figures.dollars(advice.worth.after_tax)
    ));
    page.sentence(format!(
        "Objective {}. Policy {}: {}{}",
        plan.objective,
        plan.policy,
        plan.describe,
        plan.default_reason.map_or_else(String::new, |reason| format!(" It is the default here because {reason}."))
    ));
    let prices = plan.prices_as_of.map_or_else(|| "no prices".to_owned(), |date| format!("prices of {}", date.long()));
    page.sentence(format!(
        "If you follow the plan: {:.1} % turnover, {} of cost, this year's tax {} ({} if the oldest lots were sold), \
         {:.1} % in cash. {prices}. Tax: {tax_label}.",
        plan.expected_turnover * 100.0,
        figures.dollars(plan.cost),
        figures.dollar_change(plan.tax),
        figures.dollar_change(plan.tax_fifo),
        plan.cash_weight * 100.0,
    ));
    for note in &plan.notes {
        page.item(figures.sentence(note));
    }
    let (moves, keeps): (Vec<&Suggestion>, Vec<&Suggestion>) =
        advice.suggestions.iter().partition(|suggestion| suggestion.motive != Motive::Keep);
    if moves.is_empty() {
        page.gap();
        page.toned("Nothing needs doing today.", Tone::Strong);
    }
    for (at, suggestion) in moves.iter().take(most).enumerate() {
        suggestion_block(&mut page, at + 1, suggestion, figures);
    }
    if moves.len() > most {
        page.gap();
        page.sentence(format!("{} more suggestions are in --json.", moves.len() - most));
    }
    if !keeps.is_empty() {
        page.heading("Keep as it is");
        page.table(keep_table(&keeps, figures));
    }
    if !advice.upcoming.is_empty() {
        page.heading("Turning long-term next");
        page.table(upcoming_table(&advice.upcoming, 5, figures));
    }
    page.gap();
    page.sentence("Nothing was ordered or stored. Not investment or tax advice: estimates from your data and the rates you entered.");
    page
}

fn keep_table(keeps: &[&Suggestion], figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("symbol", "Symbol"),
        Column::number("weight", "Weight"),
        Column::number("after_tax", "Gain after tax if sold"),
        Column::words("why", "Why"),
    ]);
    for suggestion in keeps {
        let why = suggestion.reasons.first().map_or("", |reason| reason.text.as_str());
        table.row([
            Cell::words(suggestion.symbol.as_str()),
            Cell::with_raw(
                format!("{:.1} %", suggestion.current_weight * 100.0),
                format!("{:.6}", suggestion.current_weight),
            ),
            Cell::maybe(suggestion.after_tax_now.map(Money::to_cents), |amount| Cell::change(figures, amount)),
            Cell::words(figures.sentence(why)),
        ]);
    }
    table
}
