//! An account that trades on the sample's market: what a broker would have recorded.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use lotwise_core::{Calendar, Date, Money, Price, Rounding, Seed, Shares, Symbol};
use lotwise_market::AssetIdx;
use lotwise_market::synthetic::SyntheticMarket;
use rand_distr::{Distribution, StandardUniform};

/// Sessions from ex-date to payment.
const DIVIDEND_DELAY: i32 = 10;

/// Something a person does.
#[derive(Debug, Clone)]
pub struct Step {
    /// The day; without trading, the next session.
    pub date: Date,
    /// What is done.
    pub deed: Deed,
}

/// What a person does.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Money comes in.
    Deposit(Money),
    /// Money goes out.
    Withdraw(Money),
    /// Shares for about this many dollars.
    Buy(Symbol, i64),
    /// A part of the holding, in hundredths.
    Sell(Symbol, i64),
}

/// How an account behaves by itself.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Decimal places of a share that the broker trades.
    pub share_decimals: u32,
    /// Symbols whose dividends buy more shares.
    pub reinvest: Vec<Symbol>,
    /// Interest on cash, hundredths of a percent a year.
    pub interest_bps: i64,
    /// Months between two interest payments.
    pub interest_months: u32,
}

/// One line of the broker's record.
#[derive(Debug, Clone)]
pub struct Event {
    /// Trade date, or day of booking.
    pub date: Date,
    /// Settlement.
    pub settle: Date,
    /// What happened.
    pub kind: Kind,
    /// The symbol, where one is meant.
    pub symbol: Option<Symbol>,
    /// Shares moved, without sign.
    pub shares: Shares,
    /// Dollars a share; of a dividend, the amount a share.
    pub price: Price,
    /// Fees, contained in `amount`.
    pub fees: Money,
    /// Effect on cash.
    pub amount: Money,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Money came in.
    Deposit,
    /// Money went out.
    Withdrawal,
    /// Shares bought.
    Buy,
    /// Shares sold.
    Sell,
    /// A dividend; the day that decided who gets it.
    Dividend {
        /// Record date.
        record: Date,
    },
    /// Shares bought with a dividend.
    Reinvest,
    /// Interest on cash since that day.
    Interest {
        /// First day of the period.
        since: Date,
    },
    /// Shares added by a split.
    Split,
}

/// The record and what is left at the end.
#[derive(Debug)]
pub struct Book {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Cash at the end.
    pub cash: Money,
    /// Shares at the end.
    pub held: BTreeMap<Symbol, Shares>,
}

/// Runs an account through the market.
///
/// # Errors
/// When a step buys without money or sells what is not held, which is a mistake of the story.
pub fn keep(market: &SyntheticMarket, steps: &[Step], habits: &Habits, seed: Seed) -> Result<Book> {
    let mut keeper = Keeper {
        market,
        habits,
        calendar: Calendar::new_york(),
        random: seed.stream("fill", 0),
        book: Book { events: Vec::new(), cash: Money::ZERO, held: BTreeMap::new() },
        due: Vec::new(),
        interest_since: None,
    };
    let mut steps: Vec<&Step> = steps.iter().collect();
    steps.sort_by_key(|step| step.date);
    let mut next = steps.into_iter().peekable();
    for &date in &market.sessions {
        keeper.corporate_actions(date)?;
        while let Some(step) = next.next_if(|step| step.date <= date) {
            keeper.act(date, &step.deed).with_context(|| format!("{date}: {:?}", step.deed))?;
        }
        keeper.payments(date)?;
    }
    ensure!(next.peek().is_none(), "a step lies behind the last session");
    Ok(keeper.book)
}

/// The numbers of a line; nothing where one does not apply.
#[derive(Clone, Copy, Default)]
struct Figures {
    shares: Shares,
    price: Price,
    fees: Money,
    amount: Money,
}

impl Figures {
    fn cash(amount: Money) -> Self {
        Self { amount, ..Self::default() }
    }
}

struct Keeper<'a> {
    market: &'a SyntheticMarket,
    habits: &'a Habits,
    calendar: Calendar,
    random: rand_chacha::ChaCha8Rng,
    book: Book,
    /// Dividends on their way: day of payment, symbol, shares entitled, dollars a share, record date.
    due: Vec<(Date, Symbol, Shares, Price, Date)>,
    interest_since: Option<Date>,
}

