//! People, drawer, reports, closings, training, copies and the clock: what each does, what each
//! refuses, and that all of it is there again after the process has died.

use crate::support::store::{MORNING_NS, Store};
use crate::support::{card, cash, line, sold};
use pos_kernel_core::journal::{
    ApprovalGiven, CashCounted, CashMoved, CashMovement, Circle, Fact, OperatorSignedOff,
    PeriodClosed, PeriodKind, ReceiptReprinted, Report, SaleBegun, SaleCompleted, SaleVoided,
    ShiftClosed, ShiftOpened, Takings, TenderKind, TenderSum, TrainingSet, XReported, ZReported,
    body_of,
};
use pos_kernel_core::money::Currency;
use pos_kernel_core::sale::Reason;
use pos_kernel_core::terminal::{Answer, Attendance, Counted, Durability, Recorded};
use pos_kernel_core::till::{Check, Till};
use pos_kernel_core::{Code, Error, Terminal};

fn eur() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn sell(terminal: &Terminal, price: &str, paid: i64) -> u64 {
    let lines = [line("A", "1", price)];
    let answer = terminal.sell(&sold(None, &lines, &[cash(paid)]), None).unwrap();
    terminal.settle(answer).unwrap().number
}

fn refused<T: std::fmt::Debug>(result: Result<Answer<T>, Error>) -> Code {
    result.unwrap_err().code()
}

/// The process dies; another one finds the same till, and the journal is sound.
fn die(store: &Store, terminal: Terminal) -> Terminal {
    let before = terminal.till().unwrap();
    terminal.wait_durable(terminal.status().unwrap().position.sequence).unwrap();
    drop(terminal);
    let terminal = store.open();
    let after = terminal.till().unwrap();
    assert_eq!(after.people, before.people);
    assert_eq!(after.drawer, before.drawer);
    assert_eq!(after.periods, before.periods);
    assert_eq!(after.tally, before.tally);
    assert_eq!(after.copies, before.copies);
    assert_eq!((after.totals, after.taxes), (before.totals, before.taxes));
    assert_eq!(after.next_training, before.next_training);
    store.assert_sound();
    terminal
}

#[test]
fn facts_name_the_operator_who_is_signed_on() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    assert_eq!(refused(terminal.sign_on("", None)), Code::BadText);
    assert_eq!(refused(terminal.sign_off("ann", None)), Code::NotSignedOn);
    terminal.sign_on("ann", Some("on")).unwrap();
    assert!(terminal.sign_on("ann", Some("on")).unwrap().replayed);
    assert_eq!(refused(terminal.sign_on("bob", None)), Code::SignedOn);
    assert_eq!(refused(terminal.sign_off("bob", None)), Code::NotSignedOn);
    let terminal = die(&store, terminal);
    assert_eq!(terminal.operator().unwrap().as_deref(), Some("ann"));
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.add_line(1, &line("A", "1", "100"), None).unwrap();
    terminal.void_line(1, 1, "wrong", None).unwrap();
    terminal.void_sale(1, "left", None).unwrap();
    sell(&terminal, "100", 100);
    assert_eq!(terminal.receipt(1).unwrap().operator.as_deref(), Some("ann"));
    terminal.sign_off("ann", None).unwrap();
    sell(&terminal, "100", 100);
    let terminal = die(&store, terminal);
    assert_eq!(terminal.receipt(2).unwrap().operator, None);
    let facts = store.facts();
    let named: Vec<_> = facts.iter().filter_map(|r| r.fact.operator()).collect();
    let ann = Some("ann");
    assert_eq!(named, [ann, ann, ann, ann, ann, None, None]);
}

