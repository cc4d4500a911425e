//! The table of formats, and recognition by content.
//!
//! A new format is one entry in [`FORMATS`]: how to recognise it and how to read it. What we know
//! by name and do not read yet stands in [`crate::unread`].

use crate::dialect;
use crate::read::ReadOptions;
use crate::text::Text;
use crate::unread;
use crate::{Error, Statement};

/// How sure a format is that a file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Not this format.
    No,
    /// Could be it; any surer format wins.
    Plausible,
    /// The header or a marker that only this format has is there.
    Sure,
}

/// What people are told about a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatInfo {
    /// Stable id for `--as`, JSON and tests: `schwab-transactions-csv`.
    pub id: &'static str,
    /// For people: `Charles Schwab, transactions (CSV)`.
    pub title: &'static str,
    /// Usual file extensions without the dot; never used for recognition.
    pub extensions: &'static [&'static str],
    /// How such a file begins.
    pub example: &'static str,
}

/// One format.
pub(crate) struct Format {
    /// What people are told.
    pub(crate) info: FormatInfo,
    /// Looks at the beginning of the content.
    pub(crate) recognise: fn(&Sniff<'_>) -> Confidence,
    /// Reads the whole.
    pub(crate) read: fn(&Text<'_>, &ReadOptions<'_>) -> Result<Statement, Error>,
}

/// What recognition may look at.
pub(crate) struct Sniff<'a> {
    /// At most the first 64 KiB of the text, cut at a character boundary.
    pub(crate) head: &'a str,
}

impl<'a> Sniff<'a> {
    const HEAD: usize = 64 * 1024;

    pub(crate) fn new(text: &'a Text<'_>) -> Self {
        let content = text.as_str();
        let end = (0..=content.len().min(Self::HEAD)).rev().find(|&end| content.is_char_boundary(end)).unwrap_or(0);
        Self { head: &content[..end] }
    }
}

/// All formats; order decides only between equals.
pub(crate) const FORMATS: &[Format] = &[
    dialect::lotwise::FORMAT,
    dialect::schwab::FORMAT,
    dialect::fidelity::FORMAT,
    dialect::robinhood::FORMAT,
    dialect::ibkr_history::FORMAT,
    dialect::ibkr_activity::FORMAT,
    dialect::etrade::FORMAT,
    dialect::merrill::FORMAT,
    dialect::vanguard::FORMAT,
    dialect::vanguard_uk::FORMAT,
    dialect::webull::FORMAT,
    dialect::schwab_awards::FORMAT,
    dialect::schwab_realized::FORMAT,
    dialect::revolut::FORMAT,
    dialect::trading212::FORMAT,
    dialect::xtb::FORMAT,
    dialect::td_ameritrade::FORMAT,
    dialect::form_1099b::FORMAT,
    crate::ofx::FORMAT,
    crate::flex::FORMAT,
    crate::flex::csv::FORMAT,
    crate::ledger_json::FORMAT,
    crate::json::alpaca::FORMAT,
    crate::json::snaptrade::FORMAT,
    crate::json::schwab_awards::FORMAT,
    crate::json::schwab_brokerage::FORMAT,
    crate::qif::FORMAT,
    crate::portfolio::PORTFOLIO_PERFORMANCE_CSV,
    crate::portfolio::PORTFOLIO_PERFORMANCE_XML,
    crate::portfolio::WEALTHFOLIO_CSV,
    crate::portfolio::WEALTHFOLIO_JSON,
    crate::portfolio::GHOSTFOLIO_CSV,
    crate::portfolio::GHOSTFOLIO_JSON,
    crate::plaintext::BEANCOUNT,
    crate::plaintext::JOURNAL,
];

/// The formats that are read, for lists and help.
#[must_use]
pub fn formats() -> Vec<FormatInfo> {
    FORMATS.iter().map(|format| format.info).collect()
}

/// The format with this id.
pub(crate) fn by_name(name: &str) -> Result<&'static Format, Error> {
    FORMATS.iter().find(|format| format.info.id.eq_ignore_ascii_case(name.trim())).ok_or_else(|| {
        let known: Vec<&str> = FORMATS.iter().map(|format| format.info.id).collect();
        Error::UnknownFormat { name: name.to_owned(), known: known.join(", ") }
    })
}

/// The surest format, the first among equals.
pub(crate) fn recognise(sniff: &Sniff<'_>) -> Result<&'static Format, Error> {
    let mut best: Option<(Confidence, &'static Format)> = None;
    for format in FORMATS {
        let confidence = (format.recognise)(sniff);
        if confidence > best.map_or(Confidence::No, |(sureness, _)| sureness) {
            best = Some((confidence, format));
        }
    }
    match best {
        Some((_, format)) => Ok(format),
        None => Err(unread::explain(sniff)),
    }
}
