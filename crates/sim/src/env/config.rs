//! Settings of the environment. Nothing is hidden: [`EnvConfig::stated`] says every default.

use lotwise_core::{Money, Objective, Rate};
use lotwise_tax::{FlatRates, Method};

use crate::Error;
use crate::execution::ExecutionConfig;
use crate::reward::RewardConfig;

/// When trades that were decided at a close are made (SPEC E-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// At the next session's open.
    NextOpen,
    /// At the next session's close.
    NextClose,
    /// At the very close that they were decided on: optimistic, for comparison only.
    SameClose,
}

/// What an account is worth (SPEC E-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nav {
    /// Cash and market value, less the tax accrued.
    AfterTax,
    /// Cash and market value.
    PreTax,
}

/// Taxes at flat rates: an explicit simplification (tax rule 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxConfig {
    /// On gains.
    pub rates: FlatRates,
    /// On dividends.
    pub dividend_rate: Rate,
    /// Loss that may reduce other income in a year.
    pub loss_limit: Money,
    /// What a carried dollar of loss is worth, as a part of the long-term rate (SPEC T-07).
    pub carried_share: Rate,
    /// Which lots leave (SPEC T-05).
    pub method: Method,
}

/// How episodes begin (SPEC E-04).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartConfig {
    /// Cash, or the value of a random portfolio with its cash.
    pub value: Money,
    /// Chance that an episode begins with random lots instead of cash.
    pub random_portfolio: f64,
    /// Youngest and oldest random lot, days.
    pub age_days: (u32, u32),
    /// Least and greatest basis of a random lot, parts of its price.
    pub basis: (f64, f64),
    /// Most lots of one asset.
    pub lots: u32,
    /// What episodes are rewarded for; `None` draws one of the six.
    pub objective: Option<Objective>,
    /// Sessions that an asset must have had before an episode may hold it.
    pub warmup_sessions: usize,
    /// Sessions of the tape, from and up to but without, that episodes may play; `None` for all.
    pub sessions: Option<(usize, usize)>,
}

/// Settings of the environment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnvConfig {
    /// Assets in an episode.
    pub n_assets: usize,
    /// When trades are made.
    pub timing: Timing,
    /// What an account is worth.
    pub nav: Nav,
    /// How weights become trades.
    pub execution: ExecutionConfig,
    /// What a step is paid.
    pub reward: RewardConfig,
    /// Taxes.
    pub tax: TaxConfig,
    /// How episodes begin.
    pub start: StartConfig,
    /// Whether the first purchase from cash is free of threshold and cap (SPEC E-09).
    pub initial_funding: bool,
    /// Whether shares may be broken.
    pub fractional_shares: bool,
    /// What is lost of the last price when a symbol ends whose payout is not known, 0 to 1.
    pub delisting_loss: f64,
    /// Return of cash a year.
    pub cash_rate_annual: f64,
    /// Steps of an episode for each objective.
    pub horizon_steps: [u32; 6],
    /// An episode is over when the account is worth less than this part of its start (SPEC E-19).
    pub ruin: f64,
    /// Risk tolerance that observations tell, 0 to 1.
    pub risk_tolerance: f64,
    /// Horizon that observations tell, years.
    pub horizon_years: f64,
}

impl EnvConfig {
    /// The default of the specification.
    #[must_use]
    pub fn stated(n_assets: usize) -> Self {
        let mut horizon_steps = [252; 6];
        horizon_steps[Objective::MaxGain30d as usize] = 30;
        horizon_steps[Objective::AlphaVsEw as usize] = 30;
        horizon_steps[Objective::CapitalPreserve as usize] = 126;
        let rates = FlatRates::default();
        Self {
            n_assets,
            timing: Timing::NextOpen,
            nav: Nav::AfterTax,
            execution: ExecutionConfig::stated(),
            reward: RewardConfig::aligned(),
            tax: TaxConfig {
                rates,
                dividend_rate: rates.long,
                loss_limit: Money::from_whole(3_000),
                carried_share: Rate::from_billionths(500_000_000),
                method: Method::MinTax,
            },
            start: StartConfig {
                value: Money::from_whole(100_000),
                random_portfolio: 0.5,
                age_days: (1, 900),
                basis: (0.6, 1.5),
                lots: 4,
                objective: None,
                warmup_sessions: 84,
                sessions: None,
            },
            initial_funding: true,
            fractional_shares: true,
            delisting_loss: 0.0,
            cash_rate_annual: 0.0,
            horizon_steps,
            ruin: 0.5,
            risk_tolerance: 0.5,
            horizon_years: 10.0,
        }
    }

    /// The printed rules: no costs, no tax in the value, literal rewards.
    #[must_use]
    pub fn paper(n_assets: usize) -> Self {
        Self {
            nav: Nav::PreTax,
            execution: ExecutionConfig::paper(),
            reward: RewardConfig::paper(),
            ..Self::stated(n_assets)
        }
    }

    /// The same, starting in cash and never with random lots: for evaluation.
    #[must_use]
    pub fn from_cash(mut self) -> Self {
        self.start.random_portfolio = 0.0;
        self
    }

    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        self.execution.check()?;
        let part = |value: f64| (0.0..=1.0).contains(&value);
        let start = &self.start;
        let (youngest, oldest) = (f64::from(start.age_days.0), f64::from(start.age_days.1));
        let dollars = start.value.to_f64();
        let checks = [
            ("n_assets", self.n_assets as f64, self.n_assets > 0, "at least 1"),
            ("start.value", dollars, (1.0..=1e12).contains(&dollars), "from one dollar to a million million"),
            ("start.random_portfolio", start.random_portfolio, part(start.random_portfolio), "from 0 to 1"),
            (
                "start.age_days",
                youngest,
                youngest >= 1.0 && youngest <= oldest && oldest <= 36_500.0,
                "from 1 to 36500, rising",
            ),
            (
                "start.basis",
                start.basis.0,
                start.basis.0 > 0.0 && start.basis.0 <= start.basis.1 && start.basis.1 < 1e3,
                "above 0, rising",
            ),
            ("start.lots", f64::from(start.lots), start.lots > 0, "at least 1"),
            ("delisting_loss", self.delisting_loss, part(self.delisting_loss), "from 0 to 1"),
            ("cash_rate_annual", self.cash_rate_annual, (-0.1..1.0).contains(&self.cash_rate_annual), "from -0.1 to 1"),
            ("ruin", self.ruin, (0.0..1.0).contains(&self.ruin), "from 0 to below 1"),
            ("risk_tolerance", self.risk_tolerance, part(self.risk_tolerance), "from 0 to 1"),
            (
                "horizon_years",
                self.horizon_years,
                self.horizon_years > 0.0 && self.horizon_years <= 100.0,
                "above 0, at most 100",
            ),
        ];
        if let Some((setting, value, _, expected)) = checks.into_iter().find(|(_, _, fits, _)| !fits) {
            return Err(Error::Setting { setting, value, expected });
        }
        if let Some(steps) = self.horizon_steps.iter().find(|steps| **steps == 0) {
            return Err(Error::Setting { setting: "horizon_steps", value: f64::from(*steps), expected: "at least 1" });
        }
        for (setting, rate) in [
            ("tax.rates.short", self.tax.rates.short),
            ("tax.rates.long", self.tax.rates.long),
            ("tax.dividend_rate", self.tax.dividend_rate),
            ("tax.carried_share", self.tax.carried_share),
        ] {
            if rate.is_negative() || rate > Rate::ONE {
                return Err(Error::Setting { setting, value: rate.to_f64(), expected: "from 0 to 1" });
            }
        }
        Ok(())
    }
}
