//! The market of a backtest or an evaluation.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lotwise_core::{Date, Symbol};
use lotwise_market::metadata::MetadataSource;
use lotwise_market::{AssetIdx, CorporateActions, Dataset, LoadOptions, Membership, Panel, Tickers};
use lotwise_sim::backtest::strategies::{StrategyConfig, named_symbols, needs_market_caps};
use lotwise_sim::backtest::{BacktestError, BacktestMarket};
use lotwise_sim::policy::MarketCaps;

use super::config::UniverseChoice;
use crate::errors::{CliError, Exit, Failure, Place, did_you_mean, market_error};
use crate::output::Warning;
use crate::store::digest;

/// Prices and the tables beside them.
pub struct Setup {
    /// The prices.
    pub panel: Panel,
    actions: CorporateActions,
    membership: Option<Membership>,
    tickers: Option<Tickers>,
    /// Digest of the price files.
    data_digest: String,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    place: Place,
}

/// Market values for `cap-weight`.
pub struct CapTables {
    /// The values.
    pub caps: MarketCaps,
    /// Digest of the tables they come from.
    digest: String,
    folder: PathBuf,
}

/// Market values from the tables beside the prices, where one of the strategies needs them; `None` where none does, or
/// where no table has any.
///
/// # Errors
/// When a table cannot be read.
pub fn market_caps<'a>(
    prices: &Path,
    mut strategies: impl Iterator<Item = &'a str>,
) -> Result<Option<CapTables>, Failure> {
    if !strategies.any(needs_market_caps) {
        return Ok(None);
    }
    let failed = |error| market_error(&error);
    let dataset = Dataset::open(prices).map_err(failed)?;
    let folder = dataset.folder().to_owned();
    let source = MetadataSource::load(&folder).map_err(failed)?.source;
    if !source.snapshots.iter().any(|(_, fact)| fact.value.market_cap.is_some()) {
        return Ok(None);
    }
    let digest = digest_of(&MetadataSource::market_cap_tables(&folder).map_err(failed)?)?;
    Ok(Some(CapTables { caps: MarketCaps(Arc::new(source)), digest, folder }))
}

/// One digest of the bytes of files, in their order.
fn digest_of(files: &[PathBuf]) -> Result<String, CliError> {
    let mut digests = String::new();
    for file in files {
        let bytes = std::fs::read(file).map_err(|error| {
            CliError::new("unreadable", Exit::Failed, format!("the file cannot be read: {error}"))
                .at(Place::file(file.display().to_string()))
        })?;
        digests.push_str(&digest(&bytes));
    }
    Ok(digest(digests.as_bytes()))
}

