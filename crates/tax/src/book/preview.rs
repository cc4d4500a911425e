//! What would happen: sales and purchases on a copy, and the windows that are open.

use lotwise_core::{Date, Money, Price, Shares, Symbol};

use super::group::{Acquisition, Group, Scratch};
use super::index::{At, Fault, LotIdx, SaleIdx, SymbolIdx};
use super::lot::{NONE, Piece, date_of, day_of};
use super::rows::Outcome;
use super::wash::OpenLoss;
use super::{Book, WINDOW_DAYS};
use crate::economics::value;
use crate::error::Error;
use crate::holding::first_long_term_date;
use crate::model::{
    AccountId, BasisSource, Event, EventKind, Ledger, LotId, OpenLot, Replacement, RowKind, Rules, SaleId, SaleRow,
    Term,
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
        self.replacements().filter(|one| one.permanent).map(|one| one.disallowed).sum()
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
        let EventKind::Sell { sale, shares, amount, fee, lots, identified } = &event.kind else {
            return Err(Error::OtherKind { wanted: "sale", date: event.date });
        };
        let named = self.named_lots(event, lots)?;
        let Some(symbol) = self.symbols.number(&event.symbol) else {
            return Err(self.named(Fault::InsufficientShares { held: Shares::ZERO }, event));
        };
        let at = At { date: event.date, account, symbol: SymbolIdx(symbol) };
        let day = event.date.days();
        let mut order = self.core.order(at, day, SaleIdx(NONE), *shares, *amount - *fee, RowKind::Sale);
        order.identified = day_of(*identified);
        let index = self.core.group_of(symbol);
        let mut group = self.core.groups[index as usize].clone();
        group.turn_to(day);
        let mut scratch = Scratch::default();
        let mut out = Outcome::starting_at(self.core.rows().len() as u32);
        let local = |lot: LotIdx| self.core.places_in(index, lot);
        let pick = super::pick(lots, &named);
        let chosen = self.core.check_named(&order, pick);
        let chosen = chosen.and_then(|()| group.choose(self.core.desk(), &mut order, pick, true, &local, &mut scratch));
        chosen.map_err(|fault| self.named(fault, event))?;
        group.sell(self.core.desk(), &order, &mut scratch, &mut out);
        Ok(SalePreview { rows: self.expand_all(&out, sale), open_lots: self.open_lots_of_group(&group) })
    }

    fn expand_all(&self, out: &Outcome, sale: &SaleId) -> Vec<SaleRow> {
        let rows = out.rows.iter().zip(out.base..);
        rows.map(|(row, place)| SaleRow { sale: sale.clone(), ..self.expand(row, place, out) }).collect()
    }

    fn open_lots_of_group(&self, group: &Group) -> Vec<OpenLot> {
        let mut places: Vec<(u32, &Symbol, u32)> = Vec::new();
        for (at, position) in group.positions.iter().enumerate() {
            places.push((position.account, self.symbols.name(position.symbol), at as u32));
        }
        places.sort_unstable();
        places.into_iter().flat_map(|(_, _, at)| self.open_lots_at(group, at)).collect()
    }

    /// Which earlier losses a purchase would wash now.
    ///
    /// # Errors
    /// As [`Book::apply`], and [`Error::OtherKind`] when the event is no purchase.
    pub fn whatif_buy(&self, event: &Event) -> Result<PurchasePreview, Error> {
        let account = self.check(event)?;
        let EventKind::Buy { lot, shares, amount, fee } = &event.kind else {
            return Err(Error::OtherKind { wanted: "purchase", date: event.date });
        };
        let day = event.date.days();
        let basis = *amount + *fee;
        let Some(symbol) = self.symbols.number(&event.symbol) else {
            // A security that nothing is known of yet has no losses; the purchase is the lot.
            let mut alone = Self::new(&self.accounts, &self.rules)?;
            alone.apply(event)?;
            return Ok(PurchasePreview { washed: Vec::new(), open_lots: alone.open_lots() });
        };
        let mut group = self.core.groups[self.core.group_of(symbol) as usize].clone();
        group.turn_to(day);
        let mut out = Outcome::starting_at(self.core.rows().len() as u32);
        let what = Acquisition {
            account: account.0,
            symbol,
            name: self.lots.len() as u32,
            acquired: day,
            sequence: self.core.next_sequence(),
            source: BasisSource::Purchase,
            purchase: true,
            piece: Piece {
                shares: *shares,
                basis,
                deferred: Money::ZERO,
                holding_from: day,
                known: true,
                washed: false,
                gift: false,
            },
        };
        let washes = self.core.washes(symbol, day);
        let made = group.acquire(self.core.desk(), &what, washes, &mut out);
        let washed = out.late.iter().map(|(row, found)| WashedSale {
            row: *row as usize,
            replacement: Replacement {
                lot: lot.clone(),
                shares: found.shares,
                disallowed: found.disallowed,
                permanent: found.permanent,
            },
        });
        let washed = washed.collect();
        let segments = group.segments_of_lot(made).map(|id| group.segments[id as usize].piece);
        let open_lots = segments.map(|piece| OpenLot {
            lot: lot.clone(),
            account: event.account.clone(),
            symbol: event.symbol.clone(),
            shares: piece.shares,
            basis: piece.known_basis(),
            acquired: Some(event.date),
            holding_from: date_of(piece.holding_from),
            washed: piece.washed,
            deferred_loss: piece.deferred,
            basis_source: BasisSource::Purchase,
            for_loss: None,
        });
        Ok(PurchasePreview { washed, open_lots: open_lots.collect() })
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
        if let Some(last) = self.last_date().filter(|last| date < *last) {
            return Err(Error::OutOfOrder { date, last });
        }
        let holder = self.account(account, date)?;
        let Some(number) = self.symbols.number(symbol) else { return Ok(Vec::new()) };
        let mut group = self.core.groups[self.core.group_of(number) as usize].clone();
        group.turn_to(date.days());
        let Some(at) = group.position(holder.0, number) else { return Ok(Vec::new()) };
        let mut of_names: Vec<(u32, Vec<u32>)> = Vec::new();
        for lot in group.lots_of(at) {
            let name = group.lots[lot as usize].name;
            match of_names.last_mut() {
                Some((last, parts)) if *last == name => parts.push(lot),
                _ => of_names.push((name, vec![lot])),
            }
        }
        let sale = SaleId::new("what-if");
        let mut previews = Vec::with_capacity(of_names.len());
        for (name, parts) in of_names {
            let lot = self.lots.name(name).clone();
            let shares = parts.iter().map(|part| group.shares_of_lot(*part)).sum();
            let amount =
                value(price, shares).ok_or_else(|| Error::OutOfRange { field: "value", of: lot.to_string() })?;
            let place = At { date, account: holder, symbol: SymbolIdx(number) };
            let order = self.core.order(place, date.days(), SaleIdx(NONE), shares, amount, RowKind::Sale);
            let mut out = Outcome::starting_at(self.core.rows().len() as u32);
            group.sell_alone(self.core.desk(), &order, at, &parts, &mut out);
            let rows = self.expand_all(&out, &sale);
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
        let Some(number) = self.symbols.number(symbol) else { return Vec::new() };
        let group = &self.core.groups[self.core.group_of(number) as usize];
        let open = |loss: &&OpenLoss| loss.shares.is_positive() && date.days() - loss.sold <= WINDOW_DAYS;
        let losses = group.losses.iter().filter(open).filter_map(|loss| {
            let sold = date_of(loss.sold)?;
            Some(RecentLoss {
                sale: self.sales.get(loss.sale as usize)?.clone(),
                lot: self.lots.name(loss.name).clone(),
                symbol: self.symbols.name(loss.symbol).clone(),
                sold,
                shares: loss.in_units_of(loss.symbol, &group.units).unwrap_or(loss.shares),
                loss: loss.loss,
                blocked_until: sold.plus_days(WINDOW_DAYS),
            })
        });
        losses.collect()
    }

    /// Purchases of the symbol's identity group that would wash a loss taken on `date`, earliest
    /// first. A lot never replaces itself, so the lot to be sold has to be left out of the answer.
    /// `date` is not before the last event.
    #[must_use]
    pub fn recent_purchases(&self, symbol: &Symbol, date: Date) -> Vec<RecentPurchase> {
        let Some(number) = self.symbols.number(symbol) else { return Vec::new() };
        let group = &self.core.groups[self.core.group_of(number) as usize];
        let mut purchases = Vec::new();
        for lot in group.purchases.lots(&group.lots) {
            let of = &group.lots[lot as usize];
            let position = &group.positions[of.position as usize];
            let Some(acquired) = date_of(of.acquired).filter(|day| date.days_since(*day) <= WINDOW_DAYS) else {
                continue;
            };
            let account = &self.accounts[position.account as usize];
            purchases.push(RecentPurchase {
                lot: self.lots.name(of.name).clone(),
                account: account.id.clone(),
                symbol: self.symbols.name(position.symbol).clone(),
                acquired,
                shares: group.segments[of.rest as usize].piece.shares,
                permanent: account.kind.is_retirement(),
                blocked_until: acquired.plus_days(WINDOW_DAYS),
            });
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
    book.replay(before.iter().copied())?;
    let added = book.apply(event)?.added;
    book.replay(after.iter().copied())?;
    let lots = book.open_lots().into_iter().filter(|lot| book.same_group(&lot.symbol, &event.symbol));
    let open_lots = lots.collect();
    Ok(SalePreview { rows: added.map(|row| book.sale_row(row)).collect(), open_lots })
}