#[test]
fn an_approval_allows_one_thing_once() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.add_line(1, &line("A", "1", "100"), None).unwrap();
    terminal.add_line(1, &line("B", "1", "100"), None).unwrap();
    let under = |approval| Reason { text: "wrong", approval: Some(approval) };
    assert_eq!(refused(terminal.void_line(1, 1, under(1), None)), Code::NotFound);
    let given = terminal.approve("boss", "void line 1", Some("a")).unwrap();
    assert_eq!(given.value.approval, 1);
    assert!(terminal.approve("boss", "void line 1", Some("a")).unwrap().replayed);
    let terminal = die(&store, terminal);
    // A call that is refused for another reason does not use it up.
    assert_eq!(refused(terminal.void_line(1, 9, under(1), None)), Code::NotFound);
    terminal.void_line(1, 1, under(1), Some("v")).unwrap();
    assert!(terminal.void_line(1, 1, under(1), Some("v")).unwrap().replayed);
    assert_eq!(refused(terminal.void_line(1, 2, under(1), None)), Code::ApprovalUsed);
    let terminal = die(&store, terminal);
    assert_eq!(refused(terminal.void_line(1, 2, under(1), None)), Code::ApprovalUsed);
    // Only the newest sixteen are remembered.
    for number in 2..=18 {
        assert_eq!(terminal.approve("boss", "a void", None).unwrap().value.approval, number);
    }
    assert_eq!(refused(terminal.void_line(1, 2, under(2), None)), Code::ApprovalUsed);
    let terminal = die(&store, terminal);
    terminal.void_line(1, 2, under(3), None).unwrap();
    assert_eq!(terminal.till().unwrap().people.approvals.len(), 15);
}

#[test]
fn the_drawer_is_float_and_cash_less_change_and_what_was_paid() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    assert_eq!(refused(terminal.paid_in("EUR", 100, "coins", None)), Code::ShiftClosed);
    assert_eq!(refused(terminal.close_shift(None)), Code::ShiftClosed);
    assert_eq!(refused(terminal.cash_count("EUR", 100, None)), Code::ShiftClosed);
    assert_eq!(refused(terminal.open_shift(&[(eur(), -1)], None)), Code::BadAmount);
    let twice = [(eur(), 1), (eur(), 2)];
    assert_eq!(refused(terminal.open_shift(&twice, None)), Code::BadCurrency);
    terminal.sign_on("ann", None).unwrap();
    let float = [(usd(), 500), (eur(), 10_000)];
    assert_eq!(terminal.open_shift(&float, Some("s")).unwrap().value.shift, 1);
    assert!(terminal.open_shift(&float, Some("s")).unwrap().replayed);
    assert_eq!(refused(terminal.open_shift(&[], None)), Code::ShiftOpen);
    sell(&terminal, "750", 1000);
    let mixed = [line("B", "1", "900")];
    let answer = terminal.sell(&sold(None, &mixed, &[card(500, false), cash(500)]), None).unwrap();
    terminal.settle(answer).unwrap();
    let back = [line("A", "-1", "200")];
    terminal.sell(&sold(None, &back, &[cash(-200)]), None).unwrap();
    terminal.paid_in("EUR", 300, "coins", None).unwrap();
    terminal.paid_out("EUR", 50, "window cleaner", Some("p")).unwrap();
    assert!(terminal.paid_out("EUR", 50, "window cleaner", Some("p")).unwrap().replayed);
    assert_eq!(refused(terminal.paid_out("EUR", 0, "x", None)), Code::BadAmount);
    assert_eq!(refused(terminal.paid_out("EUR", -5, "x", None)), Code::BadAmount);
    assert_eq!(refused(terminal.paid_out("USD", 501, "x", None)), Code::BadAmount);
    assert_eq!(refused(terminal.paid_in("EUR", 1, "", None)), Code::BadText);
    assert_eq!(refused(terminal.paid_in("EUR", i64::MAX, "x", None)), Code::Overflow);
    terminal.no_sale("change for a note", None).unwrap();
    let terminal = die(&store, terminal);
    // 10000 + 750 + 400 - 200 + 300 - 50.
    let expected = 11_200;
    // An open sale that holds cash would be counted or not, so nothing is counted.
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.add_line(4, &line("A", "1", "100"), None).unwrap();
    terminal.tender(4, &cash(50), None).unwrap();
    let error = terminal.cash_count("EUR", 1, None).unwrap_err();
    assert_eq!(error.code(), Code::OpenSales);
    assert_eq!(error.facts()["sales"], serde_json::json!([4]));
    assert_eq!(refused(terminal.close_shift(None)), Code::OpenSales);
    terminal.void_with_cash(4, "left", None).unwrap();
    assert_eq!(refused(terminal.cash_count("EUR", -1, None)), Code::BadAmount);
    let count = |counted| terminal.cash_count("EUR", counted, None).unwrap().value;
    let short = Counted { expected, counted: 11_190, over_short: -10 };
    assert_eq!(count(11_190), short);
    // What was found once is not found again.
    assert_eq!(count(11_190).over_short, 0);
    assert_eq!(count(11_195), Counted { expected: 11_190, counted: 11_195, over_short: 5 });
    let terminal = die(&store, terminal);
    let closed = terminal.close_shift(None).unwrap().value;
    assert_eq!((closed.number, closed.owner.as_deref()), (1, Some("ann")));
    let [euro, dollar] = &closed.drawer[..] else { panic!("{closed:?}") };
    assert_eq!((euro.float, euro.sales, euro.paid_in, euro.paid_out), (10_000, 950, 300, 50));
    assert_eq!((euro.over_short, euro.expected), (-5, 11_195));
    assert_eq!((dollar.float, dollar.expected), (500, 500));
    let terminal = die(&store, terminal);
    assert_eq!(terminal.open_shift(&[], None).unwrap().value.shift, 2);
    assert_eq!(terminal.shift().unwrap().unwrap().cash.len(), 0, "a drawer begins with its float");
}

