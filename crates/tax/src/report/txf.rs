//! The Tax Exchange Format, version 042 of 2011 (tax rule 6.3).

use lotwise_core::{Date, Money};

use super::form::{Reporting, us_date};
use super::row::FormRow;
use crate::model::Term;

/// Why rows cannot be written in this format. The format is older than what they need.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TxfRefusal {
    /// The format has no codes for boxes G to L.
    #[error("{row} sold on {sold} is a digital asset, for which TXF 042 has no codes (boxes G to L)")]
    DigitalAsset {
        /// Column (a).
        row: String,
        /// Column (c).
        sold: Date,
    },
    /// A cost that is not known would be read as zero.
    #[error("the basis of {row} sold on {sold} is not known, and TXF would show it as zero")]
    UnknownBasis {
        /// Column (a).
        row: String,
        /// Column (c).
        sold: Date,
    },
    /// The format carries the adjustment of a wash sale and no other.
    #[error("{row} sold on {sold} has the adjustment {codes}, and TXF 042 carries only that of a wash sale")]
    OtherAdjustment {
        /// Column (a).
        row: String,
        /// Column (c).
        sold: Date,
        /// Column (f).
        codes: String,
    },
}

/// The whole file: header, then one record per row, lines ended as the format wants them.
///
/// # Errors
/// Every row that cannot be written, so that all are seen at once.
pub fn txf(rows: &[FormRow], program: &str, exported: Date) -> Result<String, Vec<TxfRefusal>> {
    let mut lines = header(program, exported);
    let mut refusals = Vec::new();
    for row in rows {
        match txf_record(row) {
            Ok(record) => lines.extend(record),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(lines.into_iter().map(|line| line + "\r\n").collect()) } else { Err(refusals) }
}

fn header(program: &str, exported: Date) -> Vec<String> {
    vec!["V042".to_owned(), format!("A{}", plain(program)), format!("D {}", us_date(exported)), "^".to_owned()]
}

/// The lines of one row's record, its closing `^` included.
///
/// # Errors
/// When the format has no way to say it.
pub fn txf_record(row: &FormRow) -> Result<Vec<String>, TxfRefusal> {
    let (name, sold) = (row.description.clone(), row.sold);
    if row.kind == super::SecurityKind::DigitalAsset {
        return Err(TxfRefusal::DigitalAsset { row: name, sold });
    }
    let Some(basis) = row.basis else { return Err(TxfRefusal::UnknownBasis { row: name, sold }) };
    if row.codes.to_string().chars().any(|code| code != 'W') && !row.adjustment.is_zero() {
        return Err(TxfRefusal::OtherAdjustment { row: name, sold, codes: row.codes.to_string() });
    }
    let washed = if row.codes.has('W') { dollars(row.adjustment) } else { "$".to_owned() };
    Ok(vec![
        "TD".to_owned(),
        format!("N{}", reference(row.term, row.reporting)),
        "C1".to_owned(),
        "L1".to_owned(),
        format!("P{}", plain(&row.description)),
        format!("D{}", row.acquired.text()),
        format!("D{}", us_date(row.sold)),
        dollars(basis),
        dollars(row.proceeds),
        washed,
        "^".to_owned(),
    ])
}

/// The format's number for a box, or for a box whose term is unknown.
const fn reference(term: Option<Term>, reporting: Reporting) -> u16 {
    match (term, reporting) {
        (Some(Term::Short), Reporting::BasisReported) => 321,
        (Some(Term::Short), Reporting::BasisNotReported) => 711,
        (Some(Term::Short), Reporting::NotReported) => 712,
        (Some(Term::Long), Reporting::BasisReported) => 323,
        (Some(Term::Long), Reporting::BasisNotReported) => 713,
        (Some(Term::Long), Reporting::NotReported) => 714,
        (None, Reporting::BasisReported) => 673,
        (None, Reporting::BasisNotReported) => 715,
        (None, Reporting::NotReported) => 716,
    }
}

fn dollars(amount: Money) -> String {
    format!("${amount}")
}

/// Text of a file may hold anything; a record is lines of printable ASCII.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character == ' ' || character.is_ascii_graphic() { character } else { '?' })
        .collect()
}
