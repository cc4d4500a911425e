//! What exports say of a tax year: reportable gains, dividends and interest.

use lotwise_advisor::suggestion::count;
use lotwise_core::{Date, Money};
use lotwise_tax::{Household, SaleRow, Term};

use crate::advice::{PriceNeed, Session, SessionInput, require_lots};
use crate::answers::read_answers;
use crate::args::TaxEstimateArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::input::{History, HistoryOptions, require_histories, stored_histories};
use crate::output::{Figures, Warning};
use crate::settings::Settings;

/// A loss is washed by purchases up to this many days after it.
const WINDOW_DAYS: i32 = 30;

/// The year's figures in the files.
pub struct YearOfHistory {
    year: i32,
    sales: usize,
    short: Money,
    long: Money,
    disallowed: Money,
    dividends: Money,
    distributions: Money,
    interest: Money,
    miscellaneous: Money,
    tax_exempt: Money,
    margin_interest: Money,
    accounts: String,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// Rows that could not be read.
    pub unread: Failure,
}

/// What the command works with beside the amounts: the files named, else what was imported, else nothing.
///
/// # Errors
/// When a file or the ledger cannot be read.
pub fn histories(arguments: &TaxEstimateArgs, context: &Context) -> Result<Option<Vec<History>>, Failure> {
    match (arguments.by_hand, arguments.history.is_empty()) {
        (true, _) => Ok(None),
        (false, true) => stored_histories(None, context),
        (false, false) => {
            let answers = arguments.answers.as_deref().map(read_answers).transpose()?.unwrap_or_default();
            let options = HistoryOptions { answers, ..HistoryOptions::default() };
            require_histories(&arguments.history, &options, context).map(Some)
        }
    }
}

/// Books the files to the end of the year and the window after it.
///
/// # Errors
/// When the books do not add up, or a sale of the year has no known basis.
pub fn of_year(
    histories: Vec<History>,
    arguments: &TaxEstimateArgs,
    settings: Settings,
    context: &Context,
) -> Result<YearOfHistory, Failure> {
    let year = arguments.year;
    let year_end = Date::from_ymd(year, 12, 31).unwrap_or(Date::MAX);
    let as_of = year_end.plus_days(WINDOW_DAYS).min(context.today());
    let answers = arguments.answers.as_deref().map(read_answers).transpose()?.unwrap_or_default();
    let lots = require_lots(&arguments.lots, &answers, context)?;
    let method = arguments.method.to_method();
    let input = SessionInput { histories, lots, answers, prices: None, as_of: Some(as_of), method };
    let session = Session::start(&input, PriceNeed::Optional, settings, context)?;
    let mut warnings = session.warnings(&session.books.issues, context);
    if context.today() <= year_end.plus_days(WINDOW_DAYS) {
        let message = format!("losses of {year} stay tentative until {}", year_end.plus_days(WINDOW_DAYS).long());
        warnings.push(Warning::new("window-open", message));
    }
    let income = session.books.income.get(&year).copied().unwrap_or_default();
    let mut found = YearOfHistory {
        year,
        sales: 0,
        short: Money::ZERO,
        long: Money::ZERO,
        disallowed: Money::ZERO,
        dividends: income.dividends,
        distributions: income.capital_gain_distributions,
        interest: income.interest,
        miscellaneous: income.miscellaneous,
        tax_exempt: income.tax_exempt,
        margin_interest: income.margin_interest,
        accounts: session.accounts_text(context.figures()),
        warnings,
        unread: session.unread.clone(),
    };
    let mut unknown = 0;
    let accounts = &session.books.ledger.accounts;
    let taxed = |sale: &&SaleRow| accounts.iter().any(|own| own.id == sale.account && own.kind.is_taxable());
    for sale in session.booking.sales.iter().filter(|sale| sale.sold.year() == year).filter(taxed) {
        found.sales += 1;
        found.disallowed += sale.disallowed;
        match (sale.reportable, sale.term) {
            (Some(gain), Some(Term::Short)) => found.short += gain,
            (Some(gain), Some(Term::Long)) => found.long += gain,
            // Nothing gained has no need of a term.
            (Some(gain), None) if gain.is_zero() => {}
            _ => unknown += 1,
        }
    }
    if unknown > 0 {
        let message = format!(
            "the basis or date of {} of {year} is not known, so the gain is not",
            count(unknown, "sold segment")
        );
        return Err(CliError::new("unknown-basis", Exit::DataMissing, message)
            .help("name or import the older files too, or enter the gains with --by-hand")
            .into());
    }
    Ok(found)
}

impl YearOfHistory {
    /// Adds the figures to what was entered by hand.
    ///
    /// # Errors
    /// When more qualified dividends were stated than the files have.
    pub fn add_to(&self, household: &mut Household) -> Result<(), Failure> {
        let qualified = household.qualified_dividends;
        if qualified > self.dividends {
            return Err(CliError::new(
                "too-many-qualified",
                Exit::Usage,
                "more qualified dividends are stated than the files have dividends",
            )
            .help("with --history, --qualified-dividends says how much of the dividends in the files is qualified")
            .into());
        }
        household.short_term_gain += self.short;
        household.long_term_gain += self.long + self.distributions;
        household.ordinary_dividends_nonqualified += self.dividends - qualified;
        household.interest += self.interest;
        household.other_ordinary_income += self.miscellaneous;
        Ok(())
    }

    /// What was taken from the files, in sentences.
    pub fn assumptions(&self, figures: Figures) -> Vec<String> {
        let mut list = vec![format!(
            "the files have {} in {}: {} short-term and {} long-term, with {} of losses disallowed by wash sales",
            count(self.sales, "sold segment"),
            self.year,
            figures.dollar_change(self.short),
            figures.dollar_change(self.long),
            figures.dollars(self.disallowed),
        )];
        if !self.dividends.is_zero() {
            list.push(format!(
                "of {} of dividends in the files only what --qualified-dividends states is taken as qualified",
                figures.dollars(self.dividends)
            ));
        }
        if !self.distributions.is_zero() {
            let amount = figures.dollars(self.distributions);
            list.push(format!("{amount} of capital gain distributions are taken as long-term"));
        }
        if !self.interest.is_zero() {
            list.push(format!("{} of interest are in the files", figures.dollars(self.interest)));
        }
        // The list has no final periods.
        list.push(self.accounts.trim_end_matches('.').to_owned());
        for (amount, text) in [
            (self.miscellaneous, "of miscellaneous income in the files count as other income"),
            (self.tax_exempt, "of tax-exempt dividends and interest in the files are left out"),
            (self.margin_interest, "of margin interest paid are left out: they count only as an itemised deduction"),
        ] {
            if !amount.is_zero() {
                list.push(format!("{} {text}", figures.dollars(amount)));
            }
        }
        list
    }
}
