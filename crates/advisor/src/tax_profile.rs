//! The person's taxes: two flat rates, or a household in its brackets.

use lotwise_core::{Money, Rate};
use lotwise_tax::{FlatRates, FlatYearTax, Household, SaleRow, Term, flat_year_tax, year_tax};

use crate::Error;
use crate::portfolio::Realised;

/// The step that marginal rates are measured with.
const STEP: i64 = 1_000;

/// How gains become tax.
#[derive(Debug, Clone, PartialEq)]
pub enum TaxProfile {
    /// Two flat marginal rates, an explicit simplification (tax rule 5.6).
    Flat {
        /// Rates, state included.
        rates: FlatRates,
        /// Largest net loss that reduces other income in a year.
        loss_limit: Money,
    },
    /// A household with its brackets, the 0/15/20 % bands and the surtax on investment income. Its
    /// gains are those outside the loaded files.
    Brackets {
        /// The year without the loaded accounts.
        household: Box<Household>,
        /// Marginal rates at today's gains.
        rates: FlatRates,
        /// Largest net loss that reduces other income in a year.
        loss_limit: Money,
    },
}

impl Default for TaxProfile {
    /// 24 % and 15 %, assumed for a person who has stated none.
    fn default() -> Self {
        Self::Flat { rates: FlatRates::default(), loss_limit: Money::from_whole(3_000) }
    }
}

impl TaxProfile {
    /// A household's brackets, with the marginal rates that hold once `realised` is counted.
    ///
    /// # Errors
    /// When the year or a rate is not supported.
    pub fn brackets(household: Household, realised: Realised) -> Result<Self, Error> {
        let base = with_gains(&household, realised.short, realised.long);
        let loss_limit = lotwise_tax::Parameters::of(household.year, household.status)?.loss_limit;
        let marginal = |short: Money, long: Money| -> Result<Rate, Error> {
            let more = year_tax(&with_gains(&base, short, long))?.total() - year_tax(&base)?.total();
            Ok(Rate::ratio(more.billionths(), Money::from_whole(STEP).billionths()).unwrap_or_default())
        };
        let step = Money::from_whole(STEP);
        let rates = FlatRates { short: marginal(step, Money::ZERO)?, long: marginal(Money::ZERO, step)? };
        Ok(Self::Brackets { household: Box::new(household), rates, loss_limit })
    }

    /// Marginal rates on a further dollar of gain.
    #[must_use]
    pub fn rates(&self) -> FlatRates {
        match self {
            Self::Flat { rates, .. } | Self::Brackets { rates, .. } => *rates,
        }
    }

    /// Largest net loss that reduces other income in a year.
    #[must_use]
    pub fn loss_limit(&self) -> Money {
        match self {
            Self::Flat { loss_limit, .. } | Self::Brackets { loss_limit, .. } => *loss_limit,
        }
    }

    /// How tax is computed, for every place that shows it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Flat { .. } => FlatYearTax::LABEL.to_owned(),
            Self::Brackets { household, .. } => {
                format!("brackets of {} for {}, surtax included", household.year, household.status.name())
            }
        }
    }

    /// What further `short` and `long` gains add to the year's tax, as a difference of two years
    /// (tax rule 5.6).
    ///
    /// # Errors
    /// When the year or a rate is not supported, or an amount is immense.
    pub fn marginal(&self, realised: Realised, short: Money, long: Money) -> Result<Money, Error> {
        match self {
            Self::Flat { rates, loss_limit } => {
                let of = |short, long| flat_year_tax(short, long, *loss_limit, *rates);
                let without = of(realised.short, realised.long)?;
                Ok(of(realised.short + short, realised.long + long)?.tax - without.tax)
            }
            Self::Brackets { household, .. } => {
                let without = with_gains(household, realised.short, realised.long);
                Ok(lotwise_tax::marginal_tax(&without, short, long)?.tax())
            }
        }
    }
}

fn with_gains(household: &Household, short: Money, long: Money) -> Household {
    Household {
        short_term_gain: household.short_term_gain + short,
        long_term_gain: household.long_term_gain + long,
        ..household.clone()
    }
}

/// Reportable gains by term over the rows whose basis is known, `(short, long)`.
pub fn by_term<'a>(rows: impl Iterator<Item = &'a SaleRow>) -> (Money, Money) {
    rows.fold((Money::ZERO, Money::ZERO), |(short, long), row| match (row.reportable, row.term) {
        (Some(gain), Some(Term::Long)) => (short, long + gain),
        (Some(gain), _) => (short + gain, long),
        (None, _) => (short, long),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lotwise_tax::FilingStatus;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn a_loss_saves_tax_on_gains_then_on_three_thousand_of_income() {
        let profile = TaxProfile::default();
        let realised = Realised { short: money("1000"), ..Realised::default() };
        assert_eq!(profile.marginal(realised, money("-1000"), Money::ZERO).unwrap(), money("-240"));
        assert_eq!(profile.marginal(realised, money("-10000"), Money::ZERO).unwrap(), money("-960"));
        assert_eq!(profile.marginal(realised, Money::ZERO, money("2000")).unwrap(), money("300"));
    }

    #[test]
    fn brackets_give_marginal_rates_with_the_surtax() {
        let household = Household { wages: money("400000"), ..Household::new(2025, FilingStatus::Single) };
        let profile = TaxProfile::brackets(household, Realised::default()).unwrap();
        assert_eq!(profile.rates().short, Rate::parse("0.388").unwrap());
        assert_eq!(profile.rates().long, Rate::parse("0.188").unwrap());
        assert!(profile.label().contains("2025"));
    }
}
