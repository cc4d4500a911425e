//! Decimals, dates and symbols: what is read is written back the same.
#![no_main]

use lotwise_core::{Date, Money, Price, Rate, Shares, Symbol};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(money) = Money::parse(text) {
        assert_eq!(Money::parse(&money.to_string()), Ok(money));
        assert_eq!(Money::parse_rounded(text), Ok(money), "an exact decimal needs no rounding");
    }
    if let Ok(shares) = Shares::parse_rounded(text) {
        assert_eq!(Shares::parse(&shares.to_string()), Ok(shares));
    }
    let _ = Price::parse(text).map(Price::to_f64);
    let _ = Rate::parse_rounded(text);
    if let Ok(date) = Date::parse(text) {
        assert_eq!(date.to_string(), text);
    }
    if let Ok(symbol) = Symbol::parse(text) {
        assert_eq!(Symbol::parse(symbol.as_str()).as_ref(), Ok(&symbol), "a symbol is its own spelling");
    }
});
