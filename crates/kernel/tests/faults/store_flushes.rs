//! How many flushes a store pays for, counted: the device is held until everybody waits.

use crate::support::{cash, line, sold};
use pos_kernel_core::journal::verify_terminal;
use pos_kernel_core::terminal::{Durability, History};
use pos_kernel_core::{Code, OpenOptions, Store, StoreOptions, Terminal};
use pos_kernel_wal::OsStorage;
use pos_kernel_wal::format::FRAMES_START;
use pos_kernel_wal::storage::{Access, Storage, StorageFile};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const REGISTERS: usize = 64;
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Held {
    held: Mutex<bool>,
    freed: Condvar,
    /// What the next sync of a file whose path holds this text answers.
    failing: Mutex<Option<&'static str>>,
}

impl Held {
    fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.freed.notify_all();
    }

    fn wait(&self) {
        let held = self.held.lock().unwrap();
        drop(self.freed.wait_while(held, |held| *held).unwrap());
    }
}

/// The system's disk, on which the log of the store can be made to wait and files to fail.
#[derive(Debug, Clone)]
struct Slow(Arc<Held>);

#[derive(Debug)]
struct SlowFile {
    file: Arc<dyn StorageFile>,
    path: String,
    held: Arc<Held>,
}

impl Storage for Slow {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        OsStorage.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        OsStorage.list(dir)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let file = OsStorage.open(path, access)?;
        let path = path.display().to_string();
        Ok(Arc::new(SlowFile { file, path, held: self.0.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsStorage.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        OsStorage.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        OsStorage.sync_dir(dir)
    }
}

impl StorageFile for SlowFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        self.file.cut(size)
    }

    fn sync(&self) -> io::Result<()> {
        if self.path.contains("store.wal") {
            self.held.wait();
        }
        let failing = *self.held.failing.lock().unwrap();
        if failing.is_some_and(|failing| self.path.contains(failing)) {
            return Err(io::Error::other("a failing disk"));
        }
        self.file.sync()
    }

    fn forget_cached(&self, range: Range<u64>) -> io::Result<()> {
        self.file.forget_cached(range)
    }
}

struct Shop {
    held: Arc<Held>,
    store: Store,
    terminals: Vec<Arc<Terminal>>,
    root: TempDir,
}

impl Shop {
    fn new(registers: usize, background: bool, log_segment_bytes: u32) -> Self {
        let root = tempfile::tempdir().unwrap();
        let held = Arc::new(Held::default());
        let store = Store::open(&StoreOptions {
            root: Some(root.path().to_owned()),
            log_segment_bytes: Some(log_segment_bytes),
            background,
            storage: Arc::new(Slow(held.clone())),
            ..StoreOptions::default()
        })
        .unwrap();
        let open = |register: usize| {
            store.open_terminal(&OpenOptions {
                id: Some(format!("REGISTER_{register:02}")),
                durability: Some(Durability::Record),
                segment_bytes: Some(64 << 10),
                background: false,
                ..OpenOptions::default()
            })
        };
        let terminals: Vec<_> = (0..registers).map(|register| open(register).unwrap()).collect();
        Self { held, store, terminals, root }
    }

    /// Waits until the log holds so many syncs more.
    fn wait_for_syncs(&self, before: u64, more: u64) {
        let begun = Instant::now();
        while self.store.stats().log_syncs < before + more {
            assert!(begun.elapsed() < LIMIT, "{:?}", self.store.stats());
            std::thread::yield_now();
        }
    }
}

fn sell(terminal: &Terminal) {
    let answer = terminal.sell(&sold(None, &[line("A", "1", "100")], &[cash(100)]), None).unwrap();
    terminal.settle(answer).unwrap();
}

