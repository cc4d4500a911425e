//! The state of one identity group: its positions, its recent purchases and its open losses.

use std::collections::{BTreeMap, VecDeque};

use lotwise_core::{Date, Money, Rounding, Shares, Symbol, mul_div};

use super::lot::{Lot, LotKey, Segment};
use super::wash::OpenLoss;
use crate::error::Error;
use crate::model::{
    Account, BasisRange, BasisSource, LotId, OpenLot, Replacement, RowKind, Rules, SaleId, SaleRow, Term,
};

/// What every step needs to know and none changes.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub rules: &'a Rules,
    pub accounts: &'a [Account],
}

/// What one account holds of one symbol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub lots: BTreeMap<LotKey, Lot>,
    pub held: Shares,
}

/// Where a lot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub account: usize,
    pub symbol: Symbol,
    pub key: LotKey,
}

/// Everything that can affect a sale of one identity group (tax rule 4.2).
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// By account (its position in the ledger) and symbol.
    pub positions: BTreeMap<(usize, Symbol), Position>,
    /// Purchases of the last 30 days with shares that have absorbed no loss, in order of
    /// acquisition.
    pub purchases: BTreeMap<u64, Place>,
    /// Losses of the last 30 days that purchases can still wash, in order of sale.
    pub losses: VecDeque<OpenLoss>,
    /// Splits of the current day, by account that reported them.
    splits: Vec<ReportedSplit>,
}

#[derive(Debug, Clone)]
struct ReportedSplit {
    date: Date,
    symbol: Symbol,
    account: usize,
    new: Shares,
    old: Shares,
}

/// An acquisition.
pub(super) struct Acquisition<'a> {
    pub account: usize,
    pub symbol: &'a Symbol,
    pub lot: &'a LotId,
    pub shares: Shares,
    pub basis: Option<Money>,
    pub acquired: Option<Date>,
    pub source: BasisSource,
    /// Place in the order of events.
    pub sequence: u64,
}

/// A sale order whose segments are chosen.
pub(super) struct Order<'a> {
    pub account: usize,
    pub symbol: &'a Symbol,
    pub date: Date,
    pub sale: &'a SaleId,
    pub shares: Shares,
    /// Proceeds net of fees.
    pub proceeds: Money,
    /// Index that the order's first row will have.
    pub first_row: usize,
}

/// Shares to take off one segment, counted in leaving order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    pub key: LotKey,
    pub segment: usize,
    pub shares: Shares,
}

/// Shares that have left the book.
pub(super) struct Sold {
    pub key: LotKey,
    pub lot: LotId,
    pub source: BasisSource,
    pub segment: Segment,
}

impl Group {
    /// Forgets purchases and losses that no event from `date` on can reach.
    pub fn turn_to(&mut self, date: Date) {
        while let Some((_, place)) = self.purchases.first_key_value()
            && place.key.0.is_none_or(|acquired| date.days_since(acquired) > super::WINDOW_DAYS)
        {
            self.purchases.pop_first();
        }
        while self.losses.front().is_some_and(|loss| date.days_since(loss.sold) > super::WINDOW_DAYS) {
            self.losses.pop_front();
        }
        self.splits.retain(|split| split.date == date);
    }

    /// Puts a lot on the book; a purchase first absorbs the losses that wait for it.
    pub fn acquire(
        &mut self,
        desk: Desk<'_>,
        what: &Acquisition<'_>,
        purchase: bool,
    ) -> Result<Vec<(usize, Replacement)>, Error> {
        let mut lot = Lot {
            id: what.lot.clone(),
            source: what.source,
            purchase,
            matched: Vec::new(),
            rest: Some(Segment {
                shares: what.shares,
                basis: what.basis,
                holding_from: what.acquired,
                deferred: Money::ZERO,
                washed: false,
            }),
        };
        let key = (what.acquired, what.sequence);
        let mut washed = Vec::new();
        if let (true, Some(date)) = (purchase, what.acquired) {
            washed = self.absorb(desk, &mut lot, what, date)?;
            if lot.rest.is_some() {
                let place = Place { account: what.account, symbol: what.symbol.clone(), key };
                self.purchases.insert(what.sequence, place);
            }
        }
        let position = self.positions.entry((what.account, what.symbol.clone())).or_default();
        position.held += what.shares;
        position.lots.insert(key, lot);
        Ok(washed)
    }

