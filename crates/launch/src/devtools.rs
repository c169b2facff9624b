//! The DevTools pipe of a browser, held open: a page outlives the supervisor that drives it.
//!
//! ```text
//!   supervisor ◄── Unix socket, one client at a time ──► launcher ── descriptor 3 ──► browser
//!                                                                 ◄── descriptor 4 ──
//! ```
//!
//! Messages end with a zero byte. To the browser go whole messages only, so that a client that leaves in the middle
//! of one leaves nothing behind; a client that comes in the middle of an answer gets the next one first. While
//! nobody is there, answers and events are read and dropped: a browser whose pipe is full stands still.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

/// Longest message to the browser: a script is far shorter.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// What waits for a slow peer before its other side is read on.
const WAITING_BYTES_MAX: usize = 1 << 20;
const CHUNK_BYTES: usize = 64 << 10;

/// The pump.
#[derive(Debug)]
pub(crate) struct Pump {
    listener: UnixListener,
    to_browser: OwnedFd,
    from_browser: OwnedFd,
    /// Whole messages that the browser has not taken yet.
    outgoing: Vec<u8>,
    client: Option<Client>,
    /// The last byte from the browser ended a message, or there was none yet.
    is_between: bool,
    is_open: bool,
}

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    /// The beginning of a message whose end has not come.
    partial: Vec<u8>,
    /// What it has not read yet.
    incoming: Vec<u8>,
    /// It came in the middle of a message of the browser.
    skips: bool,
}

/// What is asked of `poll`, in this order.
pub(crate) const POLLED: usize = 5;

impl Pump {
    /// Listens at `socket`, for this user alone.
    pub(crate) fn open(socket: &Path, to: OwnedFd, from: OwnedFd) -> io::Result<Self> {
        match fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // No client is accepted before the loop begins, so there is no moment at which others reach it.
        let listener = UnixListener::bind(socket)?;
        fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        for fd in [&to, &from] {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok(Self {
            listener,
            to_browser: to,
            from_browser: from,
            outgoing: Vec::new(),
            client: None,
            is_between: true,
            is_open: true,
        })
    }

    /// What to wait for now.
    pub(crate) fn polled<'a>(&'a self) -> [PollFd<'a>; POLLED] {
        let none = PollFlags::empty();
        let read = |wanted: bool| if wanted { PollFlags::IN } else { none };
        let write = |wanted: bool| if wanted { PollFlags::OUT } else { none };
        let waiting = self.client.as_ref().map_or(0, |client| client.incoming.len());
        let stream: BorrowedFd<'a> = match &self.client {
            Some(client) => client.stream.as_fd(),
            None => self.listener.as_fd(),
        };
        let (client_reads, client_writes) = match &self.client {
            Some(_) => (read(self.outgoing.len() < WAITING_BYTES_MAX), write(waiting > 0)),
            None => (none, none),
        };
        let browser = read(self.is_open && waiting < WAITING_BYTES_MAX);
        [
            PollFd::new(&self.listener, PollFlags::IN),
            PollFd::from_borrowed_fd(stream, client_reads),
            PollFd::from_borrowed_fd(stream, client_writes),
            PollFd::new(&self.from_browser, browser),
            PollFd::new(&self.to_browser, write(self.is_open && !self.outgoing.is_empty())),
        ]
    }

    /// Does what became possible.
    pub(crate) fn step(&mut self, ready: [PollFlags; POLLED]) {
        let [new, client_reads, client_writes, browser_reads, browser_writes] = ready;
        let any = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        if self.client.is_some() && client_reads.intersects(any) && !self.read_client() {
            self.client = None;
        }
        if browser_reads.intersects(any) {
            self.read_browser();
        }
        if !browser_writes.is_empty() {
            self.write_browser();
        }
        if self.client.is_some() && !client_writes.is_empty() && !self.write_client() {
            self.client = None;
        }
        if new.contains(PollFlags::IN) {
            self.accept();
        }
    }

    /// The first one who comes is served; another is turned away at once.
    fn accept(&mut self) {
        let Ok((stream, _)) = self.listener.accept() else { return };
        if self.client.is_some() || stream.set_nonblocking(true).is_err() {
            return;
        }
        let (partial, incoming) = (Vec::new(), Vec::new());
        self.client = Some(Client { stream, partial, incoming, skips: !self.is_between });
    }

    /// False when the client is gone.
    fn read_client(&mut self) -> bool {
        let Some(client) = &mut self.client else { return false };
        let mut chunk = [0; CHUNK_BYTES];
        match client.stream.read(&mut chunk) {
            Ok(0) => return false,
            Ok(length) => client.partial.extend_from_slice(chunk.get(..length).unwrap_or(&[])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(_) => return false,
        }
        if let Some(end) = client.partial.iter().rposition(|byte| *byte == 0) {
            self.outgoing.extend(client.partial.drain(..=end));
        }
        let fits = client.partial.len() <= MESSAGE_BYTES_MAX;
        self.write_browser();
        fits
    }

    fn write_browser(&mut self) {
        while !self.outgoing.is_empty() && self.is_open {
            match rustix::io::write(&self.to_browser, &self.outgoing) {
                Ok(length) => drop(self.outgoing.drain(..length)),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => self.is_open = false,
            }
        }
    }

    fn read_browser(&mut self) {
        let mut chunk = [0; CHUNK_BYTES];
        let length = match rustix::io::read(&self.from_browser, &mut chunk) {
            Ok(0) => {
                self.is_open = false;
                return;
            }
            Ok(length) => length,
            Err(Errno::AGAIN | Errno::INTR) => return,
            Err(_) => {
                self.is_open = false;
                return;
            }
        };
        let mut text = chunk.get(..length).unwrap_or(&[]);
        self.is_between = text.last() == Some(&0);
        let Some(client) = &mut self.client else { return };
        if client.skips {
            let Some(end) = text.iter().position(|byte| *byte == 0) else { return };
            text = text.get(end + 1..).unwrap_or(&[]);
            client.skips = false;
        }
        client.incoming.extend_from_slice(text);
        if !self.write_client() {
            self.client = None;
        }
    }

    /// False when the client is gone.
    fn write_client(&mut self) -> bool {
        let Some(client) = &mut self.client else { return false };
        while !client.incoming.is_empty() {
            match client.stream.write(&client.incoming) {
                Ok(0) => return false,
                Ok(length) => drop(client.incoming.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}
