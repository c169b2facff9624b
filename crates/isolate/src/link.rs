//! One end of the way between a pool and a worker: messages out, messages in, each whole or an error.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
#[cfg(unix)]
use std::os::unix::{fs::FileExt, net::UnixStream};
use std::time::Instant;

use crate::message::{HEADER_BYTES, HEADER_WORDS, Header, INLINE_WORDS_MAX, Kind, Place};

/// The shared file is cut to nothing after a message that was longer.
const KEEP_BYTES: u64 = 1 << 20;
/// Words read at a time where their number is only promised.
const CHUNK_WORDS: usize = 1 << 17;
/// Room for a header and a body behind it.
const INBOX_BYTES: usize = HEADER_BYTES + INLINE_WORDS_MAX * 8;

/// Why a message did not pass.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The other end is gone.
    Closed,
    /// The deadline passed.
    TimedOut,
    /// The system refused.
    Io(io::Error),
    /// The message is not one.
    Malformed(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Fault::TimedOut,
            ErrorKind::UnexpectedEof
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted => Fault::Closed,
            _ => Fault::Io(error),
        }
    }
}

/// What carries the bytes.
pub(crate) enum Stream {
    /// A socket, with deadlines of its own.
    #[cfg(unix)]
    Socket(UnixStream),
    /// Two pipes, without: whoever waits on them is freed by killing the worker.
    Pipes(Box<dyn Read + Send>, Box<dyn Write + Send>),
}

impl Stream {
    fn read(&mut self, bytes: &mut [u8], until: Option<Instant>) -> Result<usize, Fault> {
        loop {
            let read = match self {
                #[cfg(unix)]
                Stream::Socket(socket) => {
                    socket.set_read_timeout(left(until)?)?;
                    socket.read(bytes)
                }
                Stream::Pipes(input, _) => input.read(bytes),
            };
            match read {
                Ok(0) => return Err(Fault::Closed),
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read_all(&mut self, mut bytes: &mut [u8], until: Option<Instant>) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let count = self.read(bytes, until)?;
            bytes = &mut bytes[count..];
        }
        Ok(())
    }

    fn write_all(&mut self, mut bytes: &[u8], until: Option<Instant>) -> Result<(), Fault> {
        match self {
            #[cfg(unix)]
            Stream::Socket(socket) => {
                // A socket whose other end is gone must not raise a signal in a host that minds.
                #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
                let flags = rustix::net::SendFlags::NOSIGNAL;
                #[cfg(not(any(
                    target_os = "linux",
                    target_os = "android",
                    target_os = "freebsd"
                )))]
                let flags = rustix::net::SendFlags::empty();
                while !bytes.is_empty() {
                    socket.set_write_timeout(left(until)?)?;
                    match rustix::net::send(&*socket, bytes, flags) {
                        Ok(count) => bytes = &bytes[count..],
                        Err(rustix::io::Errno::INTR) => {}
                        Err(error) => return Err(io::Error::from(error).into()),
                    }
                }
            }
            Stream::Pipes(_, output) => {
                output.write_all(bytes)?;
                output.flush()?;
            }
        }
        Ok(())
    }
}

/// What is left until a deadline; none is for ever.
#[cfg(unix)]
fn left(until: Option<Instant>) -> Result<Option<std::time::Duration>, Fault> {
    let Some(until) = until else { return Ok(None) };
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Fault::TimedOut) } else { Ok(Some(left)) }
}

pub(crate) struct Link {
    stream: Stream,
    /// What is shared beside the stream; without it every body goes through the stream.
    shared: Option<File>,
    inbox: Vec<u8>,
    start: usize,
    end: usize,
    outbox: Vec<u8>,
}

impl Link {
    pub(crate) fn new(stream: Stream, shared: Option<File>) -> Link {
        let (inbox, outbox) = (vec![0; INBOX_BYTES], Vec::new());
        Link { stream, shared, inbox, start: 0, end: 0, outbox }
    }

    /// Sends a message whose body is the parts one behind the other.
    pub(crate) fn send(
        &mut self,
        kind: Kind,
        number: u64,
        parts: &[&[u64]],
        until: Option<Instant>,
    ) -> Result<(), Fault> {
        let words: usize = parts.iter().map(|part| part.len()).sum();
        let check = parts
            .iter()
            .fold(0, |check, part| crc32c::crc32c_append(check, bytemuck::cast_slice(part)));
        let is_inline = words <= INLINE_WORDS_MAX || self.shared.is_none();
        let place = if is_inline { Place::Inline } else { Place::Shared };
        let header = Header { kind, place, number, words: words as u64, check };
        self.outbox.clear();
        self.outbox.extend_from_slice(bytemuck::cast_slice(&header.encode()));
        if words <= INLINE_WORDS_MAX {
            for part in parts {
                self.outbox.extend_from_slice(bytemuck::cast_slice(part));
            }
            return self.stream.write_all(&self.outbox, until);
        }
        if !is_inline {
            self.share(parts)?;
            return self.stream.write_all(&self.outbox, until);
        }
        self.stream.write_all(&self.outbox, until)?;
        parts.iter().try_for_each(|part| self.stream.write_all(bytemuck::cast_slice(part), until))
    }

