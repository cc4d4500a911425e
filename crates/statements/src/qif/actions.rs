//! The actions of investment records, the forms with an X (cash from or to another account) among them.

use crate::Action;
use Action as A;

/// What an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// An event: action, direction of the cash, detail.
    Do(Action, Direction, &'static str),
    /// No event.
    Ignore(&'static str),
    /// An event that is refused.
    Refuse(&'static str),
}

/// How the unsigned amount moves cash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Out.
    Costs,
    /// In; a negative one takes an earlier payment back.
    Pays,
    /// As signed.
    Signed,
    /// The amount is a value of shares; no cash moves.
    Shares,
}

impl Direction {
    /// The direction of an action that a person named.
    pub(super) fn of(action: Action) -> Self {
        match action {
            A::Buy | A::Reinvest | A::Fee | A::TaxWithheld | A::Withdrawal | A::TransferOut => Self::Costs,
            A::Sell | A::Dividend | A::CapitalGainDistribution | A::Interest | A::Deposit | A::TransferIn => Self::Pays,
            _ => Self::Signed,
        }
    }
}

use Direction::{Costs, Pays, Shares, Signed};
use Known::{Do, Ignore, Refuse};

const EMPLOYEE_OPTION: &str = "concerns an employee option, of which nothing is held yet";

/// Actions without their X.
const ACTIONS: [(&str, Known); 36] = [
    ("buy", Do(A::Buy, Costs, "")),
    ("bought", Do(A::Buy, Costs, "")),
    ("sell", Do(A::Sell, Pays, "")),
    ("sold", Do(A::Sell, Pays, "")),
    ("shtsell", Do(A::Sell, Pays, "short_sale")),
    ("cvrshrt", Do(A::Buy, Costs, "short_cover")),
    ("reinvdiv", Do(A::Reinvest, Costs, "includes_dividend")),
    ("reinvint", Do(A::Reinvest, Costs, "includes_interest")),
    ("reinvlg", Do(A::Reinvest, Costs, "includes_long_term_gain")),
    ("reinvmd", Do(A::Reinvest, Costs, "includes_long_term_gain")),
    ("reinvsh", Do(A::Reinvest, Costs, "includes_short_term_gain")),
    ("div", Do(A::Dividend, Pays, "")),
    ("cglong", Do(A::CapitalGainDistribution, Pays, "long_term")),
    ("cgmid", Do(A::CapitalGainDistribution, Pays, "long_term")),
    ("cgshort", Do(A::CapitalGainDistribution, Pays, "short_term")),
    ("intinc", Do(A::Interest, Pays, "")),
    ("margint", Do(A::Interest, Costs, "margin_interest")),
    ("miscinc", Do(A::Other, Pays, "miscellaneous_income")),
    ("miscexp", Do(A::Fee, Costs, "miscellaneous_expense")),
    ("rtrncap", Do(A::ReturnOfCapital, Pays, "")),
    ("cash", Do(A::Deposit, Signed, "")),
    ("contrib", Do(A::Deposit, Pays, "")),
    ("withdrw", Do(A::Withdrawal, Costs, "")),
    ("xin", Do(A::TransferIn, Pays, "")),
    ("xout", Do(A::TransferOut, Costs, "")),
    ("shrsin", Do(A::TransferIn, Shares, "")),
    ("shrsout", Do(A::TransferOut, Shares, "")),
    ("stksplit", Do(A::Split, Signed, "")),
    ("stkdiv", Refuse("is a stock dividend, whose shares Quicken states in two ways; enter it as a split")),
    ("exercis", Refuse("exercises an employee option, whose basis is not in the file; enter the purchase by hand")),
    ("exercise", Refuse("exercises an employee option, whose basis is not in the file; enter the purchase by hand")),
    ("grant", Ignore(EMPLOYEE_OPTION)),
    ("vest", Ignore(EMPLOYEE_OPTION)),
    ("expire", Ignore(EMPLOYEE_OPTION)),
    ("reminder", Ignore("a reminder, no event")),
    ("errata", Refuse("corrects another record without saying which")),
];

/// The action of this name, in any case, with or without an X at its end.
pub(super) fn find(word: &str) -> Option<Known> {
    let word = word.trim().to_ascii_lowercase();
    let exact = ACTIONS.iter().find(|(name, _)| *name == word);
    let found = exact.or_else(|| {
        let stem = word.strip_suffix('x')?;
        ACTIONS.iter().find(|(name, _)| *name == stem)
    });
    found.map(|(_, known)| *known)
}
