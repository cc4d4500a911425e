//! Short sales and written options: opened by a sale, closed by a purchase (tax rules 2.8, 2.9).

use lotwise_core::{Money, Shares};

use super::WINDOW_DAYS;
use super::group::{Desk, Group, Order, scale};
use super::index::{AccountIdx, Fault, LotIdx, SaleIdx, SymbolIdx};
use super::lot::{NONE, UNKNOWN_DAY, part};
use super::rows::{Outcome, RawNote, RawNoteKind, Row};
use super::sell::{Allotment, term_of};
use super::wash::OpenLoss;
use crate::model::{BasisSource, RowKind, Term};

/// Part of a short sale that is not closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShortLot {
    pub name: u32,
    pub sequence: u32,
    pub opened: i32,
    pub shares: Shares,
    /// Proceeds, less losses that moved here.
    pub proceeds: Money,
    pub deferred: Money,
    /// Whether it has taken on a loss.
    pub washed: bool,
    /// As many of the shares as substantially identical ones were held for more than a year on
    /// the day of the short sale (26 USC 1233(d) and (e)).
    pub held_long: Shares,
}

impl ShortLot {
    fn cut(&mut self, shares: Shares) -> Self {
        let cut = Self {
            shares,
            proceeds: part(self.proceeds, shares, self.shares),
            deferred: part(self.deferred, shares, self.shares),
            held_long: self.held_long.min(shares),
            ..*self
        };
        self.shares -= shares;
        self.proceeds -= cut.proceeds;
        self.deferred -= cut.deferred;
        self.held_long -= cut.held_long;
        cut
    }
}

/// Which short lots a purchase closes.
pub(super) type Closing<'a> = Option<&'a [(LotIdx, Shares)]>;

impl Group {
    /// Opens a short sale. `stock` tells it from a written option, which section 1233 leaves alone.
    pub(super) fn open_short(&mut self, desk: Desk<'_>, order: &Order, name: u32, stock: bool, out: &mut Outcome) {
        let mut short = ShortLot {
            name,
            sequence: order.sequence,
            opened: order.day,
            shares: order.shares,
            proceeds: order.proceeds,
            deferred: Money::ZERO,
            washed: false,
            held_long: Shares::ZERO,
        };
        let taxable = desk.is_taxable(order.account);
        if stock && taxable {
            let (mut held, mut held_long) = (false, Shares::ZERO);
            for at in self.taxable_positions(desk) {
                for id in self.segments_of(at) {
                    let piece = &self.segments[id as usize].piece;
                    held = true;
                    if term_of(piece.holding_from, order.day) == Some(Term::Long) {
                        held_long += piece.shares;
                    }
                }
            }
            short.held_long = held_long.min(order.shares);
            if held {
                let Order { day, account, symbol, .. } = *order;
                out.notes.push(RawNote { day, account, symbol, row: NONE, kind: RawNoteKind::ShortWhileHolding });
            }
        }
        let at = self.position_or_new(order.account, order.symbol);
        if order.washes && taxable {
            for place in 0..self.short_losses.len() {
                if !short.shares.is_positive() {
                    break;
                }
                let mut open = self.short_losses[place];
                // Deliveries need not come in the order of the purchases.
                if order.day - open.sold > WINDOW_DAYS {
                    continue;
                }
                let wanted = open.in_units_of(order.symbol, &self.units).unwrap_or(open.shares);
                let shares = short.shares.min(wanted);
                let of_loss = if shares == wanted { open.shares } else { part_of(open.shares, shares, wanted) };
                if !shares.is_positive() || !of_loss.is_positive() {
                    continue;
                }
                let disallowed = open.take(of_loss);
                self.short_losses[place] = open;
                out.washed.push(open.row);
                out.add_match(open.row, name, shares, disallowed, false);
                let mut washed = short.cut(shares);
                washed.washed = true;
                washed.proceeds -= disallowed;
                washed.deferred += disallowed;
                self.positions[at as usize].shorts.push_back(washed);
            }
            self.short_losses.retain(|open| open.shares.is_positive());
        }
        if short.shares.is_positive() {
            self.positions[at as usize].shorts.push_back(short);
        }
    }

