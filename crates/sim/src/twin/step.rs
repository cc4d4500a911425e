//! One step forward and back. Letters of the comments: `V` is the value at the trades, and trades are
//! fractions of it.

use super::smooth::{Sloped, fit, shrink, sigmoid, year_tax};
use super::{StepOutput, TwinConfig};

/// Where the numbers of a state stand: `[cash, short-term gain, long-term gain, values…]`.
pub(super) const CASH: usize = 0;
pub(super) const SHORT: usize = 1;
pub(super) const LONG: usize = 2;
pub(super) const VALUES: usize = 3;

/// One step of a window; slices are `[N]`, weights `[1 + N]`.
#[derive(Clone, Copy)]
pub(super) struct StepInput<'a> {
    pub config: &'a TwinConfig,
    pub state: &'a [f64],
    pub weights: &'a [f64],
    pub ret_before: &'a [f64],
    pub ret_after: &'a [f64],
    pub cash_ret: f64,
    pub tradable: &'a [bool],
    pub gain_ratio: &'a [f64],
    pub short_share: &'a [f64],
    /// Whether the threshold and the cap apply.
    pub limited: bool,
}

/// What a loss thinks of a step: gradients of its outputs and of the state after it, `[3 + N]`.
#[derive(Clone, Copy)]
pub(super) struct Slopes<'a> {
    pub output: StepOutput,
    pub next: &'a [f64],
}

/// What a step computes on its way for each asset; a buffer of the window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AssetWork {
    /// Value before the trade.
    priced: f64,
    /// What is left to the wanted weight, and its rounded size.
    gap: f64,
    size: f64,
    /// How far the gap passes the threshold, 0 to 1.
    gate: f64,
    /// Wanted sale and purchase over V, and the rounded size of the trade.
    sold: f64,
    bought: f64,
    trade_size: f64,
    /// Gradients of the two.
    sold_slope: f64,
    bought_slope: f64,
}

/// What a step computes on its way for the account.
pub(super) struct Work {
    value: f64,
    open_weight: f64,
    budget: f64,
    factor: f64,
    sold: f64,
    bought: f64,
    first: Sloped,
    cap: Sloped,
    second: Sloped,
    /// Factor of the purchases: first fit, cap and second fit together.
    buys_by: f64,
    /// Realised over V at full sales: short and long.
    gains: [f64; 2],
    traded_cash: f64,
    invested: f64,
    /// Cash and assets less tax, before and after.
    nav_before: f64,
    nav_after: f64,
}

impl Work {
    pub fn log_ret(&self) -> f64 {
        libm::log(self.nav_after / self.nav_before)
    }

    pub fn turnover(&self) -> f64 {
        self.cap.value * self.sold + self.buys_by * self.bought
    }

    pub fn cash_ratio(&self) -> f64 {
        self.traded_cash / (self.traded_cash + self.invested)
    }
}

/// Cash and assets less the year's tax so far.
fn nav(config: &TwinConfig, state: &[f64]) -> f64 {
    let tax = year_tax(&config.tax, state[SHORT], state[LONG], config.smoothing.limit_sharpness);
    state[CASH] + state[VALUES..].iter().sum::<f64>() - tax.value
}

