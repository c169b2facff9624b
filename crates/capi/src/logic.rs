//! The logic minimiser as C programs know it: one global state for each thread. `pl_setup` makes a
//! function of some dimensions the current one; calls without a handle mean the current one; several
//! live side by side, and `pl_select` goes from one to another. What a thread has set up is given back
//! when it ends. Nothing is printed, and nothing ends the process.

use crate::guard::guard_saying;
use crate::logic_types::{
    PL_D, PL_DC, PL_F, PL_OFF, PL_ON, PL_R, PlAnswer, PlCube, PlFunction, PlVariable,
};
use crate::memory::{self, Answer, Buffer, Slot, give_all};
use crate::types::{PK_INVALID_HANDLE, PkResult};
use pos_kernel_core::{Code, Error};
use pos_kernel_espresso::classic::{self, ClassicError, Handle, Set, Which};
use pos_kernel_espresso::{Error as EngineError, Kind};

/// The kind of these handles, in their upper four bits as `handle.rs` draws them.
const KIND: u64 = 3;
const KIND_SHIFT: u32 = 60;
/// Bytes of a PLA text.
const PLA_BYTES_MAX: usize = 1 << 28;
/// Bytes of one row, and values or outputs that it names.
const ROW_BYTES_MAX: usize = 1 << 16;
/// Words of one call, 256 MiB.
const WORDS_MAX: usize = 1 << 25;

/// Sets up a function of binary inputs, of type fd, and makes it this thread's current one.
///
/// Codes: 3 (PK_E_BAD_ARGUMENT for dimensions beyond the limits; PK_E_LIMIT when the thread holds
/// 4,096 functions).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_setup(
    inputs: u32,
    outputs: u32,
    out_function: *mut PlFunction,
) -> PkResult {
    run(|| {
        let slot = Slot::new("out_function", out_function)?;
        let function = classic::setup(inputs as usize, outputs as usize)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(number_of(function)) };
        Ok(())
    })
}

/// The same with multi-valued inputs behind the binary ones, given by how many values each has.
///
/// Codes: 3, as pl_setup.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_setup_valued(
    binaries: u32,
    sizes: *const u32,
    sizes_count: usize,
    outputs: u32,
    out_function: *mut PlFunction,
) -> PkResult {
    run(|| {
        let slot = Slot::new("out_function", out_function)?;
        // SAFETY: the caller promises the array.
        let sizes = unsafe { memory::items("sizes", sizes, sizes_count, ROW_BYTES_MAX) }?;
        let sizes: Vec<usize> = sizes.iter().map(|&size| size as usize).collect();
        let function = classic::setup_valued(binaries as usize, &sizes, outputs as usize)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(number_of(function)) };
        Ok(())
    })
}

/// Sets up the function of a PLA text, with its sets, type and names, and makes it the current one.
///
/// Codes: 3 (PK_E_BAD_PLA with line and column; PK_E_LIMIT).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_read_pla(
    pla: *const u8,
    pla_len: usize,
    out_function: *mut PlFunction,
) -> PkResult {
    run(|| {
        let slot = Slot::new("out_function", out_function)?;
        // SAFETY: the caller promises the text.
        let text = unsafe { memory::items("pla", pla, pla_len, PLA_BYTES_MAX) }?;
        let function = classic::read_pla(text)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(number_of(function)) };
        Ok(())
    })
}

/// The current function of this thread.
///
/// Codes: 1 when there is none; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_current(out_function: *mut PlFunction) -> PkResult {
    run(|| {
        let slot = Slot::new("out_function", out_function)?;
        let function = classic::current()?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(number_of(function)) };
        Ok(())
    })
}

/// Makes another function of this thread the current one.
///
/// Codes: 1; 3 for handle 0.
#[unsafe(no_mangle)]
pub extern "C" fn pl_select(function: PlFunction) -> PkResult {
    run(|| Ok(classic::select(handle_of(function)?)?))
}

/// Ends a function of this thread and gives its memory back. When it was the current one, none is.
///
/// Codes: 1; 3 for handle 0.
#[unsafe(no_mangle)]
pub extern "C" fn pl_teardown(function: PlFunction) -> PkResult {
    run(|| Ok(classic::teardown(handle_of(function)?)?))
}

/// Ends all functions of this thread, sets its options back and empties its trace. The end of a thread
/// does the same.
///
/// Codes: none.
#[unsafe(no_mangle)]
pub extern "C" fn pl_teardown_all() -> PkResult {
    run(|| Ok(classic::teardown_all()?))
}

/// The dimensions of the current function.
///
/// Codes: 1 when there is none; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_get_cube(out_cube: *mut PlCube) -> PkResult {
    run(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_cube", out_cube) }?;
        let layout = classic::get_cube()?;
        let cube = PlCube {
            struct_size: 0,
            words: count(layout.words()),
            variables: count(layout.variables().len()),
            inputs: count(layout.inputs()),
            binaries: count(layout.binaries()),
            outputs: count(layout.outputs()),
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&cube) };
        Ok(())
    })
}

