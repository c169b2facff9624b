//! The disk is full, or fails: what is refused, what goes on, what is known afterwards.

use crate::limits::refused;
use crate::support::store::{SEGMENT_BYTES, Store};
use crate::support::{card, cash, line, long, sold};
use pos_kernel_core::limits::{OPEN_SALES_MAX, SEGMENT_BYTES_PER_SALE};
use pos_kernel_core::sale::LineInput;
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::{Code, Error, Terminal};
use pos_kernel_wal::Space;
use pos_kernel_wal::sim::{Call, Fault, LostPages, SimStorage};

/// Rings up sales until new work is refused, and returns how many went in.
fn fill(terminal: &Terminal) -> u64 {
    let text = "x".repeat(200);
    let mut wide = line("A", "1", "10");
    wide.text = Some(&text);
    loop {
        let sell = terminal.sell(&sold(None, &[wide; 9], &[cash(90)]), None);
        match sell {
            Ok(answer) => drop(terminal.settle(answer).unwrap()),
            Err(error) => {
                assert_eq!(error.code(), Code::NoSpace, "{error}");
                assert!(error.facts()["segmentBytes"].as_u64() >= Some(u64::from(SEGMENT_BYTES)));
                return terminal.status().unwrap().next_receipt - 1;
            }
        }
    }
}

fn open_max(segment_bytes: u32) -> u64 {
    OPEN_SALES_MAX.min(segment_bytes as usize / SEGMENT_BYTES_PER_SALE) as u64
}

#[test]
fn on_a_full_disk_new_work_is_refused_and_what_is_open_is_completed() {
    for (durability, segment_bytes, open) in [
        (Durability::Record, SEGMENT_BYTES, open_max(SEGMENT_BYTES)),
        (Durability::Sale, SEGMENT_BYTES, open_max(SEGMENT_BYTES)),
        (Durability::Sale, 4 * SEGMENT_BYTES, open_max(4 * SEGMENT_BYTES)),
    ] {
        let mut store = Store::new(durability);
        store.segment_bytes = segment_bytes;
        let terminal = store.open();
        for _ in 0..open {
            let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
            terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
        }
        terminal.void_sale(1, "a place for the sales that fill the disk", None).unwrap();
        // Two segments more than there are now, and not a byte beyond.
        store.disk.set_budget(Some(store.disk.bytes_used() + 2 * u64::from(segment_bytes)));
        let sold_out = fill(&terminal);
        assert_eq!(terminal.status().unwrap().space, Space::Full);
        let error = refused(&terminal, |t| t.begin("S", "EUR", None, None));
        assert_eq!(error.code(), Code::NoSpace);
        let error = refused(&terminal, |t| t.add_line(1, &line("A", "1", "1"), None));
        assert_eq!(error.code(), Code::NoSpace);
        // Half of the open sales by card, the others in cash, one is voided.
        for sale in 2..=open {
            if sale == open {
                let answer = terminal.void_sale(sale, "left", None).unwrap();
                terminal.settle(answer).unwrap();
                continue;
            }
            let tender = terminal.tender(sale, &card(100, true), None).unwrap();
            terminal.settle(tender).unwrap();
            let outcome = match sale % 2 {
                0 => terminal.confirm_tender(sale, 1, Some("AUTH"), None).unwrap(),
                _ => terminal.decline_tender(sale, 1, "no funds", None).unwrap(),
            };
            if terminal.settle(outcome).unwrap().due > 0 {
                let tender = terminal.tender(sale, &cash(200), None).unwrap();
                terminal.settle(tender).unwrap();
            }
            let done = terminal.complete(sale, Some(&format!("k{sale}"))).unwrap();
            terminal.settle(done).unwrap();
        }
        let receipts = terminal.status().unwrap().next_receipt - 1;
        assert_eq!(receipts, sold_out + open - 2, "{durability:?}");
        assert!(!terminal.status().unwrap().poisoned);
        // Space comes back, and so does work.
        store.disk.set_budget(None);
        terminal.settle(terminal.begin("S", "EUR", None, None).unwrap()).unwrap();
        terminal.close().unwrap();
        drop(terminal);
        store.disk = store.disk.crash(3);
        let terminal = store.open();
        assert_eq!(terminal.status().unwrap().next_receipt, receipts + 1);
        store.assert_sound();
        let completed = open - 2;
        println!("{durability:?}: {sold_out} sales, then {completed} completed on a full disk");
    }
}

#[test]
fn a_new_terminal_on_a_full_disk_says_so_and_leaves_nothing_behind() {
    let store = Store::new(Durability::Record);
    store.disk.set_budget(Some(u64::from(SEGMENT_BYTES) / 2));
    let error = store.try_open().unwrap_err();
    assert_eq!(error.code(), Code::NoSpace, "{error}");
    store.disk.set_budget(None);
    let terminal = store.open();
    assert!(terminal.recovery().first_open);
    terminal.close().unwrap();
    store.assert_sound();
}

