//! What an environment remembers for its rewards.

use super::RewardConfig;
use super::config::SharpeConfig;
use crate::SESSIONS_PER_YEAR;
use crate::execution::lane_sum;

/// Net returns in the rolling Sharpe ratio (SPEC E-16).
pub const SHARPE_WINDOW: usize = 30;

/// The memory of one episode: fixed in size, so that thousands stand in an array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewardState {
    /// The last net returns, a ring.
    window: [f64; SHARPE_WINDOW],
    /// Steps since the start; the ring's next place is its remainder.
    steps: u32,
    /// Steps in a row without a trade.
    idle_steps: u32,
    /// Value over value at the start.
    wealth: f64,
    /// Highest `wealth`.
    peak: f64,
    /// First and second moment of Moody and Saffell.
    moments: [f64; 2],
    /// Φ of the state that the next decision sees.
    pub(super) potential: f64,
    /// Discounted sum of past rewards, which [`super::RewardNormalizer`] watches.
    discounted: f64,
}

impl RewardState {
    /// The start of an episode whose potential of cash is `potential` ([`RewardConfig::potential`]).
    #[must_use]
    pub fn new(config: &RewardConfig, potential: f64) -> Self {
        Self {
            window: [0.0; SHARPE_WINDOW],
            steps: 0,
            idle_steps: 0,
            wealth: 1.0,
            peak: 1.0,
            moments: [0.0, config.sharpe.prior_vol_daily * config.sharpe.prior_vol_daily],
            potential,
            discounted: 0.0,
        }
    }

    /// Forgets everything but what a new episode starts with.
    pub fn reset(&mut self, config: &RewardConfig, potential: f64) {
        *self = Self::new(config, potential);
    }

    /// Steps since the start of the episode.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Steps in a row without a trade, up to now.
    #[must_use]
    pub fn idle_steps(&self) -> u32 {
        self.idle_steps
    }

    /// Loss from the highest value, a fraction from 0 to 1.
    #[must_use]
    pub fn drawdown(&self) -> f64 {
        (1.0 - self.wealth / self.peak).clamp(0.0, 1.0)
    }

    /// The discounted sum of the episode's rewards so far.
    #[must_use]
    pub fn discounted_return(&self) -> f64 {
        self.discounted
    }

    /// Mean of the returns in the window; 0 before the first.
    #[must_use]
    pub fn mean_ret(&self) -> f64 {
        let returns = self.returns();
        lane_sum(returns, |ret| ret) / returns.len().max(1) as f64
    }

    /// Annualised Sharpe ratio of the returns in the window, with one degree of freedom lost to the
    /// mean, not yet limited; 0 with fewer than two returns or where they do not differ.
    #[must_use]
    pub fn rolling_sharpe(&self) -> f64 {
        let returns = self.returns();
        let mean = self.mean_ret();
        let squares = lane_sum(returns, |ret| (ret - mean) * (ret - mean));
        // Rounding leaves a trace of variance in a constant row.
        if returns.len() < 2 || squares <= 1e-24 {
            return 0.0;
        }
        mean / (squares / (returns.len() - 1) as f64).sqrt() * SESSIONS_PER_YEAR.sqrt()
    }

    /// Takes in the step's return and whether it traded; gives what the step added to the Sharpe ratio.
    pub(super) fn advance(&mut self, config: SharpeConfig, ret: f64, traded: bool) -> f64 {
        self.window[self.steps as usize % SHARPE_WINDOW] = ret;
        self.steps += 1;
        self.idle_steps = if traded { 0 } else { self.idle_steps + 1 };
        self.wealth *= 1.0 + ret;
        self.peak = self.peak.max(self.wealth);
        self.differential_sharpe(config, ret)
    }

    /// Adds a reward to the discounted sum.
    pub(super) fn earn(&mut self, discount: f64, reward: f64) {
        self.discounted = self.discounted * discount + reward;
    }

    /// `decay * D_t` of Moody and Saffell, "Learning to trade via direct reinforcement" (2001), eq. 14:
    /// `D = (B ΔA − A ΔB / 2) / (B − A²)^(3/2)` with the moments before the return.
    fn differential_sharpe(&mut self, config: SharpeConfig, ret: f64) -> f64 {
        let [first, second] = self.moments;
        let (first_change, second_change) = (ret - first, ret * ret - second);
        let least = config.least_vol_daily * config.least_vol_daily;
        let variance = (second - first * first).max(least);
        let derivative =
            ((variance + first * first) * first_change - 0.5 * first * second_change) / (variance * variance.sqrt());
        self.moments = [first + config.decay * first_change, second + config.decay * second_change];
        config.scale * config.decay * derivative.clamp(-config.limit, config.limit)
    }

    fn returns(&self) -> &[f64] {
        &self.window[..(self.steps as usize).min(SHARPE_WINDOW)]
    }
}
