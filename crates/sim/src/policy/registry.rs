//! The rules by name, and the one that each objective gets unless a person chooses another.

use lotwise_core::Objective;

use super::{
    EqualWeight, Hold, InverseVolatility, MeanVariance, MinVariance, MomentumTilt, Policy, PolicyConfig, RiskParity,
};
use crate::Error;

/// Names of all policies, in the order in which they are listed to a person.
#[must_use]
pub fn names() -> &'static [&'static str] {
    &["hold", "equal-weight", "inverse-volatility", "min-variance", "risk-parity", "mean-variance", "momentum-tilt"]
}

/// The policy with the given name. Case does not matter, and `_` reads as `-`.
///
/// # Errors
/// [`Error::UnknownPolicy`] lists the names; [`Error::Setting`] names a setting out of range.
pub fn by_name(name: &str, config: PolicyConfig) -> Result<Box<dyn Policy>, Error> {
    config.check()?;
    let wanted = name.trim().to_ascii_lowercase().replace('_', "-");
    Ok(match wanted.as_str() {
        "hold" => Box::new(Hold),
        "equal-weight" => Box::new(EqualWeight { config }),
        "inverse-volatility" => Box::new(InverseVolatility { config }),
        "min-variance" => Box::new(MinVariance { config }),
        "risk-parity" => Box::new(RiskParity { config }),
        "mean-variance" => Box::new(MeanVariance { config }),
        "momentum-tilt" => Box::new(MomentumTilt { config }),
        _ => {
            let name = name.chars().take(40).collect();
            return Err(Error::UnknownPolicy { name, known: names().join(", ") });
        }
    })
}

/// The policy that an objective gets unless a person chooses another, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedDefault {
    /// Name of the policy; [`by_name`] knows it.
    pub policy: &'static str,
    /// One plain sentence without a final period.
    pub reason: &'static str,
}

/// The stated default for an objective.
#[must_use]
pub const fn default_for(objective: Objective) -> StatedDefault {
    match objective {
        Objective::AlphaVsEw => StatedDefault {
            policy: "momentum-tilt",
            reason: "it stays close to the equal-weight portfolio it is measured against and differs only by momentum",
        },
        Objective::MaxGain1y => StatedDefault {
            policy: "equal-weight",
            reason: "it stays fully invested and estimates nothing, which is hard to beat over a year",
        },
        Objective::CapitalPreserve => {
            StatedDefault { policy: "min-variance", reason: "it seeks the smallest swings that the assets allow" }
        }
        Objective::IncomeHarvest => StatedDefault {
            policy: "hold",
            reason: "losses are harvested lot by lot, and trades for any other reason would use up the benefit",
        },
        Objective::LtGainOnly => StatedDefault {
            policy: "inverse-volatility",
            reason: "its weights change slowly, so that few sales are asked for and most gains can turn long-term",
        },
        Objective::MaxGain30d => StatedDefault {
            policy: "momentum-tilt",
            reason: "momentum is the only one of these rules that looks at the trend, though a month is short for it",
        },
    }
}
