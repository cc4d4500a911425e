//! The lots whose sale costs the least tax (tax rule 2.2).

use lotwise_core::{Money, Shares};

use super::choose::sort;
use super::group::{Cut, Desk, Group, Order, Scratch, Sold};
use super::lot::{NONE, Piece, Segment, UNKNOWN_DAY, part};
use super::rank::{End, rank};
use super::rows::Outcome;
use super::sell::{Allotment, term_of};
use crate::model::{BasisSource, FlatRates, LotsLeave, Term};

/// A sale seldom takes more segments of one ordering than this, so that only so many are put in order
/// at first.
const PUT_IN_ORDER: usize = 32;

/// What a segment is ordered by; less leaves first, and of equal ones the first.
#[derive(Debug, Clone, Copy)]
struct Keys {
    segment: u32,
    tax: i128,
    washed_tax: i128,
    highest: i128,
    lowest: i128,
}

/// Room for the orderings that are tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    keys: Vec<Keys>,
    ranked: Vec<Ranked>,
    tried: Vec<Vec<Cut>>,
    out: Outcome,
    /// Recent purchases in order of acquisition with their shares that have absorbed no loss, as the
    /// book has them and as the sale in hand leaves them.
    free: Vec<(u32, Shares)>,
    left: Vec<(u32, Shares)>,
}