/// Where a variable's bits lie in a cube of the current function. Variables are counted from 0: binary
/// inputs, multi-valued inputs, all outputs together.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_get_variable(variable: u32, out_variable: *mut PlVariable) -> PkResult {
    run(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_variable", out_variable) }?;
        let layout = classic::get_cube()?;
        let Some(found) = layout.variables().get(variable as usize) else {
            let limit = layout.variables().len();
            let message = format!("variable {variable}: the function has 0 to {}", limit - 1);
            return Err(Error::new(Code::NotFound, message)
                .with("variable", variable)
                .with("limit", limit)
                .into());
        };
        let (first_bit, parts) = (count(found.first_bit), count(found.parts));
        let variable = PlVariable { struct_size: 0, reserved: 0, first_bit, parts };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&variable) };
        Ok(())
    })
}

/// Says which sets the rows of the current function list, as a sum of PL_ON, PL_DC and PL_OFF; the
/// others follow from them. PL_ON + PL_DC unless told otherwise: OFF is the rest. With PL_OFF and
/// without PL_DC the rest is a don't-care.
///
/// Codes: 1; 3 (also when a set that would no longer count has rows).
#[unsafe(no_mangle)]
pub extern "C" fn pl_set_type(sets: u32) -> PkResult {
    run(|| {
        if sets & !(PL_ON | PL_DC | PL_OFF) != 0 {
            return Err(unknown("sets", sets).into());
        }
        let kind = Kind { f: sets & PL_ON != 0, d: sets & PL_DC != 0, r: sets & PL_OFF != 0 };
        Ok(classic::set_kind(kind)?)
    })
}

/// Which sets the rows of the current function list.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_get_type(out_sets: *mut u32) -> PkResult {
    run(|| {
        let slot = Slot::new("out_sets", out_sets)?;
        let Kind { f, d, r } = classic::kind()?;
        let sets = u32::from(f) * PL_ON + u32::from(d) * PL_DC + u32::from(r) * PL_OFF;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(sets) };
        Ok(())
    })
}

/// Adds a row to PL_ON, PL_DC or PL_OFF of the current function, which has binary inputs only: a byte
/// 0, 1 or 2 (either) for each input, a byte 1 for each output that has the row in the set, else 0.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_add_row(
    set: u32,
    inputs: *const u8,
    inputs_len: usize,
    outputs: *const u8,
    outputs_len: usize,
) -> PkResult {
    run(|| {
        let set = set_of(set)?;
        // SAFETY: the caller promises the bytes.
        let inputs = unsafe { memory::items("inputs", inputs, inputs_len, ROW_BYTES_MAX) }?;
        // SAFETY: the caller promises the bytes.
        let outputs = unsafe { memory::items("outputs", outputs, outputs_len, ROW_BYTES_MAX) }?;
        Ok(classic::add_row(set, inputs, outputs)?)
    })
}

/// Adds cubes to PL_ON, PL_DC or PL_OFF of the current function, one behind the other, each of the
/// words that pl_get_cube tells. A cube that allows no value of some variable has no points and is
/// left out. All are added or none.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_add_words(set: u32, words: *const u64, words_count: usize) -> PkResult {
    run(|| {
        let set = set_of(set)?;
        // SAFETY: the caller promises the array.
        let words = unsafe { memory::items("words", words, words_count, WORDS_MAX) }?;
        Ok(classic::add_words(set, words)?)
    })
}

/// Takes all rows out of PL_ON, PL_DC or PL_OFF of the current function.
///
/// Codes: 1; 3.
#[unsafe(no_mangle)]
pub extern "C" fn pl_clear(set: u32) -> PkResult {
    run(|| Ok(classic::clear(set_of(set)?)?))
}

/// Minimises the current function with the options of this thread. `out_answer` may be null. After a
/// refusal an earlier answer is still there.
///
/// Codes: 1; 2 (PK_E_NO_ANSWER when a limit struck before there was any answer); 3 (PK_E_BAD_PLA when
/// a point is listed as ON and as OFF).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_minimize(out_answer: *mut PlAnswer) -> PkResult {
    run(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        let answer = answer(classic::minimize()?);
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// What the last run of the current function found. It is gone when a set has changed since.
///
/// Codes: 1; 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_get_answer(out_answer: *mut PlAnswer) -> PkResult {
    run(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_answer", out_answer) }?;
        let answer = answer(classic::answer()?);
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// A cover of the current function as words, cube behind cube: PL_ON, PL_DC and PL_OFF as given, PL_F,
/// PL_D and PL_R of the answer. `out_count` is how many words there are; call with null and 0 first.
///
/// Codes: 1 (also when there is no answer, or it has no such cover); 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_get_words(
    cover: u32,
    out_words: *mut u64,
    capacity: usize,
    out_count: *mut usize,
) -> PkResult {
    run(|| {
        let cover = classic::cover(which_of(cover)?)?;
        // SAFETY: the caller promises the array and the count.
        Ok(unsafe { give_all(cover.words(), out_words, capacity, out_count) }?)
    })
}

/// The answer of the current function as a PLA of type f, with the names that a PLA gave.
///
/// Codes: 1 (also when there is no answer); 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_get_pla(
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    run(|| {
        let text = classic::text()?;
        // SAFETY: the caller promises the buffer.
        Ok(unsafe { Buffer { to: buffer, capacity, need }.give(&text) }?)
    })
}

