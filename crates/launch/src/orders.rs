//! What supervisors say: the one that starts the app on standard input, first the order and later `kill`; each one
//! after it on a pipe that has a name in the folder of the run, first `adopt`, later `kill`.
//!
//! ```text
//!   the first supervisor ── stdin ──────► order, kill     its end: that supervisor is gone, the app goes on
//!   each later one ──────── orders ─────► adopt, kill     its end: the same
//! ```
//!
//! The kernel closes a pipe for whoever died. So who holds one of these is there; and when nobody does, the app is
//! alone. The folder of the run is the host's, so nobody else can hold the pipe.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use crate::order::{Fault, ORDER_BYTES_MAX};
use crate::record::RunFolder;

const CHUNK_BYTES: usize = 64 << 10;
/// Longest line after the order.
const LINE_BYTES_MAX: usize = 4096;

/// Where supervisors are listened to.
#[derive(Debug)]
enum Source {
    /// The supervisor that started the app.
    First,
    /// Those that come later.
    Later(Later),
    /// The pipe was taken away.
    None,
}

/// The pipe with a name.
#[derive(Debug)]
struct Later {
    folder: RunFolder,
    pipe: OwnedFd,
    is_held: bool,
}

/// The lines of supervisors.
#[derive(Debug)]
pub(crate) struct Orders {
    text: Vec<u8>,
    source: Source,
    later: Option<Later>,
}

impl Orders {
    /// Listens to standard input.
    pub(crate) fn new() -> Self {
        Self { text: Vec::new(), source: Source::First, later: None }
    }

    /// Makes the pipe of later supervisors. It is open before anybody may look for it, and read once the first one is gone.
    pub(crate) fn open_later(&mut self, folder: RunFolder) -> io::Result<()> {
        folder.make_orders()?;
        let pipe = folder.open_orders()?;
        self.later = Some(Later { folder, pipe, is_held: false });
        Ok(())
    }

    /// The first line.
    pub(crate) fn first(&mut self) -> Result<Vec<u8>, Fault> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                let line = self.text.drain(..=end).collect();
                return Ok(line);
            }
            if self.text.len() > ORDER_BYTES_MAX {
                let message = format!("an order has {ORDER_BYTES_MAX} bytes at most");
                return Err(Fault::refused("order", message));
            }
            match rustix::io::read(rustix::stdio::stdin(), &mut chunk) {
                Ok(0) => return Err(Fault::refused("order", "standard input ended before a line")),
                Ok(length) => self.text.extend_from_slice(chunk.get(..length).unwrap_or(&[])),
                Err(Errno::INTR) => {}
                Err(errno) => {
                    return Err(Fault::at("order", "standard input")(io::Error::from(errno)));
                }
            }
        }
    }

    /// What to wait for.
    pub(crate) fn source(&self) -> Option<BorrowedFd<'_>> {
        match &self.source {
            Source::First => Some(rustix::stdio::stdin()),
            Source::Later(later) => Some(later.pipe.as_fd()),
            Source::None => None,
        }
    }

    /// True while no supervisor is there.
    pub(crate) fn is_alone(&self) -> bool {
        match &self.source {
            Source::First => false,
            Source::Later(later) => !later.is_held,
            Source::None => true,
        }
    }

    /// Reads what has come; true when a line says `kill`.
    pub(crate) fn read(&mut self) -> bool {
        let mut chunk = [0; LINE_BYTES_MAX];
        let mut kill = false;
        loop {
            let Some(source) = self.source() else { return kill };
            match rustix::io::read(source, &mut chunk) {
                Ok(length) if length > 0 => {
                    kill |= self.take(chunk.get(..length).unwrap_or(&[]));
                }
                Err(Errno::INTR | Errno::AGAIN) => return kill,
                Ok(_) | Err(_) => {
                    self.is_gone();
                    return kill;
                }
            }
            // The pipe is read until it says who is there; standard input would wait.
            let Source::Later(later) = &mut self.source else { return kill };
            later.is_held = true;
        }
    }

    /// Takes a part of a line or several lines; true when one says `kill`.
    fn take(&mut self, text: &[u8]) -> bool {
        self.text.extend_from_slice(text);
        let mut kill = false;
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            kill |= line == b"kill\n";
        }
        if self.text.len() > LINE_BYTES_MAX {
            self.text.clear();
        }
        kill
    }

    /// Whoever was there is gone: the next one is listened to.
    fn is_gone(&mut self) {
        self.text.clear();
        self.source = match std::mem::replace(&mut self.source, Source::None) {
            Source::First => self.later.take().map_or(Source::None, Source::Later),
            // A pipe that had a writer says so for ever: it is opened anew, before the old end is closed.
            Source::Later(Later { folder, .. }) => match folder.open_orders() {
                Ok(pipe) => Source::Later(Later { folder, pipe, is_held: false }),
                Err(_) => Source::None,
            },
            Source::None => Source::None,
        };
    }
}
