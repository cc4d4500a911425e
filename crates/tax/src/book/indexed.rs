//! The book without names: accounts, symbols, lots and orders are numbers.
//!
//! [`crate::Book`] puts names on top. A simulator can use this one directly: between two calls of
//! [`IndexedBook::reset`] nothing is allocated beyond the largest episode so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use lotwise_core::{Date, Money, Rate, Shares};

use super::batch::Batch;
use super::corporate::Ratio;
use super::group::{Acquisition, Desk, Group, Holder, Order, Scratch, UnitChange, scale};
use super::index::{AccountIdx, At, Fault, LotIdx, Pick, Received, SaleIdx, SymbolIdx, SymbolKind, Trade};
use super::lot::{ForLoss, NONE, Piece, UNKNOWN_DAY, date_of, day_of};
use super::rows::{Match, Outcome, RawNote, RawNoteKind, Row};
use super::{LARGEST_UNITS, largest_shares};
use crate::model::{AccountKind, BasisSource, ExchangeKind, Method, RowKind, Rules};

#[derive(Debug, Clone, Copy)]
pub(super) struct SymbolState {
    pub group: u32,
    pub kind: SymbolKind,
}

/// Where an acquisition is held: group and lot there.
type Place = (u32, u32);

/// A book in indices. Events come in date order; on an error the book is what it was.
#[derive(Debug, Clone)]
pub struct IndexedBook {
    pub(super) rules: Arc<Rules>,
    pub(super) holders: Arc<[Holder]>,
    pub(super) symbols: Vec<SymbolState>,
    pub(super) groups: Vec<Group>,
    pub(super) places: Vec<Place>,
    /// Further places of acquisitions that are held in several accounts or under several symbols.
    more: BTreeMap<u32, Vec<Place>>,
    /// Lots that spin-offs have made, by the lot they came of and the new security. Accounts that
    /// report one spin-off each share them.
    children: BTreeMap<(u32, u32), u32>,
    pub(super) out: Outcome,
    pub(super) last: i32,
    pub(super) sequence: u32,
    pub(super) scratch: Scratch,
    pub(super) batch: Batch,
}

impl IndexedBook {
    /// An empty book. Of the rules it uses the switches and rates; identity groups and classes,
    /// which have names, are told to [`IndexedBook::add_symbol`].
    #[must_use]
    pub fn new(accounts: &[(AccountKind, Method)], rules: Arc<Rules>) -> Self {
        Self {
            rules,
            holders: accounts.iter().map(|(kind, method)| Holder { kind: *kind, method: *method }).collect(),
            symbols: Vec::new(),
            groups: Vec::new(),
            places: Vec::new(),
            more: BTreeMap::new(),
            children: BTreeMap::new(),
            out: Outcome::default(),
            last: UNKNOWN_DAY,
            sequence: 0,
            scratch: Scratch::default(),
            batch: Batch::default(),
        }
    }

    /// Adds a security, substantially identical to another one or to none (tax rule 4.2).
    pub fn add_symbol(&mut self, kind: SymbolKind, identical_to: Option<SymbolIdx>) -> SymbolIdx {
        let group = match identical_to {
            Some(other) => self.symbols[other.0 as usize].group,
            None => {
                self.groups.push(Group::default());
                self.groups.len() as u32 - 1
            }
        };
        self.symbols.push(SymbolState { group, kind });
        SymbolIdx(self.symbols.len() as u32 - 1)
    }

    /// Makes two securities substantially identical (tax rule 4.2), with everything that is so
    /// already. To be said before the first event.
    pub fn declare_identical(&mut self, one: SymbolIdx, other: SymbolIdx) {
        let (from, to) = (self.group_of(one.0), self.group_of(other.0));
        for symbol in self.symbols.iter_mut().filter(|symbol| symbol.group == from) {
            symbol.group = to;
        }
    }

    /// Forgets all events. Accounts, symbols and the memory stay.
    pub fn reset(&mut self) {
        for group in &mut self.groups {
            group.clear();
        }
        self.places.clear();
        self.more.clear();
        self.children.clear();
        self.out.clear();
        self.last = UNKNOWN_DAY;
        self.sequence = 0;
    }

