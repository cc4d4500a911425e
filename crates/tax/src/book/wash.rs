//! Wash sales: which shares replace which, and what moves with them (tax section 4).
//!
//! Replacements held at the sale are matched by [`Group::wash`]; what is left of a loss waits, and
//! [`Group::absorb`] serves it when a purchase comes within 30 days. Both sides rank alike
//! (earlier losses first, earlier purchases first), so waiting gives the matching that looking
//! ahead would have given.

use lotwise_core::{Date, Money, Shares};

use super::WINDOW_DAYS;
use super::group::{Desk, Group, Order, UnitChange, scale};
use super::lot::{NONE, UNKNOWN_DAY, part};
use super::rows::Outcome;
use super::sell::Loss;
use crate::model::Tacking;

/// A loss, or what is left of one, that a later purchase can wash.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenLoss {
    /// Index of the sale's row.
    pub row: u32,
    pub sale: u32,
    /// The acquisition that was sold.
    pub name: u32,
    pub symbol: u32,
    pub sold: i32,
    /// Place of the sale in the order of events.
    pub sequence: u32,
    /// Shares sold at the loss and not replaced, in units of the sale date.
    pub shares: Shares,
    /// Loss on those shares, above zero.
    pub loss: Money,
    /// Day that the sold shares' holding period starts.
    pub holding_from: i32,
}

impl OpenLoss {
    /// Shares not replaced, in today's units of `symbol`. `None` when they are beyond any range.
    pub fn in_units_of(&self, symbol: u32, units: &[UnitChange]) -> Option<Shares> {
        let changes = units.iter().filter(|one| one.symbol == symbol && one.sequence > self.sequence);
        changes.into_iter().try_fold(self.shares, |shares, one| scale(shares, one.new, one.old))
    }

    /// Shares of `symbol` today, in units of the sale date and no more than are left.
    fn in_units_of_sale(&self, symbol: u32, shares: Shares, units: &[UnitChange]) -> Shares {
        let changes = units.iter().rev().filter(|one| one.symbol == symbol && one.sequence > self.sequence);
        let there = changes.into_iter().try_fold(shares, |shares, one| scale(shares, one.old, one.new));
        there.unwrap_or(self.shares).min(self.shares)
    }

    /// Takes the loss on `shares` out.
    pub fn take(&mut self, shares: Shares) -> Money {
        let part = part(self.loss, shares, self.shares);
        self.shares -= shares;
        self.loss -= part;
        part
    }
}

impl Group {
    /// Matches a loss with shares held right after the sale (tax rule 4.4), adjusts them, and
    /// keeps what is left for purchases to come.
    pub(super) fn wash(&mut self, desk: Desk<'_>, order: &Order, loss: &Loss, out: &mut Outcome) {
        let Loss { row, lot, shares, loss, holding_from } = *loss;
        let from = self.lots[lot as usize];
        let mut open = OpenLoss {
            row,
            sale: order.sale,
            name: from.name,
            symbol: order.symbol,
            sold: order.day,
            sequence: order.sequence,
            shares,
            loss,
            holding_from,
        };
        self.stock_losses.push_back((order.day, row));
        let younger_only = !desk.rules.older_lots_can_replace && from.acquired != UNKNOWN_DAY;
        let mut place =
            if younger_only { self.purchases.start_at(from.key(), &self.lots) } else { self.purchases.start() };
        while open.shares.is_positive() {
            let Some((lot, next)) = self.purchases.next_from(place, &self.lots) else { break };
            place = next;
            if self.lots[lot as usize].name == from.name {
                continue;
            }
            let free = self.segments[self.lots[lot as usize].rest as usize].piece.shares;
            let shares = open.shares.min(free);
            let disallowed = open.take(shares);
            self.replace(desk, lot, shares, disallowed, &open, out);
        }
        if open.shares.is_positive() {
            self.losses.push_back(open);
        }
    }

