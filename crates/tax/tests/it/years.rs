//! Households and their tax for a year.

use lotwise_core::{Money, Rate};
use lotwise_tax::{
    Deduction, Error, FilingStatus, FlatRates, Household, StateRates, YearNote, YearTax, flat_year_tax, marginal_tax,
    year_tax,
};

use FilingStatus::{HeadOfHousehold, MarriedJoint, MarriedSeparate, Single};

const fn whole(units: i64) -> Money {
    Money::from_whole(units)
}

/// Wages, nonqualified and qualified dividends, short and long gain.
fn household(year: i32, status: FilingStatus, [wages, nonqualified, qualified, short, long]: [i64; 5]) -> Household {
    Household {
        wages: whole(wages),
        ordinary_dividends_nonqualified: whole(nonqualified),
        qualified_dividends: whole(qualified),
        short_term_gain: whole(short),
        long_term_gain: whole(long),
        ..Household::new(year, status)
    }
}

fn parts(tax: &YearTax) -> String {
    let amounts = [
        tax.adjusted_gross_income,
        tax.taxable_income_signed,
        tax.netting.on_return,
        tax.at_ordinary,
        tax.at_0,
        tax.at_15,
        tax.at_20,
        tax.regular_tax,
        tax.net_investment_income_tax,
        tax.carryover.short,
        tax.carryover.long,
    ];
    amounts.map(|amount| amount.to_string().trim_end_matches("00").trim_end_matches('.').to_owned()).join(" ")
}

#[test]
fn households_of_every_year_come_to_the_tax_that_two_calculators_give() {
    // AGI, taxable income, net gain on the return, ordinary, at 0, 15, 20 %, tax, NIIT, carried.
    for (year, status, income, expected) in [
        (2024, Single, [60_000, 0, 0, 0, 0], "60000 45400 0 45400 0 0 0 5216 0 0 0"),
        (2024, Single, [40_000, 0, 5_000, 0, 0], "45000 30400 0 25400 5000 0 0 2816 0 0 0"),
        (2025, Single, [50_000, 0, 0, 0, 25_000], "75000 59250 25000 34250 14100 10900 0 5506.50 0 0 0"),
        (2025, Single, [400_000, 0, 0, 0, 200_000], "600000 584250 200000 384250 0 149150 50850 136577.25 7600 0 0"),
        (2025, MarriedJoint, [150_000, 0, 0, 20_000, 0], "170000 138500 20000 138500 0 0 0 20298 0 0 0"),
        (2024, MarriedJoint, [150_000, 0, 2_000, -5_000, 12_000], "159000 129800 7000 120800 0 9000 0 18032 0 0 0"),
        (2026, Single, [90_000, 500, 4_000, -7_000, -6_000], "91500 75400 -3000 71400 0 4000 0 11020 0 4000 6000"),
        (2026, MarriedSeparate, [90_000, 0, 0, -4_000, 0], "88500 72400 -1500 72400 0 0 0 10640 0 2500 0"),
        (2023, HeadOfHousehold, [80_000, 0, 3_000, 1_000, 15_000], "99000 78200 16000 60200 0 18000 0 9645 0 0 0"),
        (2022, Single, [4_000, 0, 0, 0, 20_000], "24000 11050 20000 0 11050 0 0 0 0 0 0"),
        (
            2021,
            MarriedJoint,
            [600_000, 3_000, 20_000, -10_000, 150_000],
            "763000 737900 140000 577900 0 0 160000 183353.50 6194 0 0",
        ),
        (2018, Single, [100_000, 0, 1_000, 2_000, 3_000], "106000 94000 5000 90000 0 4000 0 16489.50 0 0 0"),
        (
            2019,
            MarriedSeparate,
            [200_000, 0, 10_000, 0, 100_000],
            "310000 297800 100000 187800 0 56625 53375 60581.25 4180 0 0",
        ),
        (2020, HeadOfHousehold, [45_000, 0, 0, -1_000, 9_000], "53000 34350 8000 26350 8000 0 0 2880 0 0 0"),
    ] {
        let tax = year_tax(&household(year, status, income)).unwrap();
        assert_eq!(parts(&tax), expected, "{year} {status:?} {income:?}");
        assert_eq!(tax.at_ordinary + tax.at_0 + tax.at_15 + tax.at_20, tax.taxable_income);
    }
}

#[test]
fn an_ordinary_dollar_can_push_a_gain_out_of_the_zero_band() {
    // 2024 single: the 0 % band ends at 47,025; the 12 % bracket at 47,150.
    let mut full = household(2024, Single, [40_000, 0, 0, 0, 0]);
    full.long_term_gain = whole(47_025 + 14_600 - 40_000);
    let before = year_tax(&full).unwrap();
    full.wages += whole(100);
    let after = year_tax(&full).unwrap();
    assert_eq!(after.total() - before.total(), whole(27));
}

