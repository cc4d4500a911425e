//! The optimising rules against answers that were found another way.

use clarabel::algebra::CscMatrix;
use clarabel::solver::SupportedConeT::{ExponentialConeT, NonnegativeConeT, ZeroConeT};
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver};
use lotwise_sim::policy::{min_variance_weights, risk_parity_weights};
use lotwise_sim::{Covariance, Error};
use proptest::prelude::*;

use crate::fixture::assert_near;

/// A covariance from volatilities and one correlation for every pair.
fn covariance(volatilities: &[f64], correlation: f64) -> Covariance {
    let rows: Vec<Vec<f64>> = volatilities
        .iter()
        .enumerate()
        .map(|(i, a)| {
            let entry = |(j, b): (usize, &f64)| if i == j { a * b } else { correlation * (a * b) };
            volatilities.iter().enumerate().map(entry).collect()
        })
        .collect();
    Covariance::from_rows(&rows).unwrap()
}

#[test]
fn two_assets_of_least_variance_follow_the_closed_form() {
    for (a, b, correlation) in [(0.01, 0.02, 0.0), (0.01, 0.02, 0.4), (0.03, 0.011, -0.6), (0.02, 0.02, 0.9)] {
        // w = (b² − ρab) / (a² + b² − 2ρab), as long as it lies between 0 and 1.
        let cross = correlation * a * b;
        let first: f64 = (b * b - cross) / (a * a + b * b - 2.0 * cross);
        let first = first.clamp(0.0, 1.0);
        let weights = min_variance_weights(&covariance(&[a, b], correlation), 1.0).unwrap();
        assert_near(&weights, &[first, 1.0 - first], 1e-8);
    }
    // Where the closed form would sell the second short, it is left alone.
    assert_eq!(min_variance_weights(&covariance(&[0.01, 0.04], 0.9), 1.0).unwrap(), [1.0, 0.0]);
}

#[test]
fn uncorrelated_assets_of_least_variance_weigh_one_over_their_variance() {
    let weights = min_variance_weights(&covariance(&[0.01, 0.02, 0.04], 0.0), 1.0).unwrap();
    assert_near(&weights, &[16.0 / 21.0, 4.0 / 21.0, 1.0 / 21.0], 1e-8);
    let capped = min_variance_weights(&covariance(&[0.01, 0.02, 0.04], 0.0), 0.5).unwrap();
    assert_near(&capped, &[0.5, 0.4, 0.1], 1e-8);
    assert_eq!(min_variance_weights(&covariance(&[0.01, 0.02], 0.0), 0.4).unwrap(), [0.5, 0.5]);
}

#[test]
fn assets_that_repeat_or_hedge_each_other_still_have_least_variance() {
    let alike = min_variance_weights(&covariance(&[0.01; 5], 1.0), 0.3).unwrap();
    assert!((alike.iter().sum::<f64>() - 1.0).abs() < 1e-12 && alike.iter().all(|weight| (0.0..=0.3).contains(weight)));
    let hedged = min_variance_weights(&covariance(&[0.01, 0.03], -1.0), 1.0).unwrap();
    assert_near(&hedged, &[0.75, 0.25], 1e-8);
}

#[test]
fn risk_parity_without_correlation_is_inverse_volatility() {
    for volatilities in [vec![0.01, 0.02, 0.04], vec![0.0001, 0.03], vec![0.01]] {
        let sum: f64 = volatilities.iter().map(|volatility| 1.0 / volatility).sum();
        let wanted: Vec<f64> = volatilities.iter().map(|volatility| 1.0 / volatility / sum).collect();
        assert_near(&risk_parity_weights(&covariance(&volatilities, 0.0)).unwrap(), &wanted, 1e-12);
        // One correlation for all pairs leaves the assets alike but for their volatility.
        assert_near(&risk_parity_weights(&covariance(&volatilities, 0.7)).unwrap(), &wanted, 1e-12);
    }
}

#[test]
fn risk_parity_agrees_with_a_root_found_by_bisection() {
    // Three assets, of which two move together: by symmetry w = (x, x, 1 − 2x), and
    // x²(1 + ρ)σ² = (1 − 2x)²s² gives x = s / (2s + σ√(1 + ρ)).
    let (sigma, other, correlation) = (0.02, 0.01, 0.5_f64);
    let rows = [
        vec![sigma * sigma, correlation * sigma * sigma, 0.0],
        vec![correlation * sigma * sigma, sigma * sigma, 0.0],
        vec![0.0, 0.0, other * other],
    ];
    let x = other / (2.0 * other + sigma * (1.0 + correlation).sqrt());
    let weights = risk_parity_weights(&Covariance::from_rows(&rows).unwrap()).unwrap();
    assert_near(&weights, &[x, x, 1.0 - 2.0 * x], 1e-12);
}

