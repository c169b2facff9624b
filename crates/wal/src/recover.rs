//! Opening a journal: find the newest segment, believe what can be believed, cut a torn tail.
//!
//! Only the newest segment is read. Every frame of it is checked by its CRC; links and records are
//! checked and replayed from its last checkpoint on, so the work does not grow with the history.
//! The order of the steps is what makes a crash during recovery harmless: the cut bytes are kept
//! aside first, then one write puts the new owner's first frame over them with zeros behind it.

use crate::error::{Damage, WalError};
use crate::format::{
    FLAG_OWNER_ENDS, FRAMES_START, FrameHeader, Link, Links, RecordView, SegmentHeader, Stamp,
};
use crate::manifest::Manifest;
use crate::segment::{self, Image, Loaded, offset_u32};
use crate::storage::{Access, Storage, StorageFile, make_dirs, replace, sync_way_to};
use crate::walk::{Frame, Verdict, Walk, judge};
use crate::writer::{Options, Wal};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Bytes that were never acknowledged as durable, cut from the tail and kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Segment they stood in.
    pub segment: u32,
    /// Where they began.
    pub offset: u32,
    /// How many there were.
    pub bytes: u32,
    /// Name of the file in the journal's folder that keeps them.
    pub kept_as: String,
}

/// A journal as it was found.
#[derive(Debug)]
pub struct Opened {
    /// The writer, which starts to write only with [`Wal::start`].
    pub wal: Wal,
    /// What to replay.
    pub replay: Replay,
}

/// The newest segment from its last checkpoint on.
#[derive(Debug)]
pub struct Replay {
    image: Option<Image>,
    /// Checkpoints of the segment before the last one.
    earlier: Vec<FrameHeader>,
    frames: Vec<FrameHeader>,
    /// Owner epoch of the last frame; 0 in a new journal.
    pub epoch: u32,
    /// Times of the last frame.
    pub stamp: Stamp,
    /// Sequence of the last record; 0 in a new journal.
    pub last_sequence: u64,
    /// Newest sequence that the log itself proves durable.
    pub durable_sequence: u64,
    /// True when the last frame is an owner's clean end.
    pub clean: bool,
    /// The torn tail, if there was one.
    pub cut: Option<Cut>,
}

impl Replay {
    /// True for a journal that did not exist before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.image.is_none()
    }

    /// The checkpoints of the segment before the last one, for what a caller writes into each of
    /// them anew.
    pub fn earlier_checkpoints(&self) -> impl Iterator<Item = Frame<'_>> {
        self.at(&self.earlier)
    }

    /// The frames from the last checkpoint on; the first one is the checkpoint.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.at(&self.frames)
    }

    fn at<'a>(&'a self, headers: &'a [FrameHeader]) -> impl Iterator<Item = Frame<'a>> {
        headers
            .iter()
            .flat_map(|header| self.image.iter().map(|image| Frame::at(&image.bytes, *header)))
    }

    /// The records of [`Self::frames`].
    pub fn records(&self) -> impl Iterator<Item = RecordView<'_>> {
        self.frames().flat_map(|frame| frame.records())
    }
}

/// Where the writer goes on.
#[derive(Default)]
pub(crate) struct Tail {
    pub(crate) segment: Option<LiveSegment>,
    /// The last owner left the segment after it prepared.
    pub(crate) spare_left: bool,
    /// The manifest names that segment; if not, it must before anything more is promised.
    pub(crate) named: bool,
    pub(crate) oldest: u32,
    pub(crate) sequence: u64,
    pub(crate) epoch: u32,
    pub(crate) link: Link,
}

pub(crate) struct LiveSegment {
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) header: SegmentHeader,
    pub(crate) end: usize,
    pub(crate) garbage_end: usize,
    pub(crate) sealed: bool,
    pub(crate) mark_counter: u64,
    pub(crate) checkpoint_bytes: usize,
    pub(crate) last_checkpoint_bytes: usize,
    pub(crate) checkpoint_end: usize,
}

