//! Execution on hand-made cases (SPEC E-20) and over random accounts.

use proptest::prelude::*;

use super::*;
use crate::Error;

fn free() -> ExecutionConfig {
    ExecutionConfig {
        cost: CostConfig { proportional_bps: 0.0, impact_coef: 0.0 },
        turnover_cap: f64::INFINITY,
        ..ExecutionConfig::stated()
    }
}

/// An account of $100,000 or what the case says, traded without masks.
struct Case<'a> {
    config: ExecutionConfig,
    cash: f64,
    values: &'a [f64],
    weights: &'a [f64],
    actions: Option<&'a [Action]>,
    tradable: Option<&'a [bool]>,
    forced_exits: Option<&'a [bool]>,
    funding: Funding,
    depth: Option<Depth<'a>>,
    units: ShareUnits<'a>,
}

impl<'a> Case<'a> {
    fn new(config: ExecutionConfig, cash: f64, values: &'a [f64], weights: &'a [f64]) -> Self {
        Self {
            config,
            cash,
            values,
            weights,
            actions: None,
            tradable: None,
            forced_exits: None,
            funding: Funding::Rebalance,
            depth: None,
            units: ShareUnits::Fractional,
        }
    }

    fn run(&self) -> (Vec<f64>, Execution) {
        let all = vec![true; self.values.len()];
        let mut trades = vec![f64::NAN; self.values.len()];
        let done = plan_trades(
            &self.config,
            Holdings { cash: self.cash, values: self.values },
            Wish {
                weights: self.weights,
                actions: self.actions,
                forced_exits: self.forced_exits,
                funding: self.funding,
            },
            Venue { tradable: self.tradable.unwrap_or(&all), depth: self.depth, units: self.units },
            &mut Scratch::default(),
            &mut trades,
        );
        (trades, done)
    }
}

fn assert_near(got: &[f64], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len());
    assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?} is not {wanted:?}");
}

#[test]
fn a_gap_must_be_larger_than_the_threshold() {
    // Weights .49/.51 against .50/.50: gaps of exactly 1 %.
    let at = Case::new(free(), 0.0, &[49_000.0, 51_000.0], &[0.0, 0.5, 0.5]).run();
    assert_near(&at.0, &[0.0, 0.0]);
    let above = Case::new(free(), 0.0, &[48_999.0, 51_001.0], &[0.0, 0.5, 0.5]).run();
    assert_near(&above.0, &[1_001.0, -1_001.0]);
    let never = ExecutionConfig { rebalance_threshold: 1.0, ..free() };
    assert_near(&Case::new(never, 0.0, &[0.0, 100_000.0], &[0.0, 1.0, 0.0]).run().0, &[0.0, 0.0]);
}

#[test]
fn the_first_purchase_from_cash_knows_no_threshold_and_no_cap() {
    let config = ExecutionConfig { rebalance_threshold: 1.0, turnover_cap: 0.25, ..free() };
    let mut case = Case::new(config, 100_000.0, &[0.0, 0.0, 0.0], &[0.1, 0.5, 0.4, 0.0]);
    assert_near(&case.run().0, &[0.0, 0.0, 0.0]);
    case.funding = Funding::Initial;
    let (trades, done) = case.run();
    assert_near(&trades, &[50_000.0, 40_000.0, 0.0]);
    assert_near(&[done.cash, done.turnover(), done.cap_factor], &[10_000.0, 0.9, 1.0]);
    case.config = ExecutionConfig { rebalance_threshold: 1.0, ..ExecutionConfig::paper() };
    assert_near(&case.run().0, &[50_000.0, 40_000.0, 0.0]);
}

