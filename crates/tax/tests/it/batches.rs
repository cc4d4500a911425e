//! A ledger of many securities is booked in batches, with the outcome of booking its events one by one.

use std::sync::Arc;

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_tax::{
    Account, AccountIdx, AccountKind, AssetClass, At, BasisSource, Book, Error, Event, EventKind, IndexedBook, Ledger,
    LotId, LotSelection, LotsLeave, Match, Method, Pick, Row, Rules, SaleId, SaleIdx, SymbolKind, Trade, TradeEvent,
    TradeSide,
};
use proptest::prelude::*;

use crate::dsl::accounts;

const SYMBOLS: usize = 40;
const METHODS: [Method; 6] = [Method::Hifo, Method::Fifo, Method::Lofo, Method::Lifo, Method::MinTax, Method::Average];

/// One step before it is fitted to what is held.
#[derive(Debug, Clone)]
struct Step {
    gap: i32,
    kind: u16,
    account: usize,
    symbol: usize,
    shares: i64,
    cents: i64,
    choice: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0_i32..3, 0_u16..1000, 0_usize..8, 0_usize..SYMBOLS, 1_i64..9, 700_i64..1_300, 0_usize..100);
    let step = step.prop_map(|(gap, kind, account, symbol, shares, cents, choice)| Step {
        gap: gap / 2,
        kind,
        account,
        symbol,
        shares,
        cents,
        choice,
    });
    prop::collection::vec(step, 900..1100)
}

fn symbol(number: usize) -> Symbol {
    Symbol::parse(&format!("S{number}")).expect("a good symbol")
}

fn rules(together: bool, older: bool) -> Rules {
    let mut rules = Rules {
        lots_leave: if together { LotsLeave::Together } else { LotsLeave::OneByOne },
        older_lots_can_replace: older,
        identity_groups: vec![vec![symbol(0), symbol(1)], vec![symbol(2), symbol(30), symbol(31)]],
        ..Rules::default()
    };
    rules.classes.insert(symbol(3), AssetClass::DigitalAsset);
    let eligible = accounts().into_iter().map(|account| account.id);
    rules.average_eligible.extend(eligible.flat_map(|id| [4, 5].map(|number| (id.clone(), symbol(number)))));
    rules
}

fn household() -> Vec<Account> {
    let mut accounts = accounts();
    for (account, method) in accounts.iter_mut().zip(METHODS) {
        // Only two funds can be averaged, and only when an order says so.
        account.method = if method == Method::Average { Method::Hifo } else { method };
    }
    accounts
}

fn event(number: usize, step: &Step, date: Date, book: &Book) -> Event {
    let accounts = book.accounts();
    // Taxable accounts come up more often than the others.
    let account = accounts[[0, 0, 0, 1, 1, 2, 4, 5][step.account]].id.clone();
    // Every second symbol starts with shares of which the basis is not known for sure.
    let opens = number < SYMBOLS && number.is_multiple_of(2);
    let mut symbol = symbol(if opens { number } else { step.symbol });
    let shares = Shares::from_whole(step.shares);
    let held = book.held(&account, &symbol);
    let amount = Money::from_billionths(shares.billionths() * i128::from(step.cents) / 100);
    let fee = Money::from_billionths(i128::from(step.cents % 3) * 350_000_000);
    let lot = LotId::new(&format!("L{number}"));
    let sale = SaleId::new(&format!("O{number}"));
    let kind = match if opens { 988 } else { step.kind } {
        0..=480 => EventKind::Buy { lot, shares, amount, fee },
        // Now and then more than is held.
        481..=985 => {
            let shares = if step.choice == 0 || held.is_zero() { shares } else { shares.min(held) };
            let lots = match step.choice % 5 {
                0 => LotSelection::By(METHODS[step.choice / 5 % METHODS.len()]),
                _ => LotSelection::Standing,
            };
            EventKind::Sell { sale, shares, amount, fee, lots, identified: None }
        }
        986..=987 => EventKind::Split { new: Shares::from_whole(3), old: Shares::from_whole(2) },
        988..=989 => {
            let source = if step.choice.is_multiple_of(2) { BasisSource::AverageOnly } else { BasisSource::Stated };
            let basis = (step.choice % 4 != 1).then_some(amount);
            EventKind::Open { lot, shares, basis, acquired: None, source }
        }
        990..=991 => EventKind::Transfer {
            to: accounts[step.choice % accounts.len()].id.clone(),
            shares: shares.min(held),
            lots: LotSelection::Standing,
        },
        992..=994 => {
            symbol = Symbol::parse(&format!("S{}  301220C00010000", step.symbol)).expect("an option");
            EventKind::Buy { lot, shares, amount, fee }
        }
        995..=996 => EventKind::ShortSell { lot, shares, amount, fee },
        997 => EventKind::Cover { sale, shares, amount, fee, lots: LotSelection::Standing, settled: None },
        _ => EventKind::Remove { shares: shares.min(held) },
    };
    Event { date, account, symbol, kind }
}

