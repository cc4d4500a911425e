//! A file read as the format that its first byte picks, whatever it looks like.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let formats = lotwise_statements::formats();
    if let (Some((&pick, rest)), false) = (bytes.split_first(), formats.is_empty()) {
        lotwise_fuzz::read_as(rest, Some(formats[usize::from(pick) % formats.len()].id));
    }
});
