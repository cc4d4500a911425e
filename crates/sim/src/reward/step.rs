//! From what a step did to what it was worth: equations (10) to (13).

use lotwise_core::Objective;

use super::{ConcentrationRule, Reward, RewardConfig, RewardFamily, RewardState, StaleRule, StepFacts, TaxEventRule};

/// ρ of E-15: the part of what sales brought that purchases took up, from 0 to 1; 0 without sales.
#[must_use]
pub fn redeployed_fraction(sold: f64, bought: f64) -> f64 {
    if sold > 0.0 { (bought / sold).min(1.0) } else { 0.0 }
}

/// τ̃ of equation (12): turnover less what was redeployed, over `value`; a complete round trip nets
/// to 0. 0 for an empty account.
#[must_use]
pub fn net_turnover(sold: f64, bought: f64, value: f64) -> f64 {
    let redeployed = (sold + bought.min(sold)) * redeployed_fraction(sold, bought);
    if value > 0.0 { ((sold + bought - redeployed) / value).max(0.0) } else { 0.0 }
}

/// κ of E-17: from 1 at the start of a stage to 0 after its first fifth; `progress` runs from 0 to 1.
#[must_use]
pub fn symmetry_weight(progress: f64) -> f64 {
    (1.0 - 5.0 * progress).clamp(0.0, 1.0)
}

/// The sums over the weights that the reward needs, from one walk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concentration {
    /// H_eq of equation (13): sum of squared equity weights, renormalised; 0 without any.
    pub herfindahl: f64,
    /// H*: the same of equal weights of the active names; 0 without any.
    pub equal_weight: f64,
    /// Standard deviation of the weights as they are, over all names.
    pub spread: f64,
}

impl Concentration {
    /// Of the assets' fractions of value, `[N]`.
    #[must_use]
    pub fn of(asset_weights: &[f64], active_weight: f64) -> Self {
        // Four sums side by side: one alone would wait for each addition to finish.
        let (mut sums, mut squares, mut actives) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        let mut add = |lane: usize, weight: f64| {
            sums[lane] += weight;
            squares[lane] += weight * weight;
            actives[lane] += if weight > active_weight { 1.0 } else { 0.0 };
        };
        let quads = asset_weights.chunks_exact(4);
        quads.remainder().iter().enumerate().for_each(|(lane, &weight)| add(lane, weight));
        for quad in quads {
            (0..4).for_each(|lane| add(lane, quad[lane]));
        }
        let [sum, squares, active] = [sums, squares, actives].map(|lanes| lanes.iter().sum::<f64>());
        let count = asset_weights.len().max(1) as f64;
        let mean = sum / count;
        Self {
            herfindahl: if sum > 0.0 { squares / (sum * sum) } else { 0.0 },
            equal_weight: if active > 0.0 { 1.0 / active } else { 0.0 },
            spread: (squares / count - mean * mean).max(0.0).sqrt(),
        }
    }

    /// conc of E-13.
    #[must_use]
    pub fn penalty(&self, rule: ConcentrationRule) -> f64 {
        match rule {
            ConcentrationRule::Literal => self.herfindahl,
            // Without an active name there is nothing that could be spread better.
            ConcentrationRule::Excess if self.equal_weight <= 0.0 => 0.0,
            ConcentrationRule::Excess => (self.herfindahl - self.equal_weight).max(0.0),
        }
    }
}

impl RewardConfig {
    /// Φ of E-17: what a state is worth for the cash it holds above the free part.
    #[must_use]
    pub fn potential(&self, objective: Objective, cash_ratio: f64) -> f64 {
        -self.cash_drag_coef[objective as usize] * (cash_ratio - self.free_cash_ratio).max(0.0)
    }

    /// The memory at the start of an episode that begins with this fraction of cash.
    #[must_use]
    pub fn start(&self, objective: Objective, cash_ratio: f64) -> RewardState {
        RewardState::new(self, self.potential(objective, cash_ratio))
    }

