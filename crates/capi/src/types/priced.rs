//! What prices, taxes, discounts and policies look like in C.

use super::PkText;

/// For PkLineInput.kind: goods or a service; 0 is the same. The only kind that takes part in a
/// discount on the sale.
pub const PK_LINE_KIND_ITEM: u32 = 1;
/// A charge of its own, such as for service or delivery.
pub const PK_LINE_KIND_SURCHARGE: u32 = 2;
/// A deposit on a container, taken or given back.
pub const PK_LINE_KIND_DEPOSIT: u32 = 3;
/// A tip that is turnover; one that is not stands in its tender.
pub const PK_LINE_KIND_TIP: u32 = 4;

/// For PkTaxInput.inclusive: what the policy says of all prices.
pub const PK_TAX_BY_POLICY: u32 = 0;
/// The tax comes on top of the price.
pub const PK_TAX_EXCLUSIVE: u32 = 1;
/// The price contains the tax.
pub const PK_TAX_INCLUSIVE: u32 = 2;

/// For PkAdjustment.direction: towards zero.
pub const PK_ADJUST_DISCOUNT: u32 = 1;
/// Away from zero.
pub const PK_ADJUST_SURCHARGE: u32 = 2;
/// For PkAdjustment.unit: the value is minor units.
pub const PK_ADJUST_AMOUNT: u32 = 1;
/// The value is parts per million of the amount as it stands: 10 % is 100,000.
pub const PK_ADJUST_PPM: u32 = 2;

/// For PkPolicy.flags: `minor_digits` counts; else the digits are those of ISO 4217.
pub const PK_POLICY_MINOR_DIGITS: u32 = 1;
/// For PkPolicy.flags: `change_from` counts, also when it is 0; else change is given from cash and
/// foreign cash.
pub const PK_POLICY_CHANGE_FROM: u32 = 2;
/// For PkPolicy.flags: one sale may not hold both sold and returned lines.
pub const PK_POLICY_NO_MIXED_RETURNS: u32 = 4;

/// For PkPolicy.prices: tax comes on top; the default.
pub const PK_PRICES_NET: u32 = 1;
/// Tax is inside.
pub const PK_PRICES_GROSS: u32 = 2;

/// For PkPolicy.tax_scope: tax is rounded once for each rate; the default.
pub const PK_TAX_PER_RATE: u32 = 1;
/// Once for each line.
pub const PK_TAX_PER_LINE: u32 = 2;
/// For one unit of each line, then times the quantity.
pub const PK_TAX_PER_UNIT: u32 = 3;

/// For PkPolicy.tax_rounding and amount_rounding: to the nearest, ties away from zero; the default.
pub const PK_ROUND_HALF_UP: u32 = 1;
/// To the nearest, ties to the even one.
pub const PK_ROUND_HALF_EVEN: u32 = 2;
/// Away from zero.
pub const PK_ROUND_UP: u32 = 3;
/// Towards zero.
pub const PK_ROUND_DOWN: u32 = 4;

/// For PkPolicy.gross_split: each tax is rounded and net is what is left; the default.
pub const PK_SPLIT_TAX_FIRST: u32 = 1;
/// Net is rounded and tax is what is left.
pub const PK_SPLIT_NET_FIRST: u32 = 2;

/// For PkPolicy.cash_rounding: to the nearest, half a step away from zero; the default.
pub const PK_CASH_HALF_UP: u32 = 1;
/// To the nearest, half a step towards zero.
pub const PK_CASH_HALF_DOWN: u32 = 2;
/// Away from zero.
pub const PK_CASH_UP: u32 = 3;
/// Towards zero.
pub const PK_CASH_DOWN: u32 = 4;

/// For PkPolicy.unbound_returns: a return without its receipt is taken.
pub const PK_UNBOUND_ALLOW: u32 = 1;
/// It is taken with an approval; the default.
pub const PK_UNBOUND_APPROVE: u32 = 2;
/// It is refused.
pub const PK_UNBOUND_REFUSE: u32 = 3;

/// A tax of a line to add.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTaxInput {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Rate in parts per million of the net amount, up to 10,000,000: 19 % is 190,000.
    pub rate_ppm: u32,
    /// Class, up to 12 visible ASCII characters; none for no name.
    pub tax_class: PkText,
    /// PK_TAX_BY_POLICY, PK_TAX_EXCLUSIVE or PK_TAX_INCLUSIVE.
    pub inclusive: u32,
    /// Zero.
    pub reserved: u32,
}

/// A discount or a surcharge to give, to a line or to a sale.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkAdjustment {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_ADJUST_DISCOUNT or PK_ADJUST_SURCHARGE.
    pub direction: u32,
    /// PK_ADJUST_AMOUNT or PK_ADJUST_PPM.
    pub unit: u32,
    /// Zero.
    pub reserved: u32,
    /// Over zero.
    pub value: i64,
    /// Number of the approval for it; 0 for none, and inside a line or a cart.
    pub approval: u64,
    /// 1 to 256 bytes for the journal.
    pub reason: PkText,
    /// Idempotency key, up to 64 bytes; none inside a line or a cart.
    pub key: PkText,
}

