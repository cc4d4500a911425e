//! Rows that are one event together: corporate actions, transfers, options that become stock.

use lotwise_advisor::BookAnswers;
use lotwise_advisor::books::{BookOptions, Books, Source, build};
use lotwise_core::{Money, Shares};
use lotwise_market::CorporateActions;
use lotwise_statements::Statement;
use lotwise_tax::{BasisSource, Booking, Rules, Term, book};

use crate::books::codes;
use crate::fixture::{acquired, date, money, statement};

fn of(history: &Statement, answers: BookAnswers) -> (Books, Booking) {
    let options = BookOptions { answers, ..BookOptions::until(date("2024-12-31")) };
    let books = build(&[Source::history("h.csv", history)], &CorporateActions::default(), &options);
    let booking = book(&books.ledger, &Rules::default()).unwrap();
    (books, booking)
}

fn booked(lines: &str) -> (Books, Booking) {
    of(&statement(lines), BookAnswers::default())
}

fn answered(lines: &str, key: &str, answer: &str) -> (Books, Booking) {
    let (books, booking) = of(&statement(lines), BookAnswers::from_iter([(key, answer)]));
    assert!(books.answered.contains(key), "{:?}", books.issues);
    (books, booking)
}

/// `SYMBOL SHARES BASIS ACQUIRED` of every open lot.
fn open(booking: &Booking) -> Vec<String> {
    let text = |lot: &lotwise_tax::OpenLot| {
        let basis = lot.basis.map_or("unknown".to_owned(), |basis| basis.to_string());
        let acquired = lot.acquired.map_or("unknown".to_owned(), |day| day.to_string());
        format!("{} {} {basis} {acquired} {}", lot.symbol, lot.shares, lot.account)
    };
    booking.open_lots.iter().map(text).collect()
}

fn shares(text: &str) -> Shares {
    Shares::parse(text).unwrap()
}