#[test]
fn actions_change_the_trade_as_the_table_says() {
    let values = [40_000.0, 10_000.0, 30_000.0, 0.0];
    let weights = [0.2, 0.2, 0.3, 0.295, 0.005];
    let trades = |actions: [Action; 4]| {
        Case { actions: Some(&actions), ..Case::new(free(), 20_000.0, &values, &weights) }.run().0
    };
    use Action::{Buy, Hold, Sell};
    // Gaps −20, +20, −0.5, +0.5 points.
    assert_near(&trades([Hold; 4]), &[-10_000.0, 10_000.0, 0.0, 0.0]);
    assert_near(&trades([Buy; 4])[..1], &[-10_000.0]);
    // A sale of half the gap pays for half the purchase; the wanted cash is not touched.
    assert_near(&trades([Buy; 4])[1..], &[10_000.0, 0.0, 0.0]);
    assert_near(&trades([Hold, Hold, Sell, Sell]), &[-10_000.0, 10_000.0, -30_000.0, 0.0]);
    assert_near(&trades([Sell, Buy, Hold, Buy]), &[-40_000.0, 20_000.0, 0.0, 0.0]);
    let whole_gap = Case::new(free(), 20_000.0, &values, &weights).run().0;
    assert_near(&whole_gap, &[-20_000.0, 20_000.0, 0.0, 0.0]);
}

#[test]
fn the_cap_scales_all_trades_but_forced_exits() {
    let config = ExecutionConfig { turnover_cap: 0.25, ..free() };
    let values = [50_000.0, 30_000.0, 20_000.0];
    // Gaps −40, +40, 0: turnover 0.8 shrinks to 0.25.
    let (trades, done) = Case::new(config, 0.0, &values, &[0.0, 0.1, 0.7, 0.2]).run();
    assert_near(&trades, &[-12_500.0, 12_500.0, 0.0]);
    assert_near(&[done.turnover(), done.cap_factor, done.cash], &[0.25, 0.25 / 0.8, 0.0]);
    // The third must go: 20 points, and 5 are left for the 30 out of the first and the 50 into the
    // second; what was sold waits in cash.
    let forced = [false, false, true];
    let case = Case { forced_exits: Some(&forced), ..Case::new(config, 0.0, &values, &[0.0, 0.2, 0.6, 0.2]) };
    let (trades, done) = case.run();
    let (first, second) = (-0.25, 0.45);
    assert_near(&trades, &[first * 5_000.0 / 0.7, second * 5_000.0 / 0.7, -20_000.0]);
    assert_near(&[done.turnover(), done.forced], &[0.25, 20_000.0]);
    // A forced exit above the cap runs in full, and nothing else does.
    let forced = [true, false, false];
    let case = Case { forced_exits: Some(&forced), ..Case::new(config, 0.0, &values, &[0.0, 0.0, 0.8, 0.2]) };
    let (trades, done) = case.run();
    assert_near(&trades, &[-50_000.0, 0.0, 0.0]);
    assert_near(&[done.cash, done.turnover()], &[50_000.0, 0.5]);
}

#[test]
fn a_sell_action_is_forced_or_capped_as_the_rule_says() {
    let values = [50_000.0, 50_000.0];
    let actions = [Action::Sell, Action::Hold];
    let trades = |sell_rule| {
        let config = ExecutionConfig { turnover_cap: 0.25, sell_rule, ..free() };
        Case { actions: Some(&actions), ..Case::new(config, 0.0, &values, &[0.0, 0.5, 0.5]) }.run().0
    };
    assert_near(&trades(SellRule::Forced), &[-50_000.0, 0.0]);
    assert_near(&trades(SellRule::Capped), &[-25_000.0, 0.0]);
}

#[test]
fn the_printed_cap_stops_purchases_and_strands_what_was_sold() {
    let values = [60_000.0, 20_000.0, 10_000.0, 10_000.0];
    // −30, +12, +10, +8 points: sold 30 of 25, so that no purchase follows.
    let (trades, done) = Case::new(ExecutionConfig::paper(), 0.0, &values, &[0.0, 0.3, 0.32, 0.2, 0.18]).run();
    assert_near(&trades, &[-30_000.0, 0.0, 0.0, 0.0]);
    assert_near(&[done.cash, done.turnover()], &[30_000.0, 0.3]);
    // −12, +5, +4, +3: after 12 + 5 + 4 the cap of 20 is passed.
    let config = ExecutionConfig { turnover_cap: 0.20, ..ExecutionConfig::paper() };
    let (trades, _) = Case::new(config, 0.0, &values, &[0.0, 0.48, 0.24, 0.13, 0.15]).run();
    assert_near(&trades, &[-12_000.0, 4_000.0, 0.0, 5_000.0]);
}

