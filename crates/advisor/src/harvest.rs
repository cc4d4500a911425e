//! Losses worth taking: what each is worth now, what it costs later, and what to hold instead.

use std::collections::BTreeSet;

use lotwise_core::{Date, Money, Rate, Shares, Symbol};
use lotwise_market::{AsOf, AssetIdx, Tickers};
use lotwise_tax::{Event, EventKind, LotId, Rules, Way};

use crate::Error;
use crate::economics::{HarvestContext, HarvestValue, Horizon, harvest_value};
use crate::portfolio::{Holding, Portfolio, PricedLot};
use crate::replacement::{Likeness, Replacement, Representations, most_alike, one_company};
use crate::suggestion::LotShare;
use crate::tax_profile::TaxProfile;
use crate::what_if::{Desk, Order, add_lot};

/// A loss counts from this fraction of the basis (SPEC T-08).
const MIN_LOSS_FRACTION: i128 = 20_000_000;
/// Dollars below which a harvest is not worth two orders.
const SMALLEST_WORTH: i64 = 1;
/// A security without a close in so many days is not offered instead of another.
const OLDEST_CLOSE_DAYS: i32 = 7;

/// What the person wants from a harvest.
#[derive(Debug, Clone, PartialEq)]
pub struct HarvestOptions {
    /// Leave out losses below this amount.
    pub min_loss: Money,
    /// When the replacement is sold and at what return, for the present value of its lower basis.
    pub horizon: Horizon,
    /// What an encoder says of the companies of the day: the replacement is then the nearest of them. Without
    /// it, and for what it does not know, the replacement is the one of the same sector whose returns move most closely with the one sold.
    pub representations: Option<Representations>,
}

impl Default for HarvestOptions {
    /// No least loss; ten years at 7 %, the stated assumptions of tax rule 7.3.
    fn default() -> Self {
        Self { min_loss: Money::ZERO, horizon: Horizon::default(), representations: None }
    }
}

/// A symbol whose loss lots can be sold today.
#[derive(Debug, Clone, PartialEq)]
pub struct HarvestCandidate {
    /// The security.
    pub symbol: Symbol,
    /// Loss lots.
    pub lots: Vec<LotShare>,
    /// The sale, one order per account.
    pub orders: Vec<Order>,
    /// Shares over the lots.
    pub shares: Shares,
    /// Value over the lots.
    pub value: Money,
    /// Loss before the wash-sale rule, positive.
    pub loss: Money,
    /// Part that the wash-sale rule would disallow now, positive.
    pub disallowed: Money,
    /// Part of [`HarvestCandidate::disallowed`] that is gone for good, because a retirement account
    /// made the purchase.
    pub lost_for_good: Money,
    /// Purchases that cause it.
    pub washed_by: Vec<LotId>,
    /// What the usable part is worth, with all its parts.
    pub worth: HarvestValue,
    /// First day on which no purchase of the last 30 days disallows a part.
    pub clear_from: Option<Date>,
    /// First day on which the same security can be bought back.
    pub rebuy_from: Date,
    /// What to hold meanwhile.
    pub replacement: Option<Replacement>,
    /// Why there is no replacement.
    pub no_replacement: Option<String>,
}

/// All candidates, the most valuable first, and those that are blocked today.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HarvestReport {
    /// Worth at least a dollar today.
    pub candidates: Vec<HarvestCandidate>,
    /// A loss is there, but a purchase of the last 30 days would disallow all of it, or it is worth
    /// less than a dollar after what it costs.
    pub set_aside: Vec<HarvestCandidate>,
    /// Losses of the candidates that the wash-sale rule leaves usable.
    pub usable_loss: Money,
    /// What the candidates are worth together, each counted after those before it.
    pub total_worth: Money,
}

/// Everything a harvest looks at.
#[derive(Clone, Copy)]
pub struct HarvestView<'a> {
    /// Holdings at today's prices.
    pub portfolio: &'a Portfolio,
    /// The ledger for hypothetical sales.
    pub desk: Desk<'a>,
    /// Prices up to today.
    pub market: AsOf<'a>,
    /// Sectors, where the data has them.
    pub tickers: Option<&'a Tickers>,
    /// The person's rates.
    pub tax: &'a TaxProfile,
}

