//! Bringing in what a store's log holds and the journals may lack.
//!
//! ```text
//! read the log -> of each terminal, what was written after its last detachment -> take its lock
//! -> write it to the same places -> sync those files -> note it durably -> free the locks
//! ```
//! Each step may be done again: the same bytes go to the same places, and until the note is durable
//! nobody opens one of these terminals, since whoever would passes the gate first.

use super::lock::{Gate, PATIENCE, StoreLock};
use super::record::{self, Entry, Written};
use super::{LOG_NAME, log_dir, shared_dir};
use crate::clock::{Clock, Hlc};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::terminal::{TerminalId, TerminalLock, journal_dir, terminal_dir};
use pos_kernel_wal::storage::{Access, Storage, StorageFile};
use pos_kernel_wal::{
    FlushCause, Links, Opened, Options, ProblemKind, Reader, RecordView, Replay, SegmentScan, Wal,
    WalError, format, segment_path,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What a log held of its terminals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// The terminals, with how many writes were brought in for each.
    pub(super) terminals: BTreeMap<String, u64>,
}

/// Options of a store's log.
pub(super) fn log_options(background: bool, segment_bytes: u32, entropy: u64) -> Options {
    let links = Links::Heads;
    Options { segment_bytes, background, entropy, links, ..Options::new(LOG_NAME) }
}

/// Brings in what a store process that is gone has left. Returns once every journal in the store
/// shows all that was acknowledged; at once where there never was a store process.
pub(crate) fn settle_left(
    disk: &Arc<dyn Storage>,
    root: &Path,
    clock: &dyn Clock,
    entropy: u64,
) -> Result<()> {
    if is_absent(&**disk, root) {
        return Ok(());
    }
    let gate = Gate::pass(root)?;
    // A living store process is past its own recovery, since it no longer holds the gate.
    let Some(_lock) = StoreLock::take(root, &gate)? else { return Ok(()) };
    let options = log_options(false, super::LOG_SEGMENT_BYTES, entropy);
    let (mut wal, mut hlc, settled) = open(disk, root, options)?;
    if settled.is_none() {
        return Ok(());
    }
    begin(&mut wal, &mut hlc, clock)?;
    let closed = record::record(record::CLOSED, &[]);
    let appended = wal.append(hlc.stamp(clock), format::FLAG_OWNER_ENDS, &[closed])?;
    wal.wait_durable(appended.last_sequence, FlushCause::Close)?;
    wal.mark()?;
    Ok(())
}

/// Opens the log of a store and brings in what it holds. `None` when the log was closed in order.
pub(super) fn open(
    disk: &Arc<dyn Storage>,
    root: &Path,
    options: Options,
) -> Result<(Wal, Hlc, Option<Settled>)> {
    let dir = log_dir(root);
    let Opened { wal, replay } = Wal::open(disk.clone(), &dir, options).map_err(of_the_log)?;
    let hlc = Hlc::after(replay.stamp.hlc);
    if replay.clean {
        return Ok((wal, hlc, None));
    }
    let older = older_segments(disk, &dir, wal.position().segment)?;
    let settled = bring_in(&**disk, root, &older, &replay)?;
    Ok((wal, hlc, Some(settled)))
}

/// Begins an owner's time in a log whose writes are all in their journals, and says so durably.
pub(super) fn begin(wal: &mut Wal, hlc: &mut Hlc, clock: &dyn Clock) -> Result<()> {
    let checkpoint = record::record(record::CHECKPOINT, &[]);
    let opened = record::record(record::OPENED, &[]);
    wal.start(hlc.stamp(clock), &[checkpoint], &[opened])?;
    let (_, current) = wal.extent();
    wal.retire(current)?;
    Ok(())
}