#[test]
fn purchases_are_scaled_to_the_cash_above_the_wanted_cash() {
    // The sale of 0.9 points is below the threshold, so that only the wanted cash is short.
    let values = [45_900.0, 45_100.0, 5_000.0];
    let (trades, done) = Case::new(free(), 4_000.0, &values, &[0.03, 0.45, 0.442, 0.078]).run();
    assert_near(&trades, &[0.0, 0.0, 1_000.0]);
    assert_near(&[done.cash, done.funding_factor], &[3_000.0, 1_000.0 / 2_800.0]);
    // Below the wanted cash nothing is bought.
    let (trades, _) = Case::new(free(), 2_000.0, &[45_900.0, 47_100.0, 5_000.0], &[0.03, 0.45, 0.462, 0.058]).run();
    assert_near(&trades, &[0.0, 0.0, 0.0]);
}

#[test]
fn proportional_costs_are_paid_out_of_the_purchases() {
    let config = ExecutionConfig { cost: CostConfig { proportional_bps: 10.0, impact_coef: 0.0 }, ..free() };
    let (trades, done) = Case::new(config, 0.0, &[100_000.0, 0.0], &[0.0, 0.0, 1.0]).run();
    // 100,000 sold cost 100; 99,900 buy 99,900 / 1.001.
    assert_near(&trades, &[-100_000.0, 99_900.0 / 1.001]);
    assert_near(&[done.cost, done.cash], &[100.0 + 99.9 / 1.001, 0.0]);
}

#[test]
fn impact_grows_with_the_root_of_the_size() {
    let cost = CostConfig { proportional_bps: 0.0, impact_coef: 0.5 };
    assert_near(&[cost.impact(10_000.0, 0.02, 1_000_000.0)], &[0.5 * 0.02 * 0.1 * 10_000.0]);
    assert_near(&[cost.impact(40_000.0, 0.02, 1_000_000.0)], &[8.0 * 10.0]);
    assert_near(&[cost.impact(100.0, 0.02, 0.0)], &[1.0]);
    let config = ExecutionConfig { cost, ..free() };
    let depth = Depth { vol_daily: &[0.02, 0.03], dollar_volume: &[1e6, 2e6] };
    let case = Case { depth: Some(depth), ..Case::new(config, 50_000.0, &[50_000.0, 0.0], &[0.0, 0.0, 1.0]) };
    let (trades, done) = case.run();
    let sale = cost.impact(50_000.0, 0.02, 1e6);
    assert_near(&[done.cost], &[sale + cost.impact(trades[1], 0.03, 2e6)]);
    // All cash goes into the purchase and its impact.
    assert_near(&[trades[1] + cost.impact(trades[1], 0.03, 2e6)], &[100_000.0 - sale]);
    assert_near(&[done.cash], &[0.0]);
}

#[test]
fn what_is_masked_goes_to_the_others_and_a_locked_asset_keeps_its_value() {
    let tradable = [true, true, false];
    let config = free();
    let case =
        Case { tradable: Some(&tradable), ..Case::new(config, 80_000.0, &[0.0, 0.0, 20_000.0], &[0.1, 0.3, 0.1, 0.5]) };
    // 90 points for assets, 20 of them locked: 70 in the ratio of 3 to 1.
    assert_near(&case.run().0, &[52_500.0, 17_500.0, 0.0]);
    let none = [false, false, false];
    let case = Case { tradable: Some(&none), ..case };
    assert_near(&case.run().0, &[0.0, 0.0, 0.0]);
    // An exit of what does not trade waits.
    let forced = [false, false, true];
    let case = Case { tradable: Some(&tradable), forced_exits: Some(&forced), ..case };
    assert_near(&case.run().0, &[52_500.0, 17_500.0, 0.0]);
}

