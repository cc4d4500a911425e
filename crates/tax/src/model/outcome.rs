//! What a booking comes to: rows, open lots, open short sales and notes.

use lotwise_core::{Date, Money, Shares, Symbol};

use super::{AccountId, BasisSource, LotId, Rules, SaleId, Term};

/// Shares that replaced shares sold at a loss (tax rule 4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Lot of the replacement; for a loss on a short sale the short lot that replaced it.
    pub lot: LotId,
    /// Shares matched, in the replacement's own units at the time of the match.
    pub shares: Shares,
    /// Loss that moved there.
    pub disallowed: Money,
    /// True when the loss is gone for good (IRA).
    pub permanent: bool,
}

/// How a row came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// Shares held were sold; an option's shares that left by exercise or assignment too.
    Sale,
    /// A short sale or a written option was closed by a purchase.
    Cover,
    /// An option lapsed, held or written.
    Expiry,
    /// Returned capital beyond the basis.
    ReturnOfCapital,
    /// Cash beside the shares of an exchange: gain recognised up to it.
    Boot,
}

/// Within which amounts the true basis of a row lies (tax rule 6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasisRange {
    /// Least possible basis; zero where nothing is known.
    pub lowest: Money,
    /// Greatest possible basis; `None` where nothing bounds it.
    pub highest: Option<Money>,
}

impl BasisRange {
    /// A basis that is known.
    #[must_use]
    pub const fn exact(basis: Money) -> Self {
        Self { lowest: basis, highest: Some(basis) }
    }
}

/// Within which amounts a gain or a tax lies; equal ends are an exact figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Least possible; `None` where nothing bounds it.
    pub lowest: Option<Money>,
    /// Greatest possible.
    pub highest: Money,
}

/// One sold segment: a row of Form 8949.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleRow {
    /// The order.
    pub sale: SaleId,
    /// How the row came about.
    pub kind: RowKind,
    /// Account of the sale.
    pub account: AccountId,
    /// Security sold.
    pub symbol: Symbol,
    /// Lot that the shares came from; for a short sale the short lot.
    pub lot: LotId,
    /// Shares sold.
    pub shares: Shares,
    /// Actual acquisition date; `None` is unknown. Of an inheritance the day of death; of a short
    /// sale the day of the purchase that closed it.
    pub acquired: Option<Date>,
    /// Date that decides the term.
    pub holding_from: Option<Date>,
    /// Date that the row counts on: the trade date of the sale; of a short sale closed at a loss
    /// the settlement date (tax rule 0.3).
    pub sold: Date,
    /// Proceeds net of fees.
    pub proceeds: Money,
    /// Basis with earlier wash additions; `None` when it is unknown or only known as an average.
    pub basis: Option<Money>,
    /// `proceeds - basis`, before the wash rule.
    pub gain: Option<Money>,
    /// Loss disallowed, zero or positive.
    pub disallowed: Money,
    /// `gain + disallowed`.
    pub reportable: Option<Money>,
    /// Term; `None` when the acquisition date is unknown.
    pub term: Option<Term>,
    /// Form 8949 adjustment codes (`W` or empty).
    pub code: &'static str,
    /// Where the disallowed loss went.
    pub matches: Vec<Replacement>,
    /// Where the basis comes from; [`BasisSource::Inherited`] makes reports print INHERITED.
    pub basis_source: BasisSource,
    /// Where the true basis lies; both ends are `basis` where that is known.
    pub basis_range: BasisRange,
    /// When the lots were identified to the broker, as the sale states it (tax rule 2.2).
    pub identified: Option<Date>,
}

impl SaleRow {
    /// Where the reportable gain lies (tax rule 6.5): exact for a known basis; else from the
    /// greatest possible basis, as far as it has a bound, to the least. A loss at the low end may
    /// be washed: nobody can tell before the basis is known.
    #[must_use]
    pub fn reportable_range(&self) -> Range {
        match self.reportable {
            Some(reportable) => Range { lowest: Some(reportable), highest: reportable },
            None => Range {
                lowest: self.basis_range.highest.map(|basis| self.proceeds - basis),
                highest: (self.proceeds - self.basis_range.lowest).max(Money::ZERO),
            },
        }
    }
}

