//! The writer's state behind its one mutex.

use crate::error::IoFault;
use crate::format::{
    BLOCK_BYTES, FLAG_CHECKPOINT, FLAG_SEAL, FRAMES_START, FrameHeader, Link, Links, MARK_OFFSETS,
    Mark, Stamp, encode_frame, frame_bytes,
};
use crate::group::Waiter;
use crate::recover::LiveSegment;
use crate::segment::offset_u32;
use crate::storage::StorageFile;
use crate::writer::{FlushCause, FlushCounts, Record, Stats, SyncLatency};
use std::sync::Arc;

/// Bytes of the seal frame, for which every segment keeps room.
pub(crate) const SEAL_BYTES: usize = 104;
const _: () = assert!(SEAL_BYTES == crate::format::FRAME_MIN_BYTES);

/// A moment of the log: everything up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) sequence: u64,
    pub(crate) end: usize,
    pub(crate) link: Link,
    /// Frames since the log was opened.
    pub(crate) frames: u64,
    /// Their bytes, without the gaps between them.
    pub(crate) bytes: usize,
}

/// The segment being written.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) number: u32,
    /// Size of the file.
    pub(crate) bytes: usize,
    pub(crate) salt: u64,
    pub(crate) links: Links,
    pub(crate) sealed: bool,
    /// Bytes of its largest checkpoint: the next segment begins with one of about this size.
    pub(crate) checkpoint_bytes: usize,
    pub(crate) last_checkpoint_bytes: usize,
    pub(crate) checkpoint_end: usize,
}

/// The segment prepared ahead.
#[derive(Debug)]
pub(crate) enum Spare {
    Absent,
    /// The last owner prepared it: its space is held. It is looked through before it is used.
    Left,
    Preparing {
        /// Its space is held already.
        held: bool,
    },
    Ready(Arc<dyn StorageFile>),
    Failed,
}

impl Spare {
    /// The disk's space for the next segment is taken.
    pub(crate) fn holds_space(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::Left | Self::Preparing { held: true })
    }

    /// Somebody should prepare it.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self, Self::Absent | Self::Left)
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) active: Option<Active>,
    pub(crate) oldest: u32,
    pub(crate) epoch: u32,
    /// Encoded and not yet handed to the operating system; stands at `pending_at`.
    pub(crate) pending: Vec<u8>,
    pub(crate) pending_at: usize,
    /// Up to here stale bytes of a torn tail stand; the next write puts zeros over them.
    pub(crate) garbage_end: usize,
    pub(crate) appended: Point,
    pub(crate) written: Point,
    pub(crate) durable: Point,
    /// Somebody is writing and syncing; everybody else waits.
    pub(crate) leader: bool,
    /// The leader sleeps until so many frames are appended.
    pub(crate) leader_listens_for: Option<u64>,
    /// Threads whose bytes wait for a flush, in the order in which they came.
    pub(crate) waiters: Vec<Arc<Waiter>>,
    /// Threads asleep until nobody leads.
    pub(crate) sleepers: u32,
    pub(crate) keeper_asleep: bool,
    /// Frames of the last batch, and those that were appended while it was flushed.
    pub(crate) last_company: u64,
    pub(crate) late: u64,
    /// Flushes that wait for no company: the processors are busy.
    pub(crate) flushes_alone: u32,
    /// Smoothed bytes between two syncs; decides whether a batch starts on a new block.
    pub(crate) batch_bytes: usize,
    pub(crate) mark_counter: u64,
    pub(crate) marked: u64,
    pub(crate) commits_since_mark: u32,
    pub(crate) spare: Spare,
    pub(crate) spare_refusals: u32,
    pub(crate) poison: Option<IoFault>,
    /// Asynchronous callers want to hear when the log is durable up to here.
    pub(crate) notify_upto: u64,
    pub(crate) flush_wanted: Option<FlushCause>,
    pub(crate) stopping: bool,
    pub(crate) stats: Stats,
    pub(crate) flushes: FlushCounts,
    pub(crate) latency: SyncLatency,
}

impl State {
    pub(crate) fn new(live: Option<LiveSegment>, tail: (u32, u64, u32, Link)) -> Self {
        let (oldest, sequence, epoch, link) = tail;
        let mut point = Point { sequence, end: FRAMES_START, link, frames: 0, bytes: 0 };
        let mut garbage_end = 0;
        let mut mark_counter = 0;
        let active = live.map(|live| {
            point.end = live.end;
            garbage_end = live.garbage_end;
            mark_counter = live.mark_counter;
            Active {
                file: live.file,
                number: live.header.segment,
                bytes: live.header.segment_bytes as usize,
                salt: live.header.salt,
                links: live.header.links,
                sealed: live.sealed,
                checkpoint_bytes: live.checkpoint_bytes,
                last_checkpoint_bytes: live.last_checkpoint_bytes,
                checkpoint_end: live.checkpoint_end,
            }
        });
        Self {
            active,
            oldest,
            epoch,
            pending: Vec::new(),
            pending_at: point.end,
            garbage_end,
            appended: point,
            written: point,
            durable: point,
            leader: false,
            leader_listens_for: None,
            waiters: Vec::new(),
            sleepers: 0,
            keeper_asleep: false,
            last_company: 0,
            late: 0,
            flushes_alone: 0,
            batch_bytes: 0,
            mark_counter,
            marked: 0,
            commits_since_mark: 0,
            spare: Spare::Absent,
            spare_refusals: 0,
            poison: None,
            notify_upto: 0,
            flush_wanted: None,
            stopping: false,
            stats: Stats::default(),
            flushes: FlushCounts::default(),
            latency: SyncLatency::default(),
        }
    }

