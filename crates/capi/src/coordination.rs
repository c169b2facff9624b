//! Several terminals of one store: who is there, messages between them, the configuration they share,
//! and ending in order. A host of C asks for its messages with pk_receive_messages_json, when
//! pk_wait_for_message says that one is there or from time to time; what one asks for is done first and
//! accepted then, so that a crash in between asks again.

use crate::guard::guard;
use crate::journal::root_of;
use crate::memory::{self, Buffer, Slot};
use crate::seat;
use crate::types::{PkResult, PkTerminal, PkText};
use pos_kernel_core::coordination::{SystemConfig, refresh_registry};
use pos_kernel_core::limits::KEY_BYTES_MAX;
use pos_kernel_core::messages::{Message, acknowledgements};
use pos_kernel_core::terminal::Outgoing;
use pos_kernel_core::{Code, Error, Result};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The terminals of a store, as a JSON array: `id`, `state` (`changing`, `active`, `draining`, `closed`,
/// `crashed`), and of the owner, or the last one, `pid`, `startedAt`, `host`, `version`, `epoch`. It
/// says what the locks say, and writes the file `active_terminals.json` that says the same.
///
/// Codes: 3; 4; 6 (PK_E_SHARED_FILE); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_store_terminals_json(
    root: PkText,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let root = unsafe { root_of(root) }?;
        let found = refresh_registry(&root)?;
        let text: Value = found.iter().map(|terminal| terminal.to_json()).collect();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text.to_string()) }
    })
}

/// Sends a message to another terminal of the store, or to all others.
///
/// `to`: a terminal id; nothing for all others. `kind`: `x.` and up to 62 of a-z 0-9 . _ -, or one of the
/// kernel's own kinds. `body`: JSON, up to 256 KiB. `ttl_ms`: milliseconds after which it is worth
/// nothing any more; 0 for never. The buffer gets the id, up to 64 bytes; a smaller one is refused before
/// anything is sent. Durable when it returns: whoever has an inbox with room will receive it, once;
/// pk_message_acknowledgements_json tells who.
///
/// Codes: 1; 2 (PK_E_INBOX_FULL, PK_E_CLOSED); 3 (PK_E_BAD_MESSAGE, PK_E_BAD_ID, PK_E_LIMIT); 4; 6
/// (PK_E_SHARED_FILE); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_send_message(
    terminal: PkTerminal,
    to: PkText,
    kind: PkText,
    body: PkText,
    ttl_ms: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the texts.
        let to = unsafe { memory::optional_field(memory::ID, to) }?;
        // SAFETY: as above.
        let kind = unsafe { memory::field(memory::MESSAGE_KIND, kind) }?;
        // SAFETY: as above.
        let body = unsafe { memory::field(memory::MESSAGE_BODY, body) }?;
        let buffer = Buffer { to: buffer, capacity, need };
        // SAFETY: the caller promises the buffer.
        unsafe { buffer.hold(KEY_BYTES_MAX) }?;
        let body = serde_json::from_str(body).map_err(|error| {
            let message = format!("the body of the message is no JSON: {error}");
            Error::new(Code::BadMessage, message).with("found", error.to_string())
        })?;
        let outgoing = Outgoing { kind, body, ttl_ms: (ttl_ms > 0).then_some(ttl_ms) };
        let message = match to {
            Some(to) => seat.terminal.send(to, outgoing)?,
            None => seat.terminal.broadcast(outgoing)?.message,
        };
        // SAFETY: the caller promises the buffer.
        unsafe { buffer.give(&message.id) }
    })
}

/// The messages that wait at a terminal, in the order in which they have to be accepted, as a JSON array
/// of `id`, `from`, `to`, `kind`, `sentAt`, `expiresAt`, `body`: at most `most` of them, 0 for all. None is
/// received by it; what cannot be received is moved to the folder `dead` of the inbox.
///
/// Codes: 2 (PK_E_CLOSED); 3; 4; 6 (PK_E_SHARED_FILE); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_receive_messages_json(
    terminal: PkTerminal,
    most: usize,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let most = if most == 0 { usize::MAX } else { most };
        let waiting = seat::terminal(terminal)?.terminal.receive(most)?;
        let text: Value = waiting.iter().map(Message::to_json).collect();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text.to_string()) }
    })
}

