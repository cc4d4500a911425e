//! A backtest and an episode with the same wishes are the same account.

use lotwise_core::{Date, Money, Objective, Seed};
use lotwise_market::synthetic::{LifeConfig, MarketConfig, SyntheticMarket, Universe, generate};
use lotwise_market::{ActionRow, CorporateActions, Panel};
use lotwise_sim::Error;
use lotwise_sim::backtest::{
    AccountView, BacktestConfig, BacktestMarket, Costs, EventKind, Impact, Payout, Record, Strategy, Taxes, run,
};
use lotwise_sim::env::{EnvConfig, Episode, Tape};
use lotwise_sim::execution::{CostConfig, ExecutionConfig};
use lotwise_sim::policy::{Decision, Observation, Weights};
use lotwise_tax::Method;
use rand_chacha::rand_core::Rng;

/// What is wanted at the close of a session among the assets that trade: a new portfolio now and then,
/// some of its assets left out; `None` leaves everything.
fn wish(seed: u64, session: usize, trades: &[bool]) -> Option<Vec<f64>> {
    let mut random = Seed::new(seed).stream("wish", session as u64);
    let mut draw = || random.next_u64() as f64 / u64::MAX as f64;
    if session > FIRST && draw() > 0.3 {
        return None;
    }
    let mut raw = vec![if draw() < 0.5 { 0.0 } else { draw() }];
    for trades in trades {
        let (there, part) = (draw() < 0.6, draw());
        raw.push(if *trades && there { part } else { 0.0 });
    }
    raw[0] += 1e-3;
    let sum: f64 = raw.iter().sum();
    Some(raw.iter().map(|part| part / sum).collect())
}

struct Wishes {
    seed: u64,
    n_assets: usize,
}

impl Strategy for Wishes {
    fn name(&self) -> &str {
        "wishes"
    }

    fn decide(&mut self, observation: &Observation<'_>, _: &AccountView<'_>) -> Result<Decision, Error> {
        let mut trades = vec![false; self.n_assets];
        for asset in observation.universe {
            trades[asset.0] = observation.market.mask(*asset).last() == Some(&true);
        }
        let mut weights = observation.weights.to_vec();
        if let Some(wanted) = wish(self.seed, observation.market.end().0, &trades) {
            for (at, asset) in observation.universe.iter().enumerate() {
                weights[1 + at] = if trades[asset.0] { wanted[1 + asset.0] } else { weights[1 + at] };
            }
            // What does not trade is kept; the others share what it leaves.
            let kept: f64 = observation
                .universe
                .iter()
                .zip(&weights[1..])
                .filter(|(asset, _)| !trades[asset.0])
                .map(|(_, w)| w)
                .sum();
            for (at, asset) in observation.universe.iter().enumerate() {
                weights[1 + at] *= if trades[asset.0] { 1.0 - kept } else { 1.0 };
            }
            weights[0] = wanted[0] * (1.0 - kept);
        }
        Ok(Decision { weights: Weights::new(weights)?, notes: Vec::new() })
    }
}

const FIRST: usize = 40;
const N_SYMBOLS: usize = 12;

fn market(seed: u64) -> SyntheticMarket {
    let start = Date::from_ymd(2015, 1, 2)
        .map(|start| MarketConfig::null(Universe::Invented { n_symbols: N_SYMBOLS }, start, 760))
        .map(|config| {
            config.with_lives(LifeConfig { end_rate_annual: 0.5, min_sessions: 100, ..LifeConfig::usual(760) })
        });
    generate(&start.expect("Invariant: a real date"), Seed::new(seed)).expect("Invariant: the settings fit")
}

struct Case {
    bps: f64,
    impact: f64,
    threshold: f64,
    cap: Option<f64>,
    cash_rate: f64,
    method: Method,
}

fn backtest(market: &BacktestMarket<'_>, case: &Case, seed: u64) -> Record {
    let sessions = market.panel().sessions();
    let config = BacktestConfig {
        rebalance_threshold: case.threshold,
        turnover_cap: case.cap,
        costs: Costs {
            basis_points: case.bps,
            impact: (case.impact > 0.0).then_some(Impact { coefficient: case.impact }),
        },
        taxes: Taxes::standard(),
        method: case.method,
        cash_rate_annual: case.cash_rate,
        delisting_loss: 0.3,
        ..BacktestConfig::standard(sessions[FIRST], sessions[sessions.len() - 1])
    };
    run(market, &mut Wishes { seed, n_assets: market.assets().len() }, &config).expect("Invariant: the backtest runs")
}

