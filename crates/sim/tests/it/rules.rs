//! Each rule on a market small enough to work out by hand.

use lotwise_core::{Objective, Symbol};
use lotwise_market::AssetIdx;
use lotwise_sim::policy::{LeftOutReason, Note, Observation, PolicyConfig, by_name, default_for, momentum, names};
use lotwise_sim::{Error, Shrinkage};

use crate::fixture::{
    assert_near, at_end, decide, decide_from, everything, fully_invested, half_invested, panel, walk,
};

/// Closes that move up and down by `step` in turn.
fn zigzag(sessions: usize, step: f64) -> Vec<f64> {
    (0..sessions).map(|at| if at % 2 == 0 { 100.0 } else { 100.0 * (1.0 + step) }).collect()
}

/// Closes that rise by `step` every session.
fn rising(sessions: usize, step: f64) -> Vec<f64> {
    (0..sessions).map(|at| 50.0 * (1.0 + step).powi(at as i32)).collect()
}

#[test]
fn hold_keeps_every_bit() {
    let panel = panel(&[("AAA", zigzag(10, 0.01)), ("BBB", zigzag(10, 0.02))]);
    let weights = [0.1, 0.2, 0.7];
    let held = decide_from("hold", PolicyConfig::default(), at_end(&panel), &everything(&panel), &weights);
    assert_eq!(held.weights.as_slice(), weights);
    assert_eq!(held.notes, []);
}

#[test]
fn equal_weight_divides_what_cash_leaves() {
    let panel = panel(&[("AAA", zigzag(3, 0.01)), ("BBB", zigzag(3, 0.02)), ("CCC", zigzag(3, 0.0))]);
    let decision = decide("equal-weight", PolicyConfig { cash_target: 0.1, ..PolicyConfig::default() }, &panel);
    assert_near(decision.weights.as_slice(), &[0.1, 0.3, 0.3, 0.3], 1e-12);
}

#[test]
fn inverse_volatility_halves_the_weight_of_what_moves_twice_as_much() {
    // Log-symmetric moves of 1 % and about 2 %; the exact ratio comes from the simple returns.
    let columns = [("AAA", zigzag(253, 0.01)), ("BBB", zigzag(253, 0.02))];
    let decision = decide("inverse-volatility", fully_invested(), &panel(&columns));
    let deviation = |step: f64| {
        let (up, down): (f64, f64) = (step, 1.0 / (1.0 + step) - 1.0);
        (up - down) / 2.0
    };
    let first = deviation(0.02) / (deviation(0.01) + deviation(0.02));
    assert_near(decision.weights.as_slice(), &[0.0, first, 1.0 - first], 1e-12);
}

#[test]
fn momentum_tilt_moves_the_strongest_up_and_the_weakest_down_by_half() {
    let steps = [0.001, -0.001, 0.003, 0.0];
    let symbols = ["AAA", "BBB", "CCC", "DDD"];
    let columns: Vec<(&str, Vec<f64>)> = symbols.into_iter().zip(steps.map(|step| rising(253, step))).collect();
    let market = panel(&columns);
    let decision = decide("momentum-tilt", fully_invested(), &market);
    // Ranks 2/3, 0, 1 and 1/3, so 1 + 0.5 (2 p − 1) of a quarter each.
    let wanted = [7.0 / 6.0, 0.5, 1.5, 5.0 / 6.0].map(|part| part / 4.0);
    assert_near(decision.weights.assets(), &wanted, 1e-12);
    let found = momentum(at_end(&market), AssetIdx(0), &PolicyConfig::default()).unwrap();
    assert!((found - (1.001_f64.powi(231) - 1.0)).abs() < 1e-12, "from 252 to 21 sessions back");
    let alike = panel(&symbols.map(|symbol| (symbol, rising(253, 0.002))));
    assert_near(decide("momentum-tilt", fully_invested(), &alike).weights.assets(), &[0.25; 4], 1e-12);
}

#[test]
fn the_last_month_does_not_count_as_momentum() {
    let mut columns = vec![("AAA", rising(253, 0.001)), ("BBB", rising(253, 0.002))];
    let before = decide("momentum-tilt", fully_invested(), &panel(&columns));
    columns[0].1[232..].iter_mut().for_each(|close| *close *= 3.0);
    let after = decide("momentum-tilt", fully_invested(), &panel(&columns));
    assert_eq!(before, after);
    columns[0].1[231] *= 3.0;
    assert_ne!(before, decide("momentum-tilt", fully_invested(), &panel(&columns)));
}

