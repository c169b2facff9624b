//! Archives: sealed segments that have left the terminal's folder, with a manifest that says what
//! they were.
//!
//! What lives here: the manifest's text, and its check. What must not: the move itself, which is a
//! command of the terminal (`terminal/archive.rs`), and the copying of bytes (`pos-kernel-wal`).
//!
//! The rule guarded here: **a segment is in the journal, in an archive, or in both, at every
//! moment.** So a copy is read back from the device, its manifest is durable, and the journal says
//! where it went before the original is removed. `docs/reference/journal-format.md` draws the bytes.

mod check;
mod manifest;

pub use check::{ArchiveFault, check};
pub use manifest::{ArchivedSegment, Manifest, ManifestSignature, unhex};

use std::path::{Path, PathBuf};

/// The folder of all archives in the root of a store.
pub const ARCHIVES: &str = "archive";

/// The archive of a terminal in its store: `ROOT/archive/ID` beside `ROOT/terminals/ID`.
#[must_use]
pub fn folder_beside(terminal_dir: &Path) -> Option<PathBuf> {
    let root = terminal_dir.parent()?.parent()?;
    Some(root.join(ARCHIVES).join(terminal_dir.file_name()?))
}
