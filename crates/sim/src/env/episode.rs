//! One account on the tape, from a start to a horizon.

use lotwise_core::{Date, Money, Objective, Price, Seed};
use lotwise_tax::{HarvestValue, LossRoom, Term, harvest_value};

use super::lots::PositionView;
use super::positions::Positions;
use super::{Account, EnvConfig, Nav, Tape};
use crate::execution::{Scratch, nearest};
use crate::reward::{Reward, RewardState, TaxFacts};
use crate::state::{GlobalFacts, TickerFacts};
use crate::{Error, SESSIONS_PER_YEAR};

/// Why an episode is over (SPEC E-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The horizon is reached or the tape has run out: the value of the last state counts.
    Truncated,
    /// The account has lost more than it may.
    Terminated,
}

/// What a step did, beside its reward. Money in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Info {
    /// Account value at the close, as [`EnvConfig::nav`] counts it.
    pub value: f64,
    /// Cash and market value.
    pub value_before_tax: f64,
    /// Return of the step.
    pub ret: f64,
    /// Value sold and bought.
    pub sold: f64,
    /// Value bought.
    pub bought: f64,
    /// Costs of trading.
    pub cost: f64,
    /// Trades booked.
    pub n_trades: u32,
}

/// One step's result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepResult {
    /// What it was worth, in parts.
    pub reward: Reward,
    /// Whether it was the last.
    pub end: Option<End>,
    /// What happened.
    pub info: Info,
}

/// An asset of the tape that is not played.
pub(super) const NO_SLOT: u32 = u32::MAX;

/// One environment.
#[derive(Debug, Clone)]
pub struct Episode {
    pub(super) account: Account,
    pub(super) objective: Objective,
    /// Assets of the tape that are played, `[N]`.
    pub(super) universe: Vec<u32>,
    /// Where the assets of the tape stand among them, `[assets of the tape]`.
    pub(super) slots: Vec<u32>,
    pub(super) session: usize,
    pub(super) steps_left: u32,
    pub(super) start_value: f64,
    pub(super) value: f64,
    pub(super) last_turnover: f64,
    pub(super) reward_state: RewardState,
    /// Whether the account was never invested.
    pub(super) unfunded: bool,
    /// Interest of one session, a fraction.
    pub(super) cash_rate: f64,
    pub(super) positions: Positions,
    /// Loss carried into the open year, and what is owed; of the last valuation.
    pub(super) carried: f64,
    pub(super) rooms: Rooms,
}

/// Buffers of a step, `[N]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Rooms {
    pub vol_daily: Vec<f64>,
    pub dollar_volume: Vec<f64>,
    pub trades: Vec<f64>,
    pub weights: Vec<f64>,
    /// Weights wanted, `[1 + N]`.
    pub wanted: Vec<f64>,
    pub scratch: Scratch,
}

