//! Stores by handle: many terminals in one process, which share the device's flushes.

use crate::guard::guard;
use crate::handle::Table;
use crate::memory::{self, Slot};
use crate::seat::{TerminalSeat, full, unknown};
use crate::terminal::{open_options, path};
use crate::types::{PkResult, PkStore, PkTerminal, PkTerminalOptions, PkText};
use pos_kernel_core::{Code, Error, Result, Store, StoreOptions};
use std::sync::Arc;

static STORES: Table<Store> = Table::new(3);

fn store(handle: u64) -> Result<Arc<Store>> {
    STORES.get(handle).ok_or_else(|| unknown("store", handle))
}

/// Opens a store in this process and brings what a crash has left in its log into the journals.
/// Terminals that are opened in it share the device's flushes: those that wait on several threads at
/// the same time wait for one. Terminals of the same root may be opened by themselves meanwhile.
///
/// `root`: the root folder; empty for POS_KERNEL_ROOT, else ./pos_kernel_data.
/// Durable when it returns: every journal of the store holds what was acknowledged.
///
/// Codes: 2 (PK_E_STORE_IN_USE; PK_E_TERMINAL_IN_USE while a process that is ending holds one); 3; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_store_open(root: PkText, out_store: *mut PkStore) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_store", out_store)?;
        // SAFETY: the caller promises the text.
        let root = unsafe { memory::optional_field(memory::ROOT, root) }?;
        let root = root.map(path).transpose()?;
        let store = Store::open(&StoreOptions { root, ..StoreOptions::default() })?;
        let handle = STORES.insert(Arc::new(store)).ok_or_else(full)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(handle) };
        Ok(())
    })
}

/// Opens a terminal of a store, as pk_terminal_open does; its handle is used and closed as any other.
///
/// `options`: as pk_terminal_open, with no `root`: it is the store's.
/// Durable when it returns: the opening, with what was recovered, is in the journal.
///
/// Codes: as pk_terminal_open; 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for a root).
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_store_open_terminal(
    store: PkStore,
    options: *const PkTerminalOptions,
    out_terminal: *mut PkTerminal,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_terminal", out_terminal)?;
        let store = self::store(store)?;
        // SAFETY: the caller promises the structure.
        let options = unsafe { memory::structure("options", options) }?;
        // SAFETY: the caller promises the texts that it points to.
        let options = unsafe { open_options(&options) }?;
        if options.root.is_some() {
            let message = "options.root is given; leave it empty, it is the store's";
            return Err(Error::new(Code::BadArgument, message).with("argument", "options.root"));
        }
        let seat = TerminalSeat::new(store.open_terminal(&options)?, false)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(seat.handle()) };
        Ok(())
    })
}

/// Closes every terminal of a store and the store: all is durable, the locks are free. The store's
/// handle ends, whatever the result; those of its terminals end with pk_terminal_close, and every
/// other call on them is refused with PK_E_CLOSED.
///
/// Durable when it returns: all of it.
///
/// Codes: 1; 3; 7 (the locks are free all the same).
#[unsafe(no_mangle)]
pub extern "C" fn pk_store_close(store: PkStore) -> PkResult {
    guard(|| STORES.remove(store).ok_or_else(|| unknown("store", store))?.close())
}