/// The events that can be booked, and after `patience` of them one that cannot; the book of them
/// one by one, and what is wrong with the one.
fn one_by_one(steps: &[Step], rules: &Rules, patience: usize) -> (Ledger, Book, Option<Error>) {
    let accounts = household();
    let mut book = Book::new(&accounts, rules).expect("accounts are distinct");
    let (mut events, mut refused) = (Vec::new(), None);
    let mut date = Date::parse("2023-06-01").expect("a date");
    for (number, step) in steps.iter().enumerate() {
        date = date.plus_days(step.gap);
        let event = event(number, step, date, &book);
        if refused.is_some() {
            events.push(event);
            continue;
        }
        match book.apply(&event) {
            Ok(_) => events.push(event),
            Err(error) if events.len() >= patience => {
                refused = Some(error);
                events.push(event);
            }
            Err(_) => {}
        }
    }
    (Ledger { accounts, events }, book, refused)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_ledger_booked_at_once_is_the_ledger_booked_one_by_one(
        steps in steps(), together in any::<bool>(), older in any::<bool>(), patience in 0_usize..1500,
    ) {
        let rules = rules(together, older);
        let (ledger, book, refused) = one_by_one(&steps, &rules, patience);
        match (Book::of(&ledger, &rules), refused) {
            (Ok(at_once), None) => {
                prop_assert_eq!(at_once.booking(), book.booking());
                for number in 0..SYMBOLS {
                    let date = book.last_date().unwrap_or(Date::MIN);
                    prop_assert_eq!(
                        at_once.recent_losses(&symbol(number), date), book.recent_losses(&symbol(number), date)
                    );
                }
            }
            (Err(error), Some(refused)) => prop_assert_eq!(error.to_string(), refused.to_string()),
            (of, refused) => prop_assert!(false, "{:?} and {:?}", of.err(), refused),
        }
    }
}

fn indexed(symbols: u32, method: Method) -> IndexedBook {
    let mut book = IndexedBook::new(&[(AccountKind::Taxable, method)], Arc::new(Rules::default()));
    for _ in 0..symbols {
        book.add_symbol(SymbolKind::Stock, None);
    }
    book
}

/// Order, lot, shares, proceeds, basis and result of a row, and the lots that its loss went to.
type Said = (SaleIdx, u32, Shares, Money, Option<Money>, Option<Money>, Vec<(u32, Money)>);

/// Rows as far as the outside sees them.
fn said(book: &IndexedBook) -> Vec<Said> {
    let one = |row: &Row| {
        let matches = book.matches(row).map(|found: &Match| (found.lot.0, found.disallowed)).collect();
        (row.sale, row.lot.0, row.shares, row.proceeds, row.basis(), row.reportable(), matches)
    };
    book.rows().iter().map(one).collect()
}

