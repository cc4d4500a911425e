//! What happens to lots without a sale: splits, returned capital, spin-offs, exchanges, transfers.

use lotwise_core::{Money, Rate, Shares};

use super::group::{Desk, Group, Order, ReportedSplit, Scratch, Sold, UnitChange, scale};
use super::index::{AccountIdx, Fault, LotIdx, SaleIdx, SymbolIdx};
use super::lot::{ForLoss, Lot, NONE, Piece, Segment, UNKNOWN_DAY};
use super::rows::{Gone, Outcome, RawNote, RawNoteKind, Row};
use super::sell::{Allotment, term_of};
use crate::model::{BasisSource, Term};

/// A ratio of shares: `new` for every `old`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    pub new: Shares,
    pub old: Shares,
}

/// A segment on its way to another lot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moving {
    /// Lot of this group that it leaves.
    pub lot: u32,
    pub ordinal: u32,
    pub piece: Piece,
    pub for_loss: Option<ForLoss>,
}

impl Group {
    /// Changes the number of shares in every account (tax rules 2.3 and 4.7a). A split that a
    /// second account reports for the same day with the same ratio is the same split.
    pub(super) fn split(
        &mut self,
        account: u32,
        symbol: u32,
        day: i32,
        sequence: u32,
        Ratio { new, old }: Ratio,
    ) -> Result<(), Fault> {
        let same =
            |split: &&ReportedSplit| split.day == day && split.symbol == symbol && (split.new, split.old) == (new, old);
        let by = |account: u32| self.splits.iter().filter(same).filter(|split| split.account == account).count();
        let others = self.splits.iter().filter(same).map(|split| split.account).filter(|other| *other != account);
        let told_by_others = others.map(by).max().unwrap_or(0);
        let known = by(account) < told_by_others;
        if !known {
            let positions = self.positions.iter().enumerate().filter(|(_, one)| one.symbol == symbol);
            let positions: Vec<u32> = positions.map(|(at, _)| at as u32).collect();
            // All sizes are worked out before the first is changed, since one may be out of range.
            let mut sizes = Vec::new();
            for at in &positions {
                sizes.push(self.scaled(*at, Ratio { new, old }).ok_or(Fault::OutOfRange)?);
            }
            self.units.push(UnitChange { sequence, symbol, new, old });
            let losses = self.losses.iter().chain(&self.short_losses);
            let mut units = losses.map(|loss| loss.in_units_of(symbol, &self.units));
            if units.any(|shares| shares.is_none_or(|shares| shares > super::largest_shares())) {
                self.units.pop();
                return Err(Fault::OutOfRange);
            }
            for (at, sizes) in positions.into_iter().zip(sizes) {
                self.resize(at, &sizes);
            }
        }
        self.splits.push(ReportedSplit { day, symbol, account, new, old });
        Ok(())
    }

    /// The position in new shares, held ones and then owed ones. Rounding is by running total, so
    /// that the whole is the whole times the ratio to the last billionth; no segment with a basis
    /// vanishes.
    pub(super) fn scaled(&self, at: u32, ratio: Ratio) -> Option<(Vec<Shares>, Vec<Shares>)> {
        let held = self.segments_of(at).map(|id| self.segments[id as usize].piece.shares);
        let owed = self.positions[at as usize].shorts.iter().map(|short| short.shares);
        Some((scale_all(held, ratio)?, scale_all(owed, ratio)?))
    }

    pub(super) fn resize(&mut self, at: u32, (held, owed): &(Vec<Shares>, Vec<Shares>)) {
        let ids: Vec<u32> = self.segments_of(at).collect();
        for (id, shares) in ids.into_iter().zip(held) {
            self.segments[id as usize].piece.shares = *shares;
        }
        let position = &mut self.positions[at as usize];
        position.held = held.iter().copied().sum();
        for (short, shares) in position.shorts.iter_mut().zip(owed) {
            short.held_long = if short.shares == short.held_long {
                *shares
            } else {
                scale(short.held_long, *shares, short.shares).unwrap_or(*shares).min(*shares)
            };
            short.shares = *shares;
        }
        self.forget_ranks(at);
    }

    /// Reduces basis by cash received, share by share (tax rule 2.7). What exceeds a segment's
    /// basis is its gain; a segment of unknown basis stays unknown and its part yields a row
    /// without a gain.
    pub(super) fn return_capital(&mut self, desk: Desk<'_>, order: &Order, out: &mut Outcome) {
        let Some(at) = self.position(order.account, order.symbol) else { return };
        let taxable = desk.is_taxable(order.account);
        let mut allotment = Allotment { proceeds: order.proceeds, shares: order.shares };
        let ids: Vec<u32> = self.segments_of(at).collect();
        for id in ids {
            let segment = &mut self.segments[id as usize];
            let piece = &mut segment.piece;
            let cash = allotment.next(piece.shares);
            let mut excess = cash;
            if piece.known {
                let reduction = cash.min(piece.basis);
                piece.basis -= reduction;
                piece.deferred = piece.deferred.min(piece.basis);
                excess -= reduction;
            }
            if let Some(for_loss) = self.for_loss.get_mut(&id) {
                for_loss.basis -= cash.min(for_loss.basis);
            }
            if taxable && !excess.is_zero() {
                let (lot, piece) = (segment.lot, *piece);
                self.cash_row(order, lot, &piece, excess, Money::ZERO, out);
            }
        }
        self.forget_ranks(at);
    }

