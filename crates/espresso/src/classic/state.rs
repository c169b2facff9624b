//! The state of a thread, and the one way into it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::Builder;

use super::error::ClassicError;
use super::options::Options;
use super::trace::Trace;
use crate::builder;
use crate::cover::{Cost, Cover};
use crate::error::Error;
use crate::layout::Layout;
use crate::minimizer::{Minimizer, Solution};
use crate::pla::{Kind, Pla, Sets};
use crate::set_operations::Verdict;

/// Functions that one thread may hold.
pub const FUNCTIONS_MAX: usize = 4096;

/// Recursions go as deep as a function has variables. Up to this many, any thread's stack is enough.
const SHALLOW_VARIABLES_MAX: usize = 32;
/// Stack for more of them; pages that are not touched cost nothing.
const STACK_BYTES: usize = 256 << 20;

/// The next handle. Numbers begin somewhere by chance, so that one of another process is not found
/// here, and are given out once.
static NEXT: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish() >> 6 | 1));

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

#[derive(Default)]
pub(super) struct State {
    pub(super) options: Options,
    trace: Arc<Mutex<Trace>>,
    functions: BTreeMap<u64, Function>,
    current: Option<u64>,
}

/// A function under work: its sets as rows list them, and the answer while it fits them.
struct Function {
    pla: Pla,
    answer: Option<Solution>,
}

/// Runs a call on the state of this thread.
pub(super) fn enter<T>(
    call: impl FnOnce(&mut State) -> Result<T, ClassicError>,
) -> Result<T, ClassicError> {
    let inside = |state: &RefCell<State>| match state.try_borrow_mut() {
        Ok(mut state) => call(&mut state),
        Err(_) => Err(ClassicError::Reentered),
    };
    STATE.try_with(inside).unwrap_or(Err(ClassicError::ThreadEnding))
}

impl State {
    fn function(&mut self) -> Result<&mut Function, ClassicError> {
        let current = self.current.ok_or(ClassicError::NotSetUp)?;
        self.functions.get_mut(&current).ok_or(ClassicError::NotSetUp)
    }

    fn log(&self, line: impl FnOnce() -> String) {
        if self.options.trace {
            self.trace.lock().unwrap_or_else(PoisonError::into_inner).push(line());
        }
    }

    fn add(&mut self, pla: Pla) -> Result<Handle, ClassicError> {
        if self.functions.len() >= FUNCTIONS_MAX {
            return Err(ClassicError::TooMany { limit: FUNCTIONS_MAX });
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.log(|| {
            let (inputs, outputs) = (pla.layout.inputs(), pla.layout.outputs());
            format!("setup: function {number}: {inputs} inputs, {outputs} outputs")
        });
        self.functions.insert(number, Function { pla, answer: None });
        self.current = Some(number);
        Ok(Handle(number))
    }
}

impl Function {
    fn set(&mut self, set: Set) -> Result<&mut Cover, ClassicError> {
        let Kind { f, d, r } = self.pla.kind;
        let (listed, cover) = match set {
            Set::On => (f, &mut self.pla.on),
            Set::Dc => (d, &mut self.pla.dc),
            Set::Off => (r, &mut self.pla.off),
        };
        if listed {
            return Ok(cover);
        }
        Err(ClassicError::NotListed { kind: self.pla.kind.name(), set: set.name() })
    }

    /// Runs what may change a set; the answer is gone when it did.
    fn change(
        &mut self,
        set: Set,
        change: impl FnOnce(&mut Cover) -> Result<(), Error>,
    ) -> Result<(), ClassicError> {
        change(self.set(set)?)?;
        self.answer = None;
        Ok(())
    }

    fn answer(&self) -> Result<&Solution, ClassicError> {
        self.answer.as_ref().ok_or(ClassicError::NoAnswer)
    }
}

/// A function of a thread: its dimensions, its sets, its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl Handle {
    /// The handle as a number, 1 to 2^59.
    pub fn number(self) -> u64 {
        self.0
    }
    /// The handle of a number; whether it means something shows when it is used.
    pub fn from_number(number: u64) -> Handle {
        Handle(number)
    }
}

