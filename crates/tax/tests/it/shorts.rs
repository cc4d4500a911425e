//! Short sales (tax rule 2.9; 26 USC 1091(e), 1233).

use insta::assert_snapshot;
use lotwise_tax::{Error, NoteKind};

use crate::dsl::{book, refusal, show};

#[test]
fn a_gain_counts_on_the_trade_date_and_a_loss_on_settlement() {
    let booking = book(
        "
        2024-12-02 short 10 AAA @ 50 fee 5
        2024-12-31 cover 4 AAA @ 40 fee 2
        2024-12-31 cover 6 AAA @ 60
    ",
    );
    assert_snapshot!(show(&booking), @"
    S1 4 AAA of L1: 198.00 - 162.00 = 36.00 short
    S2 6 AAA of L1: 297.00 - 360.00 = -63.00 short
    ");
    let sold: Vec<String> = booking.sales.iter().map(|row| row.sold.to_string()).collect();
    assert_eq!(sold, ["2024-12-31", "2025-01-02"]);
}

#[test]
fn what_is_not_closed_is_owed() {
    assert_snapshot!(show(&book("
        2024-12-02 short 10 AAA @ 50
        2024-12-03 short 10 AAA @ 52
        2024-12-04 split 2:1 AAA
        2024-12-31 cover 24 AAA @ 20
    ")), @"
    S1 20 AAA of L1: 500.00 - 400.00 = 100.00 short
    S1 4 AAA of L2: 104.00 - 80.00 = 24.00 short
    T owes 16 AAA of L2: proceeds 416.00, from 2024-12-03
    ");
    assert_eq!(
        refusal("2024-12-02 short 10 AAA @ 50\n2024-12-03 cover 11 AAA @ 50").to_string(),
        "account T is short 10 AAA on 2024-12-03, cannot close 11"
    );
}

#[test]
fn a_loss_is_long_as_far_as_shares_were_held_for_more_than_a_year() {
    let booking = book(
        "
        2022-05-02 buy 6 AAA @ 10
        2024-03-01 short 10 AAA @ 50
        2024-06-03 cover 10 AAA @ 60
    ",
    );
    assert_snapshot!(show(&booking), @"
    S1 6 AAA of L2: 300.00 - 360.00 = -60.00 long
    S1 4 AAA of L2: 200.00 - 240.00 = -40.00 short
    T holds 6 AAA of L1: basis 60.00, from 2022-05-02
    ");
    assert!(booking.notes.iter().any(|note| note.kind == NoteKind::ShortWhileHolding));
    // A gain stays short, held long or not.
    let gain = book("2022-05-02 buy 6 AAA @ 10\n2024-03-01 short 6 AAA @ 50\n2024-06-03 cover 6 AAA @ 40");
    assert_eq!(gain.sales[0].term.map(|term| term.name()), Some("short"));
}

#[test]
fn closing_restarts_the_holding_period_of_shares_held_a_year_or_less() {
    assert_snapshot!(show(&book("
        2022-05-02 buy 5 AAA @ 10
        2024-01-02 buy 8 AAA @ 45
        2024-04-01 buy 8 AAA @ 48 in U
        2024-03-01 short 10 AAA @ 50
        2024-06-03 cover 10 AAA @ 40
    ")), @"
    S1 10 AAA of L4: 500.00 - 400.00 = 100.00 short
    T holds 5 AAA of L1: basis 50.00, from 2022-05-02
    T holds 8 AAA of L2: basis 360.00, from 2024-06-03
    U holds 2 AAA of L3: basis 96.00, from 2024-06-03
    U holds 6 AAA of L3: basis 288.00, from 2024-04-01
    ");
}

#[test]
fn a_loss_on_closing_is_washed_by_another_short_sale() {
    // 30 days after, in another account; half of it.
    assert_snapshot!(show(&book("
        2024-03-01 short 10 AAA @ 50
        2024-06-03 cover 10 AAA @ 60
        2024-07-03 short 5 AAA @ 61 in U
        2024-07-10 cover 5 AAA @ 51 in U
    ")), @"
    S1 10 AAA of L1: 500.00 - 600.00 = -100.00 short, W 50.00 disallowed [5 x L2: 50.00]
    S2 5 AAA of L2: 255.00 - 255.00 = 0.00 short
    ");
    // Before; the part that took on the loss is closed first.
    assert_snapshot!(show(&book("
        2024-03-01 short 10 AAA @ 50
        2024-05-31 short 20 AAA @ 62
        2024-06-03 cover 10 AAA @ 60
        2024-09-03 cover 15 AAA @ 50
    ")), @"
    S1 10 AAA of L1: 500.00 - 600.00 = -100.00 short, W 100.00 disallowed [10 x L2: 100.00]
    S2 10 AAA of L2: 520.00 - 500.00 = 20.00 short
    S2 5 AAA of L2: 310.00 - 250.00 = 60.00 short
    T owes 5 AAA of L2: proceeds 310.00, from 2024-05-31
    ");
    let late = book("2024-03-01 short 1 AAA @ 50\n2024-06-03 cover 1 AAA @ 60\n2024-07-05 short 1 AAA @ 61");
    assert_eq!(late.sales[0].disallowed.to_string(), "0.00");
}

#[test]
fn a_sale_near_a_loss_on_closing_is_noted_and_a_purchase_to_close_replaces_nothing() {
    let booking = book(
        "
        2024-03-01 short 10 AAA @ 50
        2024-06-03 cover 10 AAA @ 60
        2024-06-04 buy 10 AAA @ 60 in I
        2024-06-05 sell 1 AAA @ 60 in I
    ",
    );
    assert!(booking.notes.iter().any(|note| note.kind == NoteKind::SaleNearShortLoss && note.row == Some(0)));
    let long_loss = book(
        "
        2024-01-02 buy 10 AAA @ 100
        2024-03-01 sell 10 AAA @ 50
        2024-03-04 short 10 AAA @ 50
        2024-03-05 cover 10 AAA @ 40
    ",
    );
    assert_eq!(long_loss.sales[0].disallowed.to_string(), "0.00");
}

#[test]
fn a_short_position_gets_no_spin_off() {
    let text = "2024-03-01 short 10 AAA @ 50\n2024-04-01 spinoff 1:1 AAA into BBB part 0.5";
    assert!(matches!(refusal(text), Error::Unsupported { .. }));
}
