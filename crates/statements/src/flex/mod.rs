//! Interactive Brokers' Flex reports in XML, and in CSV ([`csv`]).
//!
//! A row is a record of a section that tells events. Where a report shows one trade at several levels of detail,
//! executions are read and the rest is ignored, with the reason; a report with orders alone is read by orders.

mod cash;
mod corporate;
pub(crate) mod csv;
mod record;
mod sections;
mod trades;
mod xml;

use std::collections::BTreeMap;

use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, clip};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Error, Position, Statement, Transaction};
use record::Record;
use sections::{Treatment, treatment};
use xml::{FlexStatement, Node, Section};

/// Flex reports in XML.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "ibkr-flex-xml",
        title: "Interactive Brokers, Flex query (XML)",
        extensions: &["xml"],
        example: "<FlexQueryResponse queryName=\"…\" type=\"AF\">",
    },
    recognise: |sniff: &Sniff<'_>| {
        let marks = ["<FlexQueryResponse", "<FlexStatementResponse"];
        if marks.iter().any(|mark| sniff.head.contains(mark)) { Confidence::Sure } else { Confidence::No }
    },
    read,
};

/// Reads every account of the report. Refused is what is not well-formed, and an answer that is no report.
fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let report = xml::parse(text.as_str(), options)?;
    if report.statements.is_empty() {
        return Err(Error::Unrecognised {
            hint: match &report.error_code {
                Some(code) => {
                    format!("Interactive Brokers answered with error {code} instead of a report; run the query again")
                }
                None => format!(
                    "<{}> holds no FlexStatement; run the Flex query and save its result",
                    clip(report.root, 60)
                ),
            },
        });
    }
    options.check_time()?;
    read_sections(FORMAT.info.id, &report.statements, options)
}

/// Reads the sections of every account.
fn read_sections(
    format: &'static str,
    statements: &[FlexStatement<'_>],
    options: &ReadOptions<'_>,
) -> Result<Statement, Error> {
    let account = |statement: &FlexStatement<'_>| statement.node.get("accountId").unwrap_or("default").to_owned();
    let mut gathering = Gathering::with(format, options);
    for statement in statements {
        let account = account(statement);
        let tells_events = statement.sections.iter().any(|section| {
            matches!(treatment(section.node.name), Treatment::Trades | Treatment::Cash) && !section.records.is_empty()
        });
        for section in &statement.sections {
            let records = || section.records.iter().map(|node| Record::new(node, &account));
            read_section(section, records, tells_events, &mut gathering)?;
        }
    }
    Ok(gathering.finish())
}

fn read_section<'r, 'a: 'r, I: Iterator<Item = Record<'r, 'a>>>(
    section: &'r Section<'a>,
    records: impl Fn() -> I,
    tells_events: bool,
    gathering: &mut Gathering,
) -> Result<(), Error> {
    match treatment(section.node.name) {
        Treatment::NotRecords => Ok(()),
        Treatment::Positions => {
            positions(records(), gathering);
            Ok(())
        }
        Treatment::Trades => {
            let closed = trades::closed_lots(records(), gathering);
            each_at_level(records(), section, gathering, |record, gathering| {
                let mut trade = trades::trade(record, gathering)?;
                if let Some(lots) = closed.get(&trades::place(record)) {
                    trade.lots.clone_from(lots);
                }
                Ok(trade)
            })
        }
        Treatment::Cash => each_at_level(records(), section, gathering, cash::cash),
        Treatment::CorporateActions => {
            let mut legs: BTreeMap<_, usize> = BTreeMap::new();
            for record in records().filter(|record| record.get("levelOfDetail") != Some("SUMMARY")) {
                *legs.entry(corporate::action_key(record)).or_default() += 1;
            }
            each_at_level(records(), section, gathering, |record, gathering| {
                let legs = legs.get(&corporate::action_key(record)).copied().unwrap_or(1);
                corporate::corporate_action(record, legs, gathering)
            })
        }
        Treatment::Transfers => {
            for record in records() {
                if record.node.name == "Transfer" {
                    settle(record, trades::transfer(record, gathering), gathering)?;
                } else {
                    gathering.ignore(record.row(), record.node.name, "a part of a transfer that stands beside it")?;
                }
            }
            Ok(())
        }
        Treatment::Pending => {
            for record in records() {
                gathering.ignore(record.row(), record.node.name, "not booked yet")?;
            }
            Ok(())
        }
        Treatment::Repeats if tells_events => {
            for record in records() {
                let reason = "repeats what the trades and cash transactions of the report say";
                gathering.ignore(record.row(), record.node.name, reason)?;
            }
            Ok(())
        }
        Treatment::Repeats => {
            for record in records() {
                let reason = "cannot be read alone; add the sections Trades and Cash Transactions to the Flex query";
                settle(record, Err(of_section(section, reason)), gathering)?;
            }
            Ok(())
        }
        Treatment::Unknown => {
            let name = clip(section.node.name, 60);
            let text = format!("The report has a section {name}, which is not known. Does it tell events?");
            let alone = std::slice::from_ref(&section.node);
            let nodes = if section.records.is_empty() && !section.node.attributes.is_empty() {
                alone
            } else {
                &section.records
            };
            for node in nodes {
                gathering.ask(&format!("unknown-section:{name}"), &text, "leave it out", node.row);
                let fault = of_section(section, "is not a section that is read");
                gathering.quarantine(fault.into_note(node.row))?;
            }
            Ok(())
        }
    }
}

