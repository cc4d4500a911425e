//! The file of a backtest. Every key and what is taken without it stands in `docs/backtest.md`.

use std::path::{Path, PathBuf};

use lotwise_core::{Date, Money, Objective, Rate, Seed, Symbol};
use lotwise_sim::backtest::strategies::StrategyConfig;
use lotwise_sim::backtest::{BacktestConfig, Costs, DividendTax, Impact, Taxes};
use lotwise_tax::{FilingStatus, FlatRates, Method, StateRates};
use serde::{Deserialize, Serialize};

use crate::errors::{CliError, Exit};
use crate::input::read_config;

/// The file as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Price file or folder, from the folder of this file.
    pub prices: PathBuf,
    /// The first decision falls on the close of the last session on or before this date.
    pub from: String,
    /// Last session.
    pub to: String,
    /// `members`, `all`, or `listed`.
    #[serde(default)]
    pub universe: UniverseChoice,
    /// The symbols of `listed`.
    #[serde(default)]
    pub symbols: Vec<String>,
    /// Left out of `members` and `all`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Strategies, one run for each and each cost.
    pub run: Vec<RunChoice>,
    /// Trading.
    #[serde(default)]
    pub trading: Trading,
    /// Costs.
    #[serde(default)]
    pub costs: CostChoice,
    /// Taxes.
    #[serde(default)]
    pub taxes: TaxChoice,
    /// Settings of the classical rules.
    #[serde(default)]
    pub rules: Rules,
    /// Statistics.
    #[serde(default)]
    pub statistics: Statistics,
}

/// Which assets may be held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UniverseChoice {
    /// The members of the index on the day, from the table of memberships.
    #[default]
    Members,
    /// Every symbol of the prices but funds and indices.
    All,
    /// Those of `symbols`.
    Listed,
}

/// One strategy.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunChoice {
    /// Its name.
    pub strategy: String,
    /// Sessions between decisions, in place of the one under `trading`.
    pub rebalance_sessions: Option<usize>,
}

/// How it trades.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trading {
    initial_cash: String,
    rebalance_sessions: usize,
    rebalance_threshold: f64,
    turnover_cap: Option<f64>,
    method: String,
    cash_rate: f64,
    delisting_loss: f64,
    objective: String,
    index: String,
    bond: String,
    mix: std::collections::BTreeMap<String, f64>,
}

impl Default for Trading {
    fn default() -> Self {
        Self {
            initial_cash: "100000".to_owned(),
            rebalance_sessions: 1,
            rebalance_threshold: 0.0,
            turnover_cap: None,
            method: "min-tax".to_owned(),
            cash_rate: 0.0,
            delisting_loss: 0.0,
            objective: "MAX_GAIN_1Y".to_owned(),
            index: "SPY".to_owned(),
            bond: "TLT".to_owned(),
            mix: std::collections::BTreeMap::new(),
        }
    }
}

/// What trading costs.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostChoice {
    /// Basis points a side; each is a run of its own.
    pub basis_points: Vec<f64>,
    /// Coefficient of the square-root impact.
    pub impact: Option<f64>,
}

impl Default for CostChoice {
    fn default() -> Self {
        Self { basis_points: vec![5.0], impact: None }
    }
}

/// The account's taxes.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaxChoice {
    mode: String,
    short_rate: String,
    long_rate: String,
    loss_limit: String,
    dividends: String,
    status: String,
    wages: String,
    state_short_rate: String,
    state_long_rate: String,
}

impl Default for TaxChoice {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            mode: text("flat"),
            short_rate: text("0.24"),
            long_rate: text("0.15"),
            loss_limit: text("3000"),
            dividends: text("qualified"),
            status: text("single"),
            wages: text("100000"),
            state_short_rate: text("0"),
            state_long_rate: text("0"),
        }
    }
}

/// Settings of the classical rules.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    cash_target: Option<f64>,
    max_position: Option<f64>,
    risk_window_sessions: Option<usize>,
    min_returns: Option<usize>,
    momentum_tilt: Option<f64>,
    least_loss: Option<f64>,
    risk_weight: Option<f64>,
}

/// Seeds and resamples.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Statistics {
    /// The root of all chance.
    pub seed: u64,
    /// Resamples of intervals.
    pub resamples: usize,
    /// Lengths of windows in the report, in sessions.
    pub windows: Vec<usize>,
}

impl Default for Statistics {
    fn default() -> Self {
        Self { seed: 0, resamples: 2000, windows: vec![14, 30, 60, 90, 252] }
    }
}

/// One run to make.
#[derive(Debug, Clone)]
pub struct PlannedRun {
    /// Name of the strategy.
    pub strategy: String,
    /// How it trades and is taxed.
    pub config: BacktestConfig,
}