    /// Takes shares off the book. `cuts` are in leaving order and hold what they name.
    pub fn take(&mut self, account: usize, symbol: &Symbol, cuts: &[Cut]) -> Vec<Sold> {
        let Some(position) = self.positions.get_mut(&(account, symbol.clone())) else { return Vec::new() };
        let mut sold = Vec::with_capacity(cuts.len());
        // From the back, so that the positions of the segments before stay what they were.
        for cut in cuts.iter().rev() {
            let lot = position.lots.get_mut(&cut.key).expect("Invariant: a lot that was selected is held");
            let segment = lot.take_at(cut.segment, cut.shares);
            sold.push(Sold { key: cut.key, lot: lot.id.clone(), source: lot.source, segment });
            position.held -= cut.shares;
            if lot.rest.is_none() {
                self.purchases.remove(&cut.key.1);
            }
            if lot.is_empty() {
                position.lots.remove(&cut.key);
            }
        }
        if position.lots.is_empty() {
            self.positions.remove(&(account, symbol.clone()));
        }
        sold.reverse();
        sold
    }

    /// Sells: the shares leave, losses look for replacements, rows come out (tax rule 4.10).
    /// No rows come out of an account that is not taxable.
    pub fn sell(&mut self, desk: Desk<'_>, order: &Order<'_>, mut cuts: Vec<Cut>) -> Vec<SaleRow> {
        cuts.sort();
        let taxable = desk.accounts[order.account].kind.is_taxable();
        let mut allotment = Allotment { proceeds: order.proceeds, shares: order.shares };
        let mut rows = Vec::with_capacity(cuts.len());
        match desk.rules.lots_leave {
            crate::model::LotsLeave::Together => {
                let sold = self.take(order.account, order.symbol, &cuts);
                if taxable {
                    for sold in &sold {
                        let row = self.row(desk, order, sold, allotment.next(sold.segment.shares), rows.len());
                        rows.push(row);
                    }
                }
            }
            crate::model::LotsLeave::OneByOne => {
                // A lot that is still to leave can be matched on the way, so each lot's segments
                // are looked up when its turn comes.
                let mut of_lots: Vec<(LotKey, Shares)> = Vec::new();
                for cut in &cuts {
                    match of_lots.last_mut() {
                        Some((key, shares)) if *key == cut.key => *shares += cut.shares,
                        _ => of_lots.push((cut.key, cut.shares)),
                    }
                }
                for (key, shares) in of_lots {
                    let cuts = self.cuts_of_lot(order.account, order.symbol, key, shares);
                    let sold = self.take(order.account, order.symbol, &cuts);
                    if taxable {
                        for sold in &sold {
                            let row = self.row(desk, order, sold, allotment.next(sold.segment.shares), rows.len());
                            rows.push(row);
                        }
                    }
                }
            }
        }
        rows
    }

