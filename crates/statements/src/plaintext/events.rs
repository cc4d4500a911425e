//! From postings to what happened.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Date, Money, Shares, Symbol};

use super::amounts::{Quantity, is_currency};
use crate::facts::{self, Names};
use crate::gather::{Fault, Gathering, clip, describe};
use crate::read::ReadOptions;
use crate::{Action, Error, StatedLot, Transaction};

/// One posting of an entry.
#[derive(Debug, Clone)]
pub(super) struct Posting {
    pub(super) account: String,
    /// `None` where the file leaves the amount to what the others sum to.
    pub(super) quantity: Option<Quantity>,
}

/// One transaction of the file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) date: Date,
    pub(super) description: String,
    pub(super) postings: Vec<Posting>,
    /// Why the entry cannot be read, if so.
    pub(super) fault: Option<Fault>,
    pub(super) row: u32,
}

impl Entry {
    /// Adds a posting: `rest` is what stands behind the account, of the whole posting `content`.
    pub(super) fn post(
        &mut self,
        account: &str,
        rest: &str,
        content: &str,
        quantity: fn(&str) -> Option<Quantity>,
        expected: &str,
    ) {
        let read = if rest.is_empty() { Some(None) } else { quantity(rest).map(Some) };
        match read {
            Some(quantity) => self.postings.push(Posting { account: clip(account, 200), quantity }),
            None => {
                let reason = format!("is not an amount that is read (expected {expected})");
                self.fault.get_or_insert_with(|| Fault::new("posting", content, reason));
            }
        }
    }
}

/// A line that names another file.
pub(super) fn included(gathering: &mut Gathering, row: u32, word: &str) -> Result<(), Error> {
    let text = "The file includes another one, which is not read with it. Name that file as well.";
    gathering.ask("included-file", text, "read this file alone", row);
    gathering.ignore(row, word, "names another file, which is not read with this one")
}

/// Most accounts with securities of one file; people have a handful.
const MOST_HOLDERS: usize = 2000;

const NAMES: Names<'static> = Names { symbol: "commodity", shares: "units", price: "price", amount: "amount" };

/// Accounts by their outermost name, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Holding,
    Income,
    Expense,
    Equity,
}

fn class(account: &str) -> Class {
    let first = account.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match first.as_str() {
        "income" | "revenue" | "revenues" => Class::Income,
        "expenses" | "expense" => Class::Expense,
        "equity" => Class::Equity,
        _ => Class::Holding,
    }
}

/// The account that holds a security: without a last part that is the security's own name.
fn holder<'a>(account: &'a str, commodity: &str) -> &'a str {
    match account.rsplit_once(':') {
        Some((rest, last)) if last.eq_ignore_ascii_case(commodity) => rest,
        _ => account,
    }
}

fn says(account: &str, words: &[&str]) -> bool {
    let lower = account.to_ascii_lowercase();
    words.iter().any(|word| lower.contains(word))
}

/// Books every entry; those that touch no account with securities are ignored.
pub(super) fn book(entries: Vec<Entry>, gathering: &mut Gathering, options: &ReadOptions<'_>) -> Result<(), Error> {
    let mut holders: BTreeSet<String> = BTreeSet::new();
    for posting in
        entries.iter().flat_map(|entry| &entry.postings).filter(|posting| class(&posting.account) == Class::Holding)
    {
        if let Some(quantity) = &posting.quantity
            && !is_currency(&quantity.units.commodity)
        {
            holders.insert(holder(&posting.account, &quantity.units.commodity).to_owned());
        }
    }
    if holders.len() > MOST_HOLDERS {
        return Err(Error::OverLimit { what: "accounts with securities", limit: MOST_HOLDERS as u64 });
    }
    for (done, entry) in entries.into_iter().enumerate() {
        options.check(done + 1)?;
        options.check_columns(entry.postings.len())?;
        let row = entry.row;
        if let Some(fault) = entry.fault {
            gathering.quarantine(fault.into_note(row))?;
            continue;
        }
        match events(&entry, &holders) {
            Ok(found) if found.is_empty() => {
                gathering.ignore(row, "entry", "touches no account that holds securities")?;
            }
            Ok(found) => {
                for transaction in found {
                    gathering.accept(transaction)?;
                }
            }
            Err(fault) => gathering.quarantine(fault.into_note(row))?,
        }
    }
    Ok(())
}

