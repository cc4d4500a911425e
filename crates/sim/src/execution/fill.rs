//! From planned trades to booked ones, in exact quantities: the same for an episode and a backtest.

use lotwise_core::{Money, Price, Rate, Shares};
use lotwise_tax::Trade;

use super::CostConfig;

/// A sale of this part of a position is a sale of all of it.
const ALL: f64 = 1.0 - 1e-9;
/// Below this a whole number fits 64 bits.
const HOLDS_64_BITS: f64 = 9e18;
/// Trades of less than this are rounding, US dollars.
const LEAST_TRADE: f64 = 1e-6;

/// An account whose trades are booked.
pub(crate) trait Till {
    /// Why a trade cannot be booked.
    type Error;

    /// Cash.
    fn cash(&self) -> Money;

    /// Shares held.
    fn held(&self, at: usize) -> Shares;

    /// Books a sale at a price.
    fn sell(&mut self, at: usize, price: Price, trade: Trade) -> Result<(), Self::Error>;

    /// Books a purchase at a price.
    fn buy(&mut self, at: usize, price: Price, trade: Trade) -> Result<(), Self::Error>;

    /// Shares that a sale of about so many is of.
    fn rounded_sale(&self, _at: usize, shares: Shares) -> Shares {
        shares
    }
}

/// Planned trades and what they were sized with, `[N]` each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders<'a> {
    /// Signed US dollars at the closes that were seen, purchases positive.
    pub trades: &'a [f64],
    /// Values held at those closes.
    pub values: &'a [f64],
    /// Those closes, in units of today; NaN of what was never seen.
    pub seen: &'a [f64],
    /// Volatility a day and usual dollars a day, for impact.
    pub vol_daily: &'a [f64],
    /// Usual dollars a day.
    pub dollar_volume: &'a [f64],
}

/// What trades cost, and whether shares may be broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    cost: CostConfig,
    rate: Rate,
    fractional: bool,
}

impl Terms {
    pub fn new(cost: CostConfig, fractional: bool) -> Self {
        Self { cost, rate: Rate::from_billionths((cost.rate() * 1e9).round() as i128), fractional }
    }

    /// The cost of a trade of an exact amount.
    pub fn fee(&self, amount: Money, vol_daily: f64, dollar_volume: f64) -> Money {
        let proportional = amount * self.rate;
        if self.cost.impact_coef == 0.0 {
            return proportional;
        }
        let impact = self.cost.impact(amount.to_f64(), vol_daily, dollar_volume);
        proportional + Money::from_billionths((impact * 1e9).round() as i128)
    }

    /// Shares for sale, to the nearest billionth, so that those of a lot come back from their weight.
    fn to_sell(self, shares: f64) -> Shares {
        if self.fractional { Shares::from_billionths(nearest((shares * 1e9).max(0.0))) } else { self.to_buy(shares) }
    }

    /// Shares to buy, rounded down.
    fn to_buy(self, shares: f64) -> Shares {
        if self.fractional {
            Shares::from_billionths(below((shares * 1e9).max(0.0)))
        } else {
            // A hair more, so that a whole number that went through a division stays one.
            Shares::from_whole((shares + 1e-9).floor().max(0.0) as i64)
        }
    }
}

/// Fills orders at the prices that there are, sales first; what has no price is not traded. What a gap
/// makes dearer than the cash there is, is bought less of, all by one factor.
pub(crate) fn fill_orders<T: Till>(
    terms: Terms,
    orders: Orders<'_>,
    price_of: impl Fn(usize) -> Option<Price>,
    till: &mut T,
) -> Result<(), T::Error> {
    let n = orders.trades.len();
    for at in 0..n {
        let (trade, seen) = (orders.trades[at], orders.seen[at]);
        if trade > -LEAST_TRADE || seen.is_nan() {
            continue;
        }
        let Some(price) = price_of(at) else { continue };
        let held = till.held(at);
        let all = -trade >= orders.values[at] * ALL;
        let shares = if all { held } else { till.rounded_sale(at, terms.to_sell(-trade / seen).min(held)) };
        if !shares.is_positive() {
            continue;
        }
        let amount = price * shares;
        let fee = terms.fee(amount, orders.vol_daily[at], orders.dollar_volume[at]).min(amount);
        till.sell(at, price, Trade { shares, amount, fee })?;
    }
    let mut needed = 0.0;
    for at in 0..n {
        let (trade, seen) = (orders.trades[at], orders.seen[at]);
        if trade > LEAST_TRADE
            && seen > 0.0
            && let Some(price) = price_of(at)
        {
            let dollars = trade / seen * price.to_f64();
            let impact = terms.cost.impact(dollars, orders.vol_daily[at], orders.dollar_volume[at]);
            needed += dollars * (1.0 + terms.cost.rate()) + impact;
        }
    }
    let cash = till.cash().to_f64();
    let factor = if needed > cash { (cash / needed).max(0.0) } else { 1.0 };
    for at in 0..n {
        let (trade, seen) = (orders.trades[at], orders.seen[at]);
        if trade <= LEAST_TRADE || seen.is_nan() {
            continue;
        }
        let Some(price) = price_of(at) else { continue };
        let fee_of = |amount| terms.fee(amount, orders.vol_daily[at], orders.dollar_volume[at]);
        let mut shares = terms.to_buy(trade * factor / seen);
        let mut amount = price * shares;
        let mut fee = fee_of(amount);
        // Rounding can leave the last purchase a billionth short of cash.
        if amount + fee > till.cash() {
            let missing = (amount + fee - till.cash()).to_f64() / price.to_f64();
            shares = terms.to_buy((shares.to_f64() - missing) * (1.0 - 1e-12) - 2e-9);
            amount = price * shares;
            fee = fee_of(amount);
        }
        if shares.is_positive() && amount + fee <= till.cash() {
            till.buy(at, price, Trade { shares, amount, fee })?;
        }
    }
    Ok(())
}

