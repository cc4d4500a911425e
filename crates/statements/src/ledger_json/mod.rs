//! Lotwise's own JSON ledger: [`parse()`] for those who compute with it, and the same file as a statement.
//!
//! The format is documented in `docs/formats.md`.

mod holdings;
mod parse;

pub use parse::{DEFAULT_ACCOUNT, JsonAccount, JsonAction, JsonEvent, JsonLedger, JsonLedgers, parse};

use std::collections::BTreeSet;

use lotwise_core::{AccountKind, Money, OptionContract, Price, Shares, Symbol};

use holdings::{Holdings, change};

use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, clip, describe};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, Stated, StatedLot, Statement, Transaction};

/// Symbol of the one security of a ledger whose events name none.
pub const ONLY_SECURITY: &str = "SECURITY";

/// Lotwise's JSON ledger.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "lotwise-ledger-json",
        title: "Lotwise, ledger (JSON)",
        extensions: &["json"],
        example: "{\"accounts\": [{\"id\": \"T\", \"type\": \"taxable\"}], \"events\": [{\"date\": …",
    },
    recognise: |sniff: &Sniff<'_>| {
        let has = |word: &str| sniff.head.contains(word);
        match sniff.head.trim_start().starts_with('{') && has("\"events\"") {
            true if has("\"qty\"") || has("\"ratio\"") => Confidence::Sure,
            true => Confidence::Plausible,
            false => Confidence::No,
        }
    },
    read,
};

/// Reads every event of every ledger. Where the file has several, accounts and ids carry the ledger's id.
fn read(text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let file = parse(text.as_str())?;
    options.check_time()?;
    let mut gathering = Gathering::with(FORMAT.info.id, options);
    let several = file.ledgers.len() > 1;
    for ledger in file.ledgers {
        let named = |name: &str| if several { format!("{}/{name}", ledger.id) } else { name.to_owned() };
        for account in &ledger.accounts {
            match AccountKind::from_name(&account.kind) {
                Some(kind) => gathering.kind(named(&account.id), kind),
                None => {
                    let (name, kind) = (named(&account.id), clip(&account.kind, 40));
                    let text =
                        format!("The ledger calls the account {name:?} {kind:?}, which is no known type. Which is it?");
                    gathering.ask(&format!("account-kind:{name}"), &text, "taxable", ledger.row);
                }
            }
        }
        let mut ids = BTreeSet::new();
        let mut holdings = Holdings::default();
        for (done, event) in ledger.events.into_iter().enumerate() {
            if done.is_multiple_of(1024) {
                options.check_time()?;
            }
            let event = match event {
                Ok(event) => event,
                Err(note) => {
                    gathering.quarantine(note)?;
                    continue;
                }
            };
            // A name means one lot or sale; a second one would make every reference to it doubtful.
            if let JsonAction::Buy { id, .. }
            | JsonAction::Sell { id, .. }
            | JsonAction::Open { id, .. }
            | JsonAction::Gift { id, .. }
            | JsonAction::Inherit { id, .. }
            | JsonAction::ShortSell { id, .. }
            | JsonAction::Cover { id, .. } = &event.action
                && !ids.insert(id.clone())
            {
                gathering.quarantine(Fault::new("id", id, "names an earlier event already").into_note(event.row))?;
                continue;
            }
            let mut transaction = transaction(&event, named(&event.account), &named);
            if let Some(change) = change(&event.action) {
                let rows = holdings.change(&event, &transaction, &change, &named);
                if rows.is_empty() {
                    let security = transaction.symbol.as_ref().map(Symbol::as_str).unwrap_or_default();
                    let reason = format!("no account that it concerns holds {security} on that day");
                    gathering.ignore(event.row, change.name(), &reason)?;
                }
                for row in rows {
                    gathering.accept(row)?;
                }
                continue;
            }
            match &event.action {
                JsonAction::Split { new, old } => {
                    transaction.shares = holdings.split(&event.account, &transaction.symbol, *new, *old);
                }
                JsonAction::Expire { contracts } => {
                    // Options that were written come back to nothing from below.
                    let written = holdings.held(&event.account, &transaction.symbol).is_negative();
                    transaction.shares = Some(if written { *contracts } else { -*contracts });
                    holdings.add(&event.account, &transaction);
                }
                _ => holdings.add(&event.account, &transaction),
            }
            if let JsonAction::Transfer { to, shares, .. } = &event.action {
                // The other account has the same event from its side.
                let arrives = Transaction {
                    account: named(to),
                    action: Action::TransferIn,
                    shares: Some(*shares),
                    lots: Vec::new(),
                    ..transaction.clone()
                };
                holdings.add(to, &arrives);
                gathering.accept(arrives)?;
            }
            gathering.accept(transaction)?;
        }
    }
    for note in file.unknown_fields {
        let field = note.column.unwrap_or_default();
        let text = format!("The ledger has a field {field:?} that the format does not have, or has it twice.");
        gathering.ask(&format!("unknown-field:{field}"), &text, "leave it out", note.row);
    }
    Ok(gathering.finish())
}

