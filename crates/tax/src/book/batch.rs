//! Many trades at once: those of one identity group one after the other, so that its lots stay in
//! the processor's caches, with the outcome of booking them in the order given.
//!
//! Purchases and sales reach nothing outside their group: wash sales and holding periods stay inside
//! it (tax rule 4.2), and what trades share (numbers of lots, places in the order of events, sums of
//! a year) is known before or does not depend on the order. Everything else, options included, is
//! booked alone and in its turn.

use lotwise_core::{Date, Money, Shares};

use super::group::{Acquisition, Group, Holder, Order};
use super::index::{At, Fault, Pick, SaleIdx, SymbolKind, Trade};
use super::indexed::{IndexedBook, SymbolState, fresh};
use super::lot::{NONE, day_of};
use super::rows::Outcome;
use crate::model::{BasisSource, Method, RowKind};

/// A purchase or sale for [`IndexedBook::trade_all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeEvent {
    /// Where and when.
    pub at: At,
    /// Shares and cash.
    pub trade: Trade,
    /// Which way.
    pub side: TradeSide,
}

/// Which way a trade goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeSide {
    /// [`IndexedBook::buy`].
    Buy,
    /// [`IndexedBook::sell`], without named lots.
    Sell {
        /// The caller's number of the order.
        sale: SaleIdx,
        /// Another method than the account's standing one.
        method: Option<Method>,
        /// Day of the identification.
        identified: Option<Date>,
    },
}

/// So many trades are put in the order of their groups at once: rows of as many fit the caches.
pub(super) const WINDOW: usize = 1 << 15;
/// With fewer groups the lots of all of them fit the caches.
const FEWEST_GROUPS: usize = 24;
/// Fewer lots stay in the caches.
const FEWEST_LOTS: usize = 1 << 16;
/// Fewer trades of each group are not worth ordering.
const FEWEST_TRADES: usize = 4;

/// A trade of quantities that 64 bits hold, which all but absurd ones are; small, since it is copied
/// into the order of groups.
#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    shares: i64,
    amount: i64,
    fee: i64,
    /// Place in the order given.
    number: u32,
    /// Number of the lot that a purchase makes.
    name: u32,
    account: u32,
    symbol: u32,
    day: i32,
    sale: u32,
    identified: i32,
    sells: bool,
    method: Option<Method>,
}

impl Packed {
    /// A trade that nothing but the shares held can hinder; `None` for others, and for quantities
    /// that 64 bits do not hold.
    fn new(number: u32, name: u32, event: &TradeEvent, last: i32, holders: &[Holder]) -> Option<Self> {
        let TradeEvent { at, trade, side } = *event;
        let (sells, sale, method, identified) = match side {
            TradeSide::Buy => (false, NONE, None, None),
            TradeSide::Sell { sale, method, identified } => (true, sale.0, method, identified),
        };
        let packed = Self {
            shares: i64::try_from(trade.shares.billionths()).ok()?,
            amount: i64::try_from(trade.amount.billionths()).ok()?,
            fee: i64::try_from(trade.fee.billionths()).ok()?,
            number,
            name,
            account: at.account.0,
            symbol: at.symbol.0,
            day: at.date.days(),
            sale,
            identified: day_of(identified),
            sells,
            method,
        };
        // Far below the largest quantities that are booked.
        let possible = packed.shares > 0 && packed.amount >= 0 && packed.fee >= 0 && packed.day >= last;
        (possible && !averages(event, holders)).then_some(packed)
    }

    fn pick(&self) -> Pick<'static> {
        self.method.map_or(Pick::Standing, Pick::By)
    }

    fn shares(&self) -> Shares {
        Shares::from_billionths(self.shares.into())
    }
}

/// Whether a trade sells at average cost, which can be refused for what the average would be made of.
fn averages(event: &TradeEvent, holders: &[Holder]) -> bool {
    let TradeSide::Sell { method, .. } = event.side else { return false };
    method.unwrap_or_else(|| holders[event.at.account.0 as usize].method) == Method::Average
}

