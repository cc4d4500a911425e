//! From target weights to trades at the open (SPEC E-05 to E-09), by the code that plays episodes.

use std::collections::BTreeMap;

use lotwise_core::{Money, Price, Shares};
use lotwise_market::Field;
use lotwise_tax::{LotIdx, Trade};

use super::engine::{BacktestError, Run};
use super::record::TradeRecord;
use crate::execution::{
    CapRule, CostConfig, Depth, ExecutionConfig, Funding, Holdings, Orders, Scratch, SellRule, ShareUnits, Terms, Till,
    Venue, Wish, fill_orders, plan_trades, raise_cash,
};

/// Lots that sales take, by asset.
pub(super) type NamedLots = BTreeMap<usize, Vec<(LotIdx, Shares)>>;

/// What is wanted at the next open, and what it was sized with; buffers that are used again.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Fractions of the value wanted, `[1 + N]`, cash first.
    pub wanted: Vec<f64>,
    /// Assets that have to go whatever the limits say, `[N]`.
    pub forced: Vec<bool>,
    /// Lots that sales take.
    pub lots: NamedLots,
    /// Closes that were seen, in units of today, and the values held at them, `[N]`.
    pub seen: Vec<f64>,
    pub values: Vec<f64>,
    /// Whether the asset had a bar at the decision, `[N]`.
    pub tradable: Vec<bool>,
    vol_daily: Vec<f64>,
    dollar_volume: Vec<f64>,
    /// Signed US dollars at the closes seen; nothing is waiting where it is empty.
    pub trades: Vec<f64>,
    scratch: Scratch,
}

impl Plan {
    /// For so many assets.
    pub fn new(n_assets: usize) -> Self {
        Self {
            wanted: vec![0.0; n_assets + 1],
            forced: vec![false; n_assets],
            lots: BTreeMap::new(),
            seen: vec![f64::NAN; n_assets],
            values: vec![0.0; n_assets],
            tradable: vec![false; n_assets],
            vol_daily: vec![0.0; n_assets],
            dollar_volume: vec![0.0; n_assets],
            trades: Vec::with_capacity(n_assets),
            scratch: Scratch::new(n_assets),
        }
    }

    /// Puts what was seen of an asset into units after a split.
    pub fn split(&mut self, asset: usize, new: Shares, old: Shares) {
        self.seen[asset] *= old.to_f64() / new.to_f64();
        self.lots.remove(&asset);
    }

    /// Forgets the order in an asset that has ended.
    pub fn end(&mut self, asset: usize) {
        if let Some(trade) = self.trades.get_mut(asset) {
            *trade = 0.0;
        }
    }
}

