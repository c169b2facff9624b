//! Idempotency keys: which fact each one made, for as many of the newest as there is room for.
//!
//! The key itself stands in its record; here is only its hash, what it was used for, and where its
//! record stands, so the memory and the checkpoint of the window are bounded by a number of bytes.

use std::collections::{HashMap, VecDeque};

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
    entries: HashMap<KeyHash, KeyEntry>,
    order: VecDeque<KeyHash>,
    keys_max: usize,
}

impl KeyWindow {
    /// An empty window for this many keys.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), keys_max }
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

    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(self.order.len() * PACKED_BYTES);
        for hash in &self.order {
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
        let again = KeyWindow::unpack(&window.pack(), 3).unwrap();
        assert_eq!(again, window);
        assert_eq!(KeyWindow::unpack(&[0; 31], 3), None);
    }
}
