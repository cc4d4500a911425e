//! One step: decided at a close, traded at the next price, valued at the next close (SPEC E-01).

use lotwise_core::{Date, Money, Price, Shares};
use lotwise_tax::Trade;

use super::account::Account;
use super::episode::{End, Episode, Info, NO_SLOT, StepResult, exact};
use super::positions::Memory;
use super::tape::{Cell, Tape};
use super::{EnvConfig, Timing};
use crate::Error;
use crate::execution::{
    Action, Depth, Funding, Holdings, Orders, ShareUnits, Terms, Till, Venue, Wish, fill_orders, lane_sum, plan_trades,
    raise_cash,
};
use crate::reward::StepFacts;

impl Episode {
    /// Plays one step towards `weights`, `[1 + N]` on the simplex, cash first.
    ///
    /// Orders are sized with the closes that the decision saw and filled at the price of
    /// [`EnvConfig::timing`]; what an opening gap makes dearer than the cash there is, is bought less of.
    ///
    /// # Errors
    /// When weights are no simplex of that length, or the episode is over.
    pub fn step(
        &mut self,
        config: &EnvConfig,
        tape: &Tape,
        weights: &[f64],
        actions: Option<&[Action]>,
        symmetry: f64,
    ) -> Result<StepResult, Error> {
        let sum = lane_sum(weights, |weight| weight);
        // Nothing that is no number passes either.
        let all_fit = weights.iter().fold(true, |all, weight| all & (*weight >= 0.0));
        if weights.len() != self.universe.len() + 1 || !all_fit || (sum - 1.0).abs() > 1e-4 {
            return Err(Error::NotOnSimplex { sum });
        }
        let next = self.session + 1;
        if self.steps_left == 0 || next >= tape.sessions().len() {
            return Err(Error::EpisodeOver);
        }
        let first_row = self.account.rows().len();
        let room = self.account.loss_room(tape.date(next), config.tax.loss_limit)?;
        let before = self.value;
        let planned = self.plan(config, tape, weights, actions);
        let mut info = Info::default();
        if config.timing == Timing::SameClose {
            self.trade(config, tape.cells(self.session), &planned, tape.date(self.session), &mut info)?;
        }
        self.session = next;
        let date = tape.date(next);
        if config.cash_rate_annual != 0.0 {
            self.account.interest(date, config.cash_rate_annual);
        }
        self.corporate_actions(config, tape, date)?;
        self.pay_taxes(config, tape, date, &mut info)?;
        match config.timing {
            Timing::NextOpen | Timing::NextClose => self.trade(config, tape.cells(next), &planned, date, &mut info)?,
            Timing::SameClose => {}
        }
        let equal_weight_ret = self.positions.see(tape, next, &self.universe);
        self.revalue(config, date)?;
        self.unfunded &= info.n_trades == 0;
        self.last_turnover = if planned.value > 0.0 { (info.sold + info.bought) / planned.value } else { 0.0 };

        let value_before_tax = self.value_before_tax();
        info.value = self.value;
        info.value_before_tax = value_before_tax;
        info.ret = if before > 0.0 { self.value / before - 1.0 } else { 0.0 };
        let ruined = self.value < config.ruin * self.start_value;
        self.steps_left -= 1;
        let end = match (ruined, self.steps_left == 0 || next + 1 >= tape.sessions().len()) {
            (true, _) => Some(End::Terminated),
            (false, true) => Some(End::Truncated),
            (false, false) => None,
        };
        if end.is_some() {
            self.steps_left = 0;
        }
        let facts = StepFacts {
            net_ret: info.ret,
            equal_weight_ret,
            market_ret: tape.market_ret(next),
            risk_free_ret: self.cash_rate,
            cash_ratio_traded: (1.0 - lane_sum(&self.rooms.weights, |weight| weight)).clamp(0.0, 1.0),
            cash_ratio_end: cash_ratio(self.account.cash(), value_before_tax),
            asset_weights: &self.rooms.weights,
            value: planned.value,
            sold: info.sold,
            bought: info.bought,
            month: tape.month(next),
            tax: self.tax_facts(config, first_row, room, info.cost)?,
            symmetry,
            terminated: end == Some(End::Terminated),
        };
        let reward = config.reward.step(self.objective, &mut self.reward_state, &facts);
        Ok(StepResult { reward, end, info })
    }

