//! Flex reports in CSV: the records of the XML report as tables, one below its header for each section.
//!
//! Sections come bare, one header after the other, or between markers (`BOS`, `HEADER`, `DATA`, `EOS`) with a code for the
//! section. Every column becomes the attribute of the same record in XML, so that both are read by the same code. A bare
//! section is told by its columns.

use std::borrow::Cow;

use super::read_sections;
use super::xml::{FlexStatement, Node, Section};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::read::ReadOptions;
use crate::records::{Records, delimiter};
use crate::text::Text;
use crate::{Error, Statement};

/// Flex reports in CSV.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "ibkr-flex-csv",
        title: "Interactive Brokers, Flex query (CSV)",
        extensions: &["csv"],
        example: "\"ClientAccountID\",\"CurrencyPrimary\",\"AssetClass\",\"Symbol\",…,\"TradeDate\",\"Quantity\",…",
    },
    recognise,
    read,
};

/// Records in which the first header is looked for.
const HEADER_WITHIN: usize = 50;

/// Columns whose names in CSV are not those of the attributes in XML, apart from case.
const RENAMED: [(&str, &str); 20] = [
    ("clientaccountid", "accountId"),
    ("currencyprimary", "currency"),
    ("assetclass", "assetCategory"),
    ("buy/sell", "buySell"),
    ("put/call", "putCall"),
    ("open/closeindicator", "openCloseIndicator"),
    ("notes/codes", "notes"),
    ("code", "code"),
    ("date/time", "dateTime"),
    ("datetime", "dateTime"),
    ("settledatetarget", "settleDateTarget"),
    ("settledate", "settleDate"),
    ("ibcommission", "ibCommission"),
    ("ibcommissioncurrency", "ibCommissionCurrency"),
    ("ibexecid", "ibExecID"),
    ("actiondescription", "description"),
    ("markprice", "markPrice"),
    ("levelofdetail", "levelOfDetail"),
    ("activitydescription", "activityDescription"),
    ("tradeid", "tradeID"),
];

/// Attributes whose columns differ in case alone.
const SAME: [&str; 44] = [
    "accountId",
    "acctAlias",
    "actionID",
    "amount",
    "assetCategory",
    "cashTransfer",
    "commission",
    "commissionCurrency",
    "conid",
    "cost",
    "currency",
    "cusip",
    "date",
    "description",
    "direction",
    "expiry",
    "fifoPnlRealized",
    "holdingPeriodDateTime",
    "isin",
    "listingExchange",
    "multiplier",
    "netCash",
    "openDateTime",
    "position",
    "price",
    "proceeds",
    "quantity",
    "reportDate",
    "securityID",
    "securityIDType",
    "strike",
    "subCategory",
    "symbol",
    "tax",
    "taxes",
    "tradeDate",
    "tradeMoney",
    "tradePrice",
    "transactionID",
    "transactionType",
    "transferPrice",
    "type",
    "underlyingSymbol",
    "value",
];

/// Columns that stand in no row of data, so that a record with one of them is a header.
const MARKS: [&str; 8] = [
    "clientaccountid",
    "currencyprimary",
    "buy/sell",
    "ibcommission",
    "settledate",
    "tradedate",
    "assetclass",
    "levelofdetail",
];

/// Codes of sections between markers, and the names that the XML report has for them.
const CODES: [(&str, &str); 26] = [
    ("TRNT", "Trades"),
    ("TCNF", "TradeConfirms"),
    ("CTRN", "CashTransactions"),
    ("CORP", "CorporateActions"),
    ("TRFR", "Transfers"),
    ("POST", "OpenPositions"),
    ("ACCT", "AccountInformation"),
    ("CNAV", "ChangeInNAV"),
    ("EQUT", "EquitySummaryInBase"),
    ("CRTT", "CashReport"),
    ("SECU", "SecuritiesInfo"),
    ("RATE", "ConversionRates"),
    ("MTMP", "MTMPerformanceSummaryInBase"),
    ("FIFO", "FIFOPerformanceSummaryInBase"),
    ("MYTD", "MTDYTDPerformanceSummary"),
    ("STFU", "StmtFunds"),
    ("OPTT", "OptionEAE"),
    ("FXTR", "FxTransactions"),
    ("FXPO", "FxPositions"),
    ("FXLT", "FxLots"),
    ("DIVA", "ChangeInDividendAccruals"),
    ("OPDA", "OpenDividendAccruals"),
    ("TIER", "TierInterestDetails"),
    ("INTA", "InterestAccruals"),
    ("UBTR", "UnbookedTrades"),
    ("NSPO", "NetStockPositionSummary"),
];

fn recognise(sniff: &Sniff<'_>) -> Confidence {
    let mut records = Records::new(sniff.head, delimiter(sniff.head));
    for _ in 0..HEADER_WITHIN {
        match records.advance() {
            Ok(true) => {}
            _ => return Confidence::No,
        }
        let cells = after_marker(&records.cells).1;
        if is_header(cells) && section_of(&attributes(cells)).is_some() {
            return Confidence::Sure;
        }
    }
    Confidence::No
}

