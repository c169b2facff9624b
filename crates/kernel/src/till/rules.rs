//! The rule tables of a till, and what they say of a line or a tender that is about to be.
//!
//! Bytes are what the journal holds and what is compared; the tables are compiled when the first
//! line or tender is judged, so a replay does not wait for it.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{RuleHit, RulesSet};
use crate::rules::{Decision, Fact, Judgement, LineFacts, RuleSet, TenderFacts};
use crate::sale::{LineInput, Sale, TenderInput};
use std::sync::OnceLock;

/// The rules that were set last.
#[derive(Debug, Clone, Default)]
pub struct TillRules {
    bytes: Vec<u8>,
    set: OnceLock<RuleSet>,
}

/// The same rules have the same bytes.
impl PartialEq for TillRules {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl TillRules {
    /// Takes the bytes of a set.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` when they are none.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        RuleSet::check(bytes)?;
        Ok(Self { bytes: bytes.to_vec(), set: OnceLock::new() })
    }

    /// The bytes of a record, when its hash is theirs.
    pub(super) fn of_fact(fact: &RulesSet) -> Result<Self> {
        let rules = Self::of(&fact.rules.0)?;
        if fact.hash.0 == *blake3::hash(&rules.bytes).as_bytes() {
            return Ok(rules);
        }
        Err(Error::new(Code::BadRules, "rules have another hash than their record says"))
    }

    /// Canonical bytes; empty while none were set.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The compiled tables.
    ///
    /// # Errors
    /// Those of [`RuleSet::decode`].
    pub fn set(&self) -> Result<&RuleSet> {
        if let Some(set) = self.set.get() {
            return Ok(set);
        }
        let set =
            if self.bytes.is_empty() { RuleSet::default() } else { RuleSet::decode(&self.bytes)? };
        Ok(self.set.get_or_init(|| set))
    }

    /// Judges a line that would come to this amount. Returns the rows that spoke.
    ///
    /// # Errors
    /// `PK_E_RULE_REFUSED`; `PK_E_APPROVAL_REQUIRED` while the line has no approval;
    /// `PK_E_BAD_ARGUMENT` for an attribute that a table needs and the line has not.
    pub fn judge_line(
        &self,
        sale: &Sale,
        line: &LineInput<'_>,
        amount: i64,
    ) -> Result<Vec<RuleHit>> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        let set = self.set()?;
        let judgement = set.judge(&Fact::Line(LineFacts {
            sku: line.sku,
            class: line.class,
            quantity: line.quantity,
            unit_price: line.unit_price,
            amount,
            attributes: line.attributes,
        }))?;
        hits(set, sale, &judgement, "line", line.approval)
    }

    /// Judges a tender. Returns the rows that spoke.
    ///
    /// # Errors
    /// As [`Self::judge_line`].
    pub fn judge_tender(&self, sale: &Sale, tender: &TenderInput<'_>) -> Result<Vec<RuleHit>> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        let set = self.set()?;
        let totals = sale.totals();
        let judgement = set.judge(&Fact::Tender(TenderFacts {
            kind: tender.kind.name(),
            amount: tender.amount,
            due: totals.due,
            total: totals.gross,
            attributes: tender.attributes,
        }))?;
        hits(set, sale, &judgement, "tender", tender.approval)
    }
}

fn hits(
    set: &RuleSet,
    sale: &Sale,
    judgement: &Judgement,
    what: &str,
    approval: Option<u64>,
) -> Result<Vec<RuleHit>> {
    let (code, says) = match judgement.decision() {
        Decision::Refuse => (Code::RuleRefused, "refuses"),
        Decision::Approve if approval.is_none() => {
            (Code::ApprovalRequired, "wants an approval for")
        }
        Decision::Approve | Decision::Allow => {
            let hits = judgement.hits().iter();
            return Ok(hits
                .map(|hit| RuleHit { table: hit.table.into(), row: hit.row.into() })
                .collect());
        }
    };
    let hit = judgement.deciding().expect("a row decided");
    let (table, rule) = set.rule(hit);
    let reason = set.message(hit);
    let because = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let message =
        format!("rule {rule} of table {table} {says} the {what} on sale {}{because}", sale.number);
    let error =
        Error::new(code, message).with("sale", sale.number).with("table", table).with("rule", rule);
    Err(match reason {
        Some(reason) => error.with("reason", reason),
        None => error,
    })
}
