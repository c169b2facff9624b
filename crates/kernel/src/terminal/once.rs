//! What moves between the terminals of a store moves once: a suspended sale, cash on its way.
//!
//! ```text
//!   giver                                   taker
//!   its decision, durable; ticket
//!                                           claim on the ticket       (claim.rs: one terminal wins)
//!                                           read the decision in the giver's journal
//!                                           what it takes, one frame, durable
//!                                           the claim says: done
//!   what became of it, durable
//!   the claim is removed
//! ```
//! The giver's decision is the commit: from there on one terminal or the giver itself will take it,
//! and nobody else. A crash at any arrow leaves a claim or none, and [`Terminal::collect_transfers`]
//! goes on from either side: a claim without an end is given up when its terminal's journal holds
//! nothing of it, and ended when it does. The journals are the truth.

use super::Terminal;
use super::board::Board;
use super::claim::{Claim, Claims};
use super::commit::Answer;
use super::history::Recorded;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{CashLeg, Fact, Key};
use crate::sale::Ticket;
use crate::till::CashTicket;

/// What a ticket stands for.
pub(super) enum Waits {
    Sale(Ticket),
    Cash(CashTicket),
}

impl Waits {
    pub(super) fn parse(ticket: &str) -> Result<Self> {
        match CashTicket::parse(ticket) {
            Some(cash) => Ok(Self::Cash(cash)),
            None => Ticket::parse(ticket).map(Self::Sale),
        }
    }

    fn giver(&self) -> &str {
        match self {
            Self::Sale(ticket) => &ticket.terminal,
            Self::Cash(ticket) => &ticket.terminal,
        }
    }
}

impl Terminal {
    /// Takes what a ticket stands for, under a claim. `number` is what the claim says of the answer.
    /// Durable when it returns.
    pub(super) fn once<T>(
        &self,
        ticket: &str,
        key: Option<Key>,
        answer: impl FnOnce(&Recorded) -> Option<T>,
        number: impl FnOnce(&T) -> u64,
        take: impl FnOnce(Option<Key>) -> Result<Answer<T>>,
    ) -> Result<Answer<T>> {
        let is_here = Waits::parse(ticket)?.giver() == self.id();
        // One at a time in this process: a claim of ours that is not settled is left over.
        let _turn = self.handover.lock().map_err(|_| self.in_doubt())?;
        let core = self.lock()?;
        if let Some(recorded) = self.seen(&core, key.as_ref())? {
            return self.replayed(&recorded, answer);
        }
        drop(core);
        let claims = Claims::of_store(self.store());
        let claim = self.claim(&claims, ticket)?;
        let taken = match take(key) {
            Ok(taken) => taken,
            Err(error) => {
                // What may be in the journal keeps its claim; what was refused gives it up.
                if self.wal.poison().is_none() {
                    claims.remove(ticket)?;
                }
                return Err(error);
            }
        };
        self.wait_durable(taken.sequence)?;
        if is_here {
            claims.remove(ticket)?;
        } else {
            let done = Some((number(&taken.value), taken.sequence));
            claims.settle(ticket, &Claim { done, ..claim })?;
        }
        Ok(Answer { wait: false, ..taken })
    }

