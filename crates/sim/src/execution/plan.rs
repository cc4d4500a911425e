//! The walk from weights to trades.

use super::cost::affordable;
use super::{
    Action, CapRule, Depth, Execution, ExecutionConfig, Funding, Holdings, Scratch, SellRule, ShareUnits, Venue, Wish,
};

/// Differences of weights below this are rounding.
const WEIGHT_ROUNDING: f64 = 1e-12;

/// Turns wanted weights into trades: `trades`, `[N]`, gets signed US dollars, purchases positive.
///
/// Sales come first in the account's cash, purchases are scaled by one factor so that cash stays at or
/// above the wanted weight, and never below zero. A locked asset keeps its value and takes its part of
/// what the weights leave for assets. An action changes the trade, never the weights of other assets:
/// what a `Sell` frees beyond other purchases stays in cash. An account without value trades nothing.
///
/// Slices must have the lengths that their documentation gives, and settings must fit
/// ([`ExecutionConfig::check`]).
pub fn plan_trades(
    config: &ExecutionConfig,
    holdings: Holdings<'_>,
    wish: Wish<'_>,
    venue: Venue<'_>,
    scratch: &mut Scratch,
    trades: &mut [f64],
) -> Execution {
    let n_assets = holdings.values.len();
    assert!(
        wish.weights.len() == n_assets + 1
            && venue.tradable.len() == n_assets
            && trades.len() == n_assets
            && wish.actions.is_none_or(|actions| actions.len() == n_assets)
            && wish.forced_exits.is_none_or(|exits| exits.len() == n_assets),
        "Invariant: one weight for cash and one of everything for each asset"
    );
    let value = holdings.cash + lane_sum(holdings.values, |value| value);
    let mut done =
        Execution { value, cash: holdings.cash, cap_factor: 1.0, funding_factor: 1.0, ..Execution::default() };
    if !(value > 0.0 && value.is_finite()) {
        trades.fill(0.0);
        return done;
    }
    let plan = Plan { config, holdings, wish, venue, value };
    let wanted = plan.want(trades);
    let reserve = wish.weights[0] * value;
    let cap = match wish.funding {
        Funding::Initial => f64::INFINITY,
        Funding::Rebalance => config.turnover_cap * value,
    };

    // What purchases could be if the sales ran in full, and what the cap leaves of both.
    let rate = config.cost.rate();
    let linear = wanted.bought * (1.0 + rate) + wanted.buy_fixed;
    let free = |sold: f64, cost: f64| holdings.cash + sold - cost - reserve;
    let sold = wanted.forced + wanted.sold;
    let first = affordable(linear, wanted.buy_impact, free(sold, sold * rate + wanted.sell_impact));
    if config.cap_rule == CapRule::Proportional {
        let (left, asked) = ((cap - wanted.forced).max(0.0), wanted.sold + wanted.bought * first);
        done.cap_factor = if asked > left { left / asked } else { 1.0 };
    }

    if plan.only_scales(&wanted, done.cap_factor) {
        let sold = wanted.forced + wanted.sold * done.cap_factor;
        let asked = linear * done.cap_factor * first;
        let second = affordable(asked, 0.0, free(sold, sold * rate));
        let (sells_by, buys_by) = (done.cap_factor, done.cap_factor * first * second);
        for trade in trades.iter_mut() {
            *trade *= if *trade > 0.0 { buys_by } else { sells_by };
        }
        (done.sold, done.forced, done.bought) = (sold, wanted.forced, wanted.bought * buys_by);
        (done.cost, done.funding_factor) = ((sold + done.bought) * rate, first * second);
        done.cash += done.sold - done.bought - done.cost;
        return done;
    }
    plan.sell(done.cap_factor, trades, &mut done);
    let size = done.cap_factor * first;
    let impact = wanted.buy_impact * size * size.sqrt();
    let second = affordable(linear * size, impact, free(done.sold, done.cost));
    done.funding_factor = first * second;
    if config.cap_rule == CapRule::BlockBuys {
        block_purchases(cap - done.sold, done.funding_factor, scratch, trades);
    }
    plan.buy(size * second, trades, &mut done);
    done.cash += done.sold - done.bought - done.cost;
    done
}

