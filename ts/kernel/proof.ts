/**
 * Proof of a journal for others: signatures of receipts, anchors, archives. What they mean is in
 * `docs/guide/prove-a-journal.md`.
 */
import type { NativeProof } from '../native.js'
import type { Crossing } from './crossing.js'
import { checkNames, numberOf, optionalText, text } from './input.js'
import { plain } from './plain.js'

/** Who signs, and what stands unsigned. */
export interface SigningState {
  /** Name of the key or device. */
  readonly signer: string
  /** `ed25519`, or the name of another algorithm. */
  readonly algorithm: string
  /** Public key, in hexadecimal: give it to whoever verifies. */
  readonly key: string
  /** It is up; false in an outage. */
  readonly up: boolean
  /** How many receipts stand without a signature. */
  readonly unsigned: number
  /** The oldest of them; null when there is none. */
  readonly firstUnsigned: number | null
}

/** A device that signs outside the kernel. */
export interface SigningDevice {
  /** Its name, as the journal will say it. */
  readonly signer: string
  /** `ed25519`, whose signatures the kernel checks, or the name of another algorithm. */
  readonly algorithm: string
  /** Public key, in hexadecimal. */
  readonly key: string
}

/** A receipt without a signature, and what has to be signed for it. */
export interface UnsignedReceipt {
  /** Receipt number. */
  readonly receiptNumber: number
  /** Sequence of its completion: what `attachSignature` asks for. */
  readonly sequence: number
  /** The receipt's hash. */
  readonly hash: string
  /** The text to sign, in ASCII. */
  readonly statement: string
}

/** The signature of a receipt. */
export interface ReceiptSignature {
  /** Receipt number. */
  readonly receiptNumber: number
  /** Sequence of its completion. */
  readonly sequence: number
  /** The receipt's hash. */
  readonly hash: string
  /** The signature, in hexadecimal. */
  readonly signature: string
  /** The short name of the key, 16 hexadecimal digits. */
  readonly keyId: string
  /** It was made after an outage or a restart. */
  readonly late: boolean
}

/** A place in the chain, to be kept where the journal's owner cannot change it. */
export interface Anchor {
  /** Terminal. */
  readonly terminal: string
  /** Sequence of the last record. */
  readonly sequence: number
  /** Link of the last frame: what `verify` asks for. */
  readonly link: string
  /** Records up to there since the journal began. */
  readonly records: number
  /** Wall time, ISO 8601 in UTC. */
  readonly at: string
  /** The text that was signed, or that a device outside can sign. */
  readonly statement: string
  /** The signature, where the terminal's own signer is up. */
  readonly signature?: {
    /** Algorithm. */
    readonly algorithm: string
    /** Public key, in hexadecimal. */
    readonly key: string
    /** The signature, in hexadecimal. */
    readonly value: string
  }
}

/** What was moved into an archive. */
export interface ArchiveManifest {
  /** File of the manifest in the archive. */
  readonly file: string
  /** First segment and last. */
  readonly segments: readonly [first: number, last: number]
  /** First sequence and last. */
  readonly sequences: readonly [first: number, last: number]
  /** First receipt and last; the last is one below the first when none was completed there. */
  readonly receipts: readonly [first: number, last: number]
  /** Link before the first segment. */
  readonly linkIn: string
  /** Link of the last segment's last frame. */
  readonly linkOut: string
  /** Hash of the manifest, which the journal names. */
  readonly hash: string
  /** It carries a signature. */
  readonly signed: boolean
}

/** What a call of `archive` has done. */
export interface ArchiveReport {
  /** The archive of this terminal. */
  readonly folder: string
  /** Segments that left the journal's folder. */
  readonly removed: number
  /** The oldest segment that the journal still has. */
  readonly oldestSegment: number
  /** What was moved; null when an earlier call was only finished. */
  readonly manifest: ArchiveManifest | null
}

