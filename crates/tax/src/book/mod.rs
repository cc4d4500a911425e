//! The book: events go in, rows of Form 8949 and open lots come out (tax rule 4.10).
//!
//! A loss waits 30 days for purchases to wash it, so a row is changed when they come; booking a
//! ledger is applying its events in order, and gives what looking ahead would have given.

mod group;
mod lot;
mod preview;
mod select;
mod wash;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use lotwise_core::{Date, Money, Shares, Symbol};

use self::group::{Acquisition, Desk, Group, Order, Place};
use crate::error::Error;
use crate::model::{
    Account, AccountId, Booking, Event, EventKind, Ledger, LotId, OpenLot, Replacement, Rules, SaleRow,
};

pub use self::preview::{
    LotPreview, PurchasePreview, RecentLoss, RecentPurchase, SalePreview, WashedSale, whatif_sell,
};

/// Days before and after a loss in which a purchase washes it (tax rule 4.1).
pub const WINDOW_DAYS: i32 = 30;

/// No quantity beyond this many whole units is booked, so that sums stay far inside their range.
const LARGEST_UNITS: i64 = 1_000_000_000_000_000;

fn largest_shares() -> Shares {
    Shares::from_whole(LARGEST_UNITS)
}

/// Books a whole ledger. Events out of date order are sorted by date; those of one date stay in
/// the order given.
///
/// # Errors
/// When an event cannot be booked; the first such event, with its culprit.
pub fn book(ledger: &Ledger, rules: &Rules) -> Result<Booking, Error> {
    Ok(Book::of(ledger, rules)?.into_booking())
}

/// A book that takes one event at a time, in date order.
///
/// Cloning shares the lots and copies the rows; to ask «what if» without either, see
/// [`Book::whatif_sell`] and [`Book::whatif_buy`].
#[derive(Debug, Clone)]
pub struct Book {
    rules: Arc<Rules>,
    accounts: Arc<[Account]>,
    account_index: Arc<BTreeMap<AccountId, usize>>,
    group_index: BTreeMap<Symbol, usize>,
    groups: Vec<Arc<Group>>,
    lots: Arc<select::LotIndex>,
    sales: Vec<SaleRow>,
    removed: Vec<OpenLot>,
    permanently_disallowed: Money,
    last: Option<Date>,
    sequence: u64,
}

/// What an event did to the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Rows that it added to [`Book::sales`].
    pub added: Range<usize>,
    /// Earlier rows whose loss it washed, each once, in order.
    pub washed: Vec<usize>,
}

impl Book {
    /// An empty book.
    ///
    /// # Errors
    /// [`Error::DuplicateAccount`], or [`Error::Rate`] for marginal rates outside zero to one.
    pub fn new(accounts: &[Account], rules: &Rules) -> Result<Self, Error> {
        rules.rates.check()?;
        let mut account_index = BTreeMap::new();
        for (index, account) in accounts.iter().enumerate() {
            if account_index.insert(account.id.clone(), index).is_some() {
                return Err(Error::DuplicateAccount { account: account.id.clone() });
            }
        }
        let (group_index, n_groups) = group_symbols(&rules.identity_groups);
        Ok(Self {
            rules: Arc::new(rules.clone()),
            accounts: accounts.into(),
            account_index: Arc::new(account_index),
            group_index,
            groups: (0..n_groups).map(|_| Arc::default()).collect(),
            lots: Arc::default(),
            sales: Vec::new(),
            removed: Vec::new(),
            permanently_disallowed: Money::ZERO,
            last: None,
            sequence: 0,
        })
    }

    /// The book of a whole ledger, open for more.
    ///
    /// # Errors
    /// As [`book`].
    pub fn of(ledger: &Ledger, rules: &Rules) -> Result<Self, Error> {
        let mut book = Self::new(&ledger.accounts, rules)?;
        let mut events: Vec<&Event> = ledger.events.iter().collect();
        events.sort_by_key(|event| event.date);
        for event in events {
            book.apply(event)?;
        }
        Ok(book)
    }

