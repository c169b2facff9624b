//! The verifier: the log by itself, the log against the journals, and the journals against each other.
//!
//! By itself: every line follows the one before, the lines of each terminal follow one another, each
//! block is in order and says what stands in it. Against the journals: every line is what its frame
//! says, and no durable frame is missing but those that are newer than the log. A whole log that was
//! forged agrees with itself, and one whose journals were forged with it agrees with them too; that is
//! what a noted hash of a line, or of a frame, is for.

use super::cursor::Cursor;
use super::line::{self, Block, FrameLine, Line, Said, frame_body};
use super::log::{Head, open_to_read};
use super::source::{Source, Stream};
use super::transfers::{Transfers, transfers};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Progress, VerifyProblem};
use pos_kernel_wal::storage::{Storage, StorageFile};
use pos_kernel_wal::{Link, Place};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Problems listed; the count goes on.
const PROBLEMS_MAX: usize = 1000;
/// Read at a time.
const READ_BYTES: usize = 1 << 20;

/// The log and one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalCheck {
    /// Terminal.
    pub id: String,
    /// Frames of it in the log.
    pub frames: u64,
    /// Last sequence in the log.
    pub sequence: u64,
    /// Durable records in its journal that the log does not have yet.
    pub behind: u64,
    /// What the log says is in the way of more.
    pub noted: Option<VerifyProblem>,
    /// What is wrong with its journal, or between the journal and the log.
    pub problems: Vec<VerifyProblem>,
}

/// One thing that is wrong with the log itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// Number that the line should have.
    pub line: u64,
    /// Byte at which it begins.
    pub offset: u64,
    /// A sentence about it.
    pub message: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditCheck {
    /// Where the last block ends.
    pub head: Head,
    /// Frames in the log.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// Frames that stand in a later block than their stamp says.
    pub late: u64,
    /// Bytes behind the last block: of one that is being written, or was torn.
    pub unfinished_bytes: u64,
    /// By terminal.
    pub terminals: Vec<TerminalCheck>,
    /// What moved between them, as their journals say, merged or not.
    pub transfers: Transfers,
    /// What is wrong with the log itself.
    pub problems: Vec<LineProblem>,
    /// How many things are wrong in all.
    pub problem_count: u64,
}

/// Checks a log by itself and against the journals of its store, and these against each other. Takes
/// no lock and writes nothing.
///
/// With `anchor`, the hash of a line that was noted earlier must still be one.
///
/// # Errors
/// `PK_E_NOT_FOUND` when there is no log; `PK_E_IO`. What is wrong is in the answer.
pub fn check(
    storage: &dyn Storage,
    path: &Path,
    sources: &[Source],
    anchor: Option<&Link>,
    progress: Progress<'_>,
) -> Result<AuditCheck> {
    let file = open_to_read(storage, path)?;
    let size = file.size().map_err(|error| Error::io("read", path, &error))?;
    let mut checker = Checker::new(sources);
    let mut lines = Lines { file: &*file, path, size, at: 0, buffer: Vec::new(), start: 0 };
    let (mut told, mut anchored) = (0, anchor.is_none());
    while let Some((offset, text)) = lines.next()? {
        let Some(hash) = checker.see(offset, text) else { break };
        anchored |= anchor == Some(&hash);
        if offset - told >= READ_BYTES as u64 {
            told = offset;
            progress(offset, size);
        }
    }
    if !anchored {
        let message = "the anchor is not the hash of a line of this log: it was cut or replaced";
        checker.wrong(0, 0, message);
    }
    let mut answer = checker.finish(size);
    answer.transfers = transfers(sources);
    answer.problem_count += answer.transfers.problem_count;
    Ok(answer)
}

/// The whole lines of a file.
struct Lines<'a> {
    file: &'a dyn StorageFile,
    path: &'a Path,
    size: u64,
    at: u64,
    buffer: Vec<u8>,
    start: usize,
}

impl Lines<'_> {
    /// The next line without its newline, and where it begins.
    fn next(&mut self) -> Result<Option<(u64, &[u8])>> {
        let mut searched = self.start;
        loop {
            let found = self.buffer[searched..].iter().position(|byte| *byte == b'\n');
            if let Some(length) = found.map(|index| searched + index - self.start) {
                let start = self.start;
                self.start += length + 1;
                let offset = self.at - (self.buffer.len() - start) as u64;
                return Ok(Some((offset, &self.buffer[start..start + length])));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            searched = self.buffer.len();
            let rest = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
            if rest == 0 {
                return Ok(None);
            }
            self.buffer.resize(searched + rest.min(READ_BYTES), 0);
            let read = self.file.read_at(&mut self.buffer[searched..], self.at);
            let read = read.map_err(|error| Error::io("read", self.path, &error))?;
            self.buffer.truncate(searched + read);
            self.at += read as u64;
            if read == 0 {
                return Ok(None);
            }
        }
    }
}

