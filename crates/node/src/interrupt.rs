//! Has the main thread write where its JavaScript stands while that does not come back: V8 stops at the next turn of
//! a loop or the next call, runs a function of ours, and goes on.
//!
//! Node-API has no such call. What does it is looked up by name in the running program at the first use, so that a
//! runtime without it loads this binding all the same and only has no stack to show.
//!
//! ```text
//! v8::Isolate::GetCurrent()
//! v8::Isolate::RequestInterrupt(void (*)(v8::Isolate*, void*), void*)
//! node::TriggerNodeReport(v8::Isolate*, const char*, const char*, const std::string&, v8::Local<v8::Value>)
//! ```
//!
//! V8 demands of the function that it does not enter the isolate again: it runs no JavaScript, neither ours nor that
//! of a getter. Nor does Node's report when it is given no error: it walks the frames of the stack, as Node itself has
//! it do in an interrupt of each worker thread. So the function calls that and nothing else, and no value of
//! JavaScript is made or read here. At most ten frames are told.
//!
//! The names hold the types: were those to change, the names would not be found. They are Itanium names, and the
//! string is the one of libstdc++; platforms with others get none.

use std::ffi::{c_char, c_void};
use std::ptr::{NonNull, null};
use std::sync::{Mutex, PoisonError};

/// Where the stack is told, in the folder of reports. At most 15 bytes: a longer one is held on the heap of C++.
const FILE: &[u8; 15] = b"node-hang.json\0";

/// The function that V8 calls: its isolate, and what was given with the request.
type Callback = extern "C" fn(*mut c_void, *mut c_void);

type GetCurrent = unsafe extern "C" fn() -> *mut c_void;
type RequestInterrupt = unsafe extern "C" fn(*mut c_void, Callback, *mut c_void);
type WriteReport = unsafe extern "C" fn(
    isolate: *mut c_void,
    event: *const c_char,
    trigger: *const c_char,
    file: *const Text,
    error: *const c_void,
) -> Text;

/// `std::string` of libstdc++. One of up to 15 bytes owns nothing, so it need not be destroyed; its pointer may lead
/// into itself, so one that was returned, and thereby moved, is not looked at.
#[repr(C)]
struct Text {
    bytes: *const u8,
    length: usize,
    inside: [u8; 16],
}

const _: () = assert!(size_of::<Text>() == 32 || size_of::<usize>() != 8);

/// The way to interrupt one thread of JavaScript. [`Interrupt::end`] closes it before that thread ends.
pub(crate) struct Interrupt {
    /// None once the thread is about to end, and where there is no way.
    target: Mutex<Option<Target>>,
}

struct Target {
    isolate: NonNull<c_void>,
    request: RequestInterrupt,
    report: WriteReport,
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

    /// Has that thread write a report where it stands; false when there is no way.
    pub(crate) fn request(&self) -> bool {
        // Held during the call, so that `end` returns only when the isolate is not in use here.
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(target) = &*target else { return false };
        target.request();
        true
    }

    /// No request is made after this returns.
    pub(crate) fn end(&self) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Target {
    fn request(&self) {
        let report = self.report as *mut c_void;
        // SAFETY: the isolate lives until the environment's cleanup hooks have run, one of which takes this target
        // away under the lock that is held here; the signature is the one in the symbol's name.
        unsafe { (self.request)(self.isolate.as_ptr(), write_report, report) }
    }
}

/// Called by V8 between two instructions of the JavaScript that keeps the loop.
extern "C" fn write_report(isolate: *mut c_void, report: *mut c_void) {
    // SAFETY: `Target::request` gave the pointer of a function of this type.
    let report = unsafe { std::mem::transmute::<*mut c_void, WriteReport>(report) };
    let file = Text { bytes: FILE.as_ptr(), length: FILE.len() - 1, inside: [0; 16] };
    // SAFETY: V8 gives the isolate that it interrupts, on its thread; the texts end with zero and outlive the call; the
    // file's name is copied. An empty `Local` is a null pointer, and then nothing of JavaScript is called. What is
    // returned is the file's name again, or nothing, so it owns nothing.
    let _name = unsafe {
        report(
            isolate,
            c"Hang".as_ptr(),
            c"the event loop stands".as_ptr(),
            &raw const file,
            null(),
        )
    };
}

#[cfg(unix)]
fn find() -> Option<Target> {
    let program = libloading::os::unix::Library::this();
    let current = b"_ZN2v87Isolate10GetCurrentEv\0";
    let interrupt = b"_ZN2v87Isolate16RequestInterruptEPFvPS0_PvES2_\0";
    let report = b"_ZN4node17TriggerNodeReportEPN2v87IsolateEPKcS4_\
        RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEENS0_5LocalINS0_5ValueEEE\0";
    // SAFETY: the symbols are those of Node and its V8 in the running program, which is never unloaded; the types given
    // here are the ones in their names.
    let (current, request, report) = unsafe {
        (
            *program.get::<GetCurrent>(current).ok()?,
            *program.get::<RequestInterrupt>(interrupt).ok()?,
            *program.get::<WriteReport>(report).ok()?,
        )
    };
    // SAFETY: it takes nothing, and gives null on a thread without JavaScript.
    let isolate = NonNull::new(unsafe { current() })?;
    Some(Target { isolate, request, report })
}

#[cfg(not(unix))]
fn find() -> Option<Target> {
    None
}
