//! What handles stand for: an open terminal, and a sale on one.
//!
//! A seat keeps only what the kernel does not: which handle a sale has, whether its tenders complete
//! it, and how it ended, so that a host may ask again after the kernel has let go of it. A sale that
//! is over keeps its handle until the host closes it or a thousand newer ones have ended.

use crate::handle::Table;
use pos_kernel_core::limits::STORE_BYTES_MAX;
use pos_kernel_core::money::Currency;
use pos_kernel_core::sale::{LineInput, Reason, Receipt, Sale, State, TenderInput, Totals};
use pos_kernel_core::terminal::{Answer, LineAnswer, TenderAnswer, VoidAnswer};
use pos_kernel_core::{Code, Error, Result, Terminal};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Sales that are over and still have their handle.
const ENDED_MAX: usize = 1024;

static TERMINALS: Table<TerminalSeat> = Table::new(1);
static SALES: Table<SaleSeat> = Table::new(2);

/// An open terminal.
#[derive(Debug)]
pub(crate) struct TerminalSeat {
    pub(crate) terminal: Arc<Terminal>,
    /// Sales that came back are completed by their tenders, as those begun by the classic calls.
    automatic: bool,
    handle: OnceLock<u64>,
    /// `None` once the terminal is being closed.
    sales: Mutex<Option<Sales>>,
}

#[derive(Debug, Default)]
struct Sales {
    /// By the number of the sale.
    handles: HashMap<u64, u64, BuildHasherDefault<NumberHasher>>,
    ended: VecDeque<u64>,
}

/// Sale numbers count up and nobody chooses them, so spreading them is enough.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio in 64 bits: the upper bits, which the table looks at, change with each.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// A sale that a host holds a handle to.
#[derive(Debug)]
pub(crate) struct SaleSeat {
    pub(crate) seat: Arc<TerminalSeat>,
    pub(crate) number: u64,
    store: StoreName,
    currency: [u8; 3],
    pub(crate) first_sequence: u64,
    automatic: bool,
    last_sequence: AtomicU64,
    outcome: OnceLock<Outcome>,
}

/// The name of a store where it is: an allocation of its own would cost more than the room.
#[derive(Debug)]
struct StoreName {
    bytes: [u8; STORE_BYTES_MAX],
    size: u8,
}

/// How a sale ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) totals: Totals,
    /// Receipt number; 0 when it was voided.
    pub(crate) receipt: u64,
}

/// An answer that is as durable as it has to be.
#[derive(Debug)]
pub(crate) struct Settled<T> {
    pub(crate) value: T,
    pub(crate) sequence: u64,
    pub(crate) replayed: bool,
}

/// The terminal that a handle means.
#[inline]
pub(crate) fn terminal(handle: u64) -> Result<Arc<TerminalSeat>> {
    TERMINALS.get(handle).ok_or_else(|| unknown("terminal", handle))
}

/// The sale that a handle means.
#[inline]
pub(crate) fn sale(handle: u64) -> Result<Arc<SaleSeat>> {
    SALES.get(handle).ok_or_else(|| unknown("transaction", handle))
}

/// Ends a terminal's handle.
pub(crate) fn release(handle: u64) -> Result<Arc<TerminalSeat>> {
    TERMINALS.remove(handle).ok_or_else(|| unknown("terminal", handle))
}

#[cold]
pub(crate) fn unknown(what: &'static str, handle: u64) -> Error {
    if handle == 0 {
        return crate::memory::null(what);
    }
    let message = format!("{what} handle {handle:#x} is not open in this process");
    Error::new(Code::NotFound, message).with("handle", format!("{handle:#x}"))
}

/// Waits until an answer may be given.
#[inline]
pub(crate) fn settled<T>(terminal: &Terminal, answer: Answer<T>) -> Result<Settled<T>> {
    let Answer { sequence, replayed, .. } = answer;
    Ok(Settled { value: terminal.settle(answer)?, sequence, replayed })
}

impl TerminalSeat {
    /// Gives an open terminal a handle.
    pub(crate) fn new(terminal: Arc<Terminal>, automatic: bool) -> Result<Arc<Self>> {
        let sales = Mutex::new(Some(Sales::default()));
        let seat = Arc::new(Self { terminal, automatic, handle: OnceLock::new(), sales });
        let handle = TERMINALS.insert(seat.clone()).ok_or_else(full)?;
        seat.handle.set(handle).expect("it was made a moment ago");
        Ok(seat)
    }

    /// Its handle.
    pub(crate) fn handle(&self) -> u64 {
        self.handle.get().copied().unwrap_or_default()
    }

