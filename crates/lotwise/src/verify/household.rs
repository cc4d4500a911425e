//! Households: a year's income in, federal tax with its parts out.

use lotwise_core::Money;
use lotwise_tax::{Deduction, FilingStatus, Household, YearTax, year_tax};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::compare::Precision;
use super::{Outcome, parse, rules};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "kind")]
    _kind: IgnoredAny,
    #[serde(default, rename = "expected")]
    _expected: IgnoredAny,
    year: i32,
    filing_status: String,
    #[serde(default)]
    wages: Amount,
    #[serde(default)]
    other_ordinary_income: Amount,
    #[serde(default)]
    interest: Amount,
    #[serde(default)]
    ordinary_dividends_nonqualified: Amount,
    #[serde(default)]
    qualified_dividends: Amount,
    #[serde(default)]
    short_term_gain: Amount,
    #[serde(default)]
    long_term_gain: Amount,
    /// Losses carried in.
    #[serde(default)]
    short_term_carryover: Amount,
    #[serde(default)]
    long_term_carryover: Amount,
    /// Amount deducted; the standard deduction where it is absent.
    deduction: Option<Amount>,
}

/// A number, or a decimal as text.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Amount(Value);

impl Amount {
    fn money(&self, field: &str) -> Result<Money, String> {
        if self.0.is_null() { Ok(Money::ZERO) } else { rules::money(field, &self.0) }
    }
}

pub(super) fn compute(case: &Value) -> Result<Outcome, String> {
    let input: Input = parse(case.get("input").unwrap_or(case))?;
    let status = FilingStatus::parse(&input.filing_status).ok_or_else(|| {
        let known = FilingStatus::ALL.map(FilingStatus::name).join(", ");
        format!("filing_status {:?} is none of {known}", input.filing_status)
    })?;
    let household = Household {
        wages: input.wages.money("wages")?,
        other_ordinary_income: input.other_ordinary_income.money("other_ordinary_income")?,
        interest: input.interest.money("interest")?,
        ordinary_dividends_nonqualified: input
            .ordinary_dividends_nonqualified
            .money("ordinary_dividends_nonqualified")?,
        qualified_dividends: input.qualified_dividends.money("qualified_dividends")?,
        short_term_gain: input.short_term_gain.money("short_term_gain")?,
        long_term_gain: input.long_term_gain.money("long_term_gain")?,
        short_carryover: input.short_term_carryover.money("short_term_carryover")?,
        long_carryover: input.long_term_carryover.money("long_term_carryover")?,
        deduction: match &input.deduction {
            Some(amount) => Deduction::Amount(amount.money("deduction")?),
            None => Deduction::Standard,
        },
        ..Household::new(input.year, status)
    };
    Ok(match year_tax(&household) {
        Ok(tax) => Outcome::compared(case.get("expected"), computed(&tax), &Precision::Cents),
        Err(error) => Outcome::refused(&error),
    })
}

fn computed(tax: &YearTax) -> Value {
    json!({
        "adjusted_gross_income": rules::number(tax.adjusted_gross_income.to_cents()),
        "taxable_income": rules::number(tax.taxable_income.to_cents()),
        "taxable_income_if_negative_allowed": rules::number(tax.taxable_income_signed.to_cents()),
        "net_capital_result_on_return": rules::number(tax.netting.on_return.to_cents()),
        "taxed_at_ordinary_rates": rules::number(tax.at_ordinary.to_cents()),
        "taxed_at_0": rules::number(tax.at_0.to_cents()),
        "taxed_at_15": rules::number(tax.at_15.to_cents()),
        "taxed_at_20": rules::number(tax.at_20.to_cents()),
        "regular_tax": rules::number(tax.regular_tax.to_cents()),
        "net_investment_income_tax": rules::number(tax.net_investment_income_tax.to_cents()),
        "short_term_carryover": rules::number(tax.carryover.short.to_cents()),
        "long_term_carryover": rules::number(tax.carryover.long.to_cents()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_compared_to_the_cent() {
        let case = json!({
            "input": {"id": "W003", "year": 2025, "filing_status": "single", "wages": 50000, "long_term_gain": 25000.0},
            "expected": {"taxed_at_0": 14100.0, "taxed_at_15": 10900, "regular_tax": 5506.5, "taxed_at_20": 1},
        });
        let outcome = compute(&case).unwrap();
        let differences = outcome.differences.unwrap();
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].path, "taxed_at_20");
        assert_eq!(outcome.computed["regular_tax"].to_string(), "5506.5");
    }

    #[test]
    fn carryovers_and_deductions_come_in() {
        let case = json!({
            "year": 2025, "filing_status": "single", "wages": "90000", "interest": 100, "deduction": 20000,
            "short_term_carryover": 5000,
        });
        let outcome = compute(&case).unwrap();
        assert_eq!(outcome.differences, None);
        assert_eq!(outcome.computed["taxable_income"].to_string(), "67100.0");
        assert_eq!(outcome.computed["short_term_carryover"].to_string(), "2000.0");
    }

    #[test]
    fn what_is_wrong_with_a_household_is_said() {
        let refusal = |case: Value| compute(&case).err().unwrap();
        assert!(refusal(json!({"year": 2025, "filing_status": "married"})).contains("married_joint"));
        assert!(refusal(json!({"year": 2025, "filing_status": "single", "salary": 1})).contains("salary"));
        assert!(refusal(json!({"year": 2025, "filing_status": "single", "wages": "a lot"})).contains("wages"));
        let unknown = compute(&json!({"year": 2031, "filing_status": "single"})).unwrap();
        assert!(unknown.unsupported.unwrap().contains("2031"));
    }
}