    /// A purchase. Returns its lot.
    ///
    /// # Errors
    /// For a date before the last event's, or quantities that no purchase has.
    pub fn buy(&mut self, at: At, trade: Trade) -> Result<LotIdx, Fault> {
        let day = self.begin(at, &[trade.shares], &[trade.amount, trade.fee])?;
        let piece = fresh(trade.shares, Some(trade.amount + trade.fee), day);
        let lot = self.acquire(at, day, piece, BasisSource::Purchase, true);
        if let SymbolKind::Option { underlying, call } = self.symbols[at.symbol.0 as usize].kind {
            self.note_option(at, day, underlying, call);
        }
        self.end(day);
        Ok(lot)
    }

    /// Shares that come in without a purchase (tax rules 2.5 and 2.6 among others).
    ///
    /// # Errors
    /// As [`IndexedBook::buy`].
    pub fn receive(&mut self, at: At, what: Received) -> Result<LotIdx, Fault> {
        let basis = what.basis.unwrap_or(Money::ZERO);
        let day = self.begin(at, &[what.shares], &[basis, what.basis_for_loss.unwrap_or(Money::ZERO)])?;
        let acquired = day_of(what.acquired);
        let mut piece = fresh(what.shares, what.basis, acquired);
        let for_loss = what.basis_for_loss.filter(|value| what.basis.is_some_and(|basis| *value < basis));
        piece.gift = for_loss.is_some();
        let lot = self.acquire_on(at, acquired, piece, what.source, false);
        if let Some(basis) = for_loss {
            let (group, local) = self.places[lot.0 as usize];
            let group = &mut self.groups[group as usize];
            let segment = group.lots[local as usize].rest;
            group.for_loss.insert(segment, ForLoss { basis, holding_from: day });
        }
        self.end(day);
        Ok(lot)
    }

    /// A sale.
    ///
    /// # Errors
    /// As [`IndexedBook::buy`], and when the account or the lots named hold fewer shares.
    pub fn sell(
        &mut self,
        at: At,
        sale: SaleIdx,
        trade: Trade,
        pick: Pick<'_>,
        identified: Option<Date>,
    ) -> Result<(), Fault> {
        let day = self.begin(at, &[trade.shares], &[trade.amount, trade.fee])?;
        let mut order = self.order(at, day, sale, trade.shares, trade.amount - trade.fee, RowKind::Sale);
        order.identified = day_of(identified);
        self.dispose(order, pick)?;
        self.end(day);
        Ok(())
    }

    /// Chooses and sells, and says what the wash-sale rule does not compute.
    pub(super) fn dispose(&mut self, mut order: Order, pick: Pick<'_>) -> Result<(), Fault> {
        let first = self.out.next_row();
        let index = self.group_of(order.symbol);
        self.check_named(&order, pick)?;
        let desk = Desk { rules: &self.rules, accounts: &self.holders };
        let group = &mut self.groups[index as usize];
        if desk.earliest_first(pick, order.account) {
            let at = group.covering(&order)?;
            group.turn_to(order.day);
            group.sell_earliest(desk, &order, at, &mut self.scratch.losses, &mut self.out);
        } else {
            let (places, more) = (&self.places, &self.more);
            let local = |lot: LotIdx| places_in(places, more, index, lot);
            group.choose(desk, &mut order, pick, true, &local, &mut self.scratch)?;
            group.turn_to(order.day);
            group.sell(desk, &order, &mut self.scratch, &mut self.out);
        }
        let Order { day, account, symbol, .. } = order;
        let note = |row: u32, kind: RawNoteKind| RawNote { day, account, symbol, row, kind };
        if let Some((_, call)) = group.calls.front() {
            for row in first..self.out.next_row() {
                if self.out.row(row).gain().is_some_and(Money::is_negative) {
                    self.out.notes.push(note(row, RawNoteKind::CallNearLoss { call: *call }));
                }
            }
        }
        for loss in &group.short_losses {
            self.out.notes.push(note(loss.row, RawNoteKind::SaleNearShortLoss));
        }
        Ok(())
    }

