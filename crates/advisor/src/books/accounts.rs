//! Owner and type of every account: as answered, as the file states, by its name, else taxable.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::AccountKind;
use lotwise_tax::AccountId;

use super::questions::Questions;
use super::rows::Entry;
use super::{BookOptions, Source, SourceRole};

/// Words in the name of an account that say it is a Roth account.
const ROTH_WORDS: [&str; 1] = ["ROTH"];
/// Words that say it is another account whose sales are not taxed.
const RETIREMENT_WORDS: [&str; 10] =
    ["IRA", "401K", "403B", "457B", "SEP", "SIMPLE", "HSA", "ROLLOVER", "BROKERAGELINK", "PENSION"];

/// What decides without a person: the kind, and why.
struct Guess<'a> {
    kind: AccountKind,
    label: &'a str,
}

/// The kinds of all accounts with rows or holdings.
pub(super) fn kinds(
    entries: &[Entry<'_>],
    sources: &[Source<'_>],
    options: &BookOptions,
    questions: &mut Questions<'_>,
) -> BTreeMap<AccountId, AccountKind> {
    let used = entries.iter().map(|entry| entry.transaction.account.as_str());
    // Accounts whose rows are all left out are loaded all the same.
    let histories = || sources.iter().filter(|source| source.role == SourceRole::History);
    let positions = histories().flat_map(|source| &source.statement.positions).map(|one| one.account.as_str());
    let foreign = histories().flat_map(|source| &source.statement.transactions);
    let foreign = foreign.filter(|one| one.currency != "USD").map(|one| one.account.as_str());
    let names: BTreeSet<&str> = used.chain(positions).chain(foreign).collect();
    let mut kinds = BTreeMap::new();
    for name in names {
        let kind = answered(name, options, questions).or_else(|| stated(name, sources)).unwrap_or_else(|| {
            let label = sources.iter().find_map(|source| source.statement.account_labels.get(name));
            match by_name(name, label.map_or("", String::as_str)) {
                Some(guess) => ask(name, &guess, questions),
                None => AccountKind::Taxable,
            }
        });
        kinds.insert(AccountId::new(name), kind);
    }
    kinds
}

fn answered(name: &str, options: &BookOptions, questions: &mut Questions<'_>) -> Option<AccountKind> {
    if let Some(kind) = options.account_kinds.get(name) {
        return Some(*kind);
    }
    let key = key(name);
    let kind = AccountKind::from_name(questions.answer(&key)?);
    if kind.is_none() {
        let names = AccountKind::ALL.map(AccountKind::name).join(", ");
        questions.misunderstood(&key, &format!("one of {names}"));
    }
    kind
}

fn stated(name: &str, sources: &[Source<'_>]) -> Option<AccountKind> {
    sources.iter().find_map(|source| source.statement.account_kinds.get(name)).copied()
}

fn by_name<'a>(name: &str, label: &'a str) -> Option<Guess<'a>> {
    // `401(k)` is one word.
    let upper = format!("{name} {label}").to_ascii_uppercase().replace(['(', ')'], "");
    let has = |words: &[&str]| upper.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| words.contains(&part));
    if has(&ROTH_WORDS) {
        return Some(Guess { kind: AccountKind::Roth, label });
    }
    has(&RETIREMENT_WORDS).then_some(Guess { kind: AccountKind::Ira, label })
}

fn ask(name: &str, guess: &Guess<'_>, questions: &mut Questions<'_>) -> AccountKind {
    let called = if guess.label.is_empty() { String::new() } else { format!(" ({})", guess.label) };
    let text = format!("the account {name}{called} is taken for a retirement account because of its name");
    questions.ask("account-kind", &key(name), None, text, guess.kind.name(), None);
    guess.kind
}

fn key(name: &str) -> String {
    format!("account-kind:{name}")
}
