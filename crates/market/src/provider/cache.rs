//! The price cache: a folder with one text file per symbol, complete or absent.
//!
//! A file starts with its kind and a checksum of the rest, so that half a file, a changed byte or
//! another program's file is noticed and named, never used.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lotwise_core::{Date, Instant, Price, Rate, RawBar, Symbol};
use sha2::{Digest, Sha256};

use super::yahoo::percent_encoded;
use super::{Distribution, DistributionKind, FetchedSeries};
use crate::Error;
use crate::table::write_file;

const KIND: &str = "lotwise prices 1";
const PREFIX: &str = "prices-";
const SUFFIX: &str = ".txt";
/// A century of daily bars is 3 MB.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// A series as it lies in the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedSeries {
    /// What the provider answered.
    pub series: FetchedSeries,
    /// First day that was asked for; an earlier one needs another request.
    pub asked_from: Date,
    /// Our time when the answer came.
    pub fetched_at: Instant,
}

/// Why a cached file cannot be used. The prices are fetched again, and the fault is reported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cached prices in {} are unusable: {detail}", file.display())]
pub struct CacheFault {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub detail: String,
}

/// A cached symbol and what its file holds.
pub type CacheEntry = (Symbol, Result<CachedSeries, CacheFault>);

/// A folder of cached series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceCache {
    folder: PathBuf,
}

impl PriceCache {
    /// A cache in `folder`, which is made when the first series is stored.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a symbol, whether or not it exists.
    #[must_use]
    pub fn file(&self, symbol: &Symbol) -> PathBuf {
        self.folder.join(format!("{PREFIX}{}{SUFFIX}", percent_encoded(symbol.as_str())))
    }

    /// The cached series of a symbol; `None` when there is none.
    ///
    /// # Errors
    /// When there is a file and it cannot be used.
    pub fn read(&self, symbol: &Symbol) -> Result<Option<CachedSeries>, CacheFault> {
        let file = self.file(symbol);
        let fault = |detail: String| CacheFault { file: file.clone(), detail };
        let opened = match std::fs::File::open(&file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(error.to_string())),
        };
        let mut bytes = Vec::new();
        opened.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(fault("it is larger than any price history".to_owned()));
        }
        let cached = decode(&bytes).map_err(|detail| fault(detail.to_owned()))?;
        if &cached.series.symbol != symbol {
            return Err(fault(format!("it holds {}", cached.series.symbol)));
        }
        Ok(Some(cached))
    }

    /// Stores a series in place of an earlier one; a reader meets the old file or the new one.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn write(&self, cached: &CachedSeries) -> Result<(), Error> {
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        let text = encode(cached);
        write_file(self.file(&cached.series.symbol), |mut file| file.write_all(text.as_bytes()))
    }

    /// Everything that is cached, by symbol, readable or not.
    ///
    /// # Errors
    /// When the folder cannot be listed; a folder that does not exist is an empty cache.
    pub fn entries(&self) -> Result<Vec<CacheEntry>, Error> {
        let listing = match std::fs::read_dir(&self.folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(&self.folder)(error)),
        };
        let mut symbols = Vec::new();
        for entry in listing {
            let name = entry.map_err(Error::io(&self.folder))?.file_name();
            let symbol = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
            symbols.extend(symbol.and_then(|encoded| Symbol::parse(&percent_decoded(encoded)?).ok()));
        }
        symbols.sort();
        let read = |symbol: Symbol| self.read(&symbol).transpose().map(|result| (symbol, result));
        Ok(symbols.into_iter().filter_map(read).collect())
    }
}

