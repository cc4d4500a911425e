//! Lists whose every dollar is known by hand, and what must hold of all of them.

use lotwise_core::Seed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::*;
use crate::Covariance;

/// Without correlation, the volatility a year of every asset.
fn covariance(n_assets: usize, vol_annual: f64) -> Covariance {
    let variance = vol_annual * vol_annual / crate::SESSIONS_PER_YEAR;
    let row = |i: usize| (0..n_assets).map(|j| if i == j { variance } else { 0.0 }).collect();
    Covariance::from_rows(&(0..n_assets).map(row).collect::<Vec<_>>()).unwrap()
}

fn usual_year() -> TaxYear {
    TaxYear {
        short_rate: 0.24,
        long_rate: 0.15,
        carried_rate: 0.075,
        net_short: 0.0,
        net_long: 0.0,
        loss_limit: 3_000.0,
    }
}

fn lot(asset: usize, value: f64, gain: f64, term: Term) -> TaxLot {
    TaxLot { asset, value, gain, term }
}

/// A problem over three assets in which everything is allowed.
fn problem<'a>(lots: &'a [TaxLot], target: &'a [f64], covariance: &'a Covariance) -> TradeProblem<'a> {
    const YES: [bool; 3] = [true; 3];
    TradeProblem {
        cash: 1_000.0,
        lots,
        target,
        covariance,
        risk_weight: 0.0,
        may_buy: &YES,
        may_sell: &YES,
        may_take_losses: &YES,
        max_weight: 1.0,
        cost_rate: 0.001,
        tax: usual_year(),
    }
}

fn near(got: f64, wanted: f64, by: f64) -> bool {
    (got - wanted).abs() <= by
}

#[test]
fn without_weight_on_risk_exactly_the_lots_at_a_loss_above_cost_go() {
    let covariance = covariance(3, 0.2);
    let lots = [
        // A sale of 1,000 costs 1 dollar, which is a loss too: one of 10 saves 0.15 · 11 where it meets
        // long-term gains, one of 5 no more than 0.90.
        lot(0, 1_000.0, -10.0, Term::Short),
        lot(0, 1_000.0, -5.0, Term::Short),
        lot(1, 1_000.0, -5.0, Term::Long),
        lot(1, 1_000.0, -7.0, Term::Long),
        lot(2, 1_000.0, 50.0, Term::Long),
        lot(2, 1_000.0, 0.0, Term::Short),
    ];
    let target = [0.0, 0.3, 0.3, 0.4];
    let mut case = problem(&lots, &target, &covariance);
    case.tax.net_long = 100.0;
    let list = trade_list(&case).unwrap();
    assert_eq!(list.sold, [1_000.0, 0.0, 0.0, 1_000.0, 0.0, 0.0]);
    assert_eq!(list.bought, [0.0; 3]);
    assert!(near(list.cost, 2.0, 1e-9), "{list:?}");
    assert!(near(list.tax, -0.15 * 19.0, 1e-9), "{list:?}");
    // Without gains to meet, the deduction saves at the short rate, of long-term losses too: 0.24 · 6.
    case.tax.net_long = 0.0;
    let list = trade_list(&case).unwrap();
    assert_eq!(list.sold, [1_000.0, 1_000.0, 1_000.0, 1_000.0, 0.0, 0.0]);
    assert!(near(list.tax, -0.24 * 31.0, 1e-9), "{list:?}");
}

#[test]
fn losses_beyond_what_can_be_used_are_worth_what_is_carried() {
    let covariance = covariance(3, 0.2);
    let lots = [lot(0, 10_000.0, -4_000.0, Term::Short), lot(1, 10_000.0, -100.0, Term::Short)];
    let target = [0.0, 0.3, 0.3, 0.4];
    let mut case = problem(&lots, &target, &covariance);
    let both = trade_list(&case).unwrap();
    assert_eq!(both.sold, [10_000.0, 0.0], "7.5 % of 110 does not pay for 10");
    assert!(near(both.tax, -(0.24 * 3_000.0 + 0.075 * 1_010.0), 1e-6), "{both:?}");
    // A short-term gain of the year makes room for more.
    case.tax.net_short = 2_000.0;
    let more = trade_list(&case).unwrap();
    assert_eq!(more.sold, [10_000.0, 10_000.0]);
    assert!(near(more.tax, -0.24 * 4_120.0, 1e-6), "{more:?}");
}

