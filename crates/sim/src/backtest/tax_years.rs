//! The tax of each year: accrued daily, paid on the following 15 April (SPEC E-11, T-04).
//!
//! The book keeps each year's results; what is added up here is what it does not know: dividends and
//! interest.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use lotwise_core::{Date, Money};
use lotwise_tax::{Carryover, FilingStatus, Household, IndexedBook, Realised, flat_year_tax, year_tax};

use super::config::{DividendTax, Taxes};
use super::record::YearRecord;
use crate::execution::TaxYear;

/// What a carried dollar of loss is worth, as a part of the long-term rate (SPEC T-07).
const CARRIED_SHARE: f64 = 0.5;
/// Taxes of a year are paid on 15 April of the next.
const DUE: (u32, u32) = (4, 15);

/// What an account earned in a year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Income {
    pub short: Money,
    pub long: Money,
    pub dividends: Money,
    pub interest: Money,
}

/// The years of a run.
#[derive(Debug, Clone)]
pub(super) struct TaxYears {
    taxes: Taxes,
    /// Dividends and interest of every year in which something was earned or sold.
    years: BTreeMap<i32, Income>,
    closed: Vec<YearRecord>,
    carried: Carryover,
}

impl TaxYears {
    pub fn new(taxes: Taxes) -> Self {
        Self { taxes, years: BTreeMap::new(), closed: Vec::new(), carried: Carryover::default() }
    }

    pub fn add_dividend(&mut self, date: Date, amount: Money) {
        if self.taxes != Taxes::None {
            self.years.entry(date.year()).or_default().dividends += amount;
        }
    }

    pub fn add_interest(&mut self, date: Date, amount: Money) {
        if self.taxes != Taxes::None {
            self.years.entry(date.year()).or_default().interest += amount;
        }
    }

    /// Says that something was sold.
    pub fn add_sale(&mut self, date: Date) {
        if self.taxes != Taxes::None {
            self.years.entry(date.year()).or_default();
        }
    }

    /// Income of the years whose tax is not paid yet, oldest first, without what was disallowed.
    fn open<'a>(&'a self, book: Option<&'a IndexedBook>) -> impl Iterator<Item = (i32, Income)> + 'a {
        let first = self.closed.last().map_or(i32::MIN, |closed| closed.year + 1);
        self.years.range(first..).map(move |(year, income)| {
            let in_year = book.zip(Date::from_ymd(*year, 1, 1));
            let Realised { short, long } = in_year.map(|(book, date)| book.realised(date)).unwrap_or_default();
            (*year, Income { short, long, ..*income })
        })
    }

    /// The open years with their tax as it stands, oldest first.
    pub fn assessed(&self, book: Option<&IndexedBook>) -> Result<Vec<YearRecord>, lotwise_tax::Error> {
        let mut carried = self.carried;
        let mut years = Vec::new();
        for (year, income) in self.open(book) {
            let found = assess(&self.taxes, year, &income, carried)?;
            carried = found.carryover;
            years.push(found);
        }
        Ok(years)
    }

    /// Tax accrued and not paid; negative where losses save more than is owed.
    pub fn liability(&self, book: Option<&IndexedBook>) -> Result<Money, lotwise_tax::Error> {
        if self.taxes == Taxes::None {
            return Ok(Money::ZERO);
        }
        Ok(self.assessed(book)?.iter().map(|year| year.tax).sum())
    }

    /// Closes every year whose tax is due on or before `today`, and returns what is to be paid.
    pub fn due(&mut self, book: Option<&IndexedBook>, today: Date) -> Result<Money, lotwise_tax::Error> {
        let mut due = Money::ZERO;
        let is_due = |year: i32| Date::from_ymd(year + 1, DUE.0, DUE.1).is_some_and(|day| day <= today);
        let first = self.closed.last().map_or(i32::MIN, |closed| closed.year + 1);
        if self.years.range(first..).any(|(year, _)| is_due(*year)) {
            for year in self.assessed(book)?.into_iter().filter(|year| is_due(year.year)) {
                due += year.tax;
                self.carried = year.carryover;
                self.closed.push(YearRecord { paid: true, disallowed: disallowed(book, year.year), ..year });
            }
        }
        Ok(due)
    }

