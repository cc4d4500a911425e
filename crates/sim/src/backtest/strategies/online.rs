//! The rules of online portfolio selection as strategies.

use lotwise_market::{AssetIdx, Field};

use super::super::{AccountView, Strategy};
use super::fixed::untouched;
use crate::Error;
use crate::online::{
    ConstantRebalanced, ExponentiatedGradient, MovingAverageReversion, OnlineNewtonStep, OnlineRule,
    PassiveAggressiveMeanReversion,
};
use crate::policy::{Decision, Observation, Weights};
use crate::returns::usable;

/// Which rule, with the parameters of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlineKind {
    /// Equal weight restored.
    Ucrp,
    /// Exponentiated gradient, learning rate 0.05.
    Eg,
    /// Online Newton step, β 1 and δ 1/8.
    Ons,
    /// Passive-aggressive mean reversion, threshold 0.5.
    Pamr,
    /// Moving-average reversion, window 5 and threshold 10.
    Olmar,
}

/// Past sessions from which a rule learns again when its assets change.
const RELEARNED: usize = 252;
/// The Newton step solves a programme of this many assets every session; more take too long.
const MOST_FOR_NEWTON: usize = 100;

/// A rule that learns from the closes of every session since the start of the run. When an asset
/// comes or goes, it begins anew and learns the past year first.
pub struct OnlineStrategy {
    kind: OnlineKind,
    rule: Option<Box<dyn OnlineRule + Send>>,
    universe: Vec<AssetIdx>,
    /// Sessions learned so far, counted from the beginning of the panel.
    learned: usize,
}

impl OnlineStrategy {
    /// A rule that has seen nothing.
    #[must_use]
    pub fn new(kind: OnlineKind) -> Self {
        Self { kind, rule: None, universe: Vec::new(), learned: 0 }
    }

    fn begin(&self, n_assets: usize) -> Result<Box<dyn OnlineRule + Send>, Error> {
        Ok(match self.kind {
            OnlineKind::Ucrp => Box::new(ConstantRebalanced::uniform(n_assets)),
            OnlineKind::Eg => Box::new(ExponentiatedGradient::new(n_assets, 0.05)),
            OnlineKind::Ons if n_assets > MOST_FOR_NEWTON => {
                return Err(Error::NotAvailable { name: "ons", reason: "it takes at most 100 assets" });
            }
            OnlineKind::Ons => Box::new(OnlineNewtonStep::new(n_assets, 1.0, 0.125)),
            OnlineKind::Pamr => Box::new(PassiveAggressiveMeanReversion::new(n_assets, 0.5)),
            OnlineKind::Olmar => Box::new(MovingAverageReversion::new(n_assets, 5, 10.0)),
        })
    }
}

impl Strategy for OnlineStrategy {
    fn name(&self) -> &str {
        match self.kind {
            OnlineKind::Ucrp => "ucrp",
            OnlineKind::Eg => "eg",
            OnlineKind::Ons => "ons",
            OnlineKind::Pamr => "pamr",
            OnlineKind::Olmar => "olmar",
        }
    }

    fn decide(&mut self, observation: &Observation<'_>, _: &AccountView<'_>) -> Result<Decision, Error> {
        if observation.universe.is_empty() {
            return untouched(observation);
        }
        let end = observation.market.end().0;
        if self.universe != observation.universe || self.rule.is_none() {
            let changed = self.rule.is_some();
            self.rule = Some(self.begin(observation.universe.len())?);
            self.universe = observation.universe.to_vec();
            self.learned = if changed { end.saturating_sub(RELEARNED) } else { end };
        }
        let columns: Vec<&[f64]> =
            self.universe.iter().map(|&asset| observation.market.column(asset, Field::AdjClose)).collect();
        let rule = self.rule.as_mut().expect("Invariant: the rule was made above");
        let mut relatives = vec![1.0; columns.len()];
        for session in self.learned + 1..=end {
            for (relative, closes) in relatives.iter_mut().zip(&columns) {
                // A session without a bar is one in which nothing moved.
                let both = usable(closes[session]) && usable(closes[session - 1]);
                *relative = if both { closes[session] / closes[session - 1] } else { 1.0 };
            }
            rule.learn(&relatives);
        }
        self.learned = end;
        let weights = std::iter::once(0.0).chain(rule.weights().iter().copied()).collect();
        Ok(Decision { weights: Weights::new(weights)?, notes: Vec::new() })
    }
}
