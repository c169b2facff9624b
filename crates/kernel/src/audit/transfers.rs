//! The journals of a store, held against each other: what moved between terminals moved once.
//!
//! Each journal is sound by itself when it says that 25.00 came from another drawer; only the other
//! journal knows whether they ever left it. So every taking must name a record of its giver that let
//! exactly that go, to that terminal; what one record let go is taken once in the whole store, by a
//! terminal or by the giver itself; and what a giver was told must stand in the taker's journal. What
//! left and was not taken yet is on its way, which is no fault.
//!
//! It runs beside tills that move things meanwhile. A taking is written after what it takes is durable;
//! so the takings that count are those that stood in the files before the first file was read.

use super::legs::{self, Left, Load, Read, Spot, Taken, Way};
use super::source::Source;
use crate::code::Code;
use crate::money::Currency;
use std::collections::BTreeMap;

/// Problems listed; the count goes on.
const PROBLEMS_MAX: usize = 1000;

/// What is wrong with something that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferFault {
    /// It was taken, and its giver's journal did not let it go.
    Unsent,
    /// It was taken, and its giver has no journal in this store.
    Gone,
    /// It was taken by a terminal that it was not sent to.
    Elsewhere,
    /// What was taken is not what was let go: another amount, another currency, another sale.
    Changed,
    /// It was taken before.
    Twice,
    /// Its giver was told that it was taken, and the taker's journal does not say so.
    Untaken,
    /// The record that would tell is still in the log of a store process that is gone.
    Unsettled,
}

impl TransferFault {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Gone => "gone",
            Self::Elsewhere => "elsewhere",
            Self::Changed => "changed",
            Self::Twice => "twice",
            Self::Untaken => "untaken",
            Self::Unsettled => "unsettled",
        }
    }

    /// Its code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Unsettled => Code::StoreUnsettled,
            _ => Code::TransferContradicted,
        }
    }
}

/// One thing that does not fit between two journals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferProblem {
    /// The terminal whose record does not fit.
    pub terminal: String,
    /// That record.
    pub sequence: u64,
    /// The ticket of what moved.
    pub ticket: String,
    /// What is wrong.
    pub fault: TransferFault,
    /// A sentence about it.
    pub message: String,
}

/// Something that left a terminal and was not taken yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnItsWay {
    /// What it is taken by.
    pub ticket: String,
    /// The terminal that it left, and its record there.
    pub from: (String, u64),
    /// The terminal that it goes to; a suspended sale waits for any.
    pub to: Option<String>,
    /// Currency and amount in minor units, of cash.
    pub cash: Option<(Currency, i64)>,
    /// Wall time of that record.
    pub at_ns: i64,
}

/// What moved between the terminals of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Times that cash was sent.
    pub cash_sent: u64,
    /// Times that cash was received by the other terminal.
    pub cash_received: u64,
    /// Times that cash was taken back by its giver.
    pub cash_taken_back: u64,
    /// Sales that were suspended.
    pub sales_suspended: u64,
    /// Sales that went on at another terminal.
    pub sales_taken_over: u64,
    /// Sales that went on where they were suspended.
    pub sales_resumed: u64,
    /// What is still on its way or waits, in the order in which it left.
    pub on_their_way: Vec<OnItsWay>,
    /// Takings that cannot be judged, since the record which would tell is not at hand: the archive
    /// is away, or the journal is damaged.
    pub unjudged: u64,
    /// What is wrong, up to a thousand entries.
    pub problems: Vec<TransferProblem>,
    /// How many things are wrong in all.
    pub problem_count: u64,
}

impl Transfers {
    /// What is on its way between drawers, by currency: how many amounts, and their sum. A sum that
    /// is more than can be counted is the most that can.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<Currency, (u64, i64)> {
        let mut sums: BTreeMap<Currency, (u64, i64)> = BTreeMap::new();
        for (currency, amount) in self.on_their_way.iter().filter_map(|it| it.cash) {
            let (count, sum) = sums.entry(currency).or_default();
            (*count, *sum) = (*count + 1, sum.saturating_add(amount));
        }
        sums
    }
}

