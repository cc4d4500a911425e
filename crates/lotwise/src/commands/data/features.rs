//! `data features`: what the encoder will see, one row per symbol and session.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use lotwise_advisor::suggestion::count;
use lotwise_core::{Date, Symbol};
use lotwise_market::features::{FEATURE_NAMES, FeatureCube, FeatureRow, panel_features};
use lotwise_market::metadata::{METADATA_NAMES, Metadata, MetadataSource, MetadataView, availability};
use lotwise_market::table::{ColumnData, write_parquet};
use lotwise_market::{AssetIdx, LoadOptions, Panel, RegimeSeries, SessionIdx, asset_regimes};
use serde_json::{Map, Value, json};

use crate::args::{FeaturesArgs, ScaleArg};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place, did_you_mean, market_error};
use crate::output::{Cell, Column, Data, Form, Page, Report, Table, Tone, Warning};

/// More rows than this go into a file and not onto a screen or into a spreadsheet.
const MOST_CSV_ROWS: usize = 200_000;

/// Everything needed to make the rows one by one.
struct Source {
    panel: Panel,
    cube: FeatureCube,
    metadata: MetadataSource,
    regimes: Vec<RegimeSeries>,
    assets: Vec<AssetIdx>,
    sessions: std::ops::Range<usize>,
}

/// One symbol in one session.
struct Row<'a> {
    symbol: &'a Symbol,
    date: Date,
    features: &'a FeatureRow,
    regime: Option<&'static str>,
    metadata: Metadata,
}

/// Computes features, regimes and metadata of the symbols and sessions asked for.
///
/// # Errors
/// When the prices cannot be read, a symbol is not among them, or no session lies between the dates.
pub fn features(arguments: &FeaturesArgs, context: &Context) -> Result<Report, Failure> {
    let (source, warnings) = load(arguments)?;
    let rows = source.count();
    let symbols = source.assets.len();
    let (first, last) =
        (source.panel.sessions()[source.sessions.start], source.panel.sessions()[source.sessions.end - 1]);
    let mut page = Page::new();
    page.heading(format!("{}: {} from {first} to {last}", count(rows, "row"), count(symbols, "symbol")));
    page.facts([
        ("Features".to_owned(), format!("{} ({})", FEATURE_NAMES.len(), scale_text(arguments.scale))),
        ("Metadata".to_owned(), format!("{} fields", METADATA_NAMES.len())),
        ("Seen".to_owned(), "each row only what was known at the close of its session".to_owned()),
    ]);
    if let Some(out) = &arguments.out {
        write_file(&source, out)?;
        page.gap();
        page.sentence(format!("Written to {}.", out.display()));
        let data = json!({"rows": rows, "file": out.display().to_string()});
        return Ok(Report::new("data-features", last, data, page).warnings(warnings));
    }
    let mut table = None;
    match context.style.form {
        Form::Text => {
            page.heading(format!("At the close of {}", last.long()));
            page.table(source.last_session());
            page.table(source.availability());
            page.gap();
            page.toned("--json and --csv print every row, --out FILE.parquet writes them.", Tone::Quiet);
        }
        Form::Csv if rows > MOST_CSV_ROWS => {
            let message = format!("{rows} rows are too many for --csv, which prints up to {MOST_CSV_ROWS}");
            return Err(CliError::new("too-many-rows", Exit::Usage, message)
                .help("choose --symbols, --from and --to, or write them with --out FILE.parquet")
                .into());
        }
        Form::Csv => table = Some(source.table()),
        Form::Json => {}
    }
    let mut report = Report::new("data-features", last, Value::Null, page).warnings(warnings);
    report.table = table;
    let scale = arguments.scale;
    report.data = Data::Stream(Box::new(move |out| source.write_json(scale, out)));
    Ok(report)
}

fn scale_text(scale: ScaleArg) -> &'static str {
    match scale {
        ScaleArg::Raw => "as defined",
        ScaleArg::Normalised => "normalised",
    }
}

