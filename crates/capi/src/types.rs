//! What crosses the border, laid out for C.
//!
//! Every structure begins with its size in bytes, as the caller compiled it. A shorter one, from an
//! older header, leaves its missing fields at zero; a longer one is refused, because what it says
//! beyond the known fields would be ignored in silence. Sizes are multiples of eight, there is no
//! padding, and there is no `bool`.

mod priced;
mod rules;
mod till;

pub use priced::*;
pub use rules::*;
pub use till::*;

use pos_kernel_core::journal::{Circle, TenderKind, TenderState};
use pos_kernel_core::sale::State;
use pos_kernel_core::terminal::Durability;

/// A terminal; 0 is none.
pub type PkTerminal = u64;

/// A store with many terminals in this process; 0 is none.
pub type PkStore = u64;

/// A sale on a terminal; 0 is none.
pub type PkTransactionHandle = u64;

/// A connection to a kernel service; 0 is none.
pub type PkService = u64;

/// What a call gives: the coarse code, and the exact case in `detail` (PK_E_...; 0 with PK_OK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct PkResult {
    /// PK_OK or what kind of refusal.
    pub code: i32,
    /// PK_E_..., or 0.
    pub detail: i32,
}

/// No handle.
pub const PK_INVALID_HANDLE: u64 = 0;

/// Done.
pub const PK_OK: i32 = 0;
/// There is no such handle, sale, line, tender, receipt or terminal.
pub const PK_NOT_FOUND: i32 = 1;
/// The sale or the terminal does not allow this now.
pub const PK_INVALID_STATE: i32 = 2;
/// An argument is malformed or out of range.
pub const PK_VALIDATION_FAILED: i32 = 3;
/// The buffer is too small; the length that is needed has been given.
pub const PK_INSUFFICIENT_BUFFER: i32 = 4;
/// Kept from the classic interface; this library gives it never, because no sale runs out of time.
pub const PK_TIMED_OUT: i32 = 5;
/// The journal is damaged or from a newer version.
pub const PK_RECOVERY_FAILED: i32 = 6;
/// The disk failed or is full.
pub const PK_IO: i32 = 7;
/// An idempotency key was used for another call.
pub const PK_CONFLICT: i32 = 8;
/// The call needs an approval.
pub const PK_DENIED: i32 = 9;
/// A fault of the library.
pub const PK_INTERNAL_ERROR: i32 = 255;

/// States of a sale as the classic calls tell them: lines may change.
pub const PK_STATE_BUILDING: i32 = 0;
/// A tender was taken and the sale is not complete.
pub const PK_STATE_COMMITTING: i32 = 1;
/// Complete; final.
pub const PK_STATE_COMMITTED: i32 = 2;
/// Kept from the classic interface; never given.
pub const PK_STATE_ABORTING: i32 = 3;
/// Voided; final.
pub const PK_STATE_ABORTED: i32 = 4;
/// Kept from the classic interface; never given.
pub const PK_STATE_TIMED_OUT: i32 = 5;
/// The sale waits for its ticket.
pub const PK_STATE_SUSPENDED: i32 = 6;
/// The sale went on at another terminal.
pub const PK_STATE_TRANSFERRED: i32 = 7;

/// Notes and coins of the sale's currency.
pub const PK_TENDER_CASH: u32 = 1;
/// A card.
pub const PK_TENDER_CARD: u32 = 2;
/// A voucher.
pub const PK_TENDER_VOUCHER: u32 = 3;
/// Notes and coins of another currency.
pub const PK_TENDER_FOREIGN: u32 = 4;
/// Anything else.
pub const PK_TENDER_OTHER: u32 = 5;

/// The tender's outcome lies outside the till.
pub const PK_TENDER_PENDING: u32 = 1;
/// The tender counts.
pub const PK_TENDER_CONFIRMED: u32 = 2;
/// The tender was refused outside the till.
pub const PK_TENDER_DECLINED: u32 = 3;
/// The tender was taken back.
pub const PK_TENDER_VOIDED: u32 = 4;