    fn taxable_positions(&self, desk: Desk<'_>) -> Vec<u32> {
        let positions = self.positions.iter().enumerate();
        positions.filter(|(_, one)| desk.is_taxable(one.account)).map(|(at, _)| at as u32).collect()
    }

    /// Shares owed.
    pub(super) fn owed(&self, account: u32, symbol: u32) -> Shares {
        let at = self.position(account, symbol);
        at.map_or(Shares::ZERO, |at| self.positions[at as usize].shorts.iter().map(|short| short.shares).sum())
    }

    /// Takes short lots off the book, the earliest first or those named.
    pub(super) fn take_shorts(
        &mut self,
        account: u32,
        symbol: u32,
        shares: Shares,
        closing: Closing<'_>,
    ) -> Result<Vec<ShortLot>, Fault> {
        let owed = self.owed(account, symbol);
        let Some(at) = self.position(account, symbol).filter(|_| owed >= shares) else {
            return Err(Fault::InsufficientShort { owed });
        };
        let shorts = &mut self.positions[at as usize].shorts;
        let mut taken = Vec::new();
        let Some(named) = closing else {
            let mut left = shares;
            while left.is_positive() {
                let front = shorts.front_mut().expect("Invariant: as much is owed as is taken");
                if front.shares <= left {
                    left -= front.shares;
                    taken.extend(shorts.pop_front());
                } else {
                    taken.push(front.cut(left));
                    left = Shares::ZERO;
                }
            }
            return Ok(taken);
        };
        let total: Shares = named.iter().map(|(_, shares)| *shares).sum();
        if total != shares {
            return Err(Fault::SelectionSum { named: total });
        }
        let mut after = shorts.clone();
        for (lot, wanted) in named {
            let mut left = *wanted;
            for short in after.iter_mut().filter(|short| short.name == lot.0) {
                let cut = left.min(short.shares);
                if cut.is_positive() {
                    let whole = *short;
                    taken.push(if cut == whole.shares {
                        short.shares = Shares::ZERO;
                        whole
                    } else {
                        short.cut(cut)
                    });
                    left -= cut;
                }
            }
            if left.is_positive() {
                return Err(Fault::InsufficientLot { lot: *lot, held: *wanted - left, wanted: *wanted });
            }
        }
        after.retain(|short| short.shares.is_positive());
        *shorts = after;
        taken.sort_by_key(|short| (short.sequence, !short.washed));
        Ok(taken)
    }

    /// Closes short lots at a cost. `order.proceeds` is that cost; `settled` is the day on which a
    /// loss counts (tax rule 0.3).
    pub(super) fn close_shorts(
        &mut self,
        desk: Desk<'_>,
        order: &Order,
        taken: Vec<ShortLot>,
        stock: bool,
        settled: i32,
        out: &mut Outcome,
    ) {
        if !desk.is_taxable(order.account) {
            return;
        }
        let mut costs = Allotment { proceeds: order.proceeds, shares: order.shares };
        for mut short in taken {
            let opened = short.opened;
            let closed = short.shares;
            let mut cost = Allotment { proceeds: costs.next(short.shares), shares: short.shares };
            // Of a loss the part for which shares were held long comes first, then the rest.
            let first = short.held_long;
            let is_loss = cost.proceeds > short.proceeds;
            let parts = if stock && is_loss && first.is_positive() && first < short.shares {
                let cut = short.cut(first);
                vec![cut, short]
            } else {
                vec![short]
            };
            for short in parts {
                let cost = cost.next(short.shares);
                let loss = cost - short.proceeds;
                let is_loss = loss.is_positive();
                // A short sale closed at a loss is complete when the shares are delivered.
                let complete = if is_loss && order.kind == RowKind::Cover { settled } else { order.day };
                let long = stock && is_loss && short.held_long.is_positive();
                let row = out.next_row();
                out.push(Row {
                    sale: SaleIdx(order.sale),
                    lot: LotIdx(short.name),
                    account: AccountIdx(order.account),
                    symbol: SymbolIdx(order.symbol),
                    kind: order.kind,
                    source: BasisSource::Purchase,
                    term: Some(if long { Term::Long } else { Term::Short }),
                    known: true,
                    acquired: order.day,
                    holding_from: order.day,
                    sold: complete,
                    identified: UNKNOWN_DAY,
                    shares: short.shares,
                    proceeds: short.proceeds,
                    basis: cost,
                    disallowed: Money::ZERO,
                    first_match: NONE,
                    last_match: NONE,
                });
                if is_loss && order.washes {
                    self.wash_short(order, &short, loss, complete, row, out);
                }
            }
            if stock {
                self.restart_holding(desk, opened, order.day, closed);
            }
        }
    }

