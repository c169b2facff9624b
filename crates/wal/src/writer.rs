//! The writer: append, roll to the next segment, begin and end an owner's time.
//!
//! Appending encodes a frame in memory and is not a promise. `write_out` hands it to the operating
//! system (it survives `kill -9`), [`Wal::wait_durable`] to the device (it survives a power cut);
//! both live in `group.rs`. A lone append costs exactly one write and one sync.

use crate::error::{IoFault, WalError};
use crate::format::{
    BLOCK_BYTES, FLAG_CHECKPOINT, FLAG_OWNER_BEGINS, FLAG_SEAL, FRAME_RECORDS_MAX, FRAMES_START,
    KIND_SEAL, Link, Links, NAME_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SegmentHeader,
    Stamp, frame_bytes,
};
use crate::group::{Flush, Shared, StartedSync};
use crate::keeper::Keeper;
use crate::manifest::Manifest;
use crate::recover::{self, Opened, Tail};
use crate::segment;
use crate::state::{Active, Point, SEAL_BYTES, Spare, State};
use crate::storage::Storage;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes written since the last checkpoint after which the next is due, at the least.
const CHECKPOINT_BYTES: usize = 256 * 1024;
/// Log written since the last checkpoint, in sizes of that checkpoint, before the next is due.
const CHECKPOINT_SHARE: usize = 4;
/// The next segment is prepared when the log is idle, or once less than this share of this one is
/// left: not while a till opens or begins a segment, when a customer waits.
const PREPARE_SHARE: usize = 2;
/// Without a prepared segment, new work is refused once less than this share of a segment is left.
const ROOM_SHARE: usize = 4;

/// How a log is laid out and kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the journal, written into every segment; 1 to 32 bytes.
    pub name: String,
    /// Size of a segment file: a multiple of 4096, 64 KiB to 1 GiB. Existing segments keep theirs.
    pub segment_bytes: u32,
    /// Runs a thread that prepares segments, marks an idle log durable and serves `request_flush`.
    pub background: bool,
    /// An idle log is marked durable after this time.
    pub idle_mark: Duration,
    /// Mixed into the salts of new segments.
    pub entropy: u64,
    /// What its links cover.
    pub links: Links,
}

impl Options {
    /// Four MiB segments, background thread, marks after 50 ms.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            segment_bytes: 4 << 20,
            background: true,
            idle_mark: Duration::from_millis(50),
            entropy: 0,
            links: Links::Records,
        }
    }

    pub(crate) fn check(&self) -> Result<(), WalError> {
        let name_bytes = self.name.len();
        if name_bytes == 0 || name_bytes > NAME_BYTES_MAX {
            let value = name_bytes as u64;
            return Err(WalError::Option { name: "name bytes", value, range: "1 to 32" });
        }
        let bytes = self.segment_bytes as usize;
        if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&bytes)
            || !bytes.is_multiple_of(BLOCK_BYTES)
        {
            return Err(WalError::Option {
                name: "segment_bytes",
                value: bytes as u64,
                range: "65536 to 1073741824 in steps of 4096",
            });
        }
        Ok(())
    }
}

/// One record to append.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Kind, 16 or above.
    pub kind: u16,
    /// The caller's flags.
    pub flags: u8,
    /// The caller's bytes.
    pub body: &'a [u8],
}

/// Where an append stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Sequence of its last record: what to wait for.
    pub last_sequence: u64,
    /// Link of its frame.
    pub link: Link,
}

/// Why the device was flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushCause {
    /// A sale was completed or voided, or a tender left the till.
    Sale,
    /// Any other acknowledged call.
    Record,
    /// An owner began.
    Open,
    /// An owner ended.
    Close,
}

/// Device flushes since the log was opened, by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlushCounts {
    /// Completions, voids and tenders that leave the till.
    pub sale: u64,
    /// Other acknowledged calls.
    pub record: u64,
    /// Durable marks of an idle log.
    pub mark: u64,
    /// Checkpoints: always 0, they ride on the next flush.
    pub checkpoint: u64,
    /// Sealing a segment and starting the next.
    pub roll: u64,
    /// Preparing segments ahead of use.
    pub prepare: u64,
    /// An owner's begin.
    pub open: u64,
    /// An owner's end.
    pub close: u64,
}

impl FlushCounts {
    /// Flushes of all causes.
    #[must_use]
    pub fn total(&self) -> u64 {
        let Self { sale, record, mark, checkpoint, roll, prepare, open, close } = *self;
        sale + record + mark + checkpoint + roll + prepare + open + close
    }

