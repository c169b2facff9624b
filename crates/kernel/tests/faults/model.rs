//! Random days on a terminal with a naive book beside it: they must agree after every call, and
//! after every way to end and to come back.

use crate::book::{Book, Call, CallLine, CallTender, Reply, Slip};
use crate::support::store::{MORNING_NS, Store};
use crate::support::{decimal, long};
use crate::till_book::TillCall;
use crate::till_calls::{drawer_of, make_till, till_calls};
use pos_kernel_core::journal::{Circle, TenderKind};
use pos_kernel_core::sale::{LineInput, Receipt, State, TenderInput};
use pos_kernel_core::terminal::{Answer, Durability, Sold};
use pos_kernel_core::{Error, Terminal};
use proptest::prelude::*;
use proptest::sample::select;
use std::cell::RefCell;

/// A call, as it is drawn: numbers of sales, lines and amounts are settled when it is made.
#[derive(Debug, Clone)]
enum Draft {
    Begin {
        store: &'static str,
        currency: &'static str,
        reference: Option<&'static str>,
    },
    AddLine {
        sale: u64,
        line: CallLine,
    },
    SetQuantity {
        sale: u64,
        line: u32,
        quantity: &'static str,
        reason: &'static str,
    },
    VoidLine {
        sale: u64,
        line: u32,
        reason: &'static str,
    },
    Tender {
        sale: u64,
        card: bool,
        share: Share,
        pending: bool,
    },
    Confirm {
        sale: u64,
        tender: u32,
        auth: Option<&'static str>,
    },
    Decline {
        sale: u64,
        tender: u32,
        reason: &'static str,
    },
    VoidTender {
        sale: u64,
        tender: u32,
        reason: &'static str,
    },
    Complete {
        sale: u64,
    },
    VoidSale {
        sale: u64,
        reason: &'static str,
    },
    Sell {
        currency: &'static str,
        lines: Vec<CallLine>,
        share: Share,
        card: bool,
        pending: bool,
    },
    Till(TillCall),
    /// The last call with a key once more, as a host does that has not heard the answer.
    Again,
}

impl Draft {
    /// True for a call on whichever sale is the newest one open.
    fn is_of_newest(&self) -> bool {
        match self {
            Self::Begin { .. } | Self::Sell { .. } | Self::Till(_) | Self::Again => false,
            Self::AddLine { sale, .. }
            | Self::SetQuantity { sale, .. }
            | Self::VoidLine { sale, .. }
            | Self::Tender { sale, .. }
            | Self::Confirm { sale, .. }
            | Self::Decline { sale, .. }
            | Self::VoidTender { sale, .. }
            | Self::Complete { sale }
            | Self::VoidSale { sale, .. } => *sale == 0,
        }
    }
}

/// How much of what is due.
#[derive(Debug, Clone, Copy)]
enum Share {
    All,
    Half,
    More,
    Fixed(i64),
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Close,
    /// The process dies.
    Kill,
    /// The power fails.
    Cut(u64),
}

#[derive(Debug, Clone)]
enum Step {
    /// The answer is waited for, or the host is too slow to.
    Call {
        draft: Draft,
        key: Option<u8>,
        settles: bool,
    },
    CloseSale(u64),
    /// The wall clock is set to so many seconds after the morning.
    SetClock(i64),
    Reopen(Ending),
}

fn texts() -> impl Strategy<Value = &'static str> {
    static LONG: [u8; 257] = [b'x'; 257];
    let long = std::str::from_utf8(&LONG).expect("ASCII");
    prop_oneof![
        40 => select(vec!["A", "Milk 1l", "Кофе", &long[..64]]),
        1 => select(vec!["", "a\u{7}b", &long[..65], long]),
    ]
}

fn lines() -> impl Strategy<Value = CallLine> {
    let quantity = prop_oneof![
        30 => select(vec!["1", "2", "0.250", "-1", "-0.333", "12", "1.5"]),
        1 => select(vec!["0", "0.000", "9007199254740991", "-9007199254740991"]),
    ];
    let price = prop_oneof![
        30 => select(vec!["100", "0", "0.5", "33.333333", "1999", "250"]),
        1 => select(vec!["-1", "9007199254740991", "-0.000001"]),
    ];
    (texts(), prop::option::of(texts()), quantity, price).prop_map(
        |(sku, text, quantity, price)| {
            let (sku, text) = (sku.to_owned(), text.map(str::to_owned));
            CallLine { sku, text, quantity, price }
        },
    )
}

