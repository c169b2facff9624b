//! `temp/cleanup`: what is being removed. A file is first renamed into it, so that its place is free
//! at once, and then deleted; what a crash leaves there may go at any time.

use super::document::folder;
use crate::error::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static DISCARDED: AtomicU64 = AtomicU64::new(0);

fn dir(root: &Path) -> PathBuf {
    root.join("temp").join("cleanup")
}

/// Removes whatever stands at `path`, as far as it can be removed.
pub(crate) fn discard(root: &Path, path: &Path) -> Result<()> {
    let dir = dir(root);
    folder(&dir)?;
    let number = DISCARDED.fetch_add(1, Ordering::Relaxed);
    let away = dir.join(format!("{}-{number}", std::process::id()));
    if fs::rename(path, &away).is_ok() {
        remove_any(&away);
    }
    Ok(())
}

/// Removes what earlier processes left.
pub(crate) fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(dir(root)) else { return };
    entries.flatten().for_each(|entry| remove_any(&entry.path()));
}

/// Another process may be removing it too; whoever comes second finds nothing. Links are removed,
/// never followed.
fn remove_any(path: &Path) {
    let is_dir = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let _ = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}