    /// Books one event. On an error the book is what it was.
    ///
    /// # Errors
    /// [`Error::OutOfOrder`] for an event before the last one, or what makes the event impossible.
    pub fn apply(&mut self, event: &Event) -> Result<Applied, Error> {
        let account = self.check(event)?;
        let first_row = self.sales.len();
        let date = event.date;
        let symbol = &event.symbol;
        let mut washed = Vec::new();
        match &event.kind {
            EventKind::Buy { .. } | EventKind::Open { .. } => {
                let what = self.acquisition(account, event)?;
                let purchase = matches!(event.kind, EventKind::Buy { .. });
                let lot = what.lot.clone();
                let place = Place { account, symbol: symbol.clone(), key: (what.acquired, what.sequence) };
                washed = self.change(symbol, date, |desk, group| group.acquire(desk, &what, purchase))?;
                Arc::make_mut(&mut self.lots).insert(lot, place);
            }
            EventKind::Sell { lots, .. } => {
                let order = self.order(account, event)?;
                let index = Arc::clone(&self.lots);
                let rows = self.change(symbol, date, |desk, group| {
                    let cuts = select::select(desk, &index, group, &order, lots)?;
                    Ok(group.sell(desk, &order, cuts))
                })?;
                self.add_rows(rows);
            }
            EventKind::Split { new, old } => {
                self.change(symbol, date, |_, group| group.split(account, symbol, date, *new, *old))?;
            }
            EventKind::Remove { shares } => self.remove(account, event, *shares)?,
            EventKind::ReturnOfCapital { .. } => {
                let order = self.order(account, event)?;
                let rows = self.change(symbol, date, |desk, group| Ok(group.return_capital(desk, &order)))?;
                self.add_rows(rows);
            }
            _ => return Err(not_yet(&event.kind)),
        }
        let mut washed_rows: Vec<usize> = washed.iter().map(|(row, _)| *row).collect();
        washed_rows.dedup();
        for (row, replacement) in washed {
            self.permanently_disallowed += lost(&replacement);
            self.sales[row].add_match(replacement);
        }
        self.last = Some(date);
        self.sequence += 1;
        Ok(Applied { added: first_row..self.sales.len(), washed: washed_rows })
    }

    /// Rows so far, in order of sale; the losses of the last 30 days are tentative.
    #[must_use]
    pub fn sales(&self) -> &[SaleRow] {
        &self.sales
    }

    /// Segments held, by account, symbol and acquisition.
    #[must_use]
    pub fn open_lots(&self) -> Vec<OpenLot> {
        let mut lots: Vec<(usize, OpenLot)> =
            self.groups.iter().flat_map(|group| group.open_lots(&self.accounts)).collect();
        // A stable sort: acquisitions and segments stay in the order of the book.
        lots.sort_by(|(account, a), (other, b)| account.cmp(other).then_with(|| a.symbol.cmp(&b.symbol)));
        lots.into_iter().map(|(_, lot)| lot).collect()
    }

    /// Segments held of one symbol in one account, by acquisition.
    #[must_use]
    pub fn open_lots_of(&self, account: &AccountId, symbol: &Symbol) -> Vec<OpenLot> {
        let Some(group) = self.group_index.get(symbol).map(|index| &self.groups[*index]) else { return Vec::new() };
        let lots = group.open_lots(&self.accounts).map(|(_, lot)| lot);
        lots.filter(|lot| lot.account == *account && lot.symbol == *symbol).collect()
    }

    /// Shares held of one symbol in one account.
    #[must_use]
    pub fn held(&self, account: &AccountId, symbol: &Symbol) -> Shares {
        let group = self.group_index.get(symbol).map(|index| &self.groups[*index]);
        let position = self
            .account_index
            .get(account)
            .zip(group)
            .and_then(|(account, group)| group.positions.get(&(*account, symbol.clone())));
        position.map_or(Shares::ZERO, |position| position.held)
    }

    /// Losses gone for good so far.
    #[must_use]
    pub fn permanently_disallowed(&self) -> Money {
        self.permanently_disallowed
    }

    /// The switches in use.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The accounts of the household that are loaded.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Date of the last event.
    #[must_use]
    pub fn last_date(&self) -> Option<Date> {
        self.last
    }

    /// The book as it stands.
    #[must_use]
    pub fn booking(&self) -> Booking {
        self.clone().into_booking()
    }

    /// The book as it stands, at its end.
    #[must_use]
    pub fn into_booking(self) -> Booking {
        Booking {
            open_lots: self.open_lots(),
            sales: self.sales,
            open_shorts: Vec::new(),
            removed: self.removed,
            permanently_disallowed: self.permanently_disallowed,
            notes: Vec::new(),
            rules: Arc::unwrap_or_clone(self.rules),
        }
    }