/// A set of points that rows are added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Set {
    /// Where the function must be 1.
    On,
    /// Where it may be either.
    Dc,
    /// Where it must be 0.
    Off,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Set::On => "ON",
            Set::Dc => "DC",
            Set::Off => "OFF",
        }
    }
}

/// A cover that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// The ON-set as given.
    On,
    /// The don't-cares as given.
    Dc,
    /// The OFF-set as given.
    Off,
    /// The minimised cover.
    F,
    /// The don't-cares of the answer.
    D,
    /// The OFF-set of the answer.
    R,
}

/// What a run found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Products and literals.
    pub cost: Cost,
    /// No cover has fewer products than this.
    pub lower_bound: usize,
    /// Whether the cover is known to have the fewest products possible.
    pub proved: bool,
    /// Whether a cap ended the run before it had settled.
    pub stopped_early: bool,
}

/// Sets up a function of binary inputs and makes it the current one.
///
/// # Errors
/// [`Error::BadLayout`]; [`ClassicError::TooMany`].
pub fn setup(inputs: usize, outputs: usize) -> Result<Handle, ClassicError> {
    setup_valued(inputs, &[], outputs)
}

/// Sets up a function of binary inputs and multi-valued ones of the sizes `valued`, and makes it the
/// current one.
///
/// # Errors
/// As [`setup`].
pub fn setup_valued(
    binaries: usize,
    valued: &[usize],
    outputs: usize,
) -> Result<Handle, ClassicError> {
    let layout = Arc::new(Layout::new(binaries, valued, outputs)?);
    let empty = || Cover::empty(&layout);
    let (on, dc, off) = (empty(), empty(), empty());
    let pla = Pla {
        kind: Kind::FD,
        on,
        dc,
        off,
        input_names: Vec::new(),
        value_names: vec![Vec::new(); valued.len()],
        output_names: Vec::new(),
        phase: None,
        notes: Vec::new(),
        on_lines: Vec::new(),
        off_lines: Vec::new(),
        layout,
    };
    enter(|state| state.add(pla))
}

/// Sets up the function of a PLA text, with its sets, and makes it the current one.
///
/// # Errors
/// [`ClassicError::Pla`] with line and column; [`ClassicError::TooMany`].
pub fn read_pla(text: &[u8]) -> Result<Handle, ClassicError> {
    let pla = Pla::parse(text)?;
    enter(|state| state.add(pla))
}

/// The current function.
///
/// # Errors
/// [`ClassicError::NotSetUp`].
pub fn current() -> Result<Handle, ClassicError> {
    enter(|state| state.current.map(Handle).ok_or(ClassicError::NotSetUp))
}

/// Makes another function of this thread the current one.
///
/// # Errors
/// [`ClassicError::Unknown`].
pub fn select(function: Handle) -> Result<(), ClassicError> {
    let Handle(number) = function;
    enter(|state| {
        if !state.functions.contains_key(&number) {
            return Err(ClassicError::Unknown { number });
        }
        state.current = Some(number);
        Ok(())
    })
}

/// Ends a function and gives its memory back. When it was the current one, none is.
///
/// # Errors
/// [`ClassicError::Unknown`].
pub fn teardown(function: Handle) -> Result<(), ClassicError> {
    let Handle(number) = function;
    enter(|state| {
        state.functions.remove(&number).ok_or(ClassicError::Unknown { number })?;
        if state.current == Some(number) {
            state.current = None;
        }
        state.log(|| format!("teardown: function {number}"));
        Ok(())
    })
}

/// Ends all functions of this thread, sets all options back and empties the trace: the thread is as
/// if it had never called.
///
/// # Errors
/// [`ClassicError::ThreadEnding`].
pub fn teardown_all() -> Result<(), ClassicError> {
    enter(|state| {
        *state = State::default();
        Ok(())
    })
}

