//! The usual figures of a series of returns (SPEC V-07).

use super::moments::Moments;
use crate::SESSIONS_PER_YEAR;

/// Fewest sessions for which ratios are annualised: shorter ones multiply noise (SPEC V-07).
const SHORTEST_ANNUALISED: usize = 60;

/// Share of sessions in the tail of the conditional value at risk.
const TAIL: f64 = 0.05;

/// Figures of one series of returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance {
    /// Sessions.
    pub n_sessions: usize,
    /// Return over all sessions.
    pub total: f64,
    /// Compound return a year; `None` for less than 60 sessions or when everything is lost.
    pub annual: Option<f64>,
    /// Standard deviation a year.
    pub vol_annual: Option<f64>,
    /// Mean excess return over its standard deviation, a year (SPEC equation 19).
    pub sharpe: Option<f64>,
    /// Mean excess return over the root mean square of negative excess returns, a year.
    pub sortino: Option<f64>,
    /// Largest fall from an earlier peak, zero or positive, a fraction of the peak.
    pub max_drawdown: f64,
    /// Annual return over the largest fall.
    pub calmar: Option<f64>,
    /// Mean loss of the worst twentieth of sessions, positive for a loss.
    pub cvar_95: Option<f64>,
    /// Share of sessions with a return above zero, of those that moved at all.
    pub hit_rate: Option<f64>,
}

/// Figures against a benchmark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relative {
    /// Return over all sessions less that of the benchmark.
    pub excess: f64,
    /// Standard deviation of the difference of returns, a year.
    pub tracking_error: Option<f64>,
    /// Mean difference over its standard deviation, a year.
    pub information_ratio: Option<f64>,
    /// Slope of a regression on the benchmark's returns.
    pub beta: Option<f64>,
}

/// The figures of `returns`. `risk_free` is the return of cash per session, of the same length.
///
/// # Panics
/// When the two differ in length.
#[must_use]
pub fn performance(returns: &[f64], risk_free: &[f64]) -> Performance {
    assert_eq!(returns.len(), risk_free.len(), "Invariant: every session has a return of cash");
    let n_sessions = returns.len();
    let total = compound(returns);
    let long_enough = n_sessions >= SHORTEST_ANNUALISED;
    let excess: Vec<f64> = returns.iter().zip(risk_free).map(|(ret, cash)| ret - cash).collect();
    let moments = Moments::of(&excess).filter(|_| long_enough);
    let annual = (long_enough && total > -1.0).then(|| (1.0 + total).powf(SESSIONS_PER_YEAR / n_sessions as f64) - 1.0);
    let max_drawdown = drawdowns(returns).into_iter().fold(0.0, f64::max);
    let moved = returns.iter().filter(|&&ret| ret != 0.0).count();
    let won = returns.iter().filter(|&&ret| ret > 0.0).count();
    Performance {
        n_sessions,
        total,
        annual,
        vol_annual: Moments::of(returns).filter(|_| long_enough).map(|all| all.std_dev * SESSIONS_PER_YEAR.sqrt()),
        sharpe: moments.map(|moments| moments.ratio() * SESSIONS_PER_YEAR.sqrt()),
        sortino: moments.and_then(|moments| {
            let below = excess.iter().map(|ret| ret.min(0.0).powi(2)).sum::<f64>() / n_sessions as f64;
            (below > 0.0).then(|| moments.mean / below.sqrt() * SESSIONS_PER_YEAR.sqrt())
        }),
        max_drawdown,
        calmar: annual.filter(|_| max_drawdown > 0.0).map(|annual| annual / max_drawdown),
        cvar_95: expected_shortfall(returns, TAIL),
        hit_rate: (moved > 0).then(|| won as f64 / moved as f64),
    }
}

/// The figures of `returns` against those of a benchmark.
///
/// # Panics
/// When the two differ in length.
#[must_use]
pub fn relative(returns: &[f64], benchmark: &[f64]) -> Relative {
    assert_eq!(returns.len(), benchmark.len(), "Invariant: every session has a return of the benchmark");
    let long_enough = returns.len() >= SHORTEST_ANNUALISED;
    let difference: Vec<f64> = returns.iter().zip(benchmark).map(|(ret, other)| ret - other).collect();
    let moments = Moments::of(&difference).filter(|_| long_enough);
    Relative {
        excess: compound(returns) - compound(benchmark),
        tracking_error: moments.map(|moments| moments.std_dev * SESSIONS_PER_YEAR.sqrt()),
        information_ratio: moments.map(|moments| moments.ratio() * SESSIONS_PER_YEAR.sqrt()),
        beta: beta(returns, benchmark),
    }
}

