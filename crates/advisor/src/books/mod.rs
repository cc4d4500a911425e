//! From broker statements to one tax ledger: accounts, order of events, splits once and only once,
//! shares whose purchase the files do not show, and what is left out by name.

mod opening;
mod ratio;
mod splits;

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Date, Money, Price, Shares, Symbol};
use lotwise_market::CorporateActions;
use lotwise_statements::{Action, Statement, Transaction};
use lotwise_tax::{
    Account, AccountId, AccountKind, BasisSource, Event, EventKind, Ledger, LotId, LotSelection, Method, SaleId,
};

pub use ratio::Ratio;
pub use splits::{KnownSplit, SplitSource};

use crate::issue::{Issue, Severity};
use opening::Openings;
use splits::SplitTable;

/// One statement and the name its rows are cited by.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// File name for messages, without folders.
    pub name: &'a str,
    /// What was read from it.
    pub statement: &'a Statement,
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
}

/// A trade's stated price, kept to compare the price table with what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradePrice {
    /// Trade date.
    pub date: Date,
    /// Price per share on that day, in that day's shares.
    pub price: Price,
}

/// Income of a calendar year as the files show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Income {
    /// Dividends of all kinds, US dollars.
    pub dividends: Money,
    /// Interest, US dollars.
    pub interest: Money,
    /// Capital gain distributions of funds.
    pub capital_gain_distributions: Money,
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
    /// What a person should know.
    pub issues: Vec<Issue>,
}

/// A transaction with its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) file: &'a str,
    pub(crate) transaction: &'a Transaction,
}

impl Entry<'_> {
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.transaction.row)
    }

    fn account(&self) -> AccountId {
        AccountId::new(&self.transaction.account)
    }
}

/// Builds the books from all statements together.
///
/// Rows of the same account and id in two files count once. Rows in another currency, options and
/// anything without a symbol are left out and named in the issues. Splits come from the files or,
/// where these have none, from the market's `actions`, never from both.
#[must_use]
pub fn build(sources: &[Source<'_>], actions: &CorporateActions, options: &BookOptions) -> Books {
    let mut issues = Vec::new();
    let entries = in_order(sources, &mut issues);
    let labels: BTreeMap<&str, &str> = sources
        .iter()
        .flat_map(|source| &source.statement.account_labels)
        .map(|(account, label)| (account.as_str(), label.as_str()))
        .collect();
    let kinds = account_kinds(&entries, &labels, options, &mut issues);
    let splits = SplitTable::gather(&entries, actions, &mut issues);
    let mut builder = Builder {
        options,
        kinds: &kinds,
        splits: &splits,
        events: Vec::new(),
        openings: Openings::default(),
        cash: BTreeMap::new(),
        income: BTreeMap::new(),
        issues,
        lot_count: 0,
        next_split: BTreeMap::new(),
        fractions: BTreeMap::new(),
    };
    let mut later_rows = 0;
    let mut trade_prices: BTreeMap<Symbol, Vec<TradePrice>> = BTreeMap::new();
    let mut trade_dates = Vec::new();
    for entry in &entries {
        let transaction = entry.transaction;
        if let (Some(symbol), Some(price), Action::Buy | Action::Sell | Action::Reinvest) =
            (&transaction.symbol, transaction.price, transaction.action)
            && price.is_positive()
            && is_plain_stock(transaction)
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
        builder.take(entry);
    }
    builder.splits_until(options.as_of);
    builder.reconcile_positions(sources);
    let ledger = builder.ledger(&kinds);
    for prices in trade_prices.values_mut() {
        prices.sort_by_key(|trade| trade.date);
    }
    let span = trade_dates.iter().min().copied().zip(trade_dates.iter().max().copied());
    let Builder { cash, income, issues, .. } = builder;
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
        issues,
    }
}

