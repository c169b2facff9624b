//! Locks of single operations: `temp/coordination_locks/NAME.lock`.
//!
//! The same rules as for terminals: the operating system's lock is the truth, the file is never
//! deleted, and `NAME.owner.json` beside it is information. TypeScript takes the same locks with
//! `flock` (`ts/kernel/operation-lock.ts`); the two exclude each other.

use super::document::{folder, not_what_it_must_be, read, replace};
use crate::clock::{Clock, SystemClock, iso_utc};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{DOCUMENT_BYTES_MAX, LOCK_NAME_BYTES_MAX};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const PAUSE_MAX: Duration = Duration::from_millis(20);

/// A held lock. It is freed when this is dropped, or when the process ends.
#[derive(Debug)]
pub struct OperationLock(File);

impl OperationLock {
    /// Takes the lock `name` for `owner`, a text for people, waiting for at most `wait`.
    ///
    /// # Errors
    /// `PK_E_OPERATION_LOCKED` with what its holder says of itself; `PK_E_BAD_ARGUMENT` for a name
    /// that is not 1 to 64 of A-Z, a-z, 0-9, _ and -; `PK_E_SHARED_FILE` when no plain file stands in
    /// its place; `PK_E_IO`.
    pub fn take(root: &Path, name: &str, owner: &str, wait: Duration) -> Result<Self> {
        check_name(name)?;
        let dir = root.join("temp").join("coordination_locks");
        folder(&dir)?;
        let path = dir.join(format!("{name}.lock"));
        let record = dir.join(format!("{name}.owner.json"));
        let file = open(&path)?;
        let began = Instant::now();
        let mut pause = Duration::from_micros(200);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, &error)),
                Err(TryLockError::WouldBlock) if began.elapsed() >= wait => {
                    return Err(locked(name, &record));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(pause),
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        let lock = Self(file);
        let since = iso_utc(SystemClock.wall_ns());
        let said = json!({"owner": owner, "pid": std::process::id(), "since": since});
        // It is information: without it, whoever is refused is told less.
        let _ = replace(&record, format!("{said:#}\n").as_bytes(), false);
        Ok(lock)
    }
}

impl Drop for OperationLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn open(path: &Path) -> Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            return Err(not_what_it_must_be(path, "is no plain file"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io("look at", path, &error));
        }
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|error| Error::io("open", path, &error))
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=LOCK_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    let message = format!(
        "the lock name {shown:?} is not 1 to {LOCK_NAME_BYTES_MAX} of A-Z, a-z, 0-9, _ and -"
    );
    Err(Error::new(Code::BadArgument, message).with("argument", "name").with("value", shown))
}

fn locked(name: &str, record: &Path) -> Error {
    let text = read(record, DOCUMENT_BYTES_MAX).ok();
    let owner: Option<Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
    let said = |field: &str| owner.as_ref().and_then(|owner| owner.get(field));
    let who = said("owner").and_then(Value::as_str).unwrap_or("another process");
    let pid = said("pid").and_then(Value::as_u64);
    let pid = pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
    let message = format!("{who}{pid} holds the lock {name}; wait until it is done");
    let error = Error::new(Code::OperationLocked, message).with("name", name);
    match owner {
        Some(owner) => error.with("owner", owner),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::OperationLock;
    use crate::code::Code;
    use std::time::Duration;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn a_lock_is_held_by_one_and_its_file_stays() {
        let root = tempfile::tempdir().expect("a folder");
        let take = |who| OperationLock::take(root.path(), "system_config", who, AT_ONCE);
        let first = take("MANAGER").expect("a free lock");
        let error = take("SECOND").expect_err("it is held");
        assert_eq!(error.code(), Code::OperationLocked);
        assert_eq!(error.facts()["owner"]["owner"], "MANAGER");
        assert_eq!(error.facts()["owner"]["pid"], std::process::id());
        drop(first);
        let second = take("SECOND").expect("a free lock");
        drop(second);
        assert!(root.path().join("temp/coordination_locks/system_config.lock").is_file());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn other_programs_that_ask_for_the_same_lock_are_refused_and_refuse() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("temp/coordination_locks/prices.lock");
        let others = |command: &str| {
            let status = std::process::Command::new("flock")
                .args(["--nonblock", "--exclusive"])
                .arg(&path)
                .args(["sh", "-c", command])
                .status();
            status.expect("util-linux has flock").success()
        };
        let lock = OperationLock::take(root.path(), "prices", "T1", AT_ONCE).expect("a free lock");
        assert!(!others("true"));
        drop(lock);
        assert!(others("true"));
        let held = std::fs::File::open(&path).expect("the file stays");
        held.lock().expect("a free lock");
        assert!(OperationLock::take(root.path(), "prices", "T1", AT_ONCE).is_err());
    }

    #[test]
    fn names_that_climb_and_files_that_are_none_are_refused() {
        let root = tempfile::tempdir().expect("a folder");
        for name in ["", "..", "../x", "a/b", "a.b", "a b", &"x".repeat(65)] {
            let error = OperationLock::take(root.path(), name, "T", AT_ONCE).expect_err(name);
            assert_eq!(error.code(), Code::BadArgument, "{name}");
        }
        let locks = root.path().join("temp/coordination_locks");
        std::fs::create_dir_all(locks.join("folder.lock")).expect("a folder");
        let error = OperationLock::take(root.path(), "folder", "T", AT_ONCE).expect_err("a folder");
        assert_eq!(error.code(), Code::SharedFile);
    }
}