    /// Lets a new purchase absorb the losses that wait, earliest first.
    pub(super) fn absorb(&mut self, desk: Desk<'_>, lot: u32, out: &mut Outcome) {
        let symbol = self.positions[self.lots[lot as usize].position as usize].symbol;
        for place in 0..self.losses.len() {
            let rest = self.lots[lot as usize].rest;
            if rest == NONE {
                break;
            }
            let mut open = self.losses[place];
            let free = self.segments[rest as usize].piece.shares;
            let wanted = open.in_units_of(symbol, &self.units).unwrap_or(open.shares);
            let shares = free.min(wanted);
            let of_sale =
                if shares == wanted { open.shares } else { open.in_units_of_sale(symbol, shares, &self.units) };
            // A reverse split can leave less than a billionth of a share to match.
            if !shares.is_positive() || !of_sale.is_positive() {
                continue;
            }
            let disallowed = open.take(of_sale);
            out.washed.push(open.row);
            self.replace(desk, lot, shares, disallowed, &open, out);
            self.losses[place] = open;
        }
        // Earlier losses are served first, so those that are used up are in front.
        while self.losses.front().is_some_and(|open| !open.shares.is_positive()) {
            self.losses.pop_front();
        }
    }

    /// Moves a disallowed loss and the holding period to the replacement (tax rules 4.6 and 4.7);
    /// in an IRA the shares are used up but nothing moves.
    fn replace(
        &mut self,
        desk: Desk<'_>,
        lot: u32,
        shares: Shares,
        disallowed: Money,
        open: &OpenLoss,
        out: &mut Outcome,
    ) {
        let of = self.lots[lot as usize];
        let permanent = desk.is_retirement(self.positions[of.position as usize].account);
        let id = self.match_free(lot, shares);
        if !permanent {
            let piece = &mut self.segments[id as usize].piece;
            if piece.known {
                piece.basis += disallowed;
            }
            piece.deferred += disallowed;
            piece.holding_from = tacked(desk.rules.tacking, piece.holding_from, of.acquired, open);
        }
        self.touch(id);
        out.add_match(open.row, of.name, shares, disallowed, permanent);
    }

    /// How many of `shares` of an acquisition would find replacements among the shares held now.
    pub(super) fn replaceable(&self, desk: Desk<'_>, lot: u32, shares: Shares) -> Shares {
        let from = self.lots[lot as usize];
        let mut found = Shares::ZERO;
        for other in self.purchases.lots(&self.lots) {
            let of = &self.lots[other as usize];
            let older = from.acquired != UNKNOWN_DAY && of.key() < from.key();
            if of.name == from.name || (older && !desk.rules.older_lots_can_replace) {
                continue;
            }
            found += self.segments[of.rest as usize].piece.shares;
            if found >= shares {
                return shares;
            }
        }
        found
    }
}

/// Where the replacement's holding period starts now.
fn tacked(tacking: Tacking, from: i32, acquired: i32, open: &OpenLoss) -> i32 {
    if open.holding_from == UNKNOWN_DAY || from == UNKNOWN_DAY {
        // The sold shares' date is unknown, so from here on the replacement's is too.
        return UNKNOWN_DAY;
    }
    match tacking {
        // After the sale the periods do not overlap, and their union is their sum.
        Tacking::Union if acquired <= open.sold => from.min(open.holding_from),
        Tacking::Union | Tacking::Add => {
            let held = i64::from(open.sold) - i64::from(open.holding_from);
            (i64::from(from) - held).max(i64::from(Date::MIN.days())) as i32
        }
    }
}

impl crate::model::SaleRow {
    /// The last day on which a purchase would disallow more of this row's loss; `None` when
    /// nothing is left to disallow (tax rule 4.9). Until that day has passed the row is tentative.
    #[must_use]
    pub fn window_open_until(&self) -> Option<Date> {
        self.reportable?.is_negative().then(|| self.sold.plus_days(WINDOW_DAYS))
    }
}
