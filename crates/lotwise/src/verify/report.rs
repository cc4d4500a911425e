//! Reports: Form 8949 and TXF rows of a sale. The sale is that of a ledger case, named by its id
//! and found in the files given or beside this one, or is written in the case itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lotwise_core::{Date, Money};
use lotwise_tax::report::{Amounts, FormRow, Reporting, RowFacts, SecurityKind, form_row, txf_record, us_date};
use lotwise_tax::{AccountId, BasisRange, BasisSource, Booking, LotId, RowKind, SaleId, SaleRow, Term, book};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::compare::Precision;
use super::{Kind, Outcome, cases_of, ledger, parse, read, rules};

/// Ledger cases by id, for the reports that name them.
#[derive(Default)]
pub(super) struct Ledgers(BTreeMap<String, Value>);

impl Ledgers {
    /// Those of the files, and of the files that lie beside them; the files themselves come first.
    pub(super) fn of(files: &[PathBuf]) -> Self {
        let mut ledgers = Self::default();
        for file in files {
            ledgers.add_file(file);
        }
        let mut folders: Vec<&Path> = files.iter().filter_map(|file| file.parent()).collect();
        folders.sort_unstable();
        folders.dedup();
        for folder in folders {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            for file in super::json_files(folder) {
                ledgers.add_file(&file);
            }
        }
        ledgers
    }

    fn add_file(&mut self, file: &Path) {
        let Ok(text) = read(file) else { return };
        if let Ok(value) = serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            self.add(value);
        }
    }

    fn add(&mut self, value: Value) {
        for (_, case) in cases_of(value) {
            if Kind::of(&case) == Some(Kind::Ledger)
                && let Some(id) = case.get("id").and_then(Value::as_str)
            {
                self.0.entry(id.to_owned()).or_insert(case);
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "title")]
    _title: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
    /// Id of a ledger case.
    #[serde(default)]
    case: Option<String>,
    /// Order and lot of the row, where the ledger has several.
    #[serde(default)]
    sale: Option<String>,
    #[serde(default)]
    lot: Option<String>,
    /// Whether basis was reported; `reporting` says it more fully.
    #[serde(default)]
    covered: Option<bool>,
    #[serde(default)]
    reporting: Option<String>,
    #[serde(default)]
    digital_asset: bool,
    #[serde(default)]
    form_8949: Option<Columns>,
    #[serde(default, rename = "txf")]
    _txf: IgnoredAny,
}

/// The columns of the form, as a case writes them.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Columns {
    #[serde(default, rename = "part")]
    _part: IgnoredAny,
    #[serde(default, rename = "box")]
    letter: Option<String>,
    a: Option<String>,
    b: Option<String>,
    c: Option<String>,
    d: Option<Value>,
    e: Option<Value>,
    #[serde(default)]
    f: Option<String>,
    #[serde(default)]
    g: Option<Value>,
    #[serde(default, rename = "h")]
    _h: IgnoredAny,
}

