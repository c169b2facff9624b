//! Group commit: whoever waits shares the flush.
//!
//! The first to wait becomes the *leader*: it writes everything that is pending, flushes once, and
//! wakes the others. While it flushes, appends gather for the next leader. A leader first waits for
//! as many as the last batch held, beside those who came too late for it, at most an eighth of a
//! flush: otherwise two halves take turns for ever, and a slow device does half of what it can. A
//! lone writer never waits.
//!
//! Two locks, always taken in this order: `writing` (one write at a time, in log order, so that
//! bytes handed to the operating system never have a hole before them), then `state`.

use crate::error::{IoFault, WalError};
use crate::manifest::Manifest;
use crate::segment;
use crate::state::{Point, Spare, State};
use crate::storage::{Storage, StorageFile};
use crate::writer::FlushCause;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Flushes after which the next one carries a durable mark along.
const COMMITS_PER_MARK: u32 = 64;
/// A flush that takes no longer is led by a patient caller itself.
const FAST_FLUSH: Duration = Duration::from_micros(400);
/// The longest that a leader waits for company.
const COMPANY_WAIT_MAX: Duration = Duration::from_millis(2);
/// A leader waits for company at most this share of a flush.
const COMPANY_SHARE: u32 = 8;
/// Below this a timed sleep takes longer than the wait is worth; the leader yields instead.
const SLEEP_WORTH: Duration = Duration::from_micros(200);
/// A leader that yields and comes back later than it would have waited has met busy processors. Company
/// then gathers during a flush, and so many flushes wait for none before the next one that tries.
const BUSY_FLUSHES: u32 = 32;

/// A thread that waits for its bytes to be durable, or to lead.
#[derive(Debug)]
pub(crate) struct Waiter {
    sequence: u64,
    thread: Thread,
    signal: AtomicU8,
}

const WAITING: u8 = 0;
const WOKEN: u8 = 1;
const APPOINTED: u8 = 2;

impl Waiter {
    fn new(sequence: u64) -> Self {
        Self { sequence, thread: thread::current(), signal: AtomicU8::new(WAITING) }
    }

    fn park(&self) {
        while self.signal.load(Ordering::Acquire) == WAITING {
            thread::park();
        }
    }

    fn appointed(&self) -> bool {
        self.signal.load(Ordering::Acquire) == APPOINTED
    }

    fn wake(&self, appointed: bool) {
        let signal = if appointed { APPOINTED } else { WOKEN };
        self.signal.store(signal, Ordering::Release);
        self.thread.unpark();
    }
}

/// A flush under way: begun, and not yet known to be on the device.
#[derive(Debug)]
#[must_use = "whoever begins a flush leads, and must end it"]
pub struct Flush {
    file: Arc<dyn StorageFile>,
    before: Point,
    point: Point,
    cause: FlushCause,
    begun: Instant,
    ticket: u64,
}

/// What was handed to the storage to be synced, and is not yet known to be on the device. Whoever has
/// it does not lead: any number may be under way beside a flush, since it is the storage that flushes.
#[derive(Debug)]
#[must_use = "what was handed over is known to be durable once its sync has ended"]
pub struct StartedSync {
    file: Arc<dyn StorageFile>,
    point: Point,
    cause: FlushCause,
    /// `None` where syncs are not shared: whoever ends it leads a flush, or waits for one.
    ticket: Option<u64>,
}

