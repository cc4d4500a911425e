//! Rows of Form 8949, made from sold segments and rounded once (tax rules 0.1, 0.2 and 6.1).

use lotwise_core::{Date, Money, Rounding, Shares, Symbol};

use super::form::{Acquired, Codes, FormBox, Reporting, SecurityKind};
use crate::model::{AccountId, BasisSource, LotId, RowKind, SaleId, SaleRow, Term};

/// How amounts are rounded where they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Amounts {
    /// To cents, half away from zero.
    #[default]
    Cents,
    /// To whole dollars, 50 cents up, on every amount of the form.
    WholeDollars,
}

impl Amounts {
    /// Rounds once.
    #[must_use]
    pub fn round(self, amount: Money) -> Money {
        let decimals = match self {
            Self::Cents => 2,
            Self::WholeDollars => 0,
        };
        amount.round(decimals, Rounding::HalfAwayFromZero)
    }
}

/// Proceeds and basis as the broker reported them, where they differ from our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AsReported {
    /// Box 1d.
    pub proceeds: Option<Money>,
    /// Box 1e.
    pub basis: Option<Money>,
    /// Box 1g.
    pub disallowed: Option<Money>,
    /// The broker's term.
    pub term: Option<Term>,
}

/// What the caller says about a sold segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFacts {
    /// What was sold.
    pub kind: SecurityKind,
    /// What the broker told the tax authority.
    pub reporting: Reporting,
    /// Words for column (a) in place of shares and symbol.
    pub description: Option<String>,
    /// The broker's figures, where they are wrong and have to be shown and corrected.
    pub reported: AsReported,
}

impl RowFacts {
    /// What is assumed of a segment of this kind that was bought in the account that sold it.
    #[must_use]
    pub fn assumed(kind: SecurityKind, row: &SaleRow) -> Self {
        let known = row.acquired.filter(|_| row.basis.is_some());
        Self {
            kind,
            reporting: kind.assumed_reporting(known, row.sold),
            description: None,
            reported: AsReported::default(),
        }
    }
}

/// What a reader of a row should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowNote {
    /// The term follows this date, since a wash sale, a gift or an exchange brought a holding
    /// period along; column (b) shows the actual date.
    TermFrom(Date),
    /// A purchase until this day can still disallow more of the loss (tax rule 4.9).
    TentativeUntil(Date),
    /// This much of the adjustment is gone for good: the replacement is in a retirement account.
    LostForGood(Money),
    /// The basis is not known: the gain is a range and the row cannot be filed.
    UnknownBasis,
    /// Only an average basis is known: the gain is a range and the row cannot be filed.
    AverageOnly,
    /// The acquisition date is not known: the term is open and the row cannot be filed.
    UnknownDate,
    /// An option lapsed. On paper the form wants EXPIRED in column (d) of one that was held, and in
    /// column (e) of one that was written.
    Expired,
}

/// A row of Form 8949. Amounts are rounded; `gain` is made of the rounded ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRow {
    /// The order.
    pub sale: SaleId,
    /// Lots in it: one, unless the rows of an order are combined.
    pub lots: Vec<LotId>,
    /// Account of the sale.
    pub account: AccountId,
    /// Security.
    pub symbol: Symbol,
    /// Shares.
    pub shares: Shares,
    /// What was sold.
    pub kind: SecurityKind,
    /// What the broker told the tax authority.
    pub reporting: Reporting,
    /// Term; `None` when the acquisition date is unknown.
    pub term: Option<Term>,
    /// Column (a).
    pub description: String,
    /// Column (b).
    pub acquired: Acquired,
    /// Column (c).
    pub sold: Date,
    /// Column (d).
    pub proceeds: Money,
    /// Column (e); `None` is unknown.
    pub basis: Option<Money>,
    /// Column (f).
    pub codes: Codes,
    /// Column (g); empty on the form when there is no code.
    pub adjustment: Money,
    /// Column (h): (d) − (e) + (g); `None` while the basis is unknown.
    pub gain: Option<Money>,
    /// Lowest and highest basis that are possible, where it is not known.
    pub basis_between: Option<(Money, Option<Money>)>,
    /// What to know.
    pub notes: Vec<RowNote>,
}

impl FormRow {
    /// Its box; `None` when the term is unknown.
    #[must_use]
    pub fn form_box(&self) -> Option<FormBox> {
        Some(FormBox::of(self.term?, self.reporting, self.kind, self.sold.year()))
    }

    /// Whether it could go on Schedule D lines 1a or 8a without being listed (tax rule 6.1).
    #[must_use]
    pub fn can_be_totalled(&self) -> bool {
        self.reporting == Reporting::BasisReported && self.codes.is_empty() && self.gain.is_some()
    }
}

/// A row before rounding.
pub(super) struct Draft {
    row: FormRow,
    /// Whether the row already stands for several lots.
    merged: bool,
}