    pub(crate) fn count(&mut self, cause: FlushCause) {
        match cause {
            FlushCause::Sale => self.sale += 1,
            FlushCause::Record => self.record += 1,
            FlushCause::Open => self.open += 1,
            FlushCause::Close => self.close += 1,
        }
    }
}

/// Work done since the log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames appended.
    pub frames: u64,
    /// Records appended.
    pub records: u64,
    /// Writes of frames; marks and headers are not counted.
    pub writes: u64,
    /// Bytes of those writes.
    pub bytes: u64,
    /// Flushes by cause.
    pub flushes: FlushCounts,
}

/// How long the device takes, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncLatency {
    /// Smoothed over about eight flushes.
    pub smoothed_ns: u64,
    /// The slowest so far.
    pub worst_ns: u64,
}

/// Room for what is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// The next segment stands ready, or it is too early to prepare it.
    Ok,
    /// It could not be prepared, but this one has room.
    Low,
    /// It could not be prepared, and only what is open can still be finished.
    Full,
}

impl Space {
    /// The name that hosts see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Low => "low",
            Self::Full => "full",
        }
    }
}

/// Where the log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalPosition {
    /// Owner epoch.
    pub epoch: u32,
    /// Segment in use.
    pub segment: u32,
    /// Sequence of the last record appended.
    pub sequence: u64,
    /// Sequence of the last record known durable.
    pub durable_sequence: u64,
    /// Link of the last frame appended.
    pub head: Link,
}

/// A log that is open for writing. Exactly one may exist per folder: the caller holds the lock.
#[derive(Debug)]
pub struct Wal {
    shared: Arc<Shared>,
    keeper: Mutex<Option<Keeper>>,
    dir: PathBuf,
    options: Options,
    /// The manifest names the segment in use.
    named: bool,
}

