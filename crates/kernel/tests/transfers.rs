//! Cash that moves between the drawers of a store: once, whatever dies on the way.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::journal::{CashLeg, CashMovement, Fact, verify_terminal};
use pos_kernel_core::money::Currency;
use pos_kernel_core::{Code, Error, OpenOptions, Terminal};
use std::fs;
use std::path::PathBuf;
use support::{cash, line, options};
use tempfile::TempDir;

const GIVER: &str = "REGISTER_01";
const TAKER: &str = "REGISTER_02";

fn open(root: &TempDir, id: &str) -> Terminal {
    let (id, segment_bytes) = (Some(id.to_owned()), Some(64 << 10));
    Terminal::open(&OpenOptions { id, segment_bytes, ..options(root) }).unwrap()
}

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// Two terminals with a shift each, 100.00 in the one drawer and 20.00 in the other.
fn two(root: &TempDir) -> (Terminal, Terminal) {
    let (giver, taker) = (open(root, GIVER), open(root, TAKER));
    giver.settle(giver.open_shift(&[(euro(), 10_000)], None).unwrap()).unwrap();
    taker.settle(taker.open_shift(&[(euro(), 2_000)], None).unwrap()).unwrap();
    (giver, taker)
}

fn expected(terminal: &Terminal) -> i64 {
    terminal.shift().unwrap().unwrap().cash[&euro()].expected()
}

fn sound(terminal: &Terminal) {
    terminal.wait_durable(terminal.status().unwrap().position.sequence).unwrap();
    let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
    assert_eq!(report.problems, [], "the audit finds nothing");
}

fn send(giver: &Terminal, amount: i64) -> String {
    giver.send_cash(TAKER, ("EUR", amount), "change", None).unwrap().value.ticket
}

fn receive(terminal: &Terminal, ticket: &str) -> Result<i64, Error> {
    terminal.receive_cash(ticket, "change", None).map(|answer| answer.value.amount)
}

fn claim(root: &TempDir, ticket: &str) -> PathBuf {
    root.path().join("shared/claims").join(format!("{ticket}.json"))
}

/// Facts of a terminal's cash on its way.
fn legs(terminal: &Terminal) -> Vec<(&'static str, i64)> {
    let mut legs = Vec::new();
    let take = |recorded: pos_kernel_core::terminal::Recorded| match recorded.fact {
        Fact::CashMoved(fact) => {
            if let Some(transfer) = fact.transfer {
                legs.push((transfer.leg.name(), fact.amount.unwrap()));
                let out = transfer.leg == CashLeg::Sent;
                assert_eq!(fact.kind == CashMovement::PaidOut, out);
            }
        }
        Fact::CashArrived(_) => legs.push(("arrived", 0)),
        _ => {}
    };
    terminal.history().each(1, u64::MAX, take).unwrap();
    legs
}

#[test]
fn cash_leaves_one_drawer_and_comes_into_the_other() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let ticket = send(&giver, 2_500);
    assert_eq!((expected(&giver), expected(&taker)), (7_500, 2_000));
    let on_its_way = taker.cash_in_transit().unwrap();
    assert_eq!(on_its_way.len(), 1);
    assert_eq!((on_its_way[0].to.as_str(), on_its_way[0].amount), (TAKER, 2_500));
    assert_eq!(receive(&taker, &ticket).unwrap(), 2_500);
    assert_eq!((expected(&giver), expected(&taker)), (7_500, 4_500));
    assert!(taker.cash_in_transit().unwrap().is_empty());
    assert_eq!(giver.collect_transfers().unwrap(), Vec::<u64>::new());
    assert_eq!(legs(&giver), [("sent", 2_500), ("arrived", 0)]);
    assert_eq!(legs(&taker), [("received", 2_500)]);
    assert!(!claim(&root, &ticket).exists(), "the giver knows it, so that nobody needs the claim");
    for terminal in [&giver, &taker] {
        let refused = receive(terminal, &ticket).unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyReceived, "{refused}");
        sound(terminal);
    }
    assert!(!claim(&root, &ticket).exists(), "what is refused leaves no claim");
    assert_eq!((expected(&giver), expected(&taker)), (7_500, 4_500));
}

#[test]
fn cash_that_nobody_took_goes_back() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let ticket = send(&giver, 2_500);
    let back = giver.receive_cash(&ticket, "not needed", None).unwrap().value;
    assert!(back.taken_back);
    assert_eq!((back.terminal.as_str(), expected(&giver)), (TAKER, 10_000));
    assert_eq!(receive(&taker, &ticket).unwrap_err().code(), Code::AlreadyReceived);
    assert_eq!(receive(&giver, &ticket).unwrap_err().code(), Code::AlreadyReceived);
    assert_eq!((expected(&giver), expected(&taker)), (10_000, 2_000));
    assert!(giver.cash_in_transit().unwrap().is_empty());
    sound(&giver);
    sound(&taker);
}

