//! Records of a QIF file and the section that each stands in; its dates.

use lotwise_core::Date;

use crate::Error;
use crate::gather::clip;
use crate::read::ReadOptions;

/// What the records below a header are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// `!Type:Invst`.
    Investment,
    /// `!Account`: names of accounts.
    Account,
    /// Securities, prices, categories: no records of an account.
    List,
    /// Bank, cash, card and other accounts.
    Cash,
}

/// One record.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) section: Section,
    /// Values by their letter; the first of each counts.
    values: Vec<(char, &'a str)>,
    /// The first letter that investment records do not have, with its value.
    pub(super) unknown: Option<(char, &'a str)>,
    /// Whether `^` ends it.
    pub(super) ended: bool,
    /// Line on which it starts.
    pub(super) row: u32,
}

impl<'a> Record<'a> {
    fn new(section: Section, row: u32) -> Self {
        Self { section, values: Vec::new(), unknown: None, ended: false, row }
    }

    /// The value behind a letter, `None` where it is missing or blank.
    pub(super) fn text(&self, code: char) -> Option<&'a str> {
        self.values.iter().find(|(known, value)| *known == code && !value.is_empty()).map(|(_, value)| *value)
    }
}

/// Letters of an investment record: date, action, security, price, quantity, amount twice, cleared, payee, memo,
/// commission, category, amount transferred, address, and what splits a category.
const CODES: &str = "DNYIQTUCPMOL$AXSE%F";

/// All records of the text.
///
/// # Errors
/// [`Error::Malformed`] for a header that QIF does not have; [`Error::OverLimit`].
pub(super) fn records<'a>(text: &'a str, options: &ReadOptions<'_>) -> Result<Vec<Record<'a>>, Error> {
    let mut records = Vec::new();
    let mut section = None;
    let mut open: Option<Record<'a>> = None;
    for (number, line) in (1_u32..).zip(text.lines().flat_map(|line| line.split('\r'))) {
        let line = line.trim();
        let Some(code) = line.chars().next() else { continue };
        if code == '!' {
            records.extend(open.take());
            section = header(line, number)?.or(section);
            continue;
        }
        let Some(section) = section else {
            let reason = "a header such as !Type:Invst is expected above the first record".to_owned();
            return Err(Error::Malformed { line: number, column: 1, reason });
        };
        if code == '^' {
            if let Some(mut record) = open.take() {
                record.ended = true;
                options.check(records.len() + 1)?;
                records.push(record);
            }
            continue;
        }
        let record = open.get_or_insert_with(|| Record::new(section, number));
        let value = line.get(code.len_utf8()..).unwrap_or_default().trim();
        if section == Section::Investment && !CODES.contains(code) {
            record.unknown.get_or_insert((code, value));
        }
        options.check_columns(record.values.len())?;
        record.values.push((code, value));
    }
    records.extend(open);
    Ok(records)
}

/// The section that a header begins; `None` for an option, which begins none.
fn header(line: &str, number: u32) -> Result<Option<Section>, Error> {
    let lower = line.to_ascii_lowercase();
    let kind = lower.strip_prefix("!type:").map(str::trim);
    Ok(match (lower.as_str(), kind) {
        (_, Some("invst" | "invitem")) => Some(Section::Investment),
        (_, Some("bank" | "cash" | "ccard" | "oth a" | "oth l" | "invoice" | "tax")) => Some(Section::Cash),
        (_, Some("security" | "prices" | "cat" | "class" | "memorized" | "budget" | "template" | "tag")) => {
            Some(Section::List)
        }
        ("!account", _) => Some(Section::Account),
        (option, None) if option.starts_with("!option:") || option.starts_with("!clear:") => None,
        _ => {
            let reason = format!("{:?} is not a header of QIF that is known", clip(line, 40));
            return Err(Error::Malformed { line: number, column: 1, reason });
        }
    })
}

/// Which of day and month comes first, as the dates of the file tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateOrder {
    MonthFirst,
    DayFirst,
    /// No date tells; read with the month first.
    Unclear,
}

impl DateOrder {
    pub(super) fn of(records: &[Record<'_>]) -> Self {
        let (mut month_first, mut day_first, mut any) = (false, false, false);
        for text in records.iter().filter_map(|record| record.text('D')) {
            if let Some([first, second, _]) = parts(text) {
                any = true;
                month_first |= second > 12 && first <= 12;
                day_first |= first > 12 && second <= 12 && first <= 31;
            }
        }
        match (month_first, day_first) {
            (true, _) => Self::MonthFirst,
            (false, true) => Self::DayFirst,
            (false, false) if any => Self::Unclear,
            (false, false) => Self::MonthFirst,
        }
    }

    /// Reads a date in this order, or one that begins with its year.
    pub(super) fn read(self, text: &str) -> Option<Date> {
        if let Ok(date) = Date::parse(text) {
            return Some(date);
        }
        let [first, second, year] = parts(text)?;
        let (month, day) = if self == Self::DayFirst { (second, first) } else { (first, second) };
        Date::from_ymd(i32::try_from(year).ok()?, month, day)
    }

    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::DayFirst => "is not a date (expected 31/1/2026 or 31/1'26)",
            Self::MonthFirst | Self::Unclear => "is not a date (expected 1/31/2026 or 1/31'26)",
        }
    }
}

/// The three numbers of `1/31'26`, `1/31/26`, `1/31/2026`, `31.1.2026` and ` 1/ 5' 6`, the year in full.
///
/// An apostrophe stands for the year 2000 and later. Two digits behind a slash are of this century below fifty, of the
/// last one from there on, since Quicken wrote them so before 2000.
fn parts(text: &str) -> Option<[u32; 3]> {
    let apostrophe = text.contains('\'');
    let mut numbers = text.split(['/', '-', '.', '\'']).map(|part| {
        let part = part.trim();
        let digits = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<u32>().ok().map(|number| (number, part.len())) } else { None }
    });
    let (first, second, (year, length)) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() {
        return None;
    }
    let year = match (length, apostrophe) {
        (4, _) => year,
        (1 | 2, true) => 2000 + year,
        (2, false) if year < 50 => 2000 + year,
        (2, false) => 1900 + year,
        _ => return None,
    };
    Some([first.0, second.0, year])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_a_date_is_read() {
        for (text, expected) in [
            ("1/15'26", Some("2026-01-15")),
            (" 1/ 5' 6", Some("2006-01-05")),
            ("01/15/2026", Some("2026-01-15")),
            ("1/15/98", Some("1998-01-15")),
            ("1/15/26", Some("2026-01-15")),
            ("1.15.2026", Some("2026-01-15")),
            ("2026-01-15", Some("2026-01-15")),
            ("2/30/2026", None),
            ("1/15", None),
            ("1/15/26/1", None),
            ("a/b/c", None),
        ] {
            assert_eq!(
                DateOrder::MonthFirst.read(text.trim()).map(|date| date.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
        assert_eq!(DateOrder::DayFirst.read("15/1/2026").unwrap().to_string(), "2026-01-15");
    }
}
