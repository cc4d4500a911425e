//! The book: events go in, rows of Form 8949 and open lots come out (tax rule 4.10).
//!
//! A loss waits 30 days for purchases to wash it, so a row is changed when they come; booking a
//! ledger is applying its events in order, and gives what looking ahead would have given.
//!
//! [`Book`] speaks in names. Below it [`IndexedBook`] does the work in numbers.

mod batch;
mod check;
mod choose;
mod corporate;
mod delivery;
mod expand;
mod glance;
mod group;
mod index;
mod indexed;
mod least_tax;
mod lot;
mod names;
mod preview;
mod purchases;
mod rank;
mod replay;
mod rows;
mod sell;
mod settle;
mod short;
mod wash;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use lotwise_core::{Date, Money, OptionContract, OptionRight, Shares, Symbol};

use self::names::Names;
use crate::error::Error;
use crate::model::{
    Account, AccountId, AssetClass, BasisSource, Booking, Delivery, Event, EventKind, Ledger, LotId, LotSelection,
    Rules, SaleId, Scope, Way,
};

pub use self::batch::{TradeEvent, TradeSide};
pub use self::glance::Holding;
pub use self::index::{AccountIdx, At, Fault, LotIdx, Pick, Received, SaleIdx, SymbolIdx, SymbolKind, Trade};
pub use self::indexed::IndexedBook;
pub use self::preview::{
    LotPreview, PurchasePreview, RecentLoss, RecentPurchase, SalePreview, WashedSale, whatif_sell,
};
pub use self::rows::{Match, Realised, Row};
pub use self::settle::settlement_date;

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
/// To ask «what if» without changing it, see [`Book::whatif_sell`] and [`Book::whatif_buy`].
#[derive(Debug, Clone)]
pub struct Book {
    rules: Arc<Rules>,
    accounts: Arc<[Account]>,
    account_index: Arc<BTreeMap<AccountId, u32>>,
    symbols: Names<Symbol>,
    lots: Names<LotId>,
    sales: Vec<SaleId>,
    core: IndexedBook,
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
    /// [`Error::DuplicateAccount`]; [`Error::Rate`] for marginal rates outside zero to one; or
    /// [`Error::UnsupportedSymbol`] for a class of security that is refused.
    pub fn new(accounts: &[Account], rules: &Rules) -> Result<Self, Error> {
        rules.rates.check()?;
        let mut account_index = BTreeMap::new();
        for (number, account) in accounts.iter().enumerate() {
            if account_index.insert(account.id.clone(), number as u32).is_some() {
                return Err(Error::DuplicateAccount { account: account.id.clone() });
            }
        }
        let rules = Arc::new(rules.clone());
        let holders: Vec<_> = accounts.iter().map(|account| (account.kind, account.method)).collect();
        let mut book = Self {
            core: IndexedBook::new(&holders, Arc::clone(&rules)),
            accounts: accounts.into(),
            account_index: Arc::new(account_index),
            symbols: Names::default(),
            lots: Names::default(),
            sales: Vec::new(),
            rules: Arc::clone(&rules),
        };
        for set in &rules.identity_groups {
            // What is identical to the same thing is treated as identical, the cautious reading.
            let known = set.iter().find_map(|symbol| book.symbols.number(symbol));
            let mut first = known.map(SymbolIdx);
            for symbol in set {
                let number = match book.symbols.number(symbol) {
                    Some(number) => SymbolIdx(number),
                    None => book.add_symbol(symbol, first)?,
                };
                let first = *first.get_or_insert(number);
                book.core.declare_identical(number, first);
            }
        }
        Ok(book)
    }

    /// The book of a whole ledger, open for more.
    ///
    /// # Errors
    /// As [`book`].
    pub fn of(ledger: &Ledger, rules: &Rules) -> Result<Self, Error> {
        let mut book = Self::new(&ledger.accounts, rules)?;
        let (mut n_lots, mut n_sales, mut in_order, mut last) = (0, 0, true, Date::MIN);
        for event in &ledger.events {
            n_lots += usize::from(matches!(event.kind, EventKind::Buy { .. }));
            n_sales += usize::from(matches!(event.kind, EventKind::Sell { .. }));
            in_order &= last <= event.date;
            last = event.date;
        }
        book.lots.reserve(n_lots);
        book.sales.reserve(n_sales);
        if in_order {
            book.replay(&ledger.events)?;
            return Ok(book);
        }
        let mut events: Vec<&Event> = ledger.events.iter().collect();
        events.sort_by_key(|event| event.date);
        book.replay(events)?;
        Ok(book)
    }