impl Keeper<'_> {
    fn asset(&self, symbol: &Symbol) -> Result<AssetIdx> {
        self.market.asset(symbol.as_str()).with_context(|| format!("{symbol} is not in the sample"))
    }

    fn held(&self, symbol: &Symbol) -> Shares {
        self.book.held.get(symbol).copied().unwrap_or(Shares::ZERO)
    }

    fn settles(&self, date: Date) -> Date {
        // Two sessions until May 2024, one since.
        let two_days = date < Date::from_ymd(2024, 5, 28).unwrap_or(Date::MIN);
        self.calendar.shift(date, if two_days { 2 } else { 1 }).unwrap_or(date)
    }

    /// Books a line; `settle` is filled in here.
    fn add(&mut self, date: Date, kind: Kind, symbol: Option<&Symbol>, figures: Figures) {
        let Figures { shares, price, fees, amount } = figures;
        self.book.cash += amount;
        let settle = if matches!(kind, Kind::Buy | Kind::Sell) { self.settles(date) } else { date };
        self.book.events.push(Event { date, settle, kind, symbol: symbol.cloned(), shares, price, fees, amount });
    }

    /// A price that was traded that day, to the cent.
    fn fill(&mut self, asset: AssetIdx, date: Date) -> Result<Price> {
        let (low, high) = self.market.raw_range(asset, date).context("not a session of the sample")?;
        let place: f64 = StandardUniform.sample(&mut self.random);
        let price = low + (0.2 + 0.6 * place) * (high - low);
        Price::from_f64((price * 100.0).round() / 100.0).context("a price of the sample is out of range")
    }

    fn act(&mut self, date: Date, deed: &Deed) -> Result<()> {
        self.interest_since.get_or_insert(date);
        match deed {
            Deed::Deposit(amount) => {
                self.add(date, Kind::Deposit, None, Figures::cash(*amount));
            }
            Deed::Withdraw(amount) => {
                ensure!(*amount <= self.book.cash, "only {} is there", self.book.cash);
                self.add(date, Kind::Withdrawal, None, Figures::cash(-*amount));
            }
            Deed::Buy(symbol, dollars) => {
                let price = self.fill(self.asset(symbol)?, date)?;
                let shares = whole_parts(Money::from_whole(*dollars), price, self.habits.share_decimals)?;
                let cost = (price * shares).to_cents();
                ensure!(cost <= self.book.cash, "costs {cost}, only {} is there", self.book.cash);
                self.add(date, Kind::Buy, Some(symbol), Figures { shares, price, ..Figures::cash(-cost) });
                let held = self.held(symbol) + shares;
                self.book.held.insert(symbol.clone(), held);
            }
            Deed::Sell(symbol, hundredths) => {
                let price = self.fill(self.asset(symbol)?, date)?;
                let held = self.held(symbol);
                let part = Shares::from_billionths(held.billionths() * i128::from(*hundredths) / 100);
                let shares = if *hundredths == 100 { held } else { truncated(part, self.habits.share_decimals) };
                ensure!(shares.is_positive(), "nothing to sell");
                let fees = regulatory_fee(price * shares, shares);
                let amount = (price * shares).to_cents() - fees;
                self.add(date, Kind::Sell, Some(symbol), Figures { shares, price, fees, amount });
                self.book.held.insert(symbol.clone(), held - shares);
            }
        }
        Ok(())
    }

    /// Splits and ex-dates count before the day's trades.
    fn corporate_actions(&mut self, date: Date) -> Result<()> {
        let market = self.market;
        for action in market.actions.iter().filter(|action| action.ex_date == date) {
            let held = self.held(&action.symbol);
            if held.is_zero() {
                continue;
            }
            let after = held * action.split;
            if after != held {
                self.add(
                    date,
                    Kind::Split,
                    Some(&action.symbol),
                    Figures { shares: after - held, ..Figures::default() },
                );
                self.book.held.insert(action.symbol.clone(), after);
            }
            if action.dividend_paid.is_positive() {
                let paid = self.calendar.shift(date, DIVIDEND_DELAY).context("the calendar ends")?;
                self.due.push((paid, action.symbol.clone(), held, action.dividend_paid, date));
            }
        }
        Ok(())
    }

    /// Dividends and interest come after the day's trades.
    fn payments(&mut self, date: Date) -> Result<()> {
        let (now, later) = std::mem::take(&mut self.due).into_iter().partition(|(paid, ..)| *paid == date);
        self.due = later;
        let now: Vec<(Date, Symbol, Shares, Price, Date)> = now;
        for (_, symbol, shares, per_share, record) in now {
            let amount = (per_share * shares).to_cents();
            let figures = Figures { shares, price: per_share, ..Figures::cash(amount) };
            self.add(date, Kind::Dividend { record }, Some(&symbol), figures);
            if self.habits.reinvest.contains(&symbol) {
                let price = self.fill(self.asset(&symbol)?, date)?;
                let exact = amount.billionths() * Shares::from_whole(1).billionths() / price.billionths();
                let bought = Shares::from_billionths(exact).round(3, Rounding::HalfEven);
                let figures = Figures { shares: bought, price, ..Figures::cash(-amount) };
                self.add(date, Kind::Reinvest, Some(&symbol), figures);
                let held = self.held(&symbol) + bought;
                self.book.held.insert(symbol, held);
            }
        }
        let tomorrow = self.calendar.shift(date, 1).context("the calendar ends")?;
        let month_ends = tomorrow.month() != date.month() && date.month().is_multiple_of(self.habits.interest_months);
        if let Some(since) = self.interest_since.filter(|_| month_ends) {
            let days = i128::from(date.days_since(since));
            let rate = i128::from(self.habits.interest_bps);
            let amount = Money::from_billionths(self.book.cash.billionths() * rate * days / (10_000 * 365)).to_cents();
            if amount.is_positive() {
                self.add(date, Kind::Interest { since }, None, Figures::cash(amount));
            }
            self.interest_since = Some(date);
        }
        Ok(())
    }
}

/// Shares for an amount, cut to what the broker trades.
fn whole_parts(amount: Money, price: Price, decimals: u32) -> Result<Shares> {
    ensure!(price.is_positive(), "a price of nothing");
    let billionths = amount.billionths() * Shares::from_whole(1).billionths() / price.billionths();
    let shares = truncated(Shares::from_billionths(billionths), decimals);
    ensure!(shares.is_positive(), "{amount} buys nothing at {price}");
    Ok(shares)
}

fn truncated(shares: Shares, decimals: u32) -> Shares {
    let step = 10_i128.pow(9 - decimals.min(9));
    Shares::from_billionths(shares.billionths() / step * step)
}

/// What the regulators take of a sale: $27.80 a million dollars and $0.000166 a share, rounded up to the cent.
fn regulatory_fee(proceeds: Money, shares: Shares) -> Money {
    let section_31 = proceeds.billionths() * 278 / 10_000_000;
    let activity = shares.billionths() * 166 / 1_000_000;
    let cent = 10_000_000;
    Money::from_billionths((section_31 + activity + cent - 1) / cent * cent).round(2, Rounding::HalfEven)
}
