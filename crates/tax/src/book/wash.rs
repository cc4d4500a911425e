//! Wash sales: which shares replace which, and what moves with them (tax section 4).
//!
//! Replacements held at the sale are matched by [`Group::wash`]; what is left of a loss waits, and
//! [`Group::absorb`] serves it when a purchase comes within 30 days. Both sides rank alike
//! (earlier losses first, earlier purchases first), so waiting gives the matching that looking
//! ahead would have given.

use lotwise_core::{Date, Money, Shares, Symbol};

use super::WINDOW_DAYS;
use super::group::{Acquisition, Desk, Group, Order, Sold, scale};
use super::lot::{Lot, Segment};
use crate::error::Error;
use crate::model::{LotId, Replacement, SaleId, Tacking};

/// A loss, or what is left of one, that a later purchase can wash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenLoss {
    /// Index of the sale's row.
    pub row: usize,
    pub sale: SaleId,
    pub lot: LotId,
    pub symbol: Symbol,
    pub sold: Date,
    /// Shares sold at the loss and not replaced, in units of the sale date.
    pub shares: Shares,
    /// Loss on those shares, above zero.
    pub loss: Money,
    /// Date that the sold shares' holding period starts.
    pub holding_from: Option<Date>,
    /// Splits since the sale: symbol, new, old.
    splits: Vec<(Symbol, Shares, Shares)>,
}

impl OpenLoss {
    /// Remembers a split, so that later purchases are matched in split-adjusted units. `None`
    /// when the loss would cover more shares than anyone can hold.
    pub fn record_split(&mut self, symbol: &Symbol, new: Shares, old: Shares) -> Option<()> {
        self.splits.push((symbol.clone(), new, old));
        (self.in_units_of(symbol)? <= super::largest_shares()).then_some(())
    }

    /// Shares not replaced, in today's units of `symbol`.
    pub fn in_units_of(&self, symbol: &Symbol) -> Option<Shares> {
        let splits = self.splits.iter().filter(|(split, ..)| split == symbol);
        splits.into_iter().try_fold(self.shares, |shares, (_, new, old)| scale(shares, *new, *old))
    }

    /// Shares of `symbol` today, in units of the sale date.
    fn in_units_of_sale(&self, symbol: &Symbol, shares: Shares) -> Option<Shares> {
        let splits = self.splits.iter().rev().filter(|(split, ..)| split == symbol);
        splits.into_iter().try_fold(shares, |shares, (_, new, old)| scale(shares, *old, *new))
    }

    /// Takes the loss on `shares` out.
    fn take(&mut self, shares: Shares) -> Money {
        let part = self.loss.portion(shares, self.shares).expect("Invariant: a match is no larger than the loss");
        self.shares -= shares;
        self.loss -= part;
        part
    }
}

impl Group {
    /// Matches a loss with shares held right after the sale (tax rule 4.4), adjusts them, and
    /// keeps what is left for purchases to come.
    pub(super) fn wash(
        &mut self,
        desk: Desk<'_>,
        order: &Order<'_>,
        sold: &Sold,
        loss: Money,
        row: usize,
    ) -> Vec<Replacement> {
        let mut open = OpenLoss {
            row,
            sale: order.sale.clone(),
            lot: sold.lot.clone(),
            symbol: order.symbol.clone(),
            sold: order.date,
            shares: sold.segment.shares,
            loss,
            holding_from: sold.segment.holding_from,
            splits: Vec::new(),
        };
        let mut exhausted = Vec::new();
        let mut matches = Vec::new();
        for (sequence, place) in &self.purchases {
            if !open.shares.is_positive() {
                break;
            }
            let older = sold.key.0.is_some() && place.key < sold.key;
            if *sequence == sold.key.1 || (older && !desk.rules.older_lots_can_replace) {
                continue;
            }
            let lot = self
                .positions
                .get_mut(&(place.account, place.symbol.clone()))
                .and_then(|position| position.lots.get_mut(&place.key))
                .expect("Invariant: a purchase with unused shares is on the book");
            let shares = open.shares.min(lot.free());
            let disallowed = open.take(shares);
            let acquired = place.key.0.unwrap_or(order.date);
            matches.push(adjust(desk, place.account, lot, acquired, shares, disallowed, &open));
            if lot.rest.is_none() {
                exhausted.push(*sequence);
            }
        }
        for sequence in exhausted {
            self.purchases.remove(&sequence);
        }
        if open.shares.is_positive() {
            self.losses.push_back(open);
        }
        matches
    }

