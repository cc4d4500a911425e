//! Ledgers: accounts and events in, sale rows and open lots out.

use lotwise_core::{Date, Money, Shares, Symbol};
use lotwise_tax::{
    Account, AccountId, AccountKind, AssetClass, BasisSource, Booking, Boot, Delivery, Event, EventKind, ExchangeKind,
    Ledger, LotId, LotSelection, LotsLeave, Method, OpenLot, OpenShort, Replacement, Rules, SaleId, SaleRow, Scope,
    Tacking, Way, book,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::compare::Precision;
use super::{Outcome, parse, rules};

/// Account of events that name none.
const ACCOUNT: &str = "T";
/// Security of events that name none.
const SYMBOL: &str = "X";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "title")]
    _title: IgnoredAny,
    #[serde(default, rename = "source")]
    _source: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
    #[serde(default, rename = "expected")]
    _expected: IgnoredAny,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    accounts: Vec<NamedAccount>,
    events: Vec<NamedEvent>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    method: Option<String>,
    lots_leave: Option<String>,
    older_lots_can_replace: Option<bool>,
    tacking: Option<String>,
    #[serde(default)]
    identity_groups: Vec<Vec<String>>,
    short_rate: Option<Value>,
    long_rate: Option<Value>,
    #[serde(default)]
    digital_assets: Vec<String>,
    digital_asset_wash_sales_from: Option<String>,
    /// Pairs of account and symbol.
    #[serde(default)]
    average_eligible: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedAccount {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    method: Option<String>,
}

/// One event of any type; which fields it may have depends on the type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedEvent {
    date: String,
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    account: Option<String>,
    symbol: Option<String>,
    qty: Option<Value>,
    amount: Option<Value>,
    fee: Option<Value>,
    /// How a purchase came about (`drip`); every one is a purchase. What an exchange is.
    #[serde(rename = "kind")]
    how: Option<Value>,
    to: Option<String>,
    to_new: Option<Value>,
    value: Option<Value>,
    cash: Option<Value>,
    scope: Option<String>,
    settled: Option<String>,
    shares: Option<Value>,
    underlying: Option<String>,
    way: Option<String>,
    #[serde(default)]
    lots: Vec<NamedLot>,
    ratio: Option<Value>,
    basis: Option<Value>,
    acquired: Option<String>,
    method: Option<String>,
    identified: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedLot {
    lot: String,
    qty: Value,
}

pub(super) fn compute(case: &Value) -> Result<Outcome, String> {
    let (ledger, rules) = read(case)?;
    Ok(match book(&ledger, &rules) {
        Ok(booking) => Outcome::compared(expected(case).as_ref(), computed(&booking), &Precision::SixPlaces),
        Err(error) => Outcome::refused(&error),
    })
}

/// The ledger and the switches of a case.
pub(super) fn read(case: &Value) -> Result<(Ledger, Rules), String> {
    let parsed: Case = parse(case)?;
    Ok((ledger_of(&parsed)?, rules_of(&parsed.options)?))
}

fn rules_of(options: &Options) -> Result<Rules, String> {
    let mut rules = Rules::default();
    if let Some(text) = &options.lots_leave {
        rules.lots_leave = match text.as_str() {
            "together" => LotsLeave::Together,
            "one_by_one" => LotsLeave::OneByOne,
            other => return Err(format!("lots_leave {other:?} is neither together nor one_by_one")),
        };
    }
    if let Some(text) = &options.tacking {
        rules.tacking = match text.as_str() {
            "add" => Tacking::Add,
            "union" => Tacking::Union,
            other => return Err(format!("tacking {other:?} is neither add nor union")),
        };
    }
    if let Some(can) = options.older_lots_can_replace {
        rules.older_lots_can_replace = can;
    }
    for group in &options.identity_groups {
        rules.identity_groups.push(group.iter().map(|text| symbol(text)).collect::<Result<_, _>>()?);
    }
    for text in &options.digital_assets {
        rules.classes.insert(symbol(text)?, AssetClass::DigitalAsset);
    }
    rules.digital_asset_wash_sales_from =
        options.digital_asset_wash_sales_from.as_deref().map(rules::date).transpose()?;
    for (account, text) in &options.average_eligible {
        rules.average_eligible.insert((AccountId::new(account), symbol(text)?));
    }
    if let Some(value) = &options.short_rate {
        rules.rates.short = rules::rate("short_rate", value)?;
    }
    if let Some(value) = &options.long_rate {
        rules.rates.long = rules::rate("long_rate", value)?;
    }
    Ok(rules)
}

