//! The nouns of the engine: accounts, rules, events, and what a booking comes to.

mod event;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use self::event::{Boot, Delivery, Event, EventKind, ExchangeKind, Scope, Way};
pub use self::outcome::{
    BasisRange, Booking, LossBasis, Note, NoteKind, OpenLot, OpenShort, Range, Replacement, RowKind, SaleRow,
};

pub use lotwise_core::AccountKind;
use lotwise_core::{Date, Rate, Shares, Symbol};

use crate::error::Error;

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
    /// Lowest basis per share first.
    Lofo,
    /// Least tax first at the user's marginal rates, wash-sale effect included.
    MinTax,
    /// Average basis over the account's shares, which leave earliest first; only where
    /// [`Rules::average_eligible`] says so. The basis stays averaged afterwards.
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
    /// Carried over a split of lots or a corporate action.
    CarriedOver,
    /// The donor's basis (tax rule 2.5).
    Gift,
    /// Market value at death (tax rule 2.6).
    Inherited,
    /// Not known; results that need it are ranges or refused.
    Unknown,
    /// Only an average per position is known: sales are ranges, never exact (tax rule 6.5).
    AverageOnly,
}

/// What a symbol stands for, as far as the tax rules care. Symbols that are listed options are
/// recognised by their form and need no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AssetClass {
    /// Stock, exchange-traded fund, mutual fund, or tokenised stock.
    #[default]
    Stock,
    /// A coin or token that is not a security: lots and terms like stock, but the wash-sale rule
    /// covers stock and securities only (tax rule 2.11).
    DigitalAsset,
    /// Regulated futures, broad-index options and the like: refused.
    Section1256,
    /// Taxed at up to 28 %: refused.
    Collectible,
}

impl AssetClass {
    /// Whether the engine books it; the others are refused by name.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with the situation and the section that describes it.
    pub const fn check(self) -> Result<(), Error> {
        let (what, rule) = match self {
            Self::Stock | Self::DigitalAsset => return Ok(()),
            Self::Section1256 => ("a section 1256 contract", "2.10"),
            Self::Collectible => ("collectible gain at the 28 % rate", "2.10"),
        };
        Err(Error::Unsupported { what, rule })
    }
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
    /// What symbols stand for; those that are not listed are [`AssetClass::Stock`].
    pub classes: BTreeMap<Symbol, AssetClass>,
    /// Rule 2.11: from which day losses on digital assets are washed. `None`, the law as it
    /// stands: never.
    pub digital_asset_wash_sales_from: Option<Date>,
    /// Rule 2.2: mutual-fund shares and reinvestment-plan shares for which [`Method::Average`] may
    /// be used, by account and symbol.
    pub average_eligible: BTreeSet<(AccountId, Symbol)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            lots_leave: LotsLeave::default(),
            older_lots_can_replace: true,
            tacking: Tacking::default(),
            identity_groups: Vec::new(),
            rates: FlatRates::default(),
            classes: BTreeMap::new(),
            digital_asset_wash_sales_from: None,
            average_eligible: BTreeSet::new(),
        }
    }
}

impl Rules {
    /// The policy switches by name and value, for every result to say which it was made under.
    #[must_use]
    pub fn switches(&self) -> [(&'static str, String); 4] {
        let lots_leave = match self.lots_leave {
            LotsLeave::Together => "together",
            LotsLeave::OneByOne => "one_by_one",
        };
        let tacking = match self.tacking {
            Tacking::Add => "add",
            Tacking::Union => "union",
        };
        [
            ("lots_leave", lots_leave.into()),
            ("older_lots_can_replace", self.older_lots_can_replace.to_string()),
            ("tacking", tacking.into()),
            (
                "digital_asset_wash_sales_from",
                self.digital_asset_wash_sales_from.map_or_else(|| "never".into(), |date| date.to_string()),
            ),
        ]
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

/// Accounts and what happened in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Accounts of the household that are loaded.
    pub accounts: Vec<Account>,
    /// Events; those of one date happen in the order given.
    pub events: Vec<Event>,
}
