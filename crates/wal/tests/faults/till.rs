//! A log with a model beside it: what was appended, and how much of it was acknowledged.
//!
//! Every record carries an id that is never used twice, so the journal's ids must at any time be a
//! prefix of the model's, and hold at least those that were acknowledged. A record that was once cut
//! and comes back later, a doubled one or a gap shows as a wrong id.

use pos_kernel_wal::format::{FLAG_CHECKPOINT, FLAG_OWNER_ENDS, KIND_SEAL};
use pos_kernel_wal::sim::{Random, SimStorage};
use pos_kernel_wal::{
    Appended, FlushCause, Options, ProblemKind, Reader, Record, RecordView, SegmentTail, Stamp,
    Wal, WalError,
};
use std::path::Path;
use std::sync::Arc;

pub(crate) const DIR: &str = "/store/till/journal";
pub(crate) const SEGMENT_BYTES: u32 = 64 << 10;
const KIND_FACT: u16 = 16;
const KIND_STATE: u16 = 17;

/// What a test does to a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Appends one record with a body of so many bytes, rolling when the segment is full.
    Append(usize),
    /// Waits until everything is durable.
    Commit,
    /// Hands everything to the operating system.
    WriteOut,
    /// Rolls to the next segment.
    Roll,
    /// Appends a checkpoint.
    Checkpoint,
    /// Writes a durable mark.
    Mark,
    /// Asks for room.
    Reserve,
    /// Ends cleanly and opens again.
    Reopen,
    /// The process dies and the log is opened again.
    Kill,
}

/// What must be true of the journal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// Ids in the order in which they were appended.
    pub(crate) log: Vec<u64>,
    /// So many of them were acknowledged as durable.
    pub(crate) acked: usize,
    pub(crate) next: u64,
    /// Bytes of the record with which an owner begins.
    pub(crate) owner_bytes: usize,
}

/// Why a journal could not be used.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The log refused or failed, and said so.
    Refused(WalError),
    /// The promise was broken.
    Violation(String),
}

impl From<WalError> for Trouble {
    fn from(error: WalError) -> Self {
        Self::Refused(error)
    }
}

/// An open log and its model.
#[derive(Debug)]
pub(crate) struct Till {
    pub(crate) sim: SimStorage,
    pub(crate) wal: Option<Wal>,
    pub(crate) model: Model,
    clock: i64,
}

pub(crate) fn options() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, background: false, ..Options::new("TILL_01") }
}

/// The body that belongs to an id.
pub(crate) fn body(id: u64, size: usize) -> Vec<u8> {
    let mut bytes = id.to_le_bytes().to_vec();
    let mut random = Random::new(id);
    while bytes.len() < size {
        bytes.extend_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes.truncate(size.max(8));
    bytes
}

fn number(body: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(body.get(..8)?.try_into().ok()?))
}

/// Collects ids and checks each record against what it must be.
struct Collector {
    ids: Vec<u64>,
    begun: bool,
}

impl Collector {
    fn take(&mut self, record: &RecordView<'_>) -> Result<(), String> {
        let found = number(record.body);
        match (record.kind, found) {
            (KIND_FACT, Some(id)) if body(id, record.body.len()) == record.body => {
                self.ids.push(id)
            }
            (KIND_STATE, Some(count)) if !self.begun => {
                // The ids before the checkpoint are not read; their number is what it states.
                self.ids = vec![u64::MAX; usize::try_from(count).unwrap()];
                self.begun = true;
            }
            (KIND_STATE, Some(count)) if count == self.ids.len() as u64 => {}
            (KIND_STATE, Some(count)) => {
                return Err(format!(
                    "a checkpoint states {count}, {} stand before",
                    self.ids.len()
                ));
            }
            (KIND_SEAL, None) if record.body.is_empty() => {}
            _ => return Err(format!("a record of kind {} has changed", record.kind)),
        }
        self.begun = true;
        Ok(())
    }
}

/// Reads the whole journal without its lock. `Ok(ids)`, or what is wrong with it.
pub(crate) fn audit(sim: &SimStorage) -> Result<Vec<u64>, String> {
    let text = |error: WalError| format!("the reader refuses: {error}");
    let storage = Arc::new(sim.clone());
    let Some(reader) = Reader::open(storage, Path::new(DIR)).map_err(text)? else {
        return Ok(Vec::new());
    };
    let mut all = Collector { ids: Vec::new(), begun: true };
    let mut next = 1;
    let mut before = None;
    for segment in reader.segments() {
        let scan = reader.scan(segment, true).map_err(text)?.map_err(|lost| format!("{lost:?}"))?;
        // A mark torn by a power cut is written anew by and by; no record depends on it.
        if let Some(problem) = scan.problems.iter().find(|found| found.kind != ProblemKind::Mark) {
            return Err(format!("{problem:?}"));
        }
        if scan.tail == SegmentTail::Damaged {
            return Err(format!("segment {segment} is damaged and no problem says so"));
        }
        let ends = scan.ends();
        if let Some(problem) = before.as_ref().and_then(|before| ends.follows(before)) {
            return Err(format!("{problem:?}"));
        }
        for frame in scan.frames() {
            for record in frame.records() {
                if record.sequence != next {
                    return Err(format!("sequence {} stands where {next} must", record.sequence));
                }
                next += 1;
                all.take(&record)?;
            }
        }
        before = Some(ends);
    }
    Ok(all.ids)
}

