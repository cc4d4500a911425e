//! A household's tax for one year: netting, brackets, preferential bands, the net investment
//! income tax and a simple state part (tax sections 3 and 5).

mod dividends;
mod netting;
mod parameters;

use lotwise_core::{Money, Rate};

use crate::economics::largest;
use crate::error::Error;
use crate::model::FlatRates;

pub use self::dividends::{QualifiedDividendTest, ShareClass, qualified_dividend_test};
pub use self::netting::{Carryover, Netting, carryover, net_gains};
pub use self::parameters::{Bracket, FilingStatus, Parameters, YEARS};

/// Gains above which the alternative minimum tax may matter; it is not computed (tax rule 5.5).
const AMT_WATCH: i64 = 500_000;
/// Taxable income below which the forms use tables in steps of 50 dollars (tax rule 5.2).
const TABLES_BELOW: i64 = 100_000;

/// What is deducted from adjusted gross income.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deduction {
    /// The year's standard deduction, under 65 and not blind.
    #[default]
    Standard,
    /// This amount.
    Amount(Money),
}

/// Two rates for the state's own net gain (tax rule 5.7): no brackets, no federal deductibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateRates {
    /// On short-term gains.
    pub short: Rate,
    /// On long-term gains.
    pub long: Rate,
}

/// What a household earned in a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// Tax year.
    pub year: i32,
    /// Filing status.
    pub status: FilingStatus,
    /// Wages and salaries.
    pub wages: Money,
    /// Other income at ordinary rates that is not from investments.
    pub other_ordinary_income: Money,
    /// Taxable interest.
    pub interest: Money,
    /// Dividends that do not qualify, apart from the qualified ones.
    pub ordinary_dividends_nonqualified: Money,
    /// Qualified dividends.
    pub qualified_dividends: Money,
    /// The year's net short-term gain, negative for a loss, before carryover.
    pub short_term_gain: Money,
    /// The year's net long-term gain, negative for a loss, before carryover.
    pub long_term_gain: Money,
    /// Short-term loss carried in, zero or positive.
    pub short_carryover: Money,
    /// Long-term loss carried in, zero or positive.
    pub long_carryover: Money,
    /// Deduction.
    pub deduction: Deduction,
    /// State rates; zero where the state has none.
    pub state: StateRates,
}

impl Household {
    /// A household without income.
    #[must_use]
    pub fn new(year: i32, status: FilingStatus) -> Self {
        Self {
            year,
            status,
            wages: Money::ZERO,
            other_ordinary_income: Money::ZERO,
            interest: Money::ZERO,
            ordinary_dividends_nonqualified: Money::ZERO,
            qualified_dividends: Money::ZERO,
            short_term_gain: Money::ZERO,
            long_term_gain: Money::ZERO,
            short_carryover: Money::ZERO,
            long_carryover: Money::ZERO,
            deduction: Deduction::Standard,
            state: StateRates::default(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let of = || self.year.to_string();
        let amounts = [
            ("wages", self.wages),
            ("other income", self.other_ordinary_income),
            ("interest", self.interest),
            ("nonqualified dividends", self.ordinary_dividends_nonqualified),
            ("qualified dividends", self.qualified_dividends),
            ("short-term gain", self.short_term_gain),
            ("long-term gain", self.long_term_gain),
            ("short-term carryover", self.short_carryover),
            ("long-term carryover", self.long_carryover),
        ];
        for (field, amount) in amounts {
            if amount > largest() || -largest() > amount {
                return Err(Error::OutOfRange { field, of: of() });
            }
        }
        let not_negative = [amounts[0], amounts[3], amounts[4], amounts[7], amounts[8]];
        for (field, amount) in not_negative {
            if amount.is_negative() {
                return Err(Error::OutOfRange { field, of: of() });
            }
        }
        if let Deduction::Amount(amount) = self.deduction
            && (amount.is_negative() || amount > largest())
        {
            return Err(Error::OutOfRange { field: "deduction", of: of() });
        }
        FlatRates { short: self.state.short, long: self.state.long }.check()
    }
}

/// What the engine leaves out, where it may matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YearNote {
    /// Below 100,000 of taxable income the forms use tables in steps of 50 dollars; a filed return
    /// may differ by a few dollars.
    TaxTables,
    /// The alternative minimum tax is not computed, and gains are large enough that it may apply.
    AlternativeMinimumTax,
}

/// A year's tax with all its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearTax {
    /// Tax year.
    pub year: i32,
    /// Filing status.
    pub status: FilingStatus,
    /// Netting of gains and losses.
    pub netting: Netting,
    /// Adjusted gross income; also taken as the modified one.
    pub adjusted_gross_income: Money,
    /// Deduction used.
    pub deduction: Money,
    /// Taxable income, not below zero.
    pub taxable_income: Money,
    /// Taxable income with a negative result allowed (for the carryover worksheet).
    pub taxable_income_signed: Money,
    /// Part taxed at ordinary rates.
    pub at_ordinary: Money,
    /// Preferential income taxed at 0 %.
    pub at_0: Money,
    /// Preferential income taxed at 15 %.
    pub at_15: Money,
    /// Preferential income taxed at 20 %.
    pub at_20: Money,
    /// Regular income tax before credits.
    pub regular_tax: Money,
    /// Net investment income, not below zero.
    pub net_investment_income: Money,
    /// Net investment income tax.
    pub net_investment_income_tax: Money,
    /// State tax on the net gain; negative for what the usable part of a loss saves on other
    /// income.
    pub state_tax: Money,
    /// Losses left to the next year.
    pub carryover: Carryover,
    /// What the engine leaves out here.
    pub notes: Vec<YearNote>,
}

