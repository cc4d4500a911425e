//! Whose account it is and how it is taxed.

/// Owner and tax treatment of an account (tax rule 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// The taxpayer's own taxable account.
    Taxable,
    /// The taxpayer's traditional IRA.
    Ira,
    /// The taxpayer's Roth IRA.
    Roth,
    /// The spouse's taxable account.
    SpouseTaxable,
    /// The spouse's IRA.
    SpouseIra,
    /// Any other account whose purchases count.
    Other,
}

impl AccountKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Taxable, Self::Ira, Self::Roth, Self::SpouseTaxable, Self::SpouseIra, Self::Other];

    /// The name used in files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taxable => "taxable",
            Self::Ira => "ira",
            Self::Roth => "roth",
            Self::SpouseTaxable => "spouse_taxable",
            Self::SpouseIra => "spouse_ira",
            Self::Other => "other",
        }
    }

    /// The kind with this name, in any case, `-` for `_`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether sales in it are reported.
    #[must_use]
    pub const fn is_taxable(self) -> bool {
        matches!(self, Self::Taxable | Self::SpouseTaxable | Self::Other)
    }

    /// Whether a loss replaced here is gone for good (tax rule 4.6).
    #[must_use]
    pub const fn is_retirement(self) -> bool {
        matches!(self, Self::Ira | Self::Roth | Self::SpouseIra)
    }
}

impl std::fmt::Display for AccountKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}
