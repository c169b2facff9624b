/**
 * CRC32C (Castagnoli), the checksum of every block, frame and manifest. A table of 256 entries: the
 * polynomial 0x1EDC6F41 with its bits reversed, one step for each byte.
 */
const table = new Int32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  table[byte] = value
}

/** A checksum under way: the register before its last inversion. */
export type Register = number

/** The register of no bytes. */
export const emptyRegister: Register = -1

/** Feeds bytes to a register. */
export function feed(register: Register, bytes: Uint8Array): Register {
  let value = register
  // Indices stay inside both arrays, so nothing here is ever absent.
  for (let at = 0; at < bytes.length; at++) {
    value = (value >>> 8) ^ (table[(value ^ (bytes[at] as number)) & 255] as number)
  }
  return value
}

/** The checksum that a register stands for, as an unsigned number. */
export function finish(register: Register): number {
  return ~register >>> 0
}

/** CRC32C of some bytes. */
export function crc32c(bytes: Uint8Array): number {
  return finish(feed(emptyRegister, bytes))
}
