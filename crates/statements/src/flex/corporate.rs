//! Corporate actions.

use lotwise_core::{Money, Shares};

use super::record::Record;
use crate::gather::{Fault, Gathering, clip};
use crate::{Action, Transaction};

/// Codes of the report, and what they are to us.
const TYPES: [(&str, Action, Option<&str>); 33] = [
    ("FS", Action::Split, None),
    ("FI", Action::Split, None),
    ("RS", Action::Split, Some("reverse")),
    ("SD", Action::Split, Some("stock_dividend")),
    ("HI", Action::Split, Some("stock_dividend")),
    ("SO", Action::Spinoff, None),
    ("TC", Action::Merger, None),
    ("IC", Action::Merger, Some("name_change")),
    ("TO", Action::Merger, Some("tender")),
    ("TI", Action::Merger, Some("tender")),
    ("BC", Action::Merger, Some("bond_conversion")),
    ("CD", Action::Dividend, Some("cash_dividend")),
    ("CP", Action::Interest, Some("coupon")),
    ("BM", Action::Other, Some("bond_maturity")),
    ("TP", Action::Other, Some("bond_call")),
    ("DW", Action::Other, Some("worthless")),
    ("RI", Action::Other, Some("rights_issue")),
    ("DI", Action::Other, Some("rights_issue")),
    ("PI", Action::Other, Some("purchase_issue")),
    ("SR", Action::Other, Some("rights_exercised")),
    ("ED", Action::Other, Some("rights_expired")),
    ("CH", Action::Other, Some("choice_of_dividend")),
    ("HD", Action::Other, Some("choice_of_dividend")),
    ("GV", Action::Other, Some("voluntary_offer")),
    ("PV", Action::Other, Some("proxy_vote")),
    ("OR", Action::Other, Some("asset_purchase")),
    ("FA", Action::Other, Some("fee_allocation")),
    ("CA", Action::Other, Some("contract_adjusted")),
    ("CC", Action::Other, Some("contract_adjusted")),
    ("CI", Action::Other, Some("contract_adjusted")),
    ("CO", Action::Other, Some("contract_adjusted")),
    ("CS", Action::Other, Some("contract_adjusted")),
    ("CT", Action::Other, Some("contract_adjusted")),
];

/// Reads one leg of a corporate action. `legs` is the number of records of the same action.
pub(super) fn corporate_action(
    record: Record<'_, '_>,
    legs: usize,
    gathering: &mut Gathering,
) -> Result<Transaction, Fault> {
    let mut draft = record.draft(&["dateTime", "reportDate"], &["transactionID"], gathering)?;
    let code = record.get("type").ok_or_else(|| Fault::missing("type"))?;
    let Some(&(_, action, detail)) = TYPES.iter().find(|(known, ..)| *known == code) else {
        let short = clip(code, 60);
        let text = format!("The file has corporate actions of type {short:?}. What are they?");
        gathering.ask(&format!("unknown-action:{short}"), &text, "leave them out", record.row());
        return Err(Fault::new("type", code, "is not a known corporate action"));
    };
    (draft.action, draft.detail) = (action, detail.map(Into::into));
    draft.shares = record.shares(&["quantity"])?.filter(|shares| !shares.is_zero());
    // `amount` counts the value of shares too; only the proceeds are cash.
    draft.amount = record.money(&["proceeds"])?.unwrap_or(Money::ZERO);
    if action == Action::Split {
        // Where the old security leaves and a new one comes, the two changes say it all.
        if legs == 1 {
            draft.split_ratio = ratio(&draft.description);
        }
        if draft.shares.is_none() && draft.split_ratio.is_none() {
            return Err(Fault::missing("quantity"));
        }
    }
    Ok(draft)
}

/// What the records of one corporate action share.
pub(super) fn action_key<'r>(record: Record<'r, '_>) -> (&'r str, &'r str, &'r str) {
    let day = record.first(&["dateTime", "reportDate"]).map_or("", |(_, text)| text);
    let name = record.get("actionID").or_else(|| record.get("description").and_then(|text| text.split('(').next()));
    (record.account(), day, name.unwrap_or_default())
}

/// New and old shares from `SPLIT 4 FOR 1`.
fn ratio(description: &str) -> Option<(Shares, Shares)> {
    let upper = description.to_ascii_uppercase();
    let (_, after) = upper.split_once("SPLIT ")?;
    let mut words = after.split_whitespace();
    let (new, word, old) = (words.next()?, words.next()?, words.next()?);
    let parse = |text: &str| Shares::parse(text).ok().filter(|shares| shares.is_positive());
    (word == "FOR").then_some(())?;
    Some((parse(new)?, parse(old)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_of_a_split_stands_in_its_description() {
        let whole = Shares::from_whole;
        assert_eq!(ratio("AAPL(US0378331005) SPLIT 4 FOR 1 (AAPL, APPLE INC)"), Some((whole(4), whole(1))));
        assert_eq!(ratio("X(US0) split 1 for 8 (X, X INC)"), Some((whole(1), whole(8))));
        for text in ["SPLIT 0 FOR 1 (X)", "SPLIT x FOR 1", "SPINOFF 1 FOR 2", "SPLIT 4", ""] {
            assert_eq!(ratio(text), None, "{text}");
        }
    }
}
