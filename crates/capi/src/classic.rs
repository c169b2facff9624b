//! The interface that older hosts were built against: one terminal for the process, the same names,
//! signatures and codes. What its calls do is what the calls of `sale.rs` do.
//!
//! Where the older library lost or doubled something, this one does not: a commit without payment, a
//! close of an open sale and an overflow are refused, and an open sale survives its process.

use crate::guard::guard;
use crate::journal::{judge, verify_open};
use crate::memory::{self, Buffer, Slot, null, too_small};
use crate::query::{line_of, read};
use crate::sale::{Begin, begin, void_line};
use crate::seat::{self, TerminalSeat};
use crate::types::{PkResult, PkTerminal, PkTransactionHandle, state_number};
use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, TenderInput};
use pos_kernel_core::{Code, Error, OpenOptions, Result, Terminal};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Given to pk_abort_transaction_legal when the host gives no reason.
const ABORT_REASON: &str = "User abort";

/// The terminal of the process.
static DEFAULT: RwLock<Option<Arc<TerminalSeat>>> = RwLock::new(None);

/// Opens the terminal of this process. Its root folder is `POS_KERNEL_ROOT`, else
/// `./pos_kernel_data`. Sales that its last owner left open come back; pk_list_open_transactions on
/// pk_default_terminal gives them, and a tender that covers one completes it.
///
/// `terminal_id`: 1 to 32 of A-Z a-z 0-9 _ -.
/// Durable when it returns: the opening, with what was recovered, is in the journal.
///
/// Codes: 2 (PK_E_TERMINAL_IN_USE: by another process, or by this one); 3; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_initialize_terminal(
    terminal_id: *const u8,
    terminal_id_len: usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let id = unsafe { memory::text(memory::ID, terminal_id, terminal_id_len) }?;
        let mut default = default_mut();
        if let Some(seat) = default.as_ref() {
            return Err(already(seat.terminal.id()));
        }
        let host_version = Some(concat!("pos_kernel C ", env!("CARGO_PKG_VERSION")).to_owned());
        let options =
            OpenOptions { id: Some(id.to_owned()), host_version, ..OpenOptions::default() };
        *default = Some(TerminalSeat::new(Arc::new(Terminal::open(&options)?), true)?);
        Ok(())
    })
}

/// The terminal of this process as three lines: `TERMINAL_ID:`, `DATA_DIR:`, `PID:`.
///
/// Codes: 2 (no terminal is initialized); 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_terminal_info(
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = default_seat()?;
        let (id, dir) = (seat.terminal.id(), seat.terminal.dir().display());
        let text = format!("TERMINAL_ID:{id}\nDATA_DIR:{dir}\nPID:{}", std::process::id());
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Closes the terminal of this process; see pk_terminal_close.
///
/// Codes: 2 (no terminal is initialized); 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_shutdown_terminal() -> PkResult {
    guard(|| {
        let seat = default_mut().take().ok_or_else(none)?;
        // Another thread may have closed it by its handle meanwhile.
        let _ = seat::release(seat.handle());
        seat.close()
    })
}

