//! The worked examples of Publication 550, Regulations 1.1091-1 and -2, and the rulings.

use insta::assert_snapshot;

use crate::dsl::{book, show};

#[test]
fn a_purchase_after_the_sale_takes_on_the_loss() {
    assert_snapshot!(show(&book("
        2025-01-06 buy  100 AAA for 1000
        2025-03-10 sell 100 AAA for 750
        2025-03-25 buy  100 AAA for 800
    ")), @"
    S1 100 AAA of L1: 750.00 - 1000.00 = -250.00 short, W 250.00 disallowed [100 x L2: 250.00]
    T holds 100 AAA of L2: basis 1050.00, from 2025-01-21, washed 250.00
    ");
}

#[test]
fn purchases_before_the_sale_take_on_their_part() {
    assert_snapshot!(show(&book("
        2024-09-20 buy  100 AAA for 5000
        2024-12-13 buy   50 AAA for 2750
        2024-12-20 buy   25 AAA for 1125
        2025-01-03 sell 100 AAA for 4000 lots L1=100
    ")), @"
    S1 100 AAA of L1: 4000.00 - 5000.00 = -1000.00 short, W 750.00 disallowed [50 x L2: 500.00] [25 x L3: 250.00]
    T holds 50 AAA of L2: basis 3250.00, from 2024-08-30, washed 500.00
    T holds 25 AAA of L3: basis 1375.00, from 2024-09-06, washed 250.00
    ");
}

#[test]
fn the_first_shares_bought_are_the_replacements() {
    assert_snapshot!(show(&book("
        2024-09-16 buy  100 AAA for 2000
        2025-01-29 sell 100 AAA for 1000
        2025-02-03 buy   50 AAA for 500
        2025-02-04 buy   50 AAA for 500
        2025-02-05 buy   50 AAA for 500
        2025-02-06 buy   50 AAA for 500
    ")), @"
    S1 100 AAA of L1: 1000.00 - 2000.00 = -1000.00 short, W 1000.00 disallowed [50 x L2: 500.00] [50 x L3: 500.00]
    T holds 50 AAA of L2: basis 1000.00, from 2024-09-21, washed 500.00
    T holds 50 AAA of L3: basis 1000.00, from 2024-09-22, washed 500.00
    T holds 50 AAA of L4: basis 500.00, from 2025-02-05
    T holds 50 AAA of L5: basis 500.00, from 2025-02-06
    ");
}

#[test]
fn a_washed_loss_leaves_the_gains_of_the_same_order_alone() {
    assert_snapshot!(show(&book("
        1967-02-01 buy  100 AAA @ 158
        1967-05-01 buy  100 AAA @ 100
        1967-08-01 buy  100 AAA @ 95
        1969-12-22 sell 300 AAA @ 125
        1970-01-08 buy  250 AAA @ 125
    ")), @"
    S1 100 AAA of L1: 12500.00 - 15800.00 = -3300.00 long, W 3300.00 disallowed [100 x L4: 3300.00]
    S1 100 AAA of L2: 12500.00 - 10000.00 = 2500.00 long
    S1 100 AAA of L3: 12500.00 - 9500.00 = 3000.00 long
    T holds 100 AAA of L4: basis 15800.00, from 1967-02-18, washed 3300.00
    T holds 150 AAA of L4: basis 18750.00, from 1970-01-08
    ");
}

#[test]
fn the_old_holding_period_is_added_to_the_new_lots() {
    assert_snapshot!(show(&book("
        1954-09-15 buy  100 AAA for 5000
        1956-02-01 sell 100 AAA for 4000
        1956-02-15 buy   50 AAA for 2000
        1956-02-16 buy   50 AAA for 2000
        1956-02-17 buy   50 AAA for 2000
        1956-02-18 buy   50 AAA for 2000
    ")), @"
    S1 100 AAA of L1: 4000.00 - 5000.00 = -1000.00 long, W 1000.00 disallowed [50 x L2: 500.00] [50 x L3: 500.00]
    T holds 50 AAA of L2: basis 2500.00, from 1954-09-29, washed 500.00
    T holds 50 AAA of L3: basis 2500.00, from 1954-09-30, washed 500.00
    T holds 50 AAA of L4: basis 2000.00, from 1956-02-17
    T holds 50 AAA of L5: basis 2000.00, from 1956-02-18
    ");
}

#[test]
fn the_statutory_basis_is_the_old_one_plus_the_price_difference() {
    assert_snapshot!(show(&book("
        1935-06-03 buy  1 AAA @ 100
        1955-01-15 sell 1 AAA @ 80
        1955-02-01 buy  1 AAA @ 90
    ")), @"
    S1 1 AAA of L1: 80.00 - 100.00 = -20.00 long, W 20.00 disallowed [1 x L2: 20.00]
    T holds 1 AAA of L2: basis 110.00, from 1935-06-20, washed 20.00
    ");
    assert_snapshot!(show(&book("
        1935-06-03 buy  1 AAA @ 100
        1955-01-15 sell 1 AAA @ 80
        1955-02-01 buy  1 AAA @ 70
    ")), @"
    S1 1 AAA of L1: 80.00 - 100.00 = -20.00 long, W 20.00 disallowed [1 x L2: 20.00]
    T holds 1 AAA of L2: basis 90.00, from 1935-06-20, washed 20.00
    ");
}

#[test]
fn a_loss_replaced_in_an_ira_is_gone_for_good() {
    assert_snapshot!(show(&book("
        2006-05-01 buy  100 AAA for 1000
        2007-12-20 sell 100 AAA for 600
        2007-12-21 buy  100 AAA for 610 in I
    ")), @"
    S1 100 AAA of L1: 600.00 - 1000.00 = -400.00 long, W 400.00 disallowed [100 x L2: 400.00 lost]
    I holds 100 AAA of L2: basis 610.00, from 2007-12-21, washed 0.00
    lost for good: 400.00
    ");
}

#[test]
fn the_rest_of_a_lot_does_not_replace_its_other_part() {
    assert_snapshot!(show(&book("
        2025-06-02 buy  200 AAA @ 50
        2025-06-12 sell 100 AAA @ 40
    ")), @"
    S1 100 AAA of L1: 4000.00 - 5000.00 = -1000.00 short
    T holds 100 AAA of L1: basis 5000.00, from 2025-06-02
    ");
}
