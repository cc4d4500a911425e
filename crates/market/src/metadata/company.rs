//! Fields 12 to 27: size, valuation, growth, balance sheet, short interest and dividends.
//!
//! The panel's prices are back-adjusted for splits that came after session `t`, so its level says
//! nothing about a price a share on the day. Whatever needs one is therefore carried as a ratio:
//! a yield or market value published on day `s` moves with `close(t) / close(s)`, in which every
//! split basis cancels. Where no such ratio can be had, the field is unavailable.

use lotwise_core::{Date, Symbol};

use super::view::MetadataView;
use super::{Dated, Metadata, clip};
use crate::panel::AssetIdx;

/// A fact older than this says nothing about today any more.
const LONGEST_DAYS: i32 = 400;
/// The table of corporate actions counts as kept up when it has a row this recent.
const ALIVE_DAYS: i32 = 14;

/// Published ratios of one company on one day, fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Day of publication, whose close the ratios belong to.
    pub date: Date,
    /// Earnings of the last four quarters over price.
    pub earnings_yield: Option<f64>,
    /// Book value over price; negative where debts exceed assets.
    pub book_yield: Option<f64>,
    /// Price over sales.
    pub price_to_sales: Option<f64>,
    /// Yearly dividend over price.
    pub dividend_yield: Option<f64>,
    /// Market value, US dollars.
    pub market_cap: Option<f64>,
}

/// An annual statement, US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statement {
    /// Sales of the year.
    pub revenue: Option<f64>,
    /// Sales of the year before.
    pub revenue_before: Option<f64>,
    /// Net income of the year.
    pub net_income: Option<f64>,
    /// Shareholders' equity at its end.
    pub equity: Option<f64>,
    /// Interest-bearing debt at its end.
    pub debt: Option<f64>,
    /// Earnings a share of the year, in the same share count as those of the year before.
    pub eps: Option<f64>,
    /// Earnings a share of the year before.
    pub eps_before: Option<f64>,
}

/// Shares outstanding as filed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// The day they were counted.
    pub date: Date,
    /// Shares of that day, not adjusted for later splits.
    pub shares: f64,
}

/// Shares sold short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shorted {
    /// Settlement day of the count.
    pub settled: Date,
    /// Shares of that day.
    pub shares: f64,
}

