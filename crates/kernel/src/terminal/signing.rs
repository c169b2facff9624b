//! Signing what was sold: behind the completion, later, or by a device outside.
//!
//! ```text
//! completion appended -> signed (software, plugged in) -> SignatureAttached appended -> one write,
//!        |                      '-- a fault -> SignerDown, the receipt stands unsigned    one flush
//!        '-- no signer at hand: it stands unsigned -> next_unsigned -> attach_signature
//! ```
//! The answer of a completion waits for the completion alone. A power cut between the two can leave
//! a receipt unsigned that was printed as signed: the next owner signs it again, and since Ed25519 is
//! deterministic (RFC 8032, section 5.1.6) with the same bytes.

use super::commit::{Answer, Urgency};
use super::history::Recorded;
use super::open::record;
use super::{Core, Terminal};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    Anchored, Bytes, Fact, Hash, KeyRotated, SignatureAttached, SignerDown, SignerUp, body_of,
};
use crate::limits::{
    PUBLIC_KEY_BYTES_MAX, REASON_BYTES_MAX, SIGNATURE_BYTES_MAX, SIGNER_TEXT_BYTES_MAX,
};
use crate::sale::input;
use crate::signing::{
    Anchor, ED25519, ED25519_KEY_BYTES, KeyFile, ReceiptSignature, Signer, SignerInfo, Signing,
    SigningState, Unsigned, holds, statement,
};
use crate::till::Check;
use pos_kernel_wal::{Appended, FlushCause, Link, Space, Stamp, WalError};
use std::sync::Arc;

/// Receipts of an outage that are signed when a terminal is opened or its signer comes back.
const LATE_AT_ONCE: u64 = 256;
/// Late signatures in one frame.
const LATE_PER_FRAME: usize = 64;
/// Newest signatures that are answered from memory.
const SIGNATURES_KEPT: usize = 64;

/// The signer that a terminal asks by itself.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    signer: Arc<dyn Signer>,
    /// It is the key in the terminal's folder, which can be changed.
    is_software: bool,
}

impl Attached {
    pub(super) fn sign(&self, words: &[u8]) -> Option<(SignerInfo, Vec<u8>)> {
        Some((self.signer.info(), self.signer.sign(words).ok()?))
    }
}

impl Terminal {
    /// Attaches the signer that the options name and signs what an outage has left. Without one, a
    /// signer that the journal still calls up is said to be down.
    pub(super) fn begin_signing(&self, signing: &Signing) -> Result<()> {
        let mut core = self.lock()?;
        let before = core.till.signing.clone();
        let attached = match signing {
            Signing::Off => None,
            Signing::Software => {
                let journaled = before.as_ref().map(|before| &before.info.key[..]);
                let key = KeyFile::open(&self.dir, journaled)?;
                Some(Attached { signer: Arc::new(key), is_software: true })
            }
            Signing::With(signer) => {
                check_info(&signer.info())?;
                Some(Attached { signer: signer.clone(), is_software: false })
            }
        };
        core.signer = attached;
        if self.wal.reserve().is_err() {
            // A till with a full disk opens all the same, and signs when there is room again.
            return Ok(());
        }
        if core.signer.is_some() {
            self.raise(&mut core)?;
            // What cannot be signed late now, since its archive is not at hand, does not keep a till
            // from selling: it stays unsigned, and `sign_late` says why.
            let _ = self.sign_backlog(&mut core, LATE_AT_ONCE);
            return Ok(());
        }
        if before.is_some_and(|before| before.up) {
            let reason = "the terminal was opened without a signer".to_owned();
            self.append_proof(&mut core, &SignerDown { reason }.into())?;
        }
        Ok(())
    }

    /// Journals that the attached signer is up, where the journal does not say so.
    fn raise(&self, core: &mut Core) -> Result<()> {
        let Some(attached) = core.signer.clone() else { return Err(no_signer()) };
        let info = attached.signer.info();
        let is_known = core.till.signing.as_ref().is_some_and(|it| it.up && it.info == info);
        if !is_known {
            self.append_proof(core, &up_fact(&info))?;
        }
        Ok(())
    }

