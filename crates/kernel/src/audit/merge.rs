//! The merge: what is new in all journals, in order, into the next blocks of the log.

use super::cursor::Cursor;
use super::lock::AuditLock;
use super::log::{AuditLog, Head};
use super::source::{Source, Stream, gone};
use super::{line, log_path};
use crate::clock::{Clock, SystemClock, iso_utc};
use crate::error::{Error, Result};
use crate::journal::{Progress, VerifyProblem};
use pos_kernel_wal::OsStorage;
use pos_kernel_wal::storage::Storage;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use std::sync::Arc;

/// What is in the way of one terminal. The others were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The terminal.
    pub terminal: String,
    /// What is wrong, and where in its journal.
    pub problem: VerifyProblem,
}

/// What a merge did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Frames that are new in the log.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// Blocks that are new.
    pub blocks: u64,
    /// Terminals with a journal.
    pub terminals: u64,
    /// Where the log ends now.
    pub head: Head,
    /// What stands in the way, by terminal.
    pub faults: Vec<Fault>,
}

/// The one that appends to the log of a store.
#[derive(Debug)]
pub struct Merger {
    log: AuditLog,
    clock: Arc<dyn Clock>,
    /// Held as long as this lives; a test with a disk of its own needs none.
    _lock: Option<AuditLock>,
}

impl Merger {
    /// Takes the lock of a store's log and opens it.
    ///
    /// # Errors
    /// `PK_E_AUDIT_IN_USE` while another process merges, `PK_E_AUDIT_LOG` when the log was changed,
    /// `PK_E_VERSION`, `PK_E_IO`, `PK_E_NO_SPACE`.
    pub fn open(root: &Path) -> Result<Self> {
        let path = log_path(root);
        let dir = path.parent().unwrap_or(root);
        let storage = OsStorage;
        storage.create_dir_all(dir).map_err(|error| Error::io("make", dir, &error))?;
        let lock = AuditLock::take(dir)?;
        let log = AuditLog::open(Arc::new(storage), &path)?;
        Ok(Self { log, clock: Arc::new(SystemClock), _lock: Some(lock) })
    }

    /// Opens a log on a disk of the caller's, who sees to it that nobody else does.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn over(storage: Arc<dyn Storage>, path: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self { log: AuditLog::open(storage, path)?, clock, _lock: None })
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &AuditLog {
        &self.log
    }

    /// Merges what is durable in the journals and not in the log yet. All of it is durable in the
    /// log when this returns. What is wrong with one journal is in the answer and, once, in the log;
    /// the others are merged.
    ///
    /// # Errors
    /// `PK_E_IO`, `PK_E_NO_SPACE` of the log: open it again.
    pub fn merge(&mut self, sources: &[Source], progress: Progress<'_>) -> Result<Merged> {
        let mut merged = Merged::default();
        let mut pass = Pass::default();
        for (index, source) in sources.iter().enumerate() {
            let cursor = self.log.cursors().get(&source.id).cloned().unwrap_or_default();
            let stream = Stream::open(source, &cursor).and_then(|stream| {
                let Some(mut stream) = stream else { return Ok(None) };
                merged.terminals += 1;
                let stamp = if stream.fetch()? { stream.stamp()? } else { None };
                Ok(Some((stream, stamp)))
            });
            match stream {
                Ok(None) => {}
                Ok(Some((stream, stamp))) => {
                    pass.done += cursor.sequence();
                    pass.goal += stream.goal().max(cursor.sequence());
                    if cursor.problem.is_some() {
                        self.log.set(&source.id, Cursor { problem: None, ..cursor });
                    }
                    if let Some(stamp) = stamp {
                        pass.heads.push(Reverse((stamp, index)));
                        pass.streams.insert(index, stream);
                    }
                }
                Err(problem) => self.fault(&mut merged, &source.id, problem),
            }
        }
        let known = |id: &str| sources.iter().any(|source| source.id == id);
        let merged_once: Vec<(String, Cursor)> = self.log.cursors().clone().into_iter().collect();
        for (id, cursor) in merged_once {
            if !known(&id) && cursor.place.is_some() {
                self.fault(&mut merged, &id, gone(&cursor));
            }
        }
        self.run(sources, &mut pass, &mut merged, progress)?;
        merged.blocks += u64::from(self.close_block()?);
        merged.head = self.log.head();
        merged.faults.sort_by(|one, other| one.terminal.cmp(&other.terminal));
        Ok(merged)
    }

    fn run(
        &mut self,
        sources: &[Source],
        pass: &mut Pass,
        merged: &mut Merged,
        progress: Progress<'_>,
    ) -> Result<()> {
        while let Some(Reverse((hlc, index))) = pass.heads.pop() {
            let Some(stream) = pass.streams.get_mut(&index) else { continue };
            let id = &sources[index].id;
            let Some(frame) = stream.frame() else { continue };
            let records = u64::from(frame.header.count);
            let frames = self.log.cursors().get(id).map_or(0, |cursor| cursor.frames) + 1;
            let cursor = Cursor { place: Some(frame.place()), hlc, frames, problem: None };
            self.log.push(id, cursor, &line::frame_body(id, &frame));
            stream.step();
            merged.frames += 1;
            merged.records += records;
            pass.done += records;
            if self.log.is_full() {
                merged.blocks += u64::from(self.close_block()?);
                progress(pass.done, pass.goal.max(pass.done));
            }
            let next = stream.fetch().and_then(|some| if some { stream.stamp() } else { Ok(None) });
            match next {
                Ok(Some(hlc)) => pass.heads.push(Reverse((hlc, index))),
                Ok(None) => drop(pass.streams.remove(&index)),
                Err(problem) => {
                    pass.streams.remove(&index);
                    self.fault(merged, id, problem);
                }
            }
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<bool> {
        self.log.close_block(iso_utc(self.clock.wall_ns()))
    }

    /// Tells what is wrong, and writes it into the log unless that says so already.
    fn fault(&mut self, merged: &mut Merged, id: &str, problem: VerifyProblem) {
        let cursor = self.log.cursors().get(id).cloned().unwrap_or_default();
        if cursor.problem.as_ref() != Some(&problem) {
            self.log.set(id, Cursor { problem: Some(problem.clone()), ..cursor });
        }
        merged.faults.push(Fault { terminal: id.to_owned(), problem });
    }
}

/// One merge under way.
#[derive(Default)]
struct Pass {
    streams: BTreeMap<usize, Stream>,
    /// The next frame of each stream, by stamp and terminal.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    /// Records merged, and about how many there are.
    done: u64,
    goal: u64,
}
