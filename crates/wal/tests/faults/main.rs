//! The log under faults: power cuts at every call, failing calls, lost pages, full disks, flipped
//! bits, zeroed and misplaced blocks, and storages that lie.
//!
//! Read `till.rs` first: a log with a model beside it. Every test prints its counts; run with
//! `--nocapture` to see them, and with `PK_LONG=1` for the exhaustive forms.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crash;
mod damage;
mod failure;
mod fuzz;
mod group;
mod limits;
mod model;
mod sabotage;
mod space;
mod specimen;
mod tamper;
mod till;

/// True when the exhaustive forms were asked for.
fn long() -> bool {
    std::env::var_os("PK_LONG").is_some()
}