#[test]
fn short_losses_against_long_gains_are_worth_the_long_rate() {
    let covariance = covariance(3, 0.2);
    // A loss of 5 and a cost of 1: 0.15 · 6 does not pay for it, 0.24 · 6 would.
    let lots = [lot(0, 1_000.0, -5.0, Term::Short)];
    let target = [0.0, 0.3, 0.3, 0.4];
    let mut case = problem(&lots, &target, &covariance);
    assert_eq!(trade_list(&case).unwrap().sold, [1_000.0]);
    case.tax.net_long = 100.0;
    assert_eq!(trade_list(&case).unwrap().sold, [0.0]);
}

#[test]
fn a_huge_rate_realises_no_gain_however_far_the_target_is() {
    let covariance = covariance(3, 0.3);
    let lots = [lot(0, 9_000.0, 3_000.0, Term::Short), lot(1, 10.0, 4.0, Term::Long)];
    let target = [0.0, 0.0, 0.5, 0.5];
    let mut case = TradeProblem { risk_weight: 0.5, ..problem(&lots, &target, &covariance) };
    case.tax = TaxYear { short_rate: 1.0, long_rate: 1.0, carried_rate: 0.0, ..usual_year() };
    let list = trade_list(&case).unwrap();
    assert_eq!(list.sold, [0.0, 0.0]);
    // The cash there is still goes towards the target.
    assert!(near(list.bought.iter().sum::<f64>() * 1.001, 1_000.0, 0.1), "{list:?}");
    case.tax = TaxYear::none();
    assert!(trade_list(&case).unwrap().sold[0] > 8_700.0);
}

#[test]
fn the_last_dollar_sold_is_worth_its_tax() {
    // One asset with a long-term gain of half its value, κ = 2, volatility 20 %, no cost: distance d from
    // the target costs 2 · 0.04 · d², so that at the optimum 0.16 · d is the tax of 0.15 · 0.5 a dollar.
    let covariance = covariance(3, 0.2);
    let lots = [lot(0, 9_000.0, 4_500.0, Term::Long)];
    let target = [1.0, 0.0, 0.0, 0.0];
    let case = TradeProblem { risk_weight: 2.0, cost_rate: 0.0, ..problem(&lots, &target, &covariance) };
    let list = trade_list(&case).unwrap();
    let left = (9_000.0 - list.sold[0]) / 10_000.0;
    assert!(near(left, 0.075 / 0.16, 1e-4), "{left}");
    assert!(near(list.tax, 0.075 * list.sold[0], 1e-6), "{list:?}");
}

#[test]
fn without_taxes_and_costs_the_target_is_reached() {
    let covariance = covariance(3, 0.2);
    let lots = [lot(0, 6_000.0, 0.0, Term::Long), lot(1, 3_000.0, 0.0, Term::Long)];
    let target = [0.1, 0.2, 0.5, 0.2];
    let case = TradeProblem {
        risk_weight: 10.0,
        cost_rate: 0.0,
        tax: TaxYear::none(),
        ..problem(&lots, &target, &covariance)
    };
    let list = trade_list(&case).unwrap();
    assert!(near(list.sold[0], 4_000.0, 1.0), "{list:?}");
    assert!(near(list.bought[1], 2_000.0, 1.0) && near(list.bought[2], 2_000.0, 1.0), "{list:?}");
}

