//! A little more of what has risen.

use lotwise_market::{AsOf, AssetIdx, Field};

use super::frame::Frame;
use super::{Decision, LeftOutReason, Observation, Policy, PolicyConfig};
use crate::Error;
use crate::returns::usable;

/// Tilts equal weight by the rank of 12–1 momentum.
///
/// With the rank `p_i` from 0 (weakest) to 1 (strongest), equal values sharing their mean rank, the
/// weight is `(1 + tilt · (2 p_i − 1)) / n`: at the stated tilt of 0.5 the strongest gets one and a
/// half times equal weight and the weakest half of it. Ranks and not returns, so that one wild
/// asset cannot take the portfolio: C. Asness, T. Moskowitz and L. Pedersen, "Value and Momentum
/// Everywhere", Journal of Finance 68(3), 2013; momentum after N. Jegadeesh and S. Titman, Journal
/// of Finance 48(1), 1993.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentumTilt {
    /// Span, tilt, cash and limits.
    pub config: PolicyConfig,
}

impl Policy for MomentumTilt {
    fn name(&self) -> &'static str {
        "momentum-tilt"
    }

    fn describe(&self) -> &'static str {
        "Starts from equal weight and gives more to assets that rose most over twelve months, leaving out the \
         last one, and less to those that rose least. A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        frame.screen(|asset| {
            if momentum(observation.market, asset, &self.config).is_some() {
                return None;
            }
            let span = self.config.momentum_lookback_sessions + 1;
            let closes = observation.market.column(asset, Field::AdjClose);
            let start = closes.len().saturating_sub(span);
            let sessions = closes[start..].iter().filter(|&&close| usable(close)).count();
            Some(LeftOutReason::TooLittleHistory { sessions, needed: span })
        });
        let momenta: Vec<f64> = frame
            .assets()
            .into_iter()
            .map(|asset| {
                momentum(observation.market, asset, &self.config).expect("Invariant: the others were left out")
            })
            .collect();
        let n_assets = momenta.len() as f64;
        let fractions: Vec<f64> = ranks(&momenta)
            .iter()
            .map(|rank| (1.0 + self.config.momentum_tilt * (2.0 * rank - 1.0)) / n_assets)
            .collect();
        frame.finish(&fractions)
    }
}

/// Total return from `momentum_lookback_sessions` to `momentum_skip_sessions` before the last
/// visible session, as a fraction. An end without a bar takes the last one before it that is at
/// most `max_stale_sessions` older; `None` where there is none.
#[must_use]
pub fn momentum(market: AsOf<'_>, asset: AssetIdx, config: &PolicyConfig) -> Option<f64> {
    let closes = market.column(asset, Field::AdjClose);
    let close_before_end = |sessions: usize| {
        let at = closes.len().checked_sub(sessions + 1)?;
        let oldest = at.saturating_sub(config.max_stale_sessions);
        closes[oldest..=at].iter().rev().copied().find(|&close| usable(close))
    };
    let ret =
        close_before_end(config.momentum_skip_sessions)? / close_before_end(config.momentum_lookback_sessions)? - 1.0;
    ret.is_finite().then_some(ret)
}

/// Ranks from 0 to 1, equal values sharing their mean rank; ½ for a single value.
fn ranks(values: &[f64]) -> Vec<f64> {
    if values.len() == 1 {
        return vec![0.5];
    }
    let steps = values.len().saturating_sub(1) as f64;
    values
        .iter()
        .map(|value| {
            let below = values.iter().filter(|other| *other < value).count() as f64;
            let equal = values.iter().filter(|other| *other == value).count() as f64;
            (below + (equal - 1.0) / 2.0) / steps
        })
        .collect()
}
