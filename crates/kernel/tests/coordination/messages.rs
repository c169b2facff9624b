//! Messages: in order, once, acknowledged by where they lie.

use crate::{facts, files, inbox, note, open, options, receive_all, send, verified};
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::journal::Fact;
use pos_kernel_core::messages::{MessageState, acknowledgements};
use pos_kernel_core::terminal::Outgoing;
use pos_kernel_core::{Code, OpenOptions, Terminal};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn received(terminal: &Terminal) -> Vec<(String, u64)> {
    let facts = facts(terminal).into_iter().filter_map(|fact| match fact {
        Fact::MessageReceived(fact) => Some((fact.from, fact.number)),
        _ => None,
    });
    facts.collect()
}

#[test]
fn what_is_sent_is_received_once_and_in_order_over_restarts_of_both() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (mut one, mut two) = (open(root, "T1"), open(root, "T2"));
    let mut sent = 0;
    for round in 0..4 {
        for _ in 0..10 {
            send(&one, "T2", sent);
            sent += 1;
        }
        // Whoever dies here has lost nothing.
        match round {
            1 => {
                drop(one);
                one = open(root, "T1");
            }
            2 => {
                drop(two);
                two = open(root, "T2");
            }
            _ => {}
        }
    }
    let bodies: Vec<_> = receive_all(&two).into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, (0..40).map(|number| json!(number)).collect::<Vec<_>>());
    assert_eq!(receive_all(&two).len(), 0);
    let numbers = received(&two);
    assert_eq!(numbers.len(), 40);
    assert!(numbers.is_sorted_by(|a, b| a.1 < b.1));
    assert_eq!(files(&inbox(root, "T2", "done")).len(), 40);
    assert_eq!(files(&inbox(root, "T2", "new")).len() + files(&inbox(root, "T2", "tmp")).len(), 0);
    verified(&one);
    verified(&two);
}

#[test]
fn a_file_that_was_not_moved_after_its_fact_counts_no_second_time() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    let message = send(&one, "T2", 1);
    receive_all(&two);
    let file = format!("{}.json", message.id);
    let back = |to: &str| {
        std::fs::rename(inbox(root, "T2", "done").join(&file), inbox(root, "T2", to).join(&file))
    };
    back("new").unwrap();
    assert_eq!(two.receive(10).unwrap(), []);
    assert_eq!(files(&inbox(root, "T2", "done")), std::slice::from_ref(&file));
    back("new").unwrap();
    assert_eq!(two.accept(&[&message.id]).unwrap(), 0);
    // However long ago: the window of keys forgets, the number does not, and a checkpoint carries it.
    for number in 0..200 {
        send(&one, "T2", number);
        if number % 50 == 0 {
            receive_all(&two);
        }
    }
    receive_all(&two);
    verified(&two);
    let two = open(root, "T2");
    back("new").unwrap();
    assert_eq!(two.receive(10).unwrap(), []);
    assert_eq!(received(&two).iter().filter(|(_, number)| *number == 1 << 24 | 1).count(), 1);
    verified(&two);
}

#[test]
fn whoever_waits_is_woken_by_a_message_and_by_the_end_of_the_terminal() {
    const NEVER: Duration = Duration::from_secs(3600);
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (open(root.path(), "T1"), open(root.path(), "T2"));
    assert!(!two.wait_for_message(Duration::ZERO).unwrap(), "nothing is there");
    assert!(!two.wait_for_message(Duration::from_millis(1)).unwrap(), "the time is over");
    // Each sends only when the other has had its last one: every wait but the first begins with an
    // empty inbox.
    const ROUNDS: u64 = 50;
    let echo = |terminal: &Terminal, to: &str, begins: bool| {
        for round in 0..ROUNDS {
            if begins || round > 0 {
                send(terminal, to, round);
            }
            assert!(terminal.wait_for_message(NEVER).unwrap());
            assert_eq!(receive_all(terminal).len(), 1);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            echo(&two, "T1", false);
            send(&two, "T1", ROUNDS);
        });
        scope.spawn(|| echo(&one, "T2", true));
    });
    let everybody = one.broadcast(note(json!(0))).unwrap();
    assert_eq!(everybody.sent, ["T2"]);
    assert!(two.wait_for_message(NEVER).unwrap());
    assert!(two.wait_for_message(NEVER).unwrap(), "it waits until it is accepted");
    receive_all(&two);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| two.wait_for_message(NEVER));
        two.close().unwrap();
        assert_eq!(waits.join().unwrap().unwrap_err().code(), Code::Closed);
    });
    verified(&one);
}

