//! Reading and verifying a journal without its lock and without writing a byte.
//!
//! A verifier may run beside a living owner: what it finds behind the last durable mark of the
//! newest segment may still be on its way, and is reported as a tail, not as a problem.

use crate::error::WalError;
use crate::format::{
    BLOCK_BYTES, FRAMES_START, FrameHeader, Link, Links, Parsed, SegmentHeader, parse_frame,
    u32_at, used_bytes,
};
use crate::manifest::Manifest;
use crate::segment::{self, Image, Loaded, offset_u32};
use crate::storage::{Access, Storage};
use crate::walk::{Frame, Verdict, Walk, judge};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Bytes that were durable cannot be believed.
    Damaged,
    /// Checksums hold and the chain does not: somebody changed the journal.
    ChainBroken,
    /// A segment between others is gone.
    Missing,
    /// A durable mark cannot be read. No record is lost; the next owner writes it anew.
    Mark,
    /// The journal no longer holds what was read of it before: it was cut, replaced or rewritten.
    Rewritten,
}

/// One thing that is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// Segment it was found in.
    pub segment: u32,
    /// Byte offset in it.
    pub offset: u32,
    /// Sequence expected there.
    pub sequence: u64,
    /// A sentence about it.
    pub message: String,
}

/// How the frames of a segment end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentTail {
    /// With a seal.
    Sealed,
    /// In use; so many bytes behind the last frame were never durable.
    Open {
        /// Torn or still being written.
        torn_bytes: u32,
    },
    /// At damage.
    Damaged,
}

/// How often damage in the segment in use is looked at before it is believed.
pub(crate) const LOOKS: u32 = 3;

/// A journal opened for reading.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) storage: Arc<dyn Storage>,
    dir: PathBuf,
    /// Folders in which segments are looked for that are not in the journal's own.
    archives: Vec<PathBuf>,
    /// What the links of its segments cover.
    pub(crate) links: Links,
    /// The oldest segment of the journal itself; those before it stand in archives.
    pub(crate) oldest: u32,
    /// What the journal consists of, oldest first: the segments that are there, and of those that
    /// are missing between or behind them the first of each run. A manifest or the name of a file
    /// can claim four thousand million.
    pub(crate) segments: Vec<u32>,
}

/// One segment, read and checked.
#[derive(Debug)]
pub struct SegmentScan {
    image: Image,
    frames: Vec<FrameHeader>,
    /// How its frames end.
    pub tail: SegmentTail,
    /// Link of its last good frame.
    pub last_link: Link,
    /// Sequence of its last good record.
    pub last_sequence: u64,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// What a segment must share with its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentEnds {
    /// Number of the segment.
    pub segment: u32,
    /// Link that its header says it follows.
    pub previous_link: Link,
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Epoch that started it.
    pub first_epoch: u32,
    /// Epoch of its last good frame.
    pub last_epoch: u32,
    /// Link of its last good frame.
    pub last_link: Link,
    /// Sequence of its last good record.
    pub last_sequence: u64,
}

impl SegmentEnds {
    /// What is wrong when this is the first segment of a journal.
    #[must_use]
    pub fn begins(&self) -> Option<Problem> {
        let blank = Self {
            segment: 0,
            previous_link: [0; 32],
            first_sequence: 0,
            first_epoch: 0,
            last_epoch: 0,
            last_link: [0; 32],
            last_sequence: 0,
        };
        self.follows(&blank)
    }

    /// What is wrong when this segment is read after that one.
    #[must_use]
    pub fn follows(&self, before: &Self) -> Option<Problem> {
        let message = if self.previous_link != before.last_link {
            "the chain does not lead from the segment before into this one"
        } else if self.first_sequence != before.last_sequence + 1 {
            "records are missing between the segment before and this one"
        } else if self.first_epoch < before.last_epoch {
            "the segment was started by an earlier owner than the one before it"
        } else {
            return None;
        };
        Some(Problem {
            kind: ProblemKind::ChainBroken,
            segment: self.segment,
            offset: 0,
            sequence: self.first_sequence,
            message: message.to_owned(),
        })
    }
}

