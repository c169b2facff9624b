/** The bodies of signing, anchoring and archiving; see "Proofs" in `docs/reference/records.md`. */
import {
  bool,
  bytes,
  count,
  hash,
  list,
  map,
  named,
  optional,
  required,
  text,
  u32,
  u64,
} from './values.js'

/** The kinds of these facts. */
export const proofFacts = {
  96: named('SignerUp', {
    signer: required(0, text),
    algorithm: required(1, text),
    publicKey: required(2, bytes),
  }),
  97: named('SignerDown', { reason: required(0, text) }),
  98: named('SignatureAttached', {
    sequence: required(0, u64),
    receipt: required(1, u64),
    link: required(2, hash),
    signature: required(3, bytes),
    keyId: required(4, bytes),
    late: required(5, bool),
  }),
  99: named('Anchored', {
    sequence: required(0, u64),
    link: required(1, hash),
    place: required(2, text),
    signature: optional(3, bytes),
  }),
  101: named('SegmentsArchived', {
    fromSegment: required(0, u32),
    toSegment: required(1, u32),
    lastSequence: required(2, u64),
    link: required(3, hash),
    manifest: required(4, hash),
    place: required(5, text),
  }),
  102: named('KeyRotated', {
    oldKey: required(0, bytes),
    newKey: required(1, bytes),
    signature: required(2, bytes),
  }),
}

/** The signer in a checkpoint. */
export const checkpointSigning = map({
  signer: required(0, text),
  algorithm: required(1, text),
  key: required(2, bytes),
  up: required(3, bool),
  onTimeFrom: required(4, count),
  unsigned: list(5, u64),
})

/** What was archived, in a checkpoint. */
export const checkpointArchived = map({
  segment: required(0, u32),
  lastSequence: required(1, u64),
  link: required(2, hash),
})

/** A fact of signing, anchoring or archiving. */
export type ProofFact = ReturnType<(typeof proofFacts)[keyof typeof proofFacts]>
/** A fact of one kind. */
export type ProofFactOf<Name extends ProofFact['name']> = Extract<ProofFact, { name: Name }>
/** The signer in a checkpoint. */
export type SigningBody = ReturnType<typeof checkpointSigning>
/** What was archived, in a checkpoint. */
export type ArchivedBody = ReturnType<typeof checkpointArchived>

const numbers = new Set(Object.keys(proofFacts).map(Number))

/** True for the name of such a fact. */
export function isProofKind(kind: number): boolean {
  return numbers.has(kind)
}