/// The terminal of this process as a handle, for the calls that take one.
///
/// Codes: 2 (no terminal is initialized); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_default_terminal(out_terminal: *mut PkTerminal) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_terminal", out_terminal)?;
        let handle = default_seat()?.handle();
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// Begins a sale on the terminal of this process. A tender that covers its total completes it.
///
/// `store`: 1 to 64 bytes. `currency`: three capital letters of ISO 4217. Lengths are in bytes.
/// Durable as pk_begin_transaction_ex.
///
/// Codes: 2 (no terminal is initialized); 3 (PK_E_BAD_TEXT, PK_E_BAD_UTF8, PK_E_BAD_CURRENCY,
/// PK_E_LIMIT, PK_E_BAD_ARGUMENT); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_begin_transaction_legal(
    store: *const u8,
    store_len: usize,
    currency: *const u8,
    currency_len: usize,
    out_handle: *mut PkTransactionHandle,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_handle", out_handle)?;
        // SAFETY: the caller promises the text.
        let store = unsafe { memory::text(memory::STORE, store, store_len) }?;
        // SAFETY: the caller promises the text.
        let currency = unsafe { memory::text(memory::CURRENCY, currency, currency_len) }?;
        let (reference, key, automatic) = (None, None, true);
        let handle = begin(&default_seat()?, Begin { store, currency, reference, key, automatic })?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// As pk_begin_transaction_legal.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_begin_transaction(
    store: *const u8,
    store_len: usize,
    currency: *const u8,
    currency_len: usize,
    out_handle: *mut PkTransactionHandle,
) -> PkResult {
    // SAFETY: the caller's promise is the same.
    unsafe { pk_begin_transaction_legal(store, store_len, currency, currency_len, out_handle) }
}

/// Adds a line.
///
/// `sku`: 1 to 64 bytes. `quantity`: 1 or more. `unit_minor`: the price of one in minor units, 0 or
/// more. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL); 3 (PK_E_BAD_TEXT, PK_E_BAD_UTF8,
/// PK_E_BAD_QUANTITY, PK_E_BAD_PRICE, PK_E_OVERFLOW, PK_E_LIMIT); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_add_line_legal(
    handle: PkTransactionHandle,
    sku: *const u8,
    sku_len: usize,
    quantity: i32,
    unit_minor: i64,
) -> PkResult {
    // SAFETY: the caller's promise is the same.
    guard(|| unsafe { add_line(handle, sku, sku_len, (quantity, unit_minor), None) })
}

/// As pk_add_line_legal.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_add_line(
    handle: PkTransactionHandle,
    sku: *const u8,
    sku_len: usize,
    quantity: i32,
    unit_minor: i64,
) -> PkResult {
    // SAFETY: the caller's promise is the same.
    unsafe { pk_add_line_legal(handle, sku, sku_len, quantity, unit_minor) }
}

/// Adds a line that belongs to another one: a part of a set, a modifier, a deposit.
///
/// `parent_line`: the number of a live line, from 1. The rest as pk_add_line_legal.
///
/// Codes: as pk_add_line_legal; 1 when there is no such line; 2 (PK_E_LINE_VOIDED).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_add_child_line(
    handle: PkTransactionHandle,
    sku: *const u8,
    sku_len: usize,
    quantity: i32,
    unit_minor: i64,
    parent_line: u32,
) -> PkResult {
    // SAFETY: the caller's promise is the same.
    guard(|| unsafe { add_line(handle, sku, sku_len, (quantity, unit_minor), Some(parent_line)) })
}

/// As pk_add_child_line; with `parent_line` 0 the line belongs to none.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_add_line_with_parent(
    handle: PkTransactionHandle,
    sku: *const u8,
    sku_len: usize,
    quantity: i32,
    unit_minor: i64,
    parent_line: u32,
) -> PkResult {
    let parent = (parent_line != 0).then_some(parent_line);
    // SAFETY: the caller's promise is the same.
    guard(|| unsafe { add_line(handle, sku, sku_len, (quantity, unit_minor), parent) })
}

/// Voids a line; it stays on the sale and in the journal and counts nothing.
///
/// `line_number`: from 1. `reason`: 1 to 256 bytes. `operator_id`: who did it, up to 64 bytes, or
/// null; the journal keeps it behind the reason. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_LINE_HAS_CHILDREN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL);
/// 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_void_line_item(
    handle: PkTransactionHandle,
    line_number: u32,
    reason: *const u8,
    reason_len: usize,
    operator_id: *const u8,
    operator_id_len: usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let reason = unsafe { memory::text(memory::REASON, reason, reason_len) }?;
        // SAFETY: the caller promises the text.
        let operator = unsafe { operator_of(operator_id, operator_id_len) }?;
        void_line(handle, line_number, false, (&signed(reason, operator)).into(), None).map(drop)
    })
}