type Listener = Arc<dyn Fn(Result<u64, IoFault>) + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    state: Mutex<State>,
    /// Held while bytes are written; keeps the buffer that the next write swaps in.
    writing: Mutex<Vec<u8>>,
    /// A leader has finished, or the log was poisoned.
    settled: Condvar,
    /// The company that a leader waits for is there.
    joined: Condvar,
    /// The prepared segment has come or failed.
    prepared: Condvar,
    /// Work for the background thread.
    pub(crate) keeper_wake: Condvar,
    durable: AtomicU64,
    listener: Mutex<Option<Listener>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("durable", &self.durable).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(storage: Arc<dyn Storage>, state: State) -> Self {
        let durable = AtomicU64::new(state.durable.sequence);
        Self {
            storage,
            state: Mutex::new(state),
            writing: Mutex::new(Vec::new()),
            settled: Condvar::new(),
            joined: Condvar::new(),
            prepared: Condvar::new(),
            keeper_wake: Condvar::new(),
            durable,
            listener: Mutex::new(None),
        }
    }

    /// A panic while the state was held can only come from an assertion; what it left is still the
    /// truth about the bytes, and the next I/O will be refused or consistent.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn durable_sequence(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(crate) fn set_listener(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    pub(crate) fn wait_while_led<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        let mut state = state;
        while state.leader {
            state = self.sleep(state);
        }
        state
    }

    /// Sleeps until a leader has finished. Sleepers are counted, so that nobody pays for a wake-up
    /// that no one hears.
    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.sleepers += 1;
        let mut state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.sleepers -= 1;
        state
    }

    /// The leader has finished.
    pub(crate) fn step_down(&self) {
        self.hand_over(self.lock());
    }

    /// Waits for the write under way and keeps further ones back.
    pub(crate) fn hold_writes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_sleepers(&self, state: &State) {
        if state.sleepers > 0 {
            self.settled.notify_all();
        }
    }

    fn wake_keeper(&self, state: &State) {
        if state.keeper_asleep {
            self.keeper_wake.notify_all();
        }
    }

    pub(crate) fn wait_while_preparing<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        self.prepared
            .wait_while(state, |state| matches!(state.spare, Spare::Preparing { .. }))
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares a segment file, and the manifest that will name it, with the state unlocked
    /// meanwhile. A roll then asks the disk for no more room.
    pub(crate) fn prepare<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        dir: &Path,
        number: u32,
        segment_bytes: u32,
    ) -> MutexGuard<'a, State> {
        state.spare = Spare::Preparing { held: state.spare.holds_space() };
        let manifest = Manifest { oldest: state.oldest, current: number };
        drop(state);
        let prepared = segment::prepare(&*self.storage, dir, number, segment_bytes)
            .and_then(|file| manifest.stage(&*self.storage, dir).map(|()| file));
        let mut state = self.lock();
        state.spare = match prepared {
            Ok(file) => {
                state.flushes.prepare += 3;
                Spare::Ready(file)
            }
            Err(_) => Spare::Failed,
        };
        self.prepared.notify_all();
        state
    }

    /// Poisons the log on the first I/O error. Nothing is ever tried again after it.
    pub(crate) fn judge_io(
        &self,
        state: &mut State,
        operation: &'static str,
        result: io::Result<()>,
    ) -> Result<(), WalError> {
        let Err(error) = result else { return Ok(()) };
        let fault = state.poison.get_or_insert_with(|| IoFault::new(operation, &error)).clone();
        state.leader = false;
        state.waiters.drain(..).for_each(|waiter| waiter.wake(false));
        self.wake_sleepers(state);
        self.wake_keeper(state);
        Err(WalError::OutcomeUnknown(fault))
    }

    /// Everything up to `point` is on the device.
    pub(crate) fn became_durable(&self, state: &mut State, point: Point) {
        assert!(point.sequence >= state.durable.sequence, "durability never goes back");
        assert!(point.sequence <= state.appended.sequence);
        state.durable = point;
        self.durable.store(point.sequence, Ordering::Release);
    }

    /// Writes what is pending. Returns the file and the moment up to which it was written.
    pub(crate) fn write_out(&self) -> Result<(Arc<dyn StorageFile>, Point), WalError> {
        let mut buffer = self.hold_writes();
        let mut state = self.lock();
        if let Some(fault) = &state.poison {
            return Err(WalError::OutcomeUnknown(fault.clone()));
        }
        let file = state.active.as_ref().expect("a started log has a segment").file.clone();
        if state.pending.is_empty() {
            return Ok((file, state.written));
        }
        let (bytes, at, point) = state.take_pending(std::mem::take(&mut *buffer));
        drop(state);
        let result = file.write_at(&bytes, at as u64);
        let mut state = self.lock();
        self.judge_io(&mut state, "write", result)?;
        state.stats.writes += 1;
        state.stats.bytes += bytes.len() as u64;
        state.written = point;
        drop(state);
        *buffer = bytes;
        buffer.clear();
        Ok((file, point))
    }

    pub(crate) fn wait_durable(&self, sequence: u64, cause: FlushCause) -> Result<(), WalError> {
        if self.durable_sequence() >= sequence {
            return Ok(());
        }
        let mut state = self.lock();
        assert!(sequence <= state.appended.sequence, "only what was appended can be waited for");
        if state.leader_listens_for.is_some_and(|frames| state.appended.frames >= frames) {
            self.joined.notify_one();
        }
        let mut me: Option<Arc<Waiter>> = None;
        loop {
            if state.durable.sequence >= sequence {
                if me.is_some_and(|me| me.appointed()) && state.poison.is_none() {
                    // Another one's sync came first; the lead goes to who still needs it.
                    self.hand_over(state);
                }
                return Ok(());
            }
            if let Some(fault) = &state.poison {
                return Err(WalError::OutcomeUnknown(fault.clone()));
            }
            if me.take().is_some_and(|me| me.appointed()) {
                // The last leader handed the lead over; `state.leader` is still set.
                self.lead(state, cause)?;
                state = self.lock();
                continue;
            }
            if !state.leader {
                state.leader = true;
                self.lead(state, cause)?;
                state = self.lock();
                continue;
            }
            let waiter = me.insert(Arc::new(Waiter::new(sequence)));
            state.waiters.push(waiter.clone());
            drop(state);
            waiter.park();
            if !waiter.appointed() && self.durable_sequence() >= sequence {
                return Ok(());
            }
            state = self.lock();
        }
    }

    /// Writes and flushes as the leader; `state.leader` is set and is cleared here.
    fn lead(&self, state: MutexGuard<'_, State>, cause: FlushCause) -> Result<(), WalError> {
        let before = state.durable;
        self.wait_for_company(state);
        let flush = self.begin(before, cause)?;
        self.end_flush(flush)
    }

    /// Begins a flush as the leader, unless there is nothing to flush. Who finds another one leading
    /// leaves it to the background thread.
    pub(crate) fn begin_flush(&self, cause: FlushCause) -> Result<Option<Flush>, WalError> {
        let mut state = self.lock();
        if state.durable.sequence >= state.appended.sequence {
            return Ok(None);
        }
        if let Some(fault) = &state.poison {
            return Err(WalError::OutcomeUnknown(fault.clone()));
        }
        if state.leader {
            state.flush_wanted = Some(cause);
            self.wake_keeper(&state);
            return Ok(None);
        }
        state.leader = true;
        let before = state.durable;
        drop(state);
        self.begin(before, cause).map(Some)
    }

    /// Writes what is pending and begins a sync; the caller leads.
    fn begin(&self, before: Point, cause: FlushCause) -> Result<Flush, WalError> {
        let (file, point) = self.write_out()?;
        let mut state = self.lock();
        state.commits_since_mark += 1;
        let mark = (state.commits_since_mark >= COMMITS_PER_MARK).then(|| state.next_mark());
        drop(state);
        let begun = Instant::now();
        let written = mark.map_or(Ok(()), |(block, at)| file.write_at(&block, at));
        match written.and_then(|()| file.begin_sync()) {
            Ok(ticket) => Ok(Flush { file, before, point, cause, begun, ticket }),
            Err(error) => {
                let mut state = self.lock();
                Err(self.judge_io(&mut state, "sync", Err(error)).expect_err("it failed"))
            }
        }
    }

    /// Writes what is pending and, where the storage shares its syncs, begins one beside whoever leads.
    pub(crate) fn begin_sync(&self, cause: FlushCause) -> Result<StartedSync, WalError> {
        let (file, point) = self.write_out()?;
        if !file.shares_syncs() {
            return Ok(StartedSync { file, point, cause, ticket: None });
        }
        self.mark_when_due(&file)?;
        match file.begin_sync() {
            Ok(ticket) => Ok(StartedSync { file, point, cause, ticket: Some(ticket) }),
            Err(error) => {
                let mut state = self.lock();
                Err(self.judge_io(&mut state, "sync", Err(error)).expect_err("it failed"))
            }
        }
    }

    /// Has the sync that is about to begin carry a durable mark, unless somebody leads, who does.
    fn mark_when_due(&self, file: &Arc<dyn StorageFile>) -> Result<(), WalError> {
        let mut state = self.lock();
        state.commits_since_mark += 1;
        let is_in_use = state.active.as_ref().is_some_and(|it| Arc::ptr_eq(&it.file, file));
        if state.commits_since_mark < COMMITS_PER_MARK || state.leader || !is_in_use {
            return Ok(());
        }
        // Whoever rolls waits for a leader: no mark is written into a segment that is sealed.
        state.leader = true;
        let (block, at) = state.next_mark();
        drop(state);
        let written = file.write_at(&block, at);
        let mut state = self.lock();
        self.judge_io(&mut state, "mark", written)?;
        self.hand_over(state);
        Ok(())
    }

    /// Ends a sync: everything up to its point is durable. Whoever waited for that is woken, and
    /// whoever leads goes on.
    pub(crate) fn end_sync(&self, sync: StartedSync) -> Result<(), WalError> {
        let StartedSync { file, point, cause, ticket } = sync;
        let Some(ticket) = ticket else { return self.wait_durable(point.sequence, cause) };
        let result = file.end_sync(ticket);
        let mut state = self.lock();
        self.judge_io(&mut state, "sync", result)?;
        state.flushes.count(cause);
        let before = state.durable;
        if point.sequence <= before.sequence {
            return Ok(());
        }
        if let Some(fault) = &state.poison {
            return Err(WalError::OutcomeUnknown(fault.clone()));
        }
        self.became_durable(&mut state, point);
        if state.marked == before.sequence {
            self.wake_keeper(&state);
        }
        let is_settled = |waiter: &mut Arc<Waiter>| waiter.sequence <= point.sequence;
        let settled: Vec<_> = state.waiters.extract_if(.., is_settled).collect();
        let notify = state.notify_upto > before.sequence;
        drop(state);
        settled.iter().for_each(|waiter| waiter.wake(false));
        if notify {
            self.tell(Ok(point.sequence));
        }
        Ok(())
    }

    /// Ends a flush: everything up to its point is durable, and whoever waited for it is woken.
    pub(crate) fn end_flush(&self, flush: Flush) -> Result<(), WalError> {
        let Flush { file, before, point, cause, begun, ticket } = flush;
        let result = file.end_sync(ticket);
        let taken_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut state = self.lock();
        self.judge_io(&mut state, "sync", result)?;
        state.flushes.count(cause);
        state.latency.worst_ns = state.latency.worst_ns.max(taken_ns);
        state.latency.smoothed_ns = (state.latency.smoothed_ns * 7 + taken_ns) / 8;
        state.last_company = point.frames - before.frames;
        state.late = state.appended.frames - point.frames;
        // Gaps do not count: a batch that was moved to a new block would else seem to need all of it.
        let batch = point.bytes - before.bytes;
        state.batch_bytes = (state.batch_bytes * 7 + batch) / 8;
        if point.sequence > state.durable.sequence {
            self.became_durable(&mut state, point);
        }
        if state.marked == before.sequence {
            // The log was fully marked and is no longer: the idle timer must start.
            self.wake_keeper(&state);
        }
        let notify = state.notify_upto > before.sequence;
        self.hand_over(state);
        if notify {
            self.tell(Ok(point.sequence));
        }
        Ok(())
    }

    /// Ends a leader's time: the first of those who came too late for its flush leads the next, and
    /// everybody whose bytes are durable is woken without touching the lock again.
    fn hand_over(&self, mut state: MutexGuard<'_, State>) {
        let durable = state.durable.sequence;
        let failed = state.poison.is_some();
        let mut settled = std::mem::take(&mut state.waiters);
        if !failed {
            state.waiters = settled.extract_if(.., |waiter| waiter.sequence > durable).collect();
        }
        let next = (!state.waiters.is_empty()).then(|| state.waiters.swap_remove(0));
        state.leader = next.is_some();
        if !state.leader {
            self.wake_sleepers(&state);
        }
        drop(state);
        if let Some(next) = next {
            next.wake(true);
        }
        settled.iter().for_each(|waiter| waiter.wake(false));
    }

    fn wait_for_company<'a>(&'a self, mut state: MutexGuard<'a, State>) {
        // Those of the last batch are likely to come back, beside those who were late for it.
        let company = state.last_company + state.late;
        if company < 2 {
            return;
        }
        if state.flushes_alone > 0 {
            state.flushes_alone -= 1;
            return;
        }
        let flush = Duration::from_nanos(state.latency.smoothed_ns);
        let limit = (flush / COMPANY_SHARE).min(COMPANY_WAIT_MAX);
        let begun = Instant::now();
        loop {
            let gathered = state.appended.frames - state.durable.frames;
            let left = limit.saturating_sub(begun.elapsed());
            if gathered >= company || left.is_zero() {
                return;
            }
            if limit >= SLEEP_WORTH {
                state.leader_listens_for = Some(state.durable.frames + company);
                let waited = self.joined.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                state.leader_listens_for = None;
            } else {
                drop(state);
                let yielded = Instant::now();
                thread::yield_now();
                state = self.lock();
                if yielded.elapsed() > limit {
                    state.flushes_alone = BUSY_FLUSHES;
                    return;
                }
            }
        }
    }

    /// Asks for a flush. Returns what is durable then; the listener hears of the rest.
    ///
    /// A `patient` caller leads the flush itself on a device that is known to be fast: that spares
    /// two thread switches, which cost as much as the flush. On a slow one it would only block, so
    /// the background thread does it.
    pub(crate) fn request_flush(&self, cause: FlushCause, patient: bool) -> Result<u64, WalError> {
        let mut state = self.lock();
        let target = state.appended.sequence;
        if state.durable.sequence >= target {
            return Ok(target);
        }
        if let Some(fault) = &state.poison {
            return Err(WalError::OutcomeUnknown(fault.clone()));
        }
        let flush = Duration::from_nanos(state.latency.smoothed_ns);
        if patient && !state.leader && !flush.is_zero() && flush <= FAST_FLUSH {
            drop(state);
            self.wait_durable(target, cause)?;
            return Ok(target);
        }
        state.flush_wanted = Some(cause);
        state.notify_upto = target;
        self.wake_keeper(&state);
        Ok(state.durable.sequence)
    }

    /// Says that the listener wants to hear when what is appended is durable. Returns what is, and
    /// whether anything is left to wait for.
    pub(crate) fn expect_flush(&self) -> Result<(u64, bool), WalError> {
        let mut state = self.lock();
        let target = state.appended.sequence;
        if state.durable.sequence >= target {
            return Ok((target, false));
        }
        if let Some(fault) = &state.poison {
            return Err(WalError::OutcomeUnknown(fault.clone()));
        }
        state.notify_upto = target;
        Ok((state.durable.sequence, true))
    }

    pub(crate) fn tell(&self, durable: Result<u64, IoFault>) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            listener(durable);
        }
    }

    /// Writes a durable mark and flushes it.
    pub(crate) fn mark(&self) -> Result<(), WalError> {
        let mut state = self.wait_while_led(self.lock());
        if let Some(fault) = &state.poison {
            return Err(WalError::Poisoned(fault.clone()));
        }
        if state.active.is_none() || state.marked == state.durable.sequence {
            return Ok(());
        }
        let file = state.active.as_ref().expect("checked above").file.clone();
        let (block, at) = state.next_mark();
        state.leader = true;
        drop(state);
        let result = file.write_at(&block, at).and_then(|()| file.sync());
        let mut state = self.lock();
        self.judge_io(&mut state, "mark", result)?;
        state.flushes.mark += 1;
        self.hand_over(state);
        Ok(())
    }
}
