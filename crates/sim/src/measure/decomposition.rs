//! Where a difference from the equal-weight portfolio comes from (SPEC V-05).

use super::performance::{beta, compound};

/// Returns per session, all of the same length.
#[derive(Debug, Clone, Copy)]
pub struct AlphaInputs<'a> {
    /// Returns of the portfolio before costs and taxes.
    pub gross: &'a [f64],
    /// Returns after costs, before taxes.
    pub after_cost: &'a [f64],
    /// Returns after costs and taxes.
    pub after_tax: &'a [f64],
    /// Share of the portfolio in cash at the beginning of each session, 0 to 1.
    pub cash: &'a [f64],
    /// Returns of the equal-weight portfolio of the same assets.
    pub equal_weight: &'a [f64],
    /// Returns of cash.
    pub risk_free: &'a [f64],
}

/// Parts of an alpha that add up to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlphaDecomposition {
    /// Compound return after costs and taxes less that of the equal-weight portfolio.
    pub total: f64,
    /// What holding the portfolio's mean cash instead of equal weight was worth: a falling market
    /// makes it positive without any skill.
    pub cash_timing: f64,
    /// What the invested part's exposure to the equal-weight portfolio, beside its cash, was worth.
    pub beta: f64,
    /// Allocation and selection: what is left before costs and taxes.
    pub selection: f64,
    /// Trading costs, zero or negative.
    pub cost: f64,
    /// Taxes, zero or negative unless losses were worth something.
    pub tax: f64,
    /// Compound return less that of `(1 - cash) · equal weight + cash · risk free`, session by session:
    /// the benchmark that no amount of cash can beat.
    pub cash_matched: f64,
    /// Regression slope of the invested part on the equal-weight portfolio; `None` where it does not move.
    pub invested_beta: Option<f64>,
}

/// Splits the difference from the equal-weight portfolio into its parts. `None` for no sessions.
///
/// # Panics
/// When the series differ in length.
#[must_use]
pub fn decompose_alpha(inputs: &AlphaInputs<'_>) -> Option<AlphaDecomposition> {
    let n_sessions = inputs.gross.len();
    for series in [inputs.after_cost, inputs.after_tax, inputs.cash, inputs.equal_weight, inputs.risk_free] {
        assert_eq!(series.len(), n_sessions, "Invariant: all series cover the same sessions");
    }
    if n_sessions == 0 {
        return None;
    }
    let equal_weight = compound(inputs.equal_weight);
    let total = compound(inputs.after_tax) - equal_weight;
    let mean_cash = inputs.cash.iter().sum::<f64>() / n_sessions as f64;
    let cash_timing = -mean_cash * (equal_weight - compound(inputs.risk_free));
    let matched: Vec<f64> = (0..n_sessions)
        .map(|at| (1.0 - inputs.cash[at]) * inputs.equal_weight[at] + inputs.cash[at] * inputs.risk_free[at])
        .collect();
    // The invested part's own returns, where there is an invested part.
    let invested: Vec<(f64, f64)> = (0..n_sessions)
        .filter(|&at| inputs.cash[at] < 1.0 - 1e-9)
        .map(|at| {
            let part = inputs.gross[at] - inputs.cash[at] * inputs.risk_free[at];
            (part / (1.0 - inputs.cash[at]) - inputs.risk_free[at], inputs.equal_weight[at] - inputs.risk_free[at])
        })
        .collect();
    let (own, other): (Vec<f64>, Vec<f64>) = invested.into_iter().unzip();
    let invested_beta = beta(&own, &other);
    let excess = equal_weight - compound(inputs.risk_free);
    let beta_part = invested_beta.map_or(0.0, |slope| (slope - 1.0) * (1.0 - mean_cash) * excess);
    let cost = compound(inputs.after_cost) - compound(inputs.gross);
    let tax = compound(inputs.after_tax) - compound(inputs.after_cost);
    let selection = total - cash_timing - beta_part - cost - tax;
    let cash_matched = compound(inputs.after_tax) - compound(&matched);
    Some(AlphaDecomposition { total, cash_timing, beta: beta_part, selection, cost, tax, cash_matched, invested_beta })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cash_in_a_falling_market_is_no_skill() {
        let market = [-0.01, 0.005, -0.02, -0.03, 0.01, -0.025];
        let held: Vec<f64> = market.iter().map(|ret| 0.64 * ret).collect();
        let cash = [0.36; 6];
        let inputs = AlphaInputs {
            gross: &held,
            after_cost: &held,
            after_tax: &held,
            cash: &cash,
            equal_weight: &market,
            risk_free: &[0.0; 6],
        };
        let parts = decompose_alpha(&inputs).unwrap();
        assert!(parts.total > 0.02);
        assert!(parts.cash_matched.abs() < 1e-15);
        assert!((parts.invested_beta.unwrap() - 1.0).abs() < 1e-12);
        // What is left is the curvature of compounding.
        assert!(parts.selection.abs() < 1e-3 && (parts.cash_timing - parts.total).abs() < 1e-3, "{parts:?}");
    }

    #[test]
    fn the_parts_add_up_and_costs_and_taxes_are_told_apart() {
        let market = [0.01, -0.02, 0.03, 0.01];
        let gross = [0.02, -0.01, 0.05, 0.0];
        let after_cost = gross.map(|ret| ret - 0.001);
        let after_tax = after_cost.map(|ret| ret - 0.002);
        let inputs = AlphaInputs {
            gross: &gross,
            after_cost: &after_cost,
            after_tax: &after_tax,
            cash: &[0.1, 0.0, 0.2, 1.0],
            equal_weight: &market,
            risk_free: &[0.0001; 4],
        };
        let parts = decompose_alpha(&inputs).unwrap();
        let sum = parts.cash_timing + parts.beta + parts.selection + parts.cost + parts.tax;
        assert!((sum - parts.total).abs() < 1e-15);
        assert!(parts.cost < 0.0 && parts.tax < parts.cost);
        let nothing =
            AlphaInputs { gross: &[], after_cost: &[], after_tax: &[], cash: &[], equal_weight: &[], risk_free: &[] };
        assert_eq!(decompose_alpha(&nothing), None);
    }
}