impl Episode {
    /// An environment that waits for [`Episode::reset`].
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(config: &EnvConfig) -> Result<Self, Error> {
        config.check()?;
        let n = config.n_assets;
        let rooms = Rooms {
            vol_daily: vec![0.0; n],
            dollar_volume: vec![0.0; n],
            trades: vec![0.0; n],
            weights: vec![0.0; n],
            wanted: Vec::with_capacity(n + 1),
            scratch: Scratch::new(n),
        };
        Ok(Self {
            account: Account::new(n, config.tax),
            objective: Objective::AlphaVsEw,
            universe: vec![0; n],
            slots: Vec::new(),
            session: 0,
            steps_left: 0,
            start_value: 0.0,
            value: 0.0,
            last_turnover: 0.0,
            reward_state: config.reward.start(Objective::AlphaVsEw, 1.0),
            unfunded: true,
            cash_rate: config.cash_rate_annual / SESSIONS_PER_YEAR,
            positions: Positions::new(n),
            carried: 0.0,
            rooms,
        })
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Keeps the events of the account from the next reset on.
    pub fn keep_log(&mut self) {
        self.account.keep_log();
    }

    /// What is rewarded.
    #[must_use]
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// Assets of the tape that are played, `[N]`.
    #[must_use]
    pub fn universe(&self) -> &[u32] {
        &self.universe
    }

    /// Position on the tape of the last close that was seen.
    #[must_use]
    pub fn session(&self) -> usize {
        self.session
    }

    /// Steps until the horizon.
    #[must_use]
    pub fn steps_left(&self) -> u32 {
        self.steps_left
    }

    /// Account value at the last close, as the configuration counts it.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Value before tax: cash and holdings at the last closes.
    #[must_use]
    pub fn value_before_tax(&self) -> f64 {
        self.account.cash().to_f64() + self.positions.total()
    }

    /// Weights at the last close, `[1 + N]`, cash first, of the value before tax.
    pub fn weights(&self, out: &mut [f64]) {
        let value = self.value_before_tax();
        if value <= 0.0 {
            out.fill(0.0);
            out[0] = 1.0;
            return;
        }
        out[0] = self.account.cash().to_f64() / value;
        for (out, held) in out[1..].iter_mut().zip(&self.positions.values) {
            *out = held / value;
        }
    }

    /// Which assets may be bought at the next session, `[N]`, as far as is known now.
    pub fn mask(&self, tape: &Tape, out: &mut [bool]) {
        for (at, &asset) in self.universe.iter().enumerate() {
            out[at] = tape.may_be_bought(self.session, asset);
        }
    }

    /// What a policy sees (SPEC E-02, E-03): `tickers` `[N * 12]`, `global` `[16]`.
    pub fn observe(&self, config: &EnvConfig, tape: &Tape, tickers: &mut [f32], global: &mut [f32]) {
        let date = tape.date(self.session);
        let today = date.days();
        let rates = config.tax.rates;
        let (short_rate, long_rate) = (rates.short.to_f64(), rates.long.to_f64());
        let (positions, memory, cells) = (&self.positions, &self.positions.memory, tape.cells(self.session));
        for (at, numbers) in tickers.as_chunks_mut::<12>().0.iter_mut().enumerate().take(self.universe.len()) {
            let (lots, close, last_trade) = (&positions.lots[at], positions.closes[at], memory.last_trade[at]);
            let (held, traded_value) = (positions.shares(at) > 0.0, memory.traded[at]);
            // Most assets of most accounts are not held: shares of nothing are zero.
            let price = if close.is_finite() { close } else { 0.0 };
            let view = if held { lots.view(price, today) } else { PositionView::default() };
            let facts = TickerFacts {
                value: view.value,
                account_value: self.value,
                basis: view.basis,
                short_term_value: view.short_value,
                loss_lot_value: view.loss_value,
                days_to_long_term: view.days_to_long_term.map(|days| days.max(0) as u32),
                exit_tax: view.short_gain * short_rate + view.long_gain * long_rate,
                sold_at_loss_lately: lots.blocks_purchase(today),
                bought_lately: lots.blocks_harvest(today),
                days_since_trade: (last_trade != i32::MIN).then(|| (today - last_trade).max(0) as u32),
                ret_since_trade: memory.growth[at] - 1.0,
                traded_value,
                // It is only asked for where something was traded.
                dollar_volume: match traded_value > 0.0 {
                    true => f64::from(cells[self.universe[at] as usize].dollar_volume),
                    false => 1.0,
                },
            };
            *numbers = facts.numbers();
        }
        let realised = self.account.realised(date);
        let facts = GlobalFacts {
            cash: self.account.cash().to_f64(),
            value: self.value,
            start_value: self.start_value,
            drawdown: self.reward_state.drawdown(),
            rolling_sharpe: self.reward_state.rolling_sharpe(),
            short_term_gain: realised.short.to_f64(),
            long_term_gain: realised.long.to_f64(),
            loss_carryforward: self.carried,
            season: tape.season(self.session),
            last_turnover: self.last_turnover,
            idle_steps: self.reward_state.idle_steps(),
            short_term_rate: short_rate,
            long_term_rate: long_rate,
            risk_tolerance: config.risk_tolerance,
            horizon_years: config.horizon_years,
        };
        global.copy_from_slice(&facts.numbers());
    }

    /// What the rows since `first` meant for tax; `before` is the year's result before them.
    pub(super) fn tax_facts(
        &self,
        config: &EnvConfig,
        first: usize,
        before: LossRoom,
        cost: f64,
    ) -> Result<TaxFacts, Error> {
        let rows = self.account.book().rows_from(first);
        let mut facts = TaxFacts::default();
        if rows.is_empty() {
            return Ok(facts);
        }
        let rates = config.tax.rates;
        let (short_rate, long_rate) = (rates.short.to_f64(), rates.long.to_f64());
        let mut losses = [Money::ZERO; 2];
        let mut proceeds = [0.0_f64; 2];
        for row in rows {
            let (Some(gain), Some(reportable)) = (row.gain(), row.reportable()) else { continue };
            let is_short = row.term != Some(Term::Long);
            let is_loss = gain.is_negative();
            proceeds[0] += row.proceeds.to_f64();
            if is_loss {
                losses[usize::from(!is_short)] += reportable.min(Money::ZERO).abs();
                proceeds[1] += row.proceeds.to_f64();
            }
            if is_short {
                facts.short_lots_sold += 1;
                facts.short_losses_harvested += u32::from(is_loss && row.disallowed.is_zero());
                if gain.is_positive() {
                    facts.short_gains_sold += 1;
                    facts.avoidable_tax += gain.to_f64() * (short_rate - long_rate).max(0.0);
                }
            }
        }
        for (loss, term) in losses.into_iter().zip([Term::Short, Term::Long]) {
            if loss.is_positive() {
                let value: HarvestValue = harvest_value(loss, term, before, rates, config.tax.carried_share)?;
                facts.harvested_value += value.total().to_f64();
            }
        }
        if facts.harvested_value > 0.0 && proceeds[0] > 0.0 {
            // Selling and buying something like it: twice the cost of the losing part.
            facts.harvested_value -= 2.0 * cost * proceeds[1] / proceeds[0];
        }
        Ok(facts)
    }

    /// Values the account at the closes of its session, which is on `date`.
    pub(super) fn revalue(&mut self, config: &EnvConfig, date: Date) -> Result<(), Error> {
        self.positions.revalue(&self.account, date);
        let before_tax = self.value_before_tax();
        let assessment = self.account.assessment()?;
        self.carried = (assessment.carried.short + assessment.carried.long).to_f64();
        self.value = match config.nav {
            Nav::PreTax => before_tax,
            Nav::AfterTax => before_tax - self.account.value_of(assessment).to_f64(),
        };
        Ok(())
    }

    /// Starts the episode of that number: session, assets and objective drawn, in cash or with random lots (SPEC E-04).
    ///
    /// # Errors
    /// When the tape has no session with enough assets.
    pub fn reset(&mut self, config: &EnvConfig, tape: &Tape, seed: Seed, number: u64) -> Result<(), Error> {
        super::start::reset(self, config, tape, seed, number)
    }
}

/// A price for booking; `None` where nothing can trade.
pub(super) fn exact(price: f64) -> Option<Price> {
    (price > 0.0 && price < 1e7).then(|| Price::from_billionths(nearest(price * 1e9)))
}