    /// Sizes orders with what is known at the close: signed dollars in the room for trades.
    fn plan(&mut self, config: &EnvConfig, tape: &Tape, weights: &[f64], actions: Option<&[Action]>) -> Planned {
        self.positions.memory.begin_step();
        let (session, positions) = (self.session, &self.positions);
        let impact = config.execution.cost.impact_coef > 0.0;
        let cash = self.account.cash().to_f64();
        let value = cash + positions.total();
        let rooms = &mut self.rooms;
        if impact {
            for (at, cell) in self.universe.iter().map(|&asset| &tape.cells(session)[asset as usize]).enumerate() {
                rooms.vol_daily[at] = f64::from(cell.vol_daily);
                rooms.dollar_volume[at] = f64::from(cell.dollar_volume);
            }
        }
        let mut wanted = weights;
        if tape.is_restricted() {
            rooms.wanted.clear();
            rooms.wanted.extend_from_slice(weights);
            for (at, &asset) in self.universe.iter().enumerate() {
                // What may not be bought any more may be kept or sold; the rest of its weight is cash.
                let most = if value > 0.0 { positions.values[at] / value } else { 0.0 };
                let excess = rooms.wanted[at + 1] - most;
                if excess > 0.0 && positions.tradable[at] && !tape.may_be_bought(session, asset) {
                    rooms.wanted[0] += excess;
                    rooms.wanted[at + 1] = most;
                }
            }
            wanted = &rooms.wanted;
        }
        let depth = Depth { vol_daily: &rooms.vol_daily, dollar_volume: &rooms.dollar_volume };
        let units =
            if config.fractional_shares { ShareUnits::Fractional } else { ShareUnits::Whole(&positions.closes) };
        let funding = if config.initial_funding && self.unfunded { Funding::Initial } else { Funding::Rebalance };
        // What is owed and could not be paid is not there to be invested.
        let owed = self.account.unpaid().to_f64();
        let done = plan_trades(
            &config.execution,
            Holdings { cash: (cash - owed).max(0.0), values: &positions.values },
            Wish { weights: wanted, actions, forced_exits: None, funding },
            Venue { tradable: &positions.tradable, depth: impact.then_some(depth), units },
            &mut rooms.scratch,
            &mut rooms.trades,
        );
        let scale = if value > 0.0 { 1.0 / value } else { 0.0 };
        for (weight, (held, trade)) in rooms.weights.iter_mut().zip(positions.values.iter().zip(&rooms.trades)) {
            *weight = (held + trade).max(0.0) * scale;
        }
        Planned { value, trades: done.sold > 0.0 || done.bought > 0.0 }
    }

    /// Fills the planned trades at the prices of a session, sales first.
    fn trade(
        &mut self,
        config: &EnvConfig,
        cells: &[Cell],
        planned: &Planned,
        date: Date,
        info: &mut Info,
    ) -> Result<(), Error> {
        if !planned.trades {
            return Ok(());
        }
        let (rooms, universe) = (&self.rooms, &self.universe);
        let price = price_at(config.timing);
        let orders = Orders {
            trades: &rooms.trades,
            values: &self.positions.values,
            seen: &self.positions.closes,
            vol_daily: &rooms.vol_daily,
            dollar_volume: &rooms.dollar_volume,
        };
        let terms = Terms::new(config.execution.cost, config.fractional_shares);
        let mut till = Counter { account: &mut self.account, memory: &mut self.positions.memory, date, info };
        fill_orders(terms, orders, |at| exact(price(&cells[universe[at] as usize])), &mut till)
    }