#[test]
fn preferential_income_is_never_taxed_above_the_ordinary_schedule() {
    // 2024 single: 125 of gain lie above the 0 % band but still inside the 12 % bracket.
    let tax = year_tax(&household(2024, Single, [47_025 + 14_600, 0, 0, 0, 125])).unwrap();
    assert_eq!(tax.at_15, whole(125));
    assert_eq!(tax.regular_tax, whole(5_426));
}

#[test]
fn the_tax_of_a_trade_is_a_difference() {
    let mut year = household(2025, Single, [400_000, 0, 0, 10_000, 0]);
    year.state = StateRates { short: Rate::parse("0.05").unwrap(), long: Rate::parse("0.05").unwrap() };
    let gain = marginal_tax(&year, Money::ZERO, whole(1_000)).unwrap();
    // 15 % + 3.8 % + 5 %.
    assert_eq!(gain.tax(), whole(238));
    let loss = marginal_tax(&year, whole(-20_000), Money::ZERO).unwrap();
    // 13,000 of the loss is used at 35 % + 5 %; NIIT falls on 10,000 less, and the loss reduces
    // other investment income no further than to zero.
    assert_eq!(loss.tax(), -(whole(13_000) * Rate::parse("0.40").unwrap() + whole(380)));
    assert_eq!(loss.carried(), (whole(7_000), Money::ZERO));
    // A gain that meets a carryover costs nothing and uses it up.
    year.short_carryover = whole(30_000);
    let covered = marginal_tax(&year, whole(5_000), Money::ZERO).unwrap();
    assert_eq!(covered.tax(), Money::ZERO);
    assert_eq!(covered.carried(), (whole(-5_000), Money::ZERO));
}

#[test]
fn a_loss_in_a_year_without_income_is_not_used_up() {
    let tax = year_tax(&household(2025, Single, [5_000, 0, 0, -10_000, 0])).unwrap();
    assert_eq!(tax.taxable_income_signed, whole(5_000 - 3_000 - 15_750));
    assert_eq!(tax.carryover.short, whole(10_000));
    assert_eq!(tax.total(), Money::ZERO);
}

#[test]
fn flat_rates_net_and_carry_like_the_rest() {
    let rates = FlatRates { short: Rate::parse("0.35").unwrap(), long: Rate::parse("0.2").unwrap() };
    let flat = |short, long| flat_year_tax(whole(short), whole(long), whole(3_000), rates).unwrap();
    assert_eq!(flat(1_000, 1_000).tax, whole(550));
    assert_eq!(flat(-400, 1_000).tax, whole(120));
    assert_eq!(flat(-5_000, 0).tax, whole(-1_050));
    assert_eq!(flat(-5_000, 0).carryover.short, whole(2_000));
}

#[test]
fn what_is_left_out_is_said() {
    let notes = |income| year_tax(&household(2025, Single, income)).unwrap().notes;
    assert_eq!(notes([60_000, 0, 0, 0, 0]), [YearNote::TaxTables]);
    assert_eq!(notes([600_000, 0, 0, 0, 600_000]), [YearNote::AlternativeMinimumTax]);
    assert!(notes([300_000, 0, 0, 0, 0]).is_empty());
}

#[test]
fn impossible_years_are_refused() {
    let good = household(2025, Single, [1, 1, 1, 1, 1]);
    let refused = |change: fn(&mut Household)| {
        let mut household = good.clone();
        change(&mut household);
        year_tax(&household).unwrap_err()
    };
    assert_eq!(refused(|year| year.year = 2030), Error::UnknownYear { year: 2030, first: 2018, last: 2026 });
    let out_of_range = |field| Error::OutOfRange { field, of: "2025".into() };
    assert_eq!(refused(|year| year.wages = whole(-1)), out_of_range("wages"));
    assert_eq!(refused(|year| year.short_carryover = whole(-1)), out_of_range("short-term carryover"));
    assert_eq!(refused(|year| year.long_term_gain = Money::from_billionths(i128::MIN)), out_of_range("long-term gain"));
    assert_eq!(refused(|year| year.deduction = Deduction::Amount(whole(-1))), out_of_range("deduction"));
    assert_eq!(refused(|year| year.state.short = Rate::ONE), Error::Rate { field: "the short-term rate" });
    assert_eq!(
        marginal_tax(&good, Money::from_billionths(i128::MAX), Money::ZERO).unwrap_err(),
        out_of_range("short-term gain")
    );
}