fn encode(cached: &CachedSeries) -> String {
    let series = &cached.series;
    let mut body = String::with_capacity(200 + series.bars.len() * 64);
    let mut line = |text: std::fmt::Arguments<'_>| {
        body.write_fmt(text).expect("Invariant: writing to a string does not fail");
        body.push('\n');
    };
    line(format_args!("symbol {}", series.symbol));
    line(format_args!("provider {}", series.provider.replace(['\n', '\r'], " ")));
    line(format_args!("asked_from {}", cached.asked_from));
    line(format_args!("quoted_at {}", series.quoted_at.0));
    line(format_args!("fetched_at {}", cached.fetched_at.0));
    for distribution in &series.distributions {
        let kind = match distribution.kind {
            DistributionKind::Dividend => "dividend",
            DistributionKind::CapitalGain => "capital_gain",
        };
        line(format_args!("{kind} {} {}", distribution.ex_date, distribution.amount));
    }
    for (date, ratio) in &series.splits {
        line(format_args!("split {date} {ratio}"));
    }
    for (date, detail) in &series.skipped {
        line(format_args!("skipped {date} {}", detail.replace(['\n', '\r'], " ")));
    }
    for bar in &series.bars {
        let RawBar { date, open, high, low, close, adj_close, volume } = bar;
        line(format_args!("bar {date} {open} {high} {low} {close} {adj_close} {volume}"));
    }
    format!("{KIND}\n{}\n{body}", checksum(body.as_bytes()))
}

fn checksum(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
}

fn decode(bytes: &[u8]) -> Result<CachedSeries, &'static str> {
    const DAMAGED: &str = "its checksum does not match, so it is cut short or was changed";
    const CONTENT: &str = "its content is not what this version writes";
    let text = std::str::from_utf8(bytes).map_err(|_| DAMAGED)?;
    let rest = text
        .strip_prefix(KIND)
        .and_then(|rest| rest.strip_prefix('\n'))
        .ok_or("it is not a price file of this version")?;
    let (sum, body) = rest.split_once('\n').ok_or(DAMAGED)?;
    if checksum(body.as_bytes()) != sum {
        return Err(DAMAGED);
    }
    // None is ever written, and `lines` would drop one at an end.
    if body.contains('\r') {
        return Err(CONTENT);
    }
    let mut reader = Reading::default();
    for line in body.lines() {
        reader.line(line).ok_or(CONTENT)?;
    }
    reader.finish().ok_or(CONTENT)
}

#[derive(Default)]
struct Reading {
    symbol: Option<Symbol>,
    provider: Option<String>,
    asked_from: Option<Date>,
    quoted_at: Option<i64>,
    fetched_at: Option<i64>,
    distributions: Vec<Distribution>,
    splits: Vec<(Date, Rate)>,
    skipped: Vec<(Date, String)>,
    bars: Vec<RawBar>,
}

impl Reading {
    fn line(&mut self, line: &str) -> Option<()> {
        let (key, value) = line.split_once(' ')?;
        match key {
            "symbol" => self.symbol = Some(Symbol::parse(value).ok()?),
            "provider" => self.provider = Some(value.to_owned()),
            "asked_from" => self.asked_from = Some(Date::parse(value).ok()?),
            "quoted_at" => self.quoted_at = Some(value.parse().ok()?),
            "fetched_at" => self.fetched_at = Some(value.parse().ok()?),
            "dividend" | "capital_gain" => {
                let (ex_date, amount) = dated(value).filter(|(_, amount): &(_, Price)| amount.is_positive())?;
                let kind = if key == "dividend" { DistributionKind::Dividend } else { DistributionKind::CapitalGain };
                self.distributions.push(Distribution { ex_date, amount, kind });
            }
            "split" => self.splits.push(dated(value).filter(|(_, ratio): &(_, Rate)| ratio.is_positive())?),
            "skipped" => self.skipped.push(dated(value)?),
            "bar" => {
                let (date, numbers) = value.split_once(' ')?;
                let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
                let [open, high, low, close, adj_close, volume] = numbers[..] else { return None };
                let bar = RawBar { date: Date::parse(date).ok()?, open, high, low, close, adj_close, volume };
                if bar.fault().is_some() || self.bars.last().is_some_and(|last| last.date >= bar.date) {
                    return None;
                }
                self.bars.push(bar);
            }
            _ => return None,
        }
        Some(())
    }

    fn finish(self) -> Option<CachedSeries> {
        Some(CachedSeries {
            series: FetchedSeries {
                symbol: self.symbol?,
                provider: self.provider?,
                bars: self.bars,
                distributions: self.distributions,
                splits: self.splits,
                quoted_at: Instant(self.quoted_at?),
                skipped: self.skipped,
            },
            asked_from: self.asked_from?,
            fetched_at: Instant(self.fetched_at?),
        })
    }
}

