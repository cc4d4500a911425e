//! What all rules share: checking the observation, leaving out what cannot be judged, and turning
//! fractions of the invested part into target weights.

use lotwise_market::{AssetIdx, Field};

use super::{Decision, LeftOutReason, Note, Observation, PolicyConfig, Weights};
use crate::returns::usable;
use crate::{Error, ReturnMatrix, capped_simplex};

/// An observation on its way to a decision.
pub(super) struct Frame<'a> {
    observation: &'a Observation<'a>,
    config: &'a PolicyConfig,
    /// Positions in the universe of the assets that the rule judges, by rising asset: sums are
    /// taken in this order, so that the order of the universe cannot move a bit.
    members: Vec<usize>,
    left_out: Vec<(usize, LeftOutReason)>,
}

impl<'a> Frame<'a> {
    /// Checks the observation and leaves out what has no recent price.
    pub fn new(observation: &'a Observation<'a>, config: &'a PolicyConfig) -> Result<Self, Error> {
        config.check()?;
        check(observation)?;
        let mut members: Vec<usize> = (0..observation.universe.len()).collect();
        members.sort_by_key(|&position| observation.universe[position]);
        let mut frame = Self { observation, config, members, left_out: Vec::new() };
        let sessions = observation.market.sessions();
        frame.screen(|asset| {
            let closes = observation.market.column(asset, Field::AdjClose);
            let last = closes.iter().rposition(|&close| usable(close));
            let recent = last.is_some_and(|at| closes.len() - 1 - at <= config.max_stale_sessions);
            (!recent).then(|| LeftOutReason::NoRecentPrice { last: last.map(|at| sessions[at]) })
        });
        Ok(frame)
    }

    /// The assets that the rule judges, rising.
    pub fn assets(&self) -> Vec<AssetIdx> {
        self.members.iter().map(|&position| self.observation.universe[position]).collect()
    }

    /// Leaves out every asset for which `judge` gives a reason.
    pub fn screen(&mut self, judge: impl Fn(AssetIdx) -> Option<LeftOutReason>) {
        let universe = self.observation.universe;
        let left_out = &mut self.left_out;
        self.members.retain(|&position| match judge(universe[position]) {
            Some(reason) => {
                left_out.push((position, reason));
                false
            }
            None => true,
        });
    }

    /// The daily returns of the risk window for the assets that have enough of them and move; the
    /// others are left out.
    pub fn returns(&mut self) -> ReturnMatrix {
        let (market, config) = (self.observation.market, self.config);
        self.screen(|asset| {
            let returns = ReturnMatrix::daily(market, &[asset], config.risk_window_sessions);
            let sessions = returns.n_observed(0);
            if sessions < config.min_returns {
                return Some(LeftOutReason::TooLittleHistory { sessions, needed: config.min_returns });
            }
            let moves = returns.volatility_annual(0).is_some_and(|volatility| volatility > LEAST_VOLATILITY_ANNUAL);
            (!moves).then_some(LeftOutReason::NoMovement)
        });
        ReturnMatrix::daily(market, &self.assets(), config.risk_window_sessions)
    }

    /// As [`Frame::returns`], with enough sessions in which all assets have a return. Where gaps
    /// leave too few, the asset with the fewest returns is left out (of equals the later one in
    /// the panel), until they suffice.
    pub fn joint_returns(&mut self) -> ReturnMatrix {
        let mut returns = self.returns();
        loop {
            let joint = returns.complete_cases();
            if joint.n_sessions() >= self.config.min_returns || self.members.is_empty() {
                return joint;
            }
            let worst = (0..self.members.len())
                .rev()
                .min_by_key(|&at| returns.n_observed(at))
                .expect("Invariant: there is a member");
            let reason =
                LeftOutReason::TooLittleHistory { sessions: joint.n_sessions(), needed: self.config.min_returns };
            self.left_out.push((self.members.remove(worst), reason));
            let rest: Vec<usize> = (0..returns.n_assets()).filter(|&at| at != worst).collect();
            returns = returns.columns(&rest);
        }
    }

