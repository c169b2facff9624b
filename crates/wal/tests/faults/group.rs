//! Who pays for which flush, and many threads at once.

use crate::till::{DIR, options};
use pos_kernel_wal::sim::{Call, Random, SimStorage};
use pos_kernel_wal::storage::{Access, Storage, StorageFile};
use pos_kernel_wal::{FlushCause, Options, OsStorage, Reader, Record, Stamp, Stats, Wal, WalError};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
        let at = wal.append(Stamp::default(), 0, &[fact(b"sale")]).unwrap();
        let begun = Instant::now();
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

/// A storage whose writes into segments wait at a gate.
#[derive(Debug, Clone)]
struct Gated {
    inner: SimStorage,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    /// Writes of less than a block wait while this is set.
    shut: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicBool,
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
        if bytes.len() == GATED_BYTES {
            let shut = self.gate.shut.lock().unwrap();
            if *shut {
                self.gate.waiting.store(true, Ordering::Release);
            }
            drop(self.gate.opened.wait_while(shut, |shut| *shut).unwrap());
        }
        self.inner.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }
    fn forget_cached(&self, range: Range<u64>) -> io::Result<()> {
        self.inner.forget_cached(range)
    }
}

/// Size of the one write that the gate holds back: a frame with one record of 1000 bytes.
const GATED_BYTES: usize = 64 + 8 + 1000 + 32;

#[test]
fn a_roll_waits_for_a_write_that_is_under_way() {
    let inner = SimStorage::new(6);
    let gate = Arc::new(Gate::default());
    let storage = Gated { inner: inner.clone(), gate: gate.clone() };
    let wal = start(Arc::new(storage), Path::new(DIR), options());
    let at = wal.append(Stamp::default(), 0, &[fact(&[1; 1000])]).unwrap();
    *gate.shut.lock().unwrap() = true;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| wal.write_out());
        until("the write at the gate", || gate.waiting.load(Ordering::Acquire));
        let roller = scope.spawn(|| wal.roll(Stamp::default(), &[STATE]));
        // The roll may not end before the write has; there is no fact to wait for but its absence.
        std::thread::sleep(Duration::from_millis(100));
        let early = wal.durable_sequence() >= at.last_sequence;
        *gate.shut.lock().unwrap() = false;
        gate.opened.notify_all();
        writer.join().unwrap().unwrap();
        roller.join().unwrap().unwrap();
        assert!(!early, "called durable while its write was still under way");
    });
    let reader = Reader::open(Arc::new(inner.crash(0)), Path::new(DIR)).unwrap().unwrap();
    for segment in reader.segments() {
        assert_eq!(reader.scan(segment, true).unwrap().unwrap().problems, []);
    }
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
                        match random.below(4) {
                            0 => wal.write_out().unwrap(),
                            1 => wal.mark().unwrap(),
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