fn transaction(event: &JsonEvent, account: String, named: &dyn Fn(&str) -> String) -> Transaction {
    let symbol = event.symbol.clone().or_else(|| Symbol::parse(ONLY_SECURITY).ok());
    let mut transaction = Transaction { account, symbol, ..Transaction::new(Action::Split, event.date, event.row) };
    match &event.action {
        JsonAction::Buy { id, shares, amount, fee, kind } => {
            transaction.id = named(id);
            transaction.action = if kind.as_deref() == Some("drip") { Action::Reinvest } else { Action::Buy };
            transaction.description = describe(&[Some("buy"), kind.as_deref()]);
            transaction.shares = Some(*shares);
            transaction.price = exact_price(*amount, *shares);
            (transaction.amount, transaction.fees) = (-(*amount + *fee), *fee);
        }
        JsonAction::Sell { id, shares, amount, fee, lots, kind } => {
            transaction.id = named(id);
            transaction.action = Action::Sell;
            let chosen: Vec<String> = lots.iter().map(|(lot, shares)| format!("{lot} {shares}")).collect();
            let chosen = (!chosen.is_empty()).then(|| format!("lots {}", chosen.join(", ")));
            transaction.description = describe(&[Some("sell"), kind.as_deref(), chosen.as_deref()]);
            transaction.lots = stated(lots, named);
            transaction.shares = Some(-*shares);
            transaction.price = exact_price(*amount, *shares);
            (transaction.amount, transaction.fees) = (*amount - *fee, *fee);
        }
        JsonAction::Open { id, shares, basis, acquired } => {
            (transaction.id, transaction.action) = (named(id), Action::TransferIn);
            transaction.description = "open".to_owned();
            transaction.shares = Some(*shares);
            let (id, basis, acquired) = (Some(named(id)), *basis, *acquired);
            transaction.lots = vec![StatedLot { id, acquired, shares: *shares, basis, ..StatedLot::default() }];
        }
        JsonAction::Remove { shares } => {
            (transaction.action, transaction.shares) = (Action::TransferOut, Some(-*shares));
            transaction.description = "remove".to_owned();
        }
        JsonAction::ReturnOfCapital { amount } => {
            (transaction.action, transaction.amount) = (Action::ReturnOfCapital, *amount);
            transaction.description = "return of capital".to_owned();
        }
        JsonAction::Transfer { to, shares, lots } => {
            (transaction.action, transaction.shares) = (Action::TransferOut, Some(-*shares));
            transaction.description = describe(&[Some("transfer to"), Some(to)]);
            transaction.lots = stated(lots, named);
        }
        JsonAction::ShortSell { id, shares, amount, fee } => {
            (transaction.id, transaction.action, transaction.shares) = (named(id), Action::Sell, Some(-*shares));
            transaction.description = "short sell".to_owned();
            transaction.detail = Some("short_sale".into());
            transaction.price = exact_price(*amount, *shares);
            (transaction.amount, transaction.fees) = (*amount - *fee, *fee);
        }
        JsonAction::Cover { id, shares, amount, fee, lots } => {
            (transaction.id, transaction.action, transaction.shares) = (named(id), Action::Buy, Some(*shares));
            transaction.description = "cover".to_owned();
            transaction.detail = Some("short_cover".into());
            transaction.price = exact_price(*amount, *shares);
            (transaction.amount, transaction.fees) = (-(*amount + *fee), *fee);
            transaction.lots = stated(lots, named);
        }
        JsonAction::Gift { id, shares, basis, acquired, value } => {
            (transaction.id, transaction.action, transaction.shares) = (named(id), Action::TransferIn, Some(*shares));
            transaction.description = "gift".to_owned();
            let stated = Stated::Gift { basis: *basis, acquired: *acquired, value: *value };
            transaction.detail = Some(stated.to_string().into());
        }
        JsonAction::Inherit { id, shares, value, died } => {
            (transaction.id, transaction.action, transaction.shares) = (named(id), Action::TransferIn, Some(*shares));
            transaction.description = "inheritance".to_owned();
            let stated = Stated::Inherited { value: *value, died: died.or(Some(event.date)) };
            transaction.detail = Some(stated.to_string().into());
        }
        // One row or two for each account that holds the security.
        JsonAction::SpinOff { .. } | JsonAction::Exchange { .. } => {}
        JsonAction::Exercise { contracts } => option(&mut transaction, Action::OptionExercise, -*contracts),
        JsonAction::Assign { contracts } => option(&mut transaction, Action::OptionAssign, *contracts),
        JsonAction::Expire { contracts } => option(&mut transaction, Action::OptionExpire, -*contracts),
        JsonAction::Split { new, old } => {
            transaction.description = format!("split {new} for {old}");
            transaction.split_ratio = Some((*new, *old));
        }
    }
    transaction
}

/// The lots that an event names.
fn stated(lots: &[(String, Shares)], named: &dyn Fn(&str) -> String) -> Vec<StatedLot> {
    let lot =
        |(lot, shares): &(String, Shares)| StatedLot { id: Some(named(lot)), shares: *shares, ..StatedLot::default() };
    lots.iter().map(lot).collect()
}

/// What became of options; their symbol tells the terms.
fn option(transaction: &mut Transaction, action: Action, contracts: Shares) {
    (transaction.action, transaction.shares) = (action, Some(contracts));
    transaction.description = action.name().replace('_', " ");
    transaction.option = transaction.symbol.as_ref().and_then(|symbol| OptionContract::parse_occ(symbol.as_str()).ok());
}

/// The price per share, where it is a decimal that we can hold.
fn exact_price(amount: Money, shares: Shares) -> Option<Price> {
    let price = amount.per_share(shares)?;
    let product = price.billionths().checked_mul(shares.billionths())?;
    let unit = Shares::from_whole(1).billionths();
    (product % unit == 0 && product / unit == amount.billionths()).then_some(price)
}