#[test]
fn the_largest_weight_hands_on_what_does_not_fit() {
    let factor_and_weights = |weights: &[f64], max_weight: f64| {
        let factor = renormalize(weights, |_| true, 0.0, max_weight);
        weights[1..].iter().map(|weight| (factor * weight).min(max_weight)).collect::<Vec<_>>()
    };
    assert_near(&factor_and_weights(&[0.0, 0.6, 0.3, 0.1], 0.5), &[0.5, 0.375, 0.125]);
    assert_near(&factor_and_weights(&[0.1, 0.6, 0.2, 0.1], 0.35), &[0.35, 0.35, 0.2]);
    assert_near(&factor_and_weights(&[0.0, 0.6, 0.3, 0.1], 0.3), &[0.3, 0.3, 0.3]);
    assert_near(&factor_and_weights(&[0.2, 0.4, 0.3, 0.1], 1.0), &[0.4, 0.3, 0.1]);
    let config = ExecutionConfig { max_weight: 0.3, ..free() };
    let (trades, done) = Case::new(config, 100_000.0, &[0.0; 3], &[0.0, 0.6, 0.3, 0.1]).run();
    assert_near(&trades, &[30_000.0; 3]);
    assert_near(&[done.cash], &[10_000.0]);
}

#[test]
fn whole_shares_leave_the_rest_in_cash_and_exits_sell_broken_shares() {
    let prices = [300.0, 70.0];
    let case = Case { units: ShareUnits::Whole(&prices), ..Case::new(free(), 1_000.0, &[0.0, 0.0], &[0.0, 0.5, 0.5]) };
    let (trades, done) = case.run();
    assert_near(&trades, &[300.0, 490.0]);
    assert_near(&[done.cash], &[210.0]);
    let case = Case { units: ShareUnits::Whole(&prices), ..Case::new(free(), 0.0, &[450.0, 700.0], &[0.0, 0.0, 1.0]) };
    assert_near(&case.run().0, &[-450.0, 420.0]);
    // A part of a position is sold by the share.
    let case = Case { units: ShareUnits::Whole(&prices), ..Case::new(free(), 0.0, &[900.0, 100.0], &[0.0, 0.5, 0.5]) };
    assert_near(&case.run().0, &[-300.0, 280.0]);
}

#[test]
fn an_account_without_value_or_assets_trades_nothing() {
    let (trades, done) = Case::new(free(), 0.0, &[0.0, 0.0], &[0.0, 0.5, 0.5]).run();
    assert_eq!((trades, done.turnover()), (vec![0.0; 2], 0.0));
    let (trades, done) = Case::new(free(), 5.0, &[], &[1.0]).run();
    assert_eq!((trades.len(), done.cash), (0, 5.0));
}

#[test]
fn settings_out_of_range_are_named() {
    let stated = ExecutionConfig::stated();
    assert_eq!((stated.check(), ExecutionConfig::paper().check()), (Ok(()), Ok(())));
    let named = |config: ExecutionConfig| match config.check() {
        Err(Error::Setting { setting, .. }) => setting,
        other => unreachable!("{other:?}"),
    };
    assert_eq!(named(ExecutionConfig { rebalance_threshold: f64::NAN, ..stated }), "rebalance_threshold");
    assert_eq!(named(ExecutionConfig { hold_fraction: 1.1, ..stated }), "hold_fraction");
    assert_eq!(named(ExecutionConfig { turnover_cap: -0.1, ..stated }), "turnover_cap");
    assert_eq!(named(ExecutionConfig { max_weight: 0.0, ..stated }), "max_weight");
    let cost = CostConfig { proportional_bps: -1.0, impact_coef: 0.0 };
    assert_eq!(named(ExecutionConfig { cost, ..stated }), "cost.proportional_bps");
}

