//! The JSON of lots, harvest, what-if and advice (CLI.md): decimals are strings, dates are ISO,
//! and every amount passes [`Figures`] so that `--privacy` hides it.

use lotwise_advisor::advise::{Advice, Upcoming, Worth};
use lotwise_advisor::harvest::{HarvestCandidate, HarvestReport};
use lotwise_advisor::portfolio::{Portfolio, PricedLot};
use lotwise_advisor::suggestion::{LotShare, Suggestion};
use lotwise_core::{Date, Money, Rounding};
use lotwise_tax::{BasisSource, FlatRates, OpenLot, SaleRow, Term, first_long_term_date};
use serde_json::{Value, json};

use crate::output::Figures;

/// Writes domain values as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Json {
    /// How amounts are written.
    pub figures: Figures,
}

impl Json {
    /// An open lot (`lots --json`, `data.open_lots[]`), priced where `priced` is given with the
    /// holding's price. Tax is at flat rates, nothing in a retirement account.
    pub fn open_lot(
        self,
        open: &OpenLot,
        priced: Option<(&PricedLot, lotwise_core::Price)>,
        rates: FlatRates,
        today: Date,
    ) -> Value {
        let long_from = open.holding_from.map(first_long_term_date);
        let term = long_from.map(|date| if today >= date { Term::Long } else { Term::Short });
        let mut value = json!({
            "lot": open.lot.as_str(),
            "account": self.figures.account(open.account.as_str()),
            "symbol": open.symbol.as_str(),
            "shares": self.figures.shares(open.shares),
            "basis": self.cents(open.basis),
            "acquired": text(open.acquired),
            "holding_from": text(open.holding_from),
            "term": term.map(Term::name),
            "first_long_term_date": text(long_from),
            "washed": open.washed,
            "deferred_loss": self.figures.cents(open.deferred_loss),
            "basis_source": basis_source(open.basis_source),
        });
        if let (Some((lot, price)), Some(object)) = (priced, value.as_object_mut()) {
            let tax = |rate| lot.gain.map(|gain| if lot.taxable { gain * rate } else { Money::ZERO });
            let now = if term == Some(Term::Long) { rates.long } else { rates.short };
            object.insert("price".into(), json!(self.figures.price(price)));
            object.insert("value".into(), json!(self.figures.cents(lot.value)));
            object.insert("gain".into(), json!(self.cents(lot.gain)));
            object.insert("tax_now".into(), json!(self.cents(tax(now))));
            object.insert("tax_if_long_term".into(), json!(self.cents(tax(rates.long))));
        }
        value
    }

    /// All open lots of a booking.
    pub fn open_lots(self, open: &[&OpenLot], portfolio: Option<&Portfolio>, rates: FlatRates, today: Date) -> Value {
        open.iter().map(|lot| self.open_lot(lot, find_priced(portfolio, lot), rates, today)).collect()
    }

    /// A sold segment (`lots --json`, `data.sales[]`).
    pub fn sale(self, row: &SaleRow) -> Value {
        let matches: Vec<Value> = row
            .matches
            .iter()
            .map(|found| {
                json!({
                    "replacement": found.lot.as_str(),
                    "shares": self.figures.shares(found.shares),
                    "disallowed": self.figures.cents(found.disallowed),
                    "permanent": found.permanent,
                })
            })
            .collect();
        json!({
            "sale": row.sale.as_str(),
            "account": self.figures.account(row.account.as_str()),
            "lot": row.lot.as_str(),
            "symbol": row.symbol.as_str(),
            "shares": self.figures.shares(row.shares),
            "acquired": text(row.acquired),
            "holding_from": text(row.holding_from),
            "sold": row.sold.to_string(),
            "proceeds": self.figures.cents(row.proceeds),
            "basis": self.cents(row.basis),
            "gain": self.cents(row.gain),
            "disallowed": self.figures.cents(row.disallowed),
            "reportable": self.cents(row.reportable),
            "term": row.term.map(Term::name),
            "code": row.code,
            "matches": matches,
        })
    }

