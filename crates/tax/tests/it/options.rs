//! Options as securities of their own, and what happens when they end (tax rule 2.8).

use insta::assert_snapshot;
use lotwise_tax::{Error, NoteKind, RowKind};

use crate::dsl::{book, refusal, show};

#[test]
fn premium_of_an_exercised_call_joins_the_basis() {
    assert_snapshot!(show(&book("
        2024-01-02 buy 2 AAA241220C00050000 for 600 fee 2
        2024-06-03 exercise 1 AAA241220C00050000 fee 1
        2025-06-03 sell 100 AAA @ 60
    ")), @"
    S1 100 AAA of L2: 6000.00 - 5302.00 = 698.00 short
    T holds 1 AAA241220C00050000 of L1: basis 301.00, from 2024-01-02
    ");
    // The first long-term day is counted from the exercise.
    let long = book(
        "
        2024-01-02 buy 1 AAA241220C00050000 for 300
        2024-06-03 exercise 1 AAA241220C00050000
        2025-06-04 sell 100 AAA @ 60
    ",
    );
    assert_eq!(long.sales[0].term.map(|term| term.name()), Some("long"));
}

#[test]
fn premium_of_an_assigned_call_joins_the_proceeds() {
    let booking = book(
        "
        2022-05-02 buy 100 AAA @ 40
        2024-01-02 short 1 AAA241220C00050000 for 300 fee 1
        2024-12-20 assign 1 AAA241220C00050000
    ",
    );
    assert_snapshot!(show(&booking), @"S1 100 AAA of L1: 5299.00 - 4000.00 = 1299.00 long");
    assert!(booking.notes.iter().any(|note| note.kind == NoteKind::PossibleStraddle));
}

#[test]
fn premium_of_an_exercised_put_reduces_the_proceeds() {
    assert_snapshot!(show(&book("
        2022-05-02 buy 150 AAA @ 40
        2024-01-02 buy 1 AAA241220P00050000 for 300
        2024-12-20 exercise 1 AAA241220P00050000 fee 5
    ")), @"
    S1 100 AAA of L1: 4695.00 - 4000.00 = 695.00 long
    T holds 50 AAA of L1: basis 2000.00, from 2022-05-02
    ");
}

#[test]
fn premium_of_an_assigned_put_reduces_the_basis() {
    assert_snapshot!(show(&book("
        2024-01-02 short 2 AAA241220P00050000 for 600
        2024-12-20 assign 1 AAA241220P00050000 fee 5
    ")), @"
    T holds 100 AAA of L2: basis 4705.00, from 2024-12-20
    T owes 1 AAA241220P00050000 of L1: proceeds 300.00, from 2024-01-02
    ");
}

#[test]
fn an_option_that_lapses_is_a_loss_for_its_holder_and_a_short_gain_for_its_writer() {
    let booking = book(
        "
        2023-01-03 buy 1 AAA241220C00050000 for 300
        2023-01-03 short 1 AAA241220C00050000 for 310 in U
        2024-12-20 expire 1 AAA241220C00050000
        2024-12-20 expire 1 AAA241220C00050000 in U
    ",
    );
    assert_snapshot!(show(&booking), @"
    S1 1 AAA241220C00050000 of L1: 0.00 - 300.00 = -300.00 long
    S2 1 AAA241220C00050000 of L2: 310.00 - 0.00 = 310.00 short
    ");
    assert!(booking.sales.iter().all(|row| row.kind == RowKind::Expiry));
}

#[test]
fn a_written_option_bought_back_is_short_term_on_the_day_of_the_trade_or_its_settlement() {
    let booking = book(
        "
        2023-01-03 short 2 AAA241220C00050000 for 600
        2024-11-29 cover 1 AAA241220C00050000 for 100
        2024-11-29 cover 1 AAA241220C00050000 for 400
        2024-12-02 short 1 AAA241220C00050000 for 500
    ",
    );
    assert_snapshot!(show(&booking), @"
    S1 1 AAA241220C00050000 of L1: 300.00 - 100.00 = 200.00 short
    S2 1 AAA241220C00050000 of L1: 300.00 - 400.00 = -100.00 short
    T owes 1 AAA241220C00050000 of L2: proceeds 500.00, from 2024-12-02
    ");
    assert_eq!(booking.sales[1].sold.to_string(), "2024-12-02");
}

#[test]
fn losses_on_options_are_washed_by_the_same_contract() {
    assert_snapshot!(show(&book("
        2024-01-02 buy 1 AAA241220C00050000 for 300
        2024-02-01 sell 1 AAA241220C00050000 for 200
        2024-02-05 buy 1 AAA241220C00050000 for 210
    ")), @"
    S1 1 AAA241220C00050000 of L1: 200.00 - 300.00 = -100.00 short, W 100.00 disallowed [1 x L2: 100.00]
    T holds 1 AAA241220C00050000 of L2: basis 310.00, from 2024-01-06, washed 100.00
    ");
}

#[test]
fn a_call_bought_near_a_loss_on_its_stock_is_noted_and_not_computed() {
    let near = |call: &str| book(&format!("2024-01-02 buy 10 AAA @ 100\n2024-03-01 sell 10 AAA @ 80\n{call}"));
    let noted = |text: &str| {
        let booking = near(text);
        assert_eq!(booking.sales[0].disallowed.to_string(), "0.00");
        booking.notes.iter().any(|note| matches!(note.kind, NoteKind::CallNearLoss { .. }) && note.row == Some(0))
    };
    assert!(noted("2024-03-31 buy 1 AAA241220C00050000 for 300"));
    assert!(!noted("2024-04-01 buy 1 AAA241220C00050000 for 300"));
    assert!(!noted("2024-03-05 buy 1 AAA241220P00050000 for 300"));
    assert!(noted("2024-02-01 buy 1 AAA241220C00050000 for 300"));
    assert!(!noted("2024-01-30 buy 1 AAA241220C00050000 for 300"));
}

#[test]
fn what_cannot_end_that_way_is_refused_and_changes_nothing() {
    let call = "2024-01-02 buy 1 AAA241220C00050000 for 300";
    for text in [
        "2024-06-03 exercise 2 AAA241220C00050000",
        "2024-06-03 assign 1 AAA241220C00050000",
        "2024-06-03 expire 2 AAA241220C00050000",
    ] {
        let error = refusal(&format!("{call}\n{text}"));
        let expected = matches!(error, Error::InsufficientShares { .. } | Error::InsufficientShort { .. });
        assert!(expected, "{error}");
    }
    // A put without the shares would open a short sale.
    let naked = refusal("2024-01-02 buy 1 AAA241220P00050000 for 300\n2024-06-03 exercise 1 AAA241220P00050000");
    assert!(matches!(naked, Error::InsufficientShares { .. }), "{naked}");
    let both = format!("{call}\n2024-01-03 short 1 AAA241220C00050000 for 300\n2024-12-20 expire 1 AAA241220C00050000");
    assert!(matches!(refusal(&both), Error::Unsupported { .. }));
    let index = refusal("2024-01-02 buy 1 SPX241220C05000000 for 300");
    assert_eq!(
        index.to_string(),
        "SPX241220C05000000 is an option on a broad-based index (a section 1256 contract), which is not supported (tax \
         rule 2.10)"
    );
}
