//! OFX and QFX: every kind of investment transaction, in both dialects, and what is refused.

use crate::told::{asked, notes, refusal, statement, told};

const HEADER: &str = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\n\
                      CHARSET:1252\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n";

const SECURITIES: &str = "<SECLISTMSGSRSV1><SECLIST>\
    <STOCKINFO><SECINFO><SECID><UNIQUEID>111111111<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>Acorn Inc<TICKER>ACRN</SECINFO></STOCKINFO>\
    <MFINFO><SECINFO><SECID><UNIQUEID>222222222<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>Birch Fund<TICKER>BIRX</SECINFO></MFINFO>\
    <DEBTINFO><SECINFO><SECID><UNIQUEID>333333333<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>Cedar 5% 2030</SECINFO></DEBTINFO>\
    </SECLIST></SECLISTMSGSRSV1>";

/// A statement of one account around these records, in SGML on one line.
fn sgml(records: &str) -> String {
    account("1234", records, "")
}

fn account(id: &str, records: &str, rest: &str) -> String {
    format!(
        "{HEADER}<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><DTASOF>20240630<CURDEF>USD\
         <INVACCTFROM><BROKERID>example.org<ACCTID>{id}</INVACCTFROM><INVTRANLIST><DTSTART>20240101<DTEND>20240630\
         {records}</INVTRANLIST>{rest}</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>{SECURITIES}</OFX>"
    )
}

/// The common part of a record: its id and date, and the security when there is one.
fn part(id: &str, security: &str) -> String {
    let transaction = format!("<INVTRAN><FITID>{id}<DTTRADE>20240305120000.000[-5:EST]</INVTRAN>");
    match security {
        "" => transaction,
        _ => format!("{transaction}<SECID><UNIQUEID>{security}<UNIQUEIDTYPE>CUSIP</SECID>"),
    }
}

const ACORN: &str = "111111111";
const BIRCH: &str = "222222222";
const CEDAR: &str = "333333333";

