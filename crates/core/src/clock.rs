//! Time is an argument. The binary owns the only clock that ticks.

use crate::Date;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// Milliseconds from `earlier` to this moment.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where "now" and "today" come from.
pub trait Clock {
    /// The present moment.
    fn now(&self) -> Instant;
    /// Today's date in New York.
    fn today(&self) -> Date;
}

/// A clock that stands still, for tests and replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock {
    /// What [`Clock::now`] answers.
    pub now: Instant,
    /// What [`Clock::today`] answers.
    pub today: Date,
}

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        self.now
    }

    fn today(&self) -> Date {
        self.today
    }
}