#[test]
fn sixty_four_threads_that_wait_share_two_flushes() {
    let shop = Shop::new(REGISTERS, false, 4 << 20);
    let before = shop.store.stats();
    shop.held.hold(true);
    std::thread::scope(|scope| {
        for terminal in &shop.terminals {
            scope.spawn(|| sell(terminal));
        }
        // The first has begun a flush of its own sale; the others gather behind it.
        shop.wait_for_syncs(before.log_syncs, REGISTERS as u64);
        shop.held.hold(false);
    });
    let after = shop.store.stats();
    assert_eq!(after.log_syncs - before.log_syncs, REGISTERS as u64);
    let flushes = after.log_flushes - before.log_flushes;
    assert!((1..=2).contains(&flushes), "{flushes} flushes");
    assert_eq!(after.file_syncs, before.file_syncs, "no journal was flushed by itself");
    for terminal in &shop.terminals {
        assert_eq!(terminal.status().unwrap().next_receipt, 2);
    }
    shop.store.close().unwrap();
}

#[test]
fn one_thread_that_asks_for_sixty_four_registers_pays_for_two_flushes() {
    let shop = Shop::new(REGISTERS, true, 4 << 20);
    let before = shop.store.stats();
    shop.held.hold(true);
    let (told, heard) = std::sync::mpsc::channel();
    for terminal in &shop.terminals {
        let told = told.clone();
        terminal.on_durable(move |durable| drop(told.send(durable)));
        let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
        let answer = terminal.sell(&sold(None, &lines, &tenders), None).unwrap();
        assert!(answer.wait);
        assert!(terminal.request_flush(true).unwrap() < answer.sequence, "nobody is patient here");
    }
    assert_eq!(heard.try_iter().count(), 0, "the device is held");
    shop.held.hold(false);
    for _ in 0..REGISTERS {
        heard.recv_timeout(LIMIT).unwrap().unwrap();
    }
    let after = shop.store.stats();
    let flushes = after.log_flushes - before.log_flushes;
    assert!((1..=2).contains(&flushes), "{flushes} flushes");
    for terminal in &shop.terminals {
        assert_eq!(terminal.durable_sequence(), terminal.status().unwrap().position.sequence);
    }
    shop.store.close().unwrap();
}

#[test]
fn one_thread_with_a_sale_under_way_at_sixty_four_registers_pays_for_one_flush() {
    let shop = Shop::new(REGISTERS, false, 4 << 20);
    let before = shop.store.stats();
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    for round in 1..=3_u64 {
        let submit = |terminal: &Arc<Terminal>| {
            let answer = terminal.sell(&sold(None, &lines, &tenders), None).unwrap();
            assert!(terminal.durable_sequence() < answer.sequence);
            (terminal.clone(), terminal.submit(answer).unwrap())
        };
        let under_way: Vec<_> = shop.terminals.iter().map(submit).collect();
        let now = shop.store.stats();
        assert_eq!(now.log_syncs - before.log_syncs, round * REGISTERS as u64);
        assert_eq!(now.log_flushes - before.log_flushes, round - 1, "nobody has waited yet");
        for (terminal, submitted) in under_way {
            let sequence = submitted.sequence();
            assert_eq!(submitted.settle().unwrap().number, round);
            assert!(terminal.durable_sequence() >= sequence);
        }
        assert_eq!(shop.store.stats().log_flushes - before.log_flushes, round);
    }
    assert_eq!(
        shop.store.stats().file_syncs,
        before.file_syncs,
        "no journal was flushed by itself"
    );
    shop.store.close().unwrap();
}

#[test]
fn threads_that_submit_and_threads_that_wait_share_one_register_and_lose_nothing() {
    let shop = Shop::new(2, true, 256 << 10);
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let terminal = &shop.terminals[thread % 2];
            scope.spawn(move || {
                let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
                let cart = sold(None, &lines, &tenders);
                for round in 0..60 {
                    let (first, second) = (terminal.sell(&cart, None), terminal.sell(&cart, None));
                    let first = terminal.submit(first.unwrap()).unwrap();
                    let second = second.unwrap();
                    let sequence = second.sequence;
                    if (thread + round) % 3 == 0 {
                        terminal.settle(second).unwrap();
                    } else {
                        terminal.submit(second).unwrap().settle().unwrap();
                    }
                    assert!(terminal.durable_sequence() >= sequence);
                    // What was submitted is never taken back, settled or not.
                    if round % 4 != 0 {
                        first.settle().unwrap();
                    }
                }
            });
        }
    });
    for terminal in &shop.terminals {
        assert_eq!(terminal.status().unwrap().next_receipt, 3 * 60 * 2 + 1);
    }
    let dirs: Vec<_> = shop.terminals.iter().map(|it| it.dir().to_owned()).collect();
    shop.store.close().unwrap();
    for dir in dirs {
        let report = verify_terminal(&History::of_terminal(&dir), None, &|_, _| {}).unwrap();
        assert_eq!(report.problems, []);
        assert_eq!(report.receipts, 3 * 60 * 2);
    }
}

