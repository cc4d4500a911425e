//! The year's reports: Form 8949, Schedule D and TXF (tax section 6), and the comparison with what
//! brokers reported.
//!
//! Totals are sums of printed rows, never of what was there before rounding.

mod form;
mod reconcile;
mod row;
mod schedule_d;
mod txf;

use lotwise_core::{AccountKind, Date, Money};

use crate::error::Error;
use crate::model::{Account, AccountId, SaleRow, Term};
use crate::year::{FilingStatus, Parameters};

pub use self::form::{Acquired, Codes, DIGITAL_BOXES_FROM, FormBox, Reporting, SecurityKind, us_date};
pub use self::reconcile::{BoxSums, BrokerRow, Cause, Difference, Field, Figure, OwnSide, Reconciliation, reconcile};
pub use self::row::{Amounts, AsReported, FormRow, RowFacts, RowNote, form_row};
pub use self::schedule_d::{BroughtIn, LineTotals, Listing, PartLines, ScheduleD};
pub use self::txf::{TxfRefusal, txf, txf_record};

use self::row::Draft;

/// Whether rows of one order may share a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// One row per sold segment.
    #[default]
    Segments,
    /// Segments of one order in one box become one row, `VARIOUS` where their dates differ.
    Orders,
}

/// How the report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportOptions {
    /// Cents or whole dollars.
    pub amounts: Amounts,
    /// Which rows stand on Form 8949.
    pub listing: Listing,
    /// One row per segment or per order.
    pub grouping: Grouping,
}

/// What a year's report is made from.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// Tax year.
    pub year: i32,
    /// Filing status: it decides whose accounts count, and the loss limit.
    pub status: FilingStatus,
    /// Sold segments of any year.
    pub sales: &'a [SaleRow],
    /// Accounts that are loaded.
    pub accounts: &'a [Account],
    /// The books are complete before this day; losses whose window reaches it are tentative.
    pub as_of: Date,
    /// Carryovers and distributions.
    pub brought_in: BroughtIn,
    /// Layout.
    pub options: ReportOptions,
}

/// Why an account's sales are in the report, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountPart {
    /// Its sales are reported.
    Reported,
    /// A retirement account: its sales are not reported, its purchases count for wash sales.
    Retirement,
    /// The spouse's account, and the return is not a joint one: its sales are on the spouse's own
    /// return, its purchases count for wash sales.
    SpousesOwnReturn,
}

impl AccountPart {
    /// The part of an account of this kind under a filing status.
    #[must_use]
    pub fn of(kind: AccountKind, status: FilingStatus) -> Self {
        match kind {
            AccountKind::SpouseTaxable if status != FilingStatus::MarriedJoint => Self::SpousesOwnReturn,
            kind if kind.is_taxable() => Self::Reported,
            _ => Self::Retirement,
        }
    }
}

/// The whole report of a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearReport {
    /// Tax year.
    pub year: i32,
    /// Filing status.
    pub status: FilingStatus,
    /// Accounts loaded and the part of each. No other account was looked at.
    pub accounts: Vec<(AccountId, AccountKind, AccountPart)>,
    /// Every row, by box (those without one last), then date, then order of sale.
    pub rows: Vec<FormRow>,
    /// Schedule D of the rows whose basis and term are known.
    pub schedule_d: ScheduleD,
    /// What is possible where a basis or a term is not known.
    pub range: Option<ReportRange>,
    /// Limit on losses against other income.
    pub loss_limit: Money,
    /// Layout.
    pub options: ReportOptions,
}

/// The lowest and highest result that unknown basis and dates allow (tax rule 6.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRange {
    /// Rows whose basis or term is not known.
    pub rows: usize,
    /// With the highest gain: the least basis, the term short-term where it is unknown.
    pub highest: ScheduleD,
    /// With the lowest gain: the greatest basis, the term long-term where it is unknown and a gain,
    /// short-term where it is a loss; `None` where a basis has no upper limit.
    pub lowest: Option<ScheduleD>,
}

impl YearReport {
    /// Rows that stand on Form 8949, by box.
    #[must_use]
    pub fn form_8949(&self) -> Vec<(FormBox, Vec<&FormRow>)> {
        let mut pages: Vec<(FormBox, Vec<&FormRow>)> = Vec::new();
        for row in &self.rows {
            let Some(of) = row.form_box() else { continue };
            if self.options.listing == Listing::AdjustedOnly && row.can_be_totalled() {
                continue;
            }
            match pages.last_mut() {
                Some((page, rows)) if *page == of => rows.push(row),
                _ => pages.push((of, vec![row])),
            }
        }
        pages
    }

