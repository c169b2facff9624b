//! One scripted day, and a power cut or the death of the process at every call that changes the
//! disk. After each the till is opened again, the last calls are made once more with their keys, and
//! nothing may be lost or doubled.

use crate::book::{Book, Call, CallLine, CallTender, Reply};
use crate::model::{make, slip_of};
use crate::support::long;
use crate::support::store::Store;
use crate::till_book::TillCall;
use pos_kernel_core::terminal::Durability;
use pos_kernel_wal::sim::{Random, SimStorage};
use std::sync::{Arc, Mutex};

#[derive(Debug)]
enum Step {
    Call(Call),
    /// Close and open again.
    Close,
    /// The process dies and the terminal is opened again.
    Die,
}

fn line(sku: &str, quantity: &'static str, price: &'static str, text_bytes: usize) -> CallLine {
    let text = (text_bytes > 0).then(|| "x".repeat(text_bytes));
    CallLine { sku: sku.to_owned(), text, quantity, price }
}

fn tender(card: bool, amount: i64, pending: bool) -> CallTender {
    CallTender { card, amount, pending }
}

/// What people and drawer do at the end of a round.
fn till(round: u64) -> Vec<TillCall> {
    let reason = || "milk".to_owned();
    let pay = |approval| {
        let (out, currency, amount) = (true, "EUR", 100);
        TillCall::Pay { out, currency, amount, reason: reason(), approval }
    };
    match round {
        0 => vec![
            TillCall::SignOn { operator: "ann".to_owned() },
            TillCall::OpenShift { float: vec![("EUR", 10_000), ("JPY", 5)] },
            TillCall::Approve { approver: "boss".to_owned(), what: reason() },
        ],
        1 => vec![
            pay(Some(1)),
            TillCall::Reprint { training: false, receipt: 2 },
            TillCall::Count { currency: "EUR", counted: 9_950 },
            TillCall::Z,
            TillCall::Close { kind: 1 },
        ],
        2 => vec![TillCall::Training { on: true, approval: None }, TillCall::X],
        3 => vec![
            TillCall::Training { on: false, approval: None },
            TillCall::NoSale { reason: reason() },
            TillCall::Reprint { training: true, receipt: 1 },
            TillCall::Reprint { training: false, receipt: 2 },
            pay(None),
        ],
        4 => vec![TillCall::CloseShift, TillCall::SignOff { operator: "ann".to_owned() }],
        _ => vec![TillCall::Z, TillCall::Close { kind: 1 }, TillCall::Close { kind: 2 }],
    }
}

/// A day of sales over several segments.
fn script() -> Vec<Step> {
    let mut steps = Vec::new();
    let mut begun = 0;
    for round in 0..6_u64 {
        let mut call = |call: Call| steps.push(Step::Call(call));
        let begin = |currency: &str| Call::Begin {
            store: "STORE_001".to_owned(),
            currency: currency.to_owned(),
            reference: Some(format!("R{round}")),
        };
        let why = |reason: &str| reason.to_owned();
        // Two sales by calls, their steps between each other's.
        let (a, b) = (begun + 1, begun + 2);
        call(begin("EUR"));
        call(Call::AddLine { sale: a, line: line("A", "2", "199", 0) });
        call(begin("USD"));
        call(Call::AddLine { sale: a, line: line("B", "0.333", "1000", 40) });
        call(Call::AddLine { sale: b, line: line("C", "1", "700", 0) });
        call(Call::VoidLine { sale: a, line: 1, reason: why("scanned twice") });
        let quantity = "3";
        call(Call::SetQuantity { sale: a, line: 2, quantity, reason: why("three") });
        call(Call::Tender { sale: a, tender: tender(true, 1000, true) });
        call(Call::Tender { sale: b, tender: tender(false, 1000, false) });
        call(Call::Confirm { sale: a, tender: 1, auth: Some("AUTH".to_owned()) });
        call(Call::Tender { sale: a, tender: tender(true, 2000, true) });
        call(Call::Decline { sale: a, tender: 2, reason: why("no funds") });
        call(Call::Complete { sale: b });
        call(Call::Tender { sale: a, tender: tender(false, 5000, false) });
        call(Call::Complete { sale: a });
        // A sale that is left, and a refund.
        call(begin("EUR"));
        call(Call::AddLine { sale: begun + 3, line: line("D", "1", "50", 0) });
        call(Call::VoidSale { sale: begun + 3, reason: why("left") });
        call(Call::Sell {
            currency: "EUR".to_owned(),
            reference: None,
            lines: vec![line("A", "-1", "199", 0)],
            tenders: vec![tender(false, -199, false)],
        });
        for _ in 0..7 {
            call(Call::Sell {
                currency: "JPY".to_owned(),
                reference: Some(format!("S{round}")),
                lines: vec![line("E", "1", "100", 250); 9],
                tenders: vec![tender(true, 400, false), tender(false, 600, false)],
            });
        }
        begun += 11;
        till(round).into_iter().for_each(|call| steps.push(Step::Call(Call::Till(call))));
        match round {
            1 => steps.push(Step::Close),
            3 => steps.push(Step::Die),
            _ => {}
        }
    }
    steps.push(Step::Close);
    steps
}

