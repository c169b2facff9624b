//! Who is there: each terminal of a store, by the lock that is or is not held.
//!
//! `shared/coordination/active_terminals.json` is a cache of this, for people and for programs that
//! test no locks. It is written when a terminal opens, drains or closes, and by whoever asks; it is
//! never read here, so that nothing in it can be wrong.

use super::document::replace;
use super::{OperationLock, coordination_dir};
use crate::clock::{Clock, SystemClock, iso_utc};
use crate::error::{Error, Result};
use crate::terminal::{OwnerRecord, TerminalId, is_held, terminal_dir};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

const FILE: &str = "active_terminals.json";
/// A terminal that opens and closes without a pause is looked at so often, and then told as it was.
const LOOKS_MAX: usize = 16;

/// What a terminal is doing, as seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalState {
    /// Its lock is held, and its owner record is not up to date: it opens or closes right now.
    Changing,
    /// It is open.
    Active,
    /// It is open, finishes what is open, and begins nothing new.
    Draining,
    /// It was closed.
    Closed,
    /// Its last owner ended without closing it; whoever opens it recovers.
    Crashed,
}

impl TerminalState {
    /// The name of the state.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changing => "changing",
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Closed => "closed",
            Self::Crashed => "crashed",
        }
    }

    /// A process has it.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Changing | Self::Active | Self::Draining)
    }
}

/// A terminal of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalEntry {
    /// Its id.
    pub id: TerminalId,
    /// What it is doing.
    pub state: TerminalState,
    /// Its owner, or its last one, where there is a record.
    pub owner: Option<OwnerRecord>,
}

impl TerminalEntry {
    /// The terminal as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = json!({"id": self.id.as_str(), "state": self.state.name()});
        if let Some(owner) = &self.owner {
            value["pid"] = owner.pid.into();
            value["processStart"] = owner.process_start.into();
            value["startedAt"] = owner.opened_at.clone().into();
            value["host"] = owner.host.clone().into();
            value["version"] = owner.version.clone().into();
            value["hostVersion"] = owner.host_version.clone().into();
            value["epoch"] = owner.epoch.into();
        }
        value
    }
}

/// The terminals of a store, by id. Takes no lock that would keep one from opening.
///
/// # Errors
/// `PK_E_IO`.
pub fn terminals(root: &Path) -> Result<Vec<TerminalEntry>> {
    let dir = root.join("terminals");
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", &dir, &error)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", &dir, &error))?;
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let id = entry.file_name().to_str().and_then(|name| TerminalId::parse(name).ok());
        ids.extend(id.filter(|_| is_dir));
    }
    ids.sort_unstable();
    ids.into_iter().map(|id| look(root, id)).collect()
}

fn look(root: &Path, id: TerminalId) -> Result<TerminalEntry> {
    let dir = terminal_dir(root, &id);
    let mut before = OwnerRecord::load(&dir);
    let mut looks = 0;
    loop {
        let held = is_held(&dir)?;
        let owner = OwnerRecord::load(&dir);
        looks += 1;
        // A terminal that opened or closed in between would be told as crashed.
        if owner == before || looks == LOOKS_MAX {
            let state = state_of(held, owner.as_ref());
            return Ok(TerminalEntry { id, state, owner });
        }
        before = owner;
    }
}

fn state_of(held: bool, owner: Option<&OwnerRecord>) -> TerminalState {
    match (held, owner) {
        (true, Some(owner)) if owner.draining && !owner.released => TerminalState::Draining,
        (true, Some(owner)) if !owner.released => TerminalState::Active,
        (true, _) => TerminalState::Changing,
        (false, Some(owner)) if !owner.released => TerminalState::Crashed,
        (false, _) => TerminalState::Closed,
    }
}

/// Writes the cache of the registry, and gives what it is made of. When another process writes it
/// at this moment, that one's is left to stand.
///
/// # Errors
/// `PK_E_SHARED_FILE`, `PK_E_IO`.
pub fn refresh_registry(root: &Path) -> Result<Vec<TerminalEntry>> {
    // The list is made under the lock, so that an older one never replaces a newer one.
    let lock = OperationLock::take(root, "active_terminals", "registry", Duration::from_millis(50));
    let found = terminals(root)?;
    if lock.is_ok() {
        let active = found.iter().filter(|terminal| terminal.state.is_held());
        let active: Vec<Value> = active.map(TerminalEntry::to_json).collect();
        let value = json!({"at": iso_utc(SystemClock.wall_ns()), "terminals": active});
        let path = coordination_dir(root).join(FILE);
        replace(&path, format!("{value:#}\n").as_bytes(), false)?;
    }
    Ok(found)
}
