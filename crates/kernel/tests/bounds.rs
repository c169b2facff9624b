//! What one till takes from another keeps to the bounds of the till that takes it: its next checkpoint
//! carries it, and its journal opens again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::journal::{PeriodKind, ReturnsOf, verify_terminal};
use pos_kernel_core::money::Decimal;
use pos_kernel_core::pricing::TaxClass;
use pos_kernel_core::sale::{LineInput, TaxInput};
use pos_kernel_core::{Code, OpenOptions, Terminal};
use support::{cash, line, options};
use tempfile::TempDir;

fn at(root: &TempDir, id: &str, segment_bytes: u32) -> Terminal {
    let (id, segment_bytes) = (Some(id.to_owned()), Some(segment_bytes));
    Terminal::open(&OpenOptions { id, segment_bytes, ..options(root) }).unwrap()
}

fn sound(terminal: &Terminal) {
    terminal.wait_durable(terminal.status().unwrap().position.sequence).unwrap();
    let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
    assert_eq!(report.problems, [], "the audit finds nothing");
}

fn begin(terminal: &Terminal) -> u64 {
    terminal.begin("STORE_001", "EUR", None, None).unwrap().value.sale
}

/// Sells one line under each of these rates, in millionths.
fn sell_under(terminal: &Terminal, rates: std::ops::Range<u32>) {
    for rate_ppm in rates {
        let sale = begin(terminal);
        let class = TaxClass::parse("S").unwrap();
        let taxes = [TaxInput { class, rate_ppm, inclusive: Some(true) }];
        terminal
            .add_line(sale, &LineInput { taxes: &taxes, ..line("A", "1", "100") }, None)
            .unwrap();
        terminal.tender(sale, &cash(100), None).unwrap();
        terminal.complete(sale, None).unwrap();
    }
}

/// Sells until the next segment begins with a checkpoint.
fn fill_segment(terminal: &Terminal) {
    let segment = || terminal.status().unwrap().position.segment;
    let first = segment();
    while segment() == first {
        let sale = begin(terminal);
        for _ in 0..20 {
            terminal.add_line(sale, &line("TEA", "1", "300"), None).unwrap();
        }
        terminal.tender(sale, &cash(6_000), None).unwrap();
        terminal.complete(sale, None).unwrap();
    }
}

#[test]
fn what_comes_back_from_another_till_keeps_to_the_taxes_that_there_are_totals_for() {
    let root = tempfile::tempdir().unwrap();
    let (full, other) = (at(&root, "FULL", 256 << 10), at(&root, "OTHER", 256 << 10));
    sell_under(&full, 0..128);
    sell_under(&other, 500..501);
    other.wait_durable(other.status().unwrap().position.sequence).unwrap();
    let sale = begin(&full);
    let of = ReturnsOf { terminal: "OTHER".to_owned(), receipt: 1 };
    let back = |terminal: &Terminal, sale| {
        terminal.return_line(sale, Some(&of), (1, Decimal::whole(1)), "back".into(), None)
    };
    let refused = back(&full, sale).map(|answer| answer.value.amount);
    assert_eq!(refused.map_err(|error| error.code()), Err(Code::Limit));
    full.void_sale(sale, "elsewhere", None).unwrap();
    fill_segment(&full);
    sound(&full);
    drop(full);
    let full = at(&root, "FULL", 256 << 10);
    assert_eq!(full.till().unwrap().taxes.values().map(|book| book.len()).sum::<usize>(), 128);
    let sale = begin(&other);
    assert_eq!(back(&other, sale).unwrap().value.amount, -100);
}

#[test]
fn a_sale_that_is_taken_over_fits_the_checkpoints_of_the_till_that_takes_it() {
    let root = tempfile::tempdir().unwrap();
    let (large, small) = (at(&root, "LARGE", 512 << 10), at(&root, "SMALL", 64 << 10));
    let sale = begin(&large);
    let text = "x".repeat(256);
    for _ in 0..140 {
        let long = LineInput { text: Some(&text), ..line("A", "1", "100") };
        large.add_line(sale, &long, None).unwrap();
    }
    let ticket = large.suspend(sale, "purse", None).unwrap().value.ticket;
    let refused = small.resume(&ticket, None).map(|answer| answer.value.sale);
    assert_eq!(refused.map_err(|error| error.code()), Err(Code::Limit));
    fill_segment(&small);
    sound(&small);
    assert_eq!(large.resume(&ticket, None).unwrap().value.sale, sale);
    large.tender(sale, &cash(14_000), None).unwrap();
    assert_eq!(large.complete(sale, None).unwrap().value.gross, 14_000);
    [large, small].iter().for_each(sound);
}

