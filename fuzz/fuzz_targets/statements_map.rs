//! Column maps: what is proposed for a table is a map, and the table read by it is accounted for. A map may also stand
//! before the table, ended by a line of dashes.
#![no_main]

use lotwise_statements::{ColumnMap, propose_map};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(proposed) = propose_map(bytes) {
        // A proposal lacks what no column was found for, so it need not be complete.
        if let Ok(map) = ColumnMap::parse(&proposed) {
            lotwise_fuzz::read_by(bytes, map);
        }
    }
    if let Some((map, table)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once("\n---\n"))
        && let Ok(map) = ColumnMap::parse(map)
    {
        lotwise_fuzz::read_by(table.as_bytes(), map);
    }
});
