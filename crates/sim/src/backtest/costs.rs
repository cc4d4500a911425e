//! What a trade costs (SPEC E-10).

use lotwise_core::{Money, Rate};
use lotwise_market::{Field, SessionIdx};

use super::config::Costs;
use super::market::BacktestMarket;
use crate::returns::usable;

/// Daily returns from which an asset's volatility is taken.
const VOLATILITY_SESSIONS: usize = 21;
/// Sessions over which the amount traded is averaged.
const VOLUME_SESSIONS: usize = 20;
/// No trade costs more than this fraction of it: past half the impact formula means nothing.
const LARGEST_FRACTION: f64 = 0.5;

/// Costs at the open after a decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct CostModel {
    costs: Costs,
    flat: Rate,
}

impl CostModel {
    pub fn new(costs: Costs) -> Self {
        Self { costs, flat: rate(costs.basis_points / 1e4) }
    }

    /// Cost of a trade of about `amount` dollars as a fraction of it, from what was known at the
    /// close of `decision`.
    pub fn fraction(&self, market: &BacktestMarket<'_>, at: usize, decision: usize, amount: f64) -> f64 {
        let flat = self.costs.basis_points / 1e4;
        let Some(impact) = self.costs.impact else { return flat };
        let view = market.panel().at(SessionIdx(decision));
        let asset = market.assets()[at];
        let (closes, adjusted) = (view.column(asset, Field::Close), view.column(asset, Field::AdjClose));
        let volumes = view.column(asset, Field::Volume);
        let start = closes.len().saturating_sub(VOLUME_SESSIONS);
        let traded: Vec<f64> = (start..closes.len())
            .filter(|&session| usable(closes[session]) && volumes[session].is_finite())
            .map(|session| closes[session] * volumes[session])
            .collect();
        let average = traded.iter().sum::<f64>() / traded.len().max(1) as f64;
        let start = adjusted.len().saturating_sub(VOLATILITY_SESSIONS + 1);
        let returns: Vec<f64> = adjusted[start..]
            .windows(2)
            .filter(|pair| usable(pair[0]) && usable(pair[1]))
            .map(|pair| pair[1] / pair[0] - 1.0)
            .collect();
        let count = returns.len() as f64;
        if count < 2.0 || average <= 0.0 {
            return flat.min(LARGEST_FRACTION);
        }
        let mean = returns.iter().sum::<f64>() / count;
        let variance = returns.iter().map(|ret| (ret - mean) * (ret - mean)).sum::<f64>() / (count - 1.0);
        (flat + impact.coefficient * variance.sqrt() * (amount / average).sqrt()).min(LARGEST_FRACTION)
    }

    /// The fee on an exact amount.
    pub fn fee(&self, amount: Money, fraction: f64) -> Money {
        if self.costs.impact.is_none() { amount * self.flat } else { amount * rate(fraction) }
    }
}

fn rate(fraction: f64) -> Rate {
    Rate::from_billionths((fraction * 1e9).round() as i128)
}