/// The account of the file that this one belongs to: itself, or the holder of securities that it is a part of or stands
/// beside (`Assets:Broker:Cash` beside `Assets:Broker:ACRN`).
fn account_of<'h>(account: &str, holders: &'h BTreeSet<String>) -> Option<&'h str> {
    let mut found = None;
    for holder in holders {
        let inside = account.strip_prefix(holder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        let beside = holder.rsplit_once(':').zip(account.rsplit_once(':')).is_some_and(|((one, _), (other, last))| {
            one == other
                && one.contains(':')
                && says(last, &["cash", "settlement", "sweep", "money market", "moneymarket"])
        });
        if inside || beside {
            found = Some(holder.as_str());
        }
    }
    found
}

/// A posting with its amount, the missing one completed.
struct Part<'e> {
    account: &'e str,
    quantity: Quantity,
}

fn complete(entry: &Entry) -> Result<Vec<Part<'_>>, Fault> {
    let mut sums: BTreeMap<String, Money> = BTreeMap::new();
    let mut parts = Vec::new();
    let mut missing = None;
    for posting in &entry.postings {
        match &posting.quantity {
            Some(quantity) => {
                if let Some((weight, currency)) = quantity.weight() {
                    *sums.entry(currency).or_default() += weight;
                }
                parts.push(Part { account: &posting.account, quantity: quantity.clone() });
            }
            None if missing.is_some() => {
                return Err(Fault::new("posting", &posting.account, "is the second without an amount"));
            }
            None => missing = Some(posting),
        }
    }
    if let Some(posting) = missing {
        for (commodity, sum) in sums.into_iter().filter(|(_, sum)| !sum.is_zero()) {
            let number = Shares::from_billionths(-sum.billionths());
            let units = super::amounts::Amount { number, commodity };
            parts.push(Part {
                account: &posting.account,
                quantity: Quantity { units, cost: None, price: None, total_price: None },
            });
        }
    }
    Ok(parts)
}

