//! Cash from the drawer of one terminal to that of another, by the protocol of `once.rs`.
//!
//! The giver's decision is a `CashMoved` out of its drawer, `sent`; the taker's record is a `CashMoved`
//! into its own, `received`, which names the giver's; what became of it is `CashArrived` at the giver.
//! A giver whose cash nobody takes puts it back by the same ticket, `takenBack`. So the cash counts in
//! one drawer, or in transit, and never in two.

use super::board::Board;
use super::commit::{Answer, Inputs};
use super::history::{History, Recorded};
use super::once::used_up;
use super::open::terminal_dir;
use super::people::OPENS;
use super::{Terminal, TerminalId};
use crate::clock::iso_utc;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{CashArrived, CashLeg, CashMoved, Fact, Key, RecordKind};
use crate::money::Currency;
use crate::sale::Reason;
use crate::till::{CashTicket, Till, Transit};
use serde_json::{Value, json};

/// Cash was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashSent {
    /// What the other terminal receives it by, and this one takes it back by.
    pub ticket: String,
}

/// Cash was received, or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashReceived {
    /// The terminal at the other end of its way.
    pub terminal: String,
    /// Currency.
    pub currency: Currency,
    /// Amount in minor units.
    pub amount: i64,
    /// It came back into the drawer that it had left.
    pub taken_back: bool,
}

/// Cash that is on its way in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashInTransit {
    /// What it is received by.
    pub ticket: String,
    /// Terminal whose drawer it left.
    pub from: String,
    /// Terminal that it goes to.
    pub to: String,
    /// Currency.
    pub currency: String,
    /// Amount in minor units.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// When, ISO 8601 in UTC.
    pub at: String,
}

impl Terminal {
    /// Takes cash out of the drawer for the drawer of another terminal of the store. Durable when it
    /// returns: the ticket may be handed out.
    ///
    /// # Errors
    /// Those of [`Till::send_cash`]; `PK_E_NOT_FOUND` when there is no such terminal,
    /// `PK_E_BAD_ARGUMENT` for this one; `PK_E_NOT_SIGNED_ON` where an operator is needed, those of an
    /// approval, `PK_E_IO`, and those of any call.
    pub fn send_cash<'a>(
        &self,
        to: &str,
        (currency, amount): (&str, i64),
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<CashSent>> {
        let reason = reason.into();
        let inputs = Inputs::of("sendCash").text(to).text(currency).amount(amount).reason(reason);
        let answer = self.command(
            key.map(|key| (key, inputs)),
            OPENS,
            |till, key| {
                self.attended(till)?;
                self.may_send_to(to)?;
                let money = (Currency::parse(currency)?, amount);
                let moved = till.send_cash(to, money, reason.text, key)?;
                Ok(Fact::from(moved).under(reason.approval))
            },
            |recorded| {
                let CashMoved { transfer, .. } = moved(recorded)?;
                let sent = transfer.as_ref()?.leg == CashLeg::Sent;
                let (terminal, sequence) = (self.id().to_owned(), recorded.sequence);
                let ticket = CashTicket { terminal, sent: sequence }.to_string();
                sent.then_some(CashSent { ticket })
            },
        )?;
        self.wait_durable(answer.sequence)?;
        self.announce_cash(&answer.value.ticket, answer.sequence, reason.text)?;
        Ok(Answer { wait: false, ..answer })
    }

    /// Puts cash into the drawer that another terminal sent here; at the terminal that sent it, takes
    /// it back. Durable when it returns.
    ///
    /// # Errors
    /// `PK_E_ALREADY_RECEIVED` with the terminal that has it; `PK_E_NOT_FOUND` for a terminal or a
    /// record that does not exist; `PK_E_BAD_ARGUMENT` for what is no ticket, or for cash that goes to
    /// another terminal; those of [`Till::receive_cash`]; `PK_E_NOT_SIGNED_ON` where an operator is
    /// needed, those of an approval, `PK_E_CORRUPT`, `PK_E_IO`, and those of any call.
    pub fn receive_cash<'a>(
        &self,
        ticket: &str,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<CashReceived>> {
        let reason = reason.into();
        let parsed = CashTicket::parse(ticket).ok_or_else(|| no_ticket(ticket))?;
        let giver = TerminalId::parse(&parsed.terminal)?;
        let inputs = Inputs::of("receiveCash").text(ticket).reason(reason);
        let key = key.map(|key| inputs.under(key)).transpose()?;
        let take = |key| {
            let found =
                if giver == self.id { None } else { Some(self.sent_here(&giver, &parsed)?) };
            let decide = |till: &Till, key: Option<Key>| {
                self.attended(till)?;
                let is_here = till.drawer.transit.contains_key(&parsed.sent);
                let moved = match found {
                    None if !is_here => return Err(used_up(ticket, self.id())),
                    Some(money) => till.receive_cash(&parsed, money, reason.text, key)?,
                    None => till.take_back_cash(parsed.sent, reason.text, key)?,
                };
                Ok(vec![Fact::from(moved).under(reason.approval)])
            };
            self.together(key, OPENS, decide, received)
        };
        let answer = self.once(ticket, key, received, |_| 0, take)?;
        Board::of_cash(self.store()).take_down(ticket)?;
        Ok(answer)
    }

    /// The cash that is on its way in the store, as far as is known without reading every journal.
    ///
    /// # Errors
    /// `PK_E_IO`.
    pub fn cash_in_transit(&self) -> Result<Vec<CashInTransit>> {
        let notices = Board::of_cash(self.store()).notices()?;
        let read = |(ticket, notice): (String, Value)| CashInTransit::of_json(ticket, &notice);
        Ok(notices.into_iter().filter_map(read).collect())
    }

