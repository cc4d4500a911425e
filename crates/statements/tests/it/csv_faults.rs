//! Tables that are wrong, in part or as a whole: the place, the culprit, the remedy.

use lotwise_core::Date;
use lotwise_statements::{Error, Limits, ReadOptions, read};

use crate::told::{asked, assert_accounted, notes, refusal, statement, told};

const OWN: &str = "date,action,symbol,shares,price,amount,fees\n";

#[test]
fn a_bad_cell_quarantines_its_row_and_names_the_cell() {
    let cases = [
        ("2024-02-30,buy,ACRN,1,5,-5,", "date", "2024-02-30", "the date is no date"),
        (",buy,ACRN,1,5,-5,", "date", "", "the date is missing"),
        ("2024-01-02,buy,ACRN,NaN,5,-5,", "shares", "NaN", "the number of shares is not a number"),
        ("2024-01-02,buy,ACRN,1,-5,-5,", "price", "-5", "a negative price"),
        ("2024-01-02,buy,ACRN,1,inf,-5,", "price", "inf", "the price is not a number"),
        ("2024-01-02,buy,ACRN,0,5,-5,", "shares", "0", "the number of shares is missing"),
        ("2024-01-02,buy,ACRN,9e12,5,-5,", "shares", "9e12", "more shares than any company has issued"),
        ("2024-01-02,buy,ACRN,9e11,9e11,-5,", "shares", "9e11", "shares times price is larger than any portfolio"),
        ("2024-01-02,buy,ACRN,1,1e16,-5,", "price", "1e16", "the price is too large"),
        ("2024-01-02,buy,A&B,1,5,-5,", "symbol", "A&B", "is not a ticker symbol"),
        ("2024-01-02,buy,,1,5,-5,", "symbol", "", "the symbol is missing"),
        ("2024-01-02,buy,ACRN,1,5,50,", "amount", "50", "a purchase that pays cash"),
        ("2024-01-02,sell,ACRN,1,5,-50,", "amount", "-50", "a sale that costs cash"),
        ("2024-01-02,dividend,ACRN,,,,", "amount", "", "the amount is missing"),
        (
            "2024-01-02,buy,ACRN,1,5,\"1,23\",",
            "amount",
            "1,23",
            "the amount does not tell decimals from thousands (expected 1,234.56 or 1234.56)",
        ),
        ("2024-01-02,buy,ACRN,1,5,-5,abc", "fees", "abc", "the fee is not a number"),
        ("2024-01-02,frobnicate,ACRN,1,5,-5,", "action", "frobnicate", "unknown action \"frobnicate\""),
        ("2024-01-02,,ACRN,1,5,-5,", "action", "", "the action is missing"),
    ];
    for (row, column, value, reason) in cases {
        let read = statement(&format!("{OWN}2024-01-01,buy,ACRN,1,5,-5,\n{row}\n"));
        assert_eq!(read.transactions.len(), 1, "{row}");
        let note = &read.quarantined[0];
        assert_eq!(
            (note.row, note.column.as_deref(), note.value.as_deref(), note.reason.as_str()),
            (3, Some(column), Some(value), reason),
            "{row}"
        );
    }
}

#[test]
fn rows_of_another_width_are_not_guessed_at() {
    let read = statement(&format!(
        "{OWN}2024-01-02,buy,ACRN,1,5\n2024-01-02,sell,ACRN,1,5,1,234.00,0\n2024-01-02,sell,ACRN,1,5,5,0,,,\n"
    ));
    assert_eq!(
        notes(&read.quarantined),
        [
            "2: 5 cells where the header has 7; is the row cut off?",
            "3: 8 cells where the header has 7; is a comma not quoted?",
        ]
    );
    assert_eq!(read.transactions.len(), 1);
}

#[test]
fn unknown_actions_share_one_question_each() {
    let read = statement(
        "Date,Action,Symbol,Description,Quantity,Price,Fees & Comm,Amount\n\
         01/02/2024,Foo Adj,ACRN,ACORN,,,,$5.00\n\
         01/03/2024,Foo Adj,ACRN,ACORN,,,,$6.00\n\
         01/04/2024,Bar Adj,ACRN,ACORN,,,,$6.00\n",
    );
    assert_eq!(asked(&read), ["unknown-action:Bar Adj", "unknown-action:Foo Adj"]);
    assert_eq!(read.questions[1].rows, [2, 3]);
    assert_eq!((read.rows, read.transactions.len(), read.quarantined.len()), (3, 0, 3));
}