/// Finds the losses worth taking today (SPEC T-07, T-08; tax rules 7.2, 7.3).
///
/// # Errors
/// When a hypothetical sale cannot be booked.
pub fn harvest(view: &HarvestView<'_>, options: &HarvestOptions) -> Result<HarvestReport, Error> {
    let mut report = HarvestReport::default();
    let mut found = Vec::new();
    for holding in &view.portfolio.holdings {
        if !holding.quote.is_usable() || holding.quote.asset.is_none() {
            continue;
        }
        let lots: Vec<&PricedLot> = holding.lots.iter().filter(|lot| worth_harvesting(lot, view.desk.cost)).collect();
        let loss: Money = lots.iter().filter_map(|lot| lot.gain).map(|gain| -gain).sum();
        if !lots.is_empty() && loss >= options.min_loss {
            found.push((holding, lots, loss));
        }
    }
    found.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.symbol.cmp(&b.0.symbol)));
    let not_offered = not_offered(view, &found.iter().map(|(holding, ..)| &holding.symbol).collect());
    let mut realised = (view.portfolio.realised.short, view.portfolio.realised.long);
    for (holding, lots, _) in &found {
        let (candidate, with_it) = assess(view, options, holding, lots, realised, &not_offered)?;
        if candidate.worth.net >= Money::from_whole(SMALLEST_WORTH) && candidate.disallowed < candidate.loss {
            realised = with_it;
            report.usable_loss += candidate.loss - candidate.disallowed;
            report.total_worth += candidate.worth.net;
            report.candidates.push(candidate);
        } else {
            report.set_aside.push(candidate);
        }
    }
    report.candidates.sort_by(|a, b| b.worth.net.cmp(&a.worth.net).then_with(|| a.symbol.cmp(&b.symbol)));
    Ok(report)
}

/// Loss of at least 2 % of the basis and three times the cost of a round trip (SPEC T-08).
fn worth_harvesting(lot: &PricedLot, cost: Rate) -> bool {
    let (Some(gain), Some(basis), true) = (lot.gain, lot.open.basis, lot.taxable) else { return false };
    let round_trip = lot.value * cost + lot.value * cost;
    let least = (basis * Rate::from_billionths(MIN_LOSS_FRACTION)).max(round_trip + round_trip + round_trip);
    gain.is_negative() && -gain >= least
}

fn assess(
    view: &HarvestView<'_>,
    options: &HarvestOptions,
    holding: &Holding,
    lots: &[&PricedLot],
    realised: (Money, Money),
    not_offered: &BTreeSet<&Symbol>,
) -> Result<(HarvestCandidate, (Money, Money)), Error> {
    let today = view.portfolio.as_of;
    let orders = orders_for(holding, lots);
    let outcome = view.desk.sell(today, &orders)?;
    let shares: Vec<LotShare> = outcome.rows.iter().map(LotShare::from).collect();
    let (short, long) = outcome.reportable();
    // The loss as the sale would book it, selling cost included, so that lots and total agree.
    let loss = -outcome.rows.iter().filter_map(|row| row.gain).sum::<Money>();
    let lost_for_good = outcome
        .rows
        .iter()
        .flat_map(|row| &row.matches)
        .filter(|found| found.permanent)
        .map(|found| found.disallowed)
        .sum();
    let value: Money = lots.iter().map(|lot| lot.value).sum();
    let worth = harvest_value(&HarvestContext {
        usable_short_loss: (-short).max(Money::ZERO),
        usable_long_loss: (-long).max(Money::ZERO),
        realised_short: realised.0,
        realised_long: realised.1,
        ordinary_limit: view.tax.loss_limit(),
        rates: view.tax.rates(),
        traded_value: value,
        cost: view.desk.cost,
        horizon_years: options.horizon.years(),
        discount_rate: options.horizon.annual_return(),
    })?;
    let washed_by: BTreeSet<LotId> =
        outcome.rows.iter().flat_map(|row| row.matches.iter().map(|found| found.lot.clone())).collect();
    let clear_from = last_purchase(view, &holding.symbol, today)
        .filter(|_| outcome.disallowed().is_positive())
        .map(|date| date.plus_days(31));
    let (replacement, no_replacement) = match replacement(view, options, holding, not_offered) {
        Ok(found) => (Some(found), None),
        Err(reason) => (None, Some(reason)),
    };
    let candidate = HarvestCandidate {
        symbol: holding.symbol.clone(),
        shares: lots.iter().map(|lot| lot.open.shares).sum(),
        lots: shares,
        orders,
        value,
        loss,
        disallowed: outcome.disallowed(),
        lost_for_good,
        washed_by: washed_by.into_iter().collect(),
        worth,
        clear_from,
        rebuy_from: today.plus_days(31),
        replacement,
        no_replacement,
    };
    Ok((candidate, (realised.0 + short, realised.1 + long)))
}

