//! What is held, at today's prices, lot by lot.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_market::AsOf;
use lotwise_tax::{AccountId, AccountKind, Booking, OpenLot, SaleRow, Term, first_long_term_date};

use crate::books::Books;
use crate::issue::{Issue, Severity};
use crate::quotes::{Quote, quotes};

/// A lot at today's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLot {
    /// The lot as booked.
    pub open: OpenLot,
    /// Shares times price.
    pub value: Money,
    /// Value less basis; `None` with an unknown basis.
    pub gain: Option<Money>,
    /// Term if sold on the day of the books; `None` with an unknown date.
    pub term: Option<Term>,
    /// First day on which a sale is long-term.
    pub long_from: Option<Date>,
    /// Whether the account's sales are taxed.
    pub taxable: bool,
}

impl PricedLot {
    /// Days until the lot turns long-term; `None` if it is, or cannot be told.
    #[must_use]
    pub fn days_to_long(&self, today: Date) -> Option<i32> {
        self.long_from.map(|date| date.days_since(today)).filter(|&days| days > 0)
    }
}

/// All shares of one symbol over all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The security.
    pub symbol: Symbol,
    /// Its price.
    pub quote: Quote,
    /// Shares over all lots.
    pub shares: Shares,
    /// Value over all lots.
    pub value: Money,
    /// Lots, earliest acquired first.
    pub lots: Vec<PricedLot>,
}

impl Holding {
    /// Gain over the lots whose basis is known, and whether all are.
    #[must_use]
    pub fn gain(&self) -> (Money, bool) {
        let known = self.lots.iter().filter_map(|lot| lot.gain).sum();
        (known, self.lots.iter().all(|lot| lot.gain.is_some()))
    }
}

/// Gains that the year has realised in taxable accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Realised {
    /// Net short-term.
    pub short: Money,
    /// Net long-term, with capital gain distributions.
    pub long: Money,
    /// Losses that the wash-sale rule moved elsewhere.
    pub disallowed: Money,
    /// Sales whose gain is unknown.
    pub unknown_sales: usize,
}

/// The household at today's prices.
#[derive(Debug, Clone)]
pub struct Portfolio {
    /// Day of the books.
    pub as_of: Date,
    /// Latest session among the prices used.
    pub prices_as_of: Option<Date>,
    /// Cash over all accounts, each never below zero.
    pub cash: Money,
    /// Cash of the accounts that trades are planned for.
    pub tradable_cash: Money,
    /// The same per account, with accounts that have none.
    pub tradable_accounts: BTreeMap<AccountId, Money>,
    /// Priced holdings, by symbol.
    pub holdings: Vec<Holding>,
    /// Holdings without a price.
    pub unpriced: Vec<(Symbol, Shares)>,
    /// Cash and priced holdings.
    pub value: Money,
    /// What the calendar year of the books has realised.
    pub realised: Realised,
    /// Accounts by kind.
    pub accounts: BTreeMap<AccountId, AccountKind>,
}

impl Portfolio {
    /// Prices the open lots of a booking.
    #[must_use]
    pub fn build(books: &Books, booking: &Booking, market: &AsOf<'_>, table_end: Date) -> (Self, Vec<Issue>) {
        let accounts: BTreeMap<AccountId, AccountKind> =
            books.ledger.accounts.iter().map(|account| (account.id.clone(), account.kind)).collect();
        let symbols: BTreeSet<&Symbol> = booking.open_lots.iter().map(|lot| &lot.symbol).collect();
        let (priced, mut issues) = quotes(books, symbols.iter().copied(), market, table_end);
        let mut holdings = Vec::new();
        let mut unpriced = Vec::new();
        for symbol in symbols {
            let lots = booking.open_lots.iter().filter(|lot| lot.symbol == *symbol);
            let shares = lots.clone().map(|lot| lot.shares).sum();
            match priced.get(symbol) {
                Some(quote) => holdings.push(holding(symbol, *quote, lots, books.as_of, &accounts)),
                None => unpriced.push((symbol.clone(), shares)),
            }
        }
        let mut cash = Money::ZERO;
        let any_taxable = accounts.values().any(|kind| kind.is_taxable());
        let mut tradable_accounts: BTreeMap<AccountId, Money> = accounts
            .iter()
            .filter(|(_, kind)| kind.is_taxable() || !any_taxable)
            .map(|(account, _)| (account.clone(), Money::ZERO))
            .collect();
        for (account, &stated) in &books.cash {
            if stated.is_negative() {
                let text = format!(
                    "the rows of account {account} add up to {} of cash, so deposits before they begin are missing; its \
                     cash is counted as zero",
                    crate::suggestion::dollars(stated)
                );
                issues.push(Issue::new("cash-unknown", Severity::Warning, None, text));
                continue;
            }
            cash += stated;
            if let Some(own) = tradable_accounts.get_mut(account) {
                *own += stated;
            }
        }
        let value = cash + holdings.iter().map(|holding| holding.value).sum();
        let portfolio = Self {
            as_of: books.as_of,
            prices_as_of: holdings.iter().filter(|holding| holding.quote.asset.is_some()).map(|h| h.quote.date).max(),
            cash,
            tradable_cash: tradable_accounts.values().copied().sum(),
            tradable_accounts,
            value,
            unpriced,
            realised: realised(&booking.sales, &accounts, books),
            holdings,
            accounts,
        };
        (portfolio, issues)
    }

