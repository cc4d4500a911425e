//! One run over a history: files read, books made and booked, prices opened.

use std::path::PathBuf;

use lotwise_advisor::advise::{AdviceInput, AdviceOptions};
use lotwise_advisor::books::{self, BookOptions, Books, Source};
use lotwise_advisor::guardrails::Limits;
use lotwise_advisor::portfolio::Portfolio;
use lotwise_advisor::tax_profile::TaxProfile;
use lotwise_advisor::{BookAnswers, Issue, Severity};
use lotwise_core::{Date, Money, Objective};
use lotwise_market::AsOf;
use lotwise_statements::Answers;
use lotwise_tax::{Book, Booking, FilingStatus, FlatRates, Method, Parameters, Rules};

use crate::answers::read_answers;
use crate::args::{HistoryArgs, MethodArg};
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::input::{History, HistoryOptions, require_histories, require_stored, row_errors, short_name};
use crate::market::Market;
use crate::output::{Figures, Report, Warning};
use crate::settings::Settings;
use crate::store::{DataFolder, DerivedLot, Ledger};

/// Prices this many days before the day asked for are too old to advise on.
const OLDEST_PRICES_DAYS: i32 = 7;

/// Whether a command can do without prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceNeed {
    /// It cannot.
    Required,
    /// It shows less.
    Optional,
}

/// What a run starts from.
pub struct SessionInput {
    /// Files, already read.
    pub histories: Vec<History>,
    /// Files that name the lots of sales, already read.
    pub lots: Vec<History>,
    /// Answers to the questions of the files and of the books.
    pub answers: Answers,
    /// Price file or folder; the local cache without one.
    pub prices: Option<PathBuf>,
    /// End of the books; today without one.
    pub as_of: Option<Date>,
    /// Standing lot method.
    pub method: Method,
}

/// A history with its books and prices.
pub struct Session {
    /// End of the books.
    pub as_of: Date,
    /// The household's books.
    pub books: Books,
    /// The books, booked, and open for sales that have not happened.
    pub book: Book,
    /// What is in the book.
    pub booking: Booking,
    /// Policy switches that were used.
    pub rules: Rules,
    /// Prices, sectors and corporate actions.
    pub market: Option<Market>,
    /// Settings with the rates given as flags.
    pub settings: Settings,
    /// Rows that could not be read; figures without them may be wrong, so they end the run with 3.
    pub unread: Failure,
}

impl Session {
    /// Reads the files named on the command line, or else what was imported, and makes the books.
    ///
    /// # Errors
    /// When a file or the prices cannot be read, or the books do not add up.
    pub fn of_arguments(
        input: &HistoryArgs,
        method: MethodArg,
        need: PriceNeed,
        context: &Context,
    ) -> Result<Self, Failure> {
        let histories = histories(input, context)?;
        let settings = context.settings_with(&input.rates)?;
        let answers = input.reading.answers.as_deref().map(read_answers).transpose()?.unwrap_or_default();
        let lots = require_lots(&input.lots, &answers, context)?;
        let (prices, as_of, method_of_lots) = (input.prices.clone(), input.as_of, method.to_method());
        let start = SessionInput { histories, lots, answers, prices, as_of, method: method_of_lots };
        let session = Self::start(&start, need, settings, context)?;
        if input.history.is_empty() && input.account.is_none() && input.lots.is_empty() {
            session.keep_lots(method, context);
        }
        Ok(session)
    }

    /// Keeps the open lots beside the ledger that they were derived from. It is only a cache, so that nothing
    /// is said where it cannot be written.
    fn keep_lots(&self, method: MethodArg, context: &Context) {
        let lots: Vec<DerivedLot> = self
            .booking
            .open_lots
            .iter()
            .map(|lot| DerivedLot {
                account: lot.account.as_str().to_owned(),
                symbol: lot.symbol.clone(),
                lot: lot.lot.as_str().to_owned(),
                shares: lot.shares,
                basis: lot.basis,
                acquired: lot.acquired,
                holding_from: lot.holding_from,
                washed: lot.washed,
            })
            .collect();
        let keep = || {
            let ledger = Ledger::open(&DataFolder::of(&context.settings)?)?;
            let Some(ledger) = ledger else { return Ok(()) };
            let rules = crate::store::digest(format!("{:?}", self.rules).as_bytes());
            let key = ledger.derived_key(&format!("{}:{}:{rules}", self.as_of, method.name()))?;
            ledger.keep_derived(&key, &lots)
        };
        if let Err(CliError { message, .. }) = keep() {
            context.style.detail(&format!("the derived lots were not kept: {message}"));
        }
    }

