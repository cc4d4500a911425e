//! What a backtest is told beside the market and the strategy.

use lotwise_core::{Date, Money, Objective, Rate};
use lotwise_tax::{FilingStatus, FlatRates, Method, StateRates};

/// How a run trades and is taxed. There is no hidden default: [`BacktestConfig::standard`] states
/// every one.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestConfig {
    /// Cash at the start (SPEC E-04: 100,000 dollars).
    pub initial_cash: Money,
    /// The first decision falls on the close of the last session on or before this date.
    pub from: Date,
    /// Last session.
    pub to: Date,
    /// Sessions between two decisions, at least one.
    pub rebalance_sessions: usize,
    /// Trades that move an asset by no more than this fraction of the value are left out (E-06).
    pub rebalance_threshold: f64,
    /// Most that is traded in one session, both sides, as a fraction of the value (E-08); `None`
    /// for no limit. The first purchases from cash and exits that are forced are exempt.
    pub turnover_cap: Option<f64>,
    /// Costs of trading.
    pub costs: Costs,
    /// Taxes.
    pub taxes: Taxes,
    /// Which lots leave in a sale.
    pub method: Method,
    /// Return of cash a year, as a fraction; paid every session.
    pub cash_rate_annual: f64,
    /// What is lost of the last price when a symbol ends whose payout is not known, 0 to 1.
    pub delisting_loss: f64,
    /// What the account is for; policies may look at it.
    pub objective: Objective,
}

impl BacktestConfig {
    /// 100,000 dollars, a decision every session, 5 basis points a side, flat taxes of 24 % and
    /// 15 % with lots chosen by least tax, cash that earns nothing.
    #[must_use]
    pub fn standard(from: Date, to: Date) -> Self {
        Self {
            initial_cash: Money::from_whole(100_000),
            from,
            to,
            rebalance_sessions: 1,
            rebalance_threshold: 0.0,
            turnover_cap: None,
            costs: Costs { basis_points: 5.0, impact: None },
            taxes: Taxes::standard(),
            method: Method::MinTax,
            cash_rate_annual: 0.0,
            delisting_loss: 0.0,
            objective: Objective::MaxGain1y,
        }
    }

    /// Names the first setting out of its range, and says what it may be.
    #[must_use]
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let fraction = |value: f64| (0.0..=1.0).contains(&value);
        let checks = [
            (
                "initial_cash",
                self.initial_cash.is_positive() && self.initial_cash <= LARGEST_CASH,
                "above 0 and up to 1e12",
            ),
            ("to", self.to > self.from, "later than from"),
            ("rebalance_sessions", self.rebalance_sessions >= 1, "at least 1"),
            ("rebalance_threshold", fraction(self.rebalance_threshold), "from 0 to 1"),
            ("turnover_cap", self.turnover_cap.is_none_or(|cap| cap > 0.0 && cap <= 2.0), "above 0 and up to 2"),
            ("cost_bps", (0.0..=1000.0).contains(&self.costs.basis_points), "from 0 to 1000"),
            (
                "impact_coefficient",
                self.costs.impact.is_none_or(|impact| (0.0..=100.0).contains(&impact.coefficient)),
                "from 0 to 100",
            ),
            ("cash_rate", (-0.05..=0.5).contains(&self.cash_rate_annual), "from -0.05 to 0.5"),
            ("delisting_loss", fraction(self.delisting_loss), "from 0 to 1"),
            ("method", self.method != Method::Average, "fifo, lifo, hifo, lofo or min-tax; shares are not averaged"),
        ];
        checks.into_iter().find(|(_, fits, _)| !fits).map(|(setting, _, expected)| (setting, expected))
    }
}

/// Amounts beyond this leave the range in which prices of a billionth stay exact.
const LARGEST_CASH: Money = Money::from_whole(1_000_000_000_000);

/// What trading costs (SPEC E-10).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Of the traded amount, for each side.
    pub basis_points: f64,
    /// Price impact; `None` for none.
    pub impact: Option<Impact>,
}

/// `coefficient · σ · √(q / ADV)` of the traded amount `q`: σ is the standard deviation of the last
/// 21 daily returns and ADV the mean amount traded in the last 20 sessions, both known at the
/// close of the decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impact {
    /// About one in the literature on large orders.
    pub coefficient: f64,
}

/// How dividends are taxed. The holding test of a qualified dividend is not made lot by lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DividendTax {
    /// At the rates of long-term gains.
    Qualified,
    /// At ordinary rates.
    Ordinary,
}

/// The taxes of the account.
#[derive(Debug, Clone, PartialEq)]
pub enum Taxes {
    /// An account without taxes, for instance a retirement account: no lots are booked.
    None,
    /// Two flat rates: an explicit simplification (tax rule 5.6).
    Flat {
        /// On short- and long-term gains.
        rates: FlatRates,
        /// Loss that may reduce other income in a year.
        loss_limit: Money,
        /// Dividends.
        dividends: DividendTax,
    },
    /// Brackets, the 0/15/20 % bands and the tax on net investment income: what the account adds
    /// to the tax of a household with these wages. Years from 2018 on.
    Brackets {
        /// How the household files.
        status: FilingStatus,
        /// Its other income.
        wages: Money,
        /// State rates.
        state: StateRates,
        /// Dividends.
        dividends: DividendTax,
    },
}

impl Taxes {
    /// Flat rates of 24 % and 15 %, a loss of 3,000 a year against other income, qualified dividends.
    #[must_use]
    pub fn standard() -> Self {
        Self::Flat {
            rates: FlatRates::default(),
            loss_limit: Money::from_whole(3_000),
            dividends: DividendTax::Qualified,
        }
    }

    /// Marginal rates by which [`Method::MinTax`] orders lots.
    #[must_use]
    pub fn marginal(&self) -> FlatRates {
        match self {
            Self::None => FlatRates { short: Rate::ZERO, long: Rate::ZERO },
            Self::Flat { rates, .. } => *rates,
            Self::Brackets { .. } => FlatRates::default(),
        }
    }

    /// The mode in words, for reports.
    #[must_use]
    pub fn describe(&self) -> String {
        let dividends = |how: &DividendTax| match how {
            DividendTax::Qualified => "qualified",
            DividendTax::Ordinary => "ordinary",
        };
        match self {
            Self::None => "none (an account without taxes)".to_owned(),
            Self::Flat { rates, loss_limit, dividends: how } => format!(
                "flat rates (simplified): short-term {}, long-term {}, losses up to ${loss_limit} a year against other income, {} dividends",
                rates.short,
                rates.long,
                dividends(how)
            ),
            Self::Brackets { status, wages, dividends: how, .. } => format!(
                "federal brackets, {} with ${wages} of other income, {} dividends",
                status.name().replace('_', " "),
                dividends(how)
            ),
        }
    }
}
