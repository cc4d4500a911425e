//! One step forward and back. `V` is the value at the close that the decision saw; trades are sized in
//! fractions of it, and filled after prices have moved by `ret_before`.

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
    /// What is left to the wanted weight, and its rounded size.
    gap: f64,
    size: f64,
    /// How far the gap passes the threshold, 0 to 1.
    gate: f64,
    /// Wanted sale and purchase over V, and the rounded size of the trade.
    sold: f64,
    bought: f64,
    trade_size: f64,
    /// Gradient of the position at the trade, before it moves on.
    slope: f64,
}

/// What a step computes on its way for the account.
pub(super) struct Work {
    value: f64,
    open_weight: f64,
    budget: f64,
    factor: f64,
    sold: f64,
    bought: f64,
    /// The same at the prices of the trades.
    opened_sold: f64,
    opened_bought: f64,
    first: Sloped,
    cap: Sloped,
    second: Sloped,
    third: Sloped,
    /// Factor of the planned purchases: first fit, cap and second fit together.
    planned: f64,
    /// Cash with interest and proceeds, before the purchases.
    open_cash: f64,
    /// Realised over V at full sales: short and long.
    gains: [f64; 2],
    /// Cash over V as planned.
    cash_ratio: f64,
    /// Cash and assets less tax, before and after.
    nav_before: f64,
    nav_after: f64,
}

impl Work {
    pub fn log_ret(&self) -> f64 {
        libm::log(self.nav_after / self.nav_before)
    }

    pub fn turnover(&self) -> f64 {
        self.cap.value * self.opened_sold + self.buys_by() * self.opened_bought
    }

    pub fn cash_ratio(&self) -> f64 {
        self.cash_ratio
    }

