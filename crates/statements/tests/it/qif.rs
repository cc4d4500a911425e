//! Quicken's investment accounts.

use crate::told::{asked, notes, refusal, statement, told};

#[test]
fn records_read_with_the_direction_of_their_action() {
    let text = "!Option:AutoSwitch\n!Account\nNJoint\nTInvst\n^\n!Type:Security\nNAcorn Corp\nSACRN\nTStock\n^\n\
        !Clear:AutoSwitch\n!Account\nNJoint\nTInvst\n^\n!Type:Invst\n\
        D1/15'26\nNBuy\nYAcorn Corp\nI41.20\nQ10\nT412.95\nO0.95\nMBought 10\n^\n\
        D1/16'26\nNBuyX\nYAcorn Corp\nI41.20\nQ1\nT41.20\nL[Checking]\n$41.20\n^\n\
        D3/20'26\nNReinvDiv\nYAcorn Corp\nI14.00\nQ0.5\nT7.00\n^\n\
        D6/15'26\nNDivX\nYAcorn Corp\nT7.00\nL[Checking]\n$7.00\n^\n\
        D6/16'26\nNStkSplit\nYAcorn Corp\nQ15\n^\n\
        D6/17'26\nNShrsIn\nYAcorn Corp\nI3.00\nQ2\nT6.00\n^\n\
        D6/18'26\nNMiscExp\nT-3.00\n^\n\
        D6/19'26\nNCash\nT-10.00\nL[Checking]\n^\n\
        D6/20'26\nT11.00\nPSomeone\n^\n\
        D6/21'26\nNShtSell\nYAcorn Corp\nI50\nQ4\nT199.98\nO0.02\n^\n\
        D11/20'26\nNSell\nYAcorn Corp\nI50.00\nQ4\nT1,199.98\nO0.02\n^\n";
    let statement = statement(text);
    assert_eq!(statement.format, "qif-investment");
    assert_eq!(
        told(&statement),
        [
            "2026-01-15 buy ACRN 10 @ 41.20 = -412.95, 0.95 USD -",
            "2026-01-16 buy ACRN 1 @ 41.20 = -41.20, 0.00 USD -",
            "2026-03-20 reinvest ACRN 0.5 @ 14.00 = -7.00, 0.00 USD includes_dividend",
            "2026-06-15 dividend ACRN - @ - = 7.00, 0.00 USD -",
            "2026-06-16 split ACRN - @ - = 0.00, 0.00 USD -",
            "2026-06-17 transfer_in ACRN 2 @ 3.00 = 0.00, 0.00 USD -",
            "2026-06-18 fee - - @ - = -3.00, 0.00 USD miscellaneous_expense",
            "2026-06-19 transfer_out - - @ - = -10.00, 0.00 USD -",
            "2026-06-20 deposit - - @ - = 11.00, 0.00 USD -",
            "2026-06-21 sell ACRN -4 @ 50.00 = 199.98, 0.02 USD short_sale",
            "2026-11-20 sell ACRN -4 @ 50.00 = 1199.98, 0.02 USD -",
        ]
    );
    assert!(statement.transactions.iter().all(|one| one.account == "Joint"));
    let ratio = statement.transactions[4].split_ratio.unwrap();
    assert_eq!((ratio.0.to_string(), ratio.1.to_string()), ("15".to_owned(), "10".to_owned()));
    assert_eq!(statement.transactions[5].lots[0].basis.unwrap().to_string(), "6.00");
    assert_eq!(asked(&statement), ["amount-mismatch"]);
}

#[test]
fn names_without_a_ticker_are_asked_about() {
    let text = "!Type:Invst\nD1/15'26\nNBuy\nYA & B Corp.\nQ1\nT5\n^\n";
    let statement = statement(text);
    assert_eq!(statement.transactions[0].symbol.as_ref().unwrap().as_str(), "A B CORP.");
    assert_eq!(asked(&statement), ["name-only-security:A & B Corp."]);
}

#[test]
fn days_before_months_are_told_by_the_file() {
    let record = |day: &str| format!("D{day}\nNIntInc\nT1\n^\n");
    let unclear = statement(&format!("!Type:Invst\n{}", record("3/2/2026")));
    assert_eq!(
        (unclear.transactions[0].trade_date.to_string().as_str(), asked(&unclear)),
        ("2026-03-02", vec!["date-order"])
    );
    let german = statement(&format!("!Type:Invst\n{}{}", record("3.2.2026"), record("15.2.2026")));
    assert_eq!(german.transactions[0].trade_date.to_string(), "2026-02-03");
    assert!(asked(&german).is_empty());
}

#[test]
fn records_that_cannot_be_read_say_where_and_why() {
    for (record, expected) in [
        ("D1/15'26\nNJuggle\nT1\n^", "2: N has an unknown action \"Juggle\""),
        (
            "D1/15'26\nNExercisX\nYA\nQ1\n^",
            "2: N exercises an employee option, whose basis is not in the file; enter the purchase by hand",
        ),
        ("D13/45'26\nNDiv\nT1\n^", "2: D is not a date (expected 1/31/2026 or 1/31'26)"),
        ("D1/15'26\nNDiv\nTone\n^", "2: T is not a number"),
        ("D1/15'26\nNBuy\nQ1\nT5\n^", "2: Y is missing"),
        ("D1/15'26\nNStkSplit\nYA\n^", "2: Q is missing"),
        ("D1/15'26\nNDiv\nT1\nZ9\n^", "2: line has the code 'Z', which investment records do not have"),
        ("D1/15'26\nNDiv\nT1", "2: record is not ended by ^; the file seems cut off"),
    ] {
        let statement = statement(&format!("!Type:Invst\n{record}"));
        assert_eq!(notes(&statement.quarantined), [expected], "{record}");
    }
    let ignored = statement("!Type:Invst\nD1/15'26\nNVest\n^\n!Type:Bank\nD1/15'26\nT5\n^\n");
    assert_eq!(
        notes(&ignored.ignored),
        [
            "2: Vest: concerns an employee option, of which nothing is held yet",
            "6: record: belongs to a bank or card account, and only investment accounts are read",
        ]
    );
    let bank = refusal("!Type:Bank\nD1/15'26\nT5\n^\n").to_string();
    assert!(bank.contains("without an investment account"), "{bank}");
    assert!(refusal("!Type:Invst\n^\n!Type:Foo\n").to_string().starts_with("line 3, column 1: \"!Type:Foo\""));
}
