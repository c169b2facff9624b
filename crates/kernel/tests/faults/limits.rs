//! Every limit is reached, refused with its code and facts, and nothing is written.

use crate::support::store::{SEGMENT_BYTES, Store};
use crate::support::{card, cash, decimal, line, sold};
use pos_kernel_core::limits::{
    AMOUNT_MAX, CURRENCIES_MAX, KEY_BYTES_MAX, KEYS_MAX, LINES_MAX, OPEN_SALES_MAX, OPEN_SHARE,
    REASON_BYTES_MAX, REFERENCE_BYTES_MAX, SCALE_MAX, SEGMENT_BYTES_PER_KEY,
    SEGMENT_BYTES_PER_SALE, SKU_BYTES_MAX, STORE_BYTES_MAX, TENDERS_MAX, TERMINAL_ID_BYTES_MAX,
    TEXT_BYTES_MAX,
};
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::TenderInput;
use pos_kernel_core::terminal::{Durability, TerminalId};
use pos_kernel_core::{Code, Error, Terminal};
use std::fmt::Debug;

/// The refusal of a call that must have changed nothing.
pub(crate) fn refused<T: Debug>(
    terminal: &Terminal,
    call: impl FnOnce(&Terminal) -> Result<T, Error>,
) -> Error {
    let till = terminal.till().unwrap();
    let sequence = terminal.status().unwrap().position.sequence;
    let error = call(terminal).unwrap_err();
    assert_eq!(terminal.till().unwrap(), till, "{error}");
    assert_eq!(terminal.status().unwrap().position.sequence, sequence, "{error}");
    error
}

fn assert_limit(error: &Error, what: &str, value: usize, limit: usize) {
    assert_eq!(error.code(), Code::Limit, "{error}");
    assert_eq!(error.facts()["what"], what);
    assert_eq!(error.facts()["value"], value);
    assert_eq!(error.facts()["limit"], limit);
}

fn wide_store(segment_bytes: u32) -> Store {
    let mut store = Store::new(Durability::Record);
    store.segment_bytes = segment_bytes;
    store
}

const CURRENCIES: [&str; 18] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "EUR",
];

#[test]
fn one_currency_too_many_is_refused_before_its_sale_can_begin() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let lines = [line("A", "1", "100")];
    for currency in &CURRENCIES[..CURRENCIES_MAX - 1] {
        let mut sale = sold(None, &lines, &[]);
        let paid = [cash(100)];
        (sale.currency, sale.tenders) = (currency, &paid);
        terminal.sell(&sale, None).unwrap();
    }
    // The last place is taken by a sale that is still open.
    let open = terminal.begin("S", CURRENCIES[15], None, None).unwrap().value.sale;
    let one_more = refused(&terminal, |terminal| terminal.begin("S", "EUR", None, None));
    assert_limit(&one_more, "currencies", CURRENCIES_MAX + 1, CURRENCIES_MAX);
    let one_more = refused(&terminal, |terminal| terminal.sell(&sold(None, &lines, &[]), None));
    assert_limit(&one_more, "currencies", CURRENCIES_MAX + 1, CURRENCIES_MAX);
    // Every sale that began can end.
    terminal.add_line(open, &lines[0], None).unwrap();
    terminal.tender(open, &cash(100), None).unwrap();
    terminal.complete(open, None).unwrap();
    let voided = terminal.begin("S", "AED", None, None).unwrap().value.sale;
    terminal.void_sale(voided, "left", None).unwrap();
    assert_eq!(terminal.counters().unwrap().len(), CURRENCIES_MAX);
    terminal.close().unwrap();
    store.assert_sound();
}

