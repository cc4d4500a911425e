//! What trading costs (SPEC E-10), and how much of it a given amount of cash can pay.

/// Most that impact costs, a fraction of the trade.
const LARGEST_IMPACT: f64 = 0.5;

/// What trading costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostConfig {
    /// Per side, in basis points of what is traded.
    pub proportional_bps: f64,
    /// k of the square-root impact `k · vol · √(traded / dollar volume)`, a fraction of what is
    /// traded; 0 for none.
    pub impact_coef: f64,
}

/// What the market can take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth<'a> {
    /// Volatility a day, `[N]`.
    pub vol_daily: &'a [f64],
    /// Usual traded value a day, US dollars, `[N]`. Of an asset without any, the trade counts as the
    /// whole day's volume.
    pub dollar_volume: &'a [f64],
}

impl CostConfig {
    /// The proportional cost, a fraction.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.proportional_bps * 1e-4
    }

    /// The cost of impact of trading `size` US dollars, whichever side, of one asset: at most half of it,
    /// beyond which the formula means nothing.
    #[must_use]
    pub fn impact(&self, size: f64, vol_daily: f64, dollar_volume: f64) -> f64 {
        let part_of_day = if dollar_volume > 0.0 { size / dollar_volume } else { 1.0 };
        (self.impact_coef * vol_daily * part_of_day.sqrt()).min(LARGEST_IMPACT) * size
    }
}

/// The factor, 0 to 1, by which purchases must shrink so that `fits` pays for them: `linear` is what
/// they cost at full size without impact, `impact` their impact, which shrinks with the power 3/2.
pub(super) fn affordable(linear: f64, impact: f64, fits: f64) -> f64 {
    // A hair less than there is, so that rounding over hundreds of assets never borrows.
    let fits = fits * (1.0 - 1e-12);
    if fits <= 0.0 {
        return 0.0;
    }
    if linear + impact <= fits {
        return 1.0;
    }
    if impact <= 0.0 {
        return fits / linear;
    }
    // Newton's method on `linear · r² + impact · r³ = fits` for the root r of the factor: the left side
    // is convex and rising, so that from above every step stays above and comes nearer.
    let mut root: f64 = 1.0;
    for _ in 0..30 {
        let excess = root * root * (linear + impact * root) - fits;
        let step = excess / (root * (2.0 * linear + 3.0 * impact * root));
        root -= step;
        if step <= 1e-16 {
            break;
        }
    }
    // The last steps come from above; what rounding left over is taken off.
    let paid = root * root * (linear + impact * root);
    (root * root * (fits / paid).min(1.0)).clamp(0.0, 1.0)
}
