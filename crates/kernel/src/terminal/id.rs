//! The terminal's id: a name that is also a folder, so it is checked before it touches a path.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::TERMINAL_ID_BYTES_MAX;
use std::fmt;

/// Names a process's terminal when no option does.
pub(super) const ID_VARIABLE: &str = "POS_TERMINAL_ID";

/// 1 to 32 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TerminalId(String);

impl TerminalId {
    /// Checks an id.
    ///
    /// # Errors
    /// `PK_E_BAD_ID`.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let sized = (1..=TERMINAL_ID_BYTES_MAX).contains(&text.len());
        if sized && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(64).collect();
        Err(Error::new(
            Code::BadId,
            format!(
                "terminal id {shown:?} is not 1 to {TERMINAL_ID_BYTES_MAX} of A-Z, a-z, 0-9, _ and \
                 -; REGISTER_01 is one"
            ),
        )
        .with("value", shown)
        .with("limit", TERMINAL_ID_BYTES_MAX))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TerminalId;

    #[test]
    fn nothing_that_could_leave_its_folder_is_an_id() {
        assert!(TerminalId::parse("REGISTER_01").is_ok());
        assert!(TerminalId::parse(&"a".repeat(32)).is_ok());
        let long = "a".repeat(33);
        for text in ["", ".", "..", "../x", "a/b", "a\\b", "a b", "ä", "a\0", "a.b", &long] {
            assert!(TerminalId::parse(text).is_err(), "{text:?}");
        }
    }
}