    /// Lets a purchase of `date` absorb the losses that wait, earliest first. Returns the rows
    /// that change and how.
    pub(super) fn absorb(
        &mut self,
        desk: Desk<'_>,
        lot: &mut Lot,
        what: &Acquisition<'_>,
        date: Date,
    ) -> Result<Vec<(usize, Replacement)>, Error> {
        let mut washed = Vec::new();
        let too_large = || Error::OutOfRange { field: "shares after splits", of: what.lot.to_string() };
        for open in &mut self.losses {
            let free = lot.free();
            if !free.is_positive() {
                break;
            }
            let wanted = open.in_units_of(what.symbol).ok_or_else(too_large)?;
            let shares = free.min(wanted);
            let of_sale = if shares == wanted {
                open.shares
            } else {
                open.in_units_of_sale(what.symbol, shares).ok_or_else(too_large)?.min(open.shares)
            };
            // A reverse split can leave less than a billionth of a share to match.
            if !shares.is_positive() || !of_sale.is_positive() {
                continue;
            }
            let disallowed = open.take(of_sale);
            washed.push((open.row, adjust(desk, what.account, lot, date, shares, disallowed, open)));
        }
        // Earlier losses are served first, so those that are used up are in front.
        while self.losses.front().is_some_and(|open| !open.shares.is_positive()) {
            self.losses.pop_front();
        }
        Ok(washed)
    }
}

/// Moves a disallowed loss and the holding period to the replacement (tax rules 4.6 and 4.7); in
/// an IRA the shares are used up but nothing moves.
fn adjust(
    desk: Desk<'_>,
    account: usize,
    lot: &mut Lot,
    acquired: Date,
    shares: Shares,
    disallowed: Money,
    open: &OpenLoss,
) -> Replacement {
    let permanent = desk.accounts[account].kind.is_retirement();
    let segment = lot.match_free(shares);
    if !permanent {
        segment.basis = segment.basis.map(|basis| basis + disallowed);
        segment.deferred += disallowed;
        tack(desk.rules.tacking, segment, acquired, open);
    }
    Replacement { lot: lot.id.clone(), shares, disallowed, permanent }
}

fn tack(tacking: Tacking, segment: &mut Segment, acquired: Date, open: &OpenLoss) {
    let Some(sold_from) = open.holding_from else {
        // The sold shares' date is unknown, so from here on the replacement's is too.
        segment.holding_from = None;
        return;
    };
    segment.holding_from = match tacking {
        // After the sale the periods do not overlap, and their union is their sum.
        Tacking::Union if acquired <= open.sold => segment.holding_from.map(|from| from.min(sold_from)),
        Tacking::Union | Tacking::Add => {
            segment.holding_from.map(|from| from.plus_days(-open.sold.days_since(sold_from)))
        }
    };
}

impl crate::model::SaleRow {
    /// Adds a match that a later purchase brought.
    pub(super) fn add_match(&mut self, replacement: Replacement) {
        self.disallowed += replacement.disallowed;
        self.reportable = self.gain.map(|gain| gain + self.disallowed);
        self.code = "W";
        self.matches.push(replacement);
    }

    /// The last day on which a purchase would disallow more of this row's loss; `None` when
    /// nothing is left to disallow (tax rule 4.9). Until that day has passed the row is tentative.
    #[must_use]
    pub fn window_open_until(&self) -> Option<Date> {
        self.reportable?.is_negative().then(|| self.sold.plus_days(WINDOW_DAYS))
    }
}
