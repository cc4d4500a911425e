//! Every format of comma-separated values.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lotwise_fuzz::read_as_all(bytes, |id| id.ends_with("-csv")));
