//! What a sale comes to: rows, their terms, and the losses that look for replacements (tax rule 4.10).

use lotwise_core::{Money, Shares};

use super::group::{Desk, Group, Order, Scratch, Sold};
use super::index::{AccountIdx, LotIdx, SaleIdx, SymbolIdx};
use super::lot::{Lot, NONE, UNKNOWN_DAY, date_of, part};
use super::rows::{Outcome, RawNote, RawNoteKind, Row};
use crate::holding::is_long_term_days;
use crate::model::{BasisSource, LotsLeave, Term};

impl Group {
    /// Sells the cuts: the shares leave, losses look for replacements, rows come out (tax rule
    /// 4.10). No rows come out of an account that is not taxable.
    pub(super) fn sell(&mut self, desk: Desk<'_>, order: &Order, scratch: &mut Scratch, out: &mut Outcome) {
        let Some(at) = self.position(order.account, order.symbol) else { return };
        let mut till = self.open_till(desk, order, at);
        let Scratch { cuts, losses, .. } = scratch;
        match desk.rules.lots_leave {
            LotsLeave::Together => {
                for cut in &*cuts {
                    self.sell_part(order, cut.segment, cut.shares, &mut till, losses, out);
                }
                self.wash_all(desk, order, losses, out);
            }
            LotsLeave::OneByOne => {
                // A lot that is still to leave can be matched on the way, so each lot's segments
                // are looked up when its turn comes.
                let mut of_lots: Vec<(u32, Shares)> = Vec::new();
                for cut in &*cuts {
                    match of_lots.last_mut() {
                        Some((lot, shares)) if *lot == cut.lot => *shares += cut.shares,
                        _ => of_lots.push((cut.lot, cut.shares)),
                    }
                }
                for (lot, shares) in of_lots {
                    cuts.clear();
                    self.cut_lot(lot, shares, cuts);
                    for cut in &*cuts {
                        self.sell_part(order, cut.segment, cut.shares, &mut till, losses, out);
                    }
                    self.wash_all(desk, order, losses, out);
                }
                // The ranks that chose the lots were used up segment by segment, and others left.
                self.forget_ranks(at);
            }
        }
    }

    /// Sells the earliest lots of a position, all of the order together; as many are held.
    pub(super) fn sell_earliest(
        &mut self,
        desk: Desk<'_>,
        order: &Order,
        at: u32,
        losses: &mut Vec<Loss>,
        out: &mut Outcome,
    ) {
        let mut till = self.open_till(desk, order, at);
        let mut left = order.shares;
        while left.is_positive() {
            // Lots that are sold out leave the front at once.
            let lot = self.positions[at as usize].lots.front().expect("Invariant: as many shares are held");
            let Lot { first, rest, .. } = self.lots[*lot as usize];
            let id = if first == NONE { rest } else { first };
            let shares = left.min(self.segments[id as usize].piece.shares);
            self.sell_part(order, id, shares, &mut till, losses, out);
            left -= shares;
        }
        self.wash_all(desk, order, losses, out);
    }

    fn open_till(&mut self, desk: Desk<'_>, order: &Order, at: u32) -> Till {
        let average = self.positions[at as usize].average_only && !order.averaged;
        self.last_sale = Some(order.day);
        Till {
            taxable: desk.is_taxable(order.account),
            highest: average.then(|| self.average_only_basis(at)),
            allotment: Allotment { proceeds: order.proceeds, shares: order.shares },
        }
    }

    /// Sells shares of one segment. A loss looks for replacements once all that leave together have
    /// left, with [`Group::wash_all`].
    #[inline]
    fn sell_part(
        &mut self,
        order: &Order,
        segment: u32,
        shares: Shares,
        till: &mut Till,
        losses: &mut Vec<Loss>,
        out: &mut Outcome,
    ) {
        let sold = self.take(segment, shares);
        if !till.taxable {
            return;
        }
        let row = out.next_row();
        if let Some((loss, holding_from)) = self.push_row(order, &sold, till.allotment.next(shares), till.highest, out)
        {
            losses.push(Loss { row, lot: sold.lot, shares, loss, holding_from });
        }
    }

    fn wash_all(&mut self, desk: Desk<'_>, order: &Order, losses: &mut Vec<Loss>, out: &mut Outcome) {
        for loss in losses.drain(..) {
            self.wash(desk, order, &loss, out);
        }
    }

    /// Basis of the lots of a position that are known only as an average.
    pub(super) fn average_only_basis(&self, at: u32) -> Money {
        let lots = self.lots_of(at).filter(|lot| self.lots[*lot as usize].source == BasisSource::AverageOnly);
        let segments = lots.flat_map(|lot| self.segments_of_lot(lot));
        segments.filter_map(|id| self.segments[id as usize].piece.known_basis()).sum()
    }

