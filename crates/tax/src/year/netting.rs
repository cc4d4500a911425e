//! Netting of a year's gains and losses, and what of a loss is carried (tax section 3).

use lotwise_core::Money;

/// A year's capital result, by character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Netting {
    /// Net short-term result, carryover included (Schedule D line 7).
    pub net_short: Money,
    /// Net long-term result, carryover included (Schedule D line 15).
    pub net_long: Money,
    /// Both together (Schedule D line 16).
    pub net: Money,
    /// Part of a positive result that is taxed at preferential rates.
    pub net_capital_gain: Money,
    /// Loss that reduces other income, zero or positive (Schedule D line 21).
    pub deducted: Money,
    /// What the return shows: the positive result, or minus the deducted loss.
    pub on_return: Money,
}

/// Nets the year's short and long results, each after its carryover (tax rules 3.1 and 3.2).
#[must_use]
pub fn net_gains(net_short: Money, net_long: Money, loss_limit: Money) -> Netting {
    let net = net_short + net_long;
    let net_capital_gain = if net.is_positive() && net_long.is_positive() { net_long.min(net) } else { Money::ZERO };
    let deducted = (-net).max(Money::ZERO).min(loss_limit);
    let on_return = if net.is_negative() { -deducted } else { net };
    Netting { net_short, net_long, net, net_capital_gain, deducted, on_return }
}

/// What a year leaves to the next, by character; both zero or positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carryover {
    /// Short-term loss carried.
    pub short: Money,
    /// Long-term loss carried.
    pub long: Money,
    /// Part of the deducted loss that met income (worksheet line 4): the rest is not used up.
    pub used: Money,
}

/// The Capital Loss Carryover Worksheet of the Schedule D instructions (tax rule 3.3).
///
/// `taxable_income_signed` is Form 1040 line 15 with a negative result allowed.
#[must_use]
pub fn carryover(taxable_income_signed: Money, netting: Netting) -> Carryover {
    let Netting { net_short, net_long, deducted, .. } = netting;
    let line3 = (taxable_income_signed + deducted).max(Money::ZERO);
    let line4 = deducted.min(line3);
    let line5 = (-net_short).max(Money::ZERO);
    let short = if line5.is_positive() {
        let line6 = net_long.max(Money::ZERO);
        (line5 - (line4 + line6)).max(Money::ZERO)
    } else {
        Money::ZERO
    };
    let long = if net_long.is_negative() {
        let line10 = net_short.max(Money::ZERO);
        let line11 = (line4 - line5).max(Money::ZERO);
        (-net_long - (line10 + line11)).max(Money::ZERO)
    } else {
        Money::ZERO
    };
    Carryover { short, long, used: line4 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn whole(units: i64) -> Money {
        Money::from_whole(units)
    }

    #[test]
    fn the_worksheet_consumes_short_losses_first() {
        for (title, line15, short, long, limit, deducted, used, short_out, long_out) in [
            ("short loss only", 50_000, -10_000, 0, 3_000, 3_000, 3_000, 7_000, 0),
            ("long loss only", 50_000, 0, -10_000, 3_000, 3_000, 3_000, 0, 7_000),
            ("both, short first", 50_000, -2_000, -9_000, 3_000, 3_000, 3_000, 0, 8_000),
            ("short loss against long gain", 50_000, -12_000, 5_000, 3_000, 3_000, 3_000, 4_000, 0),
            ("long loss against short gain", 50_000, 4_000, -20_000, 3_000, 3_000, 3_000, 0, 13_000),
            ("separate filer", 50_000, -4_000, -4_000, 1_500, 1_500, 1_500, 2_500, 4_000),
            ("negative income uses nothing up", -5_000, -10_000, 0, 3_000, 3_000, 0, 10_000, 0),
            ("slightly negative income uses a part", -1_000, -2_000, -6_000, 3_000, 3_000, 2_000, 0, 6_000),
            ("no carryover", 50_000, -1_000, -500, 3_000, 1_500, 1_500, 0, 0),
            ("a gain carries nothing", 50_000, 1_000, -500, 3_000, 0, 0, 0, 0),
        ] {
            let netting = net_gains(whole(short), whole(long), whole(limit));
            assert_eq!(netting.deducted, whole(deducted), "{title}");
            let out = Carryover { short: whole(short_out), long: whole(long_out), used: whole(used) };
            assert_eq!(carryover(whole(line15), netting), out, "{title}");
        }
    }

    #[test]
    fn only_the_long_gain_that_is_left_is_preferential() {
        for (short, long, preferential, on_return) in [
            (1_000, 2_000, 2_000, 3_000),
            (-500, 2_000, 1_500, 1_500),
            (3_000, -2_000, 0, 1_000),
            (-9_000, 2_000, 0, -3_000),
            (2_000, 0, 0, 2_000),
        ] {
            let netting = net_gains(whole(short), whole(long), whole(3_000));
            assert_eq!(netting.net_capital_gain, whole(preferential), "{short} {long}");
            assert_eq!(netting.on_return, whole(on_return), "{short} {long}");
        }
    }

    proptest! {
        #[test]
        fn a_loss_is_used_or_carried(income in -20_000_i64..20_000, short in -20_000_i64..20_000, long in -20_000_i64..20_000) {
            let netting = net_gains(whole(short), whole(long), whole(3_000));
            let out = carryover(whole(income), netting);
            prop_assert_eq!(out.short + out.long + out.used, (-netting.net).max(Money::ZERO));
        }
    }
}
