//! What a person should know about how weights came about.

use lotwise_core::{Date, Symbol};

/// A remark of a policy on its own decision. Its [`Display`](std::fmt::Display) is one plain
/// sentence without a final period.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The rule could not judge an asset and keeps it at its present weight.
    LeftOut {
        /// The asset.
        symbol: Symbol,
        /// Its weight, present and target alike.
        weight: f64,
        /// Why.
        reason: LeftOutReason,
    },
    /// An asset that was left out weighs more than one position may.
    KeptAboveCap {
        /// The asset.
        symbol: Symbol,
        /// Its weight.
        weight: f64,
        /// The limit.
        max_position: f64,
    },
    /// The assets cannot take all the money without breaking the position limit.
    CapLeavesCash {
        /// The limit.
        max_position: f64,
        /// The cash weight that results.
        cash: f64,
    },
    /// Assets that were left out leave less cash than wanted.
    CashBelowTarget {
        /// The cash weight wanted.
        wanted: f64,
        /// The cash weight that results.
        cash: f64,
    },
    /// No asset could be judged, so the present weights stay.
    NothingJudged,
}

/// Why an asset could not be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutReason {
    /// It has too few observations in the rule's window.
    TooLittleHistory {
        /// Observations that it has.
        sessions: usize,
        /// Observations that the rule needs.
        needed: usize,
    },
    /// Its last price is too old.
    NoRecentPrice {
        /// Date of its last price, if it ever had one.
        last: Option<Date>,
    },
    /// Its price does not move, so a rule that weighs by risk would put everything into it.
    NoMovement,
    /// Nothing public on the day says what the company is worth.
    NoMarketCap,
}

impl Note {
    /// The asset that the note is about, if it is about one.
    #[must_use]
    pub fn symbol(&self) -> Option<&Symbol> {
        match self {
            Self::LeftOut { symbol, .. } | Self::KeptAboveCap { symbol, .. } => Some(symbol),
            Self::CapLeavesCash { .. } | Self::CashBelowTarget { .. } | Self::NothingJudged => None,
        }
    }

    /// Short name for JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LeftOut { reason: LeftOutReason::TooLittleHistory { .. }, .. } => "too_little_history",
            Self::LeftOut { reason: LeftOutReason::NoRecentPrice { .. }, .. } => "no_recent_price",
            Self::LeftOut { reason: LeftOutReason::NoMovement, .. } => "no_movement",
            Self::LeftOut { reason: LeftOutReason::NoMarketCap, .. } => "no_market_cap",
            Self::KeptAboveCap { .. } => "kept_above_cap",
            Self::CapLeavesCash { .. } => "cap_leaves_cash",
            Self::CashBelowTarget { .. } => "cash_below_target",
            Self::NothingJudged => "nothing_judged",
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LeftOut { symbol, weight, reason } => {
                write!(formatter, "{symbol} stays at {} because {reason}", Percent(*weight))
            }
            Self::KeptAboveCap { symbol, weight, max_position } => {
                let (weight, limit) = (Percent(*weight), Percent(*max_position));
                write!(formatter, "{symbol} stays at {weight}, above the limit of {limit} for one position")
            }
            Self::CapLeavesCash { max_position, cash } => {
                let (limit, cash) = (Percent(*max_position), Percent(*cash));
                write!(formatter, "{cash} stays in cash because no position may exceed {limit}")
            }
            Self::CashBelowTarget { wanted, cash } => {
                let (wanted, cash) = (Percent(*wanted), Percent(*cash));
                write!(formatter, "cash comes to {cash} and not {wanted} because of the assets that stay as they are")
            }
            Self::NothingJudged => {
                write!(formatter, "no asset could be judged, so the present weights stay")
            }
        }
    }
}

impl std::fmt::Display for LeftOutReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLittleHistory { sessions, needed } => {
                write!(formatter, "it has {sessions} sessions of history and the rule needs {needed}")
            }
            Self::NoRecentPrice { last: Some(last) } => write!(formatter, "its last price is of {last}"),
            Self::NoRecentPrice { last: None } => write!(formatter, "it has no price"),
            Self::NoMovement => write!(formatter, "its price does not move, so its risk cannot be compared"),
            Self::NoMarketCap => write!(formatter, "its market value was not known"),
        }
    }
}

/// A fraction as a percentage with one decimal.
struct Percent(f64);

impl std::fmt::Display for Percent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:.1} %", self.0 * 100.0)
    }
}