/// Voids a line and every line that belongs to it, all or none.
///
/// `line_number`: from 1. `reason`: 1 to 256 bytes. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_void_line_item_with_cascade(
    handle: PkTransactionHandle,
    line_number: u32,
    reason: *const u8,
    reason_len: usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let reason = unsafe { memory::text(memory::REASON, reason, reason_len) }?;
        void_line(handle, line_number, true, reason.into(), None).map(drop)
    })
}

/// Changes the quantity of a line.
///
/// `line_number`: from 1. `new_quantity`: 1 or more. `operator_id`: who did it, up to 64 bytes, or
/// null; the journal keeps it as part of the reason. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_update_line_quantity(
    handle: PkTransactionHandle,
    line_number: u32,
    new_quantity: i32,
    operator_id: *const u8,
    operator_id_len: usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let operator = unsafe { operator_of(operator_id, operator_id_len) }?;
        let quantity = positive(new_quantity)?;
        let sale = seat::sale(handle)?;
        let reason = signed("quantity changed", operator);
        let terminal = &sale.seat.terminal;
        let answer = terminal.set_quantity(sale.number, line_number, quantity, &reason, None)?;
        sale.settled(answer).map(drop)
    })
}

/// Takes cash. When it covers the total of a sale that was begun by these calls, it completes it:
/// receipt number, change and counters are then final.
///
/// `amount_minor`: minor units, 1 or more; more than is due gives change.
/// Durable when it returns: as pk_begin_transaction_ex; a completed sale is on the device.
///
/// Codes: 1; 2 (PK_E_NOTHING_DUE, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL); 3 (PK_E_BAD_AMOUNT,
/// PK_E_OVERFLOW, PK_E_LIMIT); 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_add_cash_tender_legal(
    handle: PkTransactionHandle,
    amount_minor: i64,
) -> PkResult {
    guard(|| {
        if amount_minor <= 0 {
            let message = format!("amount {amount_minor} is not more than zero");
            return Err(Error::new(Code::BadAmount, message).with("value", amount_minor));
        }
        let (kind, amount) = (TenderKind::Cash, amount_minor);
        let tender = TenderInput::of(kind, amount);
        seat::sale(handle)?.tender(&tender, None).map(drop)
    })
}

/// As pk_add_cash_tender_legal.
#[unsafe(no_mangle)]
pub extern "C" fn pk_add_cash_tender(handle: PkTransactionHandle, amount_minor: i64) -> PkResult {
    pk_add_cash_tender_legal(handle, amount_minor)
}

/// Completes a sale whose tenders cover its total. On one that is complete it answers PK_OK again.
///
/// Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_UNDERPAID, PK_E_PENDING_TENDER, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL for a
/// voided sale); 3; 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_commit_transaction_legal(handle: PkTransactionHandle) -> PkResult {
    guard(|| seat::sale(handle)?.commit())
}

/// Voids a sale and the cash that was taken for it, which goes back to the customer; both stand in
/// the journal or neither does. Any other live tender is refused, because its outcome lies outside
/// the till.
///
/// `reason`: up to 256 bytes; null or empty stands for "User abort".
/// Durable when it returns: on the device.
///
/// Codes: 1; 2 (PK_E_ALREADY_FINAL, PK_E_TENDER_TAKEN); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_abort_transaction_legal(
    handle: PkTransactionHandle,
    reason: *const u8,
    reason_len: usize,
) -> PkResult {
    guard(|| {
        let reason = if reason.is_null() {
            ABORT_REASON
        } else {
            // SAFETY: the caller promises the text.
            unsafe { memory::optional(memory::REASON, reason, reason_len) }?.unwrap_or(ABORT_REASON)
        };
        seat::sale(handle)?.abort(reason)
    })
}