impl Reader {
    /// Finds the segments of the journal in `dir`.
    ///
    /// # Errors
    /// [`WalError::Io`] when the folder cannot be read. `Ok(None)` when it holds no journal.
    pub fn open(storage: Arc<dyn Storage>, dir: &Path) -> Result<Option<Self>, WalError> {
        Self::find(storage, dir, &[], Links::Records)
    }

    /// As [`Self::open`], for a log whose links cover something else than records.
    ///
    /// # Errors
    /// As [`Self::open`], and [`WalError::Version`].
    pub fn linked_by(
        links: Links,
        storage: Arc<dyn Storage>,
        dir: &Path,
    ) -> Result<Option<Self>, WalError> {
        Self::find(storage, dir, &[], links)
    }

    /// As [`Self::open`], with the segments before those of the journal that stand in archives. An
    /// archive that is not there is none.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn with_archives(
        storage: Arc<dyn Storage>,
        dir: &Path,
        archives: &[PathBuf],
    ) -> Result<Option<Self>, WalError> {
        Self::find(storage, dir, archives, Links::Records)
    }

    fn find(
        storage: Arc<dyn Storage>,
        dir: &Path,
        archives: &[PathBuf],
        links: Links,
    ) -> Result<Option<Self>, WalError> {
        let numbers = match segment::list(&*storage, dir) {
            Ok(numbers) => numbers,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(WalError::io("list", dir)(error)),
        };
        let manifest = Manifest::load(&*storage, dir)?;
        let named = manifest.map_or(0, |manifest| manifest.current);
        let Some(oldest) = manifest.map(|it| it.oldest).or(numbers.first().copied()) else {
            return Ok(None);
        };
        // Files after the one that the manifest names are prepared, or begun and not yet promised.
        let mut newest = named;
        for number in numbers.iter().copied().rev().take_while(|number| *number > named) {
            let begun = match segment::load(&*storage, dir, (number, links), Access::Read)? {
                Some((_, Loaded::Live(image))) => Walk::new(&image).next().is_some(),
                // Without a manifest only the very first roll may have been torn.
                Some((_, Loaded::Broken { .. })) if numbers.last() == Some(&1) => {
                    manifest.is_none() && !Manifest::was_never_saved(&*storage, dir)?
                }
                Some((_, Loaded::Broken { .. })) => manifest.is_none(),
                _ => false,
            };
            if begun {
                newest = number;
                break;
            }
        }
        if newest == 0 {
            return Ok(None);
        }
        let mut archived = Vec::new();
        for archive in archives {
            match segment::list(&*storage, archive) {
                Ok(numbers) => archived.extend(numbers.into_iter().filter(|it| *it < oldest)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(WalError::io("list", archive)(error)),
            }
        }
        archived.sort_unstable();
        archived.dedup();
        let first = archived.first().copied().unwrap_or(oldest);
        archived.extend(numbers.into_iter().filter(|number| *number >= oldest));
        let segments = with_gaps(&archived, first, newest);
        let (dir, archives) = (dir.to_owned(), archives.to_vec());
        Ok(Some(Self { storage, dir, archives, links, oldest, segments }))
    }

    /// The oldest segment of the journal itself: those before it are read from archives.
    #[must_use]
    pub fn oldest(&self) -> u32 {
        self.oldest
    }

    /// Where the file of a segment stands: an owner may be moving it into the archive meanwhile.
    pub(crate) fn folder_of(&self, segment: u32) -> &Path {
        let stands =
            |dir: &&PathBuf| self.storage.open(&segment::path(dir, segment), Access::Read).is_ok();
        if self.archives.is_empty() || (segment >= self.oldest && stands(&&self.dir)) {
            return &self.dir;
        }
        self.archives.iter().find(stands).unwrap_or(&self.dir)
    }

    /// Numbers of the segments, oldest first; of a run of missing ones only the first.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = u32> + use<> {
        self.segments.clone().into_iter()
    }

    /// The header of a segment; `None` when it is missing or cannot be believed.
    ///
    /// # Errors
    /// [`WalError::Io`], [`WalError::Version`].
    pub fn header(&self, segment: u32) -> Result<Option<SegmentHeader>, WalError> {
        let path = segment::path(self.folder_of(segment), segment);
        let Ok(file) = self.storage.open(&path, Access::Read) else { return Ok(None) };
        let mut block = vec![0; BLOCK_BYTES];
        file.read_at(&mut block, 0).map_err(WalError::io("read", &path))?;
        Ok(segment::header_of(&block, self.links)?.unwrap_or(None))
    }

    /// Kind and body of the records in a segment's first frame, its checkpoint, without reading the
    /// rest; `None` when it cannot be believed.
    ///
    /// # Errors
    /// [`WalError::Io`], [`WalError::Version`].
    pub fn first_frame(&self, segment: u32) -> Result<Option<Vec<(u16, Vec<u8>)>>, WalError> {
        let Some(header) = self.header(segment)? else { return Ok(None) };
        let path = segment::path(self.folder_of(segment), segment);
        let file = self.storage.open(&path, Access::Read).map_err(WalError::io("open", &path))?;
        let mut image = vec![0; FRAMES_START + BLOCK_BYTES];
        for _ in 0..2 {
            file.read_at(&mut image, 0).map_err(WalError::io("read", &path))?;
            let length = u32_at(&image, FRAMES_START + 4).min(header.segment_bytes) as usize;
            if FRAMES_START + length <= image.len() {
                break;
            }
            image.resize(FRAMES_START + length, 0);
        }
        let Parsed::Frame(frame) = parse_frame(&image, FRAMES_START, &header) else {
            return Ok(None);
        };
        let records = Frame::at(&image, frame).records();
        Ok(Some(records.map(|record| (record.kind, record.body.to_vec())).collect()))
    }

    /// The segment that holds a sequence number: a binary search over headers.
    ///
    /// # Errors
    /// [`WalError::Io`], [`WalError::Version`].
    pub fn segment_of(&self, sequence: u64) -> Result<Option<u32>, WalError> {
        let (mut low, mut high) = (0, self.segments.len());
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let segment = self.segments[middle];
            let Some(header) = self.header(segment)? else { return Ok(None) };
            if header.first_sequence <= sequence {
                found = Some(segment);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(found)
    }

    /// Reads a segment and checks every byte of it; with `links`, the chain inside it too.
    ///
    /// # Errors
    /// [`WalError::Io`], [`WalError::Version`]; damage is in the answer.
    pub fn scan(
        &self,
        segment: u32,
        links: bool,
    ) -> Result<Result<SegmentScan, Problem>, WalError> {
        let newest = self.segments.last() == Some(&segment);
        // A living owner writes while its segment is read from front to back: what was read first
        // can lack what was read later builds on. Damage is still there at the next look.
        for _ in 1..LOOKS {
            let scan = self.look(segment, newest, links)?;
            if !newest || scan.as_ref().is_ok_and(|scan| scan.problems.is_empty()) {
                return Ok(scan);
            }
        }
        self.look(segment, newest, links)
    }

    fn look(
        &self,
        segment: u32,
        newest: bool,
        links: bool,
    ) -> Result<Result<SegmentScan, Problem>, WalError> {
        let lost = |kind, offset, message: &str| Problem {
            kind,
            segment,
            offset,
            sequence: 0,
            message: message.to_owned(),
        };
        let loaded = segment::load(
            &*self.storage,
            self.folder_of(segment),
            (segment, self.links),
            Access::Read,
        )?;
        let image = match loaded {
            None => return Ok(Err(lost(ProblemKind::Missing, 0, "the segment is missing"))),
            Some((_, Loaded::Blank)) => {
                return Ok(Err(lost(ProblemKind::Damaged, 0, "the segment's header is blank")));
            }
            Some((_, Loaded::Broken { offset, found })) => {
                return Ok(Err(lost(ProblemKind::Damaged, offset, found)));
            }
            Some((_, Loaded::Live(image))) => image,
        };
        Ok(Ok(SegmentScan::of(*image, newest, links)))
    }
}

