//! The terminal lock: the only file that takes it, and the only truth about who owns a terminal.
//!
//! The operating system frees the lock when its holder dies, however it dies; so there is no stale
//! lock to detect, and the file is never deleted, renamed or judged by its text. Whoever wins the
//! lock and finds the owner record unreleased knows that the last owner crashed.
//!
//! Owners hold it exclusively. Whoever only asks whether a terminal is open takes it shared for a
//! moment, and that must fail nobody's opening:
//!
//! ```text
//! open    exclusive? --yes--> the owner
//!             | no
//!         shared? --no------> an owner holds it: refused at once
//!             | yes           only questions stand in the way
//!         unlock, wait a moment, again
//! probe   shared? --yes--> unlock: nobody has it     --no--> it is held
//! ```

use super::owner::OwnerRecord;
use crate::code::Code;
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const FILE: &str = "terminal.lock";
/// A question takes microseconds; a process that was stopped in the midst of one takes longer.
const QUESTIONS_MAX: Duration = Duration::from_secs(2);

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
        let began = Instant::now();
        loop {
            if taken(&path, file.try_lock())? {
                return Ok(Self(file));
            }
            if !taken(&path, file.try_lock_shared())? || began.elapsed() > QUESTIONS_MAX {
                return Err(in_use(dir, terminal));
            }
            file.unlock().map_err(|error| Error::io("unlock", &path, &error))?;
            // Two that open at once must not step on each other's test for ever.
            let wait = RandomState::new().hash_one(began) % 1_000;
            thread::sleep(Duration::from_micros(50 + wait));
        }
    }
}

/// Whether a process holds the lock of the terminal in `dir`. Changes nothing, and fails nobody's
/// opening.
pub(crate) fn is_held(dir: &Path) -> Result<bool> {
    let path = dir.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("open", &path, &error)),
    };
    let is_free = taken(&path, file.try_lock_shared())?;
    if is_free {
        file.unlock().map_err(|error| Error::io("unlock", &path, &error))?;
    }
    Ok(!is_free)
}

fn taken(path: &Path, tried: std::result::Result<(), TryLockError>) -> Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path, &error)),
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

#[cfg(test)]
mod tests {
    use super::{TerminalLock, is_held};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    #[test]
    fn questions_fail_nobody_s_opening_and_two_owners_never_meet() {
        let dir = tempfile::tempdir().expect("a folder");
        let dir = dir.path();
        assert!(!is_held(dir).expect("a question"));
        let (done, owned) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        is_held(dir).expect("a question");
                    }
                });
            }
            // Nobody else opens here, so no opening may be refused.
            for _ in 0..2_000 {
                let lock = TerminalLock::take(dir, "T1").expect("only questions are asked");
                assert!(is_held(dir).expect("a question"));
                drop(lock);
            }
            let owners = || {
                let mut taken = 0;
                while taken < 200 {
                    let Ok(lock) = TerminalLock::take(dir, "T1") else { continue };
                    assert!(!owned.swap(true, Ordering::SeqCst), "two owners");
                    owned.store(false, Ordering::SeqCst);
                    drop(lock);
                    taken += 1;
                }
            };
            let rivals = [scope.spawn(owners), scope.spawn(owners)];
            for rival in rivals {
                rival.join().expect("an owner");
            }
            done.store(true, Ordering::SeqCst);
        });
        assert!(!is_held(dir).expect("a question"));
    }
}
