//! What can happen to the shares of a household, each kind with what it does to lots, basis and
//! dates and the tax rule that says so.

use lotwise_core::{Date, Money, Rate, Shares, Symbol};

use super::{AccountId, BasisSource, LotId, LotSelection, SaleId};

/// Something that happened in an account, on a civil trade date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Trade date (tax rule 0.3).
    pub date: Date,
    /// Account concerned.
    pub account: AccountId,
    /// Security concerned. For options it is the contract's own symbol
    /// ([`lotwise_core::OptionContract::symbol`]).
    pub symbol: Symbol,
    /// What happened.
    pub kind: EventKind,
}

/// Every kind of event that the engine books. What is not here is refused by name.
///
/// Shares are in shares, for options in contracts; amounts are totals in dollars. A contract's
/// multiplier is the caller's: 2 contracts bought at 1.50 are `shares: 2, amount: 300`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// An acquisition; every reinvestment is one. It makes a lot whose basis is `amount + fee`
    /// (tax rule 2.1), and washes losses of the 30 days before it (4.1).
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
    /// Shares that are held without a purchase in the ledger: an opening position, a transfer from
    /// an account that is not in the ledger, or a grant. Not a purchase, so never a replacement.
    Open {
        /// Lot that it makes.
        lot: LotId,
        /// Shares held, above zero.
        shares: Shares,
        /// Total basis; `None` is unknown, never zero. With [`BasisSource::AverageOnly`] it is the
        /// lot's part of the position's basis, and results are ranges (6.5).
        basis: Option<Money>,
        /// Acquisition date; `None` is unknown.
        acquired: Option<Date>,
        /// Where the basis comes from.
        source: BasisSource,
    },
    /// A disposal for cash: `amount - fee` is shared out over the shares that leave (tax rules 2.1
    /// and 2.2). It makes one row per segment, and losses look for replacements (4.4).
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
        /// When the lots, or the method other than first-in first-out, were told to the broker; a
        /// date after the settlement of the sale is refused (2.2). `None`: a standing order, or
        /// not stated.
        identified: Option<Date>,
    },
    /// `new` shares for every `old` ones, in every account that holds the symbol (tax rule 2.3).
    /// Basis and dates stay. Cash in lieu of a fraction is a [`EventKind::Sell`] of that fraction.
    Split {
        /// Shares after.
        new: Shares,
        /// Shares before.
        old: Shares,
    },
    /// Shares that leave without a sale: a transfer to an account that is not in the ledger, a
    /// gift made, a distribution. They end in [`crate::Booking::removed`]. Also how shares leave a
    /// retirement account for a taxable one; there they arrive as [`EventKind::Open`] with their
    /// market value as basis.
    Remove {
        /// Shares that leave, above zero, in the account's method order.
        shares: Shares,
    },
    /// Cash that reduces basis, share by share; below zero the excess is gain of the lot's own
    /// term (tax rule 2.7).
    ReturnOfCapital {
        /// Name for the gain row where the basis is used up.
        sale: SaleId,
        /// Cash received on the shares that the account holds.
        amount: Money,
    },
    /// Shares that move to another account of the ledger. Lots keep their names, basis, dates and
    /// wash-sale state: no purchase, no sale (tax rule 2.10). Between a retirement account and any
    /// account of another kind it is refused: that is a distribution, contribution or conversion.
    Transfer {
        /// Account that receives them.
        to: AccountId,
        /// Shares that move, above zero.
        shares: Shares,
        /// Which lots move; [`LotSelection::Standing`] is the account's method order.
        lots: LotSelection,
    },
    /// A gift received (tax rule 2.5). A gain is measured from the donor's basis and the donor's
    /// date; a loss from the lower of that basis and the market value, and where the market value
    /// is the lower the holding period for a loss starts the day after the gift. In between there
    /// is neither gain nor loss. Not a purchase.
    Gift {
        /// Lot that it makes.
        lot: LotId,
        /// Shares received, above zero.
        shares: Shares,
        /// The donor's total basis; `None` is unknown.
        donor_basis: Option<Money>,
        /// When the donor acquired them; `None` is unknown.
        donor_acquired: Option<Date>,
        /// Total market value on the day of the gift, which is the event's date.
        value: Money,
    },
    /// An inheritance (tax rule 2.6): basis is the market value at death or on the alternate date;
    /// always long-term; reports print INHERITED instead of a date. Not a purchase.
    Inherit {
        /// Lot that it makes.
        lot: LotId,
        /// Shares received, above zero.
        shares: Shares,
        /// Total market value on the day that counts; `None` is unknown.
        value: Option<Money>,
        /// Day of death, not after the event's date; `None` is the event's date.
        died: Option<Date>,
    },
    /// A tax-free spin-off (tax rule 2.4): of every lot of the event's symbol `to_new` of the basis
    /// moves to a lot of the new symbol with the same dates, named `OLD-LOT/NEW-SYMBOL`. Not a
    /// purchase. Cash in lieu of a fraction is a [`EventKind::Sell`] of that fraction.
    SpinOff {
        /// The new security.
        to: Symbol,
        /// New shares received …
        new: Shares,
        /// … for this many old ones.
        old: Shares,
        /// Part of the basis that moves, at least 0 and at most 1, as the company's Form 8937 says.
        to_new: Rate,
        /// Whose shares.
        scope: Scope,
    },
    /// Shares become shares of another symbol (tax rule 2.4): name change, conversion, or
    /// stock-for-stock merger, with or without cash. Lots keep names, basis and dates. A cash
    /// merger is a [`EventKind::Sell`]; cash in lieu of a fraction is a sale of that fraction.
    Exchange {
        /// The new security.
        to: Symbol,
        /// New shares received …
        new: Shares,
        /// … for this many old ones.
        old: Shares,
        /// What the two securities are to each other.
        kind: ExchangeKind,
        /// Cash beside the shares.
        cash: Option<Boot>,
        /// Whose shares. With cash it has to be [`Scope::Account`].
        scope: Scope,
    },
    /// Shares sold that were borrowed, or an option written (tax rules 2.8 and 2.9). It opens a
    /// short lot with proceeds `amount - fee`; nothing is taxed before it is closed.
    ShortSell {
        /// Name of the short lot, distinct among lots.
        lot: LotId,
        /// Shares or contracts, above zero.
        shares: Shares,
        /// Total price before fee.
        amount: Money,
        /// Commission and fees; they reduce the proceeds.
        fee: Money,
    },
    /// A purchase that closes a short sale or a written option (tax rules 2.8 and 2.9). The row's
    /// gain is the short lot's proceeds less `amount + fee`; its term is short, but a loss is long
    /// as far as substantially identical shares were held for more than a year on the day of the
    /// short sale (26 USC 1233(d)), and closing restarts the holding period of those held a year
    /// or less (1233(b)). A gain counts on the trade date, a loss on the settlement date (rule
    /// 0.3). The shares are delivered at once: no lot is made, and they replace nothing.
    Cover {
        /// Name of the order, for the rows.
        sale: SaleId,
        /// Shares or contracts closed, above zero.
        shares: Shares,
        /// Total price before fee.
        amount: Money,
        /// Commission and fees.
        fee: Money,
        /// Which short lots are closed: [`LotSelection::Lots`] by name, else the earliest first.
        lots: LotSelection,
        /// When the shares were delivered; `None` is computed: three sessions after the trade
        /// until 2017-09-04, two until 2024-05-27, then one; options one.
        settled: Option<Date>,
    },
    /// A bought option is exercised (tax rule 2.8). A call: its premium joins the basis of the
    /// shares that come in, whose holding starts the day after. A put: its premium reduces the
    /// proceeds of the shares that leave.
    Exercise(Delivery),
    /// A written option is assigned (tax rule 2.8). A call: its premium joins the proceeds of the
    /// shares that leave. A put: its premium reduces the basis of the shares that come in.
    Assign(Delivery),
    /// Options lapse (tax rule 2.8): a loss of the premium for the holder, by the option's own
    /// holding period; a short-term gain of it for the writer. Whether the account holds or wrote
    /// the contract is on the book; where it does both the event is refused.
    Expire {
        /// Name of the rows.
        sale: SaleId,
        /// Contracts that lapse, above zero.
        contracts: Shares,
    },
}

