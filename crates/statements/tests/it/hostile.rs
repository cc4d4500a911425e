//! Whatever the bytes are: no panic, no endless reading, and every row accounted for.

use lotwise_statements::{Error, Limits, ReadOptions, formats, read};
use proptest::prelude::*;

use crate::told::assert_accounted;

/// One small file of each structured format.
const VALID: [&str; 5] = [
    "OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><CURDEF>USD<INVACCTFROM><ACCTID>1</INVACCTFROM>\
     <INVTRANLIST><BUYSTOCK><INVBUY><INVTRAN><FITID>1<DTTRADE>20240305</INVTRAN><SECID><UNIQUEID>9<UNIQUEIDTYPE>CUSIP</SECID>\
     <UNITS>10<UNITPRICE>5,5<COMMISSION>1<TOTAL>-56.0</INVBUY><BUYTYPE>BUY</BUYSTOCK><INCOME><INVTRAN><FITID>2<DTTRADE>20240306\
     </INVTRAN><INCOMETYPE>DIV<TOTAL>1</INCOME><SPLIT><INVTRAN><FITID>3<DTTRADE>20240307</INVTRAN><OLDUNITS>1<NEWUNITS>2\
     <NUMERATOR>2<DENOMINATOR>1</SPLIT></INVTRANLIST><INVPOSLIST><POSSTOCK><INVPOS><UNITS>1</INVPOS></POSSTOCK></INVPOSLIST>\
     </INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1><SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>9</SECID>\
     <SECNAME>A &amp; B<TICKER>AB</SECINFO></STOCKINFO></SECLIST></SECLISTMSGSRSV1></OFX>",
    "<?xml version=\"1.0\"?><?OFX OFXHEADER=\"200\" VERSION=\"211\"?><OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><CURDEF>USD\
     </CURDEF><INVTRANLIST><TRANSFER><INVTRAN><FITID>1</FITID><DTTRADE>20240305</DTTRADE></INVTRAN><UNITS>1</UNITS><TFERACTION>IN\
     </TFERACTION></TRANSFER><INVBANKTRAN><STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20240305</DTPOSTED><TRNAMT>1</TRNAMT><FITID>2\
     </FITID></STMTTRN></INVBANKTRAN></INVTRANLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>",
    "<FlexQueryResponse><FlexStatements><FlexStatement accountId=\"U1\"><Trades><Trade currency=\"USD\" assetCategory=\"STK\" \
     symbol=\"ACRN\" tradeDate=\"20240305\" buySell=\"BUY\" quantity=\"1\" tradePrice=\"5\" netCash=\"-5\" proceeds=\"-5\"/>\
     <Order levelOfDetail=\"ORDER\"/></Trades><CashTransactions><CashTransaction currency=\"USD\" type=\"Dividends\" amount=\"1\" \
     dateTime=\"2024-03-05;202000\" description=\"A &amp; B\"/></CashTransactions><CorporateActions><CorporateAction type=\"FS\" \
     currency=\"USD\" quantity=\"1\" dateTime=\"20240305\" description=\"SPLIT 2 FOR 1 (X)\"/></CorporateActions></FlexStatement>\
     </FlexStatements></FlexQueryResponse>",
    "{\"accounts\": [{\"id\": \"T\", \"type\": \"taxable\"}], \"events\": [{\"date\": \"2024-01-02\", \"type\": \"buy\", \"id\": \"L1\", \
     \"qty\": \"10\", \"amount\": 99.5, \"fee\": 1}, {\"date\": \"2024-01-03\", \"type\": \"sell\", \"id\": \"S1\", \"qty\": 4, \"amount\": \
     \"20\", \"lots\": [{\"lot\": \"L1\", \"qty\": \"4\"}]}, {\"date\": \"2024-01-04\", \"type\": \"split\", \"ratio\": \"3:2\"}]}",
    "<client><version>68</version><baseCurrency>USD</baseCurrency><securities><security><isin>US0</isin><tickerSymbol>ACRN\
     </tickerSymbol></security></securities><accounts><account><name>C</name><transactions><account-transaction><date>2024-03-05\
     </date><amount>100</amount><type>DEPOSIT</type></account-transaction></transactions></account></accounts><portfolios>\
     <portfolio><name>P</name><transactions><portfolio-transaction><date>2024-03-06</date><amount>5600</amount><shares>1000000000\
     </shares><security reference=\"../../../../../securities/security[1]\"/><type>BUY</type></portfolio-transaction></transactions>\
     </portfolio></portfolios></client>",
];

/// Pieces that break parsers, to be put anywhere.
const PIECES: [&str; 24] = [
    "<",
    ">",
    "&",
    "\"",
    "'",
    "</",
    "<OFX>",
    "</OFX>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<?",
    "&#x110000;",
    "é",
    "\u{0}",
    "1e999",
    "-",
    ",",
    "99999999999999999999999999",
    "20240230",
    "{",
    "[",
    "\\u",
    "null",
];

/// Reads in every way there is; only the sum and the absence of a panic are looked at.
fn read_every_way(bytes: &[u8]) {
    let forced = formats().into_iter().map(|format| Some(format.id.to_owned()));
    for format in std::iter::once(None).chain(forced) {
        let options = ReadOptions { format, ..ReadOptions::default() };
        if let Ok(statement) = read(bytes, &options) {
            assert_accounted(&statement);
        }
    }
}

