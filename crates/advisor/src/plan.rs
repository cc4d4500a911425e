//! From target weights to trades: thresholds, partial rebalancing, sells first, and lots chosen by
//! their tax (SPEC E-06 to E-10, T-05, T-10).

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::{Date, Money, Price, Shares, Symbol};
use lotwise_tax::{AccountId, FlatRates, Term};

use crate::economics::{GuardInput, GuardVerdict, long_term_guard};
use crate::guardrails::Limits;
use crate::portfolio::{Holding, Portfolio, PricedLot};
use crate::suggestion::Motive;
use crate::what_if::{Order, add_lot};

/// How a target becomes trades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanOptions {
    /// A gap of this fraction of the value or less is left alone (SPEC E-06, strict).
    pub rebalance_threshold: f64,
    /// Largest two-sided turnover of a plan, as a fraction of the value (SPEC E-08).
    pub turnover_cap: f64,
    /// Guardrails.
    pub limits: Limits,
    /// Cash that has to be free after the plan.
    pub cash_needed: Money,
    /// Dollars of saving asked for per dollar of after-tax risk over the wait (SPEC T-10, λ_w).
    pub guard_risk_aversion: f64,
    /// Longest wait in calendar days that the long-term guard looks at (SPEC T-10).
    pub guard_days: i32,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            rebalance_threshold: 0.01,
            turnover_cap: 0.25,
            limits: Limits::default(),
            cash_needed: Money::ZERO,
            guard_risk_aversion: 0.1,
            guard_days: 30,
        }
    }
}

/// A lot that the long-term guard keeps back, with the figures behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardedLot {
    /// The lot.
    pub lot: PricedLot,
    /// First long-term day.
    pub long_from: Date,
    /// What the guard weighed.
    pub guard: GuardVerdict,
}

impl GuardedLot {
    /// Whether the guard holds the sale back.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.guard.suppressed
    }
}

/// What the plan sells of one holding.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedSale {
    /// The security.
    pub symbol: Symbol,
    /// Orders, one per account, with the lots named.
    pub orders: Vec<Order>,
    /// Shares over all orders.
    pub shares: Shares,
    /// Value over all orders.
    pub amount: Money,
    /// Weight that the policy wants.
    pub target_weight: f64,
    /// Lots kept back by the long-term guard.
    pub kept_back: Vec<GuardedLot>,
    /// Lots that could not be judged because their basis is unknown.
    pub unknown_lots: usize,
    /// Whether the policy or a need for cash asks for it.
    pub motive: Motive,
}

/// What the plan buys of one security.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPurchase {
    /// Account that buys: the one with the most cash left after the sales and the purchases before
    /// this one, among taxable accounts where there are any.
    pub account: AccountId,
    /// The security.
    pub symbol: Symbol,
    /// Shares.
    pub shares: Shares,
    /// Cost before fees.
    pub amount: Money,
    /// Weight that the policy wants.
    pub target_weight: f64,
    /// Why it is smaller than the policy wants, where it is.
    pub clipped: Option<String>,
}

/// Trades that take the portfolio towards the target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trades {
    /// Sales, largest first.
    pub sales: Vec<PlannedSale>,
    /// Purchases, largest gap first.
    pub purchases: Vec<PlannedPurchase>,
    /// Two-sided turnover as a fraction of the value.
    pub turnover: f64,
    /// Symbols whose purchase is blocked, with the reason.
    pub blocked: Vec<(Symbol, String)>,
}

/// One asset of the universe with its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The security.
    pub symbol: Symbol,
    /// Present fraction of the value.
    pub current: f64,
    /// Wanted fraction of the value.
    pub target: f64,
    /// Annualised volatility, where known.
    pub volatility: Option<f64>,
    /// Price per share.
    pub price: Price,
}

