//! Rules: the reader, the compiler and the judgement of a till, from outside.
//!
//! `model.rs` reads a table row by row on plain values and knows nothing of variables and cubes;
//! `random.rs` makes tables and inputs. Everything compiled is held against the model.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bytes;
mod equal;
mod examples;
mod findings;
mod judgement;
mod model;
mod random;
mod reader;