impl YearTax {
    /// Federal and state tax together.
    #[must_use]
    pub fn total(&self) -> Money {
        self.regular_tax + self.net_investment_income_tax + self.state_tax
    }
}

/// Computes a household's tax for its year, exactly; round to cents where it is shown.
///
/// # Errors
/// [`Error::UnknownYear`], [`Error::OutOfRange`] for an amount that is immense or negative where it
/// cannot be, [`Error::Rate`] for state rates outside zero to one.
pub fn year_tax(household: &Household) -> Result<YearTax, Error> {
    let parameters = Parameters::of(household.year, household.status)?;
    household.check()?;
    let netting = net_gains(
        household.short_term_gain - household.short_carryover,
        household.long_term_gain - household.long_carryover,
        parameters.loss_limit,
    );
    let investment_income =
        household.interest + household.ordinary_dividends_nonqualified + household.qualified_dividends;
    let adjusted_gross_income =
        household.wages + household.other_ordinary_income + investment_income + netting.on_return;
    let deduction = match household.deduction {
        Deduction::Standard => parameters.standard_deduction,
        Deduction::Amount(amount) => amount,
    };
    let taxable_income_signed = adjusted_gross_income - deduction;
    let taxable_income = taxable_income_signed.max(Money::ZERO);
    let bands = Bands::of(parameters, taxable_income, netting.net_capital_gain + household.qualified_dividends);
    let net_investment_income = (investment_income + netting.on_return).max(Money::ZERO);
    let over_threshold = (adjusted_gross_income - parameters.niit_threshold).max(Money::ZERO);
    let carryover = carryover(taxable_income_signed, netting);
    Ok(YearTax {
        year: household.year,
        status: household.status,
        netting,
        adjusted_gross_income,
        deduction,
        taxable_income,
        taxable_income_signed,
        at_ordinary: bands.ordinary,
        at_0: bands.at_0,
        at_15: bands.at_15,
        at_20: bands.at_20,
        regular_tax: bands.tax(parameters, taxable_income),
        net_investment_income,
        net_investment_income_tax: net_investment_income.min(over_threshold) * parameters.niit_rate,
        state_tax: state_tax(household.state, netting, carryover),
        carryover,
        notes: notes(netting, taxable_income),
    })
}

/// How taxable income lies in the preferential bands (tax rule 5.2).
struct Bands {
    ordinary: Money,
    at_0: Money,
    at_15: Money,
    at_20: Money,
}

impl Bands {
    fn of(parameters: &Parameters, income: Money, preferential: Money) -> Self {
        let (zero_top, fifteen_top) = (parameters.zero_top, parameters.fifteen_top);
        let preferential = income.min(preferential);
        let ordinary = income - preferential;
        let at_0 = (income.min(zero_top) - ordinary.min(zero_top)).max(Money::ZERO);
        let room_at_15 = (income.min(fifteen_top) - ordinary.max(income.min(zero_top))).max(Money::ZERO);
        let at_15 = (preferential - at_0).min(room_at_15);
        Self { ordinary, at_0, at_15, at_20: preferential - at_0 - at_15 }
    }

