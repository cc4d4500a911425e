//! Schedule D: the rows of Form 8949 by line, the carryovers, and what is left for the next year
//! (tax rules 3 and 6.2).

use lotwise_core::Money;

use super::form::Reporting;
use super::row::{Amounts, FormRow};
use crate::model::Term;
use crate::year::{Carryover, Netting, carryover, net_gains};

/// Which rows stand on Form 8949.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listing {
    /// Every row.
    #[default]
    All,
    /// Rows with basis reported and without adjustment go straight to lines 1a and 8a.
    AdjustedOnly,
}

/// Totals of the rows behind a line: columns (d), (e), (g) and (h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineTotals {
    /// Rows in it.
    pub rows: usize,
    /// Column (d).
    pub proceeds: Money,
    /// Column (e).
    pub basis: Money,
    /// Column (g).
    pub adjustment: Money,
    /// Column (h).
    pub gain: Money,
}

impl LineTotals {
    fn add(&mut self, row: &FormRow) {
        let (Some(basis), Some(gain)) = (row.basis, row.gain) else { return };
        self.rows += 1;
        self.proceeds += row.proceeds;
        self.basis += basis;
        self.adjustment += row.adjustment;
        self.gain += gain;
    }

    /// The totals of these rows; rows of unknown basis are left out.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a FormRow>) -> Self {
        let mut totals = Self::default();
        rows.into_iter().for_each(|row| totals.add(row));
        totals
    }
}

/// Lines 1a to 3, or 8a to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartLines {
    /// Line 1a or 8a: basis reported, no adjustment, not listed on Form 8949.
    pub totalled: LineTotals,
    /// Line 1b or 8b: boxes A and G, or D and J.
    pub basis_reported: LineTotals,
    /// Line 2 or 9: boxes B and H, or E and K.
    pub basis_not_reported: LineTotals,
    /// Line 3 or 10: boxes C and I, or F and L.
    pub not_reported: LineTotals,
}

impl PartLines {
    fn of<'a>(rows: impl IntoIterator<Item = &'a FormRow>, listing: Listing) -> Self {
        let mut lines = Self::default();
        for row in rows {
            let line = match row.reporting {
                Reporting::BasisReported if listing == Listing::AdjustedOnly && row.can_be_totalled() => {
                    &mut lines.totalled
                }
                Reporting::BasisReported => &mut lines.basis_reported,
                Reporting::BasisNotReported => &mut lines.basis_not_reported,
                Reporting::NotReported => &mut lines.not_reported,
            };
            line.add(row);
        }
        lines
    }

    fn gain(&self) -> Money {
        self.totalled.gain + self.basis_reported.gain + self.basis_not_reported.gain + self.not_reported.gain
    }

    /// The lines with their names, `1a`, `1b`, `2`, `3` or `8a`, `8b`, `9`, `10`.
    #[must_use]
    pub fn named(&self, term: Term) -> [(&'static str, LineTotals); 4] {
        let names = match term {
            Term::Short => ["1a", "1b", "2", "3"],
            Term::Long => ["8a", "8b", "9", "10"],
        };
        let lines = [self.totalled, self.basis_reported, self.basis_not_reported, self.not_reported];
        [0, 1, 2, 3].map(|at| (names[at], lines[at]))
    }
}

/// What else goes into Schedule D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BroughtIn {
    /// Short-term loss carried in, zero or positive (line 6).
    pub short_carryover: Money,
    /// Long-term loss carried in, zero or positive (line 14).
    pub long_carryover: Money,
    /// Capital gain distributions of funds (line 13).
    pub distributions: Money,
}

/// Schedule D of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleD {
    /// Lines 1a to 3.
    pub short: PartLines,
    /// Lines 8a to 10.
    pub long: PartLines,
    /// Lines 6, 13 and 14, losses as positive numbers.
    pub brought_in: BroughtIn,
    /// Line 7 as `net_short`, line 15 as `net_long`, line 16 as `net`, line 21 as `deducted`.
    pub netting: Netting,
}

impl ScheduleD {
    /// Sums the rows, whose basis and term are known.
    #[must_use]
    pub fn of(rows: &[FormRow], brought_in: BroughtIn, loss_limit: Money, listing: Listing, amounts: Amounts) -> Self {
        let part = |term| PartLines::of(rows.iter().filter(|row| row.term == Some(term)), listing);
        let (short, long) = (part(Term::Short), part(Term::Long));
        let brought_in = BroughtIn {
            short_carryover: amounts.round(brought_in.short_carryover),
            long_carryover: amounts.round(brought_in.long_carryover),
            distributions: amounts.round(brought_in.distributions),
        };
        let netting = net_gains(
            short.gain() - brought_in.short_carryover,
            long.gain() + brought_in.distributions - brought_in.long_carryover,
            loss_limit,
        );
        Self { short, long, brought_in, netting }
    }

    /// Losses left to the next year by the worksheet. `taxable_income_signed` is Form 1040 line 15
    /// with a negative result allowed; without it, income enough to use the deduction is assumed.
    #[must_use]
    pub fn carryover_out(&self, taxable_income_signed: Option<Money>) -> Carryover {
        carryover(taxable_income_signed.unwrap_or(self.netting.deducted), self.netting)
    }
}
