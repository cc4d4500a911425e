//! Answers to the questions that files raise, and column maps: read from files, written as files to fill in, and asked
//! for at a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use lotwise_statements::{Answer, AnswerError, Answers, ColumnMap, Limits, Question, group_of};
use serde::Deserialize;

use crate::commands::Outcome;
use crate::errors::{CliError, Excerpt, Exit, Failure, Place, did_you_mean};
use crate::input::{History, read_bytes};
use crate::output::Warning;

/// A larger file holds neither answers nor a map.
const LARGEST: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersFile {
    answers: BTreeMap<toml::Spanned<String>, toml::Spanned<String>>,
}

/// A text file as it is.
fn text_of(path: &Path) -> Result<(String, String), CliError> {
    let name = path.display().to_string();
    let bytes = read_bytes(path, LARGEST)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(CliError::new("not-text", Exit::Usage, "the file is not UTF-8").at(Place::file(&name))),
    }
}

/// Line and character of a byte, both counted from 1.
fn place_of(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset.min(text.len())).unwrap_or("");
    let line = before.matches('\n').count() as u32 + 1;
    (line, before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1)
}

fn at(code: &'static str, name: &str, text: &str, offset: usize, message: String, culprit: Option<&str>) -> CliError {
    let (line, column) = place_of(text, offset);
    CliError::new(code, Exit::Usage, message)
        .at(Place { line: Some(line), column: Some(column), ..Place::file(name) })
        .excerpt(Excerpt::find(text, line, culprit))
}

/// Reads an answers file; every wrong key and value is told in one pass.
///
/// # Errors
/// When the file cannot be read or is no TOML, or a key or value is none that there is.
pub fn read_answers(path: &Path) -> Result<Answers, Failure> {
    let (name, text) = text_of(path)?;
    let file: AnswersFile = toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let message = format!("the answers cannot be read: {}", error.message());
        at("bad-answers", &name, &text, start, message, None).help(
            "write [answers], then one line for each question: \"KEY\" = \"ANSWER\"; --write-answers makes such a file",
        )
    })?;
    let mut given = BTreeMap::new();
    let mut errors = Vec::new();
    for (key, value) in file.answers {
        match Answer::parse(key.get_ref(), value.get_ref()) {
            Ok(answer) => {
                given.insert(key.into_inner(), answer);
            }
            Err(error @ AnswerError::UnknownKey { .. }) => {
                errors.push(at(
                    "unknown-question",
                    &name,
                    &text,
                    key.span().start,
                    error.to_string(),
                    Some(key.get_ref()),
                ));
            }
            Err(error @ AnswerError::UnknownValue { .. }) => {
                let culprit = Some(value.get_ref().as_str());
                errors.push(at("unknown-answer", &name, &text, value.span().start, error.to_string(), culprit));
            }
        }
    }
    if errors.is_empty() { Ok(Answers::new(given)) } else { Err(Failure(errors)) }
}

/// Reads a column map.
///
/// # Errors
/// When the file cannot be read or is no map.
pub fn read_map(path: &Path) -> Result<ColumnMap, Failure> {
    let (name, text) = text_of(path)?;
    ColumnMap::parse(&text).map_err(|error| {
        CliError::new("bad-map", Exit::Usage, error.reason)
            .at(Place { line: Some(error.line), column: Some(error.column), ..Place::file(&name) })
            .help("lotwise import --propose-map TABLE writes one to start from; docs/formats.md describes it")
            .excerpt(Excerpt::find(&text, error.line, None))
            .into()
    })
}

/// A column map for the only table, to be checked and completed.
///
/// # Errors
/// When there are several files, or one that is no table.
pub fn propose_map(files: &[PathBuf]) -> Result<Outcome, Failure> {
    let [path] = files else {
        return Err(CliError::new("one-table", Exit::Usage, "a column map is proposed for one table at a time").into());
    };
    let bytes = read_bytes(path, Limits::default().bytes as u64)?;
    lotwise_statements::propose_map(&bytes).map(|map| Outcome::Text(map.into_bytes())).map_err(|error| {
        CliError::new("no-table", Exit::Input, error.to_string())
            .at(Place::file(path.display().to_string()))
            .help("choose CSV when you export the transactions")
            .into()
    })
}

/// Writes the answers file to fill in.
///
/// # Errors
/// When it cannot be written.
pub fn template_into(path: &Path, histories: &[History]) -> Result<(), Failure> {
    std::fs::write(path, template(histories)).map_err(|error| {
        CliError::new("cannot-write", Exit::Failed, format!("the answers file cannot be written: {error}"))
            .at(Place::file(path.display().to_string()))
            .into()
    })
}