#[test]
fn the_place_of_a_message_is_its_acknowledgement() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two, three) = (open(root, "T1"), open(root, "T2"), open(root, "T3"));
    let sent = one.broadcast(note(json!({"all": true}))).unwrap();
    assert_eq!(sent.sent, ["T2", "T3"]);
    assert_eq!(sent.refused, []);
    let states = || -> Vec<(String, MessageState)> {
        let all = acknowledgements(root, &sent.message.id).unwrap();
        all.into_iter().map(|it| (it.terminal, it.state)).collect()
    };
    let is = |state| [("T2".to_owned(), state), ("T3".to_owned(), MessageState::Waiting)];
    assert_eq!(states(), is(MessageState::Waiting));
    assert_eq!(receive_all(&two).len(), 1);
    assert_eq!(states(), is(MessageState::Received));
    three.give_up(&sent.message.id, "the printer is gone").unwrap();
    let dead = acknowledgements(root, &sent.message.id).unwrap().pop().unwrap();
    assert_eq!((dead.state, dead.reason.as_deref()), (MessageState::Dead, Some("refused")));
    assert_eq!(three.receive(10).unwrap(), []);
    let error = acknowledgements(root, "../../T1").unwrap_err();
    assert_eq!(error.code(), Code::BadMessage);
    // The same file in both inboxes: it was written once.
    let name = format!("{}.json", sent.message.id);
    let broadcast = root.join("shared/cross_terminal_messages/broadcast").join(&name);
    let bytes = std::fs::read(broadcast).unwrap();
    assert_eq!(bytes, std::fs::read(inbox(root, "T2", "done").join(&name)).unwrap());
    for terminal in [&one, &two, &three] {
        verified(terminal);
    }
}

#[test]
fn a_broadcast_in_whose_midst_its_sender_died_is_finished_by_the_next_owner() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two, three) = (open(root, "T1"), open(root, "T2"), open(root, "T3"));
    let sent = one.broadcast(note(json!(1))).unwrap();
    receive_all(&two);
    drop(one);
    // As a crash leaves it: written, and linked into one inbox.
    let name = format!("{}.json", sent.message.id);
    let dir = root.join("shared/cross_terminal_messages/broadcast");
    let part = dir.join(format!("{}.part", sent.message.id));
    std::fs::rename(dir.join(&name), &part).unwrap();
    std::fs::remove_file(inbox(root, "T3", "new").join(&name)).unwrap();
    let one = open(root, "T1");
    assert_eq!(files(&dir), [name]);
    assert_eq!(receive_all(&three).len(), 1);
    assert_eq!(receive_all(&two).len(), 0);
    drop(one);
    // One that was written by halves has reached nobody.
    std::fs::write(dir.join("000000000000000a-T1-00000001000009.part"), "{\"v\":1,").unwrap();
    let one = open(root, "T1");
    assert_eq!(files(&dir).len(), 1);
    assert_eq!(receive_all(&three).len(), 0);
    verified(&one);
}

#[test]
fn an_expired_message_is_dead_and_so_is_none_that_was_given_before() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let clock = Arc::new(TestClock::new(1_764_158_400_000_000_000));
    let opened = |id: &str| {
        let clock = clock.clone();
        Terminal::open(&OpenOptions { clock, ..options(root, id) }).unwrap()
    };
    let (one, two) = (opened("T1"), opened("T2"));
    let short = |number: u64| Outgoing { kind: "x.n", body: json!(number), ttl_ms: Some(1_000) };
    let kept = one.send("T2", short(1)).unwrap();
    assert_eq!(two.receive(10).unwrap().len(), 1);
    clock.pass(2_000_000_000);
    assert_eq!(two.accept(&[&kept.id]).unwrap(), 1, "it was worth something when it was given");
    let late = one.send("T2", short(2)).unwrap();
    send(&one, "T2", 3);
    clock.pass(2_000_000_000);
    assert_eq!(receive_all(&two).len(), 1);
    let found = acknowledgements(root, &late.id).unwrap().pop().unwrap();
    assert_eq!((found.state, found.reason.as_deref()), (MessageState::Dead, Some("expired")));
    verified(&two);
}