    /// The answer of `recommend --json`; `tax_mode` says how tax was computed.
    pub fn advice(self, advice: &Advice, tax_mode: &str) -> Value {
        let plan = &advice.plan;
        let suggestions: Vec<Value> = advice.suggestions.iter().map(|found| self.suggestion(found)).collect();
        let upcoming: Vec<Value> = advice.upcoming.iter().map(|lot| self.upcoming(lot)).collect();
        json!({
            "plan": {
                "id": plan.id,
                "objective": plan.objective.name(),
                "policy": plan.policy,
                "policy_kind": "classical rule",
                "policy_text": plan.describe,
                "default_reason": plan.default_reason,
                "model": null,
                "prices_as_of": text(plan.prices_as_of),
                "cash_weight": weight(plan.cash_weight),
                "expected_turnover": weight(plan.expected_turnover),
                "tax": self.figures.cents(plan.tax),
                "tax_if_oldest_lots": self.figures.cents(plan.tax_fifo),
                "cost": self.figures.cents(plan.cost),
                "tax_mode": tax_mode,
                "notes": plan.notes.iter().map(|note| self.figures.sentence(note)).collect::<Vec<_>>(),
            },
            "worth": self.worth(&advice.worth),
            "suggestions": suggestions,
            "upcoming": upcoming,
            "harvest": self.harvest(&advice.harvest),
        })
    }

    /// What a household is worth, before and after the tax of selling everything today.
    pub fn worth(self, worth: &Worth) -> Value {
        json!({
            "value": self.figures.cents(worth.value),
            "tax_if_sold": self.figures.cents(worth.tax_if_sold),
            "value_after_tax": self.figures.cents(worth.after_tax),
            "unrealised_gain": self.figures.cents(worth.unrealised),
            "unknown_basis_value": self.figures.cents(worth.unknown_basis_value),
        })
    }

    /// A suggestion (`recommend --json`, `data.suggestions[]`).
    pub fn suggestion(self, suggestion: &Suggestion) -> Value {
        let words = |sentence: &str| self.figures.sentence(sentence);
        let reasons: Vec<Value> = suggestion
            .reasons
            .iter()
            .map(|reason| {
                json!({
                    "source": reason.source.name(),
                    "text": words(&reason.text),
                    "weight": self.figures.cents(reason.weight),
                })
            })
            .collect();
        let alternatives: Vec<Value> = suggestion
            .alternatives
            .iter()
            .map(|other| json!({"text": words(&other.text), "difference": self.cents(other.difference)}))
            .collect();
        let limits: Vec<Value> = suggestion
            .limits
            .iter()
            .map(|limit| {
                // The size of an order is an amount; the others are fractions.
                let value = match Money::parse(&limit.value) {
                    Ok(amount) if limit.name == "max_order" => json!(self.figures.money(amount)),
                    _ => json!(limit.value),
                };
                json!({
                    "name": limit.name,
                    "value": value,
                    "threshold": limit.threshold,
                    "pass": limit.pass,
                    "note": words(&limit.note),
                })
            })
            .collect();
        json!({
            "id": suggestion.id,
            "symbol": suggestion.symbol.as_str(),
            "account": suggestion.account.as_ref().map(|account| self.figures.account(account.as_str())),
            "action": suggestion.side.name(),
            "current_weight": weight(suggestion.current_weight),
            "target_weight": weight(suggestion.target_weight),
            "shares": self.figures.shares(suggestion.shares),
            "amount": self.figures.cents(suggestion.amount),
            "lots": self.lot_shares(&suggestion.lots),
            "after_tax_now": self.cents(suggestion.after_tax_now),
            "after_tax_wait": self.cents(suggestion.after_tax_wait),
            "saving": self.cents(suggestion.saving),
            "wait_until": text(suggestion.wait_until),
            "break_even_price": suggestion
                .break_even_price
                .filter(|_| !self.figures.masked())
                .map(|price| price.round(4, Rounding::HalfEven).to_string()),
            "break_even_probability": suggestion.break_even_probability.map(|chance| format!("{chance:.4}")),
            "replacement": text(suggestion.replacement.as_ref()),
            "reasons": reasons,
            "alternatives": alternatives,
            "limits": limits,
            "confidence": suggestion.confidence.map(|chance| format!("{chance:.4}")),
            "evidence": suggestion.evidence,
            "would_change": words(&suggestion.would_change),
            "unknowns": suggestion.unknowns,
            "sentence": words(&suggestion.sentence),
        })
    }

