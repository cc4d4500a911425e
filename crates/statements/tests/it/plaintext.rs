//! Beancount files, and journals of Ledger and hledger.

use crate::told::{asked, notes, statement, told};

const BEANCOUNT: &str = r#"option "operating_currency" "USD"
2020-01-01 open Assets:Broker:ACRN
2020-01-01 commodity ACRN

2024-01-02 * "Broker" "Buy some" #tag
  id: "x"
  Assets:Broker:ACRN   10 ACRN {50.25 USD, "first"}
  Assets:Broker:Cash  -503.50 USD
  Expenses:Commissions   1.00 USD

2024-02-01 * "Sell from two lots"
  Assets:Broker:ACRN  -3 ACRN {50.25 USD, 2024-01-02} @ 60 USD
  Assets:Broker:ACRN  -1 ACRN {40.00 USD, 2023-01-02} @ 60 USD
  Assets:Broker:Cash  239.00 USD
  Expenses:Fees  1.00 USD
  Income:Gains

2024-02-10 * "Dividend"
  Assets:Broker:Cash  8.50 USD
  Expenses:Taxes:Withheld  1.50 USD
  Income:Broker:ACRN:Dividends  -10.00 USD

2024-02-11 * "Reinvested"
  Assets:Broker:ACRN  0.5 ACRN {20.00 USD}
  Income:Dividends  -10.00 USD

2024-02-12 * "Opening" ; a comment
  Assets:Old:OAK  5 OAK {7 USD, 2020-05-05}
  Equity:Opening-Balances

2024-02-13 * "Moved"
  Assets:Old:OAK  -5 OAK {7 USD, 2020-05-05}
  Assets:Broker:OAK  5 OAK {7 USD, 2020-05-05}

2024-02-14 * "Deposit"
  Assets:Broker:Cash  100 USD
  Assets:Checking

2024-02-15 * "Groceries"
  Expenses:Food  5 USD
  Assets:Checking

2024-02-16 * "Sum"
  Assets:Broker:ACRN  10 / 3 ACRN {5 USD}
  Assets:Broker:Cash
2024-03-01 balance Assets:Broker:ACRN  6.5 ACRN
2024-03-01 pad Assets:Broker:Cash Equity:Opening-Balances
2024-03-02 dance Assets:Broker:Cash
include "other.beancount"
"#;

#[test]
fn beancount_tells_what_happened_by_what_stands_against_the_shares() {
    let statement = statement(BEANCOUNT);
    assert_eq!(statement.format, "beancount");
    assert_eq!(
        told(&statement),
        [
            "2024-01-02 buy ACRN 10 @ 50.25 = -503.50, 1.00 USD -",
            "2024-02-01 sell ACRN -4 @ 60.00 = 239.00, 1.00 USD -",
            "2024-02-10 tax_withheld - - @ - = -1.50, 0.00 USD -",
            "2024-02-10 dividend ACRN - @ - = 10.00, 0.00 USD -",
            "2024-02-11 reinvest ACRN 0.5 @ 20.00 = -10.00, 0.00 USD includes_dividend",
            "2024-02-12 transfer_in OAK 5 @ 7.00 = 0.00, 0.00 USD -",
            "2024-02-13 transfer_in OAK 5 @ - = 0.00, 0.00 USD -",
            "2024-02-13 transfer_out OAK -5 @ - = 0.00, 0.00 USD -",
            "2024-02-14 deposit - - @ - = 100.00, 0.00 USD -",
        ]
    );
    assert!(statement.transactions.iter().take(5).all(|one| one.account == "Assets:Broker"));
    let lots: Vec<_> = statement.transactions[1]
        .lots
        .iter()
        .map(|lot| (lot.acquired.unwrap().to_string(), lot.basis.unwrap().to_string()))
        .collect();
    assert_eq!(lots, [("2024-01-02".to_owned(), "150.75".to_owned()), ("2023-01-02".to_owned(), "40.00".to_owned())]);
    let moved = &statement.transactions[6].lots[0];
    assert_eq!(
        (moved.acquired.unwrap().to_string(), moved.basis.unwrap().to_string()),
        ("2020-05-05".into(), "35.00".into())
    );
    let ignored = notes(&statement.ignored);
    assert!(ignored.contains(&"1: option: a directive that moves nothing".to_owned()), "{ignored:?}");
    assert!(ignored.contains(&"39: entry: touches no account that holds securities".to_owned()), "{ignored:?}");
    assert_eq!(
        notes(&statement.quarantined),
        [
            "47: directive fills an account by itself, so what it moved is not in the file; enter it as a transaction",
            "48: directive is not a directive of Beancount that is known",
            "43: posting is not an amount that is read (expected 10 ACRN {50.25 USD, 2024-01-02} @ 60 USD)",
        ]
    );
    assert_eq!(asked(&statement), ["included-file"]);
}