    /// A split in every account (tax rule 2.3); one that a second account reports for the same day
    /// is the same.
    ///
    /// # Errors
    /// For a date before the last event's, or when a quantity leaves its range.
    pub fn split(&mut self, at: At, new: Shares, old: Shares) -> Result<(), Fault> {
        let day = self.begin(at, &[new, old], &[])?;
        let (account, symbol, sequence) = (at.account.0, at.symbol.0, self.sequence);
        let group = self.group_mut(symbol);
        group.split(account, symbol, day, sequence, Ratio { new, old })?;
        group.turn_to(day);
        self.end(day);
        Ok(())
    }

    /// Shares that leave without a sale.
    ///
    /// # Errors
    /// As [`IndexedBook::sell`].
    pub fn remove(&mut self, at: At, shares: Shares, pick: Pick<'_>) -> Result<(), Fault> {
        let day = self.begin(at, &[shares], &[])?;
        let order = self.order(at, day, SaleIdx(NONE), shares, Money::ZERO, RowKind::Sale);
        let order = self.pick(order, pick)?;
        let index = self.group_of(at.symbol.0);
        self.groups[index as usize].remove(&order, &mut self.scratch, &mut self.out);
        self.end(day);
        Ok(())
    }

    /// Returned capital (tax rule 2.7).
    ///
    /// # Errors
    /// As [`IndexedBook::buy`], and when nothing is held.
    pub fn return_capital(&mut self, at: At, sale: SaleIdx, amount: Money) -> Result<(), Fault> {
        let day = self.begin(at, &[], &[amount])?;
        let held = self.held(at.account, at.symbol);
        if held.is_zero() {
            return Err(Fault::NothingHeld);
        }
        let order = self.order(at, day, sale, held, amount, RowKind::ReturnOfCapital);
        let index = self.group_of(at.symbol.0);
        let desk = Desk { rules: &self.rules, accounts: &self.holders };
        self.groups[index as usize].return_capital(desk, &order, &mut self.out);
        self.end(day);
        Ok(())
    }

    /// A transfer to another account (tax rule 2.10).
    ///
    /// # Errors
    /// As [`IndexedBook::sell`], and between accounts that are taxed differently.
    pub fn transfer(&mut self, at: At, to: AccountIdx, shares: Shares, pick: Pick<'_>) -> Result<(), Fault> {
        let day = self.begin(at, &[shares], &[])?;
        let kind = |account: AccountIdx| self.holders[account.0 as usize].kind;
        let (from_kind, to_kind) = (kind(at.account), kind(to));
        if from_kind.is_retirement() != to_kind.is_retirement() || (from_kind.is_retirement() && from_kind != to_kind) {
            return Err(Fault::AcrossKinds);
        }
        let order = self.order(at, day, SaleIdx(NONE), shares, Money::ZERO, RowKind::Sale);
        let order = self.pick(order, pick)?;
        let index = self.group_of(at.symbol.0);
        let group = &mut self.groups[index as usize];
        group.turn_to(day);
        let moving = group.lift(&mut self.scratch);
        let target = group.position_or_new(to.0, at.symbol.0);
        let made = group.settle(target, &moving, order.washes);
        self.record(index, &made);
        self.end(day);
        Ok(())
    }