    /// Books one event. On an error the book is what it was.
    ///
    /// # Errors
    /// [`Error::OutOfOrder`] for an event before the last one, or what makes the event impossible.
    pub fn apply(&mut self, event: &Event) -> Result<Applied, Error> {
        let account = self.check(event)?;
        let symbol = self.symbol(&event.symbol)?;
        let first_row = self.core.rows().len();
        let at = At { date: event.date, account, symbol };
        self.dispatch(at, event)?;
        let mut washed: Vec<usize> = self.core.out.washed.iter().map(|row| *row as usize).collect();
        washed.dedup();
        Ok(Applied { added: first_row..self.core.rows().len(), washed })
    }

    fn dispatch(&mut self, at: At, event: &Event) -> Result<(), Error> {
        let named = |fault: Fault, book: &Self| book.named(fault, event);
        match &event.kind {
            EventKind::Buy { lot, shares, amount, fee } => {
                let trade = Trade { shares: *shares, amount: *amount, fee: *fee };
                self.core.buy(at, trade).map_err(|fault| named(fault, self))?;
                self.lots.push(lot.clone());
            }
            EventKind::Open { lot, shares, basis, acquired, source } => {
                let what = Received {
                    shares: *shares,
                    basis: *basis,
                    basis_for_loss: None,
                    acquired: *acquired,
                    source: *source,
                };
                self.receive(at, event, lot, what)?;
            }
            EventKind::Gift { lot, shares, donor_basis, donor_acquired, value } => {
                let what = Received {
                    shares: *shares,
                    basis: *donor_basis,
                    basis_for_loss: Some(*value),
                    acquired: *donor_acquired,
                    source: BasisSource::Gift,
                };
                self.receive(at, event, lot, what)?;
            }
            EventKind::Inherit { lot, shares, value, died } => {
                let what = Received {
                    shares: *shares,
                    basis: *value,
                    basis_for_loss: None,
                    acquired: Some(died.unwrap_or(event.date)),
                    source: BasisSource::Inherited,
                };
                self.receive(at, event, lot, what)?;
            }
            EventKind::Sell { sale, shares, amount, fee, lots, identified } => {
                let trade = Trade { shares: *shares, amount: *amount, fee: *fee };
                let named_lots = self.named_lots(event, lots)?;
                let order = self.sale(sale);
                let pick = pick(lots, &named_lots);
                self.core.sell(at, order, trade, pick, *identified).map_err(|fault| named(fault, self))?;
            }
            EventKind::Split { new, old } => {
                self.core.split(at, *new, *old).map_err(|fault| named(fault, self))?;
            }
            EventKind::Remove { shares } => {
                self.core.remove(at, *shares, Pick::Standing).map_err(|fault| named(fault, self))?;
            }
            EventKind::ReturnOfCapital { sale, amount } => {
                let order = self.sale(sale);
                self.core.return_capital(at, order, *amount).map_err(|fault| named(fault, self))?;
            }
            EventKind::Transfer { to, shares, lots } => {
                let named_lots = self.named_lots(event, lots)?;
                let to = self.account(to, event.date)?;
                let pick = pick(lots, &named_lots);
                self.core.transfer(at, to, *shares, pick).map_err(|fault| named(fault, self))?;
            }
            EventKind::SpinOff { to, new, old, to_new, scope } => {
                let to = self.symbol(to)?;
                let accounts = self.accounts_of(*scope, at.account);
                let children = self.core.spin_off(at, &accounts, to, (*new, *old), *to_new);
                let children = children.map_err(|fault| named(fault, self))?;
                for (parent, _) in children {
                    let name = self.child_name(parent, to);
                    self.lots.push(name);
                }
            }
            EventKind::Exchange { to, new, old, kind, cash, scope } => {
                let to = self.symbol(to)?;
                let accounts = self.accounts_of(*scope, at.account);
                let boot = cash.as_ref().map(|boot| (self.sale(&boot.sale), boot.cash, boot.value));
                let done = self.core.exchange(at, &accounts, to, (*new, *old), *kind, boot);
                done.map_err(|fault| named(fault, self))?;
            }
            EventKind::ShortSell { lot, shares, amount, fee } => {
                let trade = Trade { shares: *shares, amount: *amount, fee: *fee };
                self.core.short_sell(at, trade).map_err(|fault| named(fault, self))?;
                self.lots.push(lot.clone());
            }
            EventKind::Cover { sale, shares, amount, fee, lots, settled } => {
                let trade = Trade { shares: *shares, amount: *amount, fee: *fee };
                let named_lots = self.named_lots(event, lots)?;
                let order = self.sale(sale);
                let closing = matches!(lots, LotSelection::Lots(_)).then_some(named_lots.as_slice());
                let settled = settled.unwrap_or_else(|| settlement_date(event.date, self.is_option(at.symbol)));
                let done = self.core.cover(at, order, trade, closing, settled);
                done.map_err(|fault| named(fault, self))?;
            }
            EventKind::Exercise(delivery) => self.deliver(at, event, delivery, false)?,
            EventKind::Assign(delivery) => self.deliver(at, event, delivery, true)?,
            EventKind::Expire { sale, contracts } => {
                let order = self.sale(sale);
                self.core.expire(at, order, *contracts).map_err(|fault| named(fault, self))?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, at: At, event: &Event, lot: &LotId, what: Received) -> Result<(), Error> {
        self.core.receive(at, what).map_err(|fault| self.named(fault, event))?;
        self.lots.push(lot.clone());
        Ok(())
    }

    fn deliver(&mut self, at: At, event: &Event, delivery: &Delivery, written: bool) -> Result<(), Error> {
        let Delivery { contracts, underlying, shares, amount, fee, way } = delivery;
        let trade = Trade { shares: *shares, amount: *amount, fee: *fee };
        let underlying = self.symbol(underlying)?;
        match way {
            Way::In { lot } => {
                let done = self.core.deliver_in(at, *contracts, written, underlying, trade);
                done.map_err(|fault| self.named(fault, event))?;
                self.lots.push(lot.clone());
            }
            Way::Out { sale, lots } => {
                let named_lots = self.named_lots(event, lots)?;
                let order = self.sale(sale);
                let pick = pick(lots, &named_lots);
                let done = self.core.deliver_out(at, order, *contracts, written, underlying, trade, pick);
                done.map_err(|fault| self.named(fault, event))?;
            }
        }
        Ok(())
    }

    /// Shares held of one symbol in one account.
    #[must_use]
    pub fn held(&self, account: &AccountId, symbol: &Symbol) -> Shares {
        let account = self.account_index.get(account).copied();
        let found = account.zip(self.symbols.number(symbol));
        found.map_or(Shares::ZERO, |(account, symbol)| self.core.held(AccountIdx(account), SymbolIdx(symbol)))
    }

    /// Shares or contracts owed of one symbol in one account.
    #[must_use]
    pub fn owed(&self, account: &AccountId, symbol: &Symbol) -> Shares {
        let account = self.account_index.get(account).copied();
        let found = account.zip(self.symbols.number(symbol));
        found.map_or(Shares::ZERO, |(account, symbol)| self.core.owed(AccountIdx(account), SymbolIdx(symbol)))
    }

    /// Losses gone for good so far.
    #[must_use]
    pub fn permanently_disallowed(&self) -> Money {
        self.core.permanently_disallowed()
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
        self.core.last_date()
    }

    /// The book as it stands.
    #[must_use]
    pub fn booking(&self) -> Booking {
        Booking {
            open_lots: self.open_lots(),
            open_shorts: self.open_shorts(),
            sales: self.sales(),
            removed: self.removed(),
            permanently_disallowed: self.permanently_disallowed(),
            notes: self.notes(),
            rules: self.rules.as_ref().clone(),
        }
    }

    /// The book as it stands, at its end.
    #[must_use]
    pub fn into_booking(self) -> Booking {
        self.booking()
    }

    /// Whether two symbols are substantially identical under the rules (tax rule 4.2), names that
    /// a security had before among them.
    #[must_use]
    pub fn same_group(&self, one: &Symbol, other: &Symbol) -> bool {
        let group = |symbol: &Symbol| self.symbols.number(symbol).map(|number| self.core.group_of(number));
        one == other || group(one).is_some_and(|found| Some(found) == group(other))
    }

    fn account(&self, account: &AccountId, date: Date) -> Result<AccountIdx, Error> {
        let found = self.account_index.get(account).copied().map(AccountIdx);
        found.ok_or_else(|| Error::UnknownAccount { account: account.clone(), date })
    }

    fn accounts_of(&self, scope: Scope, account: AccountIdx) -> Vec<AccountIdx> {
        match scope {
            Scope::Account => vec![account],
            Scope::Household => (0..self.accounts.len() as u32).map(AccountIdx).collect(),
        }
    }

    /// The number of a security, which is made known if it is new.
    fn symbol(&mut self, symbol: &Symbol) -> Result<SymbolIdx, Error> {
        match self.symbols.number(symbol) {
            Some(number) => Ok(SymbolIdx(number)),
            None => self.add_symbol(symbol, None),
        }
    }

    fn add_symbol(&mut self, symbol: &Symbol, identical_to: Option<SymbolIdx>) -> Result<SymbolIdx, Error> {
        let refused = |what, rule| Err(Error::UnsupportedSymbol { symbol: symbol.clone(), what, rule });
        let kind = match (self.rules.classes.get(symbol), OptionContract::parse_occ(symbol.as_str())) {
            (Some(AssetClass::DigitalAsset), _) => SymbolKind::DigitalAsset,
            (Some(AssetClass::Section1256), _) => return refused("a section 1256 contract", "2.10"),
            (Some(AssetClass::Collectible), _) => return refused("a collectible, taxed at up to 28 %,", "2.10"),
            (Some(AssetClass::Stock), _) | (None, Err(_)) => SymbolKind::Stock,
            (None, Ok(contract)) if check::is_index_root(contract.underlying.as_str()) => {
                return refused("an option on a broad-based index (a section 1256 contract)", "2.10");
            }
            (None, Ok(contract)) => {
                let underlying = self.symbol(&contract.underlying)?;
                SymbolKind::Option { underlying, call: contract.right == OptionRight::Call }
            }
        };
        let number = self.core.add_symbol(kind, identical_to);
        self.symbols.push(symbol.clone());
        Ok(number)
    }

    fn is_option(&self, symbol: SymbolIdx) -> bool {
        matches!(self.core.symbols[symbol.0 as usize].kind, SymbolKind::Option { .. })
    }

    fn sale(&mut self, sale: &SaleId) -> SaleIdx {
        self.sales.push(sale.clone());
        SaleIdx(self.sales.len() as u32 - 1)
    }

    fn named_lots(&self, event: &Event, lots: &LotSelection) -> Result<Vec<(LotIdx, Shares)>, Error> {
        let LotSelection::Lots(named) = lots else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(named.len());
        for (lot, shares) in named {
            if !shares.is_positive() {
                let field = "shares of a lot named";
                return Err(Error::NotPositive { field, of: lot.to_string(), date: event.date });
            }
            let unknown = || Error::UnknownLot { lot: lot.clone(), sale: check::order_name(event) };
            found.push((LotIdx(self.lots.number(lot).ok_or_else(unknown)?), *shares));
        }
        Ok(found)
    }

    /// The name of a lot that a spin-off makes.
    fn child_name(&self, parent: LotIdx, symbol: SymbolIdx) -> LotId {
        let name = format!("{}/{}", self.lots.name(parent.0), self.symbols.name(symbol.0));
        let mut id = LotId::new(&name);
        let mut again = 2;
        while self.lots.number(&id).is_some() {
            id = LotId::new(&format!("{name}-{again}"));
            again += 1;
        }
        id
    }
}

fn pick<'a>(lots: &LotSelection, named: &'a [(LotIdx, Shares)]) -> Pick<'a> {
    match lots {
        LotSelection::Standing => Pick::Standing,
        LotSelection::By(method) => Pick::By(*method),
        LotSelection::Lots(_) => Pick::Lots(named),
    }
}
