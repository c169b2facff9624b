//! Opening and closing: what must be true of the next owner, whatever the last one met.

use crate::regressions::entries;
use crate::support::store::Store;
use crate::support::{cash, line, open, options, sold};
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::{Code, Terminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn a_close_is_clean_at_every_fill_of_a_segment() {
    // A checkpoint falls due once a quarter of the segment is written since the last one. So many
    // closings of different sizes make sure that some of them are what crosses that line.
    let store = Store::new(Durability::Sale);
    let lines = [line("A", "1", "100"); 7];
    let closings = 160;
    for closing in 0..closings {
        let terminal = store.open();
        assert!(terminal.recovery().clean, "closing {closing}");
        if closing % 3 == 0 {
            let sold_lines = &lines[..closing % 7 + 1];
            let sell = terminal.sell(&sold(None, sold_lines, &[cash(700)]), None).unwrap();
            terminal.settle(sell).unwrap();
        }
        terminal.close().unwrap();
    }
    store.assert_sound();
    println!("closings={closings} unclean=0");
}

#[test]
fn a_close_that_cannot_write_the_owner_record_still_frees_the_terminal() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let in_the_way = terminal.dir().join("terminal.owner.json.tmp");
    std::fs::create_dir(&in_the_way).unwrap();
    assert_eq!(terminal.close().unwrap_err().code(), Code::Io);
    assert_eq!(terminal.status().unwrap_err().code(), Code::Closed);
    std::fs::remove_dir(&in_the_way).unwrap();
    let next = open(&root);
    assert!(next.recovery().clean, "the journal says that the terminal was closed");
    terminal.close().unwrap();
    next.begin("S", "EUR", None, None).unwrap();
}

#[test]
fn a_sale_closed_by_another_thread_does_not_cost_the_completion_its_answer() {
    let root = tempfile::tempdir().unwrap();
    let mut options = options(&root);
    options.durability = Some(Durability::Sale);
    options.segment_bytes = Some(1 << 20);
    let terminal = Arc::new(Terminal::open(&options).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let closer = {
        let (terminal, stop) = (terminal.clone(), stop.clone());
        thread::spawn(move || {
            let mut sale = 1;
            while !stop.load(Ordering::Relaxed) {
                if terminal.close_sale(sale).is_ok() {
                    sale += 1;
                }
            }
        })
    };
    for number in 1..=400 {
        let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
        terminal.add_line(sale, &line("A", "1", "0"), None).unwrap();
        let receipt = terminal.complete(sale, None).unwrap().value;
        assert_eq!(receipt.number, number);
        assert_eq!(receipt.lines.len(), 1);
    }
    stop.store(true, Ordering::Relaxed);
    closer.join().unwrap();
}

#[test]
fn an_open_with_malformed_options_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let cases = [
        (Some("../../etc"), None, Code::BadId),
        (Some(""), None, Code::BadId),
        (Some("a/b"), None, Code::BadId),
        (Some("REGISTER_01"), Some(1000), Code::BadArgument),
        (Some("REGISTER_01"), Some((64 << 10) + 1), Code::BadArgument),
        (Some("REGISTER_01"), Some((1 << 30) + 4096), Code::BadArgument),
        (None, None, Code::BadId),
    ];
    for (id, segment_bytes, code) in cases {
        let mut options = options(&root);
        options.id = id.map(str::to_owned);
        options.segment_bytes = segment_bytes;
        let refused = Terminal::open(&options).unwrap_err();
        assert_eq!(refused.code(), code, "{id:?} {segment_bytes:?}");
        assert_eq!(entries(root.path()), [], "{id:?} {segment_bytes:?}");
    }
    let mut absent = options(&root);
    absent.create = false;
    assert_eq!(Terminal::open(&absent).unwrap_err().code(), Code::NotFound);
    assert_eq!(entries(root.path()), []);
}
