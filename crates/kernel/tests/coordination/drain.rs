//! A terminal that ends: nothing new begins, and no sale is lost.

use crate::{facts, open, support, verified};
use pos_kernel_core::Code;
use pos_kernel_core::coordination::{clear_shutdown_signal, shutdown_signal};
use pos_kernel_core::journal::{DrainBegun, Fact};
use support::{card, cash, line, sold};

#[test]
fn a_draining_terminal_begins_nothing_and_finishes_what_is_open() {
    let root = tempfile::tempdir().unwrap();
    let till = open(root.path(), "T1");
    let begin = || till.begin("S", "EUR", None, None);
    let (paid, idle, pending) = (begin().unwrap().value.sale, begin().unwrap(), begin().unwrap());
    for sale in [paid, idle.value.sale, pending.value.sale] {
        till.add_line(sale, &line("A", "1", "100"), None).unwrap();
    }
    till.tender(pending.value.sale, &card(100, true), None).unwrap();
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    let keyed = till.sell(&sold(None, &lines, &tenders), Some("k1")).unwrap().value;

    let drain = till.begin_drain("closing time", 5_000, Some("MANAGER")).unwrap();
    assert_eq!(till.begin_drain("again", 1, None).unwrap(), drain, "the first one stands");
    let refused = |error: pos_kernel_core::Error| {
        assert_eq!(error.code(), Code::ShuttingDown);
        assert_eq!(error.facts()["reason"], "closing time");
        assert_eq!(error.facts()["by"], "MANAGER");
        assert!(error.facts()["until"].as_str().unwrap().ends_with('Z'));
    };
    refused(begin().unwrap_err());
    refused(till.sell(&sold(None, &lines, &tenders), None).unwrap_err());
    // A call that was answered before is answered again.
    let again = till.sell(&sold(None, &lines, &tenders), Some("k1")).unwrap();
    assert!(again.replayed);
    assert_eq!(again.value.number, keyed.number);

    till.tender(paid, &cash(100), None).unwrap();
    till.complete(paid, None).unwrap();
    let drained = till.suspend_open("closing time").unwrap();
    assert_eq!((drained.suspended.len(), drained.left), (1, vec![pending.value.sale]));
    assert_eq!(till.suspend_open("closing time").unwrap().suspended.len(), 0);
    let begun = facts(&till).into_iter().find(|fact| matches!(fact, Fact::DrainBegun(_)));
    let until_ns = drain.until_ns;
    let (reason, by) = ("closing time".to_owned(), Some("MANAGER".to_owned()));
    assert_eq!(begun, Some(DrainBegun { reason, until_ns, by }.into()));
    verified(&till);

    // The next owner is not bound by it, and finds the sales.
    let till = open(root.path(), "T1");
    assert_eq!(till.drain(), None);
    assert_eq!(till.open_sales().unwrap().len(), 2);
    let ticket = &drained.suspended[0];
    till.resume(ticket, None).unwrap();
    till.begin("S", "EUR", None, None).unwrap();
    verified(&till);
}

#[test]
fn a_drain_and_an_announcement_with_bad_values_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let till = open(root.path(), "T1");
    let before = till.status().unwrap().position.sequence;
    assert_eq!(till.begin_drain("", 1, None).unwrap_err().code(), Code::BadText);
    assert_eq!(till.begin_drain("x", u64::MAX, None).unwrap_err().code(), Code::Limit);
    assert_eq!(till.announce_shutdown("\u{1}", 1).unwrap_err().code(), Code::BadText);
    assert_eq!(till.announce_shutdown("x", 86_400_001).unwrap_err().code(), Code::Limit);
    assert_eq!(till.status().unwrap().position.sequence, before);
    assert_eq!(shutdown_signal(root.path()).unwrap(), None);
    till.begin("S", "EUR", None, None).unwrap();
}

#[test]
fn an_announcement_is_a_message_a_fact_and_a_flag() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (manager, till) = (open(root, "MANAGER"), open(root, "T1"));
    let sent = manager.announce_shutdown("closing time", 5_000).unwrap();
    assert_eq!(sent.sent, ["T1"]);
    let signal = shutdown_signal(root).unwrap().unwrap();
    assert_eq!((signal.by.as_str(), signal.reason.as_str()), ("MANAGER", "closing time"));
    assert_eq!(signal.until_ns - signal.announced_ns, 5_000_000_000);
    let sent_here = |fact: &Fact| matches!(fact, Fact::MessageSent(it) if it.id == sent.message.id);
    assert_eq!(facts(&manager).iter().filter(|fact| sent_here(fact)).count(), 1);
    let received = crate::receive_all(&till);
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body["graceMs"], 5_000);
    clear_shutdown_signal(root).unwrap();
    assert_eq!(shutdown_signal(root).unwrap(), None);
    clear_shutdown_signal(root).unwrap();
    verified(&till);
    verified(&manager);
}
