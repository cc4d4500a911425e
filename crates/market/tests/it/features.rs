use lotwise_core::{RawBar, Symbol};
use lotwise_market::features::{
    CLIP, FEATURE_NAMES, FEATURES, FeatureCube, FeatureScale, WARM_UP, WINDOW, features_at, panel_features,
    view_features,
};
use lotwise_market::{AssetIdx, Panel, SessionIdx, asset_regimes, market_regimes, regime_at};
use proptest::prelude::*;

use crate::random_panel::{Recipe, groups, panel, with_another_future};

fn recipe() -> impl Strategy<Value = Recipe> {
    (any::<u64>(), 1_usize..6, 300_usize..700, prop::sample::select(vec![0.0, 0.02, 0.3]))
        .prop_map(|(seed, n_assets, n_sessions, gaps)| Recipe { seed, n_assets, n_sessions, gaps })
}

fn bits(cube: &FeatureCube, asset: AssetIdx, end: SessionIdx) -> Vec<[u32; FEATURES]> {
    let features = cube.asset(asset);
    features.rows()[..features.bars_until(end)].iter().map(|row| row.map(f32::to_bits)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn bars_after_t_do_not_move_features_or_regimes_at_t(recipe in recipe(), part in 0.3_f64..0.95) {
        let now = panel(&recipe);
        let end = SessionIdx((part * now.n_sessions() as f64) as usize);
        let other = with_another_future(&recipe, end);
        let (raw, other_raw) = (panel_features(&now), panel_features(&other));
        let (normal, other_normal) = (raw.normalised(), other_raw.normalised());
        let cut = view_features(&now.at(end));
        let members: Vec<AssetIdx> = now.assets().collect();
        for asset in now.assets() {
            prop_assert!(bits(&raw, asset, end) == bits(&other_raw, asset, end));
            prop_assert!(bits(&normal, asset, end) == bits(&other_normal, asset, end));
            prop_assert!(bits(&normal, asset, end) == bits(&cut.normalised(), asset, end));
            prop_assert_eq!(
                features_at(&now.at(end), asset).map(|row| row.map(f32::to_bits)),
                raw.row(asset, end).map(|row| row.map(f32::to_bits))
            );
            prop_assert_eq!(raw.window(asset, end, WINDOW), other_raw.window(asset, end, WINDOW));
            let whole = asset_regimes(&now.at(SessionIdx(now.n_sessions() - 1)), asset);
            prop_assert_eq!(whole.at(end.0), regime_at(&other.at(end), asset));
        }
        let whole = market_regimes(&now.at(SessionIdx(now.n_sessions() - 1)), &members);
        prop_assert_eq!(whole.at(end.0), market_regimes(&other.at(end), &members).at(end.0));
    }

    #[test]
    fn permuting_assets_permutes_features(recipe in recipe()) {
        let mut groups = groups(&recipe);
        let before = panel_features(&Panel::from_groups(&groups));
        let count = groups.len();
        for (number, (symbol, _)) in groups.iter_mut().enumerate() {
            *symbol = Symbol::parse(&format!("P{:03}", (number + 1) % count)).unwrap();
        }
        let after = panel_features(&Panel::from_groups(&groups));
        let last = SessionIdx(before.n_sessions());
        for number in 0..count {
            let (old, new) = (AssetIdx(number), AssetIdx((number + 1) % count));
            prop_assert!(bits(&before, old, last) == bits(&after, new, last));
            prop_assert!(bits(&before.normalised(), old, last) == bits(&after.normalised(), new, last));
        }
    }

    #[test]
    fn every_feature_equals_its_definition_on_each_bar(recipe in recipe()) {
        let groups = groups(&recipe);
        let cube = panel_features(&Panel::from_groups(&groups));
        for (number, (_, bars)) in groups.iter().enumerate() {
            let rows = cube.asset(AssetIdx(number)).rows();
            prop_assert_eq!(rows.len(), bars.len());
            for (at, row) in rows.iter().enumerate().step_by(13) {
                for (feature, (&got, expected)) in row.iter().zip(definition(bars, at)).enumerate() {
                    match expected {
                        None => prop_assert!(got.is_nan(), "{} at bar {at} is {got}", FEATURE_NAMES[feature]),
                        Some(expected) => prop_assert!(
                            (f64::from(got) - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
                            "{} at bar {at}: {got} for {expected}", FEATURE_NAMES[feature]
                        ),
                    }
                }
            }
        }
    }

    #[test]
    fn normalised_values_are_clipped_robust_scores_of_the_year_before(recipe in recipe()) {
        let raw = panel_features(&panel(&recipe));
        let normal = raw.normalised();
        prop_assert_eq!(normal.scale(), FeatureScale::Normalised);
        for asset in 0..raw.n_assets() {
            let whole = SessionIdx(raw.n_sessions());
            let again = bits(&normal.normalised(), AssetIdx(asset), whole);
            prop_assert!(again == bits(&normal, AssetIdx(asset), whole), "a second time changes nothing");
            let (raw, normal) = (raw.asset(AssetIdx(asset)).rows(), normal.asset(AssetIdx(asset)).rows());
            for (at, (before, after)) in raw.iter().zip(normal).enumerate() {
                prop_assert!(after.iter().all(|value| value.is_nan() || value.abs() <= CLIP));
                for feature in [6, 15] {
                    prop_assert_eq!(before[feature].clamp(-CLIP, CLIP).to_bits(), after[feature].to_bits());
                }
                for feature in [0, 3, 9, 13] {
                    prop_assert!(after[feature].is_nan() || !before[feature].is_nan());
                    // From here on the whole year is the asset's own.
                    if at < 252 + 14 { continue }
                    let mut year: Vec<f64> = raw[at - 252..at].iter().map(|row| f64::from(row[feature])).collect();
                    year.sort_by(f64::total_cmp);
                    let quantile = |part: f64| {
                        let place = part * 251.0;
                        let low = year[place as usize];
                        low + (year[(place as usize + 1).min(251)] - low) * place.fract()
                    };
                    let scale = (quantile(0.75) - quantile(0.25)) / 1.348_979_500_392_163_5;
                    let expected = ((f64::from(before[feature]) - quantile(0.5)) / scale).clamp(-5.0, 5.0);
                    prop_assert!((f64::from(after[feature]) - expected).abs() < 1e-5);
                }
            }
        }
    }
}

/// The features of one bar, written down as SPEC D-04 states them.
fn definition(bars: &[RawBar], at: usize) -> [Option<f64>; FEATURES] {
    let factor: Vec<f64> = bars.iter().map(|bar| bar.adj_close / bar.close).collect();
    let close = |at: usize| bars[at].adj_close;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let squares = |values: &[f64]| values.iter().map(|value| (value - mean(values)).powi(2)).sum::<f64>();
    let closes = |width: usize| (at + 1 >= width).then(|| (at + 1 - width..=at).map(close).collect::<Vec<_>>());
    let log_return = |span: usize| (at >= span).then(|| (close(at) / close(at - span)).ln());
    let over_mean = |width: usize| closes(width).map(|values| close(at) / mean(&values) - 1.0);
    let wilder = |change: &dyn Fn(usize) -> f64| {
        let mut average = (1..=14).map(change).sum::<f64>() / 14.0;
        for later in 15..=at {
            average = (average * 13.0 + change(later)) / 14.0;
        }
        average
    };
    let rsi = (at >= 14).then(|| {
        let gain = wilder(&|at| (close(at) - close(at - 1)).max(0.0));
        let loss = wilder(&|at| (close(at - 1) - close(at)).max(0.0));
        (100.0 - 100.0 / (1.0 + gain / loss) - 50.0) / 50.0
    });
    let exponential = |span: f64, values: &[f64]| {
        let weight = 2.0 / (span + 1.0);
        values[1..].iter().fold(values[0], |average, value| average * (1.0 - weight) + value * weight)
    };
    let macd_at = |at: usize| {
        let closes: Vec<f64> = (0..=at).map(close).collect();
        exponential(12.0, &closes) - exponential(26.0, &closes)
    };
    let histogram = (at >= 33).then(|| {
        let lines: Vec<f64> = (25..=at).map(macd_at).collect();
        (lines[lines.len() - 1] - exponential(9.0, &lines)) / close(at)
    });
    let range = (at >= 14).then(|| {
        let atr = wilder(&|at| {
            let (high, low) = (bars[at].high * factor[at], bars[at].low * factor[at]);
            (high - low).max((high - close(at - 1)).abs()).max((low - close(at - 1)).abs())
        });
        atr / close(at)
    });
    let volatility = (at >= 21).then(|| {
        let returns: Vec<f64> = (at - 20..=at).map(|at| (close(at) / close(at - 1)).ln()).collect();
        (squares(&returns) / 20.0 * 252.0).sqrt().ln()
    });
    let z = |values: &[f64]| {
        (values[values.len() - 1] - mean(values)) / (squares(values) / (values.len() as f64 - 1.0)).sqrt()
    };
    let volume = (at >= 19).then(|| z(&bars[at - 19..=at].iter().map(|bar| bar.volume).collect::<Vec<_>>()));
    let dollars: Vec<f64> =
        bars[..=at].iter().filter(|bar| bar.volume > 0.0).map(|bar| (bar.close * bar.volume).ln()).collect();
    let dollars = (bars[at].volume > 0.0 && dollars.len() >= 252).then(|| z(&dollars[dollars.len() - 252..]));
    let bollinger = closes(20).map(|values| {
        let width = 2.0 * (squares(&values) / 20.0).sqrt();
        (close(at) - (mean(&values) - width)) / (2.0 * width) - 0.5
    });
    [
        log_return(1),
        log_return(5),
        log_return(21),
        over_mean(5),
        over_mean(20),
        over_mean(60),
        rsi,
        (at >= 25).then(|| macd_at(at) / close(at)),
        histogram,
        range,
        volatility,
        volume,
        dollars,
        Some((bars[at].high - bars[at].low) / bars[at].close),
        (at > 0).then(|| (bars[at].open * factor[at] / close(at - 1)).ln()),
        bollinger,
    ]
}

#[test]
fn a_price_that_never_moves_has_no_strength_volatility_or_bands() {
    let mut groups = groups(&Recipe { seed: 1, n_assets: 1, n_sessions: 400, gaps: 0.0 });
    for bar in &mut groups[0].1 {
        *bar = RawBar { open: 7.1, high: 7.1, low: 7.1, close: 7.1, adj_close: 7.1, volume: 0.0, ..*bar };
    }
    let cube = panel_features(&Panel::from_groups(&groups));
    let last = cube.asset(AssetIdx(0)).rows()[399];
    for (feature, value) in last.into_iter().enumerate() {
        let undefined = [6, 10, 11, 12, 15].contains(&feature);
        assert_eq!(value.is_nan(), undefined, "{}", FEATURE_NAMES[feature]);
        assert!(undefined || value.abs() < 1e-6, "{} is {value}", FEATURE_NAMES[feature]);
    }
}

#[test]
fn a_split_leaves_every_feature_alone() {
    // The source's split basis changes by ten; volume and unadjusted prices change against each other.
    let before = groups(&Recipe { seed: 5, n_assets: 2, n_sessions: 400, gaps: 0.05 });
    let mut after = before.clone();
    for bar in &mut after[0].1 {
        let (price, shares) = (0.125, 8.0);
        *bar = RawBar {
            date: bar.date,
            open: bar.open * price,
            high: bar.high * price,
            low: bar.low * price,
            close: bar.close * price,
            adj_close: bar.adj_close * price,
            volume: bar.volume * shares,
        };
    }
    let cubes = [before, after].map(|groups| panel_features(&Panel::from_groups(&groups)));
    for (old, new) in cubes[0].asset(AssetIdx(0)).rows().iter().zip(cubes[1].asset(AssetIdx(0)).rows()) {
        for (feature, (old, new)) in old.iter().zip(new).enumerate() {
            assert!(
                (old - new).abs() < 1e-5 || old.is_nan() && new.is_nan(),
                "{}: {old} {new}",
                FEATURE_NAMES[feature]
            );
        }
    }
}

#[test]
fn a_bar_with_a_price_that_is_none_counts_as_a_gap() {
    let recipe = Recipe { seed: 9, n_assets: 2, n_sessions: 320, gaps: 0.0 };
    let (mut broken, mut gap) = (groups(&recipe), groups(&recipe));
    for (at, price) in [(40, f64::NAN), (41, 0.0), (200, -3.0), (300, f64::INFINITY)] {
        broken[0].1[at].low = price;
    }
    for at in [300, 200, 41, 40] {
        gap[0].1.remove(at);
    }
    let rows = |groups: &[_]| {
        let cube = panel_features(&Panel::from_groups(groups)).normalised();
        cube.asset(AssetIdx(0)).rows().iter().map(|row| row.map(f32::to_bits)).collect::<Vec<_>>()
    };
    assert!(rows(&broken) == rows(&gap));
}

#[test]
fn windows_are_padded_on_the_left_until_there_are_bars_enough() {
    let panel = panel(&Recipe { seed: 3, n_assets: 3, n_sessions: 400, gaps: 0.0 });
    let cube = panel_features(&panel);
    // The third asset starts at session 200.
    let asset = AssetIdx(2);
    for (session, rows) in [(199, 0), (200 + WARM_UP - 1, 0), (200 + WARM_UP, 1), (200 + WARM_UP + 40, 41), (399, 64)] {
        let window = cube.window(asset, SessionIdx(session), WINDOW);
        assert_eq!(window.present.iter().filter(|&&present| present).count(), rows, "session {session}");
        assert!(window.present.is_sorted(), "padding stands on the left");
        assert_eq!(window.is_full(), rows == WINDOW);
        assert_eq!(window.values.len(), WINDOW * FEATURES);
        for (at, &present) in window.present.iter().enumerate() {
            let values = &window.values[at * FEATURES..(at + 1) * FEATURES];
            assert_eq!(present, window.defined[at] != 0);
            for (feature, value) in values.iter().enumerate() {
                assert!(window.defined[at] >> feature & 1 == 1 || *value == 0.0);
            }
        }
        if rows > 0 {
            let newest = cube.row(asset, SessionIdx(session)).unwrap();
            assert_eq!(window.values[(WINDOW - 1) * FEATURES], newest[0]);
            assert_eq!(window.last, Some(SessionIdx(session)));
        }
    }
    assert_eq!(cube.window(asset, SessionIdx(100), WINDOW).last, None);
}

#[test]
fn an_asset_that_did_not_trade_has_no_row_and_an_old_window() {
    let mut groups = groups(&Recipe { seed: 4, n_assets: 2, n_sessions: 300, gaps: 0.0 });
    groups[0].1.truncate(250);
    let panel = Panel::from_groups(&groups);
    let cube = panel_features(&panel);
    assert_eq!(cube.row(AssetIdx(0), SessionIdx(299)), None);
    assert_eq!(features_at(&panel.at(SessionIdx(299)), AssetIdx(0)), None);
    assert_eq!(cube.window(AssetIdx(0), SessionIdx(299), 8).last, Some(SessionIdx(249)));
    assert_eq!(panel_features(&Panel::empty(vec![], vec![])).n_assets(), 0);
}

#[test]
fn a_young_asset_is_judged_by_the_others() {
    // The third asset starts half way with bars as wild as those of the others: from its second bar
    // on it has scores, and they are of the usual size.
    let panel = panel(&Recipe { seed: 8, n_assets: 3, n_sessions: 600, gaps: 0.0 });
    let normal = panel_features(&panel).normalised();
    let rows = normal.asset(AssetIdx(2)).rows();
    assert!(rows[0][0].is_nan(), "the first bar has no return");
    let scores: Vec<f32> = rows[1..100].iter().map(|row| row[0]).collect();
    assert!(scores.iter().all(|score| !score.is_nan()));
    let size = (scores.iter().map(|score| score * score).sum::<f32>() / scores.len() as f32).sqrt();
    assert!((0.7..1.5).contains(&size), "deviation {size}");
}
