//! A sale from begin to receipt, on a real folder.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::Code;
use pos_kernel_core::journal::{TenderKind, TenderState};
use pos_kernel_core::sale::{LineInput, Sale, State};
use pos_kernel_core::terminal::Durability;
use support::{card, cash, decimal, line, open, options, sold};

#[test]
fn a_coffee_for_cash_gives_change_and_the_first_receipt() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale =
        terminal.settle(terminal.begin("STORE_001", "USD", None, None).unwrap()).unwrap().sale;
    let added = terminal.add_line(sale, &line("COFFEE_001", "1", "399"), None).unwrap();
    assert_eq!(terminal.settle(added).unwrap().totals.due, 399);
    let tender = terminal.settle(terminal.tender(sale, &cash(500), None).unwrap()).unwrap();
    assert_eq!((tender.due, tender.change), (0, 101));
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert_eq!(
        (receipt.number, receipt.gross, receipt.tendered, receipt.change),
        (1, 399, 500, 101)
    );
    assert_eq!(terminal.totals(sale).unwrap().state, State::Completed);
    assert_eq!(terminal.receipt(1).unwrap(), receipt);
    terminal.close_sale(sale).unwrap();
    assert_eq!(terminal.totals(sale).unwrap_err().code(), Code::AlreadyFinal);
    terminal.close().unwrap();
    terminal.close().unwrap();
    assert_eq!(terminal.begin("S", "USD", None, None).unwrap_err().code(), Code::Closed);
}

#[test]
fn lines_are_frozen_while_a_tender_is_live() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "2", "250"), None).unwrap();
    let pending = terminal.tender(sale, &card(300, true), None).unwrap().value;
    assert_eq!((pending.state, pending.due), (TenderState::Pending, 200));
    let frozen = terminal.add_line(sale, &line("B", "1", "1"), None).unwrap_err();
    assert_eq!(frozen.code(), Code::TenderTaken);
    terminal.tender(sale, &cash(200), None).unwrap();
    assert_eq!(terminal.complete(sale, None).unwrap_err().code(), Code::PendingTender);
    let declined = terminal.decline_tender(sale, 1, "no funds", None).unwrap().value;
    assert_eq!(declined.due, 300);
    assert_eq!(terminal.complete(sale, None).unwrap_err().code(), Code::Underpaid);
    assert_eq!(terminal.void_sale(sale, "left", None).unwrap_err().code(), Code::TenderTaken);
    terminal.void_tender(sale, 2, "give it back", None).unwrap();
    terminal.void_sale(sale, "left", None).unwrap();
    assert_eq!(terminal.status().unwrap().next_receipt, 1);
}

#[test]
fn a_refund_pays_out_and_counts_as_returns() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let receipt = terminal
        .sell(
            &sold(Some("C1"), &[line("A", "-2", "255"), line("B", "1", "10")], &[cash(-500)]),
            None,
        )
        .unwrap()
        .value;
    assert_eq!((receipt.gross, receipt.change), (-500, 0));
    assert_eq!((receipt.total_sales, receipt.total_returns), (10, 510));
    let too_much = terminal.sell(&sold(None, &[line("A", "-1", "255")], &[cash(-256)]), None);
    assert_eq!(too_much.unwrap_err().code(), Code::BadAmount);
}

#[test]
fn a_zero_total_completes_without_a_tender_and_an_empty_sale_does_not() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let receipt = terminal.sell(&sold(None, &[line("GIFT", "1", "0")], &[]), None).unwrap().value;
    assert_eq!(receipt.gross, 0);
    let empty = terminal.sell(&sold(None, &[], &[]), None).unwrap_err();
    assert_eq!(empty.code(), Code::EmptySale);
    let free = terminal.sell(&sold(None, &[line("GIFT", "1", "0")], &[cash(1)]), None).unwrap_err();
    assert_eq!(free.code(), Code::NothingDue);
}

