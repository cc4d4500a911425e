//! Cash, lots and taxes of one simulated account, in exact quantities.

use std::sync::Arc;

use lotwise_core::{AccountKind, Date, Money, Price, Shares};
use lotwise_tax::{
    AccountIdx, At, Carryover, Fault, Holding, IndexedBook, LossRoom, Method, Pick, Realised, Row, Rules, SaleIdx,
    SymbolIdx, SymbolKind, Trade, flat_year_tax,
};

use super::TaxConfig;
use crate::execution::session_interest;

/// The account of the household.
pub(super) const OWN: AccountIdx = AccountIdx(0);
/// Taxes of a year are paid on 15 April of the next.
const DUE: (u32, u32) = (4, 15);

/// Income of a year whose tax is not paid yet, besides gains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearIncome {
    /// A date in the year.
    pub date: Date,
    /// Dividends.
    pub dividends: Money,
    /// Interest; below zero where cash costs.
    pub interest: Money,
}

/// A year whose tax is not paid yet.
#[derive(Debug, Clone, Copy)]
struct OpenYear {
    income: YearIncome,
    /// Its last day and the day on which its tax is due, days since 1970.
    last: i32,
    due: i32,
}

/// What open years come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Assessment {
    /// Losses that the years before the last open one leave.
    before_last: Carryover,
    /// Tax owed and not paid; negative where losses save more than is owed.
    pub tax: Money,
    /// Losses that the last open year leaves.
    pub carried: Carryover,
}

/// What an account has booked, so that anybody can book it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked {
    /// A purchase, also of the time before the episode.
    Buy(Trade),
    /// A sale.
    Sell(Trade),
    /// New shares for old ones.
    Split {
        /// Shares after.
        new: Shares,
        /// Shares before.
        old: Shares,
    },
}

/// One account: its cash and its book.
#[derive(Debug, Clone)]
pub struct Account {
    book: IndexedBook,
    cash: Money,
    tax: TaxConfig,
    /// Years whose tax is open, rising; never more than two after the first April.
    open: Vec<OpenYear>,
    /// Losses carried into the first open year.
    carried: Carryover,
    /// Tax that cash could not pay when it was due.
    unpaid: Money,
    paid: Money,
    n_sales: u32,
    /// What open years come to, until something happens.
    assessed: Option<Assessment>,
    /// Events with their date and asset, where they are kept.
    log: Option<Vec<(Date, usize, Booked)>>,
}

impl Account {
    /// An empty account for `n_assets` securities.
    #[must_use]
    pub fn new(n_assets: usize, tax: TaxConfig) -> Self {
        let rules = Rules { rates: tax.rates, ..Rules::default() };
        let method = tax.method;
        let mut book = IndexedBook::new(&[(AccountKind::Taxable, method)], Arc::new(rules));
        for _ in 0..n_assets {
            book.add_symbol(SymbolKind::Stock, None);
        }
        Self {
            book,
            cash: Money::ZERO,
            tax,
            open: Vec::with_capacity(3),
            carried: Carryover::default(),
            unpaid: Money::ZERO,
            paid: Money::ZERO,
            n_sales: 0,
            assessed: None,
            log: None,
        }
    }

    /// Empties the account and puts cash into it.
    pub fn reset(&mut self, cash: Money) {
        self.book.reset();
        self.cash = cash;
        self.open.clear();
        self.carried = Carryover::default();
        self.unpaid = Money::ZERO;
        self.paid = Money::ZERO;
        self.n_sales = 0;
        self.assessed = None;
        if let Some(log) = &mut self.log {
            log.clear();
        }
    }

    /// Keeps the events from the next reset on. Training does without.
    pub fn keep_log(&mut self) {
        self.log = Some(Vec::new());
    }

    /// The events of the episode, in order; `None` unless they are kept.
    #[must_use]
    pub fn log(&self) -> Option<&[(Date, usize, Booked)]> {
        self.log.as_deref()
    }

    /// Cash.
    #[must_use]
    pub fn cash(&self) -> Money {
        self.cash
    }

