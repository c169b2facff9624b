//! Facts of a sale that waits, goes on, or goes to another terminal.

use super::codec::{Hash, map_struct};
use super::fact::Key;

map_struct! {
    /// The receipt that a sale takes lines back from.
    ReturnsOf {
        /// Terminal.
        0 terminal: String,
        /// Receipt number.
        1 receipt: u64,
    }
}

map_struct! {
    /// Where a sale was suspended that goes on here.
    TakenOver {
        /// Terminal.
        0 terminal: String,
        /// Number of the sale there.
        1 sale: u64,
        /// Its ticket.
        2 ticket: String,
        /// BLAKE3 of its records there, up to the suspension, each as kind u16, size u32, body.
        3 content: Hash,
        /// How many facts of its lines and tenders follow in the frame. The tables here do not judge them.
        4 facts: u32,
    }
}

map_struct! {
    /// A sale waits. Nothing else can happen to it until it is resumed, here or on another terminal.
    SaleSuspended {
        /// Sale.
        0 sale: u64,
        /// Why.
        2 reason: String,
        /// What it is resumed by.
        3 ticket: String,
        /// Who did it.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A suspended sale goes on where it was suspended.
    SaleResumed {
        /// Sale.
        0 sale: u64,
        /// The ticket that it was resumed by.
        3 ticket: String,
        /// Who did it.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A suspended sale went on at another terminal; here it is over.
    SaleTransferred {
        /// Sale.
        0 sale: u64,
        /// The ticket that it was resumed by.
        3 ticket: String,
        /// The other terminal.
        4 terminal: String,
        /// Number of the sale there.
        5 other_sale: u64,
        /// Sequence there of its first record.
        6 other_sequence: u64,
    }
}
