//! A statement as short lines, for tests to compare.

use lotwise_statements::{Error, ReadOptions, Statement, read};

/// Reads with default options; every row must be accounted for.
pub fn statement(text: &str) -> Statement {
    let statement = read(text.as_bytes(), &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_accounted(&statement);
    statement
}

/// The error that reading ends with.
pub fn refusal(text: &str) -> Error {
    match read(text.as_bytes(), &ReadOptions::default()) {
        Err(error) => error,
        Ok(statement) => panic!("read as {}:\n{text}", statement.format),
    }
}

/// The sum that always holds.
pub fn assert_accounted(statement: &Statement) {
    let Statement { transactions, ignored, quarantined, duplicates, rows, .. } = statement;
    assert_eq!(transactions.len() + ignored.len() + quarantined.len() + duplicates.len(), *rows);
}

/// `date action symbol shares @ price = amount, fees currency detail`, empty parts as `-`.
pub fn told(statement: &Statement) -> Vec<String> {
    let dash = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
    let line = |one: &lotwise_statements::Transaction| {
        format!(
            "{} {} {} {} @ {} = {}, {} {} {}",
            one.trade_date,
            one.action,
            dash(one.symbol.as_ref().map(ToString::to_string)),
            dash(one.shares.map(|shares| shares.to_string())),
            dash(one.price.map(|price| price.to_string())),
            one.amount,
            one.fees,
            one.currency,
            dash(one.detail.as_deref().map(str::to_owned)),
        )
    };
    statement.transactions.iter().map(line).collect()
}

/// `row: reason` of each note.
pub fn notes(notes: &[lotwise_statements::RowNote]) -> Vec<String> {
    notes.iter().map(|note| format!("{}: {}", note.row, note.reason)).collect()
}

/// The keys of the questions.
pub fn asked(statement: &Statement) -> Vec<&str> {
    statement.questions.iter().map(|question| question.key.as_str()).collect()
}

/// `row: acquired shares basis/proceeds/disallowed term covered` of each lot that a row states.
pub fn lots(statement: &Statement) -> Vec<String> {
    let dash = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
    let money = |part: Option<lotwise_core::Money>| dash(part.map(|money| money.to_string()));
    let mut lines = Vec::new();
    for one in &statement.transactions {
        for lot in &one.lots {
            lines.push(format!(
                "{}: {} {} {}/{}/{} {} {}",
                one.row,
                dash(lot.acquired.map(|date| date.to_string())),
                lot.shares,
                money(lot.basis),
                money(lot.proceeds),
                money(lot.disallowed),
                dash(lot.long_term.map(|long| if long { "long" } else { "short" }.to_owned())),
                dash(lot.covered.map(|covered| if covered { "covered" } else { "noncovered" }.to_owned())),
            ));
        }
    }
    lines
}
