//! One thread that flushes for all registers of a store whose callers cannot block.
//!
//! It begins the flush of each register that asked, and then waits once for the log they share; while
//! it waits, the next ones ask. So a host with sixty-four registers on one thread pays for one device
//! flush and two thread switches a round, not for sixty-four.

use super::seat::Seat;
use pos_kernel_wal::{FlushCause, Wal};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

type Asked = (Arc<Seat>, Arc<Wal>, FlushCause);

#[derive(Default)]
struct Queue {
    asked: Vec<Asked>,
    asleep: bool,
    stopping: bool,
}

/// Where registers ask.
#[derive(Default)]
pub(crate) struct Desk {
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a flush of a register's log; false when nobody is there to do it.
    pub(crate) fn ask(&self, seat: &Arc<Seat>, wal: &Arc<Wal>, cause: FlushCause) -> bool {
        if seat.asked.swap(true, Ordering::AcqRel) {
            return true;
        }
        let mut queue = self.queue();
        if queue.stopping {
            seat.asked.store(false, Ordering::Release);
            return false;
        }
        queue.asked.push((seat.clone(), wal.clone(), cause));
        if queue.asleep {
            self.wake.notify_one();
        }
        true
    }

    fn run(&self) {
        let mut round = Vec::new();
        let mut begun = Vec::new();
        loop {
            let mut queue = self.queue();
            while queue.asked.is_empty() {
                if queue.stopping {
                    return;
                }
                queue.asleep = true;
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.asleep = false;
            }
            std::mem::swap(&mut queue.asked, &mut round);
            drop(queue);
            for (seat, wal, cause) in round.drain(..) {
                // What is appended from here on asks again.
                seat.asked.store(false, Ordering::Release);
                // A failure has poisoned the register's log, whose own thread tells the callers.
                if let Ok(Some(flush)) = wal.begin_flush(cause) {
                    begun.push((wal, flush));
                }
            }
            for (wal, flush) in begun.drain(..) {
                let _ = wal.end_flush(flush);
            }
        }
    }
}

/// The thread behind a desk. It ends when this is dropped, after the last round.
#[derive(Debug)]
pub(super) struct Committer {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(desk: Arc<Desk>) -> Self {
        let behind = desk.clone();
        let spawned =
            thread::Builder::new().name("pos-kernel-store".to_owned()).spawn(move || behind.run());
        let thread = spawned.ok();
        desk.queue().stopping = thread.is_none();
        Self { desk, thread }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.desk.queue().stopping = true;
        self.desk.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
