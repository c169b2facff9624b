//! The terminal: one owner, one journal, one till.
//!
//! What lives here: the effects around the pure code of `sale` and `till`: the lock, opening and
//! recovery, making facts durable, reading old ones back. Invariants: I14 (one owner at a time; a
//! refused process has not written one byte), I15 (acknowledged implies durable, as far as the
//! durability mode says), I16 (replay gives the same state).
//!
//! One mutex orders all commands: decide, append, apply. Waiting for the device happens outside it,
//! so that everybody who waits shares one flush. Read `commands.rs` for what a host can do,
//! `commit.rs` for how a fact becomes durable, `open.rs` for what happens at start-up.

mod archive;
mod board;
mod claim;
mod commands;
mod commit;
mod config;
mod coordination;
mod expiry;
mod handover;
mod history;
mod id;
mod lock;
mod messages;
mod once;
mod open;
mod owner;
mod people;
mod pricing;
mod reports;
mod returns;
mod rules;
mod signing;
mod together;
mod transfers;

pub use archive::ArchiveReport;
pub use commands::{Begun, LineAdjustment, LineAnswer, Sold, TenderAnswer, VoidAnswer};
pub use commit::{Answer, Submitted};
pub use config::{Config, Durability};
pub use coordination::{Configured, Drain, Drained};
pub use handover::{SuspendAnswer, Waiting};
pub use history::{History, Recorded};
pub use id::TerminalId;
pub(crate) use lock::TerminalLock;
pub(crate) use lock::is_held;
pub use messages::{Broadcast, Outgoing};
pub use open::{Attendance, OpenOptions, RecoveryReport, terminal_dir};
pub(crate) use open::{absolute, fold_record, journal_dir, known_kind, random};
pub use owner::OwnerRecord;
pub use people::{Approved, Counted, Reprint, ShiftAnswer};
pub use pricing::{AdjustmentAnswer, PolicyAnswer};
pub use rules::RulesAnswer;
pub use transfers::{CashInTransit, CashReceived, CashSent};

use crate::clock::{Clock, Hlc, StepWatch};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::Currency;
use crate::sale::Receipt;
use crate::signing::ReceiptSignature;
use crate::store::{Desk, Seat};
use crate::till::{CurrencyTotals, TaxBook, Till};
use pos_kernel_wal::{Space, Stats, SyncLatency, Wal, WalPosition};
use returns::Returns;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// An open terminal. Safe to use from any thread.
///
/// Dropping it without [`Terminal::close`] is like a crash: the lock is freed, nothing is lost, and
/// the next owner recovers.
#[derive(Debug)]
pub struct Terminal {
    id: TerminalId,
    dir: PathBuf,
    durability: Durability,
    keys_max: usize,
    attendance: Attendance,
    clock: Arc<dyn Clock>,
    recovery: RecoveryReport,
    wal: Arc<Wal>,
    /// The place in a store process, and where flushes are asked for there.
    seat: Option<(Arc<Seat>, Arc<Desk>)>,
    history: History,
    /// Where sealed segments are archived.
    archive: PathBuf,
    /// One move at a time.
    archiving: Mutex<()>,
    core: Mutex<Core>,
    /// Held while something moves between terminals: one at a time.
    handover: Mutex<()>,
    /// Set once the terminal begins to end.
    drain: OnceLock<Drain>,
    /// How many messages this owner has sent; held while one is sent.
    sent: Mutex<u64>,
    /// How many messages this owner has accepted.
    accepted: AtomicU64,
    /// What has come back of what was sold, as far as it was looked up.
    returns: Mutex<Returns>,
}

#[derive(Debug)]
struct Core {
    till: Till,
    /// The last receipt before this owner: what a till that comes back asks for first.
    last_receipt: Option<Receipt>,
    hlc: Hlc,
    /// When something last happened to an open sale, by the monotonic clock.
    touched: BTreeMap<u64, u64>,
    opened_mono_ns: u64,
    watch: StepWatch,
    bodies: Vec<u8>,
    /// `None` once the terminal is closed.
    lock: Option<TerminalLock>,
    owner: OwnerRecord,
    signer: Option<signing::Attached>,
    /// The newest signatures.
    signatures: VecDeque<ReceiptSignature>,
}

/// Where a terminal stands.
#[derive(Debug, Clone)]
pub struct Status {
    /// Place in the journal.
    pub position: WalPosition,
    /// Open sales.
    pub open_sales: usize,
    /// Number of the next receipt.
    pub next_receipt: u64,
    /// Room for new work.
    pub space: Space,
    /// A disk failure has ended this terminal.
    pub poisoned: bool,
    /// How long the device's flushes take.
    pub sync_latency: SyncLatency,
}

impl Terminal {
    /// The terminal's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The root folder that it shares with the other terminals of its store.
    fn store(&self) -> &Path {
        self.dir.parent().and_then(Path::parent).unwrap_or(&self.dir)
    }

    /// When its calls are acknowledged.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// What was found when it was opened.
    #[must_use]
    pub fn recovery(&self) -> &RecoveryReport {
        &self.recovery
    }

    /// Perpetual totals by currency, in minor units.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn counters(&self) -> Result<Vec<(Currency, CurrencyTotals)>> {
        let core = self.lock()?;
        Ok(core.till.totals.iter().map(|(currency, totals)| (*currency, *totals)).collect())
    }

    /// Perpetual totals of each tax of a currency.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn tax_counters(&self, currency: Currency) -> Result<TaxBook> {
        Ok(self.lock()?.till.taxes.get(&currency).cloned().unwrap_or_default())
    }

    /// Where the terminal stands.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn status(&self) -> Result<Status> {
        let core = self.lock()?;
        Ok(Status {
            position: self.wal.position(),
            open_sales: core.till.open.len(),
            next_receipt: core.till.next_receipt,
            space: self.wal.space(),
            poisoned: self.wal.poison().is_some(),
            sync_latency: self.wal.sync_latency(),
        })
    }

    /// Writes, bytes and flushes since the terminal was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.wal.stats()
    }

    /// Reads what is in the journal already.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The state, for commands. A panic inside an earlier command leaves it in doubt; the journal
    /// is not, so the terminal refuses and is opened again.
    fn lock(&self) -> Result<MutexGuard<'_, Core>> {
        let Ok(core) = self.core.lock() else { return Err(self.in_doubt()) };
        if core.lock.is_none() {
            let message = format!("terminal {} is closed; open it again", self.id);
            return Err(Error::new(Code::Closed, message).with("terminal", self.id.as_str()));
        }
        Ok(core)
    }

    fn in_doubt(&self) -> Error {
        let message =
            format!("an earlier call on terminal {} panicked; close and open it again", self.id);
        Error::new(Code::Panic, message)
    }
}
