//! The sentences of a tax report: what was assumed, which accounts were looked at, and what the notes
//! on rows say.

use lotwise_tax::report::{AccountPart, Listing, RowNote, SecurityKind, YearReport};

use super::rows_by_account;
use crate::advice::Session;
use crate::args::{TaxReportArgs, method_name};
use crate::output::Figures;

/// `1 row`, `2 rows`.
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What a note says, and its stable name for programs.
pub fn note(note: &RowNote, figures: Figures) -> (&'static str, String) {
    match note {
        RowNote::TermFrom(from) => (
            "term-from",
            format!(
                "the term counts from {}, since a holding period was added; column (b) shows the purchase",
                from.long()
            ),
        ),
        RowNote::TentativeUntil(until) => {
            ("tentative", format!("tentative: a purchase until {} can disallow more of this loss", until.long()))
        }
        RowNote::LostForGood(amount) => (
            "lost-for-good",
            format!(
                "{} of the loss is gone for good: the replacement is in a retirement account",
                figures.dollars(*amount)
            ),
        ),
        RowNote::UnknownBasis => ("unknown-basis", "the basis is not known, so this row cannot be filed".to_owned()),
        RowNote::AverageOnly => (
            "average-only",
            "only an average basis is known, so the gain is a range and this row cannot be filed".to_owned(),
        ),
        RowNote::UnknownDate => ("unknown-date", "the date of purchase is not known, so the term is open".to_owned()),
        RowNote::Expired => (
            "expired",
            "the option lapsed: on paper write EXPIRED in column (d) if it was held, in column (e) if it was written"
                .to_owned(),
        ),
    }
}

/// Which accounts were looked at, and that no other was.
pub fn accounts(report: &YearReport, figures: Figures) -> Vec<String> {
    let rows = rows_by_account(report);
    let mut list: Vec<String> = report
        .accounts
        .iter()
        .map(|(id, kind, part)| {
            let name = figures.account(id.as_str());
            let kind = kind.name().replace('_', " ");
            match part {
                AccountPart::Reported => {
                    let count = rows.get(id.as_str()).copied().unwrap_or(0);
                    format!("{name} ({kind}): {}", counted(count, "row"))
                }
                AccountPart::Retirement => {
                    format!("{name} ({kind}): its sales are not reported, its purchases count for wash sales")
                }
                AccountPart::SpousesOwnReturn => format!(
                    "{name} ({kind}): its sales are on your spouse's own return, its purchases count for wash sales"
                ),
            }
        })
        .collect();
    list.push(
        "No other account is loaded: a purchase elsewhere, in an IRA or by your spouse, can still disallow a loss."
            .to_owned(),
    );
    list
}

/// How the report was made.
pub fn assumptions(arguments: &TaxReportArgs, session: &Session, report: &YearReport, figures: Figures) -> Vec<String> {
    let mut list = Vec::new();
    if arguments.reconcile.is_empty() {
        list.push(
            "Brokers are taken to have reported basis (boxes A and D) for stocks bought from 2011, funds from 2012 and \
             options from 2014, and proceeds alone (B and E) otherwise; --reported-as says it by symbol or lot, and \
             --fund names the funds."
                .to_owned(),
        );
    } else {
        list.push(
            "The boxes follow the broker's form where it lists the sale; what it does not list of its accounts goes into \
             boxes C and F, and other accounts follow the dates of purchase."
                .to_owned(),
        );
    }
    if report.rows.iter().any(|row| row.kind == SecurityKind::DigitalAsset) {
        list.push(
            "Digital assets are taken to be in boxes H and K, and G and J if bought from 2026; before 2025 no form \
             reported them."
                .to_owned(),
        );
    }
    list.push(
        "Column (b) is the actual date of purchase; where a wash sale, a gift or an exchange brought a holding period \
         along, the term follows that, with a note."
            .to_owned(),
    );
    if report.options.listing == Listing::AdjustedOnly {
        list.push(
            "Rows with basis reported and without adjustment are only in lines 1a and 8a of Schedule D.".to_owned(),
        );
    }
    if arguments.taxable_income.is_none() && !report.schedule_d.netting.deducted.is_zero() {
        list.push(
            "The carryover takes it that there is income enough to use the deducted loss; --taxable-income states it."
                .to_owned(),
        );
    }
    let distributions = report.schedule_d.brought_in.distributions;
    if !distributions.is_zero() {
        list.push(format!(
            "{} of capital gain distributions in the files are on line 13.",
            figures.dollars(distributions)
        ));
    }
    let switches = session.rules.switches().map(|(name, value)| format!("{name} = {value}")).join(", ");
    list.push(format!("Lot method {}; switches: {switches}.", method_name(arguments.method.to_method())));
    list.push(match session.rules.identity_groups.len() {
        0 => "A security is taken as substantially identical only to itself.".to_owned(),
        count => format!("{count} identity groups of yours decide what is substantially identical."),
    });
    list.push("This is a worksheet for a return and no tax advice.".to_owned());
    list
}