#[test]
fn a_new_name_keeps_lots_basis_and_dates() {
    let (books, booking) = booked(
        "
        2023-01-05 buy    BRCH 100 2 -200
        2023-06-05 merger BRCH -100 - - name_change
        2023-06-05 merger NEWO 100  - - name_change
        ",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["NEWO 100 200.00 2023-01-05 main"]);
}

#[test]
fn a_merger_for_stock_pays_its_fraction_in_cash() {
    let (books, booking) = booked(
        "
        2023-01-05 buy      ELM 344 10 -3440
        2023-06-05 merger   ELM -344 - - conversion
        2023-06-05 merger   OAK 34  - - conversion
        2023-06-09 dividend OAK - - 48 cash_in_lieu
        ",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["OAK 34 3400.00 2023-01-05 main"]);
    assert_eq!((booking.sales[0].shares, booking.sales[0].gain), (shares("0.4"), Some(money("8"))));
}

#[test]
fn a_reverse_split_in_two_rows_is_one_split() {
    let (books, booking) = booked(
        "
        2023-01-05 buy   ELM 100 2 -200
        2023-06-05 split ELM -100 - - reverse
        2023-06-05 split ELM 5  - - reverse
        2023-07-05 sell  ELM -2 50 100
        ",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["ELM 3 120.00 2023-01-05 main"]);
    assert_eq!(booking.sales[0].gain, Some(money("20")));
}

#[test]
fn a_spin_off_asks_for_its_allocation_and_uses_it() {
    let lines = "
        2022-01-05 buy     ELM  100 10 -1000
        2023-06-05 spinoff ELMP 50  -  -
        2023-07-05 sell    ELMP -10 4 40
    ";
    let mut history = statement(lines);
    for (row, words) in [(0, "ELM ENTERTAINMENT"), (1, "ELM ENTERTAINMENT PREFERRED"), (2, "ELM ENTERTAINMENT PFD")] {
        history.transactions[row].description = words.into();
    }
    let (books, booking) = of(&history, BookAnswers::default());
    assert_eq!(codes(&books), ["allocation"]);
    let key = books.issues[0].key.clone().unwrap();
    assert_eq!(key, "allocation:ELM>ELMP:2023-06-05");
    // Nothing is guessed: dates are known, the basis of both is not.
    assert_eq!(open(&booking), ["ELM 100 unknown 2022-01-05 main", "ELMP 40 unknown 2022-01-05 main"]);
    assert_eq!((booking.sales[0].gain, booking.sales[0].term), (None, Some(Term::Long)));
    let (books, booking) = of(&history, BookAnswers::from_iter([(key, "20%")]));
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["ELM 100 800.00 2022-01-05 main", "ELMP 40 160.00 2022-01-05 main"]);
    assert_eq!((booking.sales[0].gain, booking.sales[0].term), (Some(Money::ZERO), Some(Term::Long)));
}

#[test]
fn a_merger_for_cash_is_a_sale_and_cash_beside_stock_asks_for_the_value() {
    let (books, booking) = booked(
        "
        2022-01-05 buy    ELM 10  10 -100
        2023-06-05 merger ELM -10 -  -    cash
        2023-06-05 merger ELM -   -  550  cash
        ",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(booking.sales[0].gain, Some(money("450")));
    let lines = "
        2022-01-05 buy    ELM 10  10 -100
        2023-06-05 merger ELM -10 -  -    cash_and_stock
        2023-06-05 merger OAK 5   -  50   cash_and_stock
    ";
    let (books, booking) = booked(lines);
    assert_eq!(codes(&books), ["cash-in-merger"]);
    assert_eq!(open(&booking), ["OAK 5 unknown 2022-01-05 main"]);
    let (books, booking) = answered(lines, "value:OAK@main:2023-06-05", "80");
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    // Worth 130 in all against 100: a gain of 30, all of it within the cash of 50.
    assert_eq!(open(&booking), ["OAK 5 80.00 2022-01-05 main"]);
    assert_eq!(booking.sales.iter().filter_map(|row| row.gain).sum::<Money>(), money("30"));
}

#[test]
fn shares_that_move_between_own_accounts_take_their_lots_along() {
    let mut history = statement(
        "
        2022-01-05 buy          AAA 10 10 -100
        2023-01-05 buy          AAA 10 20 -200
        2023-06-05 transfer_out AAA -15 - -
        2023-06-08 transfer_in  AAA 15  - -
        2023-07-05 sell         AAA -12 30 360
        ",
    );
    for row in [3, 4] {
        history.transactions[row].account = "other".into();
    }
    let (books, booking) = of(&history, BookAnswers::default());
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["AAA 5 100.00 2023-01-05 main", "AAA 3 60.00 2023-01-05 other"]);
    assert_eq!(booking.sales.iter().filter_map(|row| row.gain).sum::<Money>(), money("220"));
    // The lots that the broker names are those that moved.
    history.transactions[3].lots = vec![acquired("2023-01-05", "10", None), acquired("2022-01-05", "5", None)];
    history.transactions.truncate(4);
    let (books, booking) = of(&history, BookAnswers::default());
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(
        open(&booking),
        ["AAA 5 50.00 2022-01-05 main", "AAA 5 50.00 2022-01-05 other", "AAA 10 200.00 2023-01-05 other"]
    );
}

#[test]
fn shares_into_a_retirement_account_are_no_simple_transfer() {
    let mut history = statement(
        "
        2022-01-05 buy          AAA 10 10 -100
        2023-06-05 transfer_out AAA -10 - -
        2023-06-05 transfer_in  AAA 10  30 -
        ",
    );
    history.transactions[2].account = "Rollover IRA".into();
    let (books, booking) = of(&history, BookAnswers::default());
    assert_eq!(codes(&books), ["account-kind", "transfer-across-kinds"]);
    assert_eq!(open(&booking), ["AAA 10 300.00 2023-06-05 Rollover IRA"]);
}

#[test]
fn a_gift_and_an_inheritance_come_by_answer() {
    let lines = "2023-06-05 transfer_in AAA 10 - -\n2023-07-05 sell AAA -10 9 90";
    let key = "basis:AAA@main:2023-06-05";
    assert_eq!(booked(lines).0.issues[0].key.as_deref(), Some(key));
    for (answer, gain, term) in [
        ("gift 50 2015-01-02 80", Some("40"), Some(Term::Long)),
        ("gift 200 2015-01-02 100", Some("-10"), Some(Term::Short)),
        ("inherited 80 2023-05-01", Some("10"), Some(Term::Long)),
        ("60 2023-02-01", Some("30"), Some(Term::Short)),
    ] {
        let (_, booking) = answered(lines, key, answer);
        let row = &booking.sales[0];
        assert_eq!((row.gain, row.term), (gain.map(money), term), "{answer}");
    }
    let (_, booking) = answered("2023-06-05 transfer_in AAA 10 - -", key, "inherited 80 2023-05-01");
    assert_eq!(booking.open_lots[0].basis_source, BasisSource::Inherited);
}

const CALL: &str = "AAA240119C00050000";

#[test]
fn options_are_securities_of_their_own() {
    let (books, booking) = booked(&format!(
        "
        2023-10-05 option_open   {CALL} 2  1.50 -300 long
        2023-11-05 option_close  {CALL} -1 2.50 250  long
        2024-01-19 option_expire {CALL} -1 -    -
        2023-10-06 option_open   AAA240119P00040000 -1 1.00 100 short
        2023-12-05 option_close  AAA240119P00040000 1  0.40 -40 short
        "
    ));
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    let gains: Vec<Money> = booking.sales.iter().filter_map(|row| row.gain).collect();
    assert_eq!(gains, [money("100"), money("60"), money("-150")]);
    assert!(booking.open_lots.is_empty() && booking.open_shorts.is_empty());
}

#[test]
fn an_exercised_call_joins_the_basis_of_its_stock() {
    let (books, booking) = booked(&format!(
        "
        2023-10-05 option_open     {CALL} 1  1.50 -150 long
        2024-01-19 option_exercise {CALL} -1 -    -
        2024-01-19 buy AAA 100 50 -5000 by_exercise
        "
    ));
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["AAA 100 5150.00 2024-01-19 main"]);
}

#[test]
fn an_assigned_call_joins_the_proceeds_of_its_stock() {
    let (books, booking) = booked(&format!(
        "
        2022-01-05 buy AAA 100 30 -3000
        2023-10-05 option_open   {CALL} -1 1.50 150 short
        2024-01-19 option_assign {CALL} 1  -    -
        2024-01-19 sell AAA -100 50 5000 by_assignment
        "
    ));
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    let row = &booking.sales[0];
    assert_eq!((booking.sales.len(), row.proceeds, row.gain), (1, money("5150"), Some(money("2150"))));
    assert!(booking.open_lots.is_empty() && booking.open_shorts.is_empty());
}

#[test]
fn what_cannot_be_known_of_an_option_is_said_and_left_out() {
    let (books, booking) = booked(&format!("2024-01-19 option_expire {CALL} -1 - -"));
    assert_eq!((codes(&books), booking.sales.len()), (vec!["option-left-out"], 0));
    let (books, _) = booked("2024-01-05 option_open SPX240119C04000000 1 5 -500 long");
    assert_eq!(codes(&books), ["section-1256"]);
    // An option that was opened before the files begin: the stock stands without its premium.
    let (books, booking) =
        booked(&format!("2024-01-19 option_exercise {CALL} -1 - -\n2024-01-19 buy AAA 100 50 -5000 by_exercise"));
    assert_eq!(
        (codes(&books), open(&booking)),
        (vec!["option-left-out"], vec!["AAA 100 5000.00 2024-01-19 main".into()])
    );
}

#[test]
fn a_short_sale_is_taxed_when_it_is_closed() {
    let (books, booking) = booked(
        "
        2024-02-05 sell AAA -10 50 500  short_sale
        2024-03-05 buy  AAA 4   40 -160 short_cover
        ",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!((booking.sales.len(), booking.sales[0].gain), (1, Some(money("40"))));
    assert_eq!(booking.open_shorts.iter().map(|lot| lot.shares).sum::<Shares>(), shares("6"));
    let lines = "2024-03-05 buy AAA 4 40 -160 short_cover";
    assert_eq!(codes(&booked(lines).0), ["short-incomplete"]);
    let (_, booking) = answered(lines, "short:AAA@main:2024-03-05", "200");
    assert_eq!(booking.sales[0].gain, Some(money("40")));
}

#[test]
fn a_vesting_in_a_file_of_awards_prices_the_shares_that_arrived() {
    let account = statement("2023-06-06 grant AAA 10 - -\n2023-07-05 sell AAA -10 40 400");
    let mut awards = statement("2023-06-05 grant AAA 10 - -");
    awards.transactions[0].lots = vec![acquired("2023-06-05", "10", Some("350"))];
    awards.transactions[0].id = "award".into();
    awards.transactions[0].account = "awards".into();
    let sources = [Source::history("account.csv", &account), Source::history("awards.csv", &awards)];
    let books = build(&sources, &CorporateActions::default(), &BookOptions::until(date("2024-12-31")));
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    let booking = book(&books.ledger, &Rules::default()).unwrap();
    assert!(booking.open_lots.is_empty());
    assert_eq!((booking.sales[0].gain, booking.sales[0].acquired), (Some(money("50")), Some(date("2023-06-05"))));
}

#[test]
fn one_fund_exchanged_for_another_is_a_sale_and_a_purchase() {
    let (books, booking) = booked(
        "
        2022-01-05 buy    FUNDA 10  10 -100
        2023-06-05 merger FUNDA -10 15 150  exchange
        2023-06-05 merger FUNDB 5   30 -150 exchange
        ",
    );
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(open(&booking), ["FUNDB 5 150.00 2023-06-05 main"]);
    assert_eq!(booking.sales[0].gain, Some(money("50")));
}

#[test]
fn a_sale_between_an_exercise_and_its_stock_still_takes_its_named_lots() {
    let mut history = statement(&format!(
        "
        2023-01-05 buy BBB 10 10 -100
        2023-02-05 buy BBB 10 20 -200
        2023-10-05 option_open     {CALL} 1  1.50 -150 long
        2024-01-19 option_exercise {CALL} -1 -    -
        2024-01-20 sell BBB -10 30 300
        2024-01-22 buy AAA 100 50 -5000 by_exercise
        2024-01-23 sell BBB -10 30 300
        "
    ));
    history.transactions[4].lots = vec![acquired("2023-02-05", "10", None)];
    history.transactions[6].lots = vec![acquired("2023-01-05", "10", None)];
    let (books, booking) = of(&history, BookAnswers::default());
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    assert_eq!(booking.sales.iter().filter_map(|row| row.gain).collect::<Vec<_>>(), [money("100"), money("200")]);
}

#[test]
fn a_loss_that_the_broker_disallowed_and_the_files_do_not_show_is_told() {
    let mut history = statement("2024-02-05 buy AAA 10 50 -500\n2024-03-05 sell AAA -10 40 400");
    let mut lot = acquired("2024-02-05", "10", Some("500"));
    lot.disallowed = Some(money("40"));
    history.transactions[1].lots = vec![lot];
    let (books, booking) = of(&history, BookAnswers::default());
    assert!(books.issues.is_empty(), "{:?}", books.issues);
    let told = books.review(&booking);
    assert_eq!((told.len(), told[0].code), (1, "wash-differs"));
    assert!(told[0].text.contains("$40.00") && told[0].text.contains("$0.00"), "{}", told[0].text);
}

#[test]
fn an_option_that_the_files_leave_open_after_its_last_day_is_asked_about() {
    for (row, gain) in [("1 1.50 -150 long", "-150"), ("-1 1.50 150 short", "150")] {
        let lines = format!("2023-10-05 option_open {CALL} {row}\n2024-03-01 deposit - - - 1");
        let (books, booking) = booked(&lines);
        assert_eq!((codes(&books), booking.sales.len()), (vec!["option-past-expiry"], 0));
        let key = books.issues[0].key.clone().unwrap();
        let (books, booking) = answered(&lines, &key, "lapsed");
        assert!(books.issues.is_empty(), "{:?}", books.issues);
        let row = &booking.sales[0];
        assert_eq!((row.gain, row.sold), (Some(money(gain)), date("2024-01-19")));
    }
}
