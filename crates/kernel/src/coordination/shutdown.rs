//! `shared/coordination/shutdown_signal.flag`: that a shutdown was announced, for programs that read
//! no messages. The announcement itself is a message, and a fact of whoever sends it.

use super::coordination_dir;
use super::document::{read_document, remove, replace, sync_dir};
use crate::clock::{iso_utc, parse_iso_utc};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::DOCUMENT_BYTES_MAX;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// An announced shutdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutdownSignal {
    /// The terminal that announced it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was announced, nanoseconds since 1970 in UTC, to the millisecond.
    pub announced_ns: i64,
    /// Until when what is open may be finished.
    pub until_ns: i64,
}

impl ShutdownSignal {
    /// The signal as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "by": self.by,
            "reason": self.reason,
            "announcedAt": iso_utc(self.announced_ns),
            "until": iso_utc(self.until_ns),
        })
    }

    fn of_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str();
        Some(Self {
            by: text("by")?.to_owned(),
            reason: text("reason")?.to_owned(),
            announced_ns: parse_iso_utc(text("announcedAt")?)?,
            until_ns: parse_iso_utc(text("until")?)?,
        })
    }
}

fn file(root: &Path) -> PathBuf {
    coordination_dir(root).join("shutdown_signal.flag")
}

/// The signal of a store; `None` while there is none.
///
/// # Errors
/// `PK_E_BAD_CONFIG` when the file is none, `PK_E_SHARED_FILE`, `PK_E_IO`.
pub fn shutdown_signal(root: &Path) -> Result<Option<ShutdownSignal>> {
    let path = file(root);
    let Some(text) = read_document(&path, DOCUMENT_BYTES_MAX)? else { return Ok(None) };
    let value = serde_json::from_slice(&text).ok();
    value.as_ref().and_then(ShutdownSignal::of_json).map(Some).ok_or_else(|| {
        let message = format!("{} is no shutdown signal; remove it", path.display());
        Error::new(Code::BadConfig, message).with("path", path.display().to_string())
    })
}

/// Writes the signal, durably.
pub(crate) fn write_shutdown_signal(root: &Path, signal: &ShutdownSignal) -> Result<()> {
    replace(&file(root), format!("{:#}\n", signal.to_json()).as_bytes(), true)
}

/// Removes the signal: the shutdown is over.
///
/// # Errors
/// `PK_E_IO`.
pub fn clear_shutdown_signal(root: &Path) -> Result<()> {
    let path = file(root);
    remove(&path).map_err(|error| Error::io("remove", &path, &error))?;
    let dir = coordination_dir(root);
    if dir.is_dir() { sync_dir(&dir) } else { Ok(()) }
}
