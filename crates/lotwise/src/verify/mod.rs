//! `verify`: recomputes worked cases and compares with what they expect.
//!
//! A file holds one case, a list of them, or an object with `cases`. What a case is about is
//! recognised by its content; the kinds are those of the tax data folder.

mod compare;
mod household;
mod ledger;
mod parameters;
mod report;
mod rules;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

pub use self::compare::Difference;
use self::report::Ledgers;

/// Largest file that is read, in bytes.
const LARGEST_FILE: u64 = 64 << 20;

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A ledger with expected sales and open lots.
    Ledger,
    /// First long-term date of an acquisition.
    HoldingPeriod,
    /// A household's federal tax.
    Household,
    /// The capital loss carryover worksheet.
    Carryover,
    /// The holding test of a dividend.
    QualifiedDividend,
    /// Selling now against waiting for long-term.
    Persona,
    /// Form 8949 and TXF rows.
    Report,
    /// A year's brackets and thresholds.
    Parameters,
}

impl Kind {
    /// Every kind, in the order they are listed to people.
    pub const ALL: [Self; 8] = [
        Self::Ledger,
        Self::HoldingPeriod,
        Self::Household,
        Self::Carryover,
        Self::QualifiedDividend,
        Self::Persona,
        Self::Report,
        Self::Parameters,
    ];

    /// Name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::HoldingPeriod => "holding_period",
            Self::Household => "household",
            Self::Carryover => "carryover",
            Self::QualifiedDividend => "qualified_dividend",
            Self::Persona => "persona",
            Self::Report => "report",
            Self::Parameters => "parameters",
        }
    }

    /// The kind of a case, by the fields that only it has.
    fn of(case: &Value) -> Option<Self> {
        let has = |field: &str| case.get(field).is_some();
        if has("events") {
            Some(Self::Ledger)
        } else if case.pointer("/input/filing_status").is_some() || (has("wages") && has("filing_status")) {
            Some(Self::Household)
        } else if has("form_1040_line_15_signed") {
            Some(Self::Carryover)
        } else if has("ex_dividend_date") {
            Some(Self::QualifiedDividend)
        } else if has("price") && has("basis_per_share") {
            Some(Self::Persona)
        } else if has("form_8949") || has("txf") {
            Some(Self::Report)
        } else if has("acquired") {
            Some(Self::HoldingPeriod)
        } else if has("ordinary") && has("ltcg") {
            Some(Self::Parameters)
        } else {
            None
        }
    }
}

/// One case, recomputed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseReport {
    /// File it came from.
    pub file: String,
    /// Its id, else its title or name, else its place in the file.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// Whether everything expected came out; `None` for a case that expects nothing.
    pub pass: Option<bool>,
    /// What did not come out.
    pub differences: Vec<Difference>,
    /// What came out, in the shape of the case's `expected`; null when nothing did.
    pub computed: Value,
    /// Why it is not computed, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
}

/// A file, or a case of one, that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// File.
    pub file: String,
    /// Case, or line and column, inside the file.
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// All cases of all files, and what could not be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Cases in the order of files and of cases in them.
    pub cases: Vec<CaseReport>,
    /// Files and cases that cannot be read.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Cases that came out as expected.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.pass == Some(true)).count()
    }

    /// Cases that did not come out as expected.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| case.pass == Some(false)).count()
    }

    /// Cases, passed and failed by kind, in the order of [`Kind::ALL`]; kinds without cases are
    /// left out.
    #[must_use]
    pub fn by_kind(&self) -> Vec<(Kind, usize, usize, usize)> {
        let count = |kind: Kind| {
            let cases = self.cases.iter().filter(|case| case.kind == kind);
            let with = |pass: bool| cases.clone().filter(|case| case.pass == Some(pass)).count();
            (kind, cases.clone().count(), with(true), with(false))
        };
        Kind::ALL.into_iter().map(count).filter(|(_, cases, ..)| *cases > 0).collect()
    }
}

