//! The classic face: one global state for each thread, as programs around the C minimiser expect it.
//!
//! ```text
//!   thread ── state ─┬─ options       set_trace(true), set_single_expand(true), ...
//!                    ├─ trace         what the steps did, as text; nothing is ever printed
//!                    ├─ functions     handle -> dimensions, three sets, answer
//!                    └─ current       the function that calls without a handle mean
//! ```
//!
//! [`setup`] gives a handle and makes its function the current one, [`select`] goes back to another,
//! so several dimensions live side by side on one thread. A handle is a number that is given out once
//! in a process; on another thread, or after [`teardown`], it is not found. The state is made by the
//! first call and goes with its thread. What must not live here: any step of the minimiser. The
//! engine has no globals, and this room only keeps its arguments between calls.
//!
//! The promises guarded here: **a refused call has changed nothing**, and no thread sees another's
//! state. Read `state.rs` next.
//!
//! ```
//! use pos_kernel_espresso::classic::{self, Set, Which};
//!
//! let function = classic::setup(2, 1)?;
//! classic::add_row(Set::On, &[0, 1], &[1])?;
//! classic::add_row(Set::On, &[1, 1], &[1])?;
//! let answer = classic::minimize()?;
//! assert_eq!(answer.cost.products, 1);
//! assert_eq!(classic::cover(Which::F)?.rows(), vec![(vec![2, 1], vec![1])]);
//! classic::teardown(function)?;
//! # Ok::<(), pos_kernel_espresso::classic::ClassicError>(())
//! ```

mod error;
mod options;
mod state;
mod trace;

pub use error::ClassicError;
pub use options::{
    Options, THREADS_MAX, debug, exact, memory_limit, options, pos, remove_essential, set_debug,
    set_exact, set_memory_limit, set_options, set_pos, set_remove_essential, set_single_expand,
    set_skip_make_sparse, set_super_gasp, set_threads, set_time_limit, set_trace, set_unwrap_onset,
    single_expand, skip_make_sparse, super_gasp, threads, time_limit, trace, unwrap_onset,
};
pub use state::{
    Answer, FUNCTIONS_MAX, Handle, Set, Which, add_row, add_words, answer, clear, clear_trace,
    cover, current, get_cube, kind, minimize, read_pla, select, set_kind, setup, setup_valued,
    teardown, teardown_all, text, trace_text,
};
