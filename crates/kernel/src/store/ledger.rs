//! The unified log of a store: one flush for all registers that wait, and room that does not grow.
//!
//! ```text
//! register   write_at -> its segment file (cache)      sync -> count it, append to the log, wait
//! log rolls  -> every file with more logged than settled is synced -> the older segments retire
//! ```
//! Invariant: a segment of the log is given up only after every file that it holds writes of was
//! itself synced since. A write is counted at its file before it is appended, and the segment in use
//! is looked up before the files are gone through; so what an older segment holds was counted by then.

use super::lock::StoreLock;
use super::record;
use super::seat::Seat;
use crate::clock::{Clock, Hlc};
use crate::error::Result;
use crate::terminal::TerminalLock;
use pos_kernel_wal::storage::Storage;
use pos_kernel_wal::{FlushCause, Record, Stamp, Stats, Wal, WalError, format};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::file::PIECES_BYTES_MAX;

/// Older segments that may wait for their retirement before whoever rolls does it himself.
const BACKLOG_MAX: u32 = 2;
/// Bytes of log after which the next segment is looked after.
const RESERVE_EVERY: u64 = 256 << 10;
/// Who gives way and comes back later than this has met work that is not the store's, and would give
/// that a whole slice with each sale. So many submits then give way no more.
const YIELD_MAX: Duration = Duration::from_millis(1);
const CROWDED_SUBMITS: u32 = 1024;
/// A single sync takes at most this share of a segment of the log.
const PIECES_SHARE: usize = 8;

/// The log, and who writes through it.
#[derive(Debug)]
pub(crate) struct Ledger {
    disk: Arc<dyn Storage>,
    wal: Wal,
    clock: Arc<dyn Clock>,
    hlc: Mutex<Hlc>,
    /// Registers whose writes the log may hold. One that could not leave in order stays.
    seats: Mutex<Vec<Arc<Seat>>>,
    /// One roll at a time.
    rolling: Mutex<()>,
    /// One retirement at a time.
    retiring: Mutex<()>,
    retire_soon: Mutex<Option<Sender<()>>>,
    logged_bytes: AtomicU64,
    /// Submits that give way no more: others keep the processors busy.
    crowded: AtomicU32,
    file_syncs: AtomicU64,
    failed: AtomicBool,
    failure: Mutex<Option<(io::ErrorKind, String)>>,
    /// Locks of terminals that could not be detached. They are freed after the store's own.
    kept: Mutex<Vec<TerminalLock>>,
    lock: Mutex<Option<StoreLock>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub(super) fn new(
        (disk, clock): (Arc<dyn Storage>, Arc<dyn Clock>),
        (wal, hlc): (Wal, Hlc),
        lock: StoreLock,
        background: bool,
    ) -> Arc<Self> {
        let (retire_soon, asked) = mpsc::channel();
        let ledger = Arc::new(Self {
            disk,
            wal,
            clock,
            hlc: Mutex::new(hlc),
            seats: Mutex::new(Vec::new()),
            rolling: Mutex::new(()),
            retiring: Mutex::new(()),
            retire_soon: Mutex::new(None),
            logged_bytes: AtomicU64::new(0),
            crowded: AtomicU32::new(0),
            file_syncs: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
            kept: Mutex::new(Vec::new()),
            lock: Mutex::new(Some(lock)),
        });
        if background {
            let weak = Arc::downgrade(&ledger);
            let spawned =
                thread::Builder::new().name("pos-kernel-retire".to_owned()).spawn(move || {
                    while asked.recv().is_ok() {
                        let Some(ledger) = weak.upgrade() else { return };
                        ledger.retire();
                    }
                });
            // Without a thread, whoever rolls retires.
            *held(&ledger.retire_soon) = spawned.is_ok().then_some(retire_soon);
        }
        ledger
    }

    pub(super) fn disk(&self) -> &dyn Storage {
        &*self.disk
    }

    pub(super) fn pieces_bytes_max(&self) -> usize {
        PIECES_BYTES_MAX.min(self.wal.segment_bytes() as usize / PIECES_SHARE)
    }

    pub(super) fn count_file_sync(&self) {
        self.file_syncs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn file_syncs(&self) -> u64 {
        self.file_syncs.load(Ordering::Relaxed)
    }

    pub(super) fn wal_stats(&self) -> Stats {
        self.wal.stats()
    }

    pub(super) fn wal(&self) -> &Wal {
        &self.wal
    }

    pub(super) fn seat(&self, seat: &Arc<Seat>) {
        held(&self.seats).push(seat.clone());
    }

    pub(super) fn unseat(&self, seat: &Seat) {
        held(&self.seats).retain(|other| !std::ptr::eq(Arc::as_ptr(other), seat));
    }

    pub(super) fn keep(&self, lock: TerminalLock) {
        held(&self.kept).push(lock);
    }

    /// Refuses what comes after a failure.
    pub(super) fn check(&self) -> io::Result<()> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        match &*held(&self.failure) {
            Some((kind, what)) => {
                Err(io::Error::new(*kind, format!("the store has failed: {what}")))
            }
            None => Err(io::Error::other("the store has failed")),
        }
    }

    /// Ends the store for good: pages may be gone, so nothing is tried again.
    pub(super) fn poison(&self, operation: &str, error: &io::Error) {
        let mut failure = held(&self.failure);
        failure.get_or_insert_with(|| (error.kind(), format!("{operation}: {error}")));
        self.failed.store(true, Ordering::Release);
    }