fn of_section(section: &Section<'_>, reason: &str) -> Fault {
    Fault { column: clip(section.node.name, 60), value: None, reason: reason.to_owned() }
}

/// The level of detail of a record, told by its attribute or its name.
fn level<'r>(node: &'r Node<'_>) -> &'r str {
    match (node.get("levelOfDetail"), node.name) {
        (Some(level), _) => level,
        (None, "Order") => "ORDER",
        (None, "Lot") => "CLOSED_LOT",
        (None, "SymbolSummary") => "SYMBOL_SUMMARY",
        (None, "AssetSummary") => "ASSET_SUMMARY",
        (None, "WashSale") => "WASH_SALE",
        (None, _) => "EXECUTION",
    }
}

/// Reads the records of the finest level that tells events, and sets the others aside.
fn each_at_level<'r, 'a: 'r>(
    records: impl Iterator<Item = Record<'r, 'a>>,
    section: &Section<'_>,
    gathering: &mut Gathering,
    mut read: impl FnMut(Record<'_, '_>, &mut Gathering) -> Result<Transaction, Fault>,
) -> Result<(), Error> {
    let finest = ["EXECUTION", "DETAIL", "ORDER"]
        .into_iter()
        .find(|wanted| section.records.iter().any(|node| level(node) == *wanted));
    for record in records {
        let level = level(record.node);
        match (level, finest) {
            // One report may name the level of some records and not of others.
            ("EXECUTION" | "DETAIL", Some("EXECUTION" | "DETAIL")) | ("ORDER", Some("ORDER")) => {
                settle(record, read(record, gathering), gathering)?;
            }
            ("WASH_SALE", _) => {
                gathering.ignore(
                    record.row(),
                    record.node.name,
                    "the broker's own wash-sale note; Lotwise finds them itself",
                )?;
            }
            (_, Some(finest)) => {
                let reason = format!("shown again at the level {}; the level {finest} is read", clip(level, 40));
                gathering.ignore(record.row(), record.node.name, &reason)?;
            }
            (_, None) => {
                let reason = "is not a level that tells single events; select executions in the Flex query";
                settle(record, Err(Fault::new("levelOfDetail", level, reason)), gathering)?;
            }
        }
    }
    Ok(())
}

fn settle(record: Record<'_, '_>, result: Result<Transaction, Fault>, gathering: &mut Gathering) -> Result<(), Error> {
    match result {
        Ok(transaction) => gathering.accept(transaction),
        Err(fault) => gathering.quarantine(fault.into_note(record.row())),
    }
}

/// The holdings that the report states, by lot only where there is no sum.
fn positions<'r, 'a: 'r>(records: impl Iterator<Item = Record<'r, 'a>>, gathering: &mut Gathering) {
    let records: Vec<Record<'_, '_>> = records.collect();
    let is_lot = |record: &Record<'_, '_>| record.get("levelOfDetail") == Some("LOT");
    let sums = records.iter().any(|record| !is_lot(record));
    for record in records.into_iter().filter(|record| !(sums && is_lot(record))) {
        let read = || -> Result<_, Fault> {
            let shares = record.required_shares(&["position", "quantity"])?;
            Ok((shares, record.price(&["markPrice"])?, record.date(&["reportDate"])?))
        };
        match read() {
            Ok((shares, price, as_of)) => {
                let symbol = record.symbol(gathering);
                let account = record.account().to_owned();
                let cusip = record.security_id();
                gathering.hold(Position { account, symbol, cusip, shares, price, as_of, row: record.row() });
            }
            Err(fault) => {
                let text = format!("A holding that the file states cannot be read: {} {}.", fault.column, fault.reason);
                gathering.ask("unreadable-holding", &text, "leave it out", record.row());
            }
        }
    }
}
