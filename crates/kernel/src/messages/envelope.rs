//! The envelope: `{v, id, from, to, kind, sentAt, expiresAt?, body}`, and nothing else.

use super::name::MessageName;
use crate::clock::{iso_utc, parse_iso_utc};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::REASON_BYTES_MAX;
use crate::limits::{AMOUNT_MAX, GRACE_MS_MAX, MESSAGE_BYTES_MAX, MESSAGE_KIND_BYTES_MAX};
use crate::terminal::TerminalId;
use serde_json::{Map, Value, json};

const VERSION: u64 = 1;
/// What `to` says when a message goes to all.
const ALL: &str = "*";

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id, also a key that makes the effect of a call happen once.
    pub id: String,
    /// Who sent it.
    pub from: String,
    /// The terminal that it goes to; `None` when it goes to all others.
    pub to: Option<String>,
    /// Its kind: one of the kernel's own, or `x.` and a name.
    pub kind: String,
    /// When it was sent, nanoseconds since 1970 in UTC, to the millisecond.
    pub sent_ns: i64,
    /// When it is worth nothing any more.
    pub expires_ns: Option<i64>,
    /// What it says.
    pub body: Value,
}

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// A newer version wrote it.
    Newer(u64),
    /// It is wrong.
    Wrong(String),
}

impl From<&str> for Malformed {
    fn from(found: &str) -> Self {
        Self::Wrong(found.to_owned())
    }
}

impl Message {
    /// The message as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "v": VERSION,
            "id": self.id,
            "from": self.from,
            "to": self.to.as_deref().unwrap_or(ALL),
            "kind": self.kind,
            "sentAt": iso_utc(self.sent_ns),
            "body": self.body,
        });
        if let Some(expires_ns) = self.expires_ns {
            value["expiresAt"] = iso_utc(expires_ns).into();
        }
        value
    }

    /// The message as it is written.
    ///
    /// # Errors
    /// `PK_E_BAD_MESSAGE` for a kind that is not known or a body that is not of its kind,
    /// `PK_E_LIMIT` for more than 256 KiB.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        check_body(&self.kind, &self.body).map_err(|found| {
            let kind: String = self.kind.chars().take(80).collect();
            let message = format!("a message of kind {kind:?} cannot be sent: {found}");
            Error::new(Code::BadMessage, message).with("kind", kind).with("found", found)
        })?;
        let bytes = self.to_json().to_string().into_bytes();
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(Error::limit("bytes of a message", bytes.len(), MESSAGE_BYTES_MAX));
        }
        Ok(bytes)
    }

    /// Reads what [`Self::to_bytes`] writes.
    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Self, Malformed> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| Malformed::Wrong(format!("it is no JSON: {error}")))?;
        let map = value.as_object().ok_or("it is no object")?;
        let version = map.get("v").and_then(Value::as_u64).ok_or("it has no version")?;
        if version > VERSION {
            return Err(Malformed::Newer(version));
        }
        let message = Self::of_map(version, map)?;
        check_body(&message.kind, &message.body).map_err(Malformed::Wrong)?;
        Ok(message)
    }

    fn of_map(version: u64, map: &Map<String, Value>) -> std::result::Result<Self, Malformed> {
        if version != VERSION {
            return Err("its version never was".into());
        }
        let known = ["v", "id", "from", "to", "kind", "sentAt", "expiresAt", "body"];
        if let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Malformed::Wrong(format!("it has a field {name:?}")));
        }
        let text = |name: &str| {
            let text = map.get(name).and_then(Value::as_str);
            text.ok_or_else(|| Malformed::Wrong(format!("its {name} is no text")))
        };
        let at = |name: &str| {
            let at = parse_iso_utc(text(name)?);
            at.ok_or_else(|| Malformed::Wrong(format!("its {name} is no moment")))
        };
        let (id, from, to) = (text("id")?, text("from")?, text("to")?);
        let name = MessageName::of_id(id).ok_or("its id is none")?;
        if name.from.as_str() != from {
            return Err("its id is another sender's".into());
        }
        if to != ALL && TerminalId::parse(to).is_err() {
            return Err("it goes to nobody".into());
        }
        Ok(Self {
            id: id.to_owned(),
            from: from.to_owned(),
            to: (to != ALL).then(|| to.to_owned()),
            kind: text("kind")?.to_owned(),
            sent_ns: at("sentAt")?,
            expires_ns: map.contains_key("expiresAt").then(|| at("expiresAt")).transpose()?,
            body: map.get("body").ok_or("it has no body")?.clone(),
        })
    }
}

/// True for the kinds that are the kernel's own. Messages of these are facts of their sender.
#[must_use]
pub fn is_own_kind(kind: &str) -> bool {
    matches!(
        kind,
        "SystemShutdown" | "ConfigurationChange" | "GlobalAuditRequest" | "ManagerReport"
    )
}

