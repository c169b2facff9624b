//! What people, the drawer and reports look like in C.

use super::PkText;

/// For PkTerminalOptions.flags: sales, the drawer, reports and copies need an operator who is signed
/// on.
pub const PK_OPEN_NEEDS_OPERATOR: u32 = 8;
/// For PkTerminalOptions.flags: sales need an open shift.
pub const PK_OPEN_NEEDS_SHIFT: u32 = 16;

/// Receipts of sales that count.
pub const PK_CIRCLE_SALE: u32 = 1;
/// Receipts of training: numbers of their own, and no counter moves.
pub const PK_CIRCLE_TRAINING: u32 = 2;

/// For PkCashMovement.kind: cash is put in.
pub const PK_MOVE_PAID_IN: u32 = 1;
/// Cash is taken out.
pub const PK_MOVE_PAID_OUT: u32 = 2;
/// The drawer is opened and nothing moves.
pub const PK_MOVE_NO_SALE: u32 = 3;

/// For pk_period_close: all Z reports since the last day.
pub const PK_PERIOD_DAY: u32 = 1;
/// All days since the last month.
pub const PK_PERIOD_MONTH: u32 = 2;
/// All months since the last year.
pub const PK_PERIOD_YEAR: u32 = 3;

/// A fact was made.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkFactAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Sequence of the fact.
    pub sequence: u64,
    /// Number of the approval, shift, report, closing or copy that it made; else 0.
    pub number: u64,
}

/// Somebody allows one thing, once.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkApproval {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Who allows it, 1 to 64 bytes.
    pub approver: PkText,
    /// What is allowed, 1 to 256 bytes.
    pub what: PkText,
    /// Idempotency key, up to 64 bytes.
    pub key: PkText,
}

/// Cash of one currency.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCash {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// Minor units.
    pub amount: i64,
}

/// Cash that goes into the drawer or out of it, or an opening of the drawer.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCashMovement {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_MOVE_...
    pub kind: u32,
    /// Minor units, more than zero; 0 with PK_MOVE_NO_SALE.
    pub amount: i64,
    /// Three capital letters of ISO 4217; none with PK_MOVE_NO_SALE.
    pub currency: PkText,
    /// 1 to 256 bytes for the journal.
    pub reason: PkText,
    /// Idempotency key, up to 64 bytes.
    pub key: PkText,
    /// Number of the approval for it; 0 for none.
    pub approval: u64,
}

/// Cash is on its way to another drawer.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCashTicket {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Sequence of the fact.
    pub sequence: u64,
    /// The ticket: up to 95 visible ASCII characters, then zeros.
    pub ticket: [u8; 96],
}

/// Cash came from another drawer, or back.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCashReceived {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Sequence of the fact.
    pub sequence: u64,
    /// Minor units.
    pub amount: i64,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// The terminal at the other end of its way, then zeros.
    pub terminal: [u8; 40],
    /// 1 when it came back into the drawer that it had left.
    pub taken_back: u32,
    /// Zero.
    pub reserved: u32,
}

/// Cash was counted, in minor units.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkCountAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Sequence of the fact.
    pub sequence: u64,
    /// What had to be there.
    pub expected: i64,
    /// What was there.
    pub counted: i64,
    /// Counted less expected.
    pub over_short: i64,
}

/// The cash of a shift in one currency, in minor units.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkDrawer {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// Put in when the shift began.
    pub opening_float: i64,
    /// Cash tenders less change.
    pub sales: i64,
    /// Paid in.
    pub paid_in: i64,
    /// Paid out, counted upwards.
    pub paid_out: i64,
    /// What counts found over or short, together.
    pub over_short: i64,
    /// What must lie in the drawer.
    pub expected: i64,
}

/// Who is at a till.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkAttendance {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when an operator is signed on: pk_get_operator.
    pub operator_on: u32,
    /// Number of the shift under way; 0 for none.
    pub shift: u64,
    /// 1 while sales begin as training.
    pub training: u32,
    /// Zero.
    pub reserved: u32,
}
