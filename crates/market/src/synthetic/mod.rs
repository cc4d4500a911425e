//! A seeded market with a known truth (SPEC D-10), for tests, training and the bundled sample.
//!
//! Four Markov regimes move one market factor and eleven sector factors; each symbol adds its own
//! GARCH(1,1) noise with Student-t tails, earnings jumps, dividends and splits. What can be
//! foretold is planted on purpose ([`Predictability::Planted`]) or is nothing at all
//! ([`Predictability::None`]), and [`Truth`] says how much it was.
//!
//! Timing: a value at session `t` is known at the close of `t`. Returns are simple total returns
//! from close to close, except where a name says otherwise.

mod bars;
mod config;
mod errors;
mod events;
mod factors;
mod generate;
mod lives;
mod signals;
mod universe;

use lotwise_core::{Date, Price, Rate, RawBar, Regime, Symbol};

use crate::{AssetIdx, SessionIdx};

pub use config::{
    ActionConfig, EarningsConfig, GarchConfig, LifeConfig, MarketConfig, PlantedSignal, Predictability, RegimeConfig,
    SignalKind,
};
pub use errors::SyntheticError;
pub use generate::generate;
pub use lives::EndReason;
pub use universe::{GICS_SECTORS, Listing, ListingKind, ScriptedSplit, Universe};

/// One symbol's place in the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntheticTicker {
    /// Ticker symbol.
    pub symbol: Symbol,
    /// Name of the company or fund.
    pub name: String,
    /// One of the eleven GICS sectors, or `ETF` for a fund, as in `tickers.csv`.
    pub gics_sector: &'static str,
}

/// A dividend or a split on its ex-date; what does not apply is nothing (zero dividend, ratio one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntheticAction {
    /// First session without the right.
    pub ex_date: Date,
    /// Ticker symbol.
    pub symbol: Symbol,
    /// Dollars a share, adjusted for later splits, as data sources publish it.
    pub dividend: Price,
    /// Dollars a share as paid on the day.
    pub dividend_paid: Price,
    /// New shares for one old share.
    pub split: Rate,
}

/// One quarterly report.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticEarnings {
    /// Ticker symbol.
    pub symbol: Symbol,
    /// Day of the report.
    pub announced: Date,
    /// Whether the report came before the open (the same session reacts) or after the close (the next one does).
    pub before_open: bool,
    /// First session that could react.
    pub reaction: Date,
    /// Expected earnings a share, US dollars.
    pub eps_estimate: f64,
    /// Reported earnings a share, US dollars.
    pub reported_eps: f64,
    /// Surprise in standard deviations; what post-earnings drift follows.
    pub surprise: f64,
}

/// What a company's books say after a report; known from `available_at` on.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticFundamentals {
    /// Ticker symbol.
    pub symbol: Symbol,
    /// First session on which this may be used.
    pub available_at: Date,
    /// Earnings a share of the last four quarters, US dollars, in the share count of the day.
    pub eps_trailing: f64,
    /// Book value a share, US dollars, in the share count of the day.
    pub book_value_per_share: f64,
    /// Return on equity, a fraction.
    pub return_on_equity: f64,
    /// Net profit margin, a fraction.
    pub profit_margin: f64,
    /// Revenue growth over a year, a fraction.
    pub revenue_growth: f64,
    /// Debt to equity, a ratio.
    pub debt_to_equity: f64,
    /// Shares outstanding on the day.
    pub shares_outstanding: f64,
    /// Market value, US dollars.
    pub market_cap: f64,
}

/// A listing that ended within the market.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticDelisting {
    /// Ticker symbol.
    pub symbol: Symbol,
    /// Last session with a bar; known at its open, which jumps.
    pub last_session: Date,
    /// Why it ended.
    pub reason: EndReason,
    /// Return from the last close to what is paid out, a fraction: 0 for a company that was bought.
    pub ret_after: f64,
    /// What is paid out after the last close, dollars a share as traded.
    pub payout: Price,
}

/// What the generator knows and a reader of the market must find out.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Regime of each session.
    pub regimes: Vec<Regime>,
    /// Market factor's return in each session.
    pub market_factor: Vec<f64>,
    /// Sector factors' returns, session by session.
    pub sector_factors: Vec<[f64; 11]>,
    /// Each symbol's weight on the market factor.
    pub betas: Vec<f64>,
    /// Planted signals at the close of each session: kind, chosen information coefficient, and values
    /// asset by asset (`asset * n_sessions + session`), standardised across symbols; 0 where undefined.
    pub signals: Vec<(PlantedSignal, Vec<f32>)>,
    /// Expected simple total return of the next session given everything up to the close, asset by
    /// asset (`asset * n_sessions + session`): what an oracle would trade on
    /// ([`SyntheticMarket::oracle`]). A session in which a listing ends counts with what is paid out.
    /// 0 before the first and from the last bar of a listing on.
    pub expected_next_ret: Vec<f64>,
    /// The part of each session's return that belongs to the symbol alone, without earnings jumps,
    /// asset by asset, 0 without a bar; information coefficients are measured against it, in units of
    /// `specific_vol` of the session before.
    pub specific_ret: Vec<f64>,
    /// Standard deviation of the symbol's own part of the next session's return, asset by asset; 0
    /// where no bar follows.
    pub specific_vol: Vec<f64>,
}

