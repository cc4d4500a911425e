//! What a synthetic market is made of, and the checks before it is made.

use std::collections::BTreeSet;

use lotwise_core::{Calendar, Date};

use super::{ListingKind, SyntheticError, Universe};

/// The whole description of a synthetic market; with a seed it determines every byte.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketConfig {
    /// The symbols.
    pub universe: Universe,
    /// The market starts on the first session on or after this date.
    pub first_date: Date,
    /// Number of sessions.
    pub n_sessions: usize,
    /// Expected simple total return of every symbol before anything planted, a fraction a year.
    pub drift_annual: f64,
    /// The four regimes in the order of `Regime::ALL`: bull, bear, volatile, sideways.
    pub regimes: [RegimeConfig; 4],
    /// Where a regime goes when it ends: row by row probabilities that sum to 1, zero on the diagonal.
    pub exits: [[f64; 4]; 4],
    /// Volatility of each sector factor in a calm market, a fraction a year.
    pub sector_vol_annual: f64,
    /// Each symbol's own variance process.
    pub garch: GarchConfig,
    /// Degrees of freedom of the Student-t shocks; above 2.
    pub tail_freedom: f64,
    /// Quarterly reports.
    pub earnings: EarningsConfig,
    /// Splits that follow from the price level.
    pub actions: ActionConfig,
    /// Listings that begin and end within the market; `None` lists every symbol throughout.
    pub lives: Option<LifeConfig>,
    /// What the past says about the future.
    pub predictability: Predictability,
}

/// One regime of the market factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegimeConfig {
    /// Mean number of sessions from entry to exit; at least 1.
    pub mean_dwell_sessions: f64,
    /// Volatility of the market factor, a fraction a year.
    pub market_vol_annual: f64,
}

/// `variance[t+1] = omega + shock_weight * shock[t]^2 + persistence * variance[t]`, omega set by each
/// symbol's long-run variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GarchConfig {
    /// Weight of the last squared shock.
    pub shock_weight: f64,
    /// Weight of the last variance; with `shock_weight` below 1.
    pub persistence: f64,
}

/// Quarterly reports of companies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarningsConfig {
    /// Sessions from one report to the next.
    pub interval_sessions: usize,
    /// Standard deviation of the overnight jump, a fraction.
    pub jump_vol: f64,
    /// Part of the jump's variance that the surprise explains, 0 to 1.
    pub surprise_share: f64,
}

/// Splits that follow from the price level; `None` leaves only scripted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionConfig {
    /// A share above this many dollars splits 4 for 1 ten sessions later.
    pub split_above_usd: Option<u32>,
    /// A share below this many dollars is merged 1 for 5 ten sessions later.
    pub merge_below_usd: Option<u32>,
}

/// Births and deaths of listings. When and how one ends cannot be foretold: the chance is the same in
/// every session, and what a holder gets is on average what the shares were worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LifeConfig {
    /// Part of the symbols that is listed after the first session, 0 to 1.
    pub late_share: f64,
    /// Those are listed in a session drawn from this many; at least 2 and at most the market's.
    pub listing_window_sessions: usize,
    /// Chance a year that a listing ends, 0 to 1.
    pub end_rate_annual: f64,
    /// Sessions that a listing lasts before it can end.
    pub min_sessions: usize,
}

impl LifeConfig {
    /// A third of the symbols comes later, over the whole market, and one in twenty ends each year, as
    /// is usual for listed shares.
    #[must_use]
    pub fn usual(n_sessions: usize) -> Self {
        Self {
            late_share: 1.0 / 3.0,
            listing_window_sessions: n_sessions.max(2),
            end_rate_annual: 0.05,
            min_sessions: 21,
        }
    }
}

/// What the past says about the future.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictability {
    /// Nothing: each symbol's expected return is the same constant at every session (the null of SPEC V-10).
    None,
    /// Regimes have a drift, and signals foretell each symbol's own part of the next return.
    Planted {
        /// Market drift in each regime, a fraction a year, in the order of `Regime::ALL`.
        regime_drift_annual: [f64; 4],
        /// The signals; each kind at most once.
        signals: Vec<PlantedSignal>,
    },
}

/// One signal and how much it knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlantedSignal {
    /// Which one.
    pub kind: SignalKind,
    /// Correlation of the signal with the symbol's own standardised return in the next session.
    pub information_coefficient: f64,
}

