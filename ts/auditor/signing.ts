/**
 * What the facts of signing and archiving fold to: who signs, which receipts stand without a
 * signature, what was archived. Receipts without one are kept as runs of numbers, as in a checkpoint.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import { Contradiction, hold } from './contradiction.js'
import type { ArchivedBody, ProofFact, ProofFactOf, SigningBody } from './proof-bodies.js'

const KEY_ID_BYTES = 8
const ED25519_KEY_BYTES = 32

/** The signer, once there was one. */
export interface Signer {
  readonly signer: string
  readonly algorithm: string
  readonly key: Buffer
  readonly isUp: boolean
}

/** The state of the proofs of a journal. */
export class Proofs {
  #signer: Signer | undefined
  #onTimeFrom = 0n
  #unsigned: readonly (readonly [first: bigint, last: bigint])[] = []
  #archived: ArchivedBody | undefined

  /** The state that a checkpoint says, before a receipt of this number. */
  static of(
    signing: SigningBody | undefined,
    archived: ArchivedBody | undefined,
    nextReceipt: bigint,
  ): Proofs {
    const proofs = new Proofs()
    proofs.#archived = archived
    if (signing === undefined) return proofs
    const { signer, algorithm, key, up, onTimeFrom, unsigned } = signing
    proofs.#signer = { signer, algorithm, key, isUp: up }
    proofs.#onTimeFrom = onTimeFrom
    const runs: [bigint, bigint][] = []
    for (let at = 0; at < unsigned.length; at += 2) {
      const [first, last] = [unsigned[at], unsigned[at + 1]]
      const before = runs.at(-1)?.[1] ?? -1n
      const isRun = first !== undefined && last !== undefined && first <= last && first > before
      hold(isRun, 'I16', 'the runs of unsigned receipts are not in order')
      if (first !== undefined && last !== undefined) runs.push([first, last])
    }
    hold(
      (runs.at(-1)?.[1] ?? -1n) < nextReceipt,
      'I16',
      'a receipt that was never given is unsigned',
    )
    proofs.#unsigned = runs
    return proofs
  }

  /** Who signs, or signed last. */
  get signer(): Signer | undefined {
    return this.#signer
  }

  /** What was archived. */
  get archived(): ArchivedBody | undefined {
    return this.#archived
  }

  /** The runs of receipts without a signature. */
  get unsigned(): readonly (readonly [first: bigint, last: bigint])[] {
    return this.#unsigned
  }

  /** Holds what a checkpoint says against the state. */
  compare(signing: SigningBody | undefined, archived: ArchivedBody | undefined): void {
    hold(this.#shownSigning() === shown(signing), 'I16', 'the checkpoint says another signer')
    const isSame = shown(this.#archived) === shown(archived)
    hold(isSame, 'I16', 'the checkpoint says another archive')
  }

  /** An owner has begun. */
  opened(nextReceipt: bigint): void {
    if (this.#signer !== undefined) this.#onTimeFrom = nextReceipt
  }

  /** A receipt was given. */
  completed(receipt: bigint): void {
    if (this.#signer === undefined) return
    const last = this.#unsigned.at(-1)
    const begun = last?.[1] === receipt - 1n ? last : undefined
    const kept = begun === undefined ? this.#unsigned : this.#unsigned.slice(0, -1)
    this.#unsigned = [...kept, [begun?.[0] ?? receipt, receipt]]
  }

  /** Folds in a fact. */
  apply(fact: ProofFact, sequence: bigint, nextReceipt: bigint): void {
    switch (fact.name) {
      case 'SignerUp': {
        const { signer, algorithm, publicKey: key } = fact
        holdKey(algorithm, key)
        this.#signer = { signer, algorithm, key, isUp: true }
        this.#onTimeFrom = nextReceipt
        return
      }
      case 'SignerDown':
        this.#signer = { ...this.#upSigner(), isUp: false }
        this.#onTimeFrom = nextReceipt
        return
      case 'SignatureAttached':
        this.#attach(fact)
        return
      case 'KeyRotated': {
        const signer = this.#upSigner()
        hold(fact.oldKey.equals(signer.key), undefined, 'a key is changed that does not sign')
        holdKey(signer.algorithm, fact.newKey)
        this.#signer = { ...signer, key: fact.newKey }
        return
      }
      case 'Anchored':
        hold(fact.sequence + 1n === sequence, undefined, `it anchors record ${fact.sequence}`)
        return
      case 'SegmentsArchived': {
        const { fromSegment, toSegment: segment, lastSequence, link } = fact
        const next = (this.#archived?.segment ?? 0) + 1
        const isNext = fromSegment === next && segment >= fromSegment
        hold(isNext, undefined, `segments from ${fromSegment} are archived, where ${next} is next`)
        this.#archived = { segment, lastSequence, link }
      }
    }
  }

  #attach({ receipt, keyId, late }: ProofFactOf<'SignatureAttached'>): void {
    const { algorithm, key } = this.#upSigner()
    hold(keyIdOf(algorithm, key).equals(keyId), undefined, 'it is signed with another key')
    hold(late === receipt < this.#onTimeFrom, undefined, 'what it says of being late is not so')
    const index = this.#unsigned.findIndex(([first, last]) => first <= receipt && receipt <= last)
    const run = this.#unsigned[index]
    if (run === undefined) throw new Contradiction(`receipt ${receipt} awaits no signature`)
    const [first, last] = run
    const left: (readonly [bigint, bigint])[] = []
    if (first < receipt) left.push([first, receipt - 1n])
    if (receipt < last) left.push([receipt + 1n, last])
    this.#unsigned = this.#unsigned.toSpliced(index, 1, ...left)
  }

  #upSigner(): Signer {
    if (this.#signer?.isUp !== true) throw new Contradiction('no signer is up')
    return this.#signer
  }

  #shownSigning(): string {
    if (this.#signer === undefined) return shown(undefined)
    const { signer, algorithm, key, isUp } = this.#signer
    const [up, onTimeFrom, unsigned] = [isUp, this.#onTimeFrom, this.#unsigned.flat()]
    return shown({ signer, algorithm, key, up, onTimeFrom, unsigned })
  }
}

/** The short name of a key. */
export function keyIdOf(algorithm: string, key: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(algorithm), Buffer.of(0), key])
  return Buffer.from(blake3(named).subarray(0, KEY_ID_BYTES))
}

function holdKey(algorithm: string, key: Buffer): void {
  const isPossible = algorithm !== 'ed25519' || key.length === ED25519_KEY_BYTES
  hold(isPossible, undefined, `a key of ed25519 has ${key.length} bytes`)
}

function shown(body: SigningBody | ArchivedBody | undefined): string {
  if (body === undefined) return ''
  return Object.entries(body)
    .map(([name, value]) => `${name} ${Buffer.isBuffer(value) ? value.toString('hex') : value}`)
    .join('; ')
}
