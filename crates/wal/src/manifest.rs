//! Which segments a journal has: a small text file, replaced whole at each roll. It is written while
//! the next segment is prepared, and only renamed when that segment is begun.
//!
//! Invariant: no record of a segment is acknowledged before the manifest names that segment. So a
//! segment that the manifest names and whose header is gone is damage, while a blank file after it
//! is only the next segment, prepared and not yet used.

use crate::error::WalError;
use crate::storage::{Access, Storage, read_all, replace};
use std::io;
use std::path::Path;

const FILE: &str = "manifest";
const STAGED_FILE: &str = "manifest.next";
const TITLE: &str = "pos-kernel journal 1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Number of the oldest segment kept.
    pub(crate) oldest: u32,
    /// Number of the segment in use.
    pub(crate) current: u32,
}

impl Manifest {
    fn to_text(self) -> String {
        let text = format!("{TITLE}\noldest {}\ncurrent {}\n", self.oldest, self.current);
        let crc = crc32c::crc32c(text.as_bytes());
        format!("{text}crc32c {crc:08x}\n")
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().and_then(Self::from_text)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let title = lines.next()?;
        let oldest = lines.next()?.strip_prefix("oldest ")?.parse().ok()?;
        let current = lines.next()?.strip_prefix("current ")?.parse().ok()?;
        let manifest = Self { oldest, current };
        (title == TITLE && text == manifest.to_text() && oldest >= 1 && oldest <= current)
            .then_some(manifest)
    }

    /// `None` when there is none or it cannot be believed; the folder is listed instead.
    pub(crate) fn load(storage: &dyn Storage, dir: &Path) -> Result<Option<Self>, WalError> {
        let path = dir.join(FILE);
        match read_all(storage, &path) {
            Ok(bytes) => Ok(Self::from_bytes(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(WalError::io("read", &path)(error)),
        }
    }

    /// True when the segment `number` stands prepared: it was durable before its manifest was
    /// staged.
    pub(crate) fn is_staged(storage: &dyn Storage, dir: &Path, number: u32) -> bool {
        let staged = read_all(storage, &dir.join(STAGED_FILE)).ok();
        let staged = staged.and_then(|bytes| Self::from_bytes(&bytes));
        staged.is_some_and(|staged| staged.current == number)
    }

    /// True when no manifest was ever made: nothing in the journal was promised to anybody.
    pub(crate) fn was_never_saved(storage: &dyn Storage, dir: &Path) -> Result<bool, WalError> {
        let names = storage.list(dir).map_err(WalError::io("list", dir))?;
        Ok(!names.iter().any(|name| name == FILE))
    }

    /// Writes the manifest of a segment to come under another name: on a full disk there would be
    /// no room for it when the segment is begun.
    pub(crate) fn stage(self, storage: &dyn Storage, dir: &Path) -> io::Result<()> {
        let file = storage.open(&dir.join(STAGED_FILE), Access::Create)?;
        file.write_at(self.to_text().as_bytes(), 0)?;
        file.sync()
    }

    /// Puts the staged manifest in place.
    pub(crate) fn publish(storage: &dyn Storage, dir: &Path) -> io::Result<()> {
        storage.rename(&dir.join(STAGED_FILE), &dir.join(FILE))?;
        storage.sync_dir(dir)
    }

    pub(crate) fn save(self, storage: &dyn Storage, dir: &Path) -> io::Result<()> {
        replace(storage, &dir.join(FILE), self.to_text().as_bytes())
    }
}

/// The oldest segment that the journal in `dir` has, as its manifest says; `None` without one.
///
/// # Errors
/// [`WalError::Io`].
pub fn oldest_segment(storage: &dyn Storage, dir: &Path) -> Result<Option<u32>, WalError> {
    Ok(Manifest::load(storage, dir)?.map(|manifest| manifest.oldest))
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn any_changed_byte_makes_a_manifest_unbelievable() {
        let manifest = Manifest { oldest: 1, current: 12 };
        let text = manifest.to_text();
        assert_eq!(Manifest::from_text(&text), Some(manifest));
        for index in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).unwrap();
                assert_eq!(Manifest::from_text(&flipped), None, "byte {index} bit {bit}");
            }
        }
    }
}