/// The book after each step, and the answers.
struct Plan {
    steps: Vec<Step>,
    /// Facts and book before each step, and at the end.
    pages: Vec<(usize, Book)>,
    replies: Vec<Option<Reply>>,
}

impl Plan {
    fn new() -> Self {
        let steps = script();
        let (mut book, mut facts) = (Book::default(), 0);
        let mut pages = vec![(0, book.clone())];
        let mut replies = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let reply = match step {
                Step::Call(call) => {
                    let (reply, seen) = book.enter(call, Some(&key(index))).unwrap();
                    assert!(!seen);
                    facts += Book::facts(call);
                    Some(reply)
                }
                Step::Close | Step::Die => None,
            };
            replies.push(reply);
            pages.push((facts, book.clone()));
        }
        Self { steps, pages, replies }
    }
}

fn key(index: usize) -> String {
    format!("step-{index}")
}

/// How far the day has come.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// The step under way.
    step: usize,
    durable: usize,
    written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Death {
    Process,
    Power(u64),
}

#[derive(Debug, Default)]
struct Counts {
    calls: u32,
    deaths: u32,
    retried: u32,
    answered_again: u32,
    unacknowledged_lost: u32,
    days_finished: u32,
    torn_marks: u32,
}

/// Judges disks that a death has left.
struct Judge {
    plan: Plan,
    store: Store,
    counts: Counts,
}

impl Judge {
    fn judge(&mut self, progress: Progress, death: Death, disk: &SimStorage) {
        let image = match death {
            Death::Process => disk.kill(),
            Death::Power(seed) => disk.crash(seed),
        };
        let promised = match death {
            Death::Process => progress.durable.max(progress.written),
            Death::Power(_) => progress.durable,
        };
        self.counts.deaths += 1;
        let place = format!("{progress:?} {death:?}");
        self.store.disk = image;
        let terminal = self.store.open();
        let facts = self.store.call_facts().len();
        assert!(facts >= promised, "{place}: {facts} facts, {promised} were promised");
        let page = self.plan.pages.iter().position(|(at, _)| *at == facts);
        let page = page.unwrap_or_else(|| panic!("{place}: {facts} facts end inside a step"));
        assert!(page <= progress.step + 1, "{place}: more is there than was asked for");
        let mut book = self.plan.pages[page].1.clone();
        self.counts.unacknowledged_lost += u32::from(page < progress.step);
        // The host makes its last calls again: what is in is answered, what is not is done.
        let end = if long() { self.plan.steps.len() } else { progress.step + 1 };
        let back = if long() { 24 } else { 3 };
        for index in page.min(progress.step.saturating_sub(back))..end.min(self.plan.steps.len()) {
            let Step::Call(call) = &self.plan.steps[index] else { continue };
            let key = key(index);
            let (reply, seen) = book.enter(call, Some(&key)).unwrap();
            let answer = make(&terminal, call, Some(&key)).unwrap();
            assert_eq!(Some(&reply), self.plan.replies[index].as_ref(), "{place}");
            assert_eq!(answer.value, reply, "{place}: step {index}");
            assert_eq!(answer.replayed, seen, "{place}: step {index}");
            terminal.wait_durable(answer.sequence).unwrap();
            self.counts.retried += u32::from(!seen);
            self.counts.answered_again += u32::from(seen);
        }
        let reached = self.plan.pages[end.min(self.plan.steps.len())].1.receipts.len() as u64;
        assert_eq!(terminal.status().unwrap().next_receipt, reached + 1, "{place}");
        self.counts.days_finished += u32::from(end == self.plan.steps.len());
        drop(terminal);
        self.store.disk = self.store.disk.crash(0);
        let mut slips = Vec::new();
        self.store.history().each_receipt(|receipt| slips.push(slip_of(&receipt))).unwrap();
        assert_eq!(slips, book.receipts, "{place}");
        self.counts.torn_marks += u32::from(self.store.assert_sound_after_a_cut(&place));
    }
}

