//! The records of a store's log.
//!
//! ```text
//! kind  name        body
//! 16    written     u8 length of the id | id | u32 segment | u32 offset | the bytes written there
//! 17    detached    the id: all that this log holds of the terminal stands in its journal
//! 18    opened      empty: the same of every terminal, and an owner begins
//! 19    closed      empty: every terminal is detached, and the owner ends
//! 20    checkpoint  empty: a segment of the log begins
//! ```
//! Integers are little-endian. The flags of each record are the version of this layout.

use crate::terminal::TerminalId;
use pos_kernel_wal::{Record, RecordView, format};

/// Version of the layout.
pub(super) const VERSION: u8 = 1;

pub(super) const WRITTEN: u16 = 16;
pub(super) const DETACHED: u16 = 17;
pub(super) const OPENED: u16 = 18;
pub(super) const CLOSED: u16 = 19;
pub(super) const CHECKPOINT: u16 = 20;

/// Bytes that were written into a segment of a terminal's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) bytes: &'a [u8],
}

/// What a record of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Written(TerminalId, Written<'a>),
    Detached(TerminalId),
    Opened,
    /// Nothing that recovery has to know.
    Other,
}

/// The body of a `written` record.
pub(super) fn written(terminal: &TerminalId, written: Written<'_>) -> Vec<u8> {
    let id = terminal.as_str().as_bytes();
    let mut body = Vec::with_capacity(9 + id.len() + written.bytes.len());
    body.push(u8::try_from(id.len()).expect("an id has at most 32 bytes"));
    body.extend_from_slice(id);
    body.extend_from_slice(&written.segment.to_le_bytes());
    body.extend_from_slice(&written.offset.to_le_bytes());
    body.extend_from_slice(written.bytes);
    body
}

/// A record of the log.
pub(super) fn record(kind: u16, body: &[u8]) -> Record<'_> {
    Record { kind, flags: VERSION, body }
}

/// Reads a record; the error says what is wrong with it.
pub(super) fn read(record: RecordView<'_>) -> Result<Entry<'_>, &'static str> {
    if record.kind == format::KIND_SEAL {
        return Ok(Entry::Other);
    }
    if record.flags != VERSION {
        return Err("it was written by a newer version");
    }
    match record.kind {
        WRITTEN => read_written(record.body).ok_or("it names no place in a journal"),
        DETACHED => id(record.body).map(Entry::Detached).ok_or("it names no terminal"),
        OPENED => Ok(Entry::Opened),
        CLOSED | CHECKPOINT => Ok(Entry::Other),
        _ => Err("its kind is not known"),
    }
}

fn read_written(body: &[u8]) -> Option<Entry<'_>> {
    let (length, rest) = body.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (segment, rest) = rest.split_first_chunk()?;
    let (offset, bytes) = rest.split_first_chunk()?;
    let (segment, offset) = (u32::from_le_bytes(*segment), u32::from_le_bytes(*offset));
    let end = u64::from(offset) + bytes.len() as u64;
    let stands = segment >= 1 && !bytes.is_empty() && end <= format::SEGMENT_BYTES_MAX as u64;
    stands.then_some(())?;
    Some(Entry::Written(id(name)?, Written { segment, offset, bytes }))
}

/// A terminal's id, checked as any other: it becomes a folder's name.
fn id(bytes: &[u8]) -> Option<TerminalId> {
    TerminalId::parse(std::str::from_utf8(bytes).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{DETACHED, Entry, VERSION, WRITTEN, Written, read, written};
    use crate::terminal::TerminalId;
    use pos_kernel_wal::RecordView;

    fn view(kind: u16, flags: u8, body: &[u8]) -> RecordView<'_> {
        RecordView { sequence: 1, kind, flags, body }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let id = TerminalId::parse("REGISTER_01").unwrap();
        let place = Written { segment: 7, offset: 12_288, bytes: b"bytes" };
        let body = written(&id, place);
        assert_eq!(read(view(WRITTEN, VERSION, &body)), Ok(Entry::Written(id.clone(), place)));
        assert_eq!(read(view(DETACHED, VERSION, b"REGISTER_01")), Ok(Entry::Detached(id)));
    }

    #[test]
    fn a_name_that_leaves_its_folder_is_refused() {
        for name in ["", ".", "..", "../x", "a/b", "/etc", "a\0b"] {
            let mut body = vec![u8::try_from(name.len()).unwrap()];
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(&1_u32.to_le_bytes());
            body.extend_from_slice(&0_u32.to_le_bytes());
            body.push(1);
            assert!(read(view(WRITTEN, VERSION, &body)).is_err(), "{name:?}");
            assert!(read(view(DETACHED, VERSION, name.as_bytes())).is_err(), "{name:?}");
        }
    }

    #[test]
    fn any_cut_of_a_record_and_any_place_outside_a_segment_is_refused() {
        let id = TerminalId::parse("T").unwrap();
        let body = written(&id, Written { segment: 1, offset: 0, bytes: b"x" });
        for length in 0..body.len() {
            assert!(read(view(WRITTEN, VERSION, &body[..length])).is_err(), "{length}");
        }
        for (segment, offset) in [(0, 0), (1, u32::MAX)] {
            let body = written(&id, Written { segment, offset, bytes: b"x" });
            assert!(read(view(WRITTEN, VERSION, &body)).is_err());
        }
        assert!(read(view(WRITTEN, VERSION + 1, &body)).is_err());
        assert!(read(view(99, VERSION, &body)).is_err());
    }
}
