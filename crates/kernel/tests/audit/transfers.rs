//! Journals that are sound one by one and do not fit together. They are forged by copies: a till that
//! went back to an earlier copy of its journal goes on otherwise, with every checksum and link right.

use crate::shop::Shop;
use crate::support::line;
use pos_kernel_core::audit::{Merger, TransferFault, Transfers, check_store};
use pos_kernel_core::journal::verify_terminal;
use pos_kernel_core::money::Currency;
use pos_kernel_core::terminal::History;
use pos_kernel_core::{Code, Store, StoreOptions, Terminal};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

const TILLS: [&str; 3] = ["A", "B", "C"];

fn currency(letters: &str) -> Currency {
    Currency::parse(letters).unwrap()
}

/// Three tills with a shift each.
fn shop() -> Shop {
    let shop = Shop::new();
    for id in TILLS {
        at(&shop, id, |till| {
            let float = [(currency("EUR"), 10_000), (currency("USD"), 10_000)];
            till.settle(till.open_shift(&float, None).unwrap()).unwrap();
        });
    }
    shop
}

/// Does something at a till that is open for it alone.
fn at<T>(shop: &Shop, id: &str, work: impl FnOnce(&Terminal) -> T) -> T {
    let till = shop.open(id);
    let answer = work(&till);
    till.close().unwrap();
    answer
}

fn send(shop: &Shop, from: &str, to: &str, money: (&str, i64)) -> String {
    at(shop, from, |till| till.send_cash(to, money, "change", None).unwrap().value.ticket)
}

fn receive(shop: &Shop, id: &str, ticket: &str) -> i64 {
    at(shop, id, |till| till.receive_cash(ticket, "change", None).unwrap().value.amount)
}

fn suspend(shop: &Shop, id: &str, price: &str) -> String {
    at(shop, id, |till| {
        let sale = till.begin("shop", "EUR", None, None).unwrap().value.sale;
        till.add_line(sale, &line("BREAD", "1", price), None).unwrap();
        till.suspend(sale, "purse", None).unwrap().value.ticket
    })
}

fn resume(shop: &Shop, id: &str, ticket: &str) {
    at(shop, id, |till| till.resume(ticket, None).map(|_| ()).unwrap());
}

/// Keeps the journal of a till as it is now, and gives what puts it back.
fn copy(shop: &Shop, id: &str) -> impl Fn() + use<> {
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    };
    let dir = shop.journal(id);
    let files: Vec<_> =
        fs::read_dir(&dir).unwrap().map(|entry| read(entry.unwrap().path())).collect();
    move || {
        fs::remove_dir_all(&dir).unwrap();
        fs::create_dir(&dir).unwrap();
        files.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    }
}

/// Takes away what the terminals tell each other beside their journals.
fn forget(shop: &Shop) {
    for folder in ["claims", "transit", "suspended"] {
        let _ = fs::remove_dir_all(shop.root.path().join("shared").join(folder));
    }
}

/// The check, every journal being sound by itself.
fn checked(shop: &Shop) -> Transfers {
    for id in TILLS {
        let history = History::of_terminal(shop.journal(id).parent().unwrap());
        let report = verify_terminal(&history, None, &|_, _| {}).unwrap();
        assert_eq!(report.problems, [], "{id} is sound by itself");
    }
    assert_eq!(shop.merge().faults, []);
    let check = shop.check();
    assert_eq!(check.problem_count, check.transfers.problem_count, "nothing else is wrong");
    assert_eq!(check.to_json()["ok"], check.problem_count == 0);
    check.transfers
}

/// What is wrong: terminal, ticket, fault.
fn faults(transfers: &Transfers) -> Vec<(&str, &str, &str)> {
    let told = transfers.problems.iter();
    told.map(|it| (it.terminal.as_str(), it.ticket.as_str(), it.fault.name())).collect()
}

#[test]
fn what_moved_once_is_in_order_and_what_is_on_its_way_is_listed() {
    let shop = shop();
    let received = send(&shop, "A", "B", ("EUR", 2_500));
    let untold = send(&shop, "A", "C", ("EUR", 300));
    let back = send(&shop, "B", "C", ("USD", 100));
    let waits = [("A", "EUR", 10), ("A", "EUR", 15), ("C", "USD", 7)]
        .map(|(from, letters, amount)| send(&shop, from, "B", (letters, amount)));
    assert_eq!(receive(&shop, "B", &received), 2_500);
    at(&shop, "A", |till| till.collect_transfers().unwrap());
    assert_eq!(receive(&shop, "C", &untold), 300);
    assert_eq!(receive(&shop, "B", &back), 100);
    let [over, here, stays] = [(); 3].map(|()| suspend(&shop, "A", "250"));
    resume(&shop, "B", &over);
    resume(&shop, "A", &here);
    let transfers = checked(&shop);
    assert_eq!(faults(&transfers), []);
    let Transfers { cash_sent, cash_received, cash_taken_back, .. } = transfers;
    assert_eq!((cash_sent, cash_received, cash_taken_back), (6, 2, 1));
    let Transfers { sales_suspended, sales_taken_over, sales_resumed, .. } = transfers;
    assert_eq!((sales_suspended, sales_taken_over, sales_resumed), (3, 1, 1));
    let told: Vec<_> = transfers.on_their_way.iter().map(|it| it.ticket.clone()).collect();
    assert_eq!(told, [&waits[..], &[stays]].concat());
    let [first, .., last] = &transfers.on_their_way[..] else { panic!("four wait") };
    assert_eq!((first.from.0.as_str(), first.to.as_deref()), ("A", Some("B")));
    assert_eq!(first.cash, Some((currency("EUR"), 10)));
    assert_eq!((last.to.as_deref(), last.cash), (None, None), "a sale waits for any till");
    let sums: Vec<_> = transfers.sums().into_iter().collect();
    assert_eq!(sums, [(currency("EUR"), (2, 25)), (currency("USD"), (1, 7))]);
    assert_eq!(transfers.unjudged, 0);
}

