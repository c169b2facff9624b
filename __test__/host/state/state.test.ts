import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { HostError } from '../../../ts/host/error.js'
import { snapshotBytes, snapshotOf } from '../../../ts/host/state/snapshot.js'
import { evidenceMax, type StateOptions, StateStore } from '../../../ts/host/state/state.js'

function folderOf(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-state-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

const lives = new Map<string, StateStore>()

/** The next life of the app of a data folder; the one before it has crashed. */
function life(data: string, options?: StateOptions): StateStore {
  lives.get(data)?.letGo()
  const store = new StateStore(data, options)
  lives.set(data, store)
  return store
}

/** A data folder in which a state was saved twice: `{ n: 1 }`, then `{ n: 2 }`. */
async function savedTwice(t: ExecutionContext): Promise<string> {
  const data = folderOf(t)
  const store = life(data)
  await store.save({ n: 1 }, { offset: 10 })
  await store.save({ n: 2 }, { offset: 20, version: 3 })
  return data
}

const file = (data: string, name: string) => path.join(data, 'state', name)
const evidence = (data: string) => {
  const folder = file(data, 'evidence')
  return fs.existsSync(folder) ? fs.readdirSync(folder) : []
}

test('a state that was never saved is none', async (t) => {
  const restored = await life(folderOf(t)).restore()
  t.deepEqual(restored, {
    from: 'none',
    value: undefined,
    offset: 0,
    version: 0,
    generation: 0,
    why: '',
  })
})

test('the last state that was saved comes back, with its offset, version and generation', async (t) => {
  const data = await savedTwice(t)
  const store = life(data)
  const restored = await store.restore()
  t.deepEqual(restored, {
    from: 'current',
    value: { n: 2 },
    offset: 20,
    version: 3,
    generation: 2,
    why: '',
  })
  await store.save({ n: 3 })
  t.is(store.generation, 3)
})

test('a store that saves without having restored counts on', async (t) => {
  const data = await savedTwice(t)
  const store = life(data)
  await store.save({ n: 3 })
  t.is(store.generation, 3)
  t.deepEqual((await life(data).restore()).value, { n: 3 })
})

test('every snapshot reads as what was written', (t) => {
  const counts = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(
      counts,
      counts,
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.uint8Array({ maxLength: 300 }),
      (generation, offset, version, bytes) => {
        const snapshot = { generation, offset, version, value: Buffer.from(bytes) }
        t.deepEqual(snapshotOf(snapshotBytes(snapshot)), snapshot)
      },
    ),
  )
})

test('no truncation and no change of a single byte passes for a snapshot', (t) => {
  const value = Buffer.from(JSON.stringify({ shop: 'corner', open: [1, 2, 3] }))
  const whole = snapshotBytes({ generation: 7, offset: 9, version: 1, value })
  t.is(typeof snapshotOf(whole), 'object')
  let tried = 0
  for (let length = 0; length < whole.length; length++) {
    tried++
    if (typeof snapshotOf(whole.subarray(0, length)) !== 'string') t.fail(`cut at ${length}`)
  }
  for (let at = 0; at < whole.length; at++) {
    for (let other = 1; other < 256; other++) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] as number) ^ other
      tried++
      if (typeof snapshotOf(changed) !== 'string') t.fail(`byte ${at} changed by ${other}`)
    }
  }
  t.is(tried, whole.length * 256)
  t.is(typeof snapshotOf(Buffer.concat([whole, Buffer.from([0])])), 'string')
})

test('every truncation of the file on disk gives the previous state and keeps the evidence', async (t) => {
  const data = await savedTwice(t)
  const current = fs.readFileSync(file(data, 'current'))
  const previous = fs.readFileSync(file(data, 'previous'))
  for (let length = 0; length < current.length; length++) {
    fs.writeFileSync(file(data, 'current'), current.subarray(0, length))
    fs.writeFileSync(file(data, 'previous'), previous)
    fs.rmSync(file(data, 'trials.json'), { force: true })
    const restored = await life(data).restore()
    t.is(restored.from, 'previous')
    t.deepEqual(restored.value, { n: 1 })
    t.is(restored.offset, 10)
    t.regex(restored.why, /current snapshot is damaged/)
    t.false(fs.existsSync(file(data, 'current')))
  }
  t.is(evidence(data).length, evidenceMax)
})

test('two damaged snapshots give an empty state, and the next save is the first of a new life', async (t) => {
  const data = await savedTwice(t)
  fs.writeFileSync(file(data, 'current'), 'garbage')
  fs.truncateSync(file(data, 'previous'), 30)
  const store = life(data)
  const restored = await store.restore()
  t.is(restored.from, 'empty')
  t.is(restored.value, undefined)
  t.is(evidence(data).length, 2)
  await store.save({ n: 9 })
  t.deepEqual((await life(data).restore()).value, { n: 9 })
})

