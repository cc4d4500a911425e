//! What is known of a company beside its bars: the fifty fields of SPEC Appendix A, each with a bit
//! that says whether it is known at all.
//!
//! Every side table carries the date from which its rows may be used ([`Timeline`]); a field at
//! session `t` reads rows up to the close of `t` and bars up to `t`, nothing later.

mod company;
mod events;
mod load;
mod prices;
mod sector;
mod timeline;
mod view;

use std::ops::Range;

pub use company::{Count, Shorted, Snapshot, Statement};
pub use events::{InsiderTrade, Report};
pub use load::{MetadataLoad, MetadataSource};
pub use sector::Sector;
pub use timeline::{Dated, Timeline};
pub use view::{MetadataView, metadata_at};

/// How many fields there are.
pub const METADATA_FIELDS: usize = 50;

/// Names of the fields, by index; part of the checkpoint format. Transforms are those of SPEC Appendix A.
pub const METADATA_NAMES: [&str; METADATA_FIELDS] = [
    "sector_energy",
    "sector_materials",
    "sector_industrials",
    "sector_consumer_discretionary",
    "sector_consumer_staples",
    "sector_health_care",
    "sector_financials",
    "sector_information_technology",
    "sector_communication_services",
    "sector_utilities",
    "sector_real_estate",
    "sector_other",
    "cap_micro",
    "cap_small",
    "cap_mid",
    "cap_large",
    "cap_mega",
    "cap_unknown",
    "earnings_yield",
    "price_to_book",
    "return_on_equity",
    "profit_margin",
    "revenue_growth",
    "eps_growth",
    "short_interest",
    "dividend_yield",
    "debt_to_equity",
    "payout_ratio",
    "analyst_rating",
    "analyst_coverage",
    "price_target_upside",
    "implied_over_historical_vol",
    "implied_vol_skew",
    "put_call_volume_ratio",
    "unusual_options_activity",
    "earnings_proximity",
    "beat_rate_8",
    "post_earnings_drift",
    "distance_from_high_52w",
    "distance_from_low_52w",
    "volume_trend",
    "relative_strength_63",
    "insider_net_buying",
    "insider_momentum",
    "institutional_ownership",
    "institutional_ownership_change",
    "beta_252",
    "momentum_12_1",
    "relative_vol_60",
    "liquidity",
];

/// Groups of fields that come from one kind of source and are usually there or missing together.
pub const METADATA_BLOCKS: [(&str, Range<usize>); 10] = [
    ("sector", 0..12),
    ("size", 12..18),
    ("fundamentals", 18..28),
    ("analysts", 28..31),
    ("options", 31..35),
    ("earnings", 35..38),
    ("price", 38..42),
    ("insiders", 42..44),
    ("institutions", 44..46),
    ("market", 46..50),
];

/// The fifty fields of one asset at one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metadata {
    /// Transformed values. An unavailable field holds a zero that must not be read as data.
    pub values: [f32; METADATA_FIELDS],
    /// Which values are known.
    pub available: [bool; METADATA_FIELDS],
}

impl Metadata {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { values: [0.0; METADATA_FIELDS], available: [false; METADATA_FIELDS] };

    /// A field, `None` where it is not available.
    #[must_use]
    pub fn get(&self, field: usize) -> Option<f32> {
        self.available.get(field).copied().unwrap_or(false).then(|| self.values[field])
    }

    /// Stores a field; what is missing or not a finite number stays unavailable.
    fn set(&mut self, field: usize, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.values[field] = value as f32;
            self.available[field] = true;
        }
    }
}

/// How much of a block is available.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockAvailability {
    /// Name of the block.
    pub block: &'static str,
    /// Available fields over all fields of the block, 0 to 1; `None` where nothing was counted.
    pub rate: Option<f64>,
}

/// The availability rate of each block over many assets and sessions (SPEC D-11).
#[must_use]
pub fn availability<'a>(all: impl IntoIterator<Item = &'a Metadata>) -> Vec<BlockAvailability> {
    let mut counts = [0_u64; METADATA_FIELDS];
    let mut total = 0_u64;
    for metadata in all {
        total += 1;
        for (count, &available) in counts.iter_mut().zip(&metadata.available) {
            *count += u64::from(available);
        }
    }
    METADATA_BLOCKS
        .iter()
        .map(|(block, fields)| {
            let there: u64 = counts[fields.clone()].iter().sum();
            let all = total * fields.len() as u64;
            BlockAvailability { block, rate: (all > 0).then(|| there as f64 / all as f64) }
        })
        .collect()
}

/// `value / unit`, held between `low` and `high`.
fn clip(value: f64, unit: f64, low: f64, high: f64) -> f64 {
    (value / unit).clamp(low, high)
}
