//! What the books ask and tell while they are made.

use std::collections::BTreeSet;

use lotwise_core::Symbol;

use crate::answers::BookAnswers;
use crate::issue::Issue;

/// BookAnswers that were given, questions that were not, and remarks.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    answers: &'a BookAnswers,
    answered: BTreeSet<String>,
    asked: BTreeSet<String>,
    issues: Vec<Issue>,
}

impl<'a> Questions<'a> {
    pub(super) fn new(answers: &'a BookAnswers) -> Self {
        Self { answers, answered: BTreeSet::new(), asked: BTreeSet::new(), issues: Vec::new() }
    }

    /// A remark that asks nothing.
    pub(super) fn tell(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    /// The answer to a question, which then counts as used.
    pub(super) fn answer(&mut self, key: &str) -> Option<&'a str> {
        let answer = self.answers.get(key)?;
        self.answered.insert(key.to_owned());
        Some(answer)
    }

    /// Asks once per key.
    pub(super) fn ask(
        &mut self,
        code: &'static str,
        key: &str,
        symbol: Option<&Symbol>,
        text: String,
        proposed: &str,
        place: Option<String>,
    ) {
        if self.asked.insert(key.to_owned()) {
            let issue = Issue::question(code, key, symbol, text, proposed);
            self.issues.push(match place {
                Some(place) => issue.at(place),
                None => issue,
            });
        }
    }

    /// An answer that says nothing we understand.
    pub(super) fn misunderstood(&mut self, key: &str, expected: &str) {
        self.answered.remove(key);
        let text = format!("the answer to {key} cannot be read; expected {expected}");
        self.issues.push(Issue::new("answer-unclear", crate::issue::Severity::Warning, None, text));
    }

    /// Everything said, and the keys whose answers were used.
    pub(super) fn finish(self) -> (Vec<Issue>, BTreeSet<String>) {
        (self.issues, self.answered)
    }
}
