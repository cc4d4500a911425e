//! Prices from the cache where they are recent, from the provider where they are not.

use std::sync::Arc;
use std::time::Duration;

use lotwise_core::{Calendar, Clock, Date, Seed, Symbol};

use super::flight::Flights;
use super::freshness::Stamps;
use super::pace::{RateLimit, back_off};
use super::{CachedSeries, FetchedSeries, Freshness, Pace, PriceCache, PriceProvider, ProviderError, StaleReason};

/// How a [`Fetcher`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchSettings {
    /// Whether the provider may be asked.
    pub network: Network,
    /// A last quote up to this old is fresh.
    pub fresh_for: Duration,
    /// After an answer, the provider is left alone this long for the same symbol even if its last
    /// quote is old, as it is for symbols that hardly trade.
    pub ask_again_after: Duration,
    /// Attempts before giving up; at least 1.
    pub attempts: u32,
    /// Wait after the first failure; doubles each time.
    pub first_wait: Duration,
    /// No wait is longer; a provider that asks for more is not waited for.
    pub longest_wait: Duration,
    /// Time between the starts of two requests.
    pub between_requests: Duration,
}

impl FetchSettings {
    /// Fifteen minutes of freshness, four attempts over a few seconds, two requests a second.
    #[must_use]
    pub const fn standard(network: Network) -> Self {
        Self {
            network,
            fresh_for: Duration::from_secs(15 * 60),
            ask_again_after: Duration::from_secs(60),
            attempts: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
            between_requests: Duration::from_millis(500),
        }
    }
}

/// Whether the provider may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Ask where the cache is not recent.
    Online,
    /// Never ask; the cache is all there is.
    Offline,
}

/// Prices of one symbol and where they stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// The prices, from at most the first day asked for up to the last quote.
    pub prices: Arc<CachedSeries>,
    /// Where they came from.
    pub origin: Origin,
    /// How recent they are.
    pub freshness: Freshness,
    /// What the person should hear, such as a damaged cache file that was replaced.
    pub notes: Vec<String>,
}

/// Where prices came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The local cache.
    Cache,
    /// The provider, just now.
    Provider,
}

/// Stands before a provider with a cache, retries, a rate limit and one request per symbol at a time.
///
/// History is always fetched whole, since a later split or dividend rescales all of it.
pub struct Fetcher<'a> {
    provider: &'a dyn PriceProvider,
    cache: PriceCache,
    clock: &'a (dyn Clock + Sync),
    pace: &'a dyn Pace,
    settings: FetchSettings,
    seed: Seed,
    calendar: Calendar,
    flights: Flights<Result<Landed, ProviderError>>,
    limit: RateLimit,
}

/// What one flight brought.
#[derive(Clone)]
struct Landed {
    prices: Arc<CachedSeries>,
    origin: Origin,
    notes: Vec<String>,
}

impl<'a> Fetcher<'a> {
    /// A fetcher; nothing is read or asked yet. `seed` varies the waits after failures.
    #[must_use]
    pub fn new(
        provider: &'a dyn PriceProvider,
        cache: PriceCache,
        clock: &'a (dyn Clock + Sync),
        pace: &'a dyn Pace,
        settings: FetchSettings,
        seed: Seed,
    ) -> Self {
        Self {
            provider,
            cache,
            clock,
            pace,
            settings,
            seed,
            calendar: Calendar::new_york(),
            flights: Flights::new(),
            limit: RateLimit::default(),
        }
    }

    /// The cache behind this fetcher.
    #[must_use]
    pub fn cache(&self) -> &PriceCache {
        &self.cache
    }

    /// Daily prices of `symbol` from `from` until now. May be called from many threads.
    ///
    /// Prices that could not be renewed come back marked [`Freshness::Stale`] with their age and the reason.
    ///
    /// # Errors
    /// When there are no prices that reach back to `from`, new or old.
    pub fn fetch(&self, symbol: &Symbol, from: Date) -> Result<Fetched, ProviderError> {
        let mut notes = Vec::new();
        let cached = self.read_cache(symbol, &mut notes);
        let covering = cached.filter(|cached| cached.asked_from <= from).map(Arc::new);
        if let Some(prices) = covering.as_ref().filter(|prices| self.is_good_enough(prices)) {
            return Ok(self.judged(Arc::clone(prices), Origin::Cache, notes));
        }
        if self.settings.network == Network::Offline {
            let Some(prices) = covering else {
                return Err(ProviderError::NotCached { symbol: symbol.clone(), from, fault: notes.pop() });
            };
            let freshness = Freshness::Stale { age: self.age(&prices), reason: StaleReason::Offline };
            return Ok(Fetched { prices, origin: Origin::Cache, freshness, notes });
        }
        loop {
            let landed = self.flights.share(symbol, || self.load(symbol, from));
            match landed.unwrap_or_else(|| Err(ProviderError::Interrupted { symbol: symbol.clone() })) {
                // The flight that was joined may have asked for less; then this one asks for more.
                Ok(landed) if landed.prices.asked_from > from => {}
                Ok(landed) => {
                    notes.extend(landed.notes);
                    return Ok(self.judged(landed.prices, landed.origin, notes));
                }
                Err(error) => {
                    let Some(prices) = covering else { return Err(error) };
                    let freshness =
                        Freshness::Stale { age: self.age(&prices), reason: StaleReason::ProviderFailed(error) };
                    return Ok(Fetched { prices, origin: Origin::Cache, freshness, notes });
                }
            }
        }
    }

