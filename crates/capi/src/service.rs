//! The client of a kernel service: terminals whose journal another process has.
//!
//! A call is one operation of a script as JSON, and its answer is JSON too. The operation is done once;
//! its answer is kept under a number until 64 newer calls have been made, so that a buffer which was
//! too small costs nothing.

use crate::guard::guard_saying;
use crate::handle::Table;
use crate::memory::{self, Buffer, Slot};
use crate::types::{PkResult, PkService, PkText};
use pos_kernel_core::{Code, Error, Result};
use pos_kernel_service::{Client, ClientOptions, Kind, PAYLOAD_BYTES_MAX, Post};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Answers that are kept.
const ANSWERS_MAX: usize = 64;

/// Operations that change nothing, and so may be sent twice.
const READS: [&str; 10] = [
    "policy",
    "rules",
    "shift",
    "totals",
    "receipt",
    "openSales",
    "suspendedSales",
    "cashInTransit",
    "counters",
    "status",
];

const AFTER_PANIC: &str =
    "the library failed inside this call; close the connection and connect again";

static SERVICES: Table<Seat> = Table::new(6);

/// A connection that a host holds a handle to.
#[derive(Debug)]
struct Seat {
    client: Client,
    answers: Mutex<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    last: u64,
    kept: VecDeque<(u64, String)>,
}

impl Answers {
    fn keep(&mut self, answer: String) -> u64 {
        self.last += 1;
        self.kept.push_back((self.last, answer));
        if self.kept.len() > ANSWERS_MAX {
            self.kept.pop_front();
        }
        self.last
    }
}

/// Connects to one terminal of a kernel service of this machine. A terminal has one client at a time.
///
/// `root`: folder of the store. `socket`: path of the socket; none for `service/service.sock` in the
/// root. `id`: the terminal. `patience_ms`: how long calls wait for a connection that broke to come
/// back.
///
/// Codes: 2 (PK_E_SERVICE_DOWN: nobody serves there; PK_E_TERMINAL_IN_USE: pk_last_error_json has the
/// client; PK_E_NOT_ALLOWED; PK_E_UNSUPPORTED); 3 (PK_E_PROTOCOL_VERSION, PK_E_LIMIT for a path that is
/// too long); and what the service refuses the terminal with.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_service_connect(
    root: PkText,
    socket: PkText,
    id: PkText,
    patience_ms: u64,
    out_service: *mut PkService,
) -> PkResult {
    guard_saying(AFTER_PANIC, || {
        let slot = Slot::new("out_service", out_service)?;
        // SAFETY: the caller promises the text.
        let root = unsafe { memory::field(memory::ROOT, root) }?;
        // SAFETY: the caller promises the text.
        let socket = unsafe { memory::optional_field(memory::SOCKET, socket) }?;
        // SAFETY: the caller promises the text.
        let terminal = unsafe { memory::field(memory::ID, id) }?;
        if root.is_empty() && socket.is_none() {
            let message = "neither root nor socket is given; one of them says where the service is";
            return Err(Error::new(Code::BadArgument, message).with("argument", "root"));
        }
        let options = ClientOptions {
            root: root.into(),
            socket: socket.map(PathBuf::from),
            terminal: terminal.to_owned(),
            package: env!("CARGO_PKG_VERSION").to_owned(),
            door: "script",
            patience: Duration::from_millis(patience_ms),
        };
        // Every call waits for its own answer, so nobody is to be woken.
        let client = Client::connect(options, || {})?;
        let seat = Arc::new(Seat { client, answers: Mutex::default() });
        let handle = SERVICES.insert(seat).ok_or_else(full)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// Does one operation, as a script has it on a line, and gives its answer:
/// `{"ok":true,"op":...}` or `{"ok":false,"code":...,"message":...,"facts":{...}}`.
///
/// A refusal by the kernel is an answer too, with PK_OK. The operation is done once, whatever the
/// buffer: `out_call` gives its number, by which pk_service_answer gives the answer again. Durable when
/// it returns, as the service's durability says. When the connection breaks, an operation that only
/// reads or has a "key" is sent again.
///
/// Codes: 1; 2 (PK_E_SERVICE_DOWN: not done; PK_E_CLOSED); 3; 4 (done, the answer is kept); 7
/// (PK_E_OUTCOME_UNKNOWN: the connection broke, the operation has no key).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_service_call(
    service: PkService,
    operation: PkText,
    out_call: *mut u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard_saying(AFTER_PANIC, || {
        let slot = Slot::new("out_call", out_call)?;
        let room = Buffer { to: buffer, capacity, need };
        room.check()?;
        // SAFETY: the caller promises the text.
        let operation = unsafe { memory::field(memory::OPERATION, operation) }?;
        let seat = seat(service)?;
        let may_repeat = may_repeat(operation);
        let post = Post { kind: Kind::Operation, may_repeat, payload: operation.as_bytes() };
        let (_, answer) = seat.client.call(post)?;
        let answer = String::from_utf8(answer).map_err(|_| not_text())?;
        let mut answers = seat.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let call = answers.keep(answer.clone());
        drop(answers);
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(call) };
        // SAFETY: the caller promises the buffer.
        unsafe { room.give(&answer) }
    })
}

/// The answer of a call once more, by its number.
///
/// Codes: 1 (also when 64 newer calls have been made); 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_service_answer(
    service: PkService,
    call: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard_saying(AFTER_PANIC, || {
        let seat = seat(service)?;
        let answers = seat.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, answer)) = answers.kept.iter().find(|(number, _)| *number == call) else {
            let message = format!("the answer of call {call} is not kept; the last 64 are");
            return Err(Error::new(Code::NotFound, message).with("call", call));
        };
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(answer) }
    })
}

/// Waits until nothing is under way and gives the terminal back; the service keeps it open. The handle
/// is ended.
///
/// Codes: 1.
#[unsafe(no_mangle)]
pub extern "C" fn pk_service_close(service: PkService) -> PkResult {
    guard_saying(AFTER_PANIC, || {
        let seat = SERVICES.remove(service).ok_or_else(|| unknown(service))?;
        seat.client.close();
        Ok(())
    })
}

fn seat(handle: PkService) -> Result<Arc<Seat>> {
    SERVICES.get(handle).ok_or_else(|| unknown(handle))
}

/// Whether an operation has a key or only reads; what cannot be read is refused by the service.
fn may_repeat(operation: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(operation) else { return true };
    let is_keyed = value.get("key").is_some_and(Value::is_string);
    is_keyed || value.get("op").and_then(Value::as_str).is_some_and(|op| READS.contains(&op))
}

#[cold]
fn unknown(handle: PkService) -> Error {
    if handle == 0 {
        return memory::null("service");
    }
    let message = format!("service handle {handle:#x} is not open in this process");
    Error::new(Code::NotFound, message).with("handle", format!("{handle:#x}"))
}

#[cold]
fn full() -> Error {
    Error::new(Code::Limit, "this process holds as many connections as it can; close some")
        .with("what", "connections")
}

#[cold]
fn not_text() -> Error {
    Error::new(Code::BadFrame, "the service sent an answer that is not UTF-8; connect again")
        .with("found", "an answer that is not UTF-8")
}

const _: () = assert!(PAYLOAD_BYTES_MAX >= memory::OPERATION_BYTES_MAX);
