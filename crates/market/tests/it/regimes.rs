#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use lotwise_core::{Calendar, Date, RawBar, Regime, Symbol};
use lotwise_market::{
    AssetIdx, Panel, SessionIdx, asset_regimes, class_weights, market_regimes, market_returns, regime_at,
};

/// A panel of one asset whose log return in session `t` is `ret(t)`.
fn walk(symbol: &str, n_sessions: usize, ret: impl Fn(usize) -> f64) -> (Symbol, Vec<RawBar>) {
    let calendar = Calendar::new_york();
    let sessions = calendar.between(Date::parse("2010-01-04").unwrap(), Date::parse("2020-12-31").unwrap());
    let mut price = 100.0;
    let bars = sessions[..n_sessions].iter().enumerate().map(|(at, &date)| {
        price *= f64::exp(ret(at));
        RawBar { date, open: price, high: price, low: price, close: price, adj_close: price, volume: 1e6 }
    });
    (Symbol::parse(symbol).unwrap(), bars.collect())
}

/// Up and down by `size` in turn, around a drift.
fn zigzag(at: usize, size: f64, drift: f64) -> f64 {
    drift + if at.is_multiple_of(2) { size } else { -size }
}

#[test]
fn regimes_follow_the_trend_and_the_volatility() {
    let cases = [
        ("rising", 0.002, 0.010, Some(Regime::Bull)),
        ("falling", -0.002, 0.010, Some(Regime::Bear)),
        ("flat", 0.0, 0.010, Some(Regime::Sideways)),
        ("wild while rising", 0.002, 0.030, Some(Regime::Volatile)),
    ];
    for (name, drift, size, expected) in cases {
        // Two calm-to-usual years of alternating volatility, then 70 sessions of the case.
        let history = |at: usize| {
            if at < 530 { zigzag(at, if at % 100 < 50 { 0.008 } else { 0.015 }, 0.0) } else { zigzag(at, size, drift) }
        };
        let panel = Panel::from_groups(&[walk("AAA", 600, history)]);
        let view = panel.at(SessionIdx(599));
        assert_eq!(regime_at(&view, AssetIdx(0)), expected, "{name}");
        let series = asset_regimes(&view, AssetIdx(0));
        assert_eq!(series.labels.iter().position(Option::is_some), Some(272), "252 volatilities take 273 bars");
        assert_eq!(series.at(271), None);
        assert_eq!(series.at(599), expected, "{name}");
        assert_eq!(market_regimes(&view, &[AssetIdx(0)]).at(599), expected, "{name} as a market");
    }
}

#[test]
fn a_market_averages_the_members_that_traded_on_both_days() {
    let mut groups = [walk("AAA", 5, |_| 0.10_f64.ln_1p()), walk("BBB", 5, |_| 0.30_f64.ln_1p())];
    groups[1].1.remove(2);
    let panel = Panel::from_groups(&groups);
    let both: Vec<AssetIdx> = panel.assets().collect();
    let returns = market_returns(&panel.at(SessionIdx(4)), &both, 0);
    assert!(returns[0].is_nan(), "the first session has no return");
    for (session, expected) in [(1, 0.20), (2, 0.10), (3, 0.10), (4, 0.20)] {
        assert!((returns[session] - expected).abs() < 1e-12, "session {session}: {}", returns[session]);
    }
    assert!(market_returns(&panel.at(SessionIdx(4)), &[], 0).iter().all(|ret| ret.is_nan()));
    assert_eq!(market_returns(&panel.at(SessionIdx(4)), &both, 3).len(), 2);
}

#[test]
fn rare_regimes_weigh_more_by_the_root_of_their_rarity() {
    let labels = [(Regime::Bull, 64), (Regime::Bear, 16), (Regime::Sideways, 1)];
    let weights = class_weights(labels.iter().flat_map(|&(label, count)| std::iter::repeat_n(label, count)));
    let weight = |regime: Regime| weights[regime as usize];
    assert_eq!(weight(Regime::Volatile), None);
    let [bull, bear, sideways] = [Regime::Bull, Regime::Bear, Regime::Sideways].map(|regime| weight(regime).unwrap());
    assert!((bear / bull - 2.0).abs() < 1e-12 && (sideways / bull - 8.0).abs() < 1e-12);
    assert!(((64.0 * bull + 16.0 * bear + sideways) / 81.0 - 1.0).abs() < 1e-12, "the mean weight is one");
    assert_eq!(class_weights([]), [None; 4]);
}