/// Whether no quantity of a trade is negative or more than 64 bits hold.
fn is_small(trade: &Trade) -> bool {
    let bits = trade.shares.billionths() | trade.amount.billionths() | trade.fee.billionths();
    (0..=i128::from(i64::MAX)).contains(&bits)
}

/// Room that is used again from batch to batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    /// For each group the end of its trades in `ordered`; nothing outside of a batch.
    ends: Vec<u32>,
    /// Groups that have trades.
    touched: Vec<u32>,
    /// Trades in the order of their groups; those of earlier batches behind them.
    ordered: Vec<Packed>,
    held: Vec<Shares>,
    /// First row of each trade and the row after its last.
    spans: Vec<(u32, u32)>,
    /// New numbers of rows.
    numbers: Vec<u32>,
    /// Trades of the notes.
    noted: Vec<u32>,
}

impl IndexedBook {
    /// Books purchases and sales as [`IndexedBook::buy`] and [`IndexedBook::sell`] would, one after
    /// the other, and faster where they are of many securities.
    ///
    /// # Errors
    /// The first that cannot be booked, by its place, and why. Those before it are booked.
    pub fn trade_all(&mut self, events: &[TradeEvent]) -> Result<(), (usize, Fault)> {
        let mut done = 0;
        while done < events.len() {
            let left = &events[done..events.len().min(done + WINDOW)];
            done += self.trade_window(left);
            if let Some(event) = events.get(done) {
                // What no batch takes, and what cannot be booked, has its turn alone.
                self.trade(event).map_err(|fault| (done, fault))?;
                done += 1;
            }
        }
        self.out.washed.clear();
        Ok(())
    }

    fn trade(&mut self, event: &TradeEvent) -> Result<(), Fault> {
        let TradeEvent { at, trade, side } = *event;
        match side {
            TradeSide::Buy => self.buy(at, trade).map(|_| ()),
            TradeSide::Sell { sale, method, identified } => {
                self.sell(at, sale, trade, method.map_or(Pick::Standing, Pick::By), identified)
            }
        }
    }

    /// Books the first of some trades and says how many.
    fn trade_window(&mut self, events: &[TradeEvent]) -> usize {
        if self.groups.len() < FEWEST_GROUPS {
            return self.book_in_turn(events);
        }
        let mut batch = std::mem::take(&mut self.batch);
        let mut n = self.count_groups(events, &mut batch);
        if batch.touched.len() < FEWEST_GROUPS || n < FEWEST_TRADES * batch.touched.len() {
            n = self.book_in_turn(&events[..n]);
        } else {
            let fit = self.order_by_group(&events[..n], &mut batch);
            if fit < n {
                batch.forget_groups();
                n = self.count_groups(&events[..fit], &mut batch);
                self.order_by_group(&events[..n], &mut batch);
            }
            n = self.first_uncovered(n, &mut batch);
            self.book_by_group(&events[..n], &mut batch);
        }
        batch.forget_groups();
        self.batch = batch;
        n
    }

    /// Counts the trades of each group up to the first of an option, which speaks to its stock, or
    /// that no batch takes, and says how many there are. What is looked at here is looked at once;
    /// trades that later steps find in the way are few, or cannot be booked at all.
    fn count_groups(&self, events: &[TradeEvent], batch: &mut Batch) -> usize {
        batch.ends.resize(self.groups.len(), 0);
        for (number, event) in events.iter().enumerate() {
            let SymbolState { group, kind } = self.symbols[event.at.symbol.0 as usize];
            let alone = averages(event, &self.holders) || !is_small(&event.trade);
            if alone || matches!(kind, SymbolKind::Option { .. }) {
                return number;
            }
            let count = &mut batch.ends[group as usize];
            if *count == 0 {
                batch.touched.push(group);
            }
            *count += 1;
        }
        events.len()
    }