#[test]
fn wash_sale_windows_largest_weight_and_cash_hold() {
    let covariance = covariance(3, 0.25);
    let lots = [
        lot(0, 5_000.0, -1_000.0, Term::Short),
        lot(1, 3_000.0, -600.0, Term::Long),
        lot(1, 1_000.0, 10.0, Term::Long),
    ];
    let target = [0.05, 0.3, 0.3, 0.35];
    let mut case = TradeProblem { risk_weight: 1.0, max_weight: 0.35, ..problem(&lots, &target, &covariance) };
    // Asset 0 was bought lately: its loss would be washed, and only a gain of asset 1 may be sold.
    case.may_take_losses = &[false, false, true];
    let held = trade_list(&case).unwrap();
    assert_eq!(held.sold[..2], [0.0, 0.0], "{held:?}");
    // Free of it, asset 0 has to come under the largest weight, and harvests.
    case.may_take_losses = &[true; 3];
    case.may_buy = &[true, true, false];
    let free = trade_list(&case).unwrap();
    assert!(free.sold[0] >= 1_500.0 - 0.1, "{free:?}");
    assert_eq!(free.bought[2], 0.0, "asset 2 was sold at a loss lately");
    case.may_sell = &[false, true, true];
    assert_eq!(trade_list(&case).unwrap().sold[0], 0.0, "it does not trade");
}

#[test]
fn settings_out_of_range_are_named() {
    let covariance = covariance(3, 0.2);
    let target = [0.0, 0.3, 0.3, 0.4];
    let stated = problem(&[], &target, &covariance);
    let negative = TradeProblem { risk_weight: -1.0, ..stated };
    assert!(matches!(trade_list(&negative), Err(Error::Setting { setting: "risk_weight", .. })));
    let reversed = TradeProblem { tax: TaxYear { long_rate: 0.5, ..usual_year() }, ..stated };
    assert!(matches!(trade_list(&reversed), Err(Error::Setting { setting: "tax.long_rate", .. })));
    let target = [0.0, 0.3, 0.3, 0.3];
    assert!(matches!(trade_list(&problem(&[], &target, &covariance)), Err(Error::NotOnSimplex { .. })));
}

#[test]
fn an_account_without_value_trades_nothing() {
    let covariance = covariance(3, 0.2);
    let target = [0.0, 0.3, 0.3, 0.4];
    let empty = TradeProblem { cash: 0.0, ..problem(&[], &target, &covariance) };
    let list = trade_list(&empty).unwrap();
    assert_eq!((list.bought, list.tax, list.objective), (vec![0.0; 3], 0.0, 0.0));
}

struct World {
    cash: f64,
    lots: Vec<TaxLot>,
    target: Vec<f64>,
    covariance: Covariance,
    flags: [Vec<bool>; 3],
    risk_weight: f64,
    max_weight: f64,
    cost_rate: f64,
    tax: TaxYear,
}

fn uniform(random: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * (random.next_u64() as f64 / u64::MAX as f64)
}

impl World {
    fn random(seed: u64, n: usize) -> Self {
        let mut random = Seed::new(seed).stream("trade list", 0);
        let mut draw = |low: f64, high: f64| uniform(&mut random, low, high);
        let mut lots = Vec::new();
        for asset in 0..n {
            for _ in 0..draw(0.0, 3.99) as usize {
                let value = draw(100.0, 20_000.0);
                let gain = value * draw(-0.4, 0.4);
                let term = if draw(0.0, 1.0) < 0.5 { Term::Short } else { Term::Long };
                lots.push(TaxLot { asset, value, gain, term });
            }
        }
        let raw: Vec<f64> = (0..=n).map(|_| draw(0.0, 1.0)).collect();
        let sum: f64 = raw.iter().sum();
        let loadings: Vec<f64> = (0..n).map(|_| draw(0.5, 1.5)).collect();
        let own: Vec<f64> = (0..n).map(|_| draw(0.01, 0.1)).collect();
        let cell = |i: usize, j: usize| {
            (0.03 * (loadings[i] * loadings[j]) + if i == j { own[i] } else { 0.0 }) / crate::SESSIONS_PER_YEAR
        };
        let rows: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| cell(i, j)).collect()).collect();
        let mut flags = || (0..n).map(|_| draw(0.0, 1.0) < 0.8).collect::<Vec<bool>>();
        let flags = [flags(), flags(), flags()];
        Self {
            flags,
            lots,
            target: raw.iter().map(|weight| weight / sum).collect(),
            covariance: Covariance::from_rows(&rows).unwrap(),
            cash: draw(0.0, 20_000.0),
            risk_weight: draw(0.1, 10.0),
            max_weight: draw(0.3, 1.0),
            cost_rate: draw(0.0, 0.003),
            tax: TaxYear { net_short: draw(-5_000.0, 5_000.0), net_long: draw(-5_000.0, 5_000.0), ..usual_year() },
        }
    }

    fn problem(&self) -> TradeProblem<'_> {
        TradeProblem {
            cash: self.cash,
            lots: &self.lots,
            target: &self.target,
            covariance: &self.covariance,
            risk_weight: self.risk_weight,
            may_buy: &self.flags[0],
            may_sell: &self.flags[1],
            may_take_losses: &self.flags[2],
            max_weight: self.max_weight,
            cost_rate: self.cost_rate,
            tax: self.tax,
        }
    }
}