/// The lines that the steps of this thread's runs left while pl_set_trace was 1: the last 64 KiB.
///
/// Codes: 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pl_trace_text(
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    run(|| {
        let text = classic::trace_text()?;
        // SAFETY: the caller promises the buffer.
        Ok(unsafe { Buffer { to: buffer, capacity, need }.give(&text) }?)
    })
}

/// Empties the trace of this thread.
///
/// Codes: none.
#[unsafe(no_mangle)]
pub extern "C" fn pl_clear_trace() -> PkResult {
    run(|| Ok(classic::clear_trace()?))
}

/// A refusal on its way to the host.
pub(crate) struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<ClassicError> for Refusal {
    fn from(error: ClassicError) -> Self {
        let message = error.to_string();
        let refusal = |code| Error::new(code, message.clone());
        Self(match error {
            ClassicError::Engine(engine) => of_engine(&engine),
            ClassicError::Pla(pla) => {
                refusal(Code::BadPla).with("line", pla.line).with("column", pla.column)
            }
            ClassicError::NotSetUp | ClassicError::NoAnswer => refusal(Code::NotFound),
            ClassicError::NoCover { which, .. } => refusal(Code::NotFound).with("cover", which),
            ClassicError::Unknown { .. } => refusal(Code::NotFound),
            ClassicError::TooMany { limit } => refusal(Code::Limit).with("limit", limit),
            ClassicError::NotListed { kind, set } => {
                refusal(Code::BadArgument).with("type", kind).with("set", set)
            }
            ClassicError::NoThread => refusal(Code::Limit).with("what", "threads"),
            ClassicError::NoKind => refusal(Code::BadArgument),
            ClassicError::BadOption { option, value, least, most } => refusal(Code::BadArgument)
                .with("option", option)
                .with("value", value)
                .with("least", least)
                .with("most", most),
            _ => refusal(Code::Closed),
        })
    }
}

fn of_engine(error: &EngineError) -> Error {
    let refusal = |code| Error::new(code, error.to_string());
    match *error {
        EngineError::Contradiction { on, off } => {
            let row = |set, index| format!("{set}[{index}]");
            refusal(Code::BadPla).with("row", row("f", on)).with("otherRow", row("r", off))
        }
        EngineError::TimeLimit => refusal(Code::NoAnswer).with("what", "time"),
        EngineError::MemoryLimit { limit_bytes } => {
            refusal(Code::NoAnswer).with("what", "memory").with("limit", limit_bytes)
        }
        EngineError::NotEquivalent { .. } => refusal(Code::Panic),
        _ => refusal(Code::BadArgument),
    }
}

/// Runs a call of this room.
pub(crate) fn run(call: impl FnOnce() -> Result<(), Refusal>) -> PkResult {
    let after_panic = "the minimiser failed inside this call; what was set up stands as it was";
    guard_saying(after_panic, || call().map_err(|Refusal(error)| error))
}

fn number_of(function: Handle) -> PlFunction {
    KIND << KIND_SHIFT | function.number()
}

fn handle_of(function: PlFunction) -> Result<Handle, Error> {
    if function == PK_INVALID_HANDLE {
        return Err(Error::new(Code::BadArgument, "the handle is 0").with("argument", "function"));
    }
    if function >> KIND_SHIFT != KIND {
        return Err(Error::new(Code::NotFound, "the handle is not one of a function"));
    }
    Ok(Handle::from_number(function & ((1 << KIND_SHIFT) - 1)))
}

fn set_of(set: u32) -> Result<Set, Error> {
    match set {
        PL_ON => Ok(Set::On),
        PL_DC => Ok(Set::Dc),
        PL_OFF => Ok(Set::Off),
        _ => Err(unknown("set", set)),
    }
}

fn which_of(cover: u32) -> Result<Which, Error> {
    match cover {
        PL_ON => Ok(Which::On),
        PL_DC => Ok(Which::Dc),
        PL_OFF => Ok(Which::Off),
        PL_F => Ok(Which::F),
        PL_D => Ok(Which::D),
        PL_R => Ok(Which::R),
        _ => Err(unknown("cover", cover)),
    }
}

fn unknown(what: &'static str, value: u32) -> Error {
    let message = format!("{what}: {value} names none; take the PL_ constants of the header");
    Error::new(Code::BadArgument, message).with("argument", what).with("value", value)
}

fn answer(answer: classic::Answer) -> PlAnswer {
    PlAnswer {
        struct_size: 0,
        proved: answer.proved.into(),
        stopped_early: answer.stopped_early.into(),
        reserved: 0,
        products: answer.cost.products as u64,
        literals: answer.cost.literals as u64,
        input_literals: answer.cost.inputs as u64,
        valued_literals: answer.cost.valued as u64,
        output_literals: answer.cost.outputs as u64,
        lower_bound: answer.lower_bound as u64,
    }
}

/// A number that the limits of a layout keep far below 2^32.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
