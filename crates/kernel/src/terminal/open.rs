//! Start-up and shut-down.
//!
//! ```text
//! open   check the id -> make the folder -> take the lock (refused: nothing written) -> settings
//!        -> read the journal's tail -> fold it -> owner record -> one frame: opened, and what a
//!        crash left (durable) -> ready
//! close  one frame: closed (durable) -> durable mark -> owner record released -> free the lock
//! ```
//! Open sales stay open over a close and come back flagged: the kernel never guesses.

use super::config::{Config, Durability};
use super::history::History;
use super::id::{ID_VARIABLE, TerminalId};
use super::lock::TerminalLock;
use super::owner::OwnerRecord;
use super::{Core, Terminal};
use crate::archive::ARCHIVES;
use crate::clock::{Clock, Hlc, StepWatch, SystemClock, iso_utc};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    BODY_VERSION, Cut, DecodeError, Fact, Owner, RecordKind, TerminalClosed, TerminalOpened,
    body_of, keys_of, restore, snapshot,
};
use crate::limits::{KEYS_MAX, SEGMENT_BYTES_PER_KEY};
use crate::sale::{Receipt, ReceiptMeta};
use crate::signing::Signing;
use crate::store::{Desk, Place, Seat, is_held_in_log, settle_left};
use crate::till::{Check, KeyWindow, Till};
use pos_kernel_wal::storage::Storage;
use pos_kernel_wal::{
    FlushCause, Frame, Options, OsStorage, Record, RecordView, Replay, Wal, WalError, format,
};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// Names the root folder when no option does.
const ROOT_VARIABLE: &str = "POS_KERNEL_ROOT";
/// How long a store process that is dying is given between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const ROOT_DEFAULT: &str = "./pos_kernel_data";

/// What has to be there before a sale may begin. A terminal asks for nothing by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attendance {
    /// An operator is signed on: for sales, the drawer, reports and copies.
    pub operator: bool,
    /// A shift is open: for sales.
    pub shift: bool,
}

/// How to open a terminal.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
    pub root: Option<PathBuf>,
    /// Terminal id; else `POS_TERMINAL_ID`, else `terminalId` in the root's `local_config.json`.
    pub id: Option<String>,
    /// When calls are acknowledged; else the terminal's `local_config.json`, else `record`.
    pub durability: Option<Durability>,
    /// Size of a journal segment, for a new journal; else the configuration, else 4 MiB.
    pub segment_bytes: Option<u32>,
    /// Version of the host layer, for the owner record.
    pub host_version: Option<String>,
    /// Makes the terminal when it does not exist.
    pub create: bool,
    /// What a sale needs.
    pub attendance: Attendance,
    /// Runs the log's background thread.
    pub background: bool,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Whether receipts are signed, and by whom.
    pub signing: Signing,
    /// Folder in which each terminal has the folder of its archive; else `archive` in the root.
    pub archive: Option<PathBuf>,
    /// File system of the journal.
    pub storage: Arc<dyn Storage>,
    /// Mixed into segment salts; drawn at random when absent.
    pub entropy: Option<u64>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            root: None,
            id: None,
            durability: None,
            segment_bytes: None,
            host_version: None,
            create: true,
            attendance: Attendance::default(),
            background: true,
            clock: Arc::new(SystemClock),
            signing: Signing::Off,
            archive: None,
            storage: Arc::new(OsStorage),
            entropy: None,
        }
    }
}

impl OpenOptions {
    /// The root folder that these options mean.
    #[must_use]
    pub fn resolve_root(&self) -> PathBuf {
        match (&self.root, std::env::var_os(ROOT_VARIABLE)) {
            (Some(root), _) => root.clone(),
            (None, Some(root)) if !root.is_empty() => PathBuf::from(root),
            _ => PathBuf::from(ROOT_DEFAULT),
        }
    }

