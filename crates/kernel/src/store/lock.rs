//! The two locks of a store: the only file that takes them.
//!
//! `shared/store.lock` is held by a store process as long as it lives, and by whoever settles a log
//! that none has left. `shared/store.gate` is held by everybody who reaches for the first one, until
//! the log is settled. So a process that has passed the gate and finds the lock taken knows that its
//! holder is past recovery, and that every journal in the store shows what was acknowledged.
//!
//! As with terminals, the operating system frees a lock when its holder dies, and no lock file is
//! ever deleted, renamed or judged by its text.

use super::shared_dir;
use crate::code::Code;
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const LOCK_FILE: &str = "store.lock";
const GATE_FILE: &str = "store.gate";
/// Recovery reads a few segments and writes them: nobody holds the gate for longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The gate, held while this is alive.
#[derive(Debug)]
pub(super) struct Gate(File);

/// The lock of a store, held while this is alive.
#[derive(Debug)]
pub(super) struct StoreLock(File);

impl Gate {
    /// Waits for the gate of the store in `root`.
    pub(super) fn pass(root: &Path) -> Result<Self> {
        let shared = shared_dir(root);
        fs::create_dir_all(&shared).map_err(|error| Error::io("create", &shared, &error))?;
        let path = shared.join(GATE_FILE);
        let file = open(&path)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    let message = format!(
                        "another process has been recovering the store in {} for {} seconds; try \
                         again when it is done",
                        root.display(),
                        PATIENCE.as_secs()
                    );
                    return Err(in_use(root, message));
                }
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, &error)),
            }
        }
    }
}

impl StoreLock {
    /// Takes the lock of the store in `root`; `None` while another process has it. The gate is held.
    pub(super) fn take(root: &Path, _gate: &Gate) -> Result<Option<Self>> {
        let path = shared_dir(root).join(LOCK_FILE);
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, &error)),
        }
    }

    /// Notes the holder's process, for messages only.
    pub(super) fn sign(&mut self) {
        let text = format!("{}\n", std::process::id());
        let _ = self.0.set_len(0).and_then(|()| self.0.write_all(text.as_bytes()));
    }

    /// The refusal for a store that another process has open.
    pub(super) fn refusal(root: &Path) -> Error {
        let noted = fs::read_to_string(shared_dir(root).join(LOCK_FILE)).unwrap_or_default();
        let pid = noted.trim().parse::<u32>().ok();
        let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
        let message = format!(
            "the store in {} is open in {who}; close it there, or open single terminals that are \
             not in use",
            root.display()
        );
        let error = in_use(root, message);
        pid.map_or(error.clone(), |pid| error.with("pid", pid))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // A forked child would keep the lock alive through its copy of the file; unlocking frees it.
        let _ = self.0.unlock();
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|error| Error::io("open", path, &error))
}

fn in_use(root: &Path, message: String) -> Error {
    Error::new(Code::StoreInUse, message).with("root", root.display().to_string())
}
