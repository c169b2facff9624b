//! The log's file: blocks of lines, each block durable before the next begins.
//!
//! ```text
//! block 1            block 2                 what a crash left
//! frame … frame END1 frame … frame frame END2 frame … fra
//!                  │                        │ └─ cut: no block closes it
//!                  └─ synced before any of this was written
//! ```
//!
//! A block is written at once and then synced, so a crash can tear the last one and no other. Whoever
//! opens the log therefore goes back to a block that has another behind it, and follows the chain from
//! there to the end. What does not hold behind the last block that holds was never promised and is
//! cut; the journals still have it. What does not hold *before* a block that has another behind it
//! was changed: `PK_E_AUDIT_LOG`, and nothing is written.
//!
//! A tear in the last block and a change to it look the same from here. Both are cut, and merged anew
//! from the journals, which say the truth; when a whole block goes, its bytes are kept aside.

use super::cursor::Cursor;
use super::line::{self, Block, Line, Said};
use crate::code::Code;
use crate::error::{Error, Result};
use pos_kernel_wal::Link;
use pos_kernel_wal::storage::{Access, Storage, StorageFile, make_dirs, replace, sync_way_to};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of frames after which a block is closed.
pub(super) const BLOCK_BYTES: usize = 4 << 20;
/// Bytes after which a block names all terminals, and not only those that something changed for.
const WHOLE_BYTES: u64 = 256 << 10;
/// Read first, from the end; doubled until there is enough to begin from.
const TAIL_BYTES: u64 = 512 << 10;

/// Where the log ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the last line; 0 in an empty log.
    pub line: u64,
    /// Its hash: what an auditor notes.
    pub hash: Link,
    /// Bytes up to its end.
    pub bytes: u64,
    /// Number of the last block.
    pub block: u64,
}

/// The log, open for appending. Nobody else may append meanwhile.
#[derive(Debug)]
pub struct AuditLog {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    file: Arc<dyn StorageFile>,
    head: Head,
    cursors: BTreeMap<String, Cursor>,
    /// Where the last block ends that names all terminals.
    whole_at: u64,
    /// Terminals that something has changed for since the last block.
    changed: BTreeSet<String>,
    /// Lines of the block that is being made.
    lines: String,
    next: Head,
    frames: u64,
    late: u64,
    top_hlc: u64,
    cut_bytes: u64,
    failed: bool,
}

