//! The bytes: segment header, mark slot, frame, record. All integers little-endian.
//!
//! ```text
//! segment file, always exactly `segment_bytes` long, zero-filled before its first use
//! +----------------+--------------+--------------+-------------------------------- - - -+
//! | header   4 KiB | mark A 4 KiB | mark B 4 KiB | frames ... gap frames ... seal   0000 |
//! +----------------+--------------+--------------+-------------------------------- - - -+
//! 0                4096           8192           12288
//!
//! frame: one append; there whole or not at all
//!  0 crc32c   u32  of bytes 4..length, begun with the segment's salt
//!  4 length   u32  whole frame, a multiple of 8
//!  8 sequence u64  of its first record; the others follow without a gap
//! 16 durable  u64  newest sequence known durable when this frame was written
//! 24 wall     i64  nanoseconds since 1970-01-01 UTC
//! 32 mono     u64  nanoseconds of a clock that never steps
//! 40 hlc      u64  hybrid logical clock: milliseconds << 16 | counter
//! 48 epoch    u32  of the owner that wrote it
//! 52 segment  u32  number of this segment
//! 56 place    u32  offset in this segment / 8
//! 60 count    u16  records
//! 62 version  u8   1, or 2: what the link covers, see `Links`
//! 63 flags    u8   1 checkpoint, 2 seal, 4 an owner begins, 8 an owner ends cleanly
//! 64 records, then zeros up to a multiple of 8
//! -32 link    BLAKE3, keyed with the previous link, of bytes 4..length-32; in version 2 of bytes 4..64
//!             and the crc32c u32 of bytes 64..length-32
//!
//! record
//!  0 size u32 | 4 kind u16 | 6 flags u8 | 7 zero u8 | 8 body
//! ```
//!
//! A gap of zeros may stand between two frames when the second would otherwise straddle a 4 KiB
//! block; it never reaches past the end of its block. The first link of a segment is keyed with the
//! hash of the header, which holds the last link of the segment before: one chain from the first
//! byte to the last.

/// Size of the blocks that marks, headers and gaps keep to.
pub const BLOCK_BYTES: usize = 4096;
/// Where the two mark slots stand.
pub const MARK_OFFSETS: [usize; 2] = [BLOCK_BYTES, 2 * BLOCK_BYTES];
/// Where the first frame of a segment stands.
pub const FRAMES_START: usize = 3 * BLOCK_BYTES;
/// Bytes of a frame before its first record.
pub const FRAME_HEAD_BYTES: usize = 64;
/// Bytes of a frame's closing link.
pub const LINK_BYTES: usize = 32;
/// Bytes of a record before its body.
pub const RECORD_HEAD_BYTES: usize = 8;
/// The smallest frame: one record without a body.
pub const FRAME_MIN_BYTES: usize = FRAME_HEAD_BYTES + RECORD_HEAD_BYTES + LINK_BYTES;
/// Records in one frame.
pub const FRAME_RECORDS_MAX: usize = u16::MAX as usize;
/// The smallest segment file.
pub const SEGMENT_BYTES_MIN: usize = 64 << 10;
/// The largest segment file.
pub const SEGMENT_BYTES_MAX: usize = 1 << 30;
/// No sequence, counter or number comes near this; adding to one below it never overflows.
const NUMBER_MAX: u32 = u32::MAX / 2;
/// Version of this layout, in a log whose links cover the records.
pub const FORMAT_VERSION: u32 = Links::Records.version();
/// Longest journal name in bytes.
pub const NAME_BYTES_MAX: usize = 32;

/// This frame holds a checkpoint: a whole state from which replay can start.
pub const FLAG_CHECKPOINT: u8 = 1;
/// This frame seals its segment; nothing follows in it.
pub const FLAG_SEAL: u8 = 2;
/// An owner begins here: the epoch has risen.
pub const FLAG_OWNER_BEGINS: u8 = 4;
/// An owner ended cleanly here.
pub const FLAG_OWNER_ENDS: u8 = 8;

/// Kind of the single record in a seal frame. Kinds below 16 belong to the log itself.
pub const KIND_SEAL: u16 = 1;

