//! What would happen: sales and purchases on a copy, and the windows that are open.

use lotwise_core::{Date, Money, Price, Shares, Symbol};

use super::{Book, WINDOW_DAYS};
use crate::economics::value;
use crate::error::Error;
use crate::holding::first_long_term_date;
use crate::model::{
    AccountId, Event, EventKind, Ledger, LotId, LotSelection, OpenLot, Replacement, Rules, SaleId, SaleRow, Term,
};

/// A sale that has not happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalePreview {
    /// The rows it would add; none in an account that is not taxable.
    pub rows: Vec<SaleRow>,
    /// Segments of the identity group that would be left, by account, symbol and acquisition.
    pub open_lots: Vec<OpenLot>,
}

impl SalePreview {
    /// Loss that would be disallowed.
    #[must_use]
    pub fn disallowed(&self) -> Money {
        self.rows.iter().map(|row| row.disallowed).sum()
    }

    /// Loss that would be gone for good.
    #[must_use]
    pub fn permanently_disallowed(&self) -> Money {
        self.replacements().map(super::lost).sum()
    }

    /// Where the disallowed loss would go.
    pub fn replacements(&self) -> impl Iterator<Item = &Replacement> {
        self.rows.iter().flat_map(|row| &row.matches)
    }

    /// Reportable gain of one term; `None` when a row's basis or term is unknown.
    #[must_use]
    pub fn reportable(&self, term: Term) -> Option<Money> {
        let mut total = Money::ZERO;
        for row in &self.rows {
            let reportable = row.reportable?;
            if row.term? == term {
                total += reportable;
            }
        }
        Some(total)
    }

    /// Net proceeds.
    #[must_use]
    pub fn proceeds(&self) -> Money {
        self.rows.iter().map(|row| row.proceeds).sum()
    }
}

/// A purchase that has not happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchasePreview {
    /// Earlier losses that it would wash, in order of sale.
    pub washed: Vec<WashedSale>,
    /// Segments of the new lot, with the losses they would take on.
    pub open_lots: Vec<OpenLot>,
}

/// An earlier loss that a purchase would wash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WashedSale {
    /// Index of its row in [`Book::sales`].
    pub row: usize,
    /// What would move.
    pub replacement: Replacement,
}

/// A lot sold alone, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotPreview {
    /// The lot.
    pub lot: LotId,
    /// One row per segment.
    pub rows: Vec<SaleRow>,
    /// Tax at the flat rates of the rules; negative for a usable loss, `None` when the basis is
    /// unknown.
    pub tax: Option<Money>,
    /// First date on which the last of its segments is long-term; `None` when unknown.
    pub first_long_term_date: Option<Date>,
}

/// A loss of the last 30 days that a purchase can still wash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentLoss {
    /// The order.
    pub sale: SaleId,
    /// Lot sold.
    pub lot: LotId,
    /// Security sold; it may be another one of the group.
    pub symbol: Symbol,
    /// Trade date of the sale.
    pub sold: Date,
    /// Shares not replaced yet, in units of today.
    pub shares: Shares,
    /// Loss on those shares, above zero.
    pub loss: Money,
    /// Last date on which a purchase would wash it.
    pub blocked_until: Date,
}

/// A purchase of the last 30 days that would wash a loss taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentPurchase {
    /// The lot bought.
    pub lot: LotId,
    /// Account that holds it.
    pub account: AccountId,
    /// Security bought; it may be another one of the group.
    pub symbol: Symbol,
    /// Trade date of the purchase.
    pub acquired: Date,
    /// Shares still held that have absorbed no loss.
    pub shares: Shares,
    /// Whether a loss replaced by it would be gone for good.
    pub permanent: bool,
    /// Last date on which a loss would be washed by it.
    pub blocked_until: Date,
}

impl Book {
    /// What a sale would do now. Purchases that follow it are not known here; they can wash what
    /// the preview leaves of a loss.
    ///
    /// # Errors
    /// As [`Book::apply`], and [`Error::OtherKind`] when the event is no sale.
    pub fn whatif_sell(&self, event: &Event) -> Result<SalePreview, Error> {
        let account = self.check(event)?;
        let EventKind::Sell { lots, .. } = &event.kind else {
            return Err(Error::OtherKind { wanted: "sale", date: event.date });
        };
        let order = self.order(account, event)?;
        let mut group = self.group_on(&event.symbol, event.date);
        let cuts = super::select::select(self.desk(), &self.lots, &group, &order, lots)?;
        let rows = group.sell(self.desk(), &order, cuts);
        Ok(SalePreview { rows, open_lots: group.open_lots(&self.accounts).map(|(_, lot)| lot).collect() })
    }

    /// Which earlier losses a purchase would wash now.
    ///
    /// # Errors
    /// As [`Book::apply`], and [`Error::OtherKind`] when the event is no purchase.
    pub fn whatif_buy(&self, event: &Event) -> Result<PurchasePreview, Error> {
        let account = self.check(event)?;
        let EventKind::Buy { lot, .. } = &event.kind else {
            return Err(Error::OtherKind { wanted: "purchase", date: event.date });
        };
        let what = self.acquisition(account, event)?;
        let mut group = self.group_on(&event.symbol, event.date);
        let washed = group.acquire(self.desk(), &what, true)?;
        let washed = washed.into_iter().map(|(row, replacement)| WashedSale { row, replacement }).collect();
        let lots = group.open_lots(&self.accounts).map(|(_, lot)| lot);
        Ok(PurchasePreview { washed, open_lots: lots.filter(|open| open.lot == *lot).collect() })
    }