    /// A row for cash on shares that stay: `basis` is the part of it that is no gain.
    fn cash_row(&self, order: &Order, lot: u32, piece: &Piece, cash: Money, basis: Money, out: &mut Outcome) {
        let of = &self.lots[lot as usize];
        let exact = piece.known && of.source != BasisSource::AverageOnly;
        let term =
            if of.source == BasisSource::Inherited { Some(Term::Long) } else { term_of(piece.holding_from, order.day) };
        let row = out.next_row();
        out.push(Row {
            sale: SaleIdx(order.sale),
            lot: LotIdx(of.name),
            account: AccountIdx(order.account),
            symbol: SymbolIdx(order.symbol),
            kind: order.kind,
            source: of.source,
            term,
            known: exact,
            acquired: of.acquired,
            holding_from: piece.holding_from,
            sold: order.day,
            identified: UNKNOWN_DAY,
            shares: piece.shares,
            proceeds: cash,
            basis: if exact { basis } else { Money::ZERO },
            disallowed: Money::ZERO,
            first_match: NONE,
            last_match: NONE,
        });
        if !exact {
            let Order { day, account, symbol, .. } = *order;
            out.notes.push(RawNote { day, account, symbol, row, kind: RawNoteKind::BasisNotExact });
            // The gain is no more than the cash and no less than nothing.
            out.highest_basis.insert(row, cash);
        }
    }

    /// Takes the chosen shares off and keeps what they were (`remove`).
    pub(super) fn remove(&mut self, order: &Order, scratch: &mut Scratch, out: &mut Outcome) {
        self.take_all(scratch);
        for sold in &scratch.sold {
            let of = &self.lots[sold.lot as usize];
            out.gone.push(Gone {
                account: order.account,
                symbol: order.symbol,
                name: of.name,
                acquired: of.acquired,
                source: of.source,
                piece: sold.piece,
            });
        }
    }

    /// Puts moving segments on the book of this group as lots of one position, each with the
    /// acquisition that it belongs to. Returns the lots that are new.
    pub(super) fn settle(&mut self, at: u32, moving: &[(Lot, Moving)], washes: bool) -> Vec<u32> {
        let mut made: Vec<u32> = Vec::new();
        for (of, one) in moving {
            let last = made.last().copied().filter(|lot| self.lots[*lot as usize].name == of.name);
            let lot = last.or_else(|| self.lot_like(at, of)).unwrap_or_else(|| {
                made.push(self.add_empty_lot(at, of.name, of.acquired, of.sequence, of.source, of.purchase));
                self.lots.len() as u32 - 1
            });
            let had_rest = self.lots[lot as usize].rest != NONE;
            self.join_segment(lot, one.ordinal, one.piece, one.for_loss);
            if of.purchase && washes && !had_rest && self.lots[lot as usize].rest != NONE {
                self.purchases.insert(lot, &self.lots);
            }
        }
        made
    }

    /// Takes the chosen shares off to put them elsewhere.
    pub(super) fn lift(&mut self, scratch: &mut Scratch) -> Vec<(Lot, Moving)> {
        self.take_all(scratch);
        let moving = scratch.sold.iter().map(|sold| {
            let Sold { lot, ordinal, piece, for_loss } = *sold;
            let one = Moving { lot, ordinal, piece, for_loss };
            (self.lots[sold.lot as usize], one)
        });
        moving.collect()
    }

    /// Cuts for everything that a position holds.
    pub(super) fn cut_everything(&self, at: u32, scratch: &mut Scratch) {
        scratch.cuts.clear();
        for lot in self.lots_of(at) {
            self.cut_lot(lot, self.shares_of_lot(lot), &mut scratch.cuts);
        }
    }

