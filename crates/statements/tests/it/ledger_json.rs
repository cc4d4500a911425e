//! Lotwise's JSON ledger, as a statement and for those who compute with it.

use lotwise_core::{Money, Shares};
use lotwise_statements::ledger_json::{JsonAction, parse};

use crate::told::{asked, notes, refusal, statement, told};

const LEDGER: &str = r#"{
 "id": "demo", "options": {"method": "hifo", "tolerance": 2},
 "accounts": [{"id": "T", "type": "taxable"}, {"id": "I", "type": "ira"}],
 "events": [
  {"date": "2024-01-02", "type": "buy", "id": "L1", "qty": 10, "amount": 0.1, "fee": "1"},
  {"date": "2024-01-03", "type": "buy", "id": "L2", "qty": "3", "amount": "10", "account": "I", "symbol": "acrn", "kind": "drip"},
  {"date": "2024-02-01", "type": "split", "ratio": "3:2"},
  {"date": "2024-03-01", "type": "sell", "id": "S1", "qty": "4", "amount": 20, "fee": 0.5, "lots": [{"lot": "L1", "qty": "4"}]}
 ],
 "expected": {"sales": []}
}"#;

#[test]
fn a_ledger_reads_as_a_statement() {
    let statement = statement(LEDGER);
    assert_eq!(statement.format, "lotwise-ledger-json");
    assert_eq!(
        told(&statement),
        [
            "2024-01-02 buy SECURITY 10 @ 0.01 = -1.10, 1.00 USD -",
            "2024-01-03 reinvest ACRN 3 @ - = -10.00, 0.00 USD -",
            "2024-02-01 split SECURITY 5 @ - = 0.00, 0.00 USD -",
            "2024-03-01 sell SECURITY -4 @ 5.00 = 19.50, 0.50 USD -",
        ]
    );
    let ratio = statement.transactions[2].split_ratio.unwrap();
    assert_eq!((ratio.0.to_string(), ratio.1.to_string()), ("3".to_owned(), "2".to_owned()));
    assert_eq!(statement.transactions[3].description, "sell lots L1 4");
    assert_eq!(statement.transactions.iter().map(|one| one.row).collect::<Vec<_>>(), [5, 6, 7, 8]);
    let [lot] = statement.transactions[3].lots.as_slice() else { panic!("{statement:?}") };
    assert_eq!((lot.id.as_deref(), lot.shares), (Some("L1"), Shares::from_whole(4)));
    let kinds: Vec<_> = statement.account_kinds.iter().map(|(name, kind)| (name.as_str(), kind.name())).collect();
    assert_eq!(kinds, [("I", "ira"), ("T", "taxable")]);
    assert!(asked(&statement).is_empty());
}

#[test]
fn a_ledger_reads_as_parts() {
    let file = parse(LEDGER).unwrap();
    let [ledger] = file.ledgers.as_slice() else { panic!("{file:?}") };
    assert_eq!(ledger.options, [("method".to_owned(), "hifo".to_owned()), ("tolerance".to_owned(), "2".to_owned())]);
    assert_eq!(ledger.accounts[1].kind, "ira");
    assert_eq!(ledger.expected.as_deref(), Some("{\"sales\": []}"));
    let actions: Vec<_> = ledger.events.iter().map(|event| &event.as_ref().unwrap().action).collect();
    let JsonAction::Buy { amount, .. } = actions[0] else { panic!("{actions:?}") };
    // A tenth is a tenth, never the float next to it.
    assert_eq!(*amount, Money::parse("0.1").unwrap());
    let JsonAction::Sell { lots, .. } = actions[3] else { panic!("{actions:?}") };
    assert_eq!(lots, &[("L1".to_owned(), Shares::from_whole(4))]);
}

