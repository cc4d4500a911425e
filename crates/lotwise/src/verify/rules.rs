//! The small cases: holding periods, carryovers, dividends and personas. And how cases write
//! dates, amounts and rates.

use lotwise_core::{Date, DecimalError, Money, Price, Rate, Rounding, Shares};
use lotwise_tax::{
    FilingStatus, FlatRates, Parameters, ShareClass, YEARS, carryover as worksheet, first_long_term_date, net_gains,
    qualified_dividend_test, wait_for_long_term,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value, json};

use super::compare::Precision;
use super::{Outcome, parse};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldingPeriod {
    acquired: String,
    #[serde(default, rename = "last_short_term_sale_date")]
    _last: IgnoredAny,
    #[serde(default, rename = "first_long_term_sale_date")]
    _first: IgnoredAny,
    #[serde(default, rename = "days_between_acquisition_and_first_long_term_sale")]
    _days: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
}

pub(super) fn holding_period(case: &Value) -> Result<Outcome, String> {
    let parsed: HoldingPeriod = parse(case)?;
    let acquired = date(&parsed.acquired)?;
    let first = first_long_term_date(acquired);
    let computed = json!({
        "last_short_term_sale_date": first.plus_days(-1).to_string(),
        "first_long_term_sale_date": first.to_string(),
        "days_between_acquisition_and_first_long_term_sale": first.days_since(acquired),
    });
    Ok(beside_inputs(case, computed, &Precision::SixPlaces))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CarryoverCase {
    #[serde(default, rename = "title")]
    _title: IgnoredAny,
    #[serde(default, rename = "expected")]
    _expected: IgnoredAny,
    form_1040_line_15_signed: Value,
    schedule_d_line_7: Value,
    schedule_d_line_15: Value,
    filing_status: String,
}

pub(super) fn carryover(case: &Value) -> Result<Outcome, String> {
    let parsed: CarryoverCase = parse(case)?;
    let status = FilingStatus::parse(&parsed.filing_status)
        .ok_or_else(|| format!("filing_status {:?} is not known", parsed.filing_status))?;
    // The limit is not indexed: every year of the table has the same one.
    let limit = Parameters::of(*YEARS.end(), status).map_err(|error| error.to_string())?.loss_limit;
    let short = money("schedule_d_line_7", &parsed.schedule_d_line_7)?;
    let long = money("schedule_d_line_15", &parsed.schedule_d_line_15)?;
    let netting = net_gains(short, long, limit);
    let out = worksheet(money("form_1040_line_15_signed", &parsed.form_1040_line_15_signed)?, netting);
    let computed = json!({
        "year_line_16": number(netting.net),
        "deducted": number(netting.deducted),
        "line_4": number(out.used),
        "short_term_carryover": number(out.short),
        "long_term_carryover": number(out.long),
    });
    Ok(Outcome::compared(case.get("expected"), computed, &Precision::Cents))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dividend {
    #[serde(default, rename = "title")]
    _title: IgnoredAny,
    acquired: String,
    sold: Option<String>,
    ex_dividend_date: String,
    #[serde(default)]
    preferred_long_period: bool,
    #[serde(default, rename = "window")]
    _window: IgnoredAny,
    #[serde(default, rename = "days_held_inside_window")]
    _inside: IgnoredAny,
    #[serde(default, rename = "days_held_total")]
    _total: IgnoredAny,
    #[serde(default, rename = "holding_test_met")]
    _met: IgnoredAny,
    #[serde(default, rename = "received_dividend")]
    _received: IgnoredAny,
}

pub(super) fn qualified_dividend(case: &Value) -> Result<Outcome, String> {
    let parsed: Dividend = parse(case)?;
    let class = if parsed.preferred_long_period { ShareClass::PreferredLongPeriod } else { ShareClass::Common };
    let sold = parsed.sold.as_deref().map(date).transpose()?;
    let found = qualified_dividend_test(date(&parsed.acquired)?, sold, date(&parsed.ex_dividend_date)?, class);
    let computed = json!({
        "window": [found.window.0.to_string(), found.window.1.to_string()],
        "days_held_inside_window": found.days_inside,
        "days_held_total": found.days_total,
        "holding_test_met": found.met,
        "received_dividend": found.received,
    });
    Ok(beside_inputs(case, computed, &Precision::SixPlaces))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Persona {
    #[serde(default, rename = "name")]
    _name: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
    shares: Value,
    price: Value,
    basis_per_share: Value,
    short_rate: Value,
    long_rate: Value,
    #[serde(default, rename = "gain")]
    _gain: IgnoredAny,
    #[serde(default, rename = "after_tax_gain_now_short")]
    _now: IgnoredAny,
    #[serde(default, rename = "after_tax_gain_if_long")]
    _long: IgnoredAny,
    #[serde(default, rename = "tax_saved_by_waiting")]
    _saved: IgnoredAny,
    #[serde(default, rename = "break_even_price")]
    _price: IgnoredAny,
    #[serde(default, rename = "break_even_fall")]
    _fall: IgnoredAny,
}

pub(super) fn persona(case: &Value) -> Result<Outcome, String> {
    let parsed: Persona = parse(case)?;
    let held = shares("shares", &parsed.shares)?;
    let basis_per_share = exact("basis_per_share", &parsed.basis_per_share, Price::parse)?;
    let rates =
        FlatRates { short: rate("short_rate", &parsed.short_rate)?, long: rate("long_rate", &parsed.long_rate)? };
    let unit = Shares::from_whole(1);
    // Basis is stated per share; the engine wants the total.
    let basis = Money::from_billionths(basis_per_share.billionths())
        .portion(held, unit)
        .ok_or("shares times basis_per_share is out of range")?;
    let wait = match wait_for_long_term(held, exact("price", &parsed.price, Price::parse)?, basis, rates) {
        Ok(wait) => wait,
        Err(error) => return Ok(Outcome::refused(&error)),
    };
    let mut computed = json!({
        "gain": number(wait.gain.to_cents()),
        "after_tax_gain_now_short": number(wait.after_tax_now.to_cents()),
        "after_tax_gain_if_long": number(wait.after_tax_long.to_cents()),
        "tax_saved_by_waiting": number(wait.saving.to_cents()),
    });
    // A loss has no long-term day worth waiting for, so cases state no break-even for it.
    if let (Value::Object(fields), true) = (&mut computed, wait.gain.is_positive()) {
        let price = wait.break_even_price.round(6, Rounding::HalfAwayFromZero).billionths();
        let fall = wait.break_even_fall.round(6, Rounding::HalfAwayFromZero).billionths();
        fields.insert("break_even_price".into(), number(Money::from_billionths(price)));
        fields.insert("break_even_fall".into(), number(Money::from_billionths(fall)));
    }
    Ok(beside_inputs(case, computed, &Precision::AsWritten))
}

/// Compares where expectations stand beside the inputs: the fields that are computed are expected,
/// and a case with none of them expects nothing.
fn beside_inputs(case: &Value, computed: Value, by: &Precision) -> Outcome {
    let mut expected = Map::new();
    for name in computed.as_object().into_iter().flat_map(Map::keys) {
        if let Some(value) = case.get(name) {
            expected.insert(name.clone(), value.clone());
        }
    }
    let expected = (!expected.is_empty()).then_some(Value::Object(expected));
    Outcome::compared(expected.as_ref(), computed, by)
}

pub(super) fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|error| error.to_string())
}

pub(super) fn money(field: &str, value: &Value) -> Result<Money, String> {
    exact(field, value, Money::parse)
}

pub(super) fn shares(field: &str, value: &Value) -> Result<Shares, String> {
    exact(field, value, Shares::parse)
}

pub(super) fn rate(field: &str, value: &Value) -> Result<Rate, String> {
    exact(field, value, Rate::parse)
}

/// A number or decimal text, read as the decimal it is written as.
fn exact<T>(field: &str, value: &Value, parse: fn(&str) -> Result<T, DecimalError>) -> Result<T, String> {
    match value {
        Value::Number(number) => parse(&number.to_string()),
        Value::String(text) => parse(text),
        other => return Err(format!("{field} {other} is not a number")),
    }
    .map_err(|error| format!("{field}: {error}"))
}

/// A JSON number, where cases write numbers and not text.
pub(super) fn number(amount: Money) -> Value {
    Number::from_f64(amount.to_f64()).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persona_is_the_formula() {
        let outcome = persona(&json!({
            "name": "trader", "shares": 20, "price": 190.38, "basis_per_share": 161.82, "short_rate": 0.32,
            "long_rate": 0.15, "gain": 571.2, "after_tax_gain_now_short": 388.42, "after_tax_gain_if_long": 485.52,
            "tax_saved_by_waiting": 97.1, "break_even_price": 184.668, "break_even_fall": 0.030003,
        }));
        assert_eq!(outcome.unwrap().differences, Some(vec![]));
    }

    #[test]
    fn a_carryover_follows_the_worksheet() {
        let outcome = carryover(&json!({
            "title": "separate filer", "form_1040_line_15_signed": 50000, "schedule_d_line_7": -4000,
            "schedule_d_line_15": -4000, "filing_status": "married_separate",
            "expected": {"deducted": 1500, "short_term_carryover": 2500, "long_term_carryover": 4000.0},
        }));
        assert_eq!(outcome.unwrap().differences, Some(vec![]));
    }

    #[test]
    fn a_dividend_is_tested_by_days_inside_the_window() {
        let outcome = qualified_dividend(&json!({
            "acquired": "2024-07-11", "sold": null, "ex_dividend_date": "2024-07-12", "days_held_inside_window": 60,
            "holding_test_met": true, "days_held_total": null,
        }));
        let differences = outcome.unwrap().differences.unwrap();
        assert_eq!(differences.len(), 1);
        assert_eq!((&differences[0].expected, &differences[0].computed), (&json!(60), &json!(61)));
    }
}
