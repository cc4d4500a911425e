//! A price provider's answer: the first two bytes are the status of HTTP, the rest is the body. What is understood has
//! the shape that it promises, and comes out of the cache as it went in.
#![no_main]

use std::sync::OnceLock;

use lotwise_core::{Date, Instant, Symbol};
use lotwise_market::provider::{CachedSeries, PriceCache, Yahoo, YahooConfig};

struct Asked {
    provider: Yahoo,
    symbol: Symbol,
    from: Date,
    to: Date,
    cache: PriceCache,
}

fn asked() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    let date = |text| Date::parse(text).expect("the date is written out");
    ASKED.get_or_init(|| Asked {
        provider: Yahoo::new(YahooConfig { proxy_from_environment: false, ..YahooConfig::public() }),
        symbol: Symbol::parse("AAPL").expect("the symbol is written out"),
        from: date("2024-06-03"),
        to: date("2024-06-28"),
        cache: PriceCache::new(lotwise_fuzz::scratch("provider")),
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((status, body)) = bytes.split_first_chunk() else { return };
    let Asked { provider, symbol, from, to, cache } = asked();
    let status = if status == b"OK" { 200 } else { u16::from_le_bytes(*status) };
    let read = || provider.read(symbol, *from, *to, status, body);
    let series = match read() {
        Ok(series) => series,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(status == 200 && &series.symbol == symbol && !series.bars.is_empty());
    assert!(series.bars.windows(2).all(|pair| pair[0].date < pair[1].date), "dates rise");
    assert!(series.bars.iter().all(|bar| bar.fault().is_none()), "every bar is one");
    assert!(series.distributions.iter().all(|paid| paid.amount.is_positive()));
    assert!(series.splits.iter().all(|(_, ratio)| ratio.is_positive()));
    assert_eq!(read().as_ref(), Ok(&series), "the same bytes read alike");
    let cached = CachedSeries { series, asked_from: *from, fetched_at: Instant(1_719_604_900_000) };
    cache.write(&cached).expect("the folder for temporary files can be written");
    assert_eq!(cache.read(symbol), Ok(Some(cached)), "the cache keeps what it is given");
});