/// What a sale comes to, in minor units of its currency, and its state (PK_STATE_...).
///
/// Codes: 1; 2 (PK_E_ALREADY_FINAL when it ended long ago); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_totals_legal(
    handle: PkTransactionHandle,
    out_total: *mut i64,
    out_tendered: *mut i64,
    out_change: *mut i64,
    out_state: *mut i32,
) -> PkResult {
    guard(|| {
        let total = Slot::new("out_total", out_total)?;
        let tendered = Slot::new("out_tendered", out_tendered)?;
        let change = Slot::new("out_change", out_change)?;
        let state = Slot::new("out_state", out_state)?;
        let totals = seat::sale(handle)?.totals()?;
        // SAFETY: the caller promises that it can be written.
        unsafe { total.set(totals.gross) };
        // SAFETY: as above.
        unsafe { tendered.set(totals.tendered) };
        // SAFETY: as above.
        unsafe { change.set(totals.change) };
        // SAFETY: as above.
        unsafe { state.set(state_number(totals.state)) };
        Ok(())
    })
}

/// As pk_get_totals_legal.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_totals(
    handle: PkTransactionHandle,
    out_total: *mut i64,
    out_tendered: *mut i64,
    out_change: *mut i64,
    out_state: *mut i32,
) -> PkResult {
    // SAFETY: the caller's promise is the same.
    unsafe { pk_get_totals_legal(handle, out_total, out_tendered, out_change, out_state) }
}

/// Ends the handle of a sale that is over. The handle means nothing afterwards.
///
/// Codes: 1 (also for a handle that was closed); 2 (PK_E_STILL_OPEN: complete or abort it first); 3.
#[unsafe(no_mangle)]
pub extern "C" fn pk_close_transaction_legal(handle: PkTransactionHandle) -> PkResult {
    guard(|| seat::sale(handle)?.close(handle))
}

/// As pk_close_transaction_legal.
#[unsafe(no_mangle)]
pub extern "C" fn pk_close_transaction(handle: PkTransactionHandle) -> PkResult {
    pk_close_transaction_legal(handle)
}

/// The store that a sale was begun for.
///
/// Codes: 1; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_store_name(
    handle: PkTransactionHandle,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let sale = seat::sale(handle)?;
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(sale.store()) }
    })
}

/// The currency of a sale: three letters.
///
/// Codes: 1; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_currency(
    handle: PkTransactionHandle,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let sale = seat::sale(handle)?;
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(sale.currency()?.letters()) }
    })
}

/// Decimal places of the minor unit of a sale's currency.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_currency_decimal_places(
    handle: PkTransactionHandle,
    out_decimal_places: *mut u8,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_decimal_places", out_decimal_places)?;
        let places = seat::sale(handle)?.currency()?.exponent();
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(places) };
        Ok(())
    })
}

