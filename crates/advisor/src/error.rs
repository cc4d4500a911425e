//! What stands between a household and its advice.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tax engine refuses the ledger or a hypothetical sale.
    #[error(transparent)]
    Tax(#[from] lotwise_tax::Error),
    /// The policy cannot answer.
    #[error(transparent)]
    Policy(#[from] lotwise_sim::Error),
    /// No holding has a usable price.
    #[error("none of your holdings has a recent price in the price table")]
    NothingPriced,
    /// Nothing is held at all.
    #[error("the files hold no open position and no cash on {0}")]
    NothingHeld(lotwise_core::Date),
}
