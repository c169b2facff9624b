//! The kernel under faults and bad input, with a model beside it.
//!
//! Most tests run a terminal on a simulated disk (`../support/store.rs`) that can be crashed at any
//! call, damaged and filled. Tests that count print their counts: run with `--nocapture` to see
//! them, and with `PK_LONG=1` for the exhaustive forms.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod book;
mod closing;
mod codec;
mod day;
mod golden;
mod history;
mod keys;
mod limits;
mod model;
mod process;
mod regressions;
mod signing;
mod space;
mod store;
mod store_flushes;
mod store_process;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod till;
mod till_book;
mod till_calls;
