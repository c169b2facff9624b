//! The lock of the merge: one process at a time appends to the log. As with a terminal's lock, only
//! the operating system says who has it, and its file is never removed.

use crate::code::Code;
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

const FILE: &str = "aggregated_audit.lock";

/// A held lock. It is freed when this is dropped, or when the process ends.
#[derive(Debug)]
pub(super) struct AuditLock(File);

impl AuditLock {
    /// Takes the lock of the log in a folder.
    pub(super) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        careful(&mut options);
        let file = options.open(&path).map_err(|error| Error::io("open", &path, &error))?;
        let is_file = file.metadata().map_err(|error| Error::io("open", &path, &error))?.is_file();
        if !is_file {
            let error = std::io::Error::other("it is a pipe or a device and not a file");
            return Err(Error::io("open", &path, &error));
        }
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "another process is merging the journals of this store: it holds {}; stop it, \
                     or read its log with store audit --verify",
                    path.display()
                );
                let path = path.display().to_string();
                Err(Error::new(Code::AuditInUse, message).with("path", path))
            }
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, &error)),
        }
    }
}

impl Drop for AuditLock {
    fn drop(&mut self) {
        // A forked child would keep the lock alive through its copy of the file; unlocking frees it.
        let _ = self.0.unlock();
    }
}

/// A shared folder is written by many: a link or a pipe in the lock's place leads nowhere.
#[cfg(unix)]
fn careful(options: &mut OpenOptions) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed());
}

#[cfg(not(unix))]
fn careful(_options: &mut OpenOptions) {}