fn shares() -> impl Strategy<Value = Share> {
    prop_oneof![
        6 => Just(Share::All),
        2 => Just(Share::Half),
        2 => Just(Share::More),
        2 => select(vec![0, 1, -1, 10_000, 1 << 53, i64::MIN, i64::MAX]).prop_map(Share::Fixed),
    ]
}

fn drafts() -> impl Strategy<Value = Draft> {
    // The newest sale more often than older ones, finished ones or none.
    let sale = || prop_oneof![20 => Just(0_u64), 3 => 1_u64..9, 1 => 90_u64..92];
    let line = || prop_oneof![9 => 1_u32..4, 1 => select(vec![0, 9, u32::MAX])];
    let currency = || {
        prop_oneof![30 => select(vec!["EUR", "EUR", "USD", "JPY", "KWD"]),
            1 => select(vec!["eur", "XXX", ""])]
    };
    let quantity = select(vec!["1", "3", "-2", "0.125", "0", "9007199254740991"]);
    prop_oneof![
        4 => (texts(), currency(), prop::option::of(texts())).prop_map(
            |(store, currency, reference)| Draft::Begin { store, currency, reference }),
        8 => (sale(), lines()).prop_map(|(sale, line)| Draft::AddLine { sale, line }),
        2 => (sale(), line(), quantity, texts()).prop_map(
            |(sale, line, quantity, reason)| Draft::SetQuantity { sale, line, quantity, reason }),
        2 => (sale(), line(), texts())
            .prop_map(|(sale, line, reason)| Draft::VoidLine { sale, line, reason }),
        6 => (sale(), any::<bool>(), shares(), any::<bool>()).prop_map(
            |(sale, card, share, pending)| Draft::Tender { sale, card, share, pending }),
        2 => (sale(), line(), prop::option::of(texts()))
            .prop_map(|(sale, tender, auth)| Draft::Confirm { sale, tender, auth }),
        1 => (sale(), line(), texts())
            .prop_map(|(sale, tender, reason)| Draft::Decline { sale, tender, reason }),
        1 => (sale(), line(), texts())
            .prop_map(|(sale, tender, reason)| Draft::VoidTender { sale, tender, reason }),
        5 => sale().prop_map(|sale| Draft::Complete { sale }),
        1 => (sale(), texts()).prop_map(|(sale, reason)| Draft::VoidSale { sale, reason }),
        4 => (currency(), prop::collection::vec(lines(), 0..4), shares(), any::<bool>(),
              prop::bool::weighted(0.05)).prop_map(|(currency, lines, share, card, pending)| {
            Draft::Sell { currency, lines, share, card, pending }
        }),
        12 => till_calls(texts).prop_map(Draft::Till),
        2 => Just(Draft::Again),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![20 => Just(None), 10 => (0_u8..28).prop_map(Some), 1 => Just(Some(255))];
    let call = (drafts(), key, prop::bool::weighted(0.7));
    let call = call.prop_map(|(draft, key, settles)| Step::Call { draft, key, settles });
    let ending = prop_oneof![
        1 => Just(Ending::Close),
        1 => Just(Ending::Kill),
        2 => (0_u64..1000).prop_map(Ending::Cut),
    ];
    let step = prop_oneof![
        30 => call,
        1 => (0_u64..7).prop_map(Step::CloseSale),
        1 => (-10_000_i64..10_000).prop_map(Step::SetClock),
        3 => ending.prop_map(Step::Reopen),
    ];
    prop::collection::vec(step, 1..60)
}

/// Calls by what became of them, over all cases.
#[derive(Debug, Default)]
struct Counts {
    days: u32,
    days_with_a_roll: u32,
    accepted: u32,
    of_till: u32,
    z_reports: u32,
    refused: u32,
    answered_again: u32,
    closes: u32,
    kills: u32,
    cuts: u32,
    lost_unacknowledged: u32,
    torn_marks: u32,
}

thread_local! {
    static COUNTS: RefCell<Counts> = RefCell::default();
}

fn count(change: impl FnOnce(&mut Counts)) {
    COUNTS.with_borrow_mut(change);
}

/// The book as it stood after so many facts of sales.
struct Page {
    facts: usize,
    book: Book,
}

struct Shop {
    store: Store,
    terminal: Option<Terminal>,
    book: Book,
    /// One page for each frame; the journal must hold the facts of one of them.
    pages: Vec<Page>,
    /// Facts that were acknowledged as durable, and facts that are with the operating system.
    durable: usize,
    written: usize,
    last_keyed: Option<(Call, String)>,
}

impl Shop {
    fn new(durability: Durability) -> Self {
        let store = Store::new(durability);
        let terminal = Some(store.open());
        let book = Book::default();
        let pages = vec![Page { facts: 0, book: book.clone() }];
        Self { store, terminal, book, pages, durable: 0, written: 0, last_keyed: None }
    }

    fn fill(&mut self, sales: usize) {
        let text = Some("x".repeat(250));
        let line = CallLine { sku: "FILL".to_owned(), text, quantity: "1", price: "100" };
        let call = Call::Sell {
            currency: "EUR".to_owned(),
            reference: None,
            lines: vec![line; 5],
            tenders: vec![CallTender { card: false, amount: 500, pending: false }],
        };
        (0..sales).for_each(|_| self.call(&call, None, true));
    }

    fn terminal(&self) -> &Terminal {
        self.terminal.as_ref().expect("open but for a moment")
    }

    fn facts(&self) -> usize {
        self.pages.last().expect("the empty page stays").facts
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Call { draft, key, settles } => {
                let key = key.map(|key| match key {
                    255 => "\u{1b}".to_owned(),
                    key => format!("key-{key}"),
                });
                let (call, key) = match (draft, &self.last_keyed) {
                    (Draft::Again, Some((call, key))) => (call.clone(), Some(key.clone())),
                    (Draft::Again, None) => return,
                    (draft, _) => (self.settle_draft(draft), key),
                };
                self.call(&call, key.as_deref(), *settles);
                self.last_keyed = key.map(|key| (call, key)).or(self.last_keyed.take());
            }
            Step::CloseSale(sale) => {
                let closed = self.terminal().close_sale(*sale);
                let open = self.book.open.contains_key(sale);
                assert_eq!(closed.is_ok(), !open && (1..=self.book.begun).contains(sale));
            }
            Step::SetClock(seconds) => {
                self.store.clock.set_wall(MORNING_NS + seconds * 1_000_000_000);
            }
            Step::Reopen(ending) => self.reopen(*ending),
        }
        self.compare();
    }

    fn settle_draft(&self, draft: &Draft) -> Call {
        let newest = self.book.open.keys().next_back().copied().unwrap_or(self.book.begun);
        let number = |sale: u64| if sale == 0 { newest } else { sale };
        let part = |due: i128, share: Share| -> i64 {
            let due = i64::try_from(due).expect("in range");
            match share {
                Share::All => due,
                Share::Half => due / 2,
                Share::More => due + due.signum() * 77,
                Share::Fixed(amount) => amount,
            }
        };
        let begin = Draft::Begin { store: "STORE_001", currency: "EUR", reference: None };
        let draft = if self.book.open.is_empty() && draft.is_of_newest() { &begin } else { draft };
        match draft.clone() {
            Draft::Begin { store, currency, reference } => Call::Begin {
                store: store.to_owned(),
                currency: currency.to_owned(),
                reference: reference.map(str::to_owned),
            },
            Draft::AddLine { sale, line } => Call::AddLine { sale: number(sale), line },
            Draft::SetQuantity { sale, line, quantity, reason } => {
                let reason = reason.to_owned();
                Call::SetQuantity { sale: number(sale), line, quantity, reason }
            }
            Draft::VoidLine { sale, line, reason } => {
                Call::VoidLine { sale: number(sale), line, reason: reason.to_owned() }
            }
            Draft::Tender { sale, card, share, pending } => {
                let sale = number(sale);
                let due = self.book.open.get(&sale).map_or(0, |sale| sale.settled().0);
                let tender = CallTender { card, amount: part(due, share), pending };
                Call::Tender { sale, tender }
            }
            Draft::Confirm { sale, tender, auth } => {
                Call::Confirm { sale: number(sale), tender, auth: auth.map(str::to_owned) }
            }
            Draft::Decline { sale, tender, reason } => {
                Call::Decline { sale: number(sale), tender, reason: reason.to_owned() }
            }
            Draft::VoidTender { sale, tender, reason } => {
                Call::VoidTender { sale: number(sale), tender, reason: reason.to_owned() }
            }
            Draft::Complete { sale } => Call::Complete { sale: number(sale) },
            Draft::VoidSale { sale, reason } => {
                Call::VoidSale { sale: number(sale), reason: reason.to_owned() }
            }
            Draft::Sell { currency, lines, share, card, pending } => {
                // What it comes to is asked of a book of its own.
                let mut book = Book::default();
                let begin = Call::Begin {
                    store: "S".to_owned(),
                    currency: "EUR".to_owned(),
                    reference: None,
                };
                book.enter(&begin, None).expect("a plain sale begins");
                for line in &lines {
                    let _ = book.enter(&Call::AddLine { sale: 1, line: line.clone() }, None);
                }
                let due = book.open[&1].gross();
                let tender = CallTender { card, amount: part(due, share), pending };
                let tenders = if due == 0 { Vec::new() } else { vec![tender] };
                Call::Sell { currency: currency.to_owned(), reference: None, lines, tenders }
            }
            // A report waits for the open sales: sometimes the newest is given up for it.
            Draft::Till(TillCall::Z) if !self.book.open.is_empty() && self.book.begun % 2 == 1 => {
                Call::VoidSale { sale: newest, reason: "closing".to_owned() }
            }
            Draft::Till(call) => Call::Till(call),
            Draft::Again => unreachable!("taken from the last call"),
        }
    }

    fn call(&mut self, call: &Call, key: Option<&str>, settles: bool) {
        let till = self.terminal().till().unwrap();
        let sequence = self.terminal().status().unwrap().position.sequence;
        let facts = self.facts();
        let expected = self.book.enter(call, key);
        let found = make(self.terminal(), call, key);
        match (&expected, found) {
            (Ok((reply, seen)), Ok(answer)) => {
                assert_eq!(&answer.value, reply, "{call:?}");
                assert_eq!(answer.replayed, *seen, "{call:?}");
                if *seen {
                    assert_eq!(self.terminal().till().unwrap(), till, "{call:?}");
                    count(|counts| counts.answered_again += 1);
                } else {
                    let facts = facts + Book::facts(call);
                    self.pages.push(Page { facts, book: self.book.clone() });
                    count(|counts| {
                        counts.accepted += 1;
                        counts.of_till += u32::from(matches!(call, Call::Till(_)));
                        counts.z_reports += u32::from(matches!(call, Call::Till(TillCall::Z)));
                    });
                }
                if !answer.wait {
                    self.written = self.facts();
                } else if settles {
                    self.terminal().wait_durable(answer.sequence).unwrap();
                    self.durable = self.facts();
                }
            }
            (Err(code), Err(error)) => {
                assert_eq!(error.code(), *code, "{call:?}: {error}");
                assert_eq!(self.terminal().till().unwrap(), till, "{call:?}");
                let now = self.terminal().status().unwrap().position.sequence;
                assert_eq!(now, sequence, "{call:?}");
                count(|counts| counts.refused += 1);
            }
            (expected, found) => panic!("{call:?}: {found:?} instead of {expected:?}"),
        }
    }

    fn reopen(&mut self, ending: Ending) {
        let terminal = self.terminal.take().expect("open but for a moment");
        let facts_before = self.facts();
        let promised = match ending {
            Ending::Close => {
                terminal.close().unwrap();
                facts_before
            }
            Ending::Kill => {
                self.store.disk = self.store.disk.kill();
                self.durable.max(self.written)
            }
            Ending::Cut(seed) => {
                self.store.disk = self.store.disk.crash(seed);
                self.durable
            }
        };
        drop(terminal);
        let torn_mark = self.store.assert_sound_after_a_cut(&format!("{ending:?}"));
        count(|counts| counts.torn_marks += u32::from(torn_mark));
        let facts = self.store.call_facts().len();
        assert!(facts >= promised, "{facts} facts are there, {promised} were promised: {ending:?}");
        self.pages.retain(|page| page.facts <= facts);
        let page = self.pages.last().expect("the empty page stays");
        assert_eq!(page.facts, facts, "part of a frame is there: {ending:?}");
        self.book = page.book.clone();
        let lost = u32::try_from(facts_before - facts).expect("few");
        count(|counts| {
            counts.lost_unacknowledged += lost;
            match ending {
                Ending::Close => counts.closes += 1,
                Ending::Kill => counts.kills += 1,
                Ending::Cut(_) => counts.cuts += 1,
            }
        });
        (self.durable, self.written) = (facts, facts);
        let terminal = self.store.open();
        assert_eq!(terminal.recovery().clean, matches!(ending, Ending::Close), "{ending:?}");
        assert!(terminal.recovery().sales.iter().eq(self.book.open.keys()));
        let open = terminal.open_sales().unwrap();
        assert!(open.iter().all(|sale| sale.recovered), "they come back with a flag");
        let mut slips = Vec::new();
        terminal.history().each_receipt(|receipt| slips.push(slip_of(&receipt))).unwrap();
        assert_eq!(slips, self.book.receipts, "receipts 1 to n, each as it was acknowledged");
        if let Some(slip) = self.book.receipts.last() {
            assert_eq!(&slip_of(&terminal.receipt(slip.number).unwrap()), slip);
        }
        self.terminal = Some(terminal);
    }

    /// Whatever can be asked gives what the book says.
    fn compare(&self) {
        let (terminal, book) = (self.terminal(), &self.book);
        let status = terminal.status().unwrap();
        assert_eq!(status.next_receipt, book.receipts.len() as u64 + 1);
        assert_eq!(status.open_sales, book.open.len());
        let counters: Vec<_> = terminal
            .counters()
            .unwrap()
            .into_iter()
            .map(|(currency, t)| {
                let amounts = (i128::from(t.sales), i128::from(t.returns));
                (currency.to_string(), amounts, (t.receipts, t.voids))
            })
            .collect();
        let expected: Vec<_> = book
            .totals
            .iter()
            .map(|(currency, t)| (currency.clone(), (t.sales, t.returns), (t.receipts, t.voids)))
            .collect();
        assert_eq!(counters, expected);
        assert_eq!(terminal.operator().unwrap(), book.till.operator);
        assert_eq!(terminal.is_training().unwrap(), book.till.training);
        let shift = terminal.shift().unwrap().map(|shift| drawer_of(&shift.sums()));
        assert_eq!(shift, book.till.shift.clone().map(|shift| shift.into_iter().collect()));
        for (sale, (number, expected)) in terminal.open_sales().unwrap().iter().zip(&book.open) {
            assert_eq!(sale.number, *number);
            let totals = sale.totals();
            assert_eq!(i128::from(totals.gross), expected.gross());
            assert_eq!(i128::from(totals.tendered), expected.taken("confirmed"));
            assert_eq!(i128::from(totals.pending), expected.taken("pending"));
            assert_eq!((totals.due.into(), totals.change.into()), expected.settled());
            let tendering = totals.state == State::Tendering;
            assert_eq!(tendering, expected.is_tendering());
            assert_eq!(sale.lines.len(), expected.lines.len());
            assert_eq!(sale.currency.letters(), expected.currency);
        }
    }
}