    fn desk(&self) -> Desk<'_> {
        Desk { rules: &self.rules, accounts: &self.accounts }
    }

    /// A copy of the symbol's group as it stands on `date`.
    fn group_on(&self, symbol: &Symbol, date: Date) -> Group {
        let mut group = match self.group_index.get(symbol) {
            Some(index) => self.groups[*index].as_ref().clone(),
            None => Group::default(),
        };
        group.turn_to(date);
        group
    }

    /// Changes the symbol's group, which is made if it is new.
    fn change<T>(
        &mut self,
        symbol: &Symbol,
        date: Date,
        change: impl FnOnce(Desk<'_>, &mut Group) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let index = match self.group_index.get(symbol) {
            Some(index) => *index,
            None => {
                self.groups.push(Arc::default());
                self.group_index.insert(symbol.clone(), self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        let group = Arc::make_mut(&mut self.groups[index]);
        group.turn_to(date);
        change(Desk { rules: &self.rules, accounts: &self.accounts }, group)
    }

    fn add_rows(&mut self, rows: Vec<SaleRow>) {
        self.permanently_disallowed += rows.iter().flat_map(|row| &row.matches).map(lost).sum();
        self.sales.extend(rows);
    }

    fn remove(&mut self, account: usize, event: &Event, shares: Shares) -> Result<(), Error> {
        let Event { date, symbol, .. } = event;
        let named = &self.accounts[account];
        let held = self.held(&named.id, symbol);
        if held < shares {
            return Err(Error::InsufficientShares {
                account: named.id.clone(),
                symbol: symbol.clone(),
                date: *date,
                held,
                wanted: shares,
            });
        }
        let method = named.method;
        let removed = self.change(symbol, *date, |desk, group| {
            let Some(position) = group.positions.get(&(account, symbol.clone())) else { return Ok(Vec::new()) };
            let mut cuts = select::without_price(position, shares, method)?;
            cuts.sort();
            let gone = group.take(account, symbol, &cuts);
            let seen = |sold: &group::Sold| {
                group::open_lot(&desk.accounts[account], symbol, sold.key, &sold.lot, sold.source, &sold.segment)
            };
            Ok(gone.iter().map(seen).collect())
        })?;
        self.removed.extend(removed);
        Ok(())
    }

    /// What every event has to satisfy, and its account.
    fn check(&self, event: &Event) -> Result<usize, Error> {
        let date = event.date;
        if let Some(last) = self.last.filter(|last| date < *last) {
            return Err(Error::OutOfOrder { date, last });
        }
        let account = self.account_index.get(&event.account).copied();
        let account = account.ok_or_else(|| Error::UnknownAccount { account: event.account.clone(), date })?;
        let check = Quantities { date };
        match &event.kind {
            EventKind::Buy { lot, shares, amount, fee } => {
                check.shares("shares", lot, *shares)?;
                check.money("amount", lot, *amount)?;
                check.money("fee", lot, *fee)?;
                self.check_new(lot, date)?;
            }
            EventKind::Open { lot, shares, basis, acquired, .. } => {
                check.shares("shares", lot, *shares)?;
                check.money("basis", lot, basis.unwrap_or(Money::ZERO))?;
                self.check_new(lot, date)?;
                if let Some(acquired) = acquired.filter(|acquired| *acquired > date) {
                    return Err(Error::AcquiredLater { lot: lot.clone(), acquired, date });
                }
            }
            EventKind::Sell { sale, shares, amount, fee, .. } => {
                check.shares("shares", sale, *shares)?;
                check.money("amount", sale, *amount)?;
                check.money("fee", sale, *fee)?;
            }
            EventKind::Split { new, old } => {
                check.shares("new shares of the split", &event.symbol, *new)?;
                check.shares("old shares of the split", &event.symbol, *old)?;
            }
            EventKind::Remove { shares } => check.shares("shares", &event.symbol, *shares)?,
            EventKind::ReturnOfCapital { sale, amount } => check.money("amount", sale, *amount)?,
            other => return Err(not_yet(other)),
        }
        Ok(account)
    }

    fn check_new(&self, lot: &LotId, date: Date) -> Result<(), Error> {
        if self.lots.contains_key(lot) {
            return Err(Error::DuplicateLot { lot: lot.clone(), date });
        }
        Ok(())
    }

    fn acquisition<'a>(&self, account: usize, event: &'a Event) -> Result<Acquisition<'a>, Error> {
        let (lot, shares, basis, acquired, source) = match &event.kind {
            EventKind::Buy { lot, shares, amount, fee } => {
                (lot, *shares, Some(*amount + *fee), Some(event.date), crate::model::BasisSource::Purchase)
            }
            EventKind::Open { lot, shares, basis, acquired, source } => (lot, *shares, *basis, *acquired, *source),
            _ => return Err(Error::OtherKind { wanted: "purchase", date: event.date }),
        };
        let symbol = &event.symbol;
        Ok(Acquisition { account, symbol, lot, shares, basis, acquired, source, sequence: self.sequence })
    }

    fn order<'a>(&self, account: usize, event: &'a Event) -> Result<Order<'a>, Error> {
        let (sale, shares, proceeds) = match &event.kind {
            EventKind::Sell { sale, shares, amount, fee, .. } => (sale, *shares, *amount - *fee),
            EventKind::ReturnOfCapital { sale, amount } => {
                let (named, symbol) = (&self.accounts[account].id, &event.symbol);
                let held = self.held(named, symbol);
                if held.is_zero() {
                    return Err(Error::NothingHeld {
                        account: named.clone(),
                        symbol: symbol.clone(),
                        date: event.date,
                    });
                }
                (sale, held, *amount)
            }
            _ => return Err(Error::OtherKind { wanted: "sale", date: event.date }),
        };
        let (symbol, date) = (&event.symbol, event.date);
        Ok(Order { account, symbol, date, sale, shares, proceeds, first_row: self.sales.len() })
    }
}

