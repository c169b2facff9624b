//! Signatures: who vouches for a receipt, with which key, over which words.
//!
//! What lives here: the [`Signer`] that a host may plug in, the software key that is used otherwise,
//! the statements that are signed, what the facts of signing fold to, and the check of a signature.
//! What must not: the journal's files and the order of commands; `terminal/signing.rs` has these.
//!
//! The rule guarded here: **a sale never waits for a signer and never fails by one.** The completion
//! is in the journal first; the signature is a fact of its own about the completion's link, right
//! behind it in the same write and the same flush. A signer that is out leaves the receipt unsigned,
//! says so in the journal, and signs later; what is unsigned is part of the folded state, so no
//! gap can be overlooked.
//!
//! Read `statement.rs` first (what exactly is signed), then `state.rs`.

mod key_file;
mod state;
pub mod statement;

pub use key_file::KeyFile;
pub(crate) use state::hold_anchor;
pub use state::{Archived, SigningState};

use ed25519_dalek::{Signature, VerifyingKey};
use std::fmt::Debug;
use std::sync::Arc;

/// The algorithm of the software key, and the only one whose signatures the kernel checks.
pub const ED25519: &str = "ed25519";
/// Bytes of a public key of [`ED25519`].
pub const ED25519_KEY_BYTES: usize = 32;

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerInfo {
    /// Name of the key or device.
    pub signer: String,
    /// `ed25519`, or the name of another algorithm.
    pub algorithm: String,
    /// Public key.
    pub key: Vec<u8>,
}

/// Why a signer did not sign, in words for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerFault(pub String);

/// Something that signs at once. It is called while the terminal is locked: a device that takes its
/// time is better attached in two phases, with [`next_unsigned`](crate::Terminal::next_unsigned) and
/// [`attach_signature`](crate::Terminal::attach_signature).
pub trait Signer: Send + Sync + Debug {
    /// Who signs. The answer stays the same for the life of the signer.
    fn info(&self) -> SignerInfo;
    /// Signs a statement.
    ///
    /// # Errors
    /// Why it could not. The signer then counts as down until it is said to be up.
    fn sign(&self, statement: &[u8]) -> std::result::Result<Vec<u8>, SignerFault>;
}

/// Whether a terminal signs by itself.
#[derive(Debug, Clone, Default)]
pub enum Signing {
    /// It does not. A device outside may still be attached.
    #[default]
    Off,
    /// With an Ed25519 key in the terminal's folder, made when there is none.
    Software,
    /// With the host's signer.
    With(Arc<dyn Signer>),
}

/// The signature of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptSignature {
    /// Receipt number.
    pub receipt: u64,
    /// Sequence of the completion.
    pub sequence: u64,
    /// Link of its frame.
    pub link: [u8; 32],
    /// The signature.
    pub signature: Vec<u8>,
    /// First eight bytes of BLAKE3 of algorithm, zero, key.
    pub key_id: Vec<u8>,
    /// An opening or a change of the signer stands between receipt and signature.
    pub late: bool,
}

/// A receipt without a signature, and what has to be signed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Receipt number.
    pub receipt: u64,
    /// Sequence of the completion.
    pub sequence: u64,
    /// Link of its frame.
    pub link: [u8; 32],
    /// The bytes to sign.
    pub statement: Vec<u8>,
}

/// A place in the chain, to be kept where the journal's owner cannot change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Terminal.
    pub terminal: String,
    /// Sequence of the last record.
    pub sequence: u64,
    /// Link of the last frame.
    pub link: [u8; 32],
    /// Records up to there since the journal began.
    pub records: u64,
    /// Wall time, nanoseconds.
    pub at_ns: i64,
    /// Signature of the head's statement, with who signed.
    pub signature: Option<(SignerInfo, Vec<u8>)>,
}

impl Anchor {
    /// What a signer outside signs for it.
    #[must_use]
    pub fn statement(&self) -> Vec<u8> {
        statement::head(&self.terminal, self.sequence, &self.link)
    }
}

/// The short name of a key.
#[must_use]
pub fn key_id(algorithm: &str, key: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(algorithm.as_bytes()).update(&[0]).update(key);
    hasher.finalize().as_bytes()[..8].to_vec()
}

/// Whether a signature holds; `None` for an algorithm that the kernel does not know.
#[must_use]
pub fn holds(algorithm: &str, key: &[u8], statement: &[u8], signature: &[u8]) -> Option<bool> {
    if algorithm != ED25519 {
        return None;
    }
    let check = || {
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let signature = Signature::from_slice(signature).ok()?;
        key.verify_strict(statement, &signature).ok()
    };
    Some(check().is_some())
}
