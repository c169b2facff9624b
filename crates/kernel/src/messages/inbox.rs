//! An inbox: `tmp`, `new`, `done`, `dead`, and what is found in it.

use super::envelope::{Malformed, Message};
use super::inboxes_dir;
use super::name::MessageName;
use crate::clock::iso_utc;
use crate::code::Code;
use crate::coordination::discard;
use crate::coordination::document::{
    Unreadable, folder, not_what_it_must_be, read, remove, replace, sync_dir,
};
use crate::error::{Error, Result};
use crate::limits::{
    DOCUMENT_BYTES_MAX, INBOX_BYTES_MAX, INBOX_KEPT_MAX, INBOX_MESSAGES_MAX, MESSAGE_BYTES_MAX,
};
use crate::terminal::TerminalId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const TMP: &str = "tmp";
const NEW: &str = "new";
const DONE: &str = "done";
const DEAD: &str = "dead";
/// A file that has been written for so long is written by nobody any more: the rule of maildirs.
const TMP_AGE_MAX: Duration = Duration::from_secs(36 * 3600);

/// Where a message of an inbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It was not received yet.
    Waiting,
    /// It was received: it stands in the journal of its receiver.
    Received,
    /// It could not be received.
    Dead,
}

impl MessageState {
    /// The name of the state.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Received => "received",
            Self::Dead => "dead",
        }
    }
}

/// What became of a message at one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The terminal.
    pub terminal: String,
    /// Where it stands there.
    pub state: MessageState,
    /// Why it is dead.
    pub reason: Option<String>,
}

/// What became of a message, by the terminals that it was put before. A terminal keeps its last 1,024
/// messages; of older ones it says nothing.
///
/// # Errors
/// `PK_E_BAD_MESSAGE` for what is no id, `PK_E_IO`.
pub fn acknowledgements(root: &Path, id: &str) -> Result<Vec<Acknowledgement>> {
    let name = MessageName::of_id(id).ok_or_else(|| bad_id(id))?;
    let dir = inboxes_dir(root);
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", &dir, &error)),
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let terminal = entry.file_name().to_str().and_then(|name| TerminalId::parse(name).ok());
        let Some(terminal) = terminal else { continue };
        let inbox = Inbox::of(root, &terminal);
        let file = name.file();
        let Some(state) = inbox.state(&file) else { continue };
        let reason = (state == MessageState::Dead).then(|| inbox.reason(&file)).flatten();
        found.push(Acknowledgement { terminal: terminal.as_str().to_owned(), state, reason });
    }
    found.sort_unstable_by(|a, b| a.terminal.cmp(&b.terminal));
    Ok(found)
}

pub(crate) fn bad_id(id: &str) -> Error {
    let shown: String = id.chars().take(80).collect();
    let message = format!("{shown:?} is no id of a message");
    Error::new(Code::BadMessage, message).with("id", shown).with("found", "no id")
}

/// What a look at one message gives.
#[derive(Debug)]
pub(crate) enum Found {
    /// It may be received.
    Message { message: Message, hash: [u8; 32] },
    /// A newer version wrote it: it waits, and what its sender sent after it.
    Newer,
    /// It cannot be received: one word why, and a sentence.
    Dead(&'static str, String),
    /// It is gone.
    Gone,
}

/// The inbox of a terminal.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    root: PathBuf,
    dir: PathBuf,
    terminal: TerminalId,
}

impl Inbox {
    pub(crate) fn of(root: &Path, terminal: &TerminalId) -> Self {
        let dir = inboxes_dir(root).join(terminal.as_str());
        Self { root: root.to_owned(), dir, terminal: terminal.clone() }
    }

