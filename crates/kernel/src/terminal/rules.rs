//! The call that changes which lines, tenders and sales are taken: the rule tables.

use super::Terminal;
use super::commit::{Answer, Growth, Inputs, Urgency};
use crate::error::{Error, Result};
use crate::journal::{Bytes, Fact, Hash, RulesSet};
use crate::limits::{RULES_BYTES_MAX, RULES_SHARE};
use crate::rules::RuleSet;

/// Rules were set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RulesAnswer {
    /// BLAKE3 of the set's canonical bytes.
    pub hash: [u8; 32],
}

impl Terminal {
    /// Sets the tables that every line that is new or changed, every new tender and every sale is judged
    /// by from here on; a set of no tables ends all rules. What was taken before stays.
    ///
    /// # Errors
    /// `PK_E_LIMIT` for tables of more than 64 KiB or a sixteenth of a segment together, and those of
    /// any call.
    pub fn set_rules(&self, rules: &RuleSet, key: Option<&str>) -> Result<Answer<RulesAnswer>> {
        let bytes = rules.encode();
        let limit = RULES_BYTES_MAX.min(self.wal.segment_bytes() as usize / RULES_SHARE);
        if bytes.len() > limit {
            return Err(Error::limit("bytes of rule tables", bytes.len(), limit));
        }
        let hash = *blake3::hash(&bytes).as_bytes();
        let inputs = || Inputs::of("setRules").bytes(&bytes);
        self.command(
            key.map(|key| (key, inputs())),
            (Growth::Grows, Urgency::Now),
            |_, key| {
                let (rules, hash) = (Bytes(bytes.clone()), Hash(hash));
                Ok(RulesSet { rules, hash, operator: None, approval: None, key }.into())
            },
            |recorded| match &recorded.fact {
                Fact::RulesSet(fact) => Some(RulesAnswer { hash: fact.hash.0 }),
                _ => None,
            },
        )
    }

    /// BLAKE3 of the rules that a terminal judges by, when any were set.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn rules(&self) -> Result<Option<[u8; 32]>> {
        let core = self.lock()?;
        let bytes = core.till.rules.bytes();
        Ok((!bytes.is_empty()).then(|| *blake3::hash(bytes).as_bytes()))
    }

    /// The rules that a terminal judges by, compiled; none of no tables while none were set.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn rule_set(&self) -> Result<RuleSet> {
        self.lock()?.till.rules.set().cloned()
    }
}
