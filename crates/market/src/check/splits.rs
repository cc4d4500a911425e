//! Prices that were not divided by the ratio of a split.

use super::{Bars, Finding, FindingKind};
use crate::{CorporateActions, SpinoffLike};

/// Ratios of new to old shares that companies choose.
const RATIOS: [(f64, &str); 24] = [
    (2.0, "2-for-1"),
    (3.0, "3-for-1"),
    (4.0, "4-for-1"),
    (5.0, "5-for-1"),
    (6.0, "6-for-1"),
    (7.0, "7-for-1"),
    (8.0, "8-for-1"),
    (10.0, "10-for-1"),
    (15.0, "15-for-1"),
    (20.0, "20-for-1"),
    (25.0, "25-for-1"),
    (50.0, "50-for-1"),
    (1.5, "3-for-2"),
    (1.0 / 2.0, "1-for-2"),
    (1.0 / 3.0, "1-for-3"),
    (1.0 / 4.0, "1-for-4"),
    (1.0 / 5.0, "1-for-5"),
    (1.0 / 6.0, "1-for-6"),
    (1.0 / 8.0, "1-for-8"),
    (1.0 / 10.0, "1-for-10"),
    (1.0 / 15.0, "1-for-15"),
    (1.0 / 20.0, "1-for-20"),
    (1.0 / 25.0, "1-for-25"),
    (1.0 / 50.0, "1-for-50"),
];
/// How far the price may miss the ratio.
const WITHIN: f64 = 0.03;
/// How far the opening price may miss it: a split happens overnight, a fall during the day does not.
const OPEN_WITHIN: f64 = 0.06;
/// Bars on either side that the level is taken from.
const LEVEL_BARS: usize = 10;
/// Bars that must be there after the move, for a split of the last days.
const FEWEST_AFTER: usize = 3;
/// How far the levels of both sides may miss the ratio.
const LEVEL_WITHIN: f64 = 0.12;
/// Price range of the day, as a part of its close, beyond which the move is news and not a split.
const CALM_RANGE: f64 = 0.10;
/// Calendar days within which a listed split explains the move.
const LISTED_DAYS: i32 = 5;

/// Moves by a split's ratio that nothing but a forgotten adjustment explains. A listed split of
/// that ratio is proof; without one the move must happen overnight, stay, come on a calm day, and
/// share volume must grow by about the ratio while the money traded does not.
pub(super) fn unadjusted(bars: &Bars<'_>, actions: &CorporateActions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in 1..bars.len() {
        let fall = bars.close[at - 1] / bars.close[at];
        if (0.72..1.4).contains(&fall) {
            continue;
        }
        let Some(&(ratio, name)) = RATIOS
            .iter()
            .filter(|(ratio, _)| (fall / ratio - 1.0).abs() <= WITHIN)
            .min_by(|a, b| (fall / a.0 - 1.0).abs().total_cmp(&(fall / b.0 - 1.0).abs()))
        else {
            continue;
        };
        let listed = actions.splits(bars.symbol).iter().any(|split| {
            split.ex_date.days_since(bars.dates[at]).abs() <= LISTED_DAYS
                && (split.ratio().to_f64() / ratio - 1.0).abs() < 1e-6
        });
        // A distribution of that day explains the move better than a split that nobody listed.
        if !listed && handed_out(bars, at, actions).is_some() {
            continue;
        }
        let why = if listed {
            "and the corporate actions list that split"
        } else if corroborated(bars, at, ratio) {
            "overnight and for good, with the volume of a split"
        } else {
            continue;
        };
        let message = format!(
            "close {} to {} fits a {name} split within {:.1} %, {why}; earlier prices are not adjusted",
            bars.close[at - 1],
            bars.close[at],
            (fall / ratio - 1.0).abs() * 100.0
        );
        findings.push(bars.finding(at, FindingKind::UnadjustedSplit, message));
    }
    findings
}

/// A spin-off or the like that the corporate actions list around a bar.
pub(super) fn handed_out<'a>(bars: &Bars<'_>, at: usize, actions: &'a CorporateActions) -> Option<&'a SpinoffLike> {
    let around = |listed: &&SpinoffLike| listed.ex_date.days_since(bars.dates[at]).abs() <= LISTED_DAYS;
    actions.spinoff_like(bars.symbol).iter().find(around)
}

fn corroborated(bars: &Bars<'_>, at: usize, ratio: f64) -> bool {
    // Too few bars on either side show no level, and a 3-for-2 split cannot be told from bad news.
    if at < LEVEL_BARS || at + FEWEST_AFTER > bars.len() || (ratio - 1.5).abs() < 0.01 {
        return false;
    }
    let (before, after) = (at - LEVEL_BARS..at, at..(at + LEVEL_BARS).min(bars.len()));
    let overnight = (bars.close[at - 1] / bars.open[at] / ratio - 1.0).abs() <= OPEN_WITHIN;
    let calm = (bars.high[at] - bars.low[at]) / bars.close[at] <= CALM_RANGE;
    let level = median(&bars.close[before.clone()]) / median(&bars.close[after.clone()]);
    // A spike that comes and goes leaves the levels of both sides alike, or moves one of them twice.
    let stays = (level / ratio - 1.0).abs() <= LEVEL_WITHIN;
    let steady = |range: std::ops::Range<usize>| {
        let (low, high) = (bars.close[range.clone()].iter(), bars.close[range].iter());
        high.copied().fold(f64::MIN, f64::max) / low.copied().fold(f64::MAX, f64::min) < 1.35
    };
    let share_volume = median(&bars.volume[after.clone()]) / median(&bars.volume[before.clone()]);
    let volume_fits = share_volume > 0.0 && (share_volume / ratio).ln().abs() < 2.0_f64.ln();
    overnight && calm && stays && steady(before) && steady(after) && volume_fits
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
