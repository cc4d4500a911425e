//! A sale that has not happened, booked by the same engine as those that have.

use lotwise_core::{Date, Money, Price, Rate, Shares, Symbol};
use lotwise_tax::{AccountId, Book, Event, EventKind, Ledger, LotSelection, Rules, SaleId, SaleRow, book};

use crate::Error;
use crate::portfolio::{Holding, PricedLot};

/// The name of the order that a what-if adds to the ledger.
const ORDER: &str = "what-if";

/// One account's part of a hypothetical sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Account that sells.
    pub account: AccountId,
    /// Security sold.
    pub symbol: Symbol,
    /// Shares sold.
    pub shares: Shares,
    /// Price per share.
    pub price: Price,
    /// Which lots leave.
    pub lots: LotSelection,
}

/// Adds shares of a lot to the order of its account, which is made where there is none yet.
pub fn add_lot(orders: &mut Vec<Order>, holding: &Holding, lot: &PricedLot, shares: Shares) {
    let named = (lot.open.lot.clone(), shares);
    let Some(order) = orders.iter_mut().find(|order| order.account == lot.open.account) else {
        orders.push(Order {
            account: lot.open.account.clone(),
            symbol: holding.symbol.clone(),
            shares,
            price: holding.quote.price,
            lots: LotSelection::Lots(vec![named]),
        });
        return;
    };
    order.shares += shares;
    if let LotSelection::Lots(lots) = &mut order.lots {
        // Segments of one lot are one name to the engine.
        match lots.iter_mut().find(|(id, _)| *id == named.0) {
            Some(entry) => entry.1 += shares,
            None => lots.push(named),
        }
    }
}

/// What a hypothetical sale comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One row per sold segment.
    pub rows: Vec<SaleRow>,
}

impl Outcome {
    /// Reportable gain per term over the rows with a known basis, `(short, long)`.
    #[must_use]
    pub fn reportable(&self) -> (Money, Money) {
        crate::tax_profile::by_term(self.rows.iter())
    }

    /// Loss that the wash-sale rule disallows.
    #[must_use]
    pub fn disallowed(&self) -> Money {
        self.rows.iter().map(|row| row.disallowed).sum()
    }

    /// Whether some row's gain is unknown.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.rows.iter().any(|row| row.reportable.is_none())
    }
}

/// The household's book, open for sales that have not happened.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// The ledger, booked.
    pub book: &'a Book,
    /// Accounts and events that it was booked from.
    pub ledger: &'a Ledger,
    /// Proportional cost of a trade, each side.
    pub cost: Rate,
}

impl Desk<'_> {
    /// Policy switches and rates that the book follows.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.book.rules()
    }

    /// Books `orders` on `date` after everything else. A day before the last event counts the purchases that follow.
    ///
    /// # Errors
    /// When an order wants more than is held, or names an unknown lot.
    pub fn sell(&self, date: Date, orders: &[Order]) -> Result<Outcome, Error> {
        let events: Vec<Event> =
            orders.iter().enumerate().map(|(position, order)| self.event(date, position, order)).collect();
        if self.book.last_date().is_some_and(|last| date < last) {
            return self.sell_in_between(&events);
        }
        // One sale concerns one identity group; the preview copies no more than that.
        if let [event] = events.as_slice() {
            return Ok(Outcome { rows: self.book.whatif_sell(event)?.rows });
        }
        let mut book = self.book.clone();
        let first = book.n_rows();
        for event in &events {
            book.apply(event)?;
        }
        Ok(Outcome { rows: (first..book.n_rows()).map(|row| book.sale_row(row)).collect() })
    }

    fn event(&self, date: Date, position: usize, order: &Order) -> Event {
        let amount = order.price * order.shares;
        Event {
            date,
            account: order.account.clone(),
            symbol: order.symbol.clone(),
            kind: EventKind::Sell {
                sale: SaleId::new(&format!("{ORDER}-{position}")),
                shares: order.shares,
                amount,
                fee: amount * self.cost,
                lots: order.lots.clone(),
                identified: None,
            },
        }
    }

    fn sell_in_between(&self, events: &[Event]) -> Result<Outcome, Error> {
        let mut ledger = self.ledger.clone();
        ledger.events.extend(events.iter().cloned());
        let sales = book(&ledger, self.rules())?.sales;
        Ok(Outcome { rows: sales.into_iter().filter(|row| row.sale.as_str().starts_with(ORDER)).collect() })
    }
}
