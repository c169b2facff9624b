//! Cash from the drawer of one terminal to that of another of the store, once only.

use crate::guard::guard;
use crate::input;
use crate::json;
use crate::memory::{self, Answer, Buffer};
use crate::seat::{self, Settled};
use crate::terminal::argument;
use crate::types::{
    PK_MOVE_PAID_OUT, PkCashMovement, PkCashReceived, PkCashTicket, PkReason, PkResult, PkTerminal,
};
use pos_kernel_core::sale::Reason;
use pos_kernel_core::terminal::{CashReceived, CashSent};
use serde_json::Value;

/// Takes cash out of the drawer for the drawer of another terminal of the store. It is on its way until
/// it is received there by the ticket of the answer, or taken back here.
///
/// `to`: the id of the other terminal. `movement`: of kind PK_MOVE_PAID_OUT. `out_answer` is needed: the
/// ticket is in it. Durable when it returns: on the device.
///
/// Codes: 1 (also for the other terminal and the approval); 2 (PK_E_SHIFT_CLOSED, PK_E_NOT_SIGNED_ON,
/// PK_E_TRAINING, PK_E_APPROVAL_USED, PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for this terminal;
/// PK_E_BAD_AMOUNT for an amount that is not positive, or more than the drawer holds; PK_E_BAD_CURRENCY;
/// PK_E_LIMIT while too much is on its way); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_send_cash(
    terminal: PkTerminal,
    to: *const u8,
    to_len: usize,
    movement: *const PkCashMovement,
    out_answer: *mut PkCashTicket,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_answer", out_answer) }?;
        // SAFETY: the caller promises the text.
        let to = unsafe { memory::text(memory::ID, to, to_len) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("movement", movement) }?;
        // SAFETY: the caller promises the texts.
        let currency = unsafe { memory::field(memory::CURRENCY, given.currency) }?;
        // SAFETY: as above.
        let text = unsafe { memory::field(memory::REASON, given.reason) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let reason = Reason { text, approval: input::approval(given.approval) };
        let seat = seat::terminal(terminal)?;
        if given.kind != PK_MOVE_PAID_OUT {
            return Err(argument("movement.kind", given.kind, "2 (paid out)"));
        }
        let answered = seat.terminal.send_cash(to, (currency, given.amount), reason, key)?;
        let Settled { value: CashSent { ticket }, sequence, replayed } =
            seat::settled(&seat.terminal, answered)?;
        let mut letters = [0; 96];
        letters[..ticket.len()].copy_from_slice(ticket.as_bytes());
        let replayed = replayed.into();
        let answer = PkCashTicket { struct_size: 0, replayed, sequence, ticket: letters };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Puts cash into the drawer that another terminal of the store sent here; at the terminal that sent
/// it, takes it back. A ticket is good once.
///
/// `out_answer` may be null. Durable when it returns: on the device.
///
/// Codes: 1 (also for the terminal and the record of the ticket, and for the approval); 2
/// (PK_E_ALREADY_RECEIVED: pk_last_error_json has where; PK_E_SHIFT_CLOSED, PK_E_NOT_SIGNED_ON,
/// PK_E_TRAINING, PK_E_APPROVAL_USED, PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for what is no ticket, or for
/// cash that goes to another terminal); 6; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_receive_cash(
    terminal: PkTerminal,
    ticket: *const u8,
    ticket_len: usize,
    reason: *const PkReason,
    out_answer: *mut PkCashReceived,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the text.
        let ticket = unsafe { memory::text(memory::TICKET, ticket, ticket_len) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.receive_cash(ticket, reason, key)?;
        let Settled { value, sequence, replayed } = seat::settled(&seat.terminal, answered)?;
        let CashReceived { terminal, currency, amount, taken_back } = value;
        let mut other = [0; 40];
        other[..terminal.len()].copy_from_slice(terminal.as_bytes());
        let mut letters = [0; 8];
        letters[..3].copy_from_slice(currency.letters().as_bytes());
        let answer = PkCashReceived {
            struct_size: 0,
            replayed: replayed.into(),
            sequence,
            amount,
            currency: letters,
            terminal: other,
            taken_back: taken_back.into(),
            reserved: 0,
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// The cash that is on its way in the store of a terminal, as a JSON array: `ticket`, `from`, `to`,
/// `currency`, `amount`, `reason`, `at`.
///
/// Codes: 1; 3; 4; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_list_cash_in_transit_json(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let cash = seat::terminal(terminal)?.terminal.cash_in_transit()?;
        let text = Value::Array(cash.iter().map(json::in_transit).collect()).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}