    /// Adds the row, and returns a loss that looks for replacements with the day that the holding
    /// period of the shares started.
    #[inline]
    pub(super) fn push_row(
        &self,
        order: &Order,
        sold: &Sold,
        proceeds: Money,
        highest: Option<Money>,
        out: &mut Outcome,
    ) -> Option<(Money, i32)> {
        let Lot { name, acquired, source, .. } = self.lots[sold.lot as usize];
        let piece = &sold.piece;
        let average = source == BasisSource::AverageOnly && !order.averaged;
        let known = piece.known && !average;
        let (mut basis, mut holding_from) = (piece.basis, piece.holding_from);
        if let Some(for_loss) = sold.for_loss.filter(|_| known && proceeds < piece.basis) {
            // Below the donor's basis; only below the market value too is it a loss (rule 2.5).
            basis = proceeds.max(for_loss.basis);
            if basis > proceeds {
                holding_from = for_loss.holding_from;
            }
        }
        let term = if source == BasisSource::Inherited { Some(Term::Long) } else { term_of(holding_from, order.day) };
        let place = out.next_row();
        out.push(Row {
            sale: SaleIdx(order.sale),
            lot: LotIdx(name),
            account: AccountIdx(order.account),
            symbol: SymbolIdx(order.symbol),
            kind: order.kind,
            source,
            term,
            known,
            acquired,
            holding_from,
            sold: order.day,
            identified: order.identified,
            shares: piece.shares,
            proceeds,
            basis: if known { basis } else { Money::ZERO },
            disallowed: Money::ZERO,
            first_match: NONE,
            last_match: NONE,
        });
        if !known {
            let Order { day, account, symbol, .. } = *order;
            out.notes.push(RawNote { day, account, symbol, row: place, kind: RawNoteKind::BasisNotExact });
            if let Some(highest) = highest.filter(|_| average && piece.known) {
                out.highest_basis.insert(place, highest);
            }
            return None;
        }
        (proceeds < basis && order.washes).then(|| (basis - proceeds, holding_from))
    }

    /// The rows of a lot sold whole and alone, without selling it. `parts` are the lots of one
    /// acquisition in the position.
    pub(super) fn sell_alone(&self, desk: Desk<'_>, order: &Order, at: u32, parts: &[u32], out: &mut Outcome) {
        if !desk.is_taxable(order.account) {
            return;
        }
        let average_only = self.positions[at as usize].average_only;
        let highest = average_only.then(|| self.average_only_basis(at));
        let mut allotment = Allotment { proceeds: order.proceeds, shares: order.shares };
        let from = self.lots[parts[0] as usize];
        let younger_only = !desk.rules.older_lots_can_replace && from.acquired != UNKNOWN_DAY;
        let others = self.purchases.lots(&self.lots).map(|lot| &self.lots[lot as usize]);
        let mut others = others.filter(|of| of.name != from.name && !(younger_only && of.key() < from.key()));
        let mut free = (None, Shares::ZERO);
        for id in parts.iter().flat_map(|part| self.segments_of_lot(*part)) {
            let segment = &self.segments[id as usize];
            let for_loss = self.for_loss.get(&id).copied();
            let sold = Sold { lot: segment.lot, ordinal: segment.ordinal, piece: segment.piece, for_loss };
            let place = out.next_row();
            let loss = self.push_row(order, &sold, allotment.next(sold.piece.shares), highest, out);
            let (mut loss, mut shares) = (loss.map_or(Money::ZERO, |(loss, _)| loss), sold.piece.shares);
            while loss.is_positive() && shares.is_positive() {
                if !free.1.is_positive() {
                    let next = others.next();
                    free = (next, next.map_or(Shares::ZERO, |of| self.segments[of.rest as usize].piece.shares));
                }
                let Some(of) = free.0 else { break };
                let taken = shares.min(free.1);
                let disallowed = part(loss, taken, shares);
                let permanent = desk.is_retirement(self.positions[of.position as usize].account);
                out.add_match(place, of.name, taken, disallowed, permanent);
                loss -= disallowed;
                shares -= taken;
                free.1 -= taken;
            }
        }
    }
}

/// Shares sold at a loss that has not looked for replacements yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loss {
    /// Index of the sale's row.
    pub row: u32,
    /// Lot that was sold.
    pub lot: u32,
    pub shares: Shares,
    /// Above zero.
    pub loss: Money,
    /// Day that the holding period of the shares started.
    pub holding_from: i32,
}

/// What the parts of one order share.
struct Till {
    taxable: bool,
    /// Basis that lots known only as an average have together.
    highest: Option<Money>,
    allotment: Allotment,
}

/// The term of shares held since `from`, when that is known.
pub(super) fn term_of(from: i32, sold: i32) -> Option<Term> {
    if from == UNKNOWN_DAY {
        return None;
    }
    let long = is_long_term_days(from, sold, || date_of(from).zip(date_of(sold)));
    Some(if long { Term::Long } else { Term::Short })
}

/// Hands out proceeds by quantity so that the parts sum to the whole (tax rule 0.2).
pub(super) struct Allotment {
    pub proceeds: Money,
    pub shares: Shares,
}

impl Allotment {
    pub fn next(&mut self, shares: Shares) -> Money {
        let part = part(self.proceeds, shares, self.shares);
        self.proceeds -= part;
        self.shares -= shares;
        part
    }
}