    /// [`Fetcher::fetch`] for one symbol after the other.
    #[must_use]
    pub fn fetch_all(&self, symbols: &[Symbol], from: Date) -> Vec<(Symbol, Result<Fetched, ProviderError>)> {
        symbols.iter().map(|symbol| (symbol.clone(), self.fetch(symbol, from))).collect()
    }

    /// How recent cached prices are now, without asking anybody.
    #[must_use]
    pub fn freshness(&self, prices: &CachedSeries) -> Freshness {
        let age = self.age(prices);
        if stamps(prices).fresh(self.clock.now(), self.settings.fresh_for, &self.calendar) {
            return Freshness::Fresh { age };
        }
        let reason = match self.settings.network {
            Network::Offline => StaleReason::Offline,
            Network::Online => StaleReason::ProviderIsBehind,
        };
        Freshness::Stale { age, reason }
    }

    fn read_cache(&self, symbol: &Symbol, notes: &mut Vec<String>) -> Option<CachedSeries> {
        match self.cache.read(symbol) {
            Ok(cached) => cached,
            Err(fault) => {
                notes.push(fault.to_string());
                None
            }
        }
    }

    /// Fresh, or asked for so recently that asking again would bring the same.
    fn is_good_enough(&self, prices: &CachedSeries) -> bool {
        let (stamps, now) = (stamps(prices), self.clock.now());
        stamps.fresh(now, self.settings.fresh_for, &self.calendar)
            || stamps.since_fetch(now).is_some_and(|since| since < self.settings.ask_again_after)
    }

    fn age(&self, prices: &CachedSeries) -> Duration {
        stamps(prices).age(self.clock.now())
    }

    fn judged(&self, prices: Arc<CachedSeries>, origin: Origin, notes: Vec<String>) -> Fetched {
        Fetched { freshness: self.freshness(&prices), prices, origin, notes }
    }

    /// What the one thread does that flies for all.
    fn load(&self, symbol: &Symbol, from: Date) -> Result<Landed, ProviderError> {
        // A fault was noted before; here only another thread's fresh answer matters.
        let cached = self.cache.read(symbol).ok().flatten();
        if let Some(prices) = cached.as_ref().filter(|cached| cached.asked_from <= from && self.is_good_enough(cached))
        {
            return Ok(Landed { prices: Arc::new(prices.clone()), origin: Origin::Cache, notes: Vec::new() });
        }
        let asked_from = cached.map_or(from, |cached| cached.asked_from.min(from));
        let series = self.ask(symbol, asked_from)?;
        let prices = Arc::new(CachedSeries { series, asked_from, fetched_at: self.clock.now() });
        let notes = match self.cache.write(&prices) {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!("the prices of {symbol} could not be kept for later: {error}")],
        };
        Ok(Landed { prices, origin: Origin::Provider, notes })
    }

    fn ask(&self, symbol: &Symbol, from: Date) -> Result<FetchedSeries, ProviderError> {
        let mut attempt = 1;
        loop {
            self.limit.take_turn(self.pace, self.settings.between_requests);
            let error = match self.provider.daily(symbol, from, self.clock.today()) {
                Ok(series) => return Ok(series),
                Err(error) => error,
            };
            if !error.passes() || attempt >= self.settings.attempts {
                return Err(error);
            }
            let mut wait = back_off(self.seed, symbol, attempt, self.settings.first_wait, self.settings.longest_wait);
            if let ProviderError::RateLimited { retry_after, .. } = &error {
                if retry_after.is_some_and(|asked| asked > self.settings.longest_wait) {
                    return Err(error);
                }
                wait = wait.max(retry_after.unwrap_or_default());
                self.limit.hold(self.pace, wait);
            }
            self.pace.sleep(wait);
            attempt += 1;
        }
    }
}

fn stamps(prices: &CachedSeries) -> Stamps {
    Stamps { quoted_at: prices.series.quoted_at, fetched_at: prices.fetched_at }
}
