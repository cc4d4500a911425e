//! From broker statements to one tax ledger: accounts, order of events, splits once and only once,
//! shares whose purchase the files do not show, and what is left out by name.

mod accounts;
mod actions;
mod builder;
mod cancelled;
mod contracts;
mod finish;
mod income;
mod joined;
mod named;
mod opening;
mod options;
mod questions;
mod ratio;
mod rows;
mod splits;

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{AccountKind, Date, Money, Price, Symbol};
use lotwise_market::CorporateActions;
use lotwise_statements::{Action, Statement};
use lotwise_tax::{AccountId, Booking, Ledger, Method, Rules, SaleId};

pub use income::Income;
pub use ratio::Ratio;
pub use splits::{KnownSplit, SplitSource};

use crate::answers::BookAnswers;
use crate::issue::{Issue, Severity};
use crate::suggestion::count;
use builder::Builder;
use joined::Joints;
use questions::Questions;
use splits::SplitTable;

/// One statement and the name its rows are cited by.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// File name for messages, without folders.
    pub name: &'a str,
    /// What was read from it.
    pub statement: &'a Statement,
    /// What it is used for.
    pub role: SourceRole,
}

impl<'a> Source<'a> {
    /// A statement whose rows happened.
    #[must_use]
    pub fn history(name: &'a str, statement: &'a Statement) -> Self {
        Self { name, statement, role: SourceRole::History }
    }

    /// A statement that names the lots of sales which the histories show.
    #[must_use]
    pub fn lots(name: &'a str, statement: &'a Statement) -> Self {
        Self { name, statement, role: SourceRole::Lots }
    }
}

/// What a statement is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceRole {
    /// Its rows happened.
    History,
    /// Its sales only say which lots the sales of the histories took.
    Lots,
}

/// What the person says about the files.
#[derive(Debug, Clone)]
pub struct BookOptions {
    /// The books are closed at the end of this day; later rows are counted and set aside.
    pub as_of: Date,
    /// Owner and type per account name; others are guessed from the name, else taxable.
    pub account_kinds: BTreeMap<String, AccountKind>,
    /// Standing lot method of every account.
    pub method: Method,
    /// BookAnswers to the questions of the books, by key.
    pub answers: BookAnswers,
    /// Switches and rates under which lots are looked up that a file names.
    pub rules: Rules,
}

impl BookOptions {
    /// First in, first out to the end of a day, nothing answered.
    #[must_use]
    pub fn until(as_of: Date) -> Self {
        Self {
            as_of,
            account_kinds: BTreeMap::new(),
            method: Method::default(),
            answers: BookAnswers::default(),
            rules: Rules::default(),
        }
    }
}

/// A trade's stated price, kept to compare the price table with what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradePrice {
    /// Trade date.
    pub date: Date,
    /// Price per share on that day, in that day's shares.
    pub price: Price,
}

/// Rows in a currency other than US dollars: kept, shown and out of tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForeignRows {
    /// How many.
    pub rows: usize,
    /// Sum of their amounts, in their own currency.
    pub amount: Money,
}

/// The household's books, ready for the tax engine.
#[derive(Debug, Clone)]
pub struct Books {
    /// End of the books.
    pub as_of: Date,
    /// Accounts and events up to [`Books::as_of`].
    pub ledger: Ledger,
    /// Cash per account: the sum of all amounts in the files, from an assumed balance of zero.
    pub cash: BTreeMap<AccountId, Money>,
    /// Income of taxable accounts per calendar year.
    pub income: BTreeMap<i32, Income>,
    /// Splits known from the files or the market, each once, also those after the books close.
    pub splits: BTreeMap<Symbol, Vec<KnownSplit>>,
    /// Stated trade prices per symbol, rising by date, also those after the books close.
    pub trade_prices: BTreeMap<Symbol, Vec<TradePrice>>,
    /// Rows dated after [`Books::as_of`].
    pub later_rows: usize,
    /// Trades that the profile can learn from.
    pub n_trades: usize,
    /// First and last trade date.
    pub span: Option<(Date, Date)>,
    /// Rows in other currencies, by currency; no other figure counts them.
    pub foreign: BTreeMap<String, ForeignRows>,
    /// Losses that brokers say they disallowed as wash sales, by account and sale.
    pub told_disallowed: BTreeMap<(AccountId, SaleId), (Money, Symbol, String)>,
    /// Keys of the answers that were used.
    pub answered: BTreeSet<String>,
    /// What a person should know.
    pub issues: Vec<Issue>,
}

