//! A target reached by the tax-aware list of trades (SPEC X-11).

use lotwise_core::Shares;
use lotwise_market::Field;
use lotwise_tax::{BasisSource, SymbolIdx, Term, WINDOW_DAYS, first_long_term_day};

use super::super::account::OWN;
use super::super::{AccountView, LotSale, Strategy};
use super::fixed::untouched;
use crate::execution::{TaxLot, TaxYear, TradeProblem, trade_list};
use crate::policy::{Decision, Observation, PolicyConfig, Weights};
use crate::returns::{SESSIONS_PER_YEAR, usable};
use crate::{Covariance, Error, ReturnMatrix};

/// How much distance from the target may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaxAwareRule {
    /// κ of the list of trades: what a tracking variance a year of one is worth of the account's value.
    /// Stated: 5, the aversion of the mean-variance rule doubled.
    pub risk_weight: f64,
}

impl Default for TaxAwareRule {
    fn default() -> Self {
        Self { risk_weight: 5.0 }
    }
}

/// Volatility a year of an asset where none has enough history.
const UNKNOWN_VOL_ANNUAL: f64 = 0.2;

/// Takes another strategy's weights as the target and trades towards it lot by lot, as far as it is
/// worth the costs and taxes; takes losses on the way and keeps out of both wash-sale windows.
///
/// Gains are those at the close of the decision, terms and windows those of the day after. An asset
/// without enough history counts with the mean variance of the others and no correlation. Sales name
/// their lots.
pub struct TaxAware {
    name: String,
    target: Box<dyn Strategy>,
    config: PolicyConfig,
    rule: TaxAwareRule,
    /// Lots of the last decision's sales.
    sales: Vec<LotSale>,
}

impl TaxAware {
    /// # Errors
    /// [`Error::Setting`] for settings out of range, [`Error::NotAvailable`] for a target that itself
    /// looks at lots.
    pub fn new(
        name: String,
        target: Box<dyn Strategy>,
        config: PolicyConfig,
        rule: TaxAwareRule,
    ) -> Result<Self, Error> {
        config.check()?;
        if target.needs_lots() {
            return Err(Error::NotAvailable { name: "tax-aware", reason: "its target may not itself look at lots" });
        }
        if !(0.0..=1e6).contains(&rule.risk_weight) {
            let (setting, value) = ("risk_weight", rule.risk_weight);
            return Err(Error::Setting { setting, value, expected: "from 0 to 1000000" });
        }
        Ok(Self { name, target, config, rule, sales: Vec::new() })
    }

    /// Covariance of the universe.
    fn covariance(&self, observation: &Observation<'_>) -> Covariance {
        let (config, n) = (&self.config, observation.universe.len());
        let returns = ReturnMatrix::daily(observation.market, observation.universe, config.risk_window_sessions);
        let mut known: Vec<usize> = (0..n).filter(|&at| returns.n_observed(at) >= config.min_returns).collect();
        let mut joint = returns.columns(&known).complete_cases();
        while joint.n_sessions() < config.min_returns && !known.is_empty() {
            let worst = (0..known.len()).rev().min_by_key(|&at| returns.n_observed(known[at])).unwrap_or(0);
            known.remove(worst);
            joint = returns.columns(&known).complete_cases();
        }
        let found = if known.is_empty() { None } else { Covariance::shrunk(&joint, config.shrinkage) };
        let own = |at: usize| found.as_ref().map_or(0.0, |found| found.covariance.at(at, at));
        let mean = match known.len() {
            0 => UNKNOWN_VOL_ANNUAL * UNKNOWN_VOL_ANNUAL / SESSIONS_PER_YEAR,
            n_known => (0..n_known).map(own).sum::<f64>() / n_known as f64,
        };
        let mut rows = vec![vec![0.0; n]; n];
        for (at, row) in rows.iter_mut().enumerate() {
            row[at] = mean;
        }
        if let Some(found) = &found {
            for (i, &first) in known.iter().enumerate() {
                for (j, &second) in known.iter().enumerate() {
                    rows[first][second] = found.covariance.at(i.max(j), i.min(j));
                }
            }
        }
        Covariance::from_rows(&rows).expect("Invariant: the matrix is finite and symmetric")
    }
}

impl Strategy for TaxAware {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs_lots(&self) -> bool {
        true
    }

    fn lots_to_sell(&self) -> &[LotSale] {
        &self.sales
    }

