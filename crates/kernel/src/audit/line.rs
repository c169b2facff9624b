//! The lines of the log: JSON, one object a line, each with the hash of the line before.
//!
//! ```text
//! {"line":1,"prev":"0000…","type":"log","version":1}
//! {"line":2,"prev":"9f3c…","type":"frame","hlc":"019b…","terminal":"REGISTER_01","sequence":1,…,"facts":[…]}
//! {"line":3,"prev":"41d0…","type":"block","block":1,"frames":1,…,"terminals":{"REGISTER_01":{…}}}
//! ```
//!
//! The hash is SHA-256 of the line without its newline: every system has a program for it, and a line
//! is hashed once, so that its price does not matter here. Stamps are 16 hexadecimal digits: as
//! numbers they are past what JSON's readers keep exactly, and as text they sort as they should.

use super::cursor::Cursor;
use crate::clock::iso_utc;
use crate::journal::{hex, show};
use pos_kernel_wal::{Frame, Link};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Version of the log's form.
pub(super) const VERSION: u64 = 1;

/// The hash of a line.
pub(super) fn hash(line: &[u8]) -> Link {
    Sha256::digest(line).into()
}

/// A stamp as text.
pub(super) fn hlc_text(hlc: u64) -> String {
    format!("{hlc:016x}")
}

/// A stamp from text.
pub(super) fn hlc_of(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == 16 && text.bytes().all(is_digit))
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

/// A link from text.
pub(super) fn link_of(text: &str) -> Option<Link> {
    crate::archive::unhex(text)?.try_into().ok()
}

/// What stands in front of a line's own fields.
pub(super) fn opening(line: u64, prev: &Link) -> String {
    format!("{{\"line\":{line},\"prev\":\"{}\",", hex(prev))
}

/// The first line's own fields.
pub(super) fn log_body() -> String {
    format!("\"type\":\"log\",\"version\":{VERSION}}}")
}

/// A frame's own fields: where it stands, and its facts as `inspect` shows them. What a checkpoint
/// carries was told by the facts before it, so of one only the fact that it is there.
pub(super) fn frame_body(terminal: &str, frame: &Frame<'_>) -> String {
    use std::fmt::Write;
    let header = &frame.header;
    let what = match (frame.is_checkpoint(), frame.is_seal()) {
        (true, _) => "checkpoint",
        (_, true) => "seal",
        _ => "facts",
    };
    let mut body = String::with_capacity(512);
    let _ = write!(
        body,
        "\"type\":\"frame\",\"hlc\":\"{:016x}\",\"terminal\":\"{terminal}\",\"epoch\":{},\
         \"sequence\":{},\"records\":{},\"at\":\"{}\",\"segment\":{},\"offset\":{},\"link\":\"{}\",\
         \"frame\":\"{what}\",\"facts\":[",
        header.stamp.hlc,
        header.epoch,
        header.sequence,
        header.count,
        iso_utc(header.stamp.wall_ns),
        header.segment,
        header.offset,
        hex(&frame.link()),
    );
    if what == "facts" {
        for (index, shown) in show(frame).into_iter().enumerate() {
            let Value::Object(mut value) = shown.value else { continue };
            // The frame has said these.
            for name in ["at", "epoch", "segment", "offset", "hash"] {
                value.remove(name);
            }
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(body, "{comma}{}", Value::Object(value));
        }
    }
    body.push_str("]}");
    body
}

/// What a block says of the lines before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Number, from 1.
    pub(super) block: u64,
    /// When it was written.
    pub(super) at: String,
    /// Frames in it.
    pub(super) frames: u64,
    /// Those with a stamp below the greatest of earlier blocks.
    pub(super) late: u64,
    /// `terminals` names all, and not only those that something changed for.
    pub(super) whole: bool,
    /// How far they were merged.
    pub(super) terminals: BTreeMap<String, Cursor>,
}

impl Block {
    pub(super) fn body(&self) -> String {
        let Self { block, at, frames, late, whole, terminals } = self;
        let terminals: BTreeMap<&String, Value> =
            terminals.iter().map(|(id, cursor)| (id, cursor.to_json())).collect();
        format!(
            "\"type\":\"block\",\"block\":{block},\"at\":\"{at}\",\"frames\":{frames},\
             \"late\":{late},\"whole\":{whole},\"terminals\":{}}}",
            json!(terminals)
        )
    }

