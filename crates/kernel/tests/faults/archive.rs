//! Archives: read on as if nothing had moved, missed when they are away, and never a segment lost.

use crate::support::store::{ID, Store};
use crate::support::{cash, line, long, sold};
use pos_kernel_core::archive::Manifest;
use pos_kernel_core::journal::{Fact, TerminalReport, verify_journal};
use pos_kernel_core::sale::Receipt;
use pos_kernel_core::signing::Signing;
use pos_kernel_core::terminal::{Durability, History};
use pos_kernel_core::{Code, OpenOptions, Terminal};
use pos_kernel_wal::sim::{Call, Fault, SimStorage};
use std::path::{Path, PathBuf};

/// Where the archive stands on the simulated disk.
fn archived_file(name: &str) -> PathBuf {
    Path::new("/disk/archive").join(ID).join(name)
}

fn archived_segment(segment: u32) -> PathBuf {
    archived_file(&format!("segment-{segment:06}.wal"))
}

fn fill(terminal: &Terminal, sales: u32) -> Vec<Receipt> {
    let text = "x".repeat(200);
    let mut receipts = Vec::new();
    for number in 0..sales {
        let mut wide = line("A", "1", "10");
        wide.text = Some(&text);
        let reference = format!("R{number}");
        let sell = terminal.sell(&sold(Some(&reference), &[wide; 8], &[cash(100)]), None).unwrap();
        receipts.push(terminal.settle(sell).unwrap());
    }
    receipts
}

/// A store whose journal has several segments, and its receipts.
fn many_segments() -> (Store, Vec<Receipt>) {
    let store = Store::new(Durability::Sale);
    let terminal = store.open();
    let receipts = fill(&terminal, 120);
    assert!(terminal.status().unwrap().position.segment >= 4);
    terminal.close().unwrap();
    (store, receipts)
}

fn verify(history: &History) -> TerminalReport {
    verify_journal(history, pos_kernel_core::journal::VerifyOptions::default(), &|_, _| {}).unwrap()
}

fn codes(report: &TerminalReport) -> Vec<Code> {
    report.problems.iter().map(|problem| problem.code).collect()
}

fn facts(history: &History) -> usize {
    let mut facts = 0;
    history.each(1, u64::MAX, |_| facts += 1).unwrap();
    facts
}

#[test]
fn what_was_archived_is_read_as_if_nothing_had_moved() {
    let (store, mut receipts) = many_segments();
    let before = verify(&store.history());
    let terminal = store.open();
    assert_eq!(terminal.archive(Some(0)).unwrap_err().code(), Code::NothingToArchive);
    let first = terminal.archive(Some(2)).unwrap();
    assert_eq!((first.removed, first.oldest_segment), (2, 3));
    let manifest = first.manifest.unwrap();
    assert_eq!((manifest.terminal.as_str(), manifest.segments.len()), (ID, 2));
    let (one, two) = manifest.ends();
    assert_eq!((one.receipts.0, one.sequences.0, manifest.link_in), (1, 1, [0; 32]));
    assert_eq!(one.receipts.1 + 1, two.receipts.0);
    let name = archived_file("archive-000001-000002.manifest");
    let text = store.disk.peek(&name).unwrap();
    assert_eq!(Manifest::from_bytes(&text), Some(manifest));
    receipts.extend(fill(&terminal, 40));
    let second = terminal.archive(None).unwrap();
    let current = terminal.status().unwrap().position.segment;
    assert_eq!((second.oldest_segment, second.removed), (current, current - 3));
    assert_eq!(terminal.archive(None).unwrap_err().code(), Code::NothingToArchive);
    for receipt in &receipts {
        assert_eq!(&terminal.receipt(receipt.number).unwrap(), receipt);
    }
    terminal.close().unwrap();
    drop(terminal);
    assert!(store.disk.peek(&Store::segment_file(1)).is_none(), "it has left");
    let history = store.archived_history();
    let report = verify(&history);
    assert_eq!(report.problems, []);
    assert_eq!((report.first_sequence, report.receipts), (1, 160));
    assert_eq!(report.archive_segments, u64::from(current - 1));
    assert!(report.records > before.records);
    let mut all = Vec::new();
    history.each_receipt(|receipt| all.push(receipt)).unwrap();
    assert!(all == receipts);
    let moves = store.facts().into_iter().filter(|it| matches!(it.fact, Fact::SegmentsArchived(_)));
    assert!(moves.count() > 0);
    println!("receipts={} segments={current} archived={}", receipts.len(), current - 1);
}