#[test]
fn a_sale_under_way_at_a_terminal_by_itself_is_flushed_when_it_is_settled() {
    let root = tempfile::tempdir().unwrap();
    let (root, id) = (Some(root.path().to_owned()), Some("REGISTER_01".to_owned()));
    let options = OpenOptions { root, id, background: false, ..OpenOptions::default() };
    let terminal = Terminal::open(&options).unwrap();
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    let answer = terminal.sell(&sold(None, &lines, &tenders), None).unwrap();
    let (sequence, before) = (answer.sequence, terminal.stats());
    let submitted = terminal.submit(answer).unwrap();
    assert_eq!(terminal.stats().writes, before.writes + 1, "the operating system has it");
    assert_eq!(terminal.stats().flushes.total(), before.flushes.total());
    submitted.settle().unwrap();
    assert_eq!(terminal.stats().flushes.total(), before.flushes.total() + 1);
    assert!(terminal.durable_sequence() >= sequence);
    terminal.close().unwrap();
}

#[test]
fn the_log_takes_no_more_room_however_much_is_sold() {
    for background in [false, true] {
        let shop = Shop::new(4, background, 64 << 10);
        let folder = shop.root.path().join("shared/store.wal");
        let mut most = 0;
        for _ in 0..400 {
            shop.terminals.iter().for_each(|terminal| sell(terminal));
            let names = std::fs::read_dir(&folder).unwrap();
            let is_segment = |name: &String| name.starts_with("segment-");
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            most = most.max(names.filter(is_segment).count());
        }
        let stats = shop.store.stats();
        assert!(stats.segment > 10, "{stats:?}");
        assert!(most <= 5, "{most} segments at a time");
        shop.store.close().unwrap();
    }
}

#[test]
fn a_failed_flush_of_the_log_ends_every_register() {
    let shop = Shop::new(3, false, 4 << 20);
    shop.terminals.iter().for_each(|terminal| sell(terminal));
    *shop.held.failing.lock().unwrap() = Some("store.wal");
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    let cart = sold(None, &lines, &tenders);
    let answer = shop.terminals[0].sell(&cart, None).unwrap();
    let other = shop.terminals[2].sell(&cart, None).unwrap();
    let other = shop.terminals[2].submit(other).unwrap();
    let error = shop.terminals[0].settle(answer).unwrap_err();
    assert_eq!(error.code(), Code::OutcomeUnknown);
    assert_eq!(other.settle().unwrap_err().code(), Code::OutcomeUnknown);
    *shop.held.failing.lock().unwrap() = None;
    for terminal in &shop.terminals {
        let refused = terminal.sell(&cart, None).and_then(|answer| terminal.settle(answer));
        let code = refused.unwrap_err().code();
        assert!(matches!(code, Code::OutcomeUnknown | Code::Poisoned), "{code:?}");
    }
    assert!(shop.store.stats().poisoned);
    // Their locks stay taken as long as the store's: what is in its log may still be brought in.
    let alone = OpenOptions {
        root: Some(shop.root.path().to_owned()),
        id: Some("REGISTER_01".to_owned()),
        ..OpenOptions::default()
    };
    assert!(shop.terminals[1].close().is_err());
    assert_eq!(Terminal::open(&alone).unwrap_err().code(), Code::TerminalInUse);
    assert!(shop.store.close().is_err());
    let terminal = Terminal::open(&alone).unwrap();
    assert_eq!(terminal.status().unwrap().next_receipt, 2, "what was acknowledged is there");
}

