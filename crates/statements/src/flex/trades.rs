//! Trades and trade confirmations.

use std::collections::BTreeMap;

use lotwise_core::{Money, OptionContract, OptionRight, Shares, Symbol};

use super::record::Record;
use crate::dialect::option;
use crate::gather::{Fault, Gathering, clip, describe};
use crate::{Action, StatedLot, Transaction};

/// Kinds of asset, and the word for each that is no plain share. `None` in the second place means a share.
const ASSETS: [(&str, Option<&str>); 17] = [
    ("STK", None),
    ("FUND", None),
    ("OPT", Some("option")),
    ("FOP", Some("option")),
    ("FUT", Some("future")),
    ("CASH", Some("forex")),
    ("BOND", Some("bond")),
    ("BILL", Some("bond")),
    ("WAR", Some("warrant")),
    ("IOPT", Some("structured_product")),
    ("CFD", Some("contract_for_difference")),
    ("FXCFD", Some("contract_for_difference")),
    ("CRYPTO", Some("crypto")),
    ("CMDTY", Some("commodity")),
    ("BAG", Some("combination")),
    ("FSFOP", Some("option")),
    ("FSOPT", Some("option")),
];

/// Assets whose proceeds are a notional value that no cash follows.
const NOTIONAL: [&str; 2] = ["future", "contract_for_difference"];

/// Reads one execution (or order, where the report has no executions).
///
/// Trades of options open or close, or are assigned, exercised or lapse. Where the report does not say which, they stay
/// purchases and sales with the detail `option`, and where one trade does both, with `option_close_and_open`.
pub(super) fn trade(record: Record<'_, '_>, gathering: &mut Gathering) -> Result<Transaction, Fault> {
    let mut draft = record.draft(&["tradeDate", "dateTime"], &["transactionID", "tradeID", "ibExecID"], gathering)?;
    let asset = asset(record, gathering)?;
    let (buys, cancelled) = direction(record)?;
    draft.price = record.price(&["tradePrice", "price"])?;
    cash(record, asset, &mut draft, gathering)?;
    let quantity = record.required_shares(&["quantity"])?;
    if let Some("forex" | "future" | "contract_for_difference" | "combination") = asset {
        // Neither a pair of currencies nor a contract is a holding of shares. What moved is the cash, in the second
        // currency of a pair.
        let name = draft.symbol.take().map_or_else(String::new, |symbol| symbol.to_string());
        draft.description = describe(&[Some(&name), Some(&draft.description), Some(&format!("quantity {quantity}"))]);
        draft.detail = asset.map(Into::into);
        return Ok(draft);
    }
    if cancelled {
        draft.shares = Some(quantity);
        draft.detail = Some(if buys { "cancelled_buy" } else { "cancelled_sell" }.into());
        return Ok(draft);
    }
    if names_nothing(record) {
        let text = "These trades name no security. Are they exchanges of currency?";
        gathering.ask("unnamed-security", text, "take them for exchanges of currency", record.row());
        draft.action = if buys { Action::Buy } else { Action::Sell };
        draft.description = describe(&[Some("currency"), Some(&format!("quantity {quantity}"))]);
        draft.detail = Some("forex".into());
        return Ok(draft);
    }
    let agrees = if buys { !quantity.is_negative() } else { !quantity.is_positive() };
    let paid = if buys { !draft.amount.is_positive() } else { !draft.amount.is_negative() };
    if !agrees && !paid {
        return Err(Fault::new("quantity", &quantity.to_string(), "and the cash contradict buySell"));
    }
    draft.shares = Some(if buys { quantity.abs() } else { -quantity.abs() });
    draft.action = match buys {
        true if record.has_code("R") => Action::Reinvest,
        true => Action::Buy,
        false => Action::Sell,
    };
    if asset == Some("option") {
        draft.option = contract(record)?;
        draft.symbol = draft.option.as_ref().and_then(OptionContract::symbol).or(draft.symbol);
        what_became(record, buys, &mut draft);
        return Ok(draft);
    }
    draft.detail = match asset {
        Some(other) => Some(other),
        None if record.has_code("A") => Some("by_assignment"),
        None if record.has_code("Ex") => Some("by_exercise"),
        None => None,
    }
    .map(Into::into);
    Ok(draft)
}

/// Whether nothing tells what was traded: exchanges of currency in a report without category and symbol.
fn names_nothing(record: Record<'_, '_>) -> bool {
    record.first(&["assetCategory", "symbol", "isin", "cusip", "securityID", "conid", "description"]).is_none()
}