fn takings(report: &Report) -> &Takings {
    assert_eq!(report.takings.len(), 1, "{report:?}");
    &report.takings[0]
}

fn sum(kind: TenderKind, count: u64, amount: i64) -> TenderSum {
    TenderSum { kind, count, amount }
}

#[test]
fn a_z_report_is_numbered_and_begins_the_sums_again() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    terminal.open_shift(&[(eur(), 1000)], None).unwrap();
    sell(&terminal, "700", 1000);
    sell(&terminal, "300", 300);
    let back = [line("A", "-1", "150")];
    terminal.sell(&sold(None, &back, &[card(-150, false)]), None).unwrap();
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.void_sale(4, "left", None).unwrap();
    terminal.paid_out("EUR", 200, "milk", None).unwrap();
    terminal.no_sale("change", None).unwrap();
    terminal.reprint(Circle::Sale, 1, None, None).unwrap();
    // An X report changes nothing but the journal.
    let till = terminal.till().unwrap();
    let x = terminal.x_report(Some("x")).unwrap().value;
    let after = terminal.till().unwrap();
    assert_eq!((till.periods, till.tally, till.totals), (after.periods, after.tally, after.totals));
    assert!(terminal.x_report(Some("x")).unwrap().replayed);
    let report = &x.report;
    assert_eq!((x.number, report.first_receipt, report.last_receipt), (1, 1, 3));
    assert_eq!((report.no_sales, report.reprints), (1, 1));
    let turnover = &report.turnover[0].period;
    assert_eq!((turnover.sales, turnover.returns), (1000, 150));
    assert_eq!((turnover.receipts, turnover.voids), (3, 1));
    let taken = takings(report);
    let tenders = [sum(TenderKind::Cash, 2, 1300), sum(TenderKind::Card, 1, -150)];
    assert_eq!(taken.tenders, tenders);
    assert_eq!((taken.change, taken.paid_out, taken.paid_out_count), (300, 200, 1));
    // A Z report waits until nothing is open, and says what is.
    terminal.begin("S", "EUR", None, None).unwrap();
    let error = terminal.z_report(None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["sales"]), (Code::OpenSales, &serde_json::json!([5])));
    terminal.void_sale(5, "left", None).unwrap();
    let segment = terminal.status().unwrap().position.segment;
    let z = terminal.settle(terminal.z_report(Some("z")).unwrap()).unwrap();
    assert_eq!(z.number, 1);
    assert_eq!(z.report.turnover[0].period.voids, 2);
    assert_eq!(z.report.takings, x.report.takings);
    assert_eq!(terminal.status().unwrap().position.segment, segment + 1, "it seals a segment");
    assert!(terminal.z_report(Some("z")).unwrap().replayed);
    let terminal = die(&store, terminal);
    // An empty day has a report, too.
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    assert_eq!((z.number, z.report.first_receipt, z.report.last_receipt), (2, 4, 3));
    assert!(z.report.takings.is_empty());
    assert_eq!(z.report.turnover[0].period.sales, 0);
    assert_eq!(z.report.turnover[0].total.sales, 1000);
    sell(&terminal, "5", 5);
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    assert_eq!((z.report.first_receipt, z.report.last_receipt), (4, 4));
    let terminal = die(&store, terminal);
    all_z_add_up(&store, &terminal);
}

