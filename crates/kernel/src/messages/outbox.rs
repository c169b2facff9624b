//! Sending: a message becomes visible whole, and is on the device when the call returns.

use super::inbox::Inbox;
use super::name::MessageName;
use super::{broadcast_dir, messages_dir};
use crate::coordination::discard;
use crate::coordination::document::{folder, read, remove, sync_dir};
use crate::error::{Error, Result};
use crate::limits::{BROADCASTS_KEPT_MAX, MESSAGE_BYTES_MAX};
use crate::terminal::TerminalId;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Puts a message into an inbox.
pub(crate) fn deliver(inbox: &Inbox, name: &MessageName, bytes: &[u8]) -> Result<()> {
    let file = name.file();
    inbox.has_room(bytes.len())?;
    let temporary = inbox.tmp().join(&file);
    write_new(&temporary, bytes)?;
    let place = inbox.new_dir().join(&file);
    if let Err(error) = fs::rename(&temporary, &place) {
        // It must not be sent by somebody who finds it there.
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("rename", &place, &error));
    }
    sync_dir(&inbox.new_dir())
}

/// Puts a message into several inboxes, written once. Says of each whether it is there.
pub(crate) fn broadcast(
    root: &Path,
    name: &MessageName,
    bytes: &[u8],
    to: Vec<TerminalId>,
) -> Result<Vec<(TerminalId, Result<()>)>> {
    let dir = broadcast_dir(root);
    folder(&messages_dir(root))?;
    folder(&dir)?;
    let part = dir.join(format!("{}.part", name.id()));
    write_new(&part, bytes)?;
    sync_dir(&dir)?;
    let sent = to.into_iter().map(|to| {
        let inbox = Inbox::make(root, &to);
        let linked = inbox.and_then(|inbox| {
            inbox.has_room(bytes.len())?;
            link(&part, &inbox, name)
        });
        (to, linked)
    });
    let sent = sent.collect();
    finish(root, &part, name)?;
    Ok(sent)
}

/// Finishes the broadcast in whose midst this sender died: whoever it had not reached gets it now.
pub(crate) fn finish_broadcasts(
    root: &Path,
    from: &TerminalId,
    to: impl Fn() -> Result<Vec<TerminalId>>,
) -> Result<()> {
    for (part, name) in broadcasts_of(root, from, ".part") {
        let is_whole = read(&part, MESSAGE_BYTES_MAX)
            .is_ok_and(|bytes| super::Message::parse(&bytes).is_ok_and(|it| it.id == name.id()));
        if !is_whole {
            // It was written by halves, so nobody has got it.
            discard(root, &part)?;
            continue;
        }
        for to in to()? {
            let inbox = Inbox::make(root, &to)?;
            if inbox.state(&name.file()).is_none() {
                link(&part, &inbox, &name)?;
            }
        }
        finish(root, &part, &name)?;
    }
    Ok(())
}

fn finish(root: &Path, part: &Path, name: &MessageName) -> Result<()> {
    let whole = part.with_file_name(name.file());
    fs::rename(part, &whole).map_err(|error| Error::io("rename", &whole, &error))?;
    let mut kept = broadcasts_of(root, &name.from, ".json");
    kept.sort_unstable_by_key(|(_, name)| name.number);
    let extra = kept.len().saturating_sub(BROADCASTS_KEPT_MAX);
    kept.iter().take(extra).try_for_each(|(path, _)| discard(root, path))
}

fn broadcasts_of(
    root: &Path,
    from: &TerminalId,
    ending: &str,
) -> Vec<(std::path::PathBuf, MessageName)> {
    let Ok(entries) = fs::read_dir(broadcast_dir(root)) else { return Vec::new() };
    let found = entries.flatten().filter_map(|entry| {
        let file = entry.file_name();
        let name = MessageName::of_id(file.to_str()?.strip_suffix(ending)?)?;
        (name.from == *from).then(|| (entry.path(), name))
    });
    found.collect()
}

fn link(part: &Path, inbox: &Inbox, name: &MessageName) -> Result<()> {
    let place = inbox.new_dir().join(name.file());
    match fs::hard_link(part, &place) {
        Ok(()) => sync_dir(&inbox.new_dir()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::io("link", &place, &error)),
    }
}

/// Writes a file that must not exist yet, durably. None is left when that fails.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = made.map_err(|error| Error::io("create", path, &error))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = remove(path);
        Error::io("write", path, &error)
    })
}
