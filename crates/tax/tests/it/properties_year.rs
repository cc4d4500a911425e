//! A year's tax against the lines of the forms, and what holds for every household.

use lotwise_core::{Money, Rate};
use lotwise_tax::{FilingStatus, Household, Parameters, YEARS, YearTax, year_tax};
use proptest::prelude::*;

fn amount(top: i64) -> impl Strategy<Value = Money> {
    // Nothing, small, and large, in cents.
    prop_oneof![Just(0), 1..500_000_i64, 1..top * 100]
        .prop_map(|cents| Money::from_billionths(i128::from(cents) * 10_000_000))
}

fn result(top: i64) -> impl Strategy<Value = Money> {
    (amount(top), any::<bool>()).prop_map(|(size, loss)| if loss { -size } else { size })
}

fn household() -> impl Strategy<Value = Household> {
    let status = prop::sample::select(FilingStatus::ALL.to_vec());
    let incomes = (amount(900_000), amount(60_000), amount(60_000), amount(200_000));
    let results = (result(900_000), result(900_000), amount(20_000), amount(20_000));
    (YEARS, status, incomes, results).prop_map(
        |(year, status, (wages, interest, nonqualified, qualified), (short, long, short_in, long_in))| Household {
            wages,
            interest,
            ordinary_dividends_nonqualified: nonqualified,
            qualified_dividends: qualified,
            short_term_gain: short,
            long_term_gain: long,
            short_carryover: short_in,
            long_carryover: long_in,
            ..Household::new(year, status)
        },
    )
}

/// Rates of the worksheet are exact to the billionth of a dollar on amounts in cents.
fn rate(text: &str) -> Rate {
    Rate::parse(text).expect("a rate")
}

/// The Qualified Dividends and Capital Gain Tax Worksheet, line by line (Form 1040 instructions).
fn worksheet(household: &Household, tax: &YearTax, parameters: &Parameters) -> Money {
    let zero = Money::ZERO;
    let line1 = tax.taxable_income;
    let line2 = household.qualified_dividends;
    let (schedule_d_15, schedule_d_16) = (tax.netting.net_long, tax.netting.net);
    let line3 = if schedule_d_15.is_positive() && schedule_d_16.is_positive() {
        schedule_d_15.min(schedule_d_16)
    } else {
        zero
    };
    let line4 = line2 + line3;
    let line5 = (line1 - line4).max(zero);
    let line7 = line1.min(parameters.zero_top);
    let line8 = line5.min(line7);
    let line9 = line7 - line8;
    let line10 = line1.min(line4);
    let line12 = line10 - line9;
    let line14 = line1.min(parameters.fifteen_top);
    let line15 = line5 + line9;
    let line16 = (line14 - line15).max(zero);
    let line17 = line12.min(line16);
    let line20 = line10 - (line9 + line17);
    let line23 = line17 * rate("0.15") + line20 * rate("0.20") + parameters.schedule(line5);
    line23.min(parameters.schedule(line1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_tax_is_that_of_the_worksheet(household in household()) {
        let tax = year_tax(&household).unwrap();
        let parameters = Parameters::of(household.year, household.status).unwrap();
        prop_assert_eq!(tax.regular_tax, worksheet(&household, &tax, parameters));
        let parts = tax.at_ordinary + tax.at_0 + tax.at_15 + tax.at_20;
        prop_assert_eq!(parts, tax.taxable_income);
        prop_assert!([tax.at_ordinary, tax.at_0, tax.at_15, tax.at_20].iter().all(|part| !part.is_negative()));
    }

    /// A dollar more of wages never lowers the tax, and never costs more than the highest rates
    /// together: 37 % and what it pushes out of a band, with the surtax.
    #[test]
    fn more_wages_are_never_less_tax(household in household(), more in 1_i64..100_000) {
        let more = Money::from_whole(more);
        let before = year_tax(&household).unwrap().total();
        let after = year_tax(&Household { wages: household.wages + more, ..household }).unwrap().total();
        prop_assert!(after >= before);
        prop_assert!(after - before <= more * rate("0.61"));
    }

    /// A dollar of ordinary gain is never taxed less than a dollar of long-term gain.
    #[test]
    fn long_term_is_never_dearer_than_short_term(household in household(), gain in 1_i64..200_000) {
        let gain = Money::from_whole(gain);
        let with = |short: Money, long: Money| {
            let (short_term_gain, long_term_gain) = (household.short_term_gain + short, household.long_term_gain + long);
            year_tax(&Household { short_term_gain, long_term_gain, ..household.clone() }).unwrap()
        };
        let (short, long) = (with(gain, Money::ZERO), with(Money::ZERO, gain));
        prop_assert!(long.total() <= short.total());
    }

    /// Losses are used this year or carried, by character; separate filers have half the limit.
    #[test]
    fn no_loss_is_lost_or_used_twice(household in household()) {
        let tax = year_tax(&household).unwrap();
        let limit = if household.status == FilingStatus::MarriedSeparate { 1_500 } else { 3_000 };
        prop_assert!(tax.netting.deducted <= Money::from_whole(limit));
        let carried = tax.carryover.short + tax.carryover.long;
        prop_assert_eq!(carried + tax.carryover.used, (-tax.netting.net).max(Money::ZERO));
        let short_loss = household.short_carryover + (-household.short_term_gain).max(Money::ZERO);
        let long_loss = household.long_carryover + (-household.long_term_gain).max(Money::ZERO);
        prop_assert!(tax.carryover.short <= short_loss && tax.carryover.long <= long_loss);
    }
}
