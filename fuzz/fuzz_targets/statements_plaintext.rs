//! Beancount files, and journals of Ledger and hledger.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lotwise_fuzz::read_as_all(bytes, |id| matches!(id, "beancount" | "ledger-journal"));
});