const SEGMENT_MAGIC: [u8; 8] = *b"PKWAL\x00\x01\n";
const MARK_MAGIC: [u8; 8] = *b"PKMARK\x01\n";
const BLOCK_CRC_AT: usize = BLOCK_BYTES - 4;

const _: () = assert!(FRAMES_START.is_multiple_of(BLOCK_BYTES));
const _: () = assert!(FRAME_HEAD_BYTES.is_multiple_of(8) && LINK_BYTES.is_multiple_of(8));
const _: () = assert!(BLOCK_BYTES.is_multiple_of(8));

/// A BLAKE3 link of the chain.
pub type Link = [u8; LINK_BYTES];

/// What the links of a log cover, told by the version in its headers and frames. A log has one kind,
/// and one that is met where the other is asked for is refused as another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Every byte of every record: who changes one changes all that follows.
    Records,
    /// The head of a frame and a checksum of its records. For a log of bytes that are chained where they
    /// belong: hashing them twice proves nothing more, and costs as much as all else of an append.
    Heads,
}

impl Links {
    /// The version that says so.
    #[must_use]
    pub const fn version(self) -> u32 {
        match self {
            Self::Records => 1,
            Self::Heads => 2,
        }
    }

    fn of_version(version: u32) -> Option<Self> {
        [Self::Records, Self::Heads].into_iter().find(|links| links.version() == version)
    }

    /// The link of a frame, up to which everything else of it stands.
    fn link(self, frame: &[u8], previous: &Link) -> Link {
        let hash = match self {
            Self::Records => blake3::keyed_hash(previous, &frame[4..]),
            Self::Heads => {
                let (head, records) = frame.split_at(FRAME_HEAD_BYTES);
                let mut covered = [0; FRAME_HEAD_BYTES];
                covered[..FRAME_HEAD_BYTES - 4].copy_from_slice(&head[4..]);
                let crc = crc32c::crc32c(records);
                covered[FRAME_HEAD_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
                blake3::keyed_hash(previous, &covered)
            }
        };
        *hash.as_bytes()
    }
}

/// The times of one append, given by the caller so that tests can own them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Nanoseconds since 1970-01-01 UTC.
    pub wall_ns: i64,
    /// Nanoseconds of a clock that never steps.
    pub mono_ns: u64,
    /// Hybrid logical clock: milliseconds << 16 | counter.
    pub hlc: u64,
}

/// The first block of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// What its links cover.
    pub links: Links,
    /// Size of the file.
    pub segment_bytes: u32,
    /// Number of the segment, from 1.
    pub segment: u32,
    /// Owner epoch that started it.
    pub epoch: u32,
    /// Drawn anew for each life of the file, so that stale bytes can never check out.
    pub salt: u64,
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// When it was started.
    pub stamp: Stamp,
    /// Last link of the segment before (zero in the first).
    pub previous_link: Link,
    /// Name of the journal: a terminal's id.
    pub name: String,
}

/// What stood durable at some moment, kept away from the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// Grows by one with each mark; the greater of the two slots is the newer.
    pub counter: u64,
    /// Newest durable sequence.
    pub durable: u64,
    /// Where the durable frames end.
    pub end: u32,
    /// Chain link there.
    pub link: Link,
}

/// The fixed part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of the whole frame.
    pub length: u32,
    /// Sequence of its first record.
    pub sequence: u64,
    /// Newest sequence known durable when it was written.
    pub durable: u64,
    /// Times of the append.
    pub stamp: Stamp,
    /// Owner epoch.
    pub epoch: u32,
    /// Segment it belongs to.
    pub segment: u32,
    /// Byte offset it belongs to.
    pub offset: u32,
    /// Records in it.
    pub count: u16,
    /// See the `FLAG_` constants.
    pub flags: u8,
}

/// One record as it stands in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Sequence number.
    pub sequence: u64,
    /// Kind: 1 is the log's seal, 16 and above are the caller's.
    pub kind: u16,
    /// The caller's flags.
    pub flags: u8,
    /// The caller's bytes.
    pub body: &'a [u8],
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn link_at(bytes: &[u8], at: usize) -> Link {
    let mut link = [0; LINK_BYTES];
    link.copy_from_slice(&bytes[at..at + LINK_BYTES]);
    link
}

