//! The signatures of a journal, judged: each against the words that it must vouch for, and the keys
//! against those that are trusted.
//!
//! Segments are folded side by side, so what a late signature says of an older segment is compared
//! when all of them are done.

use super::fact::{Fact, RecordKind};
use super::people::Circle;
use super::proof::{Anchored, KeyRotated, SignatureAttached};
use super::verify::VerifyProblem;
use crate::code::Code;
use crate::signing::{SignerInfo, holds, statement};
use crate::till::Till;
use pos_kernel_wal::{Frame, Link, RecordView};
use std::collections::{BTreeMap, BTreeSet};

/// What the signatures of a journal vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningReport {
    /// Who signs at the end.
    pub info: SignerInfo,
    /// The signer is up.
    pub up: bool,
    /// Receipts with a signature that holds.
    pub signatures: u64,
    /// Those of them that were signed late.
    pub late: u64,
    /// Signatures of algorithms that cannot be judged here.
    pub unjudged: u64,
    /// Receipts without a signature.
    pub unsigned: u64,
    /// The newest sequence that a signature which holds vouches for; 0 when there is none.
    pub signed_sequence: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    segment: u32,
    offset: u32,
    sequence: u64,
}

#[derive(Debug)]
enum KeyEvent {
    Up(Vec<u8>),
    Rotated { old: Vec<u8>, new: Vec<u8>, holds: bool },
}

#[derive(Debug)]
struct Claim {
    place: Place,
    receipt: u64,
    sequence: u64,
    link: Link,
}

/// What one segment says of signatures.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    first_receipt: Option<u64>,
    /// The key that its first checkpoint carries.
    carried: Option<(Place, KeyEvent)>,
    keys: Vec<(Place, KeyEvent)>,
    /// Completions that have no signature yet, in this segment.
    open: BTreeMap<u64, (u64, Link)>,
    /// Signatures of receipts in older segments.
    claims: Vec<Claim>,
    moves: Vec<((u32, u32), [u8; 32])>,
    signatures: u64,
    late: u64,
    unjudged: u64,
    signed_sequence: u64,
    at_end: Option<AtEnd>,
    faults: Vec<(Place, String)>,
}

#[derive(Debug, Clone)]
struct AtEnd {
    info: SignerInfo,
    up: bool,
    unsigned: u64,
    runs: Vec<(u64, u64)>,
}

impl Proofs {
    /// The segment begins with this state.
    pub(super) fn begin(&mut self, till: &Till, frame: &Frame<'_>) {
        self.first_receipt = Some(till.next_receipt);
        if let Some(signing) = &till.signing {
            let key = KeyEvent::Up(signing.info.key.clone());
            self.carried = Some((place_of(frame, frame.header.sequence), key));
        }
    }

    /// Number of the first receipt that may be completed in the segment.
    pub(super) fn first_receipt(&self) -> Option<u64> {
        self.first_receipt
    }

    /// Archives that the segment tells of: their segments, and the hash of their manifest.
    pub(super) fn moves(&self) -> &[((u32, u32), [u8; 32])] {
        &self.moves
    }

    /// True for a record that says something here.
    pub(super) fn concerns(&self, kind: u16, till: &Till) -> bool {
        let completed = kind == RecordKind::SaleCompleted as u16;
        (96..=102).contains(&kind) || (completed && till.signing.is_some())
    }

    /// Takes a record in that was folded a moment ago; `before` is the link of the frame before its
    /// own.
    pub(super) fn see(
        &mut self,
        terminal: &str,
        frame: &Frame<'_>,
        before: &Link,
        record: RecordView<'_>,
        till: &Till,
    ) {
        let place = place_of(frame, record.sequence);
        let kind = RecordKind::from_number(record.kind);
        let fact = kind.and_then(|kind| Fact::decode(kind, record.body).ok().flatten());
        let signer = till.signing.as_ref();
        match fact {
            // Training receipts have numbers of their own, and are not signed.
            Some(Fact::SaleCompleted(fact)) if fact.circle == Some(Circle::Training) => {}
            Some(Fact::SaleCompleted(fact)) => {
                self.open.insert(fact.receipt, (record.sequence, frame.link()));
            }
            Some(Fact::SignerUp(fact)) => self.keys.push((place, KeyEvent::Up(fact.key.0))),
            Some(Fact::KeyRotated(fact)) => {
                let KeyRotated { old_key: old, new_key: new, signature } = fact;
                let (old, new) = (old.0, new.0);
                let last = record.sequence - 1;
                let words = statement::key(terminal, last, before, &old, &new);
                let algorithm = signer.map_or("", |signer| &signer.info.algorithm);
                let verdict = holds(algorithm, &old, &words, &signature.0);
                if self.judged(place, verdict, "the old key does not vouch for the new one") {
                    self.signed_sequence = self.signed_sequence.max(last);
                }
                let holds = verdict == Some(true);
                self.keys.push((place, KeyEvent::Rotated { old, new, holds }));
            }
            Some(Fact::Anchored(fact)) => {
                let Anchored { sequence, link, signature, .. } = fact;
                if link.0 != *before {
                    let message = "the anchor is not the link of the frame before it";
                    self.faults.push((place, message.to_owned()));
                }
                let Some(signature) = signature else { return };
                let words = statement::head(terminal, sequence, &link.0);
                let verdict = match signer.filter(|signer| signer.up) {
                    Some(signer) => {
                        holds(&signer.info.algorithm, &signer.info.key, &words, &signature.0)
                    }
                    None => Some(false),
                };
                if self.judged(place, verdict, "the signature of the head does not hold") {
                    self.signed_sequence = self.signed_sequence.max(sequence);
                }
            }
            Some(Fact::SignatureAttached(fact)) => self.receipt(terminal, place, &fact, till),
            Some(Fact::SegmentsArchived(fact)) => {
                self.moves.push(((fact.from_segment, fact.to_segment), fact.manifest.0));
            }
            _ => {}
        }
    }