impl AuditLog {
    /// Opens a log where its last block ends, and cuts what stands behind.
    ///
    /// # Errors
    /// `PK_E_AUDIT_LOG` when it was changed; `PK_E_VERSION`, `PK_E_IO`, `PK_E_NO_SPACE`.
    pub fn open(storage: Arc<dyn Storage>, path: &Path) -> Result<Self> {
        let file = match storage.open(path, Access::Write) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => make(&*storage, path)?,
            Err(error) => return Err(Error::io("open", path, &error)),
        };
        let size = file.size().map_err(|error| Error::io("read", path, &error))?;
        // After a failed sync the cache may say what the device does not have.
        let forgotten = file.forget_cached(size.saturating_sub(TAIL_BYTES)..size);
        forgotten.map_err(|error| Error::io("read", path, &error))?;
        let resumed = resume(&*file, size, path)?;
        let Resumed { head, cursors, whole_at, keep_aside } = resumed;
        if head.bytes < size {
            let failed =
                |operation| move |error: std::io::Error| Error::io(operation, path, &error);
            if keep_aside {
                set_aside(&*storage, &*file, path, head, size)?;
            }
            file.cut(head.bytes).map_err(failed("cut"))?;
            file.sync().map_err(failed("sync"))?;
        }
        let top_hlc = cursors.values().map(|cursor| cursor.hlc).max().unwrap_or(0);
        Ok(Self {
            storage,
            path: path.to_owned(),
            file,
            head,
            cursors,
            whole_at,
            changed: BTreeSet::new(),
            lines: String::new(),
            next: head,
            frames: 0,
            late: 0,
            top_hlc,
            cut_bytes: size - head.bytes,
            failed: false,
        })
    }

    /// Where the log ends, as far as it is durable.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// How far each terminal was merged; more than is durable while a block is being made.
    #[must_use]
    pub fn cursors(&self) -> &BTreeMap<String, Cursor> {
        &self.cursors
    }

    /// Bytes that were cut when it was opened.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// The log's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The disk that it stands on.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Adds the line of a frame to the block that is being made.
    pub(super) fn push(&mut self, terminal: &str, cursor: Cursor, body: &str) {
        if self.next.line == 0 {
            self.line(&line::log_body());
        }
        self.line(body);
        self.frames += 1;
        self.late += u64::from(cursor.hlc < self.top_hlc);
        self.set(terminal, cursor);
    }

    /// Moves a terminal's cursor.
    pub(super) fn set(&mut self, terminal: &str, cursor: Cursor) {
        if !self.changed.contains(terminal) {
            self.changed.insert(terminal.to_owned());
        }
        self.cursors.insert(terminal.to_owned(), cursor);
    }

    /// True when the block that is being made is large enough.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= BLOCK_BYTES
    }

    /// Closes the block that is being made and makes it durable. False when there is nothing in it.
    pub(super) fn close_block(&mut self, at: String) -> Result<bool> {
        if self.changed.is_empty() {
            return Ok(false);
        }
        if self.failed {
            let message = "an earlier write of the audit log failed; open it again";
            return Err(Error::new(Code::Io, message).with("path", self.path.display().to_string()));
        }
        if self.next.line == 0 {
            self.line(&line::log_body());
        }
        let grown = self.head.bytes + self.lines.len() as u64 - self.whole_at;
        let whole = self.head.block == 0 || grown >= WHOLE_BYTES;
        let changed = std::mem::take(&mut self.changed);
        let told = |(id, _): &(&String, &Cursor)| whole || changed.contains(*id);
        let terminals = self.cursors.iter().filter(told);
        let block = Block {
            block: self.head.block + 1,
            at,
            frames: self.frames,
            late: self.late,
            whole,
            terminals: terminals.map(|(id, cursor)| (id.clone(), cursor.clone())).collect(),
        };
        self.line(&block.body());
        let written = self.file.write_at(self.lines.as_bytes(), self.head.bytes);
        let written = written.and_then(|()| self.file.sync());
        // Nothing is tried again: after a failed sync the pages may be gone.
        self.failed = written.is_err();
        written.map_err(|error| Error::io("write", &self.path, &error))?;
        self.head = Head {
            bytes: self.head.bytes + self.lines.len() as u64,
            block: block.block,
            ..self.next
        };
        self.next = self.head;
        if whole {
            self.whole_at = self.head.bytes;
        }
        self.lines.clear();
        (self.frames, self.late) = (0, 0);
        self.top_hlc = self.cursors.values().map(|cursor| cursor.hlc).max().unwrap_or(0);
        Ok(true)
    }

    fn line(&mut self, body: &str) {
        let start = self.lines.len();
        self.next.line += 1;
        self.lines.push_str(&line::opening(self.next.line, &self.next.hash));
        self.lines.push_str(body);
        self.next.hash = line::hash(&self.lines.as_bytes()[start..]);
        self.lines.push('\n');
    }
}

/// Where a log ends and how far each terminal was merged, without its lock and without a write.
///
/// # Errors
/// `PK_E_NOT_FOUND` when there is no log; `PK_E_AUDIT_LOG`, `PK_E_VERSION`, `PK_E_IO`.
pub fn standing(storage: &dyn Storage, path: &Path) -> Result<(Head, BTreeMap<String, Cursor>)> {
    let file = open_to_read(storage, path)?;
    let size = file.size().map_err(|error| Error::io("read", path, &error))?;
    let resumed = resume(&*file, size, path)?;
    Ok((resumed.head, resumed.cursors))
}

/// Opens a log that must be there.
pub(super) fn open_to_read(storage: &dyn Storage, path: &Path) -> Result<Arc<dyn StorageFile>> {
    storage.open(path, Access::Read).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            let message = format!("there is no audit log {}; run store audit", path.display());
            let error = Error::new(Code::NotFound, message);
            return error.with("path", path.display().to_string());
        }
        Error::io("open", path, &error)
    })
}

fn make(storage: &dyn Storage, path: &Path) -> Result<Arc<dyn StorageFile>> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let make = || {
        let made = make_dirs(storage, dir)?;
        let file = storage.open(path, Access::Create)?;
        file.sync()?;
        storage.sync_dir(dir)?;
        sync_way_to(storage, dir, &made)?;
        Ok(file)
    };
    make().map_err(|error| Error::io("make", path, &error))
}

/// Keeps bytes that are about to be cut, since a whole block is among them.
fn set_aside(
    storage: &dyn Storage,
    file: &dyn StorageFile,
    path: &Path,
    head: Head,
    size: u64,
) -> Result<()> {
    let bytes = read(file, head.bytes, size, path)?;
    let aside = path.with_extension(format!("cut-{}", head.line + 1));
    replace(storage, &aside, &bytes).map_err(|error| Error::io("write", &aside, &error))
}

fn read(file: &dyn StorageFile, from: u64, to: u64, path: &Path) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::io("read", path, &error);
    let size = usize::try_from(to - from).map_err(|error| failed(std::io::Error::other(error)))?;
    let mut bytes = vec![0; size];
    let read = file.read_at(&mut bytes, from).map_err(failed)?;
    bytes.truncate(read);
    Ok(bytes)
}

