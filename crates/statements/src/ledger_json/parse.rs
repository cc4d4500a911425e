//! The JSON ledger as neutral parts: accounts, events, options, and what is expected of them.

use lotwise_core::{Date, DecimalError, Money, Rate, Shares, Symbol};

use crate::gather::{Fault, clip};
use crate::json::value::{Document, Fields, Value, field, text_field};
use crate::{Error, RowNote};

/// Name of the account of events that name none.
pub const DEFAULT_ACCOUNT: &str = "T";

/// A file of ledgers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLedgers {
    /// The cases, or the one ledger that the file is.
    pub ledgers: Vec<JsonLedger>,
    /// Fields that the format does not have, each with its line. They change nothing.
    pub unknown_fields: Vec<RowNote>,
}

/// One ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLedger {
    /// Id of the case; `"ledger"` where the file gives none.
    pub id: String,
    /// Title for people.
    pub title: Option<String>,
    /// Where the case comes from.
    pub source: Option<String>,
    /// Accounts, in file order; the taxable account `T` where the file lists none.
    pub accounts: Vec<JsonAccount>,
    /// Options by name, each with its value: a text as it is, anything else as JSON.
    pub options: Vec<(String, String)>,
    /// Events in file order, which is the order within a day. An `Err` is an event that cannot be read.
    pub events: Vec<Result<JsonEvent, RowNote>>,
    /// The JSON text of `expected`, where there is one.
    pub expected: Option<String>,
    /// Line where the ledger starts.
    pub row: u32,
}

/// An account of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonAccount {
    /// Name used by events.
    pub id: String,
    /// Kind in the file's words, for instance `taxable` or `ira`.
    pub kind: String,
}

/// An event of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonEvent {
    /// Trade date.
    pub date: Date,
    /// Account; [`DEFAULT_ACCOUNT`] where the file names none.
    pub account: String,
    /// Symbol; `None` means the one security of the ledger.
    pub symbol: Option<Symbol>,
    /// What happened.
    pub action: JsonAction,
    /// Line where the event starts.
    pub row: u32,
}

/// What an event does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonAction {
    /// Purchase: the lot `id`.
    Buy {
        /// Name of the lot.
        id: String,
        /// Shares bought, above zero.
        shares: Shares,
        /// Total price before the fee, zero or more.
        amount: Money,
        /// Fee, zero or more; it joins the basis.
        fee: Money,
        /// Kind in the file's words, for instance `drip` for a reinvested dividend.
        kind: Option<String>,
    },
    /// Sale.
    Sell {
        /// Name of the sale.
        id: String,
        /// Shares sold, above zero.
        shares: Shares,
        /// Total price before the fee, zero or more.
        amount: Money,
        /// Fee, zero or more; it lowers the proceeds.
        fee: Money,
        /// Lots chosen and shares of each; empty where the account's method decides.
        lots: Vec<(String, Shares)>,
        /// Kind in the file's words.
        kind: Option<String>,
    },
    /// Split: `new` shares for every `old` ones.
    Split {
        /// New shares, above zero.
        new: Shares,
        /// Old shares, above zero.
        old: Shares,
    },
    /// Shares held without a purchase in the ledger: the lot `id`.
    Open {
        /// Name of the lot.
        id: String,
        /// Shares, above zero.
        shares: Shares,
        /// Basis in total, where it is known.
        basis: Option<Money>,
        /// Acquisition date, where it is known.
        acquired: Option<Date>,
    },
    /// Shares that leave the ledger without a sale.
    Remove {
        /// Shares, above zero.
        shares: Shares,
    },
    /// A payment that lowers the basis.
    ReturnOfCapital {
        /// What is paid, zero or more.
        amount: Money,
    },
    /// Shares that move to another account of the ledger.
    Transfer {
        /// That account.
        to: String,
        /// Shares, above zero.
        shares: Shares,
        /// Lots chosen and shares of each; empty where the account's method decides.
        lots: Vec<(String, Shares)>,
    },
    /// Sale of borrowed shares.
    ShortSell {
        /// Name of the short position.
        id: String,
        /// Shares sold, above zero.
        shares: Shares,
        /// Total price before the fee, zero or more.
        amount: Money,
        /// Fee, zero or more.
        fee: Money,
    },
    /// Purchase that gives borrowed shares back.
    Cover {
        /// Name of the purchase.
        id: String,
        /// Shares bought, above zero.
        shares: Shares,
        /// Total price before the fee, zero or more.
        amount: Money,
        /// Fee, zero or more.
        fee: Money,
        /// Short positions closed and shares of each; empty where the account's method decides.
        lots: Vec<(String, Shares)>,
    },
    /// Own options exercised.
    Exercise {
        /// Contracts, above zero.
        contracts: Shares,
    },
    /// Written options assigned.
    Assign {
        /// Contracts, above zero.
        contracts: Shares,
    },
    /// Shares received as a gift: the lot `id`.
    Gift {
        /// Name of the lot.
        id: String,
        /// Shares, above zero.
        shares: Shares,
        /// The donor's basis in total, where it is known.
        basis: Option<Money>,
        /// When the donor acquired them, where it is known.
        acquired: Option<Date>,
        /// Market value in total on the day of the gift, where it is stated.
        value: Option<Money>,
    },
    /// Shares inherited: the lot `id`.
    Inherit {
        /// Name of the lot.
        id: String,
        /// Shares, above zero.
        shares: Shares,
        /// Market value in total on the day that counts, where it is known.
        value: Option<Money>,
        /// Day of death, where it is not the event's.
        died: Option<Date>,
    },
    /// Shares of a company spun off from the event's security.
    SpinOff {
        /// The new security.
        to: Symbol,
        /// New shares …
        new: Shares,
        /// … for this many old ones.
        old: Shares,
        /// Part of the basis that moves, 0 to 1, where it is stated.
        to_new: Option<Rate>,
        /// Whether every account that holds the security is meant.
        household: bool,
    },
    /// Shares that become those of another security.
    Exchange {
        /// The new security.
        to: Symbol,
        /// New shares …
        new: Shares,
        /// … for this many old ones.
        old: Shares,
        /// Whether it is one security under another name.
        rename: bool,
        /// Cash beside the shares.
        cash: Option<Money>,
        /// Market value of the new shares in total, where it is stated.
        value: Option<Money>,
        /// Whether every account that holds the security is meant.
        household: bool,
    },
    /// Options that lapse.
    Expire {
        /// Contracts, above zero.
        contracts: Shares,
    },
}

