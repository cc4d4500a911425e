//! How many events a second the book takes, first-in first-out.
//!
//! `cargo bench -p lotwise-tax`

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_tax::{
    Account, AccountId, AccountKind, Event, EventKind, Ledger, LotId, LotSelection, Method, Rules, SaleId, book,
};

#[expect(clippy::disallowed_methods, reason = "a benchmark is where time is measured")]
fn main() {
    for (name, n_symbols) in [("one symbol", 1), ("100 symbols", 100)] {
        for n_events in [10_000, 100_000] {
            let ledger = ledger(n_events, n_symbols);
            let mut best = std::time::Duration::MAX;
            let mut rows = 0;
            for _ in 0..5 {
                let start = std::time::Instant::now();
                rows = book(&ledger, &Rules::default()).map_or(0, |booking| booking.sales.len());
                best = best.min(start.elapsed());
            }
            let per_second = ledger.events.len() as u128 * 1_000_000 / best.as_micros().max(1);
            println!("fifo, {name}, {n_events} events: {rows} rows, {per_second} events/s");
        }
    }
}

/// Four purchases, then a sale of three lots and a half, round the symbols, two events a day.
fn ledger(n_events: i32, n_symbols: i32) -> Ledger {
    let account = AccountId::new("T");
    let start = Date::from_ymd(1990, 1, 2).unwrap_or(Date::MIN);
    let symbols: Vec<Symbol> = (0..n_symbols).filter_map(|number| Symbol::parse(&format!("S{number}")).ok()).collect();
    let events = (0..n_events).map(|number| {
        let round = number / n_symbols;
        let price = i64::from(80 + (number * 7 + round * 13) % 41);
        let kind = if round % 5 == 4 {
            EventKind::Sell {
                sale: SaleId::new(&format!("S{number}")),
                shares: Shares::from_whole(35),
                amount: Money::from_whole(35 * price),
                fee: Money::ZERO,
                lots: LotSelection::Standing,
                identified: None,
            }
        } else {
            EventKind::Buy {
                lot: LotId::new(&format!("L{number}")),
                shares: Shares::from_whole(10),
                amount: Money::from_whole(10 * price),
                fee: Money::ZERO,
            }
        };
        Event {
            // Two events a day from 1990 run past the calendar's end, so long ledgers are denser.
            date: start.plus_days(number / (n_events / 10_000).max(1) / 2),
            account: account.clone(),
            symbol: symbols[(number % n_symbols) as usize].clone(),
            kind,
        }
    });
    Ledger {
        accounts: vec![Account { id: AccountId::new("T"), kind: AccountKind::Taxable, method: Method::Fifo }],
        events: events.collect(),
    }
}
