//! Shares that vest stand in two files of one broker: in the list of awards with their value, and in the transactions of
//! the account where they arrive without one. Read together they are one event.

use lotwise_core::Shares;

use crate::{Action, RowNote, Statement};

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
    let mut arrivals = grants(statements, |statement| statement.format.starts_with("schwab-transactions"));
    arrivals.retain(|place| {
        let transaction = &statements[place.statement].transactions[place.transaction];
        transaction.price.is_none() && transaction.lots.is_empty()
    });
    let mut taken: Vec<(Place, u32)> = Vec::new();
    for award in awards {
        let vested = statements[award.statement].transactions[award.transaction].clone();
        if vested.lots.is_empty() {
            continue;
        }
        let distance = |place: &Place| {
            let arrived = &statements[place.statement].transactions[place.transaction];
            let same = arrived.symbol == vested.symbol
                && arrived.shares.map(Shares::abs) == vested.shares.map(Shares::abs)
                && arrived.shares.is_some();
            let days = arrived.trade_date.days_since(vested.trade_date).abs();
            (same && days <= NEAR).then_some(days)
        };
        let nearest = arrivals.iter().enumerate().filter_map(|(at, place)| Some((distance(place)?, at))).min();
        let Some((_, at)) = nearest else { continue };
        let place = arrivals.remove(at);
        let arrived = &mut statements[place.statement].transactions[place.transaction];
        (arrived.price, arrived.lots) = (vested.price, vested.lots);
        taken.push((award, arrived.row));
    }
    let count = taken.len();
    // From the end, so that places before stay what they are.
    taken.sort_by_key(|(place, _)| (place.statement, std::cmp::Reverse(place.transaction)));
    for (place, row) in taken {
        let statement = &mut statements[place.statement];
        let award = statement.transactions.remove(place.transaction);
        let reason =
            format!("award: its shares arrive in row {row} of the account's transactions, which has its price now");
        statement.ignored.push(RowNote { row: award.row, column: None, value: None, reason });
    }
    count
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
