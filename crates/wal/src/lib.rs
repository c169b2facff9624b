//! The write-ahead log: checksummed, hash-chained, append-only segments of opaque records.
//!
//! What lives here: the bytes on disk, and everything that decides whether they can be believed
//! after a crash. What must not: any knowledge of sales, money or terminals; a record is a kind and
//! some bytes, and the caller gives the time.
//!
//! The promise guarded here: **what [`Wal::wait_durable`] has answered is on the device, and is read
//! back or loudly refused; it is never silently missing.** Three mechanisms carry it. A *frame* (one
//! append) has one salted CRC32C and one BLAKE3 link, so it is there whole or not at all. Every
//! frame says up to where the log was durable when it was written, and mark blocks far from the
//! tail repeat it, so a broken frame is either *damage* (refuse) or a *torn tail* (cut, and say so).
//! The first I/O error poisons the log for good: pages may be gone after a failed sync, so nothing
//! is retried and waiting commits learn that their outcome is unknown.
//!
//! Read `format.rs` first (the bytes), then `writer.rs` (append and group commit), `recover.rs`
//! (what a power cut does) `reader.rs` (verification without the lock) and
//! `tail.rs` (reading on behind a place, no further than is proved durable).

#![forbid(unsafe_code)]

pub mod archive;
mod error;
pub mod format;
mod group;
mod keeper;
mod manifest;
mod os;
mod reader;
mod recover;
mod segment;
#[cfg(feature = "sim")]
pub mod sim;
mod state;
pub mod storage;
mod tail;
mod walk;
mod writer;

pub use error::{Damage, IoFault, WalError};
pub use format::{FrameHeader, Link, Links, RecordView, SegmentHeader, Stamp};
pub use group::{Flush, StartedSync};
pub use manifest::oldest_segment;
pub use os::OsStorage;
pub use reader::{Problem, ProblemKind, Reader, SegmentEnds, SegmentScan, SegmentTail};
pub use recover::{Cut, Opened, Replay};
pub use segment::{number as segment_number, path as segment_path};
pub use tail::{Place, Window};
pub use walk::Frame;
pub use writer::{
    Appended, FlushCause, FlushCounts, Options, Record, Space, Stats, SyncLatency, Wal, WalPosition,
};