/// An account, a wish and a market of the same random size.
#[derive(Debug, Clone)]
struct Random {
    cash: f64,
    values: Vec<f64>,
    weights: Vec<f64>,
    actions: Vec<Action>,
    tradable: Vec<bool>,
    forced: Vec<bool>,
    vol_daily: Vec<f64>,
    dollar_volume: Vec<f64>,
    prices: Vec<f64>,
}

/// Settings with costs and without, both caps.
fn settings() -> impl Strategy<Value = ExecutionConfig> {
    let cost = (0.0..50.0, prop_oneof![Just(0.0), 0.0..2.0]);
    (0.0..0.05, 0.0..=1.0, prop_oneof![0.0..1.5, Just(f64::INFINITY)], any::<[bool; 2]>(), 0.1..=1.0, cost).prop_map(
        |(rebalance_threshold, hold_fraction, turnover_cap, [printed, capped], max_weight, (bps, impact_coef))| {
            ExecutionConfig {
                rebalance_threshold,
                hold_fraction,
                turnover_cap,
                cap_rule: if printed { CapRule::BlockBuys } else { CapRule::Proportional },
                sell_rule: if capped { SellRule::Capped } else { SellRule::Forced },
                max_weight,
                cost: CostConfig { proportional_bps: bps, impact_coef },
            }
        },
    )
}