/// Holds the journals of a store against each other. Takes no lock and writes nothing. What is wrong
/// with a journal by itself is not told here.
#[must_use]
pub fn transfers(sources: &[Source]) -> Transfers {
    let ends = sources.iter().map(|source| (source.id.as_str(), legs::end(source))).collect();
    let mut ways = BTreeMap::new();
    let read = |source| legs::read(source, &mut ways);
    let reads: Vec<Read> = sources.iter().map(read).collect();
    let reads =
        sources.iter().zip(reads).map(|(source, read)| (source.id.as_str(), (source, read)));
    let reads = reads.collect();
    let mut pairing = Pairing { ends, reads, waiting: Vec::new(), answer: Transfers::default() };
    for (ticket, way) in ways {
        pairing.way(ticket, way);
    }
    let Pairing { mut waiting, mut answer, .. } = pairing;
    waiting.sort_by(|(_, one), (_, other)| one.spot.cmp(&other.spot));
    answer.on_their_way = waiting.into_iter().map(OnItsWay::of).collect();
    answer.problems.sort_by(|one, other| {
        (&one.terminal, one.sequence).cmp(&(&other.terminal, other.sequence))
    });
    answer.problems.truncate(PROBLEMS_MAX);
    answer
}

struct Pairing<'a> {
    /// The last record of each terminal that counts.
    ends: BTreeMap<&'a str, u64>,
    reads: BTreeMap<&'a str, (&'a Source, Read)>,
    /// What left and was not taken, by its ticket.
    waiting: Vec<(String, Left)>,
    answer: Transfers,
}

