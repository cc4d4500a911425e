//! Brackets, bands, deductions and limits by year and filing status, read once from the table that
//! is built in (`data/parameters.json`, with its sources).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use lotwise_core::{Money, Rate};
use serde_json::Value;

use crate::error::Error;

/// Filing status on the federal return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilingStatus {
    /// Unmarried.
    Single,
    /// Married, one return.
    MarriedJoint,
    /// Married, two returns.
    MarriedSeparate,
    /// Unmarried with a dependant.
    HeadOfHousehold,
    /// In the two years after the spouse's death, with a child.
    SurvivingSpouse,
}

impl FilingStatus {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Single, Self::MarriedJoint, Self::MarriedSeparate, Self::HeadOfHousehold, Self::SurvivingSpouse];

    /// Name in tables and JSON: `single`, `married_joint`, `married_separate`,
    /// `head_of_household`, `surviving_spouse`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::MarriedJoint => "married_joint",
            Self::MarriedSeparate => "married_separate",
            Self::HeadOfHousehold => "head_of_household",
            Self::SurvivingSpouse => "surviving_spouse",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A bracket of the ordinary schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// Taxable income above which the rate applies.
    pub from: Money,
    /// Rate up to the next bracket.
    pub rate: Rate,
}

/// The numbers of one year for one filing status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// Ordinary schedule, from zero upwards.
    pub brackets: Vec<Bracket>,
    /// Taxable income up to which preferential income is taxed at 0 %.
    pub zero_top: Money,
    /// Taxable income up to which it is taxed at 15 %.
    pub fifteen_top: Money,
    /// Rates of the three bands of preferential income.
    pub preferential_rates: [Rate; 3],
    /// Standard deduction, under 65 and not blind.
    pub standard_deduction: Money,
    /// Modified adjusted gross income above which net investment income is taxed.
    pub niit_threshold: Money,
    /// Rate of the net investment income tax.
    pub niit_rate: Rate,
    /// Capital loss that can reduce other income.
    pub loss_limit: Money,
    /// Publication that the year's numbers come from.
    pub authority: String,
}

/// First and last year of the table.
pub const YEARS: std::ops::RangeInclusive<i32> = 2018..=2026;

impl Parameters {
    /// The numbers of a year.
    ///
    /// # Errors
    /// [`Error::UnknownYear`] outside 2018–2026.
    pub fn of(year: i32, status: FilingStatus) -> Result<&'static Self, Error> {
        static TABLE: OnceLock<BTreeMap<(i32, FilingStatus), Parameters>> = OnceLock::new();
        TABLE
            .get_or_init(|| read(include_str!("../../data/parameters.json")))
            .get(&(year, status))
            .ok_or(Error::UnknownYear { year, first: *YEARS.start(), last: *YEARS.end() })
    }

    /// Tax on `income` by the ordinary schedule; zero at or below zero.
    #[must_use]
    pub fn schedule(&self, income: Money) -> Money {
        let tops = self.brackets.iter().skip(1).map(|bracket| bracket.from).chain([income]);
        let slices = self.brackets.iter().zip(tops).map(|(bracket, top)| {
            let slice = (income.min(top) - bracket.from).max(Money::ZERO);
            slice * bracket.rate
        });
        slices.sum()
    }
}

const READABLE: &str = "Invariant: the built-in parameters are complete, a test reads every year";

fn read(text: &str) -> BTreeMap<(i32, FilingStatus), Parameters> {
    let file: Value = serde_json::from_str(text).expect(READABLE);
    let years = file["years"].as_object().expect(READABLE);
    let mut table = BTreeMap::new();
    for (name, year) in years {
        let number: i32 = name.parse().expect(READABLE);
        for status in FilingStatus::ALL {
            table.insert((number, status), of_year(year, status.name()));
        }
    }
    table
}

fn of_year(year: &Value, status: &str) -> Parameters {
    let row = |value: &Value| value.as_array().expect(READABLE).clone();
    let rates = row(&year["ltcg_rates"]);
    let bands = row(&year["ltcg"][status]);
    Parameters {
        brackets: row(&year["ordinary"][status])
            .iter()
            .map(|pair| Bracket { from: money(&pair[0]), rate: rate(&pair[1]) })
            .collect(),
        zero_top: money(&bands[0]),
        fifteen_top: money(&bands[1]),
        preferential_rates: [rate(&rates[0]), rate(&rates[1]), rate(&rates[2])],
        standard_deduction: money(&year["standard_deduction"][status]),
        niit_threshold: money(&year["niit_threshold"][status]),
        niit_rate: rate(&year["niit_rate"]),
        loss_limit: money(&year["capital_loss_limit"][status]),
        authority: year["authority"].as_str().expect(READABLE).to_owned(),
    }
}

/// A JSON number as the decimal it prints, so that no float arithmetic takes part.
fn money(value: &Value) -> Money {
    Money::parse(&value.to_string()).expect(READABLE)
}

fn rate(value: &Value) -> Rate {
    Rate::parse(&value.to_string()).expect(READABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_year_and_status_is_there_and_rises() {
        for year in YEARS {
            for status in FilingStatus::ALL {
                let found = Parameters::of(year, status).unwrap();
                assert_eq!(found.brackets.len(), 7, "{year} {status:?}");
                assert_eq!(found.brackets[0].from, Money::ZERO);
                assert!(
                    found.brackets.windows(2).all(|pair| pair[0].from < pair[1].from && pair[0].rate < pair[1].rate)
                );
                assert!(Money::ZERO < found.zero_top && found.zero_top < found.fifteen_top);
                assert_eq!(found.preferential_rates.map(|rate| rate.to_string()), ["0", "0.15", "0.2"]);
                assert_eq!(found.niit_rate.to_string(), "0.038");
                assert_eq!(FilingStatus::parse(status.name()), Some(status));
            }
        }
        for year in [2017, 2027] {
            let refusal = Error::UnknownYear { year, first: 2018, last: 2026 };
            assert_eq!(Parameters::of(year, FilingStatus::Single), Err(refusal));
        }
    }

    #[test]
    fn the_numbers_that_the_law_of_2025_changed_are_the_new_ones() {
        let deduction = |year, status| Parameters::of(year, status).unwrap().standard_deduction;
        assert_eq!(deduction(2025, FilingStatus::Single), Money::from_whole(15_750));
        assert_eq!(deduction(2025, FilingStatus::HeadOfHousehold), Money::from_whole(23_625));
        assert_eq!(deduction(2026, FilingStatus::MarriedJoint), Money::from_whole(32_200));
        // Half of the joint 693,750; one of the two data sets repeats the single filer's number.
        let separate = Parameters::of(2023, FilingStatus::MarriedSeparate).unwrap();
        assert_eq!(separate.brackets[6].from, Money::from_whole(346_875));
    }

    #[test]
    fn the_schedule_taxes_each_slice_at_its_rate() {
        let single = Parameters::of(2024, FilingStatus::Single).unwrap();
        assert_eq!(single.schedule(Money::from_whole(45_400)), Money::from_whole(5_216));
        assert_eq!(single.schedule(Money::from_whole(-5)), Money::ZERO);
        assert_eq!(single.schedule(Money::from_whole(11_600)), Money::from_whole(1_160));
    }
}
