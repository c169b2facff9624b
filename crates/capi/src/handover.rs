//! Sales that wait: suspended, resumed here or on another terminal of the store, once only; and sales
//! that nobody goes on with.

use crate::guard::guard;
use crate::input;
use crate::json;
use crate::memory::{self, Answer, Buffer, Slot};
use crate::seat::{self, Settled};
use crate::types::{PkReason, PkResult, PkSuspendAnswer, PkTerminal, PkTransactionHandle};
use pos_kernel_core::terminal::SuspendAnswer;
use serde_json::Value;
use std::time::Duration;

/// Suspends a sale without live tenders. Nothing else can happen to it until it is resumed by the
/// ticket of the answer, on any terminal of the store.
///
/// `out_answer` is needed: the ticket is in it. Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_TENDER_TAKEN, PK_E_SUSPENDED, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3; 7
/// (PK_E_OUTCOME_UNKNOWN: open the terminal again to learn it); 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_suspend_transaction(
    handle: PkTransactionHandle,
    reason: *const PkReason,
    out_answer: *mut PkSuspendAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::plain_reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled = sale.settled(terminal.suspend(sale.number, reason, key)?)?;
        let Settled { value: SuspendAnswer { sale, ticket }, sequence, replayed } = settled;
        let mut letters = [0; 96];
        letters[..ticket.len()].copy_from_slice(ticket.as_bytes());
        let replayed = replayed.into();
        let answer = PkSuspendAnswer { struct_size: 0, replayed, sale, sequence, ticket: letters };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Resumes a suspended sale by its ticket: under its own number where it was suspended, under a new
/// one on another terminal of the same store.
///
/// `key`: an idempotency key, or none. Durable when it returns: on the device.
///
/// Codes: 1 (also for the sale or the terminal of the ticket); 2 (PK_E_ALREADY_RESUMED:
/// pk_last_error_json has where; PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for what is no ticket, PK_E_LIMIT,
/// PK_E_BAD_KEY, PK_E_BAD_UTF8); 6; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_resume_transaction(
    terminal: PkTerminal,
    ticket: *const u8,
    ticket_len: usize,
    key: *const u8,
    key_len: usize,
    out_handle: *mut PkTransactionHandle,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_handle", out_handle)?;
        // SAFETY: the caller promises the texts.
        let ticket = unsafe { memory::text(memory::TICKET, ticket, ticket_len) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let Settled { value, .. } =
            seat::settled(&seat.terminal, seat.terminal.resume(ticket, key)?)?;
        let handle = seat.find(value.sale)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// The sales that wait in the store of a terminal, as a JSON array: `ticket`, `terminal`, `sale`,
/// `reference`, `currency`, `gross`, `lines`, `reason`, `at`.
///
/// Codes: 1; 3; 4; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_list_suspended_json(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let waiting = seat::terminal(terminal)?.terminal.suspended_sales()?;
        let text = Value::Array(waiting.iter().map(json::waiting).collect()).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Journals which suspended sales of a terminal have gone on at others: they are over here. It is
/// done at every opening, and by a host before it looks for its open sales or closes a day.
///
/// `out_count`: how many sales are over with it. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_collect_transfers(
    terminal: PkTerminal,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_count", out_count)?;
        let seat = seat::terminal(terminal)?;
        let over = seat.terminal.collect_transfers()?;
        seat.over(&over);
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(over.len()) };
        Ok(())
    })
}

/// Voids the sales to which nothing has happened for so long, by the monotonic clock and while the
/// terminal was open. One for which money was taken, or may have been, never expires, nor does a
/// suspended one.
///
/// `idle_ns`: nanoseconds. `reason`: 1 to 256 bytes for the journal. `out_count`: how many sales were
/// voided. Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_expire_transactions(
    terminal: PkTerminal,
    idle_ns: u64,
    reason: *const u8,
    reason_len: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_count", out_count)?;
        // SAFETY: the caller promises the text.
        let reason = unsafe { memory::text(memory::REASON, reason, reason_len) }?;
        let seat = seat::terminal(terminal)?;
        let answer = seat.terminal.expire(Duration::from_nanos(idle_ns), reason)?;
        let Settled { value, .. } = seat::settled(&seat.terminal, answer)?;
        seat.over(&value);
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(value.len()) };
        Ok(())
    })
}
