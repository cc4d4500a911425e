//! Option rows: what contract, and what happened to it.

use lotwise_core::{OptionContract, Shares, Symbol};
use lotwise_statements::{Action, Transaction};

/// Details of stock rows that an option moved. The older two are what some files were read as.
pub(super) const DELIVERED: [&str; 4] = ["by_assignment", "by_exercise", "option_assigned", "option_exercised"];

/// Broad-based index options, which are section 1256 contracts (tax rule 2.10).
const INDEX_OPTIONS: [&str; 17] = [
    "SPX", "SPXW", "XSP", "NDX", "NDXP", "XND", "RUT", "RUTW", "MRUT", "VIX", "VIXW", "DJX", "OEX", "XEO", "MNX",
    "NQX", "SPESG",
];

/// What a row did to a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Contracts bought: to open, or to close written ones.
    Bought,
    /// Contracts sold: written, or bought ones closed.
    Sold,
    /// A bought option was exercised.
    Exercised,
    /// A written option was assigned.
    Assigned,
    /// The contracts lapsed.
    Expired,
    /// Something else, for instance an adjustment of the terms.
    Other,
}

/// Whether the row opens or closes, where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Opens,
    Closes,
    Unsaid,
}

pub(super) fn deed(transaction: &Transaction) -> Deed {
    let negative = transaction.shares.is_some_and(Shares::is_negative);
    match (transaction.action, transaction.detail.as_deref()) {
        (Action::OptionExercise, _) | (_, Some("option_exercise")) => Deed::Exercised,
        (Action::OptionAssign, _) | (_, Some("option_assign")) => Deed::Assigned,
        (Action::OptionExpire, _) | (_, Some("option_expire")) => Deed::Expired,
        (_, Some("option_adjustment")) => Deed::Other,
        (Action::Buy, _) => Deed::Bought,
        (Action::Sell, _) => Deed::Sold,
        (Action::OptionOpen | Action::OptionClose, _) if negative => Deed::Sold,
        (Action::OptionOpen | Action::OptionClose, _) => Deed::Bought,
        _ => Deed::Other,
    }
}

pub(super) fn side(transaction: &Transaction) -> Side {
    match (transaction.action, transaction.detail.as_deref()) {
        (Action::OptionOpen, _) | (_, Some("option_open")) => Side::Opens,
        (Action::OptionClose, _) | (_, Some("option_close")) => Side::Closes,
        _ => Side::Unsaid,
    }
}

/// Whether the row turns contracts into stock.
pub(super) fn delivers(transaction: &Transaction) -> bool {
    super::rows::is_option(transaction) && matches!(deed(transaction), Deed::Exercised | Deed::Assigned)
}

/// The contract: as the file states it, else by the form of its symbol.
pub(super) fn terms(transaction: &Transaction) -> Option<OptionContract> {
    let by_form = || OptionContract::parse_occ(transaction.symbol.as_ref()?.as_str()).ok();
    transaction.option.clone().or_else(by_form)
}

/// The contract as a security of its own.
pub(super) fn symbol(contract: &OptionContract) -> Option<Symbol> {
    contract.symbol()
}

/// Whether the contract is taxed by marking to market, which is not supported.
pub(super) fn is_index(contract: &OptionContract) -> bool {
    INDEX_OPTIONS.contains(&contract.underlying.as_str().trim_start_matches('^'))
}

/// Shares of the underlying behind this many contracts.
pub(super) fn delivered(contract: &OptionContract, contracts: Shares) -> Shares {
    let billionths = contracts.billionths().checked_mul(i128::from(contract.multiplier));
    Shares::from_billionths(billionths.unwrap_or(0))
}