/// What opening a journal finds.
pub(crate) struct Survey {
    /// Ids that replay shows; those before its checkpoint are only counted.
    pub(crate) ids: Vec<u64>,
    /// A torn tail was cut.
    pub(crate) cut: bool,
    /// Problems that the reader reports.
    pub(crate) problems: usize,
}

/// True when replay shows what the reader shows, as far as it goes.
pub(crate) fn same(replayed: &[u64], read: &[u64]) -> bool {
    replayed.len() == read.len() && replayed.iter().zip(read).all(|(a, b)| a == b || *a == u64::MAX)
}

/// Opens a journal as an owner does, without beginning. A wrong record is a panic.
pub(crate) fn survey(sim: &SimStorage) -> Result<Survey, WalError> {
    let storage = Arc::new(sim.clone());
    let reader = Reader::open(storage.clone(), Path::new(DIR))?;
    let mut problems = 0;
    for segment in reader.iter().flat_map(Reader::segments) {
        let reader = reader.as_ref().expect("there are segments");
        problems += reader.scan(segment, true)?.map_or(1, |scan| scan.problems.len());
    }
    let opened = Wal::open(storage, Path::new(DIR), options())?;
    let mut replayed = Collector { ids: Vec::new(), begun: false };
    for record in opened.replay.records() {
        replayed.take(&record).expect("what is replayed is what was appended");
    }
    Ok(Survey { ids: replayed.ids, cut: opened.replay.cut.is_some(), problems })
}

impl Model {
    /// What was found must be a prefix of what was appended, with everything acknowledged in it.
    /// What is not in it now must never come back.
    pub(crate) fn settle(&mut self, found: &[u64]) -> Result<(), String> {
        if found.len() < self.acked {
            let missing = self.acked - found.len();
            return Err(format!("{missing} acknowledged records of {} are missing", self.acked));
        }
        if found.len() > self.log.len() {
            return Err(format!("{} records of {} stand in it", found.len(), self.log.len()));
        }
        for (index, (found, wanted)) in found.iter().zip(&self.log).enumerate() {
            if found != wanted && *found != u64::MAX {
                return Err(format!("record {index} is {found:#x} and must be {wanted:#x}"));
            }
        }
        self.log.truncate(found.len());
        // Whoever opened the journal answers for all of it from now on.
        self.acked = found.len();
        Ok(())
    }

    pub(crate) fn add(&mut self, size: usize) -> Vec<u8> {
        let id = self.next;
        self.next += 1;
        self.log.push(id);
        body(id, size)
    }

    fn take_back(&mut self) {
        self.log.pop();
    }

    fn state(&self) -> Vec<u8> {
        let mut state = (self.log.len() as u64).to_le_bytes().to_vec();
        state.resize(40, 7);
        state
    }
}

fn state_record(state: &[u8]) -> Record<'_> {
    Record { kind: KIND_STATE, flags: 0, body: state }
}

fn fact_record(body: &[u8]) -> Record<'_> {
    Record { kind: KIND_FACT, flags: 0, body }
}

impl Till {
    /// Opens the journal, compares it with the model and begins an owner's time.
    pub(crate) fn open(sim: &SimStorage, model: Model) -> Result<Self, (Trouble, Model)> {
        Self::open_with(sim, model, options())
    }

    pub(crate) fn open_with(
        sim: &SimStorage,
        model: Model,
        options: Options,
    ) -> Result<Self, (Trouble, Model)> {
        let mut till = Self { sim: sim.clone(), wal: None, model, clock: 1_700_000_000 };
        match till.begin(options) {
            Ok(()) => Ok(till),
            Err(trouble) => Err((trouble, till.model)),
        }
    }

    fn begin(&mut self, options: Options) -> Result<(), Trouble> {
        let opened = Wal::open(Arc::new(self.sim.clone()), Path::new(DIR), options)?;
        let mut replayed = Collector { ids: Vec::new(), begun: false };
        for record in opened.replay.records() {
            replayed.take(&record).map_err(Trouble::Violation)?;
        }
        self.model.settle(&replayed.ids).map_err(Trouble::Violation)?;
        // A copy has no faults: the question here is what stands on the disk.
        let read = audit(&self.sim.kill()).map_err(Trouble::Violation)?;
        if read != self.model.log {
            let found =
                format!("the reader finds {} records, replay {}", read.len(), replayed.ids.len());
            return Err(Trouble::Violation(found));
        }
        let state = self.model.state();
        let fact = self.model.add(self.model.owner_bytes);
        let mut wal = opened.wal;
        let stamp = self.stamp();
        wal.start(stamp, &[state_record(&state)], &[fact_record(&fact)])?;
        self.wal = Some(wal);
        self.model.acked = self.model.log.len();
        Ok(())
    }

