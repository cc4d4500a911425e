//! As the smoothing sharpens, the twin becomes the exact step: trades of [`crate::execution`], lots and
//! gains of the tax book, the year's tax at flat rates.

use std::sync::Arc;

use lotwise_core::{Date, Money, Seed, Shares};
use lotwise_tax::{
    AccountIdx, AccountKind, At, FlatRates, IndexedBook, Method, Pick, Rules, SaleIdx, SymbolIdx, Term, Trade,
    flat_year_tax,
};
use rand_chacha::rand_core::Rng;

use super::*;
use crate::execution::{CapRule, CostConfig, Holdings, Scratch, SellRule, ShareUnits, Venue, Wish, plan_trades};

const N_ASSETS: usize = 5;
const N_STEPS: usize = 12;
const ACCOUNT: AccountIdx = AccountIdx(0);

fn execution(turnover_cap: f64) -> ExecutionConfig {
    ExecutionConfig {
        rebalance_threshold: 0.01,
        hold_fraction: 1.0,
        turnover_cap,
        cap_rule: CapRule::Proportional,
        sell_rule: SellRule::Forced,
        max_weight: 1.0,
        cost: CostConfig { proportional_bps: 5.0, impact_coef: 0.0 },
    }
}

fn money(dollars: f64) -> Money {
    Money::from_f64(dollars).unwrap()
}

/// What the exact account went through, and the ratios of the lots that its sales took.
struct Exact {
    log_rets: Vec<f64>,
    turnovers: Vec<f64>,
    gain_ratio: Vec<f64>,
    short_share: Vec<f64>,
    start: Vec<f64>,
}

struct World {
    ret_before: Vec<f64>,
    ret_after: Vec<f64>,
    weights: Vec<f64>,
    tradable: Vec<bool>,
    cash_ret: Vec<f64>,
}

fn world(seed: u64) -> World {
    let mut random = Seed::new(seed).stream("convergence", 0);
    let mut draw = |low: f64, high: f64| low + (high - low) * (random.next_u64() as f64 / u64::MAX as f64);
    let cells = N_ASSETS * N_STEPS;
    let mut weights = Vec::new();
    for step in 0..N_STEPS {
        let mut raw: Vec<f64> = (0..=N_ASSETS).map(|_| draw(0.05, 1.0)).collect();
        // No cash is wanted in every other step, so that a gap can make purchases too dear.
        raw[0] *= (step % 2) as f64;
        let sum: f64 = raw.iter().sum();
        weights.extend(raw.iter().map(|weight| weight / sum));
    }
    World {
        ret_before: (0..cells).map(|_| draw(-0.01, 0.01)).collect(),
        ret_after: (0..cells).map(|_| draw(-0.03, 0.03)).collect(),
        weights,
        tradable: (0..cells).map(|_| draw(0.0, 1.0) < 0.9).collect(),
        cash_ret: vec![0.0001; N_STEPS],
    }
}