/// Turns targets into trades.
///
/// `blocked` names symbols that must not be bought and why (just harvested, sold at a loss in the
/// last 30 days, purchases stopped for the day).
#[must_use]
pub fn trades(
    portfolio: &Portfolio,
    targets: &[Target],
    blocked: &[(Symbol, String)],
    rates: FlatRates,
    options: &PlanOptions,
) -> Trades {
    let value = portfolio.value.to_f64();
    let mut plan = Trades { blocked: blocked.to_vec(), ..Trades::default() };
    if value <= 0.0 {
        return plan;
    }
    let missing = options.cash_needed - portfolio.tradable_cash;
    if missing.is_positive() {
        plan.sales = raise_cash(portfolio, missing, rates);
        plan.turnover = plan.sales.iter().map(|sale| sale.amount).sum::<Money>().to_f64() / value;
        return plan;
    }
    let stopped: BTreeSet<&Symbol> = blocked.iter().map(|(symbol, _)| symbol).collect();
    let wanted: Vec<&Target> =
        targets.iter().filter(|target| (target.target - target.current).abs() > options.rebalance_threshold).collect();
    // First pass at full size; the turnover cap then scales every trade by one factor (E-08).
    let full: f64 = wanted
        .iter()
        .filter(|target| target.target < target.current || !stopped.contains(&target.symbol))
        .map(|target| (target.target - target.current).abs())
        .sum();
    let scale = if full > options.turnover_cap { options.turnover_cap / full } else { 1.0 };
    for target in wanted.iter().filter(|target| target.target < target.current) {
        let Some(holding) = portfolio.holding(&target.symbol) else { continue };
        let amount = (target.current - target.target) * scale * value;
        plan.sales.push(sale(portfolio, holding, target, amount, rates, options));
    }
    plan.sales.sort_by(|a, b| b.amount.cmp(&a.amount).then_with(|| a.symbol.cmp(&b.symbol)));
    let proceeds: Money = plan.sales.iter().map(|sale| sale.amount).sum();
    let target_cash = (1.0 - targets.iter().map(|target| target.target).sum::<f64>()).max(0.0) * value;
    let reserve = target_cash.max(options.cash_needed.to_f64());
    let spendable = ((portfolio.tradable_cash + proceeds).to_f64() - reserve).max(0.0);
    let mut purchases: Vec<Wish> = wanted
        .iter()
        .filter(|target| target.target > target.current && !stopped.contains(&target.symbol))
        .filter_map(|target| purchase(target, (target.target - target.current) * scale * value, value, options))
        .collect();
    let asked: f64 = purchases.iter().map(|purchase| purchase.amount.to_f64()).sum();
    if asked > spendable {
        let shrink = if asked > 0.0 { spendable / asked } else { 0.0 };
        for purchase in &mut purchases {
            let price = purchase.amount.per_share(purchase.shares).unwrap_or_default();
            let amount = purchase.amount.to_f64() * shrink;
            (purchase.shares, purchase.amount) = whole_lots(amount, price);
            purchase.clipped = Some("scaled down to the cash that is free".to_owned());
        }
    }
    purchases.sort_by(|a, b| b.amount.cmp(&a.amount).then_with(|| a.symbol.cmp(&b.symbol)));
    plan.purchases = in_accounts(portfolio, &plan.sales, purchases);
    let bought: Money = plan.purchases.iter().map(|purchase| purchase.amount).sum();
    let sold: Money = plan.sales.iter().map(|sale| sale.amount).sum();
    plan.turnover = (bought + sold).to_f64() / value;
    plan.sales.retain(|sale| sale.shares.is_positive() || !sale.kept_back.is_empty());
    plan
}

/// Shares for an amount, cut to a ten-thousandth of a share, and what they cost.
fn whole_lots(amount: f64, price: Price) -> (Shares, Money) {
    if !price.is_positive() || amount <= 0.0 {
        return (Shares::ZERO, Money::ZERO);
    }
    let ten_thousandths = (amount / price.to_f64() * 10_000.0).floor();
    let shares = Shares::from_billionths(ten_thousandths as i128 * 100_000);
    (shares, price * shares)
}