/// A sale got a discount or a surcharge, or lost one. Amounts are minor units of the whole sale.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkAdjustmentAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// Its number in the sale, from 1 over lines and sale together, never used again.
    pub adjustment: u32,
    /// What the call adds to the amounts of the lines together; negative for a discount on sold
    /// lines. pk_get_adjustment_shares tells what each line has of it.
    pub adjusted: i64,
    /// Total without taxes.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Total.
    pub gross: i64,
    /// Discounts on lines and on the sale.
    pub discounts: i64,
    /// Surcharges on lines and on the sale.
    pub surcharges: i64,
    /// What the total would be if all of it were paid in cash.
    pub cash_payable: i64,
    /// Sequence of the fact.
    pub sequence: u64,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Zero.
    pub reserved: u32,
}

/// The rules by which sales of a currency are priced. Zero everywhere but in size and currency is
/// the default policy.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkPolicy {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// PK_POLICY_...
    pub flags: u32,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// Decimal places of the minor unit, 0 to 4, with PK_POLICY_MINOR_DIGITS; else 0.
    pub minor_digits: u32,
    /// PK_PRICES_..., or 0 for net.
    pub prices: u32,
    /// PK_TAX_PER_..., or 0 for rate.
    pub tax_scope: u32,
    /// PK_ROUND_..., or 0 for half up.
    pub tax_rounding: u32,
    /// PK_SPLIT_..., or 0 for tax first.
    pub gross_split: u32,
    /// PK_ROUND_..., or 0 for half up.
    pub amount_rounding: u32,
    /// Smallest cash in minor units, up to 1,000,000: 5 in Switzerland; 0 or 1 for no cash rounding.
    pub cash_step: u32,
    /// PK_CASH_..., or 0 for half up.
    pub cash_rounding: u32,
    /// What may be tendered for more than is due, with PK_POLICY_CHANGE_FROM: the sum of
    /// 1 << PK_TENDER_CASH and so on; else 0.
    pub change_from: u32,
    /// PK_UNBOUND_..., or 0 for approve.
    pub unbound_returns: u32,
    /// What pk_get_policy gives: BLAKE3 of the policy. pk_set_policy does not look at it.
    pub hash: [u8; 32],
}

/// A policy was set.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkPolicyAnswer {
    /// Size of this structure in bytes.
    pub struct_size: u32,
    /// 1 when this is the stored answer of an earlier call with the same key.
    pub replayed: u32,
    /// Sequence of the fact.
    pub sequence: u64,
    /// BLAKE3 of the policy: what completions name it by.
    pub hash: [u8; 32],
}

/// A tax of a line or a row of a tax table, in minor units.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTaxRow {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Rate in parts per million.
    pub rate_ppm: u32,
    /// PK_TAX_EXCLUSIVE or PK_TAX_INCLUSIVE.
    pub inclusive: u32,
    /// Zero.
    pub reserved: u32,
    /// Class, then zeros.
    pub tax_class: [u8; 16],
    /// Net of what has the tax. What has several stands in the row of each.
    pub net: i64,
    /// Tax.
    pub tax: i64,
    /// Net and this tax.
    pub gross: i64,
}

/// A discount or a surcharge on a line.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkApplied {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Its number in the sale.
    pub adjustment: u32,
    /// PK_ADJUST_DISCOUNT or PK_ADJUST_SURCHARGE.
    pub direction: u32,
    /// PK_ADJUST_AMOUNT or PK_ADJUST_PPM.
    pub unit: u32,
    /// As it was given.
    pub value: i64,
    /// What it adds to the line's amount; negative for a discount on a sold line.
    pub amount: i64,
    /// 1 when it is the line's share of one on the whole sale.
    pub of_sale: u32,
    /// Zero.
    pub reserved: u32,
}

/// What a line has of a discount or a surcharge.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkShare {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Line number.
    pub line: u32,
    /// What it adds to the line's amount; negative for a discount on a sold line.
    pub amount: i64,
}

/// What a live line comes to, in minor units. The lines add up to the totals and to the tax table.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkLineSplit {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Line number.
    pub line: u32,
    /// Amount after discounts and surcharges; inclusive taxes are inside.
    pub amount: i64,
    /// Without taxes.
    pub net: i64,
    /// Its taxes.
    pub tax: i64,
    /// With all taxes.
    pub gross: i64,
}

/// Perpetual totals of one tax in one currency, in minor units.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PkTaxCounters {
    /// Size of this structure in bytes; set in the first element of an array.
    pub struct_size: u32,
    /// Rate in parts per million.
    pub rate_ppm: u32,
    /// PK_TAX_EXCLUSIVE or PK_TAX_INCLUSIVE.
    pub inclusive: u32,
    /// Zero.
    pub reserved: u32,
    /// Three letters of ISO 4217, then zeros.
    pub currency: [u8; 8],
    /// Class, then zeros.
    pub tax_class: [u8; 16],
    /// Net sold.
    pub sold_net: i64,
    /// Tax on what was sold.
    pub sold_tax: i64,
    /// Net returned, counted upwards.
    pub returned_net: i64,
    /// Tax on what was returned, counted upwards.
    pub returned_tax: i64,
}
