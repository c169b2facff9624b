//! Sales by handle: everything that may happen to one.
//!
//! A call that makes a fact returns once that fact is as durable as the terminal's durability says.
//! With an idempotency key the first call makes the fact and every later one gets its answer.

use crate::answer;
use crate::guard::guard;
use crate::input::{self, Parts, SaidOf};
use crate::memory::{self, Answer, Slot};
use crate::seat::{self, NewSale, Settled};
use crate::terminal::flags;
use crate::types::{
    PK_BEGIN_AUTO_COMPLETE, PkCart, PkDecimal, PkLineAnswer, PkLineInput, PkReason, PkReceipt,
    PkResult, PkTenderAnswer, PkTenderInput, PkTerminal, PkTransactionHandle, PkTransactionOptions,
};
use pos_kernel_core::limits::{LINES_MAX, TENDERS_MAX};
use pos_kernel_core::sale::{Reason, TenderInput};
use pos_kernel_core::terminal::{LineAnswer, Sold};
use pos_kernel_core::{Code, Result};

/// Begins a sale.
///
/// `options`: store, currency, the host's own number for it, an idempotency key; with
/// PK_BEGIN_AUTO_COMPLETE a tender that covers the total completes the sale.
/// Durable when it returns: in durability `record` on the device, in `sale` safe from the death of
/// the process.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_CURRENCY, PK_E_LIMIT for more open sales or
/// currencies than there may be, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_begin_transaction_ex(
    terminal: PkTerminal,
    options: *const PkTransactionOptions,
    out_handle: *mut PkTransactionHandle,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_handle", out_handle)?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("options", options) }?;
        flags("options.flags", given.flags, PK_BEGIN_AUTO_COMPLETE)?;
        // SAFETY: the caller promises the texts.
        let store = unsafe { memory::field(memory::STORE, given.store) }?;
        // SAFETY: as above.
        let currency = unsafe { memory::field(memory::CURRENCY, given.currency) }?;
        // SAFETY: as above.
        let reference = unsafe { memory::optional_field(memory::REFERENCE, given.reference) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let automatic = given.flags & PK_BEGIN_AUTO_COMPLETE != 0;
        let seat = seat::terminal(terminal)?;
        let handle = begin(&seat, Begin { store, currency, reference, key, automatic })?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// Adds a line, with the discounts and surcharges that it begins with in the same write.
///
/// `line`: stock-keeping unit, text, exact quantity and unit price, taxes, discounts, the line it
/// belongs to, an idempotency key. `out_answer` may be null.
/// Durable as pk_begin_transaction_ex.
///
/// Codes: 1 (also for the parent); 2 (PK_E_ALREADY_FINAL, PK_E_TENDER_TAKEN, PK_E_LINE_VOIDED for
/// the parent, PK_E_MIXED_RETURNS and PK_E_UNBOUND_RETURN by the policy, PK_E_CLOSED); 3
/// (PK_E_BAD_TEXT, PK_E_BAD_QUANTITY, PK_E_BAD_PRICE, PK_E_BAD_RATE, PK_E_BAD_AMOUNT, PK_E_OVERFLOW,
/// PK_E_LIMIT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 7; 8; 9
/// (PK_E_APPROVAL_REQUIRED for a return without its receipt).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_add_line_ex(
    handle: PkTransactionHandle,
    line: *const PkLineInput,
    out_answer: *mut PkLineAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("line", line) }?;
        // SAFETY: the caller promises the arrays and the texts.
        let said = unsafe { input::said(given.attributes, given.attribute_count) }?;
        let attributes = input::attributes(&said)?;
        // SAFETY: as above.
        let parts = unsafe { Parts::of(&given) }?;
        // SAFETY: as above.
        let mut line = unsafe { input::line(&given) }?;
        parts.lend(&mut line);
        line.attributes = &attributes;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let settled = seat::sale(handle)?.add_line(&line, key)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// Changes the quantity of a line; its sign stays.
