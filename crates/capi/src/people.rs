//! People and the drawer: who is here, what was allowed, what lies in the drawer.
//!
//! Each call that changes something makes one fact, which is on the device when it returns, in both
//! durabilities.

use crate::answer;
use crate::guard::guard;
use crate::input;
use crate::memory::{self, Answer, Answers, Buffer};
use crate::seat::{self, Settled, TerminalSeat};
use crate::terminal::{argument, flags};
use crate::types::{
    PK_MOVE_NO_SALE, PK_MOVE_PAID_IN, PK_MOVE_PAID_OUT, PkApproval, PkAttendance, PkCash,
    PkCashMovement, PkCountAnswer, PkDrawer, PkFactAnswer, PkResult, PkTerminal,
};
use pos_kernel_core::sale::Reason;
use pos_kernel_core::terminal::{Answer as Answered, Approved, Counted, ShiftAnswer};
use pos_kernel_core::{Code, Error, Result};

/// Currencies in a float.
const FLOATS_MAX: usize = 16;

/// Signs an operator on. Facts name the operator from here on.
///
/// `key`: an idempotency key, or none. `out_answer` may be null.
///
/// Codes: 1; 2 (PK_E_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_sign_on(
    terminal: PkTerminal,
    operator_name: *const u8,
    operator_name_len: usize,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the texts.
        let name = unsafe { memory::text(memory::OPERATOR, operator_name, operator_name_len) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answer = fact(&seat, seat.terminal.sign_on(name, key)?, |()| 0)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Signs the operator off.
///
/// `key`: an idempotency key, or none. `out_answer` may be null.
///
/// Codes: 1; 2 (PK_E_NOT_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_sign_off(
    terminal: PkTerminal,
    operator_name: *const u8,
    operator_name_len: usize,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the texts.
        let name = unsafe { memory::text(memory::OPERATOR, operator_name, operator_name_len) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answer = fact(&seat, seat.terminal.sign_off(name, key)?, |()| 0)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Gives an approval: somebody allows one thing, once. The answer's number goes into the call that it
/// allows.
///
/// `out_answer` may be null.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_approve(
    terminal: PkTerminal,
    approval: *const PkApproval,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("approval", approval) }?;
        flags("approval.reserved", given.reserved, 0)?;
        // SAFETY: the caller promises the texts.
        let approver = unsafe { memory::field(memory::OPERATOR, given.approver) }?;
        // SAFETY: as above.
        let what = unsafe { memory::field(memory::REASON, given.what) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.approve(approver, what, key)?;
        let answer = fact(&seat, answered, |Approved { approval }| approval)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Switches training on (1) or off (0). Sales that begin in training have receipt numbers of their own
/// and move no counter.
///
/// `approval`: number of the approval for it; 0 for none. `key`: an idempotency key, or none.
/// `out_answer` may be null.
///
/// Codes: 1 (also for the approval); 2 (PK_E_NOT_SIGNED_ON, PK_E_APPROVAL_USED, PK_E_CLOSED); 3
/// (PK_E_BAD_ARGUMENT when it is so already); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_set_training(
    terminal: PkTerminal,
    on: u32,
    approval: u64,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        flags("on", on, 1)?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.set_training(on == 1, input::approval(approval), key)?;
        let answer = fact(&seat, answered, |()| 0)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Opens a shift with its float.
///
/// `cash`: amounts, each currency once; the `struct_size` of the first is the distance from each to
/// the next. `cash_count`: how many, 0 to 16. `key`: an idempotency key, or none. `out_answer` may be
/// null; its number is the shift's.
///
/// Codes: 1; 2 (PK_E_SHIFT_OPEN, PK_E_NOT_SIGNED_ON, PK_E_TRAINING, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_open_shift(
    terminal: PkTerminal,
    cash: *const PkCash,
    cash_count: usize,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        let read = |given: &PkCash| {
            flags("cash.reserved", given.reserved, 0)?;
            Ok((input::currency("cash.currency", given.currency)?, given.amount))
        };
        // SAFETY: the caller promises the array.
        let float = unsafe { memory::array("cash", cash, cash_count, FLOATS_MAX, read) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.open_shift(&float, key)?;
        let answer = fact(&seat, answered, |ShiftAnswer { shift }| shift)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Closes the shift. pk_get_report_json gives its drawer by the sequence of the answer.
///
/// `key`: an idempotency key, or none. `out_answer` may be null; its number is the shift's.
///
/// Codes: 1; 2 (PK_E_SHIFT_CLOSED; PK_E_OPEN_SALES while one holds cash; PK_E_NOT_SIGNED_ON,
/// PK_E_TRAINING, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_close_shift(
    terminal: PkTerminal,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answer = fact(&seat, seat.terminal.close_shift(key)?, |closed| closed.number)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Pays cash into the drawer or out of it, or opens it without a sale.
///
/// `out_answer` may be null.
///
/// Codes: 1 (also for the approval); 2 (PK_E_SHIFT_CLOSED, PK_E_NOT_SIGNED_ON, PK_E_TRAINING,
/// PK_E_APPROVAL_USED, PK_E_CLOSED); 3 (PK_E_BAD_AMOUNT for an amount that is not positive, or more
/// than the drawer holds; PK_E_BAD_CURRENCY, PK_E_BAD_ARGUMENT for an amount or a currency without
/// movement); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_move_cash(
    terminal: PkTerminal,
    movement: *const PkCashMovement,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("movement", movement) }?;
        // SAFETY: the caller promises the texts.
        let currency = unsafe { memory::field(memory::CURRENCY, given.currency) }?;
        // SAFETY: as above.
        let text = unsafe { memory::field(memory::REASON, given.reason) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let reason = Reason { text, approval: input::approval(given.approval) };
        let amount = given.amount;
        let seat = seat::terminal(terminal)?;
        let answered = match given.kind {
            PK_MOVE_PAID_IN => seat.terminal.paid_in(currency, amount, reason, key),
            PK_MOVE_PAID_OUT => seat.terminal.paid_out(currency, amount, reason, key),
            PK_MOVE_NO_SALE if amount == 0 && currency.is_empty() => {
                seat.terminal.no_sale(reason, key)
            }
            PK_MOVE_NO_SALE => {
                let message = "an opening of the drawer moves nothing; leave amount and currency 0";
                Err(Error::new(Code::BadArgument, message).with("argument", "movement.amount"))
            }
            other => {
                let allowed = "1 (paid in), 2 (paid out) or 3 (no sale)";
                Err(argument("movement.kind", other, allowed))
            }
        };
        let answer = fact(&seat, answered?, |()| 0)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Counts the cash of one currency. What is over or short is booked: from here on the drawer is
/// expected to hold what was counted.
///
/// `counted`: minor units. `key`: an idempotency key, or none. `out_answer` may be null.
///
/// Codes: 1; 2 (PK_E_SHIFT_CLOSED; PK_E_OPEN_SALES while one holds cash; PK_E_NOT_SIGNED_ON,
/// PK_E_TRAINING, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_count_cash(
    terminal: PkTerminal,
    currency: *const u8,
    currency_len: usize,
    counted: i64,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkCountAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the texts.
        let currency = unsafe { memory::text(memory::CURRENCY, currency, currency_len) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.cash_count(currency, counted, key)?;
        let Settled { value, sequence, replayed } = seat::settled(&seat.terminal, answered)?;
        let Counted { expected, counted, over_short } = value;
        let replayed = replayed.into();
        let answer =
            PkCountAnswer { struct_size: 0, replayed, sequence, expected, counted, over_short };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// The drawer of the shift under way, one entry a currency. `out_count` and `capacity` as
/// pk_get_counters.
///
/// Codes: 1; 2 (PK_E_SHIFT_CLOSED, PK_E_CLOSED); 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_drawer(
    terminal: PkTerminal,
    out_drawer: *mut PkDrawer,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_drawer", out_drawer, capacity, out_count) }?;
        let seat = seat::terminal(terminal)?;
        let shift = seat.terminal.shift()?.ok_or_else(|| no_shift(seat.terminal.id()))?;
        let drawer: Vec<PkDrawer> = shift.sums().iter().map(answer::drawer).collect();
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&drawer) }
    })
}