/// Steps the exact account, a step a month, so that no loss is disallowed by a purchase; the
/// prices are those of the path.
fn exact(world: &World, config: &ExecutionConfig, rates: FlatRates) -> Exact {
    let mut book = IndexedBook::new(&[(AccountKind::Taxable, Method::Fifo)], Arc::new(Rules::default()));
    let symbols: Vec<SymbolIdx> =
        (0..N_ASSETS).map(|_| book.add_symbol(lotwise_tax::SymbolKind::Stock, None)).collect();
    let at = |date: Date, asset: usize| At { date, account: ACCOUNT, symbol: symbols[asset] };
    let mut prices = [100.0, 50.0, 200.0, 80.0, 20.0];
    // Lots old enough to be long-term in the first months and lots that are not, with gains and losses.
    for (year, dollars, basis) in [(2021, 8_000.0, 0.7), (2022, 9_000.0, 1.2)] {
        for (asset, price) in prices.iter().enumerate() {
            let bought = Date::from_ymd(year, 9, 1 + asset as u32).unwrap();
            let shares = Shares::from_f64(dollars / price).unwrap();
            let amount = money(shares.to_f64() * price * basis);
            book.buy(at(bought, asset), Trade { shares, amount, fee: Money::ZERO }).unwrap();
        }
    }
    let mut cash = 20_000.0;
    let held = |book: &IndexedBook, asset: usize| book.held(ACCOUNT, symbols[asset]).to_f64();
    let mut start = vec![cash, 0.0, 0.0];
    start.extend((0..N_ASSETS).map(|asset| held(&book, asset) * prices[asset]));
    let mut nav = start.iter().sum::<f64>();
    let mut done = Exact {
        log_rets: Vec::new(),
        turnovers: Vec::new(),
        gain_ratio: vec![0.0; N_ASSETS * N_STEPS],
        short_share: vec![0.0; N_ASSETS * N_STEPS],
        start,
    };
    let mut shrunk = 0;
    let mut scratch = Scratch::default();
    for step in 0..N_STEPS {
        let date = Date::from_ymd(2023, 1, 3).unwrap().plus_days(31 * step as i32);
        let cells = step * N_ASSETS..(step + 1) * N_ASSETS;
        let values: Vec<f64> = (0..N_ASSETS).map(|asset| held(&book, asset) * prices[asset]).collect();
        let mut trades = vec![0.0; N_ASSETS];
        let plan = plan_trades(
            config,
            Holdings { cash, values: &values },
            Wish {
                weights: &world.weights[step * (N_ASSETS + 1)..(step + 1) * (N_ASSETS + 1)],
                actions: None,
                forced_exits: None,
                funding: Funding::Rebalance,
            },
            Venue { tradable: &world.tradable[cells.clone()], depth: None, units: ShareUnits::Fractional },
            &mut scratch,
            &mut trades,
        );
        // Orders are sized at the close and filled at the open.
        let seen = prices;
        for (price, ret) in prices.iter_mut().zip(&world.ret_before[cells.clone()]) {
            *price *= 1.0 + ret;
        }
        cash *= 1.0 + world.cash_ret[step];
        let rate = config.cost.rate();
        let fills: Vec<f64> = (0..N_ASSETS).map(|asset| trades[asset] / seen[asset] * prices[asset]).collect();
        cash += fills.iter().map(|fill| (-fill).max(0.0)).sum::<f64>() * (1.0 - rate);
        let needed = fills.iter().map(|fill| fill.max(0.0)).sum::<f64>() * (1.0 + rate);
        let factor = if needed > cash { cash / needed } else { 1.0 };
        shrunk += usize::from(factor < 1.0);
        cash -= needed * factor;
        let mut traded = 0.0;
        for (asset, &fill) in fills.iter().enumerate() {
            let first = book.rows().len();
            let fill = if fill > 0.0 { fill * factor } else { fill };
            traded += fill.abs();
            let shares = Shares::from_f64(fill.abs() / prices[asset]).unwrap();
            let order = Trade { shares, amount: money(fill.abs()), fee: money(fill.abs() * rate) };
            if fill > 0.0 {
                book.buy(at(date, asset), order).unwrap();
            } else if fill < 0.0 {
                book.sell(at(date, asset), SaleIdx(0), order, Pick::Standing, None).unwrap();
                let cell = step * N_ASSETS + asset;
                let rows = &book.rows()[first..];
                let gain = |row: &lotwise_tax::Row| row.reportable().unwrap().to_f64();
                let sold: f64 = rows.iter().map(gain).sum();
                let short: f64 = rows.iter().filter(|row| row.term == Some(Term::Short)).map(gain).sum();
                done.gain_ratio[cell] = sold / -fill + rate;
                // The share of the gain, so that the sum by term is exact.
                done.short_share[cell] = if sold.abs() > 1e-9 { short / sold } else { 0.0 };
            }
        }
        let realised = book.realised(date);
        let tax = flat_year_tax(realised.short, realised.long, Money::from_whole(3_000), rates).unwrap().tax.to_f64();
        for (price, ret) in prices.iter_mut().zip(&world.ret_after[cells]) {
            *price *= 1.0 + ret;
        }
        let after = cash + (0..N_ASSETS).map(|asset| held(&book, asset) * prices[asset]).sum::<f64>() - tax;
        done.log_rets.push((after / nav).ln());
        done.turnovers.push(traded / plan.value);
        nav = after;
    }
    assert!(config.turnover_cap < 1.0 || shrunk > 0, "an opening gap made purchases dearer than the cash");
    done
}

#[test]
fn the_twin_becomes_the_exact_step_as_it_sharpens() {
    let rates = FlatRates::default();
    for (seed, cap) in [(1, f64::INFINITY), (2, 0.25), (3, 0.5), (4, 0.1)] {
        let (world, config) = (world(seed), execution(cap));
        let exact = exact(&world, &config, rates);
        assert!(exact.turnovers.iter().sum::<f64>() > 0.5, "the case trades: {:?}", exact.turnovers);
        let path = Path {
            ret_before: &world.ret_before,
            ret_after: &world.ret_after,
            cash_ret: &world.cash_ret,
            tradable: &world.tradable,
            gain_ratio: &exact.gain_ratio,
            short_share: &exact.short_share,
            funding: Funding::Rebalance,
        };
        let tax = TwinTax {
            short_rate: rates.short.to_f64(),
            long_rate: rates.long.to_f64(),
            loss_limit: 3_000.0,
            carried_loss_rate: 0.0,
            account_scale: 100_000.0,
        };
        let stated = TwinConfig::of(&config, tax);
        let errors: Vec<f64> = [1.0, 10.0, 100.0, 1e4, 1e6]
            .into_iter()
            .map(|times| {
                let smoothing = stated.smoothing.sharpened(times);
                let mut twin = Twin::new(TwinConfig { smoothing, ..stated }, N_ASSETS);
                let mut outputs = vec![StepOutput::default(); N_STEPS];
                twin.forward(&path, &exact.start, &world.weights, &mut outputs);
                let of_step = |(output, (log_ret, turnover)): (&StepOutput, (&f64, &f64))| {
                    (output.log_ret - log_ret).abs().max((output.turnover - turnover).abs())
                };
                outputs.iter().zip(exact.log_rets.iter().zip(&exact.turnovers)).map(of_step).fold(0.0, f64::max)
            })
            .collect();
        assert!(errors.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "cap {cap}: {errors:?}");
        assert!(errors[4] < 1e-8, "cap {cap}: {errors:?}");
    }
}