    /// Ends the handles of its sales and closes the terminal.
    pub(crate) fn close(&self) -> Result<()> {
        let sales = self.sales().take();
        for handle in sales.into_iter().flat_map(|sales| sales.handles.into_values()) {
            SALES.remove(handle);
        }
        self.terminal.close()
    }

    /// The handle of a sale: the one it has, else a new one.
    pub(crate) fn hold(self: &Arc<Self>, sale: NewSale<'_>) -> Result<u64> {
        let mut sales = self.sales();
        let Some(sales) = sales.as_mut() else { return Err(closing(self.terminal.id())) };
        let entry = match sales.handles.entry(sale.number) {
            Entry::Occupied(known) => return Ok(*known.get()),
            Entry::Vacant(entry) => entry,
        };
        let held = SaleSeat {
            seat: self.clone(),
            number: sale.number,
            store: StoreName::new(sale.store),
            currency: sale.currency,
            first_sequence: sale.first_sequence,
            automatic: sale.automatic,
            last_sequence: AtomicU64::new(sale.last_sequence),
            outcome: OnceLock::new(),
        };
        let handle = SALES.insert(Arc::new(held)).ok_or_else(full)?;
        Ok(*entry.insert(handle))
    }

    /// The handle of a sale that the kernel knows.
    pub(crate) fn find(self: &Arc<Self>, number: u64) -> Result<u64> {
        if let Some(handle) = self.sales().as_ref().and_then(|s| s.handles.get(&number).copied()) {
            return Ok(handle);
        }
        let read = |sale: &Sale| {
            let mut currency = [0; 3];
            currency.copy_from_slice(sale.currency.letters().as_bytes());
            (sale.store.clone(), currency, sale.first_sequence)
        };
        let (store, currency, first_sequence) = self.terminal.read_sale(number, read)?;
        let automatic = self.automatic;
        let store = &store;
        self.hold(NewSale { number, store, currency, first_sequence, last_sequence: 0, automatic })
    }

    /// Makes all that was appended durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.terminal.wait_durable(self.terminal.status()?.position.sequence)
    }

    /// Sales ended by a call that was not made through their handles: those that have one keep what
    /// they came to.
    pub(crate) fn over(&self, numbers: &[u64]) {
        for number in numbers {
            let handle = self.sales().as_ref().and_then(|s| s.handles.get(number).copied());
            let sale = handle.and_then(|handle| SALES.get(handle));
            if let (Some(sale), Ok(totals)) = (sale, self.terminal.totals(*number)) {
                sale.end(totals, 0);
            }
        }
    }

    fn ended(&self, number: u64) {
        let mut sales = self.sales();
        let Some(sales) = sales.as_mut() else { return };
        sales.ended.push_back(number);
        if sales.ended.len() > ENDED_MAX
            && let Some(oldest) = sales.ended.pop_front()
            && let Some(handle) = sales.handles.remove(&oldest)
        {
            SALES.remove(handle);
        }
    }

    fn forget(&self, number: u64) {
        if let Some(sales) = self.sales().as_mut() {
            sales.handles.remove(&number);
        }
    }

    fn sales(&self) -> MutexGuard<'_, Option<Sales>> {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sale to give a handle to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSale<'a> {
    pub(crate) number: u64,
    pub(crate) store: &'a str,
    /// One that the kernel has taken.
    pub(crate) currency: [u8; 3],
    pub(crate) first_sequence: u64,
    /// 0 when it is not known.
    pub(crate) last_sequence: u64,
    pub(crate) automatic: bool,
}

impl StoreName {
    fn new(store: &str) -> Self {
        let mut bytes = [0; STORE_BYTES_MAX];
        bytes[..store.len()].copy_from_slice(store.as_bytes());
        Self { bytes, size: u8::try_from(store.len()).expect("a store has up to 64 bytes") }
    }
}

impl SaleSeat {
    /// Its store.
    pub(crate) fn store(&self) -> &str {
        let StoreName { bytes, size } = &self.store;
        std::str::from_utf8(&bytes[..usize::from(*size)]).expect("it was made from text")
    }

    /// Its currency.
    pub(crate) fn currency(&self) -> Result<Currency> {
        Currency::parse(std::str::from_utf8(&self.currency).expect("the kernel has taken it"))
    }

    fn terminal(&self) -> &Terminal {
        &self.seat.terminal
    }

    /// Waits for an answer of this sale.
    #[inline]
    pub(crate) fn settled<T>(&self, answer: Answer<T>) -> Result<Settled<T>> {
        let settled = settled(self.terminal(), answer)?;
        self.last_sequence.fetch_max(settled.sequence, Ordering::Relaxed);
        Ok(settled)
    }