impl Group {
    /// The cheapest of several orderings, each tried without selling, so that the wash-sale effect
    /// of what it sells is exactly that of the sale; the legal default wins ties.
    ///
    /// A loss that is washed saves nothing now, and which losses are washed depends on what else
    /// leaves, so no single ranking is best for all ledgers. Only shares held at the sale can be
    /// known to wash it: the choice has to reach the broker before later purchases happen.
    pub(super) fn least_tax(&mut self, desk: Desk<'_>, at: u32, order: &Order, scratch: &mut Scratch) {
        let position = &self.positions[at as usize];
        if position.n_segments == 1 || position.held == order.shares {
            // Every ordering takes the same shares.
            self.take_lots(self.lots_of(at), order.shares, &mut scratch.cuts);
            return;
        }
        let Scratch { cuts, least: room, .. } = scratch;
        let rates = desk.rules.rates;
        // Without anything that could wash a loss the tax of each share stands alone, and the order
        // by it is the cheapest; first-in first-out can only be as cheap. Where lots leave one by one
        // the segments of each leave in order, so that what is chosen is not what stands alone.
        let together = desk.rules.lots_leave == LotsLeave::Together;
        let alone = together
            && (!order.washes
                || self.purchases.lots(&self.lots).next().is_none()
                || self.segments_of(at).all(|id| !self.is_loss(order, id)));
        room.free.clear();
        room.free.extend(self.purchases.lots(&self.lots).map(|lot| (lot, self.rest_of(lot))));
        let free: Shares = room.free.iter().map(|(_, shares)| *shares).sum();
        room.keys.clear();
        for id in self.segments_of(at) {
            let piece = &self.segments[id as usize].piece;
            let [tax, washed_tax] = self.taxes_per_share(desk, order, id, rates, free, &room.free);
            // Of an unknown basis both are the last; otherwise one is the other's opposite.
            let (highest, lowest) = match if alone { Some(0) } else { rank(piece, End::Lowest).checked_neg() } {
                Some(price) => (-price, price),
                None => (i128::MAX, i128::MAX),
            };
            room.keys.push(Keys { segment: id, tax, washed_tax, highest, lowest });
        }
        let mut best: Option<(Weight, usize)> = None;
        let mut n_tried = 0;
        for ordering in if alone { [0, 2].as_slice() } else { &[0, 1, 2, 3, 4, 5] }.iter().copied() {
            if n_tried == room.tried.len() {
                room.tried.push(Vec::new());
            }
            let (before, rest) = room.tried.split_at_mut(n_tried);
            let trial = &mut rest[0];
            trial.clear();
            match ordering {
                0 => self.take_lots(self.lots_of(at), order.shares, trial),
                5 => {
                    self.take_lots(self.lots_of(at).rev(), order.shares, trial);
                    sort(trial);
                }
                _ => {
                    room.ranked.clear();
                    room.ranked.extend(room.keys.iter().zip(0..).map(|(keys, place)| match ordering {
                        1 => (keys.washed_tax, place),
                        2 => (keys.tax, place),
                        3 => (keys.highest, place),
                        _ => (keys.lowest, place),
                    }));
                    let mut left = order.shares;
                    let mut rest = room.ranked.as_mut_slice();
                    let mut many = PUT_IN_ORDER;
                    while left.is_positive() && !rest.is_empty() {
                        let least = least_of(rest, many);
                        for (_, place) in &*least.0 {
                            if !left.is_positive() {
                                break;
                            }
                            let id = room.keys[*place as usize].segment;
                            let taken = left.min(self.segments[id as usize].piece.shares);
                            trial.push(self.cut(id, taken));
                            left -= taken;
                        }
                        (rest, many) = (least.1, 2 * many);
                    }
                    sort(trial);
                }
            }
            let same = |one: &[Cut], other: &[Cut]| {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(a, b)| (a.segment, a.shares) == (b.segment, b.shares))
            };
            if before.iter().any(|other| same(other, trial)) {
                continue;
            }
            room.out.clear_trial();
            match desk.rules.lots_leave {
                LotsLeave::Together => {
                    room.left.clone_from(&room.free);
                    self.try_sale(desk, order, at, trial, &mut room.left, &mut room.out);
                }
                LotsLeave::OneByOne => {
                    // Lots that are still to leave can be matched on the way, which changes them.
                    let mut copied = Scratch { cuts: trial.clone(), ..Scratch::default() };
                    self.clone().sell(desk, order, &mut copied, &mut room.out);
                }
            }
            let weight = Weight::of(&room.out, rates);
            if best.as_ref().is_none_or(|(least, _)| weight < *least) {
                best = Some((weight, n_tried));
            }
            n_tried += 1;
        }
        if let Some((_, which)) = best {
            cuts.extend_from_slice(&room.tried[which]);
        }
    }

    /// The rows that selling `cuts` together would give, with what of their losses the shares left
    /// would wash, without selling. They are those of [`Group::sell`] to the last billionth. `free` are
    /// the shares of recent purchases that could wash them before anything leaves.
    fn try_sale(
        &self,
        desk: Desk<'_>,
        order: &Order,
        at: u32,
        cuts: &[Cut],
        free: &mut [(u32, Shares)],
        out: &mut Outcome,
    ) {
        let average_only = self.positions[at as usize].average_only && !order.averaged;
        let highest = average_only.then(|| self.average_only_basis(at));
        let mut allotment = Allotment { proceeds: order.proceeds, shares: order.shares };
        // What leaves of the unmatched shares cannot replace anything.
        for cut in cuts.iter().filter(|cut| cut.ordinal == NONE) {
            let place = self.place_among(free, cut.lot);
            if let Some((_, shares)) = free[place..].iter_mut().find(|(lot, _)| *lot == cut.lot) {
                *shares -= cut.shares;
            }
        }
        let mut n_used_up = 0;
        for cut in cuts {
            let mut rest = self.segments[cut.segment as usize].piece;
            let for_loss = self.for_loss.get(&cut.segment).filter(|_| rest.gift).map(|kept| {
                let basis = part(kept.basis, cut.shares, rest.shares);
                super::lot::ForLoss { basis, ..*kept }
            });
            let piece = if cut.shares == rest.shares { rest } else { rest.cut(cut.shares) };
            let sold = Sold { lot: cut.lot, ordinal: cut.ordinal, piece, for_loss };
            let row = out.next_row();
            let loss = self.push_row(order, &sold, allotment.next(cut.shares), highest, out);
            let Some((mut loss, _)) = loss else { continue };
            let mut shares = cut.shares;
            let from = &self.lots[cut.lot as usize];
            let younger_only = !desk.rules.older_lots_can_replace && from.acquired != UNKNOWN_DAY;
            while free.get(n_used_up).is_some_and(|(_, shares)| !shares.is_positive()) {
                n_used_up += 1;
            }
            for (lot, free) in free[n_used_up..].iter_mut().filter(|(_, shares)| shares.is_positive()) {
                let of = &self.lots[*lot as usize];
                if of.name == from.name || (younger_only && of.key() < from.key()) {
                    continue;
                }
                let taken = shares.min(*free);
                let disallowed = part(loss, taken, shares);
                let permanent = desk.is_retirement(self.positions[of.position as usize].account);
                out.add_match(row, of.name, taken, disallowed, permanent);
                loss -= disallowed;
                shares -= taken;
                *free -= taken;
                if !shares.is_positive() {
                    break;
                }
            }
        }
    }

    /// Whether shares of a segment would sell below their basis, or may: a basis that is not exact
    /// or that differs for a loss counts as if they did.
    fn is_loss(&self, order: &Order, id: u32) -> bool {
        let Segment { piece, lot, .. } = &self.segments[id as usize];
        if !piece.known || piece.gift || self.lots[*lot as usize].source == BasisSource::AverageOnly {
            return true;
        }
        // basis / shares > proceeds / shares sold, without dividing.
        let product = |amount: Money, shares: Shares| amount.billionths().checked_mul(shares.billionths());
        match (product(piece.basis, order.shares), product(order.proceeds, piece.shares)) {
            (Some(basis), Some(proceeds)) => basis > proceeds,
            _ => true,
        }
    }

    /// Where the parts of a lot's acquisition start among lots in order of acquisition.
    fn place_among(&self, lots: &[(u32, Shares)], lot: u32) -> usize {
        let key = self.lots[lot as usize].key();
        lots.partition_point(|(other, _)| self.lots[*other as usize].key() < key)
    }

    /// Tax per share at flat rates if the segment were sold alone, whole; unknown ones last. The
    /// second figure counts a loss only as far as no shares held would replace it; `free` are all
    /// shares of recent purchases that could, and `by_lot` those of each.
    fn taxes_per_share(
        &self,
        desk: Desk<'_>,
        order: &Order,
        id: u32,
        rates: FlatRates,
        free: Shares,
        by_lot: &[(u32, Shares)],
    ) -> [i128; 2] {
        let segment = &self.segments[id as usize];
        let piece: &Piece = &segment.piece;
        let source = self.lots[segment.lot as usize].source;
        if !piece.known || source == BasisSource::AverageOnly {
            return [i128::MAX; 2];
        }
        let Some(proceeds) = order.proceeds.portion(piece.shares, order.shares) else { return [i128::MAX; 2] };
        let mut gain = proceeds - piece.basis;
        let mut from = piece.holding_from;
        if let (true, Some(for_loss)) = (gain.is_negative(), self.for_loss.get(&id)) {
            gain = (proceeds - for_loss.basis).min(Money::ZERO);
            from = for_loss.holding_from;
        }
        let term = if source == BasisSource::Inherited { Some(Term::Long) } else { term_of(from, order.day) };
        let tax_on = |gain: Money| {
            let tax = (gain * rates.of(term)).per_share(piece.shares);
            tax.map_or(i128::MAX, lotwise_core::Price::billionths)
        };
        let tax = tax_on(gain);
        if !(gain.is_negative() && order.washes) {
            return [tax; 2];
        }
        let replaced = if desk.rules.older_lots_can_replace {
            // All recent purchases but those of the acquisition itself.
            let of = &self.lots[segment.lot as usize];
            let parts = by_lot[self.place_among(by_lot, segment.lot)..].iter();
            let parts = parts.take_while(|(lot, _)| self.lots[*lot as usize].key() == of.key());
            let own = parts.filter(|(lot, _)| self.lots[*lot as usize].name == of.name);
            let own: Shares = own.map(|(_, shares)| *shares).sum();
            piece.shares.min(free - own)
        } else {
            self.replaceable(desk, segment.lot, piece.shares)
        };
        [tax, if replaced.is_zero() { tax } else { tax_on(gain - part(gain, replaced, piece.shares)) }]
    }

    /// Shares of a lot that have absorbed no loss.
    fn rest_of(&self, lot: u32) -> Shares {
        let rest = self.lots[lot as usize].rest;
        if rest == NONE { Shares::ZERO } else { self.segments[rest as usize].piece.shares }
    }
}

/// A rank, and the place of what has it.
type Ranked = (i128, u32);

/// The least `many` of some ranks in order, and the others.
fn least_of(ranked: &mut [Ranked], many: usize) -> (&mut [Ranked], &mut [Ranked]) {
    let many = many.min(ranked.len());
    if many < ranked.len() {
        ranked.select_nth_unstable(many);
    }
    let (least, others) = ranked.split_at_mut(many);
    least.sort_unstable();
    (least, others)
}

/// How good an outcome is: less is better, the parts in order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    /// Shares whose tax nobody can know.
    unknown: Shares,
    tax: Money,
    permanent: Money,
    disallowed: Money,
}

impl Weight {
    fn of(out: &Outcome, rates: FlatRates) -> Self {
        let (mut unknown, mut tax, mut disallowed) = (Shares::ZERO, Money::ZERO, Money::ZERO);
        for row in &out.rows {
            match row.reportable() {
                Some(reportable) => tax += reportable * rates.of(row.term),
                None => unknown += row.shares,
            }
            disallowed += row.disallowed;
        }
        Self { unknown, tax, permanent: out.permanent, disallowed }
    }
}