    /// Each lot of a position sold alone and whole at a price per share, by acquisition.
    ///
    /// # Errors
    /// As [`Book::apply`].
    pub fn preview_lots(
        &self,
        account: &AccountId,
        symbol: &Symbol,
        date: Date,
        price: Price,
    ) -> Result<Vec<LotPreview>, Error> {
        let mut lots: Vec<(LotId, Shares)> = Vec::new();
        for open in self.open_lots_of(account, symbol) {
            match lots.last_mut() {
                Some((lot, shares)) if *lot == open.lot => *shares += open.shares,
                _ => lots.push((open.lot, open.shares)),
            }
        }
        let mut previews = Vec::with_capacity(lots.len());
        for (lot, shares) in lots {
            let amount =
                value(price, shares).ok_or_else(|| Error::OutOfRange { field: "value", of: lot.to_string() })?;
            let kind = EventKind::Sell {
                sale: SaleId::new("what-if"),
                shares,
                amount,
                fee: Money::ZERO,
                lots: LotSelection::Lots(vec![(lot.clone(), shares)]),
                identified: None,
            };
            let event = Event { date, account: account.clone(), symbol: symbol.clone(), kind };
            let rows = self.whatif_sell(&event)?.rows;
            let known = rows.iter().all(|row| row.reportable.is_some());
            let from: Option<Vec<Date>> = rows.iter().map(|row| row.holding_from).collect();
            previews.push(LotPreview {
                lot,
                tax: known.then(|| self.rules.rates.tax(&rows)),
                first_long_term_date: from.and_then(|dates| dates.into_iter().max()).map(first_long_term_date),
                rows,
            });
        }
        Ok(previews)
    }

    /// Losses of the symbol's identity group that a purchase on `date` would wash, in order of
    /// sale. `date` is not before the last event.
    #[must_use]
    pub fn recent_losses(&self, symbol: &Symbol, date: Date) -> Vec<RecentLoss> {
        let group = self.group_on(symbol, date);
        let losses = group.losses.iter().filter(|loss| loss.shares.is_positive()).map(|loss| RecentLoss {
            sale: loss.sale.clone(),
            lot: loss.lot.clone(),
            symbol: loss.symbol.clone(),
            sold: loss.sold,
            shares: loss.in_units_of(&loss.symbol).unwrap_or(loss.shares),
            loss: loss.loss,
            blocked_until: loss.sold.plus_days(WINDOW_DAYS),
        });
        losses.collect()
    }

    /// Purchases of the symbol's identity group that would wash a loss taken on `date`, earliest
    /// first. A lot never replaces itself, so the lot to be sold has to be left out of the answer.
    /// `date` is not before the last event.
    #[must_use]
    pub fn recent_purchases(&self, symbol: &Symbol, date: Date) -> Vec<RecentPurchase> {
        let group = self.group_on(symbol, date);
        let mut purchases = Vec::new();
        for place in group.purchases.values() {
            let position = group.positions.get(&(place.account, place.symbol.clone()));
            let lot = position.and_then(|position| position.lots.get(&place.key));
            if let (Some(lot), Some(acquired)) = (lot, place.key.0) {
                purchases.push(RecentPurchase {
                    lot: lot.id.clone(),
                    account: self.accounts[place.account].id.clone(),
                    symbol: place.symbol.clone(),
                    acquired,
                    shares: lot.free(),
                    permanent: self.accounts[place.account].kind.is_retirement(),
                    blocked_until: acquired.plus_days(WINDOW_DAYS),
                });
            }
        }
        purchases
    }

    /// The last date on which buying the symbol would wash an earlier loss, or `None` when buying
    /// on `date` washes nothing.
    #[must_use]
    pub fn buying_blocked_until(&self, symbol: &Symbol, date: Date) -> Option<Date> {
        self.recent_losses(symbol, date).iter().map(|loss| loss.blocked_until).max()
    }
}

/// What a sale would do in the middle of a ledger: events up to its date come first, and purchases
/// of the 30 days after it count.
///
/// # Errors
/// As [`super::book`], and [`Error::OtherKind`] when the event is no sale.
pub fn whatif_sell(ledger: &Ledger, rules: &Rules, event: &Event) -> Result<SalePreview, Error> {
    if !matches!(event.kind, EventKind::Sell { .. }) {
        return Err(Error::OtherKind { wanted: "sale", date: event.date });
    }
    let mut book = Book::new(&ledger.accounts, rules)?;
    let mut events: Vec<&Event> = ledger.events.iter().collect();
    events.sort_by_key(|event| event.date);
    let (before, after) = events.split_at(events.partition_point(|other| other.date <= event.date));
    for event in before {
        book.apply(event)?;
    }
    let added = book.apply(event)?.added;
    for event in after {
        book.apply(event)?;
    }
    let lots = book.open_lots().into_iter().filter(|lot| book.same_group(&lot.symbol, &event.symbol));
    let open_lots = lots.collect();
    Ok(SalePreview { rows: book.sales[added].to_vec(), open_lots })
}

impl Book {
    /// Whether two symbols are substantially identical under the rules (tax rule 4.2).
    #[must_use]
    pub fn same_group(&self, one: &Symbol, other: &Symbol) -> bool {
        one == other
            || self.group_index.get(one).is_some_and(|group| self.group_index.get(other).is_some_and(|o| o == group))
    }
}
