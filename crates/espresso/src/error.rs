//! What can go wrong, as values. A message names the thing, the value and the limit.

use thiserror::Error as ThisError;

/// Why a call of the minimiser has no answer.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The layout breaks a limit.
    #[error("the layout cannot be used: {reason}")]
    BadLayout {
        /// Which limit.
        reason: &'static str,
    },
    /// A cube does not fit its layout.
    #[error("the cube cannot be used: {reason}")]
    BadCube {
        /// What does not fit.
        reason: &'static str,
    },
    /// Two covers of one call have different layouts.
    #[error("the {which} cover has another layout than the ON cover")]
    LayoutMismatch {
        /// `DC` or `OFF`.
        which: &'static str,
    },
    /// A point is listed as ON and as OFF.
    #[error("ON cube {on} and OFF cube {off} (counted from 0) have a point in common")]
    Contradiction {
        /// Index of the ON cube.
        on: usize,
        /// Index of the OFF cube.
        off: usize,
    },
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// The time limit passed before there was any answer.
    #[error("the time limit passed before there was an answer")]
    TimeLimit,
    /// The memory cap was reached before there was any answer.
    #[error("the memory cap of {limit_bytes} bytes was reached before there was an answer")]
    MemoryLimit {
        /// The cap.
        limit_bytes: usize,
    },
    /// The answer is not equivalent to the question; a defect of this program, caught by the
    /// verification that ends every run.
    #[error("the minimised cover is not equivalent to the input: {reason}")]
    NotEquivalent {
        /// What is missing or too much.
        reason: &'static str,
    },
}
