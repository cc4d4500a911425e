//! `model replacements`: whether the nearest representation replaces what is sold at a loss better than the
//! highest correlation within the sector does; and the representations that `harvest --model` asks.

use std::path::Path;

use lotwise_advisor::replacement::{Likeness, Representations, most_alike, one_company, tracking_error};
use lotwise_core::{Seed, Symbol};
use lotwise_market::metadata::MetadataSource;
use lotwise_market::{AsOf, AssetIdx, Dataset, Field, LoadOptions, Panel, SessionIdx, Tickers};
use lotwise_sim::measure::{Interval, StationaryBootstrap, bootstrap_interval};
use lotwise_train::encoder::Live;
use serde_json::{Value, json};

use super::model::trained;
use super::train::train_error;
use crate::args::{LikenessArgs, ReplacementsArgs};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, market_error};
use crate::output::{Cell, Column, Page, Report, Table};

/// A company whose close stands so far below the one of this many sessions before is one that a person might sell.
const FALLEN: f64 = 0.9;
const FALLEN_SESSIONS: usize = 63;
/// The ways that are compared, the present one first.
const WAYS: [&str; 4] = ["sector, correlation", "correlation", "encoder", "sector, encoder"];

/// What an encoder says of the companies of the day.
///
/// # Errors
/// When the encoder or the tables beside the prices cannot be read.
pub fn representations(
    arguments: &LikenessArgs,
    prices: Option<&Path>,
    market: AsOf<'_>,
    context: &Context,
) -> Result<Option<Representations>, Failure> {
    let (Some(file), Some(prices)) = (&arguments.model, prices) else { return Ok(None) };
    let (checkpoint, _, branch) = trained(file, context)?;
    let dataset = Dataset::open(prices).map_err(|error| market_error(&error))?;
    let source = MetadataSource::load(dataset.folder()).map_err(|error| market_error(&error))?.source;
    let live = Live::new(market, &source);
    Ok(Some(live.representations(&live.companies(), &checkpoint, branch.as_ref())))
}

/// Chooses replacements by every way on days of validation, and judges them by what came after.
///
/// # Errors
/// When the weights or the data cannot be used, or hold too few days.
pub fn run(arguments: &ReplacementsArgs, context: &Context) -> Result<Report, Failure> {
    let (checkpoint, config, branch) = trained(&arguments.file, context)?;
    let dates = config.data.dates().map_err(|error| train_error(&error))?;
    let failed = |error: lotwise_market::Error| market_error(&error);
    let dataset = Dataset::open(&arguments.data).map_err(failed)?;
    // Nothing after validation is even loaded.
    let options = LoadOptions { to: Some(dates.validation[1]), ..LoadOptions::default() };
    let panel = dataset.load(&options).map_err(failed)?.panel;
    let source = MetadataSource::load(dataset.folder()).map_err(failed)?.source;
    let tickers = dataset.tickers().map_err(failed)?.unwrap_or_default();
    let membership = dataset.membership().map_err(failed)?;
    let horizon = usize::from(arguments.horizon);
    let first = panel.sessions().partition_point(|&session| session < dates.validation[0]);
    let mut days = Vec::new();
    for session in (first..panel.n_sessions().saturating_sub(horizon)).step_by(horizon) {
        let view = panel.at(SessionIdx(session));
        context.style.say(&format!("{}: choosing replacements", view.date()));
        let live = Live::new(view, &source);
        let mut assets = live.companies();
        let members = |symbol: &Symbol| membership.as_ref().is_none_or(|all| all.is_member(symbol, view.date()));
        assets.retain(|asset| members(&panel.symbols()[asset.0]));
        let says = live.representations(&assets, &checkpoint, branch.as_ref());
        days.push(Day::judge(&panel, &tickers, session, &assets, &says, horizon));
    }
    days.retain(|day| !day.rows.is_empty());
    if days.len() < 2 {
        let message = format!("validation has {} days with {horizon} sessions after them", days.len());
        return Err(CliError::new("not-enough-data", Exit::DataMissing, message).into());
    }
    let mut table = Table::new([
        Column::words("of", "Sold"),
        Column::words("way", "Chosen by"),
        Column::number("tracking_error", "Tracking error"),
        Column::number("gain", "Better by"),
        Column::number("same", "Same choice"),
        Column::number("same_sector", "Same sector"),
    ]);
    let mut body = Vec::new();
    for (name, fallen) in [("all", false), ("fallen", true)] {
        for (way, label) in WAYS.iter().enumerate() {
            let Some(found) = summary(&days, way, fallen) else { continue };
            let percent = |value: f64| format!("{:.2} %", 100.0 * value);
            let gain = found.gain.map_or("–".to_owned(), |gain| {
                let [mean, low, high] = [gain.estimate, gain.low, gain.high].map(|x| format!("{:+.2}", 100.0 * x));
                format!("{mean} ({low} to {high})")
            });
            table.row([
                Cell::words(name),
                Cell::words(*label),
                Cell::with_raw(percent(found.mean), found.mean.to_string()),
                Cell::words(gain),
                Cell::with_raw(percent(found.same), found.same.to_string()),
                Cell::with_raw(percent(found.same_sector), found.same_sector.to_string()),
            ]);
            body.push(json!({
                "sold": name, "way": label, "days": days.len(), "pairs": found.pairs, "tracking_error": found.mean,
                "gain": found.gain.map(|gain| json!({"mean": gain.estimate, "low": gain.low, "high": gain.high})),
                "same_choice": found.same, "same_sector": found.same_sector,
            }));
        }
    }
    let span = [&days[0], &days[days.len() - 1]].map(|day| panel.sessions()[day.session].to_string());
    let mut page = Page::new();
    page.heading(format!("{} days, {}, each judged on the next {horizon} sessions", days.len(), span.join(" to ")));
    page.table(table.clone());
    page.sentence(
        "Tracking error: deviation of the difference of daily returns, a year, mean over companies and days. Better by: \
         percentage points less than «sector, correlation», paired, with a 95 % interval over days. Fallen: at least 10 % \
         below the close 63 sessions before.",
    );
    let body = json!({
        "model": checkpoint.manifest.digest, "horizon": horizon, "days": span, "ways": Value::Array(body),
    });
    Ok(Report::new("model.replacements", context.today(), body, page).table(table))
}

