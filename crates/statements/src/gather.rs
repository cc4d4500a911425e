//! Collects the records of one file so that every one is accounted for once.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{AccountKind, Symbol};

use crate::answers::{Answer, Answers};
use crate::identity::{Content, Identity};
use crate::read::ReadOptions;
use crate::{Action, Error, Question, RowNote, StatedLot, Statement, Transaction};

/// Longest piece of a file that a note or a description repeats.
const LONGEST_VALUE: usize = 120;
const LONGEST_DESCRIPTION: usize = 400;

/// Why one record cannot be read: the field to blame, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) column: String,
    pub(crate) value: Option<String>,
    pub(crate) reason: String,
}

impl Fault {
    /// A field whose value is wrong.
    pub(crate) fn new(column: &str, value: &str, reason: impl Into<String>) -> Self {
        Self { column: column.to_owned(), value: Some(clip(value, LONGEST_VALUE)), reason: reason.into() }
    }

    /// A field that is not there.
    pub(crate) fn missing(column: &str) -> Self {
        Self { column: column.to_owned(), value: None, reason: "is missing".to_owned() }
    }

    /// The note for the record that starts in this row.
    pub(crate) fn into_note(self, row: u32) -> RowNote {
        let reason = format!("{} {}", self.column, self.reason);
        RowNote { row, column: Some(self.column), value: self.value, reason }
    }
}

/// The first characters of a text, on one line.
pub(crate) fn clip(text: &str, longest: usize) -> String {
    text.split_whitespace().flat_map(|word| [" ", word]).skip(1).flat_map(str::chars).take(longest).collect()
}

/// A description made of the parts that say something, without repeating one.
pub(crate) fn describe(parts: &[Option<&str>]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for part in parts.iter().flatten().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        if !words.contains(&part) {
            words.push(part);
        }
    }
    clip(&words.join(" "), LONGEST_DESCRIPTION)
}

/// The records with one id.
#[derive(Debug, Default)]
struct Seen {
    contents: BTreeSet<Content>,
    /// The last number put behind the id to tell contents apart.
    number: usize,
}

/// A statement in the making. Each record ends in exactly one of [`accept`](Self::accept),
/// [`ignore`](Self::ignore) and [`quarantine`](Self::quarantine).
#[derive(Debug)]
pub(crate) struct Gathering {
    statement: Statement,
    most_rows: u64,
    questions: BTreeMap<String, Question>,
    /// What was seen under an account and broker's id.
    broker_ids: BTreeMap<(String, String), Seen>,
    /// Makes the ids that the broker does not give.
    identity: Identity,
    /// What a person decided beforehand.
    answers: Answers,
}

/// What an action means that the format's vocabulary does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This, as a person answered.
    Do(Action),
    /// Nothing, as a person answered.
    LeaveOut,
}

/// Why a row is ignored that a person answered to leave out.
pub(crate) const LEFT_OUT: &str = "left out, as answered";

impl Gathering {
    /// Notes what the file calls an account beside its number.
    pub(crate) fn label(&mut self, account: String, label: &str) {
        self.statement.account_labels.entry(account).or_insert_with(|| clip(label, LONGEST_VALUE));
    }

    /// Notes the kind of an account that the file itself states.
    pub(crate) fn kind(&mut self, account: String, kind: AccountKind) {
        self.statement.account_kinds.insert(account, kind);
    }

    /// An empty statement of this format that takes at most `most_rows` records.
    pub(crate) fn new(format: &'static str, most_rows: u64) -> Self {
        let statement = Statement {
            format,
            rows: 0,
            transactions: Vec::new(),
            ignored: Vec::new(),
            quarantined: Vec::new(),
            duplicates: Vec::new(),
            account_labels: BTreeMap::new(),
            account_kinds: BTreeMap::new(),
            positions: Vec::new(),
            questions: Vec::new(),
            answered: BTreeMap::new(),
        };
        Self {
            statement,
            most_rows,
            questions: BTreeMap::new(),
            broker_ids: BTreeMap::new(),
            identity: Identity::default(),
            answers: Answers::default(),
        }
    }

