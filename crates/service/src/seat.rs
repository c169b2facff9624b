//! Who sits at which terminal: one client a terminal, as a till has one cashier's display.
//!
//! A seat is left by a goodbye or by a connection that breaks. Two cases are told apart from a
//! newcomer: a client whose connection broke and who comes again (the same session) sits down where it
//! sat, and a client that is gone (its end of the socket is closed) keeps nobody out, even when the
//! thread that reads its connection has not noticed yet.

use crate::connection::Connection;
use crate::fault;
use pos_kernel_core::Result;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<HashMap<String, Seat>>);

#[derive(Debug)]
struct Seat {
    session: String,
    connection: Arc<Connection>,
}

impl Seats {
    /// Sits down. A connection that had the seat and is over is cut first, so that nothing which is
    /// still in its socket is taken behind what the newcomer asks for.
    pub(crate) fn take(
        &self,
        terminal: &str,
        session: &str,
        connection: &Arc<Connection>,
    ) -> Result<()> {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Seat { session: other, connection: holder }) = seats.get(terminal) {
            if other != session && !holder.is_over() {
                return Err(fault::taken(terminal, holder.peer.pid, holder.peer.uid));
            }
            holder.cut();
        }
        let seat = Seat { session: session.to_owned(), connection: connection.clone() };
        seats.insert(terminal.to_owned(), seat);
        Ok(())
    }

    /// Stands up, unless somebody else sits there by now.
    pub(crate) fn leave(&self, terminal: &str, connection: &Arc<Connection>) {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seats.get(terminal).is_some_and(|seat| Arc::ptr_eq(&seat.connection, connection)) {
            seats.remove(terminal);
        }
    }
}
