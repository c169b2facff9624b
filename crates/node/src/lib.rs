//! The N-API door: JavaScript values in, kernel calls, JavaScript values out.
//!
//! What lives here: translation, and nothing else. What must not: any decision, any state beyond the
//! handle of a terminal. Invariant: no panic crosses (every function catches it), and no call blocks
//! the event loop unless its name ends in `Sync` or it only touches memory and the page cache.
//!
//! A call that makes a fact returns at once with the `seq` of its last record and `wait`: true while
//! that record is not durable. The caller answers its own host once `onDurable` has named a
//! sequence as high, or after `waitSync`. One callback settles any number of calls.
//!
//! Read `terminal.rs` first, then `input.rs` and `receipt.rs` (what a host gives and gets), `value.rs`
//! (what else crosses) and `fault.rs` (how errors do). `logic.rs` is the door of the minimiser, which
//! knows nothing of the others; `watchdog.rs` watches the event loop that all of them are called on.

mod alarm;
pub mod audit;
pub mod away;
pub mod coordination;
mod ear;
pub mod export;
mod fault;
pub mod file_lock;
pub mod handover;
pub mod input;
mod interrupt;
pub mod isolated;
pub mod logic;
#[cfg(any(target_os = "linux", test))]
mod made;
mod packed;
pub mod people;
pub mod policy;
pub mod pricing;
pub mod process;
pub mod proof;
pub mod receipt;
pub mod returns;
pub mod rules;
pub mod service;
pub mod store;
pub mod store_audit;
pub mod terminal;
pub mod transfers;
pub mod value;
pub mod watchdog;