/// Equation (9): the target weights of the assets, `[N]`, after what may not be bought was masked and
/// the largest weight applied; what is masked goes to the others in proportion. `locked` is the weight
/// that untradable assets keep. Gives the factor for the weights that may be bought.
#[must_use]
pub fn renormalize(weights: &[f64], may_buy: impl Fn(usize) -> bool, locked: f64, max_weight: f64) -> f64 {
    let budget = (1.0 - weights[0] - locked).max(0.0);
    let assets = &weights[1..];
    let open = |at: usize| if may_buy(at) { assets[at] } else { 0.0 };
    let n_assets = assets.len();
    let mut at = 0;
    let total = lane_sum(assets, |weight| {
        at += 1;
        if may_buy(at - 1) { weight } else { 0.0 }
    });
    if total <= 0.0 {
        return 0.0;
    }
    let mut factor = budget / total;
    // An untouched simplex stays as it is to the last bit.
    if (factor - 1.0).abs() < WEIGHT_ROUNDING {
        factor = 1.0;
    }
    // Names that reach the limit hand on what they cannot take, which may fill others; each round
    // fills at least one more, and two or three are usual.
    for _ in 0..if max_weight < 1.0 { n_assets } else { 0 } {
        let (mut full, mut rest) = (0.0, 0.0);
        for at in 0..n_assets {
            let weight = open(at);
            if weight * factor >= max_weight { full += max_weight } else { rest += weight }
        }
        let next = if rest > 0.0 { ((budget - full) / rest).max(0.0) } else { factor };
        if full == 0.0 || next <= factor {
            break;
        }
        factor = next;
    }
    factor
}

/// A sum in four lanes: one alone would wait for each addition to finish. The order is fixed.
pub(crate) fn lane_sum(values: &[f64], mut part: impl FnMut(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 4];
    let mut quads = values.chunks_exact(4);
    for quad in &mut quads {
        for (lane, &value) in lanes.iter_mut().zip(quad) {
            *lane += part(value);
        }
    }
    let rest: f64 = quads.remainder().iter().map(|&value| part(value)).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

/// What one call works on.
struct Plan<'a> {
    config: &'a ExecutionConfig,
    holdings: Holdings<'a>,
    wish: Wish<'a>,
    venue: Venue<'a>,
    value: f64,
}

/// Sums of what is wanted, before cap and cash.
#[derive(Default)]
struct Wanted {
    forced: f64,
    sold: f64,
    bought: f64,
    sell_impact: f64,
    /// Impact that grows with the power 3/2 of the size.
    buy_impact: f64,
    /// Impact in proportion to the size.
    buy_fixed: f64,
}