impl MetadataView<'_> {
    /// Fields 12 to 27 of a company; a fund only has «cap unknown» and its dividend yield.
    pub(super) fn company_fields(&self, asset: AssetIdx, symbol: &Symbol, fields: &mut Metadata) {
        if !self.source.sector(symbol).is_company() {
            fields.set(17, Some(1.0));
            fields.set(25, self.dividend_yield(asset, symbol).map(|dividend| clip(dividend, 0.03, 0.0, 4.0)));
            return;
        }
        let cap = self.market_cap(asset, symbol);
        size(cap, fields);
        let statement = self.newest(self.source.statements.known(symbol, self.date));
        let snapshot = |part: fn(&Snapshot) -> Option<f64>| {
            self.source.snapshots.known(symbol, self.date).iter().rev().find_map(|fact| {
                part(&fact.value).filter(|_| self.is_fresh(fact.available_at)).map(|found| (*fact, found))
            })
        };
        let moved = |found: Option<(Dated<Snapshot>, f64)>| {
            let (fact, ratio) = found?;
            Some((fact.available_at, ratio / self.close_ratio(asset, fact.value.date)?))
        };
        let earnings_yield = moved(snapshot(|found| found.earnings_yield));
        let book_yield = moved(snapshot(|found| found.book_yield));
        let stated = |part: fn(&Statement) -> Option<f64>| {
            let statement = statement?;
            Some((statement.available_at, part(&statement.value)? / cap?))
        };
        let earnings_yield = newer(earnings_yield, stated(|found| found.net_income));
        let book_yield = newer(book_yield, stated(|found| found.equity));
        fields.set(18, earnings_yield.map(|value| clip(value, 0.10, -3.0, 3.0)));
        fields.set(19, book_yield.map(|value| if value > 0.0 { clip(-value.ln(), 2.0, -3.0, 3.0) } else { -3.0 }));

        let both = |left: Option<(Dated<Snapshot>, f64)>, right: Option<(Dated<Snapshot>, f64)>| {
            let ((left_fact, left), (right_fact, right)) = (left?, right?);
            (left_fact.value.date == right_fact.value.date).then_some((left_fact.available_at, left, right))
        };
        let yields = snapshot(|found| found.earnings_yield);
        let published = both(yields, snapshot(|found| found.book_yield.filter(|&book| book > 0.0)))
            .map(|(at, earnings, book)| (at, earnings / book));
        let annual = statement.and_then(|fact| {
            Some((fact.available_at, fact.value.net_income? / fact.value.equity.filter(|&equity| equity > 0.0)?))
        });
        fields.set(20, newer(published, annual).map(|value| clip(value, 0.25, -3.0, 3.0)));
        let published =
            both(yields, snapshot(|found| found.price_to_sales)).map(|(at, earnings, sales)| (at, earnings * sales));
        let annual = statement.and_then(|fact| Some((fact.available_at, fact.value.net_income? / fact.value.revenue?)));
        fields.set(21, newer(published, annual).map(|value| clip(value, 0.20, -3.0, 3.0)));
        let growth = statement.and_then(|fact| Some(fact.value.revenue? / fact.value.revenue_before? - 1.0));
        fields.set(22, growth.map(|value| clip(value, 0.25, -3.0, 3.0)));
        fields.set(23, self.eps_growth(symbol, statement).map(|value| clip(value, 0.50, -3.0, 3.0)));
        fields.set(24, self.short_share(symbol).map(|value| clip(value, 0.05, 0.0, 4.0)));
        fields.set(25, self.dividend_yield(asset, symbol).map(|value| clip(value, 0.03, 0.0, 4.0)));
        let leverage = statement.and_then(|fact| {
            Some(fact.value.debt.filter(|&debt| debt >= 0.0)? / fact.value.equity.filter(|&equity| equity > 0.0)?)
        });
        fields.set(26, leverage.map(|value| clip(value.ln_1p(), 1.0, 0.0, 3.0)));
        let payout = both(yields, snapshot(|found| found.dividend_yield))
            .filter(|&(_, earnings, _)| earnings > 0.0)
            .map(|(_, earnings, dividend)| dividend / earnings);
        fields.set(27, payout.map(|value| clip(value, 1.0, 0.0, 2.0)));
    }

    /// Market value at the end of the view, US dollars.
    ///
    /// A published value moves with the close, and with the number of shares where filings around
    /// both days and the splits between them are known; only with those does it live longer than
    /// 400 days. Filed share counts alone do not do: they would need a price a share on the day.
    pub(super) fn market_cap(&self, asset: AssetIdx, symbol: &Symbol) -> Option<f64> {
        let fact =
            self.source.snapshots.known(symbol, self.date).iter().rev().find(|fact| fact.value.market_cap.is_some())?;
        let moved = fact.value.market_cap? * self.close_ratio(asset, fact.value.date)?;
        match self.share_growth(symbol, fact.value.date) {
            Some(growth) => Some(moved * growth),
            None => self.is_fresh(fact.available_at).then_some(moved),
        }
    }

    /// Shares of the newest filing over those of the filing at `since`, split effects taken out; `None` where either
    /// filing was too old for its day.
    fn share_growth(&self, symbol: &Symbol, since: Date) -> Option<f64> {
        let counts = self.source.share_counts.known(symbol, self.date);
        let newest = self.newest(counts)?.value;
        let base = counts.iter().rev().find(|fact| fact.available_at <= since)?;
        let base = (since.days_since(base.available_at) <= LONGEST_DAYS).then_some(base.value)?;
        let growth = newest.shares / base.shares / self.split_between(symbol, base.date, newest.date)?;
        // Filings of one class of several, or in thousands, do not compare.
        (0.2..5.0).contains(&growth).then_some(growth)
    }

    /// Earnings a share of the last four reports against the four before, over their mean size; from
    /// annual statements where there are no eight reports.
    fn eps_growth(&self, symbol: &Symbol, statement: Option<&Dated<Statement>>) -> Option<f64> {
        let known = self.source.reports.known(symbol, self.date);
        let reports = known.last().filter(|fact| self.is_fresh(fact.available_at)).map_or(&[] as &[_], |_| known);
        let reported: Vec<f64> = reports.iter().rev().map_while(|fact| fact.value.reported).take(8).collect();
        let two_years = reports.iter().rev().nth(7).is_some_and(|fact| self.date.days_since(fact.value.reaction) < 900);
        let (now, before) = if reported.len() == 8 && two_years {
            (reported[..4].iter().sum(), reported[4..].iter().sum())
        } else {
            let statement = &statement?.value;
            (statement.eps?, statement.eps_before?)
        };
        let size = (f64::abs(now) + f64::abs(before)) / 2.0;
        (size > 0.0).then(|| (now - before) / size)
    }

    /// Shares sold short over shares outstanding, which stand in for the float: its size is in no table.
    fn short_share(&self, symbol: &Symbol) -> Option<f64> {
        let shorted = self.newest(self.source.short_interest.known(symbol, self.date))?.value;
        let count = self.newest(self.source.share_counts.known(symbol, self.date))?.value;
        let split = if count.date <= shorted.settled {
            self.split_between(symbol, count.date, shorted.settled)?
        } else {
            1.0 / self.split_between(symbol, shorted.settled, count.date)?
        };
        let share = shorted.shares / (count.shares * split);
        (share < 1.0).then_some(share)
    }

    /// Dividends of the last year over price: paid ones where the table of actions covers the symbol
    /// and the year, else the published yield.
    fn dividend_yield(&self, asset: AssetIdx, symbol: &Symbol) -> Option<f64> {
        let year_ago = self.date.plus_days(-365);
        if self.actions_cover(symbol, year_ago) {
            let (_, close) = self.last_close(asset)?;
            let known = self.source.dividends.known(symbol, self.date);
            let recent = known.iter().filter(|fact| fact.available_at > year_ago);
            // An empty sum of floats would be a negative zero.
            let paid = recent.fold(0.0, |paid, fact| paid + fact.value);
            return Some(paid / close);
        }
        let snapshots = self.source.snapshots.known(symbol, self.date);
        let fact = snapshots.iter().rev().find(|fact| fact.value.dividend_yield.is_some())?;
        if !self.is_fresh(fact.available_at) {
            return None;
        }
        Some(fact.value.dividend_yield? / self.close_ratio(asset, fact.value.date)?)
    }

    /// New shares for one old share over all splits after `from` up to `to`; `None` where the table of
    /// actions does not cover that time. Both dates are at or before the end of the view.
    fn split_between(&self, symbol: &Symbol, from: Date, to: Date) -> Option<f64> {
        if !self.actions_cover(symbol, from) {
            return None;
        }
        let known = self.source.splits.known(symbol, self.date);
        Some(
            known
                .iter()
                .filter(|fact| fact.available_at > from && fact.available_at <= to)
                .map(|fact| fact.value)
                .product(),
        )
    }

    /// Whether the table of actions covers a symbol from `from` to the end of the view, as far as one
    /// could tell then: it has mentioned the symbol, it reaches back far enough, and it is kept up.
    fn actions_cover(&self, symbol: &Symbol, from: Date) -> bool {
        let days = &self.source.action_days;
        let alive = days.alive_until(self.date).is_some_and(|last| self.date.days_since(last) <= ALIVE_DAYS);
        alive && days.alive_until(from).is_some() && !days.known(symbol, self.date).is_empty()
    }

    /// The newest fact, unless it is too old.
    fn newest<'f, T>(&self, known: &'f [Dated<T>]) -> Option<&'f Dated<T>> {
        known.last().filter(|fact| self.is_fresh(fact.available_at))
    }

    fn is_fresh(&self, available_at: Date) -> bool {
        self.date.days_since(available_at) <= LONGEST_DAYS
    }
}

/// Fields 12 to 17: the bucket of a market value.
fn size(cap: Option<f64>, fields: &mut Metadata) {
    const BOUNDS: [f64; 4] = [3e8, 2e9, 1e10, 2e11];
    fields.set(17, Some(if cap.is_some() { 0.0 } else { 1.0 }));
    let Some(cap) = cap else { return };
    let bucket = BOUNDS.iter().filter(|&&bound| cap >= bound).count();
    for at in 0..=BOUNDS.len() {
        fields.set(12 + at, Some(f64::from(u8::from(at == bucket))));
    }
}

/// The value that became public later; the first of two that came together.
fn newer(left: Option<(Date, f64)>, right: Option<(Date, f64)>) -> Option<f64> {
    match (left, right) {
        (Some((left_at, _)), Some((right_at, right))) if right_at > left_at => Some(right),
        (Some((_, left)), _) => Some(left),
        (None, right) => right.map(|(_, value)| value),
    }
}
