//! Facts of coordination: messages between terminals, the system configuration, shutting down.

use super::codec::{Hash, map_struct};

map_struct! {
    /// This terminal sent a message of one of the kernel's own kinds. It stands here before the
    /// message can be seen.
    MessageSent {
        /// The message.
        0 id: String,
        /// The terminal that it goes to; absent when it goes to all others.
        1 to: Option<String>,
        /// Kind.
        2 kind: String,
        /// BLAKE3 of the message as it is written.
        3 hash: Hash,
    }
}

map_struct! {
    /// This terminal received a message, once: the numbers of a sender only rise.
    MessageReceived {
        /// The message.
        0 id: String,
        /// Who sent it.
        1 from: String,
        /// Its number, in the order of its sender.
        2 number: u64,
        /// Kind.
        3 kind: String,
        /// BLAKE3 of the message as it was read.
        4 hash: Hash,
    }
}

map_struct! {
    /// This terminal gave the store a system configuration.
    ConfigurationSet {
        /// Version.
        0 version: u64,
        /// When it takes effect, nanoseconds since 1970 in UTC.
        1 effective_ns: i64,
        /// BLAKE3 of its values.
        2 hash: Hash,
        /// The operator signed on.
        13 operator: Option<String>,
    }
}

map_struct! {
    /// A system configuration took effect at this terminal. Versions only rise.
    ConfigurationApplied {
        /// Version.
        0 version: u64,
        /// When it was to take effect, nanoseconds since 1970 in UTC.
        1 effective_ns: i64,
        /// BLAKE3 of its values.
        2 hash: Hash,
    }
}

map_struct! {
    /// The terminal begins nothing new until its owner ends.
    DrainBegun {
        /// Why.
        0 reason: String,
        /// Until when what is open may be finished, nanoseconds since 1970 in UTC.
        1 until_ns: i64,
        /// The terminal that asked for it; absent when the owner did.
        2 by: Option<String>,
    }
}

map_struct! {
    /// How far a terminal has received from another, in a checkpoint.
    CheckpointSender {
        /// The sender.
        0 sender: String,
        /// Its highest number that was received.
        1 number: u64,
    }
}

map_struct! {
    /// What coordination adds up to, in a checkpoint.
    CheckpointCoordination {
        /// By sender, in the order of the letters.
        0 senders: Vec<CheckpointSender>,
        /// Version of the system configuration in force; absent before the first.
        1 version: Option<u64>,
        /// BLAKE3 of its values.
        2 hash: Option<Hash>,
    }
}
