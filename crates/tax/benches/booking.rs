//! How many transactions a second the book takes, on one core.
//!
//! `cargo bench -p lotwise-tax` prints a table. `LOTWISE_BENCH_WRITE` names a folder to which the
//! ledgers are written as CSV (`day,account,symbol,buy|sell,shares,cents`), for other programs to
//! book; `tools/bench_booking.py` does so. An argument picks cases by name, for instance
//! `cargo bench -p lotwise-tax -- hifo-falling-1-` or `fifo-rising-500-10000-`; `--indexed` leaves the
//! book in names out. `--processor` counts the time that the thread had of the processor instead of the
//! clock's, which a busy machine calls for (Linux only; it is known to a few milliseconds). `--rounds=N` takes
//! the best of so many rounds instead of five.

#![expect(clippy::disallowed_methods, reason = "a benchmark is where time is measured")]

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lotwise_core::{Date, Money, Price, Shares, Symbol};
use lotwise_tax::{
    Account, AccountId, AccountIdx, AccountKind, At, Book, Event, EventKind, IndexedBook, Ledger, LotId, LotSelection,
    Method, Rules, SaleId, SaleIdx, SymbolIdx, SymbolKind, Trade, TradeEvent, TradeSide,
};

/// Rounds of which the best counts, unless `--rounds=N` says another number.
const ROUNDS: usize = 5;

/// One transaction before anybody has named anything.
#[derive(Clone, Copy)]
struct Transaction {
    date: Date,
    symbol: u32,
    buys: bool,
    shares: i64,
    cents: i64,
}

/// What prices do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Prices {
    /// They rise from purchase to sale, so that nothing is a loss.
    Rising,
    /// They fall within each month, so that every sale is a loss that later purchases wash.
    Falling,
}

/// Four purchases, then a sale of three lots and a half, round the symbols.
fn transactions(n: usize, n_symbols: usize, prices: Prices) -> Vec<Transaction> {
    let start = Date::from_ymd(1991, 1, 2).unwrap_or(Date::MIN);
    // A dense ledger: thirty years whatever the size.
    let per_day = (n / 10_950).max(1);
    (0..n)
        .map(|number| {
            let round = number / n_symbols;
            let (noise, buys) = ((number * 7 + round * 13) % 41, round % 5 != 4);
            let cents = match prices {
                Prices::Rising => 5_000 + round * 50_000 / (n / n_symbols).max(1) + noise,
                Prices::Falling => 60_000 - round * 50_000 / (n / n_symbols).max(1) - noise,
            };
            Transaction {
                date: start.plus_days((number / per_day) as i32),
                symbol: (number % n_symbols) as u32,
                buys,
                shares: if buys { 10 } else { 35 },
                cents: cents as i64,
            }
        })
        .collect()
}

/// The best of several rounds; `work` returns the number of rows, so that nothing is left out.
fn best<T>(mut prepare: impl FnMut() -> T, mut work: impl FnMut(T) -> usize) -> (Duration, usize) {
    let mut least = (Duration::MAX, 0);
    for _ in 0..rounds() {
        let ready = prepare();
        let start = now();
        let rows = std::hint::black_box(work(ready));
        let taken = now().saturating_sub(start);
        if taken < least.0 {
            least = (taken, rows);
        }
    }
    least
}

fn rounds() -> usize {
    let asked = std::env::args().find_map(|argument| argument.strip_prefix("--rounds=")?.parse().ok());
    asked.unwrap_or(ROUNDS)
}