#[test]
fn messages_are_accepted_in_the_order_of_their_sender() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    let (first, second) = (send(&one, "T2", 1), send(&one, "T2", 2));
    let error = two.accept(&[&second.id]).unwrap_err();
    assert_eq!(error.code(), Code::BadArgument);
    assert_eq!(two.accept(&[&second.id, &first.id, &first.id]).unwrap(), 2);
    assert_eq!(two.accept(&["x"]).unwrap_err().code(), Code::BadMessage);
    let never = "000000000000000a-T9-00000001000001";
    assert_eq!(two.accept(&[never]).unwrap_err().code(), Code::NotFound);
    assert_eq!(two.accept(&vec![never; 65]).unwrap_err().code(), Code::Limit);
    assert_eq!(received(&two).len(), 2);
}

#[test]
fn what_cannot_be_sent_is_refused_and_uses_up_no_number() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    let refuse = |to: &str, kind: &str, body, code| {
        let error = one.send(to, Outgoing { kind, body, ttl_ms: None }).unwrap_err();
        assert_eq!(error.code(), code, "{to} {kind}: {error}");
    };
    refuse("T9", "x.a", json!(1), Code::NotFound);
    refuse("../T2", "x.a", json!(1), Code::BadId);
    refuse("T2", "Unknown", json!(1), Code::BadMessage);
    refuse("T2", "SystemShutdown", json!({"graceMs": "soon"}), Code::BadMessage);
    refuse("T2", "x.a", json!("x".repeat(256 << 10)), Code::Limit);
    let mut deep = json!(0);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    refuse("T2", "x.a", deep, Code::BadMessage);
    send(&one, "T2", 1);
    assert_eq!(receive_all(&two).len(), 1);
    assert_eq!(received(&two), [("T1".to_owned(), 1 << 24 | 1)]);
    let body = json!({"title": "day", "report": {"sales": 3}});
    let own = one.send("T2", Outgoing { kind: "ManagerReport", body, ttl_ms: None }).unwrap();
    let is_sent = |fact: &Fact| matches!(fact, Fact::MessageSent(it) if it.id == own.id);
    assert!(facts(&one).iter().any(is_sent));
    verified(&one);
}

#[test]
fn a_full_inbox_refuses_with_its_limit() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    let new = inbox(root, "T2", "new");
    send(&one, "T2", 0);
    for number in 1..4096 {
        std::fs::write(new.join(format!("{number}")), "").unwrap();
    }
    let error = one.send("T2", note(json!(1))).unwrap_err();
    assert_eq!((error.code(), &error.facts()["limit"]), (Code::InboxFull, &4096.into()));
    let sent = one.broadcast(note(json!(1))).unwrap();
    assert_eq!(sent.refused[0].1.code(), Code::InboxFull);
    // Receiving makes room: what was put there is none of it.
    assert_eq!(receive_all(&two).len(), 1);
    send(&one, "T2", 2);
    let large = vec![b' '; 64 << 20];
    std::fs::write(new.join("large"), large).unwrap();
    let error = one.send("T2", note(json!(1))).unwrap_err();
    assert_eq!(error.facts()["what"], "bytes");
    assert_eq!(receive_all(&two).len(), 1);
}

#[test]
fn what_a_newer_version_sent_waits_and_what_follows_it_waits_behind_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (one, two, three) = (open(root, "T1"), open(root, "T2"), open(root, "T3"));
    let newer = send(&one, "T2", 1);
    let file = inbox(root, "T2", "new").join(format!("{}.json", newer.id));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"v\":1", "\"v\":2")).unwrap();
    send(&one, "T2", 2);
    send(&three, "T2", 3);
    let got = receive_all(&two);
    assert_eq!(got.iter().map(|message| &*message.from).collect::<Vec<_>>(), ["T3"]);
    assert_eq!(two.accept(&[&newer.id]).unwrap_err().code(), Code::BadMessage);
    assert_eq!(files(&inbox(root, "T2", "new")).len(), 2);
    std::fs::write(&file, text).unwrap();
    assert_eq!(receive_all(&two).len(), 2);
    verified(&two);
}