/// As `local_config.json` of the terminal says, else PK_DURABILITY_RECORD.
pub const PK_DURABILITY_DEFAULT: u32 = 0;
/// Every call that makes a fact is on the device when it returns.
pub const PK_DURABILITY_RECORD: u32 = 1;
/// Lines and confirmed cash survive the death of the process; completions, voids, cards and pending
/// tenders are on the device when their call returns.
pub const PK_DURABILITY_SALE: u32 = 2;

/// For PkTerminalOptions.flags: refuse with PK_E_NOT_FOUND instead of making a terminal.
pub const PK_OPEN_EXISTING: u32 = 1;
/// For PkTerminalOptions.flags: receipts are signed with an Ed25519 key in the terminal's folder, which
/// is made when there is none.
pub const PK_OPEN_SIGN: u32 = 4;
/// For PkTerminalOptions.flags, in tests: the clock stands at `test_wall_ns`, each reading a
/// microsecond later.
pub const PK_OPEN_TEST_CLOCK: u32 = 2;

/// For PkTransactionOptions.flags: a tender that covers the total completes the sale.
pub const PK_BEGIN_AUTO_COMPLETE: u32 = 1;

/// For PkTenderInput.flags: the outcome is not known yet.
pub const PK_TENDER_IS_PENDING: u32 = 1;

/// The journal has room.
pub const PK_SPACE_OK: u32 = 0;
/// The next segment could not be made ready.
pub const PK_SPACE_LOW: u32 = 1;
/// Only what is open can still be finished.
pub const PK_SPACE_FULL: u32 = 2;

/// For pk_get_line_text: the stock-keeping unit.
pub const PK_LINE_SKU: i32 = 1;
/// For pk_get_line_text: the text for people; empty when there is none.
pub const PK_LINE_TEXT: i32 = 2;
/// For pk_get_line_text: why it was voided; empty on a live line.
pub const PK_LINE_VOID_REASON: i32 = 3;

/// For pk_get_line_text: the terminal where it was sold, on a return with its receipt; else empty.
pub const PK_LINE_SOLD_AT: i32 = 4;

/// For pk_get_tender_text: the host's reference; empty when there is none.
pub const PK_TENDER_REFERENCE: i32 = 1;
/// For pk_get_tender_text: the authorisation; empty when there is none.
pub const PK_TENDER_AUTH: i32 = 2;

/// A text: `size` bytes of UTF-8, no terminator. Size 0 means that there is none.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkText {
    /// First byte; may be null when `size` is 0.
    pub data: *const u8,
    /// How many bytes.
    pub size: usize,
}

/// An exact decimal: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct PkDecimal {
    /// The digits without the point.
    pub mantissa: i64,
    /// Digits behind the point, 0 to 6.
    pub scale: u32,
    /// Zero.
    pub reserved: u32,
}

/// How to open a terminal.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTerminalOptions {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_OPEN_...
    pub flags: u32,
    /// Root folder; without one `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
    pub root: PkText,
    /// Terminal id; without one `POS_TERMINAL_ID`, else `terminalId` in the root's `local_config.json`.
    pub id: PkText,
    /// Name and version of the host, for the owner record; up to 64 bytes.
    pub host_version: PkText,
    /// PK_DURABILITY_...
    pub durability: u32,
    /// Bytes of a journal segment, for a new journal: 65,536 to 1,073,741,824 in steps of 4,096; 0
    /// for 4 MiB.
    pub segment_bytes: u32,
    /// With PK_OPEN_TEST_CLOCK: nanoseconds since 1970-01-01 UTC.
    pub test_wall_ns: i64,
    /// Folder in which each terminal has the folder of its archive; without one `archive` in the root.
    pub archive: PkText,
}

