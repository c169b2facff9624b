//! Idempotency keys: which fact each one made, for as many of the newest as there is room for.
//!
//! The key itself stands in its record; here is only its hash, what it was used for, and where its
//! record stands, so the memory and the checkpoint of the window are bounded by a number of bytes.
//! The window knows which keys are newer than the last checkpoint: only these go into the next one
//! of the same segment.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

type KeyHash = [u8; 16];

/// Bytes of one key in a checkpoint.
pub(crate) const PACKED_BYTES: usize = 32;

/// What a key was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry {
    /// Sequence of the fact that carries the key.
    pub sequence: u64,
    /// Hash of the call's inputs.
    pub fingerprint: u64,
}

/// The newest keys.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyWindow {
    entries: HashMap<KeyHash, KeyEntry, BuildHasherDefault<FirstBytes>>,
    order: VecDeque<KeyHash>,
    keys_max: usize,
    /// How many of the newest no checkpoint carries yet.
    fresh: usize,
}

impl KeyWindow {
    /// An empty window for this many keys.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self { entries: HashMap::default(), order: VecDeque::new(), keys_max, fresh: 0 }
    }

    /// How many keys are remembered at most.
    #[must_use]
    pub fn keys_max(&self) -> usize {
        self.keys_max
    }

    /// What a key was used for, if it is remembered.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<KeyEntry> {
        self.entries.get(&hash(key)).copied()
    }

    /// Remembers a key, forgetting the oldest when the window is full.
    pub fn remember(&mut self, key: &str, entry: KeyEntry) {
        self.insert(hash(key), entry);
        self.fresh = (self.fresh + 1).min(self.order.len());
    }

    /// Puts a newer window behind this one, the newest of both kept.
    pub(crate) fn extend(&mut self, newer: &Self) {
        newer.order.iter().for_each(|hash| self.insert(*hash, newer.entries[hash]));
        self.fresh = newer.fresh;
    }

    /// A checkpoint now carries every key.
    pub(crate) fn saved(&mut self) {
        self.fresh = 0;
    }

    fn insert(&mut self, hash: KeyHash, entry: KeyEntry) {
        // A key that has left the window may be used again; its newer use then counts.
        if self.entries.insert(hash, entry).is_some() {
            self.order.retain(|other| *other != hash);
        }
        self.order.push_back(hash);
        if self.order.len() > self.keys_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    /// All keys, oldest first.
    pub(crate) fn pack(&self) -> Vec<u8> {
        self.pack_newest(self.order.len())
    }

    /// The keys that no checkpoint carries yet, oldest first.
    pub(crate) fn pack_fresh(&self) -> Vec<u8> {
        self.pack_newest(self.fresh)
    }

    fn pack_newest(&self, count: usize) -> Vec<u8> {
        let mut packed = Vec::with_capacity(count * PACKED_BYTES);
        for hash in self.order.range(self.order.len() - count..) {
            let entry = self.entries[hash];
            packed.extend_from_slice(hash);
            packed.extend_from_slice(&entry.sequence.to_le_bytes());
            packed.extend_from_slice(&entry.fingerprint.to_le_bytes());
        }
        packed
    }

    pub(crate) fn unpack(packed: &[u8], keys_max: usize) -> Option<Self> {
        let (entries, rest) = packed.as_chunks::<PACKED_BYTES>();
        if !rest.is_empty() || entries.len() > keys_max {
            return None;
        }
        let mut window = Self::new(keys_max);
        for entry in entries {
            let hash = entry[..16].try_into().ok()?;
            let sequence = u64::from_le_bytes(entry[16..24].try_into().ok()?);
            let fingerprint = u64::from_le_bytes(entry[24..].try_into().ok()?);
            window.insert(hash, KeyEntry { sequence, fingerprint });
        }
        Some(window)
    }
}

/// The first bytes of a hash: they are as good as any, and need no other hash over them.
#[derive(Debug, Clone, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn hash(key: &str) -> KeyHash {
    let mut short = KeyHash::default();
    short.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::{KeyEntry, KeyWindow};

    #[test]
    fn the_window_forgets_the_oldest_and_survives_packing() {
        let mut window = KeyWindow::new(3);
        for sequence in 1..=5 {
            window.remember(&format!("k{sequence}"), KeyEntry { sequence, fingerprint: 9 });
        }
        assert_eq!(window.find("k2"), None);
        assert_eq!(window.find("k3"), Some(KeyEntry { sequence: 3, fingerprint: 9 }));
        window.saved();
        let again = KeyWindow::unpack(&window.pack(), 3).unwrap();
        assert_eq!(again, window);
        assert_eq!(KeyWindow::unpack(&[0; 31], 3), None);
    }

    #[test]
    fn a_window_is_the_old_one_and_what_came_since() {
        let mut window = KeyWindow::new(3);
        window.remember("k1", KeyEntry { sequence: 1, fingerprint: 9 });
        window.remember("k2", KeyEntry { sequence: 2, fingerprint: 9 });
        let mut before = KeyWindow::unpack(&window.pack(), 3).unwrap();
        window.saved();
        assert!(window.pack_fresh().is_empty());
        window.remember("k3", KeyEntry { sequence: 3, fingerprint: 9 });
        window.remember("k4", KeyEntry { sequence: 4, fingerprint: 9 });
        let since = KeyWindow::unpack(&window.pack_fresh(), 3).unwrap();
        before.extend(&since);
        window.saved();
        assert_eq!(before, window);
        assert_eq!(window.find("k1"), None);
    }
}