    /// Takes `shares` of one lot in leaving order.
    pub fn cuts_of_lot(&self, account: usize, symbol: &Symbol, key: LotKey, shares: Shares) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if let Some(lot) = self.positions.get(&(account, symbol.clone())).and_then(|position| position.lots.get(&key)) {
            cut_lot(key, lot, shares, &mut cuts);
        }
        cuts
    }

    fn row(&mut self, desk: Desk<'_>, order: &Order<'_>, sold: &Sold, proceeds: Money, rows_before: usize) -> SaleRow {
        let gain = sold.segment.basis.map(|basis| proceeds - basis);
        let matches = match gain {
            Some(gain) if gain.is_negative() => self.wash(desk, order, sold, -gain, order.first_row + rows_before),
            _ => Vec::new(),
        };
        let disallowed: Money = matches.iter().map(|replacement| replacement.disallowed).sum();
        SaleRow {
            sale: order.sale.clone(),
            account: desk.accounts[order.account].id.clone(),
            symbol: order.symbol.clone(),
            lot: sold.lot.clone(),
            shares: sold.segment.shares,
            acquired: sold.key.0,
            holding_from: sold.segment.holding_from,
            sold: order.date,
            proceeds,
            basis: sold.segment.basis,
            gain,
            disallowed,
            reportable: gain.map(|gain| gain + disallowed),
            term: sold.segment.holding_from.map(|from| Term::of(from, order.date)),
            code: if matches.is_empty() { "" } else { "W" },
            matches,
            kind: RowKind::Sale,
            basis_source: sold.source,
            basis_range: range_of(sold.segment.basis),
            identified: None,
        }
    }

    /// Changes the number of shares in every account (tax rules 2.3 and 4.7a). A split that a
    /// second account reports for the same day with the same ratio is the same split.
    pub fn split(
        &mut self,
        account: usize,
        symbol: &Symbol,
        date: Date,
        new: Shares,
        old: Shares,
    ) -> Result<(), Error> {
        let same = |split: &&ReportedSplit| split.symbol == *symbol && (split.new, split.old) == (new, old);
        let by = |account: usize| self.splits.iter().filter(same).filter(|split| split.account == account).count();
        let told_by_others = (0..=self.splits.iter().map(|split| split.account).max().unwrap_or(0))
            .filter(|other| *other != account)
            .map(by)
            .max()
            .unwrap_or(0);
        let known = by(account) < told_by_others;
        self.splits.push(ReportedSplit { date, symbol: symbol.clone(), account, new, old });
        if known {
            return Ok(());
        }
        let too_large = || Error::OutOfRange { field: "shares after the split", of: symbol.to_string() };
        let mut scaled = Vec::new();
        for ((account, _), position) in self.positions.iter().filter(|((_, held), _)| held == symbol) {
            scaled.push((*account, position.scaled(new, old).ok_or_else(too_large)?));
        }
        let mut losses = self.losses.clone();
        for loss in &mut losses {
            loss.record_split(symbol, new, old).ok_or_else(too_large)?;
        }
        self.losses = losses;
        for (account, position) in scaled {
            self.positions.insert((account, symbol.clone()), position);
        }
        Ok(())
    }

    /// Reduces basis by cash received, share by share (tax rule 2.7). What exceeds a segment's
    /// basis is its gain; a segment of unknown basis stays unknown and its part yields a row
    /// without a gain.
    pub fn return_capital(&mut self, desk: Desk<'_>, order: &Order<'_>) -> Vec<SaleRow> {
        let taxable = desk.accounts[order.account].kind.is_taxable();
        let mut rows = Vec::new();
        let Some(position) = self.positions.get_mut(&(order.account, order.symbol.clone())) else { return rows };
        let mut allotment = Allotment { proceeds: order.proceeds, shares: position.held };
        for (key, lot) in &mut position.lots {
            let (id, source) = (lot.id.clone(), lot.source);
            for segment in lot.segments_mut() {
                let part = allotment.next(segment.shares);
                let excess = match segment.basis {
                    Some(basis) => {
                        let reduction = part.min(basis);
                        let left = basis - reduction;
                        segment.basis = Some(left);
                        segment.deferred = segment.deferred.min(left);
                        part - reduction
                    }
                    None => part,
                };
                if !taxable || excess.is_zero() {
                    continue;
                }
                let gain = segment.basis.map(|_| excess);
                rows.push(SaleRow {
                    sale: order.sale.clone(),
                    account: desk.accounts[order.account].id.clone(),
                    symbol: order.symbol.clone(),
                    lot: id.clone(),
                    shares: segment.shares,
                    acquired: key.0,
                    holding_from: segment.holding_from,
                    sold: order.date,
                    proceeds: excess,
                    basis: gain.map(|_| Money::ZERO),
                    gain,
                    disallowed: Money::ZERO,
                    reportable: gain,
                    term: segment.holding_from.map(|from| Term::of(from, order.date)),
                    code: "",
                    matches: Vec::new(),
                    kind: RowKind::ReturnOfCapital,
                    basis_source: source,
                    basis_range: range_of(gain.map(|_| Money::ZERO)),
                    identified: None,
                });
            }
        }
        rows
    }

    /// Segments held, by account, symbol and acquisition.
    pub fn open_lots<'a>(&'a self, accounts: &'a [Account]) -> impl Iterator<Item = (usize, OpenLot)> + 'a {
        self.positions.iter().flat_map(move |((account, symbol), position)| {
            position.lots.iter().flat_map(move |(key, lot)| {
                lot.segments().map(move |segment| {
                    (*account, open_lot(&accounts[*account], symbol, *key, &lot.id, lot.source, segment))
                })
            })
        })
    }
}