    /// A spin-off (tax rule 2.4) on the shares of `accounts`. Returns which lot came of which, as far
    /// as the lots are new.
    ///
    /// # Errors
    /// As [`IndexedBook::split`]; when none of the accounts holds shares; and on short sales.
    pub fn spin_off(
        &mut self,
        at: At,
        accounts: &[AccountIdx],
        to: SymbolIdx,
        ratio: (Shares, Shares),
        to_new: Rate,
    ) -> Result<Vec<(LotIdx, LotIdx)>, Fault> {
        let day = self.begin(at, &[ratio.0, ratio.1], &[])?;
        let ratio = Ratio { new: ratio.0, old: ratio.1 };
        let (from, target) = (self.group_of(at.symbol.0), self.group_of(to.0));
        let positions = self.positions_with_shares(at.symbol, accounts)?;
        for (_, position) in &positions {
            let (held, owed) = self.groups[from as usize].scaled(*position, ratio).ok_or(Fault::OutOfRange)?;
            if !owed.is_empty() {
                return Err(Fault::Unsupported { what: "a spin-off on shares that are sold short", rule: "2.9" });
            }
            if held.is_empty() {
                return Err(Fault::NothingHeld);
            }
        }
        let mut children = Vec::new();
        for (account, position) in positions {
            let made = self.groups[from as usize].spin_off(position, ratio, to_new);
            let mut moving = made.expect("Invariant: the sizes were worked out before");
            for (of, _) in &mut moving {
                let next = self.places.len() as u32;
                let child = *self.children.entry((of.name, to.0)).or_insert(next);
                if child == next {
                    children.push((LotIdx(of.name), LotIdx(child)));
                    // The place is known once the lot is settled.
                    self.places.push((target, NONE));
                }
                of.name = child;
            }
            let group = &mut self.groups[target as usize];
            group.turn_to(day);
            let new = group.position_or_new(account.0, to.0);
            let made = group.settle(new, &moving, false);
            self.record(target, &made);
        }
        self.end(day);
        Ok(children)
    }

    /// Shares become shares of another security (tax rule 2.4) in `accounts`. `cash` is cash and
    /// the market value of the new shares, with one account only.
    ///
    /// # Errors
    /// As [`IndexedBook::spin_off`].
    pub fn exchange(
        &mut self,
        at: At,
        accounts: &[AccountIdx],
        to: SymbolIdx,
        ratio: (Shares, Shares),
        kind: ExchangeKind,
        boot: Option<(SaleIdx, Money, Money)>,
    ) -> Result<(), Fault> {
        let (cash, value) = boot.map_or((Money::ZERO, Money::ZERO), |(_, cash, value)| (cash, value));
        let day = self.begin(at, &[ratio.0, ratio.1], &[cash, value])?;
        if to == at.symbol {
            return Err(Fault::Unsupported { what: "an exchange of a security for itself", rule: "2.4" });
        }
        let ratio = Ratio { new: ratio.0, old: ratio.1 };
        let positions = self.positions_with_shares(at.symbol, accounts)?;
        let from = self.group_of(at.symbol.0);
        let mut sizes = Vec::new();
        for (_, position) in &positions {
            sizes.push(self.groups[from as usize].scaled(*position, ratio).ok_or(Fault::OutOfRange)?);
        }
        self.groups[from as usize].turn_to(day);
        if kind == ExchangeKind::Rename {
            self.join(at.symbol, to, day, ratio);
        }
        let target = self.group_of(to.0);
        let washes = self.washes(to.0, day);
        for ((account, _), (held, owed)) in positions.into_iter().zip(sizes) {
            // Joining groups has changed where they are.
            let from = self.symbols[at.symbol.0 as usize].group;
            let group = &mut self.groups[from as usize];
            let position = group.position(account.0, at.symbol.0).expect("Invariant: it holds or owes shares");
            group.cut_everything(position, &mut self.scratch);
            let before = group.positions[position as usize].held;
            let mut moving = group.lift(&mut self.scratch);
            if let Some((sale, cash, value)) = boot {
                let order = Order {
                    account: account.0,
                    symbol: at.symbol.0,
                    day,
                    sequence: self.sequence,
                    sale: sale.0,
                    shares: before,
                    proceeds: cash,
                    kind: RowKind::Boot,
                    identified: UNKNOWN_DAY,
                    washes: false,
                    averaged: false,
                };
                let desk = Desk { rules: &self.rules, accounts: &self.holders };
                group.pay_boot(desk, &order, &mut moving, value, &mut self.out);
            }
            for ((of, one), shares) in moving.iter_mut().zip(held) {
                one.piece.shares = shares;
                if of.source == BasisSource::Purchase && kind == ExchangeKind::Reorganisation {
                    of.source = BasisSource::CarriedOver;
                }
            }
            let mut shorts = std::mem::take(&mut group.positions[position as usize].shorts);
            for (short, shares) in shorts.iter_mut().zip(owed) {
                short.held_long = scale(short.held_long, shares, short.shares).unwrap_or(shares).min(shares);
                short.shares = shares;
            }
            let group = &mut self.groups[target as usize];
            group.turn_to(day);
            let new = group.position_or_new(account.0, to.0);
            group.positions[new as usize].shorts.append(&mut shorts);
            group.positions[new as usize].shorts.make_contiguous().sort_by_key(|one| (one.sequence, !one.washed));
            let made = group.settle(new, &moving, washes);
            self.record(target, &made);
        }
        self.end(day);
        Ok(())
    }

