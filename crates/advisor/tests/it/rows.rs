//! Rows that take others back, bring income, carry a rebate, or are about an option contract.

use lotwise_core::Money;
use lotwise_tax::AccountId;

use crate::books::{booked, codes};
use crate::fixture::money;

#[test]
fn a_cancelled_purchase_is_as_if_it_had_not_been() {
    let (books, booking) = booked(
        "
        2024-01-05 deposit - - - 1000
        2024-01-05 buy   AAA 10  20 -200
        2024-01-08 buy   AAA 10  30 -300
        2024-01-09 buy   AAA 10  30 -300
        2024-01-10 other AAA -10 -  300 cancelled_buy
        ",
        "2024-12-31",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    // The nearest earlier one of the same shares and amount goes, not the oldest lot.
    let acquired: Vec<String> = booking.open_lots.iter().filter_map(|lot| Some(lot.acquired?.to_string())).collect();
    assert_eq!(acquired, ["2024-01-05", "2024-01-08"]);
    assert_eq!(books.cash[&AccountId::new("main")], money("500"));
    assert!(booking.removed.is_empty());
}

#[test]
fn a_cancelled_sale_gives_the_shares_back_to_their_lot() {
    for signs in ["2024-02-02 other AAA 5 - -150 cancelled_sell", "2024-02-02 other AAA -5 - 150 cancelled_sell"] {
        let lines = format!("2024-01-05 buy AAA 10 20 -200\n2024-02-01 sell AAA -5 30 150\n{signs}");
        let (books, booking) = booked(&lines, "2024-12-31");
        assert!(books.issues.is_empty() && booking.sales.is_empty(), "{:?}", books.issues);
        assert_eq!((booking.open_lots.len(), booking.open_lots[0].basis), (1, Some(money("200"))));
        assert_eq!(books.cash[&AccountId::new("main")], money("-200"));
    }
}

#[test]
fn a_cancellation_without_its_trade_is_asked_about_and_moves_no_shares() {
    let (books, booking) = booked(
        "
        2024-01-05 buy   AAA 10 20 -200
        2024-01-06 other AAA -7 - 140 cancelled_buy
        ",
        "2024-12-31",
    );
    assert_eq!(codes(&books), ["cancelled-unknown"]);
    assert_eq!(books.issues[0].key.as_deref(), Some("cancelled:AAA@main:2024-01-06:-7"));
    assert_eq!(booking.open_lots[0].shares.to_string(), "10");
    assert_eq!(books.cash[&AccountId::new("main")], money("-60"));
}

#[test]
fn a_cancellation_after_the_day_of_the_books_is_not_known_yet() {
    let lines = "2024-01-05 buy AAA 10 20 -200\n2024-01-08 other AAA -10 - 200 cancelled_buy";
    assert_eq!(booked(lines, "2024-01-06").1.open_lots.len(), 1);
    assert!(booked(lines, "2024-01-08").1.open_lots.is_empty());
}

#[test]
fn a_reinvestment_without_an_income_row_brings_its_income() {
    let (books, booking) = booked(
        "
        2024-01-05 reinvest AAA 1 20 -20 includes_dividend
        2024-02-05 reinvest AAA 1 30 -30 includes_long_term_gain
        2024-03-05 reinvest AAA 1 40 -40 includes_short_term_gain
        2024-04-05 reinvest AAA 1 50 -50 includes_interest
        2024-05-05 reinvest AAA 1 60 -60 includes_miscellaneous_income
        2024-06-05 dividend AAA - - 7
        2024-06-05 reinvest AAA 1 7 -7
        2024-06-06 capital_gain_distribution AAA - - 3 short_term
        2024-06-07 interest - - - 4 tax_exempt
        2024-06-08 interest - - - -5 margin
        ",
        "2024-12-31",
    );
    let income = books.income[&2024];
    assert_eq!(income.dividends, money("70"));
    assert_eq!((income.interest, income.capital_gain_distributions), (money("50"), money("30")));
    assert_eq!(
        (income.miscellaneous, income.tax_exempt, income.margin_interest),
        (money("60"), money("4"), money("5"))
    );
    // What is reinvested costs no cash.
    assert_eq!(books.cash[&AccountId::new("main")], money("2"));
    assert_eq!(booking.open_lots.iter().filter_map(|lot| lot.basis).sum::<Money>(), money("207"));
}

#[test]
fn a_rebate_lowers_the_basis_and_raises_the_proceeds() {
    let mut history = crate::fixture::statement(
        "
        2024-01-05 buy  AAA 10 20 -199
        2024-02-05 sell AAA -4 30 121
        2024-03-05 sell AAA -6 0.01 -1
        ",
    );
    history.transactions[0].fees = money("-1");
    history.transactions[1].fees = money("-1");
    history.transactions[2].fees = money("1.06");
    let books = crate::books::books_of(&history, "2024-12-31", &Default::default());
    let booking = lotwise_tax::book(&books.ledger, &Default::default()).unwrap();
    let figures: Vec<_> = booking.sales.iter().map(|row| (row.proceeds, row.basis.unwrap())).collect();
    assert_eq!(figures, [(money("121"), money("79.60")), (money("-1"), money("119.40"))]);
}

#[test]
fn the_stock_that_an_option_moves_is_stock() {
    for detail in ["option_assigned", "option_exercised", "by_assignment", "by_exercise"] {
        let (books, booking) = booked(&format!("2024-01-19 buy AAA 100 20 -2000 {detail}"), "2024-12-31");
        assert!(books.issues.is_empty(), "{detail}: {:?}", books.issues);
        assert_eq!(booking.open_lots[0].basis, Some(money("2000")), "{detail}");
    }
    for row in ["buy AAA 1 2 -200 option_open", "option_open AAA 1 2 -200 long", "other AAA 1 - - option_adjustment"] {
        let (books, booking) = booked(&format!("2024-01-19 {row}"), "2024-12-31");
        assert_eq!((codes(&books), booking.open_lots.len()), (vec!["option-unknown"], 0), "{row}");
    }
}