/// The signals that can be planted (SPEC D-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignalKind {
    /// Total return from 252 to 21 sessions ago: winners go on.
    Momentum12To1,
    /// Surprise of the last report, for 60 sessions after it: prices follow it.
    PostEarningsDrift,
    /// Total return of the last 5 sessions, negated: what fell comes back.
    ShortTermReversal,
    /// Realised volatility of the last 21 sessions: quiet symbols do better in bear and volatile
    /// regimes, restless ones in bull and sideways.
    VolatilityRegimeDrift,
}

impl SignalKind {
    /// All four.
    pub const ALL: [Self; 4] =
        [Self::Momentum12To1, Self::PostEarningsDrift, Self::ShortTermReversal, Self::VolatilityRegimeDrift];
}

impl MarketConfig {
    /// The market of SPEC D-10 with nothing to foretell.
    #[must_use]
    pub fn null(universe: Universe, first_date: Date, n_sessions: usize) -> Self {
        let regime = |mean_dwell_sessions, market_vol_annual| RegimeConfig { mean_dwell_sessions, market_vol_annual };
        Self {
            universe,
            first_date,
            n_sessions,
            drift_annual: 0.07,
            regimes: [regime(60.0, 0.11), regime(30.0, 0.22), regime(15.0, 0.34), regime(40.0, 0.10)],
            exits: [[0.0, 0.2, 0.3, 0.5], [0.3, 0.0, 0.4, 0.3], [0.4, 0.4, 0.0, 0.2], [0.5, 0.25, 0.25, 0.0]],
            sector_vol_annual: 0.07,
            garch: GarchConfig { shock_weight: 0.06, persistence: 0.91 },
            tail_freedom: 5.0,
            earnings: EarningsConfig { interval_sessions: 63, jump_vol: 0.04, surprise_share: 0.5 },
            actions: ActionConfig { split_above_usd: Some(400), merge_below_usd: Some(4) },
            lives: None,
            predictability: Predictability::None,
        }
    }

    /// The same market with listings that begin and end.
    #[must_use]
    pub fn with_lives(mut self, lives: LifeConfig) -> Self {
        self.lives = Some(lives);
        self
    }

    /// The same market with regime drifts and the given signals planted.
    #[must_use]
    pub fn with_signals(mut self, signals: Vec<PlantedSignal>) -> Self {
        self.predictability = Predictability::Planted { regime_drift_annual: [0.16, -0.22, -0.05, 0.02], signals };
        self
    }

