//! Registers that sell side by side, for `bench store`:
//! `registers ROOT store|alone REGISTERS SECONDS [THREADS]` prints one line of JSON.
//!
//! `alone` is one log for each register, as with a process for each; `store` is one store process. A
//! sale is five lines and a cash tender in one call, on the device before the next one of the same
//! register begins. Each register has a thread of its own that waits; with THREADS the registers are
//! dealt out to so many threads, each of which has a sale under way at every one of its registers.

#![allow(missing_docs, reason = "a program, not an interface")]

use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, Receipt, TenderInput};
use pos_kernel_core::terminal::{Answer, Durability, Sold, Submitted};
use pos_kernel_core::{OpenOptions, Result, Store, StoreOptions, Terminal};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

const ARTICLES: [(&str, &str, i64); 5] = [
    ("22423", "REGENCY CAKESTAND 3 TIER", 1275),
    ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 255),
    ("47566", "PARTY BUNTING", 495),
    ("84879", "ASSORTED COLOUR BIRD ORNAMENT", 169),
    ("20725", "LUNCH BAG RED RETROSPOT", 165),
];
const TWENTY_FIVE: TenderInput<'static> = TenderInput::of(TenderKind::Cash, 2500);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (named, threads) = arguments.split_at(arguments.len().min(4));
    let [root, deployment, registers, seconds] = named else {
        panic!("usage: registers ROOT store|alone REGISTERS SECONDS [THREADS]");
    };
    let root = PathBuf::from(root);
    let registers: usize = registers.parse().expect("a count of registers");
    let threads = threads.first().map(|threads| threads.parse().expect("a count of threads"));
    let hands = threads.unwrap_or(registers);
    let time = Duration::from_secs_f64(seconds.parse().expect("a count of seconds"));
    let options = |register: usize| OpenOptions {
        root: Some(root.clone()),
        id: Some(format!("REGISTER_{register:02}")),
        durability: Some(Durability::Sale),
        ..OpenOptions::default()
    };
    let store = match deployment.as_str() {
        "store" => {
            let root = Some(root.clone());
            Some(Store::open(&StoreOptions { root, ..StoreOptions::default() })?)
        }
        _ => None,
    };
    let open = |register: usize| match &store {
        Some(store) => store.open_terminal(&options(register)),
        None => Terminal::open(&options(register)).map(Arc::new),
    };
    let terminals: Vec<Arc<Terminal>> = (0..registers).map(open).collect::<Result<_>>()?;
    let before = store.as_ref().map(Store::stats).unwrap_or_default();
    let mut dealt: Vec<Vec<&Terminal>> = vec![Vec::new(); hands];
    for (register, terminal) in terminals.iter().enumerate() {
        dealt[register % hands].push(terminal);
    }
    let begin = Barrier::new(hands + 1);
    let (mut latencies, taken, cpu) = thread::scope(|scope| {
        let selling: Vec<_> = dealt
            .iter()
            .map(|tills| {
                let begin = &begin;
                scope.spawn(move || {
                    begin.wait();
                    match tills[..] {
                        [till] if threads.is_none() => sell_for(till, time),
                        _ => sell_at(tills, time),
                    }
                })
            })
            .collect();
        begin.wait();
        let (begun, cpu_before) = (Instant::now(), processor_time());
        let sold = selling.into_iter().flat_map(|it| it.join().expect("a register sells"));
        let sold: Vec<u32> = sold.collect();
        (sold, begun.elapsed(), processor_time() - cpu_before)
    });
    let after = store.as_ref().map(Store::stats).unwrap_or_default();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    println!(
        "{{\"deployment\":\"{deployment}\",\"registers\":{registers},\"threads\":{hands},\"sales\":{},\
         \"salesPerSecond\":{},\"p50Us\":{},\"p99Us\":{},\"logFlushes\":{},\"logSyncs\":{},\
         \"logBytes\":{},\"fileSyncs\":{},\"cpuUsPerSale\":{}}}",
        latencies.len(),
        latencies.len() as u128 * 1_000_000 / taken.as_micros().max(1),
        at(50),
        at(99),
        after.log_flushes - before.log_flushes,
        after.log_syncs - before.log_syncs,
        after.log_bytes - before.log_bytes,
        after.file_syncs - before.file_syncs,
        tenths(cpu.as_nanos() / 100, latencies.len() as u128),
    );
    terminals.iter().try_for_each(|terminal| terminal.close())?;
    store.map_or(Ok(()), |store| store.close())
}

/// A ratio with one decimal place.
fn tenths(amount: u128, count: u128) -> String {
    let tenths = amount / count.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Processor time of the process so far, user and system.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    Duration::ZERO
}

/// One register's sales, one after the other.
struct Selling<'a> {
    terminal: &'a Terminal,
    lines: [LineInput<'a>; 5],
    number: usize,
}

impl<'a> Selling<'a> {
    fn at(terminal: &'a Terminal) -> Self {
        let one = Decimal::whole(1);
        let lines = ARTICLES.map(|(sku, text, price)| LineInput {
            text: Some(text),
            ..LineInput::item(sku, one, Decimal::whole(price))
        });
        Self { terminal, lines, number: 0 }
    }

    fn sell(&mut self) -> Answer<Receipt> {
        let number = self.number;
        self.number += 1;
        let (reference, key) = (format!("R-{number:08}"), format!("sale-{number:08}"));
        let sold = Sold {
            store: "STORE_001",
            currency: "EUR",
            reference: Some(&reference),
            lines: &self.lines,
            adjustments: &[],
            tenders: &[TWENTY_FIVE],
        };
        self.terminal.sell(&sold, Some(&key)).expect("a sale")
    }

    /// Sells, and leaves the sale on its way to the device.
    fn send(&mut self) -> (Instant, Submitted<Receipt>) {
        let asked = Instant::now();
        let answer = self.sell();
        (asked, self.terminal.submit(answer).expect("a sale under way"))
    }
}

fn taken(asked: Instant, receipt: &Receipt) -> u32 {
    assert_eq!(receipt.gross, 2359);
    u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Sells at one register until the time is over, waiting for each sale; gives how long each took, in
/// microseconds.
fn sell_for(terminal: &Terminal, time: Duration) -> Vec<u32> {
    let mut selling = Selling::at(terminal);
    let mut latencies = Vec::with_capacity(1 << 16);
    let begun = Instant::now();
    while begun.elapsed() < time {
        let asked = Instant::now();
        let answer = selling.sell();
        let receipt = terminal.settle(answer).expect("a durable sale");
        latencies.push(taken(asked, &receipt));
    }
    latencies
}

/// Sells at many registers from one thread: the next sale of a register begins when its last one is
/// durable.
fn sell_at(terminals: &[&Terminal], time: Duration) -> Vec<u32> {
    let mut latencies = Vec::with_capacity(1 << 20);
    let begun = Instant::now();
    let mut selling: Vec<_> = terminals.iter().map(|terminal| Selling::at(terminal)).collect();
    let mut under_way: VecDeque<_> =
        selling.iter_mut().enumerate().map(|(at, it)| (at, it.send())).collect();
    while let Some((at, (asked, submitted))) = under_way.pop_front() {
        let receipt = submitted.settle().expect("a durable sale");
        latencies.push(taken(asked, &receipt));
        if begun.elapsed() < time {
            under_way.push_back((at, selling[at].send()));
        }
    }
    latencies
}