#[test]
fn dates_in_the_future_or_out_of_order_are_taken() {
    let text = format!("{OWN}2030-01-02,buy,ACRN,1,5,-5,\n2020-01-02,buy,ACRN,1,5,-5,\n");
    let options = ReadOptions { today: Date::parse("2026-01-01").ok(), ..ReadOptions::default() };
    let read = read(text.as_bytes(), &options).unwrap();
    assert_eq!(told(&read).len(), 2);
    assert_eq!((asked(&read), read.questions[0].rows.as_slice()), (vec!["future-date"], &[2][..]));
    assert!(statement(&text).questions.is_empty());
}

#[test]
fn an_amount_that_does_not_follow_is_asked_about_and_used() {
    let read = statement(&format!(
        "{OWN}2024-01-02,buy,ACRN,10,5,-60,\n2024-01-02,buy,ACRN,300,135.0075,-40503.61,1.34\n\
         2024-01-03,sell,ACRN,10,5,49.97,\n2024-01-03,buy,037833100,1000,99.5,-995.00,\n"
    ));
    assert_eq!((asked(&read), read.questions[0].rows.as_slice()), (vec!["amount-mismatch"], &[2][..]));
    assert_eq!(read.transactions[0].amount.to_string(), "-60.00");
}

#[test]
fn equal_rows_are_two_events_and_keep_their_ids() {
    let row = "2024-01-02,buy,ACRN,1,5,-5,\n";
    let ids = |text: &str| -> Vec<String> { statement(text).transactions.into_iter().map(|one| one.id).collect() };
    let first = ids(&format!("{OWN}{row}{row}2024-01-03,sell,ACRN,1,5,5,\n"));
    assert_eq!(first, ids(&format!("{OWN}{row}{row}2024-01-03,sell,ACRN,1,5,5,\n")));
    // A later file that overlaps, in another order and notation, names the same rows alike.
    let later = ids(&format!("{OWN}2024-01-04,sell,ACRN,1,5,5,\n2024-01-03,sell,ACRN,1,$5.00,5.00,0\n{row}{row}"));
    assert_eq!(
        (first[0] != first[1], &later[1..]),
        (true, &[first[2].clone(), first[0].clone(), first[1].clone()][..])
    );
}

#[test]
fn the_same_broker_id_twice_is_a_duplicate() {
    let header = "date,action,symbol,shares,price,amount,id\n";
    let read = statement(&format!(
        "{header}2024-01-02,buy,ACRN,1,5,-5,x\n2024-01-02,buy,ACRN,1,5,-5,x\n2024-01-02,buy,ACRN,2,5,-10,x\n"
    ));
    assert_eq!((read.transactions.len(), read.duplicates.len(), asked(&read)), (2, 1, vec!["repeated-id"]));
}

#[test]
fn an_account_name_is_given_to_one_account_only() {
    let named = |text: &str| {
        let options = ReadOptions { account: Some("mine".to_owned()), ..ReadOptions::default() };
        read(text.as_bytes(), &options)
    };
    let one = named(&format!("{OWN}2024-01-02,buy,ACRN,1,5,-5,\n")).unwrap();
    assert_eq!(one.transactions[0].account, "mine");
    let header = "date,account,action,symbol,shares,amount\n";
    let error = named(&format!("{header}2024-01-02,A,buy,ACRN,1,-5\n2024-01-02,B,buy,ACRN,1,-5\n")).unwrap_err();
    assert_eq!(error, Error::SeveralAccounts { count: 2, name: "mine".to_owned() });
}

