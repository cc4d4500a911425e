//! One step: decided at a close, traded at the next price, valued at the next close (SPEC E-01).

use lotwise_core::{Date, Money, Rate, Shares};
use lotwise_tax::Trade;

use super::episode::{End, Episode, Info, StepResult, exact};
use super::tape::Tape;
use super::{EnvConfig, Timing};
use crate::Error;
use crate::execution::{Action, Depth, Funding, Holdings, ShareUnits, Venue, Wish, plan_trades};
use crate::reward::StepFacts;

/// A sale of this part of a position is a sale of all of it.
const ALL: f64 = 1.0 - 1e-9;
/// Trades of less than this are rounding, US dollars.
const LEAST_TRADE: f64 = 1e-6;

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
        if self.cash_rate.1 != 0.0 {
            self.account.interest(self.cash_rate.0);
        }
        self.corporate_actions(config, tape, date)?;
        match config.timing {
            Timing::NextOpen => self.trade(config, tape.opens(next), date, &mut info)?,
            Timing::NextClose => self.trade(config, tape.closes(next), date, &mut info)?,
            Timing::SameClose => {}
        }
        self.account.settle(date)?;
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
            risk_free_ret: self.cash_rate.1,
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
            self.rooms.prices[at] = self.memory[at].close;
        }
        let rooms = &mut self.rooms;
        let depth = Depth { vol_daily: &rooms.vol_daily, dollar_volume: &rooms.dollar_volume };
        let units = if config.fractional_shares { ShareUnits::Fractional } else { ShareUnits::Whole(&rooms.prices) };
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
        if owed > cash {
            // Taxes are due whatever the weights: the missing cash is raised from all positions alike,
            // and a cent more, so that rounding leaves nothing owed.
            let missing = owed - cash + 0.01;
            let part = missing / (value - cash).max(missing);
            for (trade, held) in rooms.trades.iter_mut().zip(&rooms.values) {
                *trade = trade.min(-part * held);
            }
        }
        let scale = if value > 0.0 { 1.0 / value } else { 0.0 };
        for (weight, (held, trade)) in rooms.weights.iter_mut().zip(rooms.values.iter().zip(&rooms.trades)) {
            *weight = (held + trade).max(0.0) * scale;
        }
        self.rooms.wanted = wanted;
        Planned { value }
    }

    /// Fills the planned trades at `prices` (of the whole tape), sales first.
    fn trade(&mut self, config: &EnvConfig, prices: &[f64], date: Date, info: &mut Info) -> Result<(), Error> {
        let cost = config.execution.cost;
        let rate = Rate::from_billionths((cost.rate() * 1e9).round() as i128);
        for at in 0..self.universe.len() {
            self.memory[at].traded = 0.0;
            let (trade, price) = (self.rooms.trades[at], prices[self.universe[at] as usize]);
            if trade > -LEAST_TRADE || self.memory[at].close.is_nan() {
                continue;
            }
            let Some(exact) = exact(price) else { continue };
            let held = self.account.held(at);
            let all = -trade >= self.rooms.values[at] * ALL;
            let shares = if all { held } else { self.shares(config, at, -trade).min(held) };
            if !shares.is_positive() {
                continue;
            }
            let amount = exact * shares;
            let fee = self.fee(config, at, amount, rate);
            self.account.sell(date, at, Trade { shares, amount, fee })?;
            info.sold += self.note(at, date, amount);
            info.cost += fee.to_f64();
            info.n_trades += 1;
        }
        let mut needed = 0.0;
        for at in 0..self.universe.len() {
            let (trade, price) = (self.rooms.trades[at], prices[self.universe[at] as usize]);
            if trade > LEAST_TRADE && price.is_finite() && self.memory[at].close > 0.0 {
                let dollars = trade / self.memory[at].close * price;
                let impact = cost.impact(dollars, self.rooms.vol_daily[at], self.rooms.dollar_volume[at]);
                needed += dollars * (1.0 + cost.rate()) + impact;
            }
        }
        let cash = self.account.cash().to_f64();
        let factor = if needed > cash { (cash / needed).max(0.0) } else { 1.0 };
        for at in 0..self.universe.len() {
            let (trade, price) = (self.rooms.trades[at], prices[self.universe[at] as usize]);
            if trade <= LEAST_TRADE || self.memory[at].close.is_nan() {
                continue;
            }
            let Some(exact) = exact(price) else { continue };
            let mut shares = self.shares(config, at, trade * factor);
            let mut amount = exact * shares;
            let mut fee = self.fee(config, at, amount, rate);
            // Rounding can leave the last purchase a billionth short of cash.
            if amount + fee > self.account.cash() {
                let missing = (amount + fee - self.account.cash()).to_f64() / price;
                shares = self.whole(config, (shares.to_f64() - missing) * (1.0 - 1e-12) - 2e-9);
                amount = exact * shares;
                fee = self.fee(config, at, amount, rate);
            }
            if !shares.is_positive() || amount + fee > self.account.cash() {
                continue;
            }
            self.account.buy(date, at, Trade { shares, amount, fee })?;
            info.bought += self.note(at, date, amount);
            info.cost += fee.to_f64();
            info.n_trades += 1;
        }
        Ok(())
    }

    /// Shares for dollars at the close that was seen, in units of today.
    fn shares(&self, config: &EnvConfig, at: usize, dollars: f64) -> Shares {
        self.whole(config, dollars / self.memory[at].close)
    }

    fn whole(&self, config: &EnvConfig, shares: f64) -> Shares {
        if config.fractional_shares {
            Shares::from_billionths((shares * 1e9).floor().max(0.0) as i128)
        } else {
            // A hair more, so that a whole number that went through a division stays one.
            Shares::from_whole((shares + 1e-9).floor().max(0.0) as i64)
        }
    }

    fn fee(&self, config: &EnvConfig, at: usize, amount: Money, rate: Rate) -> Money {
        let proportional = amount * rate;
        if config.execution.cost.impact_coef == 0.0 {
            return proportional;
        }
        let (vol, volume) = (self.rooms.vol_daily[at], self.rooms.dollar_volume[at]);
        let impact = config.execution.cost.impact(amount.to_f64(), vol, volume);
        proportional + Money::from_billionths((impact * 1e9).round() as i128)
    }

    /// Remembers a trade and gives its dollars.
    fn note(&mut self, at: usize, date: Date, amount: Money) -> f64 {
        let dollars = amount.to_f64();
        let memory = &mut self.memory[at];
        (memory.last_trade, memory.growth, memory.stale) = (date.days(), 1.0, true);
        memory.traded += dollars;
        dollars
    }

    /// Splits, dividends and ends of the session that has begun.
    fn corporate_actions(&mut self, config: &EnvConfig, tape: &Tape, date: Date) -> Result<(), Error> {
        let quiet = tape.is_quiet(self.session);
        for at in 0..self.universe.len() {
            let asset = self.universe[at];
            if !quiet {
                for split in tape.splits(self.session, asset) {
                    self.account.split(date, at, split.new, split.old)?;
                    let memory = &mut self.memory[at];
                    memory.stale = true;
                    // The close that was seen is put into units of today, and with it what is wanted.
                    memory.close *= split.old.to_f64() / split.new.to_f64();
                }
                if self.account.held(at).is_positive() {
                    for per_share in tape.dividends(self.session, asset) {
                        self.account.dividend(date, at, per_share);
                    }
                }
            }
            if self.lots[at].shares() > 0.0 && tape.has_ended(self.session, asset) {
                let shares = self.account.held(at);
                let lost = || exact(self.memory[at].close * (1.0 - config.delisting_loss));
                let last = tape.payout(asset).or_else(lost);
                let amount = last.map_or(Money::ZERO, |price| price * shares);
                self.account.close_out(date, at, Trade { shares, amount, fee: Money::ZERO })?;
                self.note(at, date, amount);
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

/// What the orders were sized with.
struct Planned {
    value: f64,
}

fn cash_ratio(cash: Money, value: f64) -> f64 {
    if value > 0.0 { (cash.to_f64() / value).clamp(0.0, 1.0) } else { 1.0 }
}