/// The numbers from the oldest to the newest that have a file, and the first of each run without.
fn with_gaps(numbers: &[u32], oldest: u32, newest: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut next = Some(oldest);
    for &number in numbers.iter().filter(|number| (oldest..=newest).contains(*number)) {
        found.extend(next.filter(|next| *next < number));
        found.push(number);
        next = number.checked_add(1);
    }
    found.extend(next.filter(|next| *next <= newest));
    found
}

impl SegmentScan {
    fn of(image: Image, newest: bool, links: bool) -> Self {
        let segment = image.header.segment;
        let mut problems = Vec::new();
        let mut note = |kind, offset: usize, sequence, message: &str| {
            let message = message.to_owned();
            problems.push(Problem { kind, segment, offset: offset_u32(offset), sequence, message });
        };
        let mut frames = Vec::new();
        let mut link = image.header.link();
        let mut walk = Walk::new(&image);
        for frame in &mut walk {
            if links && !frame.follows(&link) {
                let at = frame.header.offset as usize;
                note(ProblemKind::ChainBroken, at, frame.header.sequence, "the hash chain breaks");
            }
            link = frame.link();
            frames.push(frame.header);
        }
        let stop = walk.stop();
        let behind = used_bytes(image.used_from(stop.offset));
        let tail = if walk.sealed() && behind == 0 {
            SegmentTail::Sealed
        } else if walk.sealed() && newest {
            // A power cut tore the write that put the seal and zeros over a torn tail.
            SegmentTail::Open { torn_bytes: offset_u32(behind) }
        } else if walk.sealed() {
            note(ProblemKind::Damaged, stop.offset, stop.sequence, "bytes stand behind the seal");
            SegmentTail::Damaged
        } else {
            match judge(&image, stop) {
                Verdict::Damaged(damage) => {
                    let message = format!(
                        "{}; durable up to sequence {}, {} good records follow",
                        damage.found, damage.durable, damage.good_records_after
                    );
                    note(ProblemKind::Damaged, stop.offset, stop.sequence, &message);
                    SegmentTail::Damaged
                }
                Verdict::Torn { .. } | Verdict::Clean if !newest || frames.is_empty() => {
                    let found = stop.broken.unwrap_or("the segment ends without a seal");
                    note(ProblemKind::Damaged, stop.offset, stop.sequence, found);
                    SegmentTail::Damaged
                }
                Verdict::Torn { garbage_end } => {
                    SegmentTail::Open { torn_bytes: offset_u32(garbage_end - stop.offset) }
                }
                Verdict::Clean => SegmentTail::Open { torn_bytes: 0 },
            }
        };
        for offset in &image.broken_marks {
            note(ProblemKind::Mark, *offset, 0, "a durable mark fails its checksum");
        }
        let last_sequence = stop.sequence - 1;
        Self { image, frames, tail, last_link: link, last_sequence, problems }
    }

    /// The segment's header.
    #[must_use]
    pub fn header(&self) -> &SegmentHeader {
        &self.image.header
    }

    /// What it must share with its neighbours.
    #[must_use]
    pub fn ends(&self) -> SegmentEnds {
        let header = self.header();
        SegmentEnds {
            segment: header.segment,
            previous_link: header.previous_link,
            first_sequence: header.first_sequence,
            first_epoch: header.epoch,
            last_epoch: self.frames.last().map_or(header.epoch, |frame| frame.epoch),
            last_link: self.last_link,
            last_sequence: self.last_sequence,
        }
    }

    /// Newest sequence that this segment proves durable.
    #[must_use]
    pub fn durable_sequence(&self) -> u64 {
        let framed = self.frames.last().map_or(0, |frame| frame.durable);
        framed.max(self.image.mark.durable)
    }

    /// The good frames, in order.
    pub fn frames(&self) -> impl DoubleEndedIterator<Item = Frame<'_>> {
        self.frames.iter().map(|header| Frame::at(&self.image.bytes, *header))
    }
}