fn ledger_of(case: &Case) -> Result<Ledger, String> {
    let standing = case.options.method.as_deref().map_or(Ok(Method::Fifo), method)?;
    let mut accounts = Vec::new();
    for account in &case.accounts {
        accounts.push(Account {
            id: AccountId::new(&account.id),
            kind: account_kind(&account.kind)?,
            method: account.method.as_deref().map_or(Ok(standing), method)?,
        });
    }
    if accounts.is_empty() {
        accounts.push(Account { id: AccountId::new(ACCOUNT), kind: AccountKind::Taxable, method: standing });
    }
    let events = case.events.iter().enumerate().map(|(index, event)| {
        event_of(event, index).map_err(|message| format!("event {} of {}: {message}", index + 1, event.date))
    });
    Ok(Ledger { accounts, events: events.collect::<Result<_, _>>()? })
}

fn event_of(event: &NamedEvent, index: usize) -> Result<Event, String> {
    let id = event.id.clone().unwrap_or_else(|| format!("#{}", index + 1));
    let required = |name: &str, value: &Option<Value>| value.clone().ok_or_else(|| format!("{name} is missing"));
    let quantity = || rules::shares("qty", &required("qty", &event.qty)?);
    let money = |name: &str, value: &Option<Value>| rules::money(name, &required(name, value)?);
    let fee = event.fee.as_ref().map_or(Ok(Money::ZERO), |fee| rules::money("fee", fee))?;
    let lot = || LotId::new(&id);
    let sale = || SaleId::new(&id);
    let amount = || money("amount", &event.amount);
    let day = |text: &Option<String>| text.as_deref().map(rules::date).transpose();
    let maybe = |name: &str, value: &Option<Value>| value.as_ref().map(|value| rules::money(name, value)).transpose();
    let to = || event.to.as_deref().ok_or_else(|| "to is missing".to_owned());
    let kind = match event.kind.as_str() {
        "buy" => EventKind::Buy { lot: lot(), shares: quantity()?, amount: amount()?, fee },
        "sell" => EventKind::Sell {
            sale: sale(),
            shares: quantity()?,
            amount: amount()?,
            fee,
            lots: selection(event)?,
            identified: day(&event.identified)?,
        },
        "open" => EventKind::Open {
            lot: lot(),
            shares: quantity()?,
            basis: maybe("basis", &event.basis)?,
            acquired: day(&event.acquired)?,
            source: if event.basis.is_some() { BasisSource::Stated } else { BasisSource::Unknown },
        },
        "split" => {
            let (new, old) = ratio(event)?;
            EventKind::Split { new, old }
        }
        "return_of_capital" => EventKind::ReturnOfCapital { sale: sale(), amount: amount()? },
        "remove" => EventKind::Remove { shares: quantity()? },
        "transfer" => EventKind::Transfer { to: AccountId::new(to()?), shares: quantity()?, lots: selection(event)? },
        "gift" => EventKind::Gift {
            lot: lot(),
            shares: quantity()?,
            donor_basis: maybe("basis", &event.basis)?,
            donor_acquired: day(&event.acquired)?,
            value: money("value", &event.value)?,
        },
        "inherit" => EventKind::Inherit {
            lot: lot(),
            shares: quantity()?,
            value: maybe("value", &event.value)?,
            died: day(&event.acquired)?,
        },
        "spinoff" => {
            let (new, old) = ratio(event)?;
            let to_new = rules::rate("to_new", &required("to_new", &event.to_new)?)?;
            EventKind::SpinOff { to: symbol(to()?)?, new, old, to_new, scope: scope(event)? }
        }
        "exchange" => {
            let (new, old) = ratio(event)?;
            let kind = match event.how.as_ref().and_then(Value::as_str) {
                Some("rename") => ExchangeKind::Rename,
                Some("reorganisation") | None => ExchangeKind::Reorganisation,
                Some(other) => return Err(format!("kind {other:?} is neither rename nor reorganisation")),
            };
            let cash = match maybe("cash", &event.cash)? {
                Some(cash) => Some(Boot { sale: sale(), cash, value: money("value", &event.value)? }),
                None => None,
            };
            EventKind::Exchange { to: symbol(to()?)?, new, old, kind, cash, scope: scope(event)? }
        }
        "short_sell" => EventKind::ShortSell { lot: lot(), shares: quantity()?, amount: amount()?, fee },
        "cover" => EventKind::Cover {
            sale: sale(),
            shares: quantity()?,
            amount: amount()?,
            fee,
            lots: selection(event)?,
            settled: day(&event.settled)?,
        },
        "exercise" | "assign" => {
            let shares = rules::shares("shares", &required("shares", &event.shares)?)?;
            let underlying = event.underlying.as_deref().ok_or("underlying is missing")?;
            let way = match event.way.as_deref() {
                Some("in") => Way::In { lot: lot() },
                Some("out") => Way::Out { sale: sale(), lots: selection(event)? },
                _ => return Err("way has to be in or out".into()),
            };
            let contracts = quantity()?;
            let underlying = symbol(underlying)?;
            let delivery = Delivery { contracts, underlying, shares, amount: amount()?, fee, way };
            if event.kind == "exercise" { EventKind::Exercise(delivery) } else { EventKind::Assign(delivery) }
        }
        "expire" => EventKind::Expire { sale: sale(), contracts: quantity()? },
        other => {
            return Err(format!(
                "type {other:?} is not supported (supported: buy, sell, split, open, return_of_capital, remove, \
                 transfer, gift, inherit, spinoff, exchange, short_sell, cover, exercise, assign, expire)"
            ));
        }
    };
    Ok(Event {
        date: rules::date(&event.date)?,
        account: AccountId::new(event.account.as_deref().unwrap_or(ACCOUNT)),
        symbol: symbol(event.symbol.as_deref().unwrap_or(SYMBOL))?,
        kind,
    })
}

