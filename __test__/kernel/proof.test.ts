/** Signatures, anchors, archives and exports as a host of Node has them. */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { chmodSync, existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import test, { type ExecutionContext } from 'ava'
import { type Cart, exportLines, openTerminal, type Terminal, verifyStore } from '../../ts/index.js'
import { refusal, tempStore, terminalFor } from '../support/store.js'

const cart: Cart = {
  store: 'S',
  currency: 'EUR',
  lines: [{ sku: 'A', text: 'x'.repeat(200), quantity: 1, unitPrice: 100 }],
  tenders: [{ kind: 'cash', amount: 100 }],
}

/** A device with a key of its own. */
function newDevice(): { readonly key: string; sign(words: string): string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  return {
    key: Buffer.from(x, 'base64url').toString('hex'),
    sign: (words) => sign(null, Buffer.from(words), privateKey).toString('hex'),
  }
}

function holds(key: string, words: string, signature: string): boolean {
  const x = Buffer.from(key, 'hex').toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, Buffer.from(words), publicKey, Buffer.from(signature, 'hex'))
}

async function isSound(t: ExecutionContext, root: string, keys: string[] = []): Promise<void> {
  const { terminals } = await verifyStore({ root, keys })
  t.deepEqual(
    terminals.flatMap(({ problems }) => problems),
    [],
  )
}

/** Sells until so many segments are sealed. */
async function fill(terminal: Terminal, segments: number): Promise<number> {
  let last = 0
  while (terminal.status().segment <= segments) {
    last = (await terminal.sell(cart)).receiptNumber
  }
  return last
}

test('a receipt is signed over words that anybody can write, and the journal is proved with the key', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, signing: 'software' })
  const { receiptNumber, sequence, hash } = await terminal.sell(cart)
  const signature = await terminal.proof.signature(receiptNumber)
  const { key = '', up, unsigned } = terminal.proof.signing() ?? {}
  t.deepEqual([up, unsigned, signature?.hash, signature?.late], [true, 0, hash, false])
  const words = `pos-kernel receipt 1\nterminal T1\nreceipt 1\nsequence ${sequence}\nlink ${hash}\n`
  t.true(holds(key, words, signature?.signature ?? ''))
  await refusal(t, () => terminal.proof.signature(9), 'PK_E_NOT_FOUND')
  const next = await terminal.proof.rotateKey()
  await terminal.sell(cart)
  const anchor = await terminal.proof.anchor({ place: 'a test' })
  t.is(anchor.signature?.key, next)
  t.true(holds(next, anchor.statement, anchor.signature?.value ?? ''))
  await terminal.close()
  await isSound(t, root, [key])
  const report = await verifyStore({ root, anchor: anchor.link, keys: [key] })
  t.true(report.ok)
  t.like(report.terminals[0]?.signing, { signatures: 2, late: 0, unsigned: 0, key: next })
  const other = await verifyStore({ root, keys: [newDevice().key] })
  t.like(other.terminals[0]?.problems[0], { code: 'PK_E_SIGNATURE' })
  await refusal(t, () => verifyStore({ root, keys: ['xyz'] }), 'PK_E_BAD_ARGUMENT')
})

test('a device outside signs in two phases, and late after an outage', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root })
  const { proof } = terminal
  const device = newDevice()
  t.is(proof.signing(), null)
  await refusal(t, () => proof.signerUp(), 'PK_E_SIGNER_DOWN')
  await refusal(
    t,
    () => proof.signerUp({ signer: 'D', algorithm: 'ed25519', key: 'ab' }),
    'PK_E_BAD_ARGUMENT',
  )
  await proof.signerUp({ signer: 'D', algorithm: 'ed25519', key: device.key })
  await terminal.sell(cart)
  await proof.signerDown('no answer')
  await refusal(t, () => proof.signerDown('no answer'), 'PK_E_SIGNER_DOWN')
  await terminal.sell(cart)
  t.like(proof.signing(), { up: false, unsigned: 2, firstUnsigned: 1 })
  await proof.signerUp({ signer: 'D', algorithm: 'ed25519', key: device.key })
  const first = await proof.nextUnsigned()
  const sequence = first?.sequence ?? 0
  await refusal(t, () => proof.attachSignature(sequence, '00'.repeat(64)), 'PK_E_SIGNATURE')
  await refusal(t, () => proof.attachSignature(sequence, 'no'), 'PK_E_BAD_ARGUMENT')
  for (let next = first; next !== null; next = await proof.nextUnsigned()) {
    await proof.attachSignature(next.sequence, device.sign(next.statement))
  }
  await terminal.sell(cart)
  const { statement, sequence: third } = await proof.unsigned(3)
  await proof.attachSignature(third, device.sign(statement))
  t.true((await proof.signature(2))?.late)
  t.false((await proof.signature(3))?.late)
  await refusal(t, () => proof.signLate(10), 'PK_E_SIGNER_DOWN')
  await refusal(t, () => proof.rotateKey(), 'PK_E_SIGNER_DOWN')
  await terminal.close()
  await isSound(t, root, [device.key])
})

