//! The one clock that ticks.

use std::time::{SystemTime, UNIX_EPOCH};

use lotwise_core::{Clock, Date, Instant};
use lotwise_market::provider::new_york_date;

/// The computer's clock; today is the date in New York.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock {
    /// Another day to take for today, from `LOTWISE_TODAY`, so that a run can be repeated.
    pub today: Option<Date>,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the rest of the house is handed")]
    fn now(&self) -> Instant {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        Instant(millis)
    }

    fn today(&self) -> Date {
        self.today.unwrap_or_else(|| today_at(self.now()))
    }
}

/// A moment as text in UTC: `2024-06-28T20:00:00Z`.
#[must_use]
pub fn timestamp(moment: Instant) -> String {
    chrono::DateTime::from_timestamp_millis(moment.0)
        .map_or_else(|| "unknown".to_owned(), |utc| utc.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The civil date in New York at a moment, held inside 1900–2199.
fn today_at(moment: Instant) -> Date {
    new_york_date(moment).unwrap_or(if moment.0 < 0 { Date::MIN } else { Date::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_new_york() {
        let date = |millis| today_at(Instant(millis)).to_string();
        // 2024-07-01T03:59:59Z and one second later: midnight of daylight time.
        assert_eq!(date(1_719_806_399_000), "2024-06-30");
        assert_eq!(date(1_719_806_400_000), "2024-07-01");
        // 2024-01-01T04:59:59Z and one second later: midnight of standard time.
        assert_eq!(date(1_704_085_199_000), "2023-12-31");
        assert_eq!(date(1_704_085_200_000), "2024-01-01");
        assert_eq!(timestamp(Instant(1_719_806_399_000)), "2024-07-01T03:59:59Z");
        assert_eq!(date(i64::MIN), "1900-01-01");
        assert_eq!(date(i64::MAX), "2199-12-31");
    }
}