/// The segments of the log before the one in use, whole and in one chain.
fn older_segments(disk: &Arc<dyn Storage>, dir: &Path, current: u32) -> Result<Vec<SegmentScan>> {
    let reader = Reader::linked_by(Links::Heads, disk.clone(), dir)?;
    let Some(reader) = reader else { return Ok(Vec::new()) };
    let mut scans: Vec<SegmentScan> = Vec::new();
    for segment in reader.segments().filter(|segment| *segment < current) {
        let scan = reader.scan(segment, true)?;
        let scan = scan.map_err(|problem| damaged(problem.segment, &problem.message))?;
        let mut problems = scan.problems.iter();
        if let Some(problem) = problems.find(|it| it.kind != ProblemKind::Mark) {
            return Err(damaged(problem.segment, &problem.message));
        }
        if let Some(problem) = scans.last().and_then(|last| scan.ends().follows(&last.ends())) {
            return Err(damaged(problem.segment, &problem.message));
        }
        scans.push(scan);
    }
    Ok(scans)
}

type Writes<'a> = BTreeMap<TerminalId, Vec<Written<'a>>>;

/// What was written of each terminal after its last detachment.
fn live_writes<'a>(records: impl Iterator<Item = RecordView<'a>>) -> Result<Writes<'a>> {
    let mut writes = Writes::new();
    for view in records {
        match record::read(view) {
            Ok(Entry::Written(terminal, written)) => {
                writes.entry(terminal).or_default().push(written);
            }
            Ok(Entry::Detached(terminal)) => drop(writes.remove(&terminal)),
            Ok(Entry::Opened) => writes.clear(),
            Ok(Entry::Other) => {}
            Err(found) => {
                let message = format!(
                    "record {} of the store's log cannot be used: {found}; use the version that \
                     wrote it",
                    view.sequence
                );
                return Err(Error::new(Code::Version, message).with("sequence", view.sequence));
            }
        }
    }
    Ok(writes)
}

fn bring_in(
    disk: &dyn Storage,
    root: &Path,
    older: &[SegmentScan],
    replay: &Replay,
) -> Result<Settled> {
    let older = older.iter().flat_map(SegmentScan::frames).flat_map(|frame| frame.records());
    let writes = live_writes(older.chain(replay.records()))?;
    let mut settled = Settled::default();
    for (terminal, writes) in writes {
        let dir = terminal_dir(root, &terminal);
        let _lock = lock_of(&dir, &terminal)?;
        write_all(disk, &journal_dir(&dir), &terminal, &writes)?;
        settled.terminals.insert(terminal.as_str().to_owned(), writes.len() as u64);
    }
    Ok(settled)
}

/// The lock of a terminal. Only a process that is ending can still hold it.
fn lock_of(dir: &Path, terminal: &TerminalId) -> Result<TerminalLock> {
    fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, &error))?;
    let begun = Instant::now();
    loop {
        match TerminalLock::take(dir, terminal.as_str()) {
            Err(error) if error.code() == Code::TerminalInUse && begun.elapsed() < PATIENCE / 2 => {
                thread::sleep(LOOK_AGAIN);
            }
            taken => return taken,
        }
    }
}

