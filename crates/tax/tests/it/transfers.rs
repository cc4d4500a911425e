//! Shares that move or arrive without a purchase, average basis, and when lots are identified.

use insta::assert_snapshot;
use lotwise_core::{Money, Symbol};
use lotwise_tax::{AccountId, AssetClass, BasisSource, Error, Method, NoteKind, book as book_ledger};

use crate::dsl::{book, book_by, ledger, refusal, show};

#[test]
fn a_transfer_takes_lots_basis_and_dates_along() {
    assert_snapshot!(show(&book("
        2024-01-02 buy 10 AAA @ 100
        2024-02-01 buy 10 AAA @ 110
        2024-03-01 transfer 15 AAA to U
        2024-12-02 sell 12 AAA @ 120 in U
    ")), @"
    S1 10 AAA of L1: 1200.00 - 1000.00 = 200.00 short
    S1 2 AAA of L2: 240.00 - 220.00 = 20.00 short
    T holds 5 AAA of L2: basis 550.00, from 2024-02-01
    U holds 3 AAA of L2: basis 330.00, from 2024-02-01
    ");
}

#[test]
fn a_transfer_is_no_purchase_and_a_purchase_that_moved_still_replaces() {
    assert_snapshot!(show(&book("
        2024-01-02 buy 10 AAA @ 100
        2024-06-03 buy 10 AAA @ 90 in U
        2024-06-05 transfer 10 AAA to T in U
        2024-06-10 sell 10 AAA @ 80 lots L1=10
        2024-06-12 transfer 4 AAA to U
    ")), @"
    S1 10 AAA of L1: 800.00 - 1000.00 = -200.00 short, W 200.00 disallowed [10 x L2: 200.00]
    T holds 6 AAA of L2: basis 660.00, from 2023-12-26, washed 120.00
    U holds 4 AAA of L2: basis 440.00, from 2023-12-26, washed 80.00
    ");
    // Two halves of one lot in two accounts are one lot: neither replaces the other.
    assert_snapshot!(show(&book("
        2024-06-03 buy 10 AAA @ 90
        2024-06-05 transfer 5 AAA to U
        2024-06-10 sell 5 AAA @ 80
    ")), @"
    S1 5 AAA of L1: 400.00 - 450.00 = -50.00 short
    U holds 5 AAA of L1: basis 450.00, from 2024-06-03
    ");
}

#[test]
fn halves_that_come_back_are_one_lot_again() {
    assert_snapshot!(show(&book("
        2024-06-03 buy 10 AAA @ 90
        2024-06-05 transfer 5 AAA to U
        2024-06-06 transfer 5 AAA to T in U
    ")), @"T holds 10 AAA of L1: basis 900.00, from 2024-06-03");
}

#[test]
fn a_transfer_between_accounts_taxed_differently_is_refused_by_name() {
    for (to, from) in [("I", "T"), ("T", "I"), ("R", "I"), ("Q", "I")] {
        let text = format!("2024-01-02 buy 10 AAA @ 1 in {from}\n2024-01-03 transfer 5 AAA to {to} in {from}");
        assert!(matches!(refusal(&text), Error::TransferAcrossKinds { .. }), "{from} {to}");
    }
    assert_eq!(
        refusal("2024-01-02 buy 10 AAA @ 1\n2024-01-03 transfer 11 AAA to U").to_string(),
        "account T holds 10 AAA on 2024-01-03, cannot sell 11 (is an earlier purchase or split missing? a short sale \
         is an event of its own)"
    );
}

#[test]
fn a_gift_has_one_basis_for_gains_and_another_for_losses() {
    let gift = "2024-03-01 gift 1 AAA basis 100 since 2020-01-01 worth 80";
    let sold = |price: u32| show(&book(&format!("{gift}\n2024-06-03 sell 1 AAA @ {price}")));
    assert_snapshot!(sold(110), @"S1 1 AAA of L1: 110.00 - 100.00 = 10.00 long");
    assert_snapshot!(sold(70), @"S1 1 AAA of L1: 70.00 - 80.00 = -10.00 short");
    assert_snapshot!(sold(90), @"S1 1 AAA of L1: 90.00 - 90.00 = 0.00 long");
    // Worth more than the donor paid: one basis, one date.
    assert_snapshot!(show(&book("
        2024-03-01 gift 4 AAA basis 100 since 2020-01-01 worth 180
        2024-06-03 sell 2 AAA @ 20
    ")), @"
    S1 2 AAA of L1: 40.00 - 50.00 = -10.00 long
    T holds 2 AAA of L1: basis 50.00, from 2020-01-01
    ");
    let kept = book("2024-03-01 gift 4 AAA basis 100 since 2020-01-01 worth 80\n2024-04-01 sell 1 AAA @ 5");
    let left = &kept.open_lots[0];
    assert_eq!(left.for_loss.unwrap().basis, Money::from_whole(60));
    assert_eq!((left.basis_source, kept.sales[0].basis_source), (BasisSource::Gift, BasisSource::Gift));
}

#[test]
fn a_gift_replaces_nothing_and_its_loss_can_be_washed() {
    assert_snapshot!(show(&book("
        2024-03-01 gift 10 AAA basis 1000 since 2020-01-01 worth 800
        2024-06-03 sell 10 AAA @ 70
        2024-06-10 buy 10 AAA @ 71
    ")), @"
    S1 10 AAA of L1: 700.00 - 800.00 = -100.00 short, W 100.00 disallowed [10 x L2: 100.00]
    T holds 10 AAA of L2: basis 810.00, from 2024-03-08, washed 100.00
    ");
    assert_snapshot!(show(&book("
        2024-01-02 buy 10 AAA @ 100
        2024-06-03 sell 10 AAA @ 70
        2024-06-10 gift 10 AAA basis 1000 since 2020-01-01 worth 800
    ")), @"
    S1 10 AAA of L1: 700.00 - 1000.00 = -300.00 short
    T holds 10 AAA of L2: basis 1000.00, from 2020-01-01
    ");
}

#[test]
fn an_inheritance_is_always_long_term() {
    let booking = book(
        "
        2024-03-01 inherit 10 AAA worth 1000 since 2024-02-20
        2024-03-04 sell 4 AAA @ 110
    ",
    );
    assert_snapshot!(show(&booking), @"
    S1 4 AAA of L1: 440.00 - 400.00 = 40.00 long
    T holds 6 AAA of L1: basis 600.00, from 2024-02-20
    ");
    assert_eq!(booking.sales[0].basis_source, BasisSource::Inherited);
}

#[test]
fn a_basis_that_is_not_exact_gives_a_range() {
    let mut ledger = ledger(
        "
        2024-03-01 open 10 AAA
        2024-03-04 sell 4 AAA @ 110
    ",
    );
    let unknown = book_ledger(&ledger, &lotwise_tax::Rules::default()).unwrap();
    let range = unknown.sales[0].reportable_range();
    assert_eq!((range.lowest, range.highest), (None, Money::from_whole(440)));
    assert_eq!(unknown.notes[0].kind, NoteKind::BasisNotExact);
    assert_eq!(unknown.notes[0].row, Some(0));
    let rates = lotwise_tax::FlatRates::default();
    let tax = rates.tax_range(&unknown.sales);
    assert_eq!((tax.lowest, tax.highest.to_string()), (None, "105.60".into()));

    if let lotwise_tax::EventKind::Open { basis, source, .. } = &mut ledger.events[0].kind {
        (*basis, *source) = (Some(Money::from_whole(1_000)), BasisSource::AverageOnly);
    }
    let average = book_ledger(&ledger, &lotwise_tax::Rules::default()).unwrap();
    let row = &average.sales[0];
    assert_eq!((row.basis, row.gain, row.reportable), (None, None, None));
    // The four shares may have cost nothing, or all that the position did.
    let range = row.reportable_range();
    assert_eq!((range.lowest, range.highest), (Some(Money::from_whole(-560)), Money::from_whole(440)));
    let tax = rates.tax_range(&average.sales);
    assert_eq!((tax.lowest.unwrap().to_string(), tax.highest.to_string()), ("-134.40".into(), "105.60".into()));
    assert_eq!(average.open_lots[0].basis, Some(Money::from_whole(600)));
}

#[test]
fn averaged_shares_leave_first_in_first_out_at_one_price() {
    let eligible = |rules: &mut lotwise_tax::Rules| {
        rules.average_eligible.insert((AccountId::new("T"), Symbol::parse("FND").unwrap()));
    };
    assert_snapshot!(show(&book_by("
        2022-05-02 buy 10 FND @ 10
        2024-02-01 buy 20 FND @ 16
        2024-12-02 sell 15 FND @ 20 by average
        2024-12-03 buy 15 FND @ 20
        2024-12-04 sell 10 FND @ 20 by average
    ", eligible)), @"
    S1 10 FND of L1: 200.00 - 140.00 = 60.00 long
    S1 5 FND of L2: 100.00 - 70.00 = 30.00 short
    S2 10 FND of L2: 200.00 - 170.00 = 30.00 short
    T holds 5 FND of L2: basis 85.00, from 2024-02-01
    T holds 15 FND of L3: basis 255.00, from 2024-12-03
    ");
}

#[test]
fn lowest_basis_leaves_first_when_asked() {
    assert_snapshot!(show(&book("
        2022-05-02 buy 10 AAA @ 100
        2024-02-01 buy 10 AAA @ 140
        2024-08-01 buy 10 AAA @ 90
        2024-12-02 sell 15 AAA @ 120 by lofo
    ")), @"
    S1 5 AAA of L1: 600.00 - 500.00 = 100.00 long
    S1 10 AAA of L3: 1200.00 - 900.00 = 300.00 short
    T holds 5 AAA of L1: basis 500.00, from 2022-05-02
    T holds 10 AAA of L2: basis 1400.00, from 2024-02-01
    ");
}

#[test]
fn lots_identified_after_settlement_are_refused() {
    let told = |how: &str, when: &str| {
        let text = format!("2024-06-03 buy 10 AAA @ 1\n2024-12-24 sell 2 AAA @ 1 {how} told {when}");
        lotwise_tax::book(&ledger(&text), &lotwise_tax::Rules::default())
    };
    // The sale of Christmas Eve settles on the 26th.
    assert_eq!(told("lots L1=2", "2024-12-26").unwrap().sales[0].identified.unwrap().to_string(), "2024-12-26");
    for how in ["lots L1=2", "by hifo"] {
        let late = told(how, "2024-12-27").unwrap_err();
        assert!(matches!(late, Error::LateIdentification { .. }), "{late}");
    }
    // The legal default needs no identification.
    assert!(told("by fifo", "2024-12-27").is_ok());
}

#[test]
fn digital_assets_wash_from_the_day_that_the_switch_says() {
    let text = "
        2024-01-02 buy 1 BTC @ 100
        2024-06-03 sell 1 BTC @ 70
        2024-06-10 buy 1 BTC @ 71
    ";
    let washed = |from: Option<&str>| {
        let booking = book_by(text, |rules| {
            rules.classes.insert(Symbol::parse("BTC").unwrap(), AssetClass::DigitalAsset);
            rules.digital_asset_wash_sales_from = from.map(|date| lotwise_core::Date::parse(date).unwrap());
        });
        booking.sales[0].disallowed.to_string()
    };
    assert_eq!(washed(None), "0.00");
    assert_eq!(washed(Some("2024-06-04")), "0.00");
    assert_eq!(washed(Some("2024-06-03")), "30.00");
}

#[test]
fn every_booking_names_the_switches() {
    let booking = book("2024-06-03 buy 10 AAA @ 1");
    let switches = booking.rules.switches().map(|(name, value)| format!("{name}={value}"));
    assert_eq!(
        switches,
        ["lots_leave=together", "older_lots_can_replace=true", "tacking=add", "digital_asset_wash_sales_from=never"]
    );
    assert_eq!(Method::default(), Method::Fifo);
}