const LEDGER_FIELDS: [&str; 9] =
    ["format", "id", "title", "source", "options", "accounts", "events", "expected", "description"];
const EVENT_FIELDS: [&str; 18] = [
    "date", "type", "id", "qty", "amount", "fee", "account", "symbol", "kind", "lots", "ratio", "basis", "acquired",
    "to", "to_new", "value", "cash", "scope",
];

/// Reads the text of a JSON ledger: an object with `cases`, or one ledger with `events`.
///
/// Single events that cannot be read stand as `Err` in their ledger.
///
/// # Errors
/// [`Error::Malformed`] with line and column when the text is not JSON or has another shape.
pub fn parse(text: &str) -> Result<JsonLedgers, Error> {
    let (document, root) = Document::parse(text.trim_start_matches('\u{feff}'))?;
    let mut unknown_fields = Vec::new();
    let fields = root.fields().ok_or_else(|| document.malformed(root, "a ledger is an object with events or cases"))?;
    let mut ledgers = Vec::new();
    if let Some(cases) = field(&fields, "cases") {
        note_unknown(&document, &fields, &["format", "cases", "title", "source", "description"], &mut unknown_fields);
        let elements = cases.elements().ok_or_else(|| document.malformed(cases, "cases is not an array"))?;
        for case in elements {
            ledgers.push(ledger(&document, case, &mut unknown_fields)?);
        }
    } else {
        ledgers.push(ledger(&document, root, &mut unknown_fields)?);
    }
    Ok(JsonLedgers { ledgers, unknown_fields })
}

/// Notes the fields that are not `known`, and those that come twice.
fn note_unknown(document: &Document<'_>, fields: &Fields<'_>, known: &[&str], notes: &mut Vec<RowNote>) {
    for (position, (name, value)) in fields.iter().enumerate() {
        let repeated = fields[..position].iter().any(|(earlier, _)| earlier == name);
        if repeated || !known.contains(&name.as_str()) {
            let reason = if repeated { "is given twice; the first holds" } else { "is not a field of the format" };
            notes.push(Fault::new(&clip(name, 60), value.json(), reason).into_note(document.row(*value)));
        }
    }
}

