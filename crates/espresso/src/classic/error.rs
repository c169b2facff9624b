//! What the classic face refuses besides what the engine does.

use thiserror::Error as ThisError;

use crate::error::Error;
use crate::pla::PlaError;

/// Why a call of the classic face has no answer. It has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ClassicError {
    /// The engine refused or a cap struck.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The text is not a PLA.
    #[error(transparent)]
    Pla(#[from] PlaError),
    /// No function is current on this thread.
    #[error("no function is current on this thread; set one up, or select one")]
    NotSetUp,
    /// The handle means nothing on this thread.
    #[error("function {number} is not one of this thread, or was torn down; set it up here")]
    Unknown {
        /// The handle's number.
        number: u64,
    },
    /// The thread holds as many functions as it may.
    #[error("the thread holds {limit} functions, the limit; tear one down")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A set that the function's type does not list.
    #[error("the type {kind} does not list the {set} set; set a type that does, or clear the set")]
    NotListed {
        /// The type by name.
        kind: &'static str,
        /// `ON`, `DC` or `OFF`.
        set: &'static str,
    },
    /// A type that lists no set.
    #[error("a type lists at least one of ON, DC and OFF")]
    NoKind,
    /// There is no answer to read.
    #[error("the current function has no answer; minimize it, and read before its sets change")]
    NoAnswer,
    /// The answer has no cover of this kind.
    #[error("the answer has no {which} cover: {reason}")]
    NoCover {
        /// `D` or `R`.
        which: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// An option is out of its range.
    #[error("{option}: {value} is not from {least} to {most}")]
    BadOption {
        /// Which one.
        option: &'static str,
        /// What was given.
        value: u64,
        /// Least value.
        least: u64,
        /// Greatest value.
        most: u64,
    },
    /// The system gave no thread for a run that needs a deep stack.
    #[error("no thread could be started for the run; let some end, or raise the system's limit")]
    NoThread,
    /// A call from within a call.
    #[error("a call of this thread is under way; the state is entered by one call at a time")]
    Reentered,
    /// The thread is ending and its state is gone.
    #[error("the thread is ending, and its state is gone")]
    ThreadEnding,
}