    /// Matches a loss on closing with other short sales of the window (26 USC 1091(e)), which lies
    /// around the day on which the closing is `complete`: the delivery (Pub. 550, wash sales).
    fn wash_short(
        &mut self,
        order: &Order,
        closed: &ShortLot,
        loss: Money,
        complete: i32,
        row: u32,
        out: &mut Outcome,
    ) {
        let mut open = OpenLoss {
            row,
            sale: order.sale,
            name: closed.name,
            symbol: order.symbol,
            sold: complete,
            sequence: order.sequence,
            shares: closed.shares,
            loss,
            holding_from: order.day,
        };
        let mut candidates: Vec<(i32, u32, u32)> = Vec::new();
        for (at, position) in self.positions.iter().enumerate() {
            for short in &position.shorts {
                let in_window = complete - short.opened <= WINDOW_DAYS;
                if in_window && !short.washed && short.name != closed.name {
                    candidates.push((short.opened, short.sequence, at as u32));
                }
            }
        }
        candidates.sort_unstable();
        for (_, sequence, at) in candidates {
            if !open.shares.is_positive() {
                break;
            }
            let shorts = &mut self.positions[at as usize].shorts;
            let found = shorts.iter().position(|short| short.sequence == sequence && !short.washed);
            let Some(place) = found else { continue };
            let shares = open.shares.min(shorts[place].shares);
            let disallowed = open.take(shares);
            let whole = shares == shorts[place].shares;
            let mut washed = if whole { shorts[place] } else { shorts[place].cut(shares) };
            washed.washed = true;
            washed.proceeds -= disallowed;
            washed.deferred += disallowed;
            let name = washed.name;
            if whole {
                shorts[place] = washed;
            } else {
                shorts.insert(place, washed);
            }
            out.add_match(row, name, shares, disallowed, false);
        }
        if open.shares.is_positive() {
            if self.last_sale.is_some_and(|sold| order.day - sold <= WINDOW_DAYS) {
                let Order { day, account, symbol, .. } = *order;
                out.notes.push(RawNote { day, account, symbol, row, kind: RawNoteKind::SaleNearShortLoss });
            }
            self.short_losses.push_back(open);
        }
    }

    /// Restarts the holding period of shares that were held a year or less on the day of a short
    /// sale, or acquired since, up to the shares closed and in order of acquisition (26 USC
    /// 1233(b)(2)).
    fn restart_holding(&mut self, desk: Desk<'_>, opened: i32, closed_on: i32, shares: Shares) {
        let mut held: Vec<(i32, u32, u32)> = Vec::new();
        for at in self.taxable_positions(desk) {
            held.extend(
                self.lots_of(at).map(|lot| (self.lots[lot as usize].acquired, self.lots[lot as usize].sequence, lot)),
            );
        }
        held.sort_unstable();
        let mut left = shares;
        for (acquired, _, lot) in held {
            if acquired == UNKNOWN_DAY || self.lots[lot as usize].source == BasisSource::Inherited {
                continue;
            }
            let ids: Vec<u32> = self.segments_of_lot(lot).collect();
            for id in ids {
                if !left.is_positive() {
                    return;
                }
                let piece = self.segments[id as usize].piece;
                let from = piece.holding_from;
                if from == UNKNOWN_DAY || from >= closed_on || term_of(from, opened) == Some(Term::Long) {
                    continue;
                }
                let shares = left.min(piece.shares);
                let id = if shares == piece.shares { id } else { self.split_segment(id, shares) };
                self.segments[id as usize].piece.holding_from = closed_on;
                self.touch(id);
                left -= shares;
            }
        }
    }
}

fn part_of(whole: Shares, part: Shares, of: Shares) -> Shares {
    scale(whole, part, of).unwrap_or(whole).min(whole)
}
