//! OFX and QFX investment statements: SGML (1.x) and XML (2.x) by one tolerant reader.
//!
//! A row is a child of `INVTRANLIST`. Open orders and balances are no rows; records of bank and card accounts in
//! the same file are ignored by name.

mod investment;
mod record;
mod securities;
mod tokens;
mod tree;
mod values;

use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Gathering, clip};
use crate::lines::Lines;
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Error, Position, Statement};
use investment::{Account, holding};
use record::Record;
use securities::Securities;
use tree::Element;

/// OFX and QFX.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "ofx-investment",
        title: "OFX or QFX investment statement, versions 1 and 2",
        extensions: &["ofx", "qfx"],
        example: "OFXHEADER:100 or <?OFX OFXHEADER=\"200\"?>, then <OFX>",
    },
    recognise: |sniff: &Sniff<'_>| match start_of_ofx(sniff.head) {
        Some(_) => Confidence::Sure,
        None => Confidence::No,
    },
    read,
};

/// How far into the text the first tag is looked for.
const HEADER_BYTES: usize = 8 * 1024;

/// Bank and credit-card messages, which are other accounts.
const BANK_MESSAGES: [&str; 2] = ["BANKMSGSRSV1", "CREDITCARDMSGSRSV1"];

/// Byte of `<OFX>`, behind the header; a file that starts with the tag has no header and is accepted.
fn start_of_ofx(text: &str) -> Option<usize> {
    let mut end = text.len().min(HEADER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text[..end].to_ascii_uppercase();
    // The instruction of version 2 starts with `<?OFX`; the element may carry attributes.
    let after = |at: usize| head.as_bytes().get(at + "<OFX".len());
    let is_tag = |at: usize| matches!(after(at), Some(b'>' | b' ' | b'\t' | b'\r' | b'\n'));
    let at = head.match_indices("<OFX").map(|(at, _)| at).find(|&at| is_tag(at))?;
    let before = head[..at].trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    (before.is_empty() || before.contains("OFXHEADER") || before.starts_with("<?XML")).then_some(at)
}

/// Reads every investment account of the text.
///
/// Refused are tags that do not nest, a file that was cut off, a compressed body, a document type declaration,
/// and a file without investments.
fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let text = text.as_str();
    let lines = Lines::new(text);
    let malformed = |offset: usize, reason: String| {
        let (line, column) = lines.place(offset);
        Error::Malformed { line, column, reason }
    };
    let start = start_of_ofx(text).unwrap_or(0);
    if let Some(at) = text[..start].find("COMPRESSION:")
        && !text[at..start].starts_with("COMPRESSION:NONE")
    {
        return Err(malformed(at, "the body is compressed; download the file without compression".to_owned()));
    }
    let roots = tree::parse(text, start).map_err(|fault| malformed(fault.offset, fault.reason))?;
    let mut securities = Securities::default();
    let mut statements = Vec::new();
    for root in &roots {
        securities.collect(root);
        find_all(root, "INVSTMTRS", &mut statements);
    }
    if statements.is_empty() {
        return Err(Error::Unrecognised { hint: without_investments(&roots) });
    }
    let mut gathering = Gathering::with(FORMAT.info.id, options);
    for statement in statements {
        options.check_time()?;
        read_account(statement, &securities, &lines, &mut gathering)?;
    }
    for root in &roots {
        for messages in BANK_MESSAGES.iter().flat_map(|name| root.all(name)) {
            let mut records = Vec::new();
            find_all(messages, "STMTTRN", &mut records);
            for record in records {
                let reason = "belongs to a bank or card account, and only investment accounts are read";
                gathering.ignore(lines.line(record.offset), "STMTTRN", reason)?;
            }
        }
    }
    Ok(gathering.finish())
}

fn read_account(
    statement: &Element<'_>,
    securities: &Securities,
    lines: &Lines<'_>,
    gathering: &mut Gathering,
) -> Result<(), Error> {
    let id = statement.child("INVACCTFROM").and_then(|from| from.value("ACCTID")).unwrap_or("default");
    let lists = || statement.all("INVTRANLIST").flat_map(|list| &list.children);
    // The list's own dates are its only leaves; every aggregate is a record.
    let records: Vec<Record<'_, '_>> =
        lists().filter(|child| !["DTSTART", "DTEND"].iter().any(|name| child.is(name))).map(Record::new).collect();
    let mut account = Account::new(id, statement.value("CURDEF"), securities, &records);
    for record in records {
        account.read(record, lines.line(record.whole.offset), gathering)?;
    }
    let as_of = statement.value("DTASOF").and_then(|text| values::date(text).ok());
    for held in statement.all("INVPOSLIST").flat_map(|list| &list.children) {
        let row = lines.line(held.offset);
        let Some(body) = held.child("INVPOS") else { continue };
        let record = Record::new(body);
        match holding(record) {
            Ok((shares, price)) => {
                let security = record.security_id().map(|id| securities.resolve(id, row, gathering));
                let security = security.unwrap_or_default();
                let price_date = body.value("DTPRICEASOF").and_then(|text| values::date(text).ok());
                gathering.hold(Position {
                    account: id.to_owned(),
                    symbol: security.symbol,
                    cusip: security.cusip,
                    shares,
                    price,
                    as_of: as_of.or(price_date),
                    row,
                });
            }
            Err(fault) => {
                let text = format!("A holding that the file states cannot be read: {} {}.", fault.column, fault.reason);
                gathering.ask("unreadable-holding", &text, "leave it out", row);
            }
        }
    }
    Ok(())
}

/// Collects the elements with this name, outermost first; what is inside one is not searched again.
fn find_all<'e, 'a>(element: &'e Element<'a>, name: &str, found: &mut Vec<&'e Element<'a>>) {
    for child in &element.children {
        if child.is(name) {
            found.push(child);
        } else {
            find_all(child, name, found);
        }
    }
}

/// Why a well-formed file holds nothing for us.
fn without_investments(roots: &[Element<'_>]) -> String {
    for root in roots {
        if let Some(status) = root.find("INVSTMTTRNRS").or(Some(root)).and_then(|part| part.find("STATUS"))
            && let Some(code) = status.value("CODE").filter(|code| *code != "0")
        {
            return format!(
                "the broker answered with error {} instead of a statement; download it again",
                clip(code, 12)
            );
        }
        if BANK_MESSAGES.iter().any(|name| root.child(name).is_some()) {
            return "an OFX file of a bank or card account; download the statement of the investment account"
                .to_owned();
        }
    }
    "an OFX file without an investment statement (INVSTMTRS); download the account's transactions".to_owned()
}
