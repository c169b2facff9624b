//! What the facts of signing and archiving fold to: who signs, and which receipts stand without a
//! signature; what was archived.
//!
//! Receipts without a signature are kept as runs of numbers: an outage of any length is one run, so
//! the state stays small and each checkpoint can carry it whole.

use super::{ED25519, ED25519_KEY_BYTES, SignerInfo, key_id};
use crate::journal::{
    Anchored, Bytes, CheckpointArchived, CheckpointSigning, DecodeError, Hash, KeyRotated,
    SegmentsArchived, SignatureAttached, SignerUp,
};
use crate::limits::UNSIGNED_RUNS_MAX;
use crate::sale::Contradiction;

type Fold = std::result::Result<(), Contradiction>;

/// The signer of a terminal, once there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningState {
    /// Who signs, or signed last.
    pub info: SignerInfo,
    /// It is up.
    pub up: bool,
    /// A signature of a receipt below this number is late.
    pub on_time_from: u64,
    /// First and last number of each run of receipts without a signature, ascending.
    unsigned: Vec<(u64, u64)>,
}

impl SigningState {
    /// How many receipts stand without a signature.
    #[must_use]
    pub fn unsigned(&self) -> u64 {
        self.unsigned.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// The runs of receipts without a signature.
    pub fn unsigned_runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.unsigned.iter().copied()
    }

    /// The oldest receipt without a signature.
    #[must_use]
    pub fn first_unsigned(&self) -> Option<u64> {
        self.unsigned.first().map(|(first, _)| *first)
    }

    /// True when the receipt stands without a signature.
    #[must_use]
    pub fn is_unsigned(&self, receipt: u64) -> bool {
        self.run_of(receipt).is_some()
    }

    /// True when a signature of this receipt leaves the state small enough for every checkpoint.
    #[must_use]
    pub fn may_sign(&self, receipt: u64) -> bool {
        let Some(run) = self.run_of(receipt) else { return false };
        let (first, last) = self.unsigned[run];
        let splits = first < receipt && receipt < last;
        // One place stays free for the run that the next receipt may begin.
        let after = self.unsigned.len() + usize::from(splits) - usize::from(first == last);
        after < UNSIGNED_RUNS_MAX || self.first_unsigned() == Some(receipt)
    }

    /// The short name of its key.
    #[must_use]
    pub fn key_id(&self) -> Vec<u8> {
        key_id(&self.info.algorithm, &self.info.key)
    }

    fn run_of(&self, receipt: u64) -> Option<usize> {
        let run = self.unsigned.partition_point(|(_, last)| *last < receipt);
        self.unsigned.get(run).filter(|(first, _)| *first <= receipt).map(|_| run)
    }

    /// A receipt was given.
    pub(crate) fn complete(&mut self, receipt: u64) {
        match self.unsigned.last_mut() {
            Some((_, last)) if *last + 1 == receipt => *last = receipt,
            _ => self.unsigned.push((receipt, receipt)),
        }
    }

    /// Signatures of the receipts so far are late from here on.
    pub(crate) fn interrupted(&mut self, next_receipt: u64) {
        self.on_time_from = next_receipt;
    }

    pub(crate) fn begin(signing: &mut Option<Self>, fact: &SignerUp, next_receipt: u64) -> Fold {
        if fact.algorithm == ED25519 && fact.key.0.len() != ED25519_KEY_BYTES {
            return Err(Contradiction(format!("a key of ed25519 has {} bytes", fact.key.0.len())));
        }
        let info = SignerInfo {
            signer: fact.signer.clone(),
            algorithm: fact.algorithm.clone(),
            key: fact.key.0.clone(),
        };
        let unsigned = signing.take().map_or_else(Vec::new, |before| before.unsigned);
        *signing = Some(Self { info, up: true, on_time_from: next_receipt, unsigned });
        Ok(())
    }

    pub(crate) fn attach(&mut self, fact: &SignatureAttached) -> Fold {
        let receipt = fact.receipt;
        self.hold_up()?;
        if fact.key_id.0 != self.key_id() {
            return Err(Contradiction(format!("receipt {receipt} is signed with another key")));
        }
        if fact.late != (receipt < self.on_time_from) {
            return Err(Contradiction(format!("receipt {receipt} is signed late, or is not")));
        }
        let Some(run) = self.run_of(receipt) else {
            return Err(Contradiction(format!("receipt {receipt} awaits no signature")));
        };
        let (first, last) = self.unsigned[run];
        let before = (first < receipt).then(|| (first, receipt - 1));
        let after = (receipt < last).then(|| (receipt + 1, last));
        self.unsigned.splice(run..=run, before.into_iter().chain(after));
        Ok(())
    }

    pub(crate) fn rotate(&mut self, fact: &KeyRotated) -> Fold {
        self.hold_up()?;
        if fact.old_key.0 != self.info.key {
            return Err(Contradiction("another key than the signer's is changed".to_owned()));
        }
        if self.info.algorithm == ED25519 && fact.new_key.0.len() != ED25519_KEY_BYTES {
            let bytes = fact.new_key.0.len();
            return Err(Contradiction(format!("a key of ed25519 has {bytes} bytes")));
        }
        self.info.key.clone_from(&fact.new_key.0);
        Ok(())
    }