#[test]
fn a_receipt_in_an_archive_is_found_in_logarithmic_time() {
    let store = Store::new(Durability::Sale);
    let terminal = store.open();
    let mut counts = Vec::new();
    let mut receipts = Vec::new();
    for _ in 0..5 {
        while terminal.status().unwrap().position.segment < 1 << (counts.len() + 2) {
            receipts.extend(fill(&terminal, 4));
        }
        terminal.archive(None).unwrap();
        let segments = terminal.status().unwrap().position.segment;
        let mut worst = 0;
        for number in (1..=receipts.len() as u64).step_by(17) {
            let before = store.disk.count(Call::Read);
            assert_eq!(terminal.receipt(number).unwrap().number, number);
            worst = worst.max(store.disk.count(Call::Read) - before);
        }
        counts.push((segments, receipts.len(), worst));
    }
    println!("segments, receipts, most reads for one receipt: {counts:?}");
    // One more step of the search for twice the segments: each step reads a header and a frame.
    for two in counts.windows(2) {
        let (fewer, more) = (two[0].2, two[1].2);
        assert!(more <= fewer + 4, "{counts:?}");
    }
}

#[test]
fn without_its_archive_a_journal_says_what_is_archived_and_that_the_chain_goes_on_from_there() {
    let (store, receipts) = many_segments();
    let terminal = store.open();
    let report = terminal.archive(Some(2)).unwrap();
    let manifest = report.manifest.unwrap();
    terminal.close().unwrap();
    drop(terminal);
    let alone = store.history();
    let report = verify(&alone);
    assert_eq!(report.problems, []);
    let archived = report.archived.unwrap();
    let last = manifest.ends().1;
    assert_eq!((archived.segment, archived.last_sequence), (2, last.sequences.1));
    assert_eq!(archived.link, last.link);
    assert_eq!((report.first_sequence, report.archive_segments), (last.sequences.1 + 1, 0));
    let refused = alone.receipt(receipts[0].number).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("archive"), "{refused}");
    assert!(facts(&alone) < facts(&store.archived_history()));
    // A further segment is taken away: nobody journaled that.
    let third = store.disk.peek(&Store::segment_file(3)).unwrap();
    store.disk.lose(&Store::segment_file(3));
    store.disk.lose(&Store::journal_file("manifest"));
    assert_eq!(codes(&verify(&alone)), [Code::MissingSegment]);
    store.disk.poke(&Store::segment_file(3), &third);
    assert_eq!(verify(&alone).problems, []);
}

#[test]
fn a_changed_archive_is_found() {
    let (store, _) = many_segments();
    let options = OpenOptions { signing: Signing::Software, ..store.options() };
    let terminal = Terminal::open(&options).unwrap();
    terminal.archive(None).unwrap();
    terminal.close().unwrap();
    drop(terminal);
    let history = store.archived_history();
    assert_eq!(verify(&history).problems, []);
    let segment = store.disk.peek(&archived_segment(2)).unwrap();
    // A byte that no checksum covers: behind the seal of a segment nothing may stand.
    let mut changed = segment.clone();
    changed[20_000] ^= 4;
    store.disk.poke(&archived_segment(2), &changed);
    let found = codes(&verify(&history));
    assert!(found.contains(&Code::Archive) && found.contains(&Code::Corrupt), "{found:?}");
    store.disk.poke(&archived_segment(2), &segment);
    let names: Vec<PathBuf> = store.disk.files();
    let manifest = names.iter().find(|name| name.extension().is_some_and(|it| it == "manifest"));
    let manifest = manifest.unwrap();
    let text = store.disk.peek(manifest).unwrap();
    for at in [30, 200, text.len() - 20] {
        let mut changed = text.clone();
        changed[at] ^= 1;
        store.disk.poke(manifest, &changed);
        assert_eq!(codes(&verify(&history)), [Code::Archive], "byte {at}");
    }
    // One that is sound in itself is another one than the journal names.
    let mut other = Manifest::from_bytes(&text).unwrap();
    other.made_ns += 1;
    other.signature = None;
    store.disk.poke(manifest, other.to_text().as_bytes());
    assert_eq!(codes(&verify(&history)), [Code::Archive]);
    store.disk.lose(&archived_segment(2));
    store.disk.poke(manifest, &text);
    assert_eq!(codes(&verify(&history)), [Code::MissingSegment]);
}

