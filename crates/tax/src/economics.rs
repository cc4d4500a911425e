//! What waiting and harvesting are worth, in exact money (tax section 7 without its floats).

use lotwise_core::{Money, Price, Rate, Rounding, Shares, mul_div};

use crate::error::Error;
use crate::model::{FlatRates, Term};

/// One whole unit of any exact quantity, in billionths.
const UNIT: i128 = 1_000_000_000;

/// Selling now as short-term against selling at the same price as long-term (tax rule 7.1).
///
/// Waiting is a bet that the saving outweighs the risk of holding: never show the saving without
/// the break-even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitForLongTerm {
    /// `shares * price - basis`.
    pub gain: Money,
    /// Gain after tax at the short rate. For a loss this counts its tax value, which is there only
    /// if the loss can be used.
    pub after_tax_now: Money,
    /// Gain after tax at the long rate.
    pub after_tax_long: Money,
    /// `after_tax_long - after_tax_now`; negative for a loss, which is worth more while short.
    pub saving: Money,
    /// Price on the first long-term day that gives the same result as selling now.
    pub break_even_price: Price,
    /// Fall from today's price to the break-even, as a fraction; negative where it is a rise.
    pub break_even_fall: Rate,
}

/// Compares selling now with waiting, for shares of one basis (total, not per share).
///
/// # Errors
/// [`Error::OutOfRange`] for shares or a price at or below zero and for a value beyond the range,
/// [`Error::Rate`] for rates outside zero to one.
pub fn wait_for_long_term(
    shares: Shares,
    price: Price,
    basis: Money,
    rates: FlatRates,
) -> Result<WaitForLongTerm, Error> {
    rates.check()?;
    let out_of_range = |field| move || Error::OutOfRange { field, of: "the comparison of now and long-term".into() };
    if !shares.is_positive() {
        return Err(out_of_range("number of shares")());
    }
    if !price.is_positive() {
        return Err(out_of_range("price")());
    }
    let worth = value(price, shares).filter(|worth| worth.abs() <= largest()).ok_or_else(out_of_range("value"))?;
    if basis.abs() > largest() {
        return Err(out_of_range("basis")());
    }
    let gain = worth - basis;
    let keep = |rate: Rate| gain - gain * rate;
    let (after_tax_now, after_tax_long) = (keep(rates.short), keep(rates.long));
    // P* = B + (P - B)(1 - s)/(1 - l): the gain that, taxed as long-term, leaves what now leaves.
    let kept = |rate: Rate| (Rate::ONE - rate).billionths();
    let break_even_gain =
        mul_div(gain.billionths(), kept(rates.short), kept(rates.long), Rounding::HalfEven).map(Money::from_billionths);
    let break_even_worth = break_even_gain.and_then(|gain| basis.checked_add(gain)).ok_or_else(out_of_range("gain"))?;
    let break_even_price = break_even_worth.per_share(shares).ok_or_else(out_of_range("break-even price"))?;
    let fall = worth - break_even_worth;
    let break_even_fall =
        Rate::ratio(fall.billionths(), worth.billionths()).ok_or_else(out_of_range("break-even fall"))?;
    Ok(WaitForLongTerm {
        gain,
        after_tax_now,
        after_tax_long,
        saving: after_tax_long - after_tax_now,
        break_even_price,
        break_even_fall,
    })
}

/// Where a realised loss goes this year, and what each part saves (tax rule 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HarvestValue {
    /// Part that meets this year's short gains.
    pub against_short: Money,
    /// Part that meets this year's long gains.
    pub against_long: Money,
    /// Part that meets ordinary income, up to the year's limit.
    pub against_ordinary: Money,
    /// Part that is carried to later years.
    pub carried: Money,
    /// Tax saved this year: the first three parts at their rates.
    pub saved_now: Money,
    /// What the carried part is taken to be worth.
    pub carried_value: Money,
}