///
/// `line`: its number. `quantity`: the new one, not zero. `reason`: why, for the journal.
/// `out_answer` may be null. Durable as pk_begin_transaction_ex.
///
/// Codes: as pk_add_line_ex.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_set_line_quantity(
    handle: PkTransactionHandle,
    line: u32,
    quantity: *const PkDecimal,
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
        let settled =
            sale.settled(terminal.set_quantity(sale.number, line, quantity, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// Voids a line: it stays on the sale and in the journal and counts nothing. With `linked` 1 the
/// lines that belong to it go with it, all or none; with 0 it is refused while there are any.
///
/// `out_answer` may be null. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_LINE_HAS_CHILDREN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
/// PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE,
/// PK_E_BAD_ARGUMENT); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_void_line(
    handle: PkTransactionHandle,
    line: u32,
    linked: u32,
    reason: *const PkReason,
    out_answer: *mut PkLineAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        flags("linked", linked, 1)?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let settled = void_line(handle, line, linked == 1, reason, key)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// Takes a tender: positive while something is due, negative while something is to be paid out.
/// Only what the policy names may be more than is due, cash and foreign cash where none is set, and
/// only confirmed; the difference is change.
///
/// `out_answer` may be null; its `receipt` is not 0 when the tender completed the sale.
/// Durable when it returns: confirmed cash as pk_begin_transaction_ex; a card and a pending tender on
/// the device, in both durabilities. When a sale is completed by it and that completion is refused,
/// the code is the completion's and the tender stands.
///
/// Codes: 1; 2 (PK_E_NOTHING_DUE, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
/// (PK_E_BAD_AMOUNT, PK_E_BAD_RATE, PK_E_BAD_CURRENCY, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_LIMIT,
/// PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT for a rate without foreign money or the other way
/// round, PK_E_STRUCT_SIZE); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_add_tender_ex(
    handle: PkTransactionHandle,
    tender: *const PkTenderInput,
    out_answer: *mut PkTenderAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("tender", tender) }?;
        // SAFETY: the caller promises the array and its texts.
        let said = unsafe { input::said(given.attributes, given.attribute_count) }?;
        let attributes = input::attributes(&said)?;
        // SAFETY: the caller promises the texts.
        let tender = TenderInput { attributes: &attributes, ..unsafe { input::tender(&given) }? };
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let (settled, receipt) = seat::sale(handle)?.tender(&tender, key)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::tender_answer(&settled, receipt)) };
        Ok(())
    })
}

/// Confirms a pending tender.
///
/// `auth`: the authorisation given outside the till, up to 64 bytes, or none. `key`: an idempotency
/// key, or none. `out_answer` may be null. Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_TENDER_STATE, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_confirm_tender(
    handle: PkTransactionHandle,
    tender: u32,
    auth: *const u8,
    auth_len: usize,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkTenderAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the texts.
        let auth = unsafe { memory::optional(memory::AUTH, auth, auth_len) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled = sale.settled(terminal.confirm_tender(sale.number, tender, auth, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::tender_answer(&settled, 0)) };
        Ok(())
    })
}

/// Declines a pending tender.
///
/// `out_answer` may be null. Durable when it returns: on the device.
///
/// Codes: as pk_confirm_tender.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_decline_tender(
    handle: PkTransactionHandle,
    tender: u32,
    reason: *const PkReason,
    out_answer: *mut PkTenderAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled = sale.settled(terminal.decline_tender(sale.number, tender, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::tender_answer(&settled, 0)) };
        Ok(())
    })
}

/// Takes a live tender back.
///
/// `out_answer` may be null. Durable when it returns: on the device.
///
/// Codes: as pk_confirm_tender.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_void_tender(
    handle: PkTransactionHandle,
    tender: u32,
    reason: *const PkReason,
    out_answer: *mut PkTenderAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled = sale.settled(terminal.void_tender(sale.number, tender, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::tender_answer(&settled, 0)) };
        Ok(())
    })
}

/// Completes a sale: the receipt number, the counters and the fact are one record.
///
/// `key`: an idempotency key, or none. `out_receipt` may be null.
/// Durable when it returns: on the device, in both durabilities.
///
/// Codes: 1; 2 (PK_E_UNDERPAID, PK_E_PENDING_TENDER, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL,
/// PK_E_CLOSED); 3; 7 (PK_E_OUTCOME_UNKNOWN: open the terminal again to learn it); 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_complete_transaction(
    handle: PkTransactionHandle,
    key: *const u8,
    key_len: usize,
    out_receipt: *mut PkReceipt,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_receipt", out_receipt) }?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let settled = seat::sale(handle)?.complete(key)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::receipt(&settled.value, settled.replayed)) };
        Ok(())
    })
}

/// Voids a whole sale that has no live tender. It stays in the journal.
///
/// Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3; 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_void_transaction(
    handle: PkTransactionHandle,
    reason: *const PkReason,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        seat::sale(handle)?.void(reason, key).map(drop)
    })
}