fn load(arguments: &FeaturesArgs) -> Result<(Source, Vec<Warning>), Failure> {
    // Metadata compare a symbol with the market and features look back, so all symbols and all
    // earlier sessions are loaded, whatever is shown.
    let options = LoadOptions { symbols: None, from: None, to: arguments.to };
    let loaded = Panel::load(&arguments.path, &options).map_err(|error| market_error(&error))?;
    let place = Place::file(arguments.path.display().to_string());
    let mut warnings = Vec::new();
    if loaded.issues.dropped_rows() > 0 {
        let message = format!(
            "{} rows are no bars and were left out; lotwise data check names them",
            loaded.issues.dropped_rows()
        );
        warnings.push(Warning::new("dropped-rows", message).at(place.clone()));
    }
    let panel = loaded.panel;
    let assets = assets(&panel, &arguments.symbols).map_err(|error| error.at(place.clone()))?;
    let start = panel.sessions().partition_point(|&session| arguments.from.is_some_and(|from| session < from));
    let sessions = start..panel.n_sessions();
    if sessions.is_empty() {
        let message = match (panel.sessions().first(), panel.sessions().last()) {
            (Some(first), Some(last)) => {
                format!("no session lies between the dates; the prices run from {first} to {last}")
            }
            _ => "no session lies between the dates".to_owned(),
        };
        return Err(CliError::new("no-sessions", Exit::DataMissing, message).at(place).into());
    }
    let folder = if arguments.path.is_dir() { Some(arguments.path.as_path()) } else { arguments.path.parent() };
    // A name without a folder has the empty path for a parent.
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let metadata = MetadataSource::load(folder).map_err(|error| market_error(&error))?;
    if !metadata.absent.is_empty() {
        let message =
            format!("these tables are not there, so their fields stay unknown: {}", metadata.absent.join(", "));
        warnings.push(Warning::new("absent-tables", message).at(Place::file(folder.display().to_string())));
    }
    let raw = panel_features(&panel);
    let cube = if arguments.scale == ScaleArg::Normalised { raw.normalised() } else { raw };
    let view = panel.at(SessionIdx(panel.n_sessions() - 1));
    let regimes = assets.iter().map(|&asset| asset_regimes(&view, asset)).collect();
    Ok((Source { cube, metadata: metadata.source, regimes, assets, sessions, panel }, warnings))
}

fn assets(panel: &Panel, wanted: &[Symbol]) -> Result<Vec<AssetIdx>, CliError> {
    if wanted.is_empty() {
        return Ok(panel.assets().collect());
    }
    let unknown: BTreeSet<&Symbol> = wanted.iter().filter(|symbol| panel.asset(symbol).is_none()).collect();
    if let Some(first) = unknown.first() {
        let names = unknown.iter().map(|symbol| symbol.as_str()).collect::<Vec<_>>().join(", ");
        let known = panel.symbols().iter().map(Symbol::as_str);
        return Err(CliError::new("unknown-symbol", Exit::DataMissing, format!("there are no prices of {names}"))
            .help(did_you_mean(first.as_str(), known, 10)));
    }
    let found: BTreeSet<AssetIdx> = wanted.iter().filter_map(|symbol| panel.asset(symbol)).collect();
    Ok(found.into_iter().collect())
}

impl Source {
    fn count(&self) -> usize {
        self.assets
            .iter()
            .map(|&asset| self.panel.full_mask(asset)[self.sessions.clone()].iter().filter(|&&there| there).count())
            .sum()
    }

    /// Visits the rows by session, and in a session by symbol.
    fn each<'a, E>(&'a self, mut visit: impl FnMut(Row<'a>) -> Result<(), E>) -> Result<(), E> {
        for session in self.sessions.clone() {
            let known = MetadataView::new(&self.panel.at(SessionIdx(session)), &self.metadata);
            for (&asset, regimes) in self.assets.iter().zip(&self.regimes) {
                let Some(features) = self.cube.row(asset, SessionIdx(session)) else { continue };
                visit(Row {
                    symbol: &self.panel.symbols()[asset.0],
                    date: self.panel.sessions()[session],
                    features,
                    regime: regimes.at(session).map(|regime| regime.name()),
                    metadata: known.of(asset),
                })?;
            }
        }
        Ok(())
    }

    fn write_json(&self, scale: ScaleArg, out: &mut dyn Write) -> io::Result<()> {
        let scale = if scale == ScaleArg::Raw { "raw" } else { "normalised" };
        write!(out, "{{\"scale\":\"{scale}\",\"rows\":[")?;
        let mut first = true;
        self.each(|row| {
            out.write_all(if first { b"\n" } else { b",\n" })?;
            first = false;
            serde_json::to_writer(&mut *out, &row.json()).map_err(io::Error::from)
        })?;
        out.write_all(b"]}")
    }

