//! Several runs that differ in named ways, and what the differences are worth (SPEC V-09, P1-21).
//!
//! A study has a base, variants that change some of its settings, and seeds; every variant is trained with
//! every seed. The first variant is the one that the others are compared with, seed by seed.

mod run;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Measured, RunConfig};
use crate::Error;

pub use run::{Done, done, folder, measured, run_one, with_seed, write};

/// What is to be compared.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyConfig {
    /// Seeds of every variant.
    pub seeds: Vec<u64>,
    /// Settings of all variants where they differ from [`RunConfig::default`].
    #[serde(default)]
    pub base: Map<String, Value>,
    /// The variants; the first is the reference.
    pub variants: Vec<VariantConfig>,
    /// What ought to rise from variant to variant.
    #[serde(default)]
    pub orders: Vec<Order>,
}

/// One way to train.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantConfig {
    /// For folders and tables.
    pub name: String,
    /// What it is, in words.
    pub what: String,
    /// Settings where they differ from the base.
    #[serde(default)]
    pub change: Map<String, Value>,
}

/// A claim: a measure rises along these variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Whose claim it is.
    pub name: String,
    /// Of what.
    pub measure: String,
    /// Names of variants, from the smallest.
    pub rising: Vec<String>,
}

/// A variant, ready to be trained with any seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// For folders and tables.
    pub name: String,
    /// What it is, in words.
    pub what: String,
    /// All settings.
    pub config: RunConfig,
}

/// A finished run of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyRun {
    /// Its variant.
    pub variant: String,
    /// Its seed.
    pub seed: u64,
    /// What was measured.
    pub measured: Measured,
}

/// A mean over seeds and its 95 % interval by Student's distribution; a single seed has none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OverSeeds {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval.
    pub half: Option<f64>,
    /// Seeds.
    pub seeds: usize,
}

impl StudyConfig {
    /// All variants with their settings resolved.
    ///
    /// # Errors
    /// Names the first setting that is wrong.
    pub fn resolve(&self) -> Result<Vec<Variant>, Error> {
        let refuse =
            |setting: &str, problem: &str| Error::Config { setting: setting.to_owned(), problem: problem.to_owned() };
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.is_empty() || seeds.len() < self.seeds.len() {
            return Err(refuse("seeds", "expected at least one, and each once"));
        }
        let mut names: Vec<&str> = Vec::new();
        let mut variants = Vec::new();
        for variant in &self.variants {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if variant.name.is_empty() || !variant.name.chars().all(plain) || names.contains(&variant.name.as_str()) {
                return Err(refuse("variants.name", "expected letters, digits, - and _, another for each variant"));
            }
            names.push(&variant.name);
            let mut settings = serde_json::to_value(RunConfig::default()).expect("Invariant: settings are plain data");
            merge(&mut settings, &Value::Object(self.base.clone()));
            merge(&mut settings, &Value::Object(variant.change.clone()));
            let config: RunConfig = serde_json::from_value(settings).map_err(|error| Error::Config {
                setting: format!("variants.{}", variant.name),
                problem: error.to_string(),
            })?;
            config.validate()?;
            variants.push(Variant { name: variant.name.clone(), what: variant.what.clone(), config });
        }
        if variants.is_empty() {
            return Err(refuse("variants", "empty; expected at least one"));
        }
        for order in &self.orders {
            if order.rising.len() < 2 || order.rising.iter().any(|name| !names.contains(&name.as_str())) {
                return Err(refuse("orders.rising", "expected the names of two variants or more"));
            }
        }
        Ok(variants)
    }
}