#[test]
fn every_kind_of_transaction_has_its_action_sign_and_detail() {
    let buy = |rest: &str| format!("<INVBUY>{}{rest}</INVBUY>", part("1", ACORN));
    let sell = |rest: &str| format!("<INVSELL>{}{rest}</INVSELL>", part("1", ACORN));
    let acorn = part("1", ACORN);
    let cases: Vec<(String, &str)> = vec![
        (
            format!(
                "<BUYSTOCK>{}<BUYTYPE>BUY  </BUYSTOCK>",
                buy("<UNITS>+0010.000<UNITPRICE>05.5<COMMISSION>1<FEES>0.5<TOTAL>-056.50")
            ),
            "buy ACRN 10 @ 5.50 = -56.50, 1.50 USD -",
        ),
        // A total without sign still costs.
        (
            format!("<BUYMF>{}<BUYTYPE>BUY</BUYMF>", buy("<UNITS>10<UNITPRICE>5<TOTAL>50")),
            "buy ACRN 10 @ 5.00 = -50.00, 0.00 USD -",
        ),
        // Units and total both the other way round take a purchase back.
        (
            format!("<BUYMF>{}</BUYMF>", buy("<UNITS>-10<UNITPRICE>5<TOTAL>50")),
            "other ACRN -10 @ 5.00 = 50.00, 0.00 USD cancelled_buy",
        ),
        (
            format!("<BUYSTOCK>{}<BUYTYPE>BUYTOCOVER</BUYSTOCK>", buy("<UNITS>1<TOTAL>-5")),
            "buy ACRN 1 @ - = -5.00, 0.00 USD short_cover",
        ),
        // Decimal commas; no total, and the product is exact.
        (
            format!("<BUYOTHER>{}</BUYOTHER>", buy("<UNITS>1,5<UNITPRICE>2,25<COMMISSION>0,10")),
            "buy ACRN 1.5 @ 2.25 = -3.475, 0.10 USD -",
        ),
        (
            format!("<BUYOPT>{}<OPTBUYTYPE>BUYTOOPEN<SHPERCTRCT>100</BUYOPT>", buy("<UNITS>2<UNITPRICE>1.5<FEES>1")),
            "option_open ACRN 2 @ 1.50 = -301.00, 1.00 USD long",
        ),
        (
            format!("<SELLSTOCK>{}<SELLTYPE>SELL</SELLSTOCK>", sell("<UNITS>-3<UNITPRICE>6<LOAD>1<TOTAL>17")),
            "sell ACRN -3 @ 6.00 = 17.00, 1.00 USD -",
        ),
        (
            format!("<SELLMF>{}</SELLMF>", sell("<UNITS>3<UNITPRICE>6<TOTAL>18")),
            "sell ACRN -3 @ 6.00 = 18.00, 0.00 USD -",
        ),
        (
            format!("<SELLSTOCK>{}<SELLTYPE>SELLSHORT</SELLSTOCK>", sell("<UNITS>-3<TOTAL>18")),
            "sell ACRN -3 @ - = 18.00, 0.00 USD short_sale",
        ),
        // Fees may eat the proceeds.
        (
            format!("<SELLSTOCK>{}</SELLSTOCK>", sell("<UNITS>-1<UNITPRICE>1<COMMISSION>7<TOTAL>-6")),
            "sell ACRN -1 @ 1.00 = -6.00, 7.00 USD -",
        ),
        (
            format!("<SELLOPT>{}<OPTSELLTYPE>SELLTOCLOSE</SELLOPT>", sell("<UNITS>-2<TOTAL>300")),
            "option_close ACRN -2 @ - = 300.00, 0.00 USD long",
        ),
        (format!("<INCOME>{acorn}<INCOMETYPE>DIV<TOTAL>12.5</INCOME>"), "dividend ACRN - @ - = 12.50, 0.00 USD -"),
        (
            format!("<INCOME>{acorn}<INCOMETYPE>CGLONG<TOTAL>2</INCOME>"),
            "capital_gain_distribution ACRN - @ - = 2.00, 0.00 USD long_term",
        ),
        (
            format!("<INCOME>{acorn}<INCOMETYPE>CGSHORT<TOTAL>2</INCOME>"),
            "capital_gain_distribution ACRN - @ - = 2.00, 0.00 USD short_term",
        ),
        (
            format!("<INCOME>{acorn}<INCOMETYPE>INTEREST<TOTAL>2<TAXEXEMPT>Y</INCOME>"),
            "interest ACRN - @ - = 2.00, 0.00 USD tax_exempt",
        ),
        (
            format!("<INCOME>{acorn}<INCOMETYPE>MISC<TOTAL>2</INCOME>"),
            "other ACRN - @ - = 2.00, 0.00 USD miscellaneous_income",
        ),
        (
            format!("<REINVEST>{acorn}<INCOMETYPE>DIV<TOTAL>-10<UNITS>2<UNITPRICE>5</REINVEST>"),
            "reinvest ACRN 2 @ 5.00 = -10.00, 0.00 USD includes_dividend",
        ),
        (format!("<RETOFCAP>{acorn}<TOTAL>7</RETOFCAP>"), "return_of_capital ACRN - @ - = 7.00, 0.00 USD -"),
        (
            format!("<SPLIT>{acorn}<OLDUNITS>10<NEWUNITS>30<NUMERATOR>3<DENOMINATOR>1</SPLIT>"),
            "split ACRN 20 @ - = 0.00, 0.00 USD -",
        ),
        (
            format!("<TRANSFER>{acorn}<UNITS>4<TFERACTION>IN<UNITPRICE>3</TRANSFER>"),
            "transfer_in ACRN 4 @ 3.00 = 0.00, 0.00 USD -",
        ),
        (format!("<TRANSFER>{acorn}<UNITS>4<TFERACTION>OUT</TRANSFER>"), "transfer_out ACRN -4 @ - = 0.00, 0.00 USD -"),
        (
            format!("<TRANSFER>{acorn}<UNITS>4<TFERACTION>IN<POSTYPE>SHORT</TRANSFER>"),
            "transfer_in ACRN -4 @ - = 0.00, 0.00 USD short",
        ),
        (
            format!("<MARGININTEREST>{}<TOTAL>3</MARGININTEREST>", part("1", "")),
            "interest - - @ - = -3.00, 0.00 USD margin_interest",
        ),
        (format!("<INVEXPENSE>{acorn}<TOTAL>-4</INVEXPENSE>"), "fee ACRN - @ - = -4.00, 0.00 USD -"),
        (
            format!("<CLOSUREOPT>{acorn}<OPTACTION>EXPIRE<UNITS>1</CLOSUREOPT>"),
            "option_expire ACRN 1 @ - = 0.00, 0.00 USD -",
        ),
        // The currency of the record, not of the statement.
        (
            format!("<INCOME>{acorn}<INCOMETYPE>DIV<TOTAL>1<CURRENCY><CURRATE>1.3<CURSYM>cad</CURRENCY></INCOME>"),
            "dividend ACRN - @ - = 1.00, 0.00 CAD -",
        ),
    ];
    for (record, expected) in cases {
        let statement = statement(&sgml(&record));
        assert_eq!(told(&statement), [format!("2024-03-05 {expected}")], "{record}\n{:?}", statement.quarantined);
    }
}