    /// Rows so far, in order of sale.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.out.rows
    }

    /// Where a row's disallowed loss went.
    pub fn matches<'a>(&'a self, row: &Row) -> impl Iterator<Item = &'a Match> + 'a {
        self.out.matches_of(row)
    }

    /// Losses gone for good so far.
    #[must_use]
    pub fn permanently_disallowed(&self) -> Money {
        self.out.permanent
    }

    /// Shares held of one symbol in one account.
    #[must_use]
    pub fn held(&self, account: AccountIdx, symbol: SymbolIdx) -> Shares {
        self.groups[self.symbols[symbol.0 as usize].group as usize].held(account.0, symbol.0)
    }

    /// Shares owed from short sales.
    #[must_use]
    pub fn owed(&self, account: AccountIdx, symbol: SymbolIdx) -> Shares {
        self.groups[self.symbols[symbol.0 as usize].group as usize].owed(account.0, symbol.0)
    }

    /// Date of the last event.
    #[must_use]
    pub fn last_date(&self) -> Option<Date> {
        date_of(self.last)
    }

    /// Number of lots and short lots made so far; the next one gets this number.
    #[must_use]
    pub fn n_lots(&self) -> usize {
        self.places.len()
    }

    pub(super) fn desk(&self) -> Desk<'_> {
        Desk { rules: &self.rules, accounts: &self.holders }
    }

    pub(super) fn group_of(&self, symbol: u32) -> u32 {
        self.symbols[symbol as usize].group
    }

    fn group_mut(&mut self, symbol: u32) -> &mut Group {
        let group = self.group_of(symbol);
        &mut self.groups[group as usize]
    }

    pub(super) fn places_in(&self, group: u32, lot: LotIdx) -> Vec<u32> {
        places_in(&self.places, &self.more, group, lot)
    }

    pub(super) fn next_sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether the wash-sale rule covers a sale of this security on this day (tax rule 2.11).
    pub(super) fn washes(&self, symbol: u32, day: i32) -> bool {
        match self.symbols[symbol as usize].kind {
            SymbolKind::DigitalAsset => self.rules.digital_asset_wash_sales_from.is_some_and(|from| day >= from.days()),
            _ => true,
        }
    }

    pub(super) fn order(
        &self,
        at: At,
        day: i32,
        sale: SaleIdx,
        shares: Shares,
        proceeds: Money,
        kind: RowKind,
    ) -> Order {
        Order {
            account: at.account.0,
            symbol: at.symbol.0,
            day,
            sequence: self.sequence,
            sale: sale.0,
            shares,
            proceeds,
            kind,
            identified: UNKNOWN_DAY,
            washes: self.washes(at.symbol.0, day),
            averaged: false,
        }
    }

    /// Checks what every event has to satisfy and forgets what it cannot reach any more.
    pub(super) fn begin(&mut self, at: At, shares: &[Shares], amounts: &[Money]) -> Result<i32, Fault> {
        let day = at.date.days();
        check(self.last, day, shares, amounts)?;
        self.out.washed.clear();
        Ok(day)
    }

    pub(super) fn end(&mut self, day: i32) {
        self.last = day;
        self.sequence += 1;
    }

    pub(super) fn acquire(&mut self, at: At, day: i32, piece: Piece, source: BasisSource, purchase: bool) -> LotIdx {
        debug_assert_eq!(piece.holding_from, day);
        self.acquire_on(at, day, piece, source, purchase)
    }

    fn acquire_on(&mut self, at: At, acquired: i32, piece: Piece, source: BasisSource, purchase: bool) -> LotIdx {
        let name = self.places.len() as u32;
        let what = Acquisition {
            account: at.account.0,
            symbol: at.symbol.0,
            name,
            acquired,
            sequence: self.sequence,
            source,
            purchase,
            piece,
        };
        let index = self.group_of(at.symbol.0);
        let lot = self.acquire_in(index, at.date.days(), &what);
        self.places.push((index, lot));
        LotIdx(name)
    }

    /// Puts an acquisition on the book of its group and returns the lot there.
    pub(super) fn acquire_in(&mut self, group: u32, day: i32, what: &Acquisition) -> u32 {
        // A digital asset bought before the switch can still replace one sold after it.
        let digital = matches!(self.symbols[what.symbol as usize].kind, SymbolKind::DigitalAsset);
        let washes = !digital || self.rules.digital_asset_wash_sales_from.is_some();
        let desk = Desk { rules: &self.rules, accounts: &self.holders };
        let group = &mut self.groups[group as usize];
        group.turn_to(day);
        group.acquire(desk, what, washes, &mut self.out)
    }

    /// Refuses lots that are in another account or of another security.
    pub(super) fn check_named(&self, order: &Order, pick: Pick<'_>) -> Result<(), Fault> {
        let Pick::Lots(named) = pick else { return Ok(()) };
        for (lot, shares) in named {
            if !shares.is_positive() {
                return Err(Fault::NotPositive);
            }
            let first = self.places[lot.0 as usize];
            let places = std::iter::once(&first).chain(self.more.get(&lot.0).into_iter().flatten());
            let mut elsewhere = None;
            let mut here = false;
            for (group, local) in places.filter(|(_, local)| *local != NONE) {
                let (account, symbol) = self.groups[*group as usize].elsewhere(*local);
                here |= (account.0, symbol.0) == (order.account, order.symbol);
                elsewhere = Some((account, symbol));
            }
            match elsewhere {
                _ if here => {}
                Some((held_in, _)) if held_in.0 != order.account => {
                    return Err(Fault::LotOfAnotherAccount { lot: *lot, held_in });
                }
                Some((_, held)) => return Err(Fault::LotOfAnotherSymbol { lot: *lot, held }),
                // A short lot.
                None => return Err(Fault::InsufficientLot { lot: *lot, held: Shares::ZERO, wanted: *shares }),
            }
        }
        Ok(())
    }

    /// Chooses what leaves without a price, into the scratch room.
    pub(super) fn pick(&mut self, mut order: Order, pick: Pick<'_>) -> Result<Order, Fault> {
        self.check_named(&order, pick)?;
        let index = self.group_of(order.symbol);
        let (places, more) = (&self.places, &self.more);
        let local = |lot: LotIdx| places_in(places, more, index, lot);
        let desk = Desk { rules: &self.rules, accounts: &self.holders };
        self.groups[index as usize].choose(desk, &mut order, pick, false, &local, &mut self.scratch)?;
        Ok(order)
    }

    /// Remembers where lots that have moved are.
    fn record(&mut self, group: u32, made: &[u32]) {
        for lot in made {
            let name = self.groups[group as usize].lots[*lot as usize].name;
            let (old_group, old_lot) = self.places[name as usize];
            let gone = old_lot == NONE || self.groups[old_group as usize].lots[old_lot as usize].is_empty();
            if gone {
                self.places[name as usize] = (group, *lot);
            } else {
                self.more.entry(name).or_default().push((group, *lot));
            }
        }
    }

    fn positions_with_shares(
        &self,
        symbol: SymbolIdx,
        accounts: &[AccountIdx],
    ) -> Result<Vec<(AccountIdx, u32)>, Fault> {
        let group = &self.groups[self.group_of(symbol.0) as usize];
        let mut found = Vec::new();
        for account in accounts {
            if let Some(at) = group.position(account.0, symbol.0) {
                let position = &group.positions[at as usize];
                if position.held.is_positive() || !position.shorts.is_empty() {
                    found.push((*account, at));
                }
            }
        }
        if found.is_empty() { Err(Fault::NothingHeld) } else { Ok(found) }
    }

    /// Makes two symbols one identity group, with units of the old one counted in the new one's.
    fn join(&mut self, old: SymbolIdx, new: SymbolIdx, day: i32, ratio: Ratio) {
        let (from, target) = (self.group_of(old.0), self.group_of(new.0));
        self.groups[target as usize].turn_to(day);
        if from != target {
            let other = std::mem::take(&mut self.groups[from as usize]);
            let names: Vec<u32> = other.lots.iter().map(|lot| lot.name).collect();
            let offset = self.groups[target as usize].join(other);
            for (local, name) in names.into_iter().enumerate() {
                let (before, after) = ((from, local as u32), (target, local as u32 + offset));
                let place = &mut self.places[name as usize];
                if *place == before {
                    *place = after;
                }
                for place in self.more.get_mut(&name).into_iter().flatten() {
                    if *place == before {
                        *place = after;
                    }
                }
            }
            for symbol in &mut self.symbols {
                if symbol.group == from {
                    symbol.group = target;
                }
            }
        }
        // What has changed the old name's units since a loss has changed the new one's too.
        let units = &mut self.groups[target as usize].units;
        let before: Vec<UnitChange> = units.iter().copied().filter(|change| change.symbol == old.0).collect();
        units.extend(before.into_iter().map(|change| UnitChange { symbol: new.0, ..change }));
        units.push(UnitChange { sequence: self.sequence, symbol: new.0, new: ratio.new, old: ratio.old });
        units.sort_by_key(|change| change.sequence);
    }

    /// A call near a loss on its stock, and options beside shares held.
    pub(super) fn note_option(&mut self, at: At, day: i32, underlying: SymbolIdx, call: bool) {
        let index = self.group_of(underlying.0);
        let group = &mut self.groups[index as usize];
        if call {
            group.turn_to(day);
            group.calls.push_back((day, at.symbol.0));
            for (_, row) in &group.stock_losses {
                self.out.notes.push(RawNote {
                    day,
                    account: at.account.0,
                    symbol: at.symbol.0,
                    row: *row,
                    kind: RawNoteKind::CallNearLoss { call: at.symbol.0 },
                });
            }
        } else {
            self.note_straddle(at, day, underlying);
        }
    }

    pub(super) fn note_straddle(&mut self, at: At, day: i32, underlying: SymbolIdx) {
        let group = &self.groups[self.group_of(underlying.0) as usize];
        let desk = self.desk();
        let holds = group.positions.iter().any(|one| one.held.is_positive() && desk.is_taxable(one.account));
        if holds && desk.is_taxable(at.account.0) {
            let (account, symbol) = (at.account.0, at.symbol.0);
            self.out.notes.push(RawNote { day, account, symbol, row: NONE, kind: RawNoteKind::PossibleStraddle });
        }
    }
}

