//! Small markets written down in a line or drawn from a seed.

use lotwise_core::{Date, Objective, RawBar, Seed, Symbol};
use lotwise_market::{AsOf, AssetIdx, Panel};
use lotwise_sim::policy::{Decision, Observation, PolicyConfig, by_name};
use rand_chacha::rand_core::Rng;

/// A panel of adjusted closes, one column per symbol; NaN is a session without a bar.
pub fn panel(columns: &[(&str, Vec<f64>)]) -> Panel {
    let groups: Vec<(Symbol, Vec<RawBar>)> = columns
        .iter()
        .map(|(symbol, closes)| {
            let bars = closes.iter().enumerate().filter(|(_, close)| close.is_finite());
            (Symbol::parse(symbol).unwrap(), bars.map(|(at, &close)| bar(at, close)).collect())
        })
        .collect();
    Panel::from_groups(&groups)
}

/// The bar of session `at`, whose prices are all the same.
pub fn bar(at: usize, close: f64) -> RawBar {
    let date = Date::from_ymd(2020, 1, 1).unwrap().plus_days(i32::try_from(at).unwrap());
    RawBar { date, open: close, high: close, low: close, close, adj_close: close, volume: 1000.0 }
}

/// Closes of a seeded random walk. All assets of one seed share half of their moves.
pub fn walk(seed: u64, asset: u64, sessions: usize, volatility: f64) -> Vec<f64> {
    let mut shared = Seed::new(seed).stream("market", 0);
    let mut own = Seed::new(seed).stream("asset", asset);
    let mut price: f64 = 100.0;
    (0..sessions)
        .map(|_| {
            price *= (volatility * (centred(&mut shared) + centred(&mut own))).exp();
            price
        })
        .collect()
}

/// A number from −1 to 1.
fn centred(stream: &mut impl Rng) -> f64 {
    f64::from(stream.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// All assets of the panel.
pub fn everything(panel: &Panel) -> Vec<AssetIdx> {
    panel.assets().collect()
}

/// The view at the last session.
pub fn at_end(panel: &Panel) -> AsOf<'_> {
    panel.as_of(*panel.sessions().last().unwrap()).unwrap()
}

/// Half in cash, the rest spread evenly.
pub fn half_invested(n_assets: usize) -> Vec<f64> {
    let mut weights = vec![0.5 / n_assets as f64; n_assets + 1];
    weights[0] = 0.5;
    weights
}

/// What the named rule decides over all assets at the last session, from half in cash.
pub fn decide(name: &str, config: PolicyConfig, panel: &Panel) -> Decision {
    let universe = everything(panel);
    let weights = half_invested(universe.len());
    decide_from(name, config, at_end(panel), &universe, &weights)
}

/// What the named rule decides.
pub fn decide_from(
    name: &str,
    config: PolicyConfig,
    market: AsOf<'_>,
    universe: &[AssetIdx],
    weights: &[f64],
) -> Decision {
    let observation = Observation { market, universe, weights, objective: Objective::MaxGain1y };
    by_name(name, config).unwrap().decide(&observation).unwrap()
}

/// The stated settings without cash.
pub fn fully_invested() -> PolicyConfig {
    PolicyConfig { cash_target: 0.0, ..PolicyConfig::default() }
}

/// Fails unless both are alike within `tolerance`.
pub fn assert_near(got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len());
    let near = got.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(near, "{got:?} is not {wanted:?}");
}