fn input(line: &CallLine) -> LineInput<'_> {
    LineInput {
        text: line.text.as_deref(),
        ..LineInput::item(&line.sku, decimal(line.quantity), decimal(line.price))
    }
}

fn tender(tender: &CallTender) -> TenderInput<'static> {
    let CallTender { card, amount, pending } = *tender;
    let kind = if card { TenderKind::Card } else { TenderKind::Cash };
    TenderInput { pending, ..TenderInput::of(kind, amount) }
}

pub(crate) fn slip_of(receipt: &Receipt) -> Slip {
    let lines = receipt.lines.iter();
    let tenders = receipt.tenders.iter();
    Slip {
        number: receipt.number,
        training: receipt.circle == Circle::Training,
        operator: receipt.operator.clone(),
        sale: receipt.sale,
        currency: receipt.currency.to_string(),
        reference: receipt.reference.clone(),
        lines: lines.map(|l| (l.sku.clone(), l.amount.into(), l.voided.is_some())).collect(),
        tenders: tenders.map(|t| (t.amount.into(), t.state.name())).collect(),
        gross: receipt.gross.into(),
        tendered: receipt.tendered.into(),
        change: receipt.change.into(),
        total_sales: receipt.total_sales.into(),
        total_returns: receipt.total_returns.into(),
    }
}