#[test]
fn min_variance_prefers_the_calm_and_risk_parity_keeps_all() {
    let columns = [("AAA", walk(1, 0, 300, 0.008)), ("BBB", walk(1, 1, 300, 0.01)), ("CCC", walk(1, 2, 300, 0.03))];
    let market = panel(&columns);
    let calm = decide("min-variance", fully_invested(), &market);
    let even = decide("risk-parity", fully_invested(), &market);
    assert!(calm.weights.assets()[0] > even.weights.assets()[0]);
    assert!(even.weights.assets().iter().all(|weight| *weight > 0.05));
    assert_eq!(calm.weights.assets()[2], 0.0, "the wildest asset adds risk whatever its weight");
    let plain = PolicyConfig { shrinkage: Shrinkage::None, ..fully_invested() };
    assert_ne!(decide("min-variance", plain, &market), calm);
}

#[test]
fn what_is_too_young_or_gone_stays_and_is_named() {
    let mut young = zigzag(300, 0.01);
    young[..240].fill(f64::NAN);
    let mut gone = zigzag(300, 0.01);
    gone[290..].fill(f64::NAN);
    let columns = [
        ("AAA", walk(1, 0, 300, 0.01)),
        ("BBB", young),
        ("CCC", gone),
        ("DDD", vec![f64::NAN; 300]),
        ("EEE", vec![7.0; 300]),
    ];
    let market = panel(&columns);
    let weights = [0.1, 0.5, 0.2, 0.1, 0.0, 0.1];
    let config = PolicyConfig { cash_target: 0.05, max_position: Some(0.15), ..PolicyConfig::default() };
    let decision = decide_from("risk-parity", config, at_end(&market), &everything(&market), &weights);
    assert_near(decision.weights.as_slice(), &[0.45, 0.15, 0.2, 0.1, 0.0, 0.1], 1e-12);
    let said: Vec<String> = decision.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "BBB stays at 20.0 % because it has 59 sessions of history and the rule needs 126",
            "BBB stays at 20.0 %, above the limit of 15.0 % for one position",
            "CCC stays at 10.0 % because its last price is of 2020-10-16",
            "DDD stays at 0.0 % because it has no price",
            "EEE stays at 10.0 % because its price does not move, so its risk cannot be compared",
            "45.0 % stays in cash because no position may exceed 15.0 %",
        ]
    );
    let codes: Vec<&str> = decision.notes.iter().map(Note::code).collect();
    assert_eq!(
        codes,
        [
            "too_little_history",
            "kept_above_cap",
            "no_recent_price",
            "no_recent_price",
            "no_movement",
            "cap_leaves_cash"
        ]
    );
}

#[test]
fn what_stays_may_eat_up_the_cash() {
    let mut young = zigzag(300, 0.01);
    young[..240].fill(f64::NAN);
    let market = panel(&[("AAA", walk(1, 0, 300, 0.01)), ("BBB", young)]);
    let config = PolicyConfig { cash_target: 0.3, ..PolicyConfig::default() };
    let decision = decide_from("min-variance", config, at_end(&market), &everything(&market), &[0.0, 0.2, 0.8]);
    assert_near(decision.weights.as_slice(), &[0.2, 0.0, 0.8], 1e-12);
    assert_eq!(decision.notes[1].code(), "cash_below_target");
}

#[test]
fn a_market_without_history_leaves_everything_as_it_is() {
    let market = panel(&[("AAA", zigzag(20, 0.01)), ("BBB", zigzag(20, 0.02))]);
    for name in ["inverse-volatility", "min-variance", "risk-parity", "momentum-tilt"] {
        let decision = decide(name, PolicyConfig::default(), &market);
        assert_eq!(decision.weights.as_slice(), half_invested(2), "{name}");
        assert_eq!(decision.notes.last(), Some(&Note::NothingJudged));
        assert!(decision.notes.iter().any(|note| note.symbol() == Some(&Symbol::parse("BBB").unwrap())));
    }
}

