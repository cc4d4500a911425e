//! Twelve numbers for one asset (SPEC E-02).

use std::sync::LazyLock;

use super::{Limits, StateField, field, flag, ratio};

/// Names and ranges, in order.
pub const TICKER_FIELDS: [StateField; 12] = [
    field("weight", 0.0, 1.0),
    field("unrealised_gain", -1.0, 1.0),
    field("short_term_share", 0.0, 1.0),
    field("time_to_long_term", 0.0, 1.0),
    field("loss_lot_share", 0.0, 1.0),
    field("exit_tax", -1.0, 1.0),
    field("wash_blocks_buying", 0.0, 1.0),
    field("wash_blocks_harvest", 0.0, 1.0),
    field("time_since_trade", 0.0, 2.0),
    field("held", 0.0, 1.0),
    field("ret_since_trade", -1.0, 1.0),
    field("traded_volume", 0.0, 5.0),
];

/// Their ranges.
static LIMITS: Limits<12> = Limits::of(&TICKER_FIELDS);

/// ln(366), the scale of days since the last trade.
const LOG_YEAR: f64 = 5.902_633_333_401_366;

/// What is known of one asset in the account. Money in US dollars; a position that is not held is
/// zero everywhere but in its memory of trades.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TickerFacts {
    /// Market value of the position.
    pub value: f64,
    /// Market value of the whole account.
    pub account_value: f64,
    /// Basis of the position's lots.
    pub basis: f64,
    /// Market value of its short-term lots.
    pub short_term_value: f64,
    /// Market value of its lots below their basis.
    pub loss_lot_value: f64,
    /// Calendar days until the next lot turns long-term; `None` when no lot is waiting.
    pub days_to_long_term: Option<u32>,
    /// Tax that selling everything would cost; negative where it would save tax.
    pub exit_tax: f64,
    /// A loss was sold at most 30 days ago, so that a purchase would disallow it.
    pub sold_at_loss_lately: bool,
    /// A purchase was made at most 30 days ago, so that a loss sold now would be disallowed.
    pub bought_lately: bool,
    /// Calendar days since the last trade; `None` when there was none.
    pub days_since_trade: Option<u32>,
    /// Total return since the last trade, a fraction.
    pub ret_since_trade: f64,
    /// Value traded in the last step.
    pub traded_value: f64,
    /// Usual traded value a day in the market.
    pub dollar_volume: f64,
}

impl TickerFacts {
    /// The numbers, in the order of [`TICKER_FIELDS`]. An asset that was never traded counts as traded
    /// a year ago; what was traded of an asset without volume counts as the limit.
    #[must_use]
    pub fn numbers(&self) -> [f32; 12] {
        let since_trade = self.days_since_trade.map_or(1.0, log_years);
        let traded = match self.dollar_volume > 0.0 {
            true if self.traded_value == 0.0 => 0.0,
            true => self.traded_value / (0.05 * self.dollar_volume),
            false if self.traded_value > 0.0 => f64::from(TICKER_FIELDS[11].max),
            false => 0.0,
        };
        let waiting = self.days_to_long_term.map_or(0.0, |days| f64::from(days) / 366.0);
        let (sold, bought) = (flag(self.sold_at_loss_lately), flag(self.bought_lately));
        if self.value == 0.0 && self.basis == 0.0 {
            // Most assets of most accounts: shares of nothing are zero.
            let ret = self.ret_since_trade;
            let numbers = [0.0, 0.0, 0.0, waiting, 0.0, 0.0, sold, bought, since_trade, 0.0, ret, traded];
            return LIMITS.cut(numbers);
        }
        LIMITS.cut([
            ratio(self.value, self.account_value),
            ratio(self.value - self.basis, self.basis),
            ratio(self.short_term_value, self.value),
            waiting,
            ratio(self.loss_lot_value, self.value),
            ratio(self.exit_tax, self.value),
            sold,
            bought,
            since_trade,
            flag(self.value > 0.0),
            self.ret_since_trade,
            traded,
        ])
    }
}

/// ln(1 + days) / ln(366), looked up where it is usual: thousands of assets ask at every step.
fn log_years(days: u32) -> f64 {
    static USUAL: LazyLock<Vec<f64>> = LazyLock::new(|| (0..1_024).map(exact_log_years).collect());
    USUAL.get(days as usize).copied().unwrap_or_else(|| exact_log_years(days))
}

fn exact_log_years(days: u32) -> f64 {
    libm::log1p(f64::from(days)) / LOG_YEAR
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> impl Strategy<Value = TickerFacts> {
        let any_number = || proptest::num::f64::ANY;
        (
            (any_number(), any_number(), any_number(), any_number(), any_number(), any_number(), any_number()),
            (any_number(), any_number(), any::<[bool; 2]>(), any::<Option<u32>>(), any::<Option<u32>>()),
        )
            .prop_map(
                |(
                    (value, account_value, basis, short_term_value, loss_lot_value, exit_tax, ret_since_trade),
                    (traded_value, dollar_volume, flags, days_to_long_term, days_since_trade),
                )| TickerFacts {
                    value,
                    account_value,
                    basis,
                    short_term_value,
                    loss_lot_value,
                    days_to_long_term,
                    exit_tax,
                    sold_at_loss_lately: flags[0],
                    bought_lately: flags[1],
                    days_since_trade,
                    ret_since_trade,
                    traded_value,
                    dollar_volume,
                },
            )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

        #[test]
        fn numbers_stay_in_their_ranges_whatever_comes_in(facts in facts()) {
            for (number, field) in facts.numbers().iter().zip(TICKER_FIELDS) {
                prop_assert!((field.min..=field.max).contains(number), "{} is {number}", field.name);
            }
        }
    }

    #[test]
    fn a_position_by_hand() {
        let facts = TickerFacts {
            value: 12_000.0,
            account_value: 100_000.0,
            basis: 10_000.0,
            short_term_value: 3_000.0,
            loss_lot_value: 6_000.0,
            days_to_long_term: Some(183),
            exit_tax: 360.0,
            sold_at_loss_lately: false,
            bought_lately: true,
            days_since_trade: Some(365),
            ret_since_trade: -0.07,
            traded_value: 1_000.0,
            dollar_volume: 80_000.0,
        };
        let wanted = [0.12, 0.2, 0.25, 0.5, 0.5, 0.03, 0.0, 1.0, 1.0, 1.0, -0.07, 0.25];
        for ((number, wanted), field) in facts.numbers().into_iter().zip(wanted).zip(TICKER_FIELDS) {
            assert!((number - wanted).abs() < 1e-6, "{} is {number}", field.name);
        }
    }

    #[test]
    fn an_asset_that_is_not_held_is_quiet() {
        let numbers = TickerFacts { account_value: 1e5, dollar_volume: 1e6, ..TickerFacts::default() }.numbers();
        let mut wanted = [0.0; 12];
        wanted[8] = 1.0;
        assert_eq!(numbers, wanted);
        let thin = TickerFacts { traded_value: 1.0, ..TickerFacts::default() }.numbers();
        assert_eq!(thin[11], 5.0);
        assert!((LOG_YEAR - 366.0_f64.ln()).abs() < 1e-14);
    }
}
