//! Trades that a later row takes back: both rows are gone, as if neither had happened.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Date, Money, Shares};
use lotwise_statements::{Action, Transaction};

use super::questions::Questions;
use super::rows::Entry;
use crate::suggestion::share_text;

/// Whether a row takes another one back.
pub(super) fn is_cancellation(transaction: &Transaction) -> bool {
    transaction.action == Action::Other
        && transaction.detail.as_deref().is_some_and(|detail| detail.starts_with("cancelled_"))
}

/// What a cancellation and its trade have in common. Some brokers turn the signs of a
/// cancellation and some do not, so both are compared without them.
type Likeness<'a> = (&'a str, &'a str, Option<Shares>, Money);

fn likeness(transaction: &Transaction) -> Likeness<'_> {
    let symbol = transaction.symbol.as_ref().map(lotwise_core::Symbol::as_str);
    let security = symbol.or(transaction.cusip.as_deref()).unwrap_or_default();
    (&transaction.account, security, transaction.shares.map(Shares::abs), transaction.amount.abs())
}

/// Whether the cancellation names this kind of row.
fn undoes(cancellation: &Transaction, candidate: &Transaction) -> bool {
    match cancellation.detail.as_deref() {
        Some("cancelled_buy") => matches!(candidate.action, Action::Buy | Action::Reinvest),
        Some("cancelled_sell") => candidate.action == Action::Sell,
        _ => true,
    }
}

/// Takes out every trade that a row up to `as_of` takes back, together with that row: the nearest
/// earlier one of the same account, security, shares and amount. A cancellation that finds none is
/// a question; its cash counts and its shares do not.
pub(super) fn undo<'a>(entries: Vec<Entry<'a>>, as_of: Date, questions: &mut Questions<'_>) -> Vec<Entry<'a>> {
    let mut trades: BTreeMap<Likeness<'a>, Vec<usize>> = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !is_cancellation(entry.transaction)) {
        trades.entry(likeness(entry.transaction)).or_default().push(at);
    }
    for (at, entry) in entries.iter().enumerate() {
        let transaction = entry.transaction;
        if !is_cancellation(transaction) || transaction.trade_date > as_of {
            continue;
        }
        let key = key(transaction);
        let named = questions.answer(&key).filter(|answer| *answer != LEAVE_OUT);
        let found = match named {
            Some(answer) => {
                let place = |one: &&Entry<'_>| one.transaction.id == answer || one.place() == answer;
                let found = entries.iter().enumerate().find(|(_, one)| place(one)).map(|(position, _)| position);
                if found.is_none_or(|position| gone.contains(&position)) {
                    questions.misunderstood(&key, "the id of the trade, or its place such as history.csv:12");
                }
                found.filter(|position| !gone.contains(position))
            }
            None => {
                let alike = trades.get(&likeness(transaction)).map_or(&[][..], Vec::as_slice);
                let mut earlier = alike.iter().copied().filter(|position| {
                    let candidate = entries[*position].transaction;
                    candidate.trade_date <= transaction.trade_date
                        && undoes(transaction, candidate)
                        && !gone.contains(position)
                });
                // The last of the nearest day: entries are sorted by date.
                earlier.next_back()
            }
        };
        match found {
            Some(position) => gone.extend([position, at]),
            None if questions.answer(&key).is_some() => {}
            None => {
                let text = format!(
                    "{} of {} for {} on {} takes an earlier trade back that the files do not show; its cash counts, \
                     its shares do not",
                    share_text(transaction.shares.unwrap_or_default().abs()),
                    security(transaction),
                    transaction.amount.abs(),
                    transaction.trade_date
                );
                let symbol = transaction.symbol.as_ref();
                questions.ask("cancelled-unknown", &key, symbol, text, LEAVE_OUT, Some(entry.place()));
            }
        }
    }
    let mut position = 0;
    let mut kept = entries;
    kept.retain(|_| {
        position += 1;
        !gone.contains(&(position - 1))
    });
    kept
}

/// The proposed answer.
const LEAVE_OUT: &str = "leave it out of the lots";

fn security(transaction: &Transaction) -> &str {
    let symbol = transaction.symbol.as_ref().map(lotwise_core::Symbol::as_str);
    symbol.or(transaction.cusip.as_deref()).unwrap_or(&transaction.description)
}

fn key(transaction: &Transaction) -> String {
    let shares = transaction.shares.unwrap_or_default();
    let (security, account) = (security(transaction), &transaction.account);
    format!("cancelled:{security}@{account}:{}:{shares}", transaction.trade_date)
}
