//! One step: decided at a close, traded at the next price, valued at the next close (SPEC E-01).

use lotwise_core::{Date, Money, Price, Shares};
use lotwise_tax::Trade;

use super::account::Account;
use super::episode::{End, Episode, Info, Memory, StepResult, exact};
use super::tape::Tape;
use super::{EnvConfig, Timing};
use crate::Error;
use crate::execution::{
    Action, Depth, Funding, Holdings, Orders, ShareUnits, Terms, Till, Venue, Wish, fill_orders, plan_trades,
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
        let sum: f64 = weights.iter().sum();
        let fits = weights.len() == self.universe.len() + 1 && weights.iter().all(|weight| *weight >= 0.0);
        if !fits || (sum - 1.0).abs() > 1e-4 {
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
            self.trade(config, tape.closes(self.session), tape.date(self.session), &mut info)?;
        }
        self.session = next;
        let date = tape.date(next);
        if config.cash_rate_annual != 0.0 {
            self.account.interest(date, config.cash_rate_annual);
        }
        self.corporate_actions(config, tape, date)?;
        self.pay_taxes(config, tape, date, &mut info)?;
        match config.timing {
            Timing::NextOpen => self.trade(config, tape.opens(next), date, &mut info)?,
            Timing::NextClose => self.trade(config, tape.closes(next), date, &mut info)?,
            Timing::SameClose => {}
        }
        self.see_closes(tape);
        self.revalue(config)?;
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
            equal_weight_ret: self.equal_weight_ret(tape),
            market_ret: tape.market_ret(next),
            risk_free_ret: self.cash_rate,
            cash_ratio_traded: (1.0 - self.rooms.weights.iter().sum::<f64>()).clamp(0.0, 1.0),
            cash_ratio_end: cash_ratio(self.account.cash(), value_before_tax),
            asset_weights: &self.rooms.weights,
            value: planned.value,
            sold: info.sold,
            bought: info.bought,
            month: date.month() as u8,
            tax: self.tax_facts(config, first_row, room, info.cost)?,
            symmetry,
            terminated: end == Some(End::Terminated),
        };
        let reward = config.reward.step(self.objective, &mut self.reward_state, &facts);
        Ok(StepResult { reward, end, info })
    }

    /// Sizes orders with what is known at the close: signed dollars in the room for trades.
    fn plan(&mut self, config: &EnvConfig, tape: &Tape, weights: &[f64], actions: Option<&[Action]>) -> Planned {
        let session = self.session;
        let closes = tape.closes(session);
        let impact = config.execution.cost.impact_coef > 0.0;
        let mut wanted = std::mem::take(&mut self.rooms.wanted);
        wanted.clear();
        wanted.extend_from_slice(weights);
        let cash = self.account.cash().to_f64();
        let mut value = cash;
        for (at, &asset) in self.universe.iter().enumerate() {
            self.rooms.values[at] = self.position_value(at);
            value += self.rooms.values[at];
            self.rooms.tradable[at] = closes[asset as usize].is_finite();
            if impact {
                self.rooms.vol_daily[at] = tape.vol_daily(session, asset);
                self.rooms.dollar_volume[at] = tape.dollar_volume(session, asset);
            }
        }
        for (at, &asset) in self.universe.iter().enumerate() {
            // What may not be bought any more may be kept or sold; the rest of its weight is cash.
            let most = if value > 0.0 { self.rooms.values[at] / value } else { 0.0 };
            if wanted[at + 1] > most && !tape.may_be_bought(session, asset) && self.rooms.tradable[at] {
                wanted[0] += wanted[at + 1] - most;
                wanted[at + 1] = most;
            }
            self.rooms.seen[at] = self.memory[at].close;
            self.memory[at].traded = 0.0;
        }
        let rooms = &mut self.rooms;
        let depth = Depth { vol_daily: &rooms.vol_daily, dollar_volume: &rooms.dollar_volume };
        let units = if config.fractional_shares { ShareUnits::Fractional } else { ShareUnits::Whole(&rooms.seen) };
        let funding = if config.initial_funding && self.unfunded { Funding::Initial } else { Funding::Rebalance };
        // What is owed and could not be paid is not there to be invested.
        let owed = self.account.unpaid().to_f64();
        plan_trades(
            &config.execution,
            Holdings { cash: (cash - owed).max(0.0), values: &rooms.values },
            Wish { weights: &wanted, actions, forced_exits: None, funding },
            Venue { tradable: &rooms.tradable, depth: impact.then_some(depth), units },
            &mut rooms.scratch,
            &mut rooms.trades,
        );
        let scale = if value > 0.0 { 1.0 / value } else { 0.0 };
        for (weight, (held, trade)) in rooms.weights.iter_mut().zip(rooms.values.iter().zip(&rooms.trades)) {
            *weight = (held + trade).max(0.0) * scale;
        }
        self.rooms.wanted = wanted;
        Planned { value }
    }

    /// Fills the planned trades at `prices` (of the whole tape), sales first.
    fn trade(&mut self, config: &EnvConfig, prices: &[f64], date: Date, info: &mut Info) -> Result<(), Error> {
        let (rooms, universe) = (&self.rooms, &self.universe);
        let orders = Orders {
            trades: &rooms.trades,
            values: &rooms.values,
            seen: &rooms.seen,
            vol_daily: &rooms.vol_daily,
            dollar_volume: &rooms.dollar_volume,
        };
        let terms = Terms::new(config.execution.cost, config.fractional_shares);
        let mut till = Counter { account: &mut self.account, memory: &mut self.memory, date, info };
        fill_orders(terms, orders, |at| exact(prices[universe[at] as usize]), &mut till)
    }

    /// Pays the taxes that are due, by sales at the session's price where cash does not suffice.
    fn pay_taxes(&mut self, config: &EnvConfig, tape: &Tape, date: Date, info: &mut Info) -> Result<(), Error> {
        self.account.settle(date)?;
        let unpaid = self.account.unpaid();
        if unpaid.is_zero() {
            return Ok(());
        }
        let prices =
            if config.timing == Timing::NextClose { tape.closes(self.session) } else { tape.opens(self.session) };
        let (rooms, universe) = (&self.rooms, &self.universe);
        let terms = Terms::new(config.execution.cost, config.fractional_shares);
        let mut till = Counter { account: &mut self.account, memory: &mut self.memory, date, info };
        let price_of = |at: usize| exact(prices[universe[at] as usize]);
        let depth_of = |at: usize| (rooms.vol_daily[at], rooms.dollar_volume[at]);
        raise_cash(terms, unpaid, universe.len(), price_of, depth_of, &mut till)?;
        self.account.settle(date)?;
        Ok(())
    }

    /// Splits, dividends and ends of the session that has begun.
    fn corporate_actions(&mut self, config: &EnvConfig, tape: &Tape, date: Date) -> Result<(), Error> {
        let (splits, pays) = (tape.splits_in(self.session), tape.pays_in(self.session));
        for at in 0..self.universe.len() {
            let asset = self.universe[at];
            if splits {
                for split in tape.splits(self.session, asset) {
                    self.account.split(date, at, split.new, split.old)?;
                    let memory = &mut self.memory[at];
                    memory.stale = true;
                    // The close that was seen is put into units of today, and with it what is wanted.
                    memory.close *= split.old.to_f64() / split.new.to_f64();
                    self.rooms.seen[at] = memory.close;
                }
            }
            // The book is asked only where its lots were not read since its last event.
            let holds = || match self.memory[at].stale {
                true => self.account.held(at).is_positive(),
                false => self.lots[at].shares() > 0.0,
            };
            if pays && holds() {
                for per_share in tape.dividends(self.session, asset) {
                    self.account.dividend(date, at, per_share);
                }
            }
            if self.lots[at].shares() > 0.0 && tape.has_ended(self.session, asset) {
                let shares = self.account.held(at);
                let lost = || exact(self.memory[at].close * (1.0 - config.delisting_loss));
                let last = tape.payout(asset).or_else(lost);
                let amount = last.map_or(Money::ZERO, |price| price * shares);
                self.account.close_out(date, at, Trade { shares, amount, fee: Money::ZERO })?;
                self.memory[at].note(date, amount);
                self.rooms.trades[at] = 0.0;
            }
        }
        Ok(())
    }

    /// Takes the closes of the session in.
    fn see_closes(&mut self, tape: &Tape) {
        let (closes, rets) = (tape.closes(self.session), tape.rets(self.session));
        for (memory, &asset) in self.memory.iter_mut().zip(&self.universe) {
            let (close, ret) = (closes[asset as usize], rets[asset as usize]);
            if close.is_finite() {
                memory.close = close;
            }
            if ret.is_finite() {
                memory.growth *= 1.0 + ret;
            }
        }
    }

    /// Mean return of the episode's assets that traded: equal weights, rebalanced daily, no cost.
    fn equal_weight_ret(&self, tape: &Tape) -> f64 {
        let rets = tape.rets(self.session);
        let (mut sum, mut n) = (0.0, 0_u32);
        for &asset in &self.universe {
            let ret = rets[asset as usize];
            if ret.is_finite() {
                sum += ret;
                n += 1;
            }
        }
        if n > 0 { sum / f64::from(n) } else { 0.0 }
    }
}

/// An account with what is remembered of its trades.
struct Counter<'a> {
    account: &'a mut Account,
    memory: &'a mut [Memory],
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
        self.info.sold += self.memory[at].note(self.date, trade.amount);
        self.info.cost += trade.fee.to_f64();
        self.info.n_trades += 1;
        Ok(())
    }

    fn buy(&mut self, at: usize, _: Price, trade: Trade) -> Result<(), Error> {
        self.account.buy(self.date, at, trade)?;
        self.info.bought += self.memory[at].note(self.date, trade.amount);
        self.info.cost += trade.fee.to_f64();
        self.info.n_trades += 1;
        Ok(())
    }
}

/// What the orders were sized with.
struct Planned {
    value: f64,
}

fn cash_ratio(cash: Money, value: f64) -> f64 {
    if value > 0.0 { (cash.to_f64() / value).clamp(0.0, 1.0) } else { 1.0 }
}