/// What an entry did to accounts with securities.
fn events(entry: &Entry, holders: &BTreeSet<String>) -> Result<Vec<Transaction>, Fault> {
    let parts = complete(entry)?;
    let is_security =
        |part: &&Part<'_>| class(part.account) == Class::Holding && !is_currency(&part.quantity.units.commodity);
    let mut groups: BTreeMap<(String, String, bool), Vec<&Part<'_>>> = BTreeMap::new();
    for part in parts.iter().filter(is_security).filter(|part| !part.quantity.units.number.is_zero()) {
        let commodity = part.quantity.units.commodity.clone();
        let account = holder(part.account, &commodity).to_owned();
        groups.entry((account, commodity, part.quantity.units.number.is_negative())).or_default().push(part);
    }
    if groups.is_empty() {
        return cash(entry, &parts, holders);
    }
    let money = |of: Class| {
        parts.iter().filter(move |part| class(part.account) == of && is_currency(&part.quantity.units.commodity))
    };
    let fees: Money = money(Class::Expense)
        .filter(|part| !says(part.account, &["tax", "withh"]))
        .map(|part| part.quantity.units.money())
        .sum();
    let mut found = Vec::new();
    let trades = groups.len();
    for ((account, commodity, out), members) in &groups {
        let opposite = groups.keys().any(|(other, name, way)| name == commodity && way != out && other != account);
        let reduced = groups.keys().any(|(other, name, way)| name == commodity && way != out && other == account);
        let mut draft =
            Transaction { account: clip(account, 80), ..Transaction::new(Action::Other, entry.date, entry.row) };
        draft.description = describe(&[Some(&entry.description)]);
        (draft.symbol, draft.cusip) = facts::security("commodity", commodity)
            .or_else(|fault| facts::symbol_of_name(commodity).map(|symbol| (Some(symbol), None)).ok_or(fault))?;
        let sum = members.iter().try_fold(Shares::ZERO, |sum, part| sum.checked_add(part.quantity.units.number));
        let shares = sum.ok_or_else(|| Fault::new("units", commodity, "are too many"))?;
        draft.shares = Some(shares);
        let currency = members
            .iter()
            .find_map(|part| part.quantity.total().or_else(|| part.quantity.cost_in_total()))
            .map(|(_, currency)| currency);
        let cash_of = |wanted: Option<&str>| {
            let of = money(Class::Holding)
                .filter(|part| wanted.is_none_or(|wanted| part.quantity.units.commodity == wanted));
            of.map(|part| (part.quantity.units.money(), part.quantity.units.commodity.clone())).collect::<Vec<_>>()
        };
        let cash = cash_of(currency.as_deref());
        let currency = currency.or_else(|| cash.first().map(|(_, currency)| currency.clone()));
        let lots: Vec<StatedLot> = members.iter().filter_map(|part| lot(part, entry.date, *out)).collect();
        if opposite {
            draft.action = if *out { Action::TransferOut } else { Action::TransferIn };
            draft.lots = if *out { Vec::new() } else { lots };
            draft.currency = currency_code(currency.as_deref())?;
            facts::complete(&mut draft, Some(Money::ZERO), &NAMES)?;
            found.push(draft);
            continue;
        }
        if reduced {
            let reason = "comes in and goes out of one account in one entry, which may be a split or an exchange of lots; enter it by hand";
            return Err(Fault::new("commodity", commodity, reason));
        }
        let stated: Option<Money> = members
            .iter()
            .map(|part| {
                if *out {
                    part.quantity.total()
                } else {
                    part.quantity.cost_in_total().or_else(|| part.quantity.total())
                }
                .map(|(total, _)| total)
            })
            .sum();
        let moved: Money = cash.iter().map(|(amount, _)| *amount).sum();
        let gift = money(Class::Equity).next().is_some()
            || parts
                .iter()
                .any(|part| class(part.account) == Class::Equity && part.quantity.units.commodity == *commodity);
        let income = money(Class::Income).any(|part| !says(part.account, &["gain", "pnl", "p&l", "loss"]));
        draft.currency = currency_code(currency.as_deref())?;
        let amount = if !moved.is_zero() && trades == 1 && moved.is_negative() != *out {
            // What moved in cash is what the trade came to; several trades of one entry share it by their own totals.
            draft.fees = fees;
            draft.action = if *out { Action::Sell } else { Action::Buy };
            moved
        } else if let (Some(total), true) = (stated, trades > 1 && !moved.is_zero()) {
            draft.action = if *out { Action::Sell } else { Action::Buy };
            if *out { total } else { -total }
        } else if let (Some(total), false, true) = (stated, *out, income) {
            draft.action = Action::Reinvest;
            draft.detail = Some(reinvested(&parts).into());
            -total
        } else if gift {
            draft.action = if *out { Action::TransferOut } else { Action::TransferIn };
            Money::ZERO
        } else {
            let reason = "moves without cash, income or another account against it, so what happened is not clear";
            return Err(Fault::new("commodity", commodity, reason));
        };
        let prices: BTreeSet<_> = members
            .iter()
            .map(|part| {
                part.quantity
                    .price
                    .as_ref()
                    .or(part.quantity.cost.as_ref().filter(|_| !*out).and_then(|cost| cost.each.as_ref()))
                    .map(|price| price.number)
            })
            .collect();
        if let (1, Some(Some(number))) = (prices.len(), prices.first()) {
            draft.price =
                Some(lotwise_core::Price::from_billionths(number.billionths())).filter(|price| !price.is_negative());
        }
        if matches!(draft.action, Action::Sell | Action::TransferIn)
            || lots.iter().any(|lot| lot.acquired.is_some_and(|date| date != entry.date))
        {
            draft.lots = lots;
        }
        facts::complete(&mut draft, Some(amount), &NAMES)?;
        found.push(draft);
    }
    Ok(found)
}

fn currency_code(currency: Option<&str>) -> Result<String, Fault> {
    match currency {
        Some(code) => facts::currency("currency", code),
        None => Ok("USD".to_owned()),
    }
}

