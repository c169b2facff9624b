//! Faults that were seen in another point-of-sale program, each as a test that it cannot come back.

use crate::limits::refused;
use crate::support::forge::{Journal, Mend};
use crate::support::store::{MORNING_NS, Store};
use crate::support::{card, cash, decimal, line, long, options, sold};
use pos_kernel_core::clock::{Clock, TestClock};
use pos_kernel_core::journal::RecordKind;
use pos_kernel_core::sale::State;
use pos_kernel_core::terminal::{Durability, OwnerRecord};
use pos_kernel_core::{Code, Terminal};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

#[test]
fn contenders_for_the_terminal_of_a_crashed_owner_have_one_winner() {
    let root = tempfile::tempdir().unwrap();
    let mut options = options(&root);
    options.background = false;
    let (contenders, rounds) = (6, if long() { 1000 } else { 40 });
    drop(Terminal::open(&options).unwrap());
    let owners = AtomicU32::new(0);
    let barrier = Barrier::new(contenders);
    thread::scope(|scope| {
        for _ in 0..contenders {
            scope.spawn(|| {
                for _ in 0..rounds {
                    barrier.wait();
                    let opened = Terminal::open(&options);
                    match &opened {
                        Ok(terminal) => {
                            owners.fetch_add(1, Ordering::SeqCst);
                            assert!(!terminal.recovery().clean, "the last owner had crashed");
                        }
                        Err(error) => assert_eq!(error.code(), Code::TerminalInUse, "{error}"),
                    }
                    // The winner stays until everybody has tried, and is then gone without a close.
                    barrier.wait();
                    drop(opened);
                }
            });
        }
    });
    assert_eq!(owners.into_inner(), rounds);
    let terminal = Terminal::open(&options).unwrap();
    assert_eq!(terminal.recovery().epoch, rounds + 2, "each owner has raised the epoch");
    println!("contenders={contenders} rounds={rounds} double owners=0 stuck=0");
}

/// Texts that a lock file and an owner record might hold.
const LOCK_TEXTS: [&[u8]; 7] = [
    b"",
    b"1",
    b"4194304\n",
    b"{\"pid\":",
    b"\xff\xfe\x00garbage",
    b"{\"pid\":1,\"processStart\":0,\"bootId\":\"\",\"host\":\"h\",\"version\":\"v\",\"epoch\":1,\
      \"openedAt\":\"2026-01-01T00:00:00.000Z\",\"released\":false}",
    b"{\"pid\":-1,\"host\":7}",
];

#[test]
fn no_text_in_a_lock_file_keeps_a_terminal_or_gives_one_away() {
    let root = tempfile::tempdir().unwrap();
    let mut options = options(&root);
    options.background = false;
    let dir = Terminal::open(&options).unwrap().dir().to_owned();
    let mut texts: Vec<Vec<u8>> = LOCK_TEXTS.iter().map(|text| text.to_vec()).collect();
    // A living process, and a number that was used before and now belongs to another program.
    texts.push(std::process::id().to_string().into_bytes());
    texts.push(format!("{{\"pid\":{},\"released\":false}}", std::process::id()).into_bytes());
    for text in &texts {
        fs::write(dir.join("terminal.lock"), text).unwrap();
        fs::write(dir.join("terminal.owner.json"), text).unwrap();
        let terminal = Terminal::open(&options).unwrap();
        assert!(!terminal.recovery().clean);
        // Nor does any text end a lock that is held.
        fs::write(dir.join("terminal.lock"), text).unwrap();
        fs::write(dir.join("terminal.owner.json"), text).unwrap();
        let error = Terminal::open(&options).unwrap_err();
        assert_eq!(error.code(), Code::TerminalInUse, "{:?}", String::from_utf8_lossy(text));
        let owner = OwnerRecord::load(&dir);
        assert_eq!(error.facts().contains_key("owner"), owner.is_some());
    }
    println!("lock texts={} kept out=0 let in=0", texts.len());
}

/// Every file and folder below a folder, with the bytes of the files.
pub(crate) fn entries(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path.clone());
                found.push((path, Vec::new()));
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_refused_process_writes_nothing_and_can_sell_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut options = options(&root);
    options.background = false;
    let terminal = Terminal::open(&options).unwrap();
    let before = entries(root.path());
    for _ in 0..3 {
        let refused = Terminal::open(&options).unwrap_err();
        assert_eq!(refused.code(), Code::TerminalInUse);
        assert_eq!(refused.facts()["terminal"], "REGISTER_01");
    }
    assert_eq!(entries(root.path()), before);
    terminal.close().unwrap();
}

