//! Tables that a person describes.

use lotwise_statements::{ColumnMap, ReadOptions, Statement, propose_map, read};

use crate::told::{asked, assert_accounted, notes, refusal, told};

fn mapped(map: &str, table: &str) -> Statement {
    let map = ColumnMap::parse(map).unwrap_or_else(|error| panic!("{error}\n{map}"));
    let options = ReadOptions { map: Some(map), ..ReadOptions::default() };
    let statement = read(table.as_bytes(), &options).unwrap_or_else(|error| panic!("{error}"));
    assert_accounted(&statement);
    statement
}

const MAP: &str = r#"
[file]
delimiter = ";"
decimal = ","
dates = ["DD.MM.YYYY", "YYYY-MM-DD"]
footers = ["Summe"]

[columns]
date = "Datum"
action = "Vorgang"
symbol = "Kürzel"
shares = "Stück"
price = "Kurs"
amount = ["Gesamt", "Betrag"]
fees = ["Provision", "Spesen"]
id = "Nr"

[constants]
account = "Depot"
currency = "EUR"

[signs]
amount = "unsigned"
amount_is = "before-fees"

[actions]
buy = ["Kauf", "Zeichnung*"]
sell = "Verkauf"
cash = "Umsatz"
leave_out = "*Hinweis*"
"#;

const TABLE: &str = "Meine Bank\n\nDatum;Vorgang;Kürzel;Stück;Kurs;Betrag;Provision;Spesen;Nr\n\
    05.03.2024;KAUF;ACRN;1.000,5;10,00 €;10.005,00;1,00;0,50;7\n\
    2024-03-06;Verkauf;ACRN;10;11;110;1;;8\n\
    06.03.2024;Ein Hinweis hier;;;;;;;9\n\
    07.03.2024;Umsatz;;;;-5,00;;;10\n\
    08.03.2024;Tanz;;;;1;;;11\n\
    31.02.2024;Kauf;ACRN;1;1;1;;;12\n\
    08.03.2024;Kauf;ACRN;1.5;1;1;;;13\n\
    Summe;;;;;99;;;\n";

#[test]
fn a_table_reads_as_its_map_says() {
    let statement = mapped(MAP, TABLE);
    assert_eq!(statement.format, "column-map");
    assert_eq!(
        told(&statement),
        [
            "2024-03-05 buy ACRN 1000.5 @ 10.00 = -10006.50, 1.50 EUR -",
            "2024-03-06 sell ACRN -10 @ 11.00 = 109.00, 1.00 EUR -",
            "2024-03-07 withdrawal - - @ - = -5.00, 0.00 EUR -",
        ]
    );
    assert_eq!(statement.transactions[0].account, "Depot");
    assert_eq!(notes(&statement.ignored), ["6: Ein Hinweis hier: left out by the column map"]);
    assert_eq!(
        notes(&statement.quarantined),
        [
            "8: Vorgang has an unknown action \"Tanz\"",
            "9: Datum is no date of the map's patterns",
            "10: Stück is not a number with the map's decimal sign",
        ]
    );
    assert_eq!(asked(&statement), ["unknown-action:Tanz"]);
}

#[test]
fn a_column_that_the_header_lacks_is_named() {
    let options = ReadOptions { map: ColumnMap::parse(MAP).ok(), ..ReadOptions::default() };
    let refused = read(b"Datum;Vorgang\n05.03.2024;Kauf\n", &options).unwrap_err().to_string();
    assert!(refused.contains("the column \"K\u{fc}rzel\" is missing"), "{refused}");
}

#[test]
fn what_is_no_map_is_refused_with_its_line() {
    for (change, expected) in [
        (
            ("decimal = \",\"", "decimal = \"x\""),
            "line 4, column 1: \"x\" is no decimal sign; use \".\", \",\" or \"by-delimiter\"",
        ),
        (
            ("DD.MM.YYYY", "DD.MM"),
            "line 5, column 11: the date pattern \"DD.MM\" needs one year, one month and one day",
        ),
        (("date = \"Datum\"\n", ""), "line 8, column 2: the map names no column for date"),
        (("sell = ", "sold = "), "line 28, column 1: there is no action \"sold\"; use buy, sell, "),
        (("price = ", "prize = "), "line 13, column 1: unknown field `prize`"),
        (("\"EUR\"", "\"Euro\""), "line 20, column 13: \"Euro\" is not a currency code of three letters"),
        (("\"unsigned\"", "\"none\""), "line 23, column 10: unknown variant `none`"),
        (("[actions]", "[actions"), "line 26, column "),
    ] {
        let text = MAP.replace(change.0, change.1);
        let message = ColumnMap::parse(&text).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message:?} does not begin with {expected:?}");
    }
}

#[test]
fn a_proposal_reads_the_table_that_it_was_made_from() {
    let table = "Export of yesterday\nTrade Date,Type,Ticker,Quantity,Price,Net Amount,Commission,Mood\n\
        01/31/2024,Bought,ACRN,10,5.00,-51.00,1.00,good\n02/01/2024,Sold,ACRN,-4,6.00,23.00,1.00,fair\n\
        02/02/2024,Dividend,ACRN,,,1.25,,fair\n02/03/2024,Frob,ACRN,,,1.25,,bad\n";
    let refused = refusal(table).to_string();
    assert!(refused.contains("its header belongs to no broker that we know"), "{refused}");
    let map = propose_map(table.as_bytes()).unwrap();
    assert!(map.contains("# not used: \"Mood\"") && map.contains("# \"Frob\""), "{map}");
    let statement = mapped(&map, table);
    assert_eq!(
        told(&statement),
        [
            "2024-01-31 buy ACRN 10 @ 5.00 = -51.00, 1.00 USD -",
            "2024-02-01 sell ACRN -4 @ 6.00 = 23.00, 1.00 USD -",
            "2024-02-02 dividend ACRN - @ - = 1.25, 0.00 USD -",
        ]
    );
    assert_eq!(asked(&statement), ["unknown-action:Frob"]);
    let german =
        "Datum;Typ;Wert;Buchungswährung;Wertpapiername;Stück;Gebühren\n2024-01-31;Kauf;1.234,50;EUR;Acorn AG;10;1,00\n";
    let map = propose_map(german.as_bytes()).unwrap();
    assert!(map.contains("decimal = \",\"") && map.contains("delimiter = \";\""), "{map}");
    assert_eq!(told(&mapped(&map, german)), ["2024-01-31 buy ACORN AG 10 @ - = -1234.50, 1.00 EUR -"]);
    assert!(propose_map(b"Dear customer,\nplease find enclosed nothing.\n").is_err());
}
