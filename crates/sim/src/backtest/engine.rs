//! The run: session by session, from the open to the close.

use lotwise_core::{Date, Money, Price, Rounding, Shares, Symbol, mul_div};
use lotwise_market::{Field, SessionIdx};
use lotwise_tax::{LotIdx, Trade};

use super::Strategy;
use super::account::{Account, AccountView};
use super::config::{BacktestConfig, Taxes};
use super::execute::{Plan, Side};
use super::market::BacktestMarket;
use super::record::{Event, EventKind, FinalValues, Record, SessionRecord, TradeRecord};
use super::tax_years::TaxYears;
use crate::execution::session_interest;
use crate::policy::Observation;

/// Why a backtest cannot be run, or not to its end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BacktestError {
    /// A setting is out of its range.
    #[error("the setting {setting} is out of range, it must be {expected}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// The period holds no session to trade in.
    #[error("there is no session to trade in between {from} and {to}")]
    NoSessions {
        /// Start of the period.
        from: Date,
        /// End of the period.
        to: Date,
    },
    /// The strategy failed.
    #[error("{strategy} could not decide at the close of {date}: {error}")]
    Strategy {
        /// Its name.
        strategy: String,
        /// The session.
        date: Date,
        /// Why.
        error: crate::Error,
    },
    /// The tax of a year cannot be computed.
    #[error(transparent)]
    Tax(#[from] lotwise_tax::Error),
    /// A trade is beyond what the book can hold.
    #[error("a trade in {symbol} on {date} is beyond the range of the book")]
    Booking {
        /// The session.
        date: Date,
        /// What was traded.
        symbol: Symbol,
    },
}

/// What has happened so far today.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Today {
    pub costs: Money,
    pub traded: Money,
    pub tax_paid: Money,
}

/// A corporate action on its session.
#[derive(Debug, Clone, Copy)]
enum Action {
    Split(usize),
    Dividend(Price),
}

/// A run under way.
pub(super) struct Run<'a> {
    pub market: &'a BacktestMarket<'a>,
    pub config: &'a BacktestConfig,
    pub account: Account,
    pub today: Today,
    pub trades: Vec<TradeRecord>,
    pub taxes: TaxYears,
    /// Tax that is due and could not be paid.
    pub owed: Money,
    /// What waits for the next open.
    pub plan: Plan,
    /// Last close of each asset as traded, in the basis of the day.
    marks: Vec<Option<Price>>,
    actions: Vec<(usize, usize, Action)>,
    next_action: usize,
    events: Vec<Event>,
    sessions: Vec<SessionRecord>,
}

/// Runs a strategy over a period of the market.
///
/// # Errors
/// For a setting out of range, a period without sessions, a strategy that fails, or a year whose
/// tax is not known.
pub fn run(
    market: &BacktestMarket<'_>,
    strategy: &mut dyn Strategy,
    config: &BacktestConfig,
) -> Result<Record, BacktestError> {
    if let Some((setting, expected)) = config.fault() {
        return Err(BacktestError::Setting { setting, expected });
    }
    let none = || BacktestError::NoSessions { from: config.from, to: config.to };
    let last = market.session(config.to).ok_or_else(none)?.0;
    let first = market.session(config.from).map_or(0, |session| session.0);
    if last <= first {
        return Err(none());
    }
    let mut run = Run::new(market, config, strategy.needs_lots(), first);
    let mut weights = Vec::new();
    run.decide(strategy, first, &mut weights)?;
    for session in first + 1..=last {
        run.open(session)?;
        run.fill(session)?;
        run.close(session)?;
        if session < last && (session - first).is_multiple_of(config.rebalance_sessions) {
            run.decide(strategy, session, &mut weights)?;
        }
    }
    run.finish(strategy.name(), first, last)
}

impl<'a> Run<'a> {
    fn new(market: &'a BacktestMarket<'a>, config: &'a BacktestConfig, keeps_lots: bool, first: usize) -> Self {
        let n_assets = market.assets().len();
        let mut actions = Vec::new();
        for (asset, history) in market.histories.iter().enumerate() {
            let splits = history.splits.iter().enumerate();
            actions.extend(splits.map(|(at, (session, _))| (*session, asset, Action::Split(at))));
            let dividends = history.dividends.iter();
            actions.extend(dividends.map(|(session, per_share)| (*session, asset, Action::Dividend(*per_share))));
        }
        // A split comes before a dividend of the same day, which is stated in new shares.
        actions.sort_by_key(|(session, asset, action)| (*session, *asset, matches!(action, Action::Dividend(_))));
        let next_action = actions.partition_point(|(session, ..)| *session <= first);
        Self {
            market,
            config,
            account: Account::new(config.initial_cash, n_assets, &config.taxes, config.method, keeps_lots),
            today: Today::default(),
            trades: Vec::new(),
            taxes: TaxYears::new(config.taxes.clone()),
            owed: Money::ZERO,
            plan: Plan::new(n_assets),
            marks: vec![None; n_assets],
            actions,
            next_action,
            events: Vec::new(),
            sessions: Vec::new(),
        }
    }

