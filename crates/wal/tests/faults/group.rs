//! Who pays for which flush, and many threads at once.

use crate::till::{DIR, options};
use pos_kernel_wal::sim::{Call, Fault, Random, SimStorage};
use pos_kernel_wal::storage::{Access, Storage, StorageFile};
use pos_kernel_wal::{FlushCause, Options, OsStorage, Reader, Record, Stamp, Stats, Wal, WalError};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const STATE: Record<'static> = Record { kind: 17, flags: 0, body: b"state" };

fn fact(body: &[u8]) -> Record<'_> {
    Record { kind: 16, flags: 0, body }
}

fn start(storage: Arc<dyn Storage>, dir: &Path, options: Options) -> Wal {
    let mut wal = Wal::open(storage, dir, options).unwrap().wal;
    wal.start(Stamp::default(), &[STATE], &[fact(b"owner")]).unwrap();
    wal
}

fn between(before: Stats, after: Stats) -> (u64, u64) {
    (after.writes - before.writes, after.flushes.total() - before.flushes.total())
}

/// Waits for a fact, with a limit.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn one_waiter_pays_one_write_and_one_sync_and_each_64th_carries_a_mark() {
    let sim = SimStorage::new(1);
    let options = Options { segment_bytes: 4 << 20, ..options() };
    let wal = start(Arc::new(sim.clone()), Path::new(DIR), options);
    let (stats, syncs, writes) = (wal.stats(), sim.count(Call::Sync), sim.count(Call::Write));
    let mut marks = Vec::new();
    for commit in 1..=200_u64 {
        let before = (wal.stats(), sim.count(Call::Sync), sim.count(Call::Write), sim.calls());
        let at = wal.append(Stamp::default(), 0, &[fact(&[5; 900])]).unwrap();
        wal.wait_durable(at.last_sequence, FlushCause::Sale).unwrap();
        assert_eq!(between(before.0, wal.stats()), (1, 1), "commit {commit}");
        assert_eq!(sim.count(Call::Sync) - before.1, 1, "commit {commit}");
        match sim.count(Call::Write) - before.2 {
            1 => assert_eq!(sim.calls() - before.3, 2),
            2 => marks.push(commit),
            writes => panic!("commit {commit} costs {writes} writes"),
        }
    }
    // The owner's own flush was the first of the 64.
    assert_eq!(marks, [63, 127, 191]);
    let (writes_counted, flushes) = between(stats, wal.stats());
    println!(
        "lone commits: commits=200 frame_writes={writes_counted} flushes={flushes} \
         storage_writes={} storage_syncs={} marks_riding_along={}",
        sim.count(Call::Write) - writes,
        sim.count(Call::Sync) - syncs,
        marks.len()
    );
    assert_eq!((writes_counted, flushes), (200, 200));
    assert_eq!(wal.stats().flushes.sale, 200);
    assert_eq!(wal.stats().flushes.mark, 0);
}

#[test]
fn an_idle_log_pays_one_flush_for_its_mark_and_no_more() {
    let sim = SimStorage::new(2);
    let idle_mark = Duration::from_millis(50);
    let wal = start(
        Arc::new(sim.clone()),
        Path::new(DIR),
        Options { background: true, idle_mark, ..options() },
    );
    until("the first mark", || wal.stats().flushes.mark == 1);
    // The first segment was prepared by the owner's begin, the second by the background thread.
    until("the prepared segment", || wal.stats().flushes.prepare == 6);
    for sale in 1..=3 {
        let begun = Instant::now();
        let at = wal.append(Stamp::default(), 0, &[fact(b"sale")]).unwrap();
        wal.wait_durable(at.last_sequence, FlushCause::Sale).unwrap();
        until("the mark", || wal.stats().flushes.mark == 1 + sale);
        assert!(begun.elapsed() >= idle_mark, "the mark waits until the log is idle");
        let (flushes, calls) = (wal.stats().flushes, sim.calls());
        assert_eq!((flushes.sale, flushes.mark), (sale, 1 + sale));
        // Nothing more happens while nobody sells; two idle times are enough to see it.
        std::thread::sleep(2 * idle_mark);
        assert_eq!(wal.stats().flushes, flushes);
        assert_eq!(sim.calls(), calls);
    }
    println!("idle marks: commits=3 flushes_of_cause_mark=3 (and 1 after the owner's begin)");
}