pub(super) fn compute(case: &Value, ledgers: &Ledgers) -> Result<Outcome, String> {
    let parsed: Case = parse(case)?;
    let columns = parsed.form_8949.as_ref();
    let found = parsed.case.as_deref().and_then(|id| ledgers.0.get(id));
    let sale = match found {
        Some(ledger) => {
            let (ledger, rules) = ledger::read(ledger)?;
            match book(&ledger, &rules) {
                Ok(booking) => chosen(&booking, &parsed)?,
                Err(error) => return Ok(Outcome::refused(&error)),
            }
        }
        // Without the ledger the row's own columns still have to fit together.
        None => match columns.map(written).transpose()?.flatten() {
            Some(sale) => sale,
            None => {
                let id = parsed.case.as_deref().unwrap_or("(none)");
                return Err(format!(
                    "names the ledger case {id:?}, which is neither in the files given nor beside this one, and has \
                     no columns of its own"
                ));
            }
        },
    };
    let kind = if parsed.digital_asset { SecurityKind::DigitalAsset } else { SecurityKind::Stock };
    let facts = RowFacts {
        reporting: reporting(&parsed)?.unwrap_or_else(|| kind.assumed_reporting(sale.acquired, sale.sold)),
        description: columns.and_then(|columns| columns.a.as_deref()).map(|text| description(text, &sale)),
        ..RowFacts::assumed(kind, &sale)
    };
    let row = form_row(&sale, &facts, sale.sold, Amounts::Cents);
    let txf = match txf_record(&row) {
        Ok(lines) => json!(lines),
        Err(refusal) => json!({ "refused": refusal.to_string() }),
    };
    let computed = json!({ "form_8949": form_json(&row), "txf": txf });
    // Dates, codes and boxes are text; amounts are as exact as cents.
    let mut wanted = serde_json::Map::new();
    for field in ["form_8949", "txf"] {
        wanted.extend(case.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    let expected = (!wanted.is_empty()).then_some(Value::Object(wanted));
    Ok(Outcome::compared(expected.as_ref(), computed, &Precision::SixPlaces))
}

fn reporting(case: &Case) -> Result<Option<Reporting>, String> {
    if let Some(text) = &case.reporting {
        let found = Reporting::ALL.into_iter().find(|one| one.name() == text);
        return found.map(Some).ok_or_else(|| {
            format!("reporting {text:?} is none of {}", Reporting::ALL.map(Reporting::name).join(", "))
        });
    }
    let letter = case.form_8949.as_ref().and_then(|columns| columns.letter.as_deref());
    Ok(match (case.covered, letter) {
        (Some(true), _) => Some(Reporting::BasisReported),
        // Boxes C, F, I and L are for sales that no broker reported.
        (Some(false), Some("C" | "F" | "I" | "L")) => Some(Reporting::NotReported),
        (Some(false), _) => Some(Reporting::BasisNotReported),
        (None, _) => None,
    })
}

/// The row of the ledger that the case is about: by order and lot, else by the dates of its
/// columns, else the first.
fn chosen(booking: &Booking, case: &Case) -> Result<SaleRow, String> {
    let columns = case.form_8949.as_ref();
    let day = |text: Option<&String>| text.and_then(|text| us_day(text));
    let (acquired, sold) =
        (day(columns.and_then(|columns| columns.b.as_ref())), day(columns.and_then(|columns| columns.c.as_ref())));
    let named = |row: &&SaleRow| {
        case.sale.as_deref().is_none_or(|sale| row.sale.as_str() == sale)
            && case.lot.as_deref().is_none_or(|lot| row.lot.as_str() == lot)
    };
    let rows: Vec<&SaleRow> = booking.sales.iter().filter(named).collect();
    let dated = rows.iter().find(|row| {
        sold.is_none_or(|sold| row.sold == sold) && acquired.is_none_or(|acquired| row.acquired == Some(acquired))
    });
    let row = dated.or(rows.first()).ok_or("the ledger case has no such sale")?;
    Ok((*row).clone())
}

/// A sale from the columns of the case itself.
fn written(columns: &Columns) -> Result<Option<SaleRow>, String> {
    let (Some(a), Some(sold), Some(proceeds)) = (&columns.a, &columns.c, &columns.d) else { return Ok(None) };
    let (shares, name) = a.split_once(" sh. ").ok_or_else(|| format!("column a {a:?} is not «N sh. NAME»"))?;
    let acquired = columns.b.as_deref().and_then(us_day);
    let money = |name: &str, value: &Value| rules::money(name, value);
    let sold = us_day(sold).ok_or_else(|| format!("column c {sold:?} is not MM/DD/YYYY"))?;
    let proceeds = money("column d", proceeds)?;
    let basis = columns.e.as_ref().map(|value| money("column e", value)).transpose()?;
    let disallowed = match &columns.g {
        Some(Value::String(text)) if text.is_empty() => Money::ZERO,
        Some(value) if columns.f.as_deref().is_some_and(|codes| codes.contains('W')) => money("column g", value)?,
        _ => Money::ZERO,
    };
    let gain = basis.map(|basis| proceeds - basis);
    let inherited = columns.b.as_deref() == Some("INHERITED");
    Ok(Some(SaleRow {
        sale: SaleId::new("row"),
        kind: RowKind::Sale,
        account: AccountId::new("T"),
        symbol: lotwise_core::Symbol::parse(name).map_err(|error| error.to_string())?,
        lot: LotId::new("row"),
        shares: rules::shares("column a", &Value::String(shares.to_owned()))?,
        acquired,
        holding_from: acquired,
        sold,
        proceeds,
        basis,
        gain,
        disallowed,
        reportable: gain.map(|gain| gain + disallowed),
        term: acquired.map(|acquired| Term::of(acquired, sold)),
        code: if disallowed.is_positive() { "W" } else { "" },
        matches: Vec::new(),
        basis_source: if inherited { BasisSource::Inherited } else { BasisSource::Stated },
        basis_range: basis.map_or(BasisRange { lowest: Money::ZERO, highest: None }, BasisRange::exact),
        identified: None,
    }))
}

/// The case's own name of the security behind the shares that were computed.
fn description(text: &str, sale: &SaleRow) -> String {
    match text.split_once(" sh. ") {
        Some((_, name)) => format!("{} sh. {name}", sale.shares),
        None => text.to_owned(),
    }
}

fn us_day(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    Date::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// The columns as the form shows them.
fn form_json(row: &FormRow) -> Value {
    let at = row.form_box();
    let amount = |amount: Money| amount.to_string();
    json!({
        "part": at.map(|at| at.part()),
        "box": at.map(|at| at.letter().to_string()),
        "a": row.description,
        "b": row.acquired.text(),
        "c": us_date(row.sold),
        "d": amount(row.proceeds),
        "e": row.basis.map(amount),
        "f": row.codes.to_string(),
        "g": if row.codes.is_empty() { String::new() } else { amount(row.adjustment) },
        "h": row.gain.map(amount),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str, ledger: &str) -> Result<Outcome, String> {
        let mut ledgers = Ledgers::default();
        ledgers.add(serde_json::from_str(ledger).unwrap());
        compute(&serde_json::from_str(text).unwrap(), &ledgers)
    }

    const LEDGER: &str = r#"{"cases": [{"id": "one", "events": [
        {"date": "2024-03-01", "type": "buy", "id": "L1", "qty": "30", "amount": "3000"},
        {"date": "2025-05-01", "type": "sell", "id": "S1", "qty": "30", "amount": "2100.005"},
        {"date": "2025-05-20", "type": "buy", "id": "L2", "qty": "10", "amount": "720"}]}]}"#;

    #[test]
    fn a_row_is_computed_from_the_ledger_that_it_names() {
        let outcome = case(
            r#"{"case": "one", "covered": false, "form_8949": {"part": "II", "box": "E", "a": "30 sh. M",
                "b": "03/01/2024", "c": "05/01/2025", "d": "2100.01", "e": "3000.00", "f": "W", "g": "300.00",
                "h": "-599.99"}, "txf": ["TD", "N713", "C1", "L1", "P30 sh. M", "D03/01/2024", "D05/01/2025",
                "$3000.00", "$2100.01", "$300.00", "^"]}"#,
            LEDGER,
        )
        .unwrap();
        assert_eq!(outcome.differences, Some(vec![]));
        let wrong =
            case(r#"{"case": "one", "covered": true, "form_8949": {"box": "E", "h": "-600.00"}}"#, LEDGER).unwrap();
        assert_eq!(wrong.differences.unwrap().len(), 2);
        let only = case(r#"{"case": "one", "covered": true, "txf": []}"#, LEDGER).unwrap();
        assert_eq!(only.computed["form_8949"]["box"], "D");
    }

    #[test]
    fn a_row_without_its_ledger_is_checked_against_itself() {
        let alone = r#"{"case": "elsewhere", "covered": true, "form_8949": {"part": "I", "box": "A", "a": "5 sh. Q",
            "b": "01/02/2025", "c": "03/03/2025", "d": "110.00", "e": "100.00", "f": "", "g": "", "h": "11.00"}}"#;
        let differences = case(alone, "[]").unwrap().differences.unwrap();
        assert_eq!(differences.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["form_8949.h"]);
        assert!(case(r#"{"case": "elsewhere", "txf": []}"#, "[]").err().unwrap().contains("elsewhere"));
    }

    #[test]
    fn digital_assets_have_boxes_of_their_own_and_no_txf() {
        let outcome = case(r#"{"case": "one", "covered": true, "digital_asset": true, "txf": []}"#, LEDGER).unwrap();
        assert_eq!(outcome.computed["form_8949"]["box"], "J");
        assert!(outcome.computed["txf"]["refused"].as_str().unwrap().contains("digital asset"));
    }
}
