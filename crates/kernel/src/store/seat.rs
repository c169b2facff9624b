//! The place of one register in a store: the file system that its journal sees.

use super::file::{JournalFile, SegmentFile};
use super::ledger::Ledger;
use super::record;
use crate::terminal::{TerminalId, TerminalLock};
use pos_kernel_wal::segment_number;
use pos_kernel_wal::storage::{Access, Storage, StorageFile};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A register's time in a store, from its opening to its release.
#[derive(Debug)]
pub(crate) struct Seat {
    ledger: Arc<Ledger>,
    terminal: TerminalId,
    journal: PathBuf,
    /// Segments that were opened for writing and may not be on the device.
    files: Mutex<Vec<Arc<JournalFile>>>,
    /// The log holds writes of this register.
    attached: AtomicBool,
    /// The register has left: nothing more may reach the log.
    released: AtomicBool,
    /// A flush was asked for and has not begun.
    pub(super) asked: AtomicBool,
}

impl Seat {
    pub(super) fn new(ledger: Arc<Ledger>, terminal: TerminalId, journal: PathBuf) -> Arc<Self> {
        let seat = Arc::new(Self {
            ledger,
            terminal,
            journal,
            files: Mutex::new(Vec::new()),
            attached: AtomicBool::new(false),
            released: AtomicBool::new(false),
            asked: AtomicBool::new(false),
        });
        seat.ledger.seat(&seat);
        seat
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn terminal(&self) -> &TerminalId {
        &self.terminal
    }

    /// Refuses what comes after the register has left, or the store has failed.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.released.load(Ordering::Acquire) {
            return Err(io::Error::other("the register has left its store"));
        }
        self.ledger.check()
    }

    /// Notes that the log is about to hold writes of this register.
    pub(super) fn attach(&self) {
        self.attached.store(true, Ordering::Release);
    }

    fn files(&self) -> MutexGuard<'_, Vec<Arc<JournalFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Syncs every file of which the log holds more than the device.
    pub(super) fn settle(&self) -> io::Result<()> {
        let files = self.files().clone();
        for file in &files {
            file.settle(&self.ledger)?;
        }
        drop(files);
        // A file that its journal has let go of is needed no longer.
        self.files().retain(|file| Arc::strong_count(file) > 1 || !file.is_settled());
        Ok(())
    }

    /// Ends the register's time: its journal is synced for real, and the log says so durably.
    fn release(&self) -> io::Result<()> {
        if self.released.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let attached = self.attached.load(Ordering::Acquire);
        let outcome = if attached { self.detach() } else { Ok(()) };
        if outcome.is_ok() {
            self.ledger.unseat(self);
        }
        outcome
    }

    fn detach(&self) -> io::Result<()> {
        self.ledger.check()?;
        self.settle()?;
        self.ledger.note(record::DETACHED, self.terminal.as_str().as_bytes())
    }

    /// Keeps a terminal's lock as long as the store's, since the log may still be brought in.
    pub(crate) fn keep(&self, lock: TerminalLock) {
        self.ledger.keep(lock);
    }
}

/// The file system of a seat: the segments of its own journal go through the store's log, everything
/// else is the disk.
#[derive(Debug, Clone)]
pub(super) struct SeatStorage(pub(super) Arc<Seat>);

impl SeatStorage {
    fn disk(&self) -> &dyn Storage {
        self.0.ledger.disk()
    }

    /// The number of the segment of this journal that a path names.
    fn segment(&self, path: &Path) -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        if path.parent()? == self.0.journal { segment_number(name) } else { None }
    }
}

impl Storage for SeatStorage {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk().create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk().list(dir)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let inner = self.disk().open(path, access)?;
        let Some(segment) = self.segment(path).filter(|_| access != Access::Read) else {
            return Ok(inner);
        };
        let file = SegmentFile::new(self.0.clone(), segment, inner);
        self.0.files().push(file.file().clone());
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk().remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk().sync_dir(dir)
    }

    fn release(&self, dir: &Path) -> io::Result<()> {
        if dir == self.0.journal { self.0.release() } else { self.disk().release(dir) }
    }
}