#[test]
fn bank_movements_follow_their_type_and_their_sign() {
    let bank = |kind: &str, amount: &str, name: &str| {
        format!(
            "<INVBANKTRAN><STMTTRN><TRNTYPE>{kind}<DTPOSTED>20240305<TRNAMT>{amount}<FITID>{kind}{amount}<NAME>{name}</STMTTRN><SUBACCTFUND>CASH</INVBANKTRAN>"
        )
    };
    let records = [
        bank("CREDIT", "100", "Payroll"),
        bank("CHECK", "-30", "Check 12"),
        bank("INT", "1.5", "Interest"),
        bank("SRVCHG", "-2", "Service"),
        bank("XFER", "-50", "To savings"),
        bank("DEP", "0.24", "INTEREST EARNED"),
        bank("HOLD", "-5", "Card"),
    ];
    let statement = statement(&sgml(&records.concat()));
    assert_eq!(
        told(&statement),
        [
            "2024-03-05 deposit - - @ - = 100.00, 0.00 USD -",
            "2024-03-05 withdrawal - - @ - = -30.00, 0.00 USD -",
            "2024-03-05 interest - - @ - = 1.50, 0.00 USD -",
            "2024-03-05 fee - - @ - = -2.00, 0.00 USD -",
            "2024-03-05 transfer_out - - @ - = -50.00, 0.00 USD -",
            "2024-03-05 deposit - - @ - = 0.24, 0.00 USD named_interest",
        ]
    );
    assert_eq!(asked(&statement), ["ofx-named-cash"]);
    assert_eq!(statement.ignored.len(), 1);
}

#[test]
fn sgml_and_xml_say_the_same() {
    let sgml = sgml(&format!(
        "<BUYSTOCK><INVBUY>{}<UNITS>1<UNITPRICE>2<TOTAL>-2</INVBUY><BUYTYPE>BUY</BUYSTOCK>",
        part("7", ACORN)
    ));
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?OFX OFXHEADER=\"200\" VERSION=\"211\" SECURITY=\"NONE\"?>\n\
        <OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><DTASOF>20240630</DTASOF><CURDEF>USD</CURDEF>\
        <INVACCTFROM><BROKERID>example.org</BROKERID><ACCTID>1234</ACCTID></INVACCTFROM><INVTRANLIST>\
        <BUYSTOCK><INVBUY><INVTRAN><FITID>7</FITID><DTTRADE>20240305</DTTRADE></INVTRAN>\
        <SECID><UNIQUEID>111111111</UNIQUEID><UNIQUEIDTYPE>CUSIP</UNIQUEIDTYPE></SECID>\
        <UNITS>1</UNITS><UNITPRICE>2</UNITPRICE><TOTAL>-2</TOTAL></INVBUY><BUYTYPE>BUY</BUYTYPE></BUYSTOCK>\
        </INVTRANLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1><SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO>\
        <SECID><UNIQUEID>111111111</UNIQUEID><UNIQUEIDTYPE>CUSIP</UNIQUEIDTYPE></SECID><SECNAME>Acorn Inc</SECNAME>\
        <TICKER>ACRN</TICKER></SECINFO></STOCKINFO></SECLIST></SECLISTMSGSRSV1></OFX>";
    let (from_sgml, from_xml) = (statement(&sgml), statement(xml));
    let with_attribute = statement(&xml.replace("<OFX>", "<OFX xmlns=\"urn:example\">"));
    assert_eq!(told(&from_sgml), told(&from_xml));
    assert_eq!(told(&from_sgml), told(&with_attribute));
    assert_eq!(from_sgml.transactions[0].id, "7");
    assert_eq!(from_sgml.transactions[0].description, "Acorn Inc");
    assert_eq!((from_sgml.transactions[0].row, from_xml.transactions[0].row), (11, 3));
}

