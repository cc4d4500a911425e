//! Gaps, jumps and prices that stand still.

use lotwise_core::Calendar;

use super::splits::handed_out;
use super::{Bars, Finding, FindingKind};
use crate::CorporateActions;

/// Total return of a session that is worth a look.
const JUMP: f64 = 0.40;
/// Points by which the moves of close and adjusted close may differ.
const ADJUSTMENT_GAP: f64 = 0.15;
/// Bars of one price in a row that are worth a look.
const STALE_BARS: usize = 5;

/// Runs of sessions between the first and the last bar without one.
pub(super) fn gaps(bars: &Bars<'_>, calendar: &Calendar) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in 1..bars.len() {
        let between = calendar.between(bars.dates[at - 1].plus_days(1), bars.dates[at].plus_days(-1));
        if let (Some(first), Some(last)) = (between.first(), between.last()) {
            let message = match between.len() {
                1 => "1 session without a bar".to_owned(),
                count => format!("{count} sessions without a bar, to {last}"),
            };
            findings.push(Finding { date: Some(*first), ..bars.finding(at, FindingKind::Gap, message) });
        }
    }
    findings
}

/// Moves of more than 40 % and adjustments that do not follow the price; a session that is known
/// as an unadjusted split is not reported twice.
pub(super) fn jumps(bars: &Bars<'_>, unadjusted: &[Finding], actions: &CorporateActions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in 1..bars.len() {
        let total = bars.adj_close[at] / bars.adj_close[at - 1] - 1.0;
        let price = bars.close[at] / bars.close[at - 1] - 1.0;
        if total.abs() <= JUMP && (total - price).abs() <= ADJUSTMENT_GAP {
            continue;
        }
        if unadjusted.iter().any(|finding| finding.date == Some(bars.dates[at])) {
            continue;
        }
        let listed = handed_out(bars, at, actions).map_or_else(String::new, |listed| {
            format!("; the corporate actions list a ratio of {} on {}", listed.ratio, listed.ex_date)
        });
        let moves = format!(
            "close {} to {} ({:+.1} %), total return {:+.1} %{listed}",
            bars.close[at - 1],
            bars.close[at],
            price * 100.0,
            total * 100.0
        );
        if total.abs() > JUMP {
            findings.push(bars.finding(at, FindingKind::Jump, moves.clone()));
        }
        if (total - price).abs() > ADJUSTMENT_GAP {
            findings.push(bars.finding(at, FindingKind::AdjustmentJump, moves));
        }
    }
    findings
}

/// Runs of one close over bars that show no trading: no range, or no volume.
pub(super) fn stale_runs(bars: &Bars<'_>) -> Vec<Finding> {
    let idle = |at: usize| bars.volume[at] == 0.0 || bars.high[at] == bars.low[at];
    let mut findings = Vec::new();
    let mut start = 0;
    for at in 0..=bars.len() {
        let goes_on = at < bars.len() && idle(at) && (at == start || bars.close[at] == bars.close[start]);
        if goes_on {
            continue;
        }
        let count = at - start;
        if count >= STALE_BARS {
            let message = format!("{count} bars at {}, to {}", bars.close[start], bars.dates[at - 1]);
            findings.push(bars.finding(start, FindingKind::Stale, message));
        }
        // The bar that ended the run may begin the next one.
        start = if at < bars.len() && idle(at) { at } else { at + 1 };
    }
    findings
}