    fn from_json(value: &Value) -> Option<Self> {
        let number = |name: &str| value.get(name)?.as_u64();
        let terminals = value.get("terminals")?.as_object()?;
        let terminals =
            terminals.iter().map(|(id, cursor)| Some((id.clone(), Cursor::from_json(cursor)?)));
        Some(Self {
            block: number("block")?,
            at: value.get("at")?.as_str()?.to_owned(),
            frames: number("frames")?,
            late: number("late")?,
            whole: value.get("whole")?.as_bool()?,
            terminals: terminals.collect::<Option<_>>()?,
        })
    }
}

/// What a frame's line says, without its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrameLine {
    pub(super) terminal: String,
    pub(super) hlc: u64,
    pub(super) epoch: u32,
    pub(super) sequence: u64,
    pub(super) records: u64,
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) link: Link,
}

impl FrameLine {
    fn from_json(value: &Value) -> Option<Self> {
        let number = |name: &str| value.get(name)?.as_u64();
        let small = |name: &str| u32::try_from(number(name)?).ok();
        let text = |name: &str| value.get(name)?.as_str();
        Some(Self {
            terminal: text("terminal")?.to_owned(),
            hlc: hlc_of(text("hlc")?)?,
            epoch: small("epoch")?,
            sequence: number("sequence")?,
            records: number("records")?,
            segment: small("segment")?,
            offset: small("offset")?,
            link: link_of(text("link")?)?,
        })
    }
}

/// A line of the log, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The beginning of a log.
    Log(u64),
    /// A frame.
    Frame(Box<FrameLine>),
    /// The end of a block.
    Block(Box<Block>),
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) prev: Link,
    pub(super) said: Said,
}

impl Line {
    /// Reads a line; `None` when it is none of ours.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let said = match value.get("type")?.as_str()? {
            "log" => Said::Log(value.get("version")?.as_u64()?),
            "frame" => Said::Frame(Box::new(FrameLine::from_json(&value)?)),
            "block" => Said::Block(Box::new(Block::from_json(&value)?)),
            _ => return None,
        };
        Some(Self {
            number: value.get("line")?.as_u64()?,
            prev: link_of(value.get("prev")?.as_str()?)?,
            said,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Line, Said, hlc_of, hlc_text, log_body, opening};
    use crate::audit::Cursor;
    use crate::code::Code;
    use crate::journal::VerifyProblem;
    use pos_kernel_wal::Place;

    #[test]
    fn a_stamp_is_the_same_text_and_sorts_as_text() {
        for hlc in [0, 1, 1 << 40, u64::MAX] {
            assert_eq!(hlc_of(&hlc_text(hlc)), Some(hlc));
        }
        assert!(hlc_text(9) < hlc_text(10));
        for text in ["", "1", "00000000000000AB", "+000000000000001", "000000000000000000"] {
            assert_eq!(hlc_of(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let place = Place { segment: 3, offset: 12_288, sequence: 77, epoch: 2, link: [7; 32] };
        let problem = VerifyProblem {
            segment: 3,
            offset: 16_384,
            sequence: 78,
            code: Code::Corrupt,
            message: "a \"quoted\" message".to_owned(),
        };
        let cursors = [
            ("A", Cursor { place: Some(place), hlc: 5, frames: 9, problem: None }),
            ("B", Cursor { place: None, hlc: 0, frames: 0, problem: Some(problem) }),
        ];
        let block = Block {
            block: 4,
            at: "2026-01-02T03:04:05.000Z".to_owned(),
            frames: 9,
            late: 1,
            whole: true,
            terminals: cursors.map(|(id, cursor)| (id.to_owned(), cursor)).into(),
        };
        let text = format!("{}{}", opening(12, &[9; 32]), block.body());
        let line = Line::parse(text.as_bytes()).unwrap();
        assert_eq!((line.number, line.prev), (12, [9; 32]));
        assert_eq!(line.said, Said::Block(Box::new(block)));
        let first = format!("{}{}", opening(1, &[0; 32]), log_body());
        assert_eq!(Line::parse(first.as_bytes()).unwrap().said, Said::Log(1));
    }

    #[test]
    fn what_is_no_line_is_none() {
        for text in ["", "{", "{}", "[]", "{\"type\":\"frame\"}", "{\"type\":\"other\",\"line\":1}"]
        {
            assert_eq!(Line::parse(text.as_bytes()), None, "{text}");
        }
    }
}
