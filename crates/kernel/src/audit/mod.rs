//! The aggregated audit: one log of all that the terminals of a store did, merged from their journals.
//!
//! What lives here: the merge, its log, the check of that log, and reports over the whole store. What
//! must not: a terminal's lock, or a byte written to a journal; it all runs beside tills that sell.
//!
//! ```text
//! terminals/A/transaction.wal ──┐  frames that are durable for sure, chain link by link
//! terminals/B/transaction.wal ──┼─► (hlc, terminal, sequence) ─► block ─► shared/aggregated_audit.log
//! archive/C/segment-….wal    ───┘                                         line ◄─SHA-256─ line ◄─ ...
//! ```
//!
//! Invariants: a line stands for one frame of one journal, and a frame stands in one line: the
//! lines of a terminal follow one another without a gap, from its first frame on. What can still be
//! undone by a power cut is never merged. A line that was promised, by the block that closes it, is
//! never changed: a frame that comes late, of a till that was slow or away, stands in a later block,
//! and every line carries the stamp by which the whole log can be put in order.
//!
//! Nothing is remembered beside the log: its blocks carry how far each terminal was merged, so a
//! merger that died goes on where its last block ends.
//!
//! Read `line.rs` first (what a line says), then `log.rs` (how blocks become durable and how a torn
//! one is told from a changed one), `source.rs` and `merge.rs`; `check.rs` is the verifier, `transfers.rs`
//! holds the journals against each other, `report.rs` adds up the store.

mod check;
mod cursor;
mod legs;
mod line;
mod lock;
mod log;
mod merge;
mod report;
mod show;
mod source;
mod transfers;

pub use check::{AuditCheck, LineProblem, TerminalCheck, check};
pub use cursor::Cursor;
pub use log::{AuditLog, Head, standing};
pub use merge::{Fault, Merged, Merger};
pub use report::{
    ByHour, BySku, Report, StoreReport, Sums, TaxSum, TenderTotal, report as store_report,
};
pub use source::{Source, sources, terminal_ids};
pub use transfers::{OnItsWay, TransferFault, TransferProblem, Transfers, transfers};

use crate::error::Result;
use crate::journal::Progress;
use pos_kernel_wal::{Link, OsStorage};
use std::path::{Path, PathBuf};

/// Checks the log of a store by itself and against the journals, and these against each other. Takes no lock and writes nothing.
///
/// # Errors
/// As [`check`].
pub fn check_store(
    root: &Path,
    archive: Option<&Path>,
    anchor: Option<&Link>,
    progress: Progress<'_>,
) -> Result<AuditCheck> {
    check(&OsStorage, &log_path(root), &sources(root, archive)?, anchor, progress)
}

/// Adds up what the log of a store has merged so far. Takes no lock and writes nothing.
///
/// # Errors
/// `PK_E_NOT_FOUND` when there is no log; those of [`standing`] and of [`store_report`].
pub fn report_store(root: &Path, archive: Option<&Path>, wanted: &[Report]) -> Result<StoreReport> {
    let (_, cursors) = standing(&OsStorage, &log_path(root))?;
    store_report(&sources(root, archive)?, &cursors, wanted)
}

/// The log of a store.
#[must_use]
pub fn log_path(root: &Path) -> PathBuf {
    root.join("shared").join("aggregated_audit.log")
}
