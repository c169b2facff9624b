/**
 * The signatures of a journal, judged: each against the words that it must vouch for, and the keys
 * against those that are trusted. See "Verifying signatures" in `docs/reference/records.md`.
 */
import { createPublicKey, verify } from 'node:crypto'
import type { Fact } from './bodies.js'
import type { ProofFactOf } from './proof-bodies.js'
import type { Problem, SigningAudit } from './report.js'
import type { Proofs, Signer } from './signing.js'

/** Where a record stands. */
export interface SignaturePlace {
  readonly segment: number
  readonly offset: number
  readonly sequence: bigint
}

interface Completion {
  readonly sequence: bigint
  readonly link: string
}

/** Gathers what the segments of a journal say of signatures, in order. */
export class Signatures {
  readonly #trusted: Set<string> | undefined
  readonly #problems: Problem[] = []
  /** Completions that have no signature yet. */
  readonly #open = new Map<bigint, Completion>()
  readonly #moves: ProofFactOf<'SegmentsArchived'>[] = []
  /** Number of the first receipt that can stand in the journal; undefined when nobody knows. */
  #knownFrom: bigint | undefined
  #isAtStart = true
  #isWhole = true
  #terminal = ''
  #before: Uint8Array = new Uint8Array()
  #signatures = 0
  #late = 0
  #unjudged = 0
  #signedSequence = 0n

  /** `trusted` are public keys in hexadecimal; with none, those that the journal names count. */
  constructor(trusted: readonly string[]) {
    this.#trusted = trusted.length === 0 ? undefined : new Set(trusted)
  }

  /** A segment begins: whose it is, and the link that its first frame follows. */
  beginSegment(terminal: string, link: Uint8Array): void {
    this.#terminal = terminal
    this.#before = link
  }