#[test]
fn a_reinvestment_beside_its_dividend_does_not_include_it() {
    let income = format!("<INCOME>{}<INCOMETYPE>DIV<TOTAL>10</INCOME>", part("1", BIRCH));
    let reinvest =
        |id: &str| format!("<REINVEST>{}<INCOMETYPE>CGLONG<TOTAL>-10<UNITS>2<UNITPRICE>5</REINVEST>", part(id, BIRCH));
    let statement = statement(&sgml(&format!("{}{income}{}", reinvest("2"), reinvest("3"))));
    let details: Vec<_> = statement.transactions.iter().map(|one| (one.action.name(), one.detail.as_deref())).collect();
    assert_eq!(details, [("reinvest", None), ("dividend", None), ("reinvest", Some("includes_long_term_gain"))]);
}

#[test]
fn what_cannot_be_read_is_quarantined_with_field_and_reason() {
    let buy = |rest: &str| format!("<BUYSTOCK><INVBUY>{}{rest}</INVBUY></BUYSTOCK>", part("9", ACORN));
    for (record, expected) in [
        (buy("<UNITS>x<TOTAL>-1"), "11: UNITS cannot be read: \"x\" is not a decimal number (FITID 9)"),
        (
            buy("<UNITS>1,234,567<TOTAL>-1"),
            "11: UNITS does not tell decimals from thousands (expected 1234.56 or 1234,56) (FITID 9)",
        ),
        (buy("<TOTAL>-1"), "11: UNITS is missing (FITID 9)"),
        (
            buy("<UNITS>0.333333333<UNITPRICE>0.333333333"),
            "11: TOTAL is missing and does not follow exactly from the rest (FITID 9)",
        ),
        (
            buy("<UNITS>999999999999999<UNITPRICE>999999999999999"),
            "11: TOTAL is missing and does not follow exactly from the rest (FITID 9)",
        ),
        (
            format!("<BUYDEBT><INVBUY>{}<UNITS>1<UNITPRICE>99</INVBUY></BUYDEBT>", part("9", CEDAR)),
            "11: TOTAL is missing and does not follow exactly from the rest (FITID 9)",
        ),
        (
            "<INCOME><INVTRAN><FITID>9<DTTRADE>20241350</INVTRAN><INCOMETYPE>DIV<TOTAL>1</INCOME>".to_owned(),
            "11: DTTRADE is not a date (expected YYYYMMDD, then a time if any) (FITID 9)",
        ),
        (
            format!("<INCOME>{}<INCOMETYPE>GIFT<TOTAL>1</INCOME>", part("9", ACORN)),
            "11: INCOMETYPE is none of DIV, INTEREST, CGLONG, CGSHORT and MISC (FITID 9)",
        ),
        (
            format!("<TRANSFER>{}<UNITS>-4<TFERACTION>IN</TRANSFER>", part("9", ACORN)),
            "11: UNITS is negative although the position gains; the direction is not certain (FITID 9)",
        ),
        (
            format!("<SPLIT>{}<NUMERATOR>0<DENOMINATOR>1</SPLIT>", part("9", ACORN)),
            "11: NUMERATOR and DENOMINATOR are not a ratio of a split (FITID 9)",
        ),
        (
            format!("<GIFTSTOCK>{}</GIFTSTOCK>", part("9", ACORN)),
            "11: INVTRANLIST holds a transaction that OFX does not define (GIFTSTOCK)",
        ),
    ] {
        let statement = statement(&sgml(&record));
        assert_eq!(notes(&statement.quarantined), [expected], "{record}");
        assert_eq!(statement.rows, 1);
    }
}

