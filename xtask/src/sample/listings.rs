//! The invented companies and funds of the sample, and the market they trade in.

use anyhow::{Context, Result};
use lotwise_core::{Calendar, Date, Seed, Symbol};
use lotwise_market::synthetic::{
    Listing, ListingKind, MarketConfig, PlantedSignal, ScriptedSplit, SignalKind, SyntheticMarket, Universe, generate,
};

/// First and last session of the sample.
pub const FIRST_DATE: &str = "2021-07-01";
/// The day the sample's people look at their accounts.
pub const AS_OF: &str = "2026-06-30";
/// Chosen among some thousands so that the four people's stories come true: Nimbora Cloud is far up,
/// Genvora Therapeutics, Telmora Networks and Kestrow Outfitters are down over the last year.
const SEED: u64 = 11_623;

const ENERGY: usize = 0;
const MATERIALS: usize = 1;
const INDUSTRIALS: usize = 2;
const DISCRETIONARY: usize = 3;
const STAPLES: usize = 4;
const HEALTH: usize = 5;
const FINANCIALS: usize = 6;
const TECHNOLOGY: usize = 7;
const COMMUNICATION: usize = 8;
const UTILITIES: usize = 9;
const REAL_ESTATE: usize = 10;

/// Symbol, name, sector, beta, own volatility a year, first price, dividend yield, quality.
type Company = (&'static str, &'static str, usize, f64, f64, f64, f64, f64);

const COMPANIES: [Company; 19] = [
    ("TRWEL", "Tarrowell Energy", ENERGY, 1.00, 0.26, 44.0, 0.040, 0.3),
    ("MINVO", "Minvale Materials", MATERIALS, 1.05, 0.25, 61.0, 0.018, 0.0),
    ("ORBEK", "Orbeck Industrial Works", INDUSTRIALS, 1.05, 0.20, 118.0, 0.014, 0.8),
    ("HOLMR", "Holmane Freight", INDUSTRIALS, 1.10, 0.24, 73.0, 0.016, 0.1),
    ("VELDO", "Veldara Motors", DISCRETIONARY, 1.60, 0.42, 88.0, 0.0, -1.0),
    ("KESTO", "Kestrow Outfitters", DISCRETIONARY, 1.20, 0.29, 52.0, 0.010, 0.2),
    ("PANTL", "Pantolle Foods", STAPLES, 0.60, 0.15, 67.0, 0.028, 0.9),
    ("MRVAL", "Merivale Household", STAPLES, 0.65, 0.16, 131.0, 0.025, 1.1),
    ("KALTH", "Calthorne Health", HEALTH, 0.80, 0.20, 156.0, 0.013, 1.0),
    ("GENVO", "Genvora Therapeutics", HEALTH, 1.10, 0.48, 39.0, 0.0, -1.2),
    ("LUMBO", "Lumbard Bancorp", FINANCIALS, 1.15, 0.22, 48.0, 0.029, 0.2),
    ("STVAN", "Stervane Insurance", FINANCIALS, 0.85, 0.18, 97.0, 0.022, 0.7),
    ("NIMBO", "Nimbora Cloud", TECHNOLOGY, 1.40, 0.32, 142.0, 0.0, 1.3),
    ("QUILO", "Quilloway Semiconductors", TECHNOLOGY, 1.55, 0.36, 64.0, 0.006, 0.6),
    ("DTNFJ", "Datenfjord Systems", TECHNOLOGY, 1.10, 0.22, 175.0, 0.009, 1.4),
    ("WAVLO", "Wavelock Media", COMMUNICATION, 1.15, 0.32, 33.0, 0.0, -0.6),
    ("TELMO", "Telmora Networks", COMMUNICATION, 0.90, 0.30, 41.0, 0.035, -0.9),
    ("HYDLE", "Hydelle Power", UTILITIES, 0.50, 0.15, 58.0, 0.035, 0.4),
    ("RFTRE", "Rooftree Residential Trust", REAL_ESTATE, 0.85, 0.20, 82.0, 0.036, 0.3),
];

/// Symbol, name, sector it follows, beta, own volatility a year, first price, dividend yield.
type Fund = (&'static str, &'static str, Option<usize>, f64, f64, f64, f64);

const FUNDS: [Fund; 5] = [
    ("BRDMK", "Broadmark 500 Index Fund", None, 1.00, 0.02, 210.0, 0.014),
    ("WIDEM", "Widemark International Index Fund", None, 0.85, 0.08, 64.0, 0.027),
    ("BNDLO", "Ballast Bond Fund", None, 0.04, 0.045, 81.0, 0.031),
    ("TEKFU", "Tekfund Technology Sector Fund", Some(TECHNOLOGY), 1.25, 0.04, 96.0, 0.006),
    ("DVMRK", "Divimark Dividend Fund", None, 0.80, 0.05, 55.0, 0.032),
];

/// The listings, in no particular order.
///
/// # Errors
/// When a constant above is no symbol or date.
pub fn listings() -> Result<Vec<Listing>> {
    let mut listings = Vec::with_capacity(COMPANIES.len() + FUNDS.len());
    for (symbol, name, sector, beta, specific_vol_annual, start_price_usd, dividend_yield_annual, quality) in COMPANIES
    {
        listings.push(Listing {
            symbol: Symbol::parse(symbol)?,
            name: name.to_owned(),
            kind: ListingKind::Company { sector },
            beta,
            sector_loading: 1.0,
            specific_vol_annual,
            start_price_usd,
            dividend_yield_annual,
            shares_outstanding: 4e8,
            quality,
            splits: Vec::new(),
        });
    }
    for (symbol, name, sector, beta, specific_vol_annual, start_price_usd, dividend_yield_annual) in FUNDS {
        listings.push(Listing {
            symbol: Symbol::parse(symbol)?,
            name: name.to_owned(),
            kind: sector.map_or(ListingKind::BroadFund, |sector| ListingKind::SectorFund { sector }),
            beta,
            sector_loading: 1.0,
            specific_vol_annual,
            start_price_usd,
            dividend_yield_annual,
            shares_outstanding: 3e8,
            quality: 0.0,
            splits: Vec::new(),
        });
    }
    let split = ScriptedSplit { ex_date: Date::parse("2025-11-17")?, ratio: 4.0 };
    let cloud = listings.iter_mut().find(|listing| listing.symbol.as_str() == "NIMBO");
    cloud.context("the sample has a company that splits")?.splits.push(split);
    Ok(listings)
}

/// The market of the sample.
///
/// # Errors
/// When the configuration cannot be simulated.
pub fn market() -> Result<SyntheticMarket> {
    let (first, last) = (Date::parse(FIRST_DATE)?, Date::parse(AS_OF)?);
    let n_sessions = Calendar::new_york().between(first, last).len();
    let signal = |kind, information_coefficient| PlantedSignal { kind, information_coefficient };
    let mut config = MarketConfig::null(Universe::Listed(listings()?), first, n_sessions)
        .with_signals(vec![signal(SignalKind::Momentum12To1, 0.02), signal(SignalKind::PostEarningsDrift, 0.03)]);
    config.drift_annual = 0.045;
    config.actions.split_above_usd = None;
    config.actions.merge_below_usd = None;
    Ok(generate(&config, Seed::new(SEED))?)
}
