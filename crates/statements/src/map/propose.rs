//! Proposes a column map from the header and the first rows of a table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::dates::DatePattern;
use super::normal;
use crate::cell;
use crate::records::{Records, delimiter};
use crate::text::Text;
use crate::{Action, Error};

/// Rows that are looked at.
const SAMPLE: usize = 2000;
/// Most words of the action column that a proposal lists.
const MOST_WORDS: usize = 60;

/// Roles with the names that columns are known by, the surest first.
const NAMES: [(&str, &[&str]); 16] = [
    (
        "date",
        &[
            "trade date",
            "date",
            "transaction date",
            "run date",
            "datum",
            "time",
            "date/time",
            "executed at",
            "activity date",
            "fecha",
            "data",
        ],
    ),
    ("settle_date", &["settlement date", "settle date", "settledate", "value date", "valuta"]),
    (
        "action",
        &[
            "action",
            "type",
            "transaction type",
            "activity type",
            "activity",
            "typ",
            "side",
            "transaction",
            "kind",
            "operation",
        ],
    ),
    ("symbol", &["symbol", "ticker", "ticker symbol", "instrument", "security id", "asset"]),
    ("cusip", &["cusip", "isin", "wkn"]),
    ("name", &["security name", "security", "name", "company", "wertpapiername", "wertpapier", "investment name"]),
    ("description", &["description", "note", "notes", "memo", "details", "notiz", "comment"]),
    ("shares", &["quantity", "shares", "units", "qty", "no. of shares", "stück", "anzahl", "filled"]),
    (
        "price",
        &["price", "unit price", "price per share", "price / share", "avg price", "quote", "kurs", "share price"],
    ),
    (
        "amount",
        &[
            "net amount",
            "amount",
            "total",
            "value",
            "total amount",
            "net cash",
            "proceeds",
            "wert",
            "betrag",
            "principal amount",
        ],
    ),
    (
        "fees",
        &["fees", "fee", "commission", "commission & fees", "fees & comm", "commissions", "gebühren", "brokerage"],
    ),
    ("taxes", &["taxes", "tax", "steuern", "withholding tax"]),
    ("currency", &["currency", "currency code", "transaction currency", "währung", "buchungswährung"]),
    ("account", &["account", "account number", "account name", "konto", "depot", "portfolio"]),
    ("id", &["transaction id", "id", "reference", "order id", "trade id", "transaction number"]),
    ("split_ratio", &["split ratio", "ratio"]),
];

/// Words of action columns, the first that a word begins with deciding.
const WORDS: [(&str, &[&str]); 18] = [
    ("reinvest", &["reinvest shares", "reinvest", "drip"]),
    ("option_open", &["buy to open", "sell to open"]),
    ("option_close", &["buy to close", "sell to close"]),
    ("buy", &["buy", "bought", "purchase", "kauf", "market buy", "limit buy", "b"]),
    ("sell", &["sell", "sold", "sale", "verkauf", "market sell", "limit sell", "s"]),
    ("capital_gain_distribution", &["capital gain", "long term capital gain", "short term capital gain", "cap gain"]),
    ("return_of_capital", &["return of capital"]),
    ("dividend", &["dividend", "div", "qualified dividend", "cash dividend", "dividende"]),
    ("interest", &["interest", "zinsen", "credit interest", "int"]),
    ("tax_withheld", &["tax", "withholding", "nra tax", "foreign tax", "steuern"]),
    ("fee", &["fee", "service fee", "gebühren", "adr"]),
    ("deposit", &["deposit", "contribution", "einlage", "cash in", "funds received"]),
    ("withdrawal", &["withdrawal", "entnahme", "cash out", "disbursement"]),
    ("transfer_in", &["transfer in", "transfer (inbound)", "umbuchung (eingang)", "einlieferung"]),
    ("transfer_out", &["transfer out", "transfer (outbound)", "umbuchung (ausgang)", "auslieferung"]),
    ("transfer", &["transfer", "journal", "acat"]),
    ("split", &["split", "stock split"]),
    ("spinoff", &["spin-off", "spinoff", "spin off"]),
];

