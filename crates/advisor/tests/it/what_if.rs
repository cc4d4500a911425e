//! A sale to come is what booking the whole ledger with it would give.

use lotwise_advisor::books::{BookOptions, Books, Source, build};
use lotwise_advisor::what_if::{Desk, Order};
use lotwise_core::{Date, Price, Rate, Shares};
use lotwise_market::CorporateActions;
use lotwise_tax::{AccountId, Book, Event, EventKind, LotSelection, Method, Rules, SaleId, SaleRow, book};

use crate::fixture::{date, money, statement, symbol};

const COST: &str = "0.0005";

fn household() -> Books {
    let lines = "
        2023-01-04 deposit - - - 90000
        2023-02-06 buy AAA 100 - -5000
        2023-05-08 buy AAA 60 - -3600
        2023-06-05 buy BBB 50 - -4000
        2024-01-08 sell AAA 30 - 1200
        2024-01-22 buy AAA 20 - -900
        2024-02-05 buy BBB 10 - -700
        2024-02-06 buy AAA 40 - -1700
    ";
    let mut history = statement(lines);
    for row in [2, 7] {
        history.transactions[row].account = "Roth IRA".into();
    }
    let options = BookOptions::until(date("2024-02-12"));
    build(&[Source::history("h.csv", &history)], &CorporateActions::default(), &options)
}

fn order(account: &str, name: &str, shares: &str, price: &str, lots: LotSelection) -> Order {
    Order {
        account: AccountId::new(account),
        symbol: symbol(name),
        shares: Shares::parse(shares).unwrap(),
        price: Price::parse(price).unwrap(),
        lots,
    }
}

/// The slow way: everything booked again, with the orders in it.
fn rebooked(books: &Books, on: Date, orders: &[Order]) -> Vec<SaleRow> {
    let mut ledger = books.ledger.clone();
    for (position, order) in orders.iter().enumerate() {
        let amount = order.price * order.shares;
        let kind = EventKind::Sell {
            sale: SaleId::new(&format!("what-if-{position}")),
            shares: order.shares,
            amount,
            fee: amount * Rate::parse(COST).unwrap(),
            lots: order.lots.clone(),
            identified: None,
        };
        ledger.events.push(Event { date: on, account: order.account.clone(), symbol: order.symbol.clone(), kind });
    }
    let sales = book(&ledger, &Rules::default()).unwrap().sales;
    sales.into_iter().filter(|row| row.sale.as_str().starts_with("what-if")).collect()
}

#[test]
fn a_sale_to_come_is_booked_as_if_the_ledger_had_it() {
    let books = household();
    let booked = Book::of(&books.ledger, &Rules::default()).unwrap();
    let desk = Desk { book: &booked, ledger: &books.ledger, cost: Rate::parse(COST).unwrap() };
    let method = LotSelection::By;
    let one = |shares: &str, by: Method| vec![order("main", "AAA", shares, "41", method(by))];
    let mut cases = vec![
        // Two orders of one security wash against one and the same purchases.
        vec![
            order("main", "AAA", "30", "41", method(Method::Fifo)),
            order("main", "AAA", "60", "39", method(Method::MinTax)),
            order("main", "BBB", "45", "61", method(Method::Hifo)),
        ],
        vec![order("Roth IRA", "AAA", "60", "41", method(Method::Fifo))],
    ];
    for by in [Method::Fifo, Method::Lifo, Method::Hifo, Method::MinTax] {
        cases.extend(["20", "85"].map(|shares| one(shares, by)));
    }
    // The last day waits for the long term; the second lies before the last purchases.
    for on in ["2024-02-12", "2024-01-30", "2025-02-10"].map(date) {
        for orders in &cases {
            assert_eq!(desk.sell(on, orders).unwrap().rows, rebooked(&books, on, orders), "{on}: {orders:?}");
        }
    }
    let taken = desk.sell(date("2024-02-12"), &cases[0]).unwrap();
    assert!(taken.disallowed() > money("0"), "nothing was washed");
    assert!(desk.sell(date("2024-02-12"), &one("100000", Method::Fifo)).is_err());
}
