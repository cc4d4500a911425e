//! Ghostfolio's and Wealthfolio's activities in JSON.

use lotwise_core::Shares;

use super::tables::cash_by_product;
use crate::facts::{self, Names};
use crate::formats::{Confidence, Format, FormatInfo};
use crate::gather::{Fault, Gathering, LEFT_OUT, Meaning, describe};
use crate::json::value::{Fields, first_words, object, words};
use crate::json::{Outcome, has_fields, read_records};
use crate::{Action, Transaction};

/// Ghostfolio's export.
pub(crate) const GHOSTFOLIO_JSON: Format = Format {
    info: FormatInfo {
        id: "ghostfolio-json",
        title: "Ghostfolio, export (JSON)",
        extensions: &["json"],
        example: "{\"meta\": {\"version\": …}, \"activities\": [{\"type\": \"BUY\", \"unitPrice\": …",
    },
    recognise: |sniff| match has_fields(sniff.head, &["unitPrice", "dataSource", "type"]) {
        true if !has_fields(sniff.head, &["activityType"]) => Confidence::Sure,
        _ => Confidence::No,
    },
    read: |text, options| {
        read_records(GHOSTFOLIO_JSON.info.id, text.as_str(), options, &["activities"], |fields, row, gathering| {
            activity(fields, row, "type", gathering)
        })
    },
};

/// Wealthfolio's activities.
pub(crate) const WEALTHFOLIO_JSON: Format = Format {
    info: FormatInfo {
        id: "wealthfolio-json",
        title: "Wealthfolio, activities (JSON)",
        extensions: &["json"],
        example: "[{\"activityType\": \"BUY\", \"assetId\": \"VTI\", \"quantity\": \"10\", \"unitPrice\": …",
    },
    recognise: |sniff| match has_fields(sniff.head, &["activityType", "unitPrice"]) {
        true => Confidence::Sure,
        false => Confidence::No,
    },
    read: |text, options| {
        read_records(
            WEALTHFOLIO_JSON.info.id,
            text.as_str(),
            options,
            &["activities", "data"],
            |fields, row, gathering| activity(fields, row, "activityType", gathering),
        )
    },
};

const NAMES: Names<'static> = Names { symbol: "symbol", shares: "quantity", price: "unitPrice", amount: "amount" };

use Action as A;

/// Types of both programs; `None` is no event.
const TYPES: [(&str, Option<Action>); 17] = [
    ("BUY", Some(A::Buy)),
    ("SELL", Some(A::Sell)),
    ("DIVIDEND", Some(A::Dividend)),
    ("INTEREST", Some(A::Interest)),
    ("FEE", Some(A::Fee)),
    ("TAX", Some(A::TaxWithheld)),
    ("DEPOSIT", Some(A::Deposit)),
    ("WITHDRAWAL", Some(A::Withdrawal)),
    ("TRANSFER_IN", Some(A::TransferIn)),
    ("CONVERSION_IN", Some(A::TransferIn)),
    ("ADD_HOLDING", Some(A::TransferIn)),
    ("TRANSFER_OUT", Some(A::TransferOut)),
    ("CONVERSION_OUT", Some(A::TransferOut)),
    ("REMOVE_HOLDING", Some(A::TransferOut)),
    ("SPLIT", Some(A::Split)),
    ("ITEM", None),
    ("LIABILITY", None),
];

fn activity(
    fields: &Fields<'_>,
    row: u32,
    type_field: &'static str,
    gathering: &mut Gathering,
) -> Result<Outcome, Fault> {
    let kind = words(fields, type_field).ok_or_else(|| Fault::missing(type_field))?;
    let action = match TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&kind)) {
        Some((_, Some(action))) => *action,
        Some((_, None)) => return Ok(Outcome::ignore(&kind, "a valuable or a debt, which is no security")),
        None => match gathering.meaning(type_field, &kind, row)? {
            Meaning::Do(action) => action,
            Meaning::LeaveOut => return Ok(Outcome::ignore(&kind, LEFT_OUT)),
        },
    };
    if words(fields, "isDraft").is_some() || is_true(fields, "isDraft") {
        return Ok(Outcome::ignore(&kind, "a draft"));
    }
    let (column, day) = first_words(fields, &["date", "activityDate"]).ok_or_else(|| Fault::missing("date"))?;
    // Both programs write the person's own day as midnight, or midnight of their zone in UTC.
    let mut draft = Transaction::new(action, facts::iso_date(column, &day)?, row);
    draft.id = words(fields, "id").unwrap_or_default();
    if let Some((_, account)) = first_words(fields, &["accountName", "accountId"]) {
        draft.account = account;
    }
    draft.description = describe(&[first_words(fields, &["comment", "notes"]).map(|(_, text)| text).as_deref()]);
    if let Some((column, code)) = first_words(fields, &["currency", "assetCurrency"]) {
        draft.currency = facts::currency(column, &code)?;
    }
    let profile = object(fields, "SymbolProfile").or_else(|| object(fields, "assetProfile"));
    let ticker = first_words(fields, &["symbol", "assetSymbol", "assetId"]);
    let ticker = ticker.or_else(|| profile.and_then(|profile| words(&profile, "symbol")).map(|text| ("symbol", text)));
    if let Some((column, ticker)) = ticker.filter(|(_, ticker)| !ticker.starts_with("$CASH")) {
        // Fees and interest carry an id or a sentence in the place of a ticker.
        let cash = matches!(action, A::Fee | A::Interest | A::Deposit | A::Withdrawal | A::TaxWithheld);
        match facts::security(column, &ticker) {
            Ok(found) if !cash => (draft.symbol, draft.cusip) = found,
            Err(fault) if !cash => return Err(fault),
            Ok(_) | Err(_) => draft.description = describe(&[Some(&draft.description), Some(&ticker)]),
        }
    }
    draft.fees = words(fields, "fee").map(|text| facts::money("fee", &text)).transpose()?.unwrap_or_default().abs();
    draft.price = words(fields, "unitPrice").map(|text| facts::price("unitPrice", &text)).transpose()?;
    draft.price = draft.price.filter(|price| !price.is_zero());
    let quantity = words(fields, "quantity").map(|text| facts::shares("quantity", &text)).transpose()?;
    draft.shares = quantity.map(|shares: Shares| facts::directed(action, shares));
    let mut amount = words(fields, "amount").map(|text| facts::money("amount", &text)).transpose()?;
    cash_by_product(&mut draft, &mut amount);
    facts::complete(&mut draft, amount, &NAMES)?;
    Ok(Outcome::Take(Box::new(draft)))
}

fn is_true(fields: &Fields<'_>, name: &str) -> bool {
    crate::json::value::field(fields, name).is_some_and(|value| value.json() == "true")
}
