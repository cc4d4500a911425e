//! Our rows against a broker's Form 1099-B (tax rule 6.4): rows are paired, each difference is
//! named with its cause and the code of Form 8949 that puts it right, or as unexplained.

mod causes;
mod pairing;

use std::collections::BTreeMap;

use lotwise_core::{Date, Money, Shares, Symbol};

use super::form::{FormBox, Reporting, SecurityKind};
use super::row::AsReported;
use crate::model::{AccountId, Ledger, Method, Rules, SaleRow, Term};

use self::causes::Alternatives;
use self::pairing::{Pair, pairs};

/// A row of Form 1099-B, or of a broker's list of realised lots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRow {
    /// Account, under the name that the ledger uses.
    pub account: AccountId,
    /// Security.
    pub symbol: Symbol,
    /// Shares sold.
    pub shares: Shares,
    /// Box 1b; `None` where the form says VARIOUS or nothing.
    pub acquired: Option<Date>,
    /// Box 1c.
    pub sold: Date,
    /// Box 1d.
    pub proceeds: Money,
    /// Box 1e.
    pub basis: Option<Money>,
    /// Box 1g, zero or positive.
    pub disallowed: Money,
    /// Box 2.
    pub term: Option<Term>,
    /// Boxes 5 and 12: whether basis was reported.
    pub covered: Option<bool>,
    /// Row of the file.
    pub row: u32,
}

impl BrokerRow {
    /// The box of Form 8949 that the broker's flags lead to, as far as they say.
    #[must_use]
    pub fn form_box(&self) -> Option<FormBox> {
        let reporting = if self.is_covered() { Reporting::BasisReported } else { Reporting::BasisNotReported };
        Some(FormBox::of(self.term?, reporting, SecurityKind::Stock, self.sold.year()))
    }

    /// Basis without a flag is taken as reported.
    fn is_covered(&self) -> bool {
        self.covered.unwrap_or(self.basis.is_some())
    }
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Box 1d.
    Proceeds,
    /// Box 1e.
    Basis,
    /// Box 1g.
    WashLoss,
    /// Box 2.
    Term,
    /// Box 1b: other lots left.
    Acquired,
    /// We have a sale that the broker does not list.
    OnlyOurs,
    /// The broker lists a sale that we do not have.
    OnlyBrokers,
}

impl Field {
    /// The name used in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proceeds => "proceeds",
            Self::Basis => "basis",
            Self::WashLoss => "wash_loss",
            Self::Term => "term",
            Self::Acquired => "acquired",
            Self::OnlyOurs => "only_ours",
            Self::OnlyBrokers => "only_brokers",
        }
    }
}

/// Why it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A cent per row.
    Rounding,
    /// The broker left fees out of proceeds or basis.
    FeeTreatment,
    /// The broker has no basis, as after a transfer.
    MissingBasis,
    /// A replacement in another account, a retirement account or another security of the same
    /// identity group: the taxpayer counts it, the broker does not (tax rule 4.12).
    WashElsewhere,
    /// The broker took the lots of an order one after another, or together (tax rule 4.4).
    LotsLeaveOrder,
    /// A corporate action changed the basis, and the broker's basis does not show it.
    CorporateAction,
    /// The broker used this lot method.
    LotMethod(Method),
    /// The holding period includes that of shares sold at a loss, which the broker does not count.
    HoldingPeriod,
    /// No Form 1099-B row: the sale goes into box C or F.
    NotReported,
    /// Nothing that is known explains it.
    Unexplained,
}

impl Cause {
    /// The name used in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rounding => "rounding",
            Self::FeeTreatment => "fee_treatment",
            Self::MissingBasis => "missing_basis",
            Self::WashElsewhere => "wash_elsewhere",
            Self::LotsLeaveOrder => "lots_leave_order",
            Self::CorporateAction => "corporate_action",
            Self::LotMethod(_) => "lot_method",
            Self::HoldingPeriod => "holding_period",
            Self::NotReported => "not_reported",
            Self::Unexplained => "unexplained",
        }
    }

    /// In words, without a final period.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Rounding => "the broker rounded each row",
            Self::FeeTreatment => "the broker left fees out",
            Self::MissingBasis => "the broker states no basis (noncovered, or shares that were transferred in)",
            Self::WashElsewhere => {
                "a replacement in another account or security counts for the taxpayer and not for the broker"
            }
            Self::LotsLeaveOrder => {
                "the broker let the lots of the order leave in the other way (one by one or together)"
            }
            Self::CorporateAction => "a corporate action changed the basis and the broker's basis does not show it",
            Self::LotMethod(_) => {
                "the broker used another lot method; ours stands only if the lots were identified to the broker in time"
            }
            Self::HoldingPeriod => {
                "the holding period of shares sold at a loss is included by us and not by the broker"
            }
            Self::NotReported => "the broker lists no such sale, so it goes into box C or F",
            Self::Unexplained => "nothing that the books know explains it",
        }
    }
}

/// One difference. It is put right by `code` with `adjustment` in column (g), where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Account.
    pub account: AccountId,
    /// Security.
    pub symbol: Symbol,
    /// Date of sale.
    pub sold: Date,
    /// Shares concerned.
    pub shares: Shares,
    /// What differs.
    pub field: Field,
    /// Our figure: an amount, a term or a date.
    pub ours: Option<Figure>,
    /// The broker's.
    pub brokers: Option<Figure>,
    /// Why.
    pub cause: Cause,
    /// Code of column (f) that puts it right.
    pub code: Option<char>,
    /// Amount of column (g) that goes with the code.
    pub adjustment: Money,
    /// Rows of the broker's file.
    pub broker_rows: Vec<u32>,
}

