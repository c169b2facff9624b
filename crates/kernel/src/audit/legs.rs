//! What one journal says of things that moved between terminals: what left it, what came into it, and
//! what it was told became of what had left.
//!
//! Read are the records that stand in the files, as a terminal reads them that takes something over,
//! and not only those that are proven durable: what a taker has, its giver had made durable before,
//! though the proof may stand in a frame that is still to come.

use super::source::Source;
use crate::code::Code;
use crate::journal::{CashLeg, CashMoved, Fact, RecordKind};
use crate::money::Currency;
use crate::sale::Ticket;
use crate::till::CashTicket;
use pos_kernel_wal::{Frame, ProblemKind, Reader};
use std::collections::BTreeMap;

/// A record of a terminal, in the order of the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) hlc: u64,
    pub(super) terminal: String,
    pub(super) sequence: u64,
}

/// What moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Load {
    /// Cash, by currency and amount; what moves none has none.
    Cash(Option<(Currency, i64)>),
    /// A sale, by its number at the giver and the hash of its records there, where all are at hand.
    Sale(u64, Option<[u8; 32]>),
}

/// Something left a terminal, or waits there to be taken.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) load: Load,
    /// The terminal that it goes to, where that is said.
    pub(super) to: Option<String>,
    pub(super) spot: Spot,
    pub(super) at_ns: i64,
}

/// Something was taken: by another terminal, or back by its giver.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) giver: String,
    pub(super) load: Load,
    pub(super) spot: Spot,
    /// What the giver's records are searched from, and the record itself where it is named.
    pub(super) from: (u64, Option<u64>),
}

/// A giver was told who took it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) taker: String,
    /// The taker's record.
    pub(super) sequence: u64,
    pub(super) spot: Spot,
}

/// Everything about one ticket.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) left: Option<Left>,
    pub(super) taken: Vec<Taken>,
    pub(super) told: Vec<Told>,
}

/// How far a journal could be read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Read {
    /// Its first record that is at hand.
    first: u64,
    last: u64,
    /// It could not be read to its end.
    broken: bool,
}

impl Read {
    /// True when a record may stand where the journal could not be read: the one at `at`, or any from
    /// `from` on.
    pub(super) fn hides(&self, from: u64, at: Option<u64>) -> bool {
        from < self.first || self.broken && at.is_none_or(|at| at > self.last)
    }
}

/// The last record that stands in a journal now.
pub(super) fn end(source: &Source) -> u64 {
    let Ok(reader) = source.history.reader() else { return 0 };
    let newest = reader.segments().next_back().map(|segment| reader.scan(segment, false));
    newest.and_then(|scan| scan.ok()?.ok()).map_or(0, |scan| scan.last_sequence)
}

/// Adds what a journal says to the ways.
pub(super) fn read(source: &Source, ways: &mut BTreeMap<String, Way>) -> Read {
    match source.history.reader() {
        Ok(reader) => Legs { id: &source.id, ways, contents: BTreeMap::new() }.read(&reader),
        Err(error) => Read { broken: error.code() != Code::NotFound, ..Read::default() },
    }
}

struct Legs<'a> {
    id: &'a str,
    ways: &'a mut BTreeMap<String, Way>,
    /// The records so far of each open sale, hashed.
    contents: BTreeMap<u64, blake3::Hasher>,
}