fn salted_crc(salt: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), bytes)
}

fn is_sequence(sequence: u64) -> bool {
    (1..=u64::MAX / 2).contains(&sequence)
}

/// True when every byte is zero.
#[must_use]
pub fn is_blank(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<32>();
    words.iter().all(|word| *word == [0; 32]) && rest.iter().all(|byte| *byte == 0)
}

/// Bytes up to the last one that is not zero.
#[must_use]
pub fn used_bytes(bytes: &[u8]) -> usize {
    let (rest, words) = bytes.as_rchunks::<32>();
    let used = words.iter().rposition(|word| *word != [0; 32]).map_or(0, |last| last + 1);
    let end = rest.len() + used * 32;
    bytes[..end].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Bytes of a frame with these record bodies.
#[must_use]
pub fn frame_bytes(body_sizes: impl IntoIterator<Item = usize>) -> usize {
    let records: usize = body_sizes.into_iter().map(|size| size + RECORD_HEAD_BYTES).sum();
    (FRAME_HEAD_BYTES + records + LINK_BYTES).next_multiple_of(8)
}

impl SegmentHeader {
    /// The header as a block.
    #[must_use]
    pub fn to_block(&self) -> Vec<u8> {
        assert!(self.name.len() <= NAME_BYTES_MAX);
        let mut block = vec![0; BLOCK_BYTES];
        block[0..8].copy_from_slice(&SEGMENT_MAGIC);
        block[8..12].copy_from_slice(&self.links.version().to_le_bytes());
        block[12..16].copy_from_slice(&self.segment_bytes.to_le_bytes());
        block[16..20].copy_from_slice(&self.segment.to_le_bytes());
        block[20..24].copy_from_slice(&self.epoch.to_le_bytes());
        block[24..32].copy_from_slice(&self.salt.to_le_bytes());
        block[32..40].copy_from_slice(&self.first_sequence.to_le_bytes());
        block[40..48].copy_from_slice(&self.stamp.wall_ns.to_le_bytes());
        block[48..56].copy_from_slice(&self.stamp.mono_ns.to_le_bytes());
        block[56..64].copy_from_slice(&self.stamp.hlc.to_le_bytes());
        block[64..96].copy_from_slice(&self.previous_link);
        block[96..96 + self.name.len()].copy_from_slice(self.name.as_bytes());
        let crc = crc32c::crc32c(&block[..BLOCK_CRC_AT]);
        block[BLOCK_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        block
    }

    /// Reads a header block. `Ok(None)` when the block is blank.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_block(block: &[u8]) -> Result<Option<Self>, HeaderFault> {
        if block.len() < BLOCK_BYTES {
            return Err(HeaderFault::Broken("segment header is cut short"));
        }
        let block = &block[..BLOCK_BYTES];
        if is_blank(block) {
            return Ok(None);
        }
        if u32_at(block, BLOCK_CRC_AT) != crc32c::crc32c(&block[..BLOCK_CRC_AT]) {
            return Err(HeaderFault::Broken("segment header fails its checksum"));
        }
        if block[0..8] != SEGMENT_MAGIC {
            return Err(HeaderFault::Broken("segment header has another magic"));
        }
        let version = u32_at(block, 8);
        let Some(links) = Links::of_version(version) else {
            return Err(HeaderFault::Version(version));
        };
        let segment_bytes = u32_at(block, 12) as usize;
        let is_size = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&segment_bytes);
        if !is_size || !segment_bytes.is_multiple_of(BLOCK_BYTES) {
            return Err(HeaderFault::Broken("segment header tells an impossible size"));
        }
        let numbers = [u32_at(block, 16), u32_at(block, 20)];
        let first = u64_at(block, 32);
        if numbers.iter().any(|number| *number > NUMBER_MAX) || !is_sequence(first) {
            return Err(HeaderFault::Broken("segment header tells an impossible number"));
        }
        let name = &block[96..96 + NAME_BYTES_MAX];
        let name_end = name.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES_MAX);
        let name = std::str::from_utf8(&name[..name_end])
            .map_err(|_| HeaderFault::Broken("journal name is not UTF-8"))?;
        let header = Self {
            links,
            segment_bytes: u32_at(block, 12),
            segment: u32_at(block, 16),
            epoch: u32_at(block, 20),
            salt: u64_at(block, 24),
            first_sequence: u64_at(block, 32),
            stamp: Stamp {
                wall_ns: u64_at(block, 40).cast_signed(),
                mono_ns: u64_at(block, 48),
                hlc: u64_at(block, 56),
            },
            previous_link: link_at(block, 64),
            name: name.to_owned(),
        };
        // The chain runs through the header as it is written, so no byte of it may be free.
        if header.to_block() != block {
            return Err(HeaderFault::Broken("segment header holds bytes without a meaning"));
        }
        Ok(Some(header))
    }

    /// The key of the segment's first link: the chain runs through the header.
    #[must_use]
    pub fn link(&self) -> Link {
        *blake3::hash(&self.to_block()[..BLOCK_CRC_AT]).as_bytes()
    }
}