/// A day's choices.
struct Day {
    session: usize,
    rows: Vec<Row>,
}

/// One company sold, and what each way chose instead.
struct Row {
    fallen: bool,
    ways: Ways,
}

/// Tracking error, whether it is the first way's choice, whether it is of the same sector.
type Ways = [(f64, bool, bool); WAYS.len()];

impl Day {
    /// Companies for which every way finds something, all of which have prices to the end.
    fn judge(
        panel: &Panel,
        tickers: &Tickers,
        session: usize,
        assets: &[AssetIdx],
        says: &Representations,
        horizon: usize,
    ) -> Self {
        let view = panel.at(SessionIdx(session));
        let sector = |symbol: &Symbol| tickers.sector(symbol);
        let one = |sold: AssetIdx| -> Option<Row> {
            let symbol = &panel.symbols()[sold.0];
            let others: Vec<AssetIdx> = (assets.iter().copied())
                .filter(|&other| other != sold && !one_company(Some(tickers), symbol, &panel.symbols()[other.0]))
                .collect();
            let chosen = [
                Likeness::Returns,
                Likeness::ReturnsAnywhere,
                Likeness::Representation(says),
                Likeness::RepresentationWithinSector(says),
            ]
            .map(|likeness| most_alike(view, &sector, sold, &others, likeness).ok());
            let first = chosen[0].as_ref()?.asset;
            let mut ways: Ways = [(0.0, false, false); WAYS.len()];
            for (way, chosen) in ways.iter_mut().zip(chosen) {
                let chosen = chosen?;
                let error = tracking_error(panel, [sold, chosen.asset], SessionIdx(session), horizon)?;
                *way = (error, chosen.asset == first, chosen.sector == sector(symbol));
            }
            let close = view.column(sold, Field::AdjClose);
            let before = session.checked_sub(FALLEN_SESSIONS).map_or(f64::NAN, |before| close[before]);
            Some(Row { fallen: close[session] <= FALLEN * before, ways })
        };
        Self { session, rows: assets.iter().filter_map(|&sold| one(sold)).collect() }
    }
}

/// One way over all days.
struct Summary {
    mean: f64,
    gain: Option<Interval>,
    same: f64,
    same_sector: f64,
    pairs: usize,
}

fn summary(days: &[Day], way: usize, fallen: bool) -> Option<Summary> {
    let rows =
        |day: &Day| -> Vec<Ways> { day.rows.iter().filter(|row| row.fallen || !fallen).map(|row| row.ways).collect() };
    let kept: Vec<_> = days.iter().map(rows).filter(|rows| !rows.is_empty()).collect();
    // Every day counts alike: companies of one day share its weather.
    let over_days = |of: &dyn Fn(&Ways) -> f64| -> Vec<f64> {
        kept.iter().map(|rows| rows.iter().map(of).sum::<f64>() / rows.len() as f64).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let gains = over_days(&|row| row[0].0 - row[way].0);
    // Windows do not overlap; blocks of two days allow for what neighbours share.
    let bootstrap = StationaryBootstrap { mean_block: 2.0, n_resamples: 2000 };
    let gain = (way > 0).then(|| {
        let statistic = |at: &[usize]| Some(at.iter().map(|&i| gains[i]).sum::<f64>() / at.len() as f64);
        bootstrap_interval(bootstrap, gains.len(), 0.95, Seed::new(1), statistic)
    });
    let share = |flag: bool| if flag { 1.0 } else { 0.0 };
    (!kept.is_empty()).then(|| Summary {
        mean: mean(&over_days(&|row| row[way].0)),
        gain: gain.flatten(),
        same: mean(&over_days(&|row| share(row[way].1))),
        same_sector: mean(&over_days(&|row| share(row[way].2))),
        pairs: kept.iter().map(Vec::len).sum(),
    })
}
