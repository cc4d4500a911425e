//! What the accounts of a JSON ledger hold while its events are read.

use std::collections::BTreeMap;

use lotwise_core::{Money, Rate, Rounding, Shares, Symbol, mul_div};

use super::{JsonAction, JsonEvent};
use crate::{Action, Stated, Transaction};

/// Shares held so far, since a statement's split row tells by how many shares the holding changes.
#[derive(Debug, Default)]
pub(super) struct Holdings(BTreeMap<(Option<Symbol>, String), Shares>);

impl Holdings {
    pub(super) fn add(&mut self, account: &str, transaction: &Transaction) {
        let held = self.0.entry((transaction.symbol.clone(), account.to_owned())).or_default();
        // A sum out of range is no holding; the split then tells its ratio alone.
        *held = held.checked_add(transaction.shares.unwrap_or_default()).unwrap_or_default();
    }

    pub(super) fn held(&self, account: &str, symbol: &Option<Symbol>) -> Shares {
        self.0.get(&(symbol.clone(), account.to_owned())).copied().unwrap_or_default()
    }

    /// Splits the security in every account; returns the change in the one that the event names, `None` when a
    /// holding leaves every sensible range.
    pub(super) fn split(&mut self, account: &str, symbol: &Option<Symbol>, new: Shares, old: Shares) -> Option<Shares> {
        let mut change = Some(Shares::ZERO);
        let range = (symbol.clone(), String::new())..;
        for ((_, name), held) in self.0.range_mut(range).take_while(|((known, _), _)| known == symbol) {
            let after = times(*held, new, old);
            if name == account {
                change = after.map(|after| after - *held);
            }
            *held = after.unwrap_or_default();
        }
        change
    }

    /// The rows of a spin-off or an exchange: for each account concerned that holds the security.
    pub(super) fn change(
        &mut self,
        event: &JsonEvent,
        plain: &Transaction,
        change: &Change<'_>,
        named: &dyn Fn(&str) -> String,
    ) -> Vec<Transaction> {
        let Some(from) = &plain.symbol else { return Vec::new() };
        let range = (plain.symbol.clone(), String::new())..;
        let holders: Vec<(String, Shares)> = self
            .0
            .range(range)
            .take_while(|((symbol, _), _)| *symbol == plain.symbol)
            .filter(|((_, account), held)| held.is_positive() && (change.household || *account == event.account))
            .map(|((_, account), held)| (account.clone(), *held))
            .collect();
        let mut rows = Vec::new();
        for (account, held) in holders {
            let Some(received) = times(held, change.new, change.old).filter(|shares| shares.is_positive()) else {
                continue;
            };
            let row = |symbol: &Symbol, shares: Shares| Transaction {
                account: named(&account),
                action: change.action,
                symbol: Some(symbol.clone()),
                shares: Some(shares),
                detail: Some(change.stated(from).to_string().into()),
                description: format!("{} of {from}, {} for {}", change.name(), change.new, change.old),
                split_ratio: Some((change.new, change.old)),
                ..plain.clone()
            };
            if change.action == Action::Merger {
                let leaves = row(from, -held);
                self.add(&account, &leaves);
                rows.push(leaves);
            }
            let arrives = Transaction { amount: change.cash.unwrap_or_default(), ..row(change.to, received) };
            self.add(&account, &arrives);
            rows.push(arrives);
        }
        rows
    }
}

/// A spin-off or an exchange.
#[derive(Debug)]
pub(super) struct Change<'a> {
    action: Action,
    to: &'a Symbol,
    new: Shares,
    old: Shares,
    to_new: Option<Rate>,
    rename: bool,
    cash: Option<Money>,
    value: Option<Money>,
    household: bool,
}

impl Change<'_> {
    /// What it is, for people.
    pub(super) fn name(&self) -> &'static str {
        match self.action {
            Action::Spinoff => "spin-off",
            _ if self.rename => "change of name",
            _ => "exchange",
        }
    }

    fn stated(&self, from: &Symbol) -> Stated {
        match self.action {
            Action::Spinoff => Stated::SpinOff { from: from.clone(), to_new: self.to_new },
            _ => Stated::Exchange { from: from.clone(), to: self.to.clone(), rename: self.rename, value: self.value },
        }
    }
}

/// The spin-off or exchange that an event is, if it is one.
pub(super) fn change(action: &JsonAction) -> Option<Change<'_>> {
    match action {
        JsonAction::SpinOff { to, new, old, to_new, household } => Some(Change {
            action: Action::Spinoff,
            to,
            new: *new,
            old: *old,
            to_new: *to_new,
            rename: false,
            cash: None,
            value: None,
            household: *household,
        }),
        JsonAction::Exchange { to, new, old, rename, cash, value, household } => Some(Change {
            action: Action::Merger,
            to,
            new: *new,
            old: *old,
            to_new: None,
            rename: *rename,
            cash: *cash,
            value: *value,
            household: *household,
        }),
        _ => None,
    }
}

/// Shares after a change of `new` for `old`; `None` where they leave every sensible range.
fn times(shares: Shares, new: Shares, old: Shares) -> Option<Shares> {
    mul_div(shares.billionths(), new.billionths(), old.billionths(), Rounding::HalfEven)
        .map(Shares::from_billionths)
        .filter(|after| after.abs() <= MOST_SHARES)
}

/// The largest number of shares that a file can state.
const MOST_SHARES: Shares = Shares::from_whole(1_000_000_000_000_000);
