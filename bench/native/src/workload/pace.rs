//! Selling for a while: one writer, many threads, many in flight, processor time, memory.
//!
//! Each call measures one peer once, in a process of its own. In the same process the raw flush takes
//! turns with the writer, so that a ratio to it holds however busy the machine is.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::folder;
use crate::measure::{Figure, Latencies, Memory, processor_time};
use crate::peers::raw::Ring;
use crate::sale::Sale;
use crate::store::{Kind, Outcome, Peer, Store};

/// The raw flush and the writer take turns. Short turns, because the machine's load changes from one
/// second to the next; but a writer with many in flight loses a little at the end of each turn.
const TURN_RAW: Duration = Duration::from_millis(40);
const TURN_ONE: Duration = Duration::from_millis(160);
const TURN_TOGETHER: Duration = Duration::from_millis(400);
/// A slow flush needs longer until its median means something.
const TURN_FLUSHES_MIN: u32 = 8;
/// Threads cannot take turns with anybody: the raw flush is measured before and after them.
const BESIDE_THREADS_TURNS: u32 = 6;
const WARM_UP: Duration = Duration::from_millis(150);
const CPU_WARM_UP_SALES: u32 = 2_000;
const CPU_SALES: u32 = 40_000;

/// How long, or how many.
pub struct Amount {
    pub time: Duration,
    /// Sales after which memory is read.
    pub memory_sales: u32,
    /// What each flush is made to cost more.
    pub flush_delay: Duration,
}

/// Measures `peer` once and returns its figures.
pub fn measure(peer: &dyn Peer, kind: Kind, dir: &Path, amount: &Amount) -> Outcome<Vec<Figure>> {
    let store = dir.join("store");
    folder::fresh(&store)?;
    match kind {
        Kind::Cpu => return cpu(peer, &store),
        Kind::Memory => return memory(peer, &store, amount.memory_sales),
        _ => {}
    }
    let mut disk = Neighbour::open(dir, amount.flush_delay)?;
    let (together, mut run) = match kind {
        Kind::Threads(threads) => {
            (threads, threads_sell(peer, &store, threads, amount.time, &mut disk)?)
        }
        Kind::InFlight(waiting) => {
            (waiting, in_flight(peer, &store, waiting, amount.time, &mut disk)?)
        }
        _ => (1, one(peer, &store, amount.time, &mut disk)?),
    };
    let flush_us = disk.flushes.percentile_us(0.5);
    let flush_rate = disk.flushes.count() as f64 / disk.flushes.sum().as_secs_f64();
    let p50 = run.latencies.percentile_us(0.5);
    let rate = run.sales as f64 / run.elapsed.as_secs_f64();
    let mut figures = vec![
        Figure::new("rate", rate, "sales/s"),
        Figure::new("p50", p50, "us"),
        Figure::new("p99", run.latencies.percentile_us(0.99), "us"),
        Figure::new("raw_flush_p50", flush_us, "us"),
    ];
    if kind == Kind::One {
        figures.push(Figure::new("p50_in_raw_flushes", p50 / flush_us, "ratio"));
        figures.push(Figure::new("share_of_raw_rate", rate / flush_rate, "ratio"));
    } else {
        // The ideal: every flush carries everybody who waits.
        let ideal = together as f64 / (flush_us / 1_000_000.0);
        figures.push(Figure::new("share_of_ideal", rate / ideal, "ratio"));
    }
    Ok(figures)
}

struct Run {
    sales: u64,
    elapsed: Duration,
    latencies: Latencies,
}

/// The raw disk beside the writer.
struct Neighbour {
    ring: Ring,
    turn: Duration,
    number: u32,
    flushes: Latencies,
}

impl Neighbour {
    fn open(dir: &Path, flush_delay: Duration) -> Outcome<Neighbour> {
        let ring = Ring::open(&dir.join("neighbour"), false)?;
        let turn = TURN_RAW.max(flush_delay * TURN_FLUSHES_MIN);
        Ok(Neighbour { ring, turn, number: 1, flushes: Latencies::new() })
    }

    /// Flushes for one turn.
    fn turn(&mut self) -> Outcome<()> {
        let began = Instant::now();
        while began.elapsed() < self.turn {
            let sale = Sale::nth(self.number);
            self.number += 1;
            let start = Instant::now();
            self.ring.sell(&sale)?;
            self.flushes.add(start.elapsed());
        }
        Ok(())
    }
}

/// Calls `sell` again and again for `time`, in turns with the raw disk.
fn take_turns(
    time: Duration,
    turn: Duration,
    disk: &mut Neighbour,
    mut sell: impl FnMut(&mut Latencies) -> Outcome<()>,
) -> Outcome<Run> {
    let mut warm_up = Latencies::default();
    let began = Instant::now();
    while began.elapsed() < WARM_UP {
        sell(&mut warm_up)?;
    }
    let mut latencies = Latencies::new();
    let mut elapsed = Duration::ZERO;
    disk.turn()?;
    while elapsed < time {
        let began = Instant::now();
        let end = turn.max(disk.turn).min(time - elapsed);
        while began.elapsed() < end {
            sell(&mut latencies)?;
        }
        elapsed += began.elapsed();
        disk.turn()?;
    }
    Ok(Run { sales: latencies.count() as u64, elapsed, latencies })
}