#[test]
fn what_is_no_statement_is_refused_with_a_remedy() {
    let cases = [
        ("hello world", "not a known export: it looks like plain text; accepted are Lotwise, transactions (CSV)"),
        ("a,b\n1,2\n", "not a known export: it looks like a table, but its header belongs to no broker that we know"),
        ("<foo/>", "not a known export: it looks like XML"),
        ("[1, 2]", "not a known export: it looks like JSON"),
        ("Date,Action,Symbol,Description,Quantity,Price,Fees & Comm\n", "line 1: the column \"amount\" is missing"),
        ("x\nRun Date,Action,Symbol,Description,Quantity,Amount ($)\n", "line 2: the column \"price\" is missing"),
        (
            "date,action,symbol,shares,amount,fess\n",
            "line 1, column 6: the column \"fess\" is not known; use date, action",
        ),
        (
            "date,action,symbol,shares,amount\n2024-01-02,buy,\"ACRN,1,-5\n",
            "line 2, column 16: a quoted cell is never closed; the file seems cut off, so download it again",
        ),
        (
            "\"Symbol\",\"Name\",\"Closed Date\",\"Opened Date\",\"Quantity\",\"Wash Sale?\"\n",
            "line 1: the column \"proceeds\" is missing",
        ),
        (
            "Timestamp,Transaction Type,Asset,Quantity Transacted\n",
            "Coinbase reports are not read yet; convert to the lotwise-csv format",
        ),
        ("!Type:Bank\nD1/15'26\n", "not a known export: a Quicken file without an investment account"),
        ("%PDF-1.4", "this is a PDF document"),
        ("", "the file is empty"),
    ];
    for (text, message) in cases {
        let error = refusal(text).to_string();
        assert!(error.starts_with(message), "{error:?} does not begin with {message:?}");
    }
}

#[test]
fn a_format_can_be_asked_for_by_name() {
    let text = format!("{OWN}2024-01-02,buy,ACRN,1,5,-5,\n");
    let asked_for = |name: &str| {
        let options = ReadOptions { format: Some(name.to_owned()), ..ReadOptions::default() };
        read(text.as_bytes(), &options)
    };
    assert_eq!(asked_for("LOTWISE-CSV").map(|read| read.rows), Ok(1));
    assert!(matches!(asked_for("robinhood-activity-csv"), Err(Error::MissingColumn { line: 1, .. })));
    assert!(matches!(asked_for("nope"), Err(Error::UnknownFormat { .. })));
}

#[test]
fn limits_are_strict() {
    let text = format!("{OWN}{}", "2024-01-02,buy,ACRN,1,5,-5,\n".repeat(3000));
    let under = |limits: Limits, elapsed: u64| {
        let clock = move || elapsed;
        let options = ReadOptions { limits, elapsed: Some(&clock), ..ReadOptions::default() };
        read(text.as_bytes(), &options).map(|read| read.rows).map_err(|error| error.to_string())
    };
    let all = Limits::default();
    assert_eq!(under(all, 0), Ok(3000));
    let refusals = [
        (Limits { rows: 2999, ..all }, 0, "the file has more than 2999 rows"),
        (Limits { columns: 6, ..all }, 0, "the file has more than 6 columns"),
        (Limits { bytes: 10, ..all }, 0, "the file has more than 10 bytes"),
        (Limits { milliseconds: 5, ..all }, 6, "the file has more than 5 milliseconds of reading time"),
    ];
    for (limits, elapsed, message) in refusals {
        assert_eq!(under(limits, elapsed), Err(message.to_owned()));
    }
}

#[test]
fn every_encoding_reads_the_same_table() {
    let text = format!("{OWN}2024-01-02,buy,ACRN,1,5,-5,\n");
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let marked: Vec<u8> = format!("\u{FEFF}{text}").into();
    let old_mac: Vec<u8> = text.replace('\n', "\r").into();
    let semicolons: Vec<u8> = text.replace(',', ";").into();
    let expected = statement(&text);
    for bytes in [utf16, marked, old_mac, semicolons] {
        let read = read(&bytes, &ReadOptions::default()).unwrap();
        assert_accounted(&read);
        assert_eq!(read.transactions, expected.transactions);
    }
}

#[test]
fn an_account_without_a_name_is_called_after_its_broker() {
    let account = |text: &str| read(text.as_bytes(), &ReadOptions::default()).unwrap().transactions[0].account.clone();
    let robinhood = "Activity Date,Process Date,Settle Date,Instrument,Description,Trans Code,Quantity,Price,Amount\n\
                     3/16/2026,3/16/2026,3/17/2026,ACRN,Acorn,Buy,1,$5.00,($5.00)\n";
    let schwab = "Date,Action,Symbol,Description,Quantity,Price,Fees & Comm,Amount\n\
                  03/16/2026,Buy,ACRN,ACORN,1,$5.00,,-$5.00\n";
    assert_eq!((account(robinhood).as_str(), account(schwab).as_str()), ("robinhood", "schwab"));
    assert_eq!(account(&format!("{OWN}2024-01-02,buy,ACRN,1,5,-5,\n")), "default");
}