impl Legs<'_> {
    fn read(&mut self, reader: &Reader) -> Read {
        let mut read = Read { broken: true, ..Read::default() };
        for segment in reader.segments() {
            let Ok(Ok(scan)) = reader.scan(segment, false) else { return read };
            if read.first == 0 {
                read.first = scan.header().first_sequence;
            }
            for frame in scan.frames().filter(|frame| !frame.is_checkpoint()) {
                if self.frame(&frame).is_none() {
                    return read;
                }
                read.last = frame.last_sequence();
            }
            if scan.problems.iter().any(|problem| problem.kind != ProblemKind::Mark) {
                return read;
            }
        }
        read.broken = false;
        read
    }

    /// `None` when a record cannot be read.
    fn frame(&mut self, frame: &Frame<'_>) -> Option<()> {
        let (hlc, at_ns) = (frame.header.stamp.hlc, frame.header.stamp.wall_ns);
        for record in frame.records() {
            let kind = RecordKind::from_number(record.kind)?;
            let number = self.remember(kind, record.body);
            let fact = match kind {
                RecordKind::SaleBegun
                | RecordKind::SaleSuspended
                | RecordKind::SaleResumed
                | RecordKind::SaleTransferred
                | RecordKind::CashMoved
                | RecordKind::CashArrived => Fact::decode(kind, record.body).ok()??,
                RecordKind::SaleCompleted | RecordKind::SaleVoided => {
                    number.and_then(|number| self.contents.remove(&number));
                    continue;
                }
                _ => continue,
            };
            let (terminal, sequence) = (self.id.to_owned(), record.sequence);
            self.fact(fact, Spot { hlc, terminal, sequence }, at_ns);
        }
        Some(())
    }

    /// Hashes a record into the sale that it belongs to. Gives the number of that sale.
    fn remember(&mut self, kind: RecordKind, body: &[u8]) -> Option<u64> {
        let of_sale = RecordKind::SaleBegun as u16..=RecordKind::SaleTransferred as u16;
        let number = of_sale.contains(&(kind as u16)).then(|| sale_of(body)).flatten()?;
        let hasher = match kind {
            RecordKind::SaleBegun => self.contents.entry(number).or_default(),
            _ => self.contents.get_mut(&number)?,
        };
        let size = u32::try_from(body.len()).ok()?;
        hasher.update(&(kind as u16).to_le_bytes()).update(&size.to_le_bytes()).update(body);
        Some(number)
    }

    fn way(&mut self, ticket: String) -> &mut Way {
        self.ways.entry(ticket).or_default()
    }

    fn fact(&mut self, fact: Fact, spot: Spot, at_ns: i64) {
        match fact {
            Fact::CashMoved(fact) => self.cash(&fact, spot, at_ns),
            Fact::CashArrived(fact) => {
                let ticket = self.cash_ticket(fact.sent).to_string();
                let (taker, sequence) = (fact.terminal, fact.other_sequence);
                self.way(ticket).told.push(Told { taker, sequence, spot });
            }
            Fact::SaleSuspended(fact) => {
                let content = self.contents.get(&fact.sale).map(|it| *it.finalize().as_bytes());
                let load = Load::Sale(fact.sale, content);
                self.way(fact.ticket).left = Some(Left { load, to: None, spot, at_ns });
            }
            Fact::SaleResumed(fact) => {
                let (giver, load) = (self.id.to_owned(), Load::Sale(fact.sale, None));
                let from = (begun_at(&fact.ticket), None);
                self.way(fact.ticket).taken.push(Taken { giver, load, spot, from });
            }
            Fact::SaleBegun(fact) => {
                let Some(takes) = fact.takes else { return };
                let load = Load::Sale(takes.sale, Some(takes.content.0));
                let (giver, from) = (takes.terminal, (begun_at(&takes.ticket), None));
                self.way(takes.ticket).taken.push(Taken { giver, load, spot, from });
            }
            Fact::SaleTransferred(fact) => {
                self.contents.remove(&fact.sale);
                let (taker, sequence) = (fact.terminal, fact.other_sequence);
                self.way(fact.ticket).told.push(Told { taker, sequence, spot });
            }
            _ => {}
        }
    }

    fn cash(&mut self, fact: &CashMoved, spot: Spot, at_ns: i64) {
        let Some(transfer) = &fact.transfer else { return };
        let load = Load::Cash(fact.currency.zip(fact.amount));
        let sent = transfer.sent.unwrap_or(spot.sequence);
        let ticket = match transfer.leg {
            CashLeg::Sent => {
                let to = Some(transfer.terminal.clone());
                let ticket = self.cash_ticket(spot.sequence).to_string();
                self.way(ticket).left = Some(Left { load, to, spot, at_ns });
                return;
            }
            CashLeg::TakenBack => self.cash_ticket(sent),
            CashLeg::Received => CashTicket { terminal: transfer.terminal.clone(), sent },
        };
        let (giver, from) = (ticket.terminal.clone(), (sent, Some(sent)));
        self.way(ticket.to_string()).taken.push(Taken { giver, load, spot, from });
    }

    fn cash_ticket(&self, sent: u64) -> CashTicket {
        CashTicket { terminal: self.id.to_owned(), sent }
    }
}

/// The first record of the sale of a ticket; what is no ticket names none that could be hidden.
fn begun_at(ticket: &str) -> u64 {
    Ticket::parse(ticket).map_or(u64::MAX, |ticket| ticket.first_sequence)
}

/// The sale that a record belongs to: the field 0 of all of them, and their first.
fn sale_of(body: &[u8]) -> Option<u64> {
    let mut input = minicbor::Decoder::new(body);
    input.map().ok()?;
    (input.u64().ok()? == 0).then_some(())?;
    input.u64().ok()
}