#[test]
fn a_backtest_and_an_episode_with_the_same_wishes_are_the_same_account() {
    let stated = || Case { bps: 5.0, impact: 0.0, threshold: 0.0, cap: None, cash_rate: 0.0, method: Method::MinTax };
    let cases = [
        stated(),
        Case { bps: 25.0, threshold: 0.02, cap: Some(0.25), ..stated() },
        Case { impact: 0.8, cash_rate: 0.03, method: Method::Hifo, ..stated() },
        Case { bps: 0.0, cap: Some(0.5), cash_rate: -0.01, method: Method::Fifo, ..stated() },
    ];
    let mut ended = 0;
    for (seed, case) in cases.iter().enumerate() {
        let seed = seed as u64;
        let made = market(seed);
        let rows = made.actions.iter().map(|action| ActionRow {
            ex_date: action.ex_date,
            symbol: action.symbol.clone(),
            dividend: action.dividend.to_f64(),
            split: action.split.to_f64(),
        });
        let (panel, actions) = (Panel::from_groups(&made.bars), CorporateActions::from_rows(rows));
        // Half of the payouts are known.
        let payouts = made.delistings.iter().step_by(2).map(Payout::from);
        let market = BacktestMarket::new(&panel, panel.assets().collect(), &actions, None).with_payouts(payouts);
        let record = backtest(&market, case, seed);

        let mut config = EnvConfig::stated(N_SYMBOLS).from_cash();
        config.execution = ExecutionConfig {
            rebalance_threshold: case.threshold,
            hold_fraction: 1.0,
            turnover_cap: case.cap.unwrap_or(f64::INFINITY),
            cost: CostConfig { proportional_bps: case.bps, impact_coef: case.impact },
            ..ExecutionConfig::stated()
        };
        config.tax.method = case.method;
        config.cash_rate_annual = case.cash_rate;
        config.delisting_loss = 0.3;
        config.horizon_steps = [10_000; 6];
        config.ruin = 0.0;
        let tape = Tape::new(&market);
        let universe: Vec<u32> = (0..N_SYMBOLS as u32).collect();
        let mut episode = Episode::new(&config).unwrap();
        episode.place(&config, &tape, FIRST, &universe, Objective::MaxGain1y).unwrap();
        let mut weights = vec![0.0; N_SYMBOLS + 1];
        for (at, day) in record.sessions.iter().enumerate() {
            let session = FIRST + at;
            let trades: Vec<bool> = panel.assets().map(|asset| panel.full_mask(asset)[session]).collect();
            episode.weights(&mut weights);
            if let Some(wanted) = wish(seed, session, &trades) {
                let kept: f64 = (0..N_SYMBOLS).filter(|asset| !trades[*asset]).map(|asset| weights[1 + asset]).sum();
                for asset in 0..N_SYMBOLS {
                    if trades[asset] {
                        weights[1 + asset] = wanted[1 + asset] * (1.0 - kept);
                    }
                }
                weights[0] = wanted[0] * (1.0 - kept);
            }
            let result = episode.step(&config, &tape, &weights, None, 0.0).unwrap();
            let cent = Money::parse("0.01").unwrap();
            let apart = (episode.account().cash() - day.cash).abs();
            assert!(apart < cent, "case {seed}, {}: cash {} and {}", day.date, episode.account().cash(), day.cash);
            let apart = (result.info.value_before_tax - day.value.to_f64()).abs();
            assert!(
                apart < 0.01,
                "case {seed}, {}: value {} and {}",
                day.date,
                result.info.value_before_tax,
                day.value
            );
            assert!((result.info.cost - day.costs.to_f64()).abs() < 0.01, "case {seed}, {}", day.date);
        }
        assert!(
            (episode.account().paid() - record.sessions.iter().map(|day| day.tax_paid).sum()).abs()
                < Money::parse("0.01").unwrap()
        );
        assert!(
            episode.account().paid().is_positive() && record.trades.len() > 300,
            "case {seed}: it trades and pays tax"
        );
        ended += record.events.iter().filter(|event| matches!(event.kind, EventKind::Ended { .. })).count();
    }
    assert!(ended > 4, "listings end while they are held: {ended}");
}