const PATTERNS: [&str; 14] = [
    "YYYY-MM-DD",
    "YYYYMMDD",
    "YYYY/MM/DD",
    "MM/DD/YYYY",
    "M/D/YYYY",
    "DD.MM.YYYY",
    "D.M.YYYY",
    "DD/MM/YYYY",
    "D/M/YYYY",
    "MM/DD/YY",
    "M/D/YY",
    "MMM D, YYYY",
    "D MMM YYYY",
    "DD-MMM-YYYY",
];

/// A column map for a table that no format knows, as TOML for a person to check and complete.
///
/// # Errors
/// When the bytes are no text, or hold no table with a header.
pub fn propose_map(bytes: &[u8]) -> Result<String, Error> {
    let text = Text::decode(bytes)?;
    let table = Table::find(text.as_str())?;
    let mut map = String::from(
        "# A column map for lotwise, proposed from the header. Check every line: what is wrong here is read wrong.\n\
         # Use it with: lotwise import --map THIS_FILE TABLE\n\n[file]\n",
    );
    let delimiter = if table.delimiter == b'\t' { "\\t".to_owned() } else { char::from(table.delimiter).to_string() };
    let mut line = |text: String| {
        map.push_str(&text);
        map.push('\n');
    };
    line(format!("delimiter = \"{delimiter}\""));
    let comma = table.has_decimal_comma();
    line(format!("decimal = \"{}\"", if comma { "," } else { "." }));
    let dates = table.column("date").map(|place| table.cells(place)).unwrap_or_default();
    match pattern(&dates) {
        Some((pattern, true)) => line(format!("dates = {}", quoted(pattern))),
        Some((pattern, false)) => line(format!("dates = {} # check: no date tells days from months", quoted(pattern))),
        None => line("dates = \"YYYY-MM-DD\" # check: no pattern fits the dates of the table".to_owned()),
    }
    line("\n[columns]".to_owned());
    for (role, _) in NAMES {
        match table.column(role).and_then(|place| table.names.get(place)) {
            Some(name) => line(format!("{role} = {}", quoted(name))),
            None if matches!(role, "date" | "action" | "symbol" | "shares" | "amount") => {
                line(format!("# {role} = \"\" # no column was found for it"));
            }
            None => {}
        }
    }
    let left: Vec<&str> = table.unused().collect();
    if !left.is_empty() {
        line(format!("# not used: {}", left.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")));
    }
    line("\n[constants]".to_owned());
    if table.column("currency").is_none() {
        line("currency = \"USD\"".to_owned());
    }
    line("# account = \"My account\"".to_owned());
    line("\n[signs]".to_owned());
    let signed = table.has_negative_amount();
    line(format!("amount = \"{}\" # signed, unsigned or reversed", if signed { "signed" } else { "unsigned" }));
    line("amount_is = \"net\" # net (after fees) or before-fees".to_owned());
    line(format!(
        "fees = \"{}\" # cost-positive, cost-negative or absolute",
        if table.has_negative_fees() { "cost-negative" } else { "cost-positive" }
    ));
    line("\n[actions]".to_owned());
    actions(&table, &mut line);
    Ok(map)
}

fn actions(table: &Table, line: &mut dyn FnMut(String)) {
    let words: BTreeSet<String> = match table.column("action") {
        Some(place) => table.cells(place).into_iter().filter(|word| !word.is_empty()).collect(),
        None => BTreeSet::new(),
    };
    let mut known: Vec<(&str, Vec<String>)> = Vec::new();
    let mut unknown = Vec::new();
    for word in words.into_iter().take(MOST_WORDS) {
        let lower = normal(&word);
        let exact = WORDS.iter().find(|(_, names)| names.contains(&lower.as_str()));
        let begins = |name: &&&str| name.len() > 2 && lower.starts_with(**name);
        let found = exact.or_else(|| WORDS.iter().find(|(_, names)| names.iter().any(|name| begins(&name))));
        match found {
            Some((action, _)) => match known.iter_mut().find(|(name, _)| name == action) {
                Some((_, words)) => words.push(word),
                None => known.push((*action, vec![word])),
            },
            None => unknown.push(word),
        }
    }
    for (action, words) in known {
        line(format!("{action} = [{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")));
    }
    if !unknown.is_empty() {
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        line("# Give each of these words its action; while one has none, its rows are not read:".to_owned());
        line(format!("# {}", unknown.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")));
        line(format!("# Actions: {}; cash, transfer and trade go by sign;", names.join(", ")));
        line("# leave_out leaves rows out. A * before or behind a word stands for any text.".to_owned());
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars().take(120) {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The pattern that reads all dates, and whether no other reads them as well but differently.
fn pattern(dates: &[String]) -> Option<(&'static str, bool)> {
    let dates: Vec<&String> = dates.iter().filter(|text| !text.is_empty()).collect();
    let reads = |pattern: &str| -> Option<Vec<lotwise_core::Date>> {
        let pattern = DatePattern::parse(pattern).ok()?;
        dates.iter().map(|text| pattern.read(text)).collect()
    };
    let mut found =
        PATTERNS.iter().filter(|_| !dates.is_empty()).filter_map(|pattern| Some((*pattern, reads(pattern)?)));
    let (first, read) = found.next()?;
    Some((first, found.all(|(_, other)| other == read)))
}

/// The header and the first rows.
struct Table {
    delimiter: u8,
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Takes the record with the most known names for the header.
    fn find(text: &str) -> Result<Self, Error> {
        let delimiter = delimiter(text);
        let mut records = Records::new(text, delimiter);
        let mut all: Vec<Vec<String>> = Vec::new();
        while all.len() < SAMPLE && records.advance()? {
            all.push(records.cells.iter().map(|cell| cell.clone().into_owned()).collect());
        }
        let known = |cells: &Vec<String>| {
            let is_known = |cell: &&String| NAMES.iter().any(|(_, names)| names.contains(&normal(cell).as_str()));
            cells.iter().filter(is_known).count()
        };
        let best = (0..all.len().min(100)).rev().max_by_key(|&at| all.get(at).map_or(0, known));
        match best.filter(|&at| all.get(at).map_or(0, known) >= 2) {
            Some(at) => {
                let rows = all.split_off(at + 1);
                let names = all.pop().unwrap_or_default();
                Ok(Self { delimiter, names, rows })
            }
            None => Err(Error::Unrecognised {
                hint: "no line looks like the header of a table of transactions, so no column map can be proposed"
                    .to_owned(),
            }),
        }
    }

    /// The column of a role; a column that an earlier role took is not taken again.
    fn column(&self, role: &str) -> Option<usize> {
        let mut taken = BTreeSet::new();
        for (name, known) in NAMES {
            let place = known.iter().find_map(|known| {
                self.names
                    .iter()
                    .enumerate()
                    .position(|(place, name)| !taken.contains(&place) && normal(name) == *known)
            });
            if name == role {
                return place;
            }
            taken.extend(place);
        }
        None
    }

    fn unused(&self) -> impl Iterator<Item = &str> {
        let used: BTreeSet<usize> = NAMES.iter().filter_map(|(role, _)| self.column(role)).collect();
        self.names.iter().enumerate().filter(move |(place, _)| !used.contains(place)).map(|(_, name)| name.as_str())
    }

    fn cells(&self, place: usize) -> Vec<String> {
        self.rows.iter().filter_map(|row| row.get(place).cloned()).collect()
    }

    fn numbers(&self, role: &str) -> Vec<String> {
        let cells = self.column(role).map(|place| self.cells(place)).unwrap_or_default();
        cells.into_iter().filter(|text| !cell::is_nothing(text)).collect()
    }

    fn has_decimal_comma(&self) -> bool {
        let decimal = |text: &String| {
            let behind = text.rsplit_once(',').map(|(_, rest)| rest.chars().filter(char::is_ascii_digit).count());
            behind.is_some_and(|places| places != 3) && text.rfind('.').is_none_or(|at| text.rfind(',') > Some(at))
        };
        ["amount", "price", "shares"].iter().any(|role| self.numbers(role).iter().any(decimal))
    }

    fn has_negative_amount(&self) -> bool {
        self.numbers("amount").iter().any(|text| text.contains(['-', '−', '(']))
    }

    fn has_negative_fees(&self) -> bool {
        let fees = self.numbers("fees");
        fees.iter().any(|text| text.contains(['-', '−', '(']))
            && !fees.iter().any(|text| text.starts_with(|first: char| matches!(first, '1'..='9')))
    }
}