/// Reads every section of the file. A record of no section is quarantined with its place.
fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let content = text.as_str();
    let mut records = Records::new(content, delimiter(content));
    let mut statement = FlexStatement { node: Node::default(), sections: Vec::new() };
    let mut names: Vec<Option<&'static str>> = Vec::new();
    let mut count = 0;
    while records.advance()? {
        if records.is_blank() {
            continue;
        }
        options.check_columns(records.cells.len())?;
        count += 1;
        options.check(count)?;
        let cells = std::mem::take(&mut records.cells);
        let (marker, cells) = after_marker(&cells);
        if matches!(marker, Some(Marker::Frame)) {
            continue;
        }
        if is_header(cells) || matches!(marker, Some(Marker::Header(_))) {
            names = attributes(cells);
            let coded = match marker {
                Some(Marker::Header(code)) => CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name),
                _ => None,
            };
            let name = coded.or_else(|| section_of(&names)).unwrap_or("UnknownSection");
            let node = Node { name, attributes: Vec::new(), row: records.line };
            statement.sections.push(Section { node, records: Vec::new() });
            continue;
        }
        let node = Node { name: "Record", attributes: fields(&names, cells), row: records.line };
        match statement.sections.last_mut() {
            Some(section) => section.records.push(Node { name: record_name(section.node.name), ..node }),
            None => {
                let orphan = Node { name: "RecordAboveTheHeader", attributes: Vec::new(), row: records.line };
                statement.sections.push(Section { node: orphan, records: vec![node] });
            }
        }
    }
    options.check_time()?;
    read_sections(FORMAT.info.id, std::slice::from_ref(&statement), options)
}

/// What the first cells of a record say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker<'c> {
    /// Beginning or end of a file, an account or a section, or a message.
    Frame,
    /// The header of the section with this code.
    Header(&'c str),
    /// A record.
    Data,
}

/// The marker of a record and the cells behind it.
fn after_marker<'c, 'a>(cells: &'c [Cow<'a, str>]) -> (Option<Marker<'c>>, &'c [Cow<'a, str>]) {
    match cells.first().map(|cell| cell.as_ref()) {
        Some("BOF" | "EOF" | "BOA" | "EOA" | "BOS" | "EOS" | "MSG") => (Some(Marker::Frame), &[]),
        Some("HEADER") => {
            (Some(Marker::Header(cells.get(1).map_or("", |cell| cell.as_ref()))), cells.get(2..).unwrap_or_default())
        }
        Some("DATA") => (Some(Marker::Data), cells.get(2..).unwrap_or_default()),
        _ => (None, cells),
    }
}

fn is_header(cells: &[Cow<'_, str>]) -> bool {
    cells.iter().any(|cell| MARKS.iter().any(|mark| cell.eq_ignore_ascii_case(mark)))
}

/// The attribute of each column; `None` for columns that no record needs.
fn attributes(cells: &[Cow<'_, str>]) -> Vec<Option<&'static str>> {
    let attribute = |cell: &Cow<'_, str>| {
        let renamed = RENAMED.iter().find(|(name, _)| cell.eq_ignore_ascii_case(name)).map(|(_, attribute)| *attribute);
        renamed.or_else(|| SAME.iter().copied().find(|name| cell.eq_ignore_ascii_case(name)))
    };
    cells.iter().map(attribute).collect()
}

/// The section that has these columns.
fn section_of(names: &[Option<&'static str>]) -> Option<&'static str> {
    let has = |wanted: &str| names.iter().flatten().any(|name| *name == wanted);
    let any = |wanted: &[&str]| wanted.iter().any(|name| has(name));
    if has("buySell") && has("quantity") && any(&["tradeDate", "dateTime"]) {
        return Some("Trades");
    }
    if has("direction") && any(&["cashTransfer", "transferPrice"]) {
        return Some("Transfers");
    }
    if any(&["position", "quantity"]) && has("markPrice") {
        return Some("OpenPositions");
    }
    if has("type") && has("quantity") && any(&["dateTime", "reportDate"]) && any(&["proceeds", "value", "actionID"]) {
        return Some("CorporateActions");
    }
    if has("type") && has("amount") && any(&["dateTime", "settleDate", "reportDate"]) {
        return Some("CashTransactions");
    }
    None
}

/// The name that a record of a section has in XML.
fn record_name(section: &str) -> &'static str {
    match section {
        "Trades" => "Trade",
        "TradeConfirms" => "TradeConfirm",
        "CashTransactions" => "CashTransaction",
        "CorporateActions" => "CorporateAction",
        "Transfers" => "Transfer",
        "OpenPositions" => "OpenPosition",
        _ => "Record",
    }
}

/// The filled cells under their attributes.
fn fields<'a>(names: &[Option<&'static str>], cells: &[Cow<'a, str>]) -> Vec<(&'a str, Cow<'a, str>)> {
    let mut fields: Vec<(&'a str, Cow<'a, str>)> = Vec::new();
    for (name, cell) in names.iter().zip(cells) {
        let Some(name) = name else { continue };
        let blank = cell.is_empty() || matches!(cell.as_ref(), "-" | "--");
        // Two columns may fill one attribute; the first that says something counts.
        if !blank && !fields.iter().any(|(known, _)| known == name) {
            fields.push((name, cell.clone()));
        }
    }
    fields
}
