//! The words of a suggestion: one sentence with verb, amount and object.

use lotwise_core::{Calendar, Date, Money, Price, Rate, Rounding, Shares, Symbol};
use lotwise_tax::WaitForLongTerm;

use crate::economics::HarvestValue;
use crate::harvest::HarvestCandidate;
use crate::plan::{PlannedPurchase, PlannedSale};
use crate::portfolio::Portfolio;
use crate::suggestion::{count, dollars, share_count};

/// `24 %`, with as many decimals as it needs.
pub(super) fn percent(rate: Rate) -> String {
    let hundred = Rate::from_billionths(rate.billionths() * 100);
    format!("{} %", hundred.round(2, Rounding::HalfEven))
}

/// `$184.33`.
pub(super) fn price(price: Price) -> String {
    format!("${}", price.round(2, Rounding::HalfEven))
}

pub(super) fn harvest(candidate: &HarvestCandidate) -> String {
    let instead = candidate.replacement.as_ref().map_or_else(String::new, |found| {
        format!(" and hold {} instead until {}", found.symbol, candidate.rebuy_from.long())
    });
    format!(
        "Sell {} shares of {} at a loss of {}{instead}: worth about {} after tax",
        share_count(candidate.shares),
        candidate.symbol,
        dollars(candidate.loss),
        dollars(candidate.worth.net)
    )
}

pub(super) fn wait(
    symbol: &Symbol,
    shares: Shares,
    days: i32,
    until: Date,
    wait: &WaitForLongTerm,
    wanted: bool,
) -> String {
    let opening = if wanted { "Wait" } else { "If you think of selling, wait" };
    let unit = if days == 1 { "day" } else { "days" };
    let opens = Calendar::new_york().on_or_after(until).filter(|&session| session != until);
    let opens = opens.map_or_else(String::new, |session| format!(" (the exchange opens on {})", session.long()));
    format!(
        "{opening} {days} {unit} before selling these {} shares of {symbol}: from {}{opens} the tax is {} lower",
        share_count(shares),
        until.long(),
        dollars(wait.saving)
    )
}

pub(super) fn sale(sale: &PlannedSale, after: f64, tax: Money, saved_by_lots: Money) -> String {
    let lots = if saved_by_lots >= Money::from_whole(1) {
        format!(", {} less than if the oldest shares went", dollars(saved_by_lots))
    } else {
        String::new()
    };
    let tax = if tax.is_negative() {
        format!("this year's tax falls by {}", dollars(tax.abs()))
    } else if tax.round(0, Rounding::HalfEven).is_zero() {
        "no tax this year".to_owned()
    } else {
        format!("{} of tax this year", dollars(tax))
    };
    format!(
        "Sell {} shares of {} for {}, down to {:.1} % of your money: {tax}{lots}",
        share_count(sale.shares),
        sale.symbol,
        dollars(sale.amount),
        after * 100.0
    )
}

pub(super) fn purchase(purchase: &PlannedPurchase, after: f64) -> String {
    format!(
        "Buy {} shares of {} for {} in the account {}, up to {:.1} % of your money",
        share_count(purchase.shares),
        purchase.symbol,
        dollars(purchase.amount),
        purchase.account,
        after * 100.0
    )
}

/// The cash behind a purchase, and why this account buys.
pub(super) fn cash_for(purchase: &PlannedPurchase, portfolio: &Portfolio) -> String {
    let account = &purchase.account;
    let cash = portfolio.tradable_accounts.get(account).copied().unwrap_or_default();
    let summed = format!(
        "{} of cash is in the account {account} before this plan, summed from the rows of your files",
        dollars(cash)
    );
    if portfolio.tradable_accounts.len() < 2 {
        return summed;
    }
    let kind = if portfolio.is_taxable(account) { "taxable accounts" } else { "accounts" };
    format!("{summed}; of your {kind} it has the most left for this purchase after the plan's sales")
}

/// What a usable loss meets.
pub(super) fn loss_use(worth: &HarvestValue, candidate: &HarvestCandidate) -> String {
    let (disallowed, lost) = (candidate.disallowed, candidate.lost_for_good);
    let usable = candidate.loss - disallowed;
    let mut parts = Vec::new();
    for (amount, what) in [
        (worth.against_short.amount, "short-term gains of this year"),
        (worth.against_long.amount, "long-term gains of this year"),
        (worth.against_ordinary.amount, "ordinary income"),
        (worth.carried.amount, "gains of later years"),
    ] {
        if amount.is_positive() {
            parts.push(format!("{} of {what}", dollars(amount)));
        }
    }
    let meets = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    let mut washed = String::new();
    if disallowed > lost {
        washed.push_str(&format!(
            "; {} is disallowed as a wash sale and moves to the replacement lots",
            dollars(disallowed - lost)
        ));
    }
    if lost.is_positive() {
        washed.push_str(&format!("; {} is lost for good, because a retirement account bought", dollars(lost)));
    }
    format!("the usable loss of {} can offset {meets}{washed}", dollars(usable))
}

pub(super) fn break_even(wait: &WaitForLongTerm, volatility: Option<f64>, chance: Option<f64>, days: i32) -> String {
    let fall = wait.break_even_fall.to_f64() * 100.0;
    let base =
        format!("selling now comes out equal at {} on that date, a fall of {fall:.1} %", price(wait.break_even_price));
    match (volatility, chance) {
        (Some(volatility), Some(chance)) => format!(
            "{base}; at the past year's volatility of {:.0} % the chance of a larger fall in {days} days is about {:.0} %",
            volatility * 100.0,
            chance * 100.0
        ),
        _ => format!("{base}; the chance of that is not available, because there are too few prices"),
    }
}

pub(super) fn tax_of_sale(short: Money, long: Money, tax: Money, disallowed: Money) -> String {
    let washed = if disallowed.is_positive() {
        format!(", {} of loss is disallowed as a wash sale", dollars(disallowed))
    } else {
        String::new()
    };
    format!(
        "{} short-term and {} long-term gain change this year's tax by {}{washed}",
        dollars(short),
        dollars(long),
        dollars(tax)
    )
}

pub(super) fn unseen_accounts(portfolio: &Portfolio) -> String {
    let names: Vec<&str> = portfolio.accounts.keys().map(lotwise_tax::AccountId::as_str).collect();
    format!(
        "purchases in accounts that are not loaded, yours or your spouse's, IRAs included; loaded: {}",
        names.join(", ")
    )
}

pub(super) fn sale_unknowns(sale: &PlannedSale, portfolio: &Portfolio) -> String {
    if sale.unknown_lots > 0 {
        let lots = count(sale.unknown_lots, "lot");
        let left = if sale.unknown_lots == 1 { "is" } else { "are" };
        format!("the basis of {lots}, which {left} left alone; {}", unseen_accounts(portfolio))
    } else {
        unseen_accounts(portfolio)
    }
}
