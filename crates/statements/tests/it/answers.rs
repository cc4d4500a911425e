//! Answers given beforehand settle the questions of a file.

use std::collections::BTreeMap;

use lotwise_statements::{Answer, Answers, ReadOptions, Statement, read};

use crate::told::{asked, assert_accounted, notes, told};

fn answered(text: &str, answers: &[(&str, &str)]) -> Statement {
    let parse = |key: &str, value: &str| Answer::parse(key, value).unwrap_or_else(|error| panic!("{error}"));
    let given = answers.iter().map(|(key, value)| ((*key).to_owned(), parse(key, value)));
    let options = ReadOptions { answers: Answers::new(given.collect::<BTreeMap<_, _>>()), ..ReadOptions::default() };
    let statement = read(text.as_bytes(), &options).unwrap_or_else(|error| panic!("{error}"));
    assert_accounted(&statement);
    statement
}

const CSV: &str = "date,account,action,symbol,shares,price,amount\n\
    2024-01-02,X1,Snap up,ACRN,10,5,-50\n2024-01-03,X1,Gossip,,,,0\n2024-01-04,X1,buy,ACRN,10,5,-99\n";

#[test]
fn unknown_actions_mean_what_is_answered() {
    let plain = answered(CSV, &[]);
    assert_eq!(asked(&plain), ["unknown-action:Gossip", "unknown-action:Snap up", "amount-mismatch"]);
    assert_eq!(plain.quarantined.len(), 2);
    let statement = answered(
        CSV,
        &[
            ("unknown-action:Gossip", "leave out"),
            ("unknown-action:Snap up", "buy"),
            ("amount-mismatch", "leave out"),
            ("account-kind:X1", "roth"),
            ("account-kind:X2", "roth"),
        ],
    );
    assert_eq!(told(&statement), ["2024-01-02 buy ACRN 10 @ 5.00 = -50.00, 0.00 USD -"]);
    assert_eq!(notes(&statement.ignored), ["3: Gossip: left out, as answered", "4: left out, as answered"]);
    assert!(asked(&statement).is_empty() && statement.quarantined.is_empty());
    assert_eq!(statement.account_kinds.get("X1").map(|kind| kind.name()), Some("roth"));
    // What no question of the file was about stays unused.
    assert_eq!(statement.answered.len(), 4);
    assert!(!statement.answered.contains_key("account-kind:X2"));
}

#[test]
fn a_ticker_is_taken_from_the_answer() {
    let text = "!Type:Invst\nD1/15'26\nNBuy\nYAcorn Corp\nQ1\nT5\n^\n";
    let statement = answered(text, &[("name-only-security:Acorn Corp", "ACRN")]);
    assert_eq!(told(&statement), ["2026-01-15 buy ACRN 1 @ - = -5.00, 0.00 USD -"]);
    assert!(asked(&statement).is_empty());
}

#[test]
fn rows_that_share_a_line_are_not_left_out_by_it() {
    let record = |id: &str, amount: &str| {
        format!(
            "{{\"id\":\"{id}\",\"activity_type\":\"FILL\",\"transaction_time\":\"2026-01-0{amount}T15:00:00Z\",\"side\":\"buy\",\
                 \"qty\":\"1\",\"price\":\"5\",\"symbol\":\"ACRN260320P00050000\"}}"
        )
    };
    let text = format!("[{},{}]", record("a", "1"), record("b", "2"));
    let statement = answered(&text, &[("option-side", "leave out")]);
    assert_eq!((statement.transactions.len(), asked(&statement)), (2, vec!["option-side"]));
}