impl Run<'_> {
    /// Sizes orders from the wishes of the plan, with what is known at the close of `session`.
    pub(super) fn size_orders(&mut self, session: usize) {
        let n_assets = self.account.held.len();
        let config = self.execution();
        let plan = &mut self.plan;
        let impact = config.cost.impact_coef > 0.0;
        for asset in 0..if impact { n_assets } else { 0 } {
            let (vol_daily, dollar_volume) = self.market.depth(asset, session);
            (plan.vol_daily[asset], plan.dollar_volume[asset]) = (f64::from(vol_daily), f64::from(dollar_volume));
        }
        plan.trades.clear();
        plan.trades.resize(n_assets, 0.0);
        // What is owed and could not be paid is not there to be invested.
        let cash = (self.account.cash.to_f64() - self.owed.to_f64()).max(0.0);
        let depth = Depth { vol_daily: &plan.vol_daily, dollar_volume: &plan.dollar_volume };
        let forces = plan.forced.iter().any(|forced| *forced);
        plan_trades(
            &config,
            Holdings { cash, values: &plan.values },
            Wish {
                weights: &plan.wanted,
                actions: None,
                forced_exits: forces.then_some(&plan.forced[..]),
                funding: if self.trades.is_empty() { Funding::Initial } else { Funding::Rebalance },
            },
            Venue { tradable: &plan.tradable, depth: impact.then_some(depth), units: ShareUnits::Fractional },
            &mut plan.scratch,
            &mut plan.trades,
        );
    }

    /// Fills the orders that wait at the open of `session`, sales first.
    pub(super) fn fill(&mut self, session: usize) -> Result<(), BacktestError> {
        if self.plan.trades.is_empty() {
            return Ok(());
        }
        let plan = std::mem::take(&mut self.plan);
        self.account.name_lots(plan.lots.clone());
        let orders = Orders {
            trades: &plan.trades,
            values: &plan.values,
            seen: &plan.seen,
            vol_daily: &plan.vol_daily,
            dollar_volume: &plan.dollar_volume,
        };
        let (market, terms) = (self.market, self.terms());
        let price_of = |at: usize| market.raw(at, session, Field::Open);
        let filled = fill_orders(terms, orders, price_of, &mut Counter { run: self, session });
        self.plan = plan;
        self.plan.trades.clear();
        self.account.name_lots(BTreeMap::new());
        filled
    }

    /// Sells holdings in proportion at the open until there is so much more cash, as far as there are
    /// holdings. Returns what the sales brought.
    pub(super) fn raise(&mut self, missing: Money, session: usize) -> Result<Money, BacktestError> {
        let before = self.account.cash;
        // These sales may take lots that were named for those that wait.
        self.plan.lots.clear();
        let (market, terms, n_assets) = (self.market, self.terms(), self.account.held.len());
        let price_of = |at: usize| market.raw(at, session, Field::Open);
        let depth_of = |at: usize| {
            let (vol_daily, dollar_volume) = market.depth(at, session - 1);
            (f64::from(vol_daily), f64::from(dollar_volume))
        };
        raise_cash(terms, missing, n_assets, price_of, depth_of, &mut Counter { run: self, session })?;
        Ok(self.account.cash - before)
    }

    /// Sells a whole holding at a price, with its cost.
    pub(super) fn sell_out(&mut self, asset: usize, price: Price, session: usize) -> Result<(), BacktestError> {
        let shares = self.account.held[asset];
        if !shares.is_positive() {
            return Ok(());
        }
        let amount = price * shares;
        let impact = self.config.costs.impact.is_some();
        let (vol_daily, dollar_volume) = if impact { self.market.depth(asset, session) } else { (0.0, 0.0) };
        let fee = self.terms().fee(amount, f64::from(vol_daily), f64::from(dollar_volume)).min(amount);
        self.book(asset, price, Trade { shares, amount, fee }, session, Side::Sale)
    }

    pub(super) fn book(
        &mut self,
        asset: usize,
        price: Price,
        trade: Trade,
        session: usize,
        side: Side,
    ) -> Result<(), BacktestError> {
        let date = self.market.panel().sessions()[session];
        let booked = match side {
            Side::Purchase => self.account.buy(date, asset, trade),
            Side::Sale => {
                self.taxes.add_sale(date);
                self.account.sell(date, asset, trade)
            }
        };
        let symbol = self.market.assets()[asset];
        booked.map_err(|_| BacktestError::Booking { date, symbol: self.market.panel().symbols()[symbol.0].clone() })?;
        self.today.costs += trade.fee;
        self.today.traded += trade.amount;
        let shares = if side == Side::Purchase { trade.shares } else { -trade.shares };
        self.trades.push(TradeRecord { date, asset: symbol, shares, price, fee: trade.fee });
        Ok(())
    }

    fn terms(&self) -> Terms {
        Terms::new(self.execution().cost, true)
    }

    fn execution(&self) -> ExecutionConfig {
        ExecutionConfig {
            rebalance_threshold: self.config.rebalance_threshold,
            hold_fraction: 1.0,
            turnover_cap: self.config.turnover_cap.unwrap_or(f64::INFINITY),
            cap_rule: CapRule::Proportional,
            sell_rule: SellRule::Forced,
            max_weight: 1.0,
            cost: CostConfig {
                proportional_bps: self.config.costs.basis_points,
                impact_coef: self.config.costs.impact.map_or(0.0, |impact| impact.coefficient),
            },
        }
    }
}

/// Which way a trade goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Purchase,
    Sale,
}

/// A run in one of its sessions.
struct Counter<'a, 'b> {
    run: &'a mut Run<'b>,
    session: usize,
}

impl Till for Counter<'_, '_> {
    type Error = BacktestError;

    fn cash(&self) -> Money {
        self.run.account.cash
    }

    fn held(&self, at: usize) -> Shares {
        self.run.account.held[at]
    }

    fn sell(&mut self, at: usize, price: Price, trade: Trade) -> Result<(), BacktestError> {
        self.run.book(at, price, trade, self.session, Side::Sale)
    }

    fn buy(&mut self, at: usize, price: Price, trade: Trade) -> Result<(), BacktestError> {
        self.run.book(at, price, trade, self.session, Side::Purchase)
    }

    fn rounded_sale(&self, at: usize, shares: Shares) -> Shares {
        self.run.account.rounded_sale(at, shares)
    }
}