/// A purchase before it has an account.
struct Wish {
    symbol: Symbol,
    shares: Shares,
    amount: Money,
    target_weight: f64,
    clipped: Option<String>,
}

/// Gives every purchase an account, the largest purchase first: the one with the most cash left.
/// Cash does not move between accounts, so a purchase is cut to what that account has.
fn in_accounts(portfolio: &Portfolio, sales: &[PlannedSale], wishes: Vec<Wish>) -> Vec<PlannedPurchase> {
    let mut free: BTreeMap<AccountId, Money> = portfolio.tradable_accounts.clone();
    for order in sales.iter().flat_map(|sale| &sale.orders) {
        *free.entry(order.account.clone()).or_default() += order.price * order.shares;
    }
    let mut purchases = Vec::new();
    for wish in wishes.into_iter().filter(|wish| wish.shares.is_positive()) {
        // The first of equals, by name.
        let most = free.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        let Some((account, cash)) = most.map(|(account, cash)| (account.clone(), *cash)) else { break };
        let Wish { symbol, mut shares, mut amount, target_weight, mut clipped } = wish;
        if amount > cash {
            let price = amount.per_share(shares).unwrap_or_default();
            (shares, amount) = whole_lots(cash.to_f64(), price);
            clipped = Some(format!("cut to the cash that is free in the account {account}"));
        }
        if shares.is_positive() {
            free.insert(account.clone(), cash - amount);
            purchases.push(PlannedPurchase { account, symbol, shares, amount, target_weight, clipped });
        }
    }
    purchases
}

fn purchase(target: &Target, amount: f64, value: f64, options: &PlanOptions) -> Option<Wish> {
    let room = (options.limits.max_position.to_f64() - target.current).max(0.0) * value;
    let clipped = (amount > room).then(|| {
        format!("cut so that the position stays at {:.0} % of the value", options.limits.max_position.to_f64() * 100.0)
    });
    let (shares, amount) = whole_lots(amount.min(room), target.price);
    shares.is_positive().then(|| Wish {
        symbol: target.symbol.clone(),
        shares,
        amount,
        target_weight: target.target,
        clipped,
    })
}

/// Picks lots for a sale: least tax per share first, guarded lots and unknown bases left out
/// (SPEC T-05, T-10).
fn sale(
    portfolio: &Portfolio,
    holding: &Holding,
    target: &Target,
    amount: f64,
    rates: FlatRates,
    options: &PlanOptions,
) -> PlannedSale {
    let (mut wanted, _) = whole_lots(amount, holding.quote.price);
    if target.target <= 1e-6 && wanted + Shares::from_billionths(100_000) >= holding.shares {
        wanted = holding.shares;
    }
    let mut kept_back = Vec::new();
    let mut free: Vec<&PricedLot> = Vec::new();
    let mut unknown_lots = 0;
    for lot in holding.lots.iter().filter(|lot| portfolio.trades(lot)) {
        if lot.gain.is_none() && lot.taxable {
            unknown_lots += 1;
            continue;
        }
        match guard(portfolio, holding, lot, target.volatility, rates, options) {
            Some(guarded) if guarded.waits() => kept_back.push(guarded),
            _ => free.push(lot),
        }
    }
    free.sort_by(|a, b| {
        tax_per_share(a, rates)
            .cmp(&tax_per_share(b, rates))
            .then_with(|| a.open.acquired.cmp(&b.open.acquired))
            .then_with(|| a.open.lot.cmp(&b.open.lot))
    });
    let mut orders: Vec<Order> = Vec::new();
    let mut left = wanted;
    for lot in free {
        if !left.is_positive() {
            break;
        }
        let part = lot.open.shares.min(left);
        left -= part;
        add_lot(&mut orders, holding, lot, part);
    }
    let shares: Shares = orders.iter().map(|order| order.shares).sum();
    PlannedSale {
        symbol: holding.symbol.clone(),
        amount: holding.quote.price * shares,
        orders,
        shares,
        target_weight: target.target,
        kept_back,
        unknown_lots,
        motive: Motive::Rebalance,
    }
}