#[test]
fn assets_that_hedge_each_other_wholly_have_no_risk_parity() {
    let hedge = covariance(&[0.01, 0.02], -1.0);
    assert!(matches!(risk_parity_weights(&hedge), Err(Error::Solver { policy: "risk-parity", .. })));
    let still = covariance(&[0.01, 0.0], 0.0);
    assert!(matches!(risk_parity_weights(&still), Err(Error::Solver { policy: "risk-parity", .. })));
    let none = covariance(&[0.0, 0.0], 0.0);
    assert!(matches!(min_variance_weights(&none, 1.0), Err(Error::Solver { policy: "min-variance", .. })));
}

/// Covariances of 1 to 20 assets: `A Aᵀ` plus a diagonal, with volatilities ten thousandfold apart.
fn any_covariance() -> impl Strategy<Value = Covariance> {
    (1_usize..=20).prop_flat_map(|size| {
        let loadings = prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 3), size);
        let scales = prop::collection::vec(-5.0..-1.0_f64, size);
        (loadings, scales).prop_map(|(loadings, scales)| {
            let entry = |i: usize, j: usize| {
                let (i, j) = (i.max(j), i.min(j));
                let shared: f64 = loadings[i].iter().zip(&loadings[j]).map(|(a, b)| a * b).sum();
                let own = if i == j { 0.3 } else { 0.0 };
                (shared + own) * 10_f64.powf(scales[i]) * 10_f64.powf(scales[j])
            };
            let size = scales.len();
            let rows: Vec<Vec<f64>> = (0..size).map(|i| (0..size).map(|j| entry(i, j)).collect()).collect();
            Covariance::from_rows(&rows).expect("Invariant: written symmetric")
        })
    })
}

/// Risk parity by an interior method: `min ½ xᵀΣx − Σ t_i` with `(t_i, 1, x_i)` in the exponential
/// cone, that is `t_i ≤ ln x_i`, then scaled to sum to one. Volatilities must be of order one.
fn risk_parity_in_exponential_cones(covariance: &Covariance) -> Vec<f64> {
    let size = covariance.n_assets();
    let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for j in 0..size {
        for i in 0..=j {
            rows.push(i);
            columns.push(j);
            values.push(covariance.at(i, j));
        }
    }
    let quadratic = CscMatrix::new_from_triplets(2 * size, 2 * size, rows, columns, values);
    let linear: Vec<f64> = (0..2 * size).map(|at| if at < size { 0.0 } else { -1.0 }).collect();
    let rows = (0..size).map(|i| 3 * i + 2).chain((0..size).map(|i| 3 * i)).collect();
    let constraints =
        CscMatrix::new_from_triplets(3 * size, 2 * size, rows, (0..2 * size).collect(), vec![-1.0; 2 * size]);
    let bounds: Vec<f64> = (0..3 * size).map(|row| if row % 3 == 1 { 1.0 } else { 0.0 }).collect();
    let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
    let cones = vec![ExponentialConeT(); size];
    let mut solver = DefaultSolver::new(&quadratic, &linear, &constraints, &bounds, &cones, settings).unwrap();
    solver.solve();
    let sum: f64 = solver.solution.x[..size].iter().sum();
    solver.solution.x[..size].iter().map(|x| x / sum).collect()
}

