//! Currencies: ISO 4217 by its letters. Symbols, names and locales are the host's.

use crate::guard::{guard, guard_number};
use crate::memory::{self, Slot};
use crate::types::PkResult;
use pos_kernel_core::money::Currency;

/// Checks a currency: three capital letters of ISO 4217.
///
/// Codes: 0 when it is one; 3 (PK_E_BAD_CURRENCY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_validate_currency_code(
    currency: *const u8,
    currency_len: usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let text = unsafe { memory::text(memory::CURRENCY, currency, currency_len) }?;
        Currency::parse(text).map(drop)
    })
}

/// 1 when a currency is one of ISO 4217, else 0.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_is_standard_currency(currency: *const u8, currency_len: usize) -> i32 {
    guard_number(|| {
        // SAFETY: the caller promises the text.
        let text = unsafe { memory::text(memory::CURRENCY, currency, currency_len) };
        i32::from(text.is_ok_and(|text| Currency::parse(text).is_ok()))
    })
}

/// Decimal places of a currency's minor unit: 0 for JPY, 2 for EUR, 3 for KWD.
///
/// Codes: 3 (PK_E_BAD_CURRENCY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_currency_exponent(
    currency: *const u8,
    currency_len: usize,
    out_exponent: *mut u32,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_exponent", out_exponent)?;
        // SAFETY: the caller promises the text.
        let text = unsafe { memory::text(memory::CURRENCY, currency, currency_len) }?;
        let exponent = Currency::parse(text)?.exponent();
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(exponent.into()) };
        Ok(())
    })
}
