//! Idempotency keys: how long they are remembered, and what is answered.

use crate::limits::refused;
use crate::support::store::Store;
use crate::support::{card, cash, decimal, line, sold};
use pos_kernel_core::journal::snapshot;
use pos_kernel_core::sale::Receipt;
use pos_kernel_core::terminal::{Answer, Durability};
use pos_kernel_core::{Code, Error, Terminal};

fn sell(terminal: &Terminal, number: usize) -> Result<Answer<Receipt>, Error> {
    let reference = format!("R{number}");
    let key = format!("key-{number}");
    let text = "x".repeat(200);
    let mut wide = line("A", "1", "10");
    wide.text = Some(&text);
    let answer = terminal.sell(&sold(Some(&reference), &[wide; 4], &[cash(50)]), Some(&key))?;
    terminal.wait_durable(answer.sequence)?;
    Ok(answer)
}

#[test]
fn the_window_is_bounded_forgets_the_oldest_and_survives_everything() {
    let mut store = Store::new(Durability::Sale);
    let terminal = store.open();
    let keys_max = terminal.keys_max();
    assert_eq!(keys_max, 32, "one key for each 2 KiB of segment");
    let mut receipts = Vec::new();
    for number in 0..keys_max * 4 {
        receipts.push(sell(&terminal, number).unwrap().value);
        let packed = snapshot(&terminal.till().unwrap())[0].1.len();
        assert!(packed < 32 * keys_max + 200, "a checkpoint's head of {packed} bytes");
    }
    assert!(terminal.status().unwrap().position.segment >= 3, "keys in sealed segments");
    let check = |terminal: &Terminal| {
        let next = terminal.status().unwrap().next_receipt;
        for (number, receipt) in receipts.iter().enumerate().skip(keys_max * 3) {
            let again = sell(terminal, number).unwrap();
            assert!(again.replayed, "key {number}");
            assert_eq!(&again.value, receipt);
            assert!(!again.wait, "it is durable");
        }
        assert_eq!(terminal.status().unwrap().next_receipt, next);
    };
    check(&terminal);
    terminal.close().unwrap();
    let terminal = store.open();
    check(&terminal);
    drop(terminal);
    store.disk = store.disk.crash(7);
    let terminal = store.open();
    check(&terminal);
    // One key more, and the oldest is forgotten: used again, it makes a new fact.
    sell(&terminal, 9_000).unwrap();
    let forgotten = sell(&terminal, keys_max * 3).unwrap();
    assert!(!forgotten.replayed);
    assert_eq!(forgotten.value.number, receipts.len() as u64 + 2);
    let newer = sell(&terminal, keys_max * 3).unwrap();
    assert_eq!((newer.replayed, newer.value), (true, forgotten.value));
    terminal.close().unwrap();
    store.assert_sound();
}

#[test]
fn a_key_is_answered_from_a_sealed_segment() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let first = sell(&terminal, 0).unwrap().value;
    let text = "x".repeat(250);
    let mut wide = line("A", "1", "10");
    wide.text = Some(&text);
    while terminal.status().unwrap().position.segment < 4 {
        terminal.sell(&sold(None, &[wide; 40], &[cash(400)]), None).unwrap();
    }
    let again = sell(&terminal, 0).unwrap();
    assert_eq!((again.replayed, again.value), (true, first));
}

