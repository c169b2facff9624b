//! Reading: what a sale comes to, what stands on it, receipts. Nothing here writes to the journal.

use crate::answer;
use crate::guard::guard;
use crate::input;
use crate::json;
use crate::memory::{Answer, Answers, Buffer, Slot};
use crate::seat;
use crate::terminal::argument;
use crate::types::{
    PK_LINE_SKU, PK_LINE_SOLD_AT, PK_LINE_TEXT, PK_LINE_VOID_REASON, PK_TENDER_AUTH,
    PK_TENDER_REFERENCE, PkApplied, PkLine, PkLineSplit, PkReceipt, PkResult, PkShare, PkTaxRow,
    PkTender, PkTerminal, PkTotals, PkTransactionHandle,
};
use pos_kernel_core::journal::TaxRowRecord;
use pos_kernel_core::pricing::TaxRow;
use pos_kernel_core::sale::{Line, Sale, Tender};
use pos_kernel_core::{Code, Error, Result};

/// What a sale comes to; after its end, what it came to.
///
/// Codes: 1; 2 (PK_E_CLOSED; PK_E_ALREADY_FINAL when it ended long ago); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_totals_ex(
    handle: PkTransactionHandle,
    out_totals: *mut PkTotals,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_totals", out_totals) }?;
        let totals = seat::sale(handle)?.totals()?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::totals(totals)) };
        Ok(())
    })
}

/// The number of a sale on its terminal, from 1 without a gap.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_sale_number(
    handle: PkTransactionHandle,
    out_sale: *mut u64,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_sale", out_sale)?;
        let number = seat::sale(handle)?.number;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(number) };
        Ok(())
    })
}

/// The receipt number that a sale was given; 0 while it has none.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_receipt_number(
    handle: PkTransactionHandle,
    out_receipt: *mut u64,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_receipt", out_receipt)?;
        let number = seat::sale(handle)?.outcome().map_or(0, |outcome| outcome.receipt);
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(number) };
        Ok(())
    })
}

/// How many lines a sale has, voided ones included. Their numbers are 1 to this.
///
/// Codes: 1; 2 (PK_E_CLOSED; PK_E_ALREADY_FINAL when it ended long ago); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_count(
    handle: PkTransactionHandle,
    out_count: *mut u32,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_count", out_count)?;
        let count = read(handle, |sale| answer::count(sale.lines.len()))?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(count) };
        Ok(())
    })
}

/// A line by its number.
///
/// Codes: 1 (also for a line that is not there); 2; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line(
    handle: PkTransactionHandle,
    line: u32,
    out_line: *mut PkLine,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_line", out_line) }?;
        let found = read(handle, |sale| line_of(sale, line).map(answer::line))??;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&found) };
        Ok(())
    })
}

/// A text of a line: `field` is PK_LINE_SKU, PK_LINE_TEXT, PK_LINE_VOID_REASON or PK_LINE_SOLD_AT.
///
/// Codes: 1; 2; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_text(
    handle: PkTransactionHandle,
    line: u32,
    field: i32,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let pick: fn(&Line) -> Option<&str> = match field {
            PK_LINE_SKU => |line| Some(&line.sku),
            PK_LINE_TEXT => |line| line.text.as_deref(),
            PK_LINE_VOID_REASON => |line| line.voided.as_deref(),
            PK_LINE_SOLD_AT => |line| line.of.as_ref().map(|of| of.terminal.as_str()),
            other => return Err(argument("field", other.cast_unsigned(), "1 to 4")),
        };
        let pick = |line: &Line| pick(line).unwrap_or_default().to_owned();
        let text = read(handle, |sale| line_of(sale, line).map(pick))??;
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// The taxes of a line, in the order in which they were given: `out_count` tells how many there are,
/// and they are written when `capacity` is that many. What a voided line comes to is 0.
///
/// Codes: 1 (also for a line that is not there); 2; 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_taxes(
    handle: PkTransactionHandle,
    line: u32,
    out_rows: *mut PkTaxRow,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_rows", out_rows, capacity, out_count) }?;
        let rows = read(handle, |sale| line_taxes(sale, line))??;
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&rows) }
    })
}

