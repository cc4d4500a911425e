//! The policy switches of section 4, the windows, and what is not a purchase.

use insta::assert_snapshot;
use lotwise_core::Symbol;
use lotwise_tax::{LotsLeave, Tacking};

use crate::dsl::{book, book_by, show};

#[test]
fn the_window_is_thirty_days_on_either_side() {
    let washed = |text: &str| book(text).sales.iter().any(|row| row.code == "W");
    let after = |day: &str| format!("2025-01-02 buy 10 AAA @ 100\n2025-03-03 sell 10 AAA @ 90\n{day} buy 10 AAA @ 95");
    assert!(washed(&after("2025-04-02")));
    assert!(!washed(&after("2025-04-03")));
    let before = |day: &str| {
        format!("2024-06-03 buy 10 AAA @ 100\n{day} buy 10 AAA @ 95\n2025-03-03 sell 10 AAA @ 90 lots L1=10")
    };
    assert!(washed(&before("2025-02-01")));
    assert!(!washed(&before("2025-01-31")));
}

#[test]
fn shares_sold_in_one_order_do_not_replace_each_other() {
    let everything = "
        2025-09-15 buy  10 AAA @ 200
        2025-09-25 buy  10 AAA @ 190
        2025-10-06 sell 20 AAA @ 180
    ";
    assert_snapshot!(show(&book(everything)), @"
    S1 10 AAA of L1: 1800.00 - 2000.00 = -200.00 short
    S1 10 AAA of L2: 1800.00 - 1900.00 = -100.00 short
    ");
    // Lot by lot the second lot is still there when the first one's loss is looked at, and its
    // own loss grows by what it took on: over the order the sum is the same.
    assert_snapshot!(show(&book_by(everything, |rules| rules.lots_leave = LotsLeave::OneByOne)), @"
    S1 10 AAA of L1: 1800.00 - 2000.00 = -200.00 short, W 200.00 disallowed [10 x L2: 200.00]
    S1 10 AAA of L2: 1800.00 - 2100.00 = -300.00 short
    ");
}

#[test]
fn a_lot_that_a_one_by_one_order_matches_in_part_leaves_in_segments() {
    assert_snapshot!(show(&book_by("
        2025-09-15 buy   4 AAA @ 200
        2025-09-25 buy  10 AAA @ 190
        2025-10-06 sell 12 AAA @ 180
    ", |rules| rules.lots_leave = LotsLeave::OneByOne)), @"
    S1 4 AAA of L1: 720.00 - 800.00 = -80.00 short, W 80.00 disallowed [4 x L2: 80.00]
    S1 4 AAA of L2: 720.00 - 840.00 = -120.00 short
    S1 4 AAA of L2: 720.00 - 760.00 = -40.00 short
    T holds 2 AAA of L2: basis 380.00, from 2025-09-25
    ");
}

#[test]
fn least_tax_knows_that_one_by_one_a_lot_leaves_in_the_order_of_its_segments() {
    // Of L2 one share costs 18, but the one that leaves first costs 11: L3 is cheaper to sell.
    assert_snapshot!(show(&book_by("
        2025-09-01 buy  2 AAA @ 20
        2025-09-02 buy  4 AAA @ 10
        2025-09-03 sell 1 AAA @ 19
        2025-09-04 sell 1 AAA @ 12
        2025-09-05 buy  1 AAA @ 12
        2025-09-08 sell 1 AAA @ 18 by min-tax
    ", |rules| rules.lots_leave = LotsLeave::OneByOne)), @"
    S1 1 AAA of L1: 19.00 - 20.00 = -1.00 short, W 1.00 disallowed [1 x L2: 1.00]
    S2 1 AAA of L1: 12.00 - 20.00 = -8.00 short, W 8.00 disallowed [1 x L2: 8.00]
    S3 1 AAA of L3: 18.00 - 12.00 = 6.00 short
    T holds 1 AAA of L2: basis 11.00, from 2025-08-31, washed 1.00
    T holds 1 AAA of L2: basis 18.00, from 2025-08-30, washed 8.00
    T holds 2 AAA of L2: basis 20.00, from 2025-09-02
    ");
}

#[test]
fn an_older_lot_replaces_unless_the_switch_says_no() {
    let older = "
        2025-05-01 buy 10 AAA @ 100
        2025-05-10 buy 10 AAA @ 120
        2025-05-20 sell 10 AAA @ 90 lots L2=10
    ";
    assert_snapshot!(show(&book(older)), @"
    S1 10 AAA of L2: 900.00 - 1200.00 = -300.00 short, W 300.00 disallowed [10 x L1: 300.00]
    T holds 10 AAA of L1: basis 1300.00, from 2025-04-21, washed 300.00
    ");
    assert_snapshot!(show(&book_by(older, |rules| rules.older_lots_can_replace = false)), @"
    S1 10 AAA of L2: 900.00 - 1200.00 = -300.00 short
    T holds 10 AAA of L1: basis 1000.00, from 2025-05-01
    ");
}

#[test]
fn overlapping_periods_are_added_or_united() {
    let overlapping = "
        2024-06-03 buy 10 AAA @ 100
        2025-02-10 buy 10 AAA @ 95
        2025-03-03 sell 10 AAA @ 90 lots L1=10
    ";
    assert_snapshot!(show(&book(overlapping)), @"
    S1 10 AAA of L1: 900.00 - 1000.00 = -100.00 short, W 100.00 disallowed [10 x L2: 100.00]
    T holds 10 AAA of L2: basis 1050.00, from 2024-05-13, washed 100.00
    ");
    assert_snapshot!(show(&book_by(overlapping, |rules| rules.tacking = Tacking::Union)), @"
    S1 10 AAA of L1: 900.00 - 1000.00 = -100.00 short, W 100.00 disallowed [10 x L2: 100.00]
    T holds 10 AAA of L2: basis 1050.00, from 2024-06-03, washed 100.00
    ");
    // Bought after the sale, the periods do not overlap and the gap does not count either way.
    let apart = "
        2024-06-03 buy 10 AAA @ 100
        2025-03-03 sell 10 AAA @ 90
        2025-03-13 buy 10 AAA @ 95
    ";
    assert_eq!(book(apart).open_lots, book_by(apart, |rules| rules.tacking = Tacking::Union).open_lots);
}

#[test]
fn declared_twins_replace_each_other() {
    let twins = "
        2024-03-01 buy  10 SPY @ 500
        2025-04-01 sell 10 SPY @ 450
        2025-04-03 buy  30 VOO @ 150
    ";
    assert_snapshot!(show(&book(twins)), @"
    S1 10 SPY of L1: 4500.00 - 5000.00 = -500.00 long
    T holds 30 VOO of L2: basis 4500.00, from 2025-04-03
    ");
    let symbol = |text: &str| Symbol::parse(text).unwrap();
    // Two declared sets that share a symbol are one group.
    let groups = vec![vec![symbol("SPY"), symbol("IVV")], vec![symbol("IVV"), symbol("VOO")]];
    assert_snapshot!(show(&book_by(twins, |rules| rules.identity_groups = groups)), @"
    S1 10 SPY of L1: 4500.00 - 5000.00 = -500.00 long, W 500.00 disallowed [10 x L2: 500.00]
    T holds 10 VOO of L2: basis 2000.00, from 2024-03-03, washed 500.00
    T holds 20 VOO of L2: basis 3000.00, from 2025-04-03
    ");
}

#[test]
fn purchases_of_the_whole_household_count() {
    assert_snapshot!(show(&book("
        2024-03-01 buy  30 AAA @ 100
        2025-04-01 sell 30 AAA @ 70
        2025-04-02 buy  10 AAA @ 71 in U
        2025-04-03 buy  10 AAA @ 72 in Q
        2025-04-04 buy   5 AAA @ 73 in P
    ")), @"
    S1 30 AAA of L1: 2100.00 - 3000.00 = -900.00 long, W 750.00 disallowed [10 x L2: 300.00] [10 x L3: 300.00 lost] [5 x L4: 150.00]
    U holds 10 AAA of L2: basis 1010.00, from 2024-03-02, washed 300.00
    P holds 5 AAA of L4: basis 515.00, from 2024-03-04, washed 150.00
    Q holds 10 AAA of L3: basis 720.00, from 2025-04-03, washed 0.00
    lost for good: 300.00
    ");
}

#[test]
fn a_share_absorbs_one_loss_only_and_the_earlier_sale_comes_first() {
    assert_snapshot!(show(&book("
        2024-05-01 buy  10 AAA @ 100
        2024-06-03 buy  10 AAA @ 120
        2025-03-03 sell 10 AAA @ 90 lots L1=10
        2025-03-05 sell 10 AAA @ 90 lots L2=10
        2025-03-10 buy  15 AAA @ 90
    ")), @"
    S1 10 AAA of L1: 900.00 - 1000.00 = -100.00 short, W 100.00 disallowed [10 x L3: 100.00]
    S2 10 AAA of L2: 900.00 - 1200.00 = -300.00 short, W 150.00 disallowed [5 x L3: 150.00]
    T holds 10 AAA of L3: basis 1000.00, from 2024-05-08, washed 100.00
    T holds 5 AAA of L3: basis 600.00, from 2024-06-08, washed 150.00
    ");
}

#[test]
fn losses_roll_through_a_chain() {
    assert_snapshot!(show(&book("
        2025-01-02 buy  10 AAA @ 100
        2025-02-03 sell 10 AAA @ 90
        2025-02-10 buy  10 AAA @ 92
        2025-03-10 sell 10 AAA @ 85
        2025-03-20 buy  10 AAA @ 86
        2025-08-20 sell 10 AAA @ 120
    ")), @"
    S1 10 AAA of L1: 900.00 - 1000.00 = -100.00 short, W 100.00 disallowed [10 x L2: 100.00]
    S2 10 AAA of L2: 850.00 - 1020.00 = -170.00 short, W 170.00 disallowed [10 x L3: 170.00]
    S3 10 AAA of L3: 1200.00 - 1030.00 = 170.00 short
    ");
}

#[test]
fn matched_shares_of_a_lot_leave_first() {
    assert_snapshot!(show(&book("
        2024-02-01 buy  10 AAA @ 100
        2025-03-03 sell 10 AAA @ 80
        2025-03-10 buy  30 AAA @ 80
        2025-07-01 sell 15 AAA @ 100
    ")), @"
    S1 10 AAA of L1: 800.00 - 1000.00 = -200.00 long, W 200.00 disallowed [10 x L2: 200.00]
    S2 10 AAA of L2: 1000.00 - 1000.00 = 0.00 long
    S2 5 AAA of L2: 500.00 - 400.00 = 100.00 short
    T holds 15 AAA of L2: basis 1200.00, from 2025-03-10
    ");
}

#[test]
fn a_split_inside_the_window_is_no_purchase_and_scales_what_is_matched() {
    assert_snapshot!(show(&book("
        2024-03-01 buy  10 AAA @ 100
        2025-04-01 sell 10 AAA @ 80
        2025-04-05 split 4:1 AAA
        2025-04-10 buy  20 AAA @ 21
        2025-04-11 buy  30 AAA @ 21
    ")), @"
    S1 10 AAA of L1: 800.00 - 1000.00 = -200.00 long, W 200.00 disallowed [20 x L2: 100.00] [20 x L3: 100.00]
    T holds 20 AAA of L2: basis 520.00, from 2024-03-10, washed 100.00
    T holds 20 AAA of L3: basis 520.00, from 2024-03-11, washed 100.00
    T holds 10 AAA of L3: basis 210.00, from 2025-04-11
    ");
    assert_snapshot!(show(&book("
        2024-03-01 buy  60 AAA @ 10
        2025-03-20 buy  20 AAA @ 9
        2025-03-25 split 1:10 AAA
        2025-04-01 sell  6 AAA @ 80 lots L1=6
    ")), @"
    S1 6 AAA of L1: 480.00 - 600.00 = -120.00 long, W 40.00 disallowed [2 x L2: 40.00]
    T holds 2 AAA of L2: basis 220.00, from 2024-02-18, washed 40.00
    ");
}

#[test]
fn a_split_that_leaves_fractions_keeps_basis_and_the_whole() {
    assert_snapshot!(show(&book("
        2024-03-01 buy 10 AAA @ 10
        2024-03-02 buy 10 AAA @ 20
        2024-03-03 buy 5 AAA @ 20 in U
        2024-04-01 split 1:3 AAA
        2024-04-01 sell 0.666666667 AAA @ 45
    ")), @"
    S1 0.666666667 AAA of L1: 30.000000015 - 20.000000012 = 10.000000003 short
    T holds 2.666666666 AAA of L1: basis 79.999999988, from 2024-03-01
    T holds 3.333333334 AAA of L2: basis 200.00, from 2024-03-02
    U holds 1.666666667 AAA of L3: basis 100.00, from 2024-03-03
    ");
}

#[test]
fn a_split_reported_by_two_accounts_happens_once() {
    let once = "2024-03-01 buy 10 AAA @ 10\n2024-03-01 buy 4 AAA @ 10 in U\n2024-04-01 split 2:1 AAA";
    let both = format!("{once}\n2024-04-01 split 2:1 AAA in U");
    assert_eq!(book(once), book(&both));
    // One account that reports it twice means it.
    let twice = format!("{once}\n2024-04-01 split 2:1 AAA\n2024-04-01 split 2:1 AAA in U");
    assert_snapshot!(show(&book(&twice)), @"
    T holds 40 AAA of L1: basis 100.00, from 2024-03-01
    U holds 16 AAA of L2: basis 40.00, from 2024-03-01
    ");
    // Another ratio, or another day, is another split.
    let others = format!("{once}\n2024-04-01 split 3:1 AAA in U\n2024-04-02 split 2:1 AAA in U");
    assert_snapshot!(show(&book(&others)), @"
    T holds 120 AAA of L1: basis 100.00, from 2024-03-01
    U holds 48 AAA of L2: basis 40.00, from 2024-03-01
    ");
}

#[test]
fn opening_positions_are_no_purchases_and_unknown_basis_stays_unknown() {
    assert_snapshot!(show(&book("
        2025-03-01 open 10 AAA basis 1200 since 2020-05-05
        2025-03-10 open 10 AAA
        2025-03-20 open 10 AAA basis 900 since 2025-03-15
        2025-04-01 sell 5 AAA @ 80 lots L1=5
        2025-04-01 sell 5 AAA @ 80
        2025-04-02 sell 10 AAA @ 80 by hifo
    ")), @"
    S1 5 AAA of L1: 400.00 - 600.00 = -200.00 long
    S2 5 AAA of L2: 400.00 - ? = ? ?
    S3 5 AAA of L1: 400.00 - 600.00 = -200.00 long
    S3 5 AAA of L3: 400.00 - 450.00 = -50.00 short
    T holds 5 AAA of L2: basis ?, from ?
    T holds 5 AAA of L3: basis 450.00, from 2025-03-15
    ");
}

#[test]
fn returned_capital_beyond_basis_is_a_gain_of_the_lots_own_term() {
    assert_snapshot!(show(&book("
        2023-03-01 buy 10 AAA @ 1
        2025-03-10 buy 10 AAA @ 50
        2025-03-10 buy 10 AAA @ 1 in I
        2025-04-01 return 40 AAA
        2025-04-01 return 40 AAA in I
    ")), @"
    S1 10 AAA of L1: 10.00 - 0.00 = 10.00 long
    T holds 10 AAA of L1: basis 0.00, from 2023-03-01
    T holds 10 AAA of L2: basis 480.00, from 2025-03-10
    I holds 10 AAA of L3: basis 0.00, from 2025-03-10
    ");
}

#[test]
fn shares_that_leave_without_a_sale_are_kept_apart() {
    let booking = book(
        "
        2023-03-01 buy 10 AAA @ 1
        2023-03-02 buy 10 AAA @ 2
        2023-03-03 remove 15 AAA
    ",
    );
    assert_eq!(booking.removed.len(), 2);
    assert_eq!(booking.removed[1].basis.map(|basis| basis.to_string()), Some("10.00".into()));
    assert_snapshot!(show(&booking), @"T holds 5 AAA of L2: basis 10.00, from 2023-03-02");
}

#[test]
fn sales_inside_an_ira_are_not_reported() {
    assert_snapshot!(show(&book("
        2025-03-01 buy 10 AAA @ 100 in I
        2025-04-01 sell 5 AAA @ 80 in I
        2025-04-02 buy 5 AAA @ 80
    ")), @"
    T holds 5 AAA of L2: basis 400.00, from 2025-04-02
    I holds 5 AAA of L1: basis 500.00, from 2025-03-01
    ");
}

#[test]
fn a_loss_is_tentative_until_its_window_has_closed() {
    let until = |text: &str| book(text).sales[0].window_open_until().map(|date| date.to_string());
    let sale = "2025-01-02 buy 10 AAA @ 100\n2025-12-29 sell 10 AAA @ 90";
    assert_eq!(until(sale).as_deref(), Some("2026-01-28"));
    assert_eq!(until(&format!("{sale}\n2026-01-05 buy 4 AAA @ 90")).as_deref(), Some("2026-01-28"));
    assert_eq!(until(&format!("{sale}\n2026-01-05 buy 10 AAA @ 90")), None);
    assert_eq!(until("2025-01-02 buy 10 AAA @ 100\n2025-12-29 sell 10 AAA @ 110"), None);
}