    /// Says that a signer is up. With `device`, one outside the kernel signs from here on: ask
    /// [`Self::next_unsigned`] and give [`Self::attach_signature`]. Without, the signer that the
    /// terminal was opened with is back, and what it missed is signed, up to 256 receipts.
    ///
    /// Durable when it returns: the change of the signer.
    ///
    /// # Errors
    /// `PK_E_SIGNER_DOWN` when the terminal was opened without a signer and no device is named,
    /// `PK_E_BAD_ARGUMENT`, `PK_E_BAD_TEXT`, and those of any call.
    pub fn signer_up(&self, device: Option<&SignerInfo>) -> Result<()> {
        let mut core = self.lock()?;
        if let Some(info) = device {
            check_info(info)?;
            core.signer = None;
            self.append_proof(&mut core, &up_fact(info))?;
        } else {
            self.raise(&mut core)?;
            self.sign_backlog(&mut core, LATE_AT_ONCE)?;
        }
        drop(core);
        self.settle_all()
    }

    /// Says that the signer is out. Sales go on; their receipts stand unsigned until it is up again.
    ///
    /// Durable when it returns.
    ///
    /// # Errors
    /// `PK_E_SIGNER_DOWN` when it is down already, `PK_E_BAD_TEXT`, and those of any call.
    pub fn signer_down(&self, reason: &str) -> Result<()> {
        input::text("reason", reason, REASON_BYTES_MAX, Code::BadText)?;
        let mut core = self.lock()?;
        hold_up(core.till.signing.as_ref())?;
        self.append_proof(&mut core, &SignerDown { reason: reason.to_owned() }.into())?;
        drop(core);
        self.settle_all()
    }