#[test]
fn an_account_without_assets_stays_in_cash() {
    let market = panel(&[("AAA", zigzag(20, 0.01))]);
    for name in names() {
        let decision = decide_from(name, PolicyConfig::default(), at_end(&market), &[], &[1.0]);
        assert_eq!((decision.weights.as_slice(), decision.notes.len()), ([1.0].as_slice(), 0), "{name}");
    }
}

#[test]
fn gaps_that_leave_too_few_joint_sessions_leave_out_the_gappiest() {
    let mut columns: Vec<(&str, Vec<f64>)> = ["AAA", "BBB", "CCC"]
        .into_iter()
        .enumerate()
        .map(|(asset, symbol)| (symbol, walk(5, asset as u64, 300, 0.01)))
        .collect();
    // 150 returns of BBB and 151 of CCC, of which few fall together.
    columns[1].1[47..149].fill(f64::NAN);
    columns[2].1[151..251].fill(f64::NAN);
    let market = panel(&columns);
    let decision = decide("min-variance", fully_invested(), &market);
    let left_out: Vec<&Note> = decision.notes.iter().filter(|note| note.symbol().is_some()).collect();
    assert!(
        matches!(left_out[..], [Note::LeftOut { symbol, reason: LeftOutReason::TooLittleHistory { sessions, needed: 126 }, .. }]
            if symbol.as_str() == "BBB" && *sessions < 126),
        "{left_out:?}"
    );
}

#[test]
fn an_observation_that_does_not_fit_together_is_refused() {
    let market = panel(&[("AAA", zigzag(20, 0.01)), ("BBB", zigzag(20, 0.02))]);
    let (first, second, third) = (AssetIdx(0), AssetIdx(1), AssetIdx(2));
    let refusal = |universe: &[AssetIdx], weights: &[f64]| {
        let observation =
            Observation { market: at_end(&market), universe, weights, objective: Objective::CapitalPreserve };
        let errors: Vec<String> = names()
            .iter()
            .map(|name| by_name(name, PolicyConfig::default()).unwrap().decide(&observation).unwrap_err().to_string())
            .collect();
        assert!(errors.iter().all(|error| *error == errors[0]));
        errors[0].clone()
    };
    assert_eq!(refusal(&[first], &[0.5, 0.2, 0.3]), "1 assets and cash need 2 weights, but 3 were given");
    assert_eq!(refusal(&[second, second], &[0.5, 0.2, 0.3]), "BBB stands twice in the universe");
    assert_eq!(refusal(&[first, third], &[0.5, 0.2, 0.3]), "asset 2 is not in a market of 2 assets");
    assert!(refusal(&[first], &[0.5, 0.6]).starts_with("weights must be finite"));
    assert!(refusal(&[first], &[f64::NAN, 0.5]).starts_with("weights must be finite"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let stated = PolicyConfig::default();
    let cases = [
        (PolicyConfig { cash_target: f64::NAN, ..stated }, "cash_target"),
        (PolicyConfig { max_position: Some(0.0), ..stated }, "max_position"),
        (PolicyConfig { min_returns: 1, ..stated }, "min_returns"),
        (PolicyConfig { min_returns: 253, ..stated }, "min_returns"),
        (PolicyConfig { momentum_skip_sessions: 252, ..stated }, "momentum_skip_sessions"),
        (PolicyConfig { momentum_tilt: 1.5, ..stated }, "momentum_tilt"),
    ];
    for (config, wanted) in cases {
        let error = by_name("equal-weight", config).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Setting { setting, .. } if setting == wanted), "{error}");
    }
}

#[test]
fn every_rule_is_found_by_its_name_and_says_that_it_is_classical() {
    for name in names() {
        let policy = by_name(&name.to_uppercase().replace('-', "_"), PolicyConfig::default()).unwrap();
        assert_eq!(policy.name(), *name);
        assert!(policy.describe().ends_with("A classical rule, not a learned policy."));
    }
    let error = by_name("genius", PolicyConfig::default()).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "\"genius\" is not a policy; use one of hold, equal-weight, inverse-volatility, min-variance, risk-parity, \
         mean-variance, momentum-tilt"
    );
    for objective in Objective::ALL {
        let stated = default_for(objective);
        assert!(by_name(stated.policy, PolicyConfig::default()).is_ok() && !stated.reason.is_empty());
    }
}
