//! Suspending a sale and resuming it, here or on another terminal of the store: once only, by the
//! protocol of `once.rs`.
//!
//! The giver's decision is `SaleSuspended`; the taker's frame is a `SaleBegun` with `takes` and the
//! sale's facts; what became of it is `SaleTransferred`. At every moment the sale stands open in
//! exactly one journal that may change it: before the taker's frame in the giver's, where it is
//! suspended; after it in the taker's.

use super::board::Board;
use super::commands::Begun;
use super::commit::{Answer, Growth, Inputs, Urgency};
use super::history::{History, Recorded};
use super::once::used_up;
use super::open::terminal_dir;
use super::{Terminal, TerminalId};
use crate::clock::iso_utc;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    AdjustmentRetracted, Fact, Key, LineAdded, LineAdjusted, LineReturned, LineVoided,
    PriceOverridden, QuantitySet, SaleAdjusted, SaleBegun, SaleResumed, SaleTransferred, TakenOver,
    TaxesOverridden, TenderAdded, TenderConfirmed, TenderDeclined, TenderVoided,
};
use crate::sale::{Contradiction, Sale, State, Ticket, machine};
use crate::till::Till;
use serde_json::{Value, json};

/// A sale was suspended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendAnswer {
    /// Number of the sale.
    pub sale: u64,
    /// What it is resumed by.
    pub ticket: String,
}

/// A sale that waits somewhere in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What it is resumed by.
    pub ticket: String,
    /// Terminal where it was suspended.
    pub terminal: String,
    /// Number of the sale there.
    pub sale: u64,
    /// The host's own number for it.
    pub reference: Option<String>,
    /// Currency.
    pub currency: String,
    /// What it comes to, in minor units.
    pub gross: i64,
    /// Lines that count.
    pub lines: u64,
    /// Why it was suspended.
    pub reason: String,
    /// When, ISO 8601 in UTC.
    pub at: String,
}

const HANDOVER: (Growth, Urgency) = (Growth::Grows, Urgency::Now);

impl Terminal {
    /// Suspends a sale without live tenders. Durable when it returns: the ticket may be handed out.
    ///
    /// # Errors
    /// Those of [`machine::suspend`], `PK_E_NOT_FOUND`, `PK_E_OUTCOME_UNKNOWN`, `PK_E_IO`, and those
    /// of any call.
    pub fn suspend(
        &self,
        sale: u64,
        reason: &str,
        key: Option<&str>,
    ) -> Result<Answer<SuspendAnswer>> {
        let inputs = || Inputs::of("suspend").number(sale).text(reason);
        let answer = self.command(
            key.map(|key| (key, inputs())),
            (Growth::Finishes, Urgency::Now),
            |till, key| Ok(machine::suspend(till.open_sale(sale)?, self.id(), reason, key)?.into()),
            |recorded| match &recorded.fact {
                Fact::SaleSuspended(fact) => {
                    Some(SuspendAnswer { sale: fact.sale, ticket: fact.ticket.clone() })
                }
                _ => None,
            },
        )?;
        self.wait_durable(answer.sequence)?;
        self.announce(&answer.value, reason)?;
        Ok(Answer { wait: false, ..answer })
    }

    /// Resumes a suspended sale by its ticket: under its own number where it was suspended, under a
    /// new one on another terminal of the same store. Durable when it returns.
    ///
    /// # Errors
    /// `PK_E_ALREADY_RESUMED` with the terminal where it went on; `PK_E_NOT_FOUND` for a sale or a
    /// terminal that does not exist; `PK_E_BAD_ARGUMENT` for what is no ticket; `PK_E_TRAINING` when
    /// the sale is training and this terminal is not, or the other way round; `PK_E_LIMIT`,
    /// `PK_E_CORRUPT`, `PK_E_IO`, and those of any call.
    pub fn resume(&self, ticket: &str, key: Option<&str>) -> Result<Answer<Begun>> {
        let parsed = Ticket::parse(ticket)?;
        let giver = TerminalId::parse(&parsed.terminal)?;
        let inputs = Inputs::of("resume").text(ticket);
        let key = key.map(|key| inputs.under(key)).transpose()?;
        let take = |key| {
            if giver == self.id {
                self.resume_here(&parsed, ticket, key)
            } else {
                self.take_over(&giver, &parsed, ticket, key)
            }
        };
        let answer = self.once(ticket, key, resumed, |begun| begun.sale, take)?;
        Board::of_sales(self.store()).take_down(ticket)?;
        Ok(answer)
    }

    /// The sales that wait in the store, as far as is known without reading every journal.
    ///
    /// # Errors
    /// `PK_E_IO`.
    pub fn suspended_sales(&self) -> Result<Vec<Waiting>> {
        let notices = Board::of_sales(self.store()).notices()?;
        let read = |(ticket, notice): (String, Value)| Waiting::of_json(ticket, &notice);
        Ok(notices.into_iter().filter_map(read).collect())
    }

