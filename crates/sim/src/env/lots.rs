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
    /// Day from which it is held, since 1970, where its age depends on it.
    held_from: Option<i32>,
    /// First day on which a sale is long-term, days since 1970.
    long_from: i32,
}

/// The lots of one asset; made anew when they change.
#[derive(Debug, Clone, Default)]
pub(super) struct Lots {
    lots: Vec<LotView>,
    /// The lots as they were read the time before.
    before: Vec<LotView>,
    sums: Sums,
    /// Last days on which a loss would meet a purchase, and a purchase a loss; days since 1970.
    harvest_blocked_until: i32,
    purchase_blocked_until: i32,
}

/// What a position comes to before its price is known, so that a step needs no loop over lots.
#[derive(Debug, Clone, Copy)]
struct Sums {
    shares: f64,
    basis: f64,
    short_shares: f64,
    short_basis: f64,
    /// Below the one price every lot is at a loss, from the other on none is; between them lots are looked at.
    all_lose_below: f64,
    none_loses_from: f64,
    /// First day on which another lot is long-term, days since 1970; `i32::MAX` where none is waiting.
    next_turn: i32,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            shares: 0.0,
            basis: 0.0,
            short_shares: 0.0,
            short_basis: 0.0,
            all_lose_below: f64::INFINITY,
            none_loses_from: 0.0,
            next_turn: i32::MAX,
        }
    }
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

/// A price that near a lot's basis per share is compared with it lot by lot.
const PRICE_ROUNDING: f64 = 1e-12;

impl Lots {
    /// Reads the lots of an asset, as they are on `today`, days since 1970.
    pub fn read(&mut self, account: &Account, asset: usize, today: i32) {
        let until = |date: Option<Date>| date.map_or(i32::MIN, |date| date.days() + WINDOW_DAYS);
        self.harvest_blocked_until = until(account.book().latest_replacement(symbol(asset)));
        self.purchase_blocked_until = until(account.book().latest_open_loss(symbol(asset)));
        std::mem::swap(&mut self.lots, &mut self.before);
        self.lots.clear();
        // Most lots are still there, in their order, and keep their first long-term day.
        let mut known = self.before.iter().peekable();
        account.book().visit_holdings(OWN, symbol(asset), |holding| {
            let shares = holding.shares.to_f64();
            let long_from = match (holding.source, holding.holding_from_days) {
                (BasisSource::Inherited, _) => i32::MIN,
                (_, held_from @ Some(from)) => {
                    while known.next_if(|lot| lot.held_from < held_from).is_some() {}
                    known
                        .peek()
                        .filter(|lot| lot.held_from == held_from)
                        .map_or_else(|| first_long_term_day(from), |lot| lot.long_from)
                }
                // A lot of unknown age is never assumed to be old.
                (_, None) => i32::MAX,
            };
            let basis = holding.basis.map_or(0.0, lotwise_core::Money::to_f64);
            let held_from = holding.holding_from_days.filter(|_| holding.source != BasisSource::Inherited);
            self.lots.push(LotView { shares, basis, held_from, long_from });
        });
        self.sum_up(today);
    }

    /// Sums the lots up for a day, days since 1970.
    pub fn sum_up(&mut self, today: i32) {
        let mut sums = Sums::default();
        for lot in &self.lots {
            sums.shares += lot.shares;
            sums.basis += lot.basis;
            if lot.long_from > today {
                sums.short_shares += lot.shares;
                sums.short_basis += lot.basis;
                sums.next_turn = sums.next_turn.min(lot.long_from);
            }
            let per_share = lot.basis / lot.shares;
            sums.all_lose_below = sums.all_lose_below.min(per_share * (1.0 - PRICE_ROUNDING));
            sums.none_loses_from = sums.none_loses_from.max(per_share * (1.0 + PRICE_ROUNDING));
        }
        self.sums = sums;
    }

    /// Shares held.
    pub fn shares(&self) -> f64 {
        self.sums.shares
    }

    /// First day on which [`Lots::sum_up`] gives something else, days since 1970.
    pub fn next_turn(&self) -> i32 {
        self.sums.next_turn
    }

    /// Whether a loss taken on the day would be washed by a purchase before it.
    pub fn blocks_harvest(&self, today: i32) -> bool {
        today <= self.harvest_blocked_until
    }

    /// Whether a purchase on the day would wash a loss before it.
    pub fn blocks_purchase(&self, today: i32) -> bool {
        today <= self.purchase_blocked_until
    }

    /// The position at a price, on the day that the lots were summed up for or a later one before the next turn.
    pub fn view(&self, price: f64, today: i32) -> PositionView {
        let sums = &self.sums;
        let (value, short_value) = (sums.shares * price, sums.short_shares * price);
        let short_gain = short_value - sums.short_basis;
        let loss_value = if price >= sums.none_loses_from {
            0.0
        } else if price < sums.all_lose_below {
            value
        } else {
            let losing = self.lots.iter().filter(|lot| lot.shares * price < lot.basis);
            losing.map(|lot| lot.shares).sum::<f64>() * price
        };
        PositionView {
            value,
            basis: sums.basis,
            short_gain,
            long_gain: (sums.shares - sums.short_shares) * price - (sums.basis - sums.short_basis),
            short_value,
            loss_value,
            days_to_long_term: (sums.next_turn != i32::MAX).then(|| sums.next_turn - today),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The position lot by lot.
    fn by_lot(lots: &[LotView], price: f64, today: i32) -> PositionView {
        let mut view = PositionView::default();
        let mut next = i32::MAX;
        for lot in lots {
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

    proptest! {
        #[test]
        fn sums_say_what_the_lots_say(
            lots in prop::collection::vec((1_u32..50, 1_u32..40, -3_i32..6), 0..9), price in 1_u32..40, today in 0_i32..6,
        ) {
            // Few prices, so that many lots stand exactly at the price.
            let lots: Vec<LotView> = lots
                .into_iter()
                .map(|(shares, cost, long_from)| {
                    let shares = f64::from(shares) / 7.0;
                    LotView { shares, basis: shares * f64::from(cost), held_from: None, long_from }
                })
                .collect();
            let mut summed = Lots { lots, ..Lots::default() };
            summed.sum_up(0);
            for day in 1..=today {
                if day >= summed.next_turn() {
                    summed.sum_up(day);
                }
            }
            let (found, wanted) = (summed.view(f64::from(price), today), by_lot(&summed.lots, f64::from(price), today));
            let numbers = |view: &PositionView| {
                [view.value, view.basis, view.short_gain, view.long_gain, view.short_value, view.loss_value]
            };
            for (found, wanted) in numbers(&found).into_iter().zip(numbers(&wanted)) {
                prop_assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
            }
            prop_assert_eq!(found.days_to_long_term, wanted.days_to_long_term);
        }
    }
}