/// Sales that raise `missing` at the least tax per dollar, over all holdings. A need for cash comes
/// before rebalancing, so the turnover cap and the long-term guard do not hold it back.
fn raise_cash(portfolio: &Portfolio, missing: Money, rates: FlatRates) -> Vec<PlannedSale> {
    let mut lots: Vec<(&Holding, &PricedLot)> = portfolio
        .lots()
        .filter(|(holding, lot)| portfolio.trades(lot) && holding.quote.is_usable() && lot.gain.is_some())
        .filter(|(holding, _)| holding.quote.price.is_positive())
        .collect();
    let tax_per_dollar = |lot: &PricedLot| {
        let per_share = tax_per_share(lot, rates).to_f64();
        per_share * lot.open.shares.to_f64() / lot.value.to_f64().max(f64::MIN_POSITIVE)
    };
    lots.sort_by(|a, b| {
        tax_per_dollar(a.1).total_cmp(&tax_per_dollar(b.1)).then_with(|| a.1.open.lot.cmp(&b.1.open.lot))
    });
    let mut sales: Vec<PlannedSale> = Vec::new();
    let mut left = missing;
    for (holding, lot) in lots {
        if !left.is_positive() {
            break;
        }
        // One ten-thousandth of a share more than needed, so that the sum is not a cent short.
        let (shares, _) = whole_lots(left.to_f64(), holding.quote.price);
        let part = (shares + Shares::from_billionths(100_000)).min(lot.open.shares);
        left -= holding.quote.price * part;
        let at = match sales.iter().position(|sale| sale.symbol == holding.symbol) {
            Some(at) => at,
            None => {
                sales.push(PlannedSale {
                    symbol: holding.symbol.clone(),
                    orders: Vec::new(),
                    shares: Shares::ZERO,
                    amount: Money::ZERO,
                    target_weight: portfolio.weight(holding.value),
                    kept_back: Vec::new(),
                    unknown_lots: 0,
                    motive: Motive::RaiseCash,
                });
                sales.len() - 1
            }
        };
        let sale = &mut sales[at];
        add_lot(&mut sale.orders, holding, lot, part);
        sale.shares += part;
        sale.amount = holding.quote.price * sale.shares;
        sale.target_weight = portfolio.weight(holding.value - sale.amount);
    }
    sales
}

/// `rate(term) * (P - b)` per share (SPEC T-05); nothing in a retirement account.
fn tax_per_share(lot: &PricedLot, rates: FlatRates) -> Price {
    let (Some(gain), true) = (lot.gain, lot.taxable) else { return Price::ZERO };
    let rate = if lot.term == Some(Term::Long) { rates.long } else { rates.short };
    (gain * rate).per_share(lot.open.shares).unwrap_or_default()
}

/// What the long-term guard says of a lot; `None` where it does not look (SPEC T-10).
#[must_use]
pub fn guard(
    portfolio: &Portfolio,
    holding: &Holding,
    lot: &PricedLot,
    volatility_annual: Option<f64>,
    rates: FlatRates,
    options: &PlanOptions,
) -> Option<GuardedLot> {
    let days = lot.days_to_long(portfolio.as_of)?;
    let (basis, long_from) = (lot.open.basis?, lot.long_from?);
    if !lot.taxable {
        return None;
    }
    let guard = long_term_guard(&GuardInput {
        shares: lot.open.shares,
        price: holding.quote.price,
        basis,
        rates,
        days,
        max_days: options.guard_days,
        volatility_annual,
        risk_aversion: options.guard_risk_aversion,
        forced: false,
    })
    .ok()?;
    Some(GuardedLot { lot: lot.clone(), long_from, guard })
}
