use lotwise_advisor::Severity;
use lotwise_advisor::books::{BookOptions, Source, build};
use lotwise_advisor::quotes::{QuoteSource, quotes};
use lotwise_core::Price;
use lotwise_market::CorporateActions;

use crate::fixture::{date, panel, statement, symbol};

type Found = (Option<(Price, QuoteSource)>, Vec<(&'static str, Severity)>);

/// Quote and issue codes for one symbol on 2024-06-28, with a table that ends that day.
fn quote(lines: &str, close: f64) -> Found {
    let statement = statement(lines);
    let options = BookOptions::until(date("2024-06-28"));
    let books = build(&[Source::history("h.csv", &statement)], &CorporateActions::default(), &options);
    let level = move |_: usize| close;
    let panel = panel("2024-06-28", &[("AAA", &level)]);
    let market = panel.as_of(books.as_of).unwrap();
    let wanted = statement.transactions[0].symbol.clone().unwrap();
    let (quotes, issues) = quotes(&books, [&wanted], &market, date("2024-06-28"));
    let found = quotes.get(&wanted).map(|quote| (quote.price, quote.source));
    (found, issues.iter().map(|issue| (issue.code, issue.severity)).collect())
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

#[test]
fn a_table_adjusted_for_a_later_split_is_turned_back_to_the_shares_of_the_day() {
    let (found, issues) = quote(
        "
        2024-06-13 buy   AAA 1 1680 -1680
        2024-07-12 split AAA 9 -    -
        ",
        170.0,
    );
    assert_eq!(found, Some((price("1700"), QuoteSource::Table)));
    assert!(issues.is_empty(), "{issues:?}");
}

#[test]
fn a_table_that_does_not_know_the_later_split_is_used_as_it_is() {
    let (found, issues) = quote(
        "
        2024-06-13 buy   AAA 1 1680 -1680
        2024-07-12 split AAA 9 -    -
        ",
        1700.0,
    );
    assert_eq!(found, Some((price("1700"), QuoteSource::Table)));
    assert!(issues.is_empty(), "{issues:?}");
}

#[test]
fn a_jump_that_no_split_explains_is_a_question() {
    let (found, issues) = quote("2024-06-13 buy AAA 1 1680 -1680", 170.0);
    // Ten times: the table looks adjusted for a split to come; the value follows that, advice waits.
    assert_eq!(found.map(|(price, _)| price), Some(price("1700")));
    assert_eq!(issues, [("price-jump", Severity::Question)]);
}

#[test]
fn a_price_that_looks_like_no_split_is_told_and_the_table_stands() {
    let (found, issues) = quote("2024-06-13 buy AAA 1 209 -209", 17.0);
    assert_eq!(found, Some((price("17"), QuoteSource::Table)));
    assert_eq!(issues, [("price-jump", Severity::Warning)]);
}

#[test]
fn money_market_funds_stand_at_a_dollar_and_others_without_prices_are_named() {
    let (found, issues) = quote("2024-06-13 reinvest SWVXX 46.23 1.00 -46.23", 1.0);
    assert_eq!(found, Some((price("1"), QuoteSource::MoneyMarket)));
    assert_eq!(issues, [("money-market", Severity::Note)]);
    let (found, issues) = quote("2024-06-13 buy ZZZ 5 10 -50", 1.0);
    assert_eq!(found, None);
    assert_eq!(issues, [("no-price", Severity::Warning)]);
    assert_ne!(symbol("ZZZ"), symbol("AAA"));
}

#[test]
fn one_odd_price_among_many_is_told_and_changes_nothing() {
    let lines: String =
        (10..22).map(|day| format!("2024-06-{day} buy AAA 1 {} -100\n", if day == 12 { 10 } else { 100 })).collect();
    let (found, issues) = quote(&lines, 100.0);
    assert_eq!(found, Some((price("100"), QuoteSource::Table)));
    assert_eq!(issues, [("price-jump", Severity::Warning)]);
}