/// The discounts and surcharges of a line, its shares of those on the sale among them, in their
/// order. `out_count` and `capacity` as pk_get_line_taxes.
///
/// Codes: as pk_get_line_taxes.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_adjustments(
    handle: PkTransactionHandle,
    line: u32,
    out_applied: *mut PkApplied,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_applied", out_applied, capacity, out_count) }?;
        let all = |line: &Line| line.adjustments.iter().map(answer::applied).collect::<Vec<_>>();
        let applied = read(handle, |sale| line_of(sale, line).map(all))??;
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&applied) }
    })
}

/// What each live line has of a discount or a surcharge, by its number in the sale: none of one that
/// was taken back. `out_count` and `capacity` as pk_get_line_taxes.
///
/// Codes: 1; 2; 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_adjustment_shares(
    handle: PkTransactionHandle,
    adjustment: u32,
    out_shares: *mut PkShare,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_shares", out_shares, capacity, out_count) }?;
        let share = |(line, amount)| PkShare { struct_size: 0, line, amount };
        let shares: Vec<PkShare> =
            read(handle, |sale| sale.cart().shares(adjustment).map(share).collect())?;
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&shares) }
    })
}

/// What each live line comes to: net, tax and gross. They add up to the totals. `out_count` and
/// `capacity` as pk_get_line_taxes.
///
/// Codes: 1; 2; 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_line_splits(
    handle: PkTransactionHandle,
    out_splits: *mut PkLineSplit,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_splits", out_splits, capacity, out_count) }?;
        let all = |sale: &Sale| -> Vec<PkLineSplit> {
            sale.cart().splits().iter().map(|split| answer::line_split(&split)).collect()
        };
        let splits = read(handle, all)?;
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&splits) }
    })
}

/// The tax table of a sale: net, tax and gross of each tax, in the order in which the sale first had
/// them. `out_count` and `capacity` as pk_get_line_taxes.
///
/// Codes: 1; 2; 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_tax_table(
    handle: PkTransactionHandle,
    out_rows: *mut PkTaxRow,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_rows", out_rows, capacity, out_count) }?;
        let table = read(handle, |sale| sale.cart().tax_table())??;
        let row = |row: &TaxRow| answer::tax_row(&row.component, row.net, row.tax);
        let rows: Vec<PkTaxRow> = table.rows().iter().map(row).collect();
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&rows) }
    })
}

/// How many tenders a sale has, dead ones included. Their numbers are 1 to this.
///
/// Codes: 1; 2; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_tender_count(
    handle: PkTransactionHandle,
    out_count: *mut u32,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_count", out_count)?;
        let count = read(handle, |sale| answer::count(sale.tenders.len()))?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(count) };
        Ok(())
    })
}

/// A tender by its number.
///
/// Codes: 1 (also for a tender that is not there); 2; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_tender(
    handle: PkTransactionHandle,
    tender: u32,
    out_tender: *mut PkTender,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_tender", out_tender) }?;
        let found = read(handle, |sale| tender_of(sale, tender).map(answer::tender))??;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&found) };
        Ok(())
    })
}

/// A text of a tender: `field` is PK_TENDER_REFERENCE or PK_TENDER_AUTH.
///
/// Codes: 1; 2; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_tender_text(
    handle: PkTransactionHandle,
    tender: u32,
    field: i32,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let pick: fn(&Tender) -> Option<&str> = match field {
            PK_TENDER_REFERENCE => |tender| tender.reference.as_deref(),
            PK_TENDER_AUTH => |tender| tender.auth.as_deref(),
            other => return Err(argument("field", other.cast_unsigned(), "1 or 2")),
        };
        let pick = |tender: &Tender| pick(tender).unwrap_or_default().to_owned();
        let text = read(handle, |sale| tender_of(sale, tender).map(pick))??;
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// A whole sale as JSON: `sale`, `store`, `currency`, `state`, `recovered`, `beganAt`, `lines`,
/// `tenders`, `totals`; while it waits its `ticket`; `returns`, the receipt that it was begun for;
/// `takes`, where it was suspended before it went on here.
///
/// Codes: 1; 2; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_transaction_json(
    handle: PkTransactionHandle,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let sale = seat::sale(handle)?;
        let text = json::sale(&sale.seat.terminal.sale(sale.number)?).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// A receipt by its number, read from the journal.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_receipt(
    terminal: PkTerminal,
    receipt_number: u64,
    out_receipt: *mut PkReceipt,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_receipt", out_receipt) }?;
        let receipt = seat::terminal(terminal)?.terminal.receipt(receipt_number)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::receipt(&receipt, false)) };
        Ok(())
    })
}

