//! A broker's export, its format found by content, through the whole command line: the lots and the tax of a year that
//! come of it, whatever stands in its rows.
#![no_main]

use lotwise_fuzz::{command, scratch};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = scratch("history");
    let file = folder.join("export");
    std::fs::write(&file, bytes).expect("the folder for temporary files can be written");
    let file = file.display().to_string();
    command(&["lots", "--history", &file, "--as-of", "2024-06-28"], &folder);
    let estimate = ["tax", "estimate", "--year", "2023", "--history", &file];
    command(&[&estimate[..], &["--short-rate", "0.24", "--long-rate", "0.15"]].concat(), &folder);
});