    fn failed_with(&self, error: &WalError) -> io::Error {
        let kind = match error {
            WalError::Poisoned(fault) | WalError::OutcomeUnknown(fault) => fault.kind,
            WalError::Io { source, .. } => source.kind(),
            _ => io::ErrorKind::Other,
        };
        let error = io::Error::new(kind, error.to_string());
        self.poison("log of the store", &error);
        error
    }

    fn stamp(&self) -> Stamp {
        held(&self.hlc).stamp(&*self.clock)
    }

    /// Appends what was written to a file. `None` when the log cannot have another segment: the file
    /// is then synced itself.
    pub(super) fn log(&self, bodies: &[Vec<u8>]) -> io::Result<Option<u64>> {
        let bytes: usize = bodies.iter().map(Vec::len).sum();
        let before = self.logged_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before / RESERVE_EVERY != (before + bytes as u64) / RESERVE_EVERY {
            // Without room the log says so when it has to roll.
            let _ = self.wal.reserve();
        }
        if let [body] = bodies {
            return self.append(0, &[record::record(record::WRITTEN, body)]);
        }
        let records: Vec<Record<'_>> =
            bodies.iter().map(|body| record::record(record::WRITTEN, body)).collect();
        self.append(0, &records)
    }

    /// Appends a record and waits until it is durable.
    pub(super) fn note(&self, kind: u16, body: &[u8]) -> io::Result<()> {
        let flags = if kind == record::CLOSED { format::FLAG_OWNER_ENDS } else { 0 };
        match self.append(flags, &[record::record(kind, body)])? {
            Some(ticket) => self.wait(ticket),
            None => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn append(&self, flags: u8, records: &[Record<'_>]) -> io::Result<Option<u64>> {
        self.check()?;
        match self.wal.append(self.stamp(), flags, records) {
            Ok(appended) => return Ok(Some(appended.last_sequence)),
            Err(WalError::SegmentFull) => {}
            Err(error) => return Err(self.failed_with(&error)),
        }
        let _turn = held(&self.rolling);
        loop {
            match self.wal.append(self.stamp(), flags, records) {
                Ok(appended) => return Ok(Some(appended.last_sequence)),
                Err(WalError::SegmentFull) => {}
                Err(error) => return Err(self.failed_with(&error)),
            }
            match self.roll() {
                Ok(()) => {}
                Err(WalError::NoSpace { .. }) => return Ok(None),
                Err(error) => return Err(self.failed_with(&error)),
            }
        }
    }

    fn roll(&self) -> std::result::Result<(), WalError> {
        self.wal.roll(self.stamp(), &[record::record(record::CHECKPOINT, &[])])?;
        let (oldest, current) = self.wal.extent();
        let asked = match &*held(&self.retire_soon) {
            Some(retire_soon) => retire_soon.send(()).is_ok(),
            None => false,
        };
        if !asked || current - oldest > BACKLOG_MAX {
            self.retire();
        }
        Ok(())
    }

    /// Gives way to whoever flushes the log. A flush needs a processor several times for a moment, and
    /// a scheduler lets those that work go on for milliseconds before one that has just woken.
    pub(crate) fn give_way(&self) {
        let crowded = self.crowded.load(Ordering::Relaxed);
        if crowded > 0 {
            self.crowded.store(crowded - 1, Ordering::Relaxed);
        } else if self.wal.is_flushing() {
            let begun = Instant::now();
            thread::yield_now();
            if begun.elapsed() > YIELD_MAX {
                self.crowded.store(CROWDED_SUBMITS, Ordering::Relaxed);
            }
        }
    }

    /// Waits until a record of the log is durable.
    pub(super) fn wait(&self, ticket: u64) -> io::Result<()> {
        let waited = self.wal.wait_durable(ticket, FlushCause::Record);
        waited.map_err(|error| self.failed_with(&error))?;
        self.check()
    }

    /// Brings what the older segments of the log hold onto the device, and gives them up.
    fn retire(&self) {
        let _turn = held(&self.retiring);
        let (oldest, current) = self.wal.extent();
        if oldest >= current || self.check().is_err() {
            return;
        }
        let seats = held(&self.seats).clone();
        for seat in &seats {
            if let Err(error) = seat.settle() {
                self.poison("sync of a journal", &error);
                return;
            }
        }
        // What cannot be removed now is removed after the next segment.
        let _ = self.wal.retire(current);
    }

    /// Ends the store's time, with every register gone.
    pub(super) fn close(&self) -> Result<()> {
        let mut lock = held(&self.lock);
        if lock.is_none() {
            return Ok(());
        }
        *held(&self.retire_soon) = None;
        let detached = held(&self.kept).is_empty() && self.check().is_ok();
        let outcome = if detached {
            let root = self.wal.dir();
            let closed = self.note(record::CLOSED, &[]);
            let closed = closed.map_err(|error| crate::Error::io("close", root, &error));
            closed.and_then(|()| Ok(self.wal.mark()?))
        } else {
            Ok(())
        };
        self.wal.shutdown();
        self.poison("it was closed", &io::Error::other("closed"));
        held(&self.seats).clear();
        // Whoever then finds a terminal free finds the store's lock free too, and settles first.
        *lock = None;
        held(&self.kept).clear();
        outcome
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.wal.shutdown();
        *held(&self.lock) = None;
        held(&self.kept).clear();
    }
}
