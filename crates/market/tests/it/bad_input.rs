//! Files that are not what they claim: a clear error, never a panic.

use std::path::Path;

use lotwise_market::table::Table;
use lotwise_market::{Error, LoadOptions, Panel};
use proptest::prelude::*;

use crate::loading::{HEADER, parquet_of, write};

fn fails(path: impl AsRef<Path>) -> Error {
    Panel::load(path, &LoadOptions::default()).expect_err("the file is not a price table")
}

fn good_rows() -> String {
    let mut text = HEADER.to_owned();
    for day in 2..=5 {
        text += &format!("2024-01-0{day},AAA,1,1,1,1,1,5\n");
    }
    text
}

#[test]
fn each_broken_file_has_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(matches!(fails(folder.join("absent.csv")), Error::Io { .. }));
    assert!(matches!(fails(write(folder, "empty.csv", "")), Error::Empty { .. }));
    assert!(matches!(fails(write(folder, "empty.parquet", "")), Error::Empty { .. }));
    assert!(matches!(fails(write(folder, "bom.csv", [0xEF, 0xBB, 0xBF])), Error::Empty { .. }));
    assert!(matches!(fails(write(folder, "text.parquet", good_rows())), Error::NotParquet { .. }));
    assert!(matches!(fails(write(folder, "stub.parquet", "PAR1")), Error::Corrupt { .. }));
    assert!(matches!(fails(write(folder, "header.csv", HEADER)), Error::NoRows { .. }));
    assert!(matches!(fails(parquet_of(folder, "header.parquet", HEADER)), Error::NoRows { .. }));
    assert!(matches!(fails(write(folder, "blank.csv", ",,\n1,2,3\n")), Error::Csv { line: 1, .. }));
    let utf16: Vec<u8> = good_rows().encode_utf16().flat_map(u16::to_le_bytes).collect();
    for marked in [utf16.clone(), [vec![0xFF, 0xFE], utf16].concat()] {
        let error = fails(write(folder, "utf16.csv", marked)).to_string();
        assert!(error.ends_with("utf16.csv is UTF-16 text, not UTF-8 text; save it again as UTF-8 CSV"), "{error}");
    }
    let binary = [good_rows().as_bytes(), &[0_u8; 16]].concat();
    assert!(matches!(fails(write(folder, "binary.csv", binary)), Error::Encoding { found: "a binary file", .. }));
}

#[test]
fn a_table_without_volume_says_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "p.csv", "date,ticker,open,high,low,close\n2024-01-02,AAA,1,1,1,1\n");
    let error = fails(&path).to_string();
    assert!(error.ends_with("has no column \"volume\"; it has date, ticker, open, high, low, close"), "{error}");
    let text = "date,ticker,open,high,low,close,adj_close,volume\n";
    let path = folder.path().join("typed.parquet");
    let columns: Vec<_> =
        text.trim().split(',').map(|name| (name, lotwise_market::table::ColumnData::Text(&[Some("x")]))).collect();
    lotwise_market::table::write_parquet(&path, &columns).unwrap();
    let error = fails(&path).to_string();
    assert!(error.ends_with("column \"open\" holds text, expected numbers"), "{error}");
}

#[test]
fn a_byte_order_mark_does_not_hide_the_first_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "p.csv", format!("\u{feff}{}", good_rows()));
    assert_eq!(Panel::load(path, &LoadOptions::default()).unwrap().panel.n_sessions(), 4);
}

#[test]
fn latin_1_in_a_side_table_is_an_error_of_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "tickers.csv", b"ticker,name\nAAA,Caf\xE9\n");
    assert!(matches!(Table::open(path), Err(Error::Encoding { .. })));
}

#[test]
fn a_parquet_file_cut_anywhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(parquet_of(folder.path(), "p.parquet", &good_rows())).unwrap();
    for length in 1..whole.len() {
        let path = write(folder.path(), "cut.parquet", &whole[..length]);
        assert!(Panel::load(&path, &LoadOptions::default()).is_err(), "cut after {length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_parquet_never_stops_the_program(at in 0.0..1.0_f64, value in any::<u8>(), length in 1_usize..8) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = std::fs::read(parquet_of(folder.path(), "p.parquet", &good_rows())).unwrap();
        let start = (at * bytes.len() as f64) as usize;
        let end = (start + length).min(bytes.len());
        bytes[start..end].fill(value);
        let path = write(folder.path(), "damaged.parquet", bytes);
        // Damage that only changes a value cannot be seen; anything else is an error.
        if let Ok(loaded) = Panel::load(&path, &LoadOptions::default()) {
            prop_assert!(loaded.rows <= 4);
        }
    }

    #[test]
    fn any_text_is_a_table_or_an_error(text in "[ -~\n,\"]{0,200}", with_header in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let text = if with_header { format!("{HEADER}{text}") } else { text };
        let path = write(folder.path(), "p.csv", text);
        if let Ok(loaded) = Panel::load(&path, &LoadOptions::default()) {
            prop_assert!(loaded.panel.n_assets() as u64 <= loaded.rows);
        }
    }
}
