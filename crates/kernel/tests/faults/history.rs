//! Reading receipts back from a journal of many segments, whole and damaged.

use crate::support::store::{SEGMENT_BYTES, Store};
use crate::support::{cash, line, sold};
use pos_kernel_core::sale::Receipt;
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::{Code, Terminal};

/// A closed store of several segments and its receipts, oldest first.
fn many_segments() -> (Store, Vec<Receipt>) {
    let store = Store::new(Durability::Sale);
    let terminal = store.open();
    let text = "x".repeat(200);
    let mut receipts = Vec::new();
    // A sale that stays open over segments.
    let long = terminal.begin("S", "EUR", Some("LONG"), None).unwrap().value.sale;
    terminal.add_line(long, &line("L", "1", "1"), None).unwrap();
    for number in 0..120_u32 {
        let mut wide = line("A", "1", "10");
        wide.text = Some(&text);
        let reference = format!("R{number}");
        let sell = terminal.sell(&sold(Some(&reference), &[wide; 8], &[cash(100)]), None).unwrap();
        receipts.push(terminal.settle(sell).unwrap());
    }
    terminal.tender(long, &cash(1), None).unwrap();
    receipts.push(terminal.settle(terminal.complete(long, None).unwrap()).unwrap());
    assert!(terminal.status().unwrap().position.segment >= 4);
    terminal.close().unwrap();
    (store, receipts)
}

fn code_of(terminal: &Terminal, receipt: u64) -> Code {
    terminal.receipt(receipt).unwrap_err().code()
}

#[test]
fn every_receipt_is_found_in_every_segment_and_no_other_is() {
    let (store, receipts) = many_segments();
    let terminal = store.open();
    let last = receipts.len() as u64;
    for receipt in &receipts {
        assert_eq!(&terminal.receipt(receipt.number).unwrap(), receipt);
        assert_eq!(&store.history().receipt(receipt.number).unwrap(), receipt);
        assert_eq!(&store.history().receipt_at(receipt.meta.sequence).unwrap(), receipt);
    }
    for missing in [0, last + 1, u64::MAX] {
        assert_eq!(code_of(&terminal, missing), Code::NotFound, "{missing}");
        assert_eq!(store.history().receipt(missing).unwrap_err().code(), Code::NotFound);
    }
    for missing in [0, 1_000_000, u64::MAX] {
        assert_eq!(store.history().record(missing).unwrap_err().code(), Code::NotFound);
    }
    let mut all = Vec::new();
    store.history().each_receipt(|receipt| all.push(receipt)).unwrap();
    assert!(all == receipts);
    println!("receipts={last} segments={}", terminal.status().unwrap().position.segment);
}

#[test]
fn a_receipt_that_is_not_on_the_device_yet_is_found_too() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let receipt = terminal.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), None).unwrap();
    assert_eq!(terminal.receipt(1).unwrap(), receipt.value);
}

#[test]
fn a_damaged_segment_is_said_to_be_damaged_and_the_others_are_read() {
    let (store, receipts) = many_segments();
    let terminal = store.open();
    let path = Store::segment_file(2);
    let image = store.segment(2);
    let in_two: Vec<u64> = {
        let next = |segment| {
            let frame = store.history().reader().unwrap().first_frame(segment).unwrap().unwrap();
            let records = frame.iter().map(|(kind, body)| (*kind, &body[..]));
            pos_kernel_core::journal::restore(records).unwrap().next_receipt
        };
        (next(2)..next(3)).collect()
    };
    let header = 100;
    let first_frame = 12_288 + 70;
    let middle = SEGMENT_BYTES as usize / 2;
    let mut damages = 0;
    for at in [header, first_frame, middle] {
        let mut damaged = image.clone();
        damaged[at] ^= 0x10;
        store.disk.poke(&path, &damaged);
        for receipt in &receipts {
            let found = terminal.receipt(receipt.number);
            match found {
                Ok(found) => assert_eq!(&found, receipt),
                Err(error) => {
                    // The search itself passes this segment's head; in the middle of it only its
                    // own receipts are hurt, and a sale that runs through it.
                    assert_eq!(error.code(), Code::Corrupt, "{at} {}: {error}", receipt.number);
                    assert_eq!(error.facts()["segment"], 2);
                    damages += 1;
                }
            }
        }
        let lost = in_two.iter().filter(|number| terminal.receipt(**number).is_err()).count();
        assert!(lost > 0, "byte {at}");
        let long = receipts.last().unwrap();
        let told = store.history().receipt(long.number);
        assert_eq!(told.unwrap_err().code(), Code::Corrupt, "it runs through segment 2");
        assert_eq!(&terminal.receipt(long.number).unwrap(), long, "the till came back with it");
        assert!(store.history().each_receipt(drop).is_err());
    }
    store.disk.lose(&path);
    assert_eq!(code_of(&terminal, in_two[0]), Code::Corrupt);
    store.disk.poke(&path, &image);
    for receipt in &receipts {
        assert_eq!(&terminal.receipt(receipt.number).unwrap(), receipt);
    }
    println!("damaged reads refused={damages}");
}