/** The place of an anchor. */
export interface AnchorOptions {
  /** Where it is kept, for the journal to note, up to 256 bytes; not noted when left out. */
  readonly place?: string | undefined
}

/** How much to archive. */
export interface ArchiveOptions {
  /** The last segment to move; all sealed ones when left out. */
  readonly uptoSegment?: number | undefined
}

const deviceNames = new Set(['signer', 'algorithm', 'key'])
const anchorNames = new Set(['place'])
const archiveNames = new Set(['uptoSegment'])

/**
 * The proofs of one terminal: {@link Terminal.proof}.
 *
 * @example
 * const terminal = await openTerminal({ root: './store', id: 'REGISTER_01', signing: 'software' })
 * const receipt = await terminal.sell(cart)
 * const signature = await terminal.proof.signature(receipt.receiptNumber)
 */
export class Proof {
  readonly #crossing: Crossing

  /** @internal */
  constructor(crossing: Crossing) {
    this.#crossing = crossing
  }

  /**
   * Who signs, and what stands unsigned; null when nothing was ever signed.
   *
   * @throws {@link SaleStateError} `PK_E_CLOSED`
   * @example
   * if (terminal.proof.signing()?.up === false) console.log('an outage')
   */
  signing(): SigningState | null {
    const state = this.#crossing.ask('signing', (native) => native.signing())
    return plain(state) as SigningState | null
  }

  /**
   * Says that a signer is up. With a device, one outside signs from here on: ask `nextUnsigned`, give
   * `attachSignature`. Without, the signer that the terminal was opened with is back, and up to 256
   * receipts that it missed are signed.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link SaleStateError} `PK_E_SIGNER_DOWN` when there is no signer to come back
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * await terminal.proof.signerUp({ signer: 'TSE 4711', algorithm: 'ed25519', key: publicKey })
   */
  async signerUp(device?: SigningDevice): Promise<void> {
    await this.#call('signerUp', (native) => native.signerUp(device && deviceOf(device)))
  }

  /**
   * Says that the signer is out. Sales go on, and their receipts stand unsigned.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link SaleStateError} `PK_E_SIGNER_DOWN` when it is down already
   * @throws {@link InputError} `PK_E_BAD_TEXT`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * await terminal.proof.signerDown('the device does not answer')
   */
  async signerDown(reason: string): Promise<void> {
    await this.#call('signerDown', (native) => native.signerDown(text('reason', reason)))
  }

  /**
   * The oldest receipt without a signature, durable, with the text to sign; null when all have one.
   *
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * for (let next = await proof.nextUnsigned(); next; next = await proof.nextUnsigned()) {
   *   await proof.attachSignature(next.sequence, await device.sign(next.statement))
   * }
   */
  nextUnsigned(): Promise<UnsignedReceipt | null> {
    return this.#call('nextUnsigned', (native) => native.nextUnsigned())
  }

  /**
   * What has to be signed for a receipt.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * const { statement } = await terminal.proof.unsigned(receipt.receiptNumber)
   */
  unsigned(receiptNumber: number): Promise<UnsignedReceipt> {
    const number = () => numberOf('receiptNumber', receiptNumber)
    return this.#call('unsigned', (native) => native.unsigned(number()))
  }

