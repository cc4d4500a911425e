//! Lotwise's own JSON ledger, as a statement and as parts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = lotwise_statements::ledger_json::parse(text);
    }
    lotwise_fuzz::read_as(bytes, Some("lotwise-ledger-json"));
});
