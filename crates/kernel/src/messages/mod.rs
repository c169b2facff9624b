//! Messages between the terminals of a store, that no crash loses or doubles.
//!
//! What lives here: the envelope, its name, and the folders that carry it. What must not: the
//! journal, which makes a message count once; that is `terminal/messages.rs`.
//!
//! Each terminal has an inbox, laid out as a maildir. A message is a file that becomes visible whole:
//!
//! ```text
//! send       tmp/ID.json  written, synced -> renamed to new/ID.json -> folder synced
//! broadcast  broadcast/ID.part  written once, synced -> linked into each new/ -> renamed to ID.json
//! receive    read new/ID.json -> the journal says MessageReceived (durable) -> renamed to done/
//!            what cannot be received -> dead/ID.json, and why in dead/ID.json.reason.json
//! ```
//! So the place of a file is its acknowledgement: whoever sent it looks where it lies. A receiver that
//! dies between the journal and the rename finds the message again, and its journal knows the number:
//! the file moves on, and nothing counts twice. A sender that dies in the midst of a broadcast
//! finishes it when it opens again; one that dies before a message stands in `new` has not sent it.
//!
//! Invariants: numbers of a sender only rise and are given out one after the other, so the highest
//! that was received says of each whether it was; a message of a newer version stays in `new`, and
//! what its sender sent after it waits behind it; nothing in a shared folder is followed, waited for,
//! or believed. Whoever may write into the folders may write messages: they are as trusted as the
//! user that owns them. Read `envelope.rs` first, then `inbox.rs` and `outbox.rs`.

mod bell;
mod envelope;
mod inbox;
mod name;
mod outbox;

pub(crate) use bell::Bell;
pub use envelope::{Malformed, Message, is_own_kind};
pub use inbox::{Acknowledgement, MessageState, acknowledgements};
pub(crate) use inbox::{Found, Inbox, bad_id};
pub(crate) use name::MessageName;
pub(crate) use outbox::{broadcast, deliver, finish_broadcasts};

use std::path::{Path, PathBuf};

fn messages_dir(root: &Path) -> PathBuf {
    root.join("shared").join("cross_terminal_messages")
}

fn inboxes_dir(root: &Path) -> PathBuf {
    messages_dir(root).join("terminal_inbox")
}

fn broadcast_dir(root: &Path) -> PathBuf {
    messages_dir(root).join("broadcast")
}
