//! A small synthetic market, and runs that take seconds.

use lotwise_core::{Date, Seed};
use lotwise_market::metadata::{MetadataSource, Sector};
use lotwise_market::synthetic::{MarketConfig, SyntheticMarket, Universe, generate};
use lotwise_market::{Membership, Panel};
use lotwise_nn::EncoderConfig;
use lotwise_train::encoder::{EncoderData, Path, RunConfig, Stage, TemporalChoice, Universe as Choice};

/// Sessions of the market.
pub const SESSIONS: usize = 700;

pub fn market() -> SyntheticMarket {
    let first = Date::parse("2010-01-01").expect("Invariant: a date");
    let config = MarketConfig::null(Universe::Invented { n_symbols: 22 }, first, SESSIONS);
    generate(&config, Seed::new(5)).expect("Invariant: the sample market can be made")
}

pub fn metadata(market: &SyntheticMarket) -> MetadataSource {
    let sectors = market.tickers.iter().map(|one| (one.symbol.clone(), Sector::from_name(one.gics_sector)));
    MetadataSource { sectors: sectors.collect(), ..MetadataSource::default() }
}

/// A network and batches so small that a step takes a millisecond or two.
pub fn config() -> RunConfig {
    let mut config = RunConfig {
        temporal: TemporalChoice { kind: "none".to_owned(), ..TemporalChoice::default() },
        network: EncoderConfig {
            dim: 8,
            heads: 2,
            market_layers: 1,
            asset_layers: 1,
            hidden: 16,
            window: 20,
            ..EncoderConfig::base64(0)
        },
        stages: vec![
            Stage { name: "market".to_owned(), path: Path::Market, epochs: 2, patience: 2, contrast: 0.0 },
            Stage { name: "differentiation".to_owned(), path: Path::Whole, epochs: 2, patience: 2, contrast: 0.5 },
        ],
        ..RunConfig::default()
    };
    config.data.universe = Choice::All;
    config.data.train_from = "2010-01-01".to_owned();
    config.data.train_to = "2012-02-29".to_owned();
    config.data.validation_from = "2012-03-01".to_owned();
    config.data.validation_to = "2012-09-30".to_owned();
    config.sampling.dates_per_batch = 3;
    config.sampling.assets_per_date = 5;
    config.sampling.steps_per_epoch = 4;
    config.sampling.validation_dates = 6;
    config.sampling.validation_assets = 5;
    config.sampling.probe_dates = 4;
    config.sampling.least_bars = 5;
    config
}

pub fn data(config: &RunConfig) -> EncoderData {
    data_with(config, None)
}

pub fn data_with(config: &RunConfig, membership: Option<Membership>) -> EncoderData {
    let market = market();
    let panel = Panel::from_groups(&market.bars);
    EncoderData::new(panel, metadata(&market), membership, "sample".to_owned(), config)
        .expect("Invariant: the sample market suffices")
}