/// Who is at a till: operator, shift, training.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_attendance(
    terminal: PkTerminal,
    out_attendance: *mut PkAttendance,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_attendance", out_attendance) }?;
        let seat = seat::terminal(terminal)?;
        let attendance = PkAttendance {
            struct_size: 0,
            operator_on: seat.terminal.operator()?.is_some().into(),
            shift: seat.terminal.shift()?.map_or(0, |shift| shift.number),
            training: seat.terminal.is_training()?.into(),
            reserved: 0,
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&attendance) };
        Ok(())
    })
}

/// The operator who is signed on; empty for nobody.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_operator(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let name = seat::terminal(terminal)?.terminal.operator()?.unwrap_or_default();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&name) }
    })
}

/// Waits for a fact and gives its answer.
pub(crate) fn fact<T>(
    seat: &TerminalSeat,
    answered: Answered<T>,
    number: impl FnOnce(T) -> u64,
) -> Result<PkFactAnswer> {
    let Settled { value, sequence, replayed } = seat::settled(&seat.terminal, answered)?;
    let number = number(value);
    Ok(PkFactAnswer { struct_size: 0, replayed: replayed.into(), sequence, number })
}

#[cold]
fn no_shift(terminal: &str) -> Error {
    let message = format!("no shift is open on terminal {terminal}; open one with its float");
    Error::new(Code::ShiftClosed, message).with("terminal", terminal)
}
