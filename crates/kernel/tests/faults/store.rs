//! A store process with three registers that leave it, come back and are opened by themselves in
//! between, and a death at every call that changes the disk. After each, in either deployment,
//! nothing that was acknowledged may be missing or doubled, and every journal must be sound.

use crate::support::store::{MORNING_NS, folder, mapped};
use crate::support::{cash, line, long, sold};
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::code::Code;
use pos_kernel_core::journal::verify_terminal;
use pos_kernel_core::sale::{LineInput, Receipt};
use pos_kernel_core::terminal::{Answer, Durability, History};
use pos_kernel_core::{OpenOptions, Store, StoreOptions, Terminal};
use pos_kernel_wal::sim::{Random, SimStorage};
use pos_kernel_wal::storage::Storage;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const IDS: [&str; 3] = ["REGISTER_01", "REGISTER_02", "REGISTER_03"];
const SEGMENT_BYTES: u32 = 64 << 10;

/// A place where a disk stands.
struct Site {
    root: TempDir,
    storage: Arc<dyn Storage>,
    clock: Arc<TestClock>,
}

impl Site {
    fn new(disk: &SimStorage, changed: Option<crate::support::store::Hook>) -> Self {
        let root = folder();
        let storage = mapped(disk, root.path(), changed);
        Self { root, storage, clock: Arc::new(TestClock::new(MORNING_NS)) }
    }

    fn store(&self) -> Store {
        Store::open(&StoreOptions {
            root: Some(self.root.path().to_owned()),
            log_segment_bytes: Some(SEGMENT_BYTES),
            background: false,
            clock: self.clock.clone(),
            storage: self.storage.clone(),
            entropy: Some(7),
        })
        .unwrap()
    }

    fn options(&self, register: usize) -> OpenOptions {
        OpenOptions {
            root: Some(self.root.path().to_owned()),
            id: Some(IDS[register].to_owned()),
            durability: Some(Durability::Record),
            segment_bytes: Some(SEGMENT_BYTES),
            background: false,
            clock: self.clock.clone(),
            storage: self.storage.clone(),
            entropy: Some(42),
            ..OpenOptions::default()
        }
    }

    fn alone(&self, register: usize) -> Terminal {
        Terminal::open(&self.options(register)).unwrap()
    }

    fn history(&self, register: usize) -> History {
        let terminal: PathBuf = self.root.path().join("terminals").join(IDS[register]);
        History::new(self.storage.clone(), terminal.join("transaction.wal"))
    }
}

/// How many sales of each register were asked for, and how many acknowledged.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    asked: [usize; 3],
    durable: [usize; 3],
}

fn key(register: usize, sale: usize) -> String {
    format!("{}-{sale}", IDS[register])
}

/// Sells under the key of a register's n-th sale and waits for it. True when it was in the journal
/// already.
fn sell(terminal: &Terminal, register: usize, sale: usize) -> bool {
    let answer = ask(terminal, register, sale);
    let replayed = answer.replayed;
    terminal.settle(answer).unwrap();
    replayed
}

fn ask(terminal: &Terminal, register: usize, sale: usize) -> Answer<Receipt> {
    let (key, text) = (key(register, sale), "x".repeat(60 + sale % 3 * 90));
    let wide = LineInput { text: Some(&text), ..line("A", "1", "100") };
    // Now and then one that is too large for the log, so that its journal is synced itself.
    let lines = vec![wide; if sale % 13 == 12 { 40 } else { 1 + sale % 9 }];
    terminal.sell(&sold(Some(&key), &lines, &[cash(4_000)]), Some(&key)).unwrap()
}

#[derive(Debug, Default)]
struct Counts {
    calls: u32,
    deaths: u32,
    by_store: u32,
    alone: u32,
    brought_in: u64,
    unsettled_told: u32,
}

struct Judge {
    counts: Counts,
    random: Random,
}