/// All usable rows of all files, oldest first. Files run newest first or oldest first; within a day
/// the order of the file is kept in its own direction.
fn in_order<'a>(sources: &[Source<'a>], issues: &mut Vec<Issue>) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut foreign: BTreeMap<&str, usize> = BTreeMap::new();
    let mut options = 0;
    for source in sources {
        let mut rows: Vec<&'a Transaction> = source.statement.transactions.iter().collect();
        let falling = rows.windows(2).filter(|pair| pair[0].trade_date > pair[1].trade_date).count();
        let rising = rows.windows(2).filter(|pair| pair[0].trade_date < pair[1].trade_date).count();
        if falling > rising {
            rows.reverse();
        }
        let mut repeated = 0;
        let earlier_files = seen.clone();
        for transaction in rows {
            let key = (transaction.account.as_str(), transaction.id.as_str());
            if earlier_files.contains(&key) {
                repeated += 1;
                continue;
            }
            seen.insert(key);
            if transaction.currency != "USD" {
                *foreign.entry(transaction.currency.as_str()).or_default() += 1;
            } else if is_option(transaction) {
                options += 1;
            } else {
                entries.push(Entry { file: source.name, transaction });
            }
        }
        if repeated > 0 {
            let text = format!("{repeated} rows of {} are also in another file and count once", source.name);
            issues.push(Issue::new("repeated-rows", Severity::Note, None, text));
        }
    }
    for (currency, count) in foreign {
        let text = format!("{count} rows in {currency} are left out: foreign currency is not supported in tax yet");
        issues.push(Issue::new("foreign-currency", Severity::Warning, None, text));
    }
    if options > 0 {
        let text = format!("{options} option rows are left out: options are not supported in tax yet");
        issues.push(Issue::new("options-unsupported", Severity::Warning, None, text));
    }
    entries.sort_by_key(|entry| entry.transaction.trade_date);
    buys_before_sells_where_needed(&mut entries);
    entries
}

/// Where a day's rows would sell shares before they are bought, purchases of that day go first:
/// files that list a day in no particular order are common, short sales are not supported.
fn buys_before_sells_where_needed(entries: &mut [Entry<'_>]) {
    let mut held: BTreeMap<(String, Symbol), Shares> = BTreeMap::new();
    let mut start = 0;
    while start < entries.len() {
        let date = entries[start].transaction.trade_date;
        let end = start + entries[start..].iter().take_while(|entry| entry.transaction.trade_date == date).count();
        let mut short = false;
        let mut after = held.clone();
        for entry in &entries[start..end] {
            if let (Some(symbol), Some(shares)) = (&entry.transaction.symbol, entry.transaction.shares) {
                let key = (entry.transaction.account.clone(), symbol.clone());
                let balance = after.entry(key).or_default();
                *balance += shares;
                short |= balance.is_negative();
            }
        }
        if short {
            entries[start..end].sort_by_key(|entry| entry.transaction.shares.is_some_and(Shares::is_negative));
        }
        after.values_mut().for_each(|balance| *balance = (*balance).max(Shares::ZERO));
        held = after;
        start = end;
    }
}

/// `1 share`, `2.5 shares`.
fn counted(shares: Shares) -> String {
    if shares == Shares::from_whole(1) { "1 share".to_owned() } else { format!("{shares} shares") }
}

fn is_option(transaction: &Transaction) -> bool {
    matches!(
        transaction.action,
        Action::OptionOpen | Action::OptionClose | Action::OptionExercise | Action::OptionAssign | Action::OptionExpire
    ) || transaction.detail.as_deref().is_some_and(|detail| detail.contains("option"))
}

fn is_plain_stock(transaction: &Transaction) -> bool {
    transaction.currency == "USD" && !is_option(transaction)
}

/// Words in the name of an account that say it is a Roth account.
const ROTH_WORDS: [&str; 1] = ["ROTH"];
/// Words that say it is another account whose sales are not taxed.
const RETIREMENT_WORDS: [&str; 10] =
    ["IRA", "401K", "403B", "457B", "SEP", "SIMPLE", "HSA", "ROLLOVER", "BROKERAGELINK", "PENSION"];

fn account_kinds(
    entries: &[Entry<'_>],
    labels: &BTreeMap<&str, &str>,
    options: &BookOptions,
    issues: &mut Vec<Issue>,
) -> BTreeMap<AccountId, AccountKind> {
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.transaction.account.as_str()).collect();
    let mut kinds = BTreeMap::new();
    for name in names {
        let kind = options.account_kinds.get(name).copied().unwrap_or_else(|| {
            let label = labels.get(name).copied().unwrap_or_default();
            // `401(k)` is one word.
            let upper = format!("{name} {label}").to_ascii_uppercase().replace(['(', ')'], "");
            let has =
                |words: &[&str]| upper.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| words.contains(&part));
            let guess = if has(&ROTH_WORDS) {
                AccountKind::Roth
            } else if has(&RETIREMENT_WORDS) {
                AccountKind::Ira
            } else {
                return AccountKind::Taxable;
            };
            let called = if label.is_empty() { String::new() } else { format!(" ({label})") };
            let text = format!("the account {name}{called} is taken for a retirement account because of its name");
            issues.push(Issue::new("account-kind", Severity::Question, None, text).proposing("retirement account"));
            guess
        });
        kinds.insert(AccountId::new(name), kind);
    }
    kinds
}