    /// Losses worth taking (`harvest --json`).
    pub fn harvest(self, report: &HarvestReport) -> Value {
        json!({
            "candidates": report.candidates.iter().map(|found| self.candidate(found)).collect::<Vec<_>>(),
            "set_aside": report.set_aside.iter().map(|found| self.candidate(found)).collect::<Vec<_>>(),
            "usable_loss": self.figures.cents(report.usable_loss),
            "total_worth": self.figures.cents(report.total_worth),
        })
    }

    fn candidate(self, candidate: &HarvestCandidate) -> Value {
        let worth = &candidate.worth;
        json!({
            "symbol": candidate.symbol.as_str(),
            "shares": self.figures.shares(candidate.shares),
            "value": self.figures.cents(candidate.value),
            "loss": self.figures.cents(candidate.loss),
            "disallowed": self.figures.cents(candidate.disallowed),
            "washed_by": candidate.washed_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "tax_saved_this_year": self.figures.cents(worth.saved_now()),
            "carried_value": self.figures.cents(worth.carried.value),
            "trading_cost": self.figures.cents(worth.round_trip_cost),
            "later_tax_present_value": self.figures.cents(worth.lower_basis),
            "worth": self.figures.cents(worth.net),
            "clear_from": text(candidate.clear_from),
            "rebuy_from": candidate.rebuy_from.to_string(),
            "replacement": candidate.replacement.as_ref().map(|found| found.symbol.to_string()),
            "replacement_correlation": candidate.replacement.as_ref().map(|found| format!("{:.4}", found.correlation)),
            "replacement_cosine": (candidate.replacement.as_ref()).and_then(|found| found.cosine).map(|x| format!("{x:.4}")),
            "no_replacement": candidate.no_replacement,
            "lots": self.lot_shares(&candidate.lots),
        })
    }

    fn lot_shares(self, lots: &[LotShare]) -> Value {
        lots.iter()
            .map(|lot| {
                json!({
                    "lot": lot.lot.as_str(),
                    "account": self.figures.account(lot.account.as_str()),
                    "shares": self.figures.shares(lot.shares),
                    "acquired": text(lot.acquired),
                    "term": lot.term.map(Term::name),
                    "gain": self.cents(lot.gain),
                    "disallowed": self.figures.cents(lot.disallowed),
                })
            })
            .collect()
    }

    fn upcoming(self, upcoming: &Upcoming) -> Value {
        json!({
            "symbol": upcoming.symbol.as_str(),
            "lot": upcoming.lot.open.lot.as_str(),
            "account": self.figures.account(upcoming.lot.open.account.as_str()),
            "shares": self.figures.shares(upcoming.lot.open.shares),
            "date": upcoming.date.to_string(),
            "days": upcoming.days,
            "gain": self.cents(upcoming.lot.gain),
            "saving": self.figures.cents(upcoming.saving),
        })
    }

    /// Money leaves in cents, half away from zero (tax rule 0.1); unknown stays null.
    fn cents(self, amount: Option<Money>) -> Value {
        amount.map_or(Value::Null, |amount| json!(self.figures.cents(amount)))
    }
}

/// The priced form of an open lot.
pub fn find_priced<'a>(
    portfolio: Option<&'a Portfolio>,
    lot: &OpenLot,
) -> Option<(&'a PricedLot, lotwise_core::Price)> {
    let holding = portfolio?.holding(&lot.symbol)?;
    holding.lots.iter().find(|priced| priced.open == *lot).map(|priced| (priced, holding.quote.price))
}

fn basis_source(source: BasisSource) -> &'static str {
    match source {
        BasisSource::Purchase => "purchase",
        BasisSource::Stated => "stated",
        BasisSource::CarriedOver => "carried_over",
        BasisSource::Gift => "gift",
        BasisSource::Inherited => "inherited",
        BasisSource::Unknown => "unknown",
        BasisSource::AverageOnly => "average_only",
    }
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// A fraction with six decimals.
fn weight(value: f64) -> String {
    format!("{value:.6}")
}