#[test]
fn threads_share_flushes() {
    let dir = tempfile::tempdir().unwrap();
    for threads in [1_u32, 2, 8, 32] {
        let journal = dir.path().join(format!("with-{threads}"));
        let options = Options { segment_bytes: 4 << 20, background: true, ..options() };
        let wal = start(Arc::new(OsStorage), &journal, options);
        let before = wal.stats();
        let commits = 320 / threads;
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..commits {
                        let at = wal.append(Stamp::default(), 0, &[fact(&[3; 300])]).unwrap();
                        wal.wait_durable(at.last_sequence, FlushCause::Sale).unwrap();
                        assert!(wal.durable_sequence() >= at.last_sequence);
                    }
                });
            }
        });
        let after = wal.stats();
        let (flushes, writes) =
            (after.flushes.sale - before.flushes.sale, after.writes - before.writes);
        let commits = u64::from(commits * threads);
        println!("threads={threads} commits={commits} writes={writes} flushes={flushes}");
        assert!(flushes <= commits);
        assert!(writes <= commits);
        if threads == 1 {
            assert_eq!((flushes, writes), (commits, commits));
        }
        assert_eq!(wal.durable_sequence(), wal.position().sequence);
    }
}

#[test]
fn a_requested_flush_is_told_to_the_listener() {
    let sim = SimStorage::new(4);
    let wal = start(
        Arc::new(sim.clone()),
        Path::new(DIR),
        Options { background: true, idle_mark: Duration::from_secs(60), ..options() },
    );
    let heard = Arc::new(AtomicU64::new(0));
    let ear = heard.clone();
    wal.set_listener(move |durable| ear.store(durable.unwrap(), Ordering::Release));
    let before = wal.stats();
    for _ in 0..50 {
        let at = wal.append(Stamp::default(), 0, &[fact(b"one")]).unwrap();
        wal.request_flush(FlushCause::Record, false).unwrap();
        until("the listener", || heard.load(Ordering::Acquire) >= at.last_sequence);
    }
    let flushes = wal.stats().flushes.record - before.flushes.record;
    println!("requested flushes: requests=50 flushes={flushes}");
    assert_eq!(flushes, 50);
}

/// A storage whose writes of some sizes, and one sync, wait at a gate.
#[derive(Debug, Clone)]
struct Gated {
    inner: SimStorage,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    held: Mutex<Held>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    /// Writes of this size wait.
    writes_of: Option<usize>,
    /// The next sync waits.
    sync: bool,
    write_waits: bool,
    sync_waits: bool,
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.lock().unwrap());
        self.opened.notify_all();
    }

    fn is(&self, question: impl Fn(&Held) -> bool) -> bool {
        question(&self.held.lock().unwrap())
    }

    fn pass_write(&self, size: usize) {
        let mut held = self.held.lock().unwrap();
        while held.writes_of == Some(size) {
            held.write_waits = true;
            held = self.opened.wait(held).unwrap();
        }
    }

    fn pass_sync(&self) {
        let mut held = self.held.lock().unwrap();
        if !held.sync || held.sync_waits {
            return;
        }
        held.sync_waits = true;
        drop(self.opened.wait_while(held, |held| held.sync).unwrap());
    }
}

#[derive(Debug)]
struct GatedFile {
    inner: Arc<dyn StorageFile>,
    gate: Arc<Gate>,
}

impl Storage for Gated {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let inner = self.inner.open(path, access)?;
        Ok(Arc::new(GatedFile { inner, gate: self.gate.clone() }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }
}

impl StorageFile for GatedFile {
    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.gate.pass_write(bytes.len());
        self.inner.write_at(bytes, offset)
    }
    fn cut(&self, size: u64) -> io::Result<()> {
        self.inner.cut(size)
    }
    fn sync(&self) -> io::Result<()> {
        self.gate.pass_sync();
        self.inner.sync()
    }
    fn forget_cached(&self, range: Range<u64>) -> io::Result<()> {
        self.inner.forget_cached(range)
    }
}

/// Size of a frame with one record of 1000 bytes.
const FRAME_BYTES: usize = 64 + 8 + 1000 + 32;
/// Size of the writes with which a segment is filled.
const FILL_BYTES: usize = 64 << 10;

fn gated(seed: u64) -> (SimStorage, Arc<Gate>, Wal) {
    let (inner, gate) = (SimStorage::new(seed), Arc::new(Gate::default()));
    let storage = Gated { inner: inner.clone(), gate: gate.clone() };
    let wal = start(Arc::new(storage), Path::new(DIR), options());
    (inner, gate, wal)
}

fn must_verify(sim: &SimStorage) {
    let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
    for segment in reader.segments() {
        assert_eq!(reader.scan(segment, true).unwrap().unwrap().problems, []);
    }
}

#[test]
fn a_roll_waits_for_a_write_that_is_under_way() {
    let (inner, gate, wal) = gated(6);
    let at = wal.append(Stamp::default(), 0, &[fact(&[1; 1000])]).unwrap();
    gate.change(|held| held.writes_of = Some(FRAME_BYTES));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| wal.write_out());
        until("the write at the gate", || gate.is(|held| held.write_waits));
        let roller = scope.spawn(|| wal.roll(Stamp::default(), &[STATE]));
        // The roll may not end before the write has; there is no fact to wait for but its absence.
        std::thread::sleep(Duration::from_millis(100));
        let early = wal.durable_sequence() >= at.last_sequence;
        gate.change(|held| held.writes_of = None);
        writer.join().unwrap().unwrap();
        roller.join().unwrap().unwrap();
        assert!(!early, "called durable while its write was still under way");
    });
    must_verify(&inner.crash(0));
}

