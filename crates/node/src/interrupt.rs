//! Runs a function on the main thread while JavaScript there does not come back: V8 stops at the next turn of a
//! loop or the next call, runs it, and goes on.
//!
//! Node-API has no such call. The two of V8's own that do it are looked up by name in the running program at the
//! first use, so that a runtime without them loads this binding all the same and only has no stack to show.
//!
//! ```text
//! v8::Isolate::GetCurrent()
//! v8::Isolate::RequestInterrupt(void (*)(v8::Isolate*, void*), void*)
//! ```
//!
//! Both take and give plain pointers, and their names hold their types: were those to change, the names would not
//! be found. They are Itanium names; other platforms get none.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// The function that V8 calls: its isolate, and what was given with the request.
type Callback = extern "C" fn(*mut c_void, *mut c_void);

#[cfg(unix)]
type GetCurrent = unsafe extern "C" fn() -> *mut c_void;
#[cfg(unix)]
type RequestInterrupt = unsafe extern "C" fn(*mut c_void, Callback, *mut c_void);

/// The way to interrupt one thread of JavaScript. [`Interrupt::end`] closes it before that thread ends.
pub(crate) struct Interrupt {
    /// None once the thread is about to end, and where there is no way.
    target: Mutex<Option<Target>>,
}

#[cfg_attr(not(unix), allow(dead_code))]
struct Target {
    isolate: NonNull<c_void>,
    #[cfg(unix)]
    request: RequestInterrupt,
}

// SAFETY: an isolate may be interrupted from any thread, says V8 of `RequestInterrupt`; nothing else is done with
// the pointer.
unsafe impl Send for Target {}

impl Interrupt {
    /// The way to the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        Self { target: Mutex::new(find()) }
    }

    /// True when there is a way.
    pub(crate) fn is_possible(&self) -> bool {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Has `callback` called on that thread; false when there is no way.
    pub(crate) fn request(&self, callback: Callback) -> bool {
        // Held during the call, so that `end` returns only when the isolate is not in use here.
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(target) = &*target else { return false };
        target.request(callback);
        true
    }

    /// No request is made after this returns.
    pub(crate) fn end(&self) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Target {
    #[cfg(unix)]
    fn request(&self, callback: Callback) {
        // SAFETY: the isolate lives until the environment's cleanup hooks have run, one of which takes this target
        // away under the lock that is held here; the signature is the one in the symbol's name.
        unsafe { (self.request)(self.isolate.as_ptr(), callback, std::ptr::null_mut()) }
    }

    #[cfg(not(unix))]
    fn request(&self, _: Callback) {}
}

#[cfg(unix)]
fn find() -> Option<Target> {
    let program = libloading::os::unix::Library::this();
    let current = b"_ZN2v87Isolate10GetCurrentEv\0";
    let interrupt = b"_ZN2v87Isolate16RequestInterruptEPFvPS0_PvES2_\0";
    // SAFETY: the symbols are those of V8 in the running program, which is never unloaded; the types given here are
    // the ones in their names.
    let (current, request) = unsafe {
        (
            *program.get::<GetCurrent>(current).ok()?,
            *program.get::<RequestInterrupt>(interrupt).ok()?,
        )
    };
    // SAFETY: it takes nothing, and gives null on a thread without JavaScript.
    let isolate = NonNull::new(unsafe { current() })?;
    Some(Target { isolate, request })
}

#[cfg(not(unix))]
fn find() -> Option<Target> {
    None
}
