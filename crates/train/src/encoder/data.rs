//! What training may draw from: the panel with its features, labels and metadata, and who is kept away.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use lotwise_core::{Date, Regime, Seed, Symbol};
use lotwise_market::features::{FeatureCube, WARM_UP, panel_features};
use lotwise_market::metadata::{MetadataSource, Sector};
use lotwise_market::{
    AssetIdx, Dataset, Field, LoadOptions, Membership, Panel, RegimeSeries, SessionIdx, SideTable, asset_regimes,
    class_weights, market_regimes,
};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{DataConfig, RunConfig, Universe};
use crate::{Error, seeds};

/// The part of the time axis that a sample is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Weights are fitted to it.
    Train,
    /// Stopping and choices are made on it.
    Validation,
}

/// Tickers that training sees, or those that it never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tickers {
    /// In training.
    Seen,
    /// Kept away.
    HeldOut,
}

impl Tickers {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Seen, Self::HeldOut];
}

/// The market as a run sees it: nothing after the end of validation is even loaded.
#[derive(Debug, Clone)]
pub struct EncoderData {
    pub(super) panel: Panel,
    pub(super) cube: FeatureCube,
    pub(super) metadata: MetadataSource,
    pub(super) regimes: Vec<RegimeSeries>,
    pub(super) market_regimes: RegimeSeries,
    pub(super) window: usize,
    pub(super) train_dates: usize,
    sectors: Vec<Sector>,
    held_out: Vec<bool>,
    membership: Option<Membership>,
    least_bars: usize,
    train: Range<usize>,
    validation: Range<usize>,
    weights: [[f32; 4]; 2],
    hash: String,
}

impl EncoderData {
    /// Reads a price table or folder with the tables beside it, up to the end of validation.
    ///
    /// # Errors
    /// Where a table cannot be read, or there are too few sessions or companies.
    pub fn open(path: &Path, config: &RunConfig) -> Result<Self, Error> {
        let dates = config.data.dates()?;
        let dataset = Dataset::open(path)?;
        let options = LoadOptions { to: Some(dates.validation[1]), ..LoadOptions::default() };
        let panel = dataset.load(&options)?.panel;
        let metadata = MetadataSource::load(dataset.folder())?.source;
        let membership = dataset.membership()?;
        if membership.is_none() && config.data.universe == Universe::Members {
            let problem = "\"members\", and there is no table of members beside the prices; say \"all\"";
            return Err(Error::Config { setting: "data.universe".to_owned(), problem: problem.to_owned() });
        }
        let tables = SideTable::ALL.into_iter().filter_map(|side| dataset.table_path(side));
        let files = dataset.price_files().iter().map(|file| file.as_path()).chain(tables);
        let hash = hash_of_files(files)?;
        Self::new(panel, metadata, membership, hash, config)
    }

