//! Corporate actions, which brokers write as pairs of rows: the old security leaves in one row, the
//! new one comes in another, often under numbers instead of tickers.
//!
//! Legs are paired by account, kind, day, words and shares. What is not certain stays unpaired and
//! is named; no tax rule is applied here, and no ratio is invented.

mod security;

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Rate, Shares, Symbol};

use crate::{Action, Stated, Transaction};
use security::Known;

/// Days within which the rows of one corporate action are booked.
const SAME_ACTION_DAYS: i32 = 5;
/// With more possible partners than this nothing is certain, and a hostile file would cost time.
const MOST_CANDIDATES: usize = 64;

/// What a corporate action did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CorporateKind {
    /// The same security with another count of shares: a split booked as two rows.
    Split,
    /// The same security under another name or number.
    Rename,
    /// Shares became shares of another security: a merger for stock, a conversion, an exchange.
    Exchange,
    /// Shares of a new company beside those of the parent.
    SpinOff,
    /// Shares were given up for cash alone.
    CashMerger,
}

/// One side of a corporate action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Ticker, or the CUSIP or ISIN where no row of the files tells the ticker.
    pub symbol: Symbol,
    /// Shares that left or came, above zero; zero for the parent of a spin-off.
    pub shares: Shares,
}

/// A corporate action with all its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorporateEvent {
    /// What it did.
    pub kind: CorporateKind,
    /// Account concerned.
    pub account: String,
    /// Day of its first row.
    pub date: Date,
    /// What was given up, or the parent of a spin-off; `None` where the parent is not known.
    pub from: Option<Leg>,
    /// What came instead.
    pub to: Option<Leg>,
    /// Cash beside it, in the account's currency.
    pub cash: Money,
    /// New shares for old, where the rows state it themselves.
    pub ratio: Option<(Shares, Shares)>,
    /// Part of the parent's basis that moves to a company spun off, 0 to 1, where the rows state it.
    pub to_new: Option<Rate>,
    /// Market value of the new shares in total, where the rows state it.
    pub value: Option<Money>,
    /// Positions of its rows in the slice that was looked through, rising.
    pub rows: Vec<usize>,
}

/// What [`events`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorporateActions {
    /// Actions whose rows belong together, by their first row.
    pub events: Vec<CorporateEvent>,
    /// Rows of mergers and split pairs that could belong to several others, by position.
    pub unclear: Vec<usize>,
}

/// Rows of one account, day, kind, security and direction, taken together.
#[derive(Debug)]
struct Side<'a> {
    first: &'a Transaction,
    rows: Vec<usize>,
    shares: Shares,
    amount: Money,
}

/// Joins the rows of corporate actions. `transactions` are in the order in which they happened and
/// may be of several accounts.
#[must_use]
pub fn events(transactions: &[&Transaction]) -> CorporateActions {
    let known = Known::of(transactions);
    let mut found = CorporateActions::default();
    let sides = sides(transactions);
    let (outs, rest): (Vec<Side<'_>>, Vec<Side<'_>>) = sides.into_iter().partition(|side| side.shares.is_negative());
    let (ins, cash): (Vec<Side<'_>>, Vec<Side<'_>>) = rest.into_iter().partition(|side| side.shares.is_positive());
    let mut ins: Vec<Option<Side<'_>>> = ins.into_iter().map(Some).collect();
    let mut cash: Vec<Option<Side<'_>>> = cash.into_iter().map(Some).collect();
    let ins_dates: Vec<Date> = ins.iter().flatten().map(|side| side.first.trade_date).collect();
    let mut by_kind: BTreeMap<(&str, Action), Vec<usize>> = BTreeMap::new();
    for (at, side) in ins.iter().flatten().enumerate() {
        by_kind.entry((&side.first.account, side.first.action)).or_default().push(at);
    }
    by_kind.values_mut().for_each(|places| places.sort_by_key(|&at| ins_dates[at]));
    for out in outs {
        let near = window(&by_kind, &ins_dates, out.first);
        if near.len() > MOST_CANDIDATES {
            found.unclear.extend(&out.rows);
            continue;
        }
        let scores: Vec<(u32, usize)> =
            near.iter().filter_map(|&at| Some((likeness(&out, ins[at].as_ref()?)?, at))).collect();
        let best = scores.iter().map(|(score, _)| *score).max();
        let mut of_best = scores.iter().filter(|(score, _)| Some(*score) == best);
        match (of_best.next(), of_best.next()) {
            (Some((_, at)), None) => {
                let Some(side) = ins[*at].take() else { continue };
                let beside = take_cash(&mut cash, &out);
                found.events.push(pair(&out, &side, beside, &known));
            }
            (Some(_), Some(_)) => {
                found.unclear.extend(&out.rows);
                found.unclear.extend(of_rows(&ins, scores.iter().filter(|(score, _)| Some(*score) == best)));
            }
            (None, _) => {
                if let Some(event) = cash_merger(&out, &mut cash, &known) {
                    found.events.push(event);
                }
            }
        }
    }
    for side in ins.iter().flatten().filter(|side| side.first.action == Action::Spinoff) {
        if let Some(event) = spin_off(side, &known) {
            found.events.push(event);
        }
    }
    found.events.sort_by(|a, b| a.rows.cmp(&b.rows));
    found.unclear.sort_unstable();
    found.unclear.dedup();
    found
}