/// A terminal while the log is read.
struct Told<'a> {
    source: Option<&'a Source>,
    /// Its journal, once its first line was seen; `None` when nothing more can be compared.
    stream: Option<Stream>,
    /// As the lines say.
    cursor: Cursor,
    records: u64,
    noted: Option<VerifyProblem>,
    problems: Vec<VerifyProblem>,
}

struct Checker<'a> {
    sources: &'a [Source],
    told: BTreeMap<String, Told<'a>>,
    answer: AuditCheck,
    number: u64,
    hash: Link,
    /// Of the block that is being read.
    in_block: BTreeSet<String>,
    order: Option<(u64, String, u64)>,
    frames: u64,
    late: u64,
    top_hlc: u64,
}

impl<'a> Checker<'a> {
    fn new(sources: &'a [Source]) -> Self {
        Self {
            sources,
            told: BTreeMap::new(),
            answer: AuditCheck::default(),
            number: 0,
            hash: [0; 32],
            in_block: BTreeSet::new(),
            order: None,
            frames: 0,
            late: 0,
            top_hlc: 0,
        }
    }

    fn wrong(&mut self, line: u64, offset: u64, message: &str) {
        self.answer.problem_count += 1;
        if self.answer.problems.len() < PROBLEMS_MAX {
            let message = message.to_owned();
            self.answer.problems.push(LineProblem { line, offset, message });
        }
    }

    /// Takes a line. `None` when nothing behind it can be believed.
    fn see(&mut self, offset: u64, text: &[u8]) -> Option<Link> {
        let number = self.number + 1;
        let Some(line) = Line::parse(text) else {
            self.wrong(number, offset, "this is no line of an audit log");
            return None;
        };
        if line.number != number || line.prev != self.hash {
            self.wrong(number, offset, "the line does not follow the one before it");
            return None;
        }
        if (number == 1) != matches!(line.said, Said::Log(line::VERSION)) {
            self.wrong(number, offset, "the log does not begin as this version does");
            return None;
        }
        self.number = number;
        self.hash = line::hash(text);
        match line.said {
            Said::Log(_) => {}
            Said::Frame(said) => self.frame(number, offset, &said, text),
            Said::Block(block) => {
                self.block(number, offset, &block);
                self.answer.head = Head {
                    line: number,
                    hash: self.hash,
                    bytes: offset + text.len() as u64 + 1,
                    block: block.block,
                };
            }
        }
        Some(self.hash)
    }

    fn frame(&mut self, number: u64, offset: u64, said: &FrameLine, text: &[u8]) {
        let order = (said.hlc, said.terminal.clone(), said.sequence);
        if self.order.as_ref().is_some_and(|before| *before >= order) {
            self.wrong(number, offset, "the block is not in order");
        }
        self.order = Some(order);
        self.frames += 1;
        self.late += u64::from(said.hlc < self.top_hlc);
        let source = self.sources.iter().find(|source| source.id == said.terminal);
        let told = self.told.entry(said.terminal.clone()).or_insert_with(|| Told::of(source));
        let follows = said.sequence == told.cursor.sequence() + 1
            && said.hlc >= told.cursor.hlc
            && told.cursor.place.is_none_or(|place| said.epoch >= place.epoch)
            && said.records > 0;
        told.take(said, text);
        self.in_block.insert(said.terminal.clone());
        if !follows {
            self.wrong(number, offset, "the frame does not follow the one before of its terminal");
        }
    }

    fn block(&mut self, number: u64, offset: u64, block: &Block) {
        let counts = (block.block, block.frames, block.late);
        if counts != (self.answer.head.block + 1, self.frames, self.late) {
            self.wrong(number, offset, "the block's number or counts are not those of its lines");
        }
        for (id, cursor) in &block.terminals {
            self.in_block.remove(id);
            let source = self.sources.iter().find(|source| source.id == *id);
            let told = self.told.entry(id.clone()).or_insert_with(|| Told::of(source));
            told.noted.clone_from(&cursor.problem);
            if (Cursor { problem: None, ..cursor.clone() }) != told.cursor {
                self.wrong(number, offset, "the block says of a terminal what its lines do not");
            }
        }
        let missing = block.whole && self.told.keys().any(|id| !block.terminals.contains_key(id));
        if missing || !self.in_block.is_empty() {
            self.wrong(number, offset, "the block leaves a terminal out");
        }
        self.answer.frames += self.frames;
        self.answer.late += self.late;
        (self.frames, self.late, self.order) = (0, 0, None);
        self.in_block.clear();
        self.top_hlc = self.told.values().map(|told| told.cursor.hlc).max().unwrap_or(0);
    }