fn account() -> impl Strategy<Value = Random> {
    let amount = || prop_oneof![2 => Just(0.0), 5 => 0.0..1e5];
    (0usize..40).prop_flat_map(move |n| {
        let action = prop_oneof![Just(Action::Hold), Just(Action::Buy), Just(Action::Sell)];
        (
            (amount(), prop::collection::vec(amount(), n), prop::collection::vec(0.0..1.0, n + 1)),
            (prop::collection::vec(action, n), prop::collection::vec(prop::bool::weighted(0.9), n)),
            (prop::collection::vec(prop::bool::weighted(0.1), n), prop::collection::vec(0.001..0.08, n)),
            (prop::collection::vec(prop_oneof![Just(0.0), 1e4..1e8], n), prop::collection::vec(1.0..500.0, n)),
        )
            .prop_map(
                |((cash, values, raw), (actions, tradable), (forced, vol_daily), (dollar_volume, prices))| {
                    let sum: f64 = raw.iter().sum::<f64>().max(1e-9);
                    let weights: Vec<f64> = raw.iter().map(|weight| weight * weight / sum).collect();
                    let sum: f64 = weights.iter().sum::<f64>();
                    let weights = weights.iter().map(|weight| if sum > 0.0 { weight / sum } else { 0.0 }).collect();
                    Random { cash, values, weights, actions, tradable, forced, vol_daily, dollar_volume, prices }
                },
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn cash_is_conserved_and_never_borrowed_and_limits_hold(
        config in settings(),
        account in account(),
        with_actions in any::<bool>(),
        whole in any::<bool>(),
        initial in any::<bool>(),
    ) {
        let case = Case {
            actions: with_actions.then_some(&account.actions[..]),
            tradable: Some(&account.tradable),
            forced_exits: Some(&account.forced),
            funding: if initial { Funding::Initial } else { Funding::Rebalance },
            depth: Some(Depth { vol_daily: &account.vol_daily, dollar_volume: &account.dollar_volume }),
            units: if whole { ShareUnits::Whole(&account.prices) } else { ShareUnits::Fractional },
            ..Case::new(config, account.cash, &account.values, &account.weights)
        };
        let (trades, done) = case.run();
        let sold: f64 = trades.iter().map(|trade| (-trade).max(0.0)).sum();
        let bought: f64 = trades.iter().map(|trade| trade.max(0.0)).sum();
        let cost: f64 = trades.iter().enumerate().map(|(at, trade)| {
            trade.abs() * config.cost.rate()
                + config.cost.impact(trade.abs(), account.vol_daily[at], account.dollar_volume[at])
        }).sum();
        // Cash conservation to 1e-6, in the sums and in the account.
        prop_assert!((done.sold - sold).abs() < 1e-6 && (done.bought - bought).abs() < 1e-6);
        prop_assert!((done.cost - cost).abs() < 1e-6);
        prop_assert!((done.cash - (account.cash + sold - bought - cost)).abs() < 1e-6);
        let value_after = done.cash + account.values.iter().zip(&trades).map(|(a, b)| a + b).sum::<f64>();
        prop_assert!((done.value - cost - value_after).abs() < 1e-6);
        // Purchases never borrow and never touch the wanted cash.
        if bought > 0.0 {
            prop_assert!(done.cash >= 0.0 && done.cash >= account.weights[0] * done.value - 1e-6, "{done:?}");
        }
        for (at, &trade) in trades.iter().enumerate() {
            prop_assert!(trade >= -account.values[at]);
            prop_assert!(account.tradable[at] || trade == 0.0);
            if account.forced[at] && account.tradable[at] {
                prop_assert!(trade == -account.values[at]);
            }
            if trade > 0.0 {
                prop_assert!(account.values[at] + trade <= config.max_weight * done.value + 1e-6);
            }
        }
        let forced_by_action = |at: usize| {
            with_actions && config.sell_rule == SellRule::Forced && account.actions[at] == Action::Sell
        };
        let forced: f64 = (0..trades.len())
            .filter(|&at| account.forced[at] || (config.cap_rule == CapRule::Proportional && forced_by_action(at)))
            .map(|at| -trades[at])
            .sum();
        prop_assert!((done.forced - forced).abs() < 1e-6);
        if !initial && config.cap_rule == CapRule::Proportional {
            prop_assert!(sold + bought <= (config.turnover_cap * done.value).max(forced) + 1e-6);
        }
        // Without a limit in the way, what is traded lands on the wanted weight.
        for (at, &trade) in trades.iter().enumerate() {
            let traded_freely = trade != 0.0 && !with_actions && !whole && !account.forced[at];
            if traded_freely && done.cap_factor == 1.0 && trade < 0.0 {
                let factor = renormalize(
                    &account.weights,
                    |at| account.tradable[at] && !account.forced[at],
                    account.values.iter().zip(&account.tradable).filter(|(_, trades)| !**trades).map(|(v, _)| v).sum::<f64>()
                        / done.value,
                    config.max_weight,
                );
                let wanted = (factor * account.weights[at + 1]).min(config.max_weight) * done.value;
                prop_assert!((account.values[at] + trade - wanted).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn full_trades_of_an_unlimited_account_reach_the_wanted_weights(account in account()) {
        let config = ExecutionConfig { rebalance_threshold: 0.0, ..free() };
        let case = Case::new(config, account.cash, &account.values, &account.weights);
        let (trades, done) = case.run();
        prop_assume!(done.value > 1.0 && account.weights.iter().sum::<f64>() > 0.5);
        for (at, trade) in trades.iter().enumerate() {
            let reached = (account.values[at] + trade) / done.value;
            prop_assert!((reached - account.weights[at + 1]).abs() < 1e-9, "{reached} is not {}", account.weights[at + 1]);
        }
        prop_assert!((done.cash / done.value - account.weights[0]).abs() < 1e-9);
    }

    #[test]
    fn affordable_purchases_take_all_cash_and_no_more(
        linear in 0.0..1e6_f64, impact in prop_oneof![Just(0.0), 0.0..1e7_f64], fits in 0.0..1e6_f64,
    ) {
        let factor = cost::affordable(linear, impact, fits);
        let paid = factor * linear + factor.powf(1.5) * impact;
        prop_assert!((0.0..=1.0).contains(&factor) && paid <= fits);
        if factor < 1.0 && fits > 0.0 {
            prop_assert!(paid >= fits * (1.0 - 1e-9), "{paid} of {fits}");
        }
    }
}
