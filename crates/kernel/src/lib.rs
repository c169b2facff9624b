//! The point-of-sale kernel: command + state -> fact, or a refusal; state is the fold of the facts.
//!
//! What lives here: money, the sale, the till's counters, the journal of their facts, and the
//! terminal that owns one journal. What must not: bytes on disk (that is `pos-kernel-wal`) and any
//! host's types (those are the doors).
//!
//! Invariants guarded here are numbered I1 to I20 in `docs/reference/invariants.md`. The first is
//! the reason for all: **a sale is never lost or doubled.** So a fact is decided by pure code,
//! appended, applied, and answered only once it is as durable as its mode promises; and the receipt
//! number, the counters and the fact of a completion are one record that cannot part.
//!
//! Read `sale/machine/mod.rs` first (what may happen), then `till/mod.rs` (the fold), `journal/fact.rs`
//! (what is written) and `terminal/mod.rs` (how a command becomes an answer).

#![forbid(unsafe_code)]

pub mod archive;
pub mod audit;
pub mod clock;
pub mod code;
pub mod coordination;
pub mod error;
pub mod export;
pub mod journal;
pub mod limits;
pub mod messages;
pub mod money;
pub mod policy;
pub mod pricing;
pub mod rules;
pub mod sale;
pub mod signing;
pub mod store;
pub mod terminal;
pub mod till;

pub use code::{Code, Family};
pub use error::{Error, Result};
pub use store::{Store, StoreOptions};
pub use terminal::{OpenOptions, Terminal};

/// Version of the kernel.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Version of the journal's layout.
pub const JOURNAL_FORMAT: u32 = pos_kernel_wal::format::FORMAT_VERSION;
