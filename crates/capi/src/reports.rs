//! Reports, closings and copies of receipts.
//!
//! A call that makes a report gives its number and its sequence; what it says is then read by the
//! sequence, as often as a host likes, so that no report is lost to a buffer that was too small.

use crate::guard::guard;
use crate::input;
use crate::memory::{self, Answer, Buffer};
use crate::people::fact;
use crate::seat;
use crate::terminal::argument;
use crate::types::{
    PK_PERIOD_DAY, PK_PERIOD_MONTH, PK_PERIOD_YEAR, PkFactAnswer, PkResult, PkTerminal,
};
use pos_kernel_core::journal::{Fact, PeriodKind};
use pos_kernel_core::{Code, Error, Result};

/// Reports what the till took since the last Z report. It changes nothing, and is journaled.
///
/// `key`: an idempotency key, or none. `out_answer` may be null; its number is the one that the next Z
/// report will have. Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_NOT_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_x_report(
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
        let answer = fact(&seat, seat.terminal.x_report(key)?, |report| report.number)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Closes the period: the report has the next number, the sums begin again, and the segment is sealed
/// behind it.
///
/// `key`: an idempotency key, or none. `out_answer` may be null. Durable when it returns: on the
/// device.
///
/// Codes: 1; 2 (PK_E_OPEN_SALES: pk_last_error_json has their numbers; PK_E_NOT_SIGNED_ON,
/// PK_E_CLOSED); 3; 7 (PK_E_OUTCOME_UNKNOWN: open the terminal again to learn it); 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_z_report(
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
        let answer = fact(&seat, seat.terminal.z_report(key)?, |report| report.number)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// Closes a longer period: a day over all Z reports since the last day, a month over days, a year over
/// months.
///
/// `kind`: PK_PERIOD_... `key`: an idempotency key, or none. `out_answer` may be null. Durable when it
/// returns: on the device.
///
/// Codes: 1; 2 (PK_E_NOTHING_TO_CLOSE, PK_E_NOT_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_period_close(
    terminal: PkTerminal,
    kind: u32,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let kind = match kind {
            PK_PERIOD_DAY => PeriodKind::Day,
            PK_PERIOD_MONTH => PeriodKind::Month,
            PK_PERIOD_YEAR => PeriodKind::Year,
            other => return Err(argument("kind", other, "1 (day), 2 (month) or 3 (year)")),
        };
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.period_close(kind, key)?;
        let answer = fact(&seat, answered, |closed| closed.number)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// What an X or Z report, a closed period or a closed shift says, as JSON, by the sequence that the
/// call gave which made it.
///
/// Codes: 1 (also when another fact stands there); 2 (PK_E_CLOSED); 3; 4; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_report_json(
    terminal: PkTerminal,
    sequence: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let text = report(terminal, sequence)?;
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Prints a receipt once more and counts the copy; pk_get_receipt_json_ex gives what to print.
///
/// `circle`: PK_CIRCLE_... `approval`: number of the approval for it; 0 for none. `key`: an idempotency
/// key, or none. `out_answer` may be null; its number is that of the copy, from 1. Durable when it
/// returns: on the device.
///
/// Codes: 1 (also for the receipt and the approval); 2 (PK_E_NOT_SIGNED_ON, PK_E_APPROVAL_USED,
/// PK_E_CLOSED); 3; 6; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_reprint(
    terminal: PkTerminal,
    circle: u32,
    receipt_number: u64,
    approval: u64,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkFactAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let (circle, approval) = (input::circle(circle)?, input::approval(approval));
        let seat = seat::terminal(terminal)?;
        let answered = seat.terminal.reprint(circle, receipt_number, approval, key)?;
        let answer = fact(&seat, answered, |reprint| reprint.copy)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

fn report(terminal: PkTerminal, sequence: u64) -> Result<String> {
    let seat = seat::terminal(terminal)?;
    let no_report = || {
        let message = format!("no report or closing stands at sequence {sequence}");
        Error::new(Code::NotFound, message).with("sequence", sequence)
    };
    if sequence == 0 || sequence > seat.terminal.status()?.position.sequence {
        return Err(no_report());
    }
    let recorded = seat.terminal.history().record(sequence)?;
    match recorded.fact {
        Fact::XReported(_) | Fact::ZReported(_) | Fact::PeriodClosed(_) | Fact::ShiftClosed(_) => {
            Ok(recorded.fact.show().to_string())
        }
        _ => Err(no_report()),
    }
}
