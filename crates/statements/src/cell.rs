//! What brokers write into a cell: numbers with currency signs, thousands and parentheses; dates of many shapes.

use std::borrow::Cow;

use lotwise_core::{Date, Symbol};

/// How dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateStyle {
    /// `01/31/2024`, `1/31/2024`, `1/31/24`, with `/` or `-`.
    MonthDayYear,
    /// `2024-01-31`.
    Iso,
    /// `20240131`.
    Compact,
    /// `Jan-31-2024`, `January 31, 2024`.
    MonthName,
    /// `31/01/2024`, `31.01.2024`, `31-01-24`.
    DayMonthYear,
}

/// What a comma inside a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comma {
    /// It parts thousands, as American brokers write; a sign other than the dollar is refused.
    Thousands,
    /// It parts thousands; signs of other currencies are read too.
    ThousandsAnyCurrency,
    /// A lone comma may part thousands or decimals, so it is refused (tables delimited by semicolons).
    Unclear,
    /// Thousands or decimals by the shape of the number, where that is beyond doubt; signs of other currencies are
    /// read too.
    ByShape,
}

/// True for the ways of writing that there is nothing.
pub(crate) fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "-" | "--" | "---") || text.eq_ignore_ascii_case("n/a")
}

/// The plain decimal that a number stands for: `($1,234.50)` is `-1234.50`.
///
/// # Errors
/// The reason.
pub(crate) fn number(text: &str, comma: Comma) -> Result<Cow<'_, str>, &'static str> {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(plain) && digits.matches('.').count() <= 1 {
        return Ok(Cow::Borrowed(text));
    }
    const NO_NUMBER: &str = "is not a number";
    let foreign = matches!(comma, Comma::ByShape | Comma::ThousandsAnyCurrency);
    // `@` is how lists of orders begin a price.
    let mut rest = text.trim().trim_start_matches('@').trim_start();
    let mut negative = false;
    if let Some(inside) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (rest, negative) = (inside.trim(), true);
    }
    let mut signed = negative;
    for _ in 0..2 {
        if let Some(after) = rest.strip_prefix(['-', '−', '\u{2010}', '\u{2013}']) {
            if signed {
                return Err(NO_NUMBER);
            }
            (rest, negative, signed) = (after.trim_start(), true, true);
        } else if let Some(after) = rest.strip_prefix('+') {
            if signed {
                return Err(NO_NUMBER);
            }
            (rest, signed) = (after.trim_start(), true);
        }
        let signs: &[&str] = if foreign { &SIGNS } else { &SIGNS[..3] };
        rest = signs.iter().find_map(|sign| rest.strip_prefix(sign)).map_or(rest, str::trim_start);
    }
    let signs: &[&str] = if foreign { &SIGNS[1..] } else { &SIGNS[1..2] };
    rest = signs.iter().find_map(|sign| rest.strip_suffix(sign)).map_or(rest, str::trim_end);
    if let Some(before) = rest.strip_suffix('-') {
        if signed {
            return Err(NO_NUMBER);
        }
        (rest, negative) = (before.trim_end(), true);
    }
    if rest.is_empty() || !rest.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Err(NO_NUMBER);
    }
    let mut digits = String::with_capacity(rest.len() + 1);
    if negative {
        digits.push('-');
    }
    if comma == Comma::ByShape {
        digits.push_str(&by_shape(rest).ok_or(UNCLEAR)?);
    } else if rest.contains(',') {
        let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
        if !is_grouped(whole, ',') || (comma == Comma::Unclear && fraction.is_none()) {
            return Err(UNCLEAR);
        }
        digits.extend(rest.chars().filter(|&character| character != ','));
    } else {
        digits.push_str(rest);
    }
    Ok(Cow::Owned(digits))
}

const UNCLEAR: &str = "does not tell decimals from thousands (expected 1,234.56 or 1234.56)";

/// Signs of money: those of the dollar first, then those of the other currencies that exports carry.
const SIGNS: [&str; 9] = ["US$", "USD", "$", "€", "EUR", "£", "GBP", "CHF", "PLN"];

/// The currency whose sign stands in a number, where one does.
pub(crate) fn currency_sign(text: &str) -> Option<&'static str> {
    let signs = [("€", "EUR"), ("EUR", "EUR"), ("£", "GBP"), ("GBP", "GBP"), ("CHF", "CHF"), ("PLN", "PLN")];
    let dollars = [("$", "USD"), ("USD", "USD")];
    signs.into_iter().chain(dollars).find(|(sign, _)| text.contains(sign)).map(|(_, code)| code)
}

/// Whether groups of three digits follow the first of one to three.
fn is_grouped(whole: &str, separator: char) -> bool {
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)
}

