//! What rules look like in C.

use super::{PkDecimal, PkText};

/// For PkAttribute.kind: `number` is 0 or 1.
pub const PK_ATTRIBUTE_BOOL: u32 = 1;
/// `number` is a number.
pub const PK_ATTRIBUTE_NUMBER: u32 = 2;
/// `text` is a text.
pub const PK_ATTRIBUTE_TEXT: u32 = 3;
/// `text` is a member of a set, or none for the empty set; those of one name are one set.
pub const PK_ATTRIBUTE_MEMBER: u32 = 4;

/// A rule table.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkRuleTable {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// The table as JSON, or as CSV when it does not begin with a brace; up to 1 MiB.
    pub source: PkText,
}

/// Something that rules may ask of a line or a tender.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkAttribute {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_ATTRIBUTE_BOOL and so on.
    pub kind: u32,
    /// The column that it is for, up to 64 bytes.
    pub name: PkText,
    /// For PK_ATTRIBUTE_TEXT and PK_ATTRIBUTE_MEMBER, up to 2,048 bytes; else none.
    pub text: PkText,
    /// For PK_ATTRIBUTE_BOOL and PK_ATTRIBUTE_NUMBER; else all zero.
    pub number: PkDecimal,
}

/// Rules were set.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkRulesAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Sequence of the fact.
    pub sequence: u64,
    /// BLAKE3 of the rules: what names them.
    pub hash: [u8; 32],
}