/// A line by its index, from 0, with the line that it belongs to.
///
/// `out_sku` takes the stock-keeping unit and, unlike all other texts here, a zero behind it;
/// `inout_sku_len` holds the room that there is and takes the length without the zero, or with code
/// 4 the room that is needed. `out_parent_line` is 0 and `out_has_parent` 0 when it belongs to none.
///
/// Codes: 1 (no such line); 2; 3 (PK_E_BAD_QUANTITY, PK_E_BAD_PRICE for a line whose decimals do not
/// fit these types: pk_get_line has them); 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_item_with_parent(
    handle: PkTransactionHandle,
    line_index: u32,
    out_sku: *mut u8,
    inout_sku_len: *mut usize,
    out_quantity: *mut i32,
    out_unit_minor: *mut i64,
    out_parent_line: *mut u32,
    out_has_parent: *mut u8,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises that it can be read.
        let room = unsafe { memory::plain("inout_sku_len", inout_sku_len) }?;
        let length = Slot::new("inout_sku_len", inout_sku_len)?;
        let quantity = Slot::new("out_quantity", out_quantity)?;
        let unit = Slot::new("out_unit_minor", out_unit_minor)?;
        let parent = Slot::new("out_parent_line", out_parent_line)?;
        let has_parent = Slot::new("out_has_parent", out_has_parent)?;
        if out_sku.is_null() {
            return Err(null("out_sku"));
        }
        let number = line_index.saturating_add(1);
        let line = read(handle, |sale| line_of(sale, number).cloned())??;
        let whole = i32::try_from(integer(line.quantity, Code::BadQuantity)?)
            .map_err(|_| not_an_integer(line.quantity, Code::BadQuantity))?;
        let price = integer(line.unit_price, Code::BadPrice)?;
        if line.sku.len() >= room {
            let need = line.sku.len() + 1;
            // SAFETY: the caller promises that it can be written.
            unsafe { length.set(need) };
            return Err(too_small(need, room));
        }
        let text = Buffer { to: out_sku, capacity: room, need: inout_sku_len };
        // SAFETY: the caller promises the buffer and its length.
        unsafe { text.give(&line.sku) }?;
        // SAFETY: the room is more than the length, so the byte behind the text is inside it.
        unsafe { out_sku.add(line.sku.len()).write(0) };
        // SAFETY: the caller promises that each of these can be written.
        unsafe { quantity.set(whole) };
        // SAFETY: as above.
        unsafe { unit.set(price) };
        // SAFETY: as above.
        unsafe { parent.set(line.parent.unwrap_or(0)) };
        // SAFETY: as above.
        unsafe { has_parent.set(line.parent.is_some().into()) };
        Ok(())
    })
}

/// The line that a line belongs to: 0, with `out_has_parent` 0, when there is none.
///
/// `line_number`: from 1. Codes: 1 (no such line); 2; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_parent_id(
    handle: PkTransactionHandle,
    line_number: u32,
    out_parent_line: *mut u32,
    out_has_parent: *mut u8,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_parent_line", out_parent_line)?;
        let has_parent = Slot::new("out_has_parent", out_has_parent)?;
        let parent = read(handle, |sale| line_of(sale, line_number).map(|line| line.parent))??;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(parent.unwrap_or(0)) };
        // SAFETY: as above.
        unsafe { has_parent.set(parent.is_some().into()) };
        Ok(())
    })
}

/// Numbers of the live lines that belong to a line.
///
/// `inout_count` holds how many there is room for and takes how many there are; with code 4 nothing
/// else is written. Codes: 1 (no such line); 2; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_find_line_children(
    handle: PkTransactionHandle,
    parent_line: u32,
    out_lines: *mut u32,
    inout_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises that it can be read.
        let room = unsafe { memory::plain("inout_count", inout_count) }?;
        let children = read(handle, |sale| {
            let found = line_of(sale, parent_line).map(|line| line.number);
            found.map(|number| {
                sale.live_children(number).map(|line| line.number).collect::<Vec<u32>>()
            })
        })??;
        // SAFETY: the caller promises the array and the count.
        unsafe { memory::give_all(&children, out_lines, room, inout_count) }
    })
}

/// Verifies the journal of the terminal of this process: checksums, chain, sequence, invariants,
/// counters.
///
/// Codes: 2 (no terminal is initialized); 6 (`detail` is that of the first problem); 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_verify_wal_integrity() -> PkResult {
    guard(|| judge(&verify_open(&*default_seat()?, None)?))
}

/// Makes everything durable that the terminal of this process has acknowledged.
///
/// Codes: 2 (no terminal is initialized); 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_force_wal_sync() -> PkResult {
    guard(|| default_seat()?.sync())
}