/// The tax table of a receipt by its number, read from the journal. `circle`: PK_CIRCLE_..., or 0 for
/// sales. `out_count` and `capacity` as pk_get_line_taxes.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_receipt_tax_table(
    terminal: PkTerminal,
    circle: u32,
    receipt_number: u64,
    out_rows: *mut PkTaxRow,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_rows", out_rows, capacity, out_count) }?;
        let circle = input::circle(circle)?;
        let receipt = seat::terminal(terminal)?.terminal.receipt_in(circle, receipt_number)?;
        let row = |row: &TaxRowRecord| answer::tax_row(&row.tax, row.net, row.amount);
        let rows: Vec<PkTaxRow> = receipt.taxes.iter().map(row).collect();
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&rows) }
    })
}

/// A receipt by its number as JSON, with its lines and tenders: what a host prints.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_receipt_json(
    terminal: PkTerminal,
    receipt_number: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let receipt = seat::terminal(terminal)?.terminal.receipt(receipt_number)?;
        let text = json::receipt(&receipt).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// As pk_get_receipt, of a circle: PK_CIRCLE_..., or 0 for sales.
///
/// Codes: as pk_get_receipt.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_receipt_ex(
    terminal: PkTerminal,
    circle: u32,
    receipt_number: u64,
    out_receipt: *mut PkReceipt,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_receipt", out_receipt) }?;
        let circle = input::circle(circle)?;
        let receipt = seat::terminal(terminal)?.terminal.receipt_in(circle, receipt_number)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::receipt(&receipt, false)) };
        Ok(())
    })
}

/// As pk_get_receipt_json, of a circle: PK_CIRCLE_..., or 0 for sales.
///
/// Codes: as pk_get_receipt_json.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_receipt_json_ex(
    terminal: PkTerminal,
    circle: u32,
    receipt_number: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let circle = input::circle(circle)?;
        let receipt = seat::terminal(terminal)?.terminal.receipt_in(circle, receipt_number)?;
        let text = json::receipt(&receipt).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Reads a sale where it stands.
pub(crate) fn read<T>(handle: PkTransactionHandle, read: impl FnOnce(&Sale) -> T) -> Result<T> {
    let sale = seat::sale(handle)?;
    sale.seat.terminal.read_sale(sale.number, read)
}

fn line_taxes(sale: &Sale, number: u32) -> Result<Vec<PkTaxRow>> {
    let line = line_of(sale, number)?;
    let splits = sale.cart().splits();
    let split = splits.line(number);
    let rows = line.taxes.iter().enumerate().map(|(index, component)| match &split {
        Some(split) => answer::tax_row(component, split.net, split.taxes[index]),
        None => answer::tax_row(component, 0, 0),
    });
    Ok(rows.collect())
}

pub(crate) fn line_of(sale: &Sale, number: u32) -> Result<&Line> {
    let index = (number as usize).checked_sub(1);
    let line = index.and_then(|index| sale.lines.get(index));
    line.ok_or_else(|| missing("line", number, sale.number))
}

fn tender_of(sale: &Sale, number: u32) -> Result<&Tender> {
    let index = (number as usize).checked_sub(1);
    let tender = index.and_then(|index| sale.tenders.get(index));
    tender.ok_or_else(|| missing("tender", number, sale.number))
}

#[cold]
fn missing(what: &'static str, number: u32, sale: u64) -> Error {
    let message = format!("sale {sale} has no {what} {number}");
    Error::new(Code::NotFound, message).with("sale", sale).with(what, number)
}
