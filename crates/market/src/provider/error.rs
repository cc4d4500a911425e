//! Why prices did not come, in one sentence with a remedy.

use std::time::Duration;

use lotwise_core::{Date, Symbol};

/// Why prices did not come. Each message is one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nobody answered at all.
    #[error(
        "no connection to {host} for {symbol} ({detail}): check the network, work from what is cached with --offline, \
         or name a price file with --prices PATH"
    )]
    NoConnection {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// What the system said.
        detail: String,
    },
    /// The answer did not come in time.
    #[error(
        "{host} did not answer for {symbol} within {} seconds: try again later, or work from what is cached with --offline",
        seconds(waited)
    )]
    TimedOut {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// The time allowed.
        waited: Duration,
    },
    /// The provider asks for fewer requests.
    #[error("{host} refuses more requests for now ({symbol}): {}", try_again(retry_after))]
    RateLimited {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
    },
    /// The provider failed on its side.
    #[error("{host} failed with status {status} for {symbol}: its servers have a problem, try again later")]
    ServerFailed {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// HTTP status, 500 to 599.
        status: u16,
    },
    /// The provider does not serve us.
    #[error(
        "{host} refused the request for {symbol} with status {status}: name a price file with --prices PATH instead"
    )]
    Refused {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// HTTP status.
        status: u16,
    },
    /// The provider does not know the symbol.
    #[error(
        "{provider} knows no symbol {symbol}: check the spelling (class shares are written BRK-B), or name a price file with --prices PATH"
    )]
    UnknownSymbol {
        /// Name of the provider.
        provider: String,
        /// Ticker symbol.
        symbol: Symbol,
    },
    /// The answer broke off.
    #[error("the answer of {host} for {symbol} broke off: try again")]
    BrokenOff {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
    },
    /// The answer is not what the provider is known to send.
    #[error(
        "{host} answered for {symbol} with something that is no price history ({detail}): try again later, or name a price file with --prices PATH"
    )]
    Nonsense {
        /// The host.
        host: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// What was found.
        detail: String,
    },
    /// The symbol trades in another currency or country.
    #[error("{symbol} is quoted in {found}, and only US symbols in dollars are supported: leave it out")]
    NotUnitedStates {
        /// Ticker symbol.
        symbol: Symbol,
        /// Currency or time zone of the exchange.
        found: String,
    },
    /// The provider knows the symbol and has nothing for the time asked.
    #[error("{provider} has no prices of {symbol} from {from} to {to}: ask for another time")]
    NoBars {
        /// Name of the provider.
        provider: String,
        /// Ticker symbol.
        symbol: Symbol,
        /// First day asked for.
        from: Date,
        /// Last day asked for.
        to: Date,
    },
    /// Offline, and nothing that covers the request is cached.
    #[error(
        "no cached prices of {symbol} from {from}{}: run without --offline once, or name a price file with --prices PATH",
        because(fault)
    )]
    NotCached {
        /// Ticker symbol.
        symbol: Symbol,
        /// First day asked for.
        from: Date,
        /// What is wrong with the cached file, when there is one.
        fault: Option<String>,
    },
    /// A local price file cannot be used.
    #[error("{detail}")]
    LocalFile {
        /// What is wrong and where.
        detail: String,
    },
    /// Another request for the same symbol ended without an answer.
    #[error("the request for {symbol} that this one waited for was interrupted: try again")]
    Interrupted {
        /// Ticker symbol.
        symbol: Symbol,
    },
}

impl ProviderError {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::TimedOut { .. } | Self::RateLimited { .. } | Self::ServerFailed { .. } | Self::BrokenOff { .. }
        )
    }
}

fn seconds(duration: &Duration) -> String {
    format!("{:.0}", duration.as_secs_f64().ceil())
}

fn try_again(retry_after: &Option<Duration>) -> String {
    match retry_after {
        Some(wait) => format!("try again in {} seconds, or work from what is cached with --offline", seconds(wait)),
        None => "try again in some minutes, or work from what is cached with --offline".to_owned(),
    }
}

fn because(fault: &Option<String>) -> String {
    fault.as_ref().map_or_else(String::new, |fault| format!(" ({fault})"))
}