#[test]
fn nobody_flushes_while_a_roll_prepares_its_segment() {
    let (inner, gate, wal) = gated(7);
    gate.change(|held| held.writes_of = Some(FILL_BYTES));
    std::thread::scope(|scope| {
        let roller = scope.spawn(|| wal.roll(Stamp::default(), &[STATE]));
        until("the roll's preparation at the gate", || gate.is(|held| held.write_waits));
        let at = wal.append(Stamp::default(), 0, &[fact(&[1; 1000])]).unwrap();
        gate.change(|held| held.sync = true);
        let (wal, last) = (&wal, at.last_sequence);
        let waiter = scope.spawn(move || wal.wait_durable(last, FlushCause::Sale));
        // A flush of its own would be caught at the gate and end after the roll, with an old answer.
        std::thread::sleep(Duration::from_millis(100));
        let flushes = gate.is(|held| held.sync_waits);
        gate.change(|held| held.sync = flushes);
        gate.change(|held| held.writes_of = None);
        roller.join().unwrap().unwrap();
        gate.change(|held| held.sync = false);
        waiter.join().unwrap().unwrap();
        assert!(!flushes, "two lead at once");
    });
    assert!(wal.durable_sequence() > 3);
    must_verify(&inner.crash(0));
}

#[test]
fn threads_that_append_wait_and_roll_at_once_lose_nothing() {
    let rounds = if crate::long() { 40 } else { 3 };
    let (mut commits, mut rolls) = (0_u64, 0_u64);
    for round in 0..rounds {
        let sim = SimStorage::new(round);
        let options = Options { background: round % 2 == 0, ..options() };
        let wal = start(Arc::new(sim.clone()), Path::new(DIR), options);
        let acked = Mutex::new(Vec::new());
        let rolled = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (wal, acked, rolled) = (&wal, &acked, &rolled);
                scope.spawn(move || {
                    let mut random = Random::new(round * 100 + thread);
                    for index in 0..60_u64 {
                        let id = thread * 1000 + index;
                        let mut body = id.to_le_bytes().to_vec();
                        body.resize(8 + random.below(2500), 9);
                        let at = loop {
                            match wal.append(Stamp::default(), 0, &[fact(&body)]) {
                                Ok(at) => break at,
                                Err(WalError::SegmentFull) => {
                                    wal.roll(Stamp::default(), &[STATE]).unwrap();
                                    rolled.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(error) => panic!("{error}"),
                            }
                        };
                        match random.below(5) {
                            0 => wal.write_out().unwrap(),
                            1 => wal.mark().unwrap(),
                            2 => {
                                let sync = wal.begin_sync(FlushCause::Sale).unwrap();
                                wal.end_sync(sync).unwrap();
                                acked.lock().unwrap().push(id);
                            }
                            _ => {
                                wal.wait_durable(at.last_sequence, FlushCause::Sale).unwrap();
                                acked.lock().unwrap().push(id);
                            }
                        }
                    }
                });
            }
        });
        drop(wal);
        let reader = Reader::open(Arc::new(sim.crash(0)), Path::new(DIR)).unwrap().unwrap();
        let mut found = std::collections::BTreeSet::new();
        for segment in reader.segments() {
            let scan = reader.scan(segment, true).unwrap().unwrap();
            assert_eq!(scan.problems, []);
            for record in scan.frames().flat_map(|frame| frame.records()) {
                if record.kind == 16 && record.body.len() >= 8 {
                    let id = u64::from_le_bytes(record.body[..8].try_into().unwrap());
                    assert!(found.insert(id), "record {id} is doubled");
                }
            }
        }
        let acked = acked.into_inner().unwrap();
        commits += acked.len() as u64;
        rolls += rolled.into_inner();
        for id in acked {
            assert!(found.contains(&id), "acknowledged record {id} is missing");
        }
    }
    println!(
        "threads that append, wait and roll: rounds={rounds} commits={commits} rolls={rolls} missing=0"
    );
    assert!(rolls > 0);
}

/// What a thread saw before the log failed under it.
#[derive(Debug, Default)]
struct Seen {
    acked: Vec<u64>,
    unknown: u64,
    refused: u64,
}