    /// The sessions this configuration covers.
    ///
    /// # Errors
    /// When the calendar's table ends before the wanted number.
    pub(super) fn sessions(&self) -> Result<Vec<Date>, SyntheticError> {
        let calendar = Calendar::new_york();
        let start = calendar.sessions().partition_point(|&session| session < self.first_date);
        calendar.sessions().get(start..start.saturating_add(self.n_sessions)).map(<[Date]>::to_vec).ok_or_else(|| {
            let wanted = format!("{} from {}", self.n_sessions, self.first_date);
            SyntheticError::new("n_sessions", wanted, "sessions between 1990-01-01 and 2035-12-31")
        })
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that cannot be simulated, by name.
    pub fn validate(&self) -> Result<(), SyntheticError> {
        if self.n_sessions == 0 {
            return Err(SyntheticError::new("n_sessions", 0, "at least 1"));
        }
        within("drift_annual", self.drift_annual, -1.0, 1.0)?;
        within("sector_vol_annual", self.sector_vol_annual, 0.0, 0.5)?;
        within("garch.shock_weight", self.garch.shock_weight, 0.0, 0.5)?;
        within("garch.persistence", self.garch.persistence, 0.0, 0.999)?;
        within("garch.shock_weight + garch.persistence", self.garch.shock_weight + self.garch.persistence, 0.0, 0.999)?;
        within("tail_freedom", self.tail_freedom, 2.1, 1000.0)?;
        within("earnings.jump_vol", self.earnings.jump_vol, 0.0, 0.2)?;
        within("earnings.surprise_share", self.earnings.surprise_share, 0.0, 1.0)?;
        if self.earnings.interval_sessions < 2 {
            let found = self.earnings.interval_sessions;
            return Err(SyntheticError::new("earnings.interval_sessions", found, "at least 2"));
        }
        self.validate_regimes()?;
        self.validate_universe()?;
        self.validate_lives()?;
        self.validate_predictability()
    }

    fn validate_regimes(&self) -> Result<(), SyntheticError> {
        for (at, (regime, exits)) in self.regimes.iter().zip(&self.exits).enumerate() {
            within(format!("regimes[{at}].mean_dwell_sessions"), regime.mean_dwell_sessions, 1.0, 1e6)?;
            within(format!("regimes[{at}].market_vol_annual"), regime.market_vol_annual, 0.0, 1.0)?;
            let sum: f64 = exits.iter().sum();
            let proper = exits.iter().all(|&share| (0.0..=1.0).contains(&share)) && exits[at] == 0.0;
            if !proper || (sum - 1.0).abs() > 1e-9 {
                let expected = "probabilities that sum to 1, zero on the diagonal";
                return Err(SyntheticError::new(format!("exits[{at}]"), format!("{exits:?}"), expected));
            }
        }
        Ok(())
    }

    fn validate_lives(&self) -> Result<(), SyntheticError> {
        let Some(lives) = self.lives else { return Ok(()) };
        within("lives.late_share", lives.late_share, 0.0, 1.0)?;
        within("lives.end_rate_annual", lives.end_rate_annual, 0.0, 1.0)?;
        let window = lives.listing_window_sessions;
        if window < 2 || window > self.n_sessions.max(2) {
            let expected = "from 2 to the market's number of sessions";
            return Err(SyntheticError::new("lives.listing_window_sessions", window, expected));
        }
        if lives.min_sessions > 1_000_000 {
            return Err(SyntheticError::new("lives.min_sessions", lives.min_sessions, "at most 1000000"));
        }
        Ok(())
    }

    fn validate_universe(&self) -> Result<(), SyntheticError> {
        let Universe::Listed(listings) = &self.universe else {
            if self.universe.n_symbols() == 0 {
                return Err(SyntheticError::new("universe", "empty", "at least one symbol"));
            }
            return Ok(());
        };
        if listings.is_empty() {
            return Err(SyntheticError::new("universe", "empty", "at least one symbol"));
        }
        let mut seen = BTreeSet::new();
        for listing in listings {
            let path = |field: &str| format!("universe[{}].{field}", listing.symbol);
            if !seen.insert(&listing.symbol) {
                return Err(SyntheticError::new(path("symbol"), &listing.symbol, "each symbol once"));
            }
            within(path("beta"), listing.beta, -1.0, 2.0)?;
            within(path("sector_loading"), listing.sector_loading, 0.0, 1.5)?;
            within(path("specific_vol_annual"), listing.specific_vol_annual, 0.0, 0.8)?;
            within(path("start_price_usd"), listing.start_price_usd, 1.0, 100_000.0)?;
            within(path("dividend_yield_annual"), listing.dividend_yield_annual, 0.0, 0.15)?;
            within(path("shares_outstanding"), listing.shares_outstanding, 1e3, 1e12)?;
            if let ListingKind::Company { sector } | ListingKind::SectorFund { sector } = listing.kind
                && sector >= super::GICS_SECTORS.len()
            {
                return Err(SyntheticError::new(path("kind"), sector, "a sector index of 0 to 10"));
            }
            for split in &listing.splits {
                within(path("splits"), split.ratio, 0.01, 100.0)?;
            }
        }
        Ok(())
    }

    fn validate_predictability(&self) -> Result<(), SyntheticError> {
        let Predictability::Planted { regime_drift_annual, signals } = &self.predictability else {
            return Ok(());
        };
        for (at, &drift) in regime_drift_annual.iter().enumerate() {
            within(format!("predictability.regime_drift_annual[{at}]"), drift, -3.0, 3.0)?;
        }
        let kinds: BTreeSet<SignalKind> = signals.iter().map(|signal| signal.kind).collect();
        if kinds.len() != signals.len() {
            return Err(SyntheticError::new("predictability.signals", format!("{signals:?}"), "each kind once"));
        }
        for signal in signals {
            let path = format!("predictability.signals[{:?}]", signal.kind);
            within(path, signal.information_coefficient, -0.5, 0.5)?;
        }
        let total: f64 = signals.iter().map(|signal| signal.information_coefficient.abs()).sum();
        within("predictability.signals, coefficients together", total, 0.0, 0.5)?;
        if !signals.is_empty() && self.universe.n_symbols() < 8 {
            let found = format!("{} symbols", self.universe.n_symbols());
            return Err(SyntheticError::new("universe", found, "at least 8 symbols, since signals rank them"));
        }
        Ok(())
    }
}

fn within(setting: impl Into<String>, value: f64, low: f64, high: f64) -> Result<(), SyntheticError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let mut error = SyntheticError::new(setting, value, "a finite number in its range");
    error.found = format!("{value} (range {low} to {high})");
    Err(error)
}
