//! The door to a lock of a file, the same `flock` that owns terminals: for the process host, whose supervisor
//! owns a store by one, and which must not need a package that is compiled at install.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use napi::Env;
use napi_derive::napi;
use pos_kernel_core::{Code, Error, Result};

use crate::fault::Cross;

/// A file that is locked, until it is released or the process ends.
#[napi]
pub struct NativeFileLock(Mutex<Option<File>>);

#[napi]
impl NativeFileLock {
    /// Frees the lock. May be called again.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        // The lock ends with the descriptor; no program that was started has another one.
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Locks a file, which is made where it is not there and is never deleted. Null when another one has it.
#[napi(catch_unwind)]
pub fn try_lock_file(env: &Env, path: String) -> napi::Result<Option<NativeFileLock>> {
    let file = try_lock(Path::new(&path)).cross(env)?;
    Ok(file.map(|file| NativeFileLock(Mutex::new(Some(file)))))
}

fn try_lock(path: &Path) -> Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| failed("open", path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed("lock", path, &error)),
    }
}

fn failed(operation: &str, path: &Path, error: &std::io::Error) -> Error {
    let path = path.display().to_string();
    Error::new(Code::Io, format!("{operation} {path}: {error}"))
        .with("operation", operation)
        .with("path", path)
}