    fn receipt(&mut self, terminal: &str, place: Place, fact: &SignatureAttached, till: &Till) {
        let SignatureAttached { sequence, receipt, link, .. } = *fact;
        match self.open.remove(&receipt) {
            Some(stands) if stands == (sequence, link.0) => {}
            Some(_) => self.faults.push((place, of_another(receipt))),
            None => self.claims.push(Claim { place, receipt, sequence, link: link.0 }),
        }
        let Some(signing) = &till.signing else { return };
        let words = statement::receipt(terminal, receipt, sequence, &link.0);
        let verdict = holds(&signing.info.algorithm, &signing.info.key, &words, &fact.signature.0);
        let message = format!("the signature of receipt {receipt} does not hold");
        if self.judged(place, verdict, &message) {
            self.signatures += 1;
            self.late += u64::from(fact.late);
            self.signed_sequence = self.signed_sequence.max(sequence);
        }
    }

    fn judged(&mut self, place: Place, verdict: Option<bool>, message: &str) -> bool {
        match verdict {
            Some(false) => self.faults.push((place, message.to_owned())),
            None => self.unjudged += 1,
            Some(true) => {}
        }
        verdict == Some(true)
    }

    /// The segment ends with this state, as far as is known.
    pub(super) fn end(&mut self, till: &Till) {
        self.at_end = till.signing.as_ref().map(|signing| AtEnd {
            info: signing.info.clone(),
            up: signing.up,
            unsigned: signing.unsigned(),
            runs: signing.unsigned_runs().collect(),
        });
    }
}

/// Which keys may sign.
pub(super) struct Trust {
    keys: Option<BTreeSet<Vec<u8>>>,
}

impl Trust {
    /// With no key, all that the journal names.
    pub(super) fn new(keys: &[Vec<u8>]) -> Self {
        Self { keys: (!keys.is_empty()).then(|| keys.iter().cloned().collect()) }
    }

    /// Judges the segments together, oldest first, each with whether it could be folded to its end.
    /// `known_from` is the first receipt that can stand in them.
    pub(super) fn judge<'a>(
        mut self,
        parts: impl Iterator<Item = (&'a Proofs, bool)>,
        known_from: Option<u64>,
    ) -> (Option<SigningReport>, Vec<VerifyProblem>) {
        let mut faults: Vec<(Place, String)> = Vec::new();
        let mut open: BTreeMap<u64, (u64, Link)> = BTreeMap::new();
        let mut is_whole = true;
        let mut report: Option<SigningReport> = None;
        let mut counts = (0, 0, 0, 0);
        let mut runs = Vec::new();
        for (index, (part, part_whole)) in parts.enumerate() {
            faults.extend(part.faults.iter().cloned());
            for claim in &part.claims {
                match open.remove(&claim.receipt) {
                    Some(stands) if stands == (claim.sequence, claim.link) => {}
                    None if !is_whole || known_from.is_none_or(|from| claim.receipt < from) => {}
                    _ => faults.push((claim.place, of_another(claim.receipt))),
                }
            }
            open.extend(part.open.iter().map(|(receipt, stands)| (*receipt, *stands)));
            is_whole &= part_whole;
            // What a later checkpoint carries was told by a fact before.
            let carried = part.carried.iter().filter(|_| index == 0);
            for (place, event) in carried.chain(&part.keys) {
                faults.extend(self.admit(event).map(|message| (*place, message)));
            }
            counts.0 += part.signatures;
            counts.1 += part.late;
            counts.2 += part.unjudged;
            counts.3 = counts.3.max(part.signed_sequence);
            if let Some(at_end) = &part.at_end {
                runs = if at_end.up { at_end.runs.clone() } else { Vec::new() };
                report = Some(SigningReport {
                    info: at_end.info.clone(),
                    up: at_end.up,
                    signatures: counts.0,
                    late: counts.1,
                    unjudged: counts.2,
                    unsigned: at_end.unsigned,
                    signed_sequence: counts.3,
                });
            }
        }
        let nowhere = Place { segment: 0, offset: 0, sequence: 0 };
        if self.keys.is_some() {
            if report.is_none() {
                faults.push((nowhere, "no receipt of this journal was ever signed".to_owned()));
            }
            faults.extend(runs.into_iter().map(|(first, last)| {
                let message = format!(
                    "receipts {first} to {last} have no signature, and no outage is journaled"
                );
                (nowhere, message)
            }));
        }
        (report, faults.into_iter().map(problem).collect())
    }

    fn admit(&mut self, event: &KeyEvent) -> Option<String> {
        let keys = self.keys.as_mut()?;
        let key = match event {
            KeyEvent::Rotated { old, new, holds } if *holds && keys.contains(old) => {
                keys.insert(new.clone());
                return None;
            }
            KeyEvent::Up(key) | KeyEvent::Rotated { new: key, .. } => key,
        };
        let message = || format!("the key {} is none that is trusted", super::hex(key));
        (!keys.contains(key)).then(message)
    }
}

fn place_of(frame: &Frame<'_>, sequence: u64) -> Place {
    Place { segment: frame.header.segment, offset: frame.header.offset, sequence }
}

fn of_another(receipt: u64) -> String {
    format!("the signature names another completion than that of receipt {receipt}")
}

fn problem((place, message): (Place, String)) -> VerifyProblem {
    let Place { segment, offset, sequence } = place;
    VerifyProblem { segment, offset, sequence, code: Code::Signature, message }
}
