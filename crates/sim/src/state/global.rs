//! Sixteen numbers for the whole account (SPEC E-03).

use super::{Limits, StateField, field, flag, ratio};

/// Names and ranges, in order.
pub const GLOBAL_FIELDS: [StateField; 16] = [
    field("cash_ratio", 0.0, 1.0),
    field("log_growth", -5.0, 5.0),
    field("drawdown", 0.0, 1.0),
    field("rolling_sharpe", -1.0, 1.0),
    field("short_term_gain", -1.0, 1.0),
    field("long_term_gain", -1.0, 1.0),
    field("loss_carryforward", 0.0, 1.0),
    field("season_sin", -1.0, 1.0),
    field("season_cos", -1.0, 1.0),
    field("fourth_quarter", 0.0, 1.0),
    field("last_turnover", 0.0, 2.0),
    field("idle_steps", 0.0, 10.0),
    field("short_term_rate", 0.0, 1.0),
    field("long_term_rate", 0.0, 1.0),
    field("risk_tolerance", 0.0, 1.0),
    field("log_horizon", -2.0, 2.0),
];

/// Their ranges.
static LIMITS: Limits<16> = Limits::of(&GLOBAL_FIELDS);

/// ln(30), the scale of the horizon.
const LOG_THIRTY: f64 = 3.401_197_381_662_155_4;

/// Where in the year a session lies; the same for every account, so it is computed once a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    sin: f64,
    cos: f64,
    fourth_quarter: bool,
}

impl Season {
    /// Of a day of the year, 1 to 366, and its month, 1 to 12. The year is a circle of 365.25 days.
    #[must_use]
    pub fn of(day_of_year: u16, month: u8) -> Self {
        let angle = f64::from(day_of_year.saturating_sub(1)) / 365.25 * std::f64::consts::TAU;
        Self { sin: libm::sin(angle), cos: libm::cos(angle), fourth_quarter: month >= 10 }
    }
}

/// What is known of the account. Money in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlobalFacts {
    /// Cash.
    pub cash: f64,
    /// Account value, PV.
    pub value: f64,
    /// Account value at the start of the episode, PV0.
    pub start_value: f64,
    /// Loss from the highest value, 0 to 1 ([`crate::reward::RewardState::drawdown`]).
    pub drawdown: f64,
    /// Annualised Sharpe ratio of the last 30 returns ([`crate::reward::RewardState::rolling_sharpe`]).
    pub rolling_sharpe: f64,
    /// Short-term gains realised this year, losses negative.
    pub short_term_gain: f64,
    /// Long-term gains realised this year, losses negative.
    pub long_term_gain: f64,
    /// Losses carried into this year, as a positive amount.
    pub loss_carryforward: f64,
    /// Where in the year the session lies.
    pub season: Season,
    /// Turnover of the last step, both sides over value.
    pub last_turnover: f64,
    /// Steps in a row without a trade ([`crate::reward::RewardState::idle_steps`]).
    pub idle_steps: u32,
    /// Rate on short-term gains, a fraction.
    pub short_term_rate: f64,
    /// Rate on long-term gains, a fraction.
    pub long_term_rate: f64,
    /// Risk tolerance, 0 to 1.
    pub risk_tolerance: f64,
    /// The user's horizon, years.
    pub horizon_years: f64,
}

impl GlobalFacts {
    /// The numbers, in the order of [`GLOBAL_FIELDS`]. A growth or a horizon of nothing is the least
    /// that can be said.
    #[must_use]
    pub fn numbers(&self) -> [f32; 16] {
        LIMITS.cut([
            ratio(self.cash, self.value),
            if self.start_value > 0.0 { libm::log((self.value / self.start_value).max(0.0)) } else { 0.0 },
            self.drawdown,
            self.rolling_sharpe / 3.0,
            ratio(self.short_term_gain, self.value),
            ratio(self.long_term_gain, self.value),
            ratio(self.loss_carryforward, self.value),
            self.season.sin,
            self.season.cos,
            flag(self.season.fourth_quarter),
            self.last_turnover,
            f64::from(self.idle_steps) / 10.0,
            self.short_term_rate,
            self.long_term_rate,
            self.risk_tolerance,
            libm::log(self.horizon_years.max(0.0)) / LOG_THIRTY,
        ])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account() -> GlobalFacts {
        GlobalFacts {
            cash: 30_000.0,
            value: 120_000.0,
            start_value: 100_000.0,
            drawdown: 0.04,
            rolling_sharpe: 1.5,
            short_term_gain: -2_400.0,
            long_term_gain: 6_000.0,
            loss_carryforward: 1_200.0,
            season: Season::of(275, 10),
            last_turnover: 0.2,
            idle_steps: 4,
            short_term_rate: 0.32,
            long_term_rate: 0.15,
            risk_tolerance: 0.6,
            horizon_years: 30.0,
        }
    }

    #[test]
    fn an_account_by_hand() {
        let angle = 274.0 / 365.25 * 2.0 * std::f64::consts::PI;
        let wanted = [
            0.25,
            1.2_f64.ln(),
            0.04,
            0.5,
            -0.02,
            0.05,
            0.01,
            angle.sin(),
            angle.cos(),
            1.0,
            0.2,
            0.4,
            0.32,
            0.15,
            0.6,
            1.0,
        ];
        for ((number, wanted), field) in account().numbers().into_iter().zip(wanted).zip(GLOBAL_FIELDS) {
            assert!((f64::from(number) - wanted).abs() < 1e-6, "{} is {number}", field.name);
        }
        assert_eq!(Season::of(1, 1), Season { sin: 0.0, cos: 1.0, fourth_quarter: false });
        assert_eq!(GlobalFacts { value: 0.0, cash: 0.0, ..account() }.numbers()[..2], [0.0, -5.0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

        #[test]
        fn numbers_stay_in_their_ranges_whatever_comes_in(
            numbers in any::<[u64; 13]>(), idle_steps: u32, day in 0..400_u16, month in 0..13_u8,
        ) {
            let at = |index: usize| f64::from_bits(numbers[index]);
            let facts = GlobalFacts {
                cash: at(0),
                value: at(1),
                start_value: at(2),
                drawdown: at(3),
                rolling_sharpe: at(4),
                short_term_gain: at(5),
                long_term_gain: at(6),
                loss_carryforward: at(7),
                season: Season::of(day, month),
                last_turnover: at(8),
                idle_steps,
                short_term_rate: at(9),
                long_term_rate: at(10),
                risk_tolerance: at(11),
                horizon_years: at(12),
            };
            for (number, field) in facts.numbers().iter().zip(GLOBAL_FIELDS) {
                prop_assert!((field.min..=field.max).contains(number), "{} is {number}", field.name);
            }
        }
    }
}