#[test]
fn a_torn_last_record_is_cut_and_nothing_is_glued_to_it() {
    let mut store = Store::new(Durability::Sale);
    let terminal = store.open();
    let receipt = terminal.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), None).unwrap();
    let receipt = terminal.settle(receipt).unwrap();
    drop(terminal);
    let whole = store.segment(1);
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let frame = end.next_multiple_of(8);
    let mut cuts = 0;
    // The next frame, as far as the power cut let it come.
    for torn_bytes in [1, 7, 8, 63, 64, 80, 100] {
        let mut torn = whole.clone();
        torn.copy_within(12_288..12_288 + torn_bytes, frame);
        store.disk.poke(&Store::segment_file(1), &torn);
        let terminal = store.open();
        let cut = terminal.recovery().cut.clone().unwrap();
        assert_eq!((cut.segment, cut.offset as usize), (1, frame));
        let kept = store.disk.peek(&Store::journal_file(&cut.kept_as)).unwrap();
        assert_eq!(kept, &torn[frame..frame + cut.bytes as usize]);
        let next = terminal.sell(&sold(None, &[line("B", "1", "7")], &[cash(7)]), None).unwrap();
        assert_eq!(terminal.settle(next).unwrap().number, 2);
        drop(terminal);
        store.disk = store.disk.crash(0);
        let terminal = store.open();
        assert_eq!(terminal.receipt(1).unwrap(), receipt);
        assert_eq!(terminal.receipt(2).unwrap().lines[0].sku, "B");
        drop(terminal);
        store.assert_sound();
        cuts += 1;
    }
    println!("torn tails={cuts} glued=0");
}

#[test]
fn numbers_of_sales_and_receipts_go_on_over_restarts() {
    let store = Store::new(Durability::Record);
    for round in 0..5 {
        let terminal = store.open();
        let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
        assert_eq!(sale, round * 2 + 1);
        terminal.void_sale(sale, "left", None).unwrap();
        let sell = terminal.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), None).unwrap();
        let receipt = terminal.settle(sell).unwrap();
        assert_eq!((receipt.sale, receipt.number), (round * 2 + 2, round + 1));
        if round % 2 == 0 {
            terminal.close().unwrap();
        }
    }
    store.assert_sound();
}

#[test]
fn a_sale_that_is_not_paid_does_not_complete() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "500"), None).unwrap();
    let error = refused(&terminal, |t| t.complete(sale, None));
    assert_eq!((error.code(), &error.facts()["due"]), (Code::Underpaid, &500.into()));
    terminal.tender(sale, &cash(499), None).unwrap();
    let error = refused(&terminal, |t| t.complete(sale, None));
    assert_eq!((error.code(), &error.facts()["due"]), (Code::Underpaid, &1.into()));
    let cart = [line("A", "1", "500")];
    for paid in [&[][..], &[cash(499)], &[card(1, false), cash(498)]] {
        let error = refused(&terminal, |t| t.sell(&sold(None, &cart, paid), None));
        assert_eq!(error.code(), Code::Underpaid);
    }
    terminal.tender(sale, &card(1, true), None).unwrap();
    let error = refused(&terminal, |t| t.complete(sale, None));
    assert_eq!(error.code(), Code::PendingTender);
}

#[test]
fn an_open_sale_cannot_be_closed_away() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "500"), None).unwrap();
    assert_eq!(refused(&terminal, |t| t.close_sale(sale)).code(), Code::StillOpen);
    terminal.tender(sale, &cash(500), None).unwrap();
    assert_eq!(refused(&terminal, |t| t.close_sale(sale)).code(), Code::StillOpen);
    assert_eq!(refused(&terminal, |t| t.close_sale(sale + 1)).code(), Code::NotFound);
    assert_eq!(refused(&terminal, |t| t.close_sale(0)).code(), Code::NotFound);
    terminal.close().unwrap();
    let terminal = store.open();
    assert_eq!(terminal.open_sales().unwrap()[0].number, sale);
}

#[test]
fn a_sale_worth_nothing_can_be_completed() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "500"), None).unwrap();
    terminal.add_line(sale, &line("A", "-1", "500"), None).unwrap();
    for tender in [cash(0), cash(1), cash(-1), card(1, true)] {
        let error = refused(&terminal, |t| t.tender(sale, &tender, None));
        assert_eq!(error.code(), Code::NothingDue);
    }
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert_eq!((receipt.gross, receipt.tendered, receipt.change), (0, 0, 0));
    assert_eq!((receipt.total_sales, receipt.total_returns), (500, 500));
}

