//! The store process: many registers in one process, one log in front of their journals.
//!
//! What lives here: the log that they share, the locks of the store, and what is done with a log that
//! a crash has left. What must not: anything that knows what a record of a journal means. A register
//! keeps its own journal, lock, receipt numbers and folder, the same bytes as in a process of its own;
//! so whatever reads journals reads these, and a store may change its deployment between two openings.
//!
//! ```text
//!  64 registers                     each: terminal -> wal -> Storage
//!      | write_at                                              | sync
//!  their segment files (cache)                       shared/store.wal   one flush for all that wait
//!      '----- synced when a segment of the log is given up <---'
//! ```
//! The log is a redo log. A write goes to the segment file at once, where it survives the death of the
//! process, and a sync appends what was written to the store's log and waits for that. Invariants:
//! a segment of the log is given up only after the files that it holds writes of were synced
//! (`ledger.rs`); the log's writes are brought in before anybody opens a journal that may lack them
//! (`settle.rs`, `lock.rs`); and a register that leaves says so durably before its lock is free, so
//! that they are never brought in over what came later (`seat.rs`). The first I/O error of the log, or
//! of a file that it stands in for, ends the whole store.
//!
//! Read `file.rs` first (what a sync is), then `ledger.rs` and `settle.rs`.

mod committer;
mod file;
mod ledger;
mod lock;
mod record;
mod seat;
mod settle;

pub(crate) use committer::Desk;
pub(crate) use seat::Seat;
pub(crate) use settle::{is_held_in_log, settle_left};

use crate::clock::{Clock, SystemClock};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::terminal::{OpenOptions, Terminal, TerminalId, absolute, journal_dir, random};
use committer::Committer;
use ledger::Ledger;
use lock::{Gate, StoreLock};
use pos_kernel_wal::OsStorage;
use pos_kernel_wal::storage::Storage;
use seat::SeatStorage;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

const LOG_NAME: &str = "STORE";
/// Large enough for the files to be synced seldom, small enough to be read in a moment.
const LOG_SEGMENT_BYTES: u32 = 16 << 20;

fn shared_dir(root: &Path) -> PathBuf {
    root.join("shared")
}

fn log_dir(root: &Path) -> PathBuf {
    shared_dir(root).join("store.wal")
}

/// How to open a store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
    pub root: Option<PathBuf>,
    /// Size of a segment of the log, for a new log; else 16 MiB.
    pub log_segment_bytes: Option<u32>,
    /// Runs the store's background threads.
    pub background: bool,
    /// Clock of the log.
    pub clock: Arc<dyn Clock>,
    /// File system of the log and of the journals.
    pub storage: Arc<dyn Storage>,
    /// Mixed into segment salts; drawn at random when absent.
    pub entropy: Option<u64>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            root: None,
            log_segment_bytes: None,
            background: true,
            clock: Arc::new(SystemClock),
            storage: Arc::new(OsStorage),
            entropy: None,
        }
    }
}

/// What a store did since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Device flushes of the log that registers waited for.
    pub log_flushes: u64,
    /// Device flushes of the log of all kinds.
    pub log_flushes_total: u64,
    /// Writes of the log.
    pub log_writes: u64,
    /// Bytes of those writes.
    pub log_bytes: u64,
    /// Syncs of registers that the log took.
    pub log_syncs: u64,
    /// Syncs of segment files themselves.
    pub file_syncs: u64,
    /// Oldest segment of the log.
    pub oldest_segment: u32,
    /// Segment of the log in use.
    pub segment: u32,
    /// Registers that are open.
    pub terminals: usize,
    /// A disk failure has ended the store.
    pub poisoned: bool,
}

/// What was found when a store was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreRecovery {
    /// The last owner had closed the store, or there was none.
    pub clean: bool,
    /// Terminals whose journals lacked nothing any more afterwards, with the writes brought in.
    pub terminals: BTreeMap<String, u64>,
}

/// An open store: one process, many registers. Safe to use from any thread.
///
/// Dropping it without [`Store::close`] is like a crash: nothing is lost, and the next one recovers.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    ledger: Arc<Ledger>,
    desk: Arc<Desk>,
    committer: Mutex<Option<Committer>>,
    terminals: Mutex<Vec<Weak<Terminal>>>,
    recovery: StoreRecovery,
}