/// New shares for old: `2`, `0.1`, or `3:2`.
fn ratio(event: &NamedEvent) -> Result<(Shares, Shares), String> {
    let value = event.ratio.clone().ok_or("ratio is missing")?;
    match value.as_str().and_then(|text| text.split_once(':')) {
        Some((new, old)) => {
            let part = |text: &str| rules::shares("ratio", &Value::String(text.trim().to_owned()));
            Ok((part(new)?, part(old)?))
        }
        None => Ok((rules::shares("ratio", &value)?, Shares::from_whole(1))),
    }
}

/// Whose shares: everybody's, unless the event says otherwise or brings cash.
fn scope(event: &NamedEvent) -> Result<Scope, String> {
    match event.scope.as_deref() {
        Some("household") => Ok(Scope::Household),
        Some("account") => Ok(Scope::Account),
        None if event.cash.is_some() => Ok(Scope::Account),
        None => Ok(Scope::Household),
        Some(other) => Err(format!("scope {other:?} is neither account nor household")),
    }
}

fn selection(event: &NamedEvent) -> Result<LotSelection, String> {
    if event.lots.is_empty() {
        return Ok(event.method.as_deref().map(method).transpose()?.map_or(LotSelection::Standing, LotSelection::By));
    }
    let named = event.lots.iter().map(|lot| Ok((LotId::new(&lot.lot), rules::shares("qty of a lot", &lot.qty)?)));
    Ok(LotSelection::Lots(named.collect::<Result<_, String>>()?))
}

fn method(text: &str) -> Result<Method, String> {
    Ok(match text {
        // A sale that names no lots under a standing order to name them falls back on the legal default.
        "fifo" | "specific" => Method::Fifo,
        "lifo" => Method::Lifo,
        "hifo" => Method::Hifo,
        "lofo" => Method::Lofo,
        "min_tax" | "min-tax" => Method::MinTax,
        "average" => Method::Average,
        other => return Err(format!("method {other:?} is none of fifo, lifo, hifo, lofo, min_tax, average, specific")),
    })
}

fn account_kind(text: &str) -> Result<AccountKind, String> {
    Ok(match text {
        "taxable" => AccountKind::Taxable,
        "ira" => AccountKind::Ira,
        "roth" => AccountKind::Roth,
        "spouse_taxable" => AccountKind::SpouseTaxable,
        "spouse_ira" => AccountKind::SpouseIra,
        "other" => AccountKind::Other,
        other => {
            return Err(format!(
                "account type {other:?} is none of taxable, ira, roth, spouse_taxable, spouse_ira, other"
            ));
        }
    })
}

fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::parse(text).map_err(|error| error.to_string())
}

/// The expectation, its open lots by account and lot: cases list them as they please.
fn expected(case: &Value) -> Option<Value> {
    let mut expected = case.get("expected")?.clone();
    if let Some(Value::Array(lots)) = expected.get_mut("open_lots") {
        lots.sort_by_key(|lot| {
            let text = |field: &str| lot.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("account"), text("lot"))
        });
    }
    Some(expected)
}