fn ledger(document: &Document<'_>, value: Value<'_>, notes: &mut Vec<RowNote>) -> Result<JsonLedger, Error> {
    let wrong = |fault: Fault| document.malformed(value, &format!("{} {}", fault.column, fault.reason));
    let fields = value.fields().ok_or_else(|| document.malformed(value, "a ledger is an object with events"))?;
    note_unknown(document, &fields, &LEDGER_FIELDS, notes);
    let events = field(&fields, "events").ok_or_else(|| document.malformed(value, "the ledger has no events"))?;
    let elements = events.elements().ok_or_else(|| document.malformed(events, "events is not an array"))?;
    let accounts = match field(&fields, "accounts") {
        Some(list) => accounts(document, list, notes)?,
        None => vec![JsonAccount { id: DEFAULT_ACCOUNT.to_owned(), kind: "taxable".to_owned() }],
    };
    let options = match field(&fields, "options") {
        Some(options) => {
            options.fields().ok_or_else(|| document.malformed(options, "options is not an object"))?.into_iter()
        }
        None => Vec::new().into_iter(),
    };
    let mut read = Vec::with_capacity(elements.len());
    for value in elements {
        let row = document.row(value);
        let parsed = match value.fields() {
            Some(fields) => {
                note_unknown(document, &fields, &EVENT_FIELDS, notes);
                event(&fields, row, &accounts)
            }
            None => Err(Fault::new("events", value.json(), "holds something that is no event")),
        };
        read.push(parsed.map_err(|fault| fault.into_note(row)));
    }
    Ok(JsonLedger {
        id: text_field(&fields, "id").map_err(wrong)?.unwrap_or_else(|| "ledger".to_owned()),
        title: text_field(&fields, "title").map_err(wrong)?,
        source: text_field(&fields, "source").map_err(wrong)?,
        accounts,
        options: options
            .map(|(name, value)| {
                let text = value.text().unwrap_or_else(|| value.json().to_owned());
                (name, text)
            })
            .collect(),
        events: read,
        expected: field(&fields, "expected").map(|value| value.json().to_owned()),
        row: document.row(value),
    })
}

fn accounts(document: &Document<'_>, list: Value<'_>, notes: &mut Vec<RowNote>) -> Result<Vec<JsonAccount>, Error> {
    let elements = list.elements().ok_or_else(|| document.malformed(list, "accounts is not an array"))?;
    let mut accounts: Vec<JsonAccount> = Vec::new();
    for value in elements {
        let wrong =
            |fault: Fault| document.malformed(value, &format!("{} of an account {}", fault.column, fault.reason));
        let fields =
            value.fields().ok_or_else(|| document.malformed(value, "an account is an object with id and type"))?;
        note_unknown(document, &fields, &["id", "type"], notes);
        let required = |name: &str| text_field(&fields, name)?.ok_or_else(|| Fault::missing(name));
        let account = JsonAccount { id: required("id").map_err(wrong)?, kind: required("type").map_err(wrong)? };
        if accounts.iter().any(|known| known.id == account.id) {
            return Err(document.malformed(value, "two accounts have this id"));
        }
        if accounts.len() >= MOST_ACCOUNTS {
            return Err(Error::OverLimit { what: "accounts", limit: MOST_ACCOUNTS as u64 });
        }
        accounts.push(account);
    }
    Ok(accounts)
}

/// Most accounts of one ledger.
const MOST_ACCOUNTS: usize = 1000;

