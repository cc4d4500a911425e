//! Shares that vest stand in two files of one broker: in the list of awards with their value, and in the transactions of
//! the account where they arrive without one. Read together they are one event.

use std::collections::BTreeMap;

use lotwise_core::{Shares, Symbol};

use crate::{Action, RowNote, Statement, Transaction};

/// Days between vesting and arrival that are believed.
const NEAR: i32 = 10;

/// A grant in one of the statements.
struct Place {
    statement: usize,
    transaction: usize,
}

/// Gives the shares that arrive in an account the price and the lot of the award that they come from, and leaves the
/// award out, with the reason. Returns how many were paired.
///
/// Paired are a grant of an awards file and a grant without price and lots of a file of transactions, of the same symbol
/// and number of shares, ten days apart at most; the nearest of several. Every row stays accounted for.
pub fn pair_awards(statements: &mut [&mut Statement]) -> usize {
    let awards = grants(statements, |statement| statement.format.starts_with("schwab-equity-awards"));
    let mut arrivals: BTreeMap<(Symbol, Shares), Vec<Place>> = BTreeMap::new();
    for place in grants(statements, |statement| statement.format.starts_with("schwab-transactions")) {
        let arrived = &statements[place.statement].transactions[place.transaction];
        if arrived.price.is_none()
            && arrived.lots.is_empty()
            && let Some(key) = key(arrived)
        {
            arrivals.entry(key).or_default().push(place);
        }
    }
    let mut taken: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for award in awards {
        let vested = &statements[award.statement].transactions[award.transaction];
        if vested.lots.is_empty() {
            continue;
        }
        let Some(places) = key(vested).and_then(|key| arrivals.get_mut(&key)) else { continue };
        let distance = |place: &Place| {
            let arrived = &statements[place.statement].transactions[place.transaction];
            arrived.trade_date.days_since(vested.trade_date).abs()
        };
        let nearest = places.iter().enumerate().map(|(at, place)| (distance(place), at)).min();
        let Some((_, at)) = nearest.filter(|(days, _)| *days <= NEAR) else { continue };
        let (price, lots) = (vested.price, vested.lots.clone());
        let place = places.remove(at);
        let arrived = &mut statements[place.statement].transactions[place.transaction];
        (arrived.price, arrived.lots) = (price, lots);
        taken.insert((award.statement, award.transaction), arrived.row);
    }
    for (number, statement) in statements.iter_mut().enumerate() {
        let mut place = 0;
        let ignored = &mut statement.ignored;
        statement.transactions.retain(|award| {
            place += 1;
            let Some(row) = taken.get(&(number, place - 1)) else { return true };
            let reason =
                format!("award: its shares arrive in row {row} of the account's transactions, which has its price now");
            ignored.push(RowNote { row: award.row, column: None, value: None, reason });
            false
        });
    }
    taken.len()
}

/// What the two rows of one event share.
fn key(transaction: &Transaction) -> Option<(Symbol, Shares)> {
    Some((transaction.symbol.clone()?, transaction.shares?.abs()))
}

fn grants(statements: &[&mut Statement], wanted: impl Fn(&Statement) -> bool) -> Vec<Place> {
    let mut found = Vec::new();
    for (statement, read) in statements.iter().enumerate().filter(|(_, read)| wanted(read)) {
        for (transaction, one) in read.transactions.iter().enumerate() {
            if one.action == Action::Grant {
                found.push(Place { statement, transaction });
            }
        }
    }
    found
}
