//! Daily prices from outside: who can be asked, what comes back, and the cache in between.
//!
//! A [`PriceProvider`] answers for one symbol. [`Fetcher`] stands before it with a cache, retries,
//! a rate limit and a single flight per symbol; nothing else in the house talks to a provider.

mod cache;
mod chart;
mod error;
mod fetcher;
mod flight;
mod folder;
mod freshness;
mod new_york;
mod pace;
mod yahoo;

use lotwise_core::{Calendar, Date, Instant, Price, Rate, RawBar, Symbol};

use crate::ActionRow;

pub use cache::{CacheEntry, CacheFault, CachedSeries, PriceCache};
pub use error::ProviderError;
pub use fetcher::{FetchSettings, Fetched, Fetcher, Network, Origin};
pub use folder::FolderProvider;
pub use freshness::{Freshness, StaleReason};
pub use new_york::new_york_date;
pub use pace::{Pace, RealPace};
pub use yahoo::{Yahoo, YahooConfig};

/// Somebody who knows daily prices.
pub trait PriceProvider: Send + Sync {
    /// The name that is shown and kept with the prices.
    fn name(&self) -> &str;

    /// Daily bars of `symbol` from `from` to `to`, both included, with the splits and distributions
    /// known today. Makes one attempt; waiting and trying again is [`Fetcher`]'s part.
    ///
    /// # Errors
    /// One sentence that says what to do.
    fn daily(&self, symbol: &Symbol, from: Date, to: Date) -> Result<FetchedSeries, ProviderError>;
}

/// What a provider answered for one symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchedSeries {
    /// Ticker symbol.
    pub symbol: Symbol,
    /// Name of the provider.
    pub provider: String,
    /// Bars with rising dates: adjusted for splits, not for dividends, `adj_close` for both.
    pub bars: Vec<RawBar>,
    /// Payments to holders, by ex-date.
    pub distributions: Vec<Distribution>,
    /// Changes of the share count by ex-date, as new shares for one old share. Odd ratios are
    /// spin-offs; [`crate::CorporateActions`] tells them apart.
    pub splits: Vec<(Date, Rate)>,
    /// The provider's own time of its last quote.
    pub quoted_at: Instant,
    /// Rows that are no bar: the day and what is wrong with it.
    pub skipped: Vec<(Date, String)>,
}

impl FetchedSeries {
    /// Splits and distributions as rows of a table of corporate actions.
    #[must_use]
    pub fn action_rows(&self) -> Vec<ActionRow> {
        let row = |ex_date, dividend, split| ActionRow { ex_date, symbol: self.symbol.clone(), dividend, split };
        let paid = self.distributions.iter().map(|paid| row(paid.ex_date, paid.amount.to_f64(), 1.0));
        paid.chain(self.splits.iter().map(|&(date, ratio)| row(date, 0.0, ratio.to_f64()))).collect()
    }

    /// The day of the last bar when it was quoted before that session ended, so that its close and
    /// volume still change.
    #[must_use]
    pub fn unfinished(&self, calendar: &Calendar) -> Option<Date> {
        let last = self.bars.last()?.date;
        new_york::close_of(calendar, last).filter(|&ends| self.quoted_at < ends).map(|_| last)
    }
}

/// A payment to holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution {
    /// First session without the right to it.
    pub ex_date: Date,
    /// Dollars a share, adjusted for later splits.
    pub amount: Price,
    /// What is paid.
    pub kind: DistributionKind,
}

/// What a distribution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistributionKind {
    /// A dividend.
    Dividend,
    /// A fund's capital gain distribution.
    CapitalGain,
}
