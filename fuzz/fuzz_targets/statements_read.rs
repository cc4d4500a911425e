//! A file of any kind, its format found by content.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lotwise_fuzz::read_as(bytes, None));