impl HarvestValue {
    /// Tax saved now and later, before trading cost and before the tax that the lower basis of the
    /// substitute brings (tax rule 7.3: harvesting is mostly deferral).
    #[must_use]
    pub fn total(self) -> Money {
        self.saved_now + self.carried_value
    }
}

/// What a year's gains so far leave for a loss to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossRoom {
    /// Net short-term result of the year so far, carryover included; negative for a loss.
    pub net_short: Money,
    /// Net long-term result of the year so far, carryover included; negative for a loss.
    pub net_long: Money,
    /// The year's limit on losses against ordinary income (3,000, or 1,500 for separate filers).
    pub loss_limit: Money,
}

/// Values a usable loss (`loss` above zero). A short loss meets short gains first, a long loss
/// long gains; then the other kind, then ordinary income, and the rest is carried. A carried
/// dollar is worth `carried_share` of the long rate; one half is the usual assumption.
///
/// # Errors
/// [`Error::Rate`] for rates outside zero to one, [`Error::OutOfRange`] for a negative or
/// immense loss.
pub fn harvest_value(
    loss: Money,
    term: Term,
    room: LossRoom,
    rates: FlatRates,
    carried_share: Rate,
) -> Result<HarvestValue, Error> {
    rates.check()?;
    if carried_share.is_negative() || carried_share > Rate::ONE {
        return Err(Error::Rate { field: "the share that a carried loss is worth" });
    }
    for (field, amount) in [
        ("loss", loss),
        ("net short result", room.net_short),
        ("net long result", room.net_long),
        ("loss limit", room.loss_limit),
    ] {
        if amount.abs() > largest() {
            return Err(Error::OutOfRange { field, of: "the harvest".into() });
        }
    }
    if loss.is_negative() || room.loss_limit.is_negative() {
        return Err(Error::OutOfRange { field: "loss", of: "the harvest".into() });
    }
    let (short, long) = (room.net_short, room.net_long);
    // A loss of one kind that is there already eats into the gains of the other.
    let short_room = (short + long.min(Money::ZERO)).max(Money::ZERO);
    let long_room = (long + short.min(Money::ZERO)).max(Money::ZERO);
    let (against_short, against_long) = match term {
        Term::Short => {
            let against_short = loss.min(short_room);
            (against_short, (loss - against_short).min(long_room))
        }
        Term::Long => {
            let against_long = loss.min(long_room);
            ((loss - against_long).min(short_room), against_long)
        }
    };
    let left = loss - against_short - against_long;
    let used = (-(short + long)).max(Money::ZERO).min(room.loss_limit);
    let against_ordinary = left.min(room.loss_limit - used);
    let carried = left - against_ordinary;
    Ok(HarvestValue {
        against_short,
        against_long,
        against_ordinary,
        carried,
        saved_now: (against_short + against_ordinary) * rates.short + against_long * rates.long,
        carried_value: carried * rates.long * carried_share,
    })
}

impl FlatRates {
    /// # Errors
    /// [`Error::Rate`] unless both rates are at least zero and below one.
    pub fn check(self) -> Result<(), Error> {
        for (field, rate) in [("the short-term rate", self.short), ("the long-term rate", self.long)] {
            if rate.is_negative() || rate >= Rate::ONE {
                return Err(Error::Rate { field });
            }
        }
        Ok(())
    }
}

/// `price * shares`, or `None` beyond the range.
pub(crate) fn value(price: Price, shares: Shares) -> Option<Money> {
    mul_div(price.billionths(), shares.billionths(), UNIT, Rounding::HalfEven).map(Money::from_billionths)
}