struct Resumed {
    head: Head,
    cursors: BTreeMap<String, Cursor>,
    whole_at: u64,
    /// A whole block stands behind the head.
    keep_aside: bool,
}

/// A line of the tail: where it begins, where its newline stands, and the block that it closes.
struct Place {
    start: usize,
    end: usize,
    block: Option<Box<Block>>,
}

/// Finds where a log ends. Reads its tail only.
fn resume(file: &dyn StorageFile, size: u64, path: &Path) -> Result<Resumed> {
    let mut window = TAIL_BYTES;
    loop {
        let from = size.saturating_sub(window);
        let tail = read(file, from, size, path)?;
        let places = places(&tail, from > 0);
        let blocks: Vec<usize> =
            (0..places.len()).filter(|index| places[*index].block.is_some()).collect();
        // A block with another behind it was durable before that one was written.
        let is_whole = |index: &&usize| places[**index].block.as_ref().is_some_and(|it| it.whole);
        let begin = blocks.iter().rev().skip(1).find(is_whole).copied();
        if from > 0 && begin.is_none() {
            window = window.saturating_mul(2);
            continue;
        }
        return follow(&tail, from, &places, begin, path);
    }
}

fn places(tail: &[u8], is_cut: bool) -> Vec<Place> {
    let mut places = Vec::new();
    let mut start = 0;
    for (end, _) in tail.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        // Of the first one only the end was read.
        if !(is_cut && start == 0) {
            let text = &tail[start..end];
            places.push(Place { start, end, block: block_of(text) });
        }
        start = end + 1;
    }
    places
}

/// The block that a line closes. Most lines are frames, and none of those is read.
fn block_of(text: &[u8]) -> Option<Box<Block>> {
    const MARK: &[u8] = b"\"type\":\"block\"";
    let front = &text[..text.len().min(160)];
    front.windows(MARK.len()).any(|window| window == MARK).then(|| Line::parse(text))?.and_then(
        |line| match line.said {
            Said::Block(block) => Some(block),
            _ => None,
        },
    )
}

/// Follows the chain from a block to the last one that holds.
fn follow(
    tail: &[u8],
    from: u64,
    places: &[Place],
    begin: Option<usize>,
    path: &Path,
) -> Result<Resumed> {
    let end_of = |place: &Place| from + place.end as u64 + 1;
    let mut resumed =
        Resumed { head: Head::default(), cursors: BTreeMap::new(), whole_at: 0, keep_aside: false };
    let mut next = 0;
    if let Some(index) = begin {
        let place = &places[index];
        let text = &tail[place.start..place.end];
        let line = Line::parse(text).expect("it was parsed when it was found");
        let Said::Block(block) = line.said else { unreachable!("a block was found there") };
        resumed.head = Head {
            line: line.number,
            hash: line::hash(text),
            bytes: end_of(place),
            block: block.block,
        };
        resumed.cursors = block.terminals;
        resumed.whole_at = resumed.head.bytes;
        next = index + 1;
    }
    let (mut number, mut hash) = (resumed.head.line, resumed.head.hash);
    let mut torn = None;
    for (index, place) in places.iter().enumerate().skip(next) {
        let text = &tail[place.start..place.end];
        let holds = Line::parse(text).filter(|line| {
            let is_first = number == 0;
            let fits = line.number == number + 1 && line.prev == hash;
            fits && is_first == matches!(line.said, Said::Log(_))
        });
        let Some(line) = holds else {
            torn = Some(index);
            break;
        };
        if let Said::Log(version) = line.said
            && version != line::VERSION
        {
            let known = line::VERSION;
            let message = format!(
                "{} has version {version} and this kernel knows {known}; use the version that \
                 wrote it",
                path.display()
            );
            return Err(Error::new(Code::Version, message)
                .with("found", version)
                .with("known", known));
        }
        (number, hash) = (line.number, line::hash(text));
        if let Said::Block(block) = line.said {
            resumed.head = Head { line: number, hash, bytes: end_of(place), block: block.block };
            if block.whole {
                resumed.whole_at = resumed.head.bytes;
            }
            resumed.cursors.extend(block.terminals);
        }
    }
    if let Some(torn) = torn {
        let behind = places[torn..].iter().filter(|place| place.block.is_some()).count();
        resumed.keep_aside = behind > 0;
        if behind > 1 {
            let offset = from + places[torn].start as u64;
            let message = format!(
                "{} was changed at byte {offset}: line {} does not follow the one before it, and \
                 whole blocks stand behind it. Nothing was written: keep a copy, compare it with the \
                 journals by store audit --verify, then move it away and merge anew",
                path.display(),
                number + 1
            );
            return Err(Error::new(Code::AuditLog, message)
                .with("path", path.display().to_string())
                .with("offset", offset)
                .with("line", number + 1));
        }
    }
    Ok(resumed)
}