    /// Where a frame of this length would start.
    ///
    /// The first frame after a sync moves to the next block when the batch would otherwise straddle
    /// two: a lone sale then costs the device one block, and the block of a durable sale is not
    /// written again more often than it must.
    pub(crate) fn place(&self, length: usize) -> usize {
        let end = self.appended.end;
        let left = end.next_multiple_of(BLOCK_BYTES) - end;
        let batch = self.batch_bytes.max(length);
        let first_of_batch = self.appended.sequence == self.durable.sequence;
        if first_of_batch && batch <= BLOCK_BYTES && left < batch { end + left } else { end }
    }

    /// Encodes one frame behind the others. Every limit has been checked.
    pub(crate) fn push_frame(&mut self, stamp: Stamp, flags: u8, records: &[Record<'_>]) {
        let length = frame_bytes(records.iter().map(|record| record.body.len()));
        // The room kept for a seal is directly behind the last frame.
        let is_seal = flags & FLAG_SEAL != 0;
        let place = if is_seal { self.appended.end } else { self.place(length) };
        let active = self.active.as_mut().expect("a started log has a segment");
        assert!(!active.sealed, "nothing is appended behind a seal");
        assert!(place >= self.appended.end);
        let room = if is_seal { 0 } else { SEAL_BYTES };
        assert!(place + length + room <= active.bytes, "a frame never leaves its segment");
        self.pending.resize(self.pending.len() + place - self.appended.end, 0);
        let header = FrameHeader {
            length: offset_u32(length),
            sequence: self.appended.sequence + 1,
            durable: self.durable.sequence,
            stamp,
            epoch: self.epoch,
            segment: active.number,
            offset: offset_u32(place),
            count: u16::try_from(records.len()).expect("checked by the caller"),
            flags,
        };
        let bodies = records.iter().map(|record| (record.kind, record.flags, record.body));
        let kind = (active.links, active.salt);
        let link = encode_frame(&mut self.pending, &header, kind, &self.appended.link, bodies);
        let end = place + length;
        assert_eq!(self.pending_at + self.pending.len(), end);
        if flags & FLAG_CHECKPOINT != 0 {
            active.checkpoint_bytes = active.checkpoint_bytes.max(length);
            active.last_checkpoint_bytes = length;
            active.checkpoint_end = end;
        }
        self.appended = Point {
            sequence: self.appended.sequence + records.len() as u64,
            end,
            link,
            frames: self.appended.frames + 1,
            bytes: self.appended.bytes + length,
        };
        self.stats.frames += 1;
        self.stats.records += records.len() as u64;
    }

    /// Takes what waits to be written, with zeros over a torn tail behind it.
    pub(crate) fn take_pending(&mut self, spare_buffer: Vec<u8>) -> (Vec<u8>, usize, Point) {
        let mut bytes = std::mem::replace(&mut self.pending, spare_buffer);
        let at = self.pending_at;
        self.pending_at = self.appended.end;
        if !bytes.is_empty() && self.garbage_end > self.appended.end {
            bytes.resize(self.garbage_end - at, 0);
            self.garbage_end = 0;
        }
        (bytes, at, self.appended)
    }

    /// Zeros for a torn tail behind a seal, which no further frame will cover, and their place.
    pub(crate) fn take_garbage(&mut self) -> Option<(Arc<dyn StorageFile>, Vec<u8>, usize)> {
        let active = self.active.as_ref()?;
        let garbage = self.garbage_end.checked_sub(self.appended.end).filter(|bytes| *bytes > 0)?;
        self.garbage_end = 0;
        Some((active.file.clone(), vec![0; garbage], self.appended.end))
    }

    /// The next mark block and its place, saying what is durable now.
    pub(crate) fn next_mark(&mut self) -> (Vec<u8>, u64) {
        let active = self.active.as_ref().expect("a started log has a segment");
        self.mark_counter += 1;
        self.commits_since_mark = 0;
        self.marked = self.durable.sequence;
        let mark = Mark {
            counter: self.mark_counter,
            durable: self.durable.sequence,
            end: offset_u32(self.durable.end),
            link: self.durable.link,
        };
        let slot = usize::from(self.mark_counter % 2 == 1);
        (mark.to_block(active.salt), MARK_OFFSETS[slot] as u64)
    }
}