#[test]
fn dead_tenders_cannot_fill_a_segment_until_no_checkpoint_fits() {
    // A checkpoint carries every record of every open sale. Tenders that were declined or voided
    // stay among them, so a card reader that keeps failing grows the checkpoint.
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let reason = "r".repeat(REASON_BYTES_MAX);
    let reference = "f".repeat(REFERENCE_BYTES_MAX);
    let tender = TenderInput { reference: Some(&reference), ..card(100, true) };
    let mut limited = 0;
    for _ in 0..6 {
        let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
        terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    }
    for sale in 1..=6 {
        for _ in 0..TENDERS_MAX {
            match terminal.tender(sale, &tender, None) {
                Ok(taken) => {
                    let number = taken.value.tender;
                    terminal.confirm_tender(sale, number, Some(&reference), None).unwrap();
                    terminal.void_tender(sale, number, &reason, None).unwrap();
                }
                Err(error) => {
                    assert_eq!(error.facts()["what"], "bytes of all open sales and tenders");
                    limited += 1;
                    break;
                }
            }
        }
    }
    assert!(limited > 0, "the limit was never reached");
    // Whatever is open can still end, and the journal still rolls.
    let segment = terminal.status().unwrap().position.segment;
    for sale in terminal.open_sales().unwrap() {
        terminal.void_sale(sale.number, &reason, None).unwrap();
    }
    for _ in 0..40 {
        let lines = [line("A", "1", "100"); 40];
        let sell = terminal.sell(&sold(None, &lines, &[cash(4000)]), None).unwrap();
        terminal.settle(sell).unwrap();
    }
    assert!(terminal.status().unwrap().position.segment > segment);
    terminal.close().unwrap();
    store.assert_sound();
}

#[test]
fn an_open_sale_at_the_limit_can_always_be_paid_and_completed() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let text = "t".repeat(TEXT_BYTES_MAX);
    let mut long = line("A", "1", "100");
    long.text = Some(&text);
    let mut sales = Vec::new();
    let limit = SEGMENT_BYTES as usize / OPEN_SHARE;
    'filling: loop {
        let begun = match terminal.begin("S", "EUR", None, None) {
            Ok(begun) => begun.value.sale,
            Err(error) => {
                assert_eq!(error.code(), Code::Limit);
                break;
            }
        };
        sales.push(begun);
        for _ in 0..5 {
            if let Err(error) = terminal.add_line(begun, &long, None) {
                assert_eq!(error.facts()["what"], "bytes of all open sales");
                assert_eq!(error.facts()["limit"], limit);
                break 'filling;
            }
        }
    }
    let error = refused(&terminal, |terminal| terminal.begin("S", "EUR", None, None));
    assert_eq!(error.code(), Code::Limit);
    refused(&terminal, |terminal| terminal.sell(&sold(None, &[long], &[cash(100)]), None));
    for sale in &sales {
        let due = terminal.totals(*sale).unwrap().due;
        if due > 0 {
            terminal.tender(*sale, &card(due, true), None).unwrap();
        }
    }
    for sale in &sales {
        if terminal.totals(*sale).unwrap().gross == 0 {
            terminal.void_sale(*sale, "empty", None).unwrap();
            continue;
        }
        terminal.confirm_tender(*sale, 1, Some("AUTH"), None).unwrap();
        let done = terminal.complete(*sale, None).unwrap();
        terminal.settle(done).unwrap();
    }
    assert_eq!(terminal.till().unwrap().open_bytes(), 0);
    terminal.sell(&sold(None, &[long], &[cash(100)]), None).unwrap();
    terminal.close().unwrap();
    store.assert_sound();
}

