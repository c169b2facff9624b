//! How a caller ends a job from another thread: the worker that does it is killed.

use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends the job that holds it, from any thread. The call then gives [`crate::IsolateError::Ended`], and the
/// pool has a new worker.
#[derive(Debug, Clone, Default)]
pub struct Ender(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_ended: bool,
    worker: Option<Arc<Mutex<Child>>>,
}

impl Ender {
    /// One that has ended nothing yet.
    pub fn new() -> Ender {
        Ender::default()
    }

    /// Ends the job, or the next one that holds this.
    pub fn end(&self) {
        let mut state = self.lock();
        state.is_ended = true;
        if let Some(worker) = state.worker.take() {
            // One that has ended already cannot be killed, and need not be.
            let _ = worker.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    }

    /// Whether it was ended.
    pub fn is_ended(&self) -> bool {
        self.lock().is_ended
    }

    /// Names the process to kill from now on; false when the job was ended before it began.
    pub(crate) fn attach(&self, worker: &Arc<Mutex<Child>>) -> bool {
        let mut state = self.lock();
        if !state.is_ended {
            state.worker = Some(worker.clone());
        }
        !state.is_ended
    }

    /// Names none any more; whether the job was ended.
    pub(crate) fn detach(&self) -> bool {
        let mut state = self.lock();
        state.worker = None;
        state.is_ended
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