    /// From what is already read. `hash` names the data in manifests.
    ///
    /// # Errors
    /// Where there are too few sessions or companies.
    pub fn new(
        panel: Panel,
        metadata: MetadataSource,
        membership: Option<Membership>,
        hash: String,
        config: &RunConfig,
    ) -> Result<Self, Error> {
        let dates = config.data.dates()?;
        let window = config.network.window;
        let panel = until(panel, dates.validation[1])?;
        let position = |date: Date| panel.sessions().partition_point(|&session| session < date);
        let after = |date: Date| panel.sessions().partition_point(|&session| session <= date);
        // Windows of validation reach back into training; samples of training end before that (SPEC D-09).
        let purge = window + 1 + config.data.embargo_sessions;
        let train = position(dates.train[0])..after(dates.train[1]).saturating_sub(purge);
        let validation = position(dates.validation[0])..after(dates.validation[1]);
        for (name, range) in [("training", &train), ("validation", &validation)] {
            if range.is_empty() {
                let text = format!("{name} has no session left after {purge} are left out before validation");
                return Err(Error::Data(text));
            }
        }
        let sectors: Vec<Sector> = panel.symbols().iter().map(|symbol| metadata.sector(symbol)).collect();
        let held_out = hold_out(panel.symbols(), &sectors, &config.data);
        let cube = panel_features(&panel).normalised();
        let last = panel.at(SessionIdx(panel.n_sessions() - 1));
        let regimes: Vec<RegimeSeries> =
            (0..panel.n_assets()).into_par_iter().map(|asset| asset_regimes(&last, AssetIdx(asset))).collect();
        let companies = |held: bool| {
            let assets = panel.assets().filter(|asset| sectors[asset.0].is_company());
            assets.filter(|asset| held || !held_out[asset.0]).collect::<Vec<_>>()
        };
        let market_regimes = market_regimes(&last, &companies(false));
        let labels = |series: &RegimeSeries| -> Vec<Regime> {
            let days = series.sessions.iter().zip(&series.labels);
            days.filter(|(at, _)| train.contains(&(**at as usize))).filter_map(|(_, label)| *label).collect()
        };
        let of_assets = companies(false).into_iter().flat_map(|asset| labels(&regimes[asset.0]));
        // A regime that training never meets has no frequency; it weighs one, as the average label does.
        let weights = [class_weights(of_assets), class_weights(labels(&market_regimes))]
            .map(|weights| weights.map(|weight| weight.unwrap_or(1.0) as f32));
        let membership = membership.filter(|_| config.data.universe == Universe::Members);
        let least_bars = config.sampling.least_bars;
        let data = Self {
            cube,
            metadata,
            regimes,
            market_regimes,
            window,
            train_dates: config.sampling.train_dates,
            sectors,
            held_out,
            membership,
            least_bars,
            train,
            validation,
            weights,
            hash,
            panel,
        };
        let middle = |range: &Range<usize>| usize::midpoint(range.start, range.end);
        for (name, range) in [("training", &data.train), ("validation", &data.validation)] {
            if data.universe(middle(range), Tickers::Seen).is_empty() {
                let date = data.panel.sessions()[middle(range)];
                return Err(Error::Data(format!("no company can be used on {date}, in the middle of {name}")));
            }
        }
        Ok(data)
    }

    /// SHA-256 of what was read.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Sessions of a part that may end a window, as positions on the panel's axis.
    #[must_use]
    pub fn sessions(&self, part: Part) -> Range<usize> {
        match part {
            Part::Train => self.train.clone(),
            Part::Validation => self.validation.clone(),
        }
    }

    /// First and last date of a part.
    #[must_use]
    pub fn range(&self, part: Part) -> [Date; 2] {
        let range = self.sessions(part);
        [self.panel.sessions()[range.start], self.panel.sessions()[range.end - 1]]
    }

    /// The date of a session.
    #[must_use]
    pub fn date(&self, session: usize) -> Date {
        self.panel.sessions()[session]
    }

    /// The symbol of an asset.
    #[must_use]
    pub fn symbol(&self, asset: AssetIdx) -> &Symbol {
        &self.panel.symbols()[asset.0]
    }

    /// The sector of an asset.
    #[must_use]
    pub fn sector(&self, asset: AssetIdx) -> Sector {
        self.sectors[asset.0]
    }

    /// Symbols that training never sees, rising.
    #[must_use]
    pub fn held_out(&self) -> Vec<Symbol> {
        let held = self.panel.symbols().iter().zip(&self.held_out).filter(|(_, held)| **held);
        held.map(|(symbol, _)| symbol.clone()).collect()
    }

    /// Companies that training may see.
    #[must_use]
    pub fn n_seen(&self) -> usize {
        self.sectors.iter().zip(&self.held_out).filter(|(sector, held)| sector.is_company() && !**held).count()
    }

    /// Weights of the regimes of assets and of the market, proportional to one over the root of their
    /// frequency in training (SPEC D-07).
    #[must_use]
    pub fn regime_weights(&self) -> &[[f32; 4]; 2] {
        &self.weights
    }