    pub(crate) fn stamp(&mut self) -> Stamp {
        self.clock += 1;
        Stamp { wall_ns: self.clock, mono_ns: 5, hlc: self.clock.unsigned_abs() << 16 }
    }

    pub(crate) fn wal(&self) -> &Wal {
        self.wal.as_ref().expect("the log is open")
    }

    /// Appends one record; it is in the model exactly when the log has taken it.
    pub(crate) fn append(&mut self, size: usize) -> Result<Appended, WalError> {
        let fact = self.model.add(size);
        loop {
            let stamp = self.stamp();
            match self.wal().append(stamp, 0, &[fact_record(&fact)]) {
                Err(WalError::SegmentFull) => {
                    let wanted = self.model.log.pop().expect("added above");
                    self.roll()?;
                    self.model.log.push(wanted);
                }
                Err(error) => {
                    self.model.take_back();
                    return Err(error);
                }
                Ok(appended) => return Ok(appended),
            }
        }
    }

    pub(crate) fn roll(&mut self) -> Result<(), WalError> {
        let state = self.model.state();
        let stamp = self.stamp();
        self.wal().roll(stamp, &[state_record(&state)])?;
        self.model.acked = self.model.log.len();
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<(), WalError> {
        let sequence = self.wal().position().sequence;
        self.wal().wait_durable(sequence, FlushCause::Sale)?;
        self.model.acked = self.model.log.len();
        Ok(())
    }

    fn frame(&mut self, flags: u8, state: bool) -> Result<(), WalError> {
        let bytes = if state { self.model.state() } else { self.model.add(24) };
        let record = if state { state_record(&bytes) } else { fact_record(&bytes) };
        let stamp = self.stamp();
        let result = self.wal().append(stamp, flags, &[record]);
        if result.is_err() && !state {
            self.model.take_back();
        }
        match result {
            Err(WalError::SegmentFull) => {
                self.roll()?;
                if state { Ok(()) } else { self.frame(flags, state) }
            }
            result => result.map(|_| ()),
        }
    }

    /// Does one thing. An error of the log ends the run; the model says what must be found then.
    pub(crate) fn step(&mut self, op: Op) -> Result<(), Trouble> {
        match op {
            Op::Append(size) => drop(self.append(size)?),
            Op::Commit => self.commit()?,
            Op::WriteOut => self.wal().write_out()?,
            Op::Roll => self.roll()?,
            Op::Checkpoint => self.frame(FLAG_CHECKPOINT, true)?,
            Op::Mark => self.wal().mark()?,
            Op::Reserve => match self.wal().reserve() {
                Ok(()) | Err(WalError::NoSpace { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Op::Reopen => {
                self.frame(FLAG_OWNER_ENDS, false)?;
                self.commit()?;
                self.wal = None;
                self.begin(options())?;
            }
            Op::Kill => {
                self.wal = None;
                self.begin(options())?;
            }
        }
        Ok(())
    }

    pub(crate) fn run(&mut self, ops: &[Op]) -> Result<(), Trouble> {
        ops.iter().try_for_each(|op| self.step(*op))
    }
}

/// Opens a journal on a disk, does the ops, and returns the model with what ended the run.
pub(crate) fn run(sim: &SimStorage, model: Model, ops: &[Op]) -> (Model, Option<Trouble>) {
    match Till::open(sim, model) {
        Err((trouble, model)) => (model, Some(trouble)),
        Ok(mut till) => {
            let trouble = till.run(ops).err();
            (till.model, trouble)
        }
    }
}

/// A day at the till that meets every path of the writer.
pub(crate) fn day() -> Vec<Op> {
    use Op::{Append, Checkpoint, Commit, Kill, Mark, Reopen, Reserve, Roll, WriteOut};
    let mut ops = vec![Reserve, Append(700), Commit, Append(90), Append(90), Append(3000), Commit];
    ops.extend([
        Mark,
        Append(60),
        WriteOut,
        Append(2500),
        Commit,
        Mark,
        Append(10),
        WriteOut,
        Kill,
    ]);
    ops.extend([Append(5000), Commit, Checkpoint, Append(400), Commit, Roll, Append(800), Commit]);
    for size in [9000, 7000, 8100, 12_000, 9500, 6000] {
        ops.extend([Append(size), Append(size / 9), Commit]);
    }
    ops.extend([
        Mark,
        Reopen,
        Append(1200),
        Commit,
        Append(1300),
        Commit,
        Checkpoint,
        Commit,
        Mark,
    ]);
    ops.extend([Append(20_000), Append(20_000), Append(100), Append(20_000), Commit, Append(50)]);
    ops.extend([WriteOut, Append(300), Append(2000), WriteOut]);
    ops
}