/// Recomputes the cases of files.
#[must_use]
pub fn run(paths: &[PathBuf]) -> Report {
    let mut report = Report::default();
    let files = expand(paths);
    let ledgers = Ledgers::of(&files);
    for path in files {
        let file = path.display().to_string();
        match read(&path) {
            Ok(text) => verify_text(&file, &text, &ledgers, &mut report),
            Err(message) => report.faults.push(Fault {
                file,
                place: None,
                message,
                help: "give a JSON file of cases, as in the tax data folder".into(),
            }),
        }
    }
    report
}

/// The files themselves, and the JSON files of folders in order of name.
fn expand(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        let inside = json_files(path);
        if inside.is_empty() { files.push(path.clone()) } else { files.extend(inside) }
    }
    files
}

/// The JSON files of a folder in order of name.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")))
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if metadata.is_dir() {
        return Err("is a folder without JSON files".into());
    }
    if metadata.len() > LARGEST_FILE {
        return Err(format!("is larger than {} MiB", LARGEST_FILE >> 20));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
}

/// Recomputes the cases of one file's text.
fn verify_text(file: &str, text: &str, ledgers: &Ledgers, report: &mut Report) {
    let value: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => value,
        Err(error) => {
            report.faults.push(Fault {
                file: file.into(),
                place: Some(format!("line {}, column {}", error.line(), error.column())),
                message: format!("is not JSON: {error}"),
                help: "correct the file at that place".into(),
            });
            return;
        }
    };
    let cases = cases_of(value);
    if cases.is_empty() {
        report.faults.push(Fault {
            file: file.into(),
            place: None,
            message: "holds no cases".into(),
            help: "a file of cases is an object with `cases`, a list of cases, or one case".into(),
        });
    }
    for (index, (name, case)) in cases.into_iter().enumerate() {
        let id = name.unwrap_or_else(|| id_of(&case, index));
        let Some(kind) = Kind::of(&case) else {
            report.faults.push(Fault {
                file: file.into(),
                place: Some(id),
                message: "is none of the kinds of case that are known".into(),
                help: format!("the kinds are {}", Kind::ALL.map(Kind::name).join(", ")),
            });
            continue;
        };
        match compute(kind, &id, &case, ledgers) {
            Ok(outcome) => report.cases.push(outcome.report(file, id, kind)),
            Err(message) => report.faults.push(Fault {
                file: file.into(),
                place: Some(id),
                message,
                help: "correct the case; its fields are described with the tax data".into(),
            }),
        }
    }
}

/// The cases of a file, those of a table of years with their names.
fn cases_of(value: Value) -> Vec<(Option<String>, Value)> {
    let unnamed = |cases: Vec<Value>| cases.into_iter().map(|case| (None, case)).collect();
    match value {
        Value::Array(cases) => unnamed(cases),
        Value::Object(mut fields) => {
            for list in ["cases", "rows"] {
                if let Some(Value::Array(cases)) = fields.get_mut(list) {
                    return unnamed(std::mem::take(cases));
                }
            }
            if let Some(Value::Object(years)) = fields.get_mut("years") {
                return std::mem::take(years).into_iter().map(|(year, case)| (Some(year), case)).collect();
            }
            unnamed(vec![Value::Object(fields)])
        }
        other => unnamed(vec![other]),
    }
}

fn id_of(case: &Value, index: usize) -> String {
    let fields = ["/id", "/input/id", "/title", "/name", "/case"];
    let named = fields.into_iter().find_map(|field| case.pointer(field).and_then(Value::as_str));
    let acquired = || case.get("acquired").and_then(Value::as_str);
    named.or_else(acquired).map_or_else(|| format!("#{}", index + 1), str::to_owned)
}

/// What came of a case.
struct Outcome {
    computed: Value,
    /// What was expected and did not come out; `None` when nothing was expected.
    differences: Option<Vec<Difference>>,
    unsupported: Option<String>,
}