/// The dimensions of the current function.
///
/// # Errors
/// [`ClassicError::NotSetUp`].
pub fn get_cube() -> Result<Arc<Layout>, ClassicError> {
    enter(|state| Ok(Arc::clone(&state.function()?.pla.layout)))
}

/// Which sets the rows of the current function list; the others follow from them.
///
/// # Errors
/// [`ClassicError::NotSetUp`].
pub fn kind() -> Result<Kind, ClassicError> {
    enter(|state| Ok(state.function()?.pla.kind))
}

/// Sets which sets the rows list: `fd` unless told otherwise.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; [`ClassicError::NoKind`]; [`ClassicError::NotListed`] when a set that
/// would no longer count has rows.
pub fn set_kind(kind: Kind) -> Result<(), ClassicError> {
    let Kind { f, d, r } = kind;
    enter(|state| {
        let function = state.function()?;
        if !(f || d || r) {
            return Err(ClassicError::NoKind);
        }
        let pla = &mut function.pla;
        for (listed, cover, set) in
            [(f, &pla.on, Set::On), (d, &pla.dc, Set::Dc), (r, &pla.off, Set::Off)]
        {
            if !listed && !cover.is_empty() {
                return Err(ClassicError::NotListed { kind: kind.name(), set: set.name() });
            }
        }
        pla.kind = kind;
        function.answer = None;
        Ok(())
    })
}

/// Adds a row to a set of the current function, which has binary inputs only: for each input 0, 1, or
/// 2 for both; for each output 1 if the row is in the set.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; [`ClassicError::NotListed`]; [`Error::BadCube`]; [`Error::BadLayout`].
pub fn add_row(set: Set, inputs: &[u8], outputs: &[u8]) -> Result<(), ClassicError> {
    enter(|state| state.function()?.change(set, |cover| builder::add_row(cover, inputs, outputs)))
}

/// Adds cubes to a set of the current function, one behind the other as [`Cover::words`] has them. A
/// cube with an empty field has no points and is left out.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; [`ClassicError::NotListed`]; [`Error::BadCube`].
pub fn add_words(set: Set, words: &[u64]) -> Result<(), ClassicError> {
    enter(|state| {
        state.function()?.change(set, |cover| {
            let layout = Arc::clone(cover.layout());
            let cubes = words.chunks_exact(layout.words());
            if !cubes.remainder().is_empty() {
                return Err(Error::BadCube { reason: "a cube of another layout" });
            }
            let mut more = Cover::empty(&layout);
            cubes.into_iter().try_for_each(|cube| more.push_words(cube))?;
            cover.extend(&more);
            Ok(())
        })
    })
}

/// Takes all rows out of a set of the current function.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; [`ClassicError::NotListed`].
pub fn clear(set: Set) -> Result<(), ClassicError> {
    enter(|state| {
        state.function()?.change(set, |cover| {
            *cover = Cover::empty(&Arc::clone(cover.layout()));
            Ok(())
        })
    })
}

/// Minimises the current function with the options of this thread.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; as [`Minimizer::minimize`]. An earlier answer stays.
pub fn minimize() -> Result<Answer, ClassicError> {
    enter(|state| {
        let options = state.options;
        let trace = Arc::clone(&state.trace);
        let function = state.function()?;
        let mut minimizer = options.minimizer(&function.pla.layout);
        if options.trace {
            minimizer = minimizer.on_progress(move |progress| {
                let line = format!("{}: {} products", progress.phase.name(), progress.products);
                trace.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            });
        }
        let pla = &function.pla;
        let solution = if pla.layout.variables().len() > SHALLOW_VARIABLES_MAX {
            on_deep_stack(|| solve(pla, &options, &minimizer))??
        } else {
            solve(pla, &options, &minimizer)?
        };
        let answer = answer_of(&solution);
        function.answer = Some(solution);
        state.log(|| {
            let Cost { products, literals, .. } = answer.cost;
            let bound = answer.lower_bound;
            format!("answer: {products} products, {literals} literals, no fewer than {bound}")
        });
        Ok(answer)
    })
}