/// Puts settings over others: tables are joined, everything else is replaced.
fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                merge(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// A measure of a variant over its seeds; `None` where no run has it.
#[must_use]
pub fn over_seeds(runs: &[StudyRun], variant: &str, measure: &str) -> Option<OverSeeds> {
    summary(&by_seed(runs, variant, measure).into_values().collect::<Vec<_>>())
}

/// By how much a variant exceeds the reference, seed by seed; `None` where they share no seed.
#[must_use]
pub fn difference(runs: &[StudyRun], variant: &str, reference: &str, measure: &str) -> Option<OverSeeds> {
    let other = by_seed(runs, reference, measure);
    let own = by_seed(runs, variant, measure);
    summary(&own.iter().filter_map(|(seed, value)| Some(value - other.get(seed)?)).collect::<Vec<_>>())
}

/// In how many of the shared seeds the second variant's measure is the larger, and how many there are.
#[must_use]
pub fn rises(runs: &[StudyRun], [lower, upper]: [&str; 2], measure: &str) -> [usize; 2] {
    let (lower, upper) = (by_seed(runs, lower, measure), by_seed(runs, upper, measure));
    let pairs: Vec<bool> = upper.iter().filter_map(|(seed, value)| Some(value > lower.get(seed)?)).collect();
    [pairs.iter().filter(|rises| **rises).count(), pairs.len()]
}

fn by_seed(runs: &[StudyRun], variant: &str, measure: &str) -> BTreeMap<u64, f64> {
    let own = runs.iter().filter(|run| run.variant == variant);
    own.filter_map(|run| Some((run.seed, *run.measured.get(measure)?))).collect()
}

fn summary(values: &[f64]) -> Option<OverSeeds> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let half = (values.len() > 1).then(|| student(values.len() - 1) * (square / (count - 1.0) / count).sqrt());
    (!values.is_empty()).then_some(OverSeeds { mean, half, seeds: values.len() })
}

/// The 97.5 % point of Student's distribution.
fn student(freedom: usize) -> f64 {
    const EXACT: [f64; 8] = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060];
    const NORMAL: f64 = 1.959_964;
    EXACT.get(freedom.saturating_sub(1)).copied().unwrap_or_else(|| {
        // Fisher's expansion about the normal distribution, right to three digits from here on.
        let (n, z) = (freedom as f64, NORMAL);
        let terms = [
            (z.powi(3) + z) / 4.0,
            (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
            (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        ];
        terms.iter().rev().fold(0.0, |sum, term| (sum + term) / n) + z
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(text: &str) -> StudyConfig {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn variants_change_what_they_name_and_nothing_else() {
        let text = r#"{"seeds": [3, 1], "base": {"optimiser": {"rate": 0.001}, "network": {"dropout": 0.0}},
            "variants": [{"name": "own", "what": "ours"},
                         {"name": "open", "what": "gate open", "change": {"network": {"gate": "fixed1"}}}],
            "orders": [{"name": "o", "measure": "m", "rising": ["own", "open"]}]}"#;
        let [own, open] = study(text).resolve().unwrap().try_into().unwrap();
        assert!((own.config.optimiser.rate - 0.001).abs() < 1e-9);
        assert_eq!(own.config.optimiser.floor, RunConfig::default().optimiser.floor);
        assert_ne!(own.config.network, open.config.network);
        let mut same = open.config;
        same.network.gate = own.config.network.gate;
        assert_eq!(same, own.config);
        for (wrong, with) in [
            (r#""name": "open""#, r#""name": "own""#),
            (r#""name": "open""#, r#""name": "../x""#),
            ("fixed1", "ajar"),
            ("dropout", "drop_out"),
            (r#""rate": 0.001"#, r#""rate": -1"#),
            ("[3, 1]", "[3, 3]"),
            ("[3, 1]", "[]"),
            (r#"["own", "open"]"#, r#"["own", "other"]"#),
        ] {
            assert_ne!(text.replace(wrong, with), text);
            assert!(study(&text.replace(wrong, with)).resolve().is_err(), "{with}");
        }
    }

    #[test]
    fn seeds_are_compared_one_by_one() {
        let run = |variant: &str, seed, value: f64| StudyRun {
            variant: variant.to_owned(),
            seed,
            measured: Measured::from([("m".to_owned(), value)]),
        };
        let runs = [
            run("a", 1, 1.0),
            run("a", 2, 5.0),
            run("a", 3, 9.0),
            run("b", 1, 2.0),
            run("b", 2, 6.0),
            run("b", 3, 8.5),
        ];
        let mean = over_seeds(&runs, "a", "m").unwrap();
        assert!(
            (mean.mean - 5.0).abs() < 1e-12 && (mean.half.unwrap() - 4.3027 * (16.0_f64 / 3.0).sqrt()).abs() < 1e-9
        );
        assert!((difference(&runs, "b", "a", "m").unwrap().mean - 0.5).abs() < 1e-12);
        assert_eq!(rises(&runs, ["a", "b"], "m"), [2, 3]);
        assert_eq!(over_seeds(&runs[..1], "a", "m").unwrap().half, None);
        assert_eq!(over_seeds(&runs, "a", "other"), None);
        assert!((student(10) - 2.2281).abs() < 1e-3 && (student(30) - 2.0423).abs() < 1e-3);
    }
}
