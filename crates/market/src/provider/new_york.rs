//! Moments as the exchange's clock shows them.

use chrono::{Datelike, NaiveTime, TimeZone};
use lotwise_core::{Calendar, Date, Instant};

const OPEN_MINUTE: u32 = 9 * 60 + 30;

/// The civil date in New York; `None` outside 1900–2199.
#[must_use]
pub fn new_york_date(moment: Instant) -> Option<Date> {
    let local = chrono_tz::America::New_York.timestamp_millis_opt(moment.0).single()?;
    Date::from_ymd(local.year(), local.month(), local.day())
}

/// The moment of a minute after midnight, New York time.
pub(super) fn moment(date: Date, minute_of_day: u32) -> Option<Instant> {
    let day = chrono::NaiveDate::from_ymd_opt(date.year(), date.month(), date.day())?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(minute_of_day * 60, 0)?;
    let local = chrono_tz::America::New_York.from_local_datetime(&day.and_time(time)).earliest()?;
    Some(Instant(local.timestamp_millis()))
}

/// Where a moment stands between sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchange {
    /// Trading goes on.
    Open,
    /// Nothing trades; the last session and the moment it ended.
    Closed {
        /// The last session that has ended.
        last: Date,
        /// When it ended.
        closed_at: Instant,
    },
    /// Outside the calendar's years.
    Unknown,
}

/// Whether regular trading goes on at a moment.
pub(super) fn exchange(calendar: &Calendar, now: Instant) -> Exchange {
    let Some(today) = new_york_date(now) else { return Exchange::Unknown };
    let mut day = calendar.on_or_before(today);
    while let Some(session) = day {
        let hours = calendar
            .close(session)
            .and_then(|close| Some((moment(session, OPEN_MINUTE)?, moment(session, close.minute_of_day())?)));
        match hours {
            None => return Exchange::Unknown,
            Some((_, closed_at)) if closed_at <= now => return Exchange::Closed { last: session, closed_at },
            Some((opened_at, _)) if opened_at <= now => return Exchange::Open,
            Some(_) => day = calendar.shift(session, -1),
        }
    }
    Exchange::Unknown
}

/// The moment a session ends.
pub(super) fn close_of(calendar: &Calendar, date: Date) -> Option<Instant> {
    moment(date, calendar.close(date)?.minute_of_day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn the_exchange_opens_and_closes_by_its_calendar() {
        let calendar = Calendar::new_york();
        let at = |day: &str, minute| exchange(&calendar, moment(date(day), minute).unwrap());
        let ended = |day: &str| match at(day, 23 * 60) {
            Exchange::Closed { last, .. } => last.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(at("2026-11-20", 9 * 60 + 30), Exchange::Open);
        assert_eq!(at("2026-11-20", 15 * 60 + 59), Exchange::Open);
        assert_eq!(ended("2026-11-20"), "2026-11-20");
        assert_eq!(ended("2026-11-21"), "2026-11-20", "Saturday");
        assert!(matches!(at("2026-11-23", 9 * 60), Exchange::Closed { last, .. } if last == date("2026-11-20")));
        assert!(matches!(at("2026-11-27", 13 * 60), Exchange::Closed { last, .. } if last == date("2026-11-27")));
        assert_eq!(at("2026-11-27", 12 * 60 + 59), Exchange::Open, "the day after Thanksgiving ends at one");
        assert_eq!(exchange(&calendar, Instant(i64::MAX)), Exchange::Unknown);
    }

    #[test]
    fn summer_and_winter_time_are_told_apart() {
        assert_eq!(moment(date("2024-07-01"), 0), Some(Instant(1_719_806_400_000)));
        assert_eq!(moment(date("2024-01-01"), 0), Some(Instant(1_704_085_200_000)));
        assert_eq!(new_york_date(Instant(1_704_085_199_000)), Some(date("2023-12-31")));
    }
}
