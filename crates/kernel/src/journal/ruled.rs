//! What rules put into facts: the tables that a till asks, and the rows that spoke.

use super::codec::{Bytes, Hash, map_struct};
use super::fact::Key;

map_struct! {
    /// The rule tables that lines and tenders are judged by from here on.
    RulesSet {
        /// The set's canonical bytes; a set of no tables ends all rules.
        0 rules: Bytes,
        /// BLAKE3 of these.
        1 hash: Hash,
        /// Who set it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A row that spoke of a line or a tender, in the rules that were set last before it.
    RuleHit {
        /// Index of its table in the set, from 0.
        0 table: u32,
        /// Index of the row in the table, from 0.
        1 row: u32,
    }
}
