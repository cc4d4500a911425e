//! From target weights to trades at the open (SPEC E-05 to E-09).

use std::collections::BTreeMap;

use lotwise_core::{Money, Price, Shares};
use lotwise_market::Field;
use lotwise_tax::LotIdx;

use super::account::Fill;
use super::engine::{BacktestError, Run};
use super::record::TradeRecord;

/// What is wanted of each asset at the next open.
#[derive(Debug, Clone, Default)]
pub(super) struct Targets {
    /// Fraction of the value to keep in cash.
    pub cash: f64,
    /// Fraction of the value for each asset of the market; `None` leaves it as it is.
    pub assets: Vec<Option<f64>>,
    /// Assets that have to go whatever the limits say.
    pub forced: Vec<bool>,
    /// Lots that sales take, by asset.
    pub lots: BTreeMap<usize, Vec<(LotIdx, Shares)>>,
}

/// A trade in the making.
#[derive(Debug, Clone, Copy)]
struct Wish {
    asset: usize,
    price: Price,
    /// Change of the holding's value, US dollars.
    change: f64,
    /// Present value, US dollars.
    present: f64,
    whole: bool,
    forced: bool,
}

impl Run<'_> {
    /// Trades towards the targets at the open of `session`: sales first, then purchases, scaled
    /// so that cash never goes below zero.
    pub(super) fn trade(&mut self, targets: &Targets, session: usize) -> Result<(), BacktestError> {
        let value = self.value_at_open(session);
        if value <= 0.0 {
            return Ok(());
        }
        let funded = self.account.held.iter().any(|shares| shares.is_positive());
        let threshold = if funded { self.config.rebalance_threshold } else { 0.0 };
        let mut wishes = Vec::new();
        for (asset, target) in targets.assets.iter().enumerate() {
            let Some(target) = *target else { continue };
            let held = self.account.held[asset];
            if target <= 0.0 && !held.is_positive() {
                continue;
            }
            let Some(price) = self.market.raw(asset, session, Field::Open) else { continue };
            let present = held.to_f64() * price.to_f64();
            let change = target * value - present;
            let forced = targets.forced[asset];
            let whole = target <= 0.0;
            if forced || change.abs() > threshold * value {
                wishes.push(Wish { asset, price, change, present, whole, forced });
            }
        }
        let scale = self.turnover_scale(&wishes, value, funded);
        self.account.name_lots(targets.lots.clone());
        for wish in wishes.iter().filter(|wish| wish.change < 0.0) {
            let held = self.account.held[wish.asset];
            let part = if wish.forced { 1.0 } else { scale * (-wish.change / wish.present).min(1.0) };
            let shares = if part >= 1.0 || (wish.whole && scale >= 1.0) { held } else { part_of(held, part) };
            let shares = self.account.rounded_sale(wish.asset, shares);
            self.sell(wish.asset, shares, wish.price, session)?;
        }
        let cash = self.account.cash.to_f64();
        let room = (cash - targets.cash * value).max(0.0);
        let mut wanted = 0.0;
        for wish in wishes.iter().filter(|wish| wish.change > 0.0) {
            let amount = wish.change * scale;
            wanted += amount * (1.0 + self.costs.fraction(self.market, wish.asset, session - 1, amount));
        }
        let fit = if wanted > room { room / wanted } else { 1.0 };
        for wish in wishes.iter().filter(|wish| wish.change > 0.0) {
            self.buy(wish.asset, wish.change * scale * fit, wish.price, session)?;
        }
        Ok(())
    }

    /// By how much all trades that are not forced shrink to keep the turnover cap; forced exits
    /// come first, and the first purchases from cash are free of it (SPEC E-08, E-09).
    fn turnover_scale(&self, wishes: &[Wish], value: f64, funded: bool) -> f64 {
        let Some(cap) = self.config.turnover_cap.filter(|_| funded) else { return 1.0 };
        let total = |forced: bool| -> f64 {
            wishes.iter().filter(|wish| wish.forced == forced).map(|wish| wish.change.abs()).sum()
        };
        let room = (cap * value - total(true)).max(0.0);
        let rest = total(false);
        if rest > room { room / rest } else { 1.0 }
    }

    /// Sells holdings in proportion until there is so much cash, as far as there are holdings.
    /// Returns what the sales brought.
    pub(super) fn raise(&mut self, wanted: Money, session: usize) -> Result<Money, BacktestError> {
        let before = self.account.cash;
        let mut sources = Vec::new();
        let mut total = 0.0;
        for asset in 0..self.account.held.len() {
            let held = self.account.held[asset];
            let price = self.market.raw(asset, session, Field::Open).filter(|_| held.is_positive());
            if let Some(price) = price {
                let value = held.to_f64() * price.to_f64();
                total += value * (1.0 - self.costs.fraction(self.market, asset, session - 1, value));
                sources.push((asset, price));
            }
        }
        // A little more than needed, so that rounding of shares does not leave a billionth owed.
        let part = (wanted - before).to_f64() / total.max(1e-9) * (1.0 + 1e-9) + 1e-12;
        for (asset, price) in sources {
            let held = self.account.held[asset];
            let shares = if part >= 1.0 { held } else { part_of(held, part) };
            self.sell(asset, shares, price, session)?;
        }
        Ok(self.account.cash - before)
    }

    pub(super) fn sell(
        &mut self,
        asset: usize,
        shares: Shares,
        price: Price,
        session: usize,
    ) -> Result<(), BacktestError> {
        if !shares.is_positive() {
            return Ok(());
        }
        let amount = price * shares;
        let fraction = self.costs.fraction(self.market, asset, session - 1, amount.to_f64());
        let fee = self.costs.fee(amount, fraction).min(amount);
        self.book(Fill { asset, shares, amount, fee }, price, session, false)
    }

    fn buy(&mut self, asset: usize, dollars: f64, price: Price, session: usize) -> Result<(), BacktestError> {
        let fraction = self.costs.fraction(self.market, asset, session - 1, dollars);
        let mut shares = whole_billionths(dollars / price.to_f64());
        let mut amount = price * shares;
        let mut fee = self.costs.fee(amount, fraction);
        if amount + fee > self.account.cash {
            // Rounding up by a billionth is enough to overdraw; a millionth of a share less is not.
            let affordable = self.account.cash.to_f64() / (price.to_f64() * (1.0 + fraction)) - 1e-6;
            shares = whole_billionths(affordable);
            amount = price * shares;
            fee = self.costs.fee(amount, fraction);
        }
        if !shares.is_positive() || amount + fee > self.account.cash {
            return Ok(());
        }
        self.book(Fill { asset, shares, amount, fee }, price, session, true)
    }

    pub(super) fn book(&mut self, fill: Fill, price: Price, session: usize, buys: bool) -> Result<(), BacktestError> {
        let date = self.market.panel().sessions()[session];
        let booked = if buys { self.account.buy(date, fill) } else { self.account.sell(date, fill) };
        let asset = self.market.assets()[fill.asset];
        booked.map_err(|_| BacktestError::Booking { date, symbol: self.market.panel().symbols()[asset.0].clone() })?;
        self.today.costs += fill.fee;
        self.today.traded += fill.amount;
        let shares = if buys { fill.shares } else { -fill.shares };
        self.trades.push(TradeRecord { date, asset, shares, price, fee: fill.fee });
        Ok(())
    }
}

/// A part of a holding, rounded down to the billionth and never more than is held.
fn part_of(held: Shares, part: f64) -> Shares {
    Shares::from_billionths((held.billionths() as f64 * part).floor() as i128).min(held)
}

/// Shares rounded down to the billionth.
fn whole_billionths(shares: f64) -> Shares {
    Shares::from_billionths((shares.max(0.0) * 1e9).floor() as i128)
}
