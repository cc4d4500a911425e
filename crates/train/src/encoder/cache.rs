//! What a frozen branch said once is kept (SPEC P1-15): its pooled numbers, never the projected ones, so that
//! nothing of it grows stale while the network learns.
//!
//! A window's key is a digest of its closes, which is narrower than ticker, bar and length: data that are
//! revised are other windows. The file only grows; a half-written end is cut off when it is opened. Values
//! stay on disk, where the system keeps in memory what is asked for often.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lotwise_nn::FrozenTemporal;
use lotwise_tensor::Array;
use sha2::{Digest, Sha256};

use super::curves::crc32c;
use super::data::hex;
use crate::Error;

/// The first bytes of a file.
const MAGIC: &[u8] = b"lotwise.temporal/1\n";
const KEY: usize = 16;
const CHECK: usize = 4;

type Key = [u8; KEY];

/// A frozen branch that remembers. Its outputs are those of the branch, to the last bit.
pub struct CachedTemporal {
    branch: Box<dyn FrozenTemporal>,
    store: Mutex<Store>,
}

struct Store {
    file: File,
    /// Where the record of a window begins.
    places: BTreeMap<Key, u64>,
    end: u64,
    width: usize,
    computed: u64,
}

impl CachedTemporal {
    /// Opens or begins the file for this branch in a folder.
    ///
    /// # Errors
    /// Where the folder cannot be written, the file is another kind of file, or another run has it open.
    pub fn open(branch: Box<dyn FrozenTemporal>, folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(Error::file("write", folder))?;
        let fingerprint = branch.fingerprint();
        let name = hex(&Sha256::digest(fingerprint.as_bytes())[..8]);
        let path = folder.join(format!("temporal-{name}.cache"));
        let store = Store::open(&path, &fingerprint, branch.width())?;
        Ok(Self { branch, store: Mutex::new(store) })
    }

    /// Windows that had to be computed since it was opened.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.store().computed
    }

    fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        // A thread that panicked while holding it left either a whole record or an end that is cut off later.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrozenTemporal for CachedTemporal {
    fn width(&self) -> usize {
        self.branch.width()
    }

    fn kind(&self) -> &'static str {
        self.branch.kind()
    }

    fn fingerprint(&self) -> String {
        self.branch.fingerprint()
    }

    fn embed(&self, closes: &Array) -> Array {
        let (shape, width) = (closes.shape(), self.width());
        assert_eq!(shape.len(), 2, "closes of shape {shape:?} where [windows, T] is wanted");
        let (windows, time) = (shape[0], shape[1]);
        if width == 0 || time == 0 {
            return self.branch.embed(closes);
        }
        let rows: Vec<&[f32]> = closes.data().chunks_exact(time).collect();
        let keys: Vec<Key> = rows.iter().map(|row| key(row)).collect();
        let mut out = Array::zeros([windows, width]);
        let mut missing = Vec::new();
        {
            let mut store = self.store();
            for (i, to) in out.data_mut().chunks_exact_mut(width).enumerate() {
                if store.read(&keys[i], to).is_none() {
                    missing.push(i);
                }
            }
        }
        if missing.is_empty() {
            return out;
        }
        let wanted: Vec<f32> = missing.iter().flat_map(|&i| rows[i].iter().copied()).collect();
        let found = self.branch.embed(&Array::new([missing.len(), time], wanted));
        let mut store = self.store();
        store.computed += missing.len() as u64;
        for (&i, from) in missing.iter().zip(found.data().chunks_exact(width)) {
            out.data_mut()[i * width..(i + 1) * width].copy_from_slice(from);
            // A full disk makes a run slower, not wrong: what is not kept is computed again.
            let _ = store.write(keys[i], from);
        }
        out
    }
}

/// The digest of a window; all that is not a number is the same.
fn key(closes: &[f32]) -> Key {
    let mut hash = Sha256::new();
    for close in closes {
        let bits = if close.is_nan() { f32::NAN.to_bits() } else { close.to_bits() };
        hash.update(bits.to_le_bytes());
    }
    let mut key = [0; KEY];
    key.copy_from_slice(&hash.finalize()[..KEY]);
    key
}

