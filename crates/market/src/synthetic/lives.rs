//! Listings that begin and end within the market.

use lotwise_core::Seed;
use rand_distr::{Distribution, Open01};

use super::LifeConfig;
use super::factors::SESSIONS_PER_YEAR;

/// One listing in three ends in failure, the others in a purchase of the company. The numbers below
/// weigh each other up: over both reasons, what a holder gets is on average what was paid, so that
/// an ending cannot be foretold and foretells nothing (SPEC V-10).
const FAILURE_SHARE: f64 = 1.0 / 3.0;
/// Jump before the last open when the company fails, and what the shares lose after the last close,
/// on average 40 %.
const FAILURE_JUMP: f64 = -0.5;
const FAILURE_LOSS_AFTER: (f64, f64) = (-0.6, -0.2);
/// Jump before the last open when the company is bought; the price is paid in cash after the close.
const PREMIUM: f64 = 0.35;

/// Why a listing ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The company is bought for cash.
    Acquired,
    /// The company fails; the shares lose more once they no longer trade.
    Failed,
}

/// Where a listing stands in the market's sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Life {
    /// First session with a bar.
    pub first: usize,
    /// The end, if it falls within reach of the market.
    pub end: Option<End>,
}

/// The end of a listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct End {
    /// Last session with a bar.
    pub last: usize,
    pub reason: EndReason,
    /// Return from the last close to what is paid out, a fraction.
    pub ret_after: f64,
}

impl End {
    /// Jump before the open of the last session, a fraction.
    pub fn jump(&self) -> f64 {
        match self.reason {
            EndReason::Acquired => PREMIUM,
            EndReason::Failed => FAILURE_JUMP,
        }
    }
}

impl Life {
    /// A symbol's life; it depends on the symbol's own seed alone, so that a longer market leaves what
    /// came before as it was.
    pub fn draw(config: Option<LifeConfig>, own: Seed) -> Self {
        let Some(config) = config else { return Self { first: 0, end: None } };
        let mut random = own.stream("life", 0);
        let mut uniform = || -> f64 { Open01.sample(&mut random) };
        let (late, place, chance, reason, loss) = (uniform(), uniform(), uniform(), uniform(), uniform());
        let first = match late < config.late_share {
            true => 1 + (place * (config.listing_window_sessions - 1) as f64) as usize,
            false => 0,
        };
        let hazard = config.end_rate_annual / SESSIONS_PER_YEAR;
        // The waiting time of a constant hazard.
        let waits = chance.ln() / (1.0 - hazard).ln();
        if hazard <= 0.0 || waits > 1e9 {
            return Self { first, end: None };
        }
        let (reason, ret_after) = if reason < FAILURE_SHARE {
            let (low, high) = FAILURE_LOSS_AFTER;
            (EndReason::Failed, low + (high - low) * loss)
        } else {
            (EndReason::Acquired, 0.0)
        };
        Self { first, end: Some(End { last: first + config.min_sessions + waits as usize, reason, ret_after }) }
    }

    /// The sessions with a bar, of a market with `n_sessions`.
    pub fn sessions(&self, n_sessions: usize) -> std::ops::Range<usize> {
        let after = self.end.map_or(n_sessions, |end| (end.last + 1).min(n_sessions));
        self.first.min(n_sessions)..after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_worth_what_was_paid_on_average() {
        let (low, high) = FAILURE_LOSS_AFTER;
        let failed = (1.0 + FAILURE_JUMP) * (1.0 + (low + high) / 2.0) - 1.0;
        assert!((FAILURE_SHARE * failed + (1.0 - FAILURE_SHARE) * PREMIUM).abs() < 1e-12);
    }
}
