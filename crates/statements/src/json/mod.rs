//! Exports in JSON: what programs and brokers' interfaces answer with.

pub(crate) mod alpaca;
pub(crate) mod schwab_awards;
pub(crate) mod schwab_brokerage;
pub(crate) mod snaptrade;
pub(crate) mod value;

use crate::gather::{Fault, Gathering};
use crate::read::ReadOptions;
use crate::{Error, Statement, Transaction};
use value::{Document, Fields, Value, field};

/// What one record became.
pub(crate) enum Outcome {
    /// An event.
    Take(Box<Transaction>),
    /// No event.
    Ignore {
        /// What the file calls the record.
        what: String,
        /// Why it is none.
        reason: &'static str,
    },
}

impl Outcome {
    /// No event, for this reason.
    pub(crate) fn ignore(what: &str, reason: &'static str) -> Self {
        Self::Ignore { what: crate::gather::clip(what, 60), reason }
    }
}

/// Whether the head of a text is JSON that has all of these names of fields.
pub(crate) fn has_fields(head: &str, names: &[&str]) -> bool {
    head.trim_start().starts_with(['{', '['])
        && names.iter().all(|name| {
            head.match_indices(name).any(|(at, _)| {
                let (before, after) = (&head[..at], &head[at + name.len()..]);
                before.ends_with('"') && after.strip_prefix('"').is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
        })
}

/// The records of a text: the elements of each array that is a value of the text, or stands in it under one of these
/// names. An object without such an array is a record itself.
fn records<'a>(document: &Document<'a>, roots: Vec<Value<'a>>, lists: &[&str]) -> Result<Vec<Value<'a>>, Error> {
    let mut records = Vec::new();
    for root in roots {
        let list = match root.fields() {
            None => root,
            Some(fields) => match lists.iter().find_map(|name| field(&fields, name)) {
                Some(list) => list,
                None => {
                    records.push(root);
                    continue;
                }
            },
        };
        let elements = list.elements();
        records.extend(elements.ok_or_else(|| document.malformed(list, "a list of records is expected here"))?);
    }
    Ok(records)
}

/// Reads every record of a text of one value, or of several after another.
///
/// # Errors
/// [`Error::Malformed`] for what is not JSON or has no list of records; [`Error::OverLimit`].
pub(crate) fn read_records(
    format: &'static str,
    text: &str,
    options: &ReadOptions<'_>,
    lists: &[&str],
    mut read: impl FnMut(&Fields<'_>, u32, &mut Gathering) -> Result<Outcome, Fault>,
) -> Result<Statement, Error> {
    let (document, roots) = Document::parse_all(text)?;
    options.check_time()?;
    let mut gathering = Gathering::with(format, options);
    for (done, value) in records(&document, roots, lists)?.into_iter().enumerate() {
        options.check(done + 1)?;
        let row = document.row(value);
        let outcome = match value.fields() {
            Some(fields) => read(&fields, row, &mut gathering),
            None => Err(Fault::new("record", value.json(), "is no object with named fields")),
        };
        match outcome {
            Ok(Outcome::Take(transaction)) => gathering.accept(*transaction)?,
            Ok(Outcome::Ignore { what, reason }) => gathering.ignore(row, &what, reason)?,
            Err(fault) => gathering.quarantine(fault.into_note(row))?,
        }
    }
    Ok(gathering.finish())
}
