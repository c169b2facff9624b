//! Settings from files: `local_config.json` in the root names this machine's terminal, the one in a
//! terminal's folder its durability and segment size. What the host says in its call goes first.

use crate::code::Code;
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

const FILE: &str = "local_config.json";

/// When a call is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Every acknowledged call is on the device.
    #[default]
    Record,
    /// Lines and cash tenders are with the operating system at once and survive the death of the
    /// process; a completion, a void, and a tender whose outcome lies outside the till are on the
    /// device.
    Sale,
}

impl Durability {
    /// Reads the name of a mode.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT`.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "record" => Ok(Self::Record),
            "sale" => Ok(Self::Sale),
            _ => {
                let shown: String = text.chars().take(40).collect();
                let message = format!("durability {shown:?} is not \"record\" or \"sale\"");
                Err(Error::new(Code::BadArgument, message)
                    .with("argument", "durability")
                    .with("value", shown))
            }
        }
    }

    /// The name of the mode.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Sale => "sale",
        }
    }
}

/// What a configuration file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// `terminalId`, in the root's file.
    pub terminal_id: Option<String>,
    /// `durability`.
    pub durability: Option<Durability>,
    /// `segmentBytes`.
    pub segment_bytes: Option<u32>,
}

impl Config {
    /// Reads the configuration of a folder; without a file, nothing is set.
    ///
    /// # Errors
    /// `PK_E_BAD_CONFIG`, `PK_E_IO`.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(bad(&path, "it is not UTF-8"));
            }
            Err(error) => return Err(Error::io("read", &path, &error)),
        };
        let value: Value =
            serde_json::from_str(&text).map_err(|error| bad(&path, &error.to_string()))?;
        let Value::Object(map) = value else { return Err(bad(&path, "it is not a JSON object")) };
        Self::from_map(&map).map_err(|found| bad(&path, &found))
    }

    fn from_map(map: &Map<String, Value>) -> std::result::Result<Self, String> {
        let mut config = Self::default();
        for (name, value) in map {
            match (name.as_str(), value) {
                ("terminalId", Value::String(id)) => config.terminal_id = Some(id.clone()),
                ("durability", Value::String(name)) => {
                    config.durability = Some(Durability::parse(name).map_err(|e| e.to_string())?);
                }
                ("segmentBytes", Value::Number(bytes)) => {
                    let bytes = bytes.as_u64().and_then(|bytes| u32::try_from(bytes).ok());
                    config.segment_bytes = Some(bytes.ok_or("segmentBytes is out of range")?);
                }
                _ => return Err(format!("{name} = {value} is not a setting")),
            }
        }
        Ok(config)
    }
}

fn bad(path: &Path, found: &str) -> Error {
    let message = format!("{} cannot be used: {found}; mend or remove it", path.display());
    Error::new(Code::BadConfig, message).with("path", path.display().to_string())
}