    /// Puts trades in the order of their groups, which have been counted; returns the first that is
    /// not packed, or the number of trades.
    fn order_by_group(&self, events: &[TradeEvent], batch: &mut Batch) -> usize {
        let mut start = 0;
        for group in &batch.touched {
            let end = &mut batch.ends[*group as usize];
            start += std::mem::replace(end, start);
        }
        if batch.ordered.len() < events.len() {
            batch.ordered.resize(events.len(), Packed::default());
        }
        let (mut last, mut name) = (self.last, self.places.len() as u32);
        for (number, event) in (0_u32..).zip(events) {
            let Some(trade) = Packed::new(number, name, event, last, &self.holders) else { return number as usize };
            last = trade.day;
            name += u32::from(!trade.sells);
            let end = &mut batch.ends[self.group_of(trade.symbol) as usize];
            batch.ordered[*end as usize] = trade;
            *end += 1;
        }
        events.len()
    }

    /// Books trades in the order given, up to the first that is not packed, is of an option or cannot
    /// be booked, and says how many.
    fn book_in_turn(&mut self, events: &[TradeEvent]) -> usize {
        for (number, event) in events.iter().enumerate() {
            let name = self.places.len() as u32;
            let Some(trade) = Packed::new(0, name, event, self.last, &self.holders) else { return number };
            let SymbolState { group, kind } = self.symbols[trade.symbol as usize];
            if matches!(kind, SymbolKind::Option { .. }) {
                return number;
            }
            self.out.washed.clear();
            if !trade.sells {
                self.places.push((group, NONE));
                self.book_purchase(group, &trade);
            } else if self.book_sale(&trade).is_err() {
                return number;
            }
            self.end(trade.day);
        }
        events.len()
    }

    /// The first sale of more than is held by then, or the number of trades `n`.
    fn first_uncovered(&mut self, n: usize, batch: &mut Batch) -> usize {
        let mut first = n;
        let mut start = 0;
        for index in &batch.touched {
            let group = &mut self.groups[*index as usize];
            batch.held.clear();
            batch.held.extend(group.positions.iter().map(|position| position.held));
            let end = batch.ends[*index as usize] as usize;
            for trade in &batch.ordered[start..end] {
                if !trade.sells {
                    let place = group.position_or_new(trade.account, trade.symbol);
                    batch.held.resize(group.positions.len(), Shares::ZERO);
                    batch.held[place as usize] += trade.shares();
                    continue;
                }
                let place = group.position(trade.account, trade.symbol);
                match place.map(|place| &mut batch.held[place as usize]) {
                    Some(held) if *held >= trade.shares() => *held -= trade.shares(),
                    _ => {
                        first = first.min(trade.number as usize);
                        break;
                    }
                }
            }
            start = end;
        }
        first
    }

    /// Books trades that nothing hinders, group by group, and puts their rows in order.
    fn book_by_group(&mut self, events: &[TradeEvent], batch: &mut Batch) {
        let Some(last) = events.last() else { return };
        let (first_row, first_note) = (self.out.next_row(), self.out.notes.len());
        let n_purchases = events.iter().filter(|event| event.side == TradeSide::Buy).count();
        self.places.resize(self.places.len() + n_purchases, (NONE, NONE));
        batch.spans.clear();
        batch.spans.resize(events.len(), (first_row, first_row));
        batch.noted.clear();
        self.out.batching = true;
        let mut start = 0;
        for index in &batch.touched {
            let end = batch.ends[*index as usize] as usize;
            let trades = &batch.ordered[start..end];
            start = end;
            // Of each group the trades are in order, so that after one that comes too late all do.
            let trades = &trades[..trades.partition_point(|trade| (trade.number as usize) < events.len())];
            self.fetch(*index, trades);
            for trade in trades {
                if !trade.sells {
                    self.book_purchase(*index, trade);
                    continue;
                }
                let first = self.out.next_row();
                self.book_sale(trade).expect("Invariant: as many shares are held");
                batch.spans[trade.number as usize] = (first, self.out.next_row());
                if self.out.notes.len() > first_note + batch.noted.len() {
                    batch.noted.resize(self.out.notes.len() - first_note, trade.number);
                }
            }
        }
        self.out.batching = false;
        self.out.put_in_order(first_row, first_note, batch);
        for index in &batch.touched {
            self.groups[*index as usize].renumber_rows(first_row, &batch.numbers);
        }
        self.out.washed.clear();
        self.last = last.at.date.days();
        self.sequence += events.len() as u32;
    }