impl Store {
    fn open(path: &PathBuf, fingerprint: &str, width: usize) -> Result<Self, Error> {
        let fault = |action| Error::file(action, path);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fault("write"))?;
        file.try_lock().map_err(|error| fault("write")(std::io::Error::other(error.to_string())))?;
        let mut head = MAGIC.to_vec();
        head.extend((fingerprint.len() as u32).to_le_bytes());
        head.extend(fingerprint.as_bytes());
        head.extend((width as u32).to_le_bytes());
        let length = file.metadata().map_err(fault("read"))?.len();
        let mut there = vec![0; head.len().min(length as usize)];
        file.read_exact(&mut there).map_err(fault("read"))?;
        if !head.starts_with(&there) {
            let source = std::io::Error::other("it holds something else; name another folder for temporal.cache");
            return Err(fault("read")(source));
        }
        let start = head.len() as u64;
        if length < start {
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(&head))
                .map_err(fault("write"))?;
        }
        let mut store = Self { file, places: BTreeMap::new(), end: start, width, computed: 0 };
        let record = store.record();
        let records = length.saturating_sub(start) / record;
        for at in (0..records).map(|i| start + i * record) {
            let mut key = [0; KEY];
            store
                .file
                .seek(SeekFrom::Start(at))
                .and_then(|_| store.file.read_exact(&mut key))
                .map_err(fault("read"))?;
            store.places.insert(key, at);
        }
        store.end = start + records * record;
        store.file.set_len(store.end).map_err(fault("write"))?;
        Ok(store)
    }

    /// Bytes of one record: key, numbers, check.
    fn record(&self) -> u64 {
        (KEY + self.width * size_of::<f32>() + CHECK) as u64
    }

    /// Reads what is kept; `None` where there is nothing, or it is damaged.
    fn read(&mut self, key: &Key, to: &mut [f32]) -> Option<()> {
        let at = *self.places.get(key)?;
        let mut bytes = vec![0; self.record() as usize];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        let (body, check) = bytes.split_at(bytes.len() - CHECK);
        if crc32c(body).to_le_bytes() != *check || body[..KEY] != *key {
            return None;
        }
        for (to, from) in to.iter_mut().zip(body[KEY..].as_chunks().0) {
            *to = f32::from_le_bytes(*from);
        }
        Some(())
    }

    fn write(&mut self, key: Key, numbers: &[f32]) -> std::io::Result<()> {
        let mut bytes = key.to_vec();
        bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        bytes.extend(crc32c(&bytes).to_le_bytes());
        // A damaged record is replaced in its place.
        let at = self.places.get(&key).copied().unwrap_or(self.end);
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&bytes)?;
        self.end = self.end.max(at + bytes.len() as u64);
        self.places.insert(key, at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lotwise_nn::temporal::MiniRocketConfig;

    use super::*;

    fn branch() -> Box<dyn FrozenTemporal> {
        Box::new(MiniRocketConfig { kernels: 6, largest_dilation_log2: 2, seed: 1 }.init())
    }

    fn windows(count: usize) -> Array {
        Array::from_fn([count, 24], |i| if i % 17 == 0 { f32::NAN } else { 20.0 + ((i * 31) % 13) as f32 })
    }

    #[test]
    fn what_was_computed_once_is_read_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = branch().embed(&windows(9));
        let first = CachedTemporal::open(branch(), folder.path()).unwrap();
        let some = Array::new([5, 24], windows(9).data()[..5 * 24].to_vec());
        first.embed(&some);
        assert_eq!((first.embed(&windows(9)), first.computed()), (wanted.clone(), 9));
        assert_eq!(first.fingerprint(), branch().fingerprint());
        assert!(CachedTemporal::open(branch(), folder.path()).is_err(), "one run at a time");
        drop(first);
        let again = CachedTemporal::open(branch(), folder.path()).unwrap();
        assert_eq!((again.embed(&windows(9)), again.computed()), (wanted, 0));
    }

    #[test]
    fn damage_is_computed_again_and_a_half_written_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = branch().embed(&windows(4));
        CachedTemporal::open(branch(), folder.path()).unwrap().embed(&windows(4));
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let record = KEY + 12 * 4 + CHECK;
        let second = bytes.len() - 3 * record + KEY + 2;
        bytes[second] ^= 0x40;
        bytes.truncate(bytes.len() - 5);
        std::fs::write(&path, bytes).unwrap();
        let cached = CachedTemporal::open(branch(), folder.path()).unwrap();
        assert_eq!((cached.embed(&windows(4)), cached.computed()), (wanted.clone(), 2));
        drop(cached);
        let mended = CachedTemporal::open(branch(), folder.path()).unwrap();
        assert_eq!((mended.embed(&windows(4)), mended.computed()), (wanted, 0));
        drop(mended);
        std::fs::write(&path, b"somebody's diary, long enough to be looked at as a header of numbers").unwrap();
        assert!(CachedTemporal::open(branch(), folder.path()).is_err());
    }
}