    fn resolve_id(&self, root: &Path) -> Result<TerminalId> {
        if let Some(id) = &self.id {
            return TerminalId::parse(id);
        }
        if let Ok(id) = std::env::var(ID_VARIABLE)
            && !id.is_empty()
        {
            return TerminalId::parse(&id);
        }
        match Config::load(root)?.terminal_id {
            Some(id) => TerminalId::parse(&id),
            None => Err(Error::new(
                Code::BadId,
                format!(
                    "no terminal id: give the option `id`, set {ID_VARIABLE}, or put \
                     {{\"terminalId\": \"REGISTER_01\"}} into {}",
                    root.join("local_config.json").display()
                ),
            )),
        }
    }
}

/// What was found when a terminal was opened.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryReport {
    /// The last owner had closed the terminal, or there was none.
    pub clean: bool,
    /// The terminal did not exist before.
    pub first_open: bool,
    /// Epoch of the new owner.
    pub epoch: u32,
    /// The last owner, where a record of it was found.
    pub previous_owner: Option<OwnerRecord>,
    /// The torn tail that was cut.
    pub cut: Option<Cut>,
    /// Sales that came back open.
    pub sales: Vec<u64>,
    /// Records that were replayed.
    pub records: u64,
    /// Newest sequence that the journal itself proved durable.
    pub durable_sequence: u64,
}

/// Folder of a terminal.
#[must_use]
pub fn terminal_dir(root: &Path, id: &TerminalId) -> PathBuf {
    root.join("terminals").join(id.as_str())
}

/// Folder of a terminal's journal.
#[must_use]
pub(crate) fn journal_dir(terminal: &Path) -> PathBuf {
    terminal.join("transaction.wal")
}

impl Terminal {
    /// Opens a terminal and recovers what its last owner left.
    ///
    /// Durable when it returns: the opening, with what was recovered, is in the journal.
    ///
    /// # Errors
    /// `PK_E_BAD_ID`, `PK_E_BAD_CONFIG`, `PK_E_BAD_ARGUMENT`; `PK_E_TERMINAL_IN_USE` with the
    /// owner's facts; `PK_E_NOT_FOUND` with `create` off; `PK_E_CORRUPT`, `PK_E_CHAIN_BROKEN`,
    /// `PK_E_VERSION`, `PK_E_INCONSISTENT`; `PK_E_IO`, `PK_E_NO_SPACE`; `PK_E_KEY_FILE` with a
    /// software signer.
    pub fn open(options: &OpenOptions) -> Result<Self> {
        Self::open_in(options, None)
    }

    /// Opens a terminal, in a store process or by itself.
    pub(crate) fn open_in(options: &OpenOptions, place: Option<&Place>) -> Result<Self> {
        let root = absolute(&options.resolve_root())?;
        let id = options.resolve_id(&root)?;
        options.segment_bytes.map_or(Ok(()), check_segment_bytes)?;
        let dir = terminal_dir(&root, &id);
        if options.create {
            make_dir(&root, &dir)?;
        } else if !dir.is_dir() {
            let message = format!("there is no terminal {id} in {}", root.display());
            return Err(Error::new(Code::NotFound, message).with("terminal", id.as_str()));
        }
        let Some(place) = place else {
            let mut lock = Some(take_settled(options, &root, &id, &dir)?);
            return Self::open_locked(options, (root, id, dir), &mut lock, None);
        };
        let mut lock = Some(TerminalLock::take(&dir, id.as_str())?);
        let (seat, storage) = place.seat(&id, &dir);
        let options = OpenOptions { storage: storage.clone(), ..options.clone() };
        let journal = journal_dir(&dir);
        let seated = Some((seat.clone(), place.desk().clone()));
        let opened = Self::open_locked(&options, (root, id, dir), &mut lock, seated);
        if let (Err(_), Some(lock)) = (&opened, lock)
            && storage.release(&journal).is_err()
        {
            seat.keep(lock);
        }
        opened
    }

