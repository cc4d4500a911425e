//! Small random panels with gaps, late starts, halts and days without volume, made from a seed.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use lotwise_core::{Calendar, Date, RawBar, Seed, Symbol};
use lotwise_market::{Panel, SessionIdx};
use rand_distr::{Distribution, StandardNormal, StandardUniform};

/// What a random panel holds.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub seed: u64,
    pub n_assets: usize,
    pub n_sessions: usize,
    /// Share of bars that are missing.
    pub gaps: f64,
}

/// Groups of bars, one for each symbol; every third symbol starts late and one stops early.
pub fn groups(recipe: &Recipe) -> Vec<(Symbol, Vec<RawBar>)> {
    let calendar = Calendar::new_york();
    let first = Date::parse("2012-01-03").unwrap();
    let sessions = &calendar.between(first, Date::parse("2030-12-31").unwrap())[..recipe.n_sessions];
    (0..recipe.n_assets)
        .map(|number| {
            let mut random = Seed::new(recipe.seed).stream("bars", number as u64);
            let uniform = |random: &mut _| -> f64 { StandardUniform.sample(random) };
            let start = if number % 3 == 2 { recipe.n_sessions / 2 } else { 0 };
            let stop = if number % 5 == 4 { recipe.n_sessions * 3 / 4 } else { recipe.n_sessions };
            let (mut price, mut factor) = (20.0 + 30.0 * number as f64, 0.8);
            let mut bars = Vec::new();
            for &date in &sessions[start..stop] {
                let shock: f64 = StandardNormal.sample(&mut random);
                let gap: f64 = StandardNormal.sample(&mut random);
                let open = price * (0.005 * gap).exp();
                price *= (0.0003 + 0.015 * shock).exp();
                factor += (1.0 - factor) * 0.001;
                let high = open.max(price) * (1.0 + 0.01 * uniform(&mut random));
                let low = open.min(price) * (1.0 - 0.01 * uniform(&mut random));
                let missing = uniform(&mut random) < recipe.gaps;
                let volume = if uniform(&mut random) < 0.01 { 0.0 } else { (1e6 * (0.5 * shock).exp()).round() };
                if !missing {
                    bars.push(RawBar { date, open, high, low, close: price, adj_close: price * factor, volume });
                }
            }
            (Symbol::parse(&format!("S{number:03}")).unwrap(), bars)
        })
        .collect()
}

/// The aligned panel.
pub fn panel(recipe: &Recipe) -> Panel {
    Panel::from_groups(&groups(recipe))
}

/// The same panel up to session `end`; every bar after it is another one, missing, or nonsense.
pub fn with_another_future(recipe: &Recipe, end: SessionIdx) -> Panel {
    let original = panel(recipe);
    let last = original.sessions()[end.0];
    let mut groups = groups(recipe);
    for (number, (_, bars)) in groups.iter_mut().enumerate() {
        for (at, bar) in bars.iter_mut().enumerate().filter(|(_, bar)| bar.date > last) {
            let factor = 0.2 + ((at * 7 + number) % 11) as f64;
            *bar = RawBar {
                date: bar.date,
                open: bar.open * factor,
                high: bar.high * factor * 1.2,
                low: bar.low * factor * 0.7,
                close: if at % 13 == 0 { f64::NAN } else { bar.close * factor },
                adj_close: bar.adj_close * factor * 1.1,
                volume: bar.volume * factor,
            };
        }
        if number % 2 == 1 {
            let mut keep = 0;
            bars.retain(|bar| {
                keep += usize::from(bar.date > last);
                bar.date <= last || keep % 3 != 0
            });
        }
    }
    Panel::from_groups(&groups)
}
