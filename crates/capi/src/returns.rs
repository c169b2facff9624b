//! Returns with their receipt: what was sold comes back for what it was sold for, and never more of it.

use crate::answer;
use crate::guard::guard;
use crate::input;
use crate::memory::{self, Answer, Slot};
use crate::seat::{self, Settled};
use crate::terminal::flags;
use crate::types::{
    PkDecimal, PkLineAnswer, PkReason, PkResult, PkReturnOf, PkTerminal, PkTransactionHandle,
};
use pos_kernel_core::journal::ReturnsOf;
use pos_kernel_core::{Code, Error, Result};

/// Begins a sale that takes lines of a receipt back, in the store and the currency of that receipt.
///
/// `of`: the receipt, of any terminal of the store, and an idempotency key. Durable as
/// pk_begin_transaction_ex.
///
/// Codes: 1 (also for the receipt); 2 (PK_E_CLOSED); 3 (PK_E_BAD_ID, PK_E_LIMIT, PK_E_BAD_KEY,
/// PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 6; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_begin_return(
    terminal: PkTerminal,
    of: *const PkReturnOf,
    out_handle: *mut PkTransactionHandle,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_handle", out_handle)?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("of", of) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the texts.
        let of = unsafe { receipt(&given, seat.terminal.id()) }?;
        let of = of.ok_or_else(|| no_receipt("of"))?;
        let answer = seat.terminal.begin_return(&of.terminal, of.receipt, key)?;
        let Settled { value, .. } = seat::settled(&seat.terminal, answer)?;
        let handle = seat.find(value.sale)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// Takes a part of a sold line back: for its share of the amount and the taxes that it was sold for,
/// so that all parts add up to the line.
///
/// `line`: number of the line on the receipt. `quantity`: how much comes back, more than zero.
/// `of`: the receipt; null, or one without number, for the one that the sale was begun for; its key
/// is none. `reason`: why, an approval if there is one, an idempotency key. `out_answer` may be null.
/// Durable as pk_begin_transaction_ex.
///
/// Codes: 1 (also for the receipt and its line); 2 (PK_E_REFUND_EXCEEDS: pk_last_error_json has what
/// is left; PK_E_LINE_VOIDED, PK_E_MIXED_RETURNS, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED);
/// 3 (PK_E_BAD_QUANTITY, PK_E_BAD_CURRENCY for a receipt in another one, PK_E_BAD_ARGUMENT when there
/// is no receipt, PK_E_BAD_TEXT, PK_E_LIMIT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE); 6; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_return_line(
    handle: PkTransactionHandle,
    line: u32,
    quantity: *const PkDecimal,
    of: *const PkReturnOf,
    reason: *const PkReason,
    out_answer: *mut PkLineAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the decimal.
        let quantity = unsafe { memory::plain("quantity", quantity) }?;
        let quantity = input::decimal("quantity", quantity, Code::BadQuantity)?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let of = if of.is_null() {
            None
        } else {
            // SAFETY: the caller promises the structure.
            let given = unsafe { memory::structure("of", of) }?;
            input::no_key(given.key.size)?;
            // SAFETY: the caller promises the texts.
            unsafe { receipt(&given, terminal.id()) }?
        };
        let part = (line, quantity);
        let settled =
            sale.settled(terminal.return_line(sale.number, of.as_ref(), part, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// The receipt that is meant; `None` without a number.
///
/// # Safety
/// The texts can be read.
unsafe fn receipt(given: &PkReturnOf, here: &str) -> Result<Option<ReturnsOf>> {
    flags("of.reserved", given.reserved, 0)?;
    // SAFETY: the caller promises the text.
    let terminal = unsafe { memory::optional_field(memory::ID, given.terminal) }?;
    if given.receipt == 0 {
        return if terminal.is_none() { Ok(None) } else { Err(no_receipt("of.receipt")) };
    }
    let terminal = terminal.unwrap_or(here).to_owned();
    Ok(Some(ReturnsOf { terminal, receipt: given.receipt }))
}

#[cold]
fn no_receipt(what: &'static str) -> Error {
    let message = "no receipt is named; give its number, from 1";
    Error::new(Code::BadArgument, message).with("argument", what)
}
