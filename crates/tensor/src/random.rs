//! A small generator of its own, so that a seed gives the same weights on every machine.

/// A stream of random numbers from a seed: SplitMix64 (Steele, Lea and Flood 2014).
///
/// Rooms above pass a number drawn from their own tree of seeds.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A stream that depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * f64::from(1.0 - self.uniform()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * f64::from(self.uniform())).cos()) as f32
    }
}

/// Spreads every bit of a number over all others.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The key of one use of dropout: a seed, the place in a block, and a running index.
pub(crate) fn key(seed: u64, site: u64, index: u64) -> u64 {
    mix(mix(seed.wrapping_add(site.wrapping_mul(0x9e37_79b9_7f4a_7c15))).wrapping_add(index))
}
