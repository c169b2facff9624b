//! The C door: bytes and numbers in, kernel calls, bytes and numbers out.
//!
//! What lives here: translation, the table of handles, and the guard that no panic passes. What must
//! not: any decision about a sale. Read `guard.rs` (what every call runs inside), `memory.rs` (the
//! only place where a host's pointers are touched), `input.rs`, `handle.rs`, then `sale.rs`.
//! `classic.rs` is the interface that older hosts were built against; it is made of the same calls.
//! `logic.rs` and `logic_options.rs` are the minimiser's own door, with a state for each thread.
//!
//! Invariants: a refused call has changed nothing and has written to none of its out-parameters
//! (but the length that a buffer needs); a handle is never used twice; every call may come from any
//! thread; nothing unwinds into the host.
//!
//! # What a caller promises
//! A pointer that is not null points to memory of the size that goes with it, which stays readable
//! (or, for out-parameters, writable) and is changed by nobody else until the call returns. Null,
//! misaligned and oversized arguments are refused; a wild pointer cannot be.

#![allow(clippy::doc_markdown, reason = "the text of these functions is also the C header's")]

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("the C interface is laid out for 64-bit little-endian machines");

mod abi;
mod answer;
pub mod classic;
pub mod coordination;
mod guard;
mod handle;
pub mod handover;
mod input;
pub mod journal;
mod json;
pub mod library;
pub mod logic;
pub mod logic_options;
pub mod logic_types;
mod memory;
pub mod money;
pub mod people;
pub mod pricing;
pub mod proof;
pub mod query;
pub mod reports;
pub mod returns;
pub mod rules;
pub mod sale;
mod seat;
pub mod service;
pub mod store;
pub mod terminal;
pub mod transfers;
pub mod types;
