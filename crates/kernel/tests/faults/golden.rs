//! A journal of record version 1 that must be readable for ever, and must still be what is written.
//!
//! `data/v1/` was written by the script below; `facts.jsonl` is what stands in it. The files are
//! never written again: a change of the records gets a folder of its own beside this one.

use crate::support::store::Store;
use crate::support::{card, cash, decimal, line, sold};
use pos_kernel_core::journal::{Fact, RecordKind};
use pos_kernel_core::sale::LineInput;
use pos_kernel_core::terminal::Durability;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const FILES: [&str; 3] = ["manifest", "segment-000001.wal", "segment-000002.wal"];
const FACTS: &str = "facts.jsonl";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v1")
}

/// Two owners, two segments, every kind of fact, a sale that stays open over both.
fn write() -> Store {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let text = "A long text that fills the line".repeat(8);
    let wide = LineInput { text: Some(&text), ..line("5010029", "1", "1250") };
    terminal.begin("STORE_001", "EUR", Some("open-1"), Some("begin-1")).unwrap();
    terminal
        .add_line(1, &LineInput { text: Some("Bread"), ..line("BREAD", "2", "199") }, None)
        .unwrap();
    terminal.begin("STORE_001", "KWD", None, None).unwrap();
    terminal.add_line(2, &line("COFFEE_001", "0.250", "3999.5"), Some("line-2")).unwrap();
    terminal.add_line(2, &line("Кофе", "3", "33.333333"), None).unwrap();
    terminal.set_quantity(2, 1, decimal("0.500"), "weighed again", None).unwrap();
    terminal.void_line(2, 2, "scanned twice", Some("void-2")).unwrap();
    terminal.tender(2, &card(500, true), Some("card-2")).unwrap();
    terminal.decline_tender(2, 1, "no funds", None).unwrap();
    terminal.tender(2, &card(1000, true), None).unwrap();
    terminal.confirm_tender(2, 2, Some("AUTH-77"), None).unwrap();
    terminal.tender(2, &cash(500), None).unwrap();
    terminal.void_tender(2, 3, "wrong note", None).unwrap();
    terminal.tender(2, &cash(2000), None).unwrap();
    terminal.settle(terminal.complete(2, Some("complete-2")).unwrap()).unwrap();
    terminal.begin("STORE_001", "EUR", None, None).unwrap();
    terminal.settle(terminal.void_sale(3, "left the shop", None).unwrap()).unwrap();
    for number in 0..9 {
        let back = line("DEPOSIT", "-1", "25");
        let reference = format!("R-{number}");
        let lines = [wide; 20];
        let sell = match number % 3 {
            0 => terminal.sell(&sold(Some(&reference), &lines, &[cash(30_000)]), None),
            1 => terminal.sell(&sold(None, &[back], &[cash(-25)]), Some(&reference)),
            _ => terminal.sell(&sold(None, &lines, &[card(25_000, false)]), None),
        };
        terminal.settle(sell.unwrap()).unwrap();
    }
    terminal.close().unwrap();
    drop(terminal);
    let terminal = store.open();
    for _ in 0..5 {
        let sell = terminal.sell(&sold(None, &[wide; 20], &[cash(25_000)]), None).unwrap();
        terminal.settle(sell).unwrap();
    }
    terminal.tender(1, &card(398, true), None).unwrap();
    terminal.close().unwrap();
    assert_eq!(terminal.recovery().sales, [1]);
    store
}

fn golden() -> Store {
    let store = Store::new(Durability::Record);
    for name in FILES {
        store.disk.poke(&Store::journal_file(name), &fs::read(folder().join(name)).unwrap());
    }
    store
}

fn lines(store: &Store) -> Vec<Value> {
    let facts = store.facts();
    let shown = facts.iter().map(|recorded| {
        json!({
            "sequence": recorded.sequence,
            "kind": recorded.fact.kind().name(),
            "fact": recorded.fact.show(),
        })
    });
    shown.collect()
}

#[test]
fn the_golden_journal_reads_as_it_always_did() {
    let store = golden();
    store.assert_sound();
    let expected = fs::read_to_string(folder().join(FACTS)).unwrap();
    let expected: Vec<Value> =
        expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines(&store), expected);
    let kinds: std::collections::BTreeSet<u16> =
        store.facts().iter().map(|recorded| recorded.fact.kind() as u16).collect();
    assert_eq!(kinds.len(), 12, "every kind of fact stands in it");
    // And it can be gone on with.
    let terminal = store.open();
    assert!(terminal.recovery().clean);
    assert_eq!(terminal.recovery().sales, [1]);
    let again = terminal.add_line(2, &line("COFFEE_001", "0.250", "3999.5"), Some("line-2"));
    assert!(again.unwrap().replayed, "the keys are remembered");
    terminal.confirm_tender(1, 1, Some("AUTH"), None).unwrap();
    let receipt = terminal.settle(terminal.complete(1, None).unwrap()).unwrap();
    assert_eq!((receipt.number, receipt.gross), (16, 398));
    let first = terminal.receipt(1).unwrap();
    assert_eq!((first.gross, first.tendered, first.change), (2000, 3000, 1000));
    terminal.close().unwrap();
    store.assert_sound();
    assert!(store.try_verify(Some(&first.meta.hash)).unwrap().problems.is_empty());
}

#[test]
fn the_same_script_at_the_same_time_writes_the_same_bytes() {
    let (one, other) = (write(), write());
    for segment in [1, 2] {
        assert!(one.segment(segment) == other.segment(segment), "segment {segment}");
    }
    // The bodies are those of the golden journal, but for the owner, which is another process.
    let bodies = |store: &Store| -> Vec<(u64, u16, Vec<u8>)> {
        let reader = store.history().reader().unwrap();
        let mut bodies = Vec::new();
        for segment in reader.segments() {
            let scan = reader.scan(segment, true).unwrap().unwrap();
            for record in scan.frames().flat_map(|frame| frame.records().collect::<Vec<_>>()) {
                let is_owner = record.kind == RecordKind::TerminalOpened as u16;
                let body = if is_owner { Vec::new() } else { record.body.to_vec() };
                bodies.push((record.sequence, record.kind, body));
            }
        }
        bodies
    };
    assert!(bodies(&one) == bodies(&golden()), "the records are not those of version 1 any more");
}

#[test]
fn the_golden_files_are_written_once() {
    if std::env::var_os("PK_WRITE_GOLDEN").is_none() {
        assert!(folder().join(FACTS).is_file());
        return;
    }
    assert!(!folder().exists(), "old journals stay as they are; choose a new folder");
    fs::create_dir_all(folder()).unwrap();
    let store = write();
    assert!(store.facts().iter().any(|recorded| matches!(recorded.fact, Fact::SaleVoided(_))));
    for name in FILES {
        let bytes = store.disk.peek(&Store::journal_file(name)).unwrap();
        fs::write(folder().join(name), bytes).unwrap();
    }
    let text: String = lines(&store).iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder().join(FACTS), text).unwrap();
}