    /// Makes the books.
    ///
    /// # Errors
    /// When the prices cannot be read or the books do not add up.
    pub fn start(
        input: &SessionInput,
        need: PriceNeed,
        settings: Settings,
        context: &Context,
    ) -> Result<Self, Failure> {
        let as_of = input.as_of.unwrap_or_else(|| context.today());
        let symbols = input
            .histories
            .iter()
            .flat_map(|history| &history.statement.transactions)
            .filter_map(|transaction| transaction.symbol.clone())
            .collect();
        let market = match (&input.prices, need) {
            (Some(path), _) => Some(Market::open(path)?),
            (None, PriceNeed::Required) => Some(Market::cached(&symbols, need, context)?),
            (None, PriceNeed::Optional) => Market::cached(&symbols, need, context).ok(),
        };
        let none = lotwise_market::CorporateActions::default();
        let actions = market.as_ref().map_or(&none, |market| &market.actions);
        let sources: Vec<Source<'_>> = input
            .histories
            .iter()
            .map(|history| Source::history(short_name(&history.file), &history.statement))
            .chain(input.lots.iter().map(|lots| Source::lots(short_name(&lots.file), &lots.statement)))
            .collect();
        let rules =
            Rules { identity_groups: settings.identity_groups.clone(), rates: settings.rates, ..Rules::default() };
        let answers = BookAnswers::from(&input.answers);
        let options = BookOptions { method: input.method, rules: rules.clone(), answers, ..BookOptions::until(as_of) };
        let mut books = books::build(&sources, actions, &options);
        let book = Book::of(&books.ledger, &rules).map_err(|error| refused(&error.into()))?;
        let booking = book.booking();
        let reviewed = books.review(&booking);
        books.issues.extend(reviewed);
        let unread = input
            .histories
            .iter()
            .chain(&input.lots)
            .flat_map(|history| row_errors(&history.file, &history.text, &history.statement.quarantined));
        let unread = Failure(unread.collect());
        Ok(Self { as_of, books, book, booking, rules, market, settings, unread })
    }

    /// The market at the end of the books.
    ///
    /// # Errors
    /// When there are no prices, or they end too early.
    pub fn market_as_of(&self) -> Result<(&Market, AsOf<'_>), Failure> {
        let market = self.market.as_ref().ok_or_else(no_prices)?;
        let as_of = market.panel.as_of(self.as_of).ok_or_else(|| {
            let first = market.panel.sessions().first().map(ToString::to_string).unwrap_or_default();
            CliError::new(
                "no-prices-yet",
                Exit::DataMissing,
                format!("the prices begin on {first}, after {}", self.as_of),
            )
            .help("name a later day with --as-of")
        })?;
        let age = self.as_of.days_since(as_of.date());
        if age > OLDEST_PRICES_DAYS {
            let message = format!("the last prices are of {}, {age} days before {}", as_of.date(), self.as_of);
            let help = format!("fetch newer ones (lotwise prices fetch), or look back with --as-of {}", as_of.date());
            return Err(CliError::new("prices-too-old", Exit::DataMissing, message).help(help).into());
        }
        Ok((market, as_of))
    }

    /// The portfolio at the end of the books, where there are prices.
    ///
    /// # Errors
    /// When there are prices and they end too early.
    pub fn portfolio(&self) -> Result<Option<(Portfolio, Vec<Issue>)>, Failure> {
        if self.market.is_none() {
            return Ok(None);
        }
        let (market, as_of) = self.market_as_of()?;
        Ok(Some(Portfolio::build(&self.books, &self.booking, &as_of, market.table_end())))
    }

    /// What advice is computed from.
    ///
    /// # Errors
    /// As [`Session::market_as_of`].
    pub fn advice_input(&self) -> Result<AdviceInput<'_>, Failure> {
        let (market, as_of) = self.market_as_of()?;
        Ok(AdviceInput {
            books: &self.books,
            book: &self.book,
            booking: &self.booking,
            market: as_of,
            table_end: market.table_end(),
            tickers: market.tickers.as_ref(),
        })
    }

    /// The options of advice: limits, rules and rates of the settings.
    #[must_use]
    pub fn advice_options(&self, objective: Objective) -> AdviceOptions {
        let mut options = AdviceOptions::for_objective(objective);
        let limits = self.settings.limits;
        options.plan.limits =
            Limits { max_position: limits.max_position, max_order: limits.max_order, daily_loss: limits.daily_loss };
        options.rules = self.rules.clone();
        options.tax = self.tax_profile();
        options
    }

    /// Flat rates with the state's, as stated or assumed.
    #[must_use]
    pub fn tax_profile(&self) -> TaxProfile {
        let (federal, state) = (self.settings.rates, self.settings.state);
        let rates = FlatRates { short: federal.short + state.short, long: federal.long + state.long };
        let status = self.settings.status.unwrap_or(FilingStatus::Single);
        let limit =
            Parameters::of(self.as_of.year(), status).map_or(Money::from_whole(3_000), |found| found.loss_limit);
        TaxProfile::Flat { rates, loss_limit: limit }
    }

    /// How tax is computed, with the rates and whether they were stated.
    #[must_use]
    pub fn tax_label(&self) -> String {
        let profile = self.tax_profile();
        let rates = profile.rates();
        let stated = self.settings.stated("short_rate") && self.settings.stated("long_rate");
        format!(
            "{}; {} on short-term and {} on long-term gains, {}",
            profile.label(),
            crate::output::percent_text(rates.short, 1),
            crate::output::percent_text(rates.long, 1),
            if stated { "as you stated" } else { "assumed: state yours with --short-rate and --long-rate" }
        )
    }

    /// Which accounts are loaded: wherever a wash sale is said to be there or not, this belongs beside it.
    #[must_use]
    pub fn accounts_text(&self, figures: Figures) -> String {
        let accounts = self.books.ledger.accounts.iter();
        let names: Vec<String> =
            accounts.map(|account| format!("{} ({})", figures.account(account.id.as_str()), account.kind)).collect();
        accounts_seen(&names)
    }

    /// A report with the session's warnings and the rows that could not be read.
    #[must_use]
    pub fn report(self, report: Report, issues: &[Issue], context: &Context) -> Report {
        let mut report = report.warnings(self.warnings(issues, context));
        report.errors = self.unread;
        report
    }

    /// Warnings from issues, notes last.
    #[must_use]
    pub fn warnings(&self, issues: &[Issue], context: &Context) -> Vec<Warning> {
        let mut sorted: Vec<&Issue> = issues.iter().collect();
        sorted.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
        let prices = self.market.iter().flat_map(|market| market.warnings.iter().cloned());
        sorted.into_iter().map(|issue| warning(issue, context)).chain(prices).collect()
    }
}

