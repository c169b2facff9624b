//! The library itself: versions, results, the last error.

use crate::abi;
use crate::guard::{OK, guard, guard_quietly};
use crate::memory::{Buffer, Slot};
use crate::types::{PK_OK, PkResult};
use pos_kernel_core::clock::{Clock, SystemClock};
use pos_kernel_core::{Code, Error};
use serde_json::Value;

/// The version with a zero at its end, as C reads it.
static VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version of this interface: major in the upper 16 bits, minor in the lower. A host built
/// against one major version works with every library of that major version whose minor one is as
/// high.
#[unsafe(no_mangle)]
pub extern "C" fn pk_abi_version() -> u32 {
    abi::MAJOR << 16 | abi::MINOR
}

/// The version of the library as text with a zero at its end, such as "0.1.0". It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pk_get_version() -> *const u8 {
    VERSION.as_ptr()
}

/// 1 when a result is PK_OK, else 0. It fits hosts that read one byte and those that read four.
#[unsafe(no_mangle)]
pub extern "C" fn pk_result_is_ok(result: PkResult) -> i32 {
    i32::from(result.code == PK_OK)
}

/// The code of a result.
#[unsafe(no_mangle)]
pub extern "C" fn pk_result_get_code(result: PkResult) -> i32 {
    result.code
}

/// The name of a detail, such as "PK_E_UNDERPAID"; empty for 0.
///
/// Codes: 1 for a number that is no detail; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_detail_name(
    detail: i32,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let found = Code::ALL.iter().find(|code| **code as i32 == detail);
        let name = match found {
            Some(code) => code.name(),
            None if detail == 0 => "",
            None => {
                let message = format!("{detail} is no detail of this version");
                return Err(Error::new(Code::NotFound, message).with("detail", detail));
            }
        };
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(name) }
    })
}

/// The sentence of this thread's last refused call: the thing, the value, the limit, the next step.
/// Empty when none was refused. Asking does not change it.
///
/// Codes: 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_last_error(
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard_quietly(|last| {
        let text = last.map_or("", Error::message);
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(text) }
    })
}

/// This thread's last refused call as JSON: `code`, `family`, `message` and the `facts` of the case,
/// such as the owner of a terminal that is in use. `{}` when none was refused.
///
/// Codes: 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_last_error_json(
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard_quietly(|last| {
        let text = last.map_or_else(|| "{}".to_owned(), |error| Value::from(error).to_string());
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// The wall clock: nanoseconds since 1970-01-01 UTC.
///
/// Codes: 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_now_utc_ns(out_ns: *mut i64) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_ns", out_ns)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(SystemClock.wall_ns()) };
        Ok(())
    })
}

const _: () = assert!(OK.code == PK_OK && OK.detail == 0);