    /// Opens the terminal whose lock is held, and takes the lock once nothing can be refused.
    fn open_locked(
        options: &OpenOptions,
        (root, id, dir): (PathBuf, TerminalId, PathBuf),
        lock: &mut Option<TerminalLock>,
        seat: Option<(Arc<Seat>, Arc<Desk>)>,
    ) -> Result<Self> {
        let config = Config::load(&dir)?;
        let durability = options.durability.or(config.durability).unwrap_or_default();
        let previous_owner = OwnerRecord::load(&dir);
        let mut wal_options = Options::new(id.as_str());
        wal_options.background = options.background;
        wal_options.entropy = options.entropy.unwrap_or_else(random);
        if let Some(bytes) = options.segment_bytes.or(config.segment_bytes) {
            wal_options.segment_bytes = bytes;
        }
        let journal = journal_dir(&dir);
        let opened = Wal::open(options.storage.clone(), &journal, wal_options)?;
        let mut wal = opened.wal;
        let keys_max = KEYS_MAX.min(wal.segment_bytes() as usize / SEGMENT_BYTES_PER_KEY);
        let Folded { mut till, records, last_receipt } = fold(&opened.replay, keys_max)?;
        let replay = opened.replay;
        let mut recovery = RecoveryReport {
            clean: replay.clean,
            first_open: replay.is_new(),
            epoch: 0,
            previous_owner,
            cut: replay.cut.as_ref().map(|cut| Cut {
                segment: cut.segment,
                offset: cut.offset,
                bytes: cut.bytes,
                kept_as: cut.kept_as.clone(),
            }),
            sales: till.open.keys().copied().collect(),
            records,
            durable_sequence: replay.durable_sequence,
        };
        let mut hlc = Hlc::after(replay.stamp.hlc);
        let mut watch = StepWatch::after((!replay.is_new()).then_some(replay.stamp.wall_ns));
        let previous_epoch = replay.epoch;
        drop(replay);
        let stamp = hlc.stamp(&*options.clock);
        watch.see(stamp);
        let mut owner =
            OwnerRecord::of_this_process(options.host_version.clone(), iso_utc(stamp.wall_ns));
        owner.epoch = previous_epoch + 1;
        owner.save(&dir)?;
        let fact = opened_fact(&owner, &recovery, stamp.wall_ns);
        let body = body_of(&fact);
        let previous_segment = wal.position().segment;
        let checkpoint = snapshot(&till);
        let checkpoint: Vec<Record<'_>> =
            checkpoint.iter().map(|(kind, body)| record(*kind, body)).collect();
        let appended =
            wal.start(stamp, &checkpoint, &[record(RecordKind::TerminalOpened, &body)])?;
        till.apply(&fact, &body, appended.last_sequence, stamp.wall_ns, Check::Live)
            .expect("an opening contradicts nothing");
        let position = wal.position();
        recovery.epoch = position.epoch;
        if position.segment != previous_segment {
            till.keys.saved();
        }
        let archives = options.archive.clone().unwrap_or_else(|| root.join(ARCHIVES));
        let archive = absolute(&archives)?.join(id.as_str());
        let history = History::new(options.storage.clone(), journal);
        let history = history.with_archives([archive.clone()]);
        let core = Core {
            till,
            last_receipt,
            hlc,
            watch,
            touched: BTreeMap::new(),
            opened_mono_ns: stamp.mono_ns,
            bodies: Vec::new(),
            lock: lock.take(),
            owner,
            signer: None,
            signatures: VecDeque::new(),
        };
        let terminal = Self {
            id,
            dir,
            durability,
            keys_max,
            attendance: options.attendance,
            clock: options.clock.clone(),
            recovery,
            wal: Arc::new(wal),
            seat,
            history,
            archive,
            archiving: Mutex::new(()),
            core: Mutex::new(core),
            handover: Mutex::new(()),
            drain: OnceLock::new(),
            sent: Mutex::new(0),
            accepted: AtomicU64::new(0),
            returns: Mutex::default(),
        };
        terminal.begin_signing(&options.signing)?;
        // What another terminal left in the store must not keep this one from selling; the same
        // call by hand says what is wrong.
        let _ = terminal.collect_transfers();
        terminal.join_store();
        Ok(terminal)
    }

