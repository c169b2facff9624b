//! A journal as events: sales with their end, what happened to the drawer, Z reports.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    CashCounted, CashMoved, Circle, Fact, SaleCompleted, SaleTransferred, SaleVoided, ShiftOpened,
    ZReported,
};
use crate::sale::{Contradiction, Sale};
use crate::terminal::{History, Recorded};
use std::collections::BTreeMap;

/// Where and when something stands in the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) sequence: u64,
    pub(crate) at_ns: i64,
}

/// How a sale ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Completed(Box<SaleCompleted>),
    Voided(SaleVoided),
    Transferred(SaleTransferred),
}

/// A sale that is over.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) sale: Sale,
    pub(crate) end: End,
    pub(crate) place: Place,
}

/// Something that an export tells of.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Sale(Box<Ended>),
    Float(ShiftOpened, Place),
    Moved(CashMoved, Place),
    Counted(CashCounted, Place),
    Closed(Box<ZReported>, Place),
}

impl Ended {
    /// Number and circle of its receipt.
    pub(crate) fn receipt(&self) -> Option<(u64, Circle)> {
        match &self.end {
            End::Completed(fact) => Some((fact.receipt, fact.circle.unwrap_or(Circle::Sale))),
            End::Voided(_) | End::Transferred(_) => None,
        }
    }

    /// Who was signed on when it ended.
    pub(crate) fn operator(&self) -> Option<&str> {
        match &self.end {
            End::Completed(fact) => fact.operator.as_deref(),
            End::Voided(fact) => fact.operator.as_deref(),
            End::Transferred(_) => None,
        }
    }
}

/// Visits the events of a journal in their order, up to a sequence.
pub(crate) fn walk(
    history: &History,
    to: u64,
    mut visit: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let mut open: BTreeMap<u64, Sale> = BTreeMap::new();
    let mut failed = Ok(());
    history.each(1, to, |recorded| {
        if failed.is_ok() {
            failed = step(&mut open, recorded, &mut visit);
        }
    })?;
    failed
}

fn step(
    open: &mut BTreeMap<u64, Sale>,
    recorded: Recorded,
    visit: &mut impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let Recorded { fact, sequence, at_ns, .. } = recorded;
    let place = Place { sequence, at_ns };
    let refused = |error: Contradiction| {
        let message = format!("record {sequence} contradicts the journal: {error}; run verify");
        Error::new(Code::Inconsistent, message).with("sequence", sequence)
    };
    if let Some(number) = fact.sale() {
        if let Fact::SaleBegun(begun) = &fact {
            let sale = Sale::begun(begun, sequence, at_ns).map_err(refused)?;
            open.insert(number, sale);
            return Ok(());
        }
        // A sale that began before the oldest segment kept cannot be told whole.
        let Some(sale) = open.get_mut(&number) else { return Ok(()) };
        sale.apply(&fact).map_err(refused)?;
        let end = match fact {
            Fact::SaleCompleted(fact) => End::Completed(Box::new(fact)),
            Fact::SaleVoided(fact) => End::Voided(fact),
            Fact::SaleTransferred(fact) => End::Transferred(fact),
            _ => return Ok(()),
        };
        let Some(sale) = open.remove(&number) else { return Ok(()) };
        return visit(Event::Sale(Box::new(Ended { sale, end, place })));
    }
    match fact {
        Fact::ShiftOpened(fact) => visit(Event::Float(fact, place)),
        Fact::CashMoved(fact) => visit(Event::Moved(fact, place)),
        Fact::CashCounted(fact) => visit(Event::Counted(fact, place)),
        Fact::ZReported(fact) => visit(Event::Closed(Box::new(fact), place)),
        _ => Ok(()),
    }
}
