//! Yahoo's public chart service.

use std::io::ErrorKind;
use std::time::Duration;

use lotwise_core::{Calendar, Date, Symbol};

use super::chart::{ChartFault, read_chart};
use super::{FetchedSeries, PriceProvider, ProviderError};

const NAME: &str = "yahoo";

/// How the service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YahooConfig {
    /// Scheme, host and port, without a path.
    pub base_url: String,
    /// Time for a whole request.
    pub timeout: Duration,
    /// What the program calls itself; the service turns away clients without a browser's first word.
    pub user_agent: String,
    /// An answer longer than this is refused.
    pub max_body_bytes: u64,
    /// Whether to go through the proxy that `HTTPS_PROXY` and its relatives name.
    pub proxy_from_environment: bool,
}

impl YahooConfig {
    /// The public service. Thirty years of one symbol are about 1 MB.
    #[must_use]
    pub fn public() -> Self {
        Self {
            base_url: "https://query1.finance.yahoo.com".to_owned(),
            timeout: Duration::from_secs(20),
            user_agent: "Mozilla/5.0 (compatible; lotwise)".to_owned(),
            max_body_bytes: 32 * 1024 * 1024,
            proxy_from_environment: true,
        }
    }
}

/// Daily prices from Yahoo's chart service, one request a symbol.
pub struct Yahoo {
    config: YahooConfig,
    host: String,
    agent: ureq::Agent,
    calendar: Calendar,
}

impl std::fmt::Debug for Yahoo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Yahoo").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Yahoo {
    /// Gets ready; nothing is sent yet.
    #[must_use]
    pub fn new(config: YahooConfig) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(config.timeout))
            .http_status_as_error(false)
            // The chart service never redirects; a redirect is a consent page or a captive portal.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(config.user_agent.as_str())
            .proxy(if config.proxy_from_environment { ureq::Proxy::try_from_env() } else { None })
            .build()
            .new_agent();
        let host = config.base_url.split("://").last().unwrap_or_default().trim_end_matches('/').to_owned();
        Self { config, host, agent, calendar: Calendar::new_york() }
    }

    fn url(&self, symbol: &Symbol, from: Date, to: Date) -> String {
        // Days in universal time: a session lies inside its own day on both clocks.
        let seconds = |date: Date| i64::from(date.days()) * 86_400;
        format!(
            "{}/v8/finance/chart/{}?period1={}&period2={}&interval=1d&events=div%7Csplit%7CcapitalGains&includePrePost=false",
            self.config.base_url.trim_end_matches('/'),
            percent_encoded(symbol.as_str()),
            seconds(from),
            seconds(to.plus_days(1)),
        )
    }

    /// What an answer with this status of HTTP and this body says, when bars of `symbol` from `from` to `to` were asked
    /// for.
    ///
    /// # Errors
    /// As [`PriceProvider::daily`].
    pub fn read(
        &self,
        symbol: &Symbol,
        from: Date,
        to: Date,
        status: u16,
        body: &[u8],
    ) -> Result<FetchedSeries, ProviderError> {
        self.accepted(symbol, status, None)?;
        let refused = || ProviderError::Refused { host: self.host.clone(), symbol: symbol.clone(), status };
        match read_chart(body, NAME, symbol, &self.calendar) {
            Ok(series) if status == 200 => Ok(series),
            Ok(_) => Err(refused()),
            // A refusal explains itself in the body or not at all.
            Err(ChartFault::Nonsense(_) | ChartFault::BrokenOff) if status == 404 => {
                Err(ProviderError::UnknownSymbol { provider: NAME.to_owned(), symbol: symbol.clone() })
            }
            Err(ChartFault::Nonsense(_) | ChartFault::BrokenOff) if status != 200 => Err(refused()),
            Err(fault) => Err(self.understood(symbol, from, to, fault)),
        }
    }

    /// Refuses what no body can explain.
    fn accepted(&self, symbol: &Symbol, status: u16, retry_after: Option<Duration>) -> Result<(), ProviderError> {
        let (host, symbol) = (self.host.clone(), symbol.clone());
        match status {
            200 | 400 | 404 => Ok(()),
            429 => Err(ProviderError::RateLimited { host, symbol, retry_after }),
            500..=599 => Err(ProviderError::ServerFailed { host, symbol, status }),
            _ => Err(ProviderError::Refused { host, symbol, status }),
        }
    }

    fn lost(&self, symbol: &Symbol, error: ureq::Error) -> ProviderError {
        let (host, symbol) = (self.host.clone(), symbol.clone());
        let no_connection =
            |detail: String| ProviderError::NoConnection { host: host.clone(), symbol: symbol.clone(), detail };
        match error {
            ureq::Error::Timeout(_) => ProviderError::TimedOut { host, symbol, waited: self.config.timeout },
            ureq::Error::Io(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                    ProviderError::TimedOut { host, symbol, waited: self.config.timeout }
                }
                ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe => ProviderError::BrokenOff { host, symbol },
                _ => no_connection(error.to_string()),
            },
            ureq::Error::HostNotFound => no_connection("the name of the host is not known".to_owned()),
            ureq::Error::BodyExceedsLimit(limit) => {
                ProviderError::Nonsense { host, symbol, detail: format!("more than {limit} bytes") }
            }
            ureq::Error::Protocol(error) => ProviderError::Nonsense { host, symbol, detail: error.to_string() },
            other => no_connection(other.to_string()),
        }
    }

    fn understood(&self, symbol: &Symbol, from: Date, to: Date, fault: ChartFault) -> ProviderError {
        let (host, symbol) = (self.host.clone(), symbol.clone());
        match fault {
            ChartFault::BrokenOff => ProviderError::BrokenOff { host, symbol },
            ChartFault::Nonsense(detail) => ProviderError::Nonsense { host, symbol, detail },
            ChartFault::UnknownSymbol => ProviderError::UnknownSymbol { provider: NAME.to_owned(), symbol },
            ChartFault::NoBars => ProviderError::NoBars { provider: NAME.to_owned(), symbol, from, to },
            ChartFault::NotUnitedStates(found) => ProviderError::NotUnitedStates { symbol, found },
        }
    }
}

impl PriceProvider for Yahoo {
    fn name(&self) -> &str {
        NAME
    }

    fn daily(&self, symbol: &Symbol, from: Date, to: Date) -> Result<FetchedSeries, ProviderError> {
        let sent = self.agent.get(self.url(symbol, from, to)).header("Accept", "application/json").call();
        let mut response = sent.map_err(|error| self.lost(symbol, error))?;
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        self.accepted(symbol, status, retry_after)?;
        let body = response.body_mut().with_config().limit(self.config.max_body_bytes).read_to_vec();
        let body = body.map_err(|error| self.lost(symbol, error))?;
        self.read(symbol, from, to, status, &body)
    }
}

/// Everything but letters, digits, dash, dot and underscore as `%XX`, for an address or a file name.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}