#[test]
fn a_journal_that_cannot_be_synced_behind_the_log_ends_every_register() {
    let shop = Shop::new(2, false, 64 << 10);
    shop.terminals.iter().for_each(|terminal| sell(terminal));
    *shop.held.failing.lock().unwrap() = Some("REGISTER_00/transaction.wal");
    let other = &shop.terminals[1];
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    // The first sells no more; its file fails when the second has filled a segment of the log.
    let cart = sold(None, &lines, &tenders);
    sell(&shop.terminals[0]);
    let failed = (0..500)
        .find_map(|_| other.sell(&cart, None).and_then(|answer| other.settle(answer)).err());
    assert!(matches!(failed.unwrap().code(), Code::OutcomeUnknown | Code::Poisoned));
    assert!(shop.store.stats().poisoned);
    let (oldest, current) = (shop.store.stats().oldest_segment, shop.store.stats().segment);
    assert!(oldest < current, "the segment that holds what failed is kept");
    *shop.held.failing.lock().unwrap() = None;
    assert!(shop.store.close().is_err());
    let root = Some(shop.root.path().to_owned());
    let store = Store::open(&StoreOptions { root, ..StoreOptions::default() }).unwrap();
    assert!(store.recovery().terminals.contains_key("REGISTER_00"));
    store.close().unwrap();
}

#[test]
fn what_cannot_be_brought_in_is_refused_and_nothing_is_changed() {
    let shop = Shop::new(2, false, 4 << 20);
    for _ in 0..3 {
        shop.terminals.iter().for_each(|terminal| sell(terminal));
    }
    // The store dies with what it has acknowledged in its log.
    *shop.held.failing.lock().unwrap() = Some("store.wal");
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    let answer = shop.terminals[0].sell(&sold(None, &lines, &tenders), None).unwrap();
    assert!(shop.terminals[0].settle(answer).is_err());
    assert!(shop.store.close().is_err());
    let root = shop.root.path();
    let dir = root.join("terminals/REGISTER_01");
    let verify = || verify_terminal(&History::of_terminal(&dir), None, &|_, _| {}).unwrap();
    assert_eq!(verify().problems[0].code, Code::StoreUnsettled);
    let open = || {
        let root = Some(root.to_owned());
        Store::open(&StoreOptions { root, ..StoreOptions::default() })
    };
    let alone = || {
        let (root, id) = (Some(root.to_owned()), Some("REGISTER_00".to_owned()));
        Terminal::open(&OpenOptions { root, id, ..OpenOptions::default() })
    };
    // A journal that is gone.
    let journal = dir.join("transaction.wal/segment-000001.wal");
    let aside = root.join("aside");
    std::fs::rename(&journal, &aside).unwrap();
    assert_eq!(open().unwrap_err().code(), Code::MissingSegment);
    assert_eq!(alone().unwrap_err().code(), Code::MissingSegment);
    assert!(!journal.exists());
    std::fs::rename(&aside, &journal).unwrap();
    // A log that is damaged where it was durable.
    let log = root.join("shared/store.wal/segment-000001.wal");
    let whole = std::fs::read(&log).unwrap();
    let mut hurt = whole.clone();
    hurt[FRAMES_START + 300] ^= 1;
    std::fs::write(&log, &hurt).unwrap();
    assert_eq!(open().unwrap_err().code(), Code::Corrupt);
    assert_eq!(alone().unwrap_err().code(), Code::Corrupt);
    assert_eq!(std::fs::read(&log).unwrap(), hurt);
    std::fs::write(&log, &whole).unwrap();
    // Nothing was lost by any of it.
    let store = open().unwrap();
    assert_eq!(store.recovery().terminals.len(), 2);
    store.close().unwrap();
    assert_eq!(verify().problems, []);
    assert!(verify().receipts >= 3);
}