/// The files named on the command line, or else what was imported.
///
/// # Errors
/// When a file or the ledger cannot be read, or there is neither.
pub fn histories(input: &HistoryArgs, context: &Context) -> Result<Vec<History>, Failure> {
    if input.history.is_empty() {
        return require_stored(input.account.as_deref(), context);
    }
    let options =
        HistoryOptions { format: input.format.clone(), account: input.account.clone(), ..HistoryOptions::default() }
            .with(&input.reading)?;
    require_histories(&input.history, &options, context)
}

/// The sentence about accounts that are loaded and those that are not.
#[must_use]
pub fn accounts_seen(names: &[String]) -> String {
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!(
        "Accounts seen: {names}. Purchases in accounts that are not loaded, your spouse's and IRAs included, can wash a loss."
    )
}

fn warning(issue: &Issue, context: &Context) -> Warning {
    let mut message = context.figures().sentence(&issue.text);
    if issue.severity == Severity::Question
        && let Some(proposed) = issue.proposed.as_ref().filter(|proposed| *proposed != "unknown")
    {
        message = format!("{message}; until you say otherwise: {proposed}");
    }
    // The key names accounts, which privacy masks.
    if let Some(key) = issue.key.as_ref().filter(|_| !context.figures().masked()) {
        message = format!("{message} (to answer: {key})");
    }
    let warning = Warning::new(issue.code, message);
    match issue.place.as_deref().and_then(|place| place.rsplit_once(':')) {
        Some((file, row)) => warning.at(Place { line: row.parse().ok(), ..Place::file(file) }),
        None => warning,
    }
}

/// Reads files that name the lots of sales.
///
/// # Errors
/// When a file cannot be read, or names no lots.
pub fn require_lots(paths: &[PathBuf], answers: &Answers, context: &Context) -> Result<Vec<History>, Failure> {
    let options = HistoryOptions { answers: answers.clone(), ..HistoryOptions::default() };
    let lots = require_histories(paths, &options, context)?;
    let without = lots.iter().filter(|file| file.statement.transactions.iter().all(|row| row.lots.is_empty()));
    let errors: Vec<CliError> = without
        .map(|file| {
            CliError::new("no-lots", Exit::Input, "the file names no lots")
                .at(Place::file(&file.file))
                .help("name a report of realised lots here, and a history with --history")
        })
        .collect();
    if errors.is_empty() { Ok(lots) } else { Err(Failure(errors)) }
}

/// What the advisor refuses, as an error for people.
pub fn refused(error: &lotwise_advisor::Error) -> Failure {
    use lotwise_advisor::Error as Advisor;
    match error {
        Advisor::Tax(tax) => CliError::new("ledger", Exit::Input, tax.to_string())
            .help("check the rows of the files with lotwise import --dry-run"),
        Advisor::Policy(policy) => CliError::new("policy", Exit::Usage, policy.to_string())
            .help(format!("the policies are {}", lotwise_sim::policy::names().join(", "))),
        Advisor::NothingPriced => CliError::new("nothing-priced", Exit::DataMissing, error.to_string())
            .help("name a price table that has your symbols with --prices, or fetch them with lotwise prices fetch"),
        Advisor::NothingHeld(_) => CliError::new("nothing-held", Exit::Input, error.to_string())
            .help("name all files of the account, or another day with --as-of"),
    }
    .into()
}

fn no_prices() -> Failure {
    CliError::new("no-prices", Exit::DataMissing, "there are no prices for this")
        .help("name a price table with --prices, or fetch prices with lotwise prices fetch SYMBOL")
        .into()
}
