//! The logic minimiser: two-level minimisation after Espresso, with multi-valued variables.
//!
//! A function is given by three covers, lists of cubes: ON, where it must be 1; DC, where it may be
//! either; OFF, where it must be 0. [`Minimizer`] finds a cover of few products, then few literals,
//! that holds all of ON and nothing of OFF. What must not live here: any knowledge of sales, any
//! global state of the engine. Every value is `Send + Sync`, and any mix of layouts may run side by
//! side. [`classic`] is the one room with a state, one for each thread, and the engine knows nothing
//! of it.
//!
//! The promise guarded here: **an answer is equivalent to its question, or there is no answer.**
//!
//! Read `layout.rs` first (which bits mean what), then `recurse.rs` (the ground of all recursions),
//! `tautology.rs`, and `minimizer.rs` (the loop).

#![forbid(unsafe_code)]
// Positions and counts are bounded by the limits of `layout.rs`, far below 2^32.
#![allow(clippy::cast_possible_truncation)]
// Several parallel lists are walked by one index; an iterator over one of them would hide the others.
#![allow(clippy::needless_range_loop)]

mod all_primes;
mod blocking;
mod budget;
mod builder;
mod care;
pub mod classic;
mod complement;
mod cover;
mod covering;
mod cube;
mod error;
mod essential;
mod expand;
mod expression;
mod gasp;
mod independent;
mod irredundant;
mod layout;
mod minimizer;
mod near;
mod outputs_apart;
pub mod pla;
mod plan;
mod pool;
mod primes;
mod progress;
mod recurse;
mod reduce;
mod set_operations;
mod side_by_side;
mod sparse;
mod supercube;
mod tautology;
mod without_off;

pub use budget::Cancel;
pub use builder::{CoverBuilder, Espresso};
pub use cover::{Cost, Cover};
pub use error::Error;
pub use expression::{
    EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, Expression, ExpressionError, ExpressionProblem,
};
pub use layout::{CUBE_BITS_MAX, Layout, PARTS_MAX, VARIABLES_MAX, Variable};
pub use minimizer::{MEMORY_BYTES_DEFAULT, Minimizer, Mode, Solution, Steps};
pub use pla::{Kind, Pla, PlaError, PlaFailure, PlaProblem, Sets};
pub use progress::{Phase, Progress};
pub use set_operations::Verdict;

#[cfg(test)]
mod recursion_test;