    fn decide(&mut self, observation: &Observation<'_>, account: &AccountView<'_>) -> Result<Decision, Error> {
        self.sales.clear();
        let wanted = self.target.decide(observation, account)?;
        if observation.universe.is_empty() || account.value <= 0.0 {
            return untouched(observation);
        }
        let target = wanted.weights.as_slice();
        let sale = account.date.plus_days(1);
        let (mut lots, mut shares, mut held) = (Vec::new(), Vec::new(), vec![0.0; observation.universe.len()]);
        let (mut may_buy, mut may_sell, mut may_take_losses) = (Vec::new(), Vec::new(), Vec::new());
        for (at, &asset) in observation.universe.iter().enumerate() {
            let trades = observation.market.column(asset, Field::Close).last().is_some_and(|&close| usable(close));
            let value = observation.weights[1 + at] * account.value;
            let position = account.assets.binary_search(&asset).ok().filter(|_| value > 0.0);
            held[at] = value;
            let (mut sold_lately, mut bought_lately) = (false, false);
            match (account.book, account.assets.binary_search(&asset).ok()) {
                (Some(book), Some(own)) => {
                    let symbol = SymbolIdx(own as u32);
                    let lately = |date| sale.days_since(date) <= WINDOW_DAYS;
                    sold_lately = book.latest_open_loss(symbol).is_some_and(lately);
                    bought_lately = book.latest_replacement(symbol).is_some_and(lately);
                    let price = value / account.held[own].to_f64();
                    if position.is_some() {
                        book.visit_holdings(OWN, symbol, |holding| {
                            let worth = holding.shares.to_f64() * price;
                            let basis = holding.basis.map_or(0.0, lotwise_core::Money::to_f64);
                            let long = match (holding.source, holding.holding_from_days) {
                                (BasisSource::Inherited, _) => true,
                                (_, from) => from.is_some_and(|from| first_long_term_day(from) <= sale.days()),
                            };
                            let term = if long { Term::Long } else { Term::Short };
                            lots.push(TaxLot { asset: at, value: worth, gain: worth - basis, term });
                            shares.push((holding.lot, holding.shares));
                        });
                    }
                }
                _ if value > 0.0 => lots.push(TaxLot { asset: at, value, gain: 0.0, term: Term::Long }),
                _ => {}
            }
            may_buy.push(trades && !sold_lately);
            may_sell.push(trades);
            may_take_losses.push(!bought_lately);
        }
        let covariance = self.covariance(observation);
        let list = trade_list(&TradeProblem {
            cash: observation.weights[0] * account.value,
            lots: &lots,
            target,
            covariance: &covariance,
            risk_weight: self.rule.risk_weight,
            may_buy: &may_buy,
            may_sell: &may_sell,
            may_take_losses: &may_take_losses,
            max_weight: self.config.max_position.unwrap_or(1.0),
            cost_rate: account.cost_rate,
            tax: account.tax.unwrap_or_else(TaxYear::none),
        })?;
        let mut weights = observation.weights.to_vec();
        let mut sold = vec![0.0; held.len()];
        for (lot, amount) in lots.iter().zip(&list.sold) {
            sold[lot.asset] += amount;
        }
        let parts = lots.iter().zip(&list.sold).zip(&shares).filter(|((_, sold), _)| **sold > 0.0);
        for ((lot, &sold), &(number, held)) in parts {
            let asset = observation.universe[lot.asset];
            let part = if sold >= lot.value {
                held
            } else {
                Shares::from_billionths((held.billionths() as f64 * sold / lot.value) as i128)
            };
            match self.sales.iter_mut().find(|sale| sale.asset == asset && sale.lot == number.0) {
                // Two parts of a lot with a basis each are one to the book.
                Some(sale) => sale.shares += part,
                None => self.sales.push(LotSale { asset, lot: number.0, shares: part }),
            }
        }
        for (at, weight) in weights[1..].iter_mut().enumerate() {
            let change = list.bought[at] - sold[at];
            // What is not traded keeps its weight to the last bit.
            if change != 0.0 {
                let all = -change >= held[at] * (1.0 - 1e-9);
                *weight = if all { 0.0 } else { (*weight + change / account.value).max(0.0) };
            }
        }
        weights[0] = (1.0 - weights[1..].iter().sum::<f64>()).max(0.0);
        Ok(Decision { weights: Weights::new(weights)?, notes: wanted.notes })
    }
}
