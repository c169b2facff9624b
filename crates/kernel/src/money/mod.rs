//! Money: integers of minor units, checked; decimals for quantities and prices; ISO 4217.
//!
//! What lives here: arithmetic that cannot be wrong by accident. What must not: symbols, locales,
//! names of currencies (the host's), and any knowledge of a sale. Invariants: no float, no unchecked
//! operation, no rounding without a rule named at its call site, and no amount outside the safe
//! integers of JavaScript, so that every door can carry it.
//!
//! Read `rounding.rs` first: it is where an amount comes from.

mod currency;
mod decimal;
mod rounding;

pub use currency::Currency;
pub use decimal::Decimal;
pub(crate) use rounding::power_of_ten;
pub use rounding::{Rounding, divide, extend, extend_per};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::AMOUNT_MAX;

/// Adds amounts of minor units.
///
/// # Errors
/// `PK_E_OVERFLOW` when the sum leaves the range of safe integers.
pub fn add(a: i64, b: i64) -> Result<i64> {
    in_range(i128::from(a) + i128::from(b))
}

/// Brings a wide amount back, or refuses it.
///
/// # Errors
/// `PK_E_OVERFLOW` when it leaves the range of safe integers.
pub fn in_range(wide: i128) -> Result<i64> {
    match i64::try_from(wide) {
        Ok(amount) if (-AMOUNT_MAX..=AMOUNT_MAX).contains(&amount) => Ok(amount),
        _ => Err(too_large("amount", &wide)),
    }
}

/// The refusal of a number that leaves its range.
pub(crate) fn too_large(what: &str, value: &i128) -> Error {
    let message = format!("{what} {value} is outside +-{AMOUNT_MAX} minor units");
    Error::new(Code::Overflow, message).with("value", value.to_string()).with("limit", AMOUNT_MAX)
}
