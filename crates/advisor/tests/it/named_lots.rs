//! Sales whose lots a file names, and what the books do where those lots are not there.

use lotwise_advisor::BookAnswers;
use lotwise_advisor::books::{BookOptions, Books, Source, build};
use lotwise_core::{Money, Shares};
use lotwise_market::CorporateActions;
use lotwise_statements::Statement;
use lotwise_tax::{BasisSource, Booking, Rules, book};

use crate::books::codes;
use crate::fixture::{acquired, date, lot_of, money, statement};

const TWO_LOTS: &str = "
    2023-01-05 buy  AAA 10 20 -200
    2023-06-05 buy  AAA 10 40 -400
    2024-02-05 sell AAA -5 50 250
";

fn of(sources: &[Source<'_>], answers: BookAnswers) -> (Books, Booking) {
    let options = BookOptions { answers, ..BookOptions::until(date("2024-12-31")) };
    let books = build(sources, &CorporateActions::default(), &options);
    let booking = book(&books.ledger, &Rules::default()).unwrap();
    (books, booking)
}

fn alone(history: &Statement) -> (Books, Booking) {
    of(&[Source::history("h.csv", history)], BookAnswers::default())
}

fn bases(booking: &Booking) -> Vec<Option<Money>> {
    booking.sales.iter().map(|row| row.basis).collect()
}

#[test]
fn a_sale_takes_the_lots_that_its_row_names() {
    for (lots, basis) in [
        (vec![lot_of("t2", "5")], "200"),
        (vec![lot_of("t1", "5")], "100"),
        (vec![acquired("2023-06-05", "5", None)], "200"),
        (vec![acquired("2023-01-05", "2", None), acquired("2023-06-05", "3", Some("120"))], "160"),
    ] {
        let mut history = statement(TWO_LOTS);
        history.transactions[2].lots = lots.clone();
        let (books, booking) = alone(&history);
        assert!(books.issues.is_empty(), "{:?}", books.issues);
        assert_eq!(booking.sales.iter().filter_map(|row| row.basis).sum::<Money>(), money(basis), "{lots:?}");
    }
}

#[test]
fn two_lots_of_one_day_are_told_apart_by_their_basis() {
    let mut history = statement(
        "
        2023-01-05 buy  AAA 10 20 -200
        2023-01-05 buy  AAA 10 40 -400
        2024-02-05 sell AAA -5 50 250
        ",
    );
    history.transactions[2].lots = vec![acquired("2023-01-05", "5", Some("201"))];
    assert_eq!(bases(&alone(&history).1), [Some(money("200"))]);
}

#[test]
fn lots_that_are_not_there_are_asked_about() {
    let mut history = statement(TWO_LOTS);
    history.transactions[2].lots = vec![lot_of("gone", "3"), lot_of("t2", "2")];
    let (books, booking) = alone(&history);
    assert_eq!(codes(&books), ["lots-not-found"]);
    let asked = &books.issues[0];
    assert_eq!(asked.key.as_deref(), Some("lots:AAA@main:2024-02-05:5"));
    assert!(asked.text.contains("3") && asked.text.contains("gone"), "{}", asked.text);
    assert_eq!(booking.sales.iter().filter_map(|row| row.basis).sum::<Money>(), money("140"));
    let answer = BookAnswers::from_iter([(asked.key.clone().unwrap(), "2023-06-05=5")]);
    let (books, booking) = of(&[Source::history("h.csv", &history)], answer);
    assert!(books.issues.is_empty() && books.answered.len() == 1, "{:?}", books.issues);
    assert_eq!(bases(&booking), [Some(money("200"))]);
}

#[test]
fn another_file_names_the_lots_of_a_sale() {
    let history = statement(TWO_LOTS);
    let mut report = statement("2024-02-05 sell AAA -2 - 100\n2024-02-05 sell AAA -3 - 150");
    for (row, lot) in [(0, acquired("2023-06-05", "2", Some("80"))), (1, acquired("2023-01-05", "3", Some("60")))] {
        let row = &mut report.transactions[row];
        row.lots = vec![lot];
        row.account = "Individual …123".into();
        row.id = format!("report-{}", row.row);
    }
    let as_lots = [Source::history("h.csv", &history), Source::lots("realised.csv", &report)];
    let as_history = [Source::history("realised.csv", &report), Source::history("h.csv", &history)];
    for sources in [as_lots, as_history] {
        let (books, booking) = of(&sources, BookAnswers::default());
        assert!(books.issues.is_empty(), "{:?}", books.issues);
        assert_eq!(booking.sales.iter().filter_map(|row| row.basis).sum::<Money>(), money("140"));
        assert_eq!(books.cash.values().copied().sum::<Money>(), money("-350"));
    }
}

#[test]
fn a_report_of_other_sales_is_not_used_and_said() {
    let history = statement(TWO_LOTS);
    let mut report = statement("2024-02-05 sell AAA -4 - 100");
    report.transactions[0].lots = vec![acquired("2023-06-05", "4", None)];
    let sources = [Source::history("h.csv", &history), Source::lots("realised.csv", &report)];
    let (books, booking) = of(&sources, BookAnswers::default());
    assert_eq!(codes(&books), ["realised-differs"]);
    assert_eq!(bases(&booking), [Some(money("100"))]);
}

#[test]
fn a_named_lot_from_before_the_files_opens_with_its_basis_and_date() {
    let mut history = statement(
        "
        2023-06-05 buy  AAA 10 40 -400
        2024-02-05 sell AAA -5 50 250
        ",
    );
    history.transactions[1].lots = vec![acquired("2015-03-02", "5", Some("25"))];
    let (books, booking) = alone(&history);
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    let row = &booking.sales[0];
    assert_eq!((row.basis, row.acquired, row.gain), (Some(money("25")), Some(date("2015-03-02")), Some(money("225"))));
    // The ten shares of the file are all still there.
    assert_eq!(booking.open_lots[0].basis, Some(money("400")));
}

#[test]
fn what_was_held_before_the_files_can_be_answered() {
    let history = statement("2024-02-05 sell AAA -10 50 500");
    let (books, booking) = alone(&history);
    assert_eq!((codes(&books), bases(&booking)), (vec!["history-incomplete"], vec![None]));
    assert_eq!(books.issues[0].key.as_deref(), Some("basis:AAA@main"));
    let answers = BookAnswers::from_iter([("basis:AAA@main", "4 @ 20 2019-03-04; 6 @ 30 2023-12-01")]);
    let (books, booking) = of(&[Source::history("h.csv", &history)], answers);
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(bases(&booking), [Some(money("80")), Some(money("180"))]);
    let answers = BookAnswers::from_iter([("basis:AAA@main", "a lot")]);
    let (books, _) = of(&[Source::history("h.csv", &history)], answers);
    assert_eq!(codes(&books), ["answer-unclear", "history-incomplete"]);
}

#[test]
fn shares_that_came_in_bring_the_lots_that_their_row_states() {
    let mut history = statement("2024-02-05 grant AAA 10 - -");
    history.transactions[0].lots = vec![acquired("2024-02-05", "10", Some("380"))];
    let (books, booking) = alone(&history);
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    let lot = &booking.open_lots[0];
    assert_eq!((lot.basis, lot.basis_source), (Some(money("380")), BasisSource::Stated));
    history.transactions[0].lots.clear();
    let answers = BookAnswers::from_iter([("basis:AAA@main:2024-02-05", "@38 2024-02-05")]);
    let (books, booking) = of(&[Source::history("h.csv", &history)], answers);
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(booking.open_lots[0].basis, Some(money("380")));
}

#[test]
fn a_lot_keeps_its_name_in_the_account_that_it_moves_to() {
    let mut history = statement(
        "
        2023-01-05 buy          AAA 10 20 -200
        2023-06-05 buy          AAA 10 40 -400
        2023-09-05 transfer_out AAA -15 - -
        2023-09-05 transfer_in  AAA 15  - -
        2024-02-05 sell         AAA -4 50 200
        ",
    );
    history.transactions[2].lots = vec![lot_of("t1", "7"), lot_of("t2", "8")];
    for moved in [3, 4] {
        history.transactions[moved].account = "other".into();
    }
    history.transactions[4].lots = vec![lot_of("t2", "4")];
    let (books, booking) = alone(&history);
    assert!(!codes(&books).contains(&"lots-not-found"), "{:?}", books.issues);
    assert_eq!(bases(&booking), [Some(money("160"))]);
    // The same name in the account itself means that account's lot.
    history.transactions[0].account = "other".into();
    history.transactions[0].id = "t2".into();
    history.transactions[2].lots = vec![lot_of("t2", "10")];
    history.transactions[2].shares = Some(-Shares::from_whole(10));
    history.transactions[3].shares = Some(Shares::from_whole(10));
    assert_eq!(bases(&alone(&history).1), [Some(money("80"))]);
}
