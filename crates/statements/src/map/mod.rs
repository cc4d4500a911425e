//! Column maps: a person's own description of a table that no dialect knows, and the same for tables of programs.
//!
//! A map is TOML (`docs/formats.md`). Every column that it names must be in the header, every word of the action column
//! must be in its vocabulary, and nothing that it does not say is guessed.

mod dates;
mod propose;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::Action;
use crate::lines::Lines;
use dates::DatePattern;

pub use propose::propose_map;
pub(crate) use read::{Finish, header_matches, read};

/// Id of the format of tables that are read with a person's own map.
pub(crate) const FORMAT_ID: &str = "column-map";

/// Where a table keeps what. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap(Arc<Map>);

/// Why a text is no column map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct MapError {
    /// Line, counted from 1.
    pub line: u32,
    /// Character in the line, counted from 1.
    pub column: u32,
    /// What is wrong and what was expected.
    pub reason: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) delimiter: Option<u8>,
    /// `None` where the delimiter tells: a decimal comma goes with semicolons.
    pub(crate) decimal_comma: Option<bool>,
    /// Roles that a lenient map demands.
    pub(crate) required: Vec<String>,
    dates: Vec<DatePattern>,
    pub(crate) footers: Vec<String>,
    pub(crate) columns: Columns,
    pub(crate) constants: Constants,
    pub(crate) signs: Signs,
    words: Vec<(Pattern, Meant)>,
    /// Whether columns may be missing that no row can do with: so are those of a program's own tables.
    pub(crate) lenient: bool,
}

/// What rows of an action word become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    Do(Action),
    /// The first when cash or shares come in, the second when they go out.
    BySign(Action, Action),
    /// A purchase when shares come in or cash goes out, else a sale.
    Trade,
    LeaveOut,
}

/// Words of an action column: the whole text in any case, or a part of it where a `*` stands before or behind.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    text: String,
    any_before: bool,
    any_behind: bool,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let (text, any_before) = text.strip_prefix('*').map_or((text, false), |rest| (rest, true));
        let (text, any_behind) = text.strip_suffix('*').map_or((text, false), |rest| (rest, true));
        Self { text: normal(text), any_before, any_behind }
    }

    fn matches(&self, text: &str) -> bool {
        match (self.any_before, self.any_behind) {
            (false, false) => text == self.text,
            (false, true) => text.starts_with(&self.text),
            (true, false) => text.ends_with(&self.text),
            (true, true) => text.contains(&self.text),
        }
    }
}

/// Lower case with single blanks.
pub(crate) fn normal(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

impl Map {
    /// What this word of the action column means; exact words come before patterns.
    pub(crate) fn meaning(&self, word: &str) -> Option<Meant> {
        let word = normal(word);
        let exact = |pattern: &Pattern| !pattern.any_before && !pattern.any_behind;
        let found = self.words.iter().find(|(pattern, _)| exact(pattern) && pattern.matches(&word));
        found.or_else(|| self.words.iter().find(|(pattern, _)| pattern.matches(&word))).map(|(_, meant)| *meant)
    }
}

/// One name or several, the first that the header has counting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Texts {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Texts {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// Names of the columns.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Columns {
    pub(crate) date: Texts,
    pub(crate) settle_date: Texts,
    pub(crate) action: Texts,
    pub(crate) symbol: Texts,
    pub(crate) cusip: Texts,
    /// Name of the security, where there is no ticker.
    pub(crate) name: Texts,
    pub(crate) description: Texts,
    pub(crate) shares: Texts,
    pub(crate) price: Texts,
    pub(crate) amount: Texts,
    /// All of these that the header has.
    pub(crate) fees: Texts,
    /// Tax withheld inside the amount.
    pub(crate) taxes: Texts,
    pub(crate) currency: Texts,
    pub(crate) account: Texts,
    pub(crate) id: Texts,
    pub(crate) split_ratio: Texts,
}

impl Columns {
    /// Each role with its names.
    pub(crate) fn roles(&self) -> [(&'static str, &Texts); 16] {
        [
            ("date", &self.date),
            ("settle_date", &self.settle_date),
            ("action", &self.action),
            ("symbol", &self.symbol),
            ("cusip", &self.cusip),
            ("name", &self.name),
            ("description", &self.description),
            ("shares", &self.shares),
            ("price", &self.price),
            ("amount", &self.amount),
            ("fees", &self.fees),
            ("taxes", &self.taxes),
            ("currency", &self.currency),
            ("account", &self.account),
            ("id", &self.id),
            ("split_ratio", &self.split_ratio),
        ]
    }
}

/// What holds for every row where no column says it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Constants {
    pub(crate) account: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) symbol: Option<String>,
    pub(crate) action: Option<String>,
}

