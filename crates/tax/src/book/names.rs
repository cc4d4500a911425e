//! Names to numbers and back.

use std::hash::{Hash, Hasher};

/// Numbers names in the order in which they come.
///
/// Names are looked up far more often than anything else happens, so a hash table it is; nothing
/// ever walks through it. It holds numbers alone, so that it is small and each name is kept once.
#[derive(Debug, Clone)]
pub(super) struct Names<T> {
    names: Vec<T>,
    /// As many slots as a power of two, at most three quarters of them in use. A name is in the first
    /// free one from the place that its hash says.
    slots: Vec<Slot>,
}

/// Part of a name's hash, and its number plus one; zero is a free slot.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    tag: u32,
    number: u32,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { names: Vec::new(), slots: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Names<T> {
    pub fn number(&self, name: &T) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.find(name, hash(name)).ok()
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
        let wanted = (self.names.len() + more) / 3 * 4 + 8;
        if wanted > self.slots.len() {
            self.spread(wanted.next_power_of_two());
        }
    }

    /// Gives a name that has no number the next one.
    pub fn push(&mut self, name: T) -> u32 {
        self.make_room();
        let hash = hash(&name);
        if let Err(slot) = self.find(&name, hash) {
            self.enter(slot, hash);
        }
        self.names.push(name);
        self.names.len() as u32 - 1
    }

    /// The same where it is not sure to have none; `None` for one that has.
    pub fn add(&mut self, name: &T) -> Option<u32> {
        self.make_room();
        let hash = hash(name);
        let slot = self.find(name, hash).err()?;
        self.enter(slot, hash);
        self.names.push(name.clone());
        Some(self.names.len() as u32 - 1)
    }

    /// The number of a name, or the slot that it would get. Some slot is free.
    fn find(&self, name: &T, hash: u64) -> Result<u32, usize> {
        let mut place = self.place(hash);
        loop {
            let slot = self.slots[place];
            if slot.number == 0 {
                return Err(place);
            }
            if slot.tag == hash as u32 && self.names[slot.number as usize - 1] == *name {
                return Ok(slot.number - 1);
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    fn place(&self, hash: u64) -> usize {
        // The top bits, which the mixer has mixed best; the low ones are the tag.
        (hash >> ((self.slots.len() as u64).leading_zeros() + 1)) as usize
    }

    fn enter(&mut self, slot: usize, hash: u64) {
        self.slots[slot] = Slot { tag: hash as u32, number: self.names.len() as u32 + 1 };
    }

    fn make_room(&mut self) {
        if self.names.len() >= self.slots.len() / 4 * 3 {
            self.spread((2 * self.slots.len()).max(16));
        }
    }

    /// Puts the names into so many slots, a power of two.
    fn spread(&mut self, n_slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); n_slots]);
        for slot in old.into_iter().filter(|slot| slot.number != 0) {
            let mut place = self.place(hash(&self.names[slot.number as usize - 1]));
            while self.slots[place].number != 0 {
                place = (place + 1) & (n_slots - 1);
            }
            self.slots[place] = slot;
        }
    }
}

fn hash<T: Hash>(name: &T) -> u64 {
    let mut mixer = Mixer::default();
    name.hash(&mut mixer);
    mixer.finish()
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
        // The low bits are mixed least, so that some of the others join them.
        self.0 ^ (self.0 >> 29)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers_while_others_come() {
        let mut names = Names::<String>::default();
        assert_eq!(names.number(&"L0".to_owned()), None);
        for number in 0..5_000_u32 {
            if number == 700 {
                names.reserve(1_000);
            }
            let name = format!("L{number}");
            assert_eq!(names.number(&name), None);
            assert_eq!(if number % 2 == 0 { names.add(&name) } else { Some(names.push(name.clone())) }, Some(number));
            assert_eq!(names.add(&name), None);
        }
        for number in 0..5_000_u32 {
            let name = format!("L{number}");
            assert_eq!((names.number(&name), names.name(number)), (Some(number), &name));
        }
        assert_eq!((names.len(), names.number(&"L5000".to_owned())), (5_000, None));
    }
}