/// The basis from which a loss on a gift is measured where it differs from the one for a gain (tax
/// rule 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossBasis {
    /// The market value on the day of the gift, for the shares of the segment.
    pub basis: Money,
    /// The day of the gift: a loss's holding period starts the day after.
    pub holding_from: Date,
}

/// A segment of a lot still held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLot {
    /// The lot.
    pub lot: LotId,
    /// Account that holds it.
    pub account: AccountId,
    /// Security.
    pub symbol: Symbol,
    /// Shares held.
    pub shares: Shares,
    /// Adjusted basis; `None` is unknown. With [`BasisSource::AverageOnly`] a part of the
    /// position's basis, good for a sum and not for a sale.
    pub basis: Option<Money>,
    /// Actual acquisition date; `None` is unknown.
    pub acquired: Option<Date>,
    /// Date that decides the term.
    pub holding_from: Option<Date>,
    /// Whether the segment has absorbed a loss.
    pub washed: bool,
    /// Part of the basis that came from washed losses.
    pub deferred_loss: Money,
    /// Where the basis comes from.
    pub basis_source: BasisSource,
    /// The basis for a loss on a gift, where it is another one.
    pub for_loss: Option<LossBasis>,
}

/// Part of a short sale, or of a written option, that is not closed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenShort {
    /// The short lot.
    pub lot: LotId,
    /// Account that owes the shares.
    pub account: AccountId,
    /// Security.
    pub symbol: Symbol,
    /// Shares or contracts owed, above zero.
    pub shares: Shares,
    /// Proceeds received, less losses that moved here ([`OpenShort::deferred_loss`]).
    pub proceeds: Money,
    /// Day of the short sale.
    pub opened: Date,
    /// Losses on earlier short sales that this one has taken on (26 USC 1091(e)).
    pub deferred_loss: Money,
}

/// Something that the book does not compute and that a person has to know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Date of the event that raised it.
    pub date: Date,
    /// Account of that event.
    pub account: AccountId,
    /// Security of that event.
    pub symbol: Symbol,
    /// Index of the row concerned in [`Booking::sales`], where there is one.
    pub row: Option<usize>,
    /// What it is.
    pub kind: NoteKind,
}

/// What a [`Note`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteKind {
    /// A call on the security was bought within 30 days of the row's loss. An option to acquire
    /// shares replaces them (26 USC 1091(a)), but no adjustment is computed (tax rule 4.2).
    CallNearLoss {
        /// The call.
        call: Symbol,
    },
    /// Shares were sold short while substantially identical ones were held in a taxable account:
    /// if those had a gain this is a constructive sale (26 USC 1259), which is not computed.
    ShortWhileHolding,
    /// Shares were sold within 30 days of a loss on closing a short sale. 26 USC 1091(e) may
    /// disallow the loss; the law names no place for it to go and it is not computed.
    SaleNearShortLoss,
    /// An option was written or bought on shares that are held, or the other way round: straddle
    /// and qualified covered call rules are not computed (tax rule 2.8).
    PossibleStraddle,
    /// The row's basis is unknown or only an average: its gain is a range (tax rule 6.5).
    BasisNotExact,
}

/// The book after the last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Rows in order of sale.
    pub sales: Vec<SaleRow>,
    /// Segments still held, by account, symbol and acquisition.
    pub open_lots: Vec<OpenLot>,
    /// Short sales and written options not closed, by account, symbol and day.
    pub open_shorts: Vec<OpenShort>,
    /// Segments that left without a sale, in the order they left.
    pub removed: Vec<OpenLot>,
    /// Losses gone for good.
    pub permanently_disallowed: Money,
    /// What is not computed and should be known, in order of events.
    pub notes: Vec<Note>,
    /// The switches that were used.
    pub rules: Rules,
}