/// Appends, waits and rolls on eight threads until the log fails; the machine stops at a call.
fn work_until_the_end(wal: &Wal, seed: u64) -> Seen {
    let total = Mutex::new(Seen::default());
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let total = &total;
            scope.spawn(move || {
                let mut random = Random::new(seed * 100 + thread);
                let mut seen = Seen::default();
                for index in 0..2000_u64 {
                    let id = thread << 32 | index;
                    let mut body = id.to_le_bytes().to_vec();
                    body.resize(8 + random.below(1200), 9);
                    let outcome = match wal.append(Stamp::default(), 0, &[fact(&body)]) {
                        Ok(at) => wal.wait_durable(at.last_sequence, FlushCause::Sale),
                        Err(WalError::SegmentFull) => match wal.roll(Stamp::default(), &[STATE]) {
                            Ok(()) => continue,
                            failed => failed,
                        },
                        Err(error) => Err(error),
                    };
                    match outcome {
                        Ok(()) => seen.acked.push(id),
                        Err(WalError::OutcomeUnknown(_)) => seen.unknown += 1,
                        Err(WalError::Poisoned(_) | WalError::NoSpace { .. }) => seen.refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                    if seen.unknown + seen.refused > 0 {
                        break;
                    }
                }
                let mut total = total.lock().unwrap();
                total.acked.append(&mut seen.acked);
                total.unknown += seen.unknown;
                total.refused += seen.refused;
            });
        }
    });
    total.into_inner().unwrap()
}

/// Every id in the journal, each thread's in its order and without a gap of acknowledged ones.
fn must_hold_all(sim: &SimStorage, seen: &Seen) {
    let options = Options { background: false, ..options() };
    let opened = Wal::open(Arc::new(sim.clone()), Path::new(DIR), options).unwrap();
    drop(opened);
    let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
    let mut found = std::collections::BTreeSet::new();
    let mut newest = [None; 8];
    for segment in reader.segments() {
        let scan = reader.scan(segment, true).unwrap().unwrap();
        for record in scan.frames().flat_map(|frame| frame.records()) {
            if record.kind != 16 || record.body == b"owner" {
                continue;
            }
            let id = u64::from_le_bytes(record.body[..8].try_into().unwrap());
            let last = &mut newest[usize::try_from(id >> 32).unwrap()];
            assert!(last.is_none_or(|last| last < id), "record {id:#x} is doubled or out of order");
            *last = Some(id);
            found.insert(id);
        }
    }
    for id in &seen.acked {
        assert!(found.contains(id), "acknowledged record {id:#x} is missing");
    }
}

#[test]
fn a_power_cut_among_many_threads_loses_nothing_acknowledged() {
    let rounds = if crate::long() { 600 } else { 24 };
    let (mut acked, mut images) = (0, 0);
    for round in 0..rounds {
        let sim = SimStorage::new(round);
        let background = round % 2 == 0;
        let wal = start(Arc::new(sim.clone()), Path::new(DIR), Options { background, ..options() });
        sim.stop_at(sim.calls() + 1 + Random::new(round).next_u64() % 160);
        let seen = work_until_the_end(&wal, round);
        drop(wal);
        assert!(seen.unknown + seen.refused > 0, "the machine has stopped");
        for seed in [0, 1, round + 2, round + 3] {
            must_hold_all(&sim.crash(seed), &seen);
            images += 1;
        }
        acked += seen.acked.len();
    }
    println!("power cuts among threads: rounds={rounds} images={images} acked={acked} missing=0");
}

#[test]
fn all_who_wait_when_a_sync_fails_learn_that_the_outcome_is_unknown() {
    let rounds = if crate::long() { 300 } else { 12 };
    let (mut unknown, mut refused) = (0, 0);
    for round in 0..rounds {
        let sim = SimStorage::new(round);
        let background = round % 2 == 0;
        let wal = start(Arc::new(sim.clone()), Path::new(DIR), Options { background, ..options() });
        let segments = wal.position().segment;
        let at = sim.count(Call::Sync) + 3 + round % 7;
        sim.fail(Some(Fault { only: Some(Call::Sync), ..Fault::once(at) }));
        let seen = work_until_the_end(&wal, round);
        if wal.poison().is_none() {
            // The one failing sync was that of a segment being prepared; the log went on.
            assert!(background || wal.position().segment > segments || seen.refused > 0);
            continue;
        }
        // In the background the next segment may still be prepared; that is another file.
        if !background {
            assert_eq!(sim.count_since_fault(Call::Sync), Some(0), "no flush is tried again");
        }
        assert!(seen.unknown > 0);
        drop(wal);
        must_hold_all(&sim.kill(), &seen);
        must_hold_all(&sim.crash(round), &seen);
        unknown += seen.unknown;
        refused += seen.refused;
    }
    println!(
        "syncs that fail under many threads: rounds={rounds} outcome_unknown={unknown} \
         refused={refused} retried flushes=0"
    );
    assert!(unknown > 0);
}