fn reinvested(parts: &[Part<'_>]) -> &'static str {
    let income = parts.iter().find(|part| class(part.account) == Class::Income);
    match income {
        Some(part) if says(part.account, &["interest"]) => "includes_interest",
        Some(part) if says(part.account, &["gain"]) => "includes_long_term_gain",
        _ => "includes_dividend",
    }
}

/// The lot that a posting states by its cost; `{}` states none.
fn lot(part: &Part<'_>, entry: Date, out: bool) -> Option<StatedLot> {
    let cost = part.quantity.cost.as_ref()?;
    let shares = part.quantity.units.number.abs();
    if out && cost.each.is_none() && cost.total.is_none() && cost.date.is_none() && cost.label.is_none() {
        return None;
    }
    let basis = part.quantity.cost_in_total().map(|(total, _)| total);
    let acquired = cost.date.or((!out).then_some(entry));
    Some(StatedLot { id: cost.label.clone(), acquired, shares, basis, ..StatedLot::default() })
}

/// Cash of accounts with securities: one event for each posting against it.
fn cash(entry: &Entry, parts: &[Part<'_>], holders: &BTreeSet<String>) -> Result<Vec<Transaction>, Fault> {
    let own = |part: &&Part<'_>| class(part.account) == Class::Holding && account_of(part.account, holders).is_some();
    let Some(first) = parts.iter().find(own) else { return Ok(Vec::new()) };
    let account = account_of(first.account, holders).unwrap_or(first.account);
    let mut found = Vec::new();
    for part in parts {
        let other = account_of(part.account, holders).filter(|_| class(part.account) == Class::Holding);
        if other == Some(account) {
            continue;
        }
        let amount = match part.quantity.weight() {
            Some((weight, _)) => -weight,
            None => return Err(Fault::new("posting", part.account, "has an amount that is too large")),
        };
        let units = &part.quantity.units;
        let out = amount.is_negative();
        let by_sign = |inward, outward| if out { outward } else { inward };
        let (action, detail) = match class(part.account) {
            Class::Income if says(part.account, &["divid"]) => (Action::Dividend, None),
            Class::Income if says(part.account, &["interest"]) => (Action::Interest, None),
            Class::Income if says(part.account, &["gain"]) && says(part.account, &["distrib", "dist"]) => {
                (Action::CapitalGainDistribution, None)
            }
            Class::Income => (Action::Other, Some("income")),
            Class::Expense if says(part.account, &["tax", "withh"]) => (Action::TaxWithheld, None),
            Class::Expense if says(part.account, &["interest"]) => (Action::Interest, Some("margin_interest")),
            Class::Expense => (Action::Fee, None),
            Class::Holding if other.is_some() => (by_sign(Action::TransferIn, Action::TransferOut), None),
            Class::Holding | Class::Equity => (by_sign(Action::Deposit, Action::Withdrawal), None),
        };
        let mut draft = Transaction { account: clip(account, 80), ..Transaction::new(action, entry.date, entry.row) };
        draft.description = describe(&[Some(&entry.description), Some(part.account)]);
        draft.detail = detail.map(Into::into);
        draft.currency = facts::currency(
            "currency",
            &part.quantity.weight().map_or(units.commodity.clone(), |(_, currency)| currency),
        )?;
        if matches!(action, Action::Dividend | Action::CapitalGainDistribution) {
            // The account of a dividend names its security, where it does.
            let named = part.account.split(':').find(|name| holders_hold(name, holders));
            draft.symbol = named.and_then(|name| Symbol::parse(name).ok());
        }
        facts::complete(&mut draft, Some(amount), &NAMES)?;
        found.push(draft);
        if let Some(other) = other {
            // The other account has the same event from its side.
            let mut mirror = Transaction {
                account: clip(other, 80),
                ..Transaction::new(by_sign(Action::TransferOut, Action::TransferIn), entry.date, entry.row)
            };
            mirror.description = describe(&[Some(&entry.description), Some(account)]);
            mirror.currency.clone_from(&found.last().map_or(String::new(), |last| last.currency.clone()));
            facts::complete(&mut mirror, Some(-amount), &NAMES)?;
            found.push(mirror);
        }
    }
    Ok(found)
}

/// Whether a part of an account's name looks like a ticker: letters in capitals, and no word of the accounts.
fn holders_hold(name: &str, holders: &BTreeSet<String>) -> bool {
    let shaped =
        name.len() <= 6 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'.');
    shaped
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !is_currency(name)
        && !holders.iter().any(|holder| holder.split(':').any(|part| part == name))
}
