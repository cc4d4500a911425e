//! Which security a leg means, where it carries only a number and words.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Shares, Symbol};

use crate::Transaction;

/// Words that say what kind of thing a security is, or what happened to it, and not which one it is.
const FILLERS: [&str; 42] = [
    "INC",
    "CORP",
    "CORPORATION",
    "CO",
    "COMPANY",
    "LTD",
    "LIMITED",
    "PLC",
    "LLC",
    "LP",
    "SA",
    "NV",
    "AG",
    "THE",
    "OF",
    "AND",
    "NEW",
    "OLD",
    "CLASS",
    "CL",
    "COM",
    "COMMON",
    "STOCK",
    "SHARES",
    "SHS",
    "ORD",
    "ADR",
    "HLDGS",
    "HOLDINGS",
    "GROUP",
    "TRUST",
    "FUND",
    "ETF",
    "EFF",
    "FROM",
    "TO",
    "INTO",
    "WITH",
    "NAME",
    "CHANGE",
    "REVERSE",
    "SPLIT",
];

/// What the rows of all files tell about securities.
pub(super) struct Known<'a> {
    transactions: &'a [&'a Transaction],
    /// Ticker by CUSIP or ISIN, where a row has both.
    by_number: BTreeMap<&'a str, &'a Symbol>,
    /// Rows by account and ticker.
    rows: BTreeMap<(&'a str, &'a Symbol), Vec<usize>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(transactions: &'a [&'a Transaction]) -> Self {
        let mut by_number = BTreeMap::new();
        let mut rows: BTreeMap<(&str, &Symbol), Vec<usize>> = BTreeMap::new();
        for (at, transaction) in transactions.iter().enumerate() {
            let Some(symbol) = &transaction.symbol else { continue };
            rows.entry((&transaction.account, symbol)).or_default().push(at);
            if let Some(number) = &transaction.cusip {
                by_number.entry(number.as_str()).or_insert(symbol);
            }
        }
        Self { transactions, by_number, rows }
    }

    /// The security that comes: its ticker, else its number.
    pub(super) fn of_incoming(&self, leg: &Transaction) -> Symbol {
        let by_number = leg.cusip.as_deref().and_then(|number| self.by_number.get(number).copied().cloned());
        leg.symbol.clone().or(by_number).unwrap_or_else(|| by_name(leg))
    }

    /// The security that leaves. Its row often has a number that is already out of use, so the
    /// ticker is looked for among what the account held: under the number, in the words of the
    /// row, then by name and count of shares.
    pub(super) fn of_outgoing(
        &self,
        leg: &Transaction,
        at: usize,
        shares: Shares,
        to: &Symbol,
        is_split: bool,
    ) -> Symbol {
        if let Some(symbol) = &leg.symbol {
            let plain = symbol.as_str().trim_end_matches(".OLD");
            return Symbol::parse(plain).unwrap_or_else(|_| symbol.clone());
        }
        if let Some(symbol) = leg.cusip.as_deref().and_then(|number| self.by_number.get(number)) {
            return (*symbol).clone();
        }
        if let Some(symbol) = leading_ticker(&leg.description) {
            return symbol;
        }
        if is_split {
            return to.clone();
        }
        let best = self
            .of_account(&leg.account)
            .filter_map(|(symbol, rows)| {
                let held = self.held_before(rows, at);
                let words = self.words_in_common(rows, &leg.description);
                // The new security is the old one only where exactly the old shares stood under its name.
                let fits = if symbol == to { held == shares } else { held == shares || (held > shares && words > 1) };
                (fits && words > 0).then_some(((held == shares, words), symbol))
            })
            .max_by_key(|(score, _)| *score);
        best.map_or_else(|| by_name(leg), |(_, symbol)| symbol.clone())
    }

    /// The parent of a company spun off: named by the row's own words, else the only security of
    /// the account, in its rows before or after, whose name begins alike.
    pub(super) fn parent(&self, leg: &Transaction, new: &Symbol) -> Option<Symbol> {
        if let Some(symbol) = leading_ticker(&leg.description).filter(|symbol| symbol != new) {
            return Some(symbol);
        }
        let alike: BTreeSet<&Symbol> = self
            .of_account(&leg.account)
            .filter(|(symbol, rows)| *symbol != new && self.words_in_common(rows, &leg.description) > 0)
            .map(|(symbol, _)| symbol)
            .collect();
        if alike.len() == 1 { alike.into_iter().next().cloned() } else { None }
    }

    fn of_account<'s>(&'s self, account: &'s str) -> impl Iterator<Item = (&'a Symbol, &'s [usize])> {
        let rows = self.rows.iter().filter(move |((own, _), _)| *own == account);
        rows.map(|((_, symbol), rows)| (*symbol, rows.as_slice()))
    }

    fn held_before(&self, rows: &[usize], at: usize) -> Shares {
        let before = rows.iter().filter(|&&row| row < at);
        before.filter_map(|&row| self.transactions[row].shares).sum()
    }

    fn words_in_common(&self, rows: &[usize], description: &str) -> u32 {
        let mut descriptions: Vec<&str> = rows.iter().map(|&row| self.transactions[row].description.as_str()).collect();
        descriptions.sort_unstable();
        descriptions.dedup();
        descriptions.iter().map(|own| leading_words(own, description)).max().unwrap_or(0)
    }
}

/// A name for a security without a ticker: its number, else the first word of its row.
fn by_name(leg: &Transaction) -> Symbol {
    let number = leg.cusip.as_deref().and_then(|number| Symbol::parse(number).ok());
    let word = || leg.description.split_whitespace().next().and_then(|word| Symbol::parse(word).ok());
    number.or_else(word).unwrap_or_else(|| Symbol::parse("UNKNOWN").expect("Invariant: a plain word is a symbol"))
}

/// `AAPL` of `AAPL(US0378331005) Split 4 for 1`.
fn leading_ticker(description: &str) -> Option<Symbol> {
    let (ticker, rest) = description.split_once('(')?;
    let number = rest.split(')').next()?;
    let is_number = matches!(number.len(), 9 | 12) && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let plain = ticker.trim().trim_end_matches(".OLD");
    (is_number && !plain.contains(' ')).then(|| Symbol::parse(plain).ok()).flatten()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && !word.starts_with("XXX"))
        .map(str::to_ascii_uppercase)
        .filter(|word| !FILLERS.contains(&word.as_str()))
}

/// Whether two words are the same, one of them perhaps cut short.
fn alike(a: &str, b: &str) -> bool {
    a == b || (a.len().min(b.len()) >= 5 && (a.starts_with(b) || b.starts_with(a)))
}

/// Words that the names of two securities have in common from their start.
fn leading_words(a: &str, b: &str) -> u32 {
    let same = words(a).zip(words(b)).take_while(|(a, b)| alike(a, b));
    u32::try_from(same.count()).unwrap_or(u32::MAX)
}

/// Words that two rows have in common, in any place.
pub(super) fn shared_words(a: &str, b: &str) -> u32 {
    let others: Vec<String> = words(b).collect();
    let mut seen = BTreeSet::new();
    let shared = words(a).filter(|word| others.iter().any(|other| alike(word, other)) && seen.insert(word.clone()));
    u32::try_from(shared.count()).unwrap_or(u32::MAX)
}