    /// Journals that cash of this terminal arrived in another drawer, if it is still on its way here.
    pub(super) fn arrived(
        &self,
        ticket: &str,
        parsed: &CashTicket,
        (terminal, _, other_sequence): (&str, u64, u64),
    ) -> Result<()> {
        let mut core = self.lock()?;
        let sent = parsed.sent;
        let transit = core.till.drawer.transit.get(&sent);
        if transit.is_some_and(|transit| transit.terminal == terminal) {
            let terminal = terminal.to_owned();
            let fact = Fact::from(CashArrived { sent, terminal, other_sequence });
            let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
            drop(core);
            self.wait_durable(sequence)?;
        }
        Board::of_cash(self.store()).take_down(ticket)
    }

    fn may_send_to(&self, to: &str) -> Result<()> {
        let id = TerminalId::parse(to)?;
        if id == self.id {
            let message = format!("terminal {to} cannot send cash to itself; name another one");
            return Err(Error::new(Code::BadArgument, message).with("terminal", to));
        }
        if !terminal_dir(self.store(), &id).is_dir() {
            let message = format!("there is no terminal {to} in {}", self.store().display());
            return Err(Error::new(Code::NotFound, message).with("terminal", to));
        }
        Ok(())
    }

    /// What a giver's journal says of cash that is on its way to this terminal.
    fn sent_here(&self, giver: &TerminalId, ticket: &CashTicket) -> Result<(Currency, i64)> {
        let text = ticket.to_string();
        let history = History::of_terminal(&terminal_dir(self.store(), giver));
        let recorded = history.record(ticket.sent)?;
        let sent = moved(&recorded).and_then(|fact| {
            let transfer = fact.transfer.as_ref().filter(|it| it.leg == CashLeg::Sent)?;
            Some((&transfer.terminal, fact.currency?, fact.amount?))
        });
        let Some((to, currency, amount)) = sent else {
            let message = format!("record {} of terminal {giver} sends no cash", ticket.sent);
            return Err(Error::new(Code::NotFound, message).with("ticket", text));
        };
        if to != self.id() {
            let message = format!("the cash of {text} goes to terminal {to}; receive it there");
            return Err(Error::new(Code::BadArgument, message)
                .with("ticket", text)
                .with("terminal", to.as_str()));
        }
        let mut ended = false;
        let wanted =
            |kind| kind == RecordKind::CashMoved as u16 || kind == RecordKind::CashArrived as u16;
        history.each_where(ticket.sent + 1, wanted, |recorded| {
            ended |= match &recorded.fact {
                Fact::CashArrived(fact) => fact.sent == ticket.sent,
                Fact::CashMoved(CashMoved { transfer: Some(transfer), .. }) => {
                    transfer.leg == CashLeg::TakenBack && transfer.sent == Some(ticket.sent)
                }
                _ => false,
            };
        })?;
        if ended { Err(used_up(&text, giver.as_str())) } else { Ok((currency, amount)) }
    }

    /// Says in the store that cash is on its way, unless it is not any more.
    fn announce_cash(&self, ticket: &str, sent: u64, reason: &str) -> Result<()> {
        let core = self.lock()?;
        let Some(transit) = core.till.drawer.transit.get(&sent).cloned() else { return Ok(()) };
        drop(core);
        self.post_cash(ticket, &transit, reason, self.clock.wall_ns())
    }

    /// Brings the notices of this terminal's cash into line with its journal.
    pub(super) fn tidy_cash(&self) -> Result<()> {
        let ticket =
            |sent: &u64| CashTicket { terminal: self.id().to_owned(), sent: *sent }.to_string();
        let waits = || Ok(self.lock()?.till.drawer.transit.keys().map(ticket).collect());
        self.tidy(&Board::of_cash(self.store()), waits, |ticket| {
            let Some(CashTicket { sent, .. }) = CashTicket::parse(ticket) else { return Ok(()) };
            let Some(transit) = self.lock()?.till.drawer.transit.get(&sent).cloned() else {
                return Ok(());
            };
            let recorded = self.history.record(sent)?;
            let reason = moved(&recorded).map_or("", |fact| &fact.reason);
            self.post_cash(ticket, &transit, reason, recorded.at_ns)
        })
    }

    fn post_cash(&self, ticket: &str, transit: &Transit, reason: &str, at_ns: i64) -> Result<()> {
        let notice = json!({
            "from": self.id(),
            "to": transit.terminal,
            "currency": transit.currency.letters(),
            "amount": transit.amount,
            "reason": reason,
            "at": iso_utc(at_ns),
        });
        Board::of_cash(self.store()).post(ticket, &notice)
    }
}

impl CashInTransit {
    fn of_json(ticket: String, value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        Some(Self {
            ticket,
            from: text("from")?,
            to: text("to")?,
            currency: text("currency")?,
            amount: value.get("amount")?.as_i64()?,
            reason: text("reason")?,
            at: text("at")?,
        })
    }
}

fn moved(recorded: &Recorded) -> Option<&CashMoved> {
    match &recorded.fact {
        Fact::CashMoved(fact) => Some(fact),
        _ => None,
    }
}

fn received(recorded: &Recorded) -> Option<CashReceived> {
    let fact = moved(recorded)?;
    let transfer = fact.transfer.as_ref().filter(|it| it.leg != CashLeg::Sent)?;
    Some(CashReceived {
        terminal: transfer.terminal.clone(),
        currency: fact.currency?,
        amount: fact.amount?,
        taken_back: transfer.leg == CashLeg::TakenBack,
    })
}

fn no_ticket(text: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    let message =
        format!("{shown:?} is no ticket such as REGISTER_01.cash.1203; sendCash gives one");
    Error::new(Code::BadArgument, message).with("argument", "ticket").with("value", shown)
}
