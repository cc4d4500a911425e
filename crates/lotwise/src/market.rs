//! Prices for a run: the table named on the command line, or the local cache, filled where it
//! lacks a symbol.

use std::collections::BTreeSet;
use std::path::Path;

use lotwise_core::{Date, Seed, Symbol};
use lotwise_market::provider::{FetchSettings, Fetcher, Freshness, Network, RealPace, Yahoo};
use lotwise_market::{CorporateActions, Dataset, LoadOptions, Panel, Tickers};

use crate::advice::PriceNeed;
use crate::commands::prices::{cache, five_years_before, yahoo};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, market_error};
use crate::output::Warning;

/// Prices, splits and sectors.
pub struct Market {
    /// The prices.
    pub panel: Panel,
    /// Splits and dividends.
    pub actions: CorporateActions,
    /// Sectors, where the data has them.
    pub tickers: Option<Tickers>,
    /// What a person should know about the prices.
    pub warnings: Vec<Warning>,
}

impl Market {
    /// The last session of the table.
    #[must_use]
    pub fn table_end(&self) -> Date {
        self.panel.sessions().last().copied().unwrap_or(Date::MIN)
    }

    /// Opens a price file or folder with the tables beside it.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let dataset = Dataset::open(path).map_err(|error| market_error(&error))?;
        let loaded = dataset.load(&LoadOptions::default()).map_err(|error| market_error(&error))?;
        let mut warnings = Vec::new();
        if loaded.issues.dropped_rows() > 0 {
            let message = format!(
                "{} rows of the price table are unusable and left out; lotwise data check {} names them",
                loaded.issues.dropped_rows(),
                path.display()
            );
            warnings.push(Warning::new("price-rows-dropped", message));
        }
        Ok(Self {
            panel: loaded.panel,
            actions: dataset.corporate_actions().map_err(|error| market_error(&error))?,
            tickers: dataset.tickers().map_err(|error| market_error(&error))?,
            warnings,
        })
    }

    /// The cached prices of `symbols`; what is missing or old is fetched when prices are needed.
    ///
    /// # Errors
    /// When no symbol can be had.
    pub fn cached(symbols: &BTreeSet<Symbol>, need: PriceNeed, context: &Context) -> Result<Self, Failure> {
        let network = if need == PriceNeed::Required { Network::Online } else { Network::Offline };
        let provider = Yahoo::new(yahoo());
        let pace = RealPace::start();
        let settings = FetchSettings::standard(network);
        let fetcher = Fetcher::new(&provider, cache(context)?, &context.clock, &pace, settings, Seed::new(0));
        let from = five_years_before(context.today());
        let (mut groups, mut actions, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
        let mut first_error = None;
        for symbol in symbols {
            context.style.detail(&format!("{symbol}: looking for prices"));
            match fetcher.fetch(symbol, from) {
                Ok(fetched) => {
                    if let Freshness::Stale { .. } = fetched.freshness {
                        let message = format!("the cached prices of {symbol} could not be renewed");
                        warnings.push(Warning::new("stale-prices", message));
                    }
                    let series = &fetched.prices.series;
                    actions.extend(series.action_rows());
                    groups.push((symbol.clone(), series.bars.clone()));
                }
                // Without a network every symbol fails alike: one answer is enough.
                Err(error) => {
                    first_error.get_or_insert(error.to_string());
                }
            }
        }
        if groups.is_empty() {
            let message = first_error.unwrap_or_else(|| "the files name no symbol to price".to_owned());
            return Err(CliError::new("no-prices", Exit::DataMissing, message)
                .help("name a price table with --prices, or fetch prices with lotwise prices fetch SYMBOL")
                .into());
        }
        Ok(Self {
            panel: Panel::from_groups(&groups),
            actions: CorporateActions::from_rows(actions),
            tickers: None,
            warnings,
        })
    }
}