/// Where a terminal stands.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTerminalStatus {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Owner epoch: one more than the last owner's.
    pub epoch: u32,
    /// Sequence of the last record.
    pub sequence: u64,
    /// Sequence of the last record known durable.
    pub durable_sequence: u64,
    /// The next receipt number.
    pub next_receipt: u64,
    /// Open sales.
    pub open_sales: u32,
    /// Most sales that can be open at once.
    pub open_sales_max: u32,
    /// Segment in use.
    pub segment: u32,
    /// PK_SPACE_...
    pub space: u32,
    /// PK_DURABILITY_RECORD or PK_DURABILITY_SALE.
    pub durability: u32,
    /// 1 when a disk failure has ended this terminal: close it and open it again.
    pub poisoned: u32,
    /// Idempotency keys remembered at most.
    pub keys_max: u32,
    /// 1 when the last owner had closed the terminal, or there was none.
    pub clean: u32,
    /// Smoothed time of a device flush in nanoseconds.
    pub flush_ns: u64,
    /// The slowest device flush in nanoseconds.
    pub flush_worst_ns: u64,
    /// Chain link of the last frame: an anchor for verifying.
    pub head: [u8; 32],
}

/// Work done since a terminal was opened.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTerminalStats {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Frames appended to the journal.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Device flushes of calls that waited, in durability `sale`.
    pub flushes_sale: u64,
    /// Device flushes of calls that waited, in durability `record`.
    pub flushes_record: u64,
    /// Device flushes for the durable marks of an idle journal.
    pub flushes_mark: u64,
    /// Device flushes for checkpoints.
    pub flushes_checkpoint: u64,
    /// Device flushes for starting a segment.
    pub flushes_roll: u64,
    /// Device flushes for making segments ready.
    pub flushes_prepare: u64,
    /// Device flushes for opening.
    pub flushes_open: u64,
    /// Device flushes for closing.
    pub flushes_close: u64,
}

/// Perpetual totals of one currency. They never fall and are never reset.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCounters {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// Amounts sold, taxes included, in minor units.
    pub sales: i64,
    /// Amounts returned, taxes included, in minor units, counted upwards.
    pub returns: i64,
    /// Completed sales.
    pub receipts: u64,
    /// Voided sales.
    pub voids: u64,
    /// Taxes on what was sold.
    pub sales_tax: i64,
    /// Taxes on what was returned, counted upwards.
    pub returns_tax: i64,
    /// What cash rounding has added; it may fall.
    pub rounding: i64,
}

/// What a sale begins with.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTransactionOptions {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_BEGIN_...
    pub flags: u32,
    /// Store, 1 to 64 bytes.
    pub store: PkText,
    /// Three capital letters of ISO 4217.
    pub currency: PkText,
    /// The host's own number for the sale, up to 64 bytes.
    pub reference: PkText,
    /// Idempotency key, up to 64 bytes.
    pub key: PkText,
}

/// A line to add.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkLineInput {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Number of the live line that it belongs to; 0 for none.
    pub parent: u32,
    /// Stock-keeping unit, 1 to 64 bytes.
    pub sku: PkText,
    /// Text for people, up to 256 bytes.
    pub text: PkText,
    /// Quantity, not zero; negative for a return line.
    pub quantity: PkDecimal,
    /// Price of `per` units in minor units, zero or more.
    pub unit_price: PkDecimal,
    /// Idempotency key, up to 64 bytes; none inside a cart.
    pub key: PkText,
    /// PK_LINE_KIND_..., or 0 for an item.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// Units that the price is for, more than zero; all zero for one.
    pub per: PkDecimal,
    /// Its taxes, none twice; the `struct_size` of the first is the distance from each to the next.
    pub taxes: *const PkTaxInput,
    /// How many taxes, up to 32.
    pub tax_count: usize,
    /// Discounts and surcharges that it begins with, in their order; the `struct_size` of the first
    /// is the distance from each to the next.
    pub adjustments: *const PkAdjustment,
    /// How many of these, up to 32.
    pub adjustment_count: usize,
    /// Number of the approval for a return without its receipt, or that a rule wants; 0 for none.
    pub approval: u64,
    /// Class of the goods, for rules.
    pub goods_class: PkText,
    /// What rules may ask of it besides; the `struct_size` of the first is the distance from each to
    /// the next.
    pub attributes: *const PkAttribute,
    /// How many of these, up to 512.
    pub attribute_count: usize,
}

