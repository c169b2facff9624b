//! What every call runs inside: a panic becomes PK_E_PANIC, a refusal becomes a code, and the
//! sentence behind it is kept for the thread that made the call.

use crate::types::{PK_INTERNAL_ERROR, PK_OK, PkResult};
use pos_kernel_core::{Code, Error, Result};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static LAST: RefCell<Option<Error>> = const { RefCell::new(None) };
}

pub(crate) const OK: PkResult = PkResult { code: PK_OK, detail: 0 };

/// Runs a call on a terminal.
pub(crate) fn guard(call: impl FnOnce() -> Result<()>) -> PkResult {
    let after_panic = "the kernel failed inside this call; close the terminal and open it again: it \
                       recovers from its journal";
    guard_saying(after_panic, call)
}

/// Runs a call; what to do after a panic is the caller's to say.
pub(crate) fn guard_saying(
    after_panic: &'static str,
    call: impl FnOnce() -> Result<()>,
) -> PkResult {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => OK,
        Ok(Err(error)) => refused(error),
        Err(payload) => {
            // Dropping what a panic carries may itself panic; it is rare enough to be leaked.
            std::mem::forget(payload);
            panicked(after_panic)
        }
    }
}

/// Runs a call that asks for the last error, and so must not become it.
pub(crate) fn guard_quietly(call: impl FnOnce(Option<&Error>) -> Result<()>) -> PkResult {
    let call = || LAST.try_with(|last| call(last.borrow().as_ref()));
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(Ok(()))) => OK,
        Ok(Ok(Err(error))) => result_of(error.code()),
        // The thread is ending, and its last error is gone.
        Ok(Err(_)) => result_of(Code::NotFound),
        Err(payload) => {
            std::mem::forget(payload);
            result_of(Code::Panic)
        }
    }
}

/// Runs a call that answers a number instead of a result.
pub(crate) fn guard_number(call: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        0
    })
}

pub(crate) fn result_of(code: Code) -> PkResult {
    PkResult { code: code.result(), detail: code as i32 }
}

#[cold]
fn refused(error: Error) -> PkResult {
    let result = result_of(error.code());
    // A thread that is ending has nowhere to keep it.
    let _ = LAST.try_with(|last| last.replace(Some(error)));
    result
}

#[cold]
fn panicked(message: &'static str) -> PkResult {
    let kept = catch_unwind(|| refused(Error::new(Code::Panic, message)));
    kept.unwrap_or(PkResult { code: PK_INTERNAL_ERROR, detail: Code::Panic as i32 })
}

#[cfg(test)]
mod tests {
    use super::{guard, guard_quietly};
    use crate::types::{PK_INTERNAL_ERROR, PK_OK};
    use pos_kernel_core::{Code, Error};

    struct Mine;
    impl Drop for Mine {
        fn drop(&mut self) {
            panic!("a payload that panics when it is dropped");
        }
    }

    #[test]
    fn a_panic_is_a_code_and_a_sentence_whatever_it_carries() {
        let plain = guard(|| panic!("inside"));
        assert_eq!((plain.code, plain.detail), (PK_INTERNAL_ERROR, Code::Panic as i32));
        let vicious = guard(|| std::panic::panic_any(Mine));
        assert_eq!(vicious.code, PK_INTERNAL_ERROR);
        let mut text = String::new();
        let told = guard_quietly(|last| {
            text = last.map(|error| error.message().to_owned()).unwrap_or_default();
            Ok(())
        });
        assert_eq!(told.code, PK_OK);
        assert!(text.contains("open it again"), "{text}");
    }

    #[test]
    fn asking_for_the_last_error_does_not_become_it() {
        let _ = guard(|| Err(Error::new(Code::Underpaid, "first")));
        let short = guard_quietly(|_| Err(Error::new(Code::BufferTooSmall, "second")));
        assert_eq!(short.detail, Code::BufferTooSmall as i32);
        let mut code = None;
        let _ = guard_quietly(|last| {
            code = last.map(Error::code);
            Ok(())
        });
        assert_eq!(code, Some(Code::Underpaid));
    }
}
