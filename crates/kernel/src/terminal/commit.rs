//! How a fact becomes durable and a command an answer.
//!
//! ```text
//! key seen before? ---yes---> the stored answer
//!       | no
//! reserve room -> decide (pure) -> append -> apply ----> answer at once  (sale mode: lines, cash)
//!                                              '-------> answer once durable
//! ```

use super::config::Durability;
use super::history::Recorded;
use super::open::record;
use super::{Core, Terminal};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    Circle, ClockStepped, Fact, Field, Key, RecordKind, WriteResult, Writer, body_of, snapshot,
    snapshot_since,
};
use crate::limits::{OPEN_SHARE, TENDER_BYTES_MAX, TENDER_SHARE};
use crate::money::Decimal;
use crate::pricing::Adjustment;
use crate::sale::{Reason, input};
use crate::till::{Check, Till};
use pos_kernel_wal::{Appended, FlushCause, Record, Stamp, StartedSync, Wal, WalError, format};
use std::sync::Arc;

/// What a command gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// The answer itself.
    pub value: T,
    /// Sequence of the last record behind it.
    pub sequence: u64,
    /// It may be given to the host only once the log is durable up to `sequence`.
    pub wait: bool,
    /// The idempotency key was seen before: this is the answer of the first call.
    pub replayed: bool,
}

/// An answer on its way to the device; [`Submitted::settle`] gives it once it is there.
///
/// Dropping it takes nothing back: what was submitted is in the journal, and it is on the device with
/// the next one that is settled.
#[derive(Debug)]
#[must_use = "an answer may be given to the host only once it is settled"]
pub struct Submitted<T> {
    answer: Answer<T>,
    wal: Arc<Wal>,
    sync: Option<StartedSync>,
}