    /// The largest fraction of the invested part that one asset may have.
    pub fn cap(&self) -> f64 {
        let invested = self.invested();
        match self.config.max_position {
            Some(max_position) if invested > 0.0 => (max_position / invested).min(1.0),
            _ => 1.0,
        }
    }

    /// Target weights from fractions of the invested part, one for each of [`Frame::assets`],
    /// summing to one.
    pub fn finish(self, fractions: &[f64]) -> Result<Decision, Error> {
        let present = self.observation.weights;
        let mut notes = self.notes();
        if self.members.is_empty() {
            if !self.observation.universe.is_empty() {
                notes.push(Note::NothingJudged);
            }
            return Ok(Decision { weights: Weights::new(present.to_vec())?, notes });
        }
        let invested = self.invested();
        let wanted: Vec<f64> = fractions.iter().map(|fraction| fraction * invested).collect();
        let targets = match self.config.max_position {
            Some(max_position) => capped_simplex(&wanted, invested, max_position),
            None => wanted,
        };
        let mut weights = present.to_vec();
        for (&position, target) in self.members.iter().zip(targets) {
            weights[1 + position] = target;
        }
        // Summed in the panel's order too, for the same bits under any order of the universe.
        let mut order: Vec<usize> = (0..self.observation.universe.len()).collect();
        order.sort_by_key(|&position| self.observation.universe[position]);
        let held: f64 = order.iter().map(|&position| weights[1 + position]).sum();
        weights[0] = (1.0 - held).max(0.0);
        let cash = weights[0];
        match self.config.max_position {
            Some(max_position) if cash > self.config.cash_target + 1e-9 => {
                notes.push(Note::CapLeavesCash { max_position, cash });
            }
            _ if cash < self.config.cash_target - 1e-9 => {
                notes.push(Note::CashBelowTarget { wanted: self.config.cash_target, cash });
            }
            _ => {}
        }
        Ok(Decision { weights: Weights::new(weights)?, notes })
    }

    /// The fraction of the account's value that the rule divides.
    fn invested(&self) -> f64 {
        let mut kept: Vec<usize> = self.left_out.iter().map(|(position, _)| *position).collect();
        kept.sort_by_key(|&position| self.observation.universe[position]);
        let kept: f64 = kept.iter().map(|&position| self.observation.weights[1 + position]).sum();
        (1.0 - self.config.cash_target - kept).max(0.0)
    }

    fn notes(&self) -> Vec<Note> {
        let mut left_out = self.left_out.clone();
        left_out.sort_by_key(|&(position, _)| self.observation.universe[position]);
        let mut notes = Vec::new();
        for (position, reason) in left_out {
            let symbol = self.observation.market.symbols()[self.observation.universe[position].0].clone();
            let weight = self.observation.weights[1 + position];
            notes.push(Note::LeftOut { symbol: symbol.clone(), weight, reason });
            if let Some(max_position) = self.config.max_position.filter(|&cap| weight > cap) {
                notes.push(Note::KeptAboveCap { symbol, weight, max_position });
            }
        }
        notes
    }
}

/// Below this an asset counts as one that does not move: rounding alone moves a price that much.
const LEAST_VOLATILITY_ANNUAL: f64 = 1e-6;

fn check(observation: &Observation<'_>) -> Result<(), Error> {
    let universe = observation.universe;
    if observation.weights.len() != universe.len() + 1 {
        return Err(Error::WeightCount { assets: universe.len(), weights: observation.weights.len() });
    }
    let symbols = observation.market.symbols();
    if let Some(asset) = universe.iter().find(|asset| asset.0 >= symbols.len()) {
        return Err(Error::UnknownAsset { asset: asset.0, assets: symbols.len() });
    }
    let mut sorted = universe.to_vec();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::AssetTwice { symbol: symbols[pair[0].0].clone() });
    }
    Weights::new(observation.weights.to_vec()).map(|_| ())
}
