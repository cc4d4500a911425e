//! The holding period: more than one year, counted by the calendar and never in days.

use lotwise_core::Date;

use crate::model::Term;

/// Fewest days between acquisition and a long-term sale, whatever the calendar.
const LEAST_LONG_TERM_DAYS: i64 = 366;

/// The first date on which a sale is long-term (tax rule 1.3).
///
/// Counting starts the day after `holding_from`; one year after that day is the answer, and a year
/// after 29 February is 1 March.
#[must_use]
pub fn first_long_term_date(holding_from: Date) -> Date {
    holding_from.plus_days(1).one_year_later()
}

/// [`first_long_term_date`] in days since 1970, for those who ask it of thousands of lots.
///
/// Days of the proleptic Gregorian calendar are counted from 1 March of the year 0, so that a leap
/// day is the last of its year; 400 years have 146,097 days.
#[must_use]
pub fn first_long_term_day(holding_from: i32) -> i32 {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    const MARCH_OF_YEAR_0: i64 = 719_468;
    let day = i64::from(holding_from) + 1 + MARCH_OF_YEAR_0;
    let of_cycle = day.rem_euclid(DAYS_OF_400_YEARS);
    let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    // A day and the same of the next year are as far apart as this year, from March to February, is
    // long; a leap day has no next, and 1 March, which counts for it, lies just as far off.
    let next = year + 1;
    let ends_with_leap_day = next % 4 == 0 && (next % 100 != 0 || next % 400 == 0);
    let days = if ends_with_leap_day { 366 } else { 365 };
    i32::try_from(i64::from(holding_from) + 1 + days).unwrap_or(i32::MAX)
}

/// Whether a sale on `sold` is long-term for shares held since `holding_from`.
#[must_use]
pub fn is_long_term(holding_from: Date, sold: Date) -> bool {
    is_long_term_days(holding_from.days(), sold.days(), || Some((holding_from, sold)))
}

/// The same with days since 1970; the dates are only wanted where the calendar has to decide.
///
/// The count of days is never the rule. But the first long-term day is always the 366th or the
/// 367th after `holding_from`, so on either side of those the count knows. It also keeps dates
/// that were held inside the calendar's last year (2199) from looking a year old.
pub(crate) fn is_long_term_days(from: i32, sold: i32, dates: impl FnOnce() -> Option<(Date, Date)>) -> bool {
    match i64::from(sold) - i64::from(from) {
        ..LEAST_LONG_TERM_DAYS => false,
        LEAST_LONG_TERM_DAYS => dates().is_some_and(|(from, sold)| sold >= first_long_term_date(from)),
        _ => true,
    }
}

impl Term {
    /// The term of shares held since `holding_from` and sold on `sold`.
    #[must_use]
    pub fn of(holding_from: Date, sold: Date) -> Self {
        if is_long_term(holding_from, sold) { Self::Long } else { Self::Short }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn the_last_short_and_first_long_days_are_those_of_the_table() {
        for (acquired, last_short, first_long, days) in [
            ("2022-12-31", "2023-12-31", "2024-01-01", 366),
            ("2022-12-09", "2023-12-09", "2023-12-10", 366),
            ("2023-02-27", "2024-02-27", "2024-02-28", 366),
            ("2023-02-28", "2024-02-29", "2024-03-01", 367),
            ("2023-11-30", "2024-11-30", "2024-12-01", 367),
            ("2024-02-28", "2025-02-28", "2025-03-01", 367),
            ("2024-02-29", "2025-02-28", "2025-03-01", 366),
            ("2023-03-01", "2024-03-01", "2024-03-02", 367),
        ] {
            let (acquired, last_short, first_long) = (date(acquired), date(last_short), date(first_long));
            assert_eq!(first_long_term_date(acquired), first_long, "{acquired}");
            assert!(!is_long_term(acquired, last_short), "{acquired}");
            assert!(is_long_term(acquired, first_long), "{acquired}");
            assert_eq!(first_long.days_since(acquired), days, "{acquired}");
        }
    }

    #[test]
    fn the_day_is_that_of_the_date() {
        let (first, last) = (date("1900-01-01"), date("2198-12-30"));
        for days in first.days()..last.days() {
            let holding_from = Date::from_days(days).unwrap();
            assert_eq!(first_long_term_day(days), first_long_term_date(holding_from).days(), "{holding_from}");
        }
    }

    #[test]
    fn nothing_is_long_term_at_the_end_of_the_calendar() {
        assert!(!is_long_term(Date::MAX, Date::MAX));
        assert!(!is_long_term(date("2199-01-02"), Date::MAX));
    }

    /// Months held, by the reading of the publication: the count starts on the day after, and the
    /// same day of each later month starts a new month. A month without that day starts the next
    /// one on the first day that follows.
    fn months_begun(acquired: Date, sold: Date) -> u32 {
        let start = acquired.plus_days(1);
        let (mut months, mut year, mut month) = (0, start.year(), start.month());
        loop {
            let begins = (start.day()..=31).find_map(|day| Date::from_ymd(year, month, day)).or_else(|| {
                if month == 12 { Date::from_ymd(year + 1, 1, 1) } else { Date::from_ymd(year, month + 1, 1) }
            });
            match begins {
                Some(begins) if begins <= sold => months += 1,
                _ => return months,
            }
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
    }

    proptest! {
        #[test]
        fn long_term_is_a_thirteenth_month_begun(from in -20_000_i32..60_000, held in 0_i32..800) {
            let acquired = Date::from_days(from).unwrap();
            let sold = acquired.plus_days(held);
            prop_assert_eq!(is_long_term(acquired, sold), months_begun(acquired, sold) >= 13);
        }
    }
}