    /// Factor of the purchases that were made: of those planned, what the cash at the trades pays for.
    fn buys_by(&self) -> f64 {
        self.planned * self.third.value
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
        let value = state[CASH] + state[VALUES..].iter().sum::<f64>();
        let (mut locked, mut open_weight) = (0.0, 0.0);
        for (at, &tradable) in self.tradable.iter().enumerate() {
            if tradable { open_weight += weights[at + 1] } else { locked += state[VALUES + at] / value }
        }
        let budget = (1.0 - weights[0] - locked).max(0.0);
        let factor = if open_weight > 0.0 { budget / open_weight } else { 0.0 };

        let (mut sold, mut bought, mut gains) = (0.0, 0.0, [0.0; 2]);
        let (mut opened_sold, mut opened_bought) = (0.0, 0.0);
        for (at, asset) in assets.iter_mut().enumerate() {
            if !self.tradable[at] {
                *asset = AssetWork::default();
                continue;
            }
            asset.gap = factor * weights[at + 1] - state[VALUES + at] / value;
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
            let move_to_trade = 1.0 + self.ret_before[at];
            opened_sold += asset.sold * move_to_trade;
            opened_bought += asset.bought * move_to_trade;
            let gain = asset.sold * move_to_trade * (self.gain_ratio[at] - rate);
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
        let planned = cap.value * first.value * second.value;

        // The trades: prices have moved on, and purchases that became dearer than cash shrink once more.
        let open_cash = state[CASH] * (1.0 + self.cash_ret) + value * cap.value * opened_sold * (1.0 - rate);
        let third = fit(open_cash / value, planned * opened_bought * (1.0 + rate), sharpness);
        let buys_by = planned * third.value;
        for (at, asset) in assets.iter().enumerate() {
            let traded = state[VALUES + at] + value * (buys_by * asset.bought - cap.value * asset.sold);
            next[VALUES + at] = traded * (1.0 + self.ret_before[at]) * (1.0 + self.ret_after[at]);
        }
        next[CASH] = open_cash - value * buys_by * opened_bought * (1.0 + rate);
        next[SHORT] = state[SHORT] + value * cap.value * gains[0];
        next[LONG] = state[LONG] + value * cap.value * gains[1];
        Work {
            value,
            open_weight,
            budget,
            factor,
            sold,
            bought,
            opened_sold,
            opened_bought,
            first,
            cap,
            second,
            third,
            planned,
            open_cash,
            gains,
            cash_ratio: state[CASH] / value + cap.value * sold - planned * bought,
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
        let (cap, buys_by, planned) = (work.cap.value, work.buys_by(), work.planned);

        // The after-tax value on both sides of the return.
        let after = log_ret / work.nav_after;
        let before = -log_ret / work.nav_before;
        let tax_after = year_tax(&config.tax, next[SHORT], next[LONG], smoothing.limit_sharpness);
        let tax_before = year_tax(&config.tax, state[SHORT], state[LONG], smoothing.limit_sharpness);
        let gain_slopes =
            [next_slope[SHORT] - after * tax_after.slopes[0], next_slope[LONG] - after * tax_after.slopes[1]];
        slope[SHORT] = gain_slopes[0] - before * tax_before.slopes[0];
        slope[LONG] = gain_slopes[1] - before * tax_before.slopes[1];

        // Sums over assets of what the trades do to their values.
        let of_cash = next_slope[CASH] + after;
        let (mut by_bought, mut by_sold) = (0.0, 0.0);
        for (at, asset) in assets.iter_mut().enumerate() {
            let moves_on = (1.0 + self.ret_before[at]) * (1.0 + self.ret_after[at]);
            asset.slope = (next_slope[VALUES + at] + after) * moves_on;
            slope[VALUES + at] = asset.slope;
            by_bought += asset.slope * asset.bought;
            by_sold += asset.slope * asset.sold;
        }
        let gain_total = gain_slopes[0] * work.gains[0] + gain_slopes[1] * work.gains[1];
        let (opened_sold, opened_bought) = (work.opened_sold, work.opened_bought);
        let mut of_whole =
            buys_by * by_bought - cap * by_sold + cap * gain_total - of_cash * buys_by * opened_bought * (1.0 + rate);
        let of_buys_by = value * (by_bought - of_cash * opened_bought * (1.0 + rate)) + turnover * opened_bought;
        let mut of_cap = value * (gain_total - by_sold) + turnover * opened_sold;
        let mut of_opened_sold = turnover * cap;
        let mut of_opened_bought = buys_by * (turnover - of_cash * value * (1.0 + rate));

        // Back through the third fit and the cash at the trades.
        let mut of_planned = of_buys_by * work.third.value;
        let [fits, asked] = work.third.slopes.map(|slope| slope * of_buys_by * planned);
        of_planned += asked * opened_bought * (1.0 + rate);
        of_opened_bought += asked * planned * (1.0 + rate);
        of_whole -= fits * work.open_cash / (value * value);
        let of_open_cash = of_cash + fits / value;
        of_whole += of_open_cash * cap * opened_sold * (1.0 - rate);
        of_cap += of_open_cash * value * opened_sold * (1.0 - rate);
        of_opened_sold += of_open_cash * value * cap * (1.0 - rate);
        slope[CASH] = of_open_cash * (1.0 + self.cash_ret) + cash_ratio / value;

        // The planned cash.
        of_whole -= cash_ratio * state[CASH] / (value * value);
        of_cap += cash_ratio * work.sold;
        of_planned -= cash_ratio * work.bought;
        let (mut of_sold, mut of_bought) = (cash_ratio * cap, -cash_ratio * planned);

        // Back through second fit, cap and first fit.
        let (first, second) = (work.first.value, work.second.value);
        let (net_sold, net_bought) = (work.sold * (1.0 - rate), work.bought * (1.0 + rate));
        of_cap += of_planned * first * second;
        let mut of_first = of_planned * cap * second;
        let of_second = of_planned * cap * first;
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

        slope[CASH] += of_free / value;
        of_whole -= of_free * state[CASH] / (value * value);
        weight_slope[0] -= of_free;

        // Back through threshold and gap to the weights and the values before the trade.
        let mut of_factor = 0.0;
        for (at, asset) in assets.iter().enumerate() {
            if !self.tradable[at] {
                continue;
            }
            let move_to_trade = 1.0 + self.ret_before[at];
            let of_gain = gain_slopes[0] * self.short_share[at] + gain_slopes[1] * (1.0 - self.short_share[at]);
            let realised = value * cap * of_gain * (self.gain_ratio[at] - rate);
            let of_buy = of_bought + asset.slope * value * buys_by + of_opened_bought * move_to_trade;
            let of_sale = of_sold - asset.slope * value * cap + (of_opened_sold + realised) * move_to_trade;
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
            of_whole += of_gap * state[VALUES + at] / (value * value);
        }
        if work.open_weight > 0.0 {
            let of_open = -of_factor * work.budget / (work.open_weight * work.open_weight);
            let of_budget = if work.budget > 0.0 { of_factor / work.open_weight } else { 0.0 };
            weight_slope[0] -= of_budget;
            for (at, &tradable) in self.tradable.iter().enumerate() {
                if tradable {
                    weight_slope[at + 1] += of_open;
                } else {
                    slope[VALUES + at] -= of_budget / value;
                    of_whole += of_budget * state[VALUES + at] / (value * value);
                }
            }
        }
        slope[CASH] += of_whole + before;
        for one in &mut slope[VALUES..] {
            *one += of_whole + before;
        }
    }
}