impl Judge {
    fn judge(&mut self, progress: Progress, image: SimStorage, place: &str) {
        self.counts.deaths += 1;
        let site = Site::new(&image, None);
        // The verifier says what is the matter, and never that something else is.
        for register in 0..3 {
            let read = site.history(register).each(1, u64::MAX, |_| {});
            let code = read.err().map(|error| error.code());
            let refused = matches!(code, None | Some(Code::NotFound | Code::StoreUnsettled));
            assert!(refused, "{place}: {code:?}");
            let Ok(report) = verify_terminal(&site.history(register), None, &|_, _| {}) else {
                continue;
            };
            let first = report.problems.first().map(|problem| problem.code);
            let told = first == Some(Code::StoreUnsettled);
            self.counts.unsettled_told += u32::from(told);
            let is_mark = |code| code == Some(Code::Mark);
            assert!(told || first.is_none() || is_mark(first), "{place}: {:?}", report.problems);
        }
        let by_store = self.random.chance(128);
        let mut order = [0, 1, 2];
        order.rotate_left(self.random.below(3));
        if by_store {
            self.counts.by_store += 1;
            let store = site.store();
            self.counts.brought_in += store.recovery().terminals.values().sum::<u64>();
            for register in order {
                let terminal = store.open_terminal(&site.options(register)).unwrap();
                check(&terminal, register, progress, place);
                if self.random.chance(128) {
                    terminal.close().unwrap();
                }
            }
            if self.random.chance(128) {
                store.close().unwrap();
            }
        } else {
            self.counts.alone += 1;
            for register in order {
                check(&site.alone(register), register, progress, place);
            }
        }
        // And again after the next cut of power, with nothing kept that was not synced.
        let site = Site::new(&image.crash(0), None);
        for register in order {
            let terminal = site.alone(register);
            let receipts = terminal.status().unwrap().next_receipt - 1;
            let asked = progress.asked[register] as u64;
            assert_eq!(receipts, asked, "{place}: {}", IDS[register]);
            terminal.close().unwrap();
        }
        for register in order {
            let report = verify_terminal(&site.history(register), None, &|_, _| {}).unwrap();
            let others = report.problems.iter().filter(|problem| problem.code != Code::Mark);
            assert_eq!(others.collect::<Vec<_>>(), Vec::<&_>::new(), "{place}");
        }
    }
}

/// Everything acknowledged is there, once; what was under way is made again with its key.
fn check(terminal: &Terminal, register: usize, progress: Progress, place: &str) {
    let (asked, durable) = (progress.asked[register], progress.durable[register]);
    let found = usize::try_from(terminal.status().unwrap().next_receipt - 1).unwrap();
    assert!(found >= durable, "{place}: {} has {found} of {durable} sales", IDS[register]);
    assert!(found <= asked, "{place}: {} has {found} of {asked} sales", IDS[register]);
    let mut number = 0;
    let each = terminal.history().each_receipt(|receipt| {
        assert_eq!(receipt.key.as_deref(), Some(&*key(register, number)), "{place}");
        number += 1;
    });
    each.unwrap();
    assert_eq!(number, found, "{place}");
    for sale in durable..asked {
        assert_eq!(sell(terminal, register, sale), sale < found, "{place}: sale {sale}");
    }
    assert_eq!(terminal.status().unwrap().next_receipt, asked as u64 + 1, "{place}");
}

/// What happens to the registers, round after round.
struct Shop {
    site: Site,
    progress: Arc<Mutex<Progress>>,
}

impl Shop {
    fn sell(&self, terminal: &Terminal, register: usize, count: usize) {
        for _ in 0..count {
            let sale = {
                let mut progress = self.progress.lock().unwrap();
                progress.asked[register] += 1;
                progress.asked[register] - 1
            };
            assert!(!sell(terminal, register, sale));
            self.progress.lock().unwrap().durable[register] = sale + 1;
        }
    }

    /// One thread has a sale under way at every register at a time, and settles them in any order.
    fn sell_at(&self, seats: &[Arc<Terminal>; 3], rounds: usize) {
        for round in 0..rounds {
            let mut under_way = Vec::new();
            for (register, seat) in seats.iter().enumerate() {
                let sale = {
                    let mut progress = self.progress.lock().unwrap();
                    progress.asked[register] += 1;
                    progress.asked[register] - 1
                };
                let answer = ask(seat, register, sale);
                under_way.push((register, sale, seat.submit(answer).unwrap()));
            }
            under_way.rotate_left(round % 3);
            for (register, sale, submitted) in under_way {
                assert_eq!(submitted.settle().unwrap().number, sale as u64 + 1);
                self.progress.lock().unwrap().durable[register] = sale + 1;
            }
        }
    }

