//! How the indexed book is spoken to: accounts, symbols, lots and orders as numbers, what an event
//! says, and why one cannot be booked.

use lotwise_core::{Date, Money, Shares};

use crate::model::{BasisSource, Method};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
    };
}

index! {
    /// Position of an account among those that the book was made with.
    AccountIdx
}
index! {
    /// Number of a security, in the order in which they were added.
    SymbolIdx
}
index! {
    /// Number of an acquisition or short sale, in the order in which they came.
    LotIdx
}
index! {
    /// The caller's own number of an order; the book only hands it on to rows.
    SaleIdx
}

/// Which lots leave: [`crate::LotSelection`] in indices.
#[derive(Debug, Clone, Copy)]
pub enum Pick<'a> {
    /// The account's standing method.
    Standing,
    /// Another method for this order. Whether shares may be averaged is for the caller to know.
    By(Method),
    /// Specific identification.
    Lots(&'a [(LotIdx, Shares)]),
}

/// What a security is to the tax rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// Stock or fund.
    Stock,
    /// A digital asset: no wash sales before [`crate::Rules::digital_asset_wash_sales_from`].
    DigitalAsset,
    /// A listed option.
    Option {
        /// What it is on.
        underlying: SymbolIdx,
        /// A call, or else a put.
        call: bool,
    },
}

/// Why an event cannot be booked, in indices; [`crate::Error`] has the same with names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The event lies before one that is booked already.
    OutOfOrder {
        /// Date of the last event booked.
        last: Date,
    },
    /// A quantity that has to be above zero is not, or an amount is negative.
    NotPositive,
    /// A quantity is beyond a thousand million million units.
    OutOfRange,
    /// The account holds fewer shares.
    InsufficientShares {
        /// Shares held.
        held: Shares,
    },
    /// A named lot holds fewer shares.
    InsufficientLot {
        /// The lot.
        lot: LotIdx,
        /// Shares it holds.
        held: Shares,
        /// Shares wanted of it.
        wanted: Shares,
    },
    /// The account owes fewer shares.
    InsufficientShort {
        /// Shares owed.
        owed: Shares,
    },
    /// A named lot is in another account.
    LotOfAnotherAccount {
        /// The lot.
        lot: LotIdx,
        /// Where it is.
        held_in: AccountIdx,
    },
    /// A named lot is of another security.
    LotOfAnotherSymbol {
        /// The lot.
        lot: LotIdx,
        /// What it is of.
        held: SymbolIdx,
    },
    /// The lots named do not add up to the shares of the order.
    SelectionSum {
        /// What they add up to.
        named: Shares,
    },
    /// Nothing is held that the event could concern.
    NothingHeld,
    /// Accounts that are taxed differently.
    AcrossKinds,
    /// A situation that is refused by name.
    Unsupported {
        /// The situation, in words.
        what: &'static str,
        /// Section of the tax rules.
        rule: &'static str,
    },
}

/// Where and when: the parts that every event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Trade date.
    pub date: Date,
    /// Account.
    pub account: AccountIdx,
    /// Security.
    pub symbol: SymbolIdx,
}

/// Shares that come in otherwise than by purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Shares, above zero.
    pub shares: Shares,
    /// Total basis for a gain; `None` is unknown.
    pub basis: Option<Money>,
    /// Total basis for a loss where it is lower: a gift's market value (tax rule 2.5).
    pub basis_for_loss: Option<Money>,
    /// Acquisition date; `None` is unknown.
    pub acquired: Option<Date>,
    /// Where the basis comes from.
    pub source: BasisSource,
}

/// Shares and cash of one trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Shares or contracts, above zero.
    pub shares: Shares,
    /// Total price before fee, zero or more.
    pub amount: Money,
    /// Fee, zero or more.
    pub fee: Money,
}