test('a second process is refused while the first has the state, and a store that was closed writes nothing more', async (t) => {
  const data = await savedTwice(t)
  const first = life(data)
  await first.restore()
  const second = new StateStore(data)
  for (const attempt of [() => second.restore(), () => second.save({ n: 7 })]) {
    const error = await t.throwsAsync<HostError>(attempt(), { instanceOf: HostError })
    t.is(error?.code, 'HOST_STATE_HELD')
  }
  second.keep(() => ({ n: 7 }))
  t.false(await second.saveKept())
  await first.save({ n: 3 })
  await first.close()
  t.deepEqual((await second.restore()).value, { n: 3 })
  for (const attempt of [() => first.restore(), () => first.save({ n: 8 })]) {
    const error = await t.throwsAsync<HostError>(attempt(), { instanceOf: HostError })
    t.is(error?.code, 'HOST_STATE')
  }
  t.false(await first.saveKept())
  await second.save({ n: 4 })
  await second.close()
  t.deepEqual((await life(data).restore()).value, { n: 4 })
})

test('who waits for a state has what was saved last, and saves nothing before', async (t) => {
  const data = await savedTwice(t)
  const first = life(data)
  await first.restore()
  let asked = 0
  let onHeld = () => {}
  const held = new Promise<void>((resolve) => {
    onHeld = () => {
      asked += 1
      resolve()
    }
  })
  const second = new StateStore(data, { onHeld })
  second.keep(() => ({ n: 0 }))
  const restored = second.restore()
  await held
  t.true(second.isWaiting)
  t.false(await second.saveKept())
  await first.save({ n: 5 })
  await first.close()
  t.deepEqual((await restored).value, { n: 5 })
  t.is(asked, 1)
  const third = new StateStore(data, { onHeld: () => {} })
  const refused = t.throwsAsync<HostError>(third.restore(), { code: 'HOST_STATE' })
  await third.close()
  await refused
  t.true(await second.saveKept())
  await second.close()
})

test('a lock that is no file is replaced', async (t) => {
  const data = await savedTwice(t)
  life(data)
  fs.rmSync(file(data, 'lock'))
  fs.mkdirSync(path.join(file(data, 'lock'), 'deep'), { recursive: true })
  t.deepEqual((await life(data).restore()).value, { n: 2 })
})

test('what a hostile app puts in the place of its state is survived', async (t) => {
  const hostile: Record<string, (at: string) => void> = {
    folder: (at) => fs.mkdirSync(path.join(at, 'deep', 'er'), { recursive: true }),
    link: (at) => fs.symlinkSync('/etc/passwd', at),
    'link to itself': (at) => fs.symlinkSync(at, at),
    device: (at) => fs.symlinkSync('/dev/zero', at),
    terabyte: (at) => {
      fs.writeFileSync(at, '')
      fs.truncateSync(at, 2 ** 40)
    },
    'no JSON under a right digest': (at) =>
      fs.writeFileSync(
        at,
        snapshotBytes({ generation: 5, offset: 0, version: 0, value: Buffer.from('{') }),
      ),
    'numbers beyond what is safe': (at) => {
      const bytes = snapshotBytes({ generation: 5, offset: 0, version: 0, value: Buffer.from('1') })
      bytes.fill(0xff, 40, 56)
      fs.writeFileSync(at, bytes)
    },
  }
  for (const [what, put] of Object.entries(hostile)) {
    const data = await savedTwice(t)
    for (const name of ['current', 'draft', 'trials.json', 'previous.tmp']) {
      fs.rmSync(file(data, name), { force: true })
      put(file(data, name))
    }
    const store = life(data)
    const restored = await store.restore()
    t.is(restored.from, 'previous', what)
    t.deepEqual(restored.value, { n: 1 }, what)
    await store.save({ n: 8 })
    t.deepEqual((await life(data).restore()).value, { n: 8 }, what)
  }
})

test('a file in the place of the folder is moved away', async (t) => {
  const data = folderOf(t)
  fs.writeFileSync(path.join(data, 'state'), 'no folder')
  const store = life(data)
  t.is((await store.restore()).from, 'none')
  await store.save(1)
  t.is(fs.readFileSync(path.join(data, 'state.damaged'), 'utf8'), 'no folder')
})

test('a cut at any step of a save leaves the state that was acknowledged', async (t) => {
  const steps: ((data: string) => void)[] = [
    (data) => fs.writeFileSync(file(data, 'draft'), 'half'),
    (data) => fs.linkSync(file(data, 'current'), file(data, 'previous.tmp')),
    (data) => {
      fs.rmSync(file(data, 'previous'))
      fs.linkSync(file(data, 'current'), file(data, 'previous'))
    },
  ]
  for (const step of steps) {
    const data = await savedTwice(t)
    step(data)
    const store = life(data)
    const restored = await store.restore()
    t.is(restored.from, 'current')
    t.deepEqual(restored.value, { n: 2 })
    await store.save({ n: 3 })
    const after = await life(data).restore()
    t.deepEqual([after.from, after.value, after.generation], ['current', { n: 3 }, 3])
  }
})