#[test]
fn what_cannot_be_is_refused_and_moves_nothing() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let third = open(&root, "REGISTER_03");
    let code = |to, currency, amount| {
        giver.send_cash(to, (currency, amount), "change", None).unwrap_err().code()
    };
    assert_eq!(code(GIVER, "EUR", 100), Code::BadArgument, "to itself");
    assert_eq!(code("REGISTER_09", "EUR", 100), Code::NotFound, "to nobody");
    assert_eq!(code("../REGISTER_02", "EUR", 100), Code::BadId, "out of the store");
    assert_eq!(code(TAKER, "EUR", 10_001), Code::BadAmount, "more than there is");
    assert_eq!(code(TAKER, "EUR", 0), Code::BadAmount, "nothing");
    assert_eq!(code(TAKER, "euro", 100), Code::BadCurrency, "no currency");
    let closed = third.send_cash(TAKER, ("EUR", 1), "change", None).unwrap_err();
    assert_eq!(closed.code(), Code::ShiftClosed);
    let ticket = send(&giver, 2_500);
    let refused = |terminal, ticket: &str| receive(terminal, ticket).unwrap_err().code();
    assert_eq!(refused(&third, &ticket), Code::BadArgument, "it goes to another terminal");
    for garbage in ["", "REGISTER_01", "REGISTER_01.1.2.3", "../x.cash.1", "REGISTER_01.cash.x"] {
        let code = refused(&taker, garbage);
        assert!(matches!(code, Code::BadArgument | Code::BadId), "{garbage}: {code:?}");
    }
    assert_eq!(refused(&taker, "REGISTER_01.cash.1"), Code::NotFound, "a record of another kind");
    assert_eq!(refused(&taker, "REGISTER_09.cash.1"), Code::NotFound, "no such terminal");
    taker.close_shift(None).unwrap();
    assert_eq!(refused(&taker, &ticket), Code::ShiftClosed);
    assert_eq!(fs::read_dir(root.path().join("shared/claims")).unwrap().count(), 0);
    taker.open_shift(&[], None).unwrap();
    assert_eq!(receive(&taker, &ticket).unwrap(), 2_500, "what was refused can still be done");
    sound(&giver);
    sound(&taker);
}

#[test]
fn so_much_may_be_on_its_way_and_no_more() {
    let root = TempDir::new().unwrap();
    let (giver, _taker) = two(&root);
    for _ in 0..pos_kernel_core::limits::TRANSITS_MAX {
        send(&giver, 1);
    }
    let refused = giver.send_cash(TAKER, ("EUR", 1), "change", None).unwrap_err();
    assert_eq!(refused.code(), Code::Limit, "{refused}");
}

#[test]
fn a_key_makes_one_of_each() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let send = || giver.send_cash(TAKER, ("EUR", 700), "change", Some("send-1")).unwrap();
    let (first, second) = (send(), send());
    assert_eq!(first.value, second.value);
    assert!(!first.replayed && second.replayed);
    let ticket = first.value.ticket;
    let receive = || taker.receive_cash(&ticket, "change", Some("receive-1")).unwrap();
    let (first, second) = (receive(), receive());
    assert_eq!(first.value, second.value);
    assert!(!first.replayed && second.replayed);
    assert_eq!((expected(&giver), expected(&taker)), (9_300, 2_700));
    let other = giver.send_cash(TAKER, ("EUR", 701), "change", Some("send-1")).unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyMismatch);
}

#[test]
fn what_is_on_its_way_is_in_the_checkpoint() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let tickets = [send(&giver, 100), send(&giver, 200), send(&giver, 300)];
    let segment = || giver.status().unwrap().position.segment;
    let first = segment();
    while segment() == first {
        let sale = giver.begin("STORE_001", "EUR", None, None).unwrap().value.sale;
        for _ in 0..20 {
            giver.add_line(sale, &line("TEA", "1", "300"), None).unwrap();
        }
        giver.tender(sale, &cash(6_000), None).unwrap();
        giver.complete(sale, None).unwrap();
    }
    drop(giver);
    let giver = open(&root, GIVER);
    assert_eq!(receive(&taker, &tickets[1]).unwrap(), 200);
    giver.collect_transfers().unwrap();
    assert!(giver.receive_cash(&tickets[0], "back", None).unwrap().value.taken_back);
    drop(giver);
    let giver = open(&root, GIVER);
    assert_eq!(receive(&giver, &tickets[0]).unwrap_err().code(), Code::AlreadyReceived);
    assert_eq!(receive(&giver, &tickets[1]).unwrap_err().code(), Code::AlreadyReceived);
    assert_eq!(receive(&taker, &tickets[2]).unwrap(), 300);
    sound(&giver);
    sound(&taker);
}