impl FileConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or has a key or value that is not known.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        read_config(path, "docs/backtest.md")
    }

    /// The runs of the file, strategies first and costs within.
    ///
    /// # Errors
    /// The first value that is not understood, by name.
    pub fn runs(&self) -> Result<Vec<PlannedRun>, CliError> {
        if self.run.is_empty() || self.costs.basis_points.is_empty() {
            return Err(bad("run", "needs at least one strategy and one cost"));
        }
        let mut runs = Vec::new();
        for choice in &self.run {
            for &basis_points in &self.costs.basis_points {
                let mut config = self.base()?;
                config.costs =
                    Costs { basis_points, impact: self.costs.impact.map(|coefficient| Impact { coefficient }) };
                config.rebalance_sessions = choice.rebalance_sessions.unwrap_or(config.rebalance_sessions);
                if let Some((setting, expected)) = config.fault() {
                    return Err(bad(setting, &format!("must be {expected}")));
                }
                runs.push(PlannedRun { strategy: choice.strategy.clone(), config });
            }
        }
        Ok(runs)
    }

    fn base(&self) -> Result<BacktestConfig, CliError> {
        let trading = &self.trading;
        Ok(BacktestConfig {
            initial_cash: parse("initial_cash", &trading.initial_cash, Money::parse)?,
            from: parse("from", &self.from, Date::parse)?,
            to: parse("to", &self.to, Date::parse)?,
            rebalance_sessions: trading.rebalance_sessions,
            rebalance_threshold: trading.rebalance_threshold,
            turnover_cap: trading.turnover_cap,
            costs: Costs { basis_points: 0.0, impact: None },
            taxes: self.taxes.taxes()?,
            method: method(&trading.method)?,
            cash_rate_annual: trading.cash_rate,
            delisting_loss: trading.delisting_loss,
            objective: parse("objective", &trading.objective, str::parse::<Objective>)?,
        })
    }

    /// What strategies are told.
    ///
    /// # Errors
    /// When a symbol is none.
    pub fn strategy_config(&self) -> Result<StrategyConfig, CliError> {
        let mut config = StrategyConfig::standard();
        let (rules, policy) = (&self.rules, &mut config.policy);
        policy.cash_target = rules.cash_target.unwrap_or(policy.cash_target);
        policy.max_position = rules.max_position;
        policy.risk_window_sessions = rules.risk_window_sessions.unwrap_or(policy.risk_window_sessions);
        policy.min_returns = rules.min_returns.unwrap_or(policy.min_returns);
        policy.momentum_tilt = rules.momentum_tilt.unwrap_or(policy.momentum_tilt);
        config.harvest.least_loss = rules.least_loss.unwrap_or(config.harvest.least_loss);
        config.tax_aware.risk_weight = rules.risk_weight.unwrap_or(config.tax_aware.risk_weight);
        config.index = parse("index", &self.trading.index, Symbol::parse)?;
        config.bond = parse("bond", &self.trading.bond, Symbol::parse)?;
        for (symbol, part) in &self.trading.mix {
            config.mix.push((parse("mix", symbol, Symbol::parse)?, *part));
        }
        config.seed = Seed::new(self.statistics.seed).child("strategy", 0);
        Ok(config)
    }
}

impl TaxChoice {
    fn taxes(&self) -> Result<Taxes, CliError> {
        let rate = |name, text: &str| parse(name, text, Rate::parse);
        let dividends = match self.dividends.as_str() {
            "qualified" => DividendTax::Qualified,
            "ordinary" => DividendTax::Ordinary,
            _ => return Err(bad("dividends", "must be qualified or ordinary")),
        };
        match self.mode.as_str() {
            "none" => Ok(Taxes::None),
            "flat" => {
                let rates = FlatRates {
                    short: rate("short_rate", &self.short_rate)?,
                    long: rate("long_rate", &self.long_rate)?,
                };
                rates.check().map_err(|error| bad("short_rate", &error.to_string()))?;
                Ok(Taxes::Flat { rates, loss_limit: parse("loss_limit", &self.loss_limit, Money::parse)?, dividends })
            }
            "brackets" => Ok(Taxes::Brackets {
                status: FilingStatus::parse(&self.status).ok_or_else(|| {
                    bad(
                        "status",
                        "must be single, married_joint, married_separate, head_of_household or surviving_spouse",
                    )
                })?,
                wages: parse("wages", &self.wages, Money::parse)?,
                state: StateRates {
                    short: rate("state_short_rate", &self.state_short_rate)?,
                    long: rate("state_long_rate", &self.state_long_rate)?,
                },
                dividends,
            }),
            _ => Err(bad("mode", "must be flat, brackets or none")),
        }
    }
}

fn method(text: &str) -> Result<Method, CliError> {
    Ok(match text {
        "fifo" => Method::Fifo,
        "lifo" => Method::Lifo,
        "hifo" => Method::Hifo,
        "lofo" => Method::Lofo,
        "min-tax" => Method::MinTax,
        _ => return Err(bad("method", "must be fifo, lifo, hifo, lofo or min-tax")),
    })
}

fn parse<T, E: std::fmt::Display>(name: &str, text: &str, read: impl Fn(&str) -> Result<T, E>) -> Result<T, CliError> {
    read(text).map_err(|error| bad(name, &format!("is wrong: {error}")))
}

fn bad(name: &str, what: &str) -> CliError {
    CliError::new("bad-config", Exit::Usage, format!("the setting {name} {what}"))
        .help("docs/backtest.md lists every key")
}
