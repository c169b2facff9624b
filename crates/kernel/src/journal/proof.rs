//! Facts of signing, anchoring and archiving. No sale depends on them.

use super::codec::{Bytes, Hash, map_struct};

map_struct! {
    /// A signer begins, or comes back.
    SignerUp {
        /// Name of the key or device.
        0 signer: String,
        /// Algorithm.
        1 algorithm: String,
        /// Public key.
        2 key: Bytes,
    }
}

map_struct! {
    /// The signer is out; receipts go on without it.
    SignerDown {
        /// Why.
        0 reason: String,
    }
}

map_struct! {
    /// The signature of a receipt.
    SignatureAttached {
        /// Sequence of the completion that is signed.
        0 sequence: u64,
        /// Its receipt number.
        1 receipt: u64,
        /// Link of its frame.
        2 link: Hash,
        /// The signature.
        3 signature: Bytes,
        /// First eight bytes of BLAKE3 of algorithm, zero, key.
        4 key_id: Bytes,
        /// An opening or a change of the signer stands between receipt and signature.
        5 late: bool,
    }
}

map_struct! {
    /// The head of the chain is known elsewhere.
    Anchored {
        /// Sequence of the record before.
        0 sequence: u64,
        /// Link of the frame before.
        1 link: Hash,
        /// Where it is kept.
        2 place: String,
        /// Signature of that head.
        3 signature: Option<Bytes>,
    }
}

map_struct! {
    /// Sealed segments were put into an archive.
    SegmentsArchived {
        /// First segment of it.
        0 from_segment: u32,
        /// Last segment of it.
        1 to_segment: u32,
        /// Last sequence in it.
        2 last_sequence: u64,
        /// Its last link.
        3 link: Hash,
        /// Hash of its manifest.
        4 manifest: Hash,
        /// Where it was put.
        5 place: String,
    }
}

map_struct! {
    /// The signer has another key.
    KeyRotated {
        /// The key before.
        0 old_key: Bytes,
        /// The key from here on.
        1 new_key: Bytes,
        /// Signature of the old key.
        2 signature: Bytes,
    }
}

map_struct! {
    /// The signer in a checkpoint.
    CheckpointSigning {
        /// Name of the key or device.
        0 signer: String,
        /// Algorithm.
        1 algorithm: String,
        /// Public key.
        2 key: Bytes,
        /// It is up.
        3 up: bool,
        /// A signature of a receipt below this number is late.
        4 on_time_from: u64,
        /// First and last number of each run of receipts without a signature.
        5 unsigned: Vec<u64>,
    }
}

map_struct! {
    /// What was archived, in a checkpoint.
    CheckpointArchived {
        /// The newest archived segment.
        0 segment: u32,
        /// Its last sequence.
        1 last_sequence: u64,
        /// Its last link.
        2 link: Hash,
    }
}
