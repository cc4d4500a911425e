//! Why a ledger cannot be booked or a year cannot be computed.

use lotwise_core::{Date, Shares, Symbol};

use crate::model::{AccountId, LotId, SaleId};

/// What failed, with the culprit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An event names an account that the ledger does not list.
    #[error("account {account} of the event on {date} is not in the ledger")]
    UnknownAccount {
        /// The name used.
        account: AccountId,
        /// Trade date of the event.
        date: Date,
    },
    /// Two accounts carry one name.
    #[error("account {account} is listed twice")]
    DuplicateAccount {
        /// The name.
        account: AccountId,
    },
    /// A quantity that has to be above zero is not.
    #[error("{field} of {of} on {date} must be above zero")]
    NotPositive {
        /// Which quantity.
        field: &'static str,
        /// Lot, sale or symbol.
        of: String,
        /// Trade date of the event.
        date: Date,
    },
    /// An amount that cannot be negative is.
    #[error("{field} of {of} on {date} is negative")]
    Negative {
        /// Which amount.
        field: &'static str,
        /// Lot, sale or symbol.
        of: String,
        /// Trade date of the event.
        date: Date,
    },
    /// A quantity is beyond a thousand million million units, or below where it can start.
    #[error("{field} of {of} is out of range")]
    OutOfRange {
        /// Which quantity.
        field: &'static str,
        /// Lot, sale, symbol or year.
        of: String,
    },
    /// Two acquisitions carry one lot name.
    #[error("lot {lot} on {date} has the name of an earlier lot")]
    DuplicateLot {
        /// The name.
        lot: LotId,
        /// Trade date of the second acquisition.
        date: Date,
    },
    /// A lot is said to be acquired after the day it appears.
    #[error("lot {lot} of {date} cannot have been acquired on {acquired}, which is later")]
    AcquiredLater {
        /// The lot.
        lot: LotId,
        /// Date stated as its acquisition.
        acquired: Date,
        /// Date of the event.
        date: Date,
    },
    /// A sale or removal wants more than the account holds.
    #[error(
        "account {account} holds {held} {symbol} on {date}, cannot sell {wanted} (is an earlier purchase or \
         split missing? a short sale is an event of its own)"
    )]
    InsufficientShares {
        /// Account of the sale.
        account: AccountId,
        /// Security.
        symbol: Symbol,
        /// Trade date.
        date: Date,
        /// Shares held before the sale.
        held: Shares,
        /// Shares wanted.
        wanted: Shares,
    },
    /// Something happens to a security that the account does not hold.
    #[error("account {account} holds no {symbol} on {date}, so there is nothing that the event could change")]
    NothingHeld {
        /// Account of the event.
        account: AccountId,
        /// Security.
        symbol: Symbol,
        /// Date of the event.
        date: Date,
    },
    /// A named lot holds fewer shares than the sale takes from it.
    #[error("lot {lot} holds {held}, sale {sale} cannot take {wanted}")]
    InsufficientLot {
        /// The lot.
        lot: LotId,
        /// The sale.
        sale: SaleId,
        /// Shares the lot holds before the sale.
        held: Shares,
        /// Shares wanted of it.
        wanted: Shares,
    },
    /// A sale names a lot that no event made.
    #[error("sale {sale} names lot {lot}, which no earlier event made")]
    UnknownLot {
        /// The name used.
        lot: LotId,
        /// The sale.
        sale: SaleId,
    },
    /// A sale names a lot of another account: identification is per account (tax rule 2.2).
    #[error("sale {sale} in account {account} names lot {lot}, which is in account {held_in}")]
    LotOfAnotherAccount {
        /// The lot.
        lot: LotId,
        /// The sale.
        sale: SaleId,
        /// Account of the sale.
        account: AccountId,
        /// Account of the lot.
        held_in: AccountId,
    },
    /// A sale names a lot of another security.
    #[error("sale {sale} of {symbol} names lot {lot}, which is {held}")]
    LotOfAnotherSymbol {
        /// The lot.
        lot: LotId,
        /// The sale.
        sale: SaleId,
        /// Security sold.
        symbol: Symbol,
        /// Security of the lot.
        held: Symbol,
    },
    /// The lots named do not add up to the shares sold.
    #[error("sale {sale} is of {sold} shares but its lots add up to {named}")]
    SelectionSum {
        /// The sale.
        sale: SaleId,
        /// Shares sold.
        sold: Shares,
        /// Shares of the lots named.
        named: Shares,
    },
    /// An event lies before one that is booked already.
    #[error("an event of {date} cannot be booked after one of {last}; book the whole ledger again")]
    OutOfOrder {
        /// Date of the event.
        date: Date,
        /// Date of the last event booked.
        last: Date,
    },
    /// A what-if was asked of an event of another kind.
    #[error("a what-if needs a {wanted}, the event of {date} is another kind")]
    OtherKind {
        /// The kind expected.
        wanted: &'static str,
        /// Date of the event.
        date: Date,
    },
    /// No parameters for a tax year.
    #[error("no tax schedule for {year} (known: {first} to {last})")]
    UnknownYear {
        /// The year asked for.
        year: i32,
        /// First year known.
        first: i32,
        /// Last year known.
        last: i32,
    },
    /// A rate outside zero to one.
    #[error("{field} must be at least 0 and below 1")]
    Rate {
        /// Which rate.
        field: &'static str,
    },
    /// Lots were identified after the sale had settled (tax rule 2.2).
    #[error(
        "the lots of sale {sale} were identified on {identified}, after it settled on {settled}; without \
         identification in time the earliest shares are sold (leave the lots out)"
    )]
    LateIdentification {
        /// The sale.
        sale: SaleId,
        /// Date stated.
        identified: Date,
        /// Last day on which it counts.
        settled: Date,
    },
    /// Average basis where the shares are not marked eligible (tax rule 2.2).
    #[error(
        "average basis is only for mutual-fund and reinvestment-plan shares; {symbol} in account {account} is not \
         marked as eligible"
    )]
    NotEligibleForAverage {
        /// The account.
        account: AccountId,
        /// The security.
        symbol: Symbol,
    },
    /// A transfer between accounts that are taxed differently (tax rule 2.10).
    #[error(
        "a transfer of {symbol} on {date} from {from} to {to} is a distribution, contribution or conversion, not a \
         simple transfer (remove the shares from one and open them in the other at market value)"
    )]
    TransferAcrossKinds {
        /// Account that gives.
        from: AccountId,
        /// Account that receives.
        to: AccountId,
        /// Security.
        symbol: Symbol,
        /// Date of the event.
        date: Date,
    },
    /// Shares are bought to close a short sale that is not there.
    #[error("account {account} is short {owed} {symbol} on {date}, cannot close {wanted}")]
    InsufficientShort {
        /// The account.
        account: AccountId,
        /// Security.
        symbol: Symbol,
        /// Trade date.
        date: Date,
        /// Shares owed before.
        owed: Shares,
        /// Shares to close.
        wanted: Shares,
    },
    /// A security that cannot be booked.
    #[error("{symbol} is {what}, which is not supported (tax rule {rule})")]
    UnsupportedSymbol {
        /// The security.
        symbol: Symbol,
        /// What it is, in words.
        what: &'static str,
        /// Section of the tax rules.
        rule: &'static str,
    },
    /// A situation that the engine refuses rather than guesses (tax rules 0.5 and 2.10).
    #[error("{what} is not supported (tax rule {rule})")]
    Unsupported {
        /// The situation, in words.
        what: &'static str,
        /// Section of the tax rules that describes it.
        rule: &'static str,
    },
}