#[test]
fn constraints_hold_on_random_problems() {
    for seed in 0..200 {
        let world = World::random(seed, 1 + seed as usize % 7);
        let problem = world.problem();
        let list = trade_list(&problem).unwrap();
        let value = world.cash + world.lots.iter().map(|lot| lot.value).sum::<f64>();
        let (mut held, mut sold) = (vec![0.0; list.bought.len()], vec![0.0; list.bought.len()]);
        for (lot, amount) in world.lots.iter().zip(&list.sold) {
            assert!((0.0..=lot.value).contains(amount), "seed {seed}");
            assert!(*amount == 0.0 || problem.may_sell[lot.asset], "seed {seed}");
            assert!(*amount == 0.0 || lot.gain >= 0.0 || problem.may_take_losses[lot.asset], "seed {seed}");
            held[lot.asset] += lot.value;
            sold[lot.asset] += amount;
        }
        let mut cash = world.cash;
        for asset in 0..held.len() {
            let bought = list.bought[asset];
            assert!(bought >= 0.0 && (bought == 0.0 || problem.may_buy[asset]), "seed {seed}");
            assert!(bought == 0.0 || sold[asset] == 0.0, "seed {seed}: both sides of {asset}");
            let after = (held[asset] + bought) / value;
            assert!(bought == 0.0 || after <= world.max_weight + 1e-6, "seed {seed}: {after}");
            cash += sold[asset] * (1.0 - world.cost_rate) - bought * (1.0 + world.cost_rate);
        }
        let floor = world.cash.min(world.target[0] * value);
        assert!(cash >= floor - 1e-6 * value, "seed {seed}: cash {cash} under {floor}");
    }
}

/// The least objective over all signs and both regions of the tax, by trying them.
fn by_trying(problem: &TradeProblem<'_>) -> f64 {
    let stated = Stated::of(problem);
    let tax = stated.tax;
    let corners = [(1.0, 1.0), (1.0, -0.5), (-0.5, 1.0), (-0.001, -0.001), (0.001, -0.0), (-1.0, -1.0)];
    let mut best = f64::INFINITY;
    for signs in 0..1_usize << stated.n_assets {
        let pattern: Vec<bool> = (0..stated.n_assets).map(|asset| signs >> asset & 1 == 1).collect();
        if (0..stated.n_assets).any(|asset| stated.least_sold[asset] > 0.0 && !pattern[asset]) {
            continue;
        }
        for (short, long) in corners {
            let found = solve(problem, &stated, &Sides::Fixed(&pattern), &tax.planes(short, long)).unwrap();
            best = best.min(stated.objective(problem, &found));
        }
    }
    best
}

#[test]
fn two_solves_come_close_to_trying_every_sign() {
    let (mut excess, mut scale) = (0.0, 0.0);
    for seed in 0..60 {
        let world = World::random(1_000 + seed, 1 + seed as usize % 4);
        let problem = world.problem();
        let stated = Stated::of(&problem);
        let best = by_trying(&problem);
        let got = trade_list(&problem).unwrap().objective;
        let nothing = Solution { sold: vec![0.0; world.lots.len()], bought: vec![0.0; stated.n_assets] };
        assert!(got >= best - 1e-6, "seed {seed}: {got} below {best}");
        excess += got - best;
        scale += (stated.objective(&problem, &nothing) - best).max(0.0);
    }
    assert!(excess <= 0.02 * scale, "of {scale} that could be saved, {excess} was not");
}