    fn trade(&self) {
        // Three in the store, over several segments of the log and of the journals.
        let store = self.site.store();
        let open = |register: usize| store.open_terminal(&self.site.options(register)).unwrap();
        let mut seats = [open(0), open(1), open(2)];
        self.sell_at(&seats, 6);
        for round in 0..14 {
            for (register, seat) in seats.iter().enumerate() {
                self.sell(seat, register, 1 + (round + register) % 3);
            }
        }
        // The second leaves in order, trades by itself, and comes back.
        seats[1].close().unwrap();
        let alone = self.site.alone(1);
        self.sell(&alone, 1, 4);
        for (register, seat) in [(0, &seats[0]), (2, &seats[2])] {
            self.sell(seat, register, 2);
        }
        alone.close().unwrap();
        seats[1] = open(1);
        self.sell(&seats[1], 1, 5);
        // The third is let go without a word, and comes back.
        let [first, second, third] = seats;
        drop(third);
        let third = open(2);
        self.sell(&third, 2, 3);
        self.sell(&first, 0, 1);
        let (stats, position) = (store.stats(), first.status().unwrap().position);
        assert!(stats.segment >= 3, "{stats:?}");
        assert!(position.segment >= 2, "{position:?}");
        store.close().unwrap();
        drop((first, second, third, store));
        // Every register by itself, then the store again, which dies.
        for register in 0..3 {
            let alone = self.site.alone(register);
            self.sell(&alone, register, 2);
            alone.close().unwrap();
        }
        let store = self.site.store();
        assert!(store.recovery().clean);
        let open = |register: usize| store.open_terminal(&self.site.options(register)).unwrap();
        let seats = [open(0), open(1), open(2)];
        for _ in 0..5 {
            for (register, seat) in seats.iter().enumerate() {
                self.sell(seat, register, 2);
            }
        }
        self.sell_at(&seats, 5);
        drop((seats, store));
        let alone = self.site.alone(0);
        self.sell(&alone, 0, 2);
        alone.close().unwrap();
        let store = self.site.store();
        let last = store.open_terminal(&self.site.options(2)).unwrap();
        self.sell(&last, 2, 2);
        store.close().unwrap();
    }
}

#[test]
fn three_registers_survive_death_at_every_call() {
    let disk = SimStorage::new(5);
    let progress = Arc::new(Mutex::new(Progress::default()));
    let judge = Arc::new(Mutex::new(Judge { counts: Counts::default(), random: Random::new(17) }));
    let hook: crate::support::store::Hook = Arc::new({
        let (disk, progress, judge) = (disk.clone(), progress.clone(), judge.clone());
        move || {
            // What a failed test lets go of is not judged once more.
            if std::thread::panicking() {
                return;
            }
            let progress = *progress.lock().unwrap();
            let mut judge = judge.lock().unwrap();
            judge.counts.calls += 1;
            let seeds = if long() { 6 } else { 1 };
            for _ in 0..seeds {
                let seed = match judge.random.below(8) {
                    0 => None,
                    1 => Some(0),
                    2 => Some(1),
                    _ => Some(2 + judge.random.next_u64() % 10_000),
                };
                let image = seed.map_or_else(|| disk.kill(), |seed| disk.crash(seed));
                let place = format!("call {} {progress:?} {seed:?}", judge.counts.calls);
                judge.judge(progress, image, &place);
            }
        }
    });
    let shop = Shop { site: Site::new(&disk, Some(hook)), progress: progress.clone() };
    shop.trade();
    drop(shop);
    let progress = *progress.lock().unwrap();
    assert_eq!(progress.asked, progress.durable);
    let counts = &judge.lock().unwrap().counts;
    assert!(counts.brought_in > 0);
    assert!(counts.unsettled_told > 0);
    println!("sales={:?} lost=0 doubled=0 {counts:?}", progress.durable);
}
