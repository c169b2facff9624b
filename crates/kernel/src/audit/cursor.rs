//! How far a terminal was merged.

use super::line::{hlc_of, hlc_text, link_of};
use crate::code::Code;
use crate::journal::{VerifyProblem, hex};
use pos_kernel_wal::Place;
use serde_json::{Map, Value, json};

/// How far a terminal was merged, and what stands in the way of more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The last frame that was merged; `None` before the first.
    pub place: Option<Place>,
    /// Its stamp.
    pub hlc: u64,
    /// Frames merged so far.
    pub frames: u64,
    /// Why it goes no further.
    pub problem: Option<VerifyProblem>,
}

impl Cursor {
    /// Last sequence that was merged; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.place.map_or(0, |place| place.sequence)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut value = Map::new();
        value.insert("frames".to_owned(), self.frames.into());
        if let Some(place) = &self.place {
            value.insert("segment".to_owned(), place.segment.into());
            value.insert("offset".to_owned(), place.offset.into());
            value.insert("sequence".to_owned(), place.sequence.into());
            value.insert("epoch".to_owned(), place.epoch.into());
            value.insert("hlc".to_owned(), hlc_text(self.hlc).into());
            value.insert("link".to_owned(), hex(&place.link).into());
        }
        if let Some(problem) = &self.problem {
            let VerifyProblem { segment, offset, sequence, code, message } = problem;
            let problem = json!({
                "segment": segment, "offset": offset, "sequence": sequence,
                "code": code.name(), "message": message,
            });
            value.insert("problem".to_owned(), problem);
        }
        Value::Object(value)
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let number = |value: &Value, name: &str| value.get(name)?.as_u64();
        let small = |value: &Value, name: &str| u32::try_from(number(value, name)?).ok();
        let place = match value.get("link") {
            None => None,
            Some(link) => Some(Place {
                segment: small(value, "segment")?,
                offset: small(value, "offset")?,
                sequence: number(value, "sequence")?,
                epoch: small(value, "epoch")?,
                link: link_of(link.as_str()?)?,
            }),
        };
        let problem = match value.get("problem") {
            None => None,
            Some(problem) => {
                let name = problem.get("code")?.as_str()?;
                Some(VerifyProblem {
                    segment: small(problem, "segment")?,
                    offset: small(problem, "offset")?,
                    sequence: number(problem, "sequence")?,
                    code: *Code::ALL.iter().find(|code| code.name() == name)?,
                    message: problem.get("message")?.as_str()?.to_owned(),
                })
            }
        };
        let hlc = match place {
            Some(_) => hlc_of(value.get("hlc")?.as_str()?)?,
            None => 0,
        };
        Some(Self { place, hlc, frames: number(value, "frames")?, problem })
    }
}
