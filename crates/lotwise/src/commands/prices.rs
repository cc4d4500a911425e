//! `prices fetch` and `prices status`.

use std::time::Duration;

use lotwise_core::{Date, Seed, Symbol};
use lotwise_market::provider::{
    CachedSeries, FetchSettings, Fetched, Fetcher, FolderProvider, Freshness, Network, Origin, PriceCache,
    PriceProvider, RealPace, StaleReason, Yahoo, YahooConfig,
};
use serde_json::{Value, json};

use crate::args::FetchArgs;
use crate::clock::timestamp;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, market_error};
use crate::output::{Cell, Column, Figures, Page, Report, Table, Tone, Warning};

/// How far back prices are fetched unless told otherwise.
const YEARS_BACK: i32 = 5;
/// Replaces the provider's address, for tests against a server on this machine.
const ADDRESS_VARIABLE: &str = "LOTWISE_YAHOO_URL";

/// One symbol, as it is shown.
struct Line<'a> {
    prices: &'a CachedSeries,
    origin: Option<Origin>,
    freshness: Freshness,
}

/// The folder of the cache.
///
/// # Errors
/// When neither a setting nor a home folder tells where it is.
pub fn cache(context: &Context) -> Result<PriceCache, Failure> {
    let folder = context.settings.cache_dir.as_ref().ok_or_else(|| {
        CliError::new("no-cache-folder", Exit::Usage, "there is no home folder to keep prices in")
            .help("name one: LOTWISE_CACHE_DIR=FOLDER, or the setting cache_dir")
    })?;
    Ok(PriceCache::new(folder.join("prices")))
}

/// The same day five years earlier.
#[must_use]
pub fn five_years_before(today: Date) -> Date {
    Date::from_ymd(today.year() - YEARS_BACK, today.month(), today.day())
        .or_else(|| Date::from_ymd(today.year() - YEARS_BACK, 3, 1))
        .unwrap_or(Date::MIN)
}

/// Fetches into the cache. Symbols that cannot be had are named together; the others are kept.
///
/// # Errors
/// When no symbol can be had.
pub fn fetch(arguments: &FetchArgs, context: &Context) -> Result<Report, Failure> {
    let today = context.today();
    let from = arguments.from.unwrap_or_else(|| five_years_before(today));
    if from > today {
        return Err(CliError::new("future-date", Exit::Usage, format!("--from {from} lies in the future")).into());
    }
    let network = if arguments.offline { Network::Offline } else { Network::Online };
    let provider: Box<dyn PriceProvider> = match &arguments.source {
        Some(path) => Box::new(FolderProvider::new(path)),
        None => Box::new(Yahoo::new(yahoo())),
    };
    let pace = RealPace::start();
    let fetcher = Fetcher::new(
        provider.as_ref(),
        cache(context)?,
        &context.clock,
        &pace,
        FetchSettings::standard(network),
        // Spreads the waits after failures; no result depends on it.
        Seed::new(0),
    );
    let mut symbols: Vec<Symbol> = arguments.symbols.clone();
    symbols.sort();
    symbols.dedup();
    let (mut had, mut missing) = (Vec::new(), Vec::new());
    for symbol in symbols {
        context.style.detail(&format!("{symbol}: looking"));
        match fetcher.fetch(&symbol, from) {
            Ok(fetched) => had.push(fetched),
            Err(error) => missing.push(CliError::new("no-prices", Exit::DataMissing, error.to_string())),
        }
    }
    if had.is_empty() {
        return Err(Failure(missing));
    }
    let warnings = had.iter().flat_map(warnings).collect();
    let lines: Vec<Line<'_>> = had
        .iter()
        .map(|fetched| Line {
            prices: &fetched.prices,
            origin: Some(fetched.origin),
            freshness: fetched.freshness.clone(),
        })
        .collect();
    let mut report = report("prices-fetch", &lines, fetcher.cache(), context).warnings(warnings);
    report.errors = Failure(missing);
    Ok(report)
}

/// The public provider, or a server on this machine for tests.
#[must_use]
pub fn yahoo() -> YahooConfig {
    let public = YahooConfig::public();
    match std::env::var(ADDRESS_VARIABLE) {
        Ok(base_url) if !base_url.is_empty() => YahooConfig { base_url, ..public },
        _ => public,
    }
}

/// What the cache holds and how old it is.
///
/// # Errors
/// When the folder of the cache cannot be listed.
pub fn status(context: &Context) -> Result<Report, Failure> {
    let cache = cache(context)?;
    let entries = cache.entries().map_err(|error| market_error(&error))?;
    let provider = FolderProvider::new(cache.folder());
    let pace = RealPace::start();
    let settings = FetchSettings::standard(Network::Offline);
    let judge = Fetcher::new(&provider, cache.clone(), &context.clock, &pace, settings, Seed::new(0));
    let mut faults = Vec::new();
    let mut held = Vec::new();
    for (_, entry) in entries {
        match entry {
            Ok(prices) => held.push(prices),
            Err(fault) => faults
                .push(Warning::new("damaged-cache", format!("{fault}; they are fetched again when they are needed"))),
        }
    }
    let lines: Vec<Line<'_>> =
        held.iter().map(|prices| Line { prices, origin: None, freshness: judge.freshness(prices) }).collect();
    Ok(report("prices-status", &lines, &cache, context).warnings(faults))
}