#[test]
fn voided_lines_and_new_quantities_keep_the_sum_right() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "0.250", "1999"), None).unwrap();
    terminal.add_line(sale, &line("B", "3", "0.5"), None).unwrap();
    let set = terminal.set_quantity(sale, 1, decimal("1.5"), "weighed again", None).unwrap().value;
    assert_eq!((set.amount, set.totals.gross), (2999, 3001));
    let voided = terminal.void_line(sale, 2, "wrong", None).unwrap().value;
    assert_eq!(voided.totals.gross, 2999);
    assert_eq!(terminal.void_line(sale, 2, "again", None).unwrap_err().code(), Code::LineVoided);
    assert_eq!(terminal.void_line(sale, 9, "x", None).unwrap_err().code(), Code::NotFound);
    let turned = terminal.set_quantity(sale, 1, decimal("-1"), "x", None).unwrap_err();
    assert_eq!(turned.code(), Code::BadQuantity);
    let sale = terminal.sale(sale).unwrap();
    assert_eq!(sale.lines[1].amount, 2, "the original amount of a voided line stays readable");
}

#[test]
fn a_key_gives_the_first_answer_again_and_refuses_other_inputs() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let first = terminal.begin("S", "EUR", None, Some("k1")).unwrap();
    let again = terminal.begin("S", "EUR", None, Some("k1")).unwrap();
    assert!(again.replayed);
    assert_eq!(first.value, again.value);
    let other = terminal.begin("S", "USD", None, Some("k1")).unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyMismatch);
    let other = terminal.complete(1, Some("k1")).unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyMismatch);
    let cart = [line("A", "1", "100")];
    let paid = [cash(100)];
    let sale = sold(Some("R1"), &cart, &paid);
    let receipt = terminal.sell(&sale, Some("k2")).unwrap().value;
    let again = terminal.sell(&sale, Some("k2")).unwrap();
    assert_eq!((again.replayed, again.value), (true, receipt.clone()));
    terminal.close().unwrap();
    let terminal = open(&root);
    assert!(terminal.recovery().clean);
    let again = terminal.sell(&sale, Some("k2")).unwrap();
    assert_eq!((again.replayed, again.value), (true, receipt));
    assert_eq!(terminal.status().unwrap().next_receipt, 2);
}

#[test]
fn an_open_sale_comes_back_after_a_crash() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale = terminal.begin("S", "EUR", Some("R7"), None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    let tender = terminal.tender(sale, &card(100, true), None).unwrap();
    terminal.settle(tender).unwrap();
    drop(terminal);
    let terminal = open(&root);
    let recovery = terminal.recovery();
    assert!(!recovery.clean);
    assert_eq!(recovery.sales, [sale]);
    assert_eq!(recovery.previous_owner.as_ref().map(|owner| owner.released), Some(false));
    let back = terminal.sale(sale).unwrap();
    assert!(back.recovered);
    assert_eq!(back.tenders[0].kind, TenderKind::Card);
    assert_eq!(back.tenders[0].state, TenderState::Pending);
    terminal.confirm_tender(sale, 1, Some("AUTH"), None).unwrap();
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert_eq!(receipt.number, 1);
    assert_eq!(terminal.receipt(1).unwrap().reference.as_deref(), Some("R7"));
}

#[test]
fn a_second_owner_is_refused_with_the_first_ones_facts() {
    let root = tempfile::tempdir().unwrap();
    let _terminal = open(&root);
    let refused = pos_kernel_core::Terminal::open(&options(&root)).unwrap_err();
    assert_eq!(refused.code(), Code::TerminalInUse);
    assert_eq!(refused.facts()["owner"]["pid"], std::process::id());
}

#[test]
fn sale_mode_pays_one_flush_a_sale_and_one_write_a_record() {
    let root = tempfile::tempdir().unwrap();
    let mut options = options(&root);
    options.durability = Some(Durability::Sale);
    options.background = false;
    let terminal = pos_kernel_core::Terminal::open(&options).unwrap();
    let before = terminal.stats();
    let sale = terminal.begin("S", "EUR", None, None).unwrap();
    assert!(!sale.wait);
    for _ in 0..5 {
        assert!(!terminal.add_line(1, &line("A", "1", "100"), None).unwrap().wait);
    }
    assert!(!terminal.tender(1, &cash(500), None).unwrap().wait);
    let done = terminal.complete(1, None).unwrap();
    assert!(done.wait);
    terminal.settle(done).unwrap();
    let by_call = terminal.stats();
    assert_eq!(by_call.writes - before.writes, 8);
    assert_eq!(by_call.flushes.sale - before.flushes.sale, 1);
    let lines = [line("A", "1", "100"); 5];
    terminal.settle(terminal.sell(&sold(None, &lines, &[cash(500)]), None).unwrap()).unwrap();
    let by_sell = terminal.stats();
    assert_eq!(by_sell.writes - by_call.writes, 1);
    assert_eq!(by_sell.flushes.sale - by_call.flushes.sale, 1);
    // Whatever else was flushed prepared the segment after this one.
    let other = |stats: pos_kernel_wal::Stats| {
        stats.flushes.total() - stats.flushes.sale - stats.flushes.prepare
    };
    assert_eq!(other(by_sell), other(before));
}

