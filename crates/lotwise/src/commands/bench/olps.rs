//! `bench olps`: the published results of online portfolio selection, computed again.
//!
//! The data sets belong to others and are not part of this program; `docs/results/olps.md` says
//! where they are and how to turn them into CSV.

use std::path::{Path, PathBuf};

use lotwise_sim::online::{
    BuyAndHold, ConstantRebalanced, ExponentiatedGradient, MovingAverageReversion, OnlineNewtonStep, OnlineRule,
    PassiveAggressiveMeanReversion, PriceRelatives, best_asset, best_constant_rebalanced, wealth,
};
use serde_json::{Value, json};

use crate::args::OlpsArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::input::read_bytes;
use crate::output::{Cell, Column, Page, Report, Table, Tone};

/// Largest file of price relatives.
const LARGEST_FILE: u64 = 256 << 20;

/// Rules in the order of the published table, with what they are called there.
const RULES: [&str; 8] = ["market", "best stock", "BCRP", "UCRP", "EG 0.05", "ONS", "PAMR 0.5", "OLMAR 5, 10"];

/// Final wealths as printed by Li, Sahoo and Hoi, "OLPS: a toolbox for on-line portfolio selection"
/// (JMLR 17, 2016), six digits, in the order of [`RULES`] up to PAMR.
const PUBLISHED: [(&str, [&str; 7]); 2] = [
    ("nyse-o", ["14.4973", "54.1404", "250.595", "27.0752", "27.0949", "109.189", "5.13843e15"]),
    ("djia", ["0.764361", "1.18836", "1.23993", "0.812726", "0.810030", "1.53299", "0.680050"]),
];

/// One rule on one data set.
struct Outcome {
    set: String,
    rule: &'static str,
    n_sessions: usize,
    wealth: f64,
    published: Option<&'static str>,
    pass: Option<bool>,
}

/// Runs every rule on every `*.csv` of the folder and compares with what was published. Ends with 7
/// when a figure does not come out.
///
/// # Errors
/// When the folder holds no such file, or one cannot be read.
pub fn run(arguments: &OlpsArgs, context: &Context) -> Result<Report, Failure> {
    let files = csv_files(&arguments.data)?;
    let mut outcomes = Vec::new();
    let mut errors = Failure::default();
    for file in &files {
        match read(file) {
            Ok(relatives) => outcomes.extend(measure(file, &relatives)),
            Err(error) => errors.0.push(error),
        }
    }
    if outcomes.is_empty() {
        return Err(errors);
    }
    let missed = outcomes.iter().filter(|outcome| outcome.pass == Some(false)).count();
    let compared = outcomes.iter().filter(|outcome| outcome.pass.is_some()).count();
    let results: Vec<Value> = outcomes.iter().map(json_of).collect();
    let table = table(&outcomes);
    let mut page = Page::new();
    page.heading(match (compared, missed) {
        (0, _) => "None of these data sets has published figures here".to_owned(),
        (_, 0) => format!("All {compared} published figures come out"),
        _ => format!("{missed} of {compared} published figures do not come out"),
    });
    page.table(table.clone());
    page.sentence(
        "Final wealth of one unit, rebalanced daily, without costs and taxes. BCRP is an optimum: ours may lie above the \
         published one, never below.",
    );
    let mut report = Report::new("bench", context.today(), json!({"results": results}), page);
    report.table = Some(table);
    report.exit = match (errors.0.is_empty(), missed) {
        (false, _) => Exit::Input,
        (true, 0) => Exit::Done,
        (true, _) => Exit::CheckFailed,
    };
    report.errors = errors;
    Ok(report)
}

fn csv_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let name = folder.display().to_string();
    let missing = |message: String| {
        CliError::new("no-data", Exit::DataMissing, message)
            .at(Place::file(&name))
            .help("docs/results/olps.md says where the data sets are and how to turn them into CSV".to_owned())
    };
    let entries = std::fs::read_dir(folder).map_err(|error| missing(format!("cannot read the folder: {error}")))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")))
        .collect();
    files.sort();
    if files.is_empty() { Err(missing("the folder holds no CSV of price relatives".to_owned())) } else { Ok(files) }
}