    fn date(&self, session: usize) -> Date {
        self.market.panel().sessions()[session]
    }

    /// What happens before trading: interest, splits, dividends, ends, taxes.
    fn open(&mut self, session: usize) -> Result<(), BacktestError> {
        self.today = Today::default();
        let date = self.date(session);
        if self.config.cash_rate_annual != 0.0 {
            let interest = session_interest(self.account.cash, self.config.cash_rate_annual);
            self.account.cash += interest;
            self.taxes.add_interest(date, interest);
        }
        while let Some(&(when, asset, action)) = self.actions.get(self.next_action) {
            if when > session {
                break;
            }
            self.next_action += 1;
            let held = self.account.held[asset];
            match action {
                Action::Split(at) => {
                    let split = self.market.histories[asset].splits[at].1;
                    self.marks[asset] = self.marks[asset].and_then(|mark| {
                        let (new, old) = (split.new.billionths(), split.old.billionths());
                        mul_div(mark.billionths(), old, new, Rounding::HalfEven).map(Price::from_billionths)
                    });
                    self.plan.split(asset, split.new, split.old);
                    if held.is_positive() {
                        self.account.split(date, asset, &split).map_err(|_| self.booking(date, asset))?;
                    }
                }
                Action::Dividend(per_share) if held.is_positive() => {
                    let amount = per_share * held;
                    self.account.cash += amount;
                    self.taxes.add_dividend(date, amount);
                }
                Action::Dividend(_) => {}
            }
        }
        for asset in 0..self.account.held.len() {
            let held = self.account.held[asset];
            if held.is_positive() && self.market.has_ended(asset, session) {
                self.pay_out(asset, held, session)?;
            }
        }
        self.pay_taxes(session)
    }

    /// Pays a holding out whose symbol has ended.
    fn pay_out(&mut self, asset: usize, held: Shares, session: usize) -> Result<(), BacktestError> {
        let date = self.date(session);
        let price = self.market.payout(asset).unwrap_or_else(|| {
            let mark = self.marks[asset].unwrap_or(Price::ZERO);
            let kept = ((1.0 - self.config.delisting_loss) * 1e9).round() as i128;
            let price = mul_div(mark.billionths(), kept, 1_000_000_000, Rounding::HalfEven);
            price.map_or(Price::ZERO, Price::from_billionths)
        });
        let amount = price * held;
        self.plan.end(asset);
        let trade = Trade { shares: held, amount, fee: Money::ZERO };
        self.book(asset, price, trade, session, Side::Sale)?;
        let asset = Some(self.market.assets()[asset]);
        self.events.push(Event { date, asset, kind: EventKind::Ended { paid: amount } });
        Ok(())
    }

    fn pay_taxes(&mut self, session: usize) -> Result<(), BacktestError> {
        if self.config.taxes == Taxes::None {
            return Ok(());
        }
        let date = self.date(session);
        let due = self.taxes.due(self.account.book(), date)? + self.owed;
        if due.is_zero() {
            return Ok(());
        }
        if due > self.account.cash {
            let raised = self.raise(due - self.account.cash, session)?;
            self.events.push(Event { date, asset: None, kind: EventKind::SoldForTax { raised } });
        }
        let paid = due.min(self.account.cash);
        self.account.cash -= paid;
        self.today.tax_paid = paid;
        let missing = due - paid;
        if missing.is_positive() && self.owed.is_zero() {
            self.events.push(Event { date, asset: None, kind: EventKind::TaxUnpaid { missing } });
        }
        self.owed = missing;
        Ok(())
    }

    /// Values the account at the close and writes the session down.
    fn close(&mut self, session: usize) -> Result<(), BacktestError> {
        let (mut value, mut largest, mut n_held) = (self.account.cash, Money::ZERO, 0);
        for asset in 0..self.account.held.len() {
            let held = self.account.held[asset];
            if !held.is_positive() {
                continue;
            }
            if let Some(close) = self.market.raw(asset, session, Field::Close) {
                self.marks[asset] = Some(close);
            }
            let worth = self.marks[asset].unwrap_or(Price::ZERO) * held;
            value += worth;
            largest = largest.max(worth);
            n_held += 1;
        }
        let liability = self.taxes.liability(self.account.book())? + self.owed;
        self.sessions.push(SessionRecord {
            date: self.date(session),
            cash: self.account.cash,
            value,
            liability,
            costs: self.today.costs,
            tax_paid: self.today.tax_paid,
            traded: self.today.traded,
            n_held,
            largest,
        });
        Ok(())
    }