/// A failing call of one kind: what the host is told, and what the next owner finds.
fn fail_once(
    seed: u64,
    only: Call,
    (lost, partial): (LostPages, bool),
    durability: Durability,
) -> bool {
    let mut store = Store::new(durability);
    store.disk = SimStorage::new(seed);
    let terminal = store.open();
    let first = terminal.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), Some("first"));
    let first = terminal.settle(first.unwrap()).unwrap();
    let cart = [line("B", "1", "7")];
    let paid = [cash(7)];
    let second = sold(Some("R2"), &cart, &paid);
    store.disk.set_lost_pages(lost);
    let at = store.disk.count(only) + 1;
    store.disk.fail(Some(Fault { only: Some(only), partial, ..Fault::once(at) }));
    let answer = terminal.sell(&second, Some("second")).unwrap();
    let error = terminal.settle(answer).unwrap_err();
    assert_eq!(error.code(), Code::OutcomeUnknown, "{error}");
    store.disk.fail(None);
    assert!(terminal.status().unwrap().poisoned);
    // From here on nothing is written, whatever is called.
    let (writes, syncs) = (store.disk.count(Call::Write), store.disk.count(Call::Sync));
    let sequence = terminal.status().unwrap().position.sequence;
    let begin = terminal.begin("S", "EUR", None, None).unwrap_err();
    assert_eq!(begin.code(), Code::Poisoned, "{begin}");
    assert_eq!(terminal.sell(&second, None).unwrap_err().code(), Code::Poisoned);
    assert_eq!(terminal.receipt(1).unwrap_err().code(), Code::Poisoned);
    let again = terminal.sell(&second, Some("second")).unwrap_err();
    assert_eq!(again.code(), Code::OutcomeUnknown, "only the next owner knows");
    assert_eq!(terminal.status().unwrap().position.sequence, sequence);
    assert_eq!(terminal.close().unwrap_err().code(), Code::Poisoned);
    assert_eq!(store.disk.count(Call::Write), writes);
    assert_eq!(store.disk.count(Call::Sync), syncs);
    drop(terminal);
    store.disk = store.disk.kill();
    let terminal = store.open();
    assert!(!terminal.recovery().clean);
    let again = terminal.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), Some("first"));
    assert_eq!(again.unwrap().value, first, "what was acknowledged is there");
    let again = terminal.sell(&second, Some("second")).unwrap();
    assert_eq!(again.value.number, 2, "once, whether it was in or not");
    assert_eq!(terminal.settle(again.clone()).unwrap().reference.as_deref(), Some("R2"));
    terminal.close().unwrap();
    drop(terminal);
    store.disk = store.disk.crash(0);
    assert_eq!(store.open().status().unwrap().next_receipt, 3);
    store.assert_sound();
    again.replayed
}

#[test]
fn a_failed_flush_leaves_the_outcome_unknown_until_the_next_owner_asks_by_key() {
    let (mut cases, mut was_in) = (0, 0);
    for durability in [Durability::Record, Durability::Sale] {
        for seed in 0..if long() { 200 } else { 8 } {
            for lost in [LostPages::Kept, LostPages::Dropped, LostPages::HalfKept] {
                was_in += u32::from(fail_once(seed, Call::Sync, (lost, false), durability));
                cases += 1;
            }
            for partial in [false, true] {
                let case = (LostPages::Kept, partial);
                was_in += u32::from(fail_once(seed, Call::Write, case, durability));
                cases += 1;
            }
        }
    }
    assert!(was_in > 0, "some of them reach the device after all");
    println!("failed flushes and writes={cases} in after all={was_in} doubled=0 lost=0");
}

/// Rings up so many sales of one kind on a new terminal.
fn ring_up(count: u64) -> (Store, Terminal) {
    let store = Store::new(Durability::Sale);
    let terminal = store.open();
    for _ in 0..count {
        sell_wide(&terminal, None).unwrap();
    }
    (store, terminal)
}

fn sell_wide(terminal: &Terminal, key: Option<&str>) -> Result<(u64, bool), Error> {
    let text = "x".repeat(200);
    let wide = LineInput { text: Some(&text), ..line("A", "1", "10") };
    let answer = terminal.sell(&sold(None, &[wide; 8], &[cash(80)]), key)?;
    let replayed = answer.replayed;
    Ok((terminal.settle(answer)?.number, replayed))
}

#[test]
fn a_call_that_fails_during_a_roll_costs_no_acknowledged_sale() {
    let (_, terminal) = ring_up(0);
    let mut count = 0;
    while terminal.status().unwrap().position.segment == 1 {
        sell_wide(&terminal, None).unwrap();
        count += 1;
    }
    // The next run stops one sale before the roll.
    count -= 1;
    let calls = {
        let (store, terminal) = ring_up(count);
        let before = store.disk.calls();
        sell_wide(&terminal, None).unwrap();
        assert_eq!(terminal.status().unwrap().position.segment, 2);
        store.disk.calls() - before
    };
    let mut answered = 0;
    for call in 1..=calls {
        let (mut store, terminal) = ring_up(count);
        store.disk.fail(Some(Fault::once(store.disk.calls() + call)));
        let outcome = sell_wide(&terminal, Some("k"));
        store.disk.fail(None);
        match &outcome {
            Ok((number, _)) => assert_eq!(*number, count + 1),
            Err(error) => {
                let known = [Code::OutcomeUnknown, Code::NoSpace];
                assert!(known.contains(&error.code()), "call {call}: {error}");
            }
        }
        answered += u32::from(outcome.is_ok());
        drop(terminal);
        store.disk = store.disk.kill();
        let terminal = store.open();
        let (number, replayed) = sell_wide(&terminal, Some("k")).unwrap();
        assert_eq!(number, count + 1, "call {call}");
        assert!(replayed || outcome.is_err(), "call {call}");
        terminal.close().unwrap();
        store.assert_sound();
    }
    println!(
        "calls failed during a roll={calls} answered all the same={answered} lost=0 doubled=0"
    );
}
