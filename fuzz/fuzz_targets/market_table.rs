//! A table of prices, actions, memberships or names: Parquet or comma-separated values, told by content.
#![no_main]

use std::sync::OnceLock;

use lotwise_market::table::Table;
use lotwise_market::{CorporateActions, LoadOptions, Membership, Panel, Tickers};

/// One file for all inputs of this process; the readers take a path.
fn path() -> &'static std::path::Path {
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::temp_dir().join(format!("lotwise-fuzz-{}.table", std::process::id())))
}

/// The library for Parquet panics on some damaged files. Our reader catches that and makes it an error, but the
/// fuzzer's own hook would end the process before; a panic that nobody catches still does.
fn silence_caught_panics() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| std::panic::set_hook(Box::new(|_| {})));
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    silence_caught_panics();
    std::fs::write(path(), bytes).expect("the folder for temporary files can be written");
    if let Ok(table) = Table::open(path()) {
        let names: Vec<String> = table.columns().iter().map(|column| column.name.clone()).collect();
        for name in &names {
            let counts = [
                table.column_f64(name).map(|column| column.len()),
                table.column_i64(name).map(|column| column.len()),
                table.column_str(name).map(|column| column.iter().len()),
                table.column_date(name).map(|column| column.len()),
            ];
            assert!(counts.iter().flatten().all(|count| *count == table.n_rows()));
        }
    }
    let _ = Panel::load(path(), &LoadOptions::default());
    let _ = CorporateActions::open(path());
    let _ = Membership::open(path());
    let _ = Tickers::open(path());
});
