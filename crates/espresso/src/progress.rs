//! What a long run tells while it goes on.
//!
//! A listener is told between steps, on the thread that minimises, and changes nothing about the
//! answer. It should return at once.

use std::fmt;
use std::sync::Arc;

/// What a run is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The OFF-set is computed from the others.
    Complement,
    /// A first cover of primes is made.
    Expand,
    /// The cover is reduced and expanded in turns.
    Loop,
    /// More primes are collected from many starts, and the best of them chosen.
    Pool,
    /// All primes are listed and the best of them chosen.
    Primes,
    /// The answer is compared with the question.
    Verify,
}

impl Phase {
    /// The name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Complement => "complement",
            Phase::Expand => "expand",
            Phase::Loop => "loop",
            Phase::Pool => "pool",
            Phase::Primes => "primes",
            Phase::Verify => "verify",
        }
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What comes next.
    pub phase: Phase,
    /// Products of the cover that the run stands at: the listed rows at first. A second start may have
    /// more than the first one ended with; the answer has the fewest of all.
    pub products: usize,
}

/// Who is told.
#[derive(Clone)]
pub(crate) struct Listener(pub(crate) Arc<dyn Fn(Progress) + Send + Sync>);

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Listener")
    }
}
