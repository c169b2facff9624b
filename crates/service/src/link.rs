//! One connection of a client: opened, greeted, and then read and written.

use crate::fault;
use crate::frame::{Frames, Kind, frame};
use crate::greeting::Hello;
use crate::outbox::Outbox;
use pos_kernel_core::Result;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a service may take to say welcome: it may have to recover a long journal first.
const WELCOME: Duration = Duration::from_secs(120);

const READ_BYTES: usize = 64 << 10;

/// What a client keeps for its service: without bound, since what is kept is the client's own.
const UNSENT_BYTES_MAX: usize = usize::MAX;

#[derive(Debug, Clone)]
pub(crate) struct Link {
    socket: Arc<UnixStream>,
    pub(crate) outbox: Arc<Outbox>,
    pushed: Arc<AtomicU64>,
}

impl Link {
    /// Connects, greets and waits for the welcome; gives what it said and what has come behind it.
    pub(crate) fn open(socket: &Path, hello: &Hello) -> Result<(Self, Vec<u8>, Frames)> {
        let down = |error: &std::io::Error| fault::down(socket, error);
        let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => fault::shut(socket, &error),
            _ => down(&error),
        })?;
        stream.set_read_timeout(Some(WELCOME)).map_err(|error| down(&error))?;
        let reading = stream.try_clone().map_err(|error| down(&error))?;
        let outbox = Outbox::new(stream, UNSENT_BYTES_MAX).map_err(|error| down(&error))?;
        let link = Self { socket: Arc::new(reading), outbox, pushed: Arc::default() };
        let mut greeting = Vec::new();
        frame(&mut greeting, Kind::Hello, 0, &hello.encode());
        link.push(&greeting);
        let welcomed = link.welcome(socket);
        if welcomed.is_err() {
            link.outbox.cut();
        }
        let (welcome, frames) = welcomed?;
        link.socket.set_read_timeout(None).map_err(|error| down(&error))?;
        Ok((link, welcome, frames))
    }

    fn welcome(&self, socket: &Path) -> Result<(Vec<u8>, Frames)> {
        let mut frames = Frames::default();
        loop {
            if let Some(first) = frames.next_frame()? {
                return match first.kind {
                    Kind::Welcome => Ok((first.payload.to_vec(), frames)),
                    Kind::Refused => Err(fault::of_json(first.payload)),
                    Kind::Goodbye => Err(fault::down(socket, &ErrorKind::ConnectionReset.into())),
                    _ => Err(fault::bad_frame("the service did not begin with a welcome")),
                };
            }
            if !self.fill(&mut frames) {
                return Err(fault::down(socket, &ErrorKind::ConnectionReset.into()));
            }
        }
    }

    /// Sends bytes, now or when the service reads again.
    pub(crate) fn push(&self, bytes: &[u8]) {
        self.pushed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.outbox.push(bytes);
    }

    /// Bytes that were pushed: what the socket will have taken when it has taken them all.
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Relaxed)
    }

    /// Reads once; false at the end.
    pub(crate) fn fill(&self, frames: &mut Frames) -> bool {
        let mut bytes = vec![0; READ_BYTES];
        loop {
            match (&*self.socket).read(&mut bytes) {
                Ok(0) => return false,
                Ok(size) => {
                    frames.put(&bytes[..size]);
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }
}