/// Time by the clock, or of the processor when that is asked for.
fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    static BUSY: OnceLock<bool> = OnceLock::new();
    if !BUSY.get_or_init(|| std::env::args().any(|argument| argument == "--processor")) {
        return START.get_or_init(Instant::now).elapsed();
    }
    // The kernel brings the figure up to date when another thread might run.
    std::thread::yield_now();
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = figures.split(' ').next().and_then(|one| one.parse().ok());
    Duration::from_nanos(nanoseconds.expect("Invariant: --processor is for Linux"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::var("LOTWISE_BENCH_WRITE").ok();
    println!(
        "{:<8}{:<9}{:>9}{:>10}{:>9}{:>9}{:>12}{:>12}",
        "method", "prices", "symbols", "events", "rows", "washed", "indexed/s", "named/s"
    );
    for (method, prices) in
        [(Method::Fifo, Prices::Rising), (Method::Fifo, Prices::Falling), (Method::Hifo, Prices::Falling)]
    {
        for n_symbols in [1, 500] {
            for n in [10_000, 100_000, 1_000_000] {
                let name = format!("{}-{}-{n_symbols}-{n}-", lower(method), lower(prices));
                if wanted(&name) {
                    measure(n, n_symbols, prices, method, folder.as_deref())?;
                }
            }
        }
    }
    if wanted("whatif") { whatif() } else { Ok(()) }
}

/// Whether a case is among those named in the arguments; all are when none is.
fn wanted(name: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    names.peek().is_none() || names.any(|one| name.contains(&one))
}

fn lower(name: impl std::fmt::Debug) -> String {
    format!("{name:?}").to_lowercase()
}

fn measure(
    n: usize,
    n_symbols: usize,
    prices: Prices,
    method: Method,
    folder: Option<&str>,
) -> Result<(), Box<dyn std::error::Error>> {
    let transactions = transactions(n, n_symbols, prices);
    let name = lower(prices);
    if let Some(folder) = folder {
        write(&format!("{folder}/{name}-{n_symbols}-{n}.csv"), &transactions)?;
    }
    let rules = Arc::new(Rules::default());
    let trades: Vec<TradeEvent> = transactions.iter().map(indexed).collect();
    let mut book = IndexedBook::new(&[(AccountKind::Taxable, method)], Arc::clone(&rules));
    for _ in 0..n_symbols {
        book.add_symbol(SymbolKind::Stock, None);
    }
    // The rounds share one book, as a simulator would.
    let (fastest, rows) = best(
        || (),
        |()| {
            book.reset();
            book.trade_all(&trades).expect("Invariant: the ledger can be booked");
            book.rows().len()
        },
    );
    let washed = book.rows().iter().filter(|row| row.disallowed.is_positive()).count();
    if std::env::args().any(|argument| argument == "--indexed") {
        println!(
            "{name:<9}{n_symbols:>9}{n:>10}{rows:>9}{washed:>9}{:>12}",
            n as u128 * 1_000_000_000 / fastest.as_nanos().max(1)
        );
        return Ok(());
    }
    let ledger = ledger(&transactions, method)?;
    let (named, _) = best(|| (), |()| Book::of(&ledger, &rules).map_or(0, |book| book.n_rows()));
    let per_second = |taken: Duration| n as u128 * 1_000_000_000 / taken.as_nanos().max(1);
    println!(
        "{:<8}{name:<9}{n_symbols:>9}{n:>10}{rows:>9}{washed:>9}{:>12}{:>12}",
        lower(method),
        per_second(fastest),
        per_second(named)
    );
    Ok(())
}

fn amount(transaction: &Transaction) -> Money {
    Price::from_billionths(i128::from(transaction.cents) * 10_000_000) * Shares::from_whole(transaction.shares)
}

fn indexed(transaction: &Transaction) -> TradeEvent {
    let at = At { date: transaction.date, account: AccountIdx(0), symbol: SymbolIdx(transaction.symbol) };
    let trade = Trade { shares: Shares::from_whole(transaction.shares), amount: amount(transaction), fee: Money::ZERO };
    let sell = TradeSide::Sell { sale: SaleIdx(0), method: None, identified: None };
    TradeEvent { at, trade, side: if transaction.buys { TradeSide::Buy } else { sell } }
}

fn ledger(transactions: &[Transaction], method: Method) -> Result<Ledger, Box<dyn std::error::Error>> {
    let account = AccountId::new("T");
    let n_symbols = transactions.iter().map(|one| one.symbol + 1).max().unwrap_or(0);
    let symbols = (0..n_symbols).map(|number| Symbol::parse(&format!("S{number}"))).collect::<Result<Vec<_>, _>>()?;
    let events = transactions.iter().enumerate().map(|(number, one)| {
        let shares = Shares::from_whole(one.shares);
        let (amount, fee) = (amount(one), Money::ZERO);
        let kind = if one.buys {
            EventKind::Buy { lot: LotId::new(&format!("L{number}")), shares, amount, fee }
        } else {
            let sale = SaleId::new(&format!("S{number}"));
            EventKind::Sell { sale, shares, amount, fee, lots: LotSelection::Standing, identified: None }
        };
        Event { date: one.date, account: account.clone(), symbol: symbols[one.symbol as usize].clone(), kind }
    });
    let events = events.collect();
    Ok(Ledger { accounts: vec![Account { id: account, kind: AccountKind::Taxable, method }], events })
}

fn write(path: &str, transactions: &[Transaction]) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(out, "day,account,symbol,side,shares,cents")?;
    for one in transactions {
        let side = if one.buys { "buy" } else { "sell" };
        writeln!(out, "{},T,S{},{side},{},{}", one.date, one.symbol, one.shares, one.cents)?;
    }
    out.flush()
}

/// Questions to a book of 50,000 transactions.
fn whatif() -> Result<(), Box<dyn std::error::Error>> {
    for (method, n_symbols) in [(Method::Fifo, 1), (Method::Hifo, 1), (Method::MinTax, 1), (Method::Fifo, 500)] {
        let transactions = transactions(50_000, n_symbols, Prices::Falling);
        // The book is filled first-in first-out; the question asks by method.
        let book = Book::of(&ledger(&transactions, Method::Fifo)?, &Rules::default())?;
        let date = book.last_date().unwrap_or(Date::MIN);
        let (account, symbol) = (AccountId::new("T"), Symbol::parse("S0")?);
        let shares = Shares::from_whole(25);
        let kind = EventKind::Sell {
            sale: SaleId::new("question"),
            shares,
            amount: Price::from_whole(90) * shares,
            fee: Money::ZERO,
            lots: LotSelection::By(method),
            identified: None,
        };
        let event = Event { date, account: account.clone(), symbol: symbol.clone(), kind };
        let (taken, rows) = best(|| (), |()| book.whatif_sell(&event).map_or(0, |preview| preview.rows.len()));
        let name = lower(method);
        println!("whatif_sell {name}, 50000 transactions, {n_symbols} symbols: {rows} rows in {taken:?}");
        let (taken, lots) = best(
            || (),
            |()| book.preview_lots(&account, &symbol, date, Price::from_whole(90)).map_or(0, |lots| lots.len()),
        );
        println!("preview_lots, 50000 transactions, {n_symbols} symbols: {lots} lots in {taken:?}");
    }
    Ok(())
}
