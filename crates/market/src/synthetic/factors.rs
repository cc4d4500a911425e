//! What moves all symbols together: the regime chain, the market factor and the sector factors.

use lotwise_core::{Regime, Seed};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardUniform, StudentT};

use super::{MarketConfig, Predictability, SyntheticError};

/// Trading sessions in a year, for turning yearly figures into daily ones.
pub(super) const SESSIONS_PER_YEAR: f64 = 252.0;
/// Largest daily move of each factor; cutting both tails alike keeps the mean at zero, and together
/// with the other limits keeps every return above −95 %.
const LARGEST_MARKET_MOVE: f64 = 0.12;
const LARGEST_SECTOR_MOVE: f64 = 0.06;

/// Draws Student-t shocks with variance one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shocks {
    law: StudentT<f64>,
    scale: f64,
}

impl Shocks {
    pub(super) fn new(freedom: f64) -> Result<Self, SyntheticError> {
        let law = StudentT::new(freedom)
            .map_err(|_| SyntheticError::new("tail_freedom", freedom, "a finite number above 2"))?;
        Ok(Self { law, scale: ((freedom - 2.0) / freedom).sqrt() })
    }

    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        self.law.sample(random) * self.scale
    }
}

/// The factors of one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct FactorStep {
    pub(super) regime: Regime,
    /// Market factor without drift.
    pub(super) market: f64,
    pub(super) sectors: [f64; 11],
    pub(super) market_vol: f64,
    pub(super) sector_vol: f64,
}

/// The running state of everything shared.
pub(super) struct Factors<'a> {
    config: &'a MarketConfig,
    shocks: Shocks,
    regime: Regime,
    regime_random: ChaCha8Rng,
    market_random: ChaCha8Rng,
    sector_random: ChaCha8Rng,
    calm_vol: f64,
}

impl<'a> Factors<'a> {
    pub(super) fn new(config: &'a MarketConfig, shocks: Shocks, seed: Seed) -> Self {
        let mut regime_random = seed.stream("regime", 0);
        // Long-run shares of a regime chain: visits weighted by dwell, found by walking the chain.
        let mut shares = [0.25; 4];
        for _ in 0..10_000 {
            shares = std::array::from_fn(|to| (0..4).map(|from| shares[from] * transition(config, from, to)).sum());
        }
        let regime = pick(&shares, &mut regime_random);
        let calm_vol = config.regimes.iter().map(|regime| regime.market_vol_annual).fold(f64::INFINITY, f64::min);
        Self {
            config,
            shocks,
            regime,
            regime_random,
            market_random: seed.stream("market", 0),
            sector_random: seed.stream("sector", 0),
            calm_vol,
        }
    }

    /// The factors of the next session; the first call is the first session.
    pub(super) fn step(&mut self, first: bool) -> FactorStep {
        if !first {
            let row: [f64; 4] = std::array::from_fn(|to| transition(self.config, self.regime as usize, to));
            self.regime = pick(&row, &mut self.regime_random);
        }
        let vol_annual = self.config.regimes[self.regime as usize].market_vol_annual;
        let market_vol = vol_annual / SESSIONS_PER_YEAR.sqrt();
        let stress = if self.calm_vol > 0.0 { (vol_annual / self.calm_vol).sqrt() } else { 1.0 };
        let sector_vol = self.config.sector_vol_annual * stress / SESSIONS_PER_YEAR.sqrt();
        let market = limited(market_vol * self.shocks.draw(&mut self.market_random), LARGEST_MARKET_MOVE);
        let sectors = std::array::from_fn(|_| {
            limited(sector_vol * self.shocks.draw(&mut self.sector_random), LARGEST_SECTOR_MOVE)
        });
        FactorStep { regime: self.regime, market, sectors, market_vol, sector_vol }
    }
}

/// Market drift of a session in `regime`, a fraction a session.
pub(super) fn regime_drift(config: &MarketConfig, regime: Regime) -> f64 {
    match &config.predictability {
        Predictability::None => 0.0,
        Predictability::Planted { regime_drift_annual, .. } => regime_drift_annual[regime as usize] / SESSIONS_PER_YEAR,
    }
}

/// Market drift expected of the session after one in `regime`, a fraction a session.
pub(super) fn expected_drift_after(config: &MarketConfig, regime: Regime) -> f64 {
    Regime::ALL
        .into_iter()
        .map(|next| transition(config, regime as usize, next as usize) * regime_drift(config, next))
        .sum()
}

/// Cuts both tails at the same distance from zero.
pub(super) fn limited(shock: f64, largest: f64) -> f64 {
    shock.clamp(-largest, largest)
}

/// Probability that a session in regime `from` is followed by one in regime `to`.
fn transition(config: &MarketConfig, from: usize, to: usize) -> f64 {
    let leave = 1.0 / config.regimes[from].mean_dwell_sessions;
    if from == to { 1.0 - leave } else { leave * config.exits[from][to] }
}

fn pick(shares: &[f64; 4], random: &mut ChaCha8Rng) -> Regime {
    let draw: f64 = StandardUniform.sample(random);
    let mut below = 0.0;
    for regime in Regime::ALL {
        below += shares[regime as usize];
        if draw < below {
            return regime;
        }
    }
    Regime::Sideways
}
