//! `shared/coordination/system_config.json`: what is configured for all terminals of a store.
//!
//! A version, when it takes effect, and values that the kernel does not look into. Versions only
//! rise. Who set one and who took one over is told by the journals, with the hash of its values.

use super::coordination_dir;
use super::document::{read_document, replace};
use crate::clock::{iso_utc, parse_iso_utc};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::hex;
use crate::limits::{AMOUNT_MAX, SYSTEM_CONFIG_BYTES_MAX};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The configuration of a store.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemConfig {
    /// Version, from 1.
    pub version: u64,
    /// When it takes effect, nanoseconds since 1970 in UTC, to the millisecond.
    pub effective_ns: i64,
    /// The values.
    pub values: Map<String, Value>,
}

impl SystemConfig {
    /// The configuration in the store's file, which need not be in force yet; `None` before the
    /// first.
    ///
    /// # Errors
    /// `PK_E_BAD_CONFIG` when the file was changed by hand or is no configuration,
    /// `PK_E_SHARED_FILE`, `PK_E_IO`.
    pub fn load(root: &Path) -> Result<Option<Self>> {
        let path = file(root);
        let Some(text) = read_document(&path, 2 * SYSTEM_CONFIG_BYTES_MAX)? else {
            return Ok(None);
        };
        let bad = |found: &str| {
            let shown = path.display().to_string();
            let message = format!(
                "{shown} cannot be used: {found}; set a configuration instead of editing the file"
            );
            Error::new(Code::BadConfig, message).with("path", shown)
        };
        let value: Value =
            serde_json::from_slice(&text).map_err(|error| bad(&error.to_string()))?;
        let (config, hash) = Self::of_json(&value).ok_or_else(|| bad("a field is wrong"))?;
        if hash == hex(&config.hash()) { Ok(Some(config)) } else { Err(bad("its hash is another")) }
    }

    fn of_json(value: &Value) -> Option<(Self, &str)> {
        let map = value.as_object().filter(|map| map.len() == 4)?;
        let version = map.get("version")?.as_u64().filter(|version| is_version(*version))?;
        let effective_ns = parse_iso_utc(map.get("effectiveAt")?.as_str()?)?;
        let values = map.get("values")?.as_object()?.clone();
        Some((Self { version, effective_ns, values }, map.get("hash")?.as_str()?))
    }

    /// The configuration as JSON: what its file holds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "version": self.version,
            "effectiveAt": iso_utc(self.effective_ns),
            "values": self.values,
            "hash": hex(&self.hash()),
        })
    }

    /// BLAKE3 of the values as JSON without spaces, names in the order of their bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let text = serde_json::to_vec(&self.values).expect("JSON can be written");
        *blake3::hash(&text).as_bytes()
    }

    /// Refuses what cannot be a configuration.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT` for a version that is no safe integer from 1 on or a moment before 1970,
    /// `PK_E_LIMIT` for more than 64 KiB of values.
    pub(crate) fn check(&self) -> Result<()> {
        if !is_version(self.version) {
            let message = format!("version {} is not 1 to {AMOUNT_MAX}", self.version);
            return Err(Error::new(Code::BadArgument, message).with("argument", "version"));
        }
        if self.effective_ns < 0 {
            let message = "a configuration takes effect after 1970";
            return Err(Error::new(Code::BadArgument, message).with("argument", "effectiveAt"));
        }
        let size = serde_json::to_vec(&self.values).map_or(usize::MAX, |text| text.len());
        if size > SYSTEM_CONFIG_BYTES_MAX {
            let what = "bytes of the system configuration";
            return Err(Error::limit(what, size, SYSTEM_CONFIG_BYTES_MAX));
        }
        Ok(())
    }

    /// Puts it in the place of the one before, durably. The caller holds the lock `system_config`.
    pub(crate) fn write(&self, root: &Path) -> Result<()> {
        replace(&file(root), format!("{:#}\n", self.to_json()).as_bytes(), true)
    }
}

fn is_version(version: u64) -> bool {
    (1..=AMOUNT_MAX.cast_unsigned()).contains(&version)
}

fn file(root: &Path) -> PathBuf {
    coordination_dir(root).join("system_config.json")
}