    /// An empty statement of this format with the limits and answers of these options.
    pub(crate) fn with(format: &'static str, options: &ReadOptions<'_>) -> Self {
        Self { answers: options.answers.clone(), ..Self::new(format, options.limits.rows as u64) }
    }

    /// The answer to this question, if a person gave it beforehand; it is then not asked.
    pub(crate) fn answered(&mut self, key: &str) -> Option<Answer> {
        let answer = self.answers.get(key).cloned()?;
        self.statement.answered.insert(key.to_owned(), answer.clone());
        Some(answer)
    }

    /// What unknown words of an action column mean, if a person said so; else the question is asked.
    ///
    /// # Errors
    /// The column to blame.
    pub(crate) fn meaning(&mut self, column: &str, words: &str, row: u32) -> Result<Meaning, Fault> {
        let short = clip(words, 80);
        let key = format!("unknown-action:{short}");
        match self.answered(&key) {
            Some(Answer::Means(action)) => Ok(Meaning::Do(action)),
            Some(_) => Ok(Meaning::LeaveOut),
            None => {
                let text = format!("What does {short:?} mean? These rows were not imported.");
                self.ask(&key, &text, "leave them out", row);
                Err(Fault::new(column, words, format!("has an unknown action {short:?}")))
            }
        }
    }

    /// The ticker of a security that the file does not tell: as answered, else the question is asked.
    pub(crate) fn ticker(&mut self, key: &str, text: &str, row: u32) -> Option<Symbol> {
        match self.answered(key) {
            Some(Answer::Ticker(symbol)) => Some(symbol),
            Some(_) => None,
            None => {
                self.ask(key, text, "leave it without a symbol", row);
                None
            }
        }
    }

    /// The symbol of a security that the file knows by its name only: as answered, else the name itself, and a question.
    pub(crate) fn named(&mut self, name: &str, row: u32) -> Option<Symbol> {
        let short = clip(name, 60);
        let key = format!("name-only-security:{short}");
        match self.answered(&key) {
            Some(Answer::Ticker(symbol)) => return Some(symbol),
            Some(_) => {}
            None => {
                let text = format!("The file names a security {short:?} without its ticker. Which symbol is it?");
                self.ask(&key, &text, "use the name itself", row);
            }
        }
        crate::facts::symbol_of_name(name)
    }

    /// Takes a good record. Its `id` is the broker's, or empty where the file gives none.
    ///
    /// The same id with the same content is a duplicate; with another content both stay, and a person is asked.
    pub(crate) fn accept(&mut self, mut transaction: Transaction) -> Result<(), Error> {
        self.count()?;
        let row = transaction.row;
        let content = Content::of(self.statement.format, &transaction);
        if transaction.id.is_empty() {
            transaction.id = self.identity.next(content);
        } else {
            let key = (transaction.account.clone(), transaction.id.clone());
            let seen = self.broker_ids.entry(key).or_default();
            if !seen.contents.insert(content) {
                self.statement.duplicates.push(RowNote {
                    row,
                    column: Some("id".to_owned()),
                    value: Some(clip(&transaction.id, LONGEST_VALUE)),
                    reason: "repeats a record with the same id and the same content".to_owned(),
                });
                return Ok(());
            }
            if seen.contents.len() > 1 {
                transaction.id = self.free_id(&transaction.account, &transaction.id, content);
                let text = "Records share one id of the broker and differ in content. Are they separate events?";
                self.ask("repeated-id", text, "keep each of them", row);
            }
        }
        self.statement.transactions.push(transaction);
        Ok(())
    }

    /// The id with the first number behind it that no record of the account has, and takes it.
    fn free_id(&mut self, account: &str, id: &str, content: Content) -> String {
        let key = (account.to_owned(), id.to_owned());
        // The search goes on where it ended, so a file of such ids stays linear.
        let mut number = self.broker_ids.get(&key).map_or(0, |seen| seen.number).max(1);
        loop {
            number += 1;
            let candidate = format!("{id}#{number}");
            let seen = self.broker_ids.entry((account.to_owned(), candidate.clone())).or_default();
            if seen.contents.is_empty() {
                seen.contents.insert(content);
                self.broker_ids.entry(key).or_default().number = number;
                return candidate;
            }
        }
    }