impl Draft {
    pub(super) fn of(sale: &SaleRow, facts: &RowFacts, as_of: Date) -> Self {
        let exact = sale.basis;
        let between = exact.is_none().then_some((sale.basis_range.lowest, sale.basis_range.highest));
        let inherited = sale.basis_source == BasisSource::Inherited;
        let term = if inherited { Some(Term::Long) } else { sale.term };
        let mut codes = Codes::default();
        let mut adjustment = Money::ZERO;
        if sale.disallowed.is_positive() {
            codes.add('W');
            adjustment += sale.disallowed;
        }
        let (mut proceeds, mut basis) = (sale.proceeds, exact);
        if let Some(reported) = facts.reported.proceeds.filter(|reported| *reported != proceeds) {
            codes.add('E');
            adjustment += proceeds - reported;
            proceeds = reported;
        }
        if let (Some(own), Some(reported)) = (exact, facts.reported.basis.filter(|basis| Some(*basis) != exact)) {
            // A basis that the tax authority was told is shown and corrected; another is replaced.
            match facts.reporting {
                Reporting::BasisReported => {
                    codes.add('B');
                    adjustment += reported - own;
                    basis = Some(reported);
                }
                Reporting::BasisNotReported => codes.add('B'),
                Reporting::NotReported => {}
            }
        }
        if facts.reported.disallowed.is_some_and(|reported| reported != sale.disallowed) {
            codes.add('W');
        }
        if facts.reporting != Reporting::NotReported
            && facts.reported.term.is_some_and(|reported| term.is_some_and(|own| own != reported))
        {
            codes.add('T');
        }
        let acquired = match (inherited, sale.acquired) {
            (true, _) => Acquired::Inherited,
            (false, Some(date)) => Acquired::On(date),
            (false, None) => Acquired::Unknown,
        };
        let row = FormRow {
            sale: sale.sale.clone(),
            lots: vec![sale.lot.clone()],
            account: sale.account.clone(),
            symbol: sale.symbol.clone(),
            shares: sale.shares,
            kind: facts.kind,
            reporting: facts.reporting,
            term,
            description: facts.description.clone().unwrap_or_default(),
            acquired,
            sold: sale.sold,
            proceeds,
            basis,
            codes,
            adjustment,
            gain: None,
            basis_between: between,
            notes: notes(sale, as_of),
        };
        Self { row, merged: false }
    }

    pub(super) fn of_same_order(&self, other: &Self) -> bool {
        self.row.sale == other.row.sale && self.row.account == other.row.account
    }

    /// Whether both may stand on one row: one order, one box, the same codes, and nothing open.
    pub(super) fn joins(&self, other: &Self) -> bool {
        let key = |row: &FormRow| {
            (row.sale.clone(), row.account.clone(), row.symbol.clone(), row.sold, row.term, row.reporting, row.kind)
        };
        let (one, two) = (&self.row, &other.row);
        let known = |row: &FormRow| row.basis.is_some() && row.term.is_some();
        key(one) == key(two)
            && one.codes == two.codes
            && one.description == two.description
            && (one.acquired == Acquired::Inherited) == (two.acquired == Acquired::Inherited)
            && known(one)
            && known(two)
    }

    pub(super) fn join(&mut self, other: Self) {
        let (row, other) = (&mut self.row, other.row);
        row.lots.extend(other.lots);
        row.shares += other.shares;
        row.proceeds += other.proceeds;
        row.basis = row.basis.zip(other.basis).map(|(one, two)| one + two);
        row.adjustment += other.adjustment;
        if row.acquired != other.acquired {
            row.acquired = Acquired::Various;
        }
        row.notes.extend(other.notes);
        row.notes.sort();
        row.notes.dedup();
        self.merged = true;
    }

    pub(super) fn finish(self, amounts: Amounts) -> FormRow {
        let Self { mut row, merged } = self;
        if merged {
            row.lots.dedup();
        }
        if row.description.is_empty() {
            let unit = if row.kind == SecurityKind::Option { "contracts" } else { "sh." };
            row.description = format!("{} {unit} {}", row.shares, row.symbol);
        }
        row.proceeds = amounts.round(row.proceeds);
        row.basis = row.basis.map(|basis| amounts.round(basis));
        row.adjustment = amounts.round(row.adjustment);
        row.basis_between =
            row.basis_between.map(|(low, high)| (amounts.round(low), high.map(|high| amounts.round(high))));
        row.gain = row.basis.map(|basis| row.proceeds - basis + row.adjustment);
        row
    }
}

fn notes(sale: &SaleRow, as_of: Date) -> Vec<RowNote> {
    let mut notes = Vec::new();
    let inherited = sale.basis_source == BasisSource::Inherited;
    if let (Some(acquired), Some(from), RowKind::Sale | RowKind::ReturnOfCapital | RowKind::Boot, false) =
        (sale.acquired, sale.holding_from, sale.kind, inherited)
        && Term::of(acquired, sale.sold) != Term::of(from, sale.sold)
    {
        notes.push(RowNote::TermFrom(from));
    }
    if let Some(until) = sale.window_open_until().filter(|until| *until >= as_of) {
        notes.push(RowNote::TentativeUntil(until));
    }
    let lost: Money = sale.matches.iter().filter(|found| found.permanent).map(|found| found.disallowed).sum();
    if lost.is_positive() {
        notes.push(RowNote::LostForGood(lost.to_cents()));
    }
    if sale.basis.is_none() {
        let average = sale.basis_source == BasisSource::AverageOnly;
        notes.push(if average { RowNote::AverageOnly } else { RowNote::UnknownBasis });
    }
    if sale.acquired.is_none() && sale.term.is_none() && !inherited {
        notes.push(RowNote::UnknownDate);
    }
    if sale.kind == RowKind::Expiry {
        notes.push(RowNote::Expired);
    }
    notes
}

/// The row of one segment, rounded.
#[must_use]
pub fn form_row(sale: &SaleRow, facts: &RowFacts, as_of: Date, amounts: Amounts) -> FormRow {
    Draft::of(sale, facts, as_of).finish(amounts)
}