impl Books {
    /// What the booking says that a person should know: where a broker disallowed another loss than
    /// the files lead to, and shares owed.
    #[must_use]
    pub fn review(&self, booking: &Booking) -> Vec<Issue> {
        let mut issues = Vec::new();
        for ((account, sale), (told, symbol, place)) in &self.told_disallowed {
            let rows = booking.sales.iter().filter(|row| row.account == *account && row.sale == *sale);
            let found: Money = rows.map(|row| row.disallowed).sum();
            if found != *told {
                let text = format!(
                    "the broker disallowed {} of a loss on {symbol} as a wash sale, the files lead to {}; a purchase that \
                     is not in the files, or a rule that the broker applies otherwise, makes the difference",
                    dollars_and_cents(*told),
                    dollars_and_cents(found)
                );
                issues.push(Issue::new("wash-differs", Severity::Warning, Some(symbol), text).at(place.clone()));
            }
        }
        if !booking.open_shorts.is_empty() {
            let names: BTreeSet<&str> = booking.open_shorts.iter().map(|lot| lot.symbol.as_str()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let text = format!(
                "{} ({}) {} not in the value of the account, in suggestions or in what-ifs",
                count(booking.open_shorts.len(), "open short position"),
                names.join(", "),
                if booking.open_shorts.len() == 1 { "is" } else { "are" }
            );
            issues.push(Issue::new("short-positions", Severity::Warning, None, text));
        }
        issues
    }
}

/// `$1,234.50` for a sentence.
fn dollars_and_cents(amount: Money) -> String {
    format!("${}", amount.to_cents())
}

/// Builds the books from all statements together.
///
/// Rows of the same account and id in two files count once. Rows in another currency and anything
/// without a symbol are left out and named in the issues. Splits come from the files or, where these
/// have none, from the market's `actions`, never from both. Sales take the lots that a file names for
/// them. A trade and the row that takes it back are both gone. The rows of a corporate action, of a
/// transfer between loaded accounts and of an option that became stock are one event each.
#[must_use]
pub fn build(sources: &[Source<'_>], actions: &CorporateActions, options: &BookOptions) -> Books {
    let mut questions = Questions::new(&options.answers);
    let rows = rows::in_order(sources, options, &mut questions);
    let joints = Joints::of(&rows.entries, &mut questions);
    let kinds = accounts::kinds(&rows.entries, sources, options, &mut questions);
    let splits = SplitTable::gather(&rows.entries, &joints, actions, &mut questions);
    let mut builder = Builder::new(options, &kinds, &splits, &rows, &joints, &mut questions);
    let mut later_rows = 0;
    let mut trade_prices: BTreeMap<Symbol, Vec<TradePrice>> = BTreeMap::new();
    let mut trade_dates = Vec::new();
    for (at, entry) in rows.entries.iter().enumerate() {
        let transaction = entry.transaction;
        if let (Some(symbol), Some(price), Action::Buy | Action::Sell | Action::Reinvest) =
            (&transaction.symbol, transaction.price, transaction.action)
            && price.is_positive()
            && rows::is_plain_stock(transaction)
        {
            trade_prices.entry(symbol.clone()).or_default().push(TradePrice { date: transaction.trade_date, price });
        }
        if transaction.trade_date > options.as_of {
            later_rows += 1;
            continue;
        }
        if matches!(transaction.action, Action::Buy | Action::Sell) {
            trade_dates.push(transaction.trade_date);
        }
        builder.take(at);
    }
    builder.splits_until(options.as_of);
    builder.reconcile_positions(sources);
    builder.past_their_last_day();
    let ledger = builder.ledger();
    let (cash, income, told_disallowed) = (builder.cash, builder.income, builder.told_disallowed);
    for prices in trade_prices.values_mut() {
        prices.sort_by_key(|trade| trade.date);
    }
    let span = trade_dates.iter().min().copied().zip(trade_dates.iter().max().copied());
    let (issues, answered) = questions.finish();
    Books {
        as_of: options.as_of,
        ledger,
        cash,
        income,
        splits: splits.into_known(),
        trade_prices,
        later_rows,
        n_trades: trade_dates.len(),
        span,
        foreign: rows.foreign,
        told_disallowed,
        answered,
        issues,
    }
}