/// No amount beyond this is computed with.
pub(crate) fn largest() -> Money {
    Money::from_whole(1_000_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn rates(short: &str, long: &str) -> FlatRates {
        FlatRates { short: Rate::parse(short).unwrap(), long: Rate::parse(long).unwrap() }
    }

    #[test]
    fn the_personas_follow_the_formula_and_not_the_printed_integers() {
        for (shares, basis_per_share, short, long, gain, now, later, saving) in [
            (20, "161.82", "0.32", "0.15", "571.20", "388.42", "485.52", "97.10"),
            (50, "133.26", "0.24", "0.15", "2856.00", "2170.56", "2427.60", "257.04"),
            (30, "237.97", "0.35", "0.2", "-1427.70", "-928.01", "-1142.16", "-214.16"),
        ] {
            let shares = Shares::from_whole(shares);
            let basis = Price::parse(basis_per_share).unwrap() * shares;
            let wait = wait_for_long_term(shares, Price::parse("190.38").unwrap(), basis, rates(short, long)).unwrap();
            assert_eq!(wait.gain, money(gain));
            assert_eq!(wait.after_tax_now.to_cents(), money(now));
            assert_eq!(wait.after_tax_long.to_cents(), money(later));
            assert_eq!(wait.saving.to_cents(), money(saving));
        }
    }

    #[test]
    fn the_break_even_is_where_waiting_gains_nothing() {
        for (shares, basis_per_share, short, long, price, fall) in [
            (50, "133.26", "0.24", "0.15", "184.332", "0.031768"),
            (20, "161.82", "0.32", "0.15", "184.668", "0.030003"),
        ] {
            let shares = Shares::from_whole(shares);
            let basis = Price::parse(basis_per_share).unwrap() * shares;
            let wait = wait_for_long_term(shares, Price::parse("190.38").unwrap(), basis, rates(short, long)).unwrap();
            assert_eq!(wait.break_even_price.round(6, Rounding::HalfEven), Price::parse(price).unwrap());
            assert_eq!(wait.break_even_fall.round(6, Rounding::HalfEven), Rate::parse(fall).unwrap());
            let then = wait_for_long_term(shares, wait.break_even_price, basis, rates(short, long)).unwrap();
            assert_eq!(then.after_tax_long.to_cents(), wait.after_tax_now.to_cents());
        }
    }

    #[test]
    fn a_loss_is_worth_what_it_meets() {
        let room = |short: &str, long: &str| LossRoom {
            net_short: money(short),
            net_long: money(long),
            loss_limit: money("3000"),
        };
        let half = Rate::parse("0.5").unwrap();
        for (loss, term, room, parts, value) in [
            ("1427.70", Term::Short, room("5000", "0"), "1427.70 0.00 0.00 0.00", "499.695"),
            ("1427.70", Term::Short, room("0", "5000"), "0.00 1427.70 0.00 0.00", "285.54"),
            ("10000", Term::Long, room("1000", "2000"), "1000.00 2000.00 3000.00 4000.00", "2200"),
            ("10000", Term::Short, room("-2000", "500"), "0.00 0.00 1500.00 8500.00", "1375"),
        ] {
            let value_of = harvest_value(money(loss), term, room, rates("0.35", "0.2"), half).unwrap();
            let found = [value_of.against_short, value_of.against_long, value_of.against_ordinary, value_of.carried];
            assert_eq!(found.map(|part| part.to_string()).join(" "), parts);
            assert_eq!(value_of.total(), money(value), "{loss} {room:?}");
        }
    }

    #[test]
    fn impossible_inputs_are_refused() {
        let good = rates("0.3", "0.1");
        let one = Shares::from_whole(1);
        let price = Price::from_whole(1);
        assert!(wait_for_long_term(Shares::ZERO, price, Money::ZERO, good).is_err());
        assert!(wait_for_long_term(one, Price::ZERO, Money::ZERO, good).is_err());
        assert!(wait_for_long_term(one, price, Money::from_billionths(i128::MAX), good).is_err());
        assert!(wait_for_long_term(one, Price::from_billionths(i128::MAX), Money::ZERO, good).is_err());
        assert_eq!(
            wait_for_long_term(one, price, Money::ZERO, rates("0.3", "1")),
            Err(Error::Rate { field: "the long-term rate" })
        );
    }
}
