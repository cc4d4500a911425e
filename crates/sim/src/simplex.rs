//! Projection onto the simplex with a cap.

/// The nearest point to `values` (least squares) whose entries lie between 0 and `cap` and sum to
/// `total`: every entry is lowered or raised by one common amount and cut at both ends.
///
/// Where even `cap` everywhere sums to less than `total`, the result is `cap` everywhere; the
/// caller sees it by the sum. Values that fit already come back unchanged.
#[must_use]
pub fn capped_simplex(values: &[f64], total: f64, cap: f64) -> Vec<f64> {
    if cap * values.len() as f64 <= total {
        return vec![cap; values.len()];
    }
    let sum: f64 = values.iter().sum();
    if (sum - total).abs() <= 1e-12 && values.iter().all(|value| (0.0..=cap).contains(value)) {
        return values.to_vec();
    }
    // The sum of the cut entries falls with the shift, in straight pieces between these points.
    let mut corners: Vec<f64> = values.iter().flat_map(|value| [value - cap, *value]).collect();
    corners.sort_by(f64::total_cmp);
    let cut_sum = |shift: f64| values.iter().map(|value| (value - shift).clamp(0.0, cap)).sum::<f64>();
    let after = corners.partition_point(|&corner| cut_sum(corner) > total).clamp(1, corners.len() - 1);
    let (low, high) = (corners[after - 1], corners[after]);
    let (low_sum, high_sum) = (cut_sum(low), cut_sum(high));
    let part = if low_sum > high_sum { (low_sum - total) / (low_sum - high_sum) } else { 0.0 };
    let shift = low + part.clamp(0.0, 1.0) * (high - low);
    values.iter().map(|value| (value - shift).clamp(0.0, cap)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} is not {wanted:?}");
    }

    #[test]
    fn excess_over_the_cap_is_spread_evenly_over_the_rest() {
        assert_near(&capped_simplex(&[0.7, 0.2, 0.1], 1.0, 0.5), &[0.5, 0.3, 0.2]);
        assert_near(&capped_simplex(&[0.9, 0.1, 0.0], 1.0, 0.4), &[0.4, 0.35, 0.25]);
        assert_near(&capped_simplex(&[0.45, 0.45, 0.1, 0.0], 1.0, 0.3), &[0.3, 0.3, 0.25, 0.15]);
    }

    #[test]
    fn what_fits_stays_and_a_cap_too_tight_fills_up() {
        assert_eq!(capped_simplex(&[0.6, 0.4], 1.0, 0.6), [0.6, 0.4]);
        assert_eq!(capped_simplex(&[0.6, 0.4], 1.0, 0.3), [0.3, 0.3]);
        assert_eq!(capped_simplex(&[], 1.0, 0.3), [0.0; 0]);
        assert_near(&capped_simplex(&[0.2, -0.4, 0.2], 1.0, 1.0), &[0.5, 0.0, 0.5]);
    }
}
