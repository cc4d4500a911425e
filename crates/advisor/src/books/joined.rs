//! Rows that belong together, also across files: corporate actions, shares that move between own
//! accounts, and options that become stock.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Date, Shares, Symbol};
use lotwise_statements::corporate::{self, CorporateEvent};
use lotwise_statements::{Action, StatedLot, Transaction};

use super::contracts;
use super::questions::Questions;
use super::rows::{Entry, is_option};
use crate::answers;
use crate::issue::{Issue, Severity};

/// Days that shares may be on their way between two accounts.
const TRANSFER_DAYS: i32 = 10;
/// Days between an exercise or assignment and the stock that it moves.
const DELIVERY_DAYS: i32 = 4;
/// Days between a vesting and its booking in the account.
const GRANT_DAYS: i32 = 10;

/// Several rows that are one event.
#[derive(Debug)]
pub(super) enum Joint<'a> {
    /// A corporate action.
    Corporate(CorporateEvent),
    /// Shares that left one loaded account and came into another.
    Transfer(Transfer<'a>),
    /// An option exercised or assigned, with the stock that moved.
    Delivery {
        /// The option's row.
        option: Entry<'a>,
        /// The stock's row.
        stock: Entry<'a>,
    },
}

/// Shares that moved between loaded accounts.
#[derive(Debug)]
pub(super) struct Transfer<'a> {
    pub(super) out: Entry<'a>,
    pub(super) into: Entry<'a>,
    pub(super) symbol: Symbol,
    pub(super) shares: Shares,
    /// The earlier of the two rows' days.
    pub(super) date: Date,
}

/// What belongs together, by the position of its first row.
#[derive(Debug, Default)]
pub(super) struct Joints<'a> {
    /// Events by the position of their first row.
    pub(super) at: BTreeMap<usize, Vec<Joint<'a>>>,
    /// Rows that are part of one; their cash counts by itself, their shares do not.
    pub(super) rows: BTreeSet<usize>,
    /// Lots that another file states for a grant, by the position of the grant's row.
    pub(super) grants: BTreeMap<usize, Vec<StatedLot>>,
}