#[test]
fn the_taxes_of_many_currencies_and_periods_leave_room_for_what_is_open() {
    let root = tempfile::tempdir().unwrap();
    let till = at(&root, "TILL", 64 << 10);
    let class = TaxClass::parse("ABCDEFGHIJKL").unwrap();
    let mut sold = 0;
    for currency in ["EUR", "CHF", "USD", "GBP"] {
        for rate_ppm in 9_000_000..9_000_128 {
            let sale = till.begin("STORE_001", currency, None, None).unwrap().value.sale;
            let taxes = [TaxInput { class, rate_ppm, inclusive: Some(true) }];
            let item = LineInput { taxes: &taxes, ..line("A", "1", "10000000000000") };
            match till.add_line(sale, &item, None) {
                Ok(_) => {
                    till.tender(sale, &cash(10_000_000_000_000), None).unwrap();
                    till.complete(sale, None).unwrap();
                    sold += 1;
                }
                Err(error) => {
                    assert_eq!(error.code(), Code::Limit);
                    till.void_sale(sale, "too many taxes", None).unwrap();
                }
            }
        }
        till.z_report(None).unwrap();
        for kind in [PeriodKind::Day, PeriodKind::Month, PeriodKind::Year] {
            till.period_close(kind, None).unwrap();
        }
    }
    assert_eq!(sold, till.taxes_max());
    let sale = begin(&till);
    let text = "x".repeat(256);
    let long = LineInput { text: Some(&text), ..line("B", "1", "1") };
    while till.add_line(sale, &long, None).is_ok() {}
    let due = till.totals(sale).unwrap().due;
    till.tender(sale, &cash(due), None).unwrap();
    till.complete(sale, None).unwrap();
    fill_segment(&till);
    sound(&till);
    drop(till);
    sound(&at(&root, "TILL", 64 << 10));
}

#[test]
fn a_file_that_is_no_claim_holds_up_no_other_ticket() {
    let root = tempfile::tempdir().unwrap();
    let (giver, taker) = (at(&root, "GIVER", 256 << 10), at(&root, "TAKER", 256 << 10));
    let sale = begin(&giver);
    giver.add_line(sale, &line("A", "1", "100"), None).unwrap();
    let ticket = giver.suspend(sale, "purse", None).unwrap().value.ticket;
    taker.resume(&ticket, None).unwrap();
    std::fs::write(root.path().join("shared/claims/AAA.1.1.1.json"), "no claim").unwrap();
    assert_eq!(giver.collect_transfers().unwrap_err().code(), Code::BadConfig);
    assert_eq!(giver.open_sales().unwrap(), []);
    sound(&giver);
}

#[test]
fn a_claim_that_is_left_over_says_anew_from_where_its_sale_stands() {
    let root = tempfile::tempdir().unwrap();
    let (giver, taker) = (at(&root, "GIVER", 256 << 10), at(&root, "TAKER", 256 << 10));
    let sale = begin(&giver);
    giver.add_line(sale, &line("A", "1", "100"), None).unwrap();
    let ticket = giver.suspend(sale, "purse", None).unwrap().value.ticket;
    // It was made behind records that a power cut took back.
    let claims = root.path().join("shared/claims");
    std::fs::create_dir_all(&claims).unwrap();
    let claim = claims.join(format!("{ticket}.json"));
    std::fs::write(&claim, r#"{"terminal":"TAKER","after":900,"done":null}"#).unwrap();
    taker.resume(&ticket, None).unwrap();
    // The taker dies before it can say that it is done.
    let done = std::fs::read_to_string(&claim).unwrap();
    let mut undone: serde_json::Value = serde_json::from_str(&done).unwrap();
    undone["done"] = serde_json::Value::Null;
    std::fs::write(&claim, undone.to_string()).unwrap();
    drop(taker);
    let taker = at(&root, "TAKER", 256 << 10);
    let late = at(&root, "LATE", 256 << 10);
    assert_eq!(late.resume(&ticket, None).unwrap_err().code(), Code::AlreadyResumed);
    assert_eq!(giver.collect_transfers().unwrap(), [sale]);
    [giver, taker, late].iter().for_each(sound);
}

#[test]
fn two_calls_under_one_key_resume_a_sale_once_and_both_say_so() {
    let root = tempfile::tempdir().unwrap();
    let (giver, taker) = (at(&root, "GIVER", 256 << 10), at(&root, "TAKER", 256 << 10));
    for round in 0..8 {
        let sale = begin(&giver);
        giver.add_line(sale, &line("A", "1", "100"), None).unwrap();
        let ticket = giver.suspend(sale, "purse", None).unwrap().value.ticket;
        let key = format!("resume {round}");
        let both = std::thread::scope(|scope| {
            let call = || taker.resume(&ticket, Some(&key)).unwrap().value.sale;
            [scope.spawn(call), scope.spawn(call)].map(|call| call.join().unwrap())
        });
        assert_eq!(both[0], both[1]);
    }
    assert_eq!(taker.open_sales().unwrap().len(), 8);
}