impl Setup {
    /// Opens prices up to a date.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn open(path: &Path, to: Option<Date>) -> Result<Self, Failure> {
        let failed = |error| market_error(&error);
        let dataset = Dataset::open(path).map_err(failed)?;
        let loaded = dataset.load(&LoadOptions { symbols: None, from: None, to }).map_err(failed)?;
        let mut warnings = Vec::new();
        let dropped = loaded.issues.dropped_rows();
        if dropped > 0 {
            let message = format!("{dropped} rows are no bars and were left out; lotwise data check names them");
            warnings.push(Warning::new("dropped-rows", message));
        }
        Ok(Self {
            panel: loaded.panel,
            actions: dataset.corporate_actions().map_err(failed)?,
            membership: dataset.membership().map_err(failed)?,
            tickers: dataset.tickers().map_err(failed)?,
            data_digest: digest_of(dataset.price_files())?,
            warnings,
            place: Place::file(path.display().to_string()),
        })
    }

    /// Digest of the data that a strategy sees: of the price files, and of the tables of market values where it weighs
    /// by them.
    #[must_use]
    pub fn data_digest(&self, strategy: &str, caps: Option<&CapTables>) -> String {
        match caps.filter(|_| needs_market_caps(strategy)) {
            Some(tables) => digest(format!("{}{}", self.data_digest, tables.digest).as_bytes()),
            None => self.data_digest.clone(),
        }
    }

    /// Warns where `cap-weight` can never buy some of the assets, since no market value of them is public by the last
    /// session.
    pub fn warn_of_unknown_caps(&mut self, assets: &[AssetIdx], caps: Option<&CapTables>) {
        let (Some(tables), Some(last)) = (caps, self.panel.sessions().last()) else { return };
        let valued = |asset: &&AssetIdx| {
            let known = tables.caps.0.snapshots.known(&self.panel.symbols()[asset.0], *last);
            known.iter().any(|fact| fact.value.market_cap.is_some())
        };
        let (n_valued, n_assets) = (assets.iter().filter(valued).count(), assets.len());
        if n_valued < n_assets {
            let message = match n_valued {
                0 => format!("none of the {n_assets} assets ever has a market value, so that cap-weight stays in cash"),
                _ => format!(
                    "{n_valued} of {n_assets} assets ever have a market value; cap-weight never buys the others"
                ),
            };
            let place = Place::file(tables.folder.display().to_string());
            self.warnings.push(Warning::new("no-market-values", message).at(place));
        }
    }

    /// The market of the universe chosen.
    ///
    /// # Errors
    /// When a symbol has no prices, or members are wanted and the table of memberships is not there.
    pub fn market(
        &mut self,
        choice: UniverseChoice,
        symbols: &[Symbol],
        exclude: &[Symbol],
    ) -> Result<(Vec<AssetIdx>, bool), CliError> {
        let is_company = |symbol: &Symbol| {
            self.tickers
                .as_ref()
                .is_none_or(|tickers| tickers.sector(symbol).is_company() || tickers.get(symbol).is_none())
        };
        let left_out = |symbol: &Symbol| exclude.contains(symbol);
        let assets: Vec<AssetIdx> = match choice {
            UniverseChoice::Listed => return Ok((self.named(symbols)?, false)),
            UniverseChoice::All => {
                let keep = |asset: &AssetIdx| {
                    let symbol = &self.panel.symbols()[asset.0];
                    is_company(symbol) && !left_out(symbol)
                };
                self.panel.assets().filter(keep).collect()
            }
            UniverseChoice::Members => {
                let Some(membership) = &self.membership else {
                    return Err(CliError::new(
                        "no-membership",
                        Exit::DataMissing,
                        "there is no table of index memberships",
                    )
                    .at(self.place.clone())
                    .help("put sp500_membership.csv beside the prices, or list symbols"));
                };
                let keep = |asset: &AssetIdx| {
                    let symbol = &self.panel.symbols()[asset.0];
                    !membership.spells(symbol).is_empty() && !left_out(symbol)
                };
                self.panel.assets().filter(keep).collect()
            }
        };
        if assets.is_empty() {
            return Err(CliError::new("no-symbols", Exit::DataMissing, "the universe is empty").at(self.place.clone()));
        }
        Ok((assets, choice == UniverseChoice::Members))
    }

    /// Positions of symbols.
    ///
    /// # Errors
    /// When one has no prices.
    pub fn named(&self, symbols: &[Symbol]) -> Result<Vec<AssetIdx>, CliError> {
        if symbols.is_empty() {
            return Err(
                CliError::new("no-symbols", Exit::Usage, "no symbols are named").help("list them under symbols")
            );
        }
        let find = |symbol: &Symbol| {
            self.panel.asset(symbol).ok_or_else(|| {
                let known = self.panel.symbols().iter().map(Symbol::as_str);
                CliError::new("unknown-symbol", Exit::DataMissing, format!("there are no prices of {symbol}"))
                    .at(self.place.clone())
                    .help(did_you_mean(symbol.as_str(), known, 10))
            })
        };
        symbols.iter().map(find).collect()
    }

    /// The prepared market of assets; `members` restricts them to their days in the index.
    #[must_use]
    pub fn prepare(&self, assets: Vec<AssetIdx>, members: bool) -> BacktestMarket<'_> {
        BacktestMarket::new(&self.panel, assets, &self.actions, self.membership.as_ref().filter(|_| members))
    }

    /// The market of a strategy that trades symbols of its own; `None` for those that take any.
    ///
    /// # Errors
    /// When one has no prices.
    pub fn own_market(&self, strategy: &str, config: &StrategyConfig) -> Result<Option<BacktestMarket<'_>>, CliError> {
        let symbols = named_symbols(strategy, config);
        if symbols.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.prepare(self.named(&symbols)?, false)))
    }
}

/// An error of the engine as a person is told it.
#[must_use]
pub fn backtest_error(error: &BacktestError) -> CliError {
    let (code, exit) = match error {
        BacktestError::Setting { .. } => ("bad-config", Exit::Usage),
        BacktestError::NoSessions { .. } => ("no-sessions", Exit::DataMissing),
        BacktestError::Strategy { .. } => ("strategy-failed", Exit::Failed),
        BacktestError::Tax(_) => ("tax-refused", Exit::Usage),
        BacktestError::Booking { .. } => ("out-of-range", Exit::Failed),
    };
    CliError::new(code, exit, error.to_string())
}