#[test]
fn cases_of_one_file_stay_apart() {
    let case = |id: &str| {
        format!(
            r#"{{"id": "{id}", "events": [{{"date": "2024-01-02", "type": "buy", "id": "L1", "qty": "1", "amount": "2"}}]}}"#
        )
    };
    let statement = statement(&format!(r#"{{"format": "x", "cases": [{}, {}]}}"#, case("a"), case("b")));
    let named: Vec<_> = statement.transactions.iter().map(|one| (one.account.as_str(), one.id.as_str())).collect();
    assert_eq!(named, [("a/T", "a/L1"), ("b/T", "b/L1")]);
}

#[test]
fn events_that_cannot_be_read_are_quarantined_with_field_and_reason() {
    for (event, expected) in [
        ("7", "2: events holds something that is no event"),
        (r#"{"type": "buy"}"#, "2: date is missing"),
        (r#"{"date": "2024-02-30", "type": "buy"}"#, "2: date is not a date (expected YYYY-MM-DD)"),
        (r#"{"date": 5, "type": "buy"}"#, "2: date is not a text"),
        (r#"{"date": "2024-02-03", "type": "gift", "qty": 1}"#, "2: id is missing"),
        (r#"{"date": "2024-02-03", "type": "inherit", "id": "I", "qty": 1, "value": -1}"#, "2: value is below zero"),
        (r#"{"date": "2024-02-03", "type": "spinoff", "to": "OAK", "to_new": 0.2}"#, "2: ratio is missing"),
        (
            r#"{"date": "2024-02-03", "type": "spinoff", "to": "OAK", "ratio": 1, "to_new": 20}"#,
            "2: to_new is not a part of the basis between 0 and 1",
        ),
        (
            r#"{"date": "2024-02-03", "type": "exchange", "symbol": "OAK", "to": "OAK", "ratio": 1}"#,
            "2: to is the security itself",
        ),
        (
            r#"{"date": "2024-02-03", "type": "exchange", "to": "OAK", "ratio": 1, "cash": 1, "scope": "household"}"#,
            "2: scope has to be account where cash is paid",
        ),
        (
            r#"{"date": "2024-02-03", "type": "dance"}"#,
            "2: type is none of buy, sell, split, open, remove, transfer, return_of_capital, short_sell, cover, exercise, \
             assign, expire, gift, inherit, spinoff and exchange",
        ),
        (
            r#"{"date": "2024-02-03", "type": "transfer", "to": "T", "qty": 1}"#,
            "2: to is not another account of the ledger",
        ),
        (r#"{"date": "2024-02-03", "type": "expire", "qty": 1}"#, "2: symbol is missing"),
        (r#"{"date": "2024-02-03", "type": "buy", "id": "L", "qty": 0, "amount": 1}"#, "2: qty is not above zero"),
        (
            r#"{"date": "2024-02-03", "type": "buy", "id": "L", "qty": 1e-12, "amount": 1}"#,
            "2: qty cannot be read: \"1e-12\" has more than 9 decimal places",
        ),
        (r#"{"date": "2024-02-03", "type": "buy", "id": "L", "qty": 1, "amount": -1}"#, "2: amount is below zero"),
        (r#"{"date": "2024-02-03", "type": "buy", "id": "L", "qty": 1, "amount": []}"#, "2: amount is not a number"),
        (r#"{"date": "2024-02-03", "type": "buy", "qty": 1, "amount": 1}"#, "2: id is missing"),
        (
            r#"{"date": "2024-02-03", "type": "buy", "id": "L", "qty": 1, "amount": 1, "account": "Z"}"#,
            "2: account is not among the accounts of the ledger",
        ),
        (
            r#"{"date": "2024-02-03", "type": "sell", "id": "S", "qty": 2, "amount": 1, "lots": [{"lot": "L", "qty": 1}]}"#,
            "2: lots do not sum to the 2 shares sold",
        ),
        (
            r#"{"date": "2024-02-03", "type": "split", "ratio": "0"}"#,
            "2: ratio is not a ratio above zero (expected 2, 0.1 or 3:2)",
        ),
    ] {
        let statement = statement(&format!("{{\"events\": [\n{event}]}}"));
        assert_eq!(notes(&statement.quarantined), [expected], "{event}");
    }
    let buy = r#"{"date": "2024-02-03", "type": "buy", "id": "L", "qty": 1, "amount": 1}"#;
    let statement = statement(&format!("{{\"events\": [{buy},\n{buy}]}}"));
    assert_eq!(notes(&statement.quarantined), ["2: id names an earlier event already"]);
}

#[test]
fn unknown_fields_are_asked_about_and_change_nothing() {
    let text =
        r#"{"events": [{"date": "2024-02-03", "type": "split", "ratio": 2, "note": "x", "ratio": 3}], "extra": 1}"#;
    let statement = statement(text);
    assert_eq!(asked(&statement), ["unknown-field:extra", "unknown-field:note", "unknown-field:ratio"]);
    assert_eq!(statement.transactions[0].split_ratio, Some((Shares::from_whole(2), Shares::from_whole(1))));
}

#[test]
fn what_has_another_shape_is_refused_with_its_place() {
    for (text, expected) in [
        ("{\"events\": 5, \"qty\": 1}", "line 1, column 12: events is not an array"),
        ("{\"cases\": {}, \"events\": []}", "line 1, column 11: cases is not an array"),
        ("{\"cases\": [\n{\"id\": \"a\"}], \"events\": []}", "line 2, column 1: the ledger has no events"),
        ("{\"events\": [],\n\"accounts\": [{\"id\": \"T\"}]}", "line 2, column 14: type of an account is missing"),
        ("{\"events\": [}", "line 1, column 13: not well-formed JSON"),
    ] {
        let message = refusal(text).to_string();
        assert!(message.starts_with(expected), "{text}: {message}");
    }
}

#[test]
fn further_events_read_as_far_as_a_statement_carries_them() {
    let text = r#"{"accounts": [{"id": "T", "type": "taxable"}, {"id": "I", "type": "roth"}], "events": [
  {"date": "2024-01-02", "type": "open", "id": "L0", "qty": 10, "basis": "99.5", "acquired": "2020-05-05"},
  {"date": "2024-01-03", "type": "transfer", "to": "I", "qty": 4, "lots": [{"lot": "L0", "qty": 4}]},
  {"date": "2024-01-04", "type": "remove", "qty": 1},
  {"date": "2024-01-05", "type": "return_of_capital", "amount": 3},
  {"date": "2024-01-06", "type": "short_sell", "id": "S1", "symbol": "OAK", "qty": 2, "amount": 20, "fee": 1},
  {"date": "2024-01-07", "type": "cover", "id": "C1", "symbol": "OAK", "qty": 2, "amount": 10, "lots": [{"lot": "S1", "qty": 2}]},
  {"date": "2024-01-08", "type": "sell", "id": "S2", "symbol": "ACRN240621C00050000", "qty": 1, "amount": 50},
  {"date": "2024-06-21", "type": "expire", "symbol": "ACRN240621C00050000", "qty": 1}]}"#;
    let statement = statement(text);
    assert_eq!(
        told(&statement),
        [
            "2024-01-02 transfer_in SECURITY 10 @ - = 0.00, 0.00 USD -",
            "2024-01-03 transfer_in SECURITY 4 @ - = 0.00, 0.00 USD -",
            "2024-01-03 transfer_out SECURITY -4 @ - = 0.00, 0.00 USD -",
            "2024-01-04 transfer_out SECURITY -1 @ - = 0.00, 0.00 USD -",
            "2024-01-05 return_of_capital SECURITY - @ - = 3.00, 0.00 USD -",
            "2024-01-06 sell OAK -2 @ 10.00 = 19.00, 1.00 USD short_sale",
            "2024-01-07 buy OAK 2 @ 5.00 = -10.00, 0.00 USD short_cover",
            "2024-01-08 sell ACRN240621C00050000 -1 @ 50.00 = 50.00, 0.00 USD -",
            "2024-06-21 option_expire ACRN240621C00050000 1 @ - = 0.00, 0.00 USD -",
        ]
    );
    assert_eq!(statement.transactions[1].account, "I");
    let lot = &statement.transactions[0].lots[0];
    assert_eq!((lot.id.as_deref(), lot.basis.unwrap().to_string().as_str()), (Some("L0"), "99.50"));
    assert_eq!(statement.transactions[6].lots[0].id.as_deref(), Some("S1"));
    assert!(asked(&statement).is_empty());
}

#[test]
fn what_is_received_without_a_purchase_keeps_what_the_ledger_says_of_it() {
    let text = r#"{"accounts": [{"id": "T", "type": "taxable"}, {"id": "I", "type": "roth"}], "events": [
  {"date": "2024-01-02", "type": "gift", "id": "G1", "symbol": "ACRN", "qty": 10, "basis": "99.5", "value": 120},
  {"date": "2024-01-03", "type": "inherit", "id": "I1", "account": "I", "symbol": "ACRN", "qty": 4, "value": "50", "acquired": "2023-12-24"},
  {"date": "2024-01-04", "type": "spinoff", "symbol": "ACRN", "to": "LEAF", "ratio": "1:4", "to_new": 0.125},
  {"date": "2024-01-05", "type": "exchange", "symbol": "ACRN", "to": "OAK", "ratio": 2, "cash": 30, "value": 70},
  {"date": "2024-01-08", "type": "exchange", "symbol": "LEAF", "to": "TREE", "ratio": 1, "kind": "rename"},
  {"date": "2024-01-09", "type": "spinoff", "symbol": "ELM", "to": "BARK", "ratio": 1, "to_new": 0.1}]}"#;
    let statement = statement(text);
    assert_eq!(
        told(&statement),
        [
            "2024-01-02 transfer_in ACRN 10 @ - = 0.00, 0.00 USD gift 99.50 unknown 120.00",
            "2024-01-03 transfer_in ACRN 4 @ - = 0.00, 0.00 USD inherited 50.00 2023-12-24",
            "2024-01-04 spinoff LEAF 1 @ - = 0.00, 0.00 USD from ACRN 0.125",
            "2024-01-04 spinoff LEAF 2.5 @ - = 0.00, 0.00 USD from ACRN 0.125",
            "2024-01-05 merger ACRN -10 @ - = 0.00, 0.00 USD exchange ACRN>OAK worth 70.00",
            "2024-01-05 merger OAK 20 @ - = 30.00, 0.00 USD exchange ACRN>OAK worth 70.00",
            "2024-01-08 merger LEAF -1 @ - = 0.00, 0.00 USD rename LEAF>TREE",
            "2024-01-08 merger TREE 1 @ - = 0.00, 0.00 USD rename LEAF>TREE",
            "2024-01-08 merger LEAF -2.5 @ - = 0.00, 0.00 USD rename LEAF>TREE",
            "2024-01-08 merger TREE 2.5 @ - = 0.00, 0.00 USD rename LEAF>TREE",
        ]
    );
    assert_eq!(notes(&statement.ignored), ["7: spin-off: no account that it concerns holds ELM on that day"]);
    assert_eq!(statement.rows, 11);
    assert!(asked(&statement).is_empty());
}

#[test]
fn the_own_table_states_the_same_in_its_detail() {
    let table = |action: &str, shares: &str, detail: &str| {
        format!("date,action,symbol,shares,amount,detail\n2024-01-02,{action},ACRN,{shares},,{detail}\n")
    };
    let read = statement(&table("transfer_in", "5", "inherited 900 2023-12-01"));
    assert_eq!(told(&read), ["2024-01-02 transfer_in ACRN 5 @ - = 0.00, 0.00 USD inherited 900 2023-12-01"]);
    for (action, shares, detail, expected) in [
        ("transfer_in", "5", "gift 1 2", "2: not readable (expected gift BASIS DATE VALUE"),
        ("transfer_out", "5", "gift 1 2023-12-01 3", "2: a detail of the action transfer_in"),
        ("merger", "-5", "exchange ACRN", "2: not readable"),
    ] {
        let read = statement(&table(action, shares, detail));
        assert!(notes(&read.quarantined)[0].starts_with(expected), "{:?}", notes(&read.quarantined));
    }
}