/// Opens the journal in `dir`, which is made when it does not exist.
pub(crate) fn open(
    storage: Arc<dyn Storage>,
    dir: &Path,
    options: Options,
) -> Result<Opened, WalError> {
    options.check()?;
    let made = make_dirs(&*storage, dir).map_err(WalError::io("create", dir))?;
    let Some((file, image, manifest)) = newest(&*storage, dir, options.links)? else {
        sync_way_to(&*storage, dir, &made).map_err(WalError::io("sync the way to", dir))?;
        let tail = Tail { oldest: 1, ..Tail::default() };
        let replay = Replay {
            image: None,
            earlier: Vec::new(),
            frames: Vec::new(),
            epoch: 0,
            stamp: Stamp::default(),
            last_sequence: 0,
            durable_sequence: 0,
            clean: true,
            cut: None,
        };
        return Ok(Opened { wal: Wal::new(storage, dir, options, tail), replay });
    };
    // A journal keeps the segment size that it was made with.
    let options = Options { segment_bytes: image.header.segment_bytes, ..options };
    let survey = survey(&image)?;
    let last = survey.frames.last().expect("a survey without frames is refused");
    let (epoch, stamp) = (last.epoch, last.stamp);
    let last_sequence = last.sequence + u64::from(last.count) - 1;
    let durable_sequence = last.durable.max(image.mark.durable);
    let clean = last.flags & FLAG_OWNER_ENDS != 0;
    let cut = (survey.garbage_end > survey.end)
        .then(|| keep_aside(&*storage, dir, &image, survey.end..survey.garbage_end))
        .transpose()?;
    let live = LiveSegment {
        file,
        header: image.header.clone(),
        end: survey.end,
        garbage_end: survey.garbage_end,
        sealed: survey.sealed,
        mark_counter: image.mark.counter,
        checkpoint_bytes: survey.checkpoints().map(|frame| frame.length).max().unwrap_or(0)
            as usize,
        last_checkpoint_bytes: survey.frames[0].length as usize,
        checkpoint_end: (survey.frames[0].offset + survey.frames[0].length) as usize,
    };
    let named = manifest.is_some_and(|manifest| manifest.current == live.header.segment);
    let next = live.header.segment + 1;
    let spare_left = Manifest::is_staged(&*storage, dir, next)
        && segment::stands(&*storage, dir, next, options.segment_bytes);
    let oldest = match manifest {
        Some(manifest) => manifest.oldest,
        // Archived segments are not there any more; the manifest to come must not name them.
        None => {
            let numbers = segment::list(&*storage, dir).map_err(WalError::io("list", dir))?;
            numbers.first().copied().unwrap_or(1)
        }
    };
    let tail = Tail {
        segment: Some(live),
        spare_left,
        named,
        oldest,
        sequence: last_sequence,
        epoch,
        link: survey.link,
    };
    let replay = Replay {
        image: Some(image),
        earlier: survey.earlier,
        frames: survey.frames,
        epoch,
        stamp,
        last_sequence,
        durable_sequence,
        clean,
        cut,
    };
    Ok(Opened { wal: Wal::new(storage, dir, options, tail), replay })
}

/// Finds the segment in use: the one that the manifest names, or a later one that was begun when a
/// crash struck between its first sync and the manifest.
fn newest(
    storage: &dyn Storage,
    dir: &Path,
    links: Links,
) -> Result<Option<(Arc<dyn StorageFile>, Image, Option<Manifest>)>, WalError> {
    let manifest = Manifest::load(storage, dir)?;
    let mut numbers = segment::list(storage, dir).map_err(WalError::io("list", dir))?;
    numbers.reverse();
    let highest = numbers.first().copied().unwrap_or(1);
    if let Some(Manifest { current, .. }) = manifest {
        numbers.retain(|number| *number > current);
        numbers.push(current);
    }
    for segment in numbers {
        let named = manifest.is_some_and(|manifest| manifest.current == segment);
        let lost = |offset, found| WalError::Damaged(nothing_left(segment, offset, found));
        match load_from_device(storage, dir, (segment, links))? {
            None if named => return Err(lost(0, "the segment that the manifest names is missing")),
            Some((_, Loaded::Blank)) if named => {
                return Err(lost(0, "the header of the segment in use is blank"));
            }
            Some((_, Loaded::Broken { offset, found })) if named || manifest.is_none() => {
                // A power cut during the very first roll may tear the first header; a manifest
                // follows before anything is promised.
                if highest > 1 || !Manifest::was_never_saved(storage, dir)? {
                    return Err(lost(offset, found));
                }
            }
            // Not named and not whole: its first sync never ended, so nothing in it was promised.
            None | Some((_, Loaded::Blank | Loaded::Broken { .. })) => {}
            Some((file, Loaded::Live(image))) => {
                let begun = Walk::new(&image).next().is_some();
                if named || begun {
                    return Ok(Some((file, *image, manifest)));
                }
                if manifest.is_none() && image.mark.durable > 0 {
                    return Err(lost(offset_u32(FRAMES_START), "the first frame is damaged"));
                }
            }
        }
    }
    Ok(None)
}

fn nothing_left(segment: u32, offset: u32, found: &'static str) -> Damage {
    Damage { segment, offset, sequence: 0, durable: 0, good_records_after: 0, found }
}