/// Every question of these files, each key once, and those that were answered.
fn asked(histories: &[History]) -> BTreeMap<&str, Vec<(&History, &Question)>> {
    let mut asked: BTreeMap<&str, Vec<(&History, &Question)>> = BTreeMap::new();
    for history in histories {
        for question in &history.statement.questions {
            asked.entry(&question.key).or_default().push((history, question));
        }
    }
    asked
}

/// Answers that no file asked for: an error where a question has nearly the same key, else a warning.
pub fn unused(answers: &Answers, histories: &[History]) -> (Vec<CliError>, Vec<Warning>) {
    let used: BTreeSet<&str> =
        histories.iter().flat_map(|history| history.statement.answered.keys().map(String::as_str)).collect();
    let open = asked(histories);
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    // Words answer what arises where lots are made; files do not ask for them.
    let of_files = || answers.iter().filter(|(_, answer)| !matches!(answer, Answer::Words(_)));
    let of_group = |key: &str| used.iter().any(|used| group_of(used).is_some_and(|group| group == key));
    let idle = |key: &str| !used.contains(key) && !open.contains_key(key) && !of_group(key);
    for (key, _) in of_files().filter(|(key, _)| idle(key)) {
        let message = format!("no file asks the question {key:?}");
        let near = did_you_mean(key, open.keys().copied(), 0);
        if near.starts_with("did you mean") {
            errors.push(CliError::new("unknown-question", Exit::Usage, message).help(near));
        } else {
            warnings.push(Warning::new("unused-answer", message));
        }
    }
    // An answer can be valid and yet not settle its question: rows that share a line cannot be left out by it.
    for (key, _) in answers.iter().filter(|(key, _)| open.contains_key(key)) {
        let message = format!("the answer to {key:?} was not followed, since other records stand on the same lines");
        warnings.push(Warning::new("answer-not-followed", message));
    }
    (errors, warnings)
}

/// An answers file to fill in: every open question with what is proposed, and the accounts with their kind.
#[must_use]
fn template(histories: &[History]) -> String {
    let mut text = String::from(
        "# Answers for lotwise import --answers FILE. Each line holds what is proposed; change what you know better.\n\n[answers]\n",
    );
    let groups = groups(histories);
    let alike = groups.iter().filter(|(_, group)| group.len() > 1).map(|(name, _)| quoted(name));
    let alike: Vec<String> = alike.collect();
    if !alike.is_empty() {
        text.push_str("\n# One line can answer all questions of a group that have no line of their own: ");
        text.push_str(&format!("{}.\n", alike.join(", ")));
    }
    for (key, questions) in groups.into_iter().flat_map(|(_, group)| group) {
        let Some((_, first)) = questions.first() else { continue };
        text.push_str(&format!("\n# {}\n", one_line(&first.text)));
        for (history, question) in &questions {
            text.push_str(&format!("# {}: {}\n", one_line(&history.file), rows(&question.rows)));
        }
        text.push_str(&format!("# Proposed: {}. Answer {}.\n", one_line(&first.proposed), first.valid_answers()));
        text.push_str(&format!("{} = {}\n", quoted(key), quoted(first.proposed_answer())));
    }
    let mut accounts = BTreeMap::new();
    for history in histories {
        for name in crate::input::account_names(&history.statement) {
            let kind = history.statement.account_kinds.get(name);
            accounts.entry(name).or_insert_with(|| kind.map_or("taxable", |kind| kind.name()));
        }
    }
    if !accounts.is_empty() {
        text.push_str(
            "\n# Kinds of the accounts: taxable, ira, roth, spouse_taxable, spouse_ira or other. Without a line the\n",
        );
        text.push_str("# kind follows from the file or the account's name.\n");
        for (name, kind) in accounts {
            text.push_str(&format!("# {} = {}\n", quoted(&format!("account-kind:{name}")), quoted(kind)));
        }
    }
    text
}

