//! Which of our rows stand against which of the broker's.

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Shares, Symbol};

use super::BrokerRow;
use crate::model::{AccountId, SaleRow, Term};

/// Rows that stand against each other: one and one, or several whose shares add up to the same.
/// One side is empty where a sale has no counterpart.
pub(super) struct Pair<'a> {
    pub own: Vec<(usize, &'a SaleRow)>,
    pub broker: Vec<&'a BrokerRow>,
}

impl Pair<'_> {
    pub fn key(&self) -> (AccountId, Symbol, Date) {
        match (self.own.first(), self.broker.first()) {
            (Some((_, row)), _) => (row.account.clone(), row.symbol.clone(), row.sold),
            (None, Some(row)) => (row.account.clone(), row.symbol.clone(), row.sold),
            (None, None) => unreachable!("Invariant: a pair has a row"),
        }
    }

    pub fn own_shares(&self) -> Shares {
        self.own.iter().map(|(_, row)| row.shares).sum()
    }

    pub fn broker_shares(&self) -> Shares {
        self.broker.iter().map(|row| row.shares).sum()
    }

    pub fn own_proceeds(&self) -> Money {
        self.own.iter().map(|(_, row)| row.proceeds).sum()
    }

    pub fn broker_proceeds(&self) -> Money {
        self.broker.iter().map(|row| row.proceeds).sum()
    }

    /// `None` when any is unknown.
    pub fn own_basis(&self) -> Option<Money> {
        self.own.iter().map(|(_, row)| row.basis).sum_all()
    }

    pub fn broker_basis(&self) -> Option<Money> {
        self.broker.iter().map(|row| row.basis).sum_all()
    }

    pub fn own_disallowed(&self) -> Money {
        self.own.iter().map(|(_, row)| row.disallowed).sum()
    }

    pub fn broker_disallowed(&self) -> Money {
        self.broker.iter().map(|row| row.disallowed).sum()
    }

    /// The term that all have, where they have one.
    pub fn own_term(&self) -> Option<Term> {
        same(self.own.iter().map(|(_, row)| row.term))
    }

    pub fn broker_term(&self) -> Option<Term> {
        same(self.broker.iter().map(|row| row.term))
    }

    /// The acquisition dates of the broker's rows that have one are among ours.
    pub fn same_dates(&self) -> bool {
        let ours = |date: Date| self.own.iter().any(|(_, row)| row.acquired == Some(date));
        self.broker.iter().filter_map(|row| row.acquired).all(ours)
    }
}

trait SumAll {
    fn sum_all(self) -> Option<Money>;
}

impl<I: Iterator<Item = Option<Money>>> SumAll for I {
    fn sum_all(mut self) -> Option<Money> {
        self.try_fold(Money::ZERO, |sum, one| Some(sum + one?))
    }
}

fn same(mut terms: impl Iterator<Item = Option<Term>>) -> Option<Term> {
    let first = terms.next()??;
    terms.all(|term| term == Some(first)).then_some(first)
}

/// Pairs the rows of each account, security and day: by shares and acquisition date, by date, by
/// shares, then all that is left if the shares add up.
pub(super) fn pairs<'a>(sales: &'a [SaleRow], places: &[usize], broker: &'a [BrokerRow]) -> Vec<Pair<'a>> {
    let mut days: BTreeMap<(&AccountId, &Symbol, Date), Pair<'a>> = BTreeMap::new();
    let empty = || Pair { own: Vec::new(), broker: Vec::new() };
    for &place in places {
        let row = &sales[place];
        days.entry((&row.account, &row.symbol, row.sold)).or_insert_with(empty).own.push((place, row));
    }
    for row in broker {
        days.entry((&row.account, &row.symbol, row.sold)).or_insert_with(empty).broker.push(row);
    }
    let mut pairs = Vec::new();
    for mut day in days.into_values() {
        one_to_one(&mut day, &mut pairs, |own, theirs| {
            own.shares == theirs.shares && own.acquired.is_some() && own.acquired == theirs.acquired
        });
        by_date(&mut day, &mut pairs);
        one_to_one(&mut day, &mut pairs, |own, theirs| {
            own.shares == theirs.shares && (theirs.acquired.is_none() || own.acquired.is_none())
        });
        match (day.own.is_empty(), day.broker.is_empty()) {
            (true, true) => {}
            (false, false) if day.own_shares() == day.broker_shares() => pairs.push(day),
            _ => {
                pairs.extend(day.own.into_iter().map(|row| Pair { own: vec![row], broker: Vec::new() }));
                pairs.extend(day.broker.into_iter().map(|row| Pair { own: Vec::new(), broker: vec![row] }));
            }
        }
    }
    pairs
}

fn one_to_one<'a>(day: &mut Pair<'a>, pairs: &mut Vec<Pair<'a>>, fit: impl Fn(&SaleRow, &BrokerRow) -> bool) {
    let mut at = 0;
    while at < day.broker.len() {
        match day.own.iter().position(|(_, own)| fit(own, day.broker[at])) {
            Some(own) => pairs.push(Pair { own: vec![day.own.remove(own)], broker: vec![day.broker.remove(at)] }),
            None => at += 1,
        }
    }
}

/// Rows of one acquisition date that add up to the same shares: brokers divide and merge lots.
fn by_date<'a>(day: &mut Pair<'a>, pairs: &mut Vec<Pair<'a>>) {
    let dates: std::collections::BTreeSet<Date> = day.broker.iter().filter_map(|row| row.acquired).collect();
    for date in dates {
        let own: Vec<_> = day.own.iter().copied().filter(|(_, row)| row.acquired == Some(date)).collect();
        let theirs: Vec<_> = day.broker.iter().copied().filter(|row| row.acquired == Some(date)).collect();
        let pair = Pair { own, broker: theirs };
        if !pair.own.is_empty() && pair.own_shares() == pair.broker_shares() {
            day.own.retain(|(_, row)| row.acquired != Some(date));
            day.broker.retain(|row| row.acquired != Some(date));
            pairs.push(pair);
        }
    }
}
