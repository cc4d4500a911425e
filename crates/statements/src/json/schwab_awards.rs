//! Charles Schwab's Equity Awards in JSON, in both shapes: `transactions` with names in camel case, and the newer
//! `Transactions` with names in Pascal case and `Details` one level deeper.

use lotwise_core::{Date, Money, Price, Shares};

use super::value::{Fields, Value, field, words};
use super::{Outcome, has_fields, read_records};
use crate::cell::{self, DateStyle};
use crate::dialect::gross;
use crate::facts::{self, Names};
use crate::formats::{Confidence, Format, FormatInfo, Sniff};
use crate::gather::{Fault, Gathering, LEFT_OUT, Meaning, describe};
use crate::read::ReadOptions;
use crate::text::Text;
use crate::{Action, Error, StatedLot, Statement, Transaction};

/// Schwab's equity awards.
pub(crate) const FORMAT: Format = Format {
    info: FormatInfo {
        id: "schwab-equity-awards-json",
        title: "Charles Schwab, equity awards (JSON)",
        extensions: &["json"],
        example: "{\"Transactions\": [{\"Date\": \"…\", \"Action\": \"Sale\", \"TransactionDetails\": [{\"Details\": …",
    },
    recognise: |sniff: &Sniff<'_>| {
        let has = |names: &[&str]| has_fields(sniff.head, names);
        match has(&["transactionDetails", "action"]) || has(&["TransactionDetails", "Action"]) {
            true => Confidence::Sure,
            false => Confidence::No,
        }
    },
    read: |text: &Text<'_>, options: &ReadOptions<'_>| -> Result<Statement, Error> {
        read_records(FORMAT.info.id, text.as_str(), options, &["transactions", "Transactions"], event)
    },
};

const NAMES: Names<'static> = Names { symbol: "symbol", shares: "quantity", price: "price", amount: "amount" };

/// What an event of one name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Deposit,
    Sale,
    Cash(Action),
    /// Shares that leave, or cash where there are none.
    Leaves,
    Ignore(&'static str),
}

use Action as A;

const KINDS: [(&str, Kind, &str); 19] = [
    ("deposit", Kind::Deposit, ""),
    ("sale", Kind::Sale, ""),
    ("sell", Kind::Sale, ""),
    ("sell to cover", Kind::Sale, "sell_to_cover"),
    ("quick sell", Kind::Sale, ""),
    ("forced quick sell", Kind::Sale, "forced"),
    ("dividend", Kind::Cash(A::Dividend), ""),
    ("credit interest", Kind::Cash(A::Interest), ""),
    ("tax withholding", Kind::Cash(A::TaxWithheld), ""),
    ("tax reversal", Kind::Cash(A::TaxWithheld), "reversal"),
    ("service fee", Kind::Cash(A::Fee), ""),
    ("wire transfer", Kind::Cash(A::Withdrawal), "wire"),
    ("disbursement", Kind::Cash(A::Withdrawal), ""),
    ("forced disbursement", Kind::Cash(A::Withdrawal), "forced"),
    ("journal", Kind::Leaves, "journal"),
    ("transfer", Kind::Leaves, ""),
    ("share transfer", Kind::Leaves, ""),
    ("lapse", Kind::Ignore("the shares arrive by the deposit that follows it"), ""),
    ("grant", Kind::Ignore("an award that has not vested is not held yet"), ""),
];

/// The text of a field in either shape: `vestDate` or `VestDate`.
fn get(fields: &Fields<'_>, name: &str) -> Option<String> {
    words(fields, name).or_else(|| words(fields, &pascal(name)))
}

fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn date(fields: &Fields<'_>, name: &str) -> Result<Option<Date>, Fault> {
    let Some(text) = get(fields, name) else { return Ok(None) };
    let read = cell::date(&text, &[DateStyle::MonthDayYear, DateStyle::Iso]);
    read.map(Some).ok_or_else(|| Fault::new(name, &text, "is not a date (expected MM/DD/YYYY)"))
}

fn price(fields: &Fields<'_>, name: &str) -> Result<Option<Price>, Fault> {
    get(fields, name).map(|text| facts::price(name, &text)).transpose()
}

fn event(fields: &Fields<'_>, row: u32, gathering: &mut Gathering) -> Result<Outcome, Fault> {
    let action = get(fields, "action").ok_or_else(|| Fault::missing("action"))?;
    let wanted = action.trim().to_ascii_lowercase();
    let (kind, detail) = match KINDS.iter().find(|(name, ..)| *name == wanted) {
        Some((_, kind, detail)) => (*kind, *detail),
        None => match gathering.meaning("action", &action, row)? {
            Meaning::Do(A::Sell) => (Kind::Sale, ""),
            Meaning::Do(A::Grant) => (Kind::Deposit, ""),
            Meaning::Do(action) => (Kind::Cash(action), ""),
            Meaning::LeaveOut => return Ok(Outcome::ignore(&action, LEFT_OUT)),
        },
    };
    if let Kind::Ignore(reason) = kind {
        return Ok(Outcome::ignore(&action, reason));
    }
    let column = if words(fields, "eventDate").is_some() { "eventDate" } else { "date" };
    let day = date(fields, column)?.ok_or_else(|| Fault::missing(column))?;
    let mut draft = Transaction::new(A::Other, day, row);
    if let Some(text) = get(fields, "symbol") {
        (draft.symbol, draft.cusip) = facts::security("symbol", &text)?;
    }
    draft.description = describe(&[Some(&action), get(fields, "description").as_deref()]);
    draft.detail = (!detail.is_empty()).then_some(detail.into());
    let fees = ["totalCommissionsAndFees", "feesAndCommissions"];
    let fees = fees.iter().find_map(|name| get(fields, name).map(|text| facts::money(name, &text)));
    draft.fees = fees.transpose()?.unwrap_or_default().abs();
    let amount = get(fields, "amount").map(|text| facts::money("amount", &text)).transpose()?;
    let quantity = get(fields, "quantity").map(|text| facts::shares("quantity", &text)).transpose()?;
    let details = details(fields)?;
    let details: Vec<Fields<'_>> = details.iter().filter_map(|value| parts(*value)).collect();
    let amount = match kind {
        Kind::Deposit => {
            draft.action = A::Grant;
            draft.shares = quantity.map(Shares::abs);
            deposit(&details, &mut draft)?;
            None
        }
        Kind::Sale => {
            draft.action = A::Sell;
            draft.shares = quantity.map(|shares| -shares.abs());
            sale(&details, amount, &mut draft, gathering)?
        }
        Kind::Cash(action) => {
            draft.action = action;
            let leaves = matches!(action, A::Withdrawal | A::Fee);
            amount.map(|amount| if leaves { -amount.abs() } else { amount })
        }
        Kind::Leaves => {
            draft.action = A::TransferOut;
            draft.shares = quantity.map(|shares| -shares.abs());
            amount.map(|amount| -amount.abs()).filter(|_| draft.shares.is_none())
        }
        Kind::Ignore(_) => None,
    };
    facts::complete(&mut draft, amount, &NAMES)?;
    Ok(Outcome::Take(Box::new(draft)))
}