#[test]
fn lines_tenders_and_open_sales_end_at_their_limits() {
    let store = wide_store(4 << 20);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    for _ in 0..LINES_MAX {
        terminal.add_line(sale, &line("A", "1", "1"), None).unwrap();
    }
    let error = refused(&terminal, |t| t.add_line(sale, &line("A", "1", "1"), None));
    assert_limit(&error, "lines of a sale", LINES_MAX + 1, LINES_MAX);
    for number in 1..=TENDERS_MAX {
        let tender = terminal.tender(sale, &cash(1), None).unwrap().value.tender;
        assert_eq!(tender as usize, number);
    }
    let error = refused(&terminal, |t| t.tender(sale, &cash(1), None));
    assert_limit(&error, "tenders of a sale", TENDERS_MAX + 1, TENDERS_MAX);
    for _ in 1..OPEN_SALES_MAX {
        terminal.begin("S", "EUR", None, None).unwrap();
    }
    let error = refused(&terminal, |t| t.begin("S", "EUR", None, None));
    assert_limit(&error, "open sales", OPEN_SALES_MAX + 1, OPEN_SALES_MAX);
    let lines = vec![line("A", "1", "0"); LINES_MAX + 1];
    let error = refused(&terminal, |t| t.sell(&sold(None, &lines, &[]), None));
    assert_limit(&error, "open sales", OPEN_SALES_MAX + 1, OPEN_SALES_MAX);
    for number in 2..=OPEN_SALES_MAX as u64 {
        terminal.void_sale(number, "too many", None).unwrap();
    }
    let error = refused(&terminal, |t| t.sell(&sold(None, &lines, &[]), None));
    assert_limit(&error, "lines of a sale", LINES_MAX + 1, LINES_MAX);
    for number in 1..=u32::try_from(TENDERS_MAX).unwrap() {
        terminal.void_tender(sale, number, "back", None).unwrap();
    }
    terminal.void_sale(sale, "done", None).unwrap();
    terminal.close().unwrap();
    store.assert_sound();
}

#[test]
fn a_sale_larger_than_a_segment_is_refused_whole() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let text = "t".repeat(TEXT_BYTES_MAX);
    let mut long = line("A", "1", "1");
    long.text = Some(&text);
    let lines = vec![long; 300];
    let error = refused(&terminal, |t| t.sell(&sold(None, &lines, &[cash(300)]), None));
    assert_eq!(error.code(), Code::Limit);
    assert_eq!(error.facts()["what"], "bytes of one write");
    assert!(error.facts()["value"].as_u64() > error.facts()["limit"].as_u64());
    assert!(error.facts()["limit"].as_u64() < Some(u64::from(SEGMENT_BYTES)));
    terminal.sell(&sold(None, &lines[..100], &[cash(100)]), None).unwrap();
}

#[test]
fn texts_keys_and_ids_are_taken_up_to_their_limit_and_not_a_byte_more() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    let full = |bytes: usize| "é".repeat(bytes / 2);
    let over = |bytes: usize| "é".repeat(bytes / 2) + "x";
    let check = |error: Error, code: Code, limit: usize| {
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.facts()["limit"], limit);
        assert_eq!(error.facts()["bytes"], limit + 1);
    };
    terminal.begin(&full(STORE_BYTES_MAX), "EUR", None, None).unwrap();
    let error = refused(&terminal, |t| t.begin(&over(STORE_BYTES_MAX), "EUR", None, None));
    check(error, Code::BadText, STORE_BYTES_MAX);
    terminal.begin("S", "EUR", Some(&full(REFERENCE_BYTES_MAX)), None).unwrap();
    let long = over(REFERENCE_BYTES_MAX);
    let error = refused(&terminal, |t| t.begin("S", "EUR", Some(&long), None));
    check(error, Code::BadText, REFERENCE_BYTES_MAX);
    terminal.begin("S", "EUR", None, Some(&full(KEY_BYTES_MAX))).unwrap();
    let error = refused(&terminal, |t| t.begin("S", "EUR", None, Some(&over(KEY_BYTES_MAX))));
    check(error, Code::BadKey, KEY_BYTES_MAX);
    terminal.add_line(sale, &line(&full(SKU_BYTES_MAX), "1", "1"), None).unwrap();
    let error =
        refused(&terminal, |t| t.add_line(sale, &line(&over(SKU_BYTES_MAX), "1", "1"), None));
    check(error, Code::BadText, SKU_BYTES_MAX);
    let (text, long) = (full(TEXT_BYTES_MAX), over(TEXT_BYTES_MAX));
    let mut input = line("A", "1", "1");
    input.text = Some(&text);
    terminal.add_line(sale, &input, None).unwrap();
    input.text = Some(&long);
    let error = refused(&terminal, |t| t.add_line(sale, &input, None));
    check(error, Code::BadText, TEXT_BYTES_MAX);
    let error = refused(&terminal, |t| t.void_line(sale, 1, &over(REASON_BYTES_MAX), None));
    check(error, Code::BadText, REASON_BYTES_MAX);
    terminal.void_line(sale, 1, &full(REASON_BYTES_MAX), None).unwrap();
    let id = "a".repeat(TERMINAL_ID_BYTES_MAX + 1);
    assert!(TerminalId::parse(&id[1..]).is_ok());
    let error = TerminalId::parse(&id).unwrap_err();
    assert_eq!((error.code(), &error.facts()["limit"]), (Code::BadId, &32.into()));
    for text in ["", "a\n", "\u{1}", "del\u{7f}"] {
        let error = refused(&terminal, |t| t.begin(text, "EUR", None, None));
        assert_eq!(error.code(), Code::BadText, "{text:?}");
        let error = refused(&terminal, |t| t.begin("S", "EUR", None, Some(text)));
        assert_eq!(error.code(), Code::BadKey, "{text:?}");
    }
}

