//! The tax of a year as a function of its short and long sums, at two flat rates.

/// A tax year up to now. Money in the unit of the caller; sums are after losses carried into the year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaxYear {
    /// On short-term gains, a fraction.
    pub short_rate: f64,
    /// On long-term gains, a fraction, at most the short rate.
    pub long_rate: f64,
    /// What a loss beyond the limit, carried to later years, is worth, a fraction (SPEC T-07).
    pub carried_rate: f64,
    /// Short-term result so far.
    pub net_short: f64,
    /// Long-term result so far.
    pub net_long: f64,
    /// Loss that may reduce other income.
    pub loss_limit: f64,
}

/// `tax ≥ short · S + long · L + fixed`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    pub short: f64,
    pub long: f64,
    pub fixed: f64,
}

impl TaxYear {
    /// An account without taxes.
    #[must_use]
    pub fn none() -> Self {
        Self { short_rate: 0.0, long_rate: 0.0, carried_rate: 0.0, net_short: 0.0, net_long: 0.0, loss_limit: 0.0 }
    }

    /// The tax of sums: results of both terms are netted, a loss up to the limit saves at the short
    /// rate, and one beyond it is worth the carried rate.
    #[must_use]
    pub fn tax(&self, short: f64, long: f64) -> f64 {
        let total = short + long;
        if short >= 0.0 && long >= 0.0 {
            self.short_rate * short + self.long_rate * long
        } else if total >= 0.0 {
            total * if short >= 0.0 { self.short_rate } else { self.long_rate }
        } else {
            let deducted = (-total).min(self.loss_limit);
            -self.short_rate * deducted - self.carried_rate * (-total - deducted)
        }
    }

    /// Planes whose greatest is the tax around these sums, and above it where the tax is not convex,
    /// so that a loss is never worth more than it is. Beyond the limit they always hold.
    pub(super) fn planes(&self, short: f64, long: f64) -> Vec<Plane> {
        let flat = |rate: f64| Plane { short: rate, long: rate, fixed: 0.0 };
        let by_term = Plane { short: self.short_rate, long: self.long_rate, fixed: 0.0 };
        let carried =
            Plane { fixed: -(self.short_rate - self.carried_rate) * self.loss_limit, ..flat(self.carried_rate) };
        let mut planes = match (short >= 0.0, long >= 0.0, short + long >= 0.0) {
            // A short-term loss beyond the short-term gains meets long-term gains where there are some.
            (true, true, _) if long > 0.0 => vec![by_term, flat(self.long_rate)],
            (true, true, _) => vec![by_term],
            (false, _, true) => vec![flat(self.long_rate)],
            (true, false, true) | (_, _, false) => vec![flat(self.short_rate)],
        };
        planes.push(carried);
        planes
    }

    pub(super) fn scaled(&self, scale: f64) -> Self {
        Self {
            net_short: self.net_short * scale,
            net_long: self.net_long * scale,
            loss_limit: self.loss_limit * scale,
            ..*self
        }
    }
}