    /// What the step was worth; the memory moves on by it.
    pub fn step(&self, objective: Objective, state: &mut RewardState, facts: &StepFacts<'_>) -> Reward {
        let turnover = facts.turnover();
        let drawdown_before = state.drawdown();
        let sharpe_gain = state.advance(self.sharpe, facts.net_ret, turnover > 0.0);
        let weights = Concentration::of(facts.asset_weights, self.active_weight);
        let mut reward = match self.family {
            RewardFamily::Aligned => {
                let deeper = (state.drawdown() - drawdown_before).max(0.0);
                self.aligned_basis(objective, facts, &weights, sharpe_gain, deeper)
            }
            RewardFamily::Paper => self.paper_basis(objective, facts, &weights, state),
        };
        let excess_cash = (facts.cash_ratio_traded - self.free_cash_ratio).max(0.0);
        reward.concentration = -self.concentration_coef * weights.penalty(self.concentration_rule);
        reward.turnover = -self.turnover_coef * net_turnover(facts.sold, facts.bought, facts.value);
        reward.market_cash =
            -self.market_cash_coef[objective as usize] * facts.cash_ratio_traded * facts.market_ret.max(0.0);
        reward.stale = if self.is_stale(state) { -self.stale_coef } else { 0.0 };
        match self.family {
            RewardFamily::Aligned => {
                // A failed account has no future, and its potential must not linger as a gift.
                let after = if facts.terminated { 0.0 } else { self.potential(objective, facts.cash_ratio_end) };
                reward.shaping = self.discount * after - state.potential;
                state.potential = after;
            }
            RewardFamily::Paper => {
                reward.cash_drag = -self.cash_drag_coef[objective as usize] * excess_cash;
                reward.redeploy = self.redeploy_coef * redeployed_fraction(facts.sold, facts.bought);
            }
        }
        state.earn(self.discount, reward.total());
        reward
    }

    fn is_stale(&self, state: &RewardState) -> bool {
        match self.stale_rule {
            StaleRule::Consecutive => state.idle_steps() > self.stale_after_steps,
            StaleRule::Literal => state.idle_steps() > 0 && state.steps() > self.stale_after_steps,
        }
    }

    /// E-17.
    fn aligned_basis(
        &self,
        objective: Objective,
        facts: &StepFacts<'_>,
        weights: &Concentration,
        sharpe_gain: f64,
        deeper: f64,
    ) -> Reward {
        let mut reward = Reward { differential_sharpe: sharpe_gain, ..Reward::default() };
        let share_of_value = if facts.value > 0.0 { self.tax_value_coef / facts.value } else { 0.0 };
        match objective {
            Objective::MaxGain1y => {}
            Objective::MaxGain30d => {
                reward.differential_sharpe *= self.month_mix[0];
                // The mean of thirty returns pays each of them thirty times, late; the return itself
                // pays the same sum at once.
                let scaled = self.excess_ret_coef * facts.net_ret;
                reward.excess_ret = self.month_mix[1] * scaled.clamp(-self.ret_limit, self.ret_limit);
            }
            Objective::CapitalPreserve => {
                reward.differential_sharpe *= self.preserve_sharpe_coef;
                reward.drawdown = -self.drawdown_coef * deeper;
            }
            Objective::IncomeHarvest => reward.tax = share_of_value * facts.tax.harvested_value,
            Objective::LtGainOnly => reward.tax = -share_of_value * facts.tax.avoidable_tax,
            Objective::AlphaVsEw => {
                let cash = facts.cash_ratio_traded;
                let matched = (1.0 - cash) * facts.equal_weight_ret + cash * facts.risk_free_ret;
                reward.differential_sharpe = 0.0;
                reward.excess_ret = self.excess_ret_coef * (facts.net_ret - matched);
                reward.spread = facts.symmetry * self.spread_coef * weights.spread;
            }
        }
        reward
    }

    /// Equation (11).
    fn paper_basis(
        &self,
        objective: Objective,
        facts: &StepFacts<'_>,
        weights: &Concentration,
        state: &RewardState,
    ) -> Reward {
        let sharpe = state.rolling_sharpe().clamp(-self.sharpe_limit, self.sharpe_limit);
        let mut reward = Reward { rolling_sharpe: sharpe, ..Reward::default() };
        let literal = self.tax_event_rule == TaxEventRule::Literal;
        match objective {
            Objective::MaxGain1y => {}
            Objective::MaxGain30d => {
                reward.rolling_sharpe *= self.month_mix[0];
                let scaled = self.excess_ret_coef * state.mean_ret();
                reward.excess_ret = self.month_mix[1] * scaled.clamp(-self.ret_limit, self.ret_limit);
            }
            Objective::CapitalPreserve => {
                reward.rolling_sharpe *= self.preserve_sharpe_coef;
                reward.drawdown = -self.drawdown_coef * state.drawdown();
            }
            Objective::IncomeHarvest => {
                let lots = if literal { facts.tax.short_losses_held } else { facts.tax.short_losses_harvested };
                reward.tax = self.harvest_bonus[usize::from(facts.month < 10)] * f64::from(lots);
            }
            Objective::LtGainOnly => {
                let lots = if literal { facts.tax.short_lots_sold } else { facts.tax.short_gains_sold };
                reward.tax = -self.short_sale_penalty * f64::from(lots);
            }
            Objective::AlphaVsEw => {
                reward.rolling_sharpe = 0.0;
                reward.excess_ret = self.excess_ret_coef * (facts.net_ret - facts.equal_weight_ret);
                reward.spread = self.spread_coef * weights.spread;
            }
        }
        reward
    }
}