#[test]
fn lines_cannot_change_under_a_tender_so_no_sale_is_stuck_overpaid() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "500"), None).unwrap();
    terminal.add_line(sale, &line("B", "1", "300"), None).unwrap();
    terminal.tender(sale, &cash(600), None).unwrap();
    assert_eq!(refused(&terminal, |t| t.void_line(sale, 2, "x", None)).code(), Code::TenderTaken);
    let error = refused(&terminal, |t| t.set_quantity(sale, 2, decimal("2"), "x", None));
    assert_eq!(error.code(), Code::TenderTaken);
    assert_eq!(refused(&terminal, |t| t.void_sale(sale, "x", None)).code(), Code::TenderTaken);
    terminal.void_tender(sale, 1, "start again", None).unwrap();
    assert_eq!(terminal.totals(sale).unwrap().state, State::Building);
    terminal.void_line(sale, 2, "too dear", None).unwrap();
    let tender = terminal.tender(sale, &cash(600), None).unwrap().value;
    assert_eq!((tender.due, tender.change), (0, 100));
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert_eq!((receipt.gross, receipt.change), (500, 100));
}

#[test]
fn a_voided_line_keeps_its_amount_its_quantity_and_its_reason() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "3", "250"), None).unwrap();
    terminal.add_line(sale, &line("B", "1", "100"), None).unwrap();
    terminal.void_line(sale, 1, "scanned twice", None).unwrap();
    terminal.tender(sale, &cash(100), None).unwrap();
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    let voided = &receipt.lines[0];
    assert_eq!((voided.amount, voided.quantity), (750, decimal("3")));
    assert_eq!(voided.voided.as_deref(), Some("scanned twice"));
    assert_eq!((receipt.gross, receipt.total_sales), (100, 100));
    drop(terminal);
    assert_eq!(store.open().receipt(1).unwrap(), receipt);
}

#[test]
fn sums_that_leave_the_range_are_refused_and_nothing_wraps() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    let largest = i64::MAX.to_string();
    for (quantity, price) in [("2", &largest), (&largest as &str, &largest), ("-2", &largest)] {
        let error = refused(&terminal, |t| t.add_line(sale, &line("A", quantity, price), None));
        assert_eq!(error.code(), Code::Overflow, "{quantity} x {price}");
    }
    let most = "9007199254740991";
    terminal.add_line(sale, &line("A", "1", most), None).unwrap();
    let error = refused(&terminal, |t| t.add_line(sale, &line("A", "1", most), None));
    assert_eq!(error.code(), Code::Overflow);
    terminal.add_line(sale, &line("A", "-1", most), None).unwrap();
    terminal.add_line(sale, &line("A", "1", most), None).unwrap();
    let error = refused(&terminal, |t| t.void_line(sale, 2, "x", None));
    assert_eq!(error.code(), Code::Overflow, "without the return it would be twice the most");
    assert_eq!(terminal.totals(sale).unwrap().gross.to_string(), most);
}

#[test]
fn a_negative_price_and_a_tender_for_nothing_are_refused() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    for price in ["-1", "-0.000001", "-9007199254740991"] {
        let error = refused(&terminal, |t| t.add_line(sale, &line("A", "1", price), None));
        assert_eq!(error.code(), Code::BadPrice, "{price}");
    }
    assert_eq!(refused(&terminal, |t| t.tender(sale, &cash(1), None)).code(), Code::EmptySale);
    assert_eq!(refused(&terminal, |t| t.complete(sale, None)).code(), Code::EmptySale);
    // A total below zero is paid out and never paid with money that comes in.
    terminal.add_line(sale, &line("A", "-1", "500"), None).unwrap();
    for amount in [1, 500, -501] {
        let error = refused(&terminal, |t| t.tender(sale, &cash(amount), None));
        assert_eq!(error.code(), Code::BadAmount, "{amount}");
    }
    terminal.tender(sale, &cash(-500), None).unwrap();
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert_eq!((receipt.gross, receipt.tendered, receipt.change), (-500, -500, 0));
}