    /// Closes the terminal: everything is durable, marked, and the lock is free. Sales that are
    /// still open stay so and come back when the terminal is opened again. Closing a closed
    /// terminal does nothing.
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`, `PK_E_POISONED`, `PK_E_IO`; the lock is freed all the same.
    pub fn close(&self) -> Result<()> {
        let mut core = match self.core.lock() {
            Ok(core) => core,
            Err(poisoned) => {
                // The state is in doubt after a panic: free the lock, and let the next owner fold.
                let mut core = poisoned.into_inner();
                let lock = core.lock.take();
                return self.leave(lock);
            }
        };
        if core.lock.is_none() {
            return Ok(());
        }
        let mut outcome = self.end(&mut core);
        self.wal.shutdown();
        if outcome.is_ok() {
            self.write_session(&core, "closed");
            core.owner.draining = false;
            core.owner.released = true;
            outcome = core.owner.save(&self.dir);
        }
        let lock = core.lock.take();
        let left = self.leave(lock);
        self.leave_store();
        outcome.and(left)
    }

    /// Ends the log and frees the lock. A lock behind which a store's log may still be brought in
    /// stays with the store.
    fn leave(&self, lock: Option<TerminalLock>) -> Result<()> {
        let left = self.wal.release();
        if let (Err(_), Some(lock), Some((seat, _))) = (&left, lock, &self.seat) {
            seat.keep(lock);
        }
        Ok(left?)
    }

    fn end(&self, core: &mut Core) -> Result<()> {
        self.sign_end(core);
        let sales = core.till.open.keys().copied().collect();
        let fact = Fact::from(TerminalClosed { sales });
        let sequence = self.append(core, &[fact], format::FLAG_OWNER_ENDS)?.last_sequence;
        self.wal.wait_durable(sequence, FlushCause::Close)?;
        self.wal.mark()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let core = self.core.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = core.lock.take() {
            let _ = self.leave(Some(lock));
        }
    }
}

pub(super) fn record(kind: RecordKind, body: &[u8]) -> Record<'_> {
    Record { kind: kind as u16, flags: BODY_VERSION, body }
}

fn opened_fact(owner: &OwnerRecord, recovery: &RecoveryReport, started_ns: i64) -> Fact {
    let shown = |owner: &OwnerRecord, started_ns| Owner {
        pid: owner.pid,
        host: owner.host.clone(),
        version: owner.version.clone(),
        started_ns,
        host_version: owner.host_version.clone(),
    };
    // The previous owner's record says when it began in text; here its number is not repeated.
    Fact::from(TerminalOpened {
        owner: shown(owner, started_ns),
        clean: recovery.clean,
        previous: recovery.previous_owner.as_ref().map(|previous| shown(previous, 0)),
        cut: recovery.cut.clone(),
        sales: recovery.sales.clone(),
    })
}

struct Folded {
    till: Till,
    records: u64,
    last_receipt: Option<Receipt>,
}

/// Folds the journal's tail, from its last checkpoint on.
fn fold(replay: &Replay, keys_max: usize) -> Result<Folded> {
    let mut frames = replay.frames();
    let Some(checkpoint) = frames.next() else {
        return Ok(Folded { till: Till::new(keys_max), records: 0, last_receipt: None });
    };
    let mut till = restore(bodies(&checkpoint)?).map_err(unusable(&checkpoint))?;
    let mut keys: Option<KeyWindow> = None;
    for earlier in replay.earlier_checkpoints() {
        let newer = keys_of(bodies(&earlier)?).map_err(unusable(&earlier))?;
        match &mut keys {
            Some(keys) => keys.extend(&newer),
            None => keys = Some(newer),
        }
    }
    if let Some(mut keys) = keys {
        keys.extend(&till.keys);
        till.keys = keys;
    }
    let mut records = 0;
    let mut last_completion = None;
    for frame in frames {
        let at_ns = frame.header.stamp.wall_ns;
        for record in frame.records() {
            fold_record(&mut till, record, at_ns)?;
            records += 1;
            if record.kind == RecordKind::SaleCompleted as u16 {
                let sequence = record.sequence;
                last_completion = Some(ReceiptMeta { sequence, at_ns, hash: frame.link() });
            }
        }
    }
    let last_receipt = last_completion.and_then(|meta| {
        let sale = till.last_settled(|sale| sale.completion().is_some())?;
        Receipt::of(sale.clone(), meta)
    });
    Ok(Folded { till, records, last_receipt })
}

/// The bodies of a checkpoint, unless a newer version wrote it.
fn bodies<'a>(checkpoint: &Frame<'a>) -> Result<impl Iterator<Item = (u16, &'a [u8])> + use<'a>> {
    checkpoint.records().try_for_each(|record| known_kind(record).map(drop))?;
    Ok(checkpoint.records().map(|record| (record.kind, record.body)))
}

fn unusable(checkpoint: &Frame<'_>) -> impl Fn(DecodeError) -> Error + use<> {
    let sequence = checkpoint.header.sequence;
    move |error| inconsistent(sequence, &format!("the checkpoint cannot be used: {error}"))
}

pub(crate) fn fold_record(till: &mut Till, record: RecordView<'_>, wall_ns: i64) -> Result<()> {
    let Some(fact) = decode(record)? else { return Ok(()) };
    till.apply(&fact, record.body, record.sequence, wall_ns, Check::Replay)
        .map_err(|error| inconsistent(record.sequence, &error.0))
}

/// Reads a record's fact; `None` for the log's own records and for checkpoints.
pub(crate) fn decode(record: RecordView<'_>) -> Result<Option<Fact>> {
    let kind = known_kind(record)?;
    Fact::decode(kind, record.body)
        .map_err(|error| inconsistent(record.sequence, &format!("{}: {error}", kind.name())))
}

/// The kind of a record, unless a newer version wrote it.
pub(crate) fn known_kind(record: RecordView<'_>) -> Result<RecordKind> {
    let newer = |what: String| {
        let message = format!("record {} {what}; use the version that wrote it", record.sequence);
        Error::new(Code::Version, message).with("sequence", record.sequence)
    };
    let Some(kind) = RecordKind::from_number(record.kind) else {
        return Err(newer(format!("has the kind {}, which is not known", record.kind)));
    };
    if kind != RecordKind::Seal && record.flags != BODY_VERSION {
        return Err(newer(format!("has body version {}, not {BODY_VERSION}", record.flags)));
    }
    Ok(kind)
}

pub(crate) fn inconsistent(sequence: u64, found: &str) -> Error {
    let message =
        format!("record {sequence} contradicts the journal before it: {found}; run verify");
    Error::new(Code::Inconsistent, message).with("sequence", sequence).with("found", found)
}

/// Takes the lock of a terminal that this process opens by itself, with everything in the journals
/// of its store that a store process has acknowledged.
fn take_settled(
    options: &OpenOptions,
    root: &Path,
    id: &TerminalId,
    dir: &Path,
) -> Result<TerminalLock> {
    loop {
        let entropy = options.entropy.unwrap_or_else(random);
        settle_left(&options.storage, root, &*options.clock, entropy)?;
        let lock = TerminalLock::take(dir, id.as_str())?;
        if !is_held_in_log(&options.storage, root, id)? {
            return Ok(lock);
        }
        // The store process is dying, and has freed this lock before its own: it will be gone.
        drop(lock);
        thread::sleep(LOOK_AGAIN);
    }
}

/// The root wherever the process goes: a host that changes its working folder must not have its
/// lock in one folder and its next segment in another.
pub(crate) fn absolute(root: &Path) -> Result<PathBuf> {
    std::path::absolute(root).map_err(|error| Error::io("find", root, &error))
}

/// Checked before anything is made; the log checks what a configuration file says once more.
fn check_segment_bytes(bytes: u32) -> Result<()> {
    let range = format::SEGMENT_BYTES_MIN..=format::SEGMENT_BYTES_MAX;
    let bytes_given = bytes as usize;
    if range.contains(&bytes_given) && bytes_given.is_multiple_of(format::BLOCK_BYTES) {
        return Ok(());
    }
    let range = "65536 to 1073741824 in steps of 4096";
    Err(WalError::Option { name: "segment_bytes", value: bytes.into(), range }.into())
}

/// Makes a terminal's folder, with every new entry above it durable.
fn make_dir(root: &Path, dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, &error))?;
    let above = [root.parent(), Some(root), dir.parent()];
    for folder in above.into_iter().flatten().filter(|folder| !folder.as_os_str().is_empty()) {
        OsStorage.sync_dir(folder).map_err(|error| Error::io("sync", folder, &error))?;
    }
    Ok(())
}

pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