#[test]
fn a_taker_that_died_with_its_record_written_ends_its_claim() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let ticket = send(&giver, 2_500);
    let after = taker.status().unwrap().position.sequence;
    receive(&taker, &ticket).unwrap();
    drop(taker);
    let unended = format!("{{\"terminal\":\"{TAKER}\",\"after\":{after},\"done\":null}}");
    fs::write(claim(&root, &ticket), unended).unwrap();
    // The giver may not take it back while the taker has not said what became of it.
    assert_eq!(receive(&giver, &ticket).unwrap_err().code(), Code::AlreadyReceived);
    giver.collect_transfers().unwrap();
    assert_eq!(legs(&giver), [("sent", 2_500)]);
    let taker = open(&root, TAKER);
    giver.collect_transfers().unwrap();
    assert_eq!(legs(&giver), [("sent", 2_500), ("arrived", 0)]);
    assert_eq!((expected(&giver), expected(&taker)), (7_500, 4_500));
    assert!(!claim(&root, &ticket).exists());
}

#[test]
fn a_taker_that_died_before_its_record_gives_its_claim_up() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let ticket = send(&giver, 2_500);
    let after = taker.status().unwrap().position.sequence;
    drop(taker);
    fs::create_dir_all(root.path().join("shared/claims")).unwrap();
    let unended = format!("{{\"terminal\":\"{TAKER}\",\"after\":{after}}}");
    fs::write(claim(&root, &ticket), unended).unwrap();
    assert_eq!(receive(&giver, &ticket).unwrap_err().code(), Code::AlreadyReceived);
    let taker = open(&root, TAKER);
    assert!(!claim(&root, &ticket).exists());
    assert_eq!(receive(&taker, &ticket).unwrap(), 2_500);
}

#[test]
fn a_giver_that_died_between_its_record_and_the_notice_still_has_its_ticket() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let ticket = send(&giver, 2_500);
    fs::remove_dir_all(root.path().join("shared/transit")).unwrap();
    drop(giver);
    let giver = open(&root, GIVER);
    let on_its_way = giver.cash_in_transit().unwrap();
    assert_eq!(on_its_way.len(), 1, "an opening puts the notice up again");
    assert_eq!(on_its_way[0].ticket, ticket);
    assert_eq!(receive(&taker, &ticket).unwrap(), 2_500);
}

#[cfg(unix)]
#[test]
fn what_stands_in_place_of_a_notice_or_a_claim_holds_nobody_up() {
    let root = TempDir::new().unwrap();
    let (giver, taker) = two(&root);
    let ticket = send(&giver, 2_500);
    for folder in ["shared/claims", "shared/transit"] {
        let dir = root.path().join(folder);
        fs::create_dir_all(&dir).unwrap();
        fs::create_dir(dir.join("REGISTER_01.cash.7.json")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.join("REGISTER_01.cash.8.json")).unwrap();
    }
    assert_eq!(taker.cash_in_transit().unwrap().len(), 1);
    assert_eq!(giver.collect_transfers().unwrap_err().code(), Code::Io);
    assert_eq!(receive(&taker, &ticket).unwrap(), 2_500);
    giver.collect_transfers().unwrap_err();
    assert_eq!(legs(&giver), [("sent", 2_500), ("arrived", 0)]);
}

#[test]
fn threads_that_put_up_the_same_notice_do_not_get_in_each_others_way() {
    let root = TempDir::new().unwrap();
    let (giver, _taker) = two(&root);
    send(&giver, 100);
    let notices = root.path().join("shared/transit");
    for _ in 0..100 {
        fs::remove_dir_all(&notices).unwrap();
        std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| giver.cash_in_transit().map(drop)));
            let again = scope.spawn(|| giver.collect_transfers().map(drop));
            let sent = scope.spawn(|| giver.send_cash(TAKER, ("EUR", 1), "x", None).map(drop));
            threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
            again.join().unwrap().unwrap();
            let sent = sent.join().unwrap();
            assert!(sent.is_ok() || sent.unwrap_err().code() == Code::Limit);
        });
    }
}