/// The word for the asset, `None` for a share.
fn asset(record: Record<'_, '_>, gathering: &mut Gathering) -> Result<Option<&'static str>, Fault> {
    let Some(category) = record.get("assetCategory") else {
        // A query need not select the field; an option still shows by its own.
        return Ok(record.first(&["putCall", "strike"]).map(|_| "option"));
    };
    let known = ASSETS.iter().find(|(code, _)| *code == category).map(|(_, word)| *word);
    known.ok_or_else(|| {
        let short = clip(category, 60);
        let text = format!("The file trades assets of category {short:?}. What are they?");
        gathering.ask(&format!("unknown-asset:{short}"), &text, "leave them out", record.row());
        Fault::new("assetCategory", category, "is not known")
    })
}

/// Whether the record buys, and whether it takes a trade back.
fn direction(record: Record<'_, '_>) -> Result<(bool, bool), Fault> {
    let word = record.get("buySell").ok_or_else(|| Fault::missing("buySell"))?;
    let upper = word.to_ascii_uppercase();
    let (side, cancelled) = match upper.split_once(' ') {
        Some((side, "(CA.)")) => (side, true),
        _ => (upper.as_str(), false),
    };
    let cancelled = cancelled
        || record.has_code("Ca")
        || matches!(record.get("transactionType"), Some("TradeCancel" | "FracShareCancel"));
    match side {
        "BUY" => Ok((true, cancelled)),
        "SELL" => Ok((false, cancelled)),
        _ => Err(Fault::new("buySell", word, "is none of BUY, SELL, BUY (Ca.) and SELL (Ca.)")),
    }
}

/// Amount and fees: `netCash` where it is, else proceeds with commission and taxes.
fn cash(
    record: Record<'_, '_>,
    asset: Option<&str>,
    draft: &mut Transaction,
    gathering: &mut Gathering,
) -> Result<(), Fault> {
    let commission = record.money(&["ibCommission", "commission"])?.unwrap_or(Money::ZERO);
    let taxes = record.money(&["taxes", "tax"])?.unwrap_or(Money::ZERO);
    let commission_currency = record.first(&["ibCommissionCurrency", "commissionCurrency"]).map(|(_, text)| text);
    let foreign = !commission.is_zero()
        && commission_currency.is_some_and(|currency| !currency.eq_ignore_ascii_case(&draft.currency));
    if foreign {
        let text = "Commissions are in another currency than their trades. They are not part of the amounts.";
        gathering.ask("commission-currency", text, "leave them out of the cost", record.row());
    }
    let charged = if foreign { taxes } else { commission + taxes };
    // Quantity times price, which is positive for a purchase.
    let traded = record.money(&["tradeMoney"])?.map(|money| -money);
    let proceeds = record.money(&["proceeds"])?.or(traded);
    let computed = proceeds.map(|proceeds| proceeds + charged);
    let stated = record.money(&["netCash"])?;
    draft.amount = match (stated, computed) {
        (Some(stated), _) => stated,
        (None, Some(computed)) if !asset.is_some_and(|asset| NOTIONAL.contains(&asset)) => computed,
        (None, _) => return Err(Fault::missing("netCash")),
    };
    // The report charges below zero; a rebate is above and becomes a fee below zero.
    draft.fees = -charged;
    Ok(())
}

/// The terms of an option: those of its symbol, else those that the record states one by one.
fn contract(record: Record<'_, '_>) -> Result<Option<OptionContract>, Fault> {
    let multiplier = record.get("multiplier").and_then(|text| text.parse().ok()).filter(|shares| *shares > 0);
    let named = ["symbol", "description"].into_iter().filter_map(|name| record.get(name)).find_map(option::named_in);
    if let Some(contract) = named {
        return Ok(Some(OptionContract { multiplier: multiplier.unwrap_or(contract.multiplier), ..contract }));
    }
    let underlying = record.get("underlyingSymbol").and_then(|text| Symbol::parse(text).ok());
    let right = match record.get("putCall") {
        Some("C" | "Call" | "CALL") => Some(OptionRight::Call),
        Some("P" | "Put" | "PUT") => Some(OptionRight::Put),
        _ => None,
    };
    let (expiry, strike) = (record.date(&["expiry"])?, record.price(&["strike"])?);
    Ok((|| {
        let multiplier = multiplier.unwrap_or(100);
        Some(OptionContract { underlying: underlying?, expiry: expiry?, right: right?, strike: strike?, multiplier })
    })())
}