fn solve(pla: &Pla, options: &Options, minimizer: &Minimizer) -> Result<Solution, Error> {
    let Sets { f, d, r } = sets(pla, options.pos, minimizer)?;
    let solution = minimizer.minimize(&f, d.as_ref(), r.as_ref())?;
    if options.debug {
        let verdict = minimizer.verify(&solution.f, &f, d.as_ref(), r.as_ref())?;
        if verdict != Verdict::Equivalent {
            return Err(Error::NotEquivalent { reason: "found by the check of `debug`" });
        }
    }
    Ok(solution)
}

/// Runs on a thread of its own, since nobody knows how much stack the thread of a host has left.
fn on_deep_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, ClassicError> {
    std::thread::scope(|scope| {
        let thread = Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run);
        match thread.map_err(|_| ClassicError::NoThread)?.join() {
            Ok(value) => Ok(value),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// The covers to minimise; with `pos` each output is exchanged for its inverse.
fn sets(pla: &Pla, pos: bool, minimizer: &Minimizer) -> Result<Sets, Error> {
    if !pos {
        return pla.sets(minimizer);
    }
    let phase = match &pla.phase {
        Some(phase) => phase.iter().map(|positive| !positive).collect(),
        None => vec![false; pla.layout.outputs()],
    };
    Pla { phase: Some(phase), ..pla.clone() }.sets(minimizer)
}

fn answer_of(solution: &Solution) -> Answer {
    Answer {
        cost: solution.cost,
        lower_bound: solution.lower_bound,
        proved: solution.proved,
        stopped_early: solution.stopped_early,
    }
}

/// What the last run of the current function found.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; [`ClassicError::NoAnswer`].
pub fn answer() -> Result<Answer, ClassicError> {
    enter(|state| Ok(answer_of(state.function()?.answer()?)))
}

/// A cover of the current function.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; for `F`, `D` and `R` [`ClassicError::NoAnswer`] and
/// [`ClassicError::NoCover`].
pub fn cover(which: Which) -> Result<Cover, ClassicError> {
    let rest = "its points are those that are in neither of the others";
    let large = "it is too large to be written down";
    enter(|state| {
        let function = state.function()?;
        let found = match which {
            Which::On => Some(&function.pla.on),
            Which::Dc => Some(&function.pla.dc),
            Which::Off => Some(&function.pla.off),
            Which::F => Some(&function.answer()?.f),
            Which::D => function.answer()?.d.as_ref(),
            Which::R => function.answer()?.r.as_ref(),
        };
        let (name, reason) = if which == Which::D { ("D", rest) } else { ("R", large) };
        found.cloned().ok_or(ClassicError::NoCover { which: name, reason })
    })
}

/// The answer of the current function as PLA text, with the names that a PLA gave.
///
/// # Errors
/// [`ClassicError::NotSetUp`]; [`ClassicError::NoAnswer`].
pub fn text() -> Result<String, ClassicError> {
    enter(|state| {
        let function = state.function()?;
        Ok(function.pla.text(&function.answer()?.f, None, None))
    })
}

/// The lines that the steps of this thread left while [`Options::trace`] was set: the last 64 KiB.
///
/// # Errors
/// [`ClassicError::ThreadEnding`].
pub fn trace_text() -> Result<String, ClassicError> {
    enter(|state| Ok(state.trace.lock().unwrap_or_else(PoisonError::into_inner).text()))
}

/// Empties the trace.
///
/// # Errors
/// [`ClassicError::ThreadEnding`].
pub fn clear_trace() -> Result<(), ClassicError> {
    enter(|state| {
        *state.trace.lock().unwrap_or_else(PoisonError::into_inner) = Trace::default();
        Ok(())
    })
}
