/** Ends in the way that its first argument says, once it is ready. */
import { connectHost } from '../../../../ts/host/app/index.js'

const host = await connectHost()
const what = process.argv[2]
if (what !== 'never-ready') host.ready()
const held: unknown[] = []

function spin(): never {
  for (;;) {}
}

/** Everything that a report in JavaScript would come by ends the process in another way. */
function hostile(): never {
  Error.prepareStackTrace = () => process.exit(3)
  Object.defineProperty(Error, 'captureStackTrace', { value: () => process.exit(3) })
  Object.defineProperty(process, 'report', { get: () => process.exit(3) })
  return spin()
}

function backtrack(): boolean {
  return /^(?:a+)+$/.test(`${'a'.repeat(60)}b`)
}

function leak(more: () => unknown): void {
  for (let n = 0; n < 16; n++) held.push(more())
  setImmediate(leak, more)
}

const ends: Record<string, () => unknown> = {
  finish: () => host.close(),
  exception: () => {
    throw new Error('the printer is on fire')
  },
  'exit-code': () => process.exit(3),
  signal: () => process.kill(process.pid, 'SIGSEGV'),
  hang: spin,
  'hang-hostile': hostile,
  'hang-in-an-expression': backtrack,
  'hang-in-a-call': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  'heap-leak': () => leak(() => Array.from({ length: 50_000 }, (_, n) => ({ n }))),
  'buffer-leak': () => leak(() => Buffer.alloc(1024 * 1024, 1)),
  'map-leak': () => leak(() => new Map(Array.from({ length: 10_000 }, (_, n) => [n, { n }]))),
  'too-large-a-buffer': () => held.push(new Uint8Array(400 * 1024 * 1024)),
  stay: () => {},
  'never-ready': () => {},
  'no-drain': () => host.onDrain(() => spin()),
}
setImmediate(() => ends[what ?? 'stay']?.())