/// How far the value stands below its highest so far, after each session, as a fraction of that peak.
#[must_use]
pub fn drawdowns(returns: &[f64]) -> Vec<f64> {
    let (mut value, mut peak) = (1.0_f64, 1.0_f64);
    let after = |ret: &f64| {
        value *= 1.0 + ret;
        peak = peak.max(value);
        1.0 - value / peak
    };
    returns.iter().map(after).collect()
}

/// The return over all sessions.
pub(super) fn compound(returns: &[f64]) -> f64 {
    returns.iter().map(|ret| 1.0 + ret).product::<f64>() - 1.0
}

/// Slope of a least-squares line through the points; `None` where the benchmark does not move.
pub(super) fn beta(returns: &[f64], benchmark: &[f64]) -> Option<f64> {
    let other = Moments::of(benchmark)?;
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let product: f64 = returns.iter().zip(benchmark).map(|(ret, bench)| (ret - mean) * (bench - other.mean)).sum();
    Some(product / (count - 1.0) / (other.std_dev * other.std_dev)).filter(|slope| slope.is_finite())
}

/// Mean loss in the worst `tail` of a sample, the observation on the edge by its share.
fn expected_shortfall(returns: &[f64], tail: f64) -> Option<f64> {
    if returns.is_empty() || returns.iter().any(|ret| !ret.is_finite()) {
        return None;
    }
    let mut sorted = returns.to_vec();
    sorted.sort_by(f64::total_cmp);
    let weight = tail * sorted.len() as f64;
    let whole = (weight.floor() as usize).min(sorted.len() - 1);
    let sum = sorted[..whole].iter().sum::<f64>() + (weight - whole as f64) * sorted[whole];
    Some(-sum / weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_path_has_the_figures_computed_by_hand() {
        let returns = [0.10, -0.20, 0.05, 0.0];
        let figures = performance(&returns, &[0.0; 4]);
        assert!((figures.total - (1.1 * 0.8 * 1.05 - 1.0)).abs() < 1e-15);
        assert!((figures.max_drawdown - 0.2).abs() < 1e-15);
        assert_eq!(figures.hit_rate, Some(2.0 / 3.0));
        // A twentieth of four sessions is a fifth of the worst one.
        assert!((figures.cvar_95.unwrap() - 0.2).abs() < 1e-15);
        assert_eq!((figures.annual, figures.sharpe, figures.sortino, figures.calmar), (None, None, None, None));
    }

    #[test]
    fn a_year_of_two_returns_in_turn_has_its_closed_form() {
        let returns: Vec<f64> = (0..252).map(|day| if day % 2 == 0 { 0.02 } else { -0.01 }).collect();
        let figures = performance(&returns, &[0.0; 252]);
        let growth = (1.02_f64 * 0.99).powi(126);
        assert!((figures.annual.unwrap() - (growth - 1.0)).abs() < 1e-12);
        let std_dev = 0.015 * (252.0_f64 / 251.0).sqrt();
        assert!((figures.sharpe.unwrap() - 0.005 / std_dev * 252.0_f64.sqrt()).abs() < 1e-12);
        let below = (0.01_f64 * 0.01 / 2.0).sqrt();
        assert!((figures.sortino.unwrap() - 0.005 / below * 252.0_f64.sqrt()).abs() < 1e-12);
        assert!((figures.max_drawdown - 0.01).abs() < 1e-12);
        assert!((figures.cvar_95.unwrap() - 0.01).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let flat = performance(&[0.0; 100], &[0.0; 100]);
        assert_eq!((flat.sharpe, flat.vol_annual, flat.hit_rate, flat.calmar), (None, None, None, None));
        assert_eq!(flat.max_drawdown, 0.0);
        let ruined = performance(&[-1.0; 80], &[0.0; 80]);
        assert_eq!((ruined.annual, ruined.max_drawdown), (None, 1.0));
        assert_eq!(performance(&[], &[]).cvar_95, None);
    }

    #[test]
    fn a_levered_benchmark_has_its_leverage_for_beta() {
        let benchmark: Vec<f64> = (0..90).map(|day| 0.01 * f64::from(day % 7) - 0.02).collect();
        let levered: Vec<f64> = benchmark.iter().map(|ret| 1.5 * ret + 0.001).collect();
        let figures = relative(&levered, &benchmark);
        assert!((figures.beta.unwrap() - 1.5).abs() < 1e-12);
        assert!(figures.information_ratio.unwrap() > 0.0);
        assert_eq!(relative(&benchmark, &benchmark).tracking_error, None);
        assert_eq!(relative(&benchmark, &[0.0; 90]).beta, None);
    }
}
