//! The option globals of the classic program that mean something in this engine, one set a thread.
//!
//! Those about printing, echoing and state machines have no counterpart: nothing is printed here.

use std::time::Duration;

use super::error::ClassicError;
use super::state::enter;
use crate::layout::Layout;
use crate::minimizer::{MEMORY_BYTES_DEFAULT, Minimizer, Mode, Steps};
use std::sync::Arc;

/// Most threads that one run may be given.
pub const THREADS_MAX: usize = 256;

/// The options of a thread. They hold for the runs that begin after they were set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Every answer is compared with its question once more, by other means than the engine's own.
    pub debug: bool,
    /// Set-up, every phase of a run, and its answer leave a line in the trace.
    pub trace: bool,
    /// [`Mode::Fast`].
    pub single_expand: bool,
    /// [`Mode::Strong`]; stands above `single_expand`.
    pub super_gasp: bool,
    /// [`Mode::Exact`]; stands above both.
    pub exact: bool,
    /// The OFF-set is minimised in place of the ON-set.
    pub pos: bool,
    /// Cubes of several outputs are first taken apart.
    pub unwrap_onset: bool,
    /// Essential primes are set aside while the others are improved.
    pub remove_essential: bool,
    /// Literals are not lowered at the end.
    pub skip_make_sparse: bool,
    /// Threads that a run may use, 1 to [`THREADS_MAX`]; the answer is the same for any number.
    pub threads: usize,
    /// The time after which a run ends with the best cover it has.
    pub time_limit: Option<Duration>,
    /// Bytes that covers and recursions may take.
    pub memory_limit: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            debug: false,
            trace: false,
            single_expand: false,
            super_gasp: false,
            exact: false,
            pos: false,
            unwrap_onset: true,
            remove_essential: true,
            skip_make_sparse: false,
            threads: 1,
            time_limit: None,
            memory_limit: MEMORY_BYTES_DEFAULT,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), ClassicError> {
        if (1..=THREADS_MAX).contains(&self.threads) {
            return Ok(());
        }
        Err(ClassicError::BadOption {
            option: "threads",
            value: self.threads as u64,
            least: 1,
            most: THREADS_MAX as u64,
        })
    }

    pub(super) fn minimizer(&self, layout: &Arc<Layout>) -> Minimizer {
        let mode = match self {
            Options { exact: true, .. } => Mode::Exact,
            Options { super_gasp: true, .. } => Mode::Strong,
            Options { single_expand: true, .. } => Mode::Fast,
            _ => Mode::Normal,
        };
        let steps = Steps {
            unwrap_outputs: self.unwrap_onset,
            take_essentials: self.remove_essential,
            make_sparse: !self.skip_make_sparse,
        };
        let minimizer = Minimizer::new(layout)
            .mode(mode)
            .steps(steps)
            .threads(self.threads)
            .memory_limit(self.memory_limit);
        match self.time_limit {
            Some(time) => minimizer.time_limit(time),
            None => minimizer,
        }
    }
}

/// All options of this thread.
///
/// # Errors
/// [`ClassicError::ThreadEnding`], as of every call of this room.
pub fn options() -> Result<Options, ClassicError> {
    enter(|state| Ok(state.options))
}

/// Sets all options of this thread.
///
/// # Errors
/// [`ClassicError::BadOption`].
pub fn set_options(options: Options) -> Result<(), ClassicError> {
    options.check()?;
    enter(|state| {
        state.options = options;
        Ok(())
    })
}

macro_rules! accessors {
    ($( $field:ident, $set:ident: $of:ty; )+) => { $(
        #[doc = concat!("The option [`Options::", stringify!($field), "`] of this thread.")]
        ///
        /// # Errors
        /// [`ClassicError::ThreadEnding`].
        pub fn $field() -> Result<$of, ClassicError> {
            enter(|state| Ok(state.options.$field))
        }

        #[doc = concat!("Sets the option [`Options::", stringify!($field), "`] of this thread.")]
        ///
        /// # Errors
        /// [`ClassicError::BadOption`] when it is out of range.
        pub fn $set(value: $of) -> Result<(), ClassicError> {
            enter(|state| {
                let options = Options { $field: value, ..state.options };
                options.check()?;
                state.options = options;
                Ok(())
            })
        }
    )+ };
}

accessors! {
    debug, set_debug: bool;
    trace, set_trace: bool;
    single_expand, set_single_expand: bool;
    super_gasp, set_super_gasp: bool;
    exact, set_exact: bool;
    pos, set_pos: bool;
    unwrap_onset, set_unwrap_onset: bool;
    remove_essential, set_remove_essential: bool;
    skip_make_sparse, set_skip_make_sparse: bool;
    threads, set_threads: usize;
    time_limit, set_time_limit: Option<Duration>;
    memory_limit, set_memory_limit: usize;
}