    fn tax(&self, parameters: &Parameters, income: Money) -> Money {
        let [zero, fifteen, twenty] = parameters.preferential_rates;
        let in_bands =
            parameters.schedule(self.ordinary) + self.at_0 * zero + self.at_15 * fifteen + self.at_20 * twenty;
        // The 0 % band can end below the 12 % bracket, where the ordinary schedule is the cheaper.
        in_bands.min(parameters.schedule(income))
    }
}

fn state_tax(rates: StateRates, netting: Netting, carryover: Carryover) -> Money {
    if netting.net.is_negative() {
        return -(carryover.used * rates.short);
    }
    (netting.net - netting.net_capital_gain) * rates.short + netting.net_capital_gain * rates.long
}

fn notes(netting: Netting, taxable_income: Money) -> Vec<YearNote> {
    let mut notes = Vec::new();
    if taxable_income.is_positive() && taxable_income < Money::from_whole(TABLES_BELOW) {
        notes.push(YearNote::TaxTables);
    }
    if netting.net > Money::from_whole(AMT_WATCH) {
        notes.push(YearNote::AlternativeMinimumTax);
    }
    notes
}

/// The tax of a trade as the difference between two years (tax rule 5.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarginalTax {
    /// The year without the trade.
    pub without: YearTax,
    /// The year with it.
    pub with: YearTax,
}

impl MarginalTax {
    /// Tax that the trade adds; negative when it saves.
    #[must_use]
    pub fn tax(&self) -> Money {
        self.with.total() - self.without.total()
    }

    /// Short and long loss that the trade adds to what is carried; negative for what it uses.
    #[must_use]
    pub fn carried(&self) -> (Money, Money) {
        let (with, without) = (self.with.carryover, self.without.carryover);
        (with.short - without.short, with.long - without.long)
    }
}

/// What a trade with these reportable gains adds to the household's tax, carryovers used included.
///
/// # Errors
/// As [`year_tax`].
pub fn marginal_tax(household: &Household, short: Money, long: Money) -> Result<MarginalTax, Error> {
    let without = year_tax(household)?;
    let add = |field, gain: Money, more: Money| {
        gain.checked_add(more).ok_or_else(|| Error::OutOfRange { field, of: household.year.to_string() })
    };
    let with = Household {
        short_term_gain: add("short-term gain", household.short_term_gain, short)?,
        long_term_gain: add("long-term gain", household.long_term_gain, long)?,
        ..household.clone()
    };
    Ok(MarginalTax { without, with: year_tax(&with)? })
}

/// A year's tax on gains at two flat rates: a simplification that ignores the net investment
/// income tax, the 0 % band and the band edges, and has to be shown as such (tax rule 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlatYearTax {
    /// Rates used.
    pub rates: FlatRates,
    /// Netting of gains and losses.
    pub netting: Netting,
    /// Tax on the net gain; negative for what the deducted loss saves at the short rate.
    pub tax: Money,
    /// Losses left to the next year, taking it that there is income enough to use the deduction.
    pub carryover: Carryover,
}

impl FlatYearTax {
    /// How the mode is called wherever its numbers are shown.
    pub const LABEL: &'static str = "flat rates (simplified: no brackets, no 0 % band, no NIIT)";
}

/// Tax at flat rates on a year's short and long results, each after its carryover.
///
/// # Errors
/// [`Error::Rate`] for rates outside zero to one, [`Error::OutOfRange`] for immense results.
pub fn flat_year_tax(
    net_short: Money,
    net_long: Money,
    loss_limit: Money,
    rates: FlatRates,
) -> Result<FlatYearTax, Error> {
    rates.check()?;
    for (field, amount) in [("short-term gain", net_short), ("long-term gain", net_long), ("loss limit", loss_limit)] {
        if amount > largest() || -largest() > amount {
            return Err(Error::OutOfRange { field, of: "the year".into() });
        }
    }
    let netting = net_gains(net_short, net_long, loss_limit);
    let carryover = carryover(netting.deducted, netting);
    let tax = state_tax(StateRates { short: rates.short, long: rates.long }, netting, carryover);
    Ok(FlatYearTax { rates, netting, tax, carryover })
}