impl Wal {
    /// Opens the journal in `dir`, making it when there is none, and reads its tail.
    ///
    /// # Errors
    /// [`WalError::Damaged`] when durable bytes cannot be believed, [`WalError::Version`],
    /// [`WalError::Option`], [`WalError::Io`]. Nothing but a kept-aside tail has been written.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: Options,
    ) -> Result<Opened, WalError> {
        recover::open(storage, dir, options)
    }

    pub(crate) fn new(storage: Arc<dyn Storage>, dir: &Path, options: Options, tail: Tail) -> Self {
        let state = State::new(tail.segment, (tail.oldest, tail.sequence, tail.epoch, tail.link));
        let spare = if tail.spare_left { Spare::Left } else { Spare::Absent };
        let shared = Arc::new(Shared::new(storage, State { spare, ..state }));
        let dir = dir.to_owned();
        Self { shared, keeper: Mutex::new(None), dir, options, named: tail.named }
    }

    /// Begins an owner's time: raises the epoch and makes `records` durable in the first frame of
    /// it. `checkpoint` is used when a new segment must be started.
    ///
    /// # Errors
    /// [`WalError::NoSpace`], [`WalError::TooLarge`] and [`WalError::Io`] before anything was
    /// written; [`WalError::OutcomeUnknown`] afterwards.
    pub fn start(
        &mut self,
        stamp: Stamp,
        checkpoint: &[Record<'_>],
        records: &[Record<'_>],
    ) -> Result<Appended, WalError> {
        assert!(!records.is_empty(), "a frame has at least one record");
        let length = frame_bytes(records.iter().map(|record| record.body.len()));
        self.check_size(length, records, checkpoint_bytes(checkpoint))?;
        let mut state = self.shared.lock();
        state.epoch += 1;
        let fits = state.active.as_ref().is_some_and(|active| {
            !active.sealed && fits(&state, length, u64::from(self.segment_bytes()))
        });
        if !fits {
            drop(state);
            self.roll(stamp, checkpoint)?;
            state = self.shared.lock();
        } else if !self.named {
            // A crash struck before the manifest named this segment, or the manifest is damaged.
            let number = state.active.as_ref().map_or(1, |active| active.number);
            let manifest = Manifest { oldest: state.oldest, current: number };
            let saved = manifest.save(&*self.shared.storage, &self.dir);
            saved.map_err(WalError::io("write the manifest in", &self.dir))?;
        }
        state.push_frame(stamp, FLAG_OWNER_BEGINS, records);
        let appended = appended(&state, records.len());
        drop(state);
        self.wait_durable(appended.last_sequence, FlushCause::Open)?;
        if self.options.background {
            *self.keeper() = Some(Keeper::start(
                self.shared.clone(),
                self.dir.clone(),
                self.segment_bytes(),
                self.options.idle_mark,
            ));
        }
        Ok(appended)
    }

    /// Appends one frame. It is in memory only; see [`Self::write_out`] and [`Self::wait_durable`].
    ///
    /// # Errors
    /// [`WalError::SegmentFull`]: [`Self::roll`], then append again. [`WalError::TooLarge`],
    /// [`WalError::Poisoned`]. Nothing was appended.
    pub fn append(
        &self,
        stamp: Stamp,
        flags: u8,
        records: &[Record<'_>],
    ) -> Result<Appended, WalError> {
        assert!(!records.is_empty(), "a frame has at least one record");
        let length = frame_bytes(records.iter().map(|record| record.body.len()));
        let mut state = self.shared.lock();
        if let Some(fault) = &state.poison {
            return Err(WalError::Poisoned(fault.clone()));
        }
        let checkpoint = state.active.as_ref().map_or(0, |active| active.checkpoint_bytes);
        self.check_size(length, records, checkpoint)?;
        if !fits(&state, length, u64::from(self.segment_bytes())) {
            return Err(WalError::SegmentFull);
        }
        state.push_frame(stamp, flags, records);
        Ok(appended(&state, records.len()))
    }

    /// Seals the segment and starts the next with a checkpoint. Everything before is durable then.
    ///
    /// # Errors
    /// [`WalError::NoSpace`], [`WalError::TooLarge`]: nothing was written, the log goes on.
    /// [`WalError::Poisoned`], [`WalError::OutcomeUnknown`]: an I/O error has poisoned the log.
    pub fn roll(&self, stamp: Stamp, checkpoint: &[Record<'_>]) -> Result<(), WalError> {
        assert!(!checkpoint.is_empty(), "a frame has at least one record");
        self.check_size(checkpoint_bytes(checkpoint), checkpoint, 0)?;
        let mut state = self.shared.wait_while_led(self.shared.lock());
        if let Some(fault) = &state.poison {
            return Err(WalError::Poisoned(fault.clone()));
        }
        // The roll leads: nobody else flushes, marks or rolls until it is done.
        state.leader = true;
        drop(state);
        let rolled = self.roll_as_leader(stamp, checkpoint);
        self.shared.step_down();
        rolled
    }

    fn roll_as_leader(&self, stamp: Stamp, checkpoint: &[Record<'_>]) -> Result<(), WalError> {
        let mut state = self.shared.wait_while_preparing(self.shared.lock());
        let number = state.active.as_ref().map_or(1, |active| active.number + 1);
        if !matches!(state.spare, Spare::Ready(_)) {
            state = self.shared.prepare(state, &self.dir, number, self.segment_bytes());
        }
        drop(state);
        // A write under way ends first: the seal behind it must not become durable before it does.
        let _writing = self.shared.hold_writes();
        let mut state = self.shared.lock();
        if let Some(fault) = &state.poison {
            return Err(WalError::OutcomeUnknown(fault.clone()));
        }
        // From here on the state stays locked, so that nobody prepares this segment once more.
        let Spare::Ready(file) = &state.spare else {
            return Err(WalError::NoSpace { segment_bytes: self.segment_bytes() });
        };
        let file = file.clone();
        state.spare = Spare::Absent;
        let was_sealed = state.active.as_ref().is_none_or(|active| active.sealed);
        if !was_sealed {
            let seal = Record { kind: KIND_SEAL, flags: 0, body: &[] };
            state.push_frame(stamp, FLAG_SEAL, &[seal]);
            let (bytes, at, point) = state.take_pending(Vec::new());
            let old = state.active.as_ref().expect("checked above").file.clone();
            let sealed = old.write_at(&bytes, at as u64).and_then(|()| old.sync());
            self.shared.judge_io(&mut state, "seal", sealed)?;
            state.stats.writes += 1;
            state.stats.bytes += bytes.len() as u64;
            state.flushes.roll += 1;
            state.written = point;
        } else if let Some((file, zeros, at)) = state.take_garbage() {
            let cleaned = file.write_at(&zeros, at as u64).and_then(|()| file.sync());
            self.shared.judge_io(&mut state, "clean", cleaned)?;
            state.flushes.roll += 1;
        }
        let header = SegmentHeader {
            links: self.options.links,
            segment_bytes: self.segment_bytes(),
            segment: number,
            epoch: state.epoch,
            salt: self.salt(number, stamp, &state.appended),
            first_sequence: state.appended.sequence + 1,
            stamp,
            previous_link: state.appended.link,
            name: self.options.name.clone(),
        };
        state.active = Some(Active {
            file: file.clone(),
            number,
            bytes: self.segment_bytes() as usize,
            salt: header.salt,
            links: header.links,
            sealed: false,
            checkpoint_bytes: 0,
            last_checkpoint_bytes: 0,
            checkpoint_end: 0,
        });
        let point = Point { end: FRAMES_START, link: header.link(), ..state.appended };
        state.appended = point;
        state.pending_at = FRAMES_START;
        state.garbage_end = 0;
        state.push_frame(stamp, FLAG_CHECKPOINT, checkpoint);
        let (frame, _, point) = state.take_pending(Vec::new());
        let mut bytes = header.to_block();
        bytes.resize(FRAMES_START, 0);
        bytes.extend_from_slice(&frame);
        let begun = file
            .write_at(&bytes, 0)
            .and_then(|()| file.sync())
            .and_then(|()| Manifest::publish(&*self.shared.storage, &self.dir));
        self.shared.judge_io(&mut state, "roll", begun)?;
        state.stats.writes += 1;
        state.stats.bytes += frame.len() as u64;
        state.flushes.roll += 2;
        state.mark_counter = 0;
        state.marked = 0;
        state.written = point;
        self.shared.became_durable(&mut state, point);
        Ok(())
    }

    /// Gives up the segments before `oldest`: the manifest names it as the oldest, then their files
    /// are removed. Whoever calls has made sure that they are kept elsewhere. Returns how many files
    /// were removed.
    ///
    /// # Errors
    /// [`WalError::Io`]: the manifest names the one or the other, and every file that it names is
    /// there. [`WalError::Poisoned`].
    pub fn retire(&self, oldest: u32) -> Result<u32, WalError> {
        let storage = &*self.shared.storage;
        let mut state = self.shared.wait_while_preparing(self.shared.lock());
        if let Some(fault) = &state.poison {
            return Err(WalError::Poisoned(fault.clone()));
        }
        let current = state.active.as_ref().map_or(1, |active| active.number);
        assert!(oldest <= current, "the segment in use is never given up");
        if oldest > state.oldest {
            // The manifest of the next segment stands written already, with the oldest as it was. It
            // is written anew first: published after this one, it must not lead back.
            if matches!(state.spare, Spare::Ready(_)) {
                let next = Manifest { oldest, current: current + 1 };
                let staged = next.stage(storage, &self.dir);
                staged.map_err(WalError::io("write the next manifest in", &self.dir))?;
            }
            let saved = Manifest { oldest, current }.save(storage, &self.dir);
            saved.map_err(WalError::io("write the manifest in", &self.dir))?;
            state.oldest = oldest;
        }
        drop(state);
        let numbers = segment::list(storage, &self.dir).map_err(WalError::io("list", &self.dir))?;
        let mut removed = 0;
        for number in numbers.into_iter().filter(|number| *number < oldest) {
            let path = segment::path(&self.dir, number);
            storage.remove(&path).map_err(WalError::io("remove", &path))?;
            removed += 1;
        }
        storage.sync_dir(&self.dir).map_err(WalError::io("sync", &self.dir))?;
        Ok(removed)
    }

    /// The oldest segment that the journal has, and the one in use.
    #[must_use]
    pub fn extent(&self) -> (u32, u32) {
        let state = self.shared.lock();
        (state.oldest, state.active.as_ref().map_or(0, |active| active.number))
    }

    /// Refuses a frame that an empty segment with a checkpoint of that size could not hold.
    fn check_size(
        &self,
        length: usize,
        records: &[Record<'_>],
        checkpoint: usize,
    ) -> Result<(), WalError> {
        let taken = FRAMES_START + checkpoint + BLOCK_BYTES + SEAL_BYTES;
        let limit = (self.segment_bytes() as usize).saturating_sub(taken);
        if length > limit || records.len() > FRAME_RECORDS_MAX {
            return Err(WalError::TooLarge { bytes: length as u64, limit: limit as u64 });
        }
        Ok(())
    }

    /// Makes sure that new work can also be finished: refuses it while the next segment cannot be
    /// prepared and this one runs out. What is open can always be completed.
    ///
    /// # Errors
    /// [`WalError::NoSpace`], [`WalError::Poisoned`].
    pub fn reserve(&self) -> Result<(), WalError> {
        let mut state = self.shared.lock();
        if let Some(fault) = &state.poison {
            return Err(WalError::Poisoned(fault.clone()));
        }
        let (room, segment_bytes) = (self.room(&state), self.segment_bytes() as usize);
        let roomy = room >= segment_bytes / ROOM_SHARE;
        if state.spare.holds_space() || (roomy && self.options.background) {
            if state.spare.is_wanted() && room < segment_bytes / PREPARE_SHARE {
                drop(state);
                if let Some(keeper) = &*self.keeper() {
                    keeper.prepare_next();
                }
            }
            return Ok(());
        }
        state = self.shared.wait_while_preparing(state);
        state.spare_refusals += 1;
        if !matches!(state.spare, Spare::Ready(_)) && (!roomy || state.spare_refusals % 64 == 1) {
            let number = state.active.as_ref().map_or(1, |active| active.number + 1);
            state = self.shared.prepare(state, &self.dir, number, self.segment_bytes());
        }
        if matches!(state.spare, Spare::Ready(_)) {
            state.spare_refusals = 0;
            return Ok(());
        }
        if roomy { Ok(()) } else { Err(WalError::NoSpace { segment_bytes: self.segment_bytes() }) }
    }

    /// Room for what is still to come.
    #[must_use]
    pub fn space(&self) -> Space {
        let state = self.shared.lock();
        let room = self.room(&state);
        let awaited =
            self.options.background && room >= self.segment_bytes() as usize / PREPARE_SHARE;
        let prepared = state.spare.holds_space() || matches!(state.spare, Spare::Preparing { .. });
        if prepared || (awaited && matches!(state.spare, Spare::Absent)) {
            Space::Ok
        } else if room >= self.segment_bytes() as usize / ROOM_SHARE {
            Space::Low
        } else {
            Space::Full
        }
    }

    /// Ends the background thread. Calls that wait still work; nothing is marked or prepared any
    /// more.
    pub fn shutdown(&self) {
        drop(self.keeper().take());
    }

    /// Ends the log's time before its lock is freed: the background thread, and whatever the storage
    /// keeps elsewhere. See [`Storage::release`].
    ///
    /// # Errors
    /// [`WalError::Io`]: the lock must not be freed as long as this process may still bring it in.
    pub fn release(&self) -> Result<(), WalError> {
        self.shutdown();
        self.shared.storage.release(&self.dir).map_err(WalError::io("give up", &self.dir))
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, state: &State) -> usize {
        (self.segment_bytes() as usize).saturating_sub(state.appended.end + SEAL_BYTES)
    }

    /// True when enough was written since the last checkpoint to make the next worth its bytes.
    #[must_use]
    pub fn checkpoint_due(&self) -> bool {
        let state = self.shared.lock();
        let Some(active) = &state.active else { return false };
        let since = state.appended.end.saturating_sub(active.checkpoint_end);
        let every = CHECKPOINT_BYTES.min(self.segment_bytes() as usize / 4);
        since >= every.max(active.last_checkpoint_bytes * CHECKPOINT_SHARE)
    }

    /// Tells `listener` each time the log has become durable up to what [`Self::request_flush`]
    /// asked for, or that it never will. Called from the thread that led the flush.
    pub fn set_listener(&self, listener: impl Fn(Result<u64, IoFault>) + Send + Sync + 'static) {
        self.shared.set_listener(Arc::new(listener));
    }

    /// Hands everything appended to the operating system: it survives the death of this process.
    ///
    /// # Errors
    /// [`WalError::OutcomeUnknown`], and the log is poisoned.
    pub fn write_out(&self) -> Result<(), WalError> {
        self.shared.write_out().map(|_| ())
    }

    /// Returns once everything up to `sequence` is on the device. All who wait share one flush.
    ///
    /// # Errors
    /// [`WalError::OutcomeUnknown`] when an I/O error struck before that was known.
    pub fn wait_durable(&self, sequence: u64, cause: FlushCause) -> Result<(), WalError> {
        self.shared.wait_durable(sequence, cause)
    }

    /// Asks for everything appended to be made durable and returns what is durable; the listener
    /// hears of the rest. A `patient` caller flushes itself on a device that is known to be fast,
    /// and is not held up by another one.
    ///
    /// # Errors
    /// [`WalError::OutcomeUnknown`]: the log is poisoned.
    pub fn request_flush(&self, cause: FlushCause, patient: bool) -> Result<u64, WalError> {
        self.shared.request_flush(cause, patient)
    }

    /// Says that the listener wants to hear when what is appended is durable, and leaves the flush to
    /// whoever calls [`Self::begin_flush`]. Returns what is durable, and whether anything is left.
    ///
    /// # Errors
    /// [`WalError::OutcomeUnknown`]: the log is poisoned.
    pub fn expect_flush(&self) -> Result<(u64, bool), WalError> {
        self.shared.expect_flush()
    }

    /// Hands everything appended to the storage and begins a flush, so that one thread can begin
    /// those of many logs and then wait for all. `None` when nothing is left to flush, or another
    /// thread is at it; the listener hears of that one.
    ///
    /// # Errors
    /// [`WalError::OutcomeUnknown`], and the log is poisoned.
    pub fn begin_flush(&self, cause: FlushCause) -> Result<Option<Flush>, WalError> {
        self.shared.begin_flush(cause)
    }

    /// Ends a flush that was begun here: what it covers is durable, and the listener is told.
    ///
    /// # Errors
    /// As [`Self::begin_flush`].
    pub fn end_flush(&self, flush: Flush) -> Result<(), WalError> {
        self.shared.end_flush(flush)
    }

    /// Hands everything appended to the storage and begins a sync, whoever leads a flush meanwhile: so
    /// one thread can have many logs, and many appends of one, on their way to a device that their
    /// storage shares among them. Where syncs are not shared, the flush comes with
    /// [`Self::end_sync`].
    ///
    /// # Errors
    /// As [`Self::begin_flush`].
    pub fn begin_sync(&self, cause: FlushCause) -> Result<StartedSync, WalError> {
        self.shared.begin_sync(cause)
    }

    /// Ends a sync that was begun here: what it covers is durable.
    ///
    /// # Errors
    /// As [`Self::begin_flush`].
    pub fn end_sync(&self, sync: StartedSync) -> Result<(), WalError> {
        self.shared.end_sync(sync)
    }

    /// Marks the log durable as it stands. The background thread does this when the log is idle.
    ///
    /// # Errors
    /// [`WalError::OutcomeUnknown`], and the log is poisoned.
    pub fn mark(&self) -> Result<(), WalError> {
        self.shared.mark()
    }

    /// Newest sequence known durable.
    #[must_use]
    pub fn durable_sequence(&self) -> u64 {
        self.shared.durable_sequence()
    }

    /// Somebody leads a flush.
    #[must_use]
    pub fn is_flushing(&self) -> bool {
        self.shared.lock().leader
    }

    /// Where the log stands.
    #[must_use]
    pub fn position(&self) -> WalPosition {
        let state = self.shared.lock();
        WalPosition {
            epoch: state.epoch,
            segment: state.active.as_ref().map_or(0, |active| active.number),
            sequence: state.appended.sequence,
            durable_sequence: state.durable.sequence,
            head: state.appended.link,
        }
    }

    /// The first I/O error, if one has poisoned the log.
    #[must_use]
    pub fn poison(&self) -> Option<IoFault> {
        self.shared.lock().poison.clone()
    }

    /// Counts since the log was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        Stats { flushes: state.flushes, ..state.stats }
    }

    /// How long the device's flushes take.
    #[must_use]
    pub fn sync_latency(&self) -> SyncLatency {
        self.shared.lock().latency
    }

    /// Folder of the journal.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Size of each segment.
    #[must_use]
    pub fn segment_bytes(&self) -> u32 {
        self.options.segment_bytes
    }

    fn salt(&self, number: u32, stamp: Stamp, point: &Point) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("pos-kernel 2026 segment salt");
        hasher.update(self.options.name.as_bytes());
        hasher.update(&number.to_le_bytes());
        hasher.update(&stamp.wall_ns.to_le_bytes());
        hasher.update(&stamp.mono_ns.to_le_bytes());
        hasher.update(&point.link);
        hasher.update(&self.options.entropy.to_le_bytes());
        let mut salt = [0; 8];
        hasher.finalize_xof().fill(&mut salt);
        u64::from_le_bytes(salt)
    }
}

fn fits(state: &State, length: usize, segment_bytes: u64) -> bool {
    (state.place(length) + length + SEAL_BYTES) as u64 <= segment_bytes
}

fn checkpoint_bytes(checkpoint: &[Record<'_>]) -> usize {
    frame_bytes(checkpoint.iter().map(|record| record.body.len()))
}

fn appended(state: &State, records: usize) -> Appended {
    let last_sequence = state.appended.sequence;
    let first_sequence = last_sequence + 1 - records as u64;
    Appended { first_sequence, last_sequence, link: state.appended.link }
}