/// Sides of the account and kind within the days of one action.
fn window<'s>(by_kind: &'s BTreeMap<(&str, Action), Vec<usize>>, dates: &[Date], of: &Transaction) -> &'s [usize] {
    let key = (of.account.as_str(), of.action);
    let places = by_kind.iter().find(|(own, _)| **own == key).map_or(&[][..], |(_, places)| places.as_slice());
    let (first, last) = (of.trade_date.plus_days(-SAME_ACTION_DAYS), of.trade_date.plus_days(SAME_ACTION_DAYS));
    let start = places.partition_point(|&at| dates[at] < first);
    let end = places.partition_point(|&at| dates[at] <= last);
    &places[start..end]
}

fn of_rows<'s>(ins: &[Option<Side<'_>>], scores: impl Iterator<Item = &'s (u32, usize)>) -> Vec<usize> {
    scores.filter_map(|(_, at)| ins[*at].as_ref()).flat_map(|side| side.rows.clone()).collect()
}

fn sides<'a>(transactions: &[&'a Transaction]) -> Vec<Side<'a>> {
    let mut sides: Vec<Side<'a>> = Vec::new();
    for (at, &transaction) in transactions.iter().enumerate() {
        let takes_part = match transaction.action {
            Action::Merger | Action::Spinoff => true,
            Action::Split => transaction.split_ratio.is_none() || is_reverse(transaction),
            _ => false,
        };
        if !takes_part {
            continue;
        }
        let shares = transaction.shares.unwrap_or_default();
        let same = |side: &&mut Side<'_>| {
            let first = side.first;
            first.account == transaction.account
                && first.trade_date == transaction.trade_date
                && (first.action, &first.detail) == (transaction.action, &transaction.detail)
                && (&first.symbol, &first.cusip) == (&transaction.symbol, &transaction.cusip)
                && side.shares.is_negative() == shares.is_negative()
                && side.shares.is_zero() == shares.is_zero()
        };
        match sides.iter_mut().rev().take(20).find(same) {
            Some(side) => {
                side.rows.push(at);
                side.shares += shares;
                side.amount += transaction.amount;
            }
            None => sides.push(Side { first: transaction, rows: vec![at], shares, amount: transaction.amount }),
        }
    }
    sides
}

fn is_reverse(transaction: &Transaction) -> bool {
    transaction.detail.as_deref() == Some("reverse")
}

/// Whether two rows can be of one action at all.
fn together(a: &Transaction, b: &Transaction) -> bool {
    a.account == b.account
        && a.currency == b.currency
        && a.action == b.action
        && a.trade_date.days_since(b.trade_date).abs() <= SAME_ACTION_DAYS
}

/// How well two legs fit; `None` where they cannot be of one action.
fn likeness(out: &Side<'_>, into: &Side<'_>) -> Option<u32> {
    let (a, b) = (out.first, into.first);
    if !together(a, b) || a.action == Action::Spinoff {
        return None;
    }
    // Rows that say themselves what became what belong to those that say the same, and to no others.
    let own = exchanged(a);
    if own != exchanged(b) {
        return None;
    }
    if own.is_some() {
        return Some(u32::MAX);
    }
    // Sold for cash that bought the other, as between two funds: a sale and a purchase.
    if out.amount.is_positive() && into.amount.is_negative() {
        return None;
    }
    // A split beside another one of the same day is told apart by its words alone.
    let words = security::shared_words(&a.description, &b.description);
    if a.action == Action::Split && words == 0 && a.symbol != b.symbol {
        return None;
    }
    let mut score = words.min(6) * 2;
    score += if a.detail == b.detail { 4 } else { 0 };
    score += if a.trade_date == b.trade_date { 2 } else { 0 };
    score += if out.shares.abs() == into.shares { 1 } else { 0 };
    Some(score)
}