/// Range checks of one event.
struct Quantities {
    date: Date,
}

impl Quantities {
    fn shares(&self, field: &'static str, of: &dyn Display, shares: Shares) -> Result<(), Error> {
        if !shares.is_positive() {
            return Err(Error::NotPositive { field, of: of.to_string(), date: self.date });
        }
        if shares > largest_shares() {
            return Err(Error::OutOfRange { field, of: of.to_string() });
        }
        Ok(())
    }

    fn money(&self, field: &'static str, of: &dyn Display, amount: Money) -> Result<(), Error> {
        if amount.is_negative() {
            return Err(Error::Negative { field, of: of.to_string(), date: self.date });
        }
        if amount > Money::from_whole(LARGEST_UNITS) {
            return Err(Error::OutOfRange { field, of: of.to_string() });
        }
        Ok(())
    }
}

/// The kinds of event whose booking is being written.
fn not_yet(kind: &EventKind) -> Error {
    let (what, rule) = match kind {
        EventKind::Transfer { .. } => ("a transfer between accounts", "2.10"),
        EventKind::Gift { .. } => ("a gift", "2.5"),
        EventKind::Inherit { .. } => ("an inheritance", "2.6"),
        EventKind::SpinOff { .. } => ("a spin-off", "2.4"),
        EventKind::Exchange { .. } => ("an exchange of shares", "2.4"),
        EventKind::ShortSell { .. } | EventKind::Cover { .. } => ("a short sale", "2.9"),
        _ => ("exercise, assignment or expiry of an option", "2.8"),
    };
    Error::Unsupported { what, rule }
}

/// What a match loses for good.
fn lost(replacement: &Replacement) -> Money {
    if replacement.permanent { replacement.disallowed } else { Money::ZERO }
}

/// Numbers the identity groups. Sets that share a symbol are one group: what is identical to the
/// same thing is treated as identical, the cautious reading.
fn group_symbols(sets: &[Vec<Symbol>]) -> (BTreeMap<Symbol, usize>, usize) {
    let mut groups: Vec<Vec<&Symbol>> = Vec::new();
    for set in sets.iter().filter(|set| !set.is_empty()) {
        let mut merged: Vec<&Symbol> = set.iter().collect();
        groups.retain(|group| {
            let shared = group.iter().any(|symbol| merged.contains(symbol));
            if shared {
                merged.extend(group);
            }
            !shared
        });
        groups.push(merged);
    }
    let index = groups
        .iter()
        .enumerate()
        .flat_map(|(index, group)| group.iter().map(move |symbol| ((*symbol).clone(), index)))
        .collect();
    (index, groups.len())
}
