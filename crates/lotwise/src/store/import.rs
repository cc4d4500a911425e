//! Importing: every file of a command or none, each row once per content.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Instant, Symbol};
use lotwise_statements::{RowNote, Transaction};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::encode::{INSERT_ENTRY, bind_entry, content};
use super::fault;
use super::ledger::Ledger;
use super::plan::{Incoming, Plan, plan};
use crate::errors::CliError;

impl Ledger {
    /// Imports these files in one transaction.
    ///
    /// # Errors
    /// When the ledger cannot be written; nothing is stored then.
    pub fn import(&mut self, files: &[Incoming<'_>], now: Instant) -> Result<Plan, CliError> {
        let doing = "importing";
        let path = self.path().to_path_buf();
        let told = |error: rusqlite::Error| fault::database(&path, doing, &error);
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(told)?;
        let mut plan = plan(&transaction, &path, files)?;
        for (file, landed) in files.iter().zip(&mut plan.files) {
            if landed.same_as.is_none() {
                landed.batch = Some(store(&transaction, file, now).map_err(told)?);
            }
        }
        transaction.commit().map_err(told)?;
        Ok(plan)
    }
}

/// Writes one file and returns the number of its import.
fn store(connection: &Connection, file: &Incoming<'_>, now: Instant) -> rusqlite::Result<i64> {
    let statement = file.statement;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT INTO batch (file, format, sha256, account_given, rows, imported_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![file.file, statement.format, file.sha256, file.account_given, count(statement.rows), now.0],
    )?;
    let batch = connection.last_insert_rowid();
    let mut accounts = Accounts::default();
    store_transactions(connection, batch, &statement.transactions, &mut accounts)?;
    for (kind, notes) in
        [("ignored", &statement.ignored), ("quarantined", &statement.quarantined), ("duplicate", &statement.duplicates)]
    {
        store_notes(connection, batch, kind, notes)?;
    }
    let mut insert = connection.prepare(
        "INSERT INTO position (batch, ordinal, account, symbol, cusip, shares, price, as_of, row) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (ordinal, position) in statement.positions.iter().enumerate() {
        insert.execute(params![
            batch,
            count(ordinal),
            accounts.id(connection, &position.account)?,
            position.symbol.as_ref().map(Symbol::as_str),
            position.cusip,
            position.shares.to_string(),
            position.price.map(|price| price.to_string()),
            position.as_of.map(|date| date.to_string()),
            position.row,
        ])?;
    }
    let named: BTreeSet<&String> = statement.account_labels.keys().chain(statement.account_kinds.keys()).collect();
    for name in named {
        let kind = statement.account_kinds.get(name).map(|kind| kind.name());
        connection.execute(
            "INSERT INTO account_statement (batch, account, label, kind) VALUES (?1, ?2, ?3, ?4)",
            params![batch, accounts.id(connection, name)?, statement.account_labels.get(name), kind],
        )?;
    }
    for (ordinal, question) in statement.questions.iter().enumerate() {
        let rows: Vec<String> = question.rows.iter().map(ToString::to_string).collect();
        connection.execute(
            "INSERT INTO question (batch, ordinal, key, text, proposed, rows) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![batch, count(ordinal), question.key, question.text, question.proposed, rows.join(",")],
        )?;
    }
    for (key, answer) in &statement.answered {
        let value = answer.to_string();
        connection.execute("INSERT INTO answer (batch, key, value) VALUES (?1, ?2, ?3)", params![batch, key, value])?;
    }
    Ok(batch)
}

fn store_transactions(
    connection: &Connection,
    batch: i64,
    transactions: &[Transaction],
    accounts: &mut Accounts,
) -> rusqlite::Result<()> {
    let mut find =
        connection.prepare("SELECT id FROM entry WHERE account = ?1 AND transaction_id = ?2 AND content = ?3")?;
    let mut insert = connection.prepare(INSERT_ENTRY)?;
    let mut lot = connection.prepare(
        "INSERT INTO stated_lot (entry, ordinal, lot, acquired, shares, basis, proceeds, disallowed, long_term, \
         covered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut option = connection.prepare(
        "INSERT INTO option_terms (entry, underlying, expiry, right, strike, multiplier) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut sighting =
        connection.prepare("INSERT INTO sighting (batch, ordinal, entry, row) VALUES (?1, ?2, ?3, ?4)")?;
    for (ordinal, each) in transactions.iter().enumerate() {
        let account = accounts.id(connection, &each.account)?;
        let content = content(each);
        let found = find.query_row(params![account, each.id, content], |row| row.get(0)).optional()?;
        let entry = match found {
            Some(entry) => entry,
            None => {
                bind_entry(&mut insert, account, &content, each)?;
                let entry = connection.last_insert_rowid();
                for (at, stated) in each.lots.iter().enumerate() {
                    lot.execute(params![
                        entry,
                        i64::try_from(at).unwrap_or(i64::MAX),
                        stated.id,
                        stated.acquired.map(|date| date.to_string()),
                        stated.shares.to_string(),
                        stated.basis.map(|amount| amount.to_string()),
                        stated.proceeds.map(|amount| amount.to_string()),
                        stated.disallowed.map(|amount| amount.to_string()),
                        stated.long_term,
                        stated.covered,
                    ])?;
                }
                if let Some(terms) = &each.option {
                    option.execute(params![
                        entry,
                        terms.underlying.as_str(),
                        terms.expiry.to_string(),
                        terms.right.name(),
                        terms.strike.to_string(),
                        terms.multiplier,
                    ])?;
                }
                entry
            }
        };
        sighting.execute(params![batch, i64::try_from(ordinal).unwrap_or(i64::MAX), entry, each.row])?;
    }
    Ok(())
}

fn store_notes(connection: &Connection, batch: i64, kind: &str, notes: &[RowNote]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare(
        "INSERT INTO note (batch, kind, ordinal, row, column_name, value, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (ordinal, note) in notes.iter().enumerate() {
        let ordinal = i64::try_from(ordinal).unwrap_or(i64::MAX);
        insert.execute(params![batch, kind, ordinal, note.row, note.column, note.value, note.reason])?;
    }
    Ok(())
}

/// Numbers of accounts, made as they are met.
#[derive(Default)]
struct Accounts(BTreeMap<String, i64>);

impl Accounts {
    fn id(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some(&id) = self.0.get(name) {
            return Ok(id);
        }
        connection.execute("INSERT INTO account (name) VALUES (?1) ON CONFLICT (name) DO NOTHING", [name])?;
        let id = connection.query_row("SELECT id FROM account WHERE name = ?1", [name], |row| row.get(0))?;
        self.0.insert(name.to_owned(), id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use lotwise_core::{AccountKind, Date, Money, OptionContract, Price, Shares};
    use lotwise_statements::{Action, Answer, Position, Question, StatedLot, Statement};

    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    /// A statement with every field in use, and amounts at the ends of what can be written.
    fn full() -> Statement {
        let lot = StatedLot {
            id: Some("7".into()),
            acquired: Some(date("2020-02-29")),
            shares: Shares::from_billionths(1),
            basis: Some(Money::from_billionths(i128::MAX / 4)),
            proceeds: Some(Money::ZERO),
            disallowed: Some(Money::from_billionths(10)),
            long_term: Some(false),
            covered: Some(true),
        };
        let everything = Transaction {
            id: "b-1".into(),
            account: "Z \"1\"".into(),
            settle_date: Some(date("2024-01-05")),
            symbol: Some(Symbol::parse("BRK-B").unwrap()),
            cusip: Some("084670702".into()),
            description: "a, \"b\"\n; DROP TABLE entry; – ü".into(),
            shares: Some(Shares::from_billionths(-1_234_567_891)),
            price: Some(Price::from_billionths(i128::MAX / 4)),
            amount: Money::from_billionths(-(i128::MAX / 4)),
            fees: Money::from_billionths(-1),
            currency: "EUR".into(),
            detail: Some(Cow::Borrowed("cash_in_lieu")),
            split_ratio: Some((Shares::from_whole(3), Shares::from_whole(2))),
            lots: vec![lot, StatedLot { shares: Shares::from_whole(2), ..StatedLot::default() }],
            option: Some(OptionContract::parse_occ("AAPL240119C00190000").unwrap()),
            ..Transaction::new(Action::Sell, date("2024-01-03"), 9)
        };
        let plain = Transaction { id: "b-2".into(), ..Transaction::new(Action::Other, date("1900-01-01"), 10) };
        let note = |row| RowNote { row, column: Some("Date".into()), value: None, reason: "no date".into() };
        Statement {
            format: "lotwise-csv",
            rows: 5,
            transactions: vec![everything, plain],
            ignored: vec![note(11)],
            quarantined: vec![RowNote { value: Some("x".into()), ..note(12) }],
            duplicates: vec![RowNote { column: None, ..note(13) }],
            positions: vec![Position {
                account: "Z \"1\"".into(),
                symbol: None,
                cusip: Some("1".into()),
                shares: Shares::from_whole(5),
                price: None,
                as_of: Some(date("2024-06-30")),
                row: 14,
            }],
            account_labels: [("Z \"1\"".to_owned(), "Rollover".to_owned())].into(),
            account_kinds: [("only by kind".to_owned(), AccountKind::SpouseIra)].into(),
            questions: vec![Question { key: "k".into(), text: "t?".into(), rows: vec![1, 2], proposed: "p".into() }],
            answered: [("unknown-action:Foo".to_owned(), Answer::Means(Action::Fee))].into(),
        }
    }

    fn incoming<'a>(statement: &'a Statement, sha256: &'a str) -> Incoming<'a> {
        Incoming { file: "a.csv", sha256, account_given: None, statement }
    }

    #[test]
    fn what_is_kept_is_what_was_read() {
        let statement = full();
        let sha256 = "0".repeat(64);
        let mut ledger = Ledger::in_memory();
        let empty = ledger.dump().unwrap();
        ledger.import(&[incoming(&statement, &sha256)], Instant(0)).unwrap();
        let stored = ledger.statements().unwrap();
        assert_eq!(stored[0].statement, statement);
        assert_eq!(ledger.dump().unwrap().lines().count(), 14);
        assert!(ledger.undo(1).unwrap().is_some());
        assert_eq!(ledger.dump().unwrap(), empty);
    }

    #[test]
    fn a_row_with_another_content_is_told_and_the_earlier_one_counts_until_it_is_taken_back() {
        let first = full();
        let mut second = first.clone();
        second.transactions[1].amount = Money::from_whole(7);
        let mut ledger = Ledger::in_memory();
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        ledger.import(&[incoming(&first, &one)], Instant(0)).unwrap();
        let plan = ledger.import(&[incoming(&second, &two)], Instant(0)).unwrap();
        assert_eq!((plan.files[0].already_known, plan.files[0].changed.clone()), (2, vec![10]));
        let amount = |ledger: &Ledger| {
            let statements = ledger.statements().unwrap();
            let mut all = statements.iter().flat_map(|stored| &stored.statement.transactions);
            all.find(|each| each.id == "b-2").map(|each| each.amount)
        };
        assert_eq!(amount(&ledger), Some(Money::ZERO));
        let undone = ledger.undo(1).unwrap().unwrap();
        assert_eq!((undone.removed, undone.kept), (0, 2));
        assert_eq!(amount(&ledger), Some(Money::from_whole(7)));
    }

    #[test]
    fn a_full_disk_leaves_the_ledger_as_it_was() {
        let statement = full();
        let mut large = statement.clone();
        large.transactions = (0..5_000)
            .map(|number| Transaction { id: format!("n{number}"), ..statement.transactions[1].clone() })
            .collect();
        large.rows = 5_003;
        let mut ledger = Ledger::in_memory();
        ledger.import(&[incoming(&statement, &"1".repeat(64))], Instant(0)).unwrap();
        let before = ledger.dump().unwrap();
        let pages: i64 = ledger.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        ledger.connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
        let error = ledger.import(&[incoming(&large, &"2".repeat(64))], Instant(0)).unwrap_err();
        assert_eq!(error.code, "disk-full");
        assert_eq!(ledger.dump().unwrap(), before);
        ledger.connection.pragma_update(None, "max_page_count", pages + 4_000).unwrap();
        ledger.import(&[incoming(&large, &"2".repeat(64))], Instant(0)).unwrap();
    }
}