/// Why a header block cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// The bytes cannot be believed.
    Broken(&'static str),
    /// Another version of the format.
    Version(u32),
}

impl Mark {
    /// The mark as a block of its segment.
    #[must_use]
    pub fn to_block(&self, salt: u64) -> Vec<u8> {
        let mut block = vec![0; BLOCK_BYTES];
        block[0..8].copy_from_slice(&MARK_MAGIC);
        block[8..16].copy_from_slice(&self.counter.to_le_bytes());
        block[16..24].copy_from_slice(&self.durable.to_le_bytes());
        block[24..28].copy_from_slice(&self.end.to_le_bytes());
        block[32..64].copy_from_slice(&self.link);
        let crc = salted_crc(salt, &block[..BLOCK_CRC_AT]);
        block[BLOCK_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        block
    }

    /// Reads a mark slot: `Ok(None)` when it was never written.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_block(block: &[u8], salt: u64) -> Result<Option<Self>, &'static str> {
        let block = &block[..BLOCK_BYTES];
        if is_blank(block) {
            return Ok(None);
        }
        if u32_at(block, BLOCK_CRC_AT) != salted_crc(salt, &block[..BLOCK_CRC_AT]) {
            return Err("durable mark fails its checksum");
        }
        if block[0..8] != MARK_MAGIC {
            return Err("durable mark has another magic");
        }
        if u64_at(block, 8) > u64::MAX / 2 {
            return Err("durable mark has an impossible counter");
        }
        let mark = Self {
            counter: u64_at(block, 8),
            durable: u64_at(block, 16),
            end: u32_at(block, 24),
            link: link_at(block, 32),
        };
        if mark.to_block(salt) != block {
            return Err("durable mark holds bytes without a meaning");
        }
        Ok(Some(mark))
    }
}

/// Appends one frame to `out` and returns its link. The caller has checked every limit.
pub(crate) fn encode_frame<'a>(
    out: &mut Vec<u8>,
    header: &FrameHeader,
    (links, salt): (Links, u64),
    previous: &Link,
    records: impl IntoIterator<Item = (u16, u8, &'a [u8])>,
) -> Link {
    let start = out.len();
    let length = header.length as usize;
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&header.length.to_le_bytes());
    out.extend_from_slice(&header.sequence.to_le_bytes());
    out.extend_from_slice(&header.durable.to_le_bytes());
    out.extend_from_slice(&header.stamp.wall_ns.to_le_bytes());
    out.extend_from_slice(&header.stamp.mono_ns.to_le_bytes());
    out.extend_from_slice(&header.stamp.hlc.to_le_bytes());
    out.extend_from_slice(&header.epoch.to_le_bytes());
    out.extend_from_slice(&header.segment.to_le_bytes());
    out.extend_from_slice(&(header.offset / 8).to_le_bytes());
    out.extend_from_slice(&header.count.to_le_bytes());
    out.push(version_byte(links));
    out.push(header.flags);
    let mut count = 0;
    for (kind, flags, body) in records {
        let size = u32::try_from(body.len()).expect("a record is smaller than a segment");
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&[flags, 0]);
        out.extend_from_slice(body);
        count += 1;
    }
    assert_eq!(count, usize::from(header.count));
    out.resize(start + length - LINK_BYTES, 0);
    let link = links.link(&out[start..], previous);
    out.extend_from_slice(&link);
    assert_eq!(out.len(), start + length);
    let crc = salted_crc(salt, &out[start + 4..]);
    out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    link
}

