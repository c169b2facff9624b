//! Terminals by handle: opening, closing, where they stand.

use crate::answer;
use crate::guard::guard;
use crate::json;
use crate::memory::{self, Answer, Answers, Buffer, Slot, give_all};
use crate::seat::{self, TerminalSeat};
use crate::types::{
    PK_DURABILITY_DEFAULT, PK_DURABILITY_RECORD, PK_DURABILITY_SALE, PK_OPEN_EXISTING,
    PK_OPEN_NEEDS_OPERATOR, PK_OPEN_NEEDS_SHIFT, PK_OPEN_SIGN, PK_OPEN_TEST_CLOCK, PK_SPACE_FULL,
    PK_SPACE_LOW, PK_SPACE_OK, PkCounters, PkResult, PkTaxCounters, PkTerminal, PkTerminalOptions,
    PkTerminalStats, PkTerminalStatus, PkTransactionHandle, durability_number,
};
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::signing::Signing;
use pos_kernel_core::terminal::{Attendance, Durability};
use pos_kernel_core::{Code, Error, OpenOptions, Result, Terminal};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens a terminal and recovers what its last owner left: pk_recovery_report says what that was,
/// pk_list_open_transactions gives the sales that came back.
///
/// `options`: how to open it; all zero but the size opens what the environment names.
/// Durable when it returns: the opening, with what was recovered, is in the journal.
///
/// Codes: 1 with PK_OPEN_EXISTING; 2 (PK_E_TERMINAL_IN_USE; pk_last_error_json has the owner's
/// facts); 3 (PK_E_BAD_ID, PK_E_BAD_ARGUMENT, PK_E_BAD_CONFIG, PK_E_BAD_TEXT, PK_E_BAD_UTF8,
/// PK_E_STRUCT_SIZE); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_terminal_open(
    options: *const PkTerminalOptions,
    out_terminal: *mut PkTerminal,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_terminal", out_terminal)?;
        // SAFETY: the caller promises the structure.
        let options = unsafe { memory::structure("options", options) }?;
        // SAFETY: the caller promises the texts that it points to.
        let options = unsafe { open_options(&options) }?;
        let seat = TerminalSeat::new(Arc::new(Terminal::open(&options)?), false)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(seat.handle()) };
        Ok(())
    })
}

/// Closes a terminal: everything is durable, the lock is free. Open sales stay open and come back at
/// the next opening. Its handle and those of its sales end, whatever the result; calls that are
/// under way on other threads end first or are refused with PK_E_CLOSED.
///
/// Durable when it returns: all of it.
///
/// Codes: 1; 3; 7 (the lock is free all the same).
#[unsafe(no_mangle)]
pub extern "C" fn pk_terminal_close(terminal: PkTerminal) -> PkResult {
    guard(|| {
        let seat = seat::release(terminal)?;
        crate::classic::forget(&seat);
        seat.close()
    })
}

/// The id of a terminal.
///
/// Codes: 1; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_terminal_id(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(seat.terminal.id()) }
    })
}

/// The folder of a terminal, absolute.
///
/// Codes: 1; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_terminal_dir(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        let dir = seat.terminal.dir().to_string_lossy();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&dir) }
    })
}

/// Where a terminal stands: sequence, durable sequence, room, health.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_terminal_status(
    terminal: PkTerminal,
    out_status: *mut PkTerminalStatus,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_status", out_status) }?;
        let seat = seat::terminal(terminal)?;
        let status = status(&seat.terminal)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&status) };
        Ok(())
    })
}

/// Work done since a terminal was opened: frames, writes, bytes, device flushes by cause.
///
/// Codes: 1; 3 (PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_terminal_stats(
    terminal: PkTerminal,
    out_stats: *mut PkTerminalStats,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_stats", out_stats) }?;
        let seat = seat::terminal(terminal)?;
        let stats = seat.terminal.stats();
        let stats = PkTerminalStats {
            struct_size: 0,
            reserved: 0,
            frames: stats.frames,
            records: stats.records,
            writes: stats.writes,
            bytes: stats.bytes,
            flushes_sale: stats.flushes.sale,
            flushes_record: stats.flushes.record,
            flushes_mark: stats.flushes.mark,
            flushes_checkpoint: stats.flushes.checkpoint,
            flushes_roll: stats.flushes.roll,
            flushes_prepare: stats.flushes.prepare,
            flushes_open: stats.flushes.open,
            flushes_close: stats.flushes.close,
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&stats) };
        Ok(())
    })
}

