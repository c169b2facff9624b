//! The bytes on the socket. All numbers are little-endian.
//!
//! ```text
//! 0   u32  length of what follows: 9 to 4 MiB
//! 4   u8   kind
//! 5   u64  number of the call; an answer has that of its call
//! 13       payload
//! ```
//! The length stands first and is judged before anything is kept, so that a peer which sends something
//! else (a browser, a port scanner, noise) is refused by its first four bytes.

use crate::fault;
use pos_kernel_core::Result;

/// Version of the protocol: what is on the socket, and what the frames mean.
pub const PROTOCOL: u16 = 1;

/// Bytes before a payload.
pub const HEADER_BYTES: usize = 13;

/// Bytes of a whole frame.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// Bytes of a payload.
pub const PAYLOAD_BYTES_MAX: usize = FRAME_BYTES_MAX - HEADER_BYTES;

/// Bytes of a frame that comes before the service knows its peer.
pub(crate) const GREETING_BYTES_MAX: usize = 4096;

const LENGTH_BYTES: usize = 4;
const REST_BYTES_MIN: usize = HEADER_BYTES - LENGTH_BYTES;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Client: the first frame; who it is and which terminal it wants.
    Hello = 1,
    /// Service: the terminal is the client's.
    Welcome = 2,
    /// Service: an error as JSON; the connection ends with it.
    Refused = 3,
    /// Client: a method and its arguments, as JSON.
    Call = 4,
    /// Service: the answer of a call or an operation, as JSON.
    Answer = 5,
    /// Service: the error of a call, as JSON.
    Error = 6,
    /// Client: a whole sale, packed.
    Sell = 7,
    /// Service: its receipt, packed.
    Sold = 8,
    /// Client: one operation of a script, as JSON.
    Operation = 9,
    /// Either: nothing follows. The service's number is that of the last call that it has taken.
    Goodbye = 10,
}

impl Kind {
    /// The kind of a number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        const ALL: [Kind; 10] = [
            Kind::Hello,
            Kind::Welcome,
            Kind::Refused,
            Kind::Call,
            Kind::Answer,
            Kind::Error,
            Kind::Sell,
            Kind::Sold,
            Kind::Operation,
            Kind::Goodbye,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Something that a client asks for, once it sits.
    #[must_use]
    pub fn is_request(self) -> bool {
        matches!(self, Kind::Call | Kind::Sell | Kind::Operation)
    }

    /// What ends a request.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Kind::Answer | Kind::Error | Kind::Sold)
    }
}

/// Puts a frame behind others.
///
/// # Panics
/// When the payload is over [`PAYLOAD_BYTES_MAX`]: callers have checked it.
pub fn frame(to: &mut Vec<u8>, kind: Kind, number: u64, payload: &[u8]) {
    assert!(payload.len() <= PAYLOAD_BYTES_MAX);
    let rest = u32::try_from(payload.len() + REST_BYTES_MIN).expect("a frame is under 4 GiB");
    to.reserve(HEADER_BYTES + payload.len());
    to.extend_from_slice(&rest.to_le_bytes());
    to.push(kind as u8);
    to.extend_from_slice(&number.to_le_bytes());
    to.extend_from_slice(payload);
}

/// One frame of those that have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// Number of the call.
    pub number: u64,
    /// What it carries.
    pub payload: &'a [u8],
    /// All of it.
    pub bytes: &'a [u8],
}

/// Frames out of bytes that come in pieces of any size.
#[derive(Debug)]
pub struct Frames {
    bytes: Vec<u8>,
    begin: usize,
    most: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self::up_to(FRAME_BYTES_MAX)
    }
}

impl Frames {
    pub(crate) fn up_to(most: usize) -> Self {
        Self { bytes: Vec::new(), begin: 0, most }
    }

    /// Frames may have so many bytes from now on.
    pub(crate) fn allow(&mut self, most: usize) {
        self.most = most;
    }

    /// Takes bytes as they come.
    pub fn put(&mut self, bytes: &[u8]) {
        if self.begin == self.bytes.len() {
            self.bytes.clear();
            self.begin = 0;
        } else if self.begin > self.bytes.len() / 2 {
            self.bytes.drain(..self.begin);
            self.begin = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// A frame has begun and is not whole.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.begin < self.bytes.len()
    }

    /// The next frame that is whole.
    ///
    /// # Errors
    /// `PK_E_BAD_FRAME` for a length or a kind that is none; what follows it means nothing.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>> {
        let held = &self.bytes[self.begin..];
        let Some(length) = held.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let rest = u32::from_le_bytes(*length) as usize;
        let size = rest + LENGTH_BYTES;
        if rest < REST_BYTES_MIN || size > self.most {
            return Err(fault::bad_length(size, self.most));
        }
        let Some(bytes) = held.get(..size) else {
            // The kind stands early: noise that looks like a length is not waited for.
            return match held.get(LENGTH_BYTES) {
                Some(kind) if Kind::of(*kind).is_none() => Err(fault::bad_kind(*kind)),
                _ => Ok(None),
            };
        };
        let kind = Kind::of(bytes[4]).ok_or_else(|| fault::bad_kind(bytes[4]))?;
        let (_, behind) = bytes.split_at(5);
        let number = behind.first_chunk().expect("a frame has a header");
        self.begin += size;
        Ok(Some(Frame {
            kind,
            number: u64::from_le_bytes(*number),
            payload: &bytes[HEADER_BYTES..],
            bytes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAME_BYTES_MAX, Frames, Kind, frame};
    use pos_kernel_core::Code;

    #[test]
    fn frames_come_out_as_they_went_in_whatever_the_pieces() {
        let mut bytes = Vec::new();
        let payloads: Vec<Vec<u8>> =
            (0u8..40).map(|size| vec![size; usize::from(size) * 7]).collect();
        for (number, payload) in payloads.iter().enumerate() {
            frame(&mut bytes, Kind::Call, number as u64, payload);
        }
        for step in [1, 2, 3, 12, 13, 14, 1000, bytes.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(step) {
                frames.put(piece);
                while let Some(one) = frames.next_frame().unwrap() {
                    assert_eq!((one.kind, one.number), (Kind::Call, found.len() as u64));
                    found.push(one.payload.to_vec());
                }
            }
            assert_eq!(found, payloads);
            assert!(!frames.is_waiting());
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_before_it_is_kept() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[0; 4], &[8, 0, 0, 0], &[9, 0, 0, 0, 77]] {
            let mut frames = Frames::default();
            frames.put(bytes);
            assert_eq!(frames.next_frame().unwrap_err().code(), Code::BadFrame, "{bytes:?}");
        }
        let mut frames = Frames::default();
        let largest = u32::try_from(FRAME_BYTES_MAX - 4).unwrap();
        frames.put(&largest.to_le_bytes());
        assert_eq!(frames.next_frame().unwrap(), None);
        let mut frames = Frames::default();
        frames.put(&(largest + 1).to_le_bytes());
        assert_eq!(frames.next_frame().unwrap_err().code(), Code::BadFrame);
    }
}