/// What stands at an offset.
pub(crate) enum Parsed {
    Frame(FrameHeader),
    Blank,
    Broken(&'static str),
}

/// Reads the frame at `offset` of a segment image and checks its CRC, place and shape.
pub(crate) fn parse_frame(image: &[u8], offset: usize, of: &SegmentHeader) -> Parsed {
    let (segment, salt) = (of.segment, of.salt);
    if offset + 8 > image.len() || is_blank(&image[offset..offset + 8]) {
        return Parsed::Blank;
    }
    if offset + FRAME_MIN_BYTES > image.len() {
        return Parsed::Broken("a frame does not fit into the rest of its segment");
    }
    let length = u32_at(image, offset + 4) as usize;
    if length < FRAME_MIN_BYTES || !length.is_multiple_of(8) || length > image.len() - offset {
        return Parsed::Broken("a frame has an impossible length");
    }
    let frame = &image[offset..offset + length];
    if u32_at(frame, 0) != salted_crc(salt, &frame[4..]) {
        return Parsed::Broken("a frame fails its checksum");
    }
    let header = FrameHeader {
        length: u32_at(frame, 4),
        sequence: u64_at(frame, 8),
        durable: u64_at(frame, 16),
        stamp: Stamp {
            wall_ns: u64_at(frame, 24).cast_signed(),
            mono_ns: u64_at(frame, 32),
            hlc: u64_at(frame, 40),
        },
        epoch: u32_at(frame, 48),
        segment: u32_at(frame, 52),
        offset: u32_at(frame, 56).saturating_mul(8),
        count: u16_at(frame, 60),
        flags: frame[63],
    };
    if header.segment != segment || header.offset as usize != offset {
        return Parsed::Broken("a frame stands where it does not belong");
    }
    if frame[62] != version_byte(of.links) {
        return Parsed::Broken("a frame has an unknown version");
    }
    if !is_sequence(header.sequence) || header.epoch > NUMBER_MAX {
        return Parsed::Broken("a frame tells an impossible number");
    }
    if header.count == 0 || records(frame, &header).is_none() {
        return Parsed::Broken("the records of a frame do not fill it");
    }
    Parsed::Frame(header)
}

/// The link that a frame claims.
pub(crate) fn frame_link(frame: &[u8]) -> Link {
    link_at(frame, frame.len() - LINK_BYTES)
}

/// The link that a frame must have after `previous`.
pub(crate) fn expected_link(frame: &[u8], previous: &Link) -> Link {
    let links = Links::of_version(frame[62].into()).expect("checked when the frame was parsed");
    links.link(&frame[..frame.len() - LINK_BYTES], previous)
}

fn version_byte(links: Links) -> u8 {
    u8::try_from(links.version()).expect("versions are small")
}

/// Checks that the records fill the frame exactly, then iterates over them.
pub(crate) fn records<'a>(
    frame: &'a [u8],
    header: &FrameHeader,
) -> Option<impl Iterator<Item = RecordView<'a>> + use<'a>> {
    let area = &frame[FRAME_HEAD_BYTES..frame.len() - LINK_BYTES];
    let mut at = 0_usize;
    for _ in 0..header.count {
        if at + RECORD_HEAD_BYTES > area.len() {
            return None;
        }
        at = at.checked_add(RECORD_HEAD_BYTES + u32_at(area, at) as usize)?;
    }
    if at > area.len() || area.len() - at >= 8 || !is_blank(&area[at..]) {
        return None;
    }
    let mut at = 0;
    let first = header.sequence;
    Some((0..u64::from(header.count)).map(move |index| {
        let size = u32_at(area, at) as usize;
        let view = RecordView {
            sequence: first + index,
            kind: u16_at(area, at + 4),
            flags: area[at + 6],
            body: &area[at + RECORD_HEAD_BYTES..at + RECORD_HEAD_BYTES + size],
        };
        at += RECORD_HEAD_BYTES + size;
        view
    }))
}
