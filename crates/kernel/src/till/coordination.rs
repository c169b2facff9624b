//! What a terminal knows of the others: how far it has received from each, and which system
//! configuration is in force.

use super::{Till, hold};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    CheckpointCoordination, CheckpointSender, ConfigurationApplied, DecodeError, Hash,
    MessageReceived,
};
use crate::limits::SENDERS_MAX;
use crate::sale::Contradiction;
use std::collections::BTreeMap;

/// What the facts of coordination add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coordination {
    /// The highest number received, by sender. A message that comes again is known by it, however
    /// long ago it came first.
    pub received: BTreeMap<String, u64>,
    /// Version of the system configuration in force, and BLAKE3 of its values.
    pub config: Option<(u64, [u8; 32])>,
}

impl Coordination {
    /// True when a message of this number was received already.
    #[must_use]
    pub fn has_received(&self, from: &str, number: u64) -> bool {
        self.received.get(from).is_some_and(|highest| number <= *highest)
    }

    /// Refuses one sender more than can be remembered.
    ///
    /// # Errors
    /// `PK_E_LIMIT`.
    pub fn may_receive(&self, from: &str, senders_max: usize) -> Result<()> {
        if self.received.contains_key(from) || self.received.len() < senders_max {
            return Ok(());
        }
        Err(Error::limit("senders of messages", self.received.len() + 1, senders_max))
    }

    /// Refuses a configuration that is not newer than the one in force.
    ///
    /// # Errors
    /// `PK_E_CONFIG_VERSION`.
    pub fn may_apply(&self, version: u64) -> Result<()> {
        let in_force = self.config.map_or(0, |(version, _)| version);
        if version > in_force { Ok(()) } else { Err(not_newer(version, in_force)) }
    }

    pub(crate) fn to_checkpoint(&self) -> Option<CheckpointCoordination> {
        let senders = self.received.iter();
        let senders = senders
            .map(|(sender, number)| CheckpointSender { sender: sender.clone(), number: *number });
        (*self != Self::default()).then(|| CheckpointCoordination {
            senders: senders.collect(),
            version: self.config.map(|(version, _)| version),
            hash: self.config.map(|(_, hash)| Hash(hash)),
        })
    }

    pub(crate) fn from_checkpoint(
        carried: CheckpointCoordination,
    ) -> std::result::Result<Self, DecodeError> {
        let config = match (carried.version, carried.hash) {
            (Some(version), Some(hash)) => Some((version, hash.0)),
            (None, None) => None,
            _ => return Err(DecodeError("a configuration has half a name".to_owned())),
        };
        let count = carried.senders.len();
        let is_ordered = carried.senders.is_sorted_by(|a, b| a.sender < b.sender);
        let received = carried.senders.into_iter().map(|it| (it.sender, it.number)).collect();
        if count > SENDERS_MAX || !is_ordered {
            return Err(DecodeError("a checkpoint's senders cannot be".to_owned()));
        }
        Ok(Self { received, config })
    }
}

impl Till {
    pub(super) fn message_is(
        &mut self,
        fact: &MessageReceived,
    ) -> std::result::Result<(), Contradiction> {
        let MessageReceived { from, number, .. } = fact;
        hold(!self.coordination.has_received(from, *number), || {
            format!("message {number} of {from} was received before")
        })?;
        self.coordination.received.insert(from.clone(), *number);
        let count = self.coordination.received.len();
        hold(count <= SENDERS_MAX, || format!("there are {count} senders"))
    }

    pub(super) fn configuration_is(
        &mut self,
        fact: &ConfigurationApplied,
    ) -> std::result::Result<(), Contradiction> {
        self.coordination.may_apply(fact.version)?;
        self.coordination.config = Some((fact.version, fact.hash.0));
        Ok(())
    }
}

pub(crate) fn not_newer(version: u64, in_force: u64) -> Error {
    let message = format!(
        "system configuration {version} is not newer than {in_force}, which is in force; give it a \
         higher version"
    );
    Error::new(Code::ConfigVersion, message).with("version", version).with("inForce", in_force)
}