/// Reads as the formats of markup, and as whatever is recognised.
fn read_as_markup(bytes: &[u8]) {
    let own = ["ofx-investment", "ibkr-flex-xml", "lotwise-ledger-json", "portfolio-performance-xml"];
    for format in std::iter::once(None).chain(own.map(|id| Some(id.to_owned()))) {
        if let Ok(statement) = read(bytes, &ReadOptions { format, ..ReadOptions::default() }) {
            assert_accounted(&statement);
        }
    }
}

/// A place in the text of a file, moved to the next character boundary.
fn place(text: &str, at: prop::sample::Index) -> usize {
    let at = at.index(text.len() + 1);
    (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_every_way(&bytes);
    }

    #[test]
    fn arbitrary_markup_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        read_every_way(pieces.concat().as_bytes());
    }

    #[test]
    fn damaged_files_are_read_or_refused(
        file in prop::sample::select(&VALID[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(&PIECES[..])), 1..6),
    ) {
        let mut text = file.to_owned();
        for (at, removed, piece) in changes {
            let start = place(&text, at);
            let end = (start + removed..=text.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(text.len());
            text.replace_range(start..end, piece);
        }
        read_every_way(text.as_bytes());
    }

    #[test]
    fn a_cut_file_of_markup_is_never_read_as_whole(file in prop::sample::select(&VALID[..]), at in any::<prop::sample::Index>()) {
        let cut = &file[..at.index(file.len())];
        prop_assert!(read(cut.as_bytes(), &ReadOptions::default()).is_err(), "{cut}");
    }
}

#[test]
fn the_valid_files_are_read_whole() {
    for file in VALID {
        let statement = read(file.as_bytes(), &ReadOptions::default()).unwrap();
        assert!(!statement.transactions.is_empty());
        assert!(statement.quarantined.is_empty(), "{:?}", statement.quarantined);
    }
}

#[test]
fn huge_and_deep_files_take_bounded_work() {
    // What a format reads in its own kind of file may grow with the square of it; the others see the same in small.
    for (file, size) in [(hostile_files(24_000), 24_000), (hostile_files(6_000), 6_000)] {
        for text in file {
            match size {
                24_000 => read_as_markup(text.as_bytes()),
                _ => read_every_way(text.as_bytes()),
            }
        }
    }
}

/// Files of about this many bytes that say the same again and again, or go deeper and deeper.
fn hostile_files(size: usize) -> Vec<String> {
    let many = |piece: &str| piece.repeat(size / piece.len());
    let flex = |inside: String| format!("<FlexQueryResponse><FlexStatements><FlexStatement>{inside}");
    let client =
        |inside: String| format!("<client><version>68</version><baseCurrency>USD</baseCurrency>{inside}</client>");
    vec![
        format!("OFXHEADER:100\n<OFX>{}", many("<A>")),
        format!("OFXHEADER:100\n<OFX>{}{}</OFX>", many("<A>"), many("</A>")),
        format!("OFXHEADER:100\n<OFX>{}</OFX>", many("</A>")),
        format!("OFXHEADER:100\n<OFX><A>{}</OFX>", many("&")),
        format!("OFXHEADER:100\n<OFX><A>{}</OFX>", many("<<")),
        format!("OFXHEADER:100\n<OFX>{}</OFX>", many("<!--")),
        format!("OFXHEADER:100\n<OFX>{}</OFX>", many("<A><![CDATA[x]]>")),
        flex(many("<A>")),
        flex(format!("<A{}/>", many(" a=''"))),
        flex(format!("<A {}=''/>", many("a"))),
        flex(format!("<A a='{}'/>", many("&amp;"))),
        flex(many("&amp;")),
        format!("{{\"events\": {}", many("[")),
        format!("{{\"events\": [{}0]}}", many("0,")),
        format!("{{{}\"events\": []}}", many("\"a\":1,")),
        format!("{{\"events\": [], \"qty\": \"{}\"}}", many("\\u0041")),
        client(many("<a>")),
        client(format!("<accounts>{}</accounts>", many("<account reference=\"../account[9]\"/>"))),
        client(format!(
            "<accounts><account><transactions>{}</transactions></account></accounts>",
            many("<account-transaction/>")
        )),
        client(format!("<accounts reference=\"{}\"/>", many("../"))),
    ]
}

#[test]
fn limits_are_kept_by_every_format() {
    for file in VALID {
        for (limits, expected) in [
            (Limits { bytes: 50, ..Limits::default() }, "bytes"),
            (Limits { rows: 1, ..Limits::default() }, "rows"),
            (Limits { milliseconds: 0, ..Limits::default() }, "milliseconds of reading time"),
        ] {
            let options = ReadOptions { limits, elapsed: Some(&|| 1), ..ReadOptions::default() };
            let options = if expected == "rows" { ReadOptions { elapsed: None, ..options } } else { options };
            match read(file.as_bytes(), &options) {
                Err(Error::OverLimit { what, .. }) => assert_eq!(what, expected),
                other => panic!("{other:?}"),
            }
        }
    }
}