/// A line was added or changed.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkLineAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Line number.
    pub line: u32,
    /// Its amount in minor units; 0 once it is voided.
    pub amount: i64,
    /// Total of the sale with it, in minor units.
    pub gross: i64,
    /// Sequence of the fact.
    pub sequence: u64,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Zero.
    pub reserved: u32,
    /// Total of the sale without taxes.
    pub net: i64,
    /// All its taxes.
    pub tax: i64,
    /// Its discounts, on lines and on the sale.
    pub discounts: i64,
    /// Its surcharges, on lines and on the sale.
    pub surcharges: i64,
    /// What its total would be if all of it were paid in cash.
    pub cash_payable: i64,
    /// What the discount or surcharge that the call gave it last adds to its amount; else 0.
    pub adjusted: i64,
    /// Number of that discount or surcharge in the sale; 0 when the call gave none.
    pub adjustment: u32,
    /// Zero.
    pub reserved_end: u32,
}

/// Why something is done, and who allowed it.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkReason {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// 1 to 256 bytes for the journal.
    pub reason: PkText,
    /// Idempotency key, up to 64 bytes.
    pub key: PkText,
    /// Number of the approval for it; 0 for none, and for calls that take no approval.
    pub approval: u64,
}

/// A receipt to take lines back from.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkReturnOf {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Receipt number, from 1.
    pub receipt: u64,
    /// The terminal of the store that gave the receipt; none for the one that is called.
    pub terminal: PkText,
    /// Idempotency key, up to 64 bytes.
    pub key: PkText,
}

/// A sale waits.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkSuspendAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Number of the sale.
    pub sale: u64,
    /// Sequence of the fact.
    pub sequence: u64,
    /// The ticket: up to 95 visible ASCII characters, then zeros.
    pub ticket: [u8; 96],
}

/// A tender to take.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTenderInput {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_TENDER_CASH and so on.
    pub kind: u32,
    /// Minor units, tip included: positive while something is due, negative while something is to be
    /// paid out. For PK_TENDER_FOREIGN minor units of the foreign currency.
    pub amount: i64,
    /// PK_TENDER_IS_PENDING or 0; 0 inside a cart.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// The host's reference, up to 64 bytes.
    pub reference: PkText,
    /// Idempotency key, up to 64 bytes; none inside a cart.
    pub key: PkText,
    /// The part that is a tip, in minor units of the sale's currency, 0 to the amount.
    pub tip: i64,
    /// For PK_TENDER_FOREIGN: three letters of ISO 4217; else none.
    pub currency: PkText,
    /// For PK_TENDER_FOREIGN: what `per` whole units of it are worth in whole units of the sale's
    /// currency, more than zero; else all zero.
    pub rate: PkDecimal,
    /// For PK_TENDER_FOREIGN: units that the rate is for; 0 for one.
    pub per: u32,
    /// Zero.
    pub reserved_end: u32,
    /// Number of the approval that a rule wants; 0 for none.
    pub approval: u64,
    /// What rules may ask of it; the `struct_size` of the first is the distance from each to the next.
    pub attributes: *const PkAttribute,
    /// How many of these, up to 512.
    pub attribute_count: usize,
}

/// A tender was taken or changed.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTenderAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Tender number.
    pub tender: u32,
    /// PK_TENDER_PENDING and so on.
    pub state: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Still due, in minor units.
    pub due: i64,
    /// Change to give, in minor units.
    pub change: i64,
    /// Sequence of the fact.
    pub sequence: u64,
    /// The receipt number, when the tender completed the sale; else 0.
    pub receipt: u64,
    /// What cash rounding adds to the total, in minor units.
    pub rounding: i64,
}

