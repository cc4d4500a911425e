//! Names to numbers and back.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Numbers names in the order in which they come.
///
/// Names are looked up far more often than anything else happens, so a hash table it is; nothing
/// ever walks through it.
#[derive(Debug, Clone)]
pub(super) struct Names<T> {
    names: Vec<T>,
    #[expect(clippy::disallowed_types, reason = "only looked up, never walked through")]
    numbers: std::collections::HashMap<T, u32, BuildHasherDefault<Mixer>>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { names: Vec::new(), numbers: Default::default() }
    }
}

impl<T: Clone + Eq + Hash> Names<T> {
    pub fn number(&self, name: &T) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub fn name(&self, number: u32) -> &T {
        &self.names[number as usize]
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Makes room for so many more names.
    pub fn reserve(&mut self, more: usize) {
        self.names.reserve(more);
        self.numbers.reserve(more);
    }

    /// Gives the name the next number.
    pub fn push(&mut self, name: T) -> u32 {
        let number = self.names.len() as u32;
        self.numbers.insert(name.clone(), number);
        self.names.push(name);
        number
    }
}

/// Mixes eight bytes at a time; good enough for names, and quick.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mixer(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Mixer {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(ODD);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(last) ^ ((rest.len() as u64) << 56));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(byte.into());
    }

    fn finish(&self) -> u64 {
        // The table takes the top bits for its tags and the low ones for the place.
        self.0 ^ (self.0 >> 29)
    }
}