fn one(peer: &dyn Peer, dir: &Path, time: Duration, disk: &mut Neighbour) -> Outcome<Run> {
    let mut store = peer.open(dir)?;
    let mut number = 1;
    let run = take_turns(time, TURN_ONE, disk, |latencies| {
        let sale = Sale::nth(number);
        number += 1;
        let start = Instant::now();
        store.sell(&sale)?;
        latencies.add(start.elapsed());
        Ok(())
    })?;
    store.close()?;
    Ok(run)
}

/// One thread with `waiting` sales in hand: they are handed over together, and the next ones come
/// when all are durable. A sale's time is therefore the time of its group.
fn in_flight(
    peer: &dyn Peer,
    dir: &Path,
    waiting: usize,
    time: Duration,
    disk: &mut Neighbour,
) -> Outcome<Run> {
    let mut store = peer.open(dir)?;
    let mut number = 1;
    let mut sales = Vec::with_capacity(waiting);
    let run = take_turns(time, TURN_TOGETHER, disk, |latencies| {
        sales.clear();
        sales.extend((0..waiting).map(|index| Sale::nth(number + index as u32)));
        number += waiting as u32;
        let start = Instant::now();
        store.sell_together(&sales)?;
        latencies.add(start.elapsed());
        Ok(())
    })?;
    store.close()?;
    Ok(Run { sales: run.sales * waiting as u64, ..run })
}

fn threads_sell(
    peer: &dyn Peer,
    dir: &Path,
    threads: usize,
    time: Duration,
    disk: &mut Neighbour,
) -> Outcome<Run> {
    (0..BESIDE_THREADS_TURNS).try_for_each(|_turn| disk.turn())?;
    let shared = peer.open_shared(dir)?;
    let number = AtomicU32::new(1);
    let counting = AtomicBool::new(false);
    let stop = AtomicBool::new(false);
    let ready = Barrier::new(threads + 1);
    let work = || -> Outcome<Latencies> {
        let seller = shared.seller();
        // Every thread must reach the barrier, or the others would wait for ever.
        ready.wait();
        let mut seller = seller?;
        let mut latencies = Latencies::new();
        while !stop.load(Ordering::Relaxed) {
            let counted = counting.load(Ordering::Relaxed);
            let sale = Sale::nth(number.fetch_add(1, Ordering::Relaxed));
            let start = Instant::now();
            seller.sell(&sale)?;
            if counted {
                latencies.add(start.elapsed());
            }
        }
        Ok(latencies)
    };
    let run = std::thread::scope(|scope| -> Outcome<Run> {
        let workers: Vec<_> = (0..threads).map(|_index| scope.spawn(work)).collect();
        ready.wait();
        std::thread::sleep(WARM_UP);
        counting.store(true, Ordering::Relaxed);
        let began = Instant::now();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        let mut latencies = Latencies::default();
        for worker in workers {
            latencies.absorb(worker.join().map_err(|_panic| "a selling thread panicked")??);
        }
        Ok(Run { sales: latencies.count() as u64, elapsed: began.elapsed(), latencies })
    })?;
    shared.close()?;
    (0..BESIDE_THREADS_TURNS).try_for_each(|_turn| disk.turn())?;
    Ok(run)
}

/// Runs under the shim that keeps flushes from the device, so the store does all it does for a
/// durable sale but wait. Processor time counts every thread of the process.
fn cpu(peer: &dyn Peer, dir: &Path) -> Outcome<Vec<Figure>> {
    let mut store = peer.open(dir)?;
    for number in 1..=CPU_WARM_UP_SALES {
        store.sell(&Sale::nth(number))?;
    }
    let began = Instant::now();
    let processor_began = processor_time();
    for number in CPU_WARM_UP_SALES + 1..=CPU_WARM_UP_SALES + CPU_SALES {
        store.sell(&Sale::nth(number))?;
    }
    let processor = processor_time() - processor_began;
    let elapsed = began.elapsed();
    store.close()?;
    let each = |time: Duration| time.as_secs_f64() * 1_000_000.0 / f64::from(CPU_SALES);
    Ok(vec![
        Figure::new("cpu_per_sale", each(processor), "us"),
        Figure::new("time_per_sale", each(elapsed), "us"),
    ])
}

fn memory(peer: &dyn Peer, dir: &Path, sales: u32) -> Outcome<Vec<Figure>> {
    // The catalogue is made before: it belongs to the benchmark, not to the store.
    let _catalogue = Sale::nth(1);
    let bare = Memory::now()?;
    let mut store = peer.open(dir)?;
    for number in 1..=sales {
        store.sell(&Sale::nth(number))?;
    }
    let selling = Memory::now()?;
    store.close()?;
    let more = |now: u64, before: u64| now as f64 - before as f64;
    Ok(vec![
        Figure::new("private", selling.private_kb as f64, "KiB"),
        Figure::new("resident", selling.resident_kb as f64, "KiB"),
        Figure::new("private_above_bare", more(selling.private_kb, bare.private_kb), "KiB"),
        Figure::new("resident_above_bare", more(selling.resident_kb, bare.resident_kb), "KiB"),
        Figure::new("sales_before", f64::from(sales), "sales"),
    ])
}
