//! Dates and numbers as OFX writes them (OFX 2.2, sections 3.2.8 and 3.2.9).

use lotwise_core::Date;

/// Reads `YYYYMMDD[HHMM[SS[.XXX]]][[-5:EST]]`, keeping the civil date as written: the exchange's day, or the
/// broker's, whatever the zone behind it says.
///
/// # Errors
/// The reason, when the text has another shape or names no date in 1900–2199.
pub(super) fn date(text: &str) -> Result<Date, String> {
    let expected = || "is not a date (expected YYYYMMDD, then a time if any)".to_owned();
    let text = text.trim();
    let clock = text.split_once('[').map_or(text, |(clock, _)| clock).trim_end();
    let (digits, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (day, time) = digits.split_at_checked(8).ok_or_else(expected)?;
    if !all_digits(day) || !all_digits(time) || !all_digits(fraction) || !matches!(time.len(), 0 | 2 | 4 | 6) {
        return Err(expected());
    }
    Date::parse(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..])).map_err(|_| expected())
}

/// The text of a number in the form that [`lotwise_core`] reads: no blanks, a period for decimals.
///
/// OFX allows a comma for the decimal point. A comma before a period (`1,234.50`) groups thousands; two commas
/// and no period could be either and are refused.
///
/// # Errors
/// The reason, when commas and periods do not tell which is which.
pub(super) fn number(text: &str) -> Result<String, String> {
    let text = text.trim();
    let ambiguous = || "does not tell decimals from thousands (expected 1234.56 or 1234,56)".to_owned();
    match (text.matches(',').count(), text.matches('.').count()) {
        (0, _) => Ok(text.to_owned()),
        (1, 0) => Ok(text.replace(',', ".")),
        (_, 1) => {
            let (whole, decimals) = text.split_once('.').ok_or_else(ambiguous)?;
            let mut groups = whole.trim_start_matches(['+', '-']).split(',');
            let first = groups.next().unwrap_or_default();
            let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
            if !grouped || decimals.contains(',') {
                return Err(ambiguous());
            }
            Ok(text.replace(',', ""))
        }
        _ => Err(ambiguous()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_a_date_keeps_the_day_as_written() {
        for text in [
            "20120720",
            "20120720000000",
            "201207202359",
            "20120720160000.000[-5:EST]",
            "20110720001702[-5:EST]".replace("2011", "2012").as_str(),
            " 20120720160000.123[-5] ",
            "20120720[0:GMT]",
            "20120720120000.000 [+5.5:IST]",
        ] {
            assert_eq!(date(text).unwrap().to_string(), "2012-07-20", "{text}");
        }
        for text in ["", "2012072", "20121320", "2012-07-20", "20120720T10", "201207201", "00000000", "2012072é"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_decimal_comma_is_a_decimal_point() {
        for (text, expected) in [
            ("+0000000000100.00000", "+0000000000100.00000"),
            (" 12,5 ", "12.5"),
            ("-0,75", "-0.75"),
            ("1,234.50", "1234.50"),
            ("-1,234,567.5", "-1234567.5"),
            ("5", "5"),
        ] {
            assert_eq!(number(text).as_deref(), Ok(expected));
        }
        for text in ["1,234,567", "1.234,56", "12,34.5", "1,2345.6", ",5.0", "1.5,000"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
