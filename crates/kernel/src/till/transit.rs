//! Cash on its way from one drawer to another.
//!
//! It leaves the giver's drawer when the giver's record is durable, and is in transit until the other
//! terminal has put it into its own, or the giver takes it back. The drawers of a store and what is in
//! transit between them add up to what was put into them (I21).

use super::{Till, hold};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{CashArrived, CashLeg, CashMoved, CashMovement, CashTransfer, Key};
use crate::limits::TRANSITS_MAX;
use crate::money::Currency;
use crate::sale::Contradiction;
use std::fmt;

/// Cash that left this drawer and is not known to have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transit {
    /// The terminal that it goes to.
    pub terminal: String,
    /// Currency.
    pub currency: Currency,
    /// Amount in minor units.
    pub amount: i64,
}

/// What cash in transit is received by: the giver's id and the sequence of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashTicket {
    /// Terminal whose drawer it left.
    pub terminal: String,
    /// Sequence there of the record by which it left.
    pub sent: u64,
}

impl fmt::Display for CashTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.cash.{}", self.terminal, self.sent)
    }
}

impl CashTicket {
    /// Reads a ticket; `None` for what is none.
    ///
    /// ```
    /// use pos_kernel_core::till::CashTicket;
    /// let ticket = CashTicket::parse("REGISTER_01.cash.1203").unwrap();
    /// assert_eq!((ticket.terminal.as_str(), ticket.sent), ("REGISTER_01", 1203));
    /// assert_eq!(ticket.to_string(), "REGISTER_01.cash.1203");
    /// assert!(CashTicket::parse("REGISTER_01.cash.01203").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (terminal, sent) = text.split_once(".cash.")?;
        let ticket = Self { terminal: terminal.to_owned(), sent: sent.parse().ok()? };
        (ticket.to_string() == text).then_some(ticket)
    }

    /// The ticket of cash that was received.
    pub(crate) fn of(transfer: &CashTransfer) -> Option<Self> {
        let CashTransfer { terminal, sent, .. } = transfer;
        Some(Self { terminal: terminal.clone(), sent: (*sent)? })
    }
}

impl Till {
    /// Sends cash to the drawer of another terminal.
    ///
    /// # Errors
    /// Those of [`Till::pay`]; `PK_E_LIMIT` while too much is on its way.
    pub fn send_cash(
        &self,
        terminal: &str,
        (currency, amount): (Currency, i64),
        reason: &str,
        key: Option<Key>,
    ) -> Result<CashMoved> {
        let on_its_way = self.drawer.transit.len();
        if on_its_way >= TRANSITS_MAX {
            return Err(Error::limit("cash in transit", on_its_way + 1, TRANSITS_MAX));
        }
        let moved = self.pay(CashMovement::PaidOut, currency, amount, reason, key)?;
        let terminal = terminal.to_owned();
        let transfer = CashTransfer { leg: CashLeg::Sent, terminal, sent: None };
        Ok(CashMoved { transfer: Some(transfer), ..moved })
    }

    /// Puts cash into this drawer that another sent.
    ///
    /// # Errors
    /// Those of [`Till::pay`].
    pub fn receive_cash(
        &self,
        ticket: &CashTicket,
        (currency, amount): (Currency, i64),
        reason: &str,
        key: Option<Key>,
    ) -> Result<CashMoved> {
        let moved = self.pay(CashMovement::PaidIn, currency, amount, reason, key)?;
        let CashTicket { terminal, sent } = ticket.clone();
        let transfer = CashTransfer { leg: CashLeg::Received, terminal, sent: Some(sent) };
        Ok(CashMoved { transfer: Some(transfer), ..moved })
    }

    /// Puts cash back into the drawer that it had left.
    ///
    /// # Errors
    /// Those of [`Till::pay`]; `PK_E_ALREADY_RECEIVED` when it is not on its way.
    pub fn take_back_cash(&self, sent: u64, reason: &str, key: Option<Key>) -> Result<CashMoved> {
        let Some(Transit { terminal, currency, amount }) = self.drawer.transit.get(&sent).cloned()
        else {
            let message = format!("the cash that record {sent} sent is not on its way any more");
            return Err(Error::new(Code::AlreadyReceived, message).with("sequence", sent));
        };
        let moved = self.pay(CashMovement::PaidIn, currency, amount, reason, key)?;
        let transfer = CashTransfer { leg: CashLeg::TakenBack, terminal, sent: Some(sent) };
        Ok(CashMoved { transfer: Some(transfer), ..moved })
    }

    /// Follows cash on its way, its record being folded into the shift already.
    pub(super) fn cash_travels(
        &mut self,
        fact: &CashMoved,
        sequence: u64,
    ) -> std::result::Result<(), Contradiction> {
        let Some(CashTransfer { leg, terminal, sent }) = &fact.transfer else { return Ok(()) };
        let (Some(currency), Some(amount)) = (fact.currency, fact.amount) else {
            return Err(Contradiction("a transfer without an amount".to_owned()));
        };
        let direction =
            if *leg == CashLeg::Sent { CashMovement::PaidOut } else { CashMovement::PaidIn };
        hold(fact.kind == direction, || {
            format!("cash that was {} is {}", leg.name(), fact.kind.name())
        })?;
        hold(sent.is_none() == (*leg == CashLeg::Sent), || {
            "a transfer names its record".to_owned()
        })?;
        let transit = Transit { terminal: terminal.clone(), currency, amount };
        match (leg, sent) {
            (CashLeg::Sent, _) => {
                let full = self.drawer.transit.len() >= TRANSITS_MAX;
                hold(!full, || "more cash is in transit than may be".to_owned())?;
                self.drawer.transit.insert(sequence, transit);
            }
            (CashLeg::TakenBack, Some(sent)) => {
                let left = self.drawer.transit.remove(sent);
                hold(left.as_ref() == Some(&transit), || {
                    format!("record {sent} sent {left:?}, not {transit:?}")
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn cash_arrives(
        &mut self,
        fact: &CashArrived,
    ) -> std::result::Result<(), Contradiction> {
        let left = self.drawer.transit.remove(&fact.sent);
        hold(left.is_some_and(|left| left.terminal == fact.terminal), || {
            format!("record {} sent nothing to {} that is on its way", fact.sent, fact.terminal)
        })
    }
}
