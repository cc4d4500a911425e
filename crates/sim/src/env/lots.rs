//! What the lots of one asset look like to a policy, kept until a trade changes them.

use lotwise_core::Date;
use lotwise_tax::{BasisSource, WINDOW_DAYS, first_long_term_day};

use super::Account;
use super::account::{OWN, symbol};

/// One lot in floats.
#[derive(Debug, Clone, Copy)]
struct LotView {
    shares: f64,
    basis: f64,
    /// First day on which a sale is long-term, days since 1970.
    long_from: i32,
}

/// The lots of one asset; made anew when they change.
#[derive(Debug, Clone, Default)]
pub(super) struct Lots {
    lots: Vec<LotView>,
    shares: f64,
    /// Last days on which a loss would meet a purchase, and a purchase a loss; days since 1970.
    harvest_blocked_until: i32,
    purchase_blocked_until: i32,
}

/// One position at a price (SPEC E-02). Money in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PositionView {
    /// Market value.
    pub value: f64,
    /// Adjusted basis.
    pub basis: f64,
    /// Gain of short-term lots, below zero for a loss.
    pub short_gain: f64,
    /// Gain of long-term lots, below zero for a loss.
    pub long_gain: f64,
    /// Value of short-term lots.
    pub short_value: f64,
    /// Value of lots at a loss.
    pub loss_value: f64,
    /// Days until the next short-term lot turns long-term; `None` when none will.
    pub days_to_long_term: Option<i32>,
}

impl Lots {
    /// Reads the lots of an asset.
    pub fn read(&mut self, account: &Account, asset: usize) {
        let until = |date: Option<Date>| date.map_or(i32::MIN, |date| date.days() + WINDOW_DAYS);
        self.harvest_blocked_until = until(account.book().latest_replacement(symbol(asset)));
        self.purchase_blocked_until = until(account.book().latest_open_loss(symbol(asset)));
        self.lots.clear();
        self.shares = account.held(asset).to_f64();
        account.book().visit_holdings(OWN, symbol(asset), |holding| {
            let shares = holding.shares.to_f64();
            let long_from = match (holding.source, holding.holding_from_days) {
                (BasisSource::Inherited, _) => i32::MIN,
                (_, Some(from)) => first_long_term_day(from),
                // A lot of unknown age is never assumed to be old.
                (_, None) => i32::MAX,
            };
            let basis = holding.basis.map_or(0.0, lotwise_core::Money::to_f64);
            self.lots.push(LotView { shares, basis, long_from });
        });
    }

    /// Shares held.
    pub fn shares(&self) -> f64 {
        self.shares
    }

    /// Whether a loss taken on the date would be washed by a purchase before it.
    pub fn blocks_harvest(&self, date: Date) -> bool {
        date.days() <= self.harvest_blocked_until
    }

    /// Whether a purchase on the date would wash a loss before it.
    pub fn blocks_purchase(&self, date: Date) -> bool {
        date.days() <= self.purchase_blocked_until
    }

    pub fn view(&self, price: f64, date: Date) -> PositionView {
        let today = date.days();
        let mut view = PositionView::default();
        let mut next = i32::MAX;
        for lot in &self.lots {
            let value = lot.shares * price;
            let gain = value - lot.basis;
            view.basis += lot.basis;
            view.value += value;
            if gain < 0.0 {
                view.loss_value += value;
            }
            if lot.long_from > today {
                view.short_value += value;
                view.short_gain += gain;
                next = next.min(lot.long_from);
            } else {
                view.long_gain += gain;
            }
        }
        view.days_to_long_term = (next != i32::MAX).then(|| next - today);
        view
    }
}