/// Rings up a whole sale: begin, lines, discounts, tenders and completion in one write and one device
/// flush. It is in the journal whole or not at all.
///
/// `out_receipt` may be null. Durable when it returns: on the device, in both durabilities.
///
/// Codes: 1; 2 (PK_E_UNDERPAID, PK_E_EMPTY_SALE, PK_E_NOTHING_DUE, PK_E_CLOSED); 3 (those of the
/// calls that it stands for; PK_E_BAD_ARGUMENT for a pending tender or a key inside); 7; 8; 9.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_sell(
    terminal: PkTerminal,
    cart: *const PkCart,
    out_receipt: *mut PkReceipt,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_receipt", out_receipt) }?;
        // SAFETY: the caller promises the structure.
        let cart = unsafe { memory::structure("cart", cart) }?;
        flags("cart.flags", cart.flags, 0)?;
        // SAFETY: the caller promises the texts.
        let store = unsafe { memory::field(memory::STORE, cart.store) }?;
        // SAFETY: as above.
        let currency = unsafe { memory::field(memory::CURRENCY, cart.currency) }?;
        // SAFETY: as above.
        let reference = unsafe { memory::optional_field(memory::REFERENCE, cart.reference) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, cart.key) }?;
        let mut parts = Vec::new();
        let (given, count) = (cart.lines, cart.line_count);
        let (mut of_lines, mut of_tenders) = (SaidOf::new(), SaidOf::new());
        let mut index = 0;
        let read = |given: &PkLineInput| {
            input::no_key(given.key.size)?;
            // SAFETY: the caller promises the arrays and the texts of each line.
            let of_line = unsafe { Parts::of(given) }?;
            if !of_line.is_empty() {
                parts.push((index, of_line));
            }
            if given.attribute_count != 0 {
                // SAFETY: as above.
                let said = unsafe { input::said(given.attributes, given.attribute_count) }?;
                of_lines.push((index, said));
            }
            index += 1;
            // SAFETY: as above.
            unsafe { input::line(given) }
        };
        let mut tender_index = 0;
        let tender = |given: &PkTenderInput| {
            input::no_key(given.key.size)?;
            if given.attribute_count != 0 {
                // SAFETY: the caller promises the array of each tender and the texts.
                let said = unsafe { input::said(given.attributes, given.attribute_count) }?;
                of_tenders.push((tender_index, said));
            }
            tender_index += 1;
            // SAFETY: as above.
            unsafe { input::tender(given) }
        };
        // SAFETY: the caller promises the array.
        let mut lines = unsafe { memory::array("lines", given, count, LINES_MAX, read) }?;
        for (index, parts) in &parts {
            parts.lend(&mut lines[*index]);
        }
        let attributes = input::attributes_of(&of_lines)?;
        for (index, attributes) in &attributes {
            lines[*index].attributes = attributes;
        }
        let (given, count) = (cart.adjustments, cart.adjustment_count);
        // SAFETY: the caller promises the array and its texts.
        let adjustments = unsafe { input::adjustments(given, count) }?;
        let (given, count) = (cart.tenders, cart.tender_count);
        // SAFETY: the caller promises the array.
        let mut tenders = unsafe { memory::array("tenders", given, count, TENDERS_MAX, tender) }?;
        let attributes = input::attributes_of(&of_tenders)?;
        for (index, attributes) in &attributes {
            tenders[*index].attributes = attributes;
        }
        let seat = seat::terminal(terminal)?;
        let (lines, adjustments, tenders) = (&lines, &adjustments, &tenders);
        let sold = Sold { store, currency, reference, lines, adjustments, tenders };
        let settled = seat::settled(&seat.terminal, seat.terminal.sell(&sold, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::receipt(&settled.value, settled.replayed)) };
        Ok(())
    })
}

/// What a sale begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begin<'a> {
    pub(crate) store: &'a str,
    pub(crate) currency: &'a str,
    pub(crate) reference: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) automatic: bool,
}

pub(crate) fn begin(
    seat: &std::sync::Arc<seat::TerminalSeat>,
    begin: Begin<'_>,
) -> Result<PkTransactionHandle> {
    let Begin { store, currency, reference, key, automatic } = begin;
    let answer = seat.terminal.begin(store, currency, reference, key)?;
    let Settled { value, sequence, replayed } = seat::settled(&seat.terminal, answer)?;
    let currency = currency.as_bytes().try_into().expect("the kernel has taken it");
    seat.hold(NewSale {
        number: value.sale,
        store,
        currency,
        first_sequence: sequence,
        // A sale that was begun before may have gone on since.
        last_sequence: if replayed { 0 } else { sequence },
        automatic,
    })
}

pub(crate) fn void_line(
    handle: PkTransactionHandle,
    line: u32,
    linked: bool,
    reason: Reason<'_>,
    key: Option<&str>,
) -> Result<Settled<LineAnswer>> {
    let sale = seat::sale(handle)?;
    let terminal = &sale.seat.terminal;
    let answer = if linked {
        terminal.void_linked(sale.number, line, reason, key)?
    } else {
        terminal.void_line(sale.number, line, reason, key)?
    };
    sale.settled(answer)
}