/// What became of the option: opened, closed, or by the codes assigned, exercised or lapsed.
fn what_became(record: Record<'_, '_>, buys: bool, draft: &mut Transaction) {
    const CODES: [(&str, Action); 5] = [
        ("A", Action::OptionAssign),
        ("Ex", Action::OptionExercise),
        ("AEx", Action::OptionExercise),
        ("MEx", Action::OptionExercise),
        ("Ep", Action::OptionExpire),
    ];
    if let Some((_, action)) = CODES.into_iter().find(|(code, _)| record.has_code(code)) {
        draft.action = action;
        return;
    }
    (draft.action, draft.detail) = match record.get("openCloseIndicator") {
        Some("O") => (Action::OptionOpen, Some(if buys { "long" } else { "short" }.into())),
        Some("C") => (Action::OptionClose, Some(if buys { "short" } else { "long" }.into())),
        Some("C;O") => (draft.action, Some("option_close_and_open".into())),
        _ => (draft.action, Some("option".into())),
    };
}

/// The lots that the report states below its trades, by the trade that closed them (see [`place`]).
///
/// A lot stands behind its trade. It is taken where its symbol is that of the trade and the lots sum to the shares of
/// the trade; where they do not, a person is asked, and the account's method decides.
pub(super) fn closed_lots<'r, 'a: 'r>(
    records: impl Iterator<Item = Record<'r, 'a>>,
    gathering: &mut Gathering,
) -> BTreeMap<usize, Vec<StatedLot>> {
    let mut closed: BTreeMap<usize, (Record<'r, 'a>, Shares, Vec<StatedLot>)> = BTreeMap::new();
    let mut trade: Option<Record<'r, 'a>> = None;
    for record in records {
        match super::level(record.node) {
            "EXECUTION" | "DETAIL" | "ORDER" => trade = Some(record),
            "CLOSED_LOT" => {
                let Some(of) = trade.filter(|of| of.get("symbol") == record.get("symbol")) else { continue };
                let (Ok(Some(shares)), Ok(Some(sold))) = (record.shares(&["quantity"]), of.shares(&["quantity"]))
                else {
                    continue;
                };
                let entry = closed.entry(place(of)).or_insert_with(|| (of, sold.abs(), Vec::new()));
                entry.2.push(lot(record, shares.abs()));
            }
            _ => {}
        }
    }
    let mut sums = BTreeMap::new();
    for (key, (of, sold, lots)) in closed {
        let sum = lots.iter().try_fold(Shares::ZERO, |sum, lot| sum.checked_add(lot.shares));
        if sum == Some(sold) {
            sums.insert(key, lots);
        } else {
            let text =
                "Sales list lots whose shares do not sum to the shares sold. Sell by the account's method instead?";
            gathering.ask("lots-incomplete", text, "sell by the account's method", of.row());
        }
    }
    sums
}

/// Where a record lies in memory, which tells it from all others of the report; a report may be one single line.
pub(super) fn place(record: Record<'_, '_>) -> usize {
    std::ptr::from_ref(record.node).addr()
}

/// A closed lot: its basis is its cost, its proceeds are cost and realised gain.
fn lot(record: Record<'_, '_>, shares: Shares) -> StatedLot {
    let basis = record.money(&["cost"]).ok().flatten().map(Money::abs);
    let gain = record.money(&["fifoPnlRealized"]).ok().flatten();
    StatedLot {
        acquired: record.date(&["openDateTime", "holdingPeriodDateTime"]).ok().flatten(),
        shares,
        basis,
        proceeds: basis.zip(gain).map(|(basis, gain)| basis + gain),
        ..StatedLot::default()
    }
}

/// A transfer of shares or cash between accounts.
pub(super) fn transfer(record: Record<'_, '_>, gathering: &mut Gathering) -> Result<Transaction, Fault> {
    let mut draft = record.draft(&["date", "dateTime", "reportDate"], &["transactionID"], gathering)?;
    let direction = record.get("direction").ok_or_else(|| Fault::missing("direction"))?;
    let enters = match direction.to_ascii_uppercase().as_str() {
        "IN" => true,
        "OUT" => false,
        _ => return Err(Fault::new("direction", direction, "is neither IN nor OUT")),
    };
    draft.action = if enters { Action::TransferIn } else { Action::TransferOut };
    draft.price = record.price(&["transferPrice"])?.filter(|price| !price.is_zero());
    draft.amount = record.money(&["cashTransfer"])?.unwrap_or(Money::ZERO);
    let quantity = record.shares(&["quantity"])?.unwrap_or(Shares::ZERO);
    if record.get("assetCategory") != Some("CASH") && !quantity.is_zero() {
        // Short positions travel too, so the report's sign is the one that counts.
        draft.shares = Some(quantity);
    } else if draft.amount.is_zero() {
        return Err(Fault { reason: "moves neither shares nor cash".to_owned(), ..Fault::missing("quantity") });
    }
    Ok(draft)
}