/// Every call that makes a fact gives the same answer again, and refuses other inputs.
#[test]
fn every_call_is_answered_once_and_the_same_ever_after() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let mut calls = 0;
    let mut steps: Vec<Box<dyn Fn(&Terminal) -> String>> = Vec::new();
    macro_rules! once {
        ($call:expr) => {{
            let call = $call;
            let first = call(&terminal).unwrap();
            assert!(!first.replayed);
            let state = terminal.till().unwrap();
            let again = call(&terminal).unwrap();
            assert!(again.replayed);
            assert_eq!(again.value, first.value);
            assert_eq!(again.sequence, first.sequence);
            assert_eq!(terminal.till().unwrap(), state);
            calls += 1;
            let value = format!("{:?}", first.value);
            steps.push(Box::new(move |terminal| {
                let again = call(terminal).unwrap();
                assert!(again.replayed);
                assert_eq!(format!("{:?}", again.value), value);
                value.clone()
            }));
        }};
    }
    once!(|t: &Terminal| t.begin("S", "EUR", Some("R"), Some("begin")));
    once!(|t: &Terminal| t.add_line(1, &line("A", "2", "100"), Some("line 1")));
    once!(|t: &Terminal| t.add_line(1, &line("B", "1", "50"), Some("line 2")));
    once!(|t: &Terminal| t.set_quantity(1, 1, decimal("3"), "more", Some("quantity")));
    once!(|t: &Terminal| t.void_line(1, 2, "wrong", Some("void line")));
    once!(|t: &Terminal| t.tender(1, &card(100, true), Some("card 1")));
    once!(|t: &Terminal| t.confirm_tender(1, 1, Some("AUTH"), Some("confirm")));
    once!(|t: &Terminal| t.tender(1, &card(100, true), Some("card 2")));
    once!(|t: &Terminal| t.decline_tender(1, 2, "no funds", Some("decline")));
    once!(|t: &Terminal| t.void_tender(1, 1, "other card", Some("void tender")));
    once!(|t: &Terminal| t.tender(1, &cash(500), Some("cash")));
    once!(|t: &Terminal| t.complete(1, Some("complete")));
    once!(|t: &Terminal| t.begin("S", "EUR", None, Some("begin 2")));
    once!(|t: &Terminal| t.void_sale(2, "left", Some("void sale")));
    once!(|t: &Terminal| t.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), Some("sell")));
    let state = snapshot(&terminal.till().unwrap());
    terminal.close_sale(1).unwrap();
    steps.iter().for_each(|step| drop(step(&terminal)));
    drop(terminal);
    let terminal = store.open();
    steps.iter().for_each(|step| drop(step(&terminal)));
    assert_eq!(snapshot(&terminal.till().unwrap()), state, "no answer was a new fact");
    let mismatch = |error: Error| {
        assert_eq!(error.code(), Code::IdempotencyMismatch, "{error}");
        assert!(error.facts()["sequence"].as_u64() > Some(0));
    };
    mismatch(refused(&terminal, |t| t.begin("S", "EUR", None, Some("begin"))));
    mismatch(refused(&terminal, |t| t.begin("S", "USD", Some("R"), Some("begin"))));
    mismatch(refused(&terminal, |t| t.add_line(1, &line("A", "2", "101"), Some("line 1"))));
    mismatch(refused(&terminal, |t| t.add_line(1, &line("A", "2.0", "100"), Some("line 1"))));
    mismatch(refused(&terminal, |t| t.void_line(1, 1, "wrong", Some("void line"))));
    mismatch(refused(&terminal, |t| t.tender(1, &cash(501), Some("cash"))));
    mismatch(refused(&terminal, |t| t.tender(1, &card(500, false), Some("cash"))));
    mismatch(refused(&terminal, |t| t.confirm_tender(1, 1, None, Some("confirm"))));
    mismatch(refused(&terminal, |t| t.complete(2, Some("complete"))));
    mismatch(refused(&terminal, |t| t.void_sale(1, "left", Some("void sale"))));
    mismatch(refused(&terminal, |t| t.complete(1, Some("sell"))));
    let cart = [line("A", "1", "5")];
    mismatch(refused(&terminal, |t| t.sell(&sold(Some("R"), &cart, &[cash(5)]), Some("sell"))));
    mismatch(refused(&terminal, |t| t.sell(&sold(None, &cart, &[cash(6)]), Some("sell"))));
    mismatch(refused(&terminal, |t| t.sell(&sold(None, &cart, &[cash(5)]), Some("begin"))));
    println!("keyed calls={calls} answered again={}", calls * 3);
}

#[test]
fn a_refused_call_does_not_use_its_key_up() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    let empty = refused(&terminal, |t| t.complete(sale, Some("done")));
    assert_eq!(empty.code(), Code::EmptySale);
    terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    let underpaid = refused(&terminal, |t| t.complete(sale, Some("done")));
    assert_eq!(underpaid.code(), Code::Underpaid);
    terminal.tender(sale, &cash(100), None).unwrap();
    let done = terminal.complete(sale, Some("done")).unwrap();
    assert!(!done.replayed);
    assert!(terminal.complete(sale, Some("done")).unwrap().replayed);
}
