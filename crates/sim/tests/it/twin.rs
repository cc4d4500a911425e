//! The differentiable twin against the environment itself.

use lotwise_core::{Date, Objective, RawBar, Seed, Symbol};
use lotwise_market::{CorporateActions, Panel};
use lotwise_sim::backtest::BacktestMarket;
use lotwise_sim::env::{EnvConfig, Episode, Tape};
use lotwise_sim::execution::{CostConfig, ExecutionConfig, Funding};
use lotwise_sim::twin::{Path, Smoothing, StepOutput, Twin, TwinConfig, TwinTax};
use lotwise_tax::Term;
use rand_chacha::rand_core::Rng;

const N_ASSETS: usize = 5;
/// Steps of a window, 31 days each and all in one year, so that no purchase washes a loss.
const N_STEPS: usize = 11;
/// Assets without a bar in a session: they cannot be traded at that close.
const GAPS: [(usize, usize); 2] = [(2, 5), (4, 8)];

/// Uniform draws of a seed.
fn draws(seed: u64, name: &'static str) -> impl FnMut(f64, f64) -> f64 {
    let mut random = Seed::new(seed).stream(name, 0);
    move |low, high| low + (high - low) * (random.next_u64() as f64 / u64::MAX as f64)
}

fn panel(seed: u64) -> Panel {
    let mut draw = draws(seed, "bars");
    let start = Date::from_ymd(2023, 1, 3).expect("Invariant: a real date");
    let group = |asset: usize| {
        let mut price = 20.0 * (asset + 1) as f64;
        let mut bars = Vec::new();
        for session in 0..=N_STEPS {
            // Opening gaps make purchases dearer than the cash there is, now and then.
            let open = price * (1.0 + draw(-0.02, 0.02));
            price = open * (1.0 + draw(-0.06, 0.06));
            let (high, low) = (open.max(price), open.min(price));
            let date = start.plus_days(31 * session as i32);
            let bar = RawBar { date, open, high, low, close: price, adj_close: price, volume: 1e6 };
            if !GAPS.contains(&(asset, session)) {
                bars.push(bar);
            }
        }
        (Symbol::parse(&format!("S{asset}")).expect("Invariant: a symbol"), bars)
    };
    Panel::from_groups(&(0..N_ASSETS).map(group).collect::<Vec<_>>())
}

/// What an episode went through, in the words of the twin.
struct Played {
    log_rets: Vec<f64>,
    turnovers: Vec<f64>,
    weights: Vec<f64>,
    start: Vec<f64>,
    ret_before: Vec<f64>,
    ret_after: Vec<f64>,
    tradable: Vec<bool>,
    gain_ratio: Vec<f64>,
    short_share: Vec<f64>,
    n_sales: usize,
    /// The year's sums at the end.
    realised: (f64, f64),
}

/// Steps an episode from random lots towards random weights.
fn play(config: &EnvConfig, seed: u64) -> Played {
    let panel = panel(seed);
    let actions = CorporateActions::default();
    let tape = Tape::new(&BacktestMarket::new(&panel, panel.assets().collect(), &actions, None));
    let mut episode = Episode::new(config).expect("Invariant: the settings fit");
    episode.reset(config, &tape, Seed::new(seed), 0).expect("Invariant: the tape is long enough");
    // Assets of the episode are drawn; the twin has them in the episode's order.
    let universe: Vec<usize> = episode.universe().iter().map(|&asset| asset as usize).collect();
    let price = |field, asset: usize, session: usize| {
        panel.full_history(panel.assets().nth(universe[asset]).expect("Invariant: an asset"), field)[session]
    };
    let (open, close) = (lotwise_market::Field::Open, lotwise_market::Field::Close);
    let cells = N_ASSETS * N_STEPS;
    let mut played = Played {
        log_rets: Vec::new(),
        turnovers: Vec::new(),
        weights: Vec::new(),
        start: vec![episode.account().cash().to_f64(), 0.0, 0.0],
        ret_before: vec![0.0; cells],
        ret_after: vec![0.0; cells],
        tradable: vec![true; cells],
        gain_ratio: vec![0.0; cells],
        short_share: vec![0.0; cells],
        n_sales: 0,
        realised: (0.0, 0.0),
    };
    let mut seen: Vec<f64> = (0..N_ASSETS).map(|asset| price(close, asset, 0)).collect();
    played.start.extend((0..N_ASSETS).map(|asset| episode.account().held(asset).to_f64() * seen[asset]));
    let mut draw = draws(seed, "weights");
    let mut present = vec![0.0; N_ASSETS + 1];
    for step in 0..N_STEPS {
        episode.weights(&mut present);
        let mut wanted: Vec<f64> = (0..=N_ASSETS).map(|_| draw(0.05, 1.0)).collect();
        // No cash is wanted in every other step.
        wanted[0] *= (step % 2) as f64;
        // What has no bar in the next session cannot be filled, so that nothing is wanted of it.
        let kept = |asset: usize| price(close, asset, step + 1).is_nan();
        let stays: f64 = (0..N_ASSETS).filter(|asset| kept(*asset)).map(|asset| present[1 + asset]).sum();
        let moves: f64 =
            wanted[0] + (0..N_ASSETS).filter(|asset| !kept(*asset)).map(|asset| wanted[1 + asset]).sum::<f64>();
        wanted[0] *= (1.0 - stays) / moves;
        for asset in 0..N_ASSETS {
            wanted[1 + asset] =
                if kept(asset) { present[1 + asset] } else { wanted[1 + asset] * (1.0 - stays) / moves };
        }
        let (first_row, value) = (episode.account().rows().len(), episode.value_before_tax());
        let before = episode.value();
        let result = episode.step(config, &tape, &wanted, None, 0.0).expect("Invariant: the step can be made");
        played.log_rets.push((result.info.value / before).ln());
        played.turnovers.push((result.info.sold + result.info.bought) / value);
        for (asset, seen) in seen.iter_mut().enumerate() {
            let cell = step * N_ASSETS + asset;
            played.tradable[cell] = price(close, asset, step).is_finite();
            let opened = price(open, asset, step + 1);
            if opened.is_finite() {
                played.ret_before[cell] = opened / *seen - 1.0;
                *seen = price(close, asset, step + 1);
                played.ret_after[cell] = *seen / opened - 1.0;
            }
            let rows = episode.account().rows()[first_row..].iter().filter(|row| row.symbol.0 as usize == asset);
            let (mut sold, mut gain, mut short) = (0.0, 0.0, 0.0);
            for row in rows {
                let of_row = row.reportable().expect("Invariant: a known basis").to_f64();
                assert!(row.disallowed.is_zero());
                sold += row.shares.to_f64() * opened;
                gain += of_row;
                short += if row.term == Some(Term::Short) { of_row } else { 0.0 };
                played.n_sales += 1;
            }
            if sold > 0.0 {
                played.gain_ratio[cell] = gain / sold + config.execution.cost.rate();
                // The share of the gain, so that the sum by term is exact.
                played.short_share[cell] = if gain.abs() > 1e-9 { short / gain } else { 0.0 };
            }
        }
        played.weights.extend(wanted);
    }
    let realised = episode.account().realised(*panel.sessions().last().expect("Invariant: a session"));
    played.realised = (realised.short.to_f64(), realised.long.to_f64());
    played
}

