//! What can go wrong between an observation and its weights.

use lotwise_core::Symbol;

/// Errors of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The weights do not form a portfolio.
    #[error("weights must be finite, not negative and sum to 1, but sum to {sum}")]
    NotOnSimplex {
        /// What they sum to.
        sum: f64,
    },
    /// The observation holds another number of weights than cash and its assets need.
    #[error("{assets} assets and cash need {} weights, but {weights} were given", assets + 1)]
    WeightCount {
        /// Assets in the universe.
        assets: usize,
        /// Weights given.
        weights: usize,
    },
    /// The universe names an asset twice.
    #[error("{symbol} stands twice in the universe")]
    AssetTwice {
        /// The asset.
        symbol: Symbol,
    },
    /// The universe names an asset that the market does not have.
    #[error("asset {asset} is not in a market of {assets} assets")]
    UnknownAsset {
        /// Position asked for.
        asset: usize,
        /// Assets that there are.
        assets: usize,
    },
    /// A setting of the rule is outside its range.
    #[error("policy setting {setting} is {value}, it must be {expected}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// What it was.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// The convex solver gave no usable answer.
    #[error("the solver for {policy} stopped: {status}")]
    Solver {
        /// The rule that asked.
        policy: &'static str,
        /// The solver's own word, or what did not hold of its answer.
        status: String,
    },
    /// A known strategy that cannot be had here.
    #[error("{name} is not available: {reason}")]
    NotAvailable {
        /// Its name.
        name: &'static str,
        /// What it lacks.
        reason: &'static str,
    },
    /// The name is none of the policies.
    #[error("{name:?} is not a policy; use one of {known}")]
    UnknownPolicy {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A step was asked for where no session follows or the horizon is reached.
    #[error("the episode is over; reset the environment before the next step")]
    EpisodeOver,
    /// No session has enough assets to begin an episode.
    #[error(
        "no start was found: an episode needs {n_assets} assets that trade, and {sessions} sessions could begin one"
    )]
    NoStart {
        /// Assets that an episode needs.
        n_assets: usize,
        /// Sessions that could begin one.
        sessions: usize,
    },
    /// An episode was to be placed with an asset twice, whose lots would be one position and two weights.
    #[error("asset {asset} stands twice in the universe of the episode; name each once")]
    PlacedTwice {
        /// Its place on the tape.
        asset: usize,
    },
    /// The book refused a trade; the environment is not to be used any further.
    #[error("the book refused a trade: {0:?}")]
    Booking(lotwise_tax::Fault),
    /// Sums beyond what a tax return can hold.
    #[error("the year's tax cannot be computed: {0}")]
    Tax(String),
}

impl From<lotwise_tax::Fault> for Error {
    fn from(fault: lotwise_tax::Fault) -> Self {
        Self::Booking(fault)
    }
}

impl From<lotwise_tax::Error> for Error {
    fn from(error: lotwise_tax::Error) -> Self {
        Self::Tax(error.to_string())
    }
}