    /// Adds a lot to the transaction accepted last, where that is a trade of this security; false where it is not.
    pub(crate) fn add_lot(&mut self, symbol: Option<&Symbol>, lot: StatedLot) -> bool {
        let Some(last) = self.statement.transactions.last_mut() else { return false };
        let closes = matches!(
            last.action,
            Action::Buy
                | Action::Sell
                | Action::OptionClose
                | Action::OptionExercise
                | Action::OptionAssign
                | Action::OptionExpire
        );
        let same = closes && symbol.is_some() && last.symbol.as_ref() == symbol;
        if same {
            last.lots.push(lot);
        }
        same
    }

    /// Sets a record aside that carries no event of its own.
    pub(crate) fn ignore(&mut self, row: u32, what: &str, reason: &str) -> Result<(), Error> {
        self.count()?;
        let reason = format!("{what}: {reason}");
        self.statement.ignored.push(RowNote { row, column: None, value: None, reason });
        Ok(())
    }

    /// Sets a record aside that cannot be read.
    pub(crate) fn quarantine(&mut self, note: RowNote) -> Result<(), Error> {
        self.count()?;
        self.statement.quarantined.push(note);
        Ok(())
    }

    /// Adds a holding.
    pub(crate) fn hold(&mut self, position: crate::Position) {
        self.statement.positions.push(position);
    }

    /// Asks a person; rows with the same key share one question.
    pub(crate) fn ask(&mut self, key: &str, text: &str, proposed: &str, row: u32) {
        let question = self.questions.entry(key.to_owned()).or_insert_with(|| Question {
            key: key.to_owned(),
            text: text.to_owned(),
            rows: Vec::new(),
            proposed: proposed.to_owned(),
        });
        // Rows come in order, and records of one line share it.
        if question.rows.last() != Some(&row) {
            question.rows.push(row);
        }
    }

    /// The statement, questions in the order of their keys.
    pub(crate) fn finish(mut self) -> Statement {
        self.statement.questions = self.questions.into_values().collect();
        self.statement
    }

    fn count(&mut self) -> Result<(), Error> {
        self.statement.rows += 1;
        if self.statement.rows as u64 > self.most_rows {
            return Err(Error::OverLimit { what: "rows", limit: self.most_rows });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lotwise_core::{Date, Money};

    use super::*;

    fn deposit(id: &str, amount: i64, row: u32) -> Transaction {
        Transaction {
            id: id.to_owned(),
            account: "A".to_owned(),
            amount: Money::from_whole(amount),
            ..Transaction::new(Action::Deposit, Date::parse("2024-01-02").unwrap(), row)
        }
    }

    #[test]
    fn one_id_with_one_content_is_one_event() {
        let mut gathering = Gathering::new("test", 10);
        for (id, amount, row) in [("7", 1, 1), ("7", 1, 2), ("7", 2, 3), ("7#2", 9, 4), ("8", 1, 5)] {
            gathering.accept(deposit(id, amount, row)).unwrap();
        }
        let statement = gathering.finish();
        let ids: Vec<_> = statement.transactions.iter().map(|transaction| transaction.id.as_str()).collect();
        assert_eq!(ids, ["7", "7#2", "7#2#2", "8"]);
        assert_eq!(statement.duplicates.len(), 1);
        assert_eq!(statement.duplicates[0].row, 2);
        assert_eq!(statement.questions[0].rows, [3, 4]);
        assert_eq!(statement.rows, 5);
    }

    #[test]
    fn equal_records_without_an_id_are_separate_events_with_stable_ids() {
        let read = || {
            let mut gathering = Gathering::new("test", 10);
            for transaction in [deposit("", 1, 1), deposit("", 1, 2)] {
                gathering.accept(transaction).unwrap();
            }
            gathering.finish().transactions
        };
        let transactions = read();
        assert_ne!(transactions[0].id, transactions[1].id);
        assert_eq!(transactions, read());
    }

    #[test]
    fn more_records_than_the_limit_are_refused() {
        let mut gathering = Gathering::new("test", 1);
        gathering.ignore(1, "x", "y").unwrap();
        assert_eq!(gathering.ignore(2, "x", "y"), Err(Error::OverLimit { what: "rows", limit: 1 }));
    }
}
