//! What lies after the decision cannot matter to it.

use lotwise_core::Date;
use lotwise_market::{AssetIdx, SessionIdx};
use lotwise_sim::policy::names;

use crate::fixture::{bar, decide_from, everything, fully_invested, half_invested, panel, walk};

#[test]
fn altering_later_bars_alters_no_decision() {
    let columns: Vec<Vec<f64>> = (0..5).map(|asset| walk(3, asset, 400, 0.01 + 0.003 * asset as f64)).collect();
    let named: Vec<(&str, Vec<f64>)> = ["AAA", "BBB", "CCC", "DDD", "EEE"].into_iter().zip(columns).collect();
    let before = panel(&named);
    let decided_at = SessionIdx(330);
    let mut after = before.clone();
    for asset in 0..5 {
        for at in 331..400 {
            after.set(AssetIdx(asset), SessionIdx(at), &bar(at, 1.0 + (asset * at) as f64));
        }
    }
    let universe = everything(&before);
    let weights = half_invested(5);
    for name in names() {
        let decide = |panel, at| decide_from(name, fully_invested(), at_session(panel, at), &universe, &weights);
        assert_eq!(decide(&before, decided_at), decide(&after, decided_at), "{name}");
        if !["hold", "equal-weight"].contains(name) {
            let later = SessionIdx(399);
            assert_ne!(decide(&before, later), decide(&after, later), "{name} does not look at bars at all");
        }
    }
}

fn at_session(panel: &lotwise_market::Panel, at: SessionIdx) -> lotwise_market::AsOf<'_> {
    let date: Date = panel.sessions()[at.0];
    panel.as_of(date).unwrap()
}
