//! A segment of a register's journal, as its log sees it: written at once, synced through the log of
//! the store.

use super::ledger::Ledger;
use super::record::{Written, written};
use super::seat::Seat;
use pos_kernel_wal::storage::StorageFile;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes between two syncs above which the file itself is synced: the log is for small writes.
pub(super) const PIECES_BYTES_MAX: usize = 256 << 10;

/// A segment file that was opened for writing, and how much of it is really on the device.
#[derive(Debug)]
pub(super) struct JournalFile {
    inner: Arc<dyn StorageFile>,
    /// Syncs that went into the log instead.
    logged: AtomicU64,
    /// Of those, how many the file itself was synced after; held while it is.
    settled: Mutex<u64>,
    /// A sync of the file itself has failed: none is tried again, whoever asks for it.
    failed: AtomicBool,
}

impl JournalFile {
    fn new(inner: Arc<dyn StorageFile>) -> Self {
        Self {
            inner,
            logged: AtomicU64::new(0),
            settled: Mutex::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// Syncs the file itself.
    ///
    /// A failure after syncs that went into the log poisons the store: what they stood for is then
    /// in the log alone, and no segment of that may be given up any more.
    fn sync(&self, ledger: &Ledger) -> io::Result<()> {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier sync of the journal has failed"));
        }
        let logged = self.logged.load(Ordering::Acquire);
        ledger.count_file_sync();
        match self.inner.sync() {
            Ok(()) => {
                *settled = logged;
                Ok(())
            }
            Err(error) => {
                self.failed.store(true, Ordering::Release);
                if logged > *settled {
                    ledger.poison("sync of a journal", &error);
                }
                Err(error)
            }
        }
    }

    /// Syncs the file itself if the log holds more of it than the device does.
    pub(super) fn settle(&self, ledger: &Ledger) -> io::Result<()> {
        if self.is_settled() { Ok(()) } else { self.sync(ledger) }
    }

    pub(super) fn is_settled(&self) -> bool {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        self.logged.load(Ordering::Acquire) == *settled
    }
}

/// What was written since the last sync.
#[derive(Debug)]
struct Pieces {
    /// Bodies of the records that say it.
    bodies: Vec<Vec<u8>>,
    bytes: usize,
    /// The file itself has to be synced: nothing that was written through this handle was yet, or too
    /// much was written since.
    ///
    /// An owner's first write puts zeros over a torn tail, and later writes go where those zeros are.
    /// Synced for real and not logged, it is never brought in over them. Whatever comes after it is
    /// written to each place once, but for durable marks, of which an older one does no harm.
    whole: bool,
    /// The last of its records in the log.
    ticket: u64,
}

/// A handle of a segment.
#[derive(Debug)]
pub(super) struct SegmentFile {
    seat: Arc<Seat>,
    segment: u32,
    file: Arc<JournalFile>,
    pieces: Mutex<Pieces>,
}

impl SegmentFile {
    pub(super) fn new(seat: Arc<Seat>, segment: u32, inner: Arc<dyn StorageFile>) -> Self {
        let pieces = Pieces { bodies: Vec::new(), bytes: 0, whole: true, ticket: 0 };
        let file = Arc::new(JournalFile::new(inner));
        Self { seat, segment, file, pieces: Mutex::new(pieces) }
    }

    pub(super) fn file(&self) -> &Arc<JournalFile> {
        &self.file
    }

    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageFile for SegmentFile {
    fn size(&self) -> io::Result<u64> {
        self.file.inner.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.inner.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.seat.check()?;
        self.file.inner.write_at(bytes, offset)?;
        let mut pieces = self.pieces();
        pieces.bytes = pieces.bytes.saturating_add(bytes.len());
        if pieces.bytes > self.seat.ledger().pieces_bytes_max() {
            pieces.whole = true;
            pieces.bodies = Vec::new();
        }
        if !pieces.whole {
            let offset = u32::try_from(offset).map_err(io::Error::other)?;
            let place = Written { segment: self.segment, offset, bytes };
            pieces.bodies.push(written(self.seat.terminal(), place));
        }
        Ok(())
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        self.seat.check()?;
        let mut pieces = self.pieces();
        self.file.inner.cut(size)?;
        // The log tells of writes only.
        pieces.whole = true;
        pieces.bodies = Vec::new();
        pieces.bytes = pieces.bytes.max(1);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let ticket = self.begin_sync()?;
        self.end_sync(ticket)
    }

    fn shares_syncs(&self) -> bool {
        true
    }

    fn begin_sync(&self) -> io::Result<u64> {
        self.seat.check()?;
        let mut pieces = self.pieces();
        if !pieces.whole && !pieces.bodies.is_empty() {
            // Counted first: whoever finds the record in a segment of the log finds the count too.
            self.file.logged.fetch_add(1, Ordering::AcqRel);
            self.seat.attach();
            if let Some(ticket) = self.seat.ledger().log(&pieces.bodies)? {
                pieces.ticket = ticket;
                pieces.bodies.clear();
                pieces.bytes = 0;
            } else {
                // The log has no room for more; the file has.
                pieces.whole = true;
            }
        }
        if pieces.whole {
            self.file.sync(self.seat.ledger())?;
            pieces.whole = pieces.bytes == 0;
            pieces.bodies = Vec::new();
            pieces.bytes = 0;
        }
        Ok(pieces.ticket)
    }

    fn end_sync(&self, ticket: u64) -> io::Result<()> {
        self.seat.ledger().wait(ticket)
    }

    fn forget_cached(&self, range: Range<u64>) -> io::Result<()> {
        self.file.inner.forget_cached(range)
    }
}
