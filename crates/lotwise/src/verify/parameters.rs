//! A year's parameters: the table that is built in against another one.

use lotwise_core::Money;
use lotwise_tax::{FilingStatus, Parameters};
use serde_json::{Map, Value, json};

use super::compare::Precision;
use super::{Outcome, rules};

/// One number or list of a filing status.
type OfStatus = fn(&Parameters) -> Value;

/// Compares the numbers that the engine uses with those of a year in a file.
pub(super) fn compute(year: &str, case: &Value) -> Result<Outcome, String> {
    let year: i32 = year.parse().map_err(|_| format!("{year:?} is not a year"))?;
    let mut computed = Map::new();
    let mut by_status = |field: &str, value: OfStatus| -> Result<(), lotwise_tax::Error> {
        let mut statuses = Map::new();
        for status in FilingStatus::ALL {
            statuses.insert(status.name().into(), value(Parameters::of(year, status)?));
        }
        computed.insert(field.into(), Value::Object(statuses));
        Ok(())
    };
    let fields: [(&str, OfStatus); 5] = [
        ("ordinary", |found| found.brackets.iter().map(|one| json!([number(one.from), rate(one.rate)])).collect()),
        ("ltcg", |found| json!([number(found.zero_top), number(found.fifteen_top)])),
        ("standard_deduction", |found| number(found.standard_deduction)),
        ("niit_threshold", |found| number(found.niit_threshold)),
        ("capital_loss_limit", |found| number(found.loss_limit)),
    ];
    for (field, value) in fields {
        if let Err(error) = by_status(field, value) {
            return Ok(Outcome::refused(&error));
        }
    }
    let any = Parameters::of(year, FilingStatus::Single).map_err(|error| error.to_string())?;
    computed.insert("ltcg_rates".into(), any.preferential_rates.into_iter().map(rate).collect());
    computed.insert("niit_rate".into(), rate(any.niit_rate));
    let expected: Map<String, Value> =
        computed.keys().filter_map(|field| case.get(field).map(|value| (field.clone(), value.clone()))).collect();
    Ok(Outcome::compared(Some(&Value::Object(expected)), Value::Object(computed), &Precision::SixPlaces))
}

fn number(amount: Money) -> Value {
    rules::number(amount)
}

fn rate(rate: lotwise_core::Rate) -> Value {
    rules::number(Money::from_billionths(rate.billionths()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_table_is_compared_number_by_number() {
        let outcome = compute("2026", &json!({"standard_deduction": {"single": 16100, "married_joint": 1}})).unwrap();
        let differences = outcome.differences.unwrap();
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].path, "standard_deduction.married_joint");
        assert!(compute("2040", &json!({})).unwrap().unsupported.is_some());
        assert!(compute("soon", &json!({})).is_err());
    }
}
