//! One connection of a server: a thread that reads it, and what it may have under way.
//!
//! ```text
//! accepted ─ Hello in time, peer allowed, seat free ─► sitting ─ requests ─► work of the host
//!     │                                                  │  ▲
//!     └─► Refused, closed                                │  └─ stops reading while too much is
//!                                                        │     under way or unread by the client
//!                                  garbage, a frame that does not end, the end ─► closed
//! ```
//! Invariant: a request is given to the host only while the connection is not cut, under the lock of
//! the work; so once a connection is cut, nothing of it comes behind what others ask.

use crate::fault;
use crate::frame::{FRAME_BYTES_MAX, Frames, GREETING_BYTES_MAX, Kind, frame};
use crate::greeting::Hello;
use crate::outbox::Outbox;
use crate::peer::{self, Peer};
use crate::server::Shared;
use pos_kernel_core::{Error, Result};
use serde_json::json;
use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const READ_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) number: u32,
    pub(crate) peer: Peer,
    socket: UnixStream,
    pub(crate) outbox: Arc<Outbox>,
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Requests that the host has and has not answered, with their bytes.
    under_way: HashMap<u64, usize>,
    bytes_under_way: usize,
    /// Number of the last request that was taken; they go up.
    last: u64,
    /// Nothing is taken from it any more.
    is_cut: bool,
    /// Nobody waits for what is under way.
    is_dead: bool,
    /// The host has answered the greeting.
    is_welcome: bool,
}

impl Connection {
    pub(crate) fn new(number: u32, socket: UnixStream, peer: Peer, outbox: Arc<Outbox>) -> Self {
        let (state, answered) = (Mutex::default(), Condvar::new());
        Self { number, peer, socket, outbox, state, answered }
    }

