//! The files that a person writes for the program, through the whole command line: settings, answers, column maps, cases
//! to verify and what a backtest should run. The first byte picks which.
#![no_main]

use lotwise_fuzz::{command, scratch};

const TABLE: &str = "Date;Action;Symbol;Shares;Price;Amount\n2024-01-02;Buy;AAPL;10;100,00;-1000,00\n";
const HISTORY: &str = include_str!("../../crates/lotwise/sample/loss.csv");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, text)) = bytes.split_first() else { return };
    let folder = scratch("files");
    let write = |name: &str, text: &[u8]| -> String {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the folder for temporary files can be written");
        path.display().to_string()
    };
    let given = write("given", text);
    write("lotwise.toml", b"");
    match pick % 5 {
        0 => {
            write("lotwise.toml", text);
            command(&["import", "formats"], &folder);
        }
        1 => command(&["import", "--dry-run", &write("loss.csv", HISTORY.as_bytes()), "--answers", &given], &folder),
        2 => command(&["import", "--dry-run", &write("table.csv", TABLE.as_bytes()), "--map", &given], &folder),
        3 => command(&["verify", &given], &folder),
        _ => command(&["backtest", "--dry-run", "--config", &given], &folder),
    }
});