    /// Looks at the lots that sales will take. Those that were bought long ago are in no cache, and
    /// wanted one by one each would be waited for; together they come in a fraction of the time.
    fn fetch(&self, group: u32, trades: &[Packed]) {
        if self.places.len() < FEWEST_LOTS {
            return;
        }
        let desk = self.desk();
        let earliest = |trade: &Packed| desk.earliest_first(trade.pick(), trade.account);
        let sales = trades.iter().filter(|trade| trade.sells && earliest(trade));
        let sold = sales.fold(0, |sum: i64, trade| sum.saturating_add(trade.shares));
        let sold = Shares::from_billionths(sold.into());
        let group = &self.groups[group as usize];
        for position in &group.positions {
            let mut found = Shares::ZERO;
            for lot in &position.lots {
                let of = &group.lots[*lot as usize];
                let id = if of.first == NONE { of.rest } else { of.first };
                if found >= sold || id == NONE {
                    break;
                }
                found += group.segments[id as usize].piece.shares;
            }
            std::hint::black_box(found);
        }
    }

    fn book_purchase(&mut self, group: u32, trade: &Packed) {
        let basis = Money::from_billionths(i128::from(trade.amount) + i128::from(trade.fee));
        let what = Acquisition {
            account: trade.account,
            symbol: trade.symbol,
            name: trade.name,
            acquired: trade.day,
            sequence: self.sequence + trade.number,
            source: BasisSource::Purchase,
            purchase: true,
            piece: fresh(trade.shares(), Some(basis), trade.day),
        };
        let lot = self.acquire_in(group, trade.day, &what);
        self.places[trade.name as usize] = (group, lot);
    }

    fn book_sale(&mut self, trade: &Packed) -> Result<(), Fault> {
        let order = Order {
            account: trade.account,
            symbol: trade.symbol,
            day: trade.day,
            sequence: self.sequence + trade.number,
            sale: trade.sale,
            shares: trade.shares(),
            proceeds: Money::from_billionths(i128::from(trade.amount) - i128::from(trade.fee)),
            kind: RowKind::Sale,
            identified: trade.identified,
            washes: self.washes(trade.symbol, trade.day),
            averaged: false,
        };
        self.dispose(order, trade.pick())
    }
}

impl Batch {
    fn forget_groups(&mut self) {
        for group in self.touched.drain(..) {
            self.ends[group as usize] = 0;
        }
    }
}

impl Outcome {
    /// Puts rows and notes from some number on in the order of their trades.
    fn put_in_order(&mut self, first_row: u32, first_note: usize, batch: &mut Batch) {
        batch.numbers.resize(self.pending.len(), 0);
        self.rows.reserve(self.pending.len());
        for (from, to) in &batch.spans {
            let old = (*from - first_row) as usize..(*to - first_row) as usize;
            for (number, new) in batch.numbers[old.clone()].iter_mut().zip(self.base + self.rows.len() as u32..) {
                *number = new;
            }
            self.rows.extend_from_slice(&self.pending[old]);
        }
        self.pending.clear();
        let late = self.highest_basis.split_off(&first_row);
        let renumbered = late.into_iter().map(|(row, basis)| (batch.numbers[(row - first_row) as usize], basis));
        self.highest_basis.extend(renumbered);
        if batch.noted.is_empty() {
            return;
        }
        let mut notes: Vec<_> = batch.noted.iter().copied().zip(self.notes.drain(first_note..)).collect();
        notes.sort_by_key(|(number, _)| *number);
        self.notes.extend(notes.into_iter().map(|(_, mut note)| {
            note.row = renumbered_row(note.row, first_row, &batch.numbers);
            note
        }));
    }
}

impl Group {
    /// Takes note that rows from `first` on have other numbers.
    fn renumber_rows(&mut self, first: u32, numbers: &[u32]) {
        for loss in &mut self.losses {
            loss.row = renumbered_row(loss.row, first, numbers);
        }
        for (_, row) in &mut self.stock_losses {
            *row = renumbered_row(*row, first, numbers);
        }
    }
}

fn renumbered_row(row: u32, first: u32, numbers: &[u32]) -> u32 {
    let new = row.checked_sub(first).and_then(|place| numbers.get(place as usize));
    new.copied().unwrap_or(row)
}