    /// Puts a body into the shared file, which becomes as long as the body needs.
    #[cfg(unix)]
    fn share(&self, parts: &[&[u64]]) -> Result<(), Fault> {
        let Some(shared) = &self.shared else { return Err(Fault::Malformed("nothing is shared")) };
        let mut at = 0;
        for part in parts {
            let bytes: &[u8] = bytemuck::cast_slice(part);
            shared.write_all_at(bytes, at)?;
            at += bytes.len() as u64;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn share(&self, _: &[&[u64]]) -> Result<(), Fault> {
        Err(Fault::Malformed("nothing is shared"))
    }

    /// Waits for a message; its body is read from here piece by piece.
    pub(crate) fn receive(&mut self, until: Option<Instant>) -> Result<(Header, Body<'_>), Fault> {
        self.fill(HEADER_BYTES, until)?;
        let mut words = [0; HEADER_WORDS];
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(self.took(HEADER_BYTES));
        let header = Header::decode(words)?;
        let words = usize::try_from(header.words).unwrap_or(usize::MAX);
        if header.place == Place::Inline && words <= INLINE_WORDS_MAX {
            let bytes = words * 8;
            self.fill(bytes, until)?;
            let words = bytemuck::pod_collect_to_vec(self.took(bytes));
            return Ok((header, Body::new(header, Source::Read(words, 0), until)));
        }
        if header.place == Place::Shared {
            let Some(shared) = &self.shared else {
                return Err(Fault::Malformed("it lies in a file that is not shared"));
            };
            if shared.metadata()?.len() < header.words * 8 {
                return Err(Fault::Malformed("the shared file is shorter than it says"));
            }
            return Ok((header, Body::new(header, Source::Shared(shared, 0), until)));
        }
        Ok((header, Body::new(header, Source::Coming(self), until)))
    }

    /// Gives the memory of a long message back. The other end must be waiting for the next one.
    pub(crate) fn release(&self) {
        if let Some(shared) = &self.shared
            && shared.metadata().is_ok_and(|data| data.len() > KEEP_BYTES)
        {
            // What cannot be given back now is written over by the next message.
            let _ = shared.set_len(0);
        }
    }

    /// Reads until so many bytes, at most an inbox, are there.
    fn fill(&mut self, bytes: usize, until: Option<Instant>) -> Result<(), Fault> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start + bytes > self.inbox.len() {
            self.inbox.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < bytes {
            self.end += self.stream.read(&mut self.inbox[self.end..], until)?;
        }
        Ok(())
    }

    fn took(&mut self, bytes: usize) -> &[u8] {
        self.start += bytes;
        &self.inbox[self.start - bytes..self.start]
    }
}

/// The body of a message on its way in. It is to be believed once [`Body::finish`] has said so.
pub(crate) struct Body<'l> {
    source: Source<'l>,
    left: u64,
    check: u32,
    expected: u32,
    until: Option<Instant>,
}

enum Source<'l> {
    /// Words that are here, and how many of them were taken.
    Read(Vec<u64>, usize),
    /// A file, and the byte that comes next.
    Shared(&'l File, u64),
    /// What is still in the stream.
    Coming(&'l mut Link),
}

impl<'l> Body<'l> {
    fn new(header: Header, source: Source<'l>, until: Option<Instant>) -> Body<'l> {
        Body { source, left: header.words, check: 0, expected: header.check, until }
    }

    /// How many words are left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next words.
    pub(crate) fn take(&mut self, count: u64) -> Result<Vec<u64>, Fault> {
        if count > self.left {
            return Err(Fault::Malformed("it is shorter than its parts"));
        }
        self.left -= count;
        let count = usize::try_from(count).map_err(|_| Fault::Malformed("it is too long"))?;
        let words = match &mut self.source {
            Source::Read(words, at) => {
                *at += count;
                words[*at - count..*at].to_vec()
            }
            Source::Shared(file, at) => {
                let mut words = vec![0; count];
                read_at(file, bytemuck::cast_slice_mut(&mut words), *at)?;
                *at += count as u64 * 8;
                words
            }
            Source::Coming(link) => {
                let mut words = Vec::new();
                while words.len() < count {
                    let from = words.len();
                    words.resize(count.min(from + CHUNK_WORDS), 0);
                    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words[from..]);
                    let here = bytes.len().min(link.end - link.start);
                    bytes[..here].copy_from_slice(link.took(here));
                    link.stream.read_all(&mut bytes[here..], self.until)?;
                }
                words
            }
        };
        self.check = crc32c::crc32c_append(self.check, bytemuck::cast_slice(&words));
        Ok(words)
    }

    /// The next words, so many that their number is known when this is compiled.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u64; N], Fault> {
        let words = self.take(N as u64)?;
        words.try_into().map_err(|_| Fault::Malformed("it is shorter than its parts"))
    }

    /// Whether all of it was taken and is what was sent.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        if self.left > 0 {
            return Err(Fault::Malformed("it is longer than its parts"));
        }
        if self.check != self.expected {
            return Err(Fault::Malformed("its checksum is not that of its words"));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(bytes, at)
}

#[cfg(not(unix))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