#[test]
fn a_tender_of_the_wrong_sign_is_refused_as_that_at_the_end_of_the_range_too() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "-1", "9007199254740991"), None).unwrap();
    for tender in [cash(1), card(1, false)] {
        let error = refused(&terminal, |t| t.tender(sale, &tender, None));
        assert_eq!(error.code(), Code::BadAmount, "what is due with it would leave the range");
    }
}

#[test]
fn texts_are_kept_byte_for_byte_and_what_is_no_text_is_never_mended() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let texts = ["Café", "Кофе, \"gross\"", "咖啡;,\\n", "e\u{301}", "\u{fffd}", "🧾 'x' -- #"];
    let lines: Vec<_> = texts.iter().map(|text| line(text, "1", "1")).collect();
    terminal.settle(terminal.sell(&sold(None, &lines, &[cash(6)]), None).unwrap()).unwrap();
    terminal.close().unwrap();
    let back = store.open().receipt(1).unwrap();
    assert_eq!(back.lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), texts);
    let mut journal = Journal::read(&store);
    let record = journal.records_mut(RecordKind::LineAdded as u16).next().unwrap();
    let accent = record.body.windows(2).position(|pair| pair == "é".as_bytes()).unwrap();
    record.body[accent] = b'?';
    journal.write(&store, Mend::Everything);
    let error = store.try_open().unwrap_err();
    assert_eq!(error.code(), Code::Inconsistent, "{error}");
}

#[test]
fn a_clock_that_steps_ends_no_sale_and_changes_no_order() {
    let store = Store::new(Durability::Record);
    let day_ns = 86_400_000_000_000;
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    store.clock.set_wall(MORNING_NS + 400 * day_ns);
    terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    store.clock.set_wall(-day_ns);
    terminal.settle(terminal.tender(sale, &cash(200), None).unwrap()).unwrap();
    drop(terminal);
    store.clock.set_wall(MORNING_NS - 9000 * day_ns);
    let terminal = store.open();
    assert_eq!(terminal.recovery().sales, [sale]);
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert!(receipt.meta.at_ns < receipt.began_ns, "the times are told as the clock told them");
    terminal.close().unwrap();
    store.assert_sound();
    let reader = store.history().reader().unwrap();
    let scan = reader.scan(1, true).unwrap().unwrap();
    let stamps: Vec<_> = scan.frames().map(|frame| frame.header.stamp).collect();
    assert!(stamps.windows(2).all(|pair| pair[0].hlc <= pair[1].hlc), "the hybrid clock goes on");
    assert!(stamps.windows(2).any(|pair| pair[0].wall_ns > pair[1].wall_ns));
}

#[derive(Debug)]
struct FailingClock {
    clock: TestClock,
    fails: AtomicBool,
}

impl Clock for FailingClock {
    fn wall_ns(&self) -> i64 {
        assert!(!self.fails.load(Ordering::SeqCst), "the clock fails");
        self.clock.wall_ns()
    }

    fn mono_ns(&self) -> u64 {
        self.clock.mono_ns()
    }
}

#[test]
fn a_panic_inside_a_command_ends_the_terminal_and_not_the_journal() {
    let root = tempfile::tempdir().unwrap();
    let clock =
        Arc::new(FailingClock { clock: TestClock::new(MORNING_NS), fails: AtomicBool::new(false) });
    let mut options = options(&root);
    options.clock = clock.clone();
    let terminal = Arc::new(Terminal::open(&options).unwrap());
    let receipt = terminal.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), Some("k1"));
    let receipt = terminal.settle(receipt.unwrap()).unwrap();
    clock.fails.store(true, Ordering::SeqCst);
    let inner = terminal.clone();
    let panicked = thread::spawn(move || inner.begin("S", "EUR", None, None).map(drop)).join();
    assert!(panicked.is_err());
    clock.fails.store(false, Ordering::SeqCst);
    for code in [
        terminal.begin("S", "EUR", None, None).map(drop),
        terminal.receipt(1).map(drop),
        terminal.counters().map(drop),
    ] {
        assert_eq!(code.unwrap_err().code(), Code::Panic);
    }
    assert_eq!(Terminal::open(&options).unwrap_err().code(), Code::TerminalInUse);
    terminal.close().unwrap();
    let next = Terminal::open(&options).unwrap();
    assert!(!next.recovery().clean);
    assert_eq!(next.receipt(1).unwrap(), receipt);
    let again = next.sell(&sold(None, &[line("A", "1", "5")], &[cash(5)]), Some("k1")).unwrap();
    assert!(again.replayed);
    assert_eq!(next.status().unwrap().next_receipt, 2);
}
