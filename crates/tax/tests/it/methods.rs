//! Which lots leave, what a sale would do, and what is refused.

use insta::assert_snapshot;
use lotwise_core::{Date, Price, Symbol};
use lotwise_tax::{AccountId, AssetClass, Book, Error, Rules, Term, whatif_sell};

use crate::dsl::{book, event, ledger, refusal, show, show_row};

const THREE_LOTS: &str = "
    2022-05-02 buy 10 AAA @ 100 fee 7
    2024-02-01 buy 10 AAA @ 140
    2024-08-01 buy 10 AAA @ 90
";

fn sold(sale: &str) -> String {
    let booking = book(&format!("{THREE_LOTS}\n{sale}"));
    booking.sales.iter().map(show_row).collect()
}

#[test]
fn each_method_has_its_order() {
    assert_snapshot!(sold("2024-12-02 sell 15 AAA @ 120 fee 3"), @"
    S1 10 AAA of L1: 1198.00 - 1007.00 = 191.00 long
    S1 5 AAA of L2: 599.00 - 700.00 = -101.00 short
    ");
    assert_snapshot!(sold("2024-12-02 sell 15 AAA @ 120 by lifo"), @"
    S1 5 AAA of L2: 600.00 - 700.00 = -100.00 short
    S1 10 AAA of L3: 1200.00 - 900.00 = 300.00 short
    ");
    assert_snapshot!(sold("2024-12-02 sell 15 AAA @ 120 by hifo"), @"
    S1 5 AAA of L1: 600.00 - 503.50 = 96.50 long
    S1 10 AAA of L2: 1200.00 - 1400.00 = -200.00 short
    ");
    assert_snapshot!(sold("2024-12-02 sell 15 AAA @ 120 by min-tax"), @"
    S1 5 AAA of L1: 600.00 - 503.50 = 96.50 long
    S1 10 AAA of L2: 1200.00 - 1400.00 = -200.00 short
    ");
    assert_snapshot!(sold("2024-12-02 sell 15 AAA @ 120 lots L3=6 L1=9"), @"
    S1 9 AAA of L1: 1080.00 - 906.30 = 173.70 long
    S1 6 AAA of L3: 720.00 - 540.00 = 180.00 short
    ");
}

#[test]
fn least_tax_does_not_count_on_a_loss_that_is_washed() {
    // The dearest lot's loss would be washed by the shares bought last week, whose own smaller
    // loss would not: nothing else was bought in its window.
    assert_snapshot!(show(&book("
        2024-02-01 buy 10 AAA @ 130
        2024-11-25 buy 10 AAA @ 125
        2024-12-01 open 10 AAA basis 1190 since 2024-11-30
        2024-12-02 sell 10 AAA @ 120 by min-tax
    ")), @"
    S1 10 AAA of L2: 1200.00 - 1250.00 = -50.00 short
    T holds 10 AAA of L1: basis 1300.00, from 2024-02-01
    T holds 10 AAA of L3: basis 1190.00, from 2024-11-30
    ");
}

#[test]
fn proceeds_are_shared_out_to_the_last_billionth() {
    let booking = book(
        "
        2022-05-02 buy 1 AAA @ 10
        2022-05-03 buy 1 AAA @ 10
        2022-05-04 buy 1 AAA @ 10
        2024-12-02 sell 3 AAA for 100 fee 0.01
    ",
    );
    let proceeds: Vec<String> = booking.sales.iter().map(|row| row.proceeds.to_string()).collect();
    assert_eq!(proceeds, ["33.33", "33.33", "33.33"]);
    let thirds = book(
        "
        2022-05-02 buy 3 AAA for 100
        2024-12-02 sell 1 AAA for 50
        2024-12-02 sell 1 AAA for 50
        2024-12-02 sell 1 AAA for 50
    ",
    );
    let basis: Vec<String> = thirds.sales.iter().filter_map(|row| Some(row.basis?.to_string())).collect();
    assert_eq!(basis, ["33.333333333", "33.333333334", "33.333333333"]);
}

#[test]
fn a_what_if_shows_rows_replacements_and_what_is_left() {
    let ledger = ledger(
        "
        2024-02-01 buy 10 AAA @ 140
        2024-11-25 buy  4 AAA @ 119
    ",
    );
    let book = Book::of(&ledger, &Rules::default()).unwrap();
    let preview = book.whatif_sell(&event("2024-12-02 sell 10 AAA @ 120", &mut 0, &mut 0)).unwrap();
    assert_eq!(preview.disallowed().to_string(), "80.00");
    assert_eq!(preview.reportable(Term::Short).unwrap().to_string(), "-120.00");
    assert_eq!(preview.reportable(Term::Long).unwrap().to_string(), "0.00");
    assert_eq!(preview.replacements().map(|one| one.lot.as_str()).collect::<Vec<_>>(), ["L2"]);
    assert_eq!(preview.open_lots[0].basis.unwrap().to_string(), "556.00");
    assert!(book.sales().is_empty());

    let lots = book
        .preview_lots(
            &AccountId::new("T"),
            &Symbol::parse("AAA").unwrap(),
            Date::parse("2024-12-02").unwrap(),
            Price::from_whole(120),
        )
        .unwrap();
    let taxes: Vec<String> = lots.iter().map(|lot| lot.tax.unwrap().to_string()).collect();
    // 120 of the first lot's loss of 200 is usable, at 24 %; the second's gain of 4 is short.
    assert_eq!(taxes, ["-28.80", "0.96"]);
    assert_eq!(lots[0].first_long_term_date, Date::parse("2025-02-02").ok());
}

#[test]
fn a_what_if_in_the_middle_of_a_ledger_sees_the_purchases_that_follow() {
    let ledger = ledger(
        "
        2024-02-01 buy 10 AAA @ 140
        2024-12-20 buy  4 AAA @ 119
    ",
    );
    let sale = event("2024-12-02 sell 10 AAA @ 120", &mut 0, &mut 0);
    let preview = whatif_sell(&ledger, &Rules::default(), &sale).unwrap();
    assert_eq!(preview.disallowed().to_string(), "80.00");
    assert_eq!(preview.open_lots.len(), 1);
    let wrong = event("2024-12-02 buy 10 AAA @ 120", &mut 8, &mut 0);
    let refused = whatif_sell(&ledger, &Rules::default(), &wrong);
    assert_eq!(refused, Err(Error::OtherKind { wanted: "sale", date: wrong.date }));
}

#[test]
fn the_windows_say_what_is_blocked_and_until_when() {
    let rules = Rules {
        identity_groups: vec![vec![Symbol::parse("AAA").unwrap(), Symbol::parse("AAB").unwrap()]],
        ..Rules::default()
    };
    let ledger = ledger(
        "
        2024-02-01 buy 10 AAA @ 140
        2024-11-25 buy  4 AAA @ 119 in I
        2024-12-02 sell 10 AAA @ 120
        2024-12-04 split 2:1 AAA
    ",
    );
    let book = Book::of(&ledger, &rules).unwrap();
    let (twin, date) = (Symbol::parse("AAB").unwrap(), |text| Date::parse(text).unwrap());
    let losses = book.recent_losses(&twin, date("2024-12-10"));
    assert_eq!(losses.len(), 1);
    // Six of the ten shares were not replaced by the IRA's four; the split doubles them.
    assert_eq!((losses[0].shares.to_string(), losses[0].loss.to_string()), ("12".into(), "120.00".into()));
    assert_eq!(book.buying_blocked_until(&twin, date("2024-12-10")), Some(date("2025-01-01")));
    assert_eq!(book.buying_blocked_until(&twin, date("2025-01-01")), Some(date("2025-01-01")));
    assert_eq!(book.buying_blocked_until(&twin, date("2025-01-02")), None);
    let washed = book.whatif_buy(&event("2024-12-10 buy 3 AAA @ 60", &mut 10, &mut 0)).unwrap();
    assert_eq!(washed.washed[0].replacement.disallowed.to_string(), "30.00");
    assert_eq!(washed.open_lots[0].basis.unwrap().to_string(), "210.00");

    // The IRA's shares are used up; a fresh purchase is not.
    assert!(book.recent_purchases(&twin, date("2024-12-10")).is_empty());
    let mut book = book;
    book.apply(&event("2024-12-11 buy 20 AAA @ 60", &mut 10, &mut 0)).unwrap();
    let purchases = book.recent_purchases(&twin, date("2024-12-12"));
    assert_eq!((purchases[0].shares.to_string(), purchases[0].permanent), ("8".into(), false));
    assert_eq!(purchases[0].blocked_until, date("2025-01-10"));
}

#[test]
fn what_cannot_be_booked_is_refused_with_the_culprit() {
    for (text, message) in [
        ("2024-01-02 buy 10 AAA @ 1 in Z", "account Z of the event on 2024-01-02 is not in the ledger"),
        ("2024-01-02 buy 0 AAA @ 1", "shares of L1 on 2024-01-02 must be above zero"),
        ("2024-01-02 buy -3 AAA for 1", "shares of L1 on 2024-01-02 must be above zero"),
        ("2024-01-02 buy 3 AAA for -1", "amount of L1 on 2024-01-02 is negative"),
        ("2024-01-02 buy 3 AAA for 1 fee -1", "fee of L1 on 2024-01-02 is negative"),
        ("2024-01-02 split 0:1 AAA", "new shares of the split of AAA on 2024-01-02 must be above zero"),
        (
            "2024-01-02 buy 1 AAA @ 1 as A\n2024-01-03 buy 1 AAA @ 1 as A",
            "lot A on 2024-01-03 has the name of an earlier lot",
        ),
        (
            "2024-01-02 open 1 AAA basis 1 since 2024-01-03",
            "lot L1 of 2024-01-02 cannot have been acquired on 2024-01-03, which is later",
        ),
        (
            "2024-01-02 buy 1 AAA @ 1\n2024-01-03 sell 2 AAA @ 1",
            "account T holds 1 AAA on 2024-01-03, cannot sell 2 (is an earlier purchase or split missing? a \
             short sale is an event of its own)",
        ),
        (
            "2024-01-02 buy 1 AAA @ 1\n2024-01-03 remove 2 AAA",
            "account T holds 1 AAA on 2024-01-03, cannot sell 2 (is an earlier purchase or split missing? a \
             short sale is an event of its own)",
        ),
        (
            "2024-01-02 return 5 AAA",
            "account T holds no AAA on 2024-01-02, so there is nothing that the event could change",
        ),
        (
            "2024-01-02 buy 1 AAA @ 1\n2024-01-03 sell 1 AAA @ 1 lots L9=1",
            "sale S1 names lot L9, which no earlier event made",
        ),
        (
            "2024-01-02 buy 1 AAA @ 1 in U\n2024-01-03 sell 1 AAA @ 1 lots L1=1",
            "sale S1 in account T names lot L1, which is in account U",
        ),
        ("2024-01-02 buy 1 AAA @ 1\n2024-01-03 sell 1 BBB @ 1 lots L1=1", "sale S1 of BBB names lot L1, which is AAA"),
        (
            "2024-01-02 buy 1 AAA @ 1\n2024-01-02 buy 5 AAA @ 1\n2024-01-03 sell 2 AAA @ 1 lots L1=2",
            "lot L1 holds 1, sale S1 cannot take 2",
        ),
        (
            "2024-01-02 buy 5 AAA @ 1\n2024-01-03 sell 3 AAA @ 1 lots L1=2",
            "sale S1 is of 3 shares but its lots add up to 2",
        ),
        (
            "2024-01-02 buy 5 AAA @ 1\n2024-01-03 sell 3 AAA @ 1 by average",
            "average basis is only for mutual-fund and reinvestment-plan shares; AAA in account T is not marked as \
             eligible",
        ),
    ] {
        assert_eq!(refusal(text).to_string(), message, "{text}");
    }
}

#[test]
fn a_book_takes_no_event_from_before_its_last() {
    let text = "2024-01-05 buy 5 AAA @ 1\n2024-01-02 buy 5 AAA @ 2";
    let mut book = Book::new(&crate::dsl::accounts(), &Rules::default()).unwrap();
    let events = ledger(text).events;
    book.apply(&events[0]).unwrap();
    assert_eq!(book.apply(&events[1]), Err(Error::OutOfOrder { date: events[1].date, last: events[0].date }));
    // A whole ledger is sorted first.
    assert_eq!(crate::dsl::book(text).open_lots[0].lot.as_str(), "L2");
}

#[test]
fn accounts_and_rates_are_checked_once() {
    let mut accounts = crate::dsl::accounts();
    accounts.push(accounts[0].clone());
    let account = AccountId::new("T");
    assert_eq!(Book::new(&accounts, &Rules::default()).err(), Some(Error::DuplicateAccount { account }));
    let mut rules = Rules::default();
    rules.rates.short = lotwise_core::Rate::ONE;
    assert_eq!(Book::new(&[], &rules).err(), Some(Error::Rate { field: "the short-term rate" }));
}

#[test]
fn assets_that_the_rules_treat_otherwise_are_refused_by_name() {
    for class in [AssetClass::Section1256, AssetClass::Collectible] {
        assert!(matches!(class.check(), Err(Error::Unsupported { .. })), "{class:?}");
    }
    assert_eq!(AssetClass::Stock.check(), Ok(()));
}