    /// Pays the taxes that are due, by sales at the session's price where cash does not suffice.
    fn pay_taxes(&mut self, config: &EnvConfig, tape: &Tape, date: Date, info: &mut Info) -> Result<(), Error> {
        self.account.settle(date)?;
        let unpaid = self.account.unpaid();
        if unpaid.is_zero() {
            return Ok(());
        }
        let (rooms, universe, cells) = (&self.rooms, &self.universe, tape.cells(self.session));
        let terms = Terms::new(config.execution.cost, config.fractional_shares);
        let mut till = Counter { account: &mut self.account, memory: &mut self.positions.memory, date, info };
        let price = if config.timing == Timing::NextClose { |cell: &Cell| cell.close } else { |cell: &Cell| cell.open };
        let price_of = |at: usize| exact(price(&cells[universe[at] as usize]));
        let depth_of = |at: usize| (rooms.vol_daily[at], rooms.dollar_volume[at]);
        raise_cash(terms, unpaid, universe.len(), price_of, depth_of, &mut till)?;
        self.account.settle(date)?;
        Ok(())
    }

    /// Splits, dividends and ends of the session that has begun.
    fn corporate_actions(&mut self, config: &EnvConfig, tape: &Tape, date: Date) -> Result<(), Error> {
        let session = self.session;
        if !tape.splits_in(session) && !tape.ends_in(session) {
            // On most days nothing happens but a dividend or two.
            for &(asset, per_share) in tape.dividends_in(session) {
                let at = self.slots[asset as usize];
                if at != NO_SLOT && self.holds(at as usize) {
                    self.account.dividend(date, at as usize, per_share);
                }
            }
            return Ok(());
        }
        for at in 0..self.universe.len() {
            let asset = self.universe[at];
            for split in tape.splits(session, asset) {
                self.account.split(date, at, split.new, split.old)?;
                self.positions.memory.mark(at);
                // The close that was seen is put into units of today, and with it what is wanted.
                self.positions.closes[at] *= split.old.to_f64() / split.new.to_f64();
            }
            if self.holds(at) {
                for per_share in tape.dividends(session, asset) {
                    self.account.dividend(date, at, per_share);
                }
            }
            // At the close that was its last an asset may just have been bought or sold.
            if tape.has_ended(session, asset) && self.holds(at) {
                let shares = self.account.held(at);
                let lost = || exact(self.positions.closes[at] * (1.0 - config.delisting_loss));
                let last = tape.payout(asset).or_else(lost);
                let amount = last.map_or(Money::ZERO, |price| price * shares);
                self.account.close_out(date, at, Trade { shares, amount, fee: Money::ZERO })?;
                self.positions.memory.note(at, date, amount);
                self.rooms.trades[at] = 0.0;
            }
        }
        Ok(())
    }

    /// Whether an asset is held. The book is asked only where its lots were not read since its last event.
    fn holds(&self, at: usize) -> bool {
        match self.positions.memory.is_changed(at) {
            true => self.account.held(at).is_positive(),
            false => self.positions.shares(at) > 0.0,
        }
    }
}

/// The price of a cell at which decisions are carried out.
fn price_at(timing: Timing) -> fn(&Cell) -> f64 {
    match timing {
        Timing::NextOpen => |cell| cell.open,
        Timing::NextClose | Timing::SameClose => |cell| cell.close,
    }
}

/// An account with what is remembered of its trades.
struct Counter<'a> {
    account: &'a mut Account,
    memory: &'a mut Memory,
    date: Date,
    info: &'a mut Info,
}

impl Till for Counter<'_> {
    type Error = Error;

    fn cash(&self) -> Money {
        self.account.cash()
    }

    fn held(&self, at: usize) -> Shares {
        self.account.held(at)
    }

    fn sell(&mut self, at: usize, _: Price, trade: Trade) -> Result<(), Error> {
        self.account.sell(self.date, at, trade)?;
        self.info.sold += self.memory.note(at, self.date, trade.amount);
        self.info.cost += trade.fee.to_f64();
        self.info.n_trades += 1;
        Ok(())
    }

    fn buy(&mut self, at: usize, _: Price, trade: Trade) -> Result<(), Error> {
        self.account.buy(self.date, at, trade)?;
        self.info.bought += self.memory.note(at, self.date, trade.amount);
        self.info.cost += trade.fee.to_f64();
        self.info.n_trades += 1;
        Ok(())
    }
}

/// What the orders were sized with.
struct Planned {
    value: f64,
    /// Whether there are any.
    trades: bool,
}

fn cash_ratio(cash: Money, value: f64) -> f64 {
    if value > 0.0 { (cash.to_f64() / value).clamp(0.0, 1.0) } else { 1.0 }
}
