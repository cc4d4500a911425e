//! The rows of all files in the order in which they happened, each once.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Shares, Symbol};
use lotwise_statements::{Action, StatedLot, Transaction};
use lotwise_tax::AccountId;

use super::questions::Questions;
use super::{BookOptions, ForeignRows, Source, SourceRole, cancelled, named};
use crate::issue::{Issue, Severity};
use crate::suggestion::count;

/// A transaction with its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) file: &'a str,
    pub(crate) transaction: &'a Transaction,
}

impl Entry<'_> {
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.transaction.row)
    }

    pub(super) fn account(&self) -> AccountId {
        AccountId::new(&self.transaction.account)
    }
}

/// Account and id of a transaction: what tells one row from all others.
pub(super) type RowKey<'a> = (&'a str, &'a str);

/// What the files hold, sorted out.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    /// Usable rows, oldest first.
    pub(super) entries: Vec<Entry<'a>>,
    /// Lots that some file names for a row.
    pub(super) named: BTreeMap<RowKey<'a>, Vec<StatedLot>>,
    /// Rows in other currencies, by currency.
    pub(super) foreign: BTreeMap<String, ForeignRows>,
}

/// All usable rows of all files, oldest first. Files run newest first or oldest first; within a day
/// the order of the file is kept in its own direction.
pub(super) fn in_order<'a>(sources: &[Source<'a>], options: &BookOptions, questions: &mut Questions<'_>) -> Rows<'a> {
    let mut rows = Rows::default();
    let mut all = Vec::new();
    let mut lot_rows = Vec::new();
    let mut seen: BTreeSet<RowKey<'a>> = BTreeSet::new();
    for source in sources {
        let transactions = oldest_first(&source.statement.transactions);
        let mut repeated = 0;
        let earlier_files = seen.clone();
        for transaction in transactions {
            let entry = Entry { file: source.name, transaction };
            if source.role == SourceRole::Lots {
                lot_rows.push(entry);
                continue;
            }
            let key = (transaction.account.as_str(), transaction.id.as_str());
            if !transaction.lots.is_empty() && !rows.named.contains_key(&key) {
                rows.named.insert(key, transaction.lots.clone());
            }
            if earlier_files.contains(&key) {
                repeated += 1;
                continue;
            }
            seen.insert(key);
            all.push(entry);
        }
        if repeated > 0 {
            let verb =
                if repeated == 1 { "is also in another file and counts" } else { "are also in another file and count" };
            let text = format!("{} of {} {verb} once", count(repeated, "row"), source.name);
            questions.tell(Issue::new("repeated-rows", Severity::Note, None, text));
        }
    }
    all.sort_by_key(|entry| entry.transaction.trade_date);
    let all = cancelled::undo(all, options.as_of, questions);
    let all = named::join_reports(all, &lot_rows, &mut rows.named, questions);
    for entry in all {
        let transaction = entry.transaction;
        if transaction.currency == "USD" {
            rows.entries.push(entry);
        } else {
            let foreign = rows.foreign.entry(transaction.currency.clone()).or_default();
            foreign.rows += 1;
            foreign.amount += transaction.amount;
        }
    }
    for (currency, foreign) in &rows.foreign {
        let text = format!(
            "{} in {currency} with a sum of {} {currency} {} kept out of tax: foreign currency is not supported there yet",
            count(foreign.rows, "row"),
            foreign.amount.to_cents(),
            if foreign.rows == 1 { "is" } else { "are" }
        );
        questions.tell(Issue::new("foreign-currency", Severity::Warning, None, text));
    }
    buys_before_sells_where_needed(&mut rows.entries);
    rows
}

fn oldest_first(transactions: &[Transaction]) -> Vec<&Transaction> {
    let mut rows: Vec<&Transaction> = transactions.iter().collect();
    let falling = rows.windows(2).filter(|pair| pair[0].trade_date > pair[1].trade_date).count();
    let rising = rows.windows(2).filter(|pair| pair[0].trade_date < pair[1].trade_date).count();
    if falling > rising {
        rows.reverse();
    }
    rows
}

/// Whether a row that takes shares needs them to be there: short sales and options do not.
fn needs_shares(transaction: &Transaction) -> bool {
    !is_option(transaction) && !is_short(transaction)
}

/// Whether a row opens or closes a short sale of stock.
pub(super) fn is_short(transaction: &Transaction) -> bool {
    matches!(transaction.detail.as_deref(), Some("short_sale" | "short_cover"))
}

/// Where a day's rows would sell shares before they are bought, purchases of that day go first:
/// files that list a day in no particular order are common. Short sales and options stay in order.
fn buys_before_sells_where_needed(entries: &mut [Entry<'_>]) {
    let mut held: BTreeMap<(String, Symbol), Shares> = BTreeMap::new();
    let mut start = 0;
    while start < entries.len() {
        let date = entries[start].transaction.trade_date;
        let end = start + entries[start..].iter().take_while(|entry| entry.transaction.trade_date == date).count();
        let mut short = false;
        let mut after = held.clone();
        for entry in entries[start..end].iter().filter(|entry| needs_shares(entry.transaction)) {
            if let (Some(symbol), Some(shares)) = (&entry.transaction.symbol, entry.transaction.shares) {
                let key = (entry.transaction.account.clone(), symbol.clone());
                let balance = after.entry(key).or_default();
                *balance += shares;
                short |= balance.is_negative();
            }
        }
        if short {
            entries[start..end].sort_by_key(|entry| {
                needs_shares(entry.transaction) && entry.transaction.shares.is_some_and(Shares::is_negative)
            });
        }
        after.values_mut().for_each(|balance| *balance = (*balance).max(Shares::ZERO));
        held = after;
        start = end;
    }
}

/// Details of purchases and sales whose security is an option contract itself. The stock that an
/// assignment or exercise moves is a plain purchase or sale of the stock.
const CONTRACT_DETAILS: [&str; 8] = [
    "option",
    "option_open",
    "option_close",
    "option_close_and_open",
    "option_assign",
    "option_exercise",
    "option_expire",
    "option_adjustment",
];

/// Whether a row is about an option contract.
pub(super) fn is_option(transaction: &Transaction) -> bool {
    matches!(
        transaction.action,
        Action::OptionOpen | Action::OptionClose | Action::OptionExercise | Action::OptionAssign | Action::OptionExpire
    ) || transaction.detail.as_deref().is_some_and(|detail| CONTRACT_DETAILS.contains(&detail))
        || (transaction.option.is_some() && !moved_by_option(transaction))
}

/// Whether a row is the stock that an exercise or assignment moved.
fn moved_by_option(transaction: &Transaction) -> bool {
    transaction.detail.as_deref().is_some_and(|detail| super::contracts::DELIVERED.contains(&detail))
}

pub(super) fn is_plain_stock(transaction: &Transaction) -> bool {
    transaction.currency == "USD" && !is_option(transaction)
}