test('the third crash after a restore gives the previous state, the next an empty one, and the bad ones are kept', async (t) => {
  const data = await savedTwice(t)
  const seen: unknown[] = []
  for (let run = 0; run < 6; run++) {
    const { from, value } = await life(data).restore()
    seen.push([from, value])
  }
  t.deepEqual(seen, [
    ['current', { n: 2 }],
    ['current', { n: 2 }],
    ['current', { n: 2 }],
    ['previous', { n: 1 }],
    ['empty', undefined],
    ['none', undefined],
  ])
  t.is(evidence(data).length, 2)
})

test('a poisoned state that is saved again by each life is given up too', async (t) => {
  const data = await savedTwice(t)
  const seen: string[] = []
  for (let run = 0; run < 5; run++) {
    const store = life(data)
    const { from, value } = await store.restore()
    seen.push(from)
    await store.save({ ...(value as object), run })
  }
  t.deepEqual(seen, ['current', 'current', 'current', 'previous', 'empty'])
})

test('ends from outside do not count against a state, crashes between them do', async (t) => {
  const data = await savedTwice(t)
  const outside = new Set<string>()
  let number = 0
  const next = async () => {
    number += 1
    const store = life(data, {
      runs: {
        name: () => `app.${number}`,
        wasEndedFromOutside: async (run) => outside.has(run),
      },
    })
    return (await store.restore()).from
  }
  for (let run = 0; run < 10; run++) {
    t.is(await next(), 'current', `after ${run} kills`)
    outside.add(`app.${number}`)
  }
  t.is(await next(), 'current', 'the first crash')
  t.is(await next(), 'current')
  outside.add(`app.${number}`)
  t.is(await next(), 'current', 'the second')
  t.is(await next(), 'current', 'the third')
  outside.add('app.1')
  t.is(await next(), 'previous')
  t.is(await next(), 'empty')
  t.is(evidence(data).length, 2)
})

test('a run that restores again and again counts once', async (t) => {
  const data = await savedTwice(t)
  const runs = { name: () => 'app.1', wasEndedFromOutside: async () => false }
  const store = life(data, { runs })
  for (let again = 0; again < 6; again++) t.is((await store.restore()).from, 'current')
  t.is((await life(data).restore()).from, 'current')
})

test('one snapshot under both names is not tried a fourth time', async (t) => {
  const data = folderOf(t)
  await life(data).save({ n: 1 })
  fs.linkSync(file(data, 'current'), file(data, 'previous'))
  for (let run = 0; run < 3; run++) await life(data).restore()
  t.is((await life(data).restore()).from, 'empty')
})

test('an end in order forgets the crashes before it', async (t) => {
  const data = await savedTwice(t)
  for (let run = 0; run < 10; run++) {
    await life(data).restore()
    await life(data).restore()
    const store = life(data)
    t.is((await store.restore()).from, 'current')
    await store.close()
  }
  t.is(evidence(data).length, 0)
})

test('a state that is too large, or no JSON, is refused and changes nothing', async (t) => {
  const data = folderOf(t)
  const store = life(data, { bytesMax: 100 })
  await store.save({ n: 1 })
  const circle: Record<string, unknown> = {}
  circle.circle = circle
  const refusals: [unknown, object, string][] = [
    ['x'.repeat(99), {}, 'HOST_STATE_TOO_LARGE'],
    [undefined, {}, 'HOST_ARGUMENT'],
    [circle, {}, 'HOST_ARGUMENT'],
    [1n, {}, 'HOST_ARGUMENT'],
    [1, { offset: -1 }, 'HOST_ARGUMENT'],
    [1, { offset: 0.5 }, 'HOST_ARGUMENT'],
    [1, { version: 2 ** 32 }, 'HOST_ARGUMENT'],
  ]
  for (const [value, options, code] of refusals) {
    const error = await t.throwsAsync<HostError>(store.save(value, options), {
      instanceOf: HostError,
    })
    t.is(error?.code, code)
  }
  await store.save('x'.repeat(98))
  t.is(store.generation, 2)
})

test('a disk that refuses is an error, and the state before it is still there', async (t) => {
  const data = await savedTwice(t)
  const store = life(data)
  await store.restore()
  fs.rmSync(file(data, 'current'))
  fs.mkdirSync(file(data, 'current'))
  const error = await t.throwsAsync<HostError>(store.save({ n: 3 }), { instanceOf: HostError })
  t.is(error?.code, 'HOST_STATE')
  t.deepEqual((await life(data).restore()).value, { n: 1 })
})

test('saves that wait for each other are one write, of the last', async (t) => {
  const data = folderOf(t)
  const store = life(data)
  await Promise.all(Array.from({ length: 100 }, (_, n) => store.save({ n })))
  t.is(store.generation, 2)
  t.deepEqual((await life(data).restore()).value, { n: 99 })
})

test('what was named is saved at the end', async (t) => {
  const data = folderOf(t)
  const store = life(data)
  t.false(await store.saveKept())
  let count = 0
  store.keep(
    () => ({ count }),
    () => ({ offset: count }),
  )
  count = 5
  t.true(await store.saveKept())
  const { value, offset } = await life(data).restore()
  t.deepEqual([value, offset], [{ count: 5 }, 5])
})
