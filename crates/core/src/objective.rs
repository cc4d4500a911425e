//! The fixed enumerations of SPEC G. Their order is part of the checkpoint format.

/// One of the six goals that a policy can be conditioned on (SPEC G, index order).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Objective {
    /// Beat an equal-weight portfolio of the same names.
    AlphaVsEw = 0,
    /// Growth over a year.
    MaxGain1y = 1,
    /// Keep what is there.
    CapitalPreserve = 2,
    /// Harvest tax losses.
    IncomeHarvest = 3,
    /// Sell gains only when they are long-term.
    LtGainOnly = 4,
    /// Growth over a month.
    MaxGain30d = 5,
}

/// A specialist of the mixture (SPEC G).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Expert {
    /// Expert 0.
    Momentum = 0,
    /// Expert 1.
    Growth = 1,
    /// Expert 2.
    Defensive = 2,
    /// Expert 3.
    TaxAware = 3,
}

/// State of a market or a ticker (SPEC D-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Regime {
    /// 63-bar return above +5 %.
    Bull = 0,
    /// 63-bar return below −5 %.
    Bear = 1,
    /// 21-bar volatility above its trailing 80th percentile.
    Volatile = 2,
    /// None of the others.
    Sideways = 3,
}

/// A name that is none of the six objectives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an objective; use one of ALPHA_VS_EW, MAX_GAIN_1Y, CAPITAL_PRESERVE, INCOME_HARVEST, LT_GAIN_ONLY, MAX_GAIN_30D"
)]
pub struct UnknownObjective(pub String);

impl Objective {
    /// All six, by index.
    pub const ALL: [Self; 6] = [
        Self::AlphaVsEw,
        Self::MaxGain1y,
        Self::CapitalPreserve,
        Self::IncomeHarvest,
        Self::LtGainOnly,
        Self::MaxGain30d,
    ];

    /// The name used in files, flags and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlphaVsEw => "ALPHA_VS_EW",
            Self::MaxGain1y => "MAX_GAIN_1Y",
            Self::CapitalPreserve => "CAPITAL_PRESERVE",
            Self::IncomeHarvest => "INCOME_HARVEST",
            Self::LtGainOnly => "LT_GAIN_ONLY",
            Self::MaxGain30d => "MAX_GAIN_30D",
        }
    }

    /// The expert that serves this objective: `map(o) = [0,1,2,3,3,0]` (SPEC G).
    #[must_use]
    pub const fn expert(self) -> Expert {
        match self {
            Self::AlphaVsEw | Self::MaxGain30d => Expert::Momentum,
            Self::MaxGain1y => Expert::Growth,
            Self::CapitalPreserve => Expert::Defensive,
            Self::IncomeHarvest | Self::LtGainOnly => Expert::TaxAware,
        }
    }
}

impl std::str::FromStr for Objective {
    type Err = UnknownObjective;
    /// Case does not matter, and `-` reads as `_`.
    fn from_str(text: &str) -> Result<Self, UnknownObjective> {
        let wanted = text.trim().to_ascii_uppercase().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|objective| objective.name() == wanted)
            .ok_or_else(|| UnknownObjective(text.chars().take(40).collect()))
    }
}

impl std::fmt::Display for Objective {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl Regime {
    /// All four, by index.
    pub const ALL: [Self; 4] = [Self::Bull, Self::Bear, Self::Volatile, Self::Sideways];

    /// The name used in files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bull => "bull",
            Self::Bear => "bear",
            Self::Volatile => "volatile",
            Self::Sideways => "sideways",
        }
    }
}

impl std::fmt::Display for Regime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_read_in_any_case_and_map_to_their_expert() {
        assert_eq!("max-gain-30d".parse(), Ok(Objective::MaxGain30d));
        assert_eq!("LT_GAIN_ONLY".parse(), Ok(Objective::LtGainOnly));
        assert!("growth".parse::<Objective>().is_err());
        let map: Vec<u8> = Objective::ALL.iter().map(|objective| objective.expert() as u8).collect();
        assert_eq!(map, [0, 1, 2, 3, 3, 0]);
    }
}
