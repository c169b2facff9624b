//! The power is cut at every call of a disk that holds a journal and the log, and killed likewise.

use crate::support::long;
use crate::support::store::Store;
use crate::support::{cash, line, sold};
use pos_kernel_core::audit::{AuditCheck, Merger, Source, check};
use pos_kernel_core::terminal::{Durability, History};
use pos_kernel_core::{Result, Terminal};
use pos_kernel_wal::Link;
use pos_kernel_wal::sim::SimStorage;
use std::path::Path;
use std::sync::Arc;

const LOG: &str = "/disk/shared/aggregated_audit.log";

/// The merge reads the disk itself: none of its calls is one of the terminal's.
fn source(disk: &SimStorage) -> Source {
    let dir = Path::new("/disk/terminals/REGISTER_01/transaction.wal").to_owned();
    Source { id: "REGISTER_01".to_owned(), history: History::new(Arc::new(disk.clone()), dir) }
}

/// Merges, and gives the hash that an auditor may note.
fn merge(store: &Store, disk: &SimStorage) -> Result<Option<Link>> {
    let mut merger = Merger::over(Arc::new(disk.clone()), Path::new(LOG), store.clock.clone())?;
    let merged = merger.merge(&[source(disk)], &|_, _| {})?;
    // A disk that stops answers nothing, and that is a problem of the terminal.
    let readable = |it: &pos_kernel_core::audit::Fault| it.problem.code.name() == "PK_E_IO";
    assert!(merged.faults.iter().all(readable), "{:?}", merged.faults);
    Ok((merged.head.line > 0).then_some(merged.head.hash))
}

fn sell(terminal: &Terminal) -> Result<()> {
    let lines = [line("BREAD", "2", "199")];
    let answer = terminal.sell(&sold(None, &lines, &[cash(500)]), None)?;
    terminal.settle(answer).map(drop)
}

/// A till that sells, and a merge after each sale. Heads go to `noted` once they are promised.
fn play(store: &Store, noted: &mut Vec<Link>) -> Result<()> {
    for _ in 0..2 {
        let terminal = store.try_open()?;
        for _ in 0..3 {
            sell(&terminal)?;
            noted.extend(merge(store, &store.disk)?);
        }
        terminal.close()?;
        noted.extend(merge(store, &store.disk)?);
    }
    Ok(())
}

fn checked(disk: &SimStorage, anchor: Option<&Link>) -> AuditCheck {
    check(disk, Path::new(LOG), &[source(disk)], anchor, &|_, _| {}).unwrap()
}

fn assert_sound(place: &str, check: &AuditCheck) {
    let problems: Vec<_> = check.terminals.iter().flat_map(|it| &it.problems).collect();
    assert_eq!((check.problem_count, &check.problems[..]), (0, &[][..]), "{place}: {problems:?}");
}

/// Goes on after a crash: what was noted is still there, nothing that was merged is taken back.
fn go_on(place: &str, disk: SimStorage, noted: &[Link]) {
    let store = Store::with_disk(disk.clone());
    // Before the next owner has looked at the tail: only what is proved may be merged now.
    merge(&store, &disk).unwrap();
    for head in noted {
        assert_sound(place, &checked(&disk, Some(head)));
    }
    let terminal = store.open();
    sell(&terminal).unwrap();
    terminal.close().unwrap();
    merge(&store, &disk).unwrap();
    let check = checked(&disk, noted.last());
    assert_sound(place, &check);
    assert_eq!((check.terminals[0].behind, check.unfinished_bytes), (0, 0), "{place}");
}

fn cut_at(call: u64, durability: Durability) -> Option<(SimStorage, Vec<Link>)> {
    let store = Store::new(durability);
    store.disk.stop_at(call);
    let mut noted = Vec::new();
    let played = play(&store, &mut noted);
    let stopped = store.disk.calls() >= call;
    assert!(stopped || played.is_ok());
    stopped.then(|| (store.disk.clone(), noted))
}

#[test]
fn no_power_cut_loses_doubles_or_takes_back_a_line() {
    let seeds = if long() { 24 } else { 3 };
    let mut cuts = 0;
    for durability in [Durability::Record, Durability::Sale] {
        let step = if long() { 1 } else { 5 };
        for call in (1..).step_by(step) {
            let Some((disk, noted)) = cut_at(call, durability) else { break };
            for seed in 0..seeds {
                let place = format!("{durability:?}, call {call}, seed {seed}");
                go_on(&place, disk.crash(seed), &noted);
                cuts += 1;
            }
            go_on(&format!("{durability:?}, call {call}, killed"), disk.kill(), &noted);
        }
    }
    println!("power cuts: {cuts}, nothing lost, doubled or taken back");
    assert!(cuts > 250);
}