/// A figure that was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Dollars.
    Amount(Money),
    /// Short- or long-term.
    Term(Term),
    /// A date.
    Date(Date),
    /// Shares.
    Shares(Shares),
}

/// Sums of boxes 1d, 1e and 1g.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BoxSums {
    /// Rows.
    pub rows: usize,
    /// Box 1d.
    pub proceeds: Money,
    /// Box 1e, of the rows that have one.
    pub basis: Money,
    /// Box 1g.
    pub disallowed: Money,
}

/// What the comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// Broker's rows that agree with ours in everything, rounding aside.
    pub agreed: usize,
    /// Broker's rows in all.
    pub rows: usize,
    /// Differences by account, security, date and field.
    pub differences: Vec<Difference>,
    /// Ours and the broker's sums by box; `None` is rows without a known term.
    pub totals: BTreeMap<Option<FormBox>, (BoxSums, BoxSums)>,
    /// What the broker reported of our rows, by their place, for Form 8949.
    reported: BTreeMap<usize, (Reporting, AsReported)>,
}

impl Reconciliation {
    /// What the broker reported of the row at this place, for Form 8949.
    #[must_use]
    pub fn reported(&self, place: usize) -> Option<(Reporting, AsReported)> {
        self.reported.get(&place).copied()
    }

    /// Differences that nothing explains.
    pub fn unexplained(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.cause == Cause::Unexplained)
    }
}

/// What is compared with the broker's rows.
#[derive(Clone, Copy)]
pub struct OwnSide<'a> {
    /// Sold segments, of any account and year.
    pub sales: &'a [SaleRow],
    /// What they were booked from, to try what else explains the broker's figures.
    pub ledger: &'a Ledger,
    /// The switches they were booked with.
    pub rules: &'a Rules,
    /// What was sold, by symbol.
    pub kind: &'a dyn Fn(&Symbol) -> SecurityKind,
}

/// Compares. Only accounts and years that the broker's rows speak of are looked at.
#[must_use]
pub fn reconcile(own: &OwnSide<'_>, broker: &[BrokerRow]) -> Reconciliation {
    let spoken: std::collections::BTreeSet<(&AccountId, i32)> =
        broker.iter().map(|row| (&row.account, row.sold.year())).collect();
    let places: Vec<usize> = (0..own.sales.len())
        .filter(|&place| spoken.contains(&(&own.sales[place].account, own.sales[place].sold.year())))
        .collect();
    let mut found = Reconciliation {
        agreed: 0,
        rows: broker.len(),
        differences: Vec::new(),
        totals: BTreeMap::new(),
        reported: BTreeMap::new(),
    };
    let mut alternatives = Alternatives::new(own);
    for pair in pairs(own.sales, &places, broker) {
        let differences = causes::differences(&pair, &mut alternatives);
        if differences.iter().all(|difference| difference.cause == Cause::Rounding) {
            found.agreed += pair.broker.len();
        }
        found.note_reported(&pair, &differences);
        found.differences.extend(differences);
    }
    for &place in &places {
        let row = &own.sales[place];
        let reporting = found.reported.get(&place).map_or(Reporting::NotReported, |(reporting, _)| *reporting);
        let at = row.term.map(|term| FormBox::of(term, reporting, (own.kind)(&row.symbol), row.sold.year()));
        let sums = &mut found.totals.entry(at).or_default().0;
        add(sums, row.proceeds, row.basis, row.disallowed);
    }
    for row in broker {
        let sums = &mut found.totals.entry(row.form_box()).or_default().1;
        add(sums, row.proceeds, row.basis, row.disallowed);
    }
    found.differences.sort_by_key(|one| (one.account.clone(), one.symbol.clone(), one.sold, one.field));
    found
}

fn add(sums: &mut BoxSums, proceeds: Money, basis: Option<Money>, disallowed: Money) {
    sums.rows += 1;
    sums.proceeds += proceeds;
    sums.basis += basis.unwrap_or(Money::ZERO);
    sums.disallowed += disallowed;
}

impl Reconciliation {
    fn note_reported(&mut self, pair: &Pair<'_>, differences: &[Difference]) {
        let Some(first) = pair.broker.first() else {
            let not_reported = (Reporting::NotReported, AsReported::default());
            self.reported.extend(pair.own.iter().map(|(place, _)| (*place, not_reported)));
            return;
        };
        let covered = pair.broker.iter().all(|row| row.is_covered());
        let reporting = if covered { Reporting::BasisReported } else { Reporting::BasisNotReported };
        let explained = |field| {
            differences.iter().any(|one| {
                one.field == field && !matches!(one.cause, Cause::Rounding | Cause::MissingBasis | Cause::Unexplained)
            })
        };
        for (place, _) in &pair.own {
            // Only a row that stands against one row can be shown with the broker's figures.
            let reported = if pair.own.len() == 1 && pair.broker.len() == 1 {
                AsReported {
                    proceeds: explained(Field::Proceeds).then_some(first.proceeds),
                    basis: first.basis.filter(|_| explained(Field::Basis)),
                    disallowed: explained(Field::WashLoss).then_some(first.disallowed),
                    term: first.term.filter(|_| explained(Field::Term)),
                }
            } else {
                AsReported::default()
            };
            self.reported.insert(*place, (reporting, reported));
        }
    }
}