    /// The year of a date as the list of trades sees it; `None` without taxes.
    pub fn year(&self, book: Option<&IndexedBook>, date: Date) -> Result<Option<TaxYear>, lotwise_tax::Error> {
        let loss_limit = match &self.taxes {
            Taxes::None => return Ok(None),
            Taxes::Flat { loss_limit, .. } => *loss_limit,
            Taxes::Brackets { status: FilingStatus::MarriedSeparate, .. } => Money::from_whole(1_500),
            Taxes::Brackets { .. } => Money::from_whole(3_000),
        };
        let (mut carried, mut own) = (self.carried, Income::default());
        for (year, income) in self.open(book) {
            match year.cmp(&date.year()) {
                Ordering::Less => carried = assess(&self.taxes, year, &income, carried)?.carryover,
                Ordering::Equal => own = income,
                Ordering::Greater => {}
            }
        }
        let rates = self.taxes.marginal();
        let long_rate = rates.long.to_f64().min(rates.short.to_f64());
        Ok(Some(TaxYear {
            short_rate: rates.short.to_f64(),
            long_rate,
            carried_rate: CARRIED_SHARE * long_rate,
            net_short: (own.short - carried.short).to_f64(),
            net_long: (own.long - carried.long).to_f64(),
            loss_limit: loss_limit.to_f64(),
        }))
    }

    /// Every year, paid or not, oldest first.
    pub fn all(&self, book: Option<&IndexedBook>) -> Result<Vec<YearRecord>, lotwise_tax::Error> {
        let mut years = self.closed.clone();
        let open = self.assessed(book)?.into_iter();
        years.extend(open.map(|year| YearRecord { disallowed: disallowed(book, year.year), ..year }));
        Ok(years)
    }
}

/// Losses of a year that were disallowed.
fn disallowed(book: Option<&IndexedBook>, year: i32) -> Money {
    let rows = book.map_or(&[][..], IndexedBook::rows);
    rows.iter().filter(|row| !row.disallowed.is_zero() && row.sold().year() == year).map(|row| row.disallowed).sum()
}

fn assess(taxes: &Taxes, year: i32, income: &Income, carried: Carryover) -> Result<YearRecord, lotwise_tax::Error> {
    let (tax, carryover) = match taxes {
        Taxes::None => (Money::ZERO, Carryover::default()),
        Taxes::Flat { rates, loss_limit, dividends } => {
            let found = flat_year_tax(income.short - carried.short, income.long - carried.long, *loss_limit, *rates)?;
            let dividend_rate = match dividends {
                DividendTax::Qualified => rates.long,
                DividendTax::Ordinary => rates.short,
            };
            let tax = found.tax + income.dividends * dividend_rate + income.interest.max(Money::ZERO) * rates.short;
            (tax, found.carryover)
        }
        Taxes::Brackets { status, wages, state, dividends } => {
            let without = Household { wages: *wages, state: *state, ..Household::new(year, *status) };
            let qualified = *dividends == DividendTax::Qualified;
            let base = year_tax(&without)?.total();
            let with = Household {
                interest: income.interest.max(Money::ZERO),
                qualified_dividends: if qualified { income.dividends } else { Money::ZERO },
                ordinary_dividends_nonqualified: if qualified { Money::ZERO } else { income.dividends },
                short_term_gain: income.short,
                long_term_gain: income.long,
                short_carryover: carried.short,
                long_carryover: carried.long,
                ..without
            };
            let with = year_tax(&with)?;
            (with.total() - base, with.carryover)
        }
    };
    Ok(YearRecord {
        year,
        short: income.short,
        long: income.long,
        disallowed: Money::ZERO,
        dividends: income.dividends,
        interest: income.interest,
        tax,
        carryover,
        paid: false,
    })
}