#[test]
fn record_mode_pays_one_flush_a_call() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let before = terminal.stats().flushes.record;
    terminal.settle(terminal.begin("S", "EUR", None, None).unwrap()).unwrap();
    terminal.settle(terminal.add_line(1, &line("A", "1", "100"), None).unwrap()).unwrap();
    assert_eq!(terminal.stats().flushes.record - before, 2);
}

#[test]
fn a_line_goes_with_all_that_belong_to_it_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    let below = |parent, sku| LineInput { parent: Some(parent), ..line(sku, "1", "100") };
    terminal.add_line(sale, &line("MENU", "1", "800"), None).unwrap();
    terminal.add_line(sale, &below(1, "COLA"), None).unwrap();
    terminal.add_line(sale, &below(2, "ICE"), None).unwrap();
    terminal.add_line(sale, &line("GUM", "1", "50"), None).unwrap();
    let orphan = terminal.add_line(sale, &below(9, "X"), None).unwrap_err();
    assert_eq!(orphan.code(), Code::NotFound);
    let alone = terminal.void_line(sale, 1, "no", None).unwrap_err();
    assert_eq!(alone.code(), Code::LineHasChildren);
    assert_eq!(terminal.totals(sale).unwrap().gross, 1050);
    let before = terminal.status().unwrap().position.sequence;
    let voided = terminal.void_linked(sale, 1, "no", Some("k")).unwrap();
    assert_eq!((voided.value.line, voided.value.totals.gross), (1, 50));
    assert_eq!(terminal.status().unwrap().position.sequence, before + 3);
    let again = terminal.void_linked(sale, 1, "no", Some("k")).unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, voided.value);
    let late = terminal.add_line(sale, &below(1, "X"), None).unwrap_err();
    assert_eq!(late.code(), Code::LineVoided);
    drop(terminal);
    let terminal = open(&root);
    let parents = |sale: &Sale| sale.lines.iter().map(|line| line.parent).collect::<Vec<_>>();
    assert_eq!(terminal.read_sale(sale, parents).unwrap(), [None, Some(1), Some(2), None]);
    assert_eq!(terminal.totals(sale).unwrap().gross, 50);
}

#[test]
fn a_sale_goes_with_its_cash_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("TEA", "1", "900"), None).unwrap();
    for tender in [cash(200), cash(300), card(400, true)] {
        terminal.tender(sale, &tender, None).unwrap();
    }
    let before = terminal.status().unwrap().position.sequence;
    let refused = terminal.void_with_cash(sale, "left", None).unwrap_err();
    assert_eq!(refused.code(), Code::TenderTaken);
    assert_eq!(terminal.totals(sale).unwrap().tendered, 500);
    assert_eq!(terminal.status().unwrap().position.sequence, before);
    terminal.decline_tender(sale, 3, "no funds", None).unwrap();
    let (records, frames) = (terminal.stats().records, terminal.stats().frames);
    let voided = terminal.void_with_cash(sale, "left", Some("k")).unwrap();
    assert_eq!(voided.value.sale, sale);
    assert_eq!(terminal.stats().records - records, 3);
    assert_eq!(terminal.stats().frames - frames, 1);
    terminal.settle(voided).unwrap();
    let again = terminal.void_with_cash(sale, "left", Some("k")).unwrap();
    assert!(again.replayed);
    let counters = terminal.counters().unwrap();
    assert_eq!((counters[0].1.voids, counters[0].1.receipts, counters[0].1.sales), (1, 0, 0));
}
