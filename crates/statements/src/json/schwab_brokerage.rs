//! Charles Schwab's brokerage transactions in JSON: the records of the CSV export, each with the names of its columns.

use std::borrow::Cow;

use super::has_fields;
use super::value::{Document, field, words};
use crate::dialect::{self, book_named};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, clip};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Error, Statement};

/// Schwab's transactions in JSON.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "schwab-transactions-json",
        title: "Charles Schwab, transactions (JSON)",
        extensions: &["json"],
        example: "{\"FromDate\": \"…\", \"ToDate\": \"…\", \"BrokerageTransactions\": [{\"Date\": …",
    },
    recognise: |sniff: &Sniff<'_>| match has_fields(sniff.head, &[LIST]) {
        true => Confidence::Sure,
        false => Confidence::No,
    },
    read,
};

const LIST: &str = "BrokerageTransactions";
const COLUMNS: [&str; 8] = ["Date", "Action", "Symbol", "Description", "Quantity", "Price", "Fees & Comm", "Amount"];
/// Fields of Schwab's own that say nothing more.
const SILENT: [&str; 4] = ["ItemIssueId", "AcctgRuleCd", "AcctgRuleCode", "SecurityId"];

fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let (document, roots) = Document::parse_all(text.as_str())?;
    options.check_time()?;
    let mut gathering = Gathering::with(FORMAT.info.id, options);
    let names: Vec<Cow<'_, str>> = COLUMNS.iter().map(|name| Cow::Borrowed(*name)).collect();
    let mut done = 0;
    for root in roots {
        let fields = root
            .fields()
            .ok_or_else(|| document.malformed(root, "an object with BrokerageTransactions is expected"))?;
        let list = field(&fields, LIST).ok_or_else(|| document.malformed(root, "BrokerageTransactions is missing"))?;
        let elements = list.elements().ok_or_else(|| document.malformed(list, "BrokerageTransactions is no list"))?;
        for value in elements {
            done += 1;
            options.check(done)?;
            let row = document.row(value);
            let Some(fields) = value.fields() else {
                gathering.quarantine(
                    Fault::new(LIST, value.json(), "holds something that is no transaction").into_note(row),
                )?;
                continue;
            };
            for (name, _) in fields.iter().filter(|(name, _)| !COLUMNS.contains(&name.as_str())) {
                if !SILENT.contains(&name.as_str()) {
                    let short = clip(name, 60);
                    let text = format!("Transactions have a field {short:?} that is not known.");
                    gathering.ask(&format!("unknown-field:{short}"), &text, "leave it out", row);
                }
            }
            let cells: Vec<Cow<'_, str>> =
                COLUMNS.iter().map(|name| Cow::Owned(words(&fields, name).unwrap_or_default())).collect();
            book_named(&dialect::schwab::DIALECT, &names, &cells, row, &mut gathering)?;
        }
    }
    Ok(gathering.finish())
}
