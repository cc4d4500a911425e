//! The nouns of the engine: accounts, events, lots and what a sale came to.

use std::sync::Arc;

pub use lotwise_core::AccountKind;
use lotwise_core::{Date, Money, Rate, Shares, Symbol};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// From any text.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, formatter)
            }
        }
    };
}

id! {
    /// Name of an account inside a ledger.
    AccountId
}
id! {
    /// Name of a lot: the acquisition that made it.
    LotId
}
id! {
    /// Name of a sale order.
    SaleId
}

/// Which lots leave when a sale names none (tax rule 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Method {
    /// Earliest acquired first: the legal default.
    #[default]
    Fifo,
    /// Latest acquired first.
    Lifo,
    /// Highest basis per share first.
    Hifo,
    /// Least tax first at the user's marginal rates, wash-sale effect included.
    MinTax,
    /// Average basis; only for lots marked eligible.
    Average,
}

/// An account of the household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Owner and type.
    pub kind: AccountKind,
    /// The standing order for sales that name no lots.
    pub method: Method,
}

/// Lots named for a sale, or the account's method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LotSelection {
    /// The account's standing method.
    #[default]
    Standing,
    /// Another method for this sale only.
    By(Method),
    /// Specific identification.
    Lots(Vec<(LotId, Shares)>),
}

/// Where a lot's basis comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BasisSource {
    /// Computed from the purchase in the ledger.
    Purchase,
    /// Stated by the broker or the user.
    Stated,
    /// Carried over a split of lots, a transfer or a corporate action.
    CarriedOver,
    /// Not known; results that need it are ranges or refused.
    Unknown,
    /// Only an average per position is known.
    AverageOnly,
}

/// Something that happened in an account, on a civil trade date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Trade date.
    pub date: Date,
    /// Account concerned.
    pub account: AccountId,
    /// Security concerned.
    pub symbol: Symbol,
    /// What happened.
    pub kind: EventKind,
}

/// The kinds of event of the first version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// An acquisition; every reinvestment is one.
    Buy {
        /// Lot that it makes.
        lot: LotId,
        /// Shares acquired, above zero.
        shares: Shares,
        /// Total price before fee.
        amount: Money,
        /// Commission and fees; they join the basis.
        fee: Money,
    },
    /// Shares that are held without a purchase in the ledger: an opening position, a transfer in,
    /// a gift or a grant. Not a purchase, so never a replacement.
    Open {
        /// Lot that it makes.
        lot: LotId,
        /// Shares held, above zero.
        shares: Shares,
        /// Total basis; `None` is unknown, never zero.
        basis: Option<Money>,
        /// Acquisition date; `None` is unknown.
        acquired: Option<Date>,
        /// Where the basis comes from.
        source: BasisSource,
    },
    /// A disposal for cash.
    Sell {
        /// Name of the order.
        sale: SaleId,
        /// Shares sold, above zero.
        shares: Shares,
        /// Total price before fee.
        amount: Money,
        /// Commission and fees; they reduce the proceeds.
        fee: Money,
        /// Which lots leave.
        lots: LotSelection,
    },
    /// `new` shares for every `old` ones, in every account that holds the symbol (tax rule 2.3).
    Split {
        /// Shares after.
        new: Shares,
        /// Shares before.
        old: Shares,
    },
    /// Shares that leave without a sale: a transfer to an account that is not in the ledger.
    Remove {
        /// Shares that leave, above zero, in the account's method order.
        shares: Shares,
    },
    /// Cash that reduces basis, share by share (tax rule 2.7).
    ReturnOfCapital {
        /// Name for the gain row where the basis is used up.
        sale: SaleId,
        /// Cash received.
        amount: Money,
    },
}

/// Which shares leave the book before replacements are looked for (tax rule 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LotsLeave {
    /// All shares of an order leave first.
    #[default]
    Together,
    /// Lot by lot, as some brokers do.
    OneByOne,
}

/// How the sold shares' holding period joins the replacement's (tax rule 4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tacking {
    /// The two periods are added.
    #[default]
    Add,
    /// The period starts at the earlier of the two dates.
    Union,
}

/// The policy switches of tax section 4, and the user's identity groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Rule 4.4.
    pub lots_leave: LotsLeave,
    /// Rule 4.4: a lot older than the one sold can replace it.
    pub older_lots_can_replace: bool,
    /// Rule 4.7.
    pub tacking: Tacking,
    /// Rule 4.2: sets of symbols that the user declares substantially identical.
    pub identity_groups: Vec<Vec<Symbol>>,
    /// Marginal rates for [`Method::MinTax`].
    pub rates: FlatRates,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            lots_leave: LotsLeave::default(),
            older_lots_can_replace: true,
            tacking: Tacking::default(),
            identity_groups: Vec::new(),
            rates: FlatRates::default(),
        }
    }
}

/// Flat marginal rates: an explicit simplification (tax rule 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlatRates {
    /// On short-term gains.
    pub short: Rate,
    /// On long-term gains.
    pub long: Rate,
}

impl Default for FlatRates {
    /// 24 % and 15 %: assumed for a person who has stated none.
    fn default() -> Self {
        Self { short: Rate::from_billionths(240_000_000), long: Rate::from_billionths(150_000_000) }
    }
}

/// Short- or long-term (tax rule 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// One year or less.
    Short,
    /// More than one year.
    Long,
}

impl Term {
    /// `short` or `long`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
        }
    }
}

/// Shares that replaced shares sold at a loss (tax rule 4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Lot of the replacement.
    pub lot: LotId,
    /// Shares matched, in the replacement's own units at the time of the match.
    pub shares: Shares,
    /// Loss that moved there.
    pub disallowed: Money,
    /// True when the loss is gone for good (IRA).
    pub permanent: bool,
}

/// One sold segment: a row of Form 8949.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleRow {
    /// The order.
    pub sale: SaleId,
    /// Account of the sale.
    pub account: AccountId,
    /// Security sold.
    pub symbol: Symbol,
    /// Lot that the shares came from.
    pub lot: LotId,
    /// Shares sold.
    pub shares: Shares,
    /// Actual acquisition date; `None` is unknown.
    pub acquired: Option<Date>,
    /// Date that decides the term.
    pub holding_from: Option<Date>,
    /// Trade date of the sale.
    pub sold: Date,
    /// Proceeds net of fees.
    pub proceeds: Money,
    /// Basis with earlier wash additions; `None` is unknown.
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
    /// Adjusted basis; `None` is unknown.
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
}

/// Accounts and what happened in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Accounts of the household that are loaded.
    pub accounts: Vec<Account>,
    /// Events; those of one date happen in the order given.
    pub events: Vec<Event>,
}

/// The book after the last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Rows in order of sale.
    pub sales: Vec<SaleRow>,
    /// Segments still held, by account, symbol and acquisition.
    pub open_lots: Vec<OpenLot>,
    /// Segments that left without a sale, in the order they left.
    pub removed: Vec<OpenLot>,
    /// Losses gone for good.
    pub permanently_disallowed: Money,
    /// The switches that were used.
    pub rules: Rules,
}