    /// Asks the strategy at the close of `session` and sizes orders for the next open. It sees the assets
    /// that may be held and have a bar, and those that are held; what it may no longer hold counts as
    /// cash and is sold.
    fn decide(
        &mut self,
        strategy: &mut dyn Strategy,
        session: usize,
        weights: &mut Vec<f64>,
    ) -> Result<(), BacktestError> {
        let n_assets = self.account.held.len();
        let value = self.sessions.last().map_or(self.config.initial_cash, |last| last.value).to_f64();
        let (mut positions, mut universe) = (Vec::with_capacity(n_assets), Vec::with_capacity(n_assets));
        weights.clear();
        weights.push(0.0);
        for asset in 0..n_assets {
            let held = self.account.held[asset];
            let member = self.market.is_member(asset, session);
            let plan = &mut self.plan;
            plan.wanted[1 + asset] = 0.0;
            plan.forced[asset] = held.is_positive() && !member;
            plan.tradable[asset] = false;
            plan.values[asset] = 0.0;
            let may_be_bought = member && self.market.trades(asset, session);
            if !held.is_positive() && !may_be_bought {
                continue;
            }
            let close = self.market.raw(asset, session, Field::Close);
            plan.tradable[asset] = close.is_some();
            plan.seen[asset] = close.or(self.marks[asset]).map_or(f64::NAN, Price::to_f64);
            if held.is_positive() && plan.seen[asset].is_finite() {
                plan.values[asset] = held.to_f64() * plan.seen[asset];
            }
            if !plan.forced[asset] {
                positions.push(asset);
                universe.push(self.market.assets()[asset]);
                weights.push(if value > 0.0 { plan.values[asset] / value } else { 0.0 });
            }
        }
        let invested: f64 = weights[1..].iter().sum();
        weights[0] = (1.0 - invested).max(0.0);
        let date = self.date(session);
        let closes: Vec<f64> = if strategy.needs_lots() {
            let close = |asset| self.market.raw(asset, session, Field::Close).map_or(f64::NAN, Price::to_f64);
            (0..n_assets).map(close).collect()
        } else {
            Vec::new()
        };
        let observation = Observation {
            market: self.market.panel().at(SessionIdx(session)),
            universe: &universe,
            weights,
            objective: self.config.objective,
        };
        let view = AccountView {
            date,
            value,
            assets: self.market.assets(),
            held: &self.account.held,
            lots: &self.account.lots,
            closes: &closes,
            book: self.account.book().filter(|_| strategy.needs_lots()),
            tax: if strategy.needs_lots() { self.taxes.year(self.account.book(), date.plus_days(1))? } else { None },
            cost_rate: self.config.costs.basis_points / 1e4,
        };
        let decision = strategy.decide(&observation, &view).map_err(|error| BacktestError::Strategy {
            strategy: strategy.name().to_owned(),
            date,
            error,
        })?;
        let wanted = decision.weights.as_slice();
        self.plan.wanted[0] = wanted[0];
        for (at, &asset) in positions.iter().enumerate() {
            self.plan.wanted[1 + asset] = wanted[1 + at];
        }
        self.plan.lots.clear();
        for sale in strategy.lots_to_sell() {
            if let Ok(asset) = self.market.assets().binary_search(&sale.asset) {
                self.plan.lots.entry(asset).or_default().push((LotIdx(sale.lot), sale.shares));
            }
        }
        self.size_orders(session);
        Ok(())
    }

    fn booking(&self, date: Date, asset: usize) -> BacktestError {
        let symbol = self.market.panel().symbols()[self.market.assets()[asset].0].clone();
        BacktestError::Booking { date, symbol }
    }

    fn finish(mut self, strategy: &str, first: usize, last: usize) -> Result<Record, BacktestError> {
        let end = *self.sessions.last().expect("Invariant: a run has a session");
        let years = self.taxes.all(self.account.book())?;
        let last_weights = {
            let value = end.value.to_f64();
            let worth = |asset: usize| self.marks[asset].map_or(0.0, |mark| (mark * self.account.held[asset]).to_f64());
            let weight = |part: f64| if value > 0.0 { part / value } else { 0.0 };
            std::iter::once(weight(end.cash.to_f64()))
                .chain((0..self.account.held.len()).map(|asset| weight(worth(asset))))
                .collect()
        };
        let trades = std::mem::take(&mut self.trades);
        let permanently_disallowed = self.account.permanently_disallowed();
        // Everything is sold on a copy of the book, at the last close and with costs.
        self.today = Today::default();
        for asset in 0..self.account.held.len() {
            let mark = self.marks[asset].unwrap_or(Price::ZERO);
            self.sell_out(asset, mark, last)?;
        }
        let liability = self.taxes.liability(self.account.book())? + self.owed;
        let finals = FinalValues {
            value: end.value,
            after_tax: end.after_tax(),
            liquidation: self.account.cash - liability,
            step_up: self.account.cash - end.liability,
        };
        Ok(Record {
            strategy: strategy.to_owned(),
            initial_cash: self.config.initial_cash,
            start: self.date(first),
            sessions: self.sessions,
            trades,
            years,
            events: self.events,
            finals,
            last_weights,
            permanently_disallowed,
        })
    }
}
