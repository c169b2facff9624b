//! The aggregated audit: merged in order, resumed after any crash, checked, and added up.
//!
//! `power.rs` cuts the power at every call of a simulated disk that holds a journal and the log;
//! `PK_LONG=1` takes more seeds. The other files use real folders.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod merging;
mod power;
mod reports;
mod shop;
#[path = "../support/mod.rs"]
mod support;
mod tampering;
mod transfers;
