/**
 * A snapshot as bytes. Whoever reads one knows that it is whole: the digest covers every byte before it and after it.
 *
 * ```text
 * magic       8   "pkstate1"
 * digest     32   SHA-256 over everything after this field
 * generation u64  counts up by one with each save, little-endian like all numbers here
 * offset     u64  position in the app's journal that the state is of; 0 where it has none
 * version    u32  the app's own version of its state's form
 * length     u32  bytes of the value
 * value           JSON text
 * ```
 */
import { createHash } from 'node:crypto'

/** A state at one moment. */
export interface Snapshot {
  /** Counts up by one with each save. */
  readonly generation: number
  /** Position in the app's journal up to which the state has taken in what happened; 0 where it has none. */
  readonly offset: number
  /** The app's own version of the form of its state. */
  readonly version: number
  /** The state. */
  readonly value: Buffer
}

const magic = Buffer.from('pkstate1')
const digestBytes = 32
const bodyAt = magic.length + digestBytes

/** Bytes before the value. */
export const snapshotHeadBytes = bodyAt + 24

/** A snapshot as bytes. */
export function snapshotBytes({ generation, offset, version, value }: Snapshot): Buffer {
  const bytes = Buffer.allocUnsafe(snapshotHeadBytes + value.length)
  magic.copy(bytes, 0)
  bytes.writeBigUInt64LE(BigInt(generation), bodyAt)
  bytes.writeBigUInt64LE(BigInt(offset), bodyAt + 8)
  bytes.writeUInt32LE(version, bodyAt + 16)
  bytes.writeUInt32LE(value.length, bodyAt + 20)
  value.copy(bytes, snapshotHeadBytes)
  digestOf(bytes).copy(bytes, magic.length)
  return bytes
}

/** The snapshot that these bytes are; else what is wrong with them, as a few words. */
export function snapshotOf(bytes: Buffer): Snapshot | string {
  if (bytes.length < snapshotHeadBytes) return `it has ${bytes.length} bytes`
  if (!bytes.subarray(0, magic.length).equals(magic)) return 'it does not begin as a snapshot does'
  if (!digestOf(bytes).equals(bytes.subarray(magic.length, bodyAt))) return 'its digest is wrong'
  const generation = Number(bytes.readBigUInt64LE(bodyAt))
  const offset = Number(bytes.readBigUInt64LE(bodyAt + 8))
  const length = bytes.readUInt32LE(bodyAt + 20)
  // The digest is no secret: an app may have written one over any bytes.
  if (!Number.isSafeInteger(generation) || !Number.isSafeInteger(offset))
    return 'it has a number that is too large'
  if (length !== bytes.length - snapshotHeadBytes) return 'its length is wrong'
  return {
    generation,
    offset,
    version: bytes.readUInt32LE(bodyAt + 16),
    value: bytes.subarray(snapshotHeadBytes),
  }
}

/** The generation that these first bytes of a snapshot name, whether it is whole or not; undefined where they name none. */
export function generationNamed(head: Buffer): number | undefined {
  if (head.length < bodyAt + 8 || !head.subarray(0, magic.length).equals(magic)) return undefined
  return Number(head.readBigUInt64LE(bodyAt))
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes.subarray(bodyAt)).digest()
}
