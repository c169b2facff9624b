//! What can go wrong in the log, as facts. The kernel turns each into a code with a next step.

use std::io;
use thiserror::Error;

/// Bytes that were durable and can no longer be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Number of the segment file.
    pub segment: u32,
    /// Byte offset of the first thing in it that cannot be believed.
    pub offset: u32,
    /// Sequence number expected there.
    pub sequence: u64,
    /// Newest sequence known to have been durable.
    pub durable: u64,
    /// Whole, valid records that still stand behind the damage.
    pub good_records_after: u64,
    /// What was found instead.
    pub found: &'static str,
}

/// The first I/O error of a log: it poisons the log for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IoFault {
    /// The operation that failed: `write`, `sync`, `roll`, ...
    pub operation: &'static str,
    /// Kind of the operating system's error.
    pub kind: io::ErrorKind,
    /// The operating system's number, where it gave one.
    pub os_code: Option<i32>,
}

/// Every way in which the log refuses or fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WalError {
    /// Durable bytes are damaged: the log must not be written.
    #[error(
        "segment {} is damaged at byte {} (expected sequence {}, durable up to {}): {}",
        .0.segment, .0.offset, .0.sequence, .0.durable, .0.found
    )]
    Damaged(Damage),
    /// An earlier I/O error ended this log; nothing was appended.
    #[error("the log is poisoned by a failed {}: {}", .0.operation, .0.kind)]
    Poisoned(IoFault),
    /// The commit was under way when an I/O error struck: it may or may not be on the device.
    #[error("a {} failed while this commit was under way: {}", .0.operation, .0.kind)]
    OutcomeUnknown(IoFault),
    /// No room for a further segment; nothing was written and the log goes on.
    #[error("no space for the next segment of {segment_bytes} bytes")]
    NoSpace {
        /// Size of the segment that could not be prepared.
        segment_bytes: u32,
    },
    /// The frame does not fit into what is left of this segment: roll, then append again.
    #[error("the segment is full")]
    SegmentFull,
    /// The frame would not fit into an empty segment.
    #[error("a frame of {bytes} bytes exceeds the {limit} that a segment can hold")]
    TooLarge {
        /// Bytes of the frame.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// A segment or manifest was written by another version of the format.
    #[error("format version {found} is not {known}")]
    Version {
        /// The version found.
        found: u32,
        /// The version that this code writes.
        known: u32,
    },
    /// An option is out of range.
    #[error("{name} = {value} is outside {range}")]
    Option {
        /// Name of the option.
        name: &'static str,
        /// The value given.
        value: u64,
        /// The range allowed.
        range: &'static str,
    },
    /// A file operation failed before anything was appended.
    #[error("{operation} {path}: {source}")]
    Io {
        /// The operation that failed.
        operation: &'static str,
        /// The file or folder.
        path: String,
        /// The operating system's error.
        source: io::Error,
    },
}

impl WalError {
    pub(crate) fn io(
        operation: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { operation, path, source }
    }
}

impl IoFault {
    pub(crate) fn new(operation: &'static str, error: &io::Error) -> Self {
        Self { operation, kind: error.kind(), os_code: error.raw_os_error() }
    }
}