/// I10: the Z reports of a journal, and the closings of each kind, add up to the perpetual totals at
/// the last of them.
fn all_z_add_up(store: &Store, terminal: &Terminal) {
    let (mut sales, mut receipts, mut number) = (0, 0, 0);
    for recorded in store.facts() {
        if let Fact::ZReported(z) = recorded.fact {
            number += 1;
            assert_eq!(z.number, number);
            assert_eq!(z.report.first_receipt, receipts + 1);
            for row in &z.report.turnover {
                sales += row.period.sales;
                receipts += row.period.receipts;
                assert_eq!((row.total.sales, row.total.receipts), (sales, receipts));
            }
            assert_eq!(z.report.last_receipt, receipts);
        }
    }
    assert_eq!(terminal.till().unwrap().periods.z().next, number + 1);
}

#[test]
fn a_report_over_old_receipts_reads_their_tenders_back() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    sell(&terminal, "700", 1000);
    sell(&terminal, "300", 300);
    terminal.open_shift(&[], None).unwrap();
    sell(&terminal, "50", 50);
    let terminal = die(&store, terminal);
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    assert_eq!(takings(&z.report).tenders, [sum(TenderKind::Cash, 3, 1350)]);
    assert_eq!(z.report.brought[0].tenders, [sum(TenderKind::Cash, 2, 1300)]);
    assert_eq!(takings(&z.report).change, 300);
    let terminal = die(&store, terminal);
    sell(&terminal, "50", 50);
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    assert!(z.report.brought.is_empty());
    assert_eq!(takings(&z.report).tenders, [sum(TenderKind::Cash, 1, 50)]);
}

#[test]
fn longer_periods_close_what_was_closed_below_them() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let close = |kind| terminal.period_close(kind, None);
    for kind in [PeriodKind::Day, PeriodKind::Month, PeriodKind::Year] {
        assert_eq!(refused(close(kind)), Code::NothingToClose);
    }
    // The clock may say anything.
    for day in 1..=4 {
        for _ in 0..2 {
            sell(&terminal, "100", 100);
            terminal.z_report(None).unwrap();
            store.clock.set_wall(MORNING_NS - day * 40 * 86_400_000_000_000);
        }
        // A sale behind the last Z report belongs to the next day.
        sell(&terminal, "7", 7);
        let closed = close(PeriodKind::Day).unwrap().value;
        let first = u64::try_from(day).unwrap() * 2 - 1;
        assert_eq!((closed.number, closed.first, closed.last), (first / 2 + 1, first, first + 1));
        let sales = closed.turnover[0].period.sales;
        assert_eq!(sales, if day == 1 { 200 } else { 207 });
        assert_eq!(refused(close(PeriodKind::Day)), Code::NothingToClose);
        if day % 2 == 0 {
            let month = close(PeriodKind::Month).unwrap().value;
            let number = u64::try_from(day / 2).unwrap();
            assert_eq!(
                (month.number, month.first, month.last),
                (number, number * 2 - 1, number * 2)
            );
        }
    }
    let terminal = die(&store, terminal);
    let year = terminal.period_close(PeriodKind::Year, Some("y")).unwrap().value;
    assert_eq!((year.number, year.first, year.last), (1, 1, 2));
    assert_eq!(year.turnover[0].period, year.turnover[0].total);
    assert_eq!(year.turnover[0].total.sales, 821);
    let terminal = die(&store, terminal);
    assert!(terminal.period_close(PeriodKind::Year, Some("y")).unwrap().replayed);
    all_z_add_up(&store, &terminal);
}

