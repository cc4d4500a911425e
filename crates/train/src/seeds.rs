//! From the tree of seeds to the small generator of the tensor room.

use lotwise_core::Seed;
use lotwise_tensor::Random;
use rand_chacha::rand_core::Rng as _;

/// A number from a named stream.
pub fn number(seed: Seed, name: &str, index: u64) -> u64 {
    seed.stream(name, index).next_u64()
}

/// A generator from a named stream.
pub fn random(seed: Seed, name: &str, index: u64) -> Random {
    Random::new(number(seed, name, index))
}

/// Uniform among `0..n`; 0 of nothing.
pub fn below(random: &mut Random, n: usize) -> usize {
    // The high half of a product is uniform up to n / 2^64.
    ((u128::from(random.bits()) * n as u128) >> 64) as usize
}

/// Moves a random choice of `count` to the front, in random order.
pub fn choose<T>(random: &mut Random, items: &mut [T], count: usize) {
    for at in 0..count.min(items.len()) {
        let other = at + below(random, items.len() - at);
        items.swap(at, other);
    }
}