    pub(crate) fn hold_up(&self) -> Fold {
        if self.up { Ok(()) } else { Err(Contradiction("the signer is down".to_owned())) }
    }

    pub(crate) fn to_checkpoint(&self) -> CheckpointSigning {
        CheckpointSigning {
            signer: self.info.signer.clone(),
            algorithm: self.info.algorithm.clone(),
            key: Bytes(self.info.key.clone()),
            up: self.up,
            on_time_from: self.on_time_from,
            unsigned: self.unsigned.iter().flat_map(|(first, last)| [*first, *last]).collect(),
        }
    }

    pub(crate) fn from_checkpoint(
        record: CheckpointSigning,
        next_receipt: u64,
    ) -> std::result::Result<Self, DecodeError> {
        let (pairs, rest) = record.unsigned.as_chunks::<2>();
        let ascending = record.unsigned.chunks(2).all(|run| run[0] <= run[run.len() - 1])
            && pairs.windows(2).all(|two| two[0][1] < two[1][0]);
        let last = record.unsigned.last().copied().unwrap_or(0);
        if !rest.is_empty() || !ascending || last >= next_receipt {
            return Err(DecodeError("a checkpoint's unsigned receipts cannot be".to_owned()));
        }
        Ok(Self {
            info: SignerInfo {
                signer: record.signer,
                algorithm: record.algorithm,
                key: record.key.0,
            },
            up: record.up,
            on_time_from: record.on_time_from,
            unsigned: pairs.iter().map(|[first, last]| (*first, *last)).collect(),
        })
    }
}

/// What was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// The newest archived segment.
    pub segment: u32,
    /// Its last sequence.
    pub last_sequence: u64,
    /// Its last link.
    pub link: [u8; 32],
}

impl Archived {
    pub(crate) fn fold(archived: &mut Option<Self>, fact: &SegmentsArchived) -> Fold {
        let next = archived.map_or(0, |archived| archived.segment).checked_add(1);
        if next != Some(fact.from_segment) || fact.to_segment < fact.from_segment {
            let SegmentsArchived { from_segment, to_segment, .. } = fact;
            let found = format!("segments {from_segment} to {to_segment} are not next to archive");
            return Err(Contradiction(found));
        }
        *archived = Some(Self {
            segment: fact.to_segment,
            last_sequence: fact.last_sequence,
            link: fact.link.0,
        });
        Ok(())
    }

    pub(crate) fn to_checkpoint(self) -> CheckpointArchived {
        let Self { segment, last_sequence, link } = self;
        CheckpointArchived { segment, last_sequence, link: Hash(link) }
    }

    pub(crate) fn from_checkpoint(record: &CheckpointArchived) -> Self {
        let CheckpointArchived { segment, last_sequence, link } = *record;
        Self { segment, last_sequence, link: link.0 }
    }
}

/// An anchor speaks of the record before it.
pub(crate) fn hold_anchor(fact: &Anchored, sequence: u64) -> Fold {
    if fact.sequence.checked_add(1) == Some(sequence) {
        return Ok(());
    }
    Err(Contradiction(format!("record {sequence} anchors record {}", fact.sequence)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(runs: &[(u64, u64)]) -> SigningState {
        let info = SignerInfo { signer: "s".to_owned(), algorithm: "a".to_owned(), key: vec![1] };
        SigningState { info, up: true, on_time_from: 1, unsigned: runs.to_vec() }
    }

    fn signed(state: &mut SigningState, receipt: u64) -> bool {
        let fact = SignatureAttached {
            sequence: 1,
            receipt,
            link: Hash([0; 32]),
            signature: Bytes(vec![1]),
            key_id: Bytes(state.key_id()),
            late: receipt < state.on_time_from,
        };
        state.attach(&fact).is_ok()
    }

    #[test]
    fn runs_shrink_split_and_grow_as_receipts_are_signed_and_given() {
        let mut state = state(&[(3, 7)]);
        assert!(signed(&mut state, 3) && signed(&mut state, 7) && signed(&mut state, 5));
        assert_eq!(state.unsigned, [(4, 4), (6, 6)]);
        assert!(!signed(&mut state, 5) && !signed(&mut state, 8) && !signed(&mut state, 1));
        state.complete(8);
        state.complete(9);
        assert_eq!(state.unsigned, [(4, 4), (6, 6), (8, 9)]);
        assert_eq!((state.unsigned(), state.first_unsigned()), (4, Some(4)));
        assert!(signed(&mut state, 4));
        let restored = SigningState::from_checkpoint(state.to_checkpoint(), 10).unwrap();
        assert_eq!(restored, state);
        assert!(SigningState::from_checkpoint(state.to_checkpoint(), 9).is_err());
    }

    #[test]
    fn no_order_of_signing_makes_more_runs_than_a_checkpoint_may_carry() {
        let mut state = state(&[]);
        for receipt in 1..1000 {
            state.complete(receipt);
            // Every third receipt is never signed.
            if receipt % 3 != 0 && state.may_sign(receipt) {
                assert!(signed(&mut state, receipt));
            }
            assert!(state.unsigned.len() <= UNSIGNED_RUNS_MAX);
        }
        while let Some(first) = state.first_unsigned() {
            assert!(state.may_sign(first) && signed(&mut state, first));
        }
    }
}