/// What was found when a terminal was opened, as JSON: `clean`, `firstOpen`, `epoch`,
/// `previousOwner`, `cut`, `sales` (numbers of those that came back open), `records`,
/// `durableSequence`.
///
/// Codes: 1; 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_recovery_report(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        let text = json::recovery(seat.terminal.recovery()).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Perpetual totals, one entry a currency, by currency: `out_count` tells how many there are, and
/// they are written when `capacity` is that many. The first entry's `struct_size` is the distance
/// from each to the next.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_counters(
    terminal: PkTerminal,
    out_counters: *mut PkCounters,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_counters", out_counters, capacity, out_count) }?;
        let seat = seat::terminal(terminal)?;
        let counters = seat.terminal.counters()?;
        let counters: Vec<PkCounters> =
            counters.iter().map(|(currency, totals)| answer::counters(*currency, totals)).collect();
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&counters) }
    })
}

/// Perpetual totals of each tax, by currency, then class and rate. `out_count` and `capacity` as
/// pk_get_counters.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_tax_counters(
    terminal: PkTerminal,
    out_counters: *mut PkTaxCounters,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises a structure there, unless it is null.
        let slot = unsafe { Answers::new("out_counters", out_counters, capacity, out_count) }?;
        let seat = seat::terminal(terminal)?;
        let mut counters = Vec::new();
        for (currency, _) in seat.terminal.counters()? {
            let book = seat.terminal.tax_counters(currency)?;
            let row = |(tax, totals)| answer::tax_counters(currency, tax, totals);
            counters.extend(book.iter().map(row));
        }
        // SAFETY: the caller promises the array and the count.
        unsafe { slot.give(&counters) }
    })
}

/// Handles of the open sales, by number: those of this process and those that came back.
/// `out_count` tells how many there are; they are written when `capacity` is that many.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_list_open_transactions(
    terminal: PkTerminal,
    out_handles: *mut PkTransactionHandle,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        let mut handles = Vec::new();
        for sale in seat.terminal.open_sales()? {
            match seat.find(sale.number) {
                Ok(handle) => handles.push(handle),
                // Another thread has ended and closed it meanwhile.
                Err(error) if error.code() == Code::AlreadyFinal => {}
                Err(error) => return Err(error),
            }
        }
        // SAFETY: the caller promises the array and the count.
        unsafe { give_all(&handles, out_handles, capacity, out_count) }
    })
}

/// The handle of a sale by its number on the terminal, open or just finished. A host that was cut
/// off finds its sale this way and repeats its call with the same idempotency key.
///
/// Codes: 1; 2 (PK_E_CLOSED; PK_E_ALREADY_FINAL when it ended too long ago); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_find_transaction(
    terminal: PkTerminal,
    sale: u64,
    out_handle: *mut PkTransactionHandle,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_handle", out_handle)?;
        let handle = seat::terminal(terminal)?.find(sale)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// Newest sequence that is known durable. Answers while other calls wait for the device.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_durable_sequence(
    terminal: PkTerminal,
    out_sequence: *mut u64,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_sequence", out_sequence)?;
        let sequence = seat::terminal(terminal)?.terminal.durable_sequence();
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(sequence) };
        Ok(())
    })
}

/// Returns once the journal is durable up to a sequence: for lines and cash in durability `sale`.
///
/// Codes: 1 (also for a sequence that does not exist yet); 3; 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_wait_durable(terminal: PkTerminal, sequence: u64) -> PkResult {
    guard(|| seat::terminal(terminal)?.terminal.wait_durable(sequence))
}

/// Makes everything durable that the terminal has acknowledged.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_force_wal_sync_ex(terminal: PkTerminal) -> PkResult {
    guard(|| seat::terminal(terminal)?.sync())
}

