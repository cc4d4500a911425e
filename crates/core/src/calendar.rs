//! Sessions of the New York Stock Exchange, 1990 to 2035.

use chrono::Weekday;

use crate::Date;

/// When a session ends, New York time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// 16:00.
    Regular,
    /// 14:00, used until 1992.
    EarlyAtTwo,
    /// 13:00.
    EarlyAtOne,
}

impl Close {
    /// Minutes after midnight, New York time.
    #[must_use]
    pub const fn minute_of_day(self) -> u32 {
        match self {
            Self::Regular => 16 * 60,
            Self::EarlyAtTwo => 14 * 60,
            Self::EarlyAtOne => 13 * 60,
        }
    }
}

/// Closures outside the yearly rules: (year, month, day).
const ONE_OFF_CLOSURES: [(i32, u32, u32); 11] = [
    (1994, 4, 27), // mourning of Richard Nixon
    (2001, 9, 11), // attacks on New York
    (2001, 9, 12),
    (2001, 9, 13),
    (2001, 9, 14),
    (2004, 6, 11),  // mourning of Ronald Reagan
    (2007, 1, 2),   // mourning of Gerald Ford
    (2012, 10, 29), // hurricane Sandy
    (2012, 10, 30),
    (2018, 12, 5), // mourning of George H. W. Bush
    (2025, 1, 9),  // mourning of Jimmy Carter
];

/// Early closes at 13:00 outside the yearly rules.
const ONE_OFF_EARLY: [(i32, u32, u32); 5] =
    [(1996, 7, 5), (1997, 12, 26), (1999, 12, 31), (2003, 12, 26), (2002, 7, 5)];

/// The table of sessions, sorted by date.
#[derive(Debug, Clone)]
pub struct Calendar {
    sessions: Vec<Date>,
}

impl Calendar {
    /// First year of the table.
    pub const FIRST_YEAR: i32 = 1990;
    /// Last year of the table.
    pub const LAST_YEAR: i32 = 2035;

    /// The New York Stock Exchange, 1990-01-01 to 2035-12-31.
    #[must_use]
    pub fn new_york() -> Self {
        let mut sessions = Vec::with_capacity(11_600);
        for year in Self::FIRST_YEAR..=Self::LAST_YEAR {
            let closures = closures(year);
            let mut date = ymd(year, 1, 1);
            while date.year() == year {
                if !is_weekend(date) && !closures.contains(&date) {
                    sessions.push(date);
                }
                date = date.plus_days(1);
            }
        }
        Self { sessions }
    }

    /// All sessions, rising.
    #[must_use]
    pub fn sessions(&self) -> &[Date] {
        &self.sessions
    }

    /// Whether the exchange opened that day. Dates outside the table are not sessions.
    #[must_use]
    pub fn is_session(&self, date: Date) -> bool {
        self.sessions.binary_search(&date).is_ok()
    }

    /// Sessions from `first` to `last`, both included.
    #[must_use]
    pub fn between(&self, first: Date, last: Date) -> &[Date] {
        let start = self.sessions.partition_point(|&session| session < first);
        let end = self.sessions.partition_point(|&session| session <= last);
        &self.sessions[start..end.max(start)]
    }

    /// The last session on or before `date`.
    #[must_use]
    pub fn on_or_before(&self, date: Date) -> Option<Date> {
        let end = self.sessions.partition_point(|&session| session <= date);
        end.checked_sub(1).map(|last| self.sessions[last])
    }

    /// The first session on or after `date`.
    #[must_use]
    pub fn on_or_after(&self, date: Date) -> Option<Date> {
        let start = self.sessions.partition_point(|&session| session < date);
        self.sessions.get(start).copied()
    }

    /// The session `count` after `date` (before it if negative); `date` itself need not be one.
    #[must_use]
    pub fn shift(&self, date: Date, count: i32) -> Option<Date> {
        let base = if count >= 0 {
            self.sessions.partition_point(|&session| session <= date).checked_sub(1)? as i64
        } else {
            self.sessions.partition_point(|&session| session < date) as i64
        };
        usize::try_from(base + i64::from(count)).ok().and_then(|at| self.sessions.get(at).copied())
    }

    /// When the session ends; `None` if the exchange is closed that day.
    #[must_use]
    pub fn close(&self, date: Date) -> Option<Close> {
        if !self.is_session(date) {
            return None;
        }
        let (year, month, day) = (date.year(), date.month(), date.day());
        if ONE_OFF_EARLY.contains(&(year, month, day)) {
            return Some(Close::EarlyAtOne);
        }
        if date == nth_weekday(year, 11, Weekday::Thu, 4).plus_days(1) {
            return Some(match year {
                ..1992 => Close::Regular,
                1992 => Close::EarlyAtTwo,
                _ => Close::EarlyAtOne,
            });
        }
        let weekday = date.weekday();
        let early = match (month, day) {
            (12, 24) => true,
            (7, 3) if year >= 2013 => weekday != Weekday::Fri,
            (7, 3) if year >= 1995 => matches!(weekday, Weekday::Mon | Weekday::Tue | Weekday::Thu),
            (7, 5) => weekday == Weekday::Fri && (1995..2013).contains(&year),
            _ => false,
        };
        Some(match early {
            true if year < 1993 => Close::EarlyAtTwo,
            true => Close::EarlyAtOne,
            false => Close::Regular,
        })
    }
}