struct Builder<'a> {
    options: &'a BookOptions,
    kinds: &'a BTreeMap<AccountId, AccountKind>,
    splits: &'a SplitTable,
    events: Vec<Event>,
    openings: Openings,
    cash: BTreeMap<AccountId, Money>,
    income: BTreeMap<i32, Income>,
    issues: Vec<Issue>,
    lot_count: usize,
    next_split: BTreeMap<Symbol, usize>,
    /// Fractions of a share that a split left and that cash will follow.
    fractions: BTreeMap<(AccountId, Symbol), Shares>,
}

impl Builder<'_> {
    fn take(&mut self, entry: &Entry<'_>) {
        let transaction = entry.transaction;
        let account = entry.account();
        self.splits_until(transaction.trade_date);
        *self.cash.entry(account.clone()).or_default() += transaction.amount;
        self.count_income(&account, transaction);
        let Some(symbol) = transaction.symbol.clone() else {
            if transaction.shares.is_some_and(|shares| !shares.is_zero()) {
                let text = format!(
                    "{} names no ticker ({}), so its shares are not in the lots",
                    transaction.action,
                    transaction.cusip.as_deref().unwrap_or(&transaction.description)
                );
                self.issues.push(Issue::new("no-symbol", Severity::Warning, None, text).at(entry.place()));
            }
            return;
        };
        let shares = transaction.shares.unwrap_or_default();
        if !shares.is_zero() {
            self.openings.begin(&account, &symbol, transaction.trade_date, self.events.len());
        }
        match transaction.action {
            Action::Buy | Action::Reinvest if shares.is_positive() => self.purchase(entry, account, symbol, shares),
            Action::Sell if shares.is_negative() => self.sale(entry, account, symbol, shares.abs()),
            Action::TransferIn | Action::Grant | Action::Spinoff if shares.is_positive() => {
                self.receive(entry, account, symbol, shares);
            }
            Action::Merger | Action::Other if shares.is_positive() => self.receive(entry, account, symbol, shares),
            Action::TransferOut | Action::Merger | Action::Other | Action::Spinoff if shares.is_negative() => {
                self.remove(entry, account, symbol, shares.abs());
            }
            // A split pair's leg under a new name arrives as shares without a purchase.
            Action::Split if !self.splits.covers(&symbol, transaction.trade_date) && shares.is_positive() => {
                self.receive(entry, account, symbol, shares);
            }
            Action::ReturnOfCapital if transaction.amount.is_positive() => {
                let sale = SaleId::new(&format!("roc-{}", transaction.id));
                let kind = EventKind::ReturnOfCapital { sale, amount: transaction.amount };
                if self.openings.held(&account, &symbol).is_positive() {
                    self.push(transaction.trade_date, account, symbol, kind);
                }
            }
            Action::Dividend if transaction.detail.as_deref() == Some("cash_in_lieu") => {
                if let Some(fraction) = self.fractions.remove(&(account.clone(), symbol.clone())) {
                    self.sell_fraction(entry, account, symbol, fraction);
                    return;
                }
                let text = format!(
                    "{symbol} paid {} for a fraction of a share; the file does not say how large it was, so the sale \
                     of that fraction is not in the gains",
                    transaction.amount
                );
                let issue = Issue::new("cash-in-lieu", Severity::Warning, Some(&symbol), text);
                self.issues.push(issue.at(entry.place()));
            }
            _ => {}
        }
    }

    fn push(&mut self, date: Date, account: AccountId, symbol: Symbol, kind: EventKind) {
        self.events.push(Event { date, account, symbol, kind });
    }

    fn new_lot(&mut self, symbol: &Symbol, date: Date) -> LotId {
        self.lot_count += 1;
        LotId::new(&format!("{symbol}-{date}-{}", self.lot_count))
    }

    fn purchase(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        let fee = if transaction.fees.is_negative() { Money::ZERO } else { transaction.fees };
        let paid = -transaction.amount;
        let stated = transaction.price.map(|price| price * shares);
        let amount = if paid.is_positive() {
            paid - fee
        } else if let Some(value) = stated.filter(|value| value.is_positive()) {
            let text = format!("{symbol} was bought without an amount; its basis is shares times the stated price");
            self.issues.push(Issue::new("amount-derived", Severity::Note, Some(&symbol), text).at(entry.place()));
            value
        } else {
            self.receive(entry, account, symbol, shares);
            return;
        };
        // A rebate larger than the price leaves nothing to capitalise.
        let amount = if amount.is_negative() { Money::ZERO } else { amount };
        let lot = self.new_lot(&symbol, transaction.trade_date);
        self.openings.add(&account, &symbol, shares);
        self.push(transaction.trade_date, account, symbol, EventKind::Buy { lot, shares, amount, fee });
    }

    fn sale(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        self.cover_shortage(entry, &account, &symbol, shares);
        let net = if transaction.amount.is_negative() { Money::ZERO } else { transaction.amount };
        let fee = if transaction.fees.is_negative() { Money::ZERO } else { transaction.fees };
        let kind = EventKind::Sell {
            sale: SaleId::new(&transaction.id),
            shares,
            amount: net + fee,
            fee,
            lots: LotSelection::Standing,
            identified: None,
        };
        self.openings.take(&account, &symbol, shares);
        self.push(transaction.trade_date, account, symbol, kind);
    }

    /// Cash in lieu of a fraction: received, then sold (tax rule 2.3).
    fn sell_fraction(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let transaction = entry.transaction;
        self.openings.take(&account, &symbol, shares);
        let kind = EventKind::Sell {
            sale: SaleId::new(&transaction.id),
            shares,
            amount: transaction.amount,
            fee: Money::ZERO,
            lots: LotSelection::By(Method::Fifo),
            identified: None,
        };
        self.push(transaction.trade_date, account, symbol, kind);
    }

    fn receive(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        let date = entry.transaction.trade_date;
        let lot = self.new_lot(&symbol, date);
        self.openings.add(&account, &symbol, shares);
        let text = format!(
            "{} of {symbol} came in by {} on {date} without a purchase price; the basis is unknown until you state it",
            counted(shares),
            entry.transaction.action
        );
        self.issues.push(Issue::new("unknown-basis", Severity::Question, Some(&symbol), text).at(entry.place()));
        let kind = EventKind::Open { lot, shares, basis: None, acquired: None, source: BasisSource::Unknown };
        self.push(date, account, symbol, kind);
    }

    fn remove(&mut self, entry: &Entry<'_>, account: AccountId, symbol: Symbol, shares: Shares) {
        self.cover_shortage(entry, &account, &symbol, shares);
        self.openings.take(&account, &symbol, shares);
        self.push(entry.transaction.trade_date, account, symbol, EventKind::Remove { shares });
    }

    /// A sale of more than the files show was bought: the rest was held before the files begin.
    fn cover_shortage(&mut self, entry: &Entry<'_>, account: &AccountId, symbol: &Symbol, wanted: Shares) {
        let missing = wanted - self.openings.held(account, symbol);
        if missing.is_positive() {
            self.openings.owe(account, symbol, missing);
            let text = format!(
                "{missing} of the {} of {symbol} that left on {} were bought before the files begin; their basis is \
                 unknown, so this sale's gain is unknown in part",
                counted(wanted),
                entry.transaction.trade_date
            );
            self.issues
                .push(Issue::new("history-incomplete", Severity::Question, Some(symbol), text).at(entry.place()));
        }
    }

    fn splits_until(&mut self, date: Date) {
        let splits = self.splits;
        for (symbol, known) in splits.iter() {
            let next = self.next_split.entry(symbol.clone()).or_default();
            while let Some(split) = known.get(*next).filter(|split| split.date <= date) {
                *next += 1;
                let holders = self.openings.split(symbol, split.ratio);
                for (account, before) in &holders {
                    let Some(&booked) = split.booked.get(account) else { continue };
                    let fraction = split.ratio.apply(*before) - (*before + booked);
                    if fraction.is_positive() && fraction < Shares::from_whole(1) {
                        self.fractions.insert((account.clone(), symbol.clone()), fraction);
                    }
                }
                if let Some((account, _)) = holders.into_iter().next() {
                    let kind = EventKind::Split {
                        new: Shares::from_billionths(split.ratio.new * 1_000_000_000),
                        old: Shares::from_billionths(split.ratio.old * 1_000_000_000),
                    };
                    self.events.push(Event { date: split.date, account, symbol: symbol.clone(), kind });
                }
            }
        }
    }

    fn count_income(&mut self, account: &AccountId, transaction: &Transaction) {
        if !self.kinds.get(account).is_some_and(|kind| kind.is_taxable()) {
            return;
        }
        let income = self.income.entry(transaction.trade_date.year()).or_default();
        match transaction.action {
            Action::Dividend => income.dividends += transaction.amount,
            Action::Interest => income.interest += transaction.amount,
            Action::CapitalGainDistribution => income.capital_gain_distributions += transaction.amount,
            _ => {}
        }
    }

    /// Where a file states its positions at the end of the books and holds more than its rows
    /// explain, the difference was there before.
    fn reconcile_positions(&mut self, sources: &[Source<'_>]) {
        for source in sources {
            let complete =
                source.statement.transactions.iter().all(|transaction| transaction.trade_date <= self.options.as_of);
            for position in &source.statement.positions {
                let (Some(symbol), true) = (&position.symbol, complete) else { continue };
                if position.as_of.is_some_and(|date| date > self.options.as_of) {
                    continue;
                }
                let account = AccountId::new(&position.account);
                self.openings.begin(&account, symbol, self.options.as_of, self.events.len());
                let missing = position.shares - self.openings.held(&account, symbol);
                if missing.is_positive() {
                    self.openings.owe(&account, symbol, missing);
                    self.openings.add(&account, symbol, missing);
                    let text = format!(
                        "the broker states {} of {symbol}, the rows explain {missing} fewer; their basis is unknown \
                         until you state it",
                        counted(position.shares)
                    );
                    let place = format!("{}:{}", source.name, position.row);
                    self.issues.push(Issue::new("unknown-basis", Severity::Question, Some(symbol), text).at(place));
                } else if missing.is_negative() {
                    let text = format!(
                        "the broker states {} of {symbol}, the rows add up to {} more",
                        counted(position.shares),
                        missing.abs()
                    );
                    let place = format!("{}:{}", source.name, position.row);
                    self.issues.push(Issue::new("position-differs", Severity::Warning, Some(symbol), text).at(place));
                }
            }
        }
    }

    fn ledger(&mut self, kinds: &BTreeMap<AccountId, AccountKind>) -> Ledger {
        let events = std::mem::take(&mut self.events);
        let mut ordered = Vec::with_capacity(events.len());
        let mut openings = self.openings.owed().into_iter().peekable();
        for (place, event) in events.into_iter().map(Some).chain([None]).enumerate() {
            while let Some(opening) = openings.next_if(|opening| opening.place <= place) {
                let lot = LotId::new(&format!("{}-before-{}", opening.symbol, opening.account));
                let source = BasisSource::Unknown;
                let kind = EventKind::Open { lot, shares: opening.shares, basis: None, acquired: None, source };
                let (date, account, symbol) = (opening.date, opening.account, opening.symbol);
                ordered.push(Event { date, account, symbol, kind });
            }
            ordered.extend(event);
        }
        let accounts =
            kinds.iter().map(|(id, &kind)| Account { id: id.clone(), kind, method: self.options.method }).collect();
        Ledger { accounts, events: ordered }
    }
}
