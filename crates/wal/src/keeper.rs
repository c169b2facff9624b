//! The background thread: flushes for callers that cannot block, marks an idle log durable, and
//! has the next segment prepared. It never touches what a record means.

use crate::group::Shared;
use crate::state::{Spare, State};
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Keeper {
    preparer: Preparer,
    thread: Option<JoinHandle<()>>,
}

/// Has segments prepared ahead of use.
#[derive(Debug, Clone)]
struct Preparer {
    shared: Arc<Shared>,
    dir: PathBuf,
    segment_bytes: u32,
}

impl Keeper {
    pub(crate) fn start(
        shared: Arc<Shared>,
        dir: PathBuf,
        segment_bytes: u32,
        idle_mark: Duration,
    ) -> Self {
        let preparer = Preparer { shared, dir, segment_bytes };
        let inner = preparer.clone();
        let thread = thread::Builder::new()
            .name("pos-kernel-wal".to_owned())
            .spawn(move || run(&inner, idle_mark))
            .ok();
        Self { preparer, thread }
    }

    /// Prepares the segment after the one in use, unless it is there.
    pub(crate) fn prepare_next(&self) {
        self.preparer.prepare_next();
    }
}

impl Preparer {
    /// In a thread of its own: filling a segment takes many flushes' time, and nobody may wait
    /// behind it.
    fn prepare_next(&self) {
        let mut state = self.shared.lock();
        if !matches!(state.spare, Spare::Absent | Spare::Left | Spare::Failed) {
            return;
        }
        let Some(number) = state.active.as_ref().map(|active| active.number + 1) else { return };
        state.spare = Spare::Preparing { held: state.spare.holds_space() };
        drop(state);
        let (shared, dir, bytes) = (self.shared.clone(), self.dir.clone(), self.segment_bytes);
        let spawned = thread::Builder::new()
            .name("pos-kernel-prepare".to_owned())
            .spawn(move || drop(shared.prepare(shared.lock(), &dir, number, bytes)));
        if spawned.is_err() {
            let state = self.shared.lock();
            drop(self.shared.prepare(state, &self.dir, number, self.segment_bytes));
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let shared = &self.preparer.shared;
        shared.lock().stopping = true;
        shared.keeper_wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread ends by itself; a panic in it has already poisoned nothing of ours.
            let _ = thread.join();
        }
        let shared = &self.preparer.shared;
        drop(shared.wait_while_preparing(shared.lock()));
    }
}

fn run(preparer: &Preparer, idle_mark: Duration) {
    let shared = &*preparer.shared;
    loop {
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        if let Some(fault) = state.poison.clone() {
            let unheard = state.notify_upto > state.durable.sequence;
            state.notify_upto = 0;
            state.flush_wanted = None;
            if unheard {
                drop(state);
                shared.tell(Err(fault));
            } else {
                sleep(shared, state);
            }
        } else if let Some(cause) = state.flush_wanted.take() {
            let upto = state.appended.sequence;
            drop(state);
            // The outcome reaches the callers through the listener, or through the poison above.
            let _ = shared.wait_durable(upto, cause);
        } else if state.marked < state.durable.sequence {
            if mark_when_idle(shared, state, idle_mark) {
                preparer.prepare_next();
            }
        } else {
            sleep(shared, state);
        }
    }
}

fn sleep(shared: &Shared, mut state: MutexGuard<'_, State>) {
    state.keeper_asleep = true;
    let mut state = shared.keeper_wake.wait(state).unwrap_or_else(PoisonError::into_inner);
    state.keeper_asleep = false;
}

/// Marks the log durable once nothing has happened for a while; true when it did.
fn mark_when_idle(shared: &Shared, mut state: MutexGuard<'_, State>, idle_mark: Duration) -> bool {
    let durable = state.durable.sequence;
    state.keeper_asleep = true;
    let waited = shared.keeper_wake.wait_timeout(state, idle_mark);
    let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
    state.keeper_asleep = false;
    let idle = timeout.timed_out() && state.durable.sequence == durable && !state.leader;
    drop(state);
    if idle {
        // A failure has poisoned the log; the next round reports it.
        let _ = shared.mark();
    }
    idle
}
