//! Series to compare a run with (SPEC V-04).

use lotwise_core::Date;

use super::market::BacktestMarket;
use crate::online::{PriceRelatives, best_constant_rebalanced_of_many};

/// Returns of equal weight over the market's members, restored every session, without costs and
/// taxes, for the sessions after `start` up to `end`. The assets are those that may be held and
/// have a bar at the close before; one that ends then counts with the return of its payout, or with
/// zero where that is not known.
#[must_use]
pub fn equal_weight_returns(market: &BacktestMarket<'_>, start: Date, end: Date) -> Vec<f64> {
    let sessions = market.panel().sessions();
    let first = sessions.partition_point(|&session| session <= start);
    let last = sessions.partition_point(|&session| session <= end);
    (first..last)
        .map(|session| {
            let Some(before) = session.checked_sub(1) else { return 0.0 };
            let (mut sum, mut count) = (0.0, 0_usize);
            for at in 0..market.assets().len() {
                if market.is_member(at, before) && market.trades(at, before) {
                    sum += market.total_return(at, session).unwrap_or(0.0);
                    count += 1;
                }
            }
            if count == 0 { 0.0 } else { sum / count as f64 }
        })
        .collect()
}

/// Returns of the best constant weights, restored every session without costs and taxes, for the
/// sessions after `start` up to `end`: chosen in hindsight, so that nothing could have held them, and a
/// bound for what no more than the right weights are worth. What may not be held or does not trade
/// counts as cash without interest. `None` where they are not found.
#[must_use]
pub fn hindsight_returns(market: &BacktestMarket<'_>, start: Date, end: Date) -> Option<Vec<f64>> {
    let sessions = market.panel().sessions();
    let first = sessions.partition_point(|&session| session <= start).max(1);
    let last = sessions.partition_point(|&session| session <= end);
    let relative = |at: usize, session: usize| {
        let held = market.is_member(at, session - 1) && market.trades(at, session - 1);
        // A total loss would leave a logarithm without value.
        1.0 + market.total_return(at, session).filter(|_| held).unwrap_or(0.0).max(-0.999_999)
    };
    let row = |session: usize| (0..market.assets().len()).map(|at| relative(at, session)).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = (first..last).map(row).collect();
    let weights = best_constant_rebalanced_of_many(&PriceRelatives::from_rows(&rows).ok()?)?;
    let ret = |row: &Vec<f64>| row.iter().zip(&weights).map(|(relative, weight)| relative * weight).sum::<f64>() - 1.0;
    Some(rows.iter().map(ret).collect())
}

/// `(1 − cash) · equal weight + cash · risk free`, session by session: the benchmark that no amount
/// of cash can beat.
#[must_use]
pub fn cash_matched(equal_weight: &[f64], cash: &[f64], risk_free: &[f64]) -> Vec<f64> {
    let both = equal_weight.iter().zip(cash).zip(risk_free);
    both.map(|((ret, cash), risk_free)| (1.0 - cash) * ret + cash * risk_free).collect()
}
