//! A real store process with eight registers that sell side by side, killed at random moments.

use crate::process::{listen, say, spawn};
use crate::support::{cash, line, long, sold};
use pos_kernel_core::journal::verify_terminal;
use pos_kernel_core::terminal::{Durability, History, Submitted};
use pos_kernel_core::{OpenOptions, Store, StoreOptions, Terminal};
use pos_kernel_wal::sim::Random;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const REGISTERS: usize = 8;
const SEGMENT_BYTES: u32 = 64 << 10;

fn id(register: usize) -> String {
    format!("REGISTER_{register:02}")
}

fn options(register: usize) -> OpenOptions {
    OpenOptions {
        id: Some(id(register)),
        durability: Some(if register.is_multiple_of(2) {
            Durability::Record
        } else {
            Durability::Sale
        }),
        segment_bytes: Some(SEGMENT_BYTES),
        ..OpenOptions::default()
    }
}

fn open(root: &Path) -> Store {
    let log_segment_bytes = Some(4 * SEGMENT_BYTES);
    let root = Some(root.to_owned());
    Store::open(&StoreOptions { root, log_segment_bytes, ..StoreOptions::default() }).unwrap()
}

/// What the child does: every register sells as fast as it can, and says what was acknowledged.
pub(crate) fn sell_for_ever() {
    let root = std::env::var_os("PK_ROOT").unwrap();
    let store = open(Path::new(&root));
    let text = "x".repeat(200);
    std::thread::scope(|scope| {
        for register in 0..REGISTERS {
            let (store, text) = (&store, &text);
            scope.spawn(move || {
                let mut terminal = store.open_terminal(&options(register)).unwrap();
                for round in 0.. {
                    let key = format!("{}-{register}-{round}", std::process::id());
                    let mut wide = line("A", "1", "100");
                    wide.text = Some(text);
                    let lines = vec![wide; 1 + round % 6];
                    let tenders = [cash(600)];
                    let cart = sold(Some(&key), &lines, &tenders);
                    let answer = terminal.sell(&cart, Some(&key)).unwrap();
                    let receipt = if round % 2 == 0 {
                        terminal.settle(answer)
                    } else {
                        terminal.submit(answer).and_then(Submitted::settle)
                    };
                    say(&format!("receipt {register} {} {key}", receipt.unwrap().number));
                    if round % 40 == 39 {
                        // It leaves the store, and comes back.
                        terminal.close().unwrap();
                        terminal = store.open_terminal(&options(register)).unwrap();
                    }
                }
            });
        }
    });
}

/// What was acknowledged of one register stands in its journal, once, with no number left out.
fn check(terminal: &Terminal, register: usize, told: &BTreeMap<u64, String>) {
    for (number, key) in told {
        let receipt = terminal.receipt(*number).unwrap();
        assert_eq!(receipt.key.as_deref(), Some(&**key), "{}", id(register));
    }
    let mut keys = std::collections::HashSet::new();
    let next = AtomicU64::new(1);
    let each = terminal.history().each_receipt(|receipt| {
        assert_eq!(receipt.number, next.fetch_add(1, Ordering::Relaxed), "{}", id(register));
        assert!(keys.insert(receipt.key.clone()), "{} doubled {:?}", id(register), receipt.key);
    });
    each.unwrap();
}

#[test]
fn a_store_process_killed_at_any_moment_loses_nothing_of_any_register() {
    let root = tempfile::tempdir().unwrap();
    let mut random = Random::new(23);
    let rounds = if long() { 200 } else { 10 };
    let mut told: Vec<BTreeMap<u64, String>> = vec![BTreeMap::new(); REGISTERS];
    let mut brought_in = 0;
    for round in 0..rounds {
        let mut child = spawn("store", root.path(), root.path());
        let mut words = listen(&mut child);
        let mut said: Vec<String> = words.by_ref().take(20 + random.below(600)).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before the signal came; of the last word perhaps only a part.
        said.extend(words);
        for line in &said {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["receipt", register, number, key] = words[..]
                && let Ok(number) = number.parse()
            {
                let whole = key.split('-').count() == 3;
                let register: usize = register.parse().unwrap();
                whole.then(|| told[register].insert(number, key.to_owned()));
            }
        }
        if round % 2 == 0 {
            let store = open(root.path());
            brought_in += store.recovery().terminals.values().sum::<u64>();
            for (register, told) in told.iter().enumerate() {
                check(&store.open_terminal(&options(register)).unwrap(), register, told);
            }
            store.close().unwrap();
        } else {
            for (register, told) in told.iter().enumerate() {
                let root = Some(root.path().to_owned());
                let alone = OpenOptions { root, ..options(register) };
                let alone = Terminal::open(&alone).unwrap();
                check(&alone, register, told);
                alone.close().unwrap();
            }
        }
    }
    for register in 0..REGISTERS {
        let dir = root.path().join("terminals").join(id(register));
        let report = verify_terminal(&History::of_terminal(&dir), None, &|_, _| {}).unwrap();
        assert_eq!(report.problems, [], "{}", id(register));
    }
    let receipts: usize = told.iter().map(BTreeMap::len).sum();
    assert!(brought_in > 0);
    println!(
        "kills={rounds} registers={REGISTERS} acknowledged={receipts} brought_in={brought_in} \
         lost=0 doubled=0"
    );
}