    /// Rows that cannot be filed: basis or acquisition date unknown.
    pub fn open_rows(&self) -> impl Iterator<Item = &FormRow> {
        self.rows.iter().filter(|row| row.gain.is_none() || row.term.is_none())
    }
}

/// Makes the report of a year. `facts` says what the booking does not know of a segment.
///
/// # Errors
/// [`Error::UnknownYear`] for a year without a loss limit, [`Error::OutOfRange`] for a negative
/// carryover.
pub fn year_report(input: &ReportInput<'_>, facts: impl Fn(&SaleRow) -> RowFacts) -> Result<YearReport, Error> {
    let loss_limit = Parameters::of(input.year, input.status)?.loss_limit;
    for (field, amount) in [
        ("short-term carryover", input.brought_in.short_carryover),
        ("long-term carryover", input.brought_in.long_carryover),
    ] {
        if amount.is_negative() {
            return Err(Error::OutOfRange { field, of: input.year.to_string() });
        }
    }
    let accounts: Vec<_> = input
        .accounts
        .iter()
        .map(|account| (account.id.clone(), account.kind, AccountPart::of(account.kind, input.status)))
        .collect();
    let reported = |row: &&SaleRow| {
        row.sold.year() == input.year
            && accounts.iter().any(|(id, _, part)| *id == row.account && *part == AccountPart::Reported)
    };
    let drafts = input.sales.iter().filter(reported).map(|row| Draft::of(row, &facts(row), input.as_of));
    let drafts = match input.options.grouping {
        Grouping::Segments => drafts.collect(),
        Grouping::Orders => joined(drafts),
    };
    let amounts = input.options.amounts;
    let mut rows: Vec<FormRow> = drafts.into_iter().map(|draft| draft.finish(amounts)).collect();
    // `None` sorts first, so a row without a box is told apart before.
    rows.sort_by_key(|row| (row.term.is_none(), row.form_box(), row.sold));
    let schedule = |rows: &[FormRow]| ScheduleD::of(rows, input.brought_in, loss_limit, input.options.listing, amounts);
    let schedule_d = schedule(&rows);
    let open = rows.iter().filter(|row| row.gain.is_none() || row.term.is_none()).count();
    let range = (open > 0).then(|| ReportRange {
        rows: open,
        highest: schedule(&rows.iter().map(highest).collect::<Vec<_>>()),
        lowest: rows.iter().map(lowest).collect::<Option<Vec<_>>>().map(|rows| schedule(&rows)),
    });
    Ok(YearReport {
        year: input.year,
        status: input.status,
        accounts,
        rows,
        schedule_d,
        range,
        loss_limit,
        options: input.options,
    })
}

fn joined(drafts: impl Iterator<Item = Draft>) -> Vec<Draft> {
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        match kept.iter_mut().rev().take_while(|one| one.of_same_order(&draft)).find(|one| one.joins(&draft)) {
            Some(one) => one.join(draft),
            None => kept.push(draft),
        }
    }
    kept
}

fn with_basis(row: &FormRow, basis: Money) -> FormRow {
    FormRow { basis: Some(basis), gain: Some(row.proceeds - basis + row.adjustment), ..row.clone() }
}

/// The row with the highest gain that is possible, at the dearer term.
fn highest(row: &FormRow) -> FormRow {
    let mut row = match (row.basis, row.basis_between) {
        (None, Some((low, _))) => with_basis(row, low),
        _ => row.clone(),
    };
    let loss = row.gain.is_some_and(Money::is_negative);
    row.term = row.term.or(Some(if loss { Term::Long } else { Term::Short }));
    row
}

/// The row with the lowest gain that is possible, at the cheaper term.
fn lowest(row: &FormRow) -> Option<FormRow> {
    let mut row = match (row.basis, row.basis_between) {
        (None, Some((_, high))) => with_basis(row, high?),
        _ => row.clone(),
    };
    let loss = row.gain.is_some_and(Money::is_negative);
    row.term = row.term.or(Some(if loss { Term::Short } else { Term::Long }));
    Some(row)
}
