//! What a market configuration can get wrong.

/// A setting of a [`super::MarketConfig`] that cannot be simulated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("synthetic market: {setting} is {found}, expected {expected}")]
pub struct SyntheticError {
    /// The setting, by its path in the configuration.
    pub setting: String,
    /// What it holds.
    pub found: String,
    /// What it may hold.
    pub expected: &'static str,
}

impl SyntheticError {
    pub(super) fn new(setting: impl Into<String>, found: impl std::fmt::Display, expected: &'static str) -> Self {
        Self { setting: setting.into(), found: found.to_string(), expected }
    }
}