    /// Shares held of an asset.
    #[must_use]
    pub fn held(&self, asset: usize) -> Shares {
        self.book.held(OWN, symbol(asset))
    }

    /// Lots of an asset, by acquisition.
    pub fn holdings(&self, asset: usize) -> impl Iterator<Item = Holding> + '_ {
        self.book.holdings(OWN, symbol(asset))
    }

    /// Rows of all sales of the episode.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.book.rows()
    }

    /// The book, for looking.
    #[must_use]
    pub fn book(&self) -> &IndexedBook {
        &self.book
    }

    /// Realised results of the year of `date`.
    #[must_use]
    pub fn realised(&self, date: Date) -> Realised {
        self.book.realised(date)
    }

    /// Taxes paid so far.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.paid
    }

    /// A purchase. Cash may fall below zero; callers size purchases so that it does not.
    ///
    /// # Errors
    /// As the book's.
    pub fn buy(&mut self, date: Date, asset: usize, trade: Trade) -> Result<(), Fault> {
        self.book.buy(at(date, asset), trade)?;
        // It may wash a loss.
        self.assessed = None;
        self.cash -= trade.amount + trade.fee;
        self.keep(date, asset, Booked::Buy(trade));
        Ok(())
    }

    /// A purchase of the time before the episode, paid from elsewhere.
    ///
    /// # Errors
    /// As the book's.
    pub(super) fn endow(&mut self, date: Date, asset: usize, shares: Shares, basis: Money) -> Result<(), Fault> {
        let trade = Trade { shares, amount: basis, fee: Money::ZERO };
        self.book.buy(at(date, asset), trade)?;
        self.keep(date, asset, Booked::Buy(trade));
        Ok(())
    }

    /// A sale, lots by the standing method.
    ///
    /// # Errors
    /// As the book's.
    pub fn sell(&mut self, date: Date, asset: usize, trade: Trade) -> Result<(), Fault> {
        self.sell_by(date, asset, trade, Pick::Standing)
    }

    /// A sale of everything at the end of a listing; the order of lots does not matter.
    pub(super) fn close_out(&mut self, date: Date, asset: usize, trade: Trade) -> Result<(), Fault> {
        self.sell_by(date, asset, trade, Pick::By(Method::Fifo))
    }

    fn sell_by(&mut self, date: Date, asset: usize, trade: Trade, pick: Pick<'_>) -> Result<(), Fault> {
        self.book.sell(at(date, asset), SaleIdx(self.n_sales), trade, pick, None)?;
        self.n_sales += 1;
        self.assessed = None;
        self.cash += trade.amount - trade.fee;
        self.open_year(date);
        self.keep(date, asset, Booked::Sell(trade));
        Ok(())
    }

    /// New shares for old ones.
    ///
    /// # Errors
    /// As the book's.
    pub fn split(&mut self, date: Date, asset: usize, new: Shares, old: Shares) -> Result<(), Fault> {
        if self.held(asset).is_zero() && self.book.latest_open_loss(symbol(asset)).is_none() {
            return Ok(());
        }
        self.book.split(at(date, asset), new, old)?;
        self.keep(date, asset, Booked::Split { new, old });
        Ok(())
    }

    /// A dividend on the shares held.
    pub fn dividend(&mut self, date: Date, asset: usize, per_share: Price) {
        let amount = per_share * self.held(asset);
        self.cash += amount;
        self.assessed = None;
        self.open_year(date).dividends += amount;
    }

    /// Interest on cash at a rate a year.
    pub(super) fn interest(&mut self, date: Date, rate_annual: f64) {
        let amount = session_interest(self.cash, rate_annual);
        self.cash += amount;
        self.assessed = None;
        self.open_year(date).interest += amount;
    }

    /// Pays what is due on or before `date`, as far as there is cash; what is missing stays owed.
    ///
    /// # Errors
    /// When sums are immense.
    pub fn settle(&mut self, date: Date) -> Result<(), lotwise_tax::Error> {
        while let Some(first) = self.open.first().copied() {
            if date.days() < first.due {
                break;
            }
            let (tax, carried) = self.assess(first.income, self.carried)?;
            self.assessed = None;
            self.carried = carried;
            self.unpaid += tax;
            self.open.remove(0);
        }
        if !self.unpaid.is_zero() {
            let payment = self.unpaid.min(self.cash.max(Money::ZERO));
            self.assessed = None;
            self.unpaid -= payment;
            self.cash -= payment;
            self.paid += payment;
        }
        Ok(())
    }

    /// Tax that was due and could not be paid.
    #[must_use]
    pub fn unpaid(&self) -> Money {
        self.unpaid.max(Money::ZERO)
    }

    /// The room for losses in the year of `date`, losses carried into it included.
    pub(super) fn loss_room(&mut self, date: Date, loss_limit: Money) -> Result<LossRoom, lotwise_tax::Error> {
        let carried = match self.open.last() {
            Some(last) if last.last >= date.days() => self.assessment()?.before_last,
            Some(_) => self.assessment()?.carried,
            None => self.carried,
        };
        let Realised { short, long } = self.book.realised(date);
        Ok(LossRoom { net_short: short - carried.short, net_long: long - carried.long, loss_limit })
    }

    /// Tax that is owed, as things stand, and losses that will be carried. Worked out once until something happens.
    pub(super) fn assessment(&mut self) -> Result<Assessment, lotwise_tax::Error> {
        if let Some(known) = self.assessed {
            return Ok(known);
        }
        let found = self.assess_all()?;
        self.assessed = Some(found);
        Ok(found)
    }

    fn assess_all(&self) -> Result<Assessment, lotwise_tax::Error> {
        let mut sum = Assessment { tax: self.unpaid, carried: self.carried, before_last: self.carried };
        for year in &self.open {
            let (tax, carried) = self.assess(year.income, sum.carried)?;
            sum = Assessment { tax: sum.tax + tax, carried, before_last: sum.carried };
        }
        Ok(sum)
    }

    /// What is owed, less what carried losses are worth (SPEC E-11, T-07): a negative liability is
    /// an asset.
    ///
    /// # Errors
    /// When sums are immense.
    pub fn liability(&self) -> Result<Money, lotwise_tax::Error> {
        Ok(self.value_of(self.assess_all()?))
    }

    pub(super) fn value_of(&self, assessment: Assessment) -> Money {
        let carried = assessment.carried.short + assessment.carried.long;
        assessment.tax - carried * self.tax.carried_share * self.tax.rates.long
    }

    fn assess(&self, income: YearIncome, carried: Carryover) -> Result<(Money, Carryover), lotwise_tax::Error> {
        let Realised { short, long } = self.book.realised(income.date);
        let found = flat_year_tax(short - carried.short, long - carried.long, self.tax.loss_limit, self.tax.rates)?;
        let interest = income.interest.max(Money::ZERO) * self.tax.rates.short;
        Ok((found.tax + income.dividends * self.tax.dividend_rate + interest, found.carryover))
    }

    fn keep(&mut self, date: Date, asset: usize, booked: Booked) {
        if let Some(log) = &mut self.log {
            log.push((date, asset, booked));
        }
    }

    fn open_year(&mut self, date: Date) -> &mut YearIncome {
        if self.open.last().is_none_or(|last| last.last < date.days()) {
            let year = date.year();
            let due = Date::from_ymd(year + 1, DUE.0, DUE.1).map_or(i32::MAX, Date::days);
            let last = Date::from_ymd(year, 12, 31).map_or(i32::MAX, Date::days);
            let income = YearIncome { date, dividends: Money::ZERO, interest: Money::ZERO };
            self.open.push(OpenYear { income, last, due });
        }
        &mut self.open.last_mut().expect("Invariant: a year was just added").income
    }
}

pub(super) fn symbol(asset: usize) -> SymbolIdx {
    SymbolIdx(asset as u32)
}

fn at(date: Date, asset: usize) -> At {
    At { date, account: OWN, symbol: symbol(asset) }
}