/// Weekday closures of a year.
fn closures(year: i32) -> Vec<Date> {
    let mut days = Vec::with_capacity(12);
    // A New Year's Day on Saturday is not moved: 31 December closes the books of the year.
    let new_year = ymd(year, 1, 1);
    days.push(if new_year.weekday() == Weekday::Sun { new_year.plus_days(1) } else { new_year });
    if year >= 1998 {
        days.push(nth_weekday(year, 1, Weekday::Mon, 3)); // Martin Luther King Jr. Day
    }
    days.push(nth_weekday(year, 2, Weekday::Mon, 3)); // Washington's Birthday
    days.push(easter(year).plus_days(-2)); // Good Friday
    days.push(last_monday_of_may(year)); // Memorial Day
    if year >= 2022 {
        days.push(observed(ymd(year, 6, 19))); // Juneteenth
    }
    days.push(observed(ymd(year, 7, 4)));
    days.push(nth_weekday(year, 9, Weekday::Mon, 1)); // Labor Day
    days.push(nth_weekday(year, 11, Weekday::Thu, 4)); // Thanksgiving
    days.push(observed(ymd(year, 12, 25)));
    days.extend(ONE_OFF_CLOSURES.iter().filter(|closure| closure.0 == year).map(|&(y, m, d)| ymd(y, m, d)));
    days
}

fn ymd(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd(year, month, day).expect("Invariant: calendar tables hold real dates")
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Exchange rule 7.2: a Saturday holiday closes the Friday before, a Sunday one the Monday after.
fn observed(date: Date) -> Date {
    match date.weekday() {
        Weekday::Sat => date.plus_days(-1),
        Weekday::Sun => date.plus_days(1),
        _ => date,
    }
}

fn nth_weekday(year: i32, month: u32, weekday: Weekday, nth: i32) -> Date {
    let first = ymd(year, month, 1);
    let ahead = (7 + weekday.num_days_from_monday() as i32 - first.weekday().num_days_from_monday() as i32) % 7;
    first.plus_days(ahead + 7 * (nth - 1))
}

fn last_monday_of_may(year: i32) -> Date {
    let last = ymd(year, 5, 31);
    last.plus_days(-(last.weekday().num_days_from_monday() as i32))
}

/// Easter Sunday of the Gregorian calendar (anonymous algorithm, Meeus ch. 8).
fn easter(year: i32) -> Date {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    ymd(year, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn one_off_closures_are_not_sessions() {
        let calendar = Calendar::new_york();
        for text in [
            "1994-04-27",
            "2001-09-11",
            "2001-09-14",
            "2004-06-11",
            "2007-01-02",
            "2012-10-29",
            "2012-10-30",
            "2018-12-05",
            "2025-01-09",
            "2022-06-20",
            "2021-07-05",
            "2020-07-03",
            "2024-03-29",
            "2010-12-24",
        ] {
            assert!(!calendar.is_session(date(text)), "{text}");
        }
        for text in ["2001-09-10", "2001-09-17", "1997-01-20", "2021-06-18", "2010-12-31", "2021-12-31", "2004-12-31"] {
            assert!(calendar.is_session(date(text)), "{text}");
        }
    }

    #[test]
    fn early_closes_follow_the_published_days() {
        let calendar = Calendar::new_york();
        for text in ["2013-07-03", "2012-07-03", "2002-07-05", "2023-11-24", "2024-12-24", "2025-07-03", "2003-12-26"] {
            assert_eq!(calendar.close(date(text)), Some(Close::EarlyAtOne), "{text}");
        }
        for text in ["2002-07-03", "2022-12-23", "2023-12-22", "2024-07-05", "2015-07-02", "2021-12-23"] {
            assert_eq!(calendar.close(date(text)), Some(Close::Regular), "{text}");
        }
        assert_eq!(calendar.close(date("2024-12-25")), None);
    }

    #[test]
    fn sessions_shift_over_weekends_and_holidays() {
        let calendar = Calendar::new_york();
        assert_eq!(calendar.shift(date("2024-03-28"), 1), Some(date("2024-04-01")));
        assert_eq!(calendar.shift(date("2024-03-30"), 1), Some(date("2024-04-01")));
        assert_eq!(calendar.shift(date("2024-03-30"), -1), Some(date("2024-03-28")));
        assert_eq!(calendar.shift(date("2024-04-01"), 0), Some(date("2024-04-01")));
        assert_eq!(calendar.between(date("2024-03-28"), date("2024-04-01")).len(), 2);
        assert_eq!(calendar.on_or_before(date("2024-03-31")), Some(date("2024-03-28")));
        assert_eq!(calendar.on_or_after(date("2024-03-29")), Some(date("2024-04-01")));
    }
}
