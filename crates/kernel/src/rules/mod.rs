//! Rules: a shop's decision tables, compiled by the logic minimiser and evaluated bit by bit.
//!
//! What lives here: tables of typed conditions and results, read from JSON or CSV, checked once and
//! then immutable; their canonical bytes and hash; the compiler that finds contradictions, gaps and
//! shadowed rows; the evaluation of a line, a tender or a sale; the rows behind every answer. What
//! must not: any sale, any clock, any host. A table is data, so the journal can carry it.
//!
//! Invariants: a [`Table`] that exists is valid and has one spelling in bytes; **compiled rules
//! answer what the table says, for every input**, which the compiler proves before it gives them
//! out; and every answer names the rows of the table that give it.
//!
//! ```text
//!   JSON, CSV -> Draft -> Table -> Space (columns become variables) -> covers -> minimiser
//!                           |                                                       |
//!                        bytes, hash                                  proof, findings, Matrix
//! ```
//!
//! Read `table.rs` first (what a table is), then `cell.rs` (what may stand in a cell), `space.rs`
//! (how ranges become values), `compile.rs` and `set.rs` (what a till asks). The formats are in
//! `docs/guide/rules.md` and `docs/reference/rule-table.schema.json`.

mod cell;
mod column;
mod compile;
mod csv;
mod draft;
mod encoding;
mod facts;
mod fault;
mod findings;
mod grid;
mod input;
mod json;
mod matrix;
mod set;
mod show;
mod space;
mod table;

pub use cell::Cell;
pub use column::{Column, Domain, Held, Outcome, ResultColumn, Scalar};
pub use compile::{Answering, Explanation, Rules};
pub use encoding::TABLE_VERSION;
pub use facts::{Attribute, Fact, LineFacts, SaleFacts, TenderFacts};
pub use findings::{Contradiction, Finding, Gap, Report, Shadowed};
pub use input::{Given, Point};
pub use matrix::AnswerSet;
pub use set::{DECISION, Decision, Hit, Judgement, RuleSet};
pub use table::{Binding, HitPolicy, Row, Table};