    /// Recognises gain up to the cash received in an exchange, on segments that are on their way
    /// (tax rule 2.4; 26 USC 356 and 358).
    pub(super) fn pay_boot(
        &self,
        desk: Desk<'_>,
        order: &Order,
        moving: &mut [(Lot, Moving)],
        value: Money,
        out: &mut Outcome,
    ) {
        let mut cash = Allotment { proceeds: order.proceeds, shares: order.shares };
        let mut values = Allotment { proceeds: value, shares: order.shares };
        for (_, one) in moving {
            let (cash, value) = (cash.next(one.piece.shares), values.next(one.piece.shares));
            let recognised = cash.min((value + cash - one.piece.basis).max(Money::ZERO));
            if desk.is_taxable(order.account) && cash.is_positive() {
                self.cash_row(order, one.lot, &one.piece, cash, cash - recognised, out);
            }
            if one.piece.known {
                one.piece.basis = (one.piece.basis - cash + recognised).max(Money::ZERO);
                one.piece.deferred = one.piece.deferred.min(one.piece.basis);
            }
            if let Some(for_loss) = &mut one.for_loss {
                for_loss.basis = (for_loss.basis - cash + recognised).max(Money::ZERO);
            }
        }
    }

    /// Moves part of a position's basis to new shares (tax rule 2.4) and returns the segments of
    /// those. `None` when a size is out of range.
    pub(super) fn spin_off(&mut self, at: u32, ratio: Ratio, to_new: Rate) -> Option<Vec<(Lot, Moving)>> {
        let ids: Vec<u32> = self.segments_of(at).collect();
        let held = ids.iter().map(|id| self.segments[*id as usize].piece.shares);
        let sizes = scale_all(held, ratio)?;
        let mut made = Vec::with_capacity(ids.len());
        for (id, shares) in ids.into_iter().zip(sizes) {
            let piece = &mut self.segments[id as usize].piece;
            let (basis, deferred) = (piece.basis * to_new, piece.deferred * to_new);
            let new = Piece { shares, basis, deferred, ..*piece };
            piece.basis -= basis;
            piece.deferred -= deferred;
            let for_loss = self.for_loss.get_mut(&id).map(|kept| {
                let basis = kept.basis * to_new;
                kept.basis -= basis;
                ForLoss { basis, ..*kept }
            });
            let Segment { lot, ordinal, .. } = self.segments[id as usize];
            let mut of = self.lots[lot as usize];
            of.purchase = false;
            if of.source == BasisSource::Purchase {
                of.source = BasisSource::CarriedOver;
            }
            made.push((of, Moving { lot, ordinal, piece: new, for_loss }));
        }
        self.forget_ranks(at);
        Some(made)
    }

    /// Joins another group to this one: one security under two names. Lots of the other get
    /// `offset` as their new start, which is returned.
    pub(super) fn join(&mut self, mut other: Self) -> u32 {
        let lots = self.lots.len() as u32;
        let segments = self.segments.len() as u32;
        let positions = self.positions.len() as u32;
        let moved = |id: u32, offset: u32| if id == NONE { NONE } else { id + offset };
        for lot in &mut other.lots {
            lot.position += positions;
            lot.first = moved(lot.first, segments);
            lot.last = moved(lot.last, segments);
            lot.rest = moved(lot.rest, segments);
        }
        for segment in &mut other.segments {
            segment.lot = moved(segment.lot, lots);
            segment.next = moved(segment.next, segments);
            segment.previous = moved(segment.previous, segments);
        }
        for position in &mut other.positions {
            for lot in &mut position.lots {
                *lot += lots;
            }
        }
        self.lots.append(&mut other.lots);
        self.segments.append(&mut other.segments);
        self.take_in(&mut other, segments);
        for (key, place) in &other.places {
            self.places.insert(*key, place + positions);
        }
        self.positions.append(&mut other.positions);
        for at in positions..self.positions.len() as u32 {
            self.forget_ranks(at);
        }
        self.purchases.merge(&other.purchases, lots, &self.lots);
        self.losses.append(&mut other.losses);
        self.losses.make_contiguous().sort_by_key(|loss| (loss.sold, loss.row));
        self.short_losses.append(&mut other.short_losses);
        self.short_losses.make_contiguous().sort_by_key(|loss| (loss.sold, loss.row));
        self.stock_losses.append(&mut other.stock_losses);
        self.stock_losses.make_contiguous().sort_unstable();
        self.calls.append(&mut other.calls);
        self.calls.make_contiguous().sort_unstable();
        self.units.append(&mut other.units);
        self.units.sort_by_key(|change| change.sequence);
        self.splits.append(&mut other.splits);
        self.last_sale = self.last_sale.max(other.last_sale);
        for (segment, for_loss) in std::mem::take(&mut other.for_loss) {
            self.for_loss.insert(segment + segments, for_loss);
        }
        lots
    }
}

fn scale_all(parts: impl Iterator<Item = Shares>, Ratio { new, old }: Ratio) -> Option<Vec<Shares>> {
    let (mut before, mut after) = (Shares::ZERO, Shares::ZERO);
    let mut sizes = Vec::new();
    for shares in parts {
        before = before.checked_add(shares)?;
        let total = scale(before, new, old)?;
        if total > super::largest_shares() {
            return None;
        }
        let size = (total - after).max(Shares::from_billionths(1));
        after += size;
        sizes.push(size);
    }
    Some(sizes)
}