#[test]
fn training_has_its_own_receipts_and_moves_no_counter() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    terminal.open_shift(&[(eur(), 100)], None).unwrap();
    assert_eq!(sell(&terminal, "700", 700), 1);
    let before = terminal.till().unwrap();
    assert_eq!(refused(terminal.set_training(false, None, None)), Code::BadArgument);
    terminal.set_training(true, None, Some("t")).unwrap();
    assert!(terminal.set_training(true, None, Some("t")).unwrap().replayed);
    let terminal = die(&store, terminal);
    assert!(terminal.is_training().unwrap());
    assert_eq!(sell(&terminal, "900", 1000), 1, "its numbers are of another circle");
    terminal.begin("S", "USD", None, None).unwrap();
    terminal.add_line(3, &line("A", "1", "100"), None).unwrap();
    let terminal = die(&store, terminal);
    terminal.tender(3, &card(100, false), None).unwrap();
    let receipt = terminal.settle(terminal.complete(3, None).unwrap()).unwrap();
    assert_eq!((receipt.number, receipt.circle), (2, Circle::Training));
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.void_sale(4, "enough", None).unwrap();
    for (name, found) in [
        ("paid out", refused(terminal.paid_out("EUR", 1, "x", None))),
        ("no sale", refused(terminal.no_sale("x", None))),
        ("count", refused(terminal.cash_count("EUR", 1, None))),
        ("close", refused(terminal.close_shift(None))),
    ] {
        assert_eq!(found, Code::Training, "{name}");
    }
    let copy = terminal.reprint(Circle::Training, 1, None, None).unwrap().value;
    assert_eq!((copy.copy, copy.receipt.gross), (1, 900));
    let terminal = die(&store, terminal);
    let after = terminal.till().unwrap();
    assert_eq!((after.totals, after.taxes), (before.totals, before.taxes));
    assert_eq!((after.next_receipt, after.drawer), (before.next_receipt, before.drawer));
    terminal.set_training(false, None, None).unwrap();
    assert_eq!(sell(&terminal, "1", 1), 2);
    assert_eq!(terminal.receipt(1).unwrap().gross, 700);
    assert_eq!(terminal.receipt_in(Circle::Training, 1).unwrap().gross, 900);
    assert_eq!(terminal.receipt_in(Circle::Training, 3).unwrap_err().code(), Code::NotFound);
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    assert_eq!((z.report.training_receipts, z.report.turnover[0].period.sales), (2, 701));
    let terminal = die(&store, terminal);
    assert_eq!(terminal.receipt_in(Circle::Training, 2).unwrap().sale, 3);
    let mut numbers = Vec::new();
    terminal.history().each_receipt(|receipt| numbers.push(receipt.number)).unwrap();
    assert_eq!(numbers, [1, 2], "training is told apart");
    assert_eq!(store.verify().receipts, 2);
}

#[test]
fn copies_are_counted_also_when_the_window_has_forgotten_them() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    for _ in 0..70 {
        sell(&terminal, "1", 1);
    }
    let copy = |terminal: &Terminal, number| {
        terminal.reprint(Circle::Sale, number, None, None).unwrap().value.copy
    };
    assert_eq!(refused(terminal.reprint(Circle::Sale, 71, None, None)), Code::NotFound);
    assert_eq!((copy(&terminal, 1), copy(&terminal, 1), copy(&terminal, 2)), (1, 2, 1));
    let keyed = terminal.reprint(Circle::Sale, 3, None, Some("c")).unwrap();
    let again = terminal.reprint(Circle::Sale, 3, None, Some("c")).unwrap();
    assert!(again.replayed);
    assert_eq!((again.value.copy, &again.value.receipt), (1, &keyed.value.receipt));
    let terminal = die(&store, terminal);
    for number in 4..=70 {
        assert_eq!(copy(&terminal, number), 1);
    }
    let terminal = die(&store, terminal);
    assert!(terminal.till().unwrap().copies.forgotten > 0);
    assert_eq!((copy(&terminal, 1), copy(&terminal, 2), copy(&terminal, 70)), (3, 2, 2));
    // A receipt younger than what was forgotten has no copy that is not remembered.
    let newest = sell(&terminal, "1", 1);
    assert_eq!(copy(&terminal, newest), 1);
    let terminal = die(&store, terminal);
    assert_eq!(copy(&terminal, 1), 4);
}