impl Position {
    /// The position in new shares. Rounding is by running total, so that the whole is the whole
    /// times the ratio to the last billionth; no segment with a basis vanishes.
    fn scaled(&self, new: Shares, old: Shares) -> Option<Self> {
        let mut position = self.clone();
        let (mut before, mut after) = (Shares::ZERO, Shares::ZERO);
        for segment in position.lots.values_mut().flat_map(Lot::segments_mut) {
            before = before.checked_add(segment.shares)?;
            let total = scale(before, new, old)?;
            if total > super::largest_shares() {
                return None;
            }
            segment.shares = (total - after).max(Shares::from_billionths(1));
            after += segment.shares;
        }
        position.held = after;
        Some(position)
    }
}

/// Hands out proceeds by quantity so that the parts sum to the whole (tax rule 0.2).
struct Allotment {
    proceeds: Money,
    shares: Shares,
}

impl Allotment {
    fn next(&mut self, shares: Shares) -> Money {
        let part = self.proceeds.portion(shares, self.shares).expect("Invariant: an order sells what its parts add to");
        self.proceeds -= part;
        self.shares -= shares;
        part
    }
}

/// `shares * new / old`, rounded half to even at the billionth.
pub(super) fn scale(shares: Shares, new: Shares, old: Shares) -> Option<Shares> {
    mul_div(shares.billionths(), new.billionths(), old.billionths(), Rounding::HalfEven).map(Shares::from_billionths)
}

/// Adds cuts for `shares` of a lot, in leaving order, and returns what the lot could not give.
pub(super) fn cut_lot(key: LotKey, lot: &Lot, shares: Shares, cuts: &mut Vec<Cut>) -> Shares {
    let mut left = shares;
    for (segment, held) in lot.segments().enumerate() {
        if !left.is_positive() {
            break;
        }
        let taken = left.min(held.shares);
        cuts.push(Cut { key, segment, shares: taken });
        left -= taken;
    }
    left
}

/// A segment as the outside sees it.
pub(super) fn open_lot(
    account: &Account,
    symbol: &Symbol,
    key: LotKey,
    lot: &LotId,
    source: BasisSource,
    segment: &Segment,
) -> OpenLot {
    OpenLot {
        lot: lot.clone(),
        account: account.id.clone(),
        symbol: symbol.clone(),
        shares: segment.shares,
        basis: segment.basis,
        acquired: key.0,
        holding_from: segment.holding_from,
        washed: segment.washed,
        deferred_loss: segment.deferred,
        basis_source: source,
        for_loss: None,
    }
}

fn range_of(basis: Option<Money>) -> BasisRange {
    basis.map_or(BasisRange { lowest: Money::ZERO, highest: None }, BasisRange::exact)
}