#[test]
fn journals_duplicates_accounts_and_bank_records_are_accounted_for() {
    let income = |id: &str, total: &str| format!("<INCOME>{}<INCOMETYPE>DIV<TOTAL>{total}</INCOME>", part(id, ACORN));
    let journal = format!("<JRNLFUND>{}<TOTAL>5</JRNLFUND>", part("5", ""));
    let records = [income("1", "1"), income("1", "1"), income("1", "2"), journal].concat();
    let open_orders =
        format!("<INVOOLIST><OOBUYSTOCK><OO><FITID>8{}<UNITS>1</OO></OOBUYSTOCK></INVOOLIST>", part("8", ACORN));
    let one = account("A", &records, &open_orders);
    let other = account("B", &income("1", "1"), "").replace(HEADER, "");
    let bank = "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><BANKTRANLIST><STMTTRN><TRNTYPE>DEP<DTPOSTED>20240101<TRNAMT>1<FITID>1</STMTTRN></BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>";
    let statement = statement(&format!("{one}\n{other}\n{bank}"));
    let ids: Vec<_> = statement.transactions.iter().map(|one| (one.account.as_str(), one.id.as_str())).collect();
    assert_eq!(ids, [("A", "1"), ("A", "1#2"), ("B", "1")]);
    assert_eq!((statement.rows, statement.duplicates.len()), (6, 1));
    assert_eq!(
        notes(&statement.ignored),
        [
            "11: JRNLFUND: moves between sub-accounts, no effect on the account",
            "13: STMTTRN: belongs to a bank or card account, and only investment accounts are read",
        ]
    );
    assert_eq!(asked(&statement), ["repeated-id"]);
}

#[test]
fn securities_without_one_ticker_raise_one_question_each() {
    let income = |id: &str, security: &str| format!("<INCOME>{}<INCOMETYPE>DIV<TOTAL>1</INCOME>", part(id, security));
    let twin = "<MFINFO><SECINFO><SECID><UNIQUEID>222222222<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>Birch Admiral<TICKER>BIAX</SECINFO></MFINFO></SECLIST>";
    let records = [income("1", BIRCH), income("2", CEDAR), income("3", "999999999"), income("4", "999999999")].concat();
    let text = sgml(&records).replace("</SECLIST>", twin);
    let statement = statement(&text);
    assert!(statement.transactions.iter().all(|one| one.symbol.is_none() && one.cusip.is_some()));
    // The bond has no ticker and is not asked about.
    assert_eq!(asked(&statement), ["ambiguous-security:222222222", "unknown-security:999999999"]);
}

#[test]
fn holdings_come_with_sign_and_date() {
    let holding = |units: &str, kind: &str| {
        format!(
            "<POSSTOCK><INVPOS><SECID><UNIQUEID>111111111<UNIQUEIDTYPE>CUSIP</SECID><POSTYPE>{kind}<UNITS>{units}<UNITPRICE>3</INVPOS></POSSTOCK>"
        )
    };
    let list =
        format!("<INVPOSLIST>{}{}{}</INVPOSLIST>", holding("5", "LONG"), holding("2", "SHORT"), holding("x", "LONG"));
    let statement = statement(&account("A", "", &list));
    let held: Vec<_> =
        statement.positions.iter().map(|one| (one.shares.to_string(), one.as_of.unwrap().to_string())).collect();
    assert_eq!(held, [("5".to_owned(), "2024-06-30".to_owned()), ("-2".to_owned(), "2024-06-30".to_owned())]);
    assert_eq!(asked(&statement), ["unreadable-holding"]);
    assert_eq!(statement.rows, 0);
}

