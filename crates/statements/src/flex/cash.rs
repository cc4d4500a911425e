//! Cash transactions.

use lotwise_core::Symbol;

use super::record::Record;
use crate::gather::{Fault, Gathering, clip};
use crate::{Action, Transaction};

/// Types of cash transaction by the report's own words, in lower case. Movements of cash are told by sign.
const TYPES: [(&str, Option<Action>, Option<&str>); 25] = [
    ("dividends", Some(Action::Dividend), None),
    ("payment in lieu of dividends", Some(Action::Dividend), Some("payment_in_lieu")),
    ("withholding tax", Some(Action::TaxWithheld), None),
    ("871(m) withholding", Some(Action::TaxWithheld), Some("section_871m")),
    ("broker interest paid", Some(Action::Interest), None),
    ("broker interest received", Some(Action::Interest), None),
    ("bond interest", Some(Action::Interest), Some("bond_interest")),
    ("bond interest paid", Some(Action::Interest), Some("bond_interest")),
    ("bond interest received", Some(Action::Interest), Some("bond_interest")),
    ("broker fees", Some(Action::Fee), None),
    ("other fees", Some(Action::Fee), None),
    ("advisor fees", Some(Action::Fee), Some("advisor_fee")),
    ("client fees", Some(Action::Fee), Some("advisor_fee")),
    ("sales tax", Some(Action::Fee), Some("sales_tax")),
    ("transaction tax", Some(Action::Fee), Some("transaction_tax")),
    ("commission adjustments", Some(Action::Fee), Some("commission_adjustment")),
    ("deposits & withdrawals", None, None),
    ("deposits/withdrawals", None, None),
    ("deposits and withdrawals", None, None),
    ("deposits", None, None),
    ("withdrawals", None, None),
    ("price adjustments", Some(Action::Other), Some("price_adjustment")),
    ("other income", Some(Action::Other), Some("other_income")),
    ("cash receipts", Some(Action::Other), Some("cash_receipt")),
    ("realized p/l", Some(Action::Other), Some("realized_profit")),
];

/// What the words in brackets at the end of a dividend's description make of it.
const DIVIDEND_KINDS: [(&str, Action, &str); 3] = [
    ("(RETURN OF CAPITAL)", Action::ReturnOfCapital, "return_of_capital"),
    ("(LONG TERM CAPITAL GAIN)", Action::CapitalGainDistribution, "long_term"),
    ("(SHORT TERM CAPITAL GAIN)", Action::CapitalGainDistribution, "short_term"),
];

/// Reads one cash transaction.
pub(super) fn cash(record: Record<'_, '_>, gathering: &mut Gathering) -> Result<Transaction, Fault> {
    let mut draft = record.draft(&["dateTime", "settleDate", "reportDate"], &["transactionID"], gathering)?;
    let word = record.get("type").ok_or_else(|| Fault::missing("type"))?;
    let lower = word.to_ascii_lowercase();
    let Some(&(_, action, detail)) = TYPES.iter().find(|(known, ..)| *known == lower) else {
        let short = clip(word, 60);
        let text = format!("The file has cash transactions of type {short:?}. What are they?");
        gathering.ask(&format!("unknown-action:{short}"), &text, "leave them out", record.row());
        return Err(Fault::new("type", word, "is not a known type of cash transaction"));
    };
    draft.amount = record.required_money(&["amount"])?;
    draft.detail = detail.map(Into::into);
    draft.action = match action {
        Some(action) => action,
        None if draft.amount.is_negative() => Action::Withdrawal,
        None => Action::Deposit,
    };
    if draft.symbol.is_none() && matches!(draft.action, Action::Dividend | Action::TaxWithheld | Action::Fee) {
        draft.symbol = ticker_in(&draft.description);
    }
    if draft.action == Action::Dividend {
        let words = draft.description.to_ascii_uppercase();
        if let Some(&(_, action, detail)) = DIVIDEND_KINDS.iter().find(|(end, ..)| words.ends_with(end)) {
            (draft.action, draft.detail) = (action, Some(detail.into()));
        }
    }
    Ok(draft)
}

/// The ticker before the first bracket: `ACRN(US0378331005) CASH DIVIDEND …`.
fn ticker_in(description: &str) -> Option<Symbol> {
    let (ticker, rest) = description.split_once('(')?;
    let code = rest.split(')').next().unwrap_or_default();
    let coded = (6..=12).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (coded && !ticker.contains(' ')).then(|| Symbol::parse(ticker).ok()).flatten()
}
