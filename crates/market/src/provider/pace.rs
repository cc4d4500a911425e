//! Waiting: how long between two requests and how long after a failure.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lotwise_core::{Seed, Symbol};
use rand_distr::{Distribution, StandardUniform};

/// A stopwatch that can also wait; tests use one that jumps.
pub trait Pace: Send + Sync {
    /// Time since some fixed moment; never runs backwards.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn sleep(&self, wait: Duration);
}

/// Waits in earnest.
#[derive(Debug, Clone, Copy)]
pub struct RealPace {
    started: std::time::Instant,
}

impl RealPace {
    /// A stopwatch that starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the network layer spaces its own requests")]
    pub fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Pace for RealPace {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, wait: Duration) {
        std::thread::sleep(wait);
    }
}

/// Keeps requests apart, whoever makes them.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    next: Mutex<Duration>,
}

impl RateLimit {
    /// Waits until the next request may start and books it.
    pub(super) fn take_turn(&self, pace: &dyn Pace, between: Duration) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(pace.elapsed());
            *next = turn + between;
            turn
        };
        let now = pace.elapsed();
        if turn > now {
            pace.sleep(turn - now);
        }
    }

    /// Lets nobody start before `wait` from now: a provider that refuses one symbol refuses all.
    pub(super) fn hold(&self, pace: &dyn Pace, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(pace.elapsed() + wait);
    }
}

/// The wait after failed attempt number `attempt` (from 1): doubled each time, held at `longest`,
/// and shortened by up to a half so that many clients do not come back together. The same seed,
/// symbol and attempt wait equally long.
pub(super) fn back_off(seed: Seed, symbol: &Symbol, attempt: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let draw: f64 = StandardUniform.sample(&mut seed.child("back-off", 0).stream(symbol.as_str(), u64::from(attempt)));
    doubled.min(longest).mul_f64(0.5 + 0.5 * draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_stay_bounded_and_repeat() {
        let symbol = Symbol::parse("AAA").unwrap();
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(20));
        let wait = |seed, attempt| back_off(Seed::new(seed), &symbol, attempt, first, longest);
        for attempt in 1..40 {
            let full = first.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(longest);
            assert!(wait(1, attempt) <= full && wait(1, attempt) >= full / 2, "attempt {attempt}");
            assert_eq!(wait(1, attempt), wait(1, attempt));
        }
        assert_ne!(wait(1, 1), wait(2, 1));
    }
}