pub(crate) fn with<T>(answer: Answer<T>, reply: impl FnOnce(T) -> Reply) -> Answer<Reply> {
    let Answer { value, sequence, wait, replayed } = answer;
    Answer { value: reply(value), sequence, wait, replayed }
}

/// Makes a call on the terminal.
pub(crate) fn make(
    terminal: &Terminal,
    call: &Call,
    key: Option<&str>,
) -> Result<Answer<Reply>, Error> {
    let on_line = |answer| {
        with(answer, |value: pos_kernel_core::terminal::LineAnswer| Reply::Line {
            line: value.line,
            amount: value.amount.into(),
            gross: value.totals.gross.into(),
        })
    };
    let on_tender = |answer| {
        with(answer, |value: pos_kernel_core::terminal::TenderAnswer| Reply::Tender {
            tender: value.tender,
            state: value.state.name(),
            due: value.due.into(),
            change: value.change.into(),
        })
    };
    let on_receipt = |answer| with(answer, |value: Receipt| Reply::Receipt(slip_of(&value)));
    Ok(match call {
        Call::Begin { store, currency, reference } => {
            let answer = terminal.begin(store, currency, reference.as_deref(), key)?;
            with(answer, |value| Reply::Begun(value.sale))
        }
        Call::AddLine { sale, line } => on_line(terminal.add_line(*sale, &input(line), key)?),
        Call::SetQuantity { sale, line, quantity, reason } => {
            on_line(terminal.set_quantity(*sale, *line, decimal(quantity), reason, key)?)
        }
        Call::VoidLine { sale, line, reason } => {
            on_line(terminal.void_line(*sale, *line, reason, key)?)
        }
        Call::Tender { sale, tender: taken } => {
            on_tender(terminal.tender(*sale, &tender(taken), key)?)
        }
        Call::Confirm { sale, tender, auth } => {
            on_tender(terminal.confirm_tender(*sale, *tender, auth.as_deref(), key)?)
        }
        Call::Decline { sale, tender, reason } => {
            on_tender(terminal.decline_tender(*sale, *tender, reason, key)?)
        }
        Call::VoidTender { sale, tender, reason } => {
            on_tender(terminal.void_tender(*sale, *tender, reason, key)?)
        }
        Call::Complete { sale } => on_receipt(terminal.complete(*sale, key)?),
        Call::VoidSale { sale, reason } => {
            with(terminal.void_sale(*sale, reason, key)?, |value| Reply::Voided(value.sale))
        }
        Call::Sell { currency, reference, lines, tenders } => {
            let lines: Vec<_> = lines.iter().map(input).collect();
            let tenders: Vec<_> = tenders.iter().map(tender).collect();
            let (reference, store) = (reference.as_deref(), "STORE_001");
            let (lines, tenders) = (&lines[..], &tenders[..]);
            let sold = Sold { store, currency, reference, lines, adjustments: &[], tenders };
            on_receipt(terminal.sell(&sold, key)?)
        }
        Call::Till(call) => make_till(terminal, call, key)?,
    })
}

#[test]
fn a_random_day_agrees_with_the_book_whatever_ends_it() {
    let cases = if long() { 20_000 } else { 160 };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    // Sales before the day brings some days to the end of a segment.
    let sales_before = prop_oneof![1 => Just(0), 1 => 24_usize..34];
    let days = (steps(), any::<bool>(), sales_before);
    let outcome = runner.run(&days, |(steps, sale_mode, sales_before)| {
        let mode = if sale_mode { Durability::Sale } else { Durability::Record };
        let mut shop = Shop::new(mode);
        shop.fill(sales_before);
        steps.iter().for_each(|step| shop.step(step));
        shop.reopen(Ending::Close);
        shop.compare();
        let rolled = shop.terminal().status().unwrap().position.segment > 1;
        count(|counts| {
            counts.days += 1;
            counts.days_with_a_roll += u32::from(rolled);
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    COUNTS.with_borrow(|counts| println!("random days, lost=0 doubled=0: {counts:?}"));
}
