//! Quicken's investment accounts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lotwise_fuzz::read_as(bytes, Some("qif-investment")));
