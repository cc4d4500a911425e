//! Strategies by name: every policy, and those that need memory, lots or named symbols (SPEC V-04).

mod fixed;
mod harvester;
mod online;
mod random;
mod tax_aware;

use std::fmt;

use lotwise_core::{Seed, Symbol};

use super::{Stateless, Strategy};
use crate::Error;
use crate::policy::{
    CapWeight, EqualWeight, HierarchicalRiskParity, MarketCaps, Policy, PolicyConfig, by_name, names as policy_names,
};

pub use fixed::{EqualWeightHold, FixedMix};
pub use harvester::{HarvestRule, Harvester};
pub use online::{OnlineKind, OnlineStrategy};
pub use random::RandomDirichlet;
pub use tax_aware::{TaxAware, TaxAwareRule};

/// What a strategy may need beside its name.
#[derive(Clone)]
pub struct StrategyConfig {
    /// Of the classical rules.
    pub policy: PolicyConfig,
    /// Of the harvester.
    pub harvest: HarvestRule,
    /// Of the tax-aware list of trades.
    pub tax_aware: TaxAwareRule,
    /// Symbols and fractions of `fixed-mix`.
    pub mix: Vec<(Symbol, f64)>,
    /// The index fund of `single-index` and `60/40`.
    pub index: Symbol,
    /// The bond fund of `60/40`.
    pub bond: Symbol,
    /// Seed of `random-dirichlet`.
    pub seed: Seed,
    /// Market values for `cap-weight`; `None` where nothing knows them.
    pub caps: Option<MarketCaps>,
}

// What was chosen; market values are data, which are told apart by the tables they come from.
impl fmt::Debug for StrategyConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, harvest, tax_aware, mix, index, bond, seed, caps: _ } = self;
        let mut text = formatter.debug_struct("StrategyConfig");
        text.field("policy", policy).field("harvest", harvest).field("tax_aware", tax_aware).field("mix", mix);
        text.field("index", index).field("bond", bond).field("seed", seed).finish()
    }
}

impl StrategyConfig {
    /// Fully invested classical rules, SPY and TLT, seed 0.
    ///
    /// # Panics
    /// Never: the two names are symbols.
    #[must_use]
    pub fn standard() -> Self {
        let symbol = |text| Symbol::parse(text).expect("Invariant: the name is a symbol");
        Self {
            policy: PolicyConfig { cash_target: 0.0, ..PolicyConfig::default() },
            harvest: HarvestRule::default(),
            tax_aware: TaxAwareRule::default(),
            mix: Vec::new(),
            index: symbol("SPY"),
            bond: symbol("TLT"),
            seed: Seed::new(0),
            caps: None,
        }
    }
}

/// Names of strategies that are no policies.
const OWN: [&str; 14] = [
    "hrp",
    "cap-weight",
    "equal-weight-hold",
    "fixed-mix",
    "single-index",
    "60/40",
    "harvester",
    "tax-aware",
    "random-dirichlet",
    "ucrp",
    "eg",
    "ons",
    "pamr",
    "olmar",
];

/// Names of all strategies, in the order in which they are listed to a person.
#[must_use]
pub fn strategy_names() -> Vec<&'static str> {
    policy_names().iter().copied().chain(OWN).collect()
}

/// Symbols that a strategy trades whatever the universe is; empty for those that take any.
#[must_use]
pub fn named_symbols(name: &str, config: &StrategyConfig) -> Vec<Symbol> {
    let name = normal(name);
    match name.strip_prefix(TAX_AWARE).unwrap_or(&name) {
        "fixed-mix" => config.mix.iter().map(|(symbol, _)| symbol.clone()).collect(),
        "single-index" => vec![config.index.clone()],
        "60/40" => vec![config.index.clone(), config.bond.clone()],
        _ => Vec::new(),
    }
}

/// Whether a strategy needs market values ([`StrategyConfig::caps`]).
#[must_use]
pub fn needs_market_caps(name: &str) -> bool {
    let name = normal(name);
    name.strip_prefix(TAX_AWARE).unwrap_or(&name) == "cap-weight"
}

/// The strategy with the given name, new and without memory. Case does not matter, and `_` reads
/// as `-`. `tax-aware:NAME` is the tax-aware list of trades towards the weights of another strategy;
/// `tax-aware` alone goes towards equal weight.
///
/// # Errors
/// [`Error::UnknownPolicy`] lists the names; [`Error::NotAvailable`] says what a known one lacks;
/// [`Error::Setting`] names a setting out of range.
pub fn strategy_by_name(name: &str, config: &StrategyConfig) -> Result<Box<dyn Strategy>, Error> {
    let wanted = normal(name);
    let online = |kind| -> Result<Box<dyn Strategy>, Error> { Ok(Box::new(OnlineStrategy::new(kind))) };
    match wanted.as_str() {
        "hrp" => {
            config.policy.check()?;
            let policy: Box<dyn Policy> = Box::new(HierarchicalRiskParity { config: config.policy });
            Ok(Box::new(Stateless(policy)))
        }
        "equal-weight-hold" => Ok(Box::new(EqualWeightHold::new(config.policy)?)),
        "fixed-mix" => Ok(Box::new(FixedMix::new("fixed-mix", config.mix.clone())?)),
        "single-index" => Ok(Box::new(FixedMix::new("single-index", vec![(config.index.clone(), 1.0)])?)),
        "60/40" => {
            let mix = vec![(config.index.clone(), 0.6), (config.bond.clone(), 0.4)];
            Ok(Box::new(FixedMix::new("60/40", mix)?))
        }
        "harvester" => Ok(Box::new(Harvester::new(config.policy, config.harvest)?)),
        "tax-aware" => {
            let target: Box<dyn Policy> = Box::new(EqualWeight { config: config.policy });
            let target = Box::new(Stateless(target));
            Ok(Box::new(TaxAware::new(wanted, target, config.policy, config.tax_aware)?))
        }
        "random-dirichlet" => Ok(Box::new(RandomDirichlet::new(config.seed))),
        "ucrp" => online(OnlineKind::Ucrp),
        "eg" => online(OnlineKind::Eg),
        "ons" => online(OnlineKind::Ons),
        "pamr" => online(OnlineKind::Pamr),
        "olmar" => online(OnlineKind::Olmar),
        "cap-weight" => {
            config.policy.check()?;
            let caps = config.caps.clone().ok_or(Error::NotAvailable {
                name: "cap-weight",
                reason: "it needs market values as of each day, a table fundamentals_snapshots beside the prices",
            })?;
            let policy: Box<dyn Policy> = Box::new(CapWeight { config: config.policy, caps });
            Ok(Box::new(Stateless(policy)))
        }
        "bcrp" => Err(Error::NotAvailable {
            name: "bcrp",
            reason: "it is known in hindsight only and no strategy; `bench olps` shows it beside the rules that are",
        }),
        other if other.starts_with(TAX_AWARE) => {
            let target = strategy_by_name(&other[TAX_AWARE.len()..], config)?;
            Ok(Box::new(TaxAware::new(wanted, target, config.policy, config.tax_aware)?))
        }
        _ => match by_name(&wanted, config.policy) {
            Ok(policy) => Ok(Box::new(Stateless(policy))),
            Err(Error::UnknownPolicy { name, .. }) => {
                Err(Error::UnknownPolicy { name, known: strategy_names().join(", ") })
            }
            Err(error) => Err(error),
        },
    }
}

/// Stands before the name of the target.
const TAX_AWARE: &str = "tax-aware:";

fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('_', "-")
}