#[test]
fn the_twin_becomes_the_environment_as_it_sharpens() {
    for (seed, cap) in [(1, f64::INFINITY), (2, 0.25), (3, 0.5), (4, 0.1), (5, 1.0)] {
        let mut config = EnvConfig::stated(N_ASSETS);
        config.execution = ExecutionConfig {
            hold_fraction: 1.0,
            turnover_cap: cap,
            cost: CostConfig { proportional_bps: 5.0, impact_coef: 0.0 },
            ..ExecutionConfig::stated()
        };
        config.start.random_portfolio = 1.0;
        config.start.warmup_sessions = 0;
        // No purchase of the month before the window.
        config.start.age_days = (40, 900);
        config.start.objective = Some(Objective::MaxGain1y);
        config.horizon_steps = [N_STEPS as u32; 6];
        let played = play(&config, seed);
        assert!(played.n_sales > 10 && played.turnovers.iter().sum::<f64>() > 0.5, "the case trades");

        let path = Path {
            ret_before: &played.ret_before,
            ret_after: &played.ret_after,
            cash_ret: &[0.0; N_STEPS],
            tradable: &played.tradable,
            gain_ratio: &played.gain_ratio,
            short_share: &played.short_share,
            funding: Funding::Rebalance,
        };
        let rates = config.tax.rates;
        let tax = TwinTax {
            short_rate: rates.short.to_f64(),
            long_rate: rates.long.to_f64(),
            loss_limit: config.tax.loss_limit.to_f64(),
            carried_loss_rate: config.tax.carried_share.to_f64() * rates.long.to_f64(),
            account_scale: 100_000.0,
        };
        let mut errors = Vec::new();
        let mut twin = Twin::new(TwinConfig::of(&config.execution, tax), N_ASSETS);
        for times in [1.0, 10.0, 100.0, 1e4, 1e6] {
            let smoothing = Smoothing::stated().sharpened(times);
            twin = Twin::new(TwinConfig { smoothing, ..TwinConfig::of(&config.execution, tax) }, N_ASSETS);
            let mut outputs = vec![StepOutput::default(); N_STEPS];
            twin.forward(&path, &played.start, &played.weights, &mut outputs);
            let of_step = |(output, (log_ret, turnover)): (&StepOutput, (&f64, &f64))| {
                (output.log_ret - log_ret).abs().max((output.turnover - turnover).abs())
            };
            let steps = outputs.iter().zip(played.log_rets.iter().zip(&played.turnovers));
            errors.push(steps.map(of_step).fold(0.0, f64::max));
        }
        assert!(errors.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "cap {cap}: {errors:?}");
        assert!(errors[4] < 1e-8, "cap {cap}: {errors:?}");
        let end = twin.end_state();
        let (short, long) = played.realised;
        assert!((end[1] - short).abs() < 1e-3 && (end[2] - long).abs() < 1e-3, "{end:?} and {short}, {long}");
    }
}