/// What every event has to satisfy.
pub(super) fn check(last: i32, day: i32, shares: &[Shares], amounts: &[Money]) -> Result<(), Fault> {
    if day < last {
        return Err(Fault::OutOfOrder { last: date_of(last).unwrap_or(Date::MIN) });
    }
    if shares.iter().any(|shares| !shares.is_positive()) || amounts.iter().any(|amount| amount.is_negative()) {
        return Err(Fault::NotPositive);
    }
    let too_much = |amount: &Money| *amount > Money::from_whole(LARGEST_UNITS);
    if shares.iter().any(|shares| *shares > largest_shares()) || amounts.iter().any(too_much) {
        return Err(Fault::OutOfRange);
    }
    Ok(())
}

/// Where in one group an acquisition is held.
fn places_in(places: &[Place], more: &BTreeMap<u32, Vec<Place>>, group: u32, lot: LotIdx) -> Vec<u32> {
    let first = places.get(lot.0 as usize).into_iter();
    let all = first.chain(more.get(&lot.0).into_iter().flatten());
    all.filter(|(of, local)| *of == group && *local != NONE).map(|(_, local)| *local).collect()
}

/// Shares that have not been through anything yet.
pub(super) fn fresh(shares: Shares, basis: Option<Money>, day: i32) -> Piece {
    Piece {
        shares,
        basis: basis.unwrap_or(Money::ZERO),
        deferred: Money::ZERO,
        holding_from: day,
        known: basis.is_some(),
        washed: false,
        gift: false,
    }
}