impl<'a> Joints<'a> {
    pub(super) fn of(entries: &[Entry<'a>], questions: &mut Questions<'_>) -> Self {
        let mut joints = Self::default();
        joints.corporate(entries, questions);
        joints.grants(entries);
        joints.transfers(entries);
        joints.deliveries(entries);
        joints
    }

    /// All corporate actions.
    pub(super) fn corporate_events(&self) -> impl Iterator<Item = (usize, &CorporateEvent)> {
        self.at.iter().flat_map(|(at, joints)| {
            joints.iter().filter_map(|joint| match joint {
                Joint::Corporate(event) => Some((*at, event)),
                _ => None,
            })
        })
    }

    fn add(&mut self, rows: &[usize], joint: Joint<'a>) {
        let Some(first) = rows.iter().min() else { return };
        self.at.entry(*first).or_default().push(joint);
        self.rows.extend(rows);
    }

    fn corporate(&mut self, entries: &[Entry<'a>], questions: &mut Questions<'_>) {
        let stock: Vec<usize> = (0..entries.len()).filter(|&at| !is_option(entries[at].transaction)).collect();
        let transactions: Vec<&Transaction> = stock.iter().map(|&at| entries[at].transaction).collect();
        let found = corporate::events(&transactions);
        for mut event in found.events {
            event.rows = event.rows.iter().map(|&row| stock[row]).collect();
            let rows = event.rows.clone();
            self.add(&rows, Joint::Corporate(event));
        }
        for row in found.unclear {
            let entry = entries[stock[row]];
            let text = format!(
                "it is not clear which other row of the same corporate action belongs to {} ({})",
                entry.transaction.action, entry.transaction.description
            );
            questions.tell(Issue::new("legs-unclear", Severity::Warning, None, text).at(entry.place()));
        }
    }

    /// A vesting in a file of awards and its booking in a file of the account are one grant.
    fn grants(&mut self, entries: &[Entry<'a>]) {
        let grants: Vec<usize> =
            (0..entries.len()).filter(|&at| entries[at].transaction.action == Action::Grant).collect();
        for &award in &grants {
            let stated = entries[award].transaction;
            if stated.lots.is_empty() {
                continue;
            }
            let booked = grants.iter().copied().find(|&at| {
                let one = entries[at].transaction;
                entries[at].file != entries[award].file
                    && one.lots.is_empty()
                    && !self.rows.contains(&at)
                    && !self.grants.contains_key(&at)
                    && (&one.symbol, one.shares) == (&stated.symbol, stated.shares)
                    && one.trade_date.days_since(stated.trade_date).abs() <= GRANT_DAYS
            });
            if let Some(at) = booked {
                self.grants.insert(at, stated.lots.clone());
                self.rows.insert(award);
            }
        }
    }

    fn transfers(&mut self, entries: &[Entry<'a>]) {
        let mut coming: BTreeMap<(&Symbol, Shares), Vec<usize>> = BTreeMap::new();
        let moves = |at: &usize| -> Option<(&'a Symbol, Shares)> {
            let transaction = entries[*at].transaction;
            let given = transaction.detail.as_deref().is_some_and(|detail| answers::origin(detail).is_some());
            let moved = matches!(transaction.action, Action::TransferIn | Action::TransferOut) && !given;
            let shares = transaction.shares.filter(|shares| moved && !shares.is_zero())?;
            Some((transaction.symbol.as_ref()?, shares))
        };
        for at in 0..entries.len() {
            if let Some((symbol, shares)) = moves(&at).filter(|(_, shares)| shares.is_positive()) {
                coming.entry((symbol, shares)).or_default().push(at);
            }
        }
        for at in 0..entries.len() {
            let Some((symbol, shares)) = moves(&at).filter(|(_, shares)| shares.is_negative()) else { continue };
            let out = entries[at];
            let days =
                |other: usize| entries[other].transaction.trade_date.days_since(out.transaction.trade_date).abs();
            let Some(found) = coming.get_mut(&(symbol, shares.abs())) else { continue };
            let nearest = (0..found.len())
                .filter(|&place| entries[found[place]].transaction.account != out.transaction.account)
                .filter(|&place| days(found[place]) <= TRANSFER_DAYS)
                .min_by_key(|&place| days(found[place]));
            if let Some(place) = nearest {
                let other = found.remove(place);
                let into = entries[other];
                let date = out.transaction.trade_date.min(into.transaction.trade_date);
                let transfer = Transfer { out, into, symbol: symbol.clone(), shares: shares.abs(), date };
                self.add(&[at, other], Joint::Transfer(transfer));
            }
        }
    }

    /// An exercise or assignment and the purchase or sale of the stock: the same account, within
    /// days, contracts times multiplier in shares, by the words of the row or at the strike.
    fn deliveries(&mut self, entries: &[Entry<'a>]) {
        let mut stock: BTreeMap<(&str, &Symbol), Vec<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let transaction = entry.transaction;
            if let (Action::Buy | Action::Sell, false, Some(symbol)) =
                (transaction.action, is_option(transaction), &transaction.symbol)
            {
                stock.entry((&transaction.account, symbol)).or_default().push(at);
            }
        }
        for (at, entry) in entries.iter().enumerate() {
            let transaction = entry.transaction;
            if !contracts::delivers(transaction) {
                continue;
            }
            let Some(contract) = contracts::terms(transaction) else { continue };
            let wanted = contracts::delivered(&contract, transaction.shares.unwrap_or_default().abs());
            let key = (transaction.account.as_str(), &contract.underlying);
            let candidates = stock.get(&key).map_or(&[][..], Vec::as_slice);
            let found = candidates.iter().copied().filter(|other| !self.rows.contains(other)).find(|&other| {
                let row = entries[other].transaction;
                let near = row.trade_date.days_since(transaction.trade_date).abs() <= DELIVERY_DAYS;
                let says = row.detail.as_deref().is_some_and(|detail| contracts::DELIVERED.contains(&detail));
                near && row.shares.map(Shares::abs) == Some(wanted) && (says || row.price == Some(contract.strike))
            });
            if let Some(other) = found {
                let joint = Joint::Delivery { option: *entry, stock: entries[other] };
                self.add(&[at, other], joint);
            }
        }
    }
}