/// How amounts and fees are signed.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Signs {
    pub(crate) amount: AmountSign,
    pub(crate) amount_is: AmountIs,
    pub(crate) fees: FeesSign,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AmountSign {
    /// Negative when cash leaves.
    #[default]
    Signed,
    /// Without a sign: the action tells the direction.
    Unsigned,
    /// Positive when cash leaves.
    Reversed,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AmountIs {
    /// After fees.
    #[default]
    Net,
    /// Before fees.
    BeforeFees,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FeesSign {
    /// A cost is positive, a rebate negative.
    #[default]
    CostPositive,
    /// A cost is negative, a rebate positive.
    CostNegative,
    /// Every fee is a cost, however it is signed.
    Absolute,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileTable {
    delimiter: Option<String>,
    decimal: Option<String>,
    dates: Texts,
    footers: Vec<String>,
    required: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    #[serde(default)]
    file: FileTable,
    columns: Columns,
    #[serde(default)]
    constants: Constants,
    #[serde(default)]
    signs: Signs,
    #[serde(default)]
    actions: BTreeMap<String, Texts>,
}

impl ColumnMap {
    /// Reads a map.
    ///
    /// # Errors
    /// [`MapError`] with line and column, for what is no TOML, for keys and values that maps do not have, and for a map
    /// that cannot read any row.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        Map::parse(text, false).map(|map| Self(Arc::new(map)))
    }

    pub(crate) fn map(&self) -> &Map {
        &self.0
    }
}

impl Map {
    /// Reads a map; a lenient one names columns that the table may lack.
    pub(crate) fn parse(text: &str, lenient: bool) -> Result<Self, MapError> {
        let lines = Lines::new(text);
        let at = |offset: usize, reason: String| {
            let (line, column) = lines.place(offset);
            MapError { line, column, reason }
        };
        let file: MapFile = toml::from_str(text).map_err(|error| {
            at(error.span().map_or(0, |span| span.start), error.message().lines().collect::<Vec<_>>().join("; "))
        })?;
        // Values that the syntax lets through are looked for in the text, to say where they stand.
        let near = |value: &str, reason: String| at(text.find(value).unwrap_or(0), reason);
        let delimiter = match file.file.delimiter.as_deref() {
            None => None,
            Some("," | ";" | "\t" | "|") => file.file.delimiter.as_ref().and_then(|text| text.bytes().next()),
            Some(other) => {
                let reason = format!("{other:?} is no delimiter; use \",\", \";\", \"|\" or \"\\t\"");
                return Err(near("delimiter", reason));
            }
        };
        let decimal_comma = match file.file.decimal.as_deref() {
            None | Some(".") => Some(false),
            Some(",") => Some(true),
            Some("by-delimiter") => None,
            Some(other) => {
                return Err(near(
                    "decimal",
                    format!("{other:?} is no decimal sign; use \".\", \",\" or \"by-delimiter\""),
                ));
            }
        };
        let mut dates = Vec::new();
        for pattern in file.file.dates.all() {
            let read = DatePattern::parse(pattern);
            dates.push(read.map_err(|reason| near(pattern, format!("the date pattern {pattern:?} {reason}")))?);
        }
        if dates.is_empty() {
            dates.extend(DatePattern::parse("YYYY-MM-DD"));
        }
        let mut words = Vec::new();
        for (name, texts) in &file.actions {
            let meant = meant(name)
                .ok_or_else(|| near(name, format!("there is no action {name:?}; use {}", action_names())))?;
            words.extend(texts.all().iter().map(|text| (Pattern::new(text), meant)));
        }
        if file.columns.date.all().is_empty() {
            return Err(near("columns", "the map names no column for date".to_owned()));
        }
        if let Some(action) = &file.constants.action
            && meant(action).is_none()
        {
            return Err(near(action, format!("there is no action {action:?}; use {}", action_names())));
        }
        if file.columns.action.all().is_empty() && file.constants.action.is_none() {
            return Err(near("columns", "the map names neither a column nor a constant for action".to_owned()));
        }
        let has = |texts: &Texts| !texts.all().is_empty();
        let computes = has(&file.columns.shares) && has(&file.columns.price);
        if !has(&file.columns.amount) && !computes {
            return Err(near("columns", "the map names neither amount nor shares and price".to_owned()));
        }
        if let Some(currency) = &file.constants.currency
            && crate::facts::currency("currency", currency).is_err()
        {
            return Err(near(currency, format!("{currency:?} is not a currency code of three letters")));
        }
        Ok(Self {
            delimiter,
            decimal_comma,
            required: file.file.required,
            dates,
            footers: file.file.footers.iter().map(|words| normal(words)).collect(),
            columns: file.columns,
            constants: file.constants,
            signs: file.signs,
            words,
            lenient,
        })
    }
}

/// What a name of the `[actions]` table stands for.
fn meant(name: &str) -> Option<Meant> {
    Some(match name {
        "leave_out" => Meant::LeaveOut,
        "cash" => Meant::BySign(Action::Deposit, Action::Withdrawal),
        "transfer" => Meant::BySign(Action::TransferIn, Action::TransferOut),
        "trade" => Meant::Trade,
        name => Meant::Do(Action::from_name(name)?),
    })
}

fn action_names() -> String {
    let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    format!("{}, or cash, transfer and trade (told by sign), or leave_out", names.join(", "))
}