/// Where the records of a sale stand in the journal: the sequence of its first and of its last one,
/// and the newest sequence that is known durable. The sale is on the device when the last is not
/// above the durable one.
///
/// Codes: 1; 3; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_transaction_wal_info(
    handle: PkTransactionHandle,
    out_first_sequence: *mut u64,
    out_last_sequence: *mut u64,
    out_durable_sequence: *mut u64,
) -> PkResult {
    guard(|| {
        let first = Slot::new("out_first_sequence", out_first_sequence)?;
        let last = Slot::new("out_last_sequence", out_last_sequence)?;
        let durable = Slot::new("out_durable_sequence", out_durable_sequence)?;
        let sale = seat::sale(handle)?;
        let last_sequence = sale.last_sequence()?;
        let durable_sequence = sale.seat.terminal.durable_sequence();
        // SAFETY: the caller promises that it can be written.
        unsafe { first.set(sale.first_sequence) };
        // SAFETY: as above.
        unsafe { last.set(last_sequence) };
        // SAFETY: as above.
        unsafe { durable.set(durable_sequence) };
        Ok(())
    })
}

/// A terminal that was closed by its handle is the process's terminal no more.
pub(crate) fn forget(seat: &Arc<TerminalSeat>) {
    let mut default = default_mut();
    if default.as_ref().is_some_and(|default| Arc::ptr_eq(default, seat)) {
        *default = None;
    }
}

/// # Safety
/// The text can be read.
unsafe fn add_line(
    handle: PkTransactionHandle,
    sku: *const u8,
    sku_len: usize,
    (quantity, unit_minor): (i32, i64),
    parent: Option<u32>,
) -> Result<()> {
    // SAFETY: the caller promises the text.
    let sku = unsafe { memory::text(memory::SKU, sku, sku_len) }?;
    let (quantity, unit_price) = (positive(quantity)?, Decimal::whole(unit_minor));
    let line = LineInput { parent, ..LineInput::item(sku, quantity, unit_price) };
    seat::sale(handle)?.add_line(&line, None).map(drop)
}

/// # Safety
/// The text can be read.
unsafe fn operator_of<'a>(operator: *const u8, size: usize) -> Result<Option<&'a str>> {
    if operator.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promises the text.
    unsafe { memory::optional(memory::OPERATOR, operator, size) }
}

/// A reason with who gave it.
fn signed(reason: &str, operator: Option<&str>) -> String {
    match operator {
        Some(operator) => format!("{reason} (operator {operator})"),
        None => reason.to_owned(),
    }
}

fn positive(quantity: i32) -> Result<Decimal> {
    if quantity > 0 {
        return Ok(Decimal::whole(quantity.into()));
    }
    let message = format!("quantity {quantity} is not 1 or more; pk_add_line_ex takes returns");
    Err(Error::new(Code::BadQuantity, message).with("value", quantity))
}

fn integer(decimal: Decimal, code: Code) -> Result<i64> {
    let unit = 10_i64.pow(decimal.scale().into());
    if decimal.mantissa() % unit == 0 {
        return Ok(decimal.mantissa() / unit);
    }
    Err(not_an_integer(decimal, code))
}

fn not_an_integer(decimal: Decimal, code: Code) -> Error {
    let message = format!("{decimal} does not fit an integer of this call; use pk_get_line");
    Error::new(code, message).with("value", decimal.to_string())
}

fn default_seat() -> Result<Arc<TerminalSeat>> {
    default_ref().clone().ok_or_else(none)
}

fn default_ref() -> RwLockReadGuard<'static, Option<Arc<TerminalSeat>>> {
    DEFAULT.read().unwrap_or_else(PoisonError::into_inner)
}

fn default_mut() -> RwLockWriteGuard<'static, Option<Arc<TerminalSeat>>> {
    DEFAULT.write().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn none() -> Error {
    let message = "no terminal is initialized in this process; call pk_initialize_terminal first";
    Error::new(Code::Closed, message)
}

#[cold]
fn already(id: &str) -> Error {
    let message = format!(
        "terminal {id} is the terminal of this process already; shut it down first, or open \
         another by pk_terminal_open"
    );
    Error::new(Code::TerminalInUse, message).with("terminal", id).with("pid", std::process::id())
}
