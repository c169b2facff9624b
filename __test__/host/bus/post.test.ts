/** The post office: a key of an app is one message, whatever else is ordered, fails or dies meanwhile. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { PostOffice } from '../../../ts/host/bus/post.js'
import { openTerminal } from '../../../ts/index.js'
import { tempStore } from '../../support/store.js'

const sender = { instance: 'app.1' } as Parameters<PostOffice['answer']>[1]

/** Asks as the bus does; gives the id, or the code of the refusal. */
async function ask(office: PostOffice, order: object): Promise<string> {
  try {
    const answer = await office.answer(Buffer.from(JSON.stringify(order)), sender)
    return (JSON.parse(Buffer.from(answer).toString()) as { id: string }).id
  } catch (error) {
    return (error as { code: string }).code
  }
}

function inboxOf(root: string, to: string): string {
  return path.join(root, 'shared/cross_terminal_messages/terminal_inbox', to)
}

/** How often each key is in an inbox, waiting, received or dead. */
function keysIn(root: string, to: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const folder of ['new', 'done', 'dead']) {
    // An inbox is made with its first message.
    if (!existsSync(path.join(inboxOf(root, to), folder))) continue
    const names = readdirSync(path.join(inboxOf(root, to), folder))
    for (const name of names.filter((each) => /HOST-POST-[0-9a-f]+\.json$/.test(each))) {
      const text = readFileSync(path.join(inboxOf(root, to), folder, name), 'utf8')
      const { key } = (JSON.parse(text) as { body: { key: string } }).body
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

/** Deeper than the kernel reads: what only the kernel refuses, after the order was taken. */
const tooDeep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown

test.serial('a failing order does not forget the keys that are on their way', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  t.teardown(() => terminal.close())
  const office = new PostOffice(root)
  t.teardown(() => office.close())
  const bad = { to: 'T1', kind: 'x.note', key: 'bad', body: tooDeep }
  t.is(await ask(office, bad), 'PK_E_BAD_MESSAGE')
  const good = (key: string) => ({ to: 'T1', kind: 'x.note', key, body: key })
  for (let round = 0; round < 20; round += 1) {
    // The bad ones fail while the good ones wait for the disk; then the good ones are asked for again.
    const keys = Array.from({ length: 8 }, (_, index) => `${round}-${index}`)
    const first = keys.map((key) => ask(office, good(key)))
    const failed = ask(office, { ...bad, key: `bad-${round}` })
    const again = failed.then(() => Promise.all(keys.map((key) => ask(office, good(key)))))
    t.is(await failed, 'PK_E_BAD_MESSAGE')
    t.deepEqual(await again, await Promise.all(first))
  }
  t.true([...keysIn(root, 'T1').values()].every((count) => count === 1))
})

test.serial('an inbox that cannot be read takes nothing, and then everything once', async (t) => {
  const root = tempStore(t)
  const terminal = await openTerminal({ root, id: 'T1' })
  t.teardown(() => terminal.close())
  const order = { to: 'T1', kind: 'x.note', key: 'one', body: 1 }
  const office = new PostOffice(root)
  const id = await ask(office, order)
  await office.close()
  // A folder that is no folder, as a fault of the disk would be.
  const done = path.join(inboxOf(root, 'T1'), 'done')
  renameSync(done, `${done}.away`)
  writeFileSync(done, '')
  const next = new PostOffice(root)
  t.teardown(() => next.close())
  t.is(await ask(next, order), 'ENOTDIR')
  t.is(await ask(next, { ...order, key: 'two' }), 'ENOTDIR')
  rmSync(done)
  renameSync(`${done}.away`, done)
  t.is(await ask(next, order), id)
  await ask(next, { ...order, key: 'two' })
  t.deepEqual([...keysIn(root, 'T1')].sort(), [
    ['one', 1],
    ['two', 1],
  ])
})

test.serial(
  'messages that wait are remembered however many were received after others',
  async (t) => {
    const root = tempStore(t)
    const terminal = await openTerminal({ root, id: 'T1' })
    t.teardown(() => terminal.close())
    const office = new PostOffice(root)
    const first = await ask(office, { to: 'T1', kind: 'x.note', key: 'first', body: 1 })
    await office.close()
    // More than is kept in mind, as an inbox that nobody tidies may come to hold.
    const dead = path.join(inboxOf(root, 'T1'), 'dead')
    mkdirSync(dead, { recursive: true })
    for (let count = 0; count < 8300; count += 1) {
      const name = `${'0'.repeat(16)}-HOST-POST-${count.toString(16).padStart(14, '0')}.json`
      const body = { fromApp: 'app', key: `old-${count}`, body: 1 }
      writeFileSync(path.join(dead, name), JSON.stringify({ body }))
    }
    const next = new PostOffice(root)
    t.teardown(() => next.close())
    t.truthy(await ask(next, { to: 'T1', kind: 'x.note', key: 'second', body: 1 }))
    t.is(await ask(next, { to: 'T1', kind: 'x.note', key: 'first', body: 1 }), first)
    t.regex(await ask(next, { to: 'T1', kind: 'x.note', key: 'old-0', body: 1 }), /^0{16}-/)
  },
)

type Step =
  | { readonly do: 'good' | 'deep' | 'nowhere'; readonly key: number }
  | { readonly do: 'refused'; readonly key: number; readonly order: object }
  | { readonly do: 'receive' | 'die' | 'wait' }

const key = fc.nat({ max: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('good' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('deep', 'nowhere'), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refused' as const),
      key,
      order: fc.constantFrom<object>(
        { ttlMs: -1 },
        { ttlMs: 0.5 },
        { ttlMs: 1e17 },
        { ttlMs: '9' },
        { kind: 'SystemShutdown' },
        { kind: `x.${'a'.repeat(63)}` },
        { kind: 'x.' },
        { to: '../T1' },
        { body: 'x'.repeat(256 * 1024) },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('receive', 'die', 'wait') }) },
)

test.serial('whatever is ordered, a key of an app is never twice in an inbox', async (t) => {
  const root = tempStore(t)
  let played = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      played += 1
      const to = `T${played}`
      const terminal = await openTerminal({ root, id: to })
      let office = new PostOffice(root)
      const ids = new Map<number, Set<string>>()
      const asked: Promise<unknown>[] = []
      const order = (number: number, rest: object = {}) => ({
        ...{ to, kind: 'x.note', key: `k${number}`, body: number },
        ...rest,
      })
      for (const each of steps) {
        switch (each.do) {
          case 'good':
            asked.push(
              ask(office, order(each.key)).then((id) => {
                // An office that is closed under way refuses what is left; then nothing is known of it.
                if (/^[0-9a-f]{16}-/.test(id))
                  ids.set(each.key, (ids.get(each.key) ?? new Set()).add(id))
              }),
            )
            break
          case 'deep':
            asked.push(ask(office, order(each.key, { body: tooDeep })))
            break
          case 'nowhere':
            asked.push(ask(office, order(each.key, { to: 'T0' })))
            break
          case 'refused':
            asked.push(
              ask(office, order(each.key, each.order)).then((code) => t.regex(code, /^HOST_/)),
            )
            break
          case 'receive': {
            const waiting = await terminal.messages.receive()
            await terminal.messages.accept(waiting.map(({ id }) => id))
            break
          }
          case 'die':
            await office.close()
            office = new PostOffice(root)
            break
          case 'wait':
            await asked.at(-1)
            break
        }
      }
      await Promise.all(asked)
      await office.close()
      for (const [number, count] of keysIn(root, to)) {
        if (count !== 1) throw new Error(`${number} is ${count} times in the inbox`)
      }
      for (const [number, found] of ids) {
        if (found.size !== 1) throw new Error(`k${number} became ${[...found].join(' and ')}`)
      }
      await terminal.close()
    }),
    { numRuns: 25 },
  )
})
