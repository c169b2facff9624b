//! How a connection begins: the client says who it is, the service lets it sit down or says why not.
//!
//! ```text
//! client  Hello    "PKSV", u16 protocol, then JSON:
//!                  { "package": "0.1.0", "door": "native" | "script", "terminal": "T1",
//!                    "session": "32 hexadecimal digits" }
//! service Welcome  JSON, made by its host: what the terminal is
//!         Refused  JSON: an error, and the connection ends
//! ```
//! The protocol's version stands before the JSON and in the same place in every version. The door
//! `native` carries the methods of one package version, so both sides must have the same; `script` is
//! the operations of scripts, which any version may ask for. A session is one client for as long as it
//! lives: it sits down again where it sat when its connection broke.

use crate::fault;
use crate::frame::PROTOCOL;
use pos_kernel_core::Result;
use serde_json::{Value, json};

const MAGIC: &[u8; 4] = b"PKSV";
const PREFIX_BYTES: usize = 6;

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Version of the client's package.
    pub package: String,
    /// `native` or `script`.
    pub door: String,
    /// Id of the terminal.
    pub terminal: String,
    /// What the client is known by when it comes again.
    pub session: String,
}

impl Hello {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Hello { package, door, terminal, session } = self;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&PROTOCOL.to_le_bytes());
        let said = json!({
            "package": package, "door": door, "terminal": terminal, "session": session,
        });
        bytes.extend_from_slice(said.to_string().as_bytes());
        bytes
    }

    /// Reads a greeting. That the package's version fits its door is checked too.
    pub(crate) fn decode(payload: &[u8], package: &str) -> Result<Self> {
        let Some((prefix, said)) = payload.split_at_checked(PREFIX_BYTES) else {
            return Err(fault::bad_greeting("it is too short"));
        };
        let (magic, protocol) = prefix.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(fault::bad_greeting("it does not begin as one"));
        }
        let protocol = u16::from_le_bytes([protocol[0], protocol[1]]);
        if protocol != PROTOCOL {
            let (theirs, ours) = (protocol.to_string(), PROTOCOL.to_string());
            return Err(fault::version("protocol", &theirs, &ours));
        }
        let said: Value =
            serde_json::from_slice(said).map_err(|_| fault::bad_greeting("it is not JSON"))?;
        let text = |name: &str| match said.get(name).and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => Err(fault::bad_greeting(&format!("it has no {name}"))),
        };
        let hello = Hello {
            package: text("package")?,
            door: text("door")?,
            terminal: text("terminal")?,
            session: text("session")?,
        };
        match hello.door.as_str() {
            "script" => Ok(hello),
            "native" if hello.package == package => Ok(hello),
            "native" => Err(fault::version("package", &hello.package, package)),
            _ => Err(fault::bad_greeting("its door is neither native nor script")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hello;
    use pos_kernel_core::Code;

    fn hello(door: &str) -> Hello {
        let text = str::to_owned;
        Hello {
            package: text("1.2.3"),
            door: text(door),
            terminal: text("T1"),
            session: text("00"),
        }
    }

    #[test]
    fn a_greeting_is_read_as_it_was_said() {
        for door in ["native", "script"] {
            let said = hello(door);
            assert_eq!(Hello::decode(&said.encode(), "1.2.3").unwrap(), said);
        }
    }

    #[test]
    fn versions_that_do_not_fit_are_named() {
        let error = Hello::decode(&hello("native").encode(), "2.0.0").unwrap_err();
        assert_eq!(error.code(), Code::ProtocolVersion);
        assert!(error.message().contains("1.2.3") && error.message().contains("2.0.0"), "{error}");
        assert!(Hello::decode(&hello("script").encode(), "2.0.0").is_ok());
        let mut newer = hello("script").encode();
        newer[4] = 9;
        let error = Hello::decode(&newer, "1.2.3").unwrap_err();
        assert_eq!(error.code(), Code::ProtocolVersion);
        assert_eq!(error.facts()["client"], "9");
    }

    #[test]
    fn what_is_no_greeting_is_refused() {
        let cut = hello("native").encode();
        for bytes in
            [&b""[..], b"PKSV", b"XXXX\x01\x00{}", b"PKSV\x01\x00{", b"PKSV\x01\x00{}", &cut[..40]]
        {
            assert_eq!(Hello::decode(bytes, "1.2.3").unwrap_err().code(), Code::BadFrame);
        }
        assert_eq!(
            Hello::decode(&hello("side").encode(), "1.2.3").unwrap_err().code(),
            Code::BadFrame
        );
    }
}