fn computed(booking: &Booking) -> Value {
    let mut open_lots: Vec<&OpenLot> = booking.open_lots.iter().collect();
    open_lots.sort_by_key(|lot| (lot.account.clone(), lot.lot.clone()));
    json!({
        "sales": booking.sales.iter().map(sale).collect::<Vec<_>>(),
        "open_lots": open_lots.into_iter().map(open_lot).collect::<Vec<_>>(),
        "open_shorts": booking.open_shorts.iter().map(open_short).collect::<Vec<_>>(),
        "permanently_disallowed": amount(booking.permanently_disallowed),
    })
}

fn sale(row: &SaleRow) -> Value {
    json!({
        "sale": row.sale.as_str(),
        "lot": row.lot.as_str(),
        "qty": row.shares.to_string(),
        "acquired": row.acquired.map(day),
        "holding_from": row.holding_from.map(day),
        "sold": day(row.sold),
        "proceeds": amount(row.proceeds),
        "basis": row.basis.map(amount),
        "gain": row.gain.map(amount),
        "disallowed": amount(row.disallowed),
        "reportable": row.reportable.map(amount),
        "term": row.term.map(|term| term.name()),
        "code": row.code,
        "matches": row.matches.iter().map(replacement).collect::<Vec<_>>(),
    })
}

fn replacement(found: &Replacement) -> Value {
    json!({
        "replacement": found.lot.as_str(),
        "qty": found.shares.to_string(),
        "disallowed": amount(found.disallowed),
        "permanent": found.permanent,
    })
}

fn open_lot(lot: &OpenLot) -> Value {
    json!({
        "lot": lot.lot.as_str(),
        "account": lot.account.as_str(),
        "qty": lot.shares.to_string(),
        "basis": lot.basis.map(amount),
        "acquired": lot.acquired.map(day),
        "holding_from": lot.holding_from.map(day),
        "washed": lot.washed,
        "deferred_loss": amount(lot.deferred_loss),
    })
}

fn open_short(short: &OpenShort) -> Value {
    json!({
        "lot": short.lot.as_str(),
        "account": short.account.as_str(),
        "symbol": short.symbol.as_str(),
        "qty": short.shares.to_string(),
        "proceeds": amount(short.proceeds),
        "opened": day(short.opened),
        "deferred_loss": amount(short.deferred_loss),
    })
}

fn day(date: Date) -> String {
    date.to_string()
}

