//! A terminal's journal, frame by frame behind a cursor.

use super::cursor::Cursor;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{VerifyProblem, translate};
use crate::terminal::{History, TerminalId, terminal_dir};
use pos_kernel_wal::{Frame, Place, Reader, Window};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// A terminal whose journal is merged.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// Its journal, with its archives.
    pub history: History,
}

/// Ids of the terminals under a root that have a folder, in order.
///
/// # Errors
/// `PK_E_IO`.
pub fn terminal_ids(root: &Path) -> Result<Vec<String>> {
    let dir = root.join("terminals");
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound && root.is_dir() => {
            return Ok(Vec::new());
        }
        Err(error) => {
            let message = format!("cannot read {}: {error}", dir.display());
            return Err(Error::new(Code::Io, message).with("path", dir.display().to_string()));
        }
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<String> = names.filter(|name| TerminalId::parse(name).is_ok()).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The journals of a store, with their archives in it and in another folder.
///
/// # Errors
/// `PK_E_IO`.
pub fn sources(root: &Path, archive: Option<&Path>) -> Result<Vec<Source>> {
    let source = |id: String| {
        let parsed = TerminalId::parse(&id)?;
        let history = History::of_terminal(&terminal_dir(root, &parsed));
        let history = history.with_archives(archive.map(|archive| archive.join(&id)));
        Ok(Source { id, history })
    };
    terminal_ids(root)?.into_iter().map(source).collect()
}

/// The frames of a journal behind a place, each durable, each following the one before.
#[derive(Debug)]
pub(super) struct Stream {
    id: String,
    reader: Reader,
    place: Option<Place>,
    hlc: u64,
    window: Option<Window>,
    next: usize,
}

impl Stream {
    /// A stream; `None` where there is no journal yet and none was merged.
    pub(super) fn open(
        source: &Source,
        cursor: &Cursor,
    ) -> std::result::Result<Option<Self>, VerifyProblem> {
        let reader = match source.history.reader() {
            Ok(reader) => reader,
            Err(error) if error.code() == Code::NotFound => {
                return if cursor.place.is_none() { Ok(None) } else { Err(gone(cursor)) };
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let (id, place, hlc) = (source.id.clone(), cursor.place, cursor.hlc);
        Ok(Some(Self { id, reader, place, hlc, window: None, next: 0 }))
    }

    /// Makes sure that a frame is at hand, when there is one.
    pub(super) fn fetch(&mut self) -> std::result::Result<bool, VerifyProblem> {
        if self.window.as_ref().is_some_and(|window| self.next < window.len()) {
            return Ok(true);
        }
        self.next = 0;
        let look = self.reader.after(self.place.as_ref());
        self.window = look.map_err(|error| unreadable(&error.into()))?.map_err(translate)?;
        let Some(window) = &self.window else { return Ok(false) };
        let header = window.header();
        if header.name != self.id {
            let message = format!(
                "the segment belongs to terminal {:?} and stands in the folder of {:?}",
                header.name, self.id
            );
            return Err(VerifyProblem {
                segment: header.segment,
                offset: 0,
                sequence: header.first_sequence,
                code: Code::AuditContradicted,
                message,
            });
        }
        Ok(true)
    }

    /// The frame at hand.
    pub(super) fn frame(&self) -> Option<Frame<'_>> {
        self.window.as_ref()?.frame(self.next)
    }

    /// Checks the frame at hand against the one before, and goes on behind it.
    pub(super) fn step(&mut self) {
        if let Some(frame) = self.frame() {
            let (place, hlc) = (frame.place(), frame.header.stamp.hlc);
            (self.place, self.hlc) = (Some(place), hlc);
            self.next += 1;
        }
    }

    /// The stamp of the frame at hand, which is never below that of the one before.
    pub(super) fn stamp(&self) -> std::result::Result<Option<u64>, VerifyProblem> {
        let Some(frame) = self.frame() else { return Ok(None) };
        let header = &frame.header;
        if header.stamp.hlc >= self.hlc {
            return Ok(Some(header.stamp.hlc));
        }
        Err(VerifyProblem {
            segment: header.segment,
            offset: header.offset,
            sequence: header.sequence,
            code: Code::Inconsistent,
            message: "the logical clock goes back".to_owned(),
        })
    }

    /// The first sequence of the newest segment: about how far the journal goes.
    pub(super) fn goal(&self) -> u64 {
        let newest = self.reader.segments().next_back();
        let header = newest.and_then(|segment| self.reader.header(segment).ok().flatten());
        header.map_or(0, |header| header.first_sequence)
    }
}

/// What is wrong when a journal that was merged is not there.
pub(super) fn gone(cursor: &Cursor) -> VerifyProblem {
    VerifyProblem {
        segment: 0,
        offset: 0,
        sequence: cursor.sequence(),
        code: Code::AuditContradicted,
        message: "the journal that was merged is gone".to_owned(),
    }
}

fn unreadable(error: &Error) -> VerifyProblem {
    let message = error.message().to_owned();
    VerifyProblem { segment: 0, offset: 0, sequence: 0, code: error.code(), message }
}
