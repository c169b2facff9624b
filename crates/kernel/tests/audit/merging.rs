//! What is merged, in which order, and at what cost.

use crate::shop::{Shop, assert_whole, sell};
use pos_kernel_core::Code;
use pos_kernel_core::audit::Merger;
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::terminal::History;
use pos_kernel_core::{OpenOptions, Terminal};
use pos_kernel_wal::sim::{Call, SimStorage};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn frames(lines: &[String]) -> Vec<(String, String, u64)> {
    let read = |line: &String| -> Value { serde_json::from_str(line).unwrap() };
    let key = |line: Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        (text("hlc"), text("terminal"), line["sequence"].as_u64().unwrap())
    };
    lines.iter().map(read).filter(|line| line["type"] == "frame").map(key).collect()
}

#[test]
fn terminals_are_merged_in_the_order_of_their_stamps_and_nothing_twice() {
    let shop = Shop::new();
    let (a, b) = (shop.open("A"), shop.open("B"));
    for _ in 0..5 {
        sell(&a, 3);
        sell(&b, 2);
    }
    a.close().unwrap();
    b.close().unwrap();
    let merged = shop.merge();
    assert_eq!((merged.terminals, merged.blocks, merged.faults.len()), (2, 1, 0));
    let order = frames(&shop.lines());
    assert_eq!(order.len() as u64, merged.frames);
    assert!(order.is_sorted(), "one merge of what is there is in order");
    let alternates = order.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    assert!(alternates >= 9, "both tills sold by turns");
    assert_whole(&shop.check());

    let before = fs::read(shop.log()).unwrap();
    let again = shop.merge();
    assert_eq!((again.frames, again.blocks, again.head), (0, 0, merged.head));
    assert_eq!(fs::read(shop.log()).unwrap(), before, "nothing new writes nothing");

    shop.sell("A", 4);
    let more = shop.merge();
    assert!(more.frames > 0 && more.head.block == 2);
    assert!(fs::read(shop.log()).unwrap().starts_with(&before), "no line is ever rewritten");
    assert_whole(&shop.check_with(Some(&merged.head.hash)));
    assert_eq!(shop.check_with(Some(&[1; 32])).problem_count, 1);
}

#[test]
fn a_till_that_was_away_brings_its_frames_late_and_they_are_counted() {
    let shop = Shop::new();
    shop.sell("A", 3);
    let away = shop.root.path().join("away");
    shop.sell("B", 3);
    let home = shop.root.path().join("terminals").join("B");
    fs::rename(&home, &away).unwrap();
    shop.sell("A", 3);
    shop.merge();
    fs::rename(&away, &home).unwrap();
    let merged = shop.merge();
    let check = shop.check();
    assert_whole(&check);
    assert!(check.late > 0 && check.late <= merged.frames);
    let mut order = frames(&shop.lines());
    assert!(!order.is_sorted());
    order.sort();
    order.dedup();
    assert_eq!(order.len() as u64, check.frames, "the stamps give one order of all");
}

#[test]
fn a_living_till_is_merged_while_it_sells_and_is_whole_when_it_closes() {
    let shop = Shop::new();
    let till = shop.open("A");
    let mut merger = shop.merger();
    let mut frames = 0;
    for _ in 0..20 {
        sell(&till, 5);
        frames += merger.merge(&shop.sources(), &|_, _| {}).unwrap().frames;
    }
    let behind = shop.check();
    assert_eq!(behind.problem_count, 0);
    till.close().unwrap();
    frames += merger.merge(&shop.sources(), &|_, _| {}).unwrap().frames;
    let check = shop.check();
    assert_whole(&check);
    assert_eq!(check.frames, frames);
    assert!(merger.log().head().block > 1);
}

#[test]
fn what_was_archived_is_merged_and_what_is_away_is_asked_for() {
    let shop = Shop::new();
    let till = shop.open("A");
    sell(&till, 400);
    till.archive(None).unwrap();
    sell(&till, 3);
    till.close().unwrap();
    let archive = shop.root.path().join("archive");
    let elsewhere = shop.root.path().join("elsewhere");
    fs::rename(&archive, &elsewhere).unwrap();
    let merged = shop.merge();
    assert_eq!(merged.frames, 0);
    assert_eq!(merged.faults[0].problem.code, Code::MissingSegment);
    let sources = pos_kernel_core::audit::sources(shop.root.path(), Some(&elsewhere)).unwrap();
    let merged = shop.merger().merge(&sources, &|_, _| {}).unwrap();
    assert!(merged.faults.is_empty() && merged.frames > 400);
    // What was merged need not be at hand to go on.
    shop.sell("A", 3);
    let merged = shop.merge();
    assert!(merged.faults.is_empty() && merged.frames > 0);
    fs::rename(&elsewhere, &archive).unwrap();
    assert_whole(&shop.check());
}

#[test]
fn only_one_merges_at_a_time() {
    let shop = Shop::new();
    shop.sell("A", 1);
    let first = shop.merger();
    let refused = Merger::open(shop.root.path()).unwrap_err();
    assert_eq!(refused.code(), Code::AuditInUse);
    drop(first);
    assert_eq!(shop.merge().faults, []);
}

#[test]
fn a_look_without_news_reads_no_history() {
    let disk = SimStorage::new(1);
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new(1_767_323_045_000_000_000));
    let options = OpenOptions {
        root: Some(root.path().to_owned()),
        id: Some("A".to_owned()),
        segment_bytes: Some(1 << 20),
        background: false,
        clock: clock.clone(),
        storage: Arc::new(disk.clone()),
        ..OpenOptions::default()
    };
    let dir = root.path().join("terminals").join("A").join("transaction.wal");
    let log = Path::new("/shared/aggregated_audit.log");
    let history = || History::new(Arc::new(disk.clone()), dir.clone());
    let source = pos_kernel_core::audit::Source { id: "A".to_owned(), history: history() };
    let mut reads = Vec::new();
    for sales in [10, 2000, 2000] {
        let till = Terminal::open(&options).unwrap();
        sell(&till, sales);
        till.close().unwrap();
        let mut merger = Merger::over(Arc::new(disk.clone()), log, clock.clone()).unwrap();
        let sources = std::slice::from_ref(&source);
        assert!(merger.merge(sources, &|_, _| {}).unwrap().frames > u64::from(sales));
        let before = disk.count(Call::Read);
        assert_eq!(merger.merge(sources, &|_, _| {}).unwrap().frames, 0);
        let look = disk.count(Call::Read) - before;
        drop(merger);
        let before = disk.count(Call::Read);
        Merger::over(Arc::new(disk.clone()), log, clock.clone()).unwrap();
        reads.push((sales, look, disk.count(Call::Read) - before));
    }
    println!("sales, reads of a look without news, reads of opening the log: {reads:?}");
    for (_, look, open) in reads {
        assert!(look <= 12 && open <= 5, "a look reads the head of one segment and its end");
    }
}