/// Sells the same part of every holding that has a price until `missing` is there after costs, as far
/// as there are holdings. `depth_of` gives volatility and usual dollars a day.
pub(crate) fn raise_cash<T: Till>(
    terms: Terms,
    missing: Money,
    n_assets: usize,
    price_of: impl Fn(usize) -> Option<Price>,
    depth_of: impl Fn(usize) -> (f64, f64),
    till: &mut T,
) -> Result<(), T::Error> {
    let mut sources = Vec::new();
    let mut total = 0.0;
    for at in 0..n_assets {
        let held = till.held(at);
        if let Some(price) = price_of(at).filter(|_| held.is_positive()) {
            let depth = if terms.cost.impact_coef == 0.0 { (0.0, 0.0) } else { depth_of(at) };
            let amount = price * held;
            total += (amount - terms.fee(amount, depth.0, depth.1).min(amount)).to_f64();
            sources.push((at, price, depth));
        }
    }
    // A little more than needed, so that rounding of shares leaves nothing missing.
    let part = missing.to_f64() / total.max(1e-9) * (1.0 + 1e-9) + 1e-12;
    for (at, price, (vol_daily, dollar_volume)) in sources {
        let held = till.held(at);
        // Whole shares are rounded up, for the same reason.
        let wanted = held.to_f64() * part;
        let wanted = if terms.fractional { wanted } else { wanted.ceil() };
        let shares = if part >= 1.0 { held } else { terms.to_sell(wanted).min(held) };
        if shares.is_positive() {
            let amount = price * shares;
            let fee = terms.fee(amount, vol_daily, dollar_volume).min(amount);
            till.sell(at, price, Trade { shares, amount, fee })?;
        }
    }
    Ok(())
}

/// The nearest whole number, half away from nothing, of a number that is not negative. It is that of `round`, and
/// instructions instead of calls where 64 bits hold it.
pub(crate) fn nearest(number: f64) -> i128 {
    if number < HOLDS_64_BITS {
        let whole = number as i64;
        i128::from(whole + i64::from(number - whole as f64 >= 0.5))
    } else {
        wide(number.round())
    }
}

/// The whole part of a number that is not negative.
fn below(number: f64) -> i128 {
    if number < HOLDS_64_BITS { i128::from(number as i64) } else { wide(number.floor()) }
}

/// Apart, as otherwise it is worked out whatever the number is.
#[cold]
#[inline(never)]
fn wide(number: f64) -> i128 {
    number as i128
}

/// Interest of one session on cash: a 252nd of the rate a year.
pub(crate) fn session_interest(cash: Money, rate_annual: f64) -> Money {
    let per_session = rate_annual / crate::SESSIONS_PER_YEAR;
    Money::from_billionths((cash.billionths() as f64 * per_session).round() as i128)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_numbers_are_those_of_the_library(number in prop_oneof![
            0.0..1e3_f64,
            0.0..1e21_f64,
            (0_u32..1_000_000).prop_map(|halves| f64::from(halves) / 2.0),
            (0_u64..1 << 53).prop_map(|bits| f64::from_bits(4_602_678_819_172_646_911 + bits % 3)),
        ]) {
            prop_assert_eq!(nearest(number), number.round() as i128);
            prop_assert_eq!(below(number), number.floor() as i128);
        }
    }
}