impl StepInput<'_> {
    /// Writes the state after the step.
    pub fn forward(&self, assets: &mut [AssetWork], next: &mut [f64]) -> Work {
        let (config, state, weights) = (self.config, self.state, self.weights);
        let (smoothing, rate) = (config.smoothing, config.cost_rate);
        let mut value = state[CASH];
        for (at, asset) in assets.iter_mut().enumerate() {
            asset.priced = state[VALUES + at] * (1.0 + self.ret_before[at]);
            value += asset.priced;
        }
        let (mut locked, mut open_weight) = (0.0, 0.0);
        for (at, asset) in assets.iter().enumerate() {
            if self.tradable[at] { open_weight += weights[at + 1] } else { locked += asset.priced / value }
        }
        let budget = (1.0 - weights[0] - locked).max(0.0);
        let factor = if open_weight > 0.0 { budget / open_weight } else { 0.0 };

        let (mut sold, mut bought, mut gains) = (0.0, 0.0, [0.0; 2]);
        for (at, asset) in assets.iter_mut().enumerate() {
            if !self.tradable[at] {
                *asset = AssetWork { priced: asset.priced, ..AssetWork::default() };
                continue;
            }
            asset.gap = factor * weights[at + 1] - asset.priced / value;
            asset.size = (asset.gap * asset.gap + smoothing.abs_epsilon).sqrt();
            asset.gate = match self.limited {
                true => sigmoid(smoothing.threshold_sharpness * (asset.size - config.rebalance_threshold)),
                false => 1.0,
            };
            let trade = asset.gate * asset.gap;
            asset.trade_size = (trade * trade + smoothing.abs_epsilon).sqrt();
            asset.sold = 0.5 * (asset.trade_size - trade);
            asset.bought = 0.5 * (asset.trade_size + trade);
            sold += asset.sold;
            bought += asset.bought;
            let gain = asset.sold * (self.gain_ratio[at] - rate);
            gains[0] += gain * self.short_share[at];
            gains[1] += gain * (1.0 - self.short_share[at]);
        }

        // Funding at full sales, the cap on both, and funding by what the cap leaves of the sales.
        let sharpness = smoothing.limit_sharpness;
        let free = state[CASH] / value - weights[0];
        let asked = bought * (1.0 + rate);
        let first = fit(free + sold * (1.0 - rate), asked, sharpness);
        let limit = if self.limited { config.turnover_cap } else { f64::INFINITY };
        let cap = shrink(sold + bought * first.value, limit, sharpness);
        let second = fit(free + cap.value * sold * (1.0 - rate), cap.value * first.value * asked, sharpness);
        let buys_by = cap.value * first.value * second.value;

        let traded_cash = state[CASH] + value * (cap.value * sold * (1.0 - rate) - buys_by * bought * (1.0 + rate));
        let mut invested = 0.0;
        for (at, asset) in assets.iter().enumerate() {
            let traded = asset.priced + value * (buys_by * asset.bought - cap.value * asset.sold);
            invested += traded;
            next[VALUES + at] = traded * (1.0 + self.ret_after[at]);
        }
        next[CASH] = traded_cash * (1.0 + self.cash_ret);
        next[SHORT] = state[SHORT] + value * cap.value * gains[0];
        next[LONG] = state[LONG] + value * cap.value * gains[1];
        Work {
            value,
            open_weight,
            budget,
            factor,
            sold,
            bought,
            first,
            cap,
            second,
            buys_by,
            gains,
            traded_cash,
            invested,
            nav_before: nav(config, state),
            nav_after: nav(config, next),
        }
    }

    /// From the gradient of the outputs and of the state after (`of`) to the gradient of the weights, added to `weight_slope`, and of the state before, written to `slope`.
    pub fn reverse(
        &self,
        work: &Work,
        assets: &mut [AssetWork],
        next: &[f64],
        of: Slopes<'_>,
        weight_slope: &mut [f64],
        slope: &mut [f64],
    ) {
        let (config, state, weights, value) = (self.config, self.state, self.weights, work.value);
        let (smoothing, rate) = (config.smoothing, config.cost_rate);
        let Slopes { output: StepOutput { log_ret, turnover, cash_ratio }, next: next_slope } = of;
        let (cap, buys_by) = (work.cap.value, work.buys_by);

        // The after-tax value on both sides of the return.
        let after = log_ret / work.nav_after;
        let before = -log_ret / work.nav_before;
        let tax_after = year_tax(&config.tax, next[SHORT], next[LONG], smoothing.limit_sharpness);
        let tax_before = year_tax(&config.tax, state[SHORT], state[LONG], smoothing.limit_sharpness);
        let gain_slopes =
            [next_slope[SHORT] - after * tax_after.slopes[0], next_slope[LONG] - after * tax_after.slopes[1]];
        slope[SHORT] = gain_slopes[0] - before * tax_before.slopes[0];
        slope[LONG] = gain_slopes[1] - before * tax_before.slopes[1];

        let whole = work.traded_cash + work.invested;
        let of_cash = (next_slope[CASH] + after) * (1.0 + self.cash_ret) + cash_ratio * work.invested / (whole * whole);
        let of_cash_ratio = cash_ratio * work.traded_cash / (whole * whole);

        // Sums over assets of what the trades do to their values.
        let (mut by_bought, mut by_sold) = (0.0, 0.0);
        for (at, asset) in assets.iter_mut().enumerate() {
            let of_value = (next_slope[VALUES + at] + after) * (1.0 + self.ret_after[at]) - of_cash_ratio;
            slope[VALUES + at] = of_value;
            by_bought += of_value * asset.bought;
            by_sold += of_value * asset.sold;
            let kept = self.gain_ratio[at] - rate;
            let of_gain = gain_slopes[0] * self.short_share[at] + gain_slopes[1] * (1.0 - self.short_share[at]);
            asset.bought_slope = of_value * value * buys_by;
            asset.sold_slope = value * cap * (of_gain * kept - of_value);
        }
        let gain_total = gain_slopes[0] * work.gains[0] + gain_slopes[1] * work.gains[1];
        let net_sold = work.sold * (1.0 - rate);
        let net_bought = work.bought * (1.0 + rate);
        let mut of_whole =
            buys_by * by_bought - cap * by_sold + cap * gain_total + of_cash * (cap * net_sold - buys_by * net_bought);
        let of_buys_by = value * (by_bought - of_cash * net_bought) + turnover * work.bought;
        let mut of_cap = value * (gain_total - by_sold + of_cash * net_sold) + turnover * work.sold;
        let mut of_sold = of_cash * value * cap * (1.0 - rate) + turnover * cap;
        let mut of_bought = -of_cash * value * buys_by * (1.0 + rate) + turnover * buys_by;

        // Back through second fit, cap and first fit.
        let (first, second) = (work.first.value, work.second.value);
        of_cap += of_buys_by * first * second;
        let mut of_first = of_buys_by * cap * second;
        let of_second = of_buys_by * cap * first;
        let [fits, asked] = work.second.slopes.map(|slope| slope * of_second);
        let mut of_free = fits;
        of_cap += fits * net_sold + asked * first * net_bought;
        of_sold += fits * cap * (1.0 - rate);
        of_first += asked * cap * net_bought;
        of_bought += asked * cap * first * (1.0 + rate);
        let of_turnover = of_cap * work.cap.slopes[0];
        of_sold += of_turnover;
        of_bought += of_turnover * first;
        of_first += of_turnover * work.bought;
        let [fits, asked] = work.first.slopes.map(|slope| slope * of_first);
        of_free += fits;
        of_sold += fits * (1.0 - rate);
        of_bought += asked * (1.0 + rate);

        slope[CASH] = of_cash + of_free / value;
        of_whole -= of_free * state[CASH] / (value * value);
        weight_slope[0] -= of_free;

        // Back through threshold and gap to the weights and the values before the trade.
        let mut of_factor = 0.0;
        for (at, asset) in assets.iter_mut().enumerate() {
            if !self.tradable[at] {
                continue;
            }
            let (of_buy, of_sale) = (asset.bought_slope + of_bought, asset.sold_slope + of_sold);
            let trade = asset.gate * asset.gap;
            let of_trade = 0.5 * ((of_buy - of_sale) + (of_buy + of_sale) * trade / asset.trade_size);
            let gate_slope = match self.limited {
                true => smoothing.threshold_sharpness * asset.gate * (1.0 - asset.gate) * asset.gap / asset.size,
                false => 0.0,
            };
            let of_gap = of_trade * (asset.gate + asset.gap * gate_slope);
            weight_slope[at + 1] += of_gap * work.factor;
            of_factor += of_gap * weights[at + 1];
            slope[VALUES + at] -= of_gap / value;
            of_whole += of_gap * asset.priced / (value * value);
        }
        if work.open_weight > 0.0 {
            let of_open = -of_factor * work.budget / (work.open_weight * work.open_weight);
            let of_budget = if work.budget > 0.0 { of_factor / work.open_weight } else { 0.0 };
            weight_slope[0] -= of_budget;
            for (at, asset) in assets.iter().enumerate() {
                if self.tradable[at] {
                    weight_slope[at + 1] += of_open;
                } else {
                    slope[VALUES + at] -= of_budget / value;
                    of_whole += of_budget * asset.priced / (value * value);
                }
            }
        }
        slope[CASH] += of_whole + before;
        for (at, ret) in self.ret_before.iter().enumerate() {
            slope[VALUES + at] = (slope[VALUES + at] + of_whole) * (1.0 + ret) + before;
        }
    }
}