#[test]
fn ledger_journals_read_alike() {
    let text = "; a journal\nP 2024/01/01 ACRN $50\naccount Assets:Broker\n\n\
        2024/01/02=2024/01/04 * (17) Broker buy  ; note\n    Assets:Broker        10 ACRN @ $50.25\n    Assets:Broker:Cash  $-503.50\n    Expenses:Commission  $1.00\n\n\
        2024-02-01 ! Sell\n    ; of two lots\n    Assets:Broker   -3 ACRN {$50.25} [2024-01-02] @ $60\n    Assets:Broker   -1 ACRN {=$40.00} [2023-01-02] @ $60 = 6 ACRN\n    Assets:Broker:Cash   $239.00\n    Expenses:Fees  $1.00\n    Income:Capital Gains\n\n\
        2024.02.10 Dividend\n    Assets:Broker:Cash  $8.50\n    Income:Dividends\n\n\
        2024-02-11 Buy in total\n    Assets:Broker  2 \"OAK\" @@ $15\n    Assets:Broker:Cash\n\n\
        = /Food/\n    (Budget)  -1\n\n~ monthly\n    Expenses:Food  $5\n    Assets:Checking\n";
    let statement = statement(text);
    assert_eq!(statement.format, "ledger-journal");
    assert_eq!(
        told(&statement),
        [
            "2024-01-02 buy ACRN 10 @ 50.25 = -503.50, 1.00 USD -",
            "2024-02-01 sell ACRN -4 @ 60.00 = 239.00, 1.00 USD -",
            "2024-02-10 dividend - - @ - = 8.50, 0.00 USD -",
            "2024-02-11 buy OAK 2 @ - = -15.00, 0.00 USD -",
        ]
    );
    let lots: Vec<_> = statement.transactions[1].lots.iter().map(|lot| lot.acquired.unwrap().to_string()).collect();
    assert_eq!(lots, ["2024-01-02", "2023-01-02"]);
    assert_eq!(statement.quarantined.len(), 1);
    assert_eq!(statement.quarantined[0].row, 26);
}

#[test]
fn entries_that_do_not_say_what_happened_are_quarantined() {
    for (postings, expected) in [
        (
            "  Assets:Broker  1 ACRN\n  Assets:Broker  -2 ACRN\n",
            "1: commodity comes in and goes out of one account in one entry, which may be a split or an exchange of lots; enter it by hand",
        ),
        (
            "  Assets:Broker  1 ACRN\n",
            "1: commodity moves without cash, income or another account against it, so what happened is not clear",
        ),
        (
            "  Assets:Broker  1 ACRN @ 5 USD\n  Assets:Cash\n  Assets:Other\n",
            "1: posting is the second without an amount",
        ),
    ] {
        let statement = statement(&format!("2024-01-02 * \"x\"\n{postings}"));
        assert_eq!(notes(&statement.quarantined), [expected], "{postings}");
    }
}