    fn table(&self) -> Table {
        let mut columns = vec![Column::words("symbol", "Symbol"), Column::words("date", "Date")];
        columns.extend(FEATURE_NAMES.iter().map(|name| Column::number(name, name)));
        columns.push(Column::words("regime", "Regime"));
        columns.extend(METADATA_NAMES.iter().map(|name| Column::number(name, name)));
        let mut table = Table::new(columns);
        let number = |value: Option<f32>| Cell::maybe(value, |value| Cell::words(value.to_string()));
        let filled: Result<(), std::convert::Infallible> = self.each(|row| {
            let mut cells = vec![Cell::words(row.symbol.as_str()), Cell::words(row.date.to_string())];
            cells.extend(row.features.iter().map(|&value| number(Some(value).filter(|value| !value.is_nan()))));
            cells.push(Cell::words(row.regime.unwrap_or_default()));
            cells.extend((0..METADATA_NAMES.len()).map(|field| number(row.metadata.get(field))));
            table.row(cells);
            Ok(())
        });
        match filled {
            Ok(()) => table,
        }
    }

    /// A few features of the last session, for people.
    fn last_session(&self) -> Table {
        const SHOWN: [(usize, &str); 5] =
            [(2, "21-day log return"), (5, "Over 60-day mean"), (6, "RSI"), (10, "Log volatility"), (11, "Volume z")];
        let mut columns = vec![Column::words("symbol", "Symbol"), Column::words("regime", "Regime")];
        columns.extend(SHOWN.map(|(at, title)| Column::number(FEATURE_NAMES[at], title)));
        let mut table = Table::new(columns);
        let last = self.sessions.end - 1;
        for (&asset, regimes) in self.assets.iter().zip(&self.regimes) {
            let Some(features) = self.cube.row(asset, SessionIdx(last)) else { continue };
            let mut cells = vec![
                Cell::words(self.panel.symbols()[asset.0].as_str()),
                Cell::words(regimes.at(last).map_or("not enough history", |regime| regime.name())),
            ];
            cells.extend(SHOWN.map(|(at, _)| {
                Cell::maybe(Some(features[at]).filter(|value| !value.is_nan()), |value| {
                    Cell::words(format!("{value:+.3}").replace('-', "−"))
                })
            }));
            table.row(cells);
        }
        table
    }

    /// How much of each block of metadata is known in the last session.
    fn availability(&self) -> Table {
        let view = MetadataView::new(&self.panel.at(SessionIdx(self.sessions.end - 1)), &self.metadata);
        let all: Vec<Metadata> = self.assets.iter().map(|&asset| view.of(asset)).collect();
        let mut table = Table::new([Column::words("block", "Metadata"), Column::number("known", "Known")]);
        for block in availability(&all) {
            table.row([
                Cell::words(block.block),
                Cell::maybe(block.rate, |rate| Cell::words(format!("{:.0} %", rate * 100.0))),
            ]);
        }
        table
    }
}

impl Row<'_> {
    fn json(&self) -> Value {
        let number = |value: Option<f32>| value.map_or(Value::Null, |value| json!(value));
        let features: Map<String, Value> = FEATURE_NAMES
            .iter()
            .zip(self.features)
            .map(|(name, &value)| ((*name).to_owned(), number(Some(value).filter(|value| value.is_finite()))))
            .collect();
        let metadata: Map<String, Value> = METADATA_NAMES
            .iter()
            .enumerate()
            .map(|(field, name)| ((*name).to_owned(), number(self.metadata.get(field))))
            .collect();
        json!({
            "symbol": self.symbol.as_str(),
            "date": self.date.to_string(),
            "features": features,
            "regime": self.regime,
            "metadata": metadata,
        })
    }
}

/// Writes all rows as Parquet. The file appears under its name only when it is complete.
fn write_file(source: &Source, out: &Path) -> Result<(), Failure> {
    let (mut symbols, mut dates, mut regimes) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers = vec![Vec::new(); FEATURE_NAMES.len() + METADATA_NAMES.len()];
    let filled: Result<(), std::convert::Infallible> = source.each(|row| {
        symbols.push(Some(row.symbol.as_str()));
        dates.push(Some(row.date));
        regimes.push(row.regime);
        let features = row.features.iter().map(|&value| f64::from(value));
        let metadata = (0..METADATA_NAMES.len()).map(|field| row.metadata.get(field).map_or(f64::NAN, f64::from));
        for (column, value) in numbers.iter_mut().zip(features.chain(metadata)) {
            column.push(value);
        }
        Ok(())
    });
    match filled {
        Ok(()) => {}
    }
    let names = FEATURE_NAMES.iter().chain(&METADATA_NAMES);
    let mut columns: Vec<(&str, ColumnData<'_>)> = vec![
        ("symbol", ColumnData::Text(&symbols)),
        ("date", ColumnData::Date(&dates)),
        ("regime", ColumnData::Text(&regimes)),
    ];
    columns.extend(names.zip(&numbers).map(|(name, values)| (*name, ColumnData::Float(values))));
    write_parquet(out, &columns).map_err(|error| market_error(&error))
}
