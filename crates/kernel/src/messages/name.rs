//! The name of a message: when it was sent, by whom, and which of its sender's it is.
//!
//! ```text
//! 0001 9ac0 5d3f 0000 - REGISTER_01 - 00000c00000005
//! hybrid clock          sender        epoch of its owner << 24 | count from 1
//! ```
//! Names sort by time; a sender's numbers rise for ever, since each owner has a higher epoch than the
//! one before. An id has at most 64 bytes, so that it can be an idempotency key.

use crate::error::{Error, Result};
use crate::limits::KEY_BYTES_MAX;
use crate::terminal::TerminalId;

const HLC_DIGITS: usize = 16;
const NUMBER_DIGITS: usize = 14;
const COUNT_BITS: u32 = 24;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
/// A safe integer of JavaScript.
const NUMBER_MAX: u64 = (1 << 53) - 1;

const _: () =
    assert!(HLC_DIGITS + NUMBER_DIGITS + 2 + crate::limits::TERMINAL_ID_BYTES_MAX <= KEY_BYTES_MAX);

/// Where a message stands among all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessageName {
    /// Hybrid clock of the sender.
    pub(crate) hlc: u64,
    /// The sender.
    pub(crate) from: TerminalId,
    /// Its number.
    pub(crate) number: u64,
}

impl MessageName {
    /// The name of an owner's next message.
    pub(crate) fn next(hlc: u64, from: &TerminalId, epoch: u32, count: u64) -> Result<Self> {
        if count > COUNT_MAX {
            let value = usize::try_from(count).unwrap_or(usize::MAX);
            let limit = usize::try_from(COUNT_MAX).unwrap_or(usize::MAX);
            return Err(Error::limit("messages of one owner; open it again", value, limit));
        }
        let number = (u64::from(epoch) << COUNT_BITS | count).min(NUMBER_MAX);
        Ok(Self { hlc, from: from.clone(), number })
    }

    /// The id.
    pub(crate) fn id(&self) -> String {
        format!("{:016x}-{}-{:014x}", self.hlc, self.from, self.number)
    }

    /// Reads an id.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let (hlc, rest) = id.split_at_checked(HLC_DIGITS)?;
        let (rest, number) = rest.split_at_checked(rest.len().checked_sub(NUMBER_DIGITS)?)?;
        let from = rest.strip_prefix('-')?.strip_suffix('-')?;
        let number = digits(number)?;
        let from = TerminalId::parse(from).ok()?;
        (1..=NUMBER_MAX)
            .contains(&number)
            .then(|| Some(Self { hlc: digits(hlc)?, from, number }))?
    }

    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        format!("{}.json", self.id())
    }

    /// Reads the name of a file.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        Self::of_id(name.strip_suffix(".json")?)
    }
}

/// Hexadecimal digits as they are written, and no other form of the same number.
fn digits(text: &str) -> Option<u64> {
    let allowed = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.bytes().all(allowed).then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::MessageName;
    use crate::terminal::TerminalId;

    #[test]
    fn a_name_reads_as_it_is_written_and_nothing_else_reads() {
        let long = TerminalId::parse(&"-".repeat(32)).expect("an id");
        for from in [TerminalId::parse("T-1").expect("an id"), long] {
            let name = MessageName::next(u64::MAX, &from, 7, 3).expect("a name");
            assert!(name.id().len() <= 64);
            assert_eq!(MessageName::of_file(&name.file()), Some(name));
        }
        let id = "000000000000000a-T1-00000000000001";
        assert!(MessageName::of_id(id).is_some());
        for wrong in ["", "-", "x", &id.to_uppercase(), &id[1..], &format!("{id}0"), "../../../etc"]
        {
            assert_eq!(MessageName::of_id(wrong), None, "{wrong}");
        }
        let zero = "000000000000000a-T1-00000000000000";
        assert_eq!(MessageName::of_id(zero), None);
    }
}