fn dated<T: FromStr>(value: &str) -> Option<(Date, T)> {
    let (date, rest) = value.split_once(' ')?;
    Some((Date::parse(date).ok()?, rest.parse().ok()?))
}

fn percent_decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let (code, tail) = tail.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> CachedSeries {
        let date = |text| Date::parse(text).unwrap();
        let bar = |text, close: f64| RawBar {
            date: date(text),
            open: close,
            high: close + 1.0,
            low: close * 0.9,
            close,
            adj_close: close * 0.987_654_321,
            volume: 12_345.0,
        };
        CachedSeries {
            series: FetchedSeries {
                symbol: Symbol::parse("BRK-B").unwrap(),
                provider: "yahoo".to_owned(),
                bars: vec![bar("2024-06-27", 189.95), bar("2024-06-28", 0.1)],
                distributions: vec![Distribution {
                    ex_date: date("2024-06-28"),
                    amount: Price::parse("0.25").unwrap(),
                    kind: DistributionKind::CapitalGain,
                }],
                splits: vec![(date("2024-06-27"), Rate::parse("0.333333333").unwrap())],
                quoted_at: Instant(1_719_604_801_000),
                skipped: vec![(date("2024-06-26"), "a price or the volume is missing".to_owned())],
            },
            asked_from: date("2024-01-01"),
            fetched_at: Instant(1_719_604_900_000),
        }
    }

    #[test]
    fn a_series_survives_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PriceCache::new(folder.path().join("not/there/yet"));
        let cached = sample();
        assert_eq!(cache.read(&cached.series.symbol), Ok(None));
        assert_eq!(cache.entries().unwrap(), []);
        cache.write(&cached).unwrap();
        assert_eq!(cache.read(&cached.series.symbol), Ok(Some(cached.clone())));
        assert_eq!(cache.entries().unwrap(), [(cached.series.symbol.clone(), Ok(cached))]);
        assert_eq!(std::fs::read_dir(cache.folder()).unwrap().count(), 1, "no part file is left");
    }

    #[test]
    fn odd_symbols_stay_inside_the_folder() {
        let cache = PriceCache::new("cache");
        for (symbol, name) in [
            ("^GSPC", "prices-%5EGSPC.txt"),
            ("A/../../B", "prices-A%2F..%2F..%2FB.txt"),
            ("EURUSD=X", "prices-EURUSD%3DX.txt"),
            ("CON", "prices-CON.txt"),
        ] {
            let symbol = Symbol::parse(symbol).unwrap();
            assert_eq!(cache.file(&symbol), Path::new("cache").join(name));
            assert_eq!(percent_decoded(&percent_encoded(symbol.as_str())).as_deref(), Some(symbol.as_str()));
        }
    }

    #[test]
    fn what_is_never_written_is_a_fault_whatever_its_checksum() {
        let file = encode(&sample());
        let body = file.splitn(3, '\n').nth(2).unwrap();
        let sealed = |body: &str| format!("{KIND}\n{}\n{body}", checksum(body.as_bytes()));
        assert_eq!(decode(sealed(body).as_bytes()), Ok(sample()));
        for (from, to) in [
            ("volume is", "volume\ris"),
            ("capital_gain 2024-06-28 0.25", "capital_gain 2024-06-28 -0.25"),
            ("0.333333333", "0"),
            ("2024-06-27 189.95", "2024-06-29 189.95"),
            ("quoted_at", "quoted"),
            ("symbol BRK-B\n", ""),
        ] {
            assert!(decode(sealed(&body.replace(from, to)).as_bytes()).is_err(), "{to}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_file_is_a_fault_and_never_prices(cut in 0_usize..400, at in 0_usize..400, flip in 1_u8..=255) {
            let whole = encode(&sample()).into_bytes();
            prop_assert!(decode(&whole[..cut.min(whole.len() - 1)]).is_err());
            let mut changed = whole;
            let at = at % changed.len();
            changed[at] ^= flip;
            prop_assert!(decode(&changed).is_err());
        }
    }
}
