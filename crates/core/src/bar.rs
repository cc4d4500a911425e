//! One day's trading of one symbol: raw text or floats become a checked bar.

use crate::{Calendar, Date, Price, Shares};

/// A row of a price table before any check; missing cells are `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawBar {
    /// New York trading day.
    pub date: Date,
    /// First trade, US dollars.
    pub open: f64,
    /// Highest trade, US dollars.
    pub high: f64,
    /// Lowest trade, US dollars.
    pub low: f64,
    /// Last trade, US dollars.
    pub close: f64,
    /// Close adjusted for splits and dividends, US dollars.
    pub adj_close: f64,
    /// Shares traded.
    pub volume: f64,
}

/// A bar that holds what a bar promises: a real session, positive prices, low ≤ open, close ≤ high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// New York trading day.
    pub date: Date,
    /// First trade.
    pub open: Price,
    /// Highest trade.
    pub high: Price,
    /// Lowest trade.
    pub low: Price,
    /// Last trade.
    pub close: Price,
    /// Close adjusted for splits and dividends.
    pub adj_close: Price,
    /// Shares traded.
    pub volume: Shares,
}

/// What is wrong with a raw bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BarFault {
    /// A price or the volume is NaN or infinite.
    #[error("a price or the volume is not a finite number")]
    NotFinite,
    /// A price is zero or negative.
    #[error("a price is zero or negative")]
    NotPositive,
    /// The volume is negative.
    #[error("the volume is negative")]
    NegativeVolume,
    /// Not low ≤ open, close ≤ high.
    #[error("open or close lies outside low to high")]
    OutOfOrder,
    /// The exchange was closed that day.
    #[error("the exchange was closed on this date")]
    NotASession,
    /// A price or the volume is larger than anything traded.
    #[error("a price or the volume is too large")]
    TooLarge,
}

impl RawBar {
    /// The first fault, looking only at the numbers and not at the calendar.
    #[must_use]
    pub fn fault(&self) -> Option<BarFault> {
        let prices = [self.open, self.high, self.low, self.close, self.adj_close];
        if prices.iter().any(|price| !price.is_finite()) || !self.volume.is_finite() {
            return Some(BarFault::NotFinite);
        }
        if prices.iter().any(|&price| price <= 0.0) {
            return Some(BarFault::NotPositive);
        }
        if self.volume < 0.0 {
            return Some(BarFault::NegativeVolume);
        }
        if self.low > self.open || self.low > self.close || self.high < self.open || self.high < self.close {
            return Some(BarFault::OutOfOrder);
        }
        if prices.iter().any(|&price| price > 1e12) || self.volume > 1e15 {
            return Some(BarFault::TooLarge);
        }
        None
    }

    /// Checks everything a [`Bar`] promises.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self, calendar: &Calendar) -> Result<Bar, BarFault> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        if !calendar.is_session(self.date) {
            return Err(BarFault::NotASession);
        }
        let price = |value: f64| Price::from_f64(value).ok_or(BarFault::TooLarge);
        Ok(Bar {
            date: self.date,
            open: price(self.open)?,
            high: price(self.high)?,
            low: price(self.low)?,
            close: price(self.close)?,
            adj_close: price(self.adj_close)?,
            volume: Shares::from_f64(self.volume).ok_or(BarFault::TooLarge)?,
        })
    }
}