/// One order per account, naming all of these lots.
pub(crate) fn orders_for(holding: &Holding, lots: &[&PricedLot]) -> Vec<Order> {
    let mut orders = Vec::new();
    for lot in lots {
        add_lot(&mut orders, holding, lot, lot.open.shares);
    }
    orders
}

/// The latest purchase of the symbol or its identity group in the last 30 days, in any account.
fn last_purchase(view: &HarvestView<'_>, symbol: &Symbol, today: Date) -> Option<Date> {
    view.desk
        .ledger
        .events
        .iter()
        .filter(|event| bought(event).is_some_and(|bought| identical(view.desk.rules(), bought, symbol)))
        .map(|event| event.date)
        .filter(|&date| date <= today && today.days_since(date) <= 30)
        .max()
}

/// The security that an event purchases, if it is a purchase (tax rules 2.8 and 4.4).
fn bought(event: &Event) -> Option<&Symbol> {
    match &event.kind {
        EventKind::Buy { .. } => Some(&event.symbol),
        EventKind::Exercise(delivery) | EventKind::Assign(delivery) => match delivery.way {
            Way::In { .. } => Some(&delivery.underlying),
            Way::Out { .. } => None,
        },
        _ => None,
    }
}

/// Whether two symbols are substantially identical by the user's groups (tax rule 4.2).
#[must_use]
pub fn identical(rules: &Rules, a: &Symbol, b: &Symbol) -> bool {
    a == b || rules.identity_groups.iter().any(|group| group.contains(a) && group.contains(b))
}

/// Securities whose purchase might wash one of the sales: those sold, what the user's groups call identical to
/// them, and other shares of the same companies.
fn not_offered<'a>(view: &HarvestView<'a>, selling: &BTreeSet<&Symbol>) -> BTreeSet<&'a Symbol> {
    let alike = |symbol: &Symbol, sold: &Symbol| {
        identical(view.desk.rules(), symbol, sold) || one_company(view.tickers, symbol, sold)
    };
    let symbols = view.market.symbols().iter();
    symbols.filter(|symbol| selling.iter().any(|sold| alike(symbol, sold))).collect()
}

/// What to hold instead of the security sold, or why there is nothing.
fn replacement(
    view: &HarvestView<'_>,
    options: &HarvestOptions,
    holding: &Holding,
    not_offered: &BTreeSet<&Symbol>,
) -> Result<Replacement, String> {
    let tickers = view.tickers.ok_or("the price data carries no sector table")?;
    let sold = holding.quote.asset.ok_or("the holding has no price history")?;
    let today = view.portfolio.as_of;
    let usable = |asset: AssetIdx, symbol: &Symbol| {
        asset != sold
            && !not_offered.contains(symbol)
            && view.market.last_close(asset).is_some_and(|(date, _)| today.days_since(date) <= OLDEST_CLOSE_DAYS)
    };
    let others: Vec<AssetIdx> = (view.market.symbols().iter().enumerate())
        .map(|(position, symbol)| (AssetIdx(position), symbol))
        .filter(|&(asset, symbol)| usable(asset, symbol))
        .map(|(asset, _)| asset)
        .collect();
    // An encoder of companies says nothing of funds.
    let says = options.representations.as_ref().filter(|says| says.contains_key(&holding.symbol));
    let likeness = says.map_or(Likeness::Returns, Likeness::Representation);
    most_alike(view.market, &|symbol| tickers.sector(symbol), sold, &others, likeness)
}
