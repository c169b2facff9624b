//! The terminal lock: the only file that takes it, and the only truth about who owns a terminal.
//!
//! The operating system frees the lock when its holder dies, however it dies; so there is no stale
//! lock to detect, and the file is never deleted, renamed or judged by its text. Whoever wins the
//! lock and finds the owner record unreleased knows that the last owner crashed.

use super::owner::OwnerRecord;
use crate::code::Code;
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

const FILE: &str = "terminal.lock";

/// A held lock. It is freed when this is dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct TerminalLock(File);

impl TerminalLock {
    /// Takes the lock of the terminal in `dir`, or says who has it.
    pub(crate) fn take(dir: &Path, terminal: &str) -> Result<Self> {
        let path = dir.join(FILE);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| Error::io("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(in_use(dir, terminal)),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, &error)),
        }
    }
}

impl Drop for TerminalLock {
    fn drop(&mut self) {
        // A forked child would keep the lock alive through its copy of the file; unlocking frees it.
        let _ = self.0.unlock();
    }
}

fn in_use(dir: &Path, terminal: &str) -> Error {
    let owner = OwnerRecord::load(dir);
    let who = owner.as_ref().map_or_else(
        || "by another process".to_owned(),
        |owner| format!("by pid {} on {} since {}", owner.pid, owner.host, owner.opened_at),
    );
    let message =
        format!("terminal {terminal} is locked {who}; close that process or use another id");
    let error = Error::new(Code::TerminalInUse, message).with("terminal", terminal);
    match owner {
        Some(owner) => error.with("owner", owner.to_json()),
        None => error,
    }
}
