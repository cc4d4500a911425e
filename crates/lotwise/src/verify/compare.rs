//! Comparing what came out with what was expected, numbers as numbers.

use lotwise_core::Money;
use serde::Serialize;
use serde_json::Value;

/// A value that did not come out as expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where, as `sales[0].gain`.
    pub path: String,
    /// What the case expects.
    pub expected: Value,
    /// What came out.
    pub computed: Value,
}

/// How far numbers may lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// A millionth.
    SixPlaces,
    /// Equal when rounded to cents.
    Cents,
    /// Half of the last decimal place that the expectation is written with, but at least a
    /// millionth.
    AsWritten,
}

/// Everything in `expected` that `computed` does not hold. Fields that nobody expects are not
/// compared; lists have to be equally long.
#[must_use]
pub fn differences(expected: &Value, computed: &Value, by: &Precision) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), expected, computed, *by, &mut found);
    found
}

fn compare(path: String, expected: &Value, computed: &Value, by: Precision, found: &mut Vec<Difference>) {
    match (expected, computed) {
        (Value::Object(fields), Value::Object(others)) => {
            for (name, value) in fields {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(inner, value, others.get(name).unwrap_or(&Value::Null), by, found);
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            for index in 0..items.len().max(others.len()) {
                let item = |list: &[Value]| list.get(index).cloned().unwrap_or(Value::Null);
                compare(format!("{path}[{index}]"), &item(items), &item(others), by, found);
            }
        }
        _ => {
            let equal = match (decimal(expected), decimal(computed)) {
                (Some(a), Some(b)) => close(expected, a, b, by),
                _ => expected == computed,
            };
            if !equal {
                found.push(Difference { path, expected: expected.clone(), computed: computed.clone() });
            }
        }
    }
}

/// A number, or text that is one.
fn decimal(value: &Value) -> Option<Money> {
    match value {
        Value::Number(number) => Money::parse_rounded(&number.to_string()).ok(),
        Value::String(text) => Money::parse_rounded(text).ok(),
        _ => None,
    }
}

fn close(expected: &Value, a: Money, b: Money, by: Precision) -> bool {
    const MILLIONTH: i128 = 1_000;
    let apart = (a - b).abs().billionths();
    match by {
        Precision::SixPlaces => apart <= MILLIONTH,
        Precision::Cents => a.to_cents() == b.to_cents(),
        Precision::AsWritten => {
            let text = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
            let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let unit = 10_i128.pow(9_u32.saturating_sub(u32::try_from(places).unwrap_or(9)));
            apart <= (unit / 2).max(MILLIONTH)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(expected: &Value, computed: &Value, by: Precision) -> Vec<String> {
        differences(expected, computed, &by).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let none: [String; 0] = [];
        assert_eq!(paths(&json!({"a": "1050"}), &json!({"a": "1050.00", "b": 1}), Precision::SixPlaces), none);
        assert_eq!(paths(&json!({"a": "0.333333"}), &json!({"a": "0.333333333"}), Precision::SixPlaces), none);
        assert_eq!(paths(&json!(5216.0), &json!(5216.004), Precision::Cents), none);
        assert_eq!(paths(&json!(184.668), &json!(184.6684), Precision::AsWritten), none);
    }

    #[test]
    fn what_differs_has_a_place() {
        let expected = json!({"rows": [{"gain": "1"}, {"gain": "2"}], "code": "W"});
        let computed = json!({"rows": [{"gain": "1.00001"}], "code": ""});
        let mut found = paths(&expected, &computed, Precision::SixPlaces);
        found.sort();
        assert_eq!(found, ["code", "rows[0].gain", "rows[1]"]);
        assert_eq!(paths(&json!(10.01), &json!(10.02), Precision::Cents), [""]);
        assert_eq!(paths(&json!(184.668), &json!(184.6686), Precision::AsWritten), [""]);
        assert_eq!(paths(&json!({"a": "2024-01-02"}), &json!({"a": null}), Precision::SixPlaces), ["a"]);
    }
}
