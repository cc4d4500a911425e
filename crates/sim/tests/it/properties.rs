//! What holds for every rule and every market.

use lotwise_core::Objective;
use lotwise_market::{AssetIdx, Panel};
use lotwise_sim::policy::{Decision, Observation, PolicyConfig, by_name, names};
use proptest::prelude::*;

use crate::fixture::{at_end, decide, everything, fully_invested, panel, walk};

const SYMBOLS: [&str; 6] = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];

/// Walks of 3 to 6 assets over about 320 sessions, some young, some with gaps, some gone.
fn any_columns() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let shape = (0_usize..300, prop::collection::vec(0_usize..320, 0..12), 0_usize..30, 0.002..0.05_f64);
    (any::<u64>(), prop::collection::vec(shape, 3..=6)).prop_map(|(seed, shapes)| {
        shapes
            .into_iter()
            .enumerate()
            .map(|(asset, (young, gaps, gone, volatility))| {
                let mut closes = walk(seed, asset as u64, 320, volatility);
                // Two of three assets are as old as the market.
                let born = if asset % 3 == 2 { young } else { 0 };
                closes[..born].fill(f64::NAN);
                gaps.into_iter().for_each(|at| closes[at] = f64::NAN);
                let end = if asset == 0 { 320 - gone } else { 320 };
                closes[end..].fill(f64::NAN);
                closes
            })
            .collect()
    })
}

fn any_config() -> impl Strategy<Value = PolicyConfig> {
    (0.0..1.0_f64, prop::option::of(0.05..1.0_f64)).prop_map(|(cash_target, max_position)| PolicyConfig {
        cash_target,
        max_position,
        ..PolicyConfig::default()
    })
}

fn any_weights(n_assets: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.001..1.0_f64, n_assets + 1).prop_map(|parts| {
        let sum: f64 = parts.iter().sum();
        parts.iter().map(|part| part / sum).collect()
    })
}

fn named(columns: &[Vec<f64>]) -> Vec<(&'static str, Vec<f64>)> {
    SYMBOLS.into_iter().zip(columns.iter().cloned()).collect()
}

fn decide_all(panel: &Panel, config: PolicyConfig, universe: &[AssetIdx], weights: &[f64]) -> Vec<Decision> {
    let observation = Observation { market: at_end(panel), universe, weights, objective: Objective::AlphaVsEw };
    names().iter().map(|name| by_name(name, config).unwrap().decide(&observation).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn weights_are_a_portfolio_and_what_is_left_out_stays(
        (columns, weights) in any_columns().prop_flat_map(|columns| {
            let n_assets = columns.len();
            (Just(columns), any_weights(n_assets))
        }),
        config in any_config(),
    ) {
        let panel = panel(&named(&columns));
        let universe = everything(&panel);
        for (name, decision) in names().iter().zip(decide_all(&panel, config, &universe, &weights)) {
            let found = decision.weights.as_slice();
            prop_assert!(found.iter().all(|weight| (0.0..=1.0 + 1e-12).contains(weight)), "{} {:?}", name, found);
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let left_out: Vec<String> =
                decision.notes.iter().filter_map(|note| note.symbol()).map(ToString::to_string).collect();
            for (asset, weight) in decision.weights.assets().iter().enumerate() {
                let stays = left_out.contains(&SYMBOLS[asset].to_owned());
                prop_assert!(!stays || (weight - weights[asset + 1]).abs() < 1e-9, "{name} moved {}", SYMBOLS[asset]);
                let cap = config.max_position.unwrap_or(1.0);
                prop_assert!(stays || *name == "hold" || *weight <= cap + 1e-9, "{name} breaks the cap: {weight}");
            }
        }
    }

    #[test]
    fn the_order_of_the_universe_does_not_move_a_bit(
        (columns, weights, order) in any_columns().prop_flat_map(|columns| {
            let n_assets = columns.len();
            (Just(columns), any_weights(n_assets), Just((0..n_assets).collect::<Vec<_>>()).prop_shuffle())
        }),
    ) {
        let panel = panel(&named(&columns));
        let universe = everything(&panel);
        let straight = decide_all(&panel, fully_invested(), &universe, &weights);
        let shuffled: Vec<AssetIdx> = order.iter().map(|&at| universe[at]).collect();
        let mut moved = vec![weights[0]];
        moved.extend(order.iter().map(|&at| weights[1 + at]));
        for ((name, a), b) in names().iter().zip(straight).zip(decide_all(&panel, fully_invested(), &shuffled, &moved)) {
            prop_assert_eq!(a.notes, b.notes);
            prop_assert!((a.weights.cash() - b.weights.cash()).abs() < 1e-15, "{}", name);
            for (at, weight) in order.iter().zip(b.weights.assets()) {
                prop_assert_eq!(a.weights.assets()[*at].to_bits(), weight.to_bits(), "{}", name);
            }
        }
    }

    #[test]
    fn other_names_for_the_same_prices_carry_the_same_weights(columns in any_columns()) {
        let straight = panel(&named(&columns));
        let reversed: Vec<Vec<f64>> = columns.iter().rev().cloned().collect();
        let other = panel(&named(&reversed));
        for name in names() {
            let a = decide(name, fully_invested(), &straight);
            let b = decide(name, fully_invested(), &other);
            // Gaps may leave out another one of two equally short histories.
            prop_assume!(a.notes.len() == b.notes.len());
            for (left, right) in a.weights.assets().iter().zip(b.weights.assets().iter().rev()) {
                prop_assert!((left - right).abs() < 1e-6, "{}: {:?} and {:?}", name, a.weights, b.weights);
            }
        }
    }

    #[test]
    fn the_unit_of_a_price_does_not_matter(columns in any_columns(), scale in 0.001..1000.0_f64) {
        let scaled: Vec<Vec<f64>> = columns
            .iter()
            .enumerate()
            .map(|(asset, closes)| closes.iter().map(|close| if asset == 1 { close * scale } else { *close }).collect())
            .collect();
        let (plain, other) = (panel(&named(&columns)), panel(&named(&scaled)));
        for name in names() {
            let a = decide(name, fully_invested(), &plain);
            let b = decide(name, fully_invested(), &other);
            for (left, right) in a.weights.as_slice().iter().zip(b.weights.as_slice()) {
                prop_assert!((left - right).abs() < 1e-7, "{}: {:?} and {:?}", name, a.weights, b.weights);
            }
        }
    }

    #[test]
    fn the_same_observation_gives_the_same_bits(columns in any_columns(), config in any_config()) {
        let panel = panel(&named(&columns));
        for name in names() {
            let bits = || -> Vec<u64> {
                decide(name, config, &panel).weights.as_slice().iter().map(|weight| weight.to_bits()).collect()
            };
            prop_assert_eq!(bits(), bits());
        }
    }
}