#[test]
fn a_file_that_is_no_investment_statement_says_what_it_is() {
    for (body, expected) in [
        ("<OFX><BANKMSGSRSV1><STMTTRNRS></STMTTRNRS></BANKMSGSRSV1></OFX>", "bank or card account"),
        ("<OFX><SIGNONMSGSRSV1></SIGNONMSGSRSV1></OFX>", "without an investment statement"),
        (
            "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500<SEVERITY>ERROR</STATUS></SONRS></SIGNONMSGSRSV1></OFX>",
            "error 15500",
        ),
        ("<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS>", "cut off"),
        ("<OFX><A></B></A></OFX>", "line 11, column 9: the closing tag </B> has no opening tag that fits"),
        ("<OFX><!DOCTYPE a [<!ENTITY b \"c\">]></OFX>", "line 11, column 6: a document type declaration"),
    ] {
        let message = refusal(&format!("{HEADER}{body}")).to_string();
        assert!(message.contains(expected), "{body}: {message}");
    }
    let zipped = format!("{HEADER}<OFX></OFX>").replace("COMPRESSION:NONE", "COMPRESSION:TYPE1");
    assert!(refusal(&zipped).to_string().contains("line 7, column 1: the body is compressed"), "{}", refusal(&zipped));
}

#[test]
fn options_carry_their_terms_and_go_by_their_own_symbol() {
    let option = "<OPTINFO><SECINFO><SECID><UNIQUEID>444444444<UNIQUEIDTYPE>CUSIP</SECID><SECNAME>ACRN Jun 21 2024 50 Call\
        <TICKER>ACRNFJ</SECINFO><OPTTYPE>CALL<STRIKEPRICE>50.00<DTEXPIRE>20240621<SHPERCTRCT>100\
        <SECID><UNIQUEID>111111111<UNIQUEIDTYPE>CUSIP</SECID></OPTINFO></SECLIST>";
    let security = part("1", "444444444");
    let records = format!(
        "<SELLOPT><INVSELL>{security}<UNITS>-2<UNITPRICE>1.5<COMMISSION>1</INVSELL><OPTSELLTYPE>SELLTOOPEN</SELLOPT>\
         <CLOSUREOPT>{}<OPTACTION>EXPIRE<UNITS>2<SHPERCTRCT>100<SUBACCTSEC>SHORT</CLOSUREOPT>",
        part("2", "444444444")
    );
    let statement = statement(&sgml(&records).replace("</SECLIST>", option));
    assert_eq!(
        told(&statement),
        [
            "2024-03-05 option_open ACRN240621C00050000 -2 @ 1.50 = 299.00, 1.00 USD short",
            "2024-03-05 option_expire ACRN240621C00050000 2 @ - = 0.00, 0.00 USD -",
        ]
    );
    let terms = statement.transactions[0].option.as_ref().unwrap();
    assert_eq!((terms.underlying.as_str(), terms.multiplier), ("ACRN", 100));
    assert!(asked(&statement).is_empty());
}

#[test]
fn shares_that_are_transferred_in_bring_their_lot() {
    let transfer =
        |rest: &str| format!("<TRANSFER>{}<UNITS>10<TFERACTION>IN<POSTYPE>LONG{rest}</TRANSFER>", part("1", ACORN));
    for (rest, acquired, basis, question) in [
        ("<UNITPRICE>20<DTPURCHASE>20200102", Some("2020-01-02"), Some("200.00"), None),
        // An average cost is written for one share or for all; the price tells which.
        ("<AVGCOSTBASIS>15<UNITPRICE>20<DTPURCHASE>20200102", Some("2020-01-02"), Some("150.00"), None),
        ("<AVGCOSTBASIS>1500<UNITPRICE>200", None, Some("1500.00"), None),
        ("<AVGCOSTBASIS>15", None, None, Some("transfer-basis")),
    ] {
        let statement = statement(&sgml(&transfer(rest)));
        let [lot] = statement.transactions[0].lots.as_slice() else { panic!("{statement:?}") };
        assert_eq!(lot.acquired.map(|date| date.to_string()).as_deref(), acquired, "{rest}");
        assert_eq!(lot.basis.map(|basis| basis.to_string()).as_deref(), basis, "{rest}");
        assert_eq!(asked(&statement).first().copied(), question, "{rest}");
    }
    assert!(statement(&sgml(&transfer("<UNITPRICE>20"))).transactions[0].lots.is_empty());
}