#[test]
fn a_step_of_the_wall_clock_is_told_before_the_next_fact() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let second = 1_000_000_000;
    sell(&terminal, "1", 1);
    store.clock.set_wall(MORNING_NS + second);
    sell(&terminal, "1", 1);
    store.clock.set_wall(MORNING_NS + 3600 * second);
    // A refused call tells nothing.
    assert_eq!(terminal.begin("", "EUR", None, None).unwrap_err().code(), Code::BadText);
    let nothing = terminal.sell(&sold(None, &[], &[]), None).unwrap_err();
    assert_eq!(nothing.code(), Code::EmptySale);
    sell(&terminal, "1", 1);
    store.clock.set_wall(MORNING_NS);
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.close().unwrap();
    drop(terminal);
    // Behind its own journal after a restart; told before the first fact of the new owner.
    store.clock.set_wall(MORNING_NS - 60 * second);
    let terminal = store.open();
    terminal.void_sale(4, "left", None).unwrap();
    terminal.close().unwrap();
    store.assert_sound();
    let facts = store.facts();
    let steps = facts.windows(2).filter_map(|pair| match &pair[0].fact {
        Fact::ClockStepped(step) => {
            let seconds = (step.to - step.from + second / 2).div_euclid(second);
            Some((seconds, pair[1].fact.kind().name()))
        }
        _ => None,
    });
    let steps: Vec<_> = steps.collect();
    assert_eq!(
        steps,
        [(3599, "SaleBegun"), (-3600, "SaleBegun"), (-60, "SaleVoided")],
        "forward, backward, and behind after a restart"
    );
    let sequences: Vec<u64> = facts.iter().map(|recorded| recorded.sequence).collect();
    assert!(sequences.is_sorted(), "the order is by sequence");
}

#[test]
fn a_terminal_can_ask_for_an_operator_and_a_shift() {
    let store = Store::new(Durability::Record);
    let attendance = Attendance { operator: true, shift: true };
    let terminal =
        Terminal::open(&pos_kernel_core::OpenOptions { attendance, ..store.options() }).unwrap();
    let begin = || terminal.begin("S", "EUR", None, None);
    assert_eq!(refused(begin()), Code::NotSignedOn);
    assert_eq!(refused(terminal.z_report(None)), Code::NotSignedOn);
    assert_eq!(refused(terminal.open_shift(&[], None)), Code::NotSignedOn);
    terminal.sign_on("ann", None).unwrap();
    assert_eq!(refused(begin()), Code::ShiftClosed);
    let lines = [line("A", "1", "1")];
    let sell = || terminal.sell(&sold(None, &lines, &[cash(1)]), None);
    assert_eq!(refused(sell()), Code::ShiftClosed);
    terminal.open_shift(&[], None).unwrap();
    begin().unwrap();
    sell().unwrap();
    // What was begun can be finished when the operator has gone.
    terminal.sign_off("ann", None).unwrap();
    assert_eq!(refused(sell()), Code::NotSignedOn);
    terminal.void_sale(1, "left", None).unwrap();
    let moved = store.facts();
    assert!(!moved.iter().any(|r| matches!(&r.fact, Fact::CashMoved(fact)
        if fact.kind == CashMovement::NoSale)));
}