impl Outcome {
    /// Computed, and compared where something was expected.
    fn compared(expected: Option<&Value>, computed: Value, by: &compare::Precision) -> Self {
        let differences = expected.map(|expected| compare::differences(expected, &computed, by));
        Self { computed, differences, unsupported: None }
    }

    /// The engine refused the case.
    fn refused(error: &lotwise_tax::Error) -> Self {
        let difference =
            Difference { path: String::new(), expected: Value::String("a result".into()), computed: Value::Null };
        Self { computed: Value::Null, differences: Some(vec![difference]), unsupported: Some(error.to_string()) }
    }

    fn report(self, file: &str, id: String, kind: Kind) -> CaseReport {
        CaseReport {
            file: file.into(),
            id,
            kind,
            pass: self.differences.as_ref().map(Vec::is_empty),
            differences: self.differences.unwrap_or_default(),
            computed: self.computed,
            unsupported: self.unsupported,
        }
    }
}

fn compute(kind: Kind, id: &str, case: &Value, ledgers: &Ledgers) -> Result<Outcome, String> {
    match kind {
        Kind::Ledger => ledger::compute(case),
        Kind::HoldingPeriod => rules::holding_period(case),
        Kind::Household => household::compute(case),
        Kind::Carryover => rules::carryover(case),
        Kind::QualifiedDividend => rules::qualified_dividend(case),
        Kind::Persona => rules::persona(case),
        Kind::Report => report::compute(case, ledgers),
        Kind::Parameters => parameters::compute(id, case),
    }
}

/// Reads a case strictly: an unknown field is an error that names it.
fn parse<'a, T: serde::Deserialize<'a>>(case: &'a Value) -> Result<T, String> {
    T::deserialize(case).map_err(|error| format!("cannot be understood: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(text: &str) -> Report {
        let mut report = Report::default();
        verify_text("cases.json", text, &Ledgers::default(), &mut report);
        report
    }

    #[test]
    fn a_case_that_expects_nothing_is_only_computed() {
        let report = verified(r#"[{"acquired": "2023-02-28"}]"#);
        assert_eq!(report.cases[0].pass, None);
        assert_eq!(report.cases[0].computed["first_long_term_sale_date"], "2024-03-01");
        assert_eq!(report.faults, []);
    }

    #[test]
    fn a_wrong_expectation_is_named_with_both_values() {
        let report = verified(r#"{"cases": [{"acquired": "2024-01-02", "first_long_term_sale_date": "2025-01-02"}]}"#);
        assert_eq!((report.passed(), report.failed()), (0, 1));
        let difference = &report.cases[0].differences[0];
        assert_eq!(difference.path, "first_long_term_sale_date");
        assert_eq!((&difference.expected, &difference.computed), (&"2025-01-02".into(), &"2025-01-03".into()));
    }

    #[test]
    fn what_is_no_case_is_a_fault_with_its_place() {
        for (text, place, message) in [
            ("", Some("line 1, column 0"), "is not JSON"),
            ("{\n 1}", Some("line 2, column 2"), "is not JSON"),
            ("[]", None, "holds no cases"),
            ("[7]", Some("#1"), "is none of the kinds"),
            (r#"{"cases": [{"id": "a", "colour": 1}]}"#, Some("a"), "is none of the kinds"),
            (r#"[{"acquired": "2024-13-01"}]"#, Some("2024-13-01"), "2024-13-01"),
            (r#"[{"id": "b", "events": [{"date": "2024-01-02", "type": "present"}]}]"#, Some("b"), "present"),
            (r#"[{"id": "c", "events": [], "acounts": []}]"#, Some("c"), "acounts"),
        ] {
            let report = verified(text);
            assert_eq!(report.cases, [], "{text}");
            assert_eq!(report.faults[0].place.as_deref(), place, "{text}");
            assert!(report.faults[0].message.contains(message), "{text}: {}", report.faults[0].message);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_a_fault() {
        let report = run(&[PathBuf::from("no-such-folder/cases.json")]);
        assert_eq!(report.faults.len(), 1);
    }
}