#[test]
fn cash_that_was_received_and_never_sent_is_found() {
    let shop = shop();
    let before = copy(&shop, "A");
    let ticket = send(&shop, "A", "B", ("EUR", 2_500));
    receive(&shop, "B", &ticket);
    before();
    forget(&shop);
    let transfers = checked(&shop);
    assert_eq!(faults(&transfers), [("B", ticket.as_str(), "unsent")]);
    let problem = &transfers.problems[0];
    assert_eq!(problem.fault.code(), Code::TransferContradicted);
    let history = History::of_terminal(shop.journal("B").parent().unwrap());
    let named = history.record(problem.sequence).unwrap().fact;
    assert_eq!(named.kind() as u16, 69, "the record named is the one that received it");
    // A journal that is gone altogether has sent nothing either.
    fs::remove_dir_all(shop.root.path().join("terminals").join("A")).unwrap();
    let check = check_store(shop.root.path(), None, None, &|_, _| {}).unwrap();
    assert_eq!(faults(&check.transfers), [("B", ticket.as_str(), "gone")]);
}

#[test]
fn cash_that_was_received_twice_is_found() {
    let shop = shop();
    let ticket = send(&shop, "A", "B", ("EUR", 2_500));
    receive(&shop, "B", &ticket);
    forget(&shop);
    receive(&shop, "B", &ticket);
    let transfers = checked(&shop);
    assert_eq!(faults(&transfers), [("B", ticket.as_str(), "twice")]);
    assert_eq!(transfers.cash_received, 2);
    // And by its giver, who is told of it no more.
    forget(&shop);
    receive(&shop, "A", &ticket);
    let transfers = checked(&shop);
    let twice = [("A", ticket.as_str(), "twice"), ("B", ticket.as_str(), "twice")];
    assert_eq!(faults(&transfers), twice);
}

#[test]
fn cash_that_changed_on_its_way_is_found() {
    for (money, letters) in [(("EUR", 200), "EUR 200"), (("USD", 300), "USD 300")] {
        let shop = shop();
        let before = copy(&shop, "A");
        let ticket = send(&shop, "A", "B", ("EUR", 300));
        receive(&shop, "B", &ticket);
        before();
        forget(&shop);
        assert_eq!(send(&shop, "A", "B", money), ticket, "the same record sends other money");
        let transfers = checked(&shop);
        assert_eq!(faults(&transfers), [("B", ticket.as_str(), "changed")]);
        let message = &transfers.problems[0].message;
        assert!(message.contains("EUR 300") && message.contains(letters), "{message}");
    }
}

#[test]
fn cash_that_another_till_received_is_found() {
    let shop = shop();
    let before = copy(&shop, "A");
    let ticket = send(&shop, "A", "B", ("EUR", 300));
    receive(&shop, "B", &ticket);
    before();
    forget(&shop);
    assert_eq!(send(&shop, "A", "C", ("EUR", 300)), ticket);
    assert_eq!(faults(&checked(&shop)), [("B", ticket.as_str(), "elsewhere")]);
}

#[test]
fn cash_that_arrived_nowhere_is_found() {
    let shop = shop();
    let ticket = send(&shop, "A", "B", ("EUR", 300));
    let before = copy(&shop, "B");
    receive(&shop, "B", &ticket);
    at(&shop, "A", |till| till.collect_transfers().unwrap());
    before();
    let transfers = checked(&shop);
    assert_eq!(faults(&transfers), [("A", ticket.as_str(), "untaken")]);
    assert_eq!(transfers.on_their_way, [], "its giver believes it arrived");
}

#[test]
fn a_sale_that_went_on_twice_is_found() {
    let shop = shop();
    let ticket = suspend(&shop, "A", "250");
    resume(&shop, "B", &ticket);
    forget(&shop);
    resume(&shop, "C", &ticket);
    let transfers = checked(&shop);
    assert_eq!(faults(&transfers), [("C", ticket.as_str(), "twice")]);
    assert_eq!(transfers.sales_taken_over, 2);
    forget(&shop);
    resume(&shop, "A", &ticket);
    let transfers = checked(&shop);
    let twice = [("A", ticket.as_str(), "twice"), ("C", ticket.as_str(), "twice")];
    assert_eq!(faults(&transfers), twice);
}