impl Pairing<'_> {
    fn way(&mut self, name: String, mut way: Way) {
        let ticket = name.as_str();
        way.taken.sort_by(|one, other| one.spot.cmp(&other.spot));
        self.count(&way);
        for (index, taken) in way.taken.iter().enumerate() {
            self.taken(ticket, taken, way.left.as_ref());
            if index > 0 {
                let Spot { terminal, sequence, .. } = &way.taken[0].spot;
                let message = format!("record {sequence} of {terminal} had taken it already");
                self.wrong(ticket, &taken.spot, TransferFault::Twice, message);
            }
        }
        for told in &way.told {
            let is_there = |taken: &&Taken| {
                (&taken.spot.terminal, taken.spot.sequence) == (&told.taker, told.sequence)
            };
            if !way.taken.iter().any(|taken| is_there(&taken)) {
                let (at, taker) = (told.sequence, &told.taker);
                let fault = (TransferFault::Untaken, "takes nothing by this ticket");
                self.missing(ticket, &told.spot, taker, (at, Some(at)), fault);
            }
        }
        if let Some(left) = way.left.filter(|_| way.taken.is_empty() && way.told.is_empty()) {
            self.waiting.push((name, left));
        }
    }

    fn count(&mut self, way: &Way) {
        let answer = &mut self.answer;
        match way.left.as_ref().map(|left| &left.load) {
            Some(Load::Cash(_)) => answer.cash_sent += 1,
            Some(Load::Sale(..)) => answer.sales_suspended += 1,
            None => {}
        }
        for taken in &way.taken {
            let by_giver = taken.giver == taken.spot.terminal;
            *match (&taken.load, by_giver) {
                (Load::Cash(_), false) => &mut answer.cash_received,
                (Load::Cash(_), true) => &mut answer.cash_taken_back,
                (Load::Sale(..), false) => &mut answer.sales_taken_over,
                (Load::Sale(..), true) => &mut answer.sales_resumed,
            } += 1;
        }
    }

    /// Holds a taking against what its giver says.
    fn taken(&mut self, ticket: &str, taken: &Taken, left: Option<&Left>) {
        let Taken { giver, load, spot, from } = taken;
        // Only the giver's own journal lets anything of it go.
        let Some(left) = left.filter(|left| left.spot.terminal == *giver) else {
            let fault = (TransferFault::Unsent, "does not let it go");
            self.missing(ticket, spot, giver, *from, fault);
            return;
        };
        if let Some(to) = &left.to
            && *giver != spot.terminal
            && *to != spot.terminal
        {
            let message = format!("record {} of {giver} sent it to {to}", left.spot.sequence);
            self.wrong(ticket, spot, TransferFault::Elsewhere, message);
        }
        if let Some((sent, received)) = differs(&left.load, load) {
            let at = left.spot.sequence;
            let message = format!("{received} was taken, and record {at} of {giver} let {sent} go");
            self.wrong(ticket, spot, TransferFault::Changed, message);
        }
    }

    /// Tells of a record that another terminal's journal lacks, unless it cannot be seen.
    fn missing(
        &mut self,
        ticket: &str,
        spot: &Spot,
        other: &str,
        (from, at): (u64, Option<u64>),
        (fault, lacks): (TransferFault, &str),
    ) {
        if self.is_late(spot) {
            return;
        }
        let Some((source, read)) = self.reads.get(other) else {
            let message = format!("there is no journal of {other} in this store");
            self.wrong(ticket, spot, TransferFault::Gone, message);
            return;
        };
        if read.hides(from, at) {
            self.answer.unjudged += 1;
            return;
        }
        if let Some(writes) = source.history.writes_left() {
            let message = format!(
                "the log of the store holds {writes} writes that are not in the journal of {other} \
                 yet; open the store, or one of its terminals, and check again"
            );
            self.wrong(ticket, spot, TransferFault::Unsettled, message);
            return;
        }
        let message = match at {
            Some(at) => format!("record {at} of {other} {lacks}"),
            None => format!("the journal of {other} {lacks}"),
        };
        self.wrong(ticket, spot, fault, message);
    }

    /// True for a record that came while the journals were being read.
    fn is_late(&self, spot: &Spot) -> bool {
        self.ends.get(spot.terminal.as_str()).is_some_and(|end| spot.sequence > *end)
    }

    fn wrong(&mut self, ticket: &str, spot: &Spot, fault: TransferFault, message: String) {
        self.answer.problem_count += 1;
        let (terminal, sequence) = (spot.terminal.clone(), spot.sequence);
        let ticket = ticket.to_owned();
        let problem = TransferProblem { terminal, sequence, ticket, fault, message };
        self.answer.problems.push(problem);
    }
}

impl OnItsWay {
    fn of((ticket, left): (String, Left)) -> Self {
        let Left { load, to, spot, at_ns } = left;
        let cash = match load {
            Load::Cash(cash) => cash,
            Load::Sale(..) => None,
        };
        Self { ticket, from: (spot.terminal, spot.sequence), to, cash, at_ns }
    }
}

/// Both in words, when they are not the same.
fn differs(left: &Load, taken: &Load) -> Option<(String, String)> {
    let cash = |cash: &Option<(Currency, i64)>| match cash {
        Some((currency, amount)) => format!("{currency} {amount}"),
        None => "nothing".to_owned(),
    };
    match (left, taken) {
        (Load::Cash(left), Load::Cash(taken)) if left == taken => None,
        (Load::Cash(left), Load::Cash(taken)) => Some((cash(left), cash(taken))),
        (Load::Sale(left, content), Load::Sale(taken, copied)) => {
            if left != taken {
                return Some((format!("sale {left}"), format!("sale {taken}")));
            }
            let others = content.zip(*copied).is_some_and(|(left, taken)| left != taken);
            others.then(|| (format!("sale {left}"), format!("sale {taken} with other records")))
        }
        _ => Some(("something else".to_owned(), "this".to_owned())),
    }
}
