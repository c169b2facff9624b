//! The bytes between a pool and a worker. Everything is 64-bit words as they lie in memory: both ends
//! are one machine, and a cover crosses without being taken apart.
//!
//! ```text
//! word 0   magic (32), version (16), kind (8), place (8)     place 0: behind the header
//!      1   number of the job                                 place 1: in the shared file, from 0
//!      2   words of the body
//!      3   CRC-32C of the body
//!      body:
//!      hello    version
//!      job      binaries, sizes, outputs, words of a cube, mode, threads, time, memory, limits (3),
//!               cubes of f, d, r (with one more for "given"), the sizes, the cubes of f, d, r
//!      answer   lower bound, stopped early, cubes of f, d, r, the cubes of f, d, r
//!      refused  which, two numbers          panicked  length, text          echo  anything
//! ```

use crate::link::Fault;

pub(crate) const VERSION: u16 = 1;
pub(crate) const HEADER_WORDS: usize = 4;
pub(crate) const HEADER_BYTES: usize = HEADER_WORDS * 8;
/// Bodies up to this size stand behind their header, 64 KiB.
pub(crate) const INLINE_WORDS_MAX: usize = 8192;
/// Words of one body, 16 GiB.
pub(crate) const BODY_WORDS_MAX: u64 = 1 << 31;

const MAGIC: u64 = u32::from_le_bytes(*b"pkiw") as u64;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Hello = 1,
    Job = 2,
    Answer = 3,
    Refused = 4,
    Panicked = 5,
    Echo = 6,
}

/// Where the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Inline = 0,
    Shared = 1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) number: u64,
    pub(crate) words: u64,
    pub(crate) check: u32,
}

impl Header {
    pub(crate) fn encode(self) -> [u64; HEADER_WORDS] {
        let Header { kind, place, number, words, check } = self;
        let first = MAGIC | u64::from(VERSION) << 32 | (kind as u64) << 48 | (place as u64) << 56;
        [first, number, words, check.into()]
    }

    pub(crate) fn decode(
        [first, number, words, check]: [u64; HEADER_WORDS],
    ) -> Result<Self, Fault> {
        if first & u64::from(u32::MAX) != MAGIC {
            return Err(Fault::Malformed("it does not begin as a message does"));
        }
        if first >> 32 & 0xFFFF != VERSION.into() {
            return Err(Fault::Malformed("it is of another version"));
        }
        let kind = match first >> 48 & 0xFF {
            1 => Kind::Hello,
            2 => Kind::Job,
            3 => Kind::Answer,
            4 => Kind::Refused,
            5 => Kind::Panicked,
            6 => Kind::Echo,
            _ => return Err(Fault::Malformed("its kind is not known")),
        };
        let place = match first >> 56 {
            0 => Place::Inline,
            1 => Place::Shared,
            _ => return Err(Fault::Malformed("its place is not known")),
        };
        if words > BODY_WORDS_MAX {
            return Err(Fault::Malformed("it is longer than the limit"));
        }
        let check = u32::try_from(check).map_err(|_| Fault::Malformed("its check is too long"))?;
        Ok(Header { kind, place, number, words, check })
    }
}

/// A text as words: its length in bytes, then the bytes, the last word filled up with zeros.
pub(crate) fn words_of_text(text: &str) -> Vec<u64> {
    let mut words = vec![text.len() as u64];
    words.extend(text.as_bytes().chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    }));
    words
}

/// The text of such words; what is not UTF-8 is replaced.
pub(crate) fn text_of_words(words: &[u64]) -> String {
    let Some((&length, rest)) = words.split_first() else { return String::new() };
    let bytes: Vec<u8> = rest.iter().flat_map(|word| word.to_le_bytes()).collect();
    let length = usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()));
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Header, Kind, Place, text_of_words, words_of_text};

    #[test]
    fn a_header_survives_and_a_changed_one_is_refused() {
        let header =
            Header { kind: Kind::Job, place: Place::Shared, number: 7, words: 99, check: 5 };
        let words = header.encode();
        assert_eq!(Header::decode(words).ok(), Some(header));
        for (word, bit) in [(0, 0), (0, 35), (0, 51), (0, 53), (0, 57), (2, 40), (3, 32)] {
            let mut changed = words;
            changed[word] ^= 1 << bit;
            assert!(Header::decode(changed).is_err(), "word {word}, bit {bit}");
        }
    }

    #[test]
    fn a_text_survives() {
        for text in ["", "seven b", "eight by", "nine byte", "größer"] {
            assert_eq!(text_of_words(&words_of_text(text)), text);
        }
        assert_eq!(text_of_words(&[u64::MAX, u64::from_le_bytes(*b"wildsize")]), "wildsize");
    }
}