impl Plan<'_> {
    /// Writes wanted trades and sums them.
    fn want(&self, trades: &mut [f64]) -> Wanted {
        let (values, weights, tradable) = (self.holdings.values, self.wish.weights, self.venue.tradable);
        let (config, per_value) = (self.config, 1.0 / self.value);
        let all_trade = tradable.iter().fold(true, |all, &open| all & open);
        let locked = match all_trade {
            true => 0.0,
            false => values.iter().zip(tradable).map(|(value, &open)| if open { 0.0 } else { *value }).sum(),
        };
        let factor = match (all_trade, self.wish.forced_exits) {
            (true, None) => renormalize(weights, |_| true, 0.0, config.max_weight),
            _ => renormalize(weights, |at| tradable[at] && !self.must_leave(at), locked * per_value, config.max_weight),
        };
        let threshold = match self.wish.funding {
            // Below every gap, nothing at all included, which trades nothing.
            Funding::Initial => -1.0,
            Funding::Rebalance => config.rebalance_threshold + WEIGHT_ROUNDING,
        };
        let full = |weight: f64, held: f64, open: bool| {
            let target = (factor * weight).min(config.max_weight);
            let gap = target - held * per_value;
            // Nothing but rounding must be left of a position that goes to zero.
            let trade = if target <= 0.0 { -held } else { (gap * self.value).max(-held) };
            if open & (gap.abs() > threshold) { trade } else { 0.0 }
        };
        let assets = weights[1..].iter().zip(values).zip(tradable);
        for (trade, ((&weight, &held), &open)) in trades.iter_mut().zip(assets) {
            *trade = full(weight, held, open);
        }
        // By action: what is left of a purchase and of a sale.
        let (ups, downs) = ([config.hold_fraction, 1.0, 0.0], [config.hold_fraction, config.hold_fraction, 0.0]);
        for (trade, &action) in trades.iter_mut().zip(self.wish.actions.unwrap_or_default()) {
            *trade *= if *trade > 0.0 { ups[action as usize] } else { downs[action as usize] };
        }
        let mut wanted = Wanted::default();
        if self.wish.actions.is_some() || self.wish.forced_exits.is_some() {
            for (at, trade) in trades.iter_mut().enumerate() {
                if self.is_exit(at) {
                    *trade = if tradable[at] { -values[at] } else { 0.0 };
                    wanted.forced -= if self.is_forced(at) { *trade } else { 0.0 };
                }
            }
        }
        wanted.bought = lane_sum(trades, |trade| trade.max(0.0));
        wanted.sold = (lane_sum(trades, |trade| (-trade).max(0.0)) - wanted.forced).max(0.0);
        if let Some(depth) = self.impact() {
            for (at, trade) in trades.iter().enumerate() {
                let impact = config.cost.impact(trade.abs(), depth.vol_daily[at], depth.dollar_volume[at]);
                // Without a volume to compare with, impact is a fixed part of the trade.
                let scales = depth.dollar_volume[at] > 0.0;
                let sum = match (*trade > 0.0, scales) {
                    (true, true) => &mut wanted.buy_impact,
                    (true, false) => &mut wanted.buy_fixed,
                    (false, _) => &mut wanted.sell_impact,
                };
                *sum += impact;
            }
        }
        wanted
    }

    /// Shrinks and rounds the sales, and books them.
    fn sell(&self, factor: f64, trades: &mut [f64], done: &mut Execution) {
        let mut impact = 0.0;
        for (at, trade) in trades.iter_mut().enumerate() {
            if *trade >= 0.0 {
                continue;
            }
            let forced = self.is_forced(at);
            let held = self.holdings.values[at];
            let shrunk = if forced { *trade } else { *trade * factor };
            *trade = if shrunk <= -held { shrunk } else { self.rounded(at, shrunk) };
            done.sold -= *trade;
            done.forced -= if forced { *trade } else { 0.0 };
            impact += self.impact_of(at, *trade);
        }
        done.cost += done.sold * self.config.cost.rate() + impact;
    }

    /// Shrinks and rounds the purchases, and books them.
    fn buy(&self, factor: f64, trades: &mut [f64], done: &mut Execution) {
        let mut impact = 0.0;
        for (at, trade) in trades.iter_mut().enumerate() {
            if *trade <= 0.0 {
                continue;
            }
            *trade = self.rounded(at, *trade * factor);
            done.bought += *trade;
            impact += self.impact_of(at, *trade);
        }
        done.cost += done.bought * self.config.cost.rate() + impact;
    }

    /// Whether all that is left is one factor for sales and one for purchases.
    fn only_scales(&self, wanted: &Wanted, cap_factor: f64) -> bool {
        self.venue.units == ShareUnits::Fractional
            && self.impact().is_none()
            && self.config.cap_rule == CapRule::Proportional
            && (cap_factor == 1.0 || wanted.forced == 0.0)
    }

    fn rounded(&self, at: usize, trade: f64) -> f64 {
        match self.venue.units {
            ShareUnits::Fractional => trade,
            ShareUnits::Whole(prices) if prices[at] > 0.0 => (trade / prices[at]).trunc() * prices[at],
            ShareUnits::Whole(_) => 0.0,
        }
    }

    fn impact(&self) -> Option<Depth<'_>> {
        self.venue.depth.filter(|_| self.config.cost.impact_coef > 0.0)
    }

    fn impact_of(&self, at: usize, trade: f64) -> f64 {
        self.impact()
            .map_or(0.0, |depth| self.config.cost.impact(trade.abs(), depth.vol_daily[at], depth.dollar_volume[at]))
    }

    fn must_leave(&self, at: usize) -> bool {
        self.wish.forced_exits.is_some_and(|exits| exits[at])
    }

    fn sells(&self, at: usize) -> bool {
        self.wish.actions.is_some_and(|actions| actions[at] == Action::Sell)
    }

    fn is_exit(&self, at: usize) -> bool {
        self.must_leave(at) || self.sells(at)
    }

    /// Whether the trade of this asset is a sale that the cap does not bind.
    fn is_forced(&self, at: usize) -> bool {
        let by_action = match (self.config.cap_rule, self.config.sell_rule) {
            (CapRule::Proportional, SellRule::Forced) => self.sells(at),
            (CapRule::Proportional, SellRule::Capped) | (CapRule::BlockBuys, _) => false,
        };
        self.must_leave(at) || by_action
    }
}

/// As printed in the paper: purchases from the largest down; once what was traded has passed the cap,
/// none of the rest. `left` is the cap less the sales.
fn block_purchases(left: f64, factor: f64, scratch: &mut Scratch, trades: &mut [f64]) {
    let order = &mut scratch.order;
    order.clear();
    order.extend((0..trades.len() as u32).filter(|&at| trades[at as usize] > 0.0));
    order.sort_unstable_by(|&a, &b| trades[b as usize].total_cmp(&trades[a as usize]).then(a.cmp(&b)));
    let mut bought = 0.0;
    for &at in &*order {
        let trade = &mut trades[at as usize];
        if bought > left {
            *trade = 0.0;
        } else {
            bought += *trade * factor;
        }
    }
}