/// Reads sessions by line and assets by column; a first line of names is passed over.
fn read(path: &Path) -> Result<PriceRelatives, CliError> {
    let name = path.display().to_string();
    let wrong = |line: Option<u32>, message: String| {
        let place = Place { line, ..Place::file(&name) };
        CliError::new("unreadable-relatives", Exit::Input, message).at(place)
    };
    let bytes = read_bytes(path, LARGEST_FILE)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(None, "is no text".to_owned()))?;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Result<Vec<f64>, _> = line.split(',').map(|cell| cell.trim().parse::<f64>()).collect();
        match cells {
            Ok(row) => rows.push(row),
            Err(_) if at == 0 => {}
            Err(_) => {
                let line = u32::try_from(at + 1).ok();
                return Err(wrong(line, "a price relative is a number above zero".to_owned()));
            }
        }
    }
    PriceRelatives::from_rows(&rows).map_err(|error| wrong(None, error.to_string()))
}

fn measure(path: &Path, relatives: &PriceRelatives) -> Vec<Outcome> {
    let set = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let n_assets = relatives.n_assets();
    let last = |rule: &mut dyn OnlineRule| wealth(rule, relatives).last().copied().unwrap_or(1.0);
    let best_weights = best_constant_rebalanced(relatives);
    let wealths = [
        last(&mut BuyAndHold::uniform(n_assets)),
        best_asset(relatives).1,
        best_weights.map_or(f64::NAN, |weights| last(&mut ConstantRebalanced::new(weights))),
        last(&mut ConstantRebalanced::uniform(n_assets)),
        last(&mut ExponentiatedGradient::new(n_assets, 0.05)),
        last(&mut OnlineNewtonStep::new(n_assets, 1.0, 0.125)),
        last(&mut PassiveAggressiveMeanReversion::new(n_assets, 0.5)),
        last(&mut MovingAverageReversion::new(n_assets, 5, 10.0)),
    ];
    let published = PUBLISHED.iter().find(|(name, _)| *name == set).map(|(_, figures)| figures);
    RULES
        .into_iter()
        .zip(wealths)
        .enumerate()
        .map(|(at, (rule, wealth))| {
            let published = published.and_then(|figures| figures.get(at)).copied();
            let pass = published.map(|printed| agrees(wealth, printed, rule == "BCRP"));
            Outcome { set: set.clone(), rule, n_sessions: relatives.n_sessions(), wealth, published, pass }
        })
        .collect()
}

/// Whether a figure rounds to what is printed. An optimum may lie a little above.
fn agrees(value: f64, printed: &str, optimum: bool) -> bool {
    /// How far above the published optimum, whose solver stopped early, ours may lie.
    const ABOVE: f64 = 1e-4;
    let Ok(wanted) = printed.parse::<f64>() else { return false };
    let digits = printed.split(['e', 'E']).next().unwrap_or_default();
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent = printed.split_once(['e', 'E']).and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    let half_unit = 0.5 * 10_f64.powi(exponent - decimals as i32);
    let off = value - wanted;
    // The figure itself is rounded, so its edge belongs to it.
    off.abs() <= half_unit * (1.0 + 1e-6) || (optimum && off > 0.0 && off <= wanted * ABOVE)
}

fn json_of(outcome: &Outcome) -> Value {
    json!({
        "name": format!("{} {}", outcome.set, outcome.rule),
        "unit": "final wealth",
        "value": outcome.wealth,
        "spread": Value::Null,
        "threads": 1,
        "n": outcome.n_sessions,
        "published": outcome.published,
        "pass": outcome.pass,
    })
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new([
        Column::words("set", "Data set"),
        Column::words("rule", "Rule"),
        Column::number("sessions", "Sessions"),
        Column::number("wealth", "Final wealth"),
        Column::number("published", "Published"),
        Column::words("agrees", "Agrees"),
    ]);
    for outcome in outcomes {
        let text = if (1e-3..1e6).contains(&outcome.wealth) {
            format!("{:.6}", outcome.wealth)
        } else {
            format!("{:.5e}", outcome.wealth)
        };
        table.row([
            Cell::words(&outcome.set),
            Cell::words(outcome.rule),
            Cell::count(outcome.n_sessions),
            Cell::words(text),
            Cell::words(outcome.published.unwrap_or_default()),
            match outcome.pass {
                Some(true) => Cell::words("yes"),
                Some(false) => Cell::toned("no", Tone::Loss),
                None => Cell::words(""),
            },
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::agrees;

    #[test]
    fn a_figure_agrees_when_it_rounds_to_what_is_printed() {
        assert!(agrees(14.497_308, "14.4973", false));
        assert!(!agrees(14.497_36, "14.4973", false));
        assert!(agrees(5.138_428e15, "5.13843e15", false));
        assert!(!agrees(5.138_44e15, "5.13843e15", false));
        assert!(agrees(250.597, "250.595", true) && !agrees(250.597, "250.595", false));
        assert!(!agrees(250.594, "250.595", true));
        assert!(!agrees(f64::NAN, "250.595", true));
    }
}