/// Digits with a point or none, where the last of points and commas parts the decimals. `None` where it may part
/// thousands as well (`1,234`).
fn by_shape(text: &str) -> Option<String> {
    let text = text.replace(['\u{a0}', '\u{202f}'], "");
    let (commas, points) = (text.matches(',').count(), text.matches('.').count());
    let decimal = match (commas, points) {
        (0, 0 | 1) => return Some(text),
        // Zero never leads a group, and a group has three digits.
        (1, 0) => {
            let (whole, fraction) = text.split_once(',')?;
            if fraction.len() == 3 && whole.len() <= 3 && whole != "0" && !whole.is_empty() {
                return None;
            }
            ','
        }
        (_, 0) => return is_grouped(&text, ',').then(|| text.replace(',', "")),
        (0, _) => return is_grouped(&text, '.').then(|| text.replace('.', "")),
        _ if text.rfind(',') > text.rfind('.') => ',',
        _ => '.',
    };
    let (whole, fraction) = text.rsplit_once(decimal)?;
    let separator = if decimal == ',' { '.' } else { ',' };
    let plain = !whole.contains(decimal) && (!whole.contains(separator) || is_grouped(whole, separator));
    plain.then(|| format!("{}.{fraction}", whole.replace(separator, "")))
}

/// The date at the beginning of the cell, in one of these styles; a time of day may follow it.
pub(crate) fn date(text: &str, styles: &[DateStyle]) -> Option<Date> {
    styles.iter().find_map(|style| match style {
        DateStyle::Iso => {
            let day = text.get(..10)?;
            time_follows(&text[10..]).then(|| Date::parse(day).ok()).flatten()
        }
        DateStyle::Compact => {
            let day = text.get(..8)?;
            if !time_follows(&text[8..]) {
                return None;
            }
            ymd(day.get(..4)?, day.get(4..6)?, day.get(6..)?)
        }
        DateStyle::MonthDayYear | DateStyle::DayMonthYear => {
            let end = text.find([' ', 'T', ',', ';']).unwrap_or(text.len());
            let (day, rest) = text.split_at(end);
            let separators: &[char] = if *style == DateStyle::DayMonthYear { &['/', '-', '.'] } else { &['/', '-'] };
            let mut parts = day.split(separators);
            let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
            let (month, day) = if *style == DateStyle::DayMonthYear { (second, first) } else { (first, second) };
            if parts.next().is_some() || !time_follows(rest) {
                return None;
            }
            match year.len() {
                4 => ymd(year, month, day),
                // Two digits are a year of this century; brokers used them after 2000 only.
                2 => ymd(&format!("20{year}"), month, day),
                _ => None,
            }
        }
        DateStyle::MonthName => {
            let mut parts = text.split([' ', '-', ',']).filter(|part| !part.is_empty());
            let (name, day, year) = (parts.next()?, parts.next()?, parts.next()?);
            let name = name.get(..3)?;
            const NAMES: [&str; 12] =
                ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
            let month = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known))? + 1;
            ymd(year, &month.to_string(), day)
        }
    })
}

/// Nothing, or a separator and a digit.
fn time_follows(rest: &str) -> bool {
    let after = rest.trim_start_matches([' ', ',', ';', 'T']);
    rest.is_empty() || (after.len() < rest.len() && after.starts_with(|first: char| first.is_ascii_digit()))
}

fn ymd(year: &str, month: &str, day: &str) -> Option<Date> {
    let number = |text: &str, longest: usize| {
        let digits = !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    Date::from_ymd(i32::try_from(number(year, 4)?).ok()?, number(month, 2)?, number(day, 2)?)
}

/// What stands in a symbol column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// No security.
    None,
    /// A ticker or an option's name.
    Symbol(Symbol),
    /// A CUSIP or ISIN in the place of a ticker.
    Cusip(String),
}

/// Reads a symbol column.
///
/// # Errors
/// The reason.
pub(crate) fn security(text: &str) -> Result<Security, &'static str> {
    let text = text.trim_matches(['*', ' ']);
    const NONE: [&str; 4] = ["no number", "no description", "none", "cash"];
    // A number sign begins the house's own numbers, for cash that lies elsewhere.
    if is_nothing(text) || text.starts_with('#') || NONE.iter().any(|none| text.eq_ignore_ascii_case(none)) {
        return Ok(Security::None);
    }
    if is_cusip(text) || is_isin(text) {
        return Ok(Security::Cusip(text.to_ascii_uppercase()));
    }
    Symbol::parse(text).map(Security::Symbol).map_err(|_| "is not a ticker symbol")
}

/// Nine letters and digits that begin as a CUSIP does: with a digit, or with its check digit right.
pub(crate) fn is_cusip(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 9 && bytes.iter().all(u8::is_ascii_alphanumeric) && bytes[8].is_ascii_digit();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    shaped
        && ((bytes[0].is_ascii_digit() && digits >= 5) || (digits >= 3 && cusip_check(&bytes[..8]) == bytes[8] - b'0'))
}

