//! Copying sealed segments away, so that no crash can lose one: copied under another name, synced,
//! renamed, and read again from the device before anybody may believe the copy.

use crate::error::WalError;
use crate::segment;
use crate::storage::{Access, Storage, StorageFile, make_dirs, sync_way_to};
use std::io;
use std::path::Path;

/// Copied at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// A copy that was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub hash: [u8; 32],
}

/// Makes the folder of an archive, durable with the way to it.
///
/// # Errors
/// [`WalError::Io`].
pub fn make_folder(storage: &dyn Storage, archive: &Path) -> Result<(), WalError> {
    let made = make_dirs(storage, archive).map_err(WalError::io("create", archive))?;
    sync_way_to(storage, archive, &made).map_err(WalError::io("sync the way to", archive))
}

/// Copies a segment of the journal in `dir` into `archive`. What stands there already and is the same
/// is left as it is. The copy is durable, and has been read back, when this returns.
///
/// # Errors
/// [`WalError::Io`]; the journal is as it was.
pub fn copy_segment(
    storage: &dyn Storage,
    dir: &Path,
    archive: &Path,
    segment: u32,
) -> Result<Copied, WalError> {
    let (from, to) = (segment::path(dir, segment), segment::path(archive, segment));
    let original = hash_file(storage, &from).map_err(WalError::io("read", &from))?;
    let standing = hash_file(storage, &to).ok();
    if standing != Some(original) {
        copy(storage, &from, &to, archive).map_err(WalError::io("copy to", &to))?;
    }
    let file = storage.open(&to, Access::Write).map_err(WalError::io("open", &to))?;
    let synced = file.sync().and_then(|()| file.forget_cached(0..original.bytes));
    synced.map_err(WalError::io("sync", &to))?;
    let copied = hash_of(&*file).map_err(WalError::io("read back", &to))?;
    if copied != original {
        let error = io::Error::new(io::ErrorKind::InvalidData, "the copy is not the original");
        return Err(WalError::io("read back", &to)(error));
    }
    Ok(copied)
}

/// Numbers of the segment files in a folder, ascending.
///
/// # Errors
/// [`WalError::Io`].
pub fn segments_in(storage: &dyn Storage, dir: &Path) -> Result<Vec<u32>, WalError> {
    segment::list(storage, dir).map_err(WalError::io("list", dir))
}

/// Size and hash of a segment's file.
///
/// # Errors
/// [`WalError::Io`].
pub fn hash_segment(storage: &dyn Storage, dir: &Path, segment: u32) -> Result<Copied, WalError> {
    let path = segment::path(dir, segment);
    hash_file(storage, &path).map_err(WalError::io("read", &path))
}

fn copy(storage: &dyn Storage, from: &Path, to: &Path, archive: &Path) -> io::Result<()> {
    let source = storage.open(from, Access::Read)?;
    let temporary = to.with_extension("wal.tmp");
    let copy = storage.open(&temporary, Access::Create)?;
    each_piece(&*source, |piece, at| copy.write_at(piece, at))?;
    copy.sync()?;
    drop(copy);
    storage.rename(&temporary, to)?;
    storage.sync_dir(archive)
}

fn hash_file(storage: &dyn Storage, path: &Path) -> io::Result<Copied> {
    hash_of(&*storage.open(path, Access::Read)?)
}

fn hash_of(file: &dyn StorageFile) -> io::Result<Copied> {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0;
    each_piece(file, |piece, _| {
        hasher.update(piece);
        bytes += piece.len() as u64;
        Ok(())
    })?;
    Ok(Copied { bytes, hash: *hasher.finalize().as_bytes() })
}

fn each_piece(
    file: &dyn StorageFile,
    mut take: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut piece, at)?;
        if read == 0 {
            return Ok(());
        }
        take(&piece[..read], at)?;
        at += read as u64;
    }
}