/// What a body of a kind must be. A host's own kinds carry any JSON.
fn check_body(kind: &str, body: &Value) -> std::result::Result<(), String> {
    match kind {
        "SystemShutdown" => {
            let fields = exactly(body, &["graceMs", "reason"])?;
            number(fields, "graceMs", GRACE_MS_MAX)?;
            text(fields, "reason")
        }
        "ConfigurationChange" => {
            let fields = exactly(body, &["version", "effectiveAt", "hash"])?;
            number(fields, "version", AMOUNT_MAX.cast_unsigned())?;
            let at = fields["effectiveAt"].as_str().and_then(parse_iso_utc);
            at.ok_or("effectiveAt is no moment")?;
            let hash = fields["hash"].as_str().unwrap_or("");
            let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_hash { Ok(()) } else { Err("hash is no hash".to_owned()) }
        }
        "GlobalAuditRequest" => text(exactly(body, &["reason"])?, "reason"),
        "ManagerReport" => text(exactly(body, &["title", "report"])?, "title"),
        _ => custom(kind),
    }
}

fn custom(kind: &str) -> std::result::Result<(), String> {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    let name = kind.strip_prefix("x.").unwrap_or("");
    let is_kind =
        (1..=MESSAGE_KIND_BYTES_MAX - 2).contains(&name.len()) && name.bytes().all(allowed);
    if is_kind {
        return Ok(());
    }
    Err(format!(
        "its kind is none of the kernel's, and not x. and up to {} of a-z, 0-9, . _ and -",
        MESSAGE_KIND_BYTES_MAX - 2
    ))
}

fn exactly<'a>(
    body: &'a Value,
    names: &[&str],
) -> std::result::Result<&'a Map<String, Value>, String> {
    let fields = body.as_object().ok_or("its body is no object")?;
    if let Some(name) = names.iter().find(|name| !fields.contains_key(**name)) {
        return Err(format!("its body has no {name}"));
    }
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("its body has a field {name:?}")),
        None => Ok(fields),
    }
}

fn number(fields: &Map<String, Value>, name: &str, most: u64) -> std::result::Result<(), String> {
    let number = fields[name].as_u64().filter(|number| *number <= most);
    number.map(drop).ok_or_else(|| format!("{name} is not 0 to {most}"))
}

fn text(fields: &Map<String, Value>, name: &str) -> std::result::Result<(), String> {
    let text = fields[name].as_str().unwrap_or("");
    let fits = (1..=REASON_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    let wrong = || format!("{name} is no text of 1 to {REASON_BYTES_MAX} bytes");
    if fits { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Message};
    use serde_json::{Value, json};

    fn message() -> Value {
        json!({
            "v": 1,
            "id": "000000000000000a-T1-00000000000001",
            "from": "T1",
            "to": "*",
            "kind": "SystemShutdown",
            "sentAt": "2026-11-26T12:00:00.000Z",
            "expiresAt": "2026-11-26T12:00:05.000Z",
            "body": {"graceMs": 5000, "reason": "closing time"},
        })
    }

    fn parse(value: &Value) -> Result<Message, Malformed> {
        Message::parse(value.to_string().as_bytes())
    }

    #[test]
    fn a_message_reads_as_it_is_written() {
        let parsed = parse(&message()).expect("a message");
        assert_eq!(parsed.to_json(), message());
        assert_eq!(Message::parse(&parsed.to_bytes().expect("bytes")), Ok(parsed));
    }

    #[test]
    fn a_newer_version_is_told_apart_whatever_else_it_says() {
        assert_eq!(parse(&json!({"v": 2, "something": []})), Err(Malformed::Newer(2)));
    }

    #[test]
    fn whatever_else_differs_from_the_schema_is_wrong() {
        let changes = [
            ("v", json!(0)),
            ("v", json!("1")),
            ("id", json!("../../../etc/passwd")),
            ("id", json!("000000000000000a-T2-00000000000001")),
            ("from", json!(7)),
            ("to", json!("../T1")),
            ("to", Value::Null),
            ("kind", json!("Shutdown")),
            ("kind", json!("x.")),
            ("kind", json!("x.Upper")),
            ("sentAt", json!("yesterday")),
            ("expiresAt", Value::Null),
            ("extra", json!(1)),
            ("body", json!({"graceMs": -1, "reason": "a"})),
            ("body", json!({"graceMs": 1.5, "reason": "a"})),
            ("body", json!({"graceMs": 1})),
            ("body", json!({"graceMs": 1, "reason": "a", "more": true})),
            ("body", json!({"graceMs": 1, "reason": "a\u{7}"})),
            ("body", json!([])),
        ];
        for (name, value) in changes {
            let mut changed = message();
            changed[name] = value;
            assert!(matches!(parse(&changed), Err(Malformed::Wrong(_))), "{changed}");
        }
        for name in ["v", "id", "from", "to", "kind", "sentAt", "body"] {
            let mut changed = message();
            changed.as_object_mut().expect("an object").remove(name);
            assert!(matches!(parse(&changed), Err(Malformed::Wrong(_))), "{changed}");
        }
        for bytes in [&b""[..], b"{", b"[]", b"\xff\xfe", &[b'['; 100_000]] {
            assert!(matches!(Message::parse(bytes), Err(Malformed::Wrong(_))));
        }
    }
}