#[test]
fn a_sale_that_was_never_handed_over_or_is_another_one_is_found() {
    let shop = shop();
    let before = copy(&shop, "A");
    let ticket = suspend(&shop, "A", "250");
    resume(&shop, "B", &ticket);
    before();
    forget(&shop);
    assert_eq!(faults(&checked(&shop)), [("B", ticket.as_str(), "unsent")]);
    before();
    forget(&shop);
    fs::remove_file(shop.log()).unwrap();
    assert_eq!(suspend(&shop, "A", "100"), ticket, "the same number and place, another price");
    let transfers = checked(&shop);
    assert_eq!(faults(&transfers), [("B", ticket.as_str(), "changed")]);
    assert_eq!(transfers.problems[0].fault, TransferFault::Changed);
}

#[test]
fn a_sale_that_nobody_took_is_found() {
    let shop = shop();
    let ticket = suspend(&shop, "A", "250");
    let before = copy(&shop, "B");
    resume(&shop, "B", &ticket);
    at(&shop, "A", |till| till.collect_transfers().unwrap());
    before();
    assert_eq!(faults(&checked(&shop)), [("A", ticket.as_str(), "untaken")]);
}

#[test]
fn what_an_archive_may_hold_is_not_judged() {
    let shop = shop();
    let ticket = send(&shop, "A", "B", ("EUR", 300));
    receive(&shop, "B", &ticket);
    shop.sell("A", 200);
    shop.sell("A", 200);
    let moved = at(&shop, "A", |till| till.archive(None).unwrap());
    assert!(moved.removed > 0, "the record that sent it is in the archive: {moved:?}");
    assert_eq!(shop.merge().faults, []);
    let check = |archive| check_store(shop.root.path(), archive, None, &|_, _| {}).unwrap();
    let judged = |archive| {
        let transfers = check(archive).transfers;
        assert_eq!(faults(&transfers), []);
        (transfers.cash_sent, transfers.unjudged)
    };
    assert_eq!(judged(None), (1, 0));
    let away = shop.root.path().join("away");
    fs::rename(shop.root.path().join("archive"), &away).unwrap();
    assert_eq!(judged(None), (0, 1), "its archive is away");
    assert_eq!(judged(Some(&away)), (1, 0));
}

/// A folder as it would be after the death of every process that has it open.
fn image(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|it| (it.path(), it.file_name())).unwrap();
        let target = to.join(name);
        if path.is_dir() {
            image(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn what_a_dead_store_process_left_in_its_log_is_told_as_that() {
    let shop = shop();
    let root = Some(shop.root.path().to_owned());
    let store = Store::open(&StoreOptions { root, ..StoreOptions::default() }).unwrap();
    let tills = ["A", "B"].map(|id| store.open_terminal(&shop.options(id)).unwrap());
    let before = fs::read(shop.segment("A", 1)).unwrap();
    let ticket = tills[0].send_cash("B", ("EUR", 300), "change", None).unwrap().value.ticket;
    tills[1].receive_cash(&ticket, "change", None).unwrap();
    // After a power cut the log has it all, and the journal of A what it had before.
    let away = tempfile::tempdir().unwrap();
    image(shop.root.path(), away.path());
    store.close().unwrap();
    let journal = away.path().join("terminals/A/transaction.wal/segment-000001.wal");
    fs::write(journal, before).unwrap();
    Merger::open(away.path()).unwrap();
    let check = || check_store(away.path(), None, None, &|_, _| {}).unwrap().transfers;
    let found = check();
    assert_eq!(faults(&found), [("B", ticket.as_str(), "unsettled")]);
    assert_eq!(found.problems[0].fault.code(), Code::StoreUnsettled);
    let root = Some(away.path().to_owned());
    Store::open(&StoreOptions { root, ..StoreOptions::default() }).unwrap().close().unwrap();
    let found = check();
    assert_eq!((faults(&found), found.cash_received), (vec![], 1));
}

#[test]
fn beside_tills_that_move_things_nothing_is_found() {
    let shop = shop();
    shop.merge();
    let tills = ["A", "B"].map(|id| shop.open(id));
    let done = AtomicBool::new(false);
    let mut checks = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..150 {
                for (from, to) in [(0, 1), (1, 0)] {
                    let (giver, taker) = (&tills[from], &tills[to]);
                    let sent = giver.send_cash(["A", "B"][to], ("EUR", 5), "change", None);
                    taker.receive_cash(&sent.unwrap().value.ticket, "change", None).unwrap();
                    giver.collect_transfers().unwrap();
                }
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let transfers = shop.check().transfers;
            assert_eq!(faults(&transfers), []);
            checks += 1;
        }
    });
    println!("{checks} checks beside 300 transfers");
    assert!(checks > 0);
    let transfers = shop.check().transfers;
    assert_eq!((transfers.cash_received, transfers.on_their_way.len()), (300, 0));
}
