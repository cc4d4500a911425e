use lotwise_advisor::books::{BookOptions, Books, Ratio, Source, SplitSource, build};
use lotwise_core::{Money, Shares};
use lotwise_market::CorporateActions;
use lotwise_statements::Statement;
use lotwise_tax::{Booking, Rules, book};

use crate::fixture::{date, money, statement, symbol};

pub fn books_of(statement: &Statement, as_of: &str, actions: &CorporateActions) -> Books {
    let options = BookOptions::until(date(as_of));
    build(&[Source::history("history.csv", statement)], actions, &options)
}

pub fn booked(lines: &str, as_of: &str) -> (Books, Booking) {
    let statement = statement(lines);
    let books = books_of(&statement, as_of, &CorporateActions::default());
    let booking = book(&books.ledger, &Rules::default()).unwrap();
    (books, booking)
}

pub fn codes(books: &Books) -> Vec<&'static str> {
    books.issues.iter().map(|issue| issue.code).collect()
}

#[test]
fn a_file_that_runs_newest_first_is_read_from_its_end() {
    let (books, booking) = booked(
        "
        2024-06-03 sell AAA -104 31 3224
        2024-06-03 buy  AAA 4    30 -120
        2024-05-02 buy  AAA 100  25 -2500
        2024-01-02 deposit - - - 10000
        ",
        "2024-12-31",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert!(booking.open_lots.is_empty());
    let gain: Money = booking.sales.iter().filter_map(|row| row.gain).sum();
    assert_eq!(gain, money("604"));
    assert_eq!(books.cash.values().copied().sum::<Money>(), money("10604"));
}

#[test]
fn a_day_that_lists_its_sale_first_still_finds_the_purchase() {
    let (books, booking) = booked(
        "
        2024-05-02 sell AAA -10 31 310
        2024-05-02 buy  AAA 10  30 -300
        2024-06-02 deposit - - - 1
        ",
        "2024-12-31",
    );
    assert!(books.issues.is_empty());
    assert_eq!(booking.sales[0].gain, Some(money("10")));
}

#[test]
fn shares_sold_without_a_purchase_have_an_unknown_basis_not_a_zero_one() {
    let (books, booking) = booked(
        "
        2024-01-05 buy  AAA 10  20 -200
        2024-02-05 sell AAA -25 30 750
        2024-03-05 buy  AAA 5   30 -150
        ",
        "2024-12-31",
    );
    assert_eq!(codes(&books), ["history-incomplete"]);
    let unknown: Shares = booking.sales.iter().filter(|row| row.gain.is_none()).map(|row| row.shares).sum();
    assert_eq!(unknown, Shares::from_whole(15));
    assert_eq!(booking.open_lots.iter().map(|lot| lot.shares).sum::<Shares>(), Shares::from_whole(5));
}

#[test]
fn a_split_in_the_file_changes_shares_and_no_basis() {
    let (books, booking) = booked(
        "
        2024-01-05 buy   AAA 10  1000 -10000
        2024-03-05 split AAA 90  -    -
        2024-04-05 sell  AAA -50 110 5500
        ",
        "2024-12-31",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(booking.sales[0].basis, Some(money("5000")));
    assert_eq!(booking.open_lots[0].shares, Shares::from_whole(50));
    let known = &books.splits[&symbol("AAA")];
    assert_eq!((known.len(), known[0].ratio, known[0].source), (1, Ratio::new(10, 1).unwrap(), SplitSource::Statement));
}

#[test]
fn cash_for_a_fraction_of_a_share_is_its_sale() {
    let (books, booking) = booked(
        "
        2024-01-05 buy      AAA 7 30 -210
        2024-03-05 split    AAA 3 -  -
        2024-03-12 dividend AAA - -  11.50 cash_in_lieu
        ",
        "2024-12-31",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    // 3-for-2 of 7 is 10.5: half a share of the 210 basis is 10.
    let row = &booking.sales[0];
    assert_eq!(
        (row.shares, row.basis, row.gain),
        (Shares::parse("0.5").unwrap(), Some(money("10")), Some(money("1.50")))
    );
    assert_eq!(booking.open_lots[0].shares, Shares::from_whole(10));
}

#[test]
fn rows_after_the_day_and_rows_in_other_currencies_are_counted_and_left_out() {
    let mut history = statement(
        "
        2024-01-05 buy AAA 10 20 -200
        2024-02-05 buy BBB 10 20 -200
        2024-09-05 buy AAA 10 20 -200
        ",
    );
    history.transactions[1].currency = "EUR".into();
    let books = books_of(&history, "2024-06-28", &CorporateActions::default());
    assert_eq!(books.later_rows, 1);
    assert_eq!(codes(&books), ["foreign-currency"]);
    assert_eq!(books.ledger.events.len(), 1);
}

#[test]
fn the_same_rows_in_two_files_count_once() {
    let history = statement("2024-01-05 buy AAA 10 20 -200");
    let options = BookOptions::until(date("2024-06-28"));
    let sources = [Source::history("a.csv", &history), Source::history("b.csv", &history)];
    let books = build(&sources, &CorporateActions::default(), &options);
    assert_eq!(books.ledger.events.len(), 1);
    assert_eq!(codes(&books), ["repeated-rows"]);
}
