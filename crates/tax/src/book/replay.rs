//! A whole ledger at once: runs of purchases and sales are booked as batches.

use super::Book;
use super::batch::{Batch, TradeEvent, TradeSide, WINDOW};
use super::index::{At, Trade};
use crate::error::Error;
use crate::model::{Event, EventKind, LotSelection};

/// Trades that are not booked yet.
#[derive(Default)]
struct Waiting<'a> {
    trades: Vec<TradeEvent>,
    events: Vec<&'a Event>,
}

impl Book {
    /// Books events that are in date order, with the outcome of [`Book::apply`] for each. After an
    /// error the book is good for nothing.
    ///
    /// # Errors
    /// As [`Book::apply`], for the first event that cannot be booked.
    pub(super) fn replay<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>) -> Result<(), Error> {
        let mut waiting = Waiting::default();
        for event in events {
            match self.as_trade(event) {
                Ok(Some(trade)) => {
                    waiting.trades.push(trade);
                    waiting.events.push(event);
                    if waiting.trades.len() == WINDOW {
                        self.book_waiting(&mut waiting)?;
                    }
                }
                Ok(None) => {
                    self.book_waiting(&mut waiting)?;
                    self.apply(event)?;
                }
                Err(error) => {
                    // An earlier event that cannot be booked comes first.
                    self.book_waiting(&mut waiting)?;
                    return Err(error);
                }
            }
        }
        self.book_waiting(&mut waiting)?;
        // A book that is kept, and copied for questions, needs no room for batches.
        self.core.batch = Batch::default();
        self.core.out.pending = Vec::new();
        Ok(())
    }

    fn book_waiting(&mut self, waiting: &mut Waiting<'_>) -> Result<(), Error> {
        let done = self.core.trade_all(&waiting.trades);
        done.map_err(|(place, fault)| self.named(fault, waiting.events[place]))?;
        waiting.trades.clear();
        waiting.events.clear();
        Ok(())
    }

    /// A purchase, or a sale without named lots, in numbers, with its own names made known; `None`
    /// for other events.
    fn as_trade(&mut self, event: &Event) -> Result<Option<TradeEvent>, Error> {
        let (account, trade, side) = match &event.kind {
            EventKind::Buy { lot, shares, amount, fee } => {
                let account = self.enter_purchase(event, lot, (*shares, *amount, *fee))?;
                (account, Trade { shares: *shares, amount: *amount, fee: *fee }, TradeSide::Buy)
            }
            EventKind::Sell { lots: LotSelection::Lots(_), .. } => return Ok(None),
            EventKind::Sell { sale, shares, amount, fee, lots, identified } => {
                let account = self.check(event)?;
                let method = if let LotSelection::By(method) = lots { Some(*method) } else { None };
                let side = TradeSide::Sell { sale: self.sale(sale), method, identified: *identified };
                (account, Trade { shares: *shares, amount: *amount, fee: *fee }, side)
            }
            _ => return Ok(None),
        };
        let at = At { date: event.date, account, symbol: self.symbol(&event.symbol)? };
        Ok(Some(TradeEvent { at, trade, side }))
    }
}
