//! The kernel's error: a code from the one table, the facts behind it, and a sentence for people.

use crate::code::Code;
use pos_kernel_wal::{Damage, IoFault, WalError};
use serde_json::{Map, Value, json};
use std::fmt;
use std::io;
use std::path::Path;

/// What a call of the kernel gives.
pub type Result<T> = std::result::Result<T, Error>;

/// A refusal or a failure. A refused call has changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    code: Code,
    message: String,
    facts: Map<String, Value>,
}

impl Error {
    /// An error with its sentence: the thing, the value, the limit, the next step.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), facts: Map::new() }))
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.facts.insert(name.to_owned(), value.into());
        self
    }

    /// The exact case.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The facts, by name.
    #[must_use]
    pub fn facts(&self) -> &Map<String, Value> {
        &self.0.facts
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// A failed file operation.
    pub(crate) fn io(operation: &str, path: &Path, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::NoSpace,
            _ => Code::Io,
        };
        Self::new(code, format!("cannot {operation} {}: {error}", path.display()))
            .with("operation", operation)
            .with("path", path.display().to_string())
            .with("osCode", error.raw_os_error().map_or(Value::Null, Value::from))
    }

    /// A limit that was reached.
    pub(crate) fn limit(what: &str, value: usize, limit: usize) -> Self {
        let message = format!("{what}: {value} is over the limit of {limit}");
        Self::new(Code::Limit, message).with("what", what).with("value", value).with("limit", limit)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        let Damage { segment, offset, sequence, durable, good_records_after, found } = damage;
        let code =
            if found.starts_with("the hash chain") { Code::ChainBroken } else { Code::Corrupt };
        let message = format!(
            "the journal is damaged in segment {segment} at byte {offset}: {found}. Records up to \
             sequence {durable} were durable and {good_records_after} good ones follow. Nothing was \
             changed: copy the folder, run verify, and call for help"
        );
        Self::new(code, message)
            .with("segment", segment)
            .with("offset", offset)
            .with("sequence", sequence)
            .with("durableSequence", durable)
            .with("goodRecordsAfter", good_records_after)
            .with("found", found)
    }
}

fn fault(code: Code, message: String, fault: &IoFault) -> Error {
    Error::new(code, message)
        .with("operation", fault.operation)
        .with("cause", fault.kind.to_string())
        .with("osCode", fault.os_code.map_or(Value::Null, Value::from))
}

impl From<WalError> for Error {
    fn from(error: WalError) -> Self {
        match error {
            WalError::Damaged(damage) => damage.into(),
            WalError::Poisoned(io) => fault(
                Code::Poisoned,
                format!(
                    "an earlier {} failed ({}), so this terminal writes no more; close it and open \
                     it again",
                    io.operation, io.kind
                ),
                &io,
            ),
            WalError::OutcomeUnknown(io) => fault(
                Code::OutcomeUnknown,
                format!(
                    "the {} failed ({}) while this call was under way; close the terminal and open \
                     it again to learn whether the call is in the journal",
                    io.operation, io.kind
                ),
                &io,
            ),
            WalError::NoSpace { segment_bytes } => Self::new(
                Code::NoSpace,
                format!(
                    "no space for the next {segment_bytes} bytes of journal; free some space. Open \
                     sales can still be completed or voided"
                ),
            )
            .with("segmentBytes", segment_bytes),
            WalError::TooLarge { bytes, limit } => {
                let message = format!("a write of {bytes} bytes is over the limit of {limit}");
                Self::new(Code::Limit, message)
                    .with("what", "bytes of one write")
                    .with("value", bytes)
                    .with("limit", limit)
            }
            WalError::Version { found, known } => {
                let message = format!(
                    "the journal has format version {found} and this kernel knows {known}; use the \
                     version that wrote it"
                );
                Self::new(Code::Version, message).with("found", found).with("known", known)
            }
            WalError::Option { name, value, range } => {
                let message = format!("{name} = {value} is outside {range}");
                Self::new(Code::BadArgument, message)
                    .with("argument", name)
                    .with("value", value)
                    .with("range", range)
            }
            WalError::Io { operation, path, source } => {
                Self::io(operation, Path::new(&path), &source)
            }
            other => Self::new(Code::Panic, other.to_string()),
        }
    }
}

/// The error as the JSON that every door shows.
impl From<&Error> for Value {
    fn from(error: &Error) -> Self {
        json!({
            "code": error.code().name(),
            "family": error.code().family().name(),
            "message": error.message(),
            "facts": error.facts(),
        })
    }
}