#[test]
fn risk_parity_agrees_with_an_interior_method() {
    let rows = [
        vec![1.00, 0.42, -0.18, 0.05],
        vec![0.42, 1.96, 0.30, -0.40],
        vec![-0.18, 0.30, 0.49, 0.21],
        vec![0.05, -0.40, 0.21, 0.81],
    ];
    let covariance = Covariance::from_rows(&rows).unwrap();
    let weights = risk_parity_weights(&covariance).unwrap();
    assert_near(&weights, &risk_parity_in_exponential_cones(&covariance), 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_asset_adds_the_same_risk(covariance in any_covariance()) {
        let weights = risk_parity_weights(&covariance).unwrap();
        let parts = covariance.risk_contributions(&weights);
        let mean = parts.iter().sum::<f64>() / parts.len() as f64;
        prop_assert!(weights.iter().all(|weight| *weight > 0.0));
        prop_assert!(parts.iter().all(|part| (part / mean - 1.0).abs() < 1e-6), "{parts:?}");
    }

    #[test]
    fn no_small_shift_of_weight_lowers_the_variance(covariance in any_covariance(), cap in 0.3..1.0_f64) {
        let weights = min_variance_weights(&covariance, cap).unwrap();
        prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        if cap * weights.len() as f64 <= 1.0 {
            return Ok(());
        }
        prop_assert!(weights.iter().all(|weight| (0.0..=cap + 1e-9).contains(weight)));
        let variance = |weights: &[f64]| covariance.risk_contributions(weights).iter().sum::<f64>();
        let least = variance(&weights);
        for from in 0..weights.len() {
            for to in 0..weights.len() {
                let step = weights[from].min(cap - weights[to]).clamp(0.0, 1e-3);
                let mut shifted = weights.clone();
                shifted[from] -= step;
                shifted[to] += step;
                prop_assert!(variance(&shifted) >= least * (1.0 - 1e-8), "from {from} to {to} by {step}");
            }
        }
    }
}

/// `min ½ wᵀΣw` with `Σ w = 1` and `w ≥ 0` by an interior method. Variances must be of order one.
fn least_variance_by_an_interior_method(covariance: &Covariance) -> Vec<f64> {
    let size = covariance.n_assets();
    let upper: Vec<(usize, usize)> = (0..size).flat_map(|j| (0..=j).map(move |i| (i, j))).collect();
    let quadratic = CscMatrix::new_from_triplets(
        size,
        size,
        upper.iter().map(|(i, _)| *i).collect(),
        upper.iter().map(|(_, j)| *j).collect(),
        upper.iter().map(|(i, j)| covariance.at(*i, *j)).collect(),
    );
    let rows = (0..size).map(|_| 0).chain(1..=size).collect();
    let values = (0..2 * size).map(|at| if at < size { 1.0 } else { -1.0 }).collect();
    let columns = (0..size).chain(0..size).collect();
    let constraints = CscMatrix::new_from_triplets(1 + size, size, rows, columns, values);
    let bounds: Vec<f64> = (0..=size).map(|row| if row == 0 { 1.0 } else { 0.0 }).collect();
    let settings =
        DefaultSettings { verbose: false, tol_gap_abs: 1e-12, tol_gap_rel: 1e-12, ..DefaultSettings::default() };
    let cones = [ZeroConeT(1), NonnegativeConeT(size)];
    let mut solver = DefaultSolver::new(&quadratic, &vec![0.0; size], &constraints, &bounds, &cones, settings).unwrap();
    solver.solve();
    solver.solution.x.clone()
}

#[test]
fn least_variance_of_many_assets_agrees_with_an_interior_method() {
    for (size, n_factors, seed) in [(100, 3, 1_u64), (100, 0, 2), (140, 1, 3), (60, 12, 4)] {
        let mut random = seed;
        let mut draw = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 11) as f64 / (1_u64 << 53) as f64
        };
        // Factor models as of shares: most load on the first factor, each has a risk of its own.
        let loadings: Vec<Vec<f64>> = (0..size)
            .map(|_| (0..n_factors).map(|at| if at == 0 { 0.5 + draw() } else { draw() - 0.5 }).collect())
            .collect();
        let own: Vec<f64> = (0..size).map(|_| 0.1 + draw()).collect();
        let entry = |i: usize, j: usize| {
            let shared: f64 = loadings[i].iter().zip(&loadings[j]).map(|(a, b)| a * b).sum();
            shared + if i == j { own[i] } else { 0.0 }
        };
        let rows: Vec<Vec<f64>> = (0..size).map(|i| (0..size).map(|j| entry(i.max(j), i.min(j))).collect()).collect();
        let covariance = Covariance::from_rows(&rows).unwrap();
        let weights = min_variance_weights(&covariance, 1.0).unwrap();
        assert_near(&weights, &least_variance_by_an_interior_method(&covariance), 1e-6);
        let held = weights.iter().filter(|weight| **weight > 0.0).count();
        assert!(if n_factors == 0 { held == size } else { held < size }, "{held} of {size} are held");
    }
}