  /** The first checkpoint of a segment says this. */
  beginFold(place: SignaturePlace, proofs: Proofs, nextReceipt: bigint): void {
    if (!this.#isAtStart) return
    this.#isAtStart = false
    if (this.#isWhole) this.#knownFrom = nextReceipt
    if (proofs.signer !== undefined) this.#admit(place, proofs.signer.key)
  }

  /** Some records of the journal could not be read. */
  incomplete(): void {
    this.#isWhole = false
    this.#isAtStart = false
  }

  /** A frame is done. */
  passed(link: Uint8Array): void {
    this.#before = link
  }

  /** Archives that the journal tells of. */
  get moves(): readonly ProofFactOf<'SegmentsArchived'>[] {
    return this.#moves
  }

  /** Takes in a fact that was folded a moment ago; `link` is that of its frame. */
  see(fact: Fact, place: SignaturePlace, link: Uint8Array, proofs: Proofs): void {
    const { signer } = proofs
    switch (fact.name) {
      case 'SaleCompleted': {
        // Training receipts have numbers of their own, and are not signed.
        if (signer === undefined || fact.circle === 'training') return
        this.#open.set(fact.receipt, { sequence: place.sequence, link: hexOf(link) })
        return
      }
      case 'SignerUp':
        this.#admit(place, fact.publicKey)
        return
      case 'KeyRotated':
        this.#rotated(fact, place, signer)
        return
      case 'Anchored':
        this.#anchored(fact, place, signer)
        return
      case 'SignatureAttached':
        this.#attached(fact, place, signer)
        return
      case 'SegmentsArchived':
        this.#moves.push(fact)
    }
  }

  /** What is wrong, and what the signatures vouch for, at the end of the journal. */
  judge(proofs: Proofs | undefined): {
    readonly signing: SigningAudit | undefined
    readonly problems: readonly Problem[]
  } {
    const signer = proofs?.signer
    const unsigned = proofs?.unsigned ?? []
    const nowhere = { segment: 0, offset: 0, sequence: 0n }
    if (this.#trusted !== undefined && signer === undefined) {
      this.#add(nowhere, 'no receipt of this journal was ever signed')
    }
    if (this.#trusted !== undefined && signer?.isUp === true) {
      for (const [first, last] of unsigned) {
        const what = `receipts ${first} to ${last} have no signature`
        this.#add(nowhere, `${what}, and no outage is journaled`)
      }
    }
    const signing = signer && {
      signer: signer.signer,
      algorithm: signer.algorithm,
      key: hexOf(signer.key),
      up: signer.isUp,
      signatures: this.#signatures,
      late: this.#late,
      unjudged: this.#unjudged,
      unsigned: Number(unsigned.reduce((sum, [first, last]) => sum + last - first + 1n, 0n)),
      signedSequence: Number(this.#signedSequence),
    }
    return { signing, problems: this.#problems }
  }

  #attached(
    fact: ProofFactOf<'SignatureAttached'>,
    place: SignaturePlace,
    signer: Signer | undefined,
  ): void {
    const { receipt, sequence } = fact
    const link = hexOf(fact.link)
    const stands = this.#open.get(receipt)
    this.#open.delete(receipt)
    const isHere = stands?.sequence === sequence && stands.link === link
    const isElsewhere = stands === undefined && !this.#mustHold(receipt)
    if (!isHere && !isElsewhere) {
      this.#add(place, `the signature names another completion than that of receipt ${receipt}`)
    }
    const words = statement('receipt', this.#terminal, { receipt, sequence, link })
    const verdict = signer && holds(signer.algorithm, signer.key, words, fact.signature)
    if (this.#judged(place, verdict, `the signature of receipt ${receipt} does not hold`)) {
      this.#signatures += 1
      if (fact.late) this.#late += 1
      this.#vouched(sequence)
    }
  }

  #anchored(
    fact: ProofFactOf<'Anchored'>,
    place: SignaturePlace,
    signer: Signer | undefined,
  ): void {
    if (!fact.link.equals(this.#before)) {
      this.#add(place, 'the anchor is not the link of the frame before it')
    }
    if (fact.signature === undefined) return
    const { sequence } = fact
    const words = statement('head', this.#terminal, { sequence, link: hexOf(fact.link) })
    const isUp = signer?.isUp === true
    const verdict = isUp && holds(signer.algorithm, signer.key, words, fact.signature)
    if (this.#judged(place, verdict, 'the signature of the head does not hold')) {
      this.#vouched(sequence)
    }
  }

  #rotated(
    { oldKey, newKey, signature }: ProofFactOf<'KeyRotated'>,
    place: SignaturePlace,
    signer: Signer | undefined,
  ): void {
    const sequence = place.sequence - 1n
    const [old, next, link] = [hexOf(oldKey), hexOf(newKey), hexOf(this.#before)]
    const words = statement('key', this.#terminal, { sequence, link, old, new: next })
    const verdict = holds(signer?.algorithm ?? '', oldKey, words, signature)
    if (this.#judged(place, verdict, 'the old key does not vouch for the new one')) {
      this.#vouched(sequence)
    }
    if (verdict === true && this.#trusted?.has(old)) this.#trusted.add(next)
    else this.#admit(place, newKey)
  }

  /** Whether a receipt has to stand in what was read. */
  #mustHold(receipt: bigint): boolean {
    return this.#isWhole && this.#knownFrom !== undefined && receipt >= this.#knownFrom
  }

  #judged(place: SignaturePlace, verdict: boolean | undefined, message: string): boolean {
    if (verdict === false) this.#add(place, message)
    if (verdict === undefined) this.#unjudged += 1
    return verdict === true
  }

  #vouched(sequence: bigint): void {
    if (sequence > this.#signedSequence) this.#signedSequence = sequence
  }

  #admit(place: SignaturePlace, key: Uint8Array): void {
    if (this.#trusted === undefined || this.#trusted.has(hexOf(key))) return
    this.#add(place, `the key ${hexOf(key)} is none that is trusted`)
  }

  #add({ segment, offset, sequence }: SignaturePlace, message: string): void {
    const place = { segment, offset, sequence: Number(sequence) }
    this.#problems.push({ kind: 'signature', ...place, message })
  }
}

/** The words of a statement: its kind, the terminal, and its fields in their order. */
export function statement(
  kind: 'receipt' | 'head' | 'key' | 'manifest',
  terminal: string,
  fields: Readonly<Record<string, bigint | string>>,
): Buffer {
  const lines = Object.entries({ terminal, ...fields }).map(([name, value]) => `${name} ${value}\n`)
  return Buffer.from([`pos-kernel ${kind} 1\n`, ...lines].join(''))
}

/** Whether a signature holds; undefined for an algorithm that is not known here. */
export function holds(
  algorithm: string,
  key: Uint8Array,
  words: Buffer,
  signature: Uint8Array,
): boolean | undefined {
  if (algorithm !== 'ed25519') return undefined
  try {
    const x = Buffer.from(key).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    return verify(null, words, publicKey, signature)
  } catch {
    // 32 bytes that are no point of the curve make no key.
    return false
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