/// To six places, without zeros that say nothing: the way cases write amounts.
fn amount(amount: Money) -> String {
    let text = amount.round(6, lotwise_core::Rounding::HalfAwayFromZero).to_string();
    text.strip_suffix(".00").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str) -> Result<Outcome, String> {
        compute(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_ledger_comes_out_in_the_shape_of_its_expectation() {
        let outcome = case(
            r#"{"id": "wash", "options": {"method": "lifo"}, "accounts": [{"id": "T", "type": "taxable"}], "events": [
                {"date": "2025-01-06", "type": "buy", "id": "L1", "qty": "3", "amount": 1000, "fee": "1"},
                {"date": "2025-03-10", "type": "sell", "id": "S1", "qty": 3, "amount": "750.5"},
                {"date": "2025-03-25", "type": "buy", "id": "L2", "qty": "1", "amount": "250", "kind": "drip"}
            ], "expected": {
                "sales": [{"sale": "S1", "gain": "-250.5", "disallowed": "83.5", "term": "short", "code": "W",
                    "matches": [{"replacement": "L2", "qty": "1", "disallowed": "83.5", "permanent": false}]}],
                "open_lots": [{"lot": "L2", "basis": "333.5", "holding_from": "2025-01-21", "washed": true}]}}"#,
        )
        .unwrap();
        assert_eq!(outcome.differences, Some(vec![]));
        assert_eq!(outcome.computed["permanently_disallowed"], "0");
    }

    #[test]
    fn every_type_of_event_is_read() {
        let call = "AAA241220C00050000";
        let events = [
            r#"{"date": "2022-01-03", "type": "buy", "id": "L1", "symbol": "AAA", "qty": 300, "amount": 9000}"#.into(),
            r#"{"date": "2022-01-04", "type": "gift", "id": "G", "symbol": "GGG", "qty": 1, "basis": 100,
                "acquired": "2020-01-02", "value": 80}"#
                .into(),
            r#"{"date": "2022-01-04", "type": "inherit", "id": "H", "symbol": "HHH", "qty": 1, "value": 70,
                "acquired": "2021-12-01"}"#
                .into(),
            r#"{"date": "2022-01-05", "type": "transfer", "symbol": "AAA", "qty": 100, "to": "U"}"#.into(),
            r#"{"date": "2022-01-06", "type": "spinoff", "symbol": "AAA", "to": "SPN", "ratio": "1:10",
                "to_new": 0.1, "scope": "account"}"#
                .into(),
            r#"{"date": "2022-01-07", "type": "exchange", "symbol": "SPN", "to": "NEW", "ratio": 2,
                "kind": "rename"}"#
                .into(),
            r#"{"date": "2022-01-07", "type": "exchange", "id": "B", "symbol": "HHH", "to": "MRG", "ratio": 1,
                "cash": 10, "value": 60}"#
                .into(),
            r#"{"date": "2024-01-03", "type": "short_sell", "id": "K", "symbol": "KKK", "qty": 2, "amount": 20}"#
                .into(),
            r#"{"date": "2024-01-04", "type": "cover", "id": "C", "symbol": "KKK", "qty": 1, "amount": 8}"#.into(),
            format!(
                r#"{{"date": "2024-01-05", "type": "short_sell", "id": "W", "symbol": "{call}", "qty": 2,
                "amount": 200}}"#
            ),
            format!(
                r#"{{"date": "2024-12-19", "type": "assign", "id": "A", "symbol": "{call}", "qty": 1,
                "underlying": "AAA", "shares": 100, "amount": 5000, "way": "out"}}"#
            ),
            format!(r#"{{"date": "2024-12-20", "type": "expire", "id": "X", "symbol": "{call}", "qty": 1}}"#),
        ];
        let outcome = case(&format!(
            r#"{{"accounts": [{{"id": "T", "type": "taxable"}}, {{"id": "U", "type": "taxable"}}], "events": [{}],
            "expected": {{
                "sales": [{{"sale": "B", "gain": "0"}}, {{"sale": "C", "gain": "2"}},
                    {{"sale": "A", "proceeds": "5100", "gain": "2400"}}, {{"sale": "X", "gain": "100"}}],
                "open_lots": [{{"lot": "G", "basis": "100"}}, {{"lot": "H", "basis": "60"}},
                    {{"lot": "L1", "qty": "100", "basis": "2700"}}, {{"lot": "L1/SPN", "qty": "40", "basis": "600"}},
                    {{"lot": "L1", "account": "U", "qty": "100", "basis": "3000"}}],
                "open_shorts": [{{"lot": "K", "qty": "1", "proceeds": "10"}}]}}}}"#,
            events.join(",")
        ));
        assert_eq!(outcome.unwrap().differences, Some(vec![]));
    }

    #[test]
    fn every_switch_is_read() {
        let options: Options = serde_json::from_str(
            r#"{"lots_leave": "one_by_one", "older_lots_can_replace": false, "tacking": "union",
                "identity_groups": [["A", "B"]], "short_rate": 0.4, "long_rate": "0.2"}"#,
        )
        .unwrap();
        let rules = rules_of(&options).unwrap();
        assert_eq!((rules.lots_leave, rules.tacking), (LotsLeave::OneByOne, Tacking::Union));
        assert!(!rules.older_lots_can_replace);
        assert_eq!(rules.identity_groups[0].len(), 2);
        assert_eq!((rules.rates.short.to_string(), rules.rates.long.to_string()), ("0.4".into(), "0.2".into()));
    }

    #[test]
    fn a_ledger_that_cannot_be_booked_fails_with_the_reason() {
        let outcome =
            case(r#"{"events": [{"date": "2025-01-06", "type": "sell", "qty": "1", "amount": "1"}]}"#).unwrap();
        assert_eq!(outcome.differences.map(|differences| differences.len()), Some(1));
        assert!(outcome.unsupported.unwrap().contains("holds 0"));
    }

    #[test]
    fn mistakes_name_the_event_and_the_field() {
        for (event, message) in [
            (r#"{"date": "2025-01-06", "type": "buy", "qty": "1"}"#, "event 1 of 2025-01-06: amount is missing"),
            (r#"{"date": "2025-01-06", "type": "buy", "qty": "1e", "amount": 1}"#, "qty"),
            (r#"{"date": "2025-02-30", "type": "split", "ratio": "2"}"#, "2025-02-30"),
            (r#"{"date": "2025-01-06", "type": "merger"}"#, "merger"),
            (r#"{"date": "2025-01-06", "type": "buy", "quantity": "1"}"#, "quantity"),
        ] {
            let refused = case(&format!(r#"{{"events": [{event}]}}"#)).err().unwrap();
            assert!(refused.contains(message), "{refused}");
        }
        assert!(case(r#"{"events": [], "options": {"method": "best"}}"#).err().unwrap().contains("best"));
        assert!(case(r#"{"events": [], "accounts": [{"id": "T", "type": "401k"}]}"#).err().unwrap().contains("401k"));
    }
}
