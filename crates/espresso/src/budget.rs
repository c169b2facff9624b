//! Caps on time and memory, and cancellation: what every long loop asks now and then.
//!
//! Recursions return [`Stop`] through `?`, so a function that blows up ends where it stands and
//! gives its memory back; nothing is unwound by force.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Why a recursion ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Cancelled,
    Time,
    Memory,
    /// The count of steps or cubes that this attempt was given is used up; another way may do.
    Work,
}

impl Stop {
    pub(crate) fn into_error(self, limit_bytes: usize) -> Error {
        match self {
            Stop::Cancelled => Error::Cancelled,
            Stop::Time => Error::TimeLimit,
            Stop::Memory | Stop::Work => Error::MemoryLimit { limit_bytes },
        }
    }
}

/// A flag that ends a running minimisation from another thread.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not raised.
    pub fn new() -> Cancel {
        Cancel::default()
    }
    /// Asks every run that holds this flag to stop; they end within a few milliseconds.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    /// Whether the flag is raised.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The caps of one run. One per thread: the counters are not shared.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    cancel: Option<Cancel>,
    deadline: Option<Instant>,
    pub(crate) memory_bytes: usize,
    ticks: Cell<u32>,
}

/// Ticks between two looks at the clock.
const TICKS_PER_LOOK: u32 = 256;
/// Words that a step may go over in the time of one tick.
const WORDS_PER_TICK: usize = 64;

impl Budget {
    pub(crate) fn new(
        cancel: Option<Cancel>,
        time: Option<Duration>,
        memory_bytes: usize,
    ) -> Budget {
        Budget {
            cancel,
            deadline: time.and_then(|time| Instant::now().checked_add(time)),
            memory_bytes,
            ticks: Cell::new(0),
        }
    }

    pub(crate) fn endless() -> Budget {
        Budget::new(None, None, usize::MAX)
    }

    /// One step of a recursion: counts it, and looks at flag and clock every few hundred.
    #[inline]
    pub(crate) fn tick(&self) -> Result<(), Stop> {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(TICKS_PER_LOOK) { self.look() } else { Ok(()) }
    }

    /// One step that goes over this many words: in a table of ten thousand columns a single step takes
    /// as long as hundreds elsewhere.
    #[inline]
    pub(crate) fn work(&self, words: usize) -> Result<(), Stop> {
        let before = self.ticks.get();
        let after = before.wrapping_add(1 + (words / WORDS_PER_TICK) as u32);
        self.ticks.set(after);
        if before / TICKS_PER_LOOK == after / TICKS_PER_LOOK { Ok(()) } else { self.look() }
    }

    pub(crate) fn look(&self) -> Result<(), Stop> {
        if self.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
            return Err(Stop::Cancelled);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stop::Time);
        }
        Ok(())
    }

    /// Refuses to hold more than the cap.
    #[inline]
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), Stop> {
        if bytes > self.memory_bytes { Err(Stop::Memory) } else { Ok(()) }
    }
}
