//! What waits to be sent on one socket.
//!
//! ```text
//! push ── nothing waits ──► sent at once, without waiting for the peer
//!    └─── else, or what the socket does not take ──► kept ──► writer thread ──► socket
//! ```
//! Invariant: bytes leave in the order in which they were pushed, and what is kept is bounded. A peer
//! that does not read until the bound is reached, or takes nothing for a while, is cut off.

use rustix::net::{SendFlags, send};
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

#[derive(Debug)]
pub(crate) struct Outbox {
    socket: UnixStream,
    state: Mutex<State>,
    changed: Condvar,
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Bytes that are not sent, those that the writer has included.
    waiting: usize,
    /// Bytes that the socket has taken.
    sent: u64,
    /// Nothing is pushed any more; the writer ends when all is sent.
    is_ending: bool,
    is_broken: bool,
}

impl Outbox {
    /// Starts the writer of a socket. It ends with [`Outbox::end`] or [`Outbox::cut`].
    pub(crate) fn new(socket: UnixStream, most: usize) -> std::io::Result<Arc<Self>> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let outbox = Arc::new(Self { socket, state, changed, most });
        let writer = outbox.clone();
        thread::Builder::new().name("pos-kernel-send".to_owned()).spawn(move || writer.write())?;
        Ok(outbox)
    }

    /// Sends, or keeps for the writer. A peer that leaves too much unread is cut off.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.is_broken || state.is_ending {
            return;
        }
        let mut rest = bytes;
        while state.waiting == 0 && !rest.is_empty() {
            match send(&self.socket, rest, SEND_FLAGS) {
                Ok(size) => {
                    state.sent += size as u64;
                    rest = &rest[size..];
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                // The reader of this socket hears of it too, and is the one that tells.
                Err(_) => return self.break_off(&mut state),
            }
        }
        if rest.is_empty() {
            return;
        }
        if state.waiting + rest.len() > self.most {
            return self.break_off(&mut state);
        }
        state.waiting += rest.len();
        state.bytes.extend_from_slice(rest);
        self.changed.notify_all();
    }

    /// Bytes that the socket has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.lock().sent
    }

    /// Waits until fewer bytes are kept, or the connection is over.
    pub(crate) fn wait_below(&self, most: usize) {
        let state = self.lock();
        let is_full = |state: &mut State| state.waiting >= most && !state.is_broken;
        drop(self.changed.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner));
    }

    /// Nothing follows: what is kept is sent, then the peer hears the end.
    pub(crate) fn end(&self) {
        self.lock().is_ending = true;
        self.changed.notify_all();
    }

    /// Waits until what was kept is sent, and cuts a peer off that has not read it by then.
    pub(crate) fn wait_ended(&self, until: Instant) {
        let mut state = self.lock();
        while state.waiting > 0 && !state.is_broken {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return self.break_off(&mut state);
            };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the connection now, in both directions.
    pub(crate) fn cut(&self) {
        self.break_off(&mut self.lock());
    }

    fn break_off(&self, state: &mut State) {
        state.is_broken = true;
        state.bytes = Vec::new();
        // A socket that is closed already is as it should be.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.changed.notify_all();
    }

    fn write(&self) {
        let mut state = self.lock();
        loop {
            let is_idle =
                |state: &mut State| state.bytes.is_empty() && !state.is_ending && !state.is_broken;
            state = self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
            if state.is_broken {
                return;
            }
            if state.bytes.is_empty() {
                let _ = self.socket.shutdown(Shutdown::Write);
                return;
            }
            let bytes = std::mem::take(&mut state.bytes);
            drop(state);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                // A socket with a limit on sending gives up here when the peer takes nothing.
                match (&self.socket).write(rest) {
                    Ok(size) if size > 0 => {
                        rest = &rest[size..];
                        let mut state = self.lock();
                        state.sent += size as u64;
                        state.waiting -= size;
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Ok(_) | Err(_) => return self.cut(),
                }
            }
            state = self.lock();
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Outbox;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    #[test]
    fn bytes_leave_in_order_and_the_end_is_heard_behind_them() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let outbox = Outbox::new(here, 64 << 20).unwrap();
        let sent: Vec<u8> = (0..4_000_000u32).map(|at| at.to_le_bytes()[1]).collect();
        for piece in sent.chunks(70_001) {
            outbox.push(piece);
        }
        outbox.end();
        let mut found = Vec::new();
        there.read_to_end(&mut found).unwrap();
        assert!(found == sent);
        assert_eq!(outbox.sent(), sent.len() as u64);
    }

    #[test]
    fn a_peer_that_does_not_read_is_cut_off_at_the_bound() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let outbox = Outbox::new(here, 100_000).unwrap();
        for _ in 0..100 {
            outbox.push(&[7; 50_000]);
        }
        let mut found = Vec::new();
        // It ends, and long before all was sent.
        let _ = there.read_to_end(&mut found);
        assert!(found.len() < 2_000_000, "{}", found.len());
    }
}
