//! The stores that are measured, one module each, and the one table that names them.
//!
//! A new store needs a module here (or anywhere in the crate) and one line in [`PEERS`].

mod lmdb;
mod ours;
pub mod raw;
mod rocks;
mod sqlite;

use crate::store::Peer;

/// Every store, in the order of the results. The raw disk comes first: it is the limit.
pub static PEERS: &[&dyn Peer] = &[
    &raw::Raw { direct: false },
    &raw::Raw { direct: true },
    &ours::Ours { by_call: false },
    &ours::Ours { by_call: true },
    &sqlite::Sqlite { rows: true },
    &sqlite::Sqlite { rows: false },
    &lmdb::Lmdb,
    &rocks::Rocks,
];

/// The store called `name`.
pub fn find(name: &str) -> Option<&'static dyn Peer> {
    PEERS.iter().copied().find(|peer| peer.name() == name)
}