#[test]
fn batches_that_follow_each_other_are_one_book() {
    let symbols = 60;
    let trades: Vec<TradeEvent> = (0..70_000_u32)
        .map(|number| {
            let round = number / symbols;
            let date = Date::parse("2001-01-02").unwrap().plus_days((number / 20) as i32);
            let at = At { date, account: AccountIdx(0), symbol: lotwise_tax::SymbolIdx(number % symbols) };
            let buys = round % 5 != 4;
            let amount = Money::from_whole(i64::from(60_000 - round * 7 - number * 7 % 41));
            let shares = Shares::from_whole(if buys { 10 } else { 35 });
            let trade = Trade { shares, amount: if buys { amount } else { amount + amount }, fee: Money::ZERO };
            let sell = TradeSide::Sell { sale: SaleIdx(number), method: None, identified: None };
            TradeEvent { at, trade, side: if buys { TradeSide::Buy } else { sell } }
        })
        .collect();
    for method in [Method::Fifo, Method::Hifo] {
        let (mut at_once, mut singly) = (indexed(symbols, method), indexed(symbols, method));
        at_once.trade_all(&trades).unwrap();
        for TradeEvent { at, trade, side } in &trades {
            match side {
                TradeSide::Buy => drop(singly.buy(*at, *trade).unwrap()),
                TradeSide::Sell { sale, .. } => singly.sell(*at, *sale, *trade, Pick::Standing, None).unwrap(),
            }
        }
        assert!(singly.rows().len() > 32_768, "more rows than trades of one batch");
        assert!(singly.rows().iter().any(|row| row.disallowed.is_positive()));
        assert_eq!(said(&at_once), said(&singly));
        let date = at_once.last_date().unwrap();
        assert_eq!(at_once.realised(date), singly.realised(date));
        assert_eq!((at_once.n_lots(), Some(date)), (singly.n_lots(), singly.last_date()));
    }
}

#[test]
fn trades_that_no_batch_takes_have_their_turn() {
    let symbols = 60;
    let sale = |number, method| TradeSide::Sell { sale: SaleIdx(number), method, identified: None };
    let trades: Vec<TradeEvent> = (0..6_000_u32)
        .map(|number| {
            let round = number / symbols;
            let date = Date::parse("2001-01-02").unwrap().plus_days((number / 20) as i32);
            let at = At { date, account: AccountIdx(0), symbol: lotwise_tax::SymbolIdx(number % symbols) };
            let side = match (round % 5, number % 97) {
                (4, 0..=9) => sale(number, Some(Method::Average)),
                (4, _) => sale(number, None),
                _ => TradeSide::Buy,
            };
            let shares = Shares::from_whole(if round % 5 == 4 { 35 } else { 10 });
            // Now and then billionths that 64 bits do not hold.
            let dollars = if number % 401 == 0 { 10_000_000_000 } else { i64::from(60_000 - round * 70) };
            TradeEvent { at, trade: Trade { shares, amount: Money::from_whole(dollars), fee: Money::ZERO }, side }
        })
        .collect();
    for method in [Method::Fifo, Method::Hifo, Method::Average] {
        let (mut at_once, mut singly) = (indexed(symbols, method), indexed(symbols, method));
        at_once.trade_all(&trades).unwrap();
        for TradeEvent { at, trade, side } in &trades {
            match side {
                TradeSide::Buy => drop(singly.buy(*at, *trade).unwrap()),
                TradeSide::Sell { sale, method, .. } => {
                    singly.sell(*at, *sale, *trade, method.map_or(Pick::Standing, Pick::By), None).unwrap();
                }
            }
        }
        assert!(singly.rows().iter().any(|row| row.disallowed.is_positive()));
        assert_eq!(said(&at_once), said(&singly));
        assert_eq!(at_once.n_lots(), singly.n_lots());
    }
}

#[test]
fn what_comes_before_a_trade_that_cannot_be_booked_is_booked() {
    let symbols = 60;
    let at = |number: u32| At {
        date: Date::parse("2024-01-02").unwrap(),
        account: AccountIdx(0),
        symbol: lotwise_tax::SymbolIdx(number % symbols),
    };
    let trade = |shares| Trade { shares: Shares::from_whole(shares), amount: Money::from_whole(100), fee: Money::ZERO };
    let mut trades: Vec<TradeEvent> =
        (0..600).map(|number| TradeEvent { at: at(number), trade: trade(1), side: TradeSide::Buy }).collect();
    let side = TradeSide::Sell { sale: SaleIdx(7), method: None, identified: None };
    trades[450] = TradeEvent { at: at(450), trade: trade(9), side };
    trades[431] = TradeEvent { at: at(431), trade: trade(8), side };
    let mut book = indexed(symbols, Method::Fifo);
    let (place, fault) = book.trade_all(&trades).unwrap_err();
    assert_eq!((place, fault), (431, lotwise_tax::Fault::InsufficientShares { held: Shares::from_whole(7) }));
    assert_eq!((book.n_lots(), book.rows().len()), (431, 0));
    // The book goes on from there.
    book.trade_all(&trades[432..440]).unwrap();
    assert_eq!(book.n_lots(), 439);
}
