//! What the terminals of one store share: who is there, what is configured, what one of them does
//! alone.
//!
//! What lives here: the registry of terminals, the system configuration, the shutdown signal, locks
//! of single operations, the small JSON documents behind them. What must not: anything that a sale
//! needs. A terminal rings up with all of this missing, unreadable or hostile; so its opening and
//! closing treat these files as caches, and only calls that are about them can fail by them.
//!
//! Locks that are really held are the only truth about who is there ([`registry`]); files that say
//! the same are written for people and for programs that read no locks. Every document is replaced
//! whole, under the lock of its name, and read with a limit on its size from what must be a plain
//! file: a link, a pipe or a folder in its place is `PK_E_SHARED_FILE`, never followed, never waited
//! for.
//!
//! ```text
//! shared/coordination/   active_terminals.json  system_config.json  shutdown_signal.flag
//! temp/coordination_locks/NAME.lock  NAME.owner.json      temp/cleanup/
//! ```
//! Read `registry.rs` first, then `operation_lock.rs` and `system_config.rs`. What a terminal does
//! with them stands in `terminal/coordination.rs`; messages have a room of their own, `messages`.

mod cleanup;
pub(crate) mod document;
mod operation_lock;
mod registry;
mod shutdown;
mod system_config;

pub(crate) use cleanup::{discard, sweep};
pub use operation_lock::OperationLock;
pub use registry::{TerminalEntry, TerminalState, refresh_registry, terminals};
pub(crate) use shutdown::write_shutdown_signal;
pub use shutdown::{ShutdownSignal, clear_shutdown_signal, shutdown_signal};
pub use system_config::SystemConfig;

use std::path::{Path, PathBuf};

/// The folder of the shared documents.
fn coordination_dir(root: &Path) -> PathBuf {
    root.join("shared").join("coordination")
}
