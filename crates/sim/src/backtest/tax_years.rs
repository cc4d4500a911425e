//! The tax of each year: accrued daily, paid on the following 15 April (SPEC E-11, T-04).
//!
//! A loss waits 30 days for a purchase to wash it, so that the sums of the last weeks are taken
//! from the rows anew and only older rows are added up for good.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use lotwise_core::{Date, Money};
use lotwise_tax::{Carryover, FilingStatus, Household, Row, Term, flat_year_tax, year_tax};

use super::config::{DividendTax, Taxes};
use super::record::YearRecord;
use crate::execution::TaxYear;

/// Days after which nothing changes a row any more: the wash-sale window and one more.
const SETTLED_DAYS: i32 = 31;
/// What a carried dollar of loss is worth, as a part of the long-term rate (SPEC T-07).
const CARRIED_SHARE: f64 = 0.5;
/// Taxes of a year are paid on 15 April of the next.
const DUE: (u32, u32) = (4, 15);

/// What an account earned in a year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Income {
    pub short: Money,
    pub long: Money,
    pub disallowed: Money,
    pub dividends: Money,
    pub interest: Money,
}

/// The years of a run.
#[derive(Debug, Clone)]
pub(super) struct TaxYears {
    taxes: Taxes,
    /// Income of rows that cannot change any more, and all dividends and interest.
    settled: BTreeMap<i32, Income>,
    n_settled: usize,
    closed: Vec<YearRecord>,
    carried: Carryover,
}

impl TaxYears {
    pub fn new(taxes: Taxes) -> Self {
        Self { taxes, settled: BTreeMap::new(), n_settled: 0, closed: Vec::new(), carried: Carryover::default() }
    }

    pub fn add_dividend(&mut self, date: Date, amount: Money) {
        if self.taxes != Taxes::None {
            self.settled.entry(date.year()).or_default().dividends += amount;
        }
    }

    pub fn add_interest(&mut self, date: Date, amount: Money) {
        if self.taxes != Taxes::None {
            self.settled.entry(date.year()).or_default().interest += amount;
        }
    }

    /// Takes rows that cannot change any more into the sums.
    pub fn settle(&mut self, rows: &[Row], today: Date) {
        while let Some(row) = rows.get(self.n_settled) {
            if today.days_since(row.sold()) < SETTLED_DAYS {
                break;
            }
            add(&mut self.settled, row);
            self.n_settled += 1;
        }
    }

    /// Income of the years whose tax is not paid yet.
    fn open(&self, rows: &[Row]) -> BTreeMap<i32, Income> {
        let last_closed = self.closed.last().map(|year| year.year);
        let mut open: BTreeMap<i32, Income> = match last_closed {
            Some(closed) => self.settled.range(closed + 1..).map(|(year, income)| (*year, *income)).collect(),
            None => self.settled.clone(),
        };
        for row in rows.get(self.n_settled..).unwrap_or(&[]) {
            add(&mut open, row);
        }
        open
    }

    /// The open years with their tax as it stands, oldest first.
    pub fn assessed(&self, rows: &[Row]) -> Result<Vec<YearRecord>, lotwise_tax::Error> {
        let mut carried = self.carried;
        let mut years = Vec::new();
        for (year, income) in self.open(rows) {
            let found = assess(&self.taxes, year, &income, carried)?;
            carried = found.carryover;
            years.push(found);
        }
        Ok(years)
    }

    /// Tax accrued and not paid; negative where losses save more than is owed.
    pub fn liability(&self, rows: &[Row]) -> Result<Money, lotwise_tax::Error> {
        if self.taxes == Taxes::None {
            return Ok(Money::ZERO);
        }
        Ok(self.assessed(rows)?.iter().map(|year| year.tax).sum())
    }

    /// Closes every year whose tax is due on or before `today`, and returns what is to be paid.
    pub fn due(&mut self, rows: &[Row], today: Date) -> Result<Money, lotwise_tax::Error> {
        let mut due = Money::ZERO;
        let is_due = |year: i32| Date::from_ymd(year + 1, DUE.0, DUE.1).is_some_and(|day| day <= today);
        let waiting = match self.closed.last() {
            Some(closed) => self.settled.range(closed.year + 1..).any(|(year, _)| is_due(*year)),
            None => self.settled.keys().any(|year| is_due(*year)),
        };
        // Rows settle weeks before their year's tax is due, so that the sums name every year.
        if waiting {
            for year in self.assessed(rows)?.into_iter().filter(|year| is_due(year.year)) {
                due += year.tax;
                self.carried = year.carryover;
                self.closed.push(YearRecord { paid: true, ..year });
            }
        }
        Ok(due)
    }

    /// The year of a date as the list of trades sees it; `None` without taxes.
    pub fn year(&self, rows: &[Row], date: Date) -> Result<Option<TaxYear>, lotwise_tax::Error> {
        let loss_limit = match &self.taxes {
            Taxes::None => return Ok(None),
            Taxes::Flat { loss_limit, .. } => *loss_limit,
            Taxes::Brackets { status: FilingStatus::MarriedSeparate, .. } => Money::from_whole(1_500),
            Taxes::Brackets { .. } => Money::from_whole(3_000),
        };
        let (mut carried, mut own) = (self.carried, Income::default());
        for (year, income) in self.open(rows) {
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
    pub fn all(&self, rows: &[Row]) -> Result<Vec<YearRecord>, lotwise_tax::Error> {
        let mut years = self.closed.clone();
        years.extend(self.assessed(rows)?);
        Ok(years)
    }
}

fn add(years: &mut BTreeMap<i32, Income>, row: &Row) {
    let income = years.entry(row.sold().year()).or_default();
    let reportable = row.reportable().unwrap_or(Money::ZERO);
    match row.term {
        Some(Term::Long) => income.long += reportable,
        Some(Term::Short) | None => income.short += reportable,
    }
    income.disallowed += row.disallowed;
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
        disallowed: income.disallowed,
        dividends: income.dividends,
        interest: income.interest,
        tax,
        carryover,
        paid: false,
    })
}
