//! Small worlds: statements written as lines, prices as functions of the day.

use lotwise_core::{Calendar, Date, Money, Price, RawBar, Shares, Symbol};
use lotwise_market::Panel;
use lotwise_statements::{Action, StatedLot, Statement, Transaction};

pub fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

pub fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

pub fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// Shares of a lot acquired on a day, at this basis where one is given.
pub fn acquired(day: &str, shares: &str, basis: Option<&str>) -> StatedLot {
    let shares = Shares::parse(shares).unwrap();
    StatedLot { acquired: Some(date(day)), shares, basis: basis.map(money), ..StatedLot::default() }
}

/// Shares of the lot that a row made.
pub fn lot_of(id: &str, shares: &str) -> StatedLot {
    StatedLot { id: Some(id.into()), shares: Shares::parse(shares).unwrap(), ..StatedLot::default() }
}

/// A statement from lines `date action symbol shares price amount [detail]`, `-` for nothing.
pub fn statement(lines: &str) -> Statement {
    let transactions: Vec<Transaction> = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .zip(1_u32..)
        .map(|(line, row)| {
            let parts: Vec<&str> = line.split_whitespace().collect();
            let present = |at: usize| parts.get(at).copied().filter(|text| *text != "-");
            Transaction {
                id: format!("t{row}"),
                account: "main".into(),
                symbol: present(2).map(symbol),
                shares: present(3).map(|text| Shares::parse(text).unwrap()),
                price: present(4).map(|text| Price::parse(text).unwrap()),
                amount: present(5).map_or(Money::ZERO, money),
                detail: present(6).map(|text| text.to_owned().into()),
                ..Transaction::new(Action::from_name(parts[1]).unwrap(), date(parts[0]), row)
            }
        })
        .collect();
    Statement {
        format: "test",
        rows: transactions.len(),
        transactions,
        ignored: Vec::new(),
        quarantined: Vec::new(),
        duplicates: Vec::new(),
        positions: Vec::new(),
        account_labels: Default::default(),
        account_kinds: Default::default(),
        questions: Vec::new(),
        answered: Default::default(),
    }
}

/// Two years of prices up to `end`; each symbol's close is a function of its day, counted back
/// from the last one (0).
pub fn panel(end: &str, closes: &[(&str, &dyn Fn(usize) -> f64)]) -> Panel {
    let end = date(end);
    let calendar = Calendar::new_york();
    let sessions = calendar.between(end.plus_days(-730), end);
    let groups: Vec<(Symbol, Vec<RawBar>)> = closes
        .iter()
        .map(|(name, close)| {
            let bars = sessions
                .iter()
                .enumerate()
                .map(|(at, &date)| {
                    let close = close(sessions.len() - 1 - at);
                    RawBar {
                        date,
                        open: close,
                        high: close * 1.01,
                        low: close * 0.99,
                        close,
                        adj_close: close,
                        volume: 1e6,
                    }
                })
                .collect();
            (symbol(name), bars)
        })
        .collect();
    Panel::from_groups(&groups)
}

/// A price around `level` that moves by about `swing` a day in a fixed pattern of its own.
pub fn wave(level: f64, swing: f64, phase: f64) -> impl Fn(usize) -> f64 {
    move |back| {
        if back == 0 {
            return level;
        }
        let t = back as f64 + phase;
        level * (1.0 + swing * ((t * 1.7).sin() + (t * 0.61).cos()))
    }
}