    fn resume_here(
        &self,
        parsed: &Ticket,
        ticket: &str,
        key: Option<Key>,
    ) -> Result<Answer<Begun>> {
        let decide = |till: &Till, key| {
            let sale = match till.open_sale(parsed.sale) {
                Ok(sale) if sale.ticket.as_deref() == Some(ticket) => sale,
                Err(error) if error.code() == Code::NotFound => return Err(error),
                Ok(_) | Err(_) => return Err(used_up(ticket, self.id())),
            };
            let ticket = ticket.to_owned();
            Ok(vec![SaleResumed { sale: sale.number, ticket, operator: None, key }.into()])
        };
        self.together(key, HANDOVER, decide, resumed)
    }

    fn take_over(
        &self,
        giver: &TerminalId,
        parsed: &Ticket,
        ticket: &str,
        key: Option<Key>,
    ) -> Result<Answer<Begun>> {
        let dir = terminal_dir(self.store(), giver);
        let (begun, facts, sale) = suspended_sale(&History::of_terminal(&dir), parsed, ticket)?;
        let content = machine::content(&sale);
        let takes = TakenOver {
            terminal: giver.as_str().to_owned(),
            sale: sale.number,
            ticket: ticket.to_owned(),
            content,
            facts: u32::try_from(facts.iter().filter(|fact| copied(fact, 0, 0).is_some()).count())
                .expect("the facts of a sale are limited"),
        };
        let mut core = self.lock()?;
        self.reserve(&core.till)?;
        self.hold(&core.till, sale.log_bytes())?;
        core.till.may_begin(sale.currency, self.open_sales_max())?;
        let taxes = sale.lines.iter().flat_map(|line| &line.taxes);
        core.till.may_book(sale.currency, taxes, self.taxes_max())?;
        self.may_sell(&core.till)?;
        core.till.people.same_training(sale.training)?;
        let number = core.till.next_sale;
        let mut begun = SaleBegun { sale: number, takes: Some(takes), key, ..begun };
        core.till.people.begin(&mut begun);
        // Who did it there stands there; here it is whoever takes the sale over.
        let operator = core.till.people.operator.clone();
        let appended = self.append_made(&mut core, |sequence| {
            let copies = facts.iter().filter_map(|fact| copied(fact, number, sequence));
            let copies = copies.map(|mut fact| {
                fact.name_operator(operator.as_deref());
                fact
            });
            std::iter::once(Fact::from(begun.clone())).chain(copies).collect()
        })?;
        let (value, sequence) = (Begun { sale: number }, appended.first_sequence);
        Ok(Answer { value, sequence, wait: true, replayed: false })
    }

    /// Journals that a sale went on elsewhere, if it still waits here.
    pub(super) fn transfer(&self, ticket: &str, to: (&str, u64, u64)) -> Result<Option<u64>> {
        let (terminal, other_sale, other_sequence) = to;
        let mut core = self.lock()?;
        let waits = |sale: &&Sale| sale.ticket.as_deref() == Some(ticket);
        let Some(sale) = core.till.open.values().find(waits).map(|sale| sale.number) else {
            return Ok(None);
        };
        let fact = Fact::from(SaleTransferred {
            sale,
            ticket: ticket.to_owned(),
            terminal: terminal.to_owned(),
            other_sale,
            other_sequence,
        });
        let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
        drop(core);
        self.wait_durable(sequence)?;
        Board::of_sales(self.store()).take_down(ticket)?;
        Ok(Some(sale))
    }

    /// Says in the store that a ticket is there.
    fn announce(&self, suspended: &SuspendAnswer, reason: &str) -> Result<()> {
        let Ok(sale) = self.sale(suspended.sale) else { return Ok(()) };
        self.post_sale(&sale, &suspended.ticket, reason, self.clock.wall_ns())
    }

    /// Brings the notices of this terminal's suspended sales into line with its journal.
    pub(super) fn tidy_sales(&self) -> Result<()> {
        let waits = || {
            let core = self.lock()?;
            Ok(core.till.open.values().filter_map(|sale| sale.ticket.clone()).collect())
        };
        self.tidy(&Board::of_sales(self.store()), waits, |ticket| {
            let Ok(sale) = self.sale(Ticket::parse(ticket)?.sale) else { return Ok(()) };
            let mut told = None;
            self.history.each(sale.first_sequence, u64::MAX, |recorded| {
                if let Fact::SaleSuspended(fact) = recorded.fact
                    && fact.ticket == ticket
                {
                    told = Some((fact.reason, recorded.at_ns));
                }
            })?;
            let Some((reason, at_ns)) = told else { return Ok(()) };
            self.post_sale(&sale, ticket, &reason, at_ns)
        })
    }

