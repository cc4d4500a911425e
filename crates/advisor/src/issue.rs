//! What a person should know or decide before trusting a figure.

use lotwise_core::Symbol;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; the figures stand.
    Note,
    /// Something is left out or assumed; the figures stand without it.
    Warning,
    /// A person has to decide; until then the proposed answer is used.
    Question,
}

/// One finding, in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Stable code, for instance `unknown-basis`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The finding as one sentence without a final period.
    pub text: String,
    /// Security concerned.
    pub symbol: Option<Symbol>,
    /// File and row, for instance `history.csv:12`.
    pub place: Option<String>,
    /// For a question: what is done unasked.
    pub proposed: Option<String>,
    /// For a question: the stable key that an answer names.
    pub key: Option<String>,
}

impl Issue {
    /// A finding of one severity about one symbol.
    #[must_use]
    pub fn new(code: &'static str, severity: Severity, symbol: Option<&Symbol>, text: String) -> Self {
        Self { code, severity, text, symbol: symbol.cloned(), place: None, proposed: None, key: None }
    }

    /// A question with its key and the answer that is used unasked.
    #[must_use]
    pub fn question(code: &'static str, key: &str, symbol: Option<&Symbol>, text: String, proposed: &str) -> Self {
        let issue = Self::new(code, Severity::Question, symbol, text).proposing(proposed);
        Self { key: Some(key.to_owned()), ..issue }
    }

    /// The same with its place.
    #[must_use]
    pub fn at(mut self, place: String) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with the answer that is used unasked.
    #[must_use]
    pub fn proposing(mut self, answer: &str) -> Self {
        self.proposed = Some(answer.to_owned());
        self
    }
}