/// Waits until a message waits at a terminal, or the time is over. It blocks the calling thread and no other
/// call of the terminal; whoever sends a message ends it, on Linux at once and elsewhere within a
/// twentieth of a second. Closing the terminal ends it with PK_E_CLOSED, within a quarter of a second.
///
/// `timeout_ms`: the longest that it may take; 0 only looks. `out_waiting`: 1 when a message waits, for
/// pk_receive_messages_json to give, else 0.
///
/// Codes: 1; 2 (PK_E_CLOSED); 4; 6 (PK_E_SHARED_FILE); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_wait_for_message(
    terminal: PkTerminal,
    timeout_ms: u64,
    out_waiting: *mut u8,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_waiting", out_waiting)?;
        let seat = seat::terminal(terminal)?;
        let waiting = seat.terminal.wait_for_message(Duration::from_millis(timeout_ms))?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(u8::from(waiting)) };
        Ok(())
    })
}

/// Accepts a message: it is received from here on, and stands in the journal once.
///
/// `out_new`: 1 when it was not received before, else 0. Durable when it returns.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_MESSAGE; PK_E_BAD_ARGUMENT before an earlier one of its sender);
/// 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_accept_message(
    terminal: PkTerminal,
    id: PkText,
    out_new: *mut u8,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_new", out_new)?;
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the text.
        let id = unsafe { memory::field(memory::MESSAGE_ID, id) }?;
        let new = seat.terminal.accept(&[id])?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(u8::from(new > 0)) };
        Ok(())
    })
}

/// Gives a message up: it is moved to the folder `dead` of the inbox and is not received.
///
/// Codes: 2 (PK_E_CLOSED); 3 (PK_E_BAD_MESSAGE, PK_E_BAD_TEXT); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_give_up_message(
    terminal: PkTerminal,
    id: PkText,
    reason: PkText,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the texts.
        let id = unsafe { memory::field(memory::MESSAGE_ID, id) }?;
        // SAFETY: as above.
        let reason = unsafe { memory::field(memory::REASON, reason) }?;
        seat.terminal.give_up(id, reason)
    })
}

/// What became of a message, as a JSON array of `terminal`, `state` (`waiting`, `received`, `dead`) and,
/// when it is dead, `reason`.
///
/// Codes: 3 (PK_E_BAD_MESSAGE); 4; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_message_acknowledgements_json(
    root: PkText,
    id: PkText,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the texts.
        let root = unsafe { root_of(root) }?;
        // SAFETY: as above.
        let id = unsafe { memory::field(memory::MESSAGE_ID, id) }?;
        let found = acknowledgements(&root, id)?.into_iter();
        let shown = found.map(|it| match it.reason {
            Some(reason) => {
                json!({"terminal": it.terminal, "state": it.state.name(), "reason": reason})
            }
            None => json!({"terminal": it.terminal, "state": it.state.name()}),
        });
        let text: Value = shown.collect();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text.to_string()) }
    })
}

/// Begins to end: new sales are refused with PK_E_SHUTTING_DOWN, what is open can be finished. A terminal
/// that ends already goes on as it began to.
///
/// `grace_ms`: until when, from now, up to a day. `by`: the terminal that asked for it; nothing when the
/// host did. Durable when it returns.
///
/// Codes: 2 (PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_LIMIT); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_begin_drain(
    terminal: PkTerminal,
    reason: PkText,
    grace_ms: u64,
    by: PkText,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the texts.
        let reason = unsafe { memory::field(memory::REASON, reason) }?;
        // SAFETY: as above.
        let by = unsafe { memory::optional_field(memory::ID, by) }?;
        seat.terminal.begin_drain(reason, grace_ms, by).map(drop)
    })
}

