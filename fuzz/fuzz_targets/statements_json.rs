//! Every format in JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lotwise_fuzz::read_as_all(bytes, |id| id.ends_with("-json")));