/// Shares that change hands when an option is exercised or assigned. The event's symbol is the
/// option's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Contracts used up, above zero, the earliest first.
    pub contracts: Shares,
    /// What the option is on.
    pub underlying: Symbol,
    /// Shares of it that are delivered, above zero: contracts times the multiplier.
    pub shares: Shares,
    /// Strike price times shares.
    pub amount: Money,
    /// Commission and fees; they join the basis or reduce the proceeds.
    pub fee: Money,
    /// The way the shares go.
    pub way: Way,
}

/// The way that the shares of a [`Delivery`] go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// They come in: a call exercised, or a put assigned. A purchase for the wash-sale rule.
    In {
        /// Lot that they make.
        lot: LotId,
    },
    /// They leave: a put exercised, or a call assigned. A sale.
    Out {
        /// Name of the order, for the rows.
        sale: SaleId,
        /// Which lots leave.
        lots: LotSelection,
    },
}

/// Whose shares a corporate action concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Those of the event's account: each account reports its own.
    Account,
    /// Those of every account of the ledger.
    Household,
}

/// What two securities of an exchange are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExchangeKind {
    /// One security under another name or number: purchases and losses under the two names meet in
    /// the wash-sale rule, before and after (tax rule 4.2).
    Rename,
    /// Another security: a merger or conversion. Shares received keep the purchase dates of those
    /// given up; losses taken on the old security before it wait for the old one only.
    Reorganisation,
}

/// Cash received beside shares in an exchange (tax rule 2.4): gain is recognised up to the cash, a
/// loss is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Name of the rows.
    pub sale: SaleId,
    /// Cash received by the account.
    pub cash: Money,
    /// Market value of the new shares received by the account, which decides how much gain there is.
    pub value: Money,
}
