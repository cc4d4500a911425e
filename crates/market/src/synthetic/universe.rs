//! The symbols of a synthetic market and what each is like.

use lotwise_core::{Date, Seed, Symbol};
use rand_distr::{Distribution, LogNormal, Normal, StandardUniform};

/// The eleven GICS sectors in their official order, the order of the metadata fields.
pub const GICS_SECTORS: [&str; 11] = [
    "Energy",
    "Materials",
    "Industrials",
    "Consumer Discretionary",
    "Consumer Staples",
    "Health Care",
    "Financials",
    "Information Technology",
    "Communication Services",
    "Utilities",
    "Real Estate",
];

/// Typical beta, own volatility a year and dividend yield of each sector, in the order of [`GICS_SECTORS`].
const SECTOR_TRAITS: [(f64, f64, f64); 11] = [
    (1.05, 0.28, 0.035),
    (1.00, 0.25, 0.020),
    (1.05, 0.23, 0.016),
    (1.20, 0.28, 0.009),
    (0.65, 0.18, 0.027),
    (0.80, 0.24, 0.015),
    (1.10, 0.22, 0.024),
    (1.25, 0.29, 0.007),
    (1.05, 0.27, 0.010),
    (0.55, 0.17, 0.034),
    (0.85, 0.21, 0.038),
];

/// Where the symbols come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Universe {
    /// That many companies drawn from the seed, named `S0001` onwards, sectors in turn. Names with
    /// digits cannot be mistaken for a listed share.
    Invented {
        /// Number of companies.
        n_symbols: usize,
    },
    /// Exactly these.
    Listed(Vec<Listing>),
}

/// One symbol and its loadings.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Ticker symbol.
    pub symbol: Symbol,
    /// Name of the company or fund.
    pub name: String,
    /// Company or fund.
    pub kind: ListingKind,
    /// Weight on the market factor, −1 to 2.
    pub beta: f64,
    /// Weight on the sector factor, 0 to 1.5; a broad fund has none.
    pub sector_loading: f64,
    /// Long-run volatility of the symbol's own part, a fraction a year.
    pub specific_vol_annual: f64,
    /// Close before the first session, US dollars as traded then.
    pub start_price_usd: f64,
    /// Dividends of a year over the price, a fraction, paid in four parts; 0 for none.
    pub dividend_yield_annual: f64,
    /// Shares outstanding at the start.
    pub shares_outstanding: f64,
    /// How sound the business is, in standard deviations; shows in margins, returns and debt, never in returns.
    pub quality: f64,
    /// Splits that happen whatever the price does.
    pub splits: Vec<ScriptedSplit>,
}

/// Company or fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingKind {
    /// A company that reports earnings; `sector` is an index into [`GICS_SECTORS`].
    Company {
        /// Index into [`GICS_SECTORS`].
        sector: usize,
    },
    /// A fund that follows one sector.
    SectorFund {
        /// Index into [`GICS_SECTORS`].
        sector: usize,
    },
    /// A fund over many sectors, or of bonds.
    BroadFund,
}

/// A split on a given day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScriptedSplit {
    /// Ex-date; a day without trading moves to the next session.
    pub ex_date: Date,
    /// New shares for one old share.
    pub ratio: f64,
}

impl ListingKind {
    /// The sector whose factor moves it.
    #[must_use]
    pub fn sector(self) -> Option<usize> {
        match self {
            Self::Company { sector } | Self::SectorFund { sector } => Some(sector),
            Self::BroadFund => None,
        }
    }

    /// The sector column of `tickers.csv`.
    #[must_use]
    pub fn gics_sector(self) -> &'static str {
        match self {
            Self::Company { sector } => GICS_SECTORS[sector],
            Self::SectorFund { .. } | Self::BroadFund => "ETF",
        }
    }
}

impl Universe {
    /// Number of symbols.
    #[must_use]
    pub fn n_symbols(&self) -> usize {
        match self {
            Self::Invented { n_symbols } => *n_symbols,
            Self::Listed(listings) => listings.len(),
        }
    }

    /// The symbols, rising. Each invented company depends on the seed and its number only.
    #[must_use]
    pub fn listings(&self, seed: Seed) -> Vec<Listing> {
        let mut listings = match self {
            Self::Invented { n_symbols } => (0..*n_symbols).map(|number| invent(number, *n_symbols, seed)).collect(),
            Self::Listed(listings) => listings.clone(),
        };
        listings.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        listings
    }
}

fn invent(number: usize, of: usize, seed: Seed) -> Listing {
    let mut random = seed.stream("listing", number as u64);
    let sector = number % GICS_SECTORS.len();
    let (beta, vol, dividend_yield) = SECTOR_TRAITS[sector];
    let width = of.to_string().len().max(4);
    let symbol = Symbol::parse(&format!("S{:0width$}", number + 1)).expect("Invariant: S and digits are a symbol");
    let mut normal = |mean: f64, spread: f64| {
        let law = Normal::new(mean, spread).expect("Invariant: the spread is a positive constant");
        law.sample(&mut random)
    };
    let beta = normal(beta, 0.22).clamp(0.2, 1.9);
    let specific_vol_annual = (vol * normal(0.0, 0.25).exp()).clamp(0.10, 0.60);
    let sector_loading = normal(1.0, 0.2).clamp(0.3, 1.5);
    let quality = normal(0.0, 1.0).clamp(-3.0, 3.0);
    let price_law = LogNormal::new(4.0, 0.6).expect("Invariant: the spread is a positive constant");
    let shares_law = LogNormal::new(19.3, 1.3).expect("Invariant: the spread is a positive constant");
    let pays: f64 = StandardUniform.sample(&mut random);
    let yield_draw: f64 = StandardUniform.sample(&mut random);
    let start_price_usd: f64 = price_law.sample(&mut random);
    let shares_outstanding: f64 = shares_law.sample(&mut random);
    Listing {
        name: format!("Invented Company {} ({})", number + 1, GICS_SECTORS[sector]),
        symbol,
        kind: ListingKind::Company { sector },
        beta,
        sector_loading,
        specific_vol_annual,
        start_price_usd: start_price_usd.clamp(8.0, 350.0),
        dividend_yield_annual: if pays < 0.7 { dividend_yield * (0.5 + yield_draw) } else { 0.0 },
        shares_outstanding: shares_outstanding.clamp(1e7, 2e10).round(),
        quality,
        splits: Vec::new(),
    }
}
