//! Going through the frames of a segment image, and the verdict on where they end.
//!
//! The verdict is the heart of the promise. A checksum alone cannot tell a torn tail from damage to
//! durable records; the durable-up-to of later frames and of the marks can.

use crate::error::Damage;
use crate::format::{
    BLOCK_BYTES, FLAG_CHECKPOINT, FLAG_SEAL, FRAME_HEAD_BYTES, FRAME_MIN_BYTES, FRAMES_START,
    FrameHeader, Link, Mark, Parsed, RecordView, expected_link, frame_link, is_blank, parse_frame,
    records, u32_at, used_bytes,
};
use crate::segment::{Image, offset_u32};

/// One frame of a segment, its checksum, place and sequence already checked.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The fixed part.
    pub header: FrameHeader,
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A frame that was parsed before.
    pub(crate) fn at(image: &'a [u8], header: FrameHeader) -> Self {
        let start = header.offset as usize;
        Self { header, bytes: &image[start..start + header.length as usize] }
    }

    /// The bytes before the records, without the checksum.
    #[must_use]
    pub fn head(&self) -> &'a [u8] {
        &self.bytes[4..FRAME_HEAD_BYTES]
    }

    /// The link that the frame carries.
    #[must_use]
    pub fn link(&self) -> Link {
        frame_link(self.bytes)
    }

    /// True when the link follows from the one before.
    #[must_use]
    pub fn follows(&self, previous: &Link) -> bool {
        expected_link(self.bytes, previous) == self.link()
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = RecordView<'a>> + use<'a> {
        records(self.bytes, &self.header).expect("the frame was checked when it was parsed")
    }

    /// Sequence of the last record.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.header.sequence + u64::from(self.header.count) - 1
    }

    /// True when replay can start here.
    #[must_use]
    pub fn is_checkpoint(&self) -> bool {
        self.header.flags & FLAG_CHECKPOINT != 0
    }

    /// True when this frame closes its segment.
    #[must_use]
    pub fn is_seal(&self) -> bool {
        self.header.flags & FLAG_SEAL != 0
    }

    /// Byte behind the frame.
    #[must_use]
    pub fn end(&self) -> usize {
        self.header.offset as usize + self.header.length as usize
    }
}

/// Where the frames of a segment stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    /// First byte that no frame covers, or at which the expected frame does not stand.
    pub(crate) offset: usize,
    /// Sequence expected there.
    pub(crate) sequence: u64,
    /// `None` when only zeros were met.
    pub(crate) broken: Option<&'static str>,
}

pub(crate) struct Walk<'a> {
    image: &'a Image,
    offset: usize,
    sequence: u64,
    epoch: u32,
    sealed: bool,
    stop: Option<Stop>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(image: &'a Image) -> Self {
        Self {
            image,
            offset: FRAMES_START,
            sequence: image.header.first_sequence,
            epoch: image.header.epoch,
            sealed: false,
            stop: None,
        }
    }

    /// A walk that goes on behind a frame that was read before.
    pub(crate) fn behind(image: &'a Image, offset: usize, sequence: u64, epoch: u32) -> Self {
        Self { image, offset, sequence, epoch, sealed: false, stop: None }
    }

    pub(crate) fn sealed(&self) -> bool {
        self.sealed
    }

    /// Known once the iterator has ended.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.expect("the walk has ended")
    }

    fn halt(&mut self, offset: usize, broken: Option<&'static str>) -> Option<Frame<'a>> {
        self.stop = Some(Stop { offset, sequence: self.sequence, broken });
        None
    }

    fn parse(&self, offset: usize) -> Parsed {
        parse_frame(&self.image.bytes, offset, &self.image.header)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.stop.is_some() {
            return None;
        }
        if self.sealed {
            return self.halt(self.offset, None);
        }
        let mut at = self.offset;
        let mut parsed = self.parse(at);
        let boundary = at.next_multiple_of(BLOCK_BYTES);
        if matches!(parsed, Parsed::Blank) && boundary > at {
            if !is_blank(&self.image.bytes[at..boundary]) {
                return self.halt(at, Some("bytes stand in a gap between frames"));
            }
            parsed = self.parse(boundary);
            match parsed {
                Parsed::Blank => return self.halt(at, None),
                Parsed::Broken(_) | Parsed::Frame(_) => at = boundary,
            }
        }
        let header = match parsed {
            Parsed::Blank => return self.halt(at, None),
            Parsed::Broken(found) => return self.halt(at, Some(found)),
            Parsed::Frame(header) => header,
        };
        if header.sequence != self.sequence {
            return self.halt(at, Some("records are missing before this frame"));
        }
        if header.epoch < self.epoch {
            return self.halt(at, Some("a frame was written by an earlier owner"));
        }
        if header.durable >= header.sequence {
            return self.halt(at, Some("a frame claims to be durable before it was written"));
        }
        if at == FRAMES_START && header.flags & FLAG_CHECKPOINT == 0 {
            return self.halt(at, Some("the segment does not begin with a checkpoint"));
        }
        self.sequence += u64::from(header.count);
        self.epoch = header.epoch;
        self.sealed = header.flags & FLAG_SEAL != 0;
        self.offset = at + header.length as usize;
        Some(Frame { header, bytes: &self.image.bytes[at..self.offset] })
    }
}

/// What the end of the frames means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing stands behind the last frame.
    Clean,
    /// Bytes that were never durable stand up to `garbage_end`.
    Torn { garbage_end: usize },
    /// Durable bytes are gone.
    Damaged(Damage),
}

/// Judges the end of a segment's frames.
pub(crate) fn judge(image: &Image, stop: Stop) -> Verdict {
    let garbage = used_bytes(image.used_from(stop.offset));
    let garbage_end = stop.offset + garbage;
    let mut durable = image.mark.durable;
    let mut good_records_after = 0;
    let mut at = (stop.offset + 1).next_multiple_of(8);
    while at + FRAME_MIN_BYTES <= garbage_end {
        // The place is looked at first: a checksum at every eighth byte would take seconds.
        if u32_at(&image.bytes, at + 56) as usize == at / 8
            && let Parsed::Frame(header) = parse_frame(&image.bytes, at, &image.header)
        {
            durable = durable.max(header.durable);
            good_records_after += u64::from(header.count);
            at += header.length as usize;
        } else {
            at += 8;
        }
    }
    // A mark that a misdirected write has put here, over frames, still tells the truth.
    for at in (stop.offset.next_multiple_of(BLOCK_BYTES)..garbage_end).step_by(BLOCK_BYTES) {
        if let Ok(Some(mark)) = Mark::from_block(&image.bytes[at..], image.header.salt) {
            durable = durable.max(mark.durable);
        }
    }
    if durable >= stop.sequence {
        return Verdict::Damaged(Damage {
            segment: image.header.segment,
            offset: offset_u32(stop.offset),
            sequence: stop.sequence,
            durable,
            good_records_after,
            found: stop.broken.unwrap_or("zeros stand where records were durable"),
        });
    }
    if garbage > 0 { Verdict::Torn { garbage_end } } else { Verdict::Clean }
}