    fn finish(mut self, size: u64) -> AuditCheck {
        for source in self.sources {
            self.told.entry(source.id.clone()).or_insert_with(|| Told::of(Some(source)));
        }
        self.answer.unfinished_bytes = size - self.answer.head.bytes;
        for (id, told) in self.told {
            let check = told.finish(id);
            self.answer.records += check.1;
            self.answer.problem_count += check.0.problems.len() as u64;
            self.answer.terminals.push(check.0);
        }
        self.answer
    }
}

impl<'a> Told<'a> {
    fn of(source: Option<&'a Source>) -> Self {
        let mut told = Self {
            source,
            stream: None,
            cursor: Cursor::default(),
            records: 0,
            noted: None,
            problems: Vec::new(),
        };
        match source.map(|source| Stream::open(source, &Cursor::default())) {
            Some(Ok(stream)) => told.stream = stream,
            Some(Err(problem)) => told.problems.push(problem),
            None => {}
        }
        told
    }

    /// Compares a line with the journal's next frame.
    fn take(&mut self, said: &FrameLine, text: &[u8]) {
        let place = Place {
            segment: said.segment,
            offset: said.offset,
            sequence: said.sequence.saturating_add(said.records).saturating_sub(1),
            epoch: said.epoch,
            link: said.link,
        };
        let frames = self.cursor.frames + 1;
        self.cursor = Cursor { place: Some(place), hlc: said.hlc, frames, problem: None };
        self.records += said.records;
        let differs = |message: &str| VerifyProblem {
            segment: said.segment,
            offset: said.offset,
            sequence: said.sequence,
            code: Code::AuditContradicted,
            message: message.to_owned(),
        };
        let Some(stream) = &mut self.stream else {
            if self.problems.is_empty() {
                let message = match self.source {
                    Some(_) => "the log has a frame that the journal does not have",
                    None => "the journal that was merged is gone",
                };
                self.problems.push(differs(message));
            }
            return;
        };
        let found = match stream.fetch() {
            Err(problem) => Some(problem),
            Ok(false) => Some(differs("the log has a frame that the journal does not have")),
            Ok(true) => stream.frame().and_then(|frame| {
                let same = frame.place() == place && says(&said.terminal, &frame, text);
                (!same).then(|| differs("the log says of this frame what the journal does not"))
            }),
        };
        match found {
            None => stream.step(),
            // What follows can no longer be told from what is missing.
            Some(problem) => {
                self.problems.push(problem);
                self.stream = None;
            }
        }
    }

    /// Counts what the journal has behind the log.
    fn finish(mut self, id: String) -> (TerminalCheck, u64) {
        let mut behind = 0;
        if let Some(stream) = &mut self.stream {
            loop {
                match stream.fetch() {
                    Ok(true) => {
                        behind += stream.frame().map_or(0, |frame| u64::from(frame.header.count));
                        stream.step();
                    }
                    Ok(false) => break,
                    Err(problem) => {
                        self.problems.push(problem);
                        break;
                    }
                }
            }
        }
        let check = TerminalCheck {
            id,
            frames: self.cursor.frames,
            sequence: self.cursor.sequence(),
            behind,
            noted: self.noted,
            problems: self.problems,
        };
        (check, self.records)
    }
}

/// True when a line says what a frame does, in whatever order of fields.
fn says(terminal: &str, frame: &pos_kernel_wal::Frame<'_>, text: &[u8]) -> bool {
    let body = frame_body(terminal, frame);
    if text.ends_with(body.as_bytes()) {
        return true;
    }
    let expected: Option<Value> = serde_json::from_str(&format!("{{{body}")).ok();
    let said: Option<Value> = serde_json::from_slice(text).ok();
    let without = |value: Option<Value>| match value {
        Some(Value::Object(mut fields)) => {
            fields.remove("line");
            fields.remove("prev");
            Some(fields)
        }
        _ => None,
    };
    expected.is_some() && without(said) == without(expected)
}