    /// Journals which suspended sales of this terminal have gone on at others, and which of its cash
    /// has arrived, and gives back claims of this terminal that never came to anything. Gives the
    /// sales that are over with it. It is done at every opening, and by a host before it looks for its
    /// open sales or closes a day.
    ///
    /// # Errors
    /// `PK_E_IO`, `PK_E_BAD_CONFIG` for a file that is no claim, and those of any call.
    pub fn collect_transfers(&self) -> Result<Vec<u64>> {
        let _turn = self.handover.lock().map_err(|_| self.in_doubt())?;
        let claims = Claims::of_store(self.store());
        let mut over = Vec::new();
        let mut outcome = Ok(());
        // One file that is no claim must not hold up the others.
        for ticket in claims.tickets()? {
            match self.collect(&claims, &ticket) {
                Ok(sale) => over.extend(sale),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        let tidied = self.tidy_sales().and_then(|()| self.tidy_cash());
        outcome.and(tidied).map(|()| over)
    }

    /// Puts up the notices of this terminal that a crash left out, and takes down those that it left.
    /// `waits` gives the tickets that wait now; it is asked after the notices were looked at, so that
    /// one which is put up meanwhile stays.
    pub(super) fn tidy(
        &self,
        board: &Board,
        waits: impl FnOnce() -> Result<Vec<String>>,
        mut post: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let shown = board.tickets()?;
        let waiting = waits()?;
        for ticket in waiting.iter().filter(|ticket| !shown.contains(ticket)) {
            post(ticket)?;
        }
        let is_own =
            |ticket: &&String| Waits::parse(ticket).is_ok_and(|it| it.giver() == self.id());
        for ticket in shown.iter().filter(is_own).filter(|ticket| !waiting.contains(ticket)) {
            board.take_down(ticket)?;
        }
        Ok(())
    }

    /// Does what one claim asks of this terminal. Gives the sale that is over with it.
    fn collect(&self, claims: &Claims, ticket: &str) -> Result<Option<u64>> {
        let Some(claim) = claims.find(ticket)? else { return Ok(None) };
        match (&claim.done, claim.by == self.id()) {
            (None, true) if !self.took(ticket, claim.after)? => claims.remove(ticket)?,
            (None, true) => self.settle_claim(claims, ticket, &claim)?,
            (Some((number, sequence)), false) => {
                let to = (claim.by.as_str(), *number, *sequence);
                let waits = Waits::parse(ticket).ok().filter(|waits| waits.giver() == self.id());
                let over = match &waits {
                    Some(Waits::Sale(_)) => self.transfer(ticket, to)?,
                    Some(Waits::Cash(cash)) => self.arrived(ticket, cash, to).map(|()| None)?,
                    None => return Ok(None),
                };
                claims.remove(ticket)?;
                return Ok(over);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Makes a claim, or refuses because somebody has one.
    fn claim(&self, claims: &Claims, ticket: &str) -> Result<Claim> {
        let after = self.wal.position().sequence;
        let claim = Claim { by: self.id().to_owned(), after, done: None };
        match claims.make(ticket, &claim)? {
            None => Ok(claim),
            Some(left) if left.by == claim.by && left.done.is_none() => {
                if self.took(ticket, left.after)? {
                    self.settle_claim(claims, ticket, &left)?;
                    return Err(used_up(ticket, self.id()));
                }
                // A tail that was cut since may have taken sequences back that it names.
                claims.settle(ticket, &claim)?;
                Ok(claim)
            }
            Some(other) => Err(used_up(ticket, &other.by)),
        }
    }

    /// Whether a ticket was taken here after a sequence.
    fn took(&self, ticket: &str, after: u64) -> Result<bool> {
        Ok(self.taken(ticket, after)?.is_some())
    }

    fn taken(&self, ticket: &str, after: u64) -> Result<Option<(u64, u64)>> {
        self.wal.write_out()?;
        let mut found = None;
        self.history.each(after + 1, u64::MAX, |recorded| match &recorded.fact {
            Fact::SaleBegun(begun)
                if begun.takes.as_ref().is_some_and(|takes| takes.ticket == ticket) =>
            {
                found = Some((begun.sale, recorded.sequence));
            }
            Fact::CashMoved(moved) => {
                let received = moved.transfer.as_ref();
                let received = received.filter(|transfer| transfer.leg == CashLeg::Received);
                if received.and_then(CashTicket::of).is_some_and(|cash| cash.to_string() == ticket)
                {
                    found = Some((0, recorded.sequence));
                }
            }
            _ => {}
        })?;
        Ok(found)
    }

    fn settle_claim(&self, claims: &Claims, ticket: &str, claim: &Claim) -> Result<()> {
        let done = self.taken(ticket, claim.after)?;
        if let Some((_, sequence)) = done {
            self.wait_durable(sequence)?;
        }
        claims.settle(ticket, &Claim { done, ..claim.clone() })
    }
}

/// A ticket that was used, and the terminal that used it.
pub(super) fn used_up(ticket: &str, terminal: &str) -> Error {
    let (code, message) = match Waits::parse(ticket) {
        Ok(Waits::Cash(_)) => (
            Code::AlreadyReceived,
            format!("the cash of {ticket} is not on its way; terminal {terminal} knows of it"),
        ),
        _ => (
            Code::AlreadyResumed,
            format!("the sale of ticket {ticket} has gone on at terminal {terminal}"),
        ),
    };
    Error::new(code, message).with("ticket", ticket).with("terminal", terminal)
}