    /// Nobody is at the other end.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_cut || peer::has_hung_up(&self.socket)
    }

    /// Takes nothing from it any more, and ends it.
    pub(crate) fn cut(&self) {
        let mut state = self.lock();
        state.is_cut = true;
        state.is_dead = true;
        drop(state);
        self.outbox.cut();
        self.answered.notify_all();
    }

    /// Takes nothing from it any more; what was taken will be answered.
    pub(crate) fn stop_reading(&self) {
        self.lock().is_cut = true;
        // A socket that is closed already is as it should be.
        let _ = self.socket.shutdown(Shutdown::Read);
        self.answered.notify_all();
    }

    /// Says goodbye once everything that was taken is answered.
    pub(crate) fn finish(&self, until: Instant) {
        let mut state = self.lock();
        while !state.under_way.is_empty() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            let waited = self.answered.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let last = state.last;
        state.is_dead = true;
        drop(state);
        self.answered.notify_all();
        let mut goodbye = Vec::new();
        frame(&mut goodbye, Kind::Goodbye, last, &[]);
        self.outbox.push(&goodbye);
        self.outbox.end();
    }

    /// Ends it with an error.
    pub(crate) fn refuse(&self, error: &Error) {
        let mut state = self.lock();
        state.is_cut = true;
        state.is_dead = true;
        drop(state);
        let mut bytes = Vec::new();
        frame(&mut bytes, Kind::Refused, 0, fault::to_json(error).to_string().as_bytes());
        self.outbox.push(&bytes);
        self.outbox.end();
    }

    /// Whether it waits for such an answer of the host.
    pub(crate) fn awaits(&self, kind: Kind, number: u64) -> bool {
        match kind {
            Kind::Welcome | Kind::Refused => true,
            _ => self.lock().under_way.contains_key(&number),
        }
    }

    /// Notes what was answered.
    pub(crate) fn settle(&self, answers: &[(Kind, u64)]) {
        let mut state = self.lock();
        for (kind, number) in answers {
            match kind {
                Kind::Welcome => state.is_welcome = true,
                Kind::Refused => {
                    state.is_cut = true;
                    state.is_dead = true;
                    self.outbox.end();
                    // Its reader ends.
                    let _ = self.socket.shutdown(Shutdown::Read);
                }
                _ => {
                    let bytes = state.under_way.remove(number).unwrap_or_default();
                    state.bytes_under_way -= bytes;
                }
            }
        }
        drop(state);
        self.answered.notify_all();
    }

    /// Reads until the end, and leaves.
    pub(crate) fn run(self: &Arc<Self>, shared: &Shared) {
        let mut reader = Reader::new(self);
        let terminal = match reader.greet(shared) {
            Ok(terminal) => terminal,
            Err(error) => return self.refuse(&error),
        };
        if let Err(error) = reader.read(shared) {
            self.refuse(&error);
        }
        shared.give(self, Kind::Goodbye, 0, &[]);
        shared.seats.leave(&terminal, self);
        // A client may have closed its sending half only: it still gets what it has asked for.
        let state = self.lock();
        let is_busy = |state: &mut State| !state.under_way.is_empty() && !state.is_dead;
        drop(self.answered.wait_while(state, is_busy).unwrap_or_else(PoisonError::into_inner));
        // A service that stops has a last word to say.
        if !shared.is_stopping() {
            self.outbox.end();
        }
    }

    /// Notes a request that the host is given now; false when nothing is taken any more.
    fn note(&self, number: u64, bytes: usize) -> Result<bool> {
        let mut state = self.lock();
        if state.is_cut {
            return Ok(false);
        }
        if number <= state.last {
            return Err(fault::bad_frame("the numbers of its calls do not go up"));
        }
        state.last = number;
        state.bytes_under_way += bytes;
        state.under_way.insert(number, bytes);
        Ok(true)
    }

    fn wait_for_room(&self, requests: usize, bytes: usize) {
        let state = self.lock();
        let is_full = |state: &mut State| {
            let is_much = state.under_way.len() >= requests || state.bytes_under_way >= bytes;
            (is_much || !state.is_welcome) && !state.is_cut
        };
        drop(self.answered.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What reads a connection.
struct Reader<'a> {
    connection: &'a Arc<Connection>,
    frames: Frames,
    bytes: Vec<u8>,
    is_timed: bool,
}

impl<'a> Reader<'a> {
    fn new(connection: &'a Arc<Connection>) -> Self {
        let (frames, bytes) = (Frames::up_to(GREETING_BYTES_MAX), vec![0; READ_BYTES]);
        Self { connection, frames, bytes, is_timed: false }
    }

    /// Reads the greeting and sits down; gives the terminal.
    fn greet(&mut self, shared: &Shared) -> Result<String> {
        let Peer { pid, uid } = self.connection.peer;
        if let Some(uid) = uid
            && !shared.allowed.contains(&uid)
        {
            return Err(fault::not_allowed(uid, &shared.allowed));
        }
        let until = Instant::now() + shared.limits.hello;
        let hello = loop {
            if let Some(first) = self.frames.next_frame()? {
                if first.kind != Kind::Hello {
                    return Err(fault::bad_frame("its first frame is no greeting"));
                }
                break Hello::decode(first.payload, &shared.package)?;
            }
            if !self.fill(Some(until))? {
                return Err(fault::bad_frame("it ended before its greeting"));
            }
        };
        let Hello { terminal, session, door, .. } = hello;
        shared.seats.take(&terminal, &session, self.connection)?;
        let wanted = json!({ "terminal": terminal, "door": door, "pid": pid, "uid": uid });
        shared.give(self.connection, Kind::Hello, 0, wanted.to_string().as_bytes());
        self.frames.allow(FRAME_BYTES_MAX);
        Ok(terminal)
    }

    fn read(&mut self, shared: &Shared) -> Result<()> {
        let connection = self.connection;
        let limits = &shared.limits;
        let mut began: Option<Instant> = None;
        loop {
            let mut work = shared.work();
            while let Some(next) = self.frames.next_frame()? {
                began = None;
                if next.kind == Kind::Goodbye {
                    return Ok(());
                }
                if !next.kind.is_request() {
                    return Err(fault::bad_frame("a frame came that only a service sends"));
                }
                if !connection.note(next.number, next.bytes.len())? {
                    return Ok(());
                }
                work.put(connection.number, next.bytes);
            }
            drop(work);
            shared.wake();
            connection.outbox.wait_below(limits.unread_bytes);
            connection.wait_for_room(limits.requests, limits.request_bytes);
            if self.frames.is_waiting() {
                began.get_or_insert_with(Instant::now);
            }
            if !self.fill(began.map(|began| began + limits.frame))? {
                return Ok(());
            }
        }
    }

    /// Reads once; false at the end.
    fn fill(&mut self, until: Option<Instant>) -> Result<bool> {
        let late = || fault::bad_frame("a frame that was expected did not come in time");
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(late());
        }
        if left.is_some() || self.is_timed {
            // It fails only for a time of nothing.
            let _ = self.connection.socket.set_read_timeout(left);
            self.is_timed = left.is_some();
        }
        match (&self.connection.socket).read(&mut self.bytes) {
            Ok(0) if self.frames.is_waiting() => Err(fault::bad_frame("it ended inside a frame")),
            Ok(0) => Ok(false),
            Ok(size) => {
                self.frames.put(&self.bytes[..size]);
                Ok(true)
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(true),
                ErrorKind::WouldBlock | ErrorKind::TimedOut if until.is_some() => Err(late()),
                _ => Ok(false),
            },
        }
    }
}
