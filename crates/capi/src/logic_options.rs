//! The option globals of the minimiser, one set for each thread. What is set holds for the thread's
//! runs from then on; `pl_teardown_all` sets all back. Those of the classic program that are about
//! printing, echoing and state machines have no counterpart, because this library prints nothing.

use crate::logic::run;
use crate::types::PkResult;
use pos_kernel_core::{Code, Error};
use pos_kernel_espresso::classic::{self, ClassicError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Whether every answer is compared with its question once more, by other means than the minimiser's own.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_debug() -> i32 {
    number(|| classic::debug().map(i32::from))
}

/// Sets what `pl_get_debug` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_debug(value: i32) -> PkResult {
    run(|| Ok(classic::set_debug(truth("debug", value)?)?))
}

/// Whether setting up, every phase of a run and its answer leave a line in the text of pl_trace_text.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_trace() -> i32 {
    number(|| classic::trace().map(i32::from))
}

/// Sets what `pl_get_trace` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_trace(value: i32) -> PkResult {
    run(|| Ok(classic::set_trace(truth("trace", value)?)?))
}

/// Whether a run is one pass: about half the time and a few percent more products.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_single_expand() -> i32 {
    number(|| classic::single_expand().map(i32::from))
}

/// Sets what `pl_get_single_expand` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_single_expand(value: i32) -> PkResult {
    run(|| Ok(classic::set_single_expand(truth("single_expand", value)?)?))
}

/// Whether a run takes more ways out of a settled cover; stands above single_expand.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_super_gasp() -> i32 {
    number(|| classic::super_gasp().map(i32::from))
}

/// Sets what `pl_get_super_gasp` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_super_gasp(value: i32) -> PkResult {
    run(|| Ok(classic::set_super_gasp(truth("super_gasp", value)?)?))
}

/// Whether a run goes on until the minimum is proved or a limit strikes; stands above the two before.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_exact() -> i32 {
    number(|| classic::exact().map(i32::from))
}

/// Sets what `pl_get_exact` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_exact(value: i32) -> PkResult {
    run(|| Ok(classic::set_exact(truth("exact", value)?)?))
}

/// Whether the OFF-set is minimised in place of the ON-set.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_pos() -> i32 {
    number(|| classic::pos().map(i32::from))
}

/// Sets what `pl_get_pos` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_pos(value: i32) -> PkResult {
    run(|| Ok(classic::set_pos(truth("pos", value)?)?))
}

/// Whether cubes of several outputs are first taken apart.
/// It is 1 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_unwrap_onset() -> i32 {
    number(|| classic::unwrap_onset().map(i32::from))
}

/// Sets what `pl_get_unwrap_onset` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_unwrap_onset(value: i32) -> PkResult {
    run(|| Ok(classic::set_unwrap_onset(truth("unwrap_onset", value)?)?))
}

/// Whether essential primes are set aside while the others are improved.
/// It is 1 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_remove_essential() -> i32 {
    number(|| classic::remove_essential().map(i32::from))
}

/// Sets what `pl_get_remove_essential` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_remove_essential(value: i32) -> PkResult {
    run(|| Ok(classic::set_remove_essential(truth("remove_essential", value)?)?))
}

/// Whether literals are left as they are at the end.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_skip_make_sparse() -> i32 {
    number(|| classic::skip_make_sparse().map(i32::from))
}

/// Sets what `pl_get_skip_make_sparse` tells.
///
/// Codes: 3 for a value that is not 0 or 1.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_skip_make_sparse(value: i32) -> PkResult {
    run(|| Ok(classic::set_skip_make_sparse(truth("skip_make_sparse", value)?)?))
}

/// Threads that a run may use, 1 to 256; the answer is the same for any number.
/// It is 1 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_threads() -> u32 {
    number(|| classic::threads().map(|threads| u32::try_from(threads).unwrap_or(u32::MAX)))
}

/// Sets what `pl_get_threads` tells.
///
/// Codes: 3.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_threads(value: u32) -> PkResult {
    run(|| Ok(classic::set_threads(value as usize)?))
}

/// Milliseconds after which a run ends with the best cover it has; 0 is no limit.
/// It is 0 until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_time_limit_ms() -> u64 {
    number(|| classic::time_limit().map(|limit| limit.map_or(0, milliseconds)))
}

/// Sets what `pl_get_time_limit_ms` tells.
///
/// Codes: none.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_time_limit_ms(value: u64) -> PkResult {
    run(|| Ok(classic::set_time_limit((value > 0).then(|| Duration::from_millis(value)))?))
}

/// Bytes that the covers of a run may take.
/// It is 1 GiB until it is set.
#[unsafe(no_mangle)]
pub extern "C" fn pl_get_memory_limit_bytes() -> u64 {
    number(|| classic::memory_limit().map(|bytes| bytes as u64))
}

/// Sets what `pl_get_memory_limit_bytes` tells.
///
/// Codes: none.
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_memory_limit_bytes(value: u64) -> PkResult {
    run(|| Ok(classic::set_memory_limit(usize::try_from(value).unwrap_or(usize::MAX))?))
}

/// An option; 0 on a thread that is ending.
fn number<T: Default>(call: impl FnOnce() -> Result<T, ClassicError>) -> T {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => value.unwrap_or_default(),
        Err(payload) => {
            std::mem::forget(payload);
            T::default()
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn truth(option: &'static str, value: i32) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            let message = format!("{option} is 0 or 1, not {value}");
            Err(Error::new(Code::BadArgument, message)
                .with("argument", option)
                .with("value", value))
        }
    }
}
