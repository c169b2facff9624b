//! Claims on what moves between terminals, so that a ticket is good for one taker in the whole store.
//!
//! A claim is a file `shared/claims/TICKET.json` that is linked into place whole: of several terminals
//! that reach for a ticket, one makes it. It says who, and, once what was taken stands durably in that
//! terminal's journal, where. The giver journals what became of it after that and only then removes
//! the file; from there on its journal says that the ticket is used up. A terminal that dies between
//! the two leaves a claim without an end, and finds it when it opens again.

use crate::code::Code;
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// Terminal that made it.
    pub(super) by: String,
    /// Newest sequence of that terminal's journal when it did.
    pub(super) after: u64,
    /// Number of the sale there, nothing for cash, and sequence of the first record, once durable.
    pub(super) done: Option<(u64, u64)>,
}

/// The folder of claims of a store.
#[derive(Debug, Clone)]
pub(super) struct Claims(PathBuf);

impl Claims {
    pub(super) fn of_store(root: &Path) -> Self {
        Self(root.join("shared").join("claims"))
    }

    /// Makes a claim, or says who has one.
    pub(super) fn make(&self, ticket: &str, claim: &Claim) -> Result<Option<Claim>> {
        fs::create_dir_all(&self.0).map_err(|error| Error::io("create", &self.0, &error))?;
        let (path, whole) = (self.path(ticket), self.write(ticket, claim)?);
        let linked = fs::hard_link(&whole, &path);
        let _ = fs::remove_file(&whole);
        match linked {
            Ok(()) => sync_dir(&self.0).map(|()| None),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => match self.find(ticket)? {
                Some(other) => Ok(Some(other)),
                // It was removed a moment ago: the ticket is free again, or used up.
                None => self.make(ticket, claim),
            },
            Err(error) => Err(Error::io("link", &path, &error)),
        }
    }

    /// Replaces a claim by what became of it.
    pub(super) fn settle(&self, ticket: &str, claim: &Claim) -> Result<()> {
        let (path, whole) = (self.path(ticket), self.write(ticket, claim)?);
        fs::rename(&whole, &path).map_err(|error| Error::io("rename", &path, &error))?;
        sync_dir(&self.0)
    }

    /// Removes a claim.
    pub(super) fn remove(&self, ticket: &str) -> Result<()> {
        let path = self.path(ticket);
        match fs::remove_file(&path) {
            Ok(()) => sync_dir(&self.0),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io("remove", &path, &error)),
        }
    }

    /// The claim on a ticket.
    pub(super) fn find(&self, ticket: &str) -> Result<Option<Claim>> {
        let path = self.path(ticket);
        let text = match read_file(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, &error)),
        };
        let claim = serde_json::from_str(&text).ok().as_ref().and_then(Claim::of_json);
        claim.map(Some).ok_or_else(|| {
            let message = format!("{} is no claim on a ticket", path.display());
            Error::new(Code::BadConfig, message).with("path", path.display().to_string())
        })
    }

    /// The tickets that are claimed.
    pub(super) fn tickets(&self) -> Result<Vec<String>> {
        json_names(&self.0)
    }

    fn path(&self, ticket: &str) -> PathBuf {
        self.0.join(format!("{ticket}.json"))
    }

    /// Writes a claim beside its place, durably.
    fn write(&self, ticket: &str, claim: &Claim) -> Result<PathBuf> {
        let path = self.0.join(format!("{ticket}.{}.tmp", claim.by));
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(claim.to_json().to_string().as_bytes())?;
            file.sync_all()
        });
        written.map(|()| path.clone()).map_err(|error| Error::io("write", &path, &error))
    }
}

impl Claim {
    fn to_json(&self) -> Value {
        let done = self.done.map(|(sale, sequence)| json!({"sale": sale, "sequence": sequence}));
        json!({"terminal": self.by, "after": self.after, "done": done})
    }

    fn of_json(value: &Value) -> Option<Self> {
        let done = match value.get("done") {
            None | Some(Value::Null) => None,
            Some(done) => Some((done.get("sale")?.as_u64()?, done.get("sequence")?.as_u64()?)),
        };
        Some(Self {
            by: value.get("terminal")?.as_str()?.to_owned(),
            after: value.get("after")?.as_u64()?,
            done,
        })
    }
}

/// Reads a file, and nothing that only stands in its place: a pipe would never end.
pub(super) fn read_file(path: &Path) -> std::io::Result<String> {
    if fs::symlink_metadata(path)?.is_file() {
        return fs::read_to_string(path);
    }
    Err(std::io::Error::new(ErrorKind::InvalidData, "it is no file"))
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| Error::io("sync", dir, &error))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// The names of the JSON files in a folder, without their ending, in order. None when there is no
/// such folder.
pub(super) fn json_names(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", dir, &error))?;
        if let Some(name) = entry.file_name().to_str().and_then(|name| name.strip_suffix(".json")) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
