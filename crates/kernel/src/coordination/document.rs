//! Small shared documents: read without trust, replaced whole.

use crate::code::Code;
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// Why something in a shared folder is not read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// There is nothing.
    Missing,
    /// It is a link, a pipe, a folder, a device.
    NotAFile,
    /// It is larger than the limit.
    TooLarge,
    /// The operating system says no.
    Io(std::io::Error),
}

/// Reads a plain file of at most `limit` bytes. Follows no link and waits for no pipe.
pub(crate) fn read(path: &Path, limit: usize) -> std::result::Result<Vec<u8>, Unreadable> {
    let file = open_plain(path)?;
    let size = file.metadata().map_err(Unreadable::Io)?;
    if !size.is_file() {
        return Err(Unreadable::NotAFile);
    }
    if size.len() > limit as u64 {
        return Err(Unreadable::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size.len()).unwrap_or(0));
    // It may grow while it is read.
    let most = limit as u64 + 1;
    (&file).take(most).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if bytes.len() > limit { Err(Unreadable::TooLarge) } else { Ok(bytes) }
}

/// Opens a file without following a link in its place, and without waiting for the other end of a
/// pipe.
fn open_plain(path: &Path) -> std::result::Result<File, Unreadable> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(Unreadable::NotAFile),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Unreadable::Missing),
        Err(error) => return Err(Unreadable::Io(error)),
    }
    options.open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Unreadable::Missing,
        // A link is not followed, and a socket cannot be opened at all.
        _ => match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => Unreadable::NotAFile,
            _ => Unreadable::Io(error),
        },
    })
}

/// Reads a document; `None` when there is none.
pub(crate) fn read_document(path: &Path, limit: usize) -> Result<Option<Vec<u8>>> {
    match read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unreadable::Missing) => Ok(None),
        Err(Unreadable::NotAFile) => Err(not_what_it_must_be(path, "is no plain file")),
        Err(Unreadable::TooLarge) => {
            Err(not_what_it_must_be(path, &format!("is larger than {limit} bytes")))
        }
        Err(Unreadable::Io(error)) => Err(Error::io("read", path, &error)),
    }
}

/// Replaces a document whole. `durable`: on the device when this returns; otherwise a power cut may
/// bring the one before it back. One writer at a time: the caller holds a lock.
pub(crate) fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let dir = path.parent().unwrap_or(path);
    folder(dir)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let written = remove(temporary).and_then(|()| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
        file.write_all(bytes)?;
        if durable { file.sync_all() } else { Ok(()) }
    });
    written
        .and_then(|()| fs::rename(temporary, path))
        .map_err(|error| Error::io("write", path, &error))?;
    if durable { sync_dir(dir) } else { Ok(()) }
}

/// Removes a file that may be there.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder where there is none. What stands in its place must be a folder, not a link to one.
pub(crate) fn folder(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(not_what_it_must_be(path, "is no folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let made = fs::create_dir_all(path);
            made.map_err(|error| Error::io("create", path, &error))
        }
        Err(error) => Err(Error::io("look at", path, &error)),
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| Error::io("sync", dir, &error))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

pub(crate) fn not_what_it_must_be(path: &Path, found: &str) -> Error {
    let shown = path.display().to_string();
    let message = format!("{shown} {found}; look at it and move it away");
    Error::new(Code::SharedFile, message).with("path", shown).with("found", found)
}