/// A generated market.
#[derive(Debug, Clone)]
pub struct SyntheticMarket {
    /// All sessions, rising.
    pub sessions: Vec<Date>,
    /// Bars of each symbol in the layout of a price table: split-adjusted, `adj_close` also adjusted
    /// for dividends. Symbols rise; a symbol has bars from its listing to its end, none where that lies
    /// outside the market.
    pub bars: Vec<(Symbol, Vec<RawBar>)>,
    /// One entry per symbol, in the order of `bars`.
    pub tickers: Vec<SyntheticTicker>,
    /// Dividends and splits by ex-date, then symbol.
    pub actions: Vec<SyntheticAction>,
    /// Reports by day, then symbol.
    pub earnings: Vec<SyntheticEarnings>,
    /// Fundamentals by day, then symbol.
    pub fundamentals: Vec<SyntheticFundamentals>,
    /// Listings that ended, by last session, then symbol.
    pub delistings: Vec<SyntheticDelisting>,
    /// What the generator knows.
    pub truth: Truth,
    /// Closes as traded, before any adjustment, asset by asset, US dollars; NaN without a bar.
    raw_closes: Vec<f64>,
}

impl SyntheticMarket {
    /// Number of symbols.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.bars.len()
    }

    /// Number of sessions.
    #[must_use]
    pub fn n_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Where a symbol stands.
    #[must_use]
    pub fn asset(&self, symbol: &str) -> Option<AssetIdx> {
        self.bars.binary_search_by(|(candidate, _)| candidate.as_str().cmp(symbol)).ok().map(AssetIdx)
    }

    /// The close as it was traded that day, before later splits.
    ///
    /// `None` when the symbol has no bar on that day.
    #[must_use]
    pub fn raw_close(&self, asset: AssetIdx, date: Date) -> Option<Price> {
        let session = self.sessions.binary_search(&date).ok()?;
        let close = *self.raw_closes.get(self.cell(asset, SessionIdx(session)))?;
        if close.is_nan() { None } else { Price::from_f64(close) }
    }

    /// Lowest and highest trade of the day, before later splits, US dollars.
    ///
    /// `None` when the symbol has no bar on that day.
    #[must_use]
    pub fn raw_range(&self, asset: AssetIdx, date: Date) -> Option<(f64, f64)> {
        let session = self.sessions.binary_search(&date).ok()?;
        let bars = &self.bars.get(asset.0)?.1;
        let bar = &bars[bars.binary_search_by_key(&date, |bar| bar.date).ok()?];
        let factor = self.raw_closes[self.cell(asset, SessionIdx(session))] / bar.close;
        Some((bar.low * factor, bar.high * factor))
    }

    /// Expected simple total return from this close to the next, given everything that can be known:
    /// the best that any forecast can do. `None` where the symbol has no bar in this session or the next.
    #[must_use]
    pub fn oracle(&self, asset: AssetIdx, session: SessionIdx) -> Option<f64> {
        let (now, next) = (self.cell(asset, session), session.0 + 1);
        let trades = next < self.n_sessions() && !self.raw_closes[now].is_nan() && !self.raw_closes[now + 1].is_nan();
        trades.then(|| self.truth.expected_next_ret[now])
    }

    /// Expected return of the next session of the best `n_names` at equal weights, less that of all at
    /// equal weights, both before costs: the upper bound for a portfolio of that many names against
    /// equal weight (SPEC V-10). `None` where fewer symbols go on trading.
    #[must_use]
    pub fn oracle_excess(&self, session: SessionIdx, n_names: usize) -> Option<f64> {
        let mut expected: Vec<f64> =
            (0..self.n_assets()).filter_map(|asset| self.oracle(AssetIdx(asset), session)).collect();
        if n_names == 0 || expected.len() < n_names {
            return None;
        }
        expected.sort_by(|a, b| b.total_cmp(a));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        Some(mean(&expected[..n_names]) - mean(&expected))
    }

    /// Position of one asset's session in the asset-by-asset vectors.
    #[must_use]
    pub fn cell(&self, asset: AssetIdx, session: SessionIdx) -> usize {
        asset.0 * self.sessions.len() + session.0
    }
}