    /// The holding of a symbol.
    #[must_use]
    pub fn holding(&self, symbol: &Symbol) -> Option<&Holding> {
        self.holdings.iter().find(|holding| holding.symbol == *symbol)
    }

    /// Fraction of the value that a holding makes up; zero for an empty portfolio.
    #[must_use]
    pub fn weight(&self, amount: Money) -> f64 {
        if self.value.is_positive() { amount.to_f64() / self.value.to_f64() } else { 0.0 }
    }

    /// Whether sales in the account are taxed.
    #[must_use]
    pub fn is_taxable(&self, account: &AccountId) -> bool {
        self.accounts.get(account).is_some_and(|kind| kind.is_taxable())
    }

    /// Whether trades are planned in the account of a lot: taxable accounts where there are any,
    /// since cash and shares cannot move between them and retirement accounts.
    #[must_use]
    pub fn trades(&self, lot: &PricedLot) -> bool {
        lot.taxable || !self.accounts.values().any(|kind| kind.is_taxable())
    }

    /// All lots of all holdings with their holding.
    pub fn lots(&self) -> impl Iterator<Item = (&Holding, &PricedLot)> {
        self.holdings.iter().flat_map(|holding| holding.lots.iter().map(move |lot| (holding, lot)))
    }
}

fn holding<'a>(
    symbol: &Symbol,
    quote: Quote,
    lots: impl Iterator<Item = &'a OpenLot>,
    today: Date,
    accounts: &BTreeMap<AccountId, AccountKind>,
) -> Holding {
    let lots: Vec<PricedLot> = lots
        .map(|open| {
            let value = quote.price * open.shares;
            let long_from = open.holding_from.map(first_long_term_date);
            PricedLot {
                value,
                gain: open.basis.map(|basis| value - basis),
                term: long_from.map(|date| if today >= date { Term::Long } else { Term::Short }),
                long_from,
                taxable: accounts.get(&open.account).is_some_and(|kind| kind.is_taxable()),
                open: open.clone(),
            }
        })
        .collect();
    Holding {
        symbol: symbol.clone(),
        quote,
        shares: lots.iter().map(|lot| lot.open.shares).sum(),
        value: lots.iter().map(|lot| lot.value).sum(),
        lots,
    }
}

fn realised(sales: &[SaleRow], accounts: &BTreeMap<AccountId, AccountKind>, books: &Books) -> Realised {
    let year = books.as_of.year();
    let mut realised = Realised::default();
    for row in sales.iter().filter(|row| row.sold.year() == year) {
        if !accounts.get(&row.account).is_some_and(|kind| kind.is_taxable()) {
            continue;
        }
        realised.disallowed += row.disallowed;
        match (row.reportable, row.term) {
            (Some(gain), Some(Term::Short)) => realised.short += gain,
            (Some(gain), Some(Term::Long)) => realised.long += gain,
            (Some(gain), None) if gain.is_zero() => {}
            _ => realised.unknown_sales += 1,
        }
    }
    if let Some(income) = books.income.get(&year) {
        realised.long += income.capital_gain_distributions;
    }
    realised
}