/// What a sale comes to, in minor units of its currency.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTotals {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_STATE_...
    pub state: i32,
    /// Total: net and taxes of the live lines.
    pub gross: i64,
    /// Confirmed tenders.
    pub tendered: i64,
    /// Pending tenders.
    pub pending: i64,
    /// Still to be tendered; negative when it is to be paid out.
    pub due: i64,
    /// To be given back.
    pub change: i64,
    /// Total without taxes.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Discounts on lines and on the sale.
    pub discounts: i64,
    /// Surcharges on lines and on the sale.
    pub surcharges: i64,
    /// What the total would be if all that other tenders do not cover were cash.
    pub cash_payable: i64,
    /// What cash rounding adds to the total as it is paid so far.
    pub rounding: i64,
    /// Tips in the live tenders; part of no total.
    pub tips: i64,
}

/// A whole sale to ring up in one call.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCart {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub flags: u32,
    /// Store, 1 to 64 bytes.
    pub store: PkText,
    /// Three capital letters of ISO 4217.
    pub currency: PkText,
    /// The host's own number for the sale, up to 64 bytes.
    pub reference: PkText,
    /// Idempotency key, up to 64 bytes.
    pub key: PkText,
    /// The lines; the `struct_size` of the first is the distance from each to the next.
    pub lines: *const PkLineInput,
    /// How many lines, up to 8,192.
    pub line_count: usize,
    /// The tenders; the `struct_size` of the first is the distance from each to the next.
    pub tenders: *const PkTenderInput,
    /// How many tenders, up to 64.
    pub tender_count: usize,
    /// Discounts and surcharges on the sale, in their order, behind those of its lines; the
    /// `struct_size` of the first is the distance from each to the next.
    pub adjustments: *const PkAdjustment,
    /// How many of these, up to 32.
    pub adjustment_count: usize,
}

/// A completed sale.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkReceipt {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Number of the sale on its terminal.
    pub sale: u64,
    /// Receipt number on its terminal, from 1 without a gap.
    pub receipt: u64,
    /// Total in minor units.
    pub gross: i64,
    /// Confirmed tenders together.
    pub tendered: i64,
    /// Change given.
    pub change: i64,
    /// Perpetual total sold in this currency, after this sale.
    pub total_sales: i64,
    /// Perpetual total returned in this currency, after this sale.
    pub total_returns: i64,
    /// Wall time of the begin, nanoseconds since 1970-01-01 UTC.
    pub began_ns: i64,
    /// Wall time of the completion, nanoseconds since 1970-01-01 UTC.
    pub at_ns: i64,
    /// Sequence of the completion in the journal.
    pub sequence: u64,
    /// Lines, voided ones included.
    pub lines: u32,
    /// Tenders, dead ones included.
    pub tenders: u32,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// Chain link of the completion's frame: an anchor for verifying.
    pub hash: [u8; 32],
    /// Total without taxes.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Discounts on lines and on the sale.
    pub discounts: i64,
    /// Surcharges on lines and on the sale.
    pub surcharges: i64,
    /// What cash rounding added to the total.
    pub rounding: i64,
    /// Tips in the tenders; part of no total.
    pub tips: i64,
    /// Perpetual taxes on what was sold in this currency, after this sale.
    pub total_sales_tax: i64,
    /// Perpetual taxes on what was returned in this currency, after this sale.
    pub total_returns_tax: i64,
    /// Perpetual cash rounding in this currency, after this sale.
    pub total_rounding: i64,
    /// Rows of the tax table: pk_get_receipt_tax_table.
    pub tax_rows: u32,
    /// 1 when the sale was priced by a policy of the till.
    pub has_policy: u32,
    /// BLAKE3 of that policy, else zeros.
    pub policy: [u8; 32],
    /// PK_CIRCLE_SALE or PK_CIRCLE_TRAINING: which numbers the receipt's is one of.
    pub circle: u32,
    /// Zero.
    pub reserved: u32,
}