/// Suspends what is still open, as far as it can be suspended; sales with live tenders stay open and
/// come back when the terminal is opened again.
///
/// `out_suspended`, `out_left`: how many sales. Durable when it returns.
///
/// Codes: 2 (PK_E_CLOSED); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_suspend_open(
    terminal: PkTerminal,
    reason: PkText,
    out_suspended: *mut usize,
    out_left: *mut usize,
) -> PkResult {
    guard(|| {
        let suspended = Slot::new("out_suspended", out_suspended)?;
        let left = Slot::new("out_left", out_left)?;
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the text.
        let reason = unsafe { memory::field(memory::REASON, reason) }?;
        let drained = seat.terminal.suspend_open(reason)?;
        // SAFETY: the caller promises that both can be written.
        unsafe {
            suspended.set(drained.suspended.len());
            left.set(drained.left.len());
        }
        Ok(())
    })
}

/// Announces a shutdown to all other terminals: a message `SystemShutdown`, and the store's
/// `shutdown_signal.flag`. The buffer gets the id of the message, up to 64 bytes. Durable when it returns;
/// it is a fact of this terminal.
///
/// Codes: 2 (PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_LIMIT); 4 (nothing was announced); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_announce_shutdown(
    terminal: PkTerminal,
    reason: PkText,
    grace_ms: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the text.
        let reason = unsafe { memory::field(memory::REASON, reason) }?;
        let buffer = Buffer { to: buffer, capacity, need };
        // SAFETY: the caller promises the buffer.
        unsafe { buffer.hold(KEY_BYTES_MAX) }?;
        let sent = seat.terminal.announce_shutdown(reason, grace_ms)?;
        // SAFETY: the caller promises the buffer.
        unsafe { buffer.give(&sent.message.id) }
    })
}

/// Gives the store a configuration.
///
/// `version`: higher than the last; 0 for the next. `effective_ns`: when it takes effect, nanoseconds
/// since 1970 in UTC; 0 for now. `values`: a JSON object, up to 64 KiB. Durable when it returns; it is a
/// fact of this terminal. `out_version`: its version.
///
/// Codes: 2 (PK_E_CONFIG_VERSION, PK_E_OPERATION_LOCKED, PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT,
/// PK_E_BAD_CONFIG, PK_E_LIMIT); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_set_system_config(
    terminal: PkTerminal,
    version: u64,
    effective_ns: i64,
    values: PkText,
    out_version: *mut u64,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_version", out_version)?;
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the text.
        let values = unsafe { memory::field(memory::CONFIG_VALUES, values) }?;
        let values: Map<String, Value> = serde_json::from_str(values).map_err(|error| {
            let message = format!("the values are no JSON object: {error}");
            Error::new(Code::BadArgument, message).with("argument", "values")
        })?;
        let version = (version > 0).then_some(version);
        let effective_ns = (effective_ns != 0).then_some(effective_ns);
        let config = seat.terminal.set_system_config(version, effective_ns, values)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(config.version) };
        Ok(())
    })
}

/// Takes the store's configuration over, once it takes effect; a host asks from time to time, and when a
/// message `ConfigurationChange` comes.
///
/// `out_applied`: 1 when it took effect by this call. Durable when it returns; it is a fact of this
/// terminal.
///
/// Codes: 2 (PK_E_CONFIG_VERSION, PK_E_CLOSED); 3 (PK_E_BAD_CONFIG); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_apply_system_config(
    terminal: PkTerminal,
    out_applied: *mut u8,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_applied", out_applied)?;
        let applied = seat::terminal(terminal)?.terminal.apply_system_config()?.applied;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(applied.into()) };
        Ok(())
    })
}

/// The configuration in a store's file, as JSON: `version`, `effectiveAt`, `values`, `hash`; `null` before
/// the first. It need not be in force yet.
///
/// Codes: 3 (PK_E_BAD_CONFIG); 4; 6 (PK_E_SHARED_FILE); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_system_config_json(
    root: PkText,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let root = unsafe { root_of(root) }?;
        let text = shown(&root)?.to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

fn shown(root: &std::path::Path) -> Result<Value> {
    Ok(SystemConfig::load(root)?.map_or(Value::Null, |config| config.to_json()))
}
