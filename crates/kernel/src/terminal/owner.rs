//! `terminal.owner.json`: who owns a terminal, as information for people. Never a decision.
//!
//! It is replaced whole but not flushed: a power cut may lose it, and the journal's own opening
//! record says the same.

use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const FILE: &str = "terminal.owner.json";

/// The owner of a terminal, or its last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerRecord {
    /// Process id.
    pub pid: u32,
    /// When that process started, in the operating system's clock ticks since boot; 0 if unknown.
    pub process_start: u64,
    /// Boot of the machine; empty if unknown.
    pub boot_id: String,
    /// Host name.
    pub host: String,
    /// Kernel version.
    pub version: String,
    /// Version of the host layer.
    pub host_version: Option<String>,
    /// Owner epoch in the journal.
    pub epoch: u32,
    /// When the terminal was opened, ISO 8601 in UTC.
    pub opened_at: String,
    /// The owner has closed the terminal.
    pub released: bool,
    /// The owner finishes what is open and begins nothing new.
    pub draining: bool,
}

impl OwnerRecord {
    /// This process.
    pub(super) fn of_this_process(host_version: Option<String>, opened_at: String) -> Self {
        Self {
            pid: std::process::id(),
            process_start: process_start().unwrap_or(0),
            boot_id: boot_id().unwrap_or_default(),
            host: host_name(),
            version: crate::VERSION.to_owned(),
            host_version,
            epoch: 0,
            opened_at,
            released: false,
            draining: false,
        }
    }

    /// The record in a terminal's folder; `None` when there is none or it is not one.
    #[must_use]
    pub fn load(dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(dir.join(FILE)).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let string = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            pid: u32::try_from(value.get("pid")?.as_u64()?).ok()?,
            process_start: value.get("processStart")?.as_u64()?,
            boot_id: string("bootId")?,
            host: string("host")?,
            version: string("version")?,
            host_version: string("hostVersion"),
            epoch: u32::try_from(value.get("epoch")?.as_u64()?).ok()?,
            opened_at: string("openedAt")?,
            released: value.get("released")?.as_bool()?,
            draining: value.get("draining").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// Replaces the record in a terminal's folder.
    pub(super) fn save(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        let temporary = dir.join(format!("{FILE}.tmp"));
        let text = format!("{:#}\n", self.to_json());
        fs::write(&temporary, text)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|error| Error::io("write", &path, &error))
    }

    /// The record as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "pid": self.pid,
            "processStart": self.process_start,
            "bootId": self.boot_id,
            "host": self.host,
            "version": self.version,
            "hostVersion": self.host_version,
            "epoch": self.epoch,
            "openedAt": self.opened_at,
            "released": self.released,
        });
        if self.draining {
            value["draining"] = true.into();
        }
        value
    }
}

fn process_start() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

#[cfg(unix)]
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