/// A line of a sale. Its texts: pk_get_line_text.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkLine {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Line number, from 1.
    pub line: u32,
    /// The line that it belongs to; 0 for none.
    pub parent: u32,
    /// 1 when it was voided.
    pub voided: u32,
    /// Quantity; negative on a return line.
    pub quantity: PkDecimal,
    /// Price of `per` units in minor units.
    pub unit_price: PkDecimal,
    /// Amount in minor units, after discounts and surcharges; kept when the line is voided.
    pub amount: i64,
    /// Quantity times price in minor units.
    pub listed: i64,
    /// Units that the price is for.
    pub per: PkDecimal,
    /// PK_LINE_KIND_...
    pub kind: u32,
    /// How many taxes it has: pk_get_line_taxes.
    pub tax_count: u32,
    /// How many discounts and surcharges it has: pk_get_line_adjustments.
    pub adjustment_count: u32,
    /// On a return with its receipt: the line of that receipt; else 0.
    pub of_line: u32,
    /// On a return with its receipt: its number, at the terminal PK_LINE_SOLD_AT; else 0.
    pub of_receipt: u64,
}

/// A tender of a sale. Its texts: pk_get_tender_text.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTender {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Tender number, from 1.
    pub tender: u32,
    /// PK_TENDER_CASH and so on.
    pub kind: u32,
    /// PK_TENDER_PENDING and so on.
    pub state: u32,
    /// Minor units of the sale's currency, tip included; negative when it was paid out.
    pub amount: i64,
    /// The part that is a tip.
    pub tip: i64,
    /// Minor units of the foreign currency; 0 when none was given.
    pub foreign_amount: i64,
    /// The foreign currency, three letters of ISO 4217, then zeros; zeros when none was given.
    pub foreign_currency: [u8; 8],
    /// What `per` whole units of it are worth in whole units of the sale's currency.
    pub rate: PkDecimal,
    /// Units that the rate is for.
    pub per: u32,
    /// Zero.
    pub reserved: u32,
}

/// Which journal to verify: of an open terminal, or of one in a folder.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkVerifyOptions {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// An open terminal; 0 to name a folder.
    pub terminal: PkTerminal,
    /// Root folder, with `terminal` 0; without one `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
    pub root: PkText,
    /// Terminal id, with `terminal` 0.
    pub id: PkText,
    /// A hash of an earlier receipt or status, 64 hexadecimal digits; the journal must still hold it.
    pub anchor: PkText,
    /// Public keys that are trusted to sign, in hexadecimal, with commas between; without one, those
    /// count that the journal names, and it need not be signed.
    pub trusted_keys: PkText,
    /// A folder of archives beside that of the root; in it, each terminal has a folder of its own.
    pub archive: PkText,
}

/// A place in the chain, to be kept elsewhere.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkAnchor {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when `key` and `signature` are set: Ed25519, over the statement of docs/reference/records.md.
    pub is_signed: u32,
    /// Sequence of the last record.
    pub sequence: u64,
    /// Records up to there since the journal began.
    pub records: u64,
    /// Wall time, nanoseconds since 1970-01-01 UTC.
    pub wall_ns: i64,
    /// Link of the last frame: what verifying asks for.
    pub link: [u8; 32],
    /// Public key.
    pub key: [u8; 32],
    /// The signature.
    pub signature: [u8; 64],
}

/// What was moved into an archive.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkArchiveReport {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Segments that left the journal's folder.
    pub removed: u32,
    /// The oldest segment that the journal still has.
    pub oldest_segment: u32,
    /// Zero.
    pub reserved: u32,
    /// First segment that was moved; 0 when an earlier call was only finished.
    pub from_segment: u32,
    /// The last one.
    pub to_segment: u32,
    /// Hash of the manifest.
    pub manifest: [u8; 32],
}

/// What verifying found.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkVerifyReport {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Bytes behind the last frame that were never durable.
    pub torn_bytes: u32,
    /// Good records.
    pub records: u64,
    /// Segments.
    pub segments: u64,
    /// Sequence of the last good record.
    pub last_sequence: u64,
    /// Receipts given.
    pub receipts: u64,
    /// How many things are wrong.
    pub problems: u64,
    /// Chain link of the last good frame.
    pub head: [u8; 32],
}