fn event(fields: &Fields<'_>, row: u32, accounts: &[JsonAccount]) -> Result<JsonEvent, Fault> {
    let required = |name: &str| text_field(fields, name)?.ok_or_else(|| Fault::missing(name));
    let date = required("date")?;
    let date = Date::parse(&date).map_err(|_| Fault::new("date", &date, "is not a date (expected YYYY-MM-DD)"))?;
    let account = text_field(fields, "account")?.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    if accounts.iter().all(|known| known.id != account) {
        return Err(Fault::new("account", &account, "is not among the accounts of the ledger"));
    }
    let symbol = text_field(fields, "symbol")?;
    let symbol =
        symbol.map(|text| Symbol::parse(&text).map_err(|_| Fault::new("symbol", &text, "is not a ticker symbol")));
    let kind = required("type")?;
    let action = match kind.as_str() {
        "buy" | "sell" => {
            let shares = above_zero("qty", decimal(fields, "qty", Shares::parse)?)?;
            let amount = not_negative("amount", decimal(fields, "amount", Money::parse)?)?
                .ok_or_else(|| Fault::missing("amount"))?;
            let fee = not_negative("fee", decimal(fields, "fee", Money::parse)?)?.unwrap_or(Money::ZERO);
            let id = required("id")?;
            let label = text_field(fields, "kind")?;
            if kind == "buy" {
                JsonAction::Buy { id, shares, amount, fee, kind: label }
            } else {
                JsonAction::Sell { id, shares, amount, fee, lots: lots(fields, shares)?, kind: label }
            }
        }
        "split" => {
            let (new, old) = ratio(fields)?;
            JsonAction::Split { new, old }
        }
        "short_sell" | "cover" => {
            let shares = above_zero("qty", decimal(fields, "qty", Shares::parse)?)?;
            let amount = not_negative("amount", decimal(fields, "amount", Money::parse)?)?
                .ok_or_else(|| Fault::missing("amount"))?;
            let fee = not_negative("fee", decimal(fields, "fee", Money::parse)?)?.unwrap_or(Money::ZERO);
            let id = required("id")?;
            if kind == "cover" {
                JsonAction::Cover { id, shares, amount, fee, lots: lots(fields, shares)? }
            } else {
                JsonAction::ShortSell { id, shares, amount, fee }
            }
        }
        "open" => JsonAction::Open {
            id: required("id")?,
            shares: above_zero("qty", decimal(fields, "qty", Shares::parse)?)?,
            basis: not_negative("basis", decimal(fields, "basis", Money::parse)?)?,
            acquired: day(fields, "acquired")?,
        },
        "remove" => JsonAction::Remove { shares: above_zero("qty", decimal(fields, "qty", Shares::parse)?)? },
        "return_of_capital" => JsonAction::ReturnOfCapital {
            amount: not_negative("amount", decimal(fields, "amount", Money::parse)?)?
                .ok_or_else(|| Fault::missing("amount"))?,
        },
        "transfer" => {
            let to = required("to")?;
            if to == account || accounts.iter().all(|known| known.id != to) {
                return Err(Fault::new("to", &to, "is not another account of the ledger"));
            }
            let shares = above_zero("qty", decimal(fields, "qty", Shares::parse)?)?;
            JsonAction::Transfer { to, shares, lots: lots(fields, shares)? }
        }
        "exercise" | "assign" | "expire" => {
            if symbol.is_none() {
                return Err(Fault::missing("symbol"));
            }
            let contracts = above_zero("qty", decimal(fields, "qty", Shares::parse)?)?;
            match kind.as_str() {
                "exercise" => JsonAction::Exercise { contracts },
                "assign" => JsonAction::Assign { contracts },
                _ => JsonAction::Expire { contracts },
            }
        }
        "gift" => JsonAction::Gift {
            id: required("id")?,
            shares: above_zero("qty", decimal(fields, "qty", Shares::parse)?)?,
            basis: not_negative("basis", decimal(fields, "basis", Money::parse)?)?,
            acquired: day(fields, "acquired")?,
            value: not_negative("value", decimal(fields, "value", Money::parse)?)?,
        },
        "inherit" => JsonAction::Inherit {
            id: required("id")?,
            shares: above_zero("qty", decimal(fields, "qty", Shares::parse)?)?,
            value: not_negative("value", decimal(fields, "value", Money::parse)?)?,
            died: day(fields, "acquired")?,
        },
        "spinoff" => {
            let to_new = decimal(fields, "to_new", Rate::parse)?;
            if let Some(part) = to_new
                && (part.is_negative() || part > Rate::from_billionths(1_000_000_000))
            {
                return Err(Fault::new("to_new", &part.to_string(), "is not a part of the basis between 0 and 1"));
            }
            let (new, old) = ratio(fields)?;
            JsonAction::SpinOff {
                to: other_symbol(fields, &symbol)?,
                new,
                old,
                to_new,
                household: scope(fields, None)?,
            }
        }
        "exchange" => {
            let rename = match text_field(fields, "kind")?.as_deref() {
                Some("rename") => true,
                Some("reorganisation") | None => false,
                Some(other) => return Err(Fault::new("kind", other, "is neither rename nor reorganisation")),
            };
            let cash = not_negative("cash", decimal(fields, "cash", Money::parse)?)?;
            if rename && cash.is_some() {
                return Err(Fault::new("cash", "", "comes with a reorganisation, not with a change of name"));
            }
            let (new, old) = ratio(fields)?;
            JsonAction::Exchange {
                to: other_symbol(fields, &symbol)?,
                new,
                old,
                rename,
                cash,
                value: not_negative("value", decimal(fields, "value", Money::parse)?)?,
                household: scope(fields, cash)?,
            }
        }
        _ => {
            let reason = "is none of buy, sell, split, open, remove, transfer, return_of_capital, short_sell, cover, \
                          exercise, assign, expire, gift, inherit, spinoff and exchange";
            return Err(Fault::new("type", &kind, reason));
        }
    };
    Ok(JsonEvent { date, account, symbol: symbol.transpose()?, action, row })
}

