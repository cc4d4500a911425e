//! Journals of Ledger and hledger: transactions with lot prices in braces and dates in brackets.

use lotwise_core::Date;

use super::amounts::{Cost, Quantity, amount};
use super::events::{Entry, book, included};
use crate::formats::{Confidence, Format, FormatInfo};
use crate::gather::{Fault, Gathering, clip};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Error, Statement};

/// Ledger and hledger.
pub(crate) const JOURNAL: Format = Format {
    info: FormatInfo {
        id: "ledger-journal",
        title: "Ledger and hledger, journal",
        extensions: &["ledger", "journal", "dat", "hledger"],
        example: "2024/01/02 * Buy, then   Assets:Broker  10 ACRN @ $50.25",
    },
    recognise: |sniff| {
        let entry = |line: &str| {
            let day = line.split([' ', '\t', '=']).next().unwrap_or_default();
            date(day).is_some() && !line.contains('"') && !line.contains(',')
        };
        let posting = |line: &str| {
            let trimmed = line.trim_start();
            line.starts_with([' ', '\t']) && trimmed.contains(':') && trimmed.contains("  ")
        };
        let mut lines = sniff.head.lines().peekable();
        while let Some(line) = lines.next() {
            if entry(line) && lines.peek().is_some_and(|next| posting(next) || next.trim_start().starts_with(';')) {
                return Confidence::Plausible;
            }
        }
        Confidence::No
    },
    read,
};

/// Directives that move nothing.
const SILENT: [&str; 17] = [
    "P",
    "D",
    "Y",
    "N",
    "C",
    "A",
    "account",
    "commodity",
    "payee",
    "tag",
    "year",
    "bucket",
    "define",
    "check",
    "assert",
    "decimal-mark",
    "i",
];

fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let mut gathering = Gathering::with(JOURNAL.info.id, options);
    let mut entries: Vec<Entry> = Vec::new();
    let (mut open, mut inside_comment) = (false, false);
    for (row, line) in (1_u32..).zip(text.as_str().lines()) {
        options.check(entries.len())?;
        if inside_comment {
            inside_comment = !matches!(line.trim(), "end comment" | "end test" | "end");
            continue;
        }
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some(entry) = entries.last_mut().filter(|_| open) {
                add_posting(entry, line.trim());
            }
            continue;
        }
        open = false;
        if line.starts_with([';', '#', '%', '|', '*']) {
            continue;
        }
        let word = line.split([' ', '\t']).next().unwrap_or_default();
        if let Some(day) = date(word.split('=').next().unwrap_or_default()) {
            open = true;
            let rest = line.get(word.len()..).unwrap_or_default();
            let rest = rest.split(';').next().unwrap_or_default().trim().trim_start_matches(['*', '!']).trim();
            entries.push(Entry { date: day, description: clip(rest, 200), postings: Vec::new(), fault: None, row });
            continue;
        }
        match word.trim_start_matches(['!', '@']) {
            "comment" | "test" => inside_comment = true,
            "include" => included(&mut gathering, row, word)?,
            "~" => gathering.ignore(row, word, "a plan, no event")?,
            silent if SILENT.contains(&silent) => gathering.ignore(row, word, "a directive that moves nothing")?,
            _ => {
                let reason = "begins no transaction, and no directive that can be left out (aliases and automated transactions change what others mean)";
                gathering.quarantine(Fault::new("line", word, reason).into_note(row))?;
            }
        }
    }
    book(entries, &mut gathering, options)?;
    Ok(gathering.finish())
}

/// `2024-01-02`, `2024/1/2`, `2024.01.02`.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.split(['-', '/', '.']);
    let mut number = |longest: usize| {
        let part = parts.next()?;
        let digits = !part.is_empty() && part.len() <= longest && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<u32>().ok() } else { None }
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() || year < 1000 {
        return None;
    }
    Date::from_ymd(i32::try_from(year).ok()?, month, day)
}

fn add_posting(entry: &mut Entry, line: &str) {
    let content = super::beancount::without_comment(line, ';').trim();
    if content.is_empty() {
        return;
    }
    let content = content.strip_prefix(['*', '!']).map_or(content, str::trim_start);
    // An account's name may hold single blanks; two, or a tab, end it.
    let end = [content.find("  "), content.find('\t')].into_iter().flatten().min().unwrap_or(content.len());
    let (account, rest) = content.split_at(end);
    let account = account.trim();
    if account.starts_with('(') {
        // What stands in parentheses balances nothing.
        return;
    }
    let account = account.trim_start_matches('[').trim_end_matches(']');
    // What stands behind a lone = is the balance that is expected.
    let rest = assertion(rest.trim());
    entry.post(account, rest, content, quantity, "10 ACRN {$50.25} [2024-01-02] @ $60");
}

/// The amount before a balance assertion; the `=` of a fixed lot price stands inside braces.
fn assertion(text: &str) -> &str {
    let mut depth = 0_u32;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => return text[..at].trim(),
            _ => {}
        }
    }
    text
}

/// `10 ACRN {$50.25} [2024-01-02] (note) @ $60`, in any order behind the units.
fn quantity(text: &str) -> Option<Quantity> {
    let end = text.find(['{', '[', '(', '@']).unwrap_or(text.len());
    let (units, mut rest) = text.split_at(end);
    let mut found = Quantity { units: amount(units)?, cost: None, price: None, total_price: None };
    let mut cost: Option<Cost> = None;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("{{") {
            let (inside, behind) = after.split_once("}}")?;
            cost.get_or_insert_default().total = Some(amount(inside.trim().trim_start_matches('='))?);
            rest = behind.trim_start();
        } else if let Some(after) = rest.strip_prefix('{') {
            let (inside, behind) = after.split_once('}')?;
            let inside = inside.trim().trim_start_matches('=').trim();
            let of = cost.get_or_insert_default();
            if !inside.is_empty() {
                of.each = Some(amount(inside)?);
            }
            rest = behind.trim_start();
        } else if let Some(after) = rest.strip_prefix('[') {
            let (inside, behind) = after.split_once(']')?;
            cost.get_or_insert_default().date = Some(date(inside.trim().trim_start_matches('='))?);
            rest = behind.trim_start();
        } else if let Some(after) = rest.strip_prefix('(') {
            let (inside, behind) = after.split_once(')')?;
            if inside != "@" && inside != "@@" {
                cost.get_or_insert_default().label = Some(clip(inside, 80));
                rest = behind.trim_start();
                continue;
            }
            return None;
        } else if let Some(after) = rest.strip_prefix("@@") {
            let end = after.find(['{', '[', '(']).unwrap_or(after.len());
            found.total_price = Some(amount(&after[..end])?);
            rest = after[end..].trim_start();
        } else if let Some(after) = rest.strip_prefix('@') {
            let end = after.find(['{', '[', '(']).unwrap_or(after.len());
            found.price = Some(amount(&after[..end])?);
            rest = after[end..].trim_start();
        } else {
            return None;
        }
    }
    found.cost = cost;
    Some(found)
}
