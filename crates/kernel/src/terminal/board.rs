//! What waits in the store, as small files that every terminal may read: a hint of where to look, of
//! which a host makes a list. The journals are the truth; a file that is missing or left over costs a
//! look, and nothing else.

use super::claim::{json_names, read_file, sync_dir};
use crate::error::{Error, Result};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Held while a notice is written: two threads of the terminal that a ticket is of, which alone puts
/// it up, would write one temporary file.
static POSTING: Mutex<()> = Mutex::new(());

/// A folder of notices.
#[derive(Debug, Clone)]
pub(super) struct Board(PathBuf);

impl Board {
    /// The suspended sales of a store.
    pub(super) fn of_sales(root: &Path) -> Self {
        Self(root.join("shared").join("suspended"))
    }

    /// The cash in transit between the drawers of a store.
    pub(super) fn of_cash(root: &Path) -> Self {
        Self(root.join("shared").join("transit"))
    }

    /// Puts a notice up, durably.
    pub(super) fn post(&self, ticket: &str, notice: &Value) -> Result<()> {
        let dir = &self.0;
        let _turn = POSTING.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, &error))?;
        let path = self.path(ticket);
        let temporary = path.with_extension("tmp");
        let written = File::create(&temporary)
            .and_then(|mut file| {
                file.write_all(notice.to_string().as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| Error::io("write", &path, &error))?;
        sync_dir(dir)
    }

    /// The tickets that there are notices for.
    pub(super) fn tickets(&self) -> Result<Vec<String>> {
        json_names(&self.0)
    }

    /// Takes a notice down.
    pub(super) fn take_down(&self, ticket: &str) -> Result<()> {
        let path = self.path(ticket);
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io("remove", &path, &error)),
        }
    }

    /// The notices that can be read, by ticket in order.
    pub(super) fn notices(&self) -> Result<Vec<(String, Value)>> {
        let read = |ticket: String| {
            let text = read_file(&self.path(&ticket)).ok()?;
            Some((ticket, serde_json::from_str(&text).ok()?))
        };
        Ok(self.tickets()?.into_iter().filter_map(read).collect())
    }

    fn path(&self, ticket: &str) -> PathBuf {
        self.0.join(format!("{ticket}.json"))
    }
}