    /// Makes the folders, as far as they are missing.
    pub(crate) fn make(root: &Path, terminal: &TerminalId) -> Result<Self> {
        let inbox = Self::of(root, terminal);
        let is_new = fs::symlink_metadata(inbox.dir.join(DEAD)).is_err();
        folder(&inbox.dir)?;
        for name in [TMP, NEW, DONE, DEAD] {
            folder(&inbox.dir.join(name))?;
        }
        if is_new {
            let above = inbox.dir.ancestors().skip(1).take_while(|dir| dir.starts_with(root));
            std::iter::once(&*inbox.dir).chain(above).try_for_each(sync_dir)?;
        }
        Ok(inbox)
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.dir.join(TMP)
    }

    pub(crate) fn new_dir(&self) -> PathBuf {
        self.dir.join(NEW)
    }

    /// Refuses what would be one message or one byte too much.
    pub(super) fn has_room(&self, bytes: usize) -> Result<()> {
        let (mut messages, mut held) = (1, bytes as u64);
        for entry in self.entries(NEW)? {
            messages += 1;
            held += entry.metadata().map_or(0, |found| found.len());
        }
        let full = |what: &str, value: u64, limit: usize| {
            let message = format!(
                "the inbox of {} is full: {value} {what} is over the limit of {limit}; its terminal \
                 has to receive first",
                self.terminal
            );
            Error::new(Code::InboxFull, message)
                .with("terminal", self.terminal.as_str())
                .with("what", what)
                .with("value", value)
                .with("limit", limit)
        };
        if messages > INBOX_MESSAGES_MAX as u64 {
            return Err(full("messages", messages, INBOX_MESSAGES_MAX));
        }
        if held > INBOX_BYTES_MAX as u64 {
            return Err(full("bytes", held, INBOX_BYTES_MAX));
        }
        Ok(())
    }

    /// Where a message stands.
    pub(super) fn state(&self, file: &str) -> Option<MessageState> {
        let has = |folder: &str| fs::symlink_metadata(self.dir.join(folder).join(file)).is_ok();
        // In the order in which a message moves: one that moves meanwhile is seen further on.
        let places = [
            (NEW, MessageState::Waiting),
            (DONE, MessageState::Received),
            (DEAD, MessageState::Dead),
        ];
        places.into_iter().find(|(folder, _)| has(folder)).map(|(_, state)| state)
    }

    fn reason(&self, file: &str) -> Option<String> {
        let path = self.dir.join(DEAD).join(format!("{file}.reason.json"));
        let value: Value = serde_json::from_slice(&read(&path, DOCUMENT_BYTES_MAX).ok()?).ok()?;
        Some(value.get("reason")?.as_str()?.to_owned())
    }

    /// What waits, in the order in which it has to be received: by time, and each sender's by number.
    /// What has no message's name is moved away.
    pub(crate) fn waiting(&self, now_ns: i64) -> Result<Vec<MessageName>> {
        let mut by_sender: BTreeMap<TerminalId, Vec<MessageName>> = BTreeMap::new();
        let mut strays = false;
        for entry in self.entries(NEW)? {
            let file = entry.file_name();
            match file.to_str().and_then(MessageName::of_file) {
                Some(name) => by_sender.entry(name.from.clone()).or_default().push(name),
                None => {
                    self.bury(file, "name", "its name is no message's", now_ns)?;
                    strays = true;
                }
            }
        }
        if strays {
            self.prune_dead()?;
        }
        let mut order = Vec::new();
        for names in by_sender.values_mut() {
            names.sort_unstable_by_key(|name| name.number);
            let mut reached = 0;
            for name in names.drain(..) {
                reached = name.hlc.max(reached);
                order.push((reached, name));
            }
        }
        order.sort();
        Ok(order.into_iter().map(|(_, name)| name).collect())
    }