fn run(durability: Durability) {
    let disk = SimStorage::new(5);
    let judge = Judge {
        plan: Plan::new(),
        store: Store::with_disk(disk.clone()),
        counts: Counts::default(),
    };
    let judge = Arc::new(Mutex::new(judge));
    let progress = Arc::new(Mutex::new(Progress::default()));
    let random = Mutex::new(Random::new(17));
    let mut store = Store::new(durability);
    store.disk = disk.clone();
    store.changed = Some({
        let (judge, progress) = (judge.clone(), progress.clone());
        Arc::new(move || {
            let mut judge = judge.lock().unwrap();
            let mut random = random.lock().unwrap();
            judge.counts.calls += 1;
            let seed = random.next_u64() % 10_000;
            let deaths = [Death::Process, Death::Power(0), Death::Power(1), Death::Power(seed)];
            let progress = *progress.lock().unwrap();
            if long() {
                let more = (0..4).map(|_| Death::Power(random.next_u64() % 10_000));
                for death in deaths.into_iter().chain(more) {
                    judge.judge(progress, death, &disk);
                }
            } else {
                // Each call dies one of these deaths; an uncertain power cut most often.
                let death = deaths[[0, 1, 2, 3, 3, 3][random.below(6)]];
                judge.judge(progress, death, &disk);
            }
        })
    });
    let plan = Plan::new();
    let mut terminal = store.open();
    for (index, step) in plan.steps.iter().enumerate() {
        progress.lock().unwrap().step = index;
        match step {
            Step::Call(call) => {
                let answer = make(&terminal, call, Some(&key(index))).unwrap();
                assert_eq!(Some(&answer.value), plan.replies[index].as_ref());
                let facts = plan.pages[index + 1].0;
                if answer.wait {
                    terminal.wait_durable(answer.sequence).unwrap();
                    progress.lock().unwrap().durable = facts;
                } else {
                    progress.lock().unwrap().written = facts;
                }
            }
            Step::Close => {
                terminal.close().unwrap();
                progress.lock().unwrap().durable = plan.pages[index].0;
                drop(terminal);
                terminal = store.open();
                assert!(terminal.recovery().clean);
            }
            Step::Die => {
                drop(terminal);
                terminal = store.open();
                assert!(!terminal.recovery().clean);
            }
        }
    }
    let segments = terminal.status().unwrap().position.segment;
    assert!(segments >= 3, "{segments} segments");
    terminal.close().unwrap();
    drop(terminal);
    // The hook holds a handle of the judge.
    store.changed = None;
    let counts = &judge.lock().unwrap().counts;
    let sales = plan.pages.last().unwrap().1.receipts.len();
    println!("{durability:?}: sales={sales} segments={segments} lost=0 doubled=0 {counts:?}");
}

#[test]
fn a_day_in_record_mode_survives_death_at_every_call() {
    run(Durability::Record);
}

#[test]
fn a_day_in_sale_mode_survives_death_at_every_call() {
    run(Durability::Sale);
}
