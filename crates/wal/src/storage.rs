//! The seam to the disk: every byte that the log reads or writes passes through these two traits,
//! so that a test can tear, drop, reorder, refuse or run out of space at any call.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// An existing file, for reading only.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A file that is made empty, or made anew.
    Create,
}

/// A file system.
pub trait Storage: Send + Sync + Debug {
    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// The operating system's.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Names of the files in a folder, in no order.
    ///
    /// # Errors
    /// The operating system's.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Opens a file.
    ///
    /// # Errors
    /// The operating system's.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StorageFile>>;
    /// Renames a file over another, at once.
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a folder durable.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Told once the log in `dir` has ended, before whoever owns it frees its lock. A storage that
    /// keeps what was synced elsewhere than in the files brings it there.
    ///
    /// # Errors
    /// The operating system's; the lock must then not be freed.
    fn release(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// An open file. Reads and writes name their offset: there is no cursor to share.
pub trait StorageFile: Send + Sync + Debug {
    /// Size in bytes.
    ///
    /// # Errors
    /// The operating system's.
    fn size(&self) -> io::Result<u64>;
    /// Reads until `buffer` is full or the file ends; returns the bytes read.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// The operating system's; part of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts the file to a smaller size. Durable with the next sync.
    ///
    /// # Errors
    /// The operating system's.
    fn cut(&self, size: u64) -> io::Result<()>;
    /// Makes the file's bytes and size durable.
    ///
    /// # Errors
    /// The operating system's; the pages may be gone, so nothing may be tried again.
    fn sync(&self) -> io::Result<()>;
    /// A sync that was begun here is no flush of its own but a place in one that many share; any number
    /// may be under way, and a failure of one fails all. Without that, two syncs of a file at a time
    /// could tell one caller of an error and the other of success.
    fn shares_syncs(&self) -> bool {
        false
    }
    /// Begins a sync of what was written so far; [`Self::end_sync`] with the ticket given here ends
    /// it. A storage in which many files share a flush lets them share it between the two.
    ///
    /// # Errors
    /// As [`Self::sync`].
    fn begin_sync(&self) -> io::Result<u64> {
        self.sync().map(|()| 0)
    }
    /// Returns once what a ticket stands for is durable.
    ///
    /// # Errors
    /// As [`Self::sync`].
    fn end_sync(&self, _ticket: u64) -> io::Result<()> {
        Ok(())
    }
    /// Drops clean cached pages, so that the next read comes from the device. A hint.
    ///
    /// # Errors
    /// The operating system's.
    fn forget_cached(&self, range: Range<u64>) -> io::Result<()>;
}

/// Reads a whole small file.
///
/// # Errors
/// The operating system's.
pub fn read_all(storage: &dyn Storage, path: &Path) -> io::Result<Vec<u8>> {
    let file = storage.open(path, Access::Read)?;
    let size = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Replaces a small file so that a reader, or a crash, sees the old bytes or the new and nothing
/// else: temporary name, sync, rename, sync of the folder.
///
/// # Errors
/// The operating system's; the old file still stands.
pub fn replace(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = dir.join(name);
    let file = storage.open(&temporary, Access::Create)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    drop(file);
    storage.rename(&temporary, path)?;
    storage.sync_dir(dir)
}

/// Makes a folder and those above it. Returns those that were missing, the lowest first; their names
/// are durable after [`sync_way_to`].
///
/// # Errors
/// The operating system's.
pub fn make_dirs<'a>(storage: &dyn Storage, dir: &'a Path) -> io::Result<Vec<&'a Path>> {
    let is_missing = |dir: &&Path| {
        let listed = storage.list(dir);
        listed.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let missing = dir.ancestors().take_while(is_missing).collect();
    storage.create_dir_all(dir)?;
    Ok(missing)
}

/// Makes the names of a folder and of those above it durable: a synced file is gone after a power
/// cut when a folder on the way to it is.
///
/// # Errors
/// The operating system's. A folder above those in `made` that may not be read, or whose file system
/// cannot sync folders, ends the way up: it was there before us.
pub fn sync_way_to(storage: &dyn Storage, dir: &Path, made: &[&Path]) -> io::Result<()> {
    for (below, above) in dir.ancestors().zip(dir.ancestors().skip(1)) {
        match storage.sync_dir(above) {
            Ok(()) => {}
            Err(error) if made.contains(&below) => return Err(error),
            Err(error) => match error.kind() {
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::Unsupported => break,
                _ => return Err(error),
            },
        }
    }
    Ok(())
}