/// What became what, in the words of a row of our own formats.
fn exchanged(row: &Transaction) -> Option<Stated> {
    let stated = row.detail.as_deref().and_then(Stated::of);
    stated.filter(|stated| matches!(stated, Stated::Exchange { .. }))
}

fn pair(out: &Side<'_>, into: &Side<'_>, beside: (Money, Vec<usize>), known: &Known<'_>) -> CorporateEvent {
    let to = known.of_incoming(into.first);
    let keeps_name = into.first.action == Action::Split || out.first.detail.as_deref() == Some("name_change");
    let from = known.of_outgoing(out.first, out.rows[0], out.shares.abs(), &to, into.first.action == Action::Split);
    let stated = exchanged(into.first);
    let (from, to, keeps_name, value) = match stated {
        Some(Stated::Exchange { from, to, rename, value }) => (from, to, rename, value),
        _ => (from, to, keeps_name, None),
    };
    let kind = match into.first.action {
        Action::Split if from == to => CorporateKind::Split,
        _ if keeps_name => CorporateKind::Rename,
        _ => CorporateKind::Exchange,
    };
    let (cash, cash_rows) = beside;
    let mut rows: Vec<usize> = out.rows.iter().chain(&into.rows).copied().chain(cash_rows).collect();
    rows.sort_unstable();
    CorporateEvent {
        kind,
        account: out.first.account.clone(),
        date: out.first.trade_date.min(into.first.trade_date),
        from: Some(Leg { symbol: from, shares: out.shares.abs() }),
        to: Some(Leg { symbol: to, shares: into.shares }),
        cash: cash + out.amount + into.amount,
        ratio: into.first.split_ratio,
        to_new: None,
        value,
        rows,
    }
}

/// Cash rows of the same action: of the same security, or of like words.
fn take_cash(cash: &mut [Option<Side<'_>>], out: &Side<'_>) -> (Money, Vec<usize>) {
    let (mut sum, mut rows) = (Money::ZERO, Vec::new());
    for place in cash {
        let fits = place.as_ref().is_some_and(|side| {
            let (a, b) = (side.first, out.first);
            let same = (a.symbol.is_some() && a.symbol == b.symbol) || (a.cusip.is_some() && a.cusip == b.cusip);
            together(a, b) && (same || security::shared_words(&a.description, &b.description) > 0)
        });
        if let Some(side) = fits.then(|| place.take()).flatten() {
            sum += side.amount;
            rows.extend(side.rows);
        }
    }
    (sum, rows)
}

fn cash_merger(out: &Side<'_>, cash: &mut [Option<Side<'_>>], known: &Known<'_>) -> Option<CorporateEvent> {
    if out.first.action != Action::Merger {
        return None;
    }
    let (beside, cash_rows) = take_cash(cash, out);
    let total = out.amount + beside;
    if !total.is_positive() {
        return None;
    }
    let symbol = known.of_outgoing(out.first, out.rows[0], out.shares.abs(), &Symbol::parse("-").ok()?, false);
    let mut rows: Vec<usize> = out.rows.iter().copied().chain(cash_rows).collect();
    rows.sort_unstable();
    Some(CorporateEvent {
        kind: CorporateKind::CashMerger,
        account: out.first.account.clone(),
        date: out.first.trade_date,
        from: Some(Leg { symbol, shares: out.shares.abs() }),
        to: None,
        cash: total,
        ratio: None,
        to_new: None,
        value: None,
        rows,
    })
}

fn spin_off(side: &Side<'_>, known: &Known<'_>) -> Option<CorporateEvent> {
    let symbol = side.first.symbol.clone()?;
    let (parent, to_new) = match side.first.detail.as_deref().and_then(Stated::of) {
        Some(Stated::SpinOff { from, to_new }) => (Some(from), to_new),
        _ => (known.parent(side.first, &symbol), None),
    };
    Some(CorporateEvent {
        kind: CorporateKind::SpinOff,
        account: side.first.account.clone(),
        date: side.first.trade_date,
        from: parent.map(|symbol| Leg { symbol, shares: Shares::ZERO }),
        to: Some(Leg { symbol, shares: side.shares }),
        cash: side.amount,
        ratio: side.first.split_ratio,
        to_new,
        value: None,
        rows: side.rows.clone(),
    })
}
