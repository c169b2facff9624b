//! A process that sells and is killed with SIGKILL, and the process that comes after it.
//!
//! The killed process runs under the shim that keeps flushes from the device: a killed process loses
//! nothing of what it wrote, so the files are the same, and a million sales take seconds. Every
//! round gets a copy of what it left behind, because the first open repairs it.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::child::{self, Flush};
use crate::folder;
use crate::measure::{Figure, Rounds};
use crate::sale::Sale;
use crate::store::{Kind, Outcome, Peer};

/// Runs the workload for all `peers` and `rounds`, interleaved.
pub fn run(peers: &[&dyn Peer], dir: &Path, sales: u32, rounds: usize) -> Outcome<Rounds> {
    let mut results = Rounds::default();
    let mut left_behind = Vec::new();
    for &peer in peers.iter().filter(|peer| peer.takes_part_in(Kind::Recovery)) {
        let left = dir.join(format!("left-{}", peer.name()));
        folder::fresh(&left)?;
        let filled = child::kill_when_ready(&fill_arguments(peer, &left, sales), Flush::Skipped)?;
        let seconds = filled["seconds"].as_f64().unwrap_or(0.0);
        eprintln!("  recovery {}: {sales} sales in {seconds:.1} s, killed", peer.name());
        folder::settle(&left)?;
        let each = folder::disk_bytes(&left)? as f64 / f64::from(sales);
        results.add(peer.name(), Figure::new("disk_per_sale", each, "B"));
        left_behind.push((peer, left));
    }
    for round in 0..rounds {
        for offset in 0..left_behind.len() {
            let (peer, left) = &left_behind[(offset + round) % left_behind.len()];
            let work = dir.join("recovery");
            folder::copy(left, &work)?;
            folder::settle(&work)?;
            let lines = child::run(&ready_arguments(*peer, &work, sales), Flush::Real)?;
            for figure in lines.iter().filter_map(Figure::from_json) {
                results.add(peer.name(), figure);
            }
            eprintln!("  recovery round {} {}", round + 1, peer.name());
            folder::remove(&work)?;
        }
    }
    for (_peer, left) in left_behind {
        folder::remove(&left)?;
    }
    Ok(results)
}

pub fn fill_arguments(peer: &dyn Peer, dir: &Path, sales: u32) -> Vec<String> {
    arguments("child-fill", peer, dir, sales)
}

fn ready_arguments(peer: &dyn Peer, dir: &Path, sales: u32) -> Vec<String> {
    arguments("child-ready", peer, dir, sales)
}

pub fn arguments(command: &str, peer: &dyn Peer, dir: &Path, sales: u32) -> Vec<String> {
    vec![
        command.into(),
        "--peer".into(),
        peer.name().into(),
        "--dir".into(),
        dir.to_string_lossy().into_owned(),
        "--sales".into(),
        sales.to_string(),
    ]
}

/// In the child: sells one by one, says so, and waits to be killed.
pub fn fill(peer: &dyn Peer, dir: &Path, sales: u32) -> Outcome<()> {
    let mut store = peer.open(dir)?;
    let began = Instant::now();
    for number in 1..=sales {
        store.sell(&Sale::nth(number))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({"sales": sales, "seconds": began.elapsed().as_secs_f64()}))?;
    out.flush()?;
    loop {
        std::thread::sleep(Duration::from_secs(3_600));
    }
}

/// In the child that comes after: opens, finds the last sale, sells one more, reads every sale,
/// and has the store check itself.
pub fn ready(peer: &dyn Peer, dir: &Path, sales: u32) -> Outcome<Vec<Figure>> {
    // Made before the clock starts: the catalogue belongs to the benchmark.
    let next = Sale::nth(sales + 1);
    let began = Instant::now();
    let mut store = peer.open(dir)?;
    let opened = began.elapsed();
    let last = store.last()?;
    store.sell(&next)?;
    let ready = began.elapsed();
    if last != Some(sales) {
        return Err(format!("{}: the last sale is {last:?}, not {sales}", peer.name()).into());
    }
    let began = Instant::now();
    let mut count = 0_u32;
    let mut in_order = true;
    let mut sum = 0_u64;
    store.read_every(&mut |number, bytes| {
        count += 1;
        in_order &= number == count;
        sum = sum.wrapping_add(sum_of(bytes));
    })?;
    let read = began.elapsed();
    std::hint::black_box(sum);
    if count != sales + 1 || !in_order {
        return Err(format!("{}: read {count} sales, in order: {in_order}", peer.name()).into());
    }
    let audit = store.audit()?;
    store.close()?;
    let millis = |name, time: Duration| Figure::new(name, time.as_secs_f64() * 1_000.0, "ms");
    let mut figures =
        vec![millis("open", opened), millis("ready", ready), millis("read_all", read)];
    if let Some(audit) = audit {
        figures.extend([millis("audit_chain", audit.chain), millis("audit", audit.full)]);
    }
    Ok(figures)
}

/// Touches every byte, cheaply.
fn sum_of(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut sum = 0_u64;
    for word in &mut words {
        sum = sum.wrapping_add(u64::from_le_bytes(word.try_into().expect("chunks of eight")));
    }
    words.remainder().iter().fold(sum, |sum, &byte| sum.wrapping_add(u64::from(byte)))
}