#[test]
fn segments_carry_the_state_of_a_busy_till() {
    let store = Store::new(Durability::Record);
    let mut terminal = store.open();
    terminal.sign_on("ann", None).unwrap();
    terminal.open_shift(&[(eur(), 100), (usd(), 3)], None).unwrap();
    let long = "w".repeat(128);
    let text = "x".repeat(250);
    let wide = pos_kernel_core::sale::LineInput { text: Some(&text), ..line("A", "1", "10") };
    for round in 0..60_u64 {
        terminal.approve("boss", &long, None).unwrap();
        let lines = [wide; 12];
        terminal.sell(&sold(None, &lines, &[cash(200)]), Some(&format!("k{round}"))).unwrap();
        terminal.paid_out("EUR", 1, "milk", None).unwrap();
        terminal.reprint(Circle::Sale, round + 1, None, None).unwrap();
        terminal.cash_count("USD", i64::try_from(round).unwrap(), None).unwrap();
        if round % 20 == 19 {
            terminal.z_report(None).unwrap();
            terminal.period_close(PeriodKind::Day, None).unwrap();
            terminal = die(&store, terminal);
        }
    }
    assert!(terminal.status().unwrap().position.segment > 5);
    all_z_add_up(&store, &terminal);
}

/// A fact as somebody might have written it who wanted the books to say something else.
fn forged(fact: &Fact) -> Vec<Fact> {
    let mut forged = Vec::new();
    let mut push = |fact: Fact| forged.push(fact);
    match fact.clone() {
        Fact::OperatorSignedOff(fact) => {
            push(Fact::from(OperatorSignedOff { operator: "eve".to_owned(), ..fact }));
        }
        Fact::ApprovalGiven(fact) => {
            push(Fact::from(ApprovalGiven { number: fact.number + 1, ..fact.clone() }));
            push(Fact::from(ApprovalGiven { operator: None, ..fact }));
        }
        Fact::ShiftOpened(fact) => {
            push(Fact::from(ShiftOpened { number: fact.number + 1, ..fact.clone() }));
            push(Fact::from(ShiftOpened { operator: Some("eve".to_owned()), ..fact }));
        }
        Fact::ShiftClosed(fact) => {
            let mut drawer = fact.drawer.clone();
            drawer[0].expected -= 1;
            push(Fact::from(ShiftClosed { drawer, ..fact.clone() }));
            push(Fact::from(ShiftClosed { owner: None, ..fact }));
        }
        Fact::CashMoved(fact) => {
            push(Fact::from(CashMoved { shift: Some(9), ..fact.clone() }));
            push(Fact::from(CashMoved { amount: Some(-1), ..fact.clone() }));
            push(Fact::from(CashMoved { approval: Some(99), ..fact }));
        }
        Fact::CashCounted(fact) => {
            push(Fact::from(CashCounted { expected: fact.expected + 1, ..fact.clone() }));
            push(Fact::from(CashCounted { over_short: 0, counted: fact.counted + 1, ..fact }));
        }
        Fact::TrainingSet(fact) => push(Fact::from(TrainingSet { on: !fact.on, ..fact })),
        Fact::ReceiptReprinted(fact) => {
            push(Fact::from(ReceiptReprinted { copy: fact.copy + 1, ..fact.clone() }));
            push(Fact::from(ReceiptReprinted { receipt: 999, ..fact.clone() }));
            push(Fact::from(ReceiptReprinted { completion: u64::MAX, ..fact }));
        }
        Fact::XReported(fact) => {
            push(Fact::from(XReported { number: fact.number + 1, ..fact }));
        }
        Fact::ZReported(fact) => {
            push(Fact::from(ZReported { number: fact.number + 1, ..fact.clone() }));
            let mut change = |alter: fn(&mut Report)| {
                let mut report = fact.report.clone();
                alter(&mut report);
                push(Fact::from(ZReported { report, ..fact.clone() }));
            };
            change(|report| report.last_receipt -= 1);
            change(|report| report.first_receipt += 1);
            change(|report| report.no_sales += 1);
            change(|report| report.reprints += 1);
            change(|report| report.training_receipts += 1);
            change(|report| report.turnover[0].period.sales -= 1);
            change(|report| report.turnover[0].total.sales -= 1);
            change(|report| report.turnover[0].period.voids += 1);
            change(|report| report.takings[0].tenders[0].amount -= 1);
            change(|report| report.takings[0].change += 1);
            change(|report| report.takings[0].paid_out -= 1);
            change(|report| report.takings[0].over_short = 0);
            change(|report| report.brought = report.takings.clone());
        }
        Fact::PeriodClosed(fact) => {
            push(Fact::from(PeriodClosed { number: fact.number + 1, ..fact.clone() }));
            push(Fact::from(PeriodClosed { last: fact.last + 1, ..fact.clone() }));
            let mut turnover = fact.turnover.clone();
            turnover[0].period.returns += 1;
            push(Fact::from(PeriodClosed { turnover, ..fact.clone() }));
            push(Fact::from(PeriodClosed { kind: PeriodKind::Year, ..fact }));
        }
        Fact::SaleCompleted(fact) => {
            let other = if fact.circle.is_none() { Some(Circle::Training) } else { None };
            push(Fact::from(SaleCompleted { circle: other, ..fact.clone() }));
            push(Fact::from(SaleCompleted { operator: Some("eve".to_owned()), ..fact.clone() }));
            push(Fact::from(SaleCompleted { total_sales: fact.total_sales + 1, ..fact }));
        }
        Fact::SaleBegun(fact) => {
            let training = if fact.training.is_none() { Some(true) } else { None };
            push(Fact::from(SaleBegun { training, ..fact }));
        }
        Fact::SaleVoided(fact) => {
            push(Fact::from(SaleVoided { approval: Some(99), ..fact.clone() }));
            push(Fact::from(SaleVoided { total_voids: fact.total_voids + 1, ..fact }));
        }
        _ => {}
    }
    forged
}

