//! Whether prices are recent enough, judged by the provider's time.

use std::time::Duration;

use lotwise_core::{Calendar, Instant};

use super::ProviderError;
use super::new_york::{Exchange, exchange, new_york_date};

/// After the close, quotes go on settling for this long.
const SETTLING: Duration = Duration::from_secs(15 * 60);

/// How recent the prices are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// The last quote is young enough, or nothing has traded since.
    Fresh {
        /// Time since the last quote.
        age: Duration,
    },
    /// Older than wanted, and why nothing newer could be had.
    Stale {
        /// Time since the last quote.
        age: Duration,
        /// Why.
        reason: StaleReason,
    },
}

/// Why nothing newer could be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaleReason {
    /// The network was not to be used.
    Offline,
    /// The provider was asked and failed.
    ProviderFailed(ProviderError),
    /// The provider was asked and has nothing newer itself.
    ProviderIsBehind,
}

/// The times that a judgement needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamps {
    /// The provider's time of its last quote.
    pub(super) quoted_at: Instant,
    /// Our time when the answer came.
    pub(super) fetched_at: Instant,
}

impl Stamps {
    /// The time of the last quote that can be believed: a provider whose clock runs ahead cannot
    /// have quoted after it answered, so its prices do not stay fresh for ever.
    fn believable(self) -> Instant {
        self.quoted_at.min(self.fetched_at)
    }

    /// Time since the last quote.
    pub(super) fn age(self, now: Instant) -> Duration {
        Duration::from_millis(u64::try_from(now.millis_since(self.believable())).unwrap_or(0))
    }

    /// Time since the provider was asked; `None` when our own clock has been set back since.
    pub(super) fn since_fetch(self, now: Instant) -> Option<Duration> {
        u64::try_from(now.millis_since(self.fetched_at)).ok().map(Duration::from_millis)
    }

    /// Whether the last quote is at most `limit` old, or the exchange is closed and the answer holds
    /// the whole last session.
    pub(super) fn fresh(self, now: Instant, limit: Duration, calendar: &Calendar) -> bool {
        if self.fetched_at > now {
            // Our own clock was set back since: nothing can be said, so ask again.
            return false;
        }
        if self.age(now) <= limit {
            return true;
        }
        let Exchange::Closed { last, closed_at } = exchange(calendar, now) else { return false };
        let settled = i64::try_from(SETTLING.as_millis()).unwrap_or(i64::MAX);
        self.fetched_at.millis_since(closed_at) >= settled
            && new_york_date(self.believable()).is_some_and(|quoted| quoted >= last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::new_york::moment;
    use super::*;
    use lotwise_core::Date;

    fn at(day: &str, hour: u32, minute: u32) -> Instant {
        moment(Date::parse(day).unwrap(), hour * 60 + minute).unwrap()
    }

    #[test]
    fn a_quote_is_fresh_for_fifteen_minutes_and_over_a_closed_weekend() {
        let calendar = Calendar::new_york();
        let limit = Duration::from_secs(15 * 60);
        // (quoted, fetched, now, fresh)
        let cases = [
            (at("2026-11-20", 11, 0), at("2026-11-20", 11, 1), at("2026-11-20", 11, 15), true),
            (at("2026-11-20", 11, 0), at("2026-11-20", 11, 14), at("2026-11-20", 11, 16), false),
            // Fetched during trading: after the close the last quarter of an hour is missing.
            (at("2026-11-20", 15, 0), at("2026-11-20", 15, 1), at("2026-11-21", 12, 0), false),
            (at("2026-11-20", 16, 0), at("2026-11-20", 16, 30), at("2026-11-21", 12, 0), true),
            (at("2026-11-20", 16, 0), at("2026-11-21", 10, 0), at("2026-11-23", 9, 29), true),
            (at("2026-11-20", 16, 0), at("2026-11-21", 10, 0), at("2026-11-23", 9, 30), false),
            // A provider that is a day behind is not fresh.
            (at("2026-11-19", 16, 0), at("2026-11-20", 18, 0), at("2026-11-21", 12, 0), false),
            // A provider's clock that runs ahead by a year, judged by when it answered.
            (at("2027-11-19", 11, 0), at("2026-11-20", 11, 0), at("2026-11-20", 11, 10), true),
            (at("2027-11-19", 11, 0), at("2026-11-20", 11, 0), at("2026-11-20", 11, 20), false),
            // Our own clock was set back.
            (at("2026-11-20", 11, 0), at("2026-11-20", 11, 0), at("2026-11-20", 10, 0), false),
        ];
        for (number, (quoted_at, fetched_at, now, fresh)) in cases.into_iter().enumerate() {
            assert_eq!(Stamps { quoted_at, fetched_at }.fresh(now, limit, &calendar), fresh, "case {number}");
        }
    }
}
