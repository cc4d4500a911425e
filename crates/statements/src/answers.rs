//! Answers to the questions that files raise, from a file or a person, so that a run needs no terminal.

use std::collections::BTreeMap;
use std::sync::Arc;

use lotwise_core::{AccountKind, Symbol};

use crate::{Action, Question};

/// Answers by the key of their question. Cloning is cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(Arc<BTreeMap<String, Answer>>);

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Do what is proposed.
    Accept,
    /// Leave the rows out.
    LeaveOut,
    /// The rows mean this action.
    Means(Action),
    /// The security has this ticker.
    Ticker(Symbol),
    /// The account is of this kind.
    Kind(AccountKind),
    /// Words for a question that no file asks: it arises where lots are made, which reads them.
    Words(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accept => formatter.write_str(ACCEPT),
            Self::LeaveOut => formatter.write_str(LEAVE_OUT),
            Self::Means(action) => write!(formatter, "{action}"),
            Self::Ticker(symbol) => write!(formatter, "{symbol}"),
            Self::Kind(kind) => write!(formatter, "{kind}"),
            Self::Words(words) => formatter.write_str(words),
        }
    }
}

const ACCEPT: &str = "accept";
const LEAVE_OUT: &str = "leave out";

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The key begins like no question.
    #[error("{key:?} is the key of no question; keys begin with {known}")]
    UnknownKey {
        /// The key.
        key: String,
        /// How keys may begin.
        known: String,
    },
    /// The value is none that the question takes.
    #[error("{value:?} is no answer to {key:?}; use {valid}")]
    UnknownValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What may be answered.
        valid: String,
    },
}

/// What a question may be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Action,
    Ticker,
    Kind,
    /// The proposal, or the rows left out.
    Rows,
    /// The proposal only: the question is about no row.
    Proposal,
    /// Words that another room reads.
    Words,
}

/// How the keys of questions begin; a colon and what the question is about may follow.
const KEYS: [(&str, Takes); 36] = [
    ("account-kind", Takes::Kind),
    ("allocation", Takes::Words),
    ("ambiguous-security", Takes::Ticker),
    ("amount-mismatch", Takes::Rows),
    ("basis", Takes::Words),
    ("cancelled", Takes::Words),
    ("cancelled-trade", Takes::Rows),
    ("commission-currency", Takes::Rows),
    ("date-order", Takes::Rows),
    ("expired", Takes::Words),
    ("fee-in-kind", Takes::Rows),
    ("future-date", Takes::Rows),
    ("included-file", Takes::Proposal),
    ("lots", Takes::Words),
    ("lots-differ", Takes::Rows),
    ("lots-incomplete", Takes::Rows),
    ("name-only-security", Takes::Ticker),
    ("ofx-named-cash", Takes::Rows),
    ("ofx-withholding", Takes::Rows),
    ("option-flip", Takes::Rows),
    ("option-side", Takes::Rows),
    ("price-only", Takes::Rows),
    ("realised", Takes::Words),
    ("repeated-id", Takes::Rows),
    ("settles-before-trade", Takes::Rows),
    ("short", Takes::Words),
    ("split", Takes::Words),
    ("tax-inside", Takes::Rows),
    ("transfer-basis", Takes::Rows),
    ("unknown-action", Takes::Action),
    ("unknown-asset", Takes::Rows),
    ("unknown-field", Takes::Proposal),
    ("unknown-section", Takes::Rows),
    ("unknown-security", Takes::Ticker),
    ("unreadable-holding", Takes::Proposal),
    ("value", Takes::Words),
];

/// The key that answers all questions of this one's group: `unknown-action:*`. A question that is asked once in a
/// file has none.
#[must_use]
pub fn group_of(key: &str) -> Option<String> {
    let (stem, about) = key.split_once(':')?;
    (about != EACH).then(|| format!("{stem}:{EACH}"))
}

/// What stands in a key for all that a group of questions is about.
const EACH: &str = "*";

fn takes(key: &str) -> Option<Takes> {
    let stem = key.split_once(':').map_or(key, |(stem, _)| stem);
    KEYS.iter().find(|(known, _)| *known == stem).map(|(_, takes)| *takes)
}

fn valid(takes: Takes) -> String {
    match takes {
        Takes::Action => {
            let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
            format!("{LEAVE_OUT:?} or one of {}", names.join(", "))
        }
        Takes::Ticker => format!("a ticker symbol, {ACCEPT:?} or {LEAVE_OUT:?}"),
        Takes::Kind => {
            let names: Vec<&str> = AccountKind::ALL.iter().map(|kind| kind.name()).collect();
            format!("one of {}", names.join(", "))
        }
        Takes::Rows => format!("{ACCEPT:?} or {LEAVE_OUT:?}"),
        Takes::Proposal => format!("{ACCEPT:?}"),
        Takes::Words => "what the question asks for".to_owned(),
    }
}