/// Reads how to open a terminal.
///
/// # Safety
/// The texts can be read.
pub(crate) unsafe fn open_options(given: &PkTerminalOptions) -> Result<OpenOptions> {
    let known = PK_OPEN_EXISTING
        | PK_OPEN_TEST_CLOCK
        | PK_OPEN_SIGN
        | PK_OPEN_NEEDS_OPERATOR
        | PK_OPEN_NEEDS_SHIFT;
    flags("options.flags", given.flags, known)?;
    // SAFETY: the caller promises the texts.
    let root = unsafe { memory::optional_field(memory::ROOT, given.root) }?;
    // SAFETY: as above.
    let id = unsafe { memory::optional_field(memory::ID, given.id) }?;
    // SAFETY: as above.
    let host_version = unsafe { memory::optional_field(memory::HOST, given.host_version) }?;
    // SAFETY: as above.
    let archive = unsafe { memory::optional_field(memory::ARCHIVE, given.archive) }?;
    let durability = match given.durability {
        PK_DURABILITY_DEFAULT => None,
        PK_DURABILITY_RECORD => Some(Durability::Record),
        PK_DURABILITY_SALE => Some(Durability::Sale),
        other => return Err(argument("options.durability", other, "0, 1 or 2")),
    };
    let mut options = OpenOptions {
        root: root.map(path).transpose()?,
        id: id.map(str::to_owned),
        durability,
        segment_bytes: (given.segment_bytes != 0).then_some(given.segment_bytes),
        host_version: host_version.map(str::to_owned),
        create: given.flags & PK_OPEN_EXISTING == 0,
        archive: archive.map(path).transpose()?,
        signing: if given.flags & PK_OPEN_SIGN != 0 { Signing::Software } else { Signing::Off },
        attendance: Attendance {
            operator: given.flags & PK_OPEN_NEEDS_OPERATOR != 0,
            shift: given.flags & PK_OPEN_NEEDS_SHIFT != 0,
        },
        ..OpenOptions::default()
    };
    if given.flags & PK_OPEN_TEST_CLOCK != 0 {
        options.clock = Arc::new(TestClock::new(given.test_wall_ns));
    }
    Ok(options)
}

/// A path of a host; a zero inside would end it early for the operating system.
pub(crate) fn path(text: &str) -> Result<PathBuf> {
    if text.contains('\0') {
        let message = "root holds a zero byte";
        return Err(Error::new(Code::BadText, message).with("what", "root"));
    }
    Ok(PathBuf::from(text))
}

/// Refuses flags that this version does not know.
pub(crate) fn flags(what: &'static str, given: u32, known: u32) -> Result<()> {
    if given & !known == 0 {
        return Ok(());
    }
    Err(argument(what, given, "a combination of the flags of this version"))
}

/// Refuses a number that is none of those allowed.
#[cold]
pub(crate) fn argument(what: &'static str, value: u32, allowed: &str) -> Error {
    let message = format!("{what} {value} is not {allowed}");
    Error::new(Code::BadArgument, message).with("argument", what).with("value", value)
}

fn status(terminal: &Terminal) -> Result<PkTerminalStatus> {
    let status = terminal.status()?;
    Ok(PkTerminalStatus {
        struct_size: 0,
        epoch: status.position.epoch,
        sequence: status.position.sequence,
        durable_sequence: status.position.durable_sequence,
        next_receipt: status.next_receipt,
        open_sales: answer::count(status.open_sales),
        open_sales_max: answer::count(terminal.open_sales_max()),
        segment: status.position.segment,
        space: match status.space.name() {
            "ok" => PK_SPACE_OK,
            "low" => PK_SPACE_LOW,
            _ => PK_SPACE_FULL,
        },
        durability: durability_number(terminal.durability()),
        poisoned: status.poisoned.into(),
        keys_max: answer::count(terminal.keys_max()),
        clean: terminal.recovery().clean.into(),
        flush_ns: status.sync_latency.smoothed_ns,
        flush_worst_ns: status.sync_latency.worst_ns,
        head: status.position.head,
    })
}
