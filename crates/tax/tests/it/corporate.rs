//! Spin-offs, mergers and changes of name (tax rule 2.4).

use insta::assert_snapshot;
use lotwise_tax::{Error, RowKind};

use crate::dsl::{book, refusal, show};

#[test]
fn a_spin_off_divides_basis_and_carries_dates() {
    assert_snapshot!(show(&book("
        2022-05-02 buy 10 AAA @ 100
        2024-02-01 buy 6 AAA @ 140 in U
        2024-03-01 spinoff 1:4 AAA into BBB part 0.25
        2024-03-04 sell 0.5 BBB @ 200
    ")), @"
    S1 0.5 BBB of L1/BBB: 100.00 - 50.00 = 50.00 long
    T holds 10 AAA of L1: basis 750.00, from 2022-05-02
    T holds 2 BBB of L1/BBB: basis 200.00, from 2022-05-02
    U holds 6 AAA of L2: basis 630.00, from 2024-02-01
    U holds 1.5 BBB of L2/BBB: basis 210.00, from 2024-02-01
    ");
    // For one account alone; what is spun off replaces nothing.
    assert_snapshot!(show(&book("
        2024-02-01 buy 4 AAA @ 140
        2024-02-01 buy 4 AAA @ 140 in U
        2024-02-20 buy 1 BBB @ 30
        2024-03-01 spinoff 1:4 AAA into BBB part 0.25 alone
        2024-03-04 sell 1 BBB @ 20 lots L3=1
    ")), @"
    S1 1 BBB of L3: 20.00 - 30.00 = -10.00 short
    T holds 4 AAA of L1: basis 420.00, from 2024-02-01
    T holds 1 BBB of L1/BBB: basis 140.00, from 2024-02-01
    U holds 4 AAA of L2: basis 560.00, from 2024-02-01
    ");
}

#[test]
fn a_washed_segment_is_divided_like_the_rest() {
    assert_snapshot!(show(&book("
        2024-01-02 buy 10 AAA @ 100
        2024-03-01 sell 10 AAA @ 80
        2024-03-04 buy 20 AAA @ 80
        2024-04-01 spinoff 1:1 AAA into BBB part 0.5
    ")), @"
    S1 10 AAA of L1: 800.00 - 1000.00 = -200.00 short, W 200.00 disallowed [10 x L2: 200.00]
    T holds 10 AAA of L2: basis 500.00, from 2024-01-05, washed 100.00
    T holds 10 AAA of L2: basis 400.00, from 2024-03-04
    T holds 10 BBB of L2/BBB: basis 500.00, from 2024-01-05, washed 100.00
    T holds 10 BBB of L2/BBB: basis 400.00, from 2024-03-04
    ");
}

#[test]
fn a_merger_carries_basis_and_dates() {
    assert_snapshot!(show(&book("
        2022-05-02 buy 10 AAA @ 100
        2024-03-01 merge 1:2 AAA into BBB
        2024-03-04 sell 2 BBB @ 210
    ")), @"
    S1 2 BBB of L1: 420.00 - 400.00 = 20.00 long
    T holds 3 BBB of L1: basis 600.00, from 2022-05-02
    ");
}

#[test]
fn cash_beside_shares_is_gain_up_to_the_cash_and_never_a_loss() {
    // Ten shares for 10 new ones worth 900 and 200 in cash.
    let merged = |basis: u32| {
        book(&format!("2022-05-02 buy 10 AAA for {basis}\n2024-03-01 merge 1:1 AAA into BBB cash 200 worth 900"))
    };
    // Realised 600: all of the cash is gain, basis stays.
    assert_snapshot!(show(&merged(500)), @"
    S1 10 AAA of L1: 200.00 - 0.00 = 200.00 long
    T holds 10 BBB of L1: basis 500.00, from 2022-05-02
    ");
    // Realised 100 of the 200: basis 1000 - 200 + 100.
    assert_snapshot!(show(&merged(1_000)), @"
    S1 10 AAA of L1: 200.00 - 100.00 = 100.00 long
    T holds 10 BBB of L1: basis 900.00, from 2022-05-02
    ");
    // A loss of 300 is not recognised: basis 1400 - 200.
    assert_snapshot!(show(&merged(1_400)), @"
    S1 10 AAA of L1: 200.00 - 200.00 = 0.00 long
    T holds 10 BBB of L1: basis 1200.00, from 2022-05-02
    ");
    assert_eq!(merged(500).sales[0].kind, RowKind::Boot);
}

#[test]
fn a_name_change_is_one_security_for_wash_sales() {
    // The loss under the old name meets the purchase under the new one, two new shares for one.
    let text = |verb: &str| {
        format!(
            "2024-01-02 buy 10 AAA @ 100
             2024-01-02 buy 1 AAA @ 100 in U
             2024-03-01 sell 10 AAA @ 80
             2024-03-04 {verb} 2:1 AAA into NEW
             2024-03-11 buy 10 NEW @ 40"
        )
    };
    assert_snapshot!(show(&book(&text("rename"))), @"
    S1 10 AAA of L1: 800.00 - 1000.00 = -200.00 short, W 100.00 disallowed [10 x L3: 100.00]
    T holds 10 NEW of L3: basis 500.00, from 2024-01-12, washed 100.00
    U holds 2 NEW of L2: basis 100.00, from 2024-01-02
    ");
    // In a merger it is another security.
    assert_eq!(book(&text("merge")).sales[0].disallowed.to_string(), "0.00");
    // Shares bought before the change replace ones sold after it.
    assert_snapshot!(show(&book("
        2024-01-02 buy 10 AAA @ 100
        2024-02-20 buy 4 AAA @ 90
        2024-03-04 rename 1:1 AAA into NEW
        2024-03-11 sell 10 NEW @ 80 lots L1=10
    ")), @"
    S1 10 NEW of L1: 800.00 - 1000.00 = -200.00 short, W 80.00 disallowed [4 x L2: 80.00]
    T holds 4 NEW of L2: basis 440.00, from 2023-12-13, washed 80.00
    ");
}

#[test]
fn corporate_actions_on_nothing_are_refused() {
    for text in ["2024-03-01 spinoff 1:4 AAA into BBB part 0.25", "2024-03-01 rename 1:1 AAA into BBB"] {
        assert!(matches!(refusal(text), Error::NothingHeld { .. }), "{text}");
    }
    let held = "2024-01-02 buy 10 AAA @ 100\n";
    assert!(matches!(refusal(&format!("{held}2024-03-01 rename 1:1 AAA into AAA")), Error::Unsupported { .. }));
    let part = refusal(&format!("{held}2024-03-01 spinoff 1:4 AAA into BBB part 1.25"));
    assert!(matches!(part, Error::OutOfRange { .. }));
}