impl Answer {
    /// Reads the answer to the question with this key.
    ///
    /// # Errors
    /// When no question has such a key, or the value is none that it takes.
    pub fn parse(key: &str, value: &str) -> Result<Self, AnswerError> {
        let Some(takes) = takes(key) else {
            let known: Vec<&str> = KEYS.iter().map(|(stem, _)| *stem).collect();
            return Err(AnswerError::UnknownKey { key: crate::gather::clip(key, 80), known: known.join(", ") });
        };
        let word = value.trim().to_ascii_lowercase().replace(['-', '_'], " ");
        let answer = match (takes, word.as_str()) {
            (Takes::Action, "accept" | "leave out") | (Takes::Rows | Takes::Ticker, "leave out") => {
                Some(Self::LeaveOut)
            }
            (Takes::Rows | Takes::Proposal | Takes::Ticker, "accept") => Some(Self::Accept),
            (Takes::Action, word) => Action::from_name(&word.replace(' ', "_")).map(Self::Means),
            // One ticker cannot be that of several securities.
            (Takes::Ticker, _) if group_of(key).is_none() => None,
            (Takes::Ticker, _) => Symbol::parse(value).ok().map(Self::Ticker),
            (Takes::Kind, _) => AccountKind::from_name(value).map(Self::Kind),
            (Takes::Words, "") | (Takes::Rows | Takes::Proposal, _) => None,
            (Takes::Words, _) => Some(Self::Words(value.trim().to_owned())),
        };
        answer.ok_or_else(|| AnswerError::UnknownValue {
            key: crate::gather::clip(key, 80),
            value: crate::gather::clip(value, 80),
            valid: match takes {
                Takes::Ticker if group_of(key).is_none() => valid(Takes::Rows),
                _ => valid(takes),
            },
        })
    }
}

impl Answers {
    /// Answers of these keys.
    #[must_use]
    pub fn new(given: BTreeMap<String, Answer>) -> Self {
        Self(Arc::new(given))
    }

    /// The answer to the question with this key.
    ///
    /// A key such as `unknown-action:*` answers all questions of its group that have no answer of their own.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Answer> {
        self.0.get(key).or_else(|| self.0.get(&group_of(key)?))
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.0.iter().map(|(key, answer)| (key.as_str(), answer))
    }

    /// These answers and others; the others win.
    #[must_use]
    pub fn with(&self, others: impl IntoIterator<Item = (String, Answer)>) -> Self {
        let mut given = (*self.0).clone();
        given.extend(others);
        Self::new(given)
    }
}

impl Question {
    /// What stands for the proposal in an answers file.
    #[must_use]
    pub fn proposed_answer(&self) -> &str {
        match takes(&self.key) {
            Some(Takes::Action) => LEAVE_OUT,
            Some(Takes::Kind) => &self.proposed,
            Some(Takes::Ticker | Takes::Rows | Takes::Proposal | Takes::Words) | None => ACCEPT,
        }
    }

    /// What the question may be answered with, in words.
    #[must_use]
    pub fn valid_answers(&self) -> String {
        valid(takes(&self.key).unwrap_or(Takes::Rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_or_refused_with_what_is_valid() {
        for (key, value, expected) in [
            ("unknown-action:Foo Adj", "return_of_capital", Ok("return_of_capital")),
            ("unknown-action:Foo: bar", "Leave-out", Ok("leave out")),
            ("unknown-security:9", "brk.b", Ok("BRK-B")),
            ("unknown-security:*", "leave out", Ok("leave out")),
            (
                "unknown-security:*",
                "brk.b",
                Err("\"brk.b\" is no answer to \"unknown-security:*\"; use \"accept\" or \"leave out\""),
            ),
            ("unknown-action:*", "other", Ok("other")),
            ("account-kind:X1", "Spouse-IRA", Ok("spouse_ira")),
            ("amount-mismatch", "accept", Ok("accept")),
            (
                "amount-mismatch",
                "buy",
                Err("\"buy\" is no answer to \"amount-mismatch\"; use \"accept\" or \"leave out\""),
            ),
            ("unknown-field:x", "leave out", Err("\"leave out\" is no answer to \"unknown-field:x\"; use \"accept\"")),
        ] {
            let read = Answer::parse(key, value);
            match expected {
                Ok(text) => assert_eq!(read.unwrap().to_string(), text),
                Err(text) => assert_eq!(read.unwrap_err().to_string(), text),
            }
        }
        let unknown = Answer::parse("unknown-acton:Foo", "buy").unwrap_err().to_string();
        assert!(unknown.starts_with("\"unknown-acton:Foo\" is the key of no question; keys begin with account-kind, "));
    }

    #[test]
    fn a_group_answers_what_has_no_answer_of_its_own() {
        let given = [("unknown-action:*", "leave out"), ("unknown-action:Foo", "buy"), ("amount-mismatch", "accept")];
        let given = given.map(|(key, answer)| (key.to_owned(), Answer::parse(key, answer).unwrap()));
        let answers = Answers::new(given.into());
        assert_eq!(answers.get("unknown-action:Foo"), Some(&Answer::Means(Action::Buy)));
        assert_eq!(answers.get("unknown-action:Bar: x"), Some(&Answer::LeaveOut));
        assert_eq!(answers.get("amount-mismatch"), Some(&Answer::Accept));
        assert_eq!((answers.get("future-date"), answers.get("unknown-security:9")), (None, None));
    }
}