impl<T> Submitted<T> {
    /// Sequence of the last record behind the answer.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.answer.sequence
    }

    /// Waits until the answer may be given. Whoever waits for one register of a store waits for all
    /// that were submitted before it, so the others then answer at once.
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`.
    pub fn settle(self) -> Result<T> {
        let Self { answer, wal, sync } = self;
        if let Some(sync) = sync {
            wal.end_sync(sync)?;
        }
        Ok(answer.value)
    }
}

/// How soon a fact has to be on the device in `sale` mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// With the operating system at once, on the device with the sale.
    Within,
    /// On the device before the answer.
    Now,
}

/// Whether a fact is new work, or finishes what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    Grows,
    Finishes,
}

/// The inputs of a keyed call as a CBOR sequence, so that a key cannot be used for two things.
pub(super) struct Inputs(Vec<u8>);

impl Inputs {
    pub(super) fn of(operation: &str) -> Self {
        Self(Vec::with_capacity(256)).text(operation)
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.item(|out| out.str(text).map(drop))
    }

    pub(super) fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => self.item(|out| out.null().map(drop)),
        }
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.item(|out| out.u64(number).map(drop))
    }

    pub(super) fn amount(self, amount: i64) -> Self {
        self.item(|out| out.i64(amount).map(drop))
    }

    pub(super) fn decimal(self, decimal: Decimal) -> Self {
        self.item(|out| decimal.write(out))
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        self.item(|out| out.bytes(bytes).map(drop))
    }

    pub(super) fn adjustment(self, adjustment: Adjustment) -> Self {
        self.item(|out| adjustment.write(out))
    }

    pub(super) fn approval(self, approval: Option<u64>) -> Self {
        match approval {
            Some(approval) => self.text("approval").number(approval),
            None => self,
        }
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.item(|out| out.bool(flag).map(drop))
    }

    /// A reason, with the approval where there is one.
    pub(super) fn reason(self, reason: Reason<'_>) -> Self {
        self.text(reason.text).approval(reason.approval)
    }

    fn item(mut self, write: impl FnOnce(&mut Writer<'_>) -> WriteResult) -> Self {
        write(&mut Writer::new(&mut self.0)).expect("a vector takes what is written");
        self
    }

    /// The key that stands for these inputs.
    pub(super) fn under(self, key: &str) -> Result<Key> {
        let mut first = [0; 8];
        first.copy_from_slice(&blake3::hash(&self.0).as_bytes()[..8]);
        input::key(key, u64::from_le_bytes(first))
    }
}

impl Terminal {
    /// Runs one command.
    pub(super) fn command<T>(
        &self,
        key: Option<(&str, Inputs)>,
        (growth, urgency): (Growth, Urgency),
        decide: impl FnOnce(&Till, Option<Key>) -> Result<Fact>,
        answer: impl FnOnce(&Recorded) -> Option<T>,
    ) -> Result<Answer<T>> {
        let key = key.map(|(text, inputs)| inputs.under(text)).transpose()?;
        let mut core = self.lock()?;
        if let Some(recorded) = self.seen(&core, key.as_ref())? {
            return self.replayed(&recorded, answer);
        }
        if growth == Growth::Grows {
            self.reserve(&core.till)?;
        }
        let mut fact = decide(&core.till, key)?;
        core.till.people.sign(&mut fact)?;
        let appended = self.append(&mut core, std::slice::from_ref(&fact), 0)?;
        let at_ns = self.last_wall_ns(&core);
        drop(core);
        let sequence = appended.last_sequence;
        let recorded = Recorded { fact, sequence, at_ns, hash: appended.link };
        let value = answer(&recorded).expect("a command answers its own fact");
        let wait = self.promise(urgency)?;
        Ok(Answer { value, sequence, wait, replayed: false })
    }

    /// What a key has made before; `None` for one that is new, or for no key.
    pub(super) fn seen(&self, core: &Core, key: Option<&Key>) -> Result<Option<Recorded>> {
        let Some(key) = key else { return Ok(None) };
        let Some(entry) = core.till.keys.find(&key.text) else { return Ok(None) };
        if entry.fingerprint != key.fingerprint {
            return Err(mismatch(&key.text, entry.sequence));
        }
        self.wal.write_out()?;
        self.history.record(entry.sequence).map(Some)
    }

    pub(super) fn replayed<T>(
        &self,
        recorded: &Recorded,
        answer: impl FnOnce(&Recorded) -> Option<T>,
    ) -> Result<Answer<T>> {
        let sequence = recorded.sequence;
        let key = recorded.fact.key().map_or("", |key| &key.text);
        let value = answer(recorded).ok_or_else(|| mismatch(key, sequence))?;
        let wait = self.wal.durable_sequence() < sequence;
        Ok(Answer { value, sequence, wait, replayed: true })
    }

    /// Makes sure that what is begun can be finished.
    pub(super) fn reserve(&self, till: &Till) -> Result<()> {
        let limit = self.wal.segment_bytes() as usize / OPEN_SHARE;
        if till.open_bytes() >= limit {
            return Err(Error::limit("bytes of all open sales", till.open_bytes(), limit));
        }
        Ok(self.wal.reserve()?)
    }

    /// Makes sure that the next checkpoint can carry one tender more, with so many bytes that rules ask
    /// for, and what may yet end it.
    pub(super) fn hold_tender(&self, till: &Till, said: usize) -> Result<()> {
        self.hold(till, said)
    }

    /// Makes sure that the next checkpoint can carry so many bytes of open sales more, and a tender.
    pub(super) fn hold(&self, till: &Till, more: usize) -> Result<()> {
        let limit = self.wal.segment_bytes() as usize / TENDER_SHARE;
        let held = till.held_bytes() + more + TENDER_BYTES_MAX;
        if held > limit {
            return Err(Error::limit("bytes of all open sales and tenders", held, limit));
        }
        Ok(())
    }

    /// Appends facts as one frame and folds them in. They are not durable yet.
    pub(super) fn append(&self, core: &mut Core, facts: &[Fact], flags: u8) -> Result<Appended> {
        let mut bodies = std::mem::take(&mut core.bodies);
        bodies.clear();
        let mut ends = Vec::with_capacity(facts.len());
        for fact in facts {
            fact.encode(&mut bodies);
            ends.push(bodies.len());
        }
        let mut records = Vec::with_capacity(facts.len());
        let mut start = 0;
        for (fact, end) in facts.iter().zip(&ends) {
            records.push(record(fact.kind(), &bodies[start..*end]));
            start = *end;
        }
        let (stamp, appended) = self.append_records(core, flags, &records)?;
        for ((fact, record), sequence) in facts.iter().zip(&records).zip(appended.first_sequence..)
        {
            core.till
                .apply(fact, record.body, sequence, stamp.wall_ns, Check::Live)
                .expect("a decided fact contradicts nothing");
            touch(core, fact, stamp);
        }
        for (fact, sequence) in facts.iter().zip(appended.first_sequence..) {
            if let Fact::SaleCompleted(completed) = fact
                && completed.circle.is_none_or(|circle| circle == Circle::Sale)
            {
                self.sign_receipt(core, stamp, completed.receipt, (sequence, appended.link));
            }
        }
        self.follow_session(core, facts);
        // Nothing may follow an owner's end: the last frame is what says that it was clean.
        if flags & format::FLAG_OWNER_ENDS == 0 {
            self.checkpoint_when_due(core, stamp);
        }
        drop(records);
        core.bodies = bodies;
        Ok(appended)
    }

    /// Appends facts that name the sequence of the first of them.
    pub(super) fn append_made(
        &self,
        core: &mut Core,
        make: impl Fn(u64) -> Vec<Fact>,
    ) -> Result<Appended> {
        loop {
            let stamp = core.hlc.stamp(&*self.clock);
            if self.note_step(core, stamp)? {
                continue;
            }
            let facts = make(self.wal.position().sequence + 1);
            let bodies: Vec<Vec<u8>> = facts.iter().map(body_of).collect();
            let records: Vec<Record<'_>> =
                facts.iter().zip(&bodies).map(|(fact, body)| record(fact.kind(), body)).collect();
            match self.wal.append(stamp, 0, &records) {
                Ok(appended) => {
                    let sequences = appended.first_sequence..;
                    for ((fact, body), sequence) in facts.iter().zip(&bodies).zip(sequences) {
                        core.till
                            .apply(fact, body, sequence, stamp.wall_ns, Check::Live)
                            .expect("a decided fact contradicts nothing");
                        touch(core, fact, stamp);
                    }
                    self.checkpoint_when_due(core, stamp);
                    return Ok(appended);
                }
                Err(WalError::SegmentFull) => self.roll(core, stamp)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Appends a frame, starting the next segment when this one is full.
    pub(super) fn append_records(
        &self,
        core: &mut Core,
        flags: u8,
        records: &[Record<'_>],
    ) -> Result<(Stamp, Appended)> {
        loop {
            let stamp = core.hlc.stamp(&*self.clock);
            if self.note_step(core, stamp)? {
                continue;
            }
            match self.wal.append(stamp, flags, records) {
                Ok(appended) => return Ok((stamp, appended)),
                Err(WalError::SegmentFull) => self.roll(core, stamp)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Journals that the wall clock stepped, before the fact that is about to be appended. True
    /// when it did, and the fact needs a stamp behind it.
    pub(super) fn note_step(&self, core: &mut Core, stamp: Stamp) -> Result<bool> {
        let Some((from, to)) = core.watch.see(stamp) else { return Ok(false) };
        let fact = Fact::from(ClockStepped { from, to });
        let body = body_of(&fact);
        let records = [record(fact.kind(), &body)];
        let appended = match self.wal.append(stamp, 0, &records) {
            Err(WalError::SegmentFull) => {
                self.roll(core, stamp)?;
                self.wal.append(stamp, 0, &records)?
            }
            appended => appended?,
        };
        core.till
            .apply(&fact, &body, appended.last_sequence, stamp.wall_ns, Check::Live)
            .expect("a clock contradicts nothing");
        core.watch.told();
        Ok(true)
    }

    pub(super) fn roll(&self, core: &mut Core, stamp: Stamp) -> Result<()> {
        let checkpoint = snapshot(&core.till);
        self.wal.roll(stamp, &as_records(&checkpoint))?;
        core.till.keys.saved();
        Ok(())
    }

    /// A checkpoint rides on the flush of what comes next; without room for it, the next segment
    /// begins with one anyway.
    pub(super) fn checkpoint_when_due(&self, core: &mut Core, stamp: Stamp) {
        if self.wal.checkpoint_due() {
            let checkpoint = snapshot_since(&core.till);
            let records = as_records(&checkpoint);
            if self.wal.append(stamp, format::FLAG_CHECKPOINT, &records).is_ok() {
                core.till.keys.saved();
            }
        }
    }

    pub(super) fn last_wall_ns(&self, core: &Core) -> i64 {
        core.hlc.last_wall_ns()
    }

    /// Keeps the durability mode's promise as far as it can be kept without waiting. True when the
    /// answer has to wait for the device.
    pub(super) fn promise(&self, urgency: Urgency) -> Result<bool> {
        match (self.durability, urgency) {
            (Durability::Record, _) | (Durability::Sale, Urgency::Now) => Ok(true),
            (Durability::Sale, Urgency::Within) => {
                self.wal.write_out()?;
                Ok(false)
            }
        }
    }

    /// Waits until an answer may be given.
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`.
    pub fn settle<T>(&self, answer: Answer<T>) -> Result<T> {
        if answer.wait {
            self.wait_durable(answer.sequence)?;
        }
        Ok(answer.value)
    }

    /// Sends an answer on its way to the device without waiting for it, so that one thread can have
    /// sales under way at many registers of a store and they share a flush. The answer is with the
    /// operating system when this returns: it survives the death of the process. A terminal by itself
    /// shares its device with nobody, and flushes when the answer is settled.
    ///
    /// ```
    /// # use pos_kernel_core::journal::TenderKind;
    /// # use pos_kernel_core::money::Decimal;
    /// # use pos_kernel_core::sale::{LineInput, TenderInput};
    /// # use pos_kernel_core::terminal::Sold;
    /// # use pos_kernel_core::{OpenOptions, Store, StoreOptions};
    /// # let root = tempfile::tempdir()?;
    /// # let root = Some(root.path().to_owned());
    /// let store = Store::open(&StoreOptions { root, ..StoreOptions::default() })?;
    /// let open = |id: &str| {
    ///     store.open_terminal(&OpenOptions { id: Some(id.to_owned()), ..OpenOptions::default() })
    /// };
    /// let tills = [open("TILL_1")?, open("TILL_2")?];
    /// let sold = Sold {
    ///     store: "STORE_001",
    ///     currency: "EUR",
    ///     reference: None,
    ///     lines: &[LineInput::item("A-1", Decimal::whole(2), Decimal::whole(500))],
    ///     adjustments: &[],
    ///     tenders: &[TenderInput::of(TenderKind::Cash, 1000)],
    /// };
    /// let mut under_way = Vec::new();
    /// for till in &tills {
    ///     under_way.push(till.submit(till.sell(&sold, None)?)?);
    /// }
    /// // One flush for both.
    /// for submitted in under_way {
    ///     assert_eq!(submitted.settle()?.gross, 1000);
    /// }
    /// store.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`.
    pub fn submit<T>(&self, answer: Answer<T>) -> Result<Submitted<T>> {
        let sync = answer.wait.then(|| self.wal.begin_sync(self.cause())).transpose()?;
        if let Some((seat, _)) = &self.seat {
            seat.ledger().give_way();
        }
        Ok(Submitted { answer, wal: self.wal.clone(), sync })
    }

    /// Returns once the journal is durable up to `sequence`.
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`; `PK_E_NOT_FOUND` for a sequence that does not exist yet.
    pub fn wait_durable(&self, sequence: u64) -> Result<()> {
        let last = self.wal.position().sequence;
        if sequence > last {
            let message = format!("there is no record {sequence}; the last one is {last}");
            return Err(Error::new(Code::NotFound, message).with("sequence", sequence));
        }
        Ok(self.wal.wait_durable(sequence, self.cause())?)
    }

    /// Asks for everything to be made durable and returns what is durable; the listener hears of
    /// the rest. A `patient` caller flushes itself on a device that is known to be fast (under half
    /// a millisecond), and is not held up by another one.
    ///
    /// In a store process one thread flushes for all registers, and nobody is patient: while one
    /// caller flushed for itself, the others would wait for their turn.
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`.
    pub fn request_flush(&self, patient: bool) -> Result<u64> {
        if let Some((seat, desk)) = &self.seat {
            let (durable, waits) = self.wal.expect_flush()?;
            if !waits || desk.ask(seat, &self.wal, self.cause()) {
                return Ok(durable);
            }
        }
        Ok(self.wal.request_flush(self.cause(), patient)?)
    }

    /// Tells `listener` each time the journal has become durable up to what
    /// [`Self::request_flush`] asked for, or the error when it never will. It is called from the
    /// thread that led the flush and must not block.
    pub fn on_durable(&self, listener: impl Fn(Result<u64>) + Send + Sync + 'static) {
        self.wal.set_listener(move |durable| {
            listener(durable.map_err(|fault| WalError::OutcomeUnknown(fault).into()));
        });
    }

    /// Newest sequence known durable.
    #[must_use]
    pub fn durable_sequence(&self) -> u64 {
        self.wal.durable_sequence()
    }

    fn cause(&self) -> FlushCause {
        match self.durability {
            Durability::Record => FlushCause::Record,
            Durability::Sale => FlushCause::Sale,
        }
    }
}

/// Notes when something happened to a sale, as long as it is open.
fn touch(core: &mut Core, fact: &Fact, stamp: Stamp) {
    let Some(sale) = fact.sale() else { return };
    if core.till.open.contains_key(&sale) {
        core.touched.insert(sale, stamp.mono_ns);
    } else {
        core.touched.remove(&sale);
    }
}

fn as_records(checkpoint: &[(RecordKind, Vec<u8>)]) -> Vec<Record<'_>> {
    checkpoint.iter().map(|(kind, body)| record(*kind, body)).collect()
}

fn mismatch(key: &str, sequence: u64) -> Error {
    let message = format!(
        "idempotency key {key:?} was used for another call (record {sequence}); use a new key for \
         a new call"
    );
    Error::new(Code::IdempotencyMismatch, message).with("key", key).with("sequence", sequence)
}
