//! Lots that a file states: the one that a row of realized gains is about, and those below a trade.

use lotwise_core::{Money, Shares};

use super::Role;
use super::row::{Fault, LONGEST_VALUE, Outcome, Row, contract};
use crate::gather::clip;
use crate::{StatedLot, Transaction};

/// The lot that a row of a list of realized gains describes.
pub(crate) fn stated_lot(row: &Row<'_>, transaction: &Transaction) -> Result<StatedLot, Fault> {
    let acquired = row.text(Role::Acquired);
    let words = acquired.to_ascii_lowercase();
    let inherited = words.starts_with("inherit");
    let several = words.starts_with("various") || matches!(words.as_str(), "multiple" | "unknown" | "00000000");
    let form_box = row.text(Role::FormBox).chars().next().map(|first| first.to_ascii_uppercase());
    let (term_of_box, covered_of_box) = match form_box.filter(|_| row.text(Role::FormBox).len() == 1) {
        Some('A' | 'G') => (Some(false), Some(true)),
        Some('B' | 'H') => (Some(false), Some(false)),
        Some('C' | 'I') => (Some(false), None),
        Some('D' | 'J') => (Some(true), Some(true)),
        Some('E' | 'K') => (Some(true), Some(false)),
        Some('F' | 'L') => (Some(true), None),
        _ => (None, None),
    };
    let term = match row.text(Role::Term).to_ascii_lowercase().as_str() {
        "" => term_of_box.or(row.context.long_term),
        "l" => Some(true),
        "s" => Some(false),
        text if text.contains("long") || text.starts_with("lt") => Some(true),
        text if text.contains("short") || text.starts_with("st") => Some(false),
        _ => return Err(row.fault(Role::Term, "says neither short nor long term")),
    };
    Ok(StatedLot {
        id: Some(row.text(Role::LotId)).filter(|id| !id.is_empty()).map(|id| clip(id, LONGEST_VALUE)),
        acquired: if inherited || several { None } else { row.date_of(Role::Acquired)? },
        shares: transaction.shares.unwrap_or(Shares::ZERO).abs(),
        basis: row.money(Role::Basis)?,
        proceeds: Some(transaction.amount),
        disallowed: disallowed(row)?,
        // What is inherited is held long, whatever the dates.
        long_term: term.or(inherited.then_some(true)),
        covered: covered(row)?.or(covered_of_box).or(row.context.covered),
    })
}

/// The disallowed loss; the column may hold a mark instead of an amount, or an adjustment of another kind.
fn disallowed(row: &Row<'_>) -> Result<Option<Money>, Fault> {
    let mark = ["w", "x", "y", "n", "yes", "no", "true", "false"];
    if mark.iter().any(|mark| row.text(Role::Disallowed).eq_ignore_ascii_case(mark)) {
        return Ok(None);
    }
    let codes = row.text(Role::Code).to_ascii_uppercase();
    let other = !codes.is_empty() && !codes.contains('W');
    Ok(row.money(Role::Disallowed)?.map(Money::abs).filter(|_| !other))
}

/// Whether the row says that the broker reports the basis.
fn covered(row: &Row<'_>) -> Result<Option<bool>, Fault> {
    let read = |role: Role| match row.text(role).to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "yes" | "y" | "true" | "x" | "1" | "covered" | "reported" => Ok(Some(true)),
        "no" | "n" | "false" | "0" | "noncovered" | "non-covered" | "uncovered" | "not reported" => Ok(Some(false)),
        _ => Err(row.fault(role, "says neither yes nor no")),
    };
    Ok(read(Role::Covered)?.or(match read(Role::Noncovered)? {
        // The column's own word, or a mark in it.
        Some(marked) if row.text(Role::Noncovered).eq_ignore_ascii_case("covered") => Some(marked),
        Some(_) if row.text(Role::Noncovered).to_ascii_lowercase().starts_with("non") => Some(false),
        Some(marked) => Some(!marked),
        None => None,
    }))
}

/// A record that tells a lot of the trade above it.
pub(crate) fn lot_above(row: &Row<'_>) -> Result<Outcome, Fault> {
    let what = clip(row.text(Role::Kind), LONGEST_VALUE);
    let (symbol, _) = row.named(contract(row).as_ref())?;
    let basis = row.money(Role::Basis)?;
    let gain = row.money(Role::Gain)?;
    let codes = row.text(Role::Code);
    let coded = |wanted: &str| codes.split([';', ' ', ',']).any(|code| code == wanted);
    let lot = StatedLot {
        id: None,
        acquired: row.date_of(Role::Date)?,
        shares: row.shares()?.ok_or_else(|| row.fault(Role::Shares, "the number of shares is missing"))?.abs(),
        basis: basis.map(Money::abs),
        // Long positions only: a short one is opened by its sale, and its basis is what the cover cost.
        proceeds: basis.filter(|basis| !basis.is_negative()).zip(gain).map(|(basis, gain)| basis + gain),
        disallowed: None,
        long_term: if coded("LT") { Some(true) } else { coded("ST").then_some(false) },
        covered: None,
    };
    Ok(Outcome::Lot { symbol, lot: Box::new(lot), what })
}
