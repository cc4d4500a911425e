//! The lots whose sale costs the least tax (tax rule 2.2).

use lotwise_core::{Money, Shares};

use super::choose::sort;
use super::group::{Cut, Desk, Group, Order, Scratch, Sold};
use super::lot::{Lot, NONE, Piece, Segment, UNKNOWN_DAY, part};
use super::rank::{End, rank};
use super::rows::Outcome;
use super::sell::{Allotment, term_of};
use crate::model::{BasisSource, FlatRates, LotsLeave, Term};

/// What a segment is ordered by; less leaves first.
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
    ranked: Vec<(i128, u32)>,
    tried: Vec<Vec<Cut>>,
    out: Outcome,
    /// Shares of recent purchases that the sale in hand has used up, by lot.
    used: Vec<(u32, Shares)>,
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
        // by it is the cheapest; first-in first-out can only be as cheap.
        let alone = !order.washes
            || self.purchases.lots(&self.lots).next().is_none()
            || self.segments_of(at).all(|id| !self.is_loss(order, id));
        let free: Shares = self.purchases.lots(&self.lots).map(|lot| self.rest_of(lot)).sum();
        room.keys.clear();
        for id in self.segments_of(at) {
            let piece = &self.segments[id as usize].piece;
            let [tax, washed_tax] = self.taxes_per_share(desk, order, id, rates, free);
            let first = |end| if alone { 0 } else { rank(piece, end).checked_neg().unwrap_or(i128::MAX) };
            let (highest, lowest) = (first(End::Highest), first(End::Lowest));
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
                    room.ranked.extend(room.keys.iter().map(|keys| match ordering {
                        1 => (keys.washed_tax, keys.segment),
                        2 => (keys.tax, keys.segment),
                        3 => (keys.highest, keys.segment),
                        _ => (keys.lowest, keys.segment),
                    }));
                    room.ranked.sort_by_key(|(key, _)| *key);
                    let mut left = order.shares;
                    for (_, id) in &room.ranked {
                        if !left.is_positive() {
                            break;
                        }
                        let taken = left.min(self.segments[*id as usize].piece.shares);
                        trial.push(self.cut(*id, taken));
                        left -= taken;
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
            room.out.clear();
            match desk.rules.lots_leave {
                LotsLeave::Together => self.try_sale(desk, order, at, trial, &mut room.used, &mut room.out),
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
    /// would wash, without selling. They are those of [`Group::sell`] to the last billionth.
    fn try_sale(
        &self,
        desk: Desk<'_>,
        order: &Order,
        at: u32,
        cuts: &[Cut],
        used: &mut Vec<(u32, Shares)>,
        out: &mut Outcome,
    ) {
        let average_only = self.positions[at as usize].average_only && !order.averaged;
        let highest = average_only.then(|| self.average_only_basis(at));
        let mut allotment = Allotment { proceeds: order.proceeds, shares: order.shares };
        used.clear();
        // What leaves of the unmatched shares cannot replace anything.
        used.extend(cuts.iter().filter(|cut| cut.ordinal == NONE).map(|cut| (cut.lot, cut.shares)));
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
            for (lot, of) in self.replacements(desk, from) {
                let held = self.segments[of.rest as usize].piece.shares;
                let place = used.iter().position(|(other, _)| *other == lot);
                let free = held - place.map_or(Shares::ZERO, |place| used[place].1);
                if !free.is_positive() {
                    continue;
                }
                let taken = shares.min(free);
                let disallowed = part(loss, taken, shares);
                let permanent = desk.is_retirement(self.positions[of.position as usize].account);
                out.add_match(row, of.name, taken, disallowed, permanent);
                loss -= disallowed;
                shares -= taken;
                match place {
                    Some(place) => used[place].1 += taken,
                    None => used.push((lot, taken)),
                }
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

    /// Recent purchases that could replace shares of `from`, in the order they do.
    fn replacements<'a>(&'a self, desk: Desk<'_>, from: &'a Lot) -> impl Iterator<Item = (u32, &'a Lot)> {
        let younger_only = !desk.rules.older_lots_can_replace && from.acquired != UNKNOWN_DAY;
        let all = self.purchases.lots(&self.lots).map(|lot| (lot, &self.lots[lot as usize]));
        all.filter(move |(_, of)| of.name != from.name && !(younger_only && of.key() < from.key()))
    }

    /// Tax per share at flat rates if the segment were sold alone, whole; unknown ones last. The
    /// second figure counts a loss only as far as no shares held would replace it; `free` are all
    /// shares of recent purchases that could.
    fn taxes_per_share(&self, desk: Desk<'_>, order: &Order, id: u32, rates: FlatRates, free: Shares) -> [i128; 2] {
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
            let own = self
                .purchases
                .lots(&self.lots)
                .filter(|lot| self.lots[*lot as usize].name == self.lots[segment.lot as usize].name);
            let own: Shares =
                if self.is_recent(segment.lot) { own.map(|lot| self.rest_of(lot)).sum() } else { Shares::ZERO };
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

    /// Whether an acquisition is no older than the oldest recent purchase.
    fn is_recent(&self, lot: u32) -> bool {
        let oldest = self.purchases.lots(&self.lots).next();
        oldest.is_some_and(|oldest| self.lots[oldest as usize].key() <= self.lots[lot as usize].key())
    }
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