    /// Who signs, and what stands unsigned; `None` when nothing was ever signed.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn signing(&self) -> Result<Option<SigningState>> {
        Ok(self.lock()?.till.signing.clone())
    }

    /// The oldest receipt without a signature, durable, with the bytes to sign; `None` when all have
    /// one.
    ///
    /// # Errors
    /// `PK_E_OUTCOME_UNKNOWN`, `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_CLOSED`.
    pub fn next_unsigned(&self) -> Result<Option<Unsigned>> {
        let first = self.lock()?.till.signing.as_ref().and_then(SigningState::first_unsigned);
        first.map(|receipt| self.unsigned(receipt)).transpose()
    }

    /// What has to be signed for a receipt, durable.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND`, and those of [`Self::next_unsigned`].
    pub fn unsigned(&self, receipt: u64) -> Result<Unsigned> {
        self.wal.write_out()?;
        let completion = self.history.completion(receipt)?;
        // A device may sign nothing that a power cut can take back.
        self.wal.wait_durable(completion.sequence, FlushCause::Sale)?;
        Ok(self.unsigned_of(receipt, &completion))
    }

    fn unsigned_of(&self, receipt: u64, completion: &Recorded) -> Unsigned {
        let (sequence, link) = (completion.sequence, completion.hash);
        let statement = statement::receipt(self.id.as_str(), receipt, sequence, &link);
        Unsigned { receipt, sequence, link, statement }
    }

    /// Attaches the signature of a completion that was made outside. The same once more does nothing.
    ///
    /// Durable before the answer may be given.
    ///
    /// # Errors
    /// `PK_E_SIGNATURE` when it does not hold (Ed25519 only; other algorithms are taken as they are),
    /// `PK_E_SIGNER_DOWN`, `PK_E_NOT_FOUND` when no receipt was completed there or it awaits none,
    /// `PK_E_LIMIT` when too many older receipts would stay between signed ones, and those of any
    /// call.
    pub fn attach_signature(&self, sequence: u64, signature: &[u8]) -> Result<Answer<()>> {
        if signature.is_empty() || signature.len() > SIGNATURE_BYTES_MAX {
            return Err(Error::limit("bytes of a signature", signature.len(), SIGNATURE_BYTES_MAX));
        }
        self.wal.write_out()?;
        let completion = self.history.record(sequence)?;
        let Fact::SaleCompleted(completed) = &completion.fact else {
            let message = format!("record {sequence} completes no sale, so nothing signs it");
            return Err(Error::new(Code::NotFound, message).with("sequence", sequence));
        };
        let receipt = completed.receipt;
        let mut core = self.lock()?;
        let signing = hold_up(core.till.signing.as_ref())?.clone();
        if !signing.is_unsigned(receipt) {
            let stands = self.history.signature(receipt)?;
            if stands.is_some_and(|stands| stands.signature == signature) {
                return Ok(Answer { value: (), sequence, wait: true, replayed: true });
            }
            let message = format!("receipt {receipt} awaits no signature");
            return Err(Error::new(Code::NotFound, message).with("receipt", receipt));
        }
        if !signing.may_sign(receipt) {
            let runs = signing.unsigned_runs().count();
            return Err(Error::limit("runs of unsigned receipts", runs + 1, runs));
        }
        let unsigned = self.unsigned_of(receipt, &completion);
        let SignerInfo { algorithm, key, .. } = &signing.info;
        if holds(algorithm, key, &unsigned.statement, signature) == Some(false) {
            let message = format!(
                "the signature of receipt {receipt} does not hold; sign the bytes of next_unsigned \
                 with the key that signer_up was given"
            );
            return Err(Error::new(Code::Signature, message).with("receipt", receipt));
        }
        let fact = attached_fact(&signing, &unsigned, signature.to_vec());
        let sequence = self.append_proof(&mut core, &fact)?.last_sequence;
        drop(core);
        let wait = self.promise(Urgency::Now)?;
        Ok(Answer { value: (), sequence, wait, replayed: false })
    }

    /// Signs receipts that an outage has left, oldest first, at most `limit`; returns how many. The
    /// signer is the one that the terminal was opened with.
    ///
    /// Durable when it returns.
    ///
    /// # Errors
    /// `PK_E_SIGNER_DOWN`, `PK_E_CORRUPT`, and those of any call.
    pub fn sign_late(&self, limit: u64) -> Result<u64> {
        let mut core = self.lock()?;
        hold_up(core.till.signing.as_ref())?;
        if core.signer.is_none() {
            return Err(no_signer());
        }
        let signed = self.sign_backlog(&mut core, limit)?;
        drop(core);
        self.settle_all()?;
        Ok(signed)
    }

    /// The signature of a receipt; `None` when it has none yet.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND` when there is no such receipt, `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_CLOSED`.
    pub fn signature(&self, receipt: u64) -> Result<Option<ReceiptSignature>> {
        let core = self.lock()?;
        let next = core.till.next_receipt;
        if !(1..next).contains(&receipt) {
            let message =
                format!("receipt {receipt} was never given; the last one is {}", next - 1);
            return Err(Error::new(Code::NotFound, message).with("receipt", receipt));
        }
        if let Some(newest) = core.signatures.iter().rev().find(|it| it.receipt == receipt) {
            return Ok(Some(newest.clone()));
        }
        if core.till.signing.as_ref().is_none_or(|signing| signing.is_unsigned(receipt)) {
            return Ok(None);
        }
        drop(core);
        self.wal.write_out()?;
        self.history.signature(receipt)
    }

    /// Gives the software signer a new key, which the old one vouches for. Returns the public key.
    ///
    /// Durable when it returns.
    ///
    /// # Errors
    /// `PK_E_SIGNER_DOWN` when the software signer is not up, `PK_E_IO`, and those of any call.
    pub fn rotate_key(&self) -> Result<Vec<u8>> {
        let mut core = self.lock()?;
        let old_key = hold_up(core.till.signing.as_ref())?.info.key.clone();
        let Some(attached) = core.signer.clone().filter(|attached| attached.is_software) else {
            let message = "only the software key can be changed here; a device outside is \
                           attached anew with its new key";
            return Err(Error::new(Code::SignerDown, message));
        };
        self.wal.reserve()?;
        let next = KeyFile::prepare_next(&self.dir)?;
        let new_key = next.info().key;
        let appended = self.append_about_head(&mut core, |position, link| {
            let words = statement::key(self.id.as_str(), position, link, &old_key, &new_key);
            let signature = attached.signer.sign(&words).map_err(|fault| {
                let message = format!("the old key does not sign: {}", fault.0);
                Error::new(Code::SignerDown, message)
            })?;
            Ok(KeyRotated {
                old_key: Bytes(old_key.clone()),
                new_key: Bytes(new_key.clone()),
                signature: Bytes(signature),
            }
            .into())
        })?;
        // Whatever happens from here on, the journal decides which of the two keys is in use.
        core.signer = Some(Attached { signer: Arc::new(next), is_software: true });
        self.wal.wait_durable(appended.last_sequence, FlushCause::Record)?;
        KeyFile::take_next(&self.dir)?;
        Ok(new_key)
    }

    /// A place in the chain for the host to keep elsewhere, durable, signed where a signer is up.
    /// With `place`, the journal notes where it is kept.
    ///
    /// Durable before the answer may be given: what it speaks of, and the note.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, and those of any call.
    pub fn anchor(&self, place: Option<&str>) -> Result<Answer<Anchor>> {
        if let Some(place) = place {
            input::text("place", place, SIGNER_TEXT_BYTES_MAX, Code::BadText)?;
        }
        let mut core = self.lock()?;
        let at_ns = core.hlc.stamp(&*self.clock).wall_ns;
        let is_up = core.till.signing.as_ref().is_some_and(|signing| signing.up);
        let signer = core.signer.clone().filter(|_| is_up);
        let make = |sequence, link: &Link| self.anchor_at(sequence, link, at_ns, signer.as_ref());
        let position = self.wal.position();
        let mut anchor = make(position.sequence, &position.head);
        let mut sequence = anchor.sequence;
        if let Some(place) = place {
            self.wal.reserve()?;
            let appended = self.append_about_head(&mut core, |sequence, link| {
                anchor = make(sequence, link);
                Ok(anchored_fact(&anchor, place))
            })?;
            sequence = appended.last_sequence;
        }
        drop(core);
        self.promise(Urgency::Now)?;
        Ok(Answer { value: anchor, sequence, wait: true, replayed: false })
    }

    /// Signs the head before an owner ends: what came after the last receipt is vouched for too. A
    /// journal that cannot take it is closed without.
    pub(super) fn sign_end(&self, core: &mut Core) {
        let is_up = core.till.signing.as_ref().is_some_and(|signing| signing.up);
        let Some(signer) = core.signer.clone().filter(|_| is_up) else { return };
        if self.wal.space() == Space::Full {
            return;
        }
        let at_ns = self.last_wall_ns(core);
        let _ = self.append_about_head(core, |sequence, link| {
            let anchor = self.anchor_at(sequence, link, at_ns, Some(&signer));
            Ok(anchored_fact(&anchor, "closed"))
        });
    }

    fn anchor_at(
        &self,
        sequence: u64,
        link: &Link,
        at_ns: i64,
        signer: Option<&Attached>,
    ) -> Anchor {
        let terminal = self.id.as_str().to_owned();
        let words = statement::head(&terminal, sequence, link);
        let signature = signer.and_then(|signer| signer.sign(&words));
        Anchor { terminal, sequence, link: *link, records: sequence, at_ns, signature }
    }

    /// Signs a receipt whose completion was appended a moment ago. Nothing here may fail the sale:
    /// what cannot be signed or noted now stands unsigned, and the state says so.
    pub(super) fn sign_receipt(
        &self,
        core: &mut Core,
        stamp: Stamp,
        receipt: u64,
        (sequence, link): (u64, Link),
    ) {
        let Some(attached) = core.signer.clone() else { return };
        let Some(signing) = core.till.signing.clone().filter(|signing| signing.up) else { return };
        // What is left of a full disk belongs to the open sales.
        if !signing.may_sign(receipt) || self.wal.space() == Space::Full {
            return;
        }
        let statement = statement::receipt(self.id.as_str(), receipt, sequence, &link);
        let unsigned = Unsigned { receipt, sequence, link, statement };
        let fact = match attached.signer.sign(&unsigned.statement) {
            Ok(signature) => attached_fact(&signing, &unsigned, signature),
            Err(fault) => down_fact(&fault.0),
        };
        let body = body_of(&fact);
        let records = [record(fact.kind(), &body)];
        let appended = match self.wal.append(stamp, 0, &records) {
            Err(WalError::SegmentFull) => match self.roll(core, stamp) {
                Ok(()) => self.wal.append(stamp, 0, &records),
                Err(_) => return,
            },
            appended => appended,
        };
        if let Ok(appended) = appended {
            self.fold_in(core, &fact, &body, appended.last_sequence, stamp);
        }
    }

    /// Signs unsigned receipts, oldest first, several in a frame.
    fn sign_backlog(&self, core: &mut Core, limit: u64) -> Result<u64> {
        let Some(attached) = core.signer.clone() else { return Err(no_signer()) };
        let mut signed = 0;
        while signed < limit {
            let Some(signing) = core.till.signing.clone().filter(|signing| signing.up) else {
                break;
            };
            let Some(first) = signing.first_unsigned() else { break };
            // Each frame is as large as that many signatures: a device may have long ones.
            let batch = LATE_PER_FRAME.min(usize::try_from(limit - signed).unwrap_or(usize::MAX));
            self.wal.write_out()?;
            let mut facts = Vec::new();
            let mut fault = None;
            self.history.each_completion(first, |receipt, completion| {
                if signing.is_unsigned(receipt) {
                    let unsigned = self.unsigned_of(receipt, completion);
                    match attached.signer.sign(&unsigned.statement) {
                        Ok(signature) => facts.push(attached_fact(&signing, &unsigned, signature)),
                        Err(why) => fault = Some(why),
                    }
                }
                facts.len() < batch && fault.is_none()
            })?;
            signed += facts.len() as u64;
            let is_empty = facts.is_empty();
            facts.extend(fault.map(|fault| down_fact(&fault.0)));
            if facts.is_empty() {
                break;
            }
            self.append(core, &facts, 0)?;
            for fact in &facts {
                remember(core, fact);
            }
            if is_empty {
                break;
            }
        }
        Ok(signed)
    }

    /// Appends a fact of this room.
    fn append_proof(&self, core: &mut Core, fact: &Fact) -> Result<Appended> {
        self.wal.reserve()?;
        let appended = self.append(core, std::slice::from_ref(fact), 0)?;
        remember(core, fact);
        Ok(appended)
    }

    /// Appends a fact that speaks of the frame directly before it.
    pub(super) fn append_about_head(
        &self,
        core: &mut Core,
        mut make: impl FnMut(u64, &Link) -> Result<Fact>,
    ) -> Result<Appended> {
        loop {
            let stamp = core.hlc.stamp(&*self.clock);
            let position = self.wal.position();
            let fact = make(position.sequence, &position.head)?;
            let body = body_of(&fact);
            match self.wal.append(stamp, 0, &[record(fact.kind(), &body)]) {
                Ok(appended) => {
                    self.fold_in(core, &fact, &body, appended.last_sequence, stamp);
                    return Ok(appended);
                }
                Err(WalError::SegmentFull) => self.roll(core, stamp)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn fold_in(&self, core: &mut Core, fact: &Fact, body: &[u8], sequence: u64, stamp: Stamp) {
        core.till
            .apply(fact, body, sequence, stamp.wall_ns, Check::Live)
            .expect("a decided fact contradicts nothing");
        remember(core, fact);
    }

    fn settle_all(&self) -> Result<()> {
        Ok(self.wal.wait_durable(self.wal.position().sequence, FlushCause::Record)?)
    }
}

/// Keeps the newest signatures readable: what is printed now asks for them at once.
fn remember(core: &mut Core, fact: &Fact) {
    let Fact::SignatureAttached(fact) = fact else { return };
    if core.signatures.len() == SIGNATURES_KEPT {
        core.signatures.pop_front();
    }
    core.signatures.push_back(ReceiptSignature {
        receipt: fact.receipt,
        sequence: fact.sequence,
        link: fact.link.0,
        signature: fact.signature.0.clone(),
        key_id: fact.key_id.0.clone(),
        late: fact.late,
    });
}

fn attached_fact(signing: &SigningState, unsigned: &Unsigned, signature: Vec<u8>) -> Fact {
    Fact::from(SignatureAttached {
        sequence: unsigned.sequence,
        receipt: unsigned.receipt,
        link: Hash(unsigned.link),
        signature: Bytes(signature),
        key_id: Bytes(signing.key_id()),
        late: unsigned.receipt < signing.on_time_from,
    })
}

fn anchored_fact(anchor: &Anchor, place: &str) -> Fact {
    Fact::from(Anchored {
        sequence: anchor.sequence,
        link: Hash(anchor.link),
        place: place.to_owned(),
        signature: anchor.signature.as_ref().map(|(_, signature)| Bytes(signature.clone())),
    })
}

fn up_fact(info: &SignerInfo) -> Fact {
    Fact::from(SignerUp {
        signer: info.signer.clone(),
        algorithm: info.algorithm.clone(),
        key: Bytes(info.key.clone()),
    })
}

/// The words of a plugged-in signer, cut to what a record holds.
fn down_fact(reason: &str) -> Fact {
    let printable = reason.chars().filter(|letter| !letter.is_control());
    let mut kept = String::new();
    for letter in printable {
        if kept.len() + letter.len_utf8() > REASON_BYTES_MAX {
            break;
        }
        kept.push(letter);
    }
    if kept.is_empty() {
        kept.push_str("the signer gave no reason");
    }
    Fact::from(SignerDown { reason: kept })
}

fn check_info(info: &SignerInfo) -> Result<()> {
    input::text("signer", &info.signer, SIGNER_TEXT_BYTES_MAX, Code::BadText)?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let algorithm = &info.algorithm;
    if algorithm.is_empty() || algorithm.len() > 32 || !algorithm.bytes().all(is_word) {
        let message = "an algorithm is named with 1 to 32 letters, digits, `-`, `_` and `.`";
        return Err(Error::new(Code::BadArgument, message).with("argument", "algorithm"));
    }
    let bytes = info.key.len();
    let is_possible = match algorithm.as_str() {
        ED25519 => bytes == ED25519_KEY_BYTES,
        _ => (1..=PUBLIC_KEY_BYTES_MAX).contains(&bytes),
    };
    if is_possible {
        return Ok(());
    }
    let message = format!(
        "a public key of {algorithm} cannot have {bytes} bytes: ed25519 has {ED25519_KEY_BYTES}, \
         others have 1 to {PUBLIC_KEY_BYTES_MAX}"
    );
    Err(Error::new(Code::BadArgument, message).with("argument", "key").with("bytes", bytes))
}

fn hold_up(signing: Option<&SigningState>) -> Result<&SigningState> {
    signing.filter(|signing| signing.up).ok_or_else(|| {
        let message = "no signer is up; say signer_up first";
        Error::new(Code::SignerDown, message)
    })
}

fn no_signer() -> Error {
    let message = "the terminal was opened without a signer of its own; open it with one, or name \
                   the device that signs outside";
    Error::new(Code::SignerDown, message)
}
