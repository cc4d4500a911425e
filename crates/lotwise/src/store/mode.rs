//! The two modes (UX.md 1.6): what an import keeps.

use clap::ValueEnum;

/// What an import keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Nothing of a file: it is read, shown and forgotten
    ProfileOnly,
    /// Trades and lots, on this computer; needed for lots, harvest and tax forms without naming files
    Ledger,
}

impl Mode {
    /// Both modes.
    pub const ALL: [Self; 2] = [Self::ProfileOnly, Self::Ledger];

    /// The name in settings, flags and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProfileOnly => "profile-only",
            Self::Ledger => "ledger",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ProfileOnly => "profile only",
            Self::Ledger => "ledger",
        }
    }

    /// The mode with this name, in any case, `_` for `-`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}
