//! A rule-based tax-loss harvester (SPEC T-08, V-04).

use std::collections::BTreeMap;

use lotwise_core::Date;
use lotwise_market::AssetIdx;

use super::super::{AccountView, LotView, Strategy};
use super::fixed::untouched;
use crate::policy::{Decision, EqualWeight, Observation, Policy, PolicyConfig, Weights};
use crate::{Error, ReturnMatrix};

/// When a loss is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HarvestRule {
    /// Least loss of a lot as a fraction of its basis (T-08: 2 % or three times the cost, whichever
    /// is more; stated: 5 %).
    pub least_loss: f64,
    /// Sessions over which likeness of a replacement is measured.
    pub likeness_sessions: usize,
}

impl Default for HarvestRule {
    fn default() -> Self {
        Self { least_loss: 0.05, likeness_sessions: 252 }
    }
}

/// Days that have to lie between a loss and a purchase of the same shares (tax rule 4.1).
const WINDOW_DAYS: i32 = 30;

/// Buys equal weight and holds; sells lots under water by more than the threshold, highest basis
/// first, where no purchase of the last 30 days would wash the loss, and puts the proceeds into the
/// asset that moves most like the one sold and was not itself sold at a loss within 30 days. It
/// never switches back by itself, and does not buy what it sold at a loss for 31 days.
///
/// Needs an account whose lots leave by highest basis.
#[derive(Debug, Clone)]
pub struct Harvester {
    first: EqualWeight,
    rule: HarvestRule,
    begun: bool,
    /// Last day on which a loss was taken in each asset.
    harvested: BTreeMap<AssetIdx, Date>,
}

impl Harvester {
    /// # Errors
    /// [`Error::Setting`] for settings out of range.
    pub fn new(config: PolicyConfig, rule: HarvestRule) -> Result<Self, Error> {
        config.check()?;
        if !(rule.least_loss > 0.0 && rule.least_loss < 1.0) {
            return Err(Error::Setting {
                setting: "least_loss",
                value: rule.least_loss,
                expected: "above 0 and below 1",
            });
        }
        Ok(Self { first: EqualWeight { config }, rule, begun: false, harvested: BTreeMap::new() })
    }

    /// The part of a holding's value in lots that lost enough, if its loss would count.
    fn loss_part(&self, lots: &[LotView], close: f64, date: Date) -> Option<f64> {
        let bought_lately = lots.iter().any(|lot| date.days_since(lot.acquired) <= WINDOW_DAYS);
        if bought_lately {
            return None;
        }
        let (mut part, mut whole) = (0.0, 0.0);
        for lot in lots {
            let shares = lot.shares.to_f64();
            whole += shares;
            if shares * close < lot.basis.to_f64() * (1.0 - self.rule.least_loss) {
                part += shares;
            }
        }
        (part > 0.0).then(|| part / whole)
    }

    fn blocked(&self, asset: AssetIdx, date: Date) -> bool {
        // The purchase happens at the next open, a day or more after the decision.
        self.harvested.get(&asset).is_some_and(|sold| date.days_since(*sold) <= WINDOW_DAYS + 1)
    }
}

impl Strategy for Harvester {
    fn name(&self) -> &str {
        "harvester"
    }

    fn needs_lots(&self) -> bool {
        true
    }

    fn decide(&mut self, observation: &Observation<'_>, account: &AccountView<'_>) -> Result<Decision, Error> {
        if observation.universe.is_empty() {
            return untouched(observation);
        }
        if !self.begun {
            self.begun = true;
            return self.first.decide(observation);
        }
        let date = account.date;
        let mut weights = observation.weights.to_vec();
        let mut sold = Vec::new();
        for (at, &asset) in observation.universe.iter().enumerate() {
            let Some(close) = account.close_of(asset) else { continue };
            if let Some(part) = self.loss_part(account.lots_of(asset), close, date) {
                sold.push((at, part));
            }
        }
        let losers: Vec<usize> = sold.iter().map(|(at, _)| *at).collect();
        for (at, part) in sold {
            let returns = ReturnMatrix::daily(observation.market, observation.universe, self.rule.likeness_sessions);
            let likest = (0..observation.universe.len())
                .filter(|other| !losers.contains(other) && !self.blocked(observation.universe[*other], date))
                .filter(|&other| account.close_of(observation.universe[other]).is_some())
                .filter_map(|other| Some((other, returns.correlation(at, other, 60)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            // Without anything alike the loss is not worth being out of the market.
            let Some((other, _)) = likest else { continue };
            let moved = weights[1 + at] * part;
            weights[1 + at] -= moved;
            weights[1 + other] += moved;
            self.harvested.insert(observation.universe[at], date);
        }
        Ok(Decision { weights: Weights::new(weights)?, notes: Vec::new() })
    }
}