#[test]
fn a_damaged_segment_is_not_archived() {
    let (store, _) = many_segments();
    let terminal = store.open();
    let image = store.segment(2);
    let mut damaged = image.clone();
    damaged[20_000] ^= 4;
    store.disk.poke(&Store::segment_file(2), &damaged);
    assert_eq!(terminal.archive(None).unwrap_err().code(), Code::Corrupt);
    assert!(store.disk.peek(&Store::segment_file(1)).is_some());
    store.disk.poke(&Store::segment_file(2), &image);
    terminal.archive(None).unwrap();
    terminal.close().unwrap();
    assert_eq!(verify(&store.archived_history()).problems, []);
}

/// Every call on the disk that a move makes, with what it does.
fn calls_of_a_move() -> (u64, u64) {
    let (store, _) = many_segments();
    let terminal = store.open();
    let before = store.disk.calls();
    terminal.archive(Some(2)).unwrap();
    (before, store.disk.calls())
}

fn sound_after(disk: SimStorage, receipts: &[Receipt], what: &str) -> bool {
    let store = Store::with_disk(disk);
    let terminal = store.try_open().unwrap_or_else(|error| panic!("{what}: {error}"));
    for receipt in receipts.iter().step_by(13) {
        let found = terminal.receipt(receipt.number);
        assert_eq!(&found.unwrap_or_else(|error| panic!("{what}: {error}")), receipt);
    }
    let journaled = terminal.till().unwrap().archived.is_some();
    // The next move finishes what was begun.
    match terminal.archive(Some(2)) {
        Ok(report) => assert!(report.oldest_segment >= 3, "{what}"),
        Err(error) => assert_eq!(error.code(), Code::NothingToArchive, "{what}: {error}"),
    }
    assert!(store.disk.peek(&Store::segment_file(1)).is_none(), "{what}: it was not finished");
    terminal.close().unwrap();
    drop(terminal);
    let others: Vec<_> = verify(&store.archived_history()).problems;
    let others: Vec<_> = others.iter().filter(|problem| problem.code != Code::Mark).collect();
    assert!(others.is_empty(), "{what}: {others:?}");
    journaled
}

#[test]
fn a_crash_at_any_step_of_a_move_loses_no_segment() {
    let (from, to) = calls_of_a_move();
    let step = if long() { 1 } else { ((to - from) / 60).max(1) };
    let (mut crashes, mut journaled) = (0, 0);
    // The last calls change most: each of them is a step of its own.
    let steps = (from + 1..=to).filter(|at| (at - from) % step == 0 || to - at < 60);
    for at in steps {
        let (store, receipts) = many_segments();
        let terminal = store.open();
        store.disk.stop_at(at);
        let _ = terminal.archive(Some(2));
        drop(terminal);
        for seed in [at, at + 1_000_000] {
            let what = format!("call {at} of {from} to {to}, seed {seed}");
            journaled += u32::from(sound_after(store.disk.crash(seed), &receipts, &what));
            crashes += 1;
        }
    }
    assert!(journaled > 0 && journaled < crashes);
    println!("calls={} crashes={crashes} of them behind the journaling={journaled}", to - from);
}

#[test]
fn a_failed_call_in_a_move_leaves_every_segment_and_the_till_goes_on() {
    let (from, to) = calls_of_a_move();
    let step = if long() { 1 } else { ((to - from) / 40).max(1) };
    let mut failures = 0;
    for at in (from + 1..=to).filter(|at| (at - from) % step == 0 || to - at < 40) {
        let (store, receipts) = many_segments();
        let terminal = store.open();
        store.disk.fail(Some(Fault::once(at)));
        let moved = terminal.archive(Some(2));
        store.disk.fail(None);
        failures += u32::from(moved.is_err());
        drop(terminal);
        let what = format!("call {at} of {from} to {to}");
        sound_after(store.disk.kill(), &receipts, &what);
    }
    println!("calls={} failed moves={failures}", to - from);
    assert!(failures > 0);
}
