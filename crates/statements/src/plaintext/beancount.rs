//! Beancount files: transactions with lots in braces; every other directive is ignored by its name.

use lotwise_core::Date;

use super::amounts::{Amount, Cost, Quantity, amount};
use super::events::{Entry, book, included};
use crate::formats::{Confidence, Format, FormatInfo};
use crate::gather::{Fault, Gathering, clip};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Error, Statement};

/// Beancount.
pub(crate) const BEANCOUNT: Format = Format {
    info: FormatInfo {
        id: "beancount",
        title: "Beancount, accounting file",
        extensions: &["beancount", "bean"],
        example: "2024-01-02 * \"Buy\", then   Assets:Broker:ACRN  10 ACRN {50.25 USD}",
    },
    recognise: |sniff| {
        let directive = |line: &str| {
            let (Some(day), Some(rest)) = (line.get(..10), line.get(11..)) else { return false };
            Date::parse(day).is_ok()
                && (DIRECTIVES.iter().any(|(name, _)| rest.split_whitespace().next() == Some(*name))
                    || (rest.starts_with(['*', '!']) || rest.starts_with("txn")) && rest.contains('"'))
        };
        let known = sniff.head.lines().filter(|line| directive(line)).count();
        let posting =
            |line: &str| line.starts_with([' ', '\t']) && ROOTS.iter().any(|root| line.trim_start().starts_with(root));
        match (known, sniff.head.lines().any(posting)) {
            (1.., true) => Confidence::Sure,
            (2.., false) => Confidence::Plausible,
            _ => Confidence::No,
        }
    },
    read,
};

const ROOTS: [&str; 5] = ["Assets:", "Liabilities:", "Income:", "Expenses:", "Equity:"];

/// Directives that are no transactions, and whether they change what accounts hold.
const DIRECTIVES: [(&str, bool); 11] = [
    ("open", false),
    ("close", false),
    ("commodity", false),
    ("balance", false),
    ("pad", true),
    ("note", false),
    ("document", false),
    ("price", false),
    ("event", false),
    ("query", false),
    ("custom", false),
];

fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let mut gathering = Gathering::with(BEANCOUNT.info.id, options);
    let mut entries: Vec<Entry> = Vec::new();
    let mut open = false;
    for (row, line) in (1_u32..).zip(text.as_str().lines()) {
        options.check(entries.len())?;
        let content = without_comment(line, ';');
        if content.trim().is_empty() || line.starts_with(['*', '#']) {
            open = open && line.starts_with([' ', '\t']);
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some(entry) = entries.last_mut().filter(|_| open) {
                add_posting(entry, content.trim());
            }
            continue;
        }
        open = false;
        let word = content.split_whitespace().next().unwrap_or_default();
        if let Ok(date) = Date::parse(&word.replace('/', "-")) {
            let rest = content.get(word.len()..).unwrap_or_default().trim_start();
            let kind = rest.split_whitespace().next().unwrap_or_default();
            match DIRECTIVES.iter().find(|(name, _)| *name == kind) {
                Some((name, false)) => gathering.ignore(row, name, "a directive that moves nothing")?,
                Some((name, true)) => {
                    let reason =
                        "fills an account by itself, so what it moved is not in the file; enter it as a transaction";
                    gathering.quarantine(Fault::new("directive", name, reason).into_note(row))?;
                }
                None if kind == "txn" || kind.chars().count() == 1 => {
                    open = true;
                    let description = quoted(rest).join(" ");
                    entries.push(Entry { date, description, postings: Vec::new(), fault: None, row });
                }
                None => {
                    let fault = Fault::new("directive", kind, "is not a directive of Beancount that is known");
                    gathering.quarantine(fault.into_note(row))?;
                }
            }
            continue;
        }
        match word {
            "include" => included(&mut gathering, row, word)?,
            "option" | "plugin" | "pushtag" | "poptag" | "pushmeta" | "popmeta" => {
                gathering.ignore(row, word, "a directive that moves nothing")?;
            }
            _ => {
                let fault = Fault::new("line", word, "begins no directive of Beancount");
                gathering.quarantine(fault.into_note(row))?;
            }
        }
    }
    book(entries, &mut gathering, options)?;
    Ok(gathering.finish())
}

/// The line up to a comment outside quotes.
pub(super) fn without_comment(line: &str, mark: char) -> &str {
    let mut inside = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => inside = !inside,
            _ if character == mark && !inside => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The texts between quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

fn add_posting(entry: &mut Entry, content: &str) {
    let content = content.strip_prefix(['*', '!']).map_or(content, str::trim_start);
    let end = content.find(char::is_whitespace).unwrap_or(content.len());
    let (account, rest) = content.split_at(end);
    // Metadata are keys in small letters with a colon behind.
    if account.ends_with(':')
        || account.starts_with(|first: char| first.is_ascii_lowercase() || first == '#' || first == '^')
    {
        return;
    }
    let rest = rest.trim();
    entry.post(account, rest, content, quantity, "10 ACRN {50.25 USD, 2024-01-02} @ 60 USD");
}

/// `10 ACRN {50.25 USD, 2024-01-02, "label"} @ 60 USD`.
fn quantity(text: &str) -> Option<Quantity> {
    let (before, cost, behind) = match text.split_once('{') {
        Some((before, rest)) => {
            let total = rest.starts_with('{');
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let (inside, behind) = rest.split_once('}')?;
            (before, Some(cost(inside, total)?), behind.strip_prefix('}').unwrap_or(behind))
        }
        None => {
            let at = text.find('@').unwrap_or(text.len());
            (&text[..at], None, &text[at..])
        }
    };
    let behind = behind.trim();
    let (price, total_price) = match (behind.strip_prefix("@@"), behind.strip_prefix('@')) {
        (Some(total), _) => (None, Some(amount(total)?)),
        (None, Some(each)) => (Some(amount(each)?), None),
        (None, None) if behind.is_empty() => (None, None),
        (None, None) => return None,
    };
    Some(Quantity { units: amount(before)?, cost, price, total_price })
}

fn cost(inside: &str, total: bool) -> Option<Cost> {
    let mut cost = Cost::default();
    for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "*") {
        if let Some(label) = part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            cost.label = Some(clip(label, 80));
        } else if let Ok(date) = Date::parse(part) {
            cost.date = Some(date);
        } else {
            let read: Amount = amount(part)?;
            if total { cost.total = Some(read) } else { cost.each = Some(read) }
        }
    }
    Some(cost)
}