fn write_all(
    disk: &dyn Storage,
    journal: &Path,
    terminal: &TerminalId,
    writes: &[Written<'_>],
) -> Result<()> {
    let oldest = oldest_segment(disk, journal)?;
    let mut files: BTreeMap<u32, Arc<dyn StorageFile>> = BTreeMap::new();
    let mut archived = BTreeSet::new();
    for written in writes {
        if archived.contains(&written.segment) {
            continue;
        }
        let path = segment_path(journal, written.segment);
        let file = match files.get(&written.segment) {
            Some(file) => file.clone(),
            None => match disk.open(&path, Access::Write) {
                Ok(file) => {
                    files.insert(written.segment, file.clone());
                    file
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if written.segment >= oldest {
                        return Err(missing(terminal, written.segment));
                    }
                    // It stands in the archive, where nothing goes that was not synced.
                    archived.insert(written.segment);
                    continue;
                }
                Err(error) => return Err(Error::io("open", &path, &error)),
            },
        };
        let placed = file.write_at(written.bytes, u64::from(written.offset));
        placed.map_err(|error| Error::io("write", &path, &error))?;
    }
    for (segment, file) in files {
        let path = segment_path(journal, segment);
        file.sync().map_err(|error| Error::io("sync", &path, &error))?;
    }
    Ok(())
}

/// The oldest segment that a journal still has to have.
fn oldest_segment(disk: &dyn Storage, journal: &Path) -> Result<u32> {
    let oldest = pos_kernel_wal::oldest_segment(disk, journal)?;
    Ok(oldest.unwrap_or(1))
}

fn missing(terminal: &TerminalId, segment: u32) -> Error {
    let message = format!(
        "the store's log holds writes for segment {segment} of terminal {terminal}, and that file \
         is gone. Nothing was changed: bring the terminal's folder back, and call for help"
    );
    Error::new(Code::MissingSegment, message)
        .with("terminal", terminal.as_str())
        .with("segment", segment)
}

fn damaged(segment: u32, found: &str) -> Error {
    let message = format!(
        "the log of the store is damaged in segment {segment}: {found}. Nothing was changed: copy \
         the folder shared/store.wal, and call for help"
    );
    Error::new(Code::Corrupt, message).with("segment", segment).with("found", found)
}

fn of_the_log(error: WalError) -> Error {
    match error {
        WalError::Damaged(damage) => damaged(damage.segment, damage.found),
        error => error.into(),
    }
}

/// What a store process that is gone has left for the journals; `None` when there is nothing, or a
/// living one has the store. Takes the store's locks for a moment and writes nothing else.
pub(super) fn left_behind(disk: &Arc<dyn Storage>, root: &Path) -> Result<Option<Settled>> {
    if is_absent(&**disk, root) {
        return Ok(None);
    }
    let gate = Gate::pass(root)?;
    if StoreLock::take(root, &gate)?.is_none() {
        return Ok(None);
    }
    let terminals = held_in_log(disk, root)?;
    Ok((!terminals.is_empty()).then_some(Settled { terminals }))
}

/// True when the log holds writes of a terminal that has not been detached. Asked by who has just
/// taken the terminal's lock beside a store process: a living one has detached it, and one that is
/// dying may have freed the terminal's lock before the store's.
pub(crate) fn is_held_in_log(
    disk: &Arc<dyn Storage>,
    root: &Path,
    terminal: &TerminalId,
) -> Result<bool> {
    if is_absent(&**disk, root) {
        return Ok(false);
    }
    Ok(held_in_log(disk, root)?.contains_key(terminal.as_str()))
}

/// True when no store process ever had the store: there is no log, nor where one could be.
fn is_absent(disk: &dyn Storage, root: &Path) -> bool {
    let kind = |dir: &Path| disk.list(dir).err().map(|error| error.kind());
    match kind(&log_dir(root)) {
        Some(io::ErrorKind::NotFound) => true,
        Some(io::ErrorKind::NotADirectory) => {
            kind(&shared_dir(root)) == Some(io::ErrorKind::NotADirectory)
        }
        _ => false,
    }
}

/// The terminals that the log holds writes of, as it stands. An owner may be writing it.
fn held_in_log(disk: &Arc<dyn Storage>, root: &Path) -> Result<BTreeMap<String, u64>> {
    let Some(reader) = Reader::linked_by(Links::Heads, disk.clone(), &log_dir(root))? else {
        return Ok(BTreeMap::new());
    };
    let mut scans = Vec::new();
    for segment in reader.segments() {
        match reader.scan(segment, false)? {
            Ok(scan) => scans.push(scan),
            // It was given up meanwhile, and with it what it held.
            Err(problem) if problem.kind == ProblemKind::Missing => {}
            Err(problem) => return Err(damaged(problem.segment, &problem.message)),
        }
    }
    let frames = || scans.iter().flat_map(SegmentScan::frames);
    let last = frames().next_back();
    if last.is_none_or(|frame| frame.header.flags & format::FLAG_OWNER_ENDS != 0) {
        return Ok(BTreeMap::new());
    }
    let writes = live_writes(frames().flat_map(|frame| frame.records()))?;
    Ok(writes.into_iter().map(|(id, writes)| (id.to_string(), writes.len() as u64)).collect())
}