#[test]
fn amounts_and_decimals_end_where_they_say() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    assert!(Decimal::new(1, SCALE_MAX).is_some());
    assert!(Decimal::new(1, SCALE_MAX + 1).is_none());
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    let most = AMOUNT_MAX.to_string();
    terminal.add_line(sale, &line("A", "1", &most), None).unwrap();
    for (quantity, price) in [("1", "1"), ("2", most.as_str()), ("9223372036854775807", "9999")] {
        let error = refused(&terminal, |t| t.add_line(sale, &line("A", quantity, price), None));
        assert_eq!(error.code(), Code::Overflow, "{quantity} x {price}");
        assert_eq!(error.facts()["limit"], AMOUNT_MAX);
    }
    let error = refused(&terminal, |t| t.set_quantity(sale, 1, decimal("2"), "more", None));
    assert_eq!(error.code(), Code::Overflow);
    for amount in [AMOUNT_MAX + 1, -AMOUNT_MAX - 1, i64::MAX, i64::MIN] {
        let error = refused(&terminal, |t| t.tender(sale, &cash(amount), None));
        assert_eq!(error.code(), Code::Overflow, "{amount}");
    }
    terminal.tender(sale, &cash(1), None).unwrap();
    let error = refused(&terminal, |t| t.tender(sale, &cash(AMOUNT_MAX), None));
    assert_eq!(error.code(), Code::Overflow);
    terminal.tender(sale, &cash(AMOUNT_MAX - 1), None).unwrap();
    terminal.complete(sale, None).unwrap();
    // The perpetual total is full now: a further sale is refused, and can be voided.
    let error =
        refused(&terminal, |t| t.sell(&sold(None, &[line("A", "1", "1")], &[cash(1)]), None));
    assert_eq!(error.code(), Code::Overflow);
    let more = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(more, &line("A", "1", "1"), None).unwrap();
    terminal.tender(more, &cash(1), None).unwrap();
    assert_eq!(refused(&terminal, |t| t.complete(more, None)).code(), Code::Overflow);
    terminal.void_tender(more, 1, "back", None).unwrap();
    terminal.void_sale(more, "full", None).unwrap();
    terminal.close().unwrap();
    store.assert_sound();
}

#[test]
fn a_terminal_has_as_many_keys_and_open_sales_as_its_segments_allow() {
    for segment_bytes in [64 << 10, 256 << 10, 4 << 20, 8 << 20] {
        let store = wide_store(segment_bytes);
        let keys = KEYS_MAX.min(segment_bytes as usize / SEGMENT_BYTES_PER_KEY);
        let terminal = store.open();
        assert_eq!(terminal.keys_max(), keys);
        let open = OPEN_SALES_MAX.min(segment_bytes as usize / SEGMENT_BYTES_PER_SALE);
        assert_eq!(terminal.open_sales_max(), open);
        for _ in 0..open {
            terminal.begin("S", "EUR", None, None).unwrap();
        }
        let error = refused(&terminal, |t| t.begin("S", "EUR", None, None));
        assert_limit(&error, "open sales", open + 1, open);
    }
}