    /// Adds a line.
    #[inline]
    pub(crate) fn add_line(
        &self,
        line: &LineInput<'_>,
        key: Option<&str>,
    ) -> Result<Settled<LineAnswer>> {
        self.settled(self.terminal().add_line(self.number, line, key)?)
    }

    /// Takes a tender; where tenders complete the sale and this one covers it, one wait serves both.
    pub(crate) fn tender(
        &self,
        tender: &TenderInput<'_>,
        key: Option<&str>,
    ) -> Result<(Settled<TenderAnswer>, u64)> {
        let answer = self.terminal().tender(self.number, tender, key)?;
        if !self.automatic || answer.value.due != 0 {
            return Ok((self.settled(answer)?, 0));
        }
        match self.complete(None) {
            Ok(completed) => Ok((self.settled(answer)?, completed.value.number)),
            // Another tender is pending, or a repeated call finds the sale complete.
            Err(error) if matches!(error.code(), Code::PendingTender | Code::AlreadyFinal) => {
                Ok((self.settled(answer)?, 0))
            }
            Err(error) => Err(error),
        }
    }

    /// Completes the sale.
    #[inline]
    pub(crate) fn complete(&self, key: Option<&str>) -> Result<Settled<Receipt>> {
        let settled = self.settled(self.terminal().complete(self.number, key)?)?;
        self.end(settled.value.totals(), settled.value.number);
        Ok(settled)
    }

    /// Completes the sale, unless that has been done.
    pub(crate) fn commit(&self) -> Result<()> {
        match self.complete(None) {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Code::AlreadyFinal => {
                if self.totals()?.state != State::Completed {
                    return Err(error);
                }
                // Another thread's completion may still be on its way to the device.
                self.seat.sync()
            }
            Err(error) => Err(error),
        }
    }

    /// Voids the sale.
    pub(crate) fn void(&self, reason: Reason<'_>, key: Option<&str>) -> Result<u64> {
        self.voided(|terminal| terminal.void_sale(self.number, reason, key))
    }

    /// Voids the sale, giving back the cash that was taken for it.
    pub(crate) fn abort(&self, reason: &str) -> Result<()> {
        self.voided(|terminal| terminal.void_with_cash(self.number, reason, None)).map(drop)
    }

    fn voided(&self, void: impl FnOnce(&Terminal) -> Result<Answer<VoidAnswer>>) -> Result<u64> {
        let before = self.totals().ok();
        let settled = self.settled(void(self.terminal())?)?;
        if let Some(totals) = before {
            let (due, state) = (totals.gross, State::Voided);
            let untendered = Totals { rounding: 0, tendered: 0, pending: 0, tips: 0, ..totals };
            self.end(Totals { due, change: 0, state, ..untendered }, 0);
        }
        Ok(settled.sequence)
    }

    /// Ends the handle of a sale that is over.
    pub(crate) fn close(&self, handle: u64) -> Result<()> {
        self.terminal().close_sale(self.number)?;
        self.seat.forget(self.number);
        SALES.remove(handle).map(drop).ok_or_else(|| unknown("transaction", handle))
    }

    /// What it comes to, or came to.
    pub(crate) fn totals(&self) -> Result<Totals> {
        match self.outcome.get() {
            Some(outcome) => Ok(outcome.totals),
            None => self.terminal().totals(self.number),
        }
    }

    /// How it ended, when it did so through this handle.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome.get().copied()
    }

    /// Sequence of its last record.
    pub(crate) fn last_sequence(&self) -> Result<u64> {
        let known = self.last_sequence.load(Ordering::Relaxed);
        if known != 0 {
            return Ok(known);
        }
        // It came back from the journal: its records are there.
        let mut last = self.first_sequence;
        self.terminal().history().each(self.first_sequence, u64::MAX, |recorded| {
            if recorded.fact.sale() == Some(self.number) {
                last = recorded.sequence;
            }
        })?;
        Ok(self.last_sequence.fetch_max(last, Ordering::Relaxed).max(last))
    }

    fn end(&self, totals: Totals, receipt: u64) {
        if self.outcome.set(Outcome { totals, receipt }).is_ok() {
            self.seat.ended(self.number);
        }
    }
}

pub(crate) fn full() -> Error {
    let limit = 1_u64 << 24;
    let message = format!("handles of one kind: over the limit of {limit}; close some");
    Error::new(Code::Limit, message).with("what", "handles").with("limit", limit)
}

fn closing(id: &str) -> Error {
    let message =
        format!("terminal {id} is being closed; what was begun comes back as an open sale");
    Error::new(Code::Closed, message).with("terminal", id)
}
