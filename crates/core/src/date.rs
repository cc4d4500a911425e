//! Civil dates without time zones, as the tax rules want them.

use chrono::{Datelike, NaiveDate, Weekday};

/// Days from 0001-01-01 (day 1 of the common era) to 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

/// A civil date, stored as days since 1970-01-01 (the layout of Arrow's `date32`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// Why a text is not a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date (expected YYYY-MM-DD)")]
pub struct DateError(pub String);

impl Date {
    /// The earliest date accepted anywhere: 1900-01-01.
    pub const MIN: Self = Self(-25_567);
    /// The latest date accepted anywhere: 2199-12-31.
    pub const MAX: Self = Self(84_005);

    /// From days since 1970-01-01; `None` outside 1900–2199.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// From year, month (1–12) and day (1–31); `None` if there is no such date in 1900–2199.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        Self::from_days(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the text has another shape or names no date in 1900–2199.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let error = || DateError(text.chars().take(40).collect());
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(error());
        }
        let number = |range: std::ops::Range<usize>| {
            bytes[range]
                .iter()
                .try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
        };
        let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
            return Err(error());
        };
        Self::from_ymd(year as i32, month, day).ok_or_else(error)
    }

    fn naive(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0 + EPOCH_FROM_CE).expect("Invariant: a Date lies in 1900–2199")
    }

    /// Calendar year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.naive().year()
    }

    /// Month, 1–12.
    #[must_use]
    pub fn month(self) -> u32 {
        self.naive().month()
    }

    /// Day of the month, 1–31.
    #[must_use]
    pub fn day(self) -> u32 {
        self.naive().day()
    }

    /// Day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        self.naive().weekday()
    }

    /// The date `days` later (earlier if negative), held inside 1900–2199.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Days from `earlier` to this date.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// Same month and day one year later; 29 February becomes 1 March.
    #[must_use]
    pub fn one_year_later(self) -> Self {
        let (year, month, day) = (self.year() + 1, self.month(), self.day());
        Self::from_ymd(year, month, day).or_else(|| Self::from_ymd(year, 3, 1)).unwrap_or(Self::MAX)
    }

    /// For people: `10 Dec 2026`.
    #[must_use]
    pub fn long(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        format!("{} {} {}", self.day(), MONTHS[self.month() as usize - 1], self.year())
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.naive().format("%Y-%m-%d").to_string())
    }
}

impl std::fmt::Debug for Date {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

impl std::str::FromStr for Date {
    type Err = DateError;
    fn from_str(text: &str) -> Result<Self, DateError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_range_has_one_text() {
        let (mut date, mut count) = (Date::MIN, 0);
        loop {
            assert_eq!(Date::parse(&date.to_string()), Ok(date));
            count += 1;
            if date == Date::MAX {
                break;
            }
            date = date.plus_days(1);
        }
        assert_eq!(count, 109_573);
        assert_eq!(Date::MIN.to_string(), "1900-01-01");
        assert_eq!(Date::MAX.to_string(), "2199-12-31");
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in ["2023-02-29", "2024-13-01", "2024-00-10", "20240101", "2024/01/01", "24-01-01", "9999-01-01", ""] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_leap_day_rolls_to_the_first_of_march() {
        let leap = Date::parse("2024-02-29").unwrap();
        assert_eq!(leap.one_year_later(), Date::parse("2025-03-01").unwrap());
        assert_eq!(leap.long(), "29 Feb 2024");
    }
}
