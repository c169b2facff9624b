//! Reading on behind a frame that was read before, and no further than the journal itself proves.
//!
//! A reader that hands frames on, to somebody who cannot take them back, must never see one that a
//! power cut could still undo. What the page cache shows is no proof. What is: every frame, and the
//! mark of every segment, says up to which sequence the log *was* on the device when it was written.
//! That is true from the moment it can be read, whether or not the saying itself survives. So a frame
//! of the segment in use is given once a mark or a later frame vouches for it, within 50 ms of its
//! writing; those of an earlier segment at once, since a segment is begun only when the one before
//! it is on the device, seal and all. Behind a crash the last frames wait for the next owner, who
//! either makes them durable or cuts them.
//!
//! A look costs what is new: the header and marks of one segment, and the bytes behind the place.

use crate::error::WalError;
use crate::format::{
    BLOCK_BYTES, FRAMES_START, FrameHeader, Link, Parsed, SegmentHeader, is_blank, parse_frame,
    used_bytes,
};
use crate::reader::{LOOKS, Problem, ProblemKind, Reader};
use crate::segment::{self, Image, Loaded, offset_u32};
use crate::storage::{Access, StorageFile};
use crate::walk::{Frame, Verdict, Walk, judge};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Read at a time; a blank piece ends the used part of a segment.
const PIECE_BYTES: usize = 16 << 10;
const _: () = assert!(PIECE_BYTES >= 2 * BLOCK_BYTES, "a gap between frames is no blank piece");
/// Looked at first; more only when no frame in it is proved durable.
const WINDOW_BYTES: usize = 256 << 10;

/// A frame that was read: where it stands and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Segment.
    pub segment: u32,
    /// Byte at which the frame begins.
    pub offset: u32,
    /// Its last sequence.
    pub sequence: u64,
    /// Its owner.
    pub epoch: u32,
    /// Its link.
    pub link: Link,
}

/// Frames that are durable, in order; their chain leads on from the place that was given.
#[derive(Debug)]
pub struct Window {
    image: Box<Image>,
    frames: Vec<FrameHeader>,
}

impl Window {
    /// Header of their segment.
    #[must_use]
    pub fn header(&self) -> &SegmentHeader {
        &self.image.header
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// One of them, from 0.
    #[must_use]
    pub fn frame(&self, index: usize) -> Option<Frame<'_>> {
        self.frames.get(index).map(|header| Frame::at(&self.image.bytes, *header))
    }
}

impl Frame<'_> {
    /// Where reading goes on behind it.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            segment: self.header.segment,
            offset: self.header.offset,
            sequence: self.last_sequence(),
            epoch: self.header.epoch,
            link: self.link(),
        }
    }
}

/// What a look finds: frames, nothing new, or what is in the way.
type Look = Result<Result<Option<Window>, Problem>, WalError>;

/// Where a walk begins, and what must lead there.
#[derive(Clone, Copy)]
struct Start {
    offset: usize,
    sequence: u64,
    epoch: u32,
    link: Link,
}

impl Reader {
    /// The durable frames behind a place, or from the beginning of the journal; `None` when there is
    /// nothing new. There may be more behind those that are given: ask again from the last.
    ///
    /// # Errors
    /// [`WalError::Io`], [`WalError::Version`]. What is wrong with the journal is in the answer.
    pub fn after(&self, place: Option<&Place>) -> Look {
        // What a living owner writes meanwhile can look like damage once, but not three times.
        for _ in 1..LOOKS {
            let look = self.look_after(place)?;
            if look.is_ok() {
                return Ok(look);
            }
        }
        self.look_after(place)
    }

    fn look_after(&self, place: Option<&Place>) -> Look {
        let newest = self.segments.last().copied().unwrap_or(0);
        let Some(place) = place else {
            let first = self.segments.first().copied().unwrap_or(1);
            if first != 1 {
                let message = format!(
                    "the journal begins with segment {first}; bring the archive of those before it \
                     back, or name the folder where it is"
                );
                return Ok(Err(problem(ProblemKind::Missing, 1, 0, 1, &message)));
            }
            return self.begin(1, &[0; 32], 1, 0, newest);
        };
        if place.segment > newest {
            let message = format!(
                "the journal ends in segment {newest}, and segment {} was read",
                place.segment
            );
            return Ok(Err(rewritten(place, &message)));
        }
        let next = place.segment + 1;
        let begin_next = || self.begin(next, &place.link, place.sequence + 1, place.epoch, newest);
        let mut here = match Part::open(self, place.segment)? {
            Ok(part) => part,
            // Moved to an archive that is not at hand. What follows it says whether it follows.
            Err(lost) if lost.kind == ProblemKind::Missing && next == self.oldest => {
                return begin_next();
            }
            Err(lost) => return Ok(Err(lost)),
        };
        match here.holds(place)? {
            Ok(start) => {
                let is_newest = place.segment == newest;
                match start {
                    Some(start) => here.frames(start, is_newest),
                    None if is_newest => Ok(Ok(None)),
                    None => begin_next(),
                }
            }
            Err(found) => Ok(Err(found)),
        }
    }