/// The list of details, empty where there is none.
fn details<'a>(fields: &Fields<'a>) -> Result<Vec<Value<'a>>, Fault> {
    let list = field(fields, "transactionDetails").or_else(|| field(fields, "TransactionDetails"));
    let Some(list) = list else { return Ok(Vec::new()) };
    list.elements().ok_or_else(|| Fault::new("transactionDetails", list.json(), "is no list"))
}

/// The fields of one detail, which the newer shape keeps under `Details`.
fn parts<'a>(value: Value<'a>) -> Option<Fields<'a>> {
    let fields = value.fields()?;
    match field(&fields, "Details").and_then(Value::fields) {
        Some(inner) => Some(inner),
        None => Some(fields),
    }
}

/// When shares of a detail were acquired, and the cost of each: restricted stock by its vesting, purchase plans by what
/// was paid (the discount that is taxed as wage joins the basis later and is not in the file).
fn acquired(detail: &Fields<'_>) -> Result<(Option<Date>, Option<Price>), Fault> {
    if let Some(vested) = date(detail, "vestDate")? {
        return Ok((Some(vested), price(detail, "vestFairMarketValue")?));
    }
    if let Some(bought) = date(detail, "purchaseDate")? {
        return Ok((Some(bought), price(detail, "purchasePrice")?));
    }
    Ok((None, None))
}

/// Shares that arrive: one lot, acquired when it vested or was bought.
fn deposit(details: &[Fields<'_>], draft: &mut Transaction) -> Result<(), Fault> {
    let (Some(shares), [detail]) = (draft.shares, details) else { return Ok(()) };
    let (day, cost) = acquired(detail)?;
    draft.price = cost;
    let name = ["awardName", "awardId", "grantId"].iter().find_map(|name| get(detail, name));
    if day.is_some() || name.is_some() {
        let basis = cost.and_then(|cost| gross(cost, shares));
        draft.lots = vec![StatedLot { id: name, acquired: day, shares, basis, ..StatedLot::default() }];
    }
    Ok(())
}

/// A sale: cash after fees, and the lots that it closed. Returns the cash.
fn sale(
    details: &[Fields<'_>],
    amount: Option<Money>,
    draft: &mut Transaction,
    gathering: &mut Gathering,
) -> Result<Option<Money>, Fault> {
    let mut lots = Vec::new();
    let (mut sum, mut proceeds) = (Shares::ZERO, Money::ZERO);
    let mut prices = Vec::new();
    for detail in details {
        let Some(text) = get(detail, "shares") else { continue };
        let shares = facts::shares("shares", &text)?;
        if !shares.is_positive() {
            continue;
        }
        let sold_at = price(detail, "salePrice")?;
        let (day, cost) = acquired(detail)?;
        let stated = get(detail, "grossProceeds").map(|text| facts::money("grossProceeds", &text)).transpose()?;
        let part = stated.or_else(|| sold_at.and_then(|price| gross(price, shares)));
        sum = sum.checked_add(shares).ok_or_else(|| Fault::new("shares", &text, "is too large"))?;
        proceeds += part.unwrap_or_default();
        if let Some(price) = sold_at.filter(|price| !prices.contains(price)) {
            prices.push(price);
        }
        lots.push(StatedLot {
            id: get(detail, "grantId"),
            acquired: day,
            shares,
            basis: cost.and_then(|cost| gross(cost, shares)),
            ..StatedLot::default()
        });
    }
    if let [price] = prices.as_slice() {
        draft.price = Some(*price);
    }
    if !lots.is_empty() && Some(-sum) == draft.shares {
        draft.lots = lots;
    } else if !lots.is_empty() {
        let text = "Sales list lots whose shares do not sum to the shares sold. Sell by the account's method instead?";
        gathering.ask("lots-incomplete", text, "sell by the account's method", draft.row);
    }
    // Files state the amount before or after fees; the proceeds of the lots tell which.
    let before_fees = |amount: Money| {
        let cent = Money::from_billionths(10_000_000);
        (amount - proceeds).abs() <= cent && draft.fees > cent
    };
    Ok(match amount {
        Some(amount) if !proceeds.is_zero() && before_fees(amount.abs()) => Some(amount.abs() - draft.fees),
        Some(amount) => Some(amount.abs()),
        None if !proceeds.is_zero() => Some(proceeds - draft.fees),
        None => None,
    })
}