/// What can cross as a structure.
///
/// # Safety
/// The type is `repr(C)`, has no padding, begins with its `u32` size, has a size that is a multiple
/// of eight, and is valid when all of its bytes are zero.
pub(crate) unsafe trait Structure: Copy {}

macro_rules! structures {
    ($($name:ident = $bytes:literal),+ $(,)?) => {$(
        // The sizes are the contract: a field that is added goes to the end and changes this number.
        const _: () = assert!(size_of::<$name>() == $bytes && $bytes % 8 == 0);
        // SAFETY: integers, arrays of integers, pointers and structures of these, all without
        // padding, as the size above proves; all of them may be zero.
        unsafe impl Structure for $name {}
    )+};
}
pub(crate) use structures;

structures! {
    PkTerminalOptions = 88,
    PkTerminalStatus = 112,
    PkTerminalStats = 104,
    PkCounters = 72,
    PkTransactionOptions = 72,
    PkLineInput = 184,
    PkLineAnswer = 96,
    PkReason = 48,
    PkTenderInput = 128,
    PkTenderAnswer = 56,
    PkTotals = 104,
    PkCart = 120,
    PkReceipt = 256,
    PkLine = 104,
    PkTender = 72,
    PkVerifyOptions = 96,
    PkAnchor = 160,
    PkArchiveReport = 56,
    PkVerifyReport = 80,
    PkFactAnswer = 24,
    PkApproval = 56,
    PkCash = 24,
    PkCashMovement = 72,
    PkCashTicket = 112,
    PkCashReceived = 80,
    PkCountAnswer = 40,
    PkDrawer = 64,
    PkAttendance = 24,
    PkReturnOf = 48,
    PkSuspendAnswer = 120,
    PkTaxInput = 32,
    PkAdjustment = 64,
    PkAdjustmentAnswer = 80,
    PkPolicy = 88,
    PkPolicyAnswer = 48,
    PkTaxRow = 56,
    PkApplied = 40,
    PkShare = 16,
    PkLineSplit = 40,
    PkTaxCounters = 72,
    PkRuleTable = 24,
    PkAttribute = 56,
    PkRulesAnswer = 48,
}

pub(crate) fn state_number(state: State) -> i32 {
    match state {
        State::Building => PK_STATE_BUILDING,
        State::Tendering => PK_STATE_COMMITTING,
        State::Completed => PK_STATE_COMMITTED,
        State::Voided => PK_STATE_ABORTED,
        State::Suspended => PK_STATE_SUSPENDED,
        State::Transferred => PK_STATE_TRANSFERRED,
    }
}

pub(crate) fn tender_state_number(state: TenderState) -> u32 {
    match state {
        TenderState::Pending => PK_TENDER_PENDING,
        TenderState::Confirmed => PK_TENDER_CONFIRMED,
        TenderState::Declined => PK_TENDER_DECLINED,
        TenderState::Voided => PK_TENDER_VOIDED,
    }
}

pub(crate) fn circle_number(circle: Circle) -> u32 {
    match circle {
        Circle::Sale => PK_CIRCLE_SALE,
        Circle::Training => PK_CIRCLE_TRAINING,
    }
}

pub(crate) fn kind_number(kind: TenderKind) -> u32 {
    match kind {
        TenderKind::Cash => PK_TENDER_CASH,
        TenderKind::Card => PK_TENDER_CARD,
        TenderKind::Voucher => PK_TENDER_VOUCHER,
        TenderKind::Foreign => PK_TENDER_FOREIGN,
        TenderKind::Other => PK_TENDER_OTHER,
    }
}

pub(crate) fn durability_number(durability: Durability) -> u32 {
    match durability {
        Durability::Record => PK_DURABILITY_RECORD,
        Durability::Sale => PK_DURABILITY_SALE,
    }
}