    fn post_sale(&self, sale: &Sale, ticket: &str, reason: &str, at_ns: i64) -> Result<()> {
        if sale.state() != State::Suspended {
            return Ok(());
        }
        let notice = json!({
            "terminal": self.id(),
            "sale": sale.number,
            "reference": sale.reference,
            "currency": sale.currency.letters(),
            "gross": sale.totals().gross,
            "lines": sale.live_lines().count(),
            "reason": reason,
            "at": iso_utc(at_ns),
        });
        Board::of_sales(self.store()).post(ticket, &notice)
    }
}

impl Waiting {
    fn of_json(ticket: String, value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        Some(Self {
            ticket,
            terminal: text("terminal")?,
            sale: value.get("sale")?.as_u64()?,
            reference: text("reference"),
            currency: text("currency")?,
            gross: value.get("gross")?.as_i64()?,
            lines: value.get("lines")?.as_u64()?,
            reason: text("reason")?,
            at: text("at")?,
        })
    }
}

/// The sale of a ticket in its giver's journal: its beginning, its other facts, and what they fold to.
fn suspended_sale(
    history: &History,
    parsed: &Ticket,
    ticket: &str,
) -> Result<(SaleBegun, Vec<Fact>, Sale)> {
    let mut records: Vec<Recorded> = Vec::new();
    history.each(parsed.first_sequence, u64::MAX, |recorded| {
        if recorded.fact.sale() == Some(parsed.sale) {
            records.push(recorded);
        }
    })?;
    let mut records = records.into_iter();
    let first = records.next().filter(|first| first.sequence == parsed.first_sequence);
    let Some(Recorded { fact: Fact::SaleBegun(begun), sequence, at_ns, .. }) = first else {
        let message = format!("terminal {} has no sale for {ticket}", parsed.terminal);
        return Err(Error::new(Code::NotFound, message).with("ticket", ticket));
    };
    let mut sale = Sale::begun(&begun, sequence, at_ns).map_err(contradicts)?;
    sale.remember_fact(&Fact::from(begun.clone()));
    let mut facts = Vec::new();
    for recorded in records {
        sale.apply(&recorded.fact).map_err(contradicts)?;
        sale.remember_fact(&recorded.fact);
        facts.push(recorded.fact);
    }
    if sale.state() == State::Suspended && sale.ticket.as_deref() == Some(ticket) {
        return Ok((begun, facts, sale));
    }
    Err(used_up(ticket, &parsed.terminal))
}

fn contradicts(error: Contradiction) -> Error {
    Error::new(Code::Inconsistent, error.0)
}

fn resumed(recorded: &Recorded) -> Option<Begun> {
    match &recorded.fact {
        Fact::SaleResumed(fact) => Some(Begun { sale: fact.sale }),
        Fact::SaleBegun(fact) if fact.takes.is_some() => Some(Begun { sale: fact.sale }),
        _ => None,
    }
}

/// A fact of the giver's sale as one of the taker's. Keys, approvals and rules were the giver's.
fn copied(fact: &Fact, sale: u64, first_sequence: u64) -> Option<Fact> {
    let key = None;
    let approval = None;
    let rules = Vec::new();
    Some(match fact.clone() {
        Fact::LineAdded(fact) => LineAdded { sale, approval, key, rules, ..fact }.into(),
        Fact::LineReturned(fact) => LineReturned { sale, approval, key, ..fact }.into(),
        Fact::LineVoided(fact) => LineVoided { sale, approval, key, ..fact }.into(),
        Fact::QuantitySet(fact) => QuantitySet { sale, approval, key, rules, ..fact }.into(),
        Fact::PriceOverridden(fact) => {
            PriceOverridden { sale, approval, key, rules, ..fact }.into()
        }
        Fact::TaxesOverridden(fact) => TaxesOverridden { sale, approval, key, ..fact }.into(),
        Fact::LineAdjusted(fact) => LineAdjusted { sale, approval, key, ..fact }.into(),
        Fact::SaleAdjusted(fact) => {
            SaleAdjusted { sale, first_sequence, approval, key, ..fact }.into()
        }
        Fact::AdjustmentRetracted(fact) => {
            AdjustmentRetracted { sale, approval, key, ..fact }.into()
        }
        Fact::TenderAdded(fact) => TenderAdded { sale, approval, key, rules, ..fact }.into(),
        Fact::TenderConfirmed(fact) => TenderConfirmed { sale, key, ..fact }.into(),
        Fact::TenderDeclined(fact) => TenderDeclined { sale, approval, key, ..fact }.into(),
        Fact::TenderVoided(fact) => TenderVoided { sale, approval, key, ..fact }.into(),
        _ => return None,
    })
}