fn cusip_check(bytes: &[u8]) -> u8 {
    let sum: u32 = (0..)
        .zip(bytes)
        .map(|(position, byte)| {
            let value = match byte {
                b'0'..=b'9' => u32::from(byte - b'0'),
                _ => u32::from(byte.to_ascii_uppercase() - b'A') + 10,
            };
            let value = if position % 2 == 1 { value * 2 } else { value };
            value / 10 + value % 10
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// Two letters, nine letters or digits, one digit.
pub(crate) fn is_isin(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 12
        && bytes[..2].iter().all(u8::is_ascii_alphabetic)
        && bytes[2..].iter().all(u8::is_ascii_alphanumeric)
        && bytes[11].is_ascii_digit()
        && bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_brokers_write_them() {
        let cases = [
            ("12.5", "12.5"),
            ("$1,259.59", "1259.59"),
            ("-$925.1", "-925.1"),
            ("$-925.1", "-925.1"),
            ("($142.60)", "-142.60"),
            ("(1,000)", "-1000"),
            ("+3", "3"),
            ("−4.00", "-4.00"),
            ("5.00-", "-5.00"),
            ("US$ 7", "7"),
            ("7 USD", "7"),
            ("-2.637591265E-4", "-2.637591265E-4"),
            (".5", ".5"),
            ("@189.10", "189.10"),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text, Comma::Thousands).as_deref(), Ok(expected), "{text}");
        }
        for text in ["NaN", "inf", "1,23", "1,2345.0", "--1", "-(1)", "€5", "abc", "(", "$", "1,234,5"] {
            assert!(number(text, Comma::Thousands).is_err(), "{text}");
        }
        assert!(number("1,234", Comma::Unclear).is_err() && number("1,234.5", Comma::Unclear).is_ok());
    }

    #[test]
    fn decimals_are_told_from_thousands_by_shape() {
        let cases = [
            ("€88.94", "88.94"),
            ("0,76672417", "0.76672417"),
            ("-1.234,50 EUR", "-1234.50"),
            ("£1,234.50", "1234.50"),
            ("1,234,567", "1234567"),
            ("1.234.567", "1234567"),
            ("0,123", "0.123"),
            ("12,5", "12.5"),
            ("$0", "0"),
            ("GBP -3", "-3"),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text, Comma::ByShape).as_deref(), Ok(expected), "{text}");
        }
        for text in ["1,234", "1.2.3", "1,23.4,5", "€", "1,2,3.4"] {
            assert!(number(text, Comma::ByShape).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_read_in_the_styles_asked_for() {
        use DateStyle::{Compact, DayMonthYear, Iso, MonthDayYear, MonthName};
        let cases: [(&str, DateStyle, Option<&str>); 19] = [
            ("01/31/2024", MonthDayYear, Some("2024-01-31")),
            ("1/2/24", MonthDayYear, Some("2024-01-02")),
            ("1-2-2024 10:30", MonthDayYear, Some("2024-01-02")),
            ("13/01/2024", MonthDayYear, None),
            ("02/30/2024", MonthDayYear, None),
            ("1/2/024", MonthDayYear, None),
            ("2024-01-31", Iso, Some("2024-01-31")),
            ("2024-01-31, 10:30:00", Iso, Some("2024-01-31")),
            ("2024-01-31T10:30", Iso, Some("2024-01-31")),
            ("2024-01-311", Iso, None),
            ("20240131;103000", Compact, Some("2024-01-31")),
            ("2024013", Compact, None),
            ("Dec-30-2025", MonthName, Some("2025-12-30")),
            ("March 31, 2026", MonthName, Some("2026-03-31")),
            ("Foo 1 2024", MonthName, None),
            ("", Iso, None),
            ("31/01/2024", DayMonthYear, Some("2024-01-31")),
            ("31.01.24 10:20:00", DayMonthYear, Some("2024-01-31")),
            ("01/31/2024", DayMonthYear, None),
        ];
        for (text, style, expected) in cases {
            assert_eq!(date(text, &[style]), expected.map(|text| Date::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn identifiers_are_told_from_tickers() {
        for text in ["890260854", "09070K200", "00165C203", "037833100", "G1151C101"] {
            assert_eq!(security(text), Ok(Security::Cusip(text.to_owned())), "{text}");
        }
        assert_eq!(security("US0378331005"), Ok(Security::Cusip("US0378331005".to_owned())));
        assert_eq!(security("SPAXX**"), Ok(Security::Symbol(Symbol::parse("SPAXX").unwrap())));
        assert_eq!(security("NO NUMBER"), Ok(Security::None));
        assert!(security("A&B").is_err());
    }
}