fn day(fields: &Fields<'_>, name: &str) -> Result<Option<Date>, Fault> {
    let wrong = |text: &str| Fault::new(name, text, "is not a date (expected YYYY-MM-DD)");
    text_field(fields, name)?.map(|text| Date::parse(&text).map_err(|_| wrong(&text))).transpose()
}

/// The security that an event leads to.
fn other_symbol(fields: &Fields<'_>, own: &Option<Result<Symbol, Fault>>) -> Result<Symbol, Fault> {
    let text = text_field(fields, "to")?.ok_or_else(|| Fault::missing("to"))?;
    let to = Symbol::parse(&text).map_err(|_| Fault::new("to", &text, "is not a ticker symbol"))?;
    match own {
        Some(Ok(own)) if *own == to => Err(Fault::new("to", &text, "is the security itself")),
        _ => Ok(to),
    }
}

/// Whether the shares of every account are meant: so they are, unless the event says otherwise or brings cash.
fn scope(fields: &Fields<'_>, cash: Option<Money>) -> Result<bool, Fault> {
    match (text_field(fields, "scope")?.as_deref(), cash) {
        (Some("household"), None) | (None, None) => Ok(true),
        (Some("account") | None, _) => Ok(false),
        (Some("household"), Some(_)) => Err(Fault::new("scope", "household", "has to be account where cash is paid")),
        (Some(other), _) => Err(Fault::new("scope", other, "is neither account nor household")),
    }
}

fn decimal<T>(fields: &Fields<'_>, name: &str, parse: fn(&str) -> Result<T, DecimalError>) -> Result<Option<T>, Fault> {
    let Some(value) = field(fields, name) else { return Ok(None) };
    let text = value.text_or_number().ok_or_else(|| Fault::new(name, value.json(), "is not a number"))?;
    parse(&text).map(Some).map_err(|error| Fault::new(name, &text, format!("cannot be read: {error}")))
}

fn above_zero(name: &str, shares: Option<Shares>) -> Result<Shares, Fault> {
    let shares = shares.ok_or_else(|| Fault::missing(name))?;
    if shares.is_positive() { Ok(shares) } else { Err(Fault::new(name, &shares.to_string(), "is not above zero")) }
}

fn not_negative(name: &str, amount: Option<Money>) -> Result<Option<Money>, Fault> {
    match amount {
        Some(amount) if amount.is_negative() => Err(Fault::new(name, &amount.to_string(), "is below zero")),
        other => Ok(other),
    }
}

/// The lots that a sale names; together they are the sale.
fn lots(fields: &Fields<'_>, sold: Shares) -> Result<Vec<(String, Shares)>, Fault> {
    let Some(value) = field(fields, "lots") else { return Ok(Vec::new()) };
    let wrong = || Fault::new("lots", value.json(), "is not an array of objects with lot and qty");
    let mut lots = Vec::new();
    let mut sum = Shares::ZERO;
    for element in value.elements().ok_or_else(wrong)? {
        let fields = element.fields().ok_or_else(wrong)?;
        let lot = text_field(&fields, "lot")?.ok_or_else(|| Fault::missing("lot"))?;
        let shares = above_zero("qty", decimal(&fields, "qty", Shares::parse)?)?;
        sum = sum.checked_add(shares).ok_or_else(wrong)?;
        lots.push((lot, shares));
    }
    if !lots.is_empty() && sum != sold {
        return Err(Fault::new("lots", &sum.to_string(), format!("do not sum to the {sold} shares sold")));
    }
    Ok(lots)
}

/// A split's ratio: new shares per old share as a decimal, or `3:2` and `3/2` for three new shares for two.
fn ratio(fields: &Fields<'_>) -> Result<(Shares, Shares), Fault> {
    let value = field(fields, "ratio").ok_or_else(|| Fault::missing("ratio"))?;
    let text = value.text_or_number().ok_or_else(|| Fault::new("ratio", value.json(), "is not a number"))?;
    let (new, old) = text.split_once([':', '/']).unwrap_or((&text, "1"));
    let parse = |part: &str| Shares::parse(part).ok().filter(|shares| shares.is_positive());
    match (parse(new), parse(old)) {
        (Some(new), Some(old)) => Ok((new, old)),
        _ => Err(Fault::new("ratio", &text, "is not a ratio above zero (expected 2, 0.1 or 3:2)")),
    }
}