fn report(schema: &'static str, lines: &[Line<'_>], cache: &PriceCache, context: &Context) -> Report {
    let figures = context.figures();
    let data = json!({
        "cache": cache.folder().display().to_string(),
        "prices": lines.iter().map(|line| line_json(line, cache, figures)).collect::<Vec<Value>>(),
    });
    let mut table = Table::new([
        Column::words("symbol", "Symbol"),
        Column::words("first", "First"),
        Column::words("last", "Last"),
        Column::number("bars", "Sessions"),
        Column::number("close", "Close"),
        Column::words("age", "Last quote"),
        Column::words("fresh", "State"),
        Column::words("provider", "From"),
    ]);
    for line in lines {
        let series = &line.prices.series;
        let (first, last) = (series.bars.first(), series.bars.last());
        let (fresh, age) = match &line.freshness {
            Freshness::Fresh { age } => (Cell::words("fresh"), age),
            Freshness::Stale { age, .. } => (Cell::toned("old", Tone::Caution), age),
        };
        table.row([
            Cell::words(series.symbol.as_str()),
            Cell::maybe(first, |bar| Cell::with_raw(bar.date.long(), bar.date.to_string())),
            Cell::maybe(last, |bar| Cell::with_raw(bar.date.long(), bar.date.to_string())),
            Cell::count(series.bars.len()),
            Cell::maybe(last.and_then(|bar| lotwise_core::Price::from_f64(bar.close)), |price| {
                Cell::price(figures, price)
            }),
            Cell::words(ago(*age)),
            fresh,
            Cell::words(match line.origin {
                Some(Origin::Cache) => format!("cache ({})", series.provider),
                _ => series.provider.clone(),
            }),
        ]);
    }
    let mut page = Page::new();
    if lines.is_empty() {
        page.sentence("No prices are cached yet. lotwise prices fetch SYMBOL fetches some.");
    }
    page.table(table.clone());
    page.gap();
    page.toned(format!("The cache is in {}.", cache.folder().display()), Tone::Quiet);
    Report::new(schema, context.today(), data, page).table(table)
}

fn line_json(line: &Line<'_>, cache: &PriceCache, figures: Figures) -> Value {
    let series = &line.prices.series;
    let (first, last) = (series.bars.first(), series.bars.last());
    let (age, stale) = match &line.freshness {
        Freshness::Fresh { age } => (age, None),
        Freshness::Stale { age, reason } => (age, Some(reason_text(reason))),
    };
    json!({
        "symbol": series.symbol.as_str(),
        "provider": series.provider,
        "origin": line.origin.map(|origin| match origin {
            Origin::Cache => "cache",
            Origin::Provider => "provider",
        }),
        "file": cache.file(&series.symbol).display().to_string(),
        "bars": series.bars.len(),
        "first": first.map(|bar| bar.date.to_string()),
        "last": last.map(|bar| bar.date.to_string()),
        "close": last.and_then(|bar| lotwise_core::Price::from_f64(bar.close)).map(|price| figures.price(price)),
        "splits": series.splits.len(),
        "distributions": series.distributions.len(),
        "skipped_rows": series.skipped.len(),
        "quoted_at": timestamp(series.quoted_at),
        "fetched_at": timestamp(line.prices.fetched_at),
        "age_seconds": age.as_secs(),
        "fresh": stale.is_none(),
        "stale_because": stale,
    })
}

fn warnings(fetched: &Fetched) -> Vec<Warning> {
    let symbol = &fetched.prices.series.symbol;
    let mut warnings: Vec<Warning> =
        fetched.notes.iter().map(|note| Warning::new("price-cache", note.clone())).collect();
    if let Freshness::Stale { age, reason } = &fetched.freshness {
        let message = format!("the prices of {symbol} are {} old: {}", duration_text(*age), reason_text(reason));
        warnings.push(Warning::new("stale-prices", message));
    }
    let skipped = &fetched.prices.series.skipped;
    if let Some((date, fault)) = skipped.first() {
        let count = skipped.len();
        let message = format!("{count} rows of {symbol} are no bars and were left out, the first on {date}: {fault}");
        warnings.push(Warning::new("skipped-bars", message));
    }
    warnings
}

fn reason_text(reason: &StaleReason) -> String {
    match reason {
        StaleReason::Offline => "the network was not used".to_owned(),
        StaleReason::ProviderFailed(error) => error.to_string(),
        StaleReason::ProviderIsBehind => "the provider has nothing newer".to_owned(),
    }
}

fn ago(age: Duration) -> String {
    format!("{} ago", duration_text(age))
}

/// The largest unit that fits: `3 days`, `1 hour`, `12 minutes`.
fn duration_text(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