impl Store {
    /// Opens a store: takes its lock and brings in what a crash has left in its log.
    ///
    /// Durable when it returns: every journal of the store holds what was acknowledged.
    ///
    /// # Errors
    /// `PK_E_STORE_IN_USE`; `PK_E_TERMINAL_IN_USE` while a process that has died still holds a
    /// register; `PK_E_CORRUPT`, `PK_E_MISSING_SEGMENT`, `PK_E_VERSION`; `PK_E_IO`, `PK_E_NO_SPACE`,
    /// `PK_E_BAD_ARGUMENT`.
    pub fn open(options: &StoreOptions) -> Result<Self> {
        let named = OpenOptions { root: options.root.clone(), ..OpenOptions::default() };
        let root = absolute(&named.resolve_root())?;
        let segment_bytes = options.log_segment_bytes.unwrap_or(LOG_SEGMENT_BYTES);
        let gate = Gate::pass(&root)?;
        let Some(mut lock) = StoreLock::take(&root, &gate)? else {
            return Err(StoreLock::refusal(&root));
        };
        lock.sign();
        let entropy = options.entropy.unwrap_or_else(random);
        let log_options = settle::log_options(options.background, segment_bytes, entropy);
        let (mut wal, mut hlc, settled) = settle::open(&options.storage, &root, log_options)?;
        settle::begin(&mut wal, &mut hlc, &*options.clock)?;
        drop(gate);
        let recovery = StoreRecovery {
            clean: settled.is_none(),
            terminals: settled.unwrap_or_default().terminals,
        };
        let effects = (options.storage.clone(), options.clock.clone());
        let ledger = Ledger::new(effects, (wal, hlc), lock, options.background);
        let desk = Arc::new(Desk::default());
        let committer = options.background.then(|| Committer::start(desk.clone()));
        Ok(Self {
            root,
            ledger,
            desk,
            committer: Mutex::new(committer),
            terminals: Mutex::new(Vec::new()),
            recovery,
        })
    }

    /// Opens a register of this store, as [`Terminal::open`] does. Its root is the store's.
    ///
    /// # Errors
    /// As [`Terminal::open`]; `PK_E_CLOSED` when the store is closed.
    pub fn open_terminal(&self, options: &OpenOptions) -> Result<Arc<Terminal>> {
        if self.committer().is_none() && self.ledger.check().is_err() {
            let message = "the store is closed, or has failed; open it again";
            return Err(Error::new(Code::Closed, message));
        }
        let options = OpenOptions { root: Some(self.root.clone()), ..options.clone() };
        let place = Place { ledger: self.ledger.clone(), desk: self.desk.clone() };
        let terminal = Arc::new(Terminal::open_in(&options, Some(&place))?);
        let mut terminals = self.terminals.lock().unwrap_or_else(PoisonError::into_inner);
        terminals.retain(|terminal| terminal.strong_count() > 0);
        terminals.push(Arc::downgrade(&terminal));
        Ok(terminal)
    }

    /// Closes every register and the store. Closing a closed store does nothing.
    ///
    /// # Errors
    /// The first that a register's close met, or the log; the locks are freed all the same.
    pub fn close(&self) -> Result<()> {
        let mut terminals = self.terminals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcome = Ok(());
        for terminal in std::mem::take(&mut *terminals).iter().filter_map(Weak::upgrade) {
            outcome = outcome.and(terminal.close());
        }
        drop(self.committer().take());
        outcome.and(self.ledger.close())
    }

    /// Root folder of the store, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was found when it was opened.
    #[must_use]
    pub fn recovery(&self) -> &StoreRecovery {
        &self.recovery
    }

    /// What it did since then.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let log = self.ledger.wal_stats();
        let (oldest_segment, segment) = self.ledger.wal().extent();
        let terminals = self.terminals.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |it: &&Weak<Terminal>| it.upgrade().is_some_and(|it| it.status().is_ok());
        StoreStats {
            log_flushes: log.flushes.record,
            log_flushes_total: log.flushes.total(),
            log_writes: log.writes,
            log_bytes: log.bytes,
            log_syncs: log.frames,
            file_syncs: self.ledger.file_syncs(),
            oldest_segment,
            segment,
            terminals: terminals.iter().filter(open).count(),
            poisoned: self.ledger.check().is_err(),
        }
    }

    fn committer(&self) -> std::sync::MutexGuard<'_, Option<Committer>> {
        self.committer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a register finds its seat.
#[derive(Debug)]
pub(crate) struct Place {
    ledger: Arc<Ledger>,
    desk: Arc<Desk>,
}

impl Place {
    /// A seat for a terminal whose lock is held, and the file system of its journal.
    pub(crate) fn seat(&self, terminal: &TerminalId, dir: &Path) -> (Arc<Seat>, Arc<dyn Storage>) {
        let seat = Seat::new(self.ledger.clone(), terminal.clone(), journal_dir(dir));
        (seat.clone(), Arc::new(SeatStorage(seat)))
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }
}

/// How many writes a store process that is gone has left for the journal of the terminal in `dir`;
/// `None` when nothing.
pub(crate) fn writes_left(disk: &Arc<dyn Storage>, dir: &Path) -> Result<Option<u64>> {
    let (Some(root), Some(name)) = (dir.parent().and_then(Path::parent), dir.file_name()) else {
        return Ok(None);
    };
    let left = settle::left_behind(disk, root)?;
    Ok(left.and_then(|left| left.terminals.get(&*name.to_string_lossy()).copied()))
}