fn rows(rows: &[u32]) -> String {
    match rows {
        [row] => format!("row {row}"),
        [first, .., last] => format!("{} rows from {first} to {last}", rows.len()),
        [] => "no row".to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The given answers, and for every open question the one that is proposed.
pub fn as_proposed(histories: &[History], given: &Answers) -> Answers {
    let proposed = asked(histories).into_iter().filter_map(|(key, questions)| {
        let answer = Answer::parse(key, questions.first()?.1.proposed_answer()).ok()?;
        Some((key.to_owned(), answer))
    });
    given.with(proposed.collect::<Vec<_>>())
}

/// Asks the person at the terminal every open question.
///
/// # Errors
/// When there is no terminal, or it cannot be read.
pub fn ask_at_terminal(histories: &[History], given: &Answers) -> Result<Answers, Failure> {
    let (input, talk) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !talk.is_terminal() {
        let message = "the files raise questions, and there is no terminal to ask at";
        return Err(CliError::new("no-terminal", Exit::Usage, message)
            .help("--write-answers FILE writes the questions down; fill it in and pass it with --answers FILE")
            .into());
    }
    ask(histories, given, &mut input.lock(), &mut talk.lock()).map_err(|error| {
        CliError::new("no-terminal", Exit::Failed, format!("the terminal cannot be used: {error}")).into()
    })
}

/// Open questions that begin alike, each with the files that raise it.
type Group<'a> = Vec<(&'a str, Vec<(&'a History, &'a Question)>)>;

/// The open questions in groups, in the order of their keys.
fn groups(histories: &[History]) -> Vec<(String, Group<'_>)> {
    let mut groups: Vec<(String, Group<'_>)> = Vec::new();
    for (key, questions) in asked(histories) {
        let name = group_of(key).unwrap_or_else(|| key.to_owned());
        match groups.last_mut().filter(|(known, _)| *known == name) {
            Some((_, group)) => group.push((key, questions)),
            None => groups.push((name, vec![(key, questions)])),
        }
    }
    groups
}

/// Most questions of a group that are shown before it is answered as a whole.
const SHOWN: usize = 12;

/// Answers a group of questions one by one.
const EACH: &str = "each";

/// Asks a person every open question, the proposal being the answer of an empty line. Questions of one group are
/// asked together, and one by one where the person wants that.
///
/// # Errors
/// When the terminal cannot be read or written.
fn ask(
    histories: &[History],
    given: &Answers,
    input: &mut dyn BufRead,
    talk: &mut dyn Write,
) -> std::io::Result<Answers> {
    let mut answers: Vec<(String, Answer)> = Vec::new();
    for (name, group) in groups(histories) {
        if let [_, _, ..] = group.as_slice() {
            match ask_group(&name, &group, input, talk)? {
                Reply::Ended => return Ok(given.with(answers)),
                Reply::All(answer) => {
                    answers.extend(group.iter().map(|(key, _)| ((*key).to_owned(), answer.clone())));
                    continue;
                }
                Reply::Each => {}
            }
        }
        for (key, questions) in group {
            let Some((_, first)) = questions.first() else { continue };
            writeln!(talk, "\n{}", one_line(&first.text))?;
            for (history, question) in &questions {
                writeln!(talk, "  {}: {}", one_line(&history.file), rows(&question.rows))?;
            }
            writeln!(talk, "  Proposed: {}.", one_line(&first.proposed))?;
            match ask_until_understood(key, first.proposed_answer(), false, input, talk)? {
                Reply::All(answer) => answers.push((key.to_owned(), answer)),
                Reply::Ended | Reply::Each => return Ok(given.with(answers)),
            }
        }
    }
    Ok(given.with(answers))
}

/// What a person said.
enum Reply {
    /// This, to all that was asked.
    All(Answer),
    /// That each question of the group shall be asked.
    Each,
    /// Nothing more: the end of the input takes nothing for granted, and the questions stay open.
    Ended,
}

fn ask_group(name: &str, group: &Group<'_>, input: &mut dyn BufRead, talk: &mut dyn Write) -> std::io::Result<Reply> {
    writeln!(talk, "\n{} questions are alike:", group.len())?;
    for (_, questions) in group.iter().take(SHOWN) {
        let Some((_, first)) = questions.first() else { continue };
        let count: usize = questions.iter().map(|(_, question)| question.rows.len()).sum();
        let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        writeln!(talk, "  {} ({rows}) Proposed: {}.", one_line(&first.text), one_line(&first.proposed))?;
    }
    if group.len() > SHOWN {
        writeln!(talk, "  and {} more", group.len() - SHOWN)?;
    }
    let mut proposed = group.iter().filter_map(|(_, questions)| Some(questions.first()?.1.proposed_answer()));
    let first = proposed.next().unwrap_or(EACH);
    let proposed = if proposed.all(|other| other == first) { first } else { EACH };
    ask_until_understood(name, proposed, true, input, talk)
}

fn ask_until_understood(
    key: &str,
    proposed: &str,
    of_group: bool,
    input: &mut dyn BufRead,
    talk: &mut dyn Write,
) -> std::io::Result<Reply> {
    loop {
        let prompt = if of_group { "Answer for all, or \"each\"" } else { "Answer" };
        write!(talk, "  {prompt} [{proposed}]: ")?;
        talk.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(Reply::Ended);
        }
        let words = line.trim();
        let words = if words.is_empty() { proposed } else { words };
        if of_group && words == EACH {
            return Ok(Reply::Each);
        }
        match Answer::parse(key, words) {
            Ok(answer) => return Ok(Reply::All(answer)),
            Err(error) => writeln!(talk, "  {error}")?,
        }
    }
}

#[cfg(test)]
mod tests {
    use lotwise_statements::{ReadOptions, read};

    use super::*;

    fn history() -> History {
        let text =
            "date,action,symbol,shares,price,amount\n2024-01-02,Snap up,ACRN,10,5,-50\n2024-01-03,buy,ACRN,10,5,-99\n";
        let statement = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        History { file: "a.csv".to_owned(), text: text.to_owned(), sha256: String::new(), statement }
    }

    #[test]
    fn a_template_answers_what_is_proposed() {
        let histories = [history()];
        let text = template(&histories);
        assert!(text.contains("\"unknown-action:Snap up\" = \"leave out\"\n"), "{text}");
        assert!(text.contains("\"amount-mismatch\" = \"accept\"\n"), "{text}");
        assert!(text.contains("# \"account-kind:default\" = \"taxable\"\n"), "{text}");
        let file: AnswersFile = toml::from_str(&text).unwrap();
        assert_eq!(file.answers.len(), 2);
    }

    #[test]
    fn a_person_is_asked_until_the_answer_is_one() {
        let mut talk = Vec::new();
        let answers = ask(&[history()], &Answers::default(), &mut "\nplease\nbuy\n".as_bytes(), &mut talk).unwrap();
        assert_eq!(answers.get("amount-mismatch"), Some(&Answer::Accept));
        assert_eq!(answers.get("unknown-action:Snap up").map(ToString::to_string).as_deref(), Some("buy"));
        let talk = String::from_utf8(talk).unwrap();
        assert!(talk.contains("a.csv: row 2") && talk.contains("\"please\" is no answer"), "{talk}");
        let unanswered = ask(&[history()], &Answers::default(), &mut "".as_bytes(), &mut Vec::new()).unwrap();
        assert_eq!(unanswered, Answers::default());
    }

    #[test]
    fn questions_of_a_group_are_answered_together_or_each() {
        let text = "date,action,symbol,shares,price,amount\n2024-01-02,Snap up,ACRN,10,5,-50\n\
                    2024-01-03,Snap down,ACRN,10,5,50\n2024-01-04,Snap up,ACRN,1,5,-5\n";
        let statement = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        let history = History { file: "a.csv".to_owned(), text: text.to_owned(), sha256: String::new(), statement };
        let histories = [history];
        let said = |words: &str| {
            let mut talk = Vec::new();
            let answers = ask(&histories, &Answers::default(), &mut words.as_bytes(), &mut talk).unwrap();
            let given = |key: &str| answers.get(key).map(ToString::to_string).unwrap_or_default();
            let both = (given("unknown-action:Snap up"), given("unknown-action:Snap down"));
            (both, String::from_utf8(talk).unwrap())
        };
        let (both, talk) = said("\n");
        assert_eq!(both, ("leave out".to_owned(), "leave out".to_owned()));
        assert!(talk.contains("2 questions are alike") && talk.contains("(2 rows)"), "{talk}");
        let proposed = as_proposed(&histories, &Answers::default());
        assert_eq!(proposed.get("unknown-action:Snap up"), Some(&Answer::LeaveOut));
        assert_eq!(said("each\nsell\nbuy\n").0, ("buy".to_owned(), "sell".to_owned()));
        assert_eq!(said("nothing\nother\n").0, ("other".to_owned(), "other".to_owned()));
        assert!(template(&histories).contains("no line of their own: \"unknown-action:*\"."));
    }

    #[test]
    fn answers_that_nobody_asked_for_are_told() {
        let given = |key: &str| Answers::new([(key.to_owned(), Answer::LeaveOut)].into());
        let (errors, warnings) = unused(&given("unknown-action:Snapup"), &[history()]);
        assert_eq!(errors[0].help.as_deref(), Some("did you mean unknown-action:Snap up?"));
        assert!(warnings.is_empty());
        let (errors, warnings) = unused(&given("future-date"), &[history()]);
        assert_eq!((errors.len(), warnings.len()), (0, 1));
    }
}
