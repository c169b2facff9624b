//! What rules put into facts: the tables that a till asks, what the host said for them to ask, and the
//! rows that spoke. So whoever reads the journal can judge again.

use super::codec::{Bytes, Field, Hash, Writer, map_struct};
use super::fact::{Key, LineAdded, TenderAdded};
use crate::money::Decimal;
use crate::till::Judged;

map_struct! {
    /// The rule tables that lines, tenders and sales are judged by from here on.
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
    /// A row that spoke of a line, a tender or a sale, in the rules that were set last before it.
    RuleHit {
        /// Index of its table in the set, from 0.
        0 table: u32,
        /// Index of the row in the table, from 0.
        1 row: u32,
    }
}

map_struct! {
    /// What the host said of a line or a tender and a column of a table asks for. One that has neither
    /// flag nor number nor text is a set.
    RuleAttribute {
        /// Name of the column.
        0 name: String,
        /// True or false.
        1 flag: Option<bool>,
        /// A number.
        2 number: Option<Decimal>,
        /// A text; for a column of numbers, the digits of one.
        3 text: Option<String>,
        /// Members of a set.
        4 members: Vec<String>,
    }
}

impl LineAdded {
    /// Takes what the tables said.
    pub(crate) fn is_judged(&mut self, judged: Judged) {
        (self.rules, self.class, self.attributes) = (judged.rules, judged.class, judged.attributes);
    }
}

impl TenderAdded {
    /// Takes what the tables said.
    pub(crate) fn is_judged(&mut self, judged: Judged) {
        (self.rules, self.attributes) = (judged.rules, judged.attributes);
    }

    /// Bytes of what the host said.
    pub(crate) fn said_bytes(&self) -> usize {
        let mut bytes = Vec::new();
        self.attributes.write(&mut Writer::new(&mut bytes)).expect("writing to memory cannot fail");
        bytes.len()
    }
}