    /// Companies that can be used at the close of a session: members of the day, with a bar in it and enough
    /// bars before.
    #[must_use]
    pub fn universe(&self, session: usize, tickers: Tickers) -> Vec<AssetIdx> {
        let date = self.panel.sessions()[session];
        let usable = |asset: &AssetIdx| {
            let features = self.cube.asset(*asset);
            self.sectors[asset.0].is_company()
                && self.held_out[asset.0] == (tickers == Tickers::HeldOut)
                && features.sessions().binary_search(&(session as u32)).is_ok()
                && features.bars_until(SessionIdx(session)) >= WARM_UP + self.least_bars
                && self.membership.as_ref().is_none_or(|members| members.is_member(self.symbol(*asset), date))
        };
        self.panel.assets().filter(usable).collect()
    }

    /// The simple return from this session's close to the next session's; `None` without a bar in both.
    #[must_use]
    pub fn next_return(&self, asset: AssetIdx, session: usize) -> Option<f32> {
        let close = self.panel.full_history(asset, Field::AdjClose);
        let ret = close.get(session + 1)? / close[session] - 1.0;
        ret.is_finite().then_some(ret as f32)
    }

    /// The sum of log returns and the logarithm of their root mean square over the next `horizon`
    /// sessions; `None` unless all of them have a bar and the price moves.
    #[must_use]
    pub fn next_sessions(&self, asset: AssetIdx, session: usize, horizon: usize) -> Option<[f32; 2]> {
        let close = self.panel.full_history(asset, Field::AdjClose).get(session..=session + horizon)?;
        let logs: Vec<f64> = close.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
        let square = logs.iter().map(|log| log * log).sum::<f64>() / horizon as f64;
        let found = [logs.iter().sum::<f64>() as f32, (0.5 * square.ln()) as f32];
        found.iter().all(|x| x.is_finite()).then_some(found)
    }
}

/// The sessions up to a date, and a refusal where there is none.
fn until(panel: Panel, date: Date) -> Result<Panel, Error> {
    let last = panel.sessions().last().copied();
    match last {
        None => Err(Error::Data("the price table has no session".to_owned())),
        Some(last) if last <= date => Ok(panel),
        Some(_) => {
            let count = panel.sessions().partition_point(|&session| session <= date);
            let mut cut = Panel::empty(panel.symbols().to_vec(), panel.sessions()[..count].to_vec());
            for asset in panel.assets() {
                let column = |field| panel.full_history(asset, field);
                for session in (0..count).filter(|&session| panel.full_mask(asset)[session]) {
                    let bar = lotwise_core::RawBar {
                        date: panel.sessions()[session],
                        open: column(Field::Open)[session],
                        high: column(Field::High)[session],
                        low: column(Field::Low)[session],
                        close: column(Field::Close)[session],
                        adj_close: column(Field::AdjClose)[session],
                        volume: column(Field::Volume)[session],
                    };
                    cut.set(asset, SessionIdx(session), &bar);
                }
            }
            Ok(cut)
        }
    }
}

/// In each sector the share of companies whose number, drawn from seed and symbol, is smallest. Another
/// symbol in the table therefore changes little.
fn hold_out(symbols: &[Symbol], sectors: &[Sector], config: &DataConfig) -> Vec<bool> {
    let mut by_sector: BTreeMap<Sector, Vec<(u64, usize)>> = BTreeMap::new();
    let seed = Seed::new(config.held_out_seed);
    for (asset, (symbol, &sector)) in symbols.iter().zip(sectors).enumerate() {
        if sector.is_company() {
            let draw = seeds::number(seed, symbol.as_str(), 0);
            by_sector.entry(sector).or_default().push((draw, asset));
        }
    }
    let mut held = vec![false; symbols.len()];
    for companies in by_sector.values_mut() {
        companies.sort_unstable();
        let count = (companies.len() as f64 * config.held_out_share).round() as usize;
        companies.iter().take(count).for_each(|&(_, asset)| held[asset] = true);
    }
    held
}

/// SHA-256 over names and contents, in the order given.
fn hash_of_files<'a>(files: impl Iterator<Item = &'a Path>) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        let mut file = std::fs::File::open(path).map_err(Error::file("read", path))?;
        loop {
            let count = file.read(&mut buffer).map_err(Error::file("read", path))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