#[test]
fn books_that_say_something_else_contradict_the_journal() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    terminal.sign_on("ann", None).unwrap();
    terminal.open_shift(&[(eur(), 1000)], None).unwrap();
    sell(&terminal, "700", 1000);
    terminal.approve("boss", "milk", None).unwrap();
    let milk = Reason { text: "milk", approval: Some(1) };
    terminal.paid_out("EUR", 50, milk, None).unwrap();
    terminal.no_sale("change", None).unwrap();
    terminal.cash_count("EUR", 1640, None).unwrap();
    terminal.reprint(Circle::Sale, 1, None, None).unwrap();
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.void_sale(2, "left", None).unwrap();
    terminal.set_training(true, None, None).unwrap();
    sell(&terminal, "5", 5);
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.void_sale(4, "enough", None).unwrap();
    terminal.set_training(false, None, None).unwrap();
    terminal.close_shift(None).unwrap();
    terminal.x_report(None).unwrap();
    terminal.z_report(None).unwrap();
    terminal.period_close(PeriodKind::Day, None).unwrap();
    terminal.period_close(PeriodKind::Month, None).unwrap();
    terminal.sign_off("ann", None).unwrap();
    terminal.close().unwrap();
    store.assert_sound();
    let mut till = Till::new(terminal.keys_max());
    let mut contradictions = 0;
    for Recorded { fact, sequence, at_ns, .. } in store.facts() {
        for wrong in forged(&fact) {
            let outcome =
                till.clone().apply(&wrong, &body_of(&wrong), sequence, at_ns, Check::Replay);
            assert!(outcome.is_err(), "{wrong:?} was believed");
            contradictions += 1;
        }
        till.apply(&fact, &body_of(&fact), sequence, at_ns, Check::Replay).unwrap();
    }
    // A fact once more is a contradiction as well: an approval is used up, a number is given.
    let Some(paid) = store.facts().into_iter().find(|r| r.fact.approval().is_some()) else {
        panic!("an approval was used");
    };
    assert!(till.apply(&paid.fact, &[], 999, 0, Check::Replay).is_err());
    assert!(contradictions > 50, "{contradictions} forgeries");
}