    /// Looks at a message that waits.
    pub(crate) fn look(&self, name: &MessageName, now_ns: i64) -> Found {
        let bytes = match read(&self.new_dir().join(name.file()), MESSAGE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(Unreadable::Missing) => return Found::Gone,
            Err(Unreadable::NotAFile) => return Found::Dead("type", "it is no plain file".into()),
            Err(Unreadable::TooLarge) => {
                return Found::Dead("size", format!("it has over {MESSAGE_BYTES_MAX} bytes"));
            }
            Err(Unreadable::Io(error)) => return Found::Dead("unreadable", error.to_string()),
        };
        let message = match Message::parse(&bytes) {
            Ok(message) => message,
            Err(Malformed::Newer(_)) => return Found::Newer,
            Err(Malformed::Wrong(found)) => return Found::Dead("malformed", found),
        };
        if message.id != name.id() {
            return Found::Dead("id", "its name is another message's".into());
        }
        if message.to.as_deref().is_some_and(|to| to != self.terminal.as_str()) {
            return Found::Dead("recipient", "it goes to another terminal".into());
        }
        if message.expires_ns.is_some_and(|expires_ns| expires_ns <= now_ns) {
            return Found::Dead("expired", "its time is over".into());
        }
        Found::Message { hash: *blake3::hash(&bytes).as_bytes(), message }
    }

    /// Moves a message to those that were received.
    pub(crate) fn done(&self, name: &MessageName) -> Result<()> {
        let (from, to) = (self.new_dir().join(name.file()), self.dir.join(DONE).join(name.file()));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("rename", &from, &error))
            }
            _ => Ok(()),
        }
    }

    /// Moves what cannot be received away, and says why.
    pub(crate) fn bury(
        &self,
        file: OsString,
        reason: &str,
        found: &str,
        now_ns: i64,
    ) -> Result<()> {
        let name = file.to_str().filter(|name| MessageName::of_file(name).is_some());
        let grave = match name {
            Some(name) => name.to_owned(),
            // A name may be anything, and as long as a name can be.
            None => {
                let hash = blake3::hash(file.as_encoded_bytes()).to_hex();
                format!("stray-{}", &hash[..16])
            }
        };
        let (from, to) = (self.new_dir().join(&file), self.dir.join(DEAD).join(&grave));
        if fs::symlink_metadata(&to).is_ok() {
            discard(&self.root, &to)?;
        }
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("rename", &from, &error)),
            Ok(()) => {}
        }
        let said = json!({
            "reason": reason,
            "found": found,
            "name": file.to_string_lossy(),
            "at": iso_utc(now_ns),
        });
        let record = to.with_file_name(format!("{grave}.reason.json"));
        replace(&record, format!("{said:#}\n").as_bytes(), false)
    }

    /// Forgets dead messages beyond those that are kept, each with its reason.
    pub(crate) fn prune_dead(&self) -> Result<()> {
        self.prune(DEAD, 2 * INBOX_KEPT_MAX)
    }

    /// Forgets what is older than is kept, and what was never finished.
    pub(crate) fn tidy(&self) -> Result<()> {
        for entry in self.entries(TMP)? {
            let written = entry.metadata().and_then(|found| found.modified());
            let age = written.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            if age.is_some_and(|age| age > TMP_AGE_MAX) {
                discard(&self.root, &entry.path())?;
            }
        }
        self.prune(DONE, INBOX_KEPT_MAX)
    }

    fn prune(&self, folder: &str, most: usize) -> Result<()> {
        let mut files: Vec<OsString> =
            self.entries(folder)?.map(|entry| entry.file_name()).collect();
        let extra = files.len().saturating_sub(most);
        if extra > 0 {
            files.sort_unstable();
            for file in files.iter().take(extra) {
                let path = self.dir.join(folder).join(file);
                remove(&path)
                    .or_else(|_| discard(&self.root, &path).map_err(|_| ErrorKind::Other.into()))
                    .map_err(|error: std::io::Error| Error::io("remove", &path, &error))?;
            }
        }
        Ok(())
    }

    fn entries(&self, name: &str) -> Result<impl Iterator<Item = fs::DirEntry> + use<>> {
        let dir = self.dir.join(name);
        match fs::symlink_metadata(&dir) {
            Ok(found) if !found.is_dir() => return Err(not_what_it_must_be(&dir, "is no folder")),
            _ => {}
        }
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("list", &dir, &error)),
        };
        Ok(entries.into_iter().flatten().flatten())
    }
}
