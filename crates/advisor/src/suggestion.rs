//! A suggestion, complete or not shown (UX section 5): what to do, what it is worth after tax,
//! why, what else could be done, and which limits were checked.

use lotwise_core::{Date, Money, Price, Shares, Symbol};
use lotwise_tax::{AccountId, LotId, SaleRow, Term};

/// What is suggested for a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Buy for cash.
    Buy,
    /// Keep what is there.
    Hold,
    /// Sell for cash.
    Sell,
}

impl Side {
    /// `BUY`, `HOLD` or `SELL`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Hold => "HOLD",
            Self::Sell => "SELL",
        }
    }
}

/// Why a suggestion is made at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Motive {
    /// A loss that lowers the tax bill.
    Harvest,
    /// A gain that soon becomes long-term.
    Wait,
    /// The policy wants another weight.
    Rebalance,
    /// Cash that the person needs.
    RaiseCash,
    /// Nothing to do.
    Keep,
}

/// Where a reason comes from (UX section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonSource {
    /// The person's own history and holdings.
    YourData,
    /// The tax code.
    TaxRule,
    /// The policy, classical or learned.
    Model,
    /// A stated assumption.
    Assumption,
}

impl ReasonSource {
    /// `your data`, `tax rule`, `model` or `assumption`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::YourData => "your data",
            Self::TaxRule => "tax rule",
            Self::Model => "model",
            Self::Assumption => "assumption",
        }
    }
}

/// One reason with its weight in dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where it comes from.
    pub source: ReasonSource,
    /// A sentence without a final period.
    pub text: String,
    /// Dollars for (positive) or against (negative) the suggestion.
    pub weight: Money,
}

/// Shares of one lot in a suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotShare {
    /// Account that holds the lot.
    pub account: AccountId,
    /// The lot.
    pub lot: LotId,
    /// Shares of it.
    pub shares: Shares,
    /// Acquisition date, where known.
    pub acquired: Option<Date>,
    /// Term if sold now, where known.
    pub term: Option<Term>,
    /// Gain if sold now, where the basis is known.
    pub gain: Option<Money>,
    /// Part of a loss that the wash-sale rule would disallow.
    pub disallowed: Money,
}

impl From<&SaleRow> for LotShare {
    fn from(row: &SaleRow) -> Self {
        Self {
            account: row.account.clone(),
            lot: row.lot.clone(),
            shares: row.shares,
            acquired: row.acquired,
            term: row.term,
            gain: row.gain,
            disallowed: row.disallowed,
        }
    }
}

/// Something else that could be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What, as a short sentence without a final period.
    pub text: String,
    /// Dollars after tax compared with the suggestion; `None` where no figure is honest.
    pub difference: Option<Money>,
}

/// A guardrail (SPEC S-05) with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitCheck {
    /// `max_position`, `max_order` or `daily_loss`.
    pub name: &'static str,
    /// The number of this suggestion, as decimal text.
    pub value: String,
    /// The limit, as decimal text.
    pub threshold: String,
    /// Whether it holds.
    pub pass: bool,
    /// What happens if it does not, or how the number came about.
    pub note: String,
}

/// A complete suggestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Stable id: equal inputs give equal ids.
    pub id: String,
    /// Why it is made.
    pub motive: Motive,
    /// The security.
    pub symbol: Symbol,
    /// Account that buys, for a purchase; what is sold names its accounts with its lots.
    pub account: Option<AccountId>,
    /// What to do.
    pub side: Side,
    /// Fraction of the account's value now.
    pub current_weight: f64,
    /// Fraction that the plan aims at.
    pub target_weight: f64,
    /// Shares to trade, zero or positive.
    pub shares: Shares,
    /// Cash in (positive) or out (negative) before tax and cost.
    pub amount: Money,
    /// Lots concerned.
    pub lots: Vec<LotShare>,
    /// Gain after tax (or loss after its tax value) if the shares are sold now.
    pub after_tax_now: Option<Money>,
    /// The same if sold on [`Suggestion::wait_until`] at the same price.
    pub after_tax_wait: Option<Money>,
    /// What following the suggestion is worth after tax, compared with the plain other course.
    pub saving: Option<Money>,
    /// The date waited for.
    pub wait_until: Option<Date>,
    /// Price on that date at which waiting and selling now come out equal.
    pub break_even_price: Option<Price>,
    /// Probability of a price below the break-even on that date.
    pub break_even_probability: Option<f64>,
    /// What to buy instead, for a harvest.
    pub replacement: Option<Symbol>,
    /// Three reasons with signed dollars.
    pub reasons: Vec<Reason>,
    /// Two or more, always with doing nothing.
    pub alternatives: Vec<Alternative>,
    /// The three guardrails.
    pub limits: Vec<LimitCheck>,
    /// Share of past cases in which such a suggestion was right on unseen data; `None`: not known.
    pub confidence: Option<f64>,
    /// What stands behind it, instead of a bare percentage.
    pub evidence: String,
    /// What would change the suggestion.
    pub would_change: String,
    /// What we do not know.
    pub unknowns: String,
    /// The suggestion as one sentence.
    pub sentence: String,
}

/// Whole dollars for a sentence: `$1,234`, with a true minus for less than nothing.
#[must_use]
pub fn dollars(amount: Money) -> String {
    let rounded = amount.round(0, lotwise_core::Rounding::HalfEven);
    let whole = rounded.abs().to_string();
    let digits = whole.split('.').next().unwrap_or("0");
    let sign = if rounded.is_negative() { "−" } else { "" };
    format!("{sign}${}", grouped(digits))
}

/// `1 row`, `2 rows`.
#[must_use]
pub fn count(number: usize, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{} {unit}s", grouped(&number.to_string())) }
}

/// `1 share`, `2.5 shares`, exactly.
#[must_use]
pub fn share_text(shares: Shares) -> String {
    if shares == Shares::from_whole(1) { "1 share".to_owned() } else { format!("{shares} shares") }
}

/// Shares for a sentence: at most four decimals, thousands grouped.
#[must_use]
pub fn share_count(shares: Shares) -> String {
    let text = shares.round(4, lotwise_core::Rounding::HalfEven).to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("−", rest));
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_like_prose() {
        let money = |text: &str| Money::parse(text).unwrap();
        assert_eq!(dollars(money("1234567.5")), "$1,234,568");
        assert_eq!(dollars(money("-999.4")), "−$999");
        assert_eq!(dollars(money("-0.2")), "$0");
        assert_eq!(share_count(Shares::parse("1259.59").unwrap()), "1,259.59");
        assert_eq!(share_count(Shares::parse("12").unwrap()), "12");
        assert_eq!(
            (count(1, "row"), count(0, "row"), count(1200, "row")),
            ("1 row".into(), "0 rows".into(), "1,200 rows".into())
        );
    }
}