    /// The frames of a segment from its first one.
    fn begin(
        &self,
        segment: u32,
        previous_link: &Link,
        sequence: u64,
        epoch: u32,
        newest: u32,
    ) -> Look {
        let part = match Part::open(self, segment)? {
            Ok(part) => part,
            Err(lost) => return Ok(Err(lost)),
        };
        let header = &part.image.header;
        let message = if header.previous_link != *previous_link {
            "the chain does not lead from what was read before into this segment"
        } else if header.first_sequence != sequence {
            "records are missing between what was read before and this segment"
        } else if header.epoch < epoch {
            "the segment was started by an earlier owner than what was read before"
        } else {
            let start =
                Start { offset: FRAMES_START, sequence, epoch: header.epoch, link: header.link() };
            return part.frames(start, segment == newest);
        };
        Ok(Err(problem(ProblemKind::ChainBroken, segment, 0, sequence, message)))
    }
}

/// A segment of which only some bytes were read; the others are zeros in memory that nobody touched.
struct Part {
    image: Box<Image>,
    file: Arc<dyn StorageFile>,
    /// The blocks that were read behind the marks, and whether only zeros are left behind them.
    filled: Range<usize>,
    whole: bool,
}

impl Part {
    fn open(reader: &Reader, segment: u32) -> Result<Result<Self, Problem>, WalError> {
        let path = segment::path(reader.folder_of(segment), segment);
        let file = match reader.storage.open(&path, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = "the segment is missing";
                return Ok(Err(problem(ProblemKind::Missing, segment, 0, 0, message)));
            }
            Err(error) => return Err(WalError::io("open", &path)(error)),
        };
        let failed = WalError::io("read", &path);
        let mut head = vec![0; FRAMES_START];
        let read = file.read_at(&mut head, 0).map_err(failed)?;
        let damaged = |offset, message: &str| {
            Ok(Err(problem(ProblemKind::Damaged, segment, offset, 0, message)))
        };
        if read < FRAMES_START {
            return damaged(offset_u32(read), "segment file has lost its length");
        }
        // Only as long as the header says and the file is: a forged size asks for no memory.
        let size = match segment::header_of(&head, reader.links)? {
            Ok(Some(header)) => header.segment_bytes as usize,
            Ok(None) => return damaged(0, "the segment's header is blank"),
            Err(found) => return damaged(0, found),
        };
        let stands = file.size().map_err(WalError::io("read", &path))?;
        if stands != size as u64 {
            return damaged(
                u32::try_from(stands).unwrap_or(u32::MAX),
                "segment file has lost its length",
            );
        }
        let mut bytes = vec![0; size];
        bytes[..FRAMES_START].copy_from_slice(&head);
        match segment::interpret(bytes, FRAMES_START, (segment, reader.links))? {
            Loaded::Live(image) => Ok(Ok(Self { image, file, filled: 0..0, whole: false })),
            Loaded::Blank => damaged(0, "the segment's header is blank"),
            Loaded::Broken { offset, found } => damaged(offset, found),
        }
    }

    /// Reads from the block of an offset on, up to a blank piece, or so many bytes at least. True
    /// when nothing but zeros was left to read.
    fn fill(&mut self, from: usize, size: usize) -> Result<bool, WalError> {
        let first = from / BLOCK_BYTES * BLOCK_BYTES;
        let is_known = self.filled.contains(&first);
        let mut at = if is_known { self.filled.end } else { first };
        if !is_known {
            (self.filled.start, self.whole) = (first, false);
        }
        let goal = from.saturating_add(size);
        while at < goal && !self.whole {
            let end = (at + PIECE_BYTES).min(self.image.bytes.len());
            let piece = &mut self.image.bytes[at..end];
            let read = self
                .file
                .read_at(piece, at as u64)
                .map_err(WalError::io("read", "segment".as_ref()))?;
            let piece = &self.image.bytes[at..at + read];
            let is_past = at > from;
            if !is_blank(piece) {
                self.image.used = self.image.used.max(at + used_bytes(piece));
            } else if is_past {
                self.whole = true;
            }
            self.whole |= end == self.image.bytes.len();
            at = end;
            self.filled.end = end;
        }
        Ok(self.whole)
    }

    /// Reads all that stands behind an offset, blank pieces or not.
    fn fill_all(&mut self, from: usize) -> Result<(), WalError> {
        let at = from / BLOCK_BYTES * BLOCK_BYTES;
        let rest = &mut self.image.bytes[at..];
        self.file.read_at(rest, at as u64).map_err(WalError::io("read", "segment".as_ref()))?;
        self.image.used = self.image.used.max(at + used_bytes(&self.image.bytes[at..]));
        Ok(())
    }

    /// Where the walk goes on behind a place; `None` when it is the seal.
    fn holds(&mut self, place: &Place) -> Result<Result<Option<Start>, Problem>, WalError> {
        let offset = place.offset as usize;
        if offset < FRAMES_START || offset >= self.image.bytes.len() {
            return Ok(Err(rewritten(place, "the segment is shorter than it was")));
        }
        let mut size = WINDOW_BYTES;
        loop {
            let whole = self.fill(offset, size)?;
            let parsed = parse_frame(&self.image.bytes, offset, &self.image.header);
            if let Parsed::Frame(header) = parsed {
                let frame = Frame::at(&self.image.bytes, header);
                if frame.place() != *place {
                    return Ok(Err(rewritten(place, "another frame stands where one was read")));
                }
                let start = Start {
                    offset: frame.end(),
                    sequence: place.sequence + 1,
                    epoch: place.epoch,
                    link: place.link,
                };
                return Ok(Ok((!frame.is_seal()).then_some(start)));
            }
            if whole {
                break;
            }
            size *= 2;
        }
        // A journal that does not even claim to have had it was cut or replaced.
        let claims = self.image.mark.durable >= place.sequence;
        Ok(Err(if claims {
            let (segment, offset, sequence) = (place.segment, place.offset, place.sequence);
            let message = "a frame that was read before cannot be read any more";
            problem(ProblemKind::Damaged, segment, offset, sequence, message)
        } else {
            rewritten(place, "the frame that was read there is gone")
        }))
    }

    /// The durable frames behind a start.
    fn frames(mut self, start: Start, newest: bool) -> Look {
        let segment = self.image.header.segment;
        let mut size = WINDOW_BYTES;
        loop {
            let whole = self.fill(start.offset, size)?;
            let mut walk = Walk::behind(&self.image, start.offset, start.sequence, start.epoch);
            let (mut link, mut frames, mut broken) = (start.link, Vec::new(), None);
            let mut durable = if newest { self.image.mark.durable } else { u64::MAX };
            for frame in &mut walk {
                if !frame.follows(&link) {
                    broken = Some((frame.header.offset, frame.header.sequence));
                    break;
                }
                link = frame.link();
                durable = durable.max(frame.header.durable);
                frames.push(frame.header);
            }
            let sealed = walk.sealed();
            let stop = broken.is_none().then(|| walk.stop());
            frames.retain(|frame| frame.sequence + u64::from(frame.count) - 1 <= durable);
            if !frames.is_empty() {
                return Ok(Ok(Some(Window { image: self.image, frames })));
            }
            if let Some((offset, sequence)) = broken {
                let message = "the hash chain breaks";
                return Ok(Err(problem(
                    ProblemKind::ChainBroken,
                    segment,
                    offset,
                    sequence,
                    message,
                )));
            }
            if !whole {
                size = size.saturating_mul(2);
                continue;
            }
            let stop = stop.expect("the walk has ended");
            if sealed || (newest && stop.broken.is_none() && durable < stop.sequence) {
                return Ok(Ok(None));
            }
            self.fill_all(start.offset)?;
            let damaged = match judge(&self.image, stop) {
                Verdict::Damaged(damage) => format!(
                    "{}; durable up to sequence {}, {} good records follow",
                    damage.found, damage.durable, damage.good_records_after
                ),
                _ if newest => return Ok(Ok(None)),
                _ => stop.broken.unwrap_or("the segment ends without a seal").to_owned(),
            };
            let offset = offset_u32(stop.offset);
            return Ok(Err(problem(
                ProblemKind::Damaged,
                segment,
                offset,
                stop.sequence,
                &damaged,
            )));
        }
    }
}

fn problem(kind: ProblemKind, segment: u32, offset: u32, sequence: u64, message: &str) -> Problem {
    Problem { kind, segment, offset, sequence, message: message.to_owned() }
}

fn rewritten(place: &Place, message: &str) -> Problem {
    problem(ProblemKind::Rewritten, place.segment, place.offset, place.sequence, message)
}