/// Syncs, forgets what was cached behind the last mark, reads again: after a failed sync the page
/// cache shows bytes that the device never got. Header and marks are read again too, since a sync
/// may have failed while they were new.
fn load_from_device(
    storage: &dyn Storage,
    dir: &Path,
    (segment, links): (u32, Links),
) -> Result<Option<(Arc<dyn StorageFile>, Loaded)>, WalError> {
    let loaded = segment::load(storage, dir, (segment, links), Access::Write)?;
    let Some((file, loaded)) = loaded else {
        return Ok(None);
    };
    let Loaded::Live(image) = loaded else { return Ok(Some((file, loaded))) };
    let Image { mut bytes, used, mark, .. } = *image;
    let path = segment::path(dir, segment);
    let from = (mark.end as usize).clamp(FRAMES_START, bytes.len());
    let used = used.max(from);
    if used > from {
        file.sync().map_err(WalError::io("sync", &path))?;
        for range in [0..FRAMES_START, from..used] {
            segment::read_from_device(&*file, &mut bytes[range.clone()], range.start)
                .map_err(WalError::io("re-read", &path))?;
        }
    }
    Ok(Some((file, segment::interpret(bytes, used, (segment, links))?)))
}

struct Survey {
    /// Checkpoints before the last one.
    earlier: Vec<FrameHeader>,
    /// From the last checkpoint on.
    frames: Vec<FrameHeader>,
    link: Link,
    end: usize,
    garbage_end: usize,
    sealed: bool,
}

impl Survey {
    fn checkpoints(&self) -> impl Iterator<Item = &FrameHeader> {
        self.earlier.iter().chain(self.frames.first())
    }
}

/// Walks the newest segment, judges its end, and follows the chain where something is replayed: into
/// each checkpoint, and from the last one on.
fn survey(image: &Image) -> Result<Survey, WalError> {
    let mut walk = Walk::new(image);
    let mut earlier = Vec::new();
    let mut frames: Vec<FrameHeader> = Vec::new();
    let mut link = image.header.link();
    let mut last_link = link;
    let mut broken = None;
    for frame in &mut walk {
        if frame.is_checkpoint() {
            if !frame.follows(&last_link) {
                broken = broken.or(Some(frame.header));
            }
            earlier.extend(frames.first());
            frames.clear();
            link = last_link;
        }
        frames.push(frame.header);
        last_link = frame.link();
    }
    let stop = walk.stop();
    let garbage_end = match judge(image, stop) {
        Verdict::Damaged(damage) => return Err(WalError::Damaged(damage)),
        Verdict::Torn { garbage_end } => garbage_end,
        Verdict::Clean => stop.offset,
    };
    let segment = image.header.segment;
    let Some(last) = frames.last() else {
        let found = stop.broken.unwrap_or("the segment in use has no checkpoint");
        return Err(WalError::Damaged(nothing_left(segment, offset_u32(stop.offset), found)));
    };
    let last_sequence = last.sequence + u64::from(last.count) - 1;
    for header in &frames {
        let frame = Frame::at(&image.bytes, *header);
        if !frame.follows(&link) {
            broken = broken.or(Some(*header));
        }
        link = frame.link();
    }
    if let Some(header) = broken {
        return Err(WalError::Damaged(Damage {
            segment,
            offset: header.offset,
            sequence: header.sequence,
            durable: last.durable.max(image.mark.durable),
            good_records_after: last_sequence - header.sequence + 1,
            found: "the hash chain breaks here: bytes were changed and the checksum mended",
        }));
    }
    Ok(Survey { earlier, frames, link, end: stop.offset, garbage_end, sealed: walk.sealed() })
}

/// Copies a torn tail into a file of its own before anything is written over it.
fn keep_aside(
    storage: &dyn Storage,
    dir: &Path,
    image: &Image,
    tail: Range<usize>,
) -> Result<Cut, WalError> {
    let segment = image.header.segment;
    let taken = storage.list(dir).map_err(WalError::io("list", dir))?;
    let stem = format!("cut-{segment:06}-{:08}", tail.start);
    // A crash during recovery leaves the first copy behind; it is the more complete one.
    let kept_as = (1..)
        .map(|copy| format!("{stem}-{copy}.bin"))
        .find(|name| !taken.contains(name))
        .expect("a folder does not hold every name");
    let path = dir.join(&kept_as);
    replace(storage, &path, &image.bytes[tail.clone()]).map_err(WalError::io("write", &path))?;
    Ok(Cut { segment, offset: offset_u32(tail.start), bytes: offset_u32(tail.len()), kept_as })
}