const testWithModes = process.platform === 'win32' ? test.skip : test

testWithModes('a key that others can read is refused', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, signing: 'software' })
  await terminal.close()
  const file = path.join(root, 'terminals/T1/signing.key')
  t.is(statSync(file).mode & 0o777, 0o600)
  chmodSync(file, 0o644)
  const opening = openTerminal({ root, id: 'T1', signing: 'software' })
  t.is((await refusal(t, () => opening, 'PK_E_KEY_FILE')).facts.mode, '644')
  const opened = await openTerminal({ root, id: 'T1' })
  await opened.close()
  const wrong = openTerminal({ root, id: 'T1', signing: 'hardware' as never })
  await refusal(t, () => wrong, 'PK_E_BAD_ARGUMENT')
})

test('an archived journal is read on, at its place and at another', async (t) => {
  const root = tempStore(t)
  const elsewhere = tempStore(t)
  for (const archive of [undefined, elsewhere]) {
    const id = archive === undefined ? 'T1' : 'T2'
    const terminal = await openTerminal({ root, id, segmentBytes: 65_536, archive })
    await refusal(t, () => terminal.proof.archive(), 'PK_E_NOTHING_TO_ARCHIVE')
    const last = await fill(terminal, 3)
    const { manifest, removed, folder } = await terminal.proof.archive({ uptoSegment: 2 })
    t.deepEqual([manifest?.segments, removed], [[1, 2], 2])
    t.is(folder, path.join(archive ?? path.join(root, 'archive'), id))
    t.true(existsSync(path.join(folder, manifest?.file ?? '')))
    t.is((await terminal.receipt(1)).receiptNumber, 1)
    t.is((await terminal.receipt(last)).receiptNumber, last)
    await terminal.close()
  }
  const alone = await verifyStore({ root })
  t.true(alone.ok)
  const [here, away] = alone.terminals
  t.like(here, { firstSequence: 1, archiveSegments: 2 })
  t.like(away, { archiveSegments: 0, archived: { segment: 2 } })
  t.is(away?.firstSequence, (away?.archived?.lastSequence ?? 0) + 1)
  const [, whole] = (await verifyStore({ root, archive: elsewhere })).terminals
  t.like(whole, { firstSequence: 1, archiveSegments: 2, problemCount: 0 })
})

test('an export is proved with BLAKE3 alone', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1', segmentBytes: 65_536, signing: 'software' })
  await fill(terminal, 3)
  await terminal.proof.archive({ uptoSegment: 2 })
  await terminal.close()
  const { head } = (await verifyStore({ root })).terminals[0] ?? {}
  let [link, next, frames] = ['00'.repeat(32), 1, 0]
  let covered: Buffer[] = []
  let left = 0
  for await (const line of exportLines({ root, terminal: 'T1' })) {
    if (line.header !== undefined) {
      t.is(line.previousLink, link)
      t.is(line.firstSequence, next)
      const header = Buffer.concat([Buffer.from(String(line.header), 'hex')], 4092)
      link = Buffer.from(blake3(header)).toString('hex')
      t.is(line.link, link)
      continue
    }
    t.is(line.sequence, next)
    next += 1
    const frame = line.frame as { head: string; records: number } | undefined
    if (frame !== undefined) {
      covered = [Buffer.from(frame.head, 'hex')]
      left = frame.records
    }
    const body = Buffer.from(String(line.body), 'hex')
    const front = Buffer.alloc(8)
    front.writeUInt32LE(body.length)
    front.writeUInt16LE(Number(line.kindNumber), 4)
    front.writeUInt8(Number(line.version), 6)
    covered.push(front, body)
    left -= 1
    if (left > 0) continue
    const size = covered.reduce((sum, { length }) => sum + length, 4)
    const bytes = Buffer.concat(covered, Math.ceil(size / 8) * 8 - 4)
    link = Buffer.from(blake3(bytes, { key: Buffer.from(link, 'hex') })).toString('hex')
    t.is(line.link, link)
    frames += 1
  }
  t.is(link, head ?? '')
  t.true(frames > 100)
})
