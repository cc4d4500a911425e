//! A file of the price cache with a sound checksum, so that the damage reaches what stands behind it, and without one.
#![no_main]

use std::sync::OnceLock;

use lotwise_core::Symbol;
use lotwise_market::provider::PriceCache;
use sha2::{Digest, Sha256};

fn cache() -> &'static (PriceCache, Symbol) {
    static CACHE: OnceLock<(PriceCache, Symbol)> = OnceLock::new();
    CACHE.get_or_init(|| {
        (PriceCache::new(lotwise_fuzz::scratch("cache")), Symbol::parse("AAPL").expect("the symbol is written out"))
    })
}

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let (cache, symbol) = cache();
    let sum: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = [format!("lotwise prices 1\n{sum}\n").as_bytes(), body].concat();
    for bytes in [&file[..], body] {
        std::fs::write(cache.file(symbol), bytes).expect("the folder for temporary files can be written");
        if let Ok(Some(cached)) = cache.read(symbol) {
            assert_eq!(&cached.series.symbol, symbol);
            assert!(cached.series.bars.iter().all(|bar| bar.fault().is_none()));
            assert!(cached.series.distributions.iter().all(|paid| paid.amount.is_positive()));
            assert!(cached.series.bars.windows(2).all(|pair| pair[0].date < pair[1].date));
            cache.write(&cached).expect("the folder for temporary files can be written");
            assert_eq!(cache.read(symbol), Ok(Some(cached)), "what was read is written back the same");
        }
        assert!(cache.entries().expect("the folder can be listed").len() == 1);
    }
});