  /**
   * Attaches the signature of a receipt that was made outside. The same once more does nothing.
   *
   * Durable when the promise resolves.
   *
   * @param sequence - of the receipt's completion
   * @param signature - in hexadecimal
   * @throws {@link StorageError} `PK_E_SIGNATURE` when it does not hold; `PK_E_NO_SPACE`,
   * `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @throws {@link SaleStateError} `PK_E_SIGNER_DOWN`, `PK_E_NOT_FOUND`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`, `PK_E_LIMIT`
   * @example
   * const next = await terminal.proof.nextUnsigned()
   * if (next) await proof.attachSignature(next.sequence, await device.sign(next.statement))
   */
  async attachSignature(sequence: number, signature: string): Promise<void> {
    await this.#call('attachSignature', (native) =>
      native.attachSignature(numberOf('sequence', sequence), text('signature', signature)),
    )
  }

  /**
   * Signs receipts that an outage has left, oldest first, at most `limit` of them; answers how many.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link SaleStateError} `PK_E_SIGNER_DOWN`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_NO_SPACE`, `PK_E_POISONED`
   * @example
   * while ((await terminal.proof.signLate(1000)) > 0);
   */
  signLate(limit: number): Promise<number> {
    return this.#call('signLate', (native) => native.signLate(numberOf('limit', limit)))
  }

  /**
   * The signature of a receipt; null when it has none. The newest are answered from memory.
   *
   * @throws {@link SaleStateError} `PK_E_NOT_FOUND`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_IO`
   * @example
   * const signature = await terminal.proof.signature(receipt.receiptNumber)
   */
  signature(receiptNumber: number): Promise<ReceiptSignature | null> {
    const number = () => numberOf('receiptNumber', receiptNumber)
    return this.#call('signature', (native) => native.signature(number()))
  }

  /**
   * Gives the software signer a new key, which the old one vouches for. Answers the public key.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link SaleStateError} `PK_E_SIGNER_DOWN` when the software signer is not up
   * @throws {@link StorageError} `PK_E_IO`, `PK_E_NO_SPACE`, `PK_E_POISONED`
   * @example
   * console.log('trust from now on', await terminal.proof.rotateKey())
   */
  rotateKey(): Promise<string> {
    return this.#call('rotateKey', (native) => native.rotateKey())
  }

  /**
   * A place in the chain to keep elsewhere, signed where the terminal's signer is up. With `place`
   * the journal notes where it is kept.
   *
   * Durable when the promise resolves: everything that the anchor speaks of, and the note.
   *
   * @throws {@link InputError} `PK_E_BAD_TEXT`, `PK_E_BAD_ARGUMENT`
   * @throws {@link StorageError} `PK_E_NO_SPACE`, `PK_E_POISONED`, `PK_E_OUTCOME_UNKNOWN`
   * @example
   * const { link } = await terminal.proof.anchor({ place: 'printed on the day report' })
   */
  anchor(options: AnchorOptions = {}): Promise<Anchor> {
    return this.#call('anchor', (native) => {
      checkNames('options', options, anchorNames)
      return native.anchor(optionalText('place', options.place))
    })
  }

  /**
   * Moves sealed segments into the archive. Sales go on meanwhile.
   *
   * Durable when the promise resolves: copies, manifest, and the fact that says so.
   *
   * @throws {@link SaleStateError} `PK_E_NOTHING_TO_ARCHIVE`
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT`
   * @throws {@link StorageError} `PK_E_CORRUPT`, `PK_E_CHAIN_BROKEN` (nothing was moved),
   * `PK_E_ARCHIVE`, `PK_E_IO`, `PK_E_NO_SPACE`
   * @example
   * const { manifest } = await terminal.proof.archive()
   */
  archive(options: ArchiveOptions = {}): Promise<ArchiveReport> {
    return this.#call('archive', (native) => {
      checkNames('options', options, archiveNames)
      const { uptoSegment } = options
      return native.archive(uptoSegment && numberOf('uptoSegment', uptoSegment))
    })
  }

  async #call<T>(
    operation: string,
    call: (native: Parameters<Parameters<Crossing['read']>[1]>[0]) => Promise<NativeProof>,
  ): Promise<T> {
    const { value } = await this.#crossing.read(operation, async (native) => call(native))
    return plain(value) as T
  }
}

function deviceOf(device: SigningDevice): SigningDevice {
  checkNames('device', device, deviceNames)
  return {
    signer: text('signer', device.signer),
    algorithm: text('algorithm', device.algorithm),
    key: text('key', device.key),
  }
}
