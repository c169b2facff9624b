//! Registers that sell side by side, each on a thread of its own, for `bench store`:
//! `registers ROOT store|alone REGISTERS SECONDS` prints one line of JSON.
//!
//! `alone` is one log for each register, as with a process for each; `store` is one store process. A
//! sale is five lines and a cash tender in one call, on the device before the next begins.

#![allow(missing_docs, reason = "a program, not an interface")]

use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, TenderInput};
use pos_kernel_core::terminal::{Durability, Sold};
use pos_kernel_core::{OpenOptions, Result, Store, StoreOptions, Terminal};
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
    let [root, deployment, registers, seconds] = &arguments[..] else {
        panic!("usage: registers ROOT store|alone REGISTERS SECONDS");
    };
    let root = PathBuf::from(root);
    let registers: usize = registers.parse().expect("a count of registers");
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
    let begin = Barrier::new(registers + 1);
    let (mut latencies, taken) = thread::scope(|scope| {
        let selling: Vec<_> = terminals
            .iter()
            .map(|terminal| {
                let begin = &begin;
                scope.spawn(move || {
                    begin.wait();
                    sell_for(terminal, time)
                })
            })
            .collect();
        begin.wait();
        let begun = Instant::now();
        let sold = selling.into_iter().flat_map(|it| it.join().expect("a register sells"));
        let sold: Vec<u32> = sold.collect();
        (sold, begun.elapsed())
    });
    let after = store.as_ref().map(Store::stats).unwrap_or_default();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    println!(
        "{{\"deployment\":\"{deployment}\",\"registers\":{registers},\"sales\":{},\
         \"salesPerSecond\":{},\"p50Us\":{},\"p99Us\":{},\"logFlushes\":{},\"logSyncs\":{},\
         \"logBytes\":{},\"fileSyncs\":{}}}",
        latencies.len(),
        latencies.len() as u128 * 1_000_000 / taken.as_micros().max(1),
        at(50),
        at(99),
        after.log_flushes - before.log_flushes,
        after.log_syncs - before.log_syncs,
        after.log_bytes - before.log_bytes,
        after.file_syncs - before.file_syncs,
    );
    terminals.iter().try_for_each(|terminal| terminal.close())?;
    store.map_or(Ok(()), |store| store.close())
}

/// Sells until the time is over; gives how long each sale took, in microseconds.
fn sell_for(terminal: &Terminal, time: Duration) -> Vec<u32> {
    let one = Decimal::whole(1);
    let lines = ARTICLES.map(|(sku, text, price)| LineInput {
        text: Some(text),
        ..LineInput::item(sku, one, Decimal::whole(price))
    });
    let mut latencies = Vec::with_capacity(1 << 16);
    let begun = Instant::now();
    while begun.elapsed() < time {
        let number = latencies.len();
        let (reference, key) = (format!("R-{number:08}"), format!("sale-{number:08}"));
        let sold = Sold {
            store: "STORE_001",
            currency: "EUR",
            reference: Some(&reference),
            lines: &lines,
            adjustments: &[],
            tenders: &[TWENTY_FIVE],
        };
        let asked = Instant::now();
        let answer = terminal.sell(&sold, Some(&key)).expect("a sale");
        let receipt = terminal.settle(answer).expect("a durable sale");
        assert_eq!(receipt.gross, 2359);
        latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    latencies
}
